"""Pictures decoded again, and packed numbers against what they stand for."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from reports.stability_page.pixels import DIVERGING, packed, png, sprite, unpacked


def decoded(content):
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "PNG" and image.info == {}
        return np.asarray(image)


GREY = np.arange(6.0)


def test_grey_images_are_drawn_row_by_row():
    drawn = decoded(png(GREY, [2, 3, 1], 0.0, 5.0))
    assert np.array_equal(drawn, [[0, 51, 102], [153, 204, 255]])
    assert decoded(png(GREY, [3, 2, 1], 0.0, 5.0)).shape == (3, 2)  # control: height and width swapped
    assert np.array_equal(decoded(png(GREY, [2, 3, 1], 1.0, 4.0)), [[0, 0, 85], [170, 255, 255]])


def test_colour_images_have_their_channels_last():
    values = np.arange(18.0)
    drawn = decoded(png(values, [2, 3, 3], 0.0, 17.0))
    assert np.array_equal(drawn, 15 * values.reshape(2, 3, 3))
    assert not np.array_equal(drawn, 15 * values.reshape(3, 2, 3).swapaxes(0, 1))  # control


def test_signs_have_colours_and_zero_has_none():
    drawn = decoded(png(np.array([-2.0, -1.0, 0.0, 1.0, 2.0, 9.0]), [1, 6, 1], 0.0, 2.0, symmetric=True))[0]
    blue, white, vermillion = DIVERGING
    assert np.array_equal(drawn[[0, 2, 4, 5]], [blue, white, vermillion, vermillion])
    assert np.abs(drawn[1] - (blue + white) / 2).max() <= 0.5
    # Equally light at both ends: relative luminance, within a tenth.
    light = [np.array([0.2126, 0.7152, 0.0722]) @ (end / 255) ** 2.2 for end in (blue, vermillion)]
    assert 0.5 < light[0] / light[1] < 2 and max(light) < 0.25
    channels = decoded(png(np.array([-1.0, 0.0, 1.0]), [1, 1, 3], 0.0, 1.0, symmetric=True))
    assert np.array_equal(channels, [[[0, 128, 255]]])


def test_a_range_of_nothing_is_middle_grey():
    assert np.array_equal(decoded(png(np.full(4, 7.0), [2, 2, 1], 7.0, 7.0)), np.full((2, 2), 128))


@pytest.mark.parametrize(("image", "shape"), [([2, 3, 1], (6, 6)), ([3, 2, 1], (9, 4)), ([1, 2, 3], (3, 4, 3))])
def test_a_sprite_holds_each_image_in_its_own_range(image, shape):
    r, across = 5, 2
    values = np.random.default_rng(0).random((r, 6)) * np.array([1, 10, 100, 3, 7])[:, None]
    sheet = decoded(sprite(values, image, 0.0, values.max(axis=1), across))
    height, width, _ = image
    assert sheet.shape == shape
    for i in range(r):
        top, left = i // across * height, i % across * width
        tile = sheet[top : top + height, left : left + width]
        assert np.array_equal(tile, decoded(png(values[i], image, 0.0, values[i].max())))
    assert (sheet[-height:, width:] == 255).all()
    wrong = sheet[:height, width : 2 * width]
    assert not np.array_equal(wrong, decoded(png(values[0], image, 0.0, values[0].max())))  # control: the next tile


def test_pictures_are_the_same_bytes_each_time():
    values = np.random.default_rng(0).random((3, 64))
    assert sprite(values, [8, 8, 1], 0, 1, 3) == sprite(values.copy(), [8, 8, 1], 0, 1, 3)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("scale", [1e-140, 1.0, 1e140])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_packed_values_are_within_half_a_step(bits, scale, offset):
    x = (np.random.default_rng(bits).standard_normal((7, 30)) + offset) * scale
    document = packed(x, bits)
    assert json.loads(json.dumps(document)) == document and document["shape"] == [7, 30]
    assert document["step"] == pytest.approx((x.max() - x.min()) / (2**bits - 1), rel=1e-12)
    error = np.abs(unpacked(document) - x).max()
    slack = 4 * np.finfo(float).eps * np.abs(x).max()
    assert error <= document["step"] / 2 + slack
    assert error > document["step"] / 4  # control: a bound half as large does not hold
    assert len(document["data"]) == -(-x.size * bits // 8 // 3) * 4


def test_constant_and_empty_arrays_can_be_packed():
    assert np.array_equal(unpacked(packed(np.full((2, 3), -4.5))), np.full((2, 3), -4.5))
    assert unpacked(packed(np.empty((0, 3)))).shape == (0, 3)
    with pytest.raises(ValueError, match="8 or 16"):
        packed(GREY, 12)


def test_codes_are_little_endian_from_low_to_high():
    import base64

    codes = base64.b64decode(packed(np.array([0.0, 1.0, 65535.0]))["data"])
    assert codes == bytes([0, 0, 1, 0, 255, 255])
