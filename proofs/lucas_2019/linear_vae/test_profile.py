"""The profile ELBO P(W), its maximum over the encoder: what the ELBO and P have in common.

Statement   (W, V, D) is a local maximum of the ELBO iff the encoder is optimal and W is a local maximum of P; the same
            of stationary points; there the two Hessians have as many positive eigenvalues, and that of the ELBO has
            k dim ker S more zeros.
Hypotheses  sigma2 > 0 fixed; with learned noise read (W, sigma2) for W.
Source      docs/mathematics.md, Proposition 7 and the first lines of the proof of Theorem 1; theory 3.3. In App. C.2:
            "the optimal D and V are continuous functions of W".
Method      with V = V*(W) + Y and D = D*(W) R, for all n and k,
            ELBO = P(W) - mean over the data of [|W Y x|^2 + sigma2 |Y x|^2]/(2 sigma2) - 1/2 sum (r_i - 1 - log r_i).
            Everything is read off this identity, in the coordinates (W, Y, log R).
            Further: a whole Hessian in rational numbers, its signs counted exactly.
Trusted     the rules of differentials.py (tests/verify/symbolic); eq-16-20 for the ELBO; that inertia at a stationary
            point does not depend on coordinates (sylvester); that V* and D* are continuous in W (chain-rule).
"""

from itertools import pairwise

import numpy as np
import sympy as sp

from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.linear_vaes import random_vae
from verify.models import linear_vae as model
from verify.symbolic import linear_vae
from verify.symbolic.differentials import derivative, differential
from verify.symbolic.explicit import Explicit
from verify.symbolic.letters import M, S, W, gram, k, n, sigma2, x
from verify.symbolic.matrix_calculus import identity, letter, zero
from verify.symbolic.relations import reduce, relation, substitute
from verify.symbolic.traces import Scalar, log_det, trace

CLAIM = Claim(
    id="profile",
    source="ours, after App. C.2",
    statement="(W, V, D) is a local maximum, or stationary, for the ELBO iff the encoder is optimal and W is so for "
    "the profile ELBO; the Hessians then have as many positive eigenvalues, that of the ELBO k dim ker S more zeros",
    hypotheses="sigma2 > 0 fixed, or (W, sigma2) in the place of W",
    section="The linear VAE",
    rests_on=("eq-16-20",),
    trusts=("chain-rule", "jacobi", "sylvester"),
)
SPLIT = CLAIM.step(
    "split",
    "with V = V* + Y and D = D* R the ELBO is P less the mean of [|W Y x|^2 + sigma2 |Y x|^2]/(2 sigma2) over the data "
    "and less 1/2 sum (r_i - 1 - log r_i), for all n and k",
    says="closed_form -> split",
    place="Proposition 7",
)
BELOW = CLAIM.step(
    "below",
    "both terms are >= 0, convex in Y and strictly in log R, and 0 iff the encoder is optimal (Y S = 0, R = I): where "
    "W is a local maximum of P, nothing near is higher than P(W)",
    says="split & optimal & local_in_P -> local_in_ELBO",
    place="Proposition 7",
)
ASCENT = CLAIM.step(
    "ascent",
    "from an encoder that is not optimal the ELBO rises along the straight line to (V*, D*), from its first step on",
    says="split & local_in_ELBO -> optimal",
    place="Proposition 7",
)
LIFT = CLAIM.step(
    "lift",
    "if Y S = 0, (W', V*(W') + Y, D*(W')) has the ELBO P(W') for every W', and is near (W, V, D) where W' is near W",
    says="split & continuous & optimal & local_in_ELBO -> local_in_P",
    place="Proposition 7",
)
STATIONARY = CLAIM.step(
    "stationary",
    "at an optimal encoder the derivatives of the ELBO in W and sigma2 are those of P, and elsewhere that along the "
    "line to (V*, D*) is positive, for all n and k",
    says="split & derivative_of_log_det -> same_stationary",
    place="Proposition 7",
)
INERTIA = CLAIM.step(
    "inertia",
    "in the coordinates (W, Y, log R) the Hessian of the ELBO at a stationary point is that of P, "
    "-tr(H^T M H S)/sigma2 for a change H of Y, which is 0 iff H S = 0 and else negative, and -1/2 for each log r_i, "
    "without mixed terms",
    says="split & inertia_of_coordinates -> same_index",
    place="Proposition 7",
)
CONCLUSION = CLAIM.step(
    "conclusion", "so local maxima, stationary points and index of the ELBO are those of P", place="Proposition 7"
)

Y = letter("Y", k, n)
R = letter("R", k, k, "diagonal")
NO_EFFECT = relation(Y @ S, zero(k, n))  # Y x = 0 at every datum (claim eq-22)


def of_mean():
    """mean over the data of [|W Y x|^2 + sigma2 |Y x|^2]/(2 sigma2): a sum of squares."""
    squares = trace((W @ Y @ x).T @ (W @ Y @ x)) + sigma2 * trace((Y @ x).T @ (Y @ x))
    return linear_vae.over_data(squares) / (2 * sigma2)


def of_variance():
    """1/2 sum (r_i - 1 - log r_i)."""
    return (trace(R) - k - log_det(R)) / 2


def at_encoder(f, dV, factor):
    """f at V* + dV, D* factor."""
    best_V, best_D = linear_vae.optimal_encoder()
    return reduce(substitute(f, {"V": best_V + dV, "D": best_D @ factor}), gram)


def shortfall():
    """P - ELBO at V* + Y, D* R, in words."""
    return linear_vae.profile_elbo() - at_encoder(linear_vae.elbo(), Y, R)


@SPLIT.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_elbo_is_the_profile_less_two_losses_for_all_n_and_k(record):
    same(shortfall(), reduce(of_mean() + of_variance(), gram))
    for wrong in (
        of_mean() - of_variance(),
        of_mean() + 2 * of_variance(),
        of_mean() - linear_vae.over_data(trace((Y @ x).T @ (Y @ x))) / 2 + of_variance(),  # without the prior
        of_mean() + of_variance() + log_det(R),
    ):
        with rejected():
            same(shortfall(), reduce(wrong, gram))
    record()
    record.witness(f"P - ELBO = {reduce(of_mean() + of_variance(), gram)} for all n, k")


@SPLIT.evidence(role="supports", kind="numeric")
def test_the_numpy_functions_split_alike(record, thorough):
    rng = np.random.default_rng(7)
    for _ in range(thorough(30, 300)):
        p = random_vae(rng, *(int(i) for i in rng.integers(1, 7, 2)))
        best_V, best_D = model.optimal_encoder(p.W, p.sigma2)
        off, ratio = p.V - best_V, p.D / best_D
        of_variances = np.sum(ratio - 1 - np.log(ratio)) / 2
        losses = np.trace(off.T @ p.M @ off @ p.S) / (2 * p.sigma2) + of_variances
        actual = model.profile_elbo(p.W, p.sigma2, p.S) - losses
        # Sums of terms of the size of the ELBO's.
        elbo = model.elbo(p.W, p.V, p.D, p.sigma2, p.S)
        record(worst_error=agree(elbo, actual, tolerance=1e-11, scale=p.size_of_elbo))
        with rejected():  # the loss of the variances not halved
            agree(elbo, actual - of_variances, tolerance=1e-11, scale=p.size_of_elbo)


@BELOW.evidence(role="supports", kind="symbolic", strength="proved")
def test_neither_loss_is_negative_and_both_vanish_only_at_the_optimum(record):
    # Of the means the loss is a mean of squares with the weights 1/(2 sigma2) and 1/2; it is zero iff Y x = 0 at every
    # datum, and then tr(Y S Y^T), the mean of |Y x|^2, is zero, so Y S = 0 (S = F F^T, Y F = 0); and conversely.
    same(linear_vae.over_data(trace((Y @ x).T @ (Y @ x))), trace(Y @ S @ Y.T))
    same(reduce(of_mean(), NO_EFFECT), Scalar())
    # Of each variance: convex in r, with slope zero at r = 1 only, where it is 0.
    r = sp.Symbol("r", positive=True)
    loss = (r - 1 - sp.log(r)) / 2
    vanishes(loss.subs(r, 1))
    vanishes(sp.diff(loss, r) - (r - 1) / (2 * r))
    check(sp.diff(loss, r, 2).is_positive, "not convex")
    # Convex in log r as well; and that of the means, along any line Y + t H, has the squares of H for curvature.
    theta, t = sp.Symbol("theta", real=True), sp.Symbol("t", real=True)
    check(sp.diff(loss.subs(r, sp.exp(theta)), theta, 2).is_positive, "not convex in log r")
    H = letter("H", k, n)
    line = substitute(of_mean(), {"Y": Y + t * H})
    same(derivative(derivative(line, t), t), 2 * substitute(of_mean(), {"Y": H}))
    with rejected():
        same(derivative(derivative(line, t), t), substitute(of_mean(), {"Y": H}))
    with rejected():  # Y W = 0 or any other condition than Y S = 0 would leave something
        same(reduce(of_mean(), relation(Y @ W, zero(k, k))), Scalar())
    with rejected():  # log r for r: not convex
        check(sp.diff(sp.log(r) - r, r, 2).is_positive, "not convex")
    record(instances=2)


@ASCENT.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_line_to_the_optimum_rises_at_once_for_all_n_and_k(record):
    t = sp.Symbol("t")
    # V* + (1 - t) Y: the loss of the means falls as (1 - t)^2, with slope -2 times itself at t = 0.
    same(substitute(of_mean(), {"Y": (1 - t) * Y}), (1 - t) ** 2 * of_mean())
    vanishes(sp.diff((1 - t) ** 2, t).subs(t, 0) + 2)
    # D* (R + t (I - R)): each loss has the slope -(1 - r)^2/(2 r), negative unless r = 1.
    r = sp.Symbol("r", positive=True)
    loss = (r + t * (1 - r) - 1 - sp.log(r + t * (1 - r))) / 2
    vanishes(sp.diff(loss, t).subs(t, 0) + (1 - r) ** 2 / (2 * r))
    with rejected():  # away from the optimum it falls
        vanishes(sp.diff(loss, t).subs(t, 0) - (1 - r) ** 2 / (2 * r))
    record(instances=2)


@LIFT.evidence(role="supports", kind="symbolic", strength="proved")
def test_every_w_has_an_encoder_of_its_own_that_attains_the_profile(record):
    # One Y serves all W: it does not enter where Y S = 0.
    same(reduce(at_encoder(linear_vae.elbo(), Y, identity(k)), NO_EFFECT), linear_vae.profile_elbo())
    with rejected():
        same(at_encoder(linear_vae.elbo(), Y, identity(k)), linear_vae.profile_elbo())
    record()


@STATIONARY.evidence(role="supports", kind="symbolic", strength="proved")
def test_at_an_optimal_encoder_the_gradients_are_those_of_the_profile(record):
    G = linear_vae.gradients()
    at_W = reduce(at_encoder(G.W, Y, identity(k)), NO_EFFECT)
    same(at_W, linear_vae.profile_gradient())
    same(reduce(at_encoder(G.sigma2, Y, identity(k)), NO_EFFECT), linear_vae.profile_noise_gradient())
    # In V and D it vanishes there, and only there: claims eq-21, eq-22, or step "ascent".
    same(reduce(at_encoder(G.V, Y, identity(k)), NO_EFFECT), zero(k, n))
    same(at_encoder(G.D, Y, identity(k)), zero(k, k))
    with rejected():  # with another variance it is another gradient
        same(reduce(at_encoder(G.W, Y, R), NO_EFFECT), linear_vae.profile_gradient())
    # Along the line both losses fall: that of the means has the slope -2 times itself, those of the variances < 0.
    t, r = sp.Symbol("t"), sp.Symbol("r", positive=True)
    along = substitute(of_mean(), {"Y": (1 - t) * Y})
    same(derivative(along, t), -2 * (1 - t) * of_mean())
    with rejected():
        same(derivative(along, t), 2 * (1 - t) * of_mean())
    slope = sp.diff(r + t * (1 - r) - 1 - sp.log(r + t * (1 - r)), t).subs(t, 0)
    check((-slope).subs(r, 1 + sp.Symbol("a", positive=True)).factor().is_positive, "flat above the optimum")
    below = sp.Symbol("b", positive=True)  # r = 1/(1 + b)
    check((-slope).subs(r, 1 / (1 + below)).simplify().factor().is_positive, "flat below the optimum")
    record(instances=6)


@INERTIA.evidence(role="supports", kind="symbolic", strength="proved")
def test_in_these_coordinates_the_hessian_falls_into_three_blocks(record):
    loss, H, X = reduce(of_mean(), gram), letter("H", k, n), letter("X", n, k)
    slope = differential(loss, Y, H)
    same(reduce(differential(slope, Y, H), gram), reduce(trace(H.T @ M @ H @ S) / sigma2, gram))
    # Mixed with W or sigma2, or without Y: everything has a factor Y S or S Y^T.
    along_W = differential(loss, W, X)
    for mixed in (
        differential(slope, W, X),
        differential(along_W, W, X),
        derivative(slope, sigma2),
        derivative(along_W, sigma2),
        derivative(derivative(loss, sigma2), sigma2),
    ):
        same(reduce(mixed, NO_EFFECT, gram), Scalar())
    # A mean of squares, zero iff H x = 0 at every datum, iff H S = 0: k dim ker S dimensions.
    squares = substitute(of_mean(), {"Y": H})
    same(trace(H.T @ M @ H @ S) / (2 * sigma2), reduce(squares, gram))
    # The variances: no W, no Y, and -1/2 for each theta = log r.
    theta = sp.Symbol("theta", real=True)
    vanishes(sp.diff((sp.exp(theta) - 1 - theta) / 2, theta, 2).subs(theta, 0) - sp.Rational(1, 2))
    same(reduce(differential(of_variance(), W, X), gram), Scalar())
    with rejected():  # at an encoder that is not optimal they are mixed
        same(reduce(differential(slope, W, X), gram), Scalar())
    with rejected():  # C in the place of M
        same(reduce(differential(slope, Y, H), gram), trace(H.T @ H @ S))
    record(instances=5)


def _signs(A):
    """(positive, zero) eigenvalues of a symmetric rational matrix: Descartes' rule, exact where all roots are real."""
    coefficients = A.charpoly().all_coeffs()
    zeros = next(i for i, c in enumerate(reversed(coefficients)) if c != 0)
    nonzero = [c for c in coefficients if c != 0]
    return sum(bool(a * b < 0) for a, b in pairwise(nonzero)), zeros


@INERTIA.evidence(role="supports", kind="symbolic")
def test_the_whole_hessian_in_rational_numbers(record):
    """n = 3, k = 2, S = diag(5, 0, 10), sigma2 = 1, W = (2 u_1, 0): index 2 (both columns to u_3), k dim ker S = 2."""
    e = Explicit(3, 2)
    lam = (5, 0, 10)
    at = {**dict(zip(e.S, sp.diag(*lam), strict=True)), e.sigma2: 1}
    here = {**dict(zip(e.W, sp.Matrix([[2, 0], [0, 0], [0, 0]]), strict=True)), **dict.fromkeys(e.V, 0)}
    here |= {e.V[0, 0]: sp.Rational(2, 5), e.D[0, 0]: sp.Rational(1, 5), e.D[1, 1]: 1}
    here[e.V[1, 1]] = sp.Rational(7)  # Y u_2 = 7 e_2, and S u_2 = 0
    variables = [*e.W, *e.V, *e.D.diagonal()]
    elbo = e.elbo.subs(at)
    vanishes(sp.Matrix([sp.diff(elbo, v).subs(here) for v in variables]))
    found = _signs(sp.hessian(elbo, variables).subs(here))
    profile = np.linalg.eigvalsh(
        model.profile_hessian(np.array([[2.0, 0], [0, 0], [0, 0]]), 1.0, np.diag(lam).astype(float))
    )
    at_most(0.01, np.abs(profile).min())  # no zeros of its own
    with rejected():  # with lam_3 at the noise it would have one for each column
        flat = model.profile_hessian(np.array([[2.0, 0], [0, 0], [0, 0]]), 1.0, np.diag([5.0, 0.0, 1.0]))
        at_most(0.01, np.abs(np.linalg.eigvalsh(flat)).min())
    same(found, (int((profile > 0).sum()), 2))
    with rejected():
        same(found, (int((profile > 0).sum()), 1))
    record()
    record.witness(
        "S = diag(5, 0, 10), sigma2 = 1, W = (2 u_1, 0), V u_2 = (0, 7): 2 positive eigenvalues as P, 2 zeros"
    )


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_the_equivalence(record):
    premises = {"eq-16-20": "closed_form", "chain-rule": "continuous", "sylvester": "inertia_of_coordinates"}
    premises["jacobi"] = "derivative_of_log_det"
    both = "local_in_ELBO & optimal & local_in_P | ~local_in_ELBO & (~optimal | ~local_in_P)"
    record(instances=concludes(CLAIM, f"({both}) & same_stationary & same_index", premises))
    with rejected():  # that every local maximum of P is one of the ELBO, whatever the encoder
        concludes(CLAIM, "local_in_P -> local_in_ELBO & same_stationary & same_index", premises)
