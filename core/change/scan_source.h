/* scan_source.h: the members `source` and `transaction`. Included by scan_body.h once for each set
 * of lanes. */

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

/* The usual form, byte for byte: "[\"1234\",\"5678\"]" with its backslashes. */
static inline bool scan_usual_sequence(struct cursor *j, struct change_position *out)
{
    int64_t values[2];
    const char *at = j->at;
    for (int i = 0; i < 2; i++) {
        static const char parts[3][5] = {"\"[\\\"", "\\\",\\", "\\\"]\""};
        size_t open = i == 0 ? 4 : 5; /* \",\" has five bytes */
        if (j->end - at < 48)
            return false;
        if (i == 0 ? memcmp(at, parts[0], 4) != 0 : (memcmp(at, parts[1], 4) != 0 || at[4] != '"'))
            return false;
        at += open;
        const char *digits = at;
        at = token_digits_end(digits, j->end);
        if (at == digits || !token_integer(slice_make(digits, (size_t)(at - digits)), &values[i]))
            return false;
    }
    if (j->end - at < 4 || memcmp(at, "\\\"]\"", 4) != 0)
        return false;
    j->at = at + 4;
    out->seq0 = (uint64_t)values[0];
    out->seq1 = (uint64_t)values[1];
    return true;
}

/* ["lsn","lsn"], as a JSON text in a string (Debezium) or as a list. */
static bool scan_sequence(struct scan *s, struct cursor *j)
{
    struct token value;
    token_space(j);
    if (TOKEN_LIKELY(scan_usual_sequence(j, &s->out->position))) {
        s->out->has_position = true;
        return true;
    }
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

/* Steps over the n-th member of source when it is the constant that it was. */
static inline bool scan_constant_member(struct scan *s, struct cursor *j, size_t index)
{
    if (index >= SCAN_SLOTS)
        return false;
    const struct scan_constant *constant = &s->scanner->constants[index];
    size_t length = constant->length;
    if (length == 0 || (size_t)(j->end - j->at) <= length ||
        !token_same(j->at, j->end, constant->text, length) ||
        (j->at[length] != ',' && j->at[length] != '}'))
        return false;
    struct slice value = slice_make(j->at + constant->value, constant->value_length);
    j->at += length;
    if (constant->id == SOURCE_SNAPSHOT)
        s->out->snapshot = (enum change_snapshot)constant->snapshot;
    else if (constant->id == SOURCE_SCHEMA)
        s->out->source_schema = value;
    else if (constant->id == SOURCE_TABLE)
        s->out->source_table = value;
    return true;
}

/* The member from `start` on was read: is it worth to be remembered as a constant? Texts without
 * escapes, null, true and false; not numbers, which rise from line to line. */
static void scan_learn_constant(struct scan *s, size_t index, uint32_t id, const char *start,
                                const char *end)
{
    size_t length = (size_t)(end - start);
    if (index >= SCAN_SLOTS || length > sizeof s->scanner->constants[0].text || length < 5 ||
        memchr(start, '\\', length) ||
        (id != SOURCE_OTHER && id != SOURCE_SCHEMA && id != SOURCE_TABLE && id != SOURCE_SNAPSHOT))
        return;
    const char *colon = memchr(start + 1, '"', length - 1);
    if (colon == NULL || colon + 2 >= end || colon[1] != ':')
        return;
    const char *value = colon + 2;
    bool text = *value == '"' && end - value >= 2 && end[-1] == '"';
    if (!text && *value != 'n' && *value != 't' && *value != 'f')
        return;
    if (!text && (id == SOURCE_SCHEMA || id == SOURCE_TABLE))
        return;
    struct scan_constant *constant = &s->scanner->constants[index];
    memcpy(constant->text, start, length);
    constant->length = (uint8_t)length;
    constant->value = (uint8_t)(value - start + text);
    constant->value_length = (uint8_t)(end - value - 2 * text);
    constant->snapshot = (uint8_t)s->out->snapshot;
    constant->id = id;
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
        token_space(j);
        if (!scan_constant_member(s, j, i)) {
            const char *start = j->at;
            if (!scan_member(s, j, s->scanner->source, source_names, i, &id) ||
                !scan_source_member(s, j, id))
                return false;
            scan_learn_constant(s, i, id, start, j->at);
        }
        if (!token_more(j, '}', &more))
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
