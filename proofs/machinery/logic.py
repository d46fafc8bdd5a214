"""Whether the steps of a claim entail what it concludes: its propositional skeleton, decided by SymPy.

Notation   formulas: names, ~ & | and parentheses, with at most one -> or <-> between two of them, which binds least:
           "stationary & ~on_top -> rises".
Main       concludes; formula.

What each name means stands in the statement of the step that uses it; that the names fit together, that nothing is
left out between the steps and the conclusion, and that nothing in the list is idle is what a machine can check.
"""

import ast
from collections.abc import Mapping

from sympy import And, Equivalent, Implies, Not, Or, Symbol
from sympy.logic.boolalg import Boolean
from sympy.logic.inference import satisfiable

from proofs.machinery.checks import check, same, tallied
from proofs.machinery.claims import Claim


@tallied
def concludes(claim: Claim, conclusion: str, premises: Mapping[str, str] | None = None) -> int:
    """`conclusion` follows from the steps' formulas and `premises`; how many of these there are, all needed.

    `premises`: by the id of a claim in `rests_on` or a fact in `trusts`, the formula that is used of it; each of them
    must be named.  Disagreement if the conclusion does not follow, if some premise is not needed, if it follows only
    because its own hypotheses never hold, if one premise is all of it, or if the premises and what the claim says that
    it uses are not the same.  ValueError for what is no formula.

    The step that this is evidence for says nothing itself: it would be among its own premises (the plugin sees to it).
    """
    outside = dict(premises or {})
    same(sorted(outside), sorted([*claim.rests_on, *claim.trusts]))
    given = {f"step {step.id}": formula(step.says) for step in claim.steps.values() if step.says}
    given |= {id: formula(text) for id, text in outside.items()}
    goal = formula(conclusion)
    check(given, f"{claim.id}: no step says anything")
    check(_entails(list(given.values()), goal), f"{claim.id}: {conclusion} does not follow from its steps")
    for name in given:
        others = [text for other, text in given.items() if other != name]
        check(not _entails(others, goal), f"{claim.id}: {name} is not needed for {conclusion}")
    together = And(*given.values())
    check(_possible(together), f"{claim.id}: its premises contradict each other")
    if isinstance(goal, Implies):
        check(
            _possible(And(together, goal.args[0])), f"{claim.id}: by its premises, what {conclusion} is about never is"
        )
    check(len(given) > 1, f"{claim.id}: {conclusion} is what its only premise says")
    _concluded.append(conclusion)
    return len(given)


_concluded: list[str] = []


def conclusions() -> int:
    """How many conclusions of this process have been drawn so far."""
    return len(_concluded)


def formula(text: str) -> Boolean:
    """A propositional formula.  ValueError if the text is none."""
    for arrow, meaning in (("<->", Equivalent), ("->", Implies)):
        if arrow in text:
            left, right = text.split(arrow, 1)
            return meaning(_simple(left, text), _simple(right, text))
    return _simple(text, text)


def _simple(part: str, text: str) -> Boolean:
    try:
        return _read(ast.parse(part.strip(), mode="eval").body)
    except (SyntaxError, TypeError):
        raise ValueError(f"{text!r} is no formula of names, ~ & | and one ->") from None


def _read(node: ast.expr) -> Boolean:
    """TypeError for anything but names, ~, & and |."""
    if isinstance(node, ast.Name):
        return Symbol(node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        return Not(_read(node.operand))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
        combined = And if isinstance(node.op, ast.BitAnd) else Or
        return combined(_read(node.left), _read(node.right))
    raise TypeError(node)


def _entails(premises: list[Boolean], goal: Boolean) -> bool:
    return not _possible(And(*premises, Not(goal)))


def _possible(all_of_it: Boolean) -> bool:
    return satisfiable(all_of_it) is not False
