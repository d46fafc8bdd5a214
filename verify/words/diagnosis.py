"""A diagnosis in words: the verdict in one sentence, then the four questions, each with its numbers.

Notation   facts: a diagnosis document (reports/schema/diagnose.json); s = facts["sigma2"].
Main       said -> blocks; headline, sections; nats, with_error, noise, at_least, at_most, as sentences print them.
Reference  theory 6.
"""

from collections.abc import Iterator
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from math import floor, log10
from typing import Any

from verify.landscape.judged import reasons, settled
from verify.landscape.worth import ERRORS, MOMENT, WORTH
from verify.words.certified import CERTIFIED
from verify.words.numerals import counted, typed
from verify.words.tables import Blocks
from verify.words.wording import ranges

Document = dict[str, Any]
# Nats of another noise that nobody should overlook although nothing has collapsed.
MUCH = 1.0
HUGE = 1e7
# Errors below this share of a value are rounding, or not worth the digits.
PRECISE = 1e-4
# Of bounds: they are rounded to the safe side.
_FLOOR, _CEILING = (
    Context(prec=4, rounding=rounding, Emax=MAX_EMAX, Emin=MIN_EMIN) for rounding in (ROUND_FLOOR, ROUND_CEILING)
)
# Of networks of which nothing is known.
CONTAINED = ", which a wide enough network with linear outputs contains,"


def nats(value: float) -> str:
    """A number of nats for a sentence: three digits, or one decimal of large ones."""
    if abs(value) >= HUGE:
        return f"{value:.4g}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"


def with_error(value: float, error: float | None) -> str:
    """101.3 ± 0.4 nats: as many decimals as the first digit of the error, where that is worth saying."""
    if not error or error < PRECISE * max(1.0, abs(value)):
        return f"{nats(value)} nats"
    decimals = max(0, -floor(log10(float(f"{error:.1g}"))))
    return f"{value:.{decimals}f} ± {error:.{decimals}f} nats"


def noise(value: float) -> str:
    """sigma2 = 0.1: what somebody typed, or four digits of what was computed."""
    short = typed(value)
    return f"sigma2 = {short if len(short) <= 7 else format(value, '.4g')}"


def at_least(value: float) -> str:
    """A proved lower bound in four digits, none of which say more than is proved."""
    return f"{float(_FLOOR.create_decimal(Decimal(value))):.4g}"


def at_most(value: float) -> str:
    """A proved upper bound, likewise: as the decimal that the document holds."""
    return f"{float(_CEILING.create_decimal(Decimal(repr(value)))):.4g}"


def headline(facts: Document) -> str:
    """The verdict in a sentence or two."""
    return f"{_fallen(facts)}{_BECAUSE[facts['verdict']](facts)}"


def _fallen(facts: Document) -> str:
    k, unused = facts["k"], len(facts["collapsed"])
    if not unused:
        where = f" at {noise(facts['sigma2'])}" if facts["verdict"] == "optimum" else ""
        return f"No latent has collapsed{where}"
    if unused == k:
        return "The only latent has collapsed" if k == 1 else f"All {k} latents have collapsed"
    return f"{unused} of {k} latents {'has' if unused == 1 else 'have'} collapsed"


def _training(facts: Document) -> str:
    return (
        f". It is the training, not the optimum: at the noise that was used, {noise(facts['sigma2'])}, "
        f"{_what_training_misses(facts)}."
    )


def _mixed(facts: Document) -> str:
    revival = facts["revival"]
    within = revival["within"]
    them = "one of them" if within == 1 else f"{within} of them"
    return (
        f". It is both, training and noise: {them} would pay at the noise that was used, {noise(facts['sigma2'])} "
        f"({with_error(revival['within_nats'], revival['within_error'])} more), the others only at a smaller one."
    )


def _of_noise(facts: Document) -> str:
    meant = "the noise that the loss means" if facts["loss"] is not None else "the noise that was used"
    pays, within = _none_pays(facts), facts["revival"]["within_nats"] if facts["revival"] else 0.0
    if within > WORTH and not settled(facts):
        pays = f"further linear latents would add {nats(within)} nats, little beside {nats(facts['tuning_gain'])} of it"
    return (
        f". It is the noise, not the training: at {noise(facts['sigma2'])}, {meant}, {pays}. The errors of this model "
        f"ask for {noise(facts['tuned_sigma2'])}."
    )


def _none_pays(facts: Document) -> str:
    """That latents are of no use at this noise, as far as that is known."""
    return "no decoder whatever beats collapse (certified)" if settled(facts) else "no further linear latent would pay"


def _data(facts: Document) -> str:
    beyond = facts["linear"]["beyond_noise"]
    stand = {0: "no direction stands", 1: "one direction stands"}.get(beyond, f"{beyond} directions stand")
    return f", and the data ask for no more: {stand} out from noise in them."


def _optimum(facts: Document) -> str:
    if facts["collapsed"]:
        end = f". But {_off(facts)}." if overlooked(facts) else ", and the noise fits the errors."
        return f", and that is no failure: at {noise(facts['sigma2'])} {_none_pays(facts)}{end}"
    said = "" if facts["linear"]["below"] is None else f", and the ELBO is {_beside_linear(facts)}"
    return f"{said}. But {_off(facts)}." if overlooked(facts) else f"{said}."


def overlooked(facts: Document) -> bool:
    """Whether the latents are at their optimum, and yet another noise brings nats that nobody should overlook."""
    gain = facts["tuning_gain"]
    return gain is not None and gain > MUCH and facts["verdict"] == "optimum"


def _off(facts: Document) -> str:
    """How a noise that is overlooked is wrong."""
    off, other = ("large", "smaller") if facts["tuned_sigma2"] < facts["sigma2"] else ("small", "larger")
    gain = nats(facts["tuning_gain"])
    return f"the noise is too {off} for its errors: a {other} one brings {_upto(facts)}{gain} nats"


def _undecided(facts: Document) -> str:
    return (
        f". Whether that is the optimum at {noise(facts['sigma2'])} or the training cannot be told: {_why_open(facts)}."
    )


_BECAUSE = {
    "training": _training,
    "mixed": _mixed,
    "noise": _of_noise,
    "data": _data,
    "optimum": _optimum,
    "undecided": _undecided,
}


def _what_training_misses(facts: Document) -> str:
    revival, linear = facts["revival"], facts["linear"]
    parts = []
    if revival is not None and revival["within"] and revival["within_nats"] > WORTH:
        said = with_error(revival["within_nats"], revival["within_error"])
        many = "one unused latent" if revival["within"] == 1 else f"{revival['within']} unused latents"
        parts.append(f"{many}, put to linear use, would add {said}")
    if linear["below"] is not None and linear["below"] > max(WORTH, ERRORS * linear["below_error"]):
        # Without anything else against the training it has to be said when that is no fault of the network.
        said_already = bool(parts or facts["hidden"] or facts["output"] == "linear")
        held = "" if said_already else CONTAINED
        better = with_error(linear["below"], linear["below_error"])
        parts.append(f"a linear VAE of the same size{held} is {better} better")
    return ", and ".join(parts)


def _why_open(facts: Document) -> str:
    if facts["revival"] is None:
        return "it takes reconstructions"
    why = reasons(facts)
    if why.revivable is None:
        return "what further latents would add is within its error"
    if facts["linear"]["below"] is not None and why.below_linear is None:
        if facts["output"] == "bounded":
            return (
                f"a linear VAE is {with_error(facts['linear']['below'], facts['linear']['below_error'])} better, but "
                "reconstructions between 0 and 1, as of a sigmoid, cannot follow it"
            )
        return "how far it lies below a linear VAE is within the error"
    if facts["elbo"] is None:
        return "it takes reconstructions"
    return (
        "errors at the means of the latents are too small to tell whether the noise fits; it takes decoded draws of z"
    )


def _beside_linear(facts: Document) -> str:
    below, error = facts["linear"]["below"], facts["linear"]["below_error"]
    if abs(below) <= 2 * error or abs(below) < 0.05:
        return "that of the best linear VAE"
    side = "below" if below > 0 else "above"
    return f"{with_error(abs(below), error)} {side} that of the best linear VAE"


def _linear_beside(facts: Document) -> str:
    """The same, of the linear VAE."""
    below, error = facts["linear"]["below"], facts["linear"]["below_error"]
    if abs(below) <= 2 * error or abs(below) < 0.05:
        return "as much, within the error"
    return f"{with_error(abs(below), error)} {'more' if below > 0 else 'less'}"


def _upto(facts: Document) -> str:
    """Of errors at the means of the latents, which are too small: those above the noise ask for more than they say."""
    if facts["elbo_from"] == "draws":
        return ""
    return "at least " if facts["tuned_sigma2"] > facts["sigma2"] else "up to "


def said(facts: Document) -> Blocks:
    """The verdict, and under each of the four questions its answer."""
    answered = ["\n  ".join([question, *sentences]) for question, sentences in sections(facts)]
    return [headline(facts), *answered]


def sections(facts: Document) -> list[tuple[str, list[str]]]:
    """(question, sentences), in the order in which they are answered."""
    return [
        ("1. The noise", list(_noise(facts))),
        ("2. What has collapsed", list(_collapse(facts))),
        ("3. Optimum or training", list(_optimum_or_training(facts))),
        ("4. What to change", list(_change(facts))),
    ]


def _noise(facts: Document) -> Iterator[str]:
    s = noise(facts["sigma2"])
    if facts["loss"] is not None:
        yield f"The loss was: {facts['loss']['words']}. It is the ELBO with {s}, up to constants."
    elif facts["beta"] != 1:
        yield f"With beta = {facts['beta']:g} what counts is beta sigma2: the loss was the ELBO with {s}."
    else:
        yield f"The loss was the ELBO with {s}."
    yield "This is the variance with which a column may miss its reconstruction; what varies by less is lost in it."
    if facts["tuned_sigma2"] is not None:
        at = "" if facts["elbo_from"] == "draws" else " at the means of the latents, less than at draws of them"
        yield (
            f"The mean squared error of the reconstructions is {facts['tuned_sigma2']:.4g} a column{at}; the data "
            f"themselves vary by {facts['data_noise']:.4g}."
        )
    if facts["tuning_gain"] is not None and facts["tuning_gain"] > WORTH:
        yield (
            f"With the noise at that error the ELBO of this model, as it is, would be {_upto(facts)}"
            f"{nats(facts['tuning_gain'])} nats higher."
        )
    mle, k = facts["linear"]["sigma2_mle"], facts["linear"]["latents"]
    if mle is not None:
        yield f"A linear VAE of {k} latent{'s' * (k != 1)} that learns its noise ends at {noise(mle)}."


def _collapse(facts: Document) -> Iterator[str]:
    k, fallen = facts["k"], facts["collapsed"]
    which = f" (number{'s' * (len(fallen) != 1)} {ranges(fallen)})" if 0 < len(fallen) < k else ""
    percent = f"{100 * (1 - facts['delta']):g}"
    yield (
        f"{len(fallen)} of {k} latents {'has' if len(fallen) == 1 else 'have'} collapsed{which}: a KL below "
        f"{facts['epsilon']:g} nats for {percent}% of the {facts['N']} data."
    )
    active = facts["active_units"]
    yield (
        f"{active} {'is an active unit' if active == 1 else 'are active units'} (the mean varies by more than 0.01). "
        f"The KL of all together is {nats(facts['kl_total'])} nats."
    )
    low, high = min(facts["second_moment"]), max(facts["second_moment"])
    ends = sorted({f"{low:.3g}", f"{high:.3g}"}, key=float)
    about = f"is {ends[0]}" if len(ends) == 1 else f"lies between {ends[0]} and {ends[1]}"
    if max(abs(low - 1), abs(high - 1)) > MOMENT:
        yield (
            f"The mean of mu^2 + variance {about}. At the end of a training it is 1 in every latent; what is far from "
            "it is not trained to the end, or not what it is taken for."
        )
    else:
        yield f"The mean of mu^2 + variance {about}: near 1, as at the end of a training."


def _optimum_or_training(facts: Document) -> Iterator[str]:
    linear, k = facts["linear"], facts["linear"]["latents"]
    held = linear["retained_range"]
    apart = ["certified" if linear["certified"] == CERTIFIED else "not certified"] if "certified" in linear else []
    apart += [] if held in (None, [linear["retained"]] * 2) else [f"{counted(*held)} on other data of the kind"]
    more = f" ({'; '.join(apart)})" if apart else ""
    yield f"At this noise the best linear VAE keeps {linear['retained']} of {k} latents{more}."
    if linear["below"] is not None:
        yield from _against_linear(facts)
    if facts["revival"] is not None:
        yield from _revival(facts)
    if facts["any_decoder"] is not None:
        yield from _any_decoder(facts)


def _any_decoder(facts: Document) -> Iterator[str]:
    """Below which noise some decoder gains by its latents, and, where that is proved, from which one on none does."""
    bounds = facts["any_decoder"]
    certified = bounds.get("certified", {}).get("lower") == CERTIFIED
    lower = f"sigma2 = {at_least(bounds['lower'])} (certified)" if certified else noise(bounds["lower"])
    alone = bounds["data"] < 2
    heart = ", though only by learning single data by heart" if alone else ""
    upper = bounds["upper"]
    none = f"No decoder whatever beats collapse at a noise of {at_most(upper)} or more (certified)" if upper else ""
    if upper is not None and facts["sigma2"] >= upper:
        yield f"{none}, and so at this one; up to {lower} some decoder does{heart}."
        return
    if facts["sigma2"] < bounds["lower"]:
        yield (
            f"Giving up all latents is not the best that a decoder can do here: up to {lower} some decoder attains a "
            f"larger likelihood by using them{heart}, and a larger ELBO if the encoder comes up to the posterior."
        )
    else:
        yield (
            f"At this noise no decoder was found that gains by using any latent, however deep; up to {lower} there "
            f"{'are' if not alone else 'is'} {'some' if not alone else 'one'}{heart}."
        )
    if none:
        yield f"{none}{'; between the two it is open' if facts['sigma2'] >= bounds['lower'] else ''}."


def _against_linear(facts: Document) -> Iterator[str]:
    linear, drawn = facts["linear"], facts["elbo_from"] == "draws"
    value = with_error(facts["elbo"], facts["elbo_error"]).removesuffix(" nats")
    yield (f"The ELBO is {'' if drawn else 'at most '}{value} nats; {_best_linear(facts)}, {_linear_beside(facts)}.")
    if linear["below"] > max(WORTH, ERRORS * linear["below_error"]):
        least = "" if drawn else "at least "
        by = with_error(linear["below"], linear["below_error"])
        if facts["output"] == "bounded":
            yield (
                f"That is {least}{by} more, but reconstructions between 0 and 1, as of a sigmoid, cannot follow linear "
                "maps: it need not be the training."
            )
        else:
            minor = facts["verdict"] == "noise"
            why = "little beside another noise" if minor else "the training failed, not the objective"
            yield f"{_contains(facts)}, and it is {least}{by} worse: {why}."


def _best_linear(facts: Document) -> str:
    """What the linear VAE that is compared with attains, on rows that it was fitted to or not."""
    if not facts["held_out"]:
        return f"the best linear VAE on the same rows has {nats(facts['linear']['contained_value'])}"
    value = facts["elbo"] + facts["linear"]["below"]
    return f"the best linear VAE, fitted to the other half of these rows each time, has {nats(value)}"


def _contains(facts: Document) -> str:
    """That the network contains a linear VAE, as far as that is known."""
    held = facts["linear"]["contained"]
    if facts["hidden"] is not None:
        given = "" if facts["output"] == "linear" else " and a linear output"
        return f"Your network, with {held} or more ReLU units in every hidden layer{given}, comes up to that linear VAE"
    return (
        f"If every hidden layer has at least {held} ReLU unit{'s' * (held != 1)} and the output is linear, your "
        "network comes up to that linear VAE"
    )


def _revival(facts: Document) -> Iterator[str]:
    revival = facts["revival"]
    m, bias = revival["directions"], revival["bias_nats"]
    if not m:
        yield "What the model misses varies by less than the noise everywhere: no linear latent would add anything."
    else:
        yield (
            f"What the model misses varies by more than the noise in {m} direction{'s' * (m != 1)} (by "
            f"{revival['eigenvalues'][0]:.4g} at most). {_as_many(m)} beside this decoder, left as it is, would "
            f"{_would_add(revival)}."
        )
    if bias > WORTH:
        yield (
            f"Of that, {nats(bias)} nats are a constant by which the output is off."
            if m
            else f"The output is off by a constant, which costs {nats(bias)} nats."
        )


def _as_many(m: int) -> str:
    return "One linear latent" if m == 1 else f"{m} linear latents"


def _would_add(revival: Document) -> str:
    """What linear latents bring; of directions that are chance, or what draws vary, that may be less than nothing."""
    if revival["nats"] <= 0:
        return "add nothing, as that is no more than chance or what draws of z vary"
    return f"add {with_error(revival['nats'], revival['standard_error'])}{_held_out(revival)}"


def _held_out(revival: Document) -> str:
    held, error = revival["held_out_nats"], revival["held_out_error"]
    if abs(held - revival["nats"]) <= max(0.02 * abs(revival["nats"]), 0.01):
        return ""
    return f", or {with_error(held, error)} on data that they were not fitted to"


def _change(facts: Document) -> Iterator[str]:
    for line in facts["advice"]:
        yield f"{capital(line['change'])}{gain(line)}."
    if not facts["advice"]:
        yield "Nothing that this theory knows of."


def capital(change: str) -> str:
    """Advice as the beginning of a sentence; k stays k."""
    return change if change.startswith("k:") else change[0].upper() + change[1:]


def gain(line: Document) -> str:
    """What a change brings, as the end of a sentence."""
    value = line["nats"]
    return "" if value is None else ": nothing to gain" if value == 0 else f": {nats(value)} nats"
