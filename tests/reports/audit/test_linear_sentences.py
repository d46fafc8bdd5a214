"""Sentences on the trainings: verdicts follow the numbers, on the printed rows and on rows made to say otherwise."""

import copy
import json
from dataclasses import replace

import pytest

from reports.audit import document as audit_document_module
from reports.audit import sentences as audit_sentences
from reports.audit.bounds import constants
from reports.audit.document import audit_document
from reports.audit.linear_sentences import FIGURE_4, beside, figure_4, linear_sentences, place
from reports.audit.page import render
from reports.audit.text import counts, finding, pieces, summary, training_verdict
from reports.paper import Printed, printed_tables
from tests.reports.audit.inside import OPTIMA, made_up
from tests.reports.schemas import validator

PROVENANCE = {"environment": {"python": "3"}, "seed": 0, "command": "elbo-verify audit", "date": "2020-01-01 00:00 UTC"}


@pytest.fixture
def with_images(monkeypatch):
    """As if MNIST were at hand; Figure 3 is left undecided."""
    monkeypatch.setattr(audit_document_module, "find_training_file", lambda data_dir: None)
    monkeypatch.setattr(audit_document_module, "linear_vaes", lambda *args: OPTIMA)
    undecided = audit_sentences.judged("Figure 3: of other tests", "undecided", "needs MNIST")
    monkeypatch.setattr(audit_document_module, "figure_3", lambda *args: undecided)


def rewritten(change):
    """The printed rows of MNIST with another ELBO or tuned ELBO: change(row, its optimum) -> columns."""
    rows = printed_tables()
    return [replace(r, **change(r, OPTIMA[r.data].at(r))) if r.data in OPTIMA else r for r in rows]


def said(rows, optima=OPTIMA):
    return linear_sentences(rows, constants(printed_tables()), optima)


def to(nats):
    return Printed(f"{nats:.1f}")


def test_rows_at_or_above_their_linear_vae_have_converged():
    level = {"elbo_err": Printed("1.0")}
    reaches, _, gap, _ = said(rewritten(lambda row, best: {"elbo": to(best.drawn), **level}))
    assert reaches["verdict"] == "holds" and "stuck" not in reaches["evidence"]
    assert gap["verdict"] == "undecided"
    reaches, _, gap, _ = said(rewritten(lambda row, best: {"elbo": to(best.drawn - 9000 / row.init_sigma2), **level}))
    assert reaches["verdict"] == "refuted" and reaches["evidence"].count("10 of 10 rows lie below") == 2
    assert "at noise of 30 or less" in reaches["evidence"]
    assert gap["verdict"] == "undecided"  # all below: no gap between starts is shown by it


def test_a_gap_of_starts_is_rows_on_both_sides_of_one_optimum():
    both = rewritten(lambda row, best: {"elbo": to(best.drawn + (500 if row.init_sigma2 < 1 else -500))})
    gap = said(both)[2]
    assert gap["verdict"] == "holds" and gap["evidence"].count("4 of 10 rows lie below") == 2
    assert "sigmoid" in gap["evidence"]


def test_the_fall_beyond_the_best_noise_is_counted_step_by_step():
    follows = said(rewritten(lambda row, best: {"tuned_elbo": to(best.tuned)}))[1]
    assert follows["verdict"] == "holds" and "3 of 3 steps" in follows["evidence"]
    against = said(rewritten(lambda row, best: {"tuned_elbo": to(-best.tuned)}))[1]
    assert against["verdict"] == "refuted" and "0 of 3 steps" in against["evidence"]


@pytest.mark.parametrize(("shift", "verdict"), [(0.0, "holds"), (-100.0, "refuted"), (100.0, "undecided")])
def test_figure_4_is_judged_by_the_linear_optimum(shift, verdict):
    near = FIGURE_4.value - made_up("logit").optimum(None).drawn
    sentence = figure_4({("mnist", "logit"): made_up("logit", near + shift)})
    assert sentence["verdict"] == verdict
    assert ("second road" in sentence["evidence"]) == (verdict == "holds")


def test_places():
    row = next(r for r in printed_tables() if (r.table, r.noise, r.init_sigma2) == (2, "fixed", 0.3))
    best = OPTIMA[row.data].at(row)
    where = [
        place(replace(row, elbo=to(best.drawn + nats), elbo_err=Printed("50.0")), OPTIMA)
        for nats in (-1000, -15, 0, 30, 100)
    ]
    # Monte Carlo noise is at most 26 nats there; noise drawn afresh costs a little.
    low = best.drawn - best.value.low
    assert low < 10
    assert where == ["below", "perhaps below", "level", "level", "above"]
    assert len(beside(printed_tables(), OPTIMA)) == 50


def test_the_document_with_images_is_valid_and_keeps_trainings_apart(with_images):
    document = json.loads(json.dumps(audit_document(), allow_nan=False))
    assert validator("audit").is_valid(document)
    for damage in (
        lambda d: d.pop("linear"),
        lambda d: d["linear"]["rows"][0].update(place="beside"),
        lambda d: d["linear"]["vaes"][0].pop("J"),
    ):
        damaged = copy.deepcopy(document)
        damage(damaged)
        assert not validator("audit").is_valid(damaged)
    places = [row["place"] for row in document["linear"]["rows"]]
    assert training_verdict(document).startswith(f"{places.count('below')} of 50 rows of MNIST lie below")
    assert places.count("below") > 0
    plain = audit_document(figures=False)
    assert finding(document) == finding(plain)  # a training that fell short is no mistake in print
    assert plain["linear"] is None and training_verdict(plain) == ""
    checks = [line[0] for line in counts(document)]
    assert checks[-1] == "linear VAE inside" and checks[:-1] == [line[0] for line in counts(plain)]
    assert any("celeba64" in note and "256 units" in note for note in document["notes"])


def test_without_images_a_note_says_what_is_not_judged(with_images):
    document, plain = audit_document(), audit_document(figures=False)
    [note] = plain["notes"]
    more = len(document["sentences"]) - len(plain["sentences"])
    assert {4: "four", 5: "five"}[more] + " sentences" in note and "--data-dir" in note


def test_page_and_terminal_show_every_row(with_images):
    document = json.loads(json.dumps(audit_document())) | {"provenance": PROVENANCE}
    text = render(document)
    section = text[text.index('<section id="linear">') : text.index('<section id="sentences">')]
    assert section.count("<tr>") == 1 + 6 + 50 and 'href="#linear"' in text
    assert "−0.0" not in section and section.count("<td>below</td>") == training_count(document)
    plain = render(audit_document(figures=False) | {"provenance": PROVENANCE})
    assert 'id="linear"' not in plain and 'href="#linear"' not in plain  # control
    lines = [piece for piece in summary(document) if isinstance(piece, str)]
    assert "lie below what linear weights attain" in lines[0]
    assert all(len(line) <= 100 or line == lines[0] for line in lines)
    assert not any("linear VAE inside" in line for line in lines if line.startswith("Table"))
    assert sum(1 for _ in pieces(document)) > 20


def training_count(document):
    return sum(row["place"] == "below" for row in document["linear"]["rows"])
