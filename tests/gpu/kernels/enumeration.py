"""Small launches of the kernels of enumeration.cu."""

from math import comb

import numpy as np

LAM = np.array([5.0, 3.0, 3.0, 2.0, 0.5, 0.5, 0.0])
SAME = np.array([1, 6, 6, 8, 48, 48, 64], dtype=np.uint64)
# In halves: least, and most a unit above it for what is positive.
LEAST = (2 * LAM).astype(np.int64)
WIDE = np.stack([np.zeros(7, dtype=np.int64), LEAST, np.zeros(7, dtype=np.int64), LEAST + (LAM > 0)])
BINOMIAL = np.array([[comb(i, j) for j in range(65)] for i in range(65)], dtype=np.uint64)


def exercise(module):
    """Learned and fixed noise side by side: ragged blocks, slots that overflow, empty histograms and empty tops."""
    n, k = len(LAM), 4
    terms = np.log(np.maximum(LAM, 1e-3))
    masks = np.arange(37, dtype=np.uint64)
    out = [np.zeros(37, dtype=d) for d in (np.int32, np.float64, np.float64, np.int32, np.int32, np.int32)]
    for sharp in (0, 1):
        noise = np.float64(0), *map(np.int32, (0, 0, sharp, 6, n, k, 37))
        module.launch("evaluate", 2, 16, (LAM, terms, SAME, WIDE, masks, *noise, *out))
    for q, threads, top, bins in ((0, 8, 3, 2), (3, 8, 3, 5), (4, 8, 3, 0), (3, 32, 0, 4)):
        slots = 1 << (top + threads - 1).bit_length()
        noises, ranges = np.array([0.0, 1.0]), np.array([[-9.0, 0.2], [-9.0, 0.2]])
        positions = np.array([[0, 0], [4, 0]], dtype=np.int32)
        indices, costs = np.zeros((2, n * k + 3), dtype=np.uint64), np.zeros((2, max(bins, 1)), dtype=np.uint64)
        best, sets = np.zeros((2, 2, max(top, 1))), np.zeros((2, 2, max(top, 1)), dtype=np.uint64)
        sizes = [*map(np.int32, (0, 6, n, k, q)), np.uint64(0), np.uint64(comb(n, q))]
        sizes += map(np.int32, (-(-comb(n, q) // (2 * threads)), n * k + 3, bins, top, slots))
        shared = 8 * (7 * n + 2 * slots) + 4 * (n * k + 3 + bins)
        inputs = (LAM, np.stack([terms, -terms]), SAME, WIDE, noises, positions, ranges, BINOMIAL)
        module.launch("walk", (2, 2), threads, (*inputs, *sizes, indices, costs, best, sets), shared=shared)
