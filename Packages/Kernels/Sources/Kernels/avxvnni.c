// AVX2 with AVX-VNNI, as processors without AVX-512 have it: one instruction multiplies and sums four bytes or two numbers of 16 bits
// of each lane; all else is as in avx2.c.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)

#include "avx2_vectors.h"

static inline l16 l_dot(l16 sum, l16 codes, const int8_t *x) {
  int32_t four;
  memcpy(&four, x, 4);
  const __m256i all = _mm256_set1_epi32(four);
  return (l16){_mm256_dpbusd_avx_epi32(sum.a, codes.a, all), _mm256_dpbusd_avx_epi32(sum.b, codes.b, all)};
}
static inline l16 l_dot_words(l16 sum, l16 words, const int16_t *x) {
  int32_t two;
  memcpy(&two, x, 4);
  const __m256i all = _mm256_set1_epi32(two);
  return (l16){_mm256_dpwssd_avx_epi32(sum.a, words.a, all), _mm256_dpwssd_avx_epi32(sum.b, words.b, all)};
}
static inline l16 l_dot_signed(l16 sum, l16 codes, const uint8_t *x) {
  int32_t four;
  memcpy(&four, x, 4);
  const __m256i all = _mm256_set1_epi32(four);
  return (l16){_mm256_dpbusd_avx_epi32(sum.a, all, codes.a), _mm256_dpbusd_avx_epi32(sum.b, all, codes.b)};
}

enum { INTEGER_TILE = 6, INTEGER_UNPACK = 1 };
#include "kernels_body.h"
#include "integer_body.h"
#include "bf16_body.h"
#include "float8_body.h"
#include "pair_attention_body.h"
#include "chains_body.h"
#include "table_body.h"

void bb_fill_avxvnni(bb_kernel_table *table) { fill(table, BB_ISA_AVXVNNI); }

#pragma clang attribute pop
#endif
