"""Figure 12: reconstructions from the KL-annealed CelebA model.

Notation   x an image, decoded again from the mean of q(z|x); errors in grey levels 0..255, root mean square.
Reference  Lucas et al. 2019, Figure 12, Sec. E.1.3.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from reports.panels.images import gallery
from reports.paper_figures import pictures
from reports.paper_figures.document import Measured, finding
from reports.paper_figures.pictures import rms
from reports.paper_figures.setting import Setting
from reports.training.experiment import Bench
from reports.training.images import through
from verify.arrays import Array
from verify.landscape.collapse import kl
from verify.pictures.drawing import blank
from verify.words.wording import number, symbols

Document = dict[str, Any]
TITLE = "Reconstructions from the annealed model"
SOURCE = "Figure 12, Sec. E.1.3"
PAPER = (
    "Images of CelebA and what the convolutional VAE trained with KL-annealing reconstructs of them. No number is "
    "printed, and not how the images were chosen; that they are alike is for the eye."
)
DATASET = "celeba64"
dataset, experiments = pictures.dataset, pictures.experiments
# So many are shown, and so many are compared.
SHOWN, COMPARED = 8, 100
# What is said of reconstructions is to be true of at least this part of them.
MOST = 0.95
# Inches of a picture.
ACROSS = 1.1
WORDS = f"{MOST:.0%} of the images"


def measure(setting: Setting, bench: Bench) -> Measured:
    """Images drawn by the seed, and how near each is to its reconstruction.  Raises LeftOut, InputError."""
    of = pictures.shown(setting, bench)
    which = of.images.drawn(COMPARED, setting.first_seed, 12)
    x, originals = of.images.seen(which), of.images.originals(which)
    mean, log_variance, y = through(of.ensemble, x)
    again = of.images.shown(y)
    divergence = kl(mean.astype(np.float64), log_variance.astype(np.float64)).sum(axis=1)
    near, space = compared(originals, again), compared(x[:, None, None, :], y[:, None, None, :])
    images = [
        {"row": row, "squared_error": space["own"][i] ** 2 * x.shape[1], "grey_error": near["own"][i],
         "grey_error_of_mean": near["of_mean"][i], "nearest": near["nearest"][i], "kl": float(divergence[i])}
        for i, row in enumerate(of.images.numbers(which))
    ]  # fmt: skip
    said = f"The first {min(SHOWN, len(which))} of {len(which)} images that were drawn"
    typical = f"The error is {number(float(np.median(near['own'])), 3)} grey levels of 255 in the middle"
    found = findings(near, space, of.unfinished)
    return Measured(
        panels=[],
        findings=found,
        alt=symbols(f"{said}, above their reconstructions. {typical}; {found[0]['evidence']}"),
        caption=f"{said}, above what the model makes of each from the mean of q(z|x), with the root mean squared error "
        f"in grey levels, 0 to 255. {typical} (median); the mean of all these images is off by "
        f"{number(float(np.median(near['of_mean'])), 3)} in the middle. {of.words}.",
        materials=[of.material],
        deviations=pictures.deviations(setting),
        notes=of.notes,
        arrays={"originals": originals[:SHOWN], "reconstructions": again[:SHOWN]},
        more={"images": images, "model": of.facts, "shown": min(SHOWN, len(which))},
    )


def compared(originals: Array, again: Array) -> dict[str, list[Any]]:
    """Distances of images (m, height, width, channels): own, to the reconstruction; of_mean, to the mean of all images;
    nearest, whether a reconstruction is nearer to no other image than to its own.
    """
    distances = np.array([rms(originals, one) for one in again])
    own = distances.diagonal()
    mean = originals.astype(np.float64).mean(axis=0)
    return {
        "own": own.tolist(),
        "of_mean": rms(originals, mean).tolist(),
        "nearest": (own <= distances.min(axis=1)).tolist(),
    }


def findings(near: Mapping[str, Any], space: Mapping[str, Any], unfinished: str = "") -> list[Document]:
    """What the pictures are to show, on grey levels; beside it the same in the model's space.

    unfinished: why the model is not yet what it would become, and so nothing can be told of it.
    """
    m = len(near["own"])

    def said(holds: list[bool], there: list[bool]) -> tuple[bool | None, str]:
        return pictures.told(
            sum(holds) >= MOST * m, unfinished
        ), f"{pictures.because(unfinished)}true of {sum(holds)} of {m}; in the model's space of {sum(there)}"

    beats = [[a < b for a, b in zip(of["own"], of["of_mean"], strict=True)] for of in (near, space)]
    return [
        finding(f"each reconstruction is nearer to its own image than to any other, for {WORDS} (a test of ours)",
                *said(near["nearest"], space["nearest"])),
        finding(f"each is nearer to its image than the mean of all these images is, for {WORDS} (a test of ours)",
                *said(*beats)),
    ]  # fmt: skip


def draw(entry: Document, arrays: Mapping[str, Array]) -> Figure:
    """Images above their reconstructions, with the error of each."""
    both = np.stack([arrays["originals"], arrays["reconstructions"]])
    across, (height, width) = both.shape[1], both.shape[2:4]
    figure = blank(1.3 + ACROSS * across, 0.35 + 2 * ACROSS * height / width)
    errors = [number(image["grey_error"], 3) for image in entry["images"][:across]]
    gallery(figure.subplots(), both, ["image", "reconstructed"], errors)
    return figure


def numbers(entry: Document, arrays: Mapping[str, Array]) -> tuple[list[str], list[list[Any]]]:
    """One line an image: errors in the model's space and on grey levels, and its KL; and of the whole model."""
    names = ["row", "squared_error", "grey_error", "grey_error_of_mean", "nearest", "kl"]
    e = entry["model"]["evaluation"]
    lines = [
        [int(i < entry["shown"]), *(image[name] for name in names), e["retained"], e["kl"]]
        for i, image in enumerate(entry["images"])
    ]
    return ["shown", *names, "latents_in_use", "kl_of_model"], lines
