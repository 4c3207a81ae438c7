/* role: the role that captures may replicate, and may read the tables for the first snapshot. It
 * is the role of the dsn: rights are an administrator's to give, so we say which, exactly. */
#include <stdio.h>

#include "plugins/postgres/replication.h"
#include "plugins/postgres/steps.h"

static bool role_attributes(struct pg *pg, struct step_report *report, char name[128],
                            bool *replication, struct error *error)
{
    struct pg_rows rows = {0};
    TRY(pg_query(pg,
                 "SELECT rolname, rolreplication, rolsuper, rolconfig::text"
                 " FROM pg_catalog.pg_roles WHERE rolname = current_user",
                 NULL, 0, &rows, error));
    snprintf(name, 128, "%s", pg_rows_value(&rows, 0, 0));
    bool super = pg_rows_value(&rows, 0, 2)[0] == 't';
    *replication = super || pg_rows_value(&rows, 0, 1)[0] == 't';
    bool ok = step_report_finding(report, "replication", *replication ? VERDICT_OK : VERDICT_FAIL,
                                  *replication ? "" : "without it no slot can be made or read",
                                  *replication ? "" : "ALTER ROLE ... REPLICATION, as a superuser",
                                  error, "role %s %s", name,
                                  *replication ? "may replicate" : "may not replicate");
    if (ok && super)
        ok = step_report_finding(report, "least_rights", VERDICT_WARN,
                                 "a leaked password of a superuser is the whole server",
                                 "use a role of its own with LOGIN REPLICATION and SELECT", error,
                                 "role %s is a superuser", name);
    pg_rows_destroy(&rows);
    return ok;
}

/* Appends a statement to the plan, quoted; `format` has one %s for the role. */
static bool role_grant(struct step_report *report, const char *before, struct slice object,
                       const char *role, struct error *error)
{
    struct buffer quoted = {0};
    bool ok =
        pg_quote_name(&quoted, role, error) && buffer_text(&quoted, error) &&
        step_report_line(report, error, "%s %.*s TO %s;", before, SLICE_ARG(object), quoted.data);
    buffer_destroy(&quoted);
    return ok;
}

static bool role_table(const struct source_table *table, struct step_report *report,
                       const char *role, struct error *error)
{
    bool good = table->found && table->may_use_schema && table->may_select;
    struct buffer name = {0};
    bool ok = steps_table_name(&name, table->stream, error) && buffer_text(&name, error);
    if (ok)
        ok = step_report_finding(report, "select", good ? VERDICT_OK : VERDICT_FAIL,
                                 !table->found
                                     ? "there is no such table, or its schema can't be seen"
                                 : !good ? "the first snapshot reads the table"
                                         : "",
                                 !table->found ? "check schema and name in model and profile"
                                 : !good       ? "GRANT SELECT"
                                               : "",
                                 error, "%s: %s", name.data,
                                 !table->found            ? "not found"
                                 : !table->may_use_schema ? "no USAGE on its schema"
                                 : !table->may_select     ? "no SELECT"
                                                          : "may be read");
    struct buffer schema = {0};
    if (ok && table->found && !table->may_use_schema)
        ok = pg_quote_name(&schema, table->stream->schema, error) &&
             role_grant(report, "GRANT USAGE ON SCHEMA", buffer_slice(&schema), role, error);
    if (ok && table->found && !table->may_select)
        ok = role_grant(report, "GRANT SELECT ON", buffer_slice(&name), role, error);
    buffer_destroy(&schema);
    buffer_destroy(&name);
    return ok;
}

/* All that is missing, as one command for whoever may give it. */
static bool role_ask(struct step_report *report, const char *role, struct error *error)
{
    struct buffer text = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < report->line_count; i++)
        ok = buffer_append_format(&text, error, "%s%s", i ? " " : "", report->lines[i]);
    ok = ok && buffer_text(&text, error);
    if (ok && text.length) {
        report->needs_person = arena_format(
            &report->arena, error, "role %s lacks rights that an administrator gives", role);
        report->needs_person_remedy =
            arena_format(&report->arena, error, "as a superuser: %s", text.data);
        ok = report->needs_person && report->needs_person_remedy;
    }
    report->line_count = 0; /* plan() tells them */
    buffer_destroy(&text);
    return ok;
}

static bool role_look(struct pg *pg, const struct step_target *target, struct step_report *report,
                      struct error *error)
{
    char role[128];
    bool replication;
    struct source_table *tables;
    size_t count;
    TRY(role_attributes(pg, report, role, &replication, error));
    if (!replication) {
        struct buffer quoted = {0};
        bool ok = pg_quote_name(&quoted, role, error) && buffer_text(&quoted, error) &&
                  step_report_line(report, error, "ALTER ROLE %s REPLICATION;", quoted.data);
        buffer_destroy(&quoted);
        TRY(ok);
    }
    TRY(steps_tables(pg, target, &report->arena, &tables, &count, error));
    for (size_t i = 0; i < count; i++)
        TRY(role_table(&tables[i], report, role, error));
    report->state = step_report_verdict(report) == VERDICT_FAIL ? STEP_DIFFERS : STEP_FITS;
    return true;
}

static bool role_check(const struct step_target *target, struct step_report *report,
                       struct error *error)
{
    struct pg *pg = steps_connect(target, error);
    if (pg == NULL)
        return false;
    bool ok = role_look(pg, target, report, error);
    char role[128] = "";
    if (ok)
        snprintf(role, sizeof role, "%s", PQuser(pg_connection(pg)));
    pg_close(pg);
    return ok && role_ask(report, role, error);
}

static bool role_plan(const struct step_target *target, struct step_report *report,
                      struct error *error)
{
    (void)target;
    return report->needs_person_remedy == NULL ||
           step_report_line(report, error, "%s", report->needs_person_remedy);
}

/* A walsender session, as the capture will open it: pg_hba.conf may let the one in and not the
 * other, and poolers can't do it at all. */
static bool role_prove(const struct step_target *target, struct step_report *report,
                       struct error *error)
{
    struct buffer dsn = {0};
    struct replication replication = {0};
    struct error why = {0};
    PGresult *result = NULL;
    TRY(pipeline_source_conninfo(target->pipeline, target->capture, &dsn, error));
    struct pg_options options = {.dsn = dsn.data, .stop = target->stop};
    bool ok = replication_open(&replication, &options, &why) &&
              replication_command(&replication, "IDENTIFY_SYSTEM", &result, &why);
    bool told = ok ? step_report_finding(report, "walsender", VERDICT_OK, NULL, NULL, error,
                                         "a replication connection is let in; the log stands at %s",
                                         PQgetvalue(result, 0, 2))
                   : step_report_finding(report, "walsender", VERDICT_FAIL,
                                         "pg_hba.conf does not let it in, or a pooler stands "
                                         "between",
                                         why.remedy, error, "%s", why.message);
    PQclear(result);
    replication_close(&replication);
    explicit_bzero(dsn.data, dsn.length);
    buffer_destroy(&dsn);
    return told;
}

const struct step step_role = {
    .service = "postgres",
    .id = "role",
    .title = "role: may replicate, and may read the tables once",
    .why = "The capture connects as this role. It needs REPLICATION for the slot and SELECT for "
           "the first copy of each table; nothing else.",
    .scope = STEP_SOURCE,
    .requirement = true,
    .applies = steps_apply,
    .check = role_check,
    .plan = role_plan,
    .prove = role_prove,
};
