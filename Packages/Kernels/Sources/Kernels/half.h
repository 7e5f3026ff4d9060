// Single values between float and its 16-bit forms, round to nearest even, NaN kept.
#ifndef BB_HALF_H
#define BB_HALF_H
#include <stdint.h>
#include <string.h>

static inline float bb_float_from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

static inline uint32_t bb_bits_of_float(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

static inline float bb_bf16_to_float(uint16_t h) { return bb_float_from_bits((uint32_t)h << 16); }

static inline uint16_t bb_float_to_bf16(float value) {
  const uint32_t bits = bb_bits_of_float(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float bb_f16_to_float(uint16_t h) {
  const uint32_t sign = (uint32_t)(h & 0x8000) << 16, magnitude = h & 0x7fff;
  if (magnitude >= 0x7c00) {  // Infinity, or NaN (made quiet).
    const uint32_t quiet = magnitude > 0x7c00 ? 0x400000 : 0;
    return bb_float_from_bits(sign | 0x7f800000u | (magnitude & 0x3ff) << 13 | quiet);
  }
  if (magnitude >= 0x400) return bb_float_from_bits(sign | ((magnitude << 13) + (112u << 23)));
  const float small = (float)magnitude * 0x1p-24f;
  return bb_float_from_bits(sign | bb_bits_of_float(small));
}

// An 8-bit float (E4M3): the same digits as a number of 16 bits, whose exponents begin 8 lower. The codes of NaN count as 480 and -480.
static inline float bb_float8_to_float(uint8_t code) {
  return bb_f16_to_float((uint16_t)((code & 0x80) << 8 | (code & 0x7f) << 7)) * 256;
}

static inline uint16_t bb_float_to_f16(float value) {
  const uint32_t bits = bb_bits_of_float(value), magnitude = bits & 0x7fffffffu;
  const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
  if (magnitude > 0x7f800000u) return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
  if (magnitude >= 0x47800000u) return sign | 0x7c00;  // 65536 and above
  if (magnitude < 0x38800000u) {                       // Subnormal: adding 0.5 rounds at 2^-24.
    const float shifted = bb_float_from_bits(magnitude) + 0.5f;
    return (uint16_t)(sign | (bb_bits_of_float(shifted) - 0x3f000000u));
  }
  const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return (uint16_t)(sign | ((rounded - (112u << 23)) >> 13));
}
#endif
