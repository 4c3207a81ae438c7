/* server: settings of the Postgres server. Nothing here is changed by us: each setting is an
 * administrator's, and the ones that matter most need a restart. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "plugins/postgres/session.h"
#include "plugins/postgres/steps.h"

/* One row of figures, asked for once. */
static const char server_sql[] =
    "SELECT current_setting('server_version_num'), current_setting('server_version'),"
    " pg_is_in_recovery(), current_setting('wal_level'),"
    " current_setting('max_replication_slots'),"
    " (SELECT count(*) FROM pg_catalog.pg_replication_slots),"
    " current_setting('max_wal_senders'), (SELECT count(*) FROM pg_catalog.pg_stat_replication),"
    " coalesce(current_setting('max_slot_wal_keep_size', true), 'not known'),"
    " (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'),"
    " current_setting('server_encoding'),"
    " (extract(epoch FROM clock_timestamp()) * 1000)::bigint,"
    " coalesce((SELECT extract(epoch FROM max(now() - xact_start))::bigint"
    "  FROM pg_catalog.pg_stat_activity WHERE backend_xid IS NOT NULL"
    "  AND pid <> pg_backend_pid()), 0),"
    " EXISTS (SELECT 1 FROM pg_catalog.pg_replication_slots WHERE slot_name = $1)";

enum server_column {
    SERVER_VERSION_NUMBER,
    SERVER_VERSION,
    SERVER_RECOVERY,
    SERVER_WAL_LEVEL,
    SERVER_SLOTS,
    SERVER_SLOTS_USED,
    SERVER_SENDERS,
    SERVER_SENDERS_USED,
    SERVER_KEEP_SIZE,
    SERVER_SENDER_TIMEOUT,
    SERVER_ENCODING,
    SERVER_CLOCK,
    SERVER_LONGEST,
    SERVER_HAS_SLOT
};

static long server_number(const struct pg_rows *rows, enum server_column column)
{
    return strtol(pg_rows_value(rows, 0, column), NULL, 10);
}

static bool server_version(struct step_report *report, const struct pg_rows *rows,
                           struct error *error)
{
    long version = server_number(rows, SERVER_VERSION_NUMBER);
    bool recovery = pg_rows_value(rows, 0, SERVER_RECOVERY)[0] == 't';
    const char *text = pg_rows_value(rows, 0, SERVER_VERSION);
    TRY(step_report_finding(
        report, "version",
        version < 100000   ? VERDICT_FAIL
        : version < 140000 ? VERDICT_WARN
                           : VERDICT_OK,
        version < 140000 ? "logical replication by pgoutput needs 10, and is mature from 14 on"
                         : "",
        version < 140000 ? "upgrade the server" : "", error, "server_version = %s", text));
    bool standby = recovery && version < 160000;
    return step_report_finding(report, "primary", standby ? VERDICT_FAIL : VERDICT_OK,
                               standby ? "a standby decodes changes from version 16 on only" : "",
                               standby ? "name the primary in the source's dsn" : "", error,
                               recovery ? "in recovery: a standby"
                                        : "not in recovery: the primary");
}

static bool server_wal(struct step_report *report, const struct pg_rows *rows, struct error *error)
{
    const char *level = pg_rows_value(rows, 0, SERVER_WAL_LEVEL);
    const char *keep = pg_rows_value(rows, 0, SERVER_KEEP_SIZE);
    bool logical = strcmp(level, "logical") == 0;
    TRY(step_report_finding(report, "wal_level", logical ? VERDICT_OK : VERDICT_FAIL,
                            logical ? "" : "without it the WAL does not hold row changes",
                            logical ? ""
                                    : "ALTER SYSTEM SET wal_level = 'logical'; then restart the "
                                      "server",
                            error, "wal_level = %s", level));
    if (!logical) {
        report->needs_person = "wal_level must be logical, which needs a restart of the server";
        report->needs_person_remedy =
            "psql -c \"ALTER SYSTEM SET wal_level = 'logical'\" && systemctl restart postgresql";
    }
    bool endless = strcmp(keep, "-1") == 0;
    return step_report_finding(
        report, "max_slot_wal_keep_size", endless ? VERDICT_WARN : VERDICT_OK,
        endless ? "a slot that nobody reads keeps WAL until the disk is full and the server stops"
                : "",
        endless ? "ALTER SYSTEM SET max_slot_wal_keep_size = '10GB'; SELECT pg_reload_conf()" : "",
        error, "max_slot_wal_keep_size = %s", keep);
}

static bool server_room(struct step_report *report, const struct pg_rows *rows, struct error *error)
{
    long slots = server_number(rows, SERVER_SLOTS) - server_number(rows, SERVER_SLOTS_USED);
    long senders = server_number(rows, SERVER_SENDERS) - server_number(rows, SERVER_SENDERS_USED);
    bool ours = pg_rows_value(rows, 0, SERVER_HAS_SLOT)[0] == 't';
    /* One for the capture; one more lets a table join later by a snapshot of its own. */
    bool slot_ok = slots >= 1 || ours;
    TRY(step_report_finding(
        report, "max_replication_slots",
        !slot_ok    ? VERDICT_FAIL
        : slots < 2 ? VERDICT_WARN
                    : VERDICT_OK,
        slots < 2 ? "one is for the capture, one for tables that join it later" : "",
        slots < 2 ? "ALTER SYSTEM SET max_replication_slots = 16; then restart" : "", error,
        "%ld of %ld free", slots, server_number(rows, SERVER_SLOTS)));
    if (!slot_ok) {
        report->needs_person = "no replication slot is free";
        report->needs_person_remedy =
            "psql -c \"ALTER SYSTEM SET max_replication_slots = 16\" && systemctl restart "
            "postgresql; or drop a slot that nobody reads";
    }
    return step_report_finding(
        report, "max_wal_senders", senders < 1 ? VERDICT_FAIL : VERDICT_OK,
        senders < 1 ? "every capture and every standby needs one" : "",
        senders < 1 ? "ALTER SYSTEM SET max_wal_senders = 16; then restart" : "", error,
        "%ld of %ld free", senders, server_number(rows, SERVER_SENDERS));
}

static bool server_habits(struct step_report *report, const struct pg_rows *rows,
                          struct error *error)
{
    long timeout = server_number(rows, SERVER_SENDER_TIMEOUT);
    const char *encoding = pg_rows_value(rows, 0, SERVER_ENCODING);
    long long apart =
        llabs(strtoll(pg_rows_value(rows, 0, SERVER_CLOCK), NULL, 10) - (long long)clock_now_ms());
    long longest = server_number(rows, SERVER_LONGEST);
    bool ascii = strcmp(encoding, "SQL_ASCII") == 0;
    TRY(step_report_finding(
        report, "wal_sender_timeout", timeout == 0 || timeout > 600000 ? VERDICT_WARN : VERDICT_OK,
        timeout == 0 ? "a capture whose network broke keeps its slot busy for ever" : "",
        timeout == 0 ? "ALTER SYSTEM SET wal_sender_timeout = '60s'; SELECT pg_reload_conf()" : "",
        error, "wal_sender_timeout = %ld ms", timeout));
    TRY(step_report_finding(report, "encoding", ascii ? VERDICT_FAIL : VERDICT_OK,
                            ascii ? "texts without an encoding can't be read" : "",
                            ascii ? "move to a database with ENCODING 'UTF8'" : "", error,
                            "server_encoding = %s", encoding));
    TRY(step_report_finding(report, "clock", apart > 5000 ? VERDICT_WARN : VERDICT_OK,
                            apart > 5000 ? "freshness is the difference of the two clocks" : "",
                            apart > 5000 ? "synchronise both machines (chrony, ntp)" : "", error,
                            "%lld ms between the server's clock and ours", apart));
    return step_report_finding(
        report, "long_transactions", longest > 60 ? VERDICT_WARN : VERDICT_OK,
        longest > 60 ? "creating a slot waits for every transaction that writes" : "",
        longest > 60 ? "SELECT pid, now() - xact_start, query FROM pg_stat_activity "
                       "WHERE backend_xid IS NOT NULL ORDER BY 2 DESC"
                     : "",
        error, "the oldest writing transaction is %ld s old", longest);
}

static bool server_check(const struct step_target *target, struct step_report *report,
                         struct error *error)
{
    struct pg *pg = steps_connect(target, error);
    if (pg == NULL)
        return false;
    struct pg_rows rows = {0};
    bool ok = pg_query(pg, server_sql, &target->capture->slot, 1, &rows, error);
    ok = ok && server_version(report, &rows, error) && server_wal(report, &rows, error) &&
         server_room(report, &rows, error) && server_habits(report, &rows, error);
    if (ok)
        report->state = step_report_verdict(report) == VERDICT_FAIL ? STEP_DIFFERS : STEP_FITS;
    pg_rows_destroy(&rows);
    pg_close(pg);
    return ok;
}

static bool server_plan(const struct step_target *target, struct step_report *report,
                        struct error *error)
{
    (void)target;
    for (size_t i = 0; i < report->finding_count; i++) {
        if (report->findings[i].verdict == VERDICT_FAIL)
            TRY(step_report_line(report, error, "%s;", report->findings[i].remedy));
    }
    return true;
}

/* Slots that hold WAL back and that nobody reads. */
static bool server_doctor(const struct step_target *target, struct step_report *report,
                          struct error *error)
{
    struct pg *pg = steps_connect(target, error);
    if (pg == NULL)
        return false;
    struct pg_rows rows = {0};
    bool ok = pg_query(pg,
                       "SELECT slot_name, coalesce(pg_size_pretty(pg_wal_lsn_diff("
                       "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
                       " ELSE pg_current_wal_lsn() END, restart_lsn)), 'lost')"
                       " FROM pg_catalog.pg_replication_slots"
                       " WHERE NOT active AND slot_name <> $1 ORDER BY restart_lsn",
                       &target->capture->slot, 1, &rows, error);
    for (size_t i = 0; ok && i < pg_rows_count(&rows); i++)
        ok = step_report_finding(report, "orphan_slots", VERDICT_WARN,
                                 "nobody reads it, and the server keeps WAL for it",
                                 "find its owner; else SELECT pg_drop_replication_slot('...')",
                                 error, "slot %s is inactive and holds %s",
                                 pg_rows_value(&rows, i, 0), pg_rows_value(&rows, i, 1));
    pg_rows_destroy(&rows);
    pg_close(pg);
    return ok;
}

const struct step step_server = {
    .service = "postgres",
    .id = "server",
    .title = "server: writes row changes into its log and lets us read them",
    .why = "Changes are read from the write-ahead log. The server must log enough for that, and "
           "have a slot and a sender free. These settings belong to its administrator.",
    .scope = STEP_SOURCE,
    .requirement = true,
    .applies = steps_apply,
    .check = server_check,
    .plan = server_plan,
    .doctor = server_doctor,
};
