"""Formulas, and whether the steps of a claim entail its conclusion: no more, no less, and nothing idle."""

from itertools import product

import pytest

from proofs.machinery.checks import Disagreement
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes, conclusions, formula


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a", lambda a, b, c: a),
        ("~a & b", lambda a, b, c: not a and b),
        ("a & ~b -> c", lambda a, b, c: not (a and not b) or c),
        ("a -> b & c", lambda a, b, c: not a or (b and c)),
        ("a | b & c", lambda a, b, c: a or (b and c)),
        ("(a | b) & c", lambda a, b, c: (a or b) and c),
        ("a <-> ~b | c", lambda a, b, c: a == (not b or c)),
    ],
)
def test_a_formula_means_what_it_says(text, meaning):
    found = formula(text)
    for a, b, c in product([True, False], repeat=3):
        assert bool(found.subs({"a": a, "b": b, "c": c})) == bool(meaning(a, b, c))


def test_names_that_sympy_knows_are_names_here():
    assert {str(name) for name in formula("S & E & I -> Q | N").free_symbols} == set("SEIQN")


@pytest.mark.parametrize(
    "text", ["", "1", "a +", "a + b", "f(a)", "a -> b -> c", "a <-> b <-> c", "a and b", "a >> b", "-a", "not a", "("]
)
def test_what_is_no_formula_is_refused(text):
    with pytest.raises(ValueError, match="is no formula"):
        formula(text)


def chain():
    """local -> listed (another claim), listed & ~top -> rises, and a fact: local -> ~rises."""
    claim = Claim("a", "", "", rests_on=("points",), trusts=("second-order",))
    claim.step("listed", "", says="listed & ~top -> rises")
    claim.step("silent", "has nothing to say here")
    return claim


PREMISES = {"points": "local -> listed", "second-order": "local -> ~rises"}


def test_what_follows_is_accepted_and_its_premises_counted():
    assert concludes(chain(), "local -> top", PREMISES) == 3


def test_conclusions_are_counted_and_those_that_do_not_follow_are_not():
    before = conclusions()
    concludes(chain(), "local -> top", PREMISES)
    concludes(chain(), "local -> top", PREMISES)
    with pytest.raises(Disagreement):
        concludes(chain(), "top -> local", PREMISES)
    assert conclusions() - before == 2


def test_what_is_used_and_what_the_claim_says_that_it_uses_are_the_same():
    idle = Claim("a", "", "", rests_on=("points", "elsewhere"), trusts=("second-order",))
    hidden = Claim("a", "", "", rests_on=("points",))
    for claim in (idle, hidden):
        claim.step("listed", "", says="listed & ~top -> rises")
        with pytest.raises(Disagreement, match=r"found .*'points', 'second-order'.*, expected"):
            concludes(claim, "local -> top", PREMISES)


@pytest.mark.parametrize("more", ["local", "top", "local -> top & rises", "top -> local", "local <-> top"])
def test_what_does_not_follow_is_refused(more):
    with pytest.raises(Disagreement, match="does not follow"):
        concludes(chain(), more, PREMISES)


@pytest.mark.parametrize("left_out", PREMISES)
def test_a_premise_left_out_is_missed(left_out):
    premises = {id: text for id, text in PREMISES.items() if id != left_out}
    with pytest.raises(Disagreement):  # it is named by the claim
        concludes(chain(), "local -> top", premises)
    claim = Claim("a", "", "", rests_on=tuple(premises))
    claim.step("listed", "", says="listed & ~top -> rises")
    with pytest.raises(Disagreement, match="does not follow"):
        concludes(claim, "local -> top", premises)


def test_an_idle_premise_a_foreign_one_and_a_contradiction_are_refused():
    idle = chain()
    idle.step("idle", "", says="bounded -> listed")
    with pytest.raises(Disagreement, match="step idle is not needed"):
        concludes(idle, "local -> top", PREMISES)
    with pytest.raises(Disagreement):
        concludes(chain(), "local -> top", PREMISES | {"elsewhere": "local"})
    with pytest.raises(Disagreement, match="no step says anything"):
        concludes(Claim("a", "", ""), "local -> top")
    absurd = Claim("a", "", "")
    absurd.step("yes", "", says="p")
    absurd.step("no", "", says="~p")
    with pytest.raises(Disagreement, match="contradict"):
        concludes(absurd, "q")


def test_what_holds_of_nothing_and_what_one_premise_says_are_no_conclusions():
    void = Claim("a", "", "")
    void.step("one", "", says="local -> listed")
    void.step("two", "", says="listed -> ~local")
    with pytest.raises(Disagreement, match="never is"):
        concludes(void, "local -> top")
    assert concludes(void, "~local") == 2  # said as what it is
    alone = Claim("a", "", "")
    alone.step("one", "", says="local -> top")
    with pytest.raises(Disagreement, match="only premise"):
        concludes(alone, "local -> top")
