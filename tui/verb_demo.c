/* demo: the whole pipeline on this machine, in one command. */
#include <stdlib.h>

#include "core/base/memory.h"
#include "tui/demo/demo.h"
#include "tui/verbs.h"

static const struct option_spec demo_options[] = {
    {"dir", OPTION_TEXT, "D",
     "where everything lies (./surfboard-demo); one that is there goes on"},
    {"rows", OPTION_COUNT, "N", "customers that the shop starts with (2000)"},
    {"seconds", OPTION_DURATION, "S",
     "how long it is written to (20; on the screen: until you leave it)"},
    {"rate", OPTION_COUNT, "N", "changed rows a second (300)"},
    {"no-screen", OPTION_FLAG, NULL, "lines in place of the screen"},
    {0},
};

static int demo_verb_run(struct command *command)
{
    struct error error = {0}, closing = {0};
    struct demo *demo = memory_zero(1, sizeof *demo, &error);
    if (demo == NULL)
        return command_fail(command, &error);
    demo->command = command;
    demo->rows = command_count(command, "rows", 2000);
    demo->run_ms = command_duration_ms(command, "seconds", 20000);
    demo->rate = command_count(command, "rate", 300);
    bool ok = demo_build(demo, &error) && demo_run(demo, &error) && demo_finish(demo, &error);
    bool equal = demo->equal;
    if (!demo_close(demo, &closing) && ok) {
        ok = false;
        error = closing;
    }
    free(demo);
    if (!ok)
        return command_fail(command, &error);
    return equal ? 0 : 1;
}

const struct verb verb_demo = {
    .name = "demo",
    .synopsis = "[--dir D] [--rows N] [--seconds S] [--rate N] [--no-screen]",
    .summary = "Shows it all on this machine: a busy Postgres, capture, merge, Iceberg tables",
    .details = "Makes a private Postgres with a shop in it, keeps changing the shop, captures the "
               "changes, merges them into Iceberg tables, and at the end compares source and lake "
               "row by row. Needs Postgres' programs and nothing else; listens on 127.0.0.1 only; "
               "everything ends with it. Run again on the same --dir it goes on where it was. Exit "
               "0 only when every row is equal and every kind of change was merged.",
    .options = demo_options,
    .flags = VERB_JSON_LINES | VERB_GRACEFUL,
    .run = demo_verb_run,
};
