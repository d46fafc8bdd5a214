"""The noise above which every decoder collapses: known answers, witnesses that check, hostile rows."""

import math

import numpy as np
import pytest

from verify.data import load, load_rows
from verify.data.covariance import covariance
from verify.errors import InputError
from verify.landscape.any_decoder import SEARCHED, Witness, lower_bound, proxy, upper_bound


def two_valued(part, N=1000):
    return (np.arange(N) < part * N).astype(float)[:, None]


@pytest.mark.parametrize("p", [0.001, 0.03, 0.3, 0.499, 0.8])
def test_two_valued_data_have_a_closed_form(p):
    y = two_valued(p)
    expected = (1 - 2 * p) / (2 * math.log((1 - p) / p))
    found = lower_bound(y)
    assert found.value == pytest.approx(expected, rel=1e-9) and not found.limit
    assert found.check(y) == pytest.approx(found.value, rel=1e-12)
    assert found.upper == pytest.approx(expected, rel=1e-8)  # such data reach the bound
    assert found.lam_1 == pytest.approx(p * (1 - p), rel=1e-12) and found.lam_1 < found.value


def test_of_symmetric_data_the_limit_is_all():
    y = np.random.default_rng(7).choice([-1.0, 1.0], size=(400, 1)) * np.array([[2.0, 1.0]])
    y = np.concatenate([y, -y])
    found = lower_bound(y)
    assert found.limit and found.value == found.lam_1 == pytest.approx(5.0, rel=1e-12)
    assert found.check(y) == pytest.approx(5.0, rel=1e-12) and found.upper == pytest.approx(5.0, rel=1e-9)
    assert abs(found.t @ [2.0, 1.0]) == pytest.approx(math.sqrt(5), rel=1e-12)
    assert found.data == 800


def test_the_bundled_tables():
    """What an ascent of our own, written before this one, found: theory 6.2."""
    for name, lam_1, value in (("iris", 4.200, 4.246), ("wine", 98644, 117339), ("digits", 178.9, 191.9)):
        rows = load_rows(name)
        found = lower_bound(rows.blocks)
        assert found.lam_1 == pytest.approx(lam_1, rel=3e-4) and found.value == pytest.approx(value, rel=3e-4)
        assert found.check(rows.array()) == pytest.approx(found.value, rel=1e-12)
        assert found.value < found.upper
        known = lower_bound(rows.array(), load(name))
        assert known.value == pytest.approx(found.value, rel=1e-9)
    assert 300 < found.upper < 460  # digits: below the bound of theory 6.2


def test_how_many_data_carry_it():
    y = load_rows("digits").array()
    found = lower_bound(y)
    p = np.exp((y - y.mean(axis=0)) @ found.t)
    assert found.data == pytest.approx(p.sum() ** 2 / (p @ p), rel=1e-9) and 1 < found.data < len(y)


@pytest.mark.parametrize("scale", [1e-140, 1e-9, 1e9, 1e140])
def test_scales_change_nothing_else(scale):
    y = np.random.default_rng(8).exponential(size=(80, 3))
    one, other = lower_bound(y), lower_bound(y * scale)
    assert other.value / scale / scale == pytest.approx(one.value, rel=1e-9)
    assert other.check(y * scale) == pytest.approx(other.value, rel=1e-9)
    assert other.upper / scale / scale == pytest.approx(one.upper, rel=1e-12)


def test_a_datum_that_the_sample_misses_is_found():
    N = 4 * SEARCHED
    y = np.random.default_rng(9).normal(size=(N, 2))
    y[N // 2] = [60.0, 0.0]
    found = lower_bound(y)
    # At t = y 2 log N/|y|^2 the quotient is all but |y|^2/(2 log N).
    assert found.value > 0.99 * 3600 / (2 * math.log(N)) > 10 * found.lam_1
    assert found.data < 1.01


def test_ties_zeros_and_few_rows():
    rng = np.random.default_rng(10)
    few = rng.exponential(size=(4, 30))
    repeated = np.repeat(rng.exponential(size=(5, 3)), [1, 2, 30, 1, 7], axis=0)
    zeros = np.concatenate([rng.exponential(size=(20, 2)), np.zeros((20, 3))], axis=1)
    for y in (few, repeated, zeros, np.array([[0.0, 0.0], [1.0, 1.0]])):
        found = lower_bound(y)
        assert found.lam_1 <= found.value <= found.upper * (1 + 1e-12)
        assert found.check(y) == pytest.approx(found.value, rel=1e-9)


def test_the_seed_fixes_it_and_more_starts_do_not_lower_it():
    y = np.random.default_rng(11).exponential(size=(6000, 4)) ** 2
    one, again, other = lower_bound(y), lower_bound(y), lower_bound(y, seed=1, random=40)
    assert one.value == again.value and (one.t == again.t).all()
    assert other.value == pytest.approx(one.value, rel=1e-6)
    blocks = lower_bound(lambda: (y[i : i + 999] for i in range(0, 6000, 999)))
    assert blocks.value == pytest.approx(one.value, rel=1e-9)


def test_the_proxy_at_all_lengths():
    y = np.random.default_rng(12).exponential(size=(50, 3)) + 100
    u = np.array([0.6, 0.0, 0.8])
    a = (y - y.mean(axis=0)) @ u
    for size in (1e-200, 1e-12, 1e-7):
        assert float(proxy(y, size * u)) == pytest.approx((a * a).mean() + size * (a**3).mean() / 3, rel=1e-11)
    assert float(proxy(y, 0.7 * u)) == pytest.approx(2 * np.log(np.exp(0.7 * a).mean()) / 0.49, rel=1e-12)
    # K grows as the largest a, so the quotient falls to 0.
    assert float(proxy(y, 1e8 * u)) == pytest.approx(2 * a.max() / 1e8, rel=1e-6)
    with pytest.raises(InputError, match="t = 0"):
        proxy(y, np.stack([u, 0 * u], axis=1))


def test_the_upper_bound_by_hand():
    assert upper_bound(1.0, 2.0) == pytest.approx(15 / (8 * math.log(4)), rel=1e-14)
    assert upper_bound(4.0, 2.0) == 4.0 and upper_bound(0.0, 0.0) == 0.0
    near = [upper_bound(1.0, math.sqrt(1 + x)) for x in (0.0, 1e-9, 1e-7, 1e-5, 1e-3)]
    # (1 + x - 1/(1 + x))/(2 log(1 + x)) = 1 + x^2/6 - ...
    assert near == pytest.approx([1, 1, 1, 1 + 1e-10 / 6, 1 + 1e-6 / 6], rel=1e-9)


def test_what_does_not_belong_together_is_refused():
    y = np.random.default_rng(13).exponential(size=(20, 3))
    found = lower_bound(y)
    with pytest.raises(InputError, match="rows have 2 columns"):
        found.check(y[:, :2])
    for other in (covariance(y[:10]), covariance(y[:, :2]), load("eigenvalues:3,2,1")):
        with pytest.raises(InputError, match="give the same rows"):
            lower_bound(y, other)
    for bad in (np.ones((5, 2)), np.array([[np.nan, 1.0], [0.0, 1.0]]), y[:1], np.zeros((0, 3))):
        with pytest.raises(InputError) as error:
            lower_bound(bad)
        assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="seed"):
        lower_bound(y, seed=-1)


def test_a_witness_of_other_rows_shows_less():
    y = np.random.default_rng(14).exponential(size=(40, 2))
    found = lower_bound(y)
    assert found.check(-y) < found.value
    wrong = Witness(2 * found.value, found.t, False, found.lam_1, found.largest, found.data)
    assert wrong.check(y) == pytest.approx(found.value, rel=1e-12)  # whatever it says of itself
