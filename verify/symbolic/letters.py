"""The letters of docs/mathematics.md, section 0, shared by the derivations of pPCA and of the linear VAE.

Notation   W (n, k); V (k, n); D (k, k) diagonal; S (n, n) symmetric; x (n, 1), measured from its mean, and
           z (k, 1); C = W W^T + sigma2 I (n, n); M = W^T W + sigma2 I (k, k).
Main       W, V, D, S, x, z, C, M, the symbols n, k, sigma2, and what follows for all n and k:
           gram (W^T W = M - sigma2 I), woodbury (C^-1), log_det_of_marginal (log det C).
"""

import sympy as sp

from verify.symbolic.matrix_calculus import WordSum, defined, identity, inverse, letter
from verify.symbolic.relations import Relation, of_definition, relation
from verify.symbolic.traces import Scalar, log_det

n, k = sp.symbols("n k", integer=True, positive=True)
sigma2 = sp.Symbol("sigma2", positive=True)

W = letter("W", n, k)
V = letter("V", k, n)
D = letter("D", k, k, "diagonal")
S = letter("S", n, n, "symmetric")
x = letter("x", n, 1)
z = letter("z", k, 1)
C = defined("C", W @ W.T + sigma2 * identity(n))
M = defined("M", W.T @ W + sigma2 * identity(k))

gram: Relation = of_definition(M)


def woodbury() -> WordSum:
    """(I - W M^-1 W^T) / sigma2, which is C^-1: C times it reduces to I by W^T W = M - sigma2 I."""
    inverse_of_C: WordSum = (identity(n) - W @ inverse(M) @ W.T) / sigma2
    return inverse_of_C


def log_det_of_marginal() -> Scalar:
    """log det M + (n - k) log sigma2, which is log det C: equal at W = 0, with equal gradients in W."""
    log_det_of_C: Scalar = log_det(M) + (n - k) * sp.log(sigma2)
    return log_det_of_C


def marginal_precision() -> Relation:
    """The relation C^-1 = (I - W M^-1 W^T) / sigma2."""
    return relation(inverse(C), woodbury())
