// What each instruction set's file gives: a function that fills a table, or puts its own functions into a filled one.
#ifndef BB_TABLES_H
#define BB_TABLES_H
#include "bb_kernels.h"
#include "prefetch.h"

// Products of pages of BF16, in pairs or in chains: y = decay * y + x w.
typedef void (*bb_pair_products)(const uint16_t *x, size_t ldx, size_t rows, const uint8_t *lines, size_t columns,
                                 size_t count, prefetch_stream *next, const float *decay, float *y, size_t ldy);
// Products of 16 rows of `count` bytes, a multiple of 64, with columns of 16 lanes of 8-bit codes, a line of 4 for each lane after
// another at a distance of `line` bytes: sums [16][ld]. Bytes have a sign and codes none; or bytes have none, and codes
// count from 128.
typedef void (*bb_code_tiles)(const int8_t *bytes, size_t count, const uint8_t *lines, size_t line, size_t column,
                              size_t columns, int centered, prefetch_stream *next, int32_t *sums, size_t ld);
// What a set has for attention instead of the vectors' own; or NULL.
typedef struct {
  bb_pair_products pairs, chains;
  bb_code_tiles codes;
} bb_page_products;

void bb_fill_scalar(bb_kernel_table *table);
// Attention of scalar.c with other products, where they are given; and its own in chains.
void bb_scalar_attend_with(const float *q, size_t tokens, size_t heads, size_t d, const bb_kv_piece *pieces, size_t count,
                           size_t kv_first, size_t kv_count, float scale, bb_attend_numerics numerics,
                           bb_page_products given, float *state);
void bb_scalar_page_chains(const uint16_t *x, size_t ldx, size_t rows, const uint8_t *lines, size_t columns, size_t count,
                             prefetch_stream *next, const float *decay, float *y, size_t ldy);
void bb_fill_tile_model(bb_kernel_table *table);
#if defined(__x86_64__)
void bb_fill_avx2(bb_kernel_table *table);
void bb_fill_avxvnni(bb_kernel_table *table);
void bb_fill_avx512(bb_kernel_table *table);
void bb_fill_avx512bf16(bb_kernel_table *table);
void bb_fill_amx(bb_kernel_table *table);
// Asks the system for tiles, which it keeps for each thread that uses them; whether it gives them.
int bb_may_use_tiles(void);
// As those of scalar.c.
void bb_avx512_attend_with(const float *q, size_t tokens, size_t heads, size_t d, const bb_kv_piece *pieces, size_t count,
                           size_t kv_first, size_t kv_count, float scale, bb_attend_numerics numerics,
                           bb_page_products given, float *state);
void bb_avx512_page_chains(const uint16_t *x, size_t ldx, size_t rows, const uint8_t *lines, size_t columns, size_t count,
                             prefetch_stream *next, const float *decay, float *y, size_t ldy);
#elif defined(__aarch64__)
void bb_fill_neon(bb_kernel_table *table);
#endif
#endif
