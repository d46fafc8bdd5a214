"""From a DATA word of the command line to rows and their covariance.

Main       load (DATA -> Covariance), load_rows (DATA -> Rows).

    digits                 1797 images of 8 x 8, grey values 0..16, from scikit-learn
    mnist, mnist:1000      the 60000 training images; or so many of them, drawn without replacement
    fashion-mnist          likewise
    celeba:FOLDER or .zip  photographs, cut and resized to 64 x 64 x 3
    patches, patches:500   10000, or so many, 64 x 64 x 3 patches of scikit-learn's two photographs
    FILE.npy .npz .csv .csv.gz
    eigenvalues:6,4,2.5    a bare spectrum, no rows
"""

import hashlib
import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.checks import random_seed
from verify.data.covariance import Covariance, from_eigenvalues
from verify.data.entries import real_matrix
from verify.data.files import Found, read_csv, read_npy, read_npz, sha256_of
from verify.data.images import PATCHES, folder_or_archive, patches
from verify.data.images import SHAPE as PHOTOGRAPH
from verify.data.mnist import SHAPE, TRAINING_SHA256, training_images
from verify.data.preprocess import Preprocessing
from verify.data.rows import Rows
from verify.data.spectrum_from_words import exact_decimal
from verify.errors import InputError

_READERS = {".npy": read_npy, ".npz": read_npz, ".csv.gz": read_csv, ".csv": read_csv}
_SPECTRUM = "eigenvalues:"
_PHOTOGRAPHS = "celeba:"
_WITH_ROWS = "digits, mnist, mnist:1000, fashion-mnist, patches, celeba:FOLDER, a .npy, .npz, .csv or .csv.gz file"
_CHOICES = f"{_WITH_ROWS}, or eigenvalues:6,4,2.5"


def load(
    spec: str | os.PathLike[str],
    *,
    scale: float | None = None,
    logit: float | None = None,
    dequantise: bool = False,
    seed: int = 0,
    data_dir: str | os.PathLike[str] | None = None,
    noises: Iterable[float] = (),
) -> Covariance:
    """The covariance of DATA, preprocessed: divided by `scale`, or dequantised, or that and put through the logit.

    noises: those that will be asked about, so that the eigenvalues are accurate enough to tell which exceed each.
    Raises InputError whenever the data or an option is unusable; the message is one line.
    """
    name = os.fspath(spec)
    if not name.startswith(_SPECTRUM):
        rows = load_rows(spec, scale=scale, logit=logit, dequantise=dequantise, seed=seed, data_dir=data_dir)
        try:
            return rows.covariance(noises)
        except InputError as error:
            # Which entry is wrong is known where it is met, and whose it is only here.
            raise InputError(str(error) if name in str(error) else f"{name}: {error}") from None
    if scale is not None or logit is not None or dequantise:
        raise InputError(f"{name}: a bare spectrum has no rows to preprocess; leave out scale, logit and dequantise")
    return from_eigenvalues(_spectrum(name), provenance={"name": name})


def load_rows(
    spec: str | os.PathLike[str],
    *,
    scale: float | None = None,
    logit: float | None = None,
    dequantise: bool = False,
    seed: int = 0,
    data_dir: str | os.PathLike[str] | None = None,
) -> Rows:
    """The rows (N, n) of DATA with their preprocessing, streamed in blocks.  Raises InputError."""
    name = os.fspath(spec)
    preprocessing = Preprocessing(scale, logit, random_seed(seed), dequantise)
    raw, facts = _find(name, preprocessing.seed, data_dir)
    raw = real_matrix(raw, name)
    N, n = (int(length) for length in raw.shape)
    if N == 0:
        raise InputError(f"{name}: the data are empty; give at least two rows")
    if N == 1:
        raise InputError(f"{name}: the data have one row; a covariance needs at least two")
    provenance = {
        **facts,
        "shape": [N, n],
        "preprocessing": preprocessing.facts(),
        "log_scale_jacobian": preprocessing.log_scale_jacobian(n),
        "seed": preprocessing.seed,
        "notes": _doubts(raw),
    }
    return Rows(raw, preprocessing, provenance)


def _find(name: str, seed: int, data_dir: str | os.PathLike[str] | None) -> Found:
    """The raw rows that DATA names, and where they come from."""
    lower = name.lower()
    if name == "digits":
        return _digits()
    word = name.partition(":")[0]
    if word in TRAINING_SHA256:
        return _training_images(name, seed, data_dir)
    if word == "patches":
        count = _row_count(name) if ":" in name else PATCHES
        images, facts = patches(count, seed)
        return images, {"name": name, "kind": "patches", "image": list(PHOTOGRAPH), **facts}
    if name.startswith(_PHOTOGRAPHS):
        return _photographs(name)
    if name.startswith(_SPECTRUM):
        raise InputError(f"{name}: a bare spectrum has no rows; name data with rows ({_WITH_ROWS})")
    if lower.endswith(".parquet"):
        raise InputError(f"{name}: this version does not read it; save its rows (N, n) as a .npy file and name that")
    for ending, reader in _READERS.items():
        if lower.endswith(ending):
            path = Path(name)
            raw, said = reader(path)
            return raw, {"name": path.name, "kind": ending[1:], "sha256": sha256_of(path), **said}
    raise InputError(f"unknown data {name!r}; give {_CHOICES}")


def _doubts(raw: Array) -> list[str]:
    """What the reader should know about raw rows (N, n) that were taken as they are."""
    # Column numbers as a header cannot be told from data, and as data they are an outlier.
    if raw.shape[1] > 2 and any(np.array_equal(raw[0], np.arange(raw.shape[1]) + first) for first in (0, 1)):
        return ["the first row counts the columns and was taken as data; delete it if it is a header"]
    return []


def _digits() -> Found:
    """scikit-learn's digits (1797, 64), values 0..16."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise InputError("digits: needs scikit-learn, which is not installed (pip install scikit-learn)") from None
    raw = np.ascontiguousarray(load_digits().data, dtype=np.float64)
    digest = hashlib.sha256(raw.tobytes()).hexdigest()
    return raw, {"name": "digits", "kind": "digits", "sha256": digest, "image": [8, 8, 1]}


def _training_images(name: str, seed: int, data_dir: str | os.PathLike[str] | None) -> Found:
    """The training images of mnist or fashion-mnist, or `mnist:M` of them in the order in which they were drawn."""
    kind, chosen, _ = name.partition(":")
    count = _row_count(name) if chosen else 0
    images = training_images(data_dir, kind)
    facts: dict[str, Any] = {"name": name, "kind": kind, "sha256": TRAINING_SHA256[kind], "image": list(SHAPE)}
    if not chosen:
        return images, facts
    if not 2 <= count <= len(images):
        raise InputError(f"{name}: the number of rows must lie between 2 and {len(images)}")
    drawn = np.random.default_rng(seed).choice(len(images), count, replace=False)
    digest = hashlib.sha256(drawn.astype("<i8").tobytes()).hexdigest()
    facts["rows"] = {"drawn": count, "of": len(images), "sha256": digest}
    return images[drawn], facts


def _row_count(name: str) -> int:
    """The number after the colon of `mnist:1000`."""
    number = name.partition(":")[2]
    # The length too: int() of a very long digit string is slow, and refused by Python itself.
    if not (number.isascii() and number.isdigit() and len(number) <= 9):
        raise InputError(f"{name[:60]}: {number[:20]!r} is not a usable number of rows; for instance mnist:1000")
    return int(number)


def _photographs(words: str) -> Found:
    """The images of a folder or archive, cut and resized."""
    path = Path(words.removeprefix(_PHOTOGRAPHS)).expanduser()
    images, digest = folder_or_archive(path)
    shape = list(PHOTOGRAPH)
    cut = {"crop": "largest centred square", "resized": shape}
    name = f"{_PHOTOGRAPHS}{path.name}"
    return images, {"name": name, "kind": "images", "sha256": digest, "images": cut, "image": shape}


def _spectrum(name: str) -> list[Fraction]:
    """The numbers of `eigenvalues:6,4,2.5`, as they are written."""
    return [exact_decimal(word, i) for i, word in enumerate(name.removeprefix(_SPECTRUM).split(","), start=1)]
