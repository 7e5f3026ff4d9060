// Attention over pages of keys and values, included by kernels_body.h once for each instruction set. What is said of codes is in
// coded_attention_body.h.
//
// Keys of floats lie with 64 tokens side by side, so that a vector of scores is a sum over components; values lie with
// components side by side, so that a vector of results is a sum over tokens.

enum { PAGE_VECTORS = BB_PAGE / 16, CODE_BLOCKS = 2, ATTEND_HEADS = 8, MAX_KEY_GROUPS = 2 };

// Runs STATEMENT for the queries h below `heads`, for the constant number of `rows` of them at a time.
#define EACH_ROWS(STATEMENT)                                                 \
  do {                                                                       \
    enum { SOME = ATTEND_ROWS > 2 ? 2 : 1 };                                 \
    size_t h = 0;                                                            \
    for (; h + ATTEND_ROWS <= heads; h += ATTEND_ROWS) {                     \
      enum { rows = ATTEND_ROWS };                                           \
      STATEMENT;                                                             \
    }                                                                        \
    for (; h + SOME <= heads; h += SOME) {                                   \
      enum { rows = SOME };                                                  \
      STATEMENT;                                                             \
    }                                                                        \
    for (; SOME > 1 && h < heads; h++) {                                     \
      enum { rows = 1 };                                                     \
      STATEMENT;                                                             \
    }                                                                        \
  } while (0)

INLINE int is_coded(bb_kv_format format) { return format >= BB_KV_INT8; }
INLINE bb_float_format float_format(bb_kv_format format) {
  return format == BB_KV_F32 ? BB_F32 : format == BB_KV_F16 ? BB_F16 : BB_BF16;
}

#include "coded_attention_body.h"

// ---------------------------------------------------------------- scores

// Scores of `heads` queries [d] against the 64 tokens of a page; `heads` is a constant, which keeps the sums in registers.
INLINE void page_scores(const int heads, const bb_kv_format format, const float *q, size_t d, const void *keys,
                        float *scores) {
  v16 sum[ATTEND_ROWS][PAGE_VECTORS];
  for (int h = 0; h < heads; h++)
    for (int j = 0; j < PAGE_VECTORS; j++) sum[h][j] = v_set(0);
  for (size_t i = 0; i < d; i++) {
    v16 k[PAGE_VECTORS];
    for (int j = 0; j < PAGE_VECTORS; j++) k[j] = v_load_as(keys, float_format(format), i * BB_PAGE + j * 16);
    for (int h = 0; h < heads; h++)
      for (int j = 0; j < PAGE_VECTORS; j++) sum[h][j] = v_fma(k[j], v_set(q[h * d + i]), sum[h][j]);
  }
  for (int h = 0; h < heads; h++)
    for (int j = 0; j < PAGE_VECTORS; j++) v_store(scores + h * BB_PAGE + j * 16, sum[h][j]);
}

INLINE void exact_scores(const bb_kv_format format, const float *q, size_t heads, size_t d, const void *keys,
                         float *scores) {
  EACH_ROWS(page_scores(rows, format, q + h * d, d, keys, scores + h * BB_PAGE));
}

// Scores of at most ATTEND_HEADS queries.
static void scores_of_block(const float *q, size_t heads, size_t d, const bb_kv_block *keys, float *scores) {
  switch (keys->format) {
    case BB_KV_F32: exact_scores(BB_KV_F32, q, heads, d, keys->entries, scores); break;
    case BB_KV_F16: exact_scores(BB_KV_F16, q, heads, d, keys->entries, scores); break;
    case BB_KV_BF16: exact_scores(BB_KV_BF16, q, heads, d, keys->entries, scores); break;
    case BB_KV_INT8: coded_scores(BB_KV_INT8, q, heads, d, keys, scores); break;
    case BB_KV_INT4: coded_scores(BB_KV_INT4, q, heads, d, keys, scores); break;
    default: coded_scores(BB_KV_INT2, q, heads, d, keys, scores); break;
  }
}

static void key_scores(const float *q, size_t heads, size_t d, const bb_kv_block *keys, float *scores) {
  for (size_t h = 0; h < heads; h += ATTEND_HEADS)
    scores_of_block(q + h * d, heads - h < ATTEND_HEADS ? heads - h : ATTEND_HEADS, d, keys, scores + h * BB_PAGE);
}

// ---------------------------------------------------------------- weights

// scores -> weights exp(scale * score - maximum), 0 outside [first, n); the state's maximum and sum move on. Returns the
// factor that the values summed so far are to be multiplied by.
INLINE float page_softmax(float *scores, size_t first, size_t n, float scale, float *maximum, float *sum) {
  for (size_t i = 0; i < first; i++) scores[i] = -INFINITY;
  for (size_t i = n; i < BB_PAGE; i++) scores[i] = -INFINITY;
  v16 s[PAGE_VECTORS], highest = v_set(*maximum);
  for (int j = 0; j < PAGE_VECTORS; j++) {
    s[j] = v_mul(v_load(scores + j * 16), v_set(scale));
    highest = v_max(s[j], highest);
  }
  const float top = v_highest(highest);
  const v16 shift = v_set(top);
  v16 total = v_set(0);
  for (int j = 0; j < PAGE_VECTORS; j++) {
    const v16 e = v_exp(v_sub(s[j], shift));
    v_store(scores + j * 16, e);
    total = v_add(total, e);
  }
  float decay[16];
  v_store(decay, v_exp(v_set(*maximum - top)));
  *sum = fmaf(*sum, decay[0], v_sum(total));
  *maximum = top;
  return decay[0];
}

// ---------------------------------------------------------------- values

// state = state * decay + sum over tokens of weight * value, for `width` vectors of components from c on.
INLINE void add_exact_values(const int heads, const int width, const bb_kv_format format, const float *weights,
                             const float *decay, size_t dv, const void *values, size_t n, size_t c, float *state) {
  const size_t stride = dv + 16;
  v16 sum[ATTEND_ROWS][4];
  for (int h = 0; h < heads; h++)
    for (int j = 0; j < width; j++)
      sum[h][j] = v_mul(v_load(state + h * stride + c + j * 16), v_set(decay[h]));
  for (size_t t = 0; t < n; t++)
    for (int j = 0; j < width; j++) {
      const v16 v = v_load_as(values, float_format(format), t * dv + c + j * 16);
      for (int h = 0; h < heads; h++) sum[h][j] = v_fma(v, v_set(weights[h * BB_PAGE + t]), sum[h][j]);
    }
  for (int h = 0; h < heads; h++)
    for (int j = 0; j < width; j++) v_store(state + h * stride + c + j * 16, sum[h][j]);
}

INLINE void exact_values(const int heads, const bb_kv_format format, const float *weights, const float *decay,
                         size_t dv, const void *values, size_t n, float *state) {
  size_t c = 0;
  for (; c + 64 <= dv; c += 64) add_exact_values(heads, 4, format, weights, decay, dv, values, n, c, state);
  for (; c < dv; c += 16) add_exact_values(heads, 1, format, weights, decay, dv, values, n, c, state);
}

INLINE void exact_values_of_heads(const bb_kv_format format, const float *weights, const float *decay, size_t heads,
                                  size_t dv, const void *values, size_t n, float *state) {
  EACH_ROWS(exact_values(rows, format, weights + h * BB_PAGE, decay + h, dv, values, n, state + h * (dv + 16)));
}

// Adds what the first n tokens' values weigh, for at most ATTEND_HEADS queries; weights are 0 from n on.
static void add_values(const float *weights, const float *decay, size_t heads, size_t dv, const bb_kv_block *values,
                       size_t n, float *state) {
  const void *at = values->entries;
  switch (values->format) {
    case BB_KV_F32: exact_values_of_heads(BB_KV_F32, weights, decay, heads, dv, at, n, state); break;
    case BB_KV_F16: exact_values_of_heads(BB_KV_F16, weights, decay, heads, dv, at, n, state); break;
    case BB_KV_BF16: exact_values_of_heads(BB_KV_BF16, weights, decay, heads, dv, at, n, state); break;
    case BB_KV_INT8: coded_values(BB_KV_INT8, weights, decay, heads, dv, values, state); break;
    case BB_KV_INT4: coded_values(BB_KV_INT4, weights, decay, heads, dv, values, state); break;
    default: coded_values(BB_KV_INT2, weights, decay, heads, dv, values, state); break;
  }
}

// ---------------------------------------------------------------- one page

static void attend_some(const float *q, size_t heads, size_t d, const bb_kv_block *keys, const bb_kv_block *values,
                        size_t first, size_t n, float scale, float *state) {
  float scores[ATTEND_HEADS * BB_PAGE], decay[ATTEND_HEADS];
  const size_t dv = (d + 15) / 16 * 16, stride = dv + 16;
  scores_of_block(q, heads, d, keys, scores);
  for (size_t h = 0; h < heads; h++) {
    float *tail = state + h * stride + dv;
    decay[h] = page_softmax(scores + h * BB_PAGE, first, n, scale, tail, tail + 1);
  }
  add_values(scores, decay, heads, dv, values, n, state);
}

static void attend(const float *q, size_t heads, size_t d, const bb_kv_block *keys, const bb_kv_block *values,
                   size_t first, size_t n, float scale, float *state) {
  const size_t stride = (d + 15) / 16 * 16 + 16;
  for (size_t h = 0; h < heads; h += ATTEND_HEADS)
    attend_some(q + h * d, heads - h < ATTEND_HEADS ? heads - h : ATTEND_HEADS, d, keys, values, first, n,
                scale, state + h * stride);
}
