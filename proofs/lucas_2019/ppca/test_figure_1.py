"""Figure 1: the same stationary point is stable in two, one or none of two directions as sigma2 falls.

Statement   let W hold the first three principal axes and zero columns, and move two zero columns along u_5 and u_7. At
            sigma2 = lam_4 the point is a maximum of that plane, at lam_6 unstable along u_5 only, at lam_8 along both;
            the maximum of the plane lies at |x_j| = sqrt(lam_j - sigma2) where lam_j > sigma2, and at 0 else.
Hypotheses  lam_5 > lam_6 and lam_7 > lam_8 > 0 (and lam_3 > sigma2, else fewer than three axes can be held). At
            sigma2 = lam_4 the point is flat to second order along u_4, a direction not shown, and falls at fourth.
Source      Lucas et al. 2019, Figure 1, Sec. 4.1; theory 1.6.
Method      u_5, u_7 and the held axes are eigenvectors of C throughout the plane, with eigenvalues sigma2 + x^2,
            sigma2 + y^2 and lam_1..3: L = const + f(x; lam_5) + f(y; lam_7), f(x; lam) = -1/2 [log(sigma2 + x^2)
            + lam/(sigma2 + x^2)], for all n and k. Beside it: derivatives of the full model on real data.
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.points_in_words import discarded, zero_column
from proofs.problems.spectra import data
from verify.arrays import to_numpy
from verify.landscape.slices import zero_column_slice
from verify.models import ppca as model
from verify.symbolic import ppca as in_words
from verify.symbolic.letters import M, S, W, gram, k, n, sigma2
from verify.symbolic.matrix_calculus import inverse
from verify.symbolic.relations import expand, reduce, relation, substitute
from verify.symbolic.traces import Scalar, trace
from verify.symbolic.unit_vectors import orthonormal, unit_vector

CLAIM = Claim(
    id="figure-1",
    source="Figure 1, Sec. 4.1",
    statement="zero columns moved along u_5, u_7: stable in both at sigma2 = lam_4, one at lam_6, none at lam_8",
    hypotheses="lam_5 > lam_6, lam_7 > lam_8 > 0; at sigma2 = lam_4 flat to second order along u_4",
    section="Probabilistic PCA",
    rests_on=("eq-11-12",),
    quote="Two zero-columns of W are perturbed in the directions of two orthogonal principal components (µ5 and µ7 ) "
    "and the optimization landscape around zero-columns is shown, where the goal is to maximize log marginal "
    "likelihood. The stability of the stationary points depends critically on σ 2 (the observation noise). Left: σ 2 "
    "is too large to capture either principal component. Middle: σ 2 is too large to capture one of the principal "
    "components. Right: σ 2 is able to capture both principal components.",
)
PLANE = CLAIM.step(
    "plane",
    "with columns moved to x u_5 and y u_7, orthogonal to all others, dL/dx = f'(x; lam_5) and dL/dy = f'(y; lam_7), "
    "f(x; lam) = -1/2 [log(sigma2 + x^2) + lam/(sigma2 + x^2)]: L is a sum of the two and a constant, for all n and k",
    says="two_zero_columns & gradient -> sum_of_two",
)
SHAPE = CLAIM.step(
    "shape",
    "f rises up to |x| = sqrt(lam - sigma2) and falls beyond it, where lam > sigma2; else it falls from 0 on, at "
    "fourth order if lam = sigma2. Its curvature at 0 is (lam - sigma2)/sigma2^2",
    says="sum_of_two -> shape",
    place="Proposition 3",
)
COUNTS = CLAIM.step(
    "counts",
    "so for descending eigenvalues with lam_5 > lam_6, lam_7 > lam_8 > 0 the point is a maximum of the plane at "
    "sigma2 = lam_4, rises along u_5 alone at lam_6, and along both at lam_8",
    says="shape & descending & gaps -> as_drawn",
)
CONCLUSION = CLAIM.step("conclusion", "Figure 1 is as drawn, whatever the data with these two gaps and lam_8 > 0")

NOISES = (3, 5, 7)  # lam_4, lam_6, lam_8, counted from 0
DIRECTIONS = (4, 6)  # u_5, u_7
HELD = 3
DATA = [("digits", None), ("mnist:1000", 255)]


def at_noise(lam, U, sigma2):
    """W (n, 5): three scaled principal axes (those above the noise) and two zero columns."""
    W = np.zeros((len(lam), HELD + 2))
    W[:, :HELD] = U[:, :HELD] * np.sqrt(np.maximum(lam[:HELD] - sigma2, 0.0))
    return W


def direction(U, eigen, column):
    X = np.zeros((len(U), HELD + 2))
    X[:, column] = U[:, eigen]
    return X


def plane_hessian(xp, lam, U, S, sigma2, eigen=DIRECTIONS):
    """The second derivatives of L in (x, y) at the point, from the Hessian-vector product of the full model."""
    W = at_noise(lam, U, sigma2)
    X = np.stack([direction(U, j, HELD + i) for i, j in enumerate(eigen)])
    HX = to_numpy(model.hessian_vector_product(xp.asarray(W), sigma2, xp.asarray(S), xp.asarray(X)))
    return np.einsum("iab,jab->ij", X, HX)


def unstable_directions(xp, lam, U, S, sigma2, rounding):
    """In how many directions of the plane L rises to second order."""
    return int((np.linalg.eigvalsh(plane_hessian(xp, lam, U, S, sigma2)) > rounding * lam[0] / sigma2**2).sum())


def expected_maximum(lam, sigma2):
    """Where theory puts the maximum of the plane, x and y >= 0."""
    return np.sqrt(np.maximum(lam[list(DIRECTIONS)] - sigma2, 0.0))


x, y = sp.symbols("x y", real=True)
lam_5, lam_7 = sp.symbols("lam_5 lam_7", nonnegative=True)
u_5, u_7, e_5, e_7 = unit_vector("u_5", n), unit_vector("u_7", n), unit_vector("e_5", k), unit_vector("e_7", k)
BASES = (*orthonormal(u_5, u_7), *orthonormal(e_5, e_7))


def moved(u, e, by, lam):
    """The column e is by u, and no other column meets u; S u = lam u."""
    kappa = sigma2 + by**2
    along = relation(W @ e, by * u), relation(W.T @ u, by * e), relation(S @ u, lam * u)
    return (*along, relation(M @ e, kappa * e), relation(inverse(M) @ e, e / kappa))


IN_PLANE = (gram, *BASES, *moved(u_5, e_5, x, lam_5), *moved(u_7, e_7, y, lam_7))


def slope_of_f(by, lam):
    """f'(x; lam) = x (lam - sigma2 - x^2)/(sigma2 + x^2)^2."""
    return by * (lam - sigma2 - by**2) / (sigma2 + by**2) ** 2


def slope_along(u, e):
    """tr(grad L^T u e^T) in the plane."""
    return reduce(trace(e @ u.T @ in_words.gradient_in_latents()), *IN_PLANE)


@PLANE.evidence(role="supports", kind="symbolic", strength="proved")
def test_along_each_direction_the_slope_is_its_own_for_all_n_and_k(record):
    # W + x u_5 e_5^T + y u_7 e_7^T, both columns zero before and u_5, u_7 in none, has what IN_PLANE says.
    unmoved = (*BASES, *discarded(u_5, lam_5), *discarded(u_7, lam_7), *zero_column(e_5), *zero_column(e_7))
    at = W + x * u_5 @ e_5.T + y * u_7 @ e_7.T
    same(reduce(at @ e_5, *unmoved), x * u_5)
    same(reduce(at.T @ u_5, *unmoved), x * e_5)
    same(reduce(substitute(expand(M, M), {"W": at}) @ e_5, *unmoved), (sigma2 + x**2) * e_5)
    for u, e, by, lam in ((u_5, e_5, x, lam_5), (u_7, e_7, y, lam_7)):
        same(slope_along(u, e), Scalar(slope_of_f(by, lam)))
        for wrong in (
            2 * slope_of_f(by, lam),
            slope_of_f(by, lam).subs(lam, lam + by**2),
            slope_of_f(by, lam) * sigma2,
        ):
            with rejected():
                same(slope_along(u, e), Scalar(wrong))
    record(instances=5)


@SHAPE.evidence(role="supports", kind="symbolic", strength="proved")
def test_f_has_its_maximum_at_the_root_of_what_exceeds_the_noise(record):
    lam, s, gap = sp.symbols("lam s gap", positive=True)
    f = -(sp.log(s + x**2) + lam / (s + x**2)) / 2
    vanishes(sp.diff(f, x) - slope_of_f(x, lam).subs(sigma2, s))
    vanishes(sp.diff(f, x, 2).subs(x, 0) - (lam - s) / s**2)
    # f' has the sign of lam - s - x^2: positive below the root, negative above it, and everywhere if lam <= s.
    sign = sp.factor(sp.diff(f, x) * (s + x**2) ** 2 / x)
    vanishes(sign - (lam - s - x**2))
    check(bool(sp.expand(sign.subs(lam, s + x**2 + gap)).is_positive), "it does not rise below the root")
    check(bool(sp.expand(sign.subs(lam, s + x**2 - gap)).is_negative), "it does not fall above the root")
    with rejected():
        check(bool(sp.expand(sign.subs(lam, s + gap)).is_positive), "it does not rise for ever")
    record(instances=4)


@COUNTS.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_counts_follow_from_the_order_of_the_eigenvalues(record):
    """lam_4 >= lam_5 > lam_6 >= lam_7 > lam_8, by differences: the sign of lam - sigma2 for u_5 and u_7."""
    least, g5, g7 = sp.symbols("least g5 g7", positive=True)
    h4, h6 = sp.symbols("h4 h6", nonnegative=True)
    lam = {8: least}
    for i, difference in ((7, g7), (6, h6), (5, g5), (4, h4)):
        lam[i] = lam[i + 1] + difference
    for at, rises in ((4, (False, False)), (6, (True, False)), (8, (True, True))):
        check_rising(lam, lam[at], rises)
        with rejected():
            check_rising(lam, lam[at], (rises[0], not rises[1]))
    with rejected():  # one eigenvalue higher than printed
        check_rising(lam, lam[7], (True, True))
    record(instances=3)


def check_rising(lam, noise, rises):
    """Whether (0, 0) rises along u_5 and along u_7, where it does not falling: lam - sigma2 > 0, or <= 0."""
    for i, expected in zip((5, 7), rises, strict=True):
        excess = sp.expand(lam[i] - noise)
        check(bool(excess.is_positive if expected else excess.is_nonpositive), f"lam_{i} - sigma2 = {excess}")


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_so_the_figure_is_as_drawn(record):
    used = {"eq-11-12": "gradient"}
    record(instances=concludes(CLAIM, "two_zero_columns & descending & gaps -> as_drawn", used))
    with rejected():  # ties are another matter
        concludes(CLAIM, "two_zero_columns & descending -> as_drawn", used)


@SHAPE.evidence(role="supports", kind="symbolic", strength="proved")
def test_on_the_threshold_it_is_flat_to_second_order_and_falls_at_fourth(record):
    s = sp.Symbol("s", positive=True)
    f = -(sp.log(s + x**2) + s / (s + x**2)) / 2
    vanishes(sp.series(f - f.subs(x, 0), x, 0, 6).removeO() + x**4 / (4 * s**2))
    vanishes(sp.diff(f, x) + x**3 / (s + x**2) ** 2)  # falls all the way, not only near 0
    record(instances=2)


@COUNTS.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize(("spec", "scale"), DATA, ids=[spec for spec, _ in DATA])
def test_on_real_data_zero_one_and_two_directions_are_unstable(spec, scale, record, xp):
    covariance = data(spec, scale)
    lam, U, S = covariance.eigenvalues, covariance.eigenvectors, covariance.matrix()
    counts = []
    for noise in lam[list(NOISES)]:
        W = at_noise(lam, U, noise)
        # Stationary; the terms that cancel are of the size 1/sqrt(sigma2), condition numbers are below 1e2.
        gradient = model.gradient(xp.asarray(W), noise, xp.asarray(S))
        agree(gradient, np.zeros_like(W), tolerance=1e-11, scale=noise**-0.5)
        H = plane_hessian(xp, lam, U, S, noise)
        closed = np.diag((lam[list(DIRECTIONS)] - noise) / noise**2)
        record(worst_error=agree(H, closed, tolerance=1e-11))
        with rejected():  # (lam_j - sigma2)/(sigma2 lam_j)
            agree(H, closed * noise / lam[list(DIRECTIONS)], tolerance=1e-11)
        counts.append(unstable_directions(xp, lam, U, S, noise, rounding=1e-12))
    same(counts, [0, 1, 2])
    record.witness(f"{spec}: unstable directions at sigma2 = lam_4, lam_6, lam_8: {counts}")


@SHAPE.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize(("spec", "scale"), DATA, ids=[spec for spec, _ in DATA])
def test_the_slices_have_their_maximum_where_theory_says(spec, scale, record):
    covariance = data(spec, scale)
    lam, U, S = covariance.eigenvalues, covariance.eigenvectors, covariance.matrix()
    for noise, unstable in zip(lam[list(NOISES)], (0, 1, 2), strict=True):
        figure = zero_column_slice(lam, noise, DIRECTIONS, HELD)
        same(figure.unstable, unstable)
        agree(np.array(figure.curvatures), (lam[list(DIRECTIONS)] - noise) / noise**2, tolerance=1e-14)
        _check_slice_against_the_model(figure, lam, U, S, record)
        top = np.unravel_index(figure.values.argmax(), figure.values.shape)
        found = np.abs([figure.a[top[0]], figure.b[top[1]]])
        # Each coordinate rises to its maximum and falls after it, so that a grid misses it by less than a step.
        at_most(np.abs(found - expected_maximum(lam, noise)), figure.a[1] - figure.a[0])
        best = _value(lam, U, S, noise, *expected_maximum(lam, noise))
        record(worst_error=at_most(figure.values, best, slack=1e-11 * abs(best)))


def _value(lam, U, S, noise, x, y):
    """L at the point moved by (x, y), by the full model."""
    moved = x * direction(U, DIRECTIONS[0], HELD) + y * direction(U, DIRECTIONS[1], HELD + 1)
    return float(model.log_likelihood(at_noise(lam, U, noise) + moved, noise, S))


def _check_slice_against_the_model(figure, lam, U, S, record):
    """Some grid points of the slice, which works in the plane alone, against the model in all dimensions."""
    for i, j in [(0, 0), (0, 50), (50, 50), (20, 81), (100, 33)]:
        expected = _value(lam, U, S, figure.sigma2, figure.a[i], figure.b[j])
        record(worst_error=agree(figure.values[i, j], expected, tolerance=1e-11))


@SHAPE.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize(("spec", "scale"), DATA, ids=[spec for spec, _ in DATA])
def test_along_u_4_the_point_is_flat_and_falls_at_fourth_order_on_real_data(spec, scale, record):
    covariance = data(spec, scale)
    lam, U, S = covariance.eigenvalues, covariance.eigenvectors, covariance.matrix()
    s = float(lam[3])
    H = plane_hessian(np, lam, U, S, s, eigen=(3, 3))
    agree(H[0, 0], 0.0, tolerance=1e-11, scale=lam[0] / s**2)
    W, base = at_noise(lam, U, s), model.log_likelihood(at_noise(lam, U, s), s, S)
    for x in np.sqrt(s) * np.array([0.1, 0.2, 0.4]):
        fall = model.log_likelihood(W + x * direction(U, 3, HELD), s, S) - base
        closed = -(np.log1p(x * x / s) - x * x / (s + x * x)) / 2
        # A fall of 2e-5 and more, out of values of some hundreds.
        record(worst_error=agree(fall, closed, tolerance=1e-7))
        with rejected():  # the fourth order alone
            agree(fall, -(x**4) / (4 * s**2), tolerance=1e-7)
        check(-(x**4) / (4 * s**2) <= fall < 0, "does not fall at fourth order")


@st.composite
def spectra(draw):
    """Eight to ten eigenvalues over twelve decades, descending, often with ties and near-ties beside each other."""
    exponents = draw(st.lists(st.floats(-6, 6), min_size=1, max_size=10))
    lam = np.sort(10.0 ** np.resize(exponents, draw(st.integers(8, 10))))[::-1].copy()
    for i in draw(st.lists(st.integers(1, 7), max_size=4)):
        lam[i] = lam[i - 1] * draw(st.sampled_from([1.0, 1.0 - 2.0**-30]))
    return np.sort(lam)[::-1].copy()


@COUNTS.evidence(role="supports", kind="property")
@given(lam=spectra())
def test_the_counts_are_zero_one_two_exactly_if_lam_5_6_and_lam_7_8_differ(lam, record, xp):
    # In the basis in which S is diagonal a threshold is met exactly, so that no rounding need be allowed for.
    basis = np.eye(len(lam))
    counts = [unstable_directions(xp, lam, basis, np.diag(lam), lam[i], rounding=0.0) for i in NOISES]
    expected = [sum(lam[j] > lam[i] for j in DIRECTIONS) for i in NOISES]
    same(counts, expected)
    same(counts == [0, 1, 2], bool(lam[4] > lam[5] and lam[6] > lam[7]))
    record()


@COUNTS.evidence(role="control", kind="numeric")
def test_other_counts_and_other_noises_are_rejected():
    covariance = data("digits")
    lam, U, S = covariance.eigenvalues, covariance.eigenvectors, covariance.matrix()
    counts = [unstable_directions(np, lam, U, S, lam[i], rounding=1e-12) for i in NOISES]
    with rejected():
        same(counts, [1, 1, 2])
    # With the noise one eigenvalue higher than printed the counts are others.
    shifted = [unstable_directions(np, lam, U, S, lam[i - 1], rounding=1e-12) for i in NOISES]
    with rejected():
        same(shifted, [0, 1, 2])


@SHAPE.evidence(role="control", kind="numeric")
def test_a_maximum_at_another_place_is_rejected():
    lam = data("digits").eigenvalues
    figure = zero_column_slice(lam, lam[7], DIRECTIONS, HELD)
    top = np.unravel_index(figure.values.argmax(), figure.values.shape)
    found, step = np.abs([figure.a[top[0]], figure.b[top[1]]]), figure.a[1] - figure.a[0]
    with rejected():  # sqrt(lam_j), the axis without the noise taken off
        at_most(np.abs(found - np.sqrt(lam[list(DIRECTIONS)])), step)
    with rejected():  # the collapsed point
        at_most(found, step)


@SHAPE.evidence(role="control", kind="symbolic")
def test_a_threshold_that_is_not_flat_is_rejected():
    s = sp.Symbol("s", positive=True)
    f = -(sp.log(s + x**2) + 2 * s / (s + x**2)) / 2  # lam = 2 sigma2
    with rejected():
        vanishes(sp.series(f - f.subs(x, 0), x, 0, 6).removeO() + x**4 / (4 * s**2))
