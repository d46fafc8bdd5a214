"""Which noise was trained with, as it is told: a variance, or the loss as it was written.

Main       noise_asked; one_noise, before anything is read.
"""

from typing import Any

from verify.checks import positive_noise
from verify.errors import InputError
from verify.models.losses import ERRORS, LossNoise, noise_of_loss


def one_noise(sigma2: Any, loss: str | None, kl: str | None, batch: int | None) -> None:
    """Raises InputError unless either a noise or a loss is said, with what belongs to it."""
    if sigma2 is not None and loss is not None:
        raise InputError("--sigma2 and --loss both say which noise was trained with: leave one out")
    if sigma2 is None and loss is None:
        raise InputError(
            "say which noise was trained with: either --sigma2 S, or --loss KIND as the loss was written "
            f"({', '.join(ERRORS)}), with --beta and --kl"
        )
    if loss is None and (kl is not None or batch is not None):
        raise InputError("--kl and --batch say how a --loss was written; with --sigma2 leave them out")


def noise_asked(
    sigma2: Any, loss: str | None, *, n: int, k: int, beta: float, kl: str | None, batch: int | None
) -> float | LossNoise:
    """The noise itself, or that of the loss for n columns and k latents (theory 6.5).  Raises InputError."""
    one_noise(sigma2, loss, kl, batch)
    if loss is None:
        return positive_noise(sigma2)
    return noise_of_loss(loss, n=n, k=k, beta=beta, kl=kl or "sum", batch=batch)
