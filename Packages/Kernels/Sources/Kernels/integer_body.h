// Integer weights times activations that are quantized to 8 or 16 bits, written once over 16 lanes of 32 bits:
// y[t][r] = sum over groups g of scale[r][g] * scale[t][g] * (sum over k in g of (code[r][k] - zero[r][g]) * code[t][k]).
//
// Weights lie in lines of 64 bytes, 16 rows by 4 or 8 inputs; of activations of 16 bits, the second and third of each four
// inputs are exchanged, because splitting a line into 16-bit halves gives every other code. A tile is one block of 16 rows by
// up to 16 tokens, whose sums stay in registers; 128 KiB of weights stay in the second-level cache while all tokens of a pass
// are multiplied.
//
// Sums of products inside a group of inputs are integers and exact, so their order is free; groups are added in
// F32 one after the other, by fused multiply-adds. So all instruction sets, batch sizes and tilings agree bit for bit.
//
// Each instruction set's file defines `l16` and its operations (see scalar_vectors.h for what they mean) and includes this after
// kernels_body.h.

#include "tiles.h"

// ---------------------------------------------------------------- quantizing activations

// Codes of an activation format: what the largest magnitude becomes, and bytes of one.
INLINE float largest_code(const bb_activation_format kind) { return kind == BB_ACTIVATIONS_INT16 ? 32767.0f : 127.0f; }
INLINE size_t code_bytes(const bb_activation_format kind) { return kind == BB_ACTIVATIONS_INT16 ? 2 : 1; }

// Stores 16 codes, which take 16 or 32 bytes.
INLINE void store_codes(const bb_activation_format kind, int8_t *to, l16 codes) {
  if (kind == BB_ACTIVATIONS_INT16) l_store_words((int16_t *)to, codes);
  else l_store_bytes(to, codes);
}

// The maximum magnitude so far; and NaN once a value is NaN or infinite, else 0.
INLINE void accumulate_max(v16 v, v16 *max, v16 *poison) {
  *max = v_max(v_abs(v), *max);  // a number: v_max passes over what is none
  *poison = v_fma(v, v_set(0), *poison);
}

// Groups of `width` inputs, one beside the other: as many as the constant `count`, at most 4.
INLINE void quantize_groups(const bb_activation_format kind, const int count, const float *x, size_t width, int8_t *codes,
                            float *scales, int32_t *sums) {
  const float largest = largest_code(kind);
  const size_t bytes = code_bytes(kind);
  v16 max[4], poison[4], factor[4], total[4];
  l16 sum[4];
  float top[4], none[4], whole[4];
  size_t i = 0;
  for (int g = 0; g < count; g++) {
    max[g] = poison[g] = v_set(0);
    sum[g] = empty_sum(width);
  }
  for (; i + 16 <= width; i += 16)
    for (int g = 0; g < count; g++) accumulate_max(v_load(x + g * width + i), &max[g], &poison[g]);
  for (int g = 0; i < width && g < count; g++)
    accumulate_max(load_first(x + g * width + i, width - i, 0), &max[g], &poison[g]);
  v_reduce_max_rows(count, max, top);
  v_sum_rows(count, poison, none);
  for (int g = 0; g < count; g++) {
    scales[g] = top[g] / largest + none[g];
    factor[g] = v_set(top[g] > 0x1p-112f && top[g] < INFINITY ? largest / top[g] : 0);
  }
  for (i = 0; i + 16 <= width; i += 16)
    for (int g = 0; g < count; g++) {
      const l16 code = nearest_integers(v_load(x + g * width + i), factor[g]);
      sum[g] = l_add(sum[g], code);
      store_codes(kind, codes + (g * width + i) * bytes, code);
    }
  for (int g = 0; i < width && g < count; g++) {
    const l16 code = nearest_integers(load_first(x + g * width + i, width - i, 0), factor[g]);
    sum[g] = l_add(sum[g], code);
    _Alignas(2) int8_t last[32];
    store_codes(kind, last, code);
    memcpy(codes + (g * width + i) * bytes, last, ((width - i) + 3) / 4 * 4 * bytes);
  }
  for (int g = 0; g < count; g++) total[g] = v_from_lanes(sum[g]);
  v_sum_rows(count, total, whole);
  for (int g = 0; g < count; g++) sums[g] = (int32_t)whole[g];
}

INLINE void quantize_row(const bb_activation_format kind, const float *x, size_t n, size_t group, int8_t *codes, float *scales,
                         int32_t *sums) {
  const size_t bytes = code_bytes(kind);
  size_t start = 0, g = 0;
  // Four at a time, whose steps do not wait for one another.
  for (; n - start >= 4 * group; start += 4 * group, g += 4)
    quantize_groups(kind, 4, x + start, group, codes + start * bytes, scales + g, sums + g);
  for (; start < n; start += group, g++)
    quantize_groups(kind, 1, x + start, group < n - start ? group : n - start, codes + start * bytes, scales + g, sums + g);
  // The last line of weights may reach beyond the end; codes are stored by fours.
  const size_t stored = (n + 3) / 4 * 4, filled = (n + 7) / 8 * 8;
  memset(codes + stored * bytes, 0, (filled - stored) * bytes);
}

static void quantize(const float *x, size_t n, size_t group, int8_t *codes, float *scales, int32_t *sums) {
  quantize_row(BB_ACTIVATIONS_INT8, x, n, group, codes, scales, sums);
}

static void quantize16(const float *x, size_t n, size_t group, int16_t *codes, float *scales, int32_t *sums) {
  quantize_row(BB_ACTIVATIONS_INT16, x, n, group, (int8_t *)codes, scales, sums);
}

// Plain loops, which the compiler makes the widest of this instruction set.
static int32_t recode(const int8_t *codes, size_t n, unsigned bits, uint8_t *restrict recoded) {
  int32_t squares = 0;
  if (bits == 8) {
    for (size_t i = 0; i < n; i++) {
      recoded[i] = (uint8_t)(codes[i] + 128);
      squares += codes[i] * codes[i];
    }
    return squares;
  }
  for (size_t i = 0; i < n; i++) {
    // 7 / 127 of the code, counted from -8 and rounded: no code lies in the middle between two.
    const uint16_t doubled = (uint16_t)(14 * codes[i] + 127 + 8 * 254);
    // Divided by 254, which is exact for all that fits 12 bits.
    recoded[i] = (uint8_t)((uint32_t)doubled * 16514 >> 22);
    const int32_t code = recoded[i] - 8;
    squares += code * code;
  }
  return squares;
}

// ---------------------------------------------------------------- weights times quantized activations

enum { INTEGER_TOKENS = 128 };  // of a pass: their codes stay in the second-level cache

// The products of one line with 8-bit codes: added to the sums of the tokens, or for one token to two sums, `dot` and `apart`,
// because a single one would wait for itself.
INLINE void line_by_bytes(const bb_row_format format, const int tokens, l16 line, const int8_t *codes, const int8_t *ninth,
                          size_t stride, l16 *dot, l16 *apart) {
  const l16 low = format == BB_ROWS_INT4 ? l_field(line, 0, 15) : line;
  EACH_TOKEN(t) dot[t] = l_dot(dot[t], low, OF_TOKEN(t, codes, ninth, stride));
  if (format != BB_ROWS_INT4) return;
  const l16 high = l_field(line, 4, 15);
  if (tokens == 1) apart[0] = l_dot(apart[0], high, codes + 4);
  else EACH_TOKEN(t) dot[t] = l_dot(dot[t], high, OF_TOKEN(t, codes, ninth, stride) + 4);
}

// The same with 16-bit codes: a line becomes 2 or 4 lines of 16-bit halves, each multiplied with two inputs.
INLINE void line_by_words(const bb_row_format format, const int tokens, l16 line, const int8_t *codes, const int8_t *ninth,
                          size_t stride, l16 *dot, l16 *apart) {
  const int fields = (int)bb_formats[format].line_inputs / 2;
_Pragma("clang loop unroll(full)")
  for (int f = 0; f < fields; f++) {
    const l16 words = format == BB_ROWS_INT4 ? l_words(line, f % 2 * 8 + f / 2 * 4, 15) : l_words(line, f * 8, 255);
    if (tokens == 1) apart[f] = l_dot_words(apart[f], words, (const int16_t *)codes + 2 * f);
    else EACH_TOKEN(t) dot[t] = l_dot_words(dot[t], words, (const int16_t *)OF_TOKEN(t, codes, ninth, stride) + 2 * f);
  }
}

// Whether products go by way of sums of 16 bits; see L_BRIEF_SUMS.
#ifdef L_BRIEF_SUMS
INLINE int is_brief(const bb_row_format format, const bb_activation_format kind) {
  return format == BB_ROWS_INT4 && kind == BB_ACTIVATIONS_INT8;
}

// Adds the products of `width` <= BRIEF_INPUTS inputs to the sums of the tokens.
INLINE void add_briefly(const int tokens, const uint8_t *line, size_t distance, const int8_t *codes, size_t stride,
                        const size_t width, l16 *dot) {
  l16 brief[BRIEF_TILE];
  EACH_TOKEN(t) brief[t] = l_set(0);
_Pragma("clang loop unroll(full)")
  for (size_t k = 0; k < width; k += 8, line += 64) {
    const l16 w = l_load(line), low = l_field(w, 0, 15), high = l_field(w, 4, 15);
    PREFETCH_AHEAD(line, distance);
    EACH_TOKEN(t) brief[t] = l_dot_brief(brief[t], low, codes + t * stride + k);
    EACH_TOKEN(t) brief[t] = l_dot_brief(brief[t], high, codes + t * stride + k + 4);
  }
  EACH_TOKEN(t) dot[t] = l_add_brief(dot[t], brief[t]);
}

INLINE void add_group_briefly(const int tokens, const uint8_t *line, size_t distance, const int8_t *codes, size_t stride,
                              size_t width, l16 *dot) {
  size_t k = 0;
  for (; k + BRIEF_INPUTS <= width; k += BRIEF_INPUTS)
    add_briefly(tokens, line + k * 8, distance, codes + k, stride, BRIEF_INPUTS, dot);
  for (; k < width; k += 8) add_briefly(tokens, line + k * 8, distance, codes + k, stride, 8, dot);
}
#else
enum { BRIEF_TILE = 1 };
INLINE int is_brief(const bb_row_format format, const bb_activation_format kind) {
  (void)format, (void)kind;
  return 0;
}
#endif

// Adds the products of a group of `width` inputs to the sums of the tokens.
INLINE void add_group(const bb_row_format format, const bb_activation_format kind, const int tokens, const uint8_t *line,
                      size_t distance, const int8_t *codes, size_t stride, size_t width, l16 *dot) {
#ifdef L_BRIEF_SUMS
  if (is_brief(format, kind)) return add_group_briefly(tokens, line, distance, codes, stride, width, dot);
#endif
  const size_t per_line = bb_formats[format].line_inputs, line_codes = per_line * code_bytes(kind);
  const int8_t *ninth = tokens > 8 ? codes + 8 * stride : codes;
  l16 apart[4] = {l_set(0), l_set(0), l_set(0), l_set(0)};
  for (size_t k = 0; k < width; k += per_line, line += 64, codes += line_codes, ninth += line_codes) {
    const l16 w = l_load(line);
    PREFETCH_AHEAD(line, distance);
    if (kind == BB_ACTIVATIONS_INT16) line_by_words(format, tokens, w, codes, ninth, stride, dot, apart);
    else line_by_bytes(format, tokens, w, codes, ninth, stride, dot, apart);
  }
  if (tokens == 1) dot[0] = l_add(dot[0], l_add(l_add(apart[0], apart[1]), l_add(apart[2], apart[3])));
}

// The block of rows `block`, whose lines are given, times the tokens from `token` on; the formats, whether there are zeros, and
// the number of tokens are constants where this is inlined.
INLINE void integer_tile(const bb_row_format format, const bb_activation_format kind, const int has_zeros, const int tokens,
                         const bb_matrix *m, const bb_activations *x, const uint8_t *line, size_t distance, size_t block,
                         size_t token, float *y, size_t ldy) {
  const size_t groups = (m->inputs + m->group - 1) / m->group, finer = m->group < m->inputs ? m->group / x->group : x->groups;
  const int8_t *codes = (const int8_t *)x->values + token * x->stride;
  const float *scale = x->scales + token * x->groups;
  const int32_t *sum = x->sums + token * x->groups;
  const int32_t zero = has_zeros ? 0 : (int32_t)m->zero;
  v16 total[MOST_TOKENS];
  float *const out = y + token * ldy + block * 16;
  EACH_TOKEN(t) total[t] = v_set(0);
  EACH_TOKEN(t) __builtin_prefetch(out + t * ldy, 1, 2);
  const size_t per_line = bb_formats[format].line_inputs;
  size_t left = m->inputs;
  for (size_t g = 0; g < x->groups; g++, left -= x->group) {
    const size_t width = x->group < left ? x->group : left;
    l16 dot[MOST_TOKENS];
    EACH_TOKEN(t) dot[t] = l_set(-zero * sum[t * x->groups + g]);
    add_group(format, kind, tokens, line, distance, codes, x->stride, width, dot);
    line += (width + per_line - 1) / per_line * 64, codes += width * code_bytes(kind);
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
INLINE void integer_blocks(const bb_row_format format, const bb_activation_format kind, const int has_zeros, const bb_matrix *m,
                           const bb_activations *x, const uint8_t *lines, size_t stride, size_t block, size_t count,
                           size_t first, size_t last, float *y, size_t ldy) {
#define INTEGER_BLOCKS(MOST)                                                                                             \
  EACH_TILE(MOST, first, last, count,                                                                                   \
            integer_tile(format, kind, has_zeros, tokens, m, x, lines + b * stride, token == first ? FIRST_DISTANCE : 0, block + b, \
                         token, y, ldy))
  if (is_brief(format, kind)) INTEGER_BLOCKS(BRIEF_TILE);
  else INTEGER_BLOCKS(INTEGER_TILE);
#undef INTEGER_BLOCKS
}

INLINE void multiply_integer_as(const bb_row_format format, const bb_activation_format kind, const int has_zeros,
                                const bb_matrix *m, const bb_activations *x, size_t tokens, float *y, size_t ldy, size_t first, size_t last) {
  const size_t stride = bb_block_bytes(format, m->inputs);
  const int unpack = INTEGER_UNPACK && format == BB_ROWS_INT4 && !is_brief(format, kind) && tokens >= 2 * INTEGER_TILE;
  const size_t own = unpack ? 2 * stride : stride, most = SHARED_BYTES > own ? SHARED_BYTES / own : 1;
  _Alignas(64) uint8_t bytes[unpack ? most * own : 1];
  for (size_t token = 0; token < tokens; token += INTEGER_TOKENS) {
    const size_t end = token + INTEGER_TOKENS < tokens ? token + INTEGER_TOKENS : tokens;
    for (size_t block = first; block < last; block += most) {
      const size_t count = last - block < most ? last - block : most;
      const uint8_t *lines = m->lines + block * stride;
      if (unpack) {
        unpack_lines(lines, count * stride / 64, bytes);
        integer_blocks(BB_ROWS_INT8, kind, has_zeros, m, x, bytes, own, block, count, token, end, y, ldy);
      } else {
        integer_blocks(format, kind, has_zeros, m, x, lines, own, block, count, token, end, y, ldy);
      }
    }
  }
}

#ifdef L_WIDEN
// 8-bit weights times 8-bit activations, which are multiplied in 16 bits: activations are widened once for some tokens instead of at
// every line.
static void int8_by_int16(const bb_matrix *m, const bb_activations *x, size_t tokens, float *y, size_t ldy, size_t first, size_t last);

static void multiply_widened(const bb_matrix *m, const bb_activations *x, size_t tokens, float *y, size_t ldy, size_t first,
                             size_t last) {
  enum { TOKENS = 32, APART = 32 };  // rows at a distance of a power of two would share places in the first-level cache
  const size_t codes = (m->inputs + 7) / 8 * 8, stride = codes + APART;
  int16_t wide[(tokens < TOKENS ? tokens : TOKENS) * stride];
  for (size_t token = 0; token < tokens; token += TOKENS) {
    const size_t count = tokens - token < TOKENS ? tokens - token : TOKENS;
    for (size_t t = 0; t < count; t++)
      for (size_t k = 0; k < codes; k += 8) l_widen((const int8_t *)x->values + (token + t) * x->stride + k, wide + t * stride + k);
    const bb_activations words = {.format = BB_ACTIVATIONS_INT16, .values = wide, .stride = stride * 2, .group = x->group,
                                  .groups = x->groups, .scales = x->scales + token * x->groups, .sums = x->sums + token * x->groups};
    int8_by_int16(m, &words, count, y + token * ldy, ldy, first, last);
  }
}
#endif

INLINE void multiply_integers(const bb_row_format format, const bb_activation_format kind, const bb_matrix *m,
                              const bb_activations *x, size_t tokens, float *y, size_t ldy, size_t first, size_t last) {
#ifdef L_WIDEN
  if (format == BB_ROWS_INT8 && kind == BB_ACTIVATIONS_INT8 && tokens > 1)
    return multiply_widened(m, x, tokens, y, ldy, first, last);
#endif
  if (m->zeros) multiply_integer_as(format, kind, 1, m, x, tokens, y, ldy, first, last);
  else multiply_integer_as(format, kind, 0, m, x, tokens, y, ldy, first, last);
}
