// What this machine's AVX-512 units do at most, in 10^9 multiply-adds a second: ceilings THREADS
#include <immintrin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CHAINS = 16, TURNS = 1 << 24 };
#define KEEP(x) __asm__ volatile("" : "+v"(x))

// One loop of CHAINS independent accumulators, so that latency hides behind throughput.
#define LOOP(NAME, TARGET, TYPE, ZERO, STEP)                                       \
  __attribute__((target(TARGET))) static void NAME(void) {                         \
    TYPE sum[CHAINS];                                                              \
    __m512i operand = _mm512_set1_epi8(1);                                         \
    for (int c = 0; c < CHAINS; c++) { sum[c] = ZERO; KEEP(sum[c]); }              \
    KEEP(operand);                                                                 \
    for (int turn = 0; turn < TURNS / CHAINS; turn++) {                            \
      _Pragma("clang loop unroll(full)")                                           \
      for (int c = 0; c < CHAINS; c++) { STEP; KEEP(sum[c]); }                     \
    }                                                                              \
  }
LOOP(fma32, "avx512f", __m512, _mm512_setzero_ps(),
     sum[c] = _mm512_fmadd_ps((__m512)operand, (__m512)operand, sum[c]))
LOOP(bf16, "avx512f,avx512bf16", __m512, _mm512_setzero_ps(),
     sum[c] = _mm512_dpbf16_ps(sum[c], (__m512bh)operand, (__m512bh)operand))
LOOP(int8, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512(),
     sum[c] = _mm512_dpbusd_epi32(sum[c], operand, operand))

static void *start(void *work) {
  ((void (*)(void))work)();
  return NULL;
}

static double rate(void (*work)(void), int threads, double products) {
  double best = 0;
  for (int repetition = 0; repetition < 5; repetition++) {
    struct timespec from, to;
    pthread_t other[64];
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int t = 1; t < threads; t++) pthread_create(&other[t], NULL, start, (void *)work);
    work();
    for (int t = 1; t < threads; t++) pthread_join(other[t], NULL);
    clock_gettime(CLOCK_MONOTONIC, &to);
    const double seconds = (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
    const double found = products * TURNS * threads / seconds / 1e9;
    if (found > best) best = found;
  }
  return best;
}

int main(int count, char **arguments) {
  const int threads = count > 1 ? atoi(arguments[1]) : 1;
  if (threads < 1 || threads > 64) return 2;
  __builtin_cpu_init();
  printf("{\"threads\": %d, \"f32\": %.0f", threads, __builtin_cpu_supports("avx512f") ? rate(fma32, threads, 16) : 0);
  printf(", \"bf16\": %.0f", __builtin_cpu_supports("avx512bf16") ? rate(bf16, threads, 32) : 0);
  printf(", \"int8\": %.0f}\n", __builtin_cpu_supports("avx512vnni") ? rate(int8, threads, 64) : 0);
}
