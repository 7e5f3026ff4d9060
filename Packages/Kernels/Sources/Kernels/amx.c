// AMX: products by tile registers where there are tokens enough; all else is avx512.c's and avx512bf16.c's. Attention to pages of
// BF16 in pairs is avx512.c's: where there are tiles, `vdpbf16ps` has half the rate of fused multiply-adds.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "denormals.h"
#include "tables.h"

int bb_may_use_tiles(void) {
#if defined(__linux__)
  // The kernel keeps 8 KiB of tiles for a process that asks for them once.
  enum { ARCH_REQ_XCOMP_PERM = 0x1023, XTILEDATA = 18 };
  return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XTILEDATA) == 0;
#else
  return 0;
#endif
}

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16,avx512vbmi,amx-tile,amx-int8,amx-bf16"))), \
                             apply_to = function)

#include "avx512_vectors.h"
#include "tails.h"

#include "load_as.h"
#include "tile_registers.h"

// 32 codes at a time: each four lie in the order 0, 2, 1, 3.
INLINE void split_codes(const uint8_t *codes, size_t count, int8_t *bytes, size_t half) {
  uint8_t order[64];
  for (int i = 0; i < 32; i++) {
    const int place = i / 4 * 4 + (i % 4 == 1 ? 2 : i % 4 == 2 ? 1 : i % 4);
    order[i] = (uint8_t)(2 * place + 1);
    order[32 + i] = (uint8_t)(2 * place);
  }
  const __m512i places = _mm512_loadu_si512(order);
  for (size_t i = 0; i < count; i += 32) {
    const __m512i apart = _mm512_permutexvar_epi8(places, _mm512_loadu_si512(codes + 2 * i));
    _mm256_storeu_si256((__m256i *)(bytes + i), _mm512_castsi512_si256(apart));
    _mm256_storeu_si256((__m256i *)(bytes + half + i), _mm512_extracti64x4_epi64(apart, 1));
  }
}

enum { TILE_LEAST = 32, CHAIN_LEAST = 4, CHAIN_PAIRS = 16 };
#define base_page_chains bb_avx512_page_chains
#define base_attend_with bb_avx512_attend_with
#include "tile_products_body.h"
#include "tile_chains_body.h"

void bb_fill_amx(bb_kernel_table *table) { fill_tiles(table, BB_ISA_AMX); }

#pragma clang attribute pop
#endif
