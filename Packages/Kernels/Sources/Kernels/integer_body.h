// Integer weights times activations that are rounded to 8 bits, written once over 16 lanes of 32 bits. Each instruction
// set's file defines `l16` and its operations (see scalar.c for what they mean) and includes this after kernels_body.h.
//
// Sums of products inside a group of inputs are whole numbers and exact, so their order is free; groups are added in
// F32 one after the other, by fused multiply-adds. So all instruction sets, batch sizes and tilings agree bit for bit.

// ---------------------------------------------------------------- rounding activations to 8 bits

static void quantize(const float *x, size_t n, size_t group, int8_t *codes, float *scales, float *sums) {
  for (size_t start = 0, g = 0; start < n; start += group, g++) {
    const size_t end = start + group < n ? start + group : n;
    v16 highest = v_set(0), poison = v_set(0);
    for (size_t i = start; i < end; i += 16) {
      const v16 v = end - i < 16 ? load_first(x + i, end - i, 0) : v_load(x + i);
      highest = v_max(v_max(v, v_sub(v_set(0), v)), highest);
      poison = v_fma(v, v_set(0), poison);  // NaN once a value is NaN or infinite, else 0
    }
    float lanes[16], top = 0;
    v_store(lanes, highest);
    for (int i = 0; i < 16; i++)
      if (lanes[i] > top) top = lanes[i];
    scales[g] = top / 127.0f + v_sum(poison);
    const v16 factor = v_set(top > 0x1p-120f && top < INFINITY ? 127.0f / top : 0);
    v16 sum = v_set(0);
    for (size_t i = start; i < end; i += 16) {
      const v16 v = end - i < 16 ? load_first(x + i, end - i, 0) : v_load(x + i);
      const v16 code = v_round(v_max(v_min(v_mul(v, factor), v_set(127.0f)), v_set(-127.0f)));
      sum = v_add(sum, code);
      int8_t bytes[16];
      v_store_int8(bytes, code);
      memcpy(codes + i, bytes, end - i < 16 ? end - i : 16);
    }
    sums[g] = v_sum(sum);
  }
  // The last line of weights may reach beyond the end.
  for (size_t i = n; i < (n + 7) / 8 * 8; i++) codes[i] = 0;
}

// ---------------------------------------------------------------- weights times rounded activations

// Inputs that one pass takes: with INTEGER_TOKENS rows of activations and a panel of weights it fits the second-level cache.
enum { INTEGER_SLAB = 2048, INTEGER_TOKENS = 128 };

// The groups [first, last) of activations of one pass, and where the weights of their first input lie.
typedef struct {
  const uint8_t *lines;
  size_t stride;  // bytes from one block of rows to the next
  size_t first, last;
} integer_slab;

// Adds the slab's part to `tokens` x `blocks` outputs of 16 rows; format and counts are constants where this is inlined.
INLINE void integer_tile(const bb_row_format format, const int tokens, const int blocks, const bb_matrix *m,
                         const bb_activations *x, const integer_slab *slab, size_t token, float *y, size_t ldy,
                         size_t block) {
  const size_t per_line = format == BB_ROWS_INT4 ? 8 : 4;
  const size_t groups = (m->inputs + m->group - 1) / m->group;
  const uint8_t *line = slab->lines;
  const int8_t *codes = x->codes + token * x->stride + slab->first * x->group;
  v16 total[INTEGER_TILE_TOKENS][INTEGER_MAX_BLOCKS];
  for (int t = 0; t < tokens; t++)
    for (int b = 0; b < blocks; b++) {
      const size_t row = (block + b) * 16;
      const float *sum = y + (token + t) * ldy + row;
      if (slab->first == 0) total[t][b] = v_set(0);
      else total[t][b] = row + 16 <= m->rows ? v_load(sum) : load_first(sum, m->rows - row, 0);
    }
  for (size_t a = slab->first; a < slab->last; a++) {
    const float *scale = x->scales + token * x->groups + a, *sum = x->sums + token * x->groups + a;
    const size_t width = (a + 1) * x->group < m->inputs ? x->group : m->inputs - a * x->group;
    l16 dot[INTEGER_TILE_TOKENS][INTEGER_MAX_BLOCKS];
    for (int t = 0; t < tokens; t++) {
      const l16 start = l_set(m->zeros ? 0 : -(int32_t)m->zero * (int32_t)sum[t * x->groups]);
      for (int b = 0; b < blocks; b++) dot[t][b] = start;
    }
    for (size_t k = 0; k < width; k += per_line, line += 64, codes += per_line)
      for (int b = 0; b < blocks; b++) {
        const l16 w = l_load(line + b * slab->stride);
        for (int t = 0; t < tokens; t++) {
          const int8_t *c = codes + t * x->stride;
          if (format == BB_ROWS_INT4) {
            dot[t][b] = l_dot(dot[t][b], l_field(w, 0, 15), c);
            dot[t][b] = l_dot(dot[t][b], l_field(w, 4, 15), c + 4);
          } else {
            dot[t][b] = l_dot(dot[t][b], w, c);
          }
        }
      }
    for (int b = 0; b < blocks; b++) {
      const size_t at = ((block + b) * groups + a * x->group / m->group) * 16;
      const v16 weight = v_load_as(m->scales, m->scale_format, at);
      for (int t = 0; t < tokens; t++) {
        v16 whole = v_from_lanes(dot[t][b]);
        if (m->zeros)
          whole = v_fma(v_load(m->zeros + at), v_set(-sum[t * x->groups]), whole);
        total[t][b] = v_fma(v_mul(whole, v_set(scale[t * x->groups])), weight, total[t][b]);
      }
    }
  }
  for (int t = 0; t < tokens; t++)
    for (int b = 0; b < blocks; b++) {
      const size_t row = (block + b) * 16;
      float *out = y + (token + t) * ldy + row;
      if (row + 16 <= m->rows) v_store(out, total[t][b]);
      else store_first(out, total[t][b], m->rows - row);
    }
}

// All tokens [first, last) by a number of blocks.
INLINE void integer_rows(const bb_row_format format, const int blocks, const bb_matrix *m, const bb_activations *x,
                         const integer_slab *slab, size_t first, size_t last, float *y, size_t ldy, size_t block) {
  size_t t = first;
  for (; t + INTEGER_TILE_TOKENS <= last; t += INTEGER_TILE_TOKENS)
    integer_tile(format, INTEGER_TILE_TOKENS, blocks, m, x, slab, t, y, ldy, block);
  for (; t < last; t++) integer_tile(format, 1, blocks, m, x, slab, t, y, ldy, block);
}

// Lines of 4-bit codes as twice as many lines of bytes.
INLINE void unpack_lines(const uint8_t *lines, size_t count, uint8_t *bytes) {
  for (size_t i = 0; i < count; i++) {
    const l16 w = l_load(lines + i * 64);
    l_store(bytes + i * 128, l_field(w, 0, 15));
    l_store(bytes + i * 128 + 64, l_field(w, 4, 15));
  }
}

// One slab of `blocks` blocks by the tokens [first, last). With many tokens, 4-bit codes become bytes once for all.
INLINE void integer_panel(const bb_row_format format, const int blocks, const bb_matrix *m, const bb_activations *x,
                          const integer_slab *slab, size_t first, size_t last, float *y, size_t ldy, size_t block) {
  enum { PANEL_BYTES = INTEGER_SLAB * 16 };
  const size_t count = slab->last * x->group < m->inputs ? slab->last * x->group : m->inputs;
  const size_t lines = (count - slab->first * x->group + 7) / 8;
  if (format != BB_ROWS_INT4 || last - first < 2 * INTEGER_TILE_TOKENS || lines * 128 > PANEL_BYTES) {
    integer_rows(format, blocks, m, x, slab, first, last, y, ldy, block);
    return;
  }
  _Alignas(64) uint8_t bytes[INTEGER_MAX_BLOCKS * PANEL_BYTES];
  for (int b = 0; b < blocks; b++) unpack_lines(slab->lines + b * slab->stride, lines, bytes + b * PANEL_BYTES);
  const integer_slab panel = {bytes, PANEL_BYTES, slab->first, slab->last};
  // A last line of 4-bit codes may hold 8 inputs where only 4 lines of bytes are read; groups start at whole lines.
  integer_rows(BB_ROWS_INT8, blocks, m, x, &panel, first, last, y, ldy, block);
}

INLINE void multiply_integer_format(const bb_row_format format, const bb_matrix *m, const bb_activations *x,
                                    size_t tokens, float *y, size_t ldy, size_t first, size_t last) {
  const size_t per_line = format == BB_ROWS_INT4 ? 8 : 4;
  const size_t stride = (m->inputs + per_line - 1) / per_line * 64;
  const size_t step = x->group < INTEGER_SLAB ? INTEGER_SLAB / x->group : 1;
  for (size_t chunk = 0; chunk < tokens; chunk += INTEGER_TOKENS) {
    const size_t end = chunk + INTEGER_TOKENS < tokens ? chunk + INTEGER_TOKENS : tokens;
    for (size_t group = 0; group < x->groups; group += tokens == 1 ? x->groups : step) {
      const size_t past = tokens == 1 || group + step > x->groups ? x->groups : group + step;
      integer_slab slab = {m->lines + first * stride + group * x->group / per_line * 64, stride, group, past};
      size_t block = first;
      if (tokens == 1)
        for (; block + INTEGER_MAX_BLOCKS <= last; block += INTEGER_MAX_BLOCKS, slab.lines += INTEGER_MAX_BLOCKS * stride)
          integer_tile(format, 1, INTEGER_MAX_BLOCKS, m, x, &slab, 0, y, ldy, block);
      for (; block + INTEGER_TILE_BLOCKS <= last;
           block += INTEGER_TILE_BLOCKS, slab.lines += INTEGER_TILE_BLOCKS * stride)
        integer_panel(format, INTEGER_TILE_BLOCKS, m, x, &slab, chunk, end, y, ldy, block);
      for (; block < last; block++, slab.lines += stride)
        integer_panel(format, 1, m, x, &slab, chunk, end, y, ldy, block);
    }
  }
}

static void multiply_integer(const bb_matrix *m, const bb_activations *x, size_t tokens, float *y, size_t ldy,
                             size_t first, size_t last) {
  if (m->format == BB_ROWS_INT4) multiply_integer_format(BB_ROWS_INT4, m, x, tokens, y, ldy, first, last);
  else multiply_integer_format(BB_ROWS_INT8, m, x, tokens, y, ldy, first, last);
}
