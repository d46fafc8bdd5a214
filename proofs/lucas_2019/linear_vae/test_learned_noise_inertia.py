"""Learned noise adds exactly one eigenvalue to the Hessian of the profile ELBO, and it is negative.

Statement   at every point that is stationary in W and sigma2 and retains q < n eigenvectors, the Hessian of P in
            (W, sigma2) has the inertia of that in W and one more negative eigenvalue: the Schur complement is
            -[n - k + sum_b 2 k_b z_b sigma2/(k_b m_b + z_b sigma2)]/(2 sigma2^2).  It is 0 if q = n.
Hypotheses  sigma2 > 0; the blocks are the minimal ones, zero columns (k_b = z_b = 1, m_b = sigma2) included.
Source      ours, theory 9; docs/mathematics.md, Proposition 9.
Method      the point lies on a smooth curve W(sigma2) of stationary points, one for each noise nearby.  Its velocity X
            solves H X + b = 0, b the mixed derivatives: so the Schur complement c + b^T X is the derivative of
            dP/dsigma2 along the curve, which is known in closed form at each noise (claim elbo-points).  No bound is
            needed, and no inverse of H, which may be singular.  The joint Hessian of verify.models is compared with the
            derived one in words, and with differences of a 50-digit ELBO.
"""

from itertools import chain

import mpmath
import numpy as np
import sympy as sp

from proofs.machinery.checks import agree, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.spectra import landscapes, wider
from verify import reference
from verify.landscape.families import learned_noise_families
from verify.landscape.points import block_constant, weights
from verify.models import linear_vae, ppca
from verify.symbolic import linear_vae as in_words
from verify.symbolic import ppca as likelihood_in_words
from verify.symbolic.differentials import derivative, gradient
from verify.symbolic.evaluation import on_arrays
from verify.symbolic.letters import M, W, gram, k, n, sigma2
from verify.symbolic.matrix_calculus import diag, inverse, letter, zero
from verify.symbolic.relations import reduce
from verify.symbolic.traces import trace

CLAIM = Claim(
    id="learned-noise-inertia",
    source="ours, after App. C.2",
    statement="at every point of the profile ELBO that is stationary in the noise too and discards something, the "
    "noise adds exactly one eigenvalue to the Hessian, a negative one",
    hypotheses="q < n",
    section="The linear VAE",
    rests_on=("elbo-points", "block-inertia"),
    trusts=("chain-rule", "components", "implicit-functions", "sylvester"),
)
JOINT = CLAIM.step(
    "joint-hessian",
    "the mixed derivatives of P in W and sigma2 are those of L less W (M^-2 - diag(M)^-2), and d^2 P/dsigma2^2 is "
    "that of L less tr(M^-2 - diag(M)^-2)/2, for all n, k and W",
    place="Proposition 9",
)
CURVE = CLAIM.step(
    "curve",
    "over the minimal blocks m_b(sigma2) is smooth, dm_b/dsigma2 = 2 m_b z_b/(k_b m_b + z_b sigma2), and with "
    "it t_a: the diagonal of a block keeps the right sum, so that what is left to solve for its rotation are equations "
    "of sum 0, for all k_b and q_b: the point continues as a curve of stationary points",
    says="minimal_blocks & onto & implicit -> curve",
    place="Proposition 9",
)
SCHUR = CLAIM.step(
    "schur",
    "if H X + b = 0 then [[H, b], [b^T, c]] is congruent to H and the number c + b^T X, for every size; along the "
    "curve that number is the derivative of dP/dsigma2",
    says="curve & chain_rule & inertia_law -> (~falls | one_more_negative) & (~stays | one_more_zero)",
    place="Proposition 9",
)
SIGN = CLAIM.step(
    "sign",
    "where the noise is stationary that derivative is -[n - k + sum_b 2 k_b z_b sigma2/(k_b m_b + z_b sigma2)]/"
    "(2 sigma2^2), summed over the minimal blocks: negative if q < n, and else 0, for all sizes, k > n included",
    says="minimal_blocks & equation & curve -> discards & falls | ~discards & stays",
    place="Proposition 9",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "so at every joint stationary point the joint Hessian has the inertia of that in W and one more eigenvalue, "
    "negative if q < n, and else 0",
    place="Proposition 9",
)


def printed_change():
    """d(diag(M)^-1 - M^-1)/dsigma2."""
    E = inverse(diag(M))
    return inverse(M) @ inverse(M) - E @ E


@JOINT.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_joint_hessian_in_words_for_all_n_and_k(record):
    """Differentiated twice in both orders; and as the code puts it together."""
    slope, noise_slope = in_words.profile_gradient(), in_words.profile_noise_gradient()
    mixed = reduce(derivative(slope, sigma2), gram)
    same(reduce(gradient(noise_slope, W), gram), mixed)
    same(reduce(likelihood_in_words.mixed_noise_gradient() - W @ printed_change(), gram), mixed)
    corner = reduce(derivative(noise_slope, sigma2), gram)
    of_likelihood = likelihood_in_words.noise_curvature()
    same(reduce(of_likelihood - trace(printed_change()) / 2, gram), corner)
    for factor in (-1, 0, sp.Rational(1, 2), 2):
        with rejected():
            same(reduce(likelihood_in_words.mixed_noise_gradient() - factor * W @ printed_change(), gram), mixed)
        with rejected():
            same(reduce(of_likelihood - factor * trace(printed_change()) / 2, gram), corner)
    record(instances=3)


def block_symbols():
    """r, k_b, z_b, sigma2 and the root sqrt(m_b) of k_b y^2 - r y - z_b sigma2."""
    r, columns, s = sp.symbols("r k_b sigma2", positive=True)
    zeros = sp.Symbol("z_b", nonnegative=True)
    return r, columns, zeros, s, (r + sp.sqrt(r**2 + 4 * columns * zeros * s)) / (2 * columns)


def rate(columns, zeros, m, s):
    """dm_b/dsigma2."""
    return 2 * m * zeros / (columns * m + zeros * s)


@CURVE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_constant_moves_smoothly_with_the_noise(record):
    """The roots of the quadratic are apart where q_b > 0, as its discriminant is positive.  q_b = 0: m = sigma2."""
    r, columns, zeros, s, root = block_symbols()
    check((r**2 + 4 * columns * zeros * s).is_positive, "the two roots are apart")
    m = root**2
    vanishes(sp.simplify(sp.diff(m, s) - rate(columns, zeros, m, s)))
    vanishes(rate(1, 1, s, s) - 1)
    # d tr M_b/dsigma2 = r m'/(2 sqrt m) + z_b is k_b m': the diagonal keeps the sum that a constant one needs.
    vanishes(sp.simplify(r * sp.diff(root, s) + zeros - columns * sp.diff(m, s)))
    for wrong in (2 * rate(columns, zeros, m, s), rate(columns, zeros, m, 2 * s), rate(columns, zeros, m, -s)):
        with rejected():
            vanishes(sp.simplify((sp.diff(m, s) - wrong).subs({r: 3, columns: 2, zeros: 1, s: 1})))
    with rejected():
        vanishes(sp.simplify(r * sp.diff(root, s) - columns * sp.diff(m, s)))
    record(instances=4)


@SCHUR.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_velocity_of_stationary_points_splits_the_joint_hessian_for_every_size(record):
    """[[I, 0], [X^T, 1]] [[H, b], [b^T, c]] [[I, X], [0, 1]], b = -H X: H, zeros, and c + b^T X.

    dP/dW = 0 at (W(s), s) for every s, so H X + b = 0 with X = dW/ds, by the chain rule; and that of dP/ds along the
    curve is b^T X + c.
    """
    size = sp.Symbol("N", integer=True, positive=True)
    H, X, c = letter("H", size, size, "symmetric"), letter("X", size, 1), letter("c", 1, 1)
    b = -(H @ X)
    same(H @ X + b, zero(size, 1))  # the block beside H
    corner = X.T @ H @ X + X.T @ b + b.T @ X + c
    same(corner, b.T @ X + c)
    with rejected():
        same(corner, X.T @ H @ X + c)
    with rejected():  # any other X leaves something beside H
        same(H @ (2 * X) + b, zero(size, 1))
    record(instances=2)


@SIGN.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_derivative_along_the_curve_is_negative(record):
    """With N(s) = sum_b z_b s^2/m_b + (n - k) s - discarded, 2 dP/ds = -N/s^2: its derivative is -N'/s^2 where N = 0.

    N' = n - k + sum of shares.  By N = 0 it is discarded/s + sum_b (share - z_b s/m_b), no term of which is negative;
    all vanish only if the discarded eigenvalues are 0 and every block has z_b = 0 or q_b = 0.  Then N = 0 says
    n - k + sum_b z_b = n - q = 0.  Conversely, if q = n, nothing is discarded and k - n = sum_b z_b, so that N = 0 says
    sum_b z_b (1 - s/m_b) = 0, no term of which is negative, as k_b m_b = sum t_a + z_b s and t_a > s: a block has
    z_b = 0, or q_b = 0 and m_b = s.  Either adds nothing, and the derivative is 0.
    """
    r, columns, zeros, s, root = block_symbols()
    m = root**2
    share = 2 * columns * zeros * s / (columns * m + zeros * s)
    vanishes(sp.simplify(sp.diff(zeros * s**2 / m, s) - share))
    vanishes(share.subs({r: 0, columns: 1, zeros: 1}) - 1)  # a zero column by itself: m_b = sigma2
    N = sp.Function("N")(s)
    vanishes(sp.diff(-N / (2 * s**2), s) + sp.diff(N, s) / (2 * s**2) - N / s**3)
    rest, discarded, others = sp.symbols("n-k discarded others")  # others: the sum of z_b s/m_b
    vanishes((rest + others).subs(rest, discarded / s - others) - discarded / s)
    # What a block adds: k_b m - z_b s = sum t = r sqrt(m) > 0 if q_b > 0.
    M_, S_ = sp.symbols("m s", positive=True)
    more = 2 * columns * zeros * S_ / (columns * M_ + zeros * S_) - zeros * S_ / M_
    t_sum = columns * M_ - zeros * S_
    vanishes(sp.simplify(more - zeros * S_ * t_sum / (M_ * (columns * M_ + zeros * S_))))
    vanishes(sp.expand(columns * m - zeros * s - r * root))
    check((r * root).is_positive, "a block that retains something and has a zero row adds more than nothing")
    with rejected():  # q_b = 0, and so r = 0
        check((r * root).subs(r, 0).is_positive, "a block that retains nothing adds nothing")
    # q = n: N/s = sum_b z_b s/m_b - sum_b z_b; and m_b > s if q_b > 0, as k_b (m - s) = sum of (t_a - s).
    retained, excess = sp.symbols("q_b mean(t_a-s)", positive=True)
    mean = (retained * (S_ + excess) + zeros * S_) / (retained + zeros)
    check(sp.simplify(mean - S_).is_positive, "a block that retains something has m_b > s")
    with rejected():  # t_a < s
        check(sp.simplify(mean.subs(excess, -excess) - S_).is_positive, "there m_b < s")
    vanishes(more.subs(M_, zeros * S_ / columns))  # q_b = 0: k_b m = z_b s
    vanishes(more.subs(zeros, 0))
    with rejected():  # where a block has both, not
        vanishes(more.subs({zeros: 1, columns: 2}))
    for wrong in (share / 2, -share, 2 * zeros * s / m):
        with rejected():
            vanishes(sp.simplify((sp.diff(zeros * s**2 / m, s) - wrong).subs({r: 3, columns: 2, zeros: 1, s: 1})))
    with rejected():  # z_b s/m_b would be too much to take away
        vanishes(sp.simplify(more - zeros * S_ * (columns * M_ + S_) / (M_ * (columns * M_ + zeros * S_))))
    record(instances=6)
    record.witness("Schur complement -[n - k + sum_b 2 k_b z_b sigma2/(k_b m_b + z_b sigma2)]/(2 sigma2^2)")


USED = {
    "elbo-points": "stationary -> point & equation",
    "components": "point -> minimal_blocks",
    "block-inertia": "minimal_blocks -> onto",
    "implicit-functions": "implicit",
    "chain-rule": "chain_rule",
    "sylvester": "inertia_law",
}


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_give_one_more_negative_eigenvalue(record):
    """equation: the noise equation; onto: rotations move the diagonal of a minimal block in every way of sum 0.

    minimal_blocks: the point is written in the components of its graph; over other blocks neither step holds.
    """
    count = concludes(CLAIM, "stationary -> discards & one_more_negative | ~discards & one_more_zero", USED)
    with rejected():
        concludes(CLAIM, "stationary -> one_more_negative", USED)
    with rejected():  # not over blocks that are not minimal
        concludes(
            CLAIM,
            "stationary -> discards & one_more_negative | ~discards & one_more_zero",
            USED | {"components": "point & minimal_blocks -> minimal_blocks"},
        )
    record(instances=count)


def random_instance(rng, rows, columns):
    W_ = rng.standard_normal((rows, columns))
    A = rng.standard_normal((rows, rows + 2))
    return W_, float(rng.uniform(0.4, 1.5)), A @ A.T / (rows + 2)


def derived(W_, s, S_):
    """The joint Hessian from the derived words, (nk + 1, nk + 1)."""
    rows, columns = W_.shape
    values = {n: rows, k: columns, sigma2: s}
    X = letter("X", n, k)
    words = in_words.profile_hessian_vector_product(X)
    unit = np.eye(rows * columns).reshape(-1, rows, columns)
    H = np.stack([on_arrays(words, {"W": W_, "S": S_, "X": x}, values).ravel() for x in unit])
    mixed = on_arrays(derivative(in_words.profile_gradient(), sigma2), {"W": W_, "S": S_}, values).ravel()
    corner = on_arrays(derivative(in_words.profile_noise_gradient(), sigma2), {"W": W_, "S": S_}, values)
    return np.block([[H, mixed[:, None]], [mixed[None], np.array([[corner]])]])


def by_differences(W_, s, S_):
    """The joint Hessian from second differences of the 50-digit profile, which knows no derivative."""
    with reference.precision():
        h = mpmath.mpf(10) ** -12
        start = np.append(reference.exact(W_).ravel(), mpmath.mpf(s))
        size = start.size

        def value(*steps):
            x = start.copy()
            for place, amount in steps:
                x[place] += amount
            return reference.profile_elbo(x[:-1].reshape(W_.shape), x[-1], S_)

        H = np.empty((size, size))
        for i in range(size):
            for j in range(i + 1):
                four = [value((i, a * h), (j, b * h)) * a * b for a in (1, -1) for b in (1, -1)]
                H[i, j] = H[j, i] = float(mpmath.fsum(four) / (4 * h**2))
        return H


@JOINT.evidence(role="supports", kind="numeric")
def test_the_joint_hessian_of_the_code_is_the_derived_one(record, thorough):
    rng = np.random.default_rng(71)
    for _ in range(thorough(8, 150)):
        W_, s, S_ = random_instance(rng, int(rng.integers(1, 5)), int(rng.integers(1, 4)))
        H = linear_vae.profile_joint_hessian(W_, s, S_)
        # Terms of size |S|/sigma2^3 cancel.
        record(worst_error=agree(H, derived(W_, s, S_), tolerance=1e-11))


@JOINT.evidence(role="supports", kind="numeric")
def test_the_joint_hessian_of_the_code_is_that_of_a_50_digit_elbo(record, thorough):
    rng = np.random.default_rng(72)
    for _ in range(thorough(2, 20)):
        W_, s, S_ = random_instance(rng, 3, 2)
        # Differences of step 1e-12 at 50 digits are right to 1e-24 or so.
        record(
            worst_error=agree(linear_vae.profile_joint_hessian(W_, s, S_), by_differences(W_, s, S_), tolerance=1e-11)
        )


def mutants(W_, s, S_):
    """profile_joint_hessian with one sign or factor wrong, in each of its terms."""
    M_ = ppca.latent_precision(W_, s)
    inverse_M = np.linalg.inv(M_)
    H, b, c = (
        linear_vae.profile_hessian(W_, s, S_),
        ppca.mixed_noise_gradient(W_, s, S_),
        ppca.noise_curvature(W_, s, S_),
    )
    squares = inverse_M @ inverse_M, np.diag(M_.diagonal() ** -2.0)
    for one, other, in_mixed, in_corner, scale in (
        (1, 1, 1, 0.5, 1),  # the sign of diag(M)^-2
        (-1, 1, 1, 0.5, 1),  # the sign of d(diag(M)^-1 - M^-1)
        (1, -2, 1, 0.5, 1),
        (1, -1, -1, 0.5, 1),
        (1, -1, 0, 0.5, 1),
        (1, -1, 2, 0.5, 1),
        (1, -1, 1, 1, 1),
        (1, -1, 1, -0.5, 1),
        (1, -1, 1, 0, 1),
        (1, -1, 1, 0.5, -1),  # the whole of the mixed part
        (1, -1, 1, 0.5, 2),
    ):
        change = one * squares[0] + other * squares[1]
        mixed = scale * (b - in_mixed * W_ @ change)
        yield ppca.bordered(H, mixed.ravel(), c - in_corner * np.trace(change))
    change = squares[0] - squares[1]
    for wrong_H in (-H, 2 * H, ppca.hessian(W_, s, S_)):
        yield ppca.bordered(wrong_H, (b - W_ @ change).ravel(), c - 0.5 * np.trace(change))
    yield ppca.bordered(H, (b - W_ @ change).ravel(), -(c - 0.5 * np.trace(change)))


@JOINT.evidence(role="control", kind="numeric")
def test_a_joint_hessian_with_a_wrong_sign_or_factor_is_rejected():
    W_, s, S_ = random_instance(np.random.default_rng(73), 3, 2)
    truths = by_differences(W_, s, S_), derived(W_, s, S_)
    for wrong in mutants(W_, s, S_):
        for truth in truths:
            with rejected():
                agree(wrong, truth, tolerance=1e-11)


def closed_form(point, lam):
    """The Schur complement of the joint Hessian."""
    s = point.sigma2
    total = float(len(lam) - point.k)
    for b in point.blocks:
        m = block_constant(lam[list(b.eigen)], b.columns, s)
        total += 2 * b.columns * b.zeros * s / (b.columns * m + b.zeros * s)
    return -total / (2 * s**2)


def check_schur(point, at, expected):
    """c + b^T X with H X + b = 0, and the inertia of the joint Hessian; -> the relative error of the former."""
    H = linear_vae.profile_joint_hessian(weights(point, at.lam, at.U), point.sigma2, at.S)
    inner, b, c = H[:-1, :-1], H[:-1, -1], H[-1, -1]
    values = np.linalg.eigvalsh(inner)
    zero = 1e-8 * np.abs(values).max()
    X = -np.linalg.pinv(inner, rcond=1e-8, hermitian=True) @ b
    agree(inner @ X + b, 0 * b, tolerance=1e-7, scale=float(np.linalg.norm(b)) + zero)
    error = agree(c + b @ X, expected, tolerance=1e-7, scale=abs(c) + abs(expected))
    joint = np.linalg.eigvalsh(H)
    limit = 1e-8 * np.abs(joint).max()
    same(int((joint > limit).sum()), int((values > zero).sum()))
    same(int((joint < -limit).sum()), int((values < -zero).sum()) + 1)
    return error


@CONCLUSION.evidence(role="supports", kind="numeric")
def test_the_noise_adds_one_negative_eigenvalue_at_every_family(record, thorough):
    """k > n as well."""
    seen = 0
    for at in chain(landscapes(thorough(60, 600), most_n=5, most_k=3, seed=74, generic=True), wider(10, seed=76)):
        for point in learned_noise_families(at.lam, at.k):
            if len(point.retained) < at.n:
                record(instances=1, worst_error=check_schur(point, at, closed_form(point, at.lam)))
                seen += not point.orthogonal
    check(seen > 50, f"only {seen} points with columns that are not orthogonal")


@CONCLUSION.evidence(role="control", kind="numeric")
def test_another_schur_complement_is_rejected():
    """Twice, without the zero rows of a block, with the other sign."""
    refused = 0
    for at in landscapes(20, most_n=5, most_k=3, seed=75, generic=True):
        for point in learned_noise_families(at.lam, at.k):
            if len(point.retained) == at.n:
                continue
            right = closed_form(point, at.lam)
            wrong = [2 * right, -right, -len(at.lam) / (2 * point.sigma2**2)]
            if any(b.zeros and b.columns > 1 for b in point.blocks):
                wrong.append(-(at.n - len(point.retained)) / (2 * point.sigma2**2))  # the likelihood's
            for other in (x for x in wrong if abs(x / right - 1) > 1e-3):
                with rejected():
                    check_schur(point, at, other)
                refused += 1
    check(refused > 100, f"only {refused} were tried")
