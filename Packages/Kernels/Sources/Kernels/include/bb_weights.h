// How weight matrices and the activations that they are multiplied with lie in memory.
//
// A weight format is one row of BB_FORMATS here, one decoder of a line and one row of products for each instruction set
// (products_body.h). Nothing else asks which formats there are.
#ifndef BB_WEIGHTS_H
#define BB_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

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
//   BB_ROWS_FLOAT8  64-byte lines: 16 rows x 4 inputs, 8-bit floats (bb_float8.h); the codes of NaN count as 480 and -480
typedef enum {
  BB_ROWS_F32 = 0,
  BB_ROWS_F16 = 1,
  BB_ROWS_BF16 = 2,
  BB_ROWS_INT8 = 3,
  BB_ROWS_INT4 = 4,
  BB_ROWS_FLOAT8 = 5,
  BB_ROWS_COUNT = 6
} bb_row_format;

enum { BB_BLOCK = 16 };

// Puts up to 16 rows, row-major at `src`, into the lines of a block.
typedef void (*bb_pack_rows)(const void *src, size_t rows, size_t inputs, uint8_t *lines);
// A row of a packed block as floats; of codes, what they stand for before scale and zero.
typedef void (*bb_unpack_row)(const uint8_t *lines, size_t row, size_t inputs, float *dst);

// What there is to know about a format.
typedef struct {
  const char *name;
  unsigned bits;           // of a weight in a line
  unsigned line_inputs;    // inputs of each of the 16 rows in a line
  unsigned line_bytes;
  unsigned element_bytes;  // of a weight in the row-major source of `pack`
  int coded;               // codes with scales (all but 8-bit floats are unsigned integers), else floats
  bb_pack_rows pack;
  bb_unpack_row unpack;
} bb_format;

void bb_pack_words(const void *src, size_t rows, size_t inputs, uint8_t *lines);
void bb_pack_halves(const void *src, size_t rows, size_t inputs, uint8_t *lines);
void bb_pack_bytes(const void *src, size_t rows, size_t inputs, uint8_t *lines);
void bb_pack_nibbles(const void *src, size_t rows, size_t inputs, uint8_t *lines);
// The same of codes of 8 or 4 bits that lie in words as files hold them, lowest bits first, each word in a line of its own:
// word w of row r is `words[r * row_step + w * word_step]`. The lines are those of the first of `count` words.
void bb_pack_code_words(unsigned bits, const uint32_t *words, size_t row_step, size_t word_step, size_t rows, size_t count,
                        uint8_t *lines);
void bb_unpack_f32(const uint8_t *lines, size_t row, size_t inputs, float *dst);
void bb_unpack_f16(const uint8_t *lines, size_t row, size_t inputs, float *dst);
void bb_unpack_bf16(const uint8_t *lines, size_t row, size_t inputs, float *dst);
void bb_unpack_bytes(const uint8_t *lines, size_t row, size_t inputs, float *dst);
void bb_unpack_nibbles(const uint8_t *lines, size_t row, size_t inputs, float *dst);
void bb_unpack_float8(const uint8_t *lines, size_t row, size_t inputs, float *dst);

// format, name, bits, inputs and bytes of a line, bytes of an element, coded, pack, unpack
#define BB_FORMATS(ROW)                                                                \
  ROW(BB_ROWS_F32, "F32", 32, 2, 128, 4, 0, bb_pack_words, bb_unpack_f32)              \
  ROW(BB_ROWS_F16, "F16", 16, 2, 64, 2, 0, bb_pack_halves, bb_unpack_f16)              \
  ROW(BB_ROWS_BF16, "BF16", 16, 2, 64, 2, 0, bb_pack_halves, bb_unpack_bf16)           \
  ROW(BB_ROWS_INT8, "8-bit codes", 8, 4, 64, 1, 1, bb_pack_bytes, bb_unpack_bytes)     \
  ROW(BB_ROWS_INT4, "4-bit codes", 4, 8, 64, 1, 1, bb_pack_nibbles, bb_unpack_nibbles) \
  ROW(BB_ROWS_FLOAT8, "8-bit floats", 8, 4, 64, 1, 1, bb_pack_bytes, bb_unpack_float8)

#define BB_FORMAT_ROW(FORMAT, NAME, BITS, INPUTS, BYTES, ELEMENT, CODED, PACK, UNPACK) \
  [FORMAT] = {NAME, BITS, INPUTS, BYTES, ELEMENT, CODED, PACK, UNPACK},
static const bb_format bb_formats[BB_ROWS_COUNT] = {BB_FORMATS(BB_FORMAT_ROW)};
#undef BB_FORMAT_ROW

#define BB_FORMAT_ROW(FORMAT, NAME, BITS, INPUTS, BYTES, ELEMENT, CODED, PACK, UNPACK)                    \
  _Static_assert((BITS) * (INPUTS) *BB_BLOCK == (BYTES) *8, NAME ": a line is 16 rows of its inputs"); \
  _Static_assert((BYTES) % 64 == 0 && (INPUTS) <= 8, NAME ": lines are whole cache lines");
BB_FORMATS(BB_FORMAT_ROW)
#undef BB_FORMAT_ROW

static inline const bb_format *bb_format_of(bb_row_format f) { return &bb_formats[f]; }
// Bytes of a block of 16 rows.
static inline size_t bb_block_bytes(bb_row_format f, size_t inputs) {
  return (inputs + bb_formats[f].line_inputs - 1) / bb_formats[f].line_inputs * bb_formats[f].line_bytes;
}

// One matrix [rows, inputs]. Coded formats: weight = scale * (code - zero), one scale (and perhaps zero) for
// `group` inputs of a row; `group` is a multiple of 8 or not below `inputs`. 8-bit floats have no zeros, and one scale a row where
// activations are BF16.
typedef struct {
  bb_row_format format;
  size_t rows, inputs, group;
  const uint8_t *_Null_unspecified lines;  // [blocks][lines][line bytes]
  const uint8_t *_Nullable scales;         // [blocks][groups][16] in scale_format; NULL for float formats
  bb_float_format scale_format;
  const float *_Nullable zeros;            // [blocks][groups][16], or NULL: all are `zero`
  float zero;                              // an integer
} bb_matrix;

// Row `row` of a matrix as floats, [inputs].
void bb_copy_row(const bb_matrix *m, size_t row, float *dst);

// What rows of activations were made into for a product.
typedef enum {
  BB_ACTIVATIONS_F32 = 0,   // nothing
  BB_ACTIVATIONS_BF16 = 1,  // rounded to BF16
  BB_ACTIVATIONS_INT8 = 2,  // x = scale * code, codes of 8 bits, one scale for `group` inputs of a row
  BB_ACTIVATIONS_INT16 = 3, // the same with codes of 16 bits
  BB_ACTIVATIONS_BF16_CHAINS = 4,  // as BF16, summed in the order of chains_body.h
  BB_ACTIVATIONS_COUNT = 5
} bb_activation_format;

// Rows of activations. For a coded matrix, `group` divides its group or, where that is a whole row, is a multiple of 8; see
// `bb_activation_group`.
typedef struct {
  bb_activation_format format;
  // F32: floats. BF16, BF16_CHAINS: 0 behind the last input where their number is odd. INT8, INT16: 0 behind the last input up to a multiple
  // of 8; of INT16 each four inputs lie in the order 0, 2, 1, 3.
  const void *_Null_unspecified values;
  size_t stride;                   // bytes from row to row
  size_t group, groups;            // of integers: inputs a group, groups a row
  const float *_Nullable scales;   // of integers: [tokens][groups]
  const int32_t *_Nullable sums;   // of integers: [tokens][groups], the sum of a group's codes
} bb_activations;

// Rows of floats as they are, `stride` floats from one to the next.
static inline bb_activations bb_floats(const float *x, size_t stride) {
  return (bb_activations){BB_ACTIVATIONS_F32, x, stride * sizeof(float), 0, 0, NULL, NULL};
}

// Inputs that share a scale when activations are quantized for a matrix of this group and number of inputs: its group, or
// 128 where that divides the group or the group is a whole row.
static inline size_t bb_activation_group(size_t group, size_t inputs) {
  return group > 128 && (group % 128 == 0 || group >= inputs) ? 128 : group < inputs ? group : inputs;
}

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
#endif
