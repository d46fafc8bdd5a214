"""An array of any rank and type as rows, or the reason why it is none; stacks of images are flattened.

Notation   N rows of n values; h x w pixels, c channels.
Main       of_array, counting_axis, checked_type.

    (N, n)                       rows, as they are
    (N, h, w)                    images in grey
    (N, h, w, c), (N, c, h, w)   images of 1, 3 or 4 channels, last or first (4 are not drawn); values stay in order
    (N, ...)                     rows of as many values as one entry has
"""

import math
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.data.files import columns
from verify.data.files.found import Asked, Found
from verify.data.files.lazy import Lazy, flattened
from verify.data.files.tables import of_fields
from verify.errors import InputError

CHANNELS_FIRST = "channels first"  # the order of an image's values, where it is not height, width, channels
_CHANNELS = (1, 3, 4)
_DRAWN = (1, 3)
_LONGER = 4  # an axis than all others, where it rather counts the data
_SMALLEST = 4  # pixels: what is narrower are a few numbers side by side, no image
_NOT_NUMBERS = {
    "c": "give real ones, for instance real and imaginary parts side by side",
    "U": "turn words into numbers first, with astype(float) where they are numbers in quotes",
    "S": "turn words into numbers first, with astype(float) where they are numbers in quotes",
    "T": "turn words into numbers first, with astype(float) where they are numbers in quotes",
    "M": "dates are numbers once a first day and a unit are chosen",
    "m": "durations are numbers once a unit is chosen",
    "O": "Python objects (a pickle) are never loaded, save numbers instead",
    "V": "raw bytes say nothing, and bfloat16 is float32 to NumPy: convert it before it is saved",
}


def of_array(array: Any, asked: Asked, names: tuple[str, ...] = ()) -> Found:
    """The rows of an array, or of anything with shape and dtype that slices by rows.  Nothing is copied.

    names: of the columns of a matrix, or empty.  Raises InputError: no real numbers, fewer than two axes, no such
    column.
    """
    if array.dtype.names:
        return of_fields(array, asked)
    checked_type(array.dtype)
    shape = tuple(int(length) for length in array.shape)
    if len(shape) < 2:
        raise InputError(_too_flat(shape))
    said, doubts, facts = [], [], {}
    raw: Array = array if isinstance(array, (np.ndarray, Lazy)) and len(shape) == 2 else flattened(array)
    if len(shape) > 2:
        n = math.prod(shape[1:])
        sentence, image = _seen(shape, n)
        said.append(sentence)
        doubts += _order(shape)
        facts = {} if asked.columns or asked.drop else image
    raw, table = columns.of_matrix(raw, names, asked)
    return Found(raw, facts, tuple(said), tuple(doubts), table)


def checked_type(dtype: Any, what: str = "the values") -> None:
    """Raises InputError unless numbers of this type are real."""
    kind = np.dtype(dtype).kind
    if kind not in "biuf":
        raise InputError(f"{what} are of type {dtype}, not real numbers; {_NOT_NUMBERS[kind]}")


def shown(shape: tuple[int, ...]) -> str:
    """A shape in words: "60000 x 28 x 28"."""
    return " x ".join(map(str, shape)) if len(shape) > 1 else f"{shape[0]} values" if shape else "one value"


def counting_axis(shape: tuple[int, ...]) -> int | None:
    """The axis of more than two that counts the data, 0 or -1, None where neither clearly does.

    Clearly: one that is by far the longest, or the one beside images that are as high as they are wide; but what may be
    one picture in colour is none.
    """
    if shape[-1] > _LONGER * max(shape[:-1]):
        return -1
    if shape[0] > _LONGER * max(shape[1:]):
        return 0
    if len(shape) == 3 and (shape[0] in _CHANNELS or shape[2] in _CHANNELS):
        return None
    first = _square(shape[1:]) or (len(shape) == 4 and shape[1] in _CHANNELS and _square(shape[2:]))
    last = _square(shape[:-1]) or (len(shape) == 4 and shape[0] in _CHANNELS and _square(shape[1:-1]))
    return None if first == last else 0 if first else -1


def _square(image: tuple[int, ...]) -> bool:
    """Whether a shape is that of a square image, (h, w) or (h, w, c)."""
    height, width, channels = (*image, 1)[:3]
    return len(image) in (2, 3) and height == width >= _SMALLEST and channels in _CHANNELS


def _too_flat(shape: tuple[int, ...]) -> str:
    if not shape:
        return "shape (): one number; give a matrix with one row per datum"
    return (
        f"shape {shape}: a list of {shape[0]} numbers, no table; if each of them is a datum, give reshape(-1, 1), and "
        "a matrix with one row per datum otherwise"
    )


def _seen(shape: tuple[int, ...], n: int) -> tuple[str, dict[str, Any]]:
    """What an array of more than two axes was taken for, and facts of its images."""
    plain = f"an array of {shown(shape)} as {shape[0]} rows of {n} values"
    if len(shape) == 3 and min(shape[1:]) >= _SMALLEST:
        return f"images of {shape[1]} x {shape[2]} as rows of {n} values", {"image": [*shape[1:], 1]}
    if len(shape) != 4:
        return plain, {}
    last = shape[3] in _CHANNELS and min(shape[1:3]) >= _SMALLEST
    first = shape[1] in _CHANNELS and min(shape[2:]) >= _SMALLEST
    if not (first or last):
        return plain, {}
    # Both only where a picture is 4 pixels wide or high.
    height, width, channels = shape[1:] if last else (*shape[2:], shape[1])
    place = "last" if last else "first"
    what = "1 channel" if channels == 1 else f"{channels} channels, which come {place},"
    sentence = f"images of {height} x {width} with {what} as rows of {n} values"
    if first and last:
        sentence += f" (and not {shape[1]} channels of {shape[2]} x {shape[3]})"
    if channels not in _DRAWN:
        return f"{sentence}; images of {channels} channels are not drawn", {}
    order = {"image_order": CHANNELS_FIRST} if place == "first" and channels > 1 else {}
    return sentence, {"image": [height, width, channels], **order}


def _order(shape: tuple[int, ...]) -> list[str]:
    """Whether the first axis may not be the one that counts the data."""
    if counting_axis(shape) == -1:
        why = "is by far the longest" if shape[-1] > _LONGER * max(shape[:-1]) else "rather counts images"
        return [
            f"of {shown(shape)} the first axis was taken to count the data, and the last {why}: if that one does, use "
            "numpy.moveaxis(x, -1, 0)"
        ]
    if len(shape) == 3 and shape[2] in (3, 4) and min(shape[:2]) >= 16 and max(shape[:2]) <= 4 * min(shape[:2]):
        return [f"the array of {shown(shape)} looks like one picture in colour, whose lines were taken as the data"]
    return []
