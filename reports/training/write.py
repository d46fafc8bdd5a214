"""What `elbo-verify train --out` writes, beside the checkpoints: documents, courses, reconstructions, pictures, a page.

Notation   document: train.json as a dict; m models whose reconstructions are shown, r images.
Main       write_training, reconstructions; FILES, all that may be written.
Reference  reports/schema/train.json.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gpu.vae.checkpoint import ENDING
from gpu.vae.plan import Outcome, Plan
from reports.terminal.files import staged
from reports.training.document import Material, write_csv
from reports.training.experiment import kept
from reports.training.images import Images, through
from verify.arrays import Array
from verify.data.documents import write_json
from verify.data.writing import write_npz

Document = dict[str, Any]
COLUMNS = ("noise", "init_sigma2", "seed", "learning_rate", "beta", "anneal", "frozen")
ALWAYS = ("train.json", "train.csv", "train.npz", "courses.csv", "index.html", "train.svg", "train.png")
# Where there is something to show: of models that are left, of those that learn their noise, of images.
PICTURES = ("train-collapse", "train-latents", "train-noise", "train-reconstructions")
RECONSTRUCTIONS = "reconstructions.npz"
FILES = (*ALWAYS, RECONSTRUCTIONS, *(f"{name}.{ending}" for name in PICTURES for ending in ("svg", "png")))
CHECKPOINTS = (f"models-*{ENDING}",)
CONVERGENCE = ("final_beta", "below_linear_optimum", "noise_ratio", "rise")
MEASURED = (
    "sigma2", "elbo", "elbo_raw_scale", "tuned_sigma2", "tuned_elbo", "tuned_elbo_raw_scale", "kl", "collapse_percent",
    "retained", "active_units", "linear_retained",
)  # fmt: skip
# So many images are reconstructed, by the best models of so many noises.
IMAGES, MODELS = 8, 8


def reconstructions(
    document: Document, data: Material, folder: Path, plan: Plan, identified: Document
) -> dict[str, Array]:
    """What reconstructions.npz holds, of the best model of each noise, from its checkpoint; {} for rows without images.

    originals (r, height, width, channels) and reconstructions (m, r, ...) uint8, 0 black and 255 white; models (m,) and
    rows (r,), both from 1; images are drawn by the seed.
    """
    from reports.training.groups import spread  # slow to import

    images = Images.of(data.rows)
    best = spread([group["best"] - 1 for group in document["best_per_noise"] if group["best"] is not None], MODELS)
    if images is None or not best:
        return {}
    which = images.drawn(IMAGES, document["provenance"]["seed"])
    x, ensembles = images.seen(which), kept(folder, plan, identified, best)
    again = [images.shown(through(ensembles[i], x)[2]) for i in best]
    return {
        "originals": images.originals(which),
        "reconstructions": np.array(again),
        "models": np.array(best) + 1,
        "rows": np.array(images.numbers(which)),
    }


def write_training(
    document: Document, outcomes: Sequence[Outcome], out: Path, again: Mapping[str, Array] | None = None
) -> list[Path]:
    """All of it into the folder `out`; again: see `reconstructions`.  -> the paths."""
    from reports.training import page  # slow to import

    n = document["architecture"]["n"]
    history = np.array([outcome.history for outcome in outcomes])
    courses = {name: history[:, :, i] for i, name in enumerate(("error", "kl", "sigma2"))}
    courses["elbo"] = np.array([outcome.elbos(n) for outcome in outcomes])
    with staged(out) as stage:
        write_json(document, stage / "train.json")
        _write_numbers(document, courses, stage)
        write_npz(stage / "train.npz", **courses)
        if again:
            write_npz(stage / RECONSTRUCTIONS, **again)
        page.write_page(document, courses, again or {}, stage)
        names = {path.name for path in stage.iterdir()}
    return [out / name for name in FILES if name in names]


def _write_numbers(document: Document, courses: Mapping[str, Array], folder: Path) -> None:
    """train.csv, a line each model, and courses.csv, a line each model and epoch."""
    lines = [
        [m[c] for c in COLUMNS]
        + [(m["evaluation"] or {}).get(c) for c in MEASURED]
        + [(m["convergence"] or {}).get(c) for c in CONVERGENCE]
        + ["" if m["convergence"] is None else " + ".join(m["convergence"]["unfinished"])]
        for m in document["models"]
    ]
    write_csv(folder / "train.csv", [*COLUMNS, *MEASURED, *CONVERGENCE, "unfinished"], lines)
    names = ("error", "kl", "sigma2", "elbo")
    models, epochs = courses["elbo"].shape
    steps = [
        (model + 1, epoch + 1, *(courses[name][model, epoch] for name in names))
        for model in range(models)
        for epoch in range(epochs)
    ]
    write_csv(folder / "courses.csv", ("model", "epoch", *names), steps)
