"""What is proved of the eigenvalues of data: an interval for each, and where a noise lies among them.

Notation   lam_j the eigenvalues of S in exact arithmetic, descending, low_j <= lam_j <= high_j rational; k latents;
           s = beta sigma2, which they are compared with.
Main       Enclosed (place, apart, value), Place; enclosed, of a covariance; not_below; Contradiction.
Reference  docs/mathematics.md, 13.5; verify/certify.

The numbers of a bare spectrum are exact. Of rows the eigenvalues of their covariance, formed exactly, lie within the
radii that verify.certify proves; what those leave open of one noise, a count of its own may decide.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, pairwise
from math import inf, isfinite, nextafter
from typing import Any
from weakref import WeakKeyDictionary

from verify.certify import subjects
from verify.certify.checker.counts import End, optimum, trace
from verify.certify.checker.outcome import Outcome, Status
from verify.certify.decided.thresholds import thresholds
from verify.certify.propose import counts
from verify.data.covariance import Covariance
from verify.eigenvalues import Eigenvalues
from verify.errors import InputError

# level -> a statement on how many eigenvalues exceed it, and what becomes of the statement.
Count = Callable[[Fraction], tuple[dict[str, Any], Outcome]]


class Contradiction(RuntimeError):
    """Two computations exclude each other, of which one is proved: a fault in this program."""


class OtherData(Contradiction, InputError):
    """What was read first is not what was read again: the data changed between, or a fault as above."""


@dataclass(frozen=True)
class Place:
    """Where a noise lies: `above` eigenvalues exceed it surely; of the next `level` ones each equals it.

    With a `why` nothing is proved of those `level` ones.
    """

    above: int
    level: int
    why: str | None = None

    def retained(self, k: int) -> tuple[int, int]:
        """How many of k latents the optimum retains, at least and at most (theory 1.5).  A tie counts as collapsed."""
        return min(k, self.above), min(k, self.above + (0 if self.why is None else self.level))


@dataclass(frozen=True, eq=False)
class Enclosed:
    """low, high (n,), both falling; of a bare spectrum equal. why: where nothing is proved, in words, and both empty.

    sha256: of the data, as in their certificates. trace: between what tr S lies. count: what may decide more of one
    level. memory: what was derived of them.
    """

    low: tuple[Fraction, ...]
    high: tuple[Fraction, ...]
    exact: bool
    sha256: str | None = None
    why: str | None = None
    trace: End = (Fraction(0), Fraction(0))
    count: Count | None = None
    memory: dict[Any, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.low)

    def place(self, level: Fraction) -> Place:
        """Where this noise lies.  level > 0."""
        place: Place = self.once(("place", level), lambda: self._placed(level))
        return place

    def once(self, key: Any, made: Callable[[], Any]) -> Any:
        """What `made` returns, computed once for each key."""
        if key not in self.memory:
            self.memory[key] = made()
        return self.memory[key]

    def _placed(self, level: Fraction) -> Place:
        every = range(len(self))
        above = bisect_left(every, True, key=lambda j: self.low[j] <= level)
        most = bisect_left(every, True, key=lambda j: self.high[j] < level)
        if self.exact or above == most:
            return Place(above, most - above)
        found, wanting = self._counted(level)
        if found is None:
            return Place(above, most - above, _beside(above, most) + wanting)
        if not above <= found[0] <= sum(found) <= most:
            raise Contradiction(
                f"{found[0]} eigenvalues exceed {float(level)!r} and {found[1]} equal it; by their radii {above} to "
                f"{most} do"
            )
        return Place(*found)

    def _counted(self, level: Fraction) -> tuple[tuple[int, int] | None, str]:
        """How many exceed the level and how many equal it, by a certificate of its own; else what would decide it."""
        if self.count is None:
            return None, ""
        statement, outcome = self.count(level)
        if outcome.status is Status.PROVED:
            return (int(statement["above"]), int(statement.get("equal", 0))), ""
        return None, counts.WANTING if outcome.reason.endswith(counts.WANTING) else ""

    @cached_property
    def groups(self) -> tuple[tuple[int, int], ...]:
        """For each j the run [start, end) of those that it is not proved to differ from; of exact ones, its equals."""
        starts = [0, *(j for j in range(1, len(self)) if self.apart(j - 1, j)), len(self)]
        runs = [(a, b) for a, b in pairwise(starts) for _ in range(a, b)]
        return tuple(runs)

    def apart(self, one: int, other: int) -> bool:
        """Whether lam_one > lam_other is proved."""
        return self.low[one] > self.high[other]

    def radius(self, j: int, value: Fraction) -> float:
        """Within how much of a value lam_j lies."""
        return not_below(max(self.high[j] - value, value - self.low[j]))

    def value(self, sigma2: Fraction, beta: Fraction, most: int) -> End:
        """Between what the largest value of the beta-ELBO lies at sigma2, where at most `most` latents are retained."""
        return optimum(len(self), self.trace, list(zip(self.low[:most], self.high[:most], strict=True)), sigma2, beta)

    def agree(self, measured: Eigenvalues) -> None:
        """Raises OtherData where an eigenvalue cannot be what is measured and what is proved."""
        errors = zip(measured.values.tolist(), measured.errors.tolist(), self.low, self.high, strict=True)
        for j, (value, error, low, high) in enumerate(errors, start=1):
            # What was settled and added up in doubles may be off by an ulp or two itself.
            slack = Fraction(abs(value) + error) / 2**50
            if (
                not low - slack <= Fraction(value) + Fraction(error)
                or not Fraction(value) - Fraction(error) <= high + slack
            ):
                raise OtherData(
                    f"lam_{j} was measured as {value!r} within {error!r}, and lies between {float(low)!r} and "
                    f"{float(high)!r}; the data changed since they were read: read them again"
                )


def not_below(x: Fraction) -> float:
    """A double that is not below x >= 0, and 0 for 0."""
    near = float(x)
    return near if Fraction(near) >= x else nextafter(near, inf)


def _beside(above: int, most: int) -> str:
    if most == above + 1:
        return f"lam_{most} is nearer to the noise than the proven bound on rounding"
    return f"lam_{above + 1} to lam_{most} are nearer to the noise than the proven bound on rounding"


def nothing(why: str) -> Enclosed:
    """Nothing is proved, and why."""
    return Enclosed((), (), False, why=why)


def exactly(numbers: Sequence[Fraction], sha256: str | None = None) -> Enclosed:
    """Numbers, descending, at their word."""
    total = sum(numbers, Fraction(0))
    return Enclosed(tuple(numbers), tuple(numbers), True, sha256, trace=(total, total))


def within(
    values: Sequence[float],
    radii: Sequence[float],
    *,
    trace: End | None = None,
    count: Count | None = None,
    sha256: str | None = None,
) -> Enclosed:
    """Eigenvalues of a covariance, each within its radius; in order they are, and none is negative.

    trace: between what their sum lies, where that is known better.
    """
    if not all(map(isfinite, radii)):
        return nothing("no bound on the rounding of all eigenvalues was found")
    pairs = [(Fraction(v), Fraction(r)) for v, r in zip(values, radii, strict=True)]
    least = [max(v - r, Fraction(0)) for v, r in pairs]
    most = [max(v + r, Fraction(0)) for v, r in pairs]
    low, high = tuple(accumulate(reversed(least), max))[::-1], tuple(accumulate(most, min))
    if any(a > b for a, b in zip(low, high, strict=True)):
        raise Contradiction("the radii of eigenvalues leave no place for one of them")
    total = trace or (sum(low, Fraction(0)), sum(high, Fraction(0)))
    return Enclosed(low, high, False, sha256, trace=total, count=count)


_ENCLOSED: "WeakKeyDictionary[Covariance, Enclosed]" = WeakKeyDictionary()


def enclosed(covariance: Covariance) -> Enclosed:
    """What is proved of the eigenvalues of this covariance; where that is nothing, why.  Once for each."""
    if covariance not in _ENCLOSED:
        _ENCLOSED[covariance] = _of(covariance)
    return _ENCLOSED[covariance]


def _of(covariance: Covariance) -> Enclosed:
    if covariance.spectrum.exact is not None:
        subject = subjects.of_spectrum(covariance.spectrum.exact)
        return exactly(covariance.spectrum.exact, subject.sha256)
    if covariance.source is None or covariance.N is None:
        return nothing("the rows could be read only once, and certificates need them again")
    try:
        subject = subjects.of_source(covariance.source, covariance.N, covariance.n)
        found = thresholds(subject)
    except InputError as error:
        return nothing(str(error))
    made = within(
        found.values.tolist(),
        found.radii.tolist(),
        trace=trace(subject),
        count=lambda level: counts.count(subject, level),
        sha256=subject.sha256,
    )
    if made.why is None:
        made.agree(covariance.spectrum)
    return made
