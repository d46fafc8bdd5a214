"""One Hessian-vector product of L, n = 784, k = 50, in the eigenbasis of S.

Ours       gpu/matrix_free.py.
Floor      X is read and the result written; two products with k directions, 2 n k^2 operations each.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Answer, Contender, Subject, Work
from benchmarks.problems import anywhere_problem, relative_error, stationary_problem
from gpu.matrix_free import HessianOperator

PEERS = "benchmarks.peers.torch_peers"


def matrix_free(setup: dict[str, Any]) -> Callable[[], Answer]:
    """HessianOperator, which is prepared once as the peers' graphs are."""
    problem = (stationary_problem if setup["stationary"] else anywhere_problem)(setup)
    W = np.ascontiguousarray(problem.U.T @ problem.W)
    operator = HessianOperator(W, problem.sigma2, problem.lam, profile=False)
    X = np.random.default_rng(2).standard_normal((1, *W.shape))
    return lambda: {"product": operator(X)[0]}


def check(ours: Answer, theirs: Answer) -> float:
    """The largest deviation of an entry."""
    return relative_error(ours["product"], theirs["product"])


def subjects(quick: bool) -> list[Subject]:
    """At a stationary point, where M is diagonal, and anywhere."""
    peers = (
        Contender("torch, double backward, graph kept", f"{PEERS}:double_backward", ("torch",), target=2.0),
        Contender("torch.func.linearize", f"{PEERS}:linearized", ("torch",), target=2.0),
        Contender("jax.linearize", "benchmarks.peers.jax_peers:product", ("jax",)),
        Contender("curvlinops", f"{PEERS}:curvature_operator", ("torch", "curvlinops"), target=1 / 0.12),
        Contender(
            "curvlinops, loss with logdet", f"{PEERS}:curvature_operator_by_logdet", ("torch", "curvlinops"),
            wrong_on_purpose=True,
        ),
    )  # fmt: skip
    n, k, ours = 784, 50, Contender("matrix-free", "benchmarks.product:matrix_free")
    return [
        Subject(
            "product", f"Hessian-vector product, n = {n}, k = {k}, {where}", {"n": n, "k": k, "stationary": stationary},
            ours, peers, check, 1e-10, lambda answer: Work(16.0 * n * k, 4.0 * n * k * k),
        )  # fmt: skip
        for stationary, where in ((True, "at a stationary point"), (False, "anywhere"))
    ]
