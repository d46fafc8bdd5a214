"""The dense Hessian of L at any W.

Ours       gpu/hessian.py, assembled entry by entry.
Floor      (nk)^2 numbers are written.
"""

from collections.abc import Callable

from benchmarks.harness import Answer, Contender, Setup, Subject, Work
from benchmarks.problems import anywhere_problem, relative_error
from gpu.hessian import hessian


def assembled(setup: Setup) -> Callable[[], Answer]:
    """gpu.hessian.hessian."""
    problem = anywhere_problem(setup)
    return lambda: {"H": hessian(problem.W, problem.sigma2, problem.S)}


def check(ours: Answer, theirs: Answer) -> float:
    """The largest deviation of an entry."""
    return relative_error(ours["H"], theirs["H"])


def work(setup: Setup, ours: Answer) -> Work:
    """Every entry is written once."""
    return Work(8.0 * (setup["n"] * setup["k"]) ** 2, 0.0)


def _subject(n: int, k: int) -> Subject:
    return Subject(
        name="hessian",
        title=f"dense Hessian, n = {n}, k = {k}",
        setup={"n": n, "k": k},
        ours=Contender("assembled", "benchmarks.hessian:assembled"),
        peers=(
            Contender("torch.func.hessian", "benchmarks.peers.torch_peers:dense_hessian", ("torch",), target=3.0),
            Contender("jax.hessian", "benchmarks.peers.jax_peers:dense_hessian", ("jax",)),
        ),
        check=check,
        tolerance=1e-10,  # two orders of adding up to n terms
        work=work,
    )


def subjects(quick: bool) -> list[Subject]:
    """640 dimensions, and 1960."""
    return [_subject(64, 10)] if quick else [_subject(64, 10), _subject(196, 10)]
