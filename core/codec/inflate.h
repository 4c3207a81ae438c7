/* inflate.h: one gzip member or raw deflate stream, piece by piece; inside core/codec. ISA-L
 * decodes about three times as fast as zlib; zlib does the work where ISA-L was not there to build
 * with. */
#ifndef SURFBOARD_CODEC_INFLATE_H
#define SURFBOARD_CODEC_INFLATE_H

#include "core/base/error.h"
#include "core/base/slice.h"

enum inflate_format { INFLATE_GZIP, INFLATE_RAW };
enum inflate_backend { INFLATE_FASTEST, INFLATE_ZLIB };

struct inflater;

struct inflater *inflater_create(enum inflate_backend backend, struct error *error);
void inflater_destroy(struct inflater *inflater);
/* To be called before each member. */
bool inflater_reset(struct inflater *inflater, enum inflate_format format, struct error *error);
/* Moves *in forward and fills `out`; *ended is set when the member's trailer was read and holds.
 * ERROR_INPUT when the bytes are no such member. */
bool inflater_run(struct inflater *inflater, struct slice *in, void *out, size_t room,
                  size_t *produced, bool *ended, struct error *error);

#endif
