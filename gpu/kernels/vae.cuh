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
//   weigh            sigma2 <- exp(log_sigma2), of_error <- 1/(sigma2 batch), of_kl <- beta/batch, and where anneal is
//                    given and `done` has not come to it, done/anneal of that
//   account          error <- errors/batch + spread, kl <- kls/batch; dlog_sigma2 <- n/2 - error/(2 sigma2), 0 where
//                    not learned; where frozen is given: frozen <- step if it is 0 and the loss no finite number,
//                    sums[e] += (error, kl, sigma2), alive <- [frozen = 0]
//   adam             m <- beta1 m + g, v <- beta2 v + g^2, p <- p - rate factor m / (sqrt(v) + epsilon)
//   normals          out <- standard normal numbers: Philox4x32-10 and Box-Muller, see below
// Twin    the functions of these names in gpu/vae: elementwise.py, loss.py, account.py, adam.py; normals: philox.py
// Shapes  scale, weight, rates (E) double; alive (E) bool: a model that is not keeps p, m and v; seeds (E); sums and
//         parts (E, tiles) double; X (count, n); rows (E, B) int; out of bias_gradient (E, chunks, d). An array whose
//         `_stride` is passed may be a view: so many numbers lie between its models (0: one for all), and `_row`
//         between its rows (0: one for all); those of a row are neighbours. noise and y may be null. No output overlaps
//         an input or another output. weigh, account: (E), log_sigma2 and its gradient REAL, frozen long long, learned
//         and alive bool, sums (E, 3), all others double; anneal, spread and frozen may be null.
// Grid    gridDim.x = E tiles, tiles = ceil(size / (EACH blockDim.x)), MORE for EACH with add_bias and gather: block b
//         takes the tile b % tiles of the model b / tiles, and no array of a model has 2^31 numbers. bias_gradient:
//         gridDim.x = E chunks ceil(d / STRIP), blockDim.x a multiple of 32. add_up: gridDim.x = E. weigh, account: a
//         thread a model. blockDim.x is a power of two; dynamic shared memory: EACH blockDim.x doubles for
//         bias_gradient, blockDim.x for reparameterise, likelihood and add_up.
// Sums    in double, in an order that depends on the shapes and blockDim.x alone: no atomics, the same bits every time.
// Fours   add_bias, bias_gradient and gather read and write EACH neighbours at once where all rows are made of them:
//         widths and strides are multiples of EACH, and arrays begin at multiples of sizeof(Four) bytes. Elsewhere they
//         take one number at a time, to the same bits.
//
// Cost    Every kernel but normals is bound by memory. Bytes of a number in float32: adam 28, add_bias 8, bias_gradient
// 12 behind a ReLU and 4 elsewhere, likelihood 12, gather 8, reparameterise 20, its gradient 24, normals 4.
// For 784-1024-512-200 and back a model has P = 3.0e6 parameters and 4256 outputs of layers a datum, and its products
// 16 Mflop a datum. On an H200, with 100 models and batches of 500 in tf32, a step takes 6.9 ms of kernels: products
// 3.6, adam 2.0 at the bandwidth of a copy (4.15 TB/s), bias_gradient 0.55 (its bytes alone 0.50), add_bias 0.42 (0.41),
// likelihood 0.11 (0.11), gather 0.08 (0.08); by the clock 7.0 ms. A number at a time instead of Fours, and some fifty
// launches of the library instead of `weigh` and `account`, it was 7.4 and 7.7 ms. The host takes 1.9 to 3.2 ms to
// launch a step: 20 such models take 2.4 to 3.0 ms in tf32, where the kernels need 1.6, and one 1.9 where they need 0.25.
// Launches  17 products; 20 kernels, bias_gradient once more for each layer where a batch has several chunks, and
// add_up for each of KL and error where a model has several tiles; nothing of the library.
// Not done, and why
// - The bias as one more row of the weights beside a column of ones in x, so that one product gives y and both
//   gradients: the pass for the ReLU would remain, which is what costs, and 785 columns would spoil the alignment.
// - One kernel for heads, bias, draw and KL: it would save 0.04 of 7.4 ms. Nor are the normals drawn where they are
//   used: the gradient needs them again.
// - Fours in likelihood and the reparameterisation: they take 0.23 ms as they are, their bytes 0.22.
// - Bias and ReLU in the epilogue of the products: would save 0.4 ms, but the cuBLAS of CuPy has no epilogues.
// - Adam where gradients are made, without writing them: would save 8 P, but needs products of our own.

#define EACH 4     // numbers that a thread works on: enough loads under way to keep the memory busy
#define MORE 8     // the same where one array is read and not two
#define STRIP 128  // columns that a warp of bias_gradient adds up, EACH a lane
#define HELD (16 / (int)sizeof(REAL))  // rows that it reads before it writes the first

struct alignas(EACH * sizeof(REAL)) Four {
  REAL v[EACH];
};

// The first of this thread's numbers of its model; the others follow blockDim.x apart.
__device__ unsigned first_of(int tiles) { return blockIdx.x % tiles * (EACH * blockDim.x) + threadIdx.x; }

// Whether rows of d numbers that begin `stride` apart, from `base` on, are made of aligned Fours.
__device__ bool by_fours(const REAL* base, long long stride, int d) {
  return (unsigned long long)base % sizeof(Four) == 0 && stride % EACH == 0 && d % EACH == 0;
}

__device__ REAL biased(REAL value, REAL bias, int relu) {
  value += bias;
  return relu && value < 0 ? 0 : value;
}

extern "C" __global__ void add_bias(REAL* __restrict__ y, const REAL* __restrict__ bias, long long bias_stride,
                                    int size, int d, int tiles, int relu) {
  const long long model = blockIdx.x / tiles;
  const unsigned tile = blockIdx.x % tiles * (MORE * blockDim.x);
  y += model * size;
  bias += model * bias_stride;
  if (by_fours(y, size, d) && by_fours(bias, bias_stride, d)) {
    Four value[MORE / EACH];  // all loads before the first store, which the compiler could not move them across
#pragma unroll
    for (int u = 0; u < MORE / EACH; ++u) {
      const unsigned at = tile + EACH * (threadIdx.x + u * blockDim.x);
      if (at < size) value[u] = *(const Four*)(y + at);
    }
#pragma unroll
    for (int u = 0; u < MORE / EACH; ++u) {
      const unsigned at = tile + EACH * (threadIdx.x + u * blockDim.x);
      if (at >= size) continue;
      const Four other = *(const Four*)(bias + at % d);
#pragma unroll
      for (int i = 0; i < EACH; ++i) value[u].v[i] = biased(value[u].v[i], other.v[i], relu);
      *(Four*)(y + at) = value[u];
    }
    return;
  }
  for (int u = 0; u < MORE; ++u) {
    const unsigned at = tile + threadIdx.x + u * blockDim.x;
    if (at < size) y[at] = biased(y[at], bias[at % d], relu);
  }
}

// This lane's numbers of a strip of a row, `columns` wide from it on: neighbours if `fours`, else 32 apart.
template <bool fours>
__device__ Four read_strip(const REAL* row, int columns) {
  const int lane = threadIdx.x % 32;
  Four found = {};
  if (fours) {
    if (EACH * lane < columns) found = *(const Four*)(row + EACH * lane);
  } else {
#pragma unroll
    for (int u = 0; u < EACH; ++u)
      if (lane + 32 * u < columns) found.v[u] = row[lane + 32 * u];
  }
  return found;
}

template <bool fours>
__device__ void write_strip(REAL* row, const Four& value, int columns) {
  const int lane = threadIdx.x % 32;
  if (fours) {
    if (EACH * lane < columns) *(Four*)(row + EACH * lane) = value;
  } else {
#pragma unroll
    for (int u = 0; u < EACH; ++u)
      if (lane + 32 * u < columns) row[lane + 32 * u] = value.v[u];
  }
}

// A strip of a chunk: the rows of the warp into `sum`, then those of the others; the first warp writes them to `out`.
template <bool fours>
__device__ void add_strip(REAL* __restrict__ dy, long long dy_row, const REAL* __restrict__ y, int d, int row, int end,
                          int columns, REAL* __restrict__ out, double* memory) {
  const int warps = blockDim.x / 32, lane = threadIdx.x % 32;
  double sum[EACH] = {};
  for (row += threadIdx.x / 32; row < end; row += HELD * warps) {
    Four value[HELD], gate[HELD];
#pragma unroll
    for (int h = 0; h < HELD; ++h) {
      const long long own = row + h * warps;
      const int width = own < end ? columns : 0;
      value[h] = read_strip<fours>(dy + own * dy_row, width);
      if (y) gate[h] = read_strip<fours>(y + own * d, width);
    }
#pragma unroll
    for (int h = 0; h < HELD; ++h) {
      const long long own = row + h * warps;
      if (y) {
#pragma unroll
        for (int u = 0; u < EACH; ++u) value[h].v[u] *= (REAL)(gate[h].v[u] > 0);
        write_strip<fours>(dy + own * dy_row, value[h], own < end ? columns : 0);
      }
#pragma unroll
      for (int u = 0; u < EACH; ++u) sum[u] += value[h].v[u];
    }
  }
#pragma unroll
  for (int u = 0; u < EACH; ++u) memory[u * blockDim.x + threadIdx.x] = sum[u];
  __syncthreads();
  if (threadIdx.x >= 32) return;
#pragma unroll
  for (int u = 0; u < EACH; ++u) {
    const int column = fours ? EACH * lane + u : lane + 32 * u;
    for (int other = 1; other < warps; ++other) sum[u] += memory[u * blockDim.x + other * 32 + lane];
    if (column < columns) out[column] = (REAL)sum[u];
  }
}

extern "C" __global__ void bias_gradient(REAL* __restrict__ dy, long long dy_stride, long long dy_row,
                                         const REAL* __restrict__ y, REAL* __restrict__ out, long long out_stride,
                                         int rows, int d, int chunk, int chunks) {
  extern __shared__ double memory[];
  const int strips = (d + STRIP - 1) / STRIP, start = blockIdx.x % strips * STRIP;
  const int part = blockIdx.x / strips % chunks, columns = d - start < STRIP ? d - start : STRIP;
  const int first = part * chunk, end = rows - first < chunk ? rows : first + chunk;
  const long long model = blockIdx.x / strips / chunks;
  const bool fours = by_fours(dy, dy_stride, d) && dy_row % EACH == 0 && (!y || by_fours(y, d, d));
  dy += model * dy_stride + start;
  if (y) y += model * rows * d + start;
  out += model * out_stride + (long long)part * d + start;
  if (fours)
    add_strip<true>(dy, dy_row, y, d, first, end, columns, out, memory);
  else
    add_strip<false>(dy, dy_row, y, d, first, end, columns, out, memory);
}

__device__ long long nearest(int row, int count) { return row < 0 ? 0 : row < count ? row : count - 1; }

extern "C" __global__ void gather(const REAL* __restrict__ X, int count, const int* __restrict__ rows,
                                  long long rows_stride, REAL* __restrict__ out, int size, int n, int tiles) {
  const long long model = blockIdx.x / tiles;
  const unsigned tile = blockIdx.x % tiles * (MORE * blockDim.x);
  rows += model * rows_stride;
  out += model * size;
  if (by_fours(X, n, n) && by_fours(out, size, n)) {
    Four value[MORE / EACH];
#pragma unroll
    for (int u = 0; u < MORE / EACH; ++u) {
      const unsigned at = tile + EACH * (threadIdx.x + u * blockDim.x);
      if (at < size) value[u] = *(const Four*)(X + nearest(rows[at / n], count) * n + at % n);
    }
#pragma unroll
    for (int u = 0; u < MORE / EACH; ++u) {
      const unsigned at = tile + EACH * (threadIdx.x + u * blockDim.x);
      if (at < size) *(Four*)(out + at) = value[u];
    }
    return;
  }
  for (int u = 0; u < MORE; ++u) {
    const unsigned at = tile + threadIdx.x + u * blockDim.x;
    if (at < size) out[at] = X[nearest(rows[at / n], count) * n + at % n];
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

extern "C" __global__ void weigh(const REAL* __restrict__ log_sigma2, long long log_sigma2_stride,
                                 const double* __restrict__ beta, const double* __restrict__ anneal, double done,
                                 double batch, double* __restrict__ sigma2, double* __restrict__ of_error,
                                 double* __restrict__ of_kl, int models) {
  const int e = blockIdx.x * blockDim.x + threadIdx.x;
  if (e >= models) return;
  const double noise = exp((double)log_sigma2[e * log_sigma2_stride]);
  const double rise = anneal && done < anneal[e] ? done / anneal[e] : 1.0;
  sigma2[e] = noise;
  of_error[e] = 1.0 / (noise * batch);
  of_kl[e] = beta[e] * rise / batch;
}

extern "C" __global__ void account(const double* __restrict__ errors, const double* __restrict__ kls,
                                   const double* __restrict__ spread, const double* __restrict__ sigma2,
                                   const bool* __restrict__ learned, double n, double batch, long long step,
                                   double* __restrict__ error, double* __restrict__ kl, REAL* __restrict__ dlog_sigma2,
                                   long long dlog_sigma2_stride, long long* __restrict__ frozen,
                                   double* __restrict__ sums, bool* __restrict__ alive, int models) {
  const int e = blockIdx.x * blockDim.x + threadIdx.x;
  if (e >= models) return;
  const double noise = sigma2[e], divergence = kls[e] / batch, misfit = errors[e] / batch + (spread ? spread[e] : 0.0);
  error[e] = misfit;
  kl[e] = divergence;
  dlog_sigma2[e * dlog_sigma2_stride] = learned[e] ? (REAL)(0.5 * n - misfit / (2.0 * noise)) : 0;
  if (!frozen) return;
  const double loss = divergence + 0.5 * n * log(6.283185307179586 * noise) + misfit / (2.0 * noise);
  if (frozen[e] == 0 && loss - loss != 0.0) frozen[e] = step;  // infinite, or no number
  sums[3 * e] += misfit;
  sums[3 * e + 1] += divergence;
  sums[3 * e + 2] += noise;
  alive[e] = frozen[e] == 0;
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
