"""Folders of results: named for what distinguishes them, and not replaced by other results without a word.

Main       keep_others, which refuses such a folder; folder_name; told, the options that shape results; beside; alone.

What lies in a folder is known by its document: report.json, say, holds the command it was made by, and the data.
"""

import argparse
import hashlib
import importlib
import importlib.util
import io
import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from reports.terminal.files import UNFINISHED, read_json
from reports.terminal.options import InputError
from verify.data.documents import to_json

# Windows has no such locks.
fcntl: Any = importlib.import_module("fcntl") if importlib.util.find_spec("fcntl") else None
# They change no number of what is written.
WITHOUT_EFFECT = ("json", "quiet", "backend", "data_dir", "out", "overwrite", "save", "save_escape", "ledger", "all")
OF_THE_COMMAND_LINE = ("command", "run", "bare", "idle", "parser", "argv")
# A long name is cut at its end: what one looks for stands first.
FIRST = ("k", "beta", "sigma2")
LONGEST = 80
PHOTOGRAPHS = (".png", ".jpg", ".jpeg")


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
    given = {option: value for option, value in told(args).items() if option not in without}
    ordered = sorted(given, key=lambda option: FIRST.index(option) if option in FIRST else len(FIRST))
    options = [_words(option, given[option]) for option in ordered]
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


def keep_others(
    out: Path, args: argparse.Namespace, facts: Mapping[str, Any], writes: Sequence[str], *, ours: Sequence[str] = ()
) -> None:
    """Refuse the folder `out` if what is read would be replaced there, or, without --overwrite, results on something
    else or files that the command did not make.

    facts: {"provenance.data": what this is of}, by where the document of earlier results has it; an option of that
    name counts by its fact alone, and not at all if that is None. writes: all files that the command may write there,
    as patterns: "figures/*.svg". ours: those of them that say whose they are, and are compared where they are read;
    where there are some, that is left to them. Raises InputError: what lies there, what differs, what to do.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file, and --out takes a folder; name another place")
    there = _matching(out, writes)
    for path in there:
        if any(_reads(path, source) for source in _sources(args)):
            raise InputError(f"{path}: is read here, and {args.command} would write over it; name another --out")
    if folder := next((source for source in _of_photographs(args) if _inside(out, source)), None):
        raise InputError(f"{out}: lies in {folder}, whose pictures are read; name an --out outside of it")
    path = out / f"{args.command}.json"
    if getattr(args, "overwrite", False) or _matching(out, ours):
        return
    if path.is_file():
        document, made_by = _made(path)
        if made_by is None:
            raise InputError(f"{out}: holds a {path.name} that {args.command} did not make; {_remedy(args)}")
        if differ := _differ(document, made_by, args, facts):
            raise InputError(f"{out}: holds what `{made_by}` made ({', '.join(differ)}); {_remedy(args)}")
    elif there:
        name = there[0].relative_to(out)
        raise InputError(f"{out}: holds {_a(str(name))} that {args.command} did not make; {_remedy(args)}")


def made_alike(out: Path, args: argparse.Namespace, facts: Mapping[str, Any]) -> bool:
    """Whether the folder holds what this command made with the same options; facts: as `keep_others` has them."""
    document, made_by = _made(out / f"{args.command}.json")
    return made_by is not None and not _differ(document, made_by, args, facts)


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """While the block runs no other run writes to the folder `out`, and what a killed one left half done there is gone.

    Raises InputError: another one runs there.
    """
    lock = None
    if fcntl is not None:
        lock = os.open(out, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise InputError(f"{out}: another run writes there; wait for it, or name another folder") from None
        except OSError:  # a file system that has no locks
            pass
    try:
        for left in out.glob(f"{UNFINISHED}*"):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
        yield
    finally:
        if lock is not None:
            os.close(lock)


def beside(path: Path, args: argparse.Namespace, writes: Sequence[str] = ()) -> Path:
    """`path`, a file to be written.  InputError if it is read here, or one of those that --out will hold (writes)."""
    if path.is_file() and any(_reads(path, source) for source in _sources(args)):
        raise InputError(f"{path}: holds the data that are read; name another file")
    out = getattr(args, "out", None)
    if out is not None and any(path.resolve().match(str(Path(out).resolve() / name)) for name in writes):
        raise InputError(f"{path}: {args.command} writes another file of that name; name another one")
    return path


def _matching(out: Path, patterns: Sequence[str]) -> list[Path]:
    """The files of a folder that match one of these."""
    return [path for pattern in patterns for path in sorted(out.glob(pattern)) if path.is_file()]


def _sources(args: argparse.Namespace) -> list[Path]:
    """What a command line reads from, if these are files or folders."""
    words = list(args.data) if isinstance(given := getattr(args, "data", ()), list) else [given] if given else []
    words += [word for name in ("reconstructions", "samples") if (word := getattr(args, name, None)) is not None]
    named = [word for given in words for word in (given, given.rpartition(":")[0], given.partition(":")[2])]
    other = [getattr(args, name, None) for name in ("ledger", "latents")]
    files = [path for one in other if one is not None for path in (one if isinstance(one, list) else [one])]
    # FILE:name is an array of a file, celeba:FOLDER a folder of photographs.
    return [path for path in (*(Path(word) for word in named if word), *files) if path.exists()]


def _of_photographs(args: argparse.Namespace) -> list[Path]:
    """The folders of celeba:FOLDER."""
    words = args.data if isinstance(given := getattr(args, "data", ()), list) else [given] if given else []
    named = [Path(word.partition(":")[2]).expanduser() for word in words if word.startswith("celeba:")]
    return [path for path in named if path.is_dir()]


def _inside(out: Path, folder: Path) -> bool:
    """Whether pictures that are written to `out` would be read from `folder` the next time."""
    return out.resolve().is_relative_to(folder.resolve())


def _reads(path: Path, source: Path) -> bool:
    """Whether reading this source reads the existing file `path`."""
    if source.is_dir():
        return path.suffix in PHOTOGRAPHS and path.parent.samefile(source)
    return path.samefile(source)


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _remedy(args: argparse.Namespace) -> str:
    more = ", or replace it with --overwrite" if hasattr(args, "overwrite") else ""
    return f"name another folder with --out{more}"


def _made(path: Path) -> tuple[Any, str | None]:
    """A document, and the command that made it; None where that cannot be told."""
    try:
        document = read_json(path)
        made_by = document["provenance"]["command"]
    except (InputError, LookupError, TypeError):
        return None, None
    return document, made_by if isinstance(made_by, str) else None


def _differ(document: Any, made_by: str, args: argparse.Namespace, facts: Mapping[str, Any]) -> list[str]:
    """In what earlier results differ from those of this command line, and what they would lose."""
    try:
        before = told(_parsed(made_by, args))
    except (InputError, ValueError):
        return ["what it is of is not known"]
    now, apart = told(args), {place.rpartition(".")[2] for place in facts}
    differ = [_difference(place, _at(document, place), fact) for place, fact in facts.items() if fact is not None]
    options = [name for name in {**before, **now} if name not in apart and before.get(name) != now.get(name)]
    lost = ["the proofs on its page would be lost: name them with --ledger"] if _loses_proofs(document, args) else []
    return [*filter(None, differ), *(f"other {args.parser.as_typed(name)}" for name in options), *lost]


def _loses_proofs(document: Any, args: argparse.Namespace) -> bool:
    return bool(document.get("ledger")) and hasattr(args, "ledger") and args.ledger is None


def _parsed(command: str, args: argparse.Namespace) -> argparse.Namespace:
    """The options of an earlier run of this command.  InputError, ValueError: it was none."""
    _, name, *words = shlex.split(command)
    if name != args.command:
        raise ValueError(command)
    try:
        with redirect_stdout(io.StringIO()):
            parsed: argparse.Namespace = args.parser.parse_args(words)
    except SystemExit:  # somebody's --help, which makes nothing
        raise ValueError(command) from None
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
