"""HDF5 and AnnData files, read a block of rows at a time."""

import importlib

import h5py
import numpy as np
import pytest
from scipy import sparse

from tests.verify.data.files.reading import read, refusal
from verify.data.files.lazy import Lazy
from verify.errors import InputError

X = np.random.default_rng(0).random((30, 5))
C = sparse.random(30, 5, 0.3, format="csr", rng=2)


def write_sparse(file, name, matrix):
    group = file.create_group(name)
    group.attrs["encoding-type"], group.attrs["shape"] = f"{matrix.format}_matrix", matrix.shape
    group["data"], group["indices"], group["indptr"] = matrix.data, matrix.indices, matrix.indptr


def write_h5ad(path, matrix, names=("g0", "g1", "g2", "g3", "g4")):
    with h5py.File(path, "w") as file:
        if sparse.issparse(matrix):
            write_sparse(file, "X", matrix)
        else:
            file["X"] = matrix
        write_sparse(file, "layers/counts", (C * 2).tocsc())
        file["obs/n_genes"] = np.zeros(30)
        file.create_group("var").attrs["_index"] = "gene"
        file["var/gene"] = list(names)


@pytest.mark.parametrize("ending", [".h5", ".hdf5"])
def test_a_dataset_is_read_by_rows(tmp_path, ending):
    with h5py.File(tmp_path / f"a{ending}", "w") as file:
        file["group/x"], file["y"], file["w"] = X, np.zeros(30), ["a", "b"]
    found = read(tmp_path / f"a{ending}")
    assert isinstance(found.raw, Lazy) and np.array_equal(found.raw[4:9], X[4:9]) and np.array_equal(found.raw[:], X)
    assert "the array group/x; w (words or objects), y (30 values) left aside" in found.said
    assert np.array_equal(read(f"{tmp_path}/a{ending}:/group/x", columns=("2",)).raw[:], X[:, 1:2])
    assert "w is words or objects" in refusal(f"{tmp_path}/a{ending}:w")
    assert "there are: group/x (30 x 5)" in refusal(f"{tmp_path}/a{ending}:z")


def test_images_and_records_in_it(tmp_path):
    records = np.zeros(4, [("a", "f8"), ("b", "i4")])
    records["b"] = range(4)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["images"], file["records"] = X.reshape(6, 5, 5), records
    found = read(f"{tmp_path}/a.h5:images")
    assert found.facts["image"] == [5, 5, 1] and np.array_equal(found.raw[1:3], X.reshape(6, 25)[1:3])
    assert read(f"{tmp_path}/a.h5:records").table.names == ("a", "b")


def test_names_of_variables_are_shown_on_one_line(tmp_path):
    write_h5ad(tmp_path / "a.h5ad", X, ("two\nlines", "\x1b[1m", "g" * 99, "a  b", "g4"))
    assert read(tmp_path / "a.h5ad").table.names == ("two lines", "?[1m", "g" * 60, "a b", "g4")
    assert read(tmp_path / "a.h5ad", columns=("g" * 99, "a  b", "two lines")).table.numbers == (3, 4, 1)


@pytest.mark.parametrize("matrix", [X, C, C.tocsc()], ids=["dense", "csr", "csc"])
def test_anndata_is_x_with_the_names_of_its_variables(tmp_path, matrix):
    write_h5ad(tmp_path / "a.h5ad", matrix)
    found, dense = read(tmp_path / "a.h5ad"), matrix if matrix is X else matrix.toarray()
    assert np.array_equal(found.raw[:], dense) and np.array_equal(found.raw[7:20], dense[7:20])
    assert found.table.names == ("g0", "g1", "g2", "g3", "g4") and "the array X; layers/counts" in found.said[0]
    assert (matrix is X) == (len(found.said) == 1)
    some = read(tmp_path / "a.h5ad", columns=("g3", "1"))
    assert np.array_equal(some.raw[2:9], dense[2:9][:, [3, 0]]) and some.table.numbers == (4, 1)
    assert np.array_equal(read(f"{tmp_path}/a.h5ad:layers/counts").raw[:], 2 * C.toarray())


def test_a_sparse_group_whose_indices_lie_outside_is_refused(tmp_path):
    write_h5ad(tmp_path / "a.h5ad", C)
    with h5py.File(tmp_path / "a.h5ad", "r+") as file:
        file["X/indices"][3] = 99
    raw = read(tmp_path / "a.h5ad").raw
    with pytest.raises(InputError, match="indices lie outside"):
        raw[:]
    write_h5ad(tmp_path / "b.h5ad", C)
    for _ in range(2):  # a file that was refused is closed again
        with h5py.File(tmp_path / "b.h5ad", "r+") as file:
            file["X/indptr"][5] = 10**6
        assert "indices lie outside" in refusal(tmp_path / "b.h5ad")
    write_h5ad(tmp_path / "c.h5ad", C)
    with h5py.File(tmp_path / "c.h5ad", "r+") as file:
        file["X/indptr"][-1] = C.nnz + 1
    assert "indices lie outside" in refusal(tmp_path / "c.h5ad")


def test_foreign_layouts_are_named(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name in ("data", "indices", "indptr", "shape"):
            file[f"matrix/{name}"] = [1, 2]
    assert "a matrix of 10x Genomics (scanpy.read_10x_h5" in refusal(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_group("df").attrs["pandas_type"] = "frame"
        file["df/block0_values"] = X
    assert "df is a DataFrame of pandas (read_hdf" in refusal(tmp_path / "b.h5")


def test_damage_is_refused_where_it_is_met(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=np.random.default_rng(1).random((400, 50)), chunks=(50, 50), compression="gzip")
    good = bytearray((tmp_path / "a.h5").read_bytes())
    (tmp_path / "a.h5").write_bytes(good[:-5000])
    assert "truncated or damaged" in refusal(tmp_path / "a.h5")
    good[len(good) // 2 : len(good) // 2 + 400] = bytes(400)
    (tmp_path / "a.h5").write_bytes(good)
    with pytest.raises(InputError, match=r"a\.h5: truncated or damaged"):
        read(tmp_path / "a.h5").raw[:]


def test_without_h5py_it_is_said_what_to_install(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = X
    usual = importlib.import_module

    def without(name, *rest):
        if name == "h5py":
            raise ImportError(name)
        return usual(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    assert "needs h5py: pip install 'elbo-verify[hdf5]'" in refusal(tmp_path / "a.h5")
