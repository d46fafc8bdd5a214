"""Stationary points in words, for all n and k: the relations that hold at them, as `reduce` takes them.

Notation   M = W^T W + sigma2 I; u (n, 1) an eigenvector of S; e (k, 1) a unit vector of latents, M e = kappa e.
           A retained e has W e = l u with l = sqrt(kappa - sigma2) and S u = kappa u; a zero column has W e = 0.
Main       LIKELIHOOD_POINT, ORTHOGONAL_POINT, BLOCK_POINT, discarded, retained, zero_column, block_vector, svd_point,
           full_point.

What is assumed of a point, no more: S W = W M (Eq. 11 times M) for the likelihood, whatever the rotation R, and
S W = W M^2 diag(M)^-1 for the profile ELBO, where M commutes with diag(M) (claim elbo-points); if the columns are
orthogonal, M = diag(M) and the two are one. That the former follows from W = U L R is checked by `svd_point`; that both
are what a zero gradient says, in claims spectrum and elbo-points.
"""

import sympy as sp

from verify.symbolic.letters import M, S, W, gram, k, n, sigma2
from verify.symbolic.matrix_calculus import WordSum, defined, diag, identity, inverse, letter, zero
from verify.symbolic.relations import Relation, reduce, relation

LIKELIHOOD_POINT: tuple[Relation, ...] = (gram, relation(S @ W, W @ M))
BLOCK_POINT: tuple[Relation, ...] = (gram, relation(S @ W, W @ M @ M @ inverse(diag(M))))

# Orthogonal columns: M is the diagonal letter K, entries kappa_i = lam_a in a retained column, sigma2 in a zero one.
K = letter("K", k, k, "diagonal")
ORTHOGONAL_POINT: tuple[Relation, ...] = (relation(W.T @ W, K - sigma2 * identity(k)), relation(S @ W, W @ K))


def discarded(u: WordSum, lam: sp.Symbol) -> tuple[Relation, ...]:
    """S u = lam u, and u orthogonal to all columns of W."""
    return relation(S @ u, lam * u), relation(W.T @ u, zero(k, 1))


def eigenvector_of_M(e: WordSum, kappa: sp.Expr, of: WordSum = M) -> tuple[Relation, ...]:
    """M e = kappa e, and so M^-1 e = e / kappa."""
    return relation(of @ e, kappa * e), relation(inverse(of) @ e, e / kappa)


def retained(u: WordSum, e: WordSum, lam: sp.Symbol, of: WordSum = M) -> tuple[Relation, ...]:
    """W e = l u, W^T u = l e, S u = lam u with l = sqrt(lam - sigma2)."""
    length = sp.sqrt(lam - sigma2)
    along = relation(W @ e, length * u), relation(W.T @ u, length * e), relation(S @ u, lam * u)
    return (*along, *eigenvector_of_M(e, lam, of))


def zero_column(e: WordSum, of: WordSum = M) -> tuple[Relation, ...]:
    """W e = 0."""
    return relation(W @ e, zero(n, 1)), *eigenvector_of_M(e, sigma2, of)


def block_vector(e: WordSum, t: sp.Symbol, m: sp.Symbol, lam: sp.Expr) -> tuple[Relation, ...]:
    """M e = t e and diag(M) e = m e for e inside a block, and S W e = lam W e."""
    return *eigenvector_of_M(e, t), relation(inverse(diag(M)) @ e, e / m), relation(S @ W @ e, lam * W @ e)


def svd_point() -> tuple[WordSum, WordSum]:
    """What LIKELIHOOD_POINT assumes, at W = U L R with S U L = U (L^2 + sigma2 I) L: two words that must vanish.

    U (n, m) with orthonormal columns, R (m, k) with orthonormal rows, any m <= min(n, k), L diagonal; where it is zero,
    u is arbitrary (theory 1.2). The words are M R^T - R^T (L^2 + sigma2 I), so that the columns of R^T are eigenvectors
    of M, and S W - W M; M is W^T W + sigma2 I written out.
    """
    m = sp.Symbol("m", integer=True, positive=True)
    U, L, R = letter("U", n, m), letter("L", m, m, "diagonal"), letter("R", m, k)
    shifted = defined("K", L @ L + sigma2 * identity(m))
    rules = (
        relation(U.T @ U, identity(m)),
        relation(R @ R.T, identity(m)),
        relation(L @ L, shifted - sigma2 * identity(m)),
        relation(S @ U @ L, U @ L @ shifted),
    )
    at = U @ L @ R
    inner = at.T @ at + sigma2 * identity(k)
    return reduce(inner @ R.T - R.T @ shifted, *rules), reduce(S @ at - at @ inner, *rules)


def full_point(shift: sp.Expr) -> tuple[WordSum, WordSum]:
    """C and S at W = A T R, A (n, n) all eigenvectors of S = A (T^2 + shift I) A^T, R (n, k) with orthonormal rows."""
    A, T, R = letter("A", n, n), letter("T", n, n, "diagonal"), letter("R", n, k)
    rules = (relation(A.T @ A, identity(n)), relation(A @ A.T, identity(n)), relation(R @ R.T, identity(n)))
    at_W, at_S = A @ T @ R, A @ (T @ T + shift * identity(n)) @ A.T
    return reduce(at_W @ at_W.T + sigma2 * identity(n), *rules), reduce(at_S, *rules)
