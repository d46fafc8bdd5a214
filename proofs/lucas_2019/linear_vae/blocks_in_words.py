"""A block of a stationary point of the ELBO in words, for all n, k, q_b and k_b (docs/mathematics.md, Theorem B).

Notation   P (k, k_b) selects the block's columns of W; U (n, q_b) has orthonormal columns, Q (q_b, k_b) rows;
           T and L = (T - sigma2 I)^{1/2} are diagonal; m is the block's constant.
Main       FACTORED (W P = U L Q), APART (the block meets no other one), EIGENVECTORS (S U = U T^2/m), IN_BLOCK (all of
           them, as `reduce` takes them); M_b, its inverse; P2, R (other selectors).

Nothing is assumed here but what the names say: that it is so at every stationary point, and that it makes a point
stationary, is the claim elbo-points.
"""

import sympy as sp

from verify.symbolic.letters import M, S, W, gram, k, n, sigma2
from verify.symbolic.matrix_calculus import diag, identity, inverse, letter, zero
from verify.symbolic.relations import Relation, relation

k_b, q_b = sp.symbols("k_b q_b", integer=True, positive=True)
m = sp.Symbol("m", positive=True)

P = letter("P", k, k_b)
U, Q = letter("U", n, q_b), letter("Q", q_b, k_b)
T, L = letter("T", q_b, q_b, "diagonal"), letter("L", q_b, q_b, "diagonal")
E = diag(M)

# Q^T Q projects on the rows of Q; on the rest, z_b = k_b - q_b dimensions, M_b is sigma2.
projection = Q.T @ Q
M_b = Q.T @ T @ Q + sigma2 * (identity(k_b) - projection)
M_b_inverse = Q.T @ inverse(T) @ Q + (identity(k_b) - projection) / sigma2

SELECTS: tuple[Relation, ...] = (relation(P.T @ P, identity(k_b)),)
FACTORS: tuple[Relation, ...] = (
    relation(U.T @ U, identity(q_b)),
    relation(Q @ Q.T, identity(q_b)),
    relation(L @ L, T - sigma2 * identity(q_b)),
)
FACTORED: tuple[Relation, ...] = (*SELECTS, *FACTORS, relation(W @ P, U @ L @ Q))
# M is block diagonal and the diagonal of M_b is m throughout.
APART: tuple[Relation, ...] = (
    gram,
    relation(W.T @ U, P @ Q.T @ L),
    relation(M @ P, P @ M_b),
    relation(inverse(M) @ P, P @ M_b_inverse),
    relation(inverse(E) @ P, P / m),
)
EIGENVECTORS: tuple[Relation, ...] = (relation(S @ U, U @ T @ T / m),)
IN_BLOCK: tuple[Relation, ...] = (*FACTORED, *APART, *EIGENVECTORS)

# Another selector of the same point, and what the two of them do not share.
R = letter("R", k, k - k_b)
COVER: tuple[Relation, ...] = (relation(R.T @ P, zero(k - k_b, k_b)),)
