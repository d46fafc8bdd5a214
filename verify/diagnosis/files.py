"""Files with what a VAE made of its data: one that holds all, or several.

Main       read_arrays, of_names -> Held; NAMES, what arrays are called.

Names that are unknown are left aside; where two could be meant, or none, that is said.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from verify.analysis.latents import PICKLES, readable
from verify.arrays import Array
from verify.errors import InputError

NEVER_LOADED = "a pickle, which is never loaded; save with numpy.savez('vae.npz', x=..., mu=..., logvar=...)"
# In lower case; ours first.
NAMES = {
    "data": ("x", "data", "inputs", "input", "x_true"),
    "reconstructions": (
        "reconstructions", "reconstruction", "recon", "recons", "x_recon", "recon_x", "xhat", "x_hat", "decoded",
        "x_mean", "reconstructions_at_mean",
    ),
    "samples": ("samples", "sampled", "draws", "recon_samples", "reconstruction_samples", "x_samples", "sampled_recon"),
}  # fmt: skip
DAMAGED = "no .npz or .npy file, or truncated; write it again with numpy.savez"


@dataclass(frozen=True)
class Held:
    """The arrays of a file by what they are, None where there is none."""

    data: Array | None = None
    reconstructions: Array | None = None
    samples: Array | None = None


def read_arrays(word: str) -> Held:
    """Of FILE or FILE:name, .npz, .safetensors or .npy.  A single array without a known name is reconstructions.

    Raises InputError: no such file or name, damage, pickles, ambiguity.
    """
    path, name = _split(word)
    arrays = _arrays(path)
    if name is not None:
        if name not in arrays:
            raise InputError(f"{path}: no array {name}; it holds {', '.join(arrays) or 'nothing'}")
        arrays = {name: arrays[name]}
    found = {kind: _one(path, kind, arrays) for kind in NAMES}
    if len(arrays) == 1 and all(array is None for array in found.values()):
        (found["reconstructions"],) = arrays.values()
    return Held(**found)


def of_names(where: str, arrays: Mapping[str, Any]) -> Held:
    """The arrays of a dictionary by what they are.  Raises InputError: ambiguity."""
    return Held(**{kind: _one(where, kind, arrays) for kind in NAMES})


def _split(word: str) -> tuple[Path, str | None]:
    if Path(word).exists() or ":" not in word:
        return Path(word), None
    file, _, name = word.rpartition(":")
    return Path(file), name


def _arrays(path: Path) -> dict[str, Array]:
    ending = path.suffix.lower()
    if ending in PICKLES:
        raise InputError(f"{path}: {NEVER_LOADED}")
    if ending == ".safetensors":
        from safetensors.numpy import load_file

        with readable(path, "is damaged, or no .safetensors file"):
            path.open("rb").close()
            try:
                return dict(load_file(path))
            except Exception as error:
                raise InputError(f"{path}: cannot be read ({type(error).__name__}); save float32 arrays") from None
    with readable(path, DAMAGED):
        if ending == ".npy":
            return {path.stem: np.load(path, allow_pickle=False, mmap_mode="r")}
        with zipfile.ZipFile(path):
            pass  # numpy.load would read anything else as a pickle, and say so
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}


def _names(path: Path) -> list[str]:
    """Of the arrays of a file, which are large and need not be read for that.  Raises InputError."""
    if path.suffix.lower() != ".npz":
        return list(_arrays(path))
    with readable(path, DAMAGED), zipfile.ZipFile(path), np.load(path, allow_pickle=False) as archive:
        return list(archive.files)


def _one(path: Path | str, kind: str, arrays: Mapping[str, Any]) -> Array | None:
    lower = {str(name).lower(): array for name, array in arrays.items()}
    found = [name for name in NAMES[kind] if name in lower]
    if len(found) > 1:
        raise InputError(f"{path}: {', '.join(found)} could be the {kind}; name one with FILE:name")
    return lower[found[0]] if found else None


def beside_data(read: str) -> str:
    """How data were read, where the other arrays of their file are used as well."""
    return read.replace(" left aside", " beside it", 1)


def in_one_file(word: str) -> tuple[str, list[Path]]:
    """DATA that hold everything: the DATA word of the rows alone, and the file of the latents.  Raises InputError."""
    path, name = _split(word)
    if path.suffix.lower() in PICKLES:
        raise InputError(f"{path}: {NEVER_LOADED}")
    if path.suffix.lower() not in (".npz", ".safetensors"):
        raise InputError(
            f"{word}: where are the latents? say --latents FILE (mu and logvar), or give one .npz or .safetensors file "
            "with x, mu, logvar and reconstructions"
        )
    if name is None:
        lower = {held.lower(): held for held in _names(path)}
        found = [lower[known] for known in NAMES["data"] if known in lower]
        if len(found) != 1:
            held = ", ".join(lower.values()) or "nothing"
            several = "several arrays could be" if found else "no array is known to be"
            raise InputError(f"{path}: {several} the data; it holds {held}: call them x, or give FILE:name")
        name = found[0]
    return f"{path}:{name}", [path]
