// 8-bit floats on both sides, y[t][r] = (sum over k of weight[r][k] * x[t][k]) * scale[t] * scale[r]: the products of bf16_body.h
// and their order. Weights and activations are multiples of 2^-9, so that no product and no sum is a denormal number.
//
// One token takes lines as they come, of two blocks at a time, since a sum alone waits for itself. Several tokens take panels: weights
// that were made floats once lie in the first-level cache beside the tokens, which are floats there too.

#include "tiles.h"

enum {
  FLOAT8_PAIRS = 64,   // of inputs in a panel
  FLOAT8_TOKENS = 48,  // of a pass
  FLOAT8_BLOCKS = 4,   // that take the same floats of a pass's tokens
};

// Writes the sums of a token and block, scaled.
INLINE void store_scaled(const bb_matrix *m, const bb_activations *x, v16 sum, size_t token, size_t block, float *y, size_t ldy) {
  const v16 scaled = v_mul(v_mul(sum, v_set(x->scales[token])), v_load_as(m->scales, m->scale_format, block * 16));
  const size_t rows = m->rows - block * 16;
  float *const out = y + token * ldy + block * 16;
  if (rows >= 16) v_store(out, scaled);
  else store_first(out, scaled, rows);
}

// One token times `blocks` blocks, at most 2, a constant where this is inlined.
INLINE void float8_alone(const int blocks, const bb_matrix *m, const bb_activations *x, float *y, size_t ldy, size_t block) {
  const size_t stride = bb_block_bytes(BB_ROWS_FLOAT8, m->inputs), pairs = (m->inputs + 1) / 2;
  const uint8_t *line = m->lines + block * stride;
  const uint16_t *values = x->values;
  v16 sum[2] = {v_set(0), v_set(0)}, even[2], odd[2], w[4];
  size_t pair = 0;
  for (; pair + 2 <= pairs; pair += 2, line += 64, values += 4) {
    for (int p = 0; p < 2; p++) v_pair(values + 2 * p, &even[p], &odd[p]);
    for (int b = 0; b < blocks; b++) {
      v_line_float8(line + b * stride, w);
      if (PREFETCH_ALONE > 0) __builtin_prefetch(line + b * stride + PREFETCH_ALONE, 0, 2);
      for (int p = 0; p < 2; p++) sum[b] = v_fma(w[2 * p], even[p], v_fma(w[2 * p + 1], odd[p], sum[b]));
    }
  }
  if (pair < pairs) {
    v_pair(values, &even[0], &odd[0]);
    for (int b = 0; b < blocks; b++) {
      v_line_float8(line + b * stride, w);
      sum[b] = v_fma(w[0], even[0], v_fma(w[1], odd[0], sum[b]));
    }
  }
  for (int b = 0; b < blocks; b++) store_scaled(m, x, sum[b], 0, block + b, y, ldy);
}

// Adds the products of a panel and some tokens, whose number is a constant where this is inlined, to their sums.
INLINE void float8_tile(const int tokens, const float *panel, const float *x, size_t pairs, float (*sums)[16]) {
  v16 sum[FLOAT8_TILE];
  EACH_TOKEN(t) sum[t] = v_load(sums[t]);
  for (size_t pair = 0; pair < pairs; pair++, panel += 32, x += 2) {
    const v16 even = v_load(panel), odd = v_load(panel + 16);
    EACH_TOKEN(t) sum[t] = v_fma(odd, v_set(x[t * 2 * FLOAT8_PAIRS + 1]), sum[t]);
    EACH_TOKEN(t) sum[t] = v_fma(even, v_set(x[t * 2 * FLOAT8_PAIRS]), sum[t]);
  }
  EACH_TOKEN(t) v_store(sums[t], sum[t]);
}

// `blocks` blocks times `count` tokens from `first` on.
static void float8_blocks(const bb_matrix *m, const bb_activations *x, size_t first, size_t count, float *y, size_t ldy,
                          size_t block, size_t blocks) {
  const size_t stride = bb_block_bytes(BB_ROWS_FLOAT8, m->inputs), all = (m->inputs + 1) / 2;
  _Alignas(64) float panel[FLOAT8_PAIRS * 32], wide[FLOAT8_TOKENS * 2 * FLOAT8_PAIRS];
  _Alignas(64) float sums[FLOAT8_BLOCKS][FLOAT8_TOKENS][16];
  memset(sums, 0, sizeof sums);
  for (size_t start = 0; start < all; start += FLOAT8_PAIRS) {
    const size_t pairs = all - start < FLOAT8_PAIRS ? all - start : FLOAT8_PAIRS;
    for (size_t t = 0; t < count; t++)
      widen((const uint16_t *)((const uint8_t *)x->values + (first + t) * x->stride) + 2 * start, BB_BF16,
            wide + t * 2 * FLOAT8_PAIRS, 2 * pairs);
    for (size_t i = 0; i < blocks; i++) {
      const uint8_t *line = m->lines + (block + i) * stride + start / 2 * 64;
      float (*const own)[16] = sums[i];
      for (size_t pair = 0; pair < pairs; pair += 2, line += 64) {
        v16 w[4];
        v_line_float8(line, w);
        __builtin_prefetch(line + FLOAT8_PAIRS / 2 * 64, 0, 2);
        for (int j = 0; j < 4; j++) v_store(panel + (2 * pair + j) * 16, w[j]);
      }
      EACH_TILE(FLOAT8_TILE, 0, count, 1, float8_tile(tokens, panel, wide + token * 2 * FLOAT8_PAIRS, pairs, own + token));
    }
  }
  for (size_t t = 0; t < count; t++)
    for (size_t i = 0; i < blocks; i++) store_scaled(m, x, v_load(sums[i][t]), first + t, block + i, y, ldy);
}

static void multiply_float8(const bb_matrix *m, const bb_activations *x, size_t tokens, float *y, size_t ldy, size_t first,
                            size_t last) {
  if (tokens == 1) {
    size_t block = first;
    for (; block + 2 <= last; block += 2) float8_alone(2, m, x, y, ldy, block);
    if (block < last) float8_alone(1, m, x, y, ldy, block);
    return;
  }
  for (size_t token = 0; token < tokens; token += FLOAT8_TOKENS)
    for (size_t block = first; block < last; block += FLOAT8_BLOCKS) {
      const size_t count = tokens - token < FLOAT8_TOKENS ? tokens - token : FLOAT8_TOKENS;
      float8_blocks(m, x, token, count, y, ldy, block, last - block < FLOAT8_BLOCKS ? last - block : FLOAT8_BLOCKS);
    }
}
