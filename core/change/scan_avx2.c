/* The envelope scanner with AVX2; called only where the processor has it. */
#ifdef __x86_64__
#include <immintrin.h>

#include "core/base/error.h"
#include "core/change/event.h"
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,bmi"))), apply_to = function)
#else
#pragma GCC target("avx2,bmi")
#endif
#define TOKEN_LANES 2
#define SCAN_NAME(name) name##_avx2
#include "core/change/scan_body.h"
#ifdef __clang__
#pragma clang attribute pop
#endif
#else
typedef int scan_avx2_is_empty; /* ISO C wants a declaration in each file */
#endif
