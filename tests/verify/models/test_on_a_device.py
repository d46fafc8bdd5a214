"""The models give the same numbers on arrays of the device as on the host's, and never mix the two."""

import numpy as np
import pytest

from tests.verify.stand_in_cupy import install, ndarray
from verify.arrays import namespace, to_numpy
from verify.landscape import collapse, slices
from verify.models import linear_vae, ppca


@pytest.fixture
def cupy(monkeypatch):
    return install(monkeypatch)


def on_device(cupy, *arrays):
    return [ndarray(np.array(a)) for a in arrays]


def problem():
    rng = np.random.default_rng(0)
    n, k = 5, 3
    A = rng.standard_normal((n, 9))
    return rng.standard_normal((n, k)), rng.standard_normal((k, n)), rng.uniform(0.5, 2, k), 0.7, A @ A.T / 9


def leaves(result):
    return list(result) if isinstance(result, tuple) else [result]


CASES = {
    "log_likelihood": lambda W, V, D, s, S: ppca.log_likelihood(W, s, S),
    "gradient": lambda W, V, D, s, S: ppca.gradient(W, s, S),
    "noise_gradient": lambda W, V, D, s, S: ppca.noise_gradient(W, s, S),
    "posterior": lambda W, V, D, s, S: ppca.posterior(W, s, V),
    "hessian": lambda W, V, D, s, S: ppca.hessian(W, s, S),
    "joint_hessian": lambda W, V, D, s, S: ppca.joint_hessian(W, s, S),
    "elbo": linear_vae.elbo,
    "gradients": linear_vae.gradients,
    "optimal_encoder": lambda W, V, D, s, S: linear_vae.optimal_encoder(W, s),
    "gap": lambda W, V, D, s, S: linear_vae.gap(W, s),
    "profile_elbo": lambda W, V, D, s, S: linear_vae.profile_elbo(W, s, S),
    "profile_gradient": lambda W, V, D, s, S: linear_vae.profile_gradient(W, s, S),
    "profile_noise_gradient": lambda W, V, D, s, S: linear_vae.profile_noise_gradient(W, s, S),
    "profile_hessian": lambda W, V, D, s, S: linear_vae.profile_hessian(W, s, S),
    "profile_joint_hessian": lambda W, V, D, s, S: linear_vae.profile_joint_hessian(W, s, S),
    "full_hessian": linear_vae.hessian,
    "kl": lambda W, V, D, s, S: collapse.kl(W, W),
    "plane": lambda W, V, D, s, S: slices.plane(W, W, W, D, D, s, S),
}


@pytest.mark.parametrize("case", CASES)
def test_the_same_numbers_on_a_device(cupy, case):
    W, V, D, s, S = problem()
    expected = CASES[case](W, V, D, s, S)
    dW, dV, dD, dS = on_device(cupy, W, V, D, S)
    assert namespace(dW) is cupy
    for found, wanted in zip(leaves(CASES[case](dW, dV, dD, s, dS)), leaves(expected), strict=True):
        assert isinstance(found, ndarray)
        np.testing.assert_array_equal(to_numpy(found), wanted)


def test_host_and_device_do_not_mix(cupy):
    W, _, _, s, S = problem()
    (dW,) = on_device(cupy, W)
    with pytest.raises(TypeError, match="do not mix"):
        ppca.gradient(dW, s, S)
