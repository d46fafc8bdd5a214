"""The plugin from end to end: throw-away claim files in, ledger, printed table and exit status out.

At the end of the file its hooks one by one, in this process, with small objects in the place of pytest's.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import hypothesis
import pytest

from proofs.machinery import plugin
from proofs.machinery.checks import Disagreement, agree, rejected, same
from proofs.machinery.claims import Claim, Fact
from proofs.machinery.collector import PROPERTY
from proofs.machinery.ledger import stated
from proofs.machinery.logic import concludes
from tests.proofs.machinery import claims

ROOT = Path(__file__).resolve().parents[3]
OK, FAILED, USAGE = 0, 1, 4


def run(folder, *options):
    """Run pytest with the plugin on a folder, in a process of its own; (process, ledger or None)."""
    path = folder / "out" / "ledger.json"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "proofs.machinery.plugin",
        "-q",
        "-c",
        os.devnull,
        "-p",
        "no:cacheprovider",
    ]
    command += ["--rootdir", str(folder), "--ledger", str(path), *(options or [str(folder)])]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    environment.pop("PYTEST_ADDOPTS", None)
    process = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    return process, json.loads(path.read_text()) if path.exists() else None


def verdicts(ledger):
    return {claim["id"]: claim["verdict"] for claim in ledger["claims"]}


def entry(ledger, id):
    [claim] = [claim for claim in ledger["claims"] if claim["id"] == id]
    return claim


def without_times(ledger):
    for claim in ledger["claims"]:
        for evidence in claim["evidence"]:
            assert evidence.pop("seconds") >= 0
    return ledger


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """One run over claims that are all sound: process, ledger, folder."""
    folder = claims.write_claims(
        tmp_path_factory.mktemp("good"), a=claims.HOLDS, b=claims.CORRECTED, c=claims.UNDECIDED
    )
    return *run(folder), folder


def test_verdicts_are_computed_and_the_run_succeeds(good):
    process, ledger, _ = good
    assert process.returncode == OK, process.stdout
    assert verdicts(ledger) == {"eq-13": "holds with correction", "eq-5": "holds", "eq-30": "undecided"}
    assert ledger["complete"]
    assert (ledger["errors"], ledger["skipped"]) == ([], [])
    assert entry(ledger, "eq-30")["reasons"][0].endswith("undecided: the ball holds zero")


def test_evidence_carries_what_the_test_recorded(good):
    claim = entry(good[1], "eq-5")
    assert (claim["hypotheses"], claim["strength"], claim["worst_error"]) == (
        "sigma2 > 0",
        "certified",
        3e-15,
    )
    first, second, search, skipped, device, control = claim["evidence"]
    assert (first["instances"], first["worst_error"]) == (41, 1e-15)
    assert (second["instances"], second["worst_error"]) == (41, 3e-15)
    assert search["instances"] == 5  # hypothesis runs out of integers from 0 to 4
    assert (skipped["outcome"], skipped["reason"]) == ("skipped", "python-flint is missing")
    assert device["backend"] in ("numpy", "cupy")
    assert (control["role"], control["outcome"]) == ("control", "passed")
    assert first["test"] == "test_a.py::test_supports[1e-15]"
    corrected = entry(good[1], "eq-13")
    assert corrected["evidence"][0]["witness"].startswith("lam = (3, 2), sigma2 = 1: a long story")
    assert corrected["strength"] == "tested"  # that the printed form fails was only tested


def test_the_printed_ledger_fits_100_columns_and_names_sections_witnesses_and_skips(good):
    lines = good[0].stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if line.strip("= ") == "claims")
    table = lines[start + 1 :]
    assert max(map(len, table)) <= 100
    assert "\x1b" not in good[0].stdout
    text = "\n".join(table)
    assert text.index("Probabilistic PCA") < text.index("eq-13") < text.index("The linear VAE") < text.index("eq-5")
    assert "      witness: lam = (3, 2), sigma2 = 1: a long story" in text
    assert "3 claims: 1 holds, 1 holds with correction, 1 undecided" in text
    assert "1 piece of evidence skipped: python-flint is missing" in text


def test_several_workers_write_the_same_ledger(good):
    pytest.importorskip("xdist")
    _, ledger, folder = good
    process, parallel = run(folder, str(folder), "-n", "2")
    assert process.returncode == OK, process.stdout
    assert without_times(parallel) == without_times(ledger)


def test_thorough_raises_the_number_of_instances(good):
    _, ledger = run(good[2], str(good[2]), "--thorough", "--claim", "eq-5")
    assert entry(ledger, "eq-5")["evidence"][0]["instances"] == 401
    assert verdicts(ledger) == {"eq-5": "holds"}
    assert ledger["environment"]["thorough"] is True


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["serial", "parallel"])
def test_an_unknown_claim_is_a_usage_error(good, workers):
    if workers:
        pytest.importorskip("xdist")
    folder = good[2]
    before = (folder / "out" / "ledger.json").read_bytes()
    process, _ = run(folder, str(folder), "--claim", "eq-31", *workers)
    assert process.returncode == USAGE
    assert "no such claim: eq-31" in process.stdout + process.stderr
    if not workers:
        assert "the nearest are eq-30, eq-13" in process.stderr
    assert (folder / "out" / "ledger.json").read_bytes() == before


def test_a_single_test_picked_by_hand_is_no_broken_claim_and_no_verdict(good):
    process, ledger = run(good[2], "test_b.py::test_corrected_form_holds")
    assert process.returncode == OK, process.stdout
    assert verdicts(ledger) == {"eq-13": "undecided"}
    assert not ledger["complete"]
    assert "a partial run" in process.stdout


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    """One run over everything that can go wrong: process and ledger."""
    folder = claims.write_claims(
        tmp_path_factory.mktemp("bad"),
        failing=claims.FAILING,
        import_error=f"{claims.HEAD}\nimport no_such_module\n",
        needs_more=f"{claims.HEAD}\npytest.importorskip('no_such_module')\n",
        other_words=claims.NO_CONTROL.replace("no-control", "failing"),
        unmarked="def test_plain():\n    assert 1 == 2\n",
    )
    return run(folder, str(folder), "--continue-on-collection-errors")


def test_every_way_to_fail_is_failed_evidence_and_the_claim_is_broken(bad):
    process, ledger = bad
    assert process.returncode == FAILED
    claim = entry(ledger, "failing")
    assert (claim["verdict"], claim["strength"]) == ("broken", None)
    failed = {e["test"].split("::")[1]: e["reason"] for e in claim["evidence"] if e["outcome"] == "failed"}
    reasons = {
        "test_disagrees": "error 0.5 is above 0.001",
        "test_over_an_empty_range": "nothing was recorded",
        "test_measured_nothing": "not finite",
        "test_expected_to_fail": "as expected",
        "test_teardown": "afterwards",
        "test_control_accepted": "the control was not rejected",
        "test_control_crashed": "ZeroDivisionError",
        "test_control_rejects_nothing": "this control rejected nothing",
    }
    assert failed.keys() == reasons.keys()
    assert all(reasons[name] in failed[name] for name in reasons)


def test_what_belongs_to_no_claim_is_told_beside_them(bad):
    errors = "\n".join(bad[1]["errors"])
    assert "test_import_error.py: ModuleNotFoundError: No module named 'no_such_module'" in errors
    assert "test_unmarked.py::test_plain: assert 1 == 2" in errors
    assert "test_other_words.py::test_supports: states claim failing in other words" in errors
    assert [line.split(":")[0] for line in bad[1]["skipped"]] == ["test_needs_more.py"]
    assert "a whole file skipped: test_needs_more.py" in bad[0].stdout


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["serial", "parallel"])
def test_a_claim_without_a_control_fails_a_run_in_which_every_test_passed(tmp_path, workers):
    if workers:
        pytest.importorskip("xdist")
    folder = claims.write_claims(tmp_path, a=claims.NO_CONTROL)
    process, ledger = run(folder, str(folder), *workers)
    assert "1 passed" in process.stdout
    assert "failed" not in process.stdout
    assert process.returncode == FAILED
    assert verdicts(ledger) == {"no-control": "broken"}
    assert "no control passed, so nothing shows that its" in process.stdout


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_a_claim_rests_on_another_that_is_there(tmp_path, workers):
    if workers:
        pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    folder = claims.write_claims(tmp_path, a=claims.RESTS, b=claims.GROUND)
    process, ledger = run(folder, str(folder), *workers)
    assert (process.returncode, ledger["errors"]) == (OK, [])
    assert entry(ledger, "rests")["rests_on"] == ["ground"]
    assert "\n      rests on: ground\n" in process.stdout


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_a_claim_that_rests_on_nothing_there_fails_a_run_in_which_every_test_passed(tmp_path, workers):
    if workers:
        pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    folder = claims.write_claims(tmp_path, a=claims.RESTS)
    process, ledger = run(folder, str(folder), *workers)
    assert (process.returncode, verdicts(ledger)) == (FAILED, {"rests": "holds"})
    assert entry(ledger, "rests")["strength"] is None
    assert ledger["errors"] == ["claim rests rests on ground, which is no claim"]


def test_a_part_of_the_claims_does_not_miss_the_others(tmp_path):
    package = tmp_path / "claims"
    package.mkdir()
    (package / "__init__.py").touch()
    rests = claims.write_claims(package / "rests", a=claims.RESTS)
    claims.write_claims(package / "ground", b=claims.GROUND)
    (rests / "__init__.py").touch()
    whole, part = run(tmp_path, str(package)), run(tmp_path, str(rests))
    for process, ledger in (
        whole,
        part,
        run(tmp_path, str(rests / "test_a.py")),
        run(tmp_path, "--claim=rests", str(package)),
    ):
        assert (process.returncode, ledger["errors"]) == (OK, []), process.stdout
        assert ledger["complete"]
    assert [len(ledger["claims"]) for _, ledger in (whole, part)] == [2, 1]
    (package / "ground" / "test_b.py").write_text("import no_such_module\n")  # which may hold the claim
    _, ledger = run(tmp_path, str(package))
    [error] = ledger["errors"]
    assert "no_such_module" in error


def test_claims_in_a_circle_fail_the_run(tmp_path):
    ground = claims.GROUND.replace('"statement"', '"statement", rests_on=("rests",)')
    process, ledger = run(claims.write_claims(tmp_path, a=claims.RESTS, b=ground))
    assert process.returncode == FAILED
    [error] = ledger["errors"]
    assert error.startswith("claims in a circle: ")


def test_collecting_only_writes_no_ledger(tmp_path):
    process, ledger = run(claims.write_claims(tmp_path, a=claims.NO_CONTROL), "--collect-only", str(tmp_path))
    assert process.returncode == OK
    assert ledger is None


def test_a_ledger_that_cannot_be_written_is_said_before_the_proofs_run(tmp_path):
    folder = claims.write_claims(tmp_path, a=claims.NO_CONTROL)
    for path, why in (
        (folder, "cannot be written"),
        (folder / "test_a.py" / "ledger.json", "name a file in a"),
    ):
        process, _ = run(folder, str(folder), "--ledger", str(path))
        assert process.returncode == USAGE
        assert f"--ledger {path}: " in process.stderr
        assert why in process.stderr
        assert "passed" not in process.stdout


GOOD = """
@STEP.evidence(role="supports", kind="symbolic", strength="proved")
def test_good(record):
    record()
    with rejected():
        agree(1.0, 2.0, tolerance=1e-3)
"""
START = claims.HEAD + 'CLAIM = Claim("c", "Eq. 1", "statement")\n' + claims.STEP
FAILS_AND_SKIPS = """
@pytest.fixture
def odd():
    yield
    pytest.skip("afterwards")

@STEP.evidence(role="supports", kind="numeric")
def test_fails(record, odd):
    record()
    agree(1.0, 2.0, tolerance=1e-3)
"""
CASES = """
@STEP.evidence(role="supports", kind="symbolic", strength="proved")
@pytest.mark.parametrize("n", [1, 2])
def test_cases(n, record):
    if n == 2:
        pytest.skip("too large")
    record()
    with rejected():
        agree(1.0, 2.0, tolerance=1e-3)
"""
ITSELF = """
from proofs.machinery.logic import concludes
LAST = CLAIM.step("last", "b gives c", says="b -> c")
FIRST = CLAIM.step("first", "a gives b", says="a -> b")

@FIRST.evidence(role="supports", kind="symbolic", strength="proved")
def test_first(record):
    record()
    with rejected():
        agree(1.0, 2.0, tolerance=1e-3)

@LAST.evidence(role="supports", kind="symbolic", strength="proved")
def test_it_follows(record):
    record(instances=concludes(CLAIM, "a -> c"))
    with rejected():
        concludes(CLAIM, "c -> a")
"""


@pytest.mark.parametrize(
    ("more", "verdict", "why"),
    [
        (GOOD + FAILS_AND_SKIPS, "broken", "test_fails failed: "),  # a skip afterwards does not undo the failure
        (CASES, "undecided", "its case [2] was skipped"),  # the case that ran is not all of it
        (GOOD + ITSELF, "broken", "it would prove itself"),
        (GOOD.replace("record()", "record.witness(' ')"), "broken", "nothing was shown"),
        (GOOD.replace("record()", "record(instances=2); record(instances=-1)"), "broken", "fewer than none"),
        (GOOD.replace("record()", "record(worst_error=-1e-9)"), "broken", "an error is not negative"),
    ],
)
def test_no_verdict_is_earned_by(tmp_path, more, verdict, why):
    _, ledger = run(claims.write_claims(tmp_path, a=START + more))
    assert verdicts(ledger) == {"c": verdict}
    assert why in " ".join(entry(ledger, "c")["reasons"])


def test_what_a_second_file_could_hide_fails_the_run(tmp_path):
    hidden = START + 'CLAIM.step("hard", "of which nothing is shown")\n'
    other = hidden.replace('"c"', '"silent"')
    fact = START.replace('"c"', '"f"').replace('"statement"', '"statement", trusts=("svd",)') + GOOD
    fact += 'from proofs.machinery.claims import Fact\n@Fact("svd", "every matrix is zero", "me").evidence('
    fact += 'role="supports", kind="numeric")\ndef test_fact(record):\n    record()\n'
    process, ledger = run(claims.write_claims(tmp_path, a=START + GOOD, b=hidden, d=other, f=fact))
    assert process.returncode == FAILED
    assert ledger["errors"] == [
        "test_f.py::test_fact: states the fact svd in other words than the register",
        "claim c is stated in test_a.py and test_b.py; a claim is one file",
        "claim silent: no test in test_d.py speaks of it",
    ]
    assert [fact["statement"].startswith("every matrix is U K R") for fact in ledger["facts"]] == [True]


def test_words_that_are_no_unicode_do_not_lose_the_ledger(tmp_path):
    text = START + GOOD.replace("record()", "record.witness('\\ud800')")
    process, ledger = run(claims.write_claims(tmp_path, a=text))
    assert (process.returncode, entry(ledger, "c")["evidence"][0]["witness"]) == (OK, "?")


def test_what_an_earlier_run_chose_is_a_part(tmp_path):
    folder = claims.write_claims(tmp_path, a=START + GOOD)
    _, ledger = run(folder, str(folder), "-p", "cacheprovider", "--lf")
    assert not ledger["complete"]


def test_the_claim_of_the_manual_holds_as_printed(tmp_path):
    manual = (ROOT / "CONTRIBUTING.md").read_text()
    text = manual[manual.index("## Adding a claim") :].split("```python\n")[1].split("```")[0]
    (tmp_path / "test_mass.py").write_text(text)
    process, ledger = run(tmp_path)
    assert (process.returncode, ledger["errors"]) == (OK, []), process.stdout
    claim = entry(ledger, "mass-of-one-pixel")
    assert (claim["verdict"], claim["strength"]) == ("holds", "proved")


def sentence(id="c", **fields):
    """A claim with one step that says something, and one that does not."""
    made = Claim(id, "Eq. 1", "statement", **fields)
    made.step("whole", "all of it")
    made.step("first", "a gives b", says="a -> b")
    made.step("last", "b gives c", says="b -> c")
    return made


class Item:
    """A test as pytest holds it; `about`: the step or fact that it is evidence for, None for a test of no claim."""

    def __init__(self, name, about=None, role="supports", kind="numeric", fixtures=(), **fields):
        def test():
            pass

        self.nodeid, self.fixturenames, self.stash = f"test_a.py::{name}", fixtures, pytest.Stash()
        self.function = test if about is None else about.evidence(role=role, kind=kind, **fields)(test)

    def recorder(self):
        return self.stash.setdefault(plugin.RECORDER, plugin.Recorder())

    def called(self, body=lambda item: None):
        """What the hook around the call gives back."""
        hook = plugin.pytest_runtest_call(self)
        next(hook)
        body(self)
        with pytest.raises(StopIteration) as end:
            hook.send("what others found")
        return end.value.value

    def reported(self, when="call", outcome="passed", **fields):
        """What a report of this test carries to the main process, None if nothing."""
        fields = {"duration": 0.5, "longrepr": "\nit is so\n", "user_properties": [("other", 1)], **fields}
        report = SimpleNamespace(when=when, outcome=outcome, passed=outcome == "passed", **fields)
        hook = plugin.pytest_runtest_makereport(self)
        next(hook)
        with pytest.raises(StopIteration) as end:
            hook.send(report)
        assert end.value.value is report
        (name, value), *more = report.user_properties
        assert (name, value) == ("other", 1)
        return dict(more).get(PROPERTY)


def reject(item):
    with rejected():
        agree(1.0, 2.0, tolerance=1e-3)


def conclude(item):
    item.recorder()(instances=concludes(sentence(), "a -> c"))


FACT = Fact("ours", "it is so", "here")
STEPS = sentence().steps


@pytest.mark.parametrize(
    ("about", "role", "body", "words"),
    [
        (STEPS["whole"], "control", reject, None),
        (STEPS["whole"], "control", lambda item: item.recorder()(), "rejected nothing"),
        (FACT, "control", lambda item: None, "rejected nothing"),
        (STEPS["whole"], "supports", lambda item: item.recorder()(), None),
        (STEPS["whole"], "supports", lambda item: item.recorder().witness("here"), None),
        (STEPS["whole"], "supports", lambda item: item.recorder().undecided("who knows"), None),
        (FACT, "supports", lambda item: item.recorder()(), None),
        (STEPS["whole"], "supports", reject, "nothing was recorded"),
        (STEPS["whole"], "supports", lambda item: item.recorder(), "nothing was recorded"),
        (STEPS["whole"], "supports", lambda item: item.recorder()(instances=0), "nothing was recorded"),
        (FACT, "supports", lambda item: None, "nothing was recorded"),
        (STEPS["whole"], "supports", conclude, None),
        (STEPS["first"], "supports", lambda item: item.recorder()(), None),
        (STEPS["first"], "supports", conclude, "step first is a premise"),
        (FACT, "supports", conclude, None),
        (None, "", lambda item: None, None),
        (None, "", conclude, None),
    ],
)
def test_a_test_that_passes_has_shown_something(about, role, body, words):
    reject(None)  # what an earlier test rejected and concluded is not this one's
    concludes(sentence(), "a -> c")
    item = Item("test_it", about, role)
    if words is None:
        assert item.called(body) == "what others found"
    else:
        with pytest.raises(AssertionError, match=words):
            item.called(body)


def answers(item):
    agree(1.0, 1.0, tolerance=0)
    with rejected():
        same(1, 2)
    with rejected():
        raise Disagreement("by no check")
    item.recorder()(worst_error=0.5)
    item.recorder()(instances=3, worst_error=0.25)


def test_evidence_carries_what_its_own_test_accepted_and_refused():
    for other in (lambda: same(1, 1), lambda: reject(None)):  # by an earlier test
        other()
    item = Item("test_it", STEPS["whole"])
    item.stash[plugin.POSITION] = 7
    item.called(answers)
    payload = item.reported()
    assert (payload["claim"], payload["position"]) == (stated(sentence()), 7)
    evidence = payload["evidence"]
    assert (evidence["accepted"], evidence["refused"], evidence["rejections"]) == (("agree",), ("same",), 2)
    assert (evidence["instances"], evidence["worst_error"], evidence["seconds"]) == (4, 0.5, 0.5)
    assert (evidence["outcome"], evidence["reason"]) == ("passed", "")
    failed = item.reported(when="teardown", outcome="failed")["evidence"]
    assert (failed["accepted"], failed["refused"], failed["rejections"]) == ((), (), 0)
    assert (failed["outcome"], failed["reason"], failed["instances"]) == ("failed", "it is so", 4)


@pytest.mark.parametrize(
    ("when", "outcome", "told"),
    [
        ("setup", "passed", False),
        ("setup", "failed", True),
        ("setup", "skipped", True),
        ("call", "passed", True),
        ("call", "failed", True),
        ("call", "skipped", True),
        ("teardown", "passed", False),
        ("teardown", "failed", True),
    ],
)
def test_each_test_of_a_claim_or_a_fact_tells_its_outcome_once(when, outcome, told):
    for about in (STEPS["whole"], FACT, None):
        item = Item("test_it", about)
        item.stash[plugin.POSITION] = 0
        payload = item.reported(when=when, outcome=outcome)
        if not told or about is None:
            assert payload is None
            continue
        assert payload["evidence"]["outcome"] == outcome
        # No call is over, so nothing was refused in it, and nothing but a pass stands for an instance.
        assert (payload["evidence"]["rejections"], payload["evidence"]["refused"]) == (0, ())
        assert payload["evidence"]["instances"] == int(outcome == "passed")
        assert payload.get("fact") == ({"id": "ours", "statement": "it is so", "reference": "here"} if about is FACT
                                       else None)  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "fields", "recorded", "found"),
    [
        ("passed", {}, [], ("passed", "")),
        ("passed", {}, ["why", "and why"], ("undecided", "why; and why")),
        ("failed", {}, ["why"], ("failed", "it is so")),
        ("skipped", {"wasxfail": "known"}, [], ("failed", "it is so")),
        ("passed", {"wasxfail": "known", "longrepr": None}, [], ("failed", "known")),
    ],
)
def test_what_a_test_doubts_or_is_expected_to_fail_is_no_pass(outcome, fields, recorded, found):
    item = Item("test_it", STEPS["whole"])
    item.stash[plugin.POSITION] = 0
    for why in recorded:
        item.recorder().undecided(why)
    evidence = item.reported(outcome=outcome, **fields)["evidence"]
    assert (evidence["outcome"], evidence["reason"]) == found


def test_a_witness_is_an_instance_and_is_told_once():
    item = Item("test_it", STEPS["whole"], "refutes")
    item.stash[plugin.POSITION] = 0
    for text in ("one", "two", "one"):
        item.recorder().witness(text)
    evidence = item.reported()["evidence"]
    assert (evidence["instances"], evidence["witness"]) == (1, "one; two")


@pytest.mark.parametrize(
    ("kind", "used", "backend"),
    [("symbolic", "", "sympy"), ("numeric", "", "numpy"), ("device", "cupy", "cupy"), ("symbolic", "cupy", "cupy")],
)
def test_the_backend_is_the_one_that_was_used(kind, used, backend):
    item = Item("test_it", STEPS["whole"], kind=kind)
    item.stash[plugin.POSITION] = 0
    item.recorder().backend = used
    assert item.reported()["evidence"]["backend"] == backend


def test_what_is_recorded_is_a_number_of_instances_and_the_largest_error():
    record = plugin.Recorder()
    assert record.empty
    record(instances=0)
    assert record.empty and record.worst_error is None
    record(worst_error=0)
    assert (record.instances, record.worst_error) == (1, 0)
    record(instances=2, worst_error=0.5)
    record(worst_error=0.25)
    assert (record.instances, record.worst_error, record.empty) == (4, 0.5, False)
    for wrong in ({"instances": -1}, {"worst_error": -1e-300}, {"worst_error": float("inf")}):
        with pytest.raises(ValueError, match=r"^record\("):
            record(**wrong)
    assert record.worst_error == 0.5


def selected(*, claim=(), on_device=False, failed=0, worker=False):
    """The names of the tests that are kept, those that pytest was told are not, and the place of each test."""
    first, second = Fact("first", "it is so", "here"), Fact("second", "it is so", "here")
    top, ground, other = sentence("top", rests_on=("ground",), trusts=("first",)), sentence("ground"), sentence("other")
    other = sentence("other", trusts=("second",))
    items = [
        Item("top", top.steps["whole"]),
        Item("top_xp", top.steps["whole"], fixtures=("record", "xp")),
        Item("first", first),
        Item("plain", fixtures=("xp",)),
        Item("ground", ground.steps["whole"]),
        Item("other", other.steps["whole"]),
        Item("second", second, fixtures=("xp",)),
    ]
    every, deselected = list(items), []
    config = SimpleNamespace(
        option=SimpleNamespace(claim=list(claim), on_device=on_device),
        hook=SimpleNamespace(pytest_deselected=lambda items: deselected.extend(items)),
        **({"workerinput": {}} if worker else {}),
    )
    plugin.pytest_collection_modifyitems(SimpleNamespace(testsfailed=failed), config, items)
    assert [item.stash[plugin.POSITION] for item in every] == list(range(len(every)))
    assert [item for item in every if item in items] == items
    assert [item for item in every if item not in items] == deselected
    return " ".join(item.nodeid.split("::")[1] for item in items)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, "top top_xp first plain ground other second"),
        ({"claim": ["top"]}, "top top_xp first ground"),  # with what it rests on and what it trusts
        ({"claim": ["ground"]}, "ground"),
        ({"claim": ["ground", "other"]}, "ground other second"),
        ({"on_device": True}, "top top_xp first"),  # with all of its evidence
        ({"claim": ["top"], "on_device": True}, "top top_xp first"),
        ({"claim": ["other"], "on_device": True}, ""),
        ({"claim": ["othr", "other"], "failed": 1}, "other second"),  # a file that was not read may hold it
        ({"claim": ["othr", "other"], "worker": True}, "other second"),  # there the main process tells
    ],
)
def test_tests_are_selected_by_claim_with_all_below(options, kept):
    assert selected(**options) == kept


@pytest.mark.parametrize("unknown", ["othr", "first"])  # a fact is no claim
def test_an_unknown_claim_is_refused_and_the_nearest_named(unknown):
    with pytest.raises(pytest.UsageError, match=f"no such claim: {unknown}; the nearest are .*(other|top)"):
        selected(claim=["other", unknown])


def test_a_ledger_goes_into_a_folder_that_can_be_made_and_written(tmp_path, monkeypatch):
    plugin._check_writable(None)
    for _ in range(2):  # the folder is there the second time
        plugin._check_writable(tmp_path / "a" / "b" / "ledger.json")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    for path in (tmp_path / "a", tmp_path / "file" / "ledger.json", tmp_path / "file" / "a" / "ledger.json"):
        with pytest.raises(pytest.UsageError, match="name a file in a writable folder"):
            plugin._check_writable(path)
    monkeypatch.setattr(os, "access", lambda path, mode: not (Path(path) == tmp_path / "a" and mode == os.W_OK))
    with pytest.raises(pytest.UsageError, match="cannot be written"):
        plugin._check_writable(tmp_path / "a" / "ledger.json")


def test_linear_algebra_runs_on_one_thread_that_of_scipy_too(monkeypatch):
    threadpoolctl = pytest.importorskip("threadpoolctl", reason="threadpoolctl is not installed")
    monkeypatch.delitem(sys.modules, "scipy.linalg", raising=False)
    with threadpoolctl.threadpool_limits(4):  # what was before comes back at its end
        plugin._one_thread()
        assert {library["num_threads"] for library in threadpoolctl.threadpool_info()} == {1}
    assert "scipy.linalg" in sys.modules


def test_the_search_is_the_same_in_every_run_and_longer_if_thorough():
    before = hypothesis.settings.get_current_profile_name()
    try:
        found = []
        for thorough in (False, True):
            plugin._reproducible_search(thorough=thorough)
            found.append(hypothesis.settings())
    finally:
        hypothesis.settings.load_profile(before)
    assert all((s.derandomize, s.database, s.deadline) == (True, None, None) for s in found)
    assert found[1].max_examples >= 5 * found[0].max_examples
