/* scan_body.h: the envelope scanner, included by scan_portable.c, scan_sse2.c and scan_avx2.c, each
 * with its own TOKEN_LANES and SCAN_NAME(). One pass over the line; see event.h for what is read.
 */

#include "core/base/error.h"
#include "core/change/scan.h"
#include "core/change/scan_parts.h"
#include "core/change/scan_source.h"
#include "core/change/scan_keys.h"

static bool scan_op(struct scan *s, struct cursor *j)
{
    struct token value;
    if (!token_value(j, &value))
        return false;
    if (value.kind == TOKEN_NULL) {
        s->out->op = 0;
        return true;
    }
    if (value.kind != TOKEN_STRING || value.raw.length != 1 ||
        memchr("cudrtm", *value.raw.data, 6) == NULL)
        return token_fail(j, "op is none of c, u, d, r, t, m");
    s->out->op = *value.raw.data;
    return true;
}

/* Everything that a value tells, its schema aside, as if it had said nothing. */
static void scan_forget_value(struct scan *s)
{
    struct change *out = s->out;
    out->op = 0;
    out->before = out->after = out->data_collections = (struct slice){0};
    out->transaction_id = out->source_schema = out->source_table = (struct slice){0};
    out->snapshot = CHANGE_SNAPSHOT_NO;
    out->position = (struct change_position){.total_order = -1};
    out->has_position = out->transaction_end = false;
    out->lsn = out->tx_id = 0;
    out->event_count = -1;
    s->seen = 0;
    s->tombstone = s->ended = false;
    s->source_us = s->source_ms = s->value_us = s->value_ms = 0;
}

static bool scan_status(struct scan *s, struct cursor *j)
{
    struct token value;
    if (!token_value(j, &value))
        return false;
    s->out->transaction_end = value.kind == TOKEN_STRING && slice_is(value.raw, "END");
    if (s->out->transaction_end || (value.kind == TOKEN_STRING && slice_is(value.raw, "BEGIN")))
        return true;
    return token_fail(j, "status is neither BEGIN nor END");
}

static bool scan_envelope(struct scan *s, struct cursor *j, bool inner);

/* {"schema": ..., "payload": the envelope or null}. */
static bool scan_payload(struct scan *s, struct cursor *j, bool inner)
{
    if (inner)
        return token_fail(j, "a payload within a payload");
    token_space(j);
    scan_forget_value(s);
    struct token value;
    if (j->at < j->end && *j->at == '{')
        return scan_envelope(s, j, true);
    if (!token_value(j, &value))
        return false;
    s->tombstone = value.kind == TOKEN_NULL;
    return s->tombstone || token_fail(j, "payload is not an object");
}

static inline bool scan_value_member(struct scan *s, struct cursor *j, uint32_t id, bool inner)
{
    static const char integer[] = "a time stamp or count of the value is not an integer";
    struct change *out = s->out;
    struct token value;
    switch (id) {
    case VALUE_BEFORE:
        return scan_object(s, j, &out->before, "before is not an object");
    case VALUE_AFTER:
        return scan_object(s, j, &out->after, "after is not an object");
    case VALUE_SOURCE:
        return scan_source(s, j);
    case VALUE_OP:
        return scan_op(s, j);
    case VALUE_TS_MS:
        return scan_integer(j, &s->value_ms, integer);
    case VALUE_TS_US:
        return scan_integer(j, &s->value_us, integer);
    case VALUE_TRANSACTION:
        return scan_transaction(s, j);
    case VALUE_SCHEMA:
        return scan_schema(j, &out->value_schema, "schema is not an object");
    case VALUE_PAYLOAD:
        return scan_payload(s, j, inner);
    case VALUE_ID:
        return scan_text(s, j, &out->transaction_id, &s->scanner->transaction_id,
                         "id is not a text");
    case VALUE_STATUS:
        return scan_status(s, j);
    case VALUE_EVENT_COUNT:
        out->event_count = -1;
        return scan_integer(j, &out->event_count, integer);
    case VALUE_DATA_COLLECTIONS:
        if (!token_value(j, &value))
            return false;
        out->data_collections = value.kind == TOKEN_ARRAY ? value.raw : (struct slice){0};
        return value.kind == TOKEN_ARRAY || value.kind == TOKEN_NULL ||
               token_fail(j, "data_collections is not a list");
    default:
        return token_value(j, &value);
    }
}

/* At the opening brace of the envelope, or of a wrapper around it. */
static bool scan_envelope(struct scan *s, struct cursor *j, bool inner)
{
    bool more;
    if (!token_enter(j, '}', &more))
        return false;
    more = !more;
    for (size_t i = 0; more; i++) {
        uint32_t id;
        if (!scan_member(s, j, s->scanner->value, value_names, i, &id) ||
            !scan_value_member(s, j, id, inner) || !token_more(j, '}', &more))
            return false;
        if (id != VALUE_PAYLOAD) /* its own members count */
            s->seen |= 1u << id;
    }
    return true;
}

static bool scan_value(struct scan *s, struct cursor *j, bool text)
{
    token_space(j);
    scan_forget_value(s);
    s->out->value_schema = (struct slice){0};
    s->has_value = true;
    if (j->at < j->end && *j->at == '{')
        return scan_envelope(s, j, false);
    if (j->at < j->end && *j->at == '"' && !text) {
        struct cursor inner;
        if (!scan_inner_text(s, j, &s->scanner->value_text, "value", &inner))
            return false;
        if (!scan_value(s, &inner, true) || !token_end(&inner)) {
            j->at = inner.at; /* told as a byte of the text: see scan_problem() */
            return token_fail(j, inner.problem);
        }
        s->inside = NULL;
        return true;
    }
    struct token value;
    if (!token_value(j, &value))
        return false;
    s->tombstone = value.kind == TOKEN_NULL;
    return s->tombstone || token_fail(j, "value is neither an object nor null");
}

static bool scan_timestamp(struct scan *s, struct cursor *j)
{
    struct token value;
    s->out->timestamp = (struct slice){0};
    if (!token_value(j, &value))
        return false;
    if (value.kind == TOKEN_STRING || value.kind == TOKEN_INTEGER)
        s->out->timestamp = value.raw;
    else if (value.kind != TOKEN_NULL)
        return token_fail(j, "timestamp is neither a text nor an integer");
    return true;
}

static bool scan_offset(struct scan *s, struct cursor *j)
{
    s->out->offset = -1;
    if (!scan_integer(j, &s->out->offset, "offset is not an integer"))
        return false;
    s->has_offset = s->out->offset >= 0;
    return s->has_offset || token_fail(j, "offset is negative or null");
}

static bool scan_top(struct scan *s, struct cursor *j)
{
    token_space(j);
    if (j->at == j->end || *j->at != '{')
        return token_fail(j, j->at == j->end ? "an empty line" : "the line is not a JSON object");
    bool more;
    if (!token_enter(j, '}', &more))
        return false;
    more = !more;
    for (size_t i = 0; more; i++) {
        uint32_t id;
        if (!scan_member(s, j, s->scanner->top, top_names, i, &id))
            return false;
        struct token skipped;
        bool read = id == TOP_VALUE       ? scan_value(s, j, false)
                    : id == TOP_KEY       ? scan_key(s, j, false)
                    : id == TOP_OFFSET    ? scan_offset(s, j)
                    : id == TOP_TIMESTAMP ? scan_timestamp(s, j)
                    : id == TOP_HEADERS   ? scan_headers(s, j)
                                          : token_value(j, &skipped);
        if (!read || !token_more(j, '}', &more))
            return false;
    }
    return token_end(j);
}

/* What kind of record this is, once everything was seen. */
static const char *scan_classify(struct scan *s)
{
    struct change *out = s->out;
    const uint32_t clock = 1u << VALUE_TS_MS | 1u << VALUE_TS_US | 1u << VALUE_TS_NS;
    if (!s->has_offset)
        return "the record has no offset";
    if (!s->has_value)
        return "the record has no value";
    out->ts_us = s->source_us   ? s->source_us
                 : s->source_ms ? s->source_ms * 1000
                 : s->value_us  ? s->value_us
                                : s->value_ms * 1000;
    if (s->tombstone) {
        out->op = CHANGE_TOMBSTONE;
        return NULL;
    }
    if (out->op)
        return (out->op == 'c' || out->op == 'u' || out->op == 'r') && out->after.data == NULL
                   ? "an insert, update or snapshot row without after"
                   : NULL;
    if (s->seen & 1u << VALUE_STATUS && out->transaction_id.data) {
        out->op = CHANGE_TRANSACTION;
        return NULL;
    }
    if (s->seen & clock && (s->seen & ~(clock | 1u << VALUE_SCHEMA)) == 0) {
        out->op = CHANGE_HEARTBEAT;
        return NULL;
    }
    return "the value has no op: it is not a whole Debezium envelope";
}

static bool scan_problem(struct scan *s, const struct cursor *j, struct slice line)
{
    if (s->error && s->error->kind == ERROR_MEMORY)
        return false;
    s->scanner->torn = s->inside == NULL && j->at == j->end;
    if (s->inside)
        return error_set(s->error, ERROR_INPUT, NULL, "in the JSON text of %s: %s", s->inside,
                         j->problem);
    return error_set(s->error, ERROR_INPUT, NULL, "byte %zu of the line: %s",
                     (size_t)(j->at - line.data), j->problem);
}

bool SCAN_NAME(scan_line)(struct change_scanner *scanner, struct slice line, struct change *out,
                          struct error *error)
{
    scanner->torn = false;
    struct scan s = {.scanner = scanner, .out = out, .error = error};
    struct cursor j = cursor_over(line);
    line.data = j.at; /* a line without memory is an empty one */
    *out = (struct change){.position = {.total_order = -1}, .event_count = -1};
    if (!scan_top(&s, &j))
        return scan_problem(&s, &j, line);
    const char *problem = scan_classify(&s);
    if (problem)
        return error_set(error, ERROR_INPUT,
                         "write whole Debezium envelopes with the fields key, value, offset, "
                         "timestamp and headers",
                         "%s", problem);
    return true;
}

bool SCAN_NAME(scan_check)(struct slice text, size_t *at)
{
    struct cursor j = cursor_over(text);
    const char *start = j.at;
    struct token value;
    bool good = token_value(&j, &value) && token_end(&j);
    *at = (size_t)(j.at - start);
    return good;
}
