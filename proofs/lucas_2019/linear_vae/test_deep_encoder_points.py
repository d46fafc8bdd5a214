"""A deep linear encoder, V = V_L ... V_1, has no stationary points (W, V, D) that the plain encoder lacks.

Statement   at each stationary point in W, V_1, ..., V_L and D, dELBO/dV = 0 at the product V as well, so that (W, V, D)
            is stationary for the plain encoder. What multiplies are the factors behind it; and a saddle of the plain
            encoder may become a local maximum (claim deep-linear-encoder).
Hypotheses  sigma2 > 0; D > 0 diagonal, W free; any widths, any depth >= 2.
Source      ours, beside Lucas et al. 2019, Sec. 6.1.
Method      with G = sigma2 dELBO/dV, the last and the first factor give G V^T = 0 and V^T G = 0; E, the projector on
            the complement of range V, has E V = 0, E G = G; dELBO/dW = 0 makes 0 = E G V^T = E W^T W D, so W E = 0,
            and then G = E G = E W^T (I - W V) S = 0. In words, for all n, k and widths.
Trusted     fact svd, for the pseudoinverse of V; the normal form of words.
"""

import numpy as np
import sympy as sp

from proofs.lucas_2019.linear_vae.deep_encoders import (
    product,
    shapes_of,
    size_of,
    slope_vector,
    slopes,
    stationary_near,
    unpacked,
)
from proofs.machinery.checks import agree, check, rejected, same
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.spectra import random_problem
from verify.models import linear_vae as model
from verify.models import ppca as likelihood
from verify.symbolic import linear_vae
from verify.symbolic.differentials import gradient
from verify.symbolic.letters import D, M, S, V, W, k, n, sigma2
from verify.symbolic.matrix_calculus import identity, inverse, letter, zero
from verify.symbolic.relations import expand, reduce, relation, substitute

CLAIM = Claim(
    id="deep-encoder-points",
    source="ours, beside Sec. 6.1",
    statement="every stationary point of the ELBO in W, D and the layers of a deep linear encoder is, in (W, V, D), "
    "one of the plain encoder",
    hypotheses="sigma2 > 0, D > 0; any widths, any depth >= 2",
    section="The linear VAE",
    rests_on=("eq-22", "eq-23"),
    trusts=("svd",),
)
LAYERS = CLAIM.step(
    "layers",
    "dELBO/dV_L = G F^T and dELBO/dV_1 = B^T G, G = dELBO/dV at V = V_L F = B V_1, for any depth >= 2 and widths: "
    "where both vanish, G V^T = 0 and V^T G = 0",
    says="slope_in_V & stationary_in_layers -> products_vanish",
)
DEAD_ENDS = CLAIM.step(
    "no-dead-ends",
    "G V^T = 0, V^T G = 0 and dELBO/dW = 0 make G = 0, for all n, k and D > 0",
    says="slope_in_V & slope_in_W & pseudoinverse & products_vanish & stationary_in_W -> stationary_in_V",
)
CONCLUSION = CLAIM.step("conclusion", "a point that is stationary in the layers, W and D is so in V, W and D")
USED = {"eq-22": "slope_in_V", "eq-23": "slope_in_W", "svd": "pseudoinverse"}


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_that_no_stationary_point_is_new(record):
    record(instances=concludes(CLAIM, "stationary_in_layers & stationary_in_W -> stationary_in_V", USED))
    with rejected():  # a frozen decoder: see the control below
        concludes(CLAIM, "stationary_in_layers -> stationary_in_V", USED)


@LAYERS.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_slopes_of_the_first_and_the_last_layer(record):
    last, rest = letter("V_L", k, h), letter("F", h, n)
    first, behind = letter("V_1", h, n), letter("B", k, h)
    for V_of, factor, slope in (
        (last @ rest, last, lambda G: G @ rest.T),
        (behind @ first, first, lambda G: behind.T @ G),
    ):
        G = substitute(linear_vae.gradients().V, {"V": V_of})
        by_factor = gradient(substitute(linear_vae.elbo(), {"V": V_of}), factor)
        same(by_factor, slope(G))
        with rejected():
            same(by_factor, 2 * slope(G))
        # G V^T = (G F^T) V_L^T, V^T G = V_1^T (B^T G).
        product = G @ V_of.T if factor is last else V_of.T @ G
        same(product, by_factor @ last.T if factor is last else first.T @ by_factor)
        record(instances=2)


@DEAD_ENDS.evidence(role="supports", kind="symbolic", strength="proved")
def test_dead_ends_of_the_layers_are_ends_of_v_itself(record):
    G = sigma2 * expand(linear_vae.gradients().V, M)
    E = letter("E", k, k, "symmetric")
    stationary_W = relation(W @ V @ S @ V.T, S @ V.T - W @ D)
    same(reduce(sigma2 * linear_vae.gradients().W, stationary_W), 0 * W)  # the relation is dELBO/dW = 0
    off_range = relation(E @ V, zero(k, n))
    # E = I - V X, X the pseudoinverse of V: V X is symmetric and V X V = V. So E V = 0, and V^T G = 0 makes E G = G.
    X, H = letter("X", n, k), letter("H", k, n)  # H in the place of G
    inverse_of_V = relation(V @ X @ V, V), relation(X.T @ V.T, V @ X)
    check_pseudoinverse(lambda U, K, R: R.T @ inverse(K) @ U.T)
    with rejected():
        check_pseudoinverse(lambda U, K, R: R.T @ K @ U.T)
    same(reduce((identity(k) - V @ X) @ V, *inverse_of_V), 0 * V)
    same(reduce(X.T @ V.T @ H, relation(V.T @ H, zero(n, n))), zero(k, n))
    with rejected():  # without V^T G = 0
        same(X.T @ V.T @ H, zero(k, n))
    # And E G V^T = 0, which is
    same(reduce(E @ G @ V.T, stationary_W, off_range), E @ W.T @ W @ D)
    # 0 = E W^T W D, so 0 = E W^T W E = (W E)^T (W E), as D is invertible, so W E = 0.
    same(reduce(E @ G, off_range, relation(W @ E, zero(n, k))), 0 * V)
    record(instances=6)
    record.witness("V^T G = 0, G V^T = 0 and dELBO/dW = 0 imply G = 0: dead ends of the factors are ends of V itself")


def check_pseudoinverse(of):
    """X = R^T K^-1 U^T for V = U K R, as fact svd has it: V X V = V, and V X is symmetric.  V = 0: X = 0."""
    rank = sp.Symbol("r", integer=True, positive=True)
    U, K, R = letter("U", k, rank), letter("K", rank, rank, "diagonal"), letter("R", rank, n)
    factors = relation(U.T @ U, identity(rank)), relation(R @ R.T, identity(rank))
    encoder, X = U @ K @ R, of(U, K, R)
    same(reduce(encoder @ X @ encoder, *factors), encoder)
    same(reduce(X.T @ encoder.T, *factors), reduce(encoder @ X, *factors))


h = sp.Symbol("h", integer=True, positive=True)  # the hidden width


def check_plain_stationary(p, W, factors, D):
    """All gradients of the plain ELBO vanish at (W, V, D), as far as 1e-12 in the slopes of the factors can tell.

    What bounds G is W E, and that only by its square: sqrt(1e-12), with a factor of ten for the sizes of the problem.
    """
    plain = model.gradients(W, product(factors), D, p.sigma2, p.S)
    scale = p.lam[0] / p.sigma2
    return max(agree(part, np.zeros_like(part), tolerance=1e-5, scale=scale) for part in plain[:3])


@CONCLUSION.evidence(role="supports", kind="numeric")
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
        deficient += of_low_rank(product(factors), widths)
        record(worst_error=check_plain_stationary(p, W, factors, D))
    check_deficient(deficient)
    # Nor is every point one: a global maximum that retains both latents is none.
    problems = [random_problem(rng, 3, 2) for _ in range(10)]
    maxima = [likelihood.fixed_noise_maximum(p.lam, p.U, 2, 0.5 * p.lam[1]) for p in problems]
    encoders = [model.optimal_encoder(W, 0.5 * p.lam[1])[0] for p, W in zip(problems, maxima, strict=True)]
    with rejected():
        check_deficient(sum(of_low_rank(V_, (3,)) for V_ in encoders))


def of_low_rank(encoder, widths):
    return bool(np.linalg.matrix_rank(encoder, tol=1e-4) < min(2, *widths))


def check_deficient(deficient):
    check(deficient >= 3, f"only {deficient} of the points found have an encoder of low rank")


@DEAD_ENDS.evidence(role="control", kind="symbolic")
def test_without_stationarity_in_w_the_argument_is_rejected():
    E, G = letter("E", k, k, "symmetric"), sigma2 * expand(linear_vae.gradients().V, M)
    off_range = relation(E @ V, zero(k, n))
    with rejected():
        same(reduce(E @ G @ V.T, off_range), E @ W.T @ W @ D)
    with rejected():  # W E = 0 left out
        same(reduce(E @ G, off_range), 0 * V)


@CONCLUSION.evidence(role="control", kind="numeric")
def test_with_a_frozen_decoder_a_dead_encoder_is_new_and_the_checker_says_so():
    p = random_problem(np.random.default_rng(71), 4, 2)
    W = likelihood.fixed_noise_maximum(p.lam, p.U, 2, 0.5 * p.lam[1])
    factors, D = [np.zeros((2, 4)), np.zeros((2, 2))], model.optimal_encoder(W, p.sigma2)[1]
    _, by_factor, dD = slopes(W, factors, D, p)
    agree(np.concatenate([f.ravel() for f in (*by_factor, dD)]), np.zeros(14), tolerance=1e-13)
    with rejected():
        check_plain_stationary(p, W, factors, D)
