/* command_rows.h: how the verbs that answer with rows (scan, query) print them. */
#ifndef SURFBOARD_TUI_COMMAND_ROWS_H
#define SURFBOARD_TUI_COMMAND_ROWS_H

#include "core/base/arena.h"
#include "core/query/engine.h"
#include "core/query/output.h"
#include "tui/command.h"

#define COMMAND_ROWS_FORMATS "table|csv|json|record"

/* The format asked for: --json wins, then --format, then a table. */
enum output_format command_rows_format(const struct command *command);
/* "a, b,\"c,d\"" into names, in `arena`; NULL text gives no list. ERROR_USAGE for an empty name. */
bool command_split_columns(const char *text, struct arena *arena, const char *const **columns,
                           size_t *count, struct error *error);
/* Prints a result to its end, or to `limit` rows (-1: all); *more tells that rows were left. */
bool command_print_rows(struct command *command, struct result *result, int64_t limit, bool *more,
                        struct error *error);

#endif
