"""The whole Hessian spectrum at a stationary point: from S to all nk eigenvalues.

Ours       numpy.linalg.eigvalsh(S) and the closed form of verify/landscape/spectrum.py.
Peers      that eigvalsh alone, which nobody who starts from S can do without; dense Hessians and their eigenvalues.
Floor      the tridiagonal reduction of S, 4/3 n^3 operations.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Answer, Contender, Subject, Work
from benchmarks.problems import relative_error, stationary_problem
from verify.landscape.spectrum import spectrum


def closed_form(setup: dict[str, Any]) -> Callable[[], Answer]:
    """S -> lam -> all eigenvalues of the Hessian of L."""
    problem = stationary_problem(setup)

    def run() -> Answer:
        lam = np.linalg.eigvalsh(problem.S)
        return {"lam": lam, "values": spectrum(problem.point, lam[::-1]).values()}

    return run


def only_eigenvalues(setup: dict[str, Any]) -> Callable[[], Answer]:
    """numpy.linalg.eigvalsh(S)."""
    S = stationary_problem(setup).S
    return lambda: {"lam": np.linalg.eigvalsh(S)}


def check(ours: Answer, theirs: Answer) -> float:
    """The deviation of all eigenvalues that the peer gives."""
    return max(relative_error(ours[name], theirs[name]) for name in theirs)


def _subject(n: int, k: int, peers: tuple[Contender, ...], remark: str = "") -> Subject:
    ours = Contender("closed form", "benchmarks.spectrum:closed_form")
    # A dense eigenvalue errs by some eps times the norm and the dimension.
    return Subject(
        "spectrum", f"whole spectrum, n = {n}, k = {k} ({n * k} eigenvalues)", {"n": n, "k": k}, ours, peers, check,
        1e-8, lambda answer: Work(8.0 * n * n, 4.0 / 3.0 * n**3), remark,
    )  # fmt: skip


def subjects(quick: bool) -> list[Subject]:
    """n = 784 beside the eigenvalues of S; smaller ones beside dense Hessians."""

    def dense(target: float) -> tuple[Contender, ...]:
        torch = Contender(
            "torch.func.hessian + eigvalsh", "benchmarks.peers.torch_peers:dense_spectrum", ("torch",), target
        )
        jax = Contender("jax.hessian + eigvalsh", "benchmarks.peers.jax_peers:dense_spectrum", ("jax",))
        return torch, jax

    alone = Contender("numpy eigvalsh(S) alone", "benchmarks.spectrum:only_eigenvalues", target=1 / 1.1)
    memory = "the dense Hessian of 39200 dimensions takes 11.4 GiB, and its derivatives many times that: no peer fits"
    found = [_subject(784, 50, (alone,), memory), _subject(64, 10, dense(200.0))]
    return found if quick else [*found, _subject(196, 10, dense(300.0))]
