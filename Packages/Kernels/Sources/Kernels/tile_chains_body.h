// Products of BF16 by tile registers: the tile instruction's own order, which chains_body.h names, gives the same bits.
//
// Some inputs of two blocks of rows stay in the first-level cache while the tokens of a pass come from the second; sums wait in
// memory between them.
//
// Included after tile_products_body.h; CHAIN_LEAST is the fewest tokens that are worth tiles, base_page_chains what fewer
// queries take.

enum {
  CHAIN_INPUTS = 32,   // that a tile multiplies
  CHAIN_PANEL = 512,   // inputs of a panel
  CHAIN_AHEAD = 4096,  // bytes that the weights of a block are prefetched ahead
};

// Some inputs of one or two blocks.
typedef struct {
  const uint8_t *lines;
  size_t next_block, inputs;  // bytes to the lines of the second block; inputs
  int is_first;               // of the matrix
  int is_new;                 // not read before: comes from memory
} chain_panel;

// `blocks` blocks by one or two tiles of tokens, both constants where this is inlined. Sums come from memory, [2 tiles][2
// blocks][16][16], and go to y.
INLINE void chain_tiles(const int lefts, const int blocks, const uint8_t *first, const uint8_t *second, size_t stride,
                        const chain_panel *p, const float *sums, float *const y[4], size_t ldy) {
  const uint8_t *lines = p->lines;
  if (p->is_first) {
    tile_zero(0);
    tile_zero(1);
    tile_zero(2);
    tile_zero(3);
  } else {
    tile_load(0, sums, 64);
    tile_load(1, sums + TILE_NUMBERS, 64);
    tile_load(2, sums + 2 * TILE_NUMBERS, 64);
    tile_load(3, sums + 3 * TILE_NUMBERS, 64);
  }
  for (size_t k = 0; k < p->inputs; k += CHAIN_INPUTS, lines += CHAIN_INPUTS * 32) {
    tile_load(6, lines, 64);
    tile_load(4, first + 2 * k, stride);
    tile_dot_bf16(0, 4, 6);
    if (blocks == 2) {
      tile_load(7, lines + p->next_block, 64);
      tile_dot_bf16(1, 4, 7);
    }
    if (lefts == 2) {
      tile_load(5, second + 2 * k, stride);
      tile_dot_bf16(2, 5, 6);
      if (blocks == 2) tile_dot_bf16(3, 5, 7);
    }
    for (size_t i = 0; p->is_new && i < CHAIN_INPUTS * 32; i += 64) {
      __builtin_prefetch(lines + CHAIN_AHEAD + i, 0, 2);
      if (blocks == 2) __builtin_prefetch(lines + p->next_block + CHAIN_AHEAD + i, 0, 2);
    }
  }
  tile_store(0, y[0], ldy);
  if (blocks == 2) tile_store(1, y[1], ldy);
  if (lefts == 2) tile_store(2, y[2], ldy);
  if (lefts == 2 && blocks == 2) tile_store(3, y[3], ldy);
}

// A pass: the tokens of x by the blocks [first, last).
static __attribute__((noinline)) void chain_pass(const bb_matrix *m, const bb_activations *x, size_t tokens, float *y, size_t ldy,
                                                 size_t first, size_t last) {
  const size_t tile = tokens < TILE_ROWS ? tokens : TILE_ROWS, own = m->inputs * 32;
  _Alignas(64) float totals[(tokens + 2 * TILE_ROWS) * 32];
  for (size_t block = first; block < last; block += 2) {
    const size_t blocks = last - block < 2 ? 1 : 2, outputs = m->rows - block * 16;
    for (size_t input = 0; input < m->inputs; input += CHAIN_PANEL) {
      const size_t left = m->inputs - input, inputs = left < CHAIN_PANEL ? left : CHAIN_PANEL;
      const int is_whole = inputs == left && outputs >= 16 * blocks;
      chain_panel panel = {m->lines + block * own + input * 32, own, inputs, input == 0, 1};
      for (size_t place = 0; place < tokens; place += 2 * TILE_ROWS, panel.is_new = 0) {
        // The last tile overlaps the one before, so that it is full.
        const size_t end = tokens - tile, token = place < end ? place : end;
        const size_t next = place + TILE_ROWS < end ? place + TILE_ROWS : end;
        const uint8_t *rows = (const uint8_t *)x->values + 2 * input;
        const uint8_t *one = rows + token * x->stride, *two = rows + next * x->stride;
        float *const sums = totals + 32 * place, *const out = y + token * ldy + block * 16, *const other = y + next * ldy + block * 16;
        float *const to[2][4] = {
            {sums, sums + TILE_NUMBERS, sums + 2 * TILE_NUMBERS, sums + 3 * TILE_NUMBERS},
            {out, out + 16, other, other + 16},
        };
        const size_t stride = is_whole ? ldy * sizeof(float) : 64;
        const int lefts = place + TILE_ROWS < tokens ? 2 : 1;
        if (lefts == 2 && blocks == 2) chain_tiles(2, 2, one, two, x->stride, &panel, sums, to[is_whole], stride);
        else if (lefts == 2) chain_tiles(2, 1, one, two, x->stride, &panel, sums, to[is_whole], stride);
        else if (blocks == 2) chain_tiles(1, 2, one, two, x->stride, &panel, sums, to[is_whole], stride);
        else chain_tiles(1, 1, one, two, x->stride, &panel, sums, to[is_whole], stride);
        for (size_t t = 0; inputs == left && !is_whole && t < (size_t)lefts * tile; t++)
          for (size_t b = 0, count = outputs; b < blocks; b++, count -= count < 16 ? count : 16)
            memcpy((t < tile ? out + t * ldy : other + (t - tile) * ldy) + 16 * b,
                   sums + (t / tile * 2 + b) * TILE_NUMBERS + t % tile * 16, (count < 16 ? count : 16) * sizeof(float));
      }
    }
  }
}

static void multiply_chains_by_tiles(const bb_matrix *m, const bb_activations *x, size_t tokens, float *y, size_t ldy, size_t first,
                                     size_t last) {
  if (m->inputs % CHAIN_INPUTS != 0 || tokens < CHAIN_LEAST)
    return base_products[BB_ROWS_BF16][BB_ACTIVATIONS_BF16_CHAINS](m, x, tokens, y, ldy, first, last);
  const size_t cached = TILE_BYTES / (m->inputs * 2) / 32 * 32, most = cached > 32 ? cached : 32;
  const uint64_t before = bb_flush_denormals();
  for (size_t token = 0; token < tokens; token += most) {
    const size_t some = tokens - token < most ? tokens - token : most;
    const tile_shapes shapes = tile_shapes_of(some < TILE_ROWS ? some : TILE_ROWS, 64);
    bb_activations rows = *x;
    rows.values = (const uint8_t *)x->values + token * x->stride;
    tiles_configure(&shapes);
    chain_pass(m, &rows, some, y + token * ldy, ldy, first, last);
    tiles_release();
  }
  bb_restore_denormals(before);
}

// ---------------------------------------------------------------- attention

// Four columns of 16, or fewer, by 16 queries: y += x w.
INLINE void page_tiles(const int columns, const uint16_t *x, size_t ldx, const uint8_t *lines, size_t stride, size_t count,
                       prefetch_stream *next, float *y, size_t ldy) {
  tile_load(0, y, ldy);
  if (columns > 1) tile_load(1, y + 16, ldy);
  if (columns > 2) tile_load(2, y + 32, ldy);
  if (columns > 3) tile_load(3, y + 48, ldy);
  for (size_t k = 0; k < count; k += CHAIN_PAIRS, lines += CHAIN_PAIRS * stride) {
    tile_load(4, x + 2 * k, ldx);
    tile_load(6, lines, stride);
    tile_dot_bf16(0, 4, 6);
    read_lines(next, (size_t)columns * 4);
    if (columns > 1) {
      tile_load(7, lines + 64, stride);
      tile_dot_bf16(1, 4, 7);
      read_lines(next, (size_t)columns * 4);
    }
    if (columns > 2) {
      tile_load(6, lines + 128, stride);
      tile_dot_bf16(2, 4, 6);
      read_lines(next, (size_t)columns * 4);
    }
    if (columns > 3) {
      tile_load(7, lines + 192, stride);
      tile_dot_bf16(3, 4, 7);
      read_lines(next, (size_t)columns * 4);
    }
  }
  tile_store(0, y, ldy);
  if (columns > 1) tile_store(1, y + 16, ldy);
  if (columns > 2) tile_store(2, y + 32, ldy);
  if (columns > 3) tile_store(3, y + 48, ldy);
}

// As multiply_page_chains has it; called where tiles of 16 rows are configured.
static void multiply_page_by_tiles(const uint16_t *x, size_t ldx, size_t rows, const uint8_t *lines, size_t columns, size_t count,
                                   prefetch_stream *next, const float *decay, float *y, size_t ldy) {
  static const float ones[TILE_ROWS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  const size_t whole = count / CHAIN_PAIRS * CHAIN_PAIRS, stride = columns * 64;
  if (rows != TILE_ROWS || whole == 0) return base_page_chains(x, ldx, rows, lines, columns, count, next, decay, y, ldy);
  for (size_t r = 0; r < rows; r++) {
    const v16 factor = decay ? v_set(decay[r]) : v_set(0);
    for (size_t c = 0; c < columns; c++) v_store(y + r * ldy + c * 16, decay ? v_mul(v_load(y + r * ldy + c * 16), factor) : factor);
  }
  size_t c = 0;
  for (; c + 4 <= columns; c += 4)
    page_tiles(4, x, ldx * sizeof *x, lines + c * 64, stride, whole, next, y + c * 16, ldy * sizeof *y);
  for (; c < columns; c++)
    page_tiles(1, x, ldx * sizeof *x, lines + c * 64, stride, whole, next, y + c * 16, ldy * sizeof *y);
  if (whole < count)
    base_page_chains(x + 2 * whole, ldx, rows, lines + whole * stride, columns, count - whole, next, ones, y, ldy);
}

// As bb_code_tiles has it: up to four columns, by 16 queries.
INLINE void code_columns(const int columns, const int centered, const int8_t *bytes, size_t count, const uint8_t *lines, size_t line,
                         size_t column, prefetch_stream *next, int32_t *sums, size_t ld) {
  tile_zero(0);
  if (columns > 1) tile_zero(1);
  if (columns > 2) tile_zero(2);
  if (columns > 3) tile_zero(3);
  for (size_t k = 0; k < count; k += 64, lines += 16 * line) {
    tile_load(4, bytes + k, count);
    tile_load(6, lines, line);
    TILE_DOT(centered, centered, 0, 4, 6);
    read_lines(next, 16);
    if (columns > 1) {
      tile_load(7, lines + column, line);
      TILE_DOT(centered, centered, 1, 4, 7);
      read_lines(next, 16);
    }
    if (columns > 2) {
      tile_load(6, lines + 2 * column, line);
      TILE_DOT(centered, centered, 2, 4, 6);
      read_lines(next, 16);
    }
    if (columns > 3) {
      tile_load(7, lines + 3 * column, line);
      TILE_DOT(centered, centered, 3, 4, 7);
      read_lines(next, 16);
    }
  }
  tile_store(0, sums, ld * sizeof *sums);
  if (columns > 1) tile_store(1, sums + 16, ld * sizeof *sums);
  if (columns > 2) tile_store(2, sums + 32, ld * sizeof *sums);
  if (columns > 3) tile_store(3, sums + 48, ld * sizeof *sums);
}

static void multiply_codes_by_tiles(const int8_t *bytes, size_t count, const uint8_t *lines, size_t line, size_t column,
                                    size_t columns, int centered, prefetch_stream *next, int32_t *sums, size_t ld) {
  _Alignas(64) uint8_t flipped[centered ? columns * count / 4 * 64 : 1];
  if (centered) {  // The instruction takes them with a sign.
    for (size_t c = 0; c < columns; c++)
      for (size_t i = 0; i < count / 4; i++)
        l_store(flipped + (c * count / 4 + i) * 64, l_flip(l_load(lines + c * column + i * line), 0x80));
    lines = flipped, line = 64, column = count / 4 * 64;
  }
  size_t c = 0;
  for (; c + 4 <= columns; c += 4, lines += 4 * column, sums += 64) {
    if (centered) code_columns(4, 1, bytes, count, lines, line, column, next, sums, ld);
    else code_columns(4, 0, bytes, count, lines, line, column, next, sums, ld);
  }
  for (; c < columns; c++, lines += column, sums += 16) {
    if (centered) code_columns(1, 1, bytes, count, lines, line, column, next, sums, ld);
    else code_columns(1, 0, bytes, count, lines, line, column, next, sums, ld);
  }
}

static void attend_by_tiles(const float *q, size_t tokens, size_t heads, size_t d, const bb_kv_piece *pieces, size_t count,
                            size_t kv_first, size_t kv_count, float scale, bb_attend_numerics numerics, float *state) {
  const int by_tiles = numerics >= BB_ATTEND_INT8 && tokens * heads >= TILE_ROWS;
  const tile_shapes shapes = tile_shapes_of(TILE_ROWS, 64);
  if (by_tiles) tiles_configure(&shapes);
  base_attend_with(q, tokens, heads, d, pieces, count, kv_first, kv_count, scale, numerics,
                   by_tiles ? (bb_page_products){NULL, multiply_page_by_tiles, multiply_codes_by_tiles} : (bb_page_products){0},
                   state);
  if (by_tiles) tiles_release();
}

// Puts what tiles do into a table that is filled already.
static void fill_tiles(bb_kernel_table *table, bb_isa isa) {
  memcpy(base_products, table->products, sizeof base_products);
  table->isa = isa;
  table->products[BB_ROWS_INT8][BB_ACTIVATIONS_INT8] = tile_int8_by_int8;
  table->products[BB_ROWS_INT4][BB_ACTIVATIONS_INT8] = tile_int4_by_int8;
  table->products[BB_ROWS_INT8][BB_ACTIVATIONS_INT16] = tile_int8_by_int16;
  table->products[BB_ROWS_INT4][BB_ACTIVATIONS_INT16] = tile_int4_by_int16;
  table->products[BB_ROWS_BF16][BB_ACTIVATIONS_BF16_CHAINS] = multiply_chains_by_tiles;
  table->attend = attend_by_tiles;
}
