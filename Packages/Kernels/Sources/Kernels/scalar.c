// The twin that runs everywhere: sixteen floats in an array, as scalar_vectors.h has them.
#pragma STDC FP_CONTRACT OFF
#include "scalar_vectors.h"

enum { ATTEND_ROWS = 1 };
enum { TILE_TOKENS = 1, TILE_BLOCKS = 1 };
enum { PANEL_TOKENS = 1, PANEL_REST = 1, PANEL_MIN = 8 };
enum { INTEGER_TILE = 1, INTEGER_UNPACK = 0 };
enum { BF16_TILE = 1, PAIR_ROWS = 1, PAIR_REST = 1, PAIR_COLUMNS = 1 };
#include "kernels_body.h"
#include "integer_body.h"
#include "bf16_body.h"
#include "pair_attention_body.h"
#include "table_body.h"

void bb_fill_scalar(bb_kernel_table *table) { fill(table, BB_ISA_SCALAR); }
