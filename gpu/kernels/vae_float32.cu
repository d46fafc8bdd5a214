// The kernels of vae.cuh for float32.
#define REAL float
#include "common.cuh"
#include "vae.cuh"
