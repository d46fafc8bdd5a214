"""Which stationary points are proved to be what a document says: index, nullity, kind, strict, global.

Notation   lam_j the eigenvalues of S in exact arithmetic, as they are enclosed; A retained (q of them), k columns, s
           the noise they are compared with (beta sigma2; where it is learned the root of its equation); a block b has
           k_b columns, the eigen-indices A_b (q_b), z_b = k_b - q_b zero rows, the constant m_b; t_a = sqrt(lam_a m_b).
Main       certified, of the points of a document; counts, of one point.
Reference  docs/mathematics.md: Propositions 2 to 5, 8, 9 and Theorems A and B, all of them proved (claims spectrum,
           block-inertia, learned-noise-inertia, elbo-points, learned-noise-saddles, fixed-noise-maxima).

The spectrum of every Hessian is known in closed form up to the size of what is inside a block, whose signs are known.
So index and nullity are numbers of signs: of lam_j - lam_a, lam_j - s, m_b - m_c and sum_A_b sqrt(lam_j lam_d) +
z_b lam_j - k_b s. They are decided on rational intervals, and in balls where there are roots, of more and more digits
where the eigenvalues are exact. One sign that stays open leaves the point undecided. Values, and the order of points by
value, are not certified. What is used of the point is which indices each block holds, and none of its doubles.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from verify.analysis.certified_noise import (
    PRECISIONS,
    Noise,
    Open,
    constant,
    ends,
    lam,
    noise_of,
    rational_constant,
    rational_sum,
    root,
)
from verify.analysis.enclosed import Contradiction, Enclosed
from verify.certify.checker.balls import ball, precision
from verify.errors import InputError
from verify.landscape.points import Block, Point
from verify.words.caveats import names
from verify.words.certified import CERTIFIED, UNDECIDED

Document = dict[str, Any]
Memory = dict[Any, Any]
# Blocks of more columns have too many subsets of their scales.
MOST_COLUMNS = 16


@dataclass(frozen=True)
class Counts:
    """Positive and zero eigenvalues of the Hessian of a stationary point."""

    index: int
    nullity: int


def certified(described: Sequence[Document], points: Sequence[Point], found: Enclosed, level: Fraction | None) -> None:
    """Each entry of "points" gets "certified", and what is proved where rounding left it open.  Raises Contradiction.

    level: beta sigma2; None: the noise is learned.
    """
    memory: Memory = {}
    for number, (of, point) in enumerate(zip(described, points, strict=True), start=1):
        if level is None:  # every point has a noise of its own
            memory = {}
        try:
            proved = counts(point, found, level, memory)
        except (Open, InputError) as error:
            of["certified"] = {"status": UNDECIDED, "why": str(error)}
            continue
        # Ties of what was measured, and of decimals that agree to 40 digits, may be none: zeros are then signs.
        zeros = max(of["nullity"] - of["gauge"], of["undecided"])
        if not of["index"] <= proved.index <= of["index"] + zeros or proved.nullity > of["nullity"]:
            raise Contradiction(
                f"point {number}: index {of['index']} and nullity {of['nullity']} were computed, and {proved.index} and"
                f" {proved.nullity} are proved"
            )
        of |= _kind(proved, of["gauge"], len(found) * point.k + int(point.objective == "elbo" or level is None))
        of["certified"] = {"status": CERTIFIED, "why": None}


def _kind(proved: Counts, gauge: int, most: int) -> Document:
    """What follows from index and nullity.  most: the index of a minimum, where there can be one."""
    kind = "maximum" if proved.index == 0 else "minimum" if proved.index == most else "saddle"
    return {
        **vars(proved),
        "undecided": 0,
        "kind": kind,
        "strict": proved.nullity == gauge,
        "global": kind == "maximum",  # Theorem A and Proposition 5: of index 0 are global maxima alone
    }


def counts(point: Point, found: Enclosed, level: Fraction | None, memory: Memory | None = None) -> Counts:
    """Index and nullity of a stationary point, from what is proved of the eigenvalues.

    memory: of signs at the same noise, which other points have as well.
    Raises Open: a sign that is not decided; InputError: no python-flint; Contradiction: it is no stationary point.
    """
    if found.why is not None:
        raise Open(found.why)
    at = _At(point, found, noise_of(point, found, level), {} if memory is None else memory)
    at.exists()
    parts = [at.towards_discarded(), at.zero_columns(), at.zero_rows(), at.between_singles(), at.inside(), at.between()]
    # At learned noise the Hessian has one more eigenvalue: negative, or zero along the curve C = S.
    along = int(level is None and len(point.retained) == len(found))
    return Counts(sum(p.index for p in parts), sum(p.nullity for p in parts) + along)


class _At:
    """A point among eigenvalues that are enclosed, and the signs of which its index and nullity are made."""

    def __init__(self, point: Point, found: Enclosed, noise: Noise, memory: Memory):
        self.point, self.found, self.noise, self.memory = point, found, noise, memory
        self.elbo = point.objective == "elbo"
        self.kept = point.retained
        self.singles = [b.eigen[0] for b in point.blocks if b.columns == 1 and b.eigen]
        self.larger = [b for b in point.blocks if b.columns > 1]
        self.zero = sum(not b.eigen for b in point.blocks)

    def exists(self) -> None:
        """Every column exceeds the noise: lam_a > s, and t_a > s in a block.  Raises Open, Contradiction."""
        decided = [(f"lam_{a + 1}", self.noise.holds(a)) for a in self.singles]
        decided += [(f"t_{b.eigen[-1] + 1}", _true(self.row(b.eigen[-1], b))) for b in self.larger]
        for name, holds in decided:
            if holds is None:
                raise Open(f"whether {name} exceeds the noise is open, and so whether the point exists")
            if not holds:
                raise Contradiction(f"{name} does not exceed the noise: this is no stationary point")

    def discarded(self, start: int, end: int) -> int:
        """How many of [start, end) are discarded."""
        return end - start - (bisect_left(self.kept, end) - bisect_left(self.kept, start))

    def tie(self, one: int, other: int) -> int:
        """1 for an eigenvalue that is 0 because lam_one = lam_other exactly.  Raises Open where that is open."""
        if self.found.exact:
            return 1
        raise Open(f"{names(sorted((one + 1, other + 1)))} are not proved to differ")

    def towards_discarded(self) -> Counts:
        """The sign of lam_j - lam_a for every retained a and discarded j (Propositions 3 and 9)."""
        index = nullity = 0
        for a in self.kept:
            start, end = self.found.groups[a]
            index += self.discarded(0, start)
            if level := self.discarded(start, end):
                nullity += level * self.tie(a, next(j for j in range(start, end) if j not in self.kept))
        return Counts(index, nullity)

    def zero_columns(self) -> Counts:
        """The sign of lam_j - s for every zero column and discarded j."""
        if not self.zero:
            return Counts(0, 0)
        above, below = self.noise.above, self.noise.below
        return self._of_signs(self.zero, above, below, self.noise.tied, "the noise")

    def _of_signs(self, times: int, above: int, below: int, tied: bool, than: str) -> Counts:
        """Discarded before `above` rise, those from `below` on fall, those between are tied, or open."""
        if (level := self.discarded(above, below)) and not tied:
            j = next(j for j in range(above, below) if j not in self.kept)
            raise Open(f"lam_{j + 1} is not proved to differ from {than}")
        return Counts(times * self.discarded(0, above), times * level)

    def zero_rows(self) -> Counts:
        """For every zero row of a larger block and discarded j the sign of `row`, which falls with j."""
        if self.noise.balanced:
            return Counts(0, 1)
        parts = [self._zero_rows_of(b) for b in self.larger if b.zeros]
        return Counts(sum(p.index for p in parts), sum(p.nullity for p in parts))

    def _zero_rows_of(self, b: Block) -> Counts:
        every = range(len(self.found))
        above = bisect_left(every, True, key=lambda j: self.row(j, b) != 1)
        below = bisect_left(every, True, key=lambda j: self.row(j, b) == -1)
        tied = all(self.row(j, b) == 0 for j in range(above, below))
        return self._of_signs(b.zeros, above, below, tied, f"what a zero row beside {_held(b)} is level with")

    def between_singles(self) -> Counts:
        """Two retained columns: of L a rotation is gauge, of P it is flat where their eigenvalues are equal."""
        q = len(self.singles)
        if not self.elbo:
            return Counts(0, q * (q - 1) // 2 + q * self.zero)
        ordered = sorted(self.singles)
        nullity = 0
        for i, a in enumerate(ordered):
            nullity += sum(self.tie(a, b) for b in ordered[i + 1 :] if b < self.found.groups[a][1])
        return Counts(0, nullity)

    def inside(self) -> Counts:
        """Inside a block k_b - 1 eigenvalues are positive and q_b (q_b + 1)/2 negative, if it is minimal."""
        index = nullity = 0
        for b in self.larger:
            self.minimal(b)
            q, rises = len(b.eigen), b.columns - 1
            index += rises
            nullity += q * b.columns - rises - q * (q + 1) // 2
        return Counts(index, nullity)

    def minimal(self, b: Block) -> None:
        """Raises Open unless a block is surely minimal."""
        if not self._once(("minimal", b), lambda: self._minimal(b)):
            raise Open(f"the block on {_held(b)} can fall apart into smaller ones, where fewer directions rise")

    def _minimal(self, b: Block) -> bool:
        """Whether the graph M_ij != 0 of a block is surely connected, whatever its rotation.

        On a component M has the diagonal m_b and eigenvalues t_a, or s, which then have the mean m_b: as deviations of
        a proper subset they add up to 0. Where no subset does, there is one component. Of a subset and what is left of
        the block one lacks the first.
        """
        if b.columns > MOST_COLUMNS:
            raise Open(f"a block of {b.columns} columns is too large to be looked through")
        with precision(PRECISIONS[0]):
            s = self.noise.ball()
            m = constant(self.found, b, s)
            scales = [root(self.found, a) * m.sqrt() for a in b.eigen] + [s] * b.zeros
            off_mean = [ends(t / m - 1) for t in scales[1:]]
        centre, off = np.array([(lo + hi) / 2 for lo, hi in off_mean]), np.array([(hi - lo) / 2 for lo, hi in off_mean])
        chosen = (np.arange(1, 2 ** len(off_mean))[:, None] >> np.arange(len(off_mean))) & 1
        # Of at most 16 summands, each rounded, with ten times what that comes to.
        slack = off.sum() * (1 + 1e-9) + 1e-14 * np.abs(centre).sum() + 1e-300
        return bool(np.all(np.abs(chosen @ centre) > slack))

    def between(self) -> Counts:
        """Between two blocks of which one is larger: pairs a, d and zero rows (Proposition 9)."""
        index = nullity = 0
        others = [Block((a,)) for a in self.singles]
        pairs = [(b, c) for i, b in enumerate(self.larger) for c in [*self.larger[i + 1 :], *others]]
        # A zero column has m = s < m_b: q_b negative eigenvalues, and nothing else.
        for b, c in pairs:
            sign = self.order(b, c)
            for a in b.eigen:
                for d in c.eigen:
                    unlike = sign * self.side(a, d) if sign else 0
                    index += unlike < 0
                    nullity += unlike == 0
            free = {-sign: len(b.eigen) * c.zeros, sign: len(c.eigen) * b.zeros}
            index += free.get(1, 0)
            nullity += 0 if sign else len(b.eigen) * c.zeros + len(c.eigen) * b.zeros
        return Counts(index, nullity)

    def side(self, a: int, d: int) -> int:
        """The sign of lam_a - lam_d.  Raises Open."""
        start, end = self.found.groups[a]
        return 1 if d >= end else -1 if d < start else 0 * self.tie(a, d)

    def order(self, b: Block, c: Block) -> int:
        """The sign of m_b - m_c, which is that of 1/m_c - 1/m_b.  Raises Open."""
        sign: int | None = self._once(("order", b, c), lambda: self._order(b, c))
        if sign is None:
            raise Open(
                f"the columns on {_held(b)} and on {_held(c)} are not proved to differ in length; of equal length they "
                "turn into each other without a change to second order"
            )
        return sign

    def _order(self, b: Block, c: Block) -> int | None:
        if self.found.exact:
            held, other = ([self.found.low[a] for a in x.eigen] for x in (b, c))
            if held == other and b.columns == c.columns:
                return 0
            m, m_other = (rational_constant(of, x, self.noise.exact) for of, x in ((held, b), (other, c)))
            if m is not None and m == m_other:
                return 0
        for bits in PRECISIONS if self.found.exact else PRECISIONS[:1]:
            with precision(bits):
                s = self.noise.ball()
                apart = constant(self.found, b, s) - constant(self.found, c, s)
                if apart > 0 or apart < 0:
                    return 1 if apart > 0 else -1
        return None

    def row(self, j: int, b: Block) -> int | None:
        """The sign of sum_{d in A_b} sqrt(lam_j lam_d) + z_b lam_j - k_b s; None: open."""
        sign: int | None = self._once(("row", j, b), lambda: self._row(j, b))
        return sign

    def _once(self, key: Any, made: Callable[[], Any]) -> Any:
        if key not in self.memory:
            self.memory[key] = made()
        return self.memory[key]

    def _row(self, j: int, b: Block) -> int | None:
        if self.found.exact and self.noise.exact is not None:
            tied = rational_sum(self.found.low, j, b)
            if tied is not None:
                apart = tied - b.columns * self.noise.exact
                return (apart > 0) - (apart < 0)
        for bits in PRECISIONS if self.found.exact else PRECISIONS[:1]:
            with precision(bits):
                roots = sum((root(self.found, d) for d in b.eigen), ball(0))
                left = root(self.found, j) * roots + b.zeros * lam(self.found, j)
                apart = left - b.columns * self.noise.ball()
                if apart > 0 or apart < 0:
                    return 1 if apart > 0 else -1
        return None


def _held(b: Block) -> str:
    return f"u_{', u_'.join(str(a + 1) for a in b.eigen)}"


def _true(sign: int | None) -> bool | None:
    return None if sign is None else sign > 0
