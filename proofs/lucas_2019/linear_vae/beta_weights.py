"""The beta-VAE: its objective in words, and its gradients in numbers.

Notation   beta > 0 the weight of the KL; W (n, k), V (k, n), D (k,), sigma2, S (n, n) as in verify.models.linear_vae.
Main       beta, at_noise, beta_elbo_in_words, constant, beta_gradients.
"""

import sympy as sp

from verify.models import linear_vae as model
from verify.symbolic import linear_vae
from verify.symbolic.letters import n, sigma2
from verify.symbolic.traces import Scalar

beta = sp.Symbol("beta", positive=True)


def at_noise(f, noise):
    """The scalar f with sigma2 replaced in its coefficients; for scalars without M or C."""
    constant, words = f.constant.subs(sigma2, noise), [(w, c.subs(sigma2, noise)) for w, c in f.traces.items()]
    return Scalar(constant, words, f.log_dets.items())


def beta_elbo_in_words():
    """Reconstruction - beta KL."""
    return linear_vae.reconstruction() - beta * linear_vae.kl()


def constant():
    """n/2 [(beta - 1) log(2 pi sigma2) + beta log beta]."""
    return n * ((beta - 1) * sp.log(2 * sp.pi * sigma2) + beta * sp.log(beta)) / 2


def beta_gradients(W, V, D, sigma2, S, b):
    """The gradients of E_q log p(x|z) - b KL in W, V, D and sigma2, from those of its two parts."""
    g = model.gradients(W, V, D, sigma2, S)
    # ELBO_1 has -KL; dKL/dV = V S and dKL/dD = (1 - 1/D)/2.
    return g.W, g.V + (1 - b) * V @ S, g.D + (1 - b) * (1 - 1 / D) / 2, g.sigma2
