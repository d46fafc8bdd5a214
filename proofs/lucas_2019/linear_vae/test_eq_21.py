"""Eq. 21: the gradient of the ELBO in D, and the D* that it yields.

Statement   dELBO/dD = 1/2 (D^-1 - I - diag(W^T W)/sigma2), so D* = sigma2 (diag(W^T W) + sigma2 I)^-1.
Hypotheses  per datum (the paper's factor N belongs to the sum over the data); D diagonal and positive.
Source      Lucas et al. 2019, App. C.2.
Method      the differential of the ELBO derived from Eqs. 15-20, for all n and k; entry by entry for small n, k;
            differences of a 50-digit ELBO.  D* is unique because the gradient is 1/2 (D^-1 - D*^-1).
Trusted     claim eq-16-20 for the ELBO; jacobi for log det D; the rules of differentials.py (tests/verify/symbolic).
"""

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from hypothesis import given

from proofs.machinery.checks import agree, at_most, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.problems.linear_vaes import (
    derivative_with_50_digits,
    hard_vaes,
    random_vae,
)
from proofs.problems.on_device import gradient_agrees
from verify.arrays import to_numpy
from verify.models import linear_vae as model
from verify.symbolic import linear_vae
from verify.symbolic.evaluation import on_arrays, on_matrices
from verify.symbolic.explicit import Explicit
from verify.symbolic.letters import D, M, W, gram, k, n, sigma2
from verify.symbolic.matrix_calculus import WordSum, diag, identity, inverse
from verify.symbolic.relations import reduce

CLAIM = Claim(
    id="eq-21",
    source="Eq. 21, App. C.2",
    statement="dELBO/dD = 1/2 (D^-1 - I - diag(W^T W)/sigma2); zero at D* = sigma2 (diag(W^T W) + sigma2 I)^-1",
    hypotheses="per datum; D diagonal, D > 0, sigma2 > 0",
    section="The linear VAE",
    rests_on=("eq-16-20",),
    trusts=("jacobi",),
)
GRADIENT = CLAIM.step("gradient", "dELBO/dD is as printed, for all n and k", place="Gradients")
OPTIMUM = CLAIM.step(
    "optimum", "it is zero at the printed D* and at no other D > 0, for all n and k", place="Proposition 7"
)


def printed() -> WordSum:
    """The right side of Eq. 21, without the factor N."""
    return (inverse(D) - identity(k) - diag(W.T @ W) / sigma2) / 2


@GRADIENT.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_gradient_is_as_printed_for_all_n_and_k(record):
    same(linear_vae.gradients().D, printed())
    record()
    record.witness(f"dELBO/dD = {linear_vae.gradients().D} for all n, k")


@OPTIMUM.evidence(role="supports", kind="symbolic", strength="proved")
def test_it_vanishes_at_the_printed_optimum_and_nowhere_else(record):
    _, best = linear_vae.optimal_encoder()
    # D* is sigma2 (diag(W^T W) + sigma2 I)^-1, because diag(M) is what stands in the bracket.
    same(reduce(diag(W.T @ W) + sigma2 * identity(k), gram), diag(M))
    # The gradient is 1/2 (D^-1 - D*^-1): zero if and only if D = D*.
    same(reduce(linear_vae.gradients().D, gram), (inverse(D) - inverse(best)) / 2)
    record(instances=2)


@GRADIENT.evidence(role="supports", kind="symbolic")
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (2, 3)], ids=str)
def test_differentiation_entry_by_entry_gives_the_same(size, record):
    explicit = Explicit(*size)
    closed = on_matrices(printed(), explicit.matrices, explicit.values)
    vanishes((explicit.gradient(explicit.elbo, explicit.D) - closed).expand())
    record()


@GRADIENT.evidence(role="supports", kind="numeric")
def test_the_numpy_gradient_is_the_derived_one(record, thorough, xp):
    explicit = Explicit(3, 2)
    entries = explicit.lambdified(list(explicit.gradient(explicit.elbo, explicit.D).diagonal()))
    rng = np.random.default_rng(21)
    for _ in range(thorough(30, 300)):
        p = random_vae(rng, 3, 2)
        actual = model.gradients(*p.on(xp)).D
        # Order-1 terms in float64.
        record(worst_error=agree(actual, entries(p.W, p.V, p.D, p.sigma2, p.S), tolerance=1e-12))
        p = random_vae(rng, *(int(i) for i in rng.integers(1, 8, 2)))
        values = {n: p.W.shape[0], k: p.W.shape[1], sigma2: p.sigma2}
        expected = np.diag(on_arrays(printed(), {"W": p.W, "D": np.diag(p.D)}, values))
        record(worst_error=agree(model.gradients(*p.on(xp)).D, expected, tolerance=1e-12))


@GRADIENT.evidence(role="supports", kind="numeric")
def test_differences_of_a_50_digit_elbo_agree(record, thorough, xp):
    rng = np.random.default_rng(22)
    for _ in range(thorough(10, 100)):
        p = random_vae(rng, 4, 3)
        expected = derivative_with_50_digits(p, "D")
        record(worst_error=agree(model.gradients(*p.on(xp)).D, expected, tolerance=1e-12))


@OPTIMUM.evidence(role="supports", kind="property")
@given(p=hard_vaes())
def test_no_variance_beats_the_printed_optimum_on_hostile_spectra(p, record, xp):
    W, V, D, s, S = p.on(xp)
    _, best = model.optimal_encoder(W, s)
    # At D* the gradient is the difference of two numbers 1/D*, each with a few roundings.
    error = agree(model.gradients(W, V, best, s, S).D * best, 0.0 * best, tolerance=1e-14 * len(p.D))
    ahead = model.elbo(W, V, D, s, S) - model.elbo(W, V, best, s, S)
    # A gain within the rounding of the largest terms of the two values is no gain.
    at_optimum = replace(p, D=to_numpy(best))
    at_most(ahead, 0.0, slack=1e-13 * (p.size_of_elbo + at_optimum.size_of_elbo))
    record(worst_error=error)


@OPTIMUM.evidence(role="control", kind="numeric")
def test_a_variance_beside_the_optimum_is_beaten():
    rng = np.random.default_rng(23)
    for factor in (0.5, 2.0):
        W, V, _, s, S = (p := random_vae(rng, 4, 2)).on(np)
        _, best = model.optimal_encoder(W, s)
        lost = model.elbo(W, V, best, s, S) - model.elbo(W, V, factor * best, s, S)
        with rejected():
            at_most(lost, 0.0, slack=1e-13 * p.size_of_elbo)


@GRADIENT.evidence(role="control", kind="symbolic")
def test_a_slip_in_the_gradient_is_rejected():
    for wrong in (
        2 * printed(),  # without the 1/2
        printed() + identity(k),  # the sign of I
        (inverse(D) - identity(k) - diag(W.T @ W)) / 2,  # without 1/sigma2
        (inverse(D) - identity(k) - W.T @ W / sigma2) / 2,  # without diag: right only for orthogonal columns
    ):
        with rejected():
            same(linear_vae.gradients().D, wrong)


@OPTIMUM.evidence(role="control", kind="symbolic")
def test_the_variance_of_the_true_posterior_is_rejected_as_optimum():
    # diag(sigma2 M^-1), the marginal variances of the posterior, are not what the ELBO wants.
    explicit = Explicit(2, 2)
    M = explicit.W.T * explicit.W + explicit.sigma2 * sp.eye(2)
    marginal = M.inv() * explicit.sigma2
    variances = dict(zip(explicit.D.diagonal(), marginal.diagonal(), strict=True))
    gradient = explicit.gradient(explicit.elbo, explicit.D).subs(variances)
    with rejected():
        vanishes(explicit.at_rationals(gradient, 0))


@GRADIENT.evidence(role="control", kind="numeric")
def test_differences_reject_a_gradient_without_the_prior():
    p = random_vae(np.random.default_rng(23), 4, 3)
    expected = derivative_with_50_digits(p, "D")
    with rejected():
        agree(model.gradients(p.W, p.V, p.D, p.sigma2, p.S).D + 0.5, expected, tolerance=1e-12)


@GRADIENT.evidence(role="supports", kind="device")
def test_the_kernel_in_batches_is_the_derived_gradient(record, thorough, xp):
    count = thorough(50, 500)
    record(instances=count, worst_error=gradient_agrees("D", xp, count, seed=26))


@GRADIENT.evidence(role="control", kind="device")
def test_the_kernel_is_not_the_gradient_at_half_the_noise(xp):
    with rejected():
        gradient_agrees("D", xp, 5, seed=26, moved=0.5)
