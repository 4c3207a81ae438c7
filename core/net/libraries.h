/* libraries.h: the network libraries, loaded when first used (core/base/library.h). Whoever opens
 * something with one of them asks first; a new function of theirs wants a row in libpq_load.c or
 * libcurl_load.c. */
#ifndef SURFBOARD_NET_LIBRARIES_H
#define SURFBOARD_NET_LIBRARIES_H

#include "core/base/error.h"

bool libpq_ready(struct error *error);
bool libcurl_ready(struct error *error);

#endif
