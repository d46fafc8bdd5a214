"""The register of standard facts: what claims use and do not prove, each with where it is proved.

Main       FACTS, by id; fact.

A fact stands here if textbooks prove it; its own tests, where it has some, are in proofs/standard_facts.
"""

import difflib

from proofs.machinery.claims import Fact

HJ = "Horn & Johnson, Matrix Analysis, 2nd ed. 2013"

_REGISTER = (
    Fact(
        "cauchy-schwarz",
        "(x^T y)^2 <= x^T A x  y^T A^-1 y for A > 0, equal iff x and A^-1 y are linearly dependent",
        f"{HJ}, 5.1",
    ),
    Fact(
        "central-limit",
        "sqrt(N) times the mean of N independent variables of one law with mean 0 and finite variance is normal in the "
        "limit; so is sqrt(N) (g(mean) - g(0)), g differentiable at 0, with the variance of its differential",
        "van der Vaart, Asymptotic Statistics, 1998, 2.17, 3.1",
    ),
    Fact(
        "chain-rule",
        "derivatives, and continuity, of products, inverses and compositions",
        "any course in analysis",
    ),
    Fact(
        "change-of-variables",
        "under a smooth bijection of open sets with a smooth inverse a density is divided by the absolute value of the "
        "Jacobian determinant",
        "any course in analysis",
    ),
    Fact(
        "coercive",
        "a continuous function on R^m that tends to minus infinity as |x| grows has a maximum",
        "Weierstrass",
    ),
    Fact(
        "components",
        "a graph falls into components that no edge joins, and what is equal along every edge is constant on each of "
        "them: on all of a connected graph",
        "Diestel, Graph Theory, 5th ed. 2017, 1.4",
    ),
    Fact(
        "courant-fischer",
        "a quadratic form that is positive (negative) on the nonzero vectors of a space of dimension d has at least d "
        "positive (negative) eigenvalues",
        f"{HJ}, 4.2",
    ),
    Fact(
        "descent",
        "if a natural number falls with every move, and every state but the final ones has a move, then finitely many "
        "moves lead to a final one",
        "Peano",
    ),
    Fact(
        "differentiation-under-the-integral",
        "d/dt E f = E df/dt if f(t) is integrable and one integrable function bounds |df/dt| for all t near; and "
        "E df/dt is continuous in t if df/dt is",
        "Lebesgue",
    ),
    Fact(
        "gaussian-integral",
        "exp(-(x - m)^T P (x - m)/2), P > 0, integrates to (2 pi)^(d/2) det(P)^(-1/2)",
        "Anderson, Introduction to Multivariate Statistical Analysis, 3rd ed. 2003, 2.3",
    ),
    Fact(
        "gaussian-moments",
        "an affine image A z + b of z ~ N(m, Q) is N(A m + b, A Q A^T), degenerate where that is singular; the mean of "
        "a product of centred jointly Gaussian variables is the sum, over all ways to pair them, of the products of "
        "the covariances of the pairs",
        "Anderson, Introduction to Multivariate Statistical Analysis, 3rd ed. 2003, 2.4; Isserlis 1918",
    ),
    Fact("hadamard", "det M <= prod M_ii for M > 0, equal iff M is diagonal", f"{HJ}, 7.8.1"),
    Fact(
        "haynsworth",
        "the inertia of a symmetric block matrix is that of an invertible diagonal block plus that of its Schur "
        "complement",
        f"{HJ}, 4.5",
    ),
    Fact(
        "identity-theorem",
        "a real-analytic function on an interval that is not 0 throughout has isolated zeros",
        "any course in analysis",
    ),
    Fact(
        "implicit-functions",
        "a zero of a continuously differentiable function at which the derivative in the unknowns is onto continues "
        "with the parameter nearby, as often continuously differentiable as the function",
        "any course in analysis",
    ),
    Fact("induction", "a finite set of positive integers that holds a - 1 with each a > 1 is {1, ..., q}", "Peano"),
    Fact(
        "intermediate-value",
        "a continuous function on an interval that takes two values takes every one between them",
        "any course in analysis",
    ),
    Fact("jacobi", "where det A > 0, d log det A = tr(A^-1 dA)", f"{HJ}, 0.8.10"),
    Fact("kl-nonnegative", "KL(p, q) >= 0, and 0 iff p = q almost everywhere", "Gibbs' inequality"),
    Fact(
        "ky-fan",
        "the k largest eigenvalues of a symmetric matrix sum to its largest trace on k dimensions",
        f"{HJ}, 4.3.39",
    ),
    Fact(
        "lindsay",
        "a mixing measure at which the likelihood of the data is positive maximises it iff its gradient function is <= "
        "0",
        "Lindsay, Ann. Stat. 1983",
    ),
    Fact(
        "mean",
        "finitely many real numbers none of which exceeds their mean all equal it, and so do those none of which is "
        "below it; x_i - c <= 0 for all i and sum (x_i - c) = 0 make every x_i = c",
        "any course in analysis",
    ),
    Fact(
        "rank-nullity",
        "rank and nullity of an (r, m) matrix add up to m, and the transpose has the same rank: r linear homogeneous "
        "equations in m unknowns have at least m - r independent solutions, so one that is not 0 if r < m",
        f"{HJ}, 0.2.3, 0.4.6",
    ),
    Fact(
        "real-schur",
        "an orthogonal matrix is Q T Q^T, Q orthogonal, T block diagonal of plane rotations and entries 1 and -1",
        f"{HJ}, 2.5.11",
    ),
    Fact(
        "schur-horn",
        "a symmetric matrix of eigenvalues t and diagonal d exists iff t majorises d",
        f"{HJ}, 4.3.45, 4.3.48",
    ),
    Fact(
        "second-order",
        "at a local maximum inside the domain of a twice differentiable function the gradient vanishes and no second "
        "directional derivative is positive",
        "any course in analysis",
    ),
    Fact(
        "so-exponential",
        "every orthogonal matrix of determinant 1 is the exponential of a skew matrix",
        f"{HJ}, 2.5.P, 2.7",
    ),
    Fact("spectral", "a symmetric matrix has an orthonormal basis of eigenvectors", f"{HJ}, 2.5.6"),
    Fact(
        "svd",
        "every matrix is U K R: orthonormal columns, positive diagonal, orthonormal rows",
        f"{HJ}, 2.6.3",
    ),
    Fact(
        "sylvester",
        "inertia does not change under an invertible congruence, nor that of a Hessian at a stationary point under a "
        "smooth change of coordinates with a smooth inverse",
        f"{HJ}, 4.5.8",
    ),
    Fact(
        "tangents",
        "a differentiable convex function is nowhere below its tangents, a concave one nowhere above them; and one "
        "whose derivative rises is convex, one whose derivative falls is concave",
        "Rockafellar, Convex Analysis, 1970, 24, 25",
    ),
    Fact(
        "von-neumann",
        "tr(A B) is at least the sum of a_i b_{n+1-i} and at most that of a_i b_i, the falling eigenvalues of "
        "symmetric A, B; it is the latter iff some orthonormal x_1, ..., x_n have A x_i = a_i x_i and B x_i = b_i x_i "
        "for all i",
        f"{HJ}, 4.3.53, 7.4.1; Theobald, Math. Proc. Camb. Phil. Soc. 77, 1975",
    ),
    Fact(
        "weyl",
        "no eigenvalue of a symmetric matrix, in falling order, moves by more than the norm of a symmetric change",
        f"{HJ}, 4.3.15",
    ),
)
FACTS = {one.id: one for one in _REGISTER}


def fact(id: str) -> Fact:
    """A fact of the register.  ValueError for an id that is none; the nearest is named."""
    if id not in FACTS:
        near = difflib.get_close_matches(id, FACTS, cutoff=0.3)
        raise ValueError(f"no such standard fact: {id}; {'the nearest is ' + near[0] if near else 'see FACTS'}")
    return FACTS[id]
