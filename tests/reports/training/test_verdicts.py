"""Verdicts in words and cells: what is said of which, and what of a training that has not come to its end."""

import pytest

from reports.training.verdicts import (
    HEADINGS,
    MEANINGS,
    in_short,
    legend,
    missed,
    said,
    sentences,
    tells_distance,
    verdicts,
    word,
)
from verify.landscape.judged import VERDICTS
from verify.words.diagnosis import with_error


def told(verdict="training", unfinished=False, below=(12.0, 0.5), within=(3.0, 0.2), surely=True):
    """A diagnosis as train.json holds it, with what the words ask of it."""
    linear = {"retained": 2, "below": below[0], "below_error": below[1]}
    revival = {"directions": 5, "within_nats": within[0], "within_error": within[1]}
    return {
        "model": 3,
        "verdict": verdict,
        "unfinished": unfinished,
        "headline": "1 of 4 latents has collapsed.",
        "collapsed": [2],
        "tuned_sigma2": 0.25,
        "linear": linear,
        "revival": revival,
        "below_linear": surely,
        "advice": [{"change": "noise: learn it", "nats": 2.5}, {"change": "epochs: train on", "nats": None}],
    }


def document(*found):
    noises = [{"noise": "fixed", "sigma2": float(i), "best": i, "diagnosis": t} for i, t in enumerate(found, start=1)]
    return {"best_per_noise": [*noises, {"noise": "learned", "sigma2": None, "best": 9, "diagnosis": told("optimum")}]}


def test_every_verdict_has_a_meaning():
    assert set(MEANINGS) == set(VERDICTS)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_only_what_finds_nothing_missing_has_to_wait_for_the_end(verdict):
    waits = verdict in ("optimum", "noise", "data")
    assert word(told(verdict)) == verdict
    assert word(told(verdict, unfinished=True)) == (f"{verdict}, so far" if waits else verdict)
    assert said(told(verdict, unfinished=True)).startswith("Unfinished; as it stands: 1 of 4") == waits
    assert in_short(told(verdict, unfinished=True))[1] == ("so far" if waits else in_short(told(verdict))[1])


def test_what_was_missed_is_the_larger_of_what_is_beyond_chance():
    assert missed(told()) == 12.0 and missed(told(within=(30.0, 1.0))) == 30.0
    assert missed(told(below=(12.0, 5.0))) == 3.0  # within three standard errors
    assert missed(told(below=(-4.0, 0.1))) == 3.0 and missed(told(below=(None, None))) == 3.0
    assert missed(told(below=(12.0, 5.0), within=(0.0, 0.0))) is None
    assert missed(told() | {"revival": None}) == 12.0
    assert missed(told("noise")) is None and missed(told("mixed")) == 12.0


def test_narrow_columns():
    assert in_short(told()) == ("training", "12 nats") and in_short(told(), unit="") == ("training", "12")
    assert in_short(told(below=(1.234567e7, 1.0)))[1] == "1.23e+07 nats"
    assert in_short(told("noise")) == ("noise", "") and in_short(None) == ("-", "")


def test_a_line_each_noise_and_a_count_of_the_others():
    lines = list(sentences(document(told(), told("noise"), told("noise")), 2))
    assert lines == [
        "Optimum or training?",
        "sigma2 = 1: 1 of 4 latents has collapsed.",
        "sigma2 = 2: 1 of 4 latents has collapsed.",
        "other noises: 1 noise, 1 optimum",
    ]
    assert list(sentences(document(), 2))[1].startswith("learned noise: ")
    none = {"best_per_noise": [{"noise": "fixed", "sigma2": 1.0, "best": None, "diagnosis": None}]}
    assert list(sentences(none, 2)) == [] == verdicts(none)


def test_cells_stand_under_their_headings():
    [one, _] = verdicts(document(told()))
    assert dict(zip(HEADINGS, one["cells"], strict=True)) == {
        "collapsed": "1",
        "linear keeps": "2",
        "below linear, nats": with_error(12.0, 0.5).removesuffix(" nats"),
        "unused would add, nats": with_error(3.0, 0.2).removesuffix(" nats"),
        "directions left": "5",
        "noise asked for": "0.25",
    }
    assert one["bad"] and one["advice"] == [("noise: learn it", "2.5 nats"), ("epochs: train on", "")]
    [other, good] = verdicts(document(told("optimum", unfinished=True)))
    assert other["bad"] and not good["bad"]
    [blind, _] = verdicts(document(told(below=(None, None)) | {"revival": None, "tuned_sigma2": None}))
    assert blind["cells"] == ("1", "2", "-", "-", "-", "-")


def test_the_legend_holds_what_occurs():
    assert legend({"noise"}) == f"noise: {MEANINGS['noise']}"
    assert legend({"data", "optimum, so far"}).split("; ")[-1].startswith("so far: ")
    assert "mixed" not in legend({"optimum", "training"})


def test_a_distance_is_told_once():
    assert tells_distance(told()) and not tells_distance(told(surely=False))
    assert not tells_distance(told("mixed")) and not tells_distance(None)
