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

#ifdef __cplusplus
}
#endif
#endif
