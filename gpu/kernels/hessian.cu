// Dense Hessians in W of the likelihood L and of the profile ELBO P, for a batch of problems; (i, a) -> i k + a.
//   With M = W^T W + s I, P = W M^-1, C^-1 = (I - P W^T)/s, K = C^-1 S C^-1, T = P^T S P, G = dL/dW, E = diag(M) and
//   Z = W E^-1:
//   L:  H_ia,jb = s (K - C^-1)_ij (M^-1)_ab - (C^-1)_ij T_ab - U_ib P_ja - P_ib U_ja,  U = G + P/2;
//   P:  H_ia,jb = s K_ij (M^-1)_ab - (C^-1)_ij T_ab - U_ib P_ja - P_ib U_ja
//                 + d_ab (2 Z_ia Z_ja - d_ij/E_a),                                     U = G + P.
//   Derived in gpu/hessian.py. K = (S - P N^T - N P^T)/s^2 with N = S W - 1/2 P W^T S W.
// Twin    gpu/hessian.py::ingredients and ::assembled
// Shapes  W (B, n, k), sigma2 (B), S (B, n, n) or (n, n) with covariance_stride 0, symmetric; A = s (K - C^-1) or s K,
//         and precision = C^-1 (B, n, n); inverse = M^-1 and T (B, k, k); U, P, Z (B, n, k); scale = 1/E (B, k);
//         H (B, nk, nk), symmetric to the last bit. Row-major double. No output aliases an input or another output.
// Grid    hessian_ingredients: one block per problem, gridDim.x = B, any blockDim.x; 5 n k + 3 k k + k doubles of
//         dynamic shared memory.
//         hessian_of_small: both in one, and nothing but H is written down; gridDim.x = B, gridDim.y blocks of `rows`
//         values of i each, gridDim.y * rows >= n, blockDim.x <= 128; 2 n n doubles more of dynamic shared memory.
//         On an H200 30,000 of n = 16, k = 4 took 0.59 ms at 32 threads, 0.61 at 64, 0.89 at 128, 1.49 at 256; the two
//         kernels 0.94. Writing H at the bandwidth of a copy would take 0.24.
//         hessian_assemble: one thread per column of all problems, gridDim.x * blockDim.x >= B n k, blockDim.x <= 256;
//         gridDim.y as above. Each thread writes its part of a column, so that neighbours write neighbouring entries.

#include "common.cuh"

// out = alpha X Y + beta in, X (m, p), Y (p, q) or, transposed, (q, p); `in` may be `out`.
__device__ void product(double* out, double alpha, const double* X, const double* Y, bool transposed, double beta,
                        const double* in, int m, int p, int q) {
  for (int e = threadIdx.x; e < m * q; e += blockDim.x) {
    const int i = e / q, j = e % q;
    double sum = 0.0;
    for (int c = 0; c < p; ++c) sum += X[i * p + c] * (transposed ? Y[j * p + c] : Y[c * q + j]);
    out[e] = alpha * sum + (beta != 0.0 ? beta * in[e] : 0.0);
  }
  __syncthreads();
}

// out = X^T Y, X and Y (m, p) -> (p, p); symmetric to the last bit for X = Y.
__device__ void inner(double* out, const double* X, const double* Y, int m, int p) {
  for (int e = threadIdx.x; e < p * p; e += blockDim.x) {
    double sum = 0.0;
    for (int i = 0; i < m; ++i) sum += X[i * p + e / p] * Y[i * p + e % p];
    out[e] = sum;
  }
  __syncthreads();
}

// The symmetric part of A (k, k), in place.
__device__ void symmetrise(double* A, int k) {
  for (int e = threadIdx.x; e < k * k; e += blockDim.x) {
    const int i = e / k, j = e % k;
    if (j < i) A[e] = A[j * k + i] = 0.5 * (A[e] + A[j * k + i]);
  }
  __syncthreads();
}

// What a block makes of one problem in 5 n k + 3 k k + k doubles of shared memory. A and precision (n, n) lie elsewhere.
struct Parts {
  double *Z, *P, *U, *inverse, *T, *scale;
};

__device__ Parts ingredients(const double* __restrict__ W, double s, const double* __restrict__ covariance,
                             double* memory, double* A, double* precision, int n, int k, int profile) {
  double* w = memory;          // (n, k): W, then Z
  double* image = w + n * k;   // (n, k): S W
  double* p = image + n * k;   // (n, k): P
  double* r = p + n * k;       // (n, k): the residual S P - W, then N
  double* g = r + n * k;       // (n, k): G, then U
  double* m = g + n * k;       // (k, k): M, then its Cholesky factor, then W^T (S P - W), then W^T S W
  double* x = m + k * k;       // (k, k): M^-1
  double* y = x + k * k;       // (k, k): T
  double* scale = y + k * k;   // (k): 1/E
  const double by_s = 1.0 / s;

  for (int e = threadIdx.x; e < n * k; e += blockDim.x) w[e] = W[e];
  __syncthreads();
  product(image, 1.0, covariance, w, false, 0.0, nullptr, n, n, k);
  inner(m, w, w, n, k);
  for (int a = threadIdx.x; a < k; a += blockDim.x) {
    m[a * k + a] += s;
    scale[a] = 1.0 / m[a * k + a];
  }
  cholesky(m, k);
  inverse_from_cholesky(m, x, k);
  symmetrise(x, k);
  product(p, 1.0, w, x, false, 0.0, nullptr, n, k, k);
  product(r, 1.0, image, x, false, 0.0, nullptr, n, k, k);  // S P
  inner(y, p, r, n, k);
  symmetrise(y, k);
  for (int e = threadIdx.x; e < n * k; e += blockDim.x) r[e] -= w[e];
  __syncthreads();
  inner(m, w, r, n, k);
  product(g, -by_s, p, m, false, by_s, r, n, k, k);
  inner(m, w, image, n, k);
  symmetrise(m, k);
  product(r, -0.5, p, m, false, 1.0, image, n, k, k);
  for (int e = threadIdx.x; e < n * n; e += blockDim.x) {
    // Both triangles are computed as the lower one, so that the Hessian is as symmetric as its entries allow.
    const int i = e / n > e % n ? e / n : e % n, j = e / n > e % n ? e % n : e / n;
    double explained = 0.0, shrunk = 0.0;
    for (int a = 0; a < k; ++a) {
      explained += p[i * k + a] * r[j * k + a] + r[i * k + a] * p[j * k + a];
      shrunk += p[i * k + a] * w[j * k + a];
    }
    const double entry = ((i == j ? 1.0 : 0.0) - shrunk) * by_s;
    precision[e] = entry;
    A[e] = (covariance[i * n + j] - explained) * by_s - (profile ? 0.0 : s * entry);
  }
  __syncthreads();
  for (int e = threadIdx.x; e < n * k; e += blockDim.x) {
    w[e] *= scale[e % k];
    g[e] += (profile ? 1.0 : 0.5) * p[e];
  }
  __syncthreads();
  return {w, p, g, x, y, scale};
}

extern "C" __global__ void hessian_ingredients(const double* __restrict__ W, const double* __restrict__ sigma2,
                                               const double* __restrict__ S, long long covariance_stride,
                                               double* __restrict__ A, double* __restrict__ precision,
                                               double* __restrict__ inverse, double* __restrict__ T,
                                               double* __restrict__ U, double* __restrict__ P, double* __restrict__ Z,
                                               double* __restrict__ scale, int n, int k, int profile) {
  extern __shared__ double memory[];
  const long long problem = blockIdx.x, of_nk = problem * n * k, of_kk = problem * k * k;
  const Parts parts = ingredients(W + of_nk, sigma2[problem], S + problem * covariance_stride, memory,
                                  A + problem * n * n, precision + problem * n * n, n, k, profile);
  for (int e = threadIdx.x; e < n * k; e += blockDim.x) {
    Z[of_nk + e] = parts.Z[e];
    P[of_nk + e] = parts.P[e];
    U[of_nk + e] = parts.U[e];
  }
  for (int e = threadIdx.x; e < k * k; e += blockDim.x) {
    inverse[of_kk + e] = parts.inverse[e];
    T[of_kk + e] = parts.T[e];
  }
  for (int a = threadIdx.x; a < k; a += blockDim.x) scale[problem * k + a] = parts.scale[a];
}

// How many entries of a column a thread keeps in registers at a time.
#define STRIP 4

// The entries (i, a), i = first, first + step, ... < end, of one column of one problem's H.
__device__ void assemble(const double* __restrict__ A, const double* __restrict__ precision,
                         const double* __restrict__ inverse, const double* __restrict__ T,
                         const double* __restrict__ U, const double* __restrict__ P, const double* __restrict__ Z,
                         const double* __restrict__ scale, double* __restrict__ H, int column, int first, int step,
                         int end, int n, int k, int profile) {
  const int size = n * k, j = column / k, b = column % k;
  const double own_z = profile ? 2.0 * Z[column] : 0.0, own_scale = profile ? scale[b] : 0.0;
  H += column;
  for (int strip = 0; strip < k; strip += STRIP) {
    double of_inverse[STRIP], of_T[STRIP], of_P[STRIP], of_U[STRIP];
#pragma unroll
    for (int u = 0; u < STRIP; ++u) {
      const int a = strip + u < k ? strip + u : k - 1;
      of_inverse[u] = inverse[a * k + b], of_T[u] = T[a * k + b];
      of_P[u] = P[j * k + a], of_U[u] = U[j * k + a];
    }
    for (int i = first; i < end; i += step) {
      const double of_A = A[i * n + j], of_precision = precision[i * n + j], u_ib = U[i * k + b], p_ib = P[i * k + b];
#pragma unroll
      for (int u = 0; u < STRIP; ++u) {
        const int a = strip + u;
        if (a >= k) break;
        double entry = of_A * of_inverse[u] - of_precision * of_T[u] - (u_ib * of_P[u] + p_ib * of_U[u]);
        if (profile && a == b) entry += Z[i * k + b] * own_z - (i == j ? own_scale : 0.0);
        H[(long long)(i * k + a) * size] = entry;
      }
    }
  }
}

extern "C" __global__ void __launch_bounds__(128)
hessian_of_small(const double* __restrict__ W, const double* __restrict__ sigma2, const double* __restrict__ S,
                 long long covariance_stride, double* __restrict__ H, int n, int k, int rows, int profile) {
  extern __shared__ double memory[];
  const int size = n * k, start = blockIdx.y * rows, end = start + rows < n ? start + rows : n;
  const long long problem = blockIdx.x;
  double* A = memory + 5 * size + 3 * k * k + k;
  double* precision = A + n * n;
  const Parts of = ingredients(W + problem * size, sigma2[problem], S + problem * covariance_stride, memory, A,
                               precision, n, k, profile);
  // Where there are more threads than columns, several of them share out the rows of one.
  const int together = blockDim.x > size ? blockDim.x / size : 1;
  for (int thread = threadIdx.x; thread < size * together; thread += blockDim.x)
    assemble(A, precision, of.inverse, of.T, of.U, of.P, of.Z, of.scale, H + problem * size * size, thread % size,
             start + thread / size, together, end, n, k, profile);
}

extern "C" __global__ void __launch_bounds__(256)
hessian_assemble(const double* __restrict__ A, const double* __restrict__ precision, const double* __restrict__ inverse,
                 const double* __restrict__ T, const double* __restrict__ U, const double* __restrict__ P,
                 const double* __restrict__ Z, const double* __restrict__ scale, double* __restrict__ H,
                 long long batch, int n, int k, int rows, int profile) {
  const int size = n * k, start = blockIdx.y * rows, end = start + rows < n ? start + rows : n;
  const long long thread = (long long)blockIdx.x * blockDim.x + threadIdx.x, problem = thread / size;
  if (problem >= batch) return;
  const long long of_nk = problem * size, of_nn = problem * n * n, of_kk = problem * k * k;
  assemble(A + of_nn, precision + of_nn, inverse + of_kk, T + of_kk, U + of_nk, P + of_nk, Z + of_nk,
           scale + problem * k, H + of_nk * size, (int)(thread % size), start, 1, end, n, k, profile);
}
