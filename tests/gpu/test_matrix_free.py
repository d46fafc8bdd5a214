"""Both ends of the spectrum without the Hessian: against the dense Hessian, the closed form, and what must go wrong."""

import numpy as np
import pytest

from gpu import ends as module
from gpu.ends import ends
from gpu.matrix_free import Gauge, HessianOperator, aligned
from tests.gpu.batches import TOLERANCE, cupy, error, on_device
from verify.errors import InputError
from verify.landscape.points import Block, Point, ordered, weights
from verify.landscape.spectrum import spectrum
from verify.models import linear_vae, ppca

__all__ = ["cupy"]

CLOSE = 1e-8  # of the norm, what is promised; the search stops at residuals of 1e-9
DENSE = {False: ppca.hessian, True: linear_vae.profile_hessian}
PRODUCT = {False: ppca.hessian_vector_product, True: linear_vae.profile_hessian_vector_product}
BOTH = pytest.mark.parametrize("profile", [False, True], ids=["L", "P"])


def problem(n, k, seed=0):
    """Any W, and eigenvalues of order 1, a tie and a zero among them."""
    rng = np.random.default_rng(seed)
    lam = np.sort(rng.uniform(0.3, 3, n))[::-1].copy()
    if n > 3:
        lam[1], lam[-1] = lam[0], 0.0
    return rng.standard_normal((n, k)), 0.5, lam, rng


def single_columns(objective, retained, k, sigma2):
    return Point(objective, ordered([Block((i,)) for i in retained], k), sigma2, 0.0)


def closed_form(point, lam):
    """All eigenvalues but the gauge's, ascending."""
    whole = spectrum(point, lam)
    values = whole.values()
    zeros = np.flatnonzero(values == 0)[: whole.gauge]
    assert len(zeros) == whole.gauge
    return np.delete(values, zeros)


def found(point, lam, rng=None, **options):
    """The ends at a point; with rng, at another point of its orbit."""
    W = weights(point, lam, np.eye(len(lam)))
    if rng is not None:
        W = W @ np.linalg.qr(rng.standard_normal((point.k, point.k)))[0]
    return ends(W, point.sigma2, lam, profile=point.objective == "elbo", **options)


def distance(result, values):
    """The largest error of both ends, as a share of the norm."""
    c = len(result.bottom.values)
    errors = result.bottom.values - values[:c], result.top.values - values[::-1][:c]
    return max(np.abs(e).max() for e in errors) / np.abs(values).max()


@BOTH
@pytest.mark.parametrize(("n", "k"), [(1, 1), (6, 3), (4, 6), (30, 5)])
@pytest.mark.parametrize("diagonal", [False, True], ids=["S", "eigenvalues"])
def test_the_operator_is_the_model(profile, n, k, diagonal):
    W, sigma2, lam, rng = problem(n, k)
    A = rng.standard_normal((n, n))
    S = np.diag(lam) if diagonal else A @ A.T / n
    W_zero, W_orthogonal = W.copy(), aligned(W)[0] * aligned(W)[1]
    W_zero[:, 1:] = 0.0
    for weight in (W, W_zero, W_orthogonal, 0 * W):
        X = rng.standard_normal((3, n, k))
        operator = HessianOperator(weight, sigma2, lam if diagonal else S, profile=profile)
        assert error(operator(X), PRODUCT[profile](weight, sigma2, S, X)) <= TOLERANCE
        d = np.diagonal(DENSE[profile](weight, sigma2, S)).reshape(n, k)
        assert error(operator.diagonal(), d) <= TOLERANCE


def eigenvectors(n, rng, used=(0, 1, 3)):
    """W of three eigenvectors and a zero column, at lengths that are nobody's optimum."""
    W = np.zeros((n, 4))
    W[[2, 0, 4], used] = rng.uniform(0.5, 2.0, 3)
    return W


@BOTH
def test_a_block_costs_few_products(cupy, profile):
    """Calls of cuBLAS: as many as there are large products, whatever the number of directions."""
    W, sigma2, lam, rng = problem(9, 4)
    orthogonal, A = aligned(W)[0] * aligned(W)[1], rng.standard_normal((9, 9))
    single = orthogonal * [1.0, 0.0, 0.0, 0.0]
    for weight, S, calls in [
        (eigenvectors(9, rng), lam, 2),
        (eigenvectors(9, rng, (0, 1, 2)), lam, 2),
        (single, lam, 4),  # M, T diagonal
        (orthogonal, lam, 6),  # and two with T
        (W, lam, 8),  # and two with M^-1
        (W, A @ A.T, 9),  # and one with S
    ]:
        operator = HessianOperator(*on_device(cupy, weight), sigma2, *on_device(cupy, S), profile=profile)
        for b in (1, 7):
            X = rng.standard_normal((b, 9, 4))
            del cupy.cuda.cublas.calls[:]
            there = operator(cupy.ndarray(X))
            assert len(cupy.cuda.cublas.calls) == calls
            assert error(there, PRODUCT[profile](weight, sigma2, np.diag(S) if S.ndim == 1 else S, X)) <= TOLERANCE


@BOTH
@pytest.mark.parametrize("used", [(0, 1, 3), (1, 2, 3)], ids=["apart", "together"])
def test_eigenvectors_of_S_take_a_short_cut(profile, used):
    """It is the model; a flipped sign in it is caught, and columns that are no eigenvectors by a little miss it."""
    _, sigma2, lam, rng = problem(9, 4)
    W, X = eigenvectors(9, rng, used), rng.standard_normal((3, 9, 4))
    nearly = W.copy()
    nearly[5, 1] = 1e-9
    for weight, short in ((W, True), (nearly, False)):
        operator = HessianOperator(weight, sigma2, lam, profile=profile)
        assert (operator.used is not None) == short
        expected = PRODUCT[profile](weight, sigma2, np.diag(lam), X)
        assert error(operator(X), expected) <= TOLERANCE
        d = np.diagonal(DENSE[profile](weight, sigma2, np.diag(lam))).reshape(9, 4)
        assert error(operator.diagonal(), d) <= TOLERANCE
    for part in ("straight", "crosswise"):
        operator = HessianOperator(W, sigma2, lam, profile=profile)
        setattr(operator, part, -getattr(operator, part))
        assert error(operator(X), PRODUCT[profile](W, sigma2, np.diag(lam), X)) > 1e-3


def dense(W, sigma2, lam, profile):
    """(nk, nk) by the operator, and as the models have it."""
    n, k = W.shape
    of = HessianOperator(W, sigma2, lam, profile=profile)
    unit = np.eye(n * k).reshape(n * k, n, k)
    model = linear_vae.profile_hessian if profile else ppca.hessian
    return of(unit).reshape(n * k, n * k), model(W, np.array(sigma2), np.diag(lam))


@pytest.mark.parametrize("profile", [False, True])
@pytest.mark.parametrize(
    ("W", "lam", "bounds"),
    [
        # Not quite orthogonal columns: small noise makes 40 eps of it thousands.
        ([[0, 0, -1, 0, 0], [0, 0, -8.6e-15, 0, -1]], [4.4776, 4.2794], {0.1: 1e-13, 0.05: 1e-13, 0.01: 2e-12}),
        # A short column that is not quite an eigenvector, beside a long one.
        ([[1, 0], [0, 0.01], [0, 1e-14]], [3, 2, 1], {1e-4: 1e-13}),
        ([[1, 0], [0, 1e-4], [0, 1e-14]], [3, 2, 1], {0.1: 1e-14, 0.01: 1e-13}),
    ],
)
def test_what_is_nearly_orthogonal_or_an_eigenvector_is_not_taken_for_it(profile, W, lam, bounds):
    for sigma2, bound in bounds.items():
        found, expected = dense(np.array(W, dtype=float), sigma2, np.array(lam, dtype=float), profile)
        assert np.abs(found - expected).max() <= bound * np.abs(expected).max(), sigma2


@pytest.mark.parametrize("rotated", [False, True])
def test_directions_may_be_of_any_kind(cupy, rotated):
    lam, W = np.linspace(6.0, 1.0, 6), eigenvectors(6, np.random.default_rng(0))
    if rotated:
        W = W @ np.linalg.qr(np.random.default_rng(1).standard_normal((W.shape[1],) * 2))[0]
    X = np.random.default_rng(2).integers(-9, 9, (2, 3, *W.shape))
    here = HessianOperator(W, 0.3, lam, profile=True)
    there = HessianOperator(cupy.asarray(W), 0.3, cupy.asarray(lam), profile=True)
    expected = here(X.astype(float))
    assert expected.shape == X.shape
    for same in (X, X.astype(np.float32), np.asfortranarray(X.astype(float))):
        assert error(here(same), expected) <= TOLERANCE
        assert error(there(cupy.asarray(same)), expected) <= TOLERANCE
    assert error(here(X[0, 0]), expected[0, 0]) <= TOLERANCE
    assert here(X[:, :0]).shape == (2, 0, *W.shape)
    for wrong in (X[..., 0], X[..., 1:], X[..., 1:, :]):
        with pytest.raises(InputError, match="directions"):
            here(wrong)


def test_residuals_count_what_rounding_hides():
    """At small noise a product loses digits; the values lie within the bound all the same."""
    sigma2 = 1e-4
    lam = np.array([10.0, 5.0, 2.0, 1.5 * sigma2, sigma2, 0.5 * sigma2])
    point = Point("ppca", ordered([Block((i,)) for i in range(3)], 4), sigma2, 0.0)
    values = np.sort(spectrum(point, lam).values())
    result = ends(weights(point, lam, np.eye(6)), sigma2, lam, count=3, project=False)
    for end, right in ((result.bottom, values[:3]), (result.top, values[::-1][:3])):
        assert np.abs(end.values - right).max() <= end.bound <= 1e-8 * result.norm


def test_a_rotated_stationary_point_takes_the_short_cut():
    lam = np.sort(np.random.default_rng(0).exponential(1, 784))[::-1].copy()
    W = weights(single_columns("ppca", range(40), 50, float(lam[50])), lam, np.eye(784))
    W = W @ np.linalg.qr(np.random.default_rng(3).standard_normal((50, 50)))[0]
    U, s, R = aligned(W)
    assert error((U * s) @ R.T, W) <= TOLERANCE
    operator = HessianOperator(U * s, float(lam[50]), lam, profile=False)
    assert operator.used == slice(0, 40) and operator.Q.shape == (784, 40)


def test_orthogonal_columns_are_aligned_as_they_are():
    W = np.diag([3.0, 1e-9, 2.0, 1e-18])[:, [1, 0, 3, 2]] @ np.eye(4)
    U, s, R = aligned(W)
    assert np.array_equal(R, np.eye(4)) and s.tolist() == [1e-9, 3.0, 0.0, 2.0]
    assert error((U * s) @ R.T, W) <= TOLERANCE
    W[0, 0] = 1e-12  # small beside the others, not beside the column
    U, _, R = aligned(W)
    assert error(U[:, :3].T @ U[:, :3], np.eye(3)) <= TOLERANCE and not np.array_equal(R, np.eye(4))


def test_the_gauge_is_every_skew_rotation():
    W, _, _, rng = problem(7, 4)
    W[:, 2] = W[:, 0] + W[:, 1]  # rank 3
    U, s, R = aligned(W)
    assert error((U * s) @ R.T, W) <= TOLERANCE
    units = [np.outer(e, f) - np.outer(f, e) for e in np.eye(4) for f in np.eye(4)]
    basis = np.linalg.svd(np.array([(U * s @ omega).ravel() for omega in units]))
    dimension = int((basis[1] > 1e-12).sum())
    gauge = Gauge(U, s)
    assert gauge.dimension == dimension == 3 * 2 // 2 + 3 * 1
    B, X = basis[2][:dimension], rng.standard_normal((5, 28))
    naive = X - (X @ B.T) @ B
    assert error(gauge.project_out(X.reshape(5, 7, 4)).reshape(5, 28), naive) <= TOLERANCE
    assert error(gauge.shares().ravel(), np.diagonal(B.T @ B)) <= TOLERANCE


@BOTH
@pytest.mark.parametrize(("n", "k"), [(1, 1), (9, 3), (4, 6), (40, 4)])
def test_ends_anywhere_are_the_dense_ones(profile, n, k):
    W, sigma2, lam, _ = problem(n, k)
    H = DENSE[profile](W, sigma2, np.diag(lam))
    if not profile:
        skew = [W @ (np.outer(e, f) - np.outer(f, e)) for e in np.eye(k) for f in np.eye(k)]
        _, size, V = np.linalg.svd(np.array([x.ravel() for x in skew]))
        V = V[int((size > 1e-12).sum()) :]  # what is orthogonal to the gauge
        H = V @ H @ V.T
    result = ends(W, sigma2, lam, count=5, profile=profile)
    assert result.converged
    assert distance(result, np.linalg.eigvalsh(H)) <= CLOSE


@BOTH
def test_vectors_and_residuals_are_those_of_the_model(profile):
    lam = np.array([5.0, 4.0, 3.0, 2.0, 1.0, 0.5])
    point = single_columns("elbo" if profile else "ppca", (0, 2), 3, 0.7)
    W = weights(point, lam, np.eye(6))
    if not profile:
        W = W @ np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))[0]
    result = ends(W, point.sigma2, lam, count=4, profile=profile)
    for end in (result.bottom, result.top):
        x = end.vectors
        image = PRODUCT[profile](W, point.sigma2, np.diag(lam), x)
        lengths = np.linalg.norm((image - end.values[:, None, None] * x).reshape(4, -1), axis=1)
        assert np.abs(lengths - end.residuals).max() <= 1e-13 * result.norm
        assert error(x.reshape(4, -1) @ x.reshape(4, -1).T, np.eye(4)) <= TOLERANCE
        assert end.bound == np.linalg.norm(end.residuals) <= CLOSE * result.norm


TIED = np.array([6.0, 4.0, 4.0, 4.0, 2.0, 1.0, 0.4, 0.4, 0.4])
POINTS = {
    "maximum": single_columns("ppca", (0, 1, 2), 3, 0.4),
    "zero columns": single_columns("ppca", (0, 2), 5, 0.4),
    "collapsed": single_columns("ppca", (), 4, 0.4),
    "everything retained": single_columns("ppca", tuple(range(6)), 6, 0.4),
    "more latents than data": single_columns("ppca", (0, 4), 11, 0.4),
    "maximum of P": single_columns("elbo", (0, 1, 2), 3, 0.4),
    "zero columns of P": single_columns("elbo", (0, 2), 5, 0.4),
    "blocks of P": Point("elbo", ordered([Block((0, 2), 3), Block((1, 4), 2)], 6), 0.3, 0.0),
}


@pytest.mark.parametrize("name", POINTS)
@pytest.mark.parametrize("count", [3, 12])
def test_ends_at_stationary_points_are_the_closed_form(name, count):
    point = POINTS[name]
    rng = np.random.default_rng(2) if point.objective == "ppca" else None
    result = found(point, TIED, rng, count=count)
    assert result.converged
    assert distance(result, closed_form(point, TIED)) <= CLOSE


def test_multiplicities_are_recognised():
    # Three zero columns, and three discarded eigenvalues 6, 2 (once each) and 4 (twice): theory 1.3, row 4.
    result = found(single_columns("ppca", (1,), 4, 0.4), TIED, count=13)
    levels = result.top.levels(CLOSE * result.norm)
    assert [m for _, m in levels] == [3, 6, 3, 1]
    assert np.allclose([v for v, _ in levels[:3]], [(x - 0.4) / 0.16 for x in (6, 4, 2)], rtol=CLOSE, atol=0)


def test_copies_that_the_start_misses_turn_up(monkeypatch):
    """The search is started in one eigenvector of each end, which it cannot leave; the probes find the others."""
    point = single_columns("ppca", (1,), 4, 0.4)
    values = closed_form(point, TIED)

    def blind(search):
        order = np.argsort(search.model.host, kind="stable")[[0, 4, 5, 9, 12, 20]]
        return np.eye(search.size)[order]

    monkeypatch.setattr(module._Search, "_start", blind)
    assert distance(found(point, TIED, count=3), values) <= CLOSE
    # The control: without the probes it stops at what it was given.
    monkeypatch.setattr(module._Search, "_complete", lambda *_: True)
    assert distance(found(point, TIED, count=3), values) > 1e-3


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_a_moderate_case(objective):
    lam = np.sort(np.random.default_rng(0).exponential(1, 200))[::-1].copy()
    lam[150:] = 0.0
    point = single_columns(objective, range(12), 20, float(lam[20]))
    result = found(point, lam, np.random.default_rng(3) if objective == "ppca" else None, count=10)
    assert result.converged
    assert distance(result, closed_form(point, lam)) <= CLOSE
    assert [m for _, m in result.top.levels(CLOSE * result.norm)] == [8, 2]
    assert len(result.bottom.levels(CLOSE * result.norm)) == 1  # -1/sigma2, 50 times and more


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_a_start_that_knows_nothing_finds_every_copy(monkeypatch, objective):
    lam = np.sort(np.random.default_rng(0).exponential(1, 60))[::-1].copy()
    lam[45:] = 0.0
    point = single_columns(objective, range(4), 10, float(lam[12]))
    monkeypatch.setattr(module._Search, "_start", lambda search: search._random())
    result = found(point, lam, count=10)
    assert result.converged
    assert distance(result, closed_form(point, lam)) <= CLOSE
    assert [m for _, m in result.top.levels(CLOSE * result.norm)] == [6, 4]


def test_with_the_gauge_in_the_top_of_a_maximum_is_zero():
    point, lam = single_columns("ppca", (0, 1, 2), 3, 0.3), np.array([6.0, 5.0, 4.0, 2.0, 1.0, 0.5])
    largest = closed_form(point, lam)[-1]
    assert largest < -0.01
    assert abs(found(point, lam, count=2).top.values[0] - largest) <= CLOSE
    kept = found(point, lam, count=4, project=False)
    assert np.abs(kept.top.values[:3]).max() <= CLOSE
    assert abs(kept.top.values[3] - largest) <= CLOSE


@pytest.mark.parametrize("part", ["u", "of_inverse", "of_T", "right"])
def test_a_flipped_sign_in_the_operator_is_caught(monkeypatch, part):
    point = POINTS["blocks of P"]
    right = HessianOperator.__init__

    def wrong(self, *args, **options):
        right(self, *args, **options)
        setattr(self, part, -getattr(self, part))
        self.entries = None
        self.used = None
        self._join(np)

    monkeypatch.setattr(HessianOperator, "__init__", wrong)
    assert distance(found(point, TIED, count=12), closed_form(point, TIED)) > 1e-3


@BOTH
def test_the_device_does_the_same(cupy, profile):
    W, sigma2, lam, rng = problem(8, 3)
    A, X = rng.standard_normal((8, 8)), rng.standard_normal((2, 8, 3))
    for S in (lam, A @ A.T):
        there = HessianOperator(*on_device(cupy, W), sigma2, *on_device(cupy, S), profile=profile)
        assert error(there(cupy.ndarray(X)), HessianOperator(W, sigma2, S, profile=profile)(X)) <= TOLERANCE
    point = single_columns("elbo" if profile else "ppca", (0, 2), 3, 0.25)
    W = weights(point, TIED, np.eye(9))
    there = ends(*on_device(cupy, W), point.sigma2, cupy.ndarray(TIED), count=4, profile=profile)
    assert type(there.top.vectors) is cupy.ndarray
    assert distance(there, closed_form(point, TIED)) <= CLOSE


def test_what_cannot_be_is_refused():
    W, sigma2, lam, _ = problem(5, 2)
    for wrong, message in [
        (lambda: HessianOperator(W[None], sigma2, lam, profile=False), "shape"),
        (lambda: HessianOperator(W, sigma2, lam[1:], profile=False), "shape"),
        (lambda: HessianOperator(W, 0.0, lam, profile=False), "sigma2"),
        (lambda: ends(W, sigma2, np.diag(lam)), "diagonalise"),
        (lambda: ends(W, sigma2, lam, count=0), "count"),
    ]:
        with pytest.raises(InputError, match=message):
            wrong()
