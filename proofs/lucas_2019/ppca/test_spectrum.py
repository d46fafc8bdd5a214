"""The whole Hessian spectrum of pPCA and of the profile ELBO, its index and its gauge.

Statement   at a stationary point that retains A (q of k columns) the nk eigenvalues of the Hessian of L are
            (lam_j/lam_a - 1)/sigma2, -2 (lam_a - sigma2)/lam_a^2, per pair 0 and
            -(lam_a + lam_b - 2 sigma2)/(lam_a lam_b), (lam_j - sigma2)/sigma2^2 and 0 (theory 1.3);
            the index is sum_A #{discarded lam_j > lam_a} + (k - q) #{discarded lam_j > sigma2} (1.4), the zeros are
            q(q-1)/2 + q(k-q) where nothing ties. For the profile ELBO at orthogonal columns the pair rows become
            -(l_a +- l_b)^2/(lam_a lam_b), and a zero column towards retained -(lam_a - sigma2)/(sigma2 lam_a) (3.5).
Hypotheses  sigma2 > 0 fixed; any S >= 0, ties included.
Source      ours; Eq. 13 gives only a sign.
Method      in words, for all n and k and (for L) all R: the Hessian operator is the differential of the gradient, which
            is derived itself; applied to each labelled direction it gives back its eigenvalue times the direction. The
            directions are orthogonal and nk in number. Beside it: entrywise second derivatives of L and P at an
            explicit symbolic point with n = k = 3; eigvalsh of dense Hessians; 50 digits; balls count the signs.
"""

from functools import cache
from itertools import combinations, product

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from gpu.hessian import hessian, profile_hessian
from proofs.machinery.checks import agree, certified, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems import certificates
from proofs.problems.on_device import hessian_agrees, spectra_agree
from proofs.problems.points_in_words import (
    LIKELIHOOD_POINT,
    ORTHOGONAL_POINT,
    K,
    block_vector,
    discarded,
    retained,
    zero_column,
)
from proofs.problems.spectra import SpectralProblem, landscapes, random_rotation, wider
from verify.certify.checker.balls import ball, balls, diagonal, flint, inertia, precision
from verify.certify.propose.stationary import floats
from verify.landscape.families import fixed_noise_families
from verify.landscape.points import Block, Point, ordered, weights
from verify.landscape.spectrum import inside_hessian, spectrum
from verify.landscape.stationary import fixed_noise_points
from verify.models import linear_vae, ppca
from verify.symbolic import linear_vae as elbo_in_words
from verify.symbolic import ppca as likelihood_in_words
from verify.symbolic.evaluation import on_arrays
from verify.symbolic.letters import C, M, S, W, gram, k, n, sigma2, woodbury
from verify.symbolic.matrix_calculus import diag, identity, inverse, letter, zero
from verify.symbolic.relations import expand, reduce, relation, substitute
from verify.symbolic.traces import Scalar, trace
from verify.symbolic.unit_vectors import on_axes, orthonormal, unit_vector

CLAIM = Claim(
    id="spectrum",
    source="ours, after Eq. 13",
    statement="the nk eigenvalues of the Hessian of L at a stationary point, and of that of the profile ELBO if its "
    "columns are orthogonal, in closed form, with index and gauge",
    hypotheses="sigma2 > 0 fixed",
    section="Probabilistic PCA",
    rests_on=("eq-11-12",),
    trusts=("spectral",),
)
FRAME = CLAIM.step(
    "frame",
    "at W = U_A (Lam_A - sigma2 I)^{1/2} R, lam_a > sigma2, W e_a = l_a u_a, W e_c = 0 and W^T u_j = 0, with M e_a = "
    "lam_a e_a and M e_c = sigma2 e_c: an orthonormal basis u of the data, of eigenvectors of S, and one e of the "
    "latent space; for all n, k, q and R. If the columns of W are orthogonal, the e may be the coordinate axes",
    says="of_the_form & eigenbasis -> frame",
    place=("Proposition 3", "Proposition 8"),
)
LIKELIHOOD = CLAIM.step(
    "likelihood",
    "eigenvectors of the Hessian of L, for all n, k and R: u_j e_a^T with (lam_j/lam_a - 1)/sigma2, u_a e_a^T with "
    "-2 (lam_a - sigma2)/lam_a^2, u_j e_c^T with (lam_j - sigma2)/sigma2^2, u_a e_c^T with 0, l_b u_a e_b^T + "
    "l_a u_b e_a^T with -(lam_a + lam_b - 2 sigma2)/(lam_a lam_b), and l_a u_a e_b^T - l_b u_b e_a^T with 0",
    says="frame -> rows_of_L",
    place="Proposition 3",
)
ELBO = CLAIM.step(
    "elbo",
    "the same of the profile ELBO at orthogonal columns, but u_a e_b^T +- u_b e_a^T with "
    "-(l_a +- l_b)^2/(lam_a lam_b), and u_a e_c^T with -(lam_a - sigma2)/(sigma2 lam_a); for all n and k",
    says="frame -> rows_of_P | ~orthogonal_columns",
    place="Proposition 8",
)
ALL = CLAIM.step(
    "all",
    "the directions are orthogonal to one another and nk in number, whatever n, k, q: there are no other eigenvalues",
    says="frame -> nothing_else",
    place=("Proposition 3", "Proposition 8"),
)
INDEX = CLAIM.step(
    "index",
    "the eigenvalue of u_j e_a^T (row 1) is positive iff lam_j > lam_a, that of u_j e_c^T (row 4) iff lam_j > sigma2, "
    "and no other ever is, for L, and for P at orthogonal columns: hence the index; of the eigenvalues of L q(q - 1)/2 "
    "+ q(k - q) are zero without a tie (of lam_j with lam_a or sigma2), which is k(k - 1)/2 less (k - q)(k - q - 1)/2; "
    "their directions span the W B, B any skew matrix: the tangents of the orbit of all W Q at W",
    says="rows_of_L & nothing_else -> index_formula",
    place="Proposition 3",
)
CONCLUSION = CLAIM.step("conclusion", "so these are the eigenvalues and the index at every stationary point of L")
FOURTH = CLAIM.step(
    "fourth-order",
    "along u_a e_c^T, where the Hessian of L is zero, L falls by x^4/(4 lam_a^2) + O(x^6), and all the way: of the "
    "eigenvalues of C only that on u_a moves, to lam_a + x^2; for all n, k, q and R",
    place="Proposition 3",
)
BLOCKS = CLAIM.step(
    "blocks",
    "where M e = t e, diag(M) e = m e and S W e = (t^2/m) W e, the direction u_j e^T, u_j discarded, has the "
    "eigenvalue (lam_j - lam_a)/(t sigma2), lam_a = t^2/m, of P; for t = sigma2 it is (lam_j/sigma2 - sigma2/m)/sigma2",
    place="Proposition 9",
)

# eigvalsh errs by a few eps times the norm and the order; 1e-8 of the norm is what users are promised.
PROMISED = 1e-8


def dense(point, at):
    """The eigenvalues of the dense Hessian, ascending, and its norm.

    Where every eigenvalue ties with the noise the Hessian is zero, and what is left is the rounding of the terms of
    size 1/sigma2 that cancel: hence the floor.
    """
    of = ppca.hessian if point.objective == "ppca" else linear_vae.profile_hessian
    values = np.linalg.eigvalsh(of(weights(point, at.lam, at.U), at.sigma2, at.S))
    return values, max(float(np.abs(values).max()), 1e-6 / at.sigma2)


def compare(point, at, closed=None):
    """Closed spectrum against dense, and the inertia; -> the error relative to the norm."""
    expected, size = dense(point, at)
    found = spectrum(point, at.lam)
    values = found.values() if closed is None else closed
    error = agree(values, expected, tolerance=PROMISED, scale=size)
    zero = PROMISED * size
    same(found.index, int((expected > zero).sum()))
    same(found.nullity, int((np.abs(expected) <= zero).sum()))
    return error


def orthogonal_points(at):
    yield from fixed_noise_points(at.lam, at.k, at.sigma2)
    yield from (p for p in fixed_noise_families(at.lam, at.k, at.sigma2) if p.orthogonal)


# In words: u_j discarded, u_a and u_b retained by the columns e_a and e_b, e_c a zero column.
lam_j, (lam_a, lam_b) = sp.Symbol("lam_j", nonnegative=True), sp.symbols("lam_a lam_b", positive=True)
l_a, l_b = sp.sqrt(lam_a - sigma2), sp.sqrt(lam_b - sigma2)
u_j, u_a, u_b = (unit_vector(name, n) for name in ("u_j", "u_a", "u_b"))
e_a, e_b, e_c = (unit_vector(name, k) for name in ("e_a", "e_b", "e_c"))
X = letter("X", n, k)
q = sp.Symbol("q", integer=True, positive=True)


def at_point(of_elbo):
    """All that is known at a stationary point; for the ELBO M is diagonal, the letter K."""
    of = K if of_elbo else M
    at = (*retained(u_a, e_a, lam_a, of), *retained(u_b, e_b, lam_b, of), *zero_column(e_c, of))
    angles = (*orthonormal(u_j, u_a, u_b), *orthonormal(e_a, e_b, e_c), *discarded(u_j, lam_j))
    return (*(ORTHOGONAL_POINT if of_elbo else LIKELIHOOD_POINT), *angles, *at)


def hessian_on(direction, of_elbo):
    """D^2 L or D^2 P applied to a direction in words; the e are coordinate axes for the ELBO alone."""
    if not of_elbo:
        return reduce(likelihood_in_words.hessian_vector_product(direction), *at_point(False))
    image = substitute(elbo_in_words.profile_hessian_vector_product(direction), {"M": K})
    image = reduce(image, *at_point(True))
    return reduce(on_axes(image, e_a, e_b, e_c), *at_point(True))


def closed_directions(of_elbo):
    """theory 1.3 and 3.5: (how many, direction, eigenvalue), q retained columns out of k."""
    yield q * (n - q), u_j @ e_a.T, (lam_j / lam_a - 1) / sigma2
    yield q, u_a @ e_a.T, -2 * (lam_a - sigma2) / lam_a**2
    yield (k - q) * (n - q), u_j @ e_c.T, (lam_j - sigma2) / sigma2**2
    yield (k - q) * q, u_a @ e_c.T, -(lam_a - sigma2) / (sigma2 * lam_a) if of_elbo else 0
    together, apart = u_a @ e_b.T + u_b @ e_a.T, u_a @ e_b.T - u_b @ e_a.T
    if not of_elbo:
        together, apart = l_b * u_a @ e_b.T + l_a * u_b @ e_a.T, l_a * u_a @ e_b.T - l_b * u_b @ e_a.T
    pair = lam_a * lam_b
    yield q * (q - 1) / 2, together, -((l_a + l_b) ** 2 if of_elbo else lam_a + lam_b - 2 * sigma2) / pair
    yield q * (q - 1) / 2, apart, -((l_a - l_b) ** 2) / pair if of_elbo else 0


def check_rows(of_elbo, directions):
    """Each direction is an eigenvector with its value."""
    found = list(directions)
    for _, direction, value in found:
        same(hessian_on(direction, of_elbo), direction * value)
    return len(found)


def check_complete(of_elbo, directions):
    """The directions are not zero, orthogonal to one another, and nk in number."""
    found = [(count, direction) for count, direction, _ in directions]
    for i, (_, one) in enumerate(found):
        check(not reduce(trace(one.T @ one), *at_point(of_elbo)).is_zero(), "a direction is zero")
        for _, other in found[:i]:
            same(reduce(trace(one.T @ other), *at_point(of_elbo)), Scalar(0))
    vanishes(sum(count for count, _ in found) - n * k)
    return len(found)


A, R = letter("A", n, q), letter("R", q, k)  # U_A and R of claim eq-11-12
T = letter("T", q, q, "diagonal")  # (Lam_A - sigma2 I)^{1/2}
f_a, kappa = unit_vector("f_a", q), sp.Symbol("kappa", positive=True)  # the axis of a retained a; lam_a


def at_the_form(word, shift):
    """A word at W = A T R with S A = A (T^2 + shift), on the axis f_a; R e_c = 0 and A^T u_j = 0, S u_j = lam_j u_j."""
    length = sp.sqrt(kappa - sigma2)
    return reduce(
        substitute(expand(word, M), {"W": A @ T @ R}),
        relation(A.T @ A, identity(q)),
        relation(R @ R.T, identity(q)),
        relation(S @ A, A @ T @ T + shift * A),
        relation(T @ f_a, length * f_a),
        relation(R @ e_c, zero(q, 1)),
        relation(A.T @ u_j, zero(q, 1)),
        relation(S @ u_j, lam_j * u_j),
    )


def check_frame(shift):
    """All that `retained`, `zero_column` and `discarded` take for granted, for u_a = A f_a and e_a = R^T f_a."""
    u, e, length = A @ f_a, R.T @ f_a, sp.sqrt(kappa - sigma2)
    same(at_the_form(W @ e - length * u, shift), 0 * u)
    same(at_the_form(W.T @ u - length * e, shift), 0 * e)
    same(at_the_form(S @ u - kappa * u, shift), 0 * u)
    same(at_the_form(M @ e - kappa * e, shift), 0 * e)
    same(at_the_form(W @ e_c, shift), 0 * u)
    same(at_the_form(M @ e_c - sigma2 * e_c, shift), 0 * e)
    same(at_the_form(W.T @ u_j, shift), 0 * e)
    # Orthonormal: u_a and u_b as f_a and f_b are, and u_j, e_c orthogonal to them. S W = W M is Eq. 11.
    f_b = unit_vector("f_b", q)
    same(at_the_form(u.T @ A @ f_b, shift), f_a.T @ f_b)
    same(at_the_form(e.T @ R.T @ f_b, shift), f_a.T @ f_b)
    same(at_the_form(u.T @ u_j, shift), zero(1, 1))
    same(at_the_form(e.T @ e_c, shift), zero(1, 1))
    same(at_the_form(S @ W - W @ M, shift), 0 * W)
    return 12


@FRAME.evidence(role="supports", kind="symbolic", strength="proved")
def test_every_point_of_the_form_has_its_frame_for_all_n_k_q_and_r(record):
    """S maps the span of U_A into itself, and so its complement: there the u_j are an orthonormal basis (spectral)."""
    record(instances=check_frame(sigma2))
    # q = 0, where there is no A and no R: W = 0, every e is an e_c and every eigenvector of S a u_j.
    same(substitute(expand(M, M) @ e_c, {"W": zero(n, k)}), sigma2 * e_c)
    for wrong in (0 * sigma2, 2 * sigma2, -sigma2):
        with rejected():
            check_frame(wrong)


@FRAME.evidence(role="supports", kind="symbolic", strength="proved")
def test_orthogonal_columns_are_eigenvectors_on_axes_for_all_n_and_k(record):
    """M = diag(M) =: K and S W = W K: on an axis e_a with K e_a = lam_a e_a, l_a > 0, u_a is W e_a / l_a."""
    on_axis = (*ORTHOGONAL_POINT, relation(K @ e_a, lam_a * e_a), *orthonormal(e_a))
    u = W @ e_a / l_a
    same(reduce(S @ u, *on_axis), lam_a * u)
    same(reduce(W.T @ u, *on_axis), l_a * e_a)
    same(reduce(u.T @ u, *on_axis), identity(1))
    # Of another axis, and of one with K e_c = sigma2 e_c: u_a^T u_b = 0 and |W e_c|^2 = 0.
    others = (*on_axis, *orthonormal(e_a, e_b, e_c), relation(K @ e_b, lam_b * e_b), relation(K @ e_c, sigma2 * e_c))
    same(reduce(u.T @ W @ e_b / l_b, *others), zero(1, 1))
    same(reduce((W @ e_c).T @ (W @ e_c), *others), zero(1, 1))
    with rejected():
        same(reduce(S @ u, *on_axis), (lam_a - sigma2) * u)
    with rejected():
        same(reduce((W @ e_b).T @ (W @ e_b), *others), zero(1, 1))
    record(instances=5)


@LIKELIHOOD.evidence(role="supports", kind="symbolic", strength="proved")
def test_every_labelled_direction_of_the_likelihood_is_an_eigenvector_for_all_n_k_and_r(record):
    # dL/dW = 0 iff S W = W M, since C and M are invertible.
    same(reduce(expand(C, C) @ likelihood_in_words.gradient_in_latents() @ M, gram), S @ W - W @ M)
    record(instances=check_rows(False, closed_directions(False)))
    # The whole gauge at once: W B with any skew B.
    B = letter("B", k, k)
    same(reduce(likelihood_in_words.hessian_vector_product(W @ (B - B.T)), *LIKELIHOOD_POINT), 0 * W)
    record.witness("all n, k, R: D^2 L is differentiated from the derived gradient and applied to each direction")


@ELBO.evidence(role="supports", kind="symbolic", strength="proved")
def test_every_labelled_direction_of_the_elbo_is_an_eigenvector_for_all_n_and_k(record):
    same(reduce(substitute(elbo_in_words.profile_gradient(), {"M": K}), *ORTHOGONAL_POINT), 0 * W)
    record(instances=check_rows(True, closed_directions(True)))


@ALL.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_directions_are_orthogonal_and_nk_in_number_for_all_n_k_and_q(record):
    """All are made of the products u e^T of two orthonormal bases, of two of them in a pair, of one elsewhere."""
    u, v, e, f = unit_vector("u", n), unit_vector("v", n), unit_vector("e", k), unit_vector("f", k)
    same(trace((u @ e.T).T @ (v @ f.T)), trace(u.T @ v @ f.T @ e))  # (u^T v)(e^T f)
    for of_elbo in (False, True):
        rows = list(closed_directions(of_elbo))
        record(instances=check_complete(of_elbo, rows))
        for i in range(len(rows)):  # a kind left out, or counted twice
            with rejected():
                check_complete(of_elbo, [*rows[:i], *rows[i + 1 :]])
            with rejected():
                check_complete(of_elbo, [*rows, rows[i]])
    with rejected():  # of a pair, two directions that are not orthogonal
        count, together, _ = list(closed_directions(False))[4]
        check_complete(False, [*list(closed_directions(False))[:5], (count, together + u_a @ e_b.T, 0)])


# Signs: every retained eigenvalue is the noise plus something positive.
above_a, above_b = sp.symbols("x_a x_b", positive=True)
RETAINED = {lam_a: sigma2 + above_a, lam_b: sigma2 + above_b}


def check_signs(rows):
    """Rows 1 and 3 have the signs of lam_j - lam_a and lam_j - sigma2; no other is ever positive."""
    (_, _, exchange), (_, _, own), (_, _, gain), *others = rows
    vanishes(exchange * (lam_a * sigma2) - (lam_j - lam_a))
    vanishes(gain * sigma2**2 - (lam_j - sigma2))
    for value in (own, *(value for _, _, value in others)):
        found = sp.factor(sp.sympify(value).subs(RETAINED))
        check(bool(found.is_nonpositive), f"{found} may be positive")
    return len(rows)


def orbit():
    """The dimension of the skew matrices (k, k) less that of those on k - q zero columns: of the W B."""
    return sp.expand(k * (k - 1) / 2 - (k - q) * (k - q - 1) / 2)


@INDEX.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_signs_of_the_rows_give_the_index_and_the_zeros_are_the_gauge(record):
    for of_elbo in (False, True):
        rows = list(closed_directions(of_elbo))
        record(instances=check_signs(rows))
        with rejected():  # a row with the sign turned round
            check_signs([*rows[:5], (rows[5][0], rows[5][1], 1 / lam_a)])
        with rejected():  # compared with the noise in place of the retained eigenvalue
            check_signs([rows[2], *rows[1:]])
    flat = [count for count, _, value in closed_directions(False) if value == 0]
    vanishes(sum(flat) - q * (q - 1) / 2 - q * (k - q))
    vanishes(sum(flat) - orbit())
    with rejected():
        vanishes(sum(flat[:1]) - orbit())
    # W B, B skew, is the tangent at 0 of W exp(t B). B is made of e f^T - f e^T, e and f two axes of the frame.
    towards, apart = (direction for _, direction, value in closed_directions(False) if value == 0)
    check_tangents({"apart": apart, "towards": towards})
    with rejected():  # the pair that falls
        check_tangents({"apart": l_b * u_a @ e_b.T + l_a * u_b @ e_a.T, "towards": towards})


def check_tangents(flat):
    """Of two retained axes, of a retained and an empty one, of two empty ones: the flat directions, and nothing."""
    e_d, rules = unit_vector("e_d", k), at_point(False)

    def turned(e, f):
        return reduce(W @ (e @ f.T - f @ e.T), *rules, relation(W @ e_d, zero(n, 1)))

    same(turned(e_a, e_b), flat["apart"])
    same(turned(e_a, e_c), l_a * flat["towards"])
    same(turned(e_c, e_d), zero(n, k))


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_so_are_the_eigenvalues_and_the_index_at_every_stationary_point(record):
    used = {"eq-11-12": "stationary -> of_the_form", "spectral": "eigenbasis"}
    elbo = "(rows_of_P | ~orthogonal_columns)"
    record(instances=concludes(CLAIM, f"stationary -> rows_of_L & nothing_else & index_formula & {elbo}", used))
    with rejected():  # without orthogonal columns the ELBO has other eigenvalues
        concludes(CLAIM, "stationary -> rows_of_L & nothing_else & index_formula & rows_of_P", used)
    with rejected():  # elsewhere nothing is said
        concludes(CLAIM, f"rows_of_L & nothing_else & index_formula & {elbo}", used)


def check_fall(image, lam):
    """-1/2 [log c + lam/c] at c = image(x), less its value at x = 0: -x^4/(4 lam^2) + O(x^6), falling for x > 0."""
    x = sp.Symbol("x", positive=True)
    c = image(x)
    change = -(sp.log(c / lam) + lam / c - 1) / 2
    vanishes(sp.series(change, x, 0, 6).removeO() + x**4 / (4 * lam**2))
    check(bool(sp.factor(sp.diff(change, x)).is_negative), "it does not fall all the way")


@FOURTH.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_zero_column_towards_a_retained_eigenvector_falls_at_fourth_order_for_all_n_k_and_r(record):
    """L = -1/2 [n log 2 pi + sum log c_i + sum u_i^T S u_i/c_i] where the u_i are eigenvectors of C, c_i its values."""
    x = sp.Symbol("x", positive=True)
    at = substitute(expand(C, C), {"W": W + x * u_a @ e_c.T})
    rules = at_point(False)
    same(reduce(at @ u_a, *rules), (lam_a + x**2) * u_a)
    same(reduce(at @ u_b, *rules), lam_b * u_b)
    same(reduce(at @ u_j, *rules), sigma2 * u_j)
    with rejected():  # of a retained column in the place of the zero one
        same(reduce(substitute(expand(C, C), {"W": W + x * u_a @ e_a.T}) @ u_a, *rules), (lam_a + x**2) * u_a)
    check_fall(lambda x: lam_a + x**2, lam_a)
    with rejected():
        check_fall(lambda x: lam_a + 2 * x**2, lam_a)
    record(instances=4)


@BLOCKS.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_block_towards_a_discarded_eigenvector_for_all_n_and_k(record):
    """theory 3.6a: M e = t e in a block of m gives (lam_j - lam_a)/(t sigma2), and (lam_j/s - s/m)/s where t = s."""
    e, t, m = unit_vector("e", k), *sp.symbols("t m", positive=True)
    rules = (gram, *discarded(u_j, lam_j), *orthonormal(u_j), *orthonormal(e), *block_vector(e, t, m, t**2 / m))
    same(reduce(elbo_in_words.profile_gradient() @ e, *rules), 0 * W @ e)
    image = reduce(elbo_in_words.profile_hessian_vector_product(u_j @ e.T), *rules)
    same(image, (lam_j - t**2 / m) / (t * sigma2) * (u_j @ e.T))
    vanishes(((lam_j - t**2 / m) / (t * sigma2)).subs(t, sigma2) - (lam_j / sigma2 - sigma2 / m) / sigma2)
    with rejected():
        same(image, (lam_j - m) / (t * sigma2) * (u_j @ e.T))
    record(instances=2)


@LIKELIHOOD.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_hessian_operators_of_the_models_are_the_derived_ones(record):
    """The formulas of verify.models in words against the differential of the derived gradient, for all n and k."""
    P = W @ inverse(M)
    R = S @ P - W
    dM = X.T @ W + W.T @ X
    inner = S @ (X - P @ dM) @ inverse(M) - X - X @ P.T @ R - W @ X.T @ woodbury() @ R
    of_likelihood = woodbury() @ inner
    same(reduce(of_likelihood, gram), likelihood_in_words.hessian_vector_product(X))
    E = inverse(diag(M))
    of_gap = X @ (E - inverse(M)) + W @ (inverse(M) @ dM @ inverse(M) - diag(dM) @ E @ E)
    same(reduce(of_likelihood - of_gap, gram), elbo_in_words.profile_hessian_vector_product(X))
    # And the words, evaluated, against the functions themselves.
    rng = np.random.default_rng(31)
    arrays = {name: rng.standard_normal(shape) for name, shape in {"W": (5, 3), "X": (5, 3), "S": (5, 5)}.items()}
    arrays["S"] = arrays["S"] @ arrays["S"].T
    values = {n: 5, k: 3, sigma2: 0.8}
    for words, function in (
        (likelihood_in_words.hessian_vector_product(X), ppca.hessian_vector_product),
        (elbo_in_words.profile_hessian_vector_product(X), linear_vae.profile_hessian_vector_product),
    ):
        actual = function(arrays["W"], 0.8, arrays["S"], arrays["X"])
        record(worst_error=agree(actual, on_arrays(words, arrays, values), tolerance=1e-12))


def near_misses(rows):
    """Rows that are wrong by a factor, a name, a power of sigma2 or a sign."""
    for count, direction, value in rows:
        for wrong in (
            2 * value,
            -value,
            sp.sympify(value).subs({lam_a: lam_j, lam_j: lam_a}, simultaneous=True),
            sp.sympify(value) * sigma2,
            value + 1,
        ):
            if sp.simplify(wrong - value) != 0:
                yield count, direction, wrong


@LIKELIHOOD.evidence(role="control", kind="symbolic")
def test_a_wrong_row_of_the_likelihood_is_rejected(record):
    rows = list(closed_directions(False))
    for wrong in near_misses(rows):
        with rejected():
            check_rows(False, [wrong])
        record(instances=1)
    with rejected():  # the spectrum of the one is not that of the other
        check_rows(False, closed_directions(True))
    with rejected():  # a pair's directions are those of the lengths, not of equal weights
        check_rows(False, [(1, u_a @ e_b.T + u_b @ e_a.T, rows[4][2])])


@ELBO.evidence(role="control", kind="symbolic")
def test_a_wrong_row_of_the_elbo_is_rejected(record):
    for wrong in near_misses(list(closed_directions(True))):
        with rejected():
            check_rows(True, [wrong])
        record(instances=1)
    with rejected():
        check_rows(True, closed_directions(False))
    with rejected():  # l_a + l_b for l_a - l_b
        check_rows(True, [(1, u_a @ e_b.T - u_b @ e_a.T, list(closed_directions(True))[4][2])])


# One retained pair a, b, one zero column, one discarded direction j: every kind of direction occurs.
LA, LB, LJ, S2 = sp.symbols("lambda_a lambda_b lambda_j sigma2", positive=True)


@cache
def symbolic_hessian(of_elbo):
    """The 9 x 9 Hessian of L or P at W = diag(l_a, l_b, .) with a zero third column; entries in closed form."""
    w = sp.Matrix(3, 3, sp.symbols("w:9"))
    M = w.T * w + S2 * sp.eye(3)
    T = w.T * sp.diag(LA, LB, LJ) * w
    la, lb = sp.symbols("l_a l_b", positive=True)
    at = dict(zip(w, [la, 0, 0, 0, lb, 0, 0, 0, 0], strict=True))
    log_det, explained = sp.log(M.det(method="berkowitz")), (M.adjugate() * T).trace() / M.det(method="berkowitz")
    f = -(log_det - explained / S2) / 2
    if of_elbo:
        f = f - sp.Rational(1, 2) * (sum(sp.log(M[i, i]) for i in range(3)) - log_det)
    back = {LA: la**2 + S2, LB: lb**2 + S2}
    H = sp.zeros(9, 9)
    for i, x in enumerate(w):
        slope = sp.diff(f, x)
        for j, y in list(enumerate(w))[i:]:
            # Only x and y vary; the rest may be put in place first, which keeps the derivatives small.
            rest = {v: c for v, c in at.items() if v not in (x, y)}
            entry = sp.diff(f.subs(rest), x, y).subs({x: at[x], y: at[y]})
            H[i, j] = H[j, i] = sp.simplify(entry.subs(back))
        vanishes(sp.simplify(slope.subs(at).subs(back)))
    return H, la, lb


def check_symbolic(of_elbo, rows):
    """Each (vector, eigenvalue) of `rows` satisfies H v = eigenvalue v identically, and the vectors span everything."""
    H, la, lb = symbolic_hessian(of_elbo)
    vectors = []
    for entries, value in rows(la, lb):
        v = sp.zeros(9, 1)
        for (row, column), amount in entries.items():
            v[3 * row + column] = amount
        vanishes(H * v - value * v)
        vectors.append(v)
    same(sp.Matrix.hstack(*vectors).subs({la: 2, lb: 3}).rank(), 9)
    return len(vectors)


def closed_rows(la, lb, of_elbo):
    """theory 1.3 and 3.5 at the point of symbolic_hessian; rows are 0: u_a, 1: u_b, 2: u_j; column 2 is zero."""
    a, b = la**2 + S2, lb**2 + S2
    yield {(2, 0): 1}, (LJ / a - 1) / S2
    yield {(2, 1): 1}, (LJ / b - 1) / S2
    yield {(0, 0): 1}, -2 * (a - S2) / a**2
    yield {(1, 1): 1}, -2 * (b - S2) / b**2
    yield {(2, 2): 1}, (LJ - S2) / S2**2
    yield {(0, 2): 1}, -(a - S2) / (S2 * a) if of_elbo else 0
    yield {(1, 2): 1}, -(b - S2) / (S2 * b) if of_elbo else 0
    if of_elbo:
        yield {(0, 1): 1, (1, 0): 1}, -((la + lb) ** 2) / (a * b)
        yield {(0, 1): 1, (1, 0): -1}, -((la - lb) ** 2) / (a * b)
    else:
        yield {(0, 1): lb, (1, 0): la}, -(a + b - 2 * S2) / (a * b)
        yield {(0, 1): la, (1, 0): -lb}, 0


@LIKELIHOOD.evidence(role="supports", kind="symbolic")
def test_every_kind_of_direction_of_the_likelihood_is_an_eigenvector(record):
    record(instances=check_symbolic(False, lambda la, lb: closed_rows(la, lb, False)))
    record.witness("explicit n = k = 3 with symbolic lam and sigma2: every kind of direction occurs once")


@ELBO.evidence(role="supports", kind="symbolic")
def test_every_kind_of_direction_of_the_elbo_is_an_eigenvector(record):
    record(instances=check_symbolic(True, lambda la, lb: closed_rows(la, lb, True)))


@LIKELIHOOD.evidence(role="control", kind="symbolic")
def test_the_likelihood_does_not_have_the_spectrum_of_the_elbo(record):
    with rejected():
        check_symbolic(False, lambda la, lb: closed_rows(la, lb, True))
    record(instances=1)


@ALL.evidence(role="supports", kind="numeric")
def test_the_closed_spectrum_is_that_of_the_dense_hessian(record, thorough):
    for at in (*landscapes(thorough(60, 600)), *wider(thorough(10, 100), seed=35)):
        for point in orthogonal_points(at):
            record(instances=1, worst_error=compare(point, at))


@INDEX.evidence(role="supports", kind="numeric")
def test_index_and_gauge_are_counted_by_their_formulas(record, thorough):
    for at in landscapes(thorough(80, 800), most_n=7, seed=1):
        for point in fixed_noise_points(at.lam, at.k, at.sigma2):
            A, q = point.retained, len(point.retained)
            outside = [x for j, x in enumerate(at.lam) if j not in A]
            index = sum(sum(x > at.lam[a] for x in outside) for a in A)
            index += (at.k - q) * sum(x > at.sigma2 for x in outside)
            found = spectrum(point, at.lam)
            same(found.index, index)
            same(found.gauge, q * (q - 1) // 2 + q * (at.k - q))
            ties = sum(sum(x == at.lam[a] for x in outside) for a in A)
            ties += (at.k - q) * sum(x == at.sigma2 for x in outside)
            same(found.nullity, found.gauge + ties)
            record(instances=1)


scales = st.floats(-6, 6).map(lambda e: 10.0**e)


@ALL.evidence(role="supports", kind="property")
@given(
    lam=st.lists(st.one_of(scales, st.just(0.0), st.sampled_from([1.0, 1.0 + 1e-12, 2.0])), min_size=2, max_size=4),
    k=st.integers(1, 3),
    noise=st.one_of(scales, st.sampled_from([1.0, 2.0])),
    seed=st.integers(0, 99),
)
def test_spectra_that_hurt(record, lam, k, noise, seed):
    """Twelve decades, ties, near-ties, zeros, noise on a threshold; S rounds at eps max(lam), and so does the check."""
    lam = np.sort(np.array(lam))[::-1]
    k = min(k, len(lam))
    at = SpectralProblem(lam, random_rotation(np.random.default_rng(seed), len(lam)), k, noise)
    rounding = 1e-13 * (lam[0] + noise) / noise**2  # what an error of eps in S does to the Hessian
    for point in fixed_noise_points(lam, k, noise):
        expected, size = dense(point, at)
        error = agree(spectrum(point, lam).values(), expected, tolerance=1.0, scale=PROMISED * size + rounding * 100)
        record(instances=1, worst_error=error * PROMISED)


@LIKELIHOOD.evidence(role="supports", kind="numeric")
def test_fifty_digits_agree(record):
    """Second differences of the definition (n x n determinant and inverse) at 60 digits, along named directions."""
    lam, sigma2, k = [mpmath.mpf(x) for x in (5, 3, 2, "0.001")], mpmath.mpf(1), 3
    exact = np.array([float(x) for x in lam])
    point = Point("ppca", ordered([Block((0,)), Block((2,))], k), 1.0, 0.0)
    with mpmath.workdps(60):
        W = mpmath.zeros(4, k)
        W[0, 0], W[2, 1] = mpmath.sqrt(lam[0] - sigma2), mpmath.sqrt(lam[2] - sigma2)

        def likelihood(w):
            C = w * w.T + sigma2 * mpmath.eye(4)
            precision = C**-1
            return -(mpmath.log(mpmath.det(C)) + mpmath.fsum(precision[i, i] * lam[i] for i in range(4))) / 2

        h = mpmath.mpf(10) ** -15
        for part in spectrum(point, exact).parts:
            if part.columns.shape[1] > 1 or part.kind.startswith("gauge"):
                continue
            for value, (column,), (i,) in zip(part.values, part.columns, part.eigen, strict=True):
                X = mpmath.zeros(4, k)
                X[int(i), int(column)] = h
                second = (likelihood(W + X) + likelihood(W - X) - 2 * likelihood(W)) / h**2
                record(instances=1, worst_error=agree(float(second), float(value), tolerance=1e-14, scale=1.0))


@ALL.evidence(role="control", kind="numeric")
def test_a_spectrum_with_one_wrong_row_is_rejected(record):
    at = next(landscapes(1, seed=3, generic=True))
    point = next(fixed_noise_points(at.lam, at.k, at.sigma2))
    for row in range(at.n * at.k):
        values = spectrum(point, at.lam).values()
        values[row] = 1.0001 * values[row] + 1e-6
        with rejected():
            compare(point, at, closed=np.sort(values))
        record(instances=1)


def check_inertia_of_a_block(lam, sigma2, counts):
    """(positive, zero, negative) eigenvalues inside one block of the eigenvalues lam are `counts`, q_b k_b in all."""
    columns = sum(counts) // len(lam)
    values = np.linalg.eigvalsh(inside_hessian(Block(tuple(range(len(lam))), columns), lam, sigma2))
    zero = PROMISED * np.abs(values).max()
    found = [int((values > zero).sum()), int((np.abs(values) <= zero).sum()), int((values < -zero).sum())]
    same(found, counts)


@BLOCKS.evidence(role="supports", kind="numeric")
def test_the_inertia_inside_a_full_block(record, thorough):
    """Without zero rows: k_b - 1 rising directions, (k_b-1)(k_b-2)/2 flat ones, the family itself, the rest fall."""
    rng = np.random.default_rng(8)
    for _ in range(thorough(40, 400)):
        size = int(rng.integers(2, 6))
        lam = np.sort(rng.uniform(1.0, 3.0, size))[::-1].copy()
        if size > 2 and rng.random() < 0.3:
            lam[1] = lam[0]  # a tie within the block
        counts = [size - 1, (size - 1) * (size - 2) // 2, size * (size + 1) // 2]
        check_inertia_of_a_block(lam, 0.3, counts)
        record(instances=1)


@BLOCKS.evidence(role="supports", kind="numeric")
def test_the_inertia_inside_a_block_with_zero_rows(record, thorough):
    """k_b - 1 rising directions, q_b (q_b + 1)/2 falling ones, and the family itself: the rest."""
    rng = np.random.default_rng(9)
    for _ in range(thorough(40, 400)):
        q, zeros = int(rng.integers(1, 4)), int(rng.integers(1, 3))
        columns, falling = q + zeros, q * (q + 1) // 2
        lam = np.sort(rng.uniform(1.0, 3.0, q))[::-1].copy()
        check_inertia_of_a_block(lam, 0.1, [columns - 1, q * columns - falling - (columns - 1), falling])
        record(instances=1)


@BLOCKS.evidence(role="control", kind="numeric")
def test_the_inertia_of_a_block_is_not_that_of_orthogonal_columns(record):
    """Equal eigenvalues make the block orthogonal columns in disguise: no rising direction is left."""
    for size in (2, 3):
        counts = [size - 1, (size - 1) * (size - 2) // 2, size * (size + 1) // 2]
        with rejected():
            check_inertia_of_a_block(np.full(size, 2.0), 0.3, counts)
        record(instances=1)


@LIKELIHOOD.evidence(role="supports", kind="device")
def test_the_hessian_kernels_are_the_second_derivatives_by_sympy(record, thorough, xp):
    """What the spectrum is the spectrum of: L and P differentiated twice entry by entry, at random W."""
    count = thorough(50, 500)
    for function, profile in ((hessian, False), (profile_hessian, True)):
        record(instances=count, worst_error=hessian_agrees(function, profile, xp, count, seed=32))


@LIKELIHOOD.evidence(role="control", kind="device")
def test_the_hessian_of_one_objective_is_not_that_of_the_other(xp):
    with rejected():
        hessian_agrees(hessian, True, xp, count=1, seed=33)


@ALL.evidence(role="supports", kind="device")
def test_the_kernels_diagonalise_the_hessians_into_the_closed_form(record, thorough, xp):
    count = thorough(100, 10_000)
    record(instances=2 * count, worst_error=spectra_agree(xp, count, seed=34))


@ALL.evidence(role="control", kind="device")
def test_the_closed_form_of_another_point_is_not_the_spectrum(xp):
    with rejected():
        spectra_agree(xp, 5, seed=34, shifted=1)


def check_counted(at, A, objective, turned=0):
    """Balls count the signs that the closed form has at the point that retains A; or not, with one sign turned."""
    point = certificates.Stated(at.lam, certificates.plain(objective, A, at.k), at.noise)
    rising = certificates.index(at, A, at.noise)
    flat = certificates.gauge(at, A) if objective == "ppca" else 0
    certified(point.inertia(rising + turned, at.n * at.k - rising - flat - turned, flat))


@INDEX.evidence(role="supports", kind="certificate", strength="certified")
@pytest.mark.parametrize("name", certificates.LANDSCAPES)
def test_balls_count_the_index_and_the_gauge_of_the_closed_form(record, name):
    """Of L, and of P at its orthogonal points: there is one stationary point at the closed form, and its inertia."""
    pytest.importorskip("flint")
    at = certificates.LANDSCAPES[name]
    for A, objective in product(certificates.retained_sets(at), ("ppca", "elbo")):
        check_counted(at, A, objective)
        record(instances=1)
        for turned in (1, -1):
            with rejected():
                check_counted(at, A, objective, turned)


def closed_values(at, A, of_elbo):
    """The rows of theory 1.3 and 3.5 as balls, U = I: nk of them."""
    s, held = ball(at.noise), [ball(at.lam[a]) for a in A]
    outside, zeros = [ball(x) for j, x in enumerate(at.lam) if j not in A], at.k - len(A)
    yield from ((j / a - 1) / s for a in held for j in outside)
    yield from (-2 * (a - s) / a**2 for a in held)
    yield from ((j - s) / s**2 for j in outside * zeros)
    yield from (-(a - s) / (s * a) * int(of_elbo) for a in held * zeros)
    for a, b in combinations(held, 2):
        lengths = (a - s).sqrt(), (b - s).sqrt()
        yield -((lengths[0] + lengths[1]) ** 2 if of_elbo else a + b - 2 * s) / (a * b)
        yield -((lengths[0] - lengths[1]) ** 2) / (a * b) * int(of_elbo)


def check_located(at, A, objective, closed):
    """A little below and above each of these values balls count as many eigenvalues beyond as there are values."""
    point = certificates.Stated(at.lam, certificates.plain(objective, A, at.k), at.noise)
    with precision(certificates.BITS):
        H, values, levels = point.enclosed()[1], list(closed), 0
        V = balls(np.linalg.eigh(floats(H))[1])
        near = max(abs(float(x)) for x in values) * 2.0**-36  # more than V, which is only nearly right, leaves open
        for level in {float(x) + side * near for x in values for side in (-1, 1)}:
            if min(abs(float(x) - level) for x in values) > near / 2:
                beyond = sum(bool(x > level) for x in values)
                found = inertia(H - diagonal([ball(level)] * at.n * at.k), flint().arb_mat(at.n * at.k, 0), V)
                same(found, [beyond, at.n * at.k - beyond, 0])
                levels += 1
    check(levels > 1, "no level between the values")
    return levels


@ALL.evidence(role="supports", kind="certificate", strength="certified")
@pytest.mark.parametrize("name", certificates.LANDSCAPES)
def test_balls_find_every_eigenvalue_at_its_row_and_no_other(record, name):
    pytest.importorskip("flint")
    at = certificates.LANDSCAPES[name]
    for A, objective in product(certificates.retained_sets(at), ("ppca", "elbo")):
        with precision(certificates.BITS):
            closed = list(closed_values(at, A, objective == "elbo"))
        record(instances=check_located(at, A, objective, closed))
        if len(A) < at.k:  # the fullest sets have rows of every kind but the fourth
            continue
        *rest, largest = sorted(closed, key=lambda x: abs(float(x)))
        for wrong in (-largest, 1.001 * largest, rest[0]):  # a sign turned, a slip, a row left out and another twice
            with rejected():
                check_located(at, A, objective, [*rest, wrong])
