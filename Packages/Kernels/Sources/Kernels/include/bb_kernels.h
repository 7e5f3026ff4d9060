// The arithmetic that has to be fast, one table of functions per instruction set.
//
// Every function does the same floating-point operations in the same order on every instruction set, so all
// tables give the same bits. `bb_kernels()` is the table in use; tests take each one by `bb_kernels_for`.
#ifndef BB_KERNELS_H
#define BB_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "bb_weights.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

// AVXVNNI is AVX2 with instructions for products of integers, AVX512BF16 is AVX512 with an instruction for products of BF16 pairs, AMX that with tile registers; TILE_MODEL is SCALAR with
// tile registers in plain C, for tests.
typedef enum {
  BB_ISA_SCALAR = 0,
  BB_ISA_AVX2 = 1,
  BB_ISA_AVXVNNI = 2,
  BB_ISA_AVX512 = 3,
  BB_ISA_AVX512BF16 = 4,
  BB_ISA_NEON = 5,
  BB_ISA_AMX = 6,
  BB_ISA_TILE_MODEL = 7,
  BB_ISA_COUNT = 8
} bb_isa;

enum { BB_PAGE = 64 };

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
  const void *_Null_unspecified entries;
  const void *_Null_unspecified scales;
  const void *_Null_unspecified offsets;  // NULL: symmetric
} bb_kv_block;

// The tokens [first, last) of a page for all heads: `keys` and `values` are those of head 0, and whatever they point to of
// head h lies h * head_bytes further on. They are read in the order keys' scales, offsets, entries, then those of the values, and
// from the first on, head_bytes are prefetched. Of several tokens that attend, the t-th sees those below
// seen + t alone. Where there are slopes, [KV heads][query heads of one], in BF16, a score gains slope * position, factors and
// product rounded to BF16 (ALiBi as Falcon has it); `position` is that of the page's first slot.
typedef struct {
  bb_kv_block keys, values;
  size_t head_bytes, first, last;
  ptrdiff_t seen;
  const float *_Nullable slopes;
  size_t position;
} bb_kv_piece;

// How a scale is found. ASYMMETRIC: (max - min) / (2^b - 1), offset min. ABSMAX: absmax / (2^(b-1) - 1).
// FULL: 2 absmax / (2^b - 1), its largest value clipped. HQQ: the scale of ASYMMETRIC, and an offset that half-quadratic
// steps move to where few errors are large.
typedef enum { BB_KV_ASYMMETRIC = 0, BB_KV_ABSMAX = 1, BB_KV_FULL = 2, BB_KV_HQQ = 3 } bb_kv_scheme;

// What attention quantizes queries and softmax weights to. EXACT: to integers of two bytes where a page holds codes, else to nothing.
// BF16: as EXACT, and to BF16 where a page holds BF16, with denormal numbers taken for 0. INT8: as BF16, but to one byte
// where a page holds codes.
// BF16_CHAINS and INT8_CHAINS: as these, with the products of BF16 in the order of chains_body.h.
typedef enum {
  BB_ATTEND_EXACT = 0,
  BB_ATTEND_BF16 = 1,
  BB_ATTEND_INT8 = 2,
  BB_ATTEND_BF16_CHAINS = 3,
  BB_ATTEND_INT8_CHAINS = 4
} bb_attend_numerics;

// Tokens of one head of a gated delta rule: keys and queries, values, output; of each token how much of the state stays and how
// strongly it is corrected. Numbers of a token follow those of the one before at a distance.
typedef struct {
  const float *query, *key, *value;
  size_t ld;  // of queries, keys and values
  const float *decay, *strength;
  size_t ld_decay, ld_strength;
  float *output;
  size_t ld_output;
} bb_delta_tokens;

// The most taps of `causal_convolution`.
enum { BB_MOST_TAPS = 8 };

// y[t][r] = sum over k of x[t][k] * w[r][k] for the rows of blocks [first, last) of a matrix; y: [tokens][ldy]. The result of a
// row and token does not depend on the other rows and tokens of the call. Which formats it takes is its place in the table.
typedef void (*bb_product)(const bb_matrix *w, const bb_activations *x, size_t tokens, float *y,
                           size_t ldy, size_t first, size_t last);

// The place in a table of products that do not exist: says so and ends the process.
void bb_no_product(const bb_matrix *w, const bb_activations *x, size_t tokens, float *y, size_t ldy,
                   size_t first, size_t last);

typedef struct {
  bb_isa isa;

  // By the formats of weights and activations. Of BF16 pairs, denormal numbers count as 0, the sums' own included. A group of
  // 8-bit activations has at most 65536 inputs, one of 16-bit activations at most 256.
  bb_product _Nonnull products[BB_ROWS_COUNT][BB_ACTIVATIONS_COUNT];

  // Quantizes a row of activations to 8 bits, `group` inputs to a scale: scale = max magnitude / 127, to nearest even.
  // NaN and infinity make the scale of their group NaN. codes: n rounded up to 8.
  void (*quantize)(const float *x, size_t n, size_t group, int8_t *codes, float *scales, int32_t *sums);
  // The same to 16 bits, scale = max magnitude / 32767, in the order that bb_activations names.
  void (*quantize16)(const float *x, size_t n, size_t group, int16_t *codes, float *scales, int32_t *sums);
  // Codes of -127...127 as the nearest unsigned ones of `bits`, 8 or 4, which count from 128 or 8. Returns the sum of the
  // squares of the latter, counted from there; n up to 65536.
  int32_t (*recode)(const int8_t *codes, size_t n, unsigned bits, uint8_t *recoded);

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
  // x[i] += factor * y[i], rounded once.
  void (*add_scaled)(float *x, const float *y, float factor, size_t n);
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
  void (*layer_norm)(const float *x, const float *weight, const float *_Nullable bias, float eps, size_t n, float *y);
  // x = x / 2 * (1 + erf(x / sqrt 2)).
  void (*gelu)(float *x, size_t n);
  // x = max(x, 0).
  void (*relu)(float *x, size_t n);
  // y[i] = x[i] / (1 + exp(-gate[i])).
  void (*sigmoid_multiply)(const float *gate, const float *x, float *y, size_t n);

  // Of n channels, in place: x[t][c] = silu(sum over j of weights[j][c] * x[t - taps + 1 + j][c]), 1 to BB_MOST_TAPS taps. Before
  // the first row stand those of `before` [taps - 1][c], oldest first; it becomes the last rows of x as they were.
  void (*causal_convolution)(float *x, size_t tokens, size_t ldx, const float *weights, size_t ldw, float *before,
                             size_t ldb, size_t taps, size_t n);
  // Of n heads, in place: decay[h] = exp(-rates[h] * log(1 + exp(decay[h] + biases[h]))), and strength[h] = 1 / (1 +
  // exp(-strength[h])).
  void (*delta_gates)(float *decay, float *strength, const float *rates, const float *biases, size_t n);
  // For each token, with the state S [rows][columns] of one head: S = decay * S; S = S + key (strength * (value - S^T key))^T;
  // output = S^T query. Keys and queries have `rows` numbers, values and outputs `columns`. The state lies in columns of 16,
  // [columns / 16, rounded up][rows][16], of the last of which some may be idle: they are 0 and stay so. How tokens are cut into
  // calls changes no bit.
  void (*delta_rule)(const bb_delta_tokens *x, size_t tokens, size_t rows, size_t columns, float *state);
} bb_kernel_table;

// The table of one instruction set, or NULL where this machine cannot run it.
const bb_kernel_table *_Null_unspecified bb_kernels_for(bb_isa isa);
// The table in use: the best of this machine, unless `bb_choose_isa` chose another one.
const bb_kernel_table *bb_kernels(void);
// Chooses the table by the name of its instruction set, for the whole process and before anything is computed. Returns NULL, or
// what is wrong with the name; the choice is then as before.
const char *_Nullable bb_choose_isa(const char *name);
const char *bb_isa_name(bb_isa isa);

static inline void bb_multiply(const bb_kernel_table *k, const bb_matrix *w, const bb_activations *x,
                               size_t tokens, float *y, size_t ldy, size_t first, size_t last) {
  k->products[w->format][x->format](w, x, tokens, y, ldy, first, last);
}
// Whether there are products of these formats.
static inline int bb_has_product(const bb_kernel_table *k, bb_row_format weights, bb_activation_format activations) {
  return k->products[weights][activations] != bb_no_product;
}

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

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
#endif
