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
// Grid    hessian_ingredients: one block per problem, gridDim.x = B, any blockDim.x; 5 n k + 3 k k doubles of dynamic
//         shared memory.
//         hessian_assemble: one thread per column of all problems, gridDim.x * blockDim.x >= B n k, blockDim.x <= 256;
//         gridDim.y blocks of `rows` values of i each, gridDim.y * rows >= n. Each thread writes its part of a column,
//         so that neighbours write neighbouring entries.

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

extern "C" __global__ void hessian_ingredients(const double* __restrict__ W, const double* __restrict__ sigma2,
                                               const double* __restrict__ S, long long covariance_stride,
                                               double* __restrict__ A, double* __restrict__ precision,
                                               double* __restrict__ inverse, double* __restrict__ T,
                                               double* __restrict__ U, double* __restrict__ P, double* __restrict__ Z,
                                               double* __restrict__ scale, int n, int k, int profile) {
  extern __shared__ double memory[];
  double* w = memory;          // (n, k): W
  double* image = w + n * k;   // (n, k): S W
  double* p = image + n * k;   // (n, k): P
  double* r = p + n * k;       // (n, k): the residual S P - W, then N
  double* g = r + n * k;       // (n, k): G
  double* m = g + n * k;       // (k, k): M, then its Cholesky factor, then W^T (S P - W), then W^T S W
  double* x = m + k * k;       // (k, k): M^-1
  double* y = x + k * k;       // (k, k): T
  const long long problem = blockIdx.x;
  const double s = sigma2[problem];
  const double* covariance = S + problem * covariance_stride;
  W += problem * n * k, U += problem * n * k, P += problem * n * k, Z += problem * n * k;
  A += problem * n * n, precision += problem * n * n;
  inverse += problem * k * k, T += problem * k * k, scale += problem * k;

  for (int e = threadIdx.x; e < n * k; e += blockDim.x) w[e] = W[e];
  __syncthreads();
  product(image, 1.0, covariance, w, false, 0.0, nullptr, n, n, k);
  inner(m, w, w, n, k);
  for (int a = threadIdx.x; a < k; a += blockDim.x) {
    m[a * k + a] += s;
    scale[a] = 1.0 / m[a * k + a];
  }
  __syncthreads();
  for (int e = threadIdx.x; e < n * k; e += blockDim.x) Z[e] = w[e] / m[e % k * k + e % k];
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
  product(g, -1.0 / s, p, m, false, 1.0 / s, r, n, k, k);
  inner(m, w, image, n, k);
  symmetrise(m, k);
  product(r, -0.5, p, m, false, 1.0, image, n, k, k);
  for (int e = threadIdx.x; e < n * k; e += blockDim.x) {
    P[e] = p[e];
    U[e] = g[e] + (profile ? 1.0 : 0.5) * p[e];
  }
  for (int e = threadIdx.x; e < k * k; e += blockDim.x) {
    inverse[e] = x[e];
    T[e] = y[e];
  }
  for (int e = threadIdx.x; e < n * n; e += blockDim.x) {
    // Both triangles are computed as the lower one, so that the Hessian is as symmetric as its entries allow.
    const int i = e / n > e % n ? e / n : e % n, j = e / n > e % n ? e % n : e / n;
    double explained = 0.0, shrunk = 0.0;
    for (int a = 0; a < k; ++a) {
      explained += p[i * k + a] * r[j * k + a] + r[i * k + a] * p[j * k + a];
      shrunk += p[i * k + a] * w[j * k + a];
    }
    const double entry = ((i == j ? 1.0 : 0.0) - shrunk) / s;
    precision[e] = entry;
    A[e] = (covariance[i * n + j] - explained) / s - (profile ? 0.0 : s * entry);
  }
}

// How many entries of a column a thread keeps in registers at a time.
#define STRIP 4

extern "C" __global__ void __launch_bounds__(256)
hessian_assemble(const double* __restrict__ A, const double* __restrict__ precision, const double* __restrict__ inverse,
                 const double* __restrict__ T, const double* __restrict__ U, const double* __restrict__ P,
                 const double* __restrict__ Z, const double* __restrict__ scale, double* __restrict__ H,
                 long long batch, int n, int k, int rows, int profile) {
  const int size = n * k;
  const long long thread = (long long)blockIdx.x * blockDim.x + threadIdx.x, problem = thread / size;
  if (problem >= batch) return;
  const int column = (int)(thread % size), j = column / k, b = column % k;
  const int start = blockIdx.y * rows, end = start + rows < n ? start + rows : n;
  A += problem * n * n, precision += problem * n * n, inverse += problem * k * k, T += problem * k * k;
  U += problem * size, P += problem * size, Z += problem * size, scale += problem * k;
  H += problem * size * size + column;
  const double own_z = profile ? 2.0 * Z[column] : 0.0, own_scale = profile ? scale[b] : 0.0;
  for (int first = 0; first < k; first += STRIP) {
    double of_inverse[STRIP], of_T[STRIP], of_P[STRIP], of_U[STRIP];
#pragma unroll
    for (int u = 0; u < STRIP; ++u) {
      const int a = first + u < k ? first + u : k - 1;
      of_inverse[u] = inverse[a * k + b], of_T[u] = T[a * k + b];
      of_P[u] = P[j * k + a], of_U[u] = U[j * k + a];
    }
    for (int i = start; i < end; ++i) {
      const double of_A = A[i * n + j], of_precision = precision[i * n + j], u_ib = U[i * k + b], p_ib = P[i * k + b];
#pragma unroll
      for (int u = 0; u < STRIP; ++u) {
        const int a = first + u;
        if (a >= k) break;
        double entry = of_A * of_inverse[u] - of_precision * of_T[u] - (u_ib * of_P[u] + p_ib * of_U[u]);
        if (profile && a == b) entry += Z[i * k + b] * own_z - (i == j ? own_scale : 0.0);
        H[(long long)(i * k + a) * size] = entry;
      }
    }
  }
}
