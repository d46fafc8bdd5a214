"""The path of App. C.2: does the ELBO rise along a small rotation towards the R that orthogonalises the columns?

Statement   the paper: at a stationary point W = U K R^T with columns that are not orthogonal, W exp(eps log R) has a
            larger ELBO for small eps, the encoder changed with it ("and D and V"): a larger profile ELBO P. It has if R
            and the log R taken are zero outside the blocks of M (the components of M_ij != 0), so that det R = 1 in
            each: such an R always exists. Not for every R: there is a point at which all four R of the descending
            singular value decomposition with det R = 1 lower P, and so the ELBO whatever the encoder, whichever
            logarithm is taken.
Hypotheses  sigma2 > 0; W stationary (claim elbo-points).
Source      Lucas et al. 2019, Sec. 4.2 and App. C.2; theory 3.7, 9; docs/mathematics.md, "The paper's path".
Method      inside the blocks L, log det M and the trace of each block stay, so that -1/2 sum log M_ii can only rise
            from a constant diagonal, by concavity, and does wherever it is not constant.  It is analytic in eps and not
            constant at eps = 1, so it is not constant at any small eps but 0.  No second derivative is needed.
            The point that refutes "any R": lam = (3, 2, 4, .5, .4), sigma2 = .7; columns 1, 2 the block of lam 3, 2;
            column 3 plain on lam 4.  The sign of the second derivative in ball arithmetic; the change itself at 50
            digits; certificates for others of its kind.
"""

from fractions import Fraction
from itertools import permutations, product

import mpmath
import numpy as np
import pytest
import sympy as sp
from scipy.linalg import expm
from scipy.spatial.transform import Rotation

from proofs.lucas_2019.linear_vae.rotations import flipped_to_a_rotation, generator
from proofs.machinery.checks import agree, at_most, certified, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems import certificates
from proofs.problems.spectra import landscapes
from verify.certify.checker.balls import diagonal, flint, precision
from verify.certify.propose.stationary import exact_weights
from verify.landscape.families import fixed_noise_families
from verify.landscape.points import Block, Point, weights
from verify.models import linear_vae
from verify.symbolic import linear_vae as in_words
from verify.symbolic import ppca as likelihood_in_words
from verify.symbolic.differentials import differential
from verify.symbolic.letters import C, M, S, W, gram, k, n, sigma2
from verify.symbolic.matrix_calculus import diag, identity, inverse, letter
from verify.symbolic.relations import reduce, relation
from verify.symbolic.traces import log_det, trace

CLAIM = Claim(
    id="theorem-1-path",
    source="Sec. 4.2, App. C.2",
    statement="at a non-orthogonal stationary point a small rotation towards the R of the SVD raises the ELBO",
    hypotheses="W stationary, and at each W the encoder that is best for it (the profile ELBO P)",
    section="The linear VAE",
    rests_on=("elbo-points", "rotation-construction"),
    trusts=("identity-theorem", "spectral"),
    quote="However, the ELBO can always be increased by applying an infinitesimal rotation to the right-singular "
    "vectors of the decoder towards identity ... Suppose we have such a stationary point, using the singular value "
    "decomposition we can write W = ULRT , where U and R are orthogonal matrices. ... We now describe how to "
    "construct such a small rotation matrix. First note that without loss of generality we can assume that det(R) = "
    "1. ... This means that we can find ... an upper-triangular matrix B, such that R = exp{B − BT }. Consider R = "
    "exp{ n() (B − BT )}, where n() is an integer chosen to ensure that the elements of B are within > 0 of zero. "
    "This matrix is a rotation in the direction of R ... Thus, we have identified a small perturbation to W (and D "
    "and V) which decreases the posterior KL (A) but keeps the log marginal likelihood constant. Thus, the ELBO "
    "increases and the stationary point must be a saddle point.",
    fault="missing hypothesis",
    finding="it is enough that R and its logarithm turn columns only inside the blocks of M, so with determinant 1 in "
    "each: such an R always exists, and the ELBO, its encoder best at each W, rises for all small steps towards "
    "it, while towards an R of the singular value decomposition that mixes blocks it may fall. Theorem 1 stands",
)
INSTANCE = CLAIM.step(
    "instance",
    "there is a stationary point with columns that are not orthogonal at which, for every R of the descending singular "
    "value decomposition with det R = 1 and every skew log R, the profile ELBO falls along W exp(eps log R) at all "
    "small eps != 0",
    place="The paper's path",
)
EXISTS = CLAIM.step(
    "good-rotation",
    "for every W there is R = exp(B) with R and B zero outside the blocks of M, B skew, det R_b = 1, "
    "and W R with orthogonal columns",
    says="diagonalisable & logarithms -> good_path",
    place="The paper's path",
)
KEPT = CLAIM.step(
    "kept",
    "along W exp(eps B) L and log det M stay, for every skew B, and where B is zero outside the blocks the trace of "
    "each block of M stays too, for all n, k, k_b",
    says="good_path -> only_diagonal & trace_kept",
    place="The paper's path",
)
MOVES = CLAIM.step(
    "moves",
    "where W is stationary the diagonal of M is constant in each block at eps = 0 and, unless the columns are "
    "orthogonal, not in each at eps = 1: being analytic, not at any small eps != 0",
    says="good_path & equal_norms & ~orthogonal & isolated_zeros -> moves",
    place="The paper's path",
)
CONCAVE = CLAIM.step(
    "concave",
    "among diagonals of a given sum -sum log M_ii is least where all are equal, and there alone; to rotate two "
    "orthogonal columns, M_ii = a and M_jj = b, by t makes a b into a b + (a - b)^2 sin^2 t cos^2 t, so that -sum log "
    "M_ii falls if a != b and sin 2t != 0",
    says="only_diagonal & trace_kept & equal_norms & moves -> rises",
    place="The paper's path",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "at every stationary point with columns that are not orthogonal the profile ELBO P, the ELBO with the encoder that "
    "is best at each W, is larger at W exp(eps B) than at W for all small eps != 0, B the logarithm of that R",
    place="The paper's path",
)

LAM, SIGMA2, STEP = (3.0, 2.0, 4.0, 0.5, 0.4), 0.7, 0.01


def instance():
    """W (5, 3), stationary, its first two columns not orthogonal; S = diag(LAM)."""
    t = np.sqrt(LAM[:2]) * (np.sqrt(3) + np.sqrt(2)) / 2
    W = np.zeros((5, 3))
    W[0, :2] = np.sqrt((t[0] - SIGMA2) / 2)
    W[1, :2] = np.sqrt((t[1] - SIGMA2) / 2) * np.array([1, -1])
    W[2, 2] = np.sqrt(LAM[2] - SIGMA2)
    return W


def rotations(orders):
    """Every R with W R orthogonal and det R = 1: right singular vectors in each order, with each choice of signs."""
    R = np.linalg.svd(instance())[2].T
    for order in orders:
        for signs in product((1, -1), repeat=3):
            candidate = R[:, list(order)] * signs
            if np.linalg.det(candidate) > 0:
                yield candidate


def logarithm(R):
    """log R, real and skew: the cross product with the rotation vector (half turns included)."""
    x, y, z = Rotation.from_matrix(R).as_rotvec()
    B = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    agree(expm(B), R, tolerance=1e-12)
    return B


def change(B, step=STEP):
    """P(W exp(step B)) - P(W)."""
    W, S = instance(), np.diag(LAM)
    moved = linear_vae.profile_elbo(W @ expm(step * B), SIGMA2, S)
    return float(moved - linear_vae.profile_elbo(W, SIGMA2, S))


def check_falls(B):
    """The step lowers the ELBO, beyond rounding."""
    return at_most(change(B), -1e-8)


def plane_rotation():
    B = np.zeros((3, 3))
    B[0, 1], B[1, 0] = -1.0, 1.0
    return B


# The instance exactly: t_a = sqrt(lam_a m), sqrt(m) = (sqrt 3 + sqrt 2)/2, M = [[m, c, 0], [c, m, 0], [0, 0, 4]].
T_1, T_2 = sp.symbols("t_1 t_2", positive=True)
NOISE = sp.Rational(7, 10)


def curvature_of(B, M_):
    """d^2 P(W exp(eps B))/deps^2 at eps = 0 from M, B skew: 1/2 sum (dM_ii/M_ii)^2 - 1/2 sum ddM_ii/M_ii."""
    dM = M_ @ B - B @ M_
    ddM = dM @ B - B @ dM
    return sum((dM[i, i] / M_[i, i]) ** 2 - ddM[i, i] / M_[i, i] for i in range(len(M_))) / 2


@INSTANCE.evidence(role="refutes", kind="symbolic")
def test_slope_and_curvature_along_a_rotation_for_all_n_and_k(record):
    """W' = W B, W'' = W B B for any skew B: the formulas that the balls below evaluate, from the derived gradient."""
    B = letter("B", k, k) - letter("B", k, k).T
    slope = trace((W @ B).T @ in_words.profile_gradient())
    curvature = differential(slope, W, W @ B)
    E, dM = inverse(diag(M)), M @ B - B @ M
    ddM = dM @ B - B @ dM
    same(reduce(slope, gram), reduce(trace(dM @ E) / -2, gram))
    expected = trace(diag(dM) @ E @ diag(dM) @ E) / 2 - trace(ddM @ E) / 2
    same(reduce(curvature, gram), reduce(expected, gram))
    with rejected():
        same(reduce(curvature, gram), reduce(expected + trace(ddM @ E), gram))
    with rejected():
        same(reduce(curvature, gram), reduce(2 * expected, gram))
    record(instances=2)


def ball(*value):
    """A number as a ball: midpoint, radius.  The test is skipped where python-flint is missing."""
    return pytest.importorskip("flint").arb(*value)


def ball_of_m(third="4"):
    """M (3, 3) at the instance, in balls; or with another eigenvalue for its third column."""
    root = [ball(x).sqrt() for x in (3, 2)]
    y = (root[0] + root[1]) / 2
    m, c = y * y, (root[0] - root[1]) * y / 2
    zero = ball(0)
    return np.array([[m, c, zero], [c, m, zero], [zero, zero, ball(third)]], dtype=object)


def ball_rotations(third_comes_first=True):
    """The R with det R = 1 whose columns are, with signs, e_3, (1, 1, 0)/sqrt 2 and (1, -1, 0)/sqrt 2, or e_3 second.

    With e_3 first they are those of the descending decomposition of the instance.
    """
    zero, one, half = ball(0), ball(1), 1 / ball(2).sqrt()
    R = np.array([[zero, half, half], [zero, half, -half], [one, zero, zero]], dtype=object)
    det = -1  # of the columns as written: 1 * (-1/2 - 1/2)
    if not third_comes_first:
        R, det = R[:, [1, 0, 2]], -det
    for signs in product((1, -1), repeat=3):
        if det * np.prod(signs) > 0:
            yield R * np.array(signs)


def check_logarithms_are_along(direction):
    """direction(exp A) = 2 (sin w/w) A, and tr exp(A) = 1 + 2 cos w, for every skew A (3, 3) of angle w."""
    a, b, c, w = *sp.symbols("a b c", real=True), sp.Symbol("w", positive=True)
    A = sp.Matrix([[0, -c, b], [c, 0, -a], [-b, a, 0]])
    vanishes((A**3 + (a**2 + b**2 + c**2) * A).applyfunc(sp.expand))
    # By A^3 = -w^2 A the series is this polynomial in A (Rodrigues): the odd terms sum to sin w/w, the even ones to
    # (1 - cos w)/w^2.
    m = sp.Symbol("m", integer=True, nonnegative=True)
    odd = sp.summation((-1) ** m * w ** (2 * m) / sp.factorial(2 * m + 1), (m, 0, sp.oo))
    even = sp.summation((-1) ** m * w ** (2 * m) / sp.factorial(2 * m + 2), (m, 0, sp.oo))
    vanishes(odd - sp.sin(w) / w)
    vanishes(even - (1 - sp.cos(w)) / w**2)
    turn = sp.eye(3) + sp.sin(w) / w * A + (1 - sp.cos(w)) / w**2 * A * A
    vanishes((direction(turn) - 2 * sp.sin(w) / w * A).applyfunc(sp.expand))
    vanishes(sp.expand(turn.trace().subs(a, sp.sqrt(w**2 - b**2 - c**2)) - 1 - 2 * sp.cos(w)))


def check_surely_negative(ball):
    check(ball < 0, f"{ball} is not surely negative")


@INSTANCE.evidence(role="refutes", kind="certificate", strength="proved")
def test_every_r_of_the_descending_decomposition_falls_in_ball_arithmetic(record):
    """A rotation of three axes, no half turn and not I, has log R = w/(2 sin w) (R - R^T) for every skew logarithm.

    w is any angle of it, sin w != 0: a skew A (3, 3) of angle w has A^3 = -w^2 A, and so exp(A) - exp(-A) = 2 (sin w/w)
    A, tr exp(A) = 1 + 2 cos w. So the curvature along log R is (w/(2 sin w))^2 times that along R - R^T, and the slope
    is 0, the point being stationary; the formula of the curvature is the one derived above.
    """
    check_logarithms_are_along(lambda R: R - R.T)
    with rejected():
        check_logarithms_are_along(lambda R: 2 * (R - R.T))
    # Stationary: W_1, W_2 = sqrt((t_a - s)/2) (1, +-1), so that S W = W M^2/m where lam_a = t_a^2/m, m = (t_1 + t_2)/2.
    m, c = (T_1 + T_2) / 2, (T_1 - T_2) / 2
    M_ = sp.Matrix([[m, c], [c, m]])
    rows = sp.Matrix([[1, 1], [1, -1]])
    sizes = sp.diag(*((t - NOISE) / 2 for t in (T_1, T_2)))  # squared lengths of the rows
    vanishes((rows.T * sizes * rows + NOISE * sp.eye(2) - M_).applyfunc(sp.simplify))
    vanishes((sp.diag(T_1**2 / m, T_2**2 / m) * rows - rows * M_ * M_ / m).applyfunc(sp.simplify))
    vanishes(rows * M_ - sp.diag(T_1, T_2) * rows)  # (1, +-1) are the eigenvectors: the R below are right
    y = (sp.sqrt(3) + sp.sqrt(2)) / 2
    values = {T_1: sp.sqrt(3) * y, T_2: sp.sqrt(2) * y}
    vanishes(m.subs(values) - y**2)
    for t, lam in ((T_1, 3), (T_2, 2)):
        vanishes((t**2 / m).subs(values) - lam)
    check((values[T_2] - NOISE).is_positive, "t_a > sigma2")
    exact, balls = ball_of_m(), []
    check(exact[0, 1] > 0, "the columns are not orthogonal")
    check(exact[0, 0] + exact[0, 1] < 4, "the column of lam = 4 is the longest, so it comes first")
    for R in ball_rotations():
        diagonal = R.T @ exact @ R
        check(all(diagonal[i, j].contains(0) for i in range(3) for j in range(3) if i != j), "W R is orthogonal")
        turn = (np.trace(R) - 1) / 2  # cos of the angle: neither 1 nor -1
        check(abs(turn) < 1, "no half turn")
        balls.append(curvature_of(R - R.T, exact))
        check_surely_negative(balls[-1])
    same(len(balls), 4)
    # The plane rotation of columns 1, 2 must not pass, nor a ball that holds 0.
    plane = np.array([[ball(x) for x in row] for row in plane_rotation().astype(int).tolist()], dtype=object)
    for wrong in (curvature_of(plane, exact), ball(0, 1), -balls[0]):
        with rejected():
            check_surely_negative(wrong)
    record(instances=4)
    shown = ", ".join(sorted({ball.str(6, radius=False) for ball in balls}))
    record.witness(
        f"lam = {LAM}, sigma2 = {SIGMA2}, columns 1, 2 the block of lam 3, 2, column 3 plain on lam 4: along R - R^T, "
        f"R each of the four of the descending SVD with det 1, d2P/deps2 = {shown}, in balls"
    )


@INSTANCE.evidence(role="control", kind="certificate")
def test_all_four_mix_the_blocks_and_rise_where_the_third_eigenvalue_is_another():
    """lam_3 = 2.47 for 4: to keep to the blocks is enough for a rise, and not needed."""
    exact, risen = ball_of_m("2.47"), []
    check(exact[0, 0] + exact[0, 1] > exact[2, 2] > exact[0, 0] - exact[0, 1], "its column is the second longest")
    for R in ball_rotations(third_comes_first=False):
        check(R[2, 1] ** 2 > 0 and R[0, 2] ** 2 > 0, "columns 2 and 3 of W R are of the other block")
        check(abs((np.trace(R) - 1) / 2) < 1, "no half turn")
        curvature = curvature_of(R - R.T, exact)
        check(curvature > 0, f"{curvature} is not surely positive")
        with rejected():
            check_surely_negative(curvature)
        risen.append(curvature)
    same(len(risen), 4)


@INSTANCE.evidence(role="refutes", kind="numeric")
def test_every_choice_of_signs_of_the_descending_svd_falls(record):
    W, S = instance(), np.diag(LAM)
    agree(linear_vae.profile_gradient(W, SIGMA2, S), np.zeros((5, 3)), tolerance=1e-14)
    off = (W.T @ W)[0, 1]
    check(abs(off) > 0.1, "the instance's columns are not orthogonal")
    falls = []
    for R in rotations([(0, 1, 2)]):
        gram_ = (W @ R).T @ (W @ R)
        agree(gram_, np.diag(np.diag(gram_)), tolerance=1e-13)
        check_falls(logarithm(R))
        falls.append(change(logarithm(R)))
        record(instances=1)
    check(len(falls) == 4, "four choices of signs have determinant 1")
    changes = ", ".join(f"{x:.2e}" for x in falls)
    record.witness(
        f"W exp({STEP} log R) changes P by {changes} for the four R of the descending SVD with det 1; "
        f"the plane rotation of columns 1, 2 by +-{STEP} changes it by {change(plane_rotation()):+.2e}"
    )


@INSTANCE.evidence(role="refutes", kind="numeric")
def test_the_fall_stands_at_fifty_digits(record):
    """From the definition: n x n determinant and inverse."""
    with mpmath.workdps(50):
        lam, s = [mpmath.mpf(x) for x in ("3", "2", "4", "0.5", "0.4")], mpmath.mpf("0.7")
        root_m = (mpmath.sqrt(3) + mpmath.sqrt(2)) / 2
        W = mpmath.zeros(5, 3)
        for row, sign in ((0, 1), (1, -1)):
            size = mpmath.sqrt((mpmath.sqrt(lam[row]) * root_m - s) / 2)
            W[row, 0], W[row, 1] = size, sign * size
        W[2, 2] = mpmath.sqrt(lam[2] - s)

        def profile(w):
            C, M_ = w * w.T + s * mpmath.eye(5), w.T * w + s * mpmath.eye(3)
            fit = mpmath.fsum((C**-1)[i, i] * lam[i] for i in range(5))
            gap = (mpmath.fsum(mpmath.log(M_[i, i]) for i in range(3)) - mpmath.log(mpmath.det(M_))) / 2
            return -(mpmath.log(mpmath.det(C)) + fit) / 2 - gap

        for R in rotations([(0, 1, 2)]):
            # The float64 logarithm is exactly skew and so a direction; what it does is evaluated at 50 digits.
            B = mpmath.matrix(logarithm(R).tolist())
            fall = profile(W * mpmath.expm(B * mpmath.mpf(STEP))) - profile(W)
            at_most(float(fall), -1e-8)
            error = agree(change(logarithm(R)), float(fall), tolerance=1e-9)
            record(instances=1, worst_error=error)


@INSTANCE.evidence(role="refutes", kind="numeric")
def test_the_fall_is_no_matter_of_the_step(record):
    for R in rotations([(0, 1, 2)]):
        B = logarithm(R)
        for step in (1e-3, 3e-3, 1e-2):
            at_most(change(B, step), -1e-9)
            # Second order: a stationary point changes with the square of the step.
            agree(change(B, step) / step**2, change(B, 1e-3) / 1e-6, tolerance=0.2)
            record(instances=1)


@INSTANCE.evidence(role="control", kind="numeric")
def test_the_plane_rotation_does_not_fall():
    for B in (plane_rotation(), -plane_rotation()):
        with rejected():
            check_falls(B)


@INSTANCE.evidence(role="control", kind="numeric")
def test_some_other_order_of_the_svd_does_not_fall(record):
    """So the failure is of the path, not of the checker: those that rise keep column 3 to itself."""
    every = list(rotations(permutations(range(3))))
    rising = [R for R in every if change(logarithm(R)) > 1e-8]
    inside = [R for R in every if abs(R[2, 2]) > 0.99 and R[2, 2] > 0]
    same([R.tolist() for R in rising], [R.tolist() for R in inside])
    for R in rising:
        with rejected():
            check_falls(logarithm(R))
    record.witness(f"{len(rising)} of {len(every)} orders and signs do raise it: those inside the blocks")


# The corrected path, in words: P_ (k, k_b) selects a block, R_ is orthogonal inside it.
k_b = sp.Symbol("k_b", integer=True, positive=True)
P_ = letter("P", k, k_b)
R_ = letter("R", k_b, k_b)
N_b, T_b = letter("M_b", k_b, k_b, "symmetric"), letter("T", k_b, k_b, "diagonal")
J = letter("J", k_b, k_b, "diagonal")
ORTHOGONAL = relation(R_ @ R_.T, identity(k_b)), relation(R_.T @ R_, identity(k_b))


@EXISTS.evidence(role="corrected", kind="symbolic", strength="proved")
def test_a_rotation_inside_the_block_makes_its_columns_orthogonal_for_all_k_b(record):
    """M_b = R T R^T (spectral); a flip J of one column gives det 1 and leaves R T R^T; M is block diagonal."""
    spectral = relation(N_b @ R_, R_ @ T_b)
    flip = relation(J @ J, identity(k_b))
    same(reduce((R_ @ J).T @ N_b @ (R_ @ J), spectral, *ORTHOGONAL, flip), T_b)
    same(reduce((R_ @ J) @ T_b @ (R_ @ J).T, flip), R_ @ T_b @ R_.T)
    # A skew B inside the block is skew as a whole, and so is the sum over blocks.
    B = letter("B", k_b, k_b) - letter("B", k_b, k_b).T
    whole = P_ @ B @ P_.T
    same(whole.T, -whole)
    selects = relation(P_.T @ P_, identity(k_b))
    same(reduce(whole @ whole, selects), P_ @ B @ B @ P_.T)  # so exp(whole) is exp(B) on the block: power by power
    with rejected():  # not diagonal without the eigenvectors
        same(reduce((R_ @ J).T @ N_b @ (R_ @ J), *ORTHOGONAL, flip), T_b)
    record(instances=4)


@KEPT.evidence(role="corrected", kind="symbolic", strength="proved")
def test_what_a_rotation_inside_the_blocks_leaves_for_all_n_k_and_k_b(record):
    """L is a function of W W^T, log det M of log det C; M becomes R^T M R, and the trace of its block stays."""
    Q = letter("Q", k, k)
    orthogonal = relation(Q @ Q.T, identity(k)), relation(Q.T @ Q, identity(k))
    turned = W @ Q
    same(reduce(turned @ turned.T, *orthogonal), W @ W.T)
    constant = n * sp.log(2 * sp.pi)
    same(
        likelihood_in_words.log_likelihood() * -2, trace(inverse(C) @ S) + log_det(C) + constant
    )  # W enters in C alone
    M_turned = Q.T @ M @ Q
    # det Q = +-1, from Q Q^T = I: log det of Q M Q^T is that of M plus twice log |det Q|.
    same(log_det(M_turned) - log_det(M), log_det(Q.T @ Q))
    same(reduce(turned.T @ turned + sigma2 * identity(k), gram, *orthogonal), M_turned)
    inside = relation(Q @ P_, P_ @ R_)  # Q keeps to the block
    same(reduce(trace(P_.T @ M_turned @ P_), inside, *ORTHOGONAL), trace(P_.T @ M @ P_))
    # P = L - 1/2 [sum log M_ii - log det M]: what is left is the diagonal.
    same(in_words.gap() * 2, log_det(diag(M)) - log_det(M))
    with rejected():  # a Q that mixes blocks
        same(reduce(trace(P_.T @ M_turned @ P_), *orthogonal, *ORTHOGONAL), trace(P_.T @ M @ P_))
    record(instances=5)


@MOVES.evidence(role="corrected", kind="symbolic", strength="proved")
def test_the_diagonal_at_the_end_of_the_path_is_constant_only_for_orthogonal_columns(record):
    """At eps = 1 the block is R^T M_b R = T; if T = m I then M_b = m I.  M_b(eps) is analytic, as exp(eps B) is."""
    m = sp.Symbol("m", positive=True)
    spectral = relation(N_b @ R_, R_ @ T_b)
    same(reduce(R_.T @ N_b @ R_, spectral, *ORTHOGONAL), T_b)
    same(reduce(R_ @ (m * identity(k_b)) @ R_.T, *ORTHOGONAL), m * identity(k_b))
    with rejected():  # other T do not lead back to a multiple of I
        same(reduce(R_ @ T_b @ R_.T, *ORTHOGONAL), m * identity(k_b))
    with rejected():
        same(reduce(R_.T @ N_b @ R_, *ORTHOGONAL), T_b)
    record(instances=2)


def check_least_at_one(f, x):
    """f(1) = 0, f falls before 1 and rises after it: positive everywhere else."""
    u = sp.Symbol("u", positive=True)
    vanishes(f.subs(x, 1))
    slope = sp.diff(f, x)
    check(sp.simplify(slope.subs(x, 1 + u)).is_positive is True, "it rises after 1")
    check(sp.simplify(slope.subs(x, 1 / (1 + u))).is_negative is True, "it falls before 1")


@CONCAVE.evidence(role="corrected", kind="symbolic", strength="proved")
def test_a_constant_diagonal_has_the_largest_logarithms_of_its_sum(record):
    """x - 1 - log x > 0 unless x = 1; with x = M_ii/m the first terms add up to 0, so -sum log(M_ii/m) > 0."""
    x = sp.Symbol("x", positive=True)
    check_least_at_one(x - 1 - sp.log(x), x)
    for wrong in (1 - x + sp.log(x), x - 1 - 2 * sp.log(x), x**2 - 1 - sp.log(x), x - sp.log(x)):
        with rejected():
            check_least_at_one(wrong, x)
    # tr M_b = k_b m: the sum of M_ii/m - 1 over the block.
    size, m = sp.symbols("k_b m", positive=True)
    vanishes(size * m / m - size)
    record(instances=1)


@CONCAVE.evidence(role="corrected", kind="symbolic", strength="proved")
def test_to_rotate_orthogonal_columns_of_different_norms_raises_the_product_of_the_diagonal(record):
    """M is diagonal on the two axes; the rotation changes no other entry of the diagonal."""
    a, b = sp.symbols("a b", positive=True)
    t, c = sp.symbols("t c", real=True)
    turn = sp.Matrix([[sp.cos(t), -sp.sin(t)], [sp.sin(t), sp.cos(t)]])

    def check_product(M_ij):
        turned = turn.T * sp.Matrix([[a, M_ij], [M_ij, b]]) * turn
        vanishes(turned[0, 0] * turned[1, 1] - a * b - (a - b) ** 2 * sp.sin(t) ** 2 * sp.cos(t) ** 2)

    check_product(0)
    with rejected():  # of columns that are not orthogonal
        check_product(c)
    # sin t cos t = sin(2t)/2; and the logarithm rises.
    vanishes(sp.sin(t) * sp.cos(t) - sp.sin(2 * t) / 2)
    record(instances=1)


def inside_blocks(W, sigma2_, minimal=1e-9):
    """B (k, k) skew and zero outside the components of M: the logarithm of the R_b that diagonalise them."""
    M_ = W.T @ W + sigma2_ * np.eye(W.shape[1])
    joined = (
        np.linalg.matrix_power((np.abs(M_) > minimal * M_.max()).astype(int) + np.eye(len(M_), dtype=int), len(M_)) > 0
    )
    B, left = np.zeros_like(M_), set(range(len(M_)))
    while left:
        block = np.flatnonzero(joined[min(left)])
        left -= set(block.tolist())
        if len(block) > 1:
            R = np.linalg.eigh(M_[np.ix_(block, block)])[1]
            upper = generator(flipped_to_a_rotation(R, R)[1])
            B[np.ix_(block, block)] = upper - upper.T
    return B


def check_rises(W, sigma2_, S, B, step):
    """P(W exp(step B)) - P(W) is -1/2 sum log(M_ii(step)/M_ii(0)), and positive; -> the error of the former."""
    moved = W @ expm(step * B)
    norms = [(w * w).sum(0) + sigma2_ for w in (W, moved)]
    expected = -0.5 * float(np.log(norms[1] / norms[0]).sum())
    found = float(linear_vae.profile_elbo(moved, sigma2_, S) - linear_vae.profile_elbo(W, sigma2_, S))
    scale = 1.0 + float(np.trace(S)) / sigma2_  # of the terms that cancel
    error = agree(found, expected, tolerance=1e-12, scale=scale)
    spread = float(np.abs(norms[1] / norms[0] - 1).max())
    at_most(-expected, -(spread**2) / 20, slack=1e-13 * len(norms[0]))  # log(1 + x) <= x - x^2/6 for |x| <= 1
    return error


@CONCLUSION.evidence(role="corrected", kind="numeric")
def test_the_path_inside_the_blocks_rises_at_every_family(record, thorough):
    seen = 0
    for at in landscapes(thorough(40, 400), most_n=5, most_k=4, seed=81):
        for point in fixed_noise_families(at.lam, at.k, at.sigma2):
            if point.orthogonal:
                continue
            W_ = weights(point, at.lam, at.U)
            B = inside_blocks(W_, at.sigma2)
            for step in (-0.3, -0.01, 0.01, 0.3, 1.0):
                record(instances=1, worst_error=check_rises(W_, at.sigma2, at.S, B, step))
            seen += 1
    check(seen > 200, f"only {seen} points")
    rise = change(inside_blocks(instance(), SIGMA2))
    check(rise > 1e-7, "the instance rises inside its block")
    record.witness(f"the instance: towards the R inside its block the ELBO changes by {rise:+.1e} at eps = {STEP}")


@CONCLUSION.evidence(role="control", kind="numeric")
def test_a_path_that_mixes_blocks_does_not_rise():
    """The four R of the descending decomposition, and a turn of orthogonal columns into each other."""
    W_, S_ = instance(), np.diag(LAM)
    for R in rotations([(0, 1, 2)]):
        with rejected():
            check_rises(W_, SIGMA2, S_, logarithm(R), STEP)
    for i in (0, 1):
        B = np.zeros((3, 3))
        B[i, 2], B[2, i] = -1.0, 1.0
        with rejected():
            check_rises(W_, SIGMA2, S_, B, 0.1)
    with rejected():  # no rotation: the diagonal of M is not all that changes
        check_rises(W_, SIGMA2, S_, -np.eye(3), 0.1)


USED = {
    "elbo-points": "stationary -> equal_norms",
    "spectral": "diagonalisable",
    "rotation-construction": "logarithms",
    "identity-theorem": "isolated_zeros",
}


@CONCLUSION.evidence(role="corrected", kind="symbolic", strength="proved")
def test_the_steps_give_the_rise(record):
    """good_path: R = exp(B) inside the blocks; moves: the diagonal is not constant at small eps != 0."""
    count = concludes(CLAIM, "stationary & ~orthogonal -> rises", USED)
    for too_much in ("stationary -> rises", "~orthogonal -> rises"):
        with rejected():
            concludes(CLAIM, too_much, USED)
    record(instances=count)


def stated_with(third, noise=NOISE):
    """The instance with another eigenvalue for its third column, W from its closed form at NOISE, stated at a noise."""
    lam = sorted(map(Fraction, ("3", "2", third, "1/2", "2/5")), reverse=True)
    blocks = Block((lam.index(3), lam.index(2)), 2), Block((lam.index(Fraction(third)),))
    point = Point("elbo", blocks, 0.0, 0.0)
    W_ = exact_weights(point, lam, Fraction(str(NOISE))) * [1, -1, 1]  # so that M_12 > 0, as above
    return certificates.Stated(tuple(lam), point, Fraction(str(noise)), W=W_)


def turned_in_balls(third, direction):
    """d^2 P(W exp(eps B))/deps^2 from the Hessian at the stationary point that balls find; B = direction() is skew.

    The gradient is 0 there, so that W B B adds nothing.
    """
    stated = stated_with(third)
    with precision(certificates.BITS):
        x, H = stated.enclosed()
        W_, s = stated.place.parts(x)
        B = direction()
        curvature = certificates.along(H, W_ * flint().arb_mat(B.tolist()))
        M_ = np.array((W_.transpose() * W_ + diagonal([s] * 3)).tolist(), dtype=object)
        check(curvature.overlaps(curvature_of(B, M_)), f"{curvature} is not what the formula gives")
        check(curvature.rad() < 1e-30, "the ball is too wide to tell")
        check(M_[0, 1] > 0, "of columns 1, 2 the larger singular value is that of (1, 1)")
        return curvature


def along_descending(signs):
    """R - R^T of the R whose columns are, with these signs, e_3, (1, 1, 0)/sqrt 2 and (1, -1, 0)/sqrt 2."""
    R = next(iter(ball_rotations())) * np.array(signs, dtype=object)
    return R - R.T


def inside_the_block():
    return np.array([[ball(x) for x in row] for row in plane_rotation().astype(int).tolist()], dtype=object)


FALLING = ("4", "5", "10", "100")  # eigenvalues of the third column, which is the longest


@INSTANCE.evidence(role="refutes", kind="certificate", strength="certified")
@pytest.mark.parametrize("third", FALLING)
def test_the_second_derivatives_at_the_point_that_balls_find_say_the_same(record, third):
    """That W is stationary, and falls along all four, from the checker of certificates, which knows no closed form."""
    pytest.importorskip("flint")
    for signs in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)):  # these keep the determinant
        check_surely_negative(turned_in_balls(third, lambda signs=signs: along_descending(signs)))
        record(instances=1)
    with rejected():
        check_surely_negative(turned_in_balls(third, inside_the_block))
    certified(stated_with(third).stationary())
    with rejected():  # at another noise this W is not
        certified(stated_with(third, NOISE + sp.Rational(1, 10**9)).stationary())


def check_surely_positive(ball):
    check(ball > 0, f"{ball} is not surely positive")


@CONCLUSION.evidence(role="corrected", kind="certificate", strength="certified")
@pytest.mark.parametrize("third", ["47/20", *FALLING])
def test_inside_the_block_it_rises_at_second_order_in_balls(record, third):
    """B in the plane of columns 1 and 2 is the logarithm of their R but for a factor, whose square is positive."""
    pytest.importorskip("flint")
    check_surely_positive(turned_in_balls(third, inside_the_block))
    record(instances=1)
    with rejected():
        check_surely_positive(turned_in_balls(FALLING[0], lambda: along_descending((1, 1, 1))))
