"""The diagnosis of a VAE as a document: measured, compared with theory, judged, and what to change.

Notation   as in outputs.py and measured.py; s = beta sigma2, or what the loss means (theory 6.5).
Main       diagnosis -> Diagnosis (its document, and the escape).
Reference  theory 6; reports/schema/diagnose.json; indices count from 1.

All values are ELBOs of the model with observation noise s and the KL in full, which is what the loss minimises.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.analysis.collapse import Proportion, collapse_document
from verify.analysis.stability import stability
from verify.arrays import Array
from verify.checks import positive_noise, random_seed, whole_number
from verify.data.covariance import Covariance
from verify.data.sampling import beyond_noise
from verify.diagnosis.advice import advice
from verify.diagnosis.certified import MEANS, Proved, into, proved
from verify.diagnosis.doubts import doubts
from verify.diagnosis.measured import (
    crossed,
    elbo_of_data,
    linear_log_likelihood,
    mean_and_error,
    squared_errors,
)
from verify.diagnosis.outputs import Outputs
from verify.diagnosis.residuals import (
    ENCODED,
    ONE_DRAW,
    POSTERIOR_MEAN,
    Residual,
    fitted_to,
    inflated,
    residual_of,
    shrunk,
)
from verify.errors import InputError
from verify.landscape.any_decoder import Witness, lower_bound
from verify.landscape.collapse import DELTA, EPSILON, kl
from verify.landscape.judged import verdict
from verify.landscape.rescaling import spare_nats
from verify.landscape.revival import Escape, direction_nats, shift_nats
from verify.landscape.weighted import effective_noise, usable_weight
from verify.models.beta_vae import optimum_that_keeps
from verify.models.losses import LossNoise
from verify.words.certified import CERTIFIED

Document = dict[str, Any]
Told = Callable[[str], object]
# What a decoder ends in: only with a linear output does a network come up to linear maps.
OUTPUTS = ("linear", "bounded")
# Fitting two halves as well takes two more eigendecompositions of this size.
CROSSED = 4096
# Nats whose squares are still numbers.
OVERFLOWING = 1e100


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """The document; what is known of the residual, and the best linear latents to add, None where nothing is.

    interrupted: somebody interrupted the search for proofs; the rest is whole.
    """

    document: Document
    data: Covariance
    residual: Residual | None
    escape: Escape | None
    interrupted: bool = False

    def escape_arrays(self) -> dict[str, Array]:
        """U, V, D, b, center, and in words what V encodes: ready to be put into the network.  There is an escape."""
        assert self.escape is not None and self.residual is not None
        return self.escape.arrays() | {"encoded_from": np.array(ENCODED[self.residual.kind])}


@dataclass(frozen=True)
class Asked:
    """How the model was trained, and how to judge.

    noise: sigma2, or what a loss means; beta: the weight of the KL beside a sigma2 (that of a loss is in its noise).
    hidden: the widths of hidden ReLU layers, if they are known.  held_out: the rows were not trained on.  latents: of
    the linear VAE to compare with, None: as many as the model has.  output: one of OUTPUTS, what the decoder ends in;
    None: not known, and taken to be bounded where all reconstructions lie between 0 and 1.  certify: prove in exact
    arithmetic what can be proved, which takes a minute or so.
    """

    noise: float | LossNoise
    beta: float = 1.0
    hidden: Sequence[int] = ()
    held_out: bool = False
    latents: int | None = None
    output: str | None = None
    epsilon: float = EPSILON
    delta: Proportion = DELTA
    seed: int = 0
    decoders: bool = True
    certify: bool = False

    def __post_init__(self) -> None:
        usable_weight(self.beta)
        random_seed(self.seed)
        if not isinstance(self.noise, LossNoise):
            positive_noise(self.noise)
        if not isinstance(self.hidden, Iterable) or isinstance(self.hidden, str):
            raise InputError(f"hidden {self.hidden}: give the widths of all layers, [{self.hidden}] of one")
        object.__setattr__(self, "hidden", tuple(whole_number(width, "hidden") for width in self.hidden))
        if any(width < 1 for width in self.hidden):
            raise InputError(f"hidden {' '.join(map(str, self.hidden))}: widths of layers, all from 1")
        if self.output not in (None, *OUTPUTS):
            raise InputError(f"output {self.output!r}: choose one of {', '.join(OUTPUTS)}")
        if self.latents is not None:
            object.__setattr__(self, "latents", whole_number(self.latents, "k"))
            if self.latents < 1:
                raise InputError(f"k = {self.latents}: the linear VAE to compare with has at least 1 latent")

    @property
    def s(self) -> float:
        """The noise that counts."""
        if isinstance(self.noise, LossNoise):
            return self.noise.sigma2
        return float(effective_noise(self.noise, self.beta))


def diagnosis(vae: Outputs, asked: Asked, data: Covariance | None = None, told: Told = lambda doing: None) -> Diagnosis:
    """Diagnose a VAE from what it made of its data.

    data: the covariance of vae.rows, computed if it is not given; told: is told what is being done.  Raises InputError.
    """
    s = positive_noise(asked.s)
    told("computing the covariance")
    data = vae.rows.covariance([s]) if data is None else data
    told("comparing with the linear optimum")
    collapse = collapse_document(vae.mu, vae.logvar, [asked.epsilon], asked.delta)
    sampled, at_mean = squared_errors(vae)
    errors = sampled if sampled is not None else at_mean
    if any(kind is not None and not (kind <= OVERFLOWING * s).all() for kind in (sampled, at_mean)):
        raise InputError(
            f"squared errors beyond {OVERFLOWING:g} times the noise; are the reconstructions on the scale of the data?"
        )
    elbos = None if errors is None else elbo_of_data(errors, kl(vae.mu, vae.logvar), vae.n, s)
    linear, linear_notes = _linear(vae, data, asked, elbos)
    told("looking for further directions")
    residual = residual_of(vae, data, s)
    if residual is not None and min(vae.N, vae.n) <= CROSSED:
        residual = shrunk(residual, asked.seed, vae.N)
    witness = _witness(vae, data, asked, told) if asked.decoders else None
    facts = {
        "schema": 1,
        "n": vae.n,
        "k": vae.k,
        "N": vae.N,
        "read": vae.rows.provenance.get("read"),
        "sigma2": s,
        "beta": asked.beta,
        "loss": _loss(asked),
        "held_out": asked.held_out,
        "hidden": list(asked.hidden) or None,
        "output": asked.output or ("bounded" if _within_one(vae) else None),
        "data_noise": float(np.mean(data.eigenvalues)),
        **_noise(vae, errors, s),
        **_elbo(elbos, sampled),
        "kl_total": collapse["kl_total"],
        "kl": collapse["kl"],
        "epsilon": collapse["epsilon"],
        "delta": collapse["delta"],
        "collapsed": collapse["collapsed"],
        "active_units": collapse["active_units"],
        "second_moment": collapse["second_moment"],
        "rescaling_nats": _spare(vae),
        "reconstructions": _at_hand(vae),
        "linear": linear,
        "revival": None if residual is None else _revival(vae, residual, len(collapse["collapsed"]), asked),
        "any_decoder": None if witness is None else {"lower": witness.value, "data": witness.data, "upper": None},
        "resolution": [float(e) for e in data.spectrum.errors],
    }
    known = Proved()
    if asked.certify and witness is not None:
        known = proved(vae.rows, witness, told)
        facts = into(facts, known)
    facts["verdict"] = verdict(facts)
    facts["advice"] = advice(facts)
    notes = [*vae.notes, *data.provenance.get("notes", []), *doubts(vae, facts, collapse["notes"]), *linear_notes]
    meant = [MEANS] if linear.get("certified") == CERTIFIED or known.lower or known.upper else []
    facts["notes"] = list(dict.fromkeys([*notes, *known.notes, *meant]))
    return Diagnosis(facts, data, residual, None if residual is None else residual.given(data), known.interrupted)


def _spare(vae: Outputs) -> float | None:
    """What rescaling and shifting the latents would bring (theory 6.4); None of a latent that does not vary at all."""
    try:
        return float(spare_nats(vae.mu, vae.logvar).sum())
    except InputError:
        return None


def _loss(asked: Asked) -> Document | None:
    if not isinstance(asked.noise, LossNoise):
        return None
    return {"words": asked.noise.words, "error_weight": asked.noise.a, "kl_weight": asked.noise.b}


def _within_one(vae: Outputs) -> bool:
    """Whether all reconstructions lie between 0 and 1, as those of a sigmoid do, and few of other networks."""
    given = [array for array in (vae.reconstructions, vae.samples) if array is not None]
    return bool(given) and all(bool(array.min() >= 0 and array.max() <= 1) for array in given)


def _at_hand(vae: Outputs) -> Document:
    return {"posterior_mean": vae.reconstructions is not None, "draws": vae.draws}


def _noise(vae: Outputs, errors: Array | None, s: float) -> Document:
    """The noise that is best for these reconstructions, and the nats that it brings (theory 5.1)."""
    if errors is None:
        return {"tuned_sigma2": None, "tuning_gain": None}
    tuned = float(errors.mean()) / vae.n
    ratio = tuned / s
    # Reconstructions without any error have no best noise but 0.
    gain = None if tuned == 0 else 0.5 * vae.n * (ratio - 1 - float(np.log(ratio)))
    return {"tuned_sigma2": tuned, "tuning_gain": gain}


def _elbo(elbos: Array | None, sampled: Array | None) -> Document:
    if elbos is None:
        return {"elbo": None, "elbo_error": None, "elbo_from": None}
    value, error = mean_and_error(elbos)
    return {"elbo": value, "elbo_error": error, "elbo_from": POSTERIOR_MEAN if sampled is None else "draws"}


def _linear(vae: Outputs, data: Covariance, asked: Asked, elbos: Array | None) -> tuple[Document, list[str]]:
    """What a linear VAE keeps at this noise, its ELBO there, and how far the network lies below; notes of sampling."""
    s, k = asked.s, min(vae.k if asked.latents is None else asked.latents, vae.n)
    # What has fewer latents contains no linear VAE of more.
    holds = min(k, vae.k)
    found = stability(data, k, [s], certify=asked.certify)
    row, lam = found["noise"][0], data.eigenvalues
    contained = min([holds, *asked.hidden])
    q = min(row["retained"], contained)
    document = {
        "retained": row["retained"],
        "retained_range": row["sampling_range"],
        "latents": k,
        "value": row["value"],
        "sigma2_mle": found["sigma2_mle"],
        "value_mle": None if found["sigma2_mle"] is None else _value_mle(vae, data, asked, k, found["sigma2_mle"]),
        "eigenvalues": lam[: min(k, data.rank)].tolist(),
        "standard_errors": [t["standard_error"] for t in found["thresholds"]],
        # Of as many as the model could hold, whatever it is compared with.
        "beyond_noise": beyond_noise(lam, vae.N, max(k, min(vae.k, vae.n)))[0],
        "contained": contained,
        "contained_value": optimum_that_keeps(lam, q, s, 1.0),
        "below": None,
        "below_error": None,
    }
    notes = [note for note in found["notes"] if note.startswith("sampling") and "Minka" not in note]
    if asked.certify:
        document["certified"] = row["certified"]
        notes += [] if row["why"] is None else [f"not certified: what the best linear VAE keeps, because {row['why']}"]
    if elbos is not None:
        document["below"], document["below_error"] = _below(vae, data, asked, elbos, q)
    return document, notes


def _value_mle(vae: Outputs, data: Covariance, asked: Asked, k: int, sigma2: float) -> float:
    """The linear optimum at this noise; of rows that were not trained on, fitted to the other half of them."""
    if not asked.held_out:
        lam = data.eigenvalues
        return optimum_that_keeps(lam, min(k, int((lam > sigma2).sum())), sigma2, 1.0)
    return float(_of_other_half(vae, asked, k, sigma2).mean())


def _of_other_half(vae: Outputs, asked: Asked, q: int, s: float, less: Array | None = None) -> Array:
    """Of each datum the linear optimum's ELBO, at most q latents fitted to the other half; less: what to take off."""

    def one(chosen: Array) -> Array:
        fitted = fitted_to(vae, chosen, s)
        kept = min(q, int((fitted.eigenvalues > s).sum()))
        values = linear_log_likelihood(fitted, vae.rows.blocks(), kept, s, ~chosen)
        return values if less is None else values - less[~chosen]

    return crossed(vae.N, asked.seed, one)


def _below(vae: Outputs, data: Covariance, asked: Asked, elbos: Array, q: int) -> tuple[float, float]:
    """How far the ELBO lies below the linear optimum, paired datum by datum, and its standard error.

    Of rows that were not trained on, the linear optimum is fitted to the other half of them each time.
    """
    if not asked.held_out:
        return mean_and_error(linear_log_likelihood(data, vae.rows.blocks(), q, asked.s) - elbos)
    return mean_and_error(_of_other_half(vae, asked, q, asked.s, elbos))


def _revival(vae: Outputs, residual: Residual, unused: int, asked: Asked) -> Document:
    """What linear latents would add (theory 6.1): of these rows, and where nothing was fitted to the datum."""
    s, rho = asked.s, residual.covariance.eigenvalues
    above = rho[rho > s]
    within = min(unused, len(above))
    bias = shift_nats(residual.shift, s)
    fitted = residual.gains(residual.escape())
    held, trained, unshifted = _judged(vae, residual, [len(above), within, 0], fitted, asked)
    nats, error = mean_and_error(fitted if residual.kind != ONE_DRAW else held)
    return {
        "residual": residual.kind,
        "eigenvalues": above.tolist(),
        "leading": rho[: max(len(above), min(vae.k, vae.n))].tolist(),
        "directions": len(above),
        "theory_nats": float(direction_nats(above, s).sum()) + bias,
        "nats": nats,
        "standard_error": error,
        "bias_nats": bias,
        "held_out_nats": float(held.mean()),
        "held_out_error": mean_and_error(held)[1],
        "further_nats": float((held - unshifted).mean()),
        "within": within,
        "within_nats": float((trained - unshifted).mean()),
        "within_error": mean_and_error(trained - unshifted)[1],
        "at_most": _at_most(vae, s) if residual.kind == ONE_DRAW else None,
    }


def _judged(vae: Outputs, residual: Residual, counts: list[int], fitted: Array, asked: Asked) -> list[Array]:
    """What so many latents add, of data that they were not fitted to where two halves can be afforded.

    fitted: what the first count adds of those that they were fitted to.
    """
    if min(vae.N, vae.n) <= CROSSED:
        return residual.crossed_gains(counts, asked.seed, vae.N)
    return [fitted, *(residual.gains(residual.escape(count)) for count in counts[1:])]


def _at_most(vae: Outputs, s: float) -> float:
    """What single draws of the residual would promise: too much, as they vary more than their mean."""
    single = inflated(vae, s)
    assert single.mean is not None
    return float(direction_nats(single.eigenvalues, s).sum()) + shift_nats(single.mean, s)


def _witness(vae: Outputs, data: Covariance, asked: Asked, told: Told) -> Witness:
    """Up to which noise, at least, some decoder gains by leaving collapse (theory 6.2)."""
    told("looking for decoders that leave collapse")
    return lower_bound(vae.rows.blocks, data, seed=asked.seed)
