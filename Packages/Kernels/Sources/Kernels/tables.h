// The table each instruction set's file defines.
#ifndef BB_TABLES_H
#define BB_TABLES_H
#include "bb_kernels.h"
#include "upcoming.h"

extern const bb_kernel_table bb_table_scalar;
#if defined(__x86_64__)
extern const bb_kernel_table bb_table_avx2, bb_table_avx512, bb_table_avx512bf16;
// `multiply_bf16` by the instruction for it.
void bb_multiply_bf16_pairs(const bb_matrix *m, const uint16_t *x, size_t ldx, size_t tokens, float *y, size_t ldy,
                            size_t first, size_t last);
// `multiply_pairs` likewise.
void bb_multiply_pairs(const uint16_t *x, size_t ldx, size_t rows, const uint8_t *lines, size_t columns,
                       size_t count, upcoming *next, const float *decay, float *y, size_t ldy);
#elif defined(__aarch64__)
extern const bb_kernel_table bb_table_neon;
#endif
#endif
