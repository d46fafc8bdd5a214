"""Data that are images, and what models make of them, as a screen shows them.

Notation   x (b, n) as a model sees data: prepared, less the offset (gpu/vae/rows.py); pictures (b, height, width,
           channels) uint8, 0 black and 255 white, whatever the raw values are.
Main       Images (of), through.
Reference  verify/data/preprocess.py, whose `undo` takes x back to raw values.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gpu.vae.model import Ensemble
from gpu.vae.rows import TrainingRows
from verify.arrays import Array
from verify.data.files.stacks import CHANNELS_FIRST

WHITE = 255


@dataclass(frozen=True)
class Images:
    """Rows that are images.  shape: height, width, channels; low, high: the raw values that are black and white."""

    rows: TrainingRows
    shape: tuple[int, int, int]
    channels_first: bool
    low: float
    high: float

    @classmethod
    def of(cls, rows: TrainingRows) -> "Images | None":
        """None where rows are no images.  From black to white: all grey levels, else the range of the data."""
        facts, preparation = rows.rows.provenance, rows.rows.preprocessing
        if facts.get("image") is None:
            return None
        height, width, channels = facts["image"]
        low, high = 0.0, preparation.levels - 1
        if not preparation.dequantised:
            low, high = (float(end) for end in _range(rows))
        return cls(rows, (height, width, channels), facts.get("image_order") == CHANNELS_FIRST, low, high)

    def drawn(self, count: int, *seed: int) -> list[int]:
        """Numbers of rows, from 0, at most so many, drawn by the seed; fewer are the first of more."""
        return [int(row) for row in np.random.default_rng(seed).permutation(self.rows.shape[0])[:count]]

    def numbers(self, which: Sequence[int]) -> list[int]:
        """How the source numbers these rows, from 1 (`mnist:1000`: as they were drawn)."""
        places = self.rows.rows.places.rows
        return [int(row if places is None else places[row]) + 1 for row in which]

    def seen(self, which: Sequence[int]) -> Array:
        """These rows as a model sees them, x (b, n)."""
        return self.rows.array(0)[list(which)]

    def originals(self, which: Sequence[int]) -> Array:
        """The pictures of these rows, from the raw values."""
        raw = self.rows.rows.raw
        return self._pictures(np.concatenate([np.asarray(raw[i : i + 1], dtype=np.float64) for i in which]))

    def shown(self, x: Array) -> Array:
        """The pictures of what a model makes, x (b, n): taken back to raw values, and cut at black and white."""
        preparation, offset = self.rows.rows.preprocessing, self.rows.offset
        raw = preparation.undo(np.asarray(x, dtype=np.float64) + (0.0 if offset is None else offset))
        # A grey value v became v + u, u being 1/2 on average.
        return self._pictures(raw - 0.5 if preparation.dequantised else raw)

    def _pictures(self, raw: Array) -> Array:
        height, width, channels = self.shape
        grey = WHITE * (raw - self.low) / ((self.high - self.low) or 1.0)
        pictures = np.clip(np.rint(np.nan_to_num(grey)), 0, WHITE).astype(np.uint8)
        if self.channels_first:
            return np.ascontiguousarray(pictures.reshape(-1, channels, height, width).transpose(0, 2, 3, 1))
        return pictures.reshape(-1, height, width, channels)


def _range(rows: TrainingRows) -> tuple[float, float]:
    """The smallest and the largest raw value."""
    undo, survey = rows.rows.preprocessing.undo, rows.survey
    return undo(survey.low[None]).min(), undo(survey.high[None]).max()


def through(ensemble: Ensemble, x: Array) -> tuple[Array, Array, Array]:
    """x (b, n) through the first model: mean and log variance of z (b, k), and what z = mean is decoded to (b, n)."""
    # All three lie in buffers that the next call overwrites.
    mean, log_variance = (np.array(half[0]) for half in ensemble.encode(x[None]))
    return mean, log_variance, np.array(ensemble.decode(mean[None])[0])
