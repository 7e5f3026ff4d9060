// Attention over keys and values that are codes, by integer dot products.
//
// A scale along what is summed over is multiplied into the query (keys with scales along tokens) or into the token's weight
// (values) beforehand; one across it (keys with scales along components) is multiplied into the sum, and the query is the
// same for all pages. The factors become integers with one unit for each query and group: of two bytes, or of one
// where numerics say so. What middle codes add is one number for each.

#include "integer_attention_body.h"

// Whether the products of queries or weights with codes are formed by tiles.
INLINE int goes_by_tiles(const bb_kv_format format, const integer_kind kind, code_tiles tiles, size_t heads, size_t count) {
  return tiles && format == BB_KV_INT8 && kind != TWO_BYTES && heads == ATTEND_HEADS && count % 64 == 0;
}

// ---------------------------------------------------------------- scores with scales along tokens

// Scores of `rows` queries against `blocks` blocks of 16 tokens.
INLINE void tile_channel_scores(const int rows, const int blocks, const bb_kv_format format, const integer_kind kind,
                                const integer_rows *from, size_t row, const int8_t *numbers, size_t dv, code_lines w,
                                const int32_t *ready, prefetch_stream *next, float *scores) {
  v16 sums[CODE_SUMS];
  if (ready) ready_products(rows, blocks, kind, from, row, ready, BB_PAGE, sums);
  else integer_products(rows, blocks, format, kind, from, row, numbers, dv, w, next, sums);
  for (int r = 0; r < rows; r++)
    for (int b = 0; b < blocks; b++)
      v_store(scores + (row + r) * BB_PAGE + b * 16,
              v_fma(sums[r * blocks + b], v_set(from->unit[row + r]), v_set(from->start[row + r])));
}

// Scores of at most ATTEND_HEADS queries [d] against the 64 tokens of a page whose keys share scales along tokens.
INLINE void channel_scores(const bb_kv_format format, const integer_kind kind, const float *q, size_t heads, size_t d,
                           const bb_kv_block *keys, code_tiles tiles, prefetch_stream *next, float *scores) {
  const size_t groups = BB_PAGE / keys->group, dv = (d + 15) / 16 * 16;
  _Alignas(64) int32_t sums[ATTEND_HEADS * BB_PAGE];
  const int by_tiles = goes_by_tiles(format, kind, tiles, heads, dv);
  _Alignas(64) float scales[2 * dv];
  _Alignas(64) int8_t numbers[heads * integer_bytes(kind) * dv];
  integer_rows from;
  for (size_t g = 0; g < groups; g++) {
    const size_t first = g * PAGE_VECTORS / groups, last = (g + 1) * PAGE_VECTORS / groups;
    widen_scales(keys, g * dv, dv, scales, scales + dv);
    quantize_all(kind, q, heads, d, d, scales, scales + dv, &from, numbers, next);
    if (by_tiles) {
      const code_lines all = {(const uint8_t *)keys->entries + first * 64, PAGE_VECTORS * 64, 64};
      tiles(numbers, dv, all.first, all.line, all.block, last - first, 0, next, sums + first * 16, BB_PAGE);
    }
    EACH_ROWS(EACH_BLOCKS(rows, PAGE_VECTORS, first, last, {
      const code_lines w = {(const uint8_t *)keys->entries + b * 64, PAGE_VECTORS * 64, 64};
      tile_channel_scores(rows, blocks, format, kind, &from, h, numbers, dv, w, by_tiles ? sums + b * 16 : NULL, next,
                          scores + b * 16);
    }));
  }
}

// ---------------------------------------------------------------- scores with scales along components

// At most ATTEND_HEADS queries, and what they become as integers: each group of components with a unit of its own, for
// all pages whose keys have that group.
typedef struct {
  const float *q;   // [heads][d]
  size_t heads, d;
  size_t group;     // 0: not quantized yet
  integer_rows *row;  // [groups]; `start` is the sum of the floats
  int8_t *numbers;  // [groups][heads][bytes][group], fewer in the last group
  code_tiles tiles;   // or NULL
} integer_queries;

// Groups that components may be quantized in: of 32 or more.
enum { MIN_GROUP = 32 };
INLINE size_t most_groups(size_t d) { return (d + MIN_GROUP - 1) / MIN_GROUP; }

INLINE void quantize_queries(integer_queries *queries, const integer_kind kind, size_t group, prefetch_stream *next) {
  const size_t d = queries->d, dv = (d + 15) / 16 * 16, width = group < dv ? group : dv, heads = queries->heads;
  float ones[width];
  for (size_t i = 0; i < width; i++) ones[i] = 1;
  queries->group = group;
  int8_t *numbers = queries->numbers;
  for (size_t first = 0, g = 0; first < d; first += group, g++) {
    const size_t count = d - first < group ? d - first : group;
    quantize_all(kind, queries->q + first, heads, d, count, ones, ones, queries->row + g, numbers, next);
    numbers += heads * integer_bytes(kind) * count;
  }
}

// Scores of `rows` quantized queries from `row` on against `blocks` blocks of 16 tokens from block b on.
INLINE void tile_token_scores(const int rows, const int blocks, const bb_kv_format format, const integer_kind kind,
                              const integer_queries *q, size_t row, const bb_kv_block *keys, size_t b, const int32_t *ready,
                              prefetch_stream *next, float *scores) {
  const size_t line_components = 32 / (size_t)code_bits(format), dv = (q->d + 15) / 16 * 16;
  const integer_rows *from = q->row;
  const int8_t *numbers = q->numbers;
  v16 total[CODE_SUMS];
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < blocks; j++) total[r * blocks + j] = v_set(0);
  for (size_t first = 0, g = 0; first < dv; first += q->group, g++, from++) {
    const size_t count = dv - first < q->group ? dv - first : q->group, line = first / line_components;
    const code_lines w = {(const uint8_t *)keys->entries + (line * PAGE_VECTORS + b) * 64,
                          PAGE_VECTORS * 64, 64};
    v16 sums[CODE_SUMS];
    if (ready) ready_products(rows, blocks, kind, from, row, ready + b * 16, BB_PAGE, sums);
    else integer_products(rows, blocks, format, kind, from, row, numbers, count, w, next, sums);
    numbers += q->heads * integer_bytes(kind) * count;
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
INLINE void coded_scores(const bb_kv_format format, const integer_kind kind, integer_queries *queries,
                         const bb_kv_block *keys, prefetch_stream *next, float *scores) {
  const size_t heads = queries->heads;
  if (keys->axis == BB_KV_ALONG_TOKENS)
    return channel_scores(format, kind, queries->q, heads, queries->d, keys, queries->tiles, next, scores);
  if (queries->group != keys->group) quantize_queries(queries, kind, keys->group, next);
  // Of one group of components, which is as a rule the head.
  const size_t dv = (queries->d + 15) / 16 * 16;
  const int by_tiles = queries->group >= dv && goes_by_tiles(format, kind, queries->tiles, heads, dv);
  _Alignas(64) int32_t sums[by_tiles ? ATTEND_HEADS * BB_PAGE : 1];
  if (by_tiles) queries->tiles(queries->numbers, dv, keys->entries, PAGE_VECTORS * 64, 64, PAGE_VECTORS, 0, next, sums, BB_PAGE);
  EACH_ROWS(EACH_BLOCKS(rows, PAGE_VECTORS, 0, PAGE_VECTORS,
                        tile_token_scores(rows, blocks, format, kind, queries, h, keys, b, by_tiles ? sums : NULL, next,
                                          scores)));
}

// ---------------------------------------------------------------- values

// state = state * decay + weighted values, for `blocks` columns of 16 components.
INLINE void tile_values(const int rows, const int blocks, const bb_kv_format format, const integer_kind kind,
                        const integer_rows *from, size_t row, const int8_t *numbers, const float *decay, code_lines w,
                        const int32_t *ready, size_t ld, prefetch_stream *next, size_t stride, float *state) {
  v16 sums[CODE_SUMS];
  if (ready) ready_products(rows, blocks, kind, from, row, ready, ld, sums);
  else integer_products(rows, blocks, format, kind, from, row, numbers, BB_PAGE, w, next, sums);
  for (int r = 0; r < rows; r++)
    for (int b = 0; b < blocks; b++) {
      float *at = state + (row + r) * stride + b * 16;
      const v16 added = v_fma(sums[r * blocks + b], v_set(from->unit[row + r]), v_set(from->start[row + r]));
      v_store(at, v_fma(v_load(at), v_set(decay[row + r]), added));
    }
}

// Quantizes rows of 64 weights, weight * scale, and sums weight * middle.
INLINE void quantize_weight_rows(const int rows, const integer_kind kind, const float *weights, const float *scales,
                              const float *middles, int8_t *numbers, float *sums, float *start, prefetch_stream *next) {
  const size_t bytes = row_bytes(kind, BB_PAGE);
  const int summed = kind != UNSIGNED_BYTE;
  l16 sum[ATTEND_ROWS];
  v16 middle[ATTEND_ROWS];
  for (int r = 0; r < rows; r++) sum[r] = empty_sum(BB_PAGE), middle[r] = v_set(0);
  for (size_t i = 0; i < BB_PAGE; i += 16) {
    prefetch_during_compute(next);
    for (int r = 0; r < rows; r++) {
      const v16 weight = v_load(weights + r * BB_PAGE + i);
      const l16 whole = nearest_integers(weight, v_load(scales + i));
      store_integers(kind, whole, numbers + r * bytes + i, bytes);
      if (summed) sum[r] = l_add(sum[r], whole);
      middle[r] = v_fma(weight, v_load(middles + i), middle[r]);
    }
  }
  if (summed) sum_lanes(rows, sum, sums);
  v_sum_rows(rows, middle, start);
}

// The scales of tokens in [first, last) so that weights of at most 1 become numbers of the kind; returns their unit. What lies
// in other tokens does not count.
INLINE float fit_scales(const integer_kind kind, const float *scales, size_t first, size_t last, float *fitted) {
  v16 top = v_set(0);
  memset(fitted, 0, BB_PAGE * sizeof(float));
  memcpy(fitted + first, scales + first, (last - first) * sizeof(float));
  for (size_t i = 0; i < BB_PAGE; i += 16) top = v_max(v_abs(v_load(fitted + i)), top);
  const float max = v_reduce_max(top), factor = largest_integer(kind) / (max > 0x1p-100f ? max : 0x1p-100f);
  for (size_t i = 0; i < BB_PAGE; i += 16) v_store(fitted + i, v_mul(v_load(fitted + i), v_set(factor)));
  return max / largest_integer(kind);
}

// The weights of at most ATTEND_HEADS queries, [heads][64], at most 1 and 0 outside [first, last[query]), as integers for
// each group of components: to [groups], numbers [groups][heads][bytes][64]. Those of a query count `share` times.
INLINE void quantize_weights(const integer_kind kind, const float *weights, const float *share, size_t heads, size_t dv,
                          const bb_kv_block *values, size_t first, const size_t *last, integer_rows *to, int8_t *numbers,
                          prefetch_stream *next) {
  const size_t bytes = row_bytes(kind, BB_PAGE);
  const int all = first == 0 && last[0] == BB_PAGE;
  for (size_t at = 0, g = 0; at < dv; at += values->group, g++, to++, numbers += heads * bytes) {
    float scales[BB_PAGE], middles[BB_PAGE], fitted[BB_PAGE];
    memset(to, 0, sizeof *to);
    widen_scales(values, g * BB_PAGE, BB_PAGE, scales, middles);
    if (all) {
      v_store(to->unit, v_set(fit_scales(kind, scales, 0, BB_PAGE, fitted)));
      EACH_ROWS(quantize_weight_rows(rows, kind, weights + h * BB_PAGE, fitted, middles, numbers + h * bytes, to->sum + h,
                                  to->start + h, next));
    }
    for (size_t h = 0; !all && h < heads; h++) {
      to->unit[h] = fit_scales(kind, scales, first, last[h], fitted);
      quantize_weight_rows(1, kind, weights + h * BB_PAGE, fitted, middles, numbers + h * bytes, to->sum + h, to->start + h,
                        next);
    }
    v_store(to->unit, v_mul(v_load(to->unit), v_load(share)));
    v_store(to->start, v_mul(v_load(to->start), v_load(share)));
  }
}

// Adds the values of a page, for at most ATTEND_HEADS queries whose weights are quantized.
INLINE void coded_values(const bb_kv_format format, const integer_kind kind, const integer_rows *from, const int8_t *numbers,
                         const float *decay, size_t heads, size_t dv, const bb_kv_block *values, code_tiles tiles,
                         prefetch_stream *next, float *state) {
  const int by_tiles = goes_by_tiles(format, kind, tiles, heads, BB_PAGE);
  _Alignas(64) int32_t sums[by_tiles ? ATTEND_HEADS * dv : 1];
  const size_t column = BB_PAGE * 16 * code_bits(format) / 8, bytes = heads * integer_bytes(kind) * BB_PAGE;
  for (size_t first = 0; first < dv; first += values->group, from++, numbers += bytes) {
    const size_t last = dv - first < values->group ? dv : first + values->group;
    if (by_tiles)
      tiles(numbers, BB_PAGE, (const uint8_t *)values->entries + first / 16 * column, 64, column, (last - first) / 16, 1, next,
            sums + first, dv);
    // A column of 8 bits has work enough, and is read in the order of memory.
    EACH_ROWS(EACH_BLOCKS(rows, format == BB_KV_INT8 ? 1 : 4, first / 16, last / 16, {
      const code_lines w = {(const uint8_t *)values->entries + b * column, 64, column};
      tile_values(rows, blocks, format, kind, from, h, numbers, decay, w, by_tiles ? sums + b * 16 : NULL, dv, next, dv + 16,
                  state + b * 16);
    }));
  }
}
