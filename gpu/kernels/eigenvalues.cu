// All eigenvalues of small symmetric matrices, ascending, by cyclic Jacobi rotations in shared memory.
//   A round of a sweep takes disjoint pairs (p, q) (round robin: every pair once a sweep) and rotates each to a_pq = 0:
//   tau = (a_qq - a_pp)/(2 a_pq), t = sign(tau)/(|tau| + sqrt(1 + tau^2)), a_pp -= t a_pq, a_qq += t a_pq. Rows and
//   columns of two pairs meet in a 2 x 2 block that belongs to one thread, so that a round needs two barriers.
//   Stops when the entries off the diagonal are below 1e-16 of the norm: eigenvalues are then right to rounding.
// Twin    gpu/eigenvalues.py::eigenvalues (numpy.linalg.eigvalsh)
// Shapes  A (B, m, m), values (B, m), row-major double, m >= 1; only the lower triangle is read. No aliasing. A matrix
//         with an entry that is not finite gets NaN throughout.
// Grid    one block per matrix: gridDim.x = B; blockDim.x a power of two.
// Shared  with e = m rounded up to even and h = e/2: e(e+1)/2 + 2h + blockDim.x doubles, then 2h + h(h-1)/2 ints;
//         the lower triangle is packed, 45 KB at m = 96, so that no block needs more than the default 48 KB.

#include "common.cuh"

__device__ int packed(int i, int j) { return i > j ? i * (i + 1) / 2 + j : j * (j + 1) / 2 + i; }

// The sum of squares of the packed triangle, with the diagonal or without.
__device__ double squares(const double* a, int size, bool diagonal, double* partial) {
  double sum = 0.0;
  for (int e = threadIdx.x; e < size * size; e += blockDim.x) {
    const int i = e / size, j = e % size;
    if (j < i || (diagonal && j == i)) sum += a[packed(i, j)] * a[packed(i, j)];
  }
  return block_sum(sum, partial);
}

// Rotates pair number `pair` of a round to a_pq = 0; its indices, cosine and sine are left for the others.
__device__ void rotate_pair(double* a, int size, int round, int pair, int* lower, int* upper, double* cosine,
                            double* sine) {
  const int cycle = size - 1;
  const int one = pair == 0 ? cycle : (round + pair) % cycle, other = (round + cycle - pair) % cycle;
  const int p = one < other ? one : other, q = one < other ? other : one;
  double* pp = a + packed(p, p);
  double* qq = a + packed(q, q);
  double* pq = a + packed(q, p);
  double c = 1.0, s = 0.0;
  if (*pq != 0.0) {
    const double tau = (*qq - *pp) / (2.0 * *pq);  // may overflow: then the rotation is by nothing, as it should be
    const double t = copysign(1.0, tau) / (fabs(tau) + sqrt(1.0 + tau * tau));
    c = 1.0 / sqrt(1.0 + t * t);
    s = t * c;
    *pp -= t * *pq;
    *qq += t * *pq;
    *pq = 0.0;
  }
  lower[pair] = p, upper[pair] = q, cosine[pair] = c, sine[pair] = s;
}

// The 2 x 2 block in which the rows of one pair (p, q) meet the columns of another (u, v).
__device__ void rotate_block(double* a, int p, int q, double c, double s, int u, int v, double d, double r) {
  double* pu = a + packed(p, u);
  double* pv = a + packed(p, v);
  double* qu = a + packed(q, u);
  double* qv = a + packed(q, v);
  const double top_u = c * *pu - s * *qu, low_u = s * *pu + c * *qu;
  const double top_v = c * *pv - s * *qv, low_v = s * *pv + c * *qv;
  *pu = d * top_u - r * top_v, *pv = r * top_u + d * top_v;
  *qu = d * low_u - r * low_v, *qv = r * low_u + d * low_v;
}

extern "C" __global__ void symmetric_eigenvalues(const double* __restrict__ A, double* __restrict__ values, int m,
                                                 int most_sweeps) {
  extern __shared__ double memory[];
  // A row of zeros makes an odd size even; nothing is ever rotated into it.
  const int size = m + m % 2, pairs = size / 2, blocks = pairs * (pairs - 1) / 2;
  double* a = memory;                            // packed lower triangle
  double* cosine = a + size * (size + 1) / 2;    // (pairs)
  double* sine = cosine + pairs;                 // (pairs)
  double* partial = sine + pairs;                // (blockDim.x)
  int* lower = (int*)(partial + blockDim.x);     // (pairs)
  int* upper = lower + pairs;                    // (pairs)
  int* meeting = upper + pairs;                  // (blocks): two pairs, 16 bits each
  const int t = threadIdx.x, threads = blockDim.x;
  A += (long long)blockIdx.x * m * m;
  values += (long long)blockIdx.x * m;

  double largest = 0.0;
  bool finite = true;
  for (int e = t; e < m * m; e += threads) {
    const double entry = fabs(A[e]);
    if (e % m > e / m) continue;
    finite = finite && entry <= 1.7976931348623157e308;
    largest = entry > largest ? entry : largest;
  }
  if (!__syncthreads_and(finite)) {
    for (int i = t; i < m; i += threads) values[i] = __longlong_as_double(0x7ff8000000000000LL);
    return;
  }
  largest = block_reduce(largest, partial, true);
  // A power of two brings the largest entry near 1, without rounding, so that squares neither overflow nor vanish.
  const int exponent = largest > 0.0 ? ilogb(largest) : 0;
  for (int e = t; e < size * size; e += threads) {
    const int i = e / size, j = e % size;
    if (j <= i) a[packed(i, j)] = i < m ? ldexp(A[i * m + j], -exponent) : 0.0;
  }
  for (int p = t; p < pairs; p += threads)
    for (int q = 0; q < p; ++q) meeting[p * (p - 1) / 2 + q] = p << 16 | q;
  __syncthreads();

  const double enough = 1e-32 * squares(a, size, true, partial);
  for (int sweep = 0; sweep < most_sweeps && squares(a, size, false, partial) > enough; ++sweep) {
    for (int round = 0; round < size - 1; ++round) {
      for (int p = t; p < pairs; p += threads) rotate_pair(a, size, round, p, lower, upper, cosine, sine);
      __syncthreads();
      for (int e = t; e < blocks; e += threads) {
        const int x = meeting[e] >> 16, y = meeting[e] & 0xffff;
        if (sine[x] == 0.0 && sine[y] == 0.0) continue;
        rotate_block(a, lower[x], upper[x], cosine[x], sine[x], lower[y], upper[y], cosine[y], sine[y]);
      }
      __syncthreads();
    }
  }
  for (int i = t; i < m; i += threads) {
    const double own = a[packed(i, i)];
    int rank = 0;
    for (int j = 0; j < m; ++j) {
      const double other = a[packed(j, j)];
      rank += other < own || (other == own && j < i);
    }
    values[rank] = ldexp(own, exponent);
  }
}
