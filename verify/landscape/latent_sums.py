"""What is measured of an encoder's latents when the data pass once, batch by batch.

Notation   mu, logvar (b, k): mean and log variance of q(z|x) for a batch of b data; N data so far; KL in nats.
Main       LatentSums.
Reference  theory 3.11, 6.4; verify/landscape/collapse.py, which measures the same of arrays that are there at once.
"""

import numpy as np

from verify.arrays import Array
from verify.landscape.collapse import ACTIVE_VARIANCE, EPSILON, CollapseCounts, Proportion, kl


class LatentSums:
    """Sums over the data of k latents: `add` batches, then read.  Memory O(k).

    N: how many data; left_out: how many had a mean, a variance or a KL that is not finite, and count nowhere else;
    lowest, highest: of all log variances.
    """

    def __init__(self, k: int, epsilon: float = EPSILON):
        self.k, self.N, self.left_out = k, 0, 0
        self.lowest, self.highest = np.inf, -np.inf
        self._counts = CollapseCounts([epsilon], k)
        # Of the KL, of mu and of mu^2 + exp(logvar), a row each.
        self._mean, self._scatter = np.zeros((2, 3, k))

    def add(self, mu: Array, logvar: Array) -> None:
        """A batch, (b, k) each, float64."""
        with np.errstate(over="ignore", invalid="ignore"):
            values = np.stack([kl(mu, logvar), mu, mu * mu + np.exp(logvar)])
        usable = np.isfinite(values).all(axis=(0, 2))
        self.left_out += int((~usable).sum())
        values, b = values[:, usable], int(usable.sum())
        if b == 0:
            return
        self.lowest = min(self.lowest, float(logvar[usable].min()))
        self.highest = max(self.highest, float(logvar[usable].max()))
        self._counts.add(values[0])
        # Chan, Golub & LeVeque: means and sums of squares around them, merged; sums of squares alone would cancel.
        own = values.mean(axis=1)
        shift, total = own - self._mean, self.N + b
        self._scatter += ((values - own[:, None]) ** 2).sum(axis=1) + shift**2 * (self.N * b / total)
        self._mean += shift * (b / total)
        self.N = total

    @property
    def divergence(self) -> Array:
        """The mean KL of each latent.  -> (k,)."""
        return self._mean[0].copy()

    @property
    def second_moment(self) -> Array:
        """mean[mu^2 + exp(logvar)] of each latent, 1 at every stationary point (theory 6.4).  -> (k,)."""
        return self._mean[2].copy()

    @property
    def active(self) -> Array:
        """Whether the variance of a latent's mean over the data exceeds 0.01.  -> (k,) of bool."""
        return np.asarray(self._scatter[1] > ACTIVE_VARIANCE * self.N)

    def collapsed(self, delta: Proportion) -> Array:
        """Whether a latent is (epsilon, delta)-collapsed; none is before there are data.  -> (k,) of bool."""
        (fallen,) = self._counts.collapsed(delta)
        return np.asarray(fallen & (self.N > 0))
