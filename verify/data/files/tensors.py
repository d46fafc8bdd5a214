"""Safetensors files: the tensors, memory-mapped.

Main       read_safetensors.
Reference  https://huggingface.co/docs/safetensors: 8 bytes with the length of a JSON header, the header, the values.

The library checks the file; it cannot give bfloat16 to NumPy, so that the values are mapped here.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from verify.arrays import Array
from verify.data.files.found import Asked, Found
from verify.data.files.members import Member, as_member, member
from verify.data.files.opening import damaged
from verify.data.files.stacks import of_array

_TYPES = {
    **{f"F{8 * size}": f"<f{size}" for size in (2, 4, 8)},
    **{f"I{8 * size}": f"<i{size}" for size in (1, 2, 4, 8)},
    **{f"U{8 * size}": f"<u{size}" for size in (1, 2, 4, 8)},
    "BOOL": "?",
    "BF16": "<u2",
}


class _BFloat16:
    """bfloat16 (N, ...), given as uint16, that slices as float32: the upper half of its bits."""

    dtype = np.dtype(np.float32)

    def __init__(self, bits: Array) -> None:
        self.bits, self.shape = bits, bits.shape

    def __getitem__(self, rows: Any) -> Array:
        return (np.asarray(self.bits[rows]).astype(np.uint32) << 16).view(np.float32)


def read_safetensors(path: Path, asked: Asked) -> Found:
    """The tensor of a .safetensors file that is meant (members.py).  Raises InputError."""
    try:
        with safe_open(path, framework="numpy"):
            pass
    except SafetensorError as error:
        raise damaged(path, error) from None
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    told = {name: entry for name, entry in header.items() if name != "__metadata__"}
    members = [
        Member(name, tuple(entry["shape"]), "" if entry["dtype"] in _TYPES else f"numbers of type {entry['dtype']}")
        for name, entry in told.items()
    ]
    one, said = member(path, members, asked.member, "save one with safetensors.numpy.save_file")
    entry = told[one.name]
    start, stop = entry["data_offsets"]
    dtype = np.dtype(_TYPES[entry["dtype"]])
    array: Any = np.empty(one.shape, dtype)
    if stop > start:
        array = np.memmap(path, dtype, "r", 8 + length + start, one.shape)
    found = of_array(_BFloat16(array) if entry["dtype"] == "BF16" else array, asked)
    return as_member(found, one, members, said)
