// Where the floats, scales and codes of a page lie; the layouts are those of bb_kv_block.
#ifndef BB_PLACES_H
#define BB_PLACES_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bb_kernels.h"
#include "half.h"

// Keys or values of a page.
typedef enum { KEYS, VALUES } page_half;

// The width of a head rounded up.
static inline size_t padded_width(size_t d) { return (d + BB_BLOCK - 1) / BB_BLOCK * BB_BLOCK; }

// Where a component of a token lies among floats.
static inline size_t float_index(bb_kv_format format, page_half half, size_t dv, size_t component, size_t slot) {
  const size_t row = half == KEYS ? component : slot, column = half == KEYS ? slot : component;
  const size_t width = half == KEYS ? BB_PAGE : dv;
  return format == BB_KV_F32 ? row * width + column : (row / 2 * width + column) * 2 + row % 2;
}

// One float of those that lie in `format`.
static inline float load_float(const void *src, bb_float_format format, size_t index) {
  float value;
  uint16_t half;
  if (format == BB_F32) {
    memcpy(&value, (const uint8_t *)src + index * 4, 4);
    return value;
  }
  memcpy(&half, (const uint8_t *)src + index * 2, 2);
  return format == BB_F16 ? bb_f16_to_float(half) : bb_bf16_to_float(half);
}

// Where the scale of a component of a token lies among scales.
static inline size_t scale_index(const bb_kv_block *block, size_t dv, size_t component, size_t slot) {
  return block->axis == BB_KV_ALONG_TOKENS ? slot / block->group * dv + component
                                           : component / block->group * BB_PAGE + slot;
}

static inline int code_bits(bb_kv_format format) { return format == BB_KV_INT8 ? 8 : format == BB_KV_INT4 ? 4 : 2; }

// Where a code lies: the lane of 32 bits, and the shift of its bits.
typedef struct {
  size_t lane;
  int shift;
} place;

static inline int code_shift(size_t index, int bits) { return (int)(index % 4) * 8 + (int)(index / 4) * bits; }

static inline place place_of(page_half half, size_t component, size_t slot, int bits) {
  const size_t codes = 32 / (size_t)bits;
  const size_t line = half == KEYS ? component / codes * (BB_PAGE / 16) + slot / 16
                                   : component / 16 * (BB_PAGE / codes) + slot / codes;
  const size_t lane = (half == KEYS ? slot : component) % 16, index = (half == KEYS ? component : slot) % codes;
  return (place){line * 16 + lane, code_shift(index, bits)};
}
#endif
