"""A ledger in which every verdict, strength and kind of fault is met, judged as a run would judge it."""

import dataclasses

from proofs.machinery.claims import Claim, Fact
from proofs.machinery.judging import Evidence
from proofs.machinery.ledger import ledger

KINDS = {"tested": "numeric", "certified": "certificate", "proved": "symbolic"}
SVD = Fact("svd", "every matrix is U K R", "a book, 2.6.3")
CHAIN = Fact("chain-rule", "derivatives of compositions", "any course")


def said(step, role="supports", strength="tested", outcome="passed"):
    return Evidence(
        f"proofs/x.py::test_{step}_{role}",
        role,
        KINDS[strength],
        strength,
        outcome,
        step,
        rejections=2 if role == "control" else 0,
        instances=1,
        worst_error=1e-14 if strength == "tested" and role != "control" else None,
        witness="lam = (3, 2)" if role == "refutes" else "",
        reason="error 1 is above 0.1" if outcome == "failed" else "",
    )


def entry(id, strength="proved", roles=("supports",), outcome="passed", **fields):
    """A claim of two steps, the first of this strength and the other proved, with its evidence."""
    given = {"source": f"Sec. of {id}", "statement": f"what {id} says", "section": "Probabilistic PCA", **fields}
    claim = Claim(id=id, **given)
    evidence = []
    for name, how in (("first", strength), ("conclusion", "proved")):
        words = "since it is so" if how == "argued" else ""
        claim.step(name, f"the {name} of {id}", argument=words, place="Proposition 3")
        if how != "argued":
            evidence += [said(name, role, how, outcome) for role in roles] + [said(name, "control")]
    return claim, evidence


def at_fault(fault):
    return {"fault": fault, "quote": f"printed as {fault}", "finding": f"found instead of {fault}"}


ENTRIES = (
    entry("ground", trusts=("svd",)),
    entry("misprinted", roles=("refutes", "corrected"), rests_on=("ground",), **at_fault("misprint")),
    entry("hypothesis-missing", "certified", ("refutes", "corrected"), **at_fault("missing hypothesis")),
    entry("false-claim", "tested", ("refutes",), rests_on=("misprinted",), **at_fault("false")),
    entry("in-words", "argued", rests_on=("ground",), trusts=("svd", "chain-rule")),
    entry("upon-words", rests_on=("in-words", "ground")),
    entry("cannot-tell", outcome="undecided"),
    entry("failing", outcome="failed", rests_on=("ground",)),
)


def document(*, complete=True, ids=()):
    """The ledger of all of these, or of some."""
    entries = [one for one in ENTRIES if not ids or one[0].id in ids]
    facts = [(SVD, [said("", strength="tested")]), (CHAIN, [])]
    return ledger(entries, facts=facts, environment={"python": "3.11"}, complete=complete)


def renamed(name):
    """One claim, whose every word is this."""
    claim, evidence = entry("ground", **dict.fromkeys(("source", "statement", "hypotheses", "quote", "finding"), name))
    claim = dataclasses.replace(claim, id=name, trusts=(name,))
    for step in ("first", "conclusion"):
        claim.step(step, name, argument=name, place=name)
    return ledger([(claim, evidence)], facts=[(Fact(name, name, name), [])], environment={name: name}, errors=[name])
