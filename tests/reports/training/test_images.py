"""Images from the model's space back to the screen: what went in comes out, of every kind of preparation."""

import numpy as np
import pytest

from gpu.vae.architecture import Architecture, Layout
from gpu.vae.model import Ensemble
from gpu.vae.rows import TrainingRows
from reports.training.images import Images, through
from verify.data import load_rows

RAW = np.random.default_rng(0).integers(0, 256, (12, 5, 4, 3)).astype(np.uint8)
RAW[0, 0, 0], RAW[1, 0, 0] = 0, 255


def images(tmp_path, raw, **options):
    np.save(tmp_path / "x.npy", raw)
    return Images.of(TrainingRows(load_rows(str(tmp_path / "x.npy"), **options)))


@pytest.mark.parametrize("options", [{}, {"scale": 255}, {"logit": 0.05}, {"logit": 1e-6}, {"dequantise": True}])
def test_what_a_model_sees_comes_back_as_the_image_it_was(tmp_path, options):
    """To a grey level: the noise of dequantisation, at most half of one, is rounded."""
    of, which = images(tmp_path, RAW, **options), [3, 0, 7]
    assert np.array_equal(of.originals(which), RAW[which])
    shown = of.shown(of.seen(which)).astype(int)
    assert np.abs(shown - RAW[which]).max() <= 1
    assert np.abs(shown - RAW[[0, 3, 7]]).max() > 100  # control: another order is another picture


def test_standardized_images_and_those_far_from_zero_come_back(tmp_path):
    """Where a median was taken away it is put back: entries near 1e6 that vary by 255."""
    assert np.abs(images(tmp_path, RAW, standardize=True).shown(load(tmp_path, standardize=True)) - RAW).max() <= 1
    far = RAW[..., 0].astype(float) + 1e6
    of = images(tmp_path, far)
    assert of.rows.offset is not None and (of.low, of.high) == (far.min(), far.max())
    assert np.abs(of.shown(of.seen(range(12))).astype(int) - of.originals(range(12))).max() <= 1


def load(tmp_path, **options):
    return TrainingRows(load_rows(str(tmp_path / "x.npy"), **options)).array(0)


def test_channels_that_come_first_are_shown_last(tmp_path):
    raw = np.moveaxis(RAW[:, :4], -1, 1)
    of = images(tmp_path, raw)
    assert of.channels_first and np.array_equal(of.originals([2, 5]), RAW[[2, 5], :4])
    assert np.abs(of.shown(of.seen([2])).astype(int) - RAW[[2], :4]).max() <= 1


def test_the_range_of_real_numbers_is_from_black_to_white_and_the_rest_is_cut(tmp_path):
    raw = np.random.default_rng(1).uniform(-2, 3, (9, 4, 4))
    of = images(tmp_path, raw)
    shown = of.originals(range(9))
    assert shown.min() == 0 and shown.max() == 255
    beyond = of.shown(np.array([[-50.0] * 8 + [50.0] * 8]))
    assert (beyond.ravel()[:8] == 0).all() and (beyond.ravel()[8:] == 255).all()


def test_rows_that_are_no_images_are_none_and_digits_are():
    assert Images.of(TrainingRows(load_rows("wine"))) is None
    digits = Images.of(TrainingRows(load_rows("digits", scale=16, logit=1e-3)))
    assert digits.shape == (8, 8, 1) and digits.high == 16
    assert digits.originals([0]).max() > 200  # 15 or 16 of 16 levels


def test_images_are_drawn_once_each_by_the_seed(tmp_path):
    of = images(tmp_path, RAW)
    few, many = of.drawn(4, 7), of.drawn(100, 7)
    assert many[:4] == few and sorted(many) == list(range(12)) and of.drawn(4, 8) != few
    assert of.numbers([3, 0]) == [4, 1]


def test_through_is_encoded_and_decoded_from_the_mean():
    architecture = Architecture("mlp", 6, 2, (5,))
    model = Ensemble(architecture, Layout(architecture).initial([3], [1.0], np.float64), np.array([False]))
    x = np.random.default_rng(0).normal(size=(4, 6))
    mean, log_variance, y = through(model, x)
    through(model, x + 1)  # what was handed out is not overwritten
    expected, expected_log = (half[0].copy() for half in model.encode(x[None]))
    np.testing.assert_array_equal(mean, expected)
    np.testing.assert_array_equal(log_variance, expected_log)
    np.testing.assert_array_equal(y, model.decode(mean[None])[0])
