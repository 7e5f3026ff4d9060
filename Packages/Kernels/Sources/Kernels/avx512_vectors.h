// Sixteen floats or lanes of 32 bits in one register of AVX-512: the operations that scalar_vectors.h explains. Included where
// the processor's features are switched on.
typedef __m512 v16;

static inline v16 v_set(float x) { return _mm512_set1_ps(x); }
static inline v16 v_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void v_store(float *p, v16 x) { _mm512_storeu_ps(p, x); }
static inline v16 v_add(v16 x, v16 y) { return _mm512_add_ps(x, y); }
static inline v16 v_sub(v16 x, v16 y) { return _mm512_sub_ps(x, y); }
static inline v16 v_mul(v16 x, v16 y) { return _mm512_mul_ps(x, y); }
static inline v16 v_div(v16 x, v16 y) { return _mm512_div_ps(x, y); }
static inline v16 v_max(v16 x, v16 y) { return _mm512_max_ps(x, y); }
static inline v16 v_min(v16 x, v16 y) { return _mm512_min_ps(x, y); }
static inline v16 v_abs(v16 x) { return _mm512_abs_ps(x); }
static inline v16 v_fma(v16 x, v16 y, v16 z) { return _mm512_fmadd_ps(x, y, z); }
static inline v16 v_round(v16 x) {
  return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline v16 v_times_two_to(v16 x, float limit, v16 y, v16 n) {
  return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(x, _mm512_set1_ps(limit), _CMP_NLT_UQ), y, n);
}
static inline float v_sum(v16 x) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
static inline float v_reduce_max(v16 x) {
  const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

// Two or four vectors by one tree: the same halves are added as v_sum and v_reduce_max have it.
#define V_ROWS
static inline __m512 halves(__m512 x, __m512 y, int odd) {
  return odd ? _mm512_shuffle_f32x4(x, y, 0xee) : _mm512_shuffle_f32x4(x, y, 0x44);
}
#define ROWS_TREE(NAME, ONE, OP)                                                                        \
  static inline void NAME(const int rows, const __m512 *x, float *out) {                                \
    if (rows == 1) {                                                                                    \
      *out = ONE(x[0]);                                                                                 \
      return;                                                                                           \
    }                                                                                                   \
    const int last = rows - 1;                                                                          \
    const __m512 a = OP(halves(x[0], x[1], 0), halves(x[0], x[1], 1));                                  \
    const __m512 b = rows == 2 ? a : OP(halves(x[2 % rows], x[last], 0), halves(x[2 % rows], x[last], 1)); \
    __m512 c = OP(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));                  \
    c = OP(c, _mm512_permute_ps(c, 0x4e));                                                              \
    c = OP(c, _mm512_permute_ps(c, 0xb1));                                                              \
    const __m512i lanes = _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);            \
    const __m128 sums = _mm512_castps512_ps128(_mm512_permutexvar_ps(lanes, c));                        \
    if (rows == 2) _mm_storel_pi((__m64 *)out, sums);                                                   \
    else _mm_storeu_ps(out, sums);                                                                      \
  }
ROWS_TREE(v_sum_rows, v_sum, _mm512_add_ps)
ROWS_TREE(v_reduce_max_rows, v_reduce_max, _mm512_max_ps)

static inline v16 v_load_f16(const uint8_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
static inline v16 v_load_bf16(const uint8_t *p) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)), 16));
}
static inline void v_line_f16(const uint8_t *p, v16 *w) {
  const __m512i v = _mm512_loadu_si512(p);
  w[0] = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(v));
  w[1] = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(v, 16)));
}
static inline void v_line_bf16(const uint8_t *p, v16 *w) {
  const __m512i v = _mm512_loadu_si512(p);
  w[0] = _mm512_castsi512_ps(_mm512_slli_epi32(v, 16));
  w[1] = _mm512_castsi512_ps(_mm512_and_si512(v, _mm512_set1_epi32((int)0xffff0000u)));
}
static inline v16 field(__m512i v, unsigned shift, int mask) {
  return _mm512_cvtepi32_ps(_mm512_and_si512(_mm512_srli_epi32(v, shift), _mm512_set1_epi32(mask)));
}
static inline void v_line_int8(const uint8_t *p, v16 *w) {
  const __m512i v = _mm512_loadu_si512(p);
  for (int j = 0; j < 4; j++) w[j] = field(v, 8 * j, 255);
}
// 8-bit floats in the highest bytes of lanes: their digits where a float has them count 2^120 times too little.
static inline void v_line_float8(const uint8_t *p, v16 *w) {
  const __m512i v = _mm512_loadu_si512(p);
  for (int j = 0; j < 4; j++) {
    const __m512i code = _mm512_slli_epi32(v, (unsigned)(24 - 8 * j));
    const __m512i digits = _mm512_and_si512(_mm512_srai_epi32(code, 4), _mm512_set1_epi32((int)0x87f00000u));
    w[j] = _mm512_mul_ps(_mm512_castsi512_ps(digits), v_set(0x1p120f));
  }
}
// The lowest four bits of each lane look their float up: one instruction for a mask and a conversion.
static inline v16 nibbles(void) { return _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15); }
static inline void look_up_nibbles(const uint8_t *p, v16 floats, v16 *w) {
  const __m512i v = _mm512_loadu_si512(p);
  for (int j = 0; j < 4; j++) {
    w[j] = _mm512_permutexvar_ps(_mm512_srli_epi32(v, 8 * j), floats);
    w[j + 4] = _mm512_permutexvar_ps(_mm512_srli_epi32(v, 8 * j + 4), floats);
  }
}
// One instruction puts a byte under the exponent of 2^23, where it counts ones; the difference is exact.
#define V_LINES_LESS
static inline void v_line_int8_less(const uint8_t *p, float zero, v16 *w) {
  const __m512i v = _mm512_loadu_si512(p), byte = _mm512_set1_epi32(255), above = _mm512_castps_si512(v_set(0x1p23f));
  const v16 less = v_set(0x1p23f + zero);
  for (int j = 0; j < 4; j++) {
    const __m512i bits = _mm512_ternarylogic_epi32(_mm512_srli_epi32(v, 8 * j), byte, above, 0xea);  // (a & b) | c
    w[j] = _mm512_sub_ps(_mm512_castsi512_ps(bits), less);
  }
}
static inline void v_line_int4(const uint8_t *p, v16 *w) { look_up_nibbles(p, nibbles(), w); }
static inline void v_line_int4_less(const uint8_t *p, float zero, v16 *w) {
  look_up_nibbles(p, _mm512_sub_ps(nibbles(), v_set(zero)), w);
}

// Both BF16 numbers of a pair: one broadcast of 32 bits, then a shift and a mask.
#define V_PAIR
static inline void v_pair(const uint16_t *x, v16 *even, v16 *odd) {
  int32_t two;
  memcpy(&two, x, 4);
  const __m512i both = _mm512_set1_epi32(two);
  *even = _mm512_castsi512_ps(_mm512_slli_epi32(both, 16));
  *odd = _mm512_castsi512_ps(_mm512_and_si512(both, _mm512_set1_epi32(-65536)));
}

// Integer lanes: see scalar_vectors.h.
typedef __m512i l16;
static inline l16 l_set(int32_t x) { return _mm512_set1_epi32(x); }
static inline l16 l_load(const uint8_t *p) { return _mm512_loadu_si512(p); }
static inline void l_store(uint8_t *p, l16 x) { _mm512_storeu_si512(p, x); }
static inline l16 l_add(l16 x, l16 y) { return _mm512_add_epi32(x, y); }
static inline l16 l_field(l16 x, int shift, int mask) {
  return _mm512_and_si512(_mm512_srli_epi32(x, shift), _mm512_set1_epi8((char)mask));
}
static inline l16 l_flip(l16 x, int mask) { return _mm512_xor_si512(x, _mm512_set1_epi8((char)mask)); }
static inline l16 l_less(l16 x, int number) { return _mm512_sub_epi8(x, _mm512_set1_epi8((char)number)); }
static inline l16 l_join(l16 high, l16 low) { return _mm512_add_epi32(_mm512_slli_epi32(high, 8), low); }
static inline l16 l_dot(l16 sum, l16 codes, const int8_t *x) {
  int32_t four;
  memcpy(&four, x, 4);
  return _mm512_dpbusd_epi32(sum, codes, _mm512_set1_epi32(four));
}
static inline l16 l_words(l16 x, int shift, int mask) {
  return _mm512_and_si512(_mm512_srli_epi32(x, shift), _mm512_set1_epi16((short)mask));
}
static inline l16 l_dot_words(l16 sum, l16 words, const int16_t *x) {
  int32_t two;
  memcpy(&two, x, 4);
  return _mm512_dpwssd_epi32(sum, words, _mm512_set1_epi32(two));
}
static inline l16 l_dot_signed(l16 sum, l16 codes, const uint8_t *x) {
  int32_t four;
  memcpy(&four, x, 4);
  return _mm512_dpbusd_epi32(sum, _mm512_set1_epi32(four), codes);
}
static inline v16 v_from_lanes(l16 x) { return _mm512_cvtepi32_ps(x); }
static inline l16 l_bits(v16 x) { return _mm512_castps_si512(x); }
static inline void l_store_bytes(int8_t *p, l16 x) { _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(x)); }
static inline void l_store_words(int16_t *p, l16 x) {
  _mm256_storeu_si256((__m256i *)p, _mm512_cvtepi32_epi16(_mm512_shuffle_epi32(x, _MM_PERM_DBCA)));
}
static inline void l_store_split(int8_t *high, int8_t *low, l16 x) {
  l_store_bytes(low, x);
  l_store_bytes(high, _mm512_srli_epi32(_mm512_add_epi32(x, _mm512_set1_epi32(128)), 8));
}
