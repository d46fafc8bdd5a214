"""The normal numbers that a device draws, in NumPy: the twin of `normals` in kernels/vae.cuh.

Notation   counter (..., 4), key (..., 2) and what becomes of them (..., 4): words, uint32.
Main       philox, normals.
Reference  [SMDS11] Salmon, Moraes, Dror & Shaw, SC 2011: Philox4x32-10; Box & Muller, Ann. Math. Stat. 29 (1958).

The numbers 4q .. 4q + 3 of a model come from the counter (q, purpose, low step, high step) and its seed as the key
(low, high): two pairs r cos t, r sin t with r = sqrt(-2 log((w + 1/2) / 2^32)), t = 2 pi w' / 2^32.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from verify.arrays import Array

ROUNDS = 10
MULTIPLIERS = np.array([0xD2511F53, 0xCD9E8D57], dtype=np.uint64)
WEYL = np.array([0x9E3779B9, 0xBB67AE85], dtype=np.uint32)
LOW, SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)


def philox(counter: Array, key: Array) -> Array:
    """Philox4x32-10 [SMDS11].  (..., 4), (..., 2) -> (..., 4)."""
    words, key = np.array(counter, dtype=np.uint32), np.array(key, dtype=np.uint32)
    for _ in range(ROUNDS):
        products = MULTIPLIERS * words[..., [0, 2]].astype(np.uint64)
        high, low = (products >> SHIFT).astype(np.uint32), (products & LOW).astype(np.uint32)
        crossed = high[..., [1, 0]] ^ words[..., [1, 3]] ^ key
        words = np.stack([crossed[..., 0], low[..., 1], crossed[..., 1], low[..., 0]], axis=-1)
        key = key + WEYL
    return words


def normals(seeds: Sequence[int], purpose: int, step: int, shape: tuple[int, ...], dtype: Any) -> Array:
    """Standard normal numbers for models of this shape.  seeds (E,) in 0 .. 2^64 - 1 -> (E, *shape)."""
    count = int(np.prod(shape, dtype=np.int64))
    quads = -(-count // 4)
    counter = np.empty((quads, 4), dtype=np.uint32)
    counter[:, 0], counter[:, 1:] = np.arange(quads), (purpose, step & 0xFFFFFFFF, step >> 32)
    keys = np.array([[seed & 0xFFFFFFFF, seed >> 32] for seed in seeds], dtype=np.uint32).reshape(-1, 1, 2)
    words = philox(np.broadcast_to(counter, (len(keys), quads, 4)), np.broadcast_to(keys, (len(keys), quads, 2)))
    w = words.reshape(len(keys), quads, 2, 2).astype(dtype)
    unit = w.dtype.type(2.0**-32)
    radius = np.sqrt(-2 * np.log((w[..., 0] + w.dtype.type(0.5)) * unit))
    # The angle is reduced before it meets pi, as on a device: its rounding is then the same.
    angle = np.pi * (2 * (w[..., 1] * unit)).astype(np.float64)
    pairs = [radius * np.cos(angle).astype(dtype), radius * np.sin(angle).astype(dtype)]
    return np.stack(pairs, axis=-1).reshape(len(keys), 4 * quads)[:, :count].reshape(len(keys), *shape)
