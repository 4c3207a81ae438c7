#include "core/net/pg_error.h"

#include <stdio.h>
#include <string.h>

struct state_rule {
    const char *prefix; /* of the SQLSTATE; the first that fits counts */
    enum error_kind kind;
    const char *remedy; /* when the server gives no hint */
};

static const struct state_rule rules[] = {
    {"55P03", ERROR_CONFLICT, "another transaction holds the lock: try again"},
    {"40", ERROR_CONFLICT, "it collided with another transaction: try again"},
    {"23505", ERROR_EXISTS, NULL},
    {"57014", ERROR_UNREACHABLE,
     "the statement ran into its time limit or was cancelled: ask for less, or raise the limit"},
    {"57P0", ERROR_UNREACHABLE,
     "the server is starting, stopping or was told to end the session: "
     "try again when it is up"},
    {"08", ERROR_UNREACHABLE, "check that the server is up and try again"},
    {"53300", ERROR_UNREACHABLE,
     "the server has no free connection: close some, or raise "
     "max_connections"},
    {"53100", ERROR_UNREACHABLE, "the server's disk is full: make room there"},
    {"53", ERROR_UNREACHABLE, "the server lacks memory or another resource: look at its log"},
    {"28", ERROR_REFUSED,
     "check user, password (credential or ~/.pgpass) and the server's "
     "pg_hba.conf"},
    {"42501", ERROR_REFUSED, "grant the right to this user, or use another user"},
    {"25006", ERROR_REFUSED, "the transaction may only read"},
    {"3D000", ERROR_NOT_FOUND, "check dbname"},
    {"3F000", ERROR_NOT_FOUND, "check the schema's name"},
    {"42P01", ERROR_NOT_FOUND, "check the table's name and schema"},
    {"42703", ERROR_NOT_FOUND, "check the column's name"},
    {"42883", ERROR_NOT_FOUND, "check the function's name and argument types"},
    {"42704", ERROR_NOT_FOUND, "check the object's name"},
    {"42", ERROR_USAGE, "check the statement"},
    {"0A", ERROR_UNSUPPORTED, NULL},
    {"22", ERROR_INPUT, "check the values"},
    {"23", ERROR_INPUT, "the values break a constraint of the table"},
    {"58", ERROR_UNREACHABLE, "the server's machine reported an error: look at its log"},
    {"XX", ERROR_UNREACHABLE, "the server failed inside: look at its log"},
};

static const struct state_rule *find_rule(const char *state)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (strncmp(state, rules[i].prefix, strlen(rules[i].prefix)) == 0)
            return &rules[i];
    }
    return NULL;
}

/* libpq's text on one line, its own prefixes and line ends cut. */
static void tidy(const char *text, char *out, size_t size)
{
    static const char *const prefixes[] = {"ERROR:  ", "FATAL:  "};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (strncmp(text, prefixes[i], strlen(prefixes[i])) == 0)
            text += strlen(prefixes[i]);
    }
    size_t length = 0;
    for (; *text && length + 2 < size; text++) {
        bool space = *text == '\n' || *text == '\t' || *text == '\r';
        if (space && length && out[length - 1] == ' ')
            continue;
        out[length++] = space ? ' ' : *text;
    }
    while (length && out[length - 1] == ' ')
        length--;
    out[length] = '\0';
}

bool pg_error(struct pg *pg, const PGresult *result, const char *doing, struct error *error)
{
    char text[1024];
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *before = doing ? doing : "", *between = doing ? ": " : "";
    snprintf(pg->sqlstate, sizeof pg->sqlstate, "%s", state ? state : "");
    if (state == NULL) {
        tidy(PQerrorMessage(pg->connection), text, sizeof text);
        return error_set(error, ERROR_UNREACHABLE, "check that the server is up and try again",
                         "%s: %s%s%s", pg->name, before, between,
                         text[0] ? text : "the connection was lost");
    }
    const struct state_rule *rule = find_rule(state);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    const char *remedy = hint ? hint : rule ? rule->remedy : NULL;
    return error_set(error, rule ? rule->kind : ERROR_INTERNAL, remedy, "%s: %s%s%s%s%s (%s%s%s)",
                     pg->name, before, between, primary ? primary : "?", detail ? ": " : "",
                     detail ? detail : "", state, position ? ", at character " : "",
                     position ? position : "");
}

/* No result carries the SQLSTATE of a refused connection, so the text must tell. The words are
 * the server's English ones; in another language the kind is "unreachable". */
bool pg_error_connect(struct pg *pg, struct error *error)
{
    static const struct {
        const char *words, *state;
    } known[] = {{"password", "28P01"},
                 {"pg_hba.conf", "28000"},
                 {"role \"", "28000"},
                 {"authentication", "28000"},
                 {"database \"", "3D000"},
                 {"too many clients", "53300"},
                 {"remaining connection", "53300"},
                 {"starting up", "57P03"},
                 {"shutting down", "57P03"},
                 {"recovery", "57P03"}};
    char text[1024];
    tidy(PQerrorMessage(pg->connection), text, sizeof text);
    pg->sqlstate[0] = '\0';
    const char *fatal = strstr(text, "FATAL:");
    for (size_t i = 0; fatal && i < sizeof known / sizeof *known; i++) {
        if (strstr(fatal, known[i].words) == NULL)
            continue;
        snprintf(pg->sqlstate, sizeof pg->sqlstate, "%s", known[i].state);
        const struct state_rule *rule = find_rule(known[i].state);
        return error_set(error, rule->kind, rule->remedy, "%s: connecting: %s", pg->name, text);
    }
    if (strstr(text, "no password supplied")) {
        snprintf(pg->sqlstate, sizeof pg->sqlstate, "28P01");
        return error_set(error, ERROR_REFUSED,
                         "set the credential's password in the environment, or use ~/.pgpass",
                         "%s: connecting: %s", pg->name, text);
    }
    return error_set(error, ERROR_UNREACHABLE,
                     "check that the server is up, and host and port of the connection string",
                     "%s: connecting: %s", pg->name, text);
}
