"""Checks that always say yes, or always no, in the place of the real ones: the ledger must come out broken."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from proofs.machinery import checks
from proofs.machinery.checks import faults_of_the_checks
from tests.proofs.machinery.mutants import CHECKS, faulty

ROOT = Path(__file__).resolve().parents[3]
# Real claims that take a second or two each; together they use every check.
CLAIMS = [
    ROOT / "proofs/lucas_2019" / f"{name}.py" for name in ("linear_vae/test_eq_21", "linear_vae/test_theorem_1_path")
]


def used_by(path):
    """The checks that a file of claims imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "proofs.machinery.checks":
            found |= {alias.name for alias in node.names}
    return found


def run(tmp_path, mutant=None):
    """The ledger of the real claims, with a mutant in the place of one check."""
    path = tmp_path / "ledger.json"
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "-p", "no:cacheprovider", "--rootdir", str(ROOT)]
    command += ["-p", "tests.proofs.machinery.mutants"] if mutant else []
    command += ["-p", "proofs.machinery.plugin", "--ledger", str(path), *map(str, CLAIMS)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MUTANT": mutant or "", "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    process = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    return process, json.loads(path.read_text())


def test_every_check_is_used_by_the_claims_below():
    assert set().union(*map(used_by, CLAIMS)) >= set(CHECKS)


def test_with_the_checks_as_they_are_nothing_is_broken(tmp_path):
    process, ledger = run(tmp_path)
    assert process.returncode == 0, process.stdout
    assert (ledger["errors"], len(ledger["claims"])) == ([], len(CLAIMS))


@pytest.mark.parametrize("says", ["yes", "no"])
@pytest.mark.parametrize("name", CHECKS)
def test_a_faulty_check_breaks_the_ledger(tmp_path, name, says):
    process, ledger = run(tmp_path, f"{name}={says}")
    assert process.returncode == 1
    assert any(f"the check `{name}`" in error for error in ledger["errors"])
    # `rejected` that accepts all is harmless to claims whose controls are sound: the run's own test of it tells.
    if (name, says) != ("rejected", "yes"):
        files = {path.stem for path in CLAIMS if name in used_by(path)}
        broken = {
            Path(e["test"].split("::")[0]).stem
            for c in ledger["claims"]
            if c["verdict"] == "broken"
            for e in c["evidence"]
        }
        assert broken >= files


@pytest.mark.parametrize("says", ["yes", "no"])
@pytest.mark.parametrize("name", CHECKS)
def test_the_checks_test_themselves(monkeypatch, name, says):
    assert list(faults_of_the_checks()) == []
    monkeypatch.setattr(checks, name, faulty(name, says))
    fault = "accepts a false one" if says == "yes" else "refuses a true statement"
    assert f"the check `{name}` {fault}" in list(faults_of_the_checks())


def test_a_bound_that_must_not_be_reached_is_no_bound(monkeypatch):
    def below(actual, bound):
        if actual >= bound:
            raise checks.Disagreement("above, or equal")

    monkeypatch.setattr(checks, "at_most", below)
    assert list(faults_of_the_checks()) == ["the check `at_most` refuses a true statement"]
