// The tile registers in plain C, for processors that have none and for tests: eight registers of up to 16 rows of 64 bytes.
//
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, TILELOADD, TDPBSUD, TDPBUUD, TDPBF16PS.
#include "half.h"

typedef struct {
  uint8_t at[16][64];
} tile_register;

static _Thread_local tile_register tile_registers[8];
static _Thread_local tile_shapes tile_shape;

static inline void tiles_configure(const tile_shapes *shapes) {
  tile_shape = *shapes;
  memset(tile_registers, 0, sizeof tile_registers);
}
static inline void tiles_release(void) { memset(&tile_shape, 0, sizeof tile_shape); }
static inline void tile_zero(int t) { memset(&tile_registers[t], 0, sizeof tile_registers[t]); }
static inline void tile_load(int t, const void *from, size_t stride) {
  tile_zero(t);
  for (size_t r = 0; r < tile_shape.rows[t]; r++)
    memcpy(tile_registers[t].at[r], (const uint8_t *)from + r * stride, tile_shape.row_bytes[t]);
}
static inline void tile_store(int t, void *to, size_t stride) {
  for (size_t r = 0; r < tile_shape.rows[t]; r++)
    memcpy((uint8_t *)to + r * stride, tile_registers[t].at[r], tile_shape.row_bytes[t]);
}

static inline int32_t tile_byte(int t, int row, int byte, int is_signed) {
  const uint8_t value = tile_registers[t].at[row][byte];
  return is_signed ? (int8_t)value : value;
}

// c[m][n] += sum over k of the four products a[m][4 k + j] * b[k][4 n + j].
static inline void tile_dot_bytes(int c, int a, int b, int signed_a, int signed_b) {
  for (int m = 0; m < tile_shape.rows[c]; m++)
    for (int n = 0; n < tile_shape.row_bytes[c] / 4; n++) {
      int32_t sum;
      memcpy(&sum, tile_registers[c].at[m] + 4 * n, 4);
      for (int k = 0; k < tile_shape.row_bytes[a]; k++)
        sum = (int32_t)((uint32_t)sum + (uint32_t)(tile_byte(a, m, k, signed_a) * tile_byte(b, k / 4, 4 * n + k % 4, signed_b)));
      memcpy(tile_registers[c].at[m] + 4 * n, &sum, 4);
    }
}
// With signed (s) or unsigned (u) bytes on the left and on the right.
static inline void tile_dot_ss(int c, int a, int b) { tile_dot_bytes(c, a, b, 1, 1); }
static inline void tile_dot_su(int c, int a, int b) { tile_dot_bytes(c, a, b, 1, 0); }
static inline void tile_dot_us(int c, int a, int b) { tile_dot_bytes(c, a, b, 0, 1); }
static inline void tile_dot_uu(int c, int a, int b) { tile_dot_bytes(c, a, b, 0, 0); }

static inline float tile_half(int t, int row, int n) {
  uint16_t half;
  memcpy(&half, tile_registers[t].at[row] + 2 * n, 2);
  return bb_bf16_to_float(half);
}

// c[m][n] += even + odd, the sums over k of a[m][2 k] * b[k][2 n], and of those one further, by fused multiply-adds from 0
// on. Called where denormals are 0.
static inline void tile_dot_bf16(int c, int a, int b) {
  for (int m = 0; m < tile_shape.rows[c]; m++)
    for (int n = 0; n < tile_shape.row_bytes[c] / 4; n++) {
      float sum, even = 0, odd = 0;
      for (int k = 0; k < tile_shape.row_bytes[a] / 4; k++) {
        even = fmaf(tile_half(a, m, 2 * k), tile_half(b, k, 2 * n), even);
        odd = fmaf(tile_half(a, m, 2 * k + 1), tile_half(b, k, 2 * n + 1), odd);
      }
      memcpy(&sum, tile_registers[c].at[m] + 4 * n, 4);
      sum += even + odd;
      memcpy(tile_registers[c].at[m] + 4 * n, &sum, 4);
    }
}
