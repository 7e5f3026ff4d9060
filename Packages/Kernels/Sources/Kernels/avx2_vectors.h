// Sixteen floats or lanes of 32 bits in two registers of AVX2: the operations that scalar_vectors.h explains, but for dot products of
// integers, and the sizes of tiles. Included where the processor's features are switched on.
typedef struct { __m256 a, b; } v16;

static inline v16 v_set(float x) { return (v16){_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
static inline v16 v_load(const float *p) { return (v16){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
static inline void v_store(float *p, v16 x) { _mm256_storeu_ps(p, x.a); _mm256_storeu_ps(p + 8, x.b); }
#define LANEWISE(NAME, OPERATION)                                                       \
  static inline v16 NAME(v16 x, v16 y) { return (v16){OPERATION(x.a, y.a), OPERATION(x.b, y.b)}; }
LANEWISE(v_add, _mm256_add_ps)
LANEWISE(v_sub, _mm256_sub_ps)
LANEWISE(v_mul, _mm256_mul_ps)
LANEWISE(v_div, _mm256_div_ps)
LANEWISE(v_max, _mm256_max_ps)
LANEWISE(v_min, _mm256_min_ps)
static inline v16 v_abs(v16 x) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return (v16){_mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b)};
}
static inline v16 v_fma(v16 x, v16 y, v16 z) {
  return (v16){_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}
static inline __m256 round8(__m256 x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
static inline v16 v_round(v16 x) { return (v16){round8(x.a), round8(x.b)}; }
static inline __m256 two_to8(__m256 n) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
}
static inline __m256 times_two_to8(__m256 x, float limit, __m256 y, __m256 n) {
  return _mm256_andnot_ps(_mm256_cmp_ps(x, _mm256_set1_ps(limit), _CMP_LT_OQ), _mm256_mul_ps(y, two_to8(n)));
}
static inline v16 v_times_two_to(v16 x, float limit, v16 y, v16 n) {
  return (v16){times_two_to8(x.a, limit, y.a, n.a), times_two_to8(x.b, limit, y.b, n.b)};
}
static inline float v_sum(v16 x) {
  const __m256 eight = _mm256_add_ps(x.a, x.b);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
static inline float v_reduce_max(v16 x) {
  const __m256 eight = _mm256_max_ps(x.a, x.b);
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

static inline __m256i bytes32(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
static inline __m256 f16x8(const uint8_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
static inline v16 v_load_f16(const uint8_t *p) { return (v16){f16x8(p), f16x8(p + 16)}; }
static inline __m256 bf16x8(const uint8_t *p) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)), 16));
}
static inline v16 v_load_bf16(const uint8_t *p) { return (v16){bf16x8(p), bf16x8(p + 16)}; }

// The low 16 bits of each 32-bit lane as half floats.
static inline __m256 low_f16(__m256i v) {
  const __m256i packed = _mm256_packus_epi32(_mm256_and_si256(v, _mm256_set1_epi32(0xffff)), _mm256_setzero_si256());
  const __m256i joined = _mm256_permute4x64_epi64(packed, 0x08);
  return _mm256_cvtph_ps(_mm256_castsi256_si128(joined));
}
static inline void v_line_f16(const uint8_t *p, v16 *w) {
  const __m256i a = bytes32(p), b = bytes32(p + 32);
  w[0] = (v16){low_f16(a), low_f16(b)};
  w[1] = (v16){low_f16(_mm256_srli_epi32(a, 16)), low_f16(_mm256_srli_epi32(b, 16))};
}
static inline void v_line_bf16(const uint8_t *p, v16 *w) {
  const __m256i a = bytes32(p), b = bytes32(p + 32), high = _mm256_set1_epi32((int)0xffff0000u);
  w[0] = (v16){_mm256_castsi256_ps(_mm256_slli_epi32(a, 16)), _mm256_castsi256_ps(_mm256_slli_epi32(b, 16))};
  w[1] = (v16){_mm256_castsi256_ps(_mm256_and_si256(a, high)), _mm256_castsi256_ps(_mm256_and_si256(b, high))};
}
static inline __m256 field8(__m256i v, int shift, int mask) {
  return _mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srli_epi32(v, shift), _mm256_set1_epi32(mask)));
}
static inline void v_line_int8(const uint8_t *p, v16 *w) {
  const __m256i a = bytes32(p), b = bytes32(p + 32);
  for (int j = 0; j < 4; j++) w[j] = (v16){field8(a, 8 * j, 255), field8(b, 8 * j, 255)};
}
static inline void v_line_int4(const uint8_t *p, v16 *w) {
  const __m256i a = bytes32(p), b = bytes32(p + 32);
  for (int j = 0; j < 4; j++) {
    w[j] = (v16){field8(a, 8 * j, 15), field8(b, 8 * j, 15)};
    w[j + 4] = (v16){field8(a, 8 * j + 4, 15), field8(b, 8 * j + 4, 15)};
  }
}
// 8-bit floats in the highest bytes of lanes: their digits where a float has them count 2^120 times too little.
static inline __m256 float8x8(__m256i v) {
  const __m256i digits = _mm256_and_si256(_mm256_srai_epi32(v, 4), _mm256_set1_epi32((int)0x87f00000u));
  return _mm256_mul_ps(_mm256_castsi256_ps(digits), _mm256_set1_ps(0x1p120f));
}
static inline void v_line_float8(const uint8_t *p, v16 *w) {
  const __m256i a = bytes32(p), b = bytes32(p + 32);
  for (int j = 0; j < 4; j++)
    w[j] = (v16){float8x8(_mm256_slli_epi32(a, 24 - 8 * j)), float8x8(_mm256_slli_epi32(b, 24 - 8 * j))};
}

// Both BF16 numbers of a pair: one broadcast of 32 bits, then a shift and a mask.
#define V_PAIR
static inline void v_pair(const uint16_t *x, v16 *even, v16 *odd) {
  int32_t two;
  memcpy(&two, x, 4);
  const __m256i both = _mm256_set1_epi32(two);
  const __m256 first = _mm256_castsi256_ps(_mm256_slli_epi32(both, 16));
  const __m256 second = _mm256_castsi256_ps(_mm256_and_si256(both, _mm256_set1_epi32(-65536)));
  *even = (v16){first, first}, *odd = (v16){second, second};
}

// Integer lanes: see scalar_vectors.h.
typedef struct { __m256i a, b; } l16;
static inline l16 l_set(int32_t x) { return (l16){_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
static inline l16 l_load(const uint8_t *p) { return (l16){bytes32(p), bytes32(p + 32)}; }
static inline void l_store(uint8_t *p, l16 x) {
  _mm256_storeu_si256((__m256i *)p, x.a);
  _mm256_storeu_si256((__m256i *)(p + 32), x.b);
}
static inline l16 l_add(l16 x, l16 y) { return (l16){_mm256_add_epi32(x.a, y.a), _mm256_add_epi32(x.b, y.b)}; }
static inline l16 l_field(l16 x, int shift, int mask) {
  const __m256i bits = _mm256_set1_epi8((char)mask);
  return (l16){_mm256_and_si256(_mm256_srli_epi32(x.a, shift), bits), _mm256_and_si256(_mm256_srli_epi32(x.b, shift), bits)};
}
static inline l16 l_flip(l16 x, int mask) {
  const __m256i bits = _mm256_set1_epi8((char)mask);
  return (l16){_mm256_xor_si256(x.a, bits), _mm256_xor_si256(x.b, bits)};
}
static inline l16 l_less(l16 x, int number) {
  const __m256i all = _mm256_set1_epi8((char)number);
  return (l16){_mm256_sub_epi8(x.a, all), _mm256_sub_epi8(x.b, all)};
}
static inline l16 l_join(l16 high, l16 low) {
  return (l16){_mm256_add_epi32(_mm256_slli_epi32(high.a, 8), low.a), _mm256_add_epi32(_mm256_slli_epi32(high.b, 8), low.b)};
}
static inline l16 l_words(l16 x, int shift, int mask) {
  const __m256i bits = _mm256_set1_epi16((short)mask);
  return (l16){_mm256_and_si256(_mm256_srli_epi32(x.a, shift), bits), _mm256_and_si256(_mm256_srli_epi32(x.b, shift), bits)};
}
static inline v16 v_from_lanes(l16 x) { return (v16){_mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b)}; }
static inline l16 l_bits(v16 x) { return (l16){_mm256_castps_si256(x.a), _mm256_castps_si256(x.b)}; }
// Lanes below 2^16 as 16 numbers of 16 bits, in order.
static inline __m256i words(__m256i a, __m256i b) { return _mm256_permute4x64_epi64(_mm256_packus_epi32(a, b), 0xd8); }
static inline void l_store_bytes(int8_t *p, l16 x) {
  const __m256i bits = _mm256_set1_epi32(255);
  const __m256i n = words(_mm256_and_si256(x.a, bits), _mm256_and_si256(x.b, bits));
  _mm_storeu_si128((__m128i *)p, _mm_packus_epi16(_mm256_castsi256_si128(n), _mm256_extracti128_si256(n, 1)));
}
static inline void l_store_words(int16_t *p, l16 x) {
  const __m256i bits = _mm256_set1_epi32(0xffff);
  const __m256i a = _mm256_shuffle_epi32(_mm256_and_si256(x.a, bits), 0xd8);
  const __m256i b = _mm256_shuffle_epi32(_mm256_and_si256(x.b, bits), 0xd8);
  _mm256_storeu_si256((__m256i *)p, words(a, b));
}
static inline void l_store_split(int8_t *high, int8_t *low, l16 x) {
  const l16 upper = {_mm256_add_epi32(x.a, _mm256_set1_epi32(128)), _mm256_add_epi32(x.b, _mm256_set1_epi32(128))};
  l_store_bytes(low, x);
  l_store_bytes(high, (l16){_mm256_srli_epi32(upper.a, 8), _mm256_srli_epi32(upper.b, 8)});
}

// What fits sixteen registers.
enum { ATTEND_ROWS = 1 };
enum { TILE_TOKENS = 2, TILE_BLOCKS = 1 };
enum { PANEL_TOKENS = 3, PANEL_REST = 2, PANEL_MIN = 8 };
enum { BF16_TILE = 4, PAIR_ROWS = 2, PAIR_REST = 1, PAIR_COLUMNS = 2 };
enum { FLOAT8_TILE = 6 };
enum { CHAIN_TOKENS = 2, CHAIN_ROWS = 1 };
enum { PREFETCH_ALONE = 2048 };
