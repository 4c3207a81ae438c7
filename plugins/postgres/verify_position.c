/* Whether the lake has passed a position of the source: captured, then merged. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/change/event.h"
#include "core/merge/state.h"
#include "plugins/postgres/capture_record.h"
#include "plugins/postgres/session.h"
#include "plugins/postgres/verify_table.h"

enum { POLL_MS = 200, WAIT_MS = 60000 };

/* ---- captured ---- */

/* The slot of a capture that does not run just now: does it hold anything for us before the
 * position? */
static bool slot_is_empty(struct verify *verify, const struct capture *capture, struct pg *pg,
                          bool *empty, struct error *error)
{
    char lsn[LSN_TEXT_SIZE];
    const char *parameters[] = {capture->slot, lsn_format(verify->position, lsn),
                                capture->publication};
    bool idle;
    *empty = false;
    TRY(session_flag(pg,
                     "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_replication_slots"
                     " WHERE slot_name = $1 AND NOT active AND restart_lsn IS NOT NULL)",
                     parameters, 1, &idle, error));
    if (!idle)
        return true;
    /* BEGIN and COMMIT alone (66, 67) are transactions that touched nothing of ours. */
    return session_flag(pg,
                        "SELECT NOT EXISTS (SELECT 1 FROM pg_logical_slot_peek_binary_changes("
                        "$1, $2::pg_lsn, 1, 'proto_version', '1', 'publication_names', $3)"
                        " WHERE get_byte(data, 0) NOT IN (66, 67))",
                        parameters, 3, empty, error);
}

static bool captured(struct verify *verify, struct pg *pg, bool *yes, struct error *error)
{
    const struct capture *capture = verify->options->stream->capture;
    struct capture_record record;
    bool ok = capture_record_read(&record, verify->deltas, capture->prefix, error);
    if (ok && (!record.found || record.snapshotting))
        ok = error_set(error, ERROR_CHECK, "surfboard up brings it up; surfboard capture runs it",
                       "stream %s was never captured", verify->options->stream->name);
    *yes = ok && record.confirmed >= verify->position;
    capture_record_destroy(&record);
    if (!ok || *yes)
        return ok;
    struct error why = {0};
    if (slot_is_empty(verify, capture, pg, yes, &why))
        return true;
    *yes = false; /* a capture took the slot at this moment: its record will tell */
    if (why.kind == ERROR_UNREACHABLE || why.kind == ERROR_INTERRUPTED) {
        if (error)
            *error = why;
        return false;
    }
    return true;
}

/* ---- the topic's tail ---- */

/* Reads "[commit, order]"; false when the line has no such header. */
static bool line_commit(const struct change *change, uint64_t *commit)
{
    char text[64];
    struct slice json = change->capture_position;
    if (json.length < 5 || json.length >= sizeof text)
        return false;
    memcpy(text, json.data, json.length);
    text[json.length] = '\0';
    *commit = strtoull(text + 1, NULL, 10);
    return true;
}

static bool touch(struct verify_table *table, const struct change *change, struct error *error)
{
    struct change_key key;
    bool twice;
    if (change->offset >= table->merged)
        return true; /* the lake has not seen it */
    if (change->key.data == NULL) {
        table->touched_all = true; /* a truncate */
        return true;
    }
    TRY(change_key_read(table->keys, change->key, change->key_schema, &key, error));
    return held_rows_add(&table->touched, digest_of_key(&key), (struct digest){0}, &twice, error);
}

/* One file's lines. *before: it has a line from before the position. */
static bool tail_file(struct verify_table *table, struct change_scanner *scanner, const char *key,
                      bool *before, struct error *error)
{
    struct buffer file = {0};
    bool ok = store_read(table->verify->deltas, key, &file, error);
    for (size_t at = 0; ok && at < file.length;) {
        const char *newline = memchr(file.data + at, '\n', file.length - at);
        size_t end = newline ? (size_t)(newline - file.data) : file.length;
        struct change change;
        uint64_t commit = 0;
        ok = change_scan_line(scanner, slice_make(file.data + at, end - at), &change, error);
        if (ok && !line_commit(&change, &commit))
            ok = error_set(error, ERROR_UNSUPPORTED, "verify works with native capture",
                           "its events carry no position");
        if (ok && commit <= table->verify->position) {
            *before = true;
            if (change.offset + 1 > table->needed)
                table->needed = change.offset + 1;
        } else if (ok) {
            ok = touch(table, &change, error);
        }
        at = end + 1;
    }
    buffer_destroy(&file);
    return ok || error_prefix(error, "%s", key);
}

/* From the end backwards, until a file has lines from before the position: positions rise within a
 * topic. Sets `needed` and the keys that were touched behind the position. */
static bool tail_read(struct verify_table *table, struct error *error)
{
    char prefix[1024];
    struct store_listing listing = {0};
    struct change_scanner *scanner = change_scanner_create(error);
    snprintf(prefix, sizeof prefix, "%s/0/", table->from->topic);
    held_rows_destroy(&table->touched);
    table->touched_all = false;
    table->needed = 0;
    bool ok = scanner && store_list(table->verify->deltas, prefix, &listing, error);
    bool before = false;
    for (size_t i = listing.count; ok && i-- > 0 && !before;)
        ok = tail_file(table, scanner, listing.entries[i].key, &before, error);
    store_listing_destroy(&listing);
    change_scanner_destroy(scanner);
    return ok;
}

/* ---- merged ---- */

static bool merged(struct verify_table *table, bool *yes, struct error *error)
{
    struct table_state state = {0};
    const struct pipeline *pipeline = table->verify->options->pipeline;
    struct catalog_ident ident = {pipeline->namespace, table->from->name};
    if (table->lake_loaded)
        iceberg_table_destroy(&table->lake);
    table->lake_loaded = catalog_load(table->verify->catalog, ident, &table->lake, error);
    if (!table->lake_loaded) {
        if (error && error->kind == ERROR_NOT_FOUND)
            error_remedy(error, "surfboard merge %s makes it",
                         table->verify->options->stream->name);
        return false;
    }
    TRY(table_state_load(&table->lake, table->from->topic, &state, error));
    int64_t next = 0;
    for (size_t i = 0; i < state.partition_count; i++)
        next = state.partitions[i].partition == 0 ? state.partitions[i].next : next;
    table_state_destroy(&state);
    table->merged = next;
    *yes = next >= table->needed;
    return true;
}

static bool all_merged(struct verify_table *tables, size_t count, const char **behind,
                       struct error *error)
{
    *behind = NULL;
    for (size_t i = 0; i < count && *behind == NULL; i++) {
        bool yes;
        if (tables[i].needed < 0)
            TRY(tail_read(&tables[i], error));
        TRY(merged(&tables[i], &yes, error));
        if (!yes)
            *behind = tables[i].from->name;
    }
    return true;
}

/* ---- both ---- */

static bool await_step(struct verify *verify, struct verify_table *tables, size_t count,
                       struct pg *pg, bool *is_captured, char why[256], bool *done,
                       struct error *error)
{
    char lsn[LSN_TEXT_SIZE];
    const char *behind;
    *done = false;
    if (!*is_captured) {
        TRY(captured(verify, pg, is_captured, error));
        snprintf(why, 256, "the capture has not passed %s", lsn_format(verify->position, lsn));
        if (!*is_captured)
            return true;
    }
    TRY(all_merged(tables, count, &behind, error));
    *done = behind == NULL;
    if (behind)
        snprintf(why, 256, "table %s has not been merged up to %s", behind,
                 lsn_format(verify->position, lsn));
    return true;
}

static bool await_loop(struct verify *verify, struct verify_table *tables, size_t count,
                       struct pg *pg, struct error *error)
{
    int64_t begun = clock_monotonic_ns();
    int64_t limit_ms = verify->options->wait_ms > 0 ? verify->options->wait_ms : WAIT_MS;
    bool is_captured = false;
    for (;;) {
        bool done;
        char why[256];
        TRY(await_step(verify, tables, count, pg, &is_captured, why, &done, error));
        if (done)
            return true;
        int64_t waited_ms = (clock_monotonic_ns() - begun) / 1000000;
        if (waited_ms > limit_ms) {
            error_set(error, ERROR_CHECK, NULL, "after %lld s %s: nothing can be compared yet",
                      (long long)(limit_ms / 1000), why);
            return error_remedy(error,
                                "run surfboard capture %s and surfboard merge %s, then this "
                                "again",
                                verify->options->stream->name, verify->options->stream->name);
        }
        if (clock_monotonic_ns() - verify->told_ns > 1000000000) {
            verify->told_ns = clock_monotonic_ns();
            verify_tell(verify, json_pack("{s:s, s:s, s:f, s:f}", "event", "waiting", "for", why,
                                          "since_s", (double)waited_ms / 1000.0, "limit_s",
                                          (double)limit_ms / 1000.0));
        }
        TRY(!verify_stopped(verify, error));
        clock_sleep_ms(POLL_MS);
    }
}

bool verify_await(struct verify *verify, struct verify_table *tables, size_t count,
                  struct error *error)
{
    struct buffer dsn = {0};
    TRY(pipeline_source_conninfo(verify->options->pipeline, verify->options->stream->capture, &dsn,
                                 error));
    /* Beside the reading session, whose snapshot is old on purpose. */
    struct pg *pg =
        session_open(&(struct pg_options){.dsn = dsn.data, .stop = verify->options->stop}, error);
    explicit_bzero(dsn.data, dsn.length);
    buffer_destroy(&dsn);
    bool ok = pg && await_loop(verify, tables, count, pg, error);
    pg_close(pg);
    /* Once more: what the lake has taken in since the tail was read is known to be touched. */
    for (size_t i = 0; ok && i < count; i++)
        ok = tail_read(&tables[i], error);
    return ok;
}
