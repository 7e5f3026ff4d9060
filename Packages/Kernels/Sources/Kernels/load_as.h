// Loads of 16 floats that lie in any format; included after tails.h.
#include "bb_weights.h"

INLINE v16 v_load_as(const void *src, bb_float_format format, size_t index) {
  if (format == BB_F32) return v_load((const float *)src + index);
  if (format == BB_F16) return v_load_f16((const uint8_t *)src + index * 2);
  return v_load_bf16((const uint8_t *)src + index * 2);
}
