"""Log means of exponentials: to rounding at every size, and the same whole, held or in blocks."""

import mpmath
import numpy as np
import pytest

from verify.errors import InputError
from verify.landscape import log_means
from verify.landscape.log_means import Centred, length, log_mean_exp, remainder


def exact(a):
    """log mean exp(a - mean a) with 60 digits."""
    with mpmath.workdps(60):
        values = [mpmath.mpf(float(one)) for one in a]
        mean = mpmath.fsum(values) / len(values)
        return mpmath.log(mpmath.fsum(mpmath.exp(one - mean) for one in values) / len(values))


def test_the_remainder_keeps_its_digits():
    a = np.concatenate([s * 10.0 ** np.linspace(-12, 2, 57) for s in (1, -1)] + [[0.5, -0.5, 0.4999, -0.4999]])
    with mpmath.workdps(60):
        expected = [float(mpmath.exp(mpmath.mpf(x)) - 1 - mpmath.mpf(x)) for x in a]
    # Rounding of e^a - 1 - a where it is largest against its result, at |a| = 1/2: some ulps.
    assert remainder(a) == pytest.approx(expected, rel=4e-15)
    assert remainder(np.zeros(2)).tolist() == [0.0, 0.0] and remainder(np.array(0.25)).shape == ()
    assert abs(np.expm1(1e-12) - 1e-12 - 5e-25) > 1e-29  # the naive form has lost them


@pytest.mark.parametrize("size", [1e-9, 1e-4, 1.0, 30.0, 599.0, 601.0, 5000.0])
def test_the_log_mean_is_exact_at_every_size(size):
    a = np.random.default_rng(0).exponential(size=(9, 2))
    a -= a.mean(axis=0)
    a *= size / a.max(axis=0)
    a -= a.mean(axis=0)
    # What is left of the mean of a is an ulp of its entries, and counts beside the result a^2 by 1/size of an ulp.
    found = log_mean_exp(a)
    assert found == pytest.approx([float(exact(column)) for column in a.T], rel=1e-14)


def test_lengths_do_not_overflow():
    t = np.array([[3e200, 3e-200, 0.0], [4e200, -4e-200, 0.0]])
    assert length(t) == pytest.approx([5e200, 5e-200, 0.0], rel=1e-15)
    assert length(np.array([3.0, 4.0])) == 5.0


def rows(N=23, n=4):
    return np.random.default_rng(1).exponential(size=(N, n)) + 7.0


def naive(y, t):
    K = np.log(np.exp(y @ t).mean(axis=0))
    return K, y.T @ np.exp(y @ t) / len(y) / np.exp(K)


def in_blocks(X):
    return lambda: (X[start : start + 5] for start in range(0, len(X), 5))


@pytest.mark.parametrize("held", [1 << 26, 0], ids=["held", "read again"])
def test_blocks_and_the_whole_give_the_definition(monkeypatch, held):
    monkeypatch.setattr(log_means, "_HELD", held)
    X = rows()
    y, t = (X - X.mean(axis=0)) / 2.0, np.random.default_rng(2).normal(size=(4, 3)) * [1e-5, 1, 20]
    for given in (X, in_blocks(X)):
        centred = Centred(given, 2.0)
        assert (centred.N, centred.n) == (23, 4)
        assert centred.mean == pytest.approx(X.mean(axis=0), rel=1e-15)
        for _ in range(2):
            assert np.concatenate(list(centred)) == pytest.approx(y, abs=1e-14)
            K, m = centred.moments(t)
            # The naive sum of exponentials near 1 loses ten digits of K at |t| = 1e-5.
            assert K[1:] == pytest.approx(naive(y, t)[0][1:], rel=1e-13)
            assert K[0] == pytest.approx(((y @ t[:, 0]) ** 2).mean() / 2, rel=1e-4)
            assert m == pytest.approx(naive(y, t)[1], abs=1e-13)
        assert centred.projections(t[:, 1]) == pytest.approx(y @ t[:, 1], abs=1e-13)


def test_far_out_the_largest_rules_the_moments():
    X = np.array([[0.0], [1.0], [2.0], [5.0]])
    K, m = Centred(X).moments(np.array([[1000.0, 30.0]]))
    assert K.tolist() == pytest.approx([3000 - np.log(4), naive(X - 2, np.array([[30.0]]))[0][0]], rel=1e-14)
    assert m[0] == pytest.approx([3.0, 3.0], rel=1e-12)
    turned = Centred(lambda: iter([X[::-1][:1], X[:3]])).moments(np.array([[1000.0]]))  # the largest comes first
    assert turned[0][0] == K[0] and turned[1][0, 0] == 3.0


def test_a_common_offset_costs_no_digits():
    X = rows()
    far = Centred(X + 2.0**40)
    assert np.concatenate(list(far)) == pytest.approx((X + 2.0**40) - 2.0**40 - X.mean(axis=0), abs=1e-3)
    assert abs(np.concatenate(list(far)).mean(axis=0)).max() < 1e-3


def test_a_large_array_is_cut(monkeypatch):
    monkeypatch.setattr(log_means, "_BLOCK", 4 * 70)
    X = rows(150)
    assert [len(block) for block in Centred(X)] == [70, 70, 10]
    assert np.concatenate(list(Centred(X))) == pytest.approx(X - X.mean(axis=0), abs=1e-14)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.array([[0.0, np.nan], [1.0, 1.0]]), "row 1, column 2"),
        (np.zeros(3), "."),
        (np.zeros((0, 2)), "empty"),
        (lambda: iter([np.zeros((2, 2)), np.zeros((2, 3))]), "row 3 has 3 columns"),
    ],
    ids=["nan", "a vector", "empty", "widths"],
)
def test_what_are_no_rows_is_said_in_a_line(given, said):
    with pytest.raises(InputError, match=said) as error:
        Centred(given)
    assert "\n" not in str(error.value)


def test_a_vector_of_other_rows_is_refused():
    with pytest.raises(InputError, match=r"shape \(3,\), but the rows have 4 columns"):
        Centred(rows()).projections(np.ones(3))
