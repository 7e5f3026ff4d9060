// Vectors of 16 floats at the end of rows that are no multiple of 16; included where an instruction set has defined `v16`.
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

INLINE void store_first(float *dst, v16 value, size_t count) {
  float whole[16];
  v_store(whole, value);
  memcpy(dst, whole, count * sizeof(float));
}

// The first `count` <= 16 floats, then `rest`.
INLINE v16 load_first(const float *src, size_t count, float rest) {
  float whole[16];
  for (size_t i = 0; i < 16; i++) whole[i] = i < count ? src[i] : rest;
  return v_load(whole);
}
