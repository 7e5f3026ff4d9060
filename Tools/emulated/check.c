// Compares kernels with their scalar twins, bit for bit: `check SET...`, each of these instruction sets. Built and run under an
// emulator by arm.sh and x86.sh.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bb_kernels.h"

static uint32_t state = 1;
static uint32_t random_bits(void) {
  state = state * 1664525u + 1013904223u;
  return state >> 8;
}
static float random_float(void) { return (float)random_bits() / (1 << 23) - 1.0f; }

enum { ROOM = 1 << 14 };
static float in[4][ROOM], out[2][ROOM];
static int failures, comparisons;
#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof *(ARRAY))

static const bb_kernel_table *tables[2];

static void compare(const char *what, size_t size) {
  comparisons++;
  if (memcmp(out[0], out[1], sizeof out[0]) == 0) return;
  failures++;
  if (failures < 20) printf("%s, size %zu: %s differs from scalar\n", what, size, bb_isa_name(tables[1]->isa));
}

// Runs STATEMENT with `k` and `y` set to each table and its output, which begins as a copy of in[0].
#define BOTH(WHAT, SIZE, STATEMENT)                  \
  do {                                               \
    for (int which = 0; which < 2; which++) {        \
      const bb_kernel_table *k = tables[which];      \
      float *y = out[which];                         \
      memcpy(y, in[0], sizeof in[0]);                \
      STATEMENT;                                     \
    }                                                \
    compare(WHAT, SIZE);                             \
  } while (0)

static void check_elementwise(size_t n) {
  const float *x = in[1], *w = in[2];
  BOTH("rms_norm", n, k->rms_norm(x, w, 1e-6f, n, y));
  BOTH("rotate", n, k->rotate(y, x, w, n));
  BOTH("silu_multiply", n, k->silu_multiply(x, w, y, n));
  BOTH("add", n, k->add(y, x, n));
  BOTH("add_scaled", n, k->add_scaled(y, x, 0.3f, n));
  BOTH("divide", n, k->divide(x, 3.7f, n, y));
  BOTH("exp_sum", n, y[ROOM - 1] = k->exp_sum(x, 0.5f, y, n));
  BOTH("highest", n, y[0] = k->highest(x, n));
  BOTH("first_above", n, y[0] = (float)k->first_above(x, n / 3, n, 19.0f));
  for (int f = BB_F32; f <= BB_BF16; f++) {
    static uint8_t narrow[ROOM * 4];
    BOTH("narrow and widen", n, (k->narrow(x, f, narrow, n), k->widen(narrow, f, y, n)));
  }
}

static void check_hadamard(size_t n) {
  BOTH("hadamard", n, (memcpy(y, in[1], n * sizeof *y), k->hadamard(y, n)));
}

// A page of one head in a format; entries, scales and offsets have room for 64 x 256 floats each.
static bb_kv_block page_of(bb_kv_format format, bb_kv_axis axis, size_t group, bb_kv_scheme scheme, int is_keys, size_t d) {
  static uint8_t room[2][3][64 * 256 * 4], floats[2][64 * 256 * 4];
  uint8_t(*part)[sizeof room[0][0]] = room[is_keys];
  memset(part, 0, sizeof room[0]);
  memset(floats, 0, sizeof floats);
  const int is_coded = format >= BB_KV_INT8, has_offsets = scheme == BB_KV_ASYMMETRIC || scheme == BB_KV_HQQ;
  uint8_t *keys = is_coded || !is_keys ? floats[1] : part[0], *values = is_coded || is_keys ? floats[0] : part[0];
  for (size_t slot = 0; slot < BB_PAGE; slot++)
    bb_page_store(is_coded ? BB_F32 : (bb_float_format)format, in[2] + slot * d, in[3] + slot * d, d, slot, keys, values);
  const bb_kv_block to = {.format = format, .scale_format = BB_F16, .axis = axis, .group = group, .entries = part[0],
                          .scales = part[1], .offsets = has_offsets ? part[2] : NULL};
  const bb_kv_block from = {.format = BB_KV_F32, .scale_format = BB_F32, .group = group, .entries = is_keys ? keys : values,
                            .scales = NULL, .offsets = NULL};
  if (!is_coded) return to;
  for (int which = 0; which < 2; which++) {
    const bb_kernel_table *k = tables[which];
    memset(part, 0, sizeof room[0]);
    (is_keys ? k->encode_keys : k->encode_values)(&from, d, 0, BB_PAGE, scheme, &to);
    memset(out[which], 0, sizeof out[which]);
    for (size_t slot = 0; slot < BB_PAGE; slot++)
      (is_keys ? bb_page_read_key : bb_page_read_value)(&to, d, slot, out[which] + slot * d);
  }
  compare("encode", d);
  return to;
}

static void check_attention(bb_kv_format format, bb_kv_axis axis, size_t group, bb_kv_scheme scheme, size_t heads, size_t d) {
  const bb_kv_block keys = page_of(format, axis, group, scheme, 1, d);
  const bb_kv_block values = page_of(format, BB_KV_ALONG_COMPONENTS, group, scheme, 0, d);
  const size_t stride = (d + 15) / 16 * 16 + 16, ranges[][2] = {{0, 64}, {0, 17}, {31, 64}};
  for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
    const bb_kv_piece piece = {.keys = keys, .values = values, .first = ranges[r][0], .last = ranges[r][1],
                                .seen = (ptrdiff_t)ranges[r][1]};
    const bb_kv_piece pieces[] = {piece, piece};
    BOTH("attend", d, {
      memset(y, 0, heads * stride * sizeof *y);
      for (size_t h = 0; h < heads; h++) y[h * stride + stride - 16] = -3.0f;
      k->attend(in[1], 1, heads, d, pieces, 2, 0, 1, 0.1f, BB_ATTEND_EXACT, y);
    });
    BOTH("attend in 8 bits", d, {
      memset(y, 0, heads * stride * sizeof *y);
      for (size_t h = 0; h < heads; h++) y[h * stride + stride - 16] = -3.0f;
      k->attend(in[1], 1, heads, d, pieces, 2, 0, 1, 0.1f, BB_ATTEND_INT8, y);
    });
    BOTH("attend in pairs", d, {
      memset(y, 0, heads * stride * sizeof *y);
      for (size_t h = 0; h < heads; h++) y[h * stride + stride - 16] = -3.0f;
      k->attend(in[1], 1, heads, d, pieces, 2, 0, 1, 0.1f, BB_ATTEND_BF16, y);
    });
  }
  BOTH("key_scores", d, k->key_scores(in[1], heads, d, &keys, y));
}

static int is_integer(bb_row_format format) { return format == BB_ROWS_INT8 || format == BB_ROWS_INT4; }

static void check_multiply(bb_row_format format, size_t rows, size_t inputs, size_t group, size_t tokens,
                           int has_zeros) {
  const size_t blocks = (rows + 15) / 16;
  const size_t groups = (inputs + group - 1) / group;
  const size_t bytes = bb_block_bytes(format, inputs);
  uint8_t *lines = calloc(blocks, bytes), codes[16 * 512], scales[ROOM];
  for (size_t b = 0; b < blocks; b++) {
    for (size_t i = 0; i < sizeof codes; i++) codes[i] = (uint8_t)(random_bits() & (format == BB_ROWS_INT4 ? 15 : 255));
    const size_t held = rows - b * 16 < 16 ? rows - b * 16 : 16;
    if (bb_format_of(format)->coded) bb_format_of(format)->pack(codes, held, inputs, lines + b * bytes);
    else {
      static uint8_t row[16 * 512 * 4];
      tables[0]->narrow(in[3], format == BB_ROWS_F32 ? BB_F32 : format == BB_ROWS_F16 ? BB_F16 : BB_BF16, row, 16 * inputs);
      bb_format_of(format)->pack(row, held, inputs, lines + b * bytes);
    }
  }
  tables[0]->narrow(in[2], BB_F16, scales, blocks * groups * 16);
  const bb_matrix m = {.format = format, .rows = rows, .inputs = inputs, .group = group, .lines = lines, .scales = scales,
                       .scale_format = BB_F16,
                       .zeros = has_zeros ? in[2] : NULL, .zero = format == BB_ROWS_INT4 ? 8 : 128};
  const bb_activations floats = bb_floats(in[1], inputs);
  BOTH("multiply", inputs, bb_multiply(k, &m, &floats, tokens, y, rows, 0, blocks));
  if (format == BB_ROWS_BF16 || (format == BB_ROWS_FLOAT8 && group >= inputs)) {
    static uint16_t rounded[ROOM];
    const size_t stride = inputs + inputs % 2;
    memset(rounded, 0, sizeof rounded);
    for (size_t t = 0; t < tokens; t++)
      tables[0]->narrow(in[1] + t * inputs, BB_BF16, rounded + t * stride, inputs);
    const bb_activations x = {.format = BB_ACTIVATIONS_BF16, .values = rounded, .stride = stride * 2, .scales = in[2]};
    BOTH("by BF16", inputs, bb_multiply(k, &m, &x, tokens, y, rows, 0, blocks));
  }
  if (is_integer(format)) {
    const size_t span = bb_activation_group(group, inputs), spans = (inputs + span - 1) / span, stride = 256;
    static int8_t rounded[ROOM];
    float *scale = in[3];
    int32_t *sum = (int32_t *)(in[3] + ROOM / 2);
    BOTH("quantize", inputs, {
      k->quantize(in[1], inputs, span, (int8_t *)y, y + ROOM / 4, (int32_t *)(y + ROOM / 2));
    });
    for (size_t t = 0; t < tokens; t++)
      tables[0]->quantize(in[1] + t * inputs, inputs, span, rounded + t * stride, scale + t * spans, sum + t * spans);
    const bb_activations x = {.format = BB_ACTIVATIONS_INT8, .values = rounded, .stride = stride, .group = span,
                              .groups = spans, .scales = scale, .sums = sum};
    BOTH("by 8 bits", inputs, bb_multiply(k, &m, &x, tokens, y, rows, 0, blocks));
    static int16_t words[ROOM];
    BOTH("quantize16", inputs, {
      k->quantize16(in[1], inputs, span, (int16_t *)y, y + ROOM / 4, (int32_t *)(y + ROOM / 2));
    });
    for (size_t t = 0; t < tokens; t++)
      tables[0]->quantize16(in[1] + t * inputs, inputs, span, words + t * stride, scale + t * spans, sum + t * spans);
    const bb_activations wide = {.format = BB_ACTIVATIONS_INT16, .values = words, .stride = stride * 2, .group = span,
                                 .groups = spans, .scales = scale, .sums = sum};
    BOTH("by 16 bits", inputs, bb_multiply(k, &m, &wide, tokens, y, rows, 0, blocks));
  }
  free(lines);
}

// All kernels of tables[1].
static void check_set(void) {
  const size_t sizes[] = {1, 15, 16, 17, 64, 100, 1000}, tokens[] = {1, 2, 3, 5, 7, 8, 11, 13, 16, 19, 33};
  for (size_t i = 0; i < COUNT(sizes); i++) check_elementwise(sizes[i]);
  for (int format = 0; format < BB_ROWS_COUNT; format++)
    for (size_t t = 0; t < COUNT(tokens); t++)
      for (size_t inputs = 60; inputs <= 256; inputs += 49)
        for (int has_zeros = 0; has_zeros <= is_integer(format); has_zeros++)
          check_multiply(format, 40, inputs, format == BB_ROWS_FLOAT8 ? inputs : 64, tokens[t], has_zeros);
  for (size_t n = 1; n <= 256; n *= 2) check_hadamard(n);
  for (size_t d = 32; d <= 80; d += 48)
    for (size_t heads = 1; heads <= 9; heads += heads < 3 ? 2 : 6)
      for (int format = 0; format < BB_KV_COUNT; format++)
        for (int scheme = BB_KV_ASYMMETRIC; scheme <= BB_KV_HQQ; scheme++)
          for (size_t group = 32; group <= 128; group *= 2)
            for (int axis = group <= 64 ? BB_KV_ALONG_TOKENS : BB_KV_ALONG_COMPONENTS; axis <= BB_KV_ALONG_COMPONENTS; axis++)
              check_attention(format, axis, group, scheme, heads, d);
}

static const bb_kernel_table *table_named(const char *name) {
  for (int isa = 0; isa < BB_ISA_COUNT; isa++)
    if (strcmp(name, bb_isa_name(isa)) == 0) return bb_kernels_for(isa);
  return NULL;
}

int main(int count, char **names) {
  tables[0] = bb_kernels_for(BB_ISA_SCALAR);
  for (int a = 0; a < 4; a++)
    for (size_t i = 0; i < ROOM; i++) in[a][i] = random_float() * (a == 1 ? 20.0f : 1.0f);
  for (int i = 1; i < count; i++) {
    tables[1] = table_named(names[i]);
    if (!tables[1]) {
      printf("%s is not there\n", names[i]);
      return 1;
    }
    comparisons = failures = 0;
    check_set();
    printf("%s: %d comparisons, %d differences\n", names[i], comparisons, failures);
    if (failures > 0) return 1;
  }
  return 0;
}
