// Rows of floats as whole numbers, and their sums of products with codes of the cache; for coded_attention_body.h.
//
// All numbers of a row share one unit. The sums are exact, their order is free, and all instruction sets agree.

// Numbers of 16 bits in two bytes, of 8 bits, or of 8 bits and never below 0.
typedef enum { TWO_BYTES, SIGNED_BYTE, UNSIGNED_BYTE } number_kind;

INLINE size_t number_bytes(number_kind kind) { return kind == TWO_BYTES ? 2 : 1; }
INLINE float highest_number(number_kind kind) { return kind == TWO_BYTES ? 127 * 256 + 127 : kind == SIGNED_BYTE ? 127 : 255; }

// What rows of floats x became: x * scale = unit * number; the sum of a row's numbers, and of x * middle, which is not finite
// where a float is not.
typedef struct {
  float unit[ATTEND_HEADS], sum[ATTEND_HEADS], start[ATTEND_HEADS];
} whole_rows;

// Rounds `rows` rows of n floats, `row` being the first one in `to` and in numbers [row][bytes][n rounded up to 16]; of
// TWO_BYTES the high ones come first. scales and middles: [n rounded up to 16].
INLINE void round_rows(const int rows, const number_kind kind, const float *x, size_t stride, size_t n, const float *scales,
                       const float *middles, size_t row, whole_rows *to, int8_t *numbers, upcoming *next) {
  const size_t padded = (n + 15) / 16 * 16, bytes = number_bytes(kind) * padded;
  const float most = highest_number(kind);
  _Alignas(64) float scaled[ATTEND_ROWS * padded];  // aligned so that the stack stays aligned to a vector
  v16 highest[ATTEND_ROWS], sum[ATTEND_ROWS];
  float top[ATTEND_ROWS];
  for (int r = 0; r < rows; r++) highest[r] = sum[r] = v_set(0);
  for (size_t i = 0; i < padded; i += 16) {
    const v16 scale = v_load(scales + i), middle = v_load(middles + i);
    ask_for(next, ASK_BETWEEN);
    for (int r = 0; r < rows; r++) {
      const float *at = x + (row + r) * stride + i;
      const v16 v = i + 16 <= n ? v_load(at) : load_first(at, n - i, 0);
      const v16 product = v_mul(v, scale);
      v_store(scaled + r * padded + i, product);
      highest[r] = v_max(kind == UNSIGNED_BYTE ? product : v_max(product, v_sub(v_set(0), product)), highest[r]);
      sum[r] = v_fma(v, middle, sum[r]);
    }
  }
  v_highest_rows(rows, highest, top);
  v_sum_rows(rows, sum, to->start + row);
  for (int r = 0; r < rows; r++) {
    to->unit[row + r] = top[r] / most;
    const v16 factor = v_set(top[r] > 0x1p-100f && top[r] < INFINITY ? most / top[r] : 0);
    int8_t *out = numbers + (row + r) * bytes;
    sum[r] = v_set(0);
    for (size_t i = 0; i < padded; i += 16) {
      const v16 whole = v_round(v_max(v_mul(v_load(scaled + r * padded + i), factor), v_set(kind == UNSIGNED_BYTE ? 0 : -most)));
      if (kind == TWO_BYTES) v_store_split(out + i, out + padded + i, whole);
      else v_store_byte(out + i, whole);
      sum[r] = v_add(sum[r], whole);
    }
  }
  v_sum_rows(rows, sum, to->sum + row);
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
INLINE void whole_products(const int rows, const int blocks, const bb_kv_format format, const number_kind kind,
                           const whole_rows *from, size_t row, const int8_t *numbers, size_t count, code_lines w,
                           upcoming *next, v16 sums[CODE_SUMS]) {
  const int bits = code_bits(format), fields = 8 / bits, mask = (1 << bits) - 1;
  // Signed codes of 8 bits are counted from the middle as they are.
  const int centered = kind == UNSIGNED_BYTE && bits == 8;
  const size_t bytes = number_bytes(kind) * count;
  l16 high[CODE_SUMS], low[CODE_SUMS];
  for (int r = 0; r < rows; r++)
    for (int b = 0; b < blocks; b++) {
      high[r * blocks + b] = l_set(0);
      low[r * blocks + b] = l_set(centered ? 0 : -middle_code(format) * (int32_t)from->sum[row + r]);
    }
  upcoming ahead = move_on(*next);
  for (size_t i = 0; i < count; i += 4 * fields, w.first += w.line) {
    ask_for(&ahead, (size_t)blocks);
    for (int b = 0; b < blocks; b++) {
      l16 line = l_load(w.first + b * w.block);
      if (centered) line = l_flip(line, 0x80);
#pragma clang loop unroll(full)
      for (int f = 0; f < fields; f++) {
        const l16 codes = bits == 8 ? line : l_field(line, f * bits, mask);
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
