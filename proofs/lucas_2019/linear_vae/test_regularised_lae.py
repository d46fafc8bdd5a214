"""Regularised linear autoencoders: the uniform penalty leaves a rotation open.

Statement   (Sec. 4.2) full identifiability of the principal components is not achieved even with the regularised linear
            autoencoder [26]. Its loss, for a decoder W (n, k) and an encoder V (k, n), per datum:
            tr((I - W V) S (I - W V)^T) + g tr(V V^T) + g tr(W W^T).
Hypotheses  k >= 2; 0 < g < lam_1 (above, W = 0 is a minimum, and nothing is there to be identified; at g = 0 nothing is
            regularised, and the loss need not grow). The reference [26] has one weight g for all; a penalty that
            differs between the columns does identify them, which is ours to say (claim non-uniform-lae) and not what
            the sentence is about.
Source      Lucas et al. 2019, Sec. 4.2, App. B; Kunin et al. 2019, their [26].
Method      words, for all n and k: (W R, R^T V) has the loss of (W, V) for every R in O(k); a decoder that is not zero
            becomes infinitely many. Beside it: training from random starts, the Hessian at the minimum.
Trusted     facts coercive (a minimum exists) and spectral; the normal form of words.
"""

import numpy as np
import sympy as sp

from proofs.lucas_2019.linear_vae.autoencoders import (
    check_identified,
    check_isolated,
    curvatures,
    g,
    loss_in_words,
    random_autoencoder,
    trained,
    turned,
)
from proofs.lucas_2019.linear_vae.axes import agree_with_axes
from proofs.machinery.checks import agree, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.spectra import random_rotation
from verify.symbolic.letters import S, V, W, k, n
from verify.symbolic.matrix_calculus import identity, letter
from verify.symbolic.relations import reduce, relation, substitute
from verify.symbolic.traces import Scalar, trace

CLAIM = Claim(
    id="regularised-lae",
    source="Sec. 4.2",
    statement="full identifiability of the principal components is not achieved even with the regularised linear "
    "autoencoder of Kunin et al. 2019",
    hypotheses="identified as the columns of the decoder; k >= 2; the penalty there has one weight g for all columns, "
    "0 < g < lam_1",
    section="The linear VAE",
    trusts=("coercive", "spectral"),
    quote="This full identifiability is non-trivial and is not achieved even with the regularized linear autoencoder "
    "[26]. ... Kunin et al. [26] showed that adding regularization to the linear autoencoder improves the "
    "identifiability — forcing the columns to be identified up to an arbitrary orthogonal transformation, as in pPCA.",
)
EXISTS = CLAIM.step(
    "exists",
    "the loss is |(I - W V) S^{1/2}|^2 + g (|V|^2 + |W|^2), so it grows beyond all bounds with V and W, for all n "
    "and k",
    says="eigenbasis -> loss_grows",
)
ROTATIONS = CLAIM.step(
    "rotations",
    "(W R, R^T V) has the loss of (W, V) for every R in O(k), for all n and k",
    says="minimum -> all_rotations_are_minima",
)
NONZERO = CLAIM.step(
    "nonzero",
    "with 0 < g < lam_1 no minimum has W = 0: W = t u_1 e^T, V = t e u_1^T has the loss of W = V = 0 less "
    "t^2 (2 (lam_1 - g) - t^2 lam_1), for all n and k; and at W = 0 no V beats V = 0",
    says="eigenbasis & minimum & penalty_below_top -> decoder_not_zero",
)
ORBIT = CLAIM.step(
    "orbit",
    "if column i of W is not zero, the rotations of columns i, j by different angles in [0, 2 pi) give different "
    "decoders: infinitely many, where signs and order of the columns account for 2^k k!",
    says="two_columns & decoder_not_zero & all_rotations_are_minima -> infinitely_many_decoders",
)
CONCLUSION = CLAIM.step(
    "conclusion", "a minimum exists, and the columns of its decoder are not identified, up to signs and order"
)
USED = {"coercive": "loss_grows -> minimum", "spectral": "eigenbasis"}


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_that_the_decoder_is_not_identified(record):
    """minimum: (W, V) is a global one; by "exists" and Weierstrass there is such a pair."""
    record(instances=concludes(CLAIM, "penalty_below_top & two_columns -> infinitely_many_decoders", USED))
    with rejected():  # one column has a sign and no rotation
        concludes(CLAIM, "penalty_below_top -> infinitely_many_decoders", USED)
    with rejected():  # a penalty that kills all columns identifies W = 0
        concludes(CLAIM, "two_columns -> infinitely_many_decoders", USED)


@EXISTS.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_loss_grows_with_the_weights_for_all_n_and_k(record):
    H = letter("H", n, n, "symmetric")  # the root of S
    off = (identity(n) - W @ V) @ H
    loss = substitute(loss_in_words(g * identity(k)), {"S": H @ H})
    same(loss, trace(off @ off.T) + g * (trace(V @ V.T) + trace(W @ W.T)))
    with rejected():  # without the penalty it need not: W V = I is as good at any scale
        same(loss, trace(off @ off.T))
    record(instances=1)


@NONZERO.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_loss_falls_from_zero_along_the_first_axis(record):
    u, e = letter("u", n, 1), letter("e", k, 1)
    t, lam = sp.symbols("t lam_1", positive=True)
    axis = relation(S @ u, lam * u), relation(u.T @ u, identity(1)), relation(e.T @ e, identity(1))
    uniform = loss_in_words(g * identity(k))
    there = reduce(substitute(uniform, {"W": t * u @ e.T, "V": t * e @ u.T}), *axis)
    gain = there - trace(S)
    same(gain, Scalar(-(t**2) * (2 * (lam - g) - t**2 * lam)))
    with rejected():
        same(gain, Scalar(-(t**2) * (2 * lam - t**2 * lam)))  # without the penalty
    # At W = 0 the loss is tr S + g tr(V V^T).
    same(substitute(uniform, {"W": 0 * W}), trace(S) + g * trace(V @ V.T))
    record(instances=2)


@ORBIT.evidence(role="supports", kind="symbolic", strength="proved")
def test_different_rotations_of_two_columns_give_different_decoders(record):
    """[w_i w_j] R(a) = [w_i w_j] R(b) iff [w_i w_j] (R(a - b) - I) = 0, and det(R(t) - I) = 2 - 2 cos t."""
    t = sp.Symbol("t", real=True)
    R = sp.Matrix([[sp.cos(t), -sp.sin(t)], [sp.sin(t), sp.cos(t)]])
    check_moves(R, t)
    with rejected():  # a reflection has a fixed axis
        check_moves(R * sp.diag(1, -1), t)
    record(instances=1)


def check_moves(R, t):
    """R - I is invertible but at multiples of a full turn."""
    vanishes((R - sp.eye(2)).det() - 4 * sp.sin(t / 2) ** 2)


@ROTATIONS.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_uniform_penalty_is_invariant_under_all_rotations_for_all_n_and_k(record):
    uniform = loss_in_words(g * identity(k))
    same(turned(uniform), uniform)
    with rejected():  # with different weights it is not
        same(turned(loss_in_words()), loss_in_words())
    record(instances=1)
    record.witness("uniform penalty: (W R, R^T V) has the loss of (W, V) for every R in O(k), all n and k")


@CONCLUSION.evidence(role="supports", kind="numeric")
def test_training_with_a_uniform_penalty_finds_another_rotation_each_time(record, thorough):
    rng = np.random.default_rng(42)
    for _ in range(thorough(6, 60)):
        at = random_autoencoder(rng, uniform=True)
        ends = [trained(at, rng)[0] for _ in range(3)]
        axes = at.axes()
        for decoder in ends:  # the subspace and the lengths are found, by all of them
            record(worst_error=agree(decoder @ decoder.T, axes @ axes.T, tolerance=1e-5))
        errors = [_misfit(decoder, axes) for decoder in ends]
        check(max(errors) > 1e-2, "every training found the axes")


def _misfit(decoder, axes):
    return agree_with_axes(decoder, axes, tolerance=10.0)  # to measure: of decoders of one length it is at most 2


@ROTATIONS.evidence(role="supports", kind="numeric")
def test_the_minimum_is_flat_along_all_rotations_with_a_uniform_penalty(record, thorough):
    rng = np.random.default_rng(44)
    for _ in range(thorough(15, 150)):
        at = random_autoencoder(rng, uniform=True)
        W = at.axes() @ random_rotation(rng, at.shape[1])
        values = curvatures(at, W)
        flat = int((np.abs(values) < 1e-7 * values[-1]).sum())
        same(flat, at.shape[1] * (at.shape[1] - 1) // 2)  # dim O(k)
        check((values > -1e-7 * values[-1]).all(), "not a minimum")
        record()


@CONCLUSION.evidence(role="control", kind="numeric")
def test_uniform_penalties_are_rejected_as_identifying():
    rng = np.random.default_rng(46)
    at = random_autoencoder(rng, uniform=True)
    with rejected():
        check_identified(at, trained(at, rng)[0], tolerance=1e-2)
    with rejected():
        check_isolated(at, at.axes())
    non_uniform = random_autoencoder(rng)
    with rejected():  # the order counts
        check_identified(non_uniform, non_uniform.axes()[:, ::-1], tolerance=1e-2)
