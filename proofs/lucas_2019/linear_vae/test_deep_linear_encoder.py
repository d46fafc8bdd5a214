"""Sec. 6.1: a deep linear encoder, V = V_L ... V_1, already loses what Corollary 1 and Theorem 1 give.

Statement   Corollary 1 and Theorem 1 no longer hold in general: with a deep linear encoder the global maximum is not
            unique, and new stationary points, possibly maxima, may appear.
            (1) The weights of a maximum are never unique: (V_2 A, A^-1 V_1) for (V_2, V_1). App. B reads Corollary 1
            so: "the global optimum is unique for ELBO up to ordering". Its words, the columns of W, are another matter:
            they stay the scaled principal axes (claim nonlinear-encoder, which is ours).
            (2) A local maximum that pPCA lacks: W = 0, V_2 = 0, D = I and rows of V_1 along eigenvectors with
            0 < lam_j < sigma2: collapsed, though lam_1 > sigma2. So Theorem 1 fails.
            As points (W, V, D) no stationary points are new (claim deep-encoder-points, ours); new are weights behind
            them.
Hypotheses  sigma2 > 0; D > 0 diagonal, W free; (2) hidden width h <= #{j: 0 < lam_j < sigma2}.
Source      Lucas et al. 2019, Sec. 6.1. The local maximum is not in the paper, which says "possibly".
Method      ELBO - its value there = -(squares) + 1/2 sum_i (|S v_i|^2/(sigma2 d_i) - v_i^T S v_i) - 1/2 sum_i (d_i - 1
            - log d_i), which is <= 0 where d_i >= rho and V_1 (rho sigma2 S - S^2) V_1^T >= 0 for some rho < 1: in a
            neighbourhood. In words, for all n, k and h; and an instance in rational arithmetic.
Trusted     claims eq-16-20 for the ELBO, eq-11-12 for the gradient of L; facts second-order, spectral (roots of
            matrices that are not negative) and weyl (definite matrices have a neighbourhood of such); the normal form
            of words.
"""

import numpy as np
import sympy as sp

from proofs.lucas_2019.linear_vae.deep_encoders import (
    elbo_of,
    hessian_of_factors,
    product,
    shapes_of,
    size_of,
    slope_vector,
    slopes,
    unpacked,
)
from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.spectra import SpectralProblem, random_problem, random_rotation
from verify import reference
from verify.models import linear_vae as model
from verify.models import ppca as likelihood
from verify.symbolic import linear_vae, ppca
from verify.symbolic.differentials import differential
from verify.symbolic.letters import D, S, V, W, gram, k, marginal_precision, n, sigma2
from verify.symbolic.matrix_calculus import identity, inverse, letter, zero
from verify.symbolic.relations import reduce, relation, substitute
from verify.symbolic.traces import log_det, trace

CLAIM = Claim(
    id="deep-linear-encoder",
    source="Sec. 6.1",
    statement="Corollary 1 and Theorem 1 no longer hold in general: with a deep linear encoder the global maximum is "
    "not unique, and new stationary points, possibly maxima, may appear",
    hypotheses="Corollary 1 is read as App. B reads it, as uniqueness, and of the weights: (W, V, D) is as unique as "
    "before, and its stationary points are those of the plain encoder (claims nonlinear-encoder, deep-encoder-points)",
    section="The linear VAE",
    rests_on=("eq-11-12", "eq-16-20"),
    trusts=("second-order", "spectral", "weyl"),
    quote="However, Corollary 1 and Theorem 1 no longer hold in general. Even a deep linear encoder will not have a "
    "unique global maximum and new stationary points (possibly maxima) may be introduced to ELBO in general. "
    "... As argued in Corollary 1, this means that the global optimum is unique for ELBO",
    finding="lost are Theorem 1, by a collapsed local maximum that pPCA lacks, and the uniqueness of the weights. What "
    "Corollary 1 says in its own words stays, with any encoder that can represent the linear one: at every global "
    "maximum the decoder's columns are the scaled principal components (claim nonlinear-encoder)",
)
WEIGHTS = CLAIM.step(
    "weights",
    "with two or more layers no maximum is unique in its weights: neighbouring layers (2 V_2, V_1/2) give the ELBO of "
    "(V_2, V_1), for all widths and depths; and if V_1 = V_2 = 0, so do (0, X) for every X",
    says="elbo & two_layers -> weights_not_unique",
)
BELOW = CLAIM.step(
    "below",
    "the ELBO less its value at W = 0, V = 0, D = I is 1/2 [tr(D^-1 V S^2 V^T)/sigma2 - tr(V S V^T)] less sums of "
    "squares and of d - 1 - log d >= 0; for D >= rho I and V = V_2 V_1 the bracket is at most -tr(V_2 B V_2^T)/(rho "
    "sigma2), B = V_1 (rho sigma2 S - S^2) V_1^T, by a sum of squares: so where B >= 0 nothing is above, for all n, k, "
    "h",
    says="elbo & roots -> below_where_B_is_definite",
)
DEAD_UNITS = CLAIM.step(
    "dead-units",
    "W = 0, V_2 = 0, D = I, V_1 = R C U^T is a local maximum, for all n, k, h: R orthogonal (h, h), C > 0 diagonal, "
    "the columns of U h orthonormal eigenvectors with 0 < lam_j < sigma2: for a rho < 1 with lam_j < rho sigma2 B is "
    "definite there, and D = I above rho, hence nearby as well",
    says="below_where_B_is_definite & dead_units & definite_stays_definite -> local_maximum",
)
SADDLE = CLAIM.step(
    "saddle-of-ppca",
    "at W = 0 the Hessian of L is X -> (S - sigma2 I) X/sigma2^2, which rises along u_1 if lam_1 > sigma2, for all n "
    "and k",
    says="gradient_of_L & top_above_noise -> rises",
)
INSTANCE = CLAIM.step(
    "instance",
    "both happen together: S = diag(4, 1), sigma2 = 2, k = h = 1, V_1 = (0, 1); no W, V_2, d >= 4/5, |V_11| <= "
    "|V_12|/4 is above -log(4 pi) - 5/4 there, while the plain encoder, V = (v, 0), W = (4 v, 0)^T, rises by 2 v^2 - "
    "16 v^4",
    says="dead_units & top_above_noise",
)
CONCLUSION = CLAIM.step(
    "conclusion", "the weights of a maximum are not unique, and some local maximum is none of pPCA: Theorem 1 fails"
)
USED = {
    "eq-11-12": "gradient_of_L",
    "eq-16-20": "elbo",
    "second-order": "rises -> no_maximum_of_ppca",
    "spectral": "roots",  # a symmetric matrix that is not negative is N N
    "weyl": "definite_stays_definite",
}


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_that_uniqueness_and_theorem_1_are_lost(record):
    lost = "weights_not_unique & local_maximum & no_maximum_of_ppca"
    record(instances=concludes(CLAIM, f"two_layers -> {lost}", USED))
    with rejected():  # one layer is the plain encoder
        concludes(CLAIM, lost, USED)


h = sp.Symbol("h", integer=True, positive=True)  # the hidden width
V1, V2 = letter("V1", h, n), letter("V2", k, h)


def deep_elbo():
    return substitute(linear_vae.elbo(), {"V": V2 @ V1})


@WEIGHTS.evidence(role="supports", kind="symbolic", strength="proved")
def test_neighbouring_layers_of_any_depth_may_be_rescaled(record):
    # V = B V_2 V_1 F: B the layers behind, F those before; V_2 V_1 alone is the encoder of two layers.
    before, behind = sp.symbols("h_F h_B", integer=True, positive=True)
    B, F = letter("B", k, behind), letter("F", before, n)
    first, second = letter("V1", h, before), letter("V2", behind, h)
    check_rescaled(lambda V2, V1: B @ V2 @ V1 @ F, second, first)
    check_rescaled(lambda V2, V1: V2 @ V1, V2, V1)
    # (2 V_2, V_1/2) is another point unless both are 0; then any X may stand for V_1.
    same(elbo_at(0 * V2 @ letter("X", h, n)), elbo_at(0 * V2 @ V1))
    record(instances=3)


def elbo_at(encoder):
    return substitute(linear_vae.elbo(), {"V": encoder})


def check_rescaled(encoder, V2, V1):
    same(elbo_at(encoder(2 * V2, V1 / 2)), elbo_at(encoder(V2, V1)))
    with rejected():
        same(elbo_at(encoder(2 * V2, V1 / 3)), elbo_at(encoder(V2, V1)))


@WEIGHTS.evidence(role="supports", kind="symbolic")
def test_the_factors_of_the_encoder_are_not_unique_for_all_n_k_and_h(record):
    A = letter("A", h, h)
    moved = substitute(deep_elbo(), {"V2": V2 @ A, "V1": inverse(A) @ V1})
    same(moved, deep_elbo())
    record(instances=1)
    record.witness("(V2, V1) and (V2 A, A^-1 V1) have one product, so one ELBO, for every invertible A (h, h)")


@BELOW.evidence(role="supports", kind="symbolic", strength="proved")
def test_around_a_collapsed_point_the_elbo_is_bounded_by_its_value_there(record):
    # V = 0, W = 0, D = I, and what any V, W, D add to it.
    collapsed = substitute(linear_vae.elbo(), {"W": zero(n, k), "V": zero(k, n), "D": identity(k)})
    off = W @ D - S @ V.T
    squares = trace(off @ inverse(D) @ off.T) + trace(W @ V @ S @ V.T @ W.T)
    encoder = trace(inverse(D) @ V @ S @ S @ V.T) / sigma2 - trace(V @ S @ V.T)
    rest = trace(D) - k - log_det(D)  # >= 0
    same(linear_vae.elbo() - collapsed, encoder / 2 - squares / (2 * sigma2) - rest / 2)
    # The squares: D^-1 = F F, S = H H.
    F, H = letter("F", k, k, "diagonal"), letter("H", n, n, "symmetric")
    roots = {"D": inverse(F) @ inverse(F), "S": H @ H}
    same(substitute(squares, roots), substitute(sum_of_squares(off @ F) + sum_of_squares(W @ V @ H), roots))
    # With D >= rho, D^-1 = I/rho - F F, and V = V2 V1: encoder <= -tr(V2 B V2^T)/(rho sigma2).
    rho, B = sp.Symbol("rho", positive=True), slack_at(V1)
    bound = substitute(encoder, {"D": rho * identity(k), "V": V2 @ V1})
    same(bound, -trace(V2 @ B @ V2.T) / (rho * sigma2))
    lacking = reduce(encoder, relation(inverse(D), identity(k) / rho - F @ F))
    same(substitute(lacking, {"V": V2 @ V1}), bound - sum_of_squares(F @ V2 @ V1 @ S) / sigma2)
    with rejected():  # D below rho
        lacking = reduce(encoder, relation(inverse(D), identity(k) / rho + F @ F))
        same(substitute(lacking, {"V": V2 @ V1}), bound - sum_of_squares(F @ V2 @ V1 @ S) / sigma2)
    # B >= 0, B = N N: then -tr(V2 B V2^T) is no more than 0.
    N = letter("N", h, h, "symmetric")
    same(trace(V2 @ N @ N @ V2.T), sum_of_squares(V2 @ N))
    with rejected():  # the squares left out
        same(linear_vae.elbo() - collapsed, encoder / 2 - rest / 2)
    d = sp.Symbol("d", positive=True)
    check(sp.diff(d - 1 - sp.log(d), d, 2).is_positive, "d - 1 - log d is not convex")
    same((sp.diff(d - 1 - sp.log(d), d).subs(d, 1), (d - 1 - sp.log(d)).subs(d, 1)), (0, 0))
    record(instances=6)


def sum_of_squares(A):
    """|A|^2, of the entries."""
    return trace(A @ A.T)


def slack_at(layer):
    """B = V_1 (rho sigma2 S - S^2) V_1^T."""
    return layer @ (sp.Symbol("rho", positive=True) * sigma2 * S - S @ S) @ layer.T


@DEAD_UNITS.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_slack_is_definite_at_dead_units_for_all_n_and_h(record):
    rho, B = sp.Symbol("rho", positive=True), slack_at(V1)
    # At V_1 = R C U^T, S U = U Lam: B = R C Lam (rho sigma2 - Lam) C R^T, definite for Lam < rho sigma2, and so nearby.
    U, R = letter("U", n, h), letter("R", h, h)
    C, Lam = letter("C", h, h, "diagonal"), letter("Lam", h, h, "diagonal")
    axes = relation(U.T @ U, identity(h)), relation(S @ U, U @ Lam)
    there = reduce(substitute(B, {"V1": R @ C @ U.T}), *axes)
    same(there, R @ C @ Lam @ (rho * sigma2 * identity(h) - Lam) @ C @ R.T)
    with rejected():  # rho left out: definite for every Lam
        same(there, R @ C @ Lam @ C @ R.T)
    # rho = (1 + lam/sigma2)/2 is one, for the largest lam = sigma2 - gap: lam < rho sigma2 < sigma2.
    gap, lam = sp.symbols("gap lam", positive=True)
    middle = (1 + lam / (lam + gap)) / 2
    check_between(lam, middle, lam + gap)
    with rejected():  # lam above sigma2
        check_between(lam + gap, (1 + (lam + gap) / lam) / 2, lam)
    with rejected():  # the mean of sigma2/lam and 1
        check_between(lam, (1 + (lam + gap) / lam) / 2, lam + gap)
    # Lam (rho sigma2 I - Lam) = Z Z: y^T B y = |Z C R^T y|^2, and Z C R^T is invertible.
    Z, y = letter("Z", h, h, "diagonal"), letter("y", h, 1)
    root = relation(Lam @ Lam, rho * sigma2 * Lam - Z @ Z)
    same(reduce(trace(y.T @ there @ y), root), sum_of_squares(Z @ C @ R.T @ y))
    record(instances=4)


def check_between(lam, rho, noise):
    """lam < rho sigma2 < sigma2."""
    check((rho * noise - lam).simplify().is_positive, "lam is not below rho sigma2")
    check(sp.factor(1 - rho).is_positive, "rho is not below 1")


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


@DEAD_UNITS.evidence(role="supports", kind="numeric")
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


@DEAD_UNITS.evidence(role="supports", kind="numeric")
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


@SADDLE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_likelihood_rises_from_zero_along_the_first_axis(record):
    X = letter("X", n, k)
    G = reduce(ppca.gradient(), marginal_precision(), gram)
    at_zero = substitute(differential(G, W, X), {"W": zero(n, k)})
    same(at_zero, (S @ X - sigma2 * X) / sigma2**2)
    u, e, lam = letter("u", n, 1), letter("e", k, 1), sp.Symbol("lam_1", positive=True)
    along = reduce(substitute(at_zero, {"X": u @ e.T}), relation(S @ u, lam * u))
    same(along, (lam - sigma2) / sigma2**2 * u @ e.T)
    with rejected():
        same(along, lam / sigma2**2 * u @ e.T)
    record(instances=2)


def exact_elbo(w, v, d):
    """The ELBO for S = diag(4, 1), sigma2 = 2, n = 2, k = 1, from Eqs. 16 and 19, 20; w, v two entries each."""
    lam = (4, 1)
    norm, spread = sum(x**2 for x in w), sum(s * y**2 for s, y in zip(lam, v, strict=True))
    cross = sum(s * x * y for s, x, y in zip(lam, w, v, strict=True))
    kl = (-sp.log(d) + spread + d - 1) / 2
    return (-d * norm - norm * spread + 2 * cross - sum(lam)) / 4 - sp.log(4 * sp.pi) - kl


@INSTANCE.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_local_maximum_in_rational_arithmetic(record):
    w1, w2, a, b, c, v = sp.symbols("w1 w2 a b c v", real=True)
    d = sp.Symbol("d", positive=True)
    collapsed = exact_elbo((0, 0), (0, 0), sp.Integer(1))
    vanishes(collapsed + sp.log(4 * sp.pi) + sp.Rational(5, 4))
    V = (c * a, c * b)  # V_2 V_1
    spread, squared = 4 * V[0] ** 2 + V[1] ** 2, 16 * V[0] ** 2 + V[1] ** 2
    squares = ((d * w1 - 4 * V[0]) ** 2 + (d * w2 - V[1]) ** 2) / d + (w1**2 + w2**2) * spread
    rest = d - 1 - sp.log(d)
    difference = exact_elbo((w1, w2), V, d) - collapsed
    vanishes(sp.expand(difference - (squared / (2 * d) - spread) / 2 + squares / 4 + rest / 2))
    # squared/(2 d) falls in d; at d = 4/5 the bracket is 6 c^2 (a^2 - b^2/16), so <= 0 for |a| <= |b|/4.
    check_bracket(squared * sp.Rational(5, 8) - spread, 6 * c**2 * (a**2 - b**2 / 16))
    with rejected():  # with V_1 = (1, 0) it is positive
        check_bracket(squared * sp.Rational(5, 8) - spread, 6 * c**2 * (b**2 - a**2 / 16))
    # The plain encoder, from the same (W, V, D): it rises.
    rise = exact_elbo((4 * v, 0), (v, 0), sp.Integer(1)) - collapsed
    vanishes(sp.expand(rise - (2 * v**2 - 16 * v**4)))
    record(instances=3)
    record.witness("S = diag(4, 1), sigma2 = 2, k = h = 1: W = 0, V_2 = 0, V_1 = (0, 1), D = 1, exactly")


def check_bracket(found, expected):
    vanishes(sp.expand(found - expected))


@INSTANCE.evidence(role="supports", kind="numeric")
def test_a_local_maximum_to_check_by_hand(record):
    # At rho = 4/5, V_1 = (a, b): |S v|^2 = 16 a^2 + b^2 <= rho sigma2 v^T S v = (8/5)(4 a^2 + b^2) iff a^2 <= b^2/16.
    p = SpectralProblem(np.array([4.0, 1.0]), np.eye(2), 1, 2.0)
    point = np.zeros((2, 1)), [np.array([[0.0, 1.0]]), np.zeros((1, 1))], np.ones(1)
    agree(elbo_of(*point, p), -np.log(4 * np.pi) - 1.25, tolerance=1e-15)
    with rejected():  # without the n = 2 of n/2 log(2 pi sigma2), as Eq. 10 has it
        agree(elbo_of(*point, p), -np.log(4 * np.pi) / 2 - 1.25, tolerance=1e-15)
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


@SADDLE.evidence(role="supports", kind="numeric")
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
        with rejected():  # without the half
            agree(rise, 2 * expected, tolerance=1.0 * a**2 * p.lam[0] ** 2, scale=expected)


@DEAD_UNITS.evidence(role="control", kind="numeric")
def test_hidden_units_that_see_a_large_eigenvalue_are_not_dead():
    rng = np.random.default_rng(72)
    p = SpectralProblem(np.array([4.0, 1.0]), np.eye(2), 1, 2.0)
    for V1 in ([[1.0, 0.0]], [[1.0, 1.0]]):
        point = np.zeros((2, 1)), [np.array(V1), np.zeros((1, 1))], np.ones(1)
        with rejected():
            check_nothing_near_is_higher(p, point, 0.9, 0.05, rng)
