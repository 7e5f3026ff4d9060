// How scores of a page become weights; for attention_body.h.

// Below all scores, and a number, also times a scale: -infinity less itself is none.
#define LOWEST (-0x1p100f)
#define LOG2_E 1.44269504f

// Scores of a page outside [first, last) become -infinity.
INLINE void hide_scores(float *scores, size_t heads, size_t first, const size_t *last) {
  for (size_t h = 0; h < heads; h++, scores += BB_PAGE) {
    for (size_t i = 0; i < first; i++) scores[i] = -INFINITY;
    for (size_t i = last[h]; i < BB_PAGE; i++) scores[i] = -INFINITY;
  }
}

INLINE float rounded_to_bf16(float x) { return bb_bf16_to_float(bb_float_to_bf16(x)); }

// Adds what positions give to the scores of a page, which are still to be multiplied by `scale`; a row has the slope of the
// query head that it is of.
INLINE void add_positions(float *scores, size_t rows, size_t first_row, size_t heads, const float *slopes, size_t position,
                          float scale) {
  for (size_t r = 0; r < rows; r++, scores += BB_PAGE) {
    const float slope = slopes[(first_row + r) % heads];
    for (size_t i = 0; i < BB_PAGE; i++)
      scores[i] += rounded_to_bf16(slope * rounded_to_bf16((float)(position + i))) / scale;
  }
}

// The maximum score of each row.
INLINE void max_scores(const int rows, const float *scores, float *max) {
  v16 top[ATTEND_ROWS];
  for (int r = 0; r < rows; r++) top[r] = v_set(LOWEST);
  for (size_t i = 0; i < BB_PAGE; i += 16)
    for (int r = 0; r < rows; r++) top[r] = v_max(v_load(scores + r * BB_PAGE + i), top[r]);
  v_reduce_max_rows(rows, top, max);
}

// Scores become exp(scale * score - max), and `total` their sums; rough ones suffice for weights that are quantized.
INLINE void exponentials(const int rows, const int rough, float *scores, float scale, const float *max, float *total,
                         prefetch_stream *next) {
  const v16 units = v_set(rough ? scale * LOG2_E : scale);
  v16 sum[ATTEND_ROWS];
  for (int r = 0; r < rows; r++) {
    const v16 less = v_set(rough ? -max[r] * LOG2_E : max[r]);
    sum[r] = v_set(0);
    for (size_t i = 0; i < BB_PAGE; i += 16) {
      const v16 s = v_load(scores + r * BB_PAGE + i);
      prefetch_during_compute(next);
      const v16 e = rough ? v_power_of_two(v_fma(s, units, less)) : v_exp(v_sub(v_mul(s, units), less));
      v_store(scores + r * BB_PAGE + i, e);
      sum[r] = v_add(sum[r], e);
    }
  }
  v_sum_rows(rows, sum, total);
}

// What a block of queries has seen so far: the maximum scores, and the sums of exp(score - max).
typedef struct {
  float maximum[ATTEND_HEADS], sum[ATTEND_HEADS];
} softmax_state;
