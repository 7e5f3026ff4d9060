// The tile registers of AMX: eight of up to 16 rows of 64 bytes, whose products the bodies for tiles are written over. With
// TILE_MODEL they are those of tile_model.h.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Rows of each register and bytes of a row, as LDTILECFG reads them.
typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} tile_shapes;
_Static_assert(sizeof(tile_shapes) == 64, "LDTILECFG reads 64 bytes");

// Registers 0 to 3 are sums of `rows` rows by 16 columns, 4 and 5 hold `rows` rows of `bytes` each of the left factor, 6 and 7
// the right factor: lines of 64 bytes, 16 columns by four bytes.
static inline tile_shapes tile_shapes_of(size_t rows, size_t bytes) {
  tile_shapes shapes = {.palette = 1};
  for (int t = 0; t < 8; t++) {
    shapes.rows[t] = (uint8_t)(t < 6 ? rows : bytes / 4);
    shapes.row_bytes[t] = (uint16_t)(t == 4 || t == 5 ? bytes : 64);
  }
  return shapes;
}

#ifdef TILE_MODEL
#include "tile_model.h"
#else
// The numbers of registers are constants. A configuration is of this thread, and released before a kernel returns: no other
// code finds tiles in use, and a thread that sleeps has none to be kept for it.
#define tile_zero(T) _tile_zero(T)
#define tile_load(T, FROM, STRIDE) _tile_loadd(T, FROM, STRIDE)
#define tile_store(T, TO, STRIDE) _tile_stored(T, TO, STRIDE)
#define tile_dot_ss(C, A, B) _tile_dpbssd(C, A, B)
#define tile_dot_su(C, A, B) _tile_dpbsud(C, A, B)
#define tile_dot_us(C, A, B) _tile_dpbusd(C, A, B)
#define tile_dot_uu(C, A, B) _tile_dpbuud(C, A, B)
#define tile_dot_bf16(C, A, B) _tile_dpbf16ps(C, A, B)
#define tiles_release() _tile_release()
static inline void tiles_configure(const tile_shapes *shapes) {
  // The instruction reads all 64 bytes: a compiler that thinks it reads fewer may drop stores to the others.
  __asm__ volatile("" : : "r"(shapes) : "memory");
  _tile_loadconfig(shapes);
}
#endif
