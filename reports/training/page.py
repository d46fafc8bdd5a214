"""index.html of `elbo-verify train --out` and its pictures, drawn from train.json, train.npz and reconstructions.npz.

Notation   document: train.json as a dict; courses: train.npz, each (models, epochs); again: reconstructions.npz, or {}.
Main       write_page; render, the page as text.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from reports.pages.html import environment, inline_svg
from reports.panels.images import gallery
from reports.training import figure, latents
from reports.training.groups import groups
from reports.training.signs import group_of
from reports.training.text import HEADINGS, headline, legend, model_lines, verdict
from reports.training.verdicts import HEADINGS as VERDICT_HEADINGS
from reports.training.verdicts import legend as meanings
from reports.training.verdicts import verdicts
from verify.arrays import Array
from verify.pictures.drawing import HEIGHT, WIDTH, blank, drawing, save
from verify.words.numerals import typed
from verify.words.wording import number, symbols

Document = dict[str, Any]
Arrays = Mapping[str, Array]
ENVIRONMENT = environment("reports.training")
# Inches of a picture of an image.
ACROSS = 0.85


def write_page(document: Document, courses: Arrays, again: Arrays, folder: Path) -> None:
    """index.html and the pictures, into `folder`; those for which there is something to show."""
    with drawing():
        _curves(lambda axes: figure.courses(axes, document, courses["elbo"]), folder, "train")
        _curves(lambda axes: latents.collapse(axes, document), folder, "train-collapse")
        _curves(lambda axes: latents.kl_of_latents(axes, document), folder, "train-latents")
        _curves(lambda axes: figure.noises(axes, document, courses["sigma2"]), folder, "train-noise")
        if again:
            _reconstructions(document, again, folder)
    (folder / "index.html").write_text(render(document, courses, again, folder), encoding="utf-8")


def _curves(draw: Callable[[Axes], object], folder: Path, name: str) -> None:
    """A picture of one frame, unless `draw` says that there is nothing in it."""
    blank_one = blank(1.4 * WIDTH, 1.1 * HEIGHT)
    if draw(blank_one.subplots()) is not False:
        save(blank_one, folder, name)


def _reconstructions(document: Document, again: Arrays, folder: Path) -> None:
    """Images, and below them what the best model of each noise makes of them."""
    pictures = np.concatenate([again["originals"][None], again["reconstructions"]])
    found = groups(document)
    names = ["image", *(found[group_of(document["models"][model - 1])].name for model in again["models"])]
    off = ["off by", *(number(float(rms), 3) for rms in errors(again))]
    down, across, height, width, _ = pictures.shape
    whole = blank(1.9 + ACROSS * across, 0.2 + ACROSS * down * height / width)
    gallery(whole.subplots(), pictures, names, after=off)
    save(whole, folder, "train-reconstructions")


def errors(again: Arrays) -> Array:
    """How far off the reconstructions of each model are, root mean square over all images, in grey levels.  -> (m,)."""
    difference = again["reconstructions"].astype(np.float64) - again["originals"]
    return np.asarray(np.sqrt((difference**2).mean(axis=(1, 2, 3, 4))))


def render(document: Document, courses: Arrays, again: Arrays, folder: Path) -> str:
    """The page as text; its pictures lie in `folder`."""
    # Of models that diverged in their first epoch there is no course.
    ran = np.isfinite(courses["elbo"]).any()
    alts = {
        **({"train": _alt_courses(document, courses["elbo"])} if ran else {}),
        "train-collapse": _alt_collapse(document),
        "train-latents": _alt_latents(document),
        "train-noise": _alt_noise(document),
        "train-reconstructions": _alt_reconstructions(document, again) if again else "",
    }
    found = verdicts(document)
    return ENVIRONMENT.get_template("train.html").render(
        document=document,
        verdicts=found,
        verdict_headings=VERDICT_HEADINGS,
        verdict_legend=meanings({one["word"] for one in found}),
        headline=headline(document),
        verdict=verdict(document),
        doubtful=any(m["convergence"] is None or m["convergence"]["unfinished"] for m in document["models"])
        or any(one["bad"] for one in found),
        headings=HEADINGS,
        lines=model_lines(document),
        legend=legend(document, courses=False),
        rows=again["rows"].tolist() if again else [],
        cut=_cut(courses["elbo"]),
        pictures={
            name.removeprefix("train-"): inline_svg(path.read_text(encoding="utf-8"), name, symbols(alt))
            for name, alt in alts.items()
            if (path := folder / f"{name}.svg").is_file()
        },
    )


def _cut(elbos: Array) -> str:
    """Below what the picture of the courses ends; "" where it shows them all."""
    low = figure.window(elbos)[0]
    return number(low, 4) if (elbos[np.isfinite(elbos)] < low).any() else ""


def _of_best(document: Document, say: Callable[[Document], str]) -> str:
    """Something about the best model of each noise."""
    said = [
        f"{group.name}: {say(document['models'][group.best])}"
        for group in groups(document).values()
        if group.best is not None
    ]
    return "; ".join(said) or "no model is left"


def _alt_courses(document: Document, elbos: Array) -> str:
    course = {id(model): curve for model, curve in zip(document["models"], elbos, strict=True)}

    def say(model: Document) -> str:
        first, last = (number(float(course[id(model)][at]), 6) for at in (0, -1))
        return f"from {first} to {last}"

    told = _of_best(document, say)
    return f"ELBO over {document['training']['epochs']} epochs, of the best model of each noise. {told}"


def _alt_collapse(document: Document) -> str:
    def say(model: Document) -> str:
        e = model["evaluation"]
        return f"{number(e['collapse_percent'], 3)}% at epsilon = 0.01, {number(e['collapse_curve'][-1], 3)}% at 2"

    return f"Collapsed latents over the threshold of the KL. {_of_best(document, say)}"


def _alt_latents(document: Document) -> str:
    def say(model: Document) -> str:
        values = model["evaluation"]["kl_of_latents"]
        return f"from {number(max(values), 3)} down to {number(min(values), 3)} nats"

    return f"Mean KL of each latent, the largest first. {_of_best(document, say)}"


def _alt_noise(document: Document) -> str:
    learned = [m for m in document["models"] if m["noise"] == "learned" and m["evaluation"]]
    told = [f"{typed(m['init_sigma2'])} to {number(m['evaluation']['sigma2'])}" for m in learned]
    return f"The learned noise over the epochs: from {', from '.join(told[:8])}" if told else "The learned noise"


def _alt_reconstructions(document: Document, again: Arrays) -> str:
    found = groups(document)
    told = [
        f"{found[group_of(document['models'][model - 1])].name}: {number(float(rms), 3)} grey levels off"
        for model, rms in zip(again["models"], errors(again), strict=True)
    ]
    return f"{len(again['rows'])} images and their reconstructions. {'; '.join(told)}"
