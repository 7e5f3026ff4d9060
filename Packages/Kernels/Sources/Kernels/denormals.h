// Arithmetic that takes denormal numbers for 0, as the products of BF16 pairs are defined: operands and results alike.
//
// A result counts as denormal on x86 when it is one after rounding to 24 bits, on Arm when it is one before: there 0 can
// stand for a result that rounds up to 2^-126.
#ifndef BB_DENORMALS_H
#define BB_DENORMALS_H
#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Turns it on for this thread; returns what `bb_restore_denormals` takes.
static inline uint64_t bb_flush_denormals(void) {
  uint64_t before = 0;
#if defined(__x86_64__)
  before = _mm_getcsr();
  _mm_setcsr((unsigned)before | 0x8040);
#elif defined(__aarch64__)
  __asm__ volatile("mrs %0, fpcr" : "=r"(before));
  __asm__ volatile("msr fpcr, %0" : : "r"(before | 1u << 24) : "memory");
#endif
  return before;
}

static inline void bb_restore_denormals(uint64_t before) {
#if defined(__x86_64__)
  _mm_setcsr((unsigned)before);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(before) : "memory");
#endif
}
#endif
