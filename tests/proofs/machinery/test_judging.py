"""Every branch of the verdict: the roles, the steps, what a claim rests on; and that strength is the weakest link."""

import json
from dataclasses import asdict
from itertools import product

import pytest

from proofs.machinery.claims import STRENGTHS, Claim
from proofs.machinery.judging import Evidence, as_wholes, circular, founded, judge, weakest, worst_error


def claim(*steps, id="eq-1", argued=(), **fields):
    """A claim with these steps, some with no more than an argument."""
    made = Claim(id, "Eq. 1", "1 = 1", **fields)
    for step in steps or ("whole",):
        made.step(step, f"that {step}", argument="in words" if step in argued else "")
    return made


AT_FAULT = {"quote": "as printed", "fault": "false", "finding": "as found"}
CORRECTED = AT_FAULT | {"fault": "misprint"}


def said(role, outcome="passed", strength="tested", step="whole", **fields):
    rejections = 1 if role == "control" and outcome == "passed" else 0
    fields = {"rejections": rejections, **fields}
    test = f"test_{role}"
    return Evidence(test=test, role=role, kind="numeric", strength=strength, outcome=outcome, step=step, **fields)


CONTROL = said("control")


@pytest.mark.parametrize(
    ("roles", "verdict"),
    [
        ({"supports"}, "holds"),
        ({"supports", "corrected"}, "holds"),
        ({"refutes"}, "refuted"),
        ({"refutes", "corrected"}, "holds with correction"),
        ({"corrected"}, "undecided"),
        ({"supports", "refutes"}, "broken"),
        ({"supports", "refutes", "corrected"}, "broken"),
    ],
    ids=lambda value: "+".join(sorted(value)) if isinstance(value, set) else "",
)
def test_verdict_follows_from_the_roles_that_passed(roles, verdict):
    about = claim(**(CORRECTED if "corrected" in roles else AT_FAULT) if "refutes" in roles else {})
    assert judge(about, [*map(said, sorted(roles)), CONTROL]).verdict == verdict


@pytest.mark.parametrize("role", ["supports", "corrected", "refutes", "control"])
def test_a_failing_test_breaks_the_claim_whatever_else_passed(role):
    for others in product(["supports", "corrected", "refutes", None], repeat=2):
        evidence = [said(other) for other in others if other] + [CONTROL, said(role, "failed", reason="off by 2")]
        judgement = judge(claim(), evidence)
        assert (judgement.verdict, judgement.strength) == ("broken", None)
        assert f"{role} test_{role} failed: off by 2" in judgement.reasons


@pytest.mark.parametrize("role", ["supports", "corrected", "refutes"])
def test_a_step_that_refused_nothing_breaks_its_claim(role):
    judgement = judge(claim(), [said(role)])
    assert judgement.verdict == "broken"
    assert judgement.reasons == ("step whole: no control passed, so nothing shows that its checker can say no",)
    # One that refuses a false statement within the same test is a control of itself.
    assert judge(claim(**AT_FAULT), [said("refutes", rejections=2)]).verdict == "refuted"


def test_each_step_needs_a_control_of_its_own():
    both = [said("supports", step="a"), said("supports", step="b"), said("control", step="a")]
    assert judge(claim("a", "b"), both).reasons == (
        "step b: no control passed, so nothing shows that its checker can say no",
    )
    assert judge(claim("a", "b"), [*both, said("control", step="b")]).verdict == "holds"


@pytest.mark.parametrize("outcome", ["skipped", "undecided"])
def test_a_conclusion_beside_a_control_that_did_not_pass_is_broken(outcome):
    assert judge(claim(), [said("supports"), said("control", outcome)]).verdict == "broken"
    assert judge(claim(), [said("supports"), said("control", outcome), CONTROL]).verdict == "holds"


def test_evidence_for_no_step_and_a_step_without_evidence_are_errors():
    [reason] = judge(claim(), [said("supports"), CONTROL, said("supports", step="")]).reasons
    assert reason == "test_supports is evidence for no step"
    [reason] = judge(claim(), [said("supports"), CONTROL, said("supports", step="x")]).reasons
    assert reason == "test_supports is evidence for step x, which is none"
    [reason] = judge(claim("whole", "forgotten"), [said("supports"), CONTROL]).reasons
    assert reason == "step forgotten: neither evidence nor an argument"
    only_control = [said("supports"), CONTROL, said("control", step="other")]
    assert judge(claim("whole", "other"), only_control).verdict == "broken"
    assert judge(Claim("eq-1", "", ""), []).reasons == ("no steps: nothing says what is shown",)


def test_strength_is_the_best_of_a_step_and_the_weakest_of_a_claim():
    control = [said("control", step="a"), said("control", step="b")]
    for one, two in product(STRENGTHS[1:], repeat=2):
        evidence = [said("supports", strength=one, step="a"), said("supports", strength=two, step="b"), *control]
        judgement = judge(claim("a", "b"), evidence)
        assert judgement.steps == {"a": one, "b": two}
        assert judgement.strength == min(one, two, key=STRENGTHS.index)
        best = judge(claim("a"), [said("supports", strength=s, step="a") for s in (one, two)] + control[:1])
        assert best.strength == max(one, two, key=STRENGTHS.index)


def test_a_tested_refutation_beside_a_proved_correction_is_tested():
    about = claim("witness", "formula", **CORRECTED)
    evidence = [
        said("refutes", step="witness"),
        said("corrected", strength="proved", step="formula"),
        said("control", strength="proved", step="witness"),
        said("control", strength="proved", step="formula"),
    ]
    judgement = judge(about, evidence)
    assert (judgement.verdict, judgement.strength) == ("holds with correction", "tested")


def test_words_are_argued_until_a_machine_runs_something():
    about = claim("a", "b", argued=("b",))
    proved = [said("supports", strength="proved", step="a"), said("control", step="a")]
    assert judge(about, proved).strength == "argued"
    beside = [*proved, said("supports", step="b"), said("control", step="b")]
    assert judge(about, beside).strength == "tested"
    silent = [*proved, said("supports", "skipped", step="b", strength="proved")]
    assert judge(about, silent).strength == "argued"


def test_a_step_of_which_nothing_passed_leaves_the_claim_undecided_and_says_why():
    evidence = [said("supports", "skipped", reason="python-flint is missing"), said("control", "skipped")]
    judgement = judge(claim(), evidence)
    assert (judgement.verdict, judgement.strength) == ("undecided", None)
    [reason] = judgement.reasons
    skipped = "step whole: supports test_supports skipped: python-flint is missing"
    assert reason == f"{skipped}; control test_control skipped: "
    assert judge(claim(), [evidence[0], CONTROL]).reasons == (skipped,)  # what passed is no reason
    assert judge(claim(), [said("corrected"), CONTROL]).reasons == (
        "what ran neither supports nor refutes the printed statement",
    )
    other = [said("supports", step="a"), said("control", step="a"), said("supports", "undecided", step="b")]
    assert judge(claim("a", "b"), other).verdict == "undecided"


@pytest.mark.parametrize("outcome", ["skipped", "undecided"])
def test_evidence_that_did_not_run_through_leaves_the_rest_of_its_step_to_speak(outcome):
    assert judge(claim(), [said("supports"), said("refutes", outcome), CONTROL]).verdict == "holds"
    assert judge(claim(**AT_FAULT), [said("refutes"), said("corrected", outcome), CONTROL]).verdict == "refuted"
    assert judge(claim(), [said("refutes", outcome), said("corrected"), CONTROL]).verdict == "undecided"


def test_a_partial_run_excuses_what_is_missing_and_concludes_nothing_from_it():
    def partial(about, *evidence):
        return judge(about, evidence, complete=False).verdict

    assert partial(claim(), said("supports")) == "undecided"
    assert partial(claim(), said("supports"), CONTROL) == "holds"
    assert partial(claim("whole", "other"), said("supports"), CONTROL) == "undecided"
    assert partial(claim(), said("supports", "failed")) == "broken"
    assert partial(claim(), said("supports"), said("refutes")) == "broken"
    assert partial(claim(), said("supports", step="")) == "broken"
    # Each step that was run needs its control, and one that has only words needs none.
    one_of_two = [said("supports", step="a"), said("control", step="a")]
    assert partial(claim("a", "b"), *one_of_two, said("supports", step="b")) == "undecided"
    assert partial(claim("a", "b", argued=("b",)), *one_of_two) == "holds"
    assert partial(claim("a", argued=("a",)), said("control", step="a")) == "undecided"
    assert partial(Claim("eq-1", "", "")) == "undecided"


def test_a_partial_run_says_that_it_is_one():
    part = "only part of the evidence was run"
    assert judge(claim(), [said("supports")], complete=False).reasons == (part,)
    assert judge(Claim("eq-1", "", ""), [], complete=False).reasons == (part,)
    silent = judge(claim("whole", "other"), [said("supports"), CONTROL], complete=False)
    assert silent.reasons == ("step other: nothing of it was run", part)
    skipped = judge(claim(), [said("supports", "skipped"), CONTROL])
    assert part not in skipped.reasons


def test_a_claim_says_what_is_wrong_with_the_printed_form_exactly_if_something_is():
    refuted = [said("refutes"), CONTROL]
    assert judge(claim(**AT_FAULT), refuted).verdict == "refuted"
    for name in AT_FAULT:
        fields = {**AT_FAULT, name: None if name == "fault" else ""}
        assert judge(claim(**fields), refuted).reasons == (f"refuted, and the claim has no {name}",)
    [reason] = judge(claim(**AT_FAULT), [said("supports"), CONTROL]).reasons
    assert reason == "the claim calls the printed form false, and nothing speaks against it"
    corrected = [*refuted, said("corrected")]
    for fault, words in (("misprint", "a misprint"), ("missing hypothesis", "right but for a hypothesis")):
        about = claim(**CORRECTED | {"fault": fault})
        assert judge(about, corrected).verdict == "holds with correction"
        assert judge(about, refuted).reasons == (f"refuted, and the claim calls the printed form {words}",)
    [reason] = judge(claim(**AT_FAULT), corrected).reasons
    assert reason == "holds with correction, and the claim calls the printed form false"


def resting(strengths=(), verdicts=(), **arrows):
    """Claims a=("b",) that rest on one another -> their final judgements."""
    claims = [claim(id=id, rests_on=ids) for id, ids in arrows.items()]
    own = {}
    for one in claims:
        strength = dict(strengths).get(one.id, "proved")
        evidence = {
            "broken": [said("supports", "failed")],
            "undecided": [said("supports", "undecided")],
            "holds": [said("supports", strength=strength), CONTROL],
        }[dict(verdicts).get(one.id, "holds")]
        own[one.id] = judge(one, evidence)
    return claims, own


def test_a_claim_is_no_stronger_than_what_it_rests_on_however_far_below():
    for weak in STRENGTHS[1:]:
        final = founded(*resting(strengths={"c": weak}, a=("b",), b=("c", "d"), c=(), d=()))
        assert {id: one.strength for id, one in final.items()} == {"a": weak, "b": weak, "c": weak, "d": "proved"}
        assert {one.verdict for one in final.values()} == {"holds"}


def test_what_rests_on_a_broken_or_undecided_claim_is_broken_or_undecided():
    for verdict in ("broken", "undecided"):
        final = founded(*resting(verdicts={"c": verdict}, a=("b",), b=("c",), c=(), d=()))
        assert [final[id].verdict for id in "abcd"] == [verdict, verdict, verdict, "holds"]
        assert [final[id].strength for id in "abcd"] == [None, None, None, "proved"]
        assert f"rests on c, which is {verdict}" in final["b"].reasons
    both = founded(*resting(verdicts={"b": "broken", "c": "undecided"}, a=("b", "c"), b=(), c=()))
    assert both["a"].verdict == "broken"


def test_what_rests_on_a_claim_that_was_not_run_has_a_verdict_and_no_strength():
    final = founded(*resting(a=("b", "elsewhere"), b=()))
    assert (final["a"].verdict, final["a"].strength, final["b"].strength) == ("holds", None, "proved")
    assert final["a"].reasons == ("rests on elsewhere, not run here: so no strength is given",)
    above = founded(*resting(a=("b",), b=("elsewhere",)))
    assert above["a"].strength is None


@pytest.mark.parametrize(
    ("arrows", "round_"),
    [
        ({"a": ("a",), "b": ()}, {"a"}),
        ({"a": ("b",), "b": ("a",), "c": ()}, {"a", "b"}),
        ({"a": ("b",), "b": ("c",), "c": ("d", "a"), "d": ()}, {"a", "b", "c"}),
        ({"a": ("b",), "b": ("c",), "c": ()}, set()),
    ],
    ids=["itself", "two", "three", "none"],
)
def test_a_claim_that_rests_on_itself_is_broken(arrows, round_):
    claims, own = resting(**arrows)
    assert circular(claims) == round_
    final = founded(claims, own)
    assert {id for id, one in final.items() if one.verdict == "broken"} == round_


def test_what_rests_on_a_circle_is_broken():
    final = founded(*resting(top=("a",), a=("b",), b=("a",)))
    assert {one.verdict for one in final.values()} == {"broken"}


def test_a_fact_whose_own_test_failed_breaks_what_trusts_it():
    claims = [claim(id="a", trusts=("hadamard",)), claim(id="b", rests_on=("a",)), claim(id="c")]
    own = {one.id: judge(one, [said("supports"), CONTROL]) for one in claims}
    final = founded(claims, own, failed_facts=["hadamard"])
    assert [final[id].verdict for id in "abc"] == ["broken", "broken", "holds"]
    assert final["a"].reasons == ("trusts hadamard, whose own test failed",)
    assert {one.verdict for one in founded(claims, own, failed_facts=["svd"]).values()} == {"holds"}


def test_the_weakest_of_nothing_is_nothing():
    assert weakest([]) is None
    assert weakest(["proved", None]) is None
    assert weakest(["proved", "argued", "certified"]) == "argued"


def test_worst_error_is_that_of_evidence_that_passed_and_is_no_control():
    evidence = [
        said("supports", worst_error=1e-13),
        said("corrected", worst_error=3e-13),
        said("control", worst_error=1.0),
        said("supports", "failed", worst_error=2.0),
        said("supports"),
    ]
    assert worst_error(evidence) == 3e-13
    assert worst_error([CONTROL, said("supports")]) is None


def test_a_step_against_and_for_is_as_strong_as_the_weaker_side():
    about = Claim("a", "", "", quote="q", fault="misprint", finding="f")
    about.step("whole", "all of it")

    def seen(role, strength, test):
        return Evidence(test, role, "symbolic", strength, "passed", step="whole", rejections=1)

    both = [seen("refutes", "tested", "t"), seen("corrected", "proved", "u")]
    assert judge(about, both).strength == "tested"
    assert judge(about, [*both, seen("refutes", "proved", "v")]).strength == "proved"


def test_a_long_chain_of_claims_and_a_circle_above_it_are_told_apart():
    chain = [Claim(str(i), "", "", rests_on=(str(i + 1),)) for i in range(2000)]
    circle = [Claim("x", "", "", rests_on=("y", "0")), Claim("y", "", "", rests_on=("x",))]
    above = Claim("z", "", "", rests_on=("x",))
    assert circular([*chain, *circle, above]) == {"x", "y"}


def answered(role, accepted, refused=(), **fields):
    return said(role, accepted=accepted, refused=refused, rejections=len(refused), **fields)


def test_a_check_that_never_said_no_in_a_claim_breaks_it():
    evidence = [answered("supports", ("agree", "check")), answered("control", ("check",), ("agree",))]
    [reason] = judge(claim(), evidence).reasons
    assert reason == "the check `check` says yes to all that this claim shows it: no false statement was refused by it"
    assert judge(claim(), [*evidence, answered("control", (), ("check",))]).verdict == "holds"
    # Where a test did not run it might have been the one that says no; and a part of a run is no whole.
    assert judge(claim(), [*evidence, said("control", "skipped")]).verdict == "holds"
    assert judge(claim(), evidence, complete=False).verdict == "holds"


def cases(**outcomes):
    """A test "t" with a case for each of these outcomes: a="passed" is "folder[1]/file::t[a]"."""
    return [
        Evidence(f"folder[1]/file::t[{case}]", "supports", "numeric", "tested", outcome, step="whole", rejections=1)
        for case, outcome in outcomes.items()
    ]


@pytest.mark.parametrize("outcome", ["skipped", "undecided"])
def test_a_case_that_did_not_run_through_silences_the_other_cases_of_its_test_only(outcome):
    other = Evidence("folder[1]/file::other", "supports", "numeric", "tested", "passed", step="whole")
    elsewhere = Evidence("folder[2]/file::t[a]", "supports", "numeric", "tested", "passed", step="whole")
    evidence = [*cases(a="passed", b=outcome, c="failed", d="passed"), other, elsewhere]
    wholes = as_wholes(evidence)
    assert [e.test for e in wholes] == [e.test for e in evidence]
    assert [e.outcome for e in wholes] == [outcome, outcome, "failed", outcome, "passed", "passed"]
    assert wholes[0].reason == wholes[3].reason == f"its case [b] was {outcome}"
    assert judge(claim(), cases(a="passed", b=outcome)).verdict == "undecided"


def test_cases_that_all_passed_and_tests_without_cases_speak_for_themselves():
    evidence = [*cases(a="passed", b="passed"), said("supports", "skipped"), said("supports")]
    assert as_wholes(evidence) == evidence
    assert judge(claim(), evidence).verdict == "holds"


def test_evidence_is_the_same_after_a_journey_as_json():
    evidence = answered("control", ("agree", "same"), ("check",), worst_error=0.5)
    again = Evidence(**json.loads(json.dumps(asdict(evidence))))
    assert again == evidence and hash(again) == hash(evidence)


def test_evidence_that_recorded_nothing_counts_nothing():
    bare = Evidence("t", "control", "numeric", "tested", "passed", step="whole")
    assert (bare.rejections, bare.instances, bare.seconds, bare.worst_error) == (0, 0, 0.0, None)
    assert judge(claim(), [said("supports"), bare]).verdict == "broken"  # it is no control either
