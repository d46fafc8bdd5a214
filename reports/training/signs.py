"""How far each training has come, why some were lost, and which may be ranked: in numbers and in words.

Notation   F the ELBO with the weight of the KL at which the training ended; lam (n,) eigenvalues of the covariance of
           the very rows that are trained on; m_i = mean_x[mu_i^2 + s_i^2], s_i^2 the encoder's variance.
Main       signs, bests, caveats; the limits of each sign.
Reference  theory 3.9, 5.1 (a learned noise ends at the mean squared error), 6.3 (linear maps inside), 6.4 (m_i = 1).
"""

from collections.abc import Container, Iterable, Sequence
from math import ceil, log, pi, sqrt
from typing import Any

import numpy as np

from gpu.vae.architecture import Architecture
from gpu.vae.plan import Outcome, Plan
from verify.arrays import Array
from verify.models.beta_vae import fixed_noise_optimum, learned_noise_optimum
from verify.words.wording import ranges

Document = dict[str, Any]

# What counts as not being there yet. Stochastic steps jitter by some hundredths: of a nat, of a ratio, of a moment.
NATS, RATIO, MOMENT = 0.1, 0.05, 0.1
# Of the numbers that single precision adds up to an ELBO.
ROUNDING = 1e-6
# Entries so large make the first log variances of a network overflow, at any learning rate.
LARGE = 30.0
# A noise so many times smaller or larger than the variance of the data leaves nothing of the other term's gradient.
FAR_NOISE = 1e8
# The largest of images of one byte a value.
GREY_LEVELS = 255


def signs(outcome: Outcome, plan: Plan, lam: Array, N: int) -> Document | None:
    """Whether a training has ended where it can end; None for a model that was frozen."""
    e, run, architecture = outcome.evaluation, outcome.run, plan.architecture
    if e is None:
        return None
    n, k, weight = architecture.n, architecture.k, plan.final_weight(run, N)
    exact = e.error if e.exact_error is None else e.exact_error
    reached = -weight * e.kl - 0.5 * n * log(2 * pi * e.sigma2) - exact / (2 * e.sigma2)
    at, optimum = e.sigma2, None
    if not run.learned:
        optimum = fixed_noise_optimum(lam, k, e.sigma2, weight)
    elif (best := learned_noise_optimum(lam, k, weight)) is not None:
        at, optimum = best
    rise, rise_error = last_tenth(outcome.elbos(n, weight))
    told: Document = {
        "final_beta": weight,
        "objective": reached,
        "linear_optimum": optimum,
        "linear_optimum_sigma2": None if optimum is None else at,
        "below_linear_optimum": None if optimum is None else optimum - reached,
        "noise_ratio": e.sigma2 / e.tuned_sigma2 if run.learned and e.tuned_sigma2 > 0 else None,
        "second_moment": e.second_moment,
        "rise": rise,
        "rise_error": rise_error,
    }
    warm_up = ["warm-up"] if weight < run.beta else []
    return told | {"unfinished": warm_up + _unfinished(told, architecture, N)}


def last_tenth(curve: Sequence[float]) -> tuple[float | None, float | None]:
    """How much a line through the last tenth of a curve rises, and its standard error; three epochs at least."""
    m = max(ceil(len(curve) / 10), 3)
    y = np.array(curve[-m:])
    if len(curve) <= m or not np.isfinite(y).all():
        return None, None
    t = np.arange(m) - (m - 1) / 2
    slope = float(t @ y / (t @ t))
    scatter = float(((y - y.mean() - slope * t) ** 2).sum()) / (m - 2)
    return slope * (m - 1), sqrt(scatter / float(t @ t)) * (m - 1)


def contains_linear(architecture: Architecture) -> bool:
    """Whether some of its weights come as near as one likes to linear maps through the latents (theory 6.3)."""
    needed = min(architecture.k, architecture.n)
    return architecture.kind == "mlp" and min(architecture.hidden, default=0) >= needed


def _unfinished(told: Document, architecture: Architecture, N: int) -> list[str]:
    """Which signs say so: "rising" or "falling", "noise", "moments", "below linear"."""
    found, rise, below, n = [], told["rise"], told["below_linear_optimum"], architecture.n
    if rise is not None and abs(rise) > max(NATS, 3 * told["rise_error"]):
        found.append("rising" if rise > 0 else "falling")
    # One draw of z for each of N n numbers.
    if told["noise_ratio"] and abs(log(told["noise_ratio"])) > RATIO + 4 * sqrt(2 / (N * n)):
        found.append("noise")
    if told["final_beta"] > 0 and any(not abs(m - 1) <= MOMENT for m in told["second_moment"]):
        found.append("moments")
    if below is not None:
        exact = architecture.linear_decoder
        slack = NATS + ROUNDING * abs(told["linear_optimum"]) + (0 if exact else 4 * sqrt(n / (2 * N)))
        if below > slack and (exact or contains_linear(architecture)):
            found.append("below linear")
    return found


def group_of(model: Document) -> tuple[str, float | None]:
    """What may be ranked: models of one fixed noise; models that learn it, wherever it started."""
    return model["noise"], (model["init_sigma2"] if model["noise"] == "fixed" else None)


def bests(models: Sequence[Document]) -> list[Document]:
    """Of each group [{"noise", "sigma2" (None if learned), "models", "best" (from 1, None if all diverged)}]."""
    found = []
    for group in dict.fromkeys(map(group_of, models)):
        members = [i for i, m in enumerate(models) if group_of(m) == group]
        alive = [i for i in members if models[i]["evaluation"]]
        best = max(alive, key=lambda i: models[i]["evaluation"]["elbo"], default=None)
        found.append(
            {
                "noise": group[0],
                "sigma2": group[1],
                "models": len(members),
                "best": None if best is None else best + 1,
            }
        )
    return found


def caveats(document: Document) -> list[str]:
    """What a reader of the results must know: the warm-up, what has not ended, what was lost and why."""
    models = document["models"]
    diagnosed = [group for group in document.get("best_per_noise", []) if group["diagnosis"]]
    told = {group["best"] for group in diagnosed if group["diagnosis"]["below_linear"]}
    return [*_warm_up(document), *_not_ended(models, told), *_lost(document)]


def _warm_up(document: Document) -> list[str]:
    inside = [m for m in document["models"] if m["convergence"] and m["convergence"]["final_beta"] < m["beta"]]
    if not inside:
        return []
    m, epochs = inside[0], document["training"]["epochs"]
    return [
        f"the run ended inside its warm-up: after {epochs} of {m['anneal']} epochs of --anneal the KL had a weight of "
        f"{m['convergence']['final_beta']:.4g}, not {m['beta']:g}. What a linear model keeps is told at that weight. "
        f"Train for more than {m['anneal']} epochs to compare at {m['beta']:g}"
    ]


def _not_ended(models: Sequence[Document], told: Container[int] = ()) -> list[str]:
    """Each sign with the models that show it; told: those of which a verdict says by how much they are below."""
    convergence = {i: m["convergence"] for i, m in enumerate(models, start=1) if m["convergence"]}

    def of(*names: str) -> dict[int, Document]:
        return {i: c for i, c in convergence.items() if set(names) & set(c["unfinished"])}

    said = []
    if which := of("rising", "falling"):
        said.append(
            f"the ELBO still {_moved(which.values())} nats over the last tenth of the epochs ({_models(which, models)})"
        )
    if which := of("noise"):
        ratios = _between(c["noise_ratio"] for c in which.values())
        said.append(
            f"the learned noise is {ratios} times the mean squared error, at which it ends ({_models(which, models)})"
        )
    if which := of("moments"):
        far = [max(c["second_moment"], key=lambda m: abs(m - 1)) for c in which.values()]
        said.append(
            f"the mean over the data of mu^2 + variance is as far off as {_between(far)} in some latents, and ends at "
            f"1 in each ({_models(which, models)})"
        )
    if which := {i: c for i, c in of("below linear").items() if i not in told}:
        below = _between(c["below_linear_optimum"] for c in which.values())
        said.append(
            f"the ELBO, with the KL weighed as at the end, is {below} nats per datum below what linear maps attain "
            f"({_models(which, models)})"
        )
    if not said:
        return []
    return [
        f"not all trainings have come to their end, so collapse and ELBO may still change: {'; '.join(said)}. Train "
        "for more --epochs, or try a larger --learning-rate"
    ]


def _moved(found: Iterable[Document]) -> str:
    rises = [c["rise"] for c in found]
    words = [f"rose by {_between(r for r in rises if r > 0)}"] if max(rises) > 0 else []
    words += [f"fell by {_between(-r for r in rises if r < 0)}"] if min(rises) < 0 else []
    return " or ".join(words)


def _models(which: Iterable[int], models: Sequence[Document]) -> str:
    numbers = list(which)
    return "all models" if len(numbers) == len(models) > 1 else f"model{'s' * (len(numbers) > 1)} {ranges(numbers)}"


def _between(values: Iterable[float]) -> str:
    found = [f"{v:.3g}" for v in sorted(values)]
    return found[0] if found[0] == found[-1] else f"{found[0]} to {found[-1]}"


def _round(size: float) -> str:
    """One digit, written out: 200."""
    return f"{float(format(size, '.1g')):g}"


def _divisor(data: Document) -> str:
    """By what to divide entries that are too large: grey levels by the largest there is, others by their size."""
    return str(GREY_LEVELS) if data["largest"] == GREY_LEVELS else _round(data["rms"])


def _lost(document: Document) -> list[str]:
    """How many models diverged, and whether the data's scale or the learning rate is the likely cause."""
    lost = [m for m in document["models"] if m["evaluation"] is None]
    if not lost:
        return []
    said = f"{len(lost)} of {len(document['models'])} models diverged and were frozen"
    data = document["data"]
    size, variance = data["rms"], data["variance"]
    if data["largest"] > LARGE >= data["typical"]:
        return [
            f"{said}; likely for single entries as large as {data['largest']:.3g} where most are of the size of "
            f"{data['typical']:.3g}, not for the learning rate. Look at these outliers"
        ]
    if not size <= LARGE:
        return [
            f"{said}; likely for the scale of the data, not for the learning rate: the entries have a root mean "
            f"square of {size:.3g}, and networks are made for entries near 1. Divide the data "
            f"(--scale {_divisor(data)}) and sigma2 by the square of that"
        ]
    far = [m["init_sigma2"] for m in lost if not 1 / FAR_NOISE <= m["init_sigma2"] / variance <= FAR_NOISE]
    if far:
        return [
            f"{said}; likely for a noise far off the scale of the data, not for the learning rate: sigma2 = "
            f"{_between(far)}, where the columns have a variance of {variance:.3g} on average. Choose one nearer to it"
        ]
    return [f"{said}; choose a smaller learning rate (--learning-rate)"]
