"""From a small tree to a verdict: a mutant that all tests bear lives, one that a test sees dies, and one that hangs."""

import json
import shutil
import subprocess

import pytest

from benchmarks.mutation import __main__ as command
from benchmarks.mutation.explained import Explained
from benchmarks.mutation.judges import Judges, imported
from benchmarks.mutation.trials import KEPT, KILLED, SURVIVED, Trial

MODULE = '''"""Two functions."""


def seen(a, b):
    while a < b:
        a = a + b
    return a


def unseen(a):
    return a + 7


def by_claims_alone(a):
    return a * 3
'''
TESTS = """from verify.models import small

def test_red():
    assert False

def test_seen():
    assert small.seen(1, 4) == 5
"""
CLAIM = """from verify.models.small import by_claims_alone

def test_claim():
    assert by_claims_alone(2) == 6
"""
OTHER = "def test_nothing():\n    import verify.errors\n"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    files = {
        "verify/__init__.py": "", "verify/errors.py": "", "verify/models/__init__.py": "",
        "verify/models/small.py": MODULE, "tests/__init__.py": "", "tests/verify/__init__.py": "",
        "tests/verify/models/__init__.py": "", "tests/verify/models/test_small.py": TESTS,
        "tests/verify/models/test_other.py": OTHER, "proofs/lucas_2019/test_claim.py": CLAIM,
        "ignored.py": "", ".gitignore": "ignored.py\n", "pyproject.toml": "[tool.pytest.ini_options]\n",
    }  # fmt: skip
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def test_judges_are_those_that_reach_the_module_the_likeliest_first(tree):
    judges = Judges(tree)
    assert judges.tests("verify/models/small.py") == ["tests/verify/models/test_small.py"]
    assert judges.tests("verify/models/__init__.py") == ["tests/verify/models/test_small.py"]
    assert judges.claims("verify/models/small.py") == ["proofs/lucas_2019/test_claim.py"]
    assert judges.claims("verify/errors.py") == []
    assert judges.fingerprint("tests/verify/models/test_small.py") != judges.fingerprint(
        "tests/verify/models/test_other.py"
    )
    files = {"a/b.py", "a/__init__.py", "c.py"}
    assert imported("def f():\n    from a import b, d\nimport c.e\n", files) == {"a/b.py", "a/__init__.py"}


@pytest.fixture(scope="module")
def judged(tree, tmp_path_factory):
    """The command on the whole of the small tree: exit status, document."""
    path = tmp_path_factory.mktemp("out") / "deeper" / "mutation.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "ROOT", tree)
        patch.setattr(command.explained, "read", lambda: EXPLAINED)
        status = command.main(["--json", str(path)])
    return status, json.loads(path.read_text())


SCOPE = ("verify/models/small.py", "unseen")
EXPLAINED = [
    Explained(*SCOPE, "return a + 7", "return a + 8", "nobody calls it."),
    Explained("verify/models/small.py", "by_claims_alone", "return a * 3", "return a * 4", "which is not true."),
]


def test_what_is_seen_dies_and_what_is_not_lives(judged):
    trials = judged[1]["trials"]
    lived = {(t["mutant"]["scope"], t["mutant"]["becomes"]) for t in trials if t["outcome"] == SURVIVED}
    # Of 1 + 4 = 5 it makes no odds whether 5 < 4 or 5 <= 4; nobody looks at what `unseen` returns.
    assert lived == {
        ("seen", "while a <= b:"),
        *(("unseen", becomes) for becomes in ("return a - 7", "return a + 6", "return a + 8", "return None")),
    }
    assert all(t["difference"].startswith("-") and "\n+" in t["difference"] for t in trials)


def test_it_is_said_what_killed(judged):
    by = {(t["mutant"]["scope"], t["mutant"]["becomes"]): t["by"] for t in judged[1]["trials"]}
    small, claim = "tests/verify/models/test_small.py", "proofs/lucas_2019/test_claim.py"
    assert by["seen", "return None"] == f"{small}::test_seen"  # and not by the test that is red in any case
    assert by["seen", "a = a - b"] == f"{small}: over time"
    assert by["by_claims_alone", "return a / 3"] == f"{claim}::test_claim"
    assert by["unseen", "return None"] == ""
    assert judged[1]["red_without_a_mutant"] == {small: [f"{small}::test_red"]}


def test_the_counts_and_the_exit_status(judged):
    status, document = judged
    assert status == 1 and document["complete"]
    count = document["all"]
    assert count == document["strata"]["verify/models"]
    assert (count["mutants"], count["survived"], count["explained"]) == (len(document["trials"]), 4, 1)
    assert count["killed"] == count["mutants"] - 5 and count["rate"] == 8 / 12
    assert count["killed_of_unexplained"] == count["killed"] / (count["mutants"] - 1)
    assert document["strata"]["verify/landscape"]["rate"] is None
    # An explanation of what is killed all the same is wrong.
    wrong = [t for t in document["trials"] if t["explanation"] and t["outcome"] == KILLED]
    assert [t["mutant"]["becomes"] for t in wrong] == ["return a * 4"]


def test_the_tree_is_as_it_was(judged, tree):
    assert (tree / "verify/models/small.py").read_text() == MODULE
    assert not list(tree.rglob("__pycache__"))


def test_a_stale_explanation_stops_it(tree, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "ROOT", tree)
    monkeypatch.setattr(command.explained, "read", lambda: [Explained(*SCOPE, "return a + 9", "return a", "gone.")])
    assert command.main(["--json", str(tmp_path / "out.json")]) == 1
    assert "no such mutant in verify/models/small.py, unseen: return a + 9" in capsys.readouterr().out
    assert not (tmp_path / "out.json").exists()


def test_an_interrupted_run_says_what_it_has(tree, tmp_path, monkeypatch, capsys):
    def interrupted(root, chosen, **options):
        yield Trial(chosen[0], KILLED, "a test", ("a file",), 0.1), {}
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "ROOT", tree)
    monkeypatch.setattr(command.explained, "read", list)
    monkeypatch.setattr(command, "performed", interrupted)
    assert command.main(["--json", str(tmp_path / "out.json")]) == 0
    document = json.loads((tmp_path / "out.json").read_text())
    assert not document["complete"] and document["all"]["mutants"] == len(document["trials"]) == 1
    assert "interrupted" in capsys.readouterr().out


def test_only_some_are_drawn(tree, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(command, "ROOT", tree)
    monkeypatch.setattr(command.explained, "read", list)
    monkeypatch.setattr(command, "performed", lambda root, chosen, **options: drawn.extend(chosen) or iter(()))
    command.main(["--json", str(tmp_path / "out.json"), "--only", "models/small", "--only", "comparison"])
    assert {m.becomes for m in drawn} == {"while a <= b:", "while a >= b:"}


def test_a_run_without_a_mutant_is_kept_until_something_it_imports_changes(tree, judged, tmp_path):
    small, other = "tests/verify/models/test_small.py", "tests/verify/models/test_other.py"
    first = Judges(tree)
    before = {file: first.fingerprint(file) for file in (small, other)}
    assert (tree / KEPT / f"{before[small]}.json").exists()  # by the run of the whole tree above
    root = tmp_path / "tree"
    shutil.copytree(tree, root)
    assert {file: Judges(root).fingerprint(file) for file in (small, other)} == before
    (root / "verify/models/small.py").write_text(MODULE + "\n")
    after = {file: Judges(root).fingerprint(file) for file in (small, other)}
    assert after[small] != before[small] and after[other] == before[other]
