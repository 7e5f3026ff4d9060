// Weights of 8-bit floats. Source: OCP 8-bit Floating Point Specification (E4M3).
#include "bb_float8.h"

#include <string.h>

#include "half.h"

float bb_float8_value(uint8_t code) {
  // The same digits as a number of 16 bits, whose exponents begin 8 lower.
  if ((code & 0x7f) == 0x7f) return bb_float_from_bits(0x7fc00000u);
  return bb_f16_to_float((uint16_t)((code & 0x80) << 8 | (code & 0x7f) << 7)) * 256;
}

void bb_float8_expand(const uint8_t *codes, const float *scales, size_t inputs, size_t group, float *lines) {
  float values[256];
  for (int code = 0; code < 256; code++) values[code] = bb_float8_value((uint8_t)code);
  for (size_t k = 0; k < inputs; k++) {
    const float *scale = scales + k / group * 16;
    for (int row = 0; row < 16; row++) lines[k * 16 + row] = values[codes[k * 16 + row]] * scale[row];
  }
}
