/* snappy_load.h: libsnappy (C++ inside) is loaded when a block of it first comes. */
#ifndef SURFBOARD_CODEC_SNAPPY_LOAD_H
#define SURFBOARD_CODEC_SNAPPY_LOAD_H

#include "core/base/error.h"

/* Before any function of snappy-c.h (core/base/library.h). */
bool snappy_ready(struct error *error);

#endif
