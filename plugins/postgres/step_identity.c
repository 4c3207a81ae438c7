/* identity: each table can be captured: it is an ordinary table, has a key, its replica identity
 * brings that key along, its columns have room in the lake; and its schema file says so. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/json.h"
#include "core/store/store.h"
#include "plugins/postgres/schema_file.h"
#include "plugins/postgres/session.h"
#include "core/pipeline/receipt.h"
#include "plugins/postgres/steps.h"

/* What one table needs of apply(). */
struct identity_work {
    const struct source_table *table;
    json_t *file; /* the schema file as it should be */
    json_t *left_out;
    bool file_missing, file_differs;
    bool set_default; /* REPLICA IDENTITY DEFAULT */
};

static const char *identity_name(char letter)
{
    switch (letter) {
    case 'd':
        return "DEFAULT";
    case 'n':
        return "NOTHING";
    case 'f':
        return "FULL";
    default:
        return "USING INDEX";
    }
}

/* ---- looking ---- */

static bool identity_kind(const struct source_table *table, struct step_report *report,
                          const char *name, struct error *error)
{
    const char *cause = !table->found                              ? "there is no such table"
                        : table->kind != 'r' && table->kind != 'p' ? "only tables can be captured"
                        : table->persistence != 'p'
                            ? "unlogged and temporary tables leave no trace "
                              "in the log"
                            : "";
    const char *remedy = !table->found ? "check schema and name in model and profile"
                         : *cause      ? "capture the tables below the view; ALTER TABLE ... SET "
                                         "LOGGED"
                                       : "";
    return step_report_finding(report, "kind", *cause ? VERDICT_FAIL : VERDICT_OK, cause, remedy,
                               error, "%s: %s", name,
                               !table->found        ? "not found"
                               : table->kind == 'p' ? "a partitioned table"
                               : table->kind == 'r' ? "a table"
                                                    : "no table");
}

static bool identity_key(const struct source_table *table, struct identity_work *work,
                         struct step_report *report, const char *name, struct error *error)
{
    if (!table->has_key)
        return step_report_finding(
            report, "key", VERDICT_FAIL,
            "without a key its updates and deletes can't be told apart; once it is published under "
            "the default identity, the application's own UPDATE and DELETE fail",
            "ALTER TABLE ... ADD PRIMARY KEY (...)", error, "%s has no primary key", name);
    bool good = table->key_covered && table->identity != 'n';
    /* A primary key under another identity: DEFAULT brings exactly it. */
    work->set_default = !good && table->identity != 'd';
    if (good)
        return step_report_finding(report, "replica_identity", VERDICT_OK, NULL, NULL, error,
                                   "%s: %s holds its key", name, identity_name(table->identity));
    if (work->set_default) {
        TRY(step_report_difference(report, name, "REPLICA IDENTITY DEFAULT",
                                   identity_name(table->identity), error));
        return step_report_finding(report, "replica_identity", VERDICT_WARN,
                                   "deletes and key changes would come without the key",
                                   "ALTER TABLE ... REPLICA IDENTITY DEFAULT", error,
                                   "%s: %s does not hold its key", name,
                                   identity_name(table->identity));
    }
    return step_report_finding(report, "replica_identity", VERDICT_FAIL,
                               "its key is a unique index, not a primary key",
                               "ALTER TABLE ... REPLICA IDENTITY USING INDEX ..., or FULL", error,
                               "%s: DEFAULT without a primary key", name);
}

/* Two columns that differ only by case confuse readers without quotes (Trino, Spark). */
static bool identity_columns(struct pg *pg, struct identity_work *work, struct step_report *report,
                             const char *name, struct error *error)
{
    const char *parameters[] = {work->table->oid};
    char twins[256];
    TRY(session_text(pg,
                     "SELECT string_agg(lower, ', ') FROM (SELECT lower(attname)"
                     " FROM pg_catalog.pg_attribute WHERE attrelid = $1::oid AND attnum > 0"
                     " AND NOT attisdropped GROUP BY 1 HAVING count(*) > 1) twins",
                     parameters, 1, twins, sizeof twins, error));
    if (twins[0])
        TRY(step_report_finding(report, "columns", VERDICT_FAIL,
                                "names that differ only by case are one name to Trino and Spark",
                                "rename one of each", error, "%s: %s", name, twins));
    for (size_t i = 0; i < json_array_size(work->left_out); i++) {
        const json_t *column = json_array_get(work->left_out, i);
        TRY(step_report_finding(report, "types", VERDICT_WARN,
                                json_string_value(json_object_get(column, "reason")),
                                "the column is left out of the lake", error, "%s.%s is %s", name,
                                json_string_value(json_object_get(column, "column")),
                                json_string_value(json_object_get(column, "type"))));
    }
    return true;
}

static bool identity_file(struct store *store, struct identity_work *work, struct error *error)
{
    struct buffer old = {0};
    struct error why = {0};
    bool read = store_read(store, work->table->stream->schema_key, &old, &why);
    work->file_missing = !read && why.kind == ERROR_NOT_FOUND;
    bool ok = read || work->file_missing;
    if (!ok && error)
        *error = why;
    char *text = json_text(work->file, JSON_INDENT(1) | JSON_PRESERVE_ORDER, error);
    ok = ok && (text || error_set_memory(error, 1024));
    work->file_differs = ok && read && !slice_is(buffer_slice(&old), text);
    free(text);
    buffer_destroy(&old);
    return ok;
}

static bool identity_table(struct pg *pg, struct store *store, struct identity_work *work,
                           struct step_report *report, struct error *error)
{
    const struct source_table *table = work->table;
    struct buffer name = {0};
    bool ok =
        buffer_append_format(&name, error, "%s.%s", table->stream->schema, table->stream->table) &&
        buffer_text(&name, error) && identity_kind(table, report, name.data, error);
    if (ok && table->found && (table->kind == 'r' || table->kind == 'p')) {
        work->left_out = json_array();
        work->file = schema_file_make(pg, table->stream->schema, table->stream->table,
                                      work->left_out, error);
        ok = work->file && identity_key(table, work, report, name.data, error) &&
             identity_columns(pg, work, report, name.data, error) &&
             identity_file(store, work, error);
        if (ok && work->file_differs)
            ok = step_report_difference(report, table->stream->schema_key, "as the catalog has it",
                                        "older", error);
    }
    buffer_destroy(&name);
    return ok;
}

static bool identity_of(struct pg *pg, struct step_report *report, struct error *error)
{
    char system_id[32];
    TRY(steps_system_id(pg, system_id, error));
    json_decref(report->identity);
    report->identity = json_pack("{s:s, s:s}", "system_identifier", system_id, "database",
                                 PQdb(pg_connection(pg)));
    return report->identity != NULL || error_set_memory(error, 256);
}

struct identity_view {
    struct pg *pg;
    struct store *store;
    struct identity_work *work;
    size_t count;
};

static void identity_close(struct identity_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        json_decref(view->work[i].file);
        json_decref(view->work[i].left_out);
    }
    store_close(view->store);
    pg_close(view->pg);
}

static bool identity_open(const struct step_target *target, struct step_report *report,
                          struct identity_view *view, struct error *error)
{
    struct source_table *tables;
    size_t count;
    *view = (struct identity_view){.pg = steps_connect(target, error)};
    TRY(view->pg != NULL);
    if (target->pipeline->profile->lake.deltas == NULL)
        return error_set(error, ERROR_CONFIG, "set lake: {deltas: FOLDER}",
                         "%s: lake.deltas is not set", target->pipeline->profile->path);
    view->store = store_open(target->pipeline->profile->lake.deltas, NULL, error);
    TRY(view->store != NULL);
    TRY(steps_tables(view->pg, target, &report->arena, &tables, &count, error));
    view->work = arena_zero(&report->arena, count, sizeof *view->work, error);
    TRY(view->work != NULL);
    view->count = count;
    for (size_t i = 0; i < count; i++) {
        view->work[i].table = &tables[i];
        TRY(identity_table(view->pg, view->store, &view->work[i], report, error));
    }
    return identity_of(view->pg, report, error);
}

static void identity_state(const struct step_target *target, const struct identity_view *view,
                           struct step_report *report)
{
    bool missing = false;
    bool repair = false;
    for (size_t i = 0; i < view->count; i++) {
        missing = missing || view->work[i].file_missing;
        repair = repair || view->work[i].file_differs || view->work[i].set_default;
    }
    report->state = STEP_FITS;
    if (step_report_verdict(report) == VERDICT_FAIL) {
        report->state = STEP_DIFFERS;
    } else if (missing || repair) {
        /* With a receipt there is something to undo, even when the files went before. */
        report->state = repair || target->receipt ? STEP_DIFFERS : STEP_ABSENT;
        report->repairable = true; /* the files are ours by nature; the identity is set back */
    }
    for (size_t i = 0; i < view->count; i++) {
        if (view->work[i].set_default && !view->work[i].table->owned) {
            report->repairable = false;
            report->needs_person = "a table's replica identity is its owner's to change";
            report->needs_person_remedy = "as the owner: ALTER TABLE ... REPLICA IDENTITY DEFAULT "
                                          "(surfboard plan names the tables)";
        }
    }
}

static bool identity_check(const struct step_target *target, struct step_report *report,
                           struct error *error)
{
    struct identity_view view;
    bool ok = identity_open(target, report, &view, error);
    if (ok)
        identity_state(target, &view, report);
    identity_close(&view);
    return ok;
}

/* ---- changing ---- */

static bool identity_sql(struct buffer *sql, const struct stream_table *table, const char *identity,
                         struct error *error)
{
    buffer_clear(sql);
    return buffer_append_text(sql, "ALTER TABLE ", error) && steps_table_name(sql, table, error) &&
           buffer_append_format(sql, error, " REPLICA IDENTITY %s", identity) &&
           buffer_text(sql, error);
}

static bool identity_plan(const struct step_target *target, struct step_report *report,
                          struct error *error)
{
    struct step_report again;
    struct identity_view view;
    struct buffer sql = {0};
    step_report_init(&again);
    bool ok = identity_open(target, &again, &view, error);
    for (size_t i = 0; ok && i < view.count; i++) {
        const struct identity_work *work = &view.work[i];
        if (work->set_default)
            ok = identity_sql(&sql, work->table->stream, "DEFAULT", error) &&
                 step_report_line(report, error, "%s;", sql.data);
        if (ok && (work->file_missing || work->file_differs))
            ok = step_report_line(report, error, "write %s/%s", store_root(view.store),
                                  work->table->stream->schema_key);
    }
    buffer_destroy(&sql);
    identity_close(&view);
    step_report_destroy(&again);
    return ok;
}

/* The index that a table's identity names, for undo; "" when it is another kind. */
static bool identity_remember(struct pg *pg, const struct source_table *table, json_t *restore,
                              struct error *error)
{
    const char *parameters[] = {table->oid};
    char index[128];
    char was[160];
    TRY(session_text(pg,
                     "SELECT quote_ident(c.relname) FROM pg_catalog.pg_index i"
                     " JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
                     " WHERE i.indrelid = $1::oid AND i.indisreplident",
                     parameters, 1, index, sizeof index, error));
    snprintf(was, sizeof was, "%s%s%s", identity_name(table->identity),
             table->identity == 'i' ? " " : "", table->identity == 'i' ? index : "");
    return json_object_set_new(restore, table->oid, json_string(was)) == 0 ||
           error_set_memory(error, 128);
}

static bool identity_apply(const struct step_target *target, struct step_report *report,
                           struct error *error)
{
    struct step_report again;
    struct identity_view view;
    struct buffer sql = {0};
    step_report_init(&again);
    json_t *restore = json_object();
    bool ok = identity_open(target, &again, &view, error);
    for (size_t i = 0; ok && i < view.count; i++) {
        struct identity_work *work = &view.work[i];
        const struct stream_table *table = work->table->stream;
        if (work->set_default)
            ok = identity_remember(view.pg, work->table, restore, error) &&
                 identity_sql(&sql, table, "DEFAULT", error) && pg_exec(view.pg, sql.data, error);
        if (ok && work->set_default) {
            json_decref(work->file);
            work->file = schema_file_make(view.pg, table->schema, table->table, NULL, error);
            ok = work->file != NULL;
        }
        ok = ok && schema_file_write(view.store, table->topic, work->file, error);
    }
    if (ok) {
        json_decref(report->identity);
        report->identity = json_incref(again.identity);
        if (json_object_size(restore)) {
            json_decref(report->restore);
            report->restore = json_incref(restore);
        }
    }
    json_decref(restore);
    buffer_destroy(&sql);
    identity_close(&view);
    step_report_destroy(&again);
    return ok;
}

/* ---- undoing ---- */

static bool identity_undo_plan(const struct step_target *target, struct step_report *report,
                               struct error *error)
{
    const char *oid;
    json_t *was;
    if (target->receipt && target->receipt->restore)
        json_object_foreach(target->receipt->restore, oid, was)
        {
            TRY(step_report_line(report, error, "ALTER TABLE %s REPLICA IDENTITY %s;", oid,
                                 json_string_value(was)));
        }
    for (size_t i = 0; !target->keep_data && target->stream && i < target->stream->table_count; i++)
        TRY(step_report_line(report, error, "delete %s", target->stream->tables[i].schema_key));
    return true;
}

static bool identity_restore(struct pg *pg, const json_t *restore, struct error *error)
{
    const char *oid;
    json_t *was;
    json_object_foreach((json_t *)restore, oid, was)
    {
        char table[300];
        const char *parameters[] = {oid};
        TRY(session_text(pg, "SELECT to_regclass($1::oid::regclass::text)::text", parameters, 1,
                         table, sizeof table, error));
        if (table[0])
            TRY(pg_exec_format(pg, error, "ALTER TABLE %s REPLICA IDENTITY %s", table,
                               json_string_value(was)));
    }
    return true;
}

static bool identity_undo(const struct step_target *target, struct step_report *report,
                          struct error *error)
{
    (void)report;
    bool ok = true;
    if (target->receipt && target->receipt->restore) {
        struct pg *pg = steps_connect(target, error);
        ok = pg && identity_restore(pg, target->receipt->restore, error);
        pg_close(pg);
    }
    if (!ok || target->keep_data || target->stream == NULL)
        return ok;
    struct store *store = store_open(target->pipeline->profile->lake.deltas, NULL, error);
    ok = store != NULL;
    for (size_t i = 0; ok && i < target->stream->table_count; i++)
        ok = store_delete(store, target->stream->tables[i].schema_key, error);
    store_close(store);
    return ok;
}

const struct step step_identity = {
    .service = "postgres",
    .id = "identity",
    .title = "identity: each table has a key that its changes carry along",
    .why = "An update or delete in the log names its row by the replica identity. It must hold the "
           "key, or the change can't be applied. The schema file tells the merge the types.",
    .scope = STEP_STREAM,
    .requirement = true, /* tables that have their key by themselves need nothing of ours */
    .applies = steps_apply,
    .check = identity_check,
    .plan = identity_plan,
    .apply = identity_apply,
    .undo_plan = identity_undo_plan,
    .undo = identity_undo,
};
