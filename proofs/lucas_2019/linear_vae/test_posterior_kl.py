"""What an active latent of the linear VAE pays: 1/2 log(lam_i / sigma2) nats.

Statement   at the maximum the mean over the data of KL(q(z_i|x), p(z_i)) is 1/2 log(lam_i/sigma2) for the latent whose
            column is u_i (lam_i - sigma2)^{1/2}, and 0 for a collapsed one.
Hypotheses  V, D optimal. Only the mean over the data: at one datum it depends on u_i^T x. Not only at the maximum: at
            every point with orthogonal columns that is stationary in W, V and D, whether or not it is so in sigma2.
Source      ours.
Method      S W = W K and W^T W = K - sigma2 I with K diagonal is what such points are (C G_W in words); then V S V^T =
            I - sigma2 K^-1 and D = sigma2 K^-1 for all n, k. At every other stationary point d_i + (V S V^T)_ii = 1
            (claim stationary-identity), so the KL is -1/2 log d_i = 1/2 log(M_ii/sigma2).
            Numeric: the KL of every datum, averaged; 50 digits on hostile spectra.
Trusted     the rules of verify.symbolic; SymPy's algebra; claims stationary-identity, and eq-21 and eq-22 for the
            optimal encoder. That maxima have orthogonal columns is claim corollary-1, not used here.
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given

from proofs.lucas_2019.linear_vae.stationary_problems import families, orthogonal_points
from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.spectra import random_problem
from verify import reference
from verify.arrays import to_numpy
from verify.models import linear_vae as model
from verify.models import ppca
from verify.symbolic import linear_vae
from verify.symbolic.letters import C, D, M, S, V, W, k, n, sigma2
from verify.symbolic.matrix_calculus import defined, diag, identity, inverse, letter, zero
from verify.symbolic.relations import expand, reduce, relation, substitute
from verify.symbolic.traces import Scalar, log_det, trace

CLAIM = Claim(
    id="posterior-kl",
    source="ours, after Corollary 1",
    statement="at a stationary point with orthogonal columns the mean KL of an active latent is 1/2 log(lam_i / "
    "sigma2), and 0 for a collapsed one",
    hypotheses="stationary in W, V and D; the mean over the data",
    section="The linear VAE",
    rests_on=("eq-21", "eq-22", "stationary-identity"),
)
MOMENTS = CLAIM.step(
    "moments",
    "points with optimal encoder and orthogonal columns, K = W^T W + sigma2 I, are stationary in W, V and D iff S W = "
    "W K: each w_i is 0 or an eigenvector with lam_i = |w_i|^2 + sigma2; and there D = sigma2 K^-1, V S V^T = I - "
    "sigma2 K^-1, whatever optimal V where S is singular",
    says="eq_21 & eq_22 & orthogonal & stationary -> moments",
    place="Stationarity identities",
)
KL = CLAIM.step(
    "kl",
    "from these moments the mean KL of a latent is 1/2 log(lam_i/sigma2), and 0 for a zero column",
    says="moments -> half_log_lam",
    place="Stationarity identities",
)
ELSEWHERE = CLAIM.step(
    "elsewhere",
    "where D + diag(V S V^T) = I the mean KL of latent i is -1/2 log d_i, which is 1/2 log(M_ii/sigma2) at D*",
    says="second_moment_one & eq_21 -> half_log_M",
    place="Stationarity identities",
)
CONCLUSION = CLAIM.step(
    "conclusion", "so with orthogonal columns it is 1/2 log(lam_i/sigma2), elsewhere 1/2 log(M_ii/sigma2)"
)

K = defined("K", letter("L", k, k, "diagonal") + sigma2 * identity(k))  # lam_i, or sigma2 for a zero column
ORTHOGONAL_POINT = (relation(S @ W, W @ K), relation(W.T @ W, K - sigma2 * identity(k)))
ENCODER = {"V": inverse(K) @ W.T, "D": sigma2 * inverse(K)}
# All optimal V are V* + Y with Y S = 0 (claim eq-22): Y = 0 if S is invertible.
Y = letter("Y", k, n)
UNSEEN = relation(Y @ S, zero(k, n))
EVERY_ENCODER = {**ENCODER, "V": inverse(K) @ W.T + Y}


def kl_per_datum(V, D, X):
    """KL(N(m, d), N(0, 1)) = 1/2 [m^2 + d - 1 - log d] of each latent at each datum.  X (N, n) -> (N, k)."""
    means = X @ V.T
    return 0.5 * (means**2 + D - 1 - np.log(D))


def data_with_covariance(S, N, rng):
    """X (N, n) of mean zero with X^T X / N = S."""
    values, vectors = np.linalg.eigh(S)
    Y = rng.standard_normal((N, len(S)))
    Y = np.linalg.qr(Y - Y.mean(axis=0))[0] * np.sqrt(N)
    return Y @ (vectors * np.sqrt(np.maximum(values, 0.0))).T


@MOMENTS.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_moments_of_the_latents_at_such_a_point(record):
    G = linear_vae.gradients()
    # First that it is one: the encoder is V*, D* (M is K), and all gradients vanish.
    same(reduce(expand(M, M), *ORTHOGONAL_POINT), K)
    at = [reduce(substitute(expand(g, M), EVERY_ENCODER), UNSEEN, *ORTHOGONAL_POINT) for g in (G.W, G.V, G.D)]
    for g, nothing in zip(at, (zero(n, k), zero(k, n), zero(k, k)), strict=True):
        same(expand(g, K), nothing)
    second = reduce(substitute(V @ S @ V.T, EVERY_ENCODER), UNSEEN, *ORTHOGONAL_POINT)
    same(second, identity(k) - sigma2 * inverse(K))
    same(second + substitute(D, ENCODER), identity(k))
    # Conversely: with W^T W = K - sigma2 I and the optimal encoder, sigma2 C G_W = sigma2 (S W - W K) K^-1.
    orthogonal = relation(W.T @ W, K - sigma2 * identity(k))
    product = reduce(expand(C, C) @ substitute(G.W, EVERY_ENCODER), UNSEEN, orthogonal)
    same(reduce(expand(product, K), orthogonal), reduce(expand((S @ W - W @ K) @ inverse(K), K), orthogonal))
    with rejected():  # a Y that the data see
        same(reduce(substitute(V @ S @ V.T, EVERY_ENCODER), *ORTHOGONAL_POINT), second)
    with rejected():  # lam_i = |w_i|^2, without the noise
        same(
            reduce(expand(product, K), orthogonal),
            reduce(expand((S @ W - W @ (K - sigma2 * identity(k))) @ inverse(K), K), orthogonal),
        )
    record(instances=4)
    record.witness("S W = W K, W^T W = K - sigma2 I: V S V^T = I - sigma2 K^-1 and D = sigma2 K^-1 for all n, k")


@KL.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_kl_of_one_latent_and_of_all(record):
    lam = sp.Symbol("lam", positive=True)
    d = sigma2 / lam
    one = ((1 - d) + d - 1 - sp.log(d)) / 2  # both moments are those just derived
    vanishes(sp.expand_log(one - sp.log(lam / sigma2) / 2))
    with rejected():  # without the half
        vanishes(sp.expand_log(one - sp.log(lam / sigma2)))
    vanishes(one.subs(lam, sigma2))
    total = reduce(substitute(linear_vae.kl(), ENCODER), *ORTHOGONAL_POINT)
    same(total, (log_det(K) - Scalar(k * sp.log(sigma2))) / 2)
    record(instances=3)
    record.witness(f"summed over the latents: KL = {total} for all n, k")


@ELSEWHERE.evidence(role="supports", kind="symbolic", strength="proved")
def test_at_any_stationary_point_it_is_minus_half_log_d(record):
    """Twice the total KL is -log det D plus the trace of D + diag(V S V^T) - I, which vanishes there."""
    deviation = D + diag(V @ S @ V.T) - identity(k)
    same(linear_vae.kl(), (trace(deviation) - log_det(D)) / 2)
    # One latent, of mean square v: 1/2 (v + d - 1 - log d) with v + d = 1 and, at D*, d = sigma2/M_ii.
    v, d, m = sp.symbols("v d m", positive=True)
    one = (v + d - 1 - sp.log(d)) / 2
    vanishes(one.subs(v, 1 - d) + sp.log(d) / 2)
    vanishes(sp.expand_log(one.subs(v, 1 - d).subs(d, sigma2 / m) - sp.log(m / sigma2) / 2))
    with rejected():  # where d + v is 2
        vanishes(one.subs(v, 2 - d) + sp.log(d) / 2)
    record(instances=3)


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_both_values(record):
    premises = {
        "eq-21": "eq_21",
        "eq-22": "eq_22",
        "stationary-identity": "stationary -> second_moment_one",
    }
    goal = "stationary -> half_log_M & (half_log_lam | ~orthogonal)"
    record(instances=concludes(CLAIM, goal, premises))
    with rejected():  # the eigenvalue at columns that are not orthogonal
        concludes(CLAIM, "stationary -> half_log_M & half_log_lam", premises)


@KL.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize("learned", [False, True], ids=["fixed noise", "learned noise"])
def test_the_mean_over_data_at_the_maximum(learned, record, thorough, xp):
    rng = np.random.default_rng(61)
    for _ in range(thorough(30, 300)):
        p = random_problem(rng)
        p = p.with_learned_noise() if learned else p
        W = ppca.fixed_noise_maximum(xp.asarray(p.lam), xp.asarray(p.U), p.k, p.sigma2)
        V, D = (to_numpy(a) for a in model.optimal_encoder(W, p.sigma2))
        X = data_with_covariance(p.S, p.n + 5, rng)
        expected = 0.5 * np.log(np.maximum(p.lam[: p.k] / p.sigma2, 1.0))
        # Sums of p.n + 5 terms of the size of the largest m^2; a KL itself may be near 0.
        scale = 1 + np.linalg.norm(expected)
        record(worst_error=agree(kl_per_datum(V, D, X).mean(axis=0), expected, tolerance=1e-12, scale=scale))


@KL.evidence(role="supports", kind="property")
@given(p=orthogonal_points())
def test_to_50_digits_at_stationary_points_on_hostile_spectra(p, record):
    mp = reference.mpmath
    with reference.precision():
        expected = np.array([mp.log(lam / p.sigma2) / 2 for lam in p.lam_of_column], dtype=object)
        record(worst_error=at_most(np.abs(p.kl_per_latent - expected), 0.0, slack=1e-30))
        wrong = np.array([mp.log(1 + lam / p.sigma2) / 2 for lam in p.lam_of_column], dtype=object)
        with rejected():  # 1/2 log(1 + lam/sigma2), the noise added once more: 4e-13 off or more
            at_most(np.abs(p.kl_per_latent - wrong), 0.0, slack=1e-30)


@ELSEWHERE.evidence(role="supports", kind="numeric")
def test_at_every_family_it_is_half_the_log_of_the_diagonal_of_m(record, thorough):
    for p, _, _ in families(thorough(20, 200), seed=62):
        actual = 0.5 * (np.einsum("ij,jl,il->i", p.V, p.S, p.V) + p.D - 1 - np.log(p.D))
        expected = 0.5 * np.log(np.diag(p.M) / p.sigma2)
        record(worst_error=agree(actual, expected, tolerance=1e-11, scale=1 + np.linalg.norm(expected)))


@KL.evidence(role="supports", kind="numeric")
def test_a_latent_to_check_by_hand(record):
    """S = diag(4, 1), sigma2 = 1, k = 1: w = sqrt 3, v = sqrt 3 / 4, d = 1/4."""
    V, D = model.optimal_encoder(np.array([[np.sqrt(3.0)], [0.0]]), 1.0)
    X = np.array([[2.0, 1.0], [-2.0, 1.0], [2.0, -1.0], [-2.0, -1.0]])
    found = float(kl_per_datum(V, D, X).mean())
    record(worst_error=agree(found, np.log(2.0), tolerance=1e-14))
    record.witness(
        f"S = diag(4, 1), sigma2 = 1: v^2 4 + d = 3/4 + 1/4 = 1, mean KL = -1/2 log(1/4) = log 2 = {found:.6f} nats"
    )


@KL.evidence(role="control", kind="numeric")
def test_the_kl_at_one_datum_is_rejected():
    rng = np.random.default_rng(63)
    for _ in range(10):
        p = random_problem(rng, 4, 2).with_learned_noise()
        V, D = model.optimal_encoder(ppca.fixed_noise_maximum(p.lam, p.U, p.k, p.sigma2), p.sigma2)
        X = data_with_covariance(p.S, 9, rng)
        with rejected():
            agree(kl_per_datum(V, D, X)[0], 0.5 * np.log(p.lam[:2] / p.sigma2), tolerance=1e-3)


@ELSEWHERE.evidence(role="control", kind="numeric")
def test_at_columns_that_are_not_orthogonal_the_eigenvalue_is_rejected():
    """There the KL is 1/2 log(m_b/sigma2), one constant for the block; its eigenvalues differ."""
    met = skew(families(10, seed=64, generic=True))
    for p, point, lam in met:
        held = np.concatenate([lam[list(b.eigen)] for b in point.blocks])
        actual = 0.5 * (np.einsum("ij,jl,il->i", p.V, p.S, p.V) + p.D - 1 - np.log(p.D))
        with rejected():
            agree(actual, 0.5 * np.log(held / p.sigma2), tolerance=1e-6)
    check_met(met)
    with rejected():  # at k = 1 there are none
        check_met(skew(f for f in families(60, seed=64, generic=True) if f[0].W.shape[1] == 1))


def skew(found):
    """Those of these points whose columns are not orthogonal, without zero rows."""
    return [f for f in found if not f[1].orthogonal and not any(b.zeros for b in f[1].blocks)]


def check_met(points):
    check(len(points) > 5, f"only {len(points)} such points were met")


@KL.evidence(role="control", kind="numeric")
def test_a_slip_in_the_formula_is_rejected():
    p = random_problem(np.random.default_rng(65), 5, 2).with_learned_noise()
    V, D = model.optimal_encoder(ppca.fixed_noise_maximum(p.lam, p.U, 2, p.sigma2), p.sigma2)
    actual = kl_per_datum(V, D, data_with_covariance(p.S, 9, np.random.default_rng(66))).mean(axis=0)
    ratio = p.lam[:2] / p.sigma2
    for wrong in (np.log(ratio), 0.5 * np.log(ratio - 1), 0.5 * np.log1p(ratio), 0.5 * (ratio - 1 - np.log(ratio))):
        with rejected():
            agree(actual, wrong, tolerance=1e-6)


@KL.evidence(role="control", kind="symbolic")
def test_with_another_encoder_the_total_is_rejected():
    for wrong in ({**ENCODER, "D": inverse(K)}, {**ENCODER, "V": W.T / sigma2}):
        with rejected():
            same(
                reduce(substitute(linear_vae.kl(), wrong), *ORTHOGONAL_POINT),
                (log_det(K) - Scalar(k * sp.log(sigma2))) / 2,
            )
