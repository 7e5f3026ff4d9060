// Rows of floats as integers, and their integer dot products with codes of the cache; for coded_attention_body.h.
//
// All numbers of a row share one unit. The sums are exact, their order is free, and all instruction sets agree.

// Numbers of 16 bits in two bytes, of 8 bits, or of 8 bits and never below 0.
typedef enum { TWO_BYTES, SIGNED_BYTE, UNSIGNED_BYTE } integer_kind;

INLINE size_t integer_bytes(integer_kind kind) { return kind == TWO_BYTES ? 2 : 1; }
INLINE float largest_integer(integer_kind kind) { return kind == TWO_BYTES ? 127 * 256 + 127 : kind == SIGNED_BYTE ? 127 : 255; }

// What rows of floats x became: x * scale = unit * number; the sum of a row's numbers, and of x * middle, which is not finite
// where a float is not.
typedef struct {
  float unit[ATTEND_HEADS], sum[ATTEND_HEADS], start[ATTEND_HEADS];
} integer_rows;

// Runs a statement for each 16 of n floats, from i on; `whole` is a constant, 0 for the last ones where they are fewer.
#define EACH_VECTOR(n, ...)                                                 \
  do {                                                                      \
    size_t i = 0;                                                           \
    for (; i + 16 <= (n); i += 16) {                                        \
      enum { whole = 1 };                                                   \
      __VA_ARGS__;                                                          \
    }                                                                       \
    if (i < (n)) {                                                          \
      enum { whole = 0 };                                                   \
      __VA_ARGS__;                                                          \
    }                                                                       \
  } while (0)

// The maximum magnitudes of x * scale, and the sums of x * middle, of rows of n floats. scales, middles: [n rounded up to 16].
INLINE void max_and_sum_rows(const int rows, const float *x, size_t stride, size_t n, const float *scales, const float *middles,
                         float *top, float *start, prefetch_stream *next) {
  v16 max[ATTEND_ROWS], sum[ATTEND_ROWS];
  for (int r = 0; r < rows; r++) max[r] = sum[r] = v_set(0);
  EACH_VECTOR(n, {
    const v16 scale = v_load(scales + i), middle = v_load(middles + i);
    prefetch_during_compute(next);
    for (int r = 0; r < rows; r++) {
      const float *at = x + r * stride + i;
      const v16 v = whole ? v_load(at) : load_first(at, n - i, 0);
      max[r] = v_max(v_abs(v_mul(v, scale)), max[r]);
      sum[r] = v_fma(v, middle, sum[r]);
    }
  });
  v_reduce_max_rows(rows, max, top);
  v_sum_rows(rows, sum, start);
}

// Bytes of a row of n numbers.
INLINE size_t row_bytes(const integer_kind kind, size_t n) { return integer_bytes(kind) * ((n + 15) / 16 * 16); }

// Stores 16 numbers of a row of `bytes`: of TWO_BYTES the high ones, and the low ones half a row behind them.
INLINE void store_integers(const integer_kind kind, l16 whole, int8_t *to, size_t bytes) {
  if (kind == TWO_BYTES) l_store_split(to, to + bytes / 2, whole);
  else l_store_bytes(to, whole);
}

// The sums of rows of numbers.
INLINE void sum_lanes(const int rows, const l16 *lanes, float *sums) {
  v16 total[ATTEND_ROWS];
  for (int r = 0; r < rows; r++) total[r] = v_from_lanes(lanes[r]);
  v_sum_rows(rows, total, sums);
}

// Quantizes rows of n floats, x * scale * the row's factor, to numbers [row][bytes][n rounded up to 16].
INLINE void quantize_rows(const int rows, const integer_kind kind, const float *x, size_t stride, size_t n, const float *scales,
                       const float *factor, int8_t *numbers, float *sums, prefetch_stream *next) {
  const size_t bytes = row_bytes(kind, n);
  l16 sum[ATTEND_ROWS];
  for (int r = 0; r < rows; r++) sum[r] = empty_sum(n);
  EACH_VECTOR(n, {
    const v16 scale = v_load(scales + i);
    prefetch_during_compute(next);
    for (int r = 0; r < rows; r++) {
      const float *at = x + r * stride + i;
      const l16 number = nearest_integers(v_mul(whole ? v_load(at) : load_first(at, n - i, 0), scale), v_set(factor[r]));
      store_integers(kind, number, numbers + r * bytes + i, bytes);
      sum[r] = l_add(sum[r], number);
    }
  });
  sum_lanes(rows, sum, sums);
}

// Quantizes at most ATTEND_HEADS rows, each with the finest unit there is.
INLINE void quantize_all(const integer_kind kind, const float *x, size_t heads, size_t stride, size_t n, const float *scales,
                      const float *middles, integer_rows *to, int8_t *numbers, prefetch_stream *next) {
  const v16 most = v_set(largest_integer(kind));
  const size_t bytes = row_bytes(kind, n);
  float top[ATTEND_HEADS] = {0}, factor[ATTEND_HEADS];
  EACH_ROWS(max_and_sum_rows(rows, x + h * stride, stride, n, scales, middles, top + h, to->start + h, next));
  v_store(to->unit, v_div(v_load(top), most));
  v_store(factor, v_div(most, v_max(v_load(top), v_set(0x1p-100f))));
  EACH_ROWS(quantize_rows(rows, kind, x + h * stride, stride, n, scales, factor + h, numbers + h * bytes, to->sum + h, next));
}

// The code in the middle, which the others are counted from: what rounding a row costs then grows with the distance from it.
INLINE int middle_code(bb_kv_format format) { return format == BB_KV_INT8 ? 128 : format == BB_KV_INT4 ? 8 : 2; }

// The scales of a block from group `at` on, and the values of their middle codes.
INLINE void widen_scales(const bb_kv_block *b, size_t at, size_t n, float *scales, float *middles) {
  const v16 middle = v_set((float)middle_code(b->format));
  for (size_t i = 0; i < n; i += 16) {
    const v16 scale = v_load_as(b->scales, b->scale_format, at + i);
    v_store(scales + i, scale);
    v_store(middles + i, b->offsets ? v_fma(scale, middle, v_load_as(b->offsets, b->scale_format, at + i)) : v_set(0));
  }
}

// Lines of codes: the first, and bytes from one to the next and from one block of 16 lanes to the next.
typedef struct {
  const uint8_t *first;
  size_t line, block;
} code_lines;

// sums[r * blocks + b] of `rows` rows of `count` numbers, from row `row` on, with `blocks` blocks of 16 lanes of codes, counted
// from the middle. A line of a block holds the codes of 32 / bits consecutive numbers. `rows`, `blocks`, the format and the kind
// are constants where this is inlined.
INLINE void integer_products(const int rows, const int blocks, const bb_kv_format format, const integer_kind kind,
                           const integer_rows *from, size_t row, const int8_t *numbers, size_t count, code_lines w,
                           prefetch_stream *next, v16 sums[CODE_SUMS]) {
  const int bits = code_bits(format), fields = 8 / bits, mask = (1 << bits) - 1;
  // Codes that may be signed are counted from the middle as they are.
  const int centered = kind == UNSIGNED_BYTE;
  const size_t bytes = integer_bytes(kind) * count;
  l16 high[CODE_SUMS], low[CODE_SUMS];
  for (int r = 0; r < rows; r++)
    for (int b = 0; b < blocks; b++) {
      high[r * blocks + b] = l_set(0);
      low[r * blocks + b] = l_set(centered ? 0 : -middle_code(format) * (int32_t)from->sum[row + r]);
    }
  prefetch_stream ahead = *next;
  for (size_t i = 0; i < count; i += 4 * fields, w.first += w.line) {
    // With many rows a line is used many times, and prefetches between products suffice.
    if (rows <= 2) read_lines(&ahead, (size_t)blocks);
    for (int b = 0; b < blocks; b++) {
      l16 line = l_load(w.first + b * w.block);
      if (centered && bits == 8) line = l_flip(line, 0x80);
#pragma clang loop unroll(full)
      for (int f = 0; f < fields; f++) {
        l16 codes = bits == 8 ? line : l_field(line, f * bits, mask);
        if (centered && bits < 8) codes = l_less(codes, middle_code(format));
        for (int r = 0; r < rows; r++) {
          const int8_t *at = numbers + (row + r) * bytes + i + 4 * f;
          if (kind == UNSIGNED_BYTE) low[r * blocks + b] = l_dot_signed(low[r * blocks + b], codes, (const uint8_t *)at);
          else if (kind == SIGNED_BYTE) low[r * blocks + b] = l_dot(low[r * blocks + b], codes, at);
          else {
            high[r * blocks + b] = l_dot(high[r * blocks + b], codes, at);
            low[r * blocks + b] = l_dot(low[r * blocks + b], codes, at + count);
          }
        }
      }
    }
  }
  *next = ahead;
  for (int i = 0; i < rows * blocks; i++) sums[i] = v_from_lanes(kind == TWO_BYTES ? l_join(high[i], low[i]) : low[i]);
}

typedef bb_code_tiles code_tiles;

// The sums that `integer_products` forms, of those that tiles formed for all rows: [row][ld].
INLINE void ready_products(const int rows, const int blocks, const integer_kind kind, const integer_rows *from, size_t row,
                           const int32_t *ready, size_t ld, v16 sums[CODE_SUMS]) {
  for (int r = 0; r < rows; r++)
    for (int b = 0; b < blocks; b++) {
      l16 sum = l_load((const uint8_t *)(ready + (row + r) * ld + b * 16));
      if (kind == SIGNED_BYTE) sum = l_add(sum, l_set(-middle_code(BB_KV_INT8) * (int32_t)from->sum[row + r]));
      sums[r * blocks + b] = v_from_lanes(sum);
    }
}
