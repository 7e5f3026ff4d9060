// Attention over keys and values that are codes, in whole numbers.
//
// A scale along what is summed over is multiplied into the query (keys with scales along tokens) or into the token's weight
// (values) beforehand; one across it (keys with scales along components) is multiplied into the sum, and the query is the
// same for all pages. The products become whole numbers with one unit for each query and group: of two bytes, or of one
// where numerics say so. What middle codes add is one number for each.

#include "whole_numbers_body.h"

// ---------------------------------------------------------------- scores with scales along tokens

// Scores of `rows` queries against `blocks` blocks of 16 tokens.
INLINE void tile_channel_scores(const int rows, const int blocks, const bb_kv_format format, const number_kind kind,
                                const whole_rows *from, size_t row, const int8_t *numbers, size_t dv, code_lines w,
                                upcoming *next, float *scores) {
  v16 sums[CODE_SUMS];
  whole_products(rows, blocks, format, kind, from, row, numbers, dv, w, next, sums);
  for (int r = 0; r < rows; r++)
    for (int b = 0; b < blocks; b++)
      v_store(scores + (row + r) * BB_PAGE + b * 16,
              v_fma(sums[r * blocks + b], v_set(from->unit[row + r]), v_set(from->start[row + r])));
}

// Scores of at most ATTEND_HEADS queries [d] against the 64 tokens of a page whose keys share scales along tokens.
INLINE void channel_scores(const bb_kv_format format, const number_kind kind, const float *q, size_t heads, size_t d,
                           const bb_kv_block *keys, upcoming *next, float *scores) {
  const size_t groups = BB_PAGE / keys->group, dv = (d + 15) / 16 * 16;
  _Alignas(64) float scales[2 * dv];
  _Alignas(64) int8_t numbers[heads * number_bytes(kind) * dv];
  whole_rows from;
  for (size_t g = 0; g < groups; g++) {
    const size_t first = g * PAGE_VECTORS / groups, last = (g + 1) * PAGE_VECTORS / groups;
    widen_scales(keys, g * dv, dv, scales, scales + dv);
    EACH_ROWS(round_rows(rows, kind, q, d, d, scales, scales + dv, h, &from, numbers, next));
    EACH_ROWS(EACH_BLOCKS(rows, format, first, last, {
      const code_lines w = {(const uint8_t *)keys->entries + b * 64, PAGE_VECTORS * 64, 64};
      tile_channel_scores(rows, blocks, format, kind, &from, h, numbers, dv, w, next, scores + b * 16);
    }));
  }
}

// ---------------------------------------------------------------- scores with scales along components

// At most ATTEND_HEADS queries, and what they become as whole numbers: each group of components with a unit of its own, for
// all pages whose keys have that group.
typedef struct {
  const float *q;   // [heads][d]
  size_t heads, d;
  size_t group;     // 0: not rounded yet
  whole_rows *row;  // [groups]; `start` is the sum of the floats
  int8_t *numbers;  // [groups][heads][bytes][group], fewer in the last group
} whole_queries;

// Groups that components may be rounded in: of 32 or more.
enum { MIN_GROUP = 32 };
INLINE size_t most_groups(size_t d) { return (d + MIN_GROUP - 1) / MIN_GROUP; }

INLINE void round_queries(whole_queries *queries, const number_kind kind, size_t group, upcoming *next) {
  const size_t d = queries->d, dv = (d + 15) / 16 * 16, width = group < dv ? group : dv, heads = queries->heads;
  float ones[width];
  for (size_t i = 0; i < width; i++) ones[i] = 1;
  queries->group = group;
  int8_t *numbers = queries->numbers;
  for (size_t first = 0, g = 0; first < d; first += group, g++) {
    const size_t count = d - first < group ? d - first : group;
    EACH_ROWS(round_rows(rows, kind, queries->q + first, d, count, ones, ones, h, queries->row + g, numbers, next));
    numbers += heads * number_bytes(kind) * count;
  }
}

// Scores of `rows` rounded queries from `row` on against `blocks` blocks of 16 tokens from block b on.
INLINE void tile_token_scores(const int rows, const int blocks, const bb_kv_format format, const number_kind kind,
                              const whole_queries *q, size_t row, const bb_kv_block *keys, size_t b, upcoming *next,
                              float *scores) {
  const size_t line_components = 32 / (size_t)code_bits(format), dv = (q->d + 15) / 16 * 16;
  const whole_rows *from = q->row;
  const int8_t *numbers = q->numbers;
  v16 total[CODE_SUMS];
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < blocks; j++) total[r * blocks + j] = v_set(0);
  for (size_t first = 0, g = 0; first < dv; first += q->group, g++, from++) {
    const size_t count = dv - first < q->group ? dv - first : q->group, line = first / line_components;
    const code_lines w = {(const uint8_t *)keys->entries + (line * PAGE_VECTORS + b) * 64,
                          PAGE_VECTORS * 64, 64};
    v16 sums[CODE_SUMS];
    whole_products(rows, blocks, format, kind, from, row, numbers, count, w, next, sums);
    numbers += q->heads * number_bytes(kind) * count;
    for (int j = 0; j < blocks; j++) {
      float scales[16], middles[16];
      widen_scales(keys, g * BB_PAGE + (b + j) * 16, 16, scales, middles);
      for (int r = 0; r < rows; r++) {
        const v16 units = v_fma(v_mul(sums[r * blocks + j], v_set(from->unit[row + r])), v_load(scales), total[r * blocks + j]);
        total[r * blocks + j] = v_fma(v_load(middles), v_set(from->start[row + r]), units);
      }
    }
  }
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < blocks; j++) v_store(scores + (row + r) * BB_PAGE + (b + j) * 16, total[r * blocks + j]);
}

// Scores against the 64 tokens of a page.
INLINE void coded_scores(const bb_kv_format format, const number_kind kind, whole_queries *queries,
                         const bb_kv_block *keys, upcoming *next, float *scores) {
  const size_t heads = queries->heads;
  if (keys->axis == BB_KV_ALONG_TOKENS)
    return channel_scores(format, kind, queries->q, heads, queries->d, keys, next, scores);
  if (queries->group != keys->group) round_queries(queries, kind, keys->group, next);
  EACH_ROWS(EACH_BLOCKS(rows, format, 0, PAGE_VECTORS,
                        tile_token_scores(rows, blocks, format, kind, queries, h, keys, b, next, scores)));
}

// ---------------------------------------------------------------- values

// state = state * decay + weighted values, for `blocks` columns of 16 components.
INLINE void tile_values(const int rows, const int blocks, const bb_kv_format format, const number_kind kind,
                        const whole_rows *from, size_t row, const int8_t *numbers, const float *decay, code_lines w,
                        upcoming *next, size_t stride, float *state) {
  v16 sums[CODE_SUMS];
  whole_products(rows, blocks, format, kind, from, row, numbers, BB_PAGE, w, next, sums);
  for (int r = 0; r < rows; r++)
    for (int b = 0; b < blocks; b++) {
      float *at = state + (row + r) * stride + b * 16;
      const v16 added = v_fma(sums[r * blocks + b], v_set(from->unit[row + r]), v_set(from->start[row + r]));
      v_store(at, v_fma(v_load(at), v_set(decay[row + r]), added));
    }
}

// The weights of at most ATTEND_HEADS queries, [heads][64], as whole numbers for each group of components: to [groups],
// numbers [groups][heads][bytes][64].
INLINE void round_weights(const number_kind kind, const float *weights, size_t heads, size_t dv, const bb_kv_block *values,
                          whole_rows *to, int8_t *numbers, upcoming *next) {
  _Alignas(64) float scales[2 * BB_PAGE];
  const size_t bytes = heads * number_bytes(kind) * BB_PAGE;
  for (size_t g = 0; g * values->group < dv; g++) {
    widen_scales(values, g * BB_PAGE, BB_PAGE, scales, scales + BB_PAGE);
    EACH_ROWS(round_rows(rows, kind, weights, BB_PAGE, BB_PAGE, scales, scales + BB_PAGE, h, to + g, numbers + g * bytes,
                         next));
  }
}

// Adds the values of a page, for at most ATTEND_HEADS queries whose weights are rounded.
INLINE void coded_values(const bb_kv_format format, const number_kind kind, const whole_rows *from, const int8_t *numbers,
                         const float *decay, size_t heads, size_t dv, const bb_kv_block *values, upcoming *next,
                         float *state) {
  const size_t column = BB_PAGE * 16 * code_bits(format) / 8, bytes = heads * number_bytes(kind) * BB_PAGE;
  for (size_t first = 0; first < dv; first += values->group, from++, numbers += bytes) {
    const size_t last = dv - first < values->group ? dv : first + values->group;
    EACH_ROWS(EACH_BLOCKS(rows, format, first / 16, last / 16, {
      const code_lines w = {(const uint8_t *)values->entries + b * column, 64, column};
      tile_values(rows, blocks, format, kind, from, h, numbers, decay, w, next, dv + 16, state + b * 16);
    }));
  }
}
