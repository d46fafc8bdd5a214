"""Rotations of the latent space and their generators, as App. C.2 constructs them.

Notation   U (n, k), R (k, k) orthogonal; B (k, k) strictly upper triangular with R = exp(B - B^T).
Main       flipped_to_a_rotation, generator.
"""

import numpy as np
from scipy.linalg import schur


def flipped_to_a_rotation(U, R):
    """U (n, k) and R (k, k) with the last column of both negated if det R = -1."""
    signs = np.ones(len(R))
    signs[-1] = np.sign(np.linalg.det(R))
    return U * signs, R * signs


def generator(R):
    """A strictly upper triangular B (k, k) with R = exp(B - B^T), for R orthogonal with det R = 1."""
    T, Q = schur(R, output="real")
    K = np.zeros_like(T)
    halves, i = [], 0  # halves: where T has a -1 by itself
    while i < len(T):
        if i + 1 < len(T) and T[i + 1, i] != 0:
            K[i + 1, i] = np.arctan2(T[i + 1, i] - T[i, i + 1], T[i, i] + T[i + 1, i + 1])
            i += 2
        else:
            halves += [i] if T[i, i] < 0 else []
            i += 1
    for a, b in zip(halves[::2], halves[1::2], strict=True):  # an odd number of them would mean det R = -1
        K[b, a] = np.pi
    A = Q @ (K - K.T) @ Q.T
    return np.triu(A, 1)
