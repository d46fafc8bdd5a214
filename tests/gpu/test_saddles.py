"""Points of the families in batches: the twin against verify.landscape, the kernels against the twin, and controls."""

from itertools import combinations

import numpy as np
import pytest

from gpu import saddles as module
from gpu.saddles import THETA, Examined, Families, build, encode, examine
from tests.gpu.batches import TOLERANCE, cupy, error, on_device, slip
from verify.errors import InputError
from verify.landscape.families import fixed_noise_families, learned_noise_families
from verify.landscape.points import Block, Point, weights
from verify.landscape.stability import steepest_rotation
from verify.models import linear_vae

__all__ = ["cupy"]

# (lam, k, sigma2): one column; ties and a null direction; evenly spaced roots, where the carried entry of the chain is
# the mean already; a retained eigenvalue below the noise; k = n.
PROBLEMS = [
    ((3.0, 2.0, 0.5), 1, 0.4),
    ((5.0, 3.0, 3.0, 0.7, 0.0), 3, 0.4),
    ((9.0, 4.0, 1.0, 0.25), 3, 0.2),
    ((8.0, 2.0, 0.9), 2, 1.0),
    ((4.0, 2.5, 1.2, 1.0), 4, 0.1),
]


def batch(lam, k, sigma2):
    """All families of a problem -> the points, the families, lam."""
    lam = np.array(lam)
    points = fixed_noise_families(lam, k, sigma2)
    return points, encode(points), lam


def large(count, k, seed=0):
    """`count` families of k columns in blocks of one to five, k + 3 eigenvalues, 30 % zero rows in larger blocks."""
    rng = np.random.default_rng(seed)
    lam = np.sort(rng.uniform(2.0, 9.0, k + 3))[::-1].copy()
    lam[k // 2] = lam[k // 2 + 1]
    points = []
    for _ in range(count):
        free, blocks = list(rng.permutation(k + 3)), []
        while (left := k - sum(b.columns for b in blocks)) > 0:
            columns = int(rng.integers(1, min(5, left) + 1))
            held = max(1, columns - int(rng.binomial(columns, 0.3)))
            blocks.append(Block(tuple(sorted(int(free.pop()) for _ in range(held))), columns))
        points.append(Point("elbo", tuple(blocks), float(rng.uniform(0.05, 0.5)), 0.0))
    return points, encode(points), lam


def parted(points):
    """Which points are orthogonal; both kinds must be there."""
    orthogonal = np.array([p.orthogonal for p in points])
    assert 0 < orthogonal.sum() < len(points)
    return orthogonal


def rotated(W, i, j, theta):
    R = np.eye(W.shape[1])
    R[[i, j], [i, j]], R[i, j], R[j, i] = np.cos(theta), np.sin(theta), -np.sin(theta)
    return W @ R


@pytest.mark.parametrize("problem", PROBLEMS[1:])
def test_the_points_are_those_of_the_landscape_up_to_the_choice_of_Q(problem):
    points, families, lam = batch(*problem)
    W = build(families, lam)
    expected = np.array([weights(p, lam, np.eye(len(lam))) for p in points])
    assert error(W @ W.swapaxes(1, 2), expected @ expected.swapaxes(1, 2)) <= TOLERANCE
    norms = [np.einsum("bia,bia->ba", A, A) for A in (W, expected)]
    assert error(*norms) <= TOLERANCE


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_points_are_stationary_by_the_models_gradient(problem):
    points, families, lam = batch(*problem)
    W = build(families, lam)
    assert W.shape == (len(points), len(lam), problem[1])
    gradient = linear_vae.profile_gradient(W, families.sigma2, np.diag(lam))
    assert np.abs(gradient).max() <= TOLERANCE * np.abs(W).max() / problem[2] ** 2
    assert examine(W, families.sigma2, lam).residual.max() <= TOLERANCE * np.abs(W).max() / problem[2] ** 2


def test_points_of_learned_noise_keep_each_its_own():
    lam = np.array([5.0, 3.0, 2.0, 0.5])
    points = learned_noise_families(lam, 3)
    families = encode(points)
    assert len(set(families.sigma2)) > 2
    found = examine(build(families, lam), families.sigma2, lam)
    orthogonal = parted(points)
    assert found.residual.max() <= 1e-11  # the noises come from a root finder
    assert (found.rise[~orthogonal] > 0).all()
    assert (found.rise[orthogonal] <= 0).all()


def test_the_curvature_is_the_steepest_rotation_where_Q_is_unique():
    """With blocks of two columns at most, M is unique up to signs; points whose pairs tie may name either pair."""
    points, families, lam = batch((5.0, 3.5, 1.9, 0.7, 0.0), 3, 0.3)
    chosen = [b for b, p in enumerate(points) if max(c.columns for c in p.blocks) == 2]
    assert len(chosen) > 10
    found = examine(build(families, lam), families.sigma2, lam)
    for b in chosen:
        curvature, pair = steepest_rotation(points[b], lam)
        assert abs(found.curvature[b] - curvature) <= TOLERANCE * curvature
        assert tuple(found.pair[b]) == pair


@pytest.mark.parametrize("problem", PROBLEMS[1:])
def test_curvature_and_rise_are_those_of_the_profile_elbo(problem):
    """4 M_ij^2/m^2 written out, and P itself after the rotation of every pair by theta and by -theta."""
    points, families, lam = batch(*problem)
    W, S = build(families, lam), np.diag(np.array(problem[0]))
    found = examine(W, families.sigma2, lam)
    orthogonal = parted(points)
    for b in np.flatnonzero(~orthogonal):
        M = W[b].T @ W[b] + problem[2] * np.eye(problem[1])
        curvatures = {(i, j): 4 * M[i, j] ** 2 / (M[i, i] * M[j, j]) for i, j in combinations(range(problem[1]), 2)}
        assert abs(found.curvature[b] - max(curvatures.values())) <= TOLERANCE * found.curvature[b]
        assert abs(found.curvature[b] - curvatures[tuple(found.pair[b])]) <= TOLERANCE * found.curvature[b]
    for b, w in enumerate(W):
        here = linear_vae.profile_elbo(w, problem[2], S)
        rises = [
            min(linear_vae.profile_elbo(rotated(w, i, j, t), problem[2], S) - here for t in (THETA, -THETA))
            for i, j in combinations(range(problem[1]), 2)
        ]
        assert abs(found.rise[b] - max(rises)) <= TOLERANCE * abs(here)


@pytest.mark.parametrize("problem", PROBLEMS[1:])
def test_every_non_orthogonal_point_rises_and_no_orthogonal_one_does(problem):
    """The second half is the control: the test of a finite rotation knows nothing of the blocks."""
    points, families, lam = batch(*problem)
    found = examine(build(families, lam), families.sigma2, lam)
    orthogonal = parted(points)
    assert (found.rise[~orthogonal] > 0).all()
    assert (found.curvature[~orthogonal] > 0).all()
    assert (found.rise[orthogonal] <= 0).all()
    assert (found.curvature[orthogonal] <= 0).all()


def test_a_point_of_a_wrong_constant_is_not_stationary():
    """A control: all columns longer by a thousandth, so that diag(M) stays constant in a block, but is not m."""
    points, families, lam = batch(*PROBLEMS[2])
    found = examine(build(families, lam) * 1.001, families.sigma2, lam)
    collapsed = np.array([not p.retained for p in points])
    assert found.residual[~collapsed].min() > 1e-5
    assert (found.residual[collapsed] == 0).all()


@pytest.mark.parametrize("chunk", [1, 40])
def test_chunks_do_not_show(chunk, monkeypatch):
    _, families, lam = large(12, 5)
    W = build(families, lam)
    whole = examine(W, families.sigma2, lam)
    monkeypatch.setattr(module, "CHUNK", chunk)
    assert np.array_equal(build(families, lam), W)
    for mine, expected in zip(examine(W, families.sigma2, lam), whole, strict=True):
        assert np.allclose(mine, expected, rtol=0, atol=TOLERANCE)


def agrees(cupy, families, lam):
    """The kernels against the twin at the points, and at W nearby where nothing is stationary; -> the worst error."""
    W = build(families, lam)
    built = build(Families(*on_device(cupy, *families)), *on_device(cupy, lam))
    nearby = W + 0.1 * np.random.default_rng(1).standard_normal(W.shape)
    at_points = examine(*on_device(cupy, W, families.sigma2, lam))
    found = examine(*on_device(cupy, nearby, families.sigma2, lam))
    assert {name for name, _, _ in cupy.launches} == {"saddle_points", "saddle_examine"}
    expected_at_points, expected = examine(W, families.sigma2, lam), examine(nearby, families.sigma2, lam)
    assert np.array_equal(found.pair.get(), expected.pair)  # nearby no two pairs tie
    worst = [error(built, W), np.abs(at_points.residual.get()).max() / expected.residual.max()]
    for one, other in [(at_points, expected_at_points), (found, expected)]:
        worst += [error(one.curvature, other.curvature), error(one.rise, other.rise)]
    return max(*worst, error(found.residual, expected.residual))


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_kernels_are_the_twin_on_all_families(cupy, problem):
    assert agrees(cupy, *batch(*problem)[1:]) <= TOLERANCE


@pytest.mark.parametrize(("count", "k"), [(1, 2), (9, 7), (3, 13), (2, 19)])
def test_the_kernels_are_the_twin_on_ragged_sizes(cupy, count, k):
    assert agrees(cupy, *large(count, k)[1:]) <= TOLERANCE


SLIPS = [
    {"cos * x + sin * y": "cos * x - sin * y"},
    {"row[partner] = cos * y - sin * x": "row[partner] = cos * y + sin * x"},
    {"sqrt(__dadd_rn(__dmul_rn(roots, roots), __dmul_rn(": "sqrt(__dsub_rn(__dmul_rn(roots, roots), __dmul_rn("},
    {"d = __dsub_rn(__dadd_rn(d, other), m)": "d = __dadd_rn(__dadd_rn(d, other), m)"},
    {"entry / s - W[e]": "entry / s + W[e]"},
    {"both;\n    if (bend": "both * -1.0;\n    if (bend"},
    {"moved * (difference - moved)": "moved * (difference + moved)"},
    {": -0.5 * log1p": ": 0.5 * log1p"},
]


@pytest.mark.parametrize("patch", SLIPS, ids=range(len(SLIPS)))
def test_one_flipped_sign_is_caught(cupy, monkeypatch, patch):
    slip(monkeypatch, "saddles", patch)
    try:
        found = agrees(cupy, *large(9, 7)[1:])
    except AssertionError as wrong_pair:
        assert "pair" in str(wrong_pair)
    else:
        assert not found <= 1e3 * TOLERANCE


@pytest.mark.parametrize("patch", [SLIPS[0], SLIPS[1]], ids=["carry", "partner"])
def test_a_flipped_sign_of_the_chain_is_seen_without_a_twin(cupy, monkeypatch, patch):
    """The residual alone tells: such a W is no stationary point."""
    slip(monkeypatch, "saddles", patch)
    _, families, lam = large(9, 7)
    W = build(Families(*on_device(cupy, *families)), *on_device(cupy, lam))
    assert examine(W, *on_device(cupy, families.sigma2, lam)).residual.get().max() > 1e-3


def test_too_many_columns_for_shared_memory_go_by_products(cupy):
    _, families, lam = large(2, 50)
    W = build(families, lam)
    found = examine(*on_device(cupy, W, families.sigma2, lam))
    assert not cupy.launches
    for mine, expected in zip(found, examine(W, families.sigma2, lam), strict=True):
        assert error(mine, expected) <= TOLERANCE


def test_a_family_that_does_not_exist_is_not_a_number(cupy):
    """t_2 = sqrt(lam_2 m) < sigma2 beside a large eigenvalue; a single column below the noise; one that exists."""
    lam = np.array([4.0, 1e-3])
    families = Families(np.array([[0, 0], [0, 1], [0, 1]]), np.array([[0, 1], [1, -1], [0, -1]]), np.full(3, 0.5))
    here = examine(build(families, lam), families.sigma2, lam)
    W = build(Families(*on_device(cupy, *families)), *on_device(cupy, lam))
    there = examine(W, *on_device(cupy, families.sigma2, lam))
    for found in (here, Examined(*(part.get() for part in there))):
        for values in (found.residual, found.curvature, found.rise):
            assert np.array_equal(np.isnan(values), [True, True, False])
        assert np.array_equal(found.pair[:2], np.zeros((2, 2)))


def test_an_empty_batch_launches_nothing(cupy):
    lam = np.array([2.0, 1.0])
    for families in (encode([]), Families(np.zeros((0, 2), int), np.zeros((0, 2), int), np.zeros(0))):
        k = families.eigen_of_slot.shape[1]
        for W in (build(families, lam), build(Families(*on_device(cupy, *families)), *on_device(cupy, lam))):
            assert W.shape == (0, 2, k)
        assert examine(*on_device(cupy, np.zeros((0, 2, k)), families.sigma2, lam)).pair.shape == (0, 2)
        assert examine(np.zeros((0, 2, k)), families.sigma2, lam).rise.shape == (0,)
    assert not cupy.launches


def test_encoded_blocks_are_what_the_point_says():
    point = Point("elbo", (Block((0, 3), 3), Block((1,)), Block(())), 0.5, 0.0)
    families = encode([point])
    assert families.block_of_column.tolist() == [[0, 0, 0, 1, 2]]
    assert families.eigen_of_slot.tolist() == [[0, 3, -1, 1, -1]]
    assert families.sigma2.tolist() == [0.5]
    with pytest.raises(InputError, match=r"points with \[1, 5\] columns"):
        encode([point, Point("elbo", (Block(()),), 0.5, 0.0)])


@pytest.mark.parametrize(
    ("block", "eigen", "noise", "words"),
    [
        ([0, 0], [0, 2], 1.0, "beyond the 2 eigenvalues"),
        ([0, 0], [0, -2], 1.0, "beyond the 2 eigenvalues"),
        ([1, 0], [0, 1], 1.0, "falls"),
        ([0, 0], [1, 0], 1.0, "ascending"),
        ([0, 0], [-1, 0], 1.0, "ascending"),
        ([0, 1], [1, 1], 1.0, "twice"),
        ([0, 1], [0, 1], 0.0, "positive"),
        ([0, 1], [0.0, 1.0], 1.0, "integers"),
        ([0, 1], [0, 1, -1], 1.0, "integers of the shape"),
    ],
)
def test_what_encodes_no_family_is_refused(block, eigen, noise, words):
    with pytest.raises(InputError, match=words):
        build(Families(np.array([block]), np.array([eigen]), np.array([noise])), np.array([2.0, 1.0]))


def test_shapes_that_do_not_belong_together_are_refused():
    W, sigma2, lam = np.zeros((2, 3, 2)), np.ones(2), np.ones(3)
    for wrong in [(W[0], sigma2, lam), (W, sigma2[:1], lam), (W, sigma2, lam[:2])]:
        with pytest.raises(InputError, match="shape"):
            examine(*wrong)
