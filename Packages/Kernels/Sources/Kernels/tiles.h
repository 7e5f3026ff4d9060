// How several tokens share what is read of a matrix, for integer_body.h and bf16_body.h. A tile is one block of rows times a few
// tokens; it reads every line of the block once, in the order of memory. Each number of tokens has a tile of its own: a rest of
// three in tiles of two and one would read the block twice.
#ifndef BB_TILES_H
#define BB_TILES_H

enum {
  SHARED_BYTES = 128 << 10,  // of weights, which lie in the second-level cache while all tokens of a pass are multiplied
  MOST_TOKENS = 16,          // of a tile
  PREFETCH_DISTANCE = 96 * 64,  // in bytes, of the first tokens of a pass, where they are several
};

// Runs a statement for each of `tokens` tokens t; their number is a constant.
#define EACH_TOKEN(T) _Pragma("clang loop unroll(full)") for (int T = 0; T < tokens; T++)

// Address in row T of a tile of 16 rows of activations, from the base pointers of rows 0 and 8 (two bases save registers).
#define OF_TOKEN(T, FIRST, NINTH, STRIDE) ((T) < 8 ? (FIRST) + (T) * (STRIDE) : (NINTH) + ((T) - 8) * (STRIDE))

// Prefetches weights some bytes ahead of those that a tile reads; for a single token only where an instruction set says with
// PREFETCH_ALONE how far.
#define PREFETCH_AHEAD(LINE, DISTANCE) \
  if (tokens > 1 || PREFETCH_ALONE > 0) __builtin_prefetch((LINE) + (DISTANCE), 0, 2)
// How far the first tokens of a pass prefetch.
#define FIRST_DISTANCE (tokens > 1 ? PREFETCH_DISTANCE : PREFETCH_ALONE)

#define EACH_TILE_OF(SOME, MOST, LAST, COUNT, ...)              \
  for (; SOME <= MOST && token + SOME <= LAST; token += SOME)   \
    for (size_t b = 0; b < COUNT; b++) {                        \
      enum { tokens = SOME <= MOST ? SOME : 1 };                \
      __VA_ARGS__;                                              \
    }

// Runs a statement for the tokens [FIRST, LAST), the constant number of `tokens` from `token` on, at most MOST of them, and for
// each of COUNT blocks b.
#define EACH_TILE(MOST, FIRST, LAST, COUNT, ...)      \
  do {                                                \
    size_t token = FIRST;                             \
    EACH_TILE_OF(16, MOST, LAST, COUNT, __VA_ARGS__)  \
    EACH_TILE_OF(15, MOST, LAST, COUNT, __VA_ARGS__)  \
    EACH_TILE_OF(14, MOST, LAST, COUNT, __VA_ARGS__)  \
    EACH_TILE_OF(13, MOST, LAST, COUNT, __VA_ARGS__)  \
    EACH_TILE_OF(12, MOST, LAST, COUNT, __VA_ARGS__)  \
    EACH_TILE_OF(11, MOST, LAST, COUNT, __VA_ARGS__)  \
    EACH_TILE_OF(10, MOST, LAST, COUNT, __VA_ARGS__)  \
    EACH_TILE_OF(9, MOST, LAST, COUNT, __VA_ARGS__)   \
    EACH_TILE_OF(8, MOST, LAST, COUNT, __VA_ARGS__)   \
    EACH_TILE_OF(7, MOST, LAST, COUNT, __VA_ARGS__)   \
    EACH_TILE_OF(6, MOST, LAST, COUNT, __VA_ARGS__)   \
    EACH_TILE_OF(5, MOST, LAST, COUNT, __VA_ARGS__)   \
    EACH_TILE_OF(4, MOST, LAST, COUNT, __VA_ARGS__)   \
    EACH_TILE_OF(3, MOST, LAST, COUNT, __VA_ARGS__)   \
    EACH_TILE_OF(2, MOST, LAST, COUNT, __VA_ARGS__)   \
    EACH_TILE_OF(1, MOST, LAST, COUNT, __VA_ARGS__)   \
  } while (0)

#endif
