"""What to change, one line each, and what the theory says that it brings.

Notation   facts: a diagnosis document with its verdict; s = facts["sigma2"], the noise that counts; nats per datum, None
           where the theory has no number.
Main       advice.
Reference  theory 5.1, 6.1, 6.3, 6.5, 7.6.
"""

from collections.abc import Iterator
from math import sqrt
from typing import Any

from verify.diagnosis.judged import SAME_NOISE, WORTH

Document = dict[str, Any]
# A second moment this far from 1 is no jitter of training.
MOMENT = 0.1


def advice(facts: Document) -> list[Document]:
    """[{"change", "nats"}], what brings most first, what has no number last."""
    lines = [*_noise(facts), *_training(facts), *_latents(facts), *_warm_up(facts), *_epochs(facts)]
    known = sorted((line for line in lines if line["nats"] is not None), key=lambda line: -line["nats"])
    return [*known, *(line for line in lines if line["nats"] is None)]


def _line(change: str, nats: float | None) -> Document:
    return {"change": change, "nats": nats}


def _noise(facts: Document) -> Iterator[Document]:
    """The noise that the reconstructions ask for, at once; and what a training at the learned one would reach."""
    s, tuned, gain = facts["sigma2"], facts["tuned_sigma2"], facts["tuning_gain"]
    if tuned is not None and gain is not None and gain > WORTH:
        bound = "" if facts["elbo_from"] == "draws" else " at most, as the error is that at the means of the latents"
        yield _line(
            f"noise: tell the ELBO at sigma2 = {tuned:.4g}, the mean squared error of these reconstructions, in place "
            f"of {s:.4g}; no training is needed for that{bound}",
            gain,
        )
    linear = facts["linear"]
    mle, reached = linear["sigma2_mle"], linear["value_mle"]
    if mle is not None and not SAME_NOISE < mle / s < 1 / SAME_NOISE and reached - linear["value"] > WORTH:
        yield _line(
            f"noise: train with the noise learned, or at sigma2 = {mle:.4g}, that of the maximum likelihood of a linear "
            f"VAE{_as_weight(facts, mle)}; what is told is what the linear optimum gains",
            reached - linear["value"],
        )
        if mle < s:
            yield _line(
                f"scale: multiplying the data by {sqrt(s / mle):.3g} with the loss as it is means the same as that "
                "smaller noise; in place of it, not beside it",
                reached - linear["value"],
            )


def _as_weight(facts: Document, noise: float) -> str:
    """How the loss is written for this noise."""
    beta = facts["beta"] * noise / facts["sigma2"]
    if facts["loss"] is not None:
        return f" (in your loss: beta = {beta:.3g} in place of {facts['beta']:g})"
    return "" if facts["beta"] == 1 else f" (with beta = 1; or beta = {beta:.3g} at your sigma2)"


def _training(facts: Document) -> Iterator[Document]:
    revival, linear = facts["revival"], facts["linear"]
    if revival is not None and revival["training_nats"] > WORTH:
        used = revival["within"]
        what = (
            f"{used} of the {len(facts['collapsed'])} collapsed latents as linear ones beside the decoder (the escape "
            "that --save-escape writes), and train on"
            if used
            else "the constant that the decoder's output is off by to its bias"
        )
        yield _line(f"training: add {what}", revival["training_nats"])
    if linear["below"] is not None and linear["below"] > max(WORTH, 3 * linear["below_error"]):
        yield _line(
            "training: more epochs, another learning rate or another start: linear maps, which the network contains if "
            f"every hidden layer has at least {2 * linear['contained']} ReLU units and its output is linear, do better",
            linear["below"],
        )


def _latents(facts: Document) -> Iterator[Document]:
    """More latents, or fewer."""
    revival, unused = facts["revival"], len(facts["collapsed"])
    if revival is not None and not unused and revival["directions"] and revival["held_out_nats"] > WORTH:
        more = revival["directions"]
        yield _line(
            f"k: up to {more} more latent{'s' * (more != 1)}, as none is unused and the residual has "
            f"{'them' if more > 1 else 'one'} to hold at this noise",
            revival["held_out_nats"],
        )
    if unused and facts["verdict"] in ("data", "noise", "optimum"):
        where = "these data" if facts["verdict"] == "data" else "this noise"
        yield _line(
            f"k: {facts['k'] - unused or 'none'} in place of {facts['k']} changes nothing at {where}: the collapsed "
            "latents cost nothing either",
            0.0,
        )


def _warm_up(facts: Document) -> Iterator[Document]:
    """What raising the KL's weight slowly can bring, at this noise (theory 7.6)."""
    revival = facts["revival"]
    if revival is None or not facts["collapsed"]:
        return
    if revival["within"] and revival["training_nats"] > WORTH:
        yield _line(
            f"warm-up: raising the weight of the KL from 0 may bring back the {revival['within']} latents that pay at "
            "this noise; others relapse when it is back",
            revival["training_nats"],
        )
    else:
        yield _line(
            "warm-up: raising the weight of the KL from 0 brings latents back only while it is small; at this noise "
            "they relapse, unless the noise is learned meanwhile",
            0.0,
        )


def _epochs(facts: Document) -> Iterator[Document]:
    """Whether rescaling a latent would still help: at the end of a training it does not (theory 6.4)."""
    off = [i + 1 for i, m in enumerate(facts["second_moment"]) if abs(m - 1) > MOMENT]
    if off and not facts["held_out"]:
        yield _line(
            f"epochs: train on: in {len(off)} of {facts['k']} latents the mean of mu^2 + variance is not yet 1, as it "
            "is at the end of every training",
            None,
        )
