/* publication: names the tables whose changes are sent. It must be older than the slot: a slot that
 * is older than its publication never finds it (version 15), or drops changes in silence (18). */
#include <stdio.h>
#include <stdlib.h>

#include "core/pipeline/receipt.h"
#include "plugins/postgres/session.h"
#include "plugins/postgres/steps.h"

struct publication {
    bool found, all_tables, complete; /* complete: publishes all four operations */
    char oid[16];
};

static bool publication_read(struct pg *pg, const char *name, struct publication *out,
                             struct error *error)
{
    struct pg_rows rows = {0};
    *out = (struct publication){0};
    TRY(pg_query(pg,
                 "SELECT oid, puballtables, pubinsert AND pubupdate AND pubdelete AND"
                 " coalesce((to_jsonb(p) ->> 'pubtruncate')::boolean, true)"
                 " FROM pg_catalog.pg_publication p WHERE pubname = $1",
                 &name, 1, &rows, error));
    out->found = pg_rows_count(&rows) > 0;
    if (out->found) {
        snprintf(out->oid, sizeof out->oid, "%s", pg_rows_value(&rows, 0, 0));
        out->all_tables = pg_rows_value(&rows, 0, 1)[0] == 't';
        out->complete = pg_rows_value(&rows, 0, 2)[0] == 't';
    }
    pg_rows_destroy(&rows);
    return true;
}

static bool publication_has(struct pg *pg, const char *name, const struct stream_table *table,
                            bool *has, struct error *error)
{
    const char *parameters[] = {name, table->schema, table->table};
    return session_flag(pg,
                        "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_publication_tables"
                        " WHERE pubname = $1 AND schemaname = $2 AND tablename = $3)",
                        parameters, 3, has, error);
}

/* The stream's tables that are not in it. */
static bool publication_missing(struct pg *pg, const struct step_target *target,
                                struct step_report *report, const struct stream_table ***out,
                                size_t *count, struct error *error)
{
    const struct stream *stream = target->stream;
    size_t tables = stream ? stream->table_count : target->capture->table_count;
    *out = arena_zero(&report->arena, tables, sizeof **out, error);
    TRY(*out != NULL);
    *count = 0;
    for (size_t i = 0; i < tables; i++) {
        const struct stream_table *table = stream ? &stream->tables[i] : target->capture->tables[i];
        bool has;
        TRY(publication_has(pg, target->capture->publication, table, &has, error));
        if (!has)
            (*out)[(*count)++] = table;
    }
    return true;
}

static bool publication_identity(struct pg *pg, const struct step_target *target,
                                 const struct publication *publication, struct step_report *report,
                                 struct error *error)
{
    char system_id[32];
    TRY(steps_system_id(pg, system_id, error));
    json_decref(report->identity);
    report->identity = json_pack("{s:s, s:s, s:s}", "system_identifier", system_id, "publication",
                                 target->capture->publication, "oid", publication->oid);
    return report->identity != NULL || error_set_memory(error, 128);
}

static bool publication_look(struct pg *pg, const struct step_target *target,
                             struct step_report *report, struct error *error)
{
    const char *name = target->capture->publication;
    struct publication publication;
    const struct stream_table **missing;
    size_t count;
    TRY(publication_read(pg, name, &publication, error));
    if (!publication.found) {
        report->state = STEP_ABSENT;
        return step_report_finding(report, "publication", VERDICT_OK, NULL, NULL, error,
                                   "%s does not exist yet", name);
    }
    TRY(publication_identity(pg, target, &publication, report, error));
    TRY(publication_missing(pg, target, report, &missing, &count, error));
    report->state = count || !publication.complete ? STEP_DIFFERS : STEP_FITS;
    TRY(step_report_finding(
        report, "operations", publication.complete ? VERDICT_OK : VERDICT_WARN,
        publication.complete ? "" : "changes that it leaves out never reach the lake",
        publication.complete ? ""
                             : "ALTER PUBLICATION ... SET (publish = 'insert, update, "
                               "delete, truncate')",
        error, "%s publishes %s", name, publication.complete ? "all operations" : "only some"));
    for (size_t i = 0; i < count; i++) {
        TRY(step_report_difference(report, missing[i]->topic, "published", "not published", error));
        TRY(step_report_finding(report, "tables", VERDICT_WARN, "its changes are not sent",
                                "ALTER PUBLICATION ... ADD TABLE", error, "%s.%s is not in %s",
                                missing[i]->schema, missing[i]->table, name));
    }
    if (publication.all_tables)
        TRY(step_report_finding(report, "scope", VERDICT_WARN,
                                "tables without a key that join later make the application's "
                                "UPDATE fail",
                                "name the tables instead", error, "%s is FOR ALL TABLES", name));
    return true;
}

static bool publication_check(const struct step_target *target, struct step_report *report,
                              struct error *error)
{
    struct pg *pg = steps_connect(target, error);
    if (pg == NULL)
        return false;
    bool ok = publication_look(pg, target, report, error);
    pg_close(pg);
    return ok;
}

/* ---- changing ---- */

static bool publication_tables(struct buffer *sql, const struct stream_table *const *tables,
                               size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++)
        TRY(buffer_append_text(sql, i ? ", " : "", error) &&
            steps_table_name(sql, tables[i], error));
    return true;
}

/* The statements that are still to be sent, one a line of the report. */
static bool publication_statements(struct pg *pg, const struct step_target *target,
                                   struct step_report *report, struct error *error)
{
    struct publication publication;
    const struct stream_table **missing;
    size_t count;
    struct buffer sql = {0};
    TRY(publication_read(pg, target->capture->publication, &publication, error));
    TRY(publication_missing(pg, target, report, &missing, &count, error));
    bool ok = true;
    if (!publication.found || count) {
        ok = buffer_append_text(&sql, publication.found ? "ALTER" : "CREATE", error) &&
             buffer_append_text(&sql, " PUBLICATION ", error) &&
             pg_quote_name(&sql, target->capture->publication, error) &&
             buffer_append_text(&sql, publication.found ? " ADD TABLE " : " FOR TABLE ", error) &&
             publication_tables(&sql, missing, count, error);
        if (ok && !publication.found)
            ok = buffer_append_format(
                &sql, error, " WITH (publish = 'insert, update, delete, truncate'%s)",
                PQserverVersion(pg_connection(pg)) >= 130000 ? ", publish_via_partition_root = true"
                                                             : "");
        ok = ok && buffer_text(&sql, error) && step_report_line(report, error, "%s", sql.data);
    }
    if (ok && publication.found && !publication.complete) {
        buffer_clear(&sql);
        ok = buffer_append_text(&sql, "ALTER PUBLICATION ", error) &&
             pg_quote_name(&sql, target->capture->publication, error) &&
             buffer_append_text(&sql, " SET (publish = 'insert, update, delete, truncate')",
                                error) &&
             buffer_text(&sql, error) && step_report_line(report, error, "%s", sql.data);
    }
    buffer_destroy(&sql);
    return ok;
}

static bool publication_plan(const struct step_target *target, struct step_report *report,
                             struct error *error)
{
    struct pg *pg = steps_connect(target, error);
    if (pg == NULL)
        return false;
    bool ok = publication_statements(pg, target, report, error);
    pg_close(pg);
    return ok;
}

static bool publication_apply(const struct step_target *target, struct step_report *report,
                              struct error *error)
{
    struct step_report work;
    struct publication publication;
    struct pg *pg = steps_connect(target, error);
    if (pg == NULL)
        return false;
    step_report_init(&work);
    bool ok = publication_statements(pg, target, &work, error);
    for (size_t i = 0; ok && i < work.line_count; i++) {
        ok = pg_exec(pg, work.lines[i], error);
        if (!ok && error && error->kind == ERROR_REFUSED)
            error_remedy(error,
                         "it takes CREATE on the database and ownership of the tables: run "
                         "`%s` as their owner, then adopt it",
                         work.lines[i]);
    }
    ok = ok && publication_read(pg, target->capture->publication, &publication, error) &&
         publication_identity(pg, target, &publication, report, error);
    step_report_destroy(&work);
    pg_close(pg);
    return ok;
}

static bool publication_adopt(const struct step_target *target, struct step_report *report,
                              struct error *error)
{
    return publication_check(target, report, error);
}

/* ---- undoing ---- */

static bool publication_undo_plan(const struct step_target *target, struct step_report *report,
                                  struct error *error)
{
    struct buffer sql = {0};
    bool ok = pg_quote_name(&sql, target->capture->publication, error) &&
              buffer_text(&sql, error) &&
              step_report_line(report, error, "DROP PUBLICATION IF EXISTS %s;", sql.data);
    buffer_destroy(&sql);
    return ok;
}

static bool publication_drop(struct pg *pg, const char *name, struct error *error)
{
    struct buffer sql = {0};
    bool ok = buffer_append_text(&sql, "DROP PUBLICATION IF EXISTS ", error) &&
              pg_quote_name(&sql, name, error) && buffer_text(&sql, error) &&
              pg_exec(pg, sql.data, error);
    buffer_destroy(&sql);
    return ok;
}

/* A slot without its publication can never be read again: never in that order. */
static bool publication_undo(const struct step_target *target, struct step_report *report,
                             struct error *error)
{
    (void)report;
    bool slot;
    struct pg *pg = steps_connect(target, error);
    if (pg == NULL)
        return false;
    bool ok = session_flag(pg,
                           "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_replication_slots"
                           " WHERE slot_name = $1)",
                           &target->capture->slot, 1, &slot, error);
    if (ok && slot)
        ok = error_set(error, ERROR_CONFLICT, "undo the step slot first",
                       "slot %s still reads publication %s", target->capture->slot,
                       target->capture->publication);
    ok = ok && publication_drop(pg, target->capture->publication, error);
    pg_close(pg);
    return ok;
}

/* One stream leaves: its tables do, unless another stream has them too. */
static bool publication_release(const struct step_target *target, struct step_report *report,
                                struct error *error)
{
    (void)report;
    const struct stream *stream = target->stream;
    struct pg *pg = stream ? steps_connect(target, error) : NULL;
    if (pg == NULL)
        return stream == NULL;
    struct buffer sql = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < stream->table_count; i++) {
        bool has;
        ok = publication_has(pg, target->capture->publication, &stream->tables[i], &has, error);
        if (!ok || !has)
            continue;
        buffer_clear(&sql);
        ok = buffer_append_text(&sql, "ALTER PUBLICATION ", error) &&
             pg_quote_name(&sql, target->capture->publication, error) &&
             buffer_append_text(&sql, " DROP TABLE ", error) &&
             steps_table_name(&sql, &stream->tables[i], error) && buffer_text(&sql, error) &&
             pg_exec(pg, sql.data, error);
    }
    buffer_destroy(&sql);
    pg_close(pg);
    return ok;
}

const struct step step_publication = {
    .service = "postgres",
    .id = "publication",
    .title = "publication: names the tables whose changes are sent",
    .why = "The server sends changes only of tables in the publication. It is made before the slot "
           "on purpose: a slot can't see a publication that is younger than itself.",
    .scope = STEP_CAPTURE,
    .applies = steps_apply,
    .check = publication_check,
    .plan = publication_plan,
    .apply = publication_apply,
    .undo_plan = publication_undo_plan,
    .undo = publication_undo,
    .release = publication_release,
    .adopt = publication_adopt,
};
