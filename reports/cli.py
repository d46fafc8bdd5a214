"""The command line: elbo-verify COMMAND ... (also: python -m reports).  It finds the commands and knows none.

Main       main(argv) -> exit code: 0 done, 1 a claim is broken, 2 bad input, 130 interrupted.

A command is a file of reports/commands/, called as it is, with "_" for "-".  Its first line reads "The command `name`:
what it does."; it has options(parser) and run(args, session) -> exit code; MORE, where its help has more to say; and
BARE = True where it must run though packages that a Session needs are broken.  Only the one asked for is imported.

Whatever is wrong with the input ends in one line on standard error: what, where, what to do.
"""

import argparse
import ast
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reports.terminal.options import InputError, Parser

BAD_INPUT, INTERRUPTED = 2, 130
COMMANDS = Path(__file__).resolve().parent / "commands"


def commands() -> dict[str, str]:
    """Every command by name, and what it does: the first line of its file, read and not imported."""
    found = {}
    for path in sorted(COMMANDS.glob("*.py")):
        if path.stem != "__init__":
            said = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
            found[path.stem.replace("_", "-")] = said.partition(": ")[2].rstrip(".")
    return found


def module_of(command: str) -> Any:
    """The module of a command."""
    return importlib.import_module(f"reports.commands.{command.replace('-', '_')}")


def parser(wanted: str | None = None) -> argparse.ArgumentParser:
    """The command line: all commands by name, and the options of the one that is wanted."""
    top = Parser(
        prog="elbo-verify", description="Posterior collapse of linear latent-variable models, put to the test."
    )
    below = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for name, about in commands().items():
        command = below.add_parser(name, help=about)
        if name == wanted:
            module = module_of(name)
            said = f"{about[0].upper()}{about[1:]}. {getattr(module, 'MORE', '')}"
            command.description = said.rstrip()
            module.options(command)
            command.set_defaults(run=module.run, bare=getattr(module, "BARE", False))
    return top


def _named(argv: Sequence[str]) -> str | None:
    """The command that a command line names, None if none."""
    first = next((word for word in argv if not word.startswith("-")), None)
    return first if first in commands() else None


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; -> its exit code.  Never raises on account of bad input."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows no Greek is no reason to fail
    argv = list(sys.argv[1:] if argv is None else argv)
    session = None
    try:
        args, unknown = parser(_named(argv)).parse_known_args(argv)
        if unknown:
            raise InputError(f"unrecognized arguments: {' '.join(unknown)}; see elbo-verify {args.command} --help")
        args.argv = argv
        if not args.bare:
            console = importlib.import_module("reports.terminal.console")
            session = console.Session(json=args.json, quiet=args.quiet)
        code = int(args.run(args, session))
        sys.stdout.flush()
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
