"""Statements of certificates in words, as people read them: no more than they state.

Bounds that are proved are rounded outwards; where a statement is not proved its numbers are told exactly, since what is
false in all digits may be true in nine.

Main       sentence; SENTENCES, one function for each kind; shown.

Whoever trusts what `certify --check` says trusts these sentences too.
"""

from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from fractions import Fraction
from typing import Any

from verify.certify.checker.functions import FUNCTIONS
from verify.certify.checker.numbers import exact, matrix
from verify.words.numerals import at_least, at_most, typed

Statement = dict[str, Any]
End = Callable[[str, int], str]  # a bound in words: the number, -1 for a lower and 1 for an upper one
DIGITS = 9
_LISTED = 4  # intervals
_DOUBLE = 60  # digits: more than a double of common size has


def sentence(statement: Statement, proved: bool = True) -> str:
    """What it states; exactly that, unless it is proved.  The statement is one that its check has read."""
    return SENTENCES[statement["kind"]](statement, _outwards if proved else _itself)


def _outwards(given: str, side: int) -> str:
    return (at_least if side < 0 else at_most)(exact(given), DIGITS)


def _itself(given: str, side: int) -> str:
    text = shown(given, _DOUBLE)
    return given if text.startswith("about") else text


def shown(given: str | Fraction, digits: int = 40) -> str:
    """The number itself: a short decimal where it is one, else as it is written."""
    value = exact(given) if isinstance(given, str) else given
    if abs(value) < 2**1000 and Fraction(repr(float(value))) == value:
        return typed(float(value))
    decimal = Context(prec=digits).divide(Decimal(value.numerator), Decimal(value.denominator))
    if Fraction(decimal) == value and abs(decimal.adjusted()) < digits:
        return f"{decimal:f}"
    return str(given) if len(str(given)) <= 40 else f"about {at_least(value, DIGITS)}"


def _between(low: str, high: str, end: End) -> str:
    """The interval: in nine digits no narrower than it is, or itself."""
    return f"[{end(low, -1)}, {end(high, 1)}]"


def _count(s: Statement, end: End) -> str:
    above, same = s["above"], s.get("equal", 0)
    many = f"{'at least' if s.get('at_least') is True else 'exactly'} {above} {_plural('eigenvalue', above)}"
    equal = f", and {same} {'equals' if same == 1 else 'equal'} it" if same else ""
    none = ", and none equals it" if not same and s.get("at_least") is not True else ""
    return f"{many} {'exceeds' if above == 1 else 'exceed'} {shown(s['level'])}{equal}{none}"


def _eigenvalues(s: Statement, end: End) -> str:
    if "intervals" not in s:
        return "where the first eigenvalues lie"
    ends = s["intervals"]
    listed = [f"lam_{j} in {_between(low, high, end)}" for j, (low, high) in enumerate(ends[:_LISTED], start=1)]
    more = f" and {len(ends) - _LISTED} more in the file" if len(ends) > _LISTED else ""
    return f"{', '.join(listed)}{more}"


def _optimum(s: Statement, end: End) -> str:
    k, kept, weight = s["k"], s["retained"], exact(s.get("beta", "1"))
    of = f", beta = {shown(weight)}" if weight != 1 else ""
    model = "a linear VAE (and of probabilistic PCA)" if weight == 1 else "a linear VAE"
    value, rest = "ELBO" if weight == 1 else "weighted ELBO", k - kept
    lost = f"{rest or 'none'} {'collapse' if rest > 1 else 'collapses'}"
    lies = f"; its {value} per datum lies in {_between(s['value'][0], s['value'][1], end)}" if "value" in s else ""
    return (
        f"the optimum of {model} with {k} {_plural('latent', k)} at sigma2 = {shown(s['sigma2'])}{of} retains {kept}, "
        f"and {lost}{lies}"
    )


def _point(s: Statement, end: End) -> str:
    """Where it lies, of which objective."""
    objective = "likelihood" if s["objective"] == "ppca" else "ELBO"
    noise = "learned noise" if s["sigma2"] == "learned" else f"sigma2 = {shown(s['sigma2'])}"
    radius = at_most(exact(s["radius"])) if end is _outwards else end(s["radius"], 1)
    near = f"within {radius} of the W in the file, with columns of lengths {_lengths(s)}"
    return f"{near}, the {objective} of {s['k']} {_plural('latent', s['k'])} at {noise} has"


def _stationary(s: Statement, end: End) -> str:
    return f"{_point(s, end)} a stationary point, and no other on the slice across the rotations of its columns"


def _inertia(s: Statement, end: End) -> str:
    total = s["positive"] + s["negative"] + s["zero"]
    ways = f"rises in {s['positive']}, falls in {s['negative']}, and stays level in {s['zero']} by symmetry"
    return f"{_point(s, end)} a stationary point; of {total} directions from there it {ways}"


def _saddle(s: Statement, end: End) -> str:
    rate = end(s["curvature"], -1)
    return f"{_point(s, end)} a saddle; along some unit direction the second derivative there exceeds {rate}"


def _lengths(s: Statement) -> str:
    context = Context(prec=6, Emax=MAX_EMAX, Emin=MIN_EMIN)
    squares = (sum((Fraction(x) ** 2 for x in column), Fraction(0)) for column in matrix(s["W"], exact).T.tolist())
    roots = (context.sqrt(context.divide(Decimal(x.numerator), Decimal(x.denominator))) for x in squares)
    return ", ".join(f"{root:.6g}" for root in roots)


def _witness(s: Statement, end: End) -> str:
    return f"at a noise of {shown(s['level'])}, and below it, some decoder does better than total collapse"


def _every_decoder(s: Statement, end: End) -> str:
    return f"at a noise of {shown(s['level'])}, and above it, no decoder whatever does better than total collapse"


def _box(s: Statement, end: End) -> str:
    ends = ", ".join(f"x_{i} in [{shown(low)}, {shown(high)}]" for i, (low, high) in enumerate(s["box"]))
    low, high = map(exact, s["box"][0])
    but = ", except where x_0 = 0," if FUNCTIONS[s["function"]].order and low <= 0 <= high else ""
    name = f"the function {s['function']!r} of docs/certificates.md"
    return f"of no data, but of all parameters ({ends}): {name}{but} is {s['sign']} 0"


def _plural(word: str, number: int) -> str:
    return word if number == 1 else f"{word}s"


SENTENCES: dict[str, Callable[[Statement, End], str]] = {
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
