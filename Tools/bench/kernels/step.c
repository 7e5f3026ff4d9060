// The products of one step of one sequence (28 layers of Qwen3-0.6B in 8 bits, 16-bit activations) by the pool's threads, in parts
// of several sizes that workers take one after the other, in turns with plain reading of as many bytes.
//
//   cd Packages/Kernels/Sources/Kernels && clang -O2 -Iinclude ../../../../Tools/bench/kernels/step.c *.c -lm -lpthread -o /tmp/step && /tmp/step 2 10
//
// Arguments: threads, and microseconds for which the caller is busy between two regions, as the engine is. Medians of 25 turns, and
// the best, which is what to read where other work runs.
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "bb_kernels.h"
#include "bb_pool.h"

enum { LAYERS = 28, TURNS = 25, GROUP = 128, MOST_INPUTS = 3072, MOST_PARTS = 256, ARENA = 512 << 20, READ_PART = 256 << 10 };
typedef enum { READING, GUIDED, STREAMS, EVEN, KINDS } kind;
typedef struct { size_t first, end; } part;
// Matrices that one region multiplies, one after the other.
typedef struct { bb_matrix matrix[3]; size_t count; } region;

static uint8_t *arena;
static size_t used;
static region regions[4 * LAYERS];
static part parts[MOST_PARTS];
static size_t part_matrix[MOST_PARTS], part_count;
static bb_activations activations[4];  // of 1024, 2048, 3072 inputs
static const region *current;
static bb_pool *pool;
static float output[4096];
static volatile long long sum;

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bb_matrix take(size_t rows, size_t inputs) {
  bb_matrix m = {.format = BB_ROWS_INT8, .rows = rows, .inputs = inputs, .group = GROUP, .lines = arena + used,
                 .scale_format = BB_F32, .zero = 128};
  used += rows * inputs;
  float *scales = (float *)(void *)(arena + used);
  for (size_t i = 0; i < rows * inputs / GROUP; i++) scales[i] = 0.01f;
  m.scales = arena + used;
  used += rows * inputs / GROUP * sizeof(float);
  return m;
}

// Adds the parts of a matrix of so many blocks; see Partition in Tensors.
static void divide(size_t matrix, size_t blocks, size_t workers, kind how) {
  const size_t least = blocks / (16 * workers) ? blocks / (16 * workers) : 1;
  size_t start = 0, number = 0;
  while (start < blocks) {
    const size_t left = blocks - start;
    size_t size = left / (2 * workers) > least ? left / (2 * workers) : least;
    if (how == EVEN) size = (blocks + workers - 1) / workers;
    if (how == STREAMS && number < workers) size = blocks * 7 / (8 * workers) ? blocks * 7 / (8 * workers) : 1;
    if (size > left) size = left;
    parts[part_count] = (part){start, start + size};
    part_matrix[part_count++] = matrix;
    start += size;
    number++;
  }
}

static void multiply(void *context, size_t worker, size_t workers) {
  (void)context;
  for (size_t p = worker; p < part_count; p = workers + bb_pool_claim(pool)) {
    const bb_matrix *m = &current->matrix[part_matrix[p]];
    bb_multiply(bb_kernels(), m, &activations[m->inputs / 1024], 1, output, m->rows, parts[p].first, parts[p].end);
  }
}

static void read_all(void *context, size_t worker, size_t workers) {
  (void)context;
  for (size_t p = worker; p * READ_PART < used; p = workers + bb_pool_claim(pool)) {
    const long long *at = (const long long *)(arena + p * READ_PART);
    long long s[8] = {0};
    for (size_t i = 0; i < READ_PART / 8; i += 8)
      for (size_t j = 0; j < 8; j++) s[j] += at[i + j];
    sum += s[0] + s[1] + s[2] + s[3] + s[4] + s[5] + s[6] + s[7];
  }
}

static double step(kind how, size_t workers, double gap) {
  const double start = seconds();
  if (how == READING) bb_pool_run(pool, read_all, NULL);
  for (size_t r = 0; r < 4 * LAYERS && how != READING; r++) {
    current = &regions[r];
    part_count = 0;
    for (size_t i = 0; i < current->count; i++) divide(i, current->matrix[i].rows / 16, workers, how);
    bb_pool_run(pool, multiply, NULL);
    for (const double end = seconds() + gap; seconds() < end;) {}
  }
  return seconds() - start;
}

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int count, char **arguments) {
  const size_t workers = count > 1 ? (size_t)atoi(arguments[1]) : 2;
  const double gap = count > 2 ? atof(arguments[2]) * 1e-6 : 0;
  pool = bb_pool_create(workers);
  arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (!pool || arena == MAP_FAILED) return 1;
  madvise(arena, ARENA, MADV_HUGEPAGE);
  for (size_t i = 0; i < ARENA; i++) arena[i] = (uint8_t)(i * 7);
  for (size_t inputs = 1024; inputs <= MOST_INPUTS; inputs += 1024) {
    static float x[MOST_INPUTS];
    for (size_t i = 0; i < inputs; i++) x[i] = (float)(i % 37) - 18;
    int16_t *codes = malloc(inputs * sizeof *codes);
    float *scales = malloc(inputs / GROUP * sizeof *scales);
    int32_t *sums = malloc(inputs / GROUP * sizeof *sums);
    if (!codes || !scales || !sums) return 1;
    bb_kernels()->quantize16(x, inputs, GROUP, codes, scales, sums);
    activations[inputs / 1024] = (bb_activations){.format = BB_ACTIVATIONS_INT16, .values = codes, .stride = inputs * 2,
                                                  .group = GROUP, .groups = inputs / GROUP, .scales = scales, .sums = sums};
  }
  for (size_t layer = 0; layer < LAYERS; layer++) {
    region *r = regions + 4 * layer;
    r[0] = (region){{take(2048, 1024), take(1024, 1024), take(1024, 1024)}, 3};
    r[1] = (region){{take(1024, 2048)}, 1};
    r[2] = (region){{take(3072, 1024), take(3072, 1024)}, 2};
    r[3] = (region){{take(1024, 3072)}, 1};
  }
  const char *names[KINDS] = {"reading", "parts that shrink", "long parts, then short ones", "a part for each"};
  double times[KINDS][TURNS], shares[KINDS][TURNS];
  for (int turn = -1; turn < TURNS; turn++)
    for (kind how = READING; how < KINDS; how++) {
      const double time = step(how, workers, gap);
      if (turn >= 0) times[how][turn] = time, shares[how][turn] = times[READING][turn] / time;
    }
  for (kind how = READING; how < KINDS; how++) {
    qsort(times[how], TURNS, sizeof(double), by_size);
    qsort(shares[how], TURNS, sizeof(double), by_size);
    printf("%s: %.2f ms, %.1f GB/s, %.0f %% of reading; at best %.2f ms\n", names[how], times[how][TURNS / 2] * 1e3,
           (double)used / times[how][TURNS / 2] * 1e-9, 100 * shares[how][TURNS / 2], times[how][0] * 1e3);
  }
}
