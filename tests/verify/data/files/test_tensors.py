"""Safetensors files, bfloat16 included."""

import json
import struct

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.verify.data.files.reading import read, refusal

X = np.random.default_rng(0).random((6, 3))


def write(path, dtype, shape, values):
    header = json.dumps({"x": {"dtype": dtype, "shape": shape, "data_offsets": [0, len(values)]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + values)


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "u1", "?"])
def test_a_tensor_is_mapped(tmp_path, dtype):
    rows = (X * 9).astype(dtype)
    save_file({"x": rows}, tmp_path / "a.safetensors")
    raw = read(tmp_path / "a.safetensors").raw
    assert isinstance(raw, np.memmap) and raw.dtype == dtype and np.array_equal(raw, rows)


@pytest.mark.parametrize("shape", [[6, 3], [2, 3, 3], [1, 18]])
def test_bfloat16_is_read_as_the_numbers_it_stands_for(tmp_path, shape):
    bits = X.astype(np.float32).view(np.uint32) >> 16
    write(tmp_path / "a.safetensors", "BF16", shape, bits.astype("<u2").tobytes())
    raw = read(tmp_path / "a.safetensors").raw
    assert raw.dtype == np.float32
    assert np.array_equal(raw[:], (bits << 16).view(np.float32).reshape(shape[0], -1))
    # The nearest below: 8 bits of a significand.
    assert np.allclose(raw[:].ravel(), X.ravel(), rtol=2**-7) and not np.array_equal(raw[:].ravel(), X.ravel())


def test_several_tensors_are_chosen_from_like_those_of_any_file(tmp_path):
    images = np.zeros((4, 8, 8), np.float32)
    save_file({"images": images, "labels": np.zeros(4)}, tmp_path / "a.safetensors")
    found = read(tmp_path / "a.safetensors")
    assert found.facts["image"] == [8, 8, 1] and "labels (4 values) left aside" in found.said[0]
    save_file({"a": X, "b": X + 1}, tmp_path / "a.safetensors")
    assert "a (6 x 3), b (6 x 3)" in refusal(tmp_path / "a.safetensors")
    assert np.array_equal(read(f"{tmp_path}/a.safetensors:b").raw, X + 1)


def test_types_without_an_equal_in_numpy_are_named(tmp_path):
    write(tmp_path / "a.safetensors", "F8_E4M3", [6, 3], bytes(18))
    assert "x is numbers of type F8_E4M3" in refusal(tmp_path / "a.safetensors")


def test_a_damaged_file_is_refused(tmp_path):
    save_file({"x": X}, tmp_path / "a.safetensors")
    good = (tmp_path / "a.safetensors").read_bytes()
    for content in (good[:-1], good[:30], good + b"x", good[:20] + b"???" + good[23:]):
        (tmp_path / "a.safetensors").write_bytes(content)
        assert "truncated or damaged" in refusal(tmp_path / "a.safetensors")
