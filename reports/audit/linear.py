"""The linear VAE inside the paper's networks: what it attains at each printed noise, from the images.

Notation   n data and k latent dimensions, N images; lam (n,) eigenvalues of S; s0 the noise; J the log-Jacobian
           constant of the data; q = min(k, #{lam > s0}) retained latents; E, T, M, K as in bounds.py.
Main       Linear, of images (linear_vaes), its Optimum at a row; holds_linear.
Reference  theory 1.5, 2, 5.1 and 6.3; Lucas et al. 2019, App. E.

At its best the linear VAE has K = 1/2 sum_{i <= q} log(lam_i/s0) and n M = q s0 + sum_{i > q} lam_i.

Dequantisation noise. Drawn once and kept, it is data like others, which 784 x 200 weights fit a little; drawn afresh at
every look, it is not. Which of the two the paper did is not said: its models are held against the lower value.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from reports.audit.bounds import LEVELS, Interval
from reports.paper import DIMENSIONS, Row
from verify.arrays import Array
from verify.data.dequantised import averaged, moments
from verify.data.mnist import training_images
from verify.data.preprocess import Preprocessing
from verify.data.sources import load
from verify.landscape.likelihood_curves import fixed_noise_curve, maximum_likelihood_curve, maximum_likelihood_noises

# Hidden layers, by data set: MNIST's are printed; CelebA's are those of Higgins et al. 2017 (beta-VAE), whose dense
# layer of 256 units is the narrowest.
NARROWEST = {"mnist": 512, "celeba64": 256}
ALPHA = {"logit": 1e-6, "none": None}
# Of one value's noise e: standard deviations of its log-Jacobian, of e^2, and of e. At a black pixel with the logit
# e is nearly -log u, exponential, and elsewhere it varies less; without it e is uniform, 1/256 wide.
NOISE = {
    "logit": (1.0, math.sqrt(8), 1.0),
    "none": (0.0, 1 / (LEVELS**2 * math.sqrt(180)), 1 / (LEVELS * math.sqrt(12))),
}
BLOCK = 4096


@dataclass(frozen=True)
class Optimum:
    """The best linear VAE at one noise, in nats per datum on the scale of the grey levels.

    drawn, afresh: its ELBO by how the dequantisation noise is drawn. value: both, and what another draw may change.
    tuned, error, kl: T, M and K of the drawn one.
    """

    drawn: float
    afresh: float
    value: Interval
    sigma2: float
    retained: int
    tuned: float
    error: float
    kl: float


@dataclass(frozen=True, eq=False)
class Linear:
    """The linear VAE on one data set and preprocessing: (lam, J) with the noise drawn once, and drawn afresh."""

    dataset: str
    preprocessing: str
    N: int
    drawn: tuple[Array, float]
    afresh: tuple[Array, float]

    @property
    def k(self) -> int:
        return DIMENSIONS[self.dataset][1]

    def at(self, row: Row) -> Optimum:
        """At the noise of a row that holds it fixed, or at the best one of all."""
        return self.optimum(None if row.learned else row.init_sigma2)

    def optimum(self, sigma2: float | None) -> Optimum:
        """At this noise; None: at the best one."""
        lam, J = self.drawn
        n, ks = lam.size, np.array([self.k])
        s0 = float(maximum_likelihood_noises(lam, ks)[0]) if sigma2 is None else sigma2
        elbos = [self._elbo(*side, sigma2) for side in (self.drawn, self.afresh)]
        q = min(self.k, int((lam > s0).sum()))
        K = 0.5 * float(np.log(lam[:q] / s0).sum())
        M = (q * s0 + float(lam[q:].sum())) / n
        room = 3 * self._deviation(s0)
        return Optimum(
            drawn=elbos[0],
            afresh=elbos[1],
            value=Interval(min(elbos) - room, max(elbos) + room),
            sigma2=s0,
            retained=q,
            tuned=J - K - n / 2 * (1 + math.log(2 * math.pi * M)),
            error=M,
            kl=K,
        )

    def _elbo(self, lam: Array, J: float, sigma2: float | None) -> float:
        ks = np.array([self.k])
        curve = maximum_likelihood_curve(lam, ks) if sigma2 is None else fixed_noise_curve(lam, ks, sigma2)
        return float(curve[0]) + J

    def _deviation(self, s0: float) -> float:
        """At most the standard deviation, from draw to draw, of the mean over the data of log p(x) at the optimum.

        log p = J - |r + e|^2/(2 s0) + ... with a precision of at most 1/s0, and E|r|^2 <= trace S.
        """
        jacobian, square, once = NOISE[self.preprocessing]
        lam, _ = self.drawn
        root = math.sqrt(lam.size)
        crossed = 2 * math.sqrt(float(lam.sum())) * once
        return (root * jacobian + (root * square + crossed) / (2 * s0)) / math.sqrt(self.N)


Optima = Mapping[tuple[str, str], Linear]


def holds_linear(dataset: str) -> bool:
    """Whether the network for this data set holds every linear VAE: 2k ReLU units in every layer (theory 6.3)."""
    return NARROWEST[dataset] >= 2 * DIMENSIONS[dataset][1]


def linear_vaes(data_dir: str | None, seed: int, doing: Callable[[str], object] = lambda said: None) -> Optima:
    """The linear VAEs inside the networks for MNIST; some seconds, of which `doing` is told.  Raises InputError."""
    images = training_images(data_dir)
    found = {}
    for preprocessing, alpha in ALPHA.items():
        how = {"logit": "with the logit", "none": "without it"}[preprocessing]
        doing(f"the linear VAE inside: eigenvalues of MNIST {how}")
        once = load("mnist", logit=alpha, dequantise=True, seed=seed, data_dir=data_dir)
        told = once.provenance
        J = float(told["mean_log_jacobian"]) + float(told["log_scale_jacobian"])
        blocks = (images[start : start + BLOCK] for start in range(0, len(images), BLOCK))
        S, mean = averaged(blocks, moments(Preprocessing(alpha=alpha, dequantise=True)))
        afresh = np.linalg.eigvalsh(S)[::-1], mean + float(told["log_scale_jacobian"])
        found["mnist", preprocessing] = Linear("mnist", preprocessing, len(images), (once.eigenvalues, J), afresh)
    return found
