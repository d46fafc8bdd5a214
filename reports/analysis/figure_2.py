"""The curves of Figure 2 for any data: likelihood and ELBO over the number of latents.

Notation   lam (n,) descending eigenvalues; k latents.
Main       figure_2, latent_dimensions.
Reference  theory 5.4; Lucas et al. 2019, Figure 2.
"""

from typing import Any

import numpy as np

from verify.arrays import Array
from verify.landscape import likelihood_curves as curves

Document = dict[str, Any]
# The latent dimension whose noise judges all others in Figure 2, and the last one that it shows.
REFERENCE_K, LARGEST_K = 50, 300
# Up to so many k each is drawn, beyond it so many of them.
EVERY_K, CURVE_POINTS = 64, 48


def latent_dimensions(rank: int, k: int) -> list[int]:
    """The k of Figure 2: 1 to min(300, rank - 1), some 50 of them, the user's and the round ones included."""
    last = min(LARGEST_K, rank - 1)
    if last <= EVERY_K:
        return list(range(1, last + 1))
    spread = np.unique(np.linspace(1, last, CURVE_POINTS).round().astype(int)).tolist()
    return sorted(x for x in {*spread, k, REFERENCE_K, 100, 200, 250} if 1 <= x <= last)


def figure_2(lam: Array, k: int) -> Document | None:
    """The curves of Figure 2 and the one that it lacks; None if no k < rank leaves two of them to compare."""
    ks = latent_dimensions(int((lam > 0).sum()), k)
    if len(ks) < 2:
        return None
    reference = REFERENCE_K if ks[-1] > REFERENCE_K else min(k, ks[-1])
    noise = float(curves.maximum_likelihood_noises(lam, [reference])[0])
    return {
        "k": ks,
        "reference_k": reference,
        "reference_sigma2": noise,
        "sigma2": curves.maximum_likelihood_noises(lam, ks).tolist(),
        "maximum_likelihood": curves.maximum_likelihood_curve(lam, ks).tolist(),
        "optimal_elbo": curves.optimal_elbo_curve(lam, ks).tolist(),
        "weights_at_reference": curves.weights_at_noise_curve(lam, ks, noise).tolist(),
        "fixed_noise": curves.fixed_noise_curve(lam, ks, noise).tolist(),
    }
