// Memory that will be read soon, asked for a few lines at a time while other things are computed: only a few requests can be
// open, and asking for more waits; when none is open, time is lost.
#ifndef BB_UPCOMING_H
#define BB_UPCOMING_H
#include <stddef.h>
#include <stdint.h>

// Bytes that are read next, and those after them (NULL: nothing).
typedef struct {
  const uint8_t *at, *end, *then, *then_end;
} upcoming;

// Goes on to what comes after the next bytes, once all of them are asked for.
static inline __attribute__((always_inline)) upcoming move_on(upcoming next) {
  return next.at >= next.end && next.then ? (upcoming){next.then, next.then_end, NULL, NULL} : next;
}

// Lines asked for with a vector of what is computed between products, which ask for as many as they read.
enum { ASK_BETWEEN = 4 };

// Asks for the next `lines` lines of 64 bytes, into the second-level cache, since the first has fewer requests.
static inline __attribute__((always_inline)) void ask_for(upcoming *next, size_t lines) {
  if (next->at >= next->end) return;
  for (size_t i = 0; i < lines; i++) __builtin_prefetch(next->at + i * 64, 0, 2);
  next->at += lines * 64;
}
#endif
