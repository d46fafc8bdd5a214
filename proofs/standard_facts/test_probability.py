"""Gibbs' inequality, and the integral and the moments of the normal density.

Method     KL(p, q) = sum p (t - 1 - log t) + 1 - sum q, t = q/p, the sums over p > 0, and log t <= t - 1. The integral
           by completing the square, one coordinate after the other; moments up to the fourth from those of one
           coordinate.
"""

from itertools import product

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.machinery.checks import at_most, check, rejected, same, vanishes
from proofs.machinery.facts import fact

KL, INTEGRAL, MOMENTS = fact("kl-nonnegative"), fact("gaussian-integral"), fact("gaussian-moments")


@KL.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_kl_is_a_sum_of_what_is_never_negative(record):
    t, p, q = sp.symbols("t p q", positive=True)
    h = t - 1 - sp.log(t)
    vanishes(h.subs(t, 1))
    same(sp.solve(sp.diff(h, t), t), [1])
    check(sp.diff(h, t, 2).is_positive, "t - 1 - log t is not convex")
    # Each term of KL is p h(q/p) + p - q; the sum of p - q over p > 0 is 1 less q's mass there, at least 0.
    vanishes(sp.expand_log(p * sp.log(p / q) - (p * h.subs(t, q / p) + p - q)))
    with rejected():  # KL(q, p)
        vanishes(sp.expand_log(q * sp.log(q / p) - (p * h.subs(t, q / p) + p - q)))
    record(instances=4)


WEIGHTS = st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=6)


def divergence(p, q):
    return float(np.sum(p * np.log(p / q)))


@KL.evidence(role="supports", kind="property")
@given(p=WEIGHTS, seed=st.integers(0, 2**32 - 1))
def test_the_kl_of_any_two_distributions_is_not_negative(p, seed, record):
    p = np.array(p) / np.sum(p)
    q = np.random.default_rng(seed).dirichlet(np.ones(len(p))) + 1e-9
    record(worst_error=at_most(-divergence(p, q / q.sum()), 0.0, slack=1e-12))
    at_most(abs(divergence(p, p)), 0.0)


@KL.evidence(role="control", kind="numeric")
def test_without_normalisation_it_is_rejected():
    with rejected():
        at_most(-divergence(np.array([0.5, 0.5]), np.array([1.0, 1.0])), 0.0, slack=1e-12)


def integral_of_form(a, b, c):
    """The integral over the plane of exp(-(a x^2 + 2 b x y + c y^2)/2), by completing the square in x."""
    x, y = sp.symbols("x y", real=True)
    square, rest = a * (x + b * y / a) ** 2, (c - b**2 / a) * y**2
    vanishes(square + rest - (a * x**2 + 2 * b * x * y + c * y**2))
    over_x = sp.integrate(sp.exp(-a * x**2 / 2), (x, -sp.oo, sp.oo))  # the shift b y/a changes nothing
    schur = sp.Symbol("schur", positive=True)  # c - b^2/a
    over_y = sp.integrate(sp.exp(-schur * y**2 / 2), (y, -sp.oo, sp.oo))
    return over_x, over_y.subs(schur, c - b**2 / a)


@INTEGRAL.evidence(role="supports", kind="symbolic")
def test_the_integral_of_the_normal_density_in_one_and_two_dimensions(record):
    a, c = sp.symbols("a c", positive=True)
    b = sp.Symbol("b", real=True)
    over_x, over_y = integral_of_form(a, b, c)
    vanishes(over_x**2 - 2 * sp.pi / a)
    # det P = a c - b^2 > 0.
    squared = (over_x * over_y) ** 2
    vanishes(sp.simplify(squared) - (2 * sp.pi) ** 2 / (a * c - b**2))
    with rejected():  # det P without its root
        vanishes(sp.simplify(over_x) - 2 * sp.pi / a)
    record(instances=2)


@INTEGRAL.evidence(role="supports", kind="numeric")
def test_the_integral_in_three_dimensions_by_quadrature(record):
    P = np.array([[2.0, 0.5, -0.3], [0.5, 1.5, 0.2], [-0.3, 0.2, 1.0]])
    line = np.linspace(-9, 9, 73)
    grid = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3)
    mass = np.exp(-np.einsum("ia,ab,ib->i", grid, P, grid) / 2).sum() * (line[1] - line[0]) ** 3
    expected = (2 * np.pi) ** 1.5 / np.sqrt(np.linalg.det(P))
    # The trapezoidal rule is all but exact for Gaussians that are wider than its step.
    record(worst_error=at_most(abs(mass / expected - 1), 1e-10))
    with rejected():
        at_most(abs(mass / (expected * np.sqrt(np.linalg.det(P))) - 1), 1e-10)


@INTEGRAL.evidence(role="control", kind="symbolic")
def test_another_power_of_two_pi_is_rejected():
    a = sp.Symbol("a", positive=True)
    with rejected():
        vanishes(integral_of_form(a, 0, a)[0] - sp.sqrt(sp.pi / a))


def moment(f, letters):
    """E f for a polynomial f of independent standard normals, by E z^(2m) = (2m - 1)!!."""
    total = sp.S.Zero
    for powers, c in sp.Poly(f, *letters).terms():
        total += c * sp.prod([0 if p % 2 else sp.factorial2(p - 1) for p in powers])
    return sp.expand(total)


def linear_images(count, size):
    """x_i = m_i + sum_j a_ij z_j and their covariances, in symbols."""
    z = sp.symbols(f"z:{size}")
    A = sp.Matrix(count, size, sp.symbols(f"a:{count * size}"))
    m = sp.Matrix(sp.symbols(f"m:{count}"))
    return m + A * sp.Matrix(z), m, A * A.T, z


@MOMENTS.evidence(role="supports", kind="symbolic")
def test_moments_of_one_coordinate_by_integration(record):
    z = sp.Symbol("z", real=True)
    for power in range(5):
        density = sp.exp(-(z**2) / 2) / sp.sqrt(2 * sp.pi)
        vanishes(sp.integrate(z**power * density, (z, -sp.oo, sp.oo)) - moment(z**power, [z]))
    record(instances=5)


@MOMENTS.evidence(role="supports", kind="symbolic")
def test_means_and_covariances_of_linear_images_and_of_products(record):
    x, m, Sigma, z = linear_images(2, 2)
    for i, j in product(range(2), repeat=2):
        vanishes(moment(x[i], z) - m[i])
        vanishes(sp.expand(moment(x[i] * x[j], z) - m[i] * m[j] - Sigma[i, j]))
    # Isserlis: a product of four centred ones is the sum over the three pairings.
    y = x - m
    for a, b, c, d in ((0, 0, 0, 0), (0, 0, 0, 1), (0, 0, 1, 1), (0, 1, 1, 1)):
        pairings = Sigma[a, b] * Sigma[c, d] + Sigma[a, c] * Sigma[b, d] + Sigma[a, d] * Sigma[b, c]
        vanishes(sp.expand(moment(y[a] * y[b] * y[c] * y[d], z) - pairings))
    record(instances=8)


@MOMENTS.evidence(role="control", kind="symbolic")
def test_a_fourth_moment_with_one_pairing_is_rejected():
    x, m, Sigma, z = linear_images(1, 1)
    with rejected():
        vanishes(sp.expand(moment((x[0] - m[0]) ** 4, z) - Sigma[0, 0] ** 2))
