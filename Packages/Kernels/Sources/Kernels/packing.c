// Between row-major matrices and blocks of 16 rows of weights. Plain C: it moves bytes.
#include <string.h>

#include "bb_kernels.h"
#include "half.h"

void bb_pack_floats(bb_row_format format, const void *src, size_t rows, size_t inputs, uint8_t *lines) {
  const size_t width = inputs * (format == BB_ROWS_F32 ? 4 : 2), bytes = (inputs + 1) / 2 * bb_line_bytes(format);
  const uint8_t *from = src;
  if (rows < 16 || inputs & 1) memset(lines, 0, bytes);
  // 64 bytes hold 4 of each row; some at a time, so that they stay in the first-level cache meanwhile.
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

void bb_unpack_floats(bb_row_format format, const uint8_t *lines, size_t row, size_t inputs, float *dst) {
  for (size_t k = 0; k < inputs; k++) {
    if (format == BB_ROWS_F32) {
      memcpy(dst + k, lines + k * 64 + row * 4, 4);
    } else {
      uint16_t half;
      memcpy(&half, lines + k / 2 * 64 + row * 4 + (k & 1) * 2, 2);
      dst[k] = format == BB_ROWS_F16 ? bb_f16_to_float(half) : bb_bf16_to_float(half);
    }
  }
}

void bb_pack_codes(bb_row_format format, const uint8_t *codes, size_t rows, size_t inputs, uint8_t *lines) {
  const size_t per_line = bb_inputs_per_line(format);
  memset(lines, 0, (inputs + per_line - 1) / per_line * 64);
  for (size_t row = 0; row < rows; row++) {
    const uint8_t *from = codes + row * inputs;
    for (size_t k = 0; k < inputs; k++) {
      uint8_t *to = lines + k / per_line * 64 + row * 4 + k % 4;
      *to |= format == BB_ROWS_INT4 ? (uint8_t)((from[k] & 15) << (k / 4 % 2 * 4)) : from[k];
    }
  }
}

void bb_unpack_codes(bb_row_format format, const uint8_t *lines, size_t row, size_t inputs, uint8_t *dst) {
  const size_t per_line = bb_inputs_per_line(format);
  for (size_t k = 0; k < inputs; k++) {
    const uint8_t byte = lines[k / per_line * 64 + row * 4 + k % 4];
    dst[k] = format == BB_ROWS_INT4 ? byte >> (k / 4 % 2 * 4) & 15 : byte;
  }
}
