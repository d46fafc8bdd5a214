// Points of the families of theory 3.6 from their blocks, and what is to be seen at them; problems in batches.
//   A block of kb columns with the eigenvalues lam_a (q of them, z = kb - q zero rows) has the constant m,
//   sqrt(m) = (r + sqrt(r^2 + 4 kb z s)) / (2 kb), r = sum sqrt(lam_a), and t_a = sqrt(lam_a m); a zero row has t = s.
//   W = diag(sqrt(t - s)) Q where a chain of kb - 1 plane rotations takes diag(t) to the constant diagonal m.
// Twin    gpu/saddles.py::_points and ::_by_products
// Shapes  lam (n) descending, sigma2 (B); block_of_column, eigen_of_slot (B, k) as gpu/saddles.py checks them; W
//         (B, n, k) in the eigenbasis, filled with zeros before saddle_points; residual, curvature, rise (B), pair
//         (B, 2). Row-major double and int. No output aliases an input or another output.
// Grid    saddle_points: one thread per slot of all problems, gridDim.x * blockDim.x >= B k.
//         saddle_examine: one block per problem, gridDim.x = B, any blockDim.x; 3 k k + k + 3 blockDim.x doubles and
//         blockDim.x ints of dynamic shared memory.

#include "common.cuh"

// Entries of the diagonal closer than this share of m count as equal: nothing is left to rotate.
#define TIE 1e-15

__device__ double scale_of(const double* lam, int eigen, double m, double s) {
  return eigen < 0 ? s : sqrt(__dmul_rn(lam[eigen], m));
}

// Which entry is rotated next hangs on comparisons that ties decide by the last bit, so none of them may see an fma.
extern "C" __global__ void saddle_points(const double* __restrict__ lam, const double* __restrict__ sigma2,
                                         const int* __restrict__ block_of_column,
                                         const int* __restrict__ eigen_of_slot, double* __restrict__ W,
                                         long long batch, int n, int k) {
  const long long thread = (long long)blockIdx.x * blockDim.x + threadIdx.x, problem = thread / k;
  if (problem >= batch) return;
  const int slot = (int)(thread % k);
  const int* block = block_of_column + problem * k;
  const int* eigen = eigen_of_slot + problem * k;
  if (eigen[slot] < 0) return;
  const double s = sigma2[problem];
  double* row = W + (problem * n + eigen[slot]) * k;
  int start = slot, end = slot + 1;
  while (start > 0 && block[start - 1] == block[slot]) --start;
  while (end < k && block[end] == block[slot]) ++end;
  const int columns = end - start;
  if (columns == 1) {
    row[slot] = sqrt(lam[eigen[slot]] - s);
    return;
  }
  double roots = 0.0;
  int zeros = 0;
  for (int c = start; c < end; ++c) {
    if (eigen[c] < 0) ++zeros;
    else roots = __dadd_rn(roots, sqrt(lam[eigen[c]]));
  }
  const double root =
      __dadd_rn(roots, sqrt(__dadd_rn(__dmul_rn(roots, roots), __dmul_rn(4.0 * columns * zeros, s)))) / (2.0 * columns);
  const double m = __dmul_rn(root, root);
  row[slot] = sqrt(__dsub_rn(scale_of(lam, eigen[slot], m, s), s));

  // The carried entry d meets the least one left where it is above the mean, and else the largest one: a rotation makes
  // it the mean, and the other one is carried on. That one was untouched: no entry off the diagonal couples the two.
  int carry = start, high = start + 1, low = end - 1;
  double d = scale_of(lam, eigen[carry], m, s);
  for (int step = 1; step < columns; ++step) {
    const bool above = d >= m;
    const int partner = above ? low-- : high++;
    const double other = scale_of(lam, eigen[partner], m, s), sign = above ? 1.0 : -1.0;
    const double gap = sign * __dsub_rn(d, other);
    if (gap > TIE * m) {
      const double cos = sqrt(fmin(fmax(sign * __dsub_rn(m, other) / gap, 0.0), 1.0));
      const double sin = sqrt(fmin(fmax(sign * __dsub_rn(d, m) / gap, 0.0), 1.0));
      const double x = row[carry], y = row[partner];
      row[carry] = cos * x + sin * y;
      row[partner] = cos * y - sin * x;
    }
    d = __dsub_rn(__dadd_rn(d, other), m);
    carry = partner;
  }
}

// out = X Y, all (k, k).
__device__ void product(double* out, const double* X, const double* Y, int k) {
  for (int e = threadIdx.x; e < k * k; e += blockDim.x) {
    double sum = 0.0;
    for (int c = 0; c < k; ++c) sum += X[e / k * k + c] * Y[c * k + e % k];
    out[e] = sum;
  }
  __syncthreads();
}

// Columns i and j of W, rotated by theta, exchange `moved` between M_ii and M_jj; their product changes by this share.
__device__ double relative_change(double moved, double difference, double both) {
  return moved * (difference - moved) / both;
}

extern "C" __global__ void saddle_examine(const double* __restrict__ W, const double* __restrict__ sigma2,
                                          const double* __restrict__ lam, double* __restrict__ residual,
                                          double* __restrict__ curvature, int* __restrict__ pair,
                                          double* __restrict__ rise, int n, int k, double sine, double cosine) {
  extern __shared__ double memory[];
  double* m = memory;                 // (k, k): M, then its Cholesky factor, then X M^-1
  double* x = m + k * k;              // (k, k): M^-1
  double* y = x + k * k;              // (k, k): X = W^T S W, then Z = M^-1 X M^-1
  double* norms = y + k * k;          // (k): diag(M)
  double* steepest = norms + k;       // for each thread: the largest curvature it saw,
  double* least = steepest + blockDim.x;   // the least change of M_ii M_jj in the worse of two directions,
  double* squares = least + blockDim.x;    // the squares of its entries of the gradient,
  int* where = (int*)(squares + blockDim.x);  // and the pair i k + j of that curvature
  const long long problem = blockIdx.x;
  const double s = sigma2[problem];
  W += problem * n * k;

  for (int e = threadIdx.x; e < k * k; e += blockDim.x) {
    const int a = e / k, b = e % k;
    double gram = 0.0, image = 0.0;
    for (int i = 0; i < n; ++i) {
      const double both = W[i * k + a] * W[i * k + b];
      gram += both;
      image += lam[i] * both;
    }
    m[e] = gram + (a == b ? s : 0.0);
    y[e] = image;
    if (a == b) norms[a] = m[e];
  }
  __syncthreads();

  const double infinity = __longlong_as_double(0x7ff0000000000000LL);  // NVRTC has no header that names it
  double best = -infinity, fallen = infinity;
  int at = 0;
  for (int e = threadIdx.x; e < k * k; e += blockDim.x) {
    const int i = e / k, j = e % k;
    if (i >= j) continue;
    const double of_i = norms[i], of_j = norms[j], off = m[e], difference = of_j - of_i, both = of_i * of_j;
    const double bend =
        2.0 * off * off * (1.0 / (of_i * of_i) + 1.0 / (of_j * of_j)) - difference * difference / both;
    if (bend > best) best = bend, at = e;
    const double shift = sine * sine * difference, turn = 2.0 * sine * cosine * off;
    fallen = fmin(fallen, fmax(relative_change(shift - turn, difference, both),
                               relative_change(shift + turn, difference, both)));
  }
  steepest[threadIdx.x] = best, where[threadIdx.x] = at, least[threadIdx.x] = fallen;

  cholesky(m, k);
  inverse_from_cholesky(m, x, k);
  product(m, y, x, k);
  product(y, x, m, k);
  double sum = 0.0;
  for (int e = threadIdx.x; e < n * k; e += blockDim.x) {
    const int i = e / k, a = e % k;
    double entry = 0.0;
    for (int b = 0; b < k; ++b) entry += W[i * k + b] * (lam[i] * x[b * k + a] - y[b * k + a]);
    entry = entry / s - W[e] / norms[a];
    sum += entry * entry;
  }
  squares[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x) return;
  for (int other = 1; other < blockDim.x; ++other) {
    sum += squares[other];
    fallen = fmin(fallen, least[other]);
    if (steepest[other] > best || (steepest[other] == best && where[other] < at)) {
      best = steepest[other], at = where[other];
    }
  }
  // A family that does not exist at this noise is not a number throughout; one column has no pair.
  const bool nothing = k == 1 || sum != sum;
  residual[problem] = sqrt(sum);
  curvature[problem] = nothing ? 0.0 * sum : best;
  rise[problem] = nothing ? 0.0 * sum : -0.5 * log1p(fallen);
  pair[2 * problem] = nothing ? 0 : at / k;
  pair[2 * problem + 1] = nothing ? 0 : at % k;
}
