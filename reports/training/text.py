"""What came of the models of `elbo-verify train`, in words and tables for the terminal.

Notation   document: train.json as a dict.
Main       pieces; verdict, model_lines and legend, which the page has too; headline, the page's alone.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from gpu.vae.plan import Outcome
from reports.terminal.console import table
from reports.training.verdicts import sentences, tells_distance, where
from verify.words.numerals import counted, typed
from verify.words.tables import short

Document = dict[str, Any]
# Courses of more models are in the files of --out.
MOST_COURSES = 20
# Of more noises than that, the table alone tells.
MOST_SENTENCES = 6
MOST_IN_HEADLINE = 3


def pieces(document: Document, outcomes: Sequence[Outcome]) -> Iterator[Any]:
    """Everything for people, as lines and tables."""
    yield "\n".join(verdict(document))
    if told := "\n".join(sentences(document, MOST_SENTENCES)):
        yield f"\n{told}"
    yield ""
    yield table(COLUMNS, model_lines(document))
    yield "\nELBO on the way"
    yield _courses(document, outcomes)
    yield f"\n{legend(document)}"


def verdict(document: Document) -> list[str]:
    """The best of each group, a sentence each; groups are not ranked."""
    found = document["best_per_noise"]
    if all(group["best"] is None for group in found):
        return [f"No model is left: {next(n for n in document['notes'] if 'diverged' in n)}."]
    said = [_best(document, group) for group in found[:MOST_SENTENCES]]
    if len(found) > len(said):
        said.append(f"Of the other {len(found) - len(said)} noises the table marks the best models with *.")
    if len(found) > 1:
        said.append("ELBOs at different fixed noises are not ranked: another noise is another question.")
    lost = sum(m["evaluation"] is None for m in document["models"])
    if lost:
        said.append(f"{lost} of {len(document['models'])} models diverged and were frozen.")
    return said


def headline(document: Document) -> str:
    """How many latents the best model of each noise keeps; "Unfinished" where one of them is."""
    k, kept, unfinished = document["architecture"]["k"], {}, False
    for group in document["best_per_noise"]:
        if group["best"] is not None:
            m = document["models"][group["best"] - 1]
            e, unfinished = m["evaluation"], unfinished or m["convergence"]["unfinished"]
            kept[where(group)] = e["retained"], e
    if not kept:
        return "No model is left: all diverged."
    if len(kept) > MOST_IN_HEADLINE:
        few, many = (f(found for found, _ in kept.values()) for f in (min, max))
        between = f"{few} to {many}" if few < many else f"{few}"
        the = "Unfinished: the" if unfinished else "The"
        return f"{the} best models of {len(kept)} noises keep {between} of {k} latents."
    said = [f"{found} at {noise} (linear: {_linear(e)})" for noise, (found, e) in kept.items()]
    return f"{'Unfinished: of' if unfinished else 'Of'} {k} latents the best models keep {', '.join(said)}."


def _best(document: Document, group: Document) -> str:
    """What the best model of a noise reaches, and how far that is from what is known."""
    at = "with learned noise" if group["noise"] == "learned" else f"at {where(group)}"
    if group["best"] is None:
        return f"No model {at} is left."
    m, k = document["models"][group["best"] - 1], document["architecture"]["k"]
    e, c = m["evaluation"], m["convergence"]
    which = f"best of {group['models']} models" if group["models"] > 1 else "model"
    if m["noise"] == "learned":
        at += f", from {typed(m['init_sigma2'])} to {short(e['sigma2'], 4)},"
    weighed = "" if c["final_beta"] == 1 else f" and a KL weight of {c['final_beta']:.4g}"
    which = f"Unfinished: the {which}" if c["unfinished"] else f"The {which}"
    return (
        f"{which} {at} (number {group['best']}) reaches an ELBO of {_nats(e['elbo'])} nats per datum and keeps "
        f"{e['retained']} of {k} latents; at that noise{weighed} the optimum of a linear model keeps {_linear(e)}"
        f"{_distance(document, m, group['diagnosis'])}."
    )


def _linear(evaluation: Document) -> str:
    """How many latents a linear model keeps at that noise: 3, or "2 or 3" where rounding cannot tell."""
    return counted(evaluation["linear_retained"], evaluation["linear_retained_at_most"])


def _distance(document: Document, model: Document, told: Document | None) -> str:
    """How far a model with a linear decoder is from its optimum, which is known; once, if the verdict says it too."""
    if document["architecture"]["kind"] not in ("linear", "linear-decoder"):
        return ""
    if model["noise"] == "fixed" and model["convergence"]["final_beta"] == 1 and tells_distance(told):
        return ""
    c = model["convergence"]
    below = c["below_linear_optimum"]
    if below is None:
        return ". There is no best noise: the likelihood has no upper bound"
    over = f", at the best noise {short(c['linear_optimum_sigma2'], 4)}," if model["noise"] == "learned" else ""
    if c["final_beta"] == 1:
        return f". The ELBO of that optimum{over} is known: this model is {short(below, 3)} nats per datum below it"
    return (
        f". What it was trained on, the ELBO with its KL weighed by {c['final_beta']:.4g}, is {short(below, 3)} nats "
        f"per datum below what that optimum{over} reaches"
    )


HEADINGS = ("", "noise", "rate", "seed", "ELBO", "tuned ELBO", "sigma2", "KL", "collapsed %", "kept", "linear", "ended")
COLUMNS = [(name, True) for name in HEADINGS]


def model_lines(document: Document) -> list[tuple[str, ...]]:
    """One line a model, under HEADINGS."""
    lines: list[tuple[str, ...]] = []
    best = {g["best"] for g in document["best_per_noise"] if g["models"] > 1}
    for number, m in enumerate(document["models"], start=1):
        named = (
            f"{'*' * (number in best)}{number}",
            f"{m['noise']} {typed(m['init_sigma2'])}",
            f"{m['learning_rate']:g}",
            str(m["seed"]),
        )
        e = m["evaluation"]
        if e is None:
            lines.append((*named, "frozen", f"step {m['frozen']}", *["-"] * 6))
            continue
        sigma2 = typed(e["sigma2"]) if m["noise"] == "fixed" else short(e["sigma2"], 4)
        shown = (_nats(e["elbo"]), _nats(e["tuned_elbo"]), sigma2, _nats(e["kl"]))
        ended = "no" if m["convergence"]["unfinished"] else "yes"
        kept = (f"{e['collapse_percent']:.1f}", str(e["retained"]), _linear(e), ended)
        lines.append((*named, *shown, *kept))
    return lines


def _nats(value: float) -> str:
    """One decimal, of a number that a column can hold; else four digits."""
    return f"{value:.1f}" if abs(value) < 1e6 else short(value, 4)


def _courses(document: Document, outcomes: Sequence[Outcome]) -> Any:
    """The ELBO after the first epoch, a tenth, half and all of them; of many models, the best of each noise."""
    n, epochs = document["architecture"]["n"], document["training"]["epochs"]
    at = sorted({1, max(1, round(epochs / 10)), max(1, round(epochs / 2)), epochs})
    numbers = range(1, len(outcomes) + 1)
    if len(outcomes) > MOST_COURSES:
        numbers = [g["best"] for g in document["best_per_noise"] if g["best"] is not None]
    lines = []
    for number in numbers:
        m, curve = document["models"][number - 1], outcomes[number - 1].elbos(n)
        c = m["convergence"]
        rise = (
            "-" if c is None or c["rise"] is None else f"{c['rise']:+.2g} ± {float(format(c['rise_error'], '.1g')):g}"
        )
        noise = f"{m['noise']} {typed(m['init_sigma2'])}"
        lines.append((str(number), noise, *(short(curve[epoch - 1], 6) for epoch in at), rise))
    heads = [f"epoch {epoch}" for epoch in at]
    return table([(name, True) for name in ("", "noise", *heads, "over the last tenth")], lines)


def legend(document: Document, courses: bool = True) -> str:
    """What stands in which column; courses: those of the ELBO on the way too."""
    data = document["data"]
    J = data["mean_log_jacobian"] + data["log_scale_jacobian"]
    scale = f"; on the scale of the raw values every ELBO is {abs(J):.1f} {'higher' if J > 0 else 'lower'}" if J else ""
    weight = min((m["convergence"]["final_beta"] for m in document["models"] if m["convergence"]), default=1.0)
    beta = " and the weight of the KL at which the training ended" if weight != 1 else ""
    on_the_way = (
        "; on the way: the mean over the batches of an epoch, while the weights move; "
        "over the last tenth (of the epochs, three at least): what the ELBO gained there, by a straight line"
    )
    return (
        "ELBO in nats per datum, over all data, in the model's space, "
        + (f"its KL weighed by 1, not by the {weight:.4g} of the training" if weight != 1 else "its KL weighed by 1")
        + scale
        + "; tuned: at the "
        "best noise for the same reconstructions; collapsed: KL below 0.01 for 99% of the data; linear: latents that "
        f"the optimum of a linear model keeps at sigma2{beta}; ended: no sign that the training was stopped too early"
        + (on_the_way if courses else "")
        + ("; *: the best model of its noise" if any(g["models"] > 1 for g in document["best_per_noise"]) else "")
    )
