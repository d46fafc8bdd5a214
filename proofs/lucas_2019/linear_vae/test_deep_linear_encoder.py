"""A deep linear encoder, V = V_L ... V_1: what it does to the maximum, to stationary points and to local maxima.

Statement   (Sec. 6.1) a deep linear encoder already is enough to lose Corollary 1 and Theorem 1: its global maximum is
            not unique, and it may have stationary points, even maxima, of its own. Three parts, three answers:
            (1) The factors V_i are not unique (V_2 A, A^-1 V_1). W is, as far as it was before: Corollary 1 stands.
            (2) No new stationary points: at each of them dELBO/dV = 0 for the product V as well, so that (W, V, D) is
                stationary for the plain encoder. What multiplies are the factors behind it, with new flat directions.
            (3) New local maxima, indeed: a saddle of the plain ELBO can become one. W = 0, V_2 = 0, D = I and rows of
                V_1 along eigenvectors with 0 < lam_j < sigma2: collapsed, though lam_1 > sigma2. Theorem 1 fails.
Hypotheses  sigma2 > 0; D > 0 diagonal, W free; (1) hidden widths >= k; (2) any widths and depth; (3) hidden width
            h <= #{j: 0 < lam_j < sigma2}.
Source      Lucas et al. 2019, Sec. 6.1. (2) and (3) are not in the paper.
Method      (2) with G = sigma2 dELBO/dV, the first and the last factor give V^T G = 0 and G V^T = 0; E, the projector
            on the complement of range V, has E V = 0, E G = G; dELBO/dW = 0 makes 0 = E G V^T = E W^T W D, so W E = 0,
            and then G = E G = E W^T (I - W V) S = 0. (3) ELBO - its value there = -(squares) + 1/2 sum_i
            (|S v_i|^2/(sigma2 d_i) - v_i^T S v_i), which is <= 0 where d_i >= rho and V_1 (rho sigma2 S - S^2) V_1^T
            >= 0 for some rho < 1: in a neighbourhood. Both identities in words, for all n, k and h.
Trusted     the normal form of words; claim corollary-1 for the maxima of P.
"""

import numpy as np
import sympy as sp

from proofs.lucas_2019.linear_vae.axes import agree_with_axes
from proofs.lucas_2019.linear_vae.deep_encoders import (
    best_trained,
    elbo_of,
    hessian_of_factors,
    product,
    shapes_of,
    size_of,
    slope_vector,
    slopes,
    stationary_near,
    unpacked,
)
from proofs.machinery.checks import agree, at_most, check, rejected, same
from proofs.machinery.claims import Claim
from proofs.problems.spectra import SpectralProblem, random_problem, random_rotation
from verify import reference
from verify.models import linear_vae as model
from verify.models import ppca as likelihood
from verify.symbolic import linear_vae
from verify.symbolic.differentials import gradient
from verify.symbolic.letters import D, M, S, V, W, k, n, sigma2
from verify.symbolic.matrix_calculus import identity, inverse, letter, zero
from verify.symbolic.relations import expand, reduce, relation, substitute
from verify.symbolic.traces import log_det, trace

CLAIM = Claim(
    id="deep-linear-encoder",
    source="Sec. 6.1",
    statement="with a deep linear encoder the global maximum is not unique (Corollary 1 fails), and new stationary "
    "points, possibly maxima, appear (Theorem 1 fails)",
    hypotheses="true of the factors of V, maxima included; but W is as unique as before, and all stationary points "
    "(W, V, D) are those of the plain encoder",
    section="The linear VAE",
    rests_on=("corollary-1",),
)

h = sp.Symbol("h", integer=True, positive=True)  # the hidden width
V1, V2 = letter("V1", h, n), letter("V2", k, h)


def deep_elbo():
    return substitute(linear_vae.elbo(), {"V": V2 @ V1})


@CLAIM.evidence(role="corrected", kind="symbolic", strength="proved")
def test_the_factors_of_the_encoder_are_not_unique_for_all_n_k_and_h(record):
    A = letter("A", h, h)
    moved = substitute(deep_elbo(), {"V2": V2 @ A, "V1": inverse(A) @ V1})
    same(moved, deep_elbo())
    record(instances=1)
    record.witness("(V2, V1) and (V2 A, A^-1 V1) have one product, so one ELBO, for every invertible A (h, h)")


@CLAIM.evidence(role="refutes", kind="symbolic", strength="proved")
def test_at_least_k_hidden_units_reach_every_encoder_so_w_is_as_unique_as_before(record):
    # V2 = E, V1 = E^T V with E E^T = I, (k, h): every V. So the best over the factors at W is P(W), no more, no less.
    E = letter("E", k, h)
    same(reduce(E @ E.T @ V, relation(E @ E.T, identity(k))), V)
    at_best = reduce(substitute(deep_elbo(), {"V2": E, "V1": E.T @ V}), relation(E @ E.T, identity(k)))
    same(at_best, linear_vae.elbo())
    record(instances=2)


def chain_of_factors():
    """dELBO/dV2, dELBO/dV1 by differentiation, and dELBO/dV at the product."""
    G = substitute(linear_vae.gradients().V, {"V": V2 @ V1})
    return gradient(deep_elbo(), V2), gradient(deep_elbo(), V1), G


@CLAIM.evidence(role="refutes", kind="symbolic", strength="proved")
def test_every_stationary_point_of_the_factors_is_one_of_the_plain_encoder(record):
    by_V2, by_V1, G = chain_of_factors()
    same(by_V2, G @ V1.T)
    same(by_V1, V2.T @ G)
    # So G V^T = (G V1^T) V2^T = 0 and V^T G = V1^T (V2^T G) = 0; more layers give the same two. From here on V alone.
    G = sigma2 * expand(linear_vae.gradients().V, M)
    E = letter("E", k, k, "symmetric")
    stationary_W = relation(W @ V @ S @ V.T, S @ V.T - W @ D)
    same(reduce(sigma2 * linear_vae.gradients().W, stationary_W), 0 * W)  # the relation is dELBO/dW = 0
    off_range = relation(E @ V, zero(k, n))
    same(reduce(E @ G @ V.T, stationary_W, off_range), E @ W.T @ W @ D)
    # 0 = E W^T W D, so 0 = E W^T W E = (W E)^T (W E), so W E = 0.
    same(reduce(E @ G, off_range, relation(W @ E, zero(n, k))), 0 * V)
    record(instances=5)
    record.witness("V^T G = 0, G V^T = 0 and dELBO/dW = 0 imply G = 0: dead ends of the factors are ends of V itself")


@CLAIM.evidence(role="corrected", kind="symbolic", strength="proved")
def test_around_a_collapsed_point_the_elbo_is_bounded_by_its_value_there(record):
    # V = 0, W = 0, D = I, and what any V, W, D add to it.
    collapsed = substitute(linear_vae.elbo(), {"W": zero(n, k), "V": zero(k, n), "D": identity(k)})
    off = W @ D - S @ V.T
    squares = trace(off @ inverse(D) @ off.T) + trace(W @ V @ S @ V.T @ W.T)
    encoder = trace(inverse(D) @ V @ S @ S @ V.T) / sigma2 - trace(V @ S @ V.T)
    rest = trace(D) - k - log_det(D)  # >= 0
    same(linear_vae.elbo() - collapsed, encoder / 2 - squares / (2 * sigma2) - rest / 2)
    # With D >= rho and V = V2 V1: encoder <= -tr(V2 B V2^T)/(rho sigma2), B = V1 (rho sigma2 S - S^2) V1^T >= 0.
    rho = sp.Symbol("rho", positive=True)
    B = V1 @ (rho * sigma2 * S - S @ S) @ V1.T
    bound = substitute(encoder, {"D": rho * identity(k), "V": V2 @ V1})
    same(bound, -trace(V2 @ B @ V2.T) / (rho * sigma2))
    record(instances=2)


def check_axes_at_the_maximum(p, W, reached):
    """Corollary 1: the value is the maximum of L, and the columns of W are the scaled principal axes."""
    axes = likelihood.fixed_noise_maximum(p.lam, p.U, p.k, p.sigma2)
    best = float(likelihood.log_likelihood(axes, p.sigma2, p.S))
    agree(reached, best, tolerance=1e-8, scale=abs(best))
    # The value is right to the square of the error in W.
    return agree_with_axes(W, axes, tolerance=1e-3)


@CLAIM.evidence(role="refutes", kind="numeric")
def test_trained_deep_encoders_differ_and_their_decoders_do_not(record, thorough):
    rng = np.random.default_rng(66)
    for widths in ((2,), (4, 3)) * thorough(1, 20):
        p = random_problem(rng, 4, 2)
        p = SpectralProblem(p.lam, p.U, p.k, 0.6 * float(p.lam[1]))
        ends = [best_trained(p, widths, rng) for _ in range(2)]
        for decoder, _, _, reached in ends:
            record(worst_error=check_axes_at_the_maximum(p, decoder, reached))
        first, second = (end[1] for end in ends)
        # |V_1^T V_1| sees neither signs nor orders, and no rotation of the hidden layer either.
        apart = np.linalg.norm(first[0].T @ first[0] - second[0].T @ second[0])
        check(apart > 1e-2, "two trainings found the same factors")


def check_plain_stationary(p, W, factors, D):
    """All gradients of the plain ELBO vanish at (W, V, D), as far as 1e-12 in the slopes of the factors can tell.

    What bounds G is W E, and that only by its square: sqrt(1e-12), with a factor of ten for the sizes of the problem.
    """
    plain = model.gradients(W, product(factors), D, p.sigma2, p.S)
    scale = p.lam[0] / p.sigma2
    return max(agree(part, np.zeros_like(part), tolerance=1e-5, scale=scale) for part in plain[:3])


@CLAIM.evidence(role="refutes", kind="numeric")
def test_blind_searches_find_no_new_stationary_point(record, thorough):
    rng = np.random.default_rng(67)
    deficient = 0
    for _ in range(thorough(40, 600)):
        p = random_problem(rng, 3, 2)
        widths = [(1,), (2,), (2, 2), (3,)][int(rng.integers(4))]
        shapes = shapes_of(p, widths)
        # Starts of all sizes: small ones end in points of low rank, where new ones would be.
        start = rng.standard_normal(size_of(p, widths)) * rng.choice([0.1, 0.5, 1.5])
        end = stationary_near(start, shapes, p)
        if np.abs(slope_vector(end, shapes, p)).max() > 1e-12:
            continue
        W, factors, D = unpacked(end, shapes)
        deficient += np.linalg.matrix_rank(product(factors), tol=1e-4) < min(2, *widths)
        record(worst_error=check_plain_stationary(p, W, factors, D))
    check(deficient >= 3, f"only {deficient} of the points found have an encoder of low rank")


def dead_point(p, rng, width):
    """W = 0, V_1 with rows along eigenvectors with lam_j < sigma2, V_2 = 0, D = 1: collapsed."""
    below = np.flatnonzero((p.lam < p.sigma2) & (p.lam > 0))[:width]
    V1 = rng.uniform(0.5, 2, width)[:, None] * random_rotation(rng, width) @ p.U[:, below].T
    return np.zeros((p.n, p.k)), [V1, np.zeros((p.k, width))], np.ones(p.k)


def guaranteed_radius(p, V1):
    """(rho, r): with |V_1' - V_1| <= r and d >= rho the bound of the Method holds."""
    rho = (1 + float(p.lam[p.lam < p.sigma2][0]) / p.sigma2) / 2
    slack = rho * p.sigma2 * p.S - p.S @ p.S
    least = np.linalg.eigvalsh(V1 @ slack @ V1.T)[0]
    # |(V_1 + X) slack (V_1 + X)^T - V_1 slack V_1^T| <= |slack| (2 |V_1| r + r^2), which must stay below `least`.
    size, norm = np.linalg.norm(V1), np.linalg.norm(slack, 2)
    return rho, float(np.sqrt(size**2 + 0.9 * least / norm) - size)


def check_nothing_near_is_higher(p, point, rho, radius, rng, tries=60):
    """No (W, V_1', V_2, D) with V_1' within `radius` and d >= rho is above `point`; W is the best for V and D half
    of the time, and of any size, as V_2 is."""
    _, (V1, V2), _ = point
    collapsed = elbo_of(*point, p)
    for i in range(tries):
        X = rng.standard_normal(V1.shape)
        near = V1 + X * rng.uniform(0, radius) / np.linalg.norm(X)
        out = rng.standard_normal(V2.shape) * 10.0 ** rng.uniform(-4, 1)
        D = rho + rng.uniform(0, 2, p.k) if i % 3 else np.ones(p.k)
        V = out @ near
        best = p.S @ V.T @ np.linalg.inv(np.diag(D) + V @ p.S @ V.T)
        W = best if i % 2 else rng.standard_normal((p.n, p.k)) * 10.0 ** rng.uniform(-4, 1)
        at_most(elbo_of(W, [near, out], D, p), collapsed, slack=1e-13 * abs(collapsed))


def problem_with_dead_units(rng):
    """lam_1 > sigma2 and at least two positive eigenvalues below it."""
    p = random_problem(rng, int(rng.integers(3, 6)), int(rng.integers(1, 3)))
    return SpectralProblem(p.lam, p.U, p.k, float(rng.uniform(p.lam[-2] * 1.02, min(p.lam[0], 2 * p.lam[-2]) * 0.98)))


@CLAIM.evidence(role="corrected", kind="numeric")
def test_dead_hidden_units_make_a_local_maximum_of_a_saddle(record, thorough):
    rng = np.random.default_rng(68)
    for _ in range(thorough(40, 400)):
        p = problem_with_dead_units(rng)
        W, factors, D = point = dead_point(p, rng, int(rng.integers(1, 3)))
        rho, radius = guaranteed_radius(p, factors[0])
        check(rho < 1 and radius > 0, "no neighbourhood of D = I and V_1")
        check_nothing_near_is_higher(p, point, rho, radius, rng)
        # For the plain encoder the same (W, V, D) is a strict saddle, and the maximum is higher.
        H = model.hessian(W, product(factors), D, p.sigma2, p.S)
        check(np.linalg.eigvalsh(H)[-1] > 0, "no rising direction for the plain encoder")
        best = likelihood.log_likelihood(likelihood.fixed_noise_maximum(p.lam, p.U, p.k, p.sigma2), p.sigma2, p.S)
        check(best > elbo_of(*point, p), "the collapsed point is the maximum")
        record()


@CLAIM.evidence(role="corrected", kind="numeric")
def test_gradient_ascent_stays_collapsed_near_dead_units(record, thorough):
    rng = np.random.default_rng(69)
    for _ in range(thorough(3, 30)):
        p = problem_with_dead_units(rng)
        point = dead_point(p, rng, 1)
        shapes = shapes_of(p, (1,))
        at = np.concatenate([point[0].ravel(), point[1][0].ravel(), point[1][1].ravel(), np.log(point[2])])
        radius = guaranteed_radius(p, point[1][0])[1]
        v = start = at + rng.standard_normal(at.size) * min(radius, 0.1) / at.size
        for _ in range(4000):
            v = v + 0.05 * p.sigma2 / p.lam[0] * slope_vector(v, shapes, p)
        # Linear convergence at rates of order sigma2 - lam_j, which may be 2 % of sigma2.
        record(worst_error=agree(_away(unpacked(v, shapes)), 0.0, tolerance=0.5, scale=_away(unpacked(start, shapes))))
        at_most(elbo_of(*unpacked(v, shapes), p), elbo_of(*point, p))


def _away(point):
    """|W| + |V_2|: how far from collapsed."""
    return np.linalg.norm(point[0]) + np.linalg.norm(point[1][1])


@CLAIM.evidence(role="corrected", kind="numeric")
def test_a_local_maximum_to_check_by_hand(record):
    # At rho = 4/5, V_1 = (a, b): |S v|^2 = 16 a^2 + b^2 <= rho sigma2 v^T S v = (8/5)(4 a^2 + b^2) iff a^2 <= b^2/16.
    p = SpectralProblem(np.array([4.0, 1.0]), np.eye(2), 1, 2.0)
    point = np.zeros((2, 1)), [np.array([[0.0, 1.0]]), np.zeros((1, 1))], np.ones(1)
    agree(elbo_of(*point, p), -np.log(4 * np.pi) - 1.25, tolerance=1e-15)
    dW, by_factor, dD = slopes(*point, p)
    same([float(abs(part).max()) for part in (dW, *by_factor, dD)], [0.0] * 4)
    # 50 digits see a difference of 1e-20 beside it, for a step of 1e-10 in every direction.
    below = []
    for signs in np.ndindex(2, 2, 2, 2, 2):
        w1, w2, a, b, c = 1e-10 * (2 * np.array(signs) - 1)
        V = c * np.array([[a, 1 + b]])
        with reference.precision():
            beside = reference.elbo(np.array([[w1], [w2]]), V, np.ones(1), 2.0, p.S)
            below.append(float(beside - reference.elbo(*_collapsed(), 2.0, p.S)))
    check(max(below) < -1e-21, f"{max(below)} is not below")
    best = likelihood.log_likelihood(likelihood.fixed_noise_maximum(p.lam, p.U, 1, 2.0), 2.0, p.S)
    plain = model.hessian(point[0], product(point[1]), point[2], 2.0, p.S)
    record(instances=len(below))
    record.witness(
        "S = diag(4, 1), sigma2 = 2, k = h = 1: W = 0, V_2 = 0, V_1 = (0, 1), D = 1 has ELBO -log(4 pi) - 5/4 = "
        f"{elbo_of(*point, p):.6f} and is a local maximum: no W, V_2, d >= 4/5, |V_11| <= |V_12|/4 is higher. With V = "
        f"(0, 0) instead of V_2 V_1 it is a saddle (largest curvature {np.linalg.eigvalsh(plain)[-1]:.4f}); the global "
        f"maximum is {best:.6f}"
    )


def _collapsed():
    return np.zeros((2, 1)), np.zeros((1, 2)), np.ones(1)


@CLAIM.evidence(role="corrected", kind="numeric")
def test_the_strict_saddle_at_the_origin_becomes_a_flat_one(record):
    rng = np.random.default_rng(70)
    for _ in range(10):
        p = problem_with_dead_units(rng)
        H = hessian_of_factors(np.zeros(size_of(p, (2,))), shapes_of(p, (2,)), p)
        # Central differences err by step^2 times third derivatives, which are of the order of lam_1/sigma2.
        at_most(np.linalg.eigvalsh(H)[-1], 0.0, slack=1e-7 * p.lam[0] / p.sigma2)
        # And yet it rises, at fourth order in a: V_1 = a b u_1^T, V_2 = a b', W = a^2 c u_1 e_1^T.
        a, u = 0.05, p.U[:, :1]
        V1, V2, W = np.zeros((2, p.n)), np.zeros((p.k, 2)), np.zeros((p.n, p.k))
        V1[0], V2[0, 0], W[:, :1] = a * u[:, 0], a, a**2 * p.lam[0] * u
        origin = elbo_of(0 * W, [0 * V1, 0 * V2], np.ones(p.k), p)
        rise = elbo_of(W, [V1, V2], np.ones(p.k), p) - origin
        # The plain quadratic form at W = lam_1 a^2 u_1, V = a^2 u_1^T: a^4 lam_1 (lam_1/sigma2 - 1)/2.
        expected = a**4 * p.lam[0] * (p.lam[0] / p.sigma2 - 1) / 2
        record(worst_error=agree(rise, expected, tolerance=1.0 * a**2 * p.lam[0] ** 2, scale=expected))


@CLAIM.evidence(role="control", kind="symbolic")
def test_without_stationarity_in_w_the_argument_is_rejected():
    E, G = letter("E", k, k, "symmetric"), sigma2 * expand(linear_vae.gradients().V, M)
    off_range = relation(E @ V, zero(k, n))
    with rejected():
        same(reduce(E @ G @ V.T, off_range), E @ W.T @ W @ D)
    with rejected():  # W E = 0 left out
        same(reduce(E @ G, off_range), 0 * V)
    _, by_V1, G = chain_of_factors()
    with rejected():  # the factors' slopes are not that of V
        same(by_V1, V1 @ V1.T @ V2.T @ G)


@CLAIM.evidence(role="control", kind="numeric")
def test_with_a_frozen_decoder_a_dead_encoder_is_new_and_the_checker_says_so():
    p = random_problem(np.random.default_rng(71), 4, 2)
    W = likelihood.fixed_noise_maximum(p.lam, p.U, 2, 0.5 * p.lam[1])
    factors, D = [np.zeros((2, 4)), np.zeros((2, 2))], model.optimal_encoder(W, p.sigma2)[1]
    _, by_factor, dD = slopes(W, factors, D, p)
    agree(np.concatenate([f.ravel() for f in (*by_factor, dD)]), np.zeros(14), tolerance=1e-13)
    with rejected():
        check_plain_stationary(p, W, factors, D)


@CLAIM.evidence(role="control", kind="numeric")
def test_hidden_units_that_see_a_large_eigenvalue_are_not_dead():
    rng = np.random.default_rng(72)
    p = SpectralProblem(np.array([4.0, 1.0]), np.eye(2), 1, 2.0)
    for V1 in ([[1.0, 0.0]], [[1.0, 1.0]]):
        point = np.zeros((2, 1)), [np.array(V1), np.zeros((1, 1))], np.ones(1)
        with rejected():
            check_nothing_near_is_higher(p, point, 0.9, 0.05, rng)


@CLAIM.evidence(role="control", kind="numeric")
def test_a_bottleneck_below_the_retained_latents_has_another_decoder():
    rng = np.random.default_rng(73)
    p = SpectralProblem(np.array([4.0, 3.0, 1.0]), np.eye(3), 2, 0.5)
    W, _, _, reached = best_trained(p, (1,), rng)
    with rejected():
        check_axes_at_the_maximum(p, W, reached)
    with rejected():  # the value alone would not do, nor the axes alone
        check_axes_at_the_maximum(p, likelihood.fixed_noise_maximum(p.lam, p.U, 2, 0.5), reached)
    best = float(likelihood.log_likelihood(likelihood.fixed_noise_maximum(p.lam, p.U, 2, 0.5), 0.5, p.S))
    with rejected():
        check_axes_at_the_maximum(p, W @ random_rotation(rng, 2), best)
