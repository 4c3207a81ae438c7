/* verify.h: compares the tables of a stream in the source with those in the lake, row by row, by
 * key and by stored values (what the lake has no room for is null on both sides).
 *
 * The source is read in one exported snapshot at a position L. First the lake must have passed L:
 * everything committed before L was captured, and is behind the watermark of the tables. Rows that
 * were changed again behind L, as far as the lake has it, can't be judged: they are "lag" unless
 * they are equal all the same.
 */
#ifndef SURFBOARD_POSTGRES_VERIFY_H
#define SURFBOARD_POSTGRES_VERIFY_H

#include <jansson.h>
#include <stdatomic.h>

#include "core/pipeline/pipeline.h"

struct verify_options {
    const struct pipeline *pipeline;
    const struct stream *stream;
    const char *table; /* dataset, or name in the source; NULL: all */
    int64_t sample;    /* rows a table; 0: all of them */
    double rate;       /* rows a second read from the source; 0: no limit */
    int64_t wait_ms;   /* for the lake to pass the position; 0: 60 000 */
    const atomic_bool *stop;
    /* "plan" (what will be read and held), "waiting", "progress", "table". Takes over; NULL: none.
     */
    void (*event)(void *context, json_t *event);
    void *context;
};

/* *document: {"event":"verify","stream","position","tables":[{"table","exact","lag","differs",
 * "source_only","lake_only","examples":[…]}],"equal":bool}. Ownership goes to the caller.
 * ERROR_CHECK when the lake does not pass the position in time. */
bool verify_run(const struct verify_options *options, json_t **document, struct error *error);

#endif
