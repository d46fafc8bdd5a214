"""The covariance against its definition, and its zeros, ties and scales."""

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verify.data.covariance import Covariance, covariance, from_eigenvalues
from verify.data.decomposition.bases import Axes
from verify.eigenvalues import Eigenvalues
from verify.errors import InputError

EPS = np.finfo(float).eps
reproducibly = settings(derandomize=True, database=None, deadline=None, max_examples=60)


def naive(X):
    """S = (1/N) sum_i (x_i - mean)(x_i - mean)^T, entry by entry."""
    N, n = X.shape
    mean = [sum(X[i, a] for i in range(N)) / N for a in range(n)]
    entry = lambda a, b: sum((X[i, a] - mean[a]) * (X[i, b] - mean[b]) for i in range(N)) / N  # noqa: E731
    return np.array([[entry(a, b) for b in range(n)] for a in range(n)])


def distance(actual, expected):
    return np.linalg.norm(actual - expected) / np.linalg.norm(expected)


def sample(seed, N, n):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((N, n)) @ rng.standard_normal((n, n)) + rng.standard_normal(n)


def test_S_is_the_definition():
    X = sample(0, 30, 5)
    c = covariance(X)
    # Sums of 30 terms: 30 eps each, with room for the eigendecomposition.
    assert distance(c.matrix(), naive(X)) < 100 * EPS
    assert distance(c.matrix(), np.cov(X.T, bias=True)) < 100 * EPS
    assert distance(c.mean, X.mean(axis=0)) < 100 * EPS
    assert (c.n, c.N, c.rank) == (5, 30, 5)
    json.dumps(c.provenance)


def test_division_by_N_minus_1_is_told_apart():
    X = sample(0, 30, 5)
    wrong = np.cov(X.T)
    assert distance(covariance(X).matrix(), wrong) > 0.03  # 1 - 29/30 = 0.033
    with pytest.raises(AssertionError):
        assert distance(covariance(X).matrix(), wrong) < 100 * EPS


def test_eigenvectors_belong_to_descending_eigenvalues_and_have_a_fixed_sign():
    X = sample(1, 40, 6)
    c = covariance(X)
    U, lam = c.eigenvectors, c.eigenvalues
    assert np.all(np.diff(lam) < 0)
    assert distance(U.T @ U, np.eye(6)) < 100 * EPS
    assert distance(naive(X) @ U, U * lam) < 1000 * EPS  # backward error of the eigensolver
    assert all(u[np.argmax(np.abs(u))] > 0 for u in U.T)
    # Control: the order reversed is noticed.
    assert distance(naive(X) @ U, U * lam[::-1]) > 0.1
    # Reflecting the data about the origin leaves S, and so the signs, as they are.
    assert np.array_equal(covariance(-X).eigenvectors, U)


def test_S_is_exactly_symmetric():
    S = covariance(sample(2, 50, 7)).matrix()
    assert np.array_equal(S, S.T)


@pytest.mark.parametrize("size", [1, 3, 7, 29])
def test_blocks_give_what_the_whole_gives(size):
    X = sample(3, 29, 4)
    blocks = (X[i : i + size] for i in range(0, 29, size))  # a generator: read once
    c = covariance(blocks)
    assert c.N == 29
    assert distance(c.matrix(), naive(X)) < 300 * EPS  # a rounding per merge on top


def test_a_list_of_lists_is_a_matrix_and_a_list_of_matrices_are_blocks():
    assert np.array_equal(covariance([[0, 0], [2, 0]]).eigenvalues, [1, 0])
    assert np.array_equal(covariance([[[0, 0]], [[2, 0]]]).eigenvalues, [1, 0])


@pytest.mark.parametrize("mean", [1e8, -1e12])
def test_a_large_mean_does_not_destroy_small_variances(mean):
    X = mean + sample(5, 5000, 4)
    expected = np.cov((X - mean).T, bias=True)  # X - mean is exact: both lie within a factor of two
    c = covariance(X[i : i + 64] for i in range(0, 5000, 64))
    assert distance(c.matrix(), expected) < 1e-12  # 5000 eps
    # Control: the textbook formula E[x x^T] - mean mean^T does lose them.
    textbook = X.T @ X / len(X) - np.outer(X.mean(axis=0), X.mean(axis=0))
    assert distance(textbook, expected) > 0.1


def test_sorted_rows_with_constant_blocks_work():
    X = np.repeat(np.array([[0.1, 1e6], [0.2, -1e6], [0.3, 3.0]]), 50, axis=0)
    c = covariance(X[i : i + 50] for i in range(0, 150, 50))
    assert distance(c.matrix(), naive(X)) < 1000 * EPS


def test_constant_columns_are_exactly_zero():
    X = np.column_stack([np.full(1000, 0.1), sample(6, 1000, 1)[:, 0], np.full(1000, -1e9 / 3)])
    c = covariance(X[i : i + 7] for i in range(0, 1000, 7))
    assert c.rank == 1
    assert np.count_nonzero(c.matrix()) == 1
    # Certain zeros: nothing to remark on.
    assert np.array_equal(c.resolution[1:], [0, 0]) and c.provenance["notes"] == []


@reproducibly
@given(
    rank=st.integers(1, 6),
    decades=st.integers(0, 6),
    power=st.integers(-130, 130),
    offset=st.sampled_from([0.0, 1.0, 1e4]),
    seed=st.integers(0, 1000),
)
def test_rank_is_that_of_the_data_at_every_scale(rank, decades, power, offset, seed):
    rng = np.random.default_rng(seed)
    # Integers times a power of two: products and sums below are exact, so the rank is known.
    factors = rng.integers(-3, 4, (40, rank)) * 2.0 ** -np.linspace(0, decades, rank).round()
    mixing = np.eye(rank, 6) + np.tril(rng.integers(-1, 2, (rank, 6)), -1)
    X = (factors @ mixing + offset) * 2.0 ** round(power * 3.3)
    true_rank = np.linalg.matrix_rank(factors - factors.mean(axis=0))
    assert covariance(X).rank == true_rank


@pytest.mark.parametrize("N", [2, 3, 10, 20])
def test_fewer_rows_than_columns_give_rank_N_minus_1(N):
    assert covariance(sample(7, N, 20)).rank == N - 1


@pytest.mark.parametrize(("N", "n"), [(2, 4), (2, 9), (7, 20), (10, 20), (11, 20)])
@pytest.mark.parametrize("size", [1, 4, 100])
def test_few_rows_have_the_covariance_of_the_definition(N, n, size):
    """N = 10 of n = 20 are the most whose covariance is not formed; 11 go the way of many rows."""
    X = sample(10, N, n)
    c = covariance(X[i : i + size] for i in range(0, N, size))
    U, lam = c.eigenvectors, c.eigenvalues
    assert (c.N, c.n, c.rank) == (N, n, N - 1) and np.all(lam[N - 1 :] == 0)
    assert distance(c.matrix(), naive(X)) < 300 * EPS and distance(c.mean, X.mean(axis=0)) < 100 * EPS
    # All of U is orthogonal, the part without variance included, with the usual signs.
    assert distance(U.T @ U, np.eye(n)) < 100 * EPS
    assert all(u[np.argmax(np.abs(u))] > 0 for u in U.T)
    assert distance(covariance(2 * X).matrix(), naive(X)) > 2  # control


def test_few_rows_with_copies_and_zero_columns():
    X = np.repeat(sample(11, 3, 30), 4, axis=0) * (np.arange(30) % 3 > 0)
    c = covariance(X)
    assert c.rank == 2 and distance(c.matrix(), naive(X)) < 300 * EPS
    assert distance(c.eigenvectors.T @ c.eigenvectors, np.eye(30)) < 100 * EPS
    assert np.abs(c.matrix()[::3]).max() < 100 * EPS * c.eigenvalues[0]


def test_few_rows_keep_small_variances_beside_a_large_mean():
    X = 1e8 + sample(12, 6, 40)
    assert distance(covariance(X).matrix(), naive(X - 1e8)) < 1e-12  # X - 1e8 is exact


@pytest.mark.parametrize("factor", [1e-150, 1e149])
def test_few_rows_at_the_promised_scales(factor):
    X = sample(13, 5, 12)
    assert distance(covariance(X * factor).eigenvalues / factor**2, covariance(X).eigenvalues) < 1e-13


@pytest.mark.parametrize("N", [6, 30])
def test_blocks_may_be_written_to_one_place(N):
    X = sample(14, N, 20)
    place = np.empty((3, 20))

    def blocks():
        for i in range(0, N, 3):
            place[:] = X[i : i + 3]
            yield place

    assert distance(covariance(blocks()).matrix(), naive(X)) < 300 * EPS


@pytest.mark.parametrize("power", [-498, -300, 0, 300, 490])
def test_scaling_by_a_power_of_two_changes_nothing_but_the_unit(power):
    X = sample(8, 25, 4)
    one, scaled = covariance(X), covariance(np.ldexp(X, power))
    assert np.array_equal(np.ldexp(one.eigenvalues, 2 * power), scaled.eigenvalues)
    assert np.array_equal(one.eigenvectors, scaled.eigenvectors)
    assert np.all(np.isfinite(scaled.matrix()))


@pytest.mark.parametrize("factor", [1e-150, 1e149])
def test_the_promised_scales_work(factor):
    X = sample(9, 25, 3)
    assert distance(covariance(X * factor).eigenvalues / factor**2, covariance(X).eigenvalues) < 1e-13


@pytest.mark.parametrize("factor", [1e-320, 1e-200, 1e-154, 1e151, 1e300])
def test_scales_beyond_are_refused_and_not_wrong(factor):
    with pytest.raises(InputError, match=r"^[^\n]*(multiply|divide) the data by a constant$"):
        covariance(sample(9, 25, 3) * factor)


def test_exact_ties_of_data_come_out_as_exact_ties():
    # Rows +-e_i: S = I/6 but for the last direction; rotated, so that rounding splits the ties.
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))[0]
    X = np.vstack([np.eye(6), -np.eye(6)]) @ np.diag([1, 1, 1, 1, 1, 0.5]) @ Q
    raw = np.linalg.eigvalsh(np.cov(X.T, bias=True))
    assert len(set(raw)) > 2  # control: without settling they are not ties
    lam = covariance(X).eigenvalues
    assert len(set(lam)) == 2
    assert np.allclose(lam, [1 / 6] * 5 + [1 / 24], rtol=1e-14, atol=0)


def test_a_bare_spectrum_is_taken_at_its_word():
    c = from_eigenvalues([3, 1 + EPS, 1, 1e-20, 0])
    assert np.array_equal(c.eigenvalues, [3, 1 + EPS, 1, 1e-20, 0])
    assert (c.rank, c.n, c.N, c.mean) == (4, 5, None, None)
    assert np.allclose(c.matrix(), np.diag(c.eigenvalues), rtol=1e-15, atol=0)
    assert c.provenance["notes"] == [] and c.resolution is None


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_a_spectrum_of_integers_is_compared_before_it_is_rounded(kind):
    c = from_eigenvalues(kind([2**53 + 1, 2**53, 1]))
    assert c.spectrum.exact == (2**53 + 1, 2**53, 1) and "compared as written" in c.provenance["notes"][0]
    assert from_eigenvalues([2**53 + 1, 0.5]).spectrum.exact[0] == 2**53 + 1
    assert from_eigenvalues([2**70, 1, True]).spectrum.exact == (2**70, 1, 1)


def test_single_precision_stands_for_its_own_shortest_decimal():
    for lam in (np.array([0.7, 1e-20], np.float32), [np.float32(0.7), 1e-20]):
        assert from_eigenvalues(lam).spectrum.exact == (Fraction(7, 10), Fraction(1, 10**20))
    assert from_eigenvalues(np.array([0.7], np.float16)).spectrum.exact == (Fraction(7, 10),)


def test_an_unsorted_spectrum_is_sorted_and_said():
    c = from_eigenvalues([1.0, -0.0, 4.0])
    assert np.array_equal(c.eigenvalues, [4, 1, 0]) and not np.signbit(c.eigenvalues).any()
    assert any("sorted" in note for note in c.provenance["notes"])


@pytest.mark.parametrize(
    ("spectrum", "words"),
    [
        ([], "non-empty"),
        ([[1.0]], "shape"),
        ([[1.0], [1.0, 2.0]], "not a list of numbers"),
        ([1, float("nan")], "eigenvalue 2 is nan"),
        ([float("inf")], "eigenvalue 1 is inf"),
        ([2, 1, -1e-9], "eigenvalue 3 is -1e-09"),
        ([2, -(10**400)], "no negative eigenvalue"),
        ([2, 10**400], "multiply"),
        (np.array([1, np.inf], np.float32), "eigenvalue 2 is inf"),
        ([0.0, 0.0], "all zero"),
        ([1e306, 1.0], "multiply"),
        ([1.0, 1e-310], "multiply"),
        (["a"], "eigenvalue 1 is 'a', not a number"),
        (["1", None], "NoneType"),
        ([1j], "not real numbers"),
        ([None], "not real numbers"),
    ],
)
def test_a_bad_spectrum_is_refused_in_one_line(spectrum, words):
    with pytest.raises(InputError) as refusal:
        from_eigenvalues(spectrum)
    assert words in str(refusal.value) and "\n" not in str(refusal.value)


GOOD = np.arange(12.0).reshape(4, 3)


def with_entry(value, row, column):
    X = GOOD.copy()
    X[row, column] = value
    return X


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (with_entry(np.nan, 2, 1), "NaN at row 3, column 2"),
        (with_entry(-np.inf, 3, 2), "infinity at row 4, column 3"),
        ([GOOD[:2], with_entry(np.nan, 1, 0)], "NaN at row 4, column 1"),
        (with_entry(1e200, 0, 0), "at row 1, column 1 is beyond 1e+150"),
        (GOOD.astype(complex), "complex128, not real numbers"),
        (GOOD.astype(str), "not real numbers"),
        (GOOD.astype(object), "object, not real numbers"),
        ([[1.0, 2.0], [3.0]], "different lengths"),
        (GOOD[0], "shape (3,)"),
        (GOOD[None, None], "shape (1, 1, 4, 3)"),
        (np.float64(3.0), "shape ()"),
        (np.zeros((0, 3)), "empty"),
        (np.zeros((3, 0)), "empty"),
        ([], "empty"),
        (iter([]), "empty"),
        (GOOD[:1], "one row"),
        (np.full((5, 3), 0.1), "constant"),
        ([GOOD, GOOD[:, :2]], "row 5 has 2 columns, the rows before it 3"),
        (np.broadcast_to(0.0, (3, 40000)), "constant"),
        (with_entry(np.inf, 1, 1).astype(np.float32), "infinity at row 2, column 2"),
        (with_entry(-np.inf, 1, 1).astype(np.float16), "infinity at row 2, column 2"),
        (with_entry(np.nan, 1, 1).astype(np.float32), "NaN at row 2, column 2"),
        (np.array([[0, 1], [2**53 + 1, 2]]), "9007199254740993 at row 2, column 1 is beyond 2^53"),
        (np.array([[0, 1], [2, -(2**53) - 1]]), "-9007199254740993 at row 2, column 2 is beyond 2^53"),
        (np.array([[0, 1], [2**63 - 1, -(2**63)]]), "9223372036854775807 at row 2, column 1 is beyond"),
        (np.array([[0, 1], [2, 2**64 - 1]], np.uint64), "18446744073709551615 at row 2, column 2 is beyond"),
        (2**53 + np.random.default_rng(3).integers(0, 64, (200, 3)), "subtract a constant"),
        (iter([np.zeros((2, 1), int), np.array([[2**60 + 1]])]), "1152921504606846977 at row 3, column 1"),
    ],
)
def test_bad_rows_are_refused_in_one_line(rows, words):
    with pytest.raises(InputError) as refusal:
        covariance(rows)
    assert words in str(refusal.value) and "\n" not in str(refusal.value)


def test_whole_numbers_that_float64_holds_are_taken_however_large():
    small = np.random.default_rng(3).integers(0, 64, (200, 3))
    expected = covariance(small)
    for shift, unit in ((2**53 - 64, 1), (-(2**53), 1), (2**60, 256), (-(2**63), 2048)):
        found = covariance(shift + unit * small)
        apart = np.abs(found.eigenvalues - unit**2 * expected.eigenvalues)
        assert np.all(apart <= found.resolution + unit**2 * expected.resolution)
    assert np.all(found.resolution < 1e-11 * found.eigenvalues)
    assert len(np.unique((2**60 + small).astype(np.float64))) == 1  # what is refused would have been constant


@pytest.mark.skipif(np.finfo(np.longdouble).nmant <= 52, reason="long doubles are doubles here")
def test_long_doubles_are_taken_where_they_are_doubles():
    assert np.array_equal(covariance(GOOD.astype(np.longdouble) / 4).eigenvalues, covariance(GOOD / 4).eigenvalues)
    wrong = GOOD.astype(np.longdouble)
    wrong[2, 1] += np.longdouble(2) ** -60
    with pytest.raises(InputError, match="at row 3, column 2 has more digits than float64 holds"):
        covariance(wrong)
    for value, words in ((np.longdouble("1e4000"), "infinity at row 3"), (np.longdouble("nan"), "NaN at row 3")):
        wrong[2, 1] = value
        with pytest.raises(InputError, match=words):
            covariance(wrong)


def test_the_dataclass_counts_rank_by_exact_zeros():
    lam = np.array([2.0, 1e-300, 0.0])
    assert Covariance(None, Eigenvalues.of(lam), Axes(3), None).rank == 2
