"""Rows as training data: what every epoch holds, the constants that belong to it, and the fingerprint of it all."""

import hashlib
import json

import numpy as np
import pytest

from gpu.vae.rows import TrainingRows
from verify.data import load_rows

ALPHA = 0.01


@pytest.fixture
def grey(tmp_path):
    """A file of grey values 0..255 (20, 3)."""
    X = np.random.default_rng(0).integers(0, 256, (20, 3))
    np.save(tmp_path / "grey.npy", X)
    return X, str(tmp_path / "grey.npy")


def rows(grey, **options):
    return load_rows(grey[1], **({"logit": ALPHA} | options))


def unit(y):
    """The transform undone: x in [0, 1)."""
    return (1 / (1 + np.exp(-y.astype(np.float64))) - ALPHA) / (1 - 2 * ALPHA)


def test_epochs_are_the_same_unless_redrawn(grey):
    data = TrainingRows(rows(grey))
    assert not data.redrawn
    np.testing.assert_array_equal(data.array(0), rows(grey).array().astype(np.float32))
    np.testing.assert_array_equal(data.array(3), data.array(0))
    assert data.array(0).dtype == np.float32


def test_redrawn_epochs_are_the_same_grey_values_with_other_noise(grey):
    data, again = (TrainingRows(rows(grey), redrawn=True) for _ in range(2))
    first, second, third = (data.array(epoch).copy() for epoch in range(3))
    np.testing.assert_array_equal(first, rows(grey).array().astype(np.float32))  # what models are evaluated on
    np.testing.assert_array_equal(third, again.array(2))
    for y in (first, second, third):
        # float32 puts a value within about 1e-5 grey levels of a whole number: none is that near with this seed.
        np.testing.assert_array_equal(np.floor(256 * unit(y)), grey[0])
    noise = [256 * unit(y) - grey[0] for y in (first, second, third)]
    assert all(abs(np.corrcoef(noise[i].ravel(), noise[j].ravel())[0, 1]) < 0.4 for i, j in [(0, 1), (0, 2), (1, 2)])


def test_what_is_not_dequantised_cannot_be_redrawn(grey):
    data = TrainingRows(rows(grey, logit=None, scale=255), redrawn=True)
    assert not data.redrawn
    np.testing.assert_allclose(data.array(5), grey[0] / 255, rtol=1e-6)  # float32


def test_the_constant_is_the_jacobian_of_what_was_done(grey):
    """Differences of the transform at the dequantised values, pixel by pixel, in grey levels."""
    data = TrainingRows(rows(grey))
    levels = 256 * unit(rows(grey).array())

    def forward(level):
        p = ALPHA + (1 - 2 * ALPHA) * level / 256
        return np.log(p / (1 - p))

    h = 1e-4
    slopes = (forward(levels + h) - forward(levels - h)) / (2 * h)
    # The third derivative limits the difference to about 1e-7 of the slope; 3 logarithms are summed.
    np.testing.assert_allclose(data.raw_scale_constant, np.log(slopes).sum(axis=1).mean(), atol=1e-6)
    assert data.log_scale_jacobian == pytest.approx(-3 * np.log(256), rel=1e-15)
    assert data.raw_scale_constant != pytest.approx(data.mean_log_jacobian)


def test_the_fingerprint_tells_all_trainings_apart(grey, tmp_path):
    other = grey[0].copy()
    other[0, 0] = (other[0, 0] + 1) % 256
    np.save(tmp_path / "other.npy", other)
    variants = [
        TrainingRows(rows(grey)),
        TrainingRows(rows(grey), redrawn=True),
        TrainingRows(rows(grey, seed=1)),
        TrainingRows(rows(grey, logit=0.02)),
        TrainingRows(rows(grey, logit=None)),
        TrainingRows(load_rows(str(tmp_path / "other.npy"), logit=ALPHA)),
    ]
    assert len({data.fingerprint for data in variants}) == len(variants)
    assert TrainingRows(rows(grey)).fingerprint == variants[0].fingerprint


def test_rows_far_from_zero_are_less_their_median_in_every_epoch(tmp_path):
    X = np.random.default_rng(1).normal(size=(40, 3))
    np.save(tmp_path / "near.npy", X)
    np.save(tmp_path / "far.npy", X + np.array([0, 1e8, 0]))
    near, far = (TrainingRows(load_rows(str(tmp_path / f"{name}.npy"))) for name in ("near", "far"))
    assert near.offset is None and (far.offset != 0).tolist() == [False, True, False]
    taken = far.array(0).astype(np.float64) + far.offset - (X + np.array([0, 1e8, 0]))
    assert np.abs(taken).max() < 1e-6  # float32 of what is left, not of 1e8, which errs by 4
    np.testing.assert_array_equal(far.array(7), far.array(0))


def test_redrawn_epochs_have_the_offset_of_the_first(tmp_path):
    """Grey values in the alpha of a logit so near 1/2 that all of them are far from 0 there."""
    np.save(tmp_path / "grey.npy", np.full((20, 2), [[3, 250]]) + np.arange(20)[:, None] % 2)
    near = TrainingRows(load_rows(str(tmp_path / "grey.npy"), logit=0.49), redrawn=True)
    first, other = near.array(0).copy(), near.array(1)
    assert near.offset is None and not np.array_equal(first, other)
    near.survey.__dict__["offset"] = np.array([5.0, -3.0])  # as if they were
    near._held = None
    np.testing.assert_allclose(near.array(1), other - near.offset, atol=1e-6)
    np.testing.assert_allclose(near.array(0), first - near.offset, atol=1e-6)


def test_centred_rows_are_another_training_and_others_are_the_one_they_were(grey):
    data, centred = TrainingRows(rows(grey)), TrainingRows(rows(grey))
    centred.survey.__dict__["offset"] = np.array([1.0, 0.0, 0.0])
    facts = data.rows.provenance
    told = {name: facts.get(name) for name in ("kind", "sha256", "rows", "shape", "preprocessing", "seed")}
    as_before = hashlib.sha256(json.dumps([told, False], sort_keys=True).encode()).hexdigest()
    assert data.fingerprint == as_before  # checkpoints of rows that are not centred go on
    assert centred.fingerprint != as_before
