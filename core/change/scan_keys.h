/* scan_keys.h: the member `key`, and the headers. Included by scan_body.h once for each set of
 * lanes. */

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
    if (j->at < j->end && *j->at == '{') {
        const char *start = j->at;
        if (!token_container(j))
            return false;
        return scan_key_object(s, j, slice_make(start, (size_t)(j->at - start)));
    }
    if (!token_value(j, &value))
        return false;
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
