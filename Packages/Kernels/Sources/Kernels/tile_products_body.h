// Products of codes by tile registers, which multiply 16 tokens by 16 rows at a time: integer_body.h says what is computed, and
// the bits are the same. A line of codes is a row of a right factor as it lies in memory. Where all codes have one zero, it is
// taken from them first: some inputs of two blocks of rows are copied, and stay in the first-level cache while the tokens of a
// pass come from the second.
//
// Tiles of sums leave their registers once a group, and are scaled while the tiles of the next group are multiplied. Of
// 16-bit activations, high bytes and low bytes are multiplied apart, as if they were two tiles of tokens.
//
// Included after the vectors of an instruction set, tails.h, load_as.h and tile_registers.h; TILE_LEAST is the fewest tokens
// that are worth it, and split_codes puts the high and the low bytes of 16-bit codes `half` bytes apart, in the order of inputs.

// What fewer tokens take, and rows that tiles do not divide.
static bb_product base_products[BB_ROWS_COUNT][BB_ACTIVATIONS_COUNT];

enum {
  TILE_ROWS = 16,
  TILE_NUMBERS = 16 * 16,
  TILE_BYTES = 768 << 10,   // of activations that a pass takes, at most
  PANEL_INPUTS = 512,       // of two blocks, which stay in the first-level cache while the tokens pass
  LINES_AHEAD = 64,         // that are prefetched
};

// What a pass multiplies.
typedef struct {
  const bb_matrix *m;
  const bb_activations *x;
  size_t tokens;
  size_t groups, finer;  // groups of weights; those of activations in one of them
  size_t step, tile;     // inputs that a tile multiplies, and tokens
  float *y;
  size_t ldy;
  float *totals;         // [tokens of tiles][blocks][16]: of the groups before
} tile_call;

// ---------------------------------------------------------------- sums of a group

// Products of a tile of left rows, which are bytes with a sign or low bytes without, with codes that have a sign or none.
#define TILE_DOT(LOW, SIGNED, C, A, B)           \
  do {                                           \
    if (LOW && SIGNED) tile_dot_us(C, A, B);     \
    else if (LOW) tile_dot_uu(C, A, B);          \
    else if (SIGNED) tile_dot_ss(C, A, B);       \
    else tile_dot_su(C, A, B);                   \
  } while (0)

// The products of one group: `lefts` tiles of tokens by `blocks` blocks; all but the last line are constants where this is
// inlined.
INLINE void tile_group(const bb_activation_format kind, const int is_signed, const int lefts, const int blocks,
                       const int8_t *first, const int8_t *second, size_t stride, const uint8_t *lines, size_t next_block,
                       size_t width, size_t step) {
  const int low = kind == BB_ACTIVATIONS_INT16;
  tile_zero(0);
  if (blocks == 2) tile_zero(1);
  if (lefts == 2) tile_zero(2);
  if (lefts == 2 && blocks == 2) tile_zero(3);
  for (size_t k = 0; k < width; k += step, lines += step * 16) {
    tile_load(6, lines, 64);
    tile_load(4, first + k, stride);
    TILE_DOT(0, is_signed, 0, 4, 6);
    if (blocks == 2) {
      tile_load(7, lines + next_block, 64);
      TILE_DOT(0, is_signed, 1, 4, 7);
    }
    if (lefts == 2) {
      tile_load(5, second + k, stride);
      TILE_DOT(low, is_signed, 2, 5, 6);
      if (blocks == 2) TILE_DOT(low, is_signed, 3, 5, 7);
    }
  }
}

// Leaves the sums of a group in memory.
INLINE void store_group(const int lefts, const int blocks, int32_t *sums) {
  tile_store(0, sums, 64);
  if (blocks == 2) tile_store(1, sums + TILE_NUMBERS, 64);
  if (lefts == 2) tile_store(2, sums + 2 * TILE_NUMBERS, 64);
  if (lefts == 2 && blocks == 2) tile_store(3, sums + 3 * TILE_NUMBERS, 64);
}

// ---------------------------------------------------------------- scaling

// Where scaling stands, and how far the second tile of tokens is from the first.
typedef struct {
  const int32_t *sums;
  const float *scales;
  const int32_t *code_sums;
  const float *from;
  float *to;
  size_t ld_scales, ld_from, ld_to;
  ptrdiff_t second_scales, second_from, second_to;
  v16 weight[2], zero[2];
} tile_cursor;

// The scales of group g for two blocks or one.
INLINE void load_scales(const int has_zeros, const int blocks, const tile_call *c, size_t block, size_t g, tile_cursor *at) {
  for (int b = 0; b < blocks; b++) {
    const size_t scale = ((block + (size_t)b) * c->groups + g / c->finer) * 16;
    at->weight[b] = v_load_as(c->m->scales, c->m->scale_format, scale);
    at->zero[b] = has_zeros ? v_load(c->m->zeros + scale) : v_set(0);
  }
}

// Scales `rows` more rows; `blocks` is a constant where this is inlined. Where there are zeros, codes were not less theirs.
INLINE void scale_rows(const bb_activation_format kind, const int has_zeros, const int blocks, size_t rows, tile_cursor *at) {
  for (size_t t = 0; t < rows; t++) {
    const v16 scale = v_set(*at->scales);
    for (int b = 0; b < blocks; b++) {
      const int32_t *sums = at->sums + b * TILE_NUMBERS;
      l16 dot = l_load((const uint8_t *)sums);
      if (kind == BB_ACTIVATIONS_INT16) dot = l_join(dot, l_load((const uint8_t *)(sums + 2 * TILE_NUMBERS)));
      v16 whole = v_from_lanes(dot);
      if (has_zeros) whole = v_fma(at->zero[b], v_set((float)-*at->code_sums), whole);
      v_store(at->to + 16 * b, v_fma(v_mul(whole, scale), at->weight[b], v_load(at->from + 16 * b)));
    }
    at->sums += 16, at->scales += at->ld_scales, at->code_sums += at->ld_scales;
    at->from += at->ld_from, at->to += at->ld_to;
  }
}

// Inputs of a group of activations.
INLINE size_t group_width(const tile_call *c, size_t g) {
  const size_t left = c->m->inputs - g * c->x->group;
  return left < c->x->group ? left : c->x->group;
}

// The sums of a group of one or two tiles of tokens by two blocks or one, and what becomes of them: to = from + scaled sums, each
// [tokens][blocks][16].
typedef struct {
  _Alignas(64) int32_t sums[4 * TILE_NUMBERS];  // two tiles, or their high and low bytes, by two blocks
  tile_cursor at;        // without the scales of weights
  size_t block, group;   // the first block
  size_t rows, outputs;  // tokens of a tile; of the last group, outputs that are copied from `to` to y
  float *y[2];
  int tiles, blocks, is_waiting;
} tile_sums;

// From the rows of the first tile, all of which are done, to those of the second.
INLINE void to_second_tile(tile_cursor *at) {
  at->sums += 2 * TILE_NUMBERS - TILE_ROWS * 16;
  at->scales += at->second_scales, at->code_sums += at->second_scales;
  at->from += at->second_from, at->to += at->second_to;
}

// Scales the sums that wait.
INLINE void scale_sums(const bb_activation_format kind, const int has_zeros, const tile_call *c, tile_sums *s) {
  if (!s->is_waiting) return;
  s->is_waiting = 0;
  tile_cursor at = s->at;
  load_scales(has_zeros, s->blocks, c, s->block, s->group, &at);
  for (int tile = 0; tile < s->tiles; tile++) {
    if (tile) to_second_tile(&at);
    if (s->blocks == 2) scale_rows(kind, has_zeros, 2, s->rows, &at);
    else scale_rows(kind, has_zeros, 1, s->rows, &at);
  }
  for (int tile = 0; tile < s->tiles && s->outputs > 0; tile++)
    for (size_t t = 0; t < s->rows; t++)
      memcpy(s->y[tile] + t * c->ldy, s->at.to + 32 * (t + (size_t)tile * TILE_ROWS), s->outputs * sizeof(float));
}

// One function for each kind of activations and of zeros, called many times.
typedef void (*tile_scaler)(const tile_call *c, tile_sums *sums);
#define TILE_SCALER(NAME, KIND, HAS_ZEROS)                                            \
  static __attribute__((noinline)) void NAME(const tile_call *c, tile_sums *sums) { \
    scale_sums(KIND, HAS_ZEROS, c, sums);                                             \
  }
TILE_SCALER(scale_int8, BB_ACTIVATIONS_INT8, 0)
TILE_SCALER(scale_int8_with_zeros, BB_ACTIVATIONS_INT8, 1)
TILE_SCALER(scale_int16, BB_ACTIVATIONS_INT16, 0)
TILE_SCALER(scale_int16_with_zeros, BB_ACTIVATIONS_INT16, 1)
#undef TILE_SCALER

INLINE tile_scaler scaler_of(const bb_activation_format kind, const int has_zeros) {
  if (kind == BB_ACTIVATIONS_INT16) return has_zeros ? scale_int16_with_zeros : scale_int16;
  return has_zeros ? scale_int8_with_zeros : scale_int8;
}

// ---------------------------------------------------------------- both at once

// One step of a group of two tiles of tokens by two blocks; after each of its four products, some rows of the sums that wait are
// scaled: a unit for tiles and one for vectors work side by side, if their instructions are mixed so finely.
INLINE void mixed_step(const bb_activation_format kind, const int has_zeros, const int8_t *first, const int8_t *second,
                       size_t stride, const uint8_t *lines, size_t next_block, tile_cursor *at) {
  const int low = kind == BB_ACTIVATIONS_INT16;
  const size_t rows = low ? TILE_ROWS / 8 : TILE_ROWS / 4;
  tile_load(6, lines, 64);
  tile_load(4, first, stride);
  TILE_DOT(0, !has_zeros, 0, 4, 6);
  scale_rows(kind, has_zeros, 2, rows, at);
  tile_load(7, lines + next_block, 64);
  TILE_DOT(0, !has_zeros, 1, 4, 7);
  scale_rows(kind, has_zeros, 2, rows, at);
  tile_load(5, second, stride);
  TILE_DOT(low, !has_zeros, 2, 5, 6);
  scale_rows(kind, has_zeros, 2, rows, at);
  TILE_DOT(low, !has_zeros, 3, 5, 7);
  scale_rows(kind, has_zeros, 2, rows, at);
}

// A group of two steps, while the sums that wait, which are those of as much, are scaled.
INLINE void mixed_group(const bb_activation_format kind, const int has_zeros, const tile_call *c, const int8_t *first,
                        const int8_t *second, const uint8_t *lines, size_t next_block, tile_cursor *at) {
  const size_t stride = c->x->stride, step = c->step;
  tile_zero(0);
  tile_zero(1);
  tile_zero(2);
  tile_zero(3);
  mixed_step(kind, has_zeros, first, second, stride, lines, next_block, at);
  if (kind != BB_ACTIVATIONS_INT16) to_second_tile(at);
  mixed_step(kind, has_zeros, first + step, second + step, stride, lines + step * 16, next_block, at);
}

// Whether the sums that wait are those of two full tiles of tokens, or one with two bytes, by two full blocks.
INLINE int is_full(const bb_activation_format kind, const tile_sums *s) {
  return s->is_waiting && s->blocks == 2 && s->rows == TILE_ROWS && s->outputs == 0 &&
         (kind == BB_ACTIVATIONS_INT16 || s->tiles == 2);
}

// ---------------------------------------------------------------- blocks by tokens

// Some groups of two blocks, whose lines in 8 bits are given.
typedef struct {
  const uint8_t *lines;
  size_t next_block;           // bytes to those of the second block
  size_t block, first, count;  // the first block; the groups
  const uint8_t *ahead[2];     // lines of the next panel, of each block, or NULL
  size_t ahead_lines;
} tile_panel;

// `blocks` blocks by one or two tiles of tokens, whose first ones are given; `place` counts the tokens of the tiles before.
INLINE void tile_tokens(const bb_activation_format kind, const int has_zeros, const int lefts, const int blocks,
                        const tile_call *c, tile_sums *sums, const size_t token[2], size_t place, const tile_panel *panel) {
  static const float nothing[32];
  const bb_activations *x = c->x;
  const size_t input = panel->first * x->group, outputs = c->m->rows - panel->block * 16, apart = token[1] - token[0];
  const int8_t *first = (const int8_t *)x->values + token[0] * x->stride + input;
  const int8_t *second = first + (kind == BB_ACTIVATIONS_INT16 ? x->stride / 2 : apart * x->stride);
  const uint8_t *lines = panel->lines;
  float *const totals = c->totals + 32 * place, *const y = c->y + token[0] * c->ldy + panel->block * 16;
  const int is_whole = outputs >= 16 * (size_t)blocks;
  const tile_scaler scale = scaler_of(kind, has_zeros);
  const ptrdiff_t second_scales = (ptrdiff_t)(apart * x->groups) - TILE_ROWS * (ptrdiff_t)x->groups;
  tile_cursor at = sums->at;
  // The scales of a group whose sums wait stay in registers, if it is the one before and both are of two steps.
  int is_mixed = lefts == 2 && blocks == 2 && is_full(kind, sums) && group_width(c, panel->first) == 2 * c->step;
  if (is_mixed) load_scales(has_zeros, 2, c, sums->block, sums->group, &at);
  for (size_t g = panel->first; g < panel->first + panel->count; g++) {
    const int is_last = g + 1 == x->groups;
    // Scaling comes before the sums are stored: loads behind these stores would wait for them where addresses end alike.
    if (is_mixed) {
      mixed_group(kind, has_zeros, c, first, second, lines, panel->next_block, &at);
    } else {
      tile_group(kind, !has_zeros, lefts, blocks, first, second, x->stride, lines, panel->next_block, group_width(c, g), c->step);
      scale(c, sums);
    }
    store_group(lefts, blocks, sums->sums);
    at.sums = sums->sums;
    at.scales = x->scales + token[0] * x->groups + g;
    at.code_sums = x->sums + token[0] * x->groups + g;
    at.ld_scales = x->groups, at.second_scales = second_scales;
    at.from = g == 0 ? nothing : totals;
    at.ld_from = g == 0 ? 0 : 32, at.second_from = 0;
    at.to = is_last && is_whole ? y : totals;
    at.ld_to = is_last && is_whole ? c->ldy : 32;
    at.second_to = is_last && is_whole ? ((ptrdiff_t)apart - TILE_ROWS) * (ptrdiff_t)c->ldy : 0;
    is_mixed = lefts == 2 && blocks == 2 && is_whole && c->tile == TILE_ROWS && g + 1 < panel->first + panel->count &&
               group_width(c, g + 1) == 2 * c->step;
    if (is_mixed) {
      load_scales(has_zeros, 2, c, panel->block, g, &at);
    } else {
      sums->at = at;
      sums->block = panel->block, sums->group = g;
      sums->rows = c->tile, sums->outputs = is_last && !is_whole ? outputs : 0;
      sums->y[0] = y, sums->y[1] = y + apart * c->ldy;
      sums->tiles = kind == BB_ACTIVATIONS_INT16 ? 1 : lefts, sums->blocks = blocks, sums->is_waiting = 1;
    }
    first += x->group, second += x->group, lines += x->group * 16;
  }
}

// A panel of two blocks, or of one, by all tokens of a pass.
INLINE void tile_blocks(const bb_activation_format kind, const int has_zeros, const int blocks, const tile_call *c,
                        tile_sums *sums, const tile_panel *panel) {
  const size_t last = c->tokens - c->tile, step = kind == BB_ACTIVATIONS_INT16 ? TILE_ROWS : 2 * TILE_ROWS;
  const size_t some = (panel->ahead_lines * step + c->tokens - 1) / c->tokens;
  size_t ahead = 0;
  for (size_t place = 0; place < c->tokens; place += step) {
    // Memory is read while tiles are multiplied: what is copied next comes from the second-level cache.
    for (size_t end = ahead + some < panel->ahead_lines ? ahead + some : panel->ahead_lines; ahead < end; ahead++)
      for (int b = 0; b < 2 && panel->ahead[b]; b++) __builtin_prefetch(panel->ahead[b] + ahead * 64, 0, 2);
    // The last tile overlaps the one before, so that it is full.
    const size_t second = place + TILE_ROWS, token[2] = {place < last ? place : last, second < last ? second : last};
    if (kind == BB_ACTIVATIONS_INT16 || second < c->tokens)
      tile_tokens(kind, has_zeros, 2, blocks, c, sums, token, place, panel);
    else tile_tokens(kind, has_zeros, 1, blocks, c, sums, token, place, panel);
  }
}

// ---------------------------------------------------------------- calls

// Lines in 8 bits of `count` lines, with the zero taken from their codes where there is one for all.
INLINE void copy_lines(const bb_row_format format, const int has_zeros, int zero, const uint8_t *lines, size_t count,
                       uint8_t *bytes) {
  for (size_t i = 0; i < count; i++) {
    l16 low = l_load(lines + i * 64), high = low;
    __builtin_prefetch(lines + LINES_AHEAD * 64 + i * 64, 0, 2);
    if (format == BB_ROWS_INT4) {
      low = l_field(low, 0, 15), high = l_field(high, 4, 15);
      if (!has_zeros) low = l_less(low, zero), high = l_less(high, zero);
      l_store(bytes + i * 128, low);
      l_store(bytes + i * 128 + 64, high);
    } else {
      l_store(bytes + i * 64, has_zeros ? low : l_less(low, zero));
    }
  }
}

// The blocks [first, last) by the tokens of a pass, at c->x.
INLINE void tile_pass(const bb_row_format format, const bb_activation_format kind, const int has_zeros, tile_call c,
                      size_t first, size_t last) {
  const bb_matrix *m = c.m;
  const size_t stride = bb_block_bytes(format, m->inputs), per_line = bb_formats[format].line_inputs;
  const size_t half = (m->inputs / 64 | 1) * 64 + 64;
  const size_t several = PANEL_INPUTS / c.x->group, groups = several > 1 ? several : 1, own = groups * c.x->group * 16;
  _Alignas(64) uint8_t bytes[2 * own];
  _Alignas(64) int8_t halves[kind == BB_ACTIVATIONS_INT16 ? c.tokens * 2 * half : 1];
  _Alignas(64) float totals[(c.tokens + 2 * TILE_ROWS) * 32];
  tile_sums sums;
  bb_activations rows = *c.x;
  sums.is_waiting = 0;
  if (kind == BB_ACTIVATIONS_INT16) {
    for (size_t t = 0; t < c.tokens; t++)
      split_codes((const uint8_t *)rows.values + t * rows.stride, m->inputs, halves + t * 2 * half, half);
    rows.values = halves;
    rows.stride = 2 * half;
    c.x = &rows;
  }
  c.totals = totals;
  const tile_shapes shapes = tile_shapes_of(c.tile, c.step);
  tiles_configure(&shapes);
  for (size_t block = first; block < last; block += 2)
    for (size_t g = 0; g < rows.groups; g += groups) {
      const size_t count = rows.groups - g < groups ? rows.groups - g : groups, input = g * rows.group;
      const size_t left = m->inputs - input, inputs = left < count * rows.group ? left : count * rows.group;
      tile_panel panel = {bytes, inputs * 16, block, g, count, {NULL, NULL}, 0};
      const uint8_t *lines = m->lines + block * stride + input / per_line * 64;
      const size_t rest = left - inputs, after = rest > 0 ? 0 : 2;
      if (block + after < last) {
        const size_t next = rest > 0 ? rest : m->inputs, own_inputs = groups * rows.group;
        panel.ahead[0] = rest > 0 ? lines + inputs / per_line * 64 : m->lines + (block + 2) * stride;
        if (block + after + 1 < last) panel.ahead[1] = panel.ahead[0] + stride;
        panel.ahead_lines = (next < own_inputs ? next : own_inputs) / per_line;
      }
      copy_lines(format, has_zeros, (int)m->zero, lines, inputs / per_line, bytes);
      if (block + 1 < last)
        copy_lines(format, has_zeros, (int)m->zero, lines + stride, inputs / per_line, bytes + inputs * 16);
      if (block + 1 < last) tile_blocks(kind, has_zeros, 2, &c, &sums, &panel);
      else tile_blocks(kind, has_zeros, 1, &c, &sums, &panel);
    }
  tiles_release();
  scaler_of(kind, has_zeros)(&c, &sums);
}

// The inputs that a tile multiplies: as many as divide groups and rows; 0 where tiles do not fit.
INLINE size_t tile_inputs(const bb_matrix *m, const bb_activations *x) {
  const int has_one_zero = m->format == BB_ROWS_INT8 ? m->zero == 128 : m->zero >= 0 && m->zero <= 128;
  if (!m->zeros && !has_one_zero) return 0;
  for (size_t step = 64; step >= 32; step /= 2)
    if (m->inputs % step == 0 && (x->group % step == 0 || x->groups == 1)) return step;
  return 0;
}

INLINE void multiply_by_tiles(const bb_row_format format, const bb_activation_format kind, const bb_matrix *m,
                              const bb_activations *x, size_t tokens, float *y, size_t ldy, size_t first, size_t last) {
  const size_t step = tile_inputs(m, x);
  if (step == 0 || tokens < TILE_LEAST) return base_products[format][kind](m, x, tokens, y, ldy, first, last);
  const size_t bytes = m->inputs * (kind == BB_ACTIVATIONS_INT16 ? 2 : 1), cached = TILE_BYTES / bytes / 32 * 32;
  const size_t most = cached > 32 ? cached : 32, groups = (m->inputs + m->group - 1) / m->group;
  tile_call c = {.m = m, .groups = groups, .finer = m->group < m->inputs ? m->group / x->group : x->groups, .step = step,
                 .ldy = ldy};
  for (size_t token = 0; token < tokens; token += most) {
    bb_activations rows = *x;
    rows.values = (const uint8_t *)x->values + token * x->stride;
    rows.scales = x->scales + token * x->groups;
    rows.sums = x->sums + token * x->groups;
    c.x = &rows;
    c.y = y + token * ldy;
    c.tokens = tokens - token < most ? tokens - token : most;
    c.tile = c.tokens < TILE_ROWS ? c.tokens : TILE_ROWS;
    if (m->zeros) tile_pass(format, kind, 1, c, first, last);
    else tile_pass(format, kind, 0, c, first, last);
  }
}

#define TILE_PRODUCT(NAME, FORMAT, KIND)                                                                            static void NAME(const bb_matrix *m, const bb_activations *x, size_t tokens, float *y, size_t ldy, size_t first,                    size_t last) {                                                                                     multiply_by_tiles(FORMAT, KIND, m, x, tokens, y, ldy, first, last);                                             }
TILE_PRODUCT(tile_int8_by_int8, BB_ROWS_INT8, BB_ACTIVATIONS_INT8)
TILE_PRODUCT(tile_int4_by_int8, BB_ROWS_INT4, BB_ACTIVATIONS_INT8)
TILE_PRODUCT(tile_int8_by_int16, BB_ROWS_INT8, BB_ACTIVATIONS_INT16)
TILE_PRODUCT(tile_int4_by_int16, BB_ROWS_INT4, BB_ACTIVATIONS_INT16)
#undef TILE_PRODUCT
