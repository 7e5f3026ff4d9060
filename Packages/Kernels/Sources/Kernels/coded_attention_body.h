// Attention over keys and values that are codes, in whole numbers.
//
// A scale is multiplied into the query (keys) or into the token's weight (values) beforehand; the products become whole
// numbers of 16 bits, in two bytes, with one unit for each query and group, and what middle codes add is one number for
// each. So the sums over codes are exact, their order is free, and all instruction sets agree.

// The code in the middle, which the others are counted from: what rounding a row costs then grows with the distance from it.
INLINE int middle_code(bb_kv_format format) { return format == BB_KV_INT8 ? 128 : format == BB_KV_INT4 ? 8 : 2; }

// The value of the middle code in group `at`.
INLINE v16 middle_value(const bb_kv_block *b, v16 scale, size_t at) {
  if (!b->offsets) return v_set(0);
  return v_fma(scale, v_set((float)middle_code(b->format)), v_load_as(b->offsets, b->scale_format, at));
}

// What a row of floats became: unit * (256 * high + low), and the sums of both bytes.
typedef struct {
  float unit;
  int32_t high, low;
} split_row;

// Splits n floats, n a multiple of 16; the largest magnitude becomes 32639. The unit is NaN where a float is NaN or infinite.
INLINE split_row split(const float *x, size_t n, int8_t *high, int8_t *low) {
  const float most = 32639.0f;
  v16 highest = v_set(0), poison = v_set(0);
  for (size_t i = 0; i < n; i += 16) {
    const v16 v = v_load(x + i);
    highest = v_max(v_max(v, v_sub(v_set(0), v)), highest);
    poison = v_fma(v, v_set(0), poison);  // NaN once a value is NaN or infinite, else 0
  }
  const float top = v_highest(highest);
  const v16 factor = v_set(top > 0x1p-100f && top < INFINITY ? most / top : 0);
  v16 high_sum = v_set(0), low_sum = v_set(0);
  for (size_t i = 0; i < n; i += 16) {
    const v16 whole = v_round(v_max(v_min(v_mul(v_load(x + i), factor), v_set(most)), v_set(-most)));
    // Half a step up before rounding, so that what is left lies between -128 and 127.
    const v16 upper = v_round(v_fma(whole, v_set(0x1p-8f), v_set(0x1p-9f)));
    const v16 rest = v_fma(upper, v_set(-256.0f), whole);
    v_store_int8(high + i, upper);
    v_store_int8(low + i, rest);
    high_sum = v_add(high_sum, upper);
    low_sum = v_add(low_sum, rest);
  }
  return (split_row){top / most + v_sum(poison), (int32_t)v_sum(high_sum), (int32_t)v_sum(low_sum)};
}

INLINE int code_bits(bb_kv_format format) { return format == BB_KV_INT8 ? 8 : format == BB_KV_INT4 ? 4 : 2; }

// Sums of `rows` rows of `count` split numbers, every `step`-th row, with `blocks` blocks of 16 lanes of codes, counted from
// the middle: sums[row][block] are whole numbers as floats. The high bytes of row r lie at numbers + 2 * r * count, its low ones
// behind them. A line of a block holds the codes of 32 / bits consecutive numbers. `rows`, `blocks` and the format are
// constants where this is inlined.
INLINE void split_dot(const int rows, const int blocks, const bb_kv_format format, const split_row *row,
                      const int8_t *numbers, size_t step, size_t count, const uint8_t *lines,
                      size_t line_stride, size_t block_stride, v16 sums[ATTEND_ROWS][CODE_BLOCKS]) {
  const int bits = code_bits(format), fields = 8 / bits, mask = (1 << bits) - 1;
  l16 high[ATTEND_ROWS][CODE_BLOCKS], low[ATTEND_ROWS][CODE_BLOCKS];
  for (int r = 0; r < rows; r++)
    for (int b = 0; b < blocks; b++) {
      high[r][b] = l_set(-middle_code(format) * row[r * step].high);
      low[r][b] = l_set(-middle_code(format) * row[r * step].low);
    }
  for (size_t i = 0; i < count; i += 4 * fields, lines += line_stride)
    for (int b = 0; b < blocks; b++) {
      const l16 line = l_load(lines + b * block_stride);
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
      sums[r][b] = v_fma(v_from_lanes(high[r][b]), v_set(256.0f), v_from_lanes(low[r][b]));
}

// ---------------------------------------------------------------- scores

// Scores of `rows` queries, every `step`-th of the split ones, against CODE_BLOCKS blocks of 16 tokens.
INLINE void tile_scores(const int rows, const bb_kv_format format, const split_row *row, const int8_t *numbers,
                        const float *start, size_t step, size_t dv, const uint8_t *lines, float *scores) {
  v16 sums[ATTEND_ROWS][CODE_BLOCKS];
  split_dot(rows, CODE_BLOCKS, format, row, numbers, step, dv, lines, PAGE_VECTORS * 64, 64, sums);
  for (int r = 0; r < rows; r++)
    for (int b = 0; b < CODE_BLOCKS; b++)
      v_store(scores + r * BB_PAGE + b * 16, v_fma(sums[r][b], v_set(row[r * step].unit), v_set(start[r * step])));
}

// Scores of at most ATTEND_HEADS queries [d] against the 64 tokens of a page.
INLINE void coded_scores(const bb_kv_format format, const float *q, size_t heads, size_t d, const bb_kv_block *keys,
                         float *scores) {
  const size_t groups = BB_PAGE / keys->group, dv = (d + 15) / 16 * 16;
  split_row row[ATTEND_HEADS * MAX_KEY_GROUPS];
  float start[ATTEND_HEADS * MAX_KEY_GROUPS];
  // Aligned so that the stack stays aligned to a vector.
  _Alignas(64) float scaled[dv];
  _Alignas(64) int8_t numbers[heads * groups * 2 * dv];
  for (size_t h = 0; h < heads; h++)
    for (size_t g = 0; g < groups; g++) {
      v16 sum = v_set(0);
      for (size_t i = 0; i < dv; i += 16) {
        const v16 s = v_load_as(keys->scales, keys->scale_format, g * dv + i);
        const v16 x = i + 16 <= d ? v_load(q + h * d + i) : load_first(q + h * d + i, d - i, 0);
        v_store(scaled + i, v_mul(x, s));
        sum = v_fma(x, middle_value(keys, s, g * dv + i), sum);
      }
      const size_t at = h * groups + g;
      start[at] = v_sum(sum);
      row[at] = split(scaled, dv, numbers + at * 2 * dv, numbers + at * 2 * dv + dv);
    }
  for (size_t b = 0; b < PAGE_VECTORS; b += CODE_BLOCKS) {
    const size_t g = b * groups / PAGE_VECTORS;
    const uint8_t *lines = (const uint8_t *)keys->entries + b * 64;
    EACH_ROWS(tile_scores(rows, format, row + h * groups + g, numbers + (h * groups + g) * 2 * dv,
                          start + h * groups + g, groups, dv, lines, scores + h * BB_PAGE + b * 16));
  }
}

// ---------------------------------------------------------------- values

// state = state * decay + weighted values, for `columns` columns of 16 components from c on.
INLINE void tile_values(const int rows, const int columns, const bb_kv_format format, const split_row *row,
                        const int8_t *numbers, const float *start, const float *decay, size_t dv, const uint8_t *lines,
                        size_t c, float *state) {
  const size_t column = BB_PAGE * 16 * code_bits(format) / 8, stride = dv + 16;
  v16 sums[ATTEND_ROWS][CODE_BLOCKS];
  split_dot(rows, columns, format, row, numbers, 1, BB_PAGE, lines + c / 16 * column, 64, column, sums);
  for (int r = 0; r < rows; r++)
    for (int b = 0; b < columns; b++) {
      float *at = state + r * stride + c + b * 16;
      const v16 added = v_fma(sums[r][b], v_set(row[r].unit), v_set(start[r]));
      v_store(at, v_fma(v_load(at), v_set(decay[r]), added));
    }
}

// Adds the values of a page, for at most ATTEND_HEADS queries; weights [heads][64].
INLINE void coded_values(const bb_kv_format format, const float *weights, const float *decay, size_t heads, size_t dv,
                         const bb_kv_block *values, float *state) {
  split_row row[ATTEND_HEADS];
  float start[ATTEND_HEADS], scaled[BB_PAGE];
  int8_t numbers[ATTEND_HEADS * 2 * BB_PAGE];
  for (size_t first = 0, g = 0; first < dv; first += values->group, g++) {
    for (size_t h = 0; h < heads; h++) {
      v16 sum = v_set(0);
      for (size_t t = 0; t < BB_PAGE; t += 16) {
        const v16 s = v_load_as(values->scales, values->scale_format, g * BB_PAGE + t);
        const v16 w = v_load(weights + h * BB_PAGE + t);
        v_store(scaled + t, v_mul(w, s));
        sum = v_fma(w, middle_value(values, s, g * BB_PAGE + t), sum);
      }
      start[h] = v_sum(sum);
      row[h] = split(scaled, BB_PAGE, numbers + h * 2 * BB_PAGE, numbers + (h * 2 + 1) * BB_PAGE);
    }
    const uint8_t *lines = values->entries;
    const size_t end = first + values->group < dv ? first + values->group : dv;
    size_t c = first;
    for (; c + CODE_BLOCKS * 16 <= end; c += CODE_BLOCKS * 16)
      EACH_ROWS(tile_values(rows, CODE_BLOCKS, format, row + h, numbers + h * 2 * BB_PAGE, start + h, decay + h, dv,
                            lines, c, state + h * (dv + 16)));
    for (; c < end; c += 16)
      EACH_ROWS(tile_values(rows, 1, format, row + h, numbers + h * 2 * BB_PAGE, start + h, decay + h, dv, lines, c,
                            state + h * (dv + 16)));
  }
}
