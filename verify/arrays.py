"""Which array library an array belongs to: the mathematics runs on NumPy and CuPy arrays alike.

Notation   a: an array or a scalar; xp: the module, numpy or cupy, that works on it.
Main       namespace, to_numpy, transpose.

CuPy is never imported here: an array of it can only exist where somebody has imported it already.
"""

import sys
from functools import cache
from typing import Any

import numpy as np

# CuPy ships no type information and `verify` must not depend on it: an array is what either library accepts.
Array = Any


def namespace(*arrays: Array) -> Any:
    """The module for arrays and scalars together: cupy as soon as one lies on a device, else numpy."""
    return sys.modules["cupy"] if any(_on_device(a) for a in arrays) else np


def to_numpy(a: Array) -> Array:
    """A NumPy array (...) with the values of `a` (...); copied from the device where `a` lies on one."""
    return a.get() if _on_device(a) else np.asarray(a)


def transpose(a: Array) -> Array:
    """A view with the last two axes swapped: (..., n, k) -> (..., k, n)."""
    return a.swapaxes(-1, -2)


def _on_device(a: Array) -> bool:
    return _of_cupy(a.__class__)


@cache
def _of_cupy(kind: Any) -> bool:
    # By name, and along the class hierarchy, so that CuPy need not be importable and subclasses count too.
    return any(base.__module__.split(".", 1)[0] == "cupy" for base in kind.__mro__)
