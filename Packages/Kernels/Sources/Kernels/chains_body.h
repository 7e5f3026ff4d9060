// BF16 weights times activations that are rounded to BF16, in the order of the tile instruction `tdpbf16ps`; for every
// instruction set, after bf16_body.h.
//
// The rule: of each 32 inputs, counted from the first, the even products are summed in one chain and the odd ones in another,
// each by fused multiply-adds from 0 on; the two are added, and that is added to the sum. Denormal operands and results
// are taken for 0. So found on a Sapphire Rapids over a million outputs, hard cases among them, with no exception.

enum { CHAIN_PAIRS = 16 };

// Adds a pair of inputs to both chains.
INLINE void chains_add(v16 *even, v16 *odd, pairs w, const uint16_t *x) {
  v16 first, second;
  v_pair(x, &first, &second);
  *even = v_fma(w.of[0], first, *even);
  *odd = v_fma(w.of[1], second, *odd);
}

// ---------------------------------------------------------------- weights

// The block of rows `block` times some tokens, whose number is a constant where this is inlined.
INLINE void chain_tile(const int tokens, const bb_matrix *m, const uint16_t *x, size_t ldx, size_t distance, float *y,
                       size_t ldy, size_t block) {
  const size_t count = (m->inputs + 1) / 2, rows = m->rows - block * 16;
  const uint8_t *line = m->lines + block * count * 64;
  float *const out = y + block * 16;
  v16 sum[CHAIN_TOKENS];
  EACH_TOKEN(t) sum[t] = v_set(0);
  EACH_TOKEN(t) __builtin_prefetch(out + t * ldy, 1, 2);
  for (size_t start = 0; start < count; start += CHAIN_PAIRS) {
    const size_t end = start + CHAIN_PAIRS < count ? start + CHAIN_PAIRS : count;
    v16 even[CHAIN_TOKENS], odd[CHAIN_TOKENS];
    EACH_TOKEN(t) even[t] = odd[t] = v_set(0);
    for (size_t k = start; k < end; k++, line += 64) {
      const pairs w = pairs_load(line);
      PREFETCH_AHEAD(line, distance);
      EACH_TOKEN(t) chains_add(&even[t], &odd[t], w, x + t * ldx + 2 * k);
    }
    EACH_TOKEN(t) sum[t] = v_add(sum[t], v_add(even[t], odd[t]));
  }
  EACH_TOKEN(t) {
    if (rows >= 16) v_store(out + t * ldy, sum[t]);
    else store_first(out + t * ldy, sum[t], rows);
  }
}

// Not inlined, so that no arithmetic leaves the region where denormals are 0.
static __attribute__((noinline)) void chain_blocks(const bb_matrix *m, const uint16_t *x, size_t ldx, size_t tokens, float *y,
                                                   size_t ldy, size_t first, size_t last) {
  const size_t bytes = (m->inputs + 1) / 2 * 64, most = SHARED_BYTES > bytes ? SHARED_BYTES / bytes : 1;
  for (size_t start = 0; start < tokens; start += BF16_TOKENS) {
    const size_t end = start + BF16_TOKENS < tokens ? start + BF16_TOKENS : tokens;
    for (size_t block = first; block < last; block += most) {
      const size_t blocks = last - block < most ? last - block : most;
      EACH_TILE(CHAIN_TOKENS, start, end, blocks,
                chain_tile(tokens, m, x + token * ldx, ldx, token == start ? FIRST_DISTANCE : 0, y + token * ldy, ldy, block + b));
    }
  }
}

static void multiply_chains(const bb_matrix *m, const bb_activations *x, size_t tokens, float *y, size_t ldy, size_t first,
                            size_t last) {
  const uint64_t before = bb_flush_denormals();
  chain_blocks(m, x->values, x->stride / sizeof(uint16_t), tokens, y, ldy, first, last);
  bb_restore_denormals(before);
}

// ---------------------------------------------------------------- attention

// As pair_tile has it: `rows` rows by `columns` columns of 16, both constants where this is inlined.
INLINE void page_chain_tile(const int rows, const int columns, const uint16_t *x, size_t ldx, pair_lines w,
                            prefetch_stream *next, const float *decay, float *y, size_t ldy) {
  v16 sum[CHAIN_ROWS][PAIR_COLUMNS];
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < columns; c++)
      sum[r][c] = decay ? v_mul(v_load(y + r * ldy + c * 16), v_set(decay[r])) : v_set(0);
  prefetch_stream ahead = *next;
  for (size_t start = 0; start < w.count; start += CHAIN_PAIRS) {
    const size_t end = start + CHAIN_PAIRS < w.count ? start + CHAIN_PAIRS : w.count;
    v16 even[CHAIN_ROWS][PAIR_COLUMNS], odd[CHAIN_ROWS][PAIR_COLUMNS];
    for (int r = 0; r < rows; r++)
      for (int c = 0; c < columns; c++) even[r][c] = odd[r][c] = v_set(0);
    for (size_t k = start; k < end; k++, w.lines += w.stride) {
      read_lines(&ahead, (size_t)columns);
      for (int c = 0; c < columns; c++) {
        const pairs two = pairs_load(w.lines + c * 64);
        for (int r = 0; r < rows; r++) chains_add(&even[r][c], &odd[r][c], two, x + r * ldx + 2 * k);
      }
    }
    for (int r = 0; r < rows; r++)
      for (int c = 0; c < columns; c++) sum[r][c] = v_add(sum[r][c], v_add(even[r][c], odd[r][c]));
  }
  *next = ahead;
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < columns; c++) v_store(y + r * ldy + c * 16, sum[r][c]);
}

INLINE void page_chain_rows(const int rows, const uint16_t *x, size_t ldx, pair_lines w, size_t columns,
                            prefetch_stream *next, const float *decay, float *y, size_t ldy) {
  size_t c = 0;
  for (; c + PAIR_COLUMNS <= columns; c += PAIR_COLUMNS, w.lines += PAIR_COLUMNS * 64)
    page_chain_tile(rows, PAIR_COLUMNS, x, ldx, w, next, decay, y + c * 16, ldy);
  for (; c < columns; c++, w.lines += 64) page_chain_tile(rows, 1, x, ldx, w, next, decay, y + c * 16, ldy);
}

static void multiply_page_chains(const uint16_t *x, size_t ldx, size_t rows, const uint8_t *lines, size_t columns, size_t count,
                                 prefetch_stream *next, const float *decay, float *y, size_t ldy) {
  const pair_lines w = {lines, columns * 64, count};
  size_t r = 0;
  for (; r + CHAIN_ROWS <= rows; r += CHAIN_ROWS)
    page_chain_rows(CHAIN_ROWS, x + r * ldx, ldx, w, columns, next, decay ? decay + r : NULL, y + r * ldy, ldy);
  for (; r < rows; r++) page_chain_rows(1, x + r * ldx, ldx, w, columns, next, decay ? decay + r : NULL, y + r * ldy, ldy);
}
