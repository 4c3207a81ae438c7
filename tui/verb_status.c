/* status: how fresh each stream is, and where it is stuck. */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/quantity.h"
#include "core/pipeline/events.h"
#include "core/pipeline/lag.h"
#include "tui/step_print.h"
#include "tui/verbs.h"

static const struct option_spec status_options[] = {
    {"watch", OPTION_FLAG, NULL, "look again every 2 seconds, until interrupted"},
    {"check", OPTION_FLAG, NULL, "for monitors: exit 1 and one line for each bad stream"},
    {"max-age", OPTION_DURATION, "TIME", "with --check: staler than this is bad (its own goal)"},
    {0},
};

enum { STATUS_WATCH_MS = 2000 };

struct status {
    struct command *command;
    struct pipeline *pipeline;
    const struct stream *only; /* NULL: all */
    struct lag_session session;
    size_t bad;
};

static json_t *seconds_json(double seconds)
{
    return seconds < 0 ? json_null() : json_real((double)(int64_t)(seconds * 1000 + 0.5) / 1000);
}

static json_t *status_json(const struct lag *lag)
{
    json_t *chain = json_array();
    for (int i = 0; i < LAG_STAGES; i++)
        json_array_append_new(chain, json_pack("{s:s, s:s, s:o, s:s}", "stage", lag->chain[i].stage,
                                               "position", lag->chain[i].position, "lag_s",
                                               seconds_json(lag->chain[i].lag_s), "state",
                                               lag_state_name(lag->chain[i].state)));
    return json_pack("{s:s, s:s, s:I, s:o, s:f, s:o, s:s, s:s, s:s?, s:I}", "stream",
                     lag->stream->name, "state", lag->state, "batch", (json_int_t)lag->batch,
                     "freshness_s", seconds_json(lag->freshness_s), "goal_s",
                     (double)lag->stream->freshness_ms / 1e3, "chain", chain, "reason", lag->reason,
                     "remedy", lag->remedy, "stuck_at", lag->stuck_at, "wal_held_bytes",
                     (json_int_t)lag->held_bytes);
}

static enum step_verdict status_verdict(const struct lag *lag)
{
    if (strcmp(lag->state, "ok") == 0)
        return VERDICT_OK;
    if (strcmp(lag->state, "unknown") == 0)
        return VERDICT_UNKNOWN;
    return strcmp(lag->state, "late") == 0 ? VERDICT_WARN : VERDICT_FAIL;
}

static void age_text(double seconds, char out[QUANTITY_TEXT_SIZE])
{
    if (seconds < 0)
        snprintf(out, QUANTITY_TEXT_SIZE, "?");
    else
        quantity_format_age((int64_t)(seconds * 1e3), out);
}

static bool status_line(struct status *status, const char *line, struct error *error)
{
    TRY(command_print_data(status->command, slice_of(line), error));
    fputc('\n', status->command->out);
    return true;
}

static bool status_row(struct status *status, const struct lag *lag, struct error *error)
{
    char line[4096], fresh[QUANTITY_TEXT_SIZE], goal[QUANTITY_TEXT_SIZE];
    struct command *command = status->command;
    bool built = strcmp(lag->state, "not built") != 0;
    age_text(lag->freshness_s, fresh);
    age_text((double)lag->stream->freshness_ms / 1e3, goal);
    snprintf(line, sizeof line, "%s %-24s %-10s %8s %8s %7lld  %s",
             built ? step_mark(command, status_verdict(lag)) : "-", lag->stream->name, lag->state,
             fresh, goal, (long long)lag->batch, lag->stuck_at ? lag->stuck_at : "");
    TRY(status_line(status, line, error));
    if (lag->reason[0] && (status->only || built)) {
        snprintf(line, sizeof line, "    why     %s", lag->reason);
        TRY(status_line(status, line, error));
        snprintf(line, sizeof line, "    remedy  %s", lag->remedy);
        TRY(lag->remedy[0] == '\0' || status_line(status, line, error));
    }
    for (int i = 0; status->only && i < LAG_STAGES; i++) {
        age_text(lag->chain[i].lag_s, fresh);
        snprintf(line, sizeof line, "    %-9s %-10s %8s  %s", lag->chain[i].stage,
                 lag_state_name(lag->chain[i].state), fresh, lag->chain[i].position);
        TRY(status_line(status, line, error));
    }
    return true;
}

/* A monitor's view: what is bad, in one line. */
static bool status_check(struct status *status, const struct lag *lag, struct error *error)
{
    struct command *command = status->command;
    int64_t most = command_duration_ms(command, "max-age", lag->stream->freshness_ms);
    bool fresh = lag->freshness_s >= 0 && lag->freshness_s * 1e3 <= (double)most;
    bool well = strcmp(lag->state, "ok") == 0 || strcmp(lag->state, "late") == 0;
    if (fresh && well)
        return true;
    char line[4096], age[QUANTITY_TEXT_SIZE], goal[QUANTITY_TEXT_SIZE];
    status->bad++;
    age_text(lag->freshness_s, age);
    age_text((double)most / 1e3, goal);
    snprintf(line, sizeof line, "%s: %s, %s old, at most %s%s%s", lag->stream->name, lag->state,
             age, goal, lag->reason[0] ? ": " : "", lag->reason);
    return command->json || status_line(status, line, error);
}

static bool status_once(struct status *status, struct error *error)
{
    struct command *command = status->command;
    bool check = command_flag(command, "check"), ok = true;
    json_t *streams = json_array();
    if (!command->json && !check)
        fprintf(command->out, "  %-24s %-10s %8s %8s %7s  %s\n", "STREAM", "STATE", "FRESH", "GOAL",
                "BATCH", "STUCK AT");
    for (size_t i = 0; ok && i < status->pipeline->stream_count; i++) {
        const struct stream *stream = &status->pipeline->streams[i];
        struct lag lag;
        struct error why = {0};
        if (stream->no_capture || (status->only && status->only != stream))
            continue;
        ok = lag_measure(status->pipeline, stream, &status->session, &lag, error);
        if (ok && !events_note(status->pipeline->profile, stream->name, lag.state, lag.reason, NULL,
                               &why))
            log_line("status", "the change is not written down: %s", why.message);
        if (ok && command->json)
            ok = json_array_append_new(streams, status_json(&lag)) == 0;
        if (ok && check)
            ok = status_check(status, &lag, error);
        else if (ok && !command->json)
            ok = status_row(status, &lag, error);
    }
    if (ok && command->json)
        ok = command_print_json(command, json_pack("{s:O}", "streams", streams), error);
    json_decref(streams);
    fflush(command->out);
    return ok;
}

static int status_run(struct command *command)
{
    struct error error = {0};
    struct pipeline pipeline;
    const char *name = command_argument(command, 0);
    if (command_option(command, "max-age") && !command_flag(command, "check"))
        return command_fail_usage(command, "--max-age goes with --check");
    int code = step_open_pipeline(command, &pipeline);
    if (code >= 0)
        return code;
    struct status status = {.command = command, .pipeline = &pipeline};
    bool ok = name == NULL || (status.only = pipeline_captured_stream(&pipeline, name, &error));
    ok = ok && status_once(&status, &error);
    while (ok && command_flag(command, "watch") && !atomic_load(command->stop)) {
        clock_sleep_ms(STATUS_WATCH_MS);
        if (atomic_load(command->stop))
            break;
        if (command->out_is_terminal)
            fputs("\033[H\033[2J", command->out);
        status.bad = 0;
        ok = status_once(&status, &error);
    }
    lag_session_close(&status.session);
    pipeline_close(&pipeline);
    if (!ok)
        return command_fail(command, &error);
    return status.bad ? 1 : 0;
}

const struct verb verb_status = {
    .name = "status",
    .synopsis = "[STREAM] [--watch] [--check [--max-age 5m]]",
    .summary = "Shows how fresh each stream is, and where in the chain it is stuck",
    .details =
        "The chain is source, captured, files, merged, visible; each with its position and "
        "how far it is behind. Everything is looked at now; what does not answer is unknown, "
        "never ok. With --check only bad streams are printed, one line each, and the exit "
        "code is 1 when there is one.",
    .options = status_options,
    .flags = VERB_GRACEFUL,
    .most = 1,
    .run = status_run,
};
