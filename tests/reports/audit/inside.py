"""Made-up linear VAEs inside the networks for MNIST, for tests without its images.

Main       made_up, OPTIMA.
"""

import numpy as np

from reports.audit.linear import Linear
from tests.reports.printed import CONSTANTS

# Two hundred large eigenvalues and a level tail, about as MNIST has them: with the logit, and of pixels.
SHAPES = {"logit": (500.0, 0.85 * 784 / 584), "none": (5.0, 0.0025 * 784 / 584)}


def made_up(preprocessing: str, shift: float = 0.0) -> Linear:
    """A linear VAE whose optimum is moved by `shift` nats; drawn afresh its eigenvalues beyond k are 0.1 % larger."""
    first, tail = SHAPES[preprocessing]
    lam = np.concatenate([np.geomspace(first, 1.5 * tail, 200), np.full(584, tail)])
    more = np.concatenate([lam[:200], lam[200:] * 1.001])
    J = CONSTANTS["mnist", preprocessing] + shift
    return Linear("mnist", preprocessing, 60000, (lam, J), (more, J))


OPTIMA = {("mnist", kind): made_up(kind) for kind in SHAPES}
