"""What is proposed of stationary points, and what the checker says of it: against the closed forms, and mpmath."""

import json
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from verify.certify.checker.balls import balls, precision
from verify.certify.checker.certificate import check
from verify.certify.checker.outcome import Status
from verify.certify.checker.stationary import LARGEST
from verify.certify.checker.subject import Enclosure, Subject
from verify.certify.propose.stationary import (
    certify_point,
    certify_weights,
    eigenvectors,
    exact_weights,
    orthogonalised,
)
from verify.certify.subjects import of_spectrum
from verify.eigenvalues import Eigenvalues
from verify.landscape.families import fixed_noise_families, learned_noise_families
from verify.landscape.points import weights
from verify.landscape.stability import verdict
from verify.landscape.stationary import fixed_noise_points, learned_noise_points

pytest.importorskip("flint")

POINTS = {
    "ppca": fixed_noise_points,
    "elbo": fixed_noise_families,
    "ppca, learned": lambda lam, k, _: learned_noise_points(lam, k),
    "elbo, learned": lambda lam, k, _: learned_noise_families(lam, k),
}
# Spectrum, k, noise: plain; a near tie; twelve decades; sigma2 one ulp from an eigenvalue, on either side; S singular.
PROBLEMS = {
    "plain": (("4", "3", "2", "1"), 2, 0.7),
    "one column": (("4", "3", "2", "1"), 1, 1.5),
    "k = n": (("5", "2"), 2, 0.3),
    "k > n": (("5", "2"), 3, 0.3),
    "near tie": (("4", "2.000000000001", "2", "0.5"), 2, 0.9),
    "decades": (("1000000", "1000", "1", "0.000001"), 2, 1e-7),
    "ulp above": (("4", "1.0000000000000002", "0.5"), 2, 1.0),
    "ulp below": (("4", "1", "0.5"), 2, 0.9999999999999999),
    "singular": (("4", "2", "0"), 2, 0.6),
}


def spectrum(name):
    numbers, k, noise = PROBLEMS[name]
    return tuple(map(Fraction, numbers)), k, noise


@pytest.mark.parametrize("kind", POINTS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_every_point_is_certified_as_the_closed_forms_say(name, kind):
    lam, k, noise = spectrum(name)
    typed, learned, seen = Eigenvalues.typed(lam), kind.endswith("learned"), 0
    for point in POINTS[kind](typed, k, noise):
        if len(point.retained) == len(lam) and learned:
            continue  # the curve C = S
        found, known = certify_point(lam, point, learned), verdict(point, typed, learned)
        if known.nullity > known.gauge:  # flat to second order beyond the gauge
            assert found.kind in ("undecided", "saddle")
            assert found.index is None
        else:
            assert (found.index, found.nullity, found.kind) == (known.index, known.gauge, known.kind)
            assert [s["kind"] for s in found.proved][:2] == ["stationary", "inertia"]
            assert (found.kind == "saddle") == (len(found.proved) == 3)
            seen += 1
    assert seen


@pytest.mark.parametrize(("name", "most"), [("one column", 3), ("plain", 2), ("k = n", 9)])
def test_the_index_is_that_of_fifty_digits(name, most):
    """The Hessian of P by differences of its value, at 50 digits, and its eigenvalues."""
    lam, k, noise = spectrum(name)
    n = len(lam)
    for point in list(fixed_noise_families(Eigenvalues.typed(lam), k, noise))[:most]:
        with mpmath.workdps(50):
            s, h = mpmath.mpf(str(noise)), mpmath.mpf(10) ** -12
            S = mpmath.diag([mpmath.mpf(x.numerator) / x.denominator for x in lam])
            W0 = [
                mpmath.mpf(x.numerator) / x.denominator for x in exact_weights(point, lam, Fraction(str(noise))).ravel()
            ]

            def value(x, s=s, S=S):
                W = mpmath.matrix([x[a * k : a * k + k] for a in range(n)])
                C, M = W * W.T + s * mpmath.eye(n), W.T * W + s * mpmath.eye(k)
                fit = mpmath.log(mpmath.det(C)) + sum((C**-1 * S)[i, i] for i in range(n))
                return -(fit + sum(mpmath.log(M[i, i]) for i in range(k)) - mpmath.log(mpmath.det(M))) / 2

            def at(*moves, W0=W0):
                x = list(W0)
                for i, d in moves:
                    x[i] += d
                return value(x)

            N = n * k
            H = mpmath.matrix(N, N)
            for i in range(N):
                for j in range(i + 1):
                    H[i, j] = H[j, i] = (
                        at((i, h), (j, h)) - at((i, h), (j, -h)) - at((i, -h), (j, h)) + at((i, -h), (j, -h))
                    ) / (4 * h * h)
            values = mpmath.eigsy(H, eigvals_only=True)
            assert all(abs(x) > 1e-9 for x in values)  # differences err by 1e-22
            assert certify_point(lam, point).index == sum(x > 0 for x in values)


def test_a_point_of_another_spectrum_is_not_certified():
    lam, k, noise = spectrum("plain")
    point = next(iter(fixed_noise_points(Eigenvalues.typed(lam), k, noise)))
    W = exact_weights(point, lam, Fraction(str(noise)))
    assert certify_weights(of_spectrum(lam), "ppca", W, Fraction(str(noise))).index == 0
    other = of_spectrum([Fraction(x) for x in (9, 3, 2, 1)])
    found = certify_weights(other, "ppca", W, Fraction(str(noise)))
    assert found.index is None
    assert not found.proved
    assert found.kind == "undecided"


def test_nothing_near_is_no_point():
    rng = np.random.default_rng(1)
    for objective in ("ppca", "elbo"):
        found = certify_weights(
            of_spectrum([Fraction(x) for x in (4, 3, 2, 1)]), objective, rng.normal(size=(4, 2)), Fraction(1, 2)
        )
        assert not found.proved


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_what_is_singular_at_the_precision_of_the_polish_is_undecided(objective):
    """C = W W^T + 2^-1000 I cannot be inverted in 256 bits."""
    W = np.array([[1.0], [0.0]])
    found = certify_weights(of_spectrum([Fraction(2), Fraction(1)]), objective, W, Fraction(1, 2**1000))
    assert found.kind == "undecided"


def test_more_tangents_than_coordinates_are_undecided():
    """Columns of 1e-15 are not 0: three pairs with the first and three among themselves, in four coordinates."""
    W = np.array([[1.0] + [1e-15] * 3])
    assert certify_weights(of_spectrum([Fraction(2)]), "ppca", W, Fraction(1)).kind == "undecided"


def test_a_statement_passes_through_a_file():
    lam, k, noise = spectrum("plain")
    subject = of_spectrum(lam)
    point = list(fixed_noise_families(Eigenvalues.typed(lam), k, noise))[1]
    found = certify_point(lam, point)
    about = {"sha256": subject.sha256, "n": subject.n, "N": subject.N}
    certificate = {"format": "elbo-verify certificate", "version": 1, "subject": about, "statements": found.proved}
    assert len(found.proved) == 3
    again = check(json.loads(json.dumps(certificate)), subject)
    assert [o.status for o in again] == [Status.PROVED] * 3


def covariance(n, seed, radius=1e-14):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, n)) * np.arange(1, n + 1)
    S = np.cov(X.T, bias=True)
    S = (S + S.T) / 2
    return S, Subject("data", n, 60, Enclosure(S, radius))


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
@pytest.mark.parametrize(("n", "k", "chosen"), [(5, 2, (0, 1)), (5, 2, (0, 2)), (6, 3, (1, 2)), (4, 2, (3,))])
def test_points_of_data_within_their_enclosure(objective, n, k, chosen):
    S, subject = covariance(n, seed=n)
    lam, U = (a[..., ::-1] for a in np.linalg.eigh(S))
    s = 0.5 * float(lam[-1])
    W = np.zeros((n, k))
    W[:, : len(chosen)] = U[:, chosen] * np.sqrt(lam[list(chosen)] - s)
    above = sum(lam[j] > lam[a] for a in chosen for j in range(n) if j not in chosen)
    index = above + (k - len(chosen)) * sum(j not in chosen for j in range(n))  # theory 1.4
    found = certify_weights(subject, objective, W, Fraction(s))
    assert found.index == index
    if objective == "ppca":
        Q = np.linalg.qr(np.random.default_rng(0).normal(size=(k, k)))[0]
        assert certify_weights(subject, objective, W @ Q, Fraction(s)).index == index
    coarse = Subject("data", n, 60, Enclosure(S, 0.5))
    assert certify_weights(coarse, objective, W, Fraction(s)).index is None


def test_large_ones_are_refused_in_a_sentence():
    n = LARGEST + 1
    found = certify_weights(of_spectrum([Fraction(1)] * n), "ppca", np.ones((n, 1)), Fraction(1, 2))
    assert found.kind == "undecided"
    assert str(LARGEST) in found.tried[0][1].reason
    assert not found.proved


@pytest.mark.parametrize("kind", ["ppca", "elbo"])
@pytest.mark.parametrize("name", ["plain", "k = n", "k > n", "singular"])
def test_exact_weights_are_those_of_the_landscape(name, kind):
    lam, k, noise = spectrum(name)
    typed = Eigenvalues.typed(lam)
    for point in POINTS[kind](typed, k, noise):
        W = exact_weights(point, lam, Fraction(str(noise))).astype(float)
        near = weights(point, typed, np.eye(len(lam)))
        # Doubles at their rounding; W W^T does not depend on the choice of the rotation.
        np.testing.assert_allclose(W @ W.T, near @ near.T, atol=1e-13 * float(lam[0]))


def test_eigenvectors_stay_clear_of_the_given_null_vectors():
    H = np.diag([3.0, 0.0, -2.0, 1e-9])
    Z = np.array([[0.0], [1.0], [0.0], [0.0]])
    V = eigenvectors(H, Z)
    assert V.shape == (4, 3)
    D = V.T @ H @ V
    assert np.abs(D - np.diag(D.diagonal())).max() < 1e-15
    assert sorted(np.sign(D.diagonal())) == [-1, 1, 1]
    assert abs(np.linalg.det(np.hstack([V, Z]))) > 1e-3


def test_curvatures_below_the_rounding_of_doubles_are_counted():
    """Eigenvalues one ulp apart: their rotation has the curvature (l_a - l_b)^2/(lam_a lam_b), about 1e-33."""
    lam = (Fraction(5), Fraction(np.nextafter(4.0, 5.0)), Fraction(4), Fraction(2))
    for point in fixed_noise_families(Eigenvalues.typed(lam), 2, 1.5):
        found, known = certify_point(lam, point), verdict(point, Eigenvalues.typed(lam))
        assert (found.index, found.nullity, found.kind) == (known.index, 0, known.kind)


def test_orthogonalised_columns_are_so_to_many_digits():
    rng = np.random.default_rng(5)
    H = rng.normal(size=(5, 5))
    H = H + H.T
    with precision(256):
        V = orthogonalised(balls(H), np.linalg.eigh(H)[1])
        form = balls(V).transpose() * balls(H) * balls(V)
        off = [float(abs(form[i, j]).upper()) for i in range(5) for j in range(5) if i != j]
    assert max(off) < 1e-35
    assert (
        max(abs(float(x)) for x in (np.linalg.eigh(H)[1].T @ H @ np.linalg.eigh(H)[1])[~np.eye(5, dtype=bool)]) > 1e-20
    )


def test_one_row_and_one_column():
    for lam, kind in ((Fraction(2), "maximum"), (Fraction(1, 2), "maximum")):
        point = next(iter(fixed_noise_points(Eigenvalues.typed((lam,)), 1, 1.0)))
        assert certify_point((lam,), point).kind == kind
    collapsed = list(fixed_noise_points(Eigenvalues.typed((Fraction(2),)), 1, 1.0))[-1]
    assert certify_point((Fraction(2),), collapsed).kind == "minimum"
    assert certify_point((Fraction(2),), replace(collapsed, objective="elbo")).kind == "saddle"
