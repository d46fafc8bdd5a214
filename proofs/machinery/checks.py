"""The checks that evidence is made of: each says no by raising Disagreement and nothing else.

Notation   error = ||actual - expected|| / ||expected|| in the Frobenius norm of the whole array.
Main       agree, same, at_most, check, vanishes, certified, rejected, Disagreement; faults_of_the_checks; tallied and
           tally, which check said yes, and which said no where it had to.

An input that makes no sense (shapes that differ, NaN) raises something else, so that a control whose code is
wrong is not mistaken for a control that was rejected.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from verify.arrays import Array, to_numpy
from verify.certify.checker.outcome import Outcome, Status, proved, undecided

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


class Disagreement(AssertionError):
    """What was claimed and what was found differ.  check: the name of the check that says so, if one does."""

    check = ""


_accepted: Counter[str] = Counter()
_refused: Counter[str] = Counter()
_within: list[str] = []


def rejections() -> int:
    """How many `rejected()` blocks of this process have seen their Disagreement so far."""
    return _refused.total()


def tally() -> tuple[Counter[str], Counter[str]]:
    """How often each check of this process has said yes so far, and no inside a `rejected()` block."""
    return _accepted.copy(), _refused.copy()


def tallied(check: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """A check whose answers are counted; what it asks others to check counts as its own."""

    @wraps(check)
    def counted(*args: Arguments.args, **options: Arguments.kwargs) -> Answer:
        _within.append(check.__name__)
        try:
            answer = check(*args, **options)
        except Disagreement as no:
            no.check = check.__name__
            raise
        finally:
            _within.pop()
        if not _within:
            _accepted[check.__name__] += 1
        return answer

    return counted


@contextmanager
def rejected() -> Iterator[None]:
    """Pass exactly if the block raises Disagreement; others go through, since a crash is no rejection."""
    try:
        yield
    except Disagreement as no:
        _refused[no.check] += 1
        return
    raise AssertionError("the control was not rejected: a statement known to be false passed its check")


@tallied
def agree(actual: Array, expected: Array, *, tolerance: float, scale: float | None = None) -> float:
    """The relative error of `actual` (...) against `expected` (...) or a scalar; else Disagreement.

    `scale` replaces ||expected||. Where that is exactly zero and no scale is given, the error is absolute.
    ValueError if shapes differ, there is nothing to compare, or tolerance or scale is no bound; FloatingPointError if
    a value is not finite.
    """
    a, e = _finite(actual), _finite(expected)
    _bounds(tolerance=tolerance, scale=scale)
    if e.ndim and a.shape != e.shape:
        raise ValueError(f"shapes {a.shape} and {e.shape} differ")
    difference = _norm(a - e)
    size = _norm(np.broadcast_to(e, a.shape)) if scale is None else float(scale)
    error = difference / size if size > 0 else difference
    if not error <= tolerance:
        raise Disagreement(f"error {error:.3g} is above {tolerance:.3g} (relative to {size:.3g})")
    return error


@tallied
def at_most(actual: Array, bound: Array, *, slack: float = 0.0) -> float:
    """actual <= bound + slack everywhere, else Disagreement; returns the largest excess, or 0.  Errors: see `agree`."""
    a, b = _finite(actual), _finite(bound)
    _bounds(slack=slack)
    if "c" in (a.dtype.kind, b.dtype.kind):
        raise TypeError("complex numbers have no order")
    excess = float(np.max(a - b))
    if excess > slack:
        raise Disagreement(f"above its bound by {excess:.3g} (slack {slack:.3g})")
    return max(excess, 0.0)


@tallied
def same(actual: Any, expected: Any) -> None:
    """Exact equality of discrete things (numbers of points, index sets, kinds), else Disagreement.

    ValueError for arrays, which have no one truth; TypeError for a list and a tuple, which never are the same.
    """
    if any(isinstance(one, np.ndarray) and one.ndim for one in (actual, expected)):
        raise ValueError("arrays: compare lists (`tolist`), or use `agree`")
    if {type(actual), type(expected)} == {list, tuple}:
        raise TypeError("a list and a tuple are never the same, whatever they hold")
    if _undefined(actual) or _undefined(expected):
        raise FloatingPointError("a value is not a number, so there is nothing to compare")
    if actual != expected:
        raise Disagreement(f"found {actual!r}, expected {expected!r}")


@tallied
def check(condition: Any, message: str) -> None:
    """A bare yes, else Disagreement(message).

    The truth of an array or of an open relation is an error; so is that of what is true whatever it says: a function
    that was not called, a generator without `all`, a word, an expression, NaN. None, "cannot tell", is no yes.
    """
    # Of SymPy's objects only two are true or false; the rest count as true in Python, whatever they say.
    open_ = hasattr(condition, "free_symbols") and condition not in (True, False)
    if open_ or _undefined(condition) or callable(condition) or isinstance(condition, Iterator | str):
        raise TypeError(f"{condition!r} is neither true nor false")
    if not bool(condition):
        raise Disagreement(message)


@tallied
def vanishes(expression: Any) -> None:
    """A SymPy expression, or each entry of an explicit matrix, is identically zero, else Disagreement.

    TypeError for what is neither, ValueError for a matrix without entries, FloatingPointError for 0/0 and 1/0.
    """
    import sympy

    entries = list(expression) if isinstance(expression, sympy.MatrixBase) else [expression]
    if not entries:
        raise ValueError("a matrix without entries: nothing that could vanish")
    for entry in entries:
        if not isinstance(entry, sympy.Expr | int | float) or isinstance(entry, bool | sympy.MatrixExpr):
            raise TypeError(f"{entry!r} is no expression that could vanish")
        rest = sympy.simplify(entry)
        if rest.has(sympy.nan, sympy.zoo):
            raise FloatingPointError(f"{rest} is no number, so nothing vanishes")
        if rest != 0:
            raise Disagreement(f"does not vanish identically: {rest}")


@tallied
def certified(outcome: Outcome) -> None:
    """A checker of certificates proved it, else Disagreement: it refuted it, or could not decide."""
    if outcome.status is not Status.PROVED:
        raise Disagreement(f"{outcome.status}: {outcome.reason}")


def faults_of_the_checks() -> Iterator[str]:
    """What is wrong with the checks themselves: each is shown a true statement and a false one.

    Run before any claim is put to the test, so that a check that always says yes, or always no, breaks the run even
    where no claim happens to notice.
    """
    for name, says in _PROBES.items():
        for truth, verdict in ((True, "refuses a true statement"), (False, "accepts a false one")):
            try:
                says(truth)
                accepted = True
            except AssertionError:
                accepted = False
            if accepted != truth:
                yield f"the check `{name}` {verdict}"


def _probe_rejected(truth: bool) -> None:
    with rejected():
        if truth:
            raise Disagreement("a control that is refused")


def _probe_vanishes(truth: bool) -> None:
    import sympy

    x = sympy.Symbol("x")
    vanishes((x + 1) ** 2 - x**2 - 2 * x - int(truth))


_PROBES = {
    "agree": lambda truth: agree(float(truth), 1.0, tolerance=1e-3),
    "at_most": lambda truth: at_most(1.0, float(truth)),
    "same": lambda truth: same([truth], [True]),
    "check": lambda truth: check(truth, "no"),
    "vanishes": _probe_vanishes,
    "certified": lambda truth: certified(proved("") if truth else undecided("")),
    "rejected": _probe_rejected,
}


def _undefined(value: Any) -> bool:
    """Whether a number is NaN, the only thing that is not itself."""
    return isinstance(value, float | np.floating) and bool(value != value)


def _bounds(**named: float | None) -> None:
    """ValueError for a bound that is none: NaN, infinite, negative."""
    for name, value in named.items():
        if value is not None and not 0 <= float(value) < np.inf:
            raise ValueError(f"{name} = {value} is no bound")


def _finite(values: Array) -> Array:
    """FloatingPointError: a value is not finite; ValueError: there are none."""
    array = np.asarray(to_numpy(values))
    if array.size == 0:
        raise ValueError("an empty array: nothing to compare")
    if array.dtype.kind in "biuO":  # integers would wrap around; objects are SymPy and mpmath numbers
        array = array.astype(float)
    if not np.all(np.isfinite(array)):
        raise FloatingPointError("a value is not finite, so there is nothing to compare")
    return array


def _norm(array: Array) -> float:
    """Frobenius norm, scaled first: squares of 1e-200 and 1e200 leave the range of floating point."""
    largest = float(np.max(np.abs(array), initial=0.0))
    return largest * float(np.linalg.norm(np.ravel(array) / largest)) if largest > 0 else 0.0
