"""The command line: elbo-verify COMMAND ... (also: python -m reports).  It finds the commands and knows none.

Main       main(argv) -> exit code: 0 done, 1 a claim is broken, 2 bad input, 130 interrupted.

A command is a file of reports/commands/, called as it is, with "_" for "-".  Its first line reads "The command `name`:
what it does."; it has options(parser) and run(args, session) -> exit code.  It may have MORE, what else its help says;
SHELF = (heading, place), where it stands in the overview; IDLE, the options that every command takes and that change
nothing here; BARE = True where it must run though packages that a Session needs are broken.  Only the one asked for is
imported.

Whatever is wrong with the input ends in one line on standard error: what, where, what to do.
"""

import argparse
import ast
import difflib
import importlib
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reports.terminal.options import InputError, Parser, idle_words

BAD_INPUT, INTERRUPTED = 2, 130
COMMANDS = Path(__file__).resolve().parent / "commands"
SHELVES = ("Your data", "Models", "The paper", "This machine")
ELSEWHERE = ("More", 1)
ABOUT = (
    "Which latents of a VAE collapse, at which observation noise, and whether that is the optimum itself: exactly for "
    "probabilistic PCA and the linear VAE, on your data; and every claim of the paper behind it, put to the test "
    "(Lucas et al., Don't Blame the ELBO!, NeurIPS 2019)."
)
MORE = ("elbo-verify COMMAND --help explains the options of one; elbo-verify --version says which version this is.",)
BEGIN = """To begin with:
  elbo-verify report digits              # a page about data that are built in
  elbo-verify stability data.csv -k 20   # your own: what each noise keeps"""


def commands() -> dict[str, str]:
    """Every command by name, and what it does: the first line of its file, read and not imported."""
    return {name: about for name, (about, _) in _read().items()}


def _read() -> dict[str, tuple[str, tuple[str, int]]]:
    """What every command does, and its SHELF in the help."""
    found = {}
    for path in sorted(COMMANDS.glob("*.py")):
        if path.stem != "__init__":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            said = (ast.get_docstring(tree) or "").partition("\n")[0].partition(": ")[2].rstrip(".")
            shelves = [
                ast.literal_eval(node.value)
                for node in tree.body
                if isinstance(node, ast.Assign) and [getattr(t, "id", None) for t in node.targets] == ["SHELF"]
            ]
            found[path.stem.replace("_", "-")] = said, shelves[0] if shelves else ELSEWHERE
    return found


def module_of(command: str) -> Any:
    """The module of a command."""
    return importlib.import_module(f"reports.commands.{command.replace('-', '_')}")


def parser(wanted: str | None = None) -> argparse.ArgumentParser:
    """The command line: all commands by name, and the options of the one that is wanted."""
    top = Parser(prog="elbo-verify")
    top.overview = overview()
    below = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for name, about in commands().items():
        command = below.add_parser(name, help=about)
        if name == wanted:
            module = module_of(name)
            said = f"{about[0].upper()}{about[1:]}. {getattr(module, 'MORE', '')}"
            command.description = said.rstrip()
            module.options(command)
            idle = getattr(module, "IDLE", ())
            command.idle(idle)
            bare = getattr(module, "BARE", False)
            command.set_defaults(run=module.run, bare=bare, idle=idle, parser=command)
    return top


def version() -> str:
    """Ours; of another package called verify that comes first, whatever it says."""
    return str(getattr(importlib.import_module("verify"), "__version__", "(another package verify comes first)"))


def overview() -> str:
    """The page of --help: what this is for, the commands by what one wants of them, and how to begin."""
    width = min(shutil.get_terminal_size().columns, 100) - 2
    found = _read()
    column = max(map(len, found), default=0) + 4
    shelves: dict[str, list[tuple[int, str, str]]] = {shelf: [] for shelf in SHELVES}
    for name, (about, (shelf, place)) in found.items():
        shelves.setdefault(shelf, []).append((place, name, about))
    lines = ["usage: elbo-verify COMMAND ...", "", *textwrap.wrap(ABOUT, width)]
    for shelf, held in shelves.items():
        lines += ["", f"{shelf}:"] if held else []
        for _, name, about in sorted(held):
            lines += textwrap.wrap(
                about, width, initial_indent=f"  {name}".ljust(column), subsequent_indent=" " * column
            )
    return "\n".join([*lines, "", *(line for part in MORE for line in textwrap.wrap(part, width)), "", BEGIN, ""])


def _unknown(word: str) -> InputError:
    """What to say of a command that is none."""
    if near := difflib.get_close_matches(word, commands(), n=2, cutoff=0.6):
        return InputError(f"no such command: {word}; did you mean {' or '.join(near)}?  elbo-verify --help lists all")
    if Path(word).exists() or ":" in word or word == "digits":
        return InputError(f"no such command: {word}; a command comes before the data, as in elbo-verify report {word}")
    return InputError(f"no such command: {word}; elbo-verify --help lists the commands")


def _too_early(argv: Sequence[str]) -> InputError:
    """What to say of an option that stands where the command should."""
    command = next((word for word in argv if word in commands()), None)
    if command is None:
        return InputError(f"{argv[0]}: name a command first; elbo-verify --help lists them")
    return InputError(f"{argv[0]}: options come after the command, as in elbo-verify {command} ... {argv[0]}")


def _named(argv: Sequence[str]) -> str | None:
    """The first word of a command line that is no option, None if none."""
    return next((word for word in argv if not word.startswith("-")), None)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; -> its exit code.  Never raises on account of bad input."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows no Greek is no reason to fail
    argv = list(sys.argv[1:] if argv is None else argv)
    session = None
    try:
        if not argv or argv[0] == "--version":
            print(overview() if not argv else f"elbo-verify {version()}\n", end="", flush=True)
            return 0
        if argv[0].startswith("-") and argv[0] not in ("-h", "--help"):
            raise _too_early(argv)
        if (named := _named(argv)) is not None and named not in commands():
            raise _unknown(named)
        args, unknown = parser(named).parse_known_args(argv)
        if unknown:
            why = f": {said}" if (said := getattr(args, "unrecognized", lambda words: "")(unknown)) else ""
            raise InputError(f"unrecognized arguments: {' '.join(unknown)}{why}; see elbo-verify {args.command} --help")
        args.argv = argv
        if not args.bare:
            console = importlib.import_module("reports.terminal.console")
            session = console.Session(json=args.json, quiet=args.quiet)
        code = int(args.run(args, session))
        sys.stdout.flush()
        if (idle := idle_words(args.idle, argv)) and not args.quiet:
            print(f"note: {' and '.join(idle)} changed nothing: {args.command} does the same without", file=sys.stderr)
        return code
    except SystemExit as stop:  # --help
        return int(stop.code or 0)
    except KeyboardInterrupt as stop:
        sys.stdout.flush()
        kept = ", ".join(map(str, session.kept)) if session is not None else ""
        said = [f"interrupted: {stop}" if str(stop) else "interrupted"]  # a command that has shown something says what
        said += [f"kept {kept}"] if kept else ["nothing was written"] if not str(stop) else []
        return _complain("; ".join(said), INTERRUPTED)
    except BrokenPipeError:
        _silence_stdout()
        return 0  # whoever reads has had enough
    except OSError as error:
        _silence_stdout()
        where = f"{error.filename}: " if error.filename is not None else "output: "
        return _complain(f"{where}{error.strerror or error}; make room or name another place")
    except MemoryError:
        return _complain("out of memory; use fewer columns, fewer points (--top) or a smaller grid")
    except ImportError as error:
        return _complain(f"{error}; `elbo-verify doctor` says what is missing")
    except InputError as error:
        return _complain(str(error))


def _complain(message: str, code: int = BAD_INPUT) -> int:
    """One line on standard error."""
    line = "".join(c if c.isprintable() else "?" for c in " ".join(message.split()))
    print(f"elbo-verify: {line}", file=sys.stderr, flush=True)
    return code


def _silence_stdout() -> None:
    """Nothing more can be written there, and Python would say so once more when it ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return
