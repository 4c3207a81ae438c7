/* scan_body.h: the envelope scanner, included by scan_portable.c, scan_sse2.c and scan_avx2.c, each
 * with its own TOKEN_LANES and SCAN_NAME(). One pass over the line; see event.h for what is read.
 */

#include "core/base/error.h"
#include "core/change/scan.h"

enum { TOP_OTHER, TOP_KEY, TOP_VALUE, TOP_OFFSET, TOP_TIMESTAMP, TOP_HEADERS };
enum {
    VALUE_OTHER,
    VALUE_BEFORE,
    VALUE_AFTER,
    VALUE_SOURCE,
    VALUE_OP,
    VALUE_TS_MS,
    VALUE_TS_US,
    VALUE_TS_NS,
    VALUE_TRANSACTION,
    VALUE_SCHEMA,
    VALUE_PAYLOAD,
    VALUE_ID,
    VALUE_STATUS,
    VALUE_EVENT_COUNT,
    VALUE_DATA_COLLECTIONS
};
enum {
    SOURCE_OTHER,
    SOURCE_SEQUENCE,
    SOURCE_LSN,
    SOURCE_TX_ID,
    SOURCE_TS_MS,
    SOURCE_TS_US,
    SOURCE_SNAPSHOT,
    SOURCE_SCHEMA,
    SOURCE_TABLE
};
enum { BLOCK_OTHER, BLOCK_ID, BLOCK_TOTAL_ORDER };

struct scan_name {
    const char *name;
    uint32_t id;
};

static const struct scan_name top_names[] = {
    {"key", TOP_KEY},         {"value", TOP_VALUE},
    {"offset", TOP_OFFSET},   {"timestamp", TOP_TIMESTAMP},
    {"headers", TOP_HEADERS}, {NULL, TOP_OTHER},
};
static const struct scan_name value_names[] = {
    {"before", VALUE_BEFORE},
    {"after", VALUE_AFTER},
    {"source", VALUE_SOURCE},
    {"op", VALUE_OP},
    {"ts_ms", VALUE_TS_MS},
    {"ts_us", VALUE_TS_US},
    {"ts_ns", VALUE_TS_NS},
    {"transaction", VALUE_TRANSACTION},
    {"schema", VALUE_SCHEMA},
    {"payload", VALUE_PAYLOAD},
    {"id", VALUE_ID},
    {"status", VALUE_STATUS},
    {"event_count", VALUE_EVENT_COUNT},
    {"data_collections", VALUE_DATA_COLLECTIONS},
    {NULL, VALUE_OTHER},
};
static const struct scan_name source_names[] = {
    {"sequence", SOURCE_SEQUENCE}, {"lsn", SOURCE_LSN},     {"txId", SOURCE_TX_ID},
    {"ts_ms", SOURCE_TS_MS},       {"ts_us", SOURCE_TS_US}, {"snapshot", SOURCE_SNAPSHOT},
    {"schema", SOURCE_SCHEMA},     {"table", SOURCE_TABLE}, {NULL, SOURCE_OTHER},
};
static const struct scan_name block_names[] = {
    {"id", BLOCK_ID},
    {"total_order", BLOCK_TOTAL_ORDER},
    {NULL, BLOCK_OTHER},
};

/* One line being read. */
struct scan {
    struct change_scanner *scanner;
    struct change *out;
    struct error *error; /* set only when memory ran out */
    const char *inside;  /* "key" or "value" while a JSON text in a string is read, else NULL */
    uint32_t seen;       /* members of the value, as bits */
    bool has_offset, has_value, tombstone, ended;
    int64_t source_us, source_ms, value_us, value_ms; /* 0: absent */
};

/* The n-th name of an object of this level as an id. */
static inline bool scan_member(struct scan *s, struct cursor *j, struct token_slot *slots,
                               const struct scan_name *names, size_t index, uint32_t *id)
{
    bool known, escaped;
    struct slice raw;
    if (!token_member(j, slots, SCAN_SLOTS, index, &known, id, &raw, &escaped))
        return false;
    if (TOKEN_LIKELY(known))
        return true;
    struct slice name = raw;
    if (escaped) {
        buffer_clear(&s->scanner->name);
        if (!token_unescape(raw, &s->scanner->name, s->error))
            return token_fail(j, "out of memory");
        name = buffer_slice(&s->scanner->name);
    }
    while (names->name && !slice_is(name, names->name))
        names++;
    *id = names->id;
    token_learn(slots, SCAN_SLOTS, index, raw, *id);
    return true;
}

/* An integer or null (which leaves *out). */
static inline bool scan_integer(struct cursor *j, int64_t *out, const char *problem)
{
    struct token value;
    if (!token_value(j, &value))
        return false;
    if (TOKEN_LIKELY(value.kind == TOKEN_INTEGER && token_integer(value.raw, out)))
        return true;
    return value.kind == TOKEN_NULL || token_fail(j, problem);
}

static inline bool scan_unsigned(struct cursor *j, uint64_t *out, bool *present,
                                 const char *problem)
{
    int64_t value = -1;
    *present = false;
    if (!scan_integer(j, &value, problem))
        return false;
    *present = value >= 0;
    *out = value < 0 ? 0 : (uint64_t)value;
    return true;
}

/* A string as plain text, or null (empty slice). */
static inline bool scan_text(struct scan *s, struct cursor *j, struct slice *out,
                             struct buffer *room, const char *problem)
{
    struct token value;
    *out = (struct slice){0};
    if (!token_value(j, &value))
        return false;
    if (TOKEN_LIKELY(value.kind == TOKEN_STRING)) {
        *out = value.raw;
        return true;
    }
    if (value.kind == TOKEN_NULL)
        return true;
    if (value.kind != TOKEN_ESCAPED)
        return token_fail(j, problem);
    buffer_clear(room);
    if (!token_unescape(value.raw, room, s->error))
        return token_fail(j, "out of memory");
    *out = buffer_slice(room);
    return true;
}

/* An object, or null (empty slice). */
static inline bool scan_object(struct cursor *j, struct slice *out, const char *problem)
{
    struct token value;
    if (!token_value(j, &value))
        return false;
    *out = value.kind == TOKEN_OBJECT ? value.raw : (struct slice){0};
    return value.kind == TOKEN_OBJECT || value.kind == TOKEN_NULL || token_fail(j, problem);
}

/* One half of source.sequence: null, or digits with quotes that may carry a backslash. */
static bool scan_sequence_half(const char **at, const char *end, uint64_t *out)
{
    const char *p = *at;
    while (p < end && *p == ' ')
        p++;
    *out = 0;
    if (end - p >= 4 && memcmp(p, "null", 4) == 0) {
        *at = p + 4;
        return true;
    }
    const char *quote = p;
    while (p < end && (*p == '\\' || *p == '"'))
        p++;
    size_t quotes = (size_t)(p - quote);
    const char *digits = p;
    for (; p < end && *p >= '0' && *p <= '9'; p++)
        *out = *out * 10 + (uint64_t)(*p - '0');
    if (p == digits || p - digits > 19 || quotes > 2 || (size_t)(end - p) < quotes ||
        memcmp(p, quote, quotes) != 0)
        return false;
    *at = p + quotes;
    return true;
}

/* ["lsn","lsn"], as a JSON text in a string (Debezium) or as a list. */
static bool scan_sequence(struct scan *s, struct cursor *j)
{
    struct token value;
    if (!token_value(j, &value))
        return false;
    if (value.kind == TOKEN_NULL)
        return true;
    const char *at = value.raw.data, *end = at + value.raw.length;
    struct change_position *position = &s->out->position;
    if (value.kind < TOKEN_STRING || value.kind == TOKEN_OBJECT || at == end || *at++ != '[' ||
        !scan_sequence_half(&at, end, &position->seq0) || at == end || *at++ != ',' ||
        !scan_sequence_half(&at, end, &position->seq1) || at == end || *at++ != ']' || at != end)
        return token_fail(j, "source.sequence is not a list of two log positions");
    s->out->has_position = true;
    return true;
}

static bool scan_snapshot(struct scan *s, struct cursor *j)
{
    static const struct {
        const char *text;
        enum change_snapshot snapshot;
    } texts[] = {
        {"false", CHANGE_SNAPSHOT_NO},
        {"true", CHANGE_SNAPSHOT_ROW},
        {"first", CHANGE_SNAPSHOT_FIRST},
        {"first_in_data_collection", CHANGE_SNAPSHOT_FIRST_IN_TABLE},
        {"last_in_data_collection", CHANGE_SNAPSHOT_LAST_IN_TABLE},
        {"last", CHANGE_SNAPSHOT_LAST},
        {"incremental", CHANGE_SNAPSHOT_INCREMENTAL},
    };
    struct token value;
    if (!token_value(j, &value))
        return false;
    s->out->snapshot = value.kind == TOKEN_TRUE ? CHANGE_SNAPSHOT_ROW : CHANGE_SNAPSHOT_NO;
    if (value.kind == TOKEN_NULL || value.kind == TOKEN_TRUE || value.kind == TOKEN_FALSE)
        return true;
    for (size_t i = 0; value.kind == TOKEN_STRING && i < sizeof texts / sizeof *texts; i++) {
        if (slice_is(value.raw, texts[i].text)) {
            s->out->snapshot = texts[i].snapshot;
            return true;
        }
    }
    return token_fail(j, "source.snapshot is none of the known marks");
}

static inline bool scan_source_member(struct scan *s, struct cursor *j, uint32_t id)
{
    static const char integer[] = "a number that source should hold is not an integer";
    struct change *out = s->out;
    struct token skipped;
    bool present;
    switch (id) {
    case SOURCE_SEQUENCE:
        return scan_sequence(s, j);
    case SOURCE_LSN:
        return scan_unsigned(j, &out->lsn, &present, integer);
    case SOURCE_TX_ID:
        return scan_unsigned(j, &out->tx_id, &present, integer);
    case SOURCE_TS_MS:
        return scan_integer(j, &s->source_ms, integer);
    case SOURCE_TS_US:
        return scan_integer(j, &s->source_us, integer);
    case SOURCE_SNAPSHOT:
        return scan_snapshot(s, j);
    case SOURCE_SCHEMA:
        return scan_text(s, j, &out->source_schema, &s->scanner->source_schema,
                         "source.schema is not a text");
    case SOURCE_TABLE:
        return scan_text(s, j, &out->source_table, &s->scanner->source_table,
                         "source.table is not a text");
    default:
        return token_value(j, &skipped);
    }
}

static bool scan_source(struct scan *s, struct cursor *j)
{
    struct change *out = s->out;
    out->snapshot = CHANGE_SNAPSHOT_NO;
    out->position.seq0 = out->position.seq1 = out->lsn = out->tx_id = 0;
    out->has_position = false;
    out->source_schema = out->source_table = (struct slice){0};
    s->source_us = s->source_ms = 0;
    token_space(j);
    if (j->at == j->end || *j->at != '{') {
        struct token value;
        if (!token_value(j, &value))
            return false;
        return value.kind == TOKEN_NULL || token_fail(j, "source is not an object");
    }
    bool more;
    if (!token_enter(j, '}', &more))
        return false;
    more = !more;
    uint32_t id;
    for (size_t i = 0; more; i++) {
        if (!scan_member(s, j, s->scanner->source, source_names, i, &id) ||
            !scan_source_member(s, j, id) || !token_more(j, '}', &more))
            return false;
    }
    if (!out->has_position && out->lsn) {
        out->position.seq1 = out->lsn;
        out->has_position = true;
    }
    return true;
}

static bool scan_transaction(struct scan *s, struct cursor *j)
{
    struct change *out = s->out;
    out->transaction_id = (struct slice){0};
    out->position.total_order = -1;
    token_space(j);
    struct token value;
    if (j->at == j->end || *j->at != '{') {
        if (!token_value(j, &value))
            return false;
        return value.kind == TOKEN_NULL || token_fail(j, "transaction is not an object");
    }
    bool more;
    if (!token_enter(j, '}', &more))
        return false;
    more = !more;
    for (size_t i = 0; more; i++) {
        uint32_t id;
        if (!scan_member(s, j, s->scanner->transaction, block_names, i, &id))
            return false;
        if (id == BLOCK_ID ? !scan_text(s, j, &out->transaction_id, &s->scanner->transaction_id,
                                        "transaction.id is not a text")
            : id == BLOCK_TOTAL_ORDER ? !scan_integer(j, &out->position.total_order,
                                                      "transaction.total_order is not an integer")
                                      : !token_value(j, &value))
            return false;
        if (!token_more(j, '}', &more))
            return false;
    }
    return true;
}

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
        return scan_object(j, &out->before, "before is not an object");
    case VALUE_AFTER:
        return scan_object(j, &out->after, "after is not an object");
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
        return scan_object(j, &out->value_schema, "schema is not an object");
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

/* The text of a JSON string as a document of its own. */
static bool scan_inner_text(struct scan *s, struct cursor *j, struct buffer *room,
                            const char *inside, struct cursor *inner)
{
    struct token value;
    if (!token_value(j, &value))
        return false;
    struct slice text = value.raw;
    if (value.kind == TOKEN_ESCAPED) {
        buffer_clear(room);
        if (!token_unescape(value.raw, room, s->error))
            return token_fail(j, "out of memory");
        text = buffer_slice(room);
    }
    *inner = cursor_over(text);
    inner->depth = j->depth;
    s->inside = inside;
    token_space(inner);
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

/* A key object, or {"schema", "payload"} around it: a wrapper has these two members, the schema
 * an object or null and the payload too; columns of those names hold plain values. */
static bool scan_key_wrapper(struct cursor *j, struct slice object, struct slice *schema,
                             struct slice *payload, bool *wrapper)
{
    struct cursor inner = cursor_over(object);
    struct token value;
    struct slice name;
    bool empty, escaped, more, has_schema = false, has_payload = false;
    *wrapper = false;
    if (!token_enter(&inner, '}', &empty))
        return token_fail(j, inner.problem);
    for (more = !empty; more;) {
        if (!token_name(&inner, &name, &escaped) || !token_value(&inner, &value) ||
            !token_more(&inner, '}', &more))
            return token_fail(j, inner.problem);
        bool is_schema = slice_is(name, "schema");
        if ((!is_schema && !slice_is(name, "payload")) ||
            (value.kind != TOKEN_OBJECT && value.kind != TOKEN_NULL))
            return true;
        *(is_schema ? &has_schema : &has_payload) = true;
        *(is_schema ? schema : payload) =
            value.kind == TOKEN_OBJECT ? value.raw : (struct slice){0};
    }
    *wrapper = has_schema && has_payload;
    return true;
}

static bool scan_key_object(struct scan *s, struct cursor *j, struct slice object)
{
    struct change *out = s->out;
    out->key = object;
    out->key_schema = (struct slice){0};
    const char *at = object.data + 1, *end = object.data + object.length;
    while (at < end && *at != '"' && *at != '}')
        at++;
    if (end - at < 8 || (at[1] != 's' && at[1] != 'p')) /* the usual key: no wrapper */
        return true;
    struct slice schema = {0}, payload = {0};
    bool wrapper;
    if (!scan_key_wrapper(j, object, &schema, &payload, &wrapper))
        return false;
    if (wrapper) {
        out->key = payload;
        out->key_schema = schema;
    }
    return true;
}

static bool scan_key(struct scan *s, struct cursor *j, bool text)
{
    struct change *out = s->out;
    token_space(j);
    out->key = out->key_schema = (struct slice){0};
    if (j->at < j->end && *j->at == '"' && !text) {
        struct cursor inner;
        if (!scan_inner_text(s, j, &s->scanner->key_text, "key", &inner))
            return false;
        if (!scan_key(s, &inner, true) || !token_end(&inner)) {
            j->at = inner.at;
            return token_fail(j, inner.problem);
        }
        s->inside = NULL;
        return true;
    }
    struct token value;
    if (!token_value(j, &value))
        return false;
    if (value.kind == TOKEN_OBJECT)
        return scan_key_object(s, j, value.raw);
    return value.kind == TOKEN_NULL || token_fail(j, "key is neither an object nor null");
}

static struct slice *scan_header_place(struct change *out, struct slice name)
{
    if (slice_is(name, "__debezium.oldkey"))
        return &out->old_key;
    if (slice_is(name, "__debezium.newkey"))
        return &out->new_key;
    if (slice_is(name, "__debezium.context.runId"))
        return &out->run_id;
    return slice_is(name, "__surfboard.position") ? &out->capture_position : NULL;
}

/* A header's value as it stands in the line, with its quotes; null counts as absent. */
static void scan_header_keep(struct slice *place, const struct token *value)
{
    bool quoted = value->kind == TOKEN_STRING || value->kind == TOKEN_ESCAPED;
    *place = value->kind == TOKEN_NULL
                 ? (struct slice){0}
                 : slice_make(value->raw.data - quoted, value->raw.length + 2u * quoted);
}

/* {"key": name, "value": any} */
static bool scan_header(struct scan *s, struct cursor *j)
{
    struct slice name, key = {0};
    struct token value, kept = {.kind = TOKEN_NULL};
    bool escaped, more;
    token_space(j);
    if (j->at == j->end || *j->at != '{')
        return token_fail(j, "a header is not an object");
    if (!token_enter(j, '}', &more))
        return false;
    for (more = !more; more;) {
        if (!token_name(j, &name, &escaped) || !token_value(j, &value) ||
            !token_more(j, '}', &more))
            return false;
        if (slice_is(name, "key"))
            key = value.kind == TOKEN_STRING ? value.raw : (struct slice){0};
        else if (slice_is(name, "value"))
            kept = value;
    }
    struct slice *place = scan_header_place(s->out, key);
    if (place)
        scan_header_keep(place, &kept);
    return true;
}

static struct slice scan_moved(struct slice slice, const char *from, const char *to)
{
    return slice.data ? slice_make(to + (slice.data - from), slice.length) : slice;
}

static void scan_headers_move(const struct change *from, const char *from_base, struct change *to,
                              const char *to_base)
{
    to->old_key = scan_moved(from->old_key, from_base, to_base);
    to->new_key = scan_moved(from->new_key, from_base, to_base);
    to->run_id = scan_moved(from->run_id, from_base, to_base);
    to->capture_position = scan_moved(from->capture_position, from_base, to_base);
}

static bool scan_header_list(struct scan *s, struct cursor *j)
{
    bool more, object = *j->at == '{';
    if (!token_enter(j, object ? '}' : ']', &more))
        return false;
    for (more = !more; more;) {
        struct slice name;
        struct token value;
        bool escaped;
        if (object) {
            if (!token_name(j, &name, &escaped) || !token_value(j, &value))
                return false;
            struct slice *place = scan_header_place(s->out, name);
            if (place)
                scan_header_keep(place, &value);
        } else if (!scan_header(s, j)) {
            return false;
        }
        if (!token_more(j, object ? '}' : ']', &more))
            return false;
    }
    return true;
}

/* A list of {"key", "value"}, an object, or null. */
static bool scan_headers(struct scan *s, struct cursor *j)
{
    struct change_scanner *scanner = s->scanner;
    struct change *out = s->out;
    token_space(j);
    out->old_key = out->new_key = out->run_id = out->capture_position = (struct slice){0};
    const char *start = j->at;
    size_t length = scanner->headers_length;
    if (length && (size_t)(j->end - start) > length &&
        memcmp(start, scanner->headers, length) == 0) {
        scan_headers_move(&scanner->headers_found, scanner->headers, out, start);
        j->at += length;
        return true;
    }
    if (start == j->end || (*start != '[' && *start != '{')) {
        struct token value;
        if (!token_value(j, &value))
            return false;
        return value.kind == TOKEN_NULL ||
               token_fail(j, "headers are neither a list nor an object");
    }
    if (!scan_header_list(s, j))
        return false;
    length = (size_t)(j->at - start);
    if (length <= SCAN_HEADER_MEMO) {
        memcpy(scanner->headers, start, length);
        scanner->headers_length = length;
        scan_headers_move(out, start, &scanner->headers_found, scanner->headers);
    }
    return true;
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
