#include "tui/merge_run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/quantity.h"
#include "core/merge/feed.h"

enum { FOLLOW_WAIT_MS = 2000 };

/* -- options ----------------------------------------------------------------------------------- */

static bool choice_is(struct command *command, const char *name, const char *value, bool *out)
{
    const char *given = command_option(command, name);
    if (given)
        *out = strcmp(given, value) == 0;
    return given != NULL;
}

static bool read_rewrite_at(struct command *command, struct merge_options *options,
                            struct error *error)
{
    const char *text = command_option(command, "rewrite-at");
    if (text == NULL)
        return true;
    bool off = strcmp(text, "off") == 0;
    char *end = NULL;
    double share = off ? 0 : strtod(text, &end);
    if (!off && (*end || end == text || !(share > 0) || share > 1))
        return error_set(error, ERROR_USAGE, "--rewrite-at 0.25, or --rewrite-at off",
                         "--rewrite-at %s: neither a share between 0 and 1 nor off", text);
    options->rewrite_at = share;
    return true;
}

static bool read_format(struct command *command, struct error *error)
{
    int64_t version = command_count(command, "format-version", 2);
    if (version == 2)
        return true;
    return error_set(error, version == 3 ? ERROR_REFUSED : ERROR_USAGE, "use --format-version 2",
                     version == 3 ? "--format-version %" PRId64
                                    ": this build writes format 2; it reads 3"
                                  : "--format-version %" PRId64 ": there is 2",
                     version);
}

bool merge_run_options(struct command *command, struct merge_options *options, struct error *error)
{
    bool flag;
    options->memory = command_bytes(command, "memory", options->memory);
    options->threads = (unsigned)command_count(command, "threads", (int64_t)options->threads);
    options->max_events = command_count(command, "max-events", options->max_events);
    options->gap_wait_ms = command_duration_ms(command, "gap-wait", options->gap_wait_ms);
    if (choice_is(command, "on-bad-input", "quarantine", &flag))
        options->on_bad_input = flag ? MERGE_BAD_INPUT_QUARANTINE : MERGE_BAD_INPUT_STOP;
    if (choice_is(command, "on-gap", "accept", &flag))
        options->on_gap = flag ? MERGE_GAP_ACCEPT : MERGE_GAP_STOP;
    if (choice_is(command, "on-unknown", "stop", &flag))
        options->on_unknown = flag ? MERGE_UNKNOWN_STOP : MERGE_UNKNOWN_IGNORE;
    options->cold = command_flag(command, "no-index");
    if (choice_is(command, "durability", "full", &flag))
        options->durable = flag;
    if (options->memory && options->memory < (uint64_t)16 << 20)
        return error_set(error, ERROR_USAGE, "--memory 16MiB or more",
                         "--memory: too little to merge with");
    if (command_flag(command, "once") && command_flag(command, "follow"))
        return error_set(error, ERROR_USAGE, "give one of both", "--once and --follow");
    return read_rewrite_at(command, options, error) && read_format(command, error);
}

/* -- output ------------------------------------------------------------------------------------ */

static void progress(void *context, const char *phase, int64_t done, int64_t total)
{
    struct merge_run *run = context;
    (void)total;
    if (done)
        run_progress(run->record, phase, "events", done, -1);
    else
        run_phase(run->record, phase);
    if (done)
        command_progress(run->command, "%s: %s, %" PRId64 " events", run->stream->name, phase,
                         done);
    else
        command_progress(run->command, "%s: %s", run->stream->name, phase);
}

static void say_summary(struct merge_run *run, const struct merge_summary *summary)
{
    char events[QUANTITY_TEXT_SIZE], written[QUANTITY_TEXT_SIZE];
    quantity_format_count((uint64_t)summary->events, events);
    quantity_format_bytes((uint64_t)summary->bytes_written, written);
    static const char *const states[] = {[MERGE_NOTHING_TO_DO] = "nothing to do",
                                         [MERGE_COMMITTED] = "committed",
                                         [MERGE_STOPPED] = "stopped"};
    fprintf(run->command->out,
            "%s: %s; batch %" PRId64 ", %s events: %" PRId64 " inserted, %" PRId64
            " updated, %" PRId64 " deleted, %" PRId64 " unchanged, %" PRId64
            " skipped; %s in %" PRId64 " files; %.2f s\n",
            run->stream->name, states[summary->state], summary->batch, events, summary->inserted,
            summary->updated, summary->deleted, summary->unchanged, summary->skipped, written,
            summary->files_added, (double)summary->wall_ns / 1e9);
    if (summary->over_memory)
        command_say(run->command,
                    "%s: one source transaction was larger than --memory and was taken whole",
                    run->stream->name);
    fflush(run->command->out);
}

static bool print_event(struct merge_run *run, const struct merge_summary *summary,
                        const char *event, const struct error *failure, struct error *error)
{
    json_t *json = merge_summary_json(summary, run->stream->name, failure, error);
    TRY(json != NULL);
    json_object_set_new(json, "event", json_string(event));
    if (run->record)
        TRY(run_event(run->record, json_incref(json), true, error));
    if (run->command->json)
        return command_print_json(run->command, json, error);
    json_decref(json);
    if (strcmp(event, "summary") == 0)
        say_summary(run, summary);
    return true;
}

/* -- the loop ---------------------------------------------------------------------------------- */

static bool stopped(const struct merge_run *run)
{
    return run->command->stop && atomic_load(run->command->stop);
}

static struct feed_watch *open_watch(struct merge_run *run, struct error *error)
{
    const struct merge_stream *stream = run->stream;
    const char **folders = memory_zero(stream->table_count + 1, sizeof *folders, error);
    if (folders == NULL)
        return NULL;
    size_t count = 0;
    for (size_t i = 0; i < stream->table_count; i++)
        folders[count++] = stream->tables[i].deltas;
    if (stream->transactions)
        folders[count++] = stream->transactions;
    struct feed_watch *watch = feed_watch_open(folders, count, error);
    free(folders);
    return watch;
}

/* Batches until nothing waits. */
static bool drain(struct merge_run *run, struct merge *merge, struct merge_summary *sum,
                  struct error *error)
{
    for (bool more = true; more && !stopped(run);) {
        struct merge_summary batch = {0};
        bool ok = merge_batch(merge, &batch, error);
        more = ok && batch.more;
        struct error own = {0};
        if (!merge_summary_add(sum, &batch, &own) ||
            (ok && batch.state == MERGE_COMMITTED && (run->follow || more || sum->batches > 1) &&
             !print_event(run, &batch, "batch", NULL, &own))) {
            if (ok && error)
                *error = own;
            ok = false;
        }
        merge_summary_destroy(&batch);
        TRY(ok);
    }
    return true;
}

static bool follow(struct merge_run *run, struct merge *merge, struct merge_summary *sum,
                   struct error *error)
{
    struct feed_watch *watch = open_watch(run, error);
    TRY(watch != NULL);
    bool ok = drain(run, merge, sum, error);
    while (ok && !stopped(run)) {
        bool woken;
        struct error own = {0};
        run_phase(run->record, "new files");
        if (!feed_watch_wait(watch, FOLLOW_WAIT_MS, &woken, &own) &&
            own.kind != ERROR_INTERRUPTED) {
            *error = own;
            ok = false;
        }
        ok = ok && (stopped(run) || drain(run, merge, sum, error));
    }
    feed_watch_close(watch);
    return ok;
}

int merge_run(struct merge_run *run)
{
    struct command *command = run->command;
    struct merge_summary sum = {0};
    struct error error = {0};
    run->options.stop = command->stop;
    run->options.progress = progress;
    run->options.progress_context = run;
    struct merge *merge = merge_open(run->stream, &run->options, &error);
    bool ok = merge != NULL &&
              (run->follow ? follow(run, merge, &sum, &error) : drain(run, merge, &sum, &error));
    merge_close(merge);
    command_progress(command, "%s", "");
    if (!ok)
        sum.state = MERGE_STOPPED;
    sum.tables = run->stream->table_count;
    struct error own = {0};
    bool printed = print_event(run, &sum, "summary", ok ? NULL : &error, &own);
    if (run->result_code)
        fprintf(command->out, "DATASURFACE_RESULT_CODE=%d\n", !ok ? -1 : sum.more ? 1 : 0);
    fflush(command->out);
    merge_summary_destroy(&sum);
    if (!printed && ok) {
        error = own;
        ok = false;
    } else if (printed) {
        command->reported = true; /* the summary, which is the last line, carries it */
    }
    if (!ok && error.kind == ERROR_INTERRUPTED)
        return command_interrupted(command);
    if (!ok)
        return command_fail(command, &error);
    return stopped(run) ? command_interrupted(command) : 0;
}
