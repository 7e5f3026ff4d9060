// Attention over keys and values that are codes, in whole numbers.
//
// A scale along what is summed over is multiplied into the query (keys with scales along tokens) or into the token's weight
// (values) beforehand; one across it (keys with scales along components) is multiplied into the sum, and the query is the
// same for all pages. The products become whole numbers of 16 bits, in two bytes, with one unit for each query and group,
// and what middle codes add is one number for each. So the sums over codes are exact, their order is free, and all
// instruction sets agree.

// The code in the middle, which the others are counted from: what rounding a row costs then grows with the distance from it.
INLINE int middle_code(bb_kv_format format) { return format == BB_KV_INT8 ? 128 : format == BB_KV_INT4 ? 8 : 2; }

// The value of the middle code in group `at`.
INLINE v16 middle_value(const bb_kv_block *b, v16 scale, size_t at) {
  if (!b->offsets) return v_set(0);
  return v_fma(scale, v_set((float)middle_code(b->format)), v_load_as(b->offsets, b->scale_format, at));
}

// What a row of floats became: unit * (256 * high + low), and the sum of all of them.
typedef struct {
  float unit;
  int32_t sum;
} split_row;

enum { SPLIT_MOST = 32639 };  // 127 * 256 + 127

// Splits n floats, n a multiple of 16, with magnitudes up to `top`, which becomes SPLIT_MOST.
INLINE split_row split(const float *x, size_t n, float top, int8_t *high, int8_t *low) {
  const v16 factor = v_set(top > 0x1p-100f && top < INFINITY ? SPLIT_MOST / top : 0);
  v16 sum = v_set(0);
  for (size_t i = 0; i < n; i += 16) {
    const v16 whole = v_round(v_max(v_mul(v_load(x + i), factor), v_set(-SPLIT_MOST)));
    v_store_split(high + i, low + i, whole);
    sum = v_add(sum, whole);
  }
  return (split_row){top / SPLIT_MOST, (int32_t)v_sum(sum)};
}

// Rows of n floats times the scales and the middle values of group `at`, all rows side by side: what each row becomes, and
// its product with the middle values, which is not finite where a float is not. numbers: [rows][2][n], `step` rows apart.
INLINE void split_rows(const float *x, size_t rows, size_t stride, size_t n, const bb_kv_block *b, size_t at, size_t step,
                       float *start, split_row *row, int8_t *numbers) {
  const size_t padded = (n + 15) / 16 * 16;
  for (size_t r = 0; r < rows; r++) {
    _Alignas(64) float scaled[padded];  // aligned so that the stack stays aligned to a vector
    v16 highest = v_set(0), sum = v_set(0);
    for (size_t i = 0; i < padded; i += 16) {
      const v16 scale = v_load_as(b->scales, b->scale_format, at + i);
      const v16 v = i + 16 <= n ? v_load(x + r * stride + i) : load_first(x + r * stride + i, n - i, 0);
      const v16 product = v_mul(v, scale);
      v_store(scaled + i, product);
      highest = v_max(v_max(product, v_sub(v_set(0), product)), highest);
      sum = v_fma(v, middle_value(b, scale, at + i), sum);
    }
    start[r * step] = v_sum(sum);
    int8_t *to = numbers + r * step * 2 * padded;
    row[r * step] = split(scaled, padded, v_highest(highest), to, to + padded);
  }
}

// Sums of `rows` rows of `count` split numbers, every `step`-th row, with `blocks` blocks of 16 lanes of codes, counted from
// the middle: sums[row][block] are whole numbers as floats. The high bytes of row r lie at numbers + 2 * r * count, its low ones
// behind them. A line of a block holds the codes of 32 / bits consecutive numbers. As many lines from `ahead` on are
// fetched meanwhile, in order, which is what memory likes best. `rows`, `blocks` and the format are constants where this is inlined.
INLINE void split_dot(const int rows, const int blocks, const bb_kv_format format, const split_row *row,
                      const int8_t *numbers, size_t step, size_t count, const uint8_t *lines,
                      const uint8_t *ahead, size_t line_stride, size_t block_stride, v16 sums[ATTEND_ROWS][CODE_BLOCKS]) {
  const int bits = code_bits(format), fields = 8 / bits, mask = (1 << bits) - 1;
  l16 high[ATTEND_ROWS][CODE_BLOCKS], low[ATTEND_ROWS][CODE_BLOCKS];
  for (int r = 0; r < rows; r++)
    for (int b = 0; b < blocks; b++) {
      high[r][b] = l_set(0);
      low[r][b] = l_set(-middle_code(format) * row[r * step].sum);
    }
  for (size_t i = 0; i < count; i += 4 * fields, lines += line_stride, ahead += blocks * 64)
    for (int b = 0; b < blocks; b++) {
      const l16 line = l_load(lines + b * block_stride);
      fetch(ahead + b * 64, 64);
      for (int f = 0; f < fields; f++) {
        const l16 codes = bits == 8 ? line : l_field(line, f * bits, mask);
        for (int r = 0; r < rows; r++) {
          const int8_t *at = numbers + r * step * 2 * count + i + 4 * f;
          high[r][b] = l_dot(high[r][b], codes, at);
          low[r][b] = l_dot(low[r][b], codes, at + count);
        }
      }
    }
  for (int r = 0; r < rows; r++)
    for (int b = 0; b < blocks; b++)
      sums[r][b] = v_from_lanes(l_join(high[r][b], low[r][b]));
}

// ---------------------------------------------------------------- scores with scales along tokens

// Scores of `rows` queries, every `step`-th of the split ones, against CODE_BLOCKS blocks of 16 tokens.
INLINE void tile_channel_scores(const int rows, const bb_kv_format format, const split_row *row, const int8_t *numbers,
                                const float *start, size_t step, size_t dv, const uint8_t *lines, const uint8_t *ahead,
                                float *scores) {
  v16 sums[ATTEND_ROWS][CODE_BLOCKS];
  split_dot(rows, CODE_BLOCKS, format, row, numbers, step, dv, lines, ahead, PAGE_VECTORS * 64, 64, sums);
  for (int r = 0; r < rows; r++)
    for (int b = 0; b < CODE_BLOCKS; b++)
      v_store(scores + r * BB_PAGE + b * 16, v_fma(sums[r][b], v_set(row[r * step].unit), v_set(start[r * step])));
}

// Scores of at most ATTEND_HEADS queries [d] against the 64 tokens of a page whose keys share scales along tokens.
INLINE void channel_scores(const bb_kv_format format, const float *q, size_t heads, size_t d, const bb_kv_block *keys,
                           const uint8_t *ahead, float *scores) {
  const size_t groups = BB_PAGE / keys->group, dv = (d + 15) / 16 * 16;
  split_row row[ATTEND_HEADS * MAX_KEY_GROUPS];
  float start[ATTEND_HEADS * MAX_KEY_GROUPS];
  _Alignas(64) int8_t numbers[heads * groups * 2 * dv];
  for (size_t g = 0; g < groups; g++)
    split_rows(q, heads, d, d, keys, g * dv, groups, start + g, row + g, numbers + g * 2 * dv);
  for (size_t b = 0; b < PAGE_VECTORS; b += CODE_BLOCKS) {
    const size_t g = b * groups / PAGE_VECTORS;
    const uint8_t *lines = (const uint8_t *)keys->entries + b * 64;
    EACH_ROWS(tile_channel_scores(rows, format, row + h * groups + g, numbers + (h * groups + g) * 2 * dv,
                                  start + h * groups + g, groups, dv, lines, ahead + b * dv * 2 * code_bits(format),
                                  scores + h * BB_PAGE + b * 16));
  }
}

// ---------------------------------------------------------------- scores with scales along components

// Queries, and what they become as whole numbers: each group of components with a unit of its own, for all pages whose keys
// have that group.
typedef struct {
  const float *q;   // [heads][d]
  size_t heads, d;
  size_t group;     // 0: not split yet
  split_row *row;   // [groups][heads]
  float *sum;       // [groups][heads]: of the floats
  int8_t *numbers;  // [groups][heads][2][group], fewer in the last group
} split_queries;

// Declares NAME, queries that may be split into groups of 32 components or more, with room for that.
#define SPLIT_QUERIES(NAME, Q, HEADS, D)                                        \
  split_row NAME##_row[((D) + 31) / 32 * (HEADS)];                              \
  float NAME##_sum[((D) + 31) / 32 * (HEADS)];                                  \
  _Alignas(64) int8_t NAME##_numbers[((D) + 15) / 16 * 16 * 2 * (HEADS)];       \
  split_queries NAME = {Q, HEADS, D, 0, NAME##_row, NAME##_sum, NAME##_numbers}

static void split_for_group(split_queries *queries, size_t group) {
  const size_t heads = queries->heads, d = queries->d;
  queries->group = group;
  for (size_t first = 0, g = 0; first < d; first += group, g++) {
    const size_t count = d - first < group ? d - first : group, padded = (count + 15) / 16 * 16;
    for (size_t h = 0; h < heads; h++) {
      _Alignas(64) float part[padded];
      v16 highest = v_set(0), sum = v_set(0);
      for (size_t i = 0; i < padded; i += 16) {
        const float *x = queries->q + h * d + first + i;
        const v16 v = i + 16 <= count ? v_load(x) : load_first(x, count - i, 0);
        v_store(part + i, v);
        highest = v_max(v_max(v, v_sub(v_set(0), v)), highest);
        sum = v_add(sum, v);
      }
      int8_t *numbers = queries->numbers + 2 * (first * heads + h * padded);
      queries->sum[g * heads + h] = v_sum(sum);
      queries->row[g * heads + h] = split(part, padded, v_highest(highest), numbers, numbers + padded);
    }
  }
}

// Scores of `rows` split queries from `head` on against CODE_BLOCKS blocks of 16 tokens from block b on.
INLINE void tile_token_scores(const int rows, const bb_kv_format format, const split_queries *q, size_t head, size_t dv,
                               const bb_kv_block *keys, size_t b, const uint8_t *ahead, float *scores) {
  const int line_components = 32 / code_bits(format);
  v16 total[ATTEND_ROWS][CODE_BLOCKS];
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < CODE_BLOCKS; j++) total[r][j] = v_set(0);
  for (size_t first = 0, g = 0; first < dv; first += q->group, g++) {
    const size_t count = dv - first < q->group ? dv - first : q->group, line = first / line_components;
    const split_row *row = q->row + g * q->heads + head;
    const float *sum = q->sum + g * q->heads + head;
    v16 sums[ATTEND_ROWS][CODE_BLOCKS];
    split_dot(rows, CODE_BLOCKS, format, row, q->numbers + 2 * (first * q->heads + head * count), 1, count,
              (const uint8_t *)keys->entries + (line * PAGE_VECTORS + b) * 64, ahead + line * CODE_BLOCKS * 64,
              PAGE_VECTORS * 64, 64, sums);
    for (int j = 0; j < CODE_BLOCKS; j++) {
      const size_t at = g * BB_PAGE + (b + j) * 16;
      const v16 scale = v_load_as(keys->scales, keys->scale_format, at), middle = middle_value(keys, scale, at);
      for (int r = 0; r < rows; r++) {
        const v16 units = v_fma(v_mul(sums[r][j], v_set(row[r].unit)), scale, total[r][j]);
        total[r][j] = v_fma(middle, v_set(sum[r]), units);
      }
    }
  }
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < CODE_BLOCKS; j++) v_store(scores + r * BB_PAGE + (b + j) * 16, total[r][j]);
}

// Scores of the queries from `first` on, at most ATTEND_HEADS, against the 64 tokens of a page.
INLINE void coded_scores(const bb_kv_format format, split_queries *queries, size_t first, size_t heads,
                         const bb_kv_block *keys, const uint8_t *ahead, float *scores) {
  const size_t d = queries->d, dv = (d + 15) / 16 * 16;
  if (keys->axis == BB_KV_ALONG_TOKENS)
    return channel_scores(format, queries->q + first * d, heads, d, keys, ahead, scores);
  if (queries->group != keys->group) split_for_group(queries, keys->group);
  for (size_t b = 0; b < PAGE_VECTORS; b += CODE_BLOCKS)
    EACH_ROWS(tile_token_scores(rows, format, queries, first + h, dv, keys, b, ahead + b * dv * 2 * code_bits(format),
                                scores + h * BB_PAGE));
}

// ---------------------------------------------------------------- values

// state = state * decay + weighted values, for `columns` columns of 16 components from c on.
INLINE void tile_values(const int rows, const int columns, const bb_kv_format format, const split_row *row,
                        const int8_t *numbers, const float *start, const float *decay, size_t dv, const uint8_t *lines,
                        const uint8_t *ahead, size_t c, float *state) {
  const size_t column = BB_PAGE * 16 * code_bits(format) / 8, stride = dv + 16;
  v16 sums[ATTEND_ROWS][CODE_BLOCKS];
  split_dot(rows, columns, format, row, numbers, 1, BB_PAGE, lines + c / 16 * column, ahead + c / 16 * column,
            64, column, sums);
  for (int r = 0; r < rows; r++)
    for (int b = 0; b < columns; b++) {
      float *at = state + r * stride + c + b * 16;
      const v16 added = v_fma(sums[r][b], v_set(row[r].unit), v_set(start[r]));
      v_store(at, v_fma(v_load(at), v_set(decay[r]), added));
    }
}

// Adds the values of a page, for at most ATTEND_HEADS queries; weights [heads][64].
INLINE void coded_values(const bb_kv_format format, const float *weights, const float *decay, size_t heads, size_t dv,
                         const bb_kv_block *values, const uint8_t *ahead, float *state) {
  split_row row[ATTEND_HEADS];
  float start[ATTEND_HEADS];
  int8_t numbers[ATTEND_HEADS * 2 * BB_PAGE];
  for (size_t first = 0, g = 0; first < dv; first += values->group, g++) {
    split_rows(weights, heads, BB_PAGE, BB_PAGE, values, g * BB_PAGE, 1, start, row, numbers);
    const uint8_t *lines = values->entries;
    const size_t end = first + values->group < dv ? first + values->group : dv;
    size_t c = first;
    for (; c + CODE_BLOCKS * 16 <= end; c += CODE_BLOCKS * 16)
      EACH_ROWS(tile_values(rows, CODE_BLOCKS, format, row + h, numbers + h * 2 * BB_PAGE, start + h, decay + h, dv,
                            lines, ahead, c, state + h * (dv + 16)));
    for (; c < end; c += 16)
      EACH_ROWS(tile_values(rows, 1, format, row + h, numbers + h * 2 * BB_PAGE, start + h, decay + h, dv, lines, ahead, c,
                            state + h * (dv + 16)));
  }
}
