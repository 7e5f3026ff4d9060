// Activations rounded to unsigned codes between a row's least and largest, and rotations of rows by Hadamard matrices. Plain C, the
// same bits wherever it is compiled.
#ifndef BB_ROUNDING_H
#define BB_ROUNDING_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Rounds a row to `levels` + 1 codes: scale = (max - min) / levels, code = the integer nearest to (x - min) / scale. Codes are stored
// less (levels + 1) / 2, which suits signed bytes: x ~ scale * codes[i] + offset. codes: n rounded up to 8, 0 behind the last.
// `sum` is that of the stored codes. NaN and infinity make scale and offset NaN.
void bb_round_between(const float *_Nonnull x, size_t n, int levels, int8_t *_Nonnull codes, float *_Nonnull scale,
                      float *_Nonnull offset, int32_t *_Nonnull sum);

// y = M x / sqrt(m) for the columns of x [m][n], M [m][m] of ones and minus ones, row-major; `transposed`: M^T. x and y are apart.
void bb_mix_rows(const int8_t *_Nonnull matrix, size_t m, const float *_Nonnull x, size_t n, int transposed, float *_Nonnull y);

#ifdef __cplusplus
}
#endif
#endif
