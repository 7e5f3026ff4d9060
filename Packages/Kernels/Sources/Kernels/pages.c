// Writing and reading of the tokens of a page; the layouts are those of bb_kv_block.
#pragma STDC FP_CONTRACT OFF
#include <math.h>
#include <string.h>

#include "bb_kernels.h"
#include "half.h"
#include "places.h"

static void store_floats(page_half half, const float *x, size_t d, size_t slot, float *entries) {
  for (size_t i = 0; i < d; i++) entries[float_index(BB_KV_F32, half, padded_width(d), i, slot)] = x[i];
}

static void store_16bit(page_half half, const float *x, size_t d, size_t slot, uint16_t *entries) {
  uint16_t row[d];
  bb_kernels()->narrow(x, BB_BF16, row, d);
  uint16_t *to = entries + float_index(BB_KV_BF16, half, padded_width(d), 0, slot);
  if (half == VALUES) {
    for (size_t i = 0; i < d; i++) to[i * 2] = row[i];
    return;
  }
  // Two components that share a lane at once. Every pair lies in a line of its own: all are prefetched.
  const size_t next = BB_PAGE * 2;
  for (size_t i = 0; i < d; i += 2) __builtin_prefetch(to + i / 2 * next, 1);
  for (size_t i = 0; i + 1 < d; i += 2) memcpy(to + i / 2 * next, row + i, 4);
  if (d % 2) to[d / 2 * next] = row[d - 1];
}

static void store_token(page_half half, bb_float_format format, const float *x, size_t d, size_t slot, void *entries) {
  if (format == BB_F32) store_floats(half, x, d, slot, entries);
  else store_16bit(half, x, d, slot, entries);
}

void bb_page_store(bb_float_format format, const float *key, const float *value, size_t d, size_t slot,
                   void *keys, void *values) {
  store_token(KEYS, format, key, d, slot, keys);
  store_token(VALUES, format, value, d, slot, values);
}

static uint32_t code_mask(bb_kv_format format) { return (1u << code_bits(format)) - 1; }

static uint32_t load_lane(const bb_kv_block *block, place at) {
  uint32_t lane;
  memcpy(&lane, (const uint8_t *)block->entries + at.lane * 4, 4);
  return lane;
}

static float decode(const bb_kv_block *from, place at, size_t index) {
  const int bits = code_bits(from->format);
  const float code = (float)(load_lane(from, at) >> at.shift & code_mask(from->format));
  const float scale = load_float(from->scales, from->scale_format, index);
  if (!from->offsets) return (code - (float)(1 << (bits - 1))) * scale;
  return fmaf(code, scale, load_float(from->offsets, from->scale_format, index));
}

static void read_token(page_half half, const bb_kv_block *from, size_t d, size_t slot, float *x) {
  const size_t dv = padded_width(d);
  for (size_t i = 0; i < d; i++)
    if (from->format <= BB_KV_BF16)
      x[i] = load_float(from->entries, (bb_float_format)from->format, float_index(from->format, half, dv, i, slot));
    else
      x[i] = decode(from, place_of(half, i, slot, code_bits(from->format)), scale_index(from, dv, i, slot));
}

void bb_page_read_key(const bb_kv_block *keys, size_t d, size_t slot, float *key) {
  read_token(KEYS, keys, d, slot, key);
}

void bb_page_read_value(const bb_kv_block *values, size_t d, size_t slot, float *value) {
  read_token(VALUES, values, d, slot, value);
}

static void move_token(page_half half, const bb_kv_block *from, size_t d, size_t slot, const bb_kv_block *to, size_t to_slot) {
  const int bits = code_bits(from->format);
  const uint32_t mask = code_mask(from->format);
  for (size_t i = 0; i < d; i++) {
    const place source = place_of(half, i, slot, bits), target = place_of(half, i, to_slot, bits);
    const uint32_t code = load_lane(from, source) >> source.shift & mask;
    const uint32_t lane = (load_lane(to, target) & ~(mask << target.shift)) | code << target.shift;
    memcpy((uint8_t *)to->entries + target.lane * 4, &lane, 4);
  }
  const size_t width = from->scale_format == BB_F32 ? 4 : 2, dv = padded_width(d);
  for (size_t i = 0; i < d; i += from->group) {
    const size_t source = scale_index(from, dv, i, slot) * width, target = scale_index(to, dv, i, to_slot) * width;
    memcpy((uint8_t *)to->scales + target, (const uint8_t *)from->scales + source, width);
    if (from->offsets) memcpy((uint8_t *)to->offsets + target, (const uint8_t *)from->offsets + source, width);
  }
}

void bb_page_move_key(const bb_kv_block *from, size_t d, size_t slot, const bb_kv_block *to, size_t to_slot) {
  move_token(KEYS, from, d, slot, to, to_slot);
}

void bb_page_move_value(const bb_kv_block *from, size_t d, size_t slot, const bb_kv_block *to, size_t to_slot) {
  move_token(VALUES, from, d, slot, to, to_slot);
}
