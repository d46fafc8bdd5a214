"""The claims of a folder as its files declare them: read, and not run.

Main       declared -> claims in the order of the ledger, and the files that must be run to say theirs; files, by
           claim; unknown, a sentence on a name that is none of them.
"""

import ast
import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from proofs.machinery.claims import Claim
from proofs.machinery.ledger import section_rank


def declared(folder: Path) -> tuple[list[Claim], list[Path]]:
    """Every `Claim(...)` of the test files below a folder, with its steps, by section; and the files where they are not
    literals."""
    found: dict[str, Claim] = {}
    unread = []
    for path in sorted(folder.rglob("test_*.py")):
        try:
            for claim in list(_claims(path)):
                known = found.setdefault(claim.id, claim)
                known.steps.update({id: step for id, step in claim.steps.items() if id not in known.steps})
        except (OSError, ValueError, TypeError, SyntaxError):
            unread.append(path)
    return sorted(found.values(), key=section_rank), unread


def files(folders: Iterable[Path]) -> dict[str, list[Path]]:
    """In which files below these folders each claim is stated; those that cannot be read are left out."""
    found: dict[str, list[Path]] = {}
    for path in sorted({path for folder in folders for path in folder.rglob("test_*.py")}):
        with suppress(OSError, ValueError, TypeError, SyntaxError):
            for id in {claim.id for claim in _claims(path)}:
                found.setdefault(id, []).append(path)
    return found


def _claims(path: Path) -> Iterator[Claim]:
    """ValueError, TypeError: an argument is computed, or none of a claim's or a step's."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named: dict[str, Claim] = {}  # by the name that the file gives it
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == Claim.__name__:
            positional, by_name = _given(node)
            claim = Claim(*positional, **by_name)
            named |= dict.fromkeys(_names(tree, node), claim)
            yield claim
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="step")) if name in named:
                positional, by_name = _given(node)
                named[name].step(*positional, **by_name)


def _given(call: ast.Call) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a call, which must be literals."""
    named = {str(argument.arg): ast.literal_eval(argument.value) for argument in call.keywords}
    return [ast.literal_eval(argument) for argument in call.args], named


def _names(tree: ast.Module, value: ast.expr) -> list[str]:
    """The names that a module gives to this value."""
    targets = [
        target for node in tree.body if isinstance(node, ast.Assign) and node.value is value for target in node.targets
    ]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def unknown(id: str, known: Sequence[str]) -> str:
    """What to say of a claim that is none; `known`: those there are, in their order."""
    near = difflib.get_close_matches(id, known, n=3, cutoff=0.3) or known[:3]
    said = f"; the nearest are {', '.join(near)}" if near else ""
    return f"no such claim: {id}{said}"
