// The speed of the products of one matrix on one thread in one run: exact; of integer weights also with activations rounded
// to 8 bits, of BF16 weights with activations rounded to BF16.
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
static int8_t codes[MAX_TOKENS * STRIDE];
static uint16_t halves[MAX_TOKENS * INPUTS];
static float code_scales[MAX_TOKENS * GROUPS];
static int32_t code_sums[MAX_TOKENS * GROUPS];

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Rounds the activations and multiplies them by what is rounded, `times` times; returns the seconds that rounding took.
static double rounded_product(const bb_kernel_table *k, const bb_matrix *m, size_t tokens, int times) {
  const int bf16 = m->format == BB_ROWS_BF16;
  const bb_activations a = {.format = bf16 ? BB_ACTIVATIONS_BF16 : BB_ACTIVATIONS_INT8,
                            .values = bf16 ? (const void *)halves : codes,
                            .stride = bf16 ? INPUTS * 2 : STRIDE,
                            .group = GROUP, .groups = GROUPS, .scales = code_scales, .sums = code_sums};
  const double start = seconds();
  for (int i = 0; i < times; i++) {
    if (bf16) {
      k->narrow(x, BB_BF16, halves, tokens * INPUTS);
      continue;
    }
    for (size_t t = 0; t < tokens; t++)
      k->quantize(x + t * INPUTS, INPUTS, GROUP, codes + t * STRIDE, code_scales + t * GROUPS, code_sums + t * GROUPS);
  }
  const double rounding = seconds() - start;
  for (int i = 0; i < times; i++) bb_multiply(k, m, &a, tokens, y, ROWS, 0, ROWS / 16);
  return rounding;
}

static void measure(const bb_kernel_table *k, bb_row_format format, size_t tokens) {
  const bb_matrix m = {.format = format, .rows = ROWS, .inputs = INPUTS, .group = GROUP, .lines = lines,
                       .scales = (const uint8_t *)scales, .scale_format = BB_F32, .zero = format == BB_ROWS_INT4 ? 8 : 128};
  const int times = tokens > 16 ? 2 : tokens > 1 ? 8 : 30;
  double exact = 1e9, rounded = 1e9, rounding = 1e9;
  for (int repetition = 0; repetition < 6; repetition++) {
    const double start = seconds();
    const bb_activations floats = bb_floats(x, INPUTS);
    for (int i = 0; i < times; i++) bb_multiply(k, &m, &floats, tokens, y, ROWS, 0, ROWS / 16);
    const double first = seconds();
    const double preparing = rounded_product(k, &m, tokens, times), second = seconds();
    if (first - start < exact) exact = first - start;
    if (preparing < rounding) rounding = preparing;
    if (second - first - preparing < rounded) rounded = second - first - preparing;
  }
  const char *names[BB_ROWS_COUNT] = {[BB_ROWS_BF16] = "BF16", [BB_ROWS_INT8] = "8 bits", [BB_ROWS_INT4] = "4 bits"};
  const double products = (double)ROWS * INPUTS * (double)tokens * times * 1e-9;
  printf("%s, %3zu tokens: exact %6.1f, rounded %6.1f thousand million multiply-adds a second (%.1f times); rounding takes %.1f %%\n",
         names[format], tokens, products / exact, products / rounded, exact / rounded, 100 * rounding / rounded);
}

int main(void) {
  const bb_kernel_table *k = bb_kernels();
  for (size_t i = 0; i < sizeof lines; i++) lines[i] = (uint8_t)(rand() & 63);  // as BF16: small numbers
  for (size_t i = 0; i < ROWS * GROUPS; i++) scales[i] = 0.01f;
  for (size_t i = 0; i < MAX_TOKENS * INPUTS; i++) x[i] = (float)rand() / (float)RAND_MAX - 0.5f;
  printf("%s, [%d, %d], groups of %d\n", bb_isa_name(k->isa), ROWS, INPUTS, GROUP);
  const size_t tokens[] = {1, 4, 16, 256};
  for (int format = BB_ROWS_BF16; format <= BB_ROWS_INT4; format++)
    for (int i = 0; i < 4; i++) measure(k, (bb_row_format)format, tokens[i]);
}
