"""Files of arrays: what is found by which name, and what is refused."""

import pickle

import numpy as np
import pytest

from verify.diagnosis.files import beside_data, in_one_file, of_names, read_arrays
from verify.errors import InputError

A = np.arange(12.0).reshape(4, 3)


def test_arrays_are_found_by_the_names_in_circulation(tmp_path):
    path = tmp_path / "vae.npz"
    np.savez(path, X=A, mu=A, logvar=A, x_hat=2 * A, draws=3 * A)
    held = read_arrays(str(path))
    assert np.array_equal(held.data, A) and np.array_equal(held.reconstructions, 2 * A)
    assert np.array_equal(held.samples, 3 * A)
    named = read_arrays(f"{path}:mu")
    assert np.array_equal(named.reconstructions, A) and named.data is None


def test_a_npy_file_is_what_its_name_says(tmp_path):
    np.save(tmp_path / "recon.npy", A)
    assert np.array_equal(read_arrays(str(tmp_path / "recon.npy")).reconstructions, A)
    np.save(tmp_path / "draws.npy", A)
    assert read_arrays(str(tmp_path / "draws.npy")).reconstructions is None


def test_an_only_array_without_a_known_name_is_reconstructions(tmp_path):
    np.save(tmp_path / "test_out.npy", A)
    np.savez(tmp_path / "out.npz", arr_0=A)
    np.savez(tmp_path / "two.npz", arr_0=A, arr_1=A)
    for name in ("test_out.npy", "out.npz"):
        assert np.array_equal(read_arrays(str(tmp_path / name)).reconstructions, A)
    assert read_arrays(str(tmp_path / "two.npz")).reconstructions is None


def test_safetensors(tmp_path):
    save = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed").save_file
    save({"x": A, "recon": 2 * A}, tmp_path / "vae.safetensors")
    assert np.array_equal(read_arrays(str(tmp_path / "vae.safetensors")).reconstructions, 2 * A)
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "vae.safetensors").read_bytes()[:20])
    with pytest.raises(InputError, match="cannot be read"):
        read_arrays(str(tmp_path / "cut.safetensors"))


def test_one_file_for_all(tmp_path):
    path = tmp_path / "vae.npz"
    np.savez(path, inputs=A, mu=A, logvar=A)
    assert in_one_file(str(path)) == (f"{path}:inputs", [path])
    assert in_one_file(f"{path}:mu") == (f"{path}:mu", [path])


def test_what_is_used_is_not_said_to_be_left_aside():
    said = beside_data("4 rows x 3 columns; the array x; mu (4 x 3) left aside")
    assert said == "4 rows x 3 columns; the array x; mu (4 x 3) beside it"
    assert beside_data("4 rows x 3 columns") == "4 rows x 3 columns"


def test_what_cannot_be_meant_is_refused(tmp_path):
    np.savez(tmp_path / "two.npz", recon=A, xhat=A)
    np.savez(tmp_path / "data.npz", x=A, inputs=A)
    np.savez(tmp_path / "none.npz", mu=A)
    np.savez(tmp_path / "objects.npz", recon=np.array([[1, None]], dtype=object))
    (tmp_path / "model.pt").write_bytes(pickle.dumps({}))
    (tmp_path / "cut.npz").write_bytes((tmp_path / "two.npz").read_bytes()[:100])
    for word, said in {
        "two.npz": "recon, xhat could be|recon, xhat|could be the reconstructions",
        "two.npz:nothing": "no array nothing; it holds recon, xhat",
        "model.pt": "a pickle, which is never loaded",
        "cut.npz": "truncated",
        "objects.npz": "objects.npz",
        "missing.npz": "missing.npz",
    }.items():
        with pytest.raises(InputError, match=said):
            read_arrays(str(tmp_path / word))
    for word, said in {
        "data.npz": "several arrays could be the data",
        "none.npz": "no array is known to be the data; it holds mu",
        "rows.csv": "where are the latents",
    }.items():
        with pytest.raises(InputError, match=said):
            in_one_file(str(tmp_path / word))


def test_a_dictionary_may_have_any_keys():
    held = of_names("here", {1: A, "X": 2 * A})
    assert np.array_equal(held.data, 2 * A) and held.reconstructions is None and of_names("here", {1: A}).data is None
