"""What the tables report of trained models: ELBO, tuned ELBO, KL and collapse on the whole training set.

Notation   X (N, n) data; E models; KL per datum and latent; epsilons (m,) ascending; sigma2 (E,).
Main       evaluate -> [Evaluation] (one a model); Evaluation.
Reference  Lucas et al. 2019, Secs. 5, 6.2; theory 3.11, 5.1, 6.4.

The data pass in their order, so nothing depends on how they were shuffled; z is drawn once a datum from a stream of its
own. The KL of a datum is compared with epsilon before anything is averaged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gpu.vae.account import Terms, elbo
from gpu.vae.architecture import Architecture
from gpu.vae.model import Ensemble, tuned_elbo, tuned_sigma2
from gpu.vae.noise import EVALUATION, normals
from verify.arrays import Array, namespace, to_numpy
from verify.landscape.collapse import ACTIVE_VARIANCE, DELTA, EPSILON, EPSILONS, enough, kl


@dataclass(frozen=True)
class Evaluation:
    """One model: nats per datum, in the space in which it works; collapse in percent of the latents.

    second_moment: mean_x[mu^2 + exp(logvar)], latent by latent; exact_error: the error in closed form, without a draw
    of z, of linear decoders.
    """

    sigma2: float
    error: float
    elbo: float
    tuned_sigma2: float
    tuned_elbo: float
    kl: float
    kl_of_latents: list[float]
    collapse_percent: float
    collapse_curve: list[float]
    active_units: int
    second_moment: list[float] = field(default_factory=list)
    exact_error: float | None = None


class _Tally:
    """Sums over the data seen so far, all in float64."""

    def __init__(self, xp: Any, models: int, k: int):
        self.error, self.exact = np.zeros(models), np.zeros(models)
        self.kl, self.mean, self.square, self.variance = (np.zeros((models, k)) for _ in range(4))
        self.below = np.zeros((models, len(EPSILONS), k), dtype=np.int64)
        self.epsilons = xp.asarray(EPSILONS)

    def add(self, error: Array, exact: Array, mean: Array, log_variance: Array) -> None:
        """A batch: error and exact (E, B), mean and log_variance (E, B, k)."""
        xp = namespace(mean)
        self.error += to_numpy(error.sum(axis=1))
        self.exact += to_numpy(exact.sum(axis=1))
        for e in range(len(mean)):
            m, logvar = mean[e].astype("float64"), log_variance[e].astype("float64")
            divergence = kl(m, logvar)
            self.variance[e] += to_numpy(xp.exp(logvar).sum(axis=0))
            self.kl[e] += to_numpy(divergence.sum(axis=0))
            self.mean[e] += to_numpy(m.sum(axis=0))
            self.square[e] += to_numpy((m * m).sum(axis=0))
            # KL < epsilons[j] where j is at least the number of epsilons that do not exceed the KL.
            first = xp.searchsorted(self.epsilons, divergence.reshape(-1), side="right").reshape(divergence.shape)
            k, m_ = divergence.shape[1], len(EPSILONS)
            cells = (first * k + xp.arange(k)[None, :]).reshape(-1)
            counts = to_numpy(xp.bincount(cells, minlength=(m_ + 1) * k)).reshape(m_ + 1, k)
            self.below[e] += counts[:-1].cumsum(axis=0)

    def of(self, e: int, N: int, sigma2: float, architecture: Architecture) -> Evaluation:
        """What the sums say of one model."""
        n = architecture.n
        terms = Terms(np.array([self.error[e] / N]), np.array([self.kl[e].sum() / N]))
        percent = 100.0 * (self.below[e] >= enough(N, DELTA)).mean(axis=1)
        variance = self.square[e] / N - (self.mean[e] / N) ** 2
        return Evaluation(
            sigma2=sigma2,
            error=float(terms.error[0]),
            elbo=float(elbo(terms, np.array([sigma2]), n)[0]),
            tuned_sigma2=float(tuned_sigma2(terms, n)[0]),
            tuned_elbo=float(tuned_elbo(terms, n)[0]),
            kl=float(terms.kl[0]),
            kl_of_latents=(self.kl[e] / N).tolist(),
            collapse_percent=float(percent[EPSILONS.index(EPSILON)]),
            collapse_curve=percent.tolist(),
            active_units=int((variance > ACTIVE_VARIANCE).sum()),
            second_moment=((self.square[e] + self.variance[e]) / N).tolist(),
            exact_error=float(self.exact[e] / N) if architecture.linear_decoder else None,
        )


def evaluate(
    ensemble: Ensemble, X: Array, seeds: Sequence[int], batch: int, sigma2: Array | None = None
) -> list[Evaluation]:
    """Every model on all of X (N, n), by batches of at most `batch`; seeds (E,) of the draws of z.

    sigma2 (E,): the noises, where they are known better than as the logarithms that the parameters hold.
    """
    xp, E, architecture = namespace(X), len(ensemble), ensemble.architecture
    N, k, linear = len(X), architecture.k, architecture.linear_decoder
    tally, sigma2 = _Tally(xp, E, k), to_numpy(ensemble.sigma2) if sigma2 is None else sigma2
    for step, start in enumerate(range(0, N, batch)):
        rows = X[start : start + batch]
        x = xp.ascontiguousarray(xp.broadcast_to(rows, (E, *rows.shape)))
        noise = None if ensemble.analytic else normals(seeds, EVALUATION, step, xp.empty((E, len(rows), k), X.dtype))
        # The encoder's output lies in a buffer that stays as it is until the encoder runs again.
        mean, log_variance = ensemble.encode(x)
        error = ensemble.reconstruction_error(x, mean, log_variance, noise)
        exact = ensemble.reconstruction_error(x, mean, log_variance, None, exact=True) if linear else error
        tally.add(error, exact, mean, log_variance)
    return [tally.of(e, N, float(sigma2[e]), architecture) for e in range(E)]
