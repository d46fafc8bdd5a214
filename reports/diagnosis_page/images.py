"""Directions that a VAE misses, and data with them put back, as pictures.

Notation   portrait: document["portrait"]; values (r, p) in its order, height, width, channels.
Main       directions, examples: axes drawn from the arrays of diagnose.npz.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from reports.panels.images import gallery
from verify.arrays import Array
from verify.data.preprocess import inverse_logit
from verify.pictures.palette import DIVERGING
from verify.words.wording import number

Document = dict[str, Any]
Arrays = Mapping[str, Array]
# The rows of examples, top down: array, name.
ROWS = (("originals", "data"), ("reconstructions", "the model"), ("missed", "missed"), ("installed", "with escape"))


def signed(values: Array, image: list[int]) -> Array:
    """From -max over 0, nearly white, to max of each row, blue to vermillion; (r, p) -> (r, height, width, 3) uint8.

    Of three channels each by itself, around a middle grey.
    """
    largest = np.abs(values).max(axis=1, keepdims=True)
    t = (0.5 * (1 + values / np.where(largest > 0, largest, 1.0))).reshape(-1, *image)
    if image[2] == 3:
        return np.rint(255 * t).astype(np.uint8)
    ends = np.array(DIVERGING, dtype=np.float64)
    colours = [np.interp(t[..., 0], (0, 0.5, 1), ends[:, c]) for c in range(3)]
    return np.rint(np.stack(colours, axis=-1)).astype(np.uint8)


def shown(values: Array, portrait: Document) -> Array:
    """From black to white; (r, p) -> (r, height, width, channels) uint8."""
    display = portrait["display"]
    raw = values if display["transform"] == "none" else inverse_logit(values, display["alpha"])
    low, high = display["low"], display["high"]
    grey = np.clip((raw - low) / ((high - low) or 1.0), 0.0, 1.0)
    return np.rint(255 * grey).astype(np.uint8).reshape(-1, *portrait["image"])


def directions(axes: Axes, portrait: Document, arrays: Arrays) -> None:
    """One picture each, the one that varies most first; below each its variance and what a latent along it adds."""
    told = [f"{number(d['eigenvalue'], 2)}\n{number(d['nats'], 2)}" for d in portrait["directions"]]
    gallery(axes, signed(arrays["directions"], portrait["image"])[None], ["variance\nnats"], told)
    axes.yaxis.set_tick_params(pad=4)


def examples(axes: Axes, portrait: Document, arrays: Arrays) -> None:
    """Data, what the model makes of them, what it misses, and what it makes of them with the escape, row by row."""
    rows = [row for row in ROWS if row[0] != "installed" or portrait["installed"]]
    made = []
    for name, _ in rows:
        picture = (signed if name == "missed" else shown)(
            arrays[name], portrait["image"] if name == "missed" else portrait
        )
        made.append(picture if picture.shape[-1] == 3 else np.repeat(picture, 3, axis=-1))
    gallery(axes, np.stack(made), [words for _, words in rows])
