"""From DATA, a word of the command line or an object, to rows and their covariance.

Main       load (DATA -> Covariance), load_rows (DATA -> Rows), Options; image_shape, of a word.

    digits                 1797 images of 8 x 8, grey values 0..16, from scikit-learn
    mnist, mnist:1000      the 60000 training images; or so many of them, drawn without replacement
    fashion-mnist          likewise
    celeba:FOLDER or .zip  photographs, cut and resized to 64 x 64 x 3
    patches, patches:500   10000, or so many, 64 x 64 x 3 patches of scikit-learn's two photographs
    iris, wine, ...        scikit-learn's bundled tables
    FILE, FILE:name        a table, an array, an image stack; the array of that name where a file holds several
    eigenvalues:6,4,2.5    a bare spectrum, no rows
"""

import difflib
import hashlib
import numbers
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np

from verify.checks import random_seed
from verify.data.covariance import Covariance, from_eigenvalues
from verify.data.files.bundled import NAMES, bundled
from verify.data.files.formats import ENDINGS, image_of, read, split
from verify.data.files.found import Asked, Found
from verify.data.files.objects import of_object
from verify.data.images import PATCHES, folder_or_archive, patches
from verify.data.images import SHAPE as PHOTOGRAPH
from verify.data.mnist import SHAPE, TRAINING_SHA256, training_images
from verify.data.preparing import prepared
from verify.data.preprocess import Preprocessing
from verify.data.rows import Rows
from verify.data.spectrum_from_words import exact_decimal
from verify.errors import InputError, about
from verify.keywords import in_python

SPECTRUM = "eigenvalues:"
_PHOTOGRAPHS = "celeba:"
_IMAGES = ("digits", "mnist", "fashion-mnist", "patches")
_WITH_ROWS = (
    "digits, mnist, mnist:1000, fashion-mnist, patches, celeba:FOLDER, "
    f"{', '.join(name for name in NAMES if name != 'digits')}, or a file ({ENDINGS})"
)
_CHOICES = f"{_WITH_ROWS}, or eigenvalues:6,4,2.5"


class Options(TypedDict, total=False):
    """How data are read and preprocessed.

    scale: divide by this. logit: dequantise, and take the logit with this alpha. dequantise: add uniform noise to grey
    values. standardize: each column to mean 0 and variance 1. seed: of the noise and of rows drawn. data_dir: where
    mnist lies. columns, drop: names or numbers (from 1, "3-7", "#3") to use or to leave out. missing: "drop" leaves out
    rows that lack a value, "mean" puts the mean of the column in. decimal: the decimal mark of a text file, "." or
    ",". header: whether the first line of a text file names the columns.
    """

    scale: float | None
    logit: float | None
    dequantise: bool
    standardize: bool
    seed: int
    data_dir: str | os.PathLike[str] | None
    columns: Sequence[str | int] | str | int | None
    drop: Sequence[str | int] | str | int | None
    missing: str | None
    decimal: str | None
    header: bool | None


def load(data: Any, *, noises: Iterable[float] = (), **options: Unpack[Options]) -> Covariance:
    """The covariance of DATA, a word of the command line or an object with rows (N, n), preprocessed as asked.

    data: a file or a name (see above); an array of NumPy or whoever speaks its protocols, a DataFrame, a sparse matrix,
    a tensor.  noises: those that will be asked about, so that the eigenvalues are accurate enough to tell which exceed
    each.  Raises InputError whenever the data or an option is unusable; the message is one line.
    """
    _check_names(options)
    name = _name(data)
    if not name.startswith(SPECTRUM):
        rows = load_rows(data, **options)
        try:
            return rows.covariance(noises)
        except InputError as error:
            # Which entry is wrong is known where it is met, and whose it is only here.
            raise about(name, error) from None
    idle = ("seed", "data_dir")
    given = [key for key, value in options.items() if not (value is None or value is False or key in idle)]
    if given:
        out = ", ".join(f"--{key}" for key in given)
        raise InputError(f"{name}: a bare spectrum has no rows to preprocess; leave out {out}")
    lam = _spectrum(name)
    read = f"{len(lam)} {'eigenvalue' if len(lam) == 1 else 'eigenvalues'}, as typed"
    return from_eigenvalues(lam, provenance={"name": name, "read": read})


def load_rows(data: Any, **options: Unpack[Options]) -> Rows:
    """The rows (N, n) of DATA (see `load`) with their preprocessing, streamed in blocks.  Raises InputError."""
    _check_names(options)
    name = _name(data)
    seed, scale, alpha = random_seed(options.get("seed", 0)), options.get("scale"), options.get("logit")
    preprocessing = Preprocessing(scale, alpha, seed, options.get("dequantise", False))
    file, member = split(name) if is_file(data, name) else (None, None)
    where = name if file is None else f"{file}:{member}" if member else str(file)
    asked = Asked(
        _words(options.get("columns")),
        _words(options.get("drop")),
        options.get("decimal"),
        options.get("header"),
        member,
    )
    try:
        if file is not None:
            found = read(file, asked)
            shown = f"{file.name}:{member}" if member else file.name
            found = replace(found, facts={**found.facts, "name": shown})
        elif isinstance(data, (str, os.PathLike)):
            found = _find(name, seed, options.get("data_dir"), asked)
        else:
            found = of_object(data, asked)
        known = file is None and name.partition(":")[0] in _IMAGES
        rows = prepared(
            found,
            where,
            asked,
            preprocessing,
            missing=options.get("missing"),
            standardize=options.get("standardize", False),
            known=known and not options.get("standardize", False),
        )
        if not isinstance(data, (str, os.PathLike)):
            rows.provenance["notes"] = [in_python(note) for note in rows.provenance["notes"]]
        return rows
    except InputError as error:
        said = about(where if file is None or not str(error).startswith(str(file)) else str(file), error)
        raise (said if isinstance(data, (str, os.PathLike)) else InputError(in_python(str(said)))) from None


def image_shape(word: str) -> Sequence[int] | None:
    """Height, width and channels of photographs (celeba:FOLDER, patches) and of a stack of images in a file, unread.

    None of other words, and of files that hold anything else or cannot be read.
    """
    if word.startswith(_PHOTOGRAPHS) or word.partition(":")[0] == "patches":
        return PHOTOGRAPH
    return image_of(*split(word)) if is_file(word, word) else None


def _check_names(options: Iterable[str]) -> None:
    """Raises InputError at an option that there is not: misspelt, it would change nothing without a word."""
    for name in options:
        if name not in Options.__annotations__:
            near = difflib.get_close_matches(name.lower(), Options.__annotations__, 1)
            known = ", ".join(Options.__annotations__)
            raise InputError(f"no option {name!r}{f'; did you mean {near[0]}?' if near else ''}; there are {known}")


def _name(data: Any) -> str:
    """What messages call the data."""
    if isinstance(data, (str, os.PathLike)):
        return os.fspath(data)
    return "the data"


def _words(given: Sequence[str | int] | str | int | None) -> tuple[str, ...]:
    """Columns as words; in Python numbers will do."""
    if given is None:
        return ()
    if isinstance(given, (str, numbers.Integral)):
        return (str(given),)
    if not isinstance(given, Iterable):
        raise InputError(f"columns and drop: {given!r} is neither name nor number of a column; give one or several")
    return tuple(map(str, given))


def is_file(data: Any, name: str) -> bool:
    """Whether DATA names a file, or a folder by mistake: a path, what is there, or a word with a point or a slash."""
    if isinstance(data, os.PathLike):
        return True
    if not isinstance(data, str) or name.partition(":")[0] in (*_IMAGES, *NAMES):
        return False
    if name.startswith((SPECTRUM, _PHOTOGRAPHS)) or not name:
        return False
    return "." in name or os.sep in name or "/" in name or os.path.exists(name)  # of a name too long too


def _find(name: str, seed: int, data_dir: str | os.PathLike[str] | None, asked: Asked) -> Found:
    """The raw rows that a name stands for, and where they come from."""
    word = name.partition(":")[0]
    if name in NAMES:
        return bundled(name, asked)
    if word in TRAINING_SHA256:
        return _training_images(name, seed, data_dir)
    if word == "patches":
        count = _row_count(name) if ":" in name else PATCHES
        images, facts = patches(count, seed)
        facts = {"name": name, "kind": "patches", "image": list(PHOTOGRAPH), **facts}
        return Found(images, facts, (_as_images(PHOTOGRAPH),))
    if name.startswith(_PHOTOGRAPHS):
        return _photographs(name)
    if name.startswith(SPECTRUM):
        raise InputError(f"{name}: a bare spectrum has no rows; name data with rows ({_WITH_ROWS})")
    near = difflib.get_close_matches(name, (*_IMAGES, *NAMES), 1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise InputError(f"unknown data {name!r}{hint}; give {_CHOICES}")


def _as_images(shape: Sequence[int]) -> str:
    """How rows are images, in words."""
    return "images of " + " x ".join(str(length) for length in (shape if shape[2] > 1 else shape[:2]))


def _training_images(name: str, seed: int, data_dir: str | os.PathLike[str] | None) -> Found:
    """The training images of mnist or fashion-mnist, or `mnist:M` of them in the order in which they were drawn."""
    kind, chosen, _ = name.partition(":")
    count = _row_count(name) if chosen else 0
    images = training_images(data_dir, kind)
    facts: dict[str, Any] = {"name": name, "kind": kind, "sha256": TRAINING_SHA256[kind], "image": list(SHAPE)}
    if not chosen:
        return Found(images, facts, (_as_images(SHAPE),))
    if not 2 <= count <= len(images):
        raise InputError(f"{name}: the number of rows must lie between 2 and {len(images)}")
    drawn = np.random.default_rng(seed).choice(len(images), count, replace=False)
    digest = hashlib.sha256(drawn.astype("<i8").tobytes()).hexdigest()
    facts["rows"] = {"drawn": count, "of": len(images), "sha256": digest}
    return Found(images[drawn], facts, (_as_images(SHAPE), f"drawn from {len(images)} with seed {seed}"))


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
    facts = {"name": name, "kind": "images", "sha256": digest, "images": cut, "image": shape}
    return Found(images, facts, (_as_images(PHOTOGRAPH),))


def _spectrum(name: str) -> list[Fraction]:
    """The numbers of `eigenvalues:6,4,2.5`, as they are written."""
    return [exact_decimal(word, i) for i, word in enumerate(name.removeprefix(SPECTRUM).split(","), start=1)]
