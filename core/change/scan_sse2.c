/* The envelope scanner with the instructions that every x86-64 has. */
#ifdef __x86_64__
#define TOKEN_LANES 1
#define SCAN_NAME(name) name##_sse2
#include "core/change/scan_body.h"
#else
typedef int scan_sse2_is_empty; /* ISO C wants a declaration in each file */
#endif
