"""A stand-in for CuPy on NumPy: as strict as CuPy where it matters, so that the models can be run "on a device" here.

Its arrays never mix with NumPy's (CuPy raises TypeError there) and convert only by `.get()`. Functions are those of
NumPy that CuPy has too; another name raises AttributeError, as CuPy would.
"""

import ctypes
import sys
import types
from collections import Counter

import numpy as np
from numpy.lib.array_utils import byte_bounds

SHARED = {
    "asarray", "broadcast_to", "concatenate", "diagonal", "empty", "exp", "expm1", "eye", "finfo", "log", "log1p",
    "logaddexp", "matmul", "maximum", "meshgrid", "minimum", "ones", "ones_like", "sqrt", "sum", "trace", "where",
    "zeros", "zeros_like",
}  # fmt: skip
SHARED_LINALG = {"cholesky", "eigh", "eigvalsh", "inv", "norm", "slogdet", "solve", "svd"}


def _unwrapped(x):
    if isinstance(x, ndarray):
        return x.host
    if isinstance(x, np.ndarray):  # one without axes as well: CuPy takes scalars of NumPy, but none of its arrays
        raise TypeError("Unsupported type <class 'numpy.ndarray'>: arrays of the host and of the device do not mix")
    if isinstance(x, (list, tuple)):
        return type(x)(_unwrapped(y) for y in x)
    return x


def _wrapped(x):
    if isinstance(x, (np.ndarray, np.generic)):
        return ndarray(np.asarray(x))
    if isinstance(x, (list, tuple)):
        return tuple(_wrapped(y) for y in x)
    return x


CALLS = Counter()  # functions, operators and methods that were called, by name


def _through(function):
    def call(*args, **kwargs):
        CALLS[function.__name__] += 1
        return _wrapped(function(*[_unwrapped(a) for a in args], **{k: _unwrapped(v) for k, v in kwargs.items()}))

    return call


class Memory:
    """Addresses that were asked for, and the ends of the array that each lies in."""

    def __init__(self):
        self._ends = {}

    def pointer(self, a):
        owner = a
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        self._ends[a.ctypes.data] = byte_bounds(owner)
        return types.SimpleNamespace(ptr=a.ctypes.data)

    def numbers(self, at, dtype, count):
        """`count` numbers from there on, all of one array."""
        if at not in self._ends:
            raise ValueError(f"{at:#x} is the address of no array")
        if at + count * dtype.itemsize > self._ends[at][1]:
            raise IndexError(f"{count} numbers of {dtype} from {at:#x} on reach beyond the end of the array")
        return np.frombuffer((ctypes.c_char * (count * dtype.itemsize)).from_address(at), dtype)


MEMORY = Memory()


class ndarray:
    """An array "on the device": NumPy's operators and methods, results wrapped again."""

    __array_ufunc__ = None  # NumPy's operators give way to ours, which refuse a host array

    def __init__(self, host):
        self.host = host

    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`.")

    def get(self):
        return self.host

    @property
    def data(self):
        return MEMORY.pointer(self.host)

    def __len__(self):
        return len(self.host)

    def __float__(self):
        return float(self.host)

    def __int__(self):
        return int(self.host)

    def __bool__(self):
        return bool(self.host)

    def __getitem__(self, key):
        return _wrapped(self.host[_unwrapped(key)])

    def __setitem__(self, key, value):
        self.host[_unwrapped(key)] = _unwrapped(value)

    def __getattr__(self, name):
        value = getattr(self.host, name)
        return _through(value) if callable(value) else _wrapped(value) if name == "T" else value


for _name in ("add", "sub", "mul", "truediv", "pow", "matmul", "radd", "rsub", "rmul", "rtruediv", "rpow", "rmatmul",
              "iadd", "isub", "imul", "itruediv", "neg", "abs", "invert", "and", "or", "lt", "le", "gt", "ge", "eq",
              "ne"):  # fmt: skip
    setattr(ndarray, f"__{_name}__", _through(getattr(np.ndarray, f"__{_name}__")))
ndarray.__hash__ = None  # as everything that compares entry by entry
ndarray.__module__ = "cupy"


def _solve(a, b):
    """CuPy's stacks of equations do not broadcast (cupy/linalg/_solve.py)."""
    if b.ndim > 1 and a.shape[:-1] != b.shape[:-1]:
        raise ValueError("a must have (..., M, M) shape and b must have (..., M, K) for multidimensional b")
    return np.linalg.solve(a, b)


def module():
    """The stand-in module `cupy`."""
    cupy = types.ModuleType("cupy")
    shared = {f: getattr(np.linalg, f) for f in SHARED_LINALG} | {"solve": _solve}
    cupy.linalg = types.SimpleNamespace(**{name: _through(function) for name, function in shared.items()})
    cupy.ndarray = ndarray
    for f in SHARED:
        setattr(cupy, f, np.finfo if f == "finfo" else _through(getattr(np, f)))
    return cupy


def install(monkeypatch):
    """Make `verify.arrays.namespace` find the stand-in; -> the module."""
    cupy = module()
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    return cupy
