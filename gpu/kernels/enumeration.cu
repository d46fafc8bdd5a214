// Stationary points of pPCA among all index sets, walked by their rank.   Twins: gpu/halves.py (walk), gpu/enumeration.py
// (_measured).
//
// lam (n,) double, descending, n <= 64; a set A of q of them is a mask, bit i for lam_i. Valid: every retained lam_a
// exceeds the noise, which is given, or (learned: noise 0) the mean of the p = n - q discarded ones (theory 1.2, 2).
// cost = sum of terms over A, + p log noise if learned; the value of L falls with it. Index and nullity: theory 1.3-1.4.
//
// Ties are exact, as in verify/landscape/stationary.py: the discarded are summed in two doubles, in the order of the
// spectrum, so that the sum is rounded correctly and sets of equal eigenvalues give the same bits; __dmul_rn and
// __dadd_rn keep the compiler from contracting. No two arrays overlap.

typedef unsigned long long Mask;

struct Measured {
  bool valid;
  double noise, cost;
  int index, nullity;
};

__device__ int count_above(const double* lam, int n, double x) {  // #{i: lam_i > x}, by bisection
  int low = 0, high = n;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (lam[middle] > x)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

__device__ Measured measure(Mask mask, const double* lam, const double* terms, int n, int k, double fixed) {
  double total = 0, rest = 0, cost = 0, smallest = 0, most = 0, least = 0;
  int size = 0, inversions = 0, ties = 0, held = 0, left = 0;  // held, left: retained, discarded in a run of equals
  for (int i = 0; i < n; i++) {
    const double x = lam[i];
    if (i && x != lam[i - 1]) ties += held * left, held = left = 0;
    if (mask >> i & 1) {
      inversions += i - size - left;
      cost = __dadd_rn(cost, terms[i]);
      smallest = x;
      size++, held++;
    } else {
      if (size == i) most = x;  // the first that is discarded
      least = x;
      left++;
      const double s = __dadd_rn(total, x), t = __dsub_rn(s, total);
      rest = __dadd_rn(rest, __dadd_rn(__dsub_rn(total, __dsub_rn(s, t)), __dsub_rn(x, t)));
      total = s;
    }
  }
  ties += held * left;
  Measured m;
  const int p = n - size;
  if (fixed > 0) {
    m.noise = fixed;
    m.valid = size == 0 || smallest > fixed;
  } else {
    total = __dadd_rn(total, rest);
    m.valid = total > 0 && (size == 0 || __dmul_rn(p, smallest) > total);
    // A mean of equal numbers may miss them by an ulp, and ties with the noise would be lost.
    m.noise = p == 0 ? 0 : most == least ? most : total / p;
    if (m.noise > 0) cost = __dadd_rn(cost, __dmul_rn(p, log(m.noise)));
  }
  m.valid = m.valid && size <= k;
  m.cost = cost;
  int above = count_above(lam, n, m.noise), equal = 0;
  while (above + equal < n && lam[above + equal] == m.noise) equal++;
  m.index = inversions + (k - size) * (above - size);
  m.nullity = size * (size - 1) / 2 + size * (k - size) + ties + (k - size) * equal;
  return m;
}

// Single sets: masks (count,) -> valid, noise, cost, index, nullity (count,).  Any grid of blocks of one dimension.
extern "C" __global__ void evaluate(const double* lam, const double* terms, const Mask* masks, double fixed, int n, int k,
                                    int count, int* valid, double* noise, double* cost, int* index, int* nullity) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    const Measured m = measure(masks[i], lam, terms, n, k, fixed);
    valid[i] = m.valid;
    noise[i] = m.noise;
    cost[i] = m.cost;
    index[i] = m.index;
    nullity[i] = m.nullity;
  }
}

// The set of q elements of the given rank, in the order of rising masks.  binomial (65, 65): C(i, j) at 65 i + j.
__device__ Mask unrank(Mask rank, int q, int n, const Mask* binomial) {
  Mask mask = 0;
  int i = n - 1;
  for (int j = q; j > 0; j--, i--) {
    while (binomial[65 * i + j] > rank) i--;
    rank -= binomial[65 * i + j];
    mask |= 1ull << i;
  }
  return mask;
}

// The next larger mask with as many bits: the lowest run of ones moves its last one up, the others to the bottom.
__device__ Mask next_set(Mask mask) {
  const Mask low = mask & (~mask + 1), up = mask + low;
  return up | ((mask ^ up) >> (__ffsll((long long)mask) - 1) >> 2);
}

// Lower cost first; among equals the set whose tuple of indices comes first.
__device__ bool comes_first(double cost, Mask mask, double other_cost, Mask other) {
  return cost < other_cost || (cost == other_cost && __brevll(mask) > __brevll(other));
}

// Sort (cost, mask) (slots,), a power of two, best first, by all threads of the block (bitonic).
__device__ void sort_slots(double* cost, Mask* mask, int slots) {
  for (int run = 2; run <= slots; run *= 2)
    for (int step = run / 2; step > 0; step /= 2) {
      __syncthreads();
      for (int i = threadIdx.x; i < slots; i += blockDim.x) {
        const int j = i ^ step;
        if (j < i) continue;
        const bool falling = i & run;
        const int first = falling ? j : i, second = falling ? i : j;
        if (comes_first(cost[second], mask[second], cost[first], mask[first])) {
          const double c = cost[i];
          const Mask m = mask[i];
          cost[i] = cost[j], mask[i] = mask[j];
          cost[j] = c, mask[j] = m;
        }
      }
    }
  __syncthreads();
}

// All sets of q elements with ranks first .. first + count - 1, for every noise.
//
// Grid (blocks, noises), blocks of one dimension; thread t of all takes `steps` ranks in a row from first + t steps.
// lam (n,); terms (noises, n); noises (noises,), 0 for learned; ranges (noises, 2): lowest cost, bins per unit of cost.
// indices (noises, index_bins) and costs (noises, cost_bins) are added to; best_cost, best_mask (noises, blocks, top) are
// written: each block's best, infinity where it has fewer. cost_bins and top may be 0.
// Dynamic shared memory: 8 (2 n + 2 slots) + 4 (index_bins + cost_bins) bytes; slots: a power of two >= top + blockDim.x.
extern "C" __global__ void __launch_bounds__(128)
walk(const double* lam, const double* terms, const double* noises, const double* ranges, const Mask* binomial, int n,
     int k, int q, Mask first, Mask count, int steps, int index_bins, int cost_bins, int top, int slots, Mask* indices,
     Mask* costs, double* best_cost, Mask* best_mask) {
  extern __shared__ double memory[];
  __shared__ int pushed;
  double* own_lam = memory;
  double* own_terms = own_lam + n;
  double* slot_cost = own_terms + n;
  Mask* slot_mask = (Mask*)(slot_cost + slots);
  unsigned* own_indices = (unsigned*)(slot_mask + slots);
  unsigned* own_costs = own_indices + index_bins;
  const int t = threadIdx.x, threads = blockDim.x, y = blockIdx.y;
  const double fixed = noises[y], lowest = ranges[2 * y], per_unit = ranges[2 * y + 1];
  const double infinity = __longlong_as_double(0x7ff0000000000000ll);

  for (int i = t; i < n; i += threads) own_lam[i] = lam[i], own_terms[i] = terms[y * n + i];
  for (int i = t; i < index_bins + cost_bins; i += threads) own_indices[i] = 0;
  for (int i = t; i < slots; i += threads) slot_cost[i] = infinity, slot_mask[i] = 0;
  if (t == 0) pushed = 0;
  __syncthreads();

  const Mask offset = ((Mask)blockIdx.x * threads + t) * steps;
  int filled = 0;  // the same in all threads
  double worst_cost = infinity;
  Mask worst_mask = 0, mask = offset < count ? unrank(first + offset, q, n, binomial) : 0;
  for (int step = 0; step < steps; step++) {
    bool keep = false;
    if (offset + step < count) {
      const Measured m = measure(mask, own_lam, own_terms, n, k, fixed);
      if (m.valid) {
        atomicAdd(&own_indices[m.index], 1);
        if (cost_bins) {
          const double bin = (m.cost - lowest) * per_unit;
          atomicAdd(&own_costs[min(max((int)bin, 0), cost_bins - 1)], 1);
        }
        keep = top && comes_first(m.cost, mask, worst_cost, worst_mask);
        if (keep) {
          const int slot = atomicAdd(&pushed, 1);
          slot_cost[slot] = m.cost, slot_mask[slot] = mask;
        }
      }
      if (offset + step + 1 < count) mask = next_set(mask);
    }
    filled += __syncthreads_count(keep);
    if (filled > slots - threads || (step == steps - 1 && top)) {  // the next step might not find room
      sort_slots(slot_cost, slot_mask, slots);
      filled = min(filled, top);
      if (filled == top) worst_cost = slot_cost[top - 1], worst_mask = slot_mask[top - 1];
      __syncthreads();
      for (int i = filled + t; i < slots; i += threads) slot_cost[i] = infinity, slot_mask[i] = 0;
      if (t == 0) pushed = filled;
      __syncthreads();
    }
  }
  for (int i = t; i < index_bins; i += threads)
    if (own_indices[i]) atomicAdd(&indices[(long long)y * index_bins + i], own_indices[i]);
  for (int i = t; i < cost_bins; i += threads)
    if (own_costs[i]) atomicAdd(&costs[(long long)y * cost_bins + i], own_costs[i]);
  const long long block = (long long)y * gridDim.x + blockIdx.x;
  for (int i = t; i < top; i += threads) best_cost[block * top + i] = slot_cost[i], best_mask[block * top + i] = slot_mask[i];
}
