// The kernels of vae.cuh for float64.
#define REAL double
#include "common.cuh"
#include "vae.cuh"
