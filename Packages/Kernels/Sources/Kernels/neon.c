// Arm NEON, which every 64-bit Arm processor has: sixteen floats in four registers.
#if defined(__aarch64__)
#pragma STDC FP_CONTRACT OFF
#include <arm_neon.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef struct { float32x4_t q[4]; } v16;

#define EACH(EXPRESSION)                                   \
  v16 r;                                                   \
  for (int i = 0; i < 4; i++) r.q[i] = (EXPRESSION);       \
  return r

static inline v16 v_set(float x) { EACH(vdupq_n_f32(x)); }
static inline v16 v_load(const float *p) { EACH(vld1q_f32(p + 4 * i)); }
static inline void v_store(float *p, v16 x) {
  for (int i = 0; i < 4; i++) vst1q_f32(p + 4 * i, x.q[i]);
}
static inline v16 v_add(v16 x, v16 y) { EACH(vaddq_f32(x.q[i], y.q[i])); }
static inline v16 v_sub(v16 x, v16 y) { EACH(vsubq_f32(x.q[i], y.q[i])); }
static inline v16 v_mul(v16 x, v16 y) { EACH(vmulq_f32(x.q[i], y.q[i])); }
static inline v16 v_div(v16 x, v16 y) { EACH(vdivq_f32(x.q[i], y.q[i])); }
static inline v16 v_abs(v16 x) { EACH(vabsq_f32(x.q[i])); }
static inline v16 v_fma(v16 x, v16 y, v16 z) { EACH(vfmaq_f32(z.q[i], x.q[i], y.q[i])); }
// Comparing and choosing, because vmaxq_f32 gives NaN where the rule is to give the second operand.
static inline float32x4_t max4(float32x4_t x, float32x4_t y) { return vbslq_f32(vcgtq_f32(x, y), x, y); }
static inline v16 v_max(v16 x, v16 y) { EACH(max4(x.q[i], y.q[i])); }
static inline v16 v_min(v16 x, v16 y) { EACH(vbslq_f32(vcltq_f32(x.q[i], y.q[i]), x.q[i], y.q[i])); }
static inline v16 v_round(v16 x) { EACH(vrndnq_f32(x.q[i])); }
static inline float32x4_t two_to4(float32x4_t n) {
  return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23));
}
static inline v16 v_times_two_to(v16 x, float limit, v16 y, v16 n) {
  EACH(vbslq_f32(vcltq_f32(x.q[i], vdupq_n_f32(limit)), vdupq_n_f32(0), vmulq_f32(y.q[i], two_to4(n.q[i]))));
}
static inline float v_sum(v16 x) {
  const float32x4_t four = vaddq_f32(vaddq_f32(x.q[0], x.q[2]), vaddq_f32(x.q[1], x.q[3]));
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}
static inline float v_reduce_max(v16 x) {
  float32x4_t four = max4(max4(x.q[0], x.q[2]), max4(x.q[1], x.q[3]));
  four = max4(four, vextq_f32(four, four, 2));
  return vgetq_lane_f32(max4(four, vextq_f32(four, four, 1)), 0);
}

static inline uint32x4_t lanes32(const uint8_t *p) { return vreinterpretq_u32_u8(vld1q_u8(p)); }
static inline uint16x4_t lanes16(const uint8_t *p) { return vreinterpret_u16_u8(vld1_u8(p)); }
static inline float32x4_t from_f16(uint16x4_t h) { return vcvt_f32_f16(vreinterpret_f16_u16(h)); }
static inline v16 v_load_f16(const uint8_t *p) { EACH(from_f16(lanes16(p + 8 * i))); }
static inline v16 v_load_bf16(const uint8_t *p) {
  EACH(vreinterpretq_f32_u32(vshll_n_u16(lanes16(p + 8 * i), 16)));
}

static inline void v_line_f16(const uint8_t *p, v16 *w) {
  for (int i = 0; i < 4; i++) {
    const uint32x4_t pairs = lanes32(p + 16 * i);
    w[0].q[i] = from_f16(vmovn_u32(pairs));
    w[1].q[i] = from_f16(vshrn_n_u32(pairs, 16));
  }
}
static inline void v_line_bf16(const uint8_t *p, v16 *w) {
  for (int i = 0; i < 4; i++) {
    const uint32x4_t pairs = lanes32(p + 16 * i);
    w[0].q[i] = vreinterpretq_f32_u32(vshlq_n_u32(pairs, 16));
    w[1].q[i] = vreinterpretq_f32_u32(vandq_u32(pairs, vdupq_n_u32(0xffff0000u)));
  }
}
static inline float32x4_t field4(uint32x4_t v, int shift, uint32_t mask) {
  return vcvtq_f32_u32(vandq_u32(vshlq_u32(v, vdupq_n_s32(-shift)), vdupq_n_u32(mask)));
}
static inline void v_line_int8(const uint8_t *p, v16 *w) {
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) w[j].q[i] = field4(lanes32(p + 16 * i), 8 * j, 255);
}
// 8-bit floats: their digits where a float has them count 2^120 times too little.
static inline float32x4_t float8x4(uint32x4_t v, int shift) {
  const int32x4_t code = vreinterpretq_s32_u32(vshlq_u32(v, vdupq_n_s32(shift)));
  const uint32x4_t digits = vandq_u32(vreinterpretq_u32_s32(vshrq_n_s32(code, 4)), vdupq_n_u32(0x87f00000u));
  return vmulq_n_f32(vreinterpretq_f32_u32(digits), 0x1p120f);
}
static inline void v_line_float8(const uint8_t *p, v16 *w) {
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) w[j].q[i] = float8x4(lanes32(p + 16 * i), 24 - 8 * j);
}
static inline void v_line_int4(const uint8_t *p, v16 *w) {
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) {
      w[j].q[i] = field4(lanes32(p + 16 * i), 8 * j, 15);
      w[j + 4].q[i] = field4(lanes32(p + 16 * i), 8 * j + 4, 15);
    }
}
#undef EACH


// Integer lanes: see scalar_vectors.h.
typedef struct { int32x4_t q[4]; } l16;
#define EACH(EXPRESSION)                                   \
  l16 r;                                                   \
  for (int i = 0; i < 4; i++) r.q[i] = (EXPRESSION);       \
  return r

static inline l16 l_set(int32_t x) { EACH(vdupq_n_s32(x)); }
static inline l16 l_load(const uint8_t *p) { EACH(vreinterpretq_s32_u8(vld1q_u8(p + 16 * i))); }
static inline void l_store(uint8_t *p, l16 x) {
  for (int i = 0; i < 4; i++) vst1q_u8(p + 16 * i, vreinterpretq_u8_s32(x.q[i]));
}
static inline l16 l_add(l16 x, l16 y) { EACH(vaddq_s32(x.q[i], y.q[i])); }
static inline l16 l_field(l16 x, int shift, int mask) {
  const uint32x4_t bits = vreinterpretq_u32_u8(vdupq_n_u8((uint8_t)mask));
  EACH(vreinterpretq_s32_u32(vandq_u32(vshlq_u32(vreinterpretq_u32_s32(x.q[i]), vdupq_n_s32(-shift)), bits)));
}
static inline l16 l_flip(l16 x, int mask) {
  EACH(veorq_s32(x.q[i], vreinterpretq_s32_u8(vdupq_n_u8((uint8_t)mask))));
}
static inline l16 l_less(l16 x, int number) {
  EACH(vreinterpretq_s32_s8(vsubq_s8(vreinterpretq_s8_s32(x.q[i]), vdupq_n_s8((int8_t)number))));
}
static inline l16 l_join(l16 high, l16 low) { EACH(vaddq_s32(vshlq_n_s32(high.q[i], 8), low.q[i])); }
// Four rows: their codes in 16 bits, times x, added in pairs twice.
static inline int32x4_t dot4(int16x8_t low, int16x8_t high, int16x4_t x) {
  const int32x4_t first = vpaddq_s32(vmull_s16(vget_low_s16(low), x), vmull_s16(vget_high_s16(low), x));
  const int32x4_t last = vpaddq_s32(vmull_s16(vget_low_s16(high), x), vmull_s16(vget_high_s16(high), x));
  return vpaddq_s32(first, last);
}
static inline l16 l_dot(l16 sum, l16 codes, const int8_t *x) {
  int32_t four;
  memcpy(&four, x, 4);
  const int16x4_t wide = vget_low_s16(vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four))));
  l16 r;
  for (int i = 0; i < 4; i++) {
    const uint8x16_t c = vreinterpretq_u8_s32(codes.q[i]);
    r.q[i] = vaddq_s32(sum.q[i], dot4(vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(c))),
                                      vreinterpretq_s16_u16(vmovl_u8(vget_high_u8(c))), wide));
  }
  return r;
}
static inline l16 l_words(l16 x, int shift, int mask) {
  const uint32x4_t bits = vdupq_n_u32((uint32_t)mask * 0x00010001u);
  EACH(vreinterpretq_s32_u32(vandq_u32(vshlq_u32(vreinterpretq_u32_s32(x.q[i]), vdupq_n_s32(-shift)), bits)));
}
// Codes are below 2^15, so that shifting leaves them as they are.
static inline l16 l_dot_words(l16 sum, l16 words, const int16_t *x) {
  const int32x4_t low = vdupq_n_s32(0xffff);
  EACH(vmlaq_n_s32(vmlaq_n_s32(sum.q[i], vandq_s32(words.q[i], low), x[0]), vshrq_n_s32(words.q[i], 16), x[1]));
}
static inline l16 l_dot_signed(l16 sum, l16 codes, const uint8_t *x) {
  uint32_t four;
  memcpy(&four, x, 4);
  const int16x4_t wide = vreinterpret_s16_u16(vget_low_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four)))));
  l16 r;
  for (int i = 0; i < 4; i++) {
    const int8x16_t c = vreinterpretq_s8_s32(codes.q[i]);
    r.q[i] = vaddq_s32(sum.q[i], dot4(vmovl_s8(vget_low_s8(c)), vmovl_s8(vget_high_s8(c)), wide));
  }
  return r;
}
#undef EACH
static inline v16 v_from_lanes(l16 x) {
  v16 r;
  for (int i = 0; i < 4; i++) r.q[i] = vcvtq_f32_s32(x.q[i]);
  return r;
}
static inline l16 l_bits(v16 x) {
  l16 r;
  for (int i = 0; i < 4; i++) r.q[i] = vreinterpretq_s32_f32(x.q[i]);
  return r;
}
static inline void l_store_bytes(int8_t *p, l16 x) {
  for (int i = 0; i < 2; i++)
    vst1_s8(p + 8 * i, vmovn_s16(vcombine_s16(vmovn_s32(x.q[2 * i]), vmovn_s32(x.q[2 * i + 1]))));
}
static inline void l_store_words(int16_t *p, l16 x) {
  for (int i = 0; i < 4; i++) {
    const int16x4_t four = vmovn_s32(x.q[i]);
    const int32x2_t even = vreinterpret_s32_s16(vuzp1_s16(four, four)), odd = vreinterpret_s32_s16(vuzp2_s16(four, four));
    vst1_s16(p + 4 * i, vreinterpret_s16_s32(vzip1_s32(even, odd)));
  }
}
static inline void l_store_split(int8_t *high, int8_t *low, l16 x) {
  l_store_bytes(low, x);
  l16 upper;
  for (int i = 0; i < 4; i++) upper.q[i] = vshrq_n_s32(vaddq_s32(x.q[i], vdupq_n_s32(128)), 8);
  l_store_bytes(high, upper);
}

enum { ATTEND_ROWS = 1 };
enum { TILE_TOKENS = 2, TILE_BLOCKS = 1 };
enum { PANEL_TOKENS = 4, PANEL_REST = 2, PANEL_MIN = 8 };
enum { INTEGER_TILE = 2, INTEGER_UNPACK = 1 };
enum { BF16_TILE = 4, PAIR_ROWS = 4, PAIR_REST = 2, PAIR_COLUMNS = 1 };
enum { FLOAT8_TILE = 4 };
enum { CHAIN_TOKENS = 2, CHAIN_ROWS = 1 };
enum { PREFETCH_ALONE = 0 };
#include "kernels_body.h"
#include "integer_body.h"
#include "bf16_body.h"
#include "float8_body.h"
#include "pair_attention_body.h"
#include "chains_body.h"
#include "table_body.h"

void bb_fill_neon(bb_kernel_table *table) { fill(table, BB_ISA_NEON); }

#endif
