"""Where the data of a certificate come from, so that whoever checks it can read them again.

Notation   source: {"data": a word of the command line, or null where they were an array, "options": how it is read,
           "file": {path, sha256, member}}; options without their defaults, numbers as certificates hold them.
Main       described, subject_of; reading, again -> Reading.

What a source says is not trusted: whatever is read, its hash has to be that of the certificate, and what is told of it
is what was read.
"""

import os
import shlex
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from verify.certify import subjects
from verify.certify.checker.numbers import double, written
from verify.certify.checker.subject import Subject
from verify.checks import random_seed
from verify.data.files.formats import split
from verify.data.files.opening import sha256_of
from verify.data.rows import Rows
from verify.data.sources import SPECTRUM, is_file, load, load_rows
from verify.errors import InputError, about, one_line

Source = dict[str, Any]
_NUMBERS = ("scale", "logit")
_FLAGS = ("standardize", "dequantise", "header")
_WORDS = ("missing", "decimal")
_LISTS = ("columns", "drop")
_FOLDER = "celeba:"
HERE = Path()


class Reading(NamedTuple):
    """What was read: its name and how, each in one line, and what reading has to say of it."""

    subject: Subject
    name: str
    read: str | None
    notes: list[str]


def subject_of(data: Any, options: Mapping[str, Any]) -> Subject:
    """The subject of whatever `load` takes, with its options, or of Rows.  Raises InputError."""
    return reading(data, options).subject


def reading(data: Any, options: Mapping[str, Any]) -> Reading:
    """The same, with how it was read.  Raises InputError."""
    if isinstance(data, str) and data.startswith(SPECTRUM):
        covariance = load(data, **options)
        exact = covariance.spectrum.exact
        assert exact is not None
        return Reading(subjects.of_spectrum(exact), one_line(data), str(covariance.provenance["read"]), [])
    rows = data if isinstance(data, Rows) else load_rows(data, **options)
    told, name = rows.provenance, str(rows.provenance["name"])
    try:
        subject = subjects.of_rows(rows)
    except InputError as error:
        raise about(name, error) from None
    read = one_line(str(told.get("read") or "")) or None
    return Reading(subject, one_line(name), read, [one_line(note) for note in told["notes"]])


def described(data: Any, options: Mapping[str, Any], beside: Path = HERE) -> Source:
    """How to read the data again from a certificate in the folder `beside`.  Raises InputError."""
    if not isinstance(data, (str, os.PathLike)):
        return {"data": None, "options": _plain(options)}
    word = os.fspath(data)
    source: Source = {"data": word, "options": _plain(options)}
    if not is_file(data, word):
        if word.startswith(_FOLDER):
            path = Path(word.removeprefix(_FOLDER)).expanduser()
            source |= {"data": _FOLDER + path.name, "file": {"path": _relative(path, beside)}}
        return source
    path, member = split(word)
    source["data"] = path.name if member is None else f"{path.name}:{member}"
    source["file"] = {"path": _relative(path, beside), "sha256": sha256_of(path), "member": member}
    return source


def read_from(data: Any, path: Path) -> bool:
    """Whether `path` is the file that these data, a word or a path, are read from."""
    if not isinstance(data, (str, os.PathLike)) or not is_file(data, os.fspath(data)):
        return False
    read, _ = split(os.fspath(data))
    return path.exists() and read.exists() and path.samefile(read)


def again(source: Any, beside: Path, data: Any = None, data_dir: Any = None) -> Reading:
    """What a source describes, read again: of `data`, where they have moved.  Raises InputError."""
    if not isinstance(source, dict) or not isinstance(word := source.get("data"), str | None):
        raise InputError("malformed: it has no source")
    options = _read(source.get("options"))
    typed = data is not None
    if data is None:
        if word is None:
            raise InputError("it is of an array, and does not say where that lies: name the data with --data")
        data = _place(source, beside)
    elif isinstance(data, str) and data.startswith(SPECTRUM) and not str(word).startswith(SPECTRUM):
        raise InputError("the certificate speaks of other data: of rows, and a bare spectrum has none")
    found = reading(data, {**options, "data_dir": data_dir})
    if found.subject.spectrum is not None and not typed and found.read is not None:
        return found._replace(read=found.read.replace("as typed", "as the certificate has them"))
    # Who checks has not typed these, and they say what the data are.
    said = one_line(" ".join(map(_typed, options, source["options"].values())))
    how = f"read as the certificate has it, with {said}" if said else None
    return found._replace(read="; ".join(text for text in (found.read, how) if text) or None)


def _typed(name: str, value: Any) -> str:
    """An option as it would be typed; "" of the seed that is there anyway."""
    if value is True:
        return f"--{name}"
    words = "no" if value is False else _number(name, value)
    words = shlex.join(value) if isinstance(value, list) else shlex.quote(words)
    return "" if (name, value) in (("seed", 0), ("standardize", False), ("dequantise", False)) else f"--{name} {words}"


def _number(name: str, value: Any) -> str:
    """A scale as a decimal; what is no number as it is."""
    return repr(double(value)).removesuffix(".0") if name in _NUMBERS else str(value)


def _place(source: Source, beside: Path) -> str:
    """The word to read, with the file where it lies beside the certificate.  Raises InputError."""
    word, file = str(source["data"]), source.get("file")
    if file is None:
        return word
    if not isinstance(file, dict) or not isinstance(file.get("path"), str):
        raise InputError("malformed: its source says no path")
    path = beside / file["path"]
    if word.startswith(_FOLDER):
        return f"{_FOLDER}{path}"
    if not path.is_file():
        raise InputError(f"{path}: the data are not there; say with --data where they have moved")
    if sha256_of(path) != file.get("sha256"):
        raise InputError(f"{path}: is another file than the one that was certified; say with --data where that is")
    return str(path) if file.get("member") is None else f"{path}:{file['member']}"


def _relative(path: Path, beside: Path) -> str:
    """The path from the folder of the certificate."""
    try:
        return Path(os.path.relpath(path, beside)).as_posix()
    except ValueError:  # another drive of Windows
        return str(path.resolve())


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that say something, in strings, whole numbers and truths."""
    said: dict[str, Any] = {"seed": random_seed(options.get("seed", 0))}
    for name in _NUMBERS:
        if (value := options.get(name)) is not None:
            said[name] = written(Fraction(value)) if float(value).is_integer() else written(float(value))
    said |= {name: bool(options[name]) for name in _FLAGS if options.get(name)}
    if options.get("header") is False:
        said["header"] = False
    said |= {name: str(options[name]) for name in _WORDS if options.get(name) is not None}
    for name in _LISTS:
        if (value := options.get(name)) is not None:
            said[name] = [str(one) for one in ([value] if isinstance(value, (str, int)) else value)]
    return said


def _read(options: Any) -> dict[str, Any]:
    """The options of `load` again.  Raises InputError: others, or of other types."""
    types: dict[str, Any] = {"seed": int, **dict.fromkeys(_NUMBERS, str), **dict.fromkeys(_FLAGS, bool)}
    types |= {**dict.fromkeys(_WORDS, str), **dict.fromkeys(_LISTS, list)}
    if not isinstance(options, dict):
        raise InputError("malformed: its options of reading are none")
    for name, value in options.items():
        of_words = name not in _LISTS or (isinstance(value, list) and all(isinstance(one, str) for one in value))
        if type(value) is not types.get(name) or not of_words:
            raise InputError(f"malformed: its option of reading {name[:40]!r} is none")
    return {name: double(value) if name in _NUMBERS else value for name, value in options.items()}
