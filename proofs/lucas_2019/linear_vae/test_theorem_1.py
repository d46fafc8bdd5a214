"""Theorem 1: the ELBO of the linear VAE has no local maximum that the likelihood of pPCA lacks.

Statement   at fixed noise (W, V, D) is a local maximum of the ELBO iff the columns of W are orthogonal, W is a global
            maximum of L, and the encoder is optimal. At every other stationary point with columns that are not
            orthogonal a plane rotation has d^2 P/dtheta^2 = 4 M_ij^2/m^2 > 0: a strict saddle, with its way out.
Hypotheses  sigma2 > 0 fixed; V, D free. With learned noise: claim theorem-1-learned.
Source      Lucas et al. 2019, Theorem 1, App. C.2 (its path: claim theorem-1-path); theory 3.7, 3.8; docs, section 6.
Method      in words, for all n and k. The local maxima of the ELBO are those of the profile P (claim profile).
            Where two columns are not orthogonal their rotation raises P: its slope and curvature are those of the
            derived P along W exp(theta B). Where all are, P and L have the same gradient, and all that raises L moves a
            column towards a discarded u_j: the columns stay orthogonal, and P = L on the whole line.
            Beside it: at every listed family the rotation, finite and infinitesimal; the Hessian of the full ELBO; the
            local maxima of P against those of L, both directions; certificates at all isolated points of hard spectra.
"""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
import sympy as sp
from scipy.linalg import expm

from proofs.machinery.checks import agree, certified, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems import certificates
from proofs.problems.boxes import outcome_on
from proofs.problems.points_in_words import K
from proofs.problems.spectra import landscapes, wider
from verify.certify.checker.balls import diagonal, flint, precision
from verify.landscape.families import fixed_noise_families
from verify.landscape.points import weights
from verify.landscape.spectrum import spectrum
from verify.landscape.stability import steepest_rotation, verdict
from verify.landscape.stationary import fixed_noise_points
from verify.models import linear_vae, ppca
from verify.symbolic import linear_vae as in_words
from verify.symbolic import ppca as likelihood_in_words
from verify.symbolic.differentials import differential
from verify.symbolic.letters import D, M, W, gram, k, n, sigma2
from verify.symbolic.matrix_calculus import diag, identity, inverse, zero
from verify.symbolic.relations import reduce, relation, substitute
from verify.symbolic.traces import trace
from verify.symbolic.unit_vectors import on_axes, orthonormal, unit_vector

CLAIM = Claim(
    id="theorem-1",
    source="Theorem 1, App. C.2",
    statement="the ELBO of a linear VAE has no local maxima beyond those of the pPCA likelihood",
    hypotheses="sigma2 > 0 fixed",
    section="The linear VAE",
    rests_on=("profile", "eq-24-28", "spectrum", "fixed-noise-maxima"),
    trusts=("second-order",),
)
ROTATION = CLAIM.step(
    "rotation",
    "rotating columns i, j of W has the slope M_ij (1/M_jj - 1/M_ii) in P and, where M_ii = M_jj = m, the curvature "
    "4 M_ij^2/m^2, for all n and k: so at a stationary point whose columns are not orthogonal P rises",
    says="flat_P & ~orthogonal -> P_rises",
    place=("Theorem 1", "The paper's path"),
)
SAME_GRADIENT = CLAIM.step(
    "same-gradient",
    "where the columns of W are orthogonal, P and L have the same gradient in W, for all n and k",
    says="flat_P & orthogonal -> flat_L",
    place="Theorem 1",
)
LINE = CLAIM.step(
    "line",
    "orthogonal columns stay orthogonal when one of them moves towards a discarded u_j, by any amount, for all n, k: "
    "P is L on the whole line and rises as L does",
    says="orthogonal & towards_discarded & no_gap_if_orthogonal -> P_rises",
    place="Theorem 1",
)
BOUND = CLAIM.step(
    "bound",
    "where P equals L, and L its maximum, P is nowhere larger",
    says="below & no_gap_if_orthogonal & orthogonal & global_L -> max_of_P",
    place="Theorem 1",
)
SADDLE = CLAIM.step(
    "saddle",
    "d^2 ELBO/dD_i^2 = -1/(2 D_i^2) < 0 at every stationary point, for all n and k: none is a minimum, and those "
    "that are no maximum are saddles",
    place="Theorem 1",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "(W, V, D) is a local maximum of the ELBO iff W is a global maximum of L with orthogonal columns and the "
    "encoder is optimal; at every other stationary point P has a direction of positive curvature",
    place="Theorem 1",
)


def turned(W, i, j, theta):
    """W with its columns i, j rotated by theta."""
    R = np.eye(W.shape[1])
    R[[i, j], [i, j]], R[i, j], R[j, i] = np.cos(theta), -np.sin(theta), np.sin(theta)
    return W @ R


def check_rotation_escapes(W, sigma2, S, i, j, expected):
    """Rotating columns i, j either way raises the ELBO with curvature `expected`, and leaves L as it is."""
    theta = 1e-3
    before, there, back = (
        float(linear_vae.profile_elbo(w, sigma2, S)) for w in (W, turned(W, i, j, theta), turned(W, i, j, -theta))
    )
    # Differences of order theta^2 carry rounding eps |P| / theta^2 and the fourth order, of relative size theta^2.
    noise = 1e-15 * (abs(before) + np.trace(S) / sigma2) / theta**2
    found = (there + back - 2 * before) / theta**2
    error = agree(found, expected, tolerance=1e-3, scale=abs(expected) + 1e4 * noise)
    check(expected > 0, "no rising rotation")
    if expected > 1e3 * noise:
        check(there > before and back > before, "the rotation does not raise the ELBO")
    agree(ppca.log_likelihood(turned(W, i, j, 0.3), sigma2, S), ppca.log_likelihood(W, sigma2, S), tolerance=1e-12)
    return error


e, f = unit_vector("e_i", k), unit_vector("e_j", k)
M_ij = trace(e.T @ M @ f)


def on_a_plane(scalar, m_i, m_j):
    """A scalar in words where the axes e, f have M_ii = m_i and M_jj = m_j."""
    entries = ((e, m_i), (f, m_j))
    rules = [relation(inverse(diag(M)) @ axis, axis / m) for axis, m in entries]
    rules += [relation(axis.T @ M @ axis, m * identity(1)) for axis, m in entries]
    rules += [gram, *orthonormal(e, f)]
    return reduce(on_axes(reduce(scalar, *rules), e, f), *rules)


def along_a_rotation():
    """dP/dtheta and d^2P/dtheta^2 of W exp(theta B), B = f e^T - e f^T, at theta = 0: W' = W B, and W'' = W' B."""
    turn = W @ (f @ e.T - e @ f.T)
    slope = trace(turn.T @ in_words.profile_gradient())
    return slope, differential(slope, W, turn)


@ROTATION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_rotation_rises_at_rate_4_m_ij_squared_over_m_squared_for_all_n_and_k(record):
    slope, curvature = along_a_rotation()
    m, m_i, m_j = sp.symbols("m m_i m_j", positive=True)
    # So at a stationary point M_ij = 0 or M_ii = M_jj.
    same(on_a_plane(slope, m_i, m_j), (1 / m_j - 1 / m_i) * M_ij)
    square = trace(e.T @ M @ f @ e.T @ M @ f)
    same(on_a_plane(curvature, m, m), 4 / m**2 * square)
    # The likelihood's share vanishes for every W, stationary or not.
    of_gap = trace((W @ (f @ e.T - e @ f.T)).T @ W @ (inverse(M) - inverse(diag(M))))
    same(on_a_plane(slope - of_gap, m_i, m_j), 0 * M_ij)
    for wrong in (2 / m**2 * square, 8 / m**2 * square, -4 / m**2 * square, 4 / m**2 * M_ij, 4 / m * square):
        with rejected():
            same(on_a_plane(curvature, m, m), wrong)
    with rejected():  # of equal norms alone
        same(on_a_plane(curvature, m_i, m_j), 4 / (m_i * m_j) * square)
    with rejected():
        same(on_a_plane(slope, m_i, m_j), (1 / m_i - 1 / m_j) * M_ij)
    record(instances=3)
    record.witness(f"all n, k: d2P/dtheta2 = {on_a_plane(curvature, m, m)} at every W with M_ii = M_jj = m")


@ROTATION.evidence(role="supports", kind="symbolic")
def test_two_rows_of_m_by_hand(record):
    """L and det M do not change, and of the diagonal of M only M_ii, M_jj: to m +- M_ij sin 2 theta if both are m."""
    a, b, m, c, theta = sp.symbols("M_ii M_jj m M_ij theta", real=True)
    turn = sp.Matrix([[sp.cos(theta), -sp.sin(theta)], [sp.sin(theta), sp.cos(theta)]])
    turned_M = turn.T * sp.Matrix([[a, c], [c, b]]) * turn
    P = -(sp.log(turned_M[0, 0]) + sp.log(turned_M[1, 1])) / 2
    vanishes(sp.diff(P, theta).subs(theta, 0) - c * (1 / b - 1 / a))
    equal = {a: m, b: m}
    vanishes(turned_M[0, 0].subs(equal) - (m + c * sp.sin(2 * theta)))
    vanishes(turned_M[1, 1].subs(equal) - (m - c * sp.sin(2 * theta)))
    curvature = sp.diff(P.subs(equal), theta, 2).subs(theta, 0)
    vanishes(curvature - 4 * c**2 / m**2)
    for wrong in (2 * c**2 / m**2, -4 * c**2 / m**2, 4 * c / m**2):
        with rejected():
            vanishes(curvature - wrong)
    record(instances=3)


@ROTATION.evidence(role="supports", kind="certificate", strength="certified")
def test_all_two_column_points_of_a_box_rise_in_ball_arithmetic(record):
    """P(W R(theta)) itself, in series of balls: no formula for its curvature is used.

    sqrt(lam) = 1 +- d, and sigma2 = u t_2, up to one scale for all three; t_2 > sigma2 is u < 1.
    """
    found = outcome_on("rotation", ">", [("0", "2/5"), ("1/3", "2/3")])
    certified(found)
    with rejected():  # a falling rotation
        certified(outcome_on("rotation", "<", [("1/10", "1/5"), ("1/3", "2/3")]))
    with rejected():  # undecided with so few leaves
        certified(outcome_on("rotation", ">", [("0", "2/5"), ("1/3", "2/3")], leaves=20))
    record(instances=1)
    record.witness(
        "lam_1 > lam_2 with sqrt(lam) = (1 + d, 1 - d), 0 < d <= 2/5, sigma2 between 1/3 and 2/3 of t_2, and all "
        f"multiples: d2P/dtheta2 > 0 in balls, {found.reason}"
    )


@SAME_GRADIENT.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_gradients_agree_where_the_columns_are_orthogonal_for_all_n_and_k(record):
    orthogonal = relation(W.T @ W, K - sigma2 * identity(k))  # M is the diagonal K
    gradients = in_words.profile_gradient(), likelihood_in_words.gradient_in_latents()
    of_P, of_L = (reduce(substitute(g, {"M": K}), orthogonal) for g in gradients)
    same(of_P, of_L)
    with rejected():
        same(*gradients)
    with rejected():
        same(of_P, 2 * of_L)
    record(instances=1)


@BOUND.evidence(role="supports", kind="symbolic", strength="proved")
def test_nothing_is_above_a_bound_that_is_attained(record):
    """Elsewhere P = L - gap and L = max L - lack; here P = L = max L."""
    top, gap, lack = sp.Symbol("max_L", real=True), *sp.symbols("gap lack", nonnegative=True)
    elsewhere = (top - lack) - gap
    check((top - elsewhere).is_nonnegative, "P is nowhere larger")
    with rejected():  # not tight here: P is below L by another gap
        check(
            (top - sp.Symbol("gap_here", positive=True) - elsewhere).is_nonnegative is True, "may be larger elsewhere"
        )
    record(instances=1)


@LINE.evidence(role="supports", kind="symbolic", strength="proved")
def test_orthogonal_columns_stay_orthogonal_towards_a_discarded_axis_for_all_n_and_k(record):
    """theory 3.8: W^T u = 0 makes the Gram matrix of W + x u e^T that of W plus x^2 e e^T, e a coordinate axis.

    So it is diagonal if W^T W is, the gap is 0 for every x, and P rises along the line exactly as L does.
    """
    u, x = unit_vector("u", n), sp.Symbol("x", real=True)
    units = (gram, *orthonormal(u), *orthonormal(e, f))
    moved, expected = W + x * (u @ e.T), M - sigma2 * identity(k) + x**2 * (e @ e.T)
    same(reduce(moved.T @ moved, *units, relation(W.T @ u, zero(k, 1))), expected)
    same(reduce(on_axes(diag(e @ e.T), e), *units), e @ e.T)  # it is its own diagonal part
    with rejected():  # towards an axis that another column holds, the two do not stay orthogonal
        same(reduce(moved.T @ moved, *units, relation(W.T @ u, f)), expected)
    record(instances=2)


@SADDLE.evidence(role="supports", kind="symbolic", strength="proved")
def test_every_variance_adds_a_negative_direction_for_all_n_and_k(record):
    """d^2 ELBO/dD_i^2 along e e^T is -1/2 (D^-1)_ii^2.  That it rises somewhere is what the other steps show."""
    curvature = trace(e.T @ differential(in_words.gradients().D, D, e @ e.T) @ e)
    inverse_of_D_i = e.T @ inverse(D) @ e
    same(reduce(curvature, *orthonormal(e)), trace(inverse_of_D_i @ inverse_of_D_i) / -2)
    for factor in (-1, 2):
        with rejected():
            same(reduce(curvature, *orthonormal(e)), trace(inverse_of_D_i @ inverse_of_D_i) / factor)
    record(instances=1)


@ROTATION.evidence(role="supports", kind="numeric")
def test_every_non_orthogonal_point_has_a_rising_rotation(record, thorough):
    seen = 0
    for at in landscapes(thorough(60, 600), most_n=5, most_k=4, seed=21):
        for point in fixed_noise_families(at.lam, at.k, at.sigma2):
            if point.orthogonal:
                continue
            curvature, (i, j) = steepest_rotation(point, at.lam)
            W = weights(point, at.lam, at.U)
            record(instances=1, worst_error=check_rotation_escapes(W, at.sigma2, at.S, i, j, curvature))
            found = verdict(point, at.lam)
            check(found.index > 0 and found.escape.rate > 0, "a strict saddle has a rising direction in W")
            seen += 1
    check(seen > 500, f"only {seen} non-orthogonal points were met")


@SADDLE.evidence(role="supports", kind="numeric")
def test_the_full_and_the_profile_hessian_agree_in_their_rising_directions(record, thorough):
    """In (W, V, D) the same number of positive eigenvalues, k dim null(S) more zeros, and all else negative."""
    for at in landscapes(thorough(25, 250), most_n=4, most_k=3, seed=22):
        for point in fixed_noise_families(at.lam, at.k, at.sigma2):
            W = weights(point, at.lam, at.U)
            V, D = linear_vae.optimal_encoder(W, at.sigma2)
            values = np.linalg.eigvalsh(linear_vae.hessian(W, V, D, at.sigma2, at.S))
            zero = 1e-9 * np.abs(values).max()
            found = spectrum(point, at.lam)
            same(int((values > zero).sum()), found.index)
            flat = at.k * int((at.lam == 0).sum())
            same(int((np.abs(values) <= zero).sum()), found.nullity + flat)
            check((values < -zero).any(), "the encoder adds a negative direction")
            record(instances=1)


def maxima(points, lam):
    """Which eigenvalues each local maximum retains, with its value."""
    return [(tuple(lam[list(p.retained)]), p.value, p.orthogonal) for p in points if verdict(p, lam).index == 0]


def check_same_maxima(at, of_elbo):
    """The local maxima among `of_elbo` are the local maxima of L: the same retained eigenvalues, values, orthogonal."""
    ours = maxima(of_elbo, at.lam)
    theirs = maxima(fixed_noise_points(at.lam, at.k, at.sigma2), at.lam)
    same(sorted({r for r, _, _ in ours}), sorted({r for r, _, _ in theirs}))
    check(all(o for _, _, o in ours), "a local maximum of the ELBO with columns that are not orthogonal")
    best = theirs[0][1]
    return agree([v for _, v, _ in ours], [best] * len(ours), tolerance=1e-12, scale=abs(best) + at.lam[0] / at.sigma2)


@CONCLUSION.evidence(role="supports", kind="numeric")
def test_the_local_maxima_are_those_of_the_likelihood(record, thorough):
    for at in landscapes(thorough(80, 800), most_n=5, most_k=4, seed=23):
        families = fixed_noise_families(at.lam, at.k, at.sigma2)
        record(instances=len(families), worst_error=check_same_maxima(at, families))


@CONCLUSION.evidence(role="supports", kind="numeric")
def test_more_columns_than_dimensions(record, thorough):
    """k > n, which no step excludes."""
    for at in wider(thorough(20, 200), seed=27):
        families = fixed_noise_families(at.lam, at.k, at.sigma2)
        record(instances=len(families), worst_error=check_same_maxima(at, families))


@LINE.evidence(role="supports", kind="numeric")
def test_an_orthogonal_point_rises_as_fast_in_the_elbo_as_in_the_likelihood(record, thorough):
    """theory 3.8: a column moved towards a discarded u_j stays orthogonal to the others, so the gap stays zero."""
    for at in landscapes(thorough(60, 600), most_n=6, most_k=4, seed=24):
        for point in fixed_noise_points(at.lam, at.k, at.sigma2):
            escape = verdict(point, at.lam).escape
            if escape is None:
                continue
            W = weights(point, at.lam, at.U)
            X = np.zeros_like(W)
            X[:, escape.columns[0]] = at.U[:, escape.eigen[0]]
            moved = W + 0.1 * X
            agree(linear_vae.gap(moved, at.sigma2), 0.0, tolerance=1e-12)
            rise = linear_vae.profile_hessian_vector_product(W, at.sigma2, at.S, X)
            error = agree(rise, escape.rate * X, tolerance=1e-9, scale=at.lam[0] / at.sigma2**2)
            record(instances=1, worst_error=error)


@ROTATION.evidence(role="control", kind="numeric")
def test_the_curvature_is_that_value_and_no_other():
    """A factor 2, the sign, M_ij for its square, m for m^2: each is refused at points where M_ij is not 0."""
    refused = 0
    for at in landscapes(30, most_n=5, most_k=4, seed=25, generic=True):
        for point in fixed_noise_families(at.lam, at.k, at.sigma2):
            if point.orthogonal:
                continue
            curvature, (i, j) = steepest_rotation(point, at.lam)
            W = weights(point, at.lam, at.U)
            m, off = W[:, i] @ W[:, i] + at.sigma2, abs(W[:, i] @ W[:, j])
            agree(curvature, 4 * off**2 / m**2, tolerance=1e-9, scale=1.0)
            if curvature < 0.01:  # beside the rounding of differences nothing is left to tell apart
                continue
            slips = 2 * curvature, curvature / 2, -curvature, 4 * off / m**2, 4 * off**2 / m
            for wrong in (x for x in slips if abs(x / curvature - 1) > 0.1):
                with rejected():
                    check_rotation_escapes(W, at.sigma2, at.S, i, j, wrong)
                refused += 1
    check(refused > 100, "the slips were tried on many points")


@ROTATION.evidence(role="control", kind="numeric")
def test_at_an_orthogonal_point_no_rotation_rises():
    """Columns of norms m_i, m_j there: -(m_i - m_j)^2/(m_i m_j), Proposition 8's row, and not 4 M_ij^2/m^2 = 0."""
    for at in landscapes(20, seed=25, generic=True):
        if at.k < 2:
            continue
        W = weights(next(fixed_noise_points(at.lam, at.k, at.sigma2)), at.lam, at.U)
        m_i, m_j = (W[:, c] @ W[:, c] + at.sigma2 for c in (0, 1))
        if abs(m_i - m_j) < 0.1 * m_i:
            continue
        for expected in (-((m_i - m_j) ** 2) / (m_i * m_j), 0.0, (m_i - m_j) ** 2 / (m_i * m_j)):
            with rejected():
                check_rotation_escapes(W, at.sigma2, at.S, 0, 1, expected)


@CONCLUSION.evidence(role="control", kind="numeric")
def test_another_objective_does_have_additional_maxima(record):
    """The ELBO at another noise retains other eigenvalues: the comparison of the maxima must notice."""
    for at in landscapes(40, seed=26, generic=True):
        lower = 0.5 * at.lam[-1]
        if at.sigma2 < at.lam[at.k - 1]:
            continue
        with rejected():
            check_same_maxima(at, fixed_noise_families(at.lam, at.k, lower))
        record(instances=1)


@ROTATION.evidence(role="supports", kind="numeric")
def test_a_saddle_to_check_by_hand(record):
    """lam = (3, 2), sigma2 = 0.7: sqrt m = (sqrt 3 + sqrt 2)/2; M_12 = (t_1 - t_2)/2."""
    lam, sigma2 = np.array([3.0, 2.0]), 0.7
    root_m = (np.sqrt(3) + np.sqrt(2)) / 2
    t = np.sqrt(lam) * root_m
    W = np.sqrt((t - sigma2) / 2)[:, None] * np.array([[1.0, 1.0], [1.0, -1.0]])
    agree(linear_vae.profile_gradient(W, sigma2, np.diag(lam)), np.zeros((2, 2)), tolerance=1e-14)
    expected = 4 * ((t[0] - t[1]) / 2 / root_m**2) ** 2
    error = check_rotation_escapes(W, sigma2, np.diag(lam), 0, 1, expected)
    before = float(linear_vae.profile_elbo(W, sigma2, np.diag(lam)))
    skew = expm(0.1 * np.array([[0.0, -1.0], [1.0, 0.0]]))
    after = float(linear_vae.profile_elbo(W @ skew, sigma2, np.diag(lam)))
    check(after > before, "a finite rotation rises as well")
    record(instances=1, worst_error=error)
    record.witness(
        f"lam = (3, 2), sigma2 = 0.7: W = {np.array2string(W, precision=4).replace(chr(10), '')} is stationary; "
        f"d2P/dtheta2 = {expected:.6f}; rotating by 0.1 raises the ELBO from {before:.6f} to {after:.6f}"
    )


USED = {
    "profile": "local_max <-> optimal & max_of_P",
    "eq-24-28": "no_gap_if_orthogonal & below",
    "spectrum": "flat_L & L_rises -> towards_discarded",
    "fixed-noise-maxima": "flat_L & ~L_rises -> global_L",
    "second-order": "max_of_P -> flat_P & ~P_rises",
}


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_give_the_theorem_both_ways(record):
    """local_max: of (W, V, D); max_of_P, flat_P, P_rises (to second order): of W, likewise L; below: P <= L everywhere;
    no_gap_if_orthogonal: P = L wherever the columns are; towards_discarded: L rises where some column moves so."""
    both = "local_max & optimal & orthogonal & global_L | ~local_max & (~optimal | ~orthogonal | ~global_L)"
    strict = "~flat_P | ~optimal | local_max | P_rises"
    count = concludes(CLAIM, f"({both}) & ({strict})", USED)
    too_much = (
        "local_max <-> optimal & orthogonal",
        "flat_P -> orthogonal",
        "global_L -> local_max",
        "flat_P -> P_rises",
    )
    for stronger in too_much:
        with rejected():
            concludes(CLAIM, stronger, USED)
    record(instances=count)


def check_escapes_in_balls(at, point, factor=1):
    """A stationary point is there, with a negative direction; turning the columns that are not orthogonal it rises.

    The curvature along W B encloses factor times 4 M_ij^2/m^2, and certifies as a saddle a little less of it.
    """
    stated = certificates.Stated(at.lam, point, at.noise)
    block = next(columns for b, columns in zip(point.blocks, point.column_ranges(), strict=True) if b.columns > 1)
    with precision(certificates.BITS):
        x, H = stated.enclosed()
        W, s = stated.place.parts(x)
        M_ = W.transpose() * W + diagonal([s] * at.k)
        i, j = max(combinations(block, 2), key=lambda pair: abs(float(M_[pair])))
        turn = flint().arb_mat(at.k, at.k)
        turn[j, i], turn[i, j] = 1, -1
        curvature, expected = certificates.along(H, W * turn), factor * 4 * (M_[i, j] / M_[i, i]) ** 2
        check(curvature > 0, "it does not surely rise")
        check(curvature.overlaps(expected) and curvature.rad() < 1e-30, "the curvature is another")
        moved = W * turn
        rate = Fraction(float(curvature / sum(y * y for y in moved.entries())))
    direction = np.array([Fraction(float(y)) for y in moved.entries()])[:, None]
    certified(stated.saddle(rate * Fraction(999, 1000), direction))
    with rejected():  # no more than it is
        certified(stated.saddle(rate * Fraction(1001, 1000), direction))
    certified(stated.saddle(Fraction(0), stated.vectors))


@ROTATION.evidence(role="supports", kind="certificate", strength="certified")
@pytest.mark.parametrize("name", certificates.LANDSCAPES)
def test_in_balls_every_isolated_point_with_columns_not_orthogonal_rises_as_stated(record, name):
    pytest.importorskip("flint")
    at, families = in_balls(name)
    for point in families:
        if not point.orthogonal:
            check_escapes_in_balls(at, point)
            record(instances=1)
    with rejected():
        check_escapes_in_balls(at, next(p for p in families if not p.orthogonal), factor=2)
    top = certificates.Stated(at.lam, families[0], at.noise)
    check(families[0].orthogonal, "the best one has orthogonal columns")
    with rejected():
        certified(top.saddle(Fraction(0), top.vectors))


def in_balls(name):
    """One of the LANDSCAPES, and its isolated families, best first."""
    at = certificates.LANDSCAPES[name]
    listed = fixed_noise_families(np.array([float(x) for x in at.lam]), at.k, float(at.noise))
    return at, [p for p in listed if certificates.isolated(p)]


def check_top_alone(at, families, most):
    """Balls count 0 positive and nk negative eigenvalues at the one that retains `most` by orthogonal columns alone."""
    for point in families:
        stated = certificates.Stated(at.lam, point, at.noise)
        if point.orthogonal and point.retained == most:
            certified(stated.inertia(0, at.n * at.k, 0))
        else:
            index = spectrum(point, np.array([float(x) for x in at.lam])).index
            check(index > 0, "no rising direction is foretold")
            certified(stated.inertia(index, at.n * at.k - index, 0))


@CONCLUSION.evidence(role="supports", kind="certificate", strength="certified")
@pytest.mark.parametrize("name", certificates.LANDSCAPES)
def test_in_balls_no_isolated_point_is_a_maximum_but_that_of_the_likelihood(record, name):
    pytest.importorskip("flint")
    at, families = in_balls(name)
    most = at.top
    check_top_alone(at, families, most)
    record(instances=len(families))
    for wrong in ((), most[:-1], (*most[:-1], most[-1] + 1)):
        with rejected():
            check_top_alone(at, families[:6] + families[-1:], wrong)
