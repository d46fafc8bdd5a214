"""Sparse matrices are read as the matrices that they are, and stay sparse."""

import numpy as np
import pytest
from scipy import sparse

from tests.verify.data.files.reading import read, refusal
from verify.data import load
from verify.data.files.sparse import SparseRows
from verify.errors import InputError

FORMATS = ["csr", "csc", "coo", "dia", "bsr"]


def random(form, dtype=float):
    return (sparse.random(30, 8, 0.2, rng=3) * 10).astype(dtype).asformat(form)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", ["matrix", "array"])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i8"])
def test_a_sparse_file_is_that_matrix(tmp_path, form, kind, dtype):
    M = random(form, dtype)
    sparse.save_npz(tmp_path / "a.npz", M if kind == "matrix" else getattr(sparse, f"{form}_array")(M))
    found = read(tmp_path / "a.npz")
    assert isinstance(found.raw, SparseRows) and found.raw.shape == (30, 8) and found.raw.dtype == dtype
    assert np.array_equal(found.raw[:], M.toarray()) and np.array_equal(found.raw[4:9], M.toarray()[4:9])
    share = f"{100 * np.count_nonzero(M.toarray()) / 240:.3g}%"
    assert found.said == (f"a sparse {form.upper()} matrix, {share} of the entries are not 0",)


def test_its_covariance_is_that_of_the_dense_matrix(tmp_path):
    M = random("dia")
    sparse.save_npz(tmp_path / "a.npz", M)
    lam = np.linalg.eigvalsh(np.cov(M.toarray().T, bias=True))[::-1]
    # To rounding, relative to the largest.
    assert np.allclose(load(tmp_path / "a.npz").eigenvalues, lam, rtol=0, atol=1e-13 * lam[0])


def test_columns_of_a_sparse_matrix(tmp_path):
    M = random("csr")
    sparse.save_npz(tmp_path / "a.npz", M)
    found = read(tmp_path / "a.npz", columns=("8", "2"))
    assert np.array_equal(found.raw[2:7], M.toarray()[2:7, [7, 1]]) and found.table.numbers == (8, 2)


def arrays_of(path):
    with np.load(path) as held:
        return dict(held)


@pytest.mark.parametrize("form", ["csr", "csc", "bsr", "coo"])
def test_a_damaged_sparse_file_is_refused(tmp_path, form):
    sparse.save_npz(tmp_path / "a.npz", random(form))
    good = arrays_of(tmp_path / "a.npz")
    faults = {"shape": np.array([3, 2])} if form == "coo" else {"indices": good["indices"] + 100}
    faults |= {"data": good["data"][:-1], "format": np.array("nothing")}
    for name, value in faults.items():
        np.savez(tmp_path / "bad.npz", **{**good, name: value})
        assert "sparse matrix of scipy that is damaged" in refusal(tmp_path / "bad.npz"), name
    np.savez(tmp_path / "good.npz", **good)  # control
    assert read(tmp_path / "good.npz").raw.shape == (30, 8)


def test_objects_and_complex_numbers_in_it_are_refused(tmp_path):
    sparse.save_npz(tmp_path / "a.npz", random("csr").astype(complex))
    assert "complex128, not real numbers" in refusal(tmp_path / "a.npz")
    good = arrays_of(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", **{**good, "data": good["data"].astype(object)})
    refusal(tmp_path / "b.npz")


def test_constant_sparse_data_are_refused_like_dense_ones(tmp_path):
    sparse.save_npz(tmp_path / "a.npz", sparse.csr_matrix((5, 4)))
    with pytest.raises(InputError, match="constant"):
        load(tmp_path / "a.npz")
