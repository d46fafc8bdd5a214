"""Which tests run a line: told apart by tests, by shared fixtures, by what is imported, and where processes start."""

import subprocess
from dataclasses import replace

import pytest

from benchmarks.mutation.covering import Covering, statement
from benchmarks.mutation.trials import Copy

MODULE = """LEVEL = 1


def used(a):
    return (
        a + 1
    )


def shared(a):
    return a


def elsewhere(a):
    return a
"""
TESTS = """import subprocess, sys
import pytest
from verify.models import small

@pytest.fixture(scope="module")
def wide():
    return small.shared(1)

@pytest.fixture
def narrow():
    return small.used(1)

def test_nothing():
    pass

def test_narrow(narrow):
    assert narrow == 2

def test_wide(wide):
    assert wide == 1

@pytest.mark.parametrize("code", ["pass"])
def test_process(code):
    subprocess.run([sys.executable, "-c", code], check=True)
"""
SMALL, FILE = "verify/models/small.py", "tests/verify/models/test_small.py"


@pytest.fixture(scope="module")
def covering(tmp_path_factory) -> Covering:
    folder = tmp_path_factory.mktemp("copy")
    files = {"verify/__init__.py": "", "verify/models/__init__.py": "", SMALL: MODULE, FILE: TESTS, "pytest.ini": ""}
    root = tmp_path_factory.mktemp("root")
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    copy = Copy(root, folder)
    assert copy.sound_run(FILE).status == 0
    return copy.coverings[FILE]


def test_a_line_is_run_by_the_tests_that_ran_it(covering):
    assert covering.seeing(SMALL, [6]) == (f"{FILE}::test_narrow",)
    assert covering.seeing(SMALL, [15]) == covering.seeing("verify/models/other.py", [1]) == ()
    assert covering.may_see(SMALL, [15]) and not replace(covering, starters=()).may_see(SMALL, [15])
    assert covering.starters == (f"{FILE}::test_process[pass]",)  # which may run anything


@pytest.mark.parametrize("line", [1, 4, 11])
def test_what_runs_at_import_and_in_a_shared_fixture_is_run_by_all(covering, line):
    assert covering.seeing(SMALL, [line]) is None


@pytest.mark.parametrize(("line", "lines"), [(1, [1]), (2, [2]), (4, [4]), (5, [5, 6, 7]), (6, [5, 6, 7]), (11, [11])])
def test_the_statement_of_a_line(line, lines):
    assert list(statement(MODULE, line)) == lines


def test_the_head_of_a_compound_statement():
    source = "if (\n    a\n    and b\n):\n    c = 1\nelse:\n    c = 2\n"
    assert list(statement(source, 3)) == [1, 2, 3, 4]
    assert list(statement(source, 7)) == [7]
