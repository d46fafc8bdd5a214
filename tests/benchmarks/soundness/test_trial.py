"""The trial finds nothing where nothing is wrong, and checkers that are unsound on purpose do not pass it."""

import json
import math
from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("flint")

from benchmarks.soundness import __main__ as command
from benchmarks.soundness import documents, matrices
from benchmarks.soundness.asked import Tally, put
from benchmarks.soundness.workers import STAGES, one, performed
from verify.certify import fast
from verify.certify.checker import balls, boxes, certificate, counts, rounding, stationary
from verify.certify.checker.numbers import exact
from verify.certify.checker.outcome import proved, refuted
from verify.certify.propose import decoder as propose

FEW = {"matrices": 12, "landscapes": 12, "documents": 8, "decoders": 1, "parameters": 3, "garbage": 3}


def told(stage, cases, seed=0):
    tally = Tally()
    for _, _, found in performed({stage: cases}, seed, processes=0):
        tally.add(found)
    return tally


def test_every_stage_has_its_few():
    assert FEW.keys() == STAGES.keys()


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_is_wrong_in_a_few_cases(stage):
    tally = told(stage, FEW[stage], seed=11)
    assert tally.faults == []
    answers = {(truth, answered) for (_, _, truth, answered) in tally.counts}
    # It asks what is true and what is false, and some of it is decided.
    assert (True, "proved") in answers or stage == "decoders"
    assert (False, "refuted") in answers or stage in ("decoders", "documents")
    assert {True, False} <= {truth for truth, _ in answers} or stage == "documents"


def test_what_balls_count_is_proved_of_some_matrices():
    counts = told("matrices", FEW["matrices"], seed=11).counts
    found = [answered for (_, name, truth, answered) in counts if truth and "inertia in balls" in name]
    assert "proved" in found


def test_an_optimum_whose_value_nobody_offers_is_no_fault():
    assert one("landscapes", 1590, 2).faults == []


def test_a_case_is_the_same_again():
    first, again = one("matrices", 3, 5), one("matrices", 3, 5)
    assert first.counts == again.counts
    assert first.counts != one("matrices", 4, 5).counts


def always(*_, **__):
    return proved("whatever")


def never(*_, **__):
    return refuted("whatever")


def without_radius(A, radius=0.0, R=None, of=rounding.positive_definite):
    return of(A, 0.0, R)


def without_its_rounding(A, B):
    return A @ B, 0.0


def by_floats(A, radius=0.0, *_):
    return proved("eigvalsh") if np.linalg.eigvalsh(A)[0] > radius else refuted("eigvalsh")


def leading_by_floats(A, V, below):
    theta = np.sort(np.linalg.eigvalsh(A))[::-1][: V.shape[1]]
    return theta, np.full(V.shape[1], 4e-16)


def signs_of_the_middle(H, Z, V):
    diagonal = [(V.transpose() * H * V)[i, i].mid() for i in range(V.ncols())]
    return sum(x > 0 for x in diagonal), sum(x < 0 for x in diagonal), Z.ncols()


def without_a_box(place, S, of=stationary.enclosed):
    return proved("the centre of the box"), of(place, S)[1]


def first_leaf_alone(function, sign, box, tree, of=boxes.decide):
    return proved("one leaf") if boxes.enclosure(function, [(lo, lo) for lo, _ in box], ".") != 0 else refuted("none")


def unread(_, subject, of=certificate.check):
    return [proved("no hash was compared")]


PLANTED = [
    ("matrices", 40, rounding, "positive_definite", always),
    ("matrices", 40, rounding, "positive_definite", never),
    ("matrices", 40, rounding, "positive_definite", without_radius),
    ("matrices", 40, rounding, "positive_definite", by_floats),
    ("matrices", 40, fast, "positive_definite", by_floats),
    ("matrices", 120, fast, "U", fast.U / 256),
    ("matrices", 40, counts, "leading", leading_by_floats),
    ("matrices", 80, balls, "inertia", signs_of_the_middle),
    ("landscapes", 30, stationary, "enclosed", without_a_box),
    ("landscapes", 30, stationary, "inertia", signs_of_the_middle),
    ("landscapes", 30, counts, "PI", counts.PI * (1 + counts.LOG_ERROR * 10**18)),
    ("parameters", 6, boxes, "decide", first_leaf_alone),
    ("parameters", 6, boxes, "decide", never),
    ("garbage", 4, certificate, "check", unread),
]


@pytest.mark.parametrize(("stage", "cases", "module", "name", "planted"), PLANTED)
def test_unsound_checkers_are_caught(monkeypatch, stage, cases, module, name, planted):
    monkeypatch.setattr(module, name, planted)
    assert told(stage, cases).faults


def test_a_product_without_its_rounding_is_caught(monkeypatch):
    monkeypatch.setattr(rounding, "product", without_its_rounding)
    rng = np.random.default_rng(1)
    faults = put((matrices.of_its_product(10, rng) for _ in range(500)), {}).faults
    assert {fault["answer"] for fault in faults} == {"proved"}


@pytest.mark.parametrize("kind", sorted(certificate.KINDS.keys() - {"box"}))  # of boxes the core is asked: above
@pytest.mark.parametrize("planted", [always, never])
def test_a_kind_that_always_says_the_same_is_caught(monkeypatch, kind, planted):
    monkeypatch.setitem(certificate.KINDS, kind, planted)
    stage = {"witness": "decoders", "every decoder": "decoders"}.get(kind, "landscapes")
    faults = told(stage, 2 if stage == "decoders" else 25).faults
    assert any(fault["statement"]["kind"] == kind for fault in faults)


@pytest.mark.parametrize(
    ("kind", "name", "factor", "stage", "cases"),
    [
        ("count", "level", 1 + Fraction(1, 2**56), "landscapes", 60),
        ("optimum", "sigma2", 1 + Fraction(1, 2**30), "landscapes", 20),
        ("saddle", "curvature", Fraction(1, 2), "landscapes", 30),
        ("witness", "level", Fraction(1, 4), "decoders", 2),
    ],
)
def test_a_kind_that_reads_another_number_is_caught(monkeypatch, kind, name, factor, stage, cases):
    sound = certificate.KINDS[kind]

    def planted(statement, subject):
        return sound({**statement, name: str(exact(statement[name]) * factor)}, subject)

    monkeypatch.setitem(certificate.KINDS, kind, planted)
    assert any(fault["statement"]["kind"] == kind for fault in told(stage, cases).faults)


@pytest.mark.parametrize(
    ("name", "part", "entry"),
    [("stationary", "points", "index"), ("stability", "noise", "retained"), ("stability", "thresholds", "eigenvalue")],
)
def test_certified_documents_that_are_wrong_are_caught(monkeypatch, name, part, entry):
    sound = getattr(documents, name)

    def planted(*arguments, **options):
        found = sound(*arguments, **options)
        for of in (found[0] if isinstance(found, tuple) else found)[part]:
            of[entry] = of[entry] * (1 + 1e-6) if isinstance(of[entry], float) else of[entry] + 1
        return found

    monkeypatch.setattr(documents, name, planted)
    assert told("documents", 12).faults


def test_evidence_of_another_level_is_caught(monkeypatch):
    sound, offered, levels = certificate.KINDS["every decoder"], propose.every_decoder, []

    def offering(*arguments):
        statement = offered(*arguments)
        levels.append(statement and statement["level"])
        return statement

    monkeypatch.setattr(propose, "every_decoder", offering)
    monkeypatch.setitem(certificate.KINDS, "every decoder", lambda s, data: sound({**s, "level": levels[-1]}, data))
    assert any(fault["statement"]["kind"] == "every decoder" for fault in told("decoders", 2).faults)


def test_the_command_writes_what_it_found(tmp_path, capsys):
    path = tmp_path / "deeper" / "soundness.json"
    arguments = ["--cases", "0.0005", "--only", "matrices", "--processes", "0", "--json", str(path)]
    assert command.main(arguments) == 0
    document = json.loads(path.read_text())
    assert document["complete"] and document["cases"] == {"matrices": 5} and document["faults"] == []
    assert document["asked"] == sum(row["asked"] for row in document["rows"])
    for row in document["rows"]:
        assert row["asked"] == sum(sum(row[t].values()) for t in ("true", "false", "open", "unknown"))
        assert row["undecided"] is None or 0 <= row["undecided"] <= 1
    assert "0 answered wrongly" in capsys.readouterr().out


def test_a_fault_is_told_so_that_it_can_be_made_again(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(rounding, "positive_definite", always)
    path = tmp_path / "soundness.json"
    arguments = ["--cases", "0.0005", "--only", "matrices", "--processes", "0", "--json", str(path)]
    assert command.main(arguments) == 1
    fault = json.loads(path.read_text())["faults"][0]
    assert fault["answer"] == "proved" and fault["truth"] is False
    name = f"{fault['stage']}:{fault['case']}"
    assert f"--again {name} --seed 0" in capsys.readouterr().out
    assert command.main(["--again", name]) == 1
    assert "proved" in capsys.readouterr().out
    monkeypatch.undo()
    assert command.main(["--again", name]) == 0


@pytest.mark.parametrize(
    "arguments", [["--cases", "0"], ["--cases", "nan"], ["--again", "matrices"], ["--again", "x:1"]]
)
def test_bad_arguments(arguments):
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2


def test_the_share_that_is_left_undecided():
    counts_of = {(True, "proved"): 3, (False, "undecided"): 1, (None, "undecided"): 5, (True, "refused"): 7}
    assert command.share(counts_of) == 0.25
    assert command.share({(None, "proved"): 1}) is None


def test_two_processes_find_what_one_does():
    together = Tally()
    for _, _, found in performed({"matrices": 12}, 2, processes=2):
        together.add(found)
    alone = told("matrices", 12, seed=2)
    assert together.counts == alone.counts and math.isfinite(sum(together.seconds.values()))
