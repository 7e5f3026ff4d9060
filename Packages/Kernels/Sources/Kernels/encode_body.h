// Rounding of keys and values to codes, included by kernels_body.h once for each instruction set. Scales and codes are found
// in F64 by loops over a group that the compiler makes vectors of: the same operations everywhere.

enum { MAX_GROUP = 128 };

// ---------------------------------------------------------------- scales

// The half float next to h in the direction of larger values (up) or smaller ones.
static uint16_t next_f16(uint16_t h, int up) {
  if ((h & 0x7fff) == 0) return up ? 0x0001 : 0x8001;
  return (h & 0x8000) == 0 ? (uint16_t)(up ? h + 1 : h - 1) : (uint16_t)(up ? h - 1 : h + 1);
}

enum { DOWN, UP, NEAREST };

// Stores a scale (rounded up) or an offset (rounded down), so that the codes still reach the largest and the smallest
// value; returns it as stored. What F16 cannot hold becomes its largest number.
static float store_scale(void *dst, bb_float_format format, size_t index, float value, int direction) {
  if (format == BB_F32) {
    memcpy((uint8_t *)dst + index * 4, &value, 4);
    return value;
  }
  value = fminf(fmaxf(value, -65504.0f), 65504.0f);
  uint16_t half = bb_float_to_f16(value);
  const float rounded = bb_f16_to_float(half);
  if (direction == UP ? rounded < value : direction == DOWN && rounded > value)
    half = next_f16(half, direction == UP);
  if ((half & 0x7fff) == 0x7c00) half--;
  memcpy((uint8_t *)dst + index * 2, &half, 2);
  return bb_f16_to_float(half);
}


static inline double nearest_code(double x, double offset, double scale, double least, double top) {
  const double code = rint((x - offset) / scale), above = code > least ? code : least;
  return above < top ? above : top;
}

// The offset that leaves few large errors at a scale, from `offset` on: half-quadratic steps on sum |x - x'|^0.7 while the
// mean absolute error falls, 20 at most (hqq, core/optimize.py, where a zero point is -offset / scale).
static double refine_offset(const float *x, size_t count, double scale, double offset, int top) {
  const double power = 0.7;
  double best = offset, least = INFINITY, beta = 10;
  for (int step = 0; step <= 20 && scale > 0; step++, beta *= 1.01) {
    // Below this an error is shrunk to nothing.
    const double limit = pow(beta, 1 / (power - 2));
    double error = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
      const double units = nearest_code(x[i], offset, scale, 0, top) * scale;
      const double left = x[i] - units - offset, size = fabs(left);
      const double large = size > limit ? copysign(size - pow(size, power - 1) / beta, left) : 0;
      error += size;
      sum += x[i] - large - units;
    }
    if (!(error < least)) break;
    least = error;
    best = offset;
    offset = sum / (double)count;
  }
  return best;
}

// ---------------------------------------------------------------- a group

// Codes of `count` floats that share a scale, which is stored at `index`; up to a multiple of 16
// the codes behind are 0.
static void encode_group(float *x, size_t count, bb_kv_scheme scheme, const bb_kv_block *to, size_t index, uint32_t *codes) {
  const int bits = code_bits(to->format), top = (1 << bits) - 1, middle = 1 << (bits - 1);
  const size_t filled = (count + 15) / 16 * 16;
  for (size_t i = count; i < filled; i++) x[i] = x[0];
  v16 lowest = v_load(x), highest = lowest;
  for (size_t i = 16; i < filled; i += 16) {
    lowest = v_min(v_load(x + i), lowest);
    highest = v_max(v_load(x + i), highest);
  }
  const float low = -v_reduce_max(v_sub(v_set(0), lowest)), high = v_reduce_max(highest);
  float offset = 0;
  const int has_offset = scheme == BB_KV_ASYMMETRIC || scheme == BB_KV_HQQ;
  if (has_offset) offset = store_scale((void *)to->offsets, to->scale_format, index, low, DOWN);
  const double absmax = fmaxf(-low, high), range = (double)high - offset;
  double scale = has_offset                 ? range / top
                 : absmax == 0              ? 1
                 : scheme == BB_KV_ABSMAX   ? absmax / (middle - 1)
                                            : 2 * absmax / top;
  const float stored = store_scale((void *)to->scales, to->scale_format, index, (float)scale, UP);
  // In F64 a value halfway between two codes is found to be so, as the largest of FULL always is.
  if (to->scale_format != BB_F32) scale = stored;
  if (scheme == BB_KV_HQQ) {
    const float refined = (float)refine_offset(x, count, scale, offset, top);
    offset = store_scale((void *)to->offsets, to->scale_format, index, refined, NEAREST);
  }
  const double zero = has_offset ? 0 : middle, least = scheme == BB_KV_ABSMAX ? 1 : 0, from = offset;
  if (scale > 0)
    for (size_t i = 0; i < filled; i++)
      codes[i] = (uint32_t)(int32_t)(nearest_code(x[i], from, scale, least - zero, top - zero) + zero);
  else
    for (size_t i = 0; i < filled; i++) codes[i] = (uint32_t)least;
  for (size_t i = count; i < filled; i++) codes[i] = 0;
}

// ---------------------------------------------------------------- codes

// Puts a code into each of 16 lanes.
static void put_across(uint8_t *lanes, int shift, int bits, const uint32_t *codes) {
  const uint32_t others = ~(((1u << bits) - 1) << shift);
  uint32_t lane[16];
  memcpy(lane, lanes, sizeof lane);
  for (int i = 0; i < 16; i++) lane[i] = (lane[i] & others) | codes[i] << shift;
  memcpy(lanes, lane, sizeof lane);
}

// Fills one lane with codes.
static void put_down(uint8_t *lanes, int bits, const uint32_t *codes) {
  uint32_t lane = 0;
  for (int i = 0; i < 32 / bits; i++) lane |= codes[i] << code_shift((size_t)i, bits);
  memcpy(lanes, &lane, sizeof lane);
}

// Reads `count` neighbours: along what lies side by side in the page, or across it.
INLINE void load_floats(page_half half, const bb_kv_block *from, size_t dv, size_t component, size_t slot, size_t count,
                        int along_tokens, float *x) {
  const int is_along = along_tokens == (half == KEYS);
  for (size_t i = 0; i < count; i += is_along ? 16 : 1) {
    const size_t at = float_index(from->format, half, dv, component + (along_tokens ? 0 : i), slot + (along_tokens ? i : 0));
    v16 both[2];
    if (!is_along) {
      x[i] = load_float(from->entries, float_format(from->format), at);
    } else if (from->format == BB_KV_F32) {
      v_store(x + i, v_load((const float *)from->entries + at));
    } else {
      load_pair(from->format, from->entries, at / 32, 0, 1, both);
      v_store(x + i, both[at % 2]);
    }
  }
}

// Rounds the `count` numbers from this component and token on that share a scale.
static void encode_from(page_half half, const bb_kv_block *from, size_t dv, size_t component, size_t slot, size_t count,
                        bb_kv_scheme scheme, const bb_kv_block *to) {
  const size_t next_token = to->axis == BB_KV_ALONG_TOKENS, next_component = !next_token;
  float x[MAX_GROUP];
  uint32_t codes[MAX_GROUP];
  load_floats(half, from, dv, component, slot, count, to->axis == BB_KV_ALONG_TOKENS, x);
  encode_group(x, count, scheme, to, scale_index(to, dv, component, slot), codes);
  // Neighbours with a scale lie in lanes side by side, or in one lane and then the next.
  const int bits = code_bits(to->format), is_across = next_token == (half == KEYS);
  for (size_t i = 0; i < count; i += is_across ? 16 : 32 / (size_t)bits) {
    const place at = place_of(half, component + i * next_component, slot + i * next_token, bits);
    uint8_t *lanes = (uint8_t *)to->entries + at.lane * 4;
    if (is_across) put_across(lanes, at.shift, bits, codes + i);
    else put_down(lanes, bits, codes + i);
  }
}

INLINE void encode(page_half half, const bb_kv_block *from, size_t d, size_t first, size_t last, bb_kv_scheme scheme,
                   const bb_kv_block *to) {
  const size_t group = to->group, dv = padded_width(d);
  if (to->axis == BB_KV_ALONG_TOKENS) {
    for (size_t i = 0; i < d; i++)
      for (size_t slot = first; slot + group <= last; slot += group)
        encode_from(half, from, dv, i, slot, group, scheme, to);
  } else {
    for (size_t slot = first; slot < last; slot++)
      for (size_t i = 0; i < d; i += group)
        encode_from(half, from, dv, i, slot, d - i < group ? d - i : group, scheme, to);
  }
}

static void encode_keys(const bb_kv_block *from, size_t d, size_t first, size_t last, bb_kv_scheme scheme,
                        const bb_kv_block *to) {
  encode(KEYS, from, d, first, last, scheme, to);
}

static void encode_values(const bb_kv_block *from, size_t d, size_t first, size_t last, bb_kv_scheme scheme,
                          const bb_kv_block *to) {
  encode(VALUES, from, d, first, last, scheme, to);
}
