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

// Codes of 1 byte each: 4 bytes of a row in a line, one after the other.
void bb_pack_bytes(const void *src, size_t rows, size_t inputs, uint8_t *lines) {
  memset(lines, 0, (inputs + 3) / 4 * 64);
  for (size_t row = 0; row < rows; row++) {
    const uint8_t *from = (const uint8_t *)src + row * inputs;
    for (size_t k = 0; k < inputs; k++) lines[k / 4 * 64 + row * 4 + k % 4] = from[k];
  }
}

void bb_pack_nibbles(const void *src, size_t rows, size_t inputs, uint8_t *lines) {
  memset(lines, 0, (inputs + 7) / 8 * 64);
  for (size_t row = 0; row < rows; row++) {
    const uint8_t *from = (const uint8_t *)src + row * inputs;
    for (size_t k = 0; k < inputs; k++)
      lines[k / 8 * 64 + row * 4 + k % 4] |= (uint8_t)((from[k] & 15) << (k / 4 % 2 * 4));
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
