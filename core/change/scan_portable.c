/* The envelope scanner for every machine. */
#define TOKEN_LANES 0
#define SCAN_NAME(name) name##_portable
#include "core/change/scan_body.h"
