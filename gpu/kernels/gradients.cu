// Gradients of the linear VAE's ELBO for a batch of problems (Eqs. 21-23, with W D in Eq. 23, and the noise s).
//   With Z = S W, Y = S V^T, G = W^T W, Q = V Y:
//   dW = (Y - W (diag(D) + Q)) / s,   dV = (Z - Y (G + s I))^T / s,   dD = 1/2 (1/D - 1 - diag(G)/s),
//   ds = (tr S - 2 <W, Y> + <G, Q> + sum_a D_a G_aa) / (2 s^2) - n / (2 s).
// Twin    gpu/gradients.py::gradients
// Shapes  W (B, n, k), V (B, k, n), D (B, k), sigma2 (B), S (B, n, n) or (n, n) with covariance_stride 0, symmetric;
//         dW, dV, dD, dsigma2 as W, V, D, sigma2. Row-major double. No output aliases an input or another output.
// Grid    one block per problem: gridDim.x = B; blockDim.x a power of two. `rows` >= 1 rows of S are staged at a time.
// Shared  4 n k + 2 k k + rows n + blockDim.x doubles.

#include "common.cuh"

extern "C" __global__ void elbo_gradients(const double* __restrict__ W, const double* __restrict__ V,
                                          const double* __restrict__ D, const double* __restrict__ sigma2,
                                          const double* __restrict__ S, long long covariance_stride,
                                          double* __restrict__ dW, double* __restrict__ dV, double* __restrict__ dD,
                                          double* __restrict__ dsigma2, int n, int k, int rows) {
  extern __shared__ double memory[];
  const int wide = 2 * k, t = threadIdx.x, threads = blockDim.x;
  double* both = memory;               // (n, 2k): W beside V^T
  double* image = both + n * wide;     // (n, 2k): Z beside Y
  double* gram = image + n * wide;     // (k, k): G
  double* spread = gram + k * k;       // (k, k): Q
  double* panel = spread + k * k;      // (rows, n): some rows of S
  double* partial = panel + rows * n;  // (blockDim.x)
  const long long problem = blockIdx.x, at = problem * n * k;
  const double s = sigma2[problem];
  const double* covariance = S + problem * covariance_stride;

  for (int e = t; e < n * k; e += threads) {
    both[e / k * wide + e % k] = W[at + e];
    both[e % n * wide + k + e / n] = V[at + e];
  }
  double error = 0.0;  // this thread's part of E||x - mu - W z||^2
  for (int start = 0; start < n; start += rows) {
    const int count = rows < n - start ? rows : n - start;
    __syncthreads();  // `both` is complete, and nobody reads the previous panel any more
    for (int e = t; e < count * n; e += threads) {
      panel[e] = covariance[(long long)start * n + e];
      if (e % n == start + e / n) error += panel[e];
    }
    __syncthreads();
    for (int e = t; e < count * wide; e += threads) {
      const int row = e / wide, column = e % wide;
      double sum = 0.0;
      for (int j = 0; j < n; ++j) sum += panel[row * n + j] * both[j * wide + column];
      image[(start + row) * wide + column] = sum;
    }
  }
  __syncthreads();
  for (int e = t; e < 2 * k * k; e += threads) {
    const int a = e % (k * k) / k, b = e % k;
    double sum = 0.0;
    if (e < k * k)
      for (int i = 0; i < n; ++i) sum += both[i * wide + a] * both[i * wide + b];
    else
      for (int i = 0; i < n; ++i) sum += both[i * wide + k + a] * image[i * wide + k + b];
    gram[e] = sum;  // runs on into `spread`
  }
  __syncthreads();
  for (int e = t; e < n * k; e += threads) {
    const int i = e / k, a = e % k;
    double sum = both[i * wide + a] * D[problem * k + a];
    for (int b = 0; b < k; ++b) sum += both[i * wide + b] * spread[b * k + a];
    dW[at + e] = (image[i * wide + k + a] - sum) / s;
    error -= 2.0 * both[i * wide + a] * image[i * wide + k + a];
  }
  for (int e = t; e < n * k; e += threads) {
    const int a = e / n, j = e % n;
    double sum = s * image[j * wide + k + a];
    for (int b = 0; b < k; ++b) sum += gram[a * k + b] * image[j * wide + k + b];
    dV[at + e] = (image[j * wide + a] - sum) / s;
  }
  for (int e = t; e < k * k; e += threads) error += gram[e] * spread[e];
  for (int a = t; a < k; a += threads) {
    const double d = D[problem * k + a], norm = gram[a * k + a];
    dD[problem * k + a] = 0.5 * (1.0 / d - 1.0 - norm / s);
    error += d * norm;
  }
  error = block_sum(error, partial);
  if (t == 0) dsigma2[problem] = 0.5 * error / (s * s) - 0.5 * n / s;
}
