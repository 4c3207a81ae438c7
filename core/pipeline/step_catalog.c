/* catalog: the database that says which metadata file of a table is the current one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/net/pg.h"
#include "core/pipeline/receipt.h"
#include "core/pipeline/step.h"

/* Schema V1 of Iceberg's JDBC catalog, with room for long locations. */
static const char *const catalog_ddl[] = {
    "CREATE TABLE IF NOT EXISTS iceberg_tables (catalog_name VARCHAR(255) NOT NULL, "
    "table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL, "
    "metadata_location VARCHAR(5500), previous_metadata_location VARCHAR(5500), "
    "iceberg_type VARCHAR(5), PRIMARY KEY (catalog_name, table_namespace, table_name))",
    "CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (catalog_name VARCHAR(255) NOT NULL, "
    "namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255) NOT NULL, "
    "property_value VARCHAR(5500), PRIMARY KEY (catalog_name, namespace, property_key))",
};

static const char catalog_drop[] = "DROP TABLE iceberg_tables, iceberg_namespace_properties";

enum { CATALOG_ANSWER_MS = 10000, CATALOG_CONNECT_MS = 5000 };

static bool catalog_applies(const struct step_target *target)
{
    return target->pipeline->profile->lake.catalog.kind == CATALOG_JDBC;
}

static struct pg *catalog_connect(const struct step_target *target, struct error *error)
{
    struct buffer dsn = {0};
    struct pg *pg = NULL;
    if (pipeline_catalog_conninfo(target->pipeline, &dsn, error))
        pg = pg_open(&(struct pg_options){.dsn = dsn.data,
                                          .connect_ms = CATALOG_CONNECT_MS,
                                          .answer_ms = CATALOG_ANSWER_MS,
                                          .stop = target->stop},
                     error);
    if (dsn.data)
        explicit_bzero(dsn.data, dsn.length);
    buffer_destroy(&dsn);
    return pg;
}

/* Object ids of the two tables; "" where absent. */
static bool catalog_look(struct pg *pg, struct step_report *report, struct error *error)
{
    struct pg_rows rows = {0};
    bool ok = pg_query(pg,
                       "SELECT current_database(), to_regclass('iceberg_tables')::oid::text, "
                       "to_regclass('iceberg_namespace_properties')::oid::text, "
                       "(SELECT count(*) FROM pg_attribute WHERE attrelid = "
                       "to_regclass('iceberg_tables') AND attname = 'iceberg_type')::text",
                       NULL, 0, &rows, error);
    if (ok) {
        const char *tables = pg_rows_value(&rows, 0, 1);
        const char *properties = pg_rows_value(&rows, 0, 2);
        const char *type = pg_rows_value(&rows, 0, 3);
        report->state = tables && properties ? STEP_FITS : STEP_ABSENT;
        if (tables) {
            json_decref(report->identity);
            report->identity = json_pack("{s:s, s:s}", "database", pg_rows_value(&rows, 0, 0),
                                         "iceberg_tables", tables);
        }
        if (tables && type && strcmp(type, "0") == 0) {
            report->state = STEP_DIFFERS;
            ok = step_report_finding(
                report, "layout", VERDICT_FAIL, "the tables are of the old layout V0",
                "ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5)", error,
                "iceberg_tables has no column iceberg_type");
        } else {
            ok = step_report_finding(report, "layout", VERDICT_OK, NULL, NULL, error,
                                     tables ? "the catalog's tables are in %s"
                                            : "%s has no catalog tables yet",
                                     pg_name(pg));
        }
    }
    pg_rows_destroy(&rows);
    return ok;
}

static bool catalog_check(const struct step_target *target, struct step_report *report,
                          struct error *error)
{
    struct pg *pg = catalog_connect(target, error);
    if (pg == NULL)
        return false;
    bool ok = catalog_look(pg, report, error);
    pg_close(pg);
    return ok;
}

static bool catalog_plan(const struct step_target *target, struct step_report *report,
                         struct error *error)
{
    (void)target;
    for (size_t i = 0; i < sizeof catalog_ddl / sizeof *catalog_ddl; i++)
        TRY(step_report_line(report, error, "%s;", catalog_ddl[i]));
    return true;
}

static bool catalog_apply(const struct step_target *target, struct step_report *report,
                          struct error *error)
{
    struct pg *pg = catalog_connect(target, error);
    if (pg == NULL)
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof catalog_ddl / sizeof *catalog_ddl; i++)
        ok = pg_exec(pg, catalog_ddl[i], error);
    ok = ok && catalog_look(pg, report, error);
    pg_close(pg);
    return ok;
}

static bool catalog_prove(const struct step_target *target, struct step_report *report,
                          struct error *error)
{
    struct error why = {0};
    struct pg *pg = catalog_connect(target, &why);
    struct buffer count = {0};
    bool found = false;
    bool ok =
        pg && pg_query_text(pg, "SELECT count(*)::text FROM iceberg_tables WHERE catalog_name = $1",
                            (const char *const[]){target->pipeline->profile->lake.catalog.name}, 1,
                            &count, &found, &why);
    ok = step_report_finding(
        report, "read", ok ? VERDICT_OK : VERDICT_FAIL, why.message, why.remedy, error,
        ok ? "catalog %s holds %.*s tables" : "catalog %s: no answer%.*s",
        target->pipeline->profile->lake.catalog.name, SLICE_ARG(buffer_slice(&count)));
    buffer_destroy(&count);
    pg_close(pg);
    return ok;
}

static bool catalog_undo_plan(const struct step_target *target, struct step_report *report,
                              struct error *error)
{
    (void)target;
    return step_report_line(report, error, "%s;   (only when no table is left in it)",
                            catalog_drop);
}

static bool catalog_undo(const struct step_target *target, struct step_report *report,
                         struct error *error)
{
    struct pg *pg = catalog_connect(target, error);
    if (pg == NULL)
        return false;
    struct buffer count = {0};
    bool found = false;
    bool ok = pg_begin(pg, error) &&
              pg_exec(pg, "LOCK TABLE iceberg_tables IN ACCESS EXCLUSIVE MODE", error) &&
              pg_query_text(pg, "SELECT count(*)::text FROM iceberg_tables", NULL, 0, &count,
                            &found, error);
    bool empty = ok && slice_is(buffer_slice(&count), "0");
    if (ok && empty)
        ok = pg_exec(pg, catalog_drop, error);
    else if (ok)
        ok = step_report_finding(report, "left", VERDICT_WARN, "tables are still listed in it",
                                 "drop them first when nobody needs them", error,
                                 "the catalog holds %.*s tables and stays",
                                 SLICE_ARG(buffer_slice(&count)));
    ok = ok && pg_commit(pg, error);
    if (!ok)
        pg_rollback(pg);
    buffer_destroy(&count);
    pg_close(pg);
    return ok;
}

const struct step step_catalog = {
    .service = "catalog",
    .id = "catalog",
    .title = "catalog: the pointer to each table's current state",
    .why = "One row in Postgres a table: several tables change together in one transaction, and "
           "Trino and Spark read the same rows.",
    .scope = STEP_PLATFORM,
    .requirement = true,
    .applies = catalog_applies,
    .check = catalog_check,
    .plan = catalog_plan,
    .apply = catalog_apply,
    .prove = catalog_prove,
    .undo_plan = catalog_undo_plan,
    .undo = catalog_undo,
};
