// BF16 weights times activations that are rounded to BF16, two inputs at a time. Each instruction set's file includes this
// with BF16_TILE_TOKENS, BF16_REST_TOKENS and BF16_TILE_BLOCKS.
//
// The rule is that of the instruction `vdpbf16ps`: a pair of inputs adds its odd product to the sum, then its even one, each
// by a fused multiply-add, with denormal operands and results taken for 0. An output's sum takes its pairs in order, so
// all instruction sets, batch sizes and tilings agree bit for bit. `avx512bf16.c` has the instruction; here is what it means.

#include "denormals.h"
#include "half.h"
#include "tables.h"

#ifndef PAIRS_BY_INSTRUCTION
typedef struct { v16 of[2]; } pairs;  // even and odd inputs of 16 rows

INLINE pairs pairs_load(const uint8_t *line) {
  pairs w;
  v_line_bf16(line, w.of);
  return w;
}
INLINE v16 pairs_dot(v16 sum, pairs w, const uint16_t *x) {
  return v_fma(w.of[0], v_set(bb_bf16_to_float(x[0])), v_fma(w.of[1], v_set(bb_bf16_to_float(x[1])), sum));
}
#endif

// Pairs that one pass takes, and tokens: their activations and the weights of a tile fit the second-level cache.
enum { BF16_SLAB = 1024, BF16_TOKENS = 128 };

// Blocks of weights to ask for while others are multiplied; `lines` is where the first one begins.
typedef struct {
  const uint8_t *lines;
  size_t blocks;
} bf16_ahead;

// Adds the pairs of one slab to `tokens` x `blocks` outputs of 16 rows; both counts are constants where this is inlined.
INLINE void bf16_tile(const int tokens, const int blocks, const bb_matrix *m, size_t first, size_t last,
                      const uint16_t *x, size_t ldx, float *y, size_t ldy, size_t block, bf16_ahead ahead) {
  const size_t stride = (m->inputs + 1) / 2 * 64;
  const uint8_t *lines = m->lines + block * stride;
  v16 sum[BF16_TILE_TOKENS][BF16_TILE_BLOCKS];
  for (int t = 0; t < tokens; t++)
    for (int b = 0; b < blocks; b++) {
      const size_t row = (block + b) * 16;
      const float *before = y + t * ldy + row;
      if (first == 0) sum[t][b] = v_set(0);
      else sum[t][b] = row + 16 <= m->rows ? v_load(before) : load_first(before, m->rows - row, 0);
    }
  for (size_t k = first; k < last; k++) {
    for (size_t b = 0; b < ahead.blocks; b++) __builtin_prefetch(ahead.lines + b * stride + k * 64, 0, 2);
    pairs w[BF16_TILE_BLOCKS];
    for (int b = 0; b < blocks; b++) w[b] = pairs_load(lines + b * stride + k * 64);
    for (int t = 0; t < tokens; t++)
      for (int b = 0; b < blocks; b++) sum[t][b] = pairs_dot(sum[t][b], w[b], x + t * ldx + 2 * k);
  }
  for (int t = 0; t < tokens; t++)
    for (int b = 0; b < blocks; b++) {
      const size_t row = (block + b) * 16;
      float *out = y + t * ldy + row;
      if (row + 16 <= m->rows) v_store(out, sum[t][b]);
      else store_first(out, sum[t][b], m->rows - row);
    }
}

// All tokens by a number of blocks. Tiles after the first find the weights in a cache; together they ask for the blocks that
// come next, of which there are `more`.
INLINE void bf16_rows(const int blocks, const bb_matrix *m, size_t first, size_t last, const uint16_t *x, size_t ldx,
                      size_t tokens, float *y, size_t ldy, size_t block, size_t more) {
  const size_t stride = (m->inputs + 1) / 2 * 64, tiles = tokens / BF16_TILE_TOKENS;
  const size_t share = tiles > 1 ? (more + tiles - 1) / tiles : 0;
  const bf16_ahead nothing = {m->lines, 0};
  size_t t = 0, asked = 0;
  for (; t + BF16_TILE_TOKENS <= tokens; t += BF16_TILE_TOKENS) {
    const bf16_ahead ahead = {m->lines + (block + blocks + asked) * stride, more - asked < share ? more - asked : share};
    bf16_tile(BF16_TILE_TOKENS, blocks, m, first, last, x + t * ldx, ldx, y + t * ldy, ldy, block, ahead);
    asked += ahead.blocks;
  }
  for (; t + BF16_REST_TOKENS <= tokens; t += BF16_REST_TOKENS)
    bf16_tile(BF16_REST_TOKENS, blocks, m, first, last, x + t * ldx, ldx, y + t * ldy, ldy, block, nothing);
  for (; t < tokens; t++) bf16_tile(1, blocks, m, first, last, x + t * ldx, ldx, y + t * ldy, ldy, block, nothing);
}

// Not inlined, so that no arithmetic leaves the region where denormals are 0.
static __attribute__((noinline)) void bf16_blocks(const bb_matrix *m, const uint16_t *x, size_t ldx, size_t tokens,
                                                  float *y, size_t ldy, size_t first, size_t last) {
  const size_t lines = (m->inputs + 1) / 2, slab = tokens == 1 ? lines : BF16_SLAB;
  for (size_t chunk = 0; chunk < tokens; chunk += BF16_TOKENS) {
    const size_t count = tokens - chunk < BF16_TOKENS ? tokens - chunk : BF16_TOKENS;
    const uint16_t *rows = x + chunk * ldx;
    float *out = y + chunk * ldy;
    for (size_t k = 0; k < lines; k += slab) {
      const size_t end = lines - k < slab ? lines : k + slab;
      size_t block = first;
      // One token reads block after block, in the order of memory, which the processor foresees.
      for (; tokens > 1 && block + BF16_TILE_BLOCKS <= last; block += BF16_TILE_BLOCKS)
        bf16_rows(BF16_TILE_BLOCKS, m, k, end, rows, ldx, count, out, ldy, block,
                  last - block < 2 * BF16_TILE_BLOCKS ? last - block - BF16_TILE_BLOCKS : BF16_TILE_BLOCKS);
      for (; block < last; block++) bf16_rows(1, m, k, end, rows, ldx, count, out, ldy, block, 0);
    }
  }
}

static void multiply_bf16(const bb_matrix *m, const uint16_t *x, size_t ldx, size_t tokens, float *y, size_t ldy,
                          size_t first, size_t last) {
  const uint64_t before = bb_flush_denormals();
  bf16_blocks(m, x, ldx, tokens, y, ldy, first, last);
  bb_restore_denormals(before);
}
