"""What can be measured of a VAE by passes over its data: errors, the ELBO, and the mean residual.

Notation   as in outputs.py; s the noise that counts; e (N, n) what further latents would be encoded from, any function
           of x; r (N, n) a residual x - f(z), of draws that are independent of e given x, or their best stand-in.
Main       Residual, residual_of; elbo_of_data, squared_errors, linear_log_likelihood.
Reference  theory 6.1, 7.1; claim revival: the gain of an installed escape is linear in r, so that draws give it exactly
           on average, whatever e is.

What e is, by what is at hand: x - f(mu(x)); or the mean over all draws but the last; or of a single draw its linear
regression on x, as anything made of that draw itself would know the z that it was decoded from.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log, pi

import numpy as np

from verify.arrays import Array
from verify.data.covariance import Covariance, of_rows
from verify.data.decomposition.steps import Source
from verify.diagnosis.outputs import Outputs
from verify.landscape.collapse import kl
from verify.landscape.revival import Escape, escape, installed_nats

# Of so many rows to a direction a regression does not fit mere noise to more than a tenth of its variance.
ROWS_PER_DIRECTION = 10
# Where the latents together say less than this of a datum, the decoder has nothing to tell the data apart by.
NOTHING = 0.01

POSTERIOR_MEAN, DRAWS, ONE_DRAW, COLLAPSED = "posterior mean", "draws", "one draw", "collapsed"
Pairs = Callable[[], Iterator[tuple[int, Array, Array]]]


@dataclass(frozen=True, eq=False)
class Residual:
    """kind: what e is made of. pairs: passes over (start, e, r).  covariance: of e, over all rows; s: the noise; shift
    (n,): the mean of r.

    learned: e itself is fitted to r, on the rows that are chosen.
    """

    kind: str
    s: float
    pairs: Pairs
    covariance: Covariance
    shift: Array
    learned: Callable[[Array], Pairs] | None = None

    def escape(self, latents: int | None = None) -> Escape:
        """The best escape of at most so many latents, None: as many as pay."""
        return escape(self.covariance, self.s, latents, self.shift)

    def gains(self, added: Escape, pairs: Pairs | None = None) -> Array:
        """What each datum gains from this escape, (N,), in nats."""
        return np.concatenate([installed_nats(added, e, r, self.s) for _, e, r in (pairs or self.pairs)()])

    def crossed_gains(self, latents: int | None, seed: int, N: int) -> Array:
        """The same where nothing was fitted to the datum: two halves, each with the escape of the other.  (N,)."""

        def one(chosen: Array) -> Array:
            pairs = self.pairs if self.learned is None else self.learned(chosen)
            added = escape(_covariance(pairs, self.s, chosen), self.s, latents, mean_residual(pairs, chosen))
            return self.gains(added, pairs)[~chosen]

        return crossed(N, seed, one)


def _covariance(pairs: Pairs, s: float, chosen: Array | None = None) -> Covariance:
    def blocks() -> Iterator[Array]:
        for start, e, _ in pairs():
            rows = e if chosen is None else e[chosen[start : start + len(e)]]
            if len(rows):
                yield rows

    return of_rows(Source(blocks, again=True), {"name": "the mean residual"}, [s])


def residual_of(vae: Outputs, data: Covariance, s: float) -> Residual | None:
    """The mean residual, as far as what is at hand tells it; None: nothing does.  data: the covariance of x."""
    kind = _kind(vae)
    if kind is None:
        return None
    if kind == ONE_DRAW:
        pairs = _regressed(vae, data)
        learned = lambda chosen: _regressed(vae, data, chosen)  # noqa: E731
        return Residual(kind, s, pairs, _covariance(pairs, s), mean_residual(pairs), learned)
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


def _regressed(vae: Outputs, data: Covariance, chosen: Array | None = None) -> Pairs:
    """e = c + E[(r - c) y^T] E[y y^T]^-1 y with y = U^T (x - xbar), U leading directions; over the chosen rows."""
    N = vae.N if chosen is None else int(chosen.sum())
    held = min(data.rank, max(1, N // ROWS_PER_DIRECTION))
    U = data.leading(held) / np.sqrt(data.eigenvalues[:held])
    c, mean, cross, square = np.zeros(vae.n), np.zeros(held), np.zeros((vae.n, held)), np.zeros((held, held))
    for start, x, _, draws in vae.blocks():
        taken = slice(None) if chosen is None else chosen[start : start + len(x)]
        y, r = ((x - data.mean) @ U)[taken], (x - draws[0])[taken]
        c, mean, cross, square = c + r.sum(axis=0), mean + y.sum(axis=0), cross + r.T @ y, square + y.T @ y
    c, mean = c / N, mean / N
    slope = np.linalg.solve(square / N - np.outer(mean, mean), (cross / N - np.outer(c, mean)).T).T

    def pairs() -> Iterator[tuple[int, Array, Array]]:
        for start, x, _, draws in vae.blocks():
            yield start, c + ((x - data.mean) @ U - mean) @ slope.T, x - draws[0]

    return pairs


def inflated(vae: Outputs, s: float) -> Covariance:
    """The covariance of x - f(z) at single draws: at least that of the mean residual.  Draws are at hand."""

    def pairs() -> Iterator[tuple[int, Array, Array]]:
        for start, x, _, draws in vae.blocks():
            yield start, x - draws[0], x - draws[0]

    return _covariance(pairs, s)


def squared_errors(vae: Outputs) -> tuple[Array | None, Array | None]:
    """|x - f(z)|^2 of each datum, averaged over the draws, and |x - f(mu)|^2; None where that is not at hand.  (N,)."""
    sampled, at_mean = [], []
    for _, x, mean, draws in vae.blocks():
        if len(draws):
            difference = draws - x
            sampled.append(np.einsum("dij,dij->i", difference, difference) / len(draws))
        if mean is not None:
            difference = mean - x
            at_mean.append(np.einsum("ij,ij->i", difference, difference))
    return (np.concatenate(sampled) if sampled else None), (np.concatenate(at_mean) if at_mean else None)


def elbo_of_data(errors: Array, divergence: Array, n: int, s: float) -> Array:
    """-n/2 log(2 pi s) - error/(2 s) - KL, datum by datum.  errors (N,), divergence (N, k) -> (N,)."""
    return np.asarray(-0.5 * n * log(2 * pi * s) - errors / (2 * s) - divergence.sum(axis=1))


def linear_log_likelihood(
    fitted: Covariance, x_blocks: Iterator[Array], q: int, s: float, chosen: Array | None = None
) -> Array:
    """log N(x; xbar, C) at the linear optimum that keeps q directions at noise s, which is its ELBO at each datum.

    C has lam_a along the kept u_a and s elsewhere.  fitted: what it was fitted to; chosen (N,) of bool: of these rows.
    """
    U, lam = fitted.leading(q), fitted.eigenvalues[:q]
    constant = -0.5 * (fitted.n * log(2 * pi * s) + float(np.log(lam / s).sum()))
    found, start = [], 0
    for x in x_blocks:
        rows = x if chosen is None else x[chosen[start : start + len(x)]]
        start += len(x)
        y = rows - fitted.mean
        scores = y @ U
        found.append(constant - 0.5 * (np.einsum("ij,ij->i", y, y) / s - (scores**2) @ (1 / s - 1 / lam)))
    return np.concatenate(found)


def fitted_to(vae: Outputs, chosen: Array, s: float) -> Covariance:
    """The covariance of the rows that are chosen, (N,) of bool."""
    return _covariance(lambda: ((block.start, block.x, block.x) for block in vae.blocks()), s, chosen)


def mean_and_error(values: Array) -> tuple[float, float]:
    """Mean and standard error over the data, (N,) -> both."""
    return float(values.mean()), float(values.std() / np.sqrt(len(values)))


def halves(N: int, seed: int) -> Array:
    """Half of the rows, drawn by the seed, (N,) of bool."""
    chosen = np.zeros(N, dtype=bool)
    chosen[np.random.default_rng(seed).permutation(N)[: N // 2]] = True
    return chosen


def crossed(N: int, seed: int, one: Callable[[Array], Array]) -> Array:
    """one(fitted on) -> values of the other rows, for either half; -> the values of all, in some order.  (N,)."""
    first = halves(N, seed)
    return np.concatenate([one(first), one(~first)])
