#include "plugins/postgres/capture.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/memory.h"
#include "core/store/store.h"
#include "plugins/postgres/capture_run.h"
#include "plugins/postgres/schema_file.h"

enum { BACK_OFF_LEAST_MS = 200, BACK_OFF_MOST_MS = 5000, RECONNECT_MS = 60000, PUBLISHERS = 4 };

bool capture_stopped(const struct capture_run *capture)
{
    return capture->options->stop && atomic_load(capture->options->stop);
}

void capture_tell(struct capture_run *capture, json_t *event)
{
    if (capture->options->event && event)
        capture->options->event(capture->options->context, event);
    else
        json_decref(event);
}

bool capture_write_schema(struct capture_run *capture, const struct relation *relation,
                          struct error *error)
{
    json_t *left_out = json_array();
    json_t *file =
        schema_file_make(capture->catalog, relation->schema, relation->name, left_out, error);
    bool ok = file && FAULT("capture.schema.before-write", error) &&
              schema_file_write(capture->store, relation->topic->name, file, error);
    if (ok && json_array_size(left_out) > 0)
        capture_tell(capture, json_pack("{s:s, s:s, s:s, s:O}", "event", "note", "table",
                                        relation->topic->collection, "message",
                                        "columns without room in the lake", "left_out", left_out));
    json_decref(file);
    json_decref(left_out);
    return ok;
}

/* ---- one connection ---- */

static void capture_disconnect(struct capture_run *capture)
{
    replication_close(&capture->replication);
    pg_close(capture->catalog);
    capture->catalog = NULL;
    capture_forget_relations(capture);
}

static bool capture_connect(struct capture_run *capture, struct error *error)
{
    capture->catalog = session_open(&capture->connect, error);
    return capture->catalog && replication_open(&capture->replication, &capture->connect, error);
}

/* Positions that the transaction topic holds from before this slot don't count. */
static void capture_set_epoch(struct capture_run *capture)
{
    struct topic *transactions = capture->topics.transactions;
    if (capture->record.found && transactions->next <= capture->record.transactions_from)
        transactions->durable = transactions->last = (struct line_position){0, -1};
}

static bool capture_set_target(struct capture_run *capture, struct error *error)
{
    char lsn[LSN_TEXT_SIZE];
    if (!capture->options->once || capture->target != 0)
        return true;
    TRY(session_text(capture->catalog, "SELECT pg_current_wal_lsn()", NULL, 0, lsn, sizeof lsn,
                     error));
    return lsn_parse(lsn, &capture->target) ||
           error_set(error, ERROR_INTERNAL, NULL, "the server's position reads %s", lsn);
}

/* Connects, checks, takes the snapshots that are missing, streams. */
static bool capture_session(struct capture_run *capture, struct error *error)
{
    char confirmed[LSN_TEXT_SIZE];
    bool fresh;
    capture->again = false;
    TRY(capture_connect(capture, error));
    TRY(capture_set_target(capture, error));
    TRY(capture_check(capture, &fresh, error));
    capture_set_epoch(capture);
    TRY(!fresh || capture_first_snapshot(capture, error));
    TRY(capture_new_tables(capture, error));
    capture->summary->confirmed = capture->record.confirmed;
    capture_tell(capture,
                 json_pack("{s:s, s:s, s:s, s:s, s:I, s:s}", "event", "start", "slot",
                           capture->options->slot, "publication", capture->options->publication,
                           "prefix", capture->options->prefix, "tables",
                           (json_int_t)capture->record.table_count, "confirmed",
                           lsn_format(capture->record.confirmed, confirmed)));
    return capture->options->snapshot_only || capture_stream(capture, error);
}

/* ---- all of them ---- */

static bool capture_may_retry(const struct error *error)
{
    return error->kind == ERROR_UNREACHABLE;
}

/* Waits before the next attempt; false when the server stayed away too long, or to stop. */
static bool capture_back_off(struct capture_run *capture, int64_t *since_ns, int64_t *wait_ms,
                             const struct error *why)
{
    int64_t limit_ms =
        capture->options->reconnect_ms > 0 ? capture->options->reconnect_ms : RECONNECT_MS;
    int64_t away_ms = (clock_monotonic_ns() - *since_ns) / 1000000;
    if (away_ms > limit_ms || capture_stopped(capture))
        return false;
    capture_tell(capture, json_pack("{s:s, s:s, s:f, s:f, s:s}", "event", "waiting", "for",
                                    "Postgres", "since_s", (double)away_ms / 1000.0, "limit_s",
                                    (double)limit_ms / 1000.0, "message", why->message));
    for (int64_t waited = 0; waited < *wait_ms && !capture_stopped(capture); waited += 50)
        clock_sleep_ms(50);
    *wait_ms = *wait_ms * 2 < BACK_OFF_MOST_MS ? *wait_ms * 2 : BACK_OFF_MOST_MS;
    return !capture_stopped(capture);
}

/* Sessions one after the other: the tables changed, or the server went away and came back. Only a
 * server that once answered is waited for. */
static bool capture_sessions(struct capture_run *capture, struct error *error)
{
    bool answered = false;
    int64_t since_ns = 0;
    int64_t wait_ms = BACK_OFF_LEAST_MS;
    for (;;) {
        struct error why = {0};
        bool ok = capture_session(capture, &why);
        bool connected = capture->catalog != NULL;
        capture_disconnect(capture);
        if (ok && capture->again)
            continue;
        if (ok)
            return true;
        topics_rewind(&capture->topics);
        if (connected) {
            answered = true;
            since_ns = clock_monotonic_ns();
            wait_ms = BACK_OFF_LEAST_MS;
        }
        if (why.kind == ERROR_INTERRUPTED && capture_stopped(capture))
            return true;
        if (!answered || !capture_may_retry(&why) ||
            !capture_back_off(capture, &since_ns, &wait_ms, &why)) {
            if (error)
                *error = why;
            return capture_stopped(capture) && capture_may_retry(&why);
        }
        capture->summary->reconnects++;
    }
}

static bool capture_open(struct capture_run *capture, struct error *error)
{
    const struct capture_options *options = capture->options;
    struct store_options store = {.durable = !options->fast};
    capture->connect = (struct pg_options){.dsn = options->dsn,
                                           .user = options->user,
                                           .password = options->password,
                                           .application_name = "surfboard capture",
                                           .stop = options->stop};
    capture->store = store_open(options->deltas, &store, error);
    capture->pool = capture->store ? pool_create(PUBLISHERS, error) : NULL;
    return capture->pool &&
           capture_record_read(&capture->record, capture->store, options->prefix, error) &&
           topics_open(&capture->topics, capture->store, options->prefix, capture->pool, error);
}

bool capture_run(const struct capture_options *options, struct capture_summary *summary,
                 struct error *error)
{
    struct capture_run capture = {.options = options, .summary = summary};
    *summary = (struct capture_summary){0};
    bool ok = capture_open(&capture, error) && capture_sessions(&capture, error);
    summary->stopped = ok && capture_stopped(&capture);
    summary->files = capture.topics.files;
    summary->bytes = capture.topics.bytes;
    topics_close(&capture.topics);
    capture_record_destroy(&capture.record);
    arena_destroy(&capture.published.arena);
    captured_writer_destroy(&capture.values);
    buffer_destroy(&capture.key);
    buffer_destroy(&capture.other_key);
    buffer_destroy(&capture.before);
    buffer_destroy(&capture.after);
    free(capture.transaction.touched);
    pool_destroy(capture.pool);
    store_close(capture.store);
    return ok;
}

json_t *capture_summary_json(const struct capture_summary *summary, const struct error *failure)
{
    char confirmed[LSN_TEXT_SIZE];
    const struct {
        const char *name;
        uint64_t value;
    } counters[] = {
        {"snapshot_tables", summary->snapshot_tables},
        {"snapshot_rows", summary->snapshot_rows},
        {"events", summary->events},
        {"inserts", summary->inserts},
        {"updates", summary->updates},
        {"deletes", summary->deletes},
        {"key_changes", summary->key_changes},
        {"truncates", summary->truncates},
        {"unavailable", summary->unavailable},
        {"transactions", summary->transactions},
        {"repeats", summary->repeats},
        {"files", summary->files},
        {"bytes", summary->bytes},
        {"reconnects", summary->reconnects},
    };
    const char *state = failure ? "failed" : summary->stopped ? "stopped" : "caught-up";
    json_t *json = json_pack("{s:s, s:i, s:s, s:s}", "event", "summary", "format", 1, "state",
                             state, "confirmed", lsn_format(summary->confirmed, confirmed));
    for (size_t i = 0; json && i < sizeof counters / sizeof *counters; i++)
        json_object_set_new(json, counters[i].name, json_integer((json_int_t)counters[i].value));
    return json;
}
