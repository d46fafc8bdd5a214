"""Closed spectra against the eigenvalues of the dense Hessian, at every kind of stationary point."""

from fractions import Fraction

import numpy as np
import pytest

from proofs.problems.spectra import landscapes
from verify.eigenvalues import Eigenvalues
from verify.landscape.families import fixed_noise_families, learned_noise_families
from verify.landscape.points import Block, Point, ordered, weights
from verify.landscape.spectrum import _Layout, spectrum
from verify.landscape.stability import verdict
from verify.landscape.stationary import fixed_noise_points, learned_noise_points
from verify.models import linear_vae, ppca

TOLERANCE = 1e-11  # of the Hessian's norm; eigvalsh of a matrix of size 20 errs by some 1e-15


def dense(point, lam, U):
    S = (U * lam) @ U.T
    W = weights(point, lam, U)
    of = ppca.hessian if point.objective == "ppca" else linear_vae.profile_hessian
    return np.linalg.eigvalsh(of(W, point.sigma2, S))


def inertia(values, size):
    return int((values > 1e-9 * size).sum()), int((np.abs(values) <= 1e-9 * size).sum())


def all_points(lam, k, sigma2):
    yield from fixed_noise_points(lam, k, sigma2)
    yield from fixed_noise_families(lam, k, sigma2)


def test_every_eigenvalue_at_fixed_noise():
    compared = 0
    for lam, U, _, k, sigma2 in landscapes(40, most_n=5, most_k=4):
        for point in all_points(lam, k, sigma2):
            expected, found = dense(point, lam, U), spectrum(point, lam)
            size = max(np.abs(expected).max(), 1e-9 / sigma2)
            assert found.values().size == len(lam) * k
            assert np.abs(found.values() - expected).max() <= TOLERANCE * size
            assert (found.index, found.nullity) == inertia(expected, size)
            compared += 1
    assert compared > 500


def test_the_inertia_at_learned_noise_is_joint():
    for lam, U, S, k, _ in landscapes(40, most_n=5, most_k=3, seed=7):
        if lam[-1] == 0 and (lam > 0).sum() <= k:
            continue
        for point in [*learned_noise_points(lam, k), *learned_noise_families(lam, k)]:
            joint = ppca.joint_hessian if point.objective == "ppca" else linear_vae.profile_joint_hessian
            values = np.linalg.eigvalsh(joint(weights(point, lam, U), point.sigma2, S))
            got = verdict(point, lam, learned_noise=True)
            assert (got.index, got.nullity) == inertia(values, np.abs(values).max())


@pytest.mark.parametrize("factor", [2.0, -1.0, 1.001])
def test_a_wrong_eigenvalue_is_seen(factor):
    """The control: one closed form off by a factor."""
    lam = np.array([4.0, 3.0, 2.0, 0.5])
    point = next(fixed_noise_points(lam, 3, 1.0))
    values = spectrum(point, lam).values()
    values[0] *= factor
    assert np.abs(np.sort(values) - dense(point, lam, np.eye(4))).max() > 1e-4


def test_multiplicities_of_theory():
    lam, k = np.array([5.0, 4.0, 3.0, 2.0, 0.5, 0.1]), 4
    point = Point("ppca", ordered([Block((0,)), Block((2,))], k), 1.0, 0.0)
    sizes = {p.kind: p.values.size for p in spectrum(point, lam).parts}
    q, n = 2, 6
    assert sizes["retained column towards discarded"] == q * (n - q)
    assert sizes["retained column along itself"] == q
    assert sizes["two retained columns into each other"] == q * (q - 1) // 2
    assert sizes["zero column towards discarded"] == (k - q) * (n - q)
    assert sizes["gauge: zero column towards retained"] == (k - q) * q
    assert spectrum(point, lam).gauge == q * (q - 1) // 2 + q * (k - q) == spectrum(point, lam).nullity


@pytest.mark.parametrize("k", [3, 4], ids=["one zero column", "two"])
def test_each_eigenvalue_belongs_to_its_direction(k):
    """The direction that a part names is in the eigenspace: Rayleigh quotients of single moves of single columns."""
    lam, sigma2 = np.array([5.0, 4.0, 3.0, 0.5]), 1.0
    S = np.diag(lam)
    for objective, of in (("ppca", ppca.hessian_vector_product), ("elbo", linear_vae.profile_hessian_vector_product)):
        point = Point(objective, ordered([Block((0,)), Block((2,))], k), sigma2, 0.0)
        W = weights(point, lam, np.eye(4))
        for part in spectrum(point, lam).parts:
            if part.columns.shape[1] > 1:
                continue
            for value, (column,), (i,) in zip(part.values, part.columns, part.eigen, strict=True):
                X = np.zeros_like(W)
                X[i, column] = 1.0
                if part.kind != "gauge: zero column towards retained":  # mixes with its mirror image
                    np.testing.assert_allclose(of(W, sigma2, S, X), value * X, atol=1e-13)


def test_constants_that_share_a_double_are_apart_by_half_an_ulp_of_the_right_sign():
    lam = Eigenvalues.typed([4 + Fraction(1, 10**20), Fraction(4), Fraction(4), Fraction(1)])
    at = _Layout(Point("elbo", ordered([Block((0,))], 2), 0.5, 0.0), lam)
    blocks = [Block((i,)) for i in range(4)]
    assert at.apart(blocks[0], blocks[1]) == 4 * 2.0**-53 == -at.apart(blocks[1], blocks[0])
    assert at.apart(blocks[1], blocks[2]) == 0.0
    assert at.apart(blocks[1], blocks[3]) == 3.0 == -at.apart(blocks[3], blocks[1])
    assert at.apart(blocks[3], Block(())) == 0.5
    # So is a single column from the noise.
    at = _Layout(Point("elbo", ordered([Block((0,))], 1), 4.0, 0.0), lam)
    assert at.scales(blocks[0])[2].tolist() == [1e-20]


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_every_eigenvalue_is_told_with_its_columns_and_eigenvectors(objective):
    """lam = (5, 4, 3, 2), of which the columns 0, 1, 2 hold those of 5, 3 and 2, and column 3 is zero."""
    lam, sigma2 = np.array([5.0, 4.0, 3.0, 2.0]), 1.0
    point = Point(objective, ordered([Block((0,)), Block((2,)), Block((3,))], 4), sigma2, 0.0)
    W, S = np.zeros((4, 4)), np.diag(lam)
    W[[0, 2, 3], [0, 1, 2]] = np.sqrt(lam[[0, 2, 3]] - sigma2)
    H = (ppca.hessian if objective == "ppca" else linear_vae.profile_hessian)(W, sigma2, S)
    named = {}
    for part in spectrum(point, lam).parts:
        for where, value in enumerate(part.values):
            columns, eigen = tuple(part.columns[where].tolist()), tuple(part.eigen[where].tolist())
            assert named.setdefault((part.kind, columns, eigen), value) == value
            # Its direction lies in the entries of W that it names, and the Hessian has the eigenvalue there.
            entries = [4 * i + c for i in eigen for c in columns]
            assert np.abs(np.linalg.eigvalsh(H[np.ix_(entries, entries)]) - value).min() < 1e-12
    assert len(named) == 16
    pairs = {columns: eigen for kind, columns, eigen in named if kind == "two retained columns into each other"}
    assert pairs == {(0, 1): (0, 2), (0, 2): (0, 3), (1, 2): (2, 3)}


# lam, blocks, k, sigma2: a block with two zero rows, single and zero columns; two blocks; four columns of one block.
POINTS = [
    ([9.0, 6.0, 4.0, 2.0, 1.5], [Block((0,), 3), Block((1,)), Block((2,))], 6, 1.0),
    ([9.0, 6.0, 5.0, 2.0, 1.5], [Block((0, 2), 2), Block((1,))], 4, 0.5),
    ([9.0, 6.0, 5.0, 4.0, 1.5], [Block((0, 3), 3), Block((1, 2), 2)], 5, 0.5),
    ([9.0, 7.0, 5.0, 4.0, 1.5], [Block((0, 1, 2), 4)], 4, 0.5),
]


@pytest.mark.parametrize(("lam", "blocks", "k", "sigma2"), POINTS)
def test_every_eigenvalue_of_a_block_is_told_with_its_columns_and_eigenvectors(lam, blocks, k, sigma2):
    """The entries of W that a direction names hold a subspace that the Hessian maps into itself: it is theirs."""
    lam, n = np.array(lam), len(lam)
    point = Point("elbo", ordered(blocks, k), sigma2, 0.0)
    found = spectrum(point, lam)
    assert found.values().size == n * k and found.gauge == 0
    H = linear_vae.profile_hessian(weights(point, lam, np.eye(n)), sigma2, np.diag(lam))
    ranges = [set(r) for r in point.column_ranges()]
    moved = set()
    for part in found.parts:
        m = part.values.size
        assert m > 0 and part.columns.shape[0] == part.eigen.shape[0] == m
        for value, columns, eigen in zip(part.values, part.columns.tolist(), part.eigen.tolist(), strict=True):
            assert len(set(columns)) == len(columns) and len(set(eigen)) == len(eigen)
            moved |= {(i, c) for i in eigen for c in columns}
            entries = [k * i + c for i in eigen for c in columns]
            assert np.abs(np.linalg.eigvalsh(H[np.ix_(entries, entries)]) - value).min() < 1e-12
            # Whole blocks are moved, along what they hold or along one discarded eigenvector.
            touched = [r for r in ranges if r & set(columns)]
            assert set(columns) == set().union(*touched)
            held = {a for b, r in zip(point.blocks, ranges, strict=True) if r in touched for a in b.eigen}
            assert set(eigen) == held or len(eigen) == 1
    assert len(moved) == n * k


@pytest.mark.parametrize("unit", [1e12, 1e-12])
@pytest.mark.parametrize(("lam", "blocks", "k", "sigma2"), POINTS)
def test_the_spectrum_falls_as_the_unit_of_the_eigenvalues_rises(lam, blocks, k, sigma2, unit):
    point = Point("elbo", ordered(blocks, k), sigma2, 0.0)
    other = Point("elbo", ordered(blocks, k), float(f"{sigma2 * unit:.3g}"), 0.0)
    known = spectrum(point, np.array(lam))
    found = spectrum(other, np.array([float(f"{x * unit:.3g}") for x in lam]))
    size = np.abs(known.values()).max()
    np.testing.assert_allclose(found.values() * unit, known.values(), rtol=1e-11, atol=1e-13 * size)
    assert (found.index, found.nullity, found.undecided) == (known.index, known.nullity, 0)


def test_a_zero_row_that_rises_by_less_than_rounding_rises_by_no_more():
    """16 beside a zero row at 5/2: it is flat towards 25/4 (m = 25/4); off by 1e-20 it has the sign of that."""
    point = Point("elbo", ordered([Block((0,), 2)], 2), 2.5, 0.0)
    for shift, sign in ((1, 1), (-1, -1), (0, 0)):
        # The row's sign is that of lam_j m - sigma2^2 = lam_j 25/4 - 25/4.
        lam = Eigenvalues.typed([Fraction(16), 1 + Fraction(shift, 10**20)])
        part = next(p for p in spectrum(point, lam).parts if p.kind == "zero row of a block towards discarded")
        assert part.values.size == 1 and np.sign(part.values[0]) == sign and abs(part.values[0]) < 1e-15


def test_zero_columns_towards_what_may_be_the_noise_are_undecided():
    """Three zero columns, two eigenvalues within their error of the noise: six; those above and below it are sure."""
    lam = Eigenvalues(np.array([9.0, 4.0, 2.5, 2.5, 1.0, 0.5]), np.full(6, 1e-9), None)
    for kept in ([], [Block((0,))], [Block((1,))]):
        point = Point("elbo", ordered(kept, 3 + len(kept)), 2.5, 0.0)
        got = spectrum(point, lam)
        assert got.undecided == 6
        assert sum((p.values == 0).sum() for p in got.parts if p.kind == "zero column towards discarded") == 6
    assert spectrum(point, Eigenvalues.of(lam.values)).undecided == 0  # exact ties


def test_zero_rows_towards_what_may_tie_are_undecided():
    """16 beside two zero rows at sigma2 = 2: sqrt(16 lam_j) + 2 lam_j = 3 sigma2 for lam_j = 1, twice."""
    lam = Eigenvalues(np.array([16.0, 1.0, 1.0, 0.1]), np.full(4, 1e-9), None)
    assert spectrum(Point("elbo", ordered([Block((0,), 3)], 3), 2.0, 0.0), lam).undecided == 2 * 2


@pytest.mark.parametrize("off", [0.0, 5e-16, 1e-13, -1e-13])
def test_a_block_that_may_be_two_is_undecided_by_one(off):
    point = Point("elbo", ordered([Block((0, 1, 2), 3)], 3), 0.5, 0.0)
    near = np.array([9.0, 4 * (1 + off), 1.0])
    got = spectrum(point, Eigenvalues(near, np.full(3, 1e-12), None))
    assert (got.undecided, got.index) == (1, 1)
    assert spectrum(point, Eigenvalues(np.array([9.0, 5.0, 1.0]), np.full(3, 1e-12), None)).undecided == 0


@pytest.mark.parametrize(("lam", "pairs", "inside"), [((36.0, 25.0, 6.25), 2, 0), ((25.0, 25.0, 12.25), 1, 1)])
def test_between_blocks_whose_constants_may_tie_pairs_and_zero_rows_are_undecided(lam, pairs, inside):
    """Two eigenvalues with three zero rows and one with two, m = 4 both; equal ones do not count as a pair.

    k m = r sqrt(m) + z sigma2: 5 m = 17/2 sqrt(m) + 3, and 3 m = 5 sqrt(m) + 2. Where the first block holds an equal of
    the second's 25, that may part from it with two of the zero rows.
    """
    point = Point("elbo", ordered([Block((0, 2), 5), Block((1,), 3)], 8), 1.0, 0.0)
    got = spectrum(point, Eigenvalues(np.array(lam), np.full(3, 1e-9), None))
    assert got.undecided == pairs + 2 * 2 + 1 * 3 + inside
