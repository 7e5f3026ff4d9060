// The speed of the products of one matrix on one thread in one run: with activations as they are, and quantized in each way that
// the kernels know for the weights' format.
//
//   cd Packages/Kernels/Sources/Kernels && clang -O2 -Iinclude ../../../../Tools/bench/kernels/multiply.c *.c -lm -lpthread -o /tmp/multiply && /tmp/multiply
//
// Times are of the thread's processor time, the best of six, so that other work on the machine disturbs little.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bb_kernels.h"

enum { ROWS = 6144, INPUTS = 1024, GROUP = 128, MAX_TOKENS = 256, GROUPS = INPUTS / GROUP, STRIDE = INPUTS + 64 };

static uint8_t lines[ROWS * INPUTS * 2] __attribute__((aligned(64)));
static float scales[ROWS * GROUPS], x[MAX_TOKENS * INPUTS], y[MAX_TOKENS * ROWS];
static int16_t codes[MAX_TOKENS * STRIDE];  // of 8 or 16 bits, or BF16
static float code_scales[MAX_TOKENS * GROUPS];
static int32_t code_sums[MAX_TOKENS * GROUPS];

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Quantizes the activations and multiplies them, `times` times; returns the seconds that quantizing took.
static double quantized_product(const bb_kernel_table *k, const bb_matrix *m, bb_activation_format format, size_t tokens,
                                int times) {
  const size_t bytes = format == BB_ACTIVATIONS_INT8 ? 1 : 2;
  const bb_activations a = {.format = format, .values = codes, .stride = STRIDE * bytes,
                            .group = GROUP, .groups = GROUPS, .scales = code_scales, .sums = code_sums};
  const double start = seconds();
  for (int i = 0; i < times; i++)
    for (size_t t = 0; t < tokens; t++) {
      const float *row = x + t * INPUTS;
      float *const scale = code_scales + t * GROUPS;
      int32_t *const sum = code_sums + t * GROUPS;
      if (format == BB_ACTIVATIONS_BF16 || format == BB_ACTIVATIONS_BF16_CHAINS) k->narrow(row, BB_BF16, codes + t * STRIDE, INPUTS);
      if (format == BB_ACTIVATIONS_INT8) k->quantize(row, INPUTS, GROUP, (int8_t *)codes + t * STRIDE, scale, sum);
      if (format == BB_ACTIVATIONS_INT16) k->quantize16(row, INPUTS, GROUP, codes + t * STRIDE, scale, sum);
    }
  const double quantizing = seconds() - start;
  for (int i = 0; i < times; i++) bb_multiply(k, m, &a, tokens, y, ROWS, 0, ROWS / 16);
  return quantizing;
}

static void measure(const bb_kernel_table *k, bb_row_format format, bb_activation_format activations, size_t tokens) {
  if (activations == BB_ACTIVATIONS_F32 || !bb_has_product(k, format, activations)) return;
  const int is_float8 = format == BB_ROWS_FLOAT8;
  const bb_matrix m = {.format = format, .rows = ROWS, .inputs = INPUTS, .group = is_float8 ? INPUTS : GROUP, .lines = lines,
                       .scales = (const uint8_t *)scales, .scale_format = BB_F32,
                       .zero = is_float8 ? 0 : format == BB_ROWS_INT4 ? 8 : 128};
  const int times = tokens > 16 ? 2 : tokens > 1 ? 8 : 30;
  double exact = 1e9, quantized = 1e9, quantizing = 1e9;
  for (int repetition = 0; repetition < 6; repetition++) {
    const double start = seconds();
    const bb_activations floats = bb_floats(x, INPUTS);
    for (int i = 0; i < times; i++) bb_multiply(k, &m, &floats, tokens, y, ROWS, 0, ROWS / 16);
    const double first = seconds();
    const double preparing = quantized_product(k, &m, activations, tokens, times), second = seconds();
    if (first - start < exact) exact = first - start;
    if (preparing < quantizing) quantizing = preparing;
    if (second - first - preparing < quantized) quantized = second - first - preparing;
  }
  const char *names[BB_ROWS_COUNT] = {[BB_ROWS_BF16] = "BF16", [BB_ROWS_INT8] = "8 bits", [BB_ROWS_INT4] = "4 bits", [BB_ROWS_FLOAT8] = "FP8"};
  const char *kinds[BB_ACTIVATIONS_COUNT] = {[BB_ACTIVATIONS_BF16] = "BF16", [BB_ACTIVATIONS_INT8] = "int8", [BB_ACTIVATIONS_INT16] = "int16", [BB_ACTIVATIONS_BF16_CHAINS] = "bf16-tiles"};
  const double products = (double)ROWS * INPUTS * (double)tokens * times * 1e-9;
  printf("%s, %3zu tokens: exact %6.1f, %5s %6.1f GMAC/s (%.1f times); quantizing takes %.1f %%\n",
         names[format], tokens, products / exact, kinds[activations], products / quantized, exact / quantized,
         100 * quantizing / quantized);
}

int main(void) {
  const bb_kernel_table *k = bb_kernels();
  for (size_t i = 0; i < sizeof lines; i++) lines[i] = (uint8_t)(rand() & 63);  // as BF16: small numbers
  for (size_t i = 0; i < ROWS * GROUPS; i++) scales[i] = 0.01f;
  for (size_t i = 0; i < MAX_TOKENS * INPUTS; i++) x[i] = (float)rand() / (float)RAND_MAX - 0.5f;
  printf("%s, [%d, %d], groups of %d\n", bb_isa_name(k->isa), ROWS, INPUTS, GROUP);
  const size_t tokens[] = {1, 4, 16, 256};
  for (int format = BB_ROWS_BF16; format < BB_ROWS_COUNT; format++)
    for (int activations = 0; activations < BB_ACTIVATIONS_COUNT; activations++)
      for (int i = 0; i < 4; i++) measure(k, (bb_row_format)format, (bb_activation_format)activations, tokens[i]);
}
