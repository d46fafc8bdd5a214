"""The whole Hessian spectrum at a stationary point: from S to all nk eigenvalues.

Ours       numpy.linalg.eigvalsh(S) and the closed form of verify/landscape/spectrum.py.
Peers      that eigvalsh alone, which nobody who starts from S can do without; dense Hessians and their eigenvalues.
Floor      the tridiagonal reduction of S, 4/3 n^3 operations.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.harness import Answer, Contender, Setup, Subject, Work
from benchmarks.problems import relative_error, stationary_problem
from verify.landscape.spectrum import spectrum

PEERS = "benchmarks.peers"
# Both sides are the same routine of NumPy's, which more threads make no faster at this size, and threads that wait for
# work keep the cores busy while the other side is timed.
ONE = (1,)


def closed_form(setup: Setup) -> Callable[[], Answer]:
    """S -> lam -> all eigenvalues of the Hessian of L."""
    problem = stationary_problem(setup)

    def run() -> Answer:
        lam = np.linalg.eigvalsh(problem.S)
        return {"lam": lam, "values": spectrum(problem.point, lam[::-1]).values()}

    return run


def only_eigenvalues(setup: Setup) -> Callable[[], Answer]:
    """numpy.linalg.eigvalsh(S)."""
    S = stationary_problem(setup).S
    return lambda: {"lam": np.linalg.eigvalsh(S)}


def check(ours: Answer, theirs: Answer) -> float:
    """The deviation of all eigenvalues that the peer gives."""
    return max(relative_error(ours[name], theirs[name]) for name in theirs)


def work(setup: Setup, ours: Answer) -> Work:
    """The tridiagonal reduction of S, which is read."""
    n = float(setup["n"])
    return Work(8.0 * n * n, 4.0 / 3.0 * n**3)


def _subject(n: int, k: int, *peers: Contender, remark: str = "") -> Subject:
    return Subject(
        name="spectrum",
        title=f"whole spectrum, n = {n}, k = {k} ({n * k} eigenvalues)",
        setup={"n": n, "k": k},
        ours=Contender("closed form", "benchmarks.spectrum:closed_form", threads=ONE),
        peers=peers,
        check=check,
        tolerance=1e-8,  # a dense eigenvalue errs by some eps times the norm and the dimension
        work=work,
        remark=remark,
    )


def subjects(quick: bool) -> list[Subject]:
    """n = 784 beside the eigenvalues of S; smaller ones beside dense Hessians."""
    torch = partial(Contender, "torch.func.hessian, eigvalsh", f"{PEERS}.torch_peers:dense_spectrum", ("torch",))
    jax = Contender("jax.hessian, eigvalsh", f"{PEERS}.jax_peers:dense_spectrum", ("jax",))
    alone = Contender("eigvalsh(S) alone", "benchmarks.spectrum:only_eigenvalues", target=1 / 1.1, threads=ONE)
    memory = "the dense Hessian of 39200 dimensions takes 11.4 GiB, and its derivatives many times that: no peer fits"
    found = [_subject(784, 50, alone, remark=memory), _subject(64, 10, torch(target=200.0), jax)]
    return found if quick else [*found, _subject(196, 10, torch(target=300.0), jax)]
