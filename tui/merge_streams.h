/* merge_streams.h: merge of the profile's streams. */
#ifndef SURFBOARD_TUI_MERGE_STREAMS_H
#define SURFBOARD_TUI_MERGE_STREAMS_H

#include "core/iceberg/catalog.h"
#include "core/pipeline/pipeline.h"
#include "tui/command.h"

/* The streams named as positionals, or --all. Returns the exit code: the first failure's, after all
 * streams were tried. */
int merge_streams(struct command *command);

/* The catalog of the profile's lake; catalog_close(). */
struct catalog *merge_streams_catalog(const struct pipeline *pipeline, bool durable,
                                      struct error *error);

#endif
