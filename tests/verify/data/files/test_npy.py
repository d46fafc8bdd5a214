"""NumPy's files: read without unpickling and without a copy, damage refused, the array that is meant chosen."""

import io
import pickle
import warnings
import zipfile

import numpy as np
import pytest

from tests.verify.data.files.reading import read, refusal
from verify.data.files import npy
from verify.data.files.found import clean
from verify.errors import InputError

X = np.random.default_rng(0).standard_normal((12, 4)).round(3)


def npy_bytes(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", ">f8", ">f4", "i2", ">i8", "u1", "?", "g"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_of_any_real_type_and_order(tmp_path, dtype, order):
    array = np.asarray(X > 0 if dtype == "?" else np.abs(X * 10)).astype(dtype, order=order)
    np.save(tmp_path / "rows.npy", array)
    np.savez(tmp_path / "rows.npz", array)
    for name in ("rows.npy", "rows.npz"):
        raw = read(tmp_path / name).raw
        assert raw.dtype == array.dtype and np.array_equal(raw[:], array) and np.array_equal(raw[3:5], array[3:5])


def test_npy_is_not_read_before_its_blocks_are(tmp_path):
    np.save(tmp_path / "rows.npy", X)
    assert isinstance(read(tmp_path / "rows.npy").raw, np.memmap)


def test_a_large_member_is_unpacked_to_the_disk(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "a.npz", X=X)
    assert not isinstance(read(tmp_path / "a.npz").raw, np.memmap)
    monkeypatch.setattr(npy, "IN_MEMORY", 100)
    raw = read(tmp_path / "a.npz").raw
    assert isinstance(raw, np.memmap) and np.array_equal(raw, X)


@pytest.mark.parametrize("names", [["only"], ["X", "other"], ["y", "x"], ["labels", "data"], ["X_train", "y_train"]])
def test_npz_with_one_array_or_a_known_name(tmp_path, names):
    chosen = next(name for name in names if name in ("only", "X", "x", "data", "X_train"))
    np.savez(tmp_path / "a.npz", **{name: (X if name == chosen else np.zeros(3)) for name in names})
    found = read(tmp_path / "a.npz")
    assert np.array_equal(found.raw, X)
    if len(names) > 1:
        other = next(name for name in names if name != chosen)
        assert found.said == (f"the array {chosen}; {other} (3 values) left aside",)
        assert found.facts["member"] == chosen
    else:
        assert found.said == () and "member" not in found.facts


def test_keras_mnist_is_its_training_images(tmp_path):
    images = np.random.default_rng(1).integers(0, 256, (6, 28, 28), dtype=np.uint8)
    np.savez(tmp_path / "mnist.npz", x_train=images, y_train=np.zeros(6), x_test=images[:2], y_test=np.zeros(2))
    found = read(tmp_path / "mnist.npz")
    assert np.array_equal(found.raw, images.reshape(6, 784)) and found.facts["image"] == [28, 28, 1]
    assert "x_test (2 x 28 x 28)" in found.said[0] and found.said[1] == "images of 28 x 28 as rows of 784 values"
    assert np.array_equal(read(f"{tmp_path}/mnist.npz:x_test").raw, images[:2].reshape(2, 784))
    assert "a list of 2 numbers" in refusal(f"{tmp_path}/mnist.npz:y_test")
    assert "holds no array 'z'; there are: x_train (6 x 28 x 28)" in refusal(f"{tmp_path}/mnist.npz:z")


@pytest.mark.parametrize("labels", [np.zeros(12), np.zeros((12, 1)), np.zeros((1, 12)), np.zeros(())])
def test_labels_beside_the_only_matrix_make_no_question(tmp_path, labels):
    np.savez(tmp_path / "a.npz", features=X, target=labels)
    found = read(tmp_path / "a.npz")
    assert np.array_equal(found.raw, X) and "the array features; target" in found.said[0]


@pytest.mark.parametrize("names", [("x", "X"), ("train", "test"), ("x_train", "X_train")])
def test_two_arrays_that_could_be_meant_are_a_question(tmp_path, names):
    np.savez(tmp_path / "a.npz", **{name: X + i for i, name in enumerate(names)})
    message = refusal(tmp_path / "a.npz")
    assert all(f"{name} (12 x 4)" in message for name in names) and f"a.npz:{names[0]}" in message
    for i, name in enumerate(names):  # and the answer
        assert np.array_equal(read(f"{tmp_path}/a.npz:{name}").raw, X + i)


def test_a_member_that_is_there_twice_is_refused(tmp_path):
    with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        warnings.simplefilter("ignore")
        for rows in (X, X + 1):
            archive.writestr("X.npy", npy_bytes(rows))
    assert "holds the array X twice" in refusal(tmp_path / "a.npz")
    assert "holds the array X twice" in refusal(f"{tmp_path}/a.npz:X")


def test_an_npz_without_a_table(tmp_path):
    np.savez(tmp_path / "b.npz")
    assert "holds no array" in refusal(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", a=np.zeros(3), b=np.zeros(4))
    assert "no array with rows and columns, only a (3 values), b (4 values)" in refusal(tmp_path / "c.npz")


@pytest.mark.parametrize("second", [npy_bytes(X), npy_bytes(X[:2]), b"\0" * 8, b"x"])
def test_what_follows_the_array_is_no_part_of_it(tmp_path, second):
    (tmp_path / "two.npy").write_bytes(npy_bytes(X) + second)
    message = refusal(tmp_path / "two.npy")
    assert ("two arrays or more" if len(second) > 8 else f"{len(second)} bytes more than its array") in message
    with zipfile.ZipFile(tmp_path / "two.npz", "w") as archive:
        archive.writestr("X.npy", npy_bytes(X) + second)
    assert "array X: " in refusal(tmp_path / "two.npz")


def forbidden(*_):
    raise AssertionError("something was unpickled")


class Trap:
    def __reduce__(self):
        return forbidden, ()


def test_objects_and_pickles_are_refused_unopened(tmp_path):
    trap = np.array([[Trap(), 1.0], [2.0, 3.0]], dtype=object)
    np.save(tmp_path / "a.npy", trap, allow_pickle=True)
    np.savez(tmp_path / "a.npz", X=trap)
    (tmp_path / "b.npy").write_bytes(pickle.dumps(Trap()))
    assert "never loaded" in refusal(tmp_path / "a.npy")
    assert "never loaded" in refusal(tmp_path / "a.npz")
    assert "never loaded" in refusal(tmp_path / "b.npy")
    np.savez(tmp_path / "c.npz", names=trap, X=X)  # beside numbers they are left aside
    assert np.array_equal(read(tmp_path / "c.npz").raw, X)
    with pytest.raises(AssertionError, match="unpickled"):  # control: the trap would go off
        np.load(tmp_path / "a.npy", allow_pickle=True)


@pytest.mark.parametrize("cut", [0, 4, 9, 60, 127, 128, 129, -1])
def test_a_truncated_npy_is_refused(tmp_path, cut):
    path = tmp_path / "cut.npy"
    path.write_bytes(npy_bytes(X)[:cut])
    refusal(path)


def test_what_is_missing_of_the_data_is_said(tmp_path):
    (tmp_path / "a.npy").write_bytes(npy_bytes(X)[:-8])
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("X.npy", npy_bytes(X)[:-8])
    for name in ("a.npy", "a.npz"):
        assert f"truncated or damaged ({X.nbytes - 8} bytes of data); write it again" in refusal(tmp_path / name)
        (tmp_path / name).unlink()
    np.save(tmp_path / "a.npy", X)
    np.savez(tmp_path / "a.npz", X=X)
    assert np.array_equal(read(tmp_path / "a.npy").raw, X) and np.array_equal(read(tmp_path / "a.npz").raw, X)


@pytest.mark.parametrize("name", ["two\nlines", "\x1b[31mred", "length of the petal " * 5])
def test_names_of_arrays_are_shown_on_one_line_and_named_as_written_or_shown(tmp_path, name):
    np.savez(tmp_path / "a.npz", **{name: X, "y": X + 1})
    message = refusal(tmp_path / "a.npz")
    assert f"{clean(name)} (12 x 4)" in message and f"a.npz:{clean(name)}" in message and "\x1b" not in message
    for asked in (name, clean(name)):
        found = read(f"{tmp_path}/a.npz:{asked}")
        assert np.array_equal(found.raw, X) and f"the array {clean(name)}; y" in found.said[0]
    assert "\x1b" not in refusal(f"{tmp_path}/a.npz:z\x1b\n")
    np.savez(tmp_path / "b.npz", **{name: np.array(["a"]), "y": X})
    assert f"{clean(name)} is words" in refusal(f"{tmp_path}/b.npz:{name}")


def test_a_single_column_called_x_beside_a_table_is_no_table(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.zeros((12, 1)), spectra=X)
    found = read(tmp_path / "a.npz")
    assert np.array_equal(found.raw, X) and found.said == ("the array spectra; X (12 x 1) left aside",)


def test_no_damage_to_a_header_escapes_as_another_error(tmp_path):
    path = tmp_path / "damaged.npy"
    good = npy_bytes(X)
    rng = np.random.default_rng(0)
    refused = 0
    for place in range(128):
        damaged = bytearray(good)
        damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            read(path).raw[:]
        except InputError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 40


def test_a_truncated_or_damaged_npz_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", X=X)
    good = (tmp_path / "a.npz").read_bytes()
    for content in (b"", good[:40], good[:-10], good[:60] + bytes(40) + good[100:]):
        (tmp_path / "a.npz").write_bytes(content)
        refusal(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "short.npz", "w") as archive:
        archive.writestr("X.npy", npy_bytes(X)[:-8])
    refusal(tmp_path / "short.npz")
