"""What to change, one line each, and what the theory says that it brings.

Notation   facts: a diagnosis document with its verdict; s = facts["sigma2"], the noise that counts; nats per datum.
Main       advice; spoken.
Reference  theory 5.1, 6.1, 6.3, 6.5, 7.6.
"""

from collections.abc import Iterator
from math import sqrt
from typing import Any

from verify.landscape.worth import SAME_NOISE, WORTH

Document = dict[str, Any]
HINT = " (--save-escape writes them, best first)"
# Which lines speak of what the verdict names.
CAUSES = {"noise": ("noise",), "training": ("training",), "mixed": ("training", "noise")}


def advice(facts: Document, *, learned: bool = False, hint: str = HINT) -> list[Document]:
    """[{"change", "nats"}]: what the verdict names, then the rest, what brings most first.

    learned: the noise is, so that nothing is said of it; hint: where the linear latents to add are found.
    """
    lines = [*_training(facts, hint), *_latents(facts), *_warm_up(facts), *_epochs(facts)]
    lines += [] if learned else _noise(facts)
    named = CAUSES.get(facts["verdict"], ())
    return sorted(lines, key=lambda line: (_about(line) not in named, _about(line) == "scale", -float(line["nats"])))


def _about(line: Document) -> str:
    """What a line of advice is about: the word before its colon."""
    return str(line["change"]).partition(":")[0]


def spoken(facts: Document) -> float:
    """The nats that latents which count as collapsed say together: with a large epsilon or delta not next to none."""
    return float(sum(facts["kl"][latent - 1] for latent in facts["collapsed"]))


def _line(change: str, nats: float) -> Document:
    return {"change": change, "nats": nats}


def _noise(facts: Document) -> Iterator[Document]:
    """The noise that the reconstructions ask for, at once; and what linear weights alone reach where it is learned."""
    s, tuned, gain = facts["sigma2"], facts["tuned_sigma2"], facts["tuning_gain"]
    # Larger errors ask for less where the noise exceeds them, and for more where they exceed it.
    most = "at most" if tuned is not None and tuned < s else "at least"
    bound = "" if facts["elbo_from"] == "draws" else f"; {most}, as the error is that at the means of the latents"
    if tuned is not None and gain is not None and gain > WORTH:
        yield _line(
            f"noise: learn it, or set it to the mean squared error of these reconstructions, sigma2 = {tuned:.4g} in "
            f"place of {s:.4g}{_as_weight(facts, tuned)}; this much without any training{bound}",
            gain,
        )
    reached = _linear_gain(facts)
    mle = facts["linear"]["sigma2_mle"]
    if reached is not None and reached > max(gain or 0.0, WORTH):
        yield _line(
            f"noise: learn it and train again; a linear VAE alone, which ends at sigma2 = {mle:.4g}"
            f"{_as_weight(facts, mle)}, then is this much better than your model now",
            reached,
        )
        if mle < s:
            yield _line(
                f"scale: data multiplied by {sqrt(s / mle):.3g}, with the loss as it is, are that smaller noise in "
                "other units; in place of it, if the output reaches so far and with a smaller learning rate",
                reached,
            )


def _linear_gain(facts: Document) -> float | None:
    """By how much the best linear VAE, its noise learned, exceeds this model.

    None where the noise is about that, and where the ELBO of this model is not known.
    """
    linear = facts["linear"]
    mle, here = linear["sigma2_mle"], facts["elbo"]
    if mle is None or here is None or SAME_NOISE < mle / facts["sigma2"] < 1 / SAME_NOISE:
        return None
    tuned = facts["tuned_sigma2"]
    # A model that errs less than linear ones do has nothing to learn from where their noise ends.
    if tuned is not None and (tuned < facts["sigma2"]) != (mle < facts["sigma2"]):
        return None
    return float(linear["value_mle"] - here)


def _as_weight(facts: Document, noise: float) -> str:
    """How the loss is written for this noise."""
    beta = facts["beta"] * noise / facts["sigma2"]
    if facts["loss"] is not None:
        return f" (in your loss: beta = {beta:.3g} in place of {facts['beta']:g})"
    return "" if facts["beta"] == 1 else f" (with beta = 1; or beta = {beta:.3g} at your sigma2)"


def _training(facts: Document, hint: str) -> Iterator[Document]:
    revival, linear = facts["revival"], facts["linear"]
    if revival is not None and revival["within_nats"] > WORTH:
        yield _line(
            f"training: let {_those(revival['within'], len(facts['collapsed']))} hold what is missed, beginning as "
            f"linear ones beside the decoder{hint}",
            revival["within_nats"],
        )
    if revival is not None and revival["bias_nats"] > WORTH:
        yield _line("training: the output is off by a constant; correct its bias, or train on", revival["bias_nats"])
    if linear["below"] is not None and linear["below"] > max(WORTH, 3 * linear["below_error"]):
        sigmoid = facts["output"] == "bounded"
        yield _line(
            "training: an output without a sigmoid, as linear maps do better, which a bounded output cannot follow"
            if sigmoid
            else "training: more epochs, another learning rate or another start: linear maps, which a network contains "
            f"if every hidden layer has at least {linear['contained']} ReLU units and its output is linear, do better",
            linear["below"],
        )


def _those(within: int, unused: int) -> str:
    """As many of the collapsed latents."""
    if within == unused:
        return "the collapsed latent" if unused == 1 else f"the {unused} collapsed latents"
    return f"{within} of the {unused} collapsed latents"


def _latents(facts: Document) -> Iterator[Document]:
    """More latents, or fewer."""
    revival, unused = facts["revival"], len(facts["collapsed"])
    if (
        revival is not None
        and not unused
        and facts["verdict"] == "optimum"
        and revival["directions"]
        and revival["further_nats"] > WORTH
    ):
        more = revival["directions"]
        yield _line(
            f"k: up to {more} more latent{'s' * (more != 1)}, as none is unused and the residual has "
            f"{'them' if more > 1 else 'one'} to hold at this noise",
            revival["further_nats"],
        )
    if facts["k"] > unused > 0 and spoken(facts) <= WORTH and facts["verdict"] in ("data", "noise", "optimum"):
        where = "these data" if facts["verdict"] == "data" else "this noise"
        yield _line(
            f"k: {facts['k'] - unused} in place of {facts['k']} changes nothing at {where}: the collapsed "
            "latents cost nothing either",
            0.0,
        )


def _warm_up(facts: Document) -> Iterator[Document]:
    """What raising the KL's weight slowly can bring, at this noise (theory 7.6)."""
    revival = facts["revival"]
    if revival is None or not facts["collapsed"]:
        return
    if revival["within"] and revival["within_nats"] > WORTH:
        yield _line(
            f"warm-up: raising the weight of the KL from 0 may bring back "
            f"{_those(revival['within'], len(facts['collapsed']))}, which pay{'s' * (revival['within'] == 1)} at this "
            "noise; others relapse when it is back",
            revival["within_nats"],
        )
    else:
        yield _line(
            "warm-up: raising the weight of the KL from 0 brings latents back only while it is small; at this noise "
            "they relapse, unless the noise is learned meanwhile",
            0.0,
        )


def _epochs(facts: Document) -> Iterator[Document]:
    """What rescaling and shifting the latents would still bring: nothing at the end of a training (theory 6.4)."""
    if (facts["rescaling_nats"] or 0.0) > WORTH and not facts["held_out"]:
        yield _line(
            "epochs: train on; rescaling and shifting the latents alone, which changes no reconstruction where the "
            "layers around them are linear, still brings this much, and at the end of a training nothing",
            facts["rescaling_nats"],
        )
