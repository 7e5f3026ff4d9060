// Weights of 8-bit floats (E4M3: sign, 4 bits of exponent, 3 of mantissa; no infinities, 0x7f and 0xff are NaN).
#ifndef BB_FLOAT8_H
#define BB_FLOAT8_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The value of a code.
float bb_float8_value(uint8_t code);

// A block of 16 rows, `codes` [inputs][16], as floats [inputs][16] (lines of BB_ROWS_F32), each times the scale of its row and
// group: `scales` [groups of `group` inputs][16].
void bb_float8_expand(const uint8_t *_Nonnull codes, const float *_Nonnull scales, size_t inputs, size_t group,
                      float *_Nonnull lines);

// The same block as pairs of BF16 without scales (lines of BB_ROWS_BF16), which hold the values of all codes; NaN stays NaN.
void bb_float8_expand_pairs(const uint8_t *_Nonnull codes, size_t inputs, uint16_t *_Nonnull lines);

// The code nearest to x, ties to even; beyond the largest value that one. NaN has the sign's 0x7f.
uint8_t bb_float8_code(float x);

// Rounds a row of activations: scale = max magnitude / 448, values[i] = the value nearest to x[i] / scale, as BF16. A row of zeros
// has the scale 0; NaN and infinity make the scale NaN.
void bb_float8_round(const float *_Nonnull x, size_t n, uint16_t *_Nonnull values, float *_Nonnull scale);

#ifdef __cplusplus
}
#endif
#endif
