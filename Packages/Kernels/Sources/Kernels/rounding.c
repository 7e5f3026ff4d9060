// See bb_rounding.h.
#pragma STDC FP_CONTRACT OFF
#include "bb_rounding.h"

#include <math.h>
#include <string.h>

static float of_key(int32_t key) {
  const int32_t bits = key ^ (key >> 31 & 0x7fffffff);
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

void bb_round_between(const float *x, size_t n, int levels, int8_t *codes, float *scale, float *offset, int32_t *sum) {
  // Integers that are ordered as the numbers are: least and largest of them are found many at a time.
  int32_t low = INT32_MAX, high = INT32_MIN;
  for (size_t i = 0; i < n; i++) {
    int32_t bits;
    memcpy(&bits, x + i, 4);
    const int32_t key = bits ^ (bits >> 31 & 0x7fffffff);
    low = key < low ? key : low;
    high = key > high ? key : high;
  }
  const float least = of_key(low), most = of_key(high);
  const int32_t middle = (levels + 1) / 2;
  // Infinity and NaN are the least and the largest.
  const float step = isfinite(least) && isfinite(most) ? (most - least) / (float)levels : NAN;
  const float divisor = step > 0 && step < INFINITY ? step : INFINITY;
  // Adding 1.5 * 2^23 leaves no bits for a fraction, and the integer in the lowest ones.
  const float whole = 0x1.8p23f;
  int32_t total = 0;
  for (size_t i = 0; i < n; i++) {
    const float quotient = (x[i] - least) / divisor + whole;
    int32_t bits;
    memcpy(&bits, &quotient, 4);
    const int32_t code = (bits & 0xff) - middle;
    codes[i] = (int8_t)code;
    total += code;
  }
  for (size_t i = n; i < (n + 7) / 8 * 8; i++) codes[i] = 0;
  *scale = step;
  *offset = least + (float)middle * step;
  *sum = total;
}

void bb_mix_rows(const int8_t *matrix, size_t m, const float *x, size_t n, int transposed, float *y) {
  const float factor = (float)(1 / sqrt((double)m));
  for (size_t row = 0; row < m; row++) {
    float *to = y + row * n;
    memset(to, 0, n * sizeof(float));
    for (size_t k = 0; k < m; k++) {
      const float sign = matrix[transposed ? k * m + row : row * m + k];
      const float *from = x + k * n;
      for (size_t i = 0; i < n; i++) to[i] += sign * from[i];
    }
    for (size_t i = 0; i < n; i++) to[i] *= factor;
  }
}
