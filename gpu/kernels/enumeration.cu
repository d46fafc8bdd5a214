// Stationary points of pPCA among all index sets, walked by their rank.   Twins: gpu/halves.py (walk), gpu/index_sets.py
// (measured).
//
// lam (n,) double, descending, n <= 64; a set A of q of them is a mask, bit i for lam_i. Valid: every retained lam_a
// exceeds the noise, which is given, or (learned: noise 0) the mean of the p = n - q discarded ones (theory 1.2, 2).
// cost = sum of terms over A, + p log noise if learned; the value of L falls with it. Index and nullity: theory 1.3-1.4.
//
// Decisions are made in whole numbers (gpu/limbs.py, verify/landscape/units.py): lam_j lies between least_j and most_j
// units, each high 2^56 + low, given as wide (4, n): both limbs of least, then of most; sharp where least = most. same
// (n,): of each lam_j the mask of all that equal it; the first `rank` are positive. A given noise comes with its position:
// `above` eigenvalues exceed it, `level` more tie. Doubles serve for values alone; __dmul_rn and __dadd_rn keep the
// compiler from contracting. No two arrays overlap.

typedef unsigned long long Mask;
typedef long long Limb;

struct Wide {
  Limb high, low;
};

struct Spectrum {
  const double *lam, *terms;
  const Mask* same;
  const Limb* wide;
  int sharp, rank, n;
  __device__ Wide least(int j) const { return {wide[j], wide[n + j]}; }
  __device__ Wide most(int j) const { return {wide[2 * n + j], wide[3 * n + j]}; }
};

struct Position {
  double noise;  // 0: learned
  int above, level;
};

struct Measured {
  int valid;  // 1: surely, 2: perhaps
  double noise, cost;
  int index, nullity, undecided;
};

__device__ Wide carried(Wide x) { return {x.high + (x.low >> 56), x.low & ((1ll << 56) - 1)}; }

// p x + m y, carried: p + m <= 64.
__device__ Wide scaled(int p, Wide x, int m, Wide y) {
  return carried({p * x.high + m * y.high, p * x.low + m * y.low});
}

__device__ bool exceeds(Wide x, Wide y) { return x.high > y.high || (x.high == y.high && x.low > y.low); }

// p lam_j at least (or at most), to be compared with the sum of the p discarded at most (at least): those of them that
// equal lam_j are the same number on both sides.
__device__ Wide multiple(const Spectrum& of, Mask discarded, int p, int j, bool at_least) {
  const int m = of.sharp ? 0 : __popcll(discarded & of.same[j]);
  return at_least ? scaled(p - m, of.least(j), m, of.most(j)) : scaled(p - m, of.most(j), m, of.least(j));
}

// How many eigenvalues surely exceed the mean of the p discarded ones, whose sum is at most `most`, by bisection.
__device__ int count_above(const Spectrum& of, Mask discarded, int p, Wide most) {
  int low = 0, high = of.n;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (exceeds(multiple(of, discarded, p, middle, true), most))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

__device__ Measured measure(Mask mask, const Spectrum& of, int k, Position given) {
  double rest = 0, cost = 0;
  Wide least = {0, 0}, most = {0, 0};
  int size = 0, inversions = 0, ties = 0, held = 0, left = 0;  // held, left: retained, discarded in a run of equals
  int last = -1;                                               // that is retained
  for (int i = 0; i < of.n; i++) {
    if (i && of.same[i] != of.same[i - 1]) ties += held * left, held = left = 0;
    if (mask >> i & 1) {
      inversions += i - size - left;
      cost = __dadd_rn(cost, of.terms[i]);
      last = i;
      size++, held++;
    } else {
      left++;
      rest = __dadd_rn(rest, of.lam[i]);
      const Wide x = of.most(i);
      most.high += x.high, most.low += x.low;
      if (!of.sharp) {
        const Wide y = of.least(i);
        least.high += y.high, least.low += y.low;
      }
    }
  }
  ties += held * left;
  Measured m;
  const int p = of.n - size;
  bool open = !of.sharp;  // whether ties with the noise are of rounding
  if (given.noise > 0) {
    m.noise = given.noise;
    m.valid = last < given.above ? 1 : !of.sharp && last < given.above + given.level ? 2 : 0;
  } else {
    most = carried(most);
    least = of.sharp ? most : carried(least);
    const Mask run = of.same[of.n - 1], discarded = ~mask & (~0ull >> (64 - of.n));
    const int start = of.n - __popcll(run), a = last < 0 ? of.n - 1 : last;
    if (!(discarded & ~run)) {  // all of them are one number, and the noise is that number
      m.valid = last < start;
      open = false;
      given.above = start, given.level = of.n - start;
    } else {
      m.valid = size == 0 || exceeds(multiple(of, discarded, p, a, true), most) ? 1
                : exceeds(multiple(of, discarded, p, a, false), least)          ? 2
                                                                                : 0;
      given.above = given.level = 0;
      if (m.valid) {
        given.above = count_above(of, discarded, p, most);
        // What is not surely below either: of decimals, what is equal.
        for (int j = given.above; j < of.n && !exceeds(least, multiple(of, discarded, p, j, false)); j++) given.level++;
      }
    }
    if (last >= of.rank || !(rest > 0)) m.valid = 0;
    m.noise = p == 0 ? 0 : m.valid && given.level && !open ? of.lam[given.above] : rest / p;
    if (m.noise > 0) cost = __dadd_rn(cost, __dmul_rn(p, log(m.noise)));
  }
  if (size > k) m.valid = 0;
  m.cost = cost;
  m.index = inversions + (k - size) * (given.above - size);
  m.nullity = size * (size - 1) / 2 + size * (k - size) + ties + (k - size) * given.level;
  m.undecided = open ? (k - size) * given.level : 0;
  return m;
}

// Single sets: masks (count,) -> valid, noise, cost, index, nullity, undecided (count,).  Any grid of blocks of one
// dimension.
extern "C" __global__ void evaluate(const double* lam, const double* terms, const Mask* same, const Limb* wide,
                                    const Mask* masks, double fixed, int above, int level, int sharp, int rank, int n,
                                    int k, int count, int* valid, double* noise, double* cost, int* index, int* nullity,
                                    int* undecided) {
  const Spectrum of = {lam, terms, same, wide, sharp, rank, n};
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    const Measured m = measure(masks[i], of, k, {fixed, above, level});
    valid[i] = m.valid;
    noise[i] = m.noise;
    cost[i] = m.cost;
    index[i] = m.index;
    nullity[i] = m.nullity;
    undecided[i] = m.undecided;
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
// terms (noises, n); noises (noises,), 0 for learned; positions (noises, 2): above, level; ranges (noises, 2): lowest
// cost, bins per unit of cost. indices (noises, index_bins) and costs (noises, cost_bins) are added to; the last two bins
// of indices are the sets that are perhaps valid, and the valid ones whose index is not known. best_cost, best_mask
// (noises, blocks, top) are written: each block's best, infinity where it has fewer. cost_bins and top may be 0.
// Dynamic shared memory: 8 (7 n + 2 slots) + 4 (index_bins + cost_bins) bytes; slots: a power of two >= top +
// blockDim.x.
extern "C" __global__ void __launch_bounds__(128)
walk(const double* lam, const double* terms, const Mask* same, const Limb* wide, const double* noises,
     const int* positions, const double* ranges, const Mask* binomial, int sharp, int rank, int n, int k, int q,
     Mask first, Mask count, int steps, int index_bins, int cost_bins, int top, int slots, Mask* indices, Mask* costs,
     double* best_cost, Mask* best_mask) {
  extern __shared__ double memory[];
  __shared__ int pushed;
  double* own_lam = memory;
  double* own_terms = own_lam + n;
  double* slot_cost = own_terms + n;
  Mask* slot_mask = (Mask*)(slot_cost + slots);
  Limb* own_wide = (Limb*)(slot_mask + slots);
  Mask* own_same = (Mask*)(own_wide + 4 * n);
  unsigned* own_indices = (unsigned*)(own_same + n);
  unsigned* own_costs = own_indices + index_bins;
  const int t = threadIdx.x, threads = blockDim.x, y = blockIdx.y;
  const double lowest = ranges[2 * y], per_unit = ranges[2 * y + 1];
  const double infinity = __longlong_as_double(0x7ff0000000000000ll);
  const Spectrum of = {own_lam, own_terms, own_same, own_wide, sharp, rank, n};
  const Position given = {noises[y], positions[2 * y], positions[2 * y + 1]};

  for (int i = t; i < n; i += threads) own_lam[i] = lam[i], own_terms[i] = terms[y * n + i], own_same[i] = same[i];
  for (int i = t; i < 4 * n; i += threads) own_wide[i] = wide[i];
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
      const Measured m = measure(mask, of, k, given);
      if (m.valid == 2) atomicAdd(&own_indices[index_bins - 2], 1);
      if (m.valid == 1) {
        atomicAdd(&own_indices[m.index], 1);
        if (m.undecided) atomicAdd(&own_indices[index_bins - 1], 1);
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
