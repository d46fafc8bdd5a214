"""Index and nullity from signs that are proved: against dense Hessians, near ties, and of vague eigenvalues."""

from collections import Counter
from fractions import Fraction
from math import inf, nextafter

import numpy as np
import pytest

from proofs.problems.spectra import landscapes
from verify.analysis import certified_noise
from verify.analysis.certified_noise import Open
from verify.analysis.certified_points import Counts, certified, counts
from verify.analysis.enclosed import Contradiction, exactly, nothing, within
from verify.analysis.stationary import stationary
from verify.certify.checker import balls
from verify.data import load
from verify.data.covariance import from_eigenvalues
from verify.eigenvalues import decimal
from verify.errors import InputError
from verify.landscape.families import every_family
from verify.landscape.points import Block, Point, ordered, weights
from verify.landscape.stationary import fixed_noise_points, learned_noise_points
from verify.models import linear_vae, ppca
from verify.words.certified import CERTIFIED, UNDECIDED, status

flint = pytest.importorskip("flint")


def dense(point, lam, U, learned):
    """Index and nullity of the Hessian, formed whole; what is below 1e-9 of the largest eigenvalue is rounding."""
    S, W = (U * lam) @ U.T, weights(point, lam, U)
    if learned:
        hessian = ppca.joint_hessian if point.objective == "ppca" else linear_vae.profile_joint_hessian
    else:
        hessian = ppca.hessian if point.objective == "ppca" else linear_vae.profile_hessian
    values = np.linalg.eigvalsh(hessian(W, point.sigma2, S))
    size = max(np.abs(values).max(), 1e-9 / point.sigma2)
    return Counts(int((values > 1e-9 * size).sum()), int((np.abs(values) <= 1e-9 * size).sum()))


def points_of(lam, k, sigma2):
    yield from fixed_noise_points(lam, k, sigma2) if sigma2 is not None else learned_noise_points(lam, k)
    yield from every_family(lam, k, sigma2)[0]


@pytest.mark.parametrize("learned", [False, True])
def test_they_are_those_of_the_dense_hessian(learned):
    compared, opened = Counter(), Counter()
    for lam, U, _, k, sigma2 in landscapes(30, most_n=5, most_k=4 - learned, seed=3):
        if learned and lam[-1] == 0 and (lam > 0).sum() <= k:
            continue
        found = exactly([decimal(x) for x in lam])
        for point in points_of(lam, k, None if learned else sigma2):
            try:
                proved = counts(point, found, None if learned else decimal(sigma2))
            except Open:
                opened[point.objective] += 1
                continue
            assert proved == dense(point, lam, U, learned)
            compared[point.objective] += 1
    assert min(compared.values()) > 100 and sum(opened.values()) < 0.1 * sum(compared.values())


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
@pytest.mark.parametrize("spread", [1e-12, 1e-3, 0.2])
def test_what_is_decided_of_vague_eigenvalues_holds_of_all_that_they_may_be(objective, spread):
    rng = np.random.default_rng(5)
    decided = opened = 0
    for _ in range(40):
        lam = np.sort(rng.uniform(0.2, 5, size=4))[::-1]
        lam[2] = lam[1] * (1 - 0.3 * spread)  # near a tie
        lam = np.sort(lam)[::-1]
        found = within(lam.tolist(), (spread * lam).tolist())
        sigma2 = float(rng.choice([0.5, lam[3] * 1.1, lam[1] * (1 + 0.5 * spread)]))
        every = fixed_noise_points(lam, 3, sigma2) if objective == "ppca" else every_family(lam, 3, sigma2)[0]
        for point in every:
            try:
                proved = counts(point, found, decimal(sigma2))
            except Open:
                opened += 1
                continue
            decided += 1
            for _ in range(3):
                other = np.sort(lam * (1 + spread * rng.uniform(-0.999, 0.999, size=4)))[::-1]
                moved = Point(point.objective, point.blocks, sigma2, 0.0)
                truth = counts(moved, exactly([Fraction(x) for x in other.tolist()]), decimal(sigma2))
                assert truth == proved
    assert decided > 30 and opened > 30  # both happen, or nothing was tried


def test_an_exact_tie_is_told_and_one_step_beside_it_decided():
    for level, index, nullity in ((2.5, 0, 1), (nextafter(2.5, inf), 0, 0), (nextafter(2.5, 0), 1, 0)):
        point = Point("elbo", ordered([Block((0,)), Block((1,))], 3), level, 0.0)
        found = exactly([Fraction(x) for x in ("6", "4", "2.5", "1.2")])
        assert counts(point, found, decimal(level)) == Counts(index, nullity)


def test_blocks_of_equal_length_are_told_where_roots_are_rational():
    """9 and 1 in two columns have m = 4, as the column on 4 has: a zero, and no more is open."""
    found = exactly([Fraction(x) for x in (9, 4, 1)])
    point = Point("elbo", ordered([Block((0, 2), 2), Block((1,))], 3), 0.5, 0.0)
    lam, U = np.array([9.0, 4.0, 1.0]), np.eye(3)
    assert counts(point, found, Fraction(1, 2)) == dense(point, lam, U, False)
    # One step beside it that holds as well, with one direction more that rises or falls.
    beside = exactly([Fraction(9), 4 + Fraction(1, 10**30), Fraction(1)])
    assert counts(point, beside, Fraction(1, 2)) != counts(point, found, Fraction(1, 2))
    # All three in one block may fall apart into these two: it is left open, and told why.
    whole = Point("elbo", ordered([Block((0, 1, 2), 3)], 3), 0.5, 0.0)
    with pytest.raises(Open, match="fall apart"):
        counts(whole, found, Fraction(1, 2))


def test_points_that_are_none_are_refused():
    found = exactly([Fraction(x) for x in (6, 4, 1)])
    for blocks in ([Block((2,))], [Block((0, 2), 2)]):
        point = Point("elbo", ordered(blocks, 2), 4.5, 0.0)
        with pytest.raises(Contradiction, match="no stationary point"):
            counts(point, found, Fraction(9, 2))
    vague = within([6.0, 4.5, 1.0], [0.1, 0.1, 0.1])
    with pytest.raises(Open, match="lam_2 exceeds the noise is open"):
        counts(Point("ppca", ordered([Block((1,))], 1), 4.5, 0.0), vague, Fraction(9, 2))


def test_nothing_known_nothing_proved():
    point = Point("ppca", ordered([Block((0,))], 1), 1.0, 0.0)
    with pytest.raises(Open, match="no reason"):
        counts(point, nothing("no reason"), Fraction(1))


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
