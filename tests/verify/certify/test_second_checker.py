"""Two checkers that have nothing in common never contradict each other: true statements, false and tampered ones."""

import json
import random
from fractions import Fraction

import numpy as np
import pytest

from tests.verify.certify import second_checker as second
from tests.verify.certify.tampering import changed, sealed
from verify.certify import files, sources
from verify.certify.propose import counts
from verify.certify.verdict import check
from verify.data import load
from verify.errors import InputError
from verify.landscape.best_families import best_families
from verify.landscape.stationary import fixed_noise_points
from verify.words.statements import sentence

OPPOSITE = {("proved", "refuted"), ("refuted", "proved")}


def of_rows(seed, N=9, n=3, whole=True, divisor=1.0):
    """The same rows for both checkers."""
    rng = np.random.default_rng(seed)
    X = rng.integers(-9, 10, (N, n)).astype(float) if whole else rng.normal(size=(N, n))
    options = {} if divisor == 1.0 else {"scale": divisor}
    return sources.subject_of(X, options), second.Data(X.tolist(), divisor)


def of_spectrum(word):
    exact = load(word).spectrum.exact
    return sources.subject_of(word, {}), second.Data(spectrum=exact)


def ours(text, subject, tmp_path):
    """What our checker says of the text of a certificate: a status for each statement, or "refused"."""
    path = tmp_path / "c.json"
    path.write_text(text)
    try:
        found = [outcome.status.value for outcome in check(files.read(path), subject)]
        assert all(map(sentence, files.read(path)["statements"]))  # what is checked can be told
        return found
    except InputError:
        return "refused"


def theirs(text, data):
    try:
        return second.check(text, data)
    except second.Refused:
        return "refused"


def judged(statement, subject, data, tmp_path):
    """What both say of one statement; they must not contradict each other."""
    text = sealed(subject, statement)
    found = [said if said == "refused" else said[0] for said in (ours(text, subject, tmp_path), theirs(text, data))]
    assert tuple(found) not in OPPOSITE, (statement, found)
    return found


SUBJECTS = {
    "whole numbers": lambda: of_rows(0),
    "real numbers": lambda: of_rows(1, whole=False),
    "divided": lambda: of_rows(2, divisor=7.0),
    "fewer rows than columns": lambda: of_rows(3, N=3, n=4),
    "spectrum": lambda: of_spectrum("eigenvalues:4,2.5,1,0.3"),
    "ties": lambda: of_spectrum("eigenvalues:2,2,0.7,0.7,0"),
}


@pytest.mark.parametrize("name", SUBJECTS)
def test_both_know_the_same_data(name):
    subject, data = SUBJECTS[name]()
    assert (subject.sha256, subject.n, subject.N) == (data.sha256, data.n, data.N)


@pytest.mark.parametrize("name", SUBJECTS)
def test_what_one_proves_the_other_proves(name, tmp_path):
    subject, data = SUBJECTS[name]()
    largest = float(data.S[0][0])
    for sigma2 in (Fraction(1, 10), Fraction(largest / 3), Fraction(largest), Fraction(100)):
        made = [counts.count(subject, sigma2), counts.optimum(subject, 2, sigma2)]
        made.append(counts.optimum(subject, 3, sigma2, Fraction(1, 2)))
        if subject.spectrum is None:
            made.append(counts.eigenvalues(subject, 2))
        for statement, outcome in made:
            assert outcome.status.value == "proved", (statement, outcome)
            assert judged(statement, subject, data, tmp_path) == ["proved", "proved"], statement


def test_ties_of_rows_in_whole_numbers_are_proved_by_both_and_nothing_false_beside_them(tmp_path):
    pytest.importorskip("flint")
    X = np.concatenate([np.diag([3.0, 1, 1]), -np.diag([3.0, 1, 1])])
    subject, data, level = sources.subject_of(X, {}), second.Data(X.tolist(), 1.0), Fraction(1, 3)
    seen = []
    for statement, outcome in (counts.count(subject, level), counts.optimum(subject, 2, level)):
        assert outcome.status.value == "proved" and statement["evidence"]["exact"] is True
        assert judged(statement, subject, data, tmp_path) == ["proved", "proved"]
        for where, copied in changed(statement):
            first, other = judged(copied, subject, data, tmp_path)
            seen.append(first)
            assert first != "proved" or other == "proved", where
    assert seen.count("refused") > 20 and seen.count("refuted") > 5 and seen.count("proved") < len(seen) / 4


def tampered(statement, part, most, rng):
    found = list(changed(statement, part))
    return found if len(found) <= most else rng.sample(found, most)


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_number_of_a_statement_that_is_changed_proves_nothing_false(name, tmp_path):
    subject, data = SUBJECTS[name]()
    level = Fraction(float(data.S[0][0]) / 2)
    made = [counts.count(subject, level)[0], counts.optimum(subject, 2, level)[0]]
    made += [counts.eigenvalues(subject, 2)[0]] if subject.spectrum is None else []
    seen = []
    for statement in made:
        for where, copied in changed(statement):
            first, other = judged(copied, subject, data, tmp_path)
            seen.append(first)
            assert first != "proved" or other == "proved", where  # it is still true
    assert seen.count("refused") > 20 and seen.count("refuted") > 5
    assert seen.count("proved") < len(seen) / 4


@pytest.mark.parametrize("name", ["whole numbers", "real numbers", "divided", "fewer rows than columns"])
def test_a_number_of_the_evidence_that_is_changed_is_no_harm(name, tmp_path):
    subject, data = SUBJECTS[name]()
    level, rng = Fraction(float(data.S[0][0]) / 2), random.Random(0)
    for made in (counts.count(subject, level), counts.optimum(subject, 2, level), counts.eigenvalues(subject, 2)):
        text, seen = sealed(subject, made[0]), []
        assert theirs(text, data) == ["proved"]  # which looks at no evidence
        for where, copied in tampered(made[0], "evidence", 150, rng):
            seen.append(ours(sealed(subject, copied), subject, tmp_path))
            assert seen[-1] != ["refuted"], where
        # Something is lost by nonsense; a digit more or less in a vector loses nothing.
        assert {"refused"} < {said if said == "refused" else said[0] for said in seen}


def points(word, k, sigma2):
    from verify.certify.propose.stationary import certify_point

    spectrum = load(word).spectrum
    for point in [*fixed_noise_points(spectrum, k, sigma2), *best_families(spectrum, k, sigma2, 9)]:
        for statement, outcome in certify_point(spectrum.exact, point).tried:
            yield statement, outcome.status.value


@pytest.mark.parametrize(("word", "k", "sigma2"), [("eigenvalues:3,1", 1, 0.5), ("eigenvalues:3,1.5", 2, 1.0)])
def test_both_agree_on_stationary_points(word, k, sigma2, tmp_path):
    pytest.importorskip("flint")
    subject, data = of_spectrum(word)
    both = [judged(statement, subject, data, tmp_path) for statement, _ in points(word, k, sigma2)]
    assert both.count(["proved", "proved"]) >= 8
    assert all(found[0] != "proved" or found[1] == "proved" for found in both)


@pytest.mark.parametrize("part", [None, "evidence"])
def test_a_stationary_point_that_is_tampered_with_proves_nothing_false(part, tmp_path):
    pytest.importorskip("flint")
    word, k, sigma2 = "eigenvalues:3,1", 1, 0.5
    subject, data = of_spectrum(word)
    seen, rng = [], random.Random(1)
    for statement, status in points(word, k, sigma2):
        # What is stated of a point is enclosed anew each time; other evidence is not.
        for _, copied in tampered(statement, part, 40 if part else 8, rng) if status == "proved" else []:
            first, other = judged(copied, subject, data, tmp_path)
            seen.append((first, other))
    assert [first for first, _ in seen].count("refused") > 10
    # W = 0 is stationary at every noise, also at 2^900, where the second checker's 224 binary places see nothing.
    assert seen.count(("proved", "undecided")) <= 2 and seen.count(("proved", "refused")) == 0


def test_false_statements_are_refuted_by_both(tmp_path):
    subject, data = of_rows(0)
    statement, _ = counts.count(subject, Fraction(10))
    for above in range(4):
        expected = "proved" if above == statement["above"] else "refuted"
        assert judged({**statement, "above": above}, subject, data, tmp_path) == [expected, expected]
    optimum, _ = counts.optimum(subject, 2, Fraction(10))
    assert judged({**optimum, "value": ["0", "1"]}, subject, data, tmp_path) == ["refuted", "refuted"]
    assert judged({**optimum, "retained": 0}, subject, data, tmp_path) == ["refuted", "refuted"]
    both, _ = counts.eigenvalues(subject, 2)
    assert judged({**both, "intervals": both["intervals"][::-1]}, subject, data, tmp_path) == ["refuted", "refuted"]


@pytest.mark.parametrize("name", SUBJECTS)
def test_other_data_are_refused_by_both(name, tmp_path):
    subject, data = SUBJECTS[name]()
    statement, _ = counts.count(subject, Fraction(1))
    text = sealed(subject, statement)
    assert ours(text, subject, tmp_path) == theirs(text, data) == ["proved"]
    if subject.rows is None:
        others = [of_spectrum("eigenvalues:4,2.5,1,0.31"), of_spectrum("eigenvalues:4,2.5,1")]
    else:
        X, divisor = np.array(subject.rows), subject.divisor
        unit, permuted, other = X.copy(), X[::-1], X.T if X.shape[0] != X.shape[1] else X + 1
        unit[1, 1] = np.nextafter(unit[1, 1], np.inf)
        given = [
            (unit, divisor),
            (permuted, divisor),
            (other, divisor),
            (X, np.nextafter(divisor, 9)),
            (X + 1, divisor),
        ]
        others = [(sources.subject_of(Y, {"scale": c}), second.Data(Y.tolist(), c)) for Y, c in given]
    for strange, known in others:
        assert ours(text, strange, tmp_path) == theirs(text, known) == "refused"


def test_an_attacker_who_writes_the_hash_of_other_data_proves_nothing_false_of_them(tmp_path):
    subject, _ = of_rows(0)
    strange, data = of_rows(5)
    for level in (1, 5, 20, 40):
        statement, _ = counts.count(subject, Fraction(level))
        judged(statement, strange, data, tmp_path)
        for made, _ in (counts.optimum(subject, 2, Fraction(level)), counts.eigenvalues(subject, 2)):
            assert judged(made, strange, data, tmp_path)[0] != "proved"


def test_evidence_and_kinds_that_are_swapped_prove_nothing_false(tmp_path):
    subject, data = of_rows(0)
    level = Fraction(10)
    made = [counts.count(subject, level)[0], counts.optimum(subject, 2, level)[0], counts.eigenvalues(subject, 2)[0]]
    for a in made:
        for b in made:
            found = judged({**a, "evidence": b["evidence"]}, subject, data, tmp_path)
            assert found[1] == "proved"  # it is true all the same
            relabelled = {**a, "kind": b["kind"]}
            if a is not b:
                assert judged(relabelled, subject, data, tmp_path)[0] != "proved"
        for kind in ("stationary", "inertia", "saddle", "box", "witness", "every decoder", "", "Count", None):
            text = sealed(subject, {**a, "kind": kind})
            assert ours(text, subject, tmp_path) in ("refused", ["undecided"])


def test_a_file_cut_off_or_resealed_without_a_part_is_refused_by_both(tmp_path):
    subject, data = of_rows(0)
    text = sealed(subject, counts.optimum(subject, 2, Fraction(10))[0])
    assert theirs(text, data) == ["proved"]
    for length in range(0, len(text), 7):
        assert ours(text[:length], subject, tmp_path) == theirs(text[:length], data) == "refused"
    whole = json.loads(text)
    for name in ("format", "version", "subject", "statements", "digest"):
        part = {key: value for key, value in whole.items() if key != name}
        text = json.dumps(part if name == "digest" else files.sealed(part))
        assert ours(text, subject, tmp_path) == theirs(text, data) == "refused"
    for version in (0, 2, "1", 1.0, None, [1]):
        text = json.dumps(files.sealed({**whole, "version": version}))
        assert ours(text, subject, tmp_path) == theirs(text, data) == "refused"
    for statement in ({}, [], None, "count", {"kind": "count"}):
        text = json.dumps(files.sealed({**whole, "statements": [statement]}))
        assert ours(text, subject, tmp_path) == theirs(text, data) == "refused"
