/* Events of runs in words: one line each, whatever the verb. */
#include <stdlib.h>
#include <string.h>

#include "core/base/datetime.h"
#include "core/base/quantity.h"
#include "tui/screen/run_reader.h"

static const char *text_of(const json_t *event, const char *key)
{
    return json_string_value(json_object_get(event, key));
}

static void say_count(struct buffer *out, const json_t *value)
{
    char text[QUANTITY_TEXT_SIZE];
    json_int_t number = json_integer_value(value);
    quantity_format_count((uint64_t)(number < 0 ? -number : number), text);
    buffer_append_format(out, NULL, "%s%s", number < 0 ? "-" : "", text);
}

static void say_age(struct buffer *out, double seconds)
{
    char text[32];
    watch_age(seconds, text, sizeof text);
    buffer_append_text(out, text, NULL);
}

static void say_start(const json_t *event, struct buffer *out)
{
    const char *object = text_of(event, "object"), *user = text_of(event, "user");
    const char *host = text_of(event, "host"), *verb = text_of(event, "verb");
    buffer_append_format(out, NULL, "%s%s%s by %s@%s, process %lld", verb ? verb : "?",
                         object && *object ? " " : "", object ? object : "", user ? user : "?",
                         host ? host : "?",
                         (long long)json_integer_value(json_object_get(event, "pid")));
}

static void say_progress(const json_t *event, struct buffer *out)
{
    const json_t *done = json_object_get(event, "done"), *total = json_object_get(event, "total");
    const json_t *rate = json_object_get(event, "rate"), *eta = json_object_get(event, "eta_s");
    const char *phase = text_of(event, "phase"), *unit = text_of(event, "unit");
    if (phase && *phase)
        buffer_append_format(out, NULL, "%s: ", phase);
    say_count(out, done);
    if (json_is_integer(total) && json_integer_value(total) >= 0) {
        buffer_append_text(out, " of ", NULL);
        say_count(out, total);
    }
    buffer_append_format(out, NULL, " %s", unit ? unit : "");
    if (json_is_number(rate))
        buffer_append_format(out, NULL, ", %.0f/s", json_number_value(rate));
    if (json_is_number(eta)) {
        buffer_append_text(out, ", ", NULL);
        say_age(out, json_number_value(eta));
        buffer_append_text(out, " to go", NULL);
    }
}

static void say_waiting(const json_t *event, struct buffer *out)
{
    const char *what = text_of(event, "for");
    const json_t *limit = json_object_get(event, "limit_s");
    buffer_append_format(out, NULL, "for %s, ", what ? what : "?");
    say_age(out, json_number_value(json_object_get(event, "since_s")));
    if (json_is_number(limit)) {
        buffer_append_text(out, " of ", NULL);
        say_age(out, json_number_value(limit));
    }
}

static void say_end(const json_t *event, struct buffer *out)
{
    const json_t *error = json_object_get(event, "error");
    const char *message = text_of(error, "message"), *remedy = text_of(error, "remedy");
    buffer_append_format(out, NULL, "exit %lld",
                         (long long)json_integer_value(json_object_get(event, "exit")));
    if (message)
        buffer_append_format(out, NULL, ": %s", message);
    if (remedy && *remedy)
        buffer_append_format(out, NULL, "; %s", remedy);
}

/* A batch, and the sum of several. */
static void say_batch(const json_t *event, struct buffer *out)
{
    static const struct {
        const char *key, *before, *behind;
        bool always;
    } counts[] = {{"events", ": ", " events", true},
                  {"inserted", ", +", "", true},
                  {"updated", " ~", "", true},
                  {"deleted", " -", "", true},
                  {"repeats", ", ", " repeats", false},
                  {"gaps", ", ", " gaps", false},
                  {"quarantined", ", ", " quarantined", false},
                  {"files_added", ", ", " files", true}};
    char bytes[QUANTITY_TEXT_SIZE];
    const char *state = text_of(event, "state");
    const json_t *error = json_object_get(event, "error");
    buffer_append_format(out, NULL, "%lld",
                         (long long)json_integer_value(json_object_get(event, "batch")));
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const json_t *value = json_object_get(event, counts[i].key);
        if (!json_is_integer(value) || (!counts[i].always && json_integer_value(value) == 0))
            continue;
        buffer_append_text(out, counts[i].before, NULL);
        say_count(out, value);
        buffer_append_text(out, counts[i].behind, NULL);
    }
    json_int_t written = json_integer_value(json_object_get(event, "bytes_written"));
    quantity_format_bytes((uint64_t)(written > 0 ? written : 0), bytes);
    buffer_append_format(out, NULL, ", %s, %.2f s, %s", bytes,
                         json_number_value(json_object_get(event, "wall_s")), state ? state : "?");
    if (text_of(error, "message"))
        buffer_append_format(out, NULL, ": %s", text_of(error, "message"));
}

static void say_step(const json_t *event, struct buffer *out)
{
    const char *step = text_of(event, "step"), *action = text_of(event, "action");
    const char *reason = text_of(event, "reason"), *state = text_of(event, "state");
    buffer_append_format(out, NULL, "%s: %s", step ? step : "?", action ? action : "?");
    if (state)
        buffer_append_format(out, NULL, " (%s)", state);
    if (reason && *reason)
        buffer_append_format(out, NULL, ": %s", reason);
}

/* Anything else: its members, nested ones as JSON. */
static void say_members(const json_t *event, struct buffer *out)
{
    const char *key;
    json_t *value;
    bool first = true;
    json_object_foreach((json_t *)(uintptr_t)event, key, value)
    {
        if (strcmp(key, "event") == 0 || strcmp(key, "at") == 0 || strcmp(key, "format") == 0)
            continue;
        if (json_is_null(value) || (json_is_string(value) && *json_string_value(value) == '\0') ||
            ((json_is_object(value) || json_is_array(value)) &&
             json_object_size(value) + json_array_size(value) == 0))
            continue;
        buffer_append_format(out, NULL, "%s%s ", first ? "" : ", ", key);
        first = false;
        if (json_is_string(value)) {
            buffer_append_text(out, json_string_value(value), NULL);
        } else if (json_is_integer(value)) {
            say_count(out, value);
        } else {
            char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
            buffer_append_text(out, text ? text : "?", NULL);
            free(text);
        }
    }
}

static enum style event_style(const json_t *event, const char *name)
{
    if (strcmp(name, "start") == 0)
        return STYLE_STRONG;
    if (strcmp(name, "progress") == 0)
        return STYLE_DIM;
    if (strcmp(name, "waiting") == 0)
        return STYLE_WARN;
    if (strcmp(name, "end") == 0)
        return json_integer_value(json_object_get(event, "exit")) == 0 ? STYLE_OK : STYLE_FAIL;
    return json_object_get(event, "error") ? STYLE_FAIL : STYLE_TEXT;
}

enum style run_event_words(const json_t *event, struct slice line, struct buffer *out)
{
    static const struct {
        const char *name;
        void (*say)(const json_t *event, struct buffer *out);
    } known[] = {{"start", say_start}, {"progress", say_progress}, {"waiting", say_waiting},
                 {"batch", say_batch}, {"step", say_step},         {"end", say_end}};
    const char *name = text_of(event, "event"), *at = text_of(event, "at");
    char time[32] = "";
    size_t start = out->length;
    int64_t us;
    if (name == NULL) {
        /* Torn by a crash, or no event at all: as it is. */
        buffer_append_text(out, "         ? ", NULL);
        buffer_append_slice(out, line, NULL);
        return STYLE_UNKNOWN;
    }
    if (at && datetime_parse_timestamptz(slice_of(at), &us))
        watch_time(us, false, time, sizeof time);
    buffer_append_format(out, NULL, "%-8s  %-9s ", time, name);
    size_t i = 0;
    while (i < sizeof known / sizeof *known && strcmp(known[i].name, name) != 0)
        i++;
    if (i < sizeof known / sizeof *known)
        known[i].say(event, out);
    else if (strcmp(name, "summary") == 0 && json_object_get(event, "batch"))
        say_batch(event, out);
    else
        say_members(event, out);
    /* A line stays a line. */
    for (size_t k = start; k < out->length; k++)
        if (out->data[k] == '\n' || out->data[k] == '\r')
            out->data[k] = ' ';
    return event_style(event, name);
}
