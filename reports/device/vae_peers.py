"""How PyTorch would train the models of Table 2: on the same device, in the same process, beside our ensemble.

Notation   E models, N data of n numbers, B a batch, k latents; x (E, B, n), noise (E, B, k); parameters, gradients by
           the names of Layout, each (E, ...), weights (E, out, in) as PyTorch has them.
Main       WAYS, measure -> rows as in peers.py, one of each precision and way.
Reference  gpu/vae/loss.py (the loss), Table 2.

A step gathers rows in each model's own order, draws noise, computes the gradient and moves the parameters by Adam. The
time is that of a step of all E models; where they are trained one after the other, that of one model's times E: each
costs the same. The gradient of the same weights, data and noise is compared with ours in float32 before anything is
timed. Of bf16 there are two kinds: ours rounds what is multiplied, PyTorch's autocast what comes of it too.
"""

import gc
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gpu.products import precision as our_precision
from gpu.vae.architecture import Architecture, Layout
from gpu.vae.check import Rows, table_models
from gpu.vae.plan import Plan, Run
from gpu.vae.training import Group, fresh
from reports.device.peers import OTHERWISE, Absent, Document, by_the_wall, row, torch_with_device
from verify.arrays import Array, to_numpy
from verify.errors import first_line

# Deviations from the gradient in float32, of the norm. Most of it are ReLUs near 0 that switch where their input is
# rounded: a share eps of them changes the gradient by sqrt(eps). On a host float32, in another order, gives 3e-4, tf32
# 2e-2 (3e-2 where it cuts off) and bf16 6e-2; another loss, the sign of its KL flipped, 1.
AGREES = {"tf32": 1e-1, "float32": 3e-3, "bf16": 1.5e-1}
MATMUL = {"tf32": "high", "float32": "highest", "bf16": "highest"}
# A CUDA graph is recorded at the second call and first replayed at the third, whose answer is compared.
CALLS = 3
STEPS = 8
LEARNING_RATE = 1e-3
# Seconds after which no further row is begun: the proofs come after the peers, and are to have theirs.
WHOLE = 70.0


class There(NamedTuple):
    """Where PyTorch computes.  compiled(function, mode) -> the function, compiled in a mode of torch.compile."""

    library: Any
    device: str
    compiled: Callable[[Any, str | None], Any]

    def take(self, a: Array) -> Any:
        """An array of the host as a tensor."""
        return self.library.from_numpy(np.ascontiguousarray(a)).to(self.device)

    def wait(self) -> None:
        """Until the device is idle."""
        if self.device == "cuda":
            self.library.cuda.synchronize()

    def free(self) -> None:
        """Give back what nothing refers to, and what was compiled."""
        self.library.compiler.reset()
        gc.collect()
        if self.device == "cuda":
            self.library.cuda.empty_cache()


def on_device() -> There:
    """PyTorch with Inductor.  Raises Absent."""
    library = torch_with_device()
    return There(library, "cuda", lambda f, mode: library.compile(f, mode=mode, fullgraph=True, dynamic=False))


class Way(NamedTuple):
    """stacked: all models at once under vmap, else one alone; mode: torch.compile's, where it is compiled."""

    name: str
    stacked: bool
    compiled: bool
    mode: str | None = None


# One model is so small that the launches of its kernels take long: "reduce-overhead" makes a CUDA graph of them.
WAYS = (
    Way("torch.compile, one model after the other", stacked=False, compiled=True, mode="reduce-overhead"),
    Way("torch.func.vmap", stacked=True, compiled=False),
    Way("torch.func.vmap, compiled", stacked=True, compiled=True),
)


class Problem(NamedTuple):
    """What both sides begin with, and our gradient there, as tensors; X (N, n)."""

    parameters: dict[str, Any]
    X: Any
    x: Any
    noise: Any
    gradient: dict[str, Any]


def measure(xp: Any, scale: float = 1.0, find: Callable[[], There] = on_device) -> list[Document]:
    """A row of each precision and way.  scale < 1 takes small models."""
    end = time.monotonic() + WHOLE
    architecture, models, batch = table_models(scale)
    task = f"a training step of {models} models, batch {batch}"
    try:
        there = find()
    except Absent as reason:
        return [row("torch", None, task, reason=str(reason))]
    there.free()
    problem, ours = _ours(xp, there, architecture, models, batch)
    gc.collect()
    xp.get_default_memory_pool().free_all_blocks()
    rows = []
    for precision in AGREES:
        for way in WAYS:
            said = f"{task}, {precision}" + ("" if way.stacked else f"; theirs is one model's times {models}")
            if time.monotonic() > end:
                rows.append(_row(there, way, said, reason="not begun: the time for training beside peers was over"))
                continue
            rows.append(_measured(there, way, precision, problem, said, ours[precision]))
            there.free()
    return rows


def _ours(
    xp: Any, there: There, architecture: Architecture, models: int, batch: int
) -> tuple[Problem, dict[str, float]]:
    """The problem, and our seconds a step of all models in each precision."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4 * batch, architecture.n), dtype=np.float32)
    x = X[rng.integers(len(X), size=(models, batch))]
    noise = rng.standard_normal((models, batch, architecture.k), dtype=np.float32)
    runs = tuple(Run(0.5, True, seed=e, learning_rate=LEARNING_RATE) for e in range(models))
    plan = Plan(architecture, runs, 10**9, batch)
    group = Group(plan, fresh(plan, range(models), xp), Rows(X), xp)
    parameters = _named(there, architecture, group.state.parameters)
    group.ensemble.backward(xp.asarray(x), xp.asarray(noise), group.beta)
    gradient = _named(there, architecture, group.ensemble.gradient)
    wait = xp.cuda.get_current_stream().synchronize
    seconds = {}
    for name in AGREES:
        with our_precision(name, xp):
            seconds[name] = by_the_wall(lambda: group.advance(group.state.step + STEPS), wait) / STEPS
    return Problem(parameters, there.take(X), there.take(x), there.take(noise), gradient), seconds


def _named(there: There, architecture: Architecture, flat: Array) -> dict[str, Any]:
    """The parts of flat (E, P), an array of our device, as tensors of their own; weights (E, in, out) transposed."""
    views = Layout(architecture).views(there.take(to_numpy(flat)))
    kept = there.library.contiguous_format
    return {name: (a.mT if name.endswith("weight") else a).clone(memory_format=kept) for name, a in views.items()}


def _row(there: There, way: Way, task: str, **found: Any) -> Document:
    return row(way.name, str(there.library.__version__), task, **found)


def _measured(there: There, way: Way, precision: str, problem: Problem, task: str, ours: float) -> Document:
    """The row of one way in one precision; whatever it raises is the row's reason."""
    matmul = there.library.get_float32_matmul_precision()
    try:
        there.library.set_float32_matmul_precision(MATMUL[precision])
        difference, seconds = _compared_and_timed(there, way, precision, problem)
    except Exception as error:  # what a peer cannot do says nothing of us
        return _row(there, way, task, reason=first_line(error))
    finally:
        there.library.set_float32_matmul_precision(matmul)
    bound = AGREES[precision]
    if seconds is None:
        return _row(there, way, task, difference=difference, bound=bound, reason=OTHERWISE)
    count = problem.x.shape[0] * problem.x.shape[1]
    return _row(there, way, task, difference=difference, bound=bound, count=count, ours=ours, theirs=seconds)


def _compared_and_timed(there: There, way: Way, precision: str, problem: Problem) -> tuple[float, float | None]:
    """The deviation from our gradient and the seconds a step of all models; None for them if it is too large."""
    which: Any = slice(None) if way.stacked else 0
    parameters = {name: p[which].clone() for name, p in problem.parameters.items()}
    expected = {name: g[which] for name, g in problem.gradient.items()}
    gradient = _gradient(there, way, precision)
    if way.compiled and not way.stacked:  # so that its CUDA graph reads them where they lie
        for p in parameters.values():
            there.library._dynamo.mark_static_address(p)
    for _ in range(CALLS):
        found = gradient(parameters, problem.x[which], problem.noise[which])
    difference = _difference(there, found, expected)
    del found
    if not difference <= AGREES[precision]:
        return difference, None
    step = _training(there, gradient, parameters, problem.X, problem.noise[which].shape)

    def steps() -> None:
        for _ in range(STEPS):
            step()

    times = 1 if way.stacked else len(problem.x)
    return difference, by_the_wall(steps, there.wait) / STEPS * times


def _difference(there: There, found: dict[str, Any], expected: dict[str, Any]) -> float:
    """The largest of all parameters' deviations, each of its norm over all models."""
    torch = there.library
    each = [(found[name] - g).norm() / g.norm() for name, g in expected.items()]
    return float(torch.stack(each).max().nan_to_num(nan=torch.finfo(torch.float32).max))


def _gradient(there: There, way: Way, precision: str) -> Callable[..., Any]:
    """(parameters, x, noise) -> gradients of the loss, of one model or of stacked ones."""
    func = there.library.func
    one = func.grad(_loss(there, precision))
    found: Callable[..., Any] = func.vmap(one) if way.stacked else one
    if not way.compiled:
        return found
    compiled = there.compiled(found, way.mode)

    def from_a_graph(*args: Any) -> Any:
        there.library.compiler.cudagraph_mark_step_begin()  # what the last call returned is done with
        return compiled(*args)

    return from_a_graph


def _loss(there: There, precision: str) -> Callable[[dict[str, Any], Any, Any], Any]:
    """(parameters, x (B, n), noise (B, k)) of one model -> -ELBO without its constant, nats per datum."""
    torch, rounded = there.library, precision == "bf16"

    def dense(p: dict[str, Any], half: str, h: Any) -> Any:
        layers = sum(name.startswith(half) for name in p) // 2
        with torch.autocast(there.device, dtype=torch.bfloat16, enabled=rounded):
            for i in range(layers):
                h = torch.nn.functional.linear(h, p[f"{half}.{i}.weight"], p[f"{half}.{i}.bias"])
                h = torch.relu(h) if i + 1 < layers else h
        return h.float()

    def loss(p: dict[str, Any], x: Any, noise: Any) -> Any:
        mean, log_variance = dense(p, "encoder", x).chunk(2, dim=1)
        y = dense(p, "decoder", mean + torch.exp(0.5 * log_variance) * noise)
        error = ((x - y) ** 2).sum() / len(x)
        prior = _divergence(torch, mean, log_variance) / len(x)
        return prior + 0.5 * x.shape[1] * p["log_sigma2"] + error / (2 * torch.exp(p["log_sigma2"]))

    return loss


def _divergence(torch: Any, mean: Any, log_variance: Any) -> Any:
    """KL(q(z|x) || N(0, I)), summed over the batch and the latents."""
    return 0.5 * (mean * mean + torch.exp(log_variance) - 1 - log_variance).sum()


def _training(
    there: There, gradient: Callable[..., Any], parameters: dict[str, Any], X: Any, shape: tuple[int, ...]
) -> Callable[[], None]:
    """One step of training, in place.  shape: of the noise, (E, B, k), or (B, k) of one model.

    Adam goes entry by entry, so that stacked models are moved as each alone would be.
    """
    torch, (*lead, B, _) = there.library, shape
    N, n = X.shape
    optimiser = torch.optim.Adam(parameters.values(), lr=LEARNING_RATE, fused=True)
    order, at = torch.empty(0), N

    def step() -> None:
        nonlocal order, at
        if at + B > N:
            order, at = torch.rand((*lead, N), device=there.device).argsort(dim=-1), 0
        x = X.index_select(0, order[..., at : at + B].reshape(-1)).view(*lead, B, n)
        at += B
        found = gradient(parameters, x, torch.randn(shape, device=there.device))
        for name, p in parameters.items():
            p.grad = found[name]
        optimiser.step()
        optimiser.zero_grad()

    return step
