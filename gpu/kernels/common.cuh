// What several kernels share, each function called by all threads of a block; included by name, as text (__init__.py).

// `value` combined over the block, in every thread: the sum, or the largest. partial (blockDim.x), a power of two; the
// order of additions depends on blockDim.x alone.
__device__ double block_reduce(double value, double* partial, bool largest) {
  partial[threadIdx.x] = value;
  __syncthreads();
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) {
      const double other = partial[threadIdx.x + half], own = partial[threadIdx.x];
      partial[threadIdx.x] = largest ? (own > other ? own : other) : own + other;
    }
    __syncthreads();
  }
  const double result = partial[0];
  __syncthreads();
  return result;
}

// The sum of `value` over the block, in every thread.
__device__ double block_sum(double value, double* partial) { return block_reduce(value, partial, false); }

// The Cholesky factor of the symmetric positive definite A (k, k), in its lower triangle; by the whole block.
__device__ void cholesky(double* A, int k) {
  for (int c = 0; c < k; ++c) {
    __syncthreads();
    if (threadIdx.x == 0) A[c * k + c] = sqrt(A[c * k + c]);
    __syncthreads();
    for (int i = c + 1 + threadIdx.x; i < k; i += blockDim.x) A[i * k + c] /= A[c * k + c];
    __syncthreads();
    for (int e = threadIdx.x; e < (k - c - 1) * (k - c - 1); e += blockDim.x) {
      const int i = c + 1 + e / (k - c - 1), j = c + 1 + e % (k - c - 1);
      if (j <= i) A[i * k + j] -= A[i * k + c] * A[j * k + c];
    }
  }
  __syncthreads();
}

// X = (L L^T)^-1, (k, k), a column per thread.
__device__ void inverse_from_cholesky(const double* L, double* X, int k) {
  for (int c = threadIdx.x; c < k; c += blockDim.x) {
    for (int i = 0; i < k; ++i) {
      double sum = i == c ? 1.0 : 0.0;
      for (int j = c; j < i; ++j) sum -= L[i * k + j] * X[j * k + c];
      X[i * k + c] = i < c ? 0.0 : sum / L[i * k + i];
    }
    for (int i = k - 1; i >= 0; --i) {
      double sum = X[i * k + c];
      for (int j = i + 1; j < k; ++j) sum -= L[j * k + i] * X[j * k + c];
      X[i * k + c] = sum / L[i * k + i];
    }
  }
  __syncthreads();
}
