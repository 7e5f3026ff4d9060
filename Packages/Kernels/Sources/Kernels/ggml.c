// Blocks of GGUF files. Source of the layouts: ggml-org/ggml, ggml-common.h and ggml-quants.c; PyPI gguf, quants.py.
#include "bb_ggml.h"

#include <string.h>

#include "half.h"

// Products and sums round one after the other, as the reference's do.
#pragma STDC FP_CONTRACT OFF

static float half_at(const uint8_t *p) { return bb_f16_to_float((uint16_t)(p[0] | p[1] << 8)); }

static void start(bb_ggml_parts *parts, float d, float low) {
  parts->d = d;
  parts->low = low;
  memset(parts->scales, 1, sizeof parts->scales);
  memset(parts->lows, 1, sizeof parts->lows);
}

// 32 codes from 16 bytes: the low nibbles, then the high ones.
static void nibbles(const uint8_t *qs, uint8_t *codes) {
  for (int j = 0; j < 16; j++) {
    codes[j] = qs[j] & 15;
    codes[j + 16] = qs[j] >> 4;
  }
}

// 64 codes from 32 bytes likewise.
static void wide_nibbles(const uint8_t *qs, uint8_t *codes) {
  for (int j = 0; j < 32; j++) {
    codes[j] = qs[j] & 15;
    codes[j + 32] = qs[j] >> 4;
  }
}

// 128 codes of 2 bits from 32 bytes: the lowest bits of all, then the next.
static void pairs_of_bits(const uint8_t *qs, uint8_t *codes) {
  for (int part = 0; part < 4; part++)
    for (int j = 0; j < 32; j++) codes[32 * part + j] = qs[j] >> (2 * part) & 3;
}

static void fifth_bits(const uint8_t *bits, uint8_t *codes) {
  for (int j = 0; j < 32; j++) codes[j] |= (uint8_t)((bits[j / 8] >> (j % 8) & 1) << 4);
}

static void split_q4_0(const uint8_t *block, bb_ggml_parts *parts) {
  start(parts, half_at(block), 0);
  nibbles(block + 2, parts->codes);
}

static void split_q4_1(const uint8_t *block, bb_ggml_parts *parts) {
  start(parts, half_at(block), -half_at(block + 2));
  nibbles(block + 4, parts->codes);
}

static void split_q5_0(const uint8_t *block, bb_ggml_parts *parts) {
  start(parts, half_at(block), 0);
  nibbles(block + 6, parts->codes);
  fifth_bits(block + 2, parts->codes);
}

static void split_q5_1(const uint8_t *block, bb_ggml_parts *parts) {
  start(parts, half_at(block), -half_at(block + 2));
  nibbles(block + 8, parts->codes);
  fifth_bits(block + 4, parts->codes);
}

static void split_q8_0(const uint8_t *block, bb_ggml_parts *parts) {
  start(parts, half_at(block), 0);
  for (int j = 0; j < 32; j++) parts->codes[j] = block[2 + j] ^ 128;
}

static void split_mxfp4(const uint8_t *block, bb_ggml_parts *parts) {
  // Half of 2^(e - 127), because the table holds doubled values.
  const uint32_t e = block[0];
  start(parts, bb_float_from_bits(e < 2 ? 0x00200000u << e : (e - 1) << 23), 0);
  nibbles(block + 1, parts->codes);
}

static void split_q2_k(const uint8_t *block, bb_ggml_parts *parts) {
  parts->d = half_at(block + 80);
  parts->low = half_at(block + 82);
  for (int g = 0; g < 16; g++) {
    parts->scales[g] = (int8_t)(block[g] & 15);
    parts->lows[g] = block[g] >> 4;
  }
  for (int h = 0; h < 2; h++) pairs_of_bits(block + 16 + 32 * h, parts->codes + 128 * h);
}

static void split_q3_k(const uint8_t *block, bb_ggml_parts *parts) {
  start(parts, half_at(block + 108), 0);
  const uint8_t *scales = block + 96;
  for (int g = 0; g < 16; g++) {
    const int low = g < 8 ? scales[g] & 15 : scales[g - 8] >> 4, high = scales[8 + g % 4] >> (g / 4 * 2) & 3;
    parts->scales[g] = (int8_t)((low | high << 4) - 32);
  }
  for (int h = 0; h < 2; h++) pairs_of_bits(block + 32 + 32 * h, parts->codes + 128 * h);
  // A third bit that is not set takes 4 away: codes are counted from 4.
  for (int part = 0; part < 8; part++)
    for (int j = 0; j < 32; j++) parts->codes[32 * part + j] |= (uint8_t)((block[j] >> part & 1) << 2);
}

static void six_bit_scales(const uint8_t *s, bb_ggml_parts *parts) {
  for (int g = 0; g < 4; g++) {
    parts->scales[g] = (int8_t)(s[g] & 63);
    parts->lows[g] = s[g + 4] & 63;
    parts->scales[g + 4] = (int8_t)((s[g + 8] & 15) | s[g] >> 6 << 4);
    parts->lows[g + 4] = (uint8_t)(s[g + 8] >> 4 | s[g + 4] >> 6 << 4);
  }
}

static void split_q4_k(const uint8_t *block, bb_ggml_parts *parts) {
  start(parts, half_at(block), half_at(block + 2));
  six_bit_scales(block + 4, parts);
  for (int c = 0; c < 4; c++) wide_nibbles(block + 16 + 32 * c, parts->codes + 64 * c);
}

static void split_q5_k(const uint8_t *block, bb_ggml_parts *parts) {
  start(parts, half_at(block), half_at(block + 2));
  six_bit_scales(block + 4, parts);
  for (int c = 0; c < 4; c++) wide_nibbles(block + 48 + 32 * c, parts->codes + 64 * c);
  for (int part = 0; part < 8; part++)
    for (int j = 0; j < 32; j++) parts->codes[32 * part + j] |= (uint8_t)((block[16 + j] >> part & 1) << 4);
}

static void split_q6_k(const uint8_t *block, bb_ggml_parts *parts) {
  start(parts, half_at(block + 208), 0);
  memcpy(parts->scales, block + 192, 16);
  for (int h = 0; h < 2; h++) {
    const uint8_t *low = block + 64 * h, *high = block + 128 + 32 * h;
    uint8_t *codes = parts->codes + 128 * h;
    for (int part = 0; part < 4; part++)
      for (int j = 0; j < 32; j++) {
        const int nibble = low[part % 2 * 32 + j] >> (part / 2 * 4) & 15;
        codes[32 * part + j] = (uint8_t)(nibble | (high[j] >> (2 * part) & 3) << 4);
      }
  }
}

static void split_iq4_xs(const uint8_t *block, bb_ggml_parts *parts) {
  start(parts, half_at(block), 0);
  const int high = block[2] | block[3] << 8;
  for (int g = 0; g < 8; g++) {
    const int low = block[4 + g / 2] >> (g % 2 * 4) & 15;
    parts->scales[g] = (int8_t)((low | (high >> (2 * g) & 3) << 4) - 32);
    nibbles(block + 8 + 16 * g, parts->codes + 32 * g);
  }
}

static const int8_t iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
// E2M1, doubled.
static const int8_t fp4_values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

static const bb_ggml_type types[] = {
    // id, name, elements, bytes, group, bits, zero, has scales, has lows, values
    {2, "Q4_0", 32, 18, 32, 4, 8, 0, 0, NULL, split_q4_0},
    {3, "Q4_1", 32, 20, 32, 4, 0, 0, 1, NULL, split_q4_1},
    {6, "Q5_0", 32, 22, 32, 5, 16, 0, 0, NULL, split_q5_0},
    {7, "Q5_1", 32, 24, 32, 5, 0, 0, 1, NULL, split_q5_1},
    {8, "Q8_0", 32, 34, 32, 8, 128, 0, 0, NULL, split_q8_0},
    {10, "Q2_K", 256, 84, 16, 2, 0, 1, 1, NULL, split_q2_k},
    {11, "Q3_K", 256, 110, 16, 3, 4, 1, 0, NULL, split_q3_k},
    {12, "Q4_K", 256, 144, 32, 4, 0, 1, 1, NULL, split_q4_k},
    {13, "Q5_K", 256, 176, 32, 5, 0, 1, 1, NULL, split_q5_k},
    {14, "Q6_K", 256, 210, 16, 6, 32, 1, 0, NULL, split_q6_k},
    {20, "IQ4_NL", 32, 18, 32, 4, 0, 0, 0, iq4_values, split_q4_0},
    {23, "IQ4_XS", 256, 136, 32, 4, 0, 1, 0, iq4_values, split_iq4_xs},
    {39, "MXFP4", 32, 17, 32, 4, 0, 0, 0, fp4_values, split_mxfp4},
};

const bb_ggml_type *bb_ggml_type_of(uint32_t id) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (types[i].id == id) return types + i;
  return NULL;
}

void bb_ggml_decode(const bb_ggml_type *type, const uint8_t *blocks, size_t inputs, float *weights) {
  bb_ggml_parts parts;
  for (size_t k = 0; k < inputs; k += type->elements) {
    type->split(blocks + k / type->elements * type->bytes, &parts);
    for (size_t j = 0; j < type->elements; j++) {
      const size_t group = j / type->group;
      const int value = type->values ? type->values[parts.codes[j]] : parts.codes[j] - type->zero;
      const float scale = parts.d * (float)parts.scales[group], weight = scale * (float)value;
      const float low = parts.low * (float)parts.lows[group];
      weights[k + j] = type->has_lows ? weight - low : weight;
    }
  }
}
