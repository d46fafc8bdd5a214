"""Eq. 14: what the output of the linear VAE does not tell about its latents.

Statement   the output x~|x ~ N(W V (x - mu) + mu, W D W^T) is the same for W A, A^-1 V, A^-1 D A^-1, A diagonal with
            non-zero entries; the KL term, and so the ELBO, is not.
Hypotheses  none; but A need not be diagonal: A invertible with D' = A^-1 D A^-T diagonal and positive is all it
            takes, and then A = D^{1/2} Q D'^{-1/2} with any orthogonal Q, and conversely. A diagonal matrix
            times a permutation is one; so is a rotation of the latents in units of their posterior deviations.
Source      Lucas et al. 2019, Eq. 14, App. B.
Method      in words, for all n and k: mean and covariance of the output; the reconstruction term; the change of the
            KL, which for a diagonal A is log |det A| + 1/2 tr((A^-2 - I)(D + V S V^T)) and least where
            D' + diag(V' S V'^T) = I (claim stationary-identity). Numeric: hostile problems; 50 digits.
Trusted     the rules of verify.symbolic; a Gaussian is given by its mean and covariance (its definition).
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.problems.linear_vaes import hard_vaes, random_vae
from proofs.problems.spectra import random_rotation
from verify import reference
from verify.models import linear_vae as model
from verify.symbolic import linear_vae
from verify.symbolic.explicit import Explicit
from verify.symbolic.letters import D, S, V, W, k
from verify.symbolic.matrix_calculus import diag, identity, inverse, letter
from verify.symbolic.relations import reduce, relation, substitute
from verify.symbolic.traces import log_det, trace

CLAIM = Claim(
    id="eq-14",
    source="Eq. 14, App. B",
    statement="the output is invariant under W A, A^-1 V, A^-1 D A^-1 for a diagonal A; the KL term is not",
    hypotheses="entries of A not 0; any A with A^-1 D A^-T diagonal and positive will do",
    section="The linear VAE",
    rests_on=("eq-16-20", "stationary-identity"),
)
OUTPUT = CLAIM.step(
    "output",
    "under W A, A^-1 V, A^-1 D A^-T mean and covariance of the output stay, and so does E log p(x|z), for all n, k and "
    "invertible A",
    place="Eq. 14",
)
LOSS = CLAIM.step(
    "loss",
    "for a diagonal A the KL changes by log |det A| + 1/2 tr((A^-2 - I)(D + diag(V S V^T))); where D + diag(V S V^T) = "
    "I, as at stationary points, it rises unless all |a_i| = 1, for all n and k",
    place="Eq. 14",
)
WHICH = CLAIM.step(
    "which-a",
    "A need not be diagonal: A^-1 D A^-T is a diagonal D' > 0 iff A = D^{1/2} Q D'^{-1/2}, Q orthogonal",
    place="Eq. 14",
)

A_diagonal = letter("A", k, k, "diagonal")
A_any = letter("A", k, k)
ROOT, NEW_ROOT = letter("F", k, k, "diagonal"), letter("G", k, k, "diagonal")  # D^{1/2} and D'^{1/2}
Q = letter("Q", k, k)


def transformed(A):
    """W A, A^-1 V, A^-1 D A^-T, by name of letter."""
    return {"W": W @ A, "V": inverse(A) @ V, "D": inverse(A) @ D @ inverse(A).T}


def output(values):
    """W V and W D W^T: the mean of x~ - mu is W V (x - mu)."""
    return substitute(W @ V, values), substitute(W @ D @ W.T, values)


def check_same_output(before, after, tolerance):
    """Mean and covariance of the output at two (W, V, D), with NumPy; relative to the products without signs."""
    (w, v, d), (w2, v2, d2) = before, after
    size = np.linalg.norm(np.abs(w2) @ np.abs(v2)) or 1.0
    of_mean = agree(w2 @ v2, w @ v, tolerance=tolerance, scale=size)
    size = np.linalg.norm((np.abs(w2) * d2) @ np.abs(w2).T) or 1.0
    return max(of_mean, agree((w2 * d2) @ w2.T, (w * d) @ w.T, tolerance=tolerance, scale=size))


def with_other_latents(p, A, d):
    """W A, A^-1 V and the new variances d, with NumPy."""
    return p.W @ A, np.linalg.solve(A, p.V), d


@OUTPUT.evidence(role="supports", kind="symbolic", strength="proved")
@pytest.mark.parametrize("A", [A_diagonal, A_any], ids=["diagonal", "any"])
def test_the_output_is_the_same_for_all_n_and_k(A, record):
    for actual, expected in zip(output(transformed(A)), (W @ V, W @ D @ W.T), strict=True):
        same(actual, expected)
    # And so is the reconstruction term, which knows no more of the latents than the output.
    same(substitute(linear_vae.reconstruction(), transformed(A)), linear_vae.reconstruction())
    record(instances=2)


@WHICH.evidence(role="supports", kind="symbolic", strength="proved")
def test_which_transformations_keep_the_variances_diagonal(record):
    """D = F^2, D' = G^2: A^-1 D A^-T = D' iff Q = F^-1 A G is orthogonal, that is, A = F Q G^-1."""
    of_A = ROOT @ Q @ inverse(NEW_ROOT)
    orthogonal = (relation(Q @ Q.T, identity(k)), relation(inverse(Q) @ inverse(Q).T, identity(k)))
    squares = relation(ROOT @ ROOT, D)
    new = inverse(of_A) @ ROOT @ ROOT @ inverse(of_A).T
    same(reduce(new, *orthogonal), NEW_ROOT @ NEW_ROOT)
    # Conversely D = A D' A^T, and then Q Q^T = F^-1 A G^2 A^T F^-1 = F^-1 D F^-1 = I.
    of_Q = inverse(ROOT) @ A_any @ NEW_ROOT
    given_D = relation(A_any @ NEW_ROOT @ NEW_ROOT @ A_any.T, ROOT @ ROOT)
    same(reduce(of_Q @ of_Q.T, given_D), identity(k))
    same(reduce(of_A @ NEW_ROOT @ NEW_ROOT @ of_A.T, *orthogonal, squares), D)
    record(instances=3)
    record.witness("A = D^{1/2} Q D'^{-1/2}, Q orthogonal: all A that keep the output and the form of q, for all k")


@LOSS.evidence(role="supports", kind="symbolic", strength="proved")
def test_how_the_kl_changes(record):
    A = A_diagonal
    change = substitute(linear_vae.kl(), transformed(A)) - linear_vae.kl()
    square = inverse(A) @ inverse(A)
    same(change, log_det(A) + trace((square - identity(k)) @ (D + diag(V @ S @ V.T))) / 2)
    # Of one latent, m its mean square: with r = (d + m)/a^2 it is 1/2 (r - 1 - log r) above its least value.
    a, d, m = sp.symbols("a d m", positive=True)
    one = (sp.log(a**2 / d) + (m + d) / a**2 - 1) / 2
    r = (d + m) / a**2
    vanishes(sp.expand_log(one - one.subs(a, sp.sqrt(d + m)) - (r - 1 - sp.log(r)) / 2, force=True))
    # At d + m = 1 the rise is f(1/a^2)/2 with f(r) = r - 1 - log r, which is convex and has its only zero slope at 1.
    vanishes((one - one.subs(a, 1) - (r - 1 - sp.log(r)) / 2).subs(m, 1 - d).simplify())
    with rejected():  # at d + m = 2 it is not: there a smaller KL is to be had
        vanishes((one - one.subs(a, 1) - (r - 1 - sp.log(r)) / 2).subs(m, 2 - d).simplify())
    r = sp.Symbol("r", positive=True)
    f = r - 1 - sp.log(r)
    vanishes(f.subs(r, 1))
    vanishes(sp.diff(f, r) - (r - 1) / r)
    check(sp.diff(f, r, 2).is_positive, "r - 1 - log r is not convex")
    with rejected():  # the sign of the logarithm
        check(sp.diff(r - 1 + sp.log(r), r, 2).is_positive, "r - 1 + log r is not convex")
    record(instances=5)
    record.witness(
        "KL' - KL = log |det A| + 1/2 tr((A^-2 - I)(D + diag(V S V^T))): where D + diag(V S V^T) = I, as at stationary "
        "points, it rises unless all |a_i| = 1"
    )


@OUTPUT.evidence(role="supports", kind="symbolic")
@pytest.mark.parametrize("size", [(2, 2), (3, 2)], ids=str)
def test_entry_by_entry_on_small_matrices(size, record):
    """Explicit matrices: A = diagonal times the permutation that swaps two latents, and its variances stay diagonal."""
    e = Explicit(*size)
    A = sp.diag(*sp.symbols("a:2", positive=True)) * sp.Matrix([[0, 1], [1, 0]])
    w, v, d = e.W * A, A.inv() * e.V, (A.inv() * e.D * A.inv().T).expand()
    vanishes((w * v - e.W * e.V).expand())
    vanishes((w * d * w.T - e.W * e.D * e.W.T).expand())
    vanishes(sp.Matrix([d[0, 1], d[1, 0]]))
    record()


@WHICH.evidence(role="supports", kind="numeric")
def test_every_orthogonal_q_keeps_the_output(record, thorough):
    rng = np.random.default_rng(71)
    for _ in range(thorough(50, 500)):
        p = random_vae(rng, *(int(i) for i in rng.integers(1, 7, 2)))
        new = rng.uniform(0.3, 2.0, len(p.D))
        A = np.sqrt(p.D)[:, None] * random_rotation(rng, len(p.D)) / np.sqrt(new)
        # A of a condition of order 10, and a handful of products.
        record(worst_error=check_same_output((p.W, p.V, p.D), with_other_latents(p, A, new), 1e-13))


@LOSS.evidence(role="supports", kind="numeric")
def test_the_reconstruction_term_stays_and_the_kl_changes_as_derived(record, thorough, xp):
    rng = np.random.default_rng(72)
    for _ in range(thorough(50, 500)):
        p = random_vae(rng, *(int(i) for i in rng.integers(1, 7, 2)))
        W, V, D, s, S = p.on(xp)
        a = xp.asarray(rng.uniform(0.4, 2.5, len(p.D)) * rng.choice([-1, 1], len(p.D)))
        W2, V2, D2 = W * a, V / a[:, None], D / a**2
        same_term = model.reconstruction(W, V, D, s, S)
        agree(model.reconstruction(W2, V2, D2, s, S), same_term, tolerance=1e-12, scale=p.size_of_elbo)
        second = D + xp.diagonal(V @ S @ V.T)
        expected = float(xp.sum(xp.log(xp.abs(a))) + 0.5 * xp.sum((1 / a**2 - 1) * second))
        change = float(model.kl(V2, D2, S) - model.kl(V, D, S))
        record(worst_error=agree(change, expected, tolerance=1e-12, scale=p.size_of_elbo))


@OUTPUT.evidence(role="supports", kind="property")
@given(p=hard_vaes(), scales=st.lists(st.floats(-6, 6), min_size=3, max_size=3), flip=st.booleans())
def test_hostile_problems_and_scalings_over_twelve_decades(p, scales, flip, record):
    a = 10.0 ** np.array(scales[: len(p.D)]) * (-1.0 if flip else 1.0)
    other = p.W * a, p.V / a[:, None], p.D / a**2
    # Scaling cancels entry by entry, so that only the rounding of each product is left.
    record(worst_error=check_same_output((p.W, p.V, p.D), other, 1e-14))


@LOSS.evidence(role="supports", kind="numeric")
def test_the_change_of_the_elbo_to_50_digits(record, thorough):
    """With scales of 1e-8 beside 1e8, where the KL cancels against itself in floats."""
    rng = np.random.default_rng(73)
    for _ in range(thorough(8, 80)):
        p = random_vae(rng, 4, 3)
        a = reference.exact(np.array([1e-8, 1.0 + 1e-9, -1e8]))
        before = reference.elbo(p.W, p.V, p.D, p.sigma2, p.S)
        with reference.precision():
            W, V, D, S = (reference.exact(x) for x in (p.W, p.V, p.D, p.S))
            after = reference.elbo(W * a, V / a[:, None], D / a**2, p.sigma2, S)
            second = D + (V @ S * V).sum(axis=1)
            logs = sum(reference.mpmath.log(abs(x)) for x in a)
            expected = -logs - ((1 / a**2 - 1) * second).sum() / 2
            # The terms are of size 1e16.
            record(worst_error=at_most(abs(after - before - expected), 0.0, slack=1e-30))
            with rejected():  # without log |det A|, which is 1e-9 here
                at_most(abs(after - before - expected - logs), 0.0, slack=1e-30)


@WHICH.evidence(role="supports", kind="numeric")
def test_a_rotation_to_check_by_hand(record):
    """D = diag(1, 4), D' = I, Q a rotation by 45 degrees: neither diagonal nor a permutation of such."""
    Q = np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2)
    A = np.diag([1.0, 2.0]) @ Q
    W, V, D = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([1.0, 4.0])
    other = W @ A, np.linalg.solve(A, V), np.ones(2)
    record(worst_error=check_same_output((W, V, D), other, 1e-15))
    check(np.abs(A).min() > 0.5, "A is diagonal times a permutation")
    with rejected():  # D^{1/2} times the exchange of two latents is
        check(np.abs(np.diag([1.0, 2.0]) @ np.eye(2)[::-1]).min() > 0.5, "A is diagonal times a permutation")
    record.witness("D = diag(1, 4), A = [[1, -1], [2, 2]]/sqrt 2: A^-1 D A^-T = I, and W D W^T, W V stay, for any W, V")


@OUTPUT.evidence(role="control", kind="symbolic")
def test_a_slip_in_the_transformation_is_rejected():
    A = A_any
    for wrong in (
        {"W": W @ A, "V": inverse(A) @ V, "D": inverse(A) @ D @ inverse(A)},  # as printed, for an A not symmetric
        {"W": W @ A, "V": inverse(A) @ V, "D": inverse(A) @ D @ A},  # a similarity
        {"W": W @ A, "V": A.T @ V, "D": A.T @ D @ A},  # right for an orthogonal A only
    ):
        with rejected():
            for actual, expected in zip(output(wrong), (W @ V, W @ D @ W.T), strict=True):
                same(actual, expected)


@LOSS.evidence(role="control", kind="symbolic")
def test_that_the_kl_stays_is_rejected():
    with rejected():
        same(substitute(linear_vae.kl(), transformed(A_diagonal)), linear_vae.kl())


@WHICH.evidence(role="control", kind="numeric")
def test_an_a_that_mixes_the_latents_is_rejected_when_only_the_diagonal_is_kept():
    """D' must stay diagonal in the model: what diag(A^-1 D A^-T) leaves out shows in the output."""
    rng = np.random.default_rng(74)
    for _ in range(10):
        p = random_vae(rng, 4, 3)
        A = rng.standard_normal((3, 3))
        new = np.linalg.solve(A, np.linalg.solve(A, np.diag(p.D)).T)
        with rejected():
            check_same_output((p.W, p.V, p.D), with_other_latents(p, A, np.diag(new)), 1e-10)
