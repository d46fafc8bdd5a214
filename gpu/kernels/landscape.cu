// The likelihood of pPCA on a plane through W space, L(W + a X + b Y), a thread per point (Eq. 5).
//   M = W'^T W' + s I and T = W'^T S W' at W' = W + a X + b Y are quadratic in (a, b): sums of multiples of 1, a, b,
//   a^2, a b, b^2. With M = F F^T: L = constant - 1/2 [log det M + (tr S - tr(M^-1 T))/s], tr(M^-1 T) = <F^-1 T, F^-1>.
// Twin    gpu/landscape.py::plane
// Shapes  coefficients (2, k(k+1)/2, 6): of M, then of T; lower triangles, packed row by row; a (G), b (H), out (G, H).
//         Row-major double, no aliasing. 1 <= k <= 8, one instance a k, so that both triangles can live in registers.
//         A point where rounding leaves M indefinite gets NaN.
// Grid    one-dimensional, any size (grid-stride loop), blockDim.x <= 128. plane_values_small takes k <= 4,
//         plane_values_large 5 to 8.

template <int K>
__device__ double bracket(const double* __restrict__ of_M, const double* __restrict__ of_T, double u, double v,
                          double total, double sigma2) {
  constexpr int entries = K * (K + 1) / 2;
  const double uu = u * u, uv = u * v, vv = v * v;
  double F[entries], T[entries], inverse[entries];
#pragma unroll
  for (int e = 0; e < entries; ++e) {
    const double* c = of_M + 6 * e;
    const double* d = of_T + 6 * e;
    F[e] = c[0] + c[1] * u + c[2] * v + c[3] * uu + c[4] * uv + c[5] * vv;
    T[e] = d[0] + d[1] * u + d[2] * v + d[3] * uu + d[4] * uv + d[5] * vv;
  }
  double log_det = 0.0;
#pragma unroll
  for (int i = 0; i < K; ++i) {
#pragma unroll
    for (int j = 0; j <= i; ++j) {
      double sum = F[i * (i + 1) / 2 + j];
#pragma unroll
      for (int c = 0; c < j; ++c) sum -= F[i * (i + 1) / 2 + c] * F[j * (j + 1) / 2 + c];
      if (i == j) log_det += log(sum);
      F[i * (i + 1) / 2 + j] = i == j ? sqrt(sum) : sum / F[j * (j + 1) / 2 + j];
    }
  }
  double explained = 0.0;
#pragma unroll
  for (int i = 0; i < K; ++i) {
    const double pivot = 1.0 / F[i * (i + 1) / 2 + i];
#pragma unroll
    for (int j = 0; j <= i; ++j) {
      double sum = i == j ? 1.0 : 0.0;
#pragma unroll
      for (int c = j; c < i; ++c) sum -= F[i * (i + 1) / 2 + c] * inverse[c * (c + 1) / 2 + j];
      inverse[i * (i + 1) / 2 + j] = sum * pivot;
    }
    // Row i of F^-1, from both sides of T.
#pragma unroll
    for (int p = 0; p <= i; ++p) {
      double sum = 0.5 * T[p * (p + 1) / 2 + p] * inverse[i * (i + 1) / 2 + p];
#pragma unroll
      for (int q = 0; q < p; ++q) sum += T[p * (p + 1) / 2 + q] * inverse[i * (i + 1) / 2 + q];
      explained += 2.0 * sum * inverse[i * (i + 1) / 2 + p];
    }
  }
  return log_det + (total - explained) / sigma2;
}

template <int K>
__device__ void fill(const double* coefficients, const double* a, const double* b, double* out, long long points, int H,
                     double constant, double total, double sigma2) {
  const double* of_T = coefficients + 3 * K * (K + 1);
  const long long step = (long long)gridDim.x * blockDim.x;
  // Not unrolled: a thread has few points, and the coefficients would take the registers of a second one.
#pragma unroll 1
  for (long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x; e < points; e += step)
    out[e] = constant - 0.5 * bracket<K>(coefficients, of_T, a[e / H], b[e % H], total, sigma2);
}

// Two kernels, because registers are given out by the largest instance in a kernel.
extern "C" __global__ void __launch_bounds__(128)
plane_values_small(const double* __restrict__ coefficients, const double* __restrict__ a, const double* __restrict__ b,
                   double* __restrict__ out, long long points, int H, int k, double constant, double total,
                   double sigma2) {
  switch (k) {
    case 1: return fill<1>(coefficients, a, b, out, points, H, constant, total, sigma2);
    case 2: return fill<2>(coefficients, a, b, out, points, H, constant, total, sigma2);
    case 3: return fill<3>(coefficients, a, b, out, points, H, constant, total, sigma2);
    case 4: return fill<4>(coefficients, a, b, out, points, H, constant, total, sigma2);
  }
}

extern "C" __global__ void __launch_bounds__(128)
plane_values_large(const double* __restrict__ coefficients, const double* __restrict__ a, const double* __restrict__ b,
                   double* __restrict__ out, long long points, int H, int k, double constant, double total,
                   double sigma2) {
  switch (k) {
    case 5: return fill<5>(coefficients, a, b, out, points, H, constant, total, sigma2);
    case 6: return fill<6>(coefficients, a, b, out, points, H, constant, total, sigma2);
    case 7: return fill<7>(coefficients, a, b, out, points, H, constant, total, sigma2);
    case 8: return fill<8>(coefficients, a, b, out, points, H, constant, total, sigma2);
  }
}
