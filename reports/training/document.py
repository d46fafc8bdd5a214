"""Trainings for the commands: rows, checkpoints, progress, and what comes of the models as plain JSON.

Notation   J takes an ELBO from the model's space to the scale of the raw values, 0..255 of images (theory 5.2);
           lam (n,) eigenvalues of the covariance of the very rows that are trained on.
Main       Material, trained, described, train_document, write_csv, save_latents.
Reference  theory 5; reports/schema/train.json.
"""

import argparse
import csv
import io
import shlex
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gpu import products
from gpu.vae.architecture import Layout
from gpu.vae.checkpoint import Folder, identity
from gpu.vae.model import Ensemble
from gpu.vae.plan import Outcome, Plan
from gpu.vae.rows import TrainingRows
from gpu.vae.training import train
from proofs.machinery import ledger
from reports.terminal.console import Session
from reports.terminal.data import covariance_of
from reports.training.best import Best
from reports.training.signs import bests, caveats, signs
from verify.arrays import Array
from verify.data.covariance import Covariance
from verify.data.rows import Rows
from verify.data.writing import write_npz
from verify.eigenvalues import Eigenvalues
from verify.errors import InputError, about
from verify.landscape.collapse import DELTA, EPSILON, EPSILONS

Document = dict[str, Any]
# Data that pass the encoder at a time.
ENCODED = 1000


@dataclass
class Material:
    """What is trained on, and what the linear theory says of it."""

    name: str
    rows: TrainingRows
    covariance: Covariance
    notes: list[str] = field(default_factory=list)

    @property
    def lam(self) -> Eigenvalues:
        """Those of the covariance, with what is known of them."""
        return self.covariance.spectrum

    @property
    def eigenvalues(self) -> Array:
        """Their values, (n,)."""
        return self.lam.values

    @property
    def rank(self) -> int:
        """In how many directions the data vary."""
        return self.lam.rank

    @property
    def J(self) -> float:
        return self.rows.raw_scale_constant

    def facts(self) -> Document:
        """As plain JSON."""
        (N, n), rows = self.rows.shape, self.rows
        return {
            "name": self.name,
            "read": rows.rows.provenance.get("read"),
            "N": N,
            "n": n,
            "rank": self.rank,
            "preprocessing": rows.rows.preprocessing.facts(),
            "redrawn": rows.redrawn,
            "mean_log_jacobian": rows.mean_log_jacobian,
            "log_scale_jacobian": rows.log_scale_jacobian,
            "offset": None if rows.offset is None else rows.offset.tolist(),
            "variance": float(self.eigenvalues.mean()),
            "rms": rows.survey.rms,
            "typical": rows.survey.typical,
            "largest": rows.survey.largest,
            "fingerprint": rows.fingerprint,
        }


def material(name: str, rows: Rows, redrawn: bool = False, noises: Iterable[float] = ()) -> Material:
    """Rows, ready to be trained on; noises: what their eigenvalues will be compared with.  InputError as covariance."""
    covariance = covariance_of(name, rows, list(noises))
    taught = TrainingRows(rows, redrawn=redrawn)
    try:
        notes = [*covariance.provenance.get("notes", []), *taught.survey.notes(rows.places)]
    except InputError as error:
        raise about(name, error) from None
    return Material(name, taught, covariance, notes)


def trained(
    plan: Plan,
    data: TrainingRows,
    session: Session,
    *,
    xp: Any = np,
    precision: str = "float32",
    folder: Path | None = None,
    best: Best | None = None,
    doing: str = "training",
) -> list[Outcome]:
    """Train all of the plan, continuing what `folder` holds.  InputError; KeyboardInterrupt, with the folder kept.

    best: keeps the best models where there is no folder.
    """
    if precision != "float32" and xp is np:
        raise InputError(f"precision {precision}: products on a CPU run in float32; choose float32 or a device")
    store = None
    if folder is not None:
        store = Folder(folder, plan, identity(plan, data.fingerprint, xp.__name__, precision), note=session.note)
        _say_what_is_there(store, plan, session)
    try:
        in_precision = nullcontext() if precision == "float32" else products.precision(precision, xp)
        with in_precision, session.counting(doing, stays=True) as progress:
            keeping = best if store is None else store
            return train(plan, data, xp=xp, store=keeping, progress=progress, note=session.note)
    except KeyboardInterrupt:
        if store is not None:
            session.kept.append(Path(f"{folder} (the same command continues there)"))
        raise
    finally:
        if store is not None:
            store.close()


def _say_what_is_there(store: Folder, plan: Plan, session: Session) -> None:
    done, begun = len(store.outcomes()), [s for s in store.states() if not set(s.models) & set(store.outcomes())]
    if done or begun:
        under_way = sum(len(s.models) for s in begun)
        session.note(f"{store.path}: continuing; {done} of {len(plan.runs)} models are trained, {under_way} begun")


def described(outcome: Outcome, data: Material, plan: Plan) -> Document:
    """One trained model as plain JSON: the ELBO in the model's space and on the scale of the raw values.

    linear_retained: a linear beta-VAE compares the eigenvalues with beta times its noise (theory 3.9), beta the weight
    at which the training ended; _at_most: more where rounding cannot tell one of them from that noise.
    """
    run, e, k, N = outcome.run, outcome.evaluation, plan.architecture.k, data.rows.shape[0]
    weight = plan.final_weight(run, N)
    noise = "learned" if run.learned else "fixed"
    told: Document = {"noise": noise, "init_sigma2": run.sigma2, "seed": run.seed, "learning_rate": run.learning_rate}
    told |= {"beta": run.beta, "anneal": run.anneal, "frozen": outcome.frozen}
    if e is None:
        return told | {"evaluation": None, "convergence": None}
    fewest, most = data.lam.position(e.sigma2 * weight).retained(k)
    return told | {
        "evaluation": {
            "sigma2": e.sigma2,
            "elbo": e.elbo,
            "elbo_raw_scale": e.elbo + data.J,
            "tuned_sigma2": e.tuned_sigma2,
            "tuned_elbo": e.tuned_elbo,
            "tuned_elbo_raw_scale": e.tuned_elbo + data.J,
            "kl": e.kl,
            "collapse_percent": e.collapse_percent,
            "retained": k - round(e.collapse_percent * k / 100),
            "active_units": e.active_units,
            "linear_retained": fewest,
            "linear_retained_at_most": most,
            "kl_of_latents": e.kl_of_latents,
            "collapse_curve": e.collapse_curve,
        },
        "convergence": signs(outcome, plan, data.eigenvalues, N),
    }


def provenance(args: argparse.Namespace) -> Document:
    """Versions, seed and command."""
    return {
        "environment": ledger.environment(args.backend),
        "seed": args.seed,
        "command": shlex.join(["elbo-verify", *args.argv]),
    }


def train_document(
    plan: Plan,
    models: Sequence[Document],
    diagnosed: Mapping[int, Document],
    data: Material,
    args: argparse.Namespace,
    notes: Sequence[str] = (),
) -> Document:
    """train.json; models: as `described`; diagnosed: by place from 0; notes: what was said before the training."""
    architecture = plan.architecture
    found = [
        group | {"diagnosis": None if group["best"] is None else diagnosed.get(group["best"] - 1)}
        for group in bests(models)
    ]
    document: Document = {
        "schema": 1,
        "data": data.facts(),
        "architecture": {
            "kind": architecture.kind,
            "n": architecture.n,
            "k": architecture.k,
            "hidden": list(architecture.hidden),
            "parameters": Layout(architecture).size,
        },
        "training": {
            "epochs": plan.epochs,
            "batch": min(plan.batch, data.rows.shape[0]),
            "analytic": plan.analytic,
            "precision": args.precision,
        },
        "epsilon": EPSILON,
        "delta": DELTA,
        "epsilons": list(EPSILONS),
        "eigenvalues": data.eigenvalues[: architecture.k].tolist(),
        "models": list(models),
        # A model is not the better for having been asked to explain more, or less, by noise.
        "best": found[0]["best"] if len(found) == 1 else None,
        "best_per_noise": found,
        "provenance": provenance(args),
    }
    return document | {"notes": [*notes, *caveats(document)]}


def write_csv(path: Path, heading: Sequence[str], lines: Sequence[Sequence[Any]]) -> None:
    """A table as CSV; nothing for None."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(["" if value is None else value for value in line] for line in lines)
    path.write_text(text.getvalue(), encoding="utf-8")


def save_latents(path: Path, ensemble: Ensemble, data: TrainingRows) -> None:
    """mu and logvar (N, k) of one model; as `collapse` reads them."""
    X = data.array(0).astype(ensemble.parameters.dtype, copy=False)
    means, variances = [], []
    for start in range(0, len(X), ENCODED):
        mean, log_variance = ensemble.encode(X[None, start : start + ENCODED])
        # Both lie in a buffer that the next batch overwrites.
        means.append(np.array(mean[0]))
        variances.append(np.array(log_variance[0]))
    write_npz(path, mu=np.concatenate(means), logvar=np.concatenate(variances))
