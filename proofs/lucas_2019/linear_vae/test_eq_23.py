"""Eq. 23: the gradient of the ELBO in W, which is printed with a product that does not exist.

Statement   dELBO/dW = (S V^T - D W - W V S V^T) / sigma2.
Hypotheses  per datum (the paper's factor N belongs to the sum over the data); sigma2 > 0.
Correction  D is (k, k) and W is (n, k), so D W is not defined unless n = k, and then it is not what the
            derivative contains.  W D, which alone of the two conforms for all n and k, is right.
Source      Lucas et al. 2019, App. C.2.
Method      the printed form is multiplied out as words, whose shapes are checked; the differential of the ELBO
            derived from Eqs. 15-20, for all n and k; entry by entry for small n, k; differences of a 50-digit ELBO.
Trusted     claim eq-16-20 for the ELBO; the rules of differentials.py (tests/verify/symbolic); SymPy's algebra.
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given

from proofs.machinery.checks import agree, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.problems.linear_vaes import (
    derivative_with_50_digits,
    hard_vaes,
    random_vae,
)
from proofs.problems.on_device import gradient_agrees
from verify.models import linear_vae as model
from verify.symbolic import linear_vae
from verify.symbolic.evaluation import on_arrays, on_matrices
from verify.symbolic.explicit import Explicit
from verify.symbolic.letters import D, S, V, W, k, n, sigma2
from verify.symbolic.matrix_calculus import NotConformable, WordSum

CLAIM = Claim(
    id="eq-23",
    source="Eq. 23, App. C.2",
    statement="dELBO/dW = (S V^T - D W - W V S V^T) / sigma2",
    hypotheses="per datum; sigma2 > 0",
    section="The linear VAE",
    rests_on=("eq-16-20",),
    quote="∂ (−(B) + (C)) = ∂W ... (SVT − DW − WVSVT ) = 0",
    fault="misprint",
    finding="dELBO/dW = (S V^T - W D - W V S V^T)/sigma2 for all n and k: W D stands for D W",
)
PRINTED = CLAIM.step(
    "printed",
    "the product D W of Eq. 23 does not conform where n != k, and at n = k = 2 the derivative is off from the printed "
    "form by (D W - W D)/sigma2, which is not zero where d_1 != d_2 and W_12 or W_21 is not 0",
)
GRADIENT = CLAIM.step(
    "gradient",
    "with W D for D W, which alone of the two conforms for all n and k, Eq. 23 is dELBO/dW, for all n and k",
    place="Gradients",
)
ROUNDING = 1e-12  # relative, in float64, for a few products of small matrices with entries of order 1


def printed() -> WordSum:
    """The right side of Eq. 23 as printed, without the factor N."""
    return (S @ V.T - D @ W - W @ V @ S @ V.T) / sigma2


def corrected() -> WordSum:
    """The same with W D."""
    return (S @ V.T - W @ D - W @ V @ S @ V.T) / sigma2


@PRINTED.evidence(role="refutes", kind="symbolic", strength="proved")
def test_the_printed_product_does_not_conform(record):
    with pytest.raises(NotConformable) as refusal:
        printed()
    same((refusal.value.left, refusal.value.right), (D.shape, W.shape))
    record()
    record.witness(str(refusal.value))


@PRINTED.evidence(role="refutes", kind="symbolic", strength="proved")
def test_where_the_printed_product_conforms_it_is_not_the_derivative(record):
    explicit = Explicit(2, 2)
    W, V, D, S = explicit.W, explicit.V, explicit.D, explicit.S
    as_printed = (S * V.T - D * W - W * V * S * V.T) / explicit.sigma2
    difference = (explicit.gradient(explicit.elbo, W) - as_printed).expand()
    # What is left is (D W - W D) / sigma2, entry by entry: nothing at n = k = 1, where numbers commute.
    vanishes((difference - (D * W - W * D) / explicit.sigma2).expand())
    vanishes(difference[0, 1] - (D[0, 0] - D[1, 1]) * W[0, 1] / explicit.sigma2)
    vanishes(difference[1, 0] - (D[1, 1] - D[0, 0]) * W[1, 0] / explicit.sigma2)
    vanishes(difference.subs(D[1, 1], D[0, 0]))  # equal variances commute with every W
    with rejected():  # as if the printed form were the derivative
        vanishes(difference)
    record()
    record.witness(f"n = k = 2: off by {difference[0, 1].factor()} in the first row, second column")


@GRADIENT.evidence(role="corrected", kind="symbolic", strength="proved")
def test_only_one_placement_conforms_and_it_is_the_derivative(record):
    (placement,) = linear_vae.placements((D, W), W.shape)
    same(placement, W @ D)
    same(linear_vae.gradients().W, (S @ V.T - placement - W @ V @ S @ V.T) / sigma2)
    record()
    record.witness(f"{placement} for D W: dELBO/dW = {linear_vae.gradients().W} for all n, k")


@GRADIENT.evidence(role="corrected", kind="symbolic")
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (2, 3), (3, 3)], ids=str)
def test_differentiation_entry_by_entry_gives_the_same(size, record):
    explicit = Explicit(*size)
    closed = on_matrices(corrected(), explicit.matrices, explicit.values)
    vanishes((explicit.gradient(explicit.elbo, explicit.W) - closed).expand())
    record()


@GRADIENT.evidence(role="corrected", kind="numeric")
def test_the_numpy_gradient_is_the_derived_one(record, thorough, xp):
    explicit = Explicit(3, 2)
    entries = explicit.lambdified(explicit.gradient(explicit.elbo, explicit.W))
    rng = np.random.default_rng(23)
    for _ in range(thorough(30, 300)):
        p = random_vae(rng, 3, 2)
        actual = model.gradients(*p.on(xp)).W
        record(worst_error=agree(actual, entries(p.W, p.V, p.D, p.sigma2, p.S), tolerance=ROUNDING))
        p = random_vae(rng, *(int(i) for i in rng.integers(1, 8, 2)))
        actual = model.gradients(*p.on(xp)).W
        record(worst_error=agree(actual, _on(corrected(), p), tolerance=ROUNDING))


@GRADIENT.evidence(role="corrected", kind="numeric")
def test_differences_of_a_50_digit_elbo_agree(record, thorough, xp):
    rng = np.random.default_rng(24)
    for _ in range(thorough(5, 50)):
        p = random_vae(rng, 3, 2)
        expected = derivative_with_50_digits(p, "W")
        record(worst_error=agree(model.gradients(*p.on(xp)).W, expected, tolerance=ROUNDING))


@GRADIENT.evidence(role="corrected", kind="property")
@given(p=hard_vaes())
def test_the_numpy_gradient_survives_hostile_spectra(p, record, xp):
    # The definition written out: d/dW of E||x - W z||^2 is -2 E[(x - W z) z^T].
    cross = p.S @ p.V.T
    second = np.diag(p.D) + p.V @ p.S @ p.V.T
    expected = (cross - np.einsum("ij,jl->il", p.W, second)) / p.sigma2
    scale = (np.linalg.norm(cross) + np.linalg.norm(p.W) * np.linalg.norm(second)) / p.sigma2
    actual = model.gradients(*p.on(xp)).W
    record(worst_error=agree(actual, expected, tolerance=1e-14, scale=max(scale, 1e-300)))


@GRADIENT.evidence(role="control", kind="symbolic")
def test_a_slip_in_the_gradient_is_rejected():
    for wrong in (
        (S @ V.T + W @ D - W @ V @ S @ V.T) / sigma2,  # the sign
        (S @ V.T - W - W @ V @ S @ V.T) / sigma2,  # without D
        (S @ V.T - W @ D - V.T @ W.T @ S @ V.T) / sigma2,  # a transposed word of the right shape
        2 * corrected(),  # a factor
    ):
        with rejected():
            same(linear_vae.gradients().W, wrong)


@PRINTED.evidence(role="control", kind="numeric")
def test_the_product_on_the_wrong_side_is_rejected_for_square_problems():
    p = random_vae(np.random.default_rng(25), 3, 3)
    expected = derivative_with_50_digits(p, "W")
    cross = p.S @ p.V.T
    with rejected():
        agree((cross - np.diag(p.D) @ p.W - p.W @ p.V @ cross) / p.sigma2, expected, tolerance=ROUNDING)


@GRADIENT.evidence(role="control", kind="symbolic")
def test_entry_by_entry_the_wrong_side_is_rejected():
    explicit = Explicit(2, 2)
    wrong = on_matrices(corrected(), explicit.matrices, explicit.values) + explicit.W * sp.Rational(1, 2)
    with rejected():
        vanishes((explicit.gradient(explicit.elbo, explicit.W) - wrong).expand())


def _on(A, p):
    matrices = {"W": p.W, "V": p.V, "D": np.diag(p.D), "S": p.S}
    return on_arrays(A, matrices, {n: p.W.shape[0], k: p.W.shape[1], sigma2: p.sigma2})


@GRADIENT.evidence(role="corrected", kind="device")
def test_the_kernel_in_batches_is_the_derived_gradient(record, thorough, xp):
    count = thorough(50, 500)
    record(instances=count, worst_error=gradient_agrees("W", xp, count, seed=26))


@GRADIENT.evidence(role="control", kind="device")
def test_the_kernel_is_not_the_gradient_at_half_the_noise(xp):
    with rejected():
        gradient_agrees("W", xp, 5, seed=26, moved=0.5)
