// The products of attention over BF16 pages with queries and weights that are rounded to BF16, by the pairs of bf16_body.h,
// which is included before.
//
// Pages hold lines of 64 bytes, 16 lanes of two numbers each: [count][columns] lines.

#include "prefetch.h"

// Few rows take more columns at once, all of a head's as a rule: a page is read in the order of memory.
enum { MOST_COLUMNS = 2 * PAIR_COLUMNS };

typedef struct {
  const uint8_t *lines;  // the first column's
  size_t stride, count;  // bytes from one pair to the next, pairs
} pair_lines;

// `rows` rows by `columns` columns of 16, both constants where this is inlined.
INLINE void pair_tile(const int rows, const int columns, const uint16_t *x, size_t ldx, pair_lines w, prefetch_stream *next,
                      const float *decay, float *y, size_t ldy) {
  v16 sum[PAIR_ROWS][MOST_COLUMNS];
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < columns; c++)
      sum[r][c] = decay ? v_mul(v_load(y + r * ldy + c * 16), v_set(decay[r])) : v_set(0);
  prefetch_stream ahead = *next;
  for (size_t k = 0; k < w.count; k++, w.lines += w.stride) {
    pairs two[MOST_COLUMNS];
    for (int c = 0; c < columns; c++) two[c] = pairs_load(w.lines + c * 64);
    read_lines(&ahead, (size_t)columns);
    for (int r = 0; r < rows; r++)
      for (int c = 0; c < columns; c++) sum[r][c] = pairs_dot(sum[r][c], two[c], x + r * ldx + 2 * k);
  }
  *next = ahead;
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < columns; c++) v_store(y + r * ldy + c * 16, sum[r][c]);
}

// `rows` rows by all columns, `most` of them at a time.
INLINE void pair_columns(const int rows, const int most, const uint16_t *x, size_t ldx, pair_lines w, size_t columns,
                         prefetch_stream *next, const float *decay, float *y, size_t ldy) {
  size_t c = 0;
  for (; c + (size_t)most <= columns; c += (size_t)most, w.lines += most * 64)
    pair_tile(rows, most, x, ldx, w, next, decay, y + c * 16, ldy);
  for (; c + PAIR_COLUMNS <= columns; c += PAIR_COLUMNS, w.lines += PAIR_COLUMNS * 64)
    pair_tile(rows, PAIR_COLUMNS, x, ldx, w, next, decay, y + c * 16, ldy);
  for (; c < columns; c++, w.lines += 64) pair_tile(rows, 1, x, ldx, w, next, decay, y + c * 16, ldy);
}

static void multiply_pairs(const uint16_t *x, size_t ldx, size_t rows, const uint8_t *lines, size_t columns,
                           size_t count, prefetch_stream *next, const float *decay, float *y, size_t ldy) {
  const pair_lines w = {lines, columns * 64, count};
  size_t r = 0;
  for (; r + PAIR_ROWS <= rows; r += PAIR_ROWS)
    pair_columns(PAIR_ROWS, PAIR_COLUMNS, x + r * ldx, ldx, w, columns, next, decay ? decay + r : NULL, y + r * ldy, ldy);
  for (; r + PAIR_REST <= rows; r += PAIR_REST)
    pair_columns(PAIR_REST, MOST_COLUMNS, x + r * ldx, ldx, w, columns, next, decay ? decay + r : NULL, y + r * ldy, ldy);
  for (; r < rows; r++)
    pair_columns(1, MOST_COLUMNS, x + r * ldx, ldx, w, columns, next, decay ? decay + r : NULL, y + r * ldy, ldy);
}
