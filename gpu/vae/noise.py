"""Random numbers of one model: streams that depend on its seed and on where it is, and on nothing else.

Notation   E models with `seeds` (E,); step counts batches, epoch passes over the data.
Main       generator, normals, permutations.

A device draws other normal numbers than the host: those of philox.py, a stream of the same kind and with the same
promises. What is drawn there depends on seed, purpose and step, and, but for rounding, not on the precision.

A stream is opened anew for each use, at a counter that the step names: no state is kept, so that a training resumed
anywhere continues to the bit, and a model draws the same alone and among others.
"""

from collections.abc import Sequence

import numpy as np

from gpu.vae import on_device
from verify.arrays import Array, namespace

# What a stream is for; part of its key.
INITIAL, ORDER, LATENT, EVALUATION, DIAGNOSIS = range(5)


def generator(seed: int, purpose: int, step: int = 0) -> np.random.Generator:
    """The stream of one model for one purpose and step.  seed in 0 .. 2^64 - 1."""
    return np.random.Generator(np.random.Philox(key=[seed, purpose], counter=[0, step, 0, 0]))


def normals(seeds: Sequence[int], purpose: int, step: int, out: Array) -> Array:
    """Standard normal numbers, out (E, B, k) in float32 or float64 -> out."""
    if namespace(out) is not np:
        return on_device.normals(seeds, purpose, step, out)
    for seed, rows in zip(seeds, out, strict=True):
        generator(seed, purpose, step).standard_normal(dtype=out.dtype, out=rows)
    return out


def permutations(seeds: Sequence[int], epoch: int, count: int) -> Array:
    """The order in which each model sees the data in this epoch.  -> (E, count) int32."""
    return np.stack([generator(seed, ORDER, epoch).permutation(count).astype(np.int32) for seed in seeds])
