"""Arrays of any rank and type as rows; images are flattened, which is said, and their values stay in order."""

import numpy as np
import pytest

from tests.verify.data.files.reading import read, refusal
from verify.data.files.found import Asked
from verify.data.files.lazy import Lazy
from verify.data.files.stacks import of_array
from verify.errors import InputError

GREY = ("images of 8 x 6 as rows of 48 values", [8, 6, 1], None)
IMAGES = [
    ((5, 8, 6), *GREY),
    ((5, 8, 6, 1), "images of 8 x 6 with 1 channel as rows of 48 values", [8, 6, 1], None),
    ((5, 1, 8, 6), "images of 8 x 6 with 1 channel as rows of 48 values", [8, 6, 1], None),
    ((5, 8, 6, 3), "images of 8 x 6 with 3 channels, which come last, as rows of 144 values", [8, 6, 3], None),
    ((5, 3, 8, 6), "images of 8 x 6 with 3 channels, which come first, as rows of 144", [8, 6, 3], "channels first"),
    ((5, 8, 6, 4), "4 channels, which come last, as rows of 192 values; images of 4 channels", None, None),
    ((5, 4, 8, 3), "images of 4 x 8 with 3 channels, which come last", [4, 8, 3], None),
    ((5, 4, 8, 4), "(and not 4 channels of 8 x 4)", None, None),
    ((5, 2, 8, 6), "an array of 5 x 2 x 8 x 6 as 5 rows of 96 values", None, None),
    ((5, 50, 3), "an array of 5 x 50 x 3 as 5 rows of 150 values", None, None),
    ((5, 1, 48), "an array of 5 x 1 x 48 as 5 rows of 48 values", None, None),
    ((5, 2, 3, 4, 2), "an array of 5 x 2 x 3 x 4 x 2 as 5 rows of 48 values", None, None),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "words", "image", "order"), IMAGES)
@pytest.mark.parametrize("layout", ["C", "F"])
def test_arrays_of_more_axes_are_flattened_and_said(tmp_path, shape, words, image, order, layout):
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8).copy(order=layout)
    np.save(tmp_path / "a.npy", array)
    found = read(tmp_path / "a.npy")
    flat = array.reshape(len(array), -1)
    assert found.raw.shape == flat.shape and found.raw.dtype == np.uint8
    assert np.array_equal(found.raw[:], flat) and np.array_equal(found.raw[1:4], flat[1:4])
    assert any(words in sentence for sentence in found.said)
    assert found.facts.get("image") == image and found.facts.get("image_order") == order


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_stack_is_not_copied(tmp_path, order):
    np.save(tmp_path / "a.npy", np.zeros((5, 8, 6), order=order))
    raw = read(tmp_path / "a.npy").raw
    assert isinstance(raw, np.memmap if order == "C" else Lazy)


def test_one_picture_in_colour_is_doubted():
    said = of_array(np.zeros((28, 32, 3)), Asked()).doubts
    assert len(said) == 1 and "looks like one picture in colour" in said[0]
    assert of_array(np.zeros((32, 32, 3)), Asked()).doubts[0].startswith("the array of 32 x 32 x 3 looks like one")
    assert of_array(np.zeros((900, 32, 3)), Asked()).doubts == ()
    assert of_array(np.zeros((28, 32, 32)), Asked()).doubts == ()


@pytest.mark.parametrize("shape", [(5, 4, 21), (28, 28, 20), (8, 8, 3, 60)])
def test_images_counted_by_the_last_axis_are_doubted(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.zeros(shape))
    for found in (read(tmp_path / "a.npy"), of_array(np.zeros(shape), Asked())):
        assert found.raw.shape[0] == shape[0] and len(found.doubts) == 1
        assert "the first axis was taken" in found.doubts[0] and "numpy.moveaxis(x, -1, 0)" in found.doubts[0]
    assert of_array(np.moveaxis(np.zeros(shape), -1, 0), Asked()).doubts == ()


@pytest.mark.parametrize("shape", [(5, 4, 20), (20, 28, 28), (32, 32, 32), (50, 32, 28), (6, 2, 2, 3)])
def test_the_first_axis_is_not_doubted_without_a_sign(shape):
    assert of_array(np.zeros(shape), Asked()).doubts == ()


def test_a_matrix_is_no_image():
    found = of_array(np.zeros((5, 784)), Asked())
    assert found.facts == {} and found.said == () and found.table is None


def test_chosen_columns_of_an_array(tmp_path):
    array = np.arange(20.0).reshape(4, 5)
    np.save(tmp_path / "a.npy", array)
    found = read(tmp_path / "a.npy", columns=("4", "1-2"))
    assert np.array_equal(found.raw[:], array[:, [3, 0, 1]]) and found.table.numbers == (4, 1, 2)
    assert np.array_equal(read(tmp_path / "a.npy", drop=("#2",)).raw[1:], array[1:, [0, 2, 3, 4]])
    assert "no such column; there are 5" in refusal(tmp_path / "a.npy", columns=("6",))
    np.save(tmp_path / "b.npy", array.reshape(1, 4, 5))
    assert "image" not in read(tmp_path / "b.npy", columns=("1",)).facts  # part of an image is none
    assert "image" in read(tmp_path / "b.npy").facts


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((3, 2), complex), "complex128, not real numbers; give real ones"),
        (np.zeros((3, 2), "U8"), "not real numbers; turn words into numbers"),
        (np.zeros((3, 2), "S8"), "not real numbers; turn words into numbers"),
        (np.zeros((3, 2), "M8[s]"), "not real numbers; dates"),
        (np.zeros((3, 2), "m8[s]"), "not real numbers; durations"),
        (np.zeros((3, 2), "V2"), "not real numbers; raw bytes"),
        (np.zeros((3, 2), object), "not real numbers; Python objects"),
        (np.zeros(4), "shape (4,): a list of 4 numbers"),
        (np.float64(1), "shape (): one number"),
    ],
)
def test_what_is_no_table_of_real_numbers_is_refused(array, words):
    with pytest.raises(InputError) as caught:
        of_array(array, Asked())
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_records_are_a_table():
    kind = [("a", "i4"), ("w", "U3"), ("b", ">f4"), ("c", "c8"), ("d", "M8[D]"), ("e", "f8", 2)]
    records = np.zeros(3, kind)
    records["a"], records["b"], records["w"] = [1, 2, 3], [0.5, 1.5, 2.5], "abc"
    found = of_array(records, Asked())
    assert np.array_equal(found.raw, [[1, 0.5], [2, 1.5], [3, 2.5]]) and found.table.names == ("a", "b")
    assert {aside.name: aside.holds for aside in found.table.asides} == {
        "w": "words, such as 'abc'",
        "c": "complex numbers",
        "d": "dates",
        "e": "arrays of shape (2,)",
    }
    assert found.table.numbers == (1, 3) and found.table.width == 6
    assert np.array_equal(of_array(records.view(np.recarray), Asked(columns=("b",))).raw[:, 0], [0.5, 1.5, 2.5])
    with pytest.raises(InputError, match=r"column 2 \(w\) holds words"):
        of_array(records, Asked(columns=("w",)))


@pytest.mark.parametrize("kind", ["i8", "u8", "g"])
def test_numbers_of_records_that_float64_does_not_hold_are_refused(kind):
    records = np.zeros(3, [("a", "f4"), ("b", kind)])
    records["b"] = 2**53
    assert of_array(records, Asked()).raw[0, 1] == 2**53
    records["b"][2] = np.array(2**53, dtype=kind) + np.array(1, dtype=kind)
    if kind == "g" and np.finfo(np.longdouble).nmant == 52:
        pytest.skip("long double is double here")
    with pytest.raises(InputError, match="at row 3, column 2"):
        of_array(records, Asked())


def test_rows_made_when_asked_for_slice_like_an_array():
    array = np.arange(24.0).reshape(8, 3)
    lazy = Lazy((8, 3), float, lambda start, stop: array[start:stop])
    for key in (slice(None), slice(2, 5), slice(5, 2), slice(1, 8, 3), slice(None, None, -1), slice(6, 99), -1, 3):
        assert np.array_equal(lazy[key], array[key]), key
    assert lazy.shape == (8, 3) and lazy.size == 24 and len(lazy) == 8 and lazy.ndim == 2
