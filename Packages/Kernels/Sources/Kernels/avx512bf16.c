// AVX-512 with BF16: one instruction multiplies the pairs of `bf16_body.h`; all else is avx512.c's.
#if defined(__x86_64__)
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bf16"))), apply_to = function)

typedef __m512 v16;
typedef __m512bh pairs;

static inline v16 v_set(float x) { return _mm512_set1_ps(x); }
static inline v16 v_mul(v16 x, v16 y) { return _mm512_mul_ps(x, y); }
static inline v16 v_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void v_store(float *p, v16 x) { _mm512_storeu_ps(p, x); }
#include "tails.h"

#define PAIRS_BY_INSTRUCTION
INLINE pairs pairs_load(const uint8_t *line) { return (pairs)_mm512_loadu_si512(line); }
INLINE v16 pairs_dot(v16 sum, pairs w, const uint16_t *x) {
  int32_t pair;
  memcpy(&pair, x, 4);
  return _mm512_dpbf16_ps(sum, w, (pairs)_mm512_set1_epi32(pair));
}

enum { BF16_TILE = 16, PAIR_ROWS = 4, PAIR_REST = 2, PAIR_COLUMNS = 4 };
enum { PREFETCH_ALONE = 0 };
#include "bf16_body.h"
#include "pair_attention_body.h"

static void attend(const float *q, size_t tokens, size_t heads, size_t d, const bb_kv_piece *pieces, size_t count,
                   size_t kv_first, size_t kv_count, float scale, bb_attend_numerics numerics, float *state) {
  bb_avx512_attend_with(q, tokens, heads, d, pieces, count, kv_first, kv_count, scale, numerics,
                        (bb_page_products){multiply_pairs, NULL, NULL}, state);
}

void bb_fill_avx512bf16(bb_kernel_table *table) {
  table->isa = BB_ISA_AVX512BF16;
  table->products[BB_ROWS_BF16][BB_ACTIVATIONS_BF16] = multiply_bf16;
  table->attend = attend;
}

#pragma clang attribute pop
#endif
