"""Stability documents with what is proved of them: exact references, both sides of ties, engines that fail."""

import dataclasses
import functools
from fractions import Fraction
from math import inf, nextafter

import numpy as np
import pytest

from verify.analysis.certified import certified
from verify.analysis.stability import stability
from verify.certify.checker.outcome import undecided
from verify.certify.decided import enclosed
from verify.certify.decided.enclosed import Contradiction, exactly, within
from verify.certify.decided.thresholds import Thresholds
from verify.certify.propose import counts
from verify.data import load
from verify.data.covariance import covariance, from_eigenvalues
from verify.eigenvalues import Written, decimal
from verify.words.certified import CERTIFIED, UNDECIDED

mpmath = pytest.importorskip("mpmath")
SPECTRUM = [6.0, 4.0, 2.5, 1.2, 0.5]
DATA = {
    "iris": lambda: load("iris"),
    "wine": lambda: load("wine"),
    "standardized": lambda: load("wine", standardize=True),
    "digits": lambda: load("digits"),
    "logit": lambda: load("digits", scale=16.0, logit=0.01),
    "constant columns": lambda: covariance(np.c_[load("iris").matrix(), np.full(4, 3.0), np.zeros(4)]),
    "no more rows than columns": lambda: covariance(np.random.default_rng(1).normal(size=(5, 9))),
}


def best(lam, k, sigma2, beta):
    """The largest ELBO with the KL weighted by beta, to 40 digits.  lam, sigma2, beta rational."""
    with mpmath.workdps(40):
        number = [mpmath.mpf(x.numerator) / x.denominator for x in map(Fraction, (*lam, sigma2, beta))]
        *lam, sigma2, beta = number
        s, q = beta * sigma2, 0
        while q < k and lam[q] > s:
            q += 1
        total = len(lam) * mpmath.log(2 * mpmath.pi * sigma2)
        total += beta * sum(mpmath.log(x / s) + 1 for x in lam[:q]) + sum(lam[q:]) / sigma2
        return q, -total / 2


@pytest.mark.parametrize("beta", [1.0, 4.0, 0.3])
def test_a_bare_spectrum_is_exact(beta):
    noises = [Written(text) for text in ("0.1", "1", "2.5", "0.625", "7", "0.3")]
    document = stability(from_eigenvalues(SPECTRUM), 3, noises, beta=beta, certify=True)
    assert [t["radius"] for t in document["thresholds"]] == [0.0, 0.0, 0.0]
    for row in document["noise"]:
        q, value = best(list(map(decimal, SPECTRUM)), 3, decimal(row["sigma2"]), decimal(beta))
        assert (row["certified"], row["why"]) == (CERTIFIED, None)
        assert row["retained"] == row["retained_at_most"] == q
        assert abs(row["value"] - value) <= row["value_radius"] <= 1e-12 * abs(value)
        assert float(abs(row["value"] - value)) > 0.9 * row["value_radius"]  # and no larger than it must be


def test_ties_are_told_exactly_and_one_step_beside_them_decided():
    spectrum = from_eigenvalues(SPECTRUM)
    rows = stability(spectrum, 3, [nextafter(2.5, 0), 2.5, nextafter(2.5, inf)], certify=True)["noise"]
    assert [(row["retained"], row["tied"], row["certified"]) for row in rows] == [
        (3, [], CERTIFIED),
        (2, [3], CERTIFIED),
        (2, [], CERTIFIED),
    ]
    assert stability(spectrum, 3, [0.1], beta=25, certify=True)["noise"][0]["tied"] == [3]  # 25 times 0.1 is 2.5


@pytest.mark.parametrize("name", DATA)
def test_of_data_every_noise_off_the_eigenvalues_is_certified(name):
    data = DATA[name]()
    k = min(4, data.rank)
    ends = [float(np.sqrt(a * b)) for a, b in zip(data.eigenvalues, data.eigenvalues[1:], strict=False) if b > 0]
    for beta in (1.0, 3.0):
        document = stability(data, k, [s / beta for s in ends[:k]], beta=beta, certify=True)
        plain = stability(data, k, [s / beta for s in ends[:k]], beta=beta)
        for j, (row, before) in enumerate(zip(document["noise"], plain["noise"], strict=True), start=1):
            assert row["certified"] == CERTIFIED and row["retained"] == row["retained_at_most"] == j
            assert {field: row[field] for field in before if field != "certified"} == {
                field: value for field, value in before.items() if field != "certified"
            }
            assert 0 < row["value_radius"] < 1e-6 * max(1, abs(row["value"]))
        for threshold in document["thresholds"]:
            assert 0 < threshold["radius"] < 1e-9 * data.eigenvalues[0]


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("beta", [1.0, 3.0])
def test_a_noise_on_an_eigenvalue_or_one_step_beside_it_is_undecided_or_right(name, beta):
    data = DATA[name]()
    finer = load_again(name)
    lam = float(data.eigenvalues[1])
    for s in (lam, nextafter(lam, 0), nextafter(lam, inf), float(f"{lam:.15g}")):
        row = stability(data, 3, [s / beta], beta=beta, certify=True)["noise"][0]
        if row["certified"] == UNDECIDED:
            assert (row["retained"], row["retained_at_most"]) == (1, 2) and "lam_2" in row["why"]
        elif data.n <= 16:  # decided: by a computation with twice the digits
            assert row["retained"] == (2 if finer(1) > decimal(row["effective_sigma2"]) else 1)


def load_again(name):
    """The eigenvalues of the same rows to 40 digits, one by one."""

    @functools.cache
    def eigenvalue(j):
        source = DATA[name]().source
        rows = np.concatenate([np.asarray(block, dtype=float) for block in source.blocks()])
        with mpmath.workdps(40):
            x = mpmath.matrix(rows.tolist())
            mean = [sum(x[:, c]) / x.rows for c in range(x.cols)]
            y = mpmath.matrix([[x[r, c] - mean[c] for c in range(x.cols)] for r in range(x.rows)])
            found = sorted(mpmath.eigsy(y.T * y / x.rows / source.divisor**2, eigvals_only=True), reverse=True)
            return Fraction(mpmath.nstr(found[j], 38))

    return eigenvalue


@pytest.mark.parametrize("name", ["iris", "standardized", "digits"])
def test_few_columns_are_decided_on_and_beside_an_eigenvalue(name):
    """In whole numbers; without them the same noise is undecided."""
    data = DATA[name]()
    lam = float(data.eigenvalues[1])
    rows = stability(data, 3, [lam, nextafter(lam, 0), nextafter(lam, inf)], certify=True)["noise"]
    assert {row["certified"] for row in rows} == {CERTIFIED}
    assert rows[1]["retained"] >= rows[0]["retained"] >= rows[2]["retained"]
    without = DATA[name]()
    enclosed.enclosed(without)
    enclosed._ENCLOSED[without] = dataclasses.replace(enclosed.enclosed(without), count=None, memory={})
    assert stability(without, 3, [lam], certify=True)["noise"][0]["certified"] == UNDECIDED


def test_an_exact_tie_of_data_is_told():
    """Rows e_i and -e_i: all eigenvalues are 1/4, exactly."""
    data = covariance(np.concatenate([np.eye(4), -np.eye(4)]))
    tie, below, over = stability(data, 2, [0.25, nextafter(0.25, 0), nextafter(0.25, 1)], certify=True)["noise"]
    assert (tie["retained"], tie["retained_at_most"], tie["tied"], tie["certified"]) == (0, 0, [1, 2, 3, 4], CERTIFIED)
    assert (below["retained"], over["retained"]) == (2, 0) and below["tied"] == over["tied"] == []


def test_values_lie_within_their_radius_whatever_the_eigenvalues_are():
    """Eigenvalues anywhere within their radii, at noises that lie among them: the exact value is never outside."""
    rng = np.random.default_rng(2)
    values, radii = [5.0, 3.0, 2.9, 1.0], [0.3, 0.2, 0.2, 0.1]
    found = within(values, radii)
    for _ in range(200):
        beta, sigma2 = Fraction(int(rng.integers(1, 5)), 2), Fraction(int(rng.integers(1, 600)), 100)
        drawn = [Fraction(v + r * u) for v, r, u in zip(values, radii, rng.uniform(-1, 1, 4), strict=True)]
        lam = sorted(drawn, reverse=True)
        least, most = found.place(beta * sigma2).retained(3)
        q, value = best(lam, 3, sigma2, beta)
        assert least <= q <= most
        low, high = found.value(sigma2, beta, most)
        with mpmath.workdps(40):
            assert low.numerator <= value * low.denominator and value * high.denominator <= high.numerator
    # Control: of eigenvalues that are held to be exact the same values lie outside.
    low, high = exactly([Fraction(v) for v in values]).value(Fraction(1, 2), Fraction(1), 3)
    assert (
        not low
        <= Fraction(float(best([Fraction(v) + Fraction(1, 10) for v in values], 3, Fraction(1, 2), 1)[1]))
        <= high
    )


def test_a_count_that_shows_more_than_the_radii_makes_no_value_too_narrow():
    """lam_2 is known to exceed s by a count alone; its least end lies below s, where h rises again."""
    found = within([5.0, 1.0], [1e-3, 0.4])
    sigma2 = Fraction(1)
    low, high = found.value(sigma2, Fraction(1), 2)
    for lam_2 in (Fraction(1), Fraction("1.0001"), Fraction("1.39")):
        value = Fraction(mpmath.nstr(best([Fraction(5), lam_2], 2, sigma2, Fraction(1))[1], 30))
        assert low <= value <= high


def test_an_engine_that_cannot_tell_shows(monkeypatch):
    monkeypatch.setattr(counts, "count", lambda subject, level: ({"above": 0}, undecided("nothing")))
    engine = enclosed.thresholds
    monkeypatch.setattr(
        enclosed, "thresholds", lambda subject: Thresholds(engine(subject).values, engine(subject).radii + 0.5)
    )
    document = stability(load("iris"), 3, [0.2, 2.0], certify=True)
    assert [row["certified"] for row in document["noise"]] == [UNDECIDED, CERTIFIED]
    row = document["noise"][0]
    assert "lam_2" in row["why"] and (row["retained"], row["retained_at_most"]) == (2, 2)  # as it was computed
    assert f"not certified: at sigma2 = 0.2 {row['why']}" in document["notes"]
    assert min(t["radius"] for t in document["thresholds"]) > 0.4


def test_no_engine_no_certificate(monkeypatch):
    monkeypatch.setattr(enclosed, "thresholds", lambda subject: Thresholds(np.zeros(4), np.full(4, np.inf)))
    document = stability(load("iris"), 3, [0.2, 2.0], certify=True)
    assert {row["certified"] for row in document["noise"]} == {UNDECIDED}
    assert {t["radius"] for t in document["thresholds"]} == {None}
    assert sum(note.startswith("not certified") for note in document["notes"]) == 1


def test_what_excludes_what_was_computed_is_an_error():
    document = stability(from_eigenvalues(SPECTRUM), 3, [1.0])
    with pytest.raises(Contradiction, match="are proved to be retained"):
        certified(document, exactly([Fraction(x) for x in (6, 4, "0.9", "0.5", "0.1")]))
    assert certified(document, exactly([Fraction(x) for x in ("6", "4", "2.5", "1.2", "0.5")]))


def test_without_it_nothing_changes():
    document = stability(load("iris"), 3, [0.2, 2.0])
    assert "subject" not in document and not any("why" in row or "value_radius" in row for row in document["noise"])
