"""Statements of certificates in words, as people read them: no more than they state, bounds rounded outwards.

Main       sentence; SENTENCES, one function for each kind; shown, at_most, at_least.

Whoever trusts what `certify --check` says trusts these sentences too.
"""

from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from typing import Any

from verify.certify.checker.numbers import exact, matrix

Statement = dict[str, Any]
_DIGITS = 9
_LISTED = 4  # intervals


def sentence(statement: Statement) -> str:
    """What it states.  The statement is one that its check has read."""
    return SENTENCES[statement["kind"]](statement)


def shown(given: str | Fraction) -> str:
    """The number itself: a short decimal where it is one, else as it is written."""
    value = exact(given) if isinstance(given, str) else given
    if abs(value) < 2**1000 and Fraction(repr(float(value))) == value:
        return repr(float(value)).removesuffix(".0")
    return str(given) if len(str(given)) <= 40 else f"about {_rounded(value, _DIGITS, ROUND_FLOOR)}"


def at_least(given: str, digits: int = _DIGITS) -> str:
    """A number not above it, in nine digits."""
    return _rounded(exact(given), digits, ROUND_FLOOR)


def at_most(given: str, digits: int = _DIGITS) -> str:
    """A number not below it, in nine digits."""
    return _rounded(exact(given), digits, ROUND_CEILING)


def _rounded(value: Fraction, digits: int, rounding: str) -> str:
    context = Context(prec=digits, rounding=rounding, Emax=MAX_EMAX, Emin=MIN_EMIN)
    return f"{context.divide(Decimal(value.numerator), Decimal(value.denominator)):.{digits}g}"


def _count(s: Statement) -> str:
    above, same = s["above"], s.get("equal", 0)
    many = f"{'at least' if s.get('at_least') is True else 'exactly'} {above} {_plural('eigenvalue', above)}"
    equal = f", and {same} {'equals' if same == 1 else 'equal'} it" if same else ""
    none = ", and none equals it" if not same and s.get("at_least") is not True else ""
    return f"{many} {'exceeds' if above == 1 else 'exceed'} {shown(s['level'])}{equal}{none}"


def _eigenvalues(s: Statement) -> str:
    ends = s["intervals"]
    listed = [f"lam_{j} in [{at_least(low)}, {at_most(high)}]" for j, (low, high) in enumerate(ends[:_LISTED], start=1)]
    more = f" and {len(ends) - _LISTED} more in the file" if len(ends) > _LISTED else ""
    return f"{', '.join(listed)}{more}"


def _optimum(s: Statement) -> str:
    k, kept, weight = s["k"], s["retained"], exact(s.get("beta", "1"))
    of = f", beta = {shown(weight)}" if weight != 1 else ""
    rest, value = k - kept, "ELBO" if weight == 1 else "weighted ELBO"
    low, high = at_least(s["value"][0]), at_most(s["value"][1])
    return (
        f"the optimum of {k} {_plural('latent', k)} at sigma2 = {shown(s['sigma2'])}{of} retains {kept}, and {rest} "
        f"{'collapses' if rest == 1 else 'collapse'}; its {value} per datum lies in [{low}, {high}]"
    )


def _point(s: Statement) -> str:
    """Which point of what."""
    objective = "likelihood" if s["objective"] == "ppca" else "ELBO"
    noise = "a learned noise" if s["sigma2"] == "learned" else f"sigma2 = {shown(s['sigma2'])}"
    near = f"within {at_most(s['radius'], 2)} of the W in the file, whose columns have lengths {_lengths(s)}"
    return f"{objective}, {s['k']} {_plural('latent', s['k'])}, {noise}: {near},"


def _stationary(s: Statement) -> str:
    return f"{_point(s)} lies exactly one stationary point, up to its symmetry"


def _inertia(s: Statement) -> str:
    signs = f"{s['positive']} rising, {s['negative']} falling, {s['zero']} level by symmetry"
    return f"{_point(s)} lies a stationary point with so many directions: {signs}"


def _saddle(s: Statement) -> str:
    rate = at_least(s["curvature"])
    return f"{_point(s)} lies a saddle, and along some unit direction the second derivative there exceeds {rate}"


def _lengths(s: Statement) -> str:
    context = Context(prec=6, Emax=MAX_EMAX, Emin=MIN_EMIN)
    squares = (sum((Fraction(x) ** 2 for x in column), Fraction(0)) for column in matrix(s["W"], exact).T.tolist())
    roots = (context.sqrt(context.divide(Decimal(x.numerator), Decimal(x.denominator))) for x in squares)
    return ", ".join(f"{root:.6g}" for root in roots)


def _witness(s: Statement) -> str:
    return f"at a noise of {shown(s['level'])}, and below it, some decoder does better than total collapse"


def _every_decoder(s: Statement) -> str:
    return f"at a noise of {shown(s['level'])}, and above it, no decoder whatever does better than total collapse"


def _box(s: Statement) -> str:
    ends = ", ".join(f"x_{i} in [{shown(low)}, {shown(high)}]" for i, (low, high) in enumerate(s["box"]))
    return f"of all parameters ({ends}) the function {s['function']!r} of docs/certificates.md is {s['sign']} 0"


def _plural(word: str, number: int) -> str:
    return word if number == 1 else f"{word}s"


SENTENCES: dict[str, Callable[[Statement], str]] = {
    "count": _count,
    "eigenvalues": _eigenvalues,
    "optimum": _optimum,
    "stationary": _stationary,
    "inertia": _inertia,
    "saddle": _saddle,
    "witness": _witness,
    "every decoder": _every_decoder,
    "box": _box,
}
