// Software prefetch for sequential page reads. Each line that is read prefetches one line at a fixed distance; a core tracks only a
// few outstanding misses, so the distance is kept constant rather than bursting.
#ifndef BB_PREFETCH_H
#define BB_PREFETCH_H
#include <stddef.h>
#include <stdint.h>

typedef struct {
  const uint8_t *at, *end;         // not prefetched yet
  const uint8_t *then, *then_end;  // read after it, or NULL
  ptrdiff_t ahead;                 // lines of 64 bytes that are prefetched and not read
  ptrdiff_t distance;              // lines to be ahead while lines are read
} prefetch_stream;

// Prefetches some lines where fewer than `most` are ahead: into the second-level cache, since the first tracks fewer misses.
static inline __attribute__((always_inline)) void prefetch_up_to(ptrdiff_t most, prefetch_stream *next, size_t lines) {
  if (next->ahead >= most || next->at >= next->end) return;
  for (size_t i = 0; i < lines; i++) __builtin_prefetch(next->at + i * 64, 0, 2);
  next->at += lines * 64;
  next->ahead += (ptrdiff_t)lines;
  if (next->at >= next->end && next->then) next->at = next->then, next->end = next->then_end, next->then = NULL;
}

// Counts lines as read and prefetches as many further on.
static inline __attribute__((always_inline)) void read_lines(prefetch_stream *next, size_t lines) {
  next->ahead -= (ptrdiff_t)lines;
  prefetch_up_to(next->distance, next, lines);
}

// Prefetches a few lines during computation that reads none.
static inline __attribute__((always_inline)) void prefetch_during_compute(prefetch_stream *next) {
  enum { LINES = 4 };
  prefetch_up_to(2 * next->distance, next, LINES);
}
#endif
