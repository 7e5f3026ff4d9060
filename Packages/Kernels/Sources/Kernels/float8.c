// Weights and activations of 8-bit floats. Source: OCP 8-bit Floating Point Specification (E4M3). Plain C, the same bits wherever it
// is compiled.
#pragma STDC FP_CONTRACT OFF
#include "bb_float8.h"

#include <math.h>
#include <string.h>

#include "half.h"

float bb_float8_value(uint8_t code) {
  return (code & 0x7f) == 0x7f ? bb_float_from_bits(0x7fc00000u) : bb_float8_to_float(code);
}

// The bits of the E4M3 value nearest to a number whose bits without its sign are given, as a float: three bits behind the point of
// its mantissa stay, from 2^-6 downwards multiples of 2^-9.
static inline uint32_t nearest_bits(uint32_t size) {
  const uint32_t even = size >> 20 & 1, kept = (size + 0x7ffff + even) & 0xfff00000u;
  const float below = bb_float_from_bits(size < 0x3c800000u ? size : 0), step = 0x1.8p14f;
  const float multiple = (below + step) - step;
  uint32_t small;
  memcpy(&small, &multiple, 4);
  const uint32_t nearest = size < 0x3c800000u ? small : kept;
  return nearest < 0x43e00000u ? nearest : 0x43e00000u;  // 448
}

uint8_t bb_float8_code(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  const uint8_t sign = (uint8_t)(bits >> 24 & 0x80);
  if (isnan(x)) return sign | 0x7f;
  const uint32_t nearest = nearest_bits(bits & 0x7fffffffu);
  if (nearest >= 0x3c800000u) return (uint8_t)(sign | ((nearest >> 20) - (120u << 3)));
  return (uint8_t)(sign | (uint32_t)(bb_float_from_bits(nearest) * 512));
}

void bb_float8_round(const float *x, size_t n, uint16_t *values, float *scale) {
  // Of numbers without their sign the bits are ordered as the numbers are, infinity and NaN above all.
  int32_t largest = 0;
  for (size_t i = 0; i < n; i++) {
    int32_t size;
    memcpy(&size, x + i, 4);
    size &= 0x7fffffff;
    largest = size > largest ? size : largest;
  }
  const float top = bb_float_from_bits((uint32_t)largest);
  *scale = largest < 0x7f800000 ? top / 448 : NAN;
  const float divisor = *scale > 0 ? *scale : 1;
  for (size_t i = 0; i < n; i++) {
    const float quotient = x[i] / divisor;
    uint32_t bits;
    memcpy(&bits, &quotient, 4);
    values[i] = (uint16_t)(nearest_bits(bits & 0x7fffffffu) >> 16 | (bits >> 16 & 0x8000));
  }
}
