"""Folders of results: named for what distinguishes them, and not replaced by other results without a word.

Main       keep_others, which refuses such a folder; folder_name; told, the options that shape results; beside.

What lies in a folder is known by its document: report.json, say, holds the command it was made by, and the data.
"""

import argparse
import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reports.terminal.files import read_json, to_json
from reports.terminal.options import InputError

# They change no number of what is written.
WITHOUT_EFFECT = ("json", "quiet", "backend", "data_dir", "out", "overwrite", "save", "ledger", "all")
OF_THE_COMMAND_LINE = ("command", "run", "bare", "idle", "parser", "argv")
# What lies there under this name is looked at by people first.
PAGE = "index.html"
LONGEST = 80


def told(args: argparse.Namespace) -> dict[str, Any]:
    """The options that a command line gives, less those that change no number and those at their defaults."""
    apart = {*WITHOUT_EFFECT, *OF_THE_COMMAND_LINE, *args.parser.get_default("idle")}
    return {
        name: value
        for name, value in vars(args).items()
        if name not in apart and value != args.parser.get_default(name)
    }


def folder_name(name: str, args: argparse.Namespace, without: tuple[str, ...] = ("data",)) -> str:
    """A harmless folder name for results on `name`, and for the options given but those in `without`: wine.csv-k5.

    Letters, digits, "-", "_" and inner dots, 80 at most; what is too long ends in a part of its SHA-256 instead.
    """
    options = [_words(option, value) for option, value in told(args).items() if option not in without]
    ending = _cut("".join(f"-{_harmless(option)}" for option in options), LONGEST // 2)
    return (_cut(_harmless(name), LONGEST - len(ending)) or "data") + ending


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{text[: longest - 1 - len(digest)].rstrip('-.')}-{digest}"


def _words(option: str, value: Any) -> str:
    """k5, sigma2-1-0.1, or the name alone of a switch."""
    if value is True:
        return option
    given = value if isinstance(value, list) else [value]
    values = [f"{float(one):g}" if isinstance(one, float) else str(one) for one in given]
    return ("" if len(option) == 1 else "-").join([option, *values])


def _harmless(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")


def keep_others(out: Path, args: argparse.Namespace, facts: Mapping[str, Any], *, page: bool = False) -> None:
    """Refuse the folder `out` if it holds results of the same command on something else, unless --overwrite is given.

    facts: {"provenance.data": what this is of}, by where the document of earlier results has it; an option of that
    name counts by its fact alone, and not at all if that is None. page: index.html is written there, so that one of
    another command is kept as well. Raises InputError: what lies there, what differs, what to do.
    """
    path = out / f"{args.command}.json"
    if args.overwrite:
        return
    if path.is_file():
        made_by, differ = _compared(path, args, facts)
        if differ:
            raise InputError(f"{out}: holds what `{made_by}` made ({', '.join(differ)}); {_REMEDY}")
    elif page and (out / PAGE).is_file():
        raise InputError(f"{out}: holds an {PAGE} that {args.command} did not make; {_REMEDY}")


_REMEDY = "name another folder with --out, or replace it with --overwrite"


def _compared(path: Path, args: argparse.Namespace, facts: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The command that made a document, and in what it differs from this one."""
    try:
        document = read_json(path)
        made_by = str(document["provenance"]["command"])
        before = told(_parsed(made_by, args))
    except (InputError, LookupError, TypeError, ValueError):
        return f"elbo-verify {args.command}", ["what it is of is not known"]
    now, apart = told(args), {place.rpartition(".")[2] for place in facts}
    differ = [_difference(place, _at(document, place), fact) for place, fact in facts.items() if fact is not None]
    options = [name for name in {**before, **now} if name not in apart and before.get(name) != now.get(name)]
    return made_by, [*filter(None, differ), *(f"other {args.parser.as_typed(name)}" for name in options)]


def _parsed(command: str, args: argparse.Namespace) -> argparse.Namespace:
    """The options of an earlier run of this command.  InputError, ValueError: it was none."""
    _, name, *words = shlex.split(command)
    if name != args.command:
        raise ValueError(command)
    parsed: argparse.Namespace = args.parser.parse_args(words)
    return parsed


def _difference(place: str, before: Any, now: Any) -> str | None:
    """In words, None if there is none."""
    if isinstance(now, dict):
        now = json.loads(to_json(now).encode(errors="replace"))  # a name from a foreign file system is written thus
        return f"other {place.rpartition('.')[2]}" if _facts(before) != _facts(now) else None
    return f"{place} = {before}, not {now}" if before != now else None


def _facts(found: Any) -> Any:
    """What is known of data, less what is only said of them."""
    return (
        {name: fact for name, fact in found.items() if name not in ("notes", "read")}
        if isinstance(found, dict)
        else found
    )


def _at(document: Any, place: str) -> Any:
    for name in place.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def beside(path: Path, data: str) -> Path:
    """`path`, a file to be written.  InputError if it is the file that the data are read from."""
    for source in map(Path, (data, data.rpartition(":")[0])):  # FILE:name is an array of a file
        if path.is_file() and source.is_file() and path.samefile(source):
            raise InputError(f"{path}: holds the data that are read; name another file")
    return path
