// Attention over pages of keys and values, included by kernels_body.h once for each instruction set.
//
// Keys lie with 64 tokens side by side, so that a vector of scores is a sum over components; values lie with
// components side by side, so that a vector of results is a sum over tokens. Codes take part as the whole numbers they
// are: a scale is multiplied into the query (keys) or into the token's weight (values) beforehand, and what the
// offsets add is one number for each query and group.

enum { PAGE_VECTORS = BB_PAGE / 16, ATTEND_HEADS = 8, MAX_KEY_GROUPS = 2 };

INLINE int is_coded(bb_kv_format format) { return format >= BB_KV_INT8; }
// Vectors of codes in a line of 64 bytes.
INLINE int code_vectors(bb_kv_format format) {
  return format == BB_KV_INT8 ? 4 : format == BB_KV_INT4 ? 8 : 16;
}
INLINE bb_float_format float_format(bb_kv_format format) {
  return format == BB_KV_F32 ? BB_F32 : format == BB_KV_F16 ? BB_F16 : BB_BF16;
}

INLINE void decode_codes(bb_kv_format format, const uint8_t *line, v16 *w) {
  if (format == BB_KV_INT8) v_line_int8(line, w);
  else if (format == BB_KV_INT4) v_line_int4(line, w);
  else v_line_int2(line, w);
}

// The offset of group `at`, where offsets are not stored those of the middle code.
INLINE v16 load_offset(const bb_kv_block *b, v16 scale, size_t at) {
  if (b->offsets) return v_load_as(b->offsets, b->scale_format, at);
  return v_mul(scale, v_set(b->format == BB_KV_INT8 ? -128.0f : b->format == BB_KV_INT4 ? -8.0f : -2.0f));
}

// ---------------------------------------------------------------- scores

// Scores of `heads` queries against the 64 tokens of a page. q: [heads][groups][d], start: [heads][groups]; both
// `heads` and `groups` are constants, which keeps the sums in registers.
INLINE void page_scores(const int heads, const bb_kv_format format, const int groups, const float *q,
                        const float *start, size_t d, const void *keys, float *scores) {
  v16 sum[ATTEND_ROWS][PAGE_VECTORS];
  for (int h = 0; h < heads; h++)
    for (int j = 0; j < PAGE_VECTORS; j++) sum[h][j] = v_set(start[h * groups + j * groups / PAGE_VECTORS]);
  const int step = is_coded(format) ? code_vectors(format) / PAGE_VECTORS : 1;
  for (size_t i = 0; i < d; i += step) {
    v16 k[16];
    if (is_coded(format)) decode_codes(format, (const uint8_t *)keys + i / step * 64, k);
    else
      for (int j = 0; j < PAGE_VECTORS; j++) k[j] = v_load_as(keys, float_format(format), i * BB_PAGE + j * 16);
    for (int c = 0; c < step; c++)
      for (int h = 0; h < heads; h++)
        for (int j = 0; j < PAGE_VECTORS; j++) {
          const size_t at = (h * groups + j * groups / PAGE_VECTORS) * d + i + c;
          sum[h][j] = v_fma(k[c * PAGE_VECTORS + j], v_set(q[at]), sum[h][j]);
        }
  }
  for (int h = 0; h < heads; h++)
    for (int j = 0; j < PAGE_VECTORS; j++) v_store(scores + h * BB_PAGE + j * 16, sum[h][j]);
}

INLINE void scores_of_heads(const bb_kv_format format, const int groups, const float *q, const float *start,
                            size_t heads, size_t d, const void *keys, float *scores) {
  size_t h = 0;
  for (; h + ATTEND_ROWS <= heads; h += ATTEND_ROWS)
    page_scores(ATTEND_ROWS, format, groups, q + h * groups * d, start + h * groups, d, keys, scores + h * BB_PAGE);
  if (ATTEND_ROWS > 2)
    for (; h + 2 <= heads; h += 2)
      page_scores(ATTEND_ROWS > 2 ? 2 : 1, format, groups, q + h * groups * d, start + h * groups, d, keys,
                  scores + h * BB_PAGE);
  for (; h < heads; h++)
    page_scores(1, format, groups, q + h * groups * d, start + h * groups, d, keys, scores + h * BB_PAGE);
}

INLINE void coded_scores(const bb_kv_format format, const float *q, const float *start, size_t heads, size_t d,
                         const bb_kv_block *keys, float *scores) {
  if (keys->group == BB_PAGE) scores_of_heads(format, 1, q, start, heads, d, keys->entries, scores);
  else scores_of_heads(format, 2, q, start, heads, d, keys->entries, scores);
}

// Queries times the scales of each group, [heads][groups][d rounded up to 16], and the products of queries and offsets.
INLINE void scale_queries(const float *q, size_t heads, size_t d, const bb_kv_block *keys, float *scaled,
                          float *start) {
  const size_t groups = BB_PAGE / keys->group, padded = (d + 15) / 16 * 16;
  for (size_t h = 0; h < heads; h++)
    for (size_t g = 0; g < groups; g++) {
      v16 sum = v_set(0);
      for (size_t i = 0; i < d; i += 16) {
        const v16 s = v_load_as(keys->scales, keys->scale_format, g * padded + i);
        const v16 x = i + 16 <= d ? v_load(q + h * d + i) : load_first(q + h * d + i, d - i, 0);
        v_store(scaled + (h * groups + g) * padded + i, v_mul(x, s));
        sum = v_fma(x, load_offset(keys, s, g * padded + i), sum);
      }
      start[h * groups + g] = v_sum(sum);
    }
}

// Scores of at most ATTEND_HEADS queries.
static void scores_of_block(const float *q, size_t heads, size_t d, const bb_kv_block *keys, float *scores) {
  float start[ATTEND_HEADS * MAX_KEY_GROUPS];
  if (is_coded(keys->format)) {
    const size_t padded = (d + 15) / 16 * 16;
    float scaled[heads * (BB_PAGE / keys->group) * padded];
    scale_queries(q, heads, d, keys, scaled, start);
    switch (keys->format) {
      case BB_KV_INT8: coded_scores(BB_KV_INT8, scaled, start, heads, padded, keys, scores); break;
      case BB_KV_INT4: coded_scores(BB_KV_INT4, scaled, start, heads, padded, keys, scores); break;
      default: coded_scores(BB_KV_INT2, scaled, start, heads, padded, keys, scores); break;
    }
    return;
  }
  memset(start, 0, sizeof start);
  switch (keys->format) {
    case BB_KV_F32: scores_of_heads(BB_KV_F32, 1, q, start, heads, d, keys->entries, scores); break;
    case BB_KV_F16: scores_of_heads(BB_KV_F16, 1, q, start, heads, d, keys->entries, scores); break;
    default: scores_of_heads(BB_KV_BF16, 1, q, start, heads, d, keys->entries, scores); break;
  }
}

static void key_scores(const float *q, size_t heads, size_t d, const bb_kv_block *keys, float *scores) {
  for (size_t h = 0; h < heads; h += ATTEND_HEADS)
    scores_of_block(q + h * d, heads - h < ATTEND_HEADS ? heads - h : ATTEND_HEADS, d, keys, scores + h * BB_PAGE);
}

// ---------------------------------------------------------------- weights

// scores -> weights exp(scale * score - maximum), 0 from n on; the state's maximum and sum move on. Returns the factor
// that the values summed so far are to be multiplied by.
INLINE float page_softmax(float *scores, size_t n, float scale, float *maximum, float *sum) {
  for (size_t i = n; i < BB_PAGE; i++) scores[i] = -INFINITY;
  v16 s[PAGE_VECTORS], highest = v_set(*maximum);
  for (int j = 0; j < PAGE_VECTORS; j++) {
    s[j] = v_mul(v_load(scores + j * 16), v_set(scale));
    highest = v_max(s[j], highest);
  }
  float lanes[16];
  v_store(lanes, highest);
  for (int i = 1; i < 16; i++) lanes[0] = lanes[i] > lanes[0] ? lanes[i] : lanes[0];
  const v16 shift = v_set(lanes[0]);
  v16 total = v_set(0);
  for (int j = 0; j < PAGE_VECTORS; j++) {
    const v16 e = v_exp(v_sub(s[j], shift));
    v_store(scores + j * 16, e);
    total = v_add(total, e);
  }
  float decay[16];
  v_store(decay, v_exp(v_set(*maximum - lanes[0])));
  *sum = fmaf(*sum, decay[0], v_sum(total));
  *maximum = lanes[0];
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

// The same for one vector of components whose values are codes. weights: [heads][64], each times the token's scale;
// start: what the offsets add. Tokens go into four sums in turn.
INLINE void add_coded_values(const int heads, const bb_kv_format format, const float *weights, const float *start,
                             const float *decay, size_t dv, const uint8_t *lines, size_t c, float *state) {
  const int step = code_vectors(format);
  const size_t stride = dv + 16;
  v16 sum[ATTEND_ROWS][4];
  for (int h = 0; h < heads; h++)
    for (int j = 0; j < 4; j++) sum[h][j] = v_set(0);
  for (size_t t = 0; t < BB_PAGE; t += step) {
    v16 v[16];
    decode_codes(format, lines + t / step * 64, v);
    for (int i = 0; i < step; i++)
      for (int h = 0; h < heads; h++) sum[h][i & 3] = v_fma(v[i], v_set(weights[h * BB_PAGE + t + i]), sum[h][i & 3]);
  }
  for (int h = 0; h < heads; h++) {
    v16 total = v_add(v_add(sum[h][0], sum[h][1]), v_add(sum[h][2], sum[h][3]));
    total = v_add(total, v_set(start[h]));
    float *at = state + h * stride + c;
    v_store(at, v_fma(v_load(at), v_set(decay[h]), total));
  }
}

INLINE void exact_values(const int heads, const bb_kv_format format, const float *weights, const float *decay,
                         size_t dv, const void *values, size_t n, float *state) {
  size_t c = 0;
  for (; c + 64 <= dv; c += 64) add_exact_values(heads, 4, format, weights, decay, dv, values, n, c, state);
  for (; c < dv; c += 16) add_exact_values(heads, 1, format, weights, decay, dv, values, n, c, state);
}

INLINE void coded_values(const int heads, const bb_kv_format format, const float *weights, const float *decay,
                         size_t dv, const bb_kv_block *values, float *state) {
  const size_t groups = (dv + values->group - 1) / values->group;
  const size_t column = BB_PAGE / code_vectors(format) * 64;
  for (size_t g = 0; g < groups; g++) {
    float scaled[ATTEND_ROWS * BB_PAGE], start[ATTEND_ROWS];
    v16 sum[ATTEND_ROWS];
    for (int h = 0; h < heads; h++) sum[h] = v_set(0);
    for (size_t t = 0; t < BB_PAGE; t += 16) {
      const v16 s = v_load_as(values->scales, values->scale_format, g * BB_PAGE + t);
      const v16 offset = load_offset(values, s, g * BB_PAGE + t);
      for (int h = 0; h < heads; h++) {
        const v16 w = v_load(weights + h * BB_PAGE + t);
        v_store(scaled + h * BB_PAGE + t, v_mul(w, s));
        sum[h] = v_fma(w, offset, sum[h]);
      }
    }
    for (int h = 0; h < heads; h++) start[h] = v_sum(sum[h]);
    const size_t end = (g + 1) * values->group < dv ? (g + 1) * values->group : dv;
    for (size_t c = g * values->group; c < end; c += 16)
      add_coded_values(heads, format, scaled, start, decay, dv,
                       (const uint8_t *)values->entries + c / 16 * column, c, state);
  }
}

INLINE void values_of_heads(const int heads, const float *weights, const float *decay, size_t dv,
                            const bb_kv_block *values, size_t n, float *state) {
  switch (values->format) {
    case BB_KV_F32: exact_values(heads, BB_KV_F32, weights, decay, dv, values->entries, n, state); break;
    case BB_KV_F16: exact_values(heads, BB_KV_F16, weights, decay, dv, values->entries, n, state); break;
    case BB_KV_BF16: exact_values(heads, BB_KV_BF16, weights, decay, dv, values->entries, n, state); break;
    case BB_KV_INT8: coded_values(heads, BB_KV_INT8, weights, decay, dv, values, state); break;
    case BB_KV_INT4: coded_values(heads, BB_KV_INT4, weights, decay, dv, values, state); break;
    default: coded_values(heads, BB_KV_INT2, weights, decay, dv, values, state); break;
  }
}

// ---------------------------------------------------------------- one page

static void attend_some(const float *q, size_t heads, size_t d, const bb_kv_block *keys, const bb_kv_block *values,
                        size_t n, float scale, float *state) {
  float scores[ATTEND_HEADS * BB_PAGE], decay[ATTEND_HEADS];
  const size_t dv = (d + 15) / 16 * 16, stride = dv + 16;
  scores_of_block(q, heads, d, keys, scores);
  for (size_t h = 0; h < heads; h++) {
    float *tail = state + h * stride + dv;
    decay[h] = page_softmax(scores + h * BB_PAGE, n, scale, tail, tail + 1);
  }
  size_t h = 0;
  for (; h + ATTEND_ROWS <= heads; h += ATTEND_ROWS)
    values_of_heads(ATTEND_ROWS, scores + h * BB_PAGE, decay + h, dv, values, n, state + h * stride);
  if (ATTEND_ROWS > 2)
    for (; h + 2 <= heads; h += 2)
      values_of_heads(ATTEND_ROWS > 2 ? 2 : 1, scores + h * BB_PAGE, decay + h, dv, values, n, state + h * stride);
  for (; h < heads; h++) values_of_heads(1, scores + h * BB_PAGE, decay + h, dv, values, n, state + h * stride);
}

static void attend(const float *q, size_t heads, size_t d, const bb_kv_block *keys, const bb_kv_block *values,
                   size_t n, float scale, float *state) {
  const size_t stride = (d + 15) / 16 * 16 + 16;
  for (size_t h = 0; h < heads; h += ATTEND_HEADS)
    attend_some(q + h * d, heads - h < ATTEND_HEADS ? heads - h : ATTEND_HEADS, d, keys, values, n, scale,
                state + h * stride);
}
