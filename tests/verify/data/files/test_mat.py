"""MATLAB's files: variables by name; images counted along the last axis; old files and those of 7.3."""

import re

import h5py
import numpy as np
import pytest
from scipy import io, sparse

from tests.verify.data.files.reading import read, refusal

RNG = np.random.default_rng(0)
X = RNG.random((6, 3))
M = sparse.random(20, 10, 0.1, format="csc", rng=1)
IMAGES = RNG.random((8, 7, 3, 50))


def write_73(path, *, classes=None, **variables):
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            if sparse.issparse(value):
                group = file.create_group(name)
                group.attrs["MATLAB_sparse"] = value.shape[0]
                group["data"], group["ir"], group["jc"] = value.data, value.indices, value.indptr
            elif isinstance(value, dict):
                group = file.create_group(name)
                group.attrs["MATLAB_class"] = np.bytes_("struct")
                group["field"] = 1.0
            else:
                file[name] = np.asarray(value).T  # MATLAB's first axis runs fastest
                file[name].attrs["MATLAB_class"] = np.bytes_((classes or {}).get(name, "double"))
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64")


@pytest.fixture(params=["5", "7.3"])
def write(request):
    return write_73 if request.param == "7.3" else lambda path, **variables: io.savemat(path, variables)


def test_the_only_table_is_taken_and_the_rest_named(tmp_path, write):
    write(tmp_path / "a.mat", features=X, labels=np.arange(6.0)[None], s={"field": 1.0})
    found = read(tmp_path / "a.mat")
    assert np.array_equal(found.raw[:], X) and np.array_equal(found.raw[2:4], X[2:4])
    assert (
        "the array features" in found.said[0] and "labels (1 x 6)" in found.said[0] and "s (a struct)" in found.said[0]
    )
    assert "s is a struct, not an array of numbers" in refusal(f"{tmp_path}/a.mat:s")


def test_a_sparse_variable(tmp_path, write):
    write(tmp_path / "a.mat", X=X, M=M)
    found = read(f"{tmp_path}/a.mat:M")
    assert np.array_equal(found.raw[:], M.toarray()) and "a sparse CSC matrix, 10% of the entries" in found.said[1]


def test_images_counted_by_the_last_axis(tmp_path, write):
    write(tmp_path / "a.mat", X=IMAGES)
    found = read(tmp_path / "a.mat")
    assert np.array_equal(found.raw[:], np.moveaxis(IMAGES, -1, 0).reshape(50, -1)) and found.facts["image"] == [
        8,
        7,
        3,
    ]
    assert found.said[0] == "of 8 x 7 x 3 x 50 the last axis was taken for that of the data"
    write(tmp_path / "b.mat", X=np.moveaxis(IMAGES, -1, 0)[..., 0])  # control: data first
    found = read(tmp_path / "b.mat")
    assert (
        np.array_equal(found.raw[3:9], np.moveaxis(IMAGES, -1, 0)[3:9, ..., 0].reshape(6, -1)) and len(found.said) == 1
    )


@pytest.mark.parametrize("shape", [(5, 4, 21), (5, 5, 6), (8, 8, 20), (8, 8, 3, 8), (5, 4, 3, 2, 21)])
def test_the_last_axis_is_clearly_that_of_the_data(tmp_path, write, shape):
    array = RNG.random(shape)
    write(tmp_path / "a.mat", X=array)
    found = read(tmp_path / "a.mat")
    assert np.array_equal(found.raw[:], np.moveaxis(array, -1, 0).reshape(shape[-1], -1)) and not found.doubts
    assert "the last axis was taken" in found.said[0]
    write(tmp_path / "b.mat", X=np.moveaxis(array, -1, 0))  # and so is the first
    found = read(tmp_path / "b.mat")
    assert np.array_equal(found.raw[:], np.moveaxis(array, -1, 0).reshape(shape[-1], -1)) and not found.doubts
    assert "the last axis" not in found.said[0]


def permute(array, order):
    return array.transpose([axis - 1 for axis in order])


def size(array, axis):
    return array.shape[axis - 1]


def reshape(array, rows, rest):
    return array.reshape(rows, -1, order="F")


@pytest.mark.parametrize(
    "shape", [(5, 4, 20), (20, 5, 4), (8, 7, 6), (32, 32, 3), (4, 32, 32), (8, 8, 8), (6, 5, 3, 4)]
)
def test_where_no_axis_is_clearly_that_of_the_data_the_answers_are_matrices(tmp_path, write, shape):
    array = RNG.random(shape)
    write(tmp_path / "a.mat", features=array)
    message = refusal(tmp_path / "a.mat")
    assert f"features is {' x '.join(map(str, shape))}" in message
    by_last, by_first = re.findall(r"reshape\(permute\(.*?\[\]\)", message)
    scope = {"permute": permute, "size": size, "reshape": reshape, "features": array}
    in_python = [re.sub(r"(?<=\d) (?=\d)", ", ", words) for words in (by_last, by_first)]
    assert np.array_equal(eval(in_python[0], scope), np.moveaxis(array, -1, 0).reshape(shape[-1], -1))
    assert np.array_equal(eval(in_python[1], scope), array.reshape(shape[0], -1))
    write(tmp_path / "b.mat", X=X, features=array)  # what is not meant is no question
    assert np.array_equal(read(f"{tmp_path}/b.mat:X").raw[:], X)


@pytest.mark.parametrize("kind", ["table", "string", "datetime", "containers.Map", "categorical"])
def test_objects_of_matlab_are_not_read_as_their_reference_numbers(tmp_path, kind):
    references = np.array([[0xDD000000, 2, 1, 1, 1, 1]], np.uint32).T
    write_73(tmp_path / "a.mat", classes={"T": kind}, T=references)
    assert f"T is an object of MATLAB ({kind}), not an array of numbers" in refusal(tmp_path / "a.mat")
    write_73(tmp_path / "b.mat", classes={"T": kind}, T=references, X=X)
    found = read(tmp_path / "b.mat")
    assert np.array_equal(found.raw[:], X) and f"T (an object of MATLAB ({kind}))" in found.said[0]


def test_an_empty_variable_is_not_its_shape(tmp_path):
    write_73(tmp_path / "a.mat", X=np.array([[0, 5], [0, 7]], np.uint64))
    assert read(tmp_path / "a.mat").raw.shape == (2, 2)  # control
    with h5py.File(tmp_path / "a.mat", "r+") as file:
        file["X"].attrs["MATLAB_empty"] = np.uint8(1)
    assert "X is nothing, not an array of numbers" in refusal(tmp_path / "a.mat")


@pytest.mark.parametrize("kind", ["", "single", "logical", "int8", "uint64"])
def test_classes_that_hold_numbers_are_read(tmp_path, kind):
    write_73(tmp_path / "a.mat", classes={"X": kind}, X=X)
    assert np.array_equal(read(tmp_path / "a.mat").raw[:], X)


def test_two_that_could_be_meant_are_a_question(tmp_path, write):
    write(tmp_path / "a.mat", first=X, second=X)
    assert "first (6 x 3), second (6 x 3)" in refusal(tmp_path / "a.mat")


def test_words_and_cells_are_refused_by_name(tmp_path):
    io.savemat(tmp_path / "a.mat", {"c": np.array(["a", 2], dtype=object), "w": "abc", "z": X * 1j})
    assert "c is a cell array" in refusal(f"{tmp_path}/a.mat:c")
    assert "w is words" in refusal(f"{tmp_path}/a.mat:w")
    assert "complex128, not real numbers" in refusal(f"{tmp_path}/a.mat:z")


def test_a_damaged_file_is_refused(tmp_path, write):
    write(tmp_path / "a.mat", X=RNG.random((200, 30)))
    good = (tmp_path / "a.mat").read_bytes()
    (tmp_path / "a.mat").write_bytes(good[: len(good) // 2])
    assert "truncated or damaged" in refusal(tmp_path / "a.mat")
