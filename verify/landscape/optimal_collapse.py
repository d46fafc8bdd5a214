"""The collapse of the linear VAE at its optimum on given data: the percentage of latents over epsilon, exactly.

Notation   x (n,) a datum; xbar the mean; lam_j, u_j eigenvalues and eigenvectors of S; k latents; s = beta sigma2 the
           noise that eigenvalues are compared with (theory 3.9); q = min(k, #{lam > s}) latents are kept.
Main       optimal_divergence, optimal_collapse.
Reference  theory 1.5, 3.4, 3.9; Lucas et al. 2019, Sec. 6.2 for the measure.

At the optimum W = U_q (Lam_q - s)^(1/2), so M = Lam_q there, and the encoder of latent j has variance D_j = s/lam_j and
mean sqrt(lam_j - s)/lam_j u_j^T (x - xbar). The other latents equal the prior at every datum. Any rotation of the
latents among equal eigenvalues is an optimum as well; those of the eigenvectors that the data give are taken.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from verify.arrays import Array
from verify.data.covariance import Covariance
from verify.errors import InputError
from verify.landscape.collapse import CollapseCounts, Proportion, kl
from verify.landscape.stationary import retained_count


def optimal_divergence(scores: Array, lam: Array, s: float) -> Array:
    """KL_j(x) = 1/2 (mu_j^2 + D_j - 1 - log D_j) of the latents kept.  scores (b, q) = (x - xbar)^T u, lam (q,) > s."""
    mean = scores * (np.sqrt(lam - s) / lam)
    return kl(mean, np.broadcast_to(np.log(s / lam), mean.shape))


def optimal_collapse(
    covariance: Covariance,
    blocks: Iterable[Array],
    k: int,
    noises: Sequence[float],
    epsilons: Sequence[float],
    delta: Proportion,
) -> Array:
    """Percentage of (epsilon, delta)-collapsed latents at the optimum for each s of `noises`.  -> (len(noises), m).

    blocks (b, n): the rows that the covariance is of, read once; an eigenvalue that ties with s counts as lost. Memory
    O((b + n) q). Raises InputError: a spectrum without rows, other rows, a noise that is not positive.
    """
    if covariance.mean is None:
        raise InputError("a spectrum alone says nothing of single data; give the rows")
    if not all(s > 0 for s in noises):
        raise InputError(f"noises {' '.join(f'{s:g}' for s in noises)}: must be positive")
    kept = [retained_count(covariance.spectrum, k, s) for s in noises]
    axes = covariance.leading(max(kept, default=0))
    counts = [CollapseCounts(epsilons, k) for _ in noises]
    for block in blocks:
        scores = (block - covariance.mean) @ axes
        for s, q, count in zip(noises, kept, counts, strict=True):
            # Those that are not kept equal the prior.
            divergence = np.zeros((len(block), k))
            divergence[:, :q] = optimal_divergence(scores[:, :q], covariance.eigenvalues[:q], s)
            count.add(divergence)
    if any(count.N != covariance.N for count in counts):
        raise InputError(f"{counts[0].N} rows, but the covariance is of {covariance.N}; give the same rows")
    return np.array([count.curve(delta) for count in counts]).reshape(len(counts), len(epsilons))
