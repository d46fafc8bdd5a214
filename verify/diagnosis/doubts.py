"""What makes the numbers of a diagnosis doubtful: other rows, another order, another scale, what was left out.

Main       doubts.
Reference  theory 6.1, 6.4.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.diagnosis.advice import spoken
from verify.diagnosis.outputs import Outputs
from verify.diagnosis.residuals import DRAWS, NOTHING, ONE_DRAW, POSTERIOR_MEAN
from verify.landscape.worth import WORTH

Document = dict[str, Any]
# Rows that are compared with each other to see whether data and outputs stand in the same order.
COMPARED = 500
# Below this, latents say too little for the order to show.
TALKATIVE = 1.0
FAR = 10.0
SCALES_APART = 1.5
MODEL = (
    "model: the linear optimum, the revival test and the second moments are exact for every Gaussian VAE; that unused "
    "latents of a deep VAE would learn anything beyond linear is not looked at"
)


def doubts(vae: Outputs, facts: Document, collapse_notes: Sequence[str]) -> list[str]:
    """Notes, the gravest first."""
    return [
        *_order(vae, facts),
        *_scale(facts),
        *_loss(facts),
        *_spoken(facts),
        *collapse_notes,
        *_left_out(facts),
        *_rows(facts),
        MODEL,
    ]


def _order(vae: Outputs, facts: Document) -> Iterator[str]:
    """Whether latents and reconstructions are those of these rows, in this order."""
    if facts["kl_total"] < TALKATIVE or vae.N < 20:
        return
    which = np.sort(np.random.default_rng(0).permutation(vae.N)[:COMPARED])
    x, again = _picked(vae, which)
    if not _related(x, vae.mu[which]):
        yield (
            "the means of the latents tell nothing linear about the rows, though their KL is "
            f"{facts['kl_total']:.3g} nats: are they of the same data, in the same order (no shuffling)?"
        )
    if again is not None and not _nearer(x, again):
        yield (
            "the reconstructions are no nearer to their own rows than to others: are they of the same data, in the "
            "same order (no shuffling)?"
        )


def _picked(vae: Outputs, which: Array) -> tuple[Array, Array | None]:
    x, again = [], []
    for block in vae.blocks():
        here = which[(which >= block.start) & (which < block.start + len(block.x))] - block.start
        x.append(block.x[here])
        if block.mean is not None or len(block.draws):
            again.append((block.mean if block.mean is not None else block.draws[0])[here])
    return np.concatenate(x), np.concatenate(again) if again else None


def _related(x: Array, mu: Array) -> bool:
    """Whether a latent correlates with a direction of the data by six standard errors, so many being tried."""
    x, mu = x - x.mean(axis=0), mu - mu.mean(axis=0)
    axes = np.linalg.svd(x, full_matrices=False)[2][:20]
    scores = x @ axes.T
    with np.errstate(all="ignore"):
        r = (scores.T @ mu) / np.sqrt(np.outer((scores**2).sum(axis=0), (mu**2).sum(axis=0)))
    return bool(np.nanmax(np.abs(np.nan_to_num(r)), initial=0.0) > 6 / np.sqrt(len(x)))


def _nearer(x: Array, again: Array) -> bool:
    """Whether reconstructions are nearer to their own rows than to those one further on, beyond chance."""
    own = ((x - again) ** 2).sum(axis=1)
    other = ((np.roll(x, 1, axis=0) - again) ** 2).sum(axis=1)
    return bool((own < other).mean() > 0.5 + 2 / np.sqrt(len(x)))


def _scale(facts: Document) -> Iterator[str]:
    """Errors larger than the variance of the data: usually another preprocessing."""
    tuned, variance = facts["tuned_sigma2"], facts["data_noise"]
    if tuned is not None and tuned > SCALES_APART * variance:
        yield (
            f"the reconstructions are off by {tuned:.3g} a column on average, more than the variance of the data, "
            f"{variance:.3g}: a constant would do better; are both on the same scale (--scale, --standardize)?"
        )


def _loss(facts: Document) -> Iterator[str]:
    """A noise far from the errors: often a loss that was written in another way."""
    tuned, s = facts["tuned_sigma2"], facts["sigma2"]
    if facts["loss"] is not None and tuned and not 1 / FAR < tuned / s < FAR:
        yield (
            f"the noise that the loss means, {s:.4g}, and the squared error of the reconstructions, {tuned:.4g}, are "
            f"far apart: is that the loss as it was written, {facts['loss']['words']} (--loss, --kl, --beta)?"
        )


def _spoken(facts: Document) -> Iterator[str]:
    """Whether those that count as collapsed say something."""
    said = spoken(facts)
    if said > WORTH:
        yield (
            f"the latents that count as collapsed say {said:.3g} nats of a datum together; what unused ones would "
            "bring holds where they say nothing: lower epsilon or delta"
        )


def _left_out(facts: Document) -> Iterator[str]:
    """What the kind of reconstructions leaves open."""
    at, revival = facts["reconstructions"], facts["revival"]
    if not at["posterior_mean"] and not at["draws"]:
        yield (
            "no reconstructions were given: what the model gets wrong is not known"
            if revival is None
            else f"no reconstructions were given; as the latents say less than {NOTHING:g} nats of a datum, the "
            "decoder is taken to answer with the mean of the data whatever they are"
        )
        return
    if revival is not None and revival["residual"] == POSTERIOR_MEAN and not at["draws"]:
        yield (
            "the reconstructions are those of the latents' means: errors are too small by what the decoder varies "
            "within q(z|x), so the ELBO is an upper and the tuned noise a lower bound, and the nats of further "
            "latents are exact only if the decoder at the mean is its mean; give samples, too (one decoded draw of z "
            "for each datum is enough)"
        )
    if revival is not None and revival["residual"] == ONE_DRAW:
        yield (
            "of one decoded draw a datum the mean residual is not known: further latents are taken to be encoded "
            "linearly from the data, which gives what they bring at least, and single draws give what they bring at "
            f"most, {revival['at_most']:.4g} nats; reconstructions at the means of the latents tell more"
        )
    if revival is not None and revival["residual"] == DRAWS:
        yield (
            f"the mean residual is that of {at['draws'] - 1} draw{'s' if at['draws'] > 2 else ''} of z, and the last "
            "draw tells what further latents bring; what draws vary makes its eigenvalues too large, unless it is "
            "taken out by a regression, as it is where it hides what latents bring"
        )


def _rows(facts: Document) -> Iterator[str]:
    """Training or evaluation data."""
    if facts["held_out"]:
        yield (
            f"sampling: {facts['N']} rows that were not trained on: the linear optimum and further latents are fitted "
            "to one half of them and judged on the other"
        )
    else:
        yield (
            f"sampling: the {facts['N']} rows are taken for those that were trained on; of others say that they were "
            "held out, as the linear optimum is fitted to the rows that are given"
        )
