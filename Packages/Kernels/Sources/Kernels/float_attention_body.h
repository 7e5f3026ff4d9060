// Attention over keys and values that are floats, with the queries and weights as they are.

// Vector `column` of two neighbouring rows of a page of floats, rows 2 * pair and the next, each of `width` vectors.
INLINE void load_pair(const bb_kv_format format, const void *entries, size_t pair, size_t column, size_t width, v16 *both) {
  const size_t line = pair * width + column;
  if (format == BB_KV_BF16) v_line_bf16((const uint8_t *)entries + line * 64, both);
  else if (format == BB_KV_F16) v_line_f16((const uint8_t *)entries + line * 64, both);
  else
    for (int odd = 0; odd < 2; odd++) both[odd] = v_load((const float *)entries + ((2 * pair + odd) * width + column) * 16);
}

// ---------------------------------------------------------------- scores

// Scores of `heads` queries [d] against the 64 tokens of a page; `heads` is a constant, which keeps the sums in registers.
INLINE void page_scores(const int heads, const bb_kv_format format, const float *q, size_t d, const void *keys,
                        prefetch_stream *next, float *scores) {
  const size_t lines = BB_PAGE * float_bytes(format) / 32;
  v16 sum[ATTEND_ROWS][PAGE_VECTORS];
  prefetch_stream ahead = *next;
  for (int h = 0; h < heads; h++)
    for (int j = 0; j < PAGE_VECTORS; j++) sum[h][j] = v_set(0);
  for (size_t i = 0; i < d; i += 2) {
    read_lines(&ahead, lines);
    for (int j = 0; j < PAGE_VECTORS; j++) {
      v16 k[2];
      load_pair(format, keys, i / 2, j, PAGE_VECTORS, k);
      for (int odd = 0; odd < 2 && i + odd < d; odd++)
        for (int h = 0; h < heads; h++) sum[h][j] = v_fma(k[odd], v_set(q[h * d + i + odd]), sum[h][j]);
    }
  }
  *next = ahead;
  for (int h = 0; h < heads; h++)
    for (int j = 0; j < PAGE_VECTORS; j++) v_store(scores + h * BB_PAGE + j * 16, sum[h][j]);
}

INLINE void exact_scores(const bb_kv_format format, const float *q, size_t heads, size_t d, const void *keys,
                         prefetch_stream *next, float *scores) {
  EACH_ROWS(page_scores(rows, format, q + h * d, d, keys, next, scores + h * BB_PAGE));
}

// ---------------------------------------------------------------- values

// Vectors of components that are summed together, of few queries: as a rule the whole head, which lies so in memory.
enum { MOST_VECTORS = 8 };

// state = state * decay + sum over tokens of weight * value, for `width` vectors of components from c on.
INLINE void add_exact_values(const int heads, const int width, const bb_kv_format format, const float *weights,
                             const float *decay, size_t dv, const void *values, prefetch_stream *next,
                             size_t first, size_t last, size_t c, float *state) {
  const size_t stride = dv + 16, lines = (width * 16 * float_bytes(format) + 31) / 32;
  v16 sum[ATTEND_ROWS][MOST_VECTORS];
  prefetch_stream ahead = *next;
  for (int h = 0; h < heads; h++)
    for (int j = 0; j < width; j++)
      sum[h][j] = v_mul(v_load(state + h * stride + c + j * 16), v_set(decay[h]));
  for (size_t t = first / 2 * 2; t < last; t += 2) {
    read_lines(&ahead, lines);
    for (int j = 0; j < width; j++) {
      v16 v[2];
      load_pair(format, values, t / 2, c / 16 + j, dv / 16, v);
      for (int odd = 0; odd < 2; odd++)
        for (int h = 0; h < heads; h++) sum[h][j] = v_fma(v[odd], v_set(weights[h * BB_PAGE + t + odd]), sum[h][j]);
    }
  }
  *next = ahead;
  for (int h = 0; h < heads; h++)
    for (int j = 0; j < width; j++) v_store(state + h * stride + c + j * 16, sum[h][j]);
}

INLINE void exact_values(const int heads, const bb_kv_format format, const float *weights, const float *decay,
                         size_t dv, const void *values, prefetch_stream *next, size_t first, size_t last, float *state) {
  const int most = heads > 2 ? MOST_VECTORS / 2 : MOST_VECTORS;
  size_t c = 0;
  for (; c + 16 * (size_t)most <= dv; c += 16 * (size_t)most)
    add_exact_values(heads, most, format, weights, decay, dv, values, next, first, last, c, state);
  for (; c + 64 <= dv; c += 64) add_exact_values(heads, 4, format, weights, decay, dv, values, next, first, last, c, state);
  for (; c < dv; c += 16) add_exact_values(heads, 1, format, weights, decay, dv, values, next, first, last, c, state);
}

INLINE void exact_values_of_heads(const bb_kv_format format, const float *weights, const float *decay, size_t heads,
                                  size_t dv, const void *values, prefetch_stream *next, size_t first, size_t last,
                                  float *state) {
  EACH_ROWS(exact_values(rows, format, weights + h * BB_PAGE, decay + h, dv, values, next, first, last,
                         state + h * (dv + 16)));
}
