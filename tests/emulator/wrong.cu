// Kernels that are wrong on purpose, each with a right one beside it: what the emulator and the sanitizers must flag.
// x and y (n,) double; one block of n <= 64 threads.

// Each thread takes its neighbour's entry without waiting for it.
extern "C" __global__ void missing_barrier(const double* x, double* y, int n) {
  __shared__ double s[64];
  int t = threadIdx.x;
  s[t] = x[t];
  y[t] = s[(t + 1) % n];
}

extern "C" __global__ void with_barrier(const double* x, double* y, int n) {
  __shared__ double s[64];
  int t = threadIdx.x;
  s[t] = x[t];
  __syncthreads();
  y[t] = s[(t + 1) % n];
}

// Reads one entry beyond the end of x.
extern "C" __global__ void out_of_bounds(const double* x, double* y, int n) {
  int t = threadIdx.x;
  y[t] = x[t + 1];
}

// Writes one entry beyond the end of the dynamic shared memory.
extern "C" __global__ void out_of_shared(const double* x, double* y, int n) {
  extern __shared__ double s[];
  int t = threadIdx.x;
  s[t + 1] = x[t];
  __syncthreads();
  y[t] = s[t + 1];
}

extern "C" __global__ void within_bounds(const double* x, double* y, int n) {
  extern __shared__ double s[];
  int t = threadIdx.x;
  s[t] = x[t];
  __syncthreads();
  y[t] = s[t] + x[t];
}

// The last thread never comes.
extern "C" __global__ void some_return(const double* x, double* y, int n) {
  int t = threadIdx.x;
  if (t == n - 1) return;
  __syncthreads();
  y[t] = x[t];
}

// All threads wait, but not for the same thing.
extern "C" __global__ void two_barriers(const double* x, double* y, int n) {
  int t = threadIdx.x;
  if (t % 2)
    __syncthreads();
  else
    __syncthreads();
  y[t] = x[t];
}

// Half the lanes wait for a shuffle that the other half never enters.
extern "C" __global__ void half_a_shuffle(const double* x, double* y, int n) {
  int t = threadIdx.x;
  double v = x[t];
  if (t % 2)
    v = __shfl_xor_sync(0xffffffffu, v, 1);
  else
    __syncthreads();
  y[t] = v;
}

// The mask names the lower half only; lane 0 asks lane 31.
extern "C" __global__ void shuffle_from_outside(const double* x, double* y, int n) {
  int t = threadIdx.x;
  double v = x[t];
  if (t < 16) v = __shfl_sync(0x0000ffffu, v, 31);
  y[t] = v;
}
