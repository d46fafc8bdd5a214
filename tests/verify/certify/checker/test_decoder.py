"""What bounds the threshold of every decoder: true statements are proved, false ones never, and each part by itself.

Notation   y (N, n) centred rows; s* = sup_t 2 log mean exp <y, t>/|t|^2; of a tenth of ones (1 - 2 p)/(2 log((1-p)/p)).
"""

import copy
import math
from fractions import Fraction

import numpy as np
import pytest

from verify.certify.checker import decoder
from verify.certify.checker.certificate import KINDS
from verify.certify.checker.outcome import Status
from verify.certify.propose import decoder as propose
from verify.certify.subjects import of_rows
from verify.data import load_rows
from verify.errors import InputError
from verify.landscape.any_decoder import lower_bound

pytest.importorskip("flint")
PROVED, UNDECIDED = Status.PROVED, Status.UNDECIDED
ONES = 0.8 / (2 * math.log(9))  # s* of rows that are 1 for a tenth and 0 else


def rows_of(name):
    rng = np.random.default_rng(5)
    if name == "ones":
        return np.repeat([1.0, 0.0], [10, 90])[:, None]
    if name == "turned":  # the same in a direction of three
        return np.repeat([1.0, 0.0], [10, 90])[:, None] * np.array([[2.0, 1.0, 2.0]]) / 3
    if name == "skewed":
        return rng.exponential(size=(120, 3)) * [2.0, 1.0, 0.5]
    return np.array(load_rows(name).array(), dtype=float)


@pytest.fixture(scope="module")
def subjects():
    return {name: of_rows(load_rows(rows_of(name))) for name in ("ones", "turned", "skewed", "iris")}


@pytest.fixture(scope="module")
def statements(subjects):
    """That s* is at most a level somewhat above the witness found."""
    found = {}
    for name, subject in subjects.items():
        level = Fraction(lower_bound(rows_of(name)).value * 1.02)
        found[name] = propose.every_decoder(subject, level)
    return found


def checked(statement, subject):
    return KINDS[statement["kind"]](statement, subject).status


def changed(statement, name, value):
    other = copy.deepcopy(statement)
    other["evidence"][name] = value
    return other


@pytest.mark.parametrize("name", ["ones", "turned", "skewed", "iris"])
def test_a_level_just_above_the_witness_is_proved_and_one_below_is_not(name, subjects, statements):
    assert checked(statements[name], subjects[name]) is PROVED
    found = lower_bound(rows_of(name))
    for level in (0.999 * found.value, found.lam_1, 0.5 * found.lam_1):
        false = copy.deepcopy(statements[name]) | {"level": float(level).hex()}
        assert checked(false, subjects[name]) is UNDECIDED  # control
    assert checked(propose.witness(subjects[name], Fraction(0.999 * found.value), found.t), subjects[name]) is PROVED


@pytest.mark.parametrize("level", [ONES * (1 - 1e-9), ONES * 0.99, 0.1])
def test_a_level_below_the_known_threshold_is_not_proved_whatever_is_tried(level, subjects):
    assert propose.every_decoder(subjects["ones"], Fraction(level)) is None
    near = propose.every_decoder(subjects["ones"], Fraction(ONES * 1.001))
    assert checked(near, subjects["ones"]) is PROVED
    assert checked(near | {"level": float(level).hex()}, subjects["ones"]) is UNDECIDED


def test_a_witness_is_exact_to_the_last_digit(subjects):
    t = np.array([2 * math.log(9)])  # where the quotient of the ones is s*, all but for the rounding of t
    low, high = (Fraction(ONES * (1 + side * 4e-16)) for side in (-1, 1))
    assert checked(propose.witness(subjects["ones"], low, t), subjects["ones"]) is PROVED
    assert checked(propose.witness(subjects["ones"], high, t), subjects["ones"]) is UNDECIDED


def test_near_zero_a_witness_is_as_good_as_the_variance(subjects):
    lam_1 = Fraction(9, 100)
    tiny = np.array([1e-30])
    assert (
        checked(propose.witness(subjects["ones"], lam_1, tiny), subjects["ones"]) is PROVED
    )  # the third moment is > 0
    assert checked(propose.witness(subjects["ones"], lam_1, -tiny), subjects["ones"]) is UNDECIDED
    assert checked(propose.witness(subjects["ones"], lam_1 - Fraction(1, 10**20), -tiny), subjects["ones"]) is PROVED


def test_a_witness_of_other_rows_or_turned_round_is_none(subjects):
    found = lower_bound(rows_of("skewed"))
    level = Fraction(0.999 * found.value)
    for t in (-found.t, found.t[::-1], 10 * found.t):
        assert checked(propose.witness(subjects["skewed"], level, t), subjects["skewed"]) is UNDECIDED
    assert checked(propose.witness(subjects["turned"], level, found.t), subjects["turned"]) is UNDECIDED


@pytest.mark.parametrize("t", [[0.0] * 3, [1.0] * 2, ["nan"] * 3, ["inf"] * 3, [1.0, None, 2.0], "t", None])
def test_garbage_is_no_witness(t, subjects):
    given = (
        [x if isinstance(x, str) else x.hex() if isinstance(x, float) else x for x in t] if isinstance(t, list) else t
    )
    with pytest.raises(InputError):
        checked({"kind": "witness", "level": "1/2", "evidence": {"t": given}}, subjects["skewed"])


@pytest.mark.parametrize("level", ["0", "-1", "-0x1p-1074"])
def test_at_what_is_no_noise_nothing_is_proved(level, subjects, statements):
    with pytest.raises(InputError):
        checked({"kind": "witness", "level": level, "evidence": {"t": ["1"]}}, subjects["ones"])
    with pytest.raises(InputError):
        checked(statements["ones"] | {"level": level}, subjects["ones"])


def test_evidence_of_other_rows_proves_nothing(subjects, statements):
    other = of_rows(load_rows(1.5 * rows_of("skewed")))
    assert checked(statements["skewed"], other) is UNDECIDED
    shuffled = of_rows(load_rows(rows_of("skewed")[:, [1, 0, 2]]))
    assert checked(statements["skewed"], shuffled) is UNDECIDED


def tampered(evidence):
    """What a thief would try: each leaves a hole that the checker has to find."""
    boxes = evidence["box"]
    yield "box", [boxes[0], [(float.fromhex(boxes[1][0]) / 2).hex()]]
    yield "box", [boxes[1], boxes[0]]
    yield "tree", []
    yield "tree", [-1]
    yield "tree", [0]
    yield "tree", evidence["tree"][:-1]
    yield "tree", [q if isinstance(q, list) else 0 for q in evidence["tree"]]
    yield "tree", [q if isinstance(q, list) else -1 for q in evidence["tree"]]
    for factor in (0.3, 30.0):
        for name in ("zero", "metrics"):
            yield name, [[(factor * float.fromhex(x)).hex() for x in row] for row in evidence[name]]
    tilts = evidence["tilts"]
    yield "tilts", tilts | {"integers": [-x for x in tilts["integers"]]}
    yield "tilts", tilts | {"integers": [0 for _ in tilts["integers"]]}


def test_tampered_evidence_is_not_proved(subjects, statements):
    name = "ones"
    tried = list(tampered(statements[name]["evidence"]))
    assert len(tried) == 14
    for part, value in tried:
        assert checked(changed(statements[name], part, value), subjects[name]) is UNDECIDED, (part, value)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("p", [["0.7", "0.1"]]),  # below what it has to exceed
        ("p", [["nan"]]),
        ("X", "0x1p+8"),
        ("X", "-1"),
        ("basis", [["1", "0", "0"], ["0", "1", "0"], ["0", "0", "2"]]),
        ("basis", [["1"]]),
        ("zero", [["-1", "1"], ["1", "1"]]),
        ("X", "0x1p-1074"),  # its parts cannot be halved
        ("tree", [7000]),
        ("tree", [[1, "0"], -1, -1]),  # boxes over one coordinate have no second
        ("tree", ["0"]),
        ("tree", None),
        ("tilts", [["1"]]),
        ("box", None),
    ],
)
def test_malformed_evidence_is_refused(part, value, subjects, statements):
    with pytest.raises(InputError):
        checked(changed(statements["skewed"], part, value), subjects["skewed"])


def test_a_cut_in_two_coordinates_at_once_is_none():
    """It would leave two corners out, and s* is reached in one of them: one datum at (1, -1)."""
    y = np.zeros((40, 2))
    y[0] = [1, -1]
    subject, level = of_rows(load_rows(y)), 0.8 * 2 * 0.95 / (2 * math.log(39))
    search = propose._Search(y, level, 2, 0.5, 400)
    search.V, search.x = np.eye(2), y - y.mean(axis=0)
    ends = 1.001 / level * np.stack([search.x.min(axis=0), search.x.max(axis=0)])
    assert search.possible()
    trees = []
    for search.box in (np.stack([ends[0], 0 * ends[0]]), np.stack([0 * ends[1], ends[1]])):
        trees += search.tree()[0]
    search.box = ends
    for cut, outcome in (([0, 1], InputError), ([0], InputError), (0, UNDECIDED)):
        found = ([[cut, 0.0], *trees], search.tilts, search.metrics)
        false = propose._stated(search, Fraction(level), found, 1.0)
        if outcome is UNDECIDED:
            assert checked(false, subject) is UNDECIDED
        else:
            with pytest.raises(outcome):
                checked(false, subject)
    assert checked(propose.witness(subject, Fraction(level), math.log(39) * y[0]), subject) is PROVED


def test_no_coefficient_of_a_kernel_vanishes():
    """p^2 may, and the kernel's share of it is not small: 1e-324 2^149 149!."""
    from verify.certify.checker.balls import precision

    p = np.array([*propose.polynomial(5), *[0.0] * 139, 1.5e-162, 5e-324])
    assert p[-2] ** 2 == 0
    with precision(128):
        c = decoder._prepared(rows_of("ones"), np.eye(1), Fraction(1), p, 5.0, 1)[3]
    assert np.isfinite(c).all()
    for e, (q, given) in enumerate(zip(p.tolist(), c.tolist(), strict=True), start=1):
        assert Fraction(given) * (1 + Fraction(1, 10**15)) >= Fraction(q) ** 2 * 2**e * math.factorial(e)


def test_more_orders_than_doubles_have_are_refused_at_once(subjects, statements):
    longer = [*statements["ones"]["evidence"]["p"][0], *["0"] * decoder.ORDERS]
    with pytest.raises(InputError, match="shapes"):
        checked(changed(statements["ones"], "p", [longer]), subjects["ones"])


def test_no_evidence_and_no_rows_are_refused(subjects):
    from verify.certify.subjects import of_spectrum

    for kind in ("witness", "every decoder"):
        with pytest.raises(InputError):
            checked({"kind": kind, "level": "1"}, subjects["ones"])
        with pytest.raises(InputError):
            checked({"kind": kind, "level": "1", "evidence": {"t": ["1"]}}, of_spectrum([Fraction(1)]))


def test_a_scale_changes_nothing():
    y = rows_of("skewed")
    subject = of_rows(load_rows(y * 16, scale=16.0))
    found = lower_bound(y)
    statement = propose.every_decoder(subject, Fraction(1.05 * found.value))
    assert checked(statement, subject) is PROVED
    assert checked(statement | {"level": float(0.99 * found.value).hex()}, subject) is UNDECIDED
    assert checked(propose.witness(subject, Fraction(0.999 * found.value), found.t), subject) is PROVED


@pytest.mark.parametrize("move", [lambda y: y + np.array([1e6, 2.0**40, 0]), lambda y: y * 1e-120, lambda y: y * 1e120])
def test_neither_does_where_they_lie_and_how_large_they_are(move):
    y = np.repeat(np.eye(3), [2, 1, 20], axis=0) * [1.0, 0, 0]  # s* is that of 2 ones of 23
    subject = of_rows(load_rows(move(y)))
    level = 19 / 23 / (2 * math.log(21 / 2)) * np.ptp(move(y)[:, 0]) ** 2
    statement = propose.every_decoder(subject, Fraction(1.01 * level))
    assert checked(statement, subject) is PROVED
    assert checked(statement | {"level": float(level * (1 - 1e-9)).hex()}, subject) is UNDECIDED


def h_over_square(x):
    return 0.5 if x == 0 else float((Fraction(math.expm1(x)) - Fraction(x)) / Fraction(x) ** 2)


@pytest.mark.parametrize("X", [5, 12])
def test_p_dominates_only_where_it_does(X):
    from verify.certify.checker.balls import precision

    p = propose.polynomial(X)
    with precision(128):
        assert decoder._dominates(p, float(X))
        assert not decoder._dominates(p * 0.999, float(X))
        assert not decoder._dominates(np.array([1.0]), 2.0)  # (e^2 - 3)/4 > 1
        assert decoder._dominates(np.array([1.1]), 2.0)
    for x in np.linspace(-X, X, 2001):
        assert float(np.polyval(p[::-1], x)) ** 2 > h_over_square(float(x)) * (1 - 1e-12)


def test_near_zero_is_the_inequality_it_claims():
    """|c|_Q^2/2 + h(|c|_R^2/2) <= exp(s |c|^2/2) - 1 at many c, wherever it is said to hold."""
    rng = np.random.default_rng(7)
    decided = {True: 0, False: 0}
    for _ in range(1000):
        Q, R = np.array([rng.uniform(0.5, 1.5), 0.99]), np.array([rng.uniform(1.01, 3), rng.uniform(0.3, 0.99)])
        high = np.array([rng.uniform(0, 0.6) if rng.integers(2) else rng.uniform(0, 4)])
        holds = decoder._near_zero(Fraction(1), -high, high, Q, R) <= 0
        c = np.stack([rng.uniform(-high[0], high[0], 400), rng.normal(size=400) * 10.0 ** rng.uniform(-4, 1, 400)])
        q, r, norm = Q @ c**2 / 2, R @ c**2 / 2, (c**2).sum(axis=0) / 2
        fine = norm < 300
        gap = np.expm1(norm[fine]) - q[fine] - (np.expm1(r[fine]) - r[fine])
        decided[holds] += 1
        if holds:
            assert (gap >= -1e-13 * (1 + np.exp(norm[fine]))).all()
    assert min(decided.values()) > 20


@pytest.mark.parametrize("last", [1.2, 1.5, 1.9])
def test_the_excess_is_the_largest_in_the_box(last):
    """A metric of b below the level, at it and above it, where b is bounded."""
    rng = np.random.default_rng(8)
    for _ in range(50):
        d, n, s, rest = 2, 4, 1.5, 0.7
        low = rng.normal(size=d)
        high = low + rng.uniform(0.1, 1, size=d)
        c0, m, K0 = rng.normal(size=n), rng.normal(size=n), float(rng.normal())
        R = np.array([*rng.uniform(1.5, 3, size=d), last])
        bound = float(decoder._excess(Fraction(s), low, high, c0, m, K0, R, Fraction(rest)))
        c = np.concatenate([rng.uniform(low[:, None], high[:, None], (d, 4000)), np.zeros((n - d, 4000))])
        c[:d, :2000] = np.where(rng.integers(0, 2, (d, 2000)), low[:, None], high[:, None])
        g = (m - s * c0)[d:]
        best = g / (s - last) if last < s else rest * g / np.sqrt(g @ g)
        across = rng.normal(size=(n - d, 4000)) / 4
        c[d:] = c0[d:, None] + np.where(np.arange(4000) < 2000, best[:, None], np.clip(across, -rest / 2, rest / 2))
        r = c - c0[:, None]
        values = K0 + m @ r + np.array([R[0], R[1], R[2], R[2]]) @ r**2 / 2 - s / 2 * (c**2).sum(axis=0)
        assert values.max() <= bound + 1e-12
        assert values.max() > bound - 1e-5  # attained at a corner, but for what SAFE adds
