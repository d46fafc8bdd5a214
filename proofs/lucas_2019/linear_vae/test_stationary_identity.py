"""At a stationary point of the ELBO every latent has second moment one under the aggregate posterior.

Statement   D + diag(V S V^T) = I at every point that is stationary in W, V and D.
Hypotheses  none on sigma2 (fixed or learned, stationary or not), on S (singular or not), on W (collapsed or not
            orthogonal). Each of the three conditions is needed: W alone does not do, nor any two of them.
Source      ours.
Method      for all n, k and everywhere, not only at stationary points, in words:
            D + diag(V S V^T) - I = diag(W^T G_W - G_V V^T) - 2 D G_D, with G the gradients. So the identity holds
            exactly where this combination of k numbers vanishes: stationarity along the scalings W A, A^-1 V, A^-2 D
            (Eq. 14), which leave the reconstruction alone. At V*, D* it is diag(W^T G_W) = 0.
            Numeric: constructed points at 50 digits, and points found by a search that knows no closed form.
Trusted     claims eq-16-20 and eq-21 to eq-23 for the ELBO and its gradients; the rules of differentials.py.
"""

from functools import partial

import numpy as np
import pytest
import sympy as sp
from hypothesis import given

from proofs.lucas_2019.linear_vae.stationary_problems import families, orthogonal_points
from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.problems.linear_vaes import Problem, random_vae
from verify import reference
from verify.landscape.roots import CONVERGED, find_roots
from verify.models import linear_vae as model
from verify.symbolic import linear_vae
from verify.symbolic.differentials import differential
from verify.symbolic.evaluation import on_matrices
from verify.symbolic.explicit import Explicit
from verify.symbolic.letters import D, M, S, V, W, gram, k, n, sigma2
from verify.symbolic.matrix_calculus import diag, identity, letter
from verify.symbolic.relations import expand, reduce
from verify.symbolic.traces import trace

CLAIM = Claim(
    id="stationary-identity",
    source="ours, after Eq. 14",
    statement="D + diag(V S V^T) = I at every stationary point of the ELBO in W, V and D",
    hypotheses="sigma2 need not be stationary; W alone, or two of the three, do not suffice",
    section="The linear VAE",
    rests_on=("eq-16-20", "eq-21", "eq-22", "eq-23"),
)
IDENTITY = CLAIM.step(
    "identity",
    "everywhere D + diag(V S V^T) - I = diag(W^T G_W - G_V V^T) - 2 D G_D, G the gradients: 0 where all three vanish",
    place="Stationarity identities",
)
NEEDED = CLAIM.step(
    "needed",
    "stationary in W alone, or in any two of the three, does not suffice: four points at n = k = 1, S = 2, sigma2 = 1",
    place="Stationarity identities",
)
SCALINGS = CLAIM.step(
    "scalings",
    "it is the derivative of the ELBO along the scalings of Eq. 14, along which E log p(x|z) stays; at V*, D* it is "
    "diag(W^T G_W)",
)
OFF_DIAGONAL = CLAIM.step(
    "off-diagonal", "at points stationary in W and V, V S V^T = W^T W D/sigma2, off the diagonal too"
)
EXACT = 1e-30  # 50 digits, less a condition of M up to 1e12 or so, less as much for its square


def deviation():
    """D + diag(V S V^T) - I, in words."""
    return D + diag(V @ S @ V.T) - identity(k)


def combination():
    """diag(W^T G_W - G_V V^T) - 2 D G_D, in words."""
    G = linear_vae.gradients()
    return diag(W.T @ G.W - G.V @ V.T) - 2 * D @ G.D


def second_moments(p):
    """d_i + (V S V^T)_ii (k,), with NumPy."""
    return p.D + np.einsum("ij,jl,il->i", p.V, p.S, p.V)


def check_identity(p, tolerance):
    """The statement, at a point: all latents have second moment one."""
    return agree(second_moments(p), np.ones(len(p.D)), tolerance=tolerance)


@IDENTITY.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_deviation_is_a_combination_of_the_three_gradients(record):
    same(expand(combination(), M), deviation())
    record()
    record.witness("D + diag(V S V^T) - I = diag(W^T G_W - G_V V^T) - 2 D G_D for all W, V, D, sigma2, S, n, k")


@SCALINGS.evidence(role="supports", kind="symbolic", strength="proved")
def test_it_is_stationarity_along_the_scalings_of_eq_14(record):
    """W (I + T), (I - T) V, (I - 2 T) D with a small diagonal T: the reconstruction stays, the KL alone changes."""
    T = letter("T", k, k, "diagonal")
    along = ((W, W @ T), (V, -(T @ V)), (D, -2 * T @ D))
    changes = [
        sum((differential(f, X, dX) for X, dX in along[1:]), differential(f, *along[0]))
        for f in (linear_vae.elbo(), linear_vae.reconstruction())
    ]
    same(expand(changes[0], M), trace(T @ deviation()))
    same(expand(changes[1], M), 0 * trace(T))
    with rejected():  # without D the scalings would move the reconstruction
        same(expand(changes[1] - differential(linear_vae.reconstruction(), D, along[2][1]), M), 0 * trace(T))
    record(instances=2)


@SCALINGS.evidence(role="supports", kind="symbolic", strength="proved")
def test_at_the_optimal_encoder_it_is_stationarity_in_the_lengths_of_the_columns(record):
    same(
        linear_vae.at_optimal_encoder(trace(letter("T", k, k, "diagonal") @ deviation())),
        linear_vae.at_optimal_encoder(trace(letter("T", k, k, "diagonal") @ diag(W.T @ linear_vae.gradients().W))),
    )
    record()


@OFF_DIAGONAL.evidence(role="supports", kind="symbolic", strength="proved")
def test_without_the_diagonal_part_it_says_which_columns_may_fail_to_be_orthogonal(record):
    """V S V^T = W^T W D / sigma2 at W- and V-stationary points: symmetric, so (W^T W)_ij (d_i - d_j) = 0."""
    G = linear_vae.gradients()
    same(reduce(W.T @ G.W - G.V @ V.T, gram), reduce(V @ S @ V.T - W.T @ W @ D / sigma2, gram))
    with rejected():  # D on the other side
        same(reduce(W.T @ G.W - G.V @ V.T, gram), reduce(V @ S @ V.T - D @ W.T @ W / sigma2, gram))
    record()


@IDENTITY.evidence(role="supports", kind="symbolic")
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (2, 3), (3, 2)], ids=str)
def test_entry_by_entry_on_small_matrices(size, record):
    """Explicit matrices only: the same identity without the calculus of words."""
    e = Explicit(*size)
    G_W, G_V, G_D = (e.gradient(e.elbo, X) for X in (e.W, e.V, e.D))
    inner, second = e.W.T * G_W - G_V * e.V.T, e.V * e.S * e.V.T
    for i in range(size[1]):
        d = e.D[i, i]
        vanishes((d + second[i, i] - 1 - inner[i, i] + 2 * d * G_D[i, i]).expand())
        record()


@IDENTITY.evidence(role="supports", kind="numeric")
def test_the_numpy_gradients_combine_to_the_deviation(record, thorough, xp):
    rng = np.random.default_rng(41)
    for _ in range(thorough(30, 300)):
        p = random_vae(rng, *(int(i) for i in rng.integers(1, 8, 2)))
        W, V, D, _, _ = p.on(xp)
        G = model.gradients(*p.on(xp))
        along = xp.sum(W * G.W, axis=0) - xp.sum(V * G.V, axis=1) - 2 * D * G.D
        # The combination cancels terms of the size of the gradients.
        scale = sum(float(xp.linalg.norm(a)) * float(xp.linalg.norm(g)) for a, g in ((W, G.W), (V, G.V), (D, G.D)))
        record(worst_error=agree(along, second_moments(p) - 1, tolerance=1e-13, scale=scale))


@IDENTITY.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize("learned", [False, True], ids=["fixed noise", "learned noise"])
def test_it_holds_at_every_family_of_stationary_points(learned, record, thorough):
    points = []
    for p, point, _ in families(thorough(25, 250), seed=42, learned=learned):
        # The points are stationary to rounding, which M^-1 magnifies.
        record(worst_error=check_identity(p, tolerance=1e-10))
        points.append(point)
    check_many_are_skew(points)
    with rejected():  # all points whose columns are orthogonal, and those alone
        check_many_are_skew(point for point in points if point.orthogonal)


def check_many_are_skew(points):
    skew = sum(not point.orthogonal for point in points)
    check(skew > 20, f"only {skew} points without orthogonal columns were met")


@IDENTITY.evidence(role="supports", kind="numeric")
def test_it_holds_wherever_a_blind_search_for_stationary_points_ends(record, thorough):
    rng = np.random.default_rng(43)
    for rows, columns in ((3, 2), (4, 3)):
        lam, s = np.sort(rng.uniform(0.1, 1.0, rows))[::-1], float(rng.uniform(0.05, 0.4))
        S, starts = np.diag(lam), thorough(150, 1500)
        g, H = (partial(f, sigma2=s, S=S) for f in (model.profile_gradient, model.profile_hessian))
        sizes = np.exp(rng.uniform(-3, 0, (starts, 1, 1)))
        roots = find_roots(g, H, rng.standard_normal((starts, rows, columns)) * sizes)
        for w in roots.W[roots.status == CONVERGED]:
            # |g| <= 1e-11 there, and the deviation is diag(W^T g).
            p = Problem(w, *model.optimal_encoder(w, s), s, S)
            record(worst_error=check_identity(p, tolerance=1e-10))
        check((roots.status == CONVERGED).sum() > starts // 4, "too few starts converged to conclude anything")


@IDENTITY.evidence(role="supports", kind="property")
@given(p=orthogonal_points())
def test_it_holds_to_50_digits_on_hostile_spectra(p, record):
    with reference.precision():
        residual = p.D + p.second_moments - 1
        record(worst_error=at_most(np.abs(residual), 0.0, slack=EXACT))
        with rejected():  # the mean square of the posterior mean alone
            at_most(np.abs(residual - p.D), 0.0, slack=EXACT)


@IDENTITY.evidence(role="supports", kind="numeric")
def test_a_point_to_check_by_hand(record):
    p = Problem(np.array([[1.0], [0.0]]), np.array([[0.5, 0.0]]), np.array([0.5]), 1.0, np.diag([2.0, 1.0]))
    G = model.gradients(p.W, p.V, p.D, p.sigma2, p.S)
    for g in (G.W, G.V, G.D):
        agree(g, np.zeros_like(g), tolerance=1e-15)
    record(worst_error=check_identity(p, 1e-15))
    record.witness(
        "S = diag(2, 1), sigma2 = 1: W = (1, 0)^T, V = (1/2, 0), D = 1/2 is stationary; D + V S V^T = 1/2 + 2/4 = 1"
    )


# n = k = 1, S = 2, sigma2 = 1: (w, v, d), stationary in two of the three or in one.
LESS_THAN_THREE = {
    "W": (sp.Rational(2, 3), sp.S.One, sp.S.One),
    "W and V": (sp.sqrt(3), sp.sqrt(3) / 4, sp.Rational(1, 8)),
    "W and D": (sp.Rational(1, 2), 1 - sp.sqrt(sp.Rational(3, 5)), sp.Rational(4, 5)),
    "V and D": (sp.sqrt(3), sp.sqrt(3) / 4, sp.Rational(1, 4)),
}


@NEEDED.evidence(role="supports", kind="symbolic", strength="proved")
@pytest.mark.parametrize("stationary", LESS_THAN_THREE, ids=lambda names: f"only in {names}")
def test_fewer_conditions_do_not_suffice(stationary, record):
    w, v, d = LESS_THAN_THREE[stationary]
    at = {name: sp.Matrix([value]) for name, value in (("W", w), ("V", v), ("D", d), ("S", 2))}
    values = {n: 1, k: 1, sigma2: sp.S.One}
    G = linear_vae.gradients()
    for name in "WVD":
        zero = sp.simplify(on_matrices(getattr(G, name), at, values)[0, 0]) == 0
        same(zero, name in stationary.split(" and "))
    with rejected():
        vanishes(on_matrices(deviation(), at, values))
    record()
    record.witness(f"stationary in {stationary} only, w = {w}, v = {v}, d = {d}: d + 2 v^2 is not 1")


@IDENTITY.evidence(role="control", kind="symbolic")
def test_a_slip_in_the_combination_is_rejected():
    G = linear_vae.gradients()
    for wrong in (
        diag(W.T @ G.W),
        diag(W.T @ G.W - G.V @ V.T),
        diag(W.T @ G.W + G.V @ V.T) - 2 * D @ G.D,
        diag(W.T @ G.W - G.V @ V.T) - D @ G.D,
    ):
        with rejected():
            same(expand(wrong, M), deviation())


@IDENTITY.evidence(role="control", kind="numeric")
def test_the_mean_square_of_the_posterior_mean_alone_is_not_one_and_is_rejected():
    for p, point, _ in families(4, seed=44):
        if point.retained:
            with rejected():
                agree(second_moments(p) - p.D, np.ones(len(p.D)), tolerance=1e-10)
