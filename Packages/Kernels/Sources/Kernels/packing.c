// Between row-major matrices and blocks of 16 rows of weights. Plain C: it moves bytes.
#include <string.h>

#include "bb_kernels.h"
#include "half.h"

// Elements of 2 or 4 bytes: a line of 64 bytes holds 4 bytes of each row.
static void pack_elements(size_t element, const uint8_t *from, size_t rows, size_t inputs, uint8_t *lines) {
  const size_t width = inputs * element;
  if (rows < 16 || inputs & 1) memset(lines, 0, (inputs + 1) / 2 * 32 * element);
  // Some at a time, so that they stay in the first-level cache meanwhile.
  for (size_t start = 0; start < width / 4; start += 64) {
    const size_t end = start + 64 < width / 4 ? start + 64 : width / 4;
    for (size_t row = 0; row < rows; row++) {
      for (size_t k = start; k < end; k++) memcpy(lines + k * 64 + row * 4, from + row * width + k * 4, 4);
    }
  }
  if (width % 4 == 0) return;
  for (size_t row = 0; row < rows; row++) {
    memcpy(lines + width / 4 * 64 + row * 4, from + (row + 1) * width - 2, 2);
  }
}

void bb_pack_words(const void *src, size_t rows, size_t inputs, uint8_t *lines) {
  pack_elements(4, src, rows, inputs, lines);
}

void bb_pack_halves(const void *src, size_t rows, size_t inputs, uint8_t *lines) {
  pack_elements(2, src, rows, inputs, lines);
}

// Codes of 1 byte each: 4 bytes of a row in a line, one after the other. Some inputs at a time, so that their lines stay in
// the first-level cache meanwhile.
enum { INPUTS_AT_ONCE = 512 };

void bb_pack_bytes(const void *src, size_t rows, size_t inputs, uint8_t *lines) {
  const size_t whole = inputs / 4 * 4;
  if (rows < BB_BLOCK) memset(lines, 0, (inputs + 3) / 4 * 64);
  for (size_t start = 0; start < whole; start += INPUTS_AT_ONCE) {
    const size_t end = start + INPUTS_AT_ONCE < whole ? start + INPUTS_AT_ONCE : whole;
    for (size_t row = 0; row < rows; row++) {
      const uint8_t *from = (const uint8_t *)src + row * inputs;
      for (size_t k = start; k < end; k += 4) memcpy(lines + k * 16 + row * 4, from + k, 4);
    }
  }
  if (whole == inputs) return;
  for (size_t row = 0; row < rows; row++) {
    uint8_t last[4] = {0};
    memcpy(last, (const uint8_t *)src + row * inputs + whole, inputs - whole);
    memcpy(lines + whole * 16 + row * 4, last, 4);
  }
}

// 8 codes of a byte each, which have 4 bits: those of the low nibbles first.
static inline uint32_t nibbles_of(const uint8_t *codes) {
  uint32_t low, high;
  memcpy(&low, codes, 4);
  memcpy(&high, codes + 4, 4);
  return (low & 0x0f0f0f0f) | (high & 0x0f0f0f0f) << 4;
}

void bb_pack_nibbles(const void *src, size_t rows, size_t inputs, uint8_t *lines) {
  const size_t whole = inputs / 8 * 8;
  if (rows < BB_BLOCK) memset(lines, 0, (inputs + 7) / 8 * 64);
  for (size_t start = 0; start < whole; start += INPUTS_AT_ONCE) {
    const size_t end = start + INPUTS_AT_ONCE < whole ? start + INPUTS_AT_ONCE : whole;
    for (size_t row = 0; row < rows; row++) {
      const uint8_t *from = (const uint8_t *)src + row * inputs;
      for (size_t k = start; k < end; k += 8) {
        const uint32_t word = nibbles_of(from + k);
        memcpy(lines + k * 8 + row * 4, &word, 4);
      }
    }
  }
  if (whole == inputs) return;
  for (size_t row = 0; row < rows; row++) {
    uint8_t last[8] = {0};
    memcpy(last, (const uint8_t *)src + row * inputs + whole, inputs - whole);
    const uint32_t word = nibbles_of(last);
    memcpy(lines + whole * 8 + row * 4, &word, 4);
  }
}

// 4 nibbles, the lowest first, as 4 bytes.
static inline uint32_t spread(uint32_t nibbles) {
  const uint32_t pairs = (nibbles | nibbles << 8) & 0x00ff00ff;
  return (pairs | pairs << 4) & 0x0f0f0f0f;
}

void bb_pack_code_words(unsigned bits, const uint32_t *words, size_t row_step, size_t word_step, size_t rows, size_t count,
                        uint8_t *lines) {
  if (rows < BB_BLOCK) memset(lines, 0, count * 64);
  const size_t at_once = INPUTS_AT_ONCE / 4;
  for (size_t start = 0; start < count; start += at_once) {
    const size_t end = start + at_once < count ? start + at_once : count;
    for (size_t row = 0; row < rows; row++) {
      const uint32_t *from = words + row * row_step;
      for (size_t k = start; k < end; k++) {
        uint32_t word = from[k * word_step];
        if (bits == 4) word = spread(word & 0xffff) | spread(word >> 16) << 4;
        memcpy(lines + k * 64 + row * 4, &word, 4);
      }
    }
  }
}

void bb_unpack_f32(const uint8_t *lines, size_t row, size_t inputs, float *dst) {
  for (size_t k = 0; k < inputs; k++) memcpy(dst + k, lines + k * 64 + row * 4, 4);
}

static uint16_t half_at(const uint8_t *lines, size_t row, size_t k) {
  uint16_t half;
  memcpy(&half, lines + k / 2 * 64 + row * 4 + (k & 1) * 2, 2);
  return half;
}

void bb_unpack_f16(const uint8_t *lines, size_t row, size_t inputs, float *dst) {
  for (size_t k = 0; k < inputs; k++) dst[k] = bb_f16_to_float(half_at(lines, row, k));
}

void bb_unpack_bf16(const uint8_t *lines, size_t row, size_t inputs, float *dst) {
  for (size_t k = 0; k < inputs; k++) dst[k] = bb_bf16_to_float(half_at(lines, row, k));
}

void bb_unpack_bytes(const uint8_t *lines, size_t row, size_t inputs, float *dst) {
  for (size_t k = 0; k < inputs; k++) dst[k] = (float)lines[k / 4 * 64 + row * 4 + k % 4];
}

void bb_unpack_nibbles(const uint8_t *lines, size_t row, size_t inputs, float *dst) {
  for (size_t k = 0; k < inputs; k++) dst[k] = (float)(lines[k / 8 * 64 + row * 4 + k % 4] >> (k / 4 % 2 * 4) & 15);
}

void bb_unpack_float8(const uint8_t *lines, size_t row, size_t inputs, float *dst) {
  for (size_t k = 0; k < inputs; k++) dst[k] = bb_float8_to_float(lines[k / 4 * 64 + row * 4 + k % 4]);
}

static float scale_at(const bb_matrix *m, size_t index) {
  float scale;
  bb_kernels()->widen(m->scales + index * (m->scale_format == BB_F32 ? 4 : 2), m->scale_format, &scale, 1);
  return scale;
}

void bb_copy_row(const bb_matrix *m, size_t row, float *dst) {
  const bb_format *format = bb_format_of(m->format);
  format->unpack(m->lines + row / 16 * bb_block_bytes(m->format, m->inputs), row % 16, m->inputs, dst);
  if (!format->coded) return;
  const size_t groups = (m->inputs + m->group - 1) / m->group;
  for (size_t g = 0, k = 0; g < groups; g++) {
    const size_t at = (row / 16 * groups + g) * 16 + row % 16, end = k + m->group < m->inputs ? k + m->group : m->inputs;
    const float scale = scale_at(m, at), zero = m->zeros ? m->zeros[at] : m->zero;
    for (; k < end; k++) dst[k] = scale * (dst[k] - zero);
  }
}
