"""The page with certified numbers: marks that can be read without colour, no digit beyond what is proved."""

import copy
import re
from fractions import Fraction

import pytest

from reports.analysis.report import compute
from reports.stability_page import certified
from reports.stability_page.page import render
from reports.terminal.files import read_json
from tests.reports.schemas import validator
from tests.reports.stability_page.test_page import checked
from tests.reports.written import write_report
from verify.certify.checker.outcome import undecided
from verify.certify.propose import counts
from verify.data import load


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("certified") / "iris"
    asked = {"k": 3, "name": "iris", "ledger": None, "command": "elbo-verify report iris --certify"}
    write_report(load("iris"), out=out, sigma2s=[1.0, 0.1], certify=True, **asked)
    return out


def test_the_document_is_as_its_schema_has_it(written):
    document = read_json(written / "report.json")
    assert validator("report").is_valid(document)
    assert {row["certified"] for row in document["stability"]["noise"]} == {"certified"}
    assert all(point["certified"]["status"] == "certified" for t in document["stationary"] for point in t["points"])
    assert {len(t["subject"]) for t in (document["stability"], *document["stationary"])} == {64}
    wrong = copy.deepcopy(document)
    wrong["named"][0]["why"] = "because"
    assert not validator("report").is_valid(wrong)  # control: certified, and a reason why not


def test_every_certified_number_has_a_mark_that_is_text(written):
    document = read_json(written / "report.json")
    text = (written / "index.html").read_text()
    assert checked(text).wrong == [] and checked(text).open == []
    points = sum(len(table["points"]) for table in document["stationary"])
    seals = re.findall(r'<span class="seal (\w+)"><span aria-hidden="true">(.)</span> (\w+)', text)
    # Of the verdict, of what the mark means, of the noises told of, and of each point.
    assert seals.count(("certified", "✓", "certified")) == 1 + 1 + 2 + points
    assert seals.count(("undecided", "?", "undecided")) == 1  # where it is said what that would mean
    assert text.count('id="certified"') == 1 and "says nothing of other data" in " ".join(text.split())


def test_no_more_digits_are_shown_than_are_proved(written):
    facts = read_json(written / "report.json")["stability"]
    shown = certified.section(read_json(written / "report.json"))
    for t, exact in zip(shown["thresholds"], facts["thresholds"], strict=True):
        off = abs(Fraction(t["value"]) - Fraction(exact["sigma2"]))
        assert off + Fraction(exact["radius"]) <= Fraction(t["radius"]) < Fraction(1, 10**11)
    for row in shown["rows"]:
        exact = next(r for r in facts["noise"] if r["sigma2"] == float(row["sigma2"]))
        off = abs(Fraction(row["value"].replace("−", "-")) - Fraction(exact["value"]))
        assert off + Fraction(exact["value_radius"]) <= Fraction(row["radius"])
    assert Fraction(shown["within"]) == max(Fraction(t["radius"]) for t in shown["thresholds"])


def test_what_is_undecided_is_shown_as_that_and_why(written, monkeypatch):
    monkeypatch.setattr(counts, "count", lambda subject, level: ({}, undecided("")))
    data = load("iris")
    at = float(data.eigenvalues[1])
    document, _ = compute(data, 3, "iris", named=[1.0, at], certify=True)
    document |= {key: value for key, value in read_json(written / "report.json").items() if key not in document}
    text = " ".join(render({**document, "figure1": None}, written / "figures").split())
    assert "✓</span> certified: how many at" in text and "?</span> undecided: how many at" in text
    assert re.search(r'<p class="doubt">Undecided at <i>σ</i>² = 0\.241\d+: .* is nearer to the noise', text)
    assert "Not certified: 2 of the points" in text


def test_without_it_the_page_does_not_speak_of_it(folder):
    text = (folder / "index.html").read_text()
    assert 'class="seal' not in text and 'id="certified"' not in text and ">certified<" not in text
    assert certified.section(read_json(folder / "report.json")) is None
