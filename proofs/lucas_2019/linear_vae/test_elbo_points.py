"""The families of theory 3.6 are all the stationary points of the linear VAE's ELBO.

Statement   the stationary points of the ELBO are W = [W_1 ... W_B], V and D optimal, with
            W_b = U_{A_b} (t - sigma2)^{1/2} Q_b, t_a = sqrt(lam_a m_b) > sigma2,
            sqrt(m_b) = [r_b + sqrt(r_b^2 + 4 k_b z_b sigma2)]/(2 k_b), Q_b such that M_b has constant diagonal m_b;
            blocks of one column give the points of pPCA with orthogonal columns.
Hypotheses  sigma2 > 0, fixed; or learned: then the noise equation holds besides.
Source      ours, theory 3.6; docs/mathematics.md, Theorem B, where the proof stands that the steps follow.
Method      in words, for all n, k, k_b, q_b: the stationary points are those of the profile, whose gradient is 0
            iff S W = W M diag(M)^-1 M; M commutes with diag(M), and falls into blocks of constant diagonal, on which
            S U = U T^2/m; the trace fixes m. Conversely such a block has that image, and plane rotations build Q_b.
            Beside it: constructed points have zero gradient of the full ELBO, at 50 digits too; and blind root-finding
            on the gradient, which knows no closed form, meets the listed families alone; certificates of isolated ones.
Trusted     claim profile; facts svd, jacobi, components, mean and descent (which joins the rotations); the normal form
            of words.
"""

from fractions import Fraction
from functools import partial

import mpmath
import numpy as np
import pytest
import sympy as sp

from proofs.lucas_2019.linear_vae.blocks_in_words import (
    APART,
    COVER,
    EIGENVECTORS,
    FACTORED,
    FACTORS,
    IN_BLOCK,
    E,
    L,
    M_b,
    M_b_inverse,
    P,
    Q,
    R,
    T,
    U,
    k_b,
    m,
    q_b,
)
from proofs.machinery.checks import agree, at_most, certified, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems import certificates
from proofs.problems.points_in_words import BLOCK_POINT, LIKELIHOOD_POINT
from proofs.problems.spectra import landscapes, spectrum_of
from verify.certify.propose.stationary import exact_weights
from verify.landscape.families import fixed_noise_families, learned_noise_families
from verify.landscape.points import Block, Point, block_constant, constant_diagonal_rotation, ordered, weights
from verify.landscape.roots import CONVERGED, DIVERGED, STALLED, find_roots
from verify.landscape.stationary import fixed_noise_points
from verify.models import linear_vae, ppca
from verify.symbolic import linear_vae as in_words
from verify.symbolic import ppca as likelihood_in_words
from verify.symbolic.letters import C, M, S, W, gram, k, n, sigma2
from verify.symbolic.matrix_calculus import diag, identity, inverse, letter, zero
from verify.symbolic.relations import expand, reduce, relation, substitute
from verify.symbolic.traces import Scalar, log_det, trace
from verify.symbolic.unit_vectors import unit_vector

CLAIM = Claim(
    id="elbo-points",
    source="ours, after App. C.2",
    statement="the block families are all stationary points of the linear VAE's ELBO, non-orthogonal ones included",
    hypotheses="sigma2 > 0",
    section="The linear VAE",
    rests_on=("profile",),
    trusts=("components", "descent", "jacobi", "mean", "svd"),
)
IMAGE = CLAIM.step(
    "image",
    "the gradient of the profile P vanishes iff S W = W M diag(M)^-1 M, for all n and k",
    says="derivative_of_log_det -> flat_P & image | ~flat_P & ~image",
    place="Theorem B",
)
NORMS = CLAIM.step(
    "equal-norms",
    "then M commutes with diag(M), so that M_ij (1/M_ii - 1/M_jj) = 0: M_ii = M_jj along every edge M_ij != 0, for all "
    "n and k; so on the components of this graph M is block diagonal with a constant diagonal m in every block",
    says="image -> equal_along_edges",
    place="Theorem B",
)
AXES = CLAIM.step(
    "eigenvectors",
    "so a block W_b = U L Q (L > 0, T = L^2 + sigma2 I) has S U = U T^2/m, and the U of different blocks are "
    "orthogonal, for all n, k, k_b, q_b",
    says="image & constant_on_blocks & factored -> eigenvectors",
    place="Theorem B",
)
CONSTANT = CLAIM.step(
    "constant",
    "so t_a = sqrt(lam_a m), and tr M_b = k_b m determines m: sqrt(m) = [r + sqrt(r^2 + 4 k_b z_b sigma2)]/(2 k_b), r "
    "the sum of the sqrt(lam_a), z_b = k_b - q_b, is the only positive root, for all k_b and q_b",
    says="constant_on_blocks & factored & eigenvectors -> blocks",
    place="Theorem B",
)
CONVERSE = CLAIM.step(
    "converse",
    "every W made of such blocks has S W = W M diag(M)^-1 M, for all n, k, k_b, q_b",
    says="blocks -> image",
    place="Theorem B",
)
EXISTENCE = CLAIM.step(
    "existence",
    "a plane rotation brings one of two diagonal entries a > m > b to m, and leaves the other diagonal entries and the "
    "sum of all: one entry less differs from m, and m is still the mean of the rest",
    says="one_above_and_one_below -> one_more_at_m",
    place="Theorem B",
)
CHAIN = CLAIM.step(
    "chain",
    "so for every t with sum t + z_b sigma2 = k_b m a Q_b exists: what plane rotations make of diag(t, sigma2, ..., "
    "sigma2) is Q^T diag(t) Q + sigma2 (I - Q^T Q), Q the rows that belong to t, for all k_b and q_b",
    says="rotated_to_m -> Q_exists",
    place="Theorem B",
)
LOW = CLAIM.step(
    "below-the-noise",
    "a block may retain an eigenvalue below sigma2: n = k = 2, lam = (4, 0.81), sigma2 = 1, both in one block",
    place="Theorem B",
)
ORTHOGONAL = CLAIM.step(
    "orthogonal",
    "the columns of a block of two or more are orthogonal iff q_b = 0, or z_b = 0 and all t_a are equal; points all of "
    "whose columns are orthogonal are stationary points of the likelihood, for all n and k",
    place="Theorem B",
)
VALUE = CLAIM.step(
    "value",
    "there P = L(0) - 1/2 sum_b [k_b log(m_b/sigma2) + sum of lam_a (1/t_a - 1/sigma2) over A_b], for all n, k, "
    "k_b, q_b",
    place="Theorem B",
)
NOISE = CLAIM.step(
    "noise",
    "at such W the noise is stationary iff (n - k)/sigma2 + sum_b z_b/m_b = sum of the discarded lam_j/sigma2^2, "
    "for all n and k",
    place="Learned noise",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "(W, V, D) is a stationary point of the ELBO iff V and D are optimal and W is made of such blocks; and for any "
    "eigenvectors, at most k_b, whose t_a = sqrt(lam_a m_b) with the m_b of step constant exceed sigma2, Q_b exists",
    place="Theorem B",
)

PROMISED = 1e-9  # promised, relative to the scale of the data
MATCH = 1e-6  # a root found to |g| = 1e-11 lies this close to its family; families differ by far more


def gradient_size(W, sigma2, S, learned):
    """The largest entry of the full ELBO's gradient at the optimal encoder, in units of the data."""
    V, D = linear_vae.optimal_encoder(W, sigma2)
    g = linear_vae.gradients(W, V, D, sigma2, S)
    entries = [np.abs(g.W).max() * np.sqrt(sigma2), np.abs(g.V).max() / np.sqrt(sigma2), np.abs(g.D).max()]
    if learned:
        entries.append(abs(float(g.sigma2)) * sigma2)
    return float(max(entries)) / max(1.0, float(np.trace(S)) / sigma2)


@CONVERSE.evidence(role="supports", kind="numeric")
def test_every_family_is_stationary_at_fixed_noise(record, thorough):
    for at in landscapes(thorough(60, 500), most_n=5, most_k=4, seed=1):
        for point in fixed_noise_families(at.lam, at.k, at.sigma2):
            size = gradient_size(weights(point, at.lam, at.U), at.sigma2, at.S, learned=False)
            record(instances=1, worst_error=at_most(size, 0.0, slack=PROMISED))


@NOISE.evidence(role="supports", kind="numeric")
def test_every_family_is_stationary_with_its_own_noise(record, thorough):
    for at in landscapes(thorough(40, 300), most_n=5, most_k=3, seed=2):
        for point in learned_noise_families(at.lam, at.k):
            size = gradient_size(weights(point, at.lam, at.U), point.sigma2, at.S, learned=True)
            record(instances=1, worst_error=at_most(size, 0.0, slack=PROMISED))


def same_family(W, points, lam):
    """For each root the distance of W W^T to the nearest family, and which it is.  W (B, n, k)."""
    marginals = np.stack([(w @ w.T) for w in (weights(p, lam, np.eye(len(lam))) for p in points)])
    distances = np.abs((W @ W.swapaxes(1, 2))[:, None] - marginals).max(axis=(2, 3))
    return distances.min(axis=1), distances.argmin(axis=1)


def blind_search(objective, points_of, starts, seed):
    """Root-finding from random starts on three spectra; every root is one of the listed points; -> counts."""
    rng = np.random.default_rng(seed)
    found = {CONVERGED: 0, DIVERGED: 0, STALLED: 0}
    listed = reached = 0
    worst = 0.0
    for rows, columns in ((3, 2), (4, 3), (5, 3)):
        lam = spectrum_of(rng, rows)
        lam, sigma2 = lam / lam[0], float(rng.uniform(0.1, 0.6))
        S = np.diag(lam)
        g = ppca.gradient if objective == "ppca" else linear_vae.profile_gradient
        H = ppca.hessian if objective == "ppca" else linear_vae.profile_hessian
        size = starts // 3 + 1
        W = rng.standard_normal((size, rows, columns)) * np.exp(rng.uniform(-3, 0, (size, 1, 1)))
        roots = find_roots(partial(g, sigma2=sigma2, S=S), partial(H, sigma2=sigma2, S=S), W)
        for status in found:
            found[status] += roots.count(status)
        ended = roots.W[roots.status == CONVERGED]
        points = points_of(lam, columns, sigma2)
        distance, which = same_family(ended, points, lam)
        worst = max(worst, at_most(distance, 0.0, slack=MATCH))
        # A run that stalls must have stalled away from any root: a slow approach to one would be a root missed.
        slow = roots.residual[roots.status == STALLED]
        check((slow > 1e-7).all(), f"a run stalled at |g| = {slow.min(initial=1.0):.1e}, close to a root")
        listed += len(points)
        reached += len(set(which.tolist()))
    return found, listed, reached, worst


def check_nothing_else_is_met(record, objective, points_of, starts, seed):
    """Every root of a blind search is a listed point, and the search met enough of them to have met others."""
    found, listed, reached, worst = blind_search(objective, points_of, starts, seed)
    check(found[CONVERGED] >= starts // 3, f"too few runs converged to conclude anything: {found}")
    check(reached >= listed // 2, f"only {reached} of {listed} were met, so others might be missed")
    record(instances=sum(found.values()), worst_error=worst)
    record.witness(
        f"{sum(found.values())} starts, n <= 5, k <= 3: {found[CONVERGED]} converged, all to listed points "
        f"({reached} of {listed} met); {found[DIVERGED]} left for infinity; {found[STALLED]} stalled at local minima "
        "of the gradient's norm"
    )


@CONCLUSION.evidence(role="supports", kind="numeric")
def test_blind_root_finding_meets_no_other_point_of_the_elbo(record, thorough):
    check_nothing_else_is_met(record, "elbo", fixed_noise_families, thorough(2000, 10000), seed=11)


@ORTHOGONAL.evidence(role="supports", kind="numeric")
def test_blind_root_finding_meets_no_other_point_of_the_likelihood(record, thorough):
    def listed_points(lam, k, sigma2):
        return list(fixed_noise_points(lam, k, sigma2))

    check_nothing_else_is_met(record, "ppca", listed_points, thorough(2000, 10000), seed=12)


@CONCLUSION.evidence(role="control", kind="numeric")
def test_the_search_finds_what_a_shorter_list_leaves_out(record):
    """pPCA's points alone (orthogonal columns) are not all stationary points of the ELBO."""

    def orthogonal_only(lam, k, sigma2):
        return [p for p in fixed_noise_families(lam, k, sigma2) if p.orthogonal]

    with rejected():
        blind_search("elbo", orthogonal_only, 600, seed=11)
    with rejected():  # six starts are too few to have met the others
        check_nothing_else_is_met(record, "elbo", fixed_noise_families, 3, seed=11)
    record(instances=1)


@CONVERSE.evidence(role="control", kind="numeric")
def test_a_block_with_another_constant_is_not_stationary(record):
    """sqrt(m) = mean of sqrt(lam) is right without zero rows; the mean of lam itself is not."""
    lam, sigma2 = np.array([3.0, 2.0, 0.5]), 0.7
    point = Point("elbo", ordered([Block((0, 1), 2)], 2), sigma2, 0.0)
    W = weights(point, lam, np.eye(3))
    check(gradient_size(W, sigma2, np.diag(lam), learned=False) < PROMISED, "the right constant is stationary")
    wrong = np.sqrt(np.maximum((W @ W.T).diagonal() * (2.5 / block_constant(lam[:2], 2, sigma2)) ** 0.5, 0))
    scaled = W * (wrong / np.maximum(np.sqrt((W @ W.T).diagonal()), 1e-300))[:, None]
    with rejected():
        at_most(gradient_size(scaled, sigma2, np.diag(lam), learned=False), 0.0, slack=PROMISED)
    record(instances=1)


def image():
    """What S W is at a stationary point."""
    return W @ M @ inverse(E) @ M


@IMAGE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_gradient_of_the_profile_cleared_of_inverses_for_all_n_and_k(record):
    """C and M are invertible, so C (dP/dW) M vanishes iff dP/dW does."""
    cleared = reduce(expand(C, C) @ in_words.profile_gradient() @ M, gram)
    same(cleared, S @ W - image())
    with rejected():  # pPCA's: S W = W M
        same(cleared, S @ W - W @ M)
    with rejected():
        same(cleared, S @ W - W @ M @ M @ M)
    record(instances=1)
    record.witness("all n, k: dP/dW = 0 iff S W = W M diag(M)^-1 M")


@NORMS.evidence(role="supports", kind="symbolic", strength="proved")
def test_columns_that_are_not_orthogonal_have_equal_norms_for_all_n_and_k(record):
    """W^T (S W) is symmetric; M is invertible, so M commutes with its diagonal part: entry by entry, on two axes."""
    commutator = reduce(inverse(M) @ (W.T @ image() - image().T @ W) @ inverse(M), gram)
    same(commutator, M @ inverse(E) - inverse(E) @ M)
    e, f = unit_vector("e_i", k), unit_vector("e_j", k)
    m_i, m_j = sp.symbols("m_i m_j", positive=True)
    entries = relation(inverse(E) @ e, e / m_i), relation(inverse(E) @ f, f / m_j)
    entry = reduce(trace(e.T @ commutator @ f), *entries)
    same(entry, (1 / m_j - 1 / m_i) * trace(e.T @ M @ f))
    with rejected():
        same(entry, (1 / m_j + 1 / m_i) * trace(e.T @ M @ f))
    with rejected():  # what the likelihood asks for tells nothing of diag(M)
        same(reduce(inverse(M) @ (W.T @ W @ M - M @ W.T @ W) @ inverse(M), gram), commutator)
    record(instances=2)
    record.witness("all n, k: M diag(M)^-1 = diag(M)^-1 M, so M_ij = 0 or M_ii = M_jj")


@AXES.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_block_is_made_of_eigenvectors_for_all_n_and_k(record):
    """The image on the block's columns is W_b M_b^2/m; W_b = U L Q and multiplication by Q^T L^-1 give S U."""
    N = letter("M_b", k_b, k_b, "symmetric")  # all that is known before the factors are used
    on_block = relation(M @ P, P @ N), relation(inverse(E) @ P, P / m)
    same(reduce(image() @ P, *on_block), W @ P @ N @ N / m)
    gram_of_block = reduce((U @ L @ Q).T @ (U @ L @ Q) + sigma2 * identity(k_b), *FACTORS)
    same(gram_of_block, M_b)
    S_U = reduce(U @ L @ Q @ M_b @ M_b @ Q.T @ inverse(L) / m, *FACTORS)
    same(S_U, U @ T @ T / m)
    for wrong in (U @ T @ T, U @ T, U @ T @ L / m):
        with rejected():
            same(S_U, wrong)
    # Two blocks: W_b^T W_c = 0.
    k_c, q_c = sp.symbols("k_c q_c", integer=True, positive=True)
    V, K, O = letter("U_c", n, q_c), letter("L_c", q_c, q_c, "diagonal"), letter("Q_c", q_c, k_c)
    meet = inverse(L) @ Q @ ((U @ L @ Q).T @ (V @ K @ O)) @ O.T @ inverse(K)
    same(reduce(meet, *FACTORS, relation(O @ O.T, identity(q_c))), U.T @ V)
    with rejected():  # what is orthogonal is not the eigenvectors times their lengths
        same(reduce(meet, *FACTORS, relation(O @ O.T, identity(q_c))), L @ U.T @ V)
    record(instances=4)


def constant_of(r, columns, zeros, noise, sign=1):
    """The root of the quadratic for sqrt(m) with this sign."""
    return (r + sign * sp.sqrt(r**2 + 4 * columns * zeros * noise)) / (2 * columns)


@CONSTANT.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_trace_of_a_block_determines_its_constant(record):
    """k_b m = tr M_b = sum t_a + z_b sigma2, sum t_a = r sqrt(m): one positive root, whatever the numbers."""
    same(reduce(trace(M_b), *FACTORS), trace(T) + (k_b - q_b) * sigma2)
    lam, t, constant = sp.symbols("lam t m", positive=True)
    same(sp.solve(lam - t**2 / constant, t), [sp.sqrt(lam * constant)])
    r, columns, noise = sp.symbols("r k_b sigma2", positive=True)
    zeros = sp.Symbol("z_b", nonnegative=True)
    root, other = (constant_of(r, columns, zeros, noise, sign) for sign in (1, -1))
    y = sp.Symbol("y")
    vanishes(sp.expand(columns * (y - root) * (y - other)) - (columns * y**2 - r * y - zeros * noise))
    check(root.is_positive, "the root is positive")
    vanishes(root * other + zeros * noise / columns)  # so the other one is not
    # q_b = 0: z_b = k_b, r = 0, m = sigma2.  One column: z_b = 0, k_b = 1, m = lam.
    vanishes((columns * y**2 - zeros * noise).subs({y: sp.sqrt(noise), zeros: columns}))
    vanishes(root.subs({zeros: 0, columns: 1}) - r)
    for wrong in (r / columns, constant_of(r, columns, zeros, noise / 2), constant_of(r, columns, zeros, 2 * noise)):
        with rejected():
            vanishes(sp.expand(columns * wrong**2 - r * wrong - zeros * noise))
    with rejected():  # the zero rows left out
        same(reduce(trace(M_b), *FACTORS), trace(T))
    record(instances=7)


@CONVERSE.evidence(role="supports", kind="symbolic", strength="proved")
def test_blocks_have_the_image_of_a_stationary_point_for_all_n_and_k(record):
    """On the columns P of a block; R are the other columns, orthogonal to them, whatever they are."""
    cover = P @ P.T + R @ R.T  # the identity
    apart = relation(R.T @ W.T @ U, zero(k - k_b, q_b))
    gram_on_block = reduce(cover @ W.T @ W @ P + sigma2 * P, *FACTORED, *COVER, apart)
    same(gram_on_block, reduce(P @ M_b, *FACTORED))
    # The other relations of APART: W^T U, and the inverse of M on the block.
    same(reduce(cover @ W.T @ U, *FACTORED, *COVER, apart), P @ Q.T @ L)
    same(reduce(M_b @ M_b_inverse, *FACTORS), identity(k_b))
    # q_b = 0, zero columns: M is sigma2 there, and m = sigma2.
    zeros = relation(W @ P, zero(n, k_b)), relation(M @ P, sigma2 * P), relation(inverse(E) @ P, P / sigma2)
    same(reduce(image() @ P - S @ W @ P, *zeros), zero(n, k_b))
    with rejected():
        same(reduce(M_b @ M_b, *FACTORS), identity(k_b))
    moved = reduce(image() @ P, *FACTORED, *APART)
    same(moved, reduce(S @ W @ P, *FACTORED, *EIGENVECTORS))
    same(reduce(in_words.profile_gradient() @ P, *IN_BLOCK), 0 * W @ P)
    with rejected():  # eigenvectors with lam = t, as in the likelihood
        same(moved, reduce(S @ W @ P, *FACTORED, relation(S @ U, U @ T)))
    with rejected():
        same(moved, reduce(S @ W @ P, *FACTORED, relation(S @ U, 2 * U @ T @ T / m)))
    record(instances=6)
    record.witness(
        "all n, k, k_b, q_b: dP/dW = 0 on the columns of every block U (T - sigma2 I)^{1/2} Q, S U = U T^2/m"
    )


def check_rotation_to_the_mean(tangent, a, b, c, mean):
    """Of R^T [[a, c], [c, b]] R, R the rotation by theta, tan theta given: the first entry is `mean`."""
    cosine = 1 / sp.sqrt(1 + tangent**2)
    G = sp.Matrix([[cosine, -tangent * cosine], [tangent * cosine, cosine]])
    vanishes((G.T * G - sp.eye(2)).applyfunc(sp.simplify))
    turned = G.T * sp.Matrix([[a, c], [c, b]]) * G
    vanishes(sp.simplify(turned[0, 0] - mean))
    vanishes(sp.simplify(turned[1, 1] - (a + b - mean)))  # the trace stays, and so does the sum of the rest


@EXISTENCE.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_plane_rotation_brings_an_entry_to_the_mean(record):
    """The entries not yet at m sum to m times their number; after the rotation there is one less, and so they do again.

    tan theta solves (b - m) x^2 + 2 c x + (a - m) = 0, whose discriminant c^2 + (a - m)(m - b) is not negative.
    """
    mean, above, below = sp.Symbol("m", real=True), *sp.symbols("a-m m-b", positive=True)
    c = sp.Symbol("c", real=True)
    a, b = mean + above, mean - below
    discriminant = c**2 + above * below
    check(discriminant.is_positive, "the quadratic has real roots")
    check_rotation_to_the_mean((c + sp.sqrt(discriminant)) / below, a, b, c, mean)
    for wrong in ((c + sp.sqrt(discriminant)) / above, (sp.sqrt(discriminant) - c) / below):
        with rejected():
            check_rotation_to_the_mean(wrong, a, b, c, mean)
    open_entries = sp.Symbol("p", integer=True, positive=True)
    vanishes((open_entries * mean - mean) - (open_entries - 1) * mean)
    record(instances=4)
    record.witness("tan theta = [c + sqrt(c^2 + (a - m)(m - b))]/(m - b) takes [[a, c], [c, b]] to the first entry m")


@CHAIN.evidence(role="supports", kind="symbolic", strength="proved")
def test_what_rotations_make_of_the_eigenvalues_is_the_block_for_all_k_b_and_q_b(record):
    """The product of the rotations has the rows Q and O, and is orthogonal: Q^T Q + O^T O = I."""
    z_b = k_b - q_b
    O = letter("O", z_b, k_b)
    orthogonal = relation(O.T @ O, identity(k_b) - Q.T @ Q)
    rotated = Q.T @ T @ Q + O.T @ (sigma2 * identity(z_b)) @ O
    same(reduce(rotated, orthogonal), M_b)
    with rejected():  # zero rows without the noise
        same(Q.T @ T @ Q, M_b)
    # One more rotation: a product of two orthogonal matrices is one.
    A, B = letter("A", k_b, k_b), letter("B", k_b, k_b)
    both = relation(A.T @ A, identity(k_b)), relation(B.T @ B, identity(k_b))
    same(reduce((A @ B).T @ (A @ B), *both), identity(k_b))
    # At a constant diagonal m the sum is k_b m, as it was: rotations leave the trace.
    same(reduce(trace(M_b), *FACTORS), trace(T) + z_b * sigma2)
    record(instances=3)


@EXISTENCE.evidence(role="supports", kind="numeric")
def test_the_rotations_built_have_a_constant_diagonal(record, thorough):
    rng = np.random.default_rng(5)
    for _ in range(thorough(200, 2000)):
        spectrum = rng.gamma(0.8, 1.0, int(rng.integers(2, 7))) + 0.1
        built = constant_diagonal_rotation(spectrum)
        agree(built.T @ built, np.eye(len(spectrum)), tolerance=1e-14 * len(spectrum))
        diagonal = ((built.T * spectrum) @ built).diagonal()
        record(worst_error=agree(diagonal, np.full(len(spectrum), spectrum.mean()), tolerance=1e-14 * len(spectrum)))
    with rejected():  # of the last one: without the rotations
        agree(spectrum, np.full(len(spectrum), spectrum.mean()), tolerance=1e-14 * len(spectrum))


def check_raises_the_mean(scales, as_noise):
    check((scales - as_noise).expand().is_positive, "t_a > sigma2 raises the mean above sigma2")


def check_retained(lam):
    """The block of two columns on both eigenvalues at sigma2 = 1, exactly: real, stationary, and not orthogonal."""
    root_m = sum(sp.sqrt(x) for x in lam) / 2
    t = [sp.sqrt(x) * root_m for x in lam]
    check(all(x > 1 for x in t), "t_a does not exceed sigma2")
    W_ = sp.diag(*(sp.sqrt(x - 1) for x in t)) * sp.Matrix([[1, 1], [1, -1]]) / sp.sqrt(2)
    M_ = (W_.T * W_ + sp.eye(2)).applyfunc(sp.nsimplify)
    same(M_[0, 0], M_[1, 1])
    check(M_[0, 1] != 0, "the columns are orthogonal")
    vanishes((sp.diag(*lam) * W_ - W_ * M_ * M_ / M_[0, 0]).applyfunc(sp.simplify))


@LOW.evidence(role="supports", kind="symbolic", strength="proved")
def test_an_exact_block_that_retains_an_eigenvalue_below_the_noise(record):
    check_retained((sp.Integer(4), sp.Rational(81, 100)))
    for lam in ((sp.Integer(4), sp.Rational(1, 100)), (sp.Integer(4), sp.Integer(4))):  # too low; orthogonal columns
        with rejected():
            check_retained(lam)
    record(instances=1)
    record.witness("lam = (4, 0.81), sigma2 = 1: t = (2.9, 1.305), both retained by one block of two columns")


@ORTHOGONAL.evidence(role="supports", kind="symbolic", strength="proved")
def test_when_the_columns_of_a_block_are_orthogonal_for_all_n_and_k(record):
    """M_b = m I iff T = m I (as Q M_b = T Q) and, where Q x = 0 for some x, sigma2 = m, which t_a > sigma2 forbids."""
    same(reduce(Q @ M_b, *FACTORS), reduce(T @ Q, *FACTORS))  # so T Q = m Q, T = m I by Q Q^T = I
    x = unit_vector("x", k_b)
    null = reduce(M_b @ x, *FACTORS, relation(Q @ x, zero(q_b, 1)))
    same(null, sigma2 * x)  # so m = sigma2 if there is such an x
    equal = substitute(M_b, {"T": m * identity(q_b)})
    same(reduce(equal, relation(Q.T @ Q, identity(k_b))), m * identity(k_b))  # z_b = 0: Q is orthogonal
    t, noise, total = sp.symbols("t-sigma2 sigma2 q", positive=True)
    # With a zero row m = sigma2, but the trace says k_b m = sum t + z_b sigma2 > k_b sigma2 if q_b > 0.
    check_raises_the_mean(total * (t + noise), total * noise)
    with rejected():  # t_a < sigma2
        check_raises_the_mean(total * (noise - t), total * noise)
    with rejected():  # a zero row among equal t
        same(equal, m * identity(k_b))
    with rejected():
        same(null, m * x)
    # Columns that are all orthogonal: M = diag(M), and the two objectives ask for the same.
    K = letter("K", k, k, "diagonal")
    orthogonal = relation(W.T @ W, K - sigma2 * identity(k))
    for gradient in (in_words.profile_gradient(), likelihood_in_words.gradient_in_latents()):
        found = reduce(substitute(gradient, {"M": K}), orthogonal)
        same(found, reduce(substitute(likelihood_in_words.gradient_in_latents(), {"M": K}), orthogonal))
    with rejected():  # without it they do not
        same(reduce(in_words.profile_gradient(), *LIKELIHOOD_POINT), 0 * W)
    record(instances=5)


def check_shares(A):
    """tr A is the share of one block and that of all other columns: of all blocks, one after the other."""
    shares = trace(P.T @ A @ P) + trace(R.T @ A @ R)
    same(reduce(shares, relation(R @ R.T, identity(k) - P @ P.T)), trace(A))
    with rejected():  # columns that neither holds
        same(shares, trace(A))


def above_zero():
    """P(W) - L(0), for every W."""
    at_zero = -(trace(S) / sigma2 + Scalar(n * sp.log(2 * sp.pi * sigma2))) / 2
    return in_words.profile_elbo() - at_zero


@VALUE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_values_add_up_over_the_blocks_for_all_n_and_k(record):
    """A trace is the sum of its shares over the blocks, and log det diag(M) that of k_b log m_b."""
    check_shares(inverse(M) @ W.T @ S @ W)
    fit = trace(inverse(M) @ W.T @ S @ W) / (2 * sigma2)
    same(above_zero(), fit - (log_det(diag(M)) - k * sp.log(sigma2)) / 2)
    share = reduce(trace(P.T @ inverse(M) @ W.T @ S @ W @ P), *IN_BLOCK)
    retained = T @ T / m  # lam_a
    same(share / sigma2, -(trace(retained @ inverse(T)) - trace(retained) / sigma2))
    for wrong in (trace(retained @ inverse(T)), trace(T) - trace(retained) / sigma2):
        with rejected():
            same(share / sigma2, -wrong)
    with rejected():  # the likelihood's normaliser
        same(above_zero(), fit - (log_det(M) - k * sp.log(sigma2)) / 2)
    record(instances=2)


@VALUE.evidence(role="supports", kind="numeric")
def test_the_value_of_every_family_is_the_profile_there(record):
    for at in landscapes(30, most_n=5, most_k=4, seed=14):
        for point in fixed_noise_families(at.lam, at.k, at.sigma2):
            expected = -(at.n * np.log(2 * np.pi * at.sigma2) + at.lam.sum() / at.sigma2) / 2
            for block in point.blocks:
                lam = at.lam[list(block.eigen)]
                constant = block_constant(lam, block.columns, at.sigma2)
                shares = (lam * (1 / np.sqrt(lam * constant) - 1 / at.sigma2)).sum()
                expected -= (block.columns * np.log(constant / at.sigma2) + shares) / 2
            found = linear_vae.profile_elbo(weights(point, at.lam, at.U), at.sigma2, at.S)
            record(worst_error=agree(found, expected, tolerance=1e-11, scale=abs(expected) + at.lam.sum() / at.sigma2))


def twice_noise_gradient():
    """2 sigma2^2 dP/dsigma2 at every stationary block: it equals tr S - tr(M^2 diag(M)^-1) - (n - k) sigma2."""
    return 2 * sigma2**2 * reduce(in_words.profile_noise_gradient(), *BLOCK_POINT)


@NOISE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_noise_equation_for_all_n_and_k(record):
    """tr(M^2 diag(M)^-1) is, block by block, the sum of the retained lam_a = t_a^2/m and, z_b times, sigma2^2/m."""
    same(twice_noise_gradient(), trace(S) - trace(M @ M @ inverse(diag(M))) - (n - k) * sigma2)
    check_shares(M @ M @ inverse(E))
    share = reduce(trace(P.T @ M @ M @ inverse(E) @ P), *IN_BLOCK)
    same(share, trace(T @ T) / m + (k_b - q_b) * sigma2**2 / m)
    same(reduce(trace(U.T @ S @ U), *IN_BLOCK), trace(T @ T) / m)  # the retained eigenvalues of the block
    with rejected():
        same(share, trace(T @ T) / m + (k_b - q_b) * sigma2)
    # In all: tr S is the sum of the retained and of the discarded lam, Z that of z_b/m_b.
    discarded, retained, Z = sp.symbols("discarded retained Z")
    found = (retained + discarded) - (retained + sigma2**2 * Z) - (n - k) * sigma2
    vanishes(sp.expand(found - sigma2**2 * (discarded / sigma2**2 - Z - (n - k) / sigma2)))
    # Zero columns by themselves have m = sigma2: (n - k)/s + (k - q)/s = sum/s^2 is the mean of the discarded.
    s, q, total = sp.symbols("s q Sigma", positive=True)
    same(sp.solve((n - k) / s + (k - q) / s - total / s**2, s), [total / (n - q)])
    record(instances=4)
    record.witness("all n, k: 2 sigma2^2 dP/dsigma2 = tr S - tr(M^2 diag(M)^-1) - (n - k) sigma2 at stationary W")


@NOISE.evidence(role="control", kind="symbolic")
def test_slips_in_the_noise_equation_are_rejected(record):
    for wrong in (
        trace(S) - trace(M) - (n - k) * sigma2,  # pPCA's, where the columns are orthogonal
        trace(S) - trace(M @ M @ inverse(diag(M))) - n * sigma2,
        trace(S) - trace(M @ M @ inverse(diag(M))) + (n - k) * sigma2,
    ):
        with rejected():
            same(twice_noise_gradient(), wrong)
    record(instances=1)


@NOISE.evidence(role="supports", kind="numeric")
def test_the_noise_equation_solved_is_the_noise_of_the_families(record):
    for at in landscapes(20, most_n=5, most_k=3, seed=13):
        for point in learned_noise_families(at.lam, at.k):
            W_, s = weights(point, at.lam, at.U), point.sigma2
            M_ = W_.T @ W_ + s * np.eye(at.k)
            zero = at.lam.sum() - ((M_ @ M_).diagonal() / M_.diagonal()).sum() - (at.n - at.k) * s
            record(instances=1, worst_error=agree(zero, 0.0, tolerance=1e-12 * at.lam.sum()))


@CONVERSE.evidence(role="supports", kind="numeric")
def test_the_gradient_vanishes_at_fifty_digits(record):
    """lam = (3, 2), two columns: sqrt(m) = (sqrt 3 + sqrt 2)/2; the block built and differentiated at 60 digits."""
    with mpmath.workdps(60):
        lam, s = [mpmath.mpf(3), mpmath.mpf(2), mpmath.mpf("0.5")], mpmath.mpf("0.7")
        root_m = (mpmath.sqrt(lam[0]) + mpmath.sqrt(lam[1])) / 2
        t = [mpmath.sqrt(x) * root_m for x in lam[:2]]
        W = mpmath.zeros(3, 2)
        for row in range(2):  # Q rotates by 45 degrees: both diagonal entries become the mean
            size = mpmath.sqrt((t[row] - s) / 2)
            W[row, 0], W[row, 1] = size, size if row == 0 else -size
        M = W.T * W + s * mpmath.eye(2)
        spread = mpmath.diag([M[i, i] for i in range(2)])
        C = W * W.T + s * mpmath.eye(3)
        g = C**-1 * mpmath.diag(lam) * C**-1 * W - C**-1 * W - W * (spread**-1 - M**-1)
        size = max(abs(x) for x in g)
    record(instances=1, worst_error=at_most(float(size), 0.0, slack=1e-50))
    ours = weights(Point("elbo", ordered([Block((0, 1), 2)], 2), 0.7, 0.0), np.array([3.0, 2.0, 0.5]), np.eye(3))
    record(worst_error=agree(ours @ ours.T, np.array((W * W.T).tolist(), dtype=float), tolerance=1e-14))


USED = {
    "profile": "flat_ELBO <-> optimal & flat_P",
    "svd": "factored",
    "jacobi": "derivative_of_log_det",
    "components": "equal_along_edges -> constant_on_blocks",  # blocks: the components of the graph M_ij != 0
    "mean": "all_at_m | one_above_and_one_below",
    "descent": "all_at_m | one_more_at_m -> rotated_to_m",  # a state of the diagonal: final, or it can be moved on
}


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_give_both_directions(record):
    both_ways = "(flat_ELBO & optimal & blocks | ~flat_ELBO & ~(optimal & blocks))"
    count = concludes(CLAIM, f"{both_ways} & Q_exists", USED)
    with rejected():  # without the encoder nothing follows
        concludes(CLAIM, "(flat_ELBO & blocks | ~flat_ELBO & ~blocks) & Q_exists", USED)
    with rejected():  # edges that join columns of different norm
        concludes(CLAIM, f"{both_ways} & Q_exists", USED | {"components": "constant_on_blocks -> equal_along_edges"})
    with rejected():  # rotations that need not end
        concludes(CLAIM, f"{both_ways} & Q_exists", USED | {"descent": "all_at_m & one_more_at_m -> rotated_to_m"})
    record(instances=count)


@CONVERSE.evidence(role="supports", kind="certificate", strength="certified")
@pytest.mark.parametrize("name", certificates.LANDSCAPES)
def test_one_stationary_point_lies_within_1e_48_of_every_isolated_family(record, name):
    """In balls, W to 77 digits from the closed form: there is one, and no other. Near a family that turns are more."""
    pytest.importorskip("flint")
    at = certificates.LANDSCAPES[name]
    families = fixed_noise_families(np.array([float(x) for x in at.lam]), at.k, float(at.noise))
    for point in families:
        stated = certificates.Stated(at.lam, point, at.noise)
        if certificates.isolated(point):
            certified(stated.stationary())
            record(instances=1)
        else:
            with rejected():
                certified(stated.stationary())
    point = next(p for p in families if not p.orthogonal)
    held = next(b for b in point.blocks if b.columns > 1).eigen
    other = list(at.lam)
    other[held[0]] = at.lam[held[0]] + Fraction(1, 10**9)
    right = certificates.Stated(at.lam, point, at.noise).W
    for wrong in (with_another_constant(right, held, at.noise), exact_weights(point, other, at.noise)):
        with rejected():
            certified(certificates.Stated(at.lam, point, at.noise, W=wrong).stationary())


def with_another_constant(W, rows, noise):
    """W with m_b larger by 1e-3: t_a, which is the squared norm of row a and sigma2, nearly by half of that."""
    wrong = W.copy()
    for a in rows:
        square = sum(x * x for x in W[a].tolist())
        wrong[a] = W[a] * Fraction(float(1 + Fraction(1, 2000) * (square + noise) / square) ** 0.5)
    return wrong


@LOW.evidence(role="supports", kind="certificate", strength="certified")
def test_in_balls_a_block_retains_an_eigenvalue_below_the_noise(record):
    pytest.importorskip("flint")
    lam, noise = (Fraction(4), Fraction(81, 100)), Fraction(1)
    point = Point("elbo", ordered([Block((0, 1), 2)], 2), 0.0, 0.0)
    stated = certificates.Stated(lam, point, noise)
    certified(stated.stationary())
    check(all((stated.W[1] != 0).tolist()), "the second eigenvalue is retained")
    with rejected():  # 1/4 is too far below it: t = sqrt(1/4) (2 + 1/2)/2 < 1
        certified(certificates.Stated((Fraction(4), Fraction(1, 4)), point, noise).stationary())
    record(instances=1)


def check_noise_in_balls(at, point, noise):
    """One joint stationary point lies near the family at this noise."""
    certified(certificates.Stated(at.lam, point, noise, learned=True).stationary())


@NOISE.evidence(role="supports", kind="certificate", strength="certified")
@pytest.mark.parametrize("name", certificates.LANDSCAPES)
def test_in_balls_the_noise_of_every_isolated_family_is_stationary(record, name):
    """Those whose noise is a fraction: no block of them has zero rows, and it is the mean of the discarded."""
    pytest.importorskip("flint")
    at = certificates.LANDSCAPES[name]
    for point in learned_noise_families(np.array([float(x) for x in at.lam]), at.k):
        if not certificates.isolated(point) or any(b.zeros and b.eigen for b in point.blocks):
            continue
        noise = certificates.noise_at_rest(at, point.retained)
        check_noise_in_balls(at, point, noise)
        record(instances=1)
        with rejected():
            check_noise_in_balls(at, point, noise * (1 + Fraction(1, 10**9)))
