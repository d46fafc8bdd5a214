"""The verdict on a VAE: is its collapse the optimum, or the noise, the training, or the data?

Notation   facts: a diagnosis document as far as it is measured (reports/schema/diagnose.json); nats per datum.
Main       verdict; reasons, what speaks for each; settled.
Reference  theory 6.1, 6.3; claims revival, linear-inside.

training   latents that are unused would pay at this very noise, or the network lies below the linear VAE inside it,
           by more than a hundredth of what another noise would bring
noise      no unused latent would pay at this noise, and the model's own error asks for a smaller one
data       no unused latent would pay, and nothing more in the data stands out from noise
optimum    none of these: nothing is collapsed, or nothing linear would help
mixed      some unused latents would pay as it is, the others at a smaller noise
undecided  what is at hand cannot tell
"""

from typing import Any, NamedTuple

from verify.landscape.worth import ERRORS, MINOR, SAME_NOISE, WORTH

Document = dict[str, Any]
VERDICTS = ("optimum", "noise", "training", "data", "mixed", "undecided")


class Reasons(NamedTuple):
    """What speaks for each verdict.  None: it cannot be told."""

    revivable: bool | None
    below_linear: bool | None
    noise_too_large: bool | None
    nothing_left: bool


def settled(facts: Document) -> bool:
    """Whether all latents have collapsed at a noise at which that is certified to be the optimum of every decoder."""
    bounds = facts.get("any_decoder")
    upper = None if bounds is None else bounds["upper"]
    return upper is not None and len(facts["collapsed"]) == facts["k"] and facts["sigma2"] >= upper


def surely(value: float | None, error: float | None, least: float = WORTH) -> bool | None:
    """Whether a gain is worth it and beyond chance; None: it is worth it, if it is not chance, or it is not known."""
    if value is None:
        return None
    if value <= least:
        return False
    return True if value > ERRORS * (error or 0.0) else None


def reasons(facts: Document) -> Reasons:
    """Of a document without a verdict."""
    k, unused = facts["k"], len(facts["collapsed"])
    too_large = _noise_too_large(facts, k - unused)
    linear, revival = facts["linear"], facts["revival"]
    # Who trains at a noise that is far off has nothing of the last nats at that noise.
    least = max(WORTH, MINOR * (facts["tuning_gain"] or 0.0)) if too_large else WORTH
    below = surely(linear["below"], linear["below_error"], least)
    # A sigmoid cannot follow linear maps: that it lies below them is no fault of its training.
    below = None if below and facts["output"] == "bounded" else below
    revivable = None if revival is None else _revivable(revival, least)
    # What a measurement leaves open a proof that no decoder gains by any latent does not.
    revivable = False if revivable is None and settled(facts) else revivable
    return Reasons(revivable, below, too_large, linear["beyond_noise"] <= k - unused)


def _revivable(revival: Document, least: float) -> bool | None:
    """Whether unused latents would pay; a regression on few rows that finds nothing has not looked well."""
    found = surely(revival["within_nats"], revival["within_error"], least)
    at_most, reached = revival["at_most"], revival["within_nats"] + ERRORS * revival["within_error"]
    return None if found is False and at_most is not None and min(at_most, reached) > least else found


def _noise_too_large(facts: Document, used: int) -> bool | None:
    """Whether the errors of the model undercut its noise; None: that is not known.

    At the means of the latents errors are too small by what the decoder varies within q(z|x): where the variances are
    at their optimum, by s at most for each latent in use, to first order (theory 3.3: D |w|^2 = s (1 - D)).
    """
    tuned, s = facts["tuned_sigma2"], facts["sigma2"]
    if tuned is None:
        return None
    if tuned >= SAME_NOISE * s or (facts["tuning_gain"] is not None and facts["tuning_gain"] <= WORTH):
        return False
    if facts["elbo_from"] == "draws":
        return True
    return True if tuned + used * s / facts["n"] < SAME_NOISE * s else None


def verdict(facts: Document) -> str:
    """One of VERDICTS."""
    why, unused = reasons(facts), len(facts["collapsed"])
    # Some would pay now, and others stay collapsed at this noise whatever is done.
    if why.revivable and why.noise_too_large and unused > facts["revival"]["within"]:
        return "mixed"
    if why.revivable or why.below_linear:
        return "training"
    if why.revivable is None or (why.below_linear is None and facts["elbo"] is not None):
        return "undecided"
    if not unused:
        return "optimum"
    if why.nothing_left:
        return "data"
    if why.noise_too_large is None:
        return "undecided"
    return "noise" if why.noise_too_large else "optimum"
