// The arithmetic that has to be fast, one table of functions per instruction set.
//
// Every function does the same floating-point operations in the same order on every instruction set, so all
// tables give the same bits. `bb_kernels()` is the table in use; tests take each one by `bb_kernels_for`.
#ifndef BB_KERNELS_H
#define BB_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// AVX512BF16 is AVX512 with an instruction for `multiply_bf16`.
typedef enum {
  BB_ISA_SCALAR = 0,
  BB_ISA_AVX2 = 1,
  BB_ISA_AVX512 = 2,
  BB_ISA_AVX512BF16 = 3,
  BB_ISA_NEON = 4,
  BB_ISA_COUNT = 5
} bb_isa;

// How floats are stored.
typedef enum { BB_F32 = 0, BB_F16 = 1, BB_BF16 = 2 } bb_float_format;

// How a weight matrix is stored: rows in blocks of 16, and inside a block "lines" that hold the same few
// inputs of all 16 rows. A matrix of K inputs has ceil(K / inputs per line) lines a block; the last line is
// filled up with anything finite (it is multiplied by zero).
//
//   BB_ROWS_F32    128-byte lines: 2 inputs, each 16 floats
//   BB_ROWS_F16     64-byte lines: 16 rows x 2 inputs
//   BB_ROWS_BF16    64-byte lines: 16 rows x 2 inputs
//   BB_ROWS_INT8    64-byte lines: 16 rows x 4 inputs, unsigned codes
//   BB_ROWS_INT4    64-byte lines: 16 rows x 4 bytes; byte j holds input j (low nibble) and input j + 4 (high)
typedef enum {
  BB_ROWS_F32 = 0,
  BB_ROWS_F16 = 1,
  BB_ROWS_BF16 = 2,
  BB_ROWS_INT8 = 3,
  BB_ROWS_INT4 = 4,
  BB_ROWS_COUNT = 5
} bb_row_format;

enum { BB_BLOCK = 16, BB_PAGE = 64 };

// One matrix [rows, inputs]. Integer formats: weight = scale * (code - zero), one scale (and perhaps zero) for
// `group` inputs of a row; `group` is a multiple of 8 or not below `inputs`.
typedef struct {
  bb_row_format format;
  size_t rows, inputs, group;
  const uint8_t *lines;         // [blocks][lines][line bytes]
  const uint8_t *scales;        // [blocks][groups][16] in scale_format; NULL for float formats
  bb_float_format scale_format;
  const float *zeros;           // [blocks][groups][16], or NULL: all are `zero`
  float zero;                   // a whole number
} bb_matrix;

// Rows of activations rounded to 8 bits, x = scale * code with one scale for `group` inputs of a row. For a matrix,
// `group` divides its group or, where that is a whole row, is a multiple of 8; see `bb_activation_group`.
typedef struct {
  size_t stride, group, groups;  // codes from row to row, inputs a group, groups a row
  const int8_t *codes;           // [tokens][stride], 0 behind the last input up to a multiple of 8
  const float *scales;           // [tokens][groups]
  const int32_t *sums;           // [tokens][groups]: the sum of a group's codes
} bb_activations;

// Inputs that share a scale when activations are rounded for a matrix of this group and number of inputs: its group, or
// 128 where that divides the group or the group is a whole row.
static inline size_t bb_activation_group(size_t group, size_t inputs) {
  return group > 128 && (group % 128 == 0 || group >= inputs) ? 128 : group < inputs ? group : inputs;
}

static inline size_t bb_inputs_per_line(bb_row_format f) {
  return f == BB_ROWS_INT4 ? 8 : f == BB_ROWS_INT8 ? 4 : 2;
}
static inline size_t bb_line_bytes(bb_row_format f) { return f == BB_ROWS_F32 ? 128 : 64; }

// How the keys or values of a page are stored: as floats, or as unsigned codes with value = offset + scale * code.
typedef enum {
  BB_KV_F32 = 0,
  BB_KV_F16 = 1,
  BB_KV_BF16 = 2,
  BB_KV_INT8 = 3,
  BB_KV_INT4 = 4,
  BB_KV_INT2 = 5,
  BB_KV_COUNT = 6
} bb_kv_format;

// Along what the codes lie that share a scale.
typedef enum { BB_KV_ALONG_TOKENS = 0, BB_KV_ALONG_COMPONENTS = 1 } bb_kv_axis;

// Keys or values of one head in a page of 64 tokens; d is the width of a head, dv = d rounded up to 16.
//
// Floats: keys [d rounded up to 2][64], values [64][dv]. Those of 16 bits: keys [d / 2, rounded up][64][2], values
// [32][dv][2], so that what is added up in pairs lies side by side.
// Codes, in lines of 64 bytes like those of weights: byte j of lane i holds, lowest bits first, every fourth code from
// j on of the lane's 4 (INT8), 8 (INT4) or 16 (INT2) codes.
//   keys:   4, 8 or 16 components, dv in all, in 4 lines; lane i of line j has each component of token 16 j + i
//   values: [dv / 16] columns of 16 components, in lines of 4, 8 or 16 tokens; lane i has component i of each token
// scales and offsets: along tokens [64 / group][dv], group 32 or 64 tokens, for keys alone; along components
// [dv / group, rounded up][64], group 32, 64 or 128 components. Without offsets the middle code (128, 8, 2) means 0.
typedef struct {
  bb_kv_format format;
  bb_float_format scale_format;  // BB_F16 or BB_F32
  bb_kv_axis axis;               // of values: BB_KV_ALONG_COMPONENTS
  size_t group;
  const void *entries;
  const void *scales;
  const void *offsets;  // NULL: symmetric
} bb_kv_block;

// The tokens [first, last) of a page for all heads: `keys` and `values` are those of head 0, and whatever they point to of
// head h lies h * head_bytes further on. They are read in the order keys' scales, offsets, entries, then those of the values, and
// from the first on, as many bytes are asked for before they are read. Of several tokens that attend, the t-th sees those below
// seen + t alone.
typedef struct {
  bb_kv_block keys, values;
  size_t head_bytes, first, last;
  ptrdiff_t seen;
} bb_kv_piece;

// How a scale is found. ASYMMETRIC: (max - min) / (2^b - 1), offset min. ABSMAX: absmax / (2^(b-1) - 1).
// FULL: 2 absmax / (2^b - 1), its largest value clipped. HQQ: the scale of ASYMMETRIC, and an offset that half-quadratic
// steps move to where few errors are large.
typedef enum { BB_KV_ASYMMETRIC = 0, BB_KV_ABSMAX = 1, BB_KV_FULL = 2, BB_KV_HQQ = 3 } bb_kv_scheme;

// What attention rounds queries and weights to. EXACT: to whole numbers of two bytes where a page holds codes, else to nothing.
// BF16: as EXACT, and to BF16 where a page holds BF16, with denormal numbers taken for 0. INT8: as BF16, but to one byte
// where a page holds codes.
typedef enum { BB_ATTEND_EXACT = 0, BB_ATTEND_BF16 = 1, BB_ATTEND_INT8 = 2 } bb_attend_numerics;

typedef struct {
  bb_isa isa;

  // y[t][r] = sum over k of x[t][k] * w[r][k] for the rows of blocks [first, last). x: [tokens][ldx], y: [tokens][ldy].
  // The result of a row and token does not depend on the other rows and tokens of the call.
  void (*multiply)(const bb_matrix *w, const float *x, size_t ldx, size_t tokens, float *y, size_t ldy,
                   size_t first, size_t last);

  // Rounds a row of activations to 8 bits, `group` inputs to a scale: scale = highest magnitude / 127, to nearest even.
  // NaN and infinity make the scale of their group NaN. codes: n rounded up to 8.
  void (*quantize)(const float *x, size_t n, size_t group, int8_t *codes, float *scales, int32_t *sums);
  // As `multiply`, for integer formats and activations rounded by `quantize`. A group of inputs has at most 65536.
  void (*multiply_integer)(const bb_matrix *w, const bb_activations *x, size_t tokens, float *y, size_t ldy,
                           size_t first, size_t last);

  // As `multiply`, for BF16 weights and activations in BF16: x [tokens][ldx], 0 behind the last input where their number is
  // odd. Denormal numbers count as 0, the sums' own included.
  void (*multiply_bf16)(const bb_matrix *w, const uint16_t *x, size_t ldx, size_t tokens, float *y, size_t ldy,
                        size_t first, size_t last);

  // dst[i] = float(src[i]).
  void (*widen)(const void *src, bb_float_format format, float *dst, size_t n);
  // dst[i] = src[i] rounded to nearest even in `format`.
  void (*narrow)(const float *src, bb_float_format format, void *dst, size_t n);

  // y = x / sqrt(mean(x^2) + eps) * weight.
  void (*rms_norm)(const float *x, const float *weight, float eps, size_t n, float *y);
  // Rotates x[i], x[i + half] by the angle whose cosine and sine are given, i < half.
  void (*rotate)(float *x, const float *cosine, const float *sine, size_t half);
  // x = H x / sqrt(n), H the Hadamard matrix in natural order, n a power of two: a rotation that undoes itself.
  void (*hadamard)(float *x, size_t n);
  // y[i] = gate[i] / (1 + exp(-gate[i])) * up[i].
  void (*silu_multiply)(const float *gate, const float *up, float *y, size_t n);
  // x[i] += y[i].
  void (*add)(float *x, const float *y, size_t n);
  // y[i] = x[i] / divisor.
  void (*divide)(const float *x, float divisor, size_t n, float *y);
  // y[i] = exp(x[i] - shift); returns the sum of y.
  float (*exp_sum)(const float *x, float shift, float *y, size_t n);
  // The highest of at least one number; NaN where one is NaN or infinite.
  float (*highest)(const float *x, size_t n);
  // The first index from `from` on at which a number, none of them NaN, is above `limit`; or n.
  size_t (*first_above)(const float *x, size_t from, size_t n, float limit);

  // Attention by running softmax: queries q [kv_count][tokens][heads][d] against `count` pieces of pages of the KV heads from
  // kv_first on. scale: above 0. state: per query [dv] weighted values, then the running maximum, then the running sum: stride
  // dv + 16 floats.
  // A query's result does not depend on the other queries of the call, nor on how the pieces are cut into calls; a token
  // that sees nothing of a piece has to see something of an earlier one.
  void (*attend)(const float *q, size_t tokens, size_t heads, size_t d, const bb_kv_piece *pieces, size_t count,
                 size_t kv_first, size_t kv_count, float scale, bb_attend_numerics numerics, float *state);
  // The products that `attend` weighs by: scores[h][64] of q [heads][d] with the keys of a page.
  void (*key_scores)(const float *q, size_t heads, size_t d, const bb_kv_block *keys, float *scores);

  // Round the tokens [first, last) of a page of floats to codes: `to` says how, and where the codes, scales and offsets go;
  // its bytes were zero at first. Tokens that share a scale are rounded together. Each code is the nearest one for the
  // scale and offset as they are stored; ties go to the even code.
  void (*encode_keys)(const bb_kv_block *from, size_t d, size_t first, size_t last, bb_kv_scheme scheme,
                      const bb_kv_block *to);
  void (*encode_values)(const bb_kv_block *from, size_t d, size_t first, size_t last, bb_kv_scheme scheme,
                        const bb_kv_block *to);

  // y = (x - mean(x)) / sqrt(var(x) + eps) * weight + bias; bias may be NULL. y may be x.
  void (*layer_norm)(const float *x, const float *weight, const float *bias, float eps, size_t n, float *y);
  // x = x / 2 * (1 + erf(x / sqrt 2)).
  void (*gelu)(float *x, size_t n);
  // x = max(x, 0).
  void (*relu)(float *x, size_t n);
} bb_kernel_table;

// The table of one instruction set, or NULL where this machine cannot run it.
const bb_kernel_table *bb_kernels_for(bb_isa isa);
// The best table of this machine, or the one that the environment variable BITBUDGET_ISA names.
const bb_kernel_table *bb_kernels(void);
// NULL, or what is wrong with the value of BITBUDGET_ISA.
const char *bb_isa_problem(void);
const char *bb_isa_name(bb_isa isa);

// Packing, done once when a matrix is loaded. `src` holds up to 16 rows of a block, row-major.
// Float formats keep the bits; elements have 2 bytes (F16, BF16) or 4 (F32).
void bb_pack_floats(bb_row_format format, const void *src, size_t rows, size_t inputs, uint8_t *lines);
// codes: one byte per input, below 256 (INT8) or 16 (INT4).
void bb_pack_codes(bb_row_format format, const uint8_t *codes, size_t rows, size_t inputs, uint8_t *lines);
// One row of a packed block back as floats (float formats) or as codes (integer formats).
void bb_unpack_floats(bb_row_format format, const uint8_t *lines, size_t row, size_t inputs, float *dst);
void bb_unpack_codes(bb_row_format format, const uint8_t *lines, size_t row, size_t inputs, uint8_t *dst);

// Writes one token's key and value [d] into slot `slot` of a page of floats; see bb_kv_block.
void bb_page_store(bb_float_format format, const float *key, const float *value, size_t d, size_t slot,
                   void *keys, void *values);

// One token's key or value [d] out of a page of any format.
void bb_page_read_key(const bb_kv_block *keys, size_t d, size_t slot, float *key);
void bb_page_read_value(const bb_kv_block *values, size_t d, size_t slot, float *value);
// Takes the codes, scales and offsets of one token along, bit for bit; both blocks have one format of codes and share
// scales along components, over one group.
void bb_page_move_key(const bb_kv_block *from, size_t d, size_t slot, const bb_kv_block *to, size_t to_slot);
void bb_page_move_value(const bb_kv_block *from, size_t d, size_t slot, const bb_kv_block *to, size_t to_slot);

#ifdef __cplusplus
}
#endif
#endif
