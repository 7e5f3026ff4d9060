// What each instruction set's file gives: a function that fills a table, or puts its own functions into a filled one.
#ifndef BB_TABLES_H
#define BB_TABLES_H
#include "bb_kernels.h"
#include "prefetch.h"

void bb_fill_scalar(bb_kernel_table *table);
void bb_fill_tile_model(bb_kernel_table *table);
#if defined(__x86_64__)
void bb_fill_avx2(bb_kernel_table *table);
void bb_fill_avx512(bb_kernel_table *table);
void bb_fill_avx512bf16(bb_kernel_table *table);
void bb_fill_amx(bb_kernel_table *table);
// Asks the system for tiles, which it keeps for each thread that uses them; whether it gives them.
int bb_may_use_tiles(void);
// The pairs of avx512bf16.c, and attention by them, whose other parts are in avx512.c.
void bb_multiply_pairs(const uint16_t *x, size_t ldx, size_t rows, const uint8_t *lines, size_t columns,
                       size_t count, prefetch_stream *next, const float *decay, float *y, size_t ldy);
void bb_attend_avx512_by_instruction(const float *q, size_t tokens, size_t heads, size_t d, const bb_kv_piece *pieces,
                                     size_t count, size_t kv_first, size_t kv_count, float scale,
                                     bb_attend_numerics numerics, float *state);
#elif defined(__aarch64__)
void bb_fill_neon(bb_kernel_table *table);
#endif
#endif
