"""Is it the optimum, or the training? What the diagnosis of a VAE says of models that were trained here.

Notation   s = beta sigma2: the noise at which a model ended, by the weight of the KL at which its training ended
           (theory 3.9); E|x - f(z)|^2 is known in closed form where the decoder is linear.
Main       judged, the models of `train`; diagnoses, of chosen ones; outputs_of, what a model makes of its data; agreed,
           one voice with the signs of convergence.
Reference  verify/diagnosis; theory 6; reports/schema/train.json ("diagnosis").

z is drawn twice a datum, at mu + d and at mu - d: what the decoder does linearly cancels in the mean of both.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gpu.vae.account import Terms, elbo
from gpu.vae.model import Ensemble
from gpu.vae.noise import DIAGNOSIS, normals
from gpu.vae.plan import Outcome, Plan, Run
from gpu.vae.rows import TrainingRows
from gpu.vae.training import host_threads
from reports.training.document import ENCODED, Material
from reports.training.signs import bests
from reports.training.verdicts import CONVOLUTIONS
from verify.diagnosis.advice import advice
from verify.diagnosis.document import Asked, diagnosis
from verify.diagnosis.outputs import Outputs, outputs
from verify.errors import InputError
from verify.landscape.judged import SAME_NOISE, reasons, verdict
from verify.words.diagnosis import headline, with_error
from verify.words.numerals import typed

Document = dict[str, Any]
Ensembles = Callable[[Sequence[int]], Mapping[int, Ensemble]]
# Entries of data beyond which three times as many reconstructions are no small matter any more; MNIST has 47 million.
LARGEST = 1 << 26
# Multiplications of one covariance: MNIST's take a model half a minute, as many of a few large images two minutes.
LONGEST = 5e10
LINEAR = (
    "retained", "retained_range", "contained", "contained_value", "below", "below_error", "sigma2_mle", "value_mle"
)  # fmt: skip
REVIVAL = (
    "directions", "nats", "standard_error", "bias_nats", "held_out_nats", "held_out_error", "within", "within_nats",
    "within_error",
)  # fmt: skip


def judged(
    models: Sequence[Document],
    outcomes: Sequence[Outcome],
    plan: Plan,
    data: Material,
    seed: int,
    ensembles: Ensembles,
) -> tuple[list[Document], dict[int, Document], list[str]]:
    """The best model of each noise, diagnosed: models of train.json that agree with that, diagnoses by place, notes."""
    best = [group["best"] - 1 for group in bests(models) if group["best"] is not None]
    found, notes = diagnoses(best, outcomes, plan, data, seed, ensembles)
    agreeing = [agreed(model, found.get(place)) for place, model in enumerate(models)]
    for place in found:
        signs = agreeing[place]["convergence"]["unfinished"]
        found[place]["unfinished"] = any(sign != "below linear" for sign in signs)
    return agreeing, found, notes


def diagnoses(
    places: Sequence[int],
    outcomes: Sequence[Outcome],
    plan: Plan,
    data: Material,
    seed: int,
    ensembles: Ensembles,
) -> tuple[dict[int, Document], list[str]]:
    """Of the models at these places, those that can be diagnosed; and notes of the others.

    ensembles: models by their places, as they were trained; seed: of the halves that are fitted to each other. Whether
    a training has come to its end is for the caller to say ("unfinished").
    """
    N, n = data.rows.shape
    if N * n > LARGEST or N * n * min(N, n) > LONGEST:
        return {}, [
            f"no verdict, optimum or training: {N} x {n} data are too many to be reconstructed and taken apart here"
        ]
    found, notes, models = {}, [], ensembles(places)
    for place in places:
        if plan.final_weight(outcomes[place].run, N) == 0:
            notes.append(f"model {place + 1}: no verdict, as the training ended with a KL that weighs 0")
            continue
        try:
            found[place] = _diagnosed(models[place], outcomes[place], plan, data, seed) | {"model": place + 1}
        except InputError as error:
            notes.append(f"model {place + 1}: no verdict, optimum or training: {error}")
    return found, notes


def outputs_of(ensemble: Ensemble, data: TrainingRows, seed: int) -> Outputs:
    """What the first model makes of all data, on the scale of the rows before an offset is taken away."""
    X, offset = data.array(0).astype(ensemble.parameters.dtype, copy=False), data.offset
    (N, n), k = X.shape, ensemble.architecture.k
    mu, logvar = np.empty((N, k)), np.empty((N, k))
    made = np.empty((3, N, n), dtype=X.dtype if offset is None else np.float64)
    for step, start in enumerate(range(0, N, ENCODED)):
        rows = slice(start, start + ENCODED)
        # What encoder and decoder return lies in buffers that the next call overwrites.
        mean, log_variance = (np.array(half) for half in ensemble.encode(X[None, rows]))
        mu[rows], logvar[rows] = mean[0], log_variance[0]
        away = np.exp(0.5 * log_variance) * normals([seed], DIAGNOSIS, step, np.empty_like(mean))
        for one, z in zip(made, (mean, mean + away, mean - away), strict=True):
            one[rows] = ensemble.decode(z)[0]
    if offset is not None:
        made += offset
    return outputs(data.rows, mu, logvar, made[0], made[1:])


def _diagnosed(ensemble: Ensemble, outcome: Outcome, plan: Plan, data: Material, seed: int) -> Document:
    """One model that was not frozen.  Raises InputError."""
    e, run, architecture = outcome.evaluation, outcome.run, plan.architecture
    assert e is not None
    weight = plan.final_weight(run, data.rows.shape[0])
    # Of convolutions it is not known which linear maps they contain.
    hidden = architecture.hidden if architecture.kind in ("mlp", "linear-decoder") else ()
    asked = Asked(e.sigma2, weight, hidden, output="linear", seed=seed, decoders=False)
    with host_threads(plan):
        vae = outputs_of(ensemble, data.rows, run.seed)
    facts = diagnosis(vae, asked, data.covariance).document
    if e.exact_error is not None:
        facts = _in_closed_form(facts, e.kl, e.exact_error)
    said = _headline(facts, run, weight)
    # The weight of the KL may ask for more than the errors; a noise that is learned is not there yet.
    if run.learned and facts["verdict"] in ("noise", "mixed") and e.tuned_sigma2 < SAME_NOISE * e.sigma2:
        said, facts["verdict"] = _on_its_way(facts, e.sigma2), "training"
    facts["advice"] = advice(facts, learned=run.learned, hint="")
    return _told(facts, said, architecture.kind)


def _in_closed_form(facts: Document, kl: float, error: float) -> Document:
    """The same, told with the ELBO as it is: without draws of z its distance from the linear optimum has no error."""
    value = float(elbo(Terms(np.asarray(error), np.asarray(kl)), np.asarray(facts["sigma2"]), facts["n"]))
    linear = facts["linear"] | {"below": facts["linear"]["contained_value"] - value, "below_error": 0.0}
    facts = facts | {"elbo": value, "elbo_error": 0.0, "linear": linear}
    return facts | {"verdict": verdict(facts)}


def _on_its_way(facts: Document, sigma2: float) -> str:
    """What is said of a model whose noise has not come down yet; its collapse need not stay."""
    k, unused, revival = facts["k"], len(facts["collapsed"]), facts["revival"]
    already = ""
    if facts["verdict"] == "mixed":
        gain = with_error(revival["within_nats"], revival["within_error"])
        already = f" Already at this one {revival['within']} of them would pay ({gain})."
    return (
        f"{unused} of {k} latents {'has' if unused == 1 else 'have'} collapsed. It is the training, not the optimum: "
        f"the noise that is learned, sigma2 = {sigma2:.4g}, has not come down to the errors of this model, sigma2 = "
        f"{facts['tuned_sigma2']:.4g}.{already}"
    )


def _told(facts: Document, said: str, kind: str) -> Document:
    """What is kept of a diagnosis; and whether the network surely lies below linear maps that it contains."""
    below = reasons(facts).below_linear
    if kind == "conv" and below:
        said = f"{said[:-1]}; {CONVOLUTIONS}."
    revival = facts["revival"]
    return {
        "sigma2": facts["sigma2"],
        "verdict": facts["verdict"],
        "headline": said,
        "collapsed": facts["collapsed"],
        "tuned_sigma2": facts["tuned_sigma2"],
        "tuning_gain": facts["tuning_gain"],
        "linear": {name: facts["linear"][name] for name in LINEAR},
        "below_linear": bool(below) and kind != "conv",
        "revival": None if revival is None else {name: revival[name] for name in REVIVAL},
        "advice": facts["advice"],
    }


def _headline(facts: Document, run: Run, weight: float) -> str:
    """In one sentence, of a network that is known; of a noise that nobody typed only so many digits."""
    s = facts["sigma2"] if weight == 1 and not run.learned else float(f"{facts['sigma2']:.4g}")
    told = headline(facts | {"sigma2": s})
    return told if weight == 1 else told.replace(f"sigma2 = {typed(s)}", f"beta sigma2 = {typed(s)}")


def agreed(model: Document, told: Document | None) -> Document:
    """A model of train.json whose sign "below linear" is what its diagnosis says, which knows the error of that.

    A learned noise is held to the best of all noises as well, which the diagnosis does not look at.
    """
    convergence = model["convergence"]
    if told is None or convergence is None:
        return model
    signs = [sign for sign in convergence["unfinished"] if sign != "below linear"]
    before = model["noise"] == "learned" and "below linear" in convergence["unfinished"]
    if told["below_linear"] or before:
        signs.append("below linear")
    return model | {"convergence": convergence | {"unfinished": signs}}
