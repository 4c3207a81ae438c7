#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "plugins/postgres/capture_run.h"

enum { SLOT_WAIT_MS = 10000, SLOT_POLL_MS = 100 };

bool capture_needs_reload(struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_set_va(error, ERROR_INPUT,
                 "changes may be missing: take a new snapshot with `surfboard capture STREAM "
                 "--reload`, then compare with `surfboard verify STREAM --full`",
                 format, arguments);
    va_end(arguments);
    return false;
}

/* ---- the publication ---- */

static bool published_add(struct published *published, const struct pg_rows *rows, size_t row,
                          struct error *error)
{
    struct published_table *table = &published->tables[row];
    table->oid = (uint32_t)strtoul(pg_rows_value(rows, row, 0), NULL, 10);
    table->schema = arena_copy_text(&published->arena, pg_rows_value(rows, row, 1), error);
    table->name = arena_copy_text(&published->arena, pg_rows_value(rows, row, 2), error);
    table->kind = pg_rows_value(rows, row, 3)[0];
    table->estimate = strtoll(pg_rows_value(rows, row, 4), NULL, 10);
    table->membership = (uint32_t)strtoul(pg_rows_value(rows, row, 6), NULL, 10);
    const char *filter = pg_rows_value(rows, row, 5);
    if (filter)
        table->filter = arena_copy_text(&published->arena, filter, error);
    return table->schema && table->name && (filter == NULL || table->filter);
}

static bool capture_publication_oid(struct capture_run *capture, struct error *error)
{
    const char *name = capture->options->publication;
    char oid[16];
    TRY(session_text(capture->catalog,
                     "SELECT oid FROM pg_catalog.pg_publication WHERE pubname = $1", &name, 1, oid,
                     sizeof oid, error));
    if (oid[0] == '\0') {
        error_set(error, ERROR_NOT_FOUND, NULL, "there is no publication %s", name);
        if (capture->record.found && !capture->record.snapshotting)
            return capture_needs_reload(
                error, "publication %s was dropped: make it again (surfboard up)", name);
        return error_remedy(error, "make it: surfboard up STREAM --until publication");
    }
    capture->published.oid = (uint32_t)strtoul(oid, NULL, 10);
    return true;
}

bool capture_read_publication(struct capture_run *capture, struct error *error)
{
    /* Row filters came with version 15. */
    bool filters = PQserverVersion(pg_connection(capture->catalog)) >= 150000;
    char sql[800];
    snprintf(sql, sizeof sql,
             "SELECT c.oid, n.nspname, c.relname, c.relkind, c.reltuples::bigint, %s,"
             " coalesce(r.oid, 0)"
             " FROM pg_catalog.pg_publication_tables p"
             " JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname"
             " JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename"
             " JOIN pg_catalog.pg_publication b ON b.pubname = p.pubname"
             " LEFT JOIN pg_catalog.pg_publication_rel r ON r.prpubid = b.oid"
             " AND r.prrelid = c.oid"
             " WHERE p.pubname = $1 ORDER BY n.nspname, c.relname",
             filters ? "p.rowfilter" : "NULL");
    struct published *published = &capture->published;
    arena_destroy(&published->arena);
    *published = (struct published){0};
    TRY(capture_publication_oid(capture, error));
    struct pg_rows rows = {0};
    TRY(pg_query(capture->catalog, sql, &capture->options->publication, 1, &rows, error));
    size_t count = pg_rows_count(&rows);
    published->tables = arena_zero(&published->arena, count, sizeof *published->tables, error);
    bool ok = published->tables != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        ok = published_add(published, &rows, i, error);
        published->count++;
    }
    pg_rows_destroy(&rows);
    return ok;
}

/* ---- the server ---- */

static bool capture_check_server(struct capture_run *capture, struct error *error)
{
    char value[64];
    int version = PQserverVersion(pg_connection(capture->catalog));
    if (version < 100000)
        return error_set(error, ERROR_UNSUPPORTED, "upgrade it to 14 or later",
                         "the server has version %d; logical replication by pgoutput needs 10",
                         version / 10000);
    TRY(session_text(capture->catalog, "SHOW wal_level", NULL, 0, value, sizeof value, error));
    if (strcmp(value, "logical") != 0)
        return error_set(error, ERROR_CHECK,
                         "ALTER SYSTEM SET wal_level = logical; then restart the server",
                         "wal_level is %s: changes can't be captured", value);
    TRY(session_text(capture->catalog, "SHOW server_encoding", NULL, 0, value, sizeof value,
                     error));
    if (strcmp(value, "SQL_ASCII") == 0)
        return error_set(error, ERROR_UNSUPPORTED, "move the database to one with ENCODING 'UTF8'",
                         "the database has no encoding (SQL_ASCII): its texts can't be read");
    return true;
}

static bool capture_identify(struct capture_run *capture, char system_id[32], char database[128],
                             struct error *error)
{
    PGresult *result;
    TRY(replication_command(&capture->replication, "IDENTIFY_SYSTEM", &result, error));
    snprintf(system_id, 32, "%s", PQgetvalue(result, 0, 0));
    snprintf(database, 128, "%s", PQgetvalue(result, 0, 3));
    PQclear(result);
    return true;
}

/* ---- the slot ---- */

struct slot_state {
    bool found, active, lost, foreign;
    char active_pid[16];
    uint64_t confirmed;
};

static bool slot_read(struct capture_run *capture, struct slot_state *slot, struct error *error)
{
    struct pg_rows rows = {0};
    *slot = (struct slot_state){0};
    TRY(pg_query(capture->catalog,
                 "SELECT active, coalesce(active_pid::text, ''), plugin = 'pgoutput' AND"
                 " slot_type = 'logical' AND database = current_database(),"
                 " restart_lsn IS NULL OR coalesce(to_jsonb(s) ->> 'wal_status', '') = 'lost',"
                 " coalesce(confirmed_flush_lsn::text, '')"
                 " FROM pg_catalog.pg_replication_slots s WHERE slot_name = $1",
                 &capture->options->slot, 1, &rows, error));
    if (pg_rows_count(&rows) > 0) {
        slot->found = true;
        slot->active = pg_rows_value(&rows, 0, 0)[0] == 't';
        snprintf(slot->active_pid, sizeof slot->active_pid, "%s", pg_rows_value(&rows, 0, 1));
        slot->foreign = pg_rows_value(&rows, 0, 2) == NULL || pg_rows_value(&rows, 0, 2)[0] != 't';
        slot->lost = pg_rows_value(&rows, 0, 3)[0] == 't';
        lsn_parse(pg_rows_value(&rows, 0, 4), &slot->confirmed);
    }
    pg_rows_destroy(&rows);
    return true;
}

/* A capture that was killed leaves its walsender for a moment. */
static bool slot_await_idle(struct capture_run *capture, struct slot_state *slot,
                            struct error *error)
{
    int64_t deadline = clock_monotonic_ns() + (int64_t)SLOT_WAIT_MS * 1000000;
    TRY(slot_read(capture, slot, error));
    while (slot->active && !capture_stopped(capture) && clock_monotonic_ns() < deadline) {
        clock_sleep_ms(SLOT_POLL_MS);
        TRY(slot_read(capture, slot, error));
    }
    if (!slot->active)
        return true;
    error_set(error, ERROR_CONFLICT, NULL, "slot %s is in use by server process %s",
              capture->options->slot, slot->active_pid);
    return error_remedy(error,
                        "another capture or connector reads it: stop that one, or end it with "
                        "SELECT pg_terminate_backend(%s)",
                        slot->active_pid);
}

bool capture_drop_slot(struct capture_run *capture, struct error *error)
{
    struct slot_state slot;
    TRY(slot_await_idle(capture, &slot, error));
    if (!slot.found)
        return true;
    if (slot.foreign)
        return error_set(error, ERROR_CONFLICT, "choose another slot name in the profile",
                         "slot %s belongs to another database or plugin", capture->options->slot);
    struct pg_rows rows = {0};
    bool ok = pg_query(capture->catalog, "SELECT pg_drop_replication_slot($1)",
                       &capture->options->slot, 1, &rows, error);
    pg_rows_destroy(&rows);
    return ok && FAULT("capture.slot.after-drop", error);
}

/* The slot of a capture that ran before: is everything behind the record still to be had? */
static bool capture_check_slot(struct capture_run *capture, const struct slot_state *slot,
                               struct error *error)
{
    const struct capture_record *record = &capture->record;
    char slot_lsn[LSN_TEXT_SIZE];
    char record_lsn[LSN_TEXT_SIZE];
    if (!slot->found)
        return capture_needs_reload(error, "slot %s is gone", record->slot);
    if (slot->lost)
        return capture_needs_reload(error, "slot %s is lost: it fell behind max_slot_wal_keep_size",
                                    record->slot);
    if (slot->confirmed > record->confirmed)
        return capture_needs_reload(error,
                                    "slot %s stands at %s, ahead of the record of what was "
                                    "captured (%s): somebody else read from it",
                                    record->slot, lsn_format(slot->confirmed, slot_lsn),
                                    lsn_format(record->confirmed, record_lsn));
    return true;
}

static bool capture_check_record(struct capture_run *capture, const char *system_id,
                                 const char *database, struct error *error)
{
    const struct capture_record *record = &capture->record;
    if (strcmp(record->system_id, system_id) != 0)
        return capture_needs_reload(error,
                                    "this is another Postgres server (system identifier %s) than "
                                    "the one captured before (%s)",
                                    system_id, record->system_id);
    if (strcmp(record->database, database) != 0 ||
        strcmp(record->slot, capture->options->slot) != 0 ||
        strcmp(record->publication, capture->options->publication) != 0)
        return capture_needs_reload(error,
                                    "these topics were captured from database %s, slot %s, "
                                    "publication %s, not from %s, %s, %s",
                                    record->database, record->slot, record->publication, database,
                                    capture->options->slot, capture->options->publication);
    if (record->publication_oid != capture->published.oid)
        return capture_needs_reload(error,
                                    "publication %s was dropped and made again: its slot can't "
                                    "read it any more",
                                    record->publication);
    return true;
}

static bool capture_check_tables(struct capture_run *capture, struct error *error)
{
    const char *const *wanted = capture->options->tables;
    char full[300];
    for (; wanted && *wanted; wanted++) {
        bool found = false;
        for (size_t i = 0; i < capture->published.count && !found; i++) {
            snprintf(full, sizeof full, "%s.%s", capture->published.tables[i].schema,
                     capture->published.tables[i].name);
            found = strcmp(full, *wanted) == 0;
        }
        if (!found)
            return error_set(error, ERROR_CHECK,
                             "add it: surfboard up STREAM --until publication, or ALTER "
                             "PUBLICATION ... ADD TABLE",
                             "table %s is not in publication %s", *wanted,
                             capture->options->publication);
    }
    return true;
}

bool capture_check(struct capture_run *capture, bool *fresh, struct error *error)
{
    struct capture_record *record = &capture->record;
    char system_id[32];
    char database[128];
    struct slot_state slot;
    *fresh = false;
    TRY(capture_check_server(capture, error));
    TRY(capture_identify(capture, system_id, database, error));
    TRY(slot_await_idle(capture, &slot, error));
    TRY(capture_read_publication(capture, error));
    TRY(capture_check_tables(capture, error));
    bool reload = capture->options->reload && !capture->summary->reloaded;
    if (record->found && !record->snapshotting && !reload) {
        TRY(capture_check_record(capture, system_id, database, error));
        return capture_check_slot(capture, &slot, error);
    }
    if (slot.found && !record->found && !reload)
        return error_set(error, ERROR_CONFLICT,
                         "name another slot in the profile; or, if nobody else uses this one, "
                         "start with `surfboard capture STREAM --reload`, which drops it",
                         "slot %s exists, but no capture left a record here",
                         capture->options->slot);
    *fresh = true;
    snprintf(record->system_id, sizeof record->system_id, "%s", system_id);
    snprintf(record->database, sizeof record->database, "%s", database);
    snprintf(record->slot, sizeof record->slot, "%s", capture->options->slot);
    snprintf(record->publication, sizeof record->publication, "%s", capture->options->publication);
    record->publication_oid = capture->published.oid;
    return true;
}
