#include "core/pipeline/lock_catalog.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "core/base/host.h"
#include "core/config/credential.h"
#include "core/net/pg.h"
#include "core/pipeline/lock.h"

/* Postgres cuts application_name at 63 bytes. */
enum { LOCK_NAME_SIZE = 64 };

/* One number for all programs that may ever meet in that database: never change it. */
static int64_t lock_key(const struct profile *profile, const char *name)
{
    char text[1024];
    snprintf(text, sizeof text, "surfboard lock 1\n%s\n%s", profile->lake.catalog.name, name);
    return (int64_t)XXH3_64bits(text, strlen(text));
}

/* "surfboard WHAT by USER@HOST:PID": what has no room is cut from the host's name. */
static void lock_sign_session(const char *what, char out[LOCK_NAME_SIZE])
{
    char user[64], host[128], pid[16];
    host_user(user, sizeof user);
    host_name(host, sizeof host);
    snprintf(pid, sizeof pid, ":%d", (int)getpid());
    int length = snprintf(out, LOCK_NAME_SIZE, "surfboard %.12s by %.16s@", what, user);
    int room = LOCK_NAME_SIZE - 1 - length - (int)strlen(pid);
    snprintf(out + length, LOCK_NAME_SIZE - (size_t)length, "%.*s%s", room, host, pid);
}

static struct pg *lock_session(const struct profile *profile, const char *what, struct error *error)
{
    char signature[LOCK_NAME_SIZE];
    struct buffer conninfo = {0};
    struct pg *pg = NULL;
    lock_sign_session(what, signature);
    if (credential_conninfo(profile, profile->lake.catalog.dsn, profile->lake.catalog.credential,
                            &conninfo, error) &&
        buffer_text(&conninfo, error))
        pg = pg_open(&(struct pg_options){.dsn = conninfo.data,
                                          .application_name = signature,
                                          .connect_ms = LOCK_CONNECT_MS,
                                          .answer_ms = LOCK_ANSWER_MS},
                     error);
    buffer_destroy(&conninfo);
    return pg;
}

/* Who holds it may be of another role, whose session we may not look into. */
static void lock_report_holder(struct pg *pg, const char *name, int64_t key, struct error *error)
{
    static const char sql[] =
        "SELECT a.application_name, coalesce(host(a.client_addr), 'the same host'), "
        "to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
        "FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
        "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 "
        "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
        "AND (l.classid::bigint << 32 | l.objid::bigint) = $1::bigint";
    char text[32];
    struct pg_rows rows = {0};
    snprintf(text, sizeof text, "%" PRId64, key);
    const char *parameters[] = {text};
    const char *who = NULL, *from = NULL, *since = NULL;
    if (pg_query(pg, sql, parameters, 1, &rows, NULL) && pg_rows_count(&rows)) {
        who = pg_rows_value(&rows, 0, 0);
        from = pg_rows_value(&rows, 0, 1);
        since = pg_rows_value(&rows, 0, 2);
    }
    static const char prefix[] = "surfboard ";
    if (who && strncmp(who, prefix, sizeof prefix - 1) == 0)
        who += sizeof prefix - 1;
    error_set(error, ERROR_CONFLICT, "wait until it has ended and run the same command again",
              "%s is locked in the catalog's database (%s): %s, connected from %s, since %s", name,
              pg_name(pg), who && *who ? who : "somebody else", from ? from : "an unknown host",
              since ? since : "a moment ago");
    pg_rows_destroy(&rows);
}

enum lock_catalog lock_catalog_take(const struct profile *profile, const char *name,
                                    const char *what, struct pg **out, struct error *error)
{
    *out = NULL;
    if (profile->lake.catalog.kind != CATALOG_JDBC || profile->lake.catalog.dsn == NULL)
        return LOCK_CATALOG_ABSENT;
    struct pg *pg = lock_session(profile, what, error);
    if (pg == NULL)
        return LOCK_CATALOG_ABSENT;
    int64_t key = lock_key(profile, name);
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, key);
    const char *parameters[] = {text};
    struct buffer answer = {0};
    bool found;
    enum lock_catalog result = LOCK_CATALOG_ABSENT;
    if (pg_query_text(pg, "SELECT pg_try_advisory_lock($1::bigint)", parameters, 1, &answer, &found,
                      error) &&
        buffer_text(&answer, error))
        result = found && strcmp(answer.data, "t") == 0 ? LOCK_CATALOG_HELD : LOCK_CATALOG_LOST;
    buffer_destroy(&answer);
    if (result == LOCK_CATALOG_LOST)
        lock_report_holder(pg, name, key, error);
    if (result == LOCK_CATALOG_HELD)
        *out = pg;
    else
        pg_close(pg);
    return result;
}
