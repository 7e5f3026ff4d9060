// Integer weights times activations that are rounded to 8 bits, written once over 16 lanes of 32 bits. Each instruction
// set's file defines `l16` and its operations (see scalar.c for what they mean) and includes this after kernels_body.h.
//
// Sums of products inside a group of inputs are whole numbers and exact, so their order is free; groups are added in
// F32 one after the other, by fused multiply-adds. So all instruction sets, batch sizes and tilings agree bit for bit.

#include "tiles.h"

// ---------------------------------------------------------------- rounding activations to 8 bits

// The highest magnitude so far; and NaN once a value is NaN or infinite, else 0.
INLINE void look_at(v16 v, v16 *highest, v16 *poison) {
  *highest = v_max(v_magnitude(v), *highest);  // a number: v_max passes over what is none
  *poison = v_fma(v, v_set(0), *poison);
}

// Groups of `width` inputs, one beside the other: as many as the constant `count`, at most 4.
INLINE void quantize_groups(const int count, const float *x, size_t width, int8_t *codes, float *scales, int32_t *sums) {
  v16 highest[4], poison[4], factor[4], total[4];
  l16 sum[4];
  float top[4], none[4], whole[4];
  size_t i = 0;
  for (int g = 0; g < count; g++) {
    highest[g] = poison[g] = v_set(0);
    sum[g] = no_numbers(width);
  }
  for (; i + 16 <= width; i += 16)
    for (int g = 0; g < count; g++) look_at(v_load(x + g * width + i), &highest[g], &poison[g]);
  for (int g = 0; i < width && g < count; g++)
    look_at(load_first(x + g * width + i, width - i, 0), &highest[g], &poison[g]);
  v_highest_rows(count, highest, top);
  v_sum_rows(count, poison, none);
  for (int g = 0; g < count; g++) {
    scales[g] = top[g] / 127.0f + none[g];
    factor[g] = v_set(top[g] > 0x1p-120f && top[g] < INFINITY ? 127.0f / top[g] : 0);
  }
  for (i = 0; i + 16 <= width; i += 16)
    for (int g = 0; g < count; g++) {
      const l16 code = counted(v_load(x + g * width + i), factor[g]);
      sum[g] = l_add(sum[g], code);
      l_store_bytes(codes + g * width + i, code);
    }
  for (int g = 0; i < width && g < count; g++) {
    const l16 code = counted(load_first(x + g * width + i, width - i, 0), factor[g]);
    sum[g] = l_add(sum[g], code);
    int8_t bytes[16];
    l_store_bytes(bytes, code);
    memcpy(codes + g * width + i, bytes, width - i);
  }
  for (int g = 0; g < count; g++) total[g] = v_from_lanes(sum[g]);
  v_sum_rows(count, total, whole);
  for (int g = 0; g < count; g++) sums[g] = (int32_t)whole[g];
}

static void quantize(const float *x, size_t n, size_t group, int8_t *codes, float *scales, int32_t *sums) {
  size_t start = 0, g = 0;
  // Four at a time, whose steps do not wait for one another.
  for (; n - start >= 4 * group; start += 4 * group, g += 4)
    quantize_groups(4, x + start, group, codes + start, scales + g, sums + g);
  for (; start < n; start += group, g++)
    quantize_groups(1, x + start, group < n - start ? group : n - start, codes + start, scales + g, sums + g);
  // The last line of weights may reach beyond the end.
  for (size_t i = n; i < (n + 7) / 8 * 8; i++) codes[i] = 0;
}

// ---------------------------------------------------------------- weights times rounded activations

enum { INTEGER_TOKENS = 128 };  // of a pass: their codes stay in the second-level cache

// The block of rows `block`, whose lines are given, times the tokens from `token` on; format, whether there are zeros, and the
// number of tokens are constants where this is inlined.
INLINE void integer_tile(const bb_row_format format, const int has_zeros, const int tokens, const bb_matrix *m,
                         const bb_activations *x, const uint8_t *line, size_t lead, size_t block, size_t token, float *y,
                         size_t ldy) {
  const size_t per_line = bb_formats[format].line_inputs;
  const size_t groups = (m->inputs + m->group - 1) / m->group, finer = m->group < m->inputs ? m->group / x->group : x->groups;
  const int8_t *codes = (const int8_t *)x->values + token * x->stride, *ninth = tokens > 8 ? codes + 8 * x->stride : codes;
  const float *scale = x->scales + token * x->groups;
  const int32_t *sum = x->sums + token * x->groups;
  const int32_t zero = has_zeros ? 0 : (int32_t)m->zero;
  v16 total[INTEGER_TILE];
  float *const out = y + token * ldy + block * 16;
  EACH_TOKEN(t) total[t] = v_set(0);
  EACH_TOKEN(t) __builtin_prefetch(out + t * ldy, 1, 2);
  size_t left = m->inputs;
  for (size_t g = 0; g < x->groups; g++, left -= x->group) {
    const size_t width = x->group < left ? x->group : left;
    l16 dot[INTEGER_TILE];
    EACH_TOKEN(t) dot[t] = l_set(-zero * sum[t * x->groups + g]);
    l16 second = l_set(0);  // a sum of its own for the second half of each line, where a single sum would wait for itself
    for (size_t k = 0; k < width; k += per_line, line += 64, codes += per_line, ninth += per_line) {
      const l16 w = l_load(line), low = format == BB_ROWS_INT4 ? l_field(w, 0, 15) : w;
      if (tokens > 1) __builtin_prefetch(line + lead, 0, 2);
      EACH_TOKEN(t) dot[t] = l_dot(dot[t], low, OF_TOKEN(t, codes, ninth, x->stride));
      if (format != BB_ROWS_INT4) continue;
      const l16 high = l_field(w, 4, 15);
      if (tokens == 1) second = l_dot(second, high, codes + 4);
      else EACH_TOKEN(t) dot[t] = l_dot(dot[t], high, OF_TOKEN(t, codes, ninth, x->stride) + 4);
    }
    if (tokens == 1) dot[0] = l_add(dot[0], second);
    const size_t at = (block * groups + g / finer) * 16;
    const v16 weight = v_load_as(m->scales, m->scale_format, at);
    EACH_TOKEN(t) {
      v16 whole = v_from_lanes(dot[t]);
      if (has_zeros) whole = v_fma(v_load(m->zeros + at), v_set((float)-sum[t * x->groups + g]), whole);
      total[t] = v_fma(v_mul(whole, v_set(scale[t * x->groups + g])), weight, total[t]);
    }
  }
  const size_t rows = m->rows - block * 16;
  EACH_TOKEN(t) {
    if (rows >= 16) v_store(out + t * ldy, total[t]);
    else store_first(out + t * ldy, total[t], rows);
  }
}

// Lines of 4-bit codes as twice as many lines of bytes.
INLINE void unpack_lines(const uint8_t *lines, size_t count, uint8_t *bytes) {
  for (size_t i = 0; i < count; i++) {
    const l16 w = l_load(lines + i * 64);
    l_store(bytes + i * 128, l_field(w, 0, 15));
    l_store(bytes + i * 128 + 64, l_field(w, 4, 15));
  }
}

// `count` blocks of rows from `block` on times the tokens [first, last): the first of these read weights from memory, the others from
// the second-level cache.
INLINE void integer_blocks(const bb_row_format format, const int has_zeros, const bb_matrix *m, const bb_activations *x,
                           const uint8_t *lines, size_t stride, size_t block, size_t count, size_t first, size_t last, float *y,
                           size_t ldy) {
  EACH_TILE(INTEGER_TILE, first, last, count,
            integer_tile(format, has_zeros, tokens, m, x, lines + b * stride, token == first ? LEAD_BYTES : 0, block + b,
                         token, y, ldy));
}

INLINE void multiply_integer_as(const bb_row_format format, const int has_zeros, const bb_matrix *m,
                                const bb_activations *x, size_t tokens, float *y, size_t ldy, size_t first, size_t last) {
  const size_t stride = bb_block_bytes(format, m->inputs);
  const int unpack = INTEGER_UNPACK && format == BB_ROWS_INT4 && tokens >= 2 * INTEGER_TILE;
  const size_t own = unpack ? 2 * stride : stride, most = SHARED_BYTES > own ? SHARED_BYTES / own : 1;
  _Alignas(64) uint8_t bytes[unpack ? most * own : 1];
  for (size_t token = 0; token < tokens; token += INTEGER_TOKENS) {
    const size_t end = token + INTEGER_TOKENS < tokens ? token + INTEGER_TOKENS : tokens;
    for (size_t block = first; block < last; block += most) {
      const size_t count = last - block < most ? last - block : most;
      const uint8_t *lines = m->lines + block * stride;
      if (unpack) {
        unpack_lines(lines, count * stride / 64, bytes);
        integer_blocks(BB_ROWS_INT8, has_zeros, m, x, bytes, own, block, count, token, end, y, ldy);
      } else {
        integer_blocks(format, has_zeros, m, x, lines, own, block, count, token, end, y, ldy);
      }
    }
  }
}

INLINE void multiply_integers(const bb_row_format format, const bb_matrix *m, const bb_activations *x, size_t tokens, float *y,
                              size_t ldy, size_t first, size_t last) {
  if (m->zeros) multiply_integer_as(format, 1, m, x, tokens, y, ldy, first, last);
  else multiply_integer_as(format, 0, m, x, tokens, y, ldy, first, last);
}
