// The speed of the gated delta rule and of its convolution on one thread, in the sizes of Qwen3.5-9B: of a single token and of a
// prompt of 512.
//
//   cd Packages/Kernels/Sources/Kernels && clang -O2 -Iinclude ../../../../Tools/bench/kernels/delta.c *.c -lm -lpthread -o /tmp/delta && /tmp/delta
//
// Times are of the thread's processor time, the best of ten, so that other work on the machine disturbs little.
#include <stdio.h>
#include <time.h>

#include "bb_kernels.h"

enum { KEYS = 16, VALUES = 32, WIDTH = 128, TOKENS = 512, TAPS = 4, CHANNELS = (2 * KEYS + VALUES) * WIDTH };

static float mixed[TOKENS * CHANNELS] __attribute__((aligned(64))), output[TOKENS * VALUES * WIDTH] __attribute__((aligned(64)));
static float state[VALUES * WIDTH * WIDTH] __attribute__((aligned(64)));
static float decay[TOKENS * VALUES], strength[TOKENS * VALUES], taps[TAPS * CHANNELS], before[(TAPS - 1) * CHANNELS];

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void all_heads(const bb_kernel_table *k, size_t tokens) {
  for (int head = 0; head < VALUES; head++) {
    const float *query = mixed + head / (VALUES / KEYS) * WIDTH;
    const bb_delta_tokens x = {query, query + KEYS * WIDTH, mixed + (2 * KEYS + head) * WIDTH, CHANNELS, decay + head,
                               strength + head, VALUES, VALUES, output + head * WIDTH, VALUES * WIDTH};
    k->delta_rule(&x, tokens, WIDTH, WIDTH, state + head * WIDTH * WIDTH);
  }
}

int main(void) {
  uint32_t random = 1;
  for (int i = 0; i < TOKENS * CHANNELS; i++) {
    random = random * 1664525u + 1013904223u;
    mixed[i] = ((float)(random >> 8) / 0x1p23f - 1.0f) / 12;
  }
  for (int i = 0; i < TOKENS * VALUES; i++) {
    decay[i] = 0.95f;
    strength[i] = 0.5f;
  }
  for (int isa = 0; isa < BB_ISA_COUNT; isa++) {
    const bb_kernel_table *k = bb_kernels_for((bb_isa)isa);
    if (!k) continue;
    for (int tokens = 1; tokens <= TOKENS; tokens *= TOKENS) {
      double rule = 1e9, convolution = 1e9;
      for (int turn = 0; turn < (isa == BB_ISA_SCALAR ? 1 : 10); turn++) {
        const double start = seconds();
        all_heads(k, (size_t)tokens);
        const double middle = seconds();
        k->causal_convolution(mixed, (size_t)tokens, CHANNELS, taps, CHANNELS, before, CHANNELS, TAPS, CHANNELS);
        const double end = seconds();
        if (middle - start < rule) rule = middle - start;
        if (end - middle < convolution) convolution = end - middle;
      }
      const double heads = (double)tokens * VALUES;
      printf("%-10s %3d tokens: %6.2f us a token and head, %5.1f billion operations a second; convolution %6.2f us a token\n",
             bb_isa_name((bb_isa)isa), tokens, rule / heads * 1e6, 4.0 * WIDTH * WIDTH * heads / rule * 1e-9,
             convolution / tokens * 1e6);
    }
  }
}
