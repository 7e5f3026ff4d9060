// The quantized blocks of GGUF files: what each type's bytes mean.
//
// A row of a matrix is a sequence of blocks. A block holds `elements` codes in groups of `group`, and
//   weight = d * scales[group] * value(code) - low * lows[group]
// with value(code) = code - zero, or an entry of a table for the types that have one. The products d * scales and
// low * lows are rounded to F32 first, as the reference does (gguf, quants.py; ggml, ggml-quants.c).
#ifndef BB_GGML_H
#define BB_GGML_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A block taken apart. Parts that a type does not have are 1 (scales, lows) or 0 (low).
typedef struct {
  uint8_t codes[256];
  float d, low;
  int8_t scales[16];
  uint8_t lows[16];
} bb_ggml_parts;

typedef struct {
  uint32_t id;               // as in files
  const char *_Nonnull name;
  uint16_t elements, bytes;  // of a block
  uint16_t group;            // elements that share a scale
  uint8_t bits;              // of a code
  uint8_t zero;
  uint8_t has_scales;        // whether groups have scales of their own beside d
  uint8_t has_lows;
  const int8_t *_Nullable values;  // 16 of them, where codes are not counted from `zero`
  void (*_Nonnull split)(const uint8_t *_Nonnull block, bb_ggml_parts *_Nonnull parts);
} bb_ggml_type;

// The type with this id; NULL for one that is no quantized type or not known.
const bb_ggml_type *_Nullable bb_ggml_type_of(uint32_t id);

// `inputs` weights, a multiple of the type's elements, from consecutive blocks.
void bb_ggml_decode(const bb_ggml_type *_Nonnull type, const uint8_t *_Nonnull blocks, size_t inputs, float *_Nonnull weights);

// A matrix [rows, inputs] of blocks of one type as it lies in memory: nothing of the file's is lost, and nothing is
// kept twice. Rows stand in blocks of 16; for every 32 inputs there is a stripe of `bits` lines of 64 bytes, which hold
// the low 4 bits of the codes (4 lines as in BB_ROWS_INT4), or 2 bits (2 lines; byte j of line i holds inputs 16 i + j % 4,
// 4, 8 and 12 further on, from its lowest bits up), then the bits above them in 2 lines or 1 line likewise. Codes of 8 bits
// stand in lines of BB_ROWS_INT8. `d` and `low` are as the file has them, scales and lows one byte each.
typedef struct {
  const bb_ggml_type *_Nonnull type;
  size_t rows, inputs;           // inputs: a multiple of the type's elements
  uint8_t *_Nonnull lines;       // [blocks of 16][inputs / 32][bits][64]
  uint16_t *_Nonnull d;          // [blocks of 16][inputs / elements][16], F16 or, of MXFP4, BF16
  uint16_t *_Nullable low;       // likewise, F16
  int8_t *_Nullable scales;      // [blocks of 16][inputs / group][16]
  uint8_t *_Nullable lows;       // likewise
} bb_ggml_matrix;

// Bytes of a block of 16 rows in `lines`.
size_t bb_ggml_line_bytes(const bb_ggml_type *_Nonnull type, size_t inputs);

// Puts `count` rows, at most 16, as files hold them one after the other, into block `block`.
void bb_ggml_pack(const bb_ggml_matrix *_Nonnull m, size_t block, const uint8_t *_Nonnull rows, size_t count);

// A row as floats, as `bb_ggml_decode` gives them.
void bb_ggml_row(const bb_ggml_matrix *_Nonnull m, size_t row, float *_Nonnull weights);

// Whether the lines are those of BB_ROWS_INT4 or BB_ROWS_INT8 already.
int bb_ggml_has_plain_lines(const bb_ggml_type *_Nonnull type);

// A block of 16 rows in the form that the products take: lines of BB_ROWS_INT8 (where the lines are not plain), and for
// each group a scale and a zero, [inputs / group][16]; zeros are written where `zeros` is not NULL.
void bb_ggml_expand(const bb_ggml_matrix *_Nonnull m, size_t block, uint8_t *_Nullable lines, float *_Nonnull scales,
                    float *_Nullable zeros);

#ifdef __cplusplus
}
#endif
#endif
