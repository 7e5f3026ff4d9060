// The table each instruction set's file defines.
#ifndef BB_TABLES_H
#define BB_TABLES_H
#include "bb_kernels.h"

extern const bb_kernel_table bb_table_scalar;
#if defined(__x86_64__)
extern const bb_kernel_table bb_table_avx2, bb_table_avx512;
#elif defined(__aarch64__)
extern const bb_kernel_table bb_table_neon;
#endif
#endif
