"""A stand-in for `cupy.cuda.cublas`: gemmStridedBatchedEx as the documentation of cuBLAS has it, on the host's memory.

Main       Cublas.

Matrices lie by columns: entry (i, j) of one with leading dimension ld is i + j ld numbers from its start, and the next
one of the batch `stride` numbers on. What cuBLAS refuses is refused (CUBLAS_STATUS_INVALID_VALUE), and what a device
would read or write beyond an array raises too: Memory (stand_in_cupy.py) knows the ends of the arrays whose address
was asked for. With TF32 and BF16 the entries are rounded to as many bits as these have.
"""

import ctypes

import numpy as np

HANDLE = 0x1234
KINDS = {0: np.dtype("f4"), 1: np.dtype("f8")}  # CUDA_R_32F, CUDA_R_64F


def rounded(x, bits):
    """The nearest numbers with so many bits of mantissa behind the first."""
    significand, exponent = np.frexp(x)
    return np.ldexp(np.round(np.ldexp(significand, bits + 1)), exponent - bits - 1).astype(x.dtype)


class Cublas:
    """The module; `calls` lists the compute type of every call."""

    CUBLAS_OP_N, CUBLAS_OP_T = 0, 1
    CUBLAS_GEMM_DEFAULT = -1
    CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_64F = 68, 70
    CUBLAS_COMPUTE_32F_FAST_16BF, CUBLAS_COMPUTE_32F_FAST_TF32 = 75, 77
    BITS = {CUBLAS_COMPUTE_32F_FAST_TF32: 10, CUBLAS_COMPUTE_32F_FAST_16BF: 7}  # noqa: RUF012

    def __init__(self, memory):
        self.memory, self.calls = memory, []

    def _matrices(self, at, kind, rows, columns, ld, stride, batch):
        """A view (batch, rows, columns)."""
        if ld < max(1, rows):
            raise ValueError(f"CUBLAS_STATUS_INVALID_VALUE: leading dimension {ld} of matrices with {rows} rows")
        if stride < 0:
            raise ValueError("a negative stride")
        dtype = KINDS[kind]
        numbers = self.memory.numbers(at, dtype, (batch - 1) * stride + (columns - 1) * ld + rows)
        steps = (stride * dtype.itemsize, dtype.itemsize, ld * dtype.itemsize)
        return np.lib.stride_tricks.as_strided(numbers, (batch, rows, columns), steps)

    def gemmStridedBatchedEx(
        self, handle, transa, transb, m, n, k, alpha, A, Atype, lda, strideA, B, Btype, ldb, strideB, beta, C, Ctype,
        ldc, strideC, batchCount, computeType, algo,
    ):  # fmt: skip
        """C = alpha op(A) op(B) + beta C for each of the batch; op(A) (m, k), op(B) (k, n)."""
        double = computeType == self.CUBLAS_COMPUTE_64F
        if handle != HANDLE or algo != self.CUBLAS_GEMM_DEFAULT or {transa, transb} - {0, 1}:
            raise ValueError("CUBLAS_STATUS_INVALID_VALUE")
        if {Atype, Btype, Ctype} != {1 if double else 0}:
            raise ValueError("CUBLAS_STATUS_NOT_SUPPORTED: these types with this compute type")
        if min(m, n, k, batchCount) < 1:
            raise ValueError("nothing to multiply: not to be called")
        if batchCount > 1 and strideC < (n - 1) * ldc + m:
            raise ValueError("the matrices of C overlap")
        scalar = ctypes.c_double if double else ctypes.c_float
        a, b = (scalar.from_address(at).value for at in (alpha, beta))
        left = self._matrices(A, Atype, *((k, m) if transa else (m, k)), lda, strideA, batchCount)
        right = self._matrices(B, Btype, *((n, k) if transb else (k, n)), ldb, strideB, batchCount)
        out = self._matrices(C, Ctype, m, n, ldc, strideC, batchCount)
        left, right = (x.swapaxes(1, 2) if t else x for x, t in ((left, transa), (right, transb)))
        if computeType in self.BITS:
            left, right = (rounded(x, self.BITS[computeType]) for x in (left, right))
        out[...] = a * np.matmul(left, right) + (b * out if b else 0)
        self.calls.append(computeType)
