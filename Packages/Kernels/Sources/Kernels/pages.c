// Writing, rounding and reading of KV pages; the layouts are those of bb_kv_block.
#pragma STDC FP_CONTRACT OFF
#include <math.h>
#include <string.h>

#include "bb_kernels.h"
#include "half.h"

static size_t padded(size_t d) { return (d + BB_BLOCK - 1) / BB_BLOCK * BB_BLOCK; }

void bb_page_store(bb_float_format format, const float *key, const float *value, size_t d, size_t slot,
                   void *keys, void *values) {
  const size_t dv = padded(d);
  if (format == BB_F32) {
    float *k = keys, *v = values;
    for (size_t i = 0; i < d; i++) k[i * BB_PAGE + slot] = key[i];
    memcpy(v + slot * dv, value, d * sizeof(float));
    return;
  }
  uint16_t *k = keys, *v = values;
  for (size_t i = 0; i < d; i++) {
    const int bf16 = format == BB_BF16;
    k[i * BB_PAGE + slot] = bf16 ? bb_float_to_bf16(key[i]) : bb_float_to_f16(key[i]);
    v[slot * dv + i] = bf16 ? bb_float_to_bf16(value[i]) : bb_float_to_f16(value[i]);
  }
}

static int bits_of(bb_kv_format format) { return format == BB_KV_INT8 ? 8 : format == BB_KV_INT4 ? 4 : 2; }

static float load_float(const void *src, bb_float_format format, size_t index) {
  float value;
  uint16_t half;
  if (format == BB_F32) {
    memcpy(&value, (const uint8_t *)src + index * 4, 4);
    return value;
  }
  memcpy(&half, (const uint8_t *)src + index * 2, 2);
  return format == BB_F16 ? bb_f16_to_float(half) : bb_bf16_to_float(half);
}

// ---------------------------------------------------------------- scales

// The half float next to h in the direction of larger values (up) or smaller ones.
static uint16_t next_f16(uint16_t h, int up) {
  if ((h & 0x7fff) == 0) return up ? 0x0001 : 0x8001;
  return (h & 0x8000) == 0 ? (uint16_t)(up ? h + 1 : h - 1) : (uint16_t)(up ? h - 1 : h + 1);
}

enum { DOWN, UP, NEAREST };

// Stores a scale (rounded up) or an offset (rounded down), so that the codes still reach the largest and the smallest
// value; returns it as stored. What F16 cannot hold becomes its largest number.
static float store_scale(void *dst, bb_float_format format, size_t index, float value, int direction) {
  if (format == BB_F32) {
    memcpy((uint8_t *)dst + index * 4, &value, 4);
    return value;
  }
  value = fminf(fmaxf(value, -65504.0f), 65504.0f);
  uint16_t half = bb_float_to_f16(value);
  const float rounded = bb_f16_to_float(half);
  if (direction == UP ? rounded < value : direction == DOWN && rounded > value)
    half = next_f16(half, direction == UP);
  if ((half & 0x7fff) == 0x7c00) half--;
  memcpy((uint8_t *)dst + index * 2, &half, 2);
  return bb_f16_to_float(half);
}

static double nearest_code(double x, double offset, double scale, double least, double top) {
  return scale > 0 ? fmin(fmax(rint((x - offset) / scale), least), top) : 0;
}

// The offset that leaves few large errors at a scale, from `offset` on: half-quadratic steps on sum |x - x'|^0.7 while the
// mean absolute error falls, 20 at most (hqq, core/optimize.py, where a zero point is -offset / scale).
static double refine_offset(const float *x, size_t count, double scale, double offset, int top) {
  const double power = 0.7;
  double best = offset, least = INFINITY, beta = 10;
  for (int step = 0; step <= 20 && scale > 0; step++, beta *= 1.01) {
    // Below this an error is shrunk to nothing.
    const double limit = pow(beta, 1 / (power - 2));
    double error = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
      const double units = nearest_code(x[i], offset, scale, 0, top) * scale;
      const double left = x[i] - units - offset, size = fabs(left);
      const double large = size > limit ? copysign(size - pow(size, power - 1) / beta, left) : 0;
      error += size;
      sum += x[i] - large - units;
    }
    if (!(error < least)) break;
    least = error;
    best = offset;
    offset = sum / (double)count;
  }
  return best;
}

// Codes of `count` floats that share a scale, which is stored at `index`.
static void encode_group(const float *x, size_t count, bb_kv_scheme scheme, const bb_kv_block *to, size_t index,
                         uint8_t *codes) {
  const int bits = bits_of(to->format), top = (1 << bits) - 1, middle = 1 << (bits - 1);
  float low = x[0], high = x[0], offset = 0;
  for (size_t i = 1; i < count; i++) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  const int has_offset = scheme == BB_KV_ASYMMETRIC || scheme == BB_KV_HQQ;
  if (has_offset) offset = store_scale((void *)to->offsets, to->scale_format, index, low, DOWN);
  const double absmax = fmaxf(-low, high), range = (double)high - offset;
  double scale = has_offset                 ? range / top
                 : absmax == 0              ? 1
                 : scheme == BB_KV_ABSMAX   ? absmax / (middle - 1)
                                            : 2 * absmax / top;
  const float stored = store_scale((void *)to->scales, to->scale_format, index, (float)scale, UP);
  // In F64 a value halfway between two codes is found to be so, as the largest of FULL always is.
  if (to->scale_format != BB_F32) scale = stored;
  if (scheme == BB_KV_HQQ) {
    const float refined = (float)refine_offset(x, count, scale, offset, top);
    offset = store_scale((void *)to->offsets, to->scale_format, index, refined, NEAREST);
  }
  const double zero = has_offset ? 0 : middle, least = scheme == BB_KV_ABSMAX ? 1 : 0;
  for (size_t i = 0; i < count; i++)
    codes[i] = (uint8_t)(nearest_code(x[i], offset, scale, least - zero, top - zero) + (scale > 0 ? zero : least));
}

// ---------------------------------------------------------------- codes

// Keys or values of a page.
typedef enum { KEYS, VALUES } page_half;

// Where a component of a token lies among floats.
static size_t float_index(page_half half, size_t dv, size_t component, size_t slot) {
  return half == KEYS ? component * BB_PAGE + slot : slot * dv + component;
}
// Where its scale lies.
static size_t scale_index(const bb_kv_block *block, size_t dv, size_t component, size_t slot) {
  return block->axis == BB_KV_ALONG_TOKENS ? slot / block->group * dv + component
                                           : component / block->group * BB_PAGE + slot;
}

// Where a code lies: the byte, and the shift of its bits.
typedef struct {
  size_t byte;
  int shift;
} place;

static place place_of(page_half half, size_t component, size_t slot, int bits) {
  const size_t step = 32 / bits;
  const size_t line = half == KEYS ? component / step * (BB_PAGE / 16) + slot / 16
                                   : component / 16 * (BB_PAGE / step) + slot / step;
  const size_t lane = (half == KEYS ? slot : component) % 16, index = (half == KEYS ? component : slot) % step;
  return (place){line * 64 + lane * 4 + index % 4, (int)(index / 4) * bits};
}
static void put(const bb_kv_block *to, place at, uint8_t code) {
  const int mask = ((1 << bits_of(to->format)) - 1) << at.shift;
  uint8_t *byte = (uint8_t *)to->entries + at.byte;
  *byte = (uint8_t)((*byte & ~mask) | code << at.shift);
}

// `count` floats that lie `step` apart, from `start` on.
static void load_floats(const void *src, bb_kv_format format, size_t start, size_t step, size_t count, float *dst) {
  if (format == BB_KV_F32)
    for (size_t i = 0; i < count; i++) dst[i] = ((const float *)src)[start + i * step];
  else if (format == BB_KV_BF16)
    for (size_t i = 0; i < count; i++) dst[i] = bb_bf16_to_float(((const uint16_t *)src)[start + i * step]);
  else
    for (size_t i = 0; i < count; i++) dst[i] = bb_f16_to_float(((const uint16_t *)src)[start + i * step]);
}

enum { MAX_GROUP = 128 };

// Rounds the `count` numbers from this component and token on that share a scale.
static void encode_from(page_half half, const bb_kv_block *from, size_t dv, size_t component, size_t slot, size_t count,
                        bb_kv_scheme scheme, const bb_kv_block *to) {
  const size_t next_token = to->axis == BB_KV_ALONG_TOKENS, next_component = !next_token;
  const size_t start = float_index(half, dv, component, slot);
  const size_t step = float_index(half, dv, component + next_component, slot + next_token) - start;
  float x[MAX_GROUP];
  uint8_t codes[MAX_GROUP];
  load_floats(from->entries, from->format, start, step, count, x);
  encode_group(x, count, scheme, to, scale_index(to, dv, component, slot), codes);
  for (size_t i = 0; i < count; i++)
    put(to, place_of(half, component + i * next_component, slot + i * next_token, bits_of(to->format)), codes[i]);
}

static void encode(page_half half, const bb_kv_block *from, size_t d, size_t first, size_t last, bb_kv_scheme scheme,
                   const bb_kv_block *to) {
  const size_t group = to->group, dv = padded(d);
  if (to->axis == BB_KV_ALONG_TOKENS) {
    for (size_t i = 0; i < d; i++)
      for (size_t slot = first; slot + group <= last; slot += group)
        encode_from(half, from, dv, i, slot, group, scheme, to);
  } else {
    for (size_t slot = first; slot < last; slot++)
      for (size_t i = 0; i < d; i += group)
        encode_from(half, from, dv, i, slot, d - i < group ? d - i : group, scheme, to);
  }
}

void bb_page_encode_keys(const bb_kv_block *from, size_t d, size_t first, size_t last, bb_kv_scheme scheme,
                         const bb_kv_block *to) {
  encode(KEYS, from, d, first, last, scheme, to);
}

void bb_page_encode_values(const bb_kv_block *from, size_t d, size_t first, size_t last, bb_kv_scheme scheme,
                           const bb_kv_block *to) {
  encode(VALUES, from, d, first, last, scheme, to);
}

// ---------------------------------------------------------------- reading

static float decode(const bb_kv_block *from, place at, size_t index) {
  const int bits = bits_of(from->format);
  const float code = (float)(((const uint8_t *)from->entries)[at.byte] >> at.shift & ((1 << bits) - 1));
  const float scale = load_float(from->scales, from->scale_format, index);
  if (!from->offsets) return (code - (float)(1 << (bits - 1))) * scale;
  return fmaf(code, scale, load_float(from->offsets, from->scale_format, index));
}

static void read_token(page_half half, const bb_kv_block *from, size_t d, size_t slot, float *x) {
  const size_t dv = padded(d), start = float_index(half, dv, 0, slot), step = float_index(half, dv, 1, slot) - start;
  if (from->format <= BB_KV_BF16) return load_floats(from->entries, from->format, start, step, d, x);
  for (size_t i = 0; i < d; i++)
    x[i] = decode(from, place_of(half, i, slot, bits_of(from->format)), scale_index(from, dv, i, slot));
}

void bb_page_read_key(const bb_kv_block *keys, size_t d, size_t slot, float *key) {
  read_token(KEYS, keys, d, slot, key);
}

void bb_page_read_value(const bb_kv_block *values, size_t d, size_t slot, float *value) {
  read_token(VALUES, values, d, slot, value);
}
