// The table of an instruction set, included last by its file: a row of products for each weight format, then the rest.
// Another instruction set may start from this table and put its own functions into some places; see isa.c.

// The product of weights in FORMAT with activations as they are.
#define FLOAT_PRODUCT(NAME, FORMAT)                                                                               \
  static void NAME(const bb_matrix *m, const bb_activations *x, size_t tokens, float *y, size_t ldy, size_t first, \
                   size_t last) {                                                                                 \
    multiply_floats(FORMAT, m, x, tokens, y, ldy, first, last);                                                   \
  }
// The product of codes in FORMAT with activations quantized as KIND says.
#define INTEGER_PRODUCT(NAME, FORMAT, KIND)                                                                       \
  static void NAME(const bb_matrix *m, const bb_activations *x, size_t tokens, float *y, size_t ldy, size_t first, \
                   size_t last) {                                                                                 \
    multiply_integers(FORMAT, KIND, m, x, tokens, y, ldy, first, last);                                           \
  }
FLOAT_PRODUCT(f32_by_floats, BB_ROWS_F32)
FLOAT_PRODUCT(f16_by_floats, BB_ROWS_F16)
FLOAT_PRODUCT(bf16_by_floats, BB_ROWS_BF16)
FLOAT_PRODUCT(int8_by_floats, BB_ROWS_INT8)
FLOAT_PRODUCT(int4_by_floats, BB_ROWS_INT4)
FLOAT_PRODUCT(float8_by_floats, BB_ROWS_FLOAT8)
INTEGER_PRODUCT(int8_by_int8, BB_ROWS_INT8, BB_ACTIVATIONS_INT8)
INTEGER_PRODUCT(int4_by_int8, BB_ROWS_INT4, BB_ACTIVATIONS_INT8)
INTEGER_PRODUCT(int8_by_int16, BB_ROWS_INT8, BB_ACTIVATIONS_INT16)
INTEGER_PRODUCT(int4_by_int16, BB_ROWS_INT4, BB_ACTIVATIONS_INT16)
#undef FLOAT_PRODUCT
#undef INTEGER_PRODUCT

static void attend(const float *q, size_t tokens, size_t heads, size_t d, const bb_kv_piece *pieces, size_t count,
                   size_t kv_first, size_t kv_count, float scale, bb_attend_numerics numerics, float *state) {
  const bb_page_products own = {multiply_pairs, multiply_page_chains, NULL}, none = {NULL, NULL, NULL};
  attend_in(q, tokens, heads, d, pieces, count, kv_first, kv_count, scale, numerics, own, none, state);
}

static void fill(bb_kernel_table *table, bb_isa isa) {
  *table = (bb_kernel_table){
      .isa = isa,
      // Activations in F32, BF16, INT8, INT16, BF16_CHAINS.
      .products =
          {
              [BB_ROWS_F32] = {f32_by_floats, bb_no_product, bb_no_product, bb_no_product, bb_no_product},
              [BB_ROWS_F16] = {f16_by_floats, bb_no_product, bb_no_product, bb_no_product, bb_no_product},
              [BB_ROWS_BF16] = {bf16_by_floats, multiply_bf16, bb_no_product, bb_no_product, multiply_chains},
              [BB_ROWS_INT8] = {int8_by_floats, bb_no_product, int8_by_int8, int8_by_int16, bb_no_product},
              [BB_ROWS_INT4] = {int4_by_floats, bb_no_product, int4_by_int8, int4_by_int16, bb_no_product},
              [BB_ROWS_FLOAT8] = {float8_by_floats, multiply_float8, bb_no_product, bb_no_product, bb_no_product},
          },
      .quantize = quantize,
      .quantize16 = quantize16,
      .recode = recode,
      .widen = widen,
      .narrow = narrow,
      .rms_norm = rms_norm,
      .rotate = rotate,
      .hadamard = hadamard,
      .silu_multiply = silu_multiply,
      .add = add,
      .add_scaled = add_scaled,
      .divide = divide,
      .exp_sum = exp_sum,
      .highest = highest,
      .first_above = first_above,
      .layer_norm = layer_norm,
      .gelu = gelu,
      .relu = relu,
      .sigmoid_multiply = sigmoid_multiply,
      .causal_convolution = causal_convolution,
      .delta_gates = delta_gates,
      .delta_rule = delta_rule,
      .attend = attend,
      .key_scores = key_scores,
      .encode_keys = encode_keys,
      .encode_values = encode_values,
  };
}
