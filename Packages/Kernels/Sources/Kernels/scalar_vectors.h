// Sixteen floats, or sixteen lanes of 32 bits, in an array: what each vector operation means.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "half.h"

typedef struct { float f[16]; } v16;

#define EACH(EXPRESSION)                                     \
  v16 r;                                                     \
  for (int i = 0; i < 16; i++) r.f[i] = (EXPRESSION);        \
  return r

static inline v16 v_set(float a) { EACH(a); }
static inline v16 v_load(const float *p) { v16 r; memcpy(&r, p, sizeof r); return r; }
static inline void v_store(float *p, v16 a) { memcpy(p, &a, sizeof a); }
static inline v16 v_add(v16 a, v16 b) { EACH(a.f[i] + b.f[i]); }
static inline v16 v_sub(v16 a, v16 b) { EACH(a.f[i] - b.f[i]); }
static inline v16 v_mul(v16 a, v16 b) { EACH(a.f[i] * b.f[i]); }
static inline v16 v_div(v16 a, v16 b) { EACH(a.f[i] / b.f[i]); }
static inline v16 v_abs(v16 a) { EACH(fabsf(a.f[i])); }
static inline v16 v_fma(v16 a, v16 b, v16 c) { EACH(fmaf(a.f[i], b.f[i], c.f[i])); }
// As the vector instructions have it: the second operand where either is NaN.
static inline v16 v_max(v16 a, v16 b) { EACH(a.f[i] > b.f[i] ? a.f[i] : b.f[i]); }
static inline v16 v_min(v16 a, v16 b) { EACH(a.f[i] < b.f[i] ? a.f[i] : b.f[i]); }
static inline v16 v_round(v16 a) { EACH(nearbyintf(a.f[i])); }
// y * 2^n for whole n in the range of normal numbers, or 0 where x < limit.
static inline v16 v_times_two_to(v16 x, float limit, v16 y, v16 n) {
  EACH(x.f[i] < limit ? 0.0f : isnan(n.f[i]) ? n.f[i] : y.f[i] * bb_float_from_bits((uint32_t)((int32_t)n.f[i] + 127) << 23));
}

static inline float v_sum(v16 a) {
  for (int width = 8; width > 0; width /= 2)
    for (int i = 0; i < width; i++) a.f[i] += a.f[i + width];
  return a.f[0];
}
// The maximum of the lanes, by v_max of halves.
static inline float v_reduce_max(v16 a) {
  for (int width = 8; width > 0; width /= 2)
    for (int i = 0; i < width; i++) a.f[i] = a.f[i] > a.f[i + width] ? a.f[i] : a.f[i + width];
  return a.f[0];
}

static inline v16 v_load_f16(const uint8_t *p) {
  uint16_t h[16];
  memcpy(h, p, sizeof h);
  EACH(bb_f16_to_float(h[i]));
}

static inline v16 v_load_bf16(const uint8_t *p) {
  uint16_t h[16];
  memcpy(h, p, sizeof h);
  EACH(bb_bf16_to_float(h[i]));
}

// Lines of packed weights: w[j] holds input j of the 16 rows.
static inline void v_line_f16(const uint8_t *p, v16 *w) {
  for (int i = 0; i < 32; i++) {
    uint16_t h;
    memcpy(&h, p + i * 2, 2);
    w[i % 2].f[i / 2] = bb_f16_to_float(h);
  }
}

static inline void v_line_bf16(const uint8_t *p, v16 *w) {
  for (int i = 0; i < 32; i++) {
    uint16_t h;
    memcpy(&h, p + i * 2, 2);
    w[i % 2].f[i / 2] = bb_bf16_to_float(h);
  }
}

static inline void v_line_int8(const uint8_t *p, v16 *w) {
  for (int i = 0; i < 64; i++) w[i % 4].f[i / 4] = p[i];
}

static inline void v_line_float8(const uint8_t *p, v16 *w) {
  for (int i = 0; i < 64; i++) w[i % 4].f[i / 4] = bb_float8_to_float(p[i]);
}

static inline void v_line_int4(const uint8_t *p, v16 *w) {
  for (int i = 0; i < 64; i++) {
    w[i % 4].f[i / 4] = p[i] & 15;
    w[i % 4 + 4].f[i / 4] = p[i] >> 4;
  }
}

// Sixteen lanes of 32 bits: integers, or 4 codes each of 16 rows.
typedef struct { int32_t n[16]; } l16;
#undef EACH
#define EACH(EXPRESSION)                                     \
  l16 r;                                                     \
  for (int i = 0; i < 16; i++) r.n[i] = (int32_t)(EXPRESSION); \
  return r

static inline l16 l_set(int32_t a) { EACH(a); }
static inline l16 l_load(const uint8_t *p) { l16 r; memcpy(&r, p, sizeof r); return r; }
static inline l16 l_add(l16 a, l16 b) { EACH((uint32_t)a.n[i] + (uint32_t)b.n[i]); }
static inline void l_store(uint8_t *p, l16 a) { memcpy(p, &a, sizeof a); }
// Of each byte the bits from `shift` on that `mask` leaves.
static inline l16 l_field(l16 a, int shift, int mask) { EACH((uint32_t)a.n[i] >> shift & mask * 0x01010101u); }
// Each byte with the bits of `mask` turned over.
static inline l16 l_flip(l16 a, int mask) { EACH((uint32_t)a.n[i] ^ mask * 0x01010101u); }
// Each byte less a number.
static inline l16 l_less(l16 a, int number) {
  uint8_t bytes[64];
  memcpy(bytes, &a, sizeof bytes);
  for (int i = 0; i < 64; i++) bytes[i] = (uint8_t)(bytes[i] - number);
  memcpy(&a, bytes, sizeof bytes);
  return a;
}
// 256 * high + low, beyond 32 bits cut off.
static inline l16 l_join(l16 high, l16 low) { EACH((uint32_t)high.n[i] * 256u + (uint32_t)low.n[i]); }
// sum + the row's 4 unsigned codes times the 4 signed numbers at x.
static inline l16 l_dot(l16 sum, l16 codes, const int8_t *x) {
  uint8_t c[64];
  memcpy(c, &codes, sizeof c);
  EACH(sum.n[i] + c[4 * i] * x[0] + c[4 * i + 1] * x[1] + c[4 * i + 2] * x[2] + c[4 * i + 3] * x[3]);
}
// Of each half of a lane the bits from `shift` on that `mask` leaves: every other code of a line in 16 bits.
static inline l16 l_words(l16 a, int shift, int mask) { EACH((uint32_t)a.n[i] >> shift & mask * 0x00010001u); }
// sum + the lane's low half times x[0] + its high half times x[1].
static inline l16 l_dot_words(l16 sum, l16 words, const int16_t *x) {
  EACH((uint32_t)sum.n[i] + (uint32_t)((words.n[i] & 0xffff) * x[0] + (words.n[i] >> 16) * x[1]));
}
// As l_dot, for signed codes and unsigned numbers.
static inline l16 l_dot_signed(l16 sum, l16 codes, const uint8_t *x) {
  int8_t c[64];
  memcpy(c, &codes, sizeof c);
  EACH(sum.n[i] + c[4 * i] * x[0] + c[4 * i + 1] * x[1] + c[4 * i + 2] * x[2] + c[4 * i + 3] * x[3]);
}
static inline v16 v_from_lanes(l16 a) {
  v16 r;
  for (int i = 0; i < 16; i++) r.f[i] = (float)a.n[i];
  return r;
}
// The bits of floats.
static inline l16 l_bits(v16 a) {
  l16 r;
  memcpy(&r, &a, sizeof r);
  return r;
}
// The lowest byte of each lane.
static inline void l_store_bytes(int8_t *p, l16 a) {
  for (int i = 0; i < 16; i++) p[i] = (int8_t)(a.n[i] & 255);
}
// The lowest 16 bits of each lane, the second and third of each four exchanged.
static inline void l_store_words(int16_t *p, l16 a) {
  static const int order[] = {0, 2, 1, 3};
  for (int i = 0; i < 16; i++) p[i] = (int16_t)(a.n[i / 4 * 4 + order[i % 4]] & 0xffff);
}
// The lowest 16 bits of each lane as 256 * high + low, both signed.
static inline void l_store_split(int8_t *high, int8_t *low, l16 a) {
  for (int i = 0; i < 16; i++) {
    low[i] = (int8_t)(a.n[i] & 255);
    high[i] = (int8_t)(((uint32_t)a.n[i] + 128) >> 8 & 255);
  }
}
