// Attention over pages of keys and values, included by kernels_body.h once for each instruction set. What is said of codes is in
// coded_attention_body.h.
//
// Keys of floats lie with 64 tokens side by side, so that a vector of scores is a sum over components; values lie with
// components side by side, so that a vector of results is a sum over tokens. Of floats of 16 bits, two neighbours in the
// sum share a lane.

enum { PAGE_VECTORS = BB_PAGE / 16, CODE_BLOCKS = 2, ATTEND_HEADS = 16, ATTEND_TOGETHER = 64, MAX_KEY_GROUPS = 2 };

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
INLINE size_t float_bytes(bb_kv_format format) { return format == BB_KV_F32 ? 4 : 2; }
// Asks for `bytes` bytes that will be read soon; into the second-level cache, since few requests of the first may be open.
INLINE void fetch(const void *at, size_t bytes) {
  for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch((const uint8_t *)at + i, 0, 2);
}
INLINE bb_float_format float_format(bb_kv_format format) {
  return format == BB_KV_F32 ? BB_F32 : format == BB_KV_F16 ? BB_F16 : BB_BF16;
}

// Vector `column` of two neighbouring rows of a page of floats, rows 2 * pair and the next, each of `width` vectors.
INLINE void load_pair(const bb_kv_format format, const void *entries, size_t pair, size_t column, size_t width, v16 *both) {
  const size_t line = pair * width + column;
  if (format == BB_KV_BF16) v_line_bf16((const uint8_t *)entries + line * 64, both);
  else if (format == BB_KV_F16) v_line_f16((const uint8_t *)entries + line * 64, both);
  else
    for (int odd = 0; odd < 2; odd++) both[odd] = v_load((const float *)entries + ((2 * pair + odd) * width + column) * 16);
}

#include "coded_attention_body.h"
#include "denormals.h"

// ---------------------------------------------------------------- scores

// Scores of `heads` queries [d] against the 64 tokens of a page; `heads` is a constant, which keeps the sums in registers.
INLINE void page_scores(const int heads, const bb_kv_format format, const float *q, size_t d, const void *keys,
                        const uint8_t *ahead, float *scores) {
  const size_t bytes = BB_PAGE * float_bytes(format);
  v16 sum[ATTEND_ROWS][PAGE_VECTORS];
  for (int h = 0; h < heads; h++)
    for (int j = 0; j < PAGE_VECTORS; j++) sum[h][j] = v_set(0);
  for (size_t i = 0; i < d; i += 2) {
    fetch(ahead + i * bytes, 2 * bytes);
    for (int j = 0; j < PAGE_VECTORS; j++) {
      v16 k[2];
      load_pair(format, keys, i / 2, j, PAGE_VECTORS, k);
      for (int odd = 0; odd < 2 && i + odd < d; odd++)
        for (int h = 0; h < heads; h++) sum[h][j] = v_fma(k[odd], v_set(q[h * d + i + odd]), sum[h][j]);
    }
  }
  for (int h = 0; h < heads; h++)
    for (int j = 0; j < PAGE_VECTORS; j++) v_store(scores + h * BB_PAGE + j * 16, sum[h][j]);
}

INLINE void exact_scores(const bb_kv_format format, const float *q, size_t heads, size_t d, const void *keys,
                         const uint8_t *ahead, float *scores) {
  EACH_ROWS(page_scores(rows, format, q + h * d, d, keys, ahead, scores + h * BB_PAGE));
}

// Scores of the queries from `first` on, at most ATTEND_HEADS; what lies at `ahead` is fetched meanwhile.
static void scores_of_block(split_queries *queries, size_t first, size_t heads, const bb_kv_block *keys,
                            const uint8_t *ahead, float *scores) {
  const float *q = queries->q + first * queries->d;
  const size_t d = queries->d;
  switch (keys->format) {
    case BB_KV_F32: exact_scores(BB_KV_F32, q, heads, d, keys->entries, ahead, scores); break;
    case BB_KV_F16: exact_scores(BB_KV_F16, q, heads, d, keys->entries, ahead, scores); break;
    case BB_KV_BF16: exact_scores(BB_KV_BF16, q, heads, d, keys->entries, ahead, scores); break;
    case BB_KV_INT8: coded_scores(BB_KV_INT8, queries, first, heads, keys, ahead, scores); break;
    case BB_KV_INT4: coded_scores(BB_KV_INT4, queries, first, heads, keys, ahead, scores); break;
    default: coded_scores(BB_KV_INT2, queries, first, heads, keys, ahead, scores); break;
  }
}

static void key_scores(const float *q, size_t heads, size_t d, const bb_kv_block *keys, float *scores) {
  for (size_t h = 0; h < heads; h += ATTEND_HEADS) {
    const size_t some = heads - h < ATTEND_HEADS ? heads - h : ATTEND_HEADS;
    SPLIT_QUERIES(queries, q + h * d, some, d);
    scores_of_block(&queries, 0, some, keys, keys->entries, scores + h * BB_PAGE);
  }
}

// ---------------------------------------------------------------- weights

// scores -> weights exp(scale * score - maximum), 0 outside [first, last); the state's maximum and sum move on. Returns the
// factor that the values summed so far are to be multiplied by.
INLINE float page_softmax(float *scores, size_t first, size_t last, float scale, float *maximum, float *sum) {
  for (size_t i = 0; i < first; i++) scores[i] = -INFINITY;
  for (size_t i = last; i < BB_PAGE; i++) scores[i] = -INFINITY;
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
  float decay[16] = {1};  // exp(0), where no score is higher, which is the rule
  if (top != *maximum) v_store(decay, v_exp(v_set(*maximum - top)));
  *sum = fmaf(*sum, decay[0], v_sum(total));
  *maximum = top;
  return decay[0];
}

// ---------------------------------------------------------------- values

// state = state * decay + sum over tokens of weight * value, for `width` vectors of components from c on.
INLINE void add_exact_values(const int heads, const int width, const bb_kv_format format, const float *weights,
                             const float *decay, size_t dv, const void *values, const uint8_t *ahead,
                             size_t first, size_t last, size_t c, float *state) {
  const size_t stride = dv + 16, bytes = width * 16 * float_bytes(format);
  v16 sum[ATTEND_ROWS][4];
  for (int h = 0; h < heads; h++)
    for (int j = 0; j < width; j++)
      sum[h][j] = v_mul(v_load(state + h * stride + c + j * 16), v_set(decay[h]));
  for (size_t t = first / 2 * 2; t < last; t += 2) {
    fetch(ahead + (c * BB_PAGE + t * width * 16) * float_bytes(format), 2 * bytes);
    for (int j = 0; j < width; j++) {
      v16 v[2];
      load_pair(format, values, t / 2, c / 16 + j, dv / 16, v);
      for (int odd = 0; odd < 2; odd++)
        for (int h = 0; h < heads; h++) sum[h][j] = v_fma(v[odd], v_set(weights[h * BB_PAGE + t + odd]), sum[h][j]);
    }
  }
  for (int h = 0; h < heads; h++)
    for (int j = 0; j < width; j++) v_store(state + h * stride + c + j * 16, sum[h][j]);
}

INLINE void exact_values(const int heads, const bb_kv_format format, const float *weights, const float *decay,
                         size_t dv, const void *values, const uint8_t *ahead, size_t first, size_t last, float *state) {
  size_t c = 0;
  for (; c + 64 <= dv; c += 64) add_exact_values(heads, 4, format, weights, decay, dv, values, ahead, first, last, c, state);
  for (; c < dv; c += 16) add_exact_values(heads, 1, format, weights, decay, dv, values, ahead, first, last, c, state);
}

INLINE void exact_values_of_heads(const bb_kv_format format, const float *weights, const float *decay, size_t heads,
                                  size_t dv, const void *values, const uint8_t *ahead, size_t first, size_t last,
                                  float *state) {
  EACH_ROWS(exact_values(rows, format, weights + h * BB_PAGE, decay + h, dv, values, ahead, first, last,
                         state + h * (dv + 16)));
}

// Adds what the values of the tokens [first, last) weigh, for at most ATTEND_HEADS queries; other weights are 0.
static void add_values(const float *weights, const float *decay, size_t heads, size_t dv, const bb_kv_block *values,
                       const uint8_t *ahead, size_t first, size_t last, float *state) {
  const void *at = values->entries;
  switch (values->format) {
    case BB_KV_F32: exact_values_of_heads(BB_KV_F32, weights, decay, heads, dv, at, ahead, first, last, state); break;
    case BB_KV_F16: exact_values_of_heads(BB_KV_F16, weights, decay, heads, dv, at, ahead, first, last, state); break;
    case BB_KV_BF16: exact_values_of_heads(BB_KV_BF16, weights, decay, heads, dv, at, ahead, first, last, state); break;
    case BB_KV_INT8: coded_values(BB_KV_INT8, weights, decay, heads, dv, values, ahead, state); break;
    case BB_KV_INT4: coded_values(BB_KV_INT4, weights, decay, heads, dv, values, ahead, state); break;
    default: coded_values(BB_KV_INT2, weights, decay, heads, dv, values, ahead, state); break;
  }
}

// ---------------------------------------------------------------- pages

INLINE bb_kv_block block_of_head(bb_kv_block block, size_t offset) {
  block.entries = (const uint8_t *)block.entries + offset;
  if (block.scales) block.scales = (const uint8_t *)block.scales + offset;
  if (block.offsets) block.offsets = (const uint8_t *)block.offsets + offset;
  return block;
}

// Fetches the scales and offsets of a block.
INLINE void fetch_scales(const bb_kv_block *block, size_t dv) {
  if (!is_coded(block->format)) return;
  const int is_along_tokens = block->axis == BB_KV_ALONG_TOKENS;
  const size_t groups = ((is_along_tokens ? BB_PAGE : dv) + block->group - 1) / block->group;
  const size_t bytes = groups * (is_along_tokens ? dv : BB_PAGE) * (block->scale_format == BB_F32 ? 4 : 2);
  fetch(block->scales, bytes);
  if (block->offsets) fetch(block->offsets, bytes);
}

// Tokens of a piece that query `row` sees, where `heads` queries belong to a token.
INLINE size_t last_seen(const bb_kv_piece *piece, size_t row, size_t heads) {
  if (piece->seen >= (ptrdiff_t)piece->last) return piece->last;
  const ptrdiff_t last = piece->seen + (ptrdiff_t)(row / heads);
  return last <= (ptrdiff_t)piece->first ? piece->first : (size_t)last < piece->last ? (size_t)last : piece->last;
}

// As `attend`, for the queries [from, from + rows), at most ATTEND_TOGETHER; `state` is that of the first of them. Not inlined,
// so that no arithmetic leaves the region where denormals are 0.
static __attribute__((noinline)) void attend_together(const float *q, size_t from, size_t rows, size_t heads, size_t d,
                                                      const bb_kv_piece *pieces, size_t count, size_t kv_head,
                                                      float scale, bb_pair_products products, float *state) {
  const size_t dv = (d + 15) / 16 * 16, stride = dv + 16, even = (d + 1) / 2 * 2;
  SPLIT_QUERIES(queries, q + from * d, rows, d);
  _Alignas(64) uint16_t halves[products ? rows * even : 1], weights[ATTEND_HEADS * BB_PAGE];
  for (size_t r = 0; products && r < rows; r++) {
    halves[r * even + even - 1] = 0;
    narrow_to_bf16(q + (from + r) * d, halves + r * even, d);
  }
  for (size_t p = 0; p < count; p++) {
    const bb_kv_piece *piece = pieces + p, *next = pieces + (p + 1 < count ? p + 1 : p);
    const bb_kv_block keys = block_of_head(piece->keys, kv_head * piece->head_bytes);
    const bb_kv_block values = block_of_head(piece->values, kv_head * piece->head_bytes);
    // The next page is fetched while this one is read: heads and pages are too short for the processor to foresee.
    const bb_kv_block later_keys = block_of_head(next->keys, kv_head * next->head_bytes);
    const bb_kv_block later_values = block_of_head(next->values, kv_head * next->head_bytes);
    const uint8_t *next_keys = later_keys.entries, *next_values = later_values.entries;
    fetch_scales(&later_keys, dv);
    fetch_scales(&later_values, dv);
    const int paired_keys = products && keys.format == BB_KV_BF16, paired_values = products && values.format == BB_KV_BF16;
    for (size_t first = 0; first < rows; first += ATTEND_HEADS) {
      const size_t some = rows - first < ATTEND_HEADS ? rows - first : ATTEND_HEADS;
      float scores[ATTEND_HEADS * BB_PAGE], decay[ATTEND_HEADS], *at = state + first * stride;
      if (paired_keys)
        products(halves + first * even, even, some, keys.entries, next_keys, PAGE_VECTORS, even / 2, NULL, scores, BB_PAGE);
      else scores_of_block(&queries, first, some, &keys, next_keys, scores);
      for (size_t h = 0; h < some; h++) {
        float *tail = at + h * stride + dv;
        const size_t last = last_seen(piece, from + first + h, heads);
        decay[h] = page_softmax(scores + h * BB_PAGE, piece->first, last, scale, tail, tail + 1);
      }
      const size_t last = last_seen(piece, from + first + some - 1, heads);
      if (paired_values) {
        const size_t pair = piece->first / 2, bytes = pair * dv * 4;
        narrow_to_bf16(scores, weights, some * BB_PAGE);
        products(weights + 2 * pair, BB_PAGE, some, (const uint8_t *)values.entries + bytes, next_values + bytes, dv / 16,
                 (last + 1) / 2 - pair, decay, at, stride);
      } else {
        add_values(scores, decay, some, dv, &values, next_values, piece->first, last, at);
      }
      next_keys = keys.entries;
      next_values = values.entries;
    }
  }
}

static void attend(const float *q, size_t tokens, size_t heads, size_t d, const bb_kv_piece *pieces, size_t count,
                   size_t kv_head, float scale, bb_pair_products products, float *state) {
  const size_t stride = (d + 15) / 16 * 16 + 16, rows = tokens * heads;
  const uint64_t before = products ? bb_flush_denormals() : 0;
  for (size_t first = 0; first < rows; first += ATTEND_TOGETHER) {
    const size_t some = rows - first < ATTEND_TOGETHER ? rows - first : ATTEND_TOGETHER;
    attend_together(q, first, some, heads, d, pieces, count, kv_head, scale, products, state + first * stride);
  }
  if (products) bb_restore_denormals(before);
}
