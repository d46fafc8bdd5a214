"""The dense Hessian of L at any W.

Ours       gpu/hessian.py, assembled entry by entry.
Floor      (nk)^2 numbers are written.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.harness import Answer, Contender, Subject, Work
from benchmarks.problems import anywhere_problem, relative_error
from gpu.hessian import hessian


def assembled(setup: dict[str, Any]) -> Callable[[], Answer]:
    """gpu.hessian.hessian."""
    problem = anywhere_problem(setup)
    return lambda: {"H": hessian(problem.W, problem.sigma2, problem.S)}


def check(ours: Answer, theirs: Answer) -> float:
    """The largest deviation of an entry."""
    return relative_error(ours["H"], theirs["H"])


def subjects(quick: bool) -> list[Subject]:
    """Two sizes."""
    peers = (
        Contender("torch.func.hessian", "benchmarks.peers.torch_peers:dense_hessian", ("torch",), target=3.0),
        Contender("jax.hessian", "benchmarks.peers.jax_peers:dense_hessian", ("jax",)),
    )
    ours = Contender("assembled", "benchmarks.hessian:assembled")
    return [
        Subject(
            "hessian", f"dense Hessian, n = {n}, k = {k}", {"n": n, "k": k}, ours, peers, check, 1e-10,
            lambda answer, size=n * k: Work(8.0 * size**2, 0.0),
        )  # fmt: skip
        for n, k in (((64, 10),) if quick else ((64, 10), (196, 10)))
    ]
