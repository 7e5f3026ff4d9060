// Products by tiles whose registers are arrays, on what scalar.c has: how matrices are cut into tiles is the same everywhere
// and can be tested everywhere.
#pragma STDC FP_CONTRACT OFF
#include "scalar_vectors.h"

#include "denormals.h"
#include "tables.h"
#include "tails.h"

#include "load_as.h"
#define TILE_MODEL
#include "tile_registers.h"

INLINE void split_codes(const uint8_t *codes, size_t count, int8_t *bytes, size_t half) {
  static const uint8_t place[] = {0, 2, 1, 3};
  for (size_t i = 0; i < count; i++) {
    int16_t code;
    memcpy(&code, codes + 2 * (i / 4 * 4 + place[i % 4]), 2);
    bytes[i] = (int8_t)(code >> 8);
    bytes[half + i] = (int8_t)(code & 255);
  }
}

enum { TILE_LEAST = 1, CHAIN_LEAST = 1, CHAIN_PAIRS = 16 };
#define base_page_chains bb_scalar_page_chains
#define base_attend_with bb_scalar_attend_with
#include "tile_products_body.h"
#include "tile_chains_body.h"

void bb_fill_tile_model(bb_kernel_table *table) { fill_tiles(table, BB_ISA_TILE_MODEL); }
