// BF16 weights times activations that are rounded to BF16, two inputs at a time. Each instruction set's file includes this
// with BF16_TILE, the most tokens of a tile.
//
// The rule is that of the instruction `vdpbf16ps`: a pair of inputs adds its odd product to the sum, then its even one, each
// by a fused multiply-add, with denormal operands and results taken for 0. An output's sum takes its pairs in order, so
// all instruction sets, batch sizes and tilings agree bit for bit. `avx512bf16.c` has the instruction; here is what it means.

#include "denormals.h"
#include "half.h"
#include "tables.h"
#include "tiles.h"

#ifndef PAIRS_BY_INSTRUCTION
typedef struct { v16 of[2]; } pairs;  // even and odd inputs of 16 rows

INLINE pairs pairs_load(const uint8_t *line) {
  pairs w;
  v_line_bf16(line, w.of);
  return w;
}
#ifndef V_PAIR
// Both numbers of a pair in all lanes.
INLINE void v_pair(const uint16_t *x, v16 *even, v16 *odd) {
  *even = v_set(bb_bf16_to_float(x[0]));
  *odd = v_set(bb_bf16_to_float(x[1]));
}
#endif
INLINE v16 pairs_dot(v16 sum, pairs w, const uint16_t *x) {
  v16 even, odd;
  v_pair(x, &even, &odd);
  return v_fma(w.of[0], even, v_fma(w.of[1], odd, sum));
}
#endif

enum { BF16_TOKENS = 64 };  // of a pass: their activations stay in the second-level cache

// The block of rows `block` times some tokens, whose number is a constant where this is inlined.
INLINE void bf16_tile(const int tokens, const bb_matrix *m, const uint16_t *x, size_t ldx, size_t distance, float *y, size_t ldy,
                      size_t block) {
  const size_t count = (m->inputs + 1) / 2, rows = m->rows - block * 16;
  const uint8_t *line = m->lines + block * count * 64;
  const uint16_t *ninth = tokens > 8 ? x + 8 * ldx : x;
  float *const out = y + block * 16;
  v16 sum[BF16_TILE];
  EACH_TOKEN(t) sum[t] = v_set(0);
  EACH_TOKEN(t) __builtin_prefetch(out + t * ldy, 1, 2);
  for (size_t k = 0; k < count; k++, line += 64, x += 2, ninth += 2) {
    const pairs w = pairs_load(line);
    PREFETCH_AHEAD(line, distance);
    EACH_TOKEN(t) sum[t] = pairs_dot(sum[t], w, OF_TOKEN(t, x, ninth, ldx));
  }
  EACH_TOKEN(t) {
    if (rows >= 16) v_store(out + t * ldy, sum[t]);
    else store_first(out + t * ldy, sum[t], rows);
  }
}

// Not inlined, so that no arithmetic leaves the region where denormals are 0.
static __attribute__((noinline)) void bf16_blocks(const bb_matrix *m, const uint16_t *x, size_t ldx, size_t tokens,
                                                  float *y, size_t ldy, size_t first, size_t last) {
  const size_t bytes = (m->inputs + 1) / 2 * 64, most = SHARED_BYTES > bytes ? SHARED_BYTES / bytes : 1;
  for (size_t start = 0; start < tokens; start += BF16_TOKENS) {
    const size_t end = start + BF16_TOKENS < tokens ? start + BF16_TOKENS : tokens;
    for (size_t block = first; block < last; block += most) {
      const size_t blocks = last - block < most ? last - block : most;
      EACH_TILE(BF16_TILE, start, end, blocks,
                bf16_tile(tokens, m, x + token * ldx, ldx, token == start ? FIRST_DISTANCE : 0, y + token * ldy, ldy, block + b));
    }
  }
}

static void multiply_bf16(const bb_matrix *m, const bb_activations *x, size_t tokens, float *y, size_t ldy, size_t first,
                          size_t last) {
  const uint64_t before = bb_flush_denormals();
  bf16_blocks(m, x->values, x->stride / sizeof(uint16_t), tokens, y, ldy, first, last);
  bb_restore_denormals(before);
}
