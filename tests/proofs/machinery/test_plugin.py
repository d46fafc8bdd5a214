"""The plugin from end to end: throw-away claim files in, ledger, printed table and exit status out."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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
