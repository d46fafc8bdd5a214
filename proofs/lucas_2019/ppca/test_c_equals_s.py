"""C = S and W = 0, the two solutions of Eq. 11 that App. A sets aside: cases of the general one, each a global maximum.

Statement   S C^-1 W = W has the solutions (1) W = 0, (2) C = S, and (3) the more general ones. ("Not particularly
            interesting to us", App. A says of (1) and (2): a matter of taste, on which there is no verdict. Nothing is
            lost by it, for both are cases of (3).)
Hypotheses  left out: (2) exists iff S - sigma2 I is positive semidefinite of rank <= k, that is iff the n - k smallest
            eigenvalues all equal sigma2 and none is below it (for k >= n: iff lam_n >= sigma2); and then it is the
            global maximum, with the value of the unrestricted Gaussian. It is a case of (3), A all the a with
            lam_a > sigma2, no kind of its own. (1) always exists; it is the fully collapsed point, and the global
            maximum iff sigma2 >= lam_1.
Source      Lucas et al. 2019, App. A, below Eq. 11; theory 1.2, 1.5.
Method      words, for all n and k. With z_i the eigenvalues of S^{1/2} C^-1 S^{1/2} and h(z) = z - 1 - log z >= 0:
            L at C = S less L at any C is 1/2 sum h(z_i). L(0) - L(W) = 1/2 [sum h(sigma2/c_i) +
            tr(M^-1 W^T (sigma2 I - S) W)/sigma2], c_i the eigenvalues of C: both terms are >= 0 if sigma2 >= lam_1, and
            zero only at W = 0. If lam_1 > sigma2, a column along u_1 rises with curvature (lam_1 - sigma2)/sigma2^2.
            Existence: W W^T is positive semidefinite of rank <= k, and W = U_k (Lam_k - sigma2 I)^{1/2} does it.
Trusted     the spectral theorem (roots, too); the singular value decomposition; W^T v = 0 for n - k independent
            v (rank-nullity); that no second derivative is positive at a maximum; the normal form of words.
"""

from dataclasses import replace

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.machinery.checks import agree, at_most, check, rejected, same
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.spectra import SpectralProblem, climb, hard_problems, random_problem, random_rotation
from verify import reference
from verify.landscape.stationary import retained_count
from verify.models import linear_vae
from verify.models import ppca as model
from verify.symbolic import ppca
from verify.symbolic.differentials import differential
from verify.symbolic.letters import C, M, S, W, gram, k, log_det_of_marginal, marginal_precision, n, sigma2
from verify.symbolic.matrix_calculus import identity, inverse, letter, zero
from verify.symbolic.relations import expand, reduce, relation, substitute, substitute_log_det
from verify.symbolic.traces import Scalar, log_det, trace

CLAIM = Claim(
    id="c-equals-s",
    source="App. A, below Eq. 11",
    statement="S C^-1 W = W is solved by W = 0, by C = S and by more general W, and it is enough to study the last",
    hypotheses="C = S needs the n - k smallest eigenvalues equal to sigma2, and none below it; k <= n, where its W is "
    "given (columns beyond n may be zero)",
    section="Probabilistic PCA",
    rests_on=("eq-05-06",),
    trusts=("rank-nullity", "second-order", "spectral", "svd"),
    quote="There are three possible solutions to this equation, (1) W = 0, (2) C = S, or (3) the more general "
    "solutions. (1) and (2) are not particularly interesting to us, so we focus herein on (3).",
    finding="the first two are cases of the last. C = S exists iff the n - k smallest eigenvalues all equal sigma2 and "
    "none is below it, and then no Gaussian is likelier; W = 0, full collapse, always exists, and is the global "
    "maximum iff sigma2 >= lam_1",
)
SOLUTIONS = CLAIM.step(
    "solutions", "the gradient vanishes at W = 0 whatever S, and wherever C = S, for all n and k", says="both_solve"
)
CASES = CLAIM.step(
    "cases",
    "both have the form of the general solutions, S U L = U (sigma2 I + L^2) L with W = U L R: W = 0 with L = 0, and "
    "C = S for every W = U L R, for all n and k <= n",
    says="svd -> both_are_of_the_general_form",
    place="Proposition 2",
)
EXISTS = CLAIM.step(
    "exists",
    "S with the eigenvalues Lam_k >= sigma2 on U_k and sigma2 elsewhere is C at W = U_k (Lam_k - sigma2 I)^{1/2}; and "
    "where C = S, S has v^T S v >= sigma2 v^T v for all v, with equality where W^T v = 0, for all n and k <= n",
    says="spectral & n_minus_k_vectors_off_W -> c_equals_s_iff_the_rest_is_noise",
)
LIKELIEST = CLAIM.step(
    "likeliest",
    "for S > 0, L at C = S less L at any W is 1/2 sum (z_i - 1 - log z_i) >= 0, z_i > 0 the eigenvalues of S^{1/2} "
    "C^-1 S^{1/2}, for all n and k: where C = S exists it is the global maximum",
    says="likelihood & spectral -> c_equals_s_is_maximal",
    place="Proposition 5",
)
COLLAPSE = CLAIM.step(
    "collapse",
    "2 [L(0) - L(W)] is sum (y_i - 1 - log y_i), y_i = sigma2/c_i > 0, plus tr(M^-1 W^T (sigma2 I - S) W)/sigma2, for "
    "all n and k: not negative if sigma2 >= lam_1",
    says="likelihood & spectral & noisy -> zero_is_maximal",
    place="Theorem A",
)
UNSTABLE = CLAIM.step(
    "unstable",
    "at W = 0 a column along u_1 has the curvature (lam_1 - sigma2)/sigma2^2, for all n and k: positive if "
    "lam_1 > sigma2",
    says="~noisy -> curved_upwards",
    place="Proposition 3",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "so both solve Eq. 11 and nothing is lost by looking at the general form; C = S is a global maximum, and W = 0 one "
    "iff sigma2 >= lam_1",
)


def h_is_nonnegative_and_zero_only_at_one(sign=1):
    z = sp.Symbol("z", positive=True)
    h = sign * (z - 1 - sp.log(z))
    same((h.subs(z, 1), sp.solve(sp.diff(h, z), z)), (0, [1]))
    check(sp.diff(h, z, 2).is_positive, "z - 1 - log z is not convex")


def at_zero(A):
    return substitute(A, {"W": zero(n, k)})


@SOLUTIONS.evidence(role="supports", kind="symbolic", strength="proved")
def test_both_are_stationary_for_all_n_and_k(record):
    same(substitute(ppca.gradient(), {"S": C}), 0 * W)
    # W = 0 for every S: no hypothesis at all. C^-1 is I/sigma2 there.
    same(at_zero(reduce(ppca.gradient(), marginal_precision(), gram)), zero(n, k))
    record(instances=2)


@LIKELIEST.evidence(role="supports", kind="symbolic", strength="proved")
def test_no_covariance_is_likelier_than_c_equals_s_for_all_n(record):
    T = letter("T", n, n, "symmetric")  # the square root of S
    Z = T @ inverse(C) @ T
    log_det_Z = substitute_log_det(log_det(Z), T, log_det(S) / 2)
    lost = (trace(Z) - n - log_det_Z) / 2  # 1/2 sum h(z_i)
    same(reduce(lost, relation(T @ T, S)), value_at_s() - ppca.log_likelihood())
    same(substitute(ppca.log_likelihood(), {"S": C}), value_at(C))  # which is L where C = S
    h_is_nonnegative_and_zero_only_at_one()
    with rejected():  # log z - (z - 1) has its zero in the same place, and is a maximum there
        h_is_nonnegative_and_zero_only_at_one(sign=-1)
    record(instances=3)
    record.witness(f"L at C = S: {value_at_s()}, above L at any other C by 1/2 sum (z - 1 - log z)")


def value_at(covariance):
    """-1/2 [n log 2 pi + log det + n] of a covariance."""
    return -(log_det(covariance) + Scalar(n * sp.log(2 * sp.pi) + n)) / 2


def value_at_s():
    return value_at(S)


@COLLAPSE.evidence(role="supports", kind="symbolic", strength="proved")
def test_full_collapse_is_the_global_maximum_at_large_noise_for_all_n_and_k(record):
    at_0, at_W, of_noise, of_data = loss_of_leaving_zero()
    same(at_zero(at_W), at_0)
    same(reduce(at_0 - at_W, gram), reduce(of_noise / 2 + of_data / 2, gram))
    h_is_nonnegative_and_zero_only_at_one()
    # What is lost on the data is a sum of squares: sigma2 I - S = K K and M^-1 = N N have roots if sigma2 >= lam_1.
    K, N = letter("K", n, n, "symmetric"), letter("N", k, k, "symmetric")
    roots = relation(S, sigma2 * identity(n) - K @ K), relation(inverse(M), N @ N)
    same(reduce(sigma2 * of_data, *roots), trace((K @ W @ N) @ (K @ W @ N).T))
    with rejected():  # sigma2 below the eigenvalues of S
        roots = relation(S, sigma2 * identity(n) + K @ K), relation(inverse(M), N @ N)
        same(reduce(sigma2 * of_data, *roots), trace((K @ W @ N) @ (K @ W @ N).T))
    record(instances=4)


def loss_of_leaving_zero():
    """L(0) and L(W); sum h(sigma2/c_i), and what is lost on the data."""
    in_M = reduce(ppca.log_likelihood(), marginal_precision(), gram)
    at_W = substitute_log_det(in_M, C, log_det_of_marginal())
    at_0 = -(trace(S) / sigma2 + Scalar(n * sp.log(2 * sp.pi * sigma2))) / 2
    of_noise = sigma2 * trace(inverse(C)) - n + log_det(C) - n * sp.log(sigma2)  # sum h(sigma2/c_i)
    of_noise = substitute_log_det(reduce(of_noise, marginal_precision(), gram), C, log_det_of_marginal())
    of_data = trace(inverse(M) @ W.T @ (sigma2 * identity(n) - S) @ W) / sigma2
    return at_0, at_W, of_noise, of_data


@UNSTABLE.evidence(role="supports", kind="symbolic", strength="proved")
def test_at_smaller_noise_full_collapse_is_unstable_for_all_n_and_k(record):
    same(curvature_at_zero(), Scalar((LAM - sigma2) / sigma2**2))
    record()


LAM = sp.Symbol("lam", nonnegative=True)


def curvature_at_zero():
    """The second derivative of L at W = 0 along u e^T, S u = lam u, both of length 1."""
    X = letter("X", n, k)
    G = reduce(ppca.gradient(), marginal_precision(), gram)
    curvature = at_zero(trace(X.T @ differential(G, W, X)))
    same(curvature, trace(X.T @ S @ X) / sigma2**2 - trace(X.T @ X) / sigma2)
    u, e = letter("u", n, 1), letter("e", k, 1)
    units = (relation(S @ u, LAM * u), relation(u.T @ u, identity(1)), relation(e.T @ e, identity(1)))
    return reduce(substitute(curvature, {"X": u @ e.T}), *units)


U, L, R = letter("U", n, k), letter("L", k, k, "diagonal"), letter("R", k, k)
ORTHONORMAL = (relation(U.T @ U, identity(k)), relation(R @ R.T, identity(k)))


def equation_12(A):
    """A U L - U (sigma2 I + L^2) L for A in the place of S."""
    return reduce(A @ U @ L - U @ (sigma2 * identity(k) + L @ L) @ L, *ORTHONORMAL)


@CASES.evidence(role="supports", kind="symbolic", strength="proved")
def test_both_are_of_the_general_form_for_all_n_and_k(record):
    same(substitute(equation_12(S), {"L": zero(k, k)}), zero(n, k))
    at_svd = substitute(expand(C, C), {"W": U @ L @ R})
    same(equation_12(at_svd), zero(n, k))
    with rejected():  # C = S without the noise
        same(equation_12(at_svd - sigma2 * identity(n)), zero(n, k))
    record(instances=2)


@EXISTS.evidence(role="supports", kind="symbolic", strength="proved")
def test_where_c_equals_s_exists_for_all_n_and_k(record):
    # S = U Lam_k U^T + sigma2 (I - U U^T), L^2 = Lam_k - sigma2 I: that is C at W = U L.
    spectrum = U @ (L @ L + sigma2 * identity(k)) @ U.T + sigma2 * (identity(n) - U @ U.T)
    same(substitute(expand(C, C), {"W": U @ L}), spectrum)
    # v^T C v = sigma2 v^T v + |W^T v|^2: at least sigma2 v^T v; equal on the n - k or more dimensions where W^T v = 0.
    v = letter("v", n, 1)
    same(trace(v.T @ expand(C, C) @ v), sigma2 * trace(v.T @ v) + trace((W.T @ v).T @ (W.T @ v)))
    same(reduce(expand(C, C) @ v, relation(W.T @ v, zero(k, 1))), sigma2 * v)
    with rejected():  # the eigenvalues of W W^T
        same(substitute(W @ W.T, {"W": U @ L}), spectrum)
    record(instances=3)


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_what_is_said_of_both(record):
    both = "both_solve & both_are_of_the_general_form & c_equals_s_iff_the_rest_is_noise & c_equals_s_is_maximal"
    zero_ = "(zero_is_maximal & noisy | ~zero_is_maximal & ~noisy)"
    used = {
        "eq-05-06": "likelihood",
        "rank-nullity": "n_minus_k_vectors_off_W",
        "second-order": "curved_upwards -> ~zero_is_maximal",
        "spectral": "spectral",
        "svd": "svd",
    }
    record(instances=concludes(CLAIM, f"{both} & {zero_}", used))
    with rejected():  # whatever the noise
        concludes(CLAIM, f"{both} & zero_is_maximal", used)


def admits_c_equals_s(p: SpectralProblem):
    """Whether the n - k smallest eigenvalues all equal sigma2 (for k = n: none is below it)."""
    return all(p.lam[p.k :] == p.sigma2) and bool((p.lam >= p.sigma2).all())


def nearest(p: SpectralProblem):
    """(W, spectral norm of C - S) at W = U_k (Lam_k - sigma2 I)_+^{1/2}."""
    W = model.fixed_noise_maximum(p.lam, p.U, p.k, p.sigma2)
    return W, float(np.linalg.norm(W @ W.T + p.sigma2 * np.eye(p.n) - p.S, 2))


def check_c_equals_s_is_the_maximum(p: SpectralProblem, rng):
    """C = S is attained, and neither any other W nor any other covariance is likelier."""
    W, distance = nearest(p)
    agree(distance, 0.0, tolerance=1e-13, scale=p.lam[0])
    best = float(model.log_likelihood(W, p.sigma2, p.S))
    unrestricted = -0.5 * (p.n * (np.log(2 * np.pi) + 1) + np.log(p.lam).sum())
    error = agree(best, unrestricted, tolerance=p.rounding, scale=p.n + np.abs(np.log(p.lam)).sum())
    for size in (1e-3, 1.0):
        moved = W + size * np.sqrt(p.sigma2) * rng.standard_normal(W.shape)
        at_most(model.log_likelihood(moved, p.sigma2, p.S), best, slack=p.rounding * (abs(best) + p.n))
    return error


@LIKELIEST.evidence(role="supports", kind="property")
@given(p=hard_problems(), seed=st.integers(0, 2**32 - 1))
def test_where_c_equals_s_exists_it_is_the_global_maximum_on_hostile_spectra(p, seed, record):
    # The same large eigenvalues, the rest of them at sigma2: ties on the threshold, over twelve decades.
    lam = np.where(np.arange(p.n) < p.k, np.maximum(p.lam, p.sigma2), p.sigma2)
    p = replace(p, lam=lam)
    check(admits_c_equals_s(p), "the spectrum was built wrongly")
    record(worst_error=check_c_equals_s_is_the_maximum(p, np.random.default_rng(seed)))


@EXISTS.evidence(role="supports", kind="property")
@given(p=hard_problems(max_n=5), lifted=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_otherwise_no_w_makes_c_equal_to_s(p, lifted, seed, record):
    if lifted:  # nothing below the noise
        p = replace(p, lam=np.maximum(p.lam, p.sigma2))
    # Weyl: C has the eigenvalue sigma2 at least n - k times, all others are larger; so |C - S| is at least this.
    short = np.maximum(p.sigma2 - p.lam, 0.0)  # an eigenvalue of S below sigma2
    least = max(float(short.max()), float(np.abs(p.lam[p.k :] - p.sigma2).max(initial=0.0)))
    same(least == 0, admits_c_equals_s(p))
    rng = np.random.default_rng(seed)
    W, distance = nearest(p)
    others = [W + np.sqrt(p.lam[0]) * rng.standard_normal(W.shape) * size for size in (1e-6, 1e-2, 1.0)]
    found = [np.linalg.norm(A @ A.T + p.sigma2 * np.eye(p.n) - p.S, 2) for A in others]
    size = p.lam[0] + p.sigma2
    at_most(least, min(distance, *found), slack=1e-13 * size)
    # And this bound is attained, by W of the global maximum.
    record(worst_error=agree(distance, least, tolerance=1e-13, scale=size))


@COLLAPSE.evidence(role="supports", kind="numeric")
def test_at_large_noise_every_search_ends_in_full_collapse(record, thorough):
    rng = np.random.default_rng(11)
    for _ in range(thorough(15, 150)):
        p = random_problem(rng, int(rng.integers(2, 6)))
        p = replace(p, sigma2=float(p.lam[0] * rng.uniform(1.05, 3)))
        same(retained_count(p.lam, p.k, p.sigma2), 0)
        shape = (p.n, p.k)

        def value_and_gradient(w, p=p, shape=shape):
            W = w.reshape(shape)
            return linear_vae.profile_elbo(W, p.sigma2, p.S), linear_vae.profile_gradient(W, p.sigma2, p.S).ravel()

        end = climb(value_and_gradient, 2 * np.sqrt(p.lam[0]) * rng.standard_normal(p.n * p.k))
        # The curvature at W = 0 is (sigma2 - lam_1)/sigma2^2, at least 0.02 / lam_1.
        record(worst_error=agree(end / np.sqrt(p.sigma2), np.zeros(end.size), tolerance=1e-6))


@LIKELIEST.evidence(role="supports", kind="numeric")
def test_both_to_check_by_hand(record):
    p = SpectralProblem(np.array([4.0, 1.0, 1.0]), np.eye(3), 1, 1.0)
    W = np.array([[np.sqrt(3.0)], [0.0], [0.0]])
    same(np.abs(W @ W.T + np.eye(3) - p.S).max() < 1e-15, True)
    with reference.precision():
        at_s, at_0 = (float(reference.log_likelihood(A, 1.0, p.S)) for A in (W, 0 * W))
    agree(at_s, -1.5 * np.log(2 * np.pi) - np.log(2) - 1.5, tolerance=1e-15)
    agree(at_0, -1.5 * np.log(2 * np.pi) - 3, tolerance=1e-15)
    agree(nearest(replace(p, sigma2=0.9))[1], 0.1, tolerance=1e-14)
    record(instances=2)
    record.witness(
        f"S = diag(4, 1, 1), k = 1: at sigma2 = 1, W = (sqrt 3, 0, 0) has C = S, L = {at_s:.6f}, the highest of any "
        f"Gaussian; W = 0 has {at_0:.6f}. At sigma2 = 0.9 no W has C = S: |C - S| >= 0.1. At sigma2 >= 4 W = 0 is best"
    )


@LIKELIEST.evidence(role="supports", kind="numeric")
def test_c_equals_s_is_the_maximum_with_50_digits(record):
    rng = np.random.default_rng(12)
    for columns in (1, 2, 3):
        p = SpectralProblem(np.array([3.0, 2.0, *[0.5] * 3]), random_rotation(rng, 5), columns, 0.5)
        lam, U, S_ = p.exactly()
        with reference.precision():
            s = reference.exact(0.5)[()]
            W = U[:, :columns] * np.sqrt(np.maximum(lam[:columns] - s, 0 * s))
            best = reference.log_likelihood(W, s, S_)
            moved = W + reference.exact(1e-9 * rng.standard_normal(W.shape))
            ahead = float(reference.log_likelihood(moved, s, S_) - best)
            slope = np.linalg.norm(reference.gradient(W, s, S_).astype(float))
        # A step of 1e-9 lowers L by about 1e-18, which only 50 digits see.
        check(-1e-16 < ahead < -1e-20, f"{ahead} is not the fall of second order")
        record(worst_error=agree(slope, 0.0, tolerance=1e-45))


@LIKELIEST.evidence(role="control", kind="property")
@given(p=hard_problems())
def test_a_spectrum_that_does_not_admit_it_is_rejected(p):
    lam = np.where(np.arange(p.n) < p.k, np.maximum(p.lam, p.sigma2), p.sigma2)
    rng = np.random.default_rng(0)
    for i, factor in ((p.n - 1, 0.99), (p.n - 1, 1.01)):
        # At k = n an eigenvalue above sigma2 is admitted, so only one below it is a control there.
        if factor > 1 and p.k == p.n:
            continue
        moved = lam.copy()
        moved[i] *= factor if lam[i] == p.sigma2 else 0.99 * p.sigma2 / lam[i]
        wrong = replace(p, lam=np.sort(moved)[::-1])
        if not admits_c_equals_s(wrong) and abs(nearest(wrong)[1]) > 1e-10 * wrong.lam[0]:
            with rejected():
                check_c_equals_s_is_the_maximum(wrong, rng)
    tiny = SpectralProblem(np.array([3.0, 1.0, 0.99]), np.eye(3), 1, 1.0)
    with rejected():
        check_c_equals_s_is_the_maximum(tiny, rng)


@LIKELIEST.evidence(role="control", kind="symbolic")
def test_a_forgotten_root_is_rejected():
    T = letter("T", n, n, "symmetric")
    wrong = (trace(T @ inverse(C) @ T) - n - substitute_log_det(log_det(T @ inverse(C) @ T), T, log_det(S))) / 2
    with rejected():  # log det T = log det S: the square root forgotten
        same(reduce(wrong, relation(T @ T, S)), value_at_s() - ppca.log_likelihood())


@SOLUTIONS.evidence(role="control", kind="symbolic")
def test_a_covariance_beside_s_is_rejected():
    with rejected():  # C = S - I is not stationary
        same(substitute(ppca.gradient(), {"S": C + identity(n)}), 0 * W)


@COLLAPSE.evidence(role="control", kind="symbolic")
def test_slips_in_the_loss_of_leaving_zero_are_rejected():
    at_0, at_W, of_noise, of_data = loss_of_leaving_zero()
    for wrong in (of_noise / 2 - of_data / 2, of_noise + of_data / 2, of_noise / 2):
        with rejected():
            same(reduce(at_0 - at_W, gram), reduce(wrong, gram))


@UNSTABLE.evidence(role="control", kind="symbolic")
def test_slips_in_the_curvature_at_zero_are_rejected():
    for wrong in ((LAM - sigma2) / sigma2, LAM / sigma2**2, (sigma2 - LAM) / sigma2**2):
        with rejected():
            same(curvature_at_zero(), Scalar(wrong))


@UNSTABLE.evidence(role="control", kind="numeric")
def test_full_collapse_is_rejected_as_maximum_at_smaller_noise():
    rng = np.random.default_rng(13)
    for _ in range(10):
        p = random_problem(rng, 4, 2)
        p = replace(p, sigma2=0.9 * float(p.lam[0]))
        best = model.log_likelihood(model.fixed_noise_maximum(p.lam, p.U, 2, p.sigma2), p.sigma2, p.S)
        with rejected():
            at_most(best, model.log_likelihood(np.zeros((4, 2)), p.sigma2, p.S), slack=1e-12 * abs(best))
