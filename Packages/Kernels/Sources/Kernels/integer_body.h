// Integer weights times activations that are rounded to 8 bits, written once over 16 lanes of 32 bits. Each instruction
// set's file defines `l16` and its operations (see scalar.c for what they mean) and includes this after kernels_body.h.
//
// Sums of products inside a group of inputs are whole numbers and exact, so their order is free; groups are added in
// F32 one after the other, by fused multiply-adds. So all instruction sets, batch sizes and tilings agree bit for bit.

// ---------------------------------------------------------------- rounding activations to 8 bits

// The highest magnitude so far; and NaN once a value is NaN or infinite, else 0.
INLINE void look_at(v16 v, v16 *highest, v16 *poison) {
  *highest = v_max(v_magnitude(v), *highest);  // a number: v_max passes over what is none
  *poison = v_fma(v, v_set(0), *poison);
}

// Groups of `width` inputs, one beside the other: as many as the constant `count`, at most 4.
INLINE void quantize_groups(const int count, const float *x, size_t width, int8_t *codes, float *scales, int32_t *sums) {
  v16 highest[4], poison[4], factor[4], total[4];
  l16 sum[4];
  float top[4], none[4], whole[4];
  size_t i = 0;
  for (int g = 0; g < count; g++) {
    highest[g] = poison[g] = v_set(0);
    sum[g] = no_numbers(width);
  }
  for (; i + 16 <= width; i += 16)
    for (int g = 0; g < count; g++) look_at(v_load(x + g * width + i), &highest[g], &poison[g]);
  for (int g = 0; i < width && g < count; g++)
    look_at(load_first(x + g * width + i, width - i, 0), &highest[g], &poison[g]);
  v_highest_rows(count, highest, top);
  v_sum_rows(count, poison, none);
  for (int g = 0; g < count; g++) {
    scales[g] = top[g] / 127.0f + none[g];
    factor[g] = v_set(top[g] > 0x1p-120f && top[g] < INFINITY ? 127.0f / top[g] : 0);
  }
  for (i = 0; i + 16 <= width; i += 16)
    for (int g = 0; g < count; g++) {
      const l16 code = counted(v_load(x + g * width + i), factor[g]);
      sum[g] = l_add(sum[g], code);
      l_store_bytes(codes + g * width + i, code);
    }
  for (int g = 0; i < width && g < count; g++) {
    const l16 code = counted(load_first(x + g * width + i, width - i, 0), factor[g]);
    sum[g] = l_add(sum[g], code);
    int8_t bytes[16];
    l_store_bytes(bytes, code);
    memcpy(codes + g * width + i, bytes, width - i);
  }
  for (int g = 0; g < count; g++) total[g] = v_from_lanes(sum[g]);
  v_sum_rows(count, total, whole);
  for (int g = 0; g < count; g++) sums[g] = (int32_t)whole[g];
}

static void quantize(const float *x, size_t n, size_t group, int8_t *codes, float *scales, int32_t *sums) {
  size_t start = 0, g = 0;
  // Four at a time, whose steps do not wait for one another.
  for (; n - start >= 4 * group; start += 4 * group, g += 4)
    quantize_groups(4, x + start, group, codes + start, scales + g, sums + g);
  for (; start < n; start += group, g++)
    quantize_groups(1, x + start, group < n - start ? group : n - start, codes + start, scales + g, sums + g);
  // The last line of weights may reach beyond the end.
  for (size_t i = n; i < (n + 7) / 8 * 8; i++) codes[i] = 0;
}

// ---------------------------------------------------------------- weights times rounded activations

// A panel of some blocks of rows takes the tokens of one pass, slab by slab of inputs: a slab of weights stays in the
// first-level cache for all of them, and so do the sums of a tile.
enum { INTEGER_SLAB = 512, SLAB_GROUPS = 64, INTEGER_TOKENS = 128 };

// The groups [first, last) of activations, and the weights that they are multiplied with.
typedef struct {
  const uint8_t *lines;  // of the first group
  size_t stride;         // bytes from one block of rows to the next
  const float *scales;   // [blocks][SLAB_GROUPS][16], a group's scale for each of its groups of activations
  const float *zeros;    // likewise
  size_t first, last;
  const uint8_t *ahead;  // the weights after these, which are asked for meanwhile
  float *y;              // with the last slab: where the products go, lines that are asked for meanwhile too
  size_t ldy;
} integer_slab;

// Adds the slab's part to sums [tokens][blocks][16], for tokens from `token` on, which are the ones from `part` on of the
// `parts` that share the slab; format, whether there are zeros, and counts are constants where this is inlined.
INLINE void integer_tile(const bb_row_format format, const int has_zeros, const int tokens, const int blocks,
                         const bb_matrix *m, const bb_activations *x, const integer_slab *slab, size_t token,
                         size_t part, size_t parts, float *sums) {
  const size_t per_line = format == BB_ROWS_INT4 ? 8 : 4;
  const uint8_t *line = slab->lines;
  const int8_t *codes = x->codes + token * x->stride + slab->first * x->group;
  const size_t at = token * x->groups + slab->first;
  const float *scale = x->scales + at;
  const int32_t *sum = x->sums + at;
  const int32_t zero = has_zeros ? 0 : (int32_t)m->zero;
  v16 total[INTEGER_TILE_TOKENS][INTEGER_TILE_BLOCKS];
  for (int t = 0; t < tokens; t++)
    for (int b = 0; b < blocks; b++)
      total[t][b] = slab->first == 0 ? v_set(0) : v_load(sums + (t * blocks + b) * 16);
  for (int t = 0; slab->y && parts > 1 && t < tokens; t++)
    for (int b = 0; b < blocks; b++) __builtin_prefetch(slab->y + (part + t) * slab->ldy + b * 16, 1, 2);
  size_t left = m->inputs - slab->first * x->group;
  for (size_t g = 0; g < slab->last - slab->first; g++, left -= x->group) {
    const size_t width = x->group < left ? x->group : left;
    l16 dot[INTEGER_TILE_TOKENS][INTEGER_TILE_BLOCKS];
    // One token alone reads on so fast that the processor foresees it.
    const size_t count = parts > 1 ? width / per_line : 0;
    for (size_t i = count * part / parts; i < count * (part + tokens) / parts; i++)
      for (int b = 0; b < blocks; b++) __builtin_prefetch(slab->ahead + b * slab->stride + (g * count + i) * 64, 0, 2);
    for (int t = 0; t < tokens; t++)
      for (int b = 0; b < blocks; b++) dot[t][b] = l_set(-zero * sum[t * x->groups + g]);
    l16 second = l_set(0);  // a sum of its own for the second half of each line, where a single sum would wait for itself
    for (size_t k = 0; k < width; k += per_line, line += 64, codes += per_line)
      for (int b = 0; b < blocks; b++) {
        const l16 w = l_load(line + b * slab->stride);
        for (int t = 0; t < tokens; t++) {
          const int8_t *c = codes + t * x->stride;
          if (format == BB_ROWS_INT4) {
            dot[t][b] = l_dot(dot[t][b], l_field(w, 0, 15), c);
            l16 *rest = tokens * blocks == 1 ? &second : &dot[t][b];
            *rest = l_dot(*rest, l_field(w, 4, 15), c + 4);
          } else {
            dot[t][b] = l_dot(dot[t][b], w, c);
          }
        }
      }
    if (tokens * blocks == 1) dot[0][0] = l_add(dot[0][0], second);
    for (int b = 0; b < blocks; b++) {
      const v16 weight = v_load(slab->scales + (b * SLAB_GROUPS + g) * 16);
      for (int t = 0; t < tokens; t++) {
        v16 whole = v_from_lanes(dot[t][b]);
        if (has_zeros) {
          const v16 zeros = v_load(slab->zeros + (b * SLAB_GROUPS + g) * 16);
          whole = v_fma(zeros, v_set((float)-sum[t * x->groups + g]), whole);
        }
        total[t][b] = v_fma(v_mul(whole, v_set(scale[t * x->groups + g])), weight, total[t][b]);
      }
    }
  }
  for (int t = 0; t < tokens; t++)
    for (int b = 0; b < blocks; b++) v_store(sums + (t * blocks + b) * 16, total[t][b]);
}

// Lines of 4-bit codes as twice as many lines of bytes.
INLINE void unpack_lines(const uint8_t *lines, size_t count, uint8_t *bytes) {
  for (size_t i = 0; i < count; i++) {
    const l16 w = l_load(lines + i * 64);
    l_store(bytes + i * 128, l_field(w, 0, 15));
    l_store(bytes + i * 128 + 64, l_field(w, 4, 15));
  }
}

// The slab's tiles: sums [tokens][blocks][16].
INLINE void integer_tiles(const bb_row_format format, const int has_zeros, const int blocks, const bb_matrix *m,
                          const bb_activations *x, const integer_slab *slab, size_t first, size_t tokens, float *sums) {
  size_t t = 0;
  for (; t + INTEGER_TILE_TOKENS <= tokens; t += INTEGER_TILE_TOKENS)
    integer_tile(format, has_zeros, INTEGER_TILE_TOKENS, blocks, m, x, slab, first + t, t, tokens, sums + t * blocks * 16);
  for (; t < tokens; t++) integer_tile(format, has_zeros, 1, blocks, m, x, slab, first + t, t, tokens, sums + t * blocks * 16);
}

// `blocks` blocks of rows from `block` on by at most INTEGER_TOKENS tokens from `first` on. With INTEGER_UNPACK and many
// tokens, 4-bit codes become bytes once for all.
INLINE void integer_panel(const bb_row_format format, const int has_zeros, const int blocks, const bb_matrix *m,
                          const bb_activations *x, size_t first, size_t tokens, float *y, size_t ldy, size_t block) {
  const size_t per_line = bb_inputs_per_line(format), stride = (m->inputs + per_line - 1) / per_line * 64;
  const size_t groups = (m->inputs + m->group - 1) / m->group, finer = m->group < m->inputs ? m->group / x->group : x->groups;
  const size_t most = INTEGER_SLAB / x->group, step = most < 1 ? 1 : most < SLAB_GROUPS ? most : SLAB_GROUPS;
  const int unpack = INTEGER_UNPACK && format == BB_ROWS_INT4 && tokens >= 2 * INTEGER_TILE_TOKENS &&
                     step * x->group <= INTEGER_SLAB;
  _Alignas(64) float sums[INTEGER_TOKENS * INTEGER_TILE_BLOCKS * 16];
  _Alignas(64) float scales[INTEGER_TILE_BLOCKS * SLAB_GROUPS * 16], zeros[INTEGER_TILE_BLOCKS * SLAB_GROUPS * 16];
  _Alignas(64) uint8_t bytes[INTEGER_TILE_BLOCKS * INTEGER_SLAB * 16];
  for (size_t group = 0; group < x->groups; group += step) {
    const size_t last = group + step < x->groups ? group + step : x->groups;
    const uint8_t *panel = m->lines + block * stride, *ahead = panel + blocks * stride;
    if (last < x->groups) ahead = panel + last * x->group / per_line * 64;
    integer_slab slab = {panel + group * x->group / per_line * 64, stride, scales, zeros, group, last, ahead,
                         last == x->groups ? y + first * ldy + block * 16 : NULL, ldy};
    for (int b = 0; b < blocks; b++)
      for (size_t g = group; g < last; g++) {
        const size_t from = ((block + b) * groups + g / finer) * 16, to = (b * SLAB_GROUPS + g - group) * 16;
        v_store(scales + to, v_load_as(m->scales, m->scale_format, from));
        if (has_zeros) v_store(zeros + to, v_load(m->zeros + from));
      }
    if (!unpack) {
      integer_tiles(format, has_zeros, blocks, m, x, &slab, first, tokens, sums);
      continue;
    }
    const size_t end = last * x->group < m->inputs ? last * x->group : m->inputs;
    // A last line of 4-bit codes may hold 8 inputs where only 4 lines of bytes are read; groups start at whole lines.
    for (int b = 0; b < blocks; b++)
      unpack_lines(slab.lines + b * stride, (end - group * x->group + 7) / 8, bytes + b * INTEGER_SLAB * 16);
    slab.lines = bytes;
    slab.stride = INTEGER_SLAB * 16;
    integer_tiles(BB_ROWS_INT8, has_zeros, blocks, m, x, &slab, first, tokens, sums);
  }
  for (size_t t = 0; t < tokens; t++)
    for (int b = 0; b < blocks; b++) {
      const size_t row = (block + b) * 16;
      float *out = y + (first + t) * ldy + row;
      const v16 sum = v_load(sums + (t * blocks + b) * 16);
      if (row + 16 <= m->rows) v_store(out, sum);
      else store_first(out, sum, m->rows - row);
    }
}

INLINE void multiply_integer_as(const bb_row_format format, const int has_zeros, const bb_matrix *m,
                                const bb_activations *x, size_t tokens, float *y, size_t ldy, size_t first, size_t last) {
  for (size_t token = 0; token < tokens; token += INTEGER_TOKENS) {
    const size_t some = tokens - token < INTEGER_TOKENS ? tokens - token : INTEGER_TOKENS;
    size_t block = first;
    for (; tokens == 1 && block < last; block++) integer_panel(format, has_zeros, 1, m, x, 0, 1, y, ldy, block);
    for (; block + INTEGER_TILE_BLOCKS <= last; block += INTEGER_TILE_BLOCKS)
      integer_panel(format, has_zeros, INTEGER_TILE_BLOCKS, m, x, token, some, y, ldy, block);
    for (; INTEGER_TILE_BLOCKS > 2 && block + 2 <= last; block += 2)
      integer_panel(format, has_zeros, 2, m, x, token, some, y, ldy, block);
    for (; block < last; block++) integer_panel(format, has_zeros, 1, m, x, token, some, y, ldy, block);
  }
}

static void multiply_integer(const bb_matrix *m, const bb_activations *x, size_t tokens, float *y, size_t ldy,
                             size_t first, size_t last) {
  const int zeros = m->zeros != NULL, int4 = m->format == BB_ROWS_INT4;
  if (int4 && zeros) multiply_integer_as(BB_ROWS_INT4, 1, m, x, tokens, y, ldy, first, last);
  else if (int4) multiply_integer_as(BB_ROWS_INT4, 0, m, x, tokens, y, ldy, first, last);
  else if (zeros) multiply_integer_as(BB_ROWS_INT8, 1, m, x, tokens, y, ldy, first, last);
  else multiply_integer_as(BB_ROWS_INT8, 0, m, x, tokens, y, ldy, first, last);
}
