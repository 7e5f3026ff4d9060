#include "bb_pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum { SPIN_NANOSECONDS = 50000, PAUSES_PER_LOOK = 32 };

// What a worker reads next, as far as it is not prefetched.
typedef struct {
  const uint8_t *at, *end;
} prefetch_range;

// The same of the coming region, named while workers wait for it. A worker that reads one end anew and the other as it was
// prefetches the wrong bytes, and no more.
typedef struct {
  _Atomic(const uint8_t *) at, end;
} coming_range;

// What a waiting worker has seen of the ranges that are named.
typedef struct {
  prefetch_range next;
  size_t known_count, known_coming;
} prefetch_state;

struct bb_pool {
  size_t workers;
  pthread_t *threads;
  bb_pool_work work;
  void *context;
  _Atomic size_t generation;  // Counts regions; a change starts the workers.
  _Atomic size_t running;     // Workers that have not finished this region.
  _Atomic size_t claimed;     // Numbers given out in this region.
  prefetch_range *prefetch;  // Of each worker; set between regions.
  size_t prefetch_count;           // Counts what was set.
  coming_range *coming;          // Of each worker; set between regions, read at any time.
  _Atomic size_t coming_count;     // Counts what was set.
  prefetch_state caller;         // Of worker 0.
  _Atomic int stopping;
  pthread_mutex_t lock;
  pthread_cond_t started, finished;
};

struct start {
  bb_pool *pool;
  size_t worker;
};

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// Lines of 64 bytes that a waiting worker prefetches between two looks at the barrier.
enum { LINES_PER_PAUSE = 16 };

static void look_for_coming(bb_pool *pool, size_t worker, prefetch_state *state) {
  const size_t count = atomic_load_explicit(&pool->coming_count, memory_order_acquire);
  if (count == state->known_coming) return;
  state->known_coming = count;
  state->next.at = atomic_load_explicit(&pool->coming[worker].at, memory_order_relaxed);
  state->next.end = atomic_load_explicit(&pool->coming[worker].end, memory_order_relaxed);
}

// Spins while *value == old, for a bounded time, and prefetches what is read next; returns whether it changed.
static int spin_while(bb_pool *pool, size_t worker, _Atomic size_t *value, size_t old, prefetch_state *state) {
  const long long end = now() + SPIN_NANOSECONDS;
  prefetch_range *next = &state->next;
  do {
    for (int i = 0; i < PAUSES_PER_LOOK; i++) {
      if (atomic_load_explicit(value, memory_order_acquire) != old) return 1;
      look_for_coming(pool, worker, state);
      for (int line = 0; line < LINES_PER_PAUSE && next->at < next->end; line++, next->at += 64)
        __builtin_prefetch(next->at, 0, 2);
      relax();
    }
  } while (now() < end);
  return 0;
}

// After a region: what was named before it, or nothing.
static void take_named(bb_pool *pool, size_t worker, prefetch_state *state) {
  state->known_coming = atomic_load_explicit(&pool->coming_count, memory_order_relaxed);
  if (state->known_count == pool->prefetch_count) return;
  state->known_count = pool->prefetch_count;
  state->next = pool->prefetch[worker];
}

static void *worker_main(void *argument) {
  struct start *start = argument;
  bb_pool *pool = start->pool;
  const size_t worker = start->worker;
  free(start);
  size_t seen = 0;
  prefetch_state state = {{NULL, NULL}, 0, 0};
  for (;;) {
    if (!spin_while(pool, worker, &pool->generation, seen, &state)) {
      pthread_mutex_lock(&pool->lock);
      while (atomic_load(&pool->generation) == seen) pthread_cond_wait(&pool->started, &pool->lock);
      pthread_mutex_unlock(&pool->lock);
    }
    seen++;
    if (atomic_load(&pool->stopping)) return NULL;
    pool->work(pool->context, worker, pool->workers);
    take_named(pool, worker, &state);
    if (atomic_fetch_sub(&pool->running, 1) == 1) {
      pthread_mutex_lock(&pool->lock);
      pthread_cond_signal(&pool->finished);
      pthread_mutex_unlock(&pool->lock);
    }
  }
}

static void start_region(bb_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add(&pool->generation, 1);
  pthread_cond_broadcast(&pool->started);
  pthread_mutex_unlock(&pool->lock);
}

static void stop(bb_pool *pool, size_t started) {
  atomic_store(&pool->stopping, 1);
  start_region(pool);
  for (size_t i = 0; i < started; i++) pthread_join(pool->threads[i], NULL);
  pthread_mutex_destroy(&pool->lock);
  pthread_cond_destroy(&pool->started);
  pthread_cond_destroy(&pool->finished);
  free(pool->threads);
  free(pool->prefetch);
  free(pool->coming);
  free(pool);
}

bb_pool *bb_pool_create(size_t workers) {
  if (workers < 1 || workers > 1024) return NULL;
  bb_pool *pool = calloc(1, sizeof *pool);
  if (!pool) return NULL;
  pool->workers = workers;
  pool->threads = calloc(workers, sizeof *pool->threads);
  pool->prefetch = calloc(workers, sizeof *pool->prefetch);
  pool->coming = calloc(workers, sizeof *pool->coming);
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->started, NULL);
  pthread_cond_init(&pool->finished, NULL);
  if (!pool->threads || !pool->prefetch || !pool->coming) {
    stop(pool, 0);
    return NULL;
  }
  for (size_t i = 1; i < workers; i++) {
    struct start *start = malloc(sizeof *start);
    if (start) *start = (struct start){pool, i};
    if (!start || pthread_create(&pool->threads[i - 1], NULL, worker_main, start) != 0) {
      free(start);
      stop(pool, i - 1);
      return NULL;
    }
  }
  return pool;
}

void bb_pool_destroy(bb_pool *pool) {
  if (pool) stop(pool, pool->workers - 1);
}

size_t bb_pool_claim(bb_pool *pool) { return atomic_fetch_add_explicit(&pool->claimed, 1, memory_order_relaxed); }

size_t bb_pool_workers(const bb_pool *pool) { return pool->workers; }

void bb_pool_prefetch(bb_pool *pool, size_t worker, const void *bytes, size_t count) {
  const uint8_t *start = bytes;
  pool->prefetch[worker] = (prefetch_range){start, start + count};
  pool->prefetch_count++;
}

void bb_pool_prefetch_now(bb_pool *pool, size_t worker, const void *bytes, size_t count) {
  const uint8_t *start = bytes;
  atomic_store_explicit(&pool->coming[worker].at, start, memory_order_relaxed);
  atomic_store_explicit(&pool->coming[worker].end, start + count, memory_order_relaxed);
  atomic_fetch_add_explicit(&pool->coming_count, 1, memory_order_release);
}

void bb_pool_run(bb_pool *pool, bb_pool_work work, void *context) {
  atomic_store_explicit(&pool->claimed, 0, memory_order_relaxed);
  if (pool->workers == 1) {
    work(context, 0, 1);
    return;
  }
  pool->work = work;
  pool->context = context;
  const size_t others = pool->workers - 1;
  atomic_store(&pool->running, others);
  start_region(pool);
  work(context, 0, pool->workers);
  take_named(pool, 0, &pool->caller);
  for (size_t left = others; left != 0; left = atomic_load(&pool->running)) {
    if (spin_while(pool, 0, &pool->running, left, &pool->caller)) continue;
    pthread_mutex_lock(&pool->lock);
    while (atomic_load(&pool->running) != 0) pthread_cond_wait(&pool->finished, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
  }
}
