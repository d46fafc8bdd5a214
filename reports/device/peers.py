"""Other people's libraries on the same device, in the same process, for the same answers: only of interest for speed.

Main       PEERS, measure -> rows; row, by_the_wall and the like for vae_peers.py.

A peer offers eigenvalues of batches of symmetric matrices and Hessians of L by automatic differentiation. What it
answers is compared with ours before it is timed; one that answers otherwise is not timed. All are timed alike, by the
wall, from an idle device to an idle device.
"""

import importlib
import math
import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from gpu.comparisons import random_batch
from gpu.eigenvalues import eigenvalues
from gpu.hessian import hessian
from verify.arrays import Array, to_numpy
from verify.errors import first_line

Document = dict[str, Any]

# Of the norm: float64 throughout, but orders of summation of which nothing is known.
AGREES = 1e-9
OTHERWISE = "answers otherwise, so it was not timed"
REPEATS = 5
# Seconds from which on a call is timed once.
SLOW = 2.0


class Absent(Exception):
    """The peer cannot be had: why, in one line."""


class Peer(NamedTuple):
    """take: an array of the host -> the peer's, on the device; wait: until the device is idle; give: back to the host.

    eigenvalues (B, m, m) -> (B, m); hessians(W, sigma2, S) of L, (B, n, k), (B,), (B, n, n) -> (B, nk, nk).
    """

    version: str
    take: Callable[[Array], Any]
    give: Callable[[Any], Array]
    wait: Callable[[], object]
    eigenvalues: Callable[[Any], Any]
    hessians: Callable[[Any, Any, Any], Any]


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except Exception as error:  # a broken installation may raise anything at all
        raise Absent(f"{name} cannot be imported ({first_line(error)})") from None


def torch_with_device() -> Any:
    """The module torch.  Raises Absent where it is not there, or has no device."""
    library = _imported("torch")
    if not library.cuda.is_available():
        raise Absent("torch sees no CUDA device")
    return library


def torch() -> Peer:
    """PyTorch: torch.linalg.eigvalsh, and torch.func.hessian under vmap.  Raises Absent."""
    library = torch_with_device()

    def value(W: Any, sigma2: Any, S: Any) -> Any:
        C = W @ W.T + sigma2 * library.eye(len(W), dtype=W.dtype, device=W.device)
        rest = library.trace(library.linalg.solve(C, S))
        return -0.5 * (len(W) * math.log(2 * math.pi) + library.linalg.slogdet(C)[1] + rest)

    func = library.func
    return Peer(
        str(library.__version__),
        lambda a: library.from_numpy(a).cuda(),
        lambda a: a.cpu().numpy(),
        library.cuda.synchronize,
        library.linalg.eigvalsh,
        func.vmap(func.hessian(value)),
    )


def jax() -> Peer:
    """JAX: jax.numpy.linalg.eigvalsh and jax.hessian under vmap, both compiled.  Raises Absent."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # it would take most of the memory at once
    library, arrays = _imported("jax"), _imported("jax.numpy")
    library.config.update("jax_enable_x64", True)
    if library.default_backend() != "gpu":
        raise Absent(f"jax computes on {library.default_backend()} here; install jax[cuda13]")

    def value(W: Any, sigma2: Any, S: Any) -> Any:
        C = W @ W.T + sigma2 * arrays.eye(len(W))
        rest = arrays.trace(arrays.linalg.solve(C, S))
        return -0.5 * (len(W) * math.log(2 * math.pi) + arrays.linalg.slogdet(C)[1] + rest)

    return Peer(
        str(library.__version__),
        arrays.asarray,
        np.asarray,
        lambda: None,  # each call waits for its own result
        library.jit(lambda a: arrays.linalg.eigvalsh(a)),
        library.jit(library.vmap(library.hessian(value))),
    )


PEERS: dict[str, Callable[[], Peer]] = {"torch": torch, "jax": jax}


def measure(xp: Any, scale: float = 1.0, seed: int = 0) -> list[Document]:
    """A row of each peer and each task.  scale < 1 takes fewer problems."""
    rng = np.random.default_rng(seed)
    tasks = [*_spectra(rng, scale), *_hessians(rng, scale)]
    rows = []
    for name, peer in PEERS.items():
        try:
            there = peer()
        except Absent as reason:
            rows.append(row(name, None, reason=str(reason)))
            continue
        for task, inputs, ours, theirs in tasks:
            rows.append(_measured(xp, name, there, task, inputs, ours, theirs))
    return rows


def _spectra(rng: np.random.Generator, scale: float) -> list[tuple[Any, ...]]:
    tasks = []
    for m, usual in ((32, 10_000), (64, 2_000), (96, 500)):
        A = rng.standard_normal((max(1, int(usual * scale)), m, m))
        tasks.append((f"eigenvalues {m} x {m}", (A + A.swapaxes(1, 2),), eigenvalues, "eigenvalues"))
    return tasks


def _hessians(rng: np.random.Generator, scale: float) -> list[tuple[Any, ...]]:
    n, k = 16, 4
    W, _, _, sigma2, S = random_batch(rng, max(1, int(2_000 * scale)), n, k, shared=False)
    return [(f"Hessians of L, n = {n}, k = {k}", (W, sigma2, S), hessian, "hessians")]


def _measured(
    xp: Any, name: str, peer: Peer, task: str, inputs: tuple[Array, ...], ours: Callable[..., Array], theirs: str
) -> Document:
    here, there = [xp.asarray(a) for a in inputs], [peer.take(a) for a in inputs]
    run = getattr(peer, theirs)
    expected = to_numpy(ours(*here))
    try:
        found = peer.give(run(*there)).reshape(expected.shape)
    except Exception as error:  # what a peer cannot do says nothing of us
        return row(name, peer.version, task, reason=first_line(error))
    difference = float(np.linalg.norm(found - expected) / np.linalg.norm(expected))
    if not difference <= AGREES:
        return row(name, peer.version, task, difference=difference, reason=OTHERWISE)

    def waiting() -> None:
        result = run(*there)
        getattr(result, "block_until_ready", peer.wait)()

    stream = xp.cuda.get_current_stream()
    own, other = by_the_wall(lambda: ours(*here), stream.synchronize), by_the_wall(waiting, lambda: None)
    return row(name, peer.version, task, difference=difference, count=len(expected), ours=own, theirs=other)


def by_the_wall(work: Callable[[], object], wait: Callable[[], object]) -> float:
    """The median seconds of `work` and of waiting for it, after a call that compiles."""

    def once() -> float:
        start = time.perf_counter()
        work()
        wait()
        return time.perf_counter() - start

    first = once()
    return median(once() for _ in range(REPEATS if first < SLOW else 1))


def row(
    peer: str, version: str | None, task: str | None = None, *, difference: float | None = None,
    count: int | None = None, ours: float | None = None, theirs: float | None = None, reason: str | None = None,
    bound: float = AGREES,
) -> Document:  # fmt: skip
    """`agrees`, a difference of at most `bound`, is null where there was no answer to compare."""
    agrees = None if difference is None else difference <= bound
    shown = {"peer": peer, "version": version, "task": task, "count": count, "difference": difference}
    return {**shown, "agrees": agrees, "seconds": ours, "peer_seconds": theirs, "reason": reason}
