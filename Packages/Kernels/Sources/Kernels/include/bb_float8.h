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

// The code nearest to x, ties to even; beyond the largest value that one. NaN has the sign's 0x7f.
uint8_t bb_float8_code(float x);

// Rounds a row of activations: scale = max magnitude / 448, values[i] = the value nearest to x[i] / scale, as BF16. A row of zeros
// has the scale 0; NaN and infinity make the scale NaN.
void bb_float8_round(const float *_Nonnull x, size_t n, uint16_t *_Nonnull values, float *_Nonnull scale);

#ifdef __cplusplus
}
#endif
#endif
