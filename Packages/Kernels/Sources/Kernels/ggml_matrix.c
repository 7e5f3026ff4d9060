// Matrices of GGUF's blocks in memory: packed once, and expanded a block of 16 rows at a time when they are multiplied.
#include <string.h>

#include "bb_ggml.h"
#include "half.h"

#pragma STDC FP_CONTRACT OFF

enum { ROWS = 16, LINE = 64, STRIPE = 32 };

typedef uint8_t bytes __attribute__((vector_size(LINE), aligned(LINE)));

size_t bb_ggml_line_bytes(const bb_ggml_type *type, size_t inputs) { return inputs / STRIPE * type->bits * LINE; }

int bb_ggml_has_plain_lines(const bb_ggml_type *type) { return !type->values && (type->bits == 4 || type->bits == 8); }

static uint16_t stored_d(const bb_ggml_type *type, float d) {
  return type->id == 39 ? bb_float_to_bf16(d) : bb_float_to_f16(d);
}

static float d_at(const bb_ggml_type *type, uint16_t d) {
  return type->id == 39 ? bb_bf16_to_float(d) : bb_f16_to_float(d);
}

// ---------------------------------------------------------------- packing

static inline uint32_t four_at(const uint8_t *codes) {
  uint32_t word;
  memcpy(&word, codes, 4);
  return word;
}

// The codes of 32 inputs of a row into a stripe, 4 at a time.
static inline void pack_stripe(const int bits, const uint8_t *codes, size_t row, uint8_t *stripe) {
  uint8_t *to = stripe + row * 4;
  int shift = 0, line = 0;
  if (bits == 8) {
    for (int i = 0; i < 8; i++) memcpy(to + i * LINE, codes + 4 * i, 4);
    return;
  }
  if (bits >= 4) {
    for (; line < 4; line++) {
      const uint32_t word = (four_at(codes + 8 * line) & 0x0f0f0f0f) | (four_at(codes + 8 * line + 4) & 0x0f0f0f0f) << 4;
      memcpy(to + line * LINE, &word, 4);
    }
    shift = 4;
  }
  if (bits == 2 || bits == 3 || bits == 6) {
    for (int half = 0; half < 2; half++, line++) {
      uint32_t word = 0;
      for (int i = 0; i < 4; i++) word |= (four_at(codes + 16 * half + 4 * i) >> shift & 0x03030303) << (2 * i);
      memcpy(to + line * LINE, &word, 4);
    }
    shift += 2;
  }
  if (bits == 3 || bits == 5) {
    uint32_t word = 0;
    for (int i = 0; i < 8; i++) word |= (four_at(codes + 4 * i) >> shift & 0x01010101) << i;
    memcpy(to + line * LINE, &word, 4);
  }
}

static void pack_codes(const bb_ggml_type *type, const uint8_t *codes, size_t row, uint8_t *stripes) {
#define PACK(BITS)                                                                          \
  case BITS:                                                                                \
    for (size_t k = 0; k < type->elements; k += STRIPE)                                     \
      pack_stripe(BITS, codes + k, row, stripes + k / STRIPE * BITS * LINE);                \
    break;
  switch (type->bits) {
    PACK(2)
    PACK(3)
    PACK(4)
    PACK(5)
    PACK(6)
    PACK(8)
    default: break;
  }
#undef PACK
}

void bb_ggml_pack(const bb_ggml_matrix *m, size_t block, const uint8_t *rows, size_t count) {
  const bb_ggml_type *type = m->type;
  const size_t line_bytes = bb_ggml_line_bytes(type, m->inputs), parts_count = m->inputs / type->elements;
  const size_t groups = m->inputs / type->group, own = type->elements / type->group;
  uint8_t *lines = m->lines + block * line_bytes;
  uint16_t *d = m->d + block * parts_count * ROWS, *low = m->low ? m->low + block * parts_count * ROWS : NULL;
  int8_t *scales = m->scales ? m->scales + block * groups * ROWS : NULL;
  uint8_t *lows = m->lows ? m->lows + block * groups * ROWS : NULL;
  if (count < ROWS) {
    memset(d, 0, parts_count * ROWS * 2);
    if (low) memset(low, 0, parts_count * ROWS * 2);
    if (scales) memset(scales, 0, groups * ROWS);
    if (lows) memset(lows, 0, groups * ROWS);
  }
  if (count < ROWS) memset(lines, 0, line_bytes);
  bb_ggml_parts parts;
  for (size_t part = 0; part < parts_count; part++) {
    for (size_t row = 0; row < count; row++) {
      type->split(rows + (row * parts_count + part) * type->bytes, &parts);
      pack_codes(type, parts.codes, row, lines + part * type->elements / STRIPE * type->bits * LINE);
      d[part * ROWS + row] = stored_d(type, parts.d);
      if (low) low[part * ROWS + row] = bb_float_to_f16(parts.low);
      for (size_t g = 0; g < own; g++) {
        if (scales) scales[(part * own + g) * ROWS + row] = parts.scales[g];
        if (lows) lows[(part * own + g) * ROWS + row] = parts.lows[g];
      }
    }
  }
}

// ---------------------------------------------------------------- expanding

// A stripe as 8 lines of bytes.
static inline void expand_stripe(const int bits, const uint8_t *from, bytes *to) {
  const bytes *line = (const bytes *)from;
  if (bits >= 4)
    for (int i = 0; i < 4; i++) {
      to[2 * i] = line[i] & 15;
      to[2 * i + 1] = line[i] >> 4;
    }
  if (bits == 6)
    for (int i = 0; i < 8; i++) to[i] |= (line[4 + i / 4] >> (i % 4 * 2) & 3) << 4;
  if (bits == 5)
    for (int i = 0; i < 8; i++) to[i] |= (line[4] >> i & 1) << 4;
  if (bits == 2 || bits == 3)
    for (int i = 0; i < 8; i++) to[i] = line[i / 4] >> (i % 4 * 2) & 3;
  if (bits == 3)
    for (int i = 0; i < 8; i++) to[i] |= (line[2] >> i & 1) << 2;
}

static inline void expand_stripes(const bb_ggml_type *type, const uint8_t *from, size_t stripes, uint8_t *to) {
  bytes *out = (bytes *)to;
#define EXPAND(BITS)                                                                                        \
  case BITS:                                                                                                \
    for (size_t s = 0; s < stripes; s++) expand_stripe(BITS, from + s * BITS * LINE, out + s * 8); \
    break;
  switch (type->bits) {
    EXPAND(2)
    EXPAND(3)
    EXPAND(4)
    EXPAND(5)
    EXPAND(6)
    default: break;
  }
#undef EXPAND
}

// Entries of a table of 16 for codes below 16, at most one line at a time.
static inline void look_up(const uint8_t *table, uint8_t *codes, size_t count) {
  for (size_t i = 0; i < count; i++) codes[i] = table[codes[i]];
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2"))) static void expand_avx2(const bb_ggml_type *type, const uint8_t *from, size_t stripes,
                                                         const uint8_t *table, uint8_t *to) {
  expand_stripes(type, from, stripes, to);
  if (!table) return;
  const __m256i entries = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
  for (size_t i = 0; i < stripes * 8 * LINE; i += 32) {
    const __m256i codes = _mm256_load_si256((const __m256i *)(to + i));
    _mm256_store_si256((__m256i *)(to + i), _mm256_shuffle_epi8(entries, codes));
  }
}
#endif

// `stripes` stripes as lines of bytes; of types that have a table, its entries counted from -128.
static void expand_lines(const bb_ggml_type *type, const uint8_t *from, size_t stripes, uint8_t *to) {
  uint8_t table[16];
  for (int i = 0; type->values && i < 16; i++) table[i] = (uint8_t)(type->values[i] + 128);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return expand_avx2(type, from, stripes, type->values ? table : NULL, to);
#endif
  expand_stripes(type, from, stripes, to);
  if (type->values) look_up(table, to, stripes * 8 * LINE);
}

#pragma clang diagnostic ignored "-Wpsabi"  // these vectors never leave the file
typedef float floats __attribute__((vector_size(64), aligned(4)));
typedef uint32_t words __attribute__((vector_size(64), aligned(4)));
typedef int32_t numbers __attribute__((vector_size(64), aligned(4)));
typedef uint16_t halves __attribute__((vector_size(32), aligned(2)));
typedef int8_t small_numbers __attribute__((vector_size(16), aligned(1)));
typedef uint8_t small_words __attribute__((vector_size(16), aligned(1)));

// 16 numbers of 16 bits as floats, exactly; infinities and NaN too.
static inline __attribute__((always_inline)) floats widen_halves(const uint16_t *from, int is_bf16) {
  halves stored;
  memcpy(&stored, from, sizeof stored);
  const words half = __builtin_convertvector(stored, words);
  if (is_bf16) return (floats)(half << 16);
  const words sign = (half & 0x8000) << 16, magnitude = half & 0x7fff;
  const words tiny = (words)(__builtin_convertvector((numbers)magnitude, floats) * 0x1p-24f);
  const words normal = (magnitude << 13) + ((words)(magnitude >= 0x7c00) & (112u << 23)) + (112u << 23);
  const words is_tiny = (words)(magnitude < 0x400);
  return (floats)(sign | (is_tiny & tiny) | (~is_tiny & normal));
}

static inline __attribute__((always_inline)) floats from_signed(const int8_t *from) {
  small_numbers stored;
  memcpy(&stored, from, sizeof stored);
  return __builtin_convertvector(__builtin_convertvector(stored, numbers), floats);
}

static inline __attribute__((always_inline)) floats from_unsigned(const uint8_t *from) {
  small_words stored;
  memcpy(&stored, from, sizeof stored);
  return __builtin_convertvector((numbers)__builtin_convertvector(stored, words), floats);
}

static inline __attribute__((always_inline)) floats choose(numbers mask, floats yes, floats no) {
  return (floats)(((words)mask & (words)yes) | (~(words)mask & (words)no));
}

void bb_ggml_expand(const bb_ggml_matrix *m, size_t block, uint8_t *lines, float *scales, float *zeros) {
  const bb_ggml_type *type = m->type;
  const size_t parts = m->inputs / type->elements, groups = m->inputs / type->group, own = type->elements / type->group;
  if (lines) {
    const uint8_t *from = m->lines + block * bb_ggml_line_bytes(type, m->inputs);
    expand_lines(type, from, m->inputs / STRIPE, lines);
  }
  // weight = scale * (code - zero) - low = scale * (code - (zero + low / scale)). Without a scale all weights of a group are
  // -low: a tiny scale and a zero beside which no code counts say that.
  const floats zero = (floats){0} + (float)(type->values ? 128 : type->zero), none = {0};
  for (size_t part = 0; part < parts; part++) {
    const size_t at = (block * parts + part) * ROWS;
    const floats d = widen_halves(m->d + at, type->id == 39);
    const floats low = m->low ? widen_halves(m->low + at, 0) : none;
    for (size_t g = part * own; g < (part + 1) * own; g++) {
      const size_t first = (block * groups + g) * ROWS;
      floats scale = m->scales ? d * from_signed(m->scales + first) : d;
      if (zeros) {
        const floats lowest = m->lows ? low * from_unsigned(m->lows + first) : low;
        const numbers has_low = lowest != none, lacks_scale = (scale == none) & has_low;
        const floats own_zero = choose(has_low, zero + lowest / choose(lacks_scale, none + 1.0f, scale), zero);
        const floats all = choose(lacks_scale, none + 0x1p40f, own_zero);
        scale = choose(lacks_scale, lowest * 0x1p-40f, scale);
        memcpy(zeros + g * ROWS, &all, sizeof all);
      }
      memcpy(scales + g * ROWS, &scale, sizeof scale);
    }
  }
}

void bb_ggml_row(const bb_ggml_matrix *m, size_t row, float *weights) {
  const bb_ggml_type *type = m->type;
  const size_t block = row / ROWS, lane = row % ROWS, parts = m->inputs / type->elements;
  const size_t groups = m->inputs / type->group;
  const uint8_t *lines = m->lines + block * bb_ggml_line_bytes(type, m->inputs);
  _Alignas(LINE) uint8_t stripe[8 * LINE];
  for (size_t k = 0; k < m->inputs; k++) {
    if (k % STRIPE == 0) {
      const uint8_t *from = lines + k / STRIPE * type->bits * LINE;
      if (type->bits == 8) memcpy(stripe, from, sizeof stripe);
      else expand_lines(type, from, 1, stripe);
    }
    const size_t part = (block * parts + k / type->elements) * ROWS + lane;
    const size_t group = (block * groups + k / type->group) * ROWS + lane;
    const int code = stripe[k % STRIPE / 4 * LINE + lane * 4 + k % 4];
    const float d = d_at(type, m->d[part]);
    const float scale = m->scales ? d * (float)m->scales[group] : d;
    const float weight = scale * (float)(code - (type->values ? 128 : type->zero));
    const float low = m->low ? bb_f16_to_float(m->low[part]) : 0;
    weights[k] = m->low ? weight - (m->lows ? low * (float)m->lows[group] : low) : weight;
  }
}
