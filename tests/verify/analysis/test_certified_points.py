"""Documents of stationary points with what is proved of them, and computations that are wrong."""

from fractions import Fraction

import pytest

from verify.analysis.certified_points import certified
from verify.analysis.stationary import stationary
from verify.certify.checker import balls
from verify.certify.decided import noise as certified_noise
from verify.certify.decided.enclosed import Contradiction, exactly, within
from verify.data import load
from verify.data.covariance import from_eigenvalues
from verify.errors import InputError
from verify.landscape.points import Block, Point, ordered
from verify.words.certified import CERTIFIED, UNDECIDED, status

flint = pytest.importorskip("flint")


def described(point, **changed):
    of = {"index": 0, "nullity": 0, "gauge": 0, "undecided": 0, "kind": "maximum", "strict": True, "global": True}
    return of | changed


def test_an_index_that_is_computed_wrongly_is_caught():
    found = exactly([Fraction(x) for x in (6, 4, 1)])
    best, saddle = (Point("ppca", ordered([Block((a,))], 1), 1.5, 0.0) for a in (0, 1))
    good = [described(best), described(saddle, index=1, kind="saddle", **{"global": False})]
    certified(good, [best, saddle], found, Fraction(3, 2))
    assert [of["certified"]["status"] for of in good] == [CERTIFIED] * 2
    for wrong in (described(saddle), described(saddle, index=2)):
        with pytest.raises(Contradiction):
            certified([wrong], [saddle], found, Fraction(3, 2))
    tie = Point("ppca", ordered([Block((0,))], 2), 4.0, 0.0)  # a zero column towards u_2, and one zero of the gauge
    with pytest.raises(Contradiction, match="nullity 1 were computed, and 0 and 2 are proved"):
        certified([described(tie, nullity=1, gauge=1)], [tie], found, Fraction(4))


def test_decimals_that_agree_to_forty_digits_are_told_apart():
    """Which the computation does not do: beside blocks it takes them for equal, and says so in its documentation."""
    lam = [1 + Fraction(1, 10**40), Fraction(1), Fraction(3)]
    document, _ = stationary(from_eigenvalues(lam), 3, sigma2=None, objective="elbo", certify=True)
    plain, _ = stationary(from_eigenvalues(lam), 3, sigma2=None, objective="elbo")
    assert any(p["nullity"] < q["nullity"] for p, q in zip(document["points"], plain["points"], strict=True))
    assert {status(point) for point in document["points"]} == {CERTIFIED}


def test_what_rounding_left_open_is_told_where_it_is_proved():
    found = within([6.0, 4.0, 1.0], [1e-12] * 3)
    point = Point("ppca", ordered([Block((0,))], 2), 3.999999999, 0.0)
    of = described(point, undecided=1, kind="undecided", nullity=2, gauge=1, strict=False, **{"global": False})
    certified([of], [point], found, Fraction(3999999999, 10**9))
    assert (of["index"], of["nullity"], of["kind"], of["undecided"], of["strict"]) == (1, 1, "saddle", 0, True)
    assert of["certified"] == {"status": CERTIFIED, "why": None}


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
@pytest.mark.parametrize("sigma2", [0.1, 1.0, None])
def test_documents_are_certified_whole(objective, sigma2):
    for data in (load("iris"), from_eigenvalues([6.0, 4.0, 2.5, 1.2, 0.5]), load("wine", standardize=True)):
        plain, _ = stationary(data, 3, sigma2=sigma2, objective=objective, top=30)
        document, _ = stationary(data, 3, sigma2=sigma2, objective=objective, top=30, certify=True)
        assert {status(point) for point in document["points"]} == {CERTIFIED}
        for point, before in zip(document["points"], plain["points"], strict=True):
            assert {**before, "certified": point["certified"]} == point
        assert plain.get("subject") is None and len(document["subject"]) == 64
        assert document["notes"] == plain["notes"]


def test_beta_moves_the_noise():
    document, _ = stationary(
        from_eigenvalues([6.0, 4.0, 2.5, 1.2]), 2, sigma2=0.5, objective="elbo", beta=5, certify=True
    )
    assert document["tied"] == [3] and {status(point) for point in document["points"]} == {CERTIFIED}
    assert any(point["nullity"] for point in document["points"])


def test_without_flint_columns_are_certified_and_blocks_say_what_is_missing(monkeypatch):
    def missing():
        raise InputError("certificates of this kind need python-flint: pip install python-flint")

    monkeypatch.setattr(balls, "flint", missing)
    monkeypatch.setattr(certified_noise, "flint", missing)
    document, _ = stationary(from_eigenvalues([6.0, 4.0, 2.5]), 2, sigma2=1.0, objective="elbo", certify=True)
    for point in document["points"]:
        assert status(point) == (CERTIFIED if point["orthogonal"] else UNDECIDED)
    assert any("python-flint" in note for note in document["notes"])
    document, _ = stationary(from_eigenvalues([6.0, 4.0, 2.5]), 2, sigma2=1.0, certify=True)
    assert {status(point) for point in document["points"]} == {CERTIFIED}


def test_a_thousand_points_are_fast():
    """Not a measurement: a thousand of them are certified in less than what listing them takes, several times over."""
    document, _ = stationary(load("digits"), 8, sigma2=5.0, top=1000, certify=True)
    assert len(document["points"]) == 1000 and {status(point) for point in document["points"]} == {CERTIFIED}
