"""Index and nullity at non-orthogonal points of the ELBO against 80 digits, at noises far below the spectrum."""

from fractions import Fraction
from typing import NamedTuple

import mpmath
import numpy as np
import pytest

from verify.eigenvalues import Eigenvalues
from verify.landscape.families import fixed_noise_families, learned_noise_families
from verify.landscape.points import Block, Point, constant_diagonal_rotation, ordered, weights
from verify.landscape.spectrum import spectrum
from verify.landscape.stability import verdict
from verify.models import linear_vae

DIGITS, ZERO = 80, mpmath.mpf(10) ** -40


class Inertia(NamedTuple):
    """How many eigenvalues are positive, and how many zero."""

    index: int
    nullity: int


def constant(lam, columns, s):
    """m_b (theory 3.6) in as many digits as are in use."""
    r, z = mpmath.fsum(mpmath.sqrt(x) for x in lam), columns - len(lam)
    return ((r + mpmath.sqrt(r * r + 4 * columns * z * s)) / (2 * columns)) ** 2


def noise_of(point, lam):
    """The noise of the learned family near point.sigma2, to as many digits as are in use (theory 3.6)."""

    def equation(s):
        rows = mpmath.fsum(
            b.zeros * s**2 / constant([lam[i] for i in b.eigen], b.columns, s) for b in point.blocks if b.zeros
        )
        return (len(lam) - point.k) * s + rows - mpmath.fsum(x for i, x in enumerate(lam) if i not in point.retained)

    return mpmath.findroot(equation, (mpmath.mpf(point.sigma2), point.sigma2 * (1 + mpmath.mpf(10) ** -12)))


def point_of(point, lam, s):
    """W in the basis of the eigenvectors."""
    W = np.full((len(lam), point.k), mpmath.mpf(0), dtype=object)
    for b, columns in zip(point.blocks, point.column_ranges(), strict=True):
        if not b.eigen:
            continue
        m = constant([lam[a] for a in b.eigen], b.columns, s)
        t = [mpmath.sqrt(lam[a] * m) for a in b.eigen]
        Q = constant_diagonal_rotation(np.array(t + [s] * b.zeros), ZERO, mpmath.sqrt)
        for row, a in enumerate(b.eigen):
            W[a, list(columns)] = mpmath.sqrt(t[row] - s) * Q[row]
    return W


def hessian(W, lam, s, joint):
    """The second derivative of P = -1/2 [sum_i log M_ii + (n - k) log s + tr(C^-1 S)], in W and, if joint, s."""
    n, k = W.shape
    inverse = np.array((mpmath.matrix((W @ W.T).tolist()) + s * mpmath.eye(n)) ** -1).reshape(n, n)
    S, M = np.diag(lam), [(W[:, i] ** 2).sum() + s for i in range(k)]
    K = inverse @ S @ inverse
    moves = []
    for place in range(n * k):
        X = np.full(W.shape, mpmath.mpf(0), dtype=object)
        X.flat[place] = mpmath.mpf(1)
        moves.append((X, X @ W.T + W @ X.T, 2 * (X * W).sum(0)))
    none = np.full(W.shape, mpmath.mpf(0), dtype=object)
    if joint:
        moves.append((none, np.diag([mpmath.mpf(1)] * n), np.array([mpmath.mpf(1)] * k)))
    H = mpmath.zeros(len(moves))
    left = [inverse @ dC @ K for _, dC, _ in moves]
    for i, (X, _, dM) in enumerate(moves):
        for j, (Y, dC, other) in enumerate(moves[: i + 1]):
            of_M = sum(2 * (X[:, c] * Y[:, c]).sum() / M[c] - dM[c] * other[c] / M[c] ** 2 for c in range(k))
            of_C = 2 * (left[i] * dC.T).sum() - 2 * ((X @ Y.T) * K).sum()
            H[i, j] = H[j, i] = -(of_M + of_C) / 2
    if joint:
        H[len(moves) - 1, len(moves) - 1] += (n - k) / s**2 / 2
    return H


def true(point, known, learned=False):
    """The inertia of the dense Hessian at the representative; known: the exact eigenvalues."""
    with mpmath.workdps(DIGITS):
        lam = [mpmath.mpf(x.numerator) / x.denominator for x in known]
        exact = Fraction(repr(point.sigma2))
        s = noise_of(point, lam) if learned else mpmath.mpf(exact.numerator) / exact.denominator
        values = mpmath.eigsy(hessian(point_of(point, lam, s), lam, s, learned), eigvals_only=True)
        zero = ZERO * max(abs(v) for v in values)
        return Inertia(sum(v > zero for v in values), sum(abs(v) <= zero for v in values))


def found(point, known, learned=False):
    got = verdict(point, known, learned)
    assert got.undecided == 0
    return Inertia(got.index, got.nullity)


def snapped(point, lam):
    """The rule that this replaced: the dense Hessian in doubles, zero below 1e-10 of its largest entry."""
    known = Eigenvalues.of(lam)
    H = linear_vae.profile_hessian(weights(point, known, np.eye(len(lam))), point.sigma2, np.diag(lam))
    values, zero = np.linalg.eigvalsh(H), 1e-10 * np.abs(H).max()
    return Inertia(int((values > zero).sum()), int((np.abs(values) <= zero).sum()))


def large(points):
    return [p for p in points if not p.orthogonal]


@pytest.mark.parametrize(
    ("lam", "k", "sigma2", "block", "expected"),
    [
        ([3.75, 2.69, 1.07], 3, 0.00017, Block((0, 1), 3), (3, 1)),
        ([1e8, 3.0, 1.0], 3, 0.01, Block((0, 1, 2), 3), (2, 1)),
        ([1e6, 2.0, 1.0], 3, 0.1, Block((0, 1, 2), 3), (2, 1)),
        ([9e5, 9e-3, 9e-4], 2, 1e-5, Block((0,), 2), (3, 0)),
    ],
)
def test_spectra_at_which_rounding_decided(lam, k, sigma2, block, expected):
    lam = np.array(lam)
    point = next(p for p in fixed_noise_families(lam, k, sigma2) if p.blocks == ordered([block], k))
    known = Eigenvalues.of(lam)
    assert found(point, known) == true(point, known.exact) == expected


def wide_problems(count, seed=0):
    """n <= 4 eigenvalues, some tied, up to ten decades above the noise."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        n = int(rng.integers(2, 5))
        lam = np.sort([float(f"{10 ** rng.uniform(-4, 5):.3g}") for _ in range(n)])[::-1].copy()
        if rng.random() < 0.4:
            lam[1] = lam[0]
        sigma2 = float(f"{lam[0] * 10 ** rng.uniform(-10, -0.5):.3g}")
        k = int(rng.integers(2, min(n, 3) + 1))
        families = large(fixed_noise_families(lam, k, sigma2))
        for place in rng.permutation(len(families))[:3]:
            yield lam, families[place]


def test_the_inertia_is_that_of_eighty_digits():
    compared = spoiled = 0
    for lam, point in wide_problems(40):
        known = Eigenvalues.of(lam)
        expected = true(point, known.exact)
        assert found(point, known) == expected, (lam, point)
        compared += 1
        spoiled += snapped(point, lam) != expected
    assert compared > 60
    assert spoiled > 10  # the control


def test_the_joint_inertia_is_that_of_eighty_digits():
    compared, rng = 0, np.random.default_rng(3)
    for _ in range(12):
        n = int(rng.integers(3, 5))
        lam = np.sort([float(f"{10 ** rng.uniform(-3, 3):.3g}") for _ in range(n)])[::-1].copy()
        families = large(learned_noise_families(lam, 2))
        for point in [families[i] for i in rng.permutation(len(families))[:3]]:
            known = Eigenvalues.of(lam)
            assert found(point, known, learned=True) == true(point, known.exact, learned=True), (lam, point)
            compared += any(b.zeros for b in point.blocks if b.columns > 1) + 1
    assert compared > 20


@pytest.mark.parametrize(
    ("lam", "blocks", "k", "sigma2"),
    [
        ([3.0, 3.0, 1.0, 1.0], [Block((0, 1, 2, 3), 4)], 4, 0.001),  # two minimal blocks of equal m
        ([9.0, 4.0, 1.0], [Block((0, 1, 2), 3)], 3, 0.001),  # t_2 = m: a column by itself
        ([9.0, 4.0, 1.0], [Block((0, 2), 2), Block((1,))], 3, 0.001),  # the same, written as two blocks
        ([16.0, 9.0, 4.0, 1.0], [Block((0, 3), 2), Block((1, 2), 2)], 4, 0.01),  # two blocks of equal m
        ([16.0, 9.0, 9.0, 4.0], [Block((0, 1), 2), Block((2, 3), 2)], 4, 0.01),  # tied across two blocks
        ([6.0, 5.0, 2.0], [Block((0,), 2), Block((1, 2), 2)], 4, 0.1),
    ],
)
def test_ties_are_zeros_whatever_the_noise(lam, blocks, k, sigma2):
    for scale in (1.0, 1e-7):
        point, known = Point("elbo", ordered(blocks, k), sigma2 * scale, 0.0), Eigenvalues.of(np.array(lam))
        assert found(point, known) == true(point, known.exact)


def test_measured_eigenvalues_leave_a_tie_of_two_blocks_open():
    point = Point("elbo", ordered([Block((0, 2), 2), Block((1,))], 3), 0.001, 0.0)
    values = np.array([9.0, 4.0, 1.0])
    got = spectrum(point, Eigenvalues.measured(values, np.full(3, 1e-12)))
    assert (got.index, got.nullity, got.undecided) == (1, 2, 2)
    near = np.array([9.0, 4.001, 1.0])
    assert spectrum(point, Eigenvalues.measured(near, np.full(3, 1e-12))).undecided == 0
