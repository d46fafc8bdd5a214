"""Every eigenvalue of rows within its error, and ranks and ties decided by those errors alone."""

import sys
import tracemalloc
from fractions import Fraction
from types import ModuleType

import mpmath
import numpy as np
import pytest
from scipy.linalg import hadamard

from tests.verify.data.exactly import column_graded, exact_eigenvalues, mixed, rotation_graded, whole
from verify.data import covariance, load, load_rows
from verify.data.decomposition.whole_numbers import WholeSums
from verify.data.preprocess import Preprocessing
from verify.data.rows import Rows
from verify.errors import InputError

EPS = np.finfo(float).eps
NOTHING = mpmath.mpf(10) ** -60  # beside the largest: what exact arithmetic and 90 digits leave of a zero


def within(c, true, nothing=NOTHING):
    """Whether every true eigenvalue lies within the stated error."""
    top = true[0]
    true = [x if x > nothing * top else mpmath.mpf(0) for x in true]
    return all(abs(float(v) - x) <= float(e) for v, e, x in zip(c.eigenvalues, c.resolution, true, strict=True))


def rank_of(true):
    return sum(x > NOTHING * true[0] for x in true)


def open_questions(c):
    """Zeros, ties and sizes that the errors leave open."""
    lam, e = c.eigenvalues[: c.rank], c.resolution[: c.rank]
    return c.spectrum.undecided_zeros + np.count_nonzero(lam[1:] == lam[:-1]) + np.count_nonzero(lam <= e)


@pytest.mark.parametrize("make", [column_graded, rotation_graded, lambda rng, N, n, _: whole(rng, N, n)])
def test_the_true_eigenvalues_lie_within_their_errors(make):
    """200 spectra of up to 14 decades (28 in the eigenvalues where columns are graded), three ways."""
    undecided = 0
    for seed in range(67):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(2, 9))
        N = max(2, int(rng.choice([n // 2 + 1, n, n + 1, 2 * n, 60])))
        X = make(rng, N, n, rng.uniform(0, 14))
        true = exact_eigenvalues(X)
        c, once = covariance(X), covariance(iter([X]))
        assert within(c, true) and within(once, true), seed
        assert c.rank == rank_of(true) or open_questions(c), seed
        assert once.rank == rank_of(true) or open_questions(once), seed
        undecided += open_questions(c) > 0
    assert undecided <= 1  # of 67


def test_an_error_that_is_too_small_is_caught():
    rng = np.random.default_rng(5)
    caught = 0
    for _ in range(20):
        X = column_graded(rng, 40, 5, 6)
        c, true = covariance(X), exact_eigenvalues(X)
        assert within(c, true)
        object.__setattr__(c.spectrum, "errors", c.spectrum.errors / 1e4)
        caught += not within(c, true)
    assert caught > 10


# Income, capital, age, a ratio and a rate: deviations over seven decades.
UNITS = np.array([5e4, 5e3, 12.0, 0.16, 0.005])


@pytest.fixture(scope="module")
def register():
    rng = np.random.default_rng(1)
    return mixed(rng, 200_000, 5) * UNITS + [3e4, 1e3, 40.0, 0.5, 0.01]


@pytest.mark.parametrize("N", [100, 1000, 10_000, 100_000, 200_000])
def test_graded_columns_keep_all_their_eigenvalues(register, N):
    X = register[:N]
    c = covariance(X)
    S = np.cov((X - X.mean(axis=0)).T / UNITS[:, None], bias=True)  # well conditioned
    # The eigenvalues of diag(u) S diag(u), through Cholesky and one-sided Jacobi: to n eps kappa(S) of each.
    with mpmath.workdps(50):
        scaled = mpmath.matrix((S * UNITS * UNITS[:, None]).tolist())
        expected = sorted(map(float, mpmath.eigsy(scaled, eigvals_only=True)), reverse=True)
    assert c.rank == 5 and not open_questions(c) and c.provenance["notes"] == []
    # sqrt(N) eps from the sums of the reference, times what its conditioning makes of it.
    np.testing.assert_allclose(c.eigenvalues, expected, rtol=1e-11)
    assert np.all(c.resolution < 1e-7 * c.eigenvalues)
    once = covariance(iter(np.array_split(X, 7)))
    assert once.rank == 5 and np.all(np.abs(once.eigenvalues - c.eigenvalues) <= once.resolution + c.resolution)


def test_one_bound_for_all_loses_them(register):
    """Control: the rule that was here before, max(n, N) eps lam_1."""
    lam = np.linalg.eigvalsh(np.cov(register.T, bias=True))[::-1]
    assert np.count_nonzero(lam > len(register) * EPS * lam[0]) == 3


@pytest.mark.parametrize("seed", range(6))
def test_rotated_spectra_that_one_pass_cannot_tell(seed):
    """Condition 1e13 in S: only without squaring are the last eigenvalues known."""
    X = rotation_graded(np.random.default_rng(seed), 300, 6, 17)
    c, once, true = covariance(X), covariance(iter([X])), exact_eigenvalues(X)
    assert c.provenance["path"] == "two passes" and c.rank == 6 and within(c, true)
    assert once.rank < 6 and once.spectrum.undecided_zeros and within(once, true)
    assert any("cannot be told from 0" in note for note in once.provenance["notes"])


# --- what must not matter -----------------------------------------------------------------------------------


def same(a, b, factor=1.0):
    """Whether two spectra agree within their errors, the second times factor."""
    return a.rank == b.rank and np.all(
        np.abs(a.eigenvalues - factor * b.eigenvalues) <= a.resolution + factor * b.resolution
    )


CASES = [
    lambda rng: column_graded(rng, 50, 5, 9),
    lambda rng: rotation_graded(rng, 50, 5, 12),
    lambda rng: whole(rng, 50, 6),
    lambda rng: mixed(rng, 4, 9),
    lambda rng: 1e8 + 1e-3 * mixed(rng, 60, 4),
]


@pytest.mark.parametrize("make", CASES)
def test_rows_doubled_permuted_and_cut_differently(make):
    rng = np.random.default_rng(7)
    X = make(rng)
    c = covariance(X)
    doubled = covariance(np.repeat(X, 2, axis=0))
    if len(X) > X.shape[1]:  # twice as many rows of too few may be more than there are columns
        assert same(c, doubled)
    assert np.all(np.abs(c.eigenvalues - doubled.eigenvalues) <= c.resolution + doubled.resolution)
    assert same(c, covariance(X[rng.permutation(len(X))]))
    for size in (1, 3, 17):
        cut = covariance(X[i : i + size] for i in range(0, len(X), size))
        assert np.all(np.abs(c.eigenvalues - cut.eigenvalues) <= c.resolution + cut.resolution)
    # Control: another division than by N is noticed.
    assert not same(c, c, len(X) / (len(X) - 1))


@pytest.mark.parametrize("make", CASES)
@pytest.mark.parametrize("power", [-400, -7, 1, 300])
def test_a_common_power_of_two_changes_nothing_but_the_unit(make, power):
    X = make(np.random.default_rng(8))
    c, scaled = covariance(X), covariance(np.ldexp(X, power))
    assert np.array_equal(np.ldexp(c.eigenvalues, 2 * power), scaled.eigenvalues)
    assert np.array_equal(np.ldexp(c.resolution, 2 * power), scaled.resolution)
    assert np.array_equal(c.eigenvectors, scaled.eigenvectors)
    assert c.provenance["path"] == scaled.provenance["path"]


@pytest.mark.parametrize("make", CASES)
def test_powers_of_two_column_by_column_leave_the_rank_and_whether_it_is_decided(make):
    rng = np.random.default_rng(9)
    X = make(rng)
    c = covariance(X)
    for spread in (3, 30, 120):
        scaled = covariance(np.ldexp(X, rng.integers(-spread, spread, X.shape[1])))
        assert scaled.rank == c.rank and scaled.spectrum.undecided_zeros == c.spectrum.undecided_zeros


def test_rotated_rows_have_the_same_spectrum():
    rng = np.random.default_rng(10)
    X = mixed(rng, 500, 6)
    Q = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    c, rotated = covariance(X), covariance(X @ Q)
    # The rotation itself rounds, by a few eps of each entry.
    assert np.all(np.abs(c.eigenvalues - rotated.eigenvalues) <= 100 * EPS * c.eigenvalues[0])


def hadamard_rows(d, factor=1.0):
    """Rows whose covariance has exactly the eigenvalues n d^2: columns of a Hadamard matrix, turned by another."""
    n = len(d)
    return (hadamard(8 * n)[:, 1 : n + 1] * d) @ hadamard(n) * factor


@pytest.mark.parametrize("bits", [3, 34])  # so few that sums are exact; or not
def test_a_spectrum_and_the_file_that_has_it(tmp_path, bits):
    rng = np.random.default_rng(11)
    d = np.sort(rng.choice(2**bits, 32, replace=False) if bits > 5 else rng.permutation(np.arange(1, 33)))[::-1]
    np.save(tmp_path / "rows.npy", hadamard_rows(d, 2.0**-bits))
    c = load(tmp_path / "rows.npy")
    expected = [Fraction(32 * int(x) ** 2, 4**bits) for x in d]
    assert ("exact" in c.provenance["path"]) == (bits == 3)
    for value, error, exact in zip(c.eigenvalues, c.resolution, expected, strict=True):
        assert abs(Fraction(float(value)) - exact) <= Fraction(float(error))
    assert not open_questions(c)


# --- whole numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "i8", "f4", "f8"])
def test_whole_numbers_have_a_certain_rank(dtype):
    rng = np.random.default_rng(12)
    X = rng.integers(0, 200, (400, 7))
    X[:, 5], X[:, 6], X[:, 0] = X[:, 1], X[:, 2] // 2, 9
    X[:, 2] = 2 * X[:, 6]
    pytest.importorskip("flint")
    c = covariance(X.astype(dtype))
    assert c.provenance["path"] == "one pass, exact" and c.rank == 4
    assert c.spectrum.undecided_zeros == 0 and c.provenance["notes"] == [] and not c.resolution[4:].any()
    assert within(c, exact_eigenvalues(X.astype(float)))


@pytest.mark.parametrize("found", [None, ModuleType("flint")], ids=["none", "another package of the name"])
def test_without_flint_a_rank_is_undecided_and_that_is_said(monkeypatch, found):
    monkeypatch.setitem(sys.modules, "flint", found)
    X = np.random.default_rng(13).integers(0, 9, (50, 4))
    X[:, 3] = X[:, 0] + X[:, 1]
    c = covariance(X)
    assert c.rank == 3 and c.spectrum.undecided_zeros == 1
    assert any(
        "1 of 4 eigenvalues cannot be told from 0" in note and "python-flint" in note for note in c.provenance["notes"]
    )


def test_copied_images_among_few_rows():
    pytest.importorskip("flint")
    X = np.repeat(np.random.default_rng(14).integers(0, 256, (6, 40)), 2, axis=0).astype(np.uint8)
    c = covariance(X)
    assert c.rank == 5 and c.spectrum.undecided_zeros == 0
    # Control: real numbers have no certificate.
    assert covariance(X * 0.1).spectrum.undecided_zeros == 6


def test_whole_numbers_that_end_are_summed_on_as_real_ones():
    rng = np.random.default_rng(15)
    X = np.concatenate([rng.integers(0, 9, (100, 3)), rng.standard_normal((100, 3))])
    c = covariance(X[i : i + 10] for i in range(0, 200, 10))
    assert c.provenance["path"] == "one pass" and within(c, exact_eigenvalues(X))
    large = np.concatenate([rng.integers(0, 9, (100, 3)), rng.integers(0, 2**40, (100, 3))]).astype(float)
    assert within(covariance(large), exact_eigenvalues(large))


@pytest.mark.parametrize(("power", "held", "bound"), [(14, True, 3), (19, False, 8)])
def test_sums_of_whole_numbers_are_exact_and_n_squared_s_where_64_bits_hold_it(power, held, bound):
    """N max d^2 < 2^53 for both; N^2 max d^2 < 2^62 for the smaller numbers alone."""
    N, rng = 2**14, np.random.default_rng(16)
    X = rng.integers(-(2**power) // 2, 2**power // 2, (N, 3))
    X[:, 1] += X[:, 0] // 3
    sums = WholeSums.begin(X)
    assert sums is not None and sums.add(X)
    found = sums.scatter()
    assert (found.whole is not None) is held and found.error == bound * EPS / 2
    columns = [[int(v) for v in column] for column in X.T]
    for i, one in enumerate(columns):
        for j, other in enumerate(columns):
            whole_entry = N * sum(a * b for a, b in zip(one, other, strict=True)) - sum(one) * sum(other)
            assert not held or int(found.whole[i, j]) == whole_entry
            true = float(Fraction(whole_entry, N * N) / Fraction(2) ** int(found.unit[i] + found.unit[j]))
            assert abs(found.S[i, j] - true) <= (found.error + EPS / 2) * np.sqrt(found.spread[i] * found.spread[j])


@pytest.mark.parametrize("largest", [126, 157, 164, 168, 181, 255])
@pytest.mark.parametrize("N", [1491, 1871, 2048])
def test_sums_in_single_precision_stay_exact(largest, N):
    """Parts of rows whose squares add up to 2^24 at most, however their number divides; odd sums tell."""
    X = np.full((N, 1), float(largest))
    X[0], X[N // 2 :: 2] = 0, largest - 1
    sums = WholeSums.begin(X)
    assert sums is not None and sums.add(X)
    assert int(sums.G[0, 0]) == sum(int(x) ** 2 for x in X[:, 0])
    again = np.full((N, 1), float(largest))  # no row of zeros among these
    again[0] -= 1
    assert sums.add(again)
    assert int(sums.G[0, 0]) == sum(int(x) ** 2 for x in np.concatenate([X, again])[:, 0])


def test_a_fraction_beside_a_large_shift_is_no_whole_number():
    """2^13 + 2^-36 less -2^18 rounds to a whole number; S was wrong by several of its errors, its rank by one."""
    shift, part = 2.0**19 - 2.0**14, 2.0**-36
    X = np.zeros((4096, 1))
    X[1::2], X[2::2] = 2.0**13, -(2.0**13)
    X[2049::2] += part
    X[2050::2] -= part
    X[0] = -shift
    sums = WholeSums.begin(X[:2048])
    assert sums is not None and sums.add(X[:2048]) and not sums.add(X[2048:])
    # Control: the difference alone does not tell.
    assert np.array_equal(X + shift, np.rint(X + shift))
    c = covariance(X)
    assert within(c, exact_eigenvalues(X))
    # Nor what vanishes in large units.
    large = np.zeros((4096, 1))
    large[:2048, 0] = 2.0**400 * (np.arange(2048) % 5)
    large[3000] = 2.0**-800
    sums = WholeSums.begin(large[:2048])
    assert sums is not None and sums.add(large[:2048]) and not sums.add(large[2048:])


@pytest.mark.parametrize("unit", [8.0, 0.5])
def test_blocks_of_another_type_are_held_against_the_units_of_the_first(unit):
    rng = np.random.default_rng(18)
    blocks = [unit * rng.integers(0, 9, (2048, 2)), rng.integers(0, 256, (60, 2)).astype(np.uint8)]
    X = np.concatenate(blocks)
    assert within(covariance(iter(blocks)), exact_eigenvalues(X))


@pytest.mark.parametrize("late", [2.0**30, 1.0])
def test_a_column_that_varies_late_and_widely_beside_a_tiny_one(late):
    rng = np.random.default_rng(17)
    X = np.zeros((3000, 2))
    X[:, 0] = 1e-300 * rng.standard_normal(3000)
    X[2500:, 1] = late * rng.standard_normal(500)
    c = covariance(X)
    assert np.isfinite(c.spectrum.values).all() and within(c, exact_eigenvalues(X))


def test_digits_have_rank_61():
    pytest.importorskip("flint")
    c = load("digits", scale=16)
    assert c.rank == 61 and c.spectrum.undecided_zeros == 0 and c.provenance["notes"] == []
    # A scale is a division of the spectrum: by 16 exactly.
    assert np.array_equal(c.eigenvalues * 256, load("digits").eigenvalues)


# --- rows that hurt -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "X",
    [
        pytest.param(np.r_[[[1e8] * 3], mixed(np.random.default_rng(0), 300, 3)], id="outlier first"),
        pytest.param(np.sort(mixed(np.random.default_rng(1), 5000, 3), axis=0), id="sorted"),
        pytest.param(mixed(np.random.default_rng(2), 60, 4) * [1e150, 1, 1e-100, 1e-20] / 10, id="units apart"),
        pytest.param(mixed(np.random.default_rng(3), 60, 3) * 1e-140 + 1e-130, id="tiny"),
        pytest.param(1e8 + 1e-3 * mixed(np.random.default_rng(4), 100, 3), id="large mean"),
        pytest.param(np.random.default_rng(5).standard_cauchy((200, 4)), id="heavy tails"),
        pytest.param(np.r_[np.zeros((3000, 2)), mixed(np.random.default_rng(6), 50, 2)], id="mostly zero"),
        pytest.param(mixed(np.random.default_rng(7), 5, 7) * 10.0 ** -np.arange(0, 14, 2), id="few rows, graded"),
    ],
)
def test_rows_that_hurt(X):
    true, nothing = exact_eigenvalues(X, digits=700), mpmath.mpf(10) ** -650
    c, once = covariance(X), covariance(X[i : i + 50] for i in range(0, len(X), 50))
    assert within(c, true, nothing) and within(once, true, nothing)
    assert c.rank == min(X.shape[1], len(X) - 1) and c.spectrum.undecided_zeros == 0


def test_a_near_tie_is_told_apart_or_said_to_be_one():
    rng = np.random.default_rng(16)
    for gap in (1e-6, 1e-9, 1e-11, 1e-15):
        d = np.array([3.0, 2.0 * (1 + gap), 2.0, 1.0])
        X = np.linalg.qr(np.c_[np.ones(400), rng.standard_normal((400, 4))])[0][:, 1:] * d * 20
        X = X @ np.linalg.qr(rng.standard_normal((4, 4)))[0]
        c, true = covariance(X), exact_eigenvalues(X)
        tied = c.eigenvalues[1] == c.eigenvalues[2]
        assert within(c, true) and tied == (gap < 1e-12)
        assert tied == any("lam_2 and lam_3 differ by less" in note for note in c.provenance["notes"])


def test_a_noise_on_a_threshold_is_answered_more_accurately(tmp_path):
    X = mixed(np.random.default_rng(17), 400, 5) * [1, 1, 1, 1, 1e-4]
    np.save(tmp_path / "rows.npy", X)
    rough = load(tmp_path / "rows.npy")
    assert rough.provenance["path"] == "one pass"
    e = float(rough.resolution[-1])
    noise = float(rough.eigenvalues[-1]) + e / 2
    fine = load(tmp_path / "rows.npy", noises=[1.0, noise])
    assert fine.provenance["path"] == "correlations"
    assert rough.spectrum.position(noise).undecided and not fine.spectrum.position(noise).undecided
    # Control: a noise elsewhere asks for nothing more.
    assert load(tmp_path / "rows.npy", noises=[1.0]).provenance["path"] == "one pass"
    # On the eigenvalue itself, no path is enough: all are taken.
    on = float(covariance(X, noises=[noise]).eigenvalues[-1])
    assert covariance(X, noises=[on]).provenance["path"] == "two passes"


# --- no more than is asked for ------------------------------------------------------------------------------


def test_few_rows_form_no_square(monkeypatch):
    X = np.random.default_rng(18).standard_normal((6, 40_000))
    c = covariance(X)
    assert c.rank == 5 and len(c.eigenvalues) == 40_000
    U = c.leading(3)
    assert U.shape == (40_000, 3) and np.abs(U.T @ U - np.eye(3)).max() < 100 * EPS
    D = X - X.mean(axis=0)
    assert np.abs(D.T @ (D @ U) / 6 - U * c.eigenvalues[:3]).max() < 1000 * EPS * c.eigenvalues[0]
    for wanted in ("eigenvectors", "matrix"):
        with pytest.raises(InputError, match="40000 x 40000 numbers is needed here, 13 GB") as refusal:
            getattr(c, wanted)() if wanted == "matrix" else c.eigenvectors
        assert "\n" not in str(refusal.value)


def test_few_rows_take_the_memory_of_a_few_rows():
    X = np.random.default_rng(21).standard_normal((50, 20_000))
    tracemalloc.start()
    try:
        covariance(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * X.nbytes  # deviations, and a little; S would take 400 times that


def test_many_rows_of_too_many_columns_are_refused_before_anything_is_formed():
    with pytest.raises(InputError, match=r"^the data have 32769 columns, more than 32768, and [^\n]*$"):
        covariance(np.broadcast_to(np.uint8(0), (32_769, 32_769)))


@pytest.mark.parametrize(("N", "n"), [(7, 20), (20, 20), (21, 20), (60, 20)])
def test_leading_eigenvectors_are_those_of_the_whole_basis(N, n):
    X = mixed(np.random.default_rng(19), N, n) * (np.arange(n) % 5 > 0)
    c = covariance(X)
    U = c.eigenvectors
    for m in (0, 1, 5, N - 1, n):
        if m <= n:
            assert np.allclose(c.leading(m), U[:, :m], atol=1e-12)  # the same arithmetic in other block sizes
    assert np.abs(U.T @ U - np.eye(n)).max() < 100 * EPS
    assert np.abs(c.matrix() - np.cov(X.T, bias=True)).max() < 1000 * EPS * c.eigenvalues[0]


def test_a_scale_divides_the_spectrum_and_the_mean():
    raw = np.random.default_rng(20).integers(0, 256, (300, 6)).astype(np.uint8)
    rows = Rows(raw, Preprocessing(255.0), {"name": "rows", "notes": []})
    c = rows.covariance()
    true = [x / 255**2 for x in exact_eigenvalues(raw.astype(float))]
    assert within(c, true) and np.allclose(c.mean, (raw / 255).mean(axis=0), rtol=1e-15)
    assert np.array_equal(rows.array(), raw / 255)


def test_mnist_has_a_certain_rank(mnist_folder):
    pytest.importorskip("flint")
    c = load("mnist:1000", scale=255, data_dir=mnist_folder)
    assert c.provenance["path"] == "one pass, exact" and c.spectrum.undecided_zeros == 0 and c.provenance["notes"] == []
    X = load_rows("mnist:1000", data_dir=mnist_folder).array()
    assert c.rank == np.linalg.matrix_rank(X - X.mean(axis=0))
