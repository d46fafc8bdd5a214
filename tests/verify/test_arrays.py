"""Arrays of either library are told apart without importing CuPy."""

import sys
import types

import numpy as np
import pytest

from verify.arrays import namespace, to_numpy, transpose


@pytest.fixture
def device_array(monkeypatch):
    """A stand-in for an array on a device, from a module that calls itself cupy."""
    module = types.ModuleType("cupy")
    monkeypatch.setitem(sys.modules, "cupy", module)
    base = type("ndarray", (), {"__module__": "cupy._core.core", "get": lambda self: np.arange(3.0)})
    return type("subclass", (base,), {"__module__": "elsewhere"})()


def test_namespace_is_numpy_for_arrays_and_scalars():
    assert namespace(np.ones(2), 1.0, [1, 2]) is np
    assert namespace() is np


def test_namespace_is_cupy_as_soon_as_one_array_lies_on_a_device(device_array):
    assert namespace(np.ones(2), device_array) is sys.modules["cupy"]
    assert namespace(device_array, 2.0) is sys.modules["cupy"]


def test_a_module_that_only_begins_like_cupy_is_not_taken_for_it():
    assert namespace(type("ndarray", (), {"__module__": "cupyish.core"})()) is np


def test_to_numpy_copies_from_the_device(device_array):
    np.testing.assert_array_equal(to_numpy(device_array), [0.0, 1.0, 2.0])


def test_to_numpy_leaves_a_numpy_array_as_it_is():
    a = np.ones(3)
    assert to_numpy(a) is a
    assert to_numpy([1, 2]).tolist() == [1, 2]


def test_transpose_swaps_the_last_two_axes_only():
    a = np.arange(24).reshape(2, 3, 4)
    b = transpose(a)
    assert b.shape == (2, 4, 3)
    assert all(b[p, j, i] == a[p, i, j] for p in range(2) for i in range(3) for j in range(4))
    assert np.shares_memory(a, b)
