"""Scaling, dequantisation and the logit, against their definitions."""

import math
import tracemalloc

import numpy as np
import pytest

from verify.data.entries import BLOCK_ENTRIES
from verify.data.preprocess import Preprocessing, Standard, logit
from verify.data.rows import Rows
from verify.errors import InputError

EPS = np.finfo(float).eps


def grey(seed=0, N=50, n=6, top=255):
    return np.random.default_rng(seed).integers(0, top + 1, (N, n)).astype(np.uint8)


def rows(raw, **options):
    return Rows(raw, Preprocessing(**options), {"notes": []})


def test_without_options_nothing_happens():
    raw = grey()
    assert np.array_equal(rows(raw).array(), raw)
    assert rows(raw).mean_log_jacobian() == 0 == Preprocessing().log_scale_jacobian(6)


def test_scale_divides():
    raw = grey()
    assert np.array_equal(rows(raw, scale=255).array(), raw / 255)
    assert Preprocessing(scale=255).log_scale_jacobian(6) == pytest.approx(-6 * math.log(255), rel=EPS)


@pytest.mark.parametrize("alpha", [0.05, 1e-6])
def test_logit_is_the_inverse_of_the_sigmoid_and_its_jacobian_the_slope(alpha):
    x = np.random.default_rng(1).random((20, 3))
    y, log_jacobian = logit(x, alpha)
    back = (1 / (1 + np.exp(-y)) - alpha) / (1 - 2 * alpha)
    assert np.allclose(back, x, rtol=0, atol=1e-14)
    # Central differences with step 1e-6 x: relative error about 1e-9 in each slope.
    step = 1e-6 * np.minimum(x, 1 - x)
    slopes = (logit(x + step, alpha)[0] - logit(x - step, alpha)[0]) / (2 * step)
    assert np.allclose(log_jacobian, np.log(slopes).sum(axis=1), rtol=0, atol=1e-7)
    # Control: the sign the other way round is noticed.
    assert not np.allclose(-log_jacobian, np.log(slopes).sum(axis=1), rtol=0, atol=1e-1)


def test_logit_is_finite_and_odd_at_the_ends():
    y, log_jacobian = logit(np.array([[0.0, 1.0]]), 1e-30)
    assert y[0, 0] == -y[0, 1] == pytest.approx(math.log(1e-30))
    assert np.isfinite(log_jacobian).all()


def test_dequantised_values_lie_in_their_grey_level():
    raw = grey(top=16)
    y = rows(raw, scale=16, alpha=1e-3, seed=3).array()
    x = (1 / (1 + np.exp(-y)) - 1e-3) / (1 - 2e-3)
    assert np.array_equal(np.floor(x * 17), raw)  # no level is hit at its very edge with this seed
    assert Preprocessing(alpha=1e-3).levels == 256 == Preprocessing(scale=255, alpha=1e-3).levels


def test_dequantisation_alone_spreads_each_grey_value_over_its_level():
    raw = grey()
    p = Preprocessing(seed=5, dequantise=True)
    y = Rows(raw, p, {}).array()
    noise = np.random.default_rng(np.random.SeedSequence(5, spawn_key=(1,))).random(raw.shape)
    assert np.array_equal(y, (raw + noise) / 256)
    assert np.array_equal(np.floor(y * 256), raw) and y.min() >= 0 and y.max() < 1
    assert p.log_scale_jacobian(6) == pytest.approx(-6 * math.log(256), rel=EPS)
    assert p.facts() == {"levels": 256, "dequantised": True}
    assert rows(raw, dequantise=True).mean_log_jacobian() == 0
    assert np.array_equal(np.floor(rows(grey(top=16), scale=16, dequantise=True).array() * 17), grey(top=16))


def test_the_logit_dequantises_anyway():
    assert Preprocessing(alpha=1e-3, dequantise=True).facts() == Preprocessing(alpha=1e-3).facts()
    assert np.array_equal(rows(grey(), alpha=1e-3, dequantise=True).array(), rows(grey(), alpha=1e-3).array())


@pytest.mark.parametrize("options", [{"alpha": 1e-3}, {"dequantise": True}])
def test_each_noise_seed_is_another_draw(options):
    r = rows(grey(N=101), seed=7, **options)
    draws = [r.float32_array(noise_seed) for noise_seed in (None, 0, 1)]
    for draw, noise_seed in zip(draws, (None, 0, 1), strict=True):
        assert draw.dtype == np.float32
        blocks = [y for y, _ in r.blocks_with_jacobian(7, noise_seed)]
        assert np.array_equal(draw, np.vstack(blocks).astype(np.float32))
        jacobian = np.concatenate([j for _, j in r.blocks_with_jacobian(13, noise_seed)]).mean()
        assert r.mean_log_jacobian(noise_seed) == pytest.approx(jacobian, rel=1e-13, abs=0)
    assert np.array_equal(draws[0], r.array().astype(np.float32))
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert (draws[a] != draws[b]).mean() > 0.99
    if r.preprocessing.alpha:
        assert len({r.mean_log_jacobian(s) for s in (None, 0, 1)}) == 3
    with pytest.raises(InputError, match="seed = -1"):
        r.float32_array(-1)


def test_a_float32_array_needs_no_float64_one_beside_it():
    raw = np.broadcast_to(np.arange(256, dtype=np.uint8), (40000, 256))
    r = rows(raw, scale=255)
    blocks = 5 * 8 * BLOCK_ENTRIES  # a few float64 temporaries of one block
    assert blocks < 8 * raw.size / 1.5  # control: a float64 array of all the rows would not fit in there
    tracemalloc.start()
    whole = r.float32_array()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < whole.nbytes + blocks


@pytest.mark.parametrize("value", [1e16, 1e100, 1e-16, 1e-100])
def test_what_single_precision_cannot_hold_is_refused(value):
    with pytest.raises(InputError, match=r"single precision; bring the data to a size near 1$"):
        rows(np.full((3, 2), value)).float32_array()


def test_log_jacobian_recorded_is_the_mean_over_rows():
    raw = grey()
    r = rows(raw, alpha=1e-2, seed=5)
    x = (raw + np.random.default_rng(np.random.SeedSequence(5, spawn_key=(1,))).random(raw.shape)) / 256
    p = 1e-2 + (1 - 2e-2) * x
    expected = np.log((1 - 2e-2) / (p * (1 - p))).sum(axis=1).mean()
    assert r.mean_log_jacobian() == pytest.approx(expected, rel=1e-13)
    assert r.covariance().provenance["mean_log_jacobian"] == pytest.approx(expected, rel=1e-13)


def test_noise_depends_on_the_seed_and_not_on_the_blocks():
    raw = grey(N=101)
    r = rows(raw, alpha=1e-6, seed=1)
    whole = r.array()
    for size in (1, 7, 101, 500):
        assert np.array_equal(np.vstack(list(r.blocks(size))), whole)
    assert np.array_equal(r.array(), whole)
    assert not np.array_equal(rows(raw, alpha=1e-6, seed=2).array(), whole)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scale": 0}, "scale = 0"),
        ({"scale": -255}, "scale = -255"),
        ({"scale": float("nan")}, "scale = nan"),
        ({"scale": float("inf")}, "scale = inf"),
        ({"scale": "255"}, "scale = '255': not a number"),
        ({"alpha": 0}, "strictly between 0 and 0.5"),
        ({"alpha": 0.5}, "strictly between 0 and 0.5"),
        ({"alpha": float("nan")}, "strictly between 0 and 0.5"),
        ({"alpha": True}, "not a number"),
        ({"alpha": 1e-6, "scale": 254.5}, "largest grey value"),
        ({"alpha": 1e-6, "scale": 1e12}, "largest grey value"),
        ({"dequantise": True, "scale": 0.5}, "for dequantisation it is the largest grey value"),
        ({"seed": -1}, "seed = -1"),
        ({"seed": 1.5}, "seed = 1.5"),
    ],
)
def test_bad_options_are_refused_in_one_line(options, words):
    with pytest.raises(InputError) as refusal:
        Preprocessing(**options)
    assert words in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize("value", [0.5, -1.0, 256.0])
def test_logit_refuses_what_is_no_grey_value(value):
    raw = grey(N=10).astype(float)
    raw[8, 4] = value
    with pytest.raises(InputError, match=r"at row 9, column 5 is not a whole number from 0 to 255[^\n]*$"):
        list(rows(raw, alpha=1e-6).blocks(3))


@pytest.mark.parametrize(("value", "scale"), [(np.nan, 1.0), (np.inf, 1.0), (1.0, 1e-200), (1.0, 1e-320)])
def test_entries_that_are_no_usable_numbers_are_refused_before_and_after_scaling(value, scale):
    raw = np.zeros((10, 3))
    raw[6, 1] = value
    with pytest.raises(InputError, match=r"at row 7, column 2[^\n]*$"):
        rows(raw, scale=scale).array()


UNDONE = {
    "nothing": {},
    "scale": {"scale": 16},
    "dequantised": {"dequantise": True},
    "logit": {"alpha": 1e-6},
    "logit of 17 levels": {"scale": 16, "alpha": 0.05},
}


@pytest.mark.parametrize("name", UNDONE)
def test_what_was_prepared_comes_back(name):
    """Exactly but for rounding, 1e-9 of a grey level; dequantised values with the noise that they were given."""
    p, raw = Preprocessing(**UNDONE[name]), grey(top=16).astype(float)
    y, _ = p.apply(raw, p.generator())
    noise = p.generator().random(raw.shape) if p.dequantised else 0.0
    assert np.allclose(p.undo(y), raw + noise, rtol=0, atol=1e-9)
    # Control: another preparation is not undone by this one.
    other = Preprocessing(scale=3.0)
    assert not np.allclose(other.undo(y), raw + noise, rtol=0, atol=0.5)


def test_standardized_columns_come_back():
    raw = np.random.default_rng(0).normal(5, 2, (9, 3))
    p = Preprocessing(standard=Standard(raw.mean(axis=0), raw.std(axis=0)))
    y, _ = p.apply(raw, p.generator())
    assert np.allclose(p.undo(y), raw, rtol=1e-13) and not np.allclose(y, raw, rtol=1e-2)


def test_what_no_grey_value_makes_is_undone_without_overflow_or_a_cut():
    beyond = Preprocessing(alpha=0.05).undo(np.array([[-1e4, 1e4]]))
    assert beyond[0, 0] == pytest.approx(-256 * 0.05 / 0.9) and beyond[0, 1] == pytest.approx(256 * 0.95 / 0.9)
