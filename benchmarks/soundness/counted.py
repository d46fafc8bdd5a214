"""Counts of eigenvalues, their enclosures, and optima: as proposed, changed, and whether what is then stated is true.

Notation   S (n, n) exact; what is stated speaks of all matrices within r of it in the spectral norm. By Weyl their j-th
           eigenvalues go through [lam_j - r, lam_j + r]: a statement is true of all, false of all, or OPEN.
Main       About; counted, enclosed, optimal; count_truth, intervals_truth, optimum_truth.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NoReturn

import numpy as np

from benchmarks.soundness.asked import OPEN, Posed, Question, Statement, Truth
from benchmarks.soundness.exact import Symmetric
from verify.certify.checker.numbers import written
from verify.certify.checker.subject import Subject
from verify.certify.propose import counts
from verify.errors import InputError

Interval = tuple[Fraction, Fraction]
_BITS = 400  # of the balls in which a value is known


@dataclass(frozen=True)
class About:
    """The subject of statements, and what is known of it exactly."""

    family: str
    subject: Subject
    S: Symmetric
    r: Fraction = Fraction(0)

    def posed(self, name: str, truth: Truth, statement: Statement) -> Posed:
        return Posed(self.family, name, truth, statement, self.subject)


def levels(values: np.ndarray, rng: np.random.Generator) -> list[Fraction]:
    """Two of: zero; an eigenvalue as computed, the double beside it, a third between doubles, near it; between two."""
    near = float(rng.choice(values))
    beside = float(np.nextafter(near, rng.choice([-np.inf, np.inf])))
    close = near + float(np.abs(values).max()) * float(rng.choice([-1, 1])) * 2.0 ** -float(rng.uniform(30, 54))
    i = int(rng.integers(len(values)))
    between = (Fraction(float(values[i])) + Fraction(float(values[i - 1]))) / 2
    several = [Fraction(0), Fraction(near), Fraction(beside), Fraction(near) + Fraction(1, 3 * 2**70), between]
    several += [Fraction(close)] * 2
    return [several[int(j)] for j in rng.permutation(len(several))[:2]]


def proposed(about: About, name: str, propose: Callable[[], tuple[Statement, Any]]) -> Statement | Question | None:
    """The statement that is proposed; see `offered`."""
    return offered(about.family, name, about.subject, lambda: propose()[0])


def offered(family: str, name: str, subject: Subject, propose: Callable[[], Any]) -> Any:
    """What is proposed; None where it is refused; where whoever proposes falls over, a question that tells."""
    try:
        return propose()
    except InputError:
        return None  # it may give up, and is not trusted anyway
    except Exception as error:
        fallen = error

        def ask() -> NoReturn:
            raise fallen

        return Question(family, f"{name}, proposed", None, ask, Posed(family, name, None, {}, subject).told)


def counted(about: About, level: Fraction, rng: np.random.Generator) -> Iterator[Posed | Question]:
    """How many eigenvalues exceed the level."""
    statement = proposed(about, "count", lambda: counts.count(about.subject, level))
    if not isinstance(statement, dict):
        yield from [statement] if statement else []
        return
    above, equal = statement["above"], statement.get("equal", 0)
    changes: dict[str, Statement] = {
        "count": {},
        "count, off by one": {"above": max(0, above + int(rng.choice([-1, 1])))},
        "count, at least": {"at_least": True},
        "count, at least one more": {"at_least": True, "above": above + 1},
        "count, one equal": {"equal": equal + 1, "above": max(0, above - 1)},
    }
    for name, changed in changes.items():
        stated = {**statement, **changed}
        yield about.posed(name, count_truth(about, level, stated), stated)


def count_truth(about: About, level: Fraction, stated: Statement) -> Truth:
    """Of "exactly `above` exceed the level and `equal` are equal to it", or of "at least so many exceed it"."""
    S, r, above, equal = about.S, about.r, stated["above"], stated.get("equal", 0)
    surely = S.above(level + r)
    perhaps = S.above(level - r) if r else surely
    if stated.get("at_least"):
        return True if above <= surely else False if above > perhaps else OPEN
    if not r:
        return above == surely and equal == S.equal(level)
    within = S.least(level - r) - surely  # so many may be equal to the level
    if not surely <= above <= perhaps or equal > within:
        return False
    if equal:
        return OPEN
    if not within:
        return True
    return OPEN if S.least(level + r) <= above else False  # of all matrices so many reach the level


def enclosed(about: About, rng: np.random.Generator) -> Iterator[Posed | Question]:
    """The first m eigenvalues, in the intervals that were proposed, and in others."""
    m = int(rng.integers(1, about.subject.n + 1))
    statement = proposed(about, "eigenvalues", lambda: counts.eigenvalues(about.subject, m))
    if not isinstance(statement, dict):
        yield from [statement] if statement else []
        return
    intervals = [(read(low), read(high)) for low, high in statement["intervals"]]
    j, part = int(rng.integers(m)), Fraction(float(rng.uniform(0, 0.6)))
    low, high = intervals[j]
    width = (high - low) or abs(about.S.unit) / 2**60
    ways = {
        "eigenvalues": (low, high),
        "eigenvalues, moved": (low + width * part, high + width * part),
        "eigenvalues, beside": (high, high + width),
        "eigenvalues, narrow": (low + width * part, high - width * part),
        "eigenvalues, reversed": (high, low),
    }
    for name, way in ways.items():
        changed = [*intervals[:j], way, *intervals[j + 1 :]]
        stated = {**statement, "intervals": [[written(x) for x in pair] for pair in changed]}
        yield about.posed(name, intervals_truth(about, changed), stated)


def read(number: str) -> Fraction:
    """As a certificate writes numbers."""
    return Fraction(float.fromhex(number)) if "x" in number else Fraction(number)


def intervals_truth(about: About, intervals: list[Interval]) -> Truth:
    """Of "the j-th largest eigenvalue lies in the j-th interval, for all j"."""
    r, numbered = about.r, list(enumerate(intervals, start=1))
    if all(about.S.holds(j, lo + r, hi - r) for j, (lo, hi) in numbered):
        return True
    return OPEN if all(lo <= hi and about.S.holds(j, lo - r, hi + r) for j, (lo, hi) in numbered) else False


def optimal(
    about: About, k: int, sigma2: Fraction, beta: Fraction, rng: np.random.Generator
) -> Iterator[Posed | Question]:
    """What the optimum retains, and its value: as proposed, and with one thing changed."""
    statement = proposed(about, "optimum", lambda: counts.optimum(about.subject, k, sigma2, beta))
    if not isinstance(statement, dict):
        yield from [statement] if statement else []
        return
    if "value" not in statement:  # no enclosure of it was found, and nothing is offered
        return
    retained, (low, high) = statement["retained"], (read(x) for x in statement["value"])
    width = (high - low) or Fraction(1, 2**60)
    part = Fraction(float(rng.uniform(0, 0.6)))
    changes: dict[str, Statement] = {
        "optimum": {},
        "optimum, one more": {"retained": retained + 1},
        "optimum, one less": {"retained": max(0, retained - 1)},
        "optimum, beside": {"value": [written(high), written(high + width)]},
        "optimum, moved": {"value": [written(low - width * part), written(high - width * part)]},
        "optimum, narrow": {"value": [written(low + width * part), written(high - width * part)]},
        "optimum, other noise": {"sigma2": written(sigma2 * (1 + Fraction(int(rng.choice([-1, 1])), 2**44)))},
        "optimum, other weight": {"beta": written(beta * (1 + Fraction(int(rng.choice([-1, 1])), 2**20)))},
        "optimum, other k": {"k": max(1, k - 1) if rng.random() < 0.5 else min(k + 1, about.subject.n)},
    }
    for name, changed in changes.items():
        stated = {**statement, **changed}
        yield about.posed(name, optimum_truth(about.S, stated), stated)


def optimum_truth(S: Symmetric, stated: Statement) -> Truth:
    """Whether min(k, #{lam_j > beta sigma2}) is what is retained, and the value lies in its interval; of S alone."""
    sigma2, beta = read(stated["sigma2"]), read(stated.get("beta", "1"))
    if stated["retained"] != min(stated["k"], S.above(beta * sigma2)):
        return False
    low, high = (read(x) for x in stated["value"])
    return within(value_of(S, stated["retained"], sigma2, beta), low, high)


def value_of(S: Symmetric, retained: int, sigma2: Fraction, beta: Fraction) -> Any:
    """A ball of the greatest beta-ELBO: -(n log(2 pi sigma2) + beta sum_j g(lam_j/s))/2, s = beta sigma2.

    g(x) = 1 + log x for those that are retained, x for the others.
    """
    import flint

    before, flint.ctx.prec = flint.ctx.prec, _BITS
    try:
        s, total = ball(beta * sigma2), ball(Fraction(0))
        for i, x in enumerate(eigenvalues(S)):
            total += 1 + (x / s).log() if i < retained else x / s
        return -(S.n * (2 * flint.arb.pi() * s / ball(beta)).log() + ball(beta) * total) / 2
    finally:
        flint.ctx.prec = before


def eigenvalues(S: Symmetric) -> list[Any]:
    """Balls of the eigenvalues of S, descending, each as often as it stands."""
    import flint

    roots = flint.fmpz_mat(S.whole).charpoly().complex_roots()
    balls = [(getattr(x, "real", x) * ball(S.unit), many) for x, many in roots]
    return [x for x, many in sorted(balls, key=lambda root: -float(root[0].mid())) for _ in range(many)]


def ball(x: Fraction) -> Any:
    """A fraction, within a rounding."""
    import flint

    return flint.arb(x.numerator) / x.denominator


def within(value: Any, low: Fraction, high: Fraction) -> Truth:
    """Whether low <= value <= high; None where the ball does not tell."""
    import flint

    before, flint.ctx.prec = flint.ctx.prec, _BITS
    try:
        lo, hi = ball(low), ball(high)
        if value >= lo and value <= hi:
            return True
        return False if value < lo or value > hi or low > high else None
    finally:
        flint.ctx.prec = before
