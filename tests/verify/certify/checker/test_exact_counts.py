"""Counts in whole numbers: against the inertia of exact matrices, at ties and one step of doubles beside them."""

from fractions import Fraction
from math import inf, log, nextafter, pi

import numpy as np
import pytest

from tests.verify.certify.fractions_between import inertia
from verify.certify.checker import counts
from verify.certify.checker import exact_counts as module
from verify.certify.checker.numbers import exact, written
from verify.certify.checker.outcome import Status
from verify.certify.checker.subject import Subject
from verify.certify.propose import counts as propose
from verify.certify.subjects import of_rows
from verify.data.sources import load_rows
from verify.errors import InputError, MissingError

pytest.importorskip("flint")
PROVED, REFUTED, UNDECIDED = Status.PROVED, Status.REFUTED, Status.UNDECIDED


def exact_count(rows, divisor, level):
    return module.exact_count(Subject("none", rows.shape[1], len(rows), None, rows, divisor), level)


def counted(rows, divisor, level):
    """How many eigenvalues exceed the level and equal it, by elimination in fractions."""
    X = [[Fraction(x) / Fraction(divisor) for x in row] for row in rows.tolist()]
    N, n = rows.shape
    mean = [sum(column) / N for column in zip(*X, strict=True)]
    A = [
        [sum((r[i] - mean[i]) * (r[j] - mean[j]) for r in X) / N - (i == j) * level for j in range(n)] for i in range(n)
    ]
    positive, _, zero = inertia(A)
    return positive, zero


@pytest.mark.parametrize("seed", range(12))
def test_they_are_those_of_exact_elimination(seed):
    rng = np.random.default_rng(seed)
    N, n = int(rng.integers(2, 12)), int(rng.integers(1, 6))
    whole = seed % 2 == 0
    X = (
        rng.integers(0, 5, size=(N, n)).astype(float)
        if whole
        else rng.normal(size=(N, n)) * 10.0 ** rng.integers(-9, 9)
    )
    X[:, 0] = 3.0 if seed % 3 == 0 else X[:, 0]
    divisor = [1.0, 255.0, 0.1][seed % 3]
    lam = np.linalg.eigvalsh(np.cov(X.T, bias=True).reshape(n, n) / divisor**2)
    for x in lam[lam > 0].tolist():
        for level in (
            Fraction(x),
            Fraction(nextafter(x, inf)),
            Fraction(nextafter(x, 0)),
            Fraction(repr(x)),
            Fraction(1, 3),
        ):
            if level > 0:
                assert exact_count(X, divisor, level) == counted(X, divisor, level)


def test_ties_are_told_exactly():
    X = np.concatenate([np.eye(4), -np.eye(4)])
    assert exact_count(X, 1.0, Fraction(1, 4)) == (0, 4)
    assert exact_count(X, 2.0, Fraction(1, 16)) == (0, 4)
    assert exact_count(X, 1.0, Fraction(1, 4) - Fraction(1, 10**300)) == (4, 0)
    assert exact_count(X, 1.0, Fraction(1, 4) + Fraction(1, 10**300)) == (0, 0)
    assert exact_count(X, 0.1, Fraction(25)) == (0, 0)  # the double 0.1 exceeds a tenth
    assert counted(X, 0.1, Fraction(25)) == exact_count(X, 0.1, Fraction(25))


def test_what_would_take_long_is_left(monkeypatch):
    assert exact_count(np.zeros((3, module.COLUMNS + 1)), 1.0, Fraction(1)) is None
    assert exact_count(np.zeros((module.ENTRIES, 2)), 1.0, Fraction(1)) is None
    assert exact_count(np.array([[1e200], [1e-200]]), 1.0, Fraction(1)) is None

    assert exact_count(np.eye(3), 1.0, Fraction(1, 2**module.LEVEL_BITS)) is None
    assert module.exact_count(Subject("none", 3, 9), Fraction(1)) is None  # rows that are too many to be held

    def missing():
        raise MissingError("python-flint")

    monkeypatch.setattr(module, "flint", missing)
    with pytest.raises(MissingError):
        exact_count(np.eye(3), 1.0, Fraction(1))
    assert exact_count(np.zeros((3, module.COLUMNS + 1)), 1.0, Fraction(1)) is None  # with it as without


def crosses(*lengths):
    """Rows +-length e_i: the eigenvalues are length^2/n, exactly."""
    half = np.diag(np.array(lengths, dtype=float))
    return of_rows(load_rows(np.concatenate([half, -half])))


TIES = {
    # The lengths, a noise, how many exceed it, how many equal it.
    "all": ((1, 1), Fraction(1, 2), 0, 2),
    "one above": ((3, 1, 1), Fraction(1, 3), 1, 2),
    "one below": ((1, 1, 0.5), Fraction(1, 3), 0, 2),
    "one ulp above": ((3, 1, 1), Fraction(1, 3) + Fraction(1, 2**80), 1, 0),
    "one ulp below": ((3, 1, 1), Fraction(1, 3) - Fraction(1, 2**80), 3, 0),
}


@pytest.mark.parametrize("name", TIES)
def test_ties_of_rows_are_proved_and_every_other_count_is_refuted(name):
    lengths, level, above, equal = TIES[name]
    subject, n = crosses(*lengths), len(lengths)
    statement, outcome = propose.count(subject, level)
    assert outcome.status is PROVED and statement["evidence"] == {"exact": True}
    assert (statement["above"], statement.get("equal", 0)) == (above, equal)
    for more in range(n + 1):
        for same in range(n + 1):
            status = counts.check_count({**statement, "above": more, "equal": same}, subject).status
            assert status is (PROVED if (more, same) == (above, equal) else REFUTED)
        least = {k: v for k, v in statement.items() if k != "equal"} | {"above": more, "at_least": True}
        assert counts.check_count(least, subject).status is (PROVED if more <= above else REFUTED)
    # Control: floats alone leave it open, whatever is claimed.
    for claimed in range(n + 1):
        evidence = {"level": written(level)}
        status = counts.check_count({**statement, "above": claimed, "evidence": evidence}, subject).status
        assert status is not PROVED


@pytest.mark.parametrize("name", TIES)
@pytest.mark.parametrize("k", [1, 2])
def test_the_optimum_at_a_tie_retains_what_exceeds_the_noise(name, k):
    lengths, level, above, _ = TIES[name]
    subject, n = crosses(*lengths), len(lengths)
    for beta in (Fraction(1), Fraction(1, 2)):
        sigma2 = level / beta
        statement, outcome = propose.optimum(subject, k, sigma2, beta)
        assert outcome.status is PROVED and statement["retained"] == min(k, above)
        lam = sorted((float(x) ** 2 / n for x in lengths), reverse=True)
        gain = sum(x / float(level) - 1 - log(x / float(level)) for x in lam[: min(k, above)])
        value = -0.5 * (n * log(2 * pi * float(sigma2)) + float(beta) * (sum(lam) / float(level) - gain))
        low, high = map(exact, statement["value"])
        # The naive sum is wrong by some 1e-15 of its terms.
        assert low - Fraction(1e-12) <= Fraction(value) <= high + Fraction(1e-12) and high - low < 1e-11
        for retained in set(range(k + 1)) - {min(k, above)}:
            assert counts.check_optimum({**statement, "retained": retained}, subject).status is REFUTED
        away = {**statement, "value": [written(high + 1), written(high + 2)]}
        assert counts.check_optimum(away, subject).status is REFUTED


def test_a_value_needs_as_many_enclosures_as_are_retained():
    """Of fewer it would be that of an optimum which retains fewer."""
    subject = crosses(3, 1, 1)
    statement, outcome = propose.optimum(subject, 2, Fraction(1, 3))
    assert outcome.status is PROVED and statement["retained"] == 1
    ends = counts.optimum(3, counts.trace(subject), [], Fraction(1, 3), Fraction(1))
    wrong = {**statement, "evidence": {"exact": True}, "value": [written(x) for x in ends]}
    assert counts.check_optimum(wrong, subject).status is UNDECIDED
    assert counts.check_optimum({**wrong, "value": ["-1000", "1000"]}, subject).status is UNDECIDED


def test_whole_numbers_enclose_nothing_and_evidence_that_is_no_truth_is_refused():
    subject = crosses(3, 1, 1)
    eigenvalues = {"kind": "eigenvalues", "intervals": [["0", "9"]], "evidence": {"exact": True}}
    assert counts.check_eigenvalues(eigenvalues, subject).status is UNDECIDED
    for wrong in (1, "true", None, []):
        with pytest.raises(InputError):
            counts.check_count({"level": "1", "above": 1, "evidence": {"exact": wrong}}, subject)
    large = Subject("none", 3, 99, subject.enclosure)
    for above in range(4):
        statement = {"level": "1", "above": above, "evidence": {"exact": True}}
        assert counts.check_count(statement, large).status is UNDECIDED
        optimum = {"k": 3, "sigma2": "1", "retained": above, "value": ["-99", "99"], "evidence": {"exact": True}}
        assert counts.check_optimum(optimum, large).status is UNDECIDED


def test_without_python_flint_it_is_said_what_would_decide(monkeypatch):
    subject = crosses(3, 1, 1)

    def missing():
        raise MissingError("python-flint")

    monkeypatch.setattr(module, "flint", missing)
    for _, outcome in (propose.count(subject, Fraction(1, 3)), propose.optimum(subject, 2, Fraction(1, 3))):
        assert outcome.status is UNDECIDED and outcome.reason.endswith(propose.WANTING)
    assert propose.count(subject, Fraction(1))[1].status is PROVED  # floats do that
