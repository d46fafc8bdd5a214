"""Batched matrix products, the one place that decides in which precision they run, and on how many threads.

Notation   a (E, m, p), b (E, p, q), c (E, m, q): one product a model; views of a flat buffer and transposes are taken
           as they are.
Main       multiply, precision, PRECISIONS.

On a device a product is one call of cublasGemmStridedBatchedEx: transposed views, models that lie apart in a flat
buffer and one array for all models need no copy there. Arrays of float32 are multiplied as `precision` has it:

    float32   as they are
    tf32      on tensor cores with 10 bits of mantissa (a relative error of 2^-11 an entry), summed in float32
    bf16      the same with 7 bits (2^-8)

and arrays of float64 always in float64. cuBLAS chooses its algorithm by the shapes, E among them: on a device the same
group of models gives the same bits, and another one those of other roundings. It is fastest on matrices that begin at
multiples of 16 bytes, which Layout sees to.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import numpy as np

from verify.arrays import Array, namespace
from verify.errors import InputError

COMPUTE = {
    "float32": "CUBLAS_COMPUTE_32F",
    "tf32": "CUBLAS_COMPUTE_32F_FAST_TF32",
    "bf16": "CUBLAS_COMPUTE_32F_FAST_16BF",
}
PRECISIONS = tuple(COMPUTE)
# cuBLAS reads its scalars when it is called; they have to be of the type in which it computes.
SCALARS = {name: np.array([1.0, 0.0], dtype=name) for name in ("float32", "float64")}
DTYPES = tuple(map(np.dtype, SCALARS))  # the name of a dtype takes NumPy microseconds
_chosen: ContextVar[str] = ContextVar("precision", default="float32")


@contextmanager
def precision(name: str, xp: Any = np) -> Iterator[None]:
    """Within the block products of float32 arrays of xp run in this precision.

    InputError for a name that is not in PRECISIONS, and on the host for all but float32: it has no other.
    """
    if name not in PRECISIONS:
        raise InputError(f"precision {name!r}: none of {', '.join(PRECISIONS)}; choose one of them")
    if xp is np and name != "float32":
        raise InputError(f"precision {name} needs a device; choose precision float32, or backend cupy")
    before = _chosen.set(name)
    try:
        yield
    finally:
        _chosen.reset(before)


def multiply(a: Array, b: Array, out: Array | None = None, *, add: bool = False) -> Array:
    """c = a b for every model.  (E, m, p), (E, p, q) -> (E, m, q), written to `out` where given, or added to it."""
    xp = namespace(a, b)
    if add and out is None:
        raise InputError("a product is added to nothing: give out")
    if xp is not np:
        return _on_device(xp, a, b, out, add)
    if out is None or not add:
        return np.matmul(a, b, out=out)
    product = np.matmul(a, b)
    if product.shape != out.shape:
        raise InputError(f"a product {product.shape} cannot be added to {out.shape}")
    return np.add(out, product, out=out)


def _on_device(xp: Any, a: Array, b: Array, out: Array | None, add: bool) -> Array:
    """The rows of c are the columns of what cuBLAS, which counts by columns, sees: c^T = b^T a^T."""
    E, (_, m, p), q = max(len(a), len(b)), a.shape, b.shape[2]
    if out is None:
        out = xp.empty((E, m, q), dtype=a.dtype)
    shapes, dtypes = (a.shape, b.shape, out.shape), (a.dtype, b.dtype, out.dtype)
    fits = b.shape[1] == p and out.shape == (E, m, q) and {len(a), len(b)} <= {1, E}
    if not fits or len(set(dtypes)) > 1 or a.dtype not in DTYPES:
        raise InputError(
            f"no product of {shapes[0]} and {shapes[1]} into {shapes[2]}, of {', '.join(map(str, dtypes))}"
        )
    if not (p or add):
        out[...] = 0
    if not (out.size and p):
        return out
    of_c = _as_columns(out)
    if of_c is None or of_c[0]:
        raise InputError(
            f"a product cannot be written to {out.shape} with strides {out.strides}: rows of neighbours only"
        )
    (b, *of_b), (a, *of_a) = _readable(xp, b), _readable(xp, a)
    blas, runtime = xp.cuda.cublas, xp.cuda.runtime
    double = a.dtype == np.float64
    kind = runtime.CUDA_R_64F if double else runtime.CUDA_R_32F
    compute = getattr(blas, "CUBLAS_COMPUTE_64F" if double else COMPUTE[_chosen.get()])
    one, zero = _scalars("float64" if double else "float32")
    before = one if add else zero
    blas.gemmStridedBatchedEx(
        xp.cuda.device.get_cublas_handle(), of_b[0], of_a[0], q, m, p,
        one, b.data.ptr, kind, *of_b[1:], a.data.ptr, kind, *of_a[1:], before, out.data.ptr, kind, *of_c[1:],
        E, compute, blas.CUBLAS_GEMM_DEFAULT,
    )  # fmt: skip
    return out


@cache
def _scalars(name: str) -> tuple[int, int]:
    """The addresses of one and zero."""
    at = SCALARS[name].ctypes.data
    return at, at + SCALARS[name].itemsize


def _as_columns(x: Array) -> tuple[int, int, int] | None:
    """x (E, m, p) as cuBLAS sees x^T: (1 if it has to be transposed, leading dimension, stride of models), or None."""
    (E, m, p), size = x.shape, x.dtype.itemsize
    models, rows, columns = (s // size for s in x.strides)
    models = models if E > 1 else 0
    # Along an axis of one entry the stride is arbitrary.
    if (columns == 1 or p == 1) and (rows >= p or m == 1):
        return 0, rows if m > 1 else p, models
    if (rows == 1 or m == 1) and (columns >= m or p == 1):
        return 1, columns if p > 1 else m, models
    return None


def _readable(xp: Any, x: Array) -> tuple[Array, int, int, int]:
    """x and how cuBLAS is to read it; a copy where its rows and columns both lie scattered."""
    found = _as_columns(x)
    if found is None:
        x = xp.ascontiguousarray(x)
        found = 0, x.shape[2], x.shape[1] * x.shape[2]
    return (x, *found)
