"""What happens to raw values before the model sees them.

Notation   v raw value; u uniform on [0, 1); x in [0, 1]; y what the model sees; alpha in (0, 1/2).
Main       Preprocessing, Standard, logit, inverse_logit.
Reference  [PPM17] Papamakarios, Pavlakou & Murray, NeurIPS 2017, Sec. 4.2 and App. D; theory 5.2.

    none         y = v
    scale c      y = v / c
    standardize  y_j = (v_j - mean of column j) / its standard deviation         over N; y_j = 0 in constant columns
    dequantise   y = x = (v + u) / (c + 1)                                     v whole numbers 0..c (c = 255)
    logit        y = logit(alpha + (1 - 2 alpha) x),   x as above

Densities: log p(v) = log p(y) + log|dy/dx| + log|dx/dv|.  The first Jacobian depends on the datum and is
returned by `apply`; the second, `log_scale_jacobian`, is -n log c, or -n log(c + 1) after dequantisation, or minus the
sum of the log standard deviations.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.checks import number, random_seed
from verify.data.entries import BadEntry
from verify.errors import InputError

# Far beyond this, v + u would lose the bits of u.
_MOST_LEVELS = 2.0**32


@dataclass(frozen=True, eq=False)
class Standard:
    """What standardizing takes away from each column and divides it by: mean (n,), deviation (n,), 1 where constant."""

    mean: Array
    deviation: Array


@dataclass(frozen=True)
class Preprocessing:
    """The options `--scale`, `--logit`, `--standardize`, and dequantisation with its seed; logit implies it.

    standard: of the columns, where they are standardized.  Raises InputError.
    """

    scale: float | None = None
    alpha: float | None = None
    seed: int = 0
    dequantise: bool = False
    standard: Standard | None = None

    def __post_init__(self) -> None:
        random_seed(self.seed)
        if self.scale is not None:
            scale = number(self.scale, "scale")
            if not (math.isfinite(scale) and scale > 0):
                raise InputError(f"scale = {scale:g}: must be positive and finite, for instance 255")
        if self.alpha is not None:
            alpha = number(self.alpha, "logit")
            if not 0 < alpha < 0.5:
                raise InputError(f"logit = {alpha:g}: alpha must lie strictly between 0 and 0.5, for instance 1e-6")
        if self.dequantised and (self.levels != math.floor(self.levels) or self.levels > _MOST_LEVELS):
            with_what = "with logit" if self.alpha is not None else "for dequantisation"
            raise InputError(
                f"scale = {self.scale:g}: {with_what} it is the largest grey value, a whole number below 2^32"
            )

    @property
    def dequantised(self) -> bool:
        """Whether noise is added to the grey values."""
        return self.dequantise or self.alpha is not None

    @property
    def levels(self) -> float:
        """The number of grey values that dequantisation assumes."""
        return 256.0 if self.scale is None else float(self.scale) + 1

    def generator(self, noise_seed: int | None = None) -> np.random.Generator:
        """The dequantisation noise; a stream apart from the one that draws rows, `default_rng(seed)`.

        Each noise_seed >= 0 is another stream.  Raises InputError for another noise_seed.
        """
        key = (1,) if noise_seed is None else (1, random_seed(noise_seed))
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))

    def apply(self, X: Array, noise: np.random.Generator, start: int = 0) -> tuple[Array, Array]:
        """Raw float64 X (b, n) -> y (b, n) and log|det dy/dx| per row (b,); `start` rows came before.

        The noise is drawn row by row, so the result does not depend on how the rows are cut into blocks.
        Raises InputError where dequantisation meets a value that is not one of the grey values.
        """
        if self.standard is not None:
            return (X - self.standard.mean) / self.standard.deviation, np.zeros(len(X))
        if not self.dequantised:
            return (X if self.scale is None else X / self.scale), np.zeros(len(X))
        self._check_levels(X, start)
        x = (X + noise.random(X.shape)) / self.levels
        return (x, np.zeros(len(X))) if self.alpha is None else logit(x, self.alpha)

    def undo(self, y: Array) -> Array:
        """The raw values that `apply` makes y (b, n) of; of dequantised ones v + u, whose floor is the grey value v.

        Nothing is cut: a reconstruction may lie beyond the raw values that there are.
        """
        if self.standard is not None:
            return y * self.standard.deviation + self.standard.mean
        if not self.dequantised:
            return y if self.scale is None else y * self.scale
        return self.levels * (y if self.alpha is None else inverse_logit(y, self.alpha))

    def log_scale_jacobian(self, n: int) -> float:
        """log|det dx/dv| of dividing n columns by the scale, by the number of grey values, or by their deviations."""
        if self.standard is not None:
            return 0.0 - math.fsum(np.log(self.standard.deviation))
        divisor = self.levels if self.dequantised else (self.scale or 1.0)
        return 0.0 - n * math.log(divisor)

    def facts(self) -> dict[str, Any]:
        """The options as plain JSON, for the provenance."""
        if self.standard is not None:
            return {"standardized": True}
        if self.dequantised:
            transform = {} if self.alpha is None else {"logit": float(self.alpha)}
            return {**transform, "levels": int(self.levels), "dequantised": True}
        return {} if self.scale is None else {"scale": float(self.scale)}

    def _check_levels(self, X: Array, start: int) -> None:
        wrong = (np.floor(X) != X) | (X < 0) | (self.levels - 1 < X)
        if not wrong.any():
            return
        row, column = np.argwhere(wrong)[0]
        raise BadEntry(
            f"{X[row, column]:g}",
            start + row,
            column,
            f" is not a whole number from 0 to {self.levels - 1:g}; what is dequantised are grey values (set scale to "
            "the largest one)",
        )


def logit(x: Array, alpha: float) -> tuple[Array, Array]:
    """y = logit(alpha + (1 - 2 alpha) x) and sum_j log dy_j/dx_j [PPM17, Eq. 23].  x (b, n) -> (b, n), (b,).

    dy/dx = (1 - 2 alpha) / (p (1 - p)) with p = alpha + (1 - 2 alpha) x.
    """
    slope = 1 - 2 * alpha
    # 1 - p is computed from 1 - x, not from p: at x = 1 it is alpha, however small alpha is.
    log_p = np.log(alpha + slope * x)
    log_q = np.log(alpha + slope * (1 - x))
    log_jacobian = x.shape[-1] * math.log1p(-2 * alpha) - (log_p + log_q).sum(axis=-1)
    return log_p - log_q, log_jacobian


def inverse_logit(y: Array, alpha: float) -> Array:
    """x of y = logit(alpha + (1 - 2 alpha) x), entry by entry; between -alpha/(1 - 2 alpha) and 1 plus that."""
    # tanh, since exp(-y) overflows.
    p = 0.5 * (1 + np.tanh(0.5 * np.asarray(y, dtype=np.float64)))
    return np.asarray((p - alpha) / (1 - 2 * alpha))
