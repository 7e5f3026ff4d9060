// Norms and activations beside those of kernels_body.h, which includes this file once for each instruction set.

// Two sums run over a row: of the values, then of the squares of what they differ from their mean by.
static void layer_norm(const float *x, const float *weight, const float *bias, float eps, size_t n, float *y) {
  v16 sum = v_set(0), squares = v_set(0);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) sum = v_add(sum, v_load(x + i));
  if (i < n) sum = v_add(sum, load_first(x + i, n - i, 0));
  const float mean = v_sum(sum) / (float)n;
  const v16 m = v_set(mean);
  for (i = 0; i + 16 <= n; i += 16) {
    const v16 v = v_sub(v_load(x + i), m);
    squares = v_fma(v, v, squares);
  }
  if (i < n) {
    const v16 v = v_sub(load_first(x + i, n - i, mean), m);
    squares = v_fma(v, v, squares);
  }
  const float factor = 1.0f / sqrtf(v_sum(squares) / (float)n + eps);
  const v16 f = v_set(factor);
  for (i = 0; i < n; i += 16) {
    const size_t rest = n - i;
    const v16 v = rest >= 16 ? v_load(x + i) : load_first(x + i, rest, 0);
    const v16 w = rest >= 16 ? v_load(weight + i) : load_first(weight + i, rest, 0);
    v16 r = v_mul(v_mul(v_sub(v, m), f), w);
    if (bias) r = v_add(r, rest >= 16 ? v_load(bias + i) : load_first(bias + i, rest, 0));
    if (rest >= 16) v_store(y + i, r);
    else store_first(y + i, r, rest);
  }
}

// max(x, 0) - |x| / 2 * erfc(|x| / sqrt 2), to 1e-7; log erfc is a polynomial of least squares on [0, 6].
INLINE v16 v_gelu(v16 x) {
  static const float c[] = {-0x1.5bbc5ep-23f, 0x1.2fc8c0p-18f, -0x1.b74e32p-15f, 0x1.483930p-12f, -0x1.c629a8p-11f,
                            -0x1.f5def2p-11f, 0x1.4817f6p-6f,  -0x1.a67404p-4f,  -0x1.45e9fap-1f, -0x1.20ddbcp+0f};
  const v16 size = v_abs(x), t = v_min(v_mul(size, v_set(0x1.6a09e6p-1f)), v_set(6.0f));
  v16 p = v_set(c[0]);
  for (int k = 1; k < 10; k++) p = v_fma(p, t, v_set(c[k]));
  return v_sub(v_max(v_set(0), x), v_mul(v_mul(v_set(0.5f), size), v_exp(v_mul(p, t))));
}

static void gelu(float *x, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) v_store(x + i, v_gelu(v_load(x + i)));
  if (i < n) store_first(x + i, v_gelu(load_first(x + i, n - i, 0)), n - i);
}

static void relu(float *x, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) v_store(x + i, v_max(v_set(0), v_load(x + i)));
  if (i < n) store_first(x + i, v_max(v_set(0), load_first(x + i, n - i, 0)), n - i);
}
