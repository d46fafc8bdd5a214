"""One Hessian-vector product of L, n = 784, k = 50, in the eigenbasis of S.

Ours       gpu/matrix_free.py.
Floor      X is read and the result written; two products with k directions, 2 n k^2 operations each.
"""

from collections.abc import Callable

import numpy as np

from benchmarks.harness import Answer, Contender, Setup, Subject, Work
from benchmarks.problems import anywhere_problem, relative_error, stationary_problem
from gpu.matrix_free import HessianOperator

PEERS = "benchmarks.peers.torch_peers"


def matrix_free(setup: Setup) -> Callable[[], Answer]:
    """HessianOperator, which is prepared once as the peers' graphs are."""
    problem = (stationary_problem if setup["stationary"] else anywhere_problem)(setup)
    W = np.ascontiguousarray(problem.U.T @ problem.W)
    operator = HessianOperator(W, problem.sigma2, problem.lam, profile=False)
    X = np.random.default_rng(2).standard_normal((1, *W.shape))
    return lambda: {"product": operator(X)[0]}


def check(ours: Answer, theirs: Answer) -> float:
    """The largest deviation of an entry."""
    return relative_error(ours["product"], theirs["product"])


def work(setup: Setup, ours: Answer) -> Work:
    """X is read, the result written; two products with k directions."""
    n, k = setup["n"], setup["k"]
    return Work(16.0 * n * k, 4.0 * n * k * k)


def _subject(stationary: bool) -> Subject:
    torch, curvlinops = ("torch",), ("torch", "curvlinops")
    n, k = 784, 50
    return Subject(
        name="product",
        title=f"Hessian-vector product, n = {n}, k = {k}, {'at a stationary point' if stationary else 'anywhere'}",
        setup={"n": n, "k": k, "stationary": stationary},
        ours=Contender("matrix-free", "benchmarks.product:matrix_free"),
        peers=(
            Contender("torch, double backward", f"{PEERS}:double_backward", torch, 2.0, "the graph is kept"),
            Contender("torch.func.linearize", f"{PEERS}:linearized", torch, 2.0),
            Contender("jax.linearize, compiled", "benchmarks.peers.jax_peers:product", ("jax",)),
            Contender("curvlinops", f"{PEERS}:curvature_operator", curvlinops, 1 / 0.12),
            Contender(
                "curvlinops, logdet in the loss", f"{PEERS}:curvature_by_logdet", curvlinops, wrong_on_purpose=True
            ),
        ),
        check=check,
        tolerance=1e-10,  # two orders of adding up to n terms
        work=work,
    )


def subjects(quick: bool) -> list[Subject]:
    """At a stationary point, where M is diagonal, and anywhere."""
    return [_subject(True)] if quick else [_subject(True), _subject(False)]
