"""The mean residual of a VAE, as far as what is at hand tells it, and what linear latents would add.

Notation   as in outputs.py; s the noise that counts; e (N, n) what further latents would be encoded from, any function
           of x; r (N, n) a residual x - f(z), of draws that are independent of e given x, or their best stand-in.
Main       Residual, residual_of, shrunk; fitted_to, inflated.
Reference  theory 6.1, 7.1; claim revival: the gain of an installed escape is linear in r, so that draws give it exactly
           on average, whatever e is.

What e is, by what is at hand: x - f(mu(x)); or the mean over all draws but the last; or of a single draw its linear
regression on x, as anything made of that draw itself would know the z that it was decoded from. Where the draws in e,
or what the decoder does at mu(x) alone, hide what latents bring, e gives way to the regression of r on it (shrunk).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from verify.arrays import Array
from verify.data.covariance import Covariance, of_rows
from verify.data.decomposition.steps import Source
from verify.diagnosis.measured import crossed
from verify.diagnosis.outputs import Outputs
from verify.errors import InputError
from verify.landscape.collapse import kl
from verify.landscape.revival import Escape, direction_nats, escape, installed_nats, shift_nats
from verify.landscape.worth import WORTH

# Of so many rows to a direction a regression does not fit mere noise to more than a tenth of its variance.
ROWS_PER_DIRECTION = 10
# Where the latents together say less than this of a datum, the decoder has nothing to tell the data apart by.
NOTHING = 0.01

POSTERIOR_MEAN, DRAWS, ONE_DRAW, COLLAPSED = "posterior mean", "draws", "one draw", "collapsed"
# What an escape that is given away is encoded from, in its V and center.
ENCODED = {
    POSTERIOR_MEAN: "x - f(mu(x))",
    DRAWS: "x - mean of f(z) over draws of z from q(z|x)",
    ONE_DRAW: "x",
    COLLAPSED: "x",
}
Pairs = Callable[[], Iterator[tuple[int, Array, Array]]]


@dataclass(frozen=True, eq=False)
class Regression:
    """e(x) = c + (y(x) - mean) slope^T, y(x) = (x - center) U.  U (n, h), slope (n, h), mean (h,), c, center (n,).

    x: what it is a regression on, the data or what latents were encoded from before.
    """

    center: Array
    U: Array
    mean: Array
    c: Array
    slope: Array

    def at(self, x: Array) -> Array:
        """e(x).  (b, n) -> (b, n)."""
        return np.asarray(self.c + ((x - self.center) @ self.U - self.mean) @ self.slope.T)

    def of_data(self, added: Escape) -> Escape:
        """The same latents, encoded from x itself: V (e(x) - c) = V slope U^T (x - center), as the mean of y is 0.

        The escape is that of all rows, whose mean of e is c.
        """
        return replace(added, V=added.V @ self.slope @ self.U.T, center=self.center)


@dataclass(frozen=True, eq=False)
class Residual:
    """kind: what e is made of. pairs: passes over (start, e, r).  covariance: of e, over all rows; s: the noise; shift
    (n,): the mean of r.

    learned: e itself is fitted to r, on the rows that are chosen; regression: on all of them.
    """

    kind: str
    s: float
    pairs: Pairs
    covariance: Covariance
    shift: Array
    learned: Callable[[Array], Pairs] | None = None
    regression: Regression | None = None

    def escape(self, latents: int | None = None) -> Escape:
        """The best escape of at most so many latents, None: as many as pay.  It is encoded from e."""
        return escape(self.covariance, self.s, latents, self.shift)

    def given(self, data: Covariance) -> Escape:
        """The best escape, encoded from what ENCODED says: e where a user has it, and x otherwise."""
        added = self.escape()
        if self.regression is not None:
            return self.regression.of_data(added)
        return replace(added, center=added.center + data.mean) if self.kind == COLLAPSED else added

    def gains(self, added: Escape, pairs: Pairs | None = None) -> Array:
        """What each datum gains from this escape, (N,), in nats."""
        return np.concatenate([installed_nats(added, e, r, self.s) for _, e, r in (pairs or self.pairs)()])

    def crossed_gains(self, counts: Sequence[int], seed: int, N: int) -> list[Array]:
        """The same where nothing was fitted to the datum, for at most so many latents each, (N,) in the same order.

        Two halves, each with the escape of the other. A half without variance teaches no latents. A constant that costs
        what it was not fitted to is left out: latents that make up for it would seem to bring more than they do.
        """
        wanted = [*counts, 0]

        def one(chosen: Array) -> Array:
            pairs = self.pairs if self.learned is None else self.learned(chosen)
            shift = mean_residual(pairs, chosen)
            shifts = (shift, np.zeros_like(shift))
            try:
                fitted = _covariance(pairs, self.s, chosen)
            except Unvaried:
                added = [_shifted_alone(b) for b in shifts for _ in wanted]
            else:
                added = [escape(fitted, self.s, latents, b) for b in shifts for latents in wanted]
            gained = [
                [installed_nats(each, e[left], r[left], self.s) for each in added]
                for start, e, r in pairs()
                if (left := ~chosen[start : start + len(e)]).any()
            ]
            return np.concatenate(gained, axis=1)

        both = crossed(N, seed, one)
        shifted, unshifted = both[: len(wanted)], both[len(wanted) :]
        return list(shifted[:-1] if shifted[-1].mean() > 0 else unshifted[:-1])


class Unvaried(InputError):
    """Rows that are all equal, of which there is no covariance."""


def _shifted_alone(shift: Array) -> Escape:
    """No latents, and the constant."""
    n = len(shift)
    return Escape(np.zeros((n, 0)), np.zeros((0, n)), np.zeros(0), shift, np.zeros(n))


def _covariance(pairs: Pairs, s: float, chosen: Array | None = None) -> Covariance:
    """Of e, over the rows that are chosen.  Raises Unvaried."""
    first, varied = None, False

    def blocks() -> Iterator[Array]:
        nonlocal first, varied
        for start, e, _ in pairs():
            rows = e if chosen is None else e[chosen[start : start + len(e)]]
            if len(rows):
                first = rows[0].copy() if first is None else first
                varied = varied or bool((rows != first).any())
                yield rows

    try:
        return of_rows(Source(blocks, again=True), {"name": "the mean residual"}, [s])
    except InputError:
        if varied:
            raise
        raise Unvaried(
            "all rows differ from their reconstructions by the same amounts; are these what the decoder made of them?"
        ) from None


def residual_of(vae: Outputs, data: Covariance, s: float) -> Residual | None:
    """The mean residual, as far as what is at hand tells it; None: nothing does.  data: the covariance of x."""
    kind = _kind(vae)
    if kind is None:
        return None
    if kind == ONE_DRAW:
        fitted = regressed(vae, data)
        pairs = _by_regression(vae, fitted)

        def learned(chosen: Array) -> Pairs:
            return _by_regression(vae, regressed(vae, data, chosen))

        return Residual(kind, s, pairs, _covariance(pairs, s), mean_residual(pairs), learned, fitted)
    made = {POSTERIOR_MEAN: _at_the_mean, DRAWS: _of_draws, COLLAPSED: _of_nothing}[kind]

    def passes() -> Iterator[tuple[int, Array, Array]]:
        return made(vae, data)

    return Residual(kind, s, passes, _covariance(passes, s), mean_residual(passes))


def mean_residual(pairs: Pairs, chosen: Array | None = None) -> Array:
    """The mean of r over the chosen rows.  -> (n,)."""
    total, N = 0.0, 0
    for start, _, r in pairs():
        rows = r if chosen is None else r[chosen[start : start + len(r)]]
        total, N = total + rows.sum(axis=0), N + len(rows)
    return np.asarray(total / N)


def _kind(vae: Outputs) -> str | None:
    if vae.reconstructions is not None:
        return POSTERIOR_MEAN
    if vae.draws:
        return DRAWS if vae.draws > 1 else ONE_DRAW
    return COLLAPSED if float(kl(vae.mu, vae.logvar).sum(axis=1).mean()) < NOTHING else None


def _at_the_mean(vae: Outputs, data: Covariance) -> Iterator[tuple[int, Array, Array]]:
    for start, x, mean, draws in vae.blocks():
        assert mean is not None
        e = x - mean
        yield start, e, x - draws.mean(axis=0) if len(draws) else e


def _of_draws(vae: Outputs, data: Covariance) -> Iterator[tuple[int, Array, Array]]:
    for start, x, _, draws in vae.blocks():
        yield start, x - draws[:-1].mean(axis=0), x - draws[-1]


def _of_nothing(vae: Outputs, data: Covariance) -> Iterator[tuple[int, Array, Array]]:
    """Where q(z|x) is the prior for every x, the decoder's mean over q is a constant, here the best one."""
    for start, x, _, _ in vae.blocks():
        e = x - data.mean
        yield start, e, e


def regressed(vae: Outputs, data: Covariance, chosen: Array | None = None) -> Regression:
    """E[(r - c) y^T] E[y y^T]^-1 over the chosen rows, y along as many leading directions as these rows teach."""

    def pairs() -> Iterator[tuple[int, Array, Array]]:
        for start, x, _, draws in vae.blocks():
            yield start, x, x - draws[0]

    return _fitted(pairs, data, data.rank, vae.N, chosen)


def _fitted(pairs: Pairs, of: Covariance, most: int, N: int, chosen: Array | None = None) -> Regression:
    """Of r on the first of each pair, whose covariance over all rows is `of`, along at most so many directions."""
    N = N if chosen is None else int(chosen.sum())
    held = min(most, max(1, N // ROWS_PER_DIRECTION))
    U = of.leading(held) / np.sqrt(of.eigenvalues[:held])
    c, mean, cross, square = np.zeros(of.n), np.zeros(held), np.zeros((of.n, held)), np.zeros((held, held))
    for start, x, residual in pairs():
        taken = slice(None) if chosen is None else chosen[start : start + len(x)]
        y, r = ((x - of.mean) @ U)[taken], residual[taken]
        c, mean, cross, square = c + r.sum(axis=0), mean + y.sum(axis=0), cross + r.T @ y, square + y.T @ y
    c, mean = c / N, mean / N
    # Least squares: some of the rows may lack a direction that all of them have.
    slope = np.linalg.lstsq(square / N - np.outer(mean, mean), (cross / N - np.outer(c, mean)).T, rcond=None)[0].T
    return Regression(np.asarray(of.mean), U, mean, c, slope)


def shrunk(plain: Residual, seed: int, N: int) -> Residual:
    """The same, encoded from the regression of r on e, where e promises what it does not hold and that brings more.

    Latents made for e pay for what only e varies, draws that are in it or what f does at mu(x) alone, and may cost more
    than they bring (theory 6.1: the escape is the best one of the mean residual, and of nothing else).
    """
    rho = plain.covariance.eigenvalues
    above = int((rho > plain.s).sum())
    if plain.kind not in (POSTERIOR_MEAN, DRAWS) or not above:
        return plain
    promised = float(direction_nats(rho, plain.s).sum()) + shift_nats(plain.shift, plain.s)
    if promised - float(plain.gains(plain.escape()).mean()) <= WORTH:
        return plain

    def regression(chosen: Array | None = None) -> tuple[Regression, Pairs]:
        fitted = _fitted(plain.pairs, plain.covariance, above, N, chosen)

        def pairs() -> Iterator[tuple[int, Array, Array]]:
            for start, e, r in plain.pairs():
                yield start, fitted.at(e), r

        return fitted, pairs

    fitted, pairs = regression()

    def learned(chosen: Array) -> Pairs:
        return regression(chosen)[1]

    found = Residual(plain.kind, plain.s, pairs, _covariance(pairs, plain.s), plain.shift, learned, fitted)
    before, after = (one.crossed_gains([above], seed, N)[0].mean() for one in (plain, found))
    return found if after > before else plain


def _by_regression(vae: Outputs, fitted: Regression) -> Pairs:
    def pairs() -> Iterator[tuple[int, Array, Array]]:
        for start, x, _, draws in vae.blocks():
            yield start, fitted.at(x), x - draws[0]

    return pairs


def inflated(vae: Outputs, s: float) -> Covariance:
    """The covariance of x - f(z) at single draws: at least that of the mean residual.  Draws are at hand."""

    def pairs() -> Iterator[tuple[int, Array, Array]]:
        for start, x, _, draws in vae.blocks():
            yield start, x - draws[0], x - draws[0]

    return _covariance(pairs, s)


def fitted_to(vae: Outputs, chosen: Array, s: float) -> Covariance:
    """The covariance of the rows that are chosen, (N,) of bool.  Raises InputError where they are all equal."""
    try:
        return _covariance(lambda: ((block.start, block.x, block.x) for block in vae.blocks()), s, chosen)
    except Unvaried:
        raise InputError(
            f"{vae.N} rows that were not trained on are too few to judge half of them by the others, which are all "
            "equal; give more"
        ) from None
