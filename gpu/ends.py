"""Both ends of a Hessian's spectrum in W without the Hessian, copies counted, on NumPy or CuPy arrays.

Notation   W (n, k) in the eigenbasis of S, sigma2 a number; rows (c, nk) are directions X (n, k), row-major.
Main       ends -> Ends, End, Model.
Reference  theory 1.3 and 3.5 (what the ends are at stationary points); Davidson, J. Comput. Phys. 17 (1975); Olsen et
           al., Chem. Phys. Lett. 169 (1990), for the correction; Stathopoulos & Wu, SIAM J. Sci. Comput. 23 (2002).

The search grows an orthonormal basis until the residuals are small; then it searches the complement of what it found
from random directions, and goes on if anything there lies beyond, so that copies of an eigenvalue are not missed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gpu.matrix_free import Gauge, HessianOperator, aligned, largest
from verify.arrays import Array, namespace, to_numpy
from verify.checks import whole_number
from verify.errors import InputError

# Vectors beside those that were asked for: they keep the convergence of the last ones from being slow.
GUARDS = 4
# Random directions in which a copy is looked for that the search may have missed.
PROBES = 6
# The residual, as a share of the norm, at which that search ends: a value is then right to its square over the gap.
SETTLED = 1e-4
MOST_STEPS = 500


class Model:
    """A rough Hessian that is solved at once: its diagonal, and 2 x 2 blocks where two columns turn into each other.

    At stationary points with orthogonal columns in the eigenbasis it is the Hessian (theory 1.3, 3.5); anywhere else
    it only steers the search. The gauge is moved to the middle of the spectrum, where nobody looks for it.
    """

    def __init__(self, operator: HessianOperator, gauge: Gauge | None):
        self.xp = namespace(operator.Q)
        d = to_numpy(operator.diagonal())
        middle = 0.5 * (d.max() + d.min()) if gauge else 0.0
        W, U, P = (to_numpy(operator.Q @ a) for a in (operator.w, operator.u, operator.p))
        k = W.shape[1]
        if gauge:
            d = d + middle * gauge.shares()
        # u_a = e_i: where column a of W is largest, if no other column claims the place.
        used = np.flatnonzero(np.abs(W).max(axis=0) > 0)
        at = np.abs(W).argmax(axis=0)
        used = used if len(set(at[used].tolist())) == len(used) else used[:0]
        a, b = (used[i] for i in np.triu_indices(len(used), 1))
        x, y, s = U[at, np.arange(k)], P[at, np.arange(k)], W[at, np.arange(k)]
        off = -(x[a] * y[b] + y[a] * x[b])
        if gauge:
            off = off - middle * s[a] * s[b] / (s[a] ** 2 + s[b] ** 2)
        d = d.reshape(-1)
        left, right = at[a] * k + b, at[b] * k + a
        angle = 0.5 * np.arctan2(2 * off, d[left] - d[right])
        cos, sin = np.cos(angle), np.sin(angle)
        first = d[left] * cos**2 + 2 * off * cos * sin + d[right] * sin**2
        d[left], d[right] = first, d[left] + d[right] - first
        self.host = d
        self.d, self.cos, self.sin = (self.xp.asarray(v) for v in (d, cos, sin))
        self.left, self.right = self.xp.asarray(left), self.xp.asarray(right)

    def turned(self, rows: Array, sign: float) -> Array:
        """Rows (c, nk) in the eigenbasis of the model (sign = 1), or back (-1)."""
        if not len(self.cos):
            return rows
        one, two, sin = rows[:, self.left], rows[:, self.right], sign * self.sin
        rows = 1.0 * rows
        rows[:, self.left] = self.cos * one + sin * two
        rows[:, self.right] = self.cos * two - sin * one
        return rows

    def corrections(self, theta: Array, x: Array, residual: Array, floor: float, side: Array | None = None) -> Array:
        """Olsen's K^-1 (r - e x) orthogonal to x, K = model - theta kept away from 0.  (c, nk) -> (c, nk).

        K^-1 r alone would be x itself wherever the model is the Hessian, and the search would stand still. `side` (c,),
        +1 or -1, is the sign that K is to have throughout: the eigenvalues beyond theta count as floor away.
        """
        xp = self.xp
        K = self.d - theta[:, None]
        if side is None:
            K = xp.where(K < 0, xp.minimum(K, -floor), xp.maximum(K, floor))
        else:
            K = side[:, None] * xp.maximum(side[:, None] * K, floor)
        x, residual = self.turned(x, 1.0), self.turned(residual, 1.0)
        of_residual, of_x = residual / K, x / K
        share = xp.sum(x * of_residual, axis=1) / xp.sum(x * of_x, axis=1)
        return self.turned(of_residual - share[:, None] * of_x, -1.0)


@dataclass(frozen=True)
class End:
    """Eigenvalues at one end, the extreme one first, with vectors (c, n, k) and their residual norms |H x - theta x|.

    The residuals count what rounding of the product H x may hide, which grows with lam_1/sigma2.
    Within each residual of its value lies an eigenvalue; within `bound`, the norm of all residuals together, lie as
    many eigenvalues as there are values, copies counted (Kahan). Both bound existence: that nothing more extreme was
    missed rests on the random probes.
    """

    values: Array
    residuals: Array
    vectors: Array

    @property
    def bound(self) -> float:
        """The Frobenius norm of the residuals."""
        return float(np.linalg.norm(self.residuals))

    def levels(self, tolerance: float) -> list[tuple[float, int]]:
        """Values closer than `tolerance` to their neighbour as (mean, multiplicity); of the last, at least so many."""
        cuts = np.flatnonzero(np.abs(np.diff(self.values)) > tolerance) + 1
        return [(float(v.mean()), len(v)) for v in np.split(self.values, cuts) if len(v)]


@dataclass(frozen=True)
class Ends:
    """Both ends; `norm` is the largest |value|, `products` how many Hessian-vector products it took."""

    bottom: End
    top: End
    norm: float
    products: int
    converged: bool


def ends(
    W: Array,
    sigma2: float,
    eigenvalues: Array,
    *,
    count: int = 10,
    profile: bool = False,
    tolerance: float = 1e-9,
    project: bool = True,
    seed: int = 0,
) -> Ends:
    """The `count` smallest and largest eigenvalues of the Hessian of L, without the gauge, or of the profile ELBO.

    W (n, k) in the eigenbasis of S, eigenvalues (n,) of S; residuals fall below `tolerance` times the norm of the
    Hessian. Where W is not stationary, L's is the Hessian on the directions orthogonal to the gauge. `project=False`
    leaves the gauge in. Raises InputError.
    """
    xp = namespace(W, eigenvalues)
    if eigenvalues.ndim != 1:
        raise InputError(f"eigenvalues have the shape {tuple(eigenvalues.shape)}, not (n,): diagonalise S first")
    if whole_number(count, "count") < 1:
        raise InputError(f"count = {count}: ask for at least 1 eigenvalue")
    R = gauge = None
    if not profile:
        U, s, R = aligned(W)
        W = U * s  # L does not change under rotations of the latents, and here M is diagonal
        gauge = Gauge(U, s) if project else None
    operator = HessianOperator(W, sigma2, eigenvalues, profile=profile)
    search = _Search(xp, operator, gauge, count, seed)
    converged = search.run(tolerance)
    bottom, top = search.result(R)
    norm = max(largest(bottom.values), largest(top.values))
    return Ends(bottom, top, norm, search.products, converged)


class _Search:
    """A block Davidson search: an orthonormal basis (m, nk), grown by preconditioned residuals, restarted thickly."""

    def __init__(
        self, xp: Any, operator: HessianOperator, gauge: Gauge | None, count: int, seed: int, model: Model | None = None
    ):
        self.xp, self.operator, self.gauge = xp, operator, gauge
        self.rng, self.products = np.random.default_rng(seed), 0
        self.size = operator.shape[0] * operator.shape[1]
        self.count = min(count, self.size - (gauge.dimension if gauge else 0))
        self.most = 8 * (self.count + GUARDS) + 60
        self.model = model or Model(operator, gauge)
        self.held = 0
        self.room: tuple[Array, ...] = xp.empty((0, self.size)), xp.empty((0, self.size))
        self._take(np.zeros((0, 0)))

    @property
    def V(self) -> Array:
        """The basis (m, nk)."""
        return self.room[0][: self.held]

    @property
    def HV(self) -> Array:
        """The Hessian along it (m, nk)."""
        return self.room[1][: self.held]

    def _take(self, H: Array) -> None:
        """The Hessian in the basis (m, m), on the host, and its eigenvalues and eigenvectors."""
        self.H = H
        self.theta, self.mix = np.linalg.eigh(H)

    def _append(self, *pair: Array) -> None:
        """Rows of the basis and of the Hessian along them; where room is wanting, it is doubled."""
        old, held = self.held, self.held + len(pair[0])
        if held > len(self.room[0]):
            rows = max(held, min(2 * held, self.most + PROBES))
            before, self.room = self.room, tuple(self.xp.empty((rows, self.size)) for _ in pair)
            for part, kept in zip(self.room, before, strict=True):
                part[:old] = kept[:old]
        for part, new in zip(self.room, pair, strict=True):
            part[old:held] = new
        self.held = held

    def run(self, tolerance: float) -> bool:
        """Converge, then look in random directions for what was missed, until nothing turns up."""
        if not self.count:
            return True
        self.expand(self._start())
        for _ in range(MOST_STEPS):
            if not self._converge(tolerance):
                return False
            if self._complete(tolerance):
                return True
        return False

    def _start(self) -> Array:
        """The model's extreme eigenvectors, and random ones."""
        order = np.argsort(self.model.host, kind="stable")
        wanted = min(self.count + GUARDS, self.size)
        chosen = np.unique(np.concatenate([order[:wanted], order[-wanted:]]))
        unit = self.xp.zeros((len(chosen), self.size))
        unit[self.xp.arange(len(chosen)), self.xp.asarray(chosen)] = 1.0
        start = self.model.turned(unit, -1.0)
        return self.xp.concatenate([start, self._random()], axis=0)

    def _random(self) -> Array:
        return self.xp.asarray(self.rng.standard_normal((PROBES, self.size)))

    def expand(self, rows: Array) -> int:
        """Add what is new in these rows to the basis; -> how many directions that is."""
        new = self._orthonormal(rows, self.V)
        if not len(new):
            return 0
        image, old = self._apply(new), self.held
        self._append(new, image)
        both = to_numpy(self.V @ image.T)
        side, corner = both[:old], both[old:]
        self._take(np.block([[self.H, side], [side.T, 0.5 * (corner + corner.T)]]))
        return len(new)

    def _apply(self, rows: Array) -> Array:
        self.products += len(rows)
        return self._project(self.operator(rows.reshape(len(rows), *self.operator.shape)).reshape(len(rows), -1))

    def _project(self, rows: Array) -> Array:
        if self.gauge is None:
            return rows
        return self.gauge.project_out(rows.reshape(len(rows), *self.operator.shape)).reshape(len(rows), -1)

    def _orthonormal(self, rows: Array, V: Array) -> Array:
        """An orthonormal basis of what the rows add to V: swept until a sweep takes little away."""
        for sweep in range(3):
            rows = self._project(rows)
            rows = rows - (rows @ V.T) @ V
            gram = to_numpy(rows @ rows.T)
            lengths = np.sqrt(np.diagonal(gram))
            keep = np.flatnonzero(lengths > (1e-200 if sweep == 0 else 0.1))
            if not len(keep):
                return rows[:0]
            values, mix = np.linalg.eigh(gram[np.ix_(keep, keep)] / np.outer(lengths[keep], lengths[keep]))
            kept = values > 1e-10 * len(values)
            turn = (mix[:, kept] / np.sqrt(values[kept]) / lengths[keep, None]).T
            rows = self.xp.asarray(np.ascontiguousarray(turn)) @ self._some(rows, keep)
            if sweep and lengths.min() > 0.9:
                break
        return rows

    def _some(self, rows: Array, which: Array) -> Array:
        """The rows of these numbers, ascending, on the host; as they are if it is all of them."""
        return rows if len(which) == len(rows) else rows[self.xp.asarray(which)]

    def _ritz(self) -> tuple[Array, Array, Array, Array]:
        """theta (c,), x and residuals (c, nk) and their norms (c,) of both ends."""
        theta, turn = self._outer(self.count)
        x = turn @ self.V
        residual = turn @ self.HV - self.xp.asarray(theta)[:, None] * x
        lengths = np.sqrt(to_numpy(self.xp.sum(residual * residual, axis=1)))
        return theta, x, residual, lengths

    def _outer(self, wanted: int) -> tuple[Array, Array]:
        """So many Ritz values of each end, ascending (c,), and their vectors in the basis (c, m) where it lies."""
        m = len(self.theta)
        wanted = min(wanted, m)
        chosen = np.unique(np.concatenate([np.arange(wanted), m - 1 - np.arange(wanted)]))
        return self.theta[chosen], self.xp.asarray(np.ascontiguousarray(self.mix[:, chosen].T))

    def _norm(self) -> float:
        return float(np.abs(self.theta).max())

    def _converge(self, tolerance: float) -> bool:
        """Grow the basis until every residual asked for is small; -> whether it came to that."""
        for _ in range(MOST_STEPS):
            theta, x, residual, lengths = self._ritz()
            goal = tolerance * self._norm()
            open_ = np.flatnonzero(lengths > goal)
            if not len(open_):
                return True
            if self.held + len(open_) > self.most:
                self._restart()
            at, x, residual = self.xp.asarray(theta[open_]), self._some(x, open_), self._some(residual, open_)
            if not self.expand(self.model.corrections(at, x, residual, 1e-5 * self._norm())):
                return False
        return False

    def _restart(self) -> None:
        """Keep both ends, a few more than asked for."""
        theta, turn = self._outer(2 * self.count + GUARDS)
        pair = turn @ self.V, turn @ self.HV
        self.held = 0
        self._append(*pair)
        self._take(np.diag(theta))

    def _complete(self, tolerance: float) -> bool:
        """Search the complement of the converged vectors from random directions; -> whether it holds nothing new.

        Whatever is more extreme than the last values asked for joins the basis.
        """
        theta, x, _, _ = self._ritz()
        lowest, highest = float(theta[: self.count].max()), float(theta[-self.count :].min())
        if len(x) + (self.gauge.dimension if self.gauge else 0) >= self.size:
            return True
        other = _Complement(self, x)
        slack = tolerance * self._norm()
        if not other.exceeds(lowest - slack, highest + slack, slack):
            return True
        self.expand(other.V)
        return False

    def result(self, R: Array | None) -> tuple[End, End]:
        """The ends with residuals from fresh products; the vectors turned back by R^T."""
        if not self.count:
            none = End(np.zeros(0), np.zeros(0), self.V.reshape(0, *self.operator.shape))
            return none, none
        theta, x, _, _ = self._ritz()
        residual = self._apply(x) - self.xp.asarray(theta)[:, None] * x
        lengths = np.hypot(np.sqrt(to_numpy(self.xp.sum(residual * residual, axis=1))), self.operator.rounding)
        vectors = x.reshape(len(x), *self.operator.shape)
        vectors = vectors if R is None else vectors @ R.T
        last = slice(None, -self.count - 1, -1)
        first = slice(0, self.count)
        return tuple(End(theta[i], lengths[i], vectors[i]) for i in (first, last))  # type: ignore[return-value]


class _Complement(_Search):
    """The same search orthogonal to vectors that have converged, started at random."""

    def __init__(self, parent: _Search, known: Array):
        super().__init__(parent.xp, parent.operator, parent.gauge, PROBES, 0, parent.model)
        self.rng, self.known, self.parent = parent.rng, known, parent
        self.most = 8 * PROBES + 60

    def _project(self, rows: Array) -> Array:
        rows = super()._project(rows)
        return rows - (rows @ self.known.T) @ self.known

    def exceeds(self, lowest: float, highest: float, floor: float) -> bool:
        """Whether a Ritz value passes one of the ends before the outermost of each end have settled."""
        found = self.expand(self._random())
        while found:
            theta, x, residual, lengths = self._ritz()
            if theta[0] < lowest or theta[-1] > highest:
                break
            # The outer ones of each end have to settle, to SETTLED of the norm; the others come along.
            goal, outer = SETTLED * self.parent._norm(), np.minimum(np.arange(len(theta)), np.arange(len(theta))[::-1])
            if max(lengths[0], lengths[-1]) <= goal:
                break
            open_ = np.flatnonzero((lengths > goal) & (outer < PROBES // 2))
            if self.held + len(open_) > self.most:
                self._restart()
            # Everything that the model puts at or beyond an end grows alike, and what lies near it almost as much.
            low = open_ < PROBES // 2
            at, side = self.xp.asarray(np.where(low, lowest, highest)), self.xp.asarray(np.where(low, 1.0, -1.0))
            x, residual = self._some(x, open_), self._some(residual, open_)
            found = self.expand(self.model.corrections(at, x, residual, floor, side))
        self.parent.products += self.products
        return bool(self.held) and bool(self.theta[0] < lowest or self.theta[-1] > highest)
