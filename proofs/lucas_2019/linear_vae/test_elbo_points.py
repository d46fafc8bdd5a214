"""The families of theory 3.6 are all the stationary points of the linear VAE's ELBO (and 1.2 those of pPCA).

Statement   the stationary points of the ELBO are W = [W_1 ... W_B], V*, D* with W_b = U_{A_b} (t - sigma2)^{1/2} Q_b,
            t_a = sqrt(lam_a m_b) > sigma2, sqrt(m_b) = [r_b + sqrt(r_b^2 + 4 k_b z_b sigma2)]/(2 k_b), Q_b such that
            M_b has constant diagonal m_b; blocks of one column give the points of pPCA.
Hypotheses  sigma2 > 0, fixed; or learned: then the noise equation holds besides.
Source      ours, theory 3.6.
Method      one direction: constructed points have zero gradient of the full ELBO, at 50 digits too. The other: blind
            root-finding on the gradient, which knows no closed form; every root must be one of the listed families.
            Exact: in words, for all n and k: the gradient vanishes iff S W = W M diag(M)^-1 M, which makes M commute
            with diag(M) and leaves nothing but blocks; on a block, where S W e = mu W e, it is (mu/t^2 - 1/m) W e;
            and 2 sigma2^2 dP/dsigma2 = tr S - tr(M^2 diag(M)^-1) - (n - k) sigma2, the noise equation.
Trusted     the gradients (claims eq-21 to eq-23; tests against finite differences).
"""

from functools import partial

import mpmath
import numpy as np
import sympy as sp

from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.problems.points_in_words import BLOCK_POINT, block_vector
from proofs.problems.spectra import landscapes, spectrum_of
from verify.landscape.families import fixed_noise_families, learned_noise_families
from verify.landscape.points import Block, Point, block_constant, ordered, weights
from verify.landscape.roots import CONVERGED, DIVERGED, STALLED, find_roots
from verify.landscape.stationary import fixed_noise_points
from verify.models import linear_vae, ppca
from verify.symbolic import linear_vae as in_words
from verify.symbolic.letters import C, M, S, W, gram, k, n, sigma2
from verify.symbolic.matrix_calculus import diag, inverse
from verify.symbolic.relations import expand, reduce
from verify.symbolic.traces import Scalar, trace
from verify.symbolic.unit_vectors import orthonormal, unit_vector

CLAIM = Claim(
    id="elbo-points",
    source="theory 3.6",
    statement="the block families are all stationary points of the linear VAE's ELBO, non-orthogonal ones included",
    hypotheses="sigma2 > 0",
    section="The linear VAE",
    rests_on=("eq-21", "eq-22", "eq-23"),
)

STATIONARY = 1e-9  # promised, relative to the scale of the data
MATCH = 1e-6  # a root found to |g| = 1e-11 lies this close to its family; families differ by far more


def gradient_size(W, sigma2, S, learned):
    """The largest entry of the full ELBO's gradient at the optimal encoder, in units of the data."""
    V, D = linear_vae.optimal_encoder(W, sigma2)
    g = linear_vae.gradients(W, V, D, sigma2, S)
    entries = [np.abs(g.W).max() * np.sqrt(sigma2), np.abs(g.V).max() / np.sqrt(sigma2), np.abs(g.D).max()]
    if learned:
        entries.append(abs(float(g.sigma2)) * sigma2)
    return float(max(entries)) / max(1.0, float(np.trace(S)) / sigma2)


@CLAIM.evidence(role="supports", kind="numeric")
def test_every_family_is_stationary_at_fixed_noise(record, thorough):
    for at in landscapes(thorough(60, 500), most_n=5, most_k=4, seed=1):
        for point in fixed_noise_families(at.lam, at.k, at.sigma2):
            size = gradient_size(weights(point, at.lam, at.U), at.sigma2, at.S, learned=False)
            record(instances=1, worst_error=at_most(size, 0.0, slack=STATIONARY))


@CLAIM.evidence(role="supports", kind="numeric")
def test_every_family_is_stationary_with_its_own_noise(record, thorough):
    for at in landscapes(thorough(40, 300), most_n=5, most_k=3, seed=2):
        for point in learned_noise_families(at.lam, at.k):
            size = gradient_size(weights(point, at.lam, at.U), point.sigma2, at.S, learned=True)
            record(instances=1, worst_error=at_most(size, 0.0, slack=STATIONARY))


def same_family(W, points, lam):
    """For each root the distance of W W^T to the nearest family, and which it is.  W (B, n, k)."""
    marginals = np.stack([(w @ w.T) for w in (weights(p, lam, np.eye(len(lam))) for p in points)])
    distances = np.abs((W @ W.swapaxes(1, 2))[:, None] - marginals).max(axis=(2, 3))
    return distances.min(axis=1), distances.argmin(axis=1)


def blind_search(objective, points_of, starts, seed):
    """Root-finding from random starts on three spectra; every root is one of the listed points; -> counts."""
    rng = np.random.default_rng(seed)
    found = {CONVERGED: 0, DIVERGED: 0, STALLED: 0}
    listed = reached = 0
    worst = 0.0
    for rows, columns in ((3, 2), (4, 3), (5, 3)):
        lam = spectrum_of(rng, rows)
        lam, sigma2 = lam / lam[0], float(rng.uniform(0.1, 0.6))
        S = np.diag(lam)
        g = ppca.gradient if objective == "ppca" else linear_vae.profile_gradient
        H = ppca.hessian if objective == "ppca" else linear_vae.profile_hessian
        size = starts // 3 + 1
        W = rng.standard_normal((size, rows, columns)) * np.exp(rng.uniform(-3, 0, (size, 1, 1)))
        roots = find_roots(partial(g, sigma2=sigma2, S=S), partial(H, sigma2=sigma2, S=S), W)
        for status in found:
            found[status] += roots.count(status)
        ended = roots.W[roots.status == CONVERGED]
        points = points_of(lam, columns, sigma2)
        distance, which = same_family(ended, points, lam)
        worst = max(worst, at_most(distance, 0.0, slack=MATCH))
        # A run that stalls must have stalled away from any root: a slow approach to one would be a root missed.
        slow = roots.residual[roots.status == STALLED]
        check((slow > 1e-7).all(), f"a run stalled at |g| = {slow.min(initial=1.0):.1e}, close to a root")
        listed += len(points)
        reached += len(set(which.tolist()))
    return found, listed, reached, worst


def check_nothing_else_is_met(record, objective, points_of, starts, seed):
    """Every root of a blind search is a listed point, and the search met enough of them to have met others."""
    found, listed, reached, worst = blind_search(objective, points_of, starts, seed)
    check(found[CONVERGED] >= starts // 3, f"too few runs converged to conclude anything: {found}")
    check(reached >= listed // 2, f"only {reached} of {listed} were met, so others might be missed")
    record(instances=sum(found.values()), worst_error=worst)
    record.witness(
        f"{sum(found.values())} starts, n <= 5, k <= 3: {found[CONVERGED]} converged, all to listed points "
        f"({reached} of {listed} met); {found[DIVERGED]} left for infinity; {found[STALLED]} stalled at local minima "
        "of the gradient's norm"
    )


@CLAIM.evidence(role="supports", kind="numeric")
def test_blind_root_finding_meets_no_other_point_of_the_elbo(record, thorough):
    check_nothing_else_is_met(record, "elbo", fixed_noise_families, thorough(2000, 10000), seed=11)


@CLAIM.evidence(role="supports", kind="numeric")
def test_blind_root_finding_meets_no_other_point_of_the_likelihood(record, thorough):
    def listed_points(lam, k, sigma2):
        return list(fixed_noise_points(lam, k, sigma2))

    check_nothing_else_is_met(record, "ppca", listed_points, thorough(2000, 10000), seed=12)


@CLAIM.evidence(role="control", kind="numeric")
def test_the_search_finds_what_a_shorter_list_leaves_out(record):
    """pPCA's points alone (orthogonal columns) are not all stationary points of the ELBO."""

    def orthogonal_only(lam, k, sigma2):
        return [p for p in fixed_noise_families(lam, k, sigma2) if p.orthogonal]

    with rejected():
        blind_search("elbo", orthogonal_only, 600, seed=11)
    record(instances=1)


@CLAIM.evidence(role="control", kind="numeric")
def test_a_block_with_another_constant_is_not_stationary(record):
    """sqrt(m) = mean of sqrt(lam) is right without zero rows; the mean of lam itself is not."""
    lam, sigma2 = np.array([3.0, 2.0, 0.5]), 0.7
    point = Point("elbo", ordered([Block((0, 1), 2)], 2), sigma2, 0.0)
    W = weights(point, lam, np.eye(3))
    check(gradient_size(W, sigma2, np.diag(lam), learned=False) < STATIONARY, "the right constant is stationary")
    wrong = np.sqrt(np.maximum((W @ W.T).diagonal() * (2.5 / block_constant(lam[:2], 2, sigma2)) ** 0.5, 0))
    scaled = W * (wrong / np.maximum(np.sqrt((W @ W.T).diagonal()), 1e-300))[:, None]
    with rejected():
        at_most(gradient_size(scaled, sigma2, np.diag(lam), learned=False), 0.0, slack=STATIONARY)
    record(instances=1)


@CLAIM.evidence(role="supports", kind="symbolic", strength="proved")
def test_every_stationary_point_is_made_of_blocks_for_all_n_and_k(record):
    """The other direction, nothing assumed: dP/dW = 0 iff S W = W M E^-1 M, E = diag(M), and then M E = E M.

    So M_ij (1/M_ii - 1/M_jj) = 0: blocks of constant diagonal m. M and E have a common basis e, M e = t e, E e = m e,
    in which S W e = (t^2/m) W e and |W e|^2 = t - sigma2: eigenvectors of S with lam = t^2/m, or W e = 0.
    """
    E = diag(M)
    gradient = in_words.profile_gradient()
    # C and M are invertible.
    same(reduce(expand(C, C) @ gradient @ M, gram), S @ W - W @ M @ inverse(E) @ M)
    # W^T (S W) is symmetric.
    image = W @ M @ inverse(E) @ M
    commutator = reduce(inverse(M) @ (W.T @ image - image.T @ W) @ inverse(M), gram)
    same(commutator, M @ inverse(E) - inverse(E) @ M)
    with rejected():  # pPCA's: S W = W M
        same(reduce(expand(C, C) @ gradient @ M, gram), S @ W - W @ M)
    record(instances=2)
    record.witness("all n, k: dP/dW = 0 iff S W = W M diag(M)^-1 M, and this makes M commute with diag(M)")


@CLAIM.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_block_is_stationary_iff_its_eigenvalue_is_t_squared_over_m_for_all_n_and_k(record):
    """With M e = t e, diag(M) e = m e and S W e = mu W e, the derived gradient of P maps e to (mu/t^2 - 1/m) W e."""
    e, t, m, mu = unit_vector("e", k), *sp.symbols("t m mu", positive=True)
    image = reduce(in_words.profile_gradient() @ e, gram, *block_vector(e, t, m, mu))
    same(image, (mu / t**2 - 1 / m) * (W @ e))
    same(sp.solve(mu / t**2 - 1 / m, mu), [t**2 / m])
    # A zero row, t = sigma2, asks for nothing: W e = 0, as |W e|^2 = t - sigma2 shows.
    length = reduce(trace(e.T @ W.T @ W @ e), gram, *orthonormal(e), *block_vector(e, t, m, mu))
    same(length, Scalar(t - sigma2))
    with rejected():
        same(image, (mu / t**2 - 1 / t) * (W @ e))  # the gradient of the likelihood
    record(instances=2)


def twice_noise_gradient():
    """2 sigma2^2 dP/dsigma2 at every stationary block: it equals tr S - tr(M^2 diag(M)^-1) - (n - k) sigma2."""
    return 2 * sigma2**2 * reduce(in_words.profile_noise_gradient(), *BLOCK_POINT)


@CLAIM.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_noise_equation_for_all_n_and_k(record):
    """tr(M^2 diag(M)^-1) is the sum of t^2/m over all latent directions: lam_a on retained, sigma2^2/m on zero ones."""
    same(twice_noise_gradient(), trace(S) - trace(M @ M @ inverse(diag(M))) - (n - k) * sigma2)
    e, t, m = unit_vector("e", k), *sp.symbols("t m", positive=True)
    rules = (*orthonormal(e), *block_vector(e, t, m, t**2 / m))
    same(reduce(trace(e.T @ M @ M @ inverse(diag(M)) @ e), *rules), Scalar(t**2 / m))
    # Zero columns by themselves have m = sigma2: (n - k)/s + (k - q)/s = sum/s^2 is the mean of the discarded.
    s, q, total = sp.symbols("s q Sigma", positive=True)
    same(sp.solve((n - k) / s + (k - q) / s - total / s**2, s), [total / (n - q)])
    record(instances=3)
    record.witness("all n, k: 2 sigma2^2 dP/dsigma2 = tr S - tr(M^2 diag(M)^-1) - (n - k) sigma2 at stationary W")


@CLAIM.evidence(role="control", kind="symbolic")
def test_slips_in_the_noise_equation_are_rejected(record):
    for wrong in (
        trace(S) - trace(M) - (n - k) * sigma2,  # pPCA's, where the columns are orthogonal
        trace(S) - trace(M @ M @ inverse(diag(M))) - n * sigma2,
        trace(S) - trace(M @ M @ inverse(diag(M))) + (n - k) * sigma2,
    ):
        with rejected():
            same(twice_noise_gradient(), wrong)
    record(instances=1)


@CLAIM.evidence(role="supports", kind="numeric")
def test_the_noise_equation_solved_is_the_noise_of_the_families(record):
    for at in landscapes(20, most_n=5, most_k=3, seed=13):
        for point in learned_noise_families(at.lam, at.k):
            W_, s = weights(point, at.lam, at.U), point.sigma2
            M_ = W_.T @ W_ + s * np.eye(at.k)
            zero = at.lam.sum() - ((M_ @ M_).diagonal() / M_.diagonal()).sum() - (at.n - at.k) * s
            record(instances=1, worst_error=agree(zero, 0.0, tolerance=1e-12 * at.lam.sum()))


@CLAIM.evidence(role="supports", kind="symbolic")
def test_the_block_constant_solves_the_trace_condition(record):
    """diag(M_b) = m_b throughout needs k_b m_b = sum t_a + z_b sigma2 with t_a = sqrt(lam_a m_b), for every k_b."""
    r, k, z, s = sp.symbols("r k z sigma2", positive=True)
    root_m = (r + sp.sqrt(r**2 + 4 * k * z * s)) / (2 * k)
    vanishes(k * root_m**2 - r * root_m - z * s)
    # The other root of the quadratic is negative or zero, so the constant is unique.
    other = (r - sp.sqrt(r**2 + 4 * k * z * s)) / (2 * k)
    vanishes(root_m * other + z * s / k)
    record(instances=1)


@CLAIM.evidence(role="supports", kind="symbolic")
def test_a_block_is_stationary_exactly_when_lam_m_is_t_squared(record):
    """On u_a the gradient of P is u_a sqrt(t - s) Q_a [lam/t^2 - 1/m], because M^-1 acts as 1/t and diag(M) as m."""
    lam, t, m = sp.symbols("lambda t m", positive=True)
    # gradient of L: C^-1 S C^-1 W - C^-1 W = (lam/t^2 - 1/t) W on u_a; of the gap: W (1/m - M^-1) = (1/m - 1/t) W.
    total = (lam / t**2 - 1 / t) - (1 / m - 1 / t)
    same(sp.solve(sp.Eq(total, 0), lam), [t**2 / m])
    # Columns of unequal norm are orthogonal: d P / d theta of their plane rotation is M_ij (1/M_ii - 1/M_jj).
    a, b, c, theta = sp.symbols("M_ii M_jj M_ij theta", positive=True)
    R = sp.Matrix([[sp.cos(theta), -sp.sin(theta)], [sp.sin(theta), sp.cos(theta)]])
    turned = R.T * sp.Matrix([[a, c], [c, b]]) * R
    slope = sp.diff(-(sp.log(turned[0, 0]) + sp.log(turned[1, 1])) / 2, theta).subs(theta, 0)
    vanishes(sp.simplify(slope - c * (1 / b - 1 / a)))
    record(instances=2)


@CLAIM.evidence(role="supports", kind="numeric")
def test_the_gradient_vanishes_at_fifty_digits(record):
    """lam = (3, 2), two columns: sqrt(m) = (sqrt 3 + sqrt 2)/2; the block built and differentiated at 60 digits."""
    with mpmath.workdps(60):
        lam, s = [mpmath.mpf(3), mpmath.mpf(2), mpmath.mpf("0.5")], mpmath.mpf("0.7")
        root_m = (mpmath.sqrt(lam[0]) + mpmath.sqrt(lam[1])) / 2
        t = [mpmath.sqrt(x) * root_m for x in lam[:2]]
        W = mpmath.zeros(3, 2)
        for row in range(2):  # Q rotates by 45 degrees: both diagonal entries become the mean
            size = mpmath.sqrt((t[row] - s) / 2)
            W[row, 0], W[row, 1] = size, size if row == 0 else -size
        M = W.T * W + s * mpmath.eye(2)
        spread = mpmath.diag([M[i, i] for i in range(2)])
        C = W * W.T + s * mpmath.eye(3)
        g = C**-1 * mpmath.diag(lam) * C**-1 * W - C**-1 * W - W * (spread**-1 - M**-1)
        size = max(abs(x) for x in g)
    record(instances=1, worst_error=at_most(float(size), 0.0, slack=1e-50))
    ours = weights(Point("elbo", ordered([Block((0, 1), 2)], 2), 0.7, 0.0), np.array([3.0, 2.0, 0.5]), np.eye(3))
    record(worst_error=agree(ours @ ours.T, np.array((W * W.T).tolist(), dtype=float), tolerance=1e-14))
