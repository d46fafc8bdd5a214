"""Stationary points, inertia and saddles: against values written out naively, and false statements."""

import json
from fractions import Fraction
from itertools import chain

import mpmath
import numpy as np
import pytest

from verify.certify.checker import stationary
from verify.certify.checker.balls import balls, flint, precision
from verify.certify.checker.certificate import KINDS
from verify.certify.checker.outcome import Status
from verify.certify.checker.stationary import LARGEST, Place, check, covariance, derivatives, tangents
from verify.certify.checker.subject import Enclosure, Subject
from verify.certify.subjects import of_spectrum
from verify.errors import InputError
from verify.models.linear_vae import profile_hessian
from verify.models.ppca import hessian

pytest.importorskip("flint")

# certificate.check makes one sentence of what is missing altogether.
MALFORMED = (InputError, KeyError, TypeError)
ROOT3, ROOT2 = Fraction(3**0.5), Fraction(2**0.5)
SUBJECT = of_spectrum([Fraction(x) for x in (4, 3, 2, 1)])


def value(of_elbo, W, s, S):
    """L, or max over V and D of the ELBO, without constants, at the digits of mpmath."""
    n, k = W.rows, W.cols
    C = W * W.T + s * mpmath.eye(n)
    L = -(mpmath.log(mpmath.det(C)) + sum((C**-1 * S)[i, i] for i in range(n))) / 2
    if not of_elbo:
        return L
    V = (W.T * W + s * mpmath.eye(k)) ** -1 * W.T  # theory 3.3, and 3.1 with it
    D = [s / (s + sum(W[a, i] ** 2 for a in range(n))) for i in range(k)]
    kl = sum(-mpmath.log(D[i]) + (V * S * V.T)[i, i] + D[i] - 1 for i in range(k)) / 2
    E = mpmath.eye(n) - W * V
    error = sum((E * S * E.T)[i, i] for i in range(n)) + sum(D[i] * W[a, i] ** 2 for a in range(n) for i in range(k))
    return -kl - error / (2 * s) - n * mpmath.log(s) / 2


def naive_derivatives(of_elbo, learned, W, s, S):
    """Gradient and Hessian in (W, s) by central differences with 60 digits: right to about 20."""
    n, k = W.shape
    N, h = n * k + learned, mpmath.mpf(10) ** -15
    x0 = [mpmath.mpf(float(x)) for x in W.ravel()] + [mpmath.mpf(float(s))] * learned
    S = mpmath.matrix(S.tolist())

    def f(*moves):
        x = list(x0)
        for i, d in moves:
            x[i] += d
        at = mpmath.matrix([x[a * k : a * k + k] for a in range(n)])
        return value(of_elbo, at, x[-1] if learned else mpmath.mpf(s), S)

    def second(i, j):
        return (f((i, h), (j, h)) - f((i, h), (j, -h)) - f((i, -h), (j, h)) + f((i, -h), (j, -h))) / (4 * h * h)

    g = [(f((i, h)) - f((i, -h))) / (2 * h) for i in range(N)]
    H = [[second(i, j) for j in range(N)] for i in range(N)]
    return g, H


@pytest.mark.parametrize("of_elbo", [False, True])
@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize(("n", "k"), [(3, 2), (2, 3), (4, 1)])
def test_derivatives_are_those_of_the_value(of_elbo, learned, n, k):
    rng = np.random.default_rng(n * 100 + k)
    W, s = rng.normal(size=(n, k)), 0.75
    X = rng.normal(size=(2 * n, n))
    S = X.T @ X / n
    with mpmath.workdps(60), precision(256):
        g, H = naive_derivatives(of_elbo, learned, W, s, S)
        place = Place(of_elbo, np.frompyfunc(Fraction, 1, 1)(W), Fraction(s), learned)
        F, rows = derivatives(place, place.coordinates(), balls(S))
        # Differences with h = 1e-15 err by h^2 times derivatives of order 1 to 100, and by 1e-60/h^2.
        for found, wanted in zip([*F, *chain(*rows)], [*g, *chain(*H)], strict=True):
            assert float(abs(float((found - flint().arb(str(wanted))).mid()))) < 1e-24
        assert float(abs(rows[0][1] - flint().arb(str(H[0][0])))) > 1e-6  # another entry is seen to be another


def test_the_gauge_leaves_the_likelihood_as_it_is():
    rng = np.random.default_rng(0)
    W = rng.normal(size=(4, 3))
    W[:, 2] = 0
    S = np.diag([4.0, 3.0, 2.0, 1.0])
    with precision(128):
        place = Place(False, np.frompyfunc(Fraction, 1, 1)(W), Fraction(1, 2), True)
        x = place.coordinates()
        Z, F = tangents(place, x), derivatives(place, x, balls(S))[0]
        assert Z.ncols() == 3  # one pair of live columns, and each of them with the zero column
        for slope in (Z.transpose() * flint().arb_mat([[y] for y in F])).entries():
            assert abs(float(slope.mid())) < 1e-30
        assert tangents(Place(True, place.W, Fraction(1), True), x).ncols() == 0
        assert any(abs(float(y.mid())) > 1e-3 for y in F)


def test_covariance_holds_the_data_s():
    S = np.array([[2.0, 0.5], [0.5, 1.0]])
    subject = Subject("x", 2, 9, Enclosure(S, 2.0**-30, Fraction(1, 3)))
    with precision(128):
        held = covariance(subject)
        for a in range(2):
            for b in range(2):
                assert held[a, b].contains(flint().fmpq(int(S[a, b] * 2 * 2**31) + 1, 3 * 2**32))
                assert not held[a, b].contains(flint().fmpq(int(S[a, b] * 2) + 1, 6))
        assert covariance(SUBJECT).tolist() == flint().arb_mat(np.diag([4, 3, 2, 1]).tolist()).tolist()


def written(x):
    return str(Fraction(x))


def stated(W, sigma2="1", objective="ppca", radius="1/1000000", **more):
    W = np.asarray(W, dtype=object)
    return {
        "kind": "stationary",
        "objective": objective,
        "sigma2": sigma2,
        "k": W.shape[1],
        "W": [[written(x) for x in row] for row in W.tolist()],
        "radius": radius,
    } | more


def columns(*pairs):
    """W (4, k) with the entries in the rows that are named, in turn for each column."""
    W = np.zeros((4, len(pairs)), dtype=object)
    for j, (a, x) in enumerate(pairs):
        W[a, j] = x
    return W


TOP = columns((0, ROOT3), (1, ROOT2))  # sqrt(4 - 1), sqrt(3 - 1): the maximum at sigma2 = 1
SADDLE = columns((0, ROOT3), (2, 1))
COLLAPSED = columns((0, ROOT3), (0, 0))
HALVES = columns((0, Fraction(3.5**0.5)), (0, 0))  # sigma2 = 1/2


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
@pytest.mark.parametrize("W", [TOP, SADDLE])
def test_a_point_is_there(objective, W):
    assert check(stated(W, objective=objective), SUBJECT).status is Status.PROVED
    assert json.loads(json.dumps(stated(W))) == stated(W)


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_a_moved_point_is_refused(objective):
    for i in range(4):
        for j in range(2):
            W = TOP.copy()
            W[i, j] += Fraction(1, 100_000)
            outcome = check(stated(W, objective=objective), SUBJECT)
            assert outcome.status is not Status.PROVED
            # Farther away there is one, on the slice that has moved as well.
            wide = check(stated(W, objective=objective, radius="1/50000"), SUBJECT)
            assert wide.status is Status.PROVED


def test_a_point_that_is_not_there_is_refuted():
    W = TOP.copy()
    W[0, 0] += Fraction(1, 1000)
    assert check(stated(W), SUBJECT).status is Status.REFUTED
    assert check(stated(TOP, radius="0"), SUBJECT).status is Status.REFUTED  # sqrt(3) is no double
    assert check(stated(TOP, sigma2="1.01"), SUBJECT).status is Status.REFUTED
    other = of_spectrum([Fraction(x) for x in (5, 3, 2, 1)])
    assert check(stated(TOP), other).status is Status.REFUTED


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_a_point_that_only_may_be_within_the_radius_is_undecided(objective):
    """Where S is known within 1/100000, W is no better known, however well it fits the middle of S."""
    wide = Subject("x", 4, 9, Enclosure(np.diag([4.0, 3.0, 2.0, 1.0]), 1e-5))
    assert check(stated(TOP, objective=objective), wide).status is Status.UNDECIDED
    assert check(stated(TOP, objective=objective, radius="1/1000"), wide).status is Status.PROVED
    sharp = Subject("x", 4, 9, Enclosure(np.diag([4.0, 3.0, 2.0, 1.0]), 2.0**-60))
    assert check(stated(TOP, objective=objective), sharp).status is Status.PROVED


def test_tangents_that_vanish_within_the_radius_prove_nothing():
    """Newton leads to W = 0, where a turn moves nothing: it does not show that the multiplier of the slice is 0."""
    W = columns((0, Fraction(1, 10**6)), (0, 0))
    assert check(stated(W, sigma2="1/2", radius="1/100000"), SUBJECT).status is Status.UNDECIDED
    at_0 = stated(columns((0, 0), (0, 0)), sigma2="1/2", radius="1/100000")
    assert check(at_0, SUBJECT).status is Status.PROVED


def test_collapse_is_stationary_exactly():
    W = columns((0, 0), (0, 0))
    assert check(stated(W, sigma2="1/2", radius="0"), SUBJECT).status is Status.PROVED
    assert check(stated(W, sigma2="1/2", radius="0", objective="elbo"), SUBJECT).status is Status.PROVED
    # sigma2 = 1 is an eigenvalue: flat to second order, and the balls cannot say that there is one point only.
    assert check(stated(W, radius="1/1000"), SUBJECT).status is Status.UNDECIDED
    # Also in the point alone, where the gradient is 0 exactly and every step of Newton's would be 0.
    assert check(stated(W, radius="0"), SUBJECT).status is Status.UNDECIDED
    assert check(stated(W, radius="0", objective="elbo"), SUBJECT).status is Status.UNDECIDED


def test_too_large_a_radius_is_undecided():
    """Two stationary points lie in it."""
    outcome = check(stated(TOP, radius="3"), SUBJECT)
    assert outcome.status is Status.UNDECIDED
    assert outcome.reason


def test_digits_beyond_a_double_are_read_as_they_are_written():
    """At 2, sigma2 = 1, W = 1 is stationary exactly; a little more is not."""
    two = of_spectrum([Fraction(2)])
    point = stated([[1]], radius="0") | {"W": [["0x1.0p+0"]]}
    assert check(point, two).status is Status.PROVED
    assert check(point | {"W": [["0x1.0000000000000001p+0"]]}, two).status is Status.REFUTED


def test_more_tangents_than_coordinates_end_at_once():
    """One row and 200 columns have 19,900 pairs: a matrix of so many rows would not fit into any memory."""
    W = np.full((1, LARGEST), 1, dtype=object)
    outcome = check(stated(W), of_spectrum([Fraction(LARGEST + 1)]))  # stationary: 200 entries 1, and the noise 1
    assert outcome.status is Status.UNDECIDED


def test_numbers_beyond_the_doubles_are_proved_and_told():
    """lam = (10^320)^2 + 10^399, and W = 10^320 exactly: no reason rounds a number to a double."""
    large = of_spectrum([Fraction(10) ** 640 + Fraction(10) ** 399])
    outcome = check(stated([[10**320]], sigma2=str(10**399), radius=str(10**310)), large)
    assert outcome.status is Status.PROVED


@pytest.mark.parametrize("tiny", [Fraction(1, 2**1074), Fraction(1, 2**1200)])
def test_the_narrowing_ends_where_a_coordinate_is_0_and_is_given_as_nearly_0(tiny):
    """The radius of such a coordinate can shrink for ever."""
    W = np.array([[Fraction(2.5**0.5)], [tiny]], dtype=object)
    outcome = check(stated(W, sigma2="1/2"), of_spectrum([Fraction(3), Fraction(1)]))
    assert outcome.status is Status.PROVED


def test_the_box_is_no_smaller_than_the_radius_that_is_stated(monkeypatch):
    """Uniqueness is said of all of it: the first Hessian is that of a box that holds W - radius and W + radius."""
    seen, whole = [], stationary.derivatives

    def watched(place, x, S):
        seen.append([(y.lower(), y.upper()) for y in x.entries()])
        return whole(place, x, S)

    monkeypatch.setattr(stationary, "derivatives", watched)
    radius = Fraction(1, 3000)
    assert check(stated(TOP, radius=str(radius)), SUBJECT).status is Status.PROVED
    for (low, high), w in zip(seen[0], TOP.ravel(), strict=True):
        ends = [flint().fmpq(x.numerator, x.denominator) for x in map(Fraction, (w - radius, w + radius))]
        assert low <= ends[0]
        assert high >= ends[1]


def test_a_learned_noise():
    # 3/2 is the mean of the discarded 2 and 1.
    W = columns((0, Fraction(2.5**0.5)), (1, Fraction(1.5**0.5)))
    good = stated(W, sigma2="learned", noise="3/2")
    assert check(good, SUBJECT).status is Status.PROVED
    assert check(good | {"noise": "1.501"}, SUBJECT).status is not Status.PROVED
    # At noise 1 this W is stationary, but the noise is not.
    assert check(stated(TOP, sigma2="learned", noise="1"), SUBJECT).status is not Status.PROVED
    assert check(stated(TOP), SUBJECT).status is Status.PROVED
    assert check(good | {"noise": "1.5001", "radius": "0.001"}, SUBJECT).status is Status.PROVED


def test_a_noise_that_may_not_be_positive_is_no_point():
    """k = n = 1 with C = w^2 + s: the whole curve C = lam is stationary, also where s < 0."""
    one = of_spectrum([Fraction(1)])
    W = np.array([[Fraction(1)]], dtype=object)
    assert check(stated(W, sigma2="learned", noise="0.001", radius="0.01"), one).status is Status.UNDECIDED


def eigenvectors(W, sigma2, of_elbo):
    S = np.diag([4.0, 3.0, 2.0, 1.0])
    H = (profile_hessian if of_elbo else hessian)(W.astype(float), float(Fraction(sigma2)), S)
    values, V = np.linalg.eigh(H)
    keep = np.abs(values) > 1e-9
    return values, [[written(x) for x in row] for row in V[:, keep].tolist()]


def inertia_statement(W, sigma2, objective, counts):
    values, V = eigenvectors(W, sigma2, objective == "elbo")
    statement = stated(W, sigma2, objective, kind="inertia", evidence={"vectors": V})
    return statement | dict(zip(("positive", "negative", "zero"), counts, strict=True)), values


@pytest.mark.parametrize(
    ("W", "objective", "counts"),
    [
        # theory 1.3 and 1.4 at sigma2 = 1/2, spectrum 4, 3, 2, 1, by hand
        (columns((0, Fraction(3.5**0.5)), (1, Fraction(2.5**0.5))), "ppca", (0, 7, 1)),
        (columns((0, Fraction(3.5**0.5)), (2, Fraction(1.5**0.5))), "ppca", (1, 6, 1)),
        (HALVES, "ppca", (3, 4, 1)),
        (columns((0, 0), (0, 0)), "ppca", (8, 0, 0)),
        (columns((0, Fraction(3.5**0.5)), (1, Fraction(2.5**0.5))), "elbo", (0, 8, 0)),
        (HALVES, "elbo", (3, 5, 0)),
    ],
)
def test_the_inertia_and_no_other(W, objective, counts):
    statement, values = inertia_statement(W, "1/2", objective, counts)
    assert counts == (int((values > 1e-9).sum()), int((values < -1e-9).sum()), int((abs(values) <= 1e-9).sum()))
    assert check(statement, SUBJECT).status is Status.PROVED
    for up in (-1, 0, 1):
        for down in (-1, 0, 1):
            wrong = [counts[0] + up, counts[1] + down, counts[2] - up - down]
            if (up, down) != (0, 0):
                false = statement | dict(zip(("positive", "negative", "zero"), wrong, strict=True))
                assert check(false, SUBJECT).status is Status.REFUTED
    swapped = statement | {"positive": counts[1], "negative": counts[0]}
    assert check(swapped, SUBJECT).status is Status.REFUTED
    assert check(statement | {"sigma2": "3/5"}, SUBJECT).status is not Status.PROVED or not W.any()
    assert check(statement, of_spectrum([Fraction(x) for x in (9, 3, 2, 1)])).status is not Status.PROVED or not W.any()


def test_counts_that_are_not_all_of_them_are_malformed():
    statement, _ = inertia_statement(HALVES, "1/2", "ppca", (3, 4, 1))
    for wrong in ({"positive": 2}, {"zero": 0}, {"positive": 3.0}, {"positive": True}, {"positive": "3"}):
        with pytest.raises(InputError):
            check(statement | wrong, SUBJECT)


def test_poor_evidence_leaves_it_undecided():
    statement, _ = inertia_statement(HALVES, "1/2", "ppca", (3, 4, 1))
    V = statement["evidence"]["vectors"]
    for poor in ([row[:-1] for row in V], [["1", *row[1:]] for row in V], [["0"] * 7] * 8, V[::-1]):
        outcome = check(statement | {"evidence": {"vectors": poor}}, SUBJECT)
        assert outcome.status is Status.UNDECIDED


def test_a_flat_direction_beyond_the_gauge_is_undecided():
    """lam_2 = sigma2 and a zero column: stationary, and no ball tells what the flat direction does."""
    statement, _ = inertia_statement(COLLAPSED, "1", "ppca", (2, 5, 1))
    outcome = check(statement, SUBJECT)
    assert outcome.status is Status.UNDECIDED


def saddle_statement(W, sigma2, objective, curvature, up, down):
    evidence = {"vectors": [[written(u), written(d)] for u, d in zip(up.ravel(), down.ravel(), strict=True)]}
    return stated(W, sigma2, objective, kind="saddle", curvature=curvature, evidence=evidence)


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_the_escape_of_a_zero_column(objective):
    """theory 3.10: towards u_2 the curvature is (3 - 1/2)/(1/4) = 10, and along u_1 it is -2 (4 - 1/2)/16."""
    up, down = columns((0, 0), (1, 1)), columns((0, 1), (0, 0))
    for curvature, status in (("9.999", "proved"), ("0", "proved"), ("10.001", "undecided"), ("10", "undecided")):
        statement = saddle_statement(HALVES, "1/2", objective, curvature, up, down)
        assert check(statement, SUBJECT).status.value == status
    turned = saddle_statement(HALVES, "1/2", objective, "1", down, down)
    assert check(turned, SUBJECT).status is Status.UNDECIDED
    rising = turned | {"evidence": {"vectors": [[written(u)] for u in up.ravel()]}}
    # Without a direction that falls it is no saddle of L; the ELBO falls along D.
    assert (check(rising, SUBJECT).status is Status.PROVED) == (objective == "elbo")
    with pytest.raises(InputError):
        check(saddle_statement(HALVES, "1/2", objective, "-1", up, down), SUBJECT)


def test_a_reason_says_no_more_than_is_proved():
    """The curvature is 10: that it is above 9.9999 does not make it above 10.0."""
    evidence = columns((0, 0), (1, 1)), columns((0, 1), (0, 0))
    outcome = check(saddle_statement(HALVES, "1/2", "ppca", "9.9999", *evidence), SUBJECT)
    assert outcome.status is Status.PROVED
    assert "above 10" not in outcome.reason


def test_no_saddle_at_the_maximum():
    W = columns((0, Fraction(3.5**0.5)), (1, Fraction(2.5**0.5)))
    statement, _ = inertia_statement(W, "1/2", "ppca", (0, 7, 1))
    assert check(statement | {"kind": "saddle", "curvature": "0"}, SUBJECT).status is Status.REFUTED


def test_a_minimum_is_no_saddle():
    W = columns((0, 0), (0, 0))
    statement, _ = inertia_statement(W, "1/2", "ppca", (8, 0, 0))
    assert check(statement | {"kind": "saddle", "curvature": "1"}, SUBJECT).status is Status.REFUTED


@pytest.mark.parametrize(
    "wrong",
    [
        {"radius": "-1"},
        {"radius": "nan"},
        {"radius": "inf"},
        {"radius": None},
        {"sigma2": "0"},
        {"sigma2": "-1"},
        {"sigma2": "NaN"},
        {"sigma2": 1.0},
        {"sigma2": "learned"},  # and no noise
        {"sigma2": "learned", "noise": "0"},
        {"objective": "elbow"},
        {"objective": None},
        {"k": 3},
        {"k": None},
        {"k": 2.0},
        {"W": [["1"]]},
        {"W": []},
        {"W": "1"},
        {"W": [["nan", "0"]] * 4},
        {"W": [["1", "0"]] * 5},
        {"W": [["1", "0"], ["1"], ["1", "0"], ["1", "0"]]},
        {"W": [[1.0, 0.0]] * 4},
        {"W": ["12"] * 4},
        {"kind": "inertia"},  # and no evidence
        {"kind": "saddle"},
        {"kind": "else", "evidence": {"vectors": [["1"]] * 8}},
        {"kind": "saddle", "curvature": "nan", "evidence": {"vectors": [["1"]] * 8}},
        {"kind": "saddle", "curvature": "1", "evidence": {"vectors": [["1"]] * 7}},
        {"kind": "saddle", "curvature": "1", "evidence": {"vectors": [["nan"]] * 8}},
        {"kind": "saddle", "curvature": "1", "evidence": {"vectors": [["1"] * 9] * 8}},
        {"kind": "saddle", "curvature": "1", "evidence": []},
    ],
)
def test_what_is_malformed_is_an_error_in_one_line(wrong):
    with pytest.raises(MALFORMED) as error:
        check(stated(TOP) | wrong, SUBJECT)
    assert "\n" not in str(error.value)


def test_every_field_is_needed():
    for name in stated(TOP):
        short = {key: x for key, x in stated(TOP).items() if key != name}
        with pytest.raises(MALFORMED):
            check(short, SUBJECT)


def test_large_ones_are_not_tried():
    n = LARGEST + 1
    with pytest.raises(InputError, match=f"at most {LARGEST}"):
        check(stated(np.ones((n, 1), dtype=int)), of_spectrum([Fraction(1)] * n))


def test_the_kinds_are_known():
    for kind in ("stationary", "inertia", "saddle"):
        assert KINDS[kind] is check
