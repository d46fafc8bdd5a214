"""Hessians in W as operators on blocks of directions, and the gauge of L: for n = 784 and k = 50 to 200.

Notation   W (n, k), sigma2 a number; S (n, n), or (n,): its eigenvalues, W then in the eigenbasis. X (b, n, k) a block
           of directions. M, P, G, T, E as in hessian.py; N = S W - P (W^T S W)/2; R = S P - W.
Main       HessianOperator, Gauge, aligned.
Reference  verify/models: the operators that are rewritten here; theory 1.3 for the gauge.

W, P, N and G lie in span [W, S W] = span Q, Q (n, r), r <= 2k, and r <= k at a stationary point. With small letters
for coordinates in Q (P = Q p, ...) and Z = Q^T X,

    D^2 L [X] = (S/sigma2 - I) X M^-1 - X T/sigma2 + Q Y,
    Y = a Z M^-1 + p w^T Z T/sigma2 - u Z^T p - p Z^T u,   a = p w^T - (p nu^T + nu p^T)/sigma2,   u = g + p/2.

For the profile ELBO the I and the p w^T in a go, T/sigma2 gains E^-1, u = g + p, and Y gains 2 w diag(w^T Z) E^-2.
A block costs four products, a few more where M or T is not diagonal: Z; Z^T [p u]; Y, which is one matrix (r, 2r + 2k)
times what it multiplies, stacked; and Q Y, added to the rest. Where S is given by its eigenvalues and the columns of W
are orthogonal eigenvectors, as at stationary points, Q are those that are not zero, all coordinates are diagonal, and
two products are left, where M = diag(m) and zero columns have no second term:

    Y_ij = (a_i/m_j + p_i w_i T_j/sigma2) Z_ij - (u_i p_j + p_i u_j) Z_ji.

S M^-1/sigma2 and Q Y cancel along retained directions: a product is right to about eps lam_1/sigma2^2, absolutely.
"""

from math import prod, sqrt
from typing import Any

import numpy as np

from gpu.batches import contiguous
from gpu.products import multiply
from verify.arrays import Array, namespace, to_numpy, transpose
from verify.checks import positive_noise
from verify.errors import InputError
from verify.models.linear_vae import diagonal
from verify.models.ppca import symmetrised

EPS = float(np.finfo(float).eps)


def _rounding(terms: int) -> float:
    """Of the largest entry: what is as small is rounding of products of so many terms, and left out."""
    return EPS * max(16.0, 2.0 * sqrt(terms))


def largest(a: Array) -> float:
    """max |a|, 0 of an empty array."""
    return max(float(a.max()), -float(a.min())) if a.size else 0.0


def _lean(A: Array, n: int) -> Array:
    """The diagonal (k,) of A (k, k) if the rest is rounding of products with n terms, else A."""
    xp = namespace(A)
    d = diagonal(A)
    return d if largest(A - d[:, None] * xp.eye(len(A))) <= _rounding(n) * largest(A) else A


def _full(A: Array) -> Array:
    """Undo _lean."""
    return A if A.ndim == 2 else A[:, None] * namespace(A).eye(len(A))


def _times(X: Array, A: Array, out: Array | None = None) -> Array:
    """X A for a matrix A (k, k) or the diagonal (k,) of one.  (b, m, k) -> (b, m, k)."""
    return namespace(X).multiply(X, A, out=out) if A.ndim == 1 else multiply(X, A[None], out)


def _in_turns(A: Array, B: Array) -> Array:
    """Columns of A and B in turns.  (r, k), (r, k) -> (r, 2k)."""
    return namespace(A).concatenate([A[..., None], B[..., None]], axis=-1).reshape(len(A), 2 * A.shape[1])


class HessianOperator:
    """X -> D^2 L(W)[X], or D^2 P(W)[X] of the profile ELBO, for blocks X (b, n, k).

    What does not depend on X is computed once. S (n, n) symmetric, or (n,) where S is diagonal. Raises InputError.
    """

    def __init__(self, W: Array, sigma2: float, S: Array, *, profile: bool):
        xp = namespace(W, S)
        if W.ndim != 2 or 0 in W.shape:
            raise InputError(f"W has the shape {tuple(W.shape)}: give one matrix (n, k) with n and k at least 1")
        n, k = self.shape = (int(W.shape[0]), int(W.shape[1]))
        self.profile = profile
        noise = self.sigma2 = positive_noise(sigma2)
        W = contiguous(xp, W, (n, k), "W")
        S = contiguous(xp, S, (n,) if S.ndim == 1 else (n, n), "S")
        M = transpose(W) @ W + noise * xp.eye(k)
        inverse, image = symmetrised(xp.linalg.inv(M)), S[:, None] * W if S.ndim == 1 else S @ W
        P, of_P = W @ inverse, image @ inverse
        R = of_P - W
        G = (R - P @ (transpose(W) @ R)) / noise
        N = image - 0.5 * P @ symmetrised(transpose(W) @ image)
        self._take(xp, inverse, transpose(P) @ of_P, 1.0 / diagonal(M), S)
        separate = None if self.entries is None else _eigenvectors(xp, W, image, largest(S))
        self.used = None if separate is None else separate[1]
        Q = self.Q = _range(xp, W, image) if separate is None else separate[0]
        self.w, self.p, nu, g = (transpose(Q) @ a for a in (W, P, N, G))
        shrunk = symmetrised(self.p @ transpose(self.w))
        self.of_inverse = -2.0 / noise * symmetrised(self.p @ transpose(nu)) + (0.0 if profile else 1.0) * shrunk
        self.of_T, self.u = shrunk / noise, g + (1.0 if profile else 0.5) * self.p
        self._join(xp)

    def _take(self, xp: Any, inverse: Array, T: Array, scale: Array, S: Array) -> None:
        """What multiplies X from the left (n,) or (n, n), from the right, and entry by entry (n, k)."""
        self.scale = scale
        right = symmetrised(T) / self.sigma2
        if self.profile:
            right = right + _full(scale)
        elif S.ndim == 1:
            S = S - self.sigma2
        else:
            S = S - self.sigma2 * xp.eye(len(S))
        self.left = S / self.sigma2
        self.inverse, self.T, self.right = (_lean(a, self.shape[0]) for a in (inverse, symmetrised(T), -right))
        self.entries = None
        if self.left.ndim == self.inverse.ndim == self.right.ndim == 1:
            self.entries = self.left[:, None] * self.inverse + self.right

    def _join(self, xp: Any) -> None:
        """The factors of the products, and what takes the place of those between Q and Q^T where these are diagonal."""
        self.Qt = xp.ascontiguousarray(transpose(self.Q)) if xp is np else transpose(self.Q)
        self.back = 2.0 * self.w * self.scale**2
        if self.used is None:
            self.both = xp.concatenate([self.p, self.u], axis=1)
            self.joined = xp.concatenate([self.of_inverse, self.of_T, _in_turns(-self.u, -self.p)], axis=1)
            return
        p, u = (diagonal(a[:, self.used]) for a in (self.p, self.u))
        self.crosswise = u[:, None] * p + p[:, None] * u
        straight = diagonal(self.of_inverse)[:, None] * self.inverse + diagonal(self.of_T)[:, None] * self.T
        self.straight = straight + self.back * self.w if self.profile else straight

    def __call__(self, X: Array) -> Array:
        """The Hessian along every direction of a block.  X (..., n, k) -> (..., n, k) float64.  Raises InputError."""
        if tuple(X.shape[-2:]) != self.shape:
            raise InputError(
                f"directions {tuple(X.shape)}: give matrices (..., n, k) with n = {self.shape[0]}, k = {self.shape[1]}"
            )
        lead, xp = X.shape[:-2], namespace(X)
        X = contiguous(xp, X, (*lead, *self.shape), "X").reshape(prod(lead), *self.shape)
        Z = multiply(self.Qt[None], X)
        Y = self._stacked(Z) if self.used is None else self._separate(Z)
        return multiply(self.Q[None], Y, self._entrywise(X), add=True).reshape(*lead, *self.shape)

    @property
    def rounding(self) -> float:
        """What rounding adds to a product with a direction of length 1, about."""
        return 4 * EPS * largest(self.left) * largest(self.inverse)

    def _separate(self, Z: Array) -> Array:
        """Y where an entry depends on itself and its mirror image among the columns in use.  (b, r, k) -> (b, r, k)."""
        Y = Z * self.straight
        part = Y[..., self.used]
        part -= transpose(Z[..., self.used]) * self.crosswise
        if not isinstance(self.used, slice):
            Y[..., self.used] = part
        return Y

    def _stacked(self, Z: Array) -> Array:
        """Y as one product with Z M^-1, Z T, and rows of Z^T p and Z^T u in turns, stacked.  (b, r, k) -> (b, r, k)."""
        xp, (count, r, k) = namespace(Z), Z.shape
        stack = xp.empty((count, 2 * r + 2 * k, k))
        _times(Z, self.inverse, stack[:, :r])
        _times(Z, self.T, stack[:, r : 2 * r])
        multiply(transpose(Z), self.both[None], stack[:, 2 * r :].reshape(count, k, 2 * k))
        Y = multiply(self.joined[None], stack)
        if self.profile:
            Y += self.back * xp.sum(self.w * Z, axis=-2)[..., None, :]
        return Y

    def _entrywise(self, X: Array) -> Array:
        """The part that does not pass through Q, a new array: (S/sigma2 - I) X M^-1 - X T/sigma2."""
        if self.entries is not None:
            return X * self.entries
        if self.left.ndim == 2:
            return multiply(self.left[None], _times(X, self.inverse), _times(X, self.right), add=True)
        rows = X.reshape(1, X.shape[0] * X.shape[1], X.shape[2])
        image = _times(rows, self.inverse).reshape(X.shape)
        image *= self.left[:, None]
        if self.right.ndim == 1:
            image += X * self.right
        else:
            multiply(rows, self.right[None], image.reshape(rows.shape), add=True)
        return image

    def diagonal(self) -> Array:
        """The diagonal of the Hessian, the preconditioner.  -> (n, k)."""
        xp = namespace(self.Q)
        inverse, T, right = (diagonal(_full(a)) for a in (self.inverse, self.T, self.right))
        left = self.left if self.left.ndim == 1 else diagonal(self.left)
        of_left = left + xp.sum((self.Q @ self.of_inverse) * self.Q, axis=1)
        of_T = xp.sum((self.Q @ self.of_T) * self.Q, axis=1)
        d = of_left[:, None] * inverse + of_T[:, None] * T + right - 2.0 * (self.Q @ self.u) * (self.Q @ self.p)
        return d + 2.0 * ((self.Q @ self.w) * self.scale) ** 2 if self.profile else d


def _range(xp: Any, W: Array, image: Array) -> Array:
    """An orthonormal basis of span [W, S W].  (n, k), (n, k) -> (n, r)."""
    both = xp.concatenate([_units(a)[0] for a in (W, image)], axis=1)
    U, s, _ = xp.linalg.svd(both, full_matrices=False)
    # Directions that are rounding of the two factors change the Hessian by as little.
    return xp.ascontiguousarray(U[:, : int(xp.sum(s > 4 * EPS * max(both.shape)))])


def _units(W: Array) -> tuple[Array, Array]:
    """W = U diag(s): unit or zero columns U (n, k) and lengths s (k,)."""
    xp = namespace(W)
    top = xp.max(xp.abs(W), axis=0)
    scaled = W / xp.where(top > 0, top, 1.0)
    s = xp.sqrt(xp.sum(scaled * scaled, axis=0))
    return scaled / xp.where(s > 0, s, 1.0), s * top


def _orthogonal(W: Array) -> tuple[Array, Array] | None:
    """The same if the columns are orthogonal to rounding."""
    U, s = _units(W)
    return (U, s) if _lean(transpose(U) @ U, len(U)).ndim == 1 else None


def _eigenvectors(xp: Any, W: Array, image: Array, top: float) -> tuple[Array, Array | slice] | None:
    """The columns of W but zero ones as unit vectors (n, r), and which, if they are orthogonal eigenvectors of S.

    image (n, k) is S W; top the largest eigenvalue.
    """
    found = _orthogonal(W)
    if found is None:
        return None
    U, s = found
    if bool((xp.max(xp.abs(image - U * xp.sum(U * image, axis=0)), axis=0) > _rounding(len(U)) * top * s).any()):
        return None
    used = np.flatnonzero(to_numpy(s))
    together = len(used) and used[-1] - used[0] == len(used) - 1
    which = slice(int(used[0]), int(used[-1]) + 1) if together else xp.asarray(used)
    return xp.ascontiguousarray(U[:, which]), which


class Gauge:
    """The directions W Omega, Omega skew, in which L does not change, at W = U diag(s): columns orthogonal.

    They have the orthogonal basis s_a u_a e_b^T - s_b u_b e_a^T, a < b, without those that vanish.
    """

    def __init__(self, U: Array, s: Array):
        xp = namespace(U)
        self.U, self.s = U, s
        size = s[:, None] ** 2 + s**2
        self.weight = xp.where(size > 0, 1.0 / xp.where(size > 0, size, 1.0), 0.0)
        q, k = int(xp.sum(s > 0)), len(s)
        self.dimension = q * (q - 1) // 2 + q * (k - q)

    def project_out(self, X: Array) -> Array:
        """X without its component along the gauge.  (b, n, k) -> (b, n, k)."""
        Z = self.s[:, None] * multiply(transpose(self.U)[None], X)
        return X - multiply(self.U[None], (Z - transpose(Z)) * (self.s[:, None] * self.weight))

    def shares(self) -> Array:
        """How much of each unit direction E_ia lies in the gauge, squared.  -> (n, k), on the host."""
        U, s, weight = to_numpy(self.U), to_numpy(self.s), to_numpy(self.weight)
        return (U * s) ** 2 @ (weight * (1.0 - np.eye(len(s))))


def aligned(W: Array) -> tuple[Array, Array, Array]:
    """W = U diag(s) R^T with R orthogonal (k, k); s (k,) with exact zeros, U (n, k) with zero columns where k > n."""
    xp = namespace(W)
    n, k = W.shape
    found = _orthogonal(W)
    if found is not None:
        return found[0], _clipped(found[1], n), xp.eye(k)
    U, s, Rt = xp.linalg.svd(W, full_matrices=k > n)
    if k > n:
        U, s = xp.concatenate([U, xp.zeros((n, k - n))], axis=1), xp.concatenate([s, xp.zeros(k - n)])
    return U, _clipped(s, n), transpose(Rt)


def _clipped(s: Array, n: int) -> Array:
    """Singular values (k,) of W, rounding of the largest as exact zeros."""
    return namespace(s).where(s > 4 * EPS * max(n, len(s)) * float(s.max()), s, 0.0)
