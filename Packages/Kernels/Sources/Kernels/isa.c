// Which instruction sets this machine has, and which table is in use.
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bb_kernels.h"
#include "tables.h"

// A table starts as that of `base`, if there is one, and `fill` puts in what is this instruction set's own.
typedef struct {
  const char *name;
  bb_isa base;
  int (*is_present)(void);
  void (*fill)(bb_kernel_table *table);
  int by_name_only;  // never the best
} instruction_set;

static int always(void) { return 1; }
#if defined(__x86_64__)
static int has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}
static int has_avxvnni(void) { return has_avx2() && __builtin_cpu_supports("avxvnni"); }
static int has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni");
}
static int has_avx512bf16(void) { return has_avx512() && __builtin_cpu_supports("avx512bf16"); }
// Leaf 7 and, of XCR0, bits 17 and 18 say that processor and system have tiles.
static int has_amx(void) {
  enum { BF16 = 1 << 22, TILE = 1 << 24, INT8 = 1 << 25, ALL = BF16 | TILE | INT8, STATE = 3 << 17 };
  unsigned a, b, c, d, xcr0, high;
  if (!has_avx512bf16() || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & ALL) != ALL) return 0;
  __asm__ volatile("xgetbv" : "=a"(xcr0), "=d"(high) : "c"(0));
  if (!__builtin_cpu_supports("avx512vbmi")) return 0;
  return (xcr0 & STATE) == STATE && bb_may_use_tiles();
}
#endif

enum { NO_BASE = BB_ISA_COUNT };

// A base stands before what is built on it; the last one that is present is the best.
static const instruction_set sets[BB_ISA_COUNT] = {
    [BB_ISA_SCALAR] = {"scalar", NO_BASE, always, bb_fill_scalar, 0},
    [BB_ISA_TILE_MODEL] = {"tile-model", BB_ISA_SCALAR, always, bb_fill_tile_model, 1},
#if defined(__x86_64__)
    [BB_ISA_AVX2] = {"avx2", NO_BASE, has_avx2, bb_fill_avx2, 0},
    [BB_ISA_AVXVNNI] = {"avxvnni", NO_BASE, has_avxvnni, bb_fill_avxvnni, 0},
    [BB_ISA_AVX512] = {"avx512", NO_BASE, has_avx512, bb_fill_avx512, 0},
    [BB_ISA_AVX512BF16] = {"avx512bf16", BB_ISA_AVX512, has_avx512bf16, bb_fill_avx512bf16, 0},
    [BB_ISA_AMX] = {"amx", BB_ISA_AVX512BF16, has_amx, bb_fill_amx, 0},
    [BB_ISA_NEON] = {"neon", NO_BASE, NULL, NULL, 0},
#else
    [BB_ISA_AVX2] = {"avx2", NO_BASE, NULL, NULL, 0},
    [BB_ISA_AVXVNNI] = {"avxvnni", NO_BASE, NULL, NULL, 0},
    [BB_ISA_AVX512] = {"avx512", NO_BASE, NULL, NULL, 0},
    [BB_ISA_AVX512BF16] = {"avx512bf16", NO_BASE, NULL, NULL, 0},
    [BB_ISA_AMX] = {"amx", NO_BASE, NULL, NULL, 0},
#if defined(__aarch64__)
    [BB_ISA_NEON] = {"neon", NO_BASE, always, bb_fill_neon, 0},
#else
    [BB_ISA_NEON] = {"neon", NO_BASE, NULL, NULL, 0},
#endif
#endif
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bb_kernel_table tables[BB_ISA_COUNT];
static int present[BB_ISA_COUNT];
static _Atomic(const bb_kernel_table *) chosen;

static void fill_tables(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
#endif
  const bb_kernel_table *best = NULL;
  for (int isa = 0; isa < BB_ISA_COUNT; isa++) {
    const instruction_set *set = &sets[isa];
    present[isa] = set->is_present && set->is_present();
    if (!present[isa]) continue;
    if (set->base != NO_BASE) tables[isa] = tables[set->base];
    set->fill(&tables[isa]);
    if (!set->by_name_only) best = &tables[isa];
  }
  atomic_store(&chosen, best);
}

const char *bb_isa_name(bb_isa isa) { return isa < BB_ISA_COUNT ? sets[isa].name : "unknown"; }

const bb_kernel_table *bb_kernels_for(bb_isa isa) {
  pthread_once(&once, fill_tables);
  return isa < BB_ISA_COUNT && present[isa] ? &tables[isa] : NULL;
}

const bb_kernel_table *bb_kernels(void) {
  const bb_kernel_table *table = atomic_load_explicit(&chosen, memory_order_acquire);
  if (table) return table;
  pthread_once(&once, fill_tables);
  return atomic_load(&chosen);
}

const char *bb_choose_isa(const char *name) {
  pthread_once(&once, fill_tables);
  for (int isa = 0; isa < BB_ISA_COUNT; isa++) {
    if (strcmp(name, sets[isa].name) != 0) continue;
    if (!present[isa]) return "this machine does not have it";
    atomic_store(&chosen, &tables[isa]);
    return NULL;
  }
  return "expected scalar, avx2, avxvnni, avx512, avx512bf16, amx, neon or tile-model";
}

void bb_no_product(const bb_matrix *w, const bb_activations *x, size_t tokens, float *y, size_t ldy, size_t first,
                   size_t last) {
  (void)tokens, (void)y, (void)ldy, (void)first, (void)last;
  fprintf(stderr, "no product of weights in %s with activations of format %d\n", bb_format_of(w->format)->name, x->format);
  abort();
}
