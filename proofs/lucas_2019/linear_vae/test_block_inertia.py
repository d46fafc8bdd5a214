"""The Hessian of the profile ELBO at its stationary points: how many directions rise, are flat, and fall.

Statement   inside a minimal block of k_b columns, q_b eigenvectors and z_b = k_b - q_b zero rows: k_b - 1 eigenvalues
            are positive, q_b (q_b + 1)/2 negative, q_b (q_b - 1)/2 + q_b z_b - (k_b - 1) zero.  Towards a discarded
            u_j: (lam_j - lam_a)/(t_a sigma2) and, z_b times, (lam_j/sigma2 - sigma2/m_b)/sigma2.  Between two blocks,
            with D = 1/m_c - 1/m_b: -D, q_b z_c times, D, q_c z_b times, and of each pair a, d one negative eigenvalue
            and one with the sign of (m_c - m_b)(lam_a - lam_d).  These are all nk.
Hypotheses  sigma2 > 0 fixed; minimal blocks are the components of the graph M_ij != 0.
Source      ours, theory 3.6a and 9; docs/mathematics.md, Proposition 9.
Method      in words, for all n, k, k_b, q_b: the Hessian is the differential of the derived gradient.  Turning the
            columns of a block (W B, B skew) gives W diag(MB - BM)/m^2: it rises as far as the diagonal of M moves,
            which is in k_b - 1 dimensions, and is flat on the rest.  Along U Z Q, Z symmetric, it falls
            (Cauchy-Schwarz).  The three dimensions add up to q_b k_b, so that none of the numbers can be larger.  The
            other directions are eigenvectors, or pairs of directions.  Beside it: the dense Hessian at every family,
            and exact ranks.
"""

from itertools import chain, combinations

import numpy as np
import sympy as sp

from proofs.lucas_2019.linear_vae.blocks_in_words import FACTORS, IN_BLOCK, L, M_b, P, Q, T, U, k_b, m, projection, q_b
from proofs.machinery.checks import agree, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.spectra import landscapes, random_rotation, wider
from verify.landscape.families import fixed_noise_families
from verify.landscape.points import Block, Point, block_constant, block_scales, weights
from verify.landscape.spectrum import inside_hessian, spectrum
from verify.models import linear_vae
from verify.symbolic import linear_vae as in_words
from verify.symbolic.evaluation import on_arrays
from verify.symbolic.letters import M, S, W, gram, k, n, sigma2
from verify.symbolic.matrix_calculus import Shape, diag, identity, inverse, letter, of_factors, zero
from verify.symbolic.relations import reduce, relation
from verify.symbolic.traces import Scalar, trace
from verify.symbolic.unit_vectors import on_blocks, orthonormal, unit_vector

CLAIM = Claim(
    id="block-inertia",
    source="ours, after App. C.2",
    statement="the Hessian of the profile ELBO inside a minimal block, between blocks and towards what is discarded: "
    "inertia for all sizes, eigenvalues where they have a closed form",
    hypotheses="sigma2 > 0 fixed",
    section="The linear VAE",
    rests_on=("elbo-points",),
    trusts=("cauchy-schwarz", "components", "courant-fischer", "rank-nullity"),
)
TURNING = CLAIM.step(
    "turning",
    "the Hessian maps W B, B skew inside a block, to W diag(M B - B M)/m^2, and its form there is |diag(M B - B M)|^2/"
    "(2 m^2); these directions have q_b (q_b - 1)/2 + q_b z_b dimensions, for all n, k, k_b, q_b",
    says="point -> turning",
    place="Proposition 9",
)
EDGES = CLAIM.step(
    "edges",
    "what is orthogonal to the diagonals of M B - B M for every skew B is equal along the edges M_ij != 0, for all k_b",
    says="orthogonal_is_equal_along_edges",
    place="Proposition 9",
)
RANK = CLAIM.step(
    "rank",
    "in a minimal block the diagonals of M B - B M, B skew, are all of those of sum 0: what is constant is orthogonal "
    "to them, and nothing else, so they have k_b - 1 dimensions, for all k_b",
    says="orthogonal_is_constant & dimensions_add_up -> rank",
    place="Proposition 9",
)
FALLING = CLAIM.step(
    "falling",
    "along U Z Q, Z symmetric and not 0, the form is at most -tr(Y T^-1 Y)/(2 m) < 0, Y = Z L + L Z: q_b (q_b + 1)/2 "
    "dimensions, for all n, k, k_b, q_b",
    says="point & cauchy_schwarz -> falling",
    place="Proposition 9",
)
COUNT = CLAIM.step(
    "count",
    "the Hessian maps the directions inside a block into themselves; k_b - 1 rising, q_b (q_b - 1)/2 + q_b z_b - "
    "(k_b - 1) flat and q_b (q_b + 1)/2 falling dimensions are all of the q_b k_b, for all k_b and q_b",
    says="turning & rank & falling & at_least_as_many -> inside",
    place="Proposition 9",
)
BETWEEN = CLAIM.step(
    "between",
    "between blocks b and c, D = 1/m_c - 1/m_b: -D for u_a of b and a zero row of c, D for u_d of c and a zero row of "
    "b, and for each pair a, d a 2 x 2 matrix with negative trace and the determinant D (lam_a - lam_d)/(t_a t_d), for "
    "all n and k",
    says="point -> between",
    place="Proposition 9",
)
DISCARDED = CLAIM.step(
    "discarded",
    "towards a discarded u_j: (lam_j - lam_a)/(t_a sigma2) for each a of the block, and (lam_j/sigma2 - "
    "sigma2/m)/sigma2 for each zero row; with those inside and between blocks these are nk orthogonal directions, "
    "for all n, k, k_b, q_b",
    says="point -> towards_discarded",
    place="Proposition 9",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "so the inertia of P at every stationary point made of minimal blocks is as stated",
    place="Proposition 9",
)

G = letter("B", k_b, k_b) - letter("B", k_b, k_b).T  # any skew matrix
Z = letter("Z", q_b, q_b, "symmetric")


def hessian_on(X, *more):
    """D^2 P(W)[X] for a direction that ends on the columns P of a block."""
    return reduce(on_blocks(reduce(in_words.profile_hessian_vector_product(X), *IN_BLOCK, *more), P), *IN_BLOCK, *more)


def turned():
    """(direction, what the diagonal of M_b changes by)."""
    return W @ P @ G @ P.T, diag(M_b @ G - G @ M_b)


@TURNING.evidence(role="supports", kind="symbolic", strength="proved")
def test_turning_the_columns_of_a_block_for_all_n_k_k_b_and_q_b(record):
    X, change = turned()
    image = hessian_on(X)
    same(image, reduce(W @ P @ change @ P.T / m**2, *IN_BLOCK))
    form = reduce(trace(X.T @ image), *IN_BLOCK)
    same(form, reduce(trace(change @ change) / (2 * m**2), *IN_BLOCK))
    for factor in (1, 4, -2):
        with rejected():
            same(form, reduce(trace(change @ change) / (factor * m**2), *IN_BLOCK))
    with rejected():
        same(image, reduce(W @ P @ change @ P.T / m, *IN_BLOCK))
    record(instances=2)
    record.witness("all n, k, k_b, q_b: D^2 P[W B] = W diag(M B - B M)/m^2 for every skew B inside a block")


@TURNING.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_dimension_of_the_turned_directions_for_all_k_b_and_q_b(record):
    """W B = U L (A Q + N O), O the rows that complete Q: any skew A (q_b, q_b) and any N (q_b, z_b), L invertible."""
    z_b = k_b - q_b
    O = letter("O", z_b, k_b)
    complete = relation(O @ O.T, identity(z_b)), relation(Q @ O.T, zero(q_b, z_b))
    A = letter("A", q_b, q_b) - letter("A", q_b, q_b).T
    N = letter("N", q_b, z_b)
    skew = Q.T @ A @ Q + Q.T @ N @ O - O.T @ N.T @ Q
    same(skew.T, -skew)
    same(reduce(Q @ skew, *FACTORS, *complete), A @ Q + N @ O)
    # Back: from Q B the A and the N, the former skew.
    same(reduce((A @ Q + N @ O) @ Q.T, *FACTORS, *complete), A)
    same(reduce((A @ Q + N @ O) @ O.T, *FACTORS, *complete), N)
    same((Q @ G @ Q.T).T, -(Q @ G @ Q.T))
    whole = Q.T @ Q + O.T @ O  # the identity
    same(reduce(Q @ G @ whole, *FACTORS), Q @ G @ Q.T @ Q + Q @ G @ O.T @ O)
    with rejected():  # symmetric ones are not among them
        same((Q.T @ Z @ Q).T, -(Q.T @ Z @ Q))
    record(instances=6)


V, N_b = letter("V", k_b, k_b, "diagonal"), letter("N_b", k_b, k_b, "symmetric")


@EDGES.evidence(role="supports", kind="symbolic", strength="proved")
def test_what_is_orthogonal_to_every_change_is_equal_along_edges_for_all_k_b(record):
    """tr V diag(MB - BM) = tr (VM - MV) B, and VM - MV is skew: zero for every B iff VM = MV, as B = VM - MV shows.

    Entry by entry that is M_ij (v_i - v_j) = 0.
    """
    commutator = V @ N_b - N_b @ V
    same(trace(V @ diag(N_b @ G - G @ N_b)), trace(commutator @ G))
    same(commutator.T, -commutator)
    same(trace(commutator @ commutator), -trace(commutator.T @ commutator))
    e, f = unit_vector("e_i", k_b), unit_vector("e_j", k_b)
    v_i, v_j = sp.symbols("v_i v_j")
    entry = reduce(trace(e.T @ commutator @ f), relation(V @ e, v_i * e), relation(V @ f, v_j * f))
    same(entry, (v_i - v_j) * trace(e.T @ N_b @ f))
    with rejected():
        same(entry, (v_i + v_j) * trace(e.T @ N_b @ f))
    record(instances=4)


@RANK.evidence(role="supports", kind="symbolic", strength="proved")
def test_constants_are_orthogonal_to_every_change_for_all_k_b(record):
    """They are the multiples of one vector, the null space of the transpose of B -> diag(MB - BM): its rank is k_b - 1.

    The diagonals of sum 0 have as many dimensions, and all changes are among them.
    """
    changes = N_b @ G - G @ N_b
    same(trace((sp.Symbol("c") * identity(k_b)) @ diag(changes)), Scalar(0))
    with rejected():  # what is not constant need not be
        same(trace(V @ diag(changes)), Scalar(0))
    record(instances=1)


def rank_of_changes(size, edges):
    """The exact rank of B -> diag(MB - BM) for a symmetric M with these edges."""
    graph = sp.zeros(size)
    for weight, (i, j) in enumerate(edges, start=1):
        graph[i, j] = graph[j, i] = weight
    columns = []
    for i, j in combinations(range(size), 2):
        skew = sp.zeros(size)
        skew[i, j], skew[j, i] = 1, -1
        columns.append((graph * skew - skew * graph).diagonal())
    return sp.Matrix.vstack(*columns).rank()


def components(size, edges):
    """The number of components of a graph."""
    parts = [{i} for i in range(size)]
    for i, j in edges:
        one, other = (next(p for p in parts if x in p) for x in (i, j))
        if one is not other:
            parts.remove(other)
            one |= other
    return len(parts)


@RANK.evidence(role="supports", kind="symbolic")
def test_the_rank_of_every_graph_of_four_columns(record):
    """Exact, all 64 + 8 + 2 graphs: size less components, so k_b - 1 where there is one."""
    for size in (2, 3, 4):
        pairs = list(combinations(range(size), 2))
        for chosen in range(2 ** len(pairs)):
            edges = [pair for i, pair in enumerate(pairs) if chosen >> i & 1]
            same(rank_of_changes(size, edges), size - components(size, edges))
            record(instances=1)
    with rejected():  # two blocks are not one
        same(rank_of_changes(4, [(0, 1), (2, 3)]), 3)


@FALLING.evidence(role="supports", kind="symbolic", strength="proved")
def test_symmetric_changes_fall_for_all_n_k_k_b_and_q_b(record):
    """With Y = Z L + L Z the form is sum_i (q_i^T Y q_i)^2/(2 m^2) - tr(Y T^-1 Y)/m, q_i = Q e_i.

    Cauchy-Schwarz: (q_i^T Y q_i)^2 <= q_i^T T q_i  q_i^T Y T^-1 Y q_i, and q_i^T T q_i <= m.  The sum over i of the
    last factor is tr(Y T^-1 Y), so the form is at most (1/(2 m) - 1/m) tr(Y T^-1 Y).
    """
    X, Y = U @ Z @ Q @ P.T, Z @ L + L @ Z
    image = hessian_on(X)
    form = reduce(trace(X.T @ image), *IN_BLOCK)
    diagonal, fall = diag(Q.T @ Y @ Q), trace(Y @ inverse(T) @ Y)
    closed = trace(diagonal @ diagonal) / (2 * m**2) - fall / m
    same(form, reduce(closed, *IN_BLOCK))
    e = unit_vector("e_i", k_b)
    on_diagonal = reduce(trace(e.T @ (M_b - sigma2 * (identity(k_b) - projection)) @ e), *FACTORS)
    same(on_diagonal, trace(e.T @ Q.T @ T @ Q @ e))  # m - sigma2 (1 - |q_i|^2), as (M_b)_ii = m
    off = e - Q.T @ Q @ e  # so |q_i| <= 1
    same(reduce(trace(off.T @ off), *FACTORS, *orthonormal(e)), Scalar(1) - trace(e.T @ Q.T @ Q @ e))
    same(reduce(trace(Q.T @ Y @ inverse(T) @ Y @ Q), *FACTORS), reduce(fall, *FACTORS))
    vanishes((1 / (2 * m**2)) * m - 1 / m + 1 / (2 * m))
    # Z -> Y is injective: Y_ab = (l_a + l_b) Z_ab, and l > 0.
    a, b, (l_a, l_b) = unit_vector("e_a", q_b), unit_vector("e_b", q_b), sp.symbols("l_a l_b", positive=True)
    entry = reduce(trace(a.T @ Y @ b), relation(L @ a, l_a * a), relation(L @ b, l_b * b))
    same(entry, (l_a + l_b) * trace(a.T @ Z @ b))
    for wrong in (
        trace(diagonal @ diagonal) / m**2 - fall / m,
        trace(diagonal @ diagonal) / (2 * m**2) - fall / (2 * m),
        trace(diagonal @ diagonal) / (2 * m**2) + fall / m,
    ):
        with rejected():
            same(form, reduce(wrong, *IN_BLOCK))
    record(instances=6)


def counts(columns, retained):
    """Proposition 9: how many rise, are flat, and fall inside a minimal block."""
    zeros = columns - retained
    turned_ones = retained * (retained - 1) / 2 + retained * zeros
    return columns - 1, turned_ones - (columns - 1), retained * (retained + 1) / 2


@COUNT.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_three_dimensions_are_all_of_the_block_for_all_k_b_and_q_b(record):
    rising, flat, falling = counts(k_b, q_b)
    vanishes(sp.expand(rising + flat + falling - q_b * k_b))
    for wrong in ((rising + 1, flat, falling), (rising, flat, q_b**2), (rising, q_b * (q_b - 1) / 2, falling)):
        with rejected():
            vanishes(sp.expand(sum(wrong) - q_b * k_b))
    # Into itself: X = U Z P^T, any Z (q_b, k_b), goes to U (...) P^T.
    X = U @ letter("Z", q_b, k_b) @ P.T
    image = hessian_on(X)
    same(reduce(U @ U.T @ image @ P @ P.T, *IN_BLOCK), image)
    with rejected():
        same(reduce(U @ U.T @ (image + W) @ P @ P.T, *IN_BLOCK), image + W)
    record(instances=2)


# Between: u_a of block b, held by e; u_d of block c, held by f; g a zero row of c. Different blocks share no column.
u_a, u_d = unit_vector("u_a", n), unit_vector("u_d", n)
e, f, g = (unit_vector(name, k) for name in "efg")
t_a, t_d, m_b, m_c = sp.symbols("t_a t_d m_b m_c", positive=True)
l_a, l_d = sp.sqrt(t_a - sigma2), sp.sqrt(t_d - sigma2)


def held(u, v, t, constant):
    """W v = sqrt(t - sigma2) u and what goes with it; lam = t^2/m."""
    length = sp.sqrt(t - sigma2)
    yield from (relation(W @ v, length * u), relation(W.T @ u, length * v), relation(S @ u, t**2 / constant * u))
    yield from in_latents(v, t, constant)


def in_latents(v, t, constant):
    yield from (relation(M @ v, t * v), relation(inverse(M) @ v, v / t), relation(inverse(diag(M)) @ v, v / constant))


TWO_BLOCKS = (
    gram,
    *held(u_a, e, t_a, m_b),
    *held(u_d, f, t_d, m_c),
    relation(W @ g, zero(n, 1)),
    *in_latents(g, sigma2, m_c),
    relation(diag(e @ f.T), zero(k, k)),
    relation(diag(e @ g.T), zero(k, k)),
    *orthonormal(u_a, u_d),
    *orthonormal(e, f, g),
)
D_bc = 1 / m_c - 1 / m_b
kappa = 1 / (m_b * t_d) + 1 / (m_c * t_a)


def pair():
    """The matrix in the directions u_a f^T, u_d e^T."""
    return -sp.Matrix([[D_bc + kappa * l_d**2, kappa * l_a * l_d], [kappa * l_a * l_d, kappa * l_a**2 - D_bc]])


def check_between(matrix, free):
    """The images of u_a f^T, u_d e^T and u_a g^T."""
    directions = u_a @ f.T, u_d @ e.T
    for column, X in enumerate(directions):
        image = reduce(in_words.profile_hessian_vector_product(X), *TWO_BLOCKS)
        same(image, sum((matrix[row, column] * Y for row, Y in enumerate(directions)), 0 * X))
    image = reduce(in_words.profile_hessian_vector_product(u_a @ g.T), *TWO_BLOCKS)
    same(image, free * (u_a @ g.T))


@BETWEEN.evidence(role="supports", kind="symbolic", strength="proved")
def test_directions_between_two_blocks_for_all_n_and_k(record):
    """A zero row of b towards u_d is the same with b and c exchanged, so that it has +D."""
    check_between(pair(), -D_bc)
    lam_a, lam_d = t_a**2 / m_b, t_d**2 / m_c
    vanishes(pair().det() - D_bc * (lam_a - lam_d) / (t_a * t_d))
    vanishes(pair().trace() + kappa * (l_a**2 + l_d**2))  # negative
    slips = (
        (-pair(), -D_bc),
        (pair(), D_bc),
        (pair().subs(m_b, m_c), -D_bc),
        (pair().subs({t_a: t_d, t_d: t_a}, simultaneous=True), -D_bc),
        (2 * pair(), -D_bc),
    )
    for matrix, free in slips:
        with rejected():
            check_between(matrix, free)
    with rejected():
        vanishes(pair().det() + D_bc * (lam_a - lam_d) / (t_a * t_d))
    record(instances=5)


lam_j = sp.Symbol("lam_j", positive=True)
u_j = unit_vector("u_j", n)
FREE = relation(W.T @ u_j, zero(k, 1)), relation(S @ u_j, lam_j * u_j)


@DISCARDED.evidence(role="supports", kind="symbolic", strength="proved")
def test_towards_a_discarded_eigenvector_for_all_n_k_k_b_and_q_b(record):
    """Along u_j q_a^T, q_a the rows of Q, and u_j y^T, Q y = 0; T e_a = t_a e_a, lam_a = t_a^2/m."""
    a, y = unit_vector("e_a", q_b), unit_vector("y", k_b)
    on_row = relation(T @ a, t_a * a), relation(inverse(T) @ a, a / t_a), relation(Q @ y, zero(q_b, 1))
    X = u_j @ (a.T @ Q @ P.T)
    image = hessian_on(X, *FREE, *on_row)
    lam_a = t_a**2 / m
    same(image, (lam_j - lam_a) / (t_a * sigma2) * X)
    zero_row = u_j @ (y.T @ P.T)
    of_zero = hessian_on(zero_row, *FREE, *on_row)
    same(of_zero, (lam_j / sigma2 - sigma2 / m) / sigma2 * zero_row)
    for wrong in ((lam_j - m) / (t_a * sigma2), (lam_j - lam_a) / (lam_a * sigma2), (lam_a - lam_j) / (t_a * sigma2)):
        with rejected():
            same(image, wrong * X)
    for wrong in ((lam_j / sigma2 - 1) / sigma2, (lam_j / sigma2 - sigma2 / m) / m):
        with rejected():
            same(of_zero, wrong * zero_row)
    record(instances=2)


def directions(blocks, rows):
    """How many: inside blocks (k_b, q_b), between each two, and towards the discarded."""
    inside = sum(q * p for p, q in blocks)
    between = sum(q * (o - r) + r * (p - q) + 2 * q * r for (p, q), (o, r) in combinations(blocks, 2))
    return inside + between + sum(p for p, _ in blocks) * (rows - sum(q for _, q in blocks))


@DISCARDED.evidence(role="supports", kind="symbolic", strength="proved")
def test_these_are_nk_orthogonal_directions(record):
    """u_a runs over the retained eigenvectors and u_j over the others, P over the blocks: an orthogonal basis.

    By induction on the blocks: one more, of p columns and q eigenvectors, beside any others, K columns and A in all,
    adds q p inside, q K + p A between, and p (n - A - q) - q K towards the discarded: p n in all.
    """
    p, q, K_, A_, rows = sp.symbols("p q K A n")
    vanishes(sp.expand(q * p + (q * K_ + p * A_) + p * (rows - A_ - q) - q * K_ - p * rows))
    q1, q2, q3, p1, p2, p3 = sp.symbols("q_1:4 p_1:4")
    blocks = [(p1, q1), (p2, q2), (p3, q3)]
    vanishes(sp.expand(directions(blocks, rows) - rows * (p1 + p2 + p3)))
    same(reduce(trace((u_a @ f.T).T @ (u_d @ e.T)), *orthonormal(u_a, u_d), *orthonormal(e, f)), Scalar(0))
    same(reduce(trace((u_a @ f.T).T @ (u_a @ e.T)), *orthonormal(u_a, u_d), *orthonormal(e, f)), Scalar(0))
    with rejected():  # without the zero rows
        short = sum(2 * q * r for (_, q), (_, r) in combinations(blocks, 2))
        vanishes(sp.expand(short + sum(q * p for p, q in blocks) + (p1 + p2 + p3) * (rows - q1 - q2 - q3) - rows * p1))
    record(instances=4)


USED = {
    "elbo-points": "stationary -> point",
    "cauchy-schwarz": "cauchy_schwarz",
    "components": "minimal & orthogonal_is_equal_along_edges -> orthogonal_is_constant",
    "courant-fischer": "at_least_as_many",
    "rank-nullity": "dimensions_add_up",
}


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_give_the_inertia(record):
    """at_least_as_many: such eigenvalues as a space has dimensions on which the form is positive (negative)."""
    count = concludes(CLAIM, "stationary & minimal -> inside & between & towards_discarded", USED)
    with rejected():  # not of blocks that are not minimal
        concludes(CLAIM, "stationary -> inside & between & towards_discarded", USED)
    record(instances=count)


def inertia(values, size):
    """(positive, zero, negative), zero being below what eigvalsh can tell at this size."""
    zero = 1e-8 * size
    return [int((values > zero).sum()), int((np.abs(values) <= zero).sum()), int((values < -zero).sum())]


def dense(point, at):
    return np.linalg.eigvalsh(linear_vae.profile_hessian(weights(point, at.lam, at.U), at.sigma2, at.S))


def not_orthogonal(problems):
    """The points of these whose columns are not orthogonal."""
    for at in problems:
        for point in fixed_noise_families(at.lam, at.k, at.sigma2):
            if not point.orthogonal:
                yield at, point


def check_many(points, least):
    seen = len(list(points))
    check(seen > least, f"only {seen} points")


@CONCLUSION.evidence(role="supports", kind="numeric")
def test_the_spectrum_of_every_family_is_that_of_the_dense_hessian(record, thorough):
    """k > n as well, which no step excludes."""
    problems = landscapes(thorough(40, 400), most_n=5, most_k=4, seed=61), wider(thorough(10, 100), seed=64)
    points = list(not_orthogonal(chain(*problems)))
    for at, point in points:
        values = dense(point, at)
        size = max(np.abs(values).max(), 1e-6 / at.sigma2)
        found = spectrum(point, at.lam)
        record(instances=1, worst_error=agree(found.values(), values, tolerance=1e-8, scale=size))
    check_many(points, 200)
    with rejected():  # at k = 1, where a block is a column, there are none
        check_many(not_orthogonal(landscapes(200, most_n=5, most_k=1, seed=61)), 200)


def check_inside(lam, sigma2_, columns, expected):
    values = np.linalg.eigvalsh(inside_hessian(Block(tuple(range(len(lam))), columns), lam, sigma2_))
    same(inertia(values, np.abs(values).max()), [int(x) for x in expected])


def a_block():
    """A stationary point, n = 5, k = 4: a block of two eigenvectors and a zero row, and a plain column; in letters."""
    lam, s, holder = np.array([4.0, 3.0, 2.0, 0.5, 0.3]), 0.6, Block((0, 1), 3)
    point = Point("elbo", (holder, Block((2,))), s, 0.0)
    basis = random_rotation(np.random.default_rng(65), 5)
    W_ = weights(point, lam, basis)
    constant, t = block_constant(lam[:2], 3, s), block_scales(lam[:2], 3, s)
    length, U_ = np.sqrt(t - s), basis[:, :2]
    letters = {"W": W_, "S": (basis * lam) @ basis.T, "P": np.eye(4)[:, :3], "U": U_, "T": np.diag(t)}
    letters |= {"L": np.diag(length), "Q": (U_ / length).T @ W_[:, :3]}
    # The other column holds u_2: W f = l u_d; e, on the block, has M e = t_a e.
    letters |= {"u_a": U_[:, :1], "u_d": basis[:, 2:3], "f": np.eye(4)[:, 3:]}
    letters |= {"e": np.vstack([letters["Q"][:1].T, [[0.0]]])}
    numbers = {n: 5, k: 4, k_b: 3, q_b: 2, m: constant, sigma2: s}
    return letters, numbers | {t_a: t[0], m_b: constant, t_d: lam[2], m_c: lam[2]}


def check_relations(rules, letters, numbers):
    """Both sides of each relation have one value; -> how many, those about letters that are not there left out."""
    seen = 0
    for rule in rules:
        shape = Shape(rule.replacement.shape.rows, rule.replacement.shape.cols)
        try:
            left, right = (on_arrays(x, letters, numbers) for x in (of_factors(rule.pattern, shape), rule.replacement))
        except KeyError:
            continue
        agree(left, right, tolerance=1e-12, scale=1.0)
        seen += 1
    return seen


@TURNING.evidence(role="supports", kind="numeric")
def test_the_relations_in_words_are_those_of_a_point(record):
    """What contradicts itself proves everything: these relations are true of an actual point, all at once."""
    letters, numbers = a_block()
    agree(linear_vae.profile_gradient(letters["W"], 0.6, letters["S"]), np.zeros((5, 4)), tolerance=1e-12)
    same(check_relations(IN_BLOCK, letters, numbers), len(IN_BLOCK))
    record(instances=len(IN_BLOCK))
    record(instances=check_relations(TWO_BLOCKS, letters, numbers))
    with rejected():  # and not of any other
        check_relations(IN_BLOCK, letters | {"W": 1.1 * letters["W"]}, numbers)
    with rejected():
        check_relations(TWO_BLOCKS, letters | {"e": letters["f"]}, numbers)


@COUNT.evidence(role="supports", kind="numeric")
def test_the_inertia_inside_blocks_with_and_without_zero_rows(record, thorough):
    rng = np.random.default_rng(62)
    for _ in range(thorough(100, 1000)):
        q = int(rng.integers(1, 5))
        columns = q + int(rng.integers(q == 1, 3))
        lam = np.sort(rng.uniform(1.0, 3.0, q))[::-1].copy()
        check_inside(lam, 0.1, columns, counts(columns, q))
        record(instances=1)


@COUNT.evidence(role="control", kind="numeric")
def test_equal_eigenvalues_are_no_minimal_block():
    """Orthogonal columns in disguise: no rising direction is left."""
    for size in (2, 3):
        with rejected():
            check_inside(np.full(size, 2.0), 0.3, size, counts(size, size))


@CONCLUSION.evidence(role="control", kind="numeric")
def test_the_spectrum_of_the_likelihood_is_not_that_of_a_block():
    refused = 0
    for at in landscapes(10, most_n=4, most_k=3, seed=63, generic=True):
        for point in fixed_noise_families(at.lam, at.k, at.sigma2):
            if point.orthogonal:
                continue
            values = dense(point, at)
            found = spectrum(point, at.lam).values()
            for wrong in (2 * found, -found, found + 0.01 * np.abs(found).max()):
                with rejected():
                    agree(np.sort(wrong), values, tolerance=1e-8, scale=float(np.abs(values).max()))
                refused += 1
    check(refused > 30, "few points were tried")
