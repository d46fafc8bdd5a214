"""Joint Hessians in the weights and the noise against the definitions in 60 digits, entry by entry.

Differences in doubles leave 1e-6 of the norm, in which a wrong sign of a small entry can hide. Here the objectives are
written out with n x n and k x k determinants, and differentiated with a step of 1e-20: what is left is rounding.
"""

import mpmath
import numpy as np
import pytest

from verify.models import linear_vae, ppca

STEP = mpmath.mpf(10) ** -20


def likelihood(W, s, S):
    """-1/2 [n log 2 pi + log det C + tr(C^-1 S)]."""
    C = W * W.T + s * mpmath.eye(W.rows)
    inverse_times_S = mpmath.inverse(C) * S
    trace = mpmath.fsum(inverse_times_S[i, i] for i in range(W.rows))
    return -(W.rows * mpmath.log(2 * mpmath.pi) + mpmath.log(mpmath.det(C)) + trace) / 2


def profile(W, s, S):
    """L less the gap 1/2 [sum log M_ii - log det M]."""
    M = W.T * W + s * mpmath.eye(W.cols)
    logs = mpmath.fsum(mpmath.log(M[i, i]) for i in range(W.cols))
    return likelihood(W, s, S) - (logs - mpmath.log(mpmath.det(M))) / 2


def second_differences(f, W, s, S):
    """The Hessian in (W, row by row, and the noise), each entry from four values."""
    n, k = W.shape

    def moved(*steps):
        theta = [*map(mpmath.mpf, W.ravel().tolist()), mpmath.mpf(s)]
        for i, by in steps:
            theta[i] += by
        return f(mpmath.matrix([theta[r * k : (r + 1) * k] for r in range(n)]), theta[-1], S)

    H = np.empty((n * k + 1, n * k + 1))
    for i, j in zip(*np.triu_indices(n * k + 1), strict=True):
        up = moved((i, STEP), (j, STEP)) + moved((i, -STEP), (j, -STEP))
        H[i, j] = H[j, i] = (up - moved((i, STEP), (j, -STEP)) - moved((i, -STEP), (j, STEP))) / (4 * STEP**2)
    return H


@pytest.mark.parametrize(("n", "k"), [(3, 2), (2, 3), (2, 1)])
@pytest.mark.parametrize(
    ("f", "joint"),
    [(likelihood, ppca.joint_hessian), (profile, linear_vae.profile_joint_hessian)],
    ids=["likelihood", "profile"],
)
def test_the_joint_hessian_has_the_digits_of_doubles(f, joint, n, k):
    rng = np.random.default_rng(10 * n + k)
    W, s, A = rng.standard_normal((n, k)), 0.7, rng.standard_normal((n, 2 * n))
    S = A @ A.T / (2 * n)
    with mpmath.workdps(60):
        expected = second_differences(f, W, s, mpmath.matrix(S.tolist()))
    actual = joint(W, s, S)
    # Condition numbers of a few tens; each entry by itself, next to the largest of its row.
    tolerance = 1e-12 * np.abs(expected).max(axis=1, keepdims=True)
    assert (np.abs(actual - expected) <= tolerance).all()
    assert (np.abs(expected) > 1e-6).all()  # so that no entry is beyond doubt
    assert not (np.abs(actual * (1 + 1e-9) - expected) <= tolerance).all()  # the control
