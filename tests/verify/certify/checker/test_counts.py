"""Counts, enclosures and optima beside exact rational arithmetic, and false statements that stay unproved."""

import json
import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from tests.verify.certify.exactly import inertia
from verify.certify.checker import counts
from verify.certify.checker.numbers import exact, written, written_matrix
from verify.certify.checker.outcome import Status
from verify.certify.checker.subject import Enclosure, Subject
from verify.certify.propose import counts as propose
from verify.errors import InputError

PROVED, REFUTED, UNDECIDED = Status.PROVED, Status.REFUTED, Status.UNDECIDED


def subject(A, radius=0.0, unit=Fraction(1)):
    return Subject("none", len(A), 99, Enclosure(np.asarray(A, dtype=float), radius, unit))


def covariance(lam, seed=0):
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(lam), len(lam))))[0]
    A = (Q * np.asarray(lam)) @ Q.T
    return (A + A.T) / 2


def test_a_statement_is_proved_and_its_neighbours_are_refuted():
    known = subject(covariance([4.0, 2, 1, 0.5, 0.1]))
    for level, above in (("3", 1), ("1.5", 2), ("0.7", 3), ("1/5", 4), ("9", 0), ("0.01", 5)):
        statement, outcome = propose.count(known, Fraction(level))
        assert statement["above"] == above and outcome.status is PROVED
        again = json.loads(json.dumps(statement))
        assert counts.check_count(again, known).status is PROVED
        for wrong in {above - 1, above + 1, 5 - above} - {above, -1}:
            assert counts.check_count({**again, "above": wrong}, known).status is REFUTED
        assert counts.check_count({**again, "equal": 1}, known).status is REFUTED
        for least in range(6):
            status = counts.check_count({**again, "above": least, "at_least": True}, known).status
            assert status is (PROVED if least <= above else REFUTED)


def test_counts_agree_with_exact_inertia_wherever_they_are_proved():
    rng = np.random.default_rng(1)
    tally = {PROVED: 0, REFUTED: 0, UNDECIDED: 0}
    for trial in range(60):
        n = int(rng.integers(2, 6))
        lam = np.sort(10.0 ** rng.uniform(-3, 1, n))[::-1]
        if trial % 3 == 0:
            lam[1] = lam[0] * (1 + rng.choice([0, 2.0**-52, 1e-14]))
        scale = float(rng.choice([1.0, 1e-150, 1e150]))
        A = covariance(lam, trial) * scale
        near = np.linalg.eigvalsh(A)[::-1][int(rng.integers(n))]
        level = Fraction(float(near * (1 + rng.choice([0, 1e-15, -1e-15, 1e-13, -1e-13, 1e-6, -1e-3, 0.5]))))
        unit = Fraction(1) if scale == 1.0 else Fraction(scale)
        statement, outcome = propose.count(subject(A / float(unit), 0.0, unit), level)
        above, equal, _ = inertia(A / float(unit), level / unit)
        tally[outcome.status] += 1
        if outcome.status is PROVED:
            assert (statement["above"], 0) == (above, equal)
        assert outcome.status is not REFUTED or statement["above"] != above
        for claimed in range(n + 1):
            status = counts.check_count({**statement, "above": claimed}, subject(A / float(unit), 0.0, unit)).status
            assert status is not PROVED or claimed == above
            assert status is not REFUTED or claimed != above or equal
    assert tally[PROVED] > 15 and tally[UNDECIDED] > 5 and tally[REFUTED] == 0


def test_a_level_within_the_radius_of_the_enclosure_is_undecided():
    A = np.diag([4.0, 2.0, 1.0])
    for radius, status in ((0.4, PROVED), (0.6, UNDECIDED)):
        assert propose.count(subject(A, radius), Fraction(3, 2))[1].status is status
    assert propose.count(subject(A, math.inf), Fraction(3, 2))[1].status is UNDECIDED
    assert propose.count(subject(A, math.nan), Fraction(3, 2))[1].status is UNDECIDED


def test_evidence_from_anywhere_never_proves_what_is_false():
    rng = np.random.default_rng(2)
    A = covariance([4.0, 2, 1, 0.5, 0.1])
    known = subject(A)
    U = np.linalg.eigh(A)[1][:, ::-1]
    bases = [U[:, :2], U[:, :3], U[:, 1:3], U[:, ::-1][:, :3], np.repeat(U[:, :1], 3, axis=1), U[:, :2] * 1e-150,
             U[:, :3] * 1e100, rng.standard_normal((5, 3)), np.zeros((5, 3)), np.ones((5, 5)), U,
             U[::-1, :3]]  # fmt: skip
    proved = 0
    for V in bases:
        for side in ("above", "below"):
            for level in ("0.01", "0.3", "0.7", "1.5", "-1", "-0.7", "3"):
                for above in range(6):
                    evidence = {
                        "side": side,
                        "level": level,
                        "vectors": [[written(x) for x in row] for row in V.tolist()],
                    }
                    for asked, truth in (("0.7", 3), ("3", 1), ("9", 0)):
                        statement = {"kind": "count", "level": asked, "above": above, "evidence": evidence}
                        status = counts.check_count(statement, known).status
                        assert status is not PROVED or above == truth
                        assert status is not REFUTED or above != truth
                        proved += status is PROVED
    assert proved


def test_radii_hold_the_exact_eigenvalues_and_labels_cannot_be_swapped():
    rng = np.random.default_rng(3)
    for trial in range(20):
        n = int(rng.integers(2, 5))
        lam = np.sort(10.0 ** rng.uniform(-4, 1, n))[::-1]
        lam[-1] = lam[-2] if trial % 2 else lam[-1]
        A = covariance(lam, trial)
        V = np.linalg.eigh(A)[1][:, ::-1] + 10.0 ** rng.uniform(-17, -3) * rng.standard_normal((n, n))
        for columns in (V, V[:, rng.permutation(n)]):
            found = counts.leading(A, columns, -math.inf)
            for j, (t, r) in enumerate(zip(*found, strict=True) if found else []):
                assert (
                    inertia(A, Fraction(t) - Fraction(r))[2] <= n - 1 - j
                    and inertia(A, Fraction(t) + Fraction(r))[0] <= j
                )
        for columns in (np.full((n, n), np.nan), np.zeros((n, n)), np.ones((n, n)), V[:, [0] * n], V * np.inf):
            assert counts.leading(A, columns, -math.inf) is None
    # Control: radii a thousand times smaller than these would not hold the truth.
    A = covariance([3.0, 2, 1])
    theta, radii = counts.leading(A, np.linalg.eigh(A)[1][:, ::-1] + 1e-6, -math.inf)
    truth = np.linalg.eigvalsh(A)[::-1]
    assert (np.abs(theta - truth) <= radii).all() and not (np.abs(theta + radii - truth) <= radii / 1e3).all()


def test_some_of_the_eigenvectors_need_to_be_the_first():
    A = covariance([4.0, 2, 1, 0.5, 0.1])
    U = np.linalg.eigh(A)[1][:, ::-1]
    theta, radii = counts.leading(A, U[:, :2], 1.5)
    assert (np.abs(theta - [4, 2]) <= radii).all() and (radii < 1e-13).all()
    for columns, below in ((U[:, 1:3], 1.5), (U[:, [0, 2]], 1.5), (U[:, :2], 0.9), (U[:, :2], 2.5), (U[:, :0], 3.0)):
        assert counts.leading(A, columns, below) is None
    assert counts.first({"evidence": {"level": "3"}}, subject(A)) == ([], [])  # 4 exceeds it
    assert counts.first({"evidence": {"level": "5"}}, subject(A)) == ([], [Fraction(5)])


def test_the_value_of_the_optimum_is_that_of_the_formula():
    lam, n = [Fraction(4), Fraction(2), Fraction(1), Fraction(1, 2), Fraction(1, 10)], 5
    for known in (Subject("none", n, spectrum=tuple(lam)), subject(covariance([float(x) for x in lam]))):
        for k in (1, 2, 5):
            for sigma2, beta in ((Fraction(1, 3), Fraction(1)), (Fraction(3), Fraction(1)),
                                 (Fraction(1, 2), Fraction(3, 2)),
                                 (Fraction(9), Fraction(2)), (Fraction(1, 100), Fraction(1, 2))):  # fmt: skip
                statement, outcome = propose.optimum(known, k, sigma2, beta)
                assert outcome.status is PROVED
                q = min(k, sum(x > sigma2 * beta for x in lam))
                assert statement["retained"] == q
                # E log p(x|z) - beta KL, latent by latent: |w|^2 = lam - s, variance s/lam, mean^2 1 - s/lam.
                s = float(sigma2 * beta)
                kl = sum(0.5 * math.log(float(x) / s) for x in lam[:q])
                error = sum(map(float, lam[q:])) + q * s
                value = (
                    -0.5 * n * math.log(2 * math.pi * float(sigma2)) - error / (2 * float(sigma2)) - float(beta) * kl
                )
                low, high = map(exact, statement["value"])
                # The naive sum is wrong by some 1e-15 of its terms, the enclosure by what 40 bits of the vectors leave.
                assert low - Fraction(1e-9) <= Fraction(value) <= high + Fraction(1e-9) and high - low < 1e-7
                assert counts.check_optimum({**statement, "retained": q + 1}, known).status is REFUTED
                away = {**statement, "value": [written(high + 1), written(high + 2)]}
                assert counts.check_optimum(away, known).status is REFUTED
                inner = {**statement, "value": [written((low + high) / 2), written((low + high) / 2)]}
                assert counts.check_optimum(inner, known).status is not PROVED


def test_a_tie_counts_as_collapsed_and_one_ulp_beside_it_is_decided_or_undecided():
    spectrum = Subject("none", 3, spectrum=(Fraction(3), Fraction(2), Fraction(1)))
    for sigma2, retained in (
        (Fraction(2), 1),
        (Fraction(2) - Fraction(1, 10**30), 2),
        (Fraction(2) + Fraction(1, 10**30), 1),
    ):
        statement, outcome = propose.optimum(spectrum, 3, sigma2)
        assert statement["retained"] == retained and outcome.status is PROVED
    statement, outcome = propose.count(spectrum, Fraction(2))
    assert (statement["above"], statement["equal"], outcome.status) == (1, 1, PROVED)
    assert counts.check_count({**statement, "equal": 0}, spectrum).status is REFUTED
    A = covariance([3.0, 2, 1])
    for sigma2 in (np.linalg.eigvalsh(A)[1], np.nextafter(np.linalg.eigvalsh(A)[1], 9), np.nextafter(2.0, 0)):
        assert propose.count(subject(A), Fraction(float(sigma2)))[1].status is UNDECIDED
        assert propose.optimum(subject(A), 3, Fraction(float(sigma2)))[1].status is UNDECIDED


def test_the_first_eigenvalues():
    known = subject(covariance([4.0, 2, 2, 0.5, 0.1]), 1e-12)
    for m in range(1, 6):
        statement, outcome = propose.eigenvalues(known, m)
        assert outcome.status is PROVED and len(statement["intervals"]) == m
        assert all(exact(a) <= Fraction(x) <= exact(b) and exact(b) - exact(a) < 1e-9
                   for (a, b), x in zip(statement["intervals"], (4, 2, 2, 0.5, 0.1), strict=False))  # fmt: skip
        moved = [*statement["intervals"][:-1], ["5", "6"]]
        assert counts.check_eigenvalues({**statement, "intervals": moved}, known).status is REFUTED
        narrow = [*statement["intervals"][:-1], [statement["intervals"][-1][0]] * 2]
        assert counts.check_eigenvalues({**statement, "intervals": narrow}, known).status is not PROVED
    statement, _ = propose.eigenvalues(known, 1)
    more = {**statement, "intervals": [*statement["intervals"], ["0", "9"], ["0", "9"], ["0", "9"], ["0", "9"]]}
    assert counts.check_eigenvalues(more, known).status in (PROVED, UNDECIDED)


def test_logarithms():
    mpmath.mp.dps = 60
    try:
        for x in (Fraction(1), Fraction(3, 7), Fraction(1, 10**400), Fraction(10**400), 1 + Fraction(1, 10**50)):
            truth = mpmath.log(mpmath.mpf(x.numerator) / x.denominator)
            assert abs(mpmath.mpf(counts._ln(x).numerator) / counts._ln(x).denominator - truth) < mpmath.mpf(10) ** -50
        assert abs(mpmath.mpf(counts.PI.numerator) / counts.PI.denominator - mpmath.pi) < mpmath.mpf(10) ** -50
    finally:
        mpmath.mp.dps = 15


@pytest.mark.parametrize("wrong", [{"above": -1}, {"above": True}, {"above": "1"}, {"level": 1.5}, {"level": "nan"},
                                   {"equal": None}, {"at_least": 1}, {"above": -(10**5000)},
                                   {"at_least": True, "equal": 0}, {"above": 1.0}, {"evidence": {"side": "over"}},
                                   {"evidence": {"level": "1", "vectors": written_matrix(np.eye(4))}},
                                   {"evidence": {"level": "1", "vectors": [["nan"] * 2] * 5}},
                                   {"evidence": {"level": 3, "vectors": written_matrix(np.ones((5, 1)))}}])  # fmt: skip
def test_what_is_malformed_is_refused(wrong):
    known = subject(covariance([4.0, 2, 1, 0.5, 0.1]))
    statement, _ = propose.count(known, Fraction(3))
    with pytest.raises(InputError):
        counts.check_count({**statement, **wrong}, known)


@pytest.mark.parametrize("ends", ["03", {"0": 1, "3": 2}])
def test_ends_that_another_reader_would_not_take_for_two_numbers_are_refused(ends):
    """Taken apart letter by letter, or name by name, they would be [0, 3], in which the eigenvalue lies."""
    subject = Subject("", 1, spectrum=(Fraction(2),))
    eigenvalues = {"kind": "eigenvalues", "intervals": [["0", "3"]], "evidence": {}}
    assert counts.check_eigenvalues(eigenvalues, subject).status is Status.PROVED
    optimum = {"kind": "optimum", "k": 1, "sigma2": "1", "retained": 1, "evidence": {}}
    with pytest.raises(InputError):
        counts.check_eigenvalues(eigenvalues | {"intervals": [ends]}, subject)
    with pytest.raises(InputError):
        counts.check_optimum(optimum | {"value": ends}, subject)
