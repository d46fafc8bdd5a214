"""The harness: statistics by hand, and what becomes of a peer that is wrong, missing, dead or slow."""

import json

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import enumeration, floors, tables
from benchmarks.harness import Contender, Effort, Machine, Outcome, Result, Spread, Subject, Work, compare
from benchmarks.problems import relative_error
from benchmarks.processes import Failed, Worker

HERE = "tests.benchmarks.contenders"
BRIEF = Effort(budget=0.2, shortest=0.01, threads=(1,))
MACHINE = Machine(bandwidth=1e10, double=1e9, single=4e9)


def contender(name, **options):
    return Contender(name, f"{HERE}:{name}", **options)


def subject(*peers, ours="right", **options):
    return Subject(
        name="test",
        title="a test",
        setup={"third": 3.0},
        ours=contender(ours),
        peers=peers,
        check=lambda ours, theirs: relative_error(ours["x"], theirs["x"]),
        tolerance=1e-8,
        work=lambda setup, ours: Work(bytes=1e3, operations=setup["third"]),
        **options,
    )


def outcomes(*peers, effort=BRIEF):
    return compare(subject(*peers), MACHINE, effort).outcomes


def test_a_peer_with_the_right_answer_is_timed_in_turn():
    (found,) = outcomes(contender("slow", target=5.0))
    assert found.status == "timed" and found.error == 0.0 and found.met
    assert len(found.ours) == len(found.theirs) == len(found.ratios) >= 2
    assert all(0.02 <= theirs < 2.0 for theirs in found.theirs)  # what it sleeps; a busy machine may take longer
    assert found.ratios == [t / o for o, t in zip(found.ours, found.theirs, strict=True)]
    (missed,) = outcomes(contender("slow", target=1e9))
    assert missed.met is False


@pytest.mark.parametrize("name", ["wrong", "not_a_number"])
def test_a_peer_with_a_wrong_answer_is_refused_and_not_timed(name):
    """The control: the same peer with the right answer is timed, above."""
    (found,) = outcomes(contender(name, target=1e-9))
    assert found.status == "wrong" and "allowed are 1e-08" in found.why
    assert found.ours == found.theirs == [] and found.met is None
    if name == "wrong":
        assert found.error == pytest.approx(1e-3 / 3)


def test_peers_that_are_missing_or_fail_are_reported_and_the_rest_is_timed():
    found = outcomes(
        contender("without_its_library", packages=("no_such_library",)),
        contender("without_its_library"),
        contender("raising"),
        contender("dying"),
        contender("chatty"),
    )
    assert [o.status for o in found] == ["missing", "failed", "failed", "failed", "timed"]
    assert "no_such_library" in found[0].why
    assert found[2].why == "ValueError: no convergence"
    assert "code 3" in found[3].why and "the last words" in found[3].why


def test_ours_that_does_not_run_is_an_error():
    with pytest.raises(Failed, match="no convergence"):
        compare(subject(contender("slow"), ours="raising"), MACHINE, BRIEF)


def test_the_better_number_of_threads_is_taken():
    effort = Effort(budget=0.1, shortest=0.01, threads=(1, 8))
    (found,) = outcomes(contender("scales_badly"), effort=effort)
    assert found.threads == 1
    (found,) = outcomes(contender("scales_badly", threads=(2,)), effort=effort)
    assert found.threads == 2
    worker = Worker(f"{HERE}:right", {"third": 3.0}, 5)
    try:
        assert worker.answer()[0]["threads"] == 5  # each process is told its number before anything is imported
    finally:
        worker.close()


def test_every_process_is_ended():
    worker = Worker(f"{HERE}:right", {"third": 3.0}, 1)
    assert worker.time(3) < 1.0
    worker.close()
    assert worker.process.poll() is not None


def result(ours, theirs, **options):
    peer = Outcome(contender("slow", **options), "timed", error=0.0, threads=1, ours=ours, theirs=theirs)
    return Result(subject(unit="things", amount=100.0, rate=40.0), 1, 0.5, [peer], [])


def test_statistics_by_hand():
    assert Spread.of([3.0, 1.0, 2.0, 10.0]) == Spread(1.0, 2.5, 10.0)
    found = result([1.0, 2.0, 4.0], [4.0, 2.0, 12.0], target=3.0)
    assert found.outcomes[0].ratios == [4.0, 1.0, 3.0]
    assert found.outcomes[0].met  # the median reaches it
    assert not result([1.0, 2.0, 4.0], [4.0, 2.0, 12.0], target=3.1).outcomes[0].met
    assert found.ours == [1.0, 2.0, 4.0] and found.rate == 50.0 and found.met
    shared = result([1.0], [2.0], share=0.01).outcomes[0]
    assert shared.ratios == [200.0]  # a hundredth was timed


def test_the_floor_is_whichever_takes_longer():
    assert MACHINE.floor(Work(bytes=1e10, operations=1.0)) == 1.0
    assert MACHINE.floor(Work(bytes=1.0, operations=2e9)) == 2.0
    assert MACHINE.floor(Work(bytes=1.0, operations=2e9, single_precision=True)) == 0.5


def test_the_rates_of_this_machine_are_measured(monkeypatch):
    monkeypatch.setattr(floors, "COPIED", 1 << 20)
    monkeypatch.setattr(floors, "SIDE", 64)
    machine = floors.measured(BRIEF)
    assert min(machine.bandwidth, machine.double, machine.single) > 1e6  # a computer from this century


def test_the_document_holds_what_the_table_says(tmp_path, capsys):
    found = result([1.0, 2.0, 4.0], [4.0, 2.0, 12.0], target=3.0, remark="seen from afar")
    found.outcomes.append(Outcome(contender("wrong", wrong_on_purpose=True), "wrong", "off by 0.1", 0.1))
    found.outcomes.append(Outcome(contender("slow"), "missing", "No module named 'x'"))
    tables.write(tmp_path / "new" / "benchmark.json", MACHINE, [found], quick=True)
    document = json.loads((tmp_path / "new" / "benchmark.json").read_text())
    (entry,) = document["subjects"]
    assert [p["status"] for p in entry["peers"]] == ["timed", "wrong", "missing"]
    assert entry["peers"][0]["ratio"] == {"low": 1.0, "middle": 3.0, "high": 4.0}
    assert entry["peers"][0]["met"] is True and entry["peers"][1]["seconds"] is None
    assert entry["ours"]["of_floor"] == 4.0 and document["machine"]["bandwidth"] == 1e10
    tables.show(found)
    tables.show_targets([found])
    out = " ".join(capsys.readouterr().out.split())
    for words in (
        "1 / 3 / 4",
        "at least 3: met",
        "wrong (shown on purpose)",
        "missing",
        "seen from afar",
        "50 things/s",
    ):
        assert words in out
    assert "2 of 2 targets met" in out


def test_a_sample_of_index_sets_is_drawn_evenly():
    sets = enumeration.sample(12, 5)
    assert all(list(A) == sorted(set(A)) and len(A) <= 5 for A in sets)
    share = np.mean([len(A) == 5 for A in sets])
    assert share == pytest.approx(792 / 1586, abs=0.02)  # four standard deviations of 10000 draws


def test_the_command_runs_a_subject_and_refuses_an_unknown_one(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "QUICK", BRIEF)
    monkeypatch.setattr(floors, "measured", lambda effort: MACHINE)
    monkeypatch.setattr("benchmarks.hessian.subjects", lambda quick: [subject(contender("slow", target=1.0))])
    assert command.main(["hessian", "--quick", "--json", str(tmp_path / "b.json")]) == 0
    assert "1 of 1 targets met" in capsys.readouterr().out
    assert json.loads((tmp_path / "b.json").read_text())["quick"] is True
    monkeypatch.setattr("benchmarks.hessian.subjects", lambda quick: [subject(ours="raising")])
    assert command.main(["hessian", "--quick"]) == 1
    assert "does not run" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.main(["no-such-subject"])
