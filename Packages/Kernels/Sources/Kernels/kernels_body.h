// The kernels, written once over a vector of 16 floats. Each instruction set's file defines `v16` and its operations
// (see scalar_vectors.h for what they mean), TILE_TOKENS and TILE_BLOCKS, then includes this file and fills its table.
//
// Rules that make all instruction sets, batch sizes and tilings agree bit for bit: every product is a fused
// multiply-add, an output's sum runs along its inputs in two chains (even and odd inputs) that are added at the end of
// a group, and sums over a vector go through one fixed tree.

#include <math.h>
#include <string.h>

#include "half.h"
#include "places.h"
#include "tables.h"
#include "tails.h"

#include "load_as.h"

// exp(x) to about one unit in the last place; 0 below the smallest normal result.
INLINE v16 v_exp(v16 x) {
  const v16 clamped = v_max(v_min(x, v_set(88.0f)), v_set(-87.0f));
  const v16 n = v_round(v_mul(clamped, v_set(1.44269504f)));
  v16 r = v_fma(n, v_set(-0.693359375f), clamped);
  r = v_fma(n, v_set(2.12194440e-4f), r);
  v16 p = v_set(1.9875691500e-4f);
  p = v_fma(p, r, v_set(1.3981999507e-3f));
  p = v_fma(p, r, v_set(8.3334519073e-3f));
  p = v_fma(p, r, v_set(4.1665795894e-2f));
  p = v_fma(p, r, v_set(1.6666665459e-1f));
  p = v_fma(p, r, v_set(5.0000001201e-1f));
  p = v_fma(v_mul(r, r), p, v_add(r, v_set(1.0f)));
  return v_times_two_to(x, -87.0f, p, n);
}

// 2^x to 3e-6, for x of at most a few units; 0 below the smallest normal result.
INLINE v16 v_power_of_two(v16 x) {
  const v16 n = v_round(x), r = v_sub(x, n);
  v16 p = v_set(0x1.3a02ccp-7f);
  p = v_fma(p, r, v_set(0x1.c9fc46p-5f));
  p = v_fma(p, r, v_set(0x1.ec0378p-3f));
  p = v_fma(p, r, v_set(0x1.62e12cp-1f));
  p = v_fma(p, r, v_set(1.0f));
  return v_times_two_to(x, -126.0f, p, n);
}

// The integers nearest to x * factor, less than 2^22, held in the lowest bits of floats. Lanes that add n of them,
// 16 side by side, start from `empty_sum`.
INLINE l16 nearest_integers(v16 x, v16 factor) { return l_bits(v_fma(x, factor, v_set(0x1.8p23f))); }
INLINE l16 empty_sum(size_t n) { return l_set((int32_t)((uint32_t)((n + 15) / 16) * -0x4b400000u)); }

// ---------------------------------------------------------------- weights times activations

// Lines of codes less an integer.
#ifndef V_LINES_LESS
INLINE void v_line_int8_less(const uint8_t *p, float zero, v16 *w) {
  v_line_int8(p, w);
  for (int j = 0; j < 4; j++) w[j] = v_sub(w[j], v_set(zero));
}
INLINE void v_line_int4_less(const uint8_t *p, float zero, v16 *w) {
  v_line_int4(p, w);
  for (int j = 0; j < 8; j++) w[j] = v_sub(w[j], v_set(zero));
}
#endif

// What codes are counted from: one integer up to 256 for the matrix, or a number for each row of a block.
typedef enum { ONE_ZERO, ZERO_FOR_EACH } code_zeros;

// A line as floats; of codes, less their zero.
INLINE void decode_line(bb_row_format format, const code_zeros zeros, const bb_matrix *m, const uint8_t *line,
                        v16 zero, v16 *w) {
  switch (format) {
    case BB_ROWS_F32:
      w[0] = v_load((const float *)line);
      w[1] = v_load((const float *)line + 16);
      break;
    case BB_ROWS_F16: v_line_f16(line, w); break;
    case BB_ROWS_BF16: v_line_bf16(line, w); break;
    case BB_ROWS_INT8:
      if (zeros == ONE_ZERO) return v_line_int8_less(line, m->zero, w);
      v_line_int8(line, w);
      for (int j = 0; j < 4; j++) w[j] = v_sub(w[j], zero);
      break;
    case BB_ROWS_FLOAT8: v_line_float8(line, w); break;
    default:
      if (zeros == ONE_ZERO) return v_line_int4_less(line, m->zero, w);
      v_line_int4(line, w);
      for (int j = 0; j < 8; j++) w[j] = v_sub(w[j], zero);
      break;
  }
}

// `tokens` x `blocks` outputs of 16 rows each; all four counts are constants where this is inlined.
INLINE void tile(const bb_row_format format, const code_zeros zeros, const int tokens, const int blocks, const bb_matrix *m,
                 const float *x, size_t ldx, float *y, size_t ldy, size_t block) {
  const int integer = bb_formats[format].coded;
  const size_t per_line = bb_formats[format].line_inputs, line_bytes = bb_formats[format].line_bytes;
  const size_t inputs = m->inputs, group = integer && m->group < inputs ? m->group : inputs;
  const size_t groups = (inputs + group - 1) / group;
  const size_t stride = (inputs + per_line - 1) / per_line * line_bytes;
  const uint8_t *lines = m->lines + block * stride;

  v16 total[TILE_TOKENS][TILE_BLOCKS];
  for (size_t g = 0; g < groups; g++) {
    v16 sum[TILE_TOKENS][TILE_BLOCKS][2], zero[TILE_BLOCKS];
    for (int b = 0; b < blocks; b++) {
      const size_t at = ((block + b) * groups + g) * 16;
      zero[b] = integer && m->zeros ? v_load(m->zeros + at) : v_set(m->zero);
      for (int t = 0; t < tokens; t++) sum[t][b][0] = sum[t][b][1] = v_set(0);
    }
    const size_t start = g * group, end = start + group < inputs ? start + group : inputs;
    const size_t whole = start + (end - start) / per_line * per_line;
    for (size_t k = start; k < whole; k += per_line) {
      for (int b = 0; b < blocks; b++) {
        v16 w[8];
        const uint8_t *line = lines + b * stride + k / per_line * line_bytes;
        if (tokens == 1 && PREFETCH_ALONE > 0) __builtin_prefetch(line + PREFETCH_ALONE, 0, 2);
        decode_line(format, zeros, m, line, zero[b], w);
        for (size_t j = 0; j < per_line; j++)
          for (int t = 0; t < tokens; t++)
            sum[t][b][j & 1] = v_fma(w[j], v_set(x[t * ldx + k + j]), sum[t][b][j & 1]);
      }
    }
    if (whole < end) {  // The last line is not full: its inputs beyond the end count as 0.
      for (int b = 0; b < blocks; b++) {
        v16 w[8];
        decode_line(format, zeros, m, lines + b * stride + whole / per_line * line_bytes, zero[b], w);
        for (size_t j = 0; j < end - whole; j++)
          for (int t = 0; t < tokens; t++)
            sum[t][b][j & 1] = v_fma(w[j], v_set(x[t * ldx + whole + j]), sum[t][b][j & 1]);
      }
    }
    for (int b = 0; b < blocks; b++) {
      if (!integer) {
        for (int t = 0; t < tokens; t++) total[t][b] = v_add(sum[t][b][0], sum[t][b][1]);
        continue;
      }
      const v16 scale = v_load_as(m->scales, m->scale_format, ((block + b) * groups + g) * 16);
      for (int t = 0; t < tokens; t++) {
        const v16 s = v_add(sum[t][b][0], sum[t][b][1]);
        total[t][b] = v_fma(s, scale, g == 0 ? v_set(0) : total[t][b]);
      }
    }
  }
  for (int t = 0; t < tokens; t++)
    for (int b = 0; b < blocks; b++) {
      const size_t row = (block + b) * 16;
      float *out = y + t * ldy + row;
      if (row + 16 <= m->rows) v_store(out, total[t][b]);
      else store_first(out, total[t][b], m->rows - row);
    }
}

// Tokens are taken in chunks that stay in the second-level cache while the weights pass by once a chunk. Integer weights
// go through panels when a chunk has PANEL_MIN tokens: decoding costs them more than it does float weights.
enum { TOKEN_CHUNK = 64 };
#include "panel_body.h"

INLINE void multiply_format(const bb_row_format format, const code_zeros zeros, const bb_matrix *m, const float *x, size_t ldx,
                            size_t tokens, float *y, size_t ldy, size_t first, size_t last) {
  for (size_t chunk = 0; chunk < tokens; chunk += TOKEN_CHUNK) {
    const size_t end = chunk + TOKEN_CHUNK < tokens ? chunk + TOKEN_CHUNK : tokens;
    const int panels = bb_formats[format].coded && end - chunk >= PANEL_MIN;
    size_t block = first;
    // One token reads block after block, in the order of memory, which the processor foresees.
    if (tokens == 1)
      for (; block < last; block++) tile(format, zeros, 1, 1, m, x, ldx, y, ldy, block);
    else if (panels)
      for (; block + TILE_BLOCKS <= last; block += TILE_BLOCKS)
        panel_chunk(format, zeros, TILE_BLOCKS, m, x + chunk * ldx, ldx, end - chunk, y + chunk * ldy, ldy, block);
    else
      for (; block + TILE_BLOCKS <= last; block += TILE_BLOCKS) {
        size_t t = chunk;
        for (; t + TILE_TOKENS <= end; t += TILE_TOKENS)
          tile(format, zeros, TILE_TOKENS, TILE_BLOCKS, m, x + t * ldx, ldx, y + t * ldy, ldy, block);
        for (; t < end; t++) tile(format, zeros, 1, TILE_BLOCKS, m, x + t * ldx, ldx, y + t * ldy, ldy, block);
      }
    for (; block < last; block++) {
      if (panels) panel_chunk(format, zeros, 1, m, x + chunk * ldx, ldx, end - chunk, y + chunk * ldy, ldy, block);
      else
        for (size_t t = chunk; t < end; t++) tile(format, zeros, 1, 1, m, x + t * ldx, ldx, y + t * ldy, ldy, block);
    }
  }
}

INLINE void multiply_floats(const bb_row_format format, const bb_matrix *m, const bb_activations *x, size_t tokens, float *y,
                            size_t ldy, size_t first, size_t last) {
  const float *rows = x->values;
  const size_t ldx = x->stride / sizeof(float);
  const int one = !m->zeros && m->zero == floorf(m->zero) && fabsf(m->zero) <= 256;
  if (one || !bb_formats[format].coded) multiply_format(format, ONE_ZERO, m, rows, ldx, tokens, y, ldy, first, last);
  else multiply_format(format, ZERO_FOR_EACH, m, rows, ldx, tokens, y, ldy, first, last);
}

// ---------------------------------------------------------------- elementwise

static void widen(const void *src, bb_float_format format, float *dst, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) v_store(dst + i, v_load_as(src, format, i));
  for (; i < n; i++) {
    uint16_t half;
    if (format == BB_F32) {
      memcpy(dst + i, (const uint8_t *)src + i * 4, 4);
      continue;
    }
    memcpy(&half, (const uint8_t *)src + i * 2, 2);
    dst[i] = format == BB_F16 ? bb_f16_to_float(half) : bb_bf16_to_float(half);
  }
}

static void convert_to_bf16(const float *src, uint16_t *dst, size_t n) {
  for (size_t i = 0; i < n; i++) dst[i] = bb_float_to_bf16(src[i]);
}

static void narrow(const float *src, bb_float_format format, void *dst, size_t n) {
  if (format == BB_F32) memcpy(dst, src, n * 4);
  if (format == BB_BF16) convert_to_bf16(src, dst, n);
  for (size_t i = 0; format == BB_F16 && i < n; i++) ((uint16_t *)dst)[i] = bb_float_to_f16(src[i]);
}

static void rms_norm(const float *x, const float *weight, float eps, size_t n, float *y) {
  v16 squares = v_set(0);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const v16 v = v_load(x + i);
    squares = v_fma(v, v, squares);
  }
  if (i < n) {
    const v16 v = load_first(x + i, n - i, 0);
    squares = v_fma(v, v, squares);
  }
  const float factor = 1.0f / sqrtf(v_sum(squares) / (float)n + eps);
  const v16 f = v_set(factor);
  for (i = 0; i + 16 <= n; i += 16) v_store(y + i, v_mul(v_mul(v_load(x + i), f), v_load(weight + i)));
  for (; i < n; i++) y[i] = x[i] * factor * weight[i];
}

static void rotate(float *x, const float *cosine, const float *sine, size_t half) {
  size_t i = 0;
  for (; i + 16 <= half; i += 16) {
    const v16 a = v_load(x + i), b = v_load(x + half + i), c = v_load(cosine + i), s = v_load(sine + i);
    v_store(x + i, v_sub(v_mul(a, c), v_mul(b, s)));
    v_store(x + half + i, v_add(v_mul(b, c), v_mul(a, s)));
  }
  for (; i < half; i++) {
    const float a = x[i], b = x[half + i];
    const float ac = a * cosine[i], bs = b * sine[i], bc = b * cosine[i], as = a * sine[i];
    x[i] = ac - bs;
    x[half + i] = bc + as;
  }
}

// Sums and differences over halves, quarters and so on; then times 1 / sqrt(n).
static void hadamard(float *x, size_t n) {
  size_t half = n / 2;
  for (; half >= 16; half /= 2)
    for (size_t start = 0; start < n; start += 2 * half)
      for (size_t i = start; i < start + half; i += 16) {
        const v16 a = v_load(x + i), b = v_load(x + i + half);
        v_store(x + i, v_add(a, b));
        v_store(x + i + half, v_sub(a, b));
      }
  for (; half > 0; half /= 2)
    for (size_t start = 0; start < n; start += 2 * half)
      for (size_t i = start; i < start + half; i++) {
        const float a = x[i], b = x[i + half];
        x[i] = a + b;
        x[i + half] = a - b;
      }
  const float factor = (float)(1 / sqrt((double)n));
  for (size_t i = 0; i < n; i++) x[i] *= factor;
}

INLINE v16 silu_times(v16 gate, v16 up) {
  const v16 down = v_add(v_exp(v_sub(v_set(0), gate)), v_set(1.0f));
  return v_mul(v_div(gate, down), up);
}

static void silu_multiply(const float *gate, const float *up, float *y, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) v_store(y + i, silu_times(v_load(gate + i), v_load(up + i)));
  if (i < n) store_first(y + i, silu_times(load_first(gate + i, n - i, 0), load_first(up + i, n - i, 0)), n - i);
}

static void add(float *x, const float *y, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) v_store(x + i, v_add(v_load(x + i), v_load(y + i)));
  for (; i < n; i++) x[i] += y[i];
}

static void add_scaled(float *x, const float *y, float factor, size_t n) {
  const v16 f = v_set(factor);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) v_store(x + i, v_fma(v_load(y + i), f, v_load(x + i)));
  if (i < n) store_first(x + i, v_fma(load_first(y + i, n - i, 0), f, load_first(x + i, n - i, 0)), n - i);
}

static void divide(const float *x, float divisor, size_t n, float *y) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) v_store(y + i, v_div(v_load(x + i), v_set(divisor)));
  for (; i < n; i++) y[i] = x[i] / divisor;
}

static float exp_sum(const float *x, float shift, float *y, size_t n) {
  v16 sum = v_set(0);
  const v16 s = v_set(shift);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const v16 e = v_exp(v_sub(v_load(x + i), s));
    v_store(y + i, e);
    sum = v_add(sum, e);
  }
  if (i < n) {
    const v16 e = v_exp(v_sub(load_first(x + i, n - i, -INFINITY), s));
    store_first(y + i, e, n - i);
    sum = v_add(sum, e);
  }
  return v_sum(sum);
}

static float highest(const float *x, size_t n) {
  v16 top[4], poison[4];
  for (int c = 0; c < 4; c++) {
    top[c] = v_set(x[0]);
    poison[c] = v_set(0);
  }
  for (size_t i = 0; i < n; i += 64)
    for (size_t c = 0; c < 4 && i + 16 * c < n; c++) {
      const size_t at = i + 16 * c;
      const v16 v = at + 16 <= n ? v_load(x + at) : load_first(x + at, n - at, x[0]);
      top[c] = v_max(v, top[c]);
      poison[c] = v_fma(v, v_set(0), poison[c]);  // NaN once a number is NaN or infinite, else 0
    }
  const v16 all = v_add(v_add(poison[0], poison[1]), v_add(poison[2], poison[3]));
  return v_reduce_max(v_max(v_max(top[0], top[1]), v_max(top[2], top[3]))) + v_sum(all);
}

static size_t first_above(const float *x, size_t from, size_t n, float limit) {
  size_t i = from;
  for (; i + 64 <= n; i += 64) {
    const v16 a = v_max(v_load(x + i), v_load(x + i + 16)), b = v_max(v_load(x + i + 32), v_load(x + i + 48));
    if (v_reduce_max(v_max(a, b)) > limit) break;
  }
  while (i < n && !(x[i] > limit)) i++;
  return i;
}

#include "activations_body.h"
#include "delta_body.h"
#include "attention_body.h"
#include "encode_body.h"
