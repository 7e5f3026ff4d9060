// What this machine's vector units do at most, in 10^9 multiply-adds a second: ceilings THREADS
#include <immintrin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TURNS = 1 << 24 };
#define KEEP(x) __asm__ volatile("" : "+v"(x))

// One loop of CHAINS independent accumulators, so that latency hides behind throughput.
#define LOOP(NAME, TARGET, CHAINS, TYPE, STEP)                                     \
  __attribute__((target(TARGET))) static void NAME(void) {                         \
    TYPE sum[CHAINS], operand = (TYPE){0};                                         \
    for (int c = 0; c < CHAINS; c++) { sum[c] = operand; KEEP(sum[c]); }           \
    for (int turn = 0; turn < TURNS / CHAINS; turn++) {                            \
      _Pragma("clang loop unroll(full)")                                           \
      for (int c = 0; c < CHAINS; c++) { KEEP(operand); STEP; KEEP(sum[c]); }      \
    }                                                                              \
  }
LOOP(fma32, "avx512f", 16, __m512, sum[c] = _mm512_fmadd_ps(operand, operand, sum[c]))
LOOP(bf16, "avx512f,avx512bf16", 16, __m512, sum[c] = (__m512)_mm512_dpbf16_ps(sum[c], (__m512bh)operand, (__m512bh)operand))
LOOP(int8_by_four, "avx512f,avx512vnni", 16, __m512i, sum[c] = _mm512_dpbusd_epi32(sum[c], operand, operand))
LOOP(avxvnni, "avx2,avxvnni", 12, __m256i, sum[c] = _mm256_dpbusd_avx_epi32(sum[c], operand, operand))
// Without these a product takes a multiplication and an addition: of pairs of 16 bits, or of pairs of bytes that have so few bits
// that their sums fit 16 bits, as those of 4-bit codes do.
LOOP(avx2_fma32, "avx2,fma", 12, __m256, sum[c] = _mm256_fmadd_ps(operand, operand, sum[c]))
LOOP(avx2_int16, "avx2", 12, __m256i, sum[c] = _mm256_add_epi32(sum[c], _mm256_madd_epi16(operand, operand)))
LOOP(avx2_bytes, "avx2", 12, __m256i, sum[c] = _mm256_add_epi16(sum[c], _mm256_maddubs_epi16(operand, operand)))

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
  const int wide = __builtin_cpu_supports("avx512f"), half = __builtin_cpu_supports("avxvnni");
  const int vnni = __builtin_cpu_supports("avx512vnni");
  const double f32 = wide ? rate(fma32, threads, 16) : rate(avx2_fma32, threads, 8);
  const double int8 = vnni   ? rate(int8_by_four, threads, 64)
                      : half ? rate(avxvnni, threads, 32)
                             : rate(avx2_bytes, threads, 32);
  printf("{\"threads\": %d, \"f32\": %.0f, \"bf16\": %.0f", threads, f32,
         __builtin_cpu_supports("avx512bf16") ? rate(bf16, threads, 32) : f32);
  printf(", \"int8\": %.0f, \"int16\": %.0f, \"vnni\": %d}\n", int8,
         vnni || half ? int8 / 2 : rate(avx2_int16, threads, 16), vnni || half);
}
