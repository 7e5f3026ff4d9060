// Which instruction set this machine has, and which table is in use.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bb_kernels.h"
#include "tables.h"

static const char *const names[BB_ISA_COUNT] = {"scalar", "avx2", "avx512", "avx512bf16", "neon"};

const char *bb_isa_name(bb_isa isa) { return isa < BB_ISA_COUNT ? names[isa] : "unknown"; }

const bb_kernel_table *bb_kernels_for(bb_isa isa) {
  if (isa == BB_ISA_SCALAR) return &bb_table_scalar;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const int avx2 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  if (isa == BB_ISA_AVX2 && avx2) return &bb_table_avx2;
  const int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                     __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                     __builtin_cpu_supports("avx512vnni");
  if (isa == BB_ISA_AVX512 && avx512) return &bb_table_avx512;
  if (isa == BB_ISA_AVX512BF16 && avx512 && __builtin_cpu_supports("avx512bf16")) return &bb_table_avx512bf16;
#elif defined(__aarch64__)
  if (isa == BB_ISA_NEON) return &bb_table_neon;
#endif
  return NULL;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const bb_kernel_table *chosen;
static char problem[160];

static void choose(void) {
  for (int isa = BB_ISA_COUNT - 1; isa >= 0 && !chosen; isa--) chosen = bb_kernels_for((bb_isa)isa);
  const char *request = getenv("BITBUDGET_ISA");
  if (!request || !*request) return;
  for (int isa = 0; isa < BB_ISA_COUNT; isa++) {
    if (strcmp(request, names[isa]) != 0) continue;
    const bb_kernel_table *table = bb_kernels_for((bb_isa)isa);
    if (table) chosen = table;
    else snprintf(problem, sizeof problem, "BITBUDGET_ISA=%s: this machine does not have it", names[isa]);
    return;
  }
  snprintf(problem, sizeof problem, "BITBUDGET_ISA=%.40s: expected scalar, avx2, avx512, avx512bf16 or neon", request);
}

const bb_kernel_table *bb_kernels(void) {
  pthread_once(&once, choose);
  return chosen;
}

const char *bb_isa_problem(void) {
  pthread_once(&once, choose);
  return problem[0] ? problem : NULL;
}
