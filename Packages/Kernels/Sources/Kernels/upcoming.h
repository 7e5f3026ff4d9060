// Memory that will be read soon. What attention reads lies in the order in which it reads it, and whoever reads lines asks for as
// many further on, so that requests never cease: only a few can be open, and asking for more waits.
#ifndef BB_UPCOMING_H
#define BB_UPCOMING_H
#include <stddef.h>
#include <stdint.h>

typedef struct {
  const uint8_t *at, *end;         // what is not asked for yet
  const uint8_t *then, *then_end;  // what is read after it, or NULL
  ptrdiff_t lead;                  // lines of 64 bytes that are asked for and not read
  ptrdiff_t wanted;                // as many as it is to be while lines are read
} upcoming;

// Asks for some lines where the lead is below `most`: into the second-level cache, since the first has fewer requests.
static inline __attribute__((always_inline)) void ask_below(ptrdiff_t most, upcoming *next, size_t lines) {
  if (next->lead >= most || next->at >= next->end) return;
  for (size_t i = 0; i < lines; i++) __builtin_prefetch(next->at + i * 64, 0, 2);
  next->at += lines * 64;
  next->lead += (ptrdiff_t)lines;
  if (next->at >= next->end && next->then) next->at = next->then, next->end = next->then_end, next->then = NULL;
}

// Says that some lines are read.
static inline __attribute__((always_inline)) void read_lines(upcoming *next, size_t lines) {
  next->lead -= (ptrdiff_t)lines;
  ask_below(next->wanted, next, lines);
}

// Asks for a few lines while something is computed that reads none.
static inline __attribute__((always_inline)) void ask_between(upcoming *next) {
  enum { LINES = 4 };
  ask_below(2 * next->wanted, next, LINES);
}
#endif
