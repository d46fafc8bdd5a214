// CUDA on the CPU: as much of the language as gpu/kernels/*.cu use, so that g++ -std=c++20 can compile and run them.
//
// A thread of a block is a fiber (default: fast, one OS thread) or an OS thread (-DCUDA_ON_CPU_THREADS: what the
// sanitizers can watch). Blocks run one after the other, so races between blocks are not seen by either.
// Stricter than a device: a __syncthreads that some threads miss, or that threads meet in different lines, a shuffle
// from a lane that takes no part and a mask without the caller are errors; dynamic shared memory is poisoned (all bits
// set: NaN, -1) before each block. Not emulated: PTX, tensor cores, TMA, cooperative groups, textures, streams.
#pragma once
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <functional>
#include <source_location>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#ifdef CUDA_ON_CPU_THREADS
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <mutex>
#include <thread>
#define CUDA_ON_CPU_LOCAL static thread_local
#else
#include <sys/mman.h>
#include <unistd.h>
#if !defined(__x86_64__) && !defined(CUDA_ON_CPU_UCONTEXT)
#define CUDA_ON_CPU_UCONTEXT
#endif
#ifdef CUDA_ON_CPU_UCONTEXT
#include <ucontext.h>
#endif
#define CUDA_ON_CPU_LOCAL static
#endif

#define __CUDA_ON_CPU__ 1
#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __shared__ static  // one block at a time, so that one copy is enough

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};
struct uint3 {
  unsigned x = 0, y = 0, z = 0;
};
struct int2 {
  int x, y;
};
struct float2 {
  float x, y;
};
struct double2 {
  double x, y;
};
inline int2 make_int2(int x, int y) { return {x, y}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline double2 make_double2(double x, double y) { return {x, y}; }

CUDA_ON_CPU_LOCAL uint3 threadIdx, blockIdx;
static dim3 blockDim, gridDim;
constexpr int warpSize = 32;

namespace cuda_on_cpu {

static char* dynamic_memory = nullptr;
static size_t dynamic_bytes = 0;
[[maybe_unused]] static void* dynamic_shared() { return dynamic_memory; }
static void poison() {
  if (dynamic_bytes) memset(dynamic_memory, 0xff, dynamic_bytes);
}

static unsigned threads_per_block() { return blockDim.x * blockDim.y * blockDim.z; }
static uint3 thread_index(unsigned i) {
  return {i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y)};
}

// What a thread brings to an operation of its warp, and takes from it.
struct Lane {
  unsigned mask = 0;  // 0: in no such operation
  unsigned source = 0;
  bool vote = false;
  uint64_t value = 0, result = 0;
};
struct Warp {
  Lane lanes[32];
  unsigned present = 0;  // lanes that exist and have not returned
};

// Carry out one operation for which every present lane of its mask waits.  -> those lanes, 0 where there is none.
static unsigned settle(Warp& warp, std::string& error) {
  for (const Lane& first : warp.lanes) {
    const unsigned mask = first.mask, members = mask & warp.present;
    if (!mask) continue;
    bool complete = true;
    uint64_t votes = 0;
    for (unsigned i = 0; i < 32; i++) {
      if (!(members >> i & 1)) continue;
      complete &= warp.lanes[i].mask == mask;
      if (warp.lanes[i].value) votes |= uint64_t(1) << i;
    }
    if (!complete) continue;
    for (unsigned i = 0; i < 32; i++) {
      if (!(members >> i & 1)) continue;
      Lane& lane = warp.lanes[i];
      if (!lane.vote && !(members >> lane.source & 1)) error = "a shuffle from a lane that takes no part in it";
      lane.result = lane.vote ? votes : warp.lanes[lane.source].value;
    }
    for (unsigned i = 0; i < 32; i++)
      if (members >> i & 1) warp.lanes[i].mask = 0;
    return members;
  }
  return 0;
}

static std::string divergent(unsigned line, const char* why) {
  return "divergent __syncthreads in line " + std::to_string(line) + ": " + why;
}
constexpr const char* SOME_RETURNED = "some threads of the block have returned";
constexpr const char* TWO_LINES = "other threads of the block wait in another line";
constexpr const char* STUCK = "deadlock: every thread waits, at __syncthreads or in a warp operation, for others";
constexpr const char* NOT_NAMED = "a warp operation whose mask does not name the calling lane";

static unsigned rank();                              // of this thread in its block
static int block_barrier(unsigned line, int vote);   // -> how many threads voted
static uint64_t warp_operation(unsigned mask, unsigned source, bool vote, uint64_t value);

#ifndef CUDA_ON_CPU_THREADS
// ---------------------------------------------------------------- threads of a block as fibers

#ifdef CUDA_ON_CPU_UCONTEXT
using Context = ucontext_t;
static void change(Context& from, Context& to) { swapcontext(&from, &to); }
static void prepare(Context& context, char* stack, size_t bytes, void (*start)()) {
  getcontext(&context);
  context.uc_stack.ss_sp = stack;
  context.uc_stack.ss_size = bytes;
  context.uc_link = nullptr;
  makecontext(&context, start, 0);
}
#else
using Context = void*;  // the stack pointer; everything else that a call preserves lies on the stack
__attribute__((naked, noinline)) static void change_stack(void**, void*) {
  asm volatile(
      "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
      "mov %rsp, (%rdi)\n mov %rsi, %rsp\n"
      "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n");
}
static void change(Context& from, Context& to) { change_stack(&from, to); }
static void prepare(Context& context, char* stack, size_t bytes, void (*start)()) {
  // From the top: a null return address (start never returns; it also aligns the stack as a call would), the address
  // that the first change returns to, six registers.
  uint64_t* top = reinterpret_cast<uint64_t*>(stack + bytes);
  memset(top - 8, 0, 64);
  top[-2] = reinterpret_cast<uint64_t>(start);
  context = top - 8;
}
#endif

enum class State { ready, at_barrier, in_warp, returned };
struct Fiber {
  Context context;
  State state;
  uint3 index;
  unsigned line;
  int vote;
};

constexpr size_t STACK = 1 << 18;  // committed only where touched
static std::vector<Fiber> fibers;
static std::vector<Warp> warps;
static Fiber* current = nullptr;
static Context scheduler;
static const std::function<void()>* body = nullptr;
static std::string failure;
static bool backward = false;
static char* stacks = nullptr;
static size_t stack_count = 0;

static void pause(State state) {
  current->state = state;
  change(current->context, scheduler);
}
static void fail(const std::string& why) {
  failure = why;
  pause(State::returned);  // never resumed
}
static void start() {
  (*body)();
  pause(State::returned);
}
static unsigned rank() { return unsigned(current - fibers.data()); }
static int block_barrier(unsigned line, int vote) {
  current->line = line;
  current->vote = vote;
  pause(State::at_barrier);
  return current->vote;
}
static uint64_t warp_operation(unsigned mask, unsigned source, bool vote, uint64_t value) {
  const unsigned lane = rank() % 32;
  if (!(mask >> lane & 1)) fail(NOT_NAMED);
  Lane& own = warps[rank() / 32].lanes[lane];
  own = {mask, source, vote, value, 0};
  pause(State::in_warp);
  return own.result;
}

static void reserve(unsigned count) {
  if (count <= stack_count) return;
  const size_t page = size_t(sysconf(_SC_PAGESIZE));
  if (stacks) munmap(stacks, stack_count * STACK);
  stacks = static_cast<char*>(
      mmap(nullptr, count * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (stacks == MAP_FAILED) abort();
  for (unsigned i = 0; i < count; i++) mprotect(stacks + i * STACK, page, PROT_NONE);  // an overflow faults
  stack_count = count;
}

// Let threads go on wherever all they wait for have come.  -> whether any could.
static bool release() {
  bool moved = false;
  for (size_t w = 0; w < warps.size(); w++) {
    warps[w].present = 0;
    for (size_t i = 32 * w; i < fibers.size() && i < 32 * w + 32; i++)
      if (fibers[i].state != State::returned) warps[w].present |= 1u << (i % 32);
    while (const unsigned members = settle(warps[w], failure))
      for (unsigned i = 0; i < 32; i++)
        if (members >> i & 1) fibers[32 * w + i].state = State::ready, moved = true;
  }
  size_t waiting = 0, returned = 0;
  int votes = 0;
  const Fiber* first = nullptr;
  for (const Fiber& f : fibers) {
    returned += f.state == State::returned;
    if (f.state != State::at_barrier) continue;
    waiting++;
    votes += f.vote;
    if (!first) first = &f;
    if (f.line != first->line) failure = divergent(f.line, TWO_LINES);
  }
  if (waiting && returned) failure = divergent(first->line, SOME_RETURNED);
  if (waiting == fibers.size()) {
    for (Fiber& f : fibers) f.state = State::ready, f.vote = votes;
    moved = true;
  }
  if (!moved && returned < fibers.size() && failure.empty()) failure = STUCK;
  return moved && failure.empty();
}

static void run_block() {
  const size_t count = fibers.size();
  warps.assign((count + 31) / 32, {});
  for (unsigned i = 0; i < count; i++) {
    fibers[i].state = State::ready;
    fibers[i].index = thread_index(i);
    prepare(fibers[i].context, stacks + i * STACK, STACK, start);
  }
  do {
    for (size_t i = 0; i < count && failure.empty(); i++) {
      current = &fibers[backward ? count - 1 - i : i];
      if (current->state != State::ready) continue;
      threadIdx = current->index;
      change(scheduler, current->context);
    }
  } while (failure.empty() && release());
}

static void run_grid() {
  fibers.resize(threads_per_block());
  reserve(threads_per_block());
  for (unsigned z = 0; z < gridDim.z; z++)
    for (unsigned y = 0; y < gridDim.y; y++)
      for (unsigned x = 0; x < gridDim.x; x++) {
        blockIdx = {x, y, z};
        poison();
        run_block();
        if (!failure.empty()) return;
      }
}

#else
// ---------------------------------------------------------------- threads of a block as OS threads

[[noreturn]] static void fail(const std::string& why) {
  fprintf(stderr, "cuda_on_cpu: %s\n", why.c_str());
  fflush(stderr);
  abort();
}

// A lock per warp and one for the block, so that an operation of one warp orders nothing in another: an order that a
// device does not promise would hide races from the sanitizer. The counter is relaxed for the same reason.
struct Meeting {
  std::mutex lock;
  std::condition_variable changed;
};
struct BlockMeeting : Meeting {
  unsigned waiting = 0, returned = 0, line = 0, round = 0;
  int votes = 0, result = 0;
};
struct WarpMeeting : Meeting {
  Warp warp;
};
static BlockMeeting block_meeting;
static std::vector<WarpMeeting> warp_meetings;
static std::atomic<unsigned> running;
CUDA_ON_CPU_LOCAL unsigned own_rank;
static const std::function<void()>* body = nullptr;
static std::string failure;
static bool backward = false;

static unsigned rank() { return own_rank; }
static void now_waits() {
  if (running.fetch_sub(1, std::memory_order_relaxed) == 1) fail(STUCK);
}
static int block_barrier(unsigned line, int vote) {
  BlockMeeting& b = block_meeting;
  std::unique_lock<std::mutex> hold(b.lock);
  if (b.returned) fail(divergent(line, SOME_RETURNED));
  if (b.waiting && b.line != line) fail(divergent(line, TWO_LINES));
  b.line = line;
  b.votes += vote;
  if (++b.waiting == threads_per_block()) {
    running.fetch_add(b.waiting - 1, std::memory_order_relaxed);
    b.result = b.votes;
    b.waiting = 0, b.votes = 0, b.round++;
    b.changed.notify_all();
    return b.result;
  }
  const unsigned round = b.round;
  now_waits();
  b.changed.wait(hold, [&] { return b.round != round; });
  return b.result;
}
static unsigned settle_all(WarpMeeting& meeting) {
  std::string error;
  unsigned released = 0;
  while (const unsigned members = settle(meeting.warp, error)) released |= members;
  if (!error.empty()) fail(error);
  if (released) meeting.changed.notify_all();
  return released;
}
static uint64_t warp_operation(unsigned mask, unsigned source, bool vote, uint64_t value) {
  const unsigned lane = own_rank % 32;
  if (!(mask >> lane & 1)) fail(NOT_NAMED);
  WarpMeeting& meeting = warp_meetings[own_rank / 32];
  std::unique_lock<std::mutex> hold(meeting.lock);
  Lane& own = meeting.warp.lanes[lane];
  own = {mask, source, vote, value, 0};
  const unsigned released = settle_all(meeting);
  if (released) {  // then by this arrival, and this lane is one of them
    running.fetch_add(unsigned(__builtin_popcount(released)) - 1, std::memory_order_relaxed);
  } else {
    now_waits();
    meeting.changed.wait(hold, [&] { return own.mask == 0; });
  }
  return own.result;
}
static void return_from_kernel() {
  WarpMeeting& meeting = warp_meetings[own_rank / 32];
  {
    std::lock_guard<std::mutex> hold(meeting.lock);
    meeting.warp.present &= ~(1u << own_rank % 32);
    running.fetch_add(unsigned(__builtin_popcount(settle_all(meeting))), std::memory_order_relaxed);
  }
  std::lock_guard<std::mutex> hold(block_meeting.lock);
  if (block_meeting.waiting) fail(divergent(block_meeting.line, SOME_RETURNED));
  block_meeting.returned++;
  if (running.fetch_sub(1, std::memory_order_relaxed) == 1 && block_meeting.returned < threads_per_block()) fail(STUCK);
}
static void new_block() noexcept {
  const unsigned count = threads_per_block();
  poison();
  running = count;
  block_meeting.returned = 0;
  for (unsigned i = 0; i < count; i++) warp_meetings[i / 32].warp.present |= 1u << i % 32;
}

static void run_grid() {
  const unsigned count = threads_per_block();
  warp_meetings = std::vector<WarpMeeting>((count + 31) / 32);
  new_block();
  std::barrier next_block(count, new_block);
  auto thread = [&](unsigned i) {
    own_rank = i;
    threadIdx = thread_index(i);
    for (unsigned z = 0; z < gridDim.z; z++)
      for (unsigned y = 0; y < gridDim.y; y++)
        for (unsigned x = 0; x < gridDim.x; x++) {
          blockIdx = {x, y, z};
          (*body)();
          return_from_kernel();
          next_block.arrive_and_wait();
        }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < count; i++) threads.emplace_back(thread, i);
  for (std::thread& t : threads) t.join();
}
#endif

// ---------------------------------------------------------------- launching

// One letter and a size per parameter: "f8" by value, "*f8" an array written to, "&f8" an array only read.
template <class T>
std::string type_name() {
  if constexpr (std::is_pointer_v<T>) {
    using Target = std::remove_pointer_t<T>;
    return (std::is_const_v<Target> ? "&" : "*") + type_name<std::remove_cv_t<Target>>();
  } else {
    static_assert(std::is_arithmetic_v<T>, "parameters of a kernel are numbers and pointers to numbers");
    const char* kind = std::is_floating_point_v<T> ? "f" : std::is_same_v<T, bool> ? "b" : std::is_signed_v<T> ? "i" : "u";
    return kind + std::to_string(sizeof(T));
  }
}
template <class... A>
const char* signature(void (*)(A...)) {
  static std::string text;
  text.clear();
  ((text += type_name<std::remove_cv_t<A>>() + " "), ...);
  return text.c_str();
}

template <class... A>
const char* launch(void (*kernel)(A...), const unsigned* grid, const unsigned* block, size_t shared, int reversed,
                   void** arguments) {
  auto values = [&]<size_t... I>(std::index_sequence<I...>) {
    return std::tuple<A...>{*static_cast<std::remove_cv_t<A>*>(arguments[I])...};
  }(std::index_sequence_for<A...>{});
  const std::function<void()> call = [&] { std::apply(kernel, values); };
  gridDim = {grid[0], grid[1], grid[2]};
  blockDim = {block[0], block[1], block[2]};
  dynamic_bytes = shared;
  dynamic_memory = static_cast<char*>(malloc(shared ? shared : 1));  // exactly, so that a sanitizer sees its ends
  body = &call;
  backward = reversed;
  failure.clear();
  run_grid();
  free(dynamic_memory);
  return failure.empty() ? nullptr : failure.c_str();
}

template <class T>
T shuffle(unsigned mask, T value, unsigned source) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  bits = warp_operation(mask, source, false, bits);
  memcpy(&value, &bits, sizeof value);
  return value;
}
static unsigned lane() { return rank() % 32; }
static unsigned ballot(unsigned mask, bool vote) { return unsigned(warp_operation(mask, lane(), true, vote)); }

template <class T, class... Choices>
concept one_of = (std::is_same_v<T, Choices> || ...);

// p := change(p), and what was there before.
template <class T, class Change>
T update(T* p, Change change) {
#ifdef CUDA_ON_CPU_THREADS
  T before, after;
  __atomic_load(p, &before, __ATOMIC_RELAXED);
  do after = change(before);
  while (!__atomic_compare_exchange(p, &before, &after, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return before;
#else
  const T before = *p;
  *p = change(before);
  return before;
#endif
}
}  // namespace cuda_on_cpu

// ---------------------------------------------------------------- the language of kernels

using cuda_site = std::source_location;
inline void __syncthreads(cuda_site s = cuda_site::current()) { cuda_on_cpu::block_barrier(s.line(), 0); }
inline int __syncthreads_count(int p, cuda_site s = cuda_site::current()) {
  return cuda_on_cpu::block_barrier(s.line(), p != 0);
}
inline int __syncthreads_or(int p, cuda_site s = cuda_site::current()) { return __syncthreads_count(p, s) != 0; }
inline int __syncthreads_and(int p, cuda_site s = cuda_site::current()) { return __syncthreads_count(!p, s) == 0; }
inline void __syncwarp(unsigned mask = 0xffffffffu) { cuda_on_cpu::shuffle(mask, 0, cuda_on_cpu::lane()); }
inline void __threadfence() {}
inline void __threadfence_block() {}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  const unsigned lane = cuda_on_cpu::lane(), w = unsigned(width);
  return cuda_on_cpu::shuffle(mask, value, (lane & ~(w - 1)) + (unsigned(source) & (w - 1)));
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  const unsigned lane = cuda_on_cpu::lane(), w = unsigned(width);
  return cuda_on_cpu::shuffle(mask, value, lane % w + delta < w ? lane + delta : lane);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  const unsigned lane = cuda_on_cpu::lane();
  return cuda_on_cpu::shuffle(mask, value, lane % unsigned(width) >= delta ? lane - delta : lane);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
  const unsigned lane = cuda_on_cpu::lane(), other = lane ^ unsigned(bits);
  return cuda_on_cpu::shuffle(mask, value, other / unsigned(width) == lane / unsigned(width) ? other : lane);
}
inline unsigned __ballot_sync(unsigned mask, int p) { return cuda_on_cpu::ballot(mask, p != 0); }
inline int __any_sync(unsigned mask, int p) { return cuda_on_cpu::ballot(mask, p != 0) != 0; }
inline int __all_sync(unsigned mask, int p) { return cuda_on_cpu::ballot(mask, p == 0) == 0; }

// The types are those that a device has; a literal of another type converts, as there.
template <cuda_on_cpu::one_of<int, unsigned, unsigned long long, float, double> T>
T atomicAdd(T* p, std::type_identity_t<T> v) {
  return cuda_on_cpu::update(p, [v](T x) { return T(x + v); });
}
template <cuda_on_cpu::one_of<int, unsigned> T>
T atomicSub(T* p, std::type_identity_t<T> v) {
  return cuda_on_cpu::update(p, [v](T x) { return T(x - v); });
}
template <cuda_on_cpu::one_of<int, unsigned, long long, unsigned long long> T>
T atomicMax(T* p, std::type_identity_t<T> v) {
  return cuda_on_cpu::update(p, [v](T x) { return x < v ? v : x; });
}
template <cuda_on_cpu::one_of<int, unsigned, long long, unsigned long long> T>
T atomicMin(T* p, std::type_identity_t<T> v) {
  return cuda_on_cpu::update(p, [v](T x) { return v < x ? v : x; });
}
template <cuda_on_cpu::one_of<int, unsigned, unsigned long long> T>
T atomicOr(T* p, std::type_identity_t<T> v) {
  return cuda_on_cpu::update(p, [v](T x) { return x | v; });
}
template <cuda_on_cpu::one_of<int, unsigned, unsigned long long> T>
T atomicAnd(T* p, std::type_identity_t<T> v) {
  return cuda_on_cpu::update(p, [v](T x) { return x & v; });
}
template <cuda_on_cpu::one_of<int, unsigned, unsigned long long, float> T>
T atomicExch(T* p, std::type_identity_t<T> v) {
  return cuda_on_cpu::update(p, [v](T) { return v; });
}
template <cuda_on_cpu::one_of<int, unsigned, unsigned long long> T>
T atomicCAS(T* p, std::type_identity_t<T> expected, std::type_identity_t<T> v) {
  return cuda_on_cpu::update(p, [=](T x) { return x == expected ? v : x; });
}

template <class A, class B>
auto min(A a, B b) {
  using T = std::common_type_t<A, B>;
  return T(b) < T(a) ? T(b) : T(a);
}
template <class A, class B>
auto max(A a, B b) {
  using T = std::common_type_t<A, B>;
  return T(a) < T(b) ? T(b) : T(a);
}
template <class T>
T __ldg(const T* p) {
  return *p;
}
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __clz(int x) { return x ? __builtin_clz(unsigned(x)) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
inline unsigned __brev(unsigned x) {
  unsigned y = 0;
  for (int i = 0; i < 32; i++) y |= (x >> i & 1u) << (31 - i);
  return y;
}
inline unsigned long long __brevll(unsigned long long x) {
  return (unsigned long long)__brev(unsigned(x)) << 32 | __brev(unsigned(x >> 32));
}
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)((unsigned __int128)a * b >> 64);
}
inline long long __double_as_longlong(double x) {
  long long bits;
  memcpy(&bits, &x, 8);
  return bits;
}
inline double __longlong_as_double(long long bits) {
  double x;
  memcpy(&x, &bits, 8);
  return x;
}
// The build forbids contraction to fma, so that these are what they say.
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __dsqrt_rn(double a) { return sqrt(a); }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
inline double rsqrt(double x) { return 1 / sqrt(x); }
inline float rsqrtf(float x) { return 1 / sqrtf(x); }
// Sine and cosine of pi x.
inline void sincospi(double x, double* sine, double* cosine) {
  const double angle = M_PI * (x - 2 * floor(x / 2));
  *sine = sin(angle), *cosine = cos(angle);
}
inline void sincospi(float x, float* sine, float* cosine) {
  double s, c;
  sincospi((double)x, &s, &c);
  *sine = (float)s, *cosine = (float)c;
}
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }

#define CUDA_ON_CPU_EXPORT(name, bound)                                                                          \
  extern "C" __attribute__((visibility("default"))) const char* name##__signature() {                            \
    return cuda_on_cpu::signature(&name);                                                                         \
  }                                                                                                               \
  extern "C" __attribute__((visibility("default"))) unsigned name##__bound() { return bound; }                    \
  extern "C" __attribute__((visibility("default"))) const char* name##__launch(                                   \
      const unsigned* grid, const unsigned* block, size_t shared, int reversed, void** arguments) {               \
    return cuda_on_cpu::launch(&name, grid, block, shared, reversed, arguments);                                  \
  }
