/* Completion of a word: keywords, tables, columns. */
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "core/base/memory.h"
#include "tui/screen/view_query.h"

enum { MATCHES_MOST = 64, WORD_MOST = 128 };

static const char *const keywords[] = {
    "ALL",       "AND",       "ANY",    "AS",      "ASC",     "BETWEEN",  "BY",     "CASE",
    "CAST",      "COUNT",     "CROSS",  "DATE",    "DESC",    "DISTINCT", "ELSE",   "END",
    "ESCAPE",    "EXCEPT",    "EXISTS", "EXPLAIN", "FALSE",   "FETCH",    "FILTER", "FIRST",
    "FROM",      "FULL",      "GROUP",  "HAVING",  "ILIKE",   "IN",       "INNER",  "INTERSECT",
    "INTERVAL",  "IS",        "JOIN",   "LAST",    "LATERAL", "LEFT",     "LIKE",   "LIMIT",
    "NOT",       "NULL",      "NULLS",  "OFFSET",  "ON",      "OR",       "ORDER",  "OUTER",
    "OVER",      "PARTITION", "RIGHT",  "ROWS",    "SELECT",  "SHOW",     "TABLE",  "THEN",
    "TIMESTAMP", "TRUE",      "UNION",  "USING",   "VALUES",  "WHEN",     "WHERE",  "WITH"};

/* ---- the names, read once an engine ---- */

struct query_naming {
    struct query_view *query; /* NULL: the view went away */
    struct app *app;
    struct job *job;
    size_t number; /* of the engine */
    struct query_engine engine;
    struct query_names names;
};

static bool naming_run(struct job *job, void *context, struct error *error)
{
    struct query_naming *work = context;
    return query_names_read(&work->app->profile, &work->engine, job_stop_flag(job), &work->names,
                            error);
}

static void naming_done(void *context, bool ok, const struct error *error)
{
    struct query_naming *work = context;
    struct query_view *query = work->query;
    if (query) {
        query->naming = NULL;
        query->names_why = ok ? (struct error){0} : *error;
    }
    if (query && ok) {
        query_names_destroy(&query->names);
        query->names = work->names;
        query->names_engine = work->number + 1;
    } else {
        query_names_destroy(&work->names);
    }
    free(work);
}

static const struct job_kind naming_job = {"names", 20000, naming_run, naming_done};

void query_names_want(struct query_view *query)
{
    struct error ignored = {0};
    struct app *app = query->view.app;
    if (query->naming || !app->has_profile || query->engine_count == 0 ||
        query->names_engine == query->engine + 1)
        return;
    struct query_naming *work = memory_zero(1, sizeof *work, &ignored);
    if (work == NULL)
        return;
    work->query = query;
    work->app = app;
    work->number = query->engine;
    work->engine = query->engines[query->engine];
    query->naming = work;
    struct job *job = app_job(app, &naming_job, work);
    if (job)
        work->job = job;
}

void query_names_leave(struct query_view *query)
{
    if (query->naming) {
        query->naming->query = NULL;
        if (query->naming->job)
            job_stop(query->naming->job);
    }
    query->naming = NULL;
    query_names_destroy(&query->names);
}

/* ---- what fits ---- */

struct matches {
    const char *texts[MATCHES_MOST];
    size_t count;
    bool more;
};

static bool is_part(char c)
{
    return isalnum((unsigned char)c) || strchr("_$\".", c) != NULL || (unsigned char)c >= 0x80;
}

static struct slice word_before(struct slice text, size_t point)
{
    size_t start = point;
    while (start && text.data[start - 1] && is_part(text.data[start - 1]))
        start--;
    return (struct slice){text.data + start, point - start};
}

static void match(struct matches *matches, const char *text, struct slice word)
{
    if (strlen(text) < word.length || strncasecmp(text, word.data, word.length) != 0)
        return;
    for (size_t i = 0; i < matches->count; i++)
        if (strcasecmp(matches->texts[i], text) == 0)
            return;
    if (matches->count < MATCHES_MOST)
        matches->texts[matches->count++] = text;
    else
        matches->more = true;
}

/* Whether a table's name stands in the statement, as a word. */
static bool is_mentioned(struct slice text, const char *table)
{
    size_t length = strlen(table);
    for (size_t at = 0; length && at + length <= text.length; at++)
        if (strncasecmp(text.data + at, table, length) == 0 &&
            (at == 0 || !is_part(text.data[at - 1]) || text.data[at - 1] == '.') &&
            (at + length == text.length || !is_part(text.data[at + length]) ||
             text.data[at + length] == '.'))
            return true;
    return false;
}

static bool any_mentioned(const struct query_names *names, struct slice text)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->items[i].table == NULL && is_mentioned(text, names->items[i].text))
            return true;
    return false;
}

/* "orders.to": columns of what stands before the dot. */
static void match_qualified(const struct query_names *names, struct matches *matches,
                            struct slice word)
{
    const char *dot = memrchr(word.data, '.', word.length);
    struct slice table = {word.data, (size_t)(dot - word.data)};
    struct slice rest = {dot + 1, word.length - table.length - 1};
    const char *before = memrchr(table.data, '.', table.length);
    if (before) {
        table.length -= (size_t)(before + 1 - table.data);
        table.data = before + 1;
    }
    for (size_t i = 0; i < names->count; i++) {
        const struct query_name *name = &names->items[i];
        if (name->table == NULL)
            match(matches, name->text, word);
        else if (strlen(name->table) == table.length &&
                 strncasecmp(name->table, table.data, table.length) == 0)
            match(matches, name->text, rest);
    }
}

static void match_all(const struct query_names *names, struct matches *matches, struct slice text,
                      struct slice word)
{
    bool some = any_mentioned(names, text);
    const char *mentioned = NULL; /* columns of a table stand together */
    bool is = false;
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        match(matches, keywords[i], word);
    for (size_t i = 0; i < names->count; i++) {
        const struct query_name *name = &names->items[i];
        if (name->table && name->table != mentioned) {
            mentioned = name->table;
            is = !some || is_mentioned(text, mentioned);
        }
        if (name->table == NULL || is)
            match(matches, name->text, word);
    }
}

/* ---- putting it in ---- */

static size_t common_length(const struct matches *matches)
{
    size_t length = strlen(matches->texts[0]);
    for (size_t i = 1; i < matches->count; i++)
        for (size_t at = 0; at < length; at++)
            if (tolower((unsigned char)matches->texts[i][at]) !=
                tolower((unsigned char)matches->texts[0][at]))
                length = at;
    /* Whole characters only. */
    while (length && ((unsigned char)matches->texts[0][length] & 0xC0) == 0x80)
        length--;
    return length;
}

static bool is_keyword(const char *text)
{
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (keywords[i] == text)
            return true;
    return false;
}

static void put_word(struct query_view *query, const struct matches *matches, struct slice word)
{
    char out[WORD_MOST];
    size_t length = common_length(matches);
    if (length >= sizeof out)
        return;
    memcpy(out, matches->texts[0], length);
    out[length] = '\0';
    bool lower = word.length && islower((unsigned char)word.data[0]);
    for (size_t i = 0; lower && is_keyword(matches->texts[0]) && i < length; i++)
        out[i] = (char)tolower((unsigned char)out[i]);
    editor_complete(&query->editor, word.length, out);
}

static void say_matches(struct query_view *query, const struct matches *matches)
{
    struct buffer line = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < matches->count && line.length < 400; i++)
        ok = buffer_append_format(&line, NULL, "%s%s", i ? "  " : "", matches->texts[i]);
    if (ok && buffer_text(&line, NULL))
        app_say(query->view.app, STYLE_DIM, "%s%s", line.data, matches->more ? "  …" : "");
    buffer_destroy(&line);
}

bool query_complete(struct query_view *query)
{
    struct slice text = editor_text(&query->editor);
    struct slice word = word_before(text, editor_point(&query->editor));
    static const struct query_names none;
    bool known = query->names_engine == query->engine + 1;
    const struct query_names *names = known ? &query->names : &none;
    struct matches matches = {.count = 0};
    if (word.length == 0)
        return false;
    const char *dot = memrchr(word.data, '.', word.length);
    if (dot)
        match_qualified(names, &matches, word);
    else
        match_all(names, &matches, text, word);
    /* What follows the dot is the word, unless whole names of tables fit. */
    if (dot && matches.count && strncasecmp(matches.texts[0], word.data, word.length) != 0)
        word = (struct slice){dot + 1, (size_t)(word.data + word.length - dot - 1)};
    if (matches.count == 0 && !known) {
        app_say(query->view.app, STYLE_DIM, "%s%s",
                query->names_why.kind ? "no names of tables: " : "the names are being read",
                query->names_why.kind ? query->names_why.message : "");
        query_names_want(query);
        return true;
    }
    if (matches.count == 0 || (matches.count == 1 && strlen(matches.texts[0]) == word.length))
        return false;
    if (matches.count > 1 && common_length(&matches) == word.length)
        say_matches(query, &matches);
    else
        put_word(query, &matches, word);
    return true;
}
