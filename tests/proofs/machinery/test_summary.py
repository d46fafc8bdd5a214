"""The printed ledger: what each claim rests on, its weakest link, what is wrong with the printed form, the totals."""

import pytest

from proofs.machinery.claims import Claim, Fact
from proofs.machinery.judging import Evidence
from proofs.machinery.ledger import ledger
from proofs.machinery.summary import WIDTH, at_fault, lines, weakest_link

KINDS = {"tested": "numeric", "certified": "certificate", "proved": "symbolic"}


def said(step, role="supports", strength="proved", **fields):
    refused = int(role == "control")
    given = {"outcome": "passed", "instances": 1, **fields}
    return Evidence(f"test_{role}", role, KINDS[strength], strength, step=step, rejections=refused, **given)


def entry(id, *strengths, roles=("supports",), source="Eq. 1", **fields):
    """A claim with a step for each of these strengths: s1, s2, ..."""
    claim, evidence = Claim(id, source, "1 = 1", section="Probabilistic PCA", **fields), []
    for number, strength in enumerate(strengths, start=1):
        step = claim.step(f"s{number}", "a part", argument="in words" if strength == "argued" else "")
        if strength != "argued":
            evidence += [said(step.id, role, strength, witness=f"seen by {role}") for role in roles]
            evidence.append(said(step.id, "control"))
    return claim, evidence


def wrong(fault, **fields):
    return {"fault": fault, "quote": "as printed", "finding": f"found, not {fault}", **fields}


def printed(*entries, **options):
    return "\n".join(lines(ledger(entries, environment={}, **options)))


def below(text, id):
    """The lines that stand below a claim's row."""
    rows = text.splitlines()
    start = next(i for i, row in enumerate(rows) if row.split()[:1] == [id])
    end = next(i for i in range(start + 1, len(rows)) if not rows[i].startswith("      "))
    return [row.strip() for row in rows[start + 1 : end]]


def test_the_weakest_link_is_named_unless_all_is_proved():
    entries = [
        entry("whole", "proved", "proved"),
        entry("floating", "proved", "tested", "tested"),
        entry("upon", "proved", rests_on=("floating", "whole")),
        entry("higher", "certified", rests_on=("upon",)),
        entry("words", "argued", "tested", rests_on=("floating",)),
        entry("balls", "proved", "certified"),
    ]
    text = printed(*entries)
    assert below(text, "whole") == []
    assert below(text, "floating") == ["weakest: steps s2, s3, tested"]
    assert below(text, "upon") == ["rests on: floating, whole", "weakest: rests on floating, tested"]
    assert below(text, "higher") == ["rests on: upon", "weakest: rests on upon, tested"]
    assert below(text, "words") == ["rests on: floating", "weakest: step s1, argued"]
    assert below(text, "balls") == ["weakest: step s2, certified"]


@pytest.mark.parametrize(
    "claim",
    [
        {},
        {"strength": None},
        {"strength": "nonsense"},
        {"strength": "tested", "steps": 7},
        {"strength": "tested", "steps": [7, None]},
        {"strength": "tested", "rests_on": [["a"], 7]},
        {"strength": "tested", "rests_on": 7},
    ],
)
def test_no_weakest_link_is_named_where_none_is_known(claim):
    assert weakest_link(claim, {}) == ""


def test_strengths_and_kinds_of_fault_are_counted_apart():
    text = printed(
        entry("a", "proved"),
        entry("b", "tested", roles=("refutes", "corrected"), **wrong("misprint")),
        entry("c", "proved", roles=("refutes", "corrected"), **wrong("missing hypothesis")),
        entry("d", "proved", roles=("refutes", "corrected"), **wrong("missing hypothesis")),
        entry("e", "certified", roles=("refutes",), **wrong("false")),
        entry("f", "argued", rests_on=("nowhere",)),
    )
    assert "6 claims: 1 holds, 3 holds with correction, 1 refuted, 1 undecided" in text
    assert "  strength, of the weakest link of each: 3 proved, 1 certified, 1 tested, 1 without" in text
    assert "  not as printed: 1 misprint, 2 missing hypotheses, 1 false" in text
    plain = printed(entry("a", "proved"))
    assert "not as printed" not in plain and plain.endswith(
        "1 claim: 1 holds\n  strength, of the weakest link of each: 1 proved"
    )


def test_what_is_found_stands_before_the_witnesses_and_each_of_these_once():
    text = printed(entry("b", "tested", "tested", roles=("corrected", "refutes"), **wrong("misprint")))
    assert below(text, "b") == [
        "weakest: steps s1, s2, tested",
        "misprint; what holds: found, not misprint",
        "witness: seen by refutes",
        "corrected: seen by corrected",
    ]


def test_what_is_found_of_a_claim_that_holds_is_said_too():
    assert below(printed(entry("a", "proved", finding="more than that")), "a") == ["found: more than that"]


def test_claims_of_the_paper_and_ours_are_counted_apart():
    slip = entry("b", "proved", roles=("refutes", "corrected"), **wrong("misprint"))
    text = printed(entry("a", "proved"), slip, entry("c", "proved", source="ours, after Eq. 1"))
    assert "  of the paper, 2: 1 holds, 1 holds with correction\n  ours, 1: 1 holds\n" in text
    assert "of the paper" not in printed(slip)


def test_trusted_facts_are_named_at_the_claim_and_in_the_totals():
    facts = [(Fact("svd", "W = U K R", "a book"), []), (Fact("jacobi", "of determinants", "a book"), [])]
    text = printed(entry("a", "proved", trusts=("svd", "jacobi")), facts=facts)
    assert below(text, "a") == ["trusts: svd, jacobi"]
    assert text.splitlines()[-1] == "  2 standard facts trusted: svd, jacobi"
    assert printed(facts=facts[:1]).splitlines()[-1] == "  1 standard fact trusted: svd"
    assert "standard fact" not in printed(entry("a", "proved"))


def test_lines_are_no_longer_than_a_page_is_wide():
    long = "a word and another " * 20
    given = {"finding": long, "quote": long, "fault": "misprint", "rests_on": tuple("abcdefgh" * 3)}
    text = printed(entry("x" * 80, "tested", roles=("refutes", "corrected"), **given))
    assert max(map(len, text.splitlines())) <= WIDTH == 100 and "..." in text


@pytest.mark.parametrize(("longer", "end"), [(-1, "xx"), (0, "xx"), (1, "..."), (50, "...")])
def test_a_line_is_cut_where_it_would_be_longer_than_100(longer, end):
    def row(source):
        return next(row for row in printed(entry("a", "proved", source=source)).splitlines() if row.split()[0] == "a")

    found = row("x" * (100 - len(row("x")) + 1 + longer))
    assert len(found) == min(100, 100 + longer) and found.endswith("x" + end[-3:])


def test_a_fault_is_one_where_the_verdict_says_so():
    assert at_fault({"verdict": "holds", "kind_of_fault": "misprint"}) is None
    assert at_fault({"verdict": "refuted", "kind_of_fault": "false"}) == "false"
    assert at_fault({"verdict": "refuted"}) == at_fault({"verdict": "refuted", "kind_of_fault": 7}) == ""


def test_what_belongs_to_no_claim_is_printed_below_the_totals():
    given = {"errors": ["a file fell apart"], "skipped": ["test_x.py: not here"]}
    assert printed(entry("a", "proved"), complete=False, **given).splitlines()[-3:] == [
        "  a whole file skipped: test_x.py: not here",
        "  error outside any claim: a file fell apart",
        "  a partial run: each verdict speaks only for the evidence that was run",
    ]


def test_a_table_stands_below_its_section_and_an_empty_line_below_each():
    other = Claim("silent", "Eq. 2", "2 = 2")
    evidence = [said("s1", worst_error=1.5e-9), said("s1", "control"), said("s1", outcome="skipped", reason="no room")]
    claim, _ = entry("a", "proved")
    rows = printed((claim, evidence), entry("b", "tested"), (other, [])).splitlines()
    assert rows[0] == "Probabilistic PCA"
    assert rows[1].split() == ["claim", "verdict", "strength", "steps", "tests", "worst", "error", "source"]
    assert rows[2].split() == ["a", "holds", "proved", "1", "2/3", "1.5e-09", "Eq.", "1"]
    assert rows[3].split() == ["b", "holds", "tested", "1", "2/2", "-", "Eq.", "1"]
    assert rows[4] == "      weakest: step s1, tested"
    assert rows[5:7] == ["", "Claims"] and rows[7] == rows[1]
    assert rows[8].split() == ["silent", "broken", "-", "-", "0/0", "-", "Eq.", "2"]
    assert rows[9:11] == ["      no steps: nothing says what is shown", ""]
    assert rows[11] == "3 claims: 2 holds, 1 broken"
    assert rows[-1] == "  1 piece of evidence skipped: no room"
