"""Eqs. 16-20: the closed forms of (B) = KL(q(z|x), p(z)) and (C) = E_q[log p(x|z)].

Statement   (B) = 1/2 [-log det D + x^T V^T V x + tr D - k],
            (C) = [-tr(W D W^T) - x^T V^T W^T W V x + 2 x^T W V x - x^T x] / (2 sigma2) - n/2 log(2 pi sigma2),
            for q(z|x) = N(V x, D), p(z) = N(0, I), p(x|z) = N(W z, sigma2 I).
Hypotheses  x stands for x - mu; mu is the sample mean where the terms are averaged over the data; sigma2, D > 0.
Source      Lucas et al. 2019, App. C.1.
Method      the expectations of log densities over z, for all n and k, by moments of words; entry by entry for
            small n, k; sampling; a sum over data written out.
Trusted     E[z z^T] = m m^T + D (gaussian-moments); the normal form of words (tests/verify/symbolic); SymPy's algebra.
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given

from proofs.machinery.checks import agree, at_most, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.problems.linear_vaes import elbo_with_50_digits, hard_vaes, random_vae
from verify.arrays import to_numpy
from verify.models import linear_vae as model
from verify.symbolic import linear_vae, ppca
from verify.symbolic.evaluation import on_arrays, on_matrices
from verify.symbolic.explicit import Explicit
from verify.symbolic.letters import D, S, V, W, k, n, sigma2, x, z
from verify.symbolic.traces import Scalar, log_det, trace

CLAIM = Claim(
    id="eq-16-20",
    source="Eqs. 16-20, App. C.1",
    statement="KL(q(z|x), p(z)) and E_q[log p(x|z)] of the linear VAE have the printed closed forms",
    hypotheses="x measured from mu; mu the sample mean where averaged; sigma2 > 0, D > 0",
    section="The linear VAE",
    trusts=("gaussian-moments",),
)
KL = CLAIM.step("kl", "(B) is Eq. 16, at each datum and averaged, for all n and k", place="The two terms")
RECONSTRUCTION = CLAIM.step(
    "reconstruction", "(C) is Eqs. 18 to 20, at each datum and averaged, for all n and k", place="The two terms"
)
NORMALISER = Scalar(n * sp.log(2 * sp.pi * sigma2) / 2)


def printed_kl() -> Scalar:
    """The right side of Eq. 16."""
    return (trace(x.T @ V.T @ V @ x) + trace(D) - log_det(D) - k) / 2


def printed_density() -> Scalar:
    """What stands under the expectation in Eq. 18."""
    mean = W @ z
    return (2 * trace(x.T @ mean) - trace(mean.T @ mean) - trace(x.T @ x)) / (2 * sigma2) - NORMALISER


def printed_reconstruction() -> Scalar:
    """The right side of Eqs. 19, 20."""
    quadratic = 2 * trace(x.T @ W @ V @ x) - trace(x.T @ V.T @ W.T @ W @ V @ x) - trace(x.T @ x)
    return (quadratic - trace(W @ D @ W.T)) / (2 * sigma2) - NORMALISER


def averaged_kl() -> Scalar:
    """(B) averaged over data with covariance S."""
    return (trace(V @ S @ V.T) + trace(D) - log_det(D) - k) / 2


def averaged_reconstruction() -> Scalar:
    """(C) averaged over data with covariance S."""
    quadratic = 2 * trace(W @ V @ S) - trace(V.T @ W.T @ W @ V @ S) - trace(S) - trace(W @ D @ W.T)
    return quadratic / (2 * sigma2) - NORMALISER


@KL.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_kl_is_as_printed_for_all_n_and_k(record):
    same(linear_vae.kl_at_datum(), printed_kl())
    same(linear_vae.kl(), averaged_kl())
    record(instances=2)
    record.witness(f"(B) = {linear_vae.kl()} for all n, k")


@RECONSTRUCTION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_reconstruction_term_is_as_printed_for_all_n_and_k(record):
    same(ppca.log_observation(), printed_density())
    same(linear_vae.reconstruction_at_datum(), printed_reconstruction())
    same(linear_vae.reconstruction(), averaged_reconstruction())
    record(instances=3)
    record.witness(f"(C) = {linear_vae.reconstruction()} for all n, k")


@RECONSTRUCTION.evidence(role="supports", kind="symbolic", strength="tested")
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 2), (2, 3)], ids=str)
def test_the_moments_inserted_entry_by_entry_give_the_same(size, record):
    explicit = Explicit(*size)
    closed = on_matrices(averaged_reconstruction() - averaged_kl(), explicit.matrices, explicit.values)
    vanishes(sp.expand(sp.expand_log(explicit.elbo - closed)))
    record()


@RECONSTRUCTION.evidence(role="supports", kind="numeric")
def test_sampling_from_the_encoder_agrees(record, thorough):
    rng = np.random.default_rng(16)
    samples = thorough(20_000, 500_000)
    for shape in ((3, 2), (5, 3), (4, 1)):
        p = random_vae(rng, *shape)
        datum = rng.standard_normal(shape[0])
        of_datum = (p.D, np.outer(datum, datum))
        kl, error = _samples(rng, p, datum, samples)
        for values, exact in (
            (kl, model.kl(p.V, *of_datum)),
            (error, model.reconstruction(p.W, p.V, p.D, p.sigma2, of_datum[1])),
        ):
            # Five standard errors: one false alarm in two million.
            at_most(abs(_standard_score(values, exact)), 5.0)
            record(instances=samples)


@RECONSTRUCTION.evidence(role="supports", kind="numeric")
def test_the_numpy_functions_evaluate_the_derived_terms(record, thorough, xp):
    rng = np.random.default_rng(19)
    for _ in range(thorough(30, 300)):
        size = tuple(int(i) for i in rng.integers(1, 7, 2))
        p = random_vae(rng, *size)
        matrices, values = _letters_of(p)
        W, V, D, s, S = p.on(xp)
        for actual, term in (
            (model.kl(V, D, S), linear_vae.kl()),
            (model.reconstruction(W, V, D, s, S), linear_vae.reconstruction()),
            (model.elbo(W, V, D, s, S), linear_vae.elbo()),
        ):
            # A handful of sums of order-1 terms in float64.
            expected = on_arrays(term, matrices, values)
            record(worst_error=agree(actual, expected, tolerance=1e-12, scale=max(abs(expected), 1.0)))
            with rejected():  # of an encoder with variances a tenth larger
                other = on_arrays(term, {**matrices, "D": np.diag(1.1 * p.D)}, values)
                agree(actual, other, tolerance=1e-12, scale=max(abs(expected), 1.0))


@RECONSTRUCTION.evidence(role="supports", kind="property")
@given(p=hard_vaes())
def test_a_definition_with_50_digits_agrees_on_hostile_spectra(p, record, xp):
    actual = float(to_numpy(model.elbo(*p.on(xp))))
    expected = float(elbo_with_50_digits(p))
    # Rounding is relative to the largest terms, which may cancel.
    record(worst_error=agree(actual, expected, tolerance=1e-12, scale=p.size_of_elbo))


@KL.evidence(role="control", kind="symbolic")
def test_closed_forms_with_a_slip_are_rejected():
    for wrong in (
        averaged_kl() + log_det(D),  # the sign of log det D
        averaged_kl() + k / 2,  # without - k
        (trace(S @ V.T @ V) + trace(D @ D) - log_det(D) - k) / 2,  # D for its square
    ):
        with rejected():
            same(linear_vae.kl(), wrong)


@RECONSTRUCTION.evidence(role="control", kind="symbolic")
def test_reconstruction_terms_with_a_slip_are_rejected():
    for wrong in (
        averaged_reconstruction() + (n - 1) * sp.log(2 * sp.pi * sigma2) / 2,  # the factor n, as in Eq. 10
        averaged_reconstruction() + trace(W @ D @ W.T) / (2 * sigma2),  # without the encoder's variance
        averaged_reconstruction() - trace(W @ V @ S) / (2 * sigma2),  # 1 for 2 in the cross term
    ):
        with rejected():
            same(linear_vae.reconstruction(), wrong)


@RECONSTRUCTION.evidence(role="control", kind="numeric")
def test_sampling_rejects_a_reconstruction_without_the_encoders_variance():
    rng = np.random.default_rng(20)
    p = random_vae(rng, 3, 2)
    datum = rng.standard_normal(3)
    _, values = _samples(rng, p, datum, 20_000)
    wrong = model.reconstruction(p.W, p.V, 0 * p.D, p.sigma2, np.outer(datum, datum))
    with rejected():
        at_most(abs(_standard_score(values, wrong)), 5.0)


@RECONSTRUCTION.evidence(role="control", kind="symbolic")
def test_the_explicit_derivation_rejects_a_transposed_weight():
    explicit = Explicit(2, 2)
    swapped = {**explicit.matrices, "W": explicit.W.T}
    wrong = on_matrices(averaged_reconstruction() - averaged_kl(), swapped, explicit.values)
    with rejected():
        vanishes(sp.expand(sp.expand_log(explicit.elbo - wrong)))


def _samples(rng, p, datum, count):
    """log q(z|x) - log p(z) and log p(x|z) at draws z ~ q(z|x), one by one."""
    k = len(p.D)
    mean = p.V @ datum
    draws = mean + rng.standard_normal((count, k)) * np.sqrt(p.D)
    log_q = -0.5 * np.sum((draws - mean) ** 2 / p.D + np.log(2 * np.pi * p.D), axis=1)
    log_prior = -0.5 * np.sum(draws**2 + np.log(2 * np.pi), axis=1)
    errors = np.sum((datum - draws @ p.W.T) ** 2, axis=1)
    log_observation = -0.5 * errors / p.sigma2 - 0.5 * len(datum) * np.log(2 * np.pi * p.sigma2)
    return log_q - log_prior, log_observation


def _standard_score(values, exact):
    return (np.mean(values) - float(exact)) / (np.std(values, ddof=1) / np.sqrt(len(values)))


def _letters_of(p):
    matrices = {"W": p.W, "V": p.V, "D": np.diag(p.D), "S": p.S}
    return matrices, {n: p.W.shape[0], k: p.W.shape[1], sigma2: p.sigma2}
