// AVX-512 with BF16: one instruction multiplies the pairs of `bf16_body.h`, 8-bit floats too; all else is avx512.c's.
#if defined(__x86_64__)
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#pragma clang attribute push(                                                                                        \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16"))), apply_to = function)

#include "avx512_vectors.h"
#include "tails.h"

#include "load_as.h"

typedef __m512bh pairs;

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

// A block of 8-bit floats as lines of pairs. Not inlined, so that nothing of it moves to where denormals are 0.
static __attribute__((noinline)) void float8_as_pairs(const uint8_t *lines, size_t bytes, uint8_t *to) {
  for (size_t at = 0; at < bytes; at += 64) {
    v16 w[4];
    v_line_float8(lines + at, w);
    for (int p = 0; p < 2; p++) {
      const __m512i even = _mm512_srli_epi32(_mm512_castps_si512(w[2 * p]), 16), odd = _mm512_castps_si512(w[2 * p + 1]);
      _mm512_storeu_si512(to + 2 * at + p * 64, _mm512_mask_blend_epi16(0xaaaaaaaa, even, odd));
    }
  }
}

// As float8_body.h has it: a block of weights is made pairs once for all tokens.
static void multiply_float8(const bb_matrix *m, const bb_activations *x, size_t tokens, float *y, size_t ldy, size_t first,
                            size_t last) {
  const size_t stride = bb_block_bytes(BB_ROWS_FLOAT8, m->inputs);
  _Alignas(64) uint8_t lines[2 * stride];
  for (size_t block = first; block < last; block++) {
    float8_as_pairs(m->lines + block * stride, stride, lines);
    const size_t rows = m->rows - block * 16 < 16 ? m->rows - block * 16 : 16;
    const bb_matrix own = {.format = BB_ROWS_BF16, .rows = rows, .inputs = m->inputs, .group = m->inputs, .lines = lines};
    multiply_bf16(&own, x, tokens, y + block * 16, ldy, 0, 1);
    const v16 weight = v_load_as(m->scales, m->scale_format, block * 16);
    for (size_t t = 0; t < tokens; t++) {
      float *const out = y + t * ldy + block * 16;
      store_first(out, v_mul(v_mul(load_first(out, rows, 0), v_set(x->scales[t])), weight), rows);
    }
  }
}

static void attend(const float *q, size_t tokens, size_t heads, size_t d, const bb_kv_piece *pieces, size_t count,
                   size_t kv_first, size_t kv_count, float scale, bb_attend_numerics numerics, float *state) {
  bb_avx512_attend_with(q, tokens, heads, d, pieces, count, kv_first, kv_count, scale, numerics,
                        (bb_page_products){multiply_pairs, NULL, NULL}, state);
}

void bb_fill_avx512bf16(bb_kernel_table *table) {
  table->isa = BB_ISA_AVX512BF16;
  table->products[BB_ROWS_BF16][BB_ACTIVATIONS_BF16] = multiply_bf16;
  table->products[BB_ROWS_FLOAT8][BB_ACTIVATIONS_BF16] = multiply_float8;
  table->attend = attend;
}

#pragma clang attribute pop
#endif
