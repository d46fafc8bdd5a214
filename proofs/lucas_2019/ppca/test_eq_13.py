"""Eq. 13: along an eigenvector u_j, the sign of lam_j/k_i - 1 decides the stability of column i.

Statement   at W = U_q (K_q - sigma2 I)^{1/2}, moving column i by epsilon u_j gives the product epsilon^2 times
            (lam_j/k_i - 1) u_j^T C^-1 u_j with the gradient, N times; the point is stable only if its sign is negative.
            Here k_i = lam_i for a retained column and sigma2 for a zero column, and u_j is any eigenvector.
Hypotheses  missing: u_j is orthogonal to all columns of W, that is, discarded. Then the product is
            (lam_j/k_i - 1)/sigma2. Towards a u_j that another column holds it is -(k_i - sigma2)/(k_i lam_j) whatever
            the printed sign: negative for a retained column (along the pair i, j the curvatures are 0, the gauge, and
            -(lam_i + lam_j - 2 sigma2)/(lam_i lam_j)), and 0 for a zero column.
Source      Lucas et al. 2019, Eq. 13, App. A.1; theory 1.3.
Method      second differential of L in words, for all n and k; an exact instance; dense Hessians on random and hostile
            spectra. That no direction rises but towards discarded u_j is claim spectrum.
"""

from dataclasses import replace
from itertools import product

import numpy as np
import sympy as sp
from hypothesis import assume, given
from hypothesis import strategies as st

from proofs.machinery.checks import agree, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.spectra import SpectralProblem, hard_problems, random_problem
from verify import reference
from verify.arrays import to_numpy
from verify.models import ppca as model
from verify.symbolic import ppca
from verify.symbolic.differentials import differential
from verify.symbolic.letters import C, M, S, W, gram, k, marginal_precision, n, sigma2
from verify.symbolic.matrix_calculus import identity, inverse, letter, zero
from verify.symbolic.relations import reduce, relation
from verify.symbolic.traces import Scalar, trace

CLAIM = Claim(
    id="eq-13",
    source="Eq. 13, App. A.1",
    statement="moving column i along an eigenvector u_j, the sign of lam_j/k_i - 1 decides stability",
    hypotheses="u_j orthogonal to all columns of W; towards a u_j that another column holds it is "
    "-(k_i - sigma2)/(k_i lam_j) instead",
    section="Probabilistic PCA",
    rests_on=("spectrum",),
    quote="Consider stationary points of the form, W = Uq (Kq − σ 2 I)1/2 where Uq contains arbitrary eigenvectors of "
    "S. ... We consider a small perturbation to a column of W, of the form uj . To analyze the stability of the "
    "perturbed solution, we check the sign of the dot-product of the perturbation with the likelihood gradient at wi + "
    "uj . Ignoring terms in 2 we can write the dot-product as, N (λj /ki − 1)uTj C−1 uj (13) Now, C−1 is positive "
    "definite and so the sign depends only on λj /ki − 1. The stationary point is stable (local maxima) only if the "
    "sign is negative. If ki = λi then the maxima is stable only when λi > λj , in words, the top q principal "
    "components are stable.",
    fault="missing hypothesis",
    finding="the product is as printed if u_j is discarded (orthogonal to all columns of W), and then some "
    "direction rises to second order iff some sign is positive, zero columns included. That is what is meant, or the "
    "top q would not be stable; it is not said. Towards a u_j that another column holds it is "
    "-(k_i - sigma2)/(k_i lam_j), never positive",
)
DISCARDED_U = CLAIM.step(
    "discarded",
    "towards a u_j orthogonal to all columns of W the product is, to second order in epsilon and but for the factor N, "
    "(lam_j/k_i - 1) u_j^T C^-1 u_j epsilon^2, as printed; for all n and k, retained columns and zero ones",
    says="positive_sign -> rising",
    place="Proposition 3",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "so some direction rises to second order iff for some column i and discarded u_j the printed sign is positive",
    place="Proposition 3",
)
RETAINED_U = CLAIM.step(
    "retained",
    "towards a u_j that another column holds it is -(k_i - sigma2)/(k_i lam_j) epsilon^2, not what is printed: "
    "negative for a retained column i, 0 for a zero one, where the printed sign is positive whenever lam_j > k_i; for "
    "all n and k",
    place="Proposition 3",
)
WITNESS = CLAIM.step(
    "witness", "there is a global maximum, C = S, that Eq. 13 taken for any eigenvector calls unstable"
)

lam, kappa = sp.Symbol("lam", nonnegative=True), sp.Symbol("kappa", positive=True)  # lam_j and k_i
u, e, f = letter("u", n, 1), letter("e", k, 1), letter("f", k, 1)  # u_j, and the unit vectors of columns i and j
# A stationary point (C^-1 W = W M^-1, so S W = W M), an eigenvector of S, and column i orthogonal to the others.
AT_POINT = (
    gram,
    relation(S @ W, W @ M),
    relation(S @ u, lam * u),
    relation(u.T @ u, identity(1)),
    relation(e.T @ e, identity(1)),
    relation(M @ e, kappa * e),
    relation(inverse(M) @ e, e / kappa),
)
DISCARDED = (*AT_POINT, relation(W.T @ u, zero(k, 1)))
# Column j of W is l u_j with l^2 = lam_j - sigma2, and another column than i.
length = sp.sqrt(lam - sigma2)
RETAINED = (
    *AT_POINT,
    relation(W.T @ u, length * f),
    relation(W @ f, length * u),
    relation(inverse(M) @ f, f / lam),
    relation(f.T @ f, identity(1)),
    relation(e.T @ f, zero(1, 1)),
)


def curvature_in_words(relations):
    """D^2 L[u e^T, u e^T]: the product of the perturbation with the gradient, to the order epsilon^2."""
    X = u @ e.T
    G = reduce(ppca.gradient(), marginal_precision(), gram)
    return reduce(trace(X.T @ differential(G, W, X)), *relations)


def printed_in_words(relations):
    """(lam_j/k_i - 1) u_j^T C^-1 u_j."""
    return reduce((lam / kappa - 1) * trace(u.T @ inverse(C) @ u), marginal_precision(), *relations)


def point(p: SpectralProblem, order):
    """W = U_A (Lam_A - sigma2 I)^{1/2} and zero columns, A the first that can be retained; A; k_i for each column."""
    kept = [a for a in order if p.lam[a] > p.sigma2][: p.k]
    W = np.zeros((p.n, p.k))
    W[:, : len(kept)] = p.U[:, kept] * np.sqrt(p.lam[kept] - p.sigma2)
    return W, kept, np.append(p.lam[kept], np.full(p.k - len(kept), p.sigma2))


def largest_curvature(p):
    """What errors are relative to: no curvature at such a point is larger."""
    return (1 + p.lam[0] / p.sigma2) / p.sigma2


def curvature(xp, p, W, i, j):
    """The same number, from the Hessian-vector product of verify.models."""
    X = np.zeros_like(W)
    X[:, i] = p.U[:, j]
    HX = model.hessian_vector_product(xp.asarray(W), p.sigma2, xp.asarray(p.S), xp.asarray(X))
    return float(np.sum(X * to_numpy(HX)))


def true_curvature(p, kept, k_i, j):
    """What Eq. 13 should say, for i != j."""
    if j in kept:
        return -(k_i - p.sigma2) / k_i / p.lam[j]
    return (p.lam[j] / k_i - 1) / p.sigma2


def printed(p, kept, k_i, j):
    """Eq. 13: C^-1 has the eigenvalue 1/lam_j on a retained u_j, 1/sigma2 on a discarded one."""
    return (p.lam[j] / k_i - 1) / (p.lam[j] if j in kept else p.sigma2)


def pairs(p, kept):
    """All (i, j) but a retained column along its own eigenvector, where both say lam_j = k_i."""
    return [(i, j) for i, j in product(range(p.k), range(p.n)) if not (i < len(kept) and kept[i] == j)]


@DISCARDED_U.evidence(role="corrected", kind="symbolic", strength="proved")
def test_towards_discarded_eigenvectors_eq_13_is_exact_for_all_n_and_k(record):
    same(curvature_in_words(DISCARDED), printed_in_words(DISCARDED))
    same(curvature_in_words(DISCARDED), Scalar((lam / kappa - 1) / sigma2))
    record(instances=2)


@RETAINED_U.evidence(role="corrected", kind="symbolic", strength="proved")
def test_towards_retained_eigenvectors_it_is_never_positive_for_all_n_and_k(record):
    same(curvature_in_words(RETAINED), Scalar(-(kappa - sigma2) / kappa / lam))
    # A retained column has k_i > sigma2 and falls, a zero column k_i = sigma2 and is flat.
    vanishes((-(kappa - sigma2) / kappa / lam).subs(kappa, sigma2))
    with rejected():  # not of a retained column
        vanishes((-(kappa - sigma2) / kappa / lam).subs(kappa, 2 * sigma2))
    record(instances=2)


@RETAINED_U.evidence(role="corrected", kind="symbolic")
def test_along_a_pair_of_retained_columns_the_curvatures_are_zero_and_negative(record):
    # Two retained columns live in the plane of their eigenvectors: L there, entry by entry.
    a, b, s, x, y = sp.symbols("a b s x y", positive=True)
    columns = sp.Matrix([[sp.sqrt(a - s), y], [x, sp.sqrt(b - s)]])
    inner = columns * columns.T + s * sp.eye(2)
    L = -(sp.log(inner.det()) + (inner.inv() * sp.diag(a, b)).trace()) / 2
    H = sp.hessian(L, (x, y)).subs({x: 0, y: 0})
    vanishes(sp.simplify(H.det()))
    vanishes(sp.simplify(H.trace() + (a + b - 2 * s) / (a * b)))
    with rejected():  # the noise taken off once
        vanishes(sp.simplify(H.trace() + (a + b - s) / (a * b)))
    record(instances=1)


@CONCLUSION.evidence(role="corrected", kind="symbolic", strength="proved")
def test_the_signs_towards_discarded_eigenvectors_decide(record):
    """Of the spectrum only rows 1 and 4 are ever positive: k_i = lam_i of a retained column, sigma2 of a zero one."""
    record(instances=concludes(CLAIM, "rising <-> positive_sign", {"spectrum": "rising -> positive_sign"}))
    with rejected():  # of flat directions nothing is said
        concludes(CLAIM, "~positive_sign -> strict_maximum", {"spectrum": "rising -> positive_sign"})


def check_called_unstable(noise, a, b):
    """S = diag(a, b), W = diag of the roots: C = S; column 2 along u_1 by Eq. 13 and in truth."""
    x = sp.Symbol("x", positive=True)
    W_ = sp.Matrix([[sp.sqrt(a - noise), x], [0, sp.sqrt(b - noise)]])
    C_ = W_ * W_.T + noise * sp.eye(2)
    same(C_.subs(x, 0), sp.diag(a, b))
    L = -(sp.log(C_.det()) + (C_.inv() * sp.diag(a, b)).trace()) / 2
    sign, curvature_ = (a / b - 1) / a, sp.diff(L, x, 2).subs(x, 0)
    check(sign > 0, "Eq. 13 does not call it unstable")
    check(curvature_ < 0, "it is unstable")
    vanishes(curvature_ + (b - noise) / (b * a))
    # C = S is a global maximum: sum of z - 1 - log z, which is 0 at z = 1, convex, and stationary nowhere else.
    z = sp.Symbol("z", positive=True)
    h = z - 1 - sp.log(z)
    same((h.subs(z, 1), sp.solve(sp.diff(h, z), z)), (0, [1]))
    check(sp.diff(h, z, 2).is_positive, "another C may be likelier")
    return sign, curvature_


@WITNESS.evidence(role="refutes", kind="symbolic", strength="proved")
def test_an_exact_global_maximum_is_called_unstable(record):
    """-2 L + const = log det C + tr(C^-1 S) is least at C = S: x - 1 - log x >= 0 of each eigenvalue of C^-1 S."""
    sign, actual = check_called_unstable(sp.Integer(1), sp.Integer(5), sp.Integer(2))
    with rejected():  # column 1 along u_2, lam_2 < k_1
        check_called_unstable(sp.Integer(1), sp.Integer(2), sp.Integer(5))
    record(instances=1)
    record.witness(
        f"S = diag(5, 2), sigma2 = 1, W = diag(2, 1) has C = S, the global maximum; column 2 along u_1: Eq. 13 gives "
        f"(5/2 - 1)/5 = {sign} > 0, the curvature is {actual}"
    )


@DISCARDED_U.evidence(role="corrected", kind="numeric")
def test_the_corrected_formula_is_the_curvature_on_random_problems(record, thorough, xp):
    rng = np.random.default_rng(13)
    for _ in range(thorough(60, 600)):
        p = random_problem(rng)
        W, kept, ks = point(p, rng.permutation(p.n))
        for i, j in pairs(p, kept):
            expected = true_curvature(p, kept, ks[i], j)
            actual = curvature(xp, p, W, i, j)
            # A few dozen operations on numbers of order one to a hundred.
            record(worst_error=agree(actual, expected, tolerance=1e-13, scale=largest_curvature(p)))


@DISCARDED_U.evidence(role="corrected", kind="property")
@given(p=hard_problems(), order=st.permutations(range(6)))
def test_the_corrected_formula_survives_hostile_spectra(p, order, record, xp):
    W, kept, ks = point(p, [a for a in order if a < p.n])
    for i, j in pairs(p, kept):
        expected = true_curvature(p, kept, ks[i], j)
        actual = curvature(xp, p, W, i, j)
        record(worst_error=agree(actual, expected, tolerance=p.rounding, scale=largest_curvature(p)))


@DISCARDED_U.evidence(role="corrected", kind="numeric")
def test_the_printed_product_with_the_gradient_has_this_limit_in_50_digits(record, thorough):
    # The paper's own quantity: epsilon u_j . grad L(W + epsilon u_j e_i^T), over epsilon^2.
    rng = np.random.default_rng(131)
    for _ in range(thorough(6, 60)):
        p = random_problem(rng, 4, 2)
        eigenvalues, U, S = p.exactly()
        kept = [a for a in rng.permutation(4) if p.lam[a] > p.sigma2][:2]
        with reference.precision():
            W = np.zeros((4, 2), dtype=object)
            for i, a in enumerate(kept):
                W[:, i] = U[:, a] * np.sqrt(eigenvalues[a] - reference.exact(p.sigma2)[()])
            for i, j in pairs(p, kept):
                k_i = p.lam[kept[i]] if i < len(kept) else p.sigma2
                step = np.zeros_like(W)
                step[:, i] = U[:, j] * reference.exact(1e-12)[()]
                slope = np.sum(step * reference.gradient(W + step, p.sigma2, S)) / reference.exact(1e-12)[()] ** 2
                expected = true_curvature(p, kept, k_i, j)
                # Terms of order epsilon^2 = 1e-24 are left out, and the expected value is a double.
                record(worst_error=agree(float(slope), expected, tolerance=1e-14, scale=1 + 1 / p.sigma2**2))


@CONCLUSION.evidence(role="corrected", kind="property")
@given(p=hard_problems(max_n=5), order=st.permutations(range(5)))
def test_the_signs_over_discarded_directions_decide_stability(p, order, record):
    # The number of positive eigenvalues of the whole Hessian is the number of positive printed signs, counted over
    # discarded u_j only; counted over all u_j it is not (below). Exact arithmetic on the side of the signs.
    W, kept, ks = point(p, [a for a in order if a < p.n])
    discarded = [j for j in range(p.n) if j not in kept]
    signs = sum(p.lam[j] > k_i for k_i in ks for j in discarded)
    values = np.linalg.eigvalsh(model.hessian(W, p.sigma2, p.S))
    doubtful = p.rounding * largest_curvature(p)
    curvatures = [true_curvature(p, kept, k_i, j) for k_i in ks for j in discarded]
    # A sign within rounding of zero, but not zero, is none that a floating-point Hessian can show.
    assume(all(c == 0 or abs(c) > doubtful for c in curvatures))
    same(int((values > doubtful).sum()), signs)
    record()


@RETAINED_U.evidence(role="refutes", kind="symbolic", strength="proved")
def test_for_a_retained_direction_the_printed_sign_is_wrong_for_all_n_and_k(record):
    same(printed_in_words(RETAINED), Scalar((lam / kappa - 1) / lam))
    difference = curvature_in_words(RETAINED) - printed_in_words(RETAINED)
    same(difference, Scalar((sigma2 / kappa - lam / kappa) / lam))  # < 0: lam_j > sigma2 is retained
    with rejected():  # as if it were discarded
        same(curvature_in_words(RETAINED), curvature_in_words(DISCARDED))
    # k_i < lam_j: printed positive, so unstable; in truth the curvature is not positive.
    record(instances=2)
    record.witness("towards a retained u_j: printed (lam_j/k_i - 1)/lam_j, true -(k_i - sigma2)/(k_i lam_j)")


@WITNESS.evidence(role="refutes", kind="numeric")
def test_the_global_maximum_is_unstable_by_the_printed_sign(record):
    # lam = (3, 2), sigma2 = 1/2, W = diag(sqrt 2.5, sqrt 1.5): W W^T + sigma2 I = S, the best that there is.
    p = SpectralProblem(np.array([3.0, 2.0]), np.eye(2), 2, 0.5)
    W, kept, ks = point(p, [0, 1])
    agree(W @ W.T + 0.5 * np.eye(2), p.S, tolerance=1e-15)
    claimed = printed(p, kept, ks[1], 0)
    check(claimed > 0, "the printed sign does not call the maximum unstable")
    actual = curvature(np, p, W, 1, 0)
    agree(actual, -0.25, tolerance=1e-14)
    check(np.linalg.eigvalsh(model.hessian(W, 0.5, p.S)).max() < 1e-14, "the maximum is unstable after all")
    record(instances=1)
    record.witness(
        f"S = diag(3, 2), sigma2 = 1/2, W = diag(sqrt(2.5), sqrt(1.5)) has C = S, the global maximum; column 2 along "
        f"u_1: Eq. 13 gives (3/2 - 1)/3 = {claimed:.4f} > 0, the curvature is {actual:.4f}"
    )


@WITNESS.evidence(role="refutes", kind="numeric")
def test_a_zero_column_towards_a_retained_eigenvector_is_flat_and_not_unstable(record):
    p = SpectralProblem(np.array([3.0, 0.4]), np.eye(2), 2, 0.5)
    W, kept, ks = point(p, [0])
    claimed, actual = printed(p, kept, ks[1], 0), curvature(np, p, W, 1, 0)
    agree(claimed, 5 / 3, tolerance=1e-14)
    agree(actual, 0.0, tolerance=1e-14)
    # Flat exactly: on the circle column 1 = cos t sqrt(2.5) u_1, column 2 = sin t sqrt(2.5) u_1, C does not move.
    t = np.linspace(0, 6, 7)[:, None, None]
    moved = np.concatenate([np.cos(t) * W[None, :, :1], np.sin(t) * W[None, :, :1]], axis=-1)
    agree(model.log_likelihood(moved, 0.5, p.S), np.full(7, model.log_likelihood(W, 0.5, p.S)), tolerance=1e-14)
    record(instances=1)
    record.witness(
        f"S = diag(3, 0.4), sigma2 = 1/2, W = (sqrt(2.5) u_1, 0), the global maximum; column 2 along u_1: Eq. 13 gives "
        f"(3/0.5 - 1)/3 = {claimed:.4f} > 0, the curvature is {actual:.1g}: W R has the same likelihood"
    )


@DISCARDED_U.evidence(role="control", kind="symbolic")
def test_slips_in_eq_13_are_rejected():
    for wrong in (
        (lam / kappa - 1) / kappa,  # u_j^T C^-1 u_j taken at k_i
        (lam / sigma2 - 1) / sigma2,  # sigma2 for k_i also in a retained column
        (kappa / lam - 1) / sigma2,  # upside down
        (lam / kappa - 1) / (2 * sigma2),
    ):
        with rejected():
            same(curvature_in_words(DISCARDED), Scalar(wrong))
    with rejected():  # the printed form where it does not hold
        same(curvature_in_words(RETAINED), printed_in_words(RETAINED))


@RETAINED_U.evidence(role="control", kind="numeric")
def test_the_printed_form_is_rejected_by_the_numeric_checker():
    p = random_problem(np.random.default_rng(132), 5, 3)
    p = replace(p, sigma2=0.5 * p.lam[2])
    W, kept, ks = point(p, [0, 1, 2])
    with rejected():
        agree(curvature(np, p, W, 1, 0), printed(p, kept, ks[1], 0), tolerance=1e-13, scale=largest_curvature(p))
    with rejected():  # signs counted over all eigenvectors, as printed, are not the index
        values = np.linalg.eigvalsh(model.hessian(W, p.sigma2, p.S))
        doubtful = p.rounding * largest_curvature(p)
        same(int((values > doubtful).sum()), sum(v > k_i for k_i in ks for v in p.lam))
