"""Eq. 22: the gradient of the ELBO in V, and the V* that it yields.

Statement   dELBO/dV = (W^T - (W^T W + sigma2 I) V) S / sigma2, so V* = M^-1 W^T at every stationary point.
Hypotheses  per datum.  Left implicit: V* is the only solution if and only if S > 0.
Correction  the gradient is -M (V - V*) S / sigma2 and M is invertible: stationary if and only if (V - V*) S = 0.
            With S > 0 that is V = V*; with a singular S every V* + Y with Y S = 0 is as good, and q(z|x) is the
            same at every datum.
Source      Lucas et al. 2019, App. C.2.
Method      the differential of the ELBO derived from Eqs. 15-20, for all n and k; entry by entry for small n, k;
            differences of a 50-digit ELBO; an exact witness with a singular S.
Trusted     the rules of differentials.py (tests/verify/symbolic); SymPy's algebra.
"""

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from hypothesis import given

from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
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
from verify.symbolic.letters import M, S, V, W, gram, k, n, sigma2
from verify.symbolic.matrix_calculus import WordSum, identity, inverse
from verify.symbolic.relations import reduce, substitute
from verify.symbolic.traces import trace

CLAIM = Claim(
    id="eq-22",
    source="Eq. 22, App. C.2",
    statement="dELBO/dV = (W^T - M V) S / sigma2, and at every stationary point V is V* = M^-1 W^T",
    hypotheses="per datum; sigma2 > 0; left implicit: S > 0",
    section="The linear VAE",
)
ROUNDING = 1e-12  # relative, in float64, for a few products of small matrices with entries of order 1


def printed() -> WordSum:
    """The right side of Eq. 22, without the factor N."""
    return (W.T - (W.T @ W + sigma2 * identity(k)) @ V) @ S / sigma2


@CLAIM.evidence(role="refutes", kind="symbolic", strength="proved")
def test_with_a_singular_covariance_another_encoder_is_stationary(record):
    matrices = {"W": sp.Matrix([1, 1]), "S": sp.diag(1, 0), "D": sp.Matrix([sp.Rational(1, 2)])}
    values = {n: 2, k: 1, sigma2: sp.Integer(1)}
    best = on_matrices(inverse(M) @ W.T, matrices, values)
    other = best + sp.Matrix([[0, 1]])
    check(other != best, "the witness is V* itself")
    vanishes(on_matrices(linear_vae.gradients().V, {**matrices, "V": other}, values))
    # It is no worse, either: the value is that of V*.
    elbo = [on_matrices(linear_vae.elbo(), {**matrices, "V": V}, values) for V in (best, other)]
    vanishes(elbo[0] - elbo[1])
    record()
    record.witness("W = (1, 1)^T, S = diag(1, 0), sigma2 = 1: V* = (1/3, 1/3), yet V = (1/3, 4/3) is stationary")


@CLAIM.evidence(role="corrected", kind="symbolic", strength="proved")
def test_the_gradient_is_as_printed_for_all_n_and_k(record):
    same(linear_vae.gradients().V, printed())
    record()


@CLAIM.evidence(role="corrected", kind="symbolic", strength="proved")
def test_stationary_in_the_encoder_iff_it_is_optimal_on_the_data(record):
    best, _ = linear_vae.optimal_encoder()
    gradient = reduce(linear_vae.gradients().V, gram)
    # M is invertible, so the gradient vanishes if and only if (V - V*) S does.
    same(gradient, -(M @ (V - best) @ S) / sigma2)
    # With S invertible that is V = V*.
    same(gradient @ inverse(S), -(M @ (V - best)) / sigma2)
    record(instances=2)
    record.witness("dELBO/dV = -M (V - V*) S / sigma2 for all n, k: zero iff (V - V*) S = 0, iff V = V* where S > 0")


@CLAIM.evidence(role="corrected", kind="symbolic", strength="proved")
def test_the_elbo_is_a_downward_paraboloid_around_the_optimal_encoder(record):
    best, _ = linear_vae.optimal_encoder()
    loss = substitute(linear_vae.elbo(), {"V": best}) - linear_vae.elbo()
    # M > 0 and S >= 0 make this nonnegative: every solution of (V - V*) S = 0 is a global maximum in V.
    expected = trace((V - best).T @ M @ (V - best) @ S) / (2 * sigma2)
    same(reduce(loss, gram), reduce(expected, gram))
    record()


@CLAIM.evidence(role="corrected", kind="symbolic")
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (2, 3)], ids=str)
def test_differentiation_entry_by_entry_gives_the_same(size, record):
    explicit = Explicit(*size)
    closed = on_matrices(printed(), explicit.matrices, explicit.values)
    vanishes((explicit.gradient(explicit.elbo, explicit.V) - closed).expand())
    record()


@CLAIM.evidence(role="corrected", kind="numeric")
def test_the_numpy_gradient_is_the_derived_one(record, thorough, xp):
    explicit = Explicit(3, 2)
    entries = explicit.lambdified(explicit.gradient(explicit.elbo, explicit.V))
    rng = np.random.default_rng(22)
    for _ in range(thorough(30, 300)):
        p = random_vae(rng, 3, 2)
        actual = model.gradients(*p.on(xp)).V
        record(worst_error=agree(actual, entries(p.W, p.V, p.D, p.sigma2, p.S), tolerance=ROUNDING))
        p = random_vae(rng, *(int(i) for i in rng.integers(1, 8, 2)))
        values = {n: p.W.shape[0], k: p.W.shape[1], sigma2: p.sigma2}
        expected = on_arrays(printed(), {"W": p.W, "V": p.V, "S": p.S}, values)
        record(worst_error=agree(model.gradients(*p.on(xp)).V, expected, tolerance=ROUNDING))


@CLAIM.evidence(role="corrected", kind="numeric")
def test_differences_of_a_50_digit_elbo_agree(record, thorough, xp):
    rng = np.random.default_rng(23)
    for _ in range(thorough(5, 50)):
        p = random_vae(rng, 3, 2)
        expected = derivative_with_50_digits(p, "V")
        record(worst_error=agree(model.gradients(*p.on(xp)).V, expected, tolerance=ROUNDING))


@CLAIM.evidence(role="corrected", kind="property")
@given(p=hard_vaes())
def test_the_optimum_is_stationary_and_unbeaten_on_hostile_spectra(p, record, xp):
    W, V, D, s, S = p.on(xp)
    best, _ = model.optimal_encoder(W, s)
    gradient = model.gradients(W, best, D, s, S).V
    # Solving with M loses its condition number; the two terms that cancel are W^T S and M V* S.
    loss = np.linalg.cond(p.M) * np.finfo(float).eps
    scale = np.linalg.norm(p.S) * np.linalg.norm(p.W) / s
    record(worst_error=agree(gradient, 0.0 * gradient, tolerance=20 * loss, scale=max(scale, 1e-300)))
    ahead = to_numpy(model.elbo(W, V, D, s, S) - model.elbo(W, best, D, s, S))
    # A gain within the rounding of the largest terms of the two values is no gain.
    at_optimum = replace(p, V=to_numpy(best))
    at_most(ahead, 0.0, slack=1e-13 * (p.size_of_elbo + at_optimum.size_of_elbo))


@CLAIM.evidence(role="control", kind="symbolic")
def test_a_slip_in_the_gradient_is_rejected():
    for wrong in (
        (W.T - W.T @ W @ V) @ S / sigma2,  # without the prior
        -printed(),  # the sign
        (W.T - V @ (W @ W.T + sigma2 * identity(n))) @ S / sigma2,  # C on the right for M on the left
        (W.T - (W.T @ W + sigma2 * identity(k)) @ V) / sigma2,  # S cancelled
    ):
        with rejected():
            same(linear_vae.gradients().V, wrong)


@CLAIM.evidence(role="control", kind="symbolic")
def test_the_pseudoinverse_is_rejected_as_optimum():
    # (W^T W)^-1 W^T, the best encoder without a prior, is not stationary.
    explicit = Explicit(2, 1)
    pseudoinverse = (explicit.W.T * explicit.W).inv() * explicit.W.T
    matrices = {**explicit.matrices, "V": pseudoinverse}
    gradient = on_matrices(linear_vae.gradients().V, matrices, explicit.values)
    with rejected():
        vanishes(explicit.at_rationals(gradient, 0))


@CLAIM.evidence(role="control", kind="symbolic")
def test_with_a_regular_covariance_the_witness_is_rejected():
    matrices = {"W": sp.Matrix([1, 1]), "V": sp.Matrix([[sp.Rational(1, 3), sp.Rational(4, 3)]])}
    with rejected():
        vanishes(on_matrices(printed(), {**matrices, "S": sp.diag(1, sp.Rational(1, 100))}, {n: 2, k: 1, sigma2: 1}))


@CLAIM.evidence(role="corrected", kind="device")
def test_the_kernel_in_batches_is_the_derived_gradient(record, thorough, xp):
    count = thorough(50, 500)
    record(instances=count, worst_error=gradient_agrees("V", xp, count, seed=26))


@CLAIM.evidence(role="control", kind="device")
def test_the_kernel_is_not_the_gradient_at_half_the_noise(xp):
    with rejected():
        gradient_agrees("V", xp, 5, seed=26, moved=0.5)
