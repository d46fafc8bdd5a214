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
            directions are orthogonal and nk in number. So are those of P at blocks towards a discarded u_j (3.6a).
            Beside it: entrywise second derivatives of L and P at an explicit symbolic point with n = k = 3. Numeric:
            against eigvalsh of dense Hessians, at 50 digits against finite differences of the definition.
Trusted     what stationary points look like (claims eq-11-12 and, for the profile ELBO, elbo-points); the rules of
            verify.symbolic; SymPy's derivatives; LAPACK's eigvalsh. What is left of 3.6a, inside and between blocks and
            at learned noise, is proved on paper and checked here on numbers only.
"""

import mpmath
import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from gpu.hessian import hessian, profile_hessian
from proofs.machinery.checks import agree, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.problems.on_device import hessian_agrees, spectra_agree
from proofs.problems.points_in_words import (
    LIKELIHOOD_POINT,
    ORTHOGONAL_POINT,
    K,
    block_vector,
    discarded,
    retained,
    svd_point,
    zero_column,
)
from proofs.problems.spectra import SpectralProblem, landscapes, random_rotation
from verify.landscape.families import fixed_noise_families
from verify.landscape.points import Block, Point, ordered, weights
from verify.landscape.spectrum import inside_hessian, spectrum
from verify.landscape.stationary import fixed_noise_points
from verify.models import linear_vae, ppca
from verify.symbolic import linear_vae as elbo_in_words
from verify.symbolic import ppca as likelihood_in_words
from verify.symbolic.evaluation import on_arrays
from verify.symbolic.letters import C, M, S, W, gram, k, n, sigma2, woodbury
from verify.symbolic.matrix_calculus import diag, inverse, letter
from verify.symbolic.relations import expand, reduce, substitute
from verify.symbolic.traces import Scalar, trace
from verify.symbolic.unit_vectors import on_axes, orthonormal, unit_vector

CLAIM = Claim(
    id="spectrum",
    source="theory 1.3, 1.4, 3.5 (after Eq. 13)",
    statement="the nk eigenvalues of the Hessian of L, and of the profile ELBO at orthogonal columns, in closed form, "
    "with index and gauge",
    hypotheses="sigma2 > 0 fixed",
    section="Probabilistic PCA",
    rests_on=("eq-11-12", "elbo-points"),
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
lam_j, lam_a, lam_b = sp.symbols("lam_j lam_a lam_b", positive=True)
l_a, l_b = sp.sqrt(lam_a - sigma2), sp.sqrt(lam_b - sigma2)
u_j, u_a, u_b = (unit_vector(name, n) for name in ("u_j", "u_a", "u_b"))
e_a, e_b, e_c = (unit_vector(name, k) for name in ("e_a", "e_b", "e_c"))
X = letter("X", n, k)


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
    q = sp.Symbol("q")
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


def check_in_words(of_elbo, directions):
    """Each direction is an eigenvector with its value, orthogonal to the others, and together they are nk."""
    found = list(directions)
    for _, direction, value in found:
        same(hessian_on(direction, of_elbo), direction * value)
    for i, (_, one, _) in enumerate(found):
        for _, other, _ in found[:i]:
            same(reduce(trace(one.T @ other), *at_point(of_elbo)), Scalar(0))
    vanishes(sum(count for count, _, _ in found) - n * k)
    return len(found)


@CLAIM.evidence(role="supports", kind="symbolic", strength="proved")
def test_every_labelled_direction_of_the_likelihood_is_an_eigenvector_for_all_n_k_and_r(record):
    for word in svd_point():
        check(word.is_zero(), f"W = U L R does not have what is assumed of a stationary point: {word}")
    # dL/dW = 0 iff S W = W M, since C and M are invertible.
    same(reduce(expand(C, C) @ likelihood_in_words.gradient_in_latents() @ M, gram), S @ W - W @ M)
    record(instances=check_in_words(False, closed_directions(False)))
    # The whole gauge at once: W B with any skew B.
    B = letter("B", k, k)
    same(reduce(likelihood_in_words.hessian_vector_product(W @ (B - B.T)), *LIKELIHOOD_POINT), 0 * W)
    record.witness("all n, k, R: D^2 L is differentiated from the derived gradient and applied to each direction")


@CLAIM.evidence(role="supports", kind="symbolic", strength="proved")
def test_every_labelled_direction_of_the_elbo_is_an_eigenvector_for_all_n_and_k(record):
    same(reduce(substitute(elbo_in_words.profile_gradient(), {"M": K}), *ORTHOGONAL_POINT), 0 * W)
    record(instances=check_in_words(True, closed_directions(True)))


@CLAIM.evidence(role="supports", kind="symbolic", strength="proved")
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


@CLAIM.evidence(role="supports", kind="symbolic", strength="proved")
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


@CLAIM.evidence(role="control", kind="symbolic")
def test_in_words_too_a_wrong_row_is_rejected(record):
    for of_elbo in (False, True):
        rows = list(closed_directions(of_elbo))
        for _, direction, value in rows:
            with rejected():
                same(hessian_on(direction, of_elbo), direction * (value + 1))
        with rejected():  # a kind left out
            check_in_words(of_elbo, rows[1:])
        with rejected():  # the spectrum of the one is not that of the other
            check_in_words(of_elbo, closed_directions(not of_elbo))
    record(instances=1)


# One retained pair a, b, one zero column, one discarded direction j: every kind of direction occurs.
LA, LB, LJ, S2 = sp.symbols("lambda_a lambda_b lambda_j sigma2", positive=True)


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


@CLAIM.evidence(role="supports", kind="symbolic")
def test_every_kind_of_direction_of_the_likelihood_is_an_eigenvector(record):
    record(instances=check_symbolic(False, lambda la, lb: closed_rows(la, lb, False)))
    record.witness("explicit n = k = 3 with symbolic lam and sigma2: every kind of direction occurs once")


@CLAIM.evidence(role="supports", kind="symbolic")
def test_every_kind_of_direction_of_the_elbo_is_an_eigenvector(record):
    record(instances=check_symbolic(True, lambda la, lb: closed_rows(la, lb, True)))


@CLAIM.evidence(role="control", kind="symbolic")
def test_the_likelihood_does_not_have_the_spectrum_of_the_elbo(record):
    with rejected():
        check_symbolic(False, lambda la, lb: closed_rows(la, lb, True))
    record(instances=1)


@CLAIM.evidence(role="supports", kind="numeric")
def test_the_closed_spectrum_is_that_of_the_dense_hessian(record, thorough):
    for at in landscapes(thorough(60, 600)):
        for point in orthogonal_points(at):
            record(instances=1, worst_error=compare(point, at))


@CLAIM.evidence(role="supports", kind="numeric")
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


@CLAIM.evidence(role="supports", kind="property")
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


@CLAIM.evidence(role="supports", kind="numeric")
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


@CLAIM.evidence(role="control", kind="numeric")
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


@CLAIM.evidence(role="supports", kind="numeric")
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


@CLAIM.evidence(role="supports", kind="numeric")
def test_the_inertia_inside_a_block_with_zero_rows(record, thorough):
    """k_b - 1 rising directions, q_b (q_b + 1)/2 falling ones, and the family itself: the rest."""
    rng = np.random.default_rng(9)
    for _ in range(thorough(40, 400)):
        q, zeros = int(rng.integers(1, 4)), int(rng.integers(1, 3))
        columns, falling = q + zeros, q * (q + 1) // 2
        lam = np.sort(rng.uniform(1.0, 3.0, q))[::-1].copy()
        check_inertia_of_a_block(lam, 0.1, [columns - 1, q * columns - falling - (columns - 1), falling])
        record(instances=1)


@CLAIM.evidence(role="control", kind="numeric")
def test_the_inertia_of_a_block_is_not_that_of_orthogonal_columns(record):
    """Equal eigenvalues make the block orthogonal columns in disguise: no rising direction is left."""
    for size in (2, 3):
        counts = [size - 1, (size - 1) * (size - 2) // 2, size * (size + 1) // 2]
        with rejected():
            check_inertia_of_a_block(np.full(size, 2.0), 0.3, counts)
        record(instances=1)


@CLAIM.evidence(role="supports", kind="device")
def test_the_hessian_kernels_are_the_second_derivatives_by_sympy(record, thorough, xp):
    """What the spectrum is the spectrum of: L and P differentiated twice entry by entry, at random W."""
    count = thorough(50, 500)
    for function, profile in ((hessian, False), (profile_hessian, True)):
        record(instances=count, worst_error=hessian_agrees(function, profile, xp, count, seed=32))


@CLAIM.evidence(role="control", kind="device")
def test_the_hessian_of_one_objective_is_not_that_of_the_other(xp):
    with rejected():
        hessian_agrees(hessian, True, xp, count=1, seed=33)


@CLAIM.evidence(role="supports", kind="device")
def test_the_kernels_diagonalise_the_hessians_into_the_closed_form(record, thorough, xp):
    count = thorough(100, 10_000)
    record(instances=2 * count, worst_error=spectra_agree(xp, count, seed=34))


@CLAIM.evidence(role="control", kind="device")
def test_the_closed_form_of_another_point_is_not_the_spectrum(xp):
    with rejected():
        spectra_agree(xp, 5, seed=34, shifted=1)
