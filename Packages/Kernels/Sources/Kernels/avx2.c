// AVX2 with FMA and F16C: sixteen floats in two registers.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "avx2_vectors.h"

// Products of bytes are formed in 16 bits, even inputs and odd ones apart: exact for all codes.
static inline __m256i dot8(__m256i sum, __m256i codes, __m256i even, __m256i odd) {
  const __m256i low = _mm256_and_si256(codes, _mm256_set1_epi16(255)), high = _mm256_srli_epi16(codes, 8);
  return _mm256_add_epi32(sum, _mm256_add_epi32(_mm256_madd_epi16(low, even), _mm256_madd_epi16(high, odd)));
}
static inline l16 l_dot(l16 sum, l16 codes, const int8_t *x) {
  int32_t four;
  memcpy(&four, x, 4);
  const __m256i all = _mm256_set1_epi32(four), odd = _mm256_srai_epi16(all, 8);
  const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(all, 8), 8);
  return (l16){dot8(sum.a, codes.a, even, odd), dot8(sum.b, codes.b, even, odd)};
}
// Sums of 16 bits, two in a lane, of codes of up to 4 bits times signed bytes; of 32 inputs they are at most 8 * 2 * 15 * 128.
#define L_BRIEF_SUMS
enum { BRIEF_INPUTS = 32, BRIEF_TILE = 6 };
static inline l16 l_dot_brief(l16 sum, l16 codes, const int8_t *x) {
  int32_t four;
  memcpy(&four, x, 4);
  const __m256i all = _mm256_set1_epi32(four);
  return (l16){_mm256_add_epi16(sum.a, _mm256_maddubs_epi16(codes.a, all)), _mm256_add_epi16(sum.b, _mm256_maddubs_epi16(codes.b, all))};
}
static inline l16 l_add_brief(l16 sum, l16 brief) {
  const __m256i one = _mm256_set1_epi16(1);
  return (l16){_mm256_add_epi32(sum.a, _mm256_madd_epi16(brief.a, one)), _mm256_add_epi32(sum.b, _mm256_madd_epi16(brief.b, one))};
}
// Eight signed bytes in 16 bits, the second and third of each four exchanged.
#define L_WIDEN
static inline void l_widen(const int8_t *x, int16_t *to) {
  const __m128i wide = _mm_cvtepi8_epi16(_mm_loadl_epi64((const __m128i *)x));
  _mm_storeu_si128((__m128i *)to, _mm_shufflehi_epi16(_mm_shufflelo_epi16(wide, 0xd8), 0xd8));
}
static inline l16 l_dot_words(l16 sum, l16 words, const int16_t *x) {
  int32_t two;
  memcpy(&two, x, 4);
  const __m256i all = _mm256_set1_epi32(two);
  return (l16){_mm256_add_epi32(sum.a, _mm256_madd_epi16(words.a, all)), _mm256_add_epi32(sum.b, _mm256_madd_epi16(words.b, all))};
}
static inline __m256i dot8_signed(__m256i sum, __m256i codes, __m256i even, __m256i odd) {
  const __m256i low = _mm256_srai_epi16(_mm256_slli_epi16(codes, 8), 8), high = _mm256_srai_epi16(codes, 8);
  return _mm256_add_epi32(sum, _mm256_add_epi32(_mm256_madd_epi16(low, even), _mm256_madd_epi16(high, odd)));
}
static inline l16 l_dot_signed(l16 sum, l16 codes, const uint8_t *x) {
  int32_t four;
  memcpy(&four, x, 4);
  const __m256i all = _mm256_set1_epi32(four), odd = _mm256_srli_epi16(all, 8);
  const __m256i even = _mm256_and_si256(all, _mm256_set1_epi16(255));
  return (l16){dot8_signed(sum.a, codes.a, even, odd), dot8_signed(sum.b, codes.b, even, odd)};
}

enum { INTEGER_TILE = 4, INTEGER_UNPACK = 1 };
#include "kernels_body.h"
#include "integer_body.h"
#include "bf16_body.h"
#include "float8_body.h"
#include "pair_attention_body.h"
#include "chains_body.h"
#include "table_body.h"

void bb_fill_avx2(bb_kernel_table *table) { fill(table, BB_ISA_AVX2); }

#pragma clang attribute pop
#endif
