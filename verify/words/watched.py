"""What a training that is being watched is told, from the document of an epoch (verify/monitor.py).

Main       STATES, EMPTY; messages.

The document counts latents from 1. Of a deep decoder the linear VAE is a prediction; only "certain collapse" is none.
"""

from collections.abc import Iterator
from typing import Any

from verify.words.wording import ranges

Document = dict[str, Any]
# What the noise at the end of training leaves to be kept.
STATES = ("open", "partial", "predicted collapse", "certain collapse")
FREE, PARTIAL, PREDICTED, CERTAIN = STATES
# Of an epoch without data, which shows nothing.
EMPTY = "no data"
# A log variance above this is no rounding of 0.
CLEARLY = 0.01


def messages(document: Document) -> dict[str, str]:
    """Sentences, each under the name of what it is about, so that a message need not be said twice."""
    return dict([*_broken(document), *_noise(document), *_latents(document)])


def _broken(document: Document) -> Iterator[tuple[str, str]]:
    if document["left_out"]:
        yield (
            "left out",
            f"{document['left_out']} data had a mean, a log variance or a KL that is not finite, and are left out: the "
            "training diverged, or logvar is no logarithm",
        )
    if not (document["N"] or document["left_out"]):
        yield EMPTY, "no data came in this epoch: call add(mu, logvar) for each batch"
    # At a stationary point mean exp(logvar) <= 1 (theory 6.4): logvar, positive somewhere, is negative elsewhere.
    elif document["N"] and document["lowest_logvar"] >= 0 and document["highest_logvar"] > CLEARLY:
        yield (
            "never negative",
            f"no log variance is negative, and one is {document['highest_logvar']:.3g}: no optimum has that; are these "
            "variances, or standard deviations?",
        )


def _noise(document: Document) -> Iterator[tuple[str, str]]:
    """What the noise at the end of training means."""
    k, kept, state = document["k"], document["retained_at_end"], document["state"]
    noise, lam = f"beta sigma2 = {document['noise_at_end']:.4g}", f"{document['lam_1']:.4g}"
    at = f"at {noise}" if not document["learned_noise"] else f"at the present {noise}"
    if state == CERTAIN:
        yield (
            state,
            f"{at} no decoder gains anything by its latents, which holds from "
            f"{document['certain_above']:.4g} on; lower beta or sigma2: below {lam} a linear VAE keeps a latent",
        )
    elif state == PREDICTED:
        end = "" if document["learned_noise"] else "; to keep one for certain, lower beta or sigma2"
        yield (
            state,
            f"{at} a linear VAE keeps no latent, because the data vary by no more than lam_1 = {lam} in any direction; "
            f"for a deep decoder that is a prediction{end}",
        )
    elif state == PARTIAL:
        yield state, f"{at} a linear VAE keeps {kept} of {k} latents; for a deep decoder that is a prediction"


def _latents(document: Document) -> Iterator[tuple[str, str]]:
    """What the latents do beside that."""
    k, kept, fallen = document["k"], document["retained"], document["collapsed"]
    if kept and len(fallen) == k:
        all_of_them = "the only latent has" if k == 1 else f"all {k} latents have"
        yield (
            "all collapsed",
            f"{all_of_them} collapsed, where at the present beta sigma2 = {document['noise']:.4g} a linear VAE keeps "
            f"{kept}: that is no optimum of a decoder that contains the linear ones, so it is the training; "
            "elbo-verify diagnose tells what linear latents would add",
        )
    elif document["state"] == CERTAIN and len(fallen) < k:
        alive = [i for i in range(1, k + 1) if i not in fallen]
        yield "still alive", f"not yet collapsed: {ranges(alive)} of {k} latents"
