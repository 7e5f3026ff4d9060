// AVX-512: sixteen floats in one register.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"))), \
                             apply_to = function)

#include "avx512_vectors.h"

enum { ATTEND_ROWS = 4 };
enum { TILE_TOKENS = 4, TILE_BLOCKS = 2 };
enum { PANEL_TOKENS = 6, PANEL_REST = 2, PANEL_MIN = 8 };
enum { INTEGER_TILE = 16, INTEGER_UNPACK = 0 };
enum { BF16_TILE = 16, PAIR_ROWS = 4, PAIR_REST = 2, PAIR_COLUMNS = 4 };
enum { FLOAT8_TILE = 16 };
enum { CHAIN_TOKENS = 8, CHAIN_ROWS = 2 };
enum { PREFETCH_ALONE = 0 };
#include "kernels_body.h"
#include "integer_body.h"
#include "bf16_body.h"
#include "float8_body.h"
#include "pair_attention_body.h"
#include "chains_body.h"
#include "table_body.h"

void bb_fill_avx512(bb_kernel_table *table) { fill(table, BB_ISA_AVX512); }

void bb_avx512_attend_with(const float *q, size_t tokens, size_t heads, size_t d, const bb_kv_piece *pieces, size_t count,
                           size_t kv_first, size_t kv_count, float scale, bb_attend_numerics numerics,
                           bb_page_products given, float *state) {
  const bb_page_products own = {multiply_pairs, multiply_page_chains, NULL};
  attend_in(q, tokens, heads, d, pieces, count, kv_first, kv_count, scale, numerics, own, given, state);
}

void bb_avx512_page_chains(const uint16_t *x, size_t ldx, size_t rows, const uint8_t *lines, size_t columns, size_t count,
                             prefetch_stream *next, const float *decay, float *y, size_t ldy) {
  multiply_page_chains(x, ldx, rows, lines, columns, count, next, decay, y, ldy);
}

#pragma clang attribute pop
#endif
