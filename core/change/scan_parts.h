/* scan_parts.h: what the parts of the envelope scanner have in common: the line being read, its
 * members' names, plain members. Included by scan_body.h once for each set of lanes. */

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
TOKEN_HOT bool scan_member(struct scan *s, struct cursor *j, struct token_slot *slots,
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

/* At the opening brace of a row or key: as token_container(), but the names of its members are
 * expected to be those of the row before. */
static bool scan_row(struct scan *s, struct cursor *j, struct slice *out)
{
    struct cursor here = *j; /* in registers: see token_string_slow() */
    struct token value;
    bool more, good;
    if (!token_enter(j, '}', &more))
        return false;
    const char *start = here.at;
    here = *j;
    more = !more;
    for (size_t i = 0; more; i++) {
        struct slice raw;
        uint32_t id;
        bool known, escaped;
        good = token_member(&here, s->scanner->row, SCAN_ROW_SLOTS, i, &known, &id, &raw, &escaped);
        if (good && !known)
            token_learn(s->scanner->row, SCAN_ROW_SLOTS, i, raw, 0);
        if (good && here.at < here.end && (*here.at == '{' || *here.at == '[' || *here.at <= ' ')) {
            struct cursor slow = here;
            good = token_value(&slow, &value);
            here = slow;
        } else {
            good = good && token_scalar_hot(&here, &value);
        }
        if (!good || !token_more(&here, '}', &more)) {
            *j = here;
            return false;
        }
    }
    *j = here;
    *out = slice_make(start, (size_t)(j->at - start));
    return true;
}

/* An object, or null (empty slice). */
static inline bool scan_object(struct scan *s, struct cursor *j, struct slice *out,
                               const char *problem)
{
    struct token value;
    token_space(j);
    if (TOKEN_LIKELY(j->at < j->end && *j->at == '{'))
        return scan_row(s, j, out);
    if (!token_value(j, &value))
        return false;
    *out = (struct slice){0};
    return value.kind == TOKEN_NULL || token_fail(j, problem);
}

static bool scan_schema(struct cursor *j, struct slice *out, const char *problem)
{
    struct token value;
    if (!token_value(j, &value))
        return false;
    *out = value.kind == TOKEN_OBJECT ? value.raw : (struct slice){0};
    return value.kind == TOKEN_OBJECT || value.kind == TOKEN_NULL || token_fail(j, problem);
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
