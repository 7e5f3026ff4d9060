// Many tokens at a time: a panel of weights is decoded to floats once and multiplied with all tokens of a chunk while it
// lies in the first-level cache. Sums run in the order that `tile` keeps, so both give the same bits.

// A panel covers this many inputs at most; it never crosses a group.
enum { PANEL_INPUTS = 128 };

// Where the sums of a chunk stand between panels, in the order [token][block].
typedef struct {
  float chains[TOKEN_CHUNK][TILE_BLOCKS][2][16];  // of the group so far: even and odd inputs
  float totals[TOKEN_CHUNK][TILE_BLOCKS][16];     // of the groups before
} panel_sums;

// panel[k][block][16] = code - zero, or the float weights, of inputs [start, start + count).
INLINE void decode_panel(const bb_row_format format, const code_zeros zeros, const bb_matrix *m, const int blocks,
                         const uint8_t *lines, size_t stride, const v16 *zero, size_t start, size_t count, float *panel) {
  const size_t per_line = bb_formats[format].line_inputs, line_bytes = bb_formats[format].line_bytes;
  for (size_t k = 0; k < count; k += per_line)
    for (int b = 0; b < blocks; b++) {
      v16 w[8];
      decode_line(format, zeros, m, lines + b * stride + (start + k) / per_line * line_bytes, zero[b], w);
      for (size_t j = 0; j < per_line; j++) v_store(panel + ((k + j) * TILE_BLOCKS + b) * 16, w[j]);
    }
}

// Adds the products of one panel and `tokens` rows of x to the chains of their sums; both counts are constants where this
// is inlined.
INLINE void panel_tile(const int tokens, const int blocks, const float *panel, size_t count, const float *x,
                       size_t ldx, int fresh, float (*chains)[TILE_BLOCKS][2][16]) {
  v16 sum[PANEL_TOKENS][TILE_BLOCKS][2];
  for (int t = 0; t < tokens; t++)
    for (int b = 0; b < blocks; b++)
      for (int j = 0; j < 2; j++) sum[t][b][j] = fresh ? v_set(0) : v_load(chains[t][b][j]);
  size_t k = 0;
  for (; k + 2 <= count; k += 2)
    for (int j = 0; j < 2; j++) {
      v16 w[TILE_BLOCKS];
      for (int b = 0; b < blocks; b++) w[b] = v_load(panel + ((k + j) * TILE_BLOCKS + b) * 16);
      for (int t = 0; t < tokens; t++) {
        const v16 value = v_set(x[t * ldx + k + j]);
        for (int b = 0; b < blocks; b++) sum[t][b][j] = v_fma(w[b], value, sum[t][b][j]);
      }
    }
  if (k < count)
    for (int b = 0; b < blocks; b++)
      for (int t = 0; t < tokens; t++)
        sum[t][b][0] = v_fma(v_load(panel + (k * TILE_BLOCKS + b) * 16), v_set(x[t * ldx + k]), sum[t][b][0]);
  for (int t = 0; t < tokens; t++)
    for (int b = 0; b < blocks; b++)
      for (int j = 0; j < 2; j++) v_store(chains[t][b][j], sum[t][b][j]);
}

INLINE void panel_tiles(const int blocks, const float *panel, size_t count, const float *x, size_t ldx, size_t tokens,
                        int fresh, panel_sums *sums) {
  size_t t = 0;
  for (; t + PANEL_TOKENS <= tokens; t += PANEL_TOKENS)
    panel_tile(PANEL_TOKENS, blocks, panel, count, x + t * ldx, ldx, fresh, sums->chains + t);
  for (; t + PANEL_REST <= tokens; t += PANEL_REST)
    panel_tile(PANEL_REST, blocks, panel, count, x + t * ldx, ldx, fresh, sums->chains + t);
  for (; t < tokens; t++) panel_tile(1, blocks, panel, count, x + t * ldx, ldx, fresh, sums->chains + t);
}

// The outputs of `blocks` blocks for a chunk of at most TOKEN_CHUNK tokens.
INLINE void panel_chunk(const bb_row_format format, const code_zeros zeros, const int blocks, const bb_matrix *m,
                        const float *x, size_t ldx, size_t tokens, float *y, size_t ldy, size_t block) {
  const int integer = bb_formats[format].coded;
  const size_t inputs = m->inputs, group = integer && m->group < inputs ? m->group : inputs;
  const size_t groups = (inputs + group - 1) / group;
  const size_t stride = bb_block_bytes(format, inputs);
  const uint8_t *lines = m->lines + block * stride;
  _Alignas(64) float panel[PANEL_INPUTS * TILE_BLOCKS * 16];
  _Alignas(64) panel_sums sums;

  for (size_t g = 0; g < groups; g++) {
    v16 zero[TILE_BLOCKS];
    for (int b = 0; b < blocks; b++)
      zero[b] = integer && m->zeros ? v_load(m->zeros + ((block + b) * groups + g) * 16) : v_set(m->zero);
    const size_t start = g * group, end = start + group < inputs ? start + group : inputs;
    for (size_t k = start; k < end; k += PANEL_INPUTS) {
      const size_t count = end - k < PANEL_INPUTS ? end - k : PANEL_INPUTS;
      decode_panel(format, zeros, m, blocks, lines, stride, zero, k, count, panel);
      panel_tiles(blocks, panel, count, x + k, ldx, tokens, k == start, &sums);
    }
    for (int b = 0; b < blocks; b++) {
      const v16 scale = integer ? v_load_as(m->scales, m->scale_format, ((block + b) * groups + g) * 16) : v_set(1);
      for (size_t t = 0; t < tokens; t++) {
        const v16 sum = v_add(v_load(sums.chains[t][b][0]), v_load(sums.chains[t][b][1]));
        const v16 before = g == 0 ? v_set(0) : v_load(sums.totals[t][b]);
        v_store(sums.totals[t][b], integer ? v_fma(sum, scale, before) : sum);
      }
    }
  }
  for (size_t t = 0; t < tokens; t++)
    for (int b = 0; b < blocks; b++) {
      const size_t row = (block + b) * 16, rest = m->rows - row;
      memcpy(y + t * ldy + row, sums.totals[t][b], (rest < 16 ? rest : 16) * sizeof(float));
    }
}
