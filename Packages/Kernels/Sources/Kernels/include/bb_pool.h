// A fixed set of threads that run one function together, many thousand times a second.
//
// Worker 0 is the caller. Workers spin for about 50 microseconds after a region, then sleep. While they spin, they
// prefetch what they will read next.
#ifndef BB_POOL_H
#define BB_POOL_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bb_pool bb_pool;
typedef void (*bb_pool_work)(void *context, size_t worker, size_t workers);

// A pool of `workers` >= 1 threads, the caller's included; NULL when the system refuses.
bb_pool *bb_pool_create(size_t workers);
void bb_pool_destroy(bb_pool *pool);
size_t bb_pool_workers(const bb_pool *pool);
// Runs `work` once on every worker and returns when all have finished. One caller at a time; not from inside `work`.
void bb_pool_run(bb_pool *pool, bb_pool_work work, void *context);

// Inside a region: 0, then 1 and so on, each number to whichever worker asks next.
size_t bb_pool_claim(bb_pool *pool);
// Between regions: bytes that a worker will read soon, after the next region or a later one, instead of those named
// before. They need not exist: they are only prefetched.
void bb_pool_prefetch(bb_pool *pool, size_t worker, const void *bytes, size_t count);
// The same, of bytes that the very next region reads: a worker that waits for it prefetches at once.
void bb_pool_prefetch_now(bb_pool *pool, size_t worker, const void *bytes, size_t count);

#ifdef __cplusplus
}
#endif
#endif
