// Training an ensemble of VAEs between its matrix products; REAL is float or double, as the file that includes this has
// it. E models, B data of a batch; arrays (E, B, d) row-major, a model's `size` = B d numbers one after another.
//   add_bias         y <- y + bias, and max(., 0) of it if `relu`; what is not a number stays so
//   bias_gradient    dy <- dy [y > 0] where y is given; out <- the sums of dy over the rows of each chunk
//   gather           out[e, r] <- X[rows[e, r]], the nearest row of X for a number beyond its ends
//   reparameterise   deviation <- exp(log_variance/2), z <- mean + deviation noise (mean alone without noise);
//                    sums <- of each tile, sum (mean^2 + deviation^2 - 1 - log_variance)/2
//   reparameterise_gradient   dmean <- dz + scale mean,
//                    dlog_variance <- (dz noise deviation + scale (deviation^2 - 1))/2
//   likelihood       y <- weight (y - x); sums <- of each tile, sum (y - x)^2
//   add_up           out[e] <- the sum of parts[e, .]
//   adam             m <- beta1 m + g, v <- beta2 v + g^2, p <- p - rate factor m / (sqrt(v) + epsilon)
//   normals          out <- standard normal numbers: Philox4x32-10 and Box-Muller, see below
// Twin    the functions of these names in gpu/vae: elementwise.py, loss.py, adam.py; normals: philox.py
// Shapes  scale, weight, rates (E) double; alive (E) bool: a model that is not keeps p, m and v; seeds (E); sums and
//         parts (E, tiles) double; X (count, n); rows (E, B) int; out of bias_gradient (E, chunks, d). An array whose
//         `_stride` is passed may be a view: so many numbers lie between its models (0: one for all), and `_row`
//         between its rows (0: one for all); those of a row are neighbours. noise and y may be null. No output overlaps
//         an input or another output.
// Grid    gridDim.x = E tiles, tiles = ceil(size / (EACH blockDim.x)): block b takes the tile b % tiles of the model
//         b / tiles, and no array of a model has 2^31 numbers. bias_gradient: gridDim.x = E chunks ceil(d / 32),
//         blockDim.x a multiple of 32. add_up: gridDim.x = E. blockDim.x is a power of two; blockDim.x doubles of
//         dynamic shared memory for bias_gradient, reparameterise, likelihood and add_up.
// Sums    in double, in an order that depends on the shapes and blockDim.x alone: no atomics, the same bits every time.
//
// Cost    (computed, not measured.) Every kernel is bound by memory. Bytes of a number in float32: adam 28, add_bias 8,
// bias_gradient 12 behind a ReLU and 4 elsewhere, likelihood 12, gather 8, reparameterise 20, its gradient 24,
// normals 4. For 784-1024-512-200 and back with B = 128 a model has P = 3.0e6 parameters and 0.55e6 outputs of layers.
// A step moves, in MB: adam 83; products 36 of weights and their gradients (12 P) and 13 of activations; the other
// kernels 13. At 3.35 TB/s (H100) that is 43 us a model, at 4.8 TB/s (H200) 30 us, and less where activations stay in
// the second-level cache. The products have 2.1 Gflop: 31 us at 67 Tflop/s in float32 and some 6 us in TF32, less than
// their bytes take. So TF32 is worth having, and BF16 only for larger batches.
// Launches  17 products; 18 kernels, and add_up for each of KL and error where a model has several tiles; some 36 of
// the library on (E) numbers, 24 of them for the bookkeeping of the training. Some 0.7 ms of the host, which a device
// of that speed hides from some 20 such models on.
// Not done, and why
// - The bias as one more row of the weights beside a column of ones in x, so that one product gives y and both
//   gradients: the pass for the ReLU would remain, which is what costs, and 785 columns would spoil the alignment.
// - One kernel for heads, bias, draw and KL: it would save 1 MB of 145. Nor are the normals drawn where they are used:
//   the gradient needs them again.
// - Bias and ReLU in the epilogue of the products: would save up to 9 MB, but the cuBLAS of CuPy has no epilogues.
// - Adam where gradients are made, without writing them: would save 8 P = 24 MB, but needs products of our own.

#define EACH 4  // numbers that a thread works on: enough loads under way to keep the memory busy

// The first of this thread's numbers of its model; the others follow blockDim.x apart.
__device__ unsigned first_of(int tiles) { return blockIdx.x % tiles * (EACH * blockDim.x) + threadIdx.x; }

extern "C" __global__ void add_bias(REAL* __restrict__ y, const REAL* __restrict__ bias, long long bias_stride,
                                    int size, int d, int tiles, int relu) {
  const long long model = blockIdx.x / tiles;
  const unsigned first = first_of(tiles);
  y += model * size;
  bias += model * bias_stride;
  REAL value[EACH];  // all loads before the first store, which the compiler could not move them across
#pragma unroll
  for (int u = 0; u < EACH; ++u) {
    const unsigned at = first + u * blockDim.x;
    if (at < size) value[u] = y[at] + bias[at % d];
  }
#pragma unroll
  for (int u = 0; u < EACH; ++u) {
    const unsigned at = first + u * blockDim.x;
    if (at < size) y[at] = relu && value[u] < 0 ? 0 : value[u];
  }
}

// A warp reads 32 neighbours of a row; the warps of a block share out the rows of the chunk.
extern "C" __global__ void bias_gradient(REAL* __restrict__ dy, long long dy_stride, long long dy_row,
                                         const REAL* __restrict__ y, REAL* __restrict__ out, long long out_stride,
                                         int rows, int d, int chunk, int chunks) {
  extern __shared__ double memory[];
  const int strips = (d + 31) / 32, warps = blockDim.x / 32;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, column = blockIdx.x % strips * 32 + lane;
  const int part = blockIdx.x / strips % chunks;
  const long long model = blockIdx.x / strips / chunks, start = (long long)part * chunk;
  const long long end = start + chunk < rows ? start + chunk : rows;
  double sum = 0.0;
  if (column < d)
    for (long long row = start + warp; row < end; row += warps) {
      REAL* const at = dy + model * dy_stride + row * dy_row + column;
      REAL value = *at;
      if (y) *at = value = value * (REAL)(y[(model * rows + row) * d + column] > 0);
      sum += value;
    }
  memory[threadIdx.x] = sum;
  __syncthreads();
  if (warp > 0 || column >= d) return;
  for (int other = 1; other < warps; ++other) sum += memory[other * 32 + lane];
  out[model * out_stride + (long long)part * d + column] = (REAL)sum;
}

extern "C" __global__ void gather(const REAL* __restrict__ X, int count, const int* __restrict__ rows,
                                  long long rows_stride, REAL* __restrict__ out, int size, int n, int tiles) {
  const long long model = blockIdx.x / tiles;
  const unsigned first = first_of(tiles);
  rows += model * rows_stride;
  out += model * size;
#pragma unroll
  for (int u = 0; u < EACH; ++u) {
    const unsigned at = first + u * blockDim.x;
    if (at >= size) continue;
    const int row = rows[at / n];
    out[at] = X[(long long)(row < 0 ? 0 : row < count ? row : count - 1) * n + at % n];
  }
}

extern "C" __global__ void reparameterise(const REAL* __restrict__ mean, long long mean_stride, long long mean_row,
                                          const REAL* __restrict__ log_variance, long long log_variance_stride,
                                          long long log_variance_row, const REAL* __restrict__ noise,
                                          REAL* __restrict__ z, REAL* __restrict__ deviation, double* __restrict__ sums,
                                          int size, int k, int tiles) {
  extern __shared__ double memory[];
  const long long model = blockIdx.x / tiles, before = model * size;
  const unsigned first = first_of(tiles);
  mean += model * mean_stride;
  log_variance += model * log_variance_stride;
  double sum = 0.0;
#pragma unroll
  for (int u = 0; u < EACH; ++u) {
    const unsigned at = first + u * blockDim.x;
    if (at >= size) continue;
    const unsigned row = at / k, a = at % k;
    const REAL m = mean[row * mean_row + a], v = log_variance[row * log_variance_row + a], s = exp(v * (REAL)0.5);
    deviation[before + at] = s;
    z[before + at] = noise ? m + s * noise[before + at] : m;
    sum += 0.5 * ((double)m * m + (double)s * s - 1.0 - v);
  }
  sum = block_sum(sum, memory);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

extern "C" __global__ void reparameterise_gradient(
    const REAL* __restrict__ dz, const REAL* __restrict__ mean, long long mean_stride, long long mean_row,
    const REAL* __restrict__ deviation, const REAL* __restrict__ noise, const double* __restrict__ scale,
    REAL* __restrict__ dmean, long long dmean_stride, long long dmean_row, REAL* __restrict__ dlog_variance,
    long long dlog_variance_stride, long long dlog_variance_row, int size, int k, int tiles) {
  const long long model = blockIdx.x / tiles, before = model * size;
  const unsigned first = first_of(tiles);
  const REAL weight = (REAL)scale[model];
#pragma unroll
  for (int u = 0; u < EACH; ++u) {
    const unsigned at = first + u * blockDim.x;
    if (at >= size) continue;
    const unsigned row = at / k, a = at % k;
    const REAL slope = dz[before + at], s = deviation[before + at];
    const REAL through = noise ? slope * noise[before + at] * s : 0;
    dmean[model * dmean_stride + row * dmean_row + a] = slope + weight * mean[model * mean_stride + row * mean_row + a];
    dlog_variance[model * dlog_variance_stride + row * dlog_variance_row + a] =
        (REAL)0.5 * (through + weight * (s * s - 1));
  }
}

extern "C" __global__ void likelihood(REAL* __restrict__ y, const REAL* __restrict__ x,
                                      const double* __restrict__ weight, double* __restrict__ sums, int size,
                                      int tiles) {
  extern __shared__ double memory[];
  const long long model = blockIdx.x / tiles;
  const unsigned first = first_of(tiles);
  y += model * size;
  x += model * size;
  const REAL factor = (REAL)weight[model];
  REAL difference[EACH];
#pragma unroll
  for (int u = 0; u < EACH; ++u) {
    const unsigned at = first + u * blockDim.x;
    difference[u] = at < size ? y[at] - x[at] : 0;
  }
  double sum = 0.0;
#pragma unroll
  for (int u = 0; u < EACH; ++u) {
    const unsigned at = first + u * blockDim.x;
    sum += (double)difference[u] * difference[u];
    if (at < size) y[at] = factor * difference[u];
  }
  sum = block_sum(sum, memory);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

extern "C" __global__ void add_up(const double* __restrict__ parts, double* __restrict__ out, int tiles) {
  extern __shared__ double memory[];
  parts += (long long)blockIdx.x * tiles;
  double sum = 0.0;
  for (int tile = threadIdx.x; tile < tiles; tile += blockDim.x) sum += parts[tile];
  sum = block_sum(sum, memory);
  if (threadIdx.x == 0) out[blockIdx.x] = sum;
}

extern "C" __global__ void adam(REAL* __restrict__ p, const REAL* __restrict__ g, REAL* __restrict__ m,
                                REAL* __restrict__ v, const double* __restrict__ rates, const bool* __restrict__ alive,
                                double factor, double beta1, double beta2, double epsilon, int size, int tiles) {
  const long long model = blockIdx.x / tiles, before = model * size;
  if (!alive[model]) return;
  const unsigned first = first_of(tiles);
  const REAL rate = (REAL)(rates[model] * factor), b1 = (REAL)beta1, b2 = (REAL)beta2, small = (REAL)epsilon;
#pragma unroll
  for (int u = 0; u < EACH; ++u) {
    const unsigned at = first + u * blockDim.x;
    if (at >= size) continue;
    const REAL slope = g[before + at], value = p[before + at];
    const REAL moment = b1 * m[before + at] + slope, square = b2 * v[before + at] + slope * slope;
    m[before + at] = moment;
    v[before + at] = square;
    p[before + at] = value - moment / (sqrt(square) + small) * rate;
  }
}

// Philox4x32-10 [SMDS11, Salmon et al., SC 2011]: four words of 32 bits for a counter of four and a key of two.
__device__ void philox(unsigned* words, unsigned key0, unsigned key1) {
  for (int round = 0; round < 10; ++round) {
    const unsigned long long even = 0xD2511F53ull * words[0], odd = 0xCD9E8D57ull * words[2];
    words[0] = (unsigned)(odd >> 32) ^ words[1] ^ key0;
    words[1] = (unsigned)odd;
    words[2] = (unsigned)(even >> 32) ^ words[3] ^ key1;
    words[3] = (unsigned)even;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
}

// The numbers 4q .. 4q + 3 of a model are two Box-Muller pairs of the words of the counter (q, purpose, step) and the
// model's seed as key: they depend on nothing else, neither on the grid nor, but for rounding, on REAL.
extern "C" __global__ void normals(const unsigned long long* __restrict__ seeds, unsigned purpose,
                                   unsigned long long step, REAL* __restrict__ out, int size, int tiles) {
  const long long model = blockIdx.x / tiles;
  const unsigned quad = blockIdx.x % tiles * blockDim.x + threadIdx.x;
  const unsigned long long seed = seeds[model];
  out += model * size;
  unsigned words[4] = {quad, purpose, (unsigned)step, (unsigned)(step >> 32)};
  philox(words, (unsigned)seed, (unsigned)(seed >> 32));
#pragma unroll
  for (int pair = 0; pair < EACH; pair += 2) {
    const unsigned at = EACH * quad + pair;
    const REAL unit = (REAL)2.3283064365386963e-10;  // 2^-32
    REAL radius = sqrt((REAL)-2 * log(((REAL)words[pair] + (REAL)0.5) * unit)), sine, cosine;
    sincospi((REAL)2 * ((REAL)words[pair + 1] * unit), &sine, &cosine);
    if (at < size) out[at] = radius * cosine;
    if (at + 1 < size) out[at + 1] = radius * sine;
  }
}
