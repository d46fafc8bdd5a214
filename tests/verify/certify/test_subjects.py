"""What a certificate speaks of: the hash sees every value and no format; the enclosure holds the exact covariance."""

from fractions import Fraction

import numpy as np
import pytest

from verify.certify import subjects
from verify.certify.propose import counts as propose
from verify.data.sources import load_rows
from verify.errors import InputError


def subject(X, **options):
    return subjects.of_rows(load_rows(X, **options))


def exact_covariance(X, divisor=1.0):
    """S (n, n) of rows, in fractions, divided by N."""
    rows = [[Fraction(float(x)) / Fraction(divisor) for x in row] for row in np.asarray(X)]
    N, n = len(rows), len(rows[0])
    mean = [sum(row[i] for row in rows) / N for i in range(n)]
    return [[sum((row[i] - mean[i]) * (row[j] - mean[j]) for row in rows) / N for j in range(n)] for i in range(n)]


def excess(known, S):
    """|S - unit mid|_F over unit radius, squared: at most 1 where the enclosure holds S (|.|_2 <= |.|_F)."""
    n = len(S)
    E = [[S[i][j] / known.unit - Fraction(float(known.mid[i, j])) for j in range(n)] for i in range(n)]
    return float(sum(x * x for row in E for x in row) / Fraction(known.radius) ** 2)


def late_fractions():
    """Rows whose differences from the first round to whole numbers from row 2048 on, and they are none."""
    X = np.zeros((4096, 1))
    X[1::2], X[2::2] = 2.0**13, -(2.0**13)
    X[2049::2] += 2.0**-36
    X[2050::2] -= 2.0**-36
    X[0] = 2.0**14 - 2.0**19
    return X


def late_and_wide(rng):
    """A tiny column, and one that varies from row 2048 on."""
    X = np.column_stack([1e-300 * rng.standard_normal(2100), np.zeros(2100)])
    X[2050:, 1] = 2.0**30 * rng.standard_normal(50)
    return X


CASES = {
    "whole": lambda rng: rng.integers(0, 256, (30, 4)).astype(float),
    "binary": lambda rng: rng.integers(0, 2, (9, 3)).astype(float),
    "real": lambda rng: rng.standard_normal((40, 4)),
    "far from 0": lambda rng: 1e8 + rng.standard_normal((25, 3)),
    "nearly collinear": lambda rng: rng.standard_normal((20, 1)) + 1e-12 * rng.standard_normal((20, 3)),
    "few rows": lambda rng: rng.standard_normal((3, 6)),
    "tiny": lambda rng: 1e-150 * rng.standard_normal((10, 3)),
    "huge": lambda rng: 1e148 * rng.standard_normal((10, 3)),
    "columns apart": lambda rng: rng.standard_normal((12, 3)) * np.array([1e-140, 1.0, 1e140]),
    "tiny beside a constant": lambda rng: np.column_stack([np.full(9, 7.0), 1e-120 * rng.standard_normal((9, 2))]),
    "whole, then not": lambda rng: np.vstack([rng.integers(0, 9, (70, 2)), rng.standard_normal((5, 2))]),
    "large whole": lambda rng: rng.integers(0, 2**26, (20, 3)).astype(float),
    "squares beyond single precision": lambda rng: np.r_[0, np.full(999, 164), 163, np.full(870, 164)][:, None],
    "fractions beside a large shift": lambda rng: late_fractions(),
    "constant at first, beside tiny ones": lambda rng: late_and_wide(rng),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("scale", [None, 255.0, 0.1])
def test_the_enclosure_holds_the_exact_covariance(name, scale):
    X = CASES[name](np.random.default_rng(0))
    found = subject(X, **({"scale": scale} if scale else {}))
    S = exact_covariance(X, found.divisor)
    assert excess(found.enclosure, S) <= 1
    assert found.divisor == (scale or 1.0) and np.array_equal(found.enclosure.mid, found.enclosure.mid.T)
    assert found.enclosure.radius < 1e-8 * np.trace(found.enclosure.mid)  # not by being wide
    # Control: one entry away by two radii is not held.
    S[0][0] += 2 * Fraction(found.enclosure.radius) * found.enclosure.unit
    assert excess(found.enclosure, S) > 1


def test_every_eigenvalue_of_tiny_columns_beside_a_constant_one_is_found():
    found = subject(CASES["tiny beside a constant"](np.random.default_rng(0)))
    thresholds = propose.thresholds(found)
    assert (thresholds.values[:2] > 1e6 * thresholds.radii[:2]).all() and thresholds.values[0] < 1e-230


def test_the_hash_sees_values_and_no_format(tmp_path):
    X = np.random.default_rng(0).integers(0, 200, (50, 5))
    same = {subject(X.astype(kind)).sha256 for kind in (np.uint8, np.int64, np.float32, np.float64, ">f8", np.uint16)}
    np.savetxt(tmp_path / "rows.csv", X, delimiter=",", fmt="%d")
    np.save(tmp_path / "rows.npy", np.asfortranarray(X, dtype=np.float64))
    same |= {subject(str(tmp_path / name)).sha256 for name in ("rows.csv", "rows.npy")}
    zero = X.astype(float)
    zero[zero == 0] = -0.0
    assert len(same | {subject(zero).sha256}) == 1
    moved = X.astype(float)
    moved[7, 3] = np.nextafter(moved[7, 3], 999)
    others = [moved, X[::-1], X[:, ::-1], X[:-1], X.reshape(25, 10), X * 2]
    assert len({subject(other).sha256 for other in others} | same) == 7
    assert subject(X, scale=255.0).sha256 not in same


def test_a_spectrum_is_known_by_its_numbers_and_not_by_their_order():
    a, b = (subjects.of_spectrum([Fraction(x) for x in words]) for words in (["3", "1/2", "0"], ["0.0", "3", "0.5"]))
    assert a.sha256 == b.sha256 and a.spectrum == (3, Fraction(1, 2), 0) and a.n == 3
    assert subjects.of_spectrum([Fraction(3)]).sha256 != a.sha256


def test_rows_are_held_where_they_are_few(monkeypatch):
    X = np.random.default_rng(0).standard_normal((30, 4))
    assert np.array_equal(subject(X).rows, X)
    whole = subject(X)
    monkeypatch.setattr(subjects, "_KEPT", 100)
    assert subject(X).rows is None and subject(X).sha256 == whole.sha256


def test_what_has_no_covariance_is_refused(monkeypatch):
    for X, words in ((np.ones((1, 3)), "one row"), (np.ones((5, 3)), "constant"), ([[1.0, np.nan], [0, 1]], "missing")):
        with pytest.raises(InputError, match=words):
            subject(np.asarray(X))
    monkeypatch.setattr(subjects, "LARGEST_DIMENSION", 3)
    with pytest.raises(InputError, match="4 columns"):
        subject(np.eye(4))


def test_rows_that_change_while_they_are_read_are_refused():
    source = load_rows(np.random.default_rng(0).standard_normal((9, 3))).source()
    assert subjects.of_source(source, 9, 3).N == 9
    for N, n in ((8, 3), (9, 4)):
        with pytest.raises(InputError, match="changed"):
            subjects.of_source(source, N, n)
