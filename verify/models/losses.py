"""Which observation noise a loss means: a * squared error + b * KL is the ELBO at sigma2 = b/(2a).

Notation   x, xhat (n,) a datum and its reconstruction; k latents; B data in a batch; beta the weight that was written.
Main       LossNoise, noise_of_loss; ERRORS, DIVERGENCES, how both terms are reduced.
Reference  theory 6.5; claim loss-noise. a * sum_i (x_i - xhat_i)^2 + b * sum_j KL_j, both a datum's, has the gradients
           of -b ELBO at sigma2 = b/(2a): -ELBO = KL + sum_i (x_i - xhat_i)^2/(2 sigma2) + n/2 log(2 pi sigma2).

Only the ratio of the weights counts, so that a mean over the batch, or a sum over it, of both terms changes nothing. Of
one term alone it does, and the noise then depends on the size of the batch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite

from verify.checks import number, whole_number
from verify.errors import InputError

# What the weight `a` of the squared error of a datum, summed over its n entries, is; and how that is said. Fractions,
# so that n = 784 makes 392 and no neighbour of it.
ERRORS: dict[str, tuple[Callable[[int, int], Fraction], str]] = {
    "mse-sum": (lambda n, B: Fraction(1), "squared error summed over the {n} entries"),
    "mse-mean": (lambda n, B: Fraction(1, n), "squared error averaged over the {n} entries"),
    "half-mse-sum": (lambda n, B: Fraction(1, 2), "half the squared error summed over the {n} entries"),
    "half-mse-mean": (lambda n, B: Fraction(1, 2 * n), "half the squared error averaged over the {n} entries"),
    "mse-batch-sum": (
        lambda n, B: Fraction(B),
        "squared error summed over the {n} entries and the {B} data of a batch",
    ),
}
# The weight of the KL of a datum, summed over its k latents, beside beta.
DIVERGENCES: dict[str, tuple[Callable[[int, int], Fraction], str]] = {
    "sum": (lambda k, B: Fraction(1), "the KL summed over the {k} latents"),
    "mean": (lambda k, B: Fraction(1, k), "the KL averaged over the {k} latents"),
    "batch-sum": (lambda k, B: Fraction(B), "the KL summed over the {k} latents and the {B} data of a batch"),
}
# Reductions over the batch of one term alone: how large the batch was has to be known.
BATCHED = ("mse-batch-sum", "batch-sum")
NOT_GAUSSIAN = {
    "bce": "a Bernoulli likelihood, which has no noise variance",
    "l1": "a Laplace likelihood, for which this theory says nothing",
}


@dataclass(frozen=True)
class LossNoise:
    """The noise that a loss means, sigma2 = b/(2a), with its weights a and b per datum, and the loss in words."""

    sigma2: float
    a: float
    b: float
    words: str


def noise_of_loss(
    loss: str, *, n: int, k: int, beta: float = 1.0, kl: str = "sum", batch: int | None = None
) -> LossNoise:
    """The noise that `loss` + beta * KL means for data of n columns and k latents (theory 6.5).

    loss: one of ERRORS, averaged over the batch but for "mse-batch-sum"; kl: one of DIVERGENCES, likewise; batch: its
    size, needed where one of the terms is summed over it.  Raises InputError.
    """
    if loss in NOT_GAUSSIAN:
        raise InputError(f"loss {loss}: {NOT_GAUSSIAN[loss]}; what is told here is of Gaussian VAEs (squared error)")
    for given, known, name in ((loss, ERRORS, "loss"), (kl, DIVERGENCES, "kl")):
        if given not in known:
            raise InputError(f"{name} {given!r}: choose one of {', '.join(known)}")
    n, k, beta = whole_number(n, "n"), whole_number(k, "k"), number(beta, "beta")
    if not (isfinite(beta) and beta > 0):
        raise InputError(f"beta = {beta:g}: the weight of the KL must be positive and finite")
    summed = [one for one in (loss, kl) if one in BATCHED]
    if len(summed) == 1 and batch is None:
        raise InputError(
            f"{summed[0]}: one term is summed over the batch and the other averaged, so that the noise depends on the "
            "size of the batch; say how large it was"
        )
    B = 1 if batch is None else whole_number(batch, "batch")
    if min(n, k, B) < 1:
        raise InputError(f"n = {n}, k = {k}, batch = {B}: all from 1")
    (weigh_error, of_error), (weigh_kl, of_kl) = ERRORS[loss], DIVERGENCES[kl]
    of_a, of_b = weigh_error(n, B), weigh_kl(k, B)
    sizes = {"n": n, "k": k, "B": B}
    times = "" if beta == 1 else f"{beta:g} times "
    words = f"{of_error.format(**sizes)} + {times}{of_kl.format(**sizes)}"
    return LossNoise(beta * float(of_b / (2 * of_a)), float(of_a), beta * float(of_b), words)
