/* merge_run.h: runs a merge for the command line: batch after batch, as events and a summary. */
#ifndef SURFBOARD_TUI_MERGE_RUN_H
#define SURFBOARD_TUI_MERGE_RUN_H

#include "core/merge/merge.h"
#include "core/pipeline/run.h"
#include "tui/command.h"

struct merge_run {
    struct command *command;
    const struct merge_stream *stream;
    struct merge_options options; /* stop and progress are filled in */
    bool follow;
    bool result_code;   /* print DATASURFACE_RESULT_CODE= behind the summary */
    struct run *record; /* NULL: none is kept */
};

/* Returns the exit code. The summary is the last line on `out`; a failure is reported there and on
 * stderr. */
int merge_run(struct merge_run *run);

/* The options that both forms share, for their table. */
#define MERGE_RUN_OPTIONS                                                                          \
    {"once", OPTION_FLAG, NULL, "one pass over what waits (the default)"},                         \
        {"follow", OPTION_FLAG, NULL, "go on as new files come, until interrupted"},               \
        {"max-events", OPTION_COUNT, "N", "cut batches of about N events, each committed"},        \
        {"memory", OPTION_BYTES, "SIZE", "budget for keys and row images (512MiB)"},               \
        {"threads", OPTION_COUNT, "N", "worker threads (0: as many as there are cores)"},          \
        {"on-bad-input", OPTION_CHOICE, "stop|quarantine", "what a bad line does"},                \
        {"on-gap", OPTION_CHOICE, "stop|accept", "what missing offsets do"},                       \
        {"gap-wait", OPTION_DURATION, "TIME", "how long a gap is waited for (30s)"},               \
        {"on-unknown", OPTION_CHOICE, "ignore|stop", "what members without a column do"},          \
        {"no-index", OPTION_FLAG, NULL,                                                            \
         "find rows by scanning key columns, without the key index"},                              \
        {"durability", OPTION_CHOICE, "full|none", "none: no fsync"},                              \
        {"rewrite-at", OPTION_TEXT, "SHARE|off",                                                   \
         "rewrite data files with a larger share deleted"},                                        \
        {"format-version", OPTION_COUNT, "N", "of the Iceberg tables: 2"},                         \
    {                                                                                              \
        "result-code", OPTION_FLAG, NULL, "end with a line DATASURFACE_RESULT_CODE="               \
    }

/* Reads them over what `options` holds. ERROR_USAGE or ERROR_UNSUPPORTED names the option. */
bool merge_run_options(struct command *command, struct merge_options *options, struct error *error);

#endif
