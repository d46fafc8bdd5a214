"""App. B: how far the global maximum of the linear VAE's ELBO is unique, and what the lengths of its columns say.

Statement   the global optimum is unique but for the order of the eigenpairs, that is, R is a permutation; the squared
            lengths of the columns, which correspond to the singular values, say the order.
Hypotheses  the eigenvalues that columns hold are simple (distinct, and lam_k > lam_{k+1} if k are held and k < n).
            App. B does not repeat this; Sec. 4 states it: "when the data covariance eigenvalues are distinct".
            sigma2 fixed, or learned with k < n as in Eq. 7.
Read as     eigenvectors are given up to their signs, as always, so that R is a permutation for a suitable choice of U
            (with other signs in U, a permutation with signs); and "correspond to": the squared norm is lam_i - sigma2,
            the square of a singular value of W. It is no singular value of S or of the data, but it orders them
            rightly.
Source      Lucas et al. 2019, App. B (Corollary 1), Sec. 4.
Method      by corollary-1 the maximum is W = U_q G^{1/2} R with R R^T = I_q, G = Lam_q - sigma2 I > 0, and R^T G R = E
            diagonal. Then G R = R E, that is R_ij (g_i - e_j) = 0: with distinct g_i each column of R has one entry at
            most. Two entries R_ij, R_il in one row would give E_jl = R_ij g_i R_il, not 0 as g_i > 0. So each row has
            exactly one, and that is 1 or -1. All in words, for all n, q and k.
            Numeric: ascent from random starts; hostile spectra to 50 digits, where the value is unchanged by mixing
            two columns, or two eigenvectors, exactly where their eigenvalues tie.
Trusted     corollary-1; lemma-1 and eq-24-28 (ELBO <= L, with equality at orthogonal columns); the spectral theorem, by
            which no Gaussian is likelier than C = S.
"""

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.lucas_2019.linear_vae.stationary_problems import exact_point
from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.spectra import climb, hard_problems, random_problem, random_rotation
from verify import reference
from verify.models import linear_vae as model
from verify.models import ppca
from verify.symbolic import linear_vae
from verify.symbolic import ppca as likelihood_in_words
from verify.symbolic.evaluation import on_matrices
from verify.symbolic.letters import D, S, V, W, k, n, sigma2
from verify.symbolic.matrix_calculus import identity, inverse, letter, zero
from verify.symbolic.relations import reduce, relation, substitute
from verify.symbolic.traces import log_det, trace

CLAIM = Claim(
    id="identifiability",
    source="App. B, Sec. 4",
    statement="the global maximum of the ELBO is unique up to the order of the columns (R is a permutation), whose "
    "squared norms correspond to the singular values",
    hypotheses="eigenvalues distinct, as Sec. 4 says (needed: the retained ones simple); eigenvectors given up to "
    "sign; sigma2 fixed, or learned with k < n",
    section="The linear VAE",
    rests_on=("corollary-1", "eq-24-28", "lemma-1"),
    trusts=("spectral",),
    quote="Moreover, when the data covariance eigenvalues are distinct, the linear VAE identifies the individual "
    "principal components, unlike pPCA, which recovers only the PCA subspace. ... As argued in Corollary 1, this "
    "means that the global optimum is unique for ELBO up to ordering of the eigenvalues/eigenvectors. At the global "
    "optimum, the ordering can be recovered by computing the squared Euclidean norm of the columns of W (which "
    "correspond to the singular values) and ordering according to these quantities. In other words, R is a "
    "permutation matrix which can be computed exactly.",
    finding="where the eigenvalues that the columns hold are simple, the global maximum (sigma2 fixed, or learned with "
    "k < n) is, in W, unique up to the order and the signs of the columns, whose squared norms lam_i - sigma2 say the "
    "order: R is a permutation, with signs unless those of the eigenvectors are chosen to fit. Where they tie, which "
    "Sec. 4 leaves out, it is not unique",
)
TIED = CLAIM.step(
    "tied",
    "there is an S with tied eigenvalues and two global maxima of which neither is a permutation of the other, signs "
    "apart",
    says="spectral & likelihood_bounds_the_elbo & tight_at_orthogonal_columns -> not_unique_at_ties",
    place="Corollary 1",
)
PERMUTATION = CLAIM.step(
    "permutation",
    "if W = U_q G^{1/2} R, G = Lam_q - sigma2 I and R R^T = I_q, has orthogonal columns and distinct g_i > 0, R has "
    "one entry that is not 0 in each row, 1 or -1, and at most one in each column, for all n, q and k",
    says="orthogonal_maximum_of_L & simple -> R_is_permutation_up_to_signs",
    place=("Corollary 1", "Proposition 8"),
)
SIGNS = CLAIM.step(
    "signs", "changing the sign of a column and of its latent leaves the ELBO, for all n and k", place="Corollary 1"
)
LENGTHS = CLAIM.step(
    "lengths",
    "a column w of squared norm e of such a W has S w = (e + sigma2) w: longer columns hold larger eigenvalues, for "
    "all n, k and q",
    says="orthogonal_maximum_of_L -> lengths_say_the_order",
    place="Corollary 1",
)
LEARNED = CLAIM.step(
    "k-below-n",
    "with learned noise and k = n, whatever S > 0, W = U (Lam - sigma2 I)^{1/2} has C = S, orthogonal columns and the "
    "ELBO of C = S, above which L is nowhere, at every sigma2 with 0 < sigma2 <= lam_n, for all n: so W is not unique",
    place="Corollary 1",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "so the statement holds, up to signs, where the retained eigenvalues are simple, and there are ties where it does "
    "not",
)
NO_GAP = 1e-40  # 50 digits, less a condition of about 1e9; a near-tie of 2^-30 leaves 1e-19 or more


def check_maximal(W, p):
    """W is a global maximum of the ELBO at the noise of p: its value is the largest there is (Lemma 1)."""
    best = ppca.log_likelihood(ppca.fixed_noise_maximum(p.lam, p.U, p.k, p.sigma2), p.sigma2, p.S)
    found = model.profile_elbo(W, p.sigma2, p.S)
    return agree(found, best, tolerance=1e-11, scale=abs(float(best)) + p.n)


def check_signed_permutation(W, p, tolerance):
    """W = U_q (Lam_q - sigma2 I)^{1/2} R with a signed permutation R, the other columns zero; -> error."""
    q = int((p.lam[: p.k] > p.sigma2).sum())
    lengths = np.sqrt(p.lam[:q] - p.sigma2)
    R = (p.U[:, :q].T @ W) / lengths[:, None]
    nearest = np.round(R)
    same(sorted(np.abs(nearest).sum(axis=1).tolist()), [1.0] * q)
    check((np.abs(nearest).sum(axis=0) <= 1).all(), "two eigenvectors in one column")
    return agree(W, (p.U[:, :q] * lengths) @ nearest, tolerance=tolerance)


def check_lengths(W, expected, tolerance):
    """The squared norms of the columns, in falling order."""
    return agree(np.sort(np.sum(W**2, axis=0))[::-1], expected, tolerance=tolerance)


@SIGNS.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_sign_of_a_column_does_not_matter(record):
    """W J, J V, D with J = diag(+-1): the ELBO is the same for all W, V, D, n, k, and J is no permutation."""
    J = letter("J", k, k, "diagonal")
    flipped = substitute(linear_vae.elbo(), {"W": W @ J, "V": J @ V})
    # J^2 = I, and J D J = J J D.
    same(reduce(flipped, relation(J @ J, identity(k))), linear_vae.elbo())
    values, at = {n: 1, k: 1, sigma2: sp.Integer(1)}, {"S": sp.Matrix([4]), "D": sp.Matrix([sp.Rational(1, 4)])}
    for sign in (1, -1):
        w = sp.Matrix([sign * sp.sqrt(3)])
        matrices = {**at, "W": w, "V": w.T / 4}
        gradients = linear_vae.gradients()
        for g in (gradients.W, gradients.V, gradients.D):
            vanishes(on_matrices(g, matrices, values))
        elbo = on_matrices(linear_vae.elbo(), matrices, values)
        vanishes(sp.expand_log(elbo + (1 + sp.log(8 * sp.pi)) / 2, force=True))  # the maximum of L: C = S = 4
    record(instances=2)
    record.witness("n = k = 1, S = 4, sigma2 = 1: w = sqrt 3 and w = -sqrt 3 both have C = S; R = -1 is no permutation")


@LENGTHS.evidence(role="supports", kind="numeric")
def test_the_squared_norms_are_no_singular_values_not_even_up_to_a_factor(record):
    lam, s = np.array([4.0, 2.0]), 1.0
    W = np.diag(np.sqrt(lam - s))
    check_lengths(W, [3.0, 1.0], 1e-15)
    X = 2 * np.sqrt(lam) * np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) / 2  # four data with X^T X / 4 = diag(lam)
    agree(X.T @ X / 4, np.diag(lam), tolerance=1e-15)
    found = {}
    for name, other in (("S", np.diag(lam)), ("W", W), ("X", X)):
        found[name] = np.linalg.svd(other, compute_uv=False)
        with rejected():
            agree(found[name] / found[name][0], np.array([1.0, 1.0 / 3.0]), tolerance=1e-6)
        record()
    named = "; ".join(f"of {name} {', '.join(f'{v:.4g}' for v in values)}" for name, values in found.items())
    record.witness(f"S = diag(4, 2), sigma2 = 1: squared norms 3, 1; singular values {named} (X: four data)")


@TIED.evidence(role="supports", kind="symbolic", strength="proved")
def test_with_tied_eigenvalues_two_rotations_are_global_maxima(record):
    """S = diag(2, 2, 1), sigma2 = 1, k = 2 (Eq. 7's noise): W = (u_1, u_2) R has C = S and orthogonal columns."""
    _no_gaussian_is_likelier_than_c_equal_to_s()
    covariance = sp.diag(2, 2, 1)
    cos, sin = sp.Rational(4, 5), sp.Rational(3, 5)
    R = sp.Matrix([[cos, -sin], [sin, cos]])
    for turn in (sp.eye(2), R):
        _attains_c_equal_to_s(sp.eye(3)[:, :2] * turn, covariance)
    with rejected():  # without the tie
        _attains_c_equal_to_s(sp.diag(sp.sqrt(2), 1, 1)[:, :2] * R, sp.diag(3, 2, 1))
    check(all(abs(entry) not in (0, 1) for entry in R), "R is a signed permutation")
    record()
    record.witness("S = diag(2, 2, 1), sigma2 = 1, k = 2: W = (u_1, u_2) and W = (.8 u_1 + .6 u_2, .8 u_2 - .6 u_1)")


def _attains_c_equal_to_s(W, covariance):
    """C = S at sigma2 = 1, and no gap: the ELBO at V*, D* is the largest L that there is."""
    vanishes(W * W.T + sp.eye(3) - covariance)
    vanishes((W.T * W)[0, 1])


def _no_gaussian_is_likelier_than_c_equal_to_s():
    """2 (L(S) - L(C)) = tr Z - n - log det Z, Z = S^{1/2} C^-1 S^{1/2}: the sum of z - 1 - log z, its eigenvalues."""
    A, T = letter("A", n, n, "symmetric"), letter("T", n, n, "symmetric")  # C and S^{1/2}

    def twice(covariance):
        return -(log_det(covariance) + trace(inverse(covariance) @ T @ T))

    Z = T @ inverse(A) @ T
    same(twice(T @ T) - twice(A), trace(Z) - n - log_det(Z))
    z = sp.Symbol("z", positive=True)
    vanishes((z - 1 - sp.log(z)).subs(z, 1))
    vanishes(sp.diff(z - 1 - sp.log(z), z) - (z - 1) / z)  # falls before 1 and rises after it


@LEARNED.evidence(role="supports", kind="symbolic", strength="proved")
def test_with_all_dimensions_latent_and_learned_noise_the_norms_are_open_for_all_n(record):
    """k = n, S = U A U^T: W = U F, F^2 = A - sigma2 I, has C = S and orthogonal columns:
    the ELBO is L, and sigma2 does not enter."""
    _no_gaussian_is_likelier_than_c_equal_to_s()
    U, A, F = letter("U", n, n), letter("A", n, n, "diagonal"), letter("F", n, n, "diagonal")
    turn, square = relation(U @ U.T, identity(n)), relation(F @ F, A - sigma2 * identity(n))
    columns = U @ F
    same(reduce(columns @ columns.T + sigma2 * identity(n), square, turn), U @ A @ U.T)
    same(reduce(columns.T @ columns, relation(U.T @ U, identity(n)), square), A - sigma2 * identity(n))  # diagonal
    same(substitute(likelihood_in_words.log_likelihood(), {"C": S}), -(log_det(S) + n * sp.log(2 * sp.pi) + n) / 2)
    with rejected():  # with another length C is not S
        same(reduce(4 * columns @ columns.T + sigma2 * identity(n), square, turn), U @ A @ U.T)
    with rejected():  # nor with fewer columns than dimensions
        same(reduce(columns @ columns.T + sigma2 * identity(n), square), U @ A @ U.T)
    record()


@LEARNED.evidence(role="supports", kind="symbolic")
def test_one_dimension_with_learned_noise(record):
    """n = k = 1, S = 4."""
    w = sp.Matrix([sp.sqrt(4 - sigma2)])
    matrices = {"S": sp.Matrix([4]), "W": w, "V": w.T / 4, "D": sp.Matrix([sigma2 / 4])}
    along = on_matrices(linear_vae.elbo(), matrices, {n: 1, k: 1})
    vanishes(sp.diff(along, sigma2))
    vanishes(sp.expand_log(along.subs(sigma2, 1) + (1 + sp.log(8 * sp.pi)) / 2, force=True))  # where C = S
    with rejected():  # with another length it depends on sigma2
        vanishes(sp.diff(on_matrices(linear_vae.elbo(), {**matrices, "W": sp.Matrix([1])}, {n: 1, k: 1}), sigma2))
    record()
    record.witness("n = k = 1, S = 4: (w^2, sigma2) = (3, 1) and (2, 2) both have C = S; every sigma2 <= 4 is as good")


@PERMUTATION.evidence(role="supports", kind="symbolic", strength="proved")
def test_r_has_one_entry_in_each_row_and_at_most_one_in_each_column(record):
    """R R^T = I_q and R^T G R = E diagonal: G R = R R^T G R = R E, for all q and k."""
    q = sp.Symbol("q", integer=True, positive=True)
    R, G, E = letter("R", q, k), letter("G", q, q, "diagonal"), letter("E", k, k, "diagonal")
    both = R @ R.T @ G @ R
    same(reduce(both, relation(R @ R.T, identity(q))), G @ R)
    same(R @ reduce(R.T @ G @ R, relation(R.T @ G @ R, E)), R @ E)
    # Entry i, j of G R - R E is R_ij (g_i - e_j): no two rows with different g_i share a column.
    g, energy = sp.symbols("g e", real=True)
    i, j = letter("i", q, 1), letter("j", k, 1)  # axes
    of_axes = relation(G @ i, g * i), relation(E @ j, energy * j)
    same(reduce(i.T @ (G @ R - R @ E) @ j, *of_axes), (g - energy) * i.T @ R @ j)
    # Two columns j, l that both have their only entries a, b in row i: E_jl = a b g_i, not 0.
    other = letter("l", k, 1)
    a, b = letter("a", 1, 1), letter("b", 1, 1)
    only = relation(R @ j, i @ a), relation(R @ other, i @ b), relation(G @ i, g * i), relation(i.T @ i, identity(1))
    same(reduce(j.T @ R.T @ G @ R @ other, *only), g * a.T @ b)
    # So row i has one entry a, at j, and its length is 1: a^2 = 1.
    same(reduce((a @ j.T) @ (a @ j.T).T, relation(j.T @ j, identity(1))), a @ a.T)
    with rejected():  # without orthonormal rows G R = R E does not follow
        same(both, G @ R)
    with rejected():  # E is not G
        same(reduce(i.T @ (G @ R - R @ E) @ j, *of_axes), zero(1, 1))
    # g_i > 0 is needed: with the distinct g = 3, 0 a row of R may have two entries.
    check_one_entry_in_each_row(sp.diag(3, 1), sp.Matrix([[0, -1, 0], [1, 0, 0]]))
    with rejected():
        check_one_entry_in_each_row(sp.diag(3, 0), sp.Matrix([[5, 0, 0], [0, 3, 4]]) / 5)
    record(instances=6)


def check_one_entry_in_each_row(G, R):
    """R R^T = I and R^T G R diagonal; no row of R has two entries that are not 0."""
    vanishes(R * R.T - sp.eye(R.rows))
    check((R.T * G * R).is_diagonal(), "R^T G R is not diagonal")
    check(all(sum(v != 0 for v in R.row(i)) == 1 for i in range(R.rows)), "two entries in one row")


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_the_corrected_statement(record):
    premises = {
        "corollary-1": "top_of_ELBO -> orthogonal_maximum_of_L",
        "eq-24-28": "tight_at_orthogonal_columns",
        "lemma-1": "likelihood_bounds_the_elbo",
        "spectral": "spectral",
    }
    unique = "~top_of_ELBO | (~simple | R_is_permutation_up_to_signs) & lengths_say_the_order"
    goal = f"({unique}) & not_unique_at_ties"
    record(instances=concludes(CLAIM, goal, premises))
    with rejected():  # without a word on ties
        concludes(CLAIM, "top_of_ELBO -> R_is_permutation_up_to_signs", premises)


@PERMUTATION.evidence(role="supports", kind="symbolic")
def test_two_columns_explicitly(record):
    """q = k = 2, R a rotation by t: E_12 = (g_2 - g_1) sin t cos t, zero only at multiples of a right angle."""
    t, g1, g2 = sp.symbols("t g1 g2", real=True)
    R = sp.Matrix([[sp.cos(t), -sp.sin(t)], [sp.sin(t), sp.cos(t)]])
    vanishes(sp.simplify((R.T * sp.diag(g1, g2) * R)[0, 1] - (g2 - g1) * sp.sin(2 * t) / 2))
    record()


@LENGTHS.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_squared_norms_are_the_eigenvalues_less_the_noise(record):
    """W = U G^{1/2} R with R^T G R = E and G R = R E: W^T W = E, and S W = W (E + sigma2 I), for all q <= k."""
    q = sp.Symbol("q", integer=True, positive=True)
    L, U, R = letter("L", q, q, "diagonal"), letter("U", n, q), letter("R", q, k)  # L^2 = G
    E = letter("E", k, k, "diagonal")
    columns = U @ L @ R
    same(reduce(columns.T @ columns, relation(U.T @ U, identity(q)), relation(R.T @ L @ L @ R, E)), E)
    axes = relation(S @ U, U @ L @ L + sigma2 * U)
    same(reduce(S @ columns, axes, relation(L @ L @ R, R @ E)), columns @ (E + sigma2 * identity(k)))
    with rejected():  # |w_i|^2 for the eigenvalue, without the noise
        same(reduce(S @ columns, axes, relation(L @ L @ R, R @ E)), columns @ E)
    record(instances=2)
    record.witness("S w_i = (|w_i|^2 + sigma2) w_i for every column of a global maximum, for all n, k, q")


@PERMUTATION.evidence(role="supports", kind="numeric")
def test_ascent_from_random_starts_ends_at_a_signed_permutation(record, thorough):
    """L-BFGS on the profile ELBO, which knows no eigenvector; all signs and orders are met."""
    rng, met = np.random.default_rng(91), set()
    for _ in range(thorough(25, 250)):
        p = random_problem(rng, 4, 2)

        def value_and_gradient(w, p=p):
            w = w.reshape(p.n, p.k)
            return model.profile_elbo(w, p.sigma2, p.S), model.profile_gradient(w, p.sigma2, p.S).ravel()

        W = climb(value_and_gradient, rng.standard_normal(p.n * p.k)).reshape(p.n, p.k)
        check_maximal(W, p)
        if p.lam[p.k - 1] < 1.05 * p.sigma2:  # flat around a threshold; and R has fewer rows
            continue
        # |g| <= 1e-10 or the last digits of the value: W to about 1e-6, over curvatures of 1e-2.
        record(worst_error=check_signed_permutation(W, p, tolerance=1e-4))
        check_lengths(W, p.lam[: p.k] - p.sigma2, tolerance=1e-4)
        R = np.round(p.U[:, : p.k].T @ W / np.sqrt(p.lam[: p.k] - p.sigma2)[:, None])
        met.add(tuple(R.ravel().tolist()))
    check(len(met) > 4, f"only {len(met)} of 8 signed permutations were met")
    record.witness(f"{len(met)} of the 8 signed permutations of two columns were reached from random starts")


@LENGTHS.evidence(role="supports", kind="numeric")
def test_the_order_and_the_eigenvalues_are_read_off_the_columns(record, thorough):
    rng = np.random.default_rng(92)
    for _ in range(thorough(50, 500)):
        p = random_problem(rng).with_learned_noise()
        order, signs = rng.permutation(p.k), rng.choice([-1, 1], p.k)
        W = (ppca.fixed_noise_maximum(p.lam, p.U, p.k, p.sigma2) * signs)[:, order]
        check_maximal(W, p)
        norms = np.sum(W**2, axis=0)
        read = np.argsort(-norms)
        agree(norms[read] + p.sigma2, p.lam[: p.k], tolerance=1e-13)
        axes = W[:, read] / np.sqrt(norms[read])
        record(worst_error=agree(np.abs(np.sum(axes * p.U[:, : p.k], axis=0)), np.ones(p.k), tolerance=1e-13))


@PERMUTATION.evidence(role="supports", kind="property")
@given(p=hard_problems(max_n=4), data=st.data())
def test_mixing_two_columns_costs_nothing_only_where_their_eigenvalues_tie(p, data, record):
    """To 50 digits on hostile spectra: two columns rotated have no gap iff they hold equal eigenvalues."""
    q = int((p.lam[: p.k] > p.sigma2).sum())
    order = data.draw(st.permutations([*range(q), *[None] * (p.k - q)]))
    x = exact_point(p, tuple(order), tuple(data.draw(st.lists(st.sampled_from([1, -1]), min_size=p.k, max_size=p.k))))
    at_most(reference.gap(x.W, x.sigma2), 0.0, slack=NO_GAP)
    with reference.precision():
        for c, a in enumerate(order):
            length = (x.W[:, c] ** 2).sum() - (p.lam[a] - x.sigma2 if a is not None else 0)
            at_most(abs(length), 0.0, slack=1e-35)
            with rejected():  # the noise not taken off: lam_a, or sigma2 for a zero column
                at_most(abs(length - x.sigma2), 0.0, slack=1e-35)
        record()
        if p.k < 2:
            return
        cos, sin = reference.mpmath.mpf(3) / 5, reference.mpmath.mpf(4) / 5
        W = x.W.copy()
        W[:, 0], W[:, 1] = cos * x.W[:, 0] - sin * x.W[:, 1], sin * x.W[:, 0] + cos * x.W[:, 1]
        tied = x.lam_of_column[0] == x.lam_of_column[1]  # two zero columns are tied, too
    same(bool(reference.gap(W, x.sigma2) < NO_GAP), bool(tied))


@PERMUTATION.evidence(role="supports", kind="property")
@given(p=hard_problems(max_n=4))
def test_turning_the_last_axis_costs_nothing_only_where_lam_k_ties_with_the_next(p, record):
    if p.k == p.n or p.lam[p.k - 1] <= p.sigma2:
        return
    best = exact_point(p, tuple(range(p.k)), (1,) * p.k)
    with reference.precision():
        _, U, _ = p.exactly()
        cos, sin = reference.mpmath.mpf(3) / 5, reference.mpmath.mpf(4) / 5
        W = best.W.copy()
        length = reference.mpmath.sqrt(best.lam_of_column[-1] - best.sigma2)
        W[:, -1] = cos * W[:, -1] + sin * length * U[:, p.k]
        values = [reference.profile_elbo(w, best.sigma2, best.S) for w in (best.W, W)]
        loss = values[0] - values[1]
        # It is sin^2 (lam_k - lam_{k+1}) (1/sigma2 - 1/lam_k)/2: at least 1e-19 of lam_1/sigma2 here.
        expected = sin**2 * (best.lam_of_column[-1] - reference.mpmath.mpf(p.lam[p.k]))
        expected *= (1 / best.sigma2 - 1 / best.lam_of_column[-1]) / 2
        record(worst_error=at_most(abs(loss - expected), 0.0, slack=1e-25))
    same(bool(abs(loss) < 1e-25), bool(p.lam[p.k - 1] == p.lam[p.k]))


@PERMUTATION.evidence(role="control", kind="numeric")
def test_a_maximum_of_the_likelihood_in_rotated_columns_is_rejected():
    rng = np.random.default_rng(93)
    for _ in range(10):
        p = random_problem(rng, 5, 3).with_learned_noise()
        W = ppca.fixed_noise_maximum(p.lam, p.U, p.k, p.sigma2) @ random_rotation(rng, p.k)
        with rejected():
            check_maximal(W, p)
        with rejected():
            check_signed_permutation(W, p, tolerance=1e-4)


@PERMUTATION.evidence(role="control", kind="numeric")
def test_a_smaller_eigenvector_is_rejected():
    p = random_problem(np.random.default_rng(94), 4, 2).with_learned_noise()
    saddle = ppca.fixed_noise_maximum(p.lam, p.U, 1, p.sigma2)
    with rejected():
        check_maximal(np.hstack([saddle, np.zeros((4, 1))]), p)


@PERMUTATION.evidence(role="control", kind="numeric")
def test_two_eigenvectors_in_one_column_are_rejected():
    p = random_problem(np.random.default_rng(97), 4, 2).with_learned_noise()
    W = ppca.fixed_noise_maximum(p.lam, p.U, 2, p.sigma2)
    check_signed_permutation(W[:, ::-1] * [1, -1], p, tolerance=1e-13)
    for wrong in (np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 0.0]]), 0.8 * np.eye(2)):
        with rejected():
            check_signed_permutation(W @ wrong, p, tolerance=1e-4)


@LENGTHS.evidence(role="control", kind="numeric")
def test_other_lengths_are_rejected():
    p = random_problem(np.random.default_rng(95), 4, 2).with_learned_noise()
    W = ppca.fixed_noise_maximum(p.lam, p.U, 2, p.sigma2)
    lam, s = p.lam[:2], p.sigma2
    for wrong in (lam, np.sqrt(lam), np.sqrt(lam - s), lam + s):
        with rejected():
            check_lengths(W, wrong, tolerance=1e-6)


@TIED.evidence(role="control", kind="numeric")
def test_at_a_tie_the_check_of_uniqueness_rejects_another_maximum():
    p = random_problem(np.random.default_rng(96), 4, 2).with_learned_noise()
    tied = type(p)(np.array([2.0, 2.0, 1.0, 0.5]), p.U, 2, 0.75)
    W = ppca.fixed_noise_maximum(tied.lam, tied.U, 2, tied.sigma2) @ np.array([[0.8, -0.6], [0.6, 0.8]])
    check_maximal(W, tied)
    with rejected():
        check_signed_permutation(W, tied, tolerance=1e-4)


@SIGNS.evidence(role="control", kind="symbolic")
def test_scaling_a_column_instead_of_flipping_it_is_rejected():
    J = letter("J", k, k, "diagonal")
    scaled = substitute(linear_vae.elbo(), {"W": W @ J, "V": inverse(J) @ V, "D": inverse(J) @ D @ inverse(J)})
    with rejected():
        same(scaled, linear_vae.elbo())
