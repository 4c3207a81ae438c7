#include "plugins/postgres/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each is a setting that any role may change; the forms that captured_value.c reads depend on them.
 */
static const char session_settings[] =
    "SET client_encoding = 'UTF8'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'iso_8601';"
    "SET timezone = 'UTC'; SET extra_float_digits = 1; SET bytea_output = 'hex';"
    "SET lc_monetary = 'C'; SET statement_timeout = 0;"
    "SET idle_in_transaction_session_timeout = 0";

struct pg *session_open(const struct pg_options *options, struct error *error)
{
    struct pg *pg = pg_open(options, error);
    if (pg && !pg_exec(pg, session_settings, error)) {
        pg_close(pg);
        pg = NULL;
    }
    return pg;
}

bool session_text(struct pg *pg, const char *sql, const char *const *parameters, size_t count,
                  char *out, size_t size, struct error *error)
{
    struct pg_rows rows = {0};
    TRY(pg_query(pg, sql, parameters, count, &rows, error));
    const char *text = pg_rows_count(&rows) > 0 ? pg_rows_value(&rows, 0, 0) : NULL;
    snprintf(out, size, "%s", text ? text : "");
    pg_rows_destroy(&rows);
    return true;
}

bool session_flag(struct pg *pg, const char *sql, const char *const *parameters, size_t count,
                  bool *out, struct error *error)
{
    char text[8];
    TRY(session_text(pg, sql, parameters, count, text, sizeof text, error));
    *out = strcmp(text, "t") == 0;
    return true;
}

bool lsn_parse(const char *text, uint64_t *lsn)
{
    char *end;
    unsigned long long high = strtoull(text, &end, 16);
    if (end == text || *end != '/' || high > UINT32_MAX)
        return false;
    const char *rest = end + 1;
    unsigned long long low = strtoull(rest, &end, 16);
    if (end == rest || *end != '\0' || low > UINT32_MAX)
        return false;
    *lsn = (uint64_t)high << 32 | (uint64_t)low;
    return true;
}

const char *lsn_format(uint64_t lsn, char out[LSN_TEXT_SIZE])
{
    snprintf(out, LSN_TEXT_SIZE, "%X/%X", (unsigned)(lsn >> 32), (unsigned)lsn);
    return out;
}
