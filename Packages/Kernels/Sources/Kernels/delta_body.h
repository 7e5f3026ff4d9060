// The parts of a gated delta rule (Gated DeltaNet, arXiv:2412.06464); kernels_body.h includes this file once for each
// instruction set.

// log(1 + t) for t in [0, 1] to about one unit in the last place: twice the series of artanh(t / (2 + t)).
INLINE v16 v_log_one_plus(v16 t) {
  const v16 z = v_div(t, v_add(t, v_set(2.0f))), square = v_mul(z, z);
  v16 p = v_set(1.0f / 15);
  for (int k = 13; k > 0; k -= 2) p = v_fma(p, square, v_set(1.0f / (float)k));
  return v_mul(v_add(z, z), p);
}

// log(1 + exp(x)).
INLINE v16 v_softplus(v16 x) {
  return v_add(v_max(v_set(0), x), v_log_one_plus(v_exp(v_sub(v_set(0), v_abs(x)))));
}

// exp does not pass NaN on.
INLINE v16 v_keep_nan(v16 x, v16 y) { return v_fma(x, v_set(0), y); }

// 1 / (1 + exp(-x)).
INLINE v16 v_sigmoid(v16 x) {
  return v_keep_nan(x, v_div(v_set(1.0f), v_add(v_exp(v_sub(v_set(0), x)), v_set(1.0f))));
}

static void sigmoid_multiply(const float *gate, const float *x, float *y, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) v_store(y + i, v_mul(v_load(x + i), v_sigmoid(v_load(gate + i))));
  if (i < n)
    store_first(y + i, v_mul(load_first(x + i, n - i, 0), v_sigmoid(load_first(gate + i, n - i, 0))), n - i);
}

static void delta_gates(float *decay, float *strength, const float *rates, const float *biases, size_t n) {
  for (size_t i = 0; i < n; i += 16) {
    const size_t rest = n - i < 16 ? n - i : 16;
    const v16 x = v_add(load_first(decay + i, rest, 0), load_first(biases + i, rest, 0));
    const v16 power = v_mul(v_sub(v_set(0), load_first(rates + i, rest, 0)), v_softplus(x));
    store_first(decay + i, v_keep_nan(x, v_exp(power)), rest);
    store_first(strength + i, v_sigmoid(load_first(strength + i, rest, 0)), rest);
  }
}

// The last inputs stay in `window`, oldest first, while the tokens pass; `taps` is a constant where this is inlined.
INLINE void convolve(const size_t taps, float *x, size_t tokens, size_t ldx, const float *weights, size_t ldw,
                     float *before, size_t ldb, size_t n) {
  v16 window[BB_MOST_TAPS], w[BB_MOST_TAPS];
  for (size_t j = 0; j < taps; j++) w[j] = load_first(weights + j * ldw, n, 0);
  for (size_t j = 0; j + 1 < taps; j++) window[j] = load_first(before + j * ldb, n, 0);
  for (size_t t = 0; t < tokens; t++, x += ldx) {
    window[taps - 1] = n == 16 ? v_load(x) : load_first(x, n, 0);
    v16 sum = v_mul(window[0], w[0]);
    for (size_t j = 1; j < taps; j++) sum = v_fma(window[j], w[j], sum);
    const v16 y = silu_times(sum, v_set(1.0f));
    if (n == 16) v_store(x, y);
    else store_first(x, y, n);
    for (size_t j = 0; j + 1 < taps; j++) window[j] = window[j + 1];
  }
  for (size_t j = 0; j + 1 < taps; j++) store_first(before + j * ldb, window[j], n);
}

static void causal_convolution(float *x, size_t tokens, size_t ldx, const float *weights, size_t ldw, float *before,
                               size_t ldb, size_t taps, size_t n) {
  for (size_t i = 0; i < n; i += 16) {
    const size_t rest = n - i;
    if (taps == 4 && rest >= 16) convolve(4, x + i, tokens, ldx, weights + i, ldw, before + i, ldb, 16);
    else convolve(taps, x + i, tokens, ldx, weights + i, ldw, before + i, ldb, rest < 16 ? rest : 16);
  }
}

// ---------------------------------------------------------------- the recurrence

// Sums over the rows of the state times a key and a query, in two chains: even and odd rows.
typedef struct {
  v16 key[2], query[2];
} delta_sums;

// One row of 16 columns: state = decay * state + key * change, which the next key and query then see. Where nothing is changed
// the row is only read; after the last token it is only written.
INLINE void delta_row(const int changes, const int reads, const int chain, float *state, v16 decay, v16 change,
                      const float *key, const float *next_key, const float *next_query, delta_sums *sums) {
  v16 s = v_load(state);
  if (changes) {
    s = v_fma(change, v_set(*key), v_mul(decay, s));
    v_store(state, s);
  }
  if (!reads) return;
  sums->key[chain] = v_fma(s, v_set(*next_key), sums->key[chain]);
  sums->query[chain] = v_fma(s, v_set(*next_query), sums->query[chain]);
}

INLINE delta_sums delta_rows(const int changes, const int reads, float *state, size_t rows, v16 decay, v16 change,
                             const float *key, const float *next_key, const float *next_query) {
  delta_sums sums = {{v_set(0), v_set(0)}, {v_set(0), v_set(0)}};
  size_t i = 0;
  for (; i + 2 <= rows; i += 2, state += 32) {
    delta_row(changes, reads, 0, state, decay, change, key + i, next_key + i, next_query + i, &sums);
    delta_row(changes, reads, 1, state + 16, decay, change, key + i + 1, next_key + i + 1, next_query + i + 1, &sums);
  }
  if (i < rows) delta_row(changes, reads, 0, state, decay, change, key + i, next_key + i, next_query + i, &sums);
  return sums;
}

// 16 columns, of which `count` are there, over a few tokens from `first` on, whose products of key and query are given.
INLINE void delta_columns(const bb_delta_tokens *x, size_t first, size_t tokens, const float *products, size_t rows,
                          float *state, size_t column, size_t count) {
  const float *key = x->key + first * x->ld, *query = x->query + first * x->ld;
  delta_sums sums = delta_rows(0, 1, state, rows, v_set(0), v_set(0), key, key, query);
  for (size_t t = 0; t < tokens; t++, key += x->ld, query += x->ld) {
    const size_t token = first + t;
    const float *value = x->value + token * x->ld + column;
    float *output = x->output + token * x->ld_output + column;
    const v16 decay = v_set(x->decay[token * x->ld_decay]), strength = v_set(x->strength[token * x->ld_strength]);
    const v16 of_key = v_add(sums.key[0], sums.key[1]), of_query = v_add(sums.query[0], sums.query[1]);
    const v16 v = count == 16 ? v_load(value) : load_first(value, count, 0);
    const v16 change = v_mul(strength, v_sub(v, v_mul(decay, of_key)));
    const v16 o = v_fma(change, v_set(products[t]), v_mul(decay, of_query));
    if (count == 16) v_store(output, o);
    else store_first(output, o, count);
    if (t + 1 < tokens) sums = delta_rows(1, 1, state, rows, decay, change, key, key + x->ld, query + x->ld);
    else delta_rows(1, 0, state, rows, decay, change, key, key, query);
  }
}

INLINE float delta_product(const float *x, const float *y, size_t n) {
  v16 sum = v_set(0);
  for (size_t i = 0; i < n; i += 16) {
    const size_t rest = n - i;
    const v16 a = rest >= 16 ? v_load(x + i) : load_first(x + i, rest, 0);
    sum = v_fma(a, rest >= 16 ? v_load(y + i) : load_first(y + i, rest, 0), sum);
  }
  return v_sum(sum);
}

// The columns stay in the first-level cache while tokens pass, and a few tokens' keys in the second-level one.
static void delta_rule(const bb_delta_tokens *x, size_t tokens, size_t rows, size_t columns, float *state) {
  enum { TOGETHER = 64 };
  float products[TOGETHER];
  for (size_t first = 0; first < tokens; first += TOGETHER) {
    const size_t count = tokens - first < TOGETHER ? tokens - first : TOGETHER;
    for (size_t t = 0; t < count; t++)
      products[t] = delta_product(x->key + (first + t) * x->ld, x->query + (first + t) * x->ld, rows);
    for (size_t column = 0; column < columns; column += 16) {
      const size_t rest = columns - column < 16 ? columns - column : 16;
      delta_columns(x, first, count, products, rows, state + column * rows, column, rest);
    }
  }
}
