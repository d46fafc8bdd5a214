"""What the main process makes of the reports that reach it; here of small objects in the place of pytest's."""

import json
from dataclasses import asdict
from types import SimpleNamespace

import pytest

from proofs.machinery.claims import Claim, Fact, Step
from proofs.machinery.collector import PROPERTY, Collector, reason_of
from proofs.machinery.facts import FACTS
from proofs.machinery.judging import Evidence
from proofs.machinery.ledger import stated

OK, FAILED, INTERRUPTED, USAGE, NOTHING = 0, 1, 2, 4, 5
OPTIONS = {"claim": [], "on_device": False, "ledger": None, "thorough": False, "keyword": "", "markexpr": "",
           "deselect": None, "maxfail": 0, "ignore": None, "ignore_glob": None}  # fmt: skip


@pytest.fixture
def collector(tmp_path):
    """collector(arguments, an option of the command line, ...) -> one that was started in a folder of its own."""

    def started(*arguments, **options):
        option = SimpleNamespace(**OPTIONS | options)
        return Collector(option, backend="numpy", arguments=arguments or [str(tmp_path)], start=tmp_path)

    return started


def claim(*steps, id="c", statement="1 = 1", **fields):
    made = Claim(id, "Eq. 1", statement, **fields)
    for step in steps or ("whole",):
        made.step(step, f"{step} of it")
    return made


def said(test, owner, role="supports", *, position=0, when="call", **fields):
    """The report of a test that speaks of a claim or a fact."""
    fields = {"outcome": "passed", "instances": 1, "rejections": 1, "step": "" if isinstance(owner, Fact) else "whole",
              **fields}  # fmt: skip
    evidence = Evidence(test=test, role=role, kind="numeric", strength="tested", **fields)
    about = {"fact": asdict(owner)} if isinstance(owner, Fact) else {"claim": stated(owner)}
    payload = json.loads(json.dumps({**about, "evidence": asdict(evidence), "position": position}))
    failed = fields["outcome"] == "failed"
    return SimpleNamespace(nodeid=test, when=when, failed=failed, longrepr=None, user_properties=[(PROPERTY, payload)])


def plain(test, *, failed):
    return SimpleNamespace(nodeid=test, when="call", failed=failed, longrepr="it is so", user_properties=[("other", 1)])


def file(name, longrepr, *, outcome):
    return SimpleNamespace(
        nodeid=name, failed=outcome == "failed", skipped=outcome == "skipped", longrepr=longrepr, outcome=outcome
    )


def ended(collector, *reports, status=OK):
    """The exit status of a session with these reports."""
    for report in reports:
        collector.pytest_runtest_logreport(report)
    session = SimpleNamespace(exitstatus=status)
    collector.pytest_sessionfinish(session, status)
    return session.exitstatus


def printed(collector):
    """What stands on the terminal after the session: sections in brackets."""
    shown = []
    collector.pytest_terminal_summary(
        SimpleNamespace(section=lambda title: shown.append(f"[{title}]"), write_line=shown.append)
    )
    return shown


def test_a_teardown_that_fails_overrules_the_test_but_not_its_measurements(collector):
    one = collector()
    reports = [
        said("t", claim(), seconds=1.5),
        said("t", claim(), when="teardown", outcome="failed", seconds=0.1),
        said("t", claim(), seconds=2.5),  # by another worker
    ]
    assert ended(one, *reports) == FAILED
    [entry] = one.document["claims"]
    assert [(e["outcome"], e["seconds"]) for e in entry["evidence"]] == [("failed", 1.5)]


def test_what_a_later_report_says_of_a_test_that_passed_counts(collector):
    one = collector()
    assert ended(one, said("t", claim(), instances=1), said("t", claim(), instances=2)) == OK
    assert [e["instances"] for e in one.document["claims"][0]["evidence"]] == [2]


def test_a_test_that_speaks_of_no_claim_counts_where_it_fails(collector):
    one = collector()
    assert ended(one, said("a", claim()), plain("b", failed=False)) == OK
    assert (one.document["errors"], len(one.document["claims"])) == ([], 1)
    two = collector()
    assert ended(two, said("a", claim()), plain("c", failed=True)) == FAILED
    assert two.document["errors"] == ["c: it is so"]


OTHER_STEP = claim("whole", "second")
OTHER_STEP.steps["second"] = Step(OTHER_STEP, "second", "in other words")


@pytest.mark.parametrize(
    ("first", "second", "steps"),
    [
        (claim("whole"), claim("whole"), ["whole"]),
        (claim("whole"), claim("whole", "second"), ["whole", "second"]),
        (claim("second"), claim("whole"), ["second", "whole"]),  # none in common
    ],
)
def test_a_claim_takes_its_steps_from_all_that_state_it(collector, first, second, steps):
    one = collector()
    ended(one, said("a", first, step=next(iter(first.steps))), said("b", second))
    assert one.document["errors"] == []
    assert [step["id"] for step in one.document["claims"][0]["steps"]] == steps
    assert len(one.document["claims"][0]["evidence"]) == 2


@pytest.mark.parametrize("second", [claim("whole", "second", statement="1 = 2"), OTHER_STEP])
def test_a_claim_stated_in_other_words_is_told(collector, second):
    one = collector()
    assert ended(one, said("a", claim("whole", "second")), said("b", second)) == FAILED
    assert one.document["errors"] == ["b: states claim c in other words than another file"]


def test_each_fact_has_its_own_evidence_and_one_that_nobody_states_is_missed(collector):
    first, second = sorted(FACTS)[:2]
    trusting = claim(trusts=(second, "ours", first, "nowhere"))
    ours = Fact("ours", "it is so", "here")
    reports = [said("a", trusting), said("b", FACTS[first]), said("d", FACTS[second]), said("e", ours)]
    one = collector()
    assert ended(one, *reports) == FAILED
    tests = {fact["id"]: [e["test"] for e in fact["evidence"]] for fact in one.document["facts"]}
    assert tests == {first: ["b"], second: ["d"], "ours": ["e"]}
    assert [fact["id"] for fact in one.document["facts"]] == sorted(tests)
    # One that a test states and the register does not have is told too.
    assert one.document["errors"] == ["no such standard fact: ours", "no such standard fact: nowhere"]


def test_a_claim_of_the_name_of_a_fact_is_another_thing(collector):
    id = min(FACTS)
    one = collector()
    ended(one, said("a", claim(id=id, trusts=(id,))), said("b", FACTS[id]))
    assert [[e["test"] for e in part["evidence"]] for part in (*one.document["claims"], *one.document["facts"])] == [
        ["a"],
        ["b"],
    ]


def test_claims_and_evidence_come_in_the_order_of_the_tests_whoever_ran_first(collector):
    one = collector()
    late, early = claim(id="late"), claim(id="early")
    reports = [
        said("d", late, position=3),
        said("b", early, position=1),
        said("c", late, position=2),
        said("a", early, position=0),
    ]
    ended(one, *reports)
    assert [(c["id"], [e["test"] for e in c["evidence"]]) for c in one.document["claims"]] == [
        ("early", ["a", "b"]),
        ("late", ["c", "d"]),
    ]


@pytest.mark.parametrize(
    ("longrepr", "words"),
    [
        ("def f():\n>   import x\n\nE   ModuleNotFoundError: no x  \n\n  \n", "ModuleNotFoundError: no x"),
        ("ImportError: no y", "ImportError: no y"),
        ("first\nlast", "last"),
    ],
)
def test_of_a_file_that_cannot_be_imported_the_last_line_is_told(collector, longrepr, words):
    one = collector()
    one.pytest_collectreport(file("test_a.py", longrepr, outcome="failed"))
    assert ended(one, status=INTERRUPTED) == INTERRUPTED
    assert one.document["errors"] == [f"test_a.py: {words}"]
    assert one.document["claims"] == []


def test_a_file_that_is_skipped_is_told_with_its_reason_and_one_that_passes_is_not(collector):
    one = collector()
    one.pytest_collectreport(file("test_a.py", ("test_a.py", 3, "Skipped: no flint"), outcome="skipped"))
    one.pytest_collectreport(file("test_b.py", None, outcome="passed"))
    assert ended(one, status=NOTHING) == NOTHING
    assert (one.document["skipped"], one.document["errors"]) == (["test_a.py: no flint"], [])


def test_a_session_without_anything_to_tell_has_no_ledger(collector, tmp_path):
    one = collector(ledger=tmp_path / "ledger.json")
    assert ended(one, status=NOTHING) == NOTHING
    assert one.document is None and printed(one) == [] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [OK, NOTHING, FAILED])
def test_a_claim_that_is_not_there_is_a_usage_error_unless_a_failure_may_hide_it(collector, tmp_path, status):
    one = collector(claim=["other", "c", "more"], ledger=tmp_path / "ledger.json")
    assert ended(one, said("a", claim()), status=status) == (FAILED if status == FAILED else USAGE)
    assert one.document["errors"] == ([] if status == FAILED else ["no such claim: other"])
    assert not (tmp_path / "ledger.json").exists()
    assert "ledger written" not in " ".join(printed(one))


def test_the_ledger_is_written_where_it_was_asked_for_and_the_terminal_says_so(collector, tmp_path):
    path = tmp_path / "ledger.json"
    one, two = collector(ledger=path, claim=["c"]), collector()
    for each in (one, two):
        assert ended(each, said("a", claim())) == OK
    assert json.loads(path.read_text()) == json.loads(json.dumps(one.document))
    assert printed(one)[0] == "[claims]" and printed(one)[-1] == f"ledger written to {path}"
    assert printed(two) == printed(one)[:-1] and len(printed(two)) > 2


@pytest.mark.parametrize(
    ("outcomes", "status", "end"),
    [
        (("passed", "passed"), OK, OK),
        (("failed", "passed"), OK, FAILED),
        (("failed", "failed"), FAILED, FAILED),
        (("failed", "passed"), INTERRUPTED, INTERRUPTED),
    ],
)
def test_one_broken_claim_fails_a_session_that_went_well(collector, outcomes, status, end):
    reports = [said(id, claim(id=id), outcome=outcome) for id, outcome in zip("ab", outcomes, strict=True)]
    assert ended(collector(), *reports, status=status) == end


PART = [
    {"keyword": "k"},
    {"markexpr": "m"},
    {"deselect": ["t"]},
    {"maxfail": 1},
    {"lf": True},
    {"stepwise": True},
]


@pytest.mark.parametrize("options", PART)
def test_a_run_narrowed_in_any_way_is_a_part(collector, options):
    for one, complete in (
        (collector(), True),
        (collector(lf=False, stepwise=False), True),
        (collector(**options), False),
    ):
        ended(one, said("a", claim()))
        assert one.document["complete"] is complete


@pytest.mark.parametrize(
    ("arguments", "status", "complete"),
    [
        ((".",), OK, True),
        ((".",), FAILED, True),
        ((".",), INTERRUPTED, False),
        ((".", "test_a.py"), OK, True),
        (("test_a.py::test_it",), OK, False),
        ((".", "test_a.py::test_it"), OK, False),
    ],
)
def test_a_run_cut_short_or_of_tests_picked_by_hand_is_a_part(collector, arguments, status, complete):
    one = collector(*arguments)
    ended(one, said("a", claim()), status=status)
    assert one.document["complete"] is complete


@pytest.fixture
def folders(tmp_path):
    """Two folders of claims, one of them part of a package; nothing is ever run of them."""
    for name in ("plain", "package/inner"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "test_a.py").write_text("SILENT = Claim('silent', 'Eq. 1', 'statement')\n")
    (tmp_path / "package" / "__init__.py").touch()
    return tmp_path


NOWHERE = "claim c rests on nowhere, which is no claim"
SILENT = "claim silent: no test in test_a.py speaks of it"


@pytest.mark.parametrize(
    ("arguments", "options", "errors"),
    [
        (("plain",), {}, [SILENT, NOWHERE]),
        (("package",), {}, [SILENT, NOWHERE]),
        (("package/inner",), {}, []),
        (("plain/test_a.py",), {}, []),
        (("plain/test_a.py::test_it",), {}, []),
        (("plain", "package/inner"), {}, []),
        (("plain",), {"claim": ["c"]}, []),
        (("plain",), {"on_device": True}, []),
        (("plain",), {"ignore": ["x"]}, []),
        (("plain",), {"ignore_glob": ["x"]}, []),
        (("plain",), {"keyword": "x"}, []),
    ],
)
def test_what_is_missed_where_all_claims_there_are_were_run(collector, folders, arguments, options, errors):
    one = collector(*arguments, **options)
    ended(one, said("a", claim(rests_on=("nowhere",))))
    assert one.document["errors"] == errors


@pytest.mark.parametrize("outcome", ["failed", "skipped"])
def test_a_file_that_was_not_run_may_hold_what_is_missed(collector, folders, outcome):
    one = collector("plain")
    one.pytest_collectreport(file("test_b.py", ("test_b.py", 1, "Skipped: x"), outcome=outcome))
    ended(one, said("a", claim(rests_on=("nowhere",))))
    assert NOWHERE not in one.document["errors"] and SILENT not in one.document["errors"]


def test_a_claim_in_two_files_is_told_if_it_was_run(collector, folders):
    once = collector("plain")
    ended(once, said("a", claim(id="silent")))
    assert once.document["errors"] == []
    (folders / "plain" / "test_b.py").write_text("TWICE = Claim('silent', 'Eq. 1', 'statement')\n")
    words = "claim silent is stated in test_a.py and test_b.py; a claim is one file"
    for run, told in (("silent", True), ("c", False)):
        one = collector("plain", keyword="x")
        ended(one, said("a", claim(id=run)))
        assert (words in one.document["errors"]) is told


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"longrepr": ("test_a.py", 3, "Skipped: no flint")}, "no flint"),
        ({"longrepr": SimpleNamespace(reprcrash=SimpleNamespace(message=" \n\n  error 2\nis above 1"))}, "error 2"),
        ({"longrepr": "[XPASS(strict)] it passed"}, "[XPASS(strict)] it passed"),
        ({"longrepr": "\n  crashed \n", "wasxfail": "known"}, "crashed"),
        ({"longrepr": None, "wasxfail": "known"}, "known"),
        ({"longrepr": None}, ""),
    ],
)
def test_the_reason_is_one_line(fields, words):
    assert reason_of(SimpleNamespace(**fields)) == words
