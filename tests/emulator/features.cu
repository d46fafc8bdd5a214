// What the emulator promises, one feature in each kernel; tests/emulator/test_emulator.py says what must come out.

// y (rows, columns) = row + 1000 column + 10^6 plane, by a grid of blocks in three dimensions.
extern "C" __global__ void coordinates(int* y, int columns, int rows, int planes) {
  int c = blockIdx.x * blockDim.x + threadIdx.x, r = blockIdx.y * blockDim.y + threadIdx.y;
  int p = blockIdx.z * blockDim.z + threadIdx.z;
  if (c < columns && r < rows && p < planes) y[(p * rows + r) * columns + c] = r + 1000 * c + 1000000 * p;
}

// y = sum of x (n,): warp sums by shuffles, then one warp over the warps; any grid (grid-stride), atomicAdd of doubles.
extern "C" __global__ void __launch_bounds__(128) total(const double* x, double* y, int n) {
  __shared__ double of_warp[4];
  double v = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) v += x[i];
  for (int d = 16; d > 0; d /= 2) v += __shfl_down_sync(0xffffffffu, v, d);
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = v;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int w = 1; w < blockDim.x / 32; w++) v += of_warp[w];
    atomicAdd(y, v);
  }
}

// Row i of y (9, 32): one warp operation each, on lane numbers; one block of 32 threads.
extern "C" __global__ void warp(int* y) {
  const int t = threadIdx.x;
  const unsigned all = 0xffffffffu;
  y[t] = __shfl_sync(all, t, 5);
  y[32 + t] = __shfl_sync(all, t, 3, 8);
  y[64 + t] = __shfl_up_sync(all, t, 2, 16);
  y[96 + t] = __shfl_down_sync(all, t, 3, 8);
  y[128 + t] = __shfl_xor_sync(all, t, 6, 4);
  y[160 + t] = __popc(__ballot_sync(all, t % 3 == 0));
  y[192 + t] = __any_sync(all, t == 40) + 2 * __any_sync(all, t == 4) + 4 * __all_sync(all, t < 32);
  y[224 + t] = t < 8 ? __shfl_xor_sync(0x000000ffu, t, 1) : -1;
  y[256 + t] = __syncthreads_count(t < 7) + 100 * __syncthreads_or(t == 9) + 1000 * __syncthreads_and(t == 9);
}

// Every atomic on its own entry of y, z; each thread adds, compares and swaps by its number, from 1.
extern "C" __global__ void atomics(unsigned long long* y, int* z) {
  const int t = blockIdx.x * blockDim.x + threadIdx.x + 1;
  atomicAdd(&y[0], t);
  atomicMax(&y[1], t);
  atomicCAS(&y[2], 0, 7);
  atomicAdd(&z[0], t);
  atomicMax(&z[1], t);
  atomicMin(&z[2], -t);
  unsigned long long seen = y[3], expected;  // an addition made of compare and swap
  do {
    expected = seen;
    seen = atomicCAS(&y[3], expected, expected + t);
  } while (seen != expected);
}

// x (n,) turned round in dynamic shared memory, whose first content goes to y (n,).
extern "C" __global__ void turned(double* x, double* y, int n) {
  extern __shared__ double s[];
  const int t = threadIdx.x;
  y[t] = s[t];
  __syncthreads();
  s[n - 1 - t] = x[t];
  __syncthreads();
  x[t] = s[t];
}

// y (rows, columns) = x, whose rows lie x_row and whose halves of the rows x_stride numbers apart; -1 where x is null.
extern "C" __global__ void rows(const double* x, long long x_stride, long long x_row, double* y, int columns) {
  const int r = threadIdx.x;
  for (int c = 0; c < columns; c++)
    y[r * columns + c] = x ? x[r / 2 * x_stride + r % 2 * x_row + c] : -1;
}

// Bits and rounding: integers in y (6,), doubles in z (8,).  One thread.
extern "C" __global__ void intrinsics(unsigned long long* y, double* z, double a, double b) {
  y[0] = __popcll(0xf0f0f0f0f0f0f0f0ull);
  y[1] = __ffsll(0x100);
  y[2] = __clzll(1);
  y[3] = __brevll(1);
  y[4] = __umul64hi(1ull << 63, 6);
  y[5] = __double_as_longlong(-0.0);
  z[0] = __fma_rn(a, b, -__dmul_rn(a, b));
  z[1] = rsqrt(4.0);
  z[2] = max(a, 3) + min(2u, 5);
  z[3] = log(exp(a)) + hypot(3.0, 4.0);
  float sine, cosine;
  sincospi(1.5f, &sine, &cosine);
  sincospi(a, &z[4], &z[5]);
  z[6] = sine, z[7] = cosine;
}
