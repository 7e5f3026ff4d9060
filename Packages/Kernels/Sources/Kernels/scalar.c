// The twin that runs everywhere: sixteen floats in an array, as scalar_vectors.h has them.
#pragma STDC FP_CONTRACT OFF
#include "scalar_vectors.h"

enum { ATTEND_ROWS = 1 };
enum { TILE_TOKENS = 1, TILE_BLOCKS = 1 };
enum { PANEL_TOKENS = 1, PANEL_REST = 1, PANEL_MIN = 8 };
enum { INTEGER_TILE = 1, INTEGER_UNPACK = 0 };
enum { BF16_TILE = 1, PAIR_ROWS = 1, PAIR_REST = 1, PAIR_COLUMNS = 1 };
enum { FLOAT8_TILE = 1 };
enum { CHAIN_TOKENS = 1, CHAIN_ROWS = 1 };
enum { PREFETCH_ALONE = 0 };
#include "kernels_body.h"
#include "integer_body.h"
#include "bf16_body.h"
#include "float8_body.h"
#include "pair_attention_body.h"
#include "chains_body.h"
#include "table_body.h"

void bb_fill_scalar(bb_kernel_table *table) { fill(table, BB_ISA_SCALAR); }

void bb_scalar_attend_with(const float *q, size_t tokens, size_t heads, size_t d, const bb_kv_piece *pieces, size_t count,
                           size_t kv_first, size_t kv_count, float scale, bb_attend_numerics numerics,
                           bb_page_products given, float *state) {
  const bb_page_products own = {multiply_pairs, multiply_page_chains, NULL};
  attend_in(q, tokens, heads, d, pieces, count, kv_first, kv_count, scale, numerics, own, given, state);
}

void bb_scalar_page_chains(const uint16_t *x, size_t ldx, size_t rows, const uint8_t *lines, size_t columns, size_t count,
                             prefetch_stream *next, const float *decay, float *y, size_t ldy) {
  multiply_page_chains(x, ldx, rows, lines, columns, count, next, decay, y, ldy);
}
