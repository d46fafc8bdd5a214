"""A diagnosis in words: the verdict in one sentence, then the four questions, each with its numbers.

Notation   facts: a diagnosis document (reports/schema/diagnose.json); s = facts["sigma2"].
Main       headline, sections.
Reference  theory 6.
"""

from collections.abc import Iterator
from typing import Any

from verify.words.numerals import counted, typed
from verify.words.wording import ranges

Document = dict[str, Any]


def nats(value: float) -> str:
    """A number of nats for a sentence: three digits, or one decimal of large ones."""
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"


def with_error(value: float, error: float | None) -> str:
    """101.3 ± 0.4 nats."""
    return f"{nats(value)} nats" if not error else f"{nats(value)} ± {error:.1g} nats"


def headline(facts: Document) -> str:
    """The verdict in one sentence."""
    k, unused, s = facts["k"], len(facts["collapsed"]), f"sigma2 = {typed(facts['sigma2'])}"
    fallen = f"{unused or 'none'} of {k} latents {'has' if unused == 1 else 'have'} collapsed"
    revival, below = facts["revival"], facts["linear"]["below"]
    if facts["verdict"] == "training":
        return (
            f"{fallen}. It is the training, not the optimum: {_what_training_misses(facts)} at the noise that was "
            f"used, {s}."
        )
    if facts["verdict"] == "mixed":
        return (
            f"{fallen}. It is both: {revival['within']} of them would pay at the noise that was used, {s} "
            f"({with_error(revival['within_nats'], revival['within_error'])}), the others only at a smaller one."
        )
    if facts["verdict"] == "noise":
        return (
            f"{fallen}, and at {s}, the noise that the loss means, that is the optimum as far as linear latents go. It "
            f"is the noise: the errors of this model ask for {_tuned(facts)}."
        )
    if facts["verdict"] == "data":
        return (
            f"{fallen}, and the data ask for no more: of their directions "
            f"{facts['linear']['beyond_noise']} stand{'s' * (facts['linear']['beyond_noise'] == 1)} out from noise."
        )
    if facts["verdict"] == "optimum":
        if unused:
            return (
                f"{fallen}, and that is no failure: at {s} no further linear latent would pay, and the noise fits the "
                "errors."
            )
        said = "" if below is None else f", and the ELBO is {_beside_linear(facts)}"
        return f"no latent has collapsed at {s}{said}."
    return f"{fallen}. Whether that is the optimum at {s} or the training cannot be told: {_why_open(facts)}."


def _what_training_misses(facts: Document) -> str:
    revival, linear = facts["revival"], facts["linear"]
    parts = []
    if revival is not None and revival["within"] and revival["within_nats"] > 0:
        said = with_error(revival["within_nats"], revival["within_error"])
        parts.append(f"{revival['within']} unused latents, put to linear use, would add {said}")
    if linear["below"] is not None and linear["below"] > 3 * linear["below_error"] and linear["below"] > 0.1:
        parts.append(f"a linear VAE of the same size is {with_error(linear['below'], linear['below_error'])} better")
    return ", and ".join(parts) or "it is not at its end"


def _tuned(facts: Document) -> str:
    return f"sigma2 = {facts['tuned_sigma2']:.4g}"


def _why_open(facts: Document) -> str:
    if facts["revival"] is None:
        return "there are no reconstructions"
    if facts["revival"]["within_nats"] > 0.1:
        return "what further latents would add is within its error"
    return "what was given leaves it open (see the notes)"


def _beside_linear(facts: Document) -> str:
    below, error = facts["linear"]["below"], facts["linear"]["below_error"]
    if abs(below) <= 2 * error or abs(below) < 0.05:
        return "that of the optimal linear VAE"
    side = "below" if below > 0 else "above"
    return f"{with_error(abs(below), error)} {side} that of the optimal linear VAE"


def sections(facts: Document) -> list[tuple[str, list[str]]]:
    """(question, sentences), in the order in which they are answered."""
    return [
        ("1. The noise", list(_noise(facts))),
        ("2. What has collapsed", list(_collapse(facts))),
        ("3. Optimum or training", list(_optimum(facts))),
        ("4. What to change", list(_change(facts))),
    ]


def _noise(facts: Document) -> Iterator[str]:
    s = typed(facts["sigma2"])
    if facts["loss"] is not None:
        yield f"The loss, {facts['loss']['words']}, is the ELBO at sigma2 = {s}, up to constants."
    elif facts["beta"] != 1:
        yield f"With beta = {facts['beta']:g} the noise that counts is beta sigma2 = {s}."
    else:
        yield f"The noise is sigma2 = {s}."
    linear = facts["linear"]
    if facts["tuned_sigma2"] is not None:
        at = "" if facts["elbo_from"] == "draws" else " at the means of the latents, which is less than that of draws"
        yield (
            f"The mean squared error of the reconstructions is {facts['tuned_sigma2']:.4g} a column{at}; the data "
            f"themselves vary by {facts['data_noise']:.4g} a column."
        )
    if facts["tuning_gain"] is not None and facts["tuning_gain"] > 0.1:
        upto = "" if facts["elbo_from"] == "draws" else "up to "
        gain = nats(facts["tuning_gain"])
        yield f"With the noise at that error the ELBO of this very model would be {upto}{gain} nats higher."
    if linear["sigma2_mle"] is not None:
        yield f"A linear VAE of {facts['k']} latents that learns its noise ends at sigma2 = {linear['sigma2_mle']:.4g}."


def _collapse(facts: Document) -> Iterator[str]:
    k, fallen = facts["k"], facts["collapsed"]
    which = f" (number {ranges(fallen)})" if 0 < len(fallen) < k else ""
    percent = f"{100 * (1 - facts['delta']):g}"
    yield (
        f"{len(fallen)} of {k} latents have collapsed{which}: a KL below {facts['epsilon']:g} nats for {percent}% of "
        f"the {facts['N']} data. {facts['active_units']} are active units (the variance of their mean exceeds 0.01). "
        f"The KL of all together is {nats(facts['kl_total'])} nats."
    )
    low, high = min(facts["second_moment"]), max(facts["second_moment"])
    if max(abs(low - 1), abs(high - 1)) > 0.1:
        yield (
            f"The mean of mu^2 + variance is {low:.3g} to {high:.3g} over the latents; at the end of every training, "
            "and in a file that is what it claims to be, it is 1 in each."
        )
    else:
        yield "The mean of mu^2 + variance is near 1 in each latent, as it is at the end of a training."


def _optimum(facts: Document) -> Iterator[str]:
    linear, revival, k = facts["linear"], facts["revival"], facts["k"]
    held = linear["retained_range"]
    other = "" if held in (None, [linear["retained"]] * 2) else f" (other data of the kind: {counted(*held)})"
    yield f"At this noise a linear VAE keeps {linear['retained']} of {k} latents{other}."
    if linear["below"] is not None:
        yield from _against_linear(facts)
    if revival is not None:
        yield from _revival(facts)
    if facts["any_decoder"] is not None:
        lower, s = facts["any_decoder"]["lower"], facts["sigma2"]
        if s < lower:
            yield (
                f"Below sigma2 = {lower:.4g} giving up all latents is not the best that any decoder can do; this noise "
                "is below."
            )
        else:
            yield (
                f"No decoder was found that would gain by leaving total collapse at this noise; below sigma2 = "
                f"{lower:.4g} there are some."
            )


def _against_linear(facts: Document) -> Iterator[str]:
    linear = facts["linear"]
    about = " at most" if facts["elbo_from"] != "draws" else ""
    yield (
        f"The ELBO is {facts['elbo']:.6g} ± {facts['elbo_error']:.2g}{about}, the optimum of a linear VAE on the same "
        f"rows {linear['contained_value']:.6g}: {_beside_linear(facts)}."
    )
    if linear["below"] > max(0.1, 3 * linear["below_error"]):
        least = "at least " if facts["elbo_from"] != "draws" else ""
        by = with_error(linear["below"], linear["below_error"])
        yield f"{_contains(facts)}: it is {least}{by} below it, so the training failed, not the objective."


def _contains(facts: Document) -> str:
    """That the network contains a linear VAE, as far as that is known."""
    held = facts["linear"]["contained"]
    if facts["hidden"] is not None:
        return f"Hidden layers of {2 * held} or more ReLU units contain the linear VAE of {held} latents"
    return (
        f"If every hidden layer has at least {2 * held} ReLU units and the output is linear, your network contains "
        "that linear VAE"
    )


def _revival(facts: Document) -> Iterator[str]:
    revival = facts["revival"]
    m = revival["directions"]
    if not m and revival["bias_nats"] < 0.1:
        yield "No direction of the mean residual varies by more than the noise: no linear latent would add anything."
        return
    if m:
        most = revival["eigenvalues"][0]
        yield (
            f"{m} direction{'s' * (m != 1)} of the mean residual var{'y' if m != 1 else 'ies'} by more than the noise "
            f"(up to {most:.4g}): as many linear latents beside this decoder, left as it is, would add "
            f"{with_error(revival['nats'], revival['standard_error'])}"
            f"{_held_out(revival)}."
        )
    if revival["bias_nats"] > 0.1:
        yield (
            f"Of that, {nats(revival['bias_nats'])} nats are a constant by which the output is off."
            if m
            else (f"The output is off by a constant that costs {nats(revival['bias_nats'])} nats.")
        )


def _held_out(revival: Document) -> str:
    held, error = revival["held_out_nats"], revival["held_out_error"]
    if abs(held - revival["nats"]) <= max(0.02 * abs(revival["nats"]), 0.01):
        return ""
    return f" ({with_error(held, error)} of data that they were not fitted to)"


def _change(facts: Document) -> Iterator[str]:
    for line in facts["advice"]:
        what = line["change"][0].upper() + line["change"][1:]
        gain = line["nats"]
        told = "" if gain is None else ": nothing to gain" if gain == 0 else f": {nats(gain)} nats"
        yield f"{what}{told}."
    if not facts["advice"]:
        yield "Nothing that this theory knows of."
