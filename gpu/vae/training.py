"""Training a whole table of models: groups of them in step, resumable anywhere, to the bit.

Notation   E models of a group, B data a batch, N data; a step is one batch of every model of the group; beta (E,).
Main       State, Group, train -> [Outcome]; host_threads; Store, what keeps states (checkpoint.py).

What a model becomes depends on its Run and on the plan's architecture, data and batch, and not on what is trained
beside it: groups may be of any size, shrink where memory runs out, and be resumed in any other. On the host that holds
to the bit; on a device cuBLAS chooses its algorithm by the size of the group too (gpu/products.py). The last N mod B
data of an epoch's order are left out of it; the next epoch has another order.

A model whose loss is no longer a number is frozen: it keeps its parameters, the others go on.
"""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from math import isfinite
from time import monotonic
from typing import Any, Protocol

import numpy as np

from gpu.vae.account import Ledger
from gpu.vae.adam import FLUSHED, adam, flush
from gpu.vae.architecture import Layout
from gpu.vae.elementwise import gather
from gpu.vae.evaluation import Evaluation, evaluate
from gpu.vae.model import Ensemble
from gpu.vae.noise import LATENT, normals, permutations
from gpu.vae.plan import Data, Outcome, Plan
from verify.arrays import Array, to_numpy
from verify.data.single import single
from verify.errors import InputError
from verify.threads import one_thread

# Numbers of activations that a group on the host may hold: they stay in the last cache, and small models share a call.
CACHED = 1 << 20
EVALUATED = 1000  # data at a time
# Multiplications in a matrix product below which a second thread costs more than it saves.
ONE_THREAD = 1 << 25


@dataclass
class State:
    """Where a group stands: `step` steps are done.  models: places of its runs in the plan; arrays lead with E."""

    models: list[int]
    step: int
    parameters: Array
    first: Array
    second: Array
    frozen: Array  # (E,) int64: the step, from 1, whose loss was no number; 0 for none
    sums: Array  # (E, 3) float64: error, KL, sigma2, summed over the epoch so far
    history: list[Array] = field(default_factory=list)  # one (E, 3) on the host an epoch
    watched: list[list[Evaluation | None]] = field(default_factory=list)  # of each model, one a watched epoch so far

    def on(self, xp: Any) -> "State":
        """The same with its arrays on the device of xp, its own to be trained in place."""
        arrays = (self.parameters, self.first, self.second, self.frozen, self.sums)
        p, first, second, frozen, sums = (a.copy() if xp is np else xp.asarray(a) for a in arrays)
        watched = [list(seen) for seen in self.watched]
        return State(self.models, self.step, p, first, second, frozen, sums, list(self.history), watched)

    def split(self) -> "tuple[State, State]":
        """Two halves, for want of memory: on the host, so that the one that waits takes none of the device's."""
        half = len(self.models) // 2
        return self._part(slice(0, half)), self._part(slice(half, None))

    def _part(self, which: slice) -> "State":
        arrays = (self.parameters, self.first, self.second, self.frozen, self.sums)
        p, first, second, frozen, sums = (to_numpy(a)[which].copy() for a in arrays)
        history = [h[which].copy() for h in self.history]
        return State(self.models[which], self.step, p, first, second, frozen, sums, history, self.watched[which])


def fresh(plan: Plan, models: Sequence[int], xp: Any = np) -> State:
    """The state before the first step."""
    runs = [plan.runs[i] for i in models]
    flat = Layout(plan.architecture).initial([r.seed for r in runs], [r.sigma2 for r in runs], np.dtype(plan.dtype))
    p = xp.asarray(flat)
    E = len(runs)
    none: list[list[Evaluation | None]] = [[] for _ in runs]
    return State(
        list(models), 0, p, xp.zeros_like(p), xp.zeros_like(p), xp.zeros(E, "int64"), xp.zeros((E, 3)), [], none
    )


@cache
def _drawing() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="order")


class Group:
    """Models in step: advances a State."""

    def __init__(self, plan: Plan, state: State, data: Data, xp: Any = np):
        self.plan, self.state, self.data, self.xp = plan, state, data, xp
        self.runs = [plan.runs[i] for i in state.models]
        self.seeds = [r.seed for r in self.runs]
        self.ensemble = Ensemble(
            plan.architecture, state.parameters, xp.asarray([r.learned for r in self.runs]), analytic=plan.analytic
        )
        self.rates = xp.asarray([r.learning_rate for r in self.runs])
        self.beta = xp.asarray([r.beta for r in self.runs])
        self.anneal = xp.asarray([float(r.anneal) for r in self.runs])
        self._alive = xp.zeros(len(self.runs), dtype="bool")
        self._epoch = self._ordered = -1
        self._X: Array = None
        self._orders: Array = None
        self._ahead: tuple[int, Future[Array]] | None = None
        N = len(self._data(0))
        self.batch = min(plan.batch, N)
        self.per_epoch = N // self.batch

    @property
    def steps(self) -> int:
        """How many steps the whole training has."""
        return self.plan.epochs * self.per_epoch

    def _data(self, epoch: int) -> Array:
        """The data of this epoch, on the device; kept while they stay the same."""
        epoch = epoch if self.data.redrawn else 0
        if epoch != self._epoch:
            X = self.data.array(epoch)
            X = single(X) if X.dtype == np.float64 and self.plan.dtype == "float32" else X
            self._X, self._epoch = self.xp.asarray(X, dtype=self.plan.dtype), epoch
        return self._X

    def _order(self, epoch: int) -> Array:
        """The order of the data for each model, (E, N) on the device; a thread draws the next one meanwhile."""
        if epoch != self._ordered:
            N = len(self._data(epoch))
            drawn = self._ahead[1].result() if self._ahead and self._ahead[0] == epoch else None
            self._orders = self.xp.asarray(permutations(self.seeds, epoch, N) if drawn is None else drawn)
            self._ordered = epoch
            self._ahead = (epoch + 1, _drawing().submit(permutations, self.seeds, epoch + 1, N))
        return self._orders

    def advance(self, until: int, told: Callable[[], bool] = lambda: False) -> bool:
        """Train up to step `until`, or until `told`, called after each step, says stop; -> whether it came there."""
        xp, state, B = self.xp, self.state, self.batch
        E, n, k = len(self.runs), self.plan.architecture.n, self.plan.architecture.k
        x = xp.empty((E, B, n), self.plan.dtype)
        noise = None if self.plan.analytic else xp.empty((E, B, k), self.plan.dtype)
        while state.step < until:
            epoch, at = divmod(state.step, self.per_epoch)
            X = self._data(epoch)
            gather(X, self._order(epoch)[:, at * B : (at + 1) * B], x)
            if noise is not None:
                normals(self.seeds, LATENT, state.step, noise)
            self._step(x, noise)
            if at == self.per_epoch - 1:
                state.history.append(to_numpy(state.sums) / self.per_epoch)
                state.sums[...] = 0
                if epoch + 1 in self.plan.watched:
                    for seen, evaluation in zip(state.watched, self._evaluations(), strict=True):
                        seen.append(evaluation)
            if told():
                return state.step >= until
        return True

    def _step(self, x: Array, noise: Array | None) -> None:
        """One batch: gradient, freezing, Adam.  On a device nothing of the state changes before all memory is had."""
        state, step = self.state, self.state.step + 1
        ledger = Ledger(state.frozen, state.sums, self._alive)
        with np.errstate(all="ignore"):  # a model that diverges is told by its loss
            self.ensemble.backward(
                x, noise, self.beta, anneal=self.anneal, done=state.step / self.per_epoch, ledger=ledger, step=step
            )
            args = (state.parameters, self.ensemble.gradient, state.first, state.second)
            adam(*args, self.rates, step, self._alive)
            if step % FLUSHED == 0:
                flush(state.parameters, state.first, state.second)
        state.step = step

    def _evaluations(self) -> list[Evaluation | None]:
        """Every model as it is, None for those that were frozen or whose ELBO is no number."""
        X, frozen = self._data(0), to_numpy(self.state.frozen)
        # The parameters hold the logarithm of a fixed noise in their own precision; what was asked for is known.
        with np.errstate(all="ignore"):
            kept = to_numpy(self.ensemble.sigma2)
            sigma2 = np.array([kept[e] if run.learned else run.sigma2 for e, run in enumerate(self.runs)])
            found = evaluate(self.ensemble, X, self.seeds, min(EVALUATED, len(X)), sigma2)
        return [None if frozen[e] or not isfinite(one.elbo) else one for e, one in enumerate(found)]

    def outcomes(self) -> list[Outcome]:
        """Evaluate every model that was not frozen."""
        frozen, history = to_numpy(self.state.frozen), self.state.history
        return [
            Outcome(
                run,
                evaluation,
                int(frozen[e]) or (None if evaluation is not None else self.state.step),
                [[*h[e, :2].tolist(), float(h[e, 2]) if run.learned else run.sigma2] for h in history],
                self.state.watched[e],
            )
            for e, (run, evaluation) in enumerate(zip(self.runs, self._evaluations(), strict=True))
        ]


def group_size(plan: Plan, xp: Any = np) -> int:
    """How many models to run in step: all on a device, on the host as many as stay in its cache."""
    if plan.group is not None:
        return min(plan.group, len(plan.runs))
    if xp is not np:
        return len(plan.runs)
    encoder, decoder = plan.architecture.layers()
    width = plan.architecture.n + sum(layer.width for layer in (*encoder, *decoder))
    return max(1, min(len(plan.runs), CACHED // (2 * width * plan.batch)))


class Store(Protocol):
    """Where states are kept between steps, and outcomes once there are any (checkpoint.py)."""

    def states(self) -> list[State]:
        """The states to resume from, no model twice."""
        ...

    def outcomes(self) -> dict[int, Outcome]:
        """The finished models, by their place in the plan."""
        ...

    def save(self, state: State, outcomes: Sequence[Outcome] = ()) -> None:
        """Keep a state; with outcomes, its models are finished."""
        ...


def train(
    plan: Plan,
    data: Data,
    *,
    xp: Any = np,
    store: Store | None = None,
    every: float = 10.0,
    progress: Callable[[int, int], object] = lambda done, total: None,
    note: Callable[[str], object] = lambda text: None,
) -> list[Outcome]:
    """Train all runs of the plan; -> their outcomes in its order.

    `store` keeps a state every so many seconds (less often where that takes long) and at an interruption, and gives
    back what it kept before.
    progress(done, total) counts epochs of single models. InputError where not even one model fits into memory.
    """
    finished = {} if store is None else store.outcomes()
    waiting = [] if store is None else [s for s in store.states() if not set(s.models) & set(finished)]
    begun = {i for s in waiting for i in s.models} | set(finished)
    queue: list[State | list[int]] = [*waiting, *_groups(len(plan.runs), begun, group_size(plan, xp))]
    with host_threads(plan, xp):
        while queue:
            entry = queue.pop(0)
            state = fresh(plan, entry) if isinstance(entry, list) else entry
            before = len(finished) * plan.epochs

            def told(done: int, before: int = before) -> None:
                progress(before + done, len(plan.runs) * plan.epochs)

            state, outcomes = _attempt(plan, state, data, xp, store, every, told)
            if outcomes is not None:
                finished |= dict(zip(state.models, outcomes, strict=True))
            elif len(state.models) == 1:
                raise InputError("out of memory with a single model; choose a smaller batch or fewer units")
            else:
                note(f"out of memory with {len(state.models)} models at once: going on with half as many")
                queue[:0] = list(state.split())
                del state
                if xp is not np:
                    xp.get_default_memory_pool().free_all_blocks()
    return [finished[i] for i in range(len(plan.runs))]


def _attempt(
    plan: Plan, state: State, data: Data, xp: Any, store: Store | None, every: float, told: Callable[[int], object]
) -> tuple[State, list[Outcome] | None]:
    """Train and evaluate a group; -> its state, and its outcomes, or None where memory ran out on the way.

    What the group took besides its state is free again when this returns. CuPy's OutOfMemoryError is a MemoryError.
    """
    try:
        state = state.on(xp)
        group = Group(plan, state, data, xp)
        _run(group, store, every, told)
        outcomes = group.outcomes()
    except MemoryError:
        return state, None
    if store is not None:
        store.save(state, outcomes)
    return state, outcomes


def host_threads(plan: Plan, xp: Any = np) -> AbstractContextManager[object]:
    """Within it, a host runs small products on one thread: on more they mostly wait for each other."""
    encoder, decoder = plan.architecture.layers()
    largest = plan.batch * max(layer.fan_in * layer.fan_out for layer in (*encoder, *decoder))
    return one_thread() if xp is np and largest <= ONE_THREAD else nullcontext()


def _groups(count: int, begun: set[int], size: int) -> list[list[int]]:
    """What has not begun of 0 .. count - 1, in groups of neighbours."""
    groups: list[list[int]] = []
    for i in (i for i in range(count) if i not in begun):
        if groups and groups[-1][-1] == i - 1 and len(groups[-1]) < size:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def _run(group: Group, store: Store | None, every: float, told: Callable[[int], object]) -> None:
    """Train a group to its end, keeping its state from time to time and when interrupted."""
    due, epoch = monotonic() + every, -1

    def after() -> bool:
        nonlocal due, epoch
        if (now := group.state.step // group.per_epoch) != epoch:
            epoch = now
            told(epoch * len(group.runs))
        if store is not None and (start := monotonic()) > due:
            store.save(group.state)
            # Gigabytes take long to write: no more than a twentieth of the time goes into it.
            due = (end := monotonic()) + max(every, 20 * (end - start) if every else 0.0)
        return interrupted()

    with _deferred_interrupt() as interrupted:
        ended = group.advance(group.steps, after)
        if not ended or interrupted():
            if store is not None:
                store.save(group.state)
            raise KeyboardInterrupt


@contextmanager
def _deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Ctrl-C ends the step that runs, so that no state is half updated; a second one ends at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, before)
        asked.set()

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
