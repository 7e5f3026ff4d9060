// Writing and reading of the tokens of a page; the layouts are those of bb_kv_block.
#pragma STDC FP_CONTRACT OFF
#include <math.h>
#include <string.h>

#include "bb_kernels.h"
#include "half.h"
#include "places.h"

void bb_page_store(bb_float_format format, const float *key, const float *value, size_t d, size_t slot,
                   void *keys, void *values) {
  const size_t dv = padded_width(d);
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

static float decode(const bb_kv_block *from, place at, size_t index) {
  const int bits = code_bits(from->format);
  uint32_t lane;
  memcpy(&lane, (const uint8_t *)from->entries + at.lane * 4, 4);
  const float code = (float)(lane >> at.shift & ((1u << bits) - 1));
  const float scale = load_float(from->scales, from->scale_format, index);
  if (!from->offsets) return (code - (float)(1 << (bits - 1))) * scale;
  return fmaf(code, scale, load_float(from->offsets, from->scale_format, index));
}

static void read_token(page_half half, const bb_kv_block *from, size_t d, size_t slot, float *x) {
  const size_t dv = padded_width(d), start = float_index(half, dv, 0, slot), step = float_index(half, dv, 1, slot) - start;
  if (from->format <= BB_KV_BF16) return load_floats(from->entries, from->format, start, step, d, x);
  for (size_t i = 0; i < d; i++)
    x[i] = decode(from, place_of(half, i, slot, code_bits(from->format)), scale_index(from, dv, i, slot));
}

void bb_page_read_key(const bb_kv_block *keys, size_t d, size_t slot, float *key) {
  read_token(KEYS, keys, d, slot, key);
}

void bb_page_read_value(const bb_kv_block *values, size_t d, size_t slot, float *value) {
  read_token(VALUES, values, d, slot, value);
}
