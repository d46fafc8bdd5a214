"""A certificate: which ones are read, and that an outcome is never a bool."""

from fractions import Fraction

import pytest

from verify.certify.checker import certificate as checker
from verify.certify.checker.outcome import Status, proved, undecided
from verify.certify.subjects import of_spectrum
from verify.errors import InputError

SUBJECT = of_spectrum([Fraction(3), Fraction(1, 10)])


@pytest.fixture
def claims(monkeypatch):
    """A kind that is proved where it says so."""

    def check(statement, subject):
        if "raises" in statement:
            raise statement["raises"]
        return proved("so it is") if statement["holds"] else undecided("who knows")

    monkeypatch.setitem(checker.KINDS, "claim", check)


def made(**changes):
    about = {"sha256": SUBJECT.sha256, "n": 2, "N": None}
    statements = [{"kind": "claim", "holds": True}, {"kind": "claim", "holds": False}]
    return {"format": checker.FORMAT, "version": 1, "subject": about, "statements": statements, **changes}


def test_every_statement_has_an_outcome(claims):
    assert [one.status for one in checker.check(made(), SUBJECT)] == [Status.PROVED, Status.UNDECIDED]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "no certificate"),
        ([], "no certificate"),
        ("x", "no certificate"),
        (made(format="another"), "no certificate"),
        (made(version=2), "version '2'"),
        (made(version=True), "version 'True'"),
        (made(version="1"), "version '1'"),
        (made(subject={}), "lacks its subject"),
        (made(subject=None), "lacks its subject"),
        (made(subject={"sha256": SUBJECT.sha256, "n": 3, "N": None}), "other data"),
        (made(subject={"sha256": SUBJECT.sha256, "n": 2, "N": 2}), "other data"),
        (made(subject={"sha256": "0" * 64, "n": 2, "N": None}), "other data"),
        (made(statements=[]), "states something"),
        (made(statements={}), "states something"),
        (made(statements=[{"kind": "claim", "holds": True}] * 1001), "at most 1000"),
        (made(statements=[{"kind": "nothing"}]), "statement 1: no kind"),
        (made(statements=[{}]), "statement 1: no kind"),
        (made(statements=["claim"]), "statement 1: no kind"),
        (made(statements=[{"kind": ["claim"]}]), "statement 1: no kind"),
        (made(statements=[{"kind": "claim"}]), r"it has no"),
    ],
)
def test_what_is_no_certificate_of_these_data_is_refused(given, said, claims):
    with pytest.raises(InputError, match=said):
        checker.check(given, SUBJECT)


@pytest.mark.parametrize("error", [ZeroDivisionError(), OverflowError(), IndexError(), AttributeError(), TypeError()])
def test_nonsense_is_malformed_and_no_crash(error, claims):
    with pytest.raises(InputError, match=r"statement 1 \(claim\): malformed"):
        checker.check(made(statements=[{"kind": "claim", "raises": error}]), SUBJECT)


def test_an_outcome_is_no_bool():
    with pytest.raises(TypeError, match="no bool"):
        bool(proved("yes"))
