// Attention over pages of keys and values, included by kernels_body.h once for each instruction set. What is done with the
// products of floats and of codes is in float_attention_body.h and coded_attention_body.h.
//
// Keys of floats lie with 64 tokens side by side, so that a vector of scores is a sum over components; values lie with
// components side by side, so that a vector of results is a sum over tokens. Of floats of 16 bits, two neighbours in the
// sum share a lane.

enum {
  PAGE_VECTORS = BB_PAGE / 16,
  CODE_SUMS = 8,       // vectors of sums over codes that are formed together
  ATTEND_HEADS = 16,   // queries of a block, at most
  ATTEND_BLOCKS = 16,  // blocks that are taken together, at most
};

// Runs a statement for the queries h below `heads`, for the constant number of `rows` of them at a time.
#define EACH_ROWS(...)                                                       \
  do {                                                                       \
    enum { SOME = ATTEND_ROWS > 2 ? 2 : 1 };                                 \
    size_t h = 0;                                                            \
    for (; h + ATTEND_ROWS <= heads; h += ATTEND_ROWS) {                     \
      enum { rows = ATTEND_ROWS };                                           \
      __VA_ARGS__;                                                           \
    }                                                                        \
    for (; h + SOME <= heads; h += SOME) {                                   \
      enum { rows = SOME };                                                  \
      __VA_ARGS__;                                                           \
    }                                                                        \
    for (; SOME > 1 && h < heads; h++) {                                     \
      enum { rows = 1 };                                                     \
      __VA_ARGS__;                                                           \
    }                                                                        \
  } while (0)

// Runs a statement for the blocks b of [FIRST, LAST), the constant number of `blocks` at a time: MOST where rows are few, so
// that sums do not wait for one another.
#define EACH_BLOCKS(ROWS, MOST, FIRST, LAST, ...)                            \
  do {                                                                       \
    const int many = (ROWS) <= 2 ? (MOST) : 2;                               \
    size_t b = FIRST;                                                        \
    for (; b + (size_t)many <= (LAST); b += (size_t)many) {                  \
      const int blocks = many;                                               \
      __VA_ARGS__;                                                           \
    }                                                                        \
    for (; b < (LAST); b++) {                                                \
      const int blocks = 1;                                                  \
      __VA_ARGS__;                                                           \
    }                                                                        \
  } while (0)

INLINE int is_coded(bb_kv_format format) { return format >= BB_KV_INT8; }
INLINE size_t float_bytes(bb_kv_format format) { return format == BB_KV_F32 ? 4 : 2; }
INLINE bb_float_format float_format(bb_kv_format format) {
  return format == BB_KV_F32 ? BB_F32 : format == BB_KV_F16 ? BB_F16 : BB_BF16;
}

// Sums and maxima of the lanes of a few vectors.
#ifndef V_ROWS
INLINE void v_sum_rows(const int rows, const v16 *x, float *sums) {
  for (int r = 0; r < rows; r++) sums[r] = v_sum(x[r]);
}
INLINE void v_reduce_max_rows(const int rows, const v16 *x, float *max) {
  for (int r = 0; r < rows; r++) max[r] = v_reduce_max(x[r]);
}
#endif

#include "denormals.h"
#include "prefetch.h"
#include "softmax_body.h"
#include "coded_attention_body.h"
#include "float_attention_body.h"

// ---------------------------------------------------------------- scores

// Runs STATEMENT(format, kind) for a page of codes in `format`; queries and weights take two bytes, or ONE, a integer_kind.
#define EACH_CODED(FORMAT, NUMERICS, ONE, STATEMENT)                                                       \
  switch (2 * (FORMAT) + ((NUMERICS) == BB_ATTEND_INT8)) {                                                 \
    case 2 * BB_KV_INT8: STATEMENT(BB_KV_INT8, TWO_BYTES); break;                                          \
    case 2 * BB_KV_INT4: STATEMENT(BB_KV_INT4, TWO_BYTES); break;                                          \
    case 2 * BB_KV_INT2: STATEMENT(BB_KV_INT2, TWO_BYTES); break;                                          \
    case 2 * BB_KV_INT8 + 1: STATEMENT(BB_KV_INT8, ONE); break;                                            \
    case 2 * BB_KV_INT4 + 1: STATEMENT(BB_KV_INT4, ONE); break;                                            \
    default: STATEMENT(BB_KV_INT2, ONE); break;                                                            \
  }

static void scores_of_block(integer_queries *queries, const bb_kv_block *keys, bb_attend_numerics numerics, prefetch_stream *next,
                            float *scores) {
  const float *q = queries->q;
  const size_t heads = queries->heads, d = queries->d;
  switch (keys->format) {
    case BB_KV_F32: exact_scores(BB_KV_F32, q, heads, d, keys->entries, next, scores); break;
    case BB_KV_F16: exact_scores(BB_KV_F16, q, heads, d, keys->entries, next, scores); break;
    case BB_KV_BF16: exact_scores(BB_KV_BF16, q, heads, d, keys->entries, next, scores); break;
    default: {
#define SCORES(FORMAT, KIND) coded_scores(FORMAT, KIND, queries, keys, next, scores)
      EACH_CODED(keys->format, numerics, SIGNED_BYTE, SCORES)
    }
  }
}

static void key_scores(const float *q, size_t heads, size_t d, const bb_kv_block *keys, float *scores) {
  for (size_t h = 0; h < heads; h += ATTEND_HEADS) {
    const size_t some = heads - h < ATTEND_HEADS ? heads - h : ATTEND_HEADS;
    integer_rows row[most_groups(d)];
    _Alignas(64) int8_t numbers[some * 2 * ((d + 15) / 16 * 16)];
    prefetch_stream nothing = {0};
    integer_queries queries = {q + h * d, some, d, 0, row, numbers, NULL};
    scores_of_block(&queries, keys, BB_ATTEND_EXACT, &nothing, scores + h * BB_PAGE);
  }
}

// ---------------------------------------------------------------- pages

INLINE bb_kv_block block_of_head(bb_kv_block block, size_t offset) {
  block.entries = (const uint8_t *)block.entries + offset;
  if (block.scales) block.scales = (const uint8_t *)block.scales + offset;
  if (block.offsets) block.offsets = (const uint8_t *)block.offsets + offset;
  return block;
}

// Where the bytes of a head begin: with the scales of its keys, if there are any.
INLINE const uint8_t *bytes_of_head(const bb_kv_piece *piece, size_t head) {
  const void *first = piece->keys.scales ? piece->keys.scales : piece->keys.entries;
  return (const uint8_t *)first + head * piece->head_bytes;
}

// Tokens of a piece that query `row` sees, where `heads` queries belong to a token.
INLINE size_t last_seen(const bb_kv_piece *piece, size_t row, size_t heads) {
  if (piece->seen >= (ptrdiff_t)piece->last) return piece->last;
  const ptrdiff_t last = piece->seen + (ptrdiff_t)(row / heads);
  return last <= (ptrdiff_t)piece->first ? piece->first : (size_t)last < piece->last ? (size_t)last : piece->last;
}

// ---------------------------------------------------------------- steps

typedef bb_pair_products pair_products;

// At most ATTEND_HEADS queries of a KV head, and what they have seen so far.
typedef struct {
  integer_queries queries;
  uint16_t *bf16;       // the queries in BF16, or NULL where numerics are exact
  size_t kv_head, row;  // of the first query, among those of its KV head
  softmax_state softmax;
  float *state;
} attend_block;

// A block's queries and one page.
typedef struct {
  attend_block *block;
  const bb_kv_piece *piece;
  bb_kv_block keys, values;
  size_t last[ATTEND_HEADS];               // tokens that each query sees
  float scores[ATTEND_HEADS * BB_PAGE];    // then weights
  float max[ATTEND_HEADS], share[ATTEND_HEADS], decay[ATTEND_HEADS];
} attend_step;

// What all steps share, and the softmax weights of one step as integers or in BF16.
typedef struct {
  size_t d, dv;
  bb_attend_numerics numerics;
  pair_products products;
  code_tiles code;
  integer_rows *groups;
  int8_t *numbers;
  uint16_t weights[ATTEND_HEADS * BB_PAGE];
  prefetch_stream next;  // what later steps read
} attend_work;

INLINE int as_bf16_pairs(const attend_work *work, const bb_kv_block *block) {
  return work->numerics != BB_ATTEND_EXACT && block->format == BB_KV_BF16;
}

static void start_step(attend_step *step, attend_block *block, const bb_kv_piece *piece, size_t heads) {
  step->block = block;
  step->piece = piece;
  step->keys = block_of_head(piece->keys, block->kv_head * piece->head_bytes);
  step->values = block_of_head(piece->values, block->kv_head * piece->head_bytes);
  for (size_t h = 0; h < block->queries.heads; h++) step->last[h] = last_seen(piece, block->row + h, heads);
}

// The scores of a step, and the maximum of each query.
static void step_scores(attend_work *work, attend_step *step, size_t heads_of_token, float scale) {
  attend_block *block = step->block;
  const size_t heads = block->queries.heads, even = (work->d + 1) / 2 * 2, first = step->piece->first;
  if (as_bf16_pairs(work, &step->keys))
    work->products(block->bf16, even, heads, step->keys.entries, PAGE_VECTORS, even / 2, &work->next, NULL,
                   step->scores, BB_PAGE);
  else scores_of_block(&block->queries, &step->keys, work->numerics, &work->next, step->scores);
  if (step->piece->slopes)
    add_positions(step->scores, heads, block->row, heads_of_token, step->piece->slopes + block->kv_head * heads_of_token,
                  step->piece->position, scale);
  if (first > 0 || step->last[0] < BB_PAGE) hide_scores(step->scores, heads, first, step->last);
  v_store(step->max, v_set(0));
  EACH_ROWS(max_scores(rows, step->scores + h * BB_PAGE, step->max + h));
}

// Scores of a step become softmax weights exp(scale * score - max); running maxima and sums of its block are updated. The maximum
// is that of the query so far or, where weights are to become integers, that of the page: these weights count `share` times.
// `decay` is what the values summed so far are multiplied by.
static void step_softmax(attend_work *work, attend_step *step, float scale) {
  softmax_state *state = &step->block->softmax;
  const size_t heads = step->block->queries.heads;
  const int integers = is_coded(step->values.format), quantized = integers || as_bf16_pairs(work, &step->values);
  float total[ATTEND_HEADS] = {0};
  const v16 before = v_load(state->maximum), of_page = v_mul(v_load(step->max), v_set(scale));
  const v16 top = v_max(of_page, before), fade = v_exp(v_sub(before, top));
  const v16 part = integers ? v_exp(v_sub(of_page, top)) : v_set(1);
  v_store(step->max, integers ? of_page : top);
#define EXPONENTIALS(ROUGH)                                                                                         \
  EACH_ROWS(exponentials(rows, ROUGH, step->scores + h * BB_PAGE, scale, step->max + h, total + h, &work->next))
  if (quantized && work->numerics != BB_ATTEND_EXACT) EXPONENTIALS(1);
  else EXPONENTIALS(0);
  v_store(step->share, part);
  v_store(step->decay, fade);
  v_store(state->sum, v_fma(v_load(state->sum), fade, v_mul(v_load(total), part)));
  v_store(state->maximum, top);
}

// Quantizes the softmax weights of a step for its values.
static void step_weights(attend_work *work, const attend_step *step) {
  const size_t heads = step->block->queries.heads;
  if (is_coded(step->values.format)) {
    const size_t first = step->piece->first;
    if (work->numerics == BB_ATTEND_INT8)
      quantize_weights(UNSIGNED_BYTE, step->scores, step->share, heads, work->dv, &step->values, first, step->last,
                    work->groups, work->numbers, &work->next);
    else
      quantize_weights(TWO_BYTES, step->scores, step->share, heads, work->dv, &step->values, first, step->last, work->groups,
                    work->numbers, &work->next);
  } else if (as_bf16_pairs(work, &step->values)) {
    convert_to_bf16(step->scores, work->weights, heads * BB_PAGE);
  }
}

// Adds the values of a step, by the weights that were quantized last.
static void step_values(attend_work *work, const attend_step *step) {
  const bb_kv_block *values = &step->values;
  const size_t heads = step->block->queries.heads, dv = work->dv, first = step->piece->first, last = step->last[heads - 1];
  const float *weights = step->scores, *decay = step->decay;
  const uint8_t *at = values->entries;
  prefetch_stream *next = &work->next;
  float *state = step->block->state;
  if (as_bf16_pairs(work, values)) {
    const size_t pair = first / 2, bytes = pair * dv * 4;
    work->products(work->weights + 2 * pair, BB_PAGE, heads, at + bytes, dv / 16, (last + 1) / 2 - pair, next,
                   decay, state, dv + 16);
    return;
  }
  switch (values->format) {
    case BB_KV_F32: exact_values_of_heads(BB_KV_F32, weights, decay, heads, dv, at, next, first, last, state); break;
    case BB_KV_F16: exact_values_of_heads(BB_KV_F16, weights, decay, heads, dv, at, next, first, last, state); break;
    case BB_KV_BF16: exact_values_of_heads(BB_KV_BF16, weights, decay, heads, dv, at, next, first, last, state); break;
    default: {
#define VALUES(FORMAT, KIND)                                                 \
  coded_values(FORMAT, KIND, work->groups, work->numbers, decay, heads, dv, values, work->code, next, state)
      EACH_CODED(values->format, work->numerics, UNSIGNED_BYTE, VALUES)
    }
  }
}

// ---------------------------------------------------------------- attention

// The queries of an `attend`, and which of its KV heads and of their rows are meant.
typedef struct {
  const float *q;      // [KV heads][rows][d]
  size_t rows, heads;  // queries of a KV head, queries of one of its tokens
  size_t kv_first;     // the KV head of the first of them
  size_t head, head_count, row, row_count;
} attend_part;

// The prefetch distance in lines: a whole head. Products of floats with few queries are done so soon that the hardware
// prefetcher, which also sees memory read in order, fetches most of it.
INLINE ptrdiff_t prefetch_distance(const attend_part *part, const bb_kv_piece *piece) {
  return part->row_count > 2 || is_coded(piece->keys.format) ? (ptrdiff_t)piece->head_bytes / 64 : 40;
}

// What is read from a head of a page on, of which `done` was prefetched before: the heads behind it, then those of the next page.
INLINE prefetch_stream from_head(const attend_part *part, const bb_kv_piece *pieces, size_t count, size_t page, size_t head,
                          prefetch_stream done) {
  const size_t first = part->kv_first + part->head, last = first + part->head_count;
  const uint8_t *here = bytes_of_head(pieces + page, first + head);
  prefetch_stream next = {here, bytes_of_head(pieces + page, last), NULL, NULL, 0, prefetch_distance(part, pieces + page)};
  if (page + 1 < count) {
    next.then = bytes_of_head(pieces + page + 1, first);
    next.then_end = bytes_of_head(pieces + page + 1, last);
  }
  if (done.end == next.end && done.at > here) {
    next.at = done.at, next.ahead = (done.at - here) / 64;
  } else if (next.then && done.end == next.then_end) {
    next.ahead = (next.end - here + done.at - next.then) / 64;
    next.at = done.at, next.end = done.end, next.then = NULL;
  }
  return next;
}

// Attends for at most ATTEND_BLOCKS blocks of queries, in the order of memory: keys and values of a KV head, all heads of a page,
// then the next page. Not inlined, so that no arithmetic leaves the region where denormals are 0.
static __attribute__((noinline)) void attend_to_part(attend_part part, size_t d, const bb_kv_piece *pieces, size_t count,
                                                     float scale, bb_attend_numerics numerics, pair_products products, code_tiles code,
                                                     float *state) {
  const size_t dv = (d + 15) / 16 * 16, stride = dv + 16, even = (d + 1) / 2 * 2, groups = most_groups(dv);
  const size_t each = (part.row_count + ATTEND_HEADS - 1) / ATTEND_HEADS, blocks = part.head_count * each;
  const size_t most = part.row_count < ATTEND_HEADS ? part.row_count : ATTEND_HEADS;
  _Alignas(64) uint16_t bf16[numerics != BB_ATTEND_EXACT ? blocks * most * even : 1];
  _Alignas(64) int8_t numbers[blocks * most * 2 * dv], weight_numbers[groups * most * 2 * BB_PAGE];
  integer_rows rows[blocks * groups], weight_rows[groups];
  attend_block block[ATTEND_BLOCKS] = {0};
  for (size_t b = 0; b < blocks; b++) {
    const size_t row = b % each * ATTEND_HEADS, at = (part.head + b / each) * part.rows + part.row + row;
    const size_t some = part.row_count - row < ATTEND_HEADS ? part.row_count - row : ATTEND_HEADS;
    block[b].queries = (integer_queries){part.q + at * d, some, d, 0, rows + b * groups, numbers + b * most * 2 * dv, code};
    block[b].kv_head = part.kv_first + part.head + b / each;
    block[b].row = part.row + row;
    block[b].state = state + at * stride;
    for (size_t h = 0; h < some; h++) {
      block[b].softmax.maximum[h] = block[b].state[h * stride + dv];
      block[b].softmax.sum[h] = block[b].state[h * stride + dv + 1];
    }
    block[b].bf16 = bf16 + (numerics != BB_ATTEND_EXACT ? b * most * even : 0);
    for (size_t h = 0; h < some && numerics != BB_ATTEND_EXACT; h++) {
      block[b].bf16[h * even + even - 1] = 0;
      convert_to_bf16(part.q + (at + h) * d, block[b].bf16 + h * even, d);
    }
  }
  attend_work work = {.d = d, .dv = dv, .numerics = numerics, .products = products, .code = code, .groups = weight_rows,
                      .numbers = weight_numbers};
  for (size_t page = 0; page < count; page++)
    for (size_t b = 0; b < blocks; b++) {
      if (b % each == 0) work.next = from_head(&part, pieces, count, page, b / each, work.next);
      attend_step step;
      start_step(&step, block + b, pieces + page, part.heads);
      step_scores(&work, &step, part.heads, scale);
      step_softmax(&work, &step, scale);
      step_weights(&work, &step);
      step_values(&work, &step);
    }
  for (size_t b = 0; b < blocks; b++)
    for (size_t h = 0; h < block[b].queries.heads; h++) {
      block[b].state[h * stride + dv] = block[b].softmax.maximum[h];
      block[b].state[h * stride + dv + 1] = block[b].softmax.sum[h];
    }
}

static void attend_by(const float *q, size_t tokens, size_t heads, size_t d, const bb_kv_piece *pieces, size_t count,
                      size_t kv_first, size_t kv_count, float scale, bb_attend_numerics numerics, pair_products products, code_tiles code,
                      float *state) {
  // Of many queries 64 at a time, whose weighted values stay in the second-level cache; of few, several KV heads.
  const size_t rows = tokens * heads, most_rows = 64;
  const uint64_t before = numerics != BB_ATTEND_EXACT ? bb_flush_denormals() : 0;
  for (size_t row = 0; row < rows; row += most_rows) {
    const size_t some = rows - row < most_rows ? rows - row : most_rows;
    const size_t together = ATTEND_BLOCKS / ((some + ATTEND_HEADS - 1) / ATTEND_HEADS);
    for (size_t head = 0; head < kv_count; head += together) {
      const size_t those = kv_count - head < together ? kv_count - head : together;
      attend_to_part((attend_part){q, rows, heads, kv_first, head, those, row, some}, d, pieces, count, scale, numerics,
                     products, code, state);
    }
  }
  if (numerics != BB_ATTEND_EXACT) bb_restore_denormals(before);
}

// The same with the products that the numerics name: of pairs, or of chains; those of `given` where it has them.
INLINE void attend_in(const float *q, size_t tokens, size_t heads, size_t d, const bb_kv_piece *pieces, size_t count,
                      size_t kv_first, size_t kv_count, float scale, bb_attend_numerics numerics, bb_page_products own,
                      bb_page_products given, float *state) {
  const int in_chains = numerics >= BB_ATTEND_BF16_CHAINS;
  const bb_attend_numerics kind = numerics == BB_ATTEND_BF16_CHAINS   ? BB_ATTEND_BF16
                                  : numerics == BB_ATTEND_INT8_CHAINS ? BB_ATTEND_INT8
                                                                      : numerics;
  const pair_products pairs = given.pairs ? given.pairs : own.pairs, chains = given.chains ? given.chains : own.chains;
  attend_by(q, tokens, heads, d, pieces, count, kv_first, kv_count, scale, kind, in_chains ? chains : pairs, given.codes, state);
}
