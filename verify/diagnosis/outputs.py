"""What a VAE made of its data: latents and reconstructions beside the rows that they belong to.

Notation   x (N, n) rows as the model sees them; mu, logvar (N, k) of q(z|x); f(z) the decoder's mean.
           reconstructions (N, n): f(mu(x)); samples (d, N, n): f(z) at d independent draws of z from q(z|x).
Main       Outputs, outputs; Blocks, what passes over the rows see.

What each kind allows (claim revival): draws give the squared error, hence the ELBO, without bias; reconstructions at
the posterior mean leave out what the decoder varies within q(z|x), so that an ELBO made of them is too high.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from verify.analysis.latents import checked
from verify.arrays import Array
from verify.data.rows import Rows
from verify.errors import InputError


class Block(NamedTuple):
    """Some rows in their order: x (b, n); mean (b, n) or None; draws (d, b, n), d = 0 where there are none."""

    start: int
    x: Array
    mean: Array | None
    draws: Array


@dataclass(frozen=True, eq=False)
class Outputs:
    """rows (N, n), mu and logvar (N, k), reconstructions (N, n) or None, samples (d, N, n) or None."""

    rows: Rows
    mu: Array
    logvar: Array
    reconstructions: Array | None = None
    samples: Array | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def N(self) -> int:
        """How many data there are."""
        return self.rows.shape[0]

    @property
    def n(self) -> int:
        """The dimension of the data."""
        return self.rows.shape[1]

    @property
    def k(self) -> int:
        """The number of latents."""
        return int(self.mu.shape[1])

    @property
    def draws(self) -> int:
        """How many independent draws of z were decoded."""
        return 0 if self.samples is None else len(self.samples)

    def blocks(self) -> Iterator[Block]:
        """All rows, in float64, a block at a time; every pass sees the same values."""
        start = 0
        for x in self.rows.blocks():
            stop = start + len(x)
            mean = None if self.reconstructions is None else self.reconstructions[start:stop].astype(np.float64)
            empty = np.empty((0, *x.shape))
            draws = empty if self.samples is None else self.samples[:, start:stop].astype(np.float64)
            yield Block(start, x, mean, draws)
            start = stop


def outputs(
    rows: Rows, mu: Any, logvar: Any, reconstructions: Any = None, samples: Any = None, notes: tuple[str, ...] = ()
) -> Outputs:
    """Checked: finite numbers, one row for each row of the data.  Raises InputError."""
    N, n = rows.shape
    mu, logvar = checked(mu, "mu"), checked(logvar, "logvar")
    for name, array in (("mu", mu), ("logvar", logvar)):
        if len(array) != N:
            raise InputError(
                f"{name} has {len(array)} rows, the data have {N}; both must be of the same data in the same order"
            )
    if mu.shape != logvar.shape:
        raise InputError(f"mu has shape {mu.shape}, logvar {logvar.shape}; both must be (N, k)")
    if reconstructions is not None:
        given = np.shape(reconstructions)
        several = _flat(reconstructions, "reconstructions", N, n)
        if len(several) > 1:
            raise InputError(
                f"reconstructions has shape {given}, {len(several)} for each datum; at the mean of z there is one: "
                "give decoded draws of z as samples"
            )
        reconstructions = several[0]
    if samples is not None:
        samples = _flat(samples, "samples", N, n)
    return Outputs(rows, mu, logvar, reconstructions, samples, list(notes))


def _flat(array: Any, name: str, N: int, n: int) -> Array:
    """An array (N, ...) or (d, N, ...) as (d, N, n), in the precision that it has.  Raises InputError."""
    array = np.asarray(array)
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name}: of type {array.dtype}, not real numbers; save float32 or float64")
    if array.dtype.kind != "f":
        array = array.astype(np.float64)
    if array.ndim < 2 or array.size == 0 or array.size % (N * n):
        raise InputError(f"{name} has shape {array.shape}; it must be ({N}, {n}), as the data{_hint(array, N, n)}")
    several = array.shape[0] != N or (array.size != N * n and array.shape[1] == N)
    if several and not (array.ndim > 2 and array.shape[1] == N):
        raise InputError(f"{name} has shape {array.shape}; it must be ({N}, {n}), or (draws, {N}, {n})")
    if not several and array.size != N * n:
        raise InputError(f"{name} has shape {array.shape}, {array.size // N} numbers a row; the data have {n}")
    array = array.reshape(-1, N, n)
    for draw in array:
        if not np.isfinite(draw).all():
            row, column = np.argwhere(~np.isfinite(draw))[0]
            value = "NaN" if np.isnan(draw[row, column]) else "infinite"
            raise InputError(f"{name} is {value} at row {row + 1}, column {column + 1}; every entry must be finite")
    return array


def _hint(array: Array, N: int, n: int) -> str:
    if array.ndim >= 1 and array.shape[0] and array.size == array.shape[0] * n:
        return f"; it has {array.shape[0]} rows where the data have {N}: give those of the same data, in the same order"
    return ""
