"""The whole step on a device: gradients, terms, parameters and evaluations as on the host, and no wait in a step."""

import numpy as np
import pytest

from gpu.products import precision
from gpu.vae import evaluation, training
from gpu.vae.adam import adam
from gpu.vae.architecture import Architecture
from gpu.vae.model import Ensemble
from gpu.vae.philox import normals as drawn_there
from gpu.vae.plan import Plan, Run
from gpu.vae.training import Group, fresh, train
from tests.gpu.batches import TOLERANCE, cupy, error, on_device, slip
from tests.gpu.vae.problems import ARCHITECTURES, Fixed, batch, ensemble
from tests.verify.stand_in_cupy import ndarray

__all__ = ["cupy"]

STEPS = 3
SEEDS, SIGMA2, LEARNED = (1, 2, 3), (0.5, 2.0, 0.01), (True, False, True)
BETA, RATES, ALIVE = np.array([0.7, 1.0, 0.0]), np.array([1e-3, 1e-2, 1e-4]), np.array([True, True, False])


def trained(model, move):
    """Some steps; -> gradients and terms of each, parameters and noise in the end."""
    beta, rates, alive = (move(a) for a in (BETA, RATES, ALIVE))
    first, second = (move(np.zeros_like(found)) for found in 2 * [model.host_parameters])
    seen = []
    for t in range(1, STEPS + 1):
        x, noise = (move(a) for a in batch(model, B=37, seed=t))
        terms = model.backward(x, noise, beta)
        seen += [model.gradient.copy(), terms.error, terms.kl]
        adam(model.parameters, model.gradient, first, second, rates, t, alive)
    return [*seen, model.parameters, model.sigma2]


def here_and_there(cupy, name, dtype="float64"):
    """The same steps on the host and on the device."""
    host = ensemble(name, SEEDS, SIGMA2, LEARNED, np.dtype(dtype))
    there = Ensemble(host.architecture, *on_device(cupy, host.parameters.copy(), host.learned), analytic=host.analytic)
    host.host_parameters = there.host_parameters = host.parameters.copy()
    return trained(there, lambda a: cupy.ndarray(a.copy())), trained(host, lambda a: a)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_steps_on_a_device_are_those_on_the_host(cupy, name):
    for found, expected in zip(*here_and_there(cupy, name), strict=True):
        assert isinstance(found, ndarray)
        assert error(found, expected) <= TOLERANCE


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_steps_in_float32(cupy, name):
    """To 1e-5 of the norm where sums have some hundred terms of rounding 6e-8."""
    found, expected = here_and_there(cupy, name, "float32")
    for a, b in zip(found[:3], expected[:3], strict=True):  # the steps after it start from other roundings
        assert error(a, b) <= 1e-5


@pytest.mark.parametrize("name", ["tf32", "bf16"])
def test_a_lower_precision_is_near_and_not_the_same(cupy, name):
    with precision(name, cupy):
        found, expected = here_and_there(cupy, "mlp", "float32")
    assert 1e-5 < error(found[0], expected[0]) < 2e-2
    assert set(cupy.cuda.cublas.calls) == {{"tf32": 77, "bf16": 75}[name]}


def test_a_kernel_with_a_slip_shows_in_the_gradient(cupy, monkeypatch):
    """The control."""
    slip(monkeypatch, "vae_float64", {"(s * s - 1)": "(s * s + 1)"})
    found, expected = here_and_there(cupy, "mlp")
    assert error(found[0], expected[0]) > 1e-6


def forbid_waiting(monkeypatch):
    """From here on nothing may come back from the device: on a real one the host would wait for it."""

    def wait(self, *args):
        raise AssertionError("the host waits for the device")

    for name in ("get", "__float__", "__int__", "__bool__", "__index__"):
        monkeypatch.setattr(ndarray, name, wait, raising=False)


RUNS = (Run(0.5, False, seed=1), Run(2.0, True, seed=2, anneal=2), Run(0.1, True, seed=3, learning_rate=3e-3, beta=0.5))
PLANS = {
    "mlp": Plan(Architecture("mlp", 8, 3, (7, 6)), RUNS, 3, 16, dtype="float64"),
    "linear": Plan(Architecture("linear", 8, 3), RUNS, 3, 16, analytic=True, dtype="float64"),
}


def data(N=60, n=8):
    return Fixed(np.random.default_rng(0).standard_normal((N, n)) * np.linspace(2.0, 0.3, n))


@pytest.mark.parametrize("name", PLANS)
def test_no_step_waits_for_the_device(cupy, monkeypatch, name):
    plan = PLANS[name]
    group = Group(plan, fresh(plan, range(3), cupy), data(), cupy)
    group.advance(1)  # the data, the order and the seeds come to the device
    with monkeypatch.context() as patch:
        forbid_waiting(patch)
        with pytest.raises(AssertionError, match="waits"):  # the control
            float(group.ensemble.sigma2[0])
        group.advance(2)
    assert group.state.step == 2


# Of CuPy's functions those that launch nothing.
FREE = {"broadcast_to", "empty", "reshape", "swapaxes"}


def test_a_step_takes_few_launches_and_nothing_of_the_library(cupy):
    """What the head of kernels/vae.cuh promises: with few models a step takes as long as the host has to launch it."""
    plan = PLANS["mlp"]
    group = Group(plan, fresh(plan, range(3), cupy), data(), cupy)
    group.advance(1)
    for counted in (cupy.launches, cupy.calls, cupy.cuda.cublas.calls):
        counted.clear()
    group.advance(2)
    assert len(cupy.cuda.cublas.calls) == 17
    assert len(cupy.launches) == 20
    assert {kernel for kernel, _, _ in cupy.launches} >= {"weigh", "account"}
    assert set(cupy.calls) <= FREE and cupy.calls.total() <= 20, cupy.calls
    group.ensemble.sigma2  # noqa: B018  # the control
    assert not set(cupy.calls) <= FREE


def test_out_of_memory_anywhere_in_a_step_leaves_the_state_as_it_was(cupy, monkeypatch):
    plan = PLANS["mlp"]
    group = Group(plan, fresh(plan, range(3), cupy), data(), cupy)
    group.advance(1)
    arrays = [getattr(group.state, name) for name in ("parameters", "first", "second", "frozen", "sums")]
    before, empty, failures = [a.get().copy() for a in arrays], cupy.empty, 0
    while group.state.step == 1:
        left = failures

        def scarce(*args, **options):
            nonlocal left
            if not left:
                raise MemoryError
            left -= 1
            return empty(*args, **options)

        with monkeypatch.context() as patch:
            patch.setattr(cupy, "empty", scarce)
            try:
                group.advance(2)
            except MemoryError:
                failures += 1
                assert all(np.array_equal(a.get(), b) for a, b in zip(arrays, before, strict=True))
    assert failures == 6  # the batch, the noise, sums of the KL and the error, the terms
    assert not any(np.array_equal(a.get(), b) for a, b in zip(arrays[:3], before[:3], strict=True))


@pytest.mark.parametrize("name", PLANS)
def test_a_training_on_a_device_is_that_on_the_host(cupy, monkeypatch, name):
    """From the first draw to the tables; the host is given the device's random numbers."""
    plan = PLANS[name]
    found = train(plan, data(), xp=cupy)

    def drawn(seeds, purpose, step, out):
        out[...] = drawn_there(seeds, purpose, step, out.shape[1:], out.dtype)
        return out

    for module in (training, evaluation):
        monkeypatch.setattr(module, "normals", drawn)
    for a, b in zip(found, train(plan, data()), strict=True):
        # Rounding grows along the steps, but nine of them are not chaotic.
        assert error(np.array(a.history), np.array(b.history)) <= 1e-10
        for number in ("sigma2", "error", "elbo", "tuned_elbo", "kl"):
            assert getattr(a.evaluation, number) == pytest.approx(getattr(b.evaluation, number), rel=1e-10)
        assert a.evaluation.collapse_curve == b.evaluation.collapse_curve
