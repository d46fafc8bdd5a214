"""The claims of a folder as its files declare them: read, and not run.

Main       declared -> claims in the order of the ledger, and the files that must be run to say theirs; unknown, a
           sentence on a name that is none of them.
"""

import ast
import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

from proofs.machinery.claims import Claim
from proofs.machinery.ledger import section_rank


def declared(folder: Path) -> tuple[list[Claim], list[Path]]:
    """Every `Claim(...)` of the test files below a folder, by section; and the files whose claims are not literals."""
    found: dict[str, Claim] = {}
    unread = []
    for path in sorted(folder.rglob("test_*.py")):
        try:
            found |= {claim.id: claim for claim in _claims(path)}
        except (OSError, ValueError, TypeError, SyntaxError):
            unread.append(path)
    return sorted(found.values(), key=section_rank), unread


def _claims(path: Path) -> Iterator[Claim]:
    """ValueError, TypeError: an argument is computed, or none of a claim's."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == Claim.__name__:
            given = [ast.literal_eval(argument) for argument in node.args]
            named = {str(argument.arg): ast.literal_eval(argument.value) for argument in node.keywords}
            yield Claim(*given, **named)


def unknown(id: str, known: Sequence[str]) -> str:
    """What to say of a claim that is none; `known`: those there are, in their order."""
    near = difflib.get_close_matches(id, known, n=3, cutoff=0.3) or known[:3]
    said = f"; the nearest are {', '.join(near)}" if near else ""
    return f"no such claim: {id}{said}"
