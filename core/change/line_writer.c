#include "core/change/line_writer.h"

#include <string.h>

/* Room for all the fixed parts and numbers of one line. */
enum { LINE_FIXED = 1024, NUMBER_ROOM = 24 };

/* ---- JSON values ---- */

static const char hex_digits[] = "0123456789abcdef";

/* The letter behind the backslash, 'u' for \u00XX, 0 for characters that stand as they are. */
static char escape_of(unsigned char byte)
{
    static const char controls[32] = {[8] = 'b', [9] = 't', [10] = 'n', [12] = 'f', [13] = 'r'};
    if (byte == '"' || byte == '\\')
        return (char)byte;
    if (byte >= 32)
        return 0;
    return controls[byte] ? controls[byte] : 'u';
}

/* Whether one of eight bytes is a control character, a quote or a backslash. */
static bool word_needs_escape(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = UINT64_C(0x8080808080808080);
    uint64_t quote = word ^ ones * '"';
    uint64_t backslash = word ^ ones * '\\';
    uint64_t below = (word - ones * 32) & ~word;
    return ((below | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & highs) != 0;
}

/* Bytes from `at` on that need no escape. */
static size_t plain_length(const char *at, size_t length)
{
    size_t plain = 0;
    for (uint64_t word; plain + 8 <= length; plain += 8) {
        memcpy(&word, at + plain, 8);
        if (word_needs_escape(word))
            break;
    }
    while (plain < length && !escape_of((unsigned char)at[plain]))
        plain++;
    return plain;
}

static char *put_escape(char *to, unsigned char byte)
{
    char letter = escape_of(byte);
    *to++ = '\\';
    *to++ = letter;
    if (letter == 'u') {
        *to++ = '0';
        *to++ = '0';
        *to++ = hex_digits[byte >> 4];
        *to++ = hex_digits[byte & 15];
    }
    return to;
}

bool line_append_text(struct buffer *out, struct slice text, struct error *error)
{
    TRY(buffer_reserve(out, text.length + 2, error));
    out->data[out->length++] = '"';
    for (size_t done = 0; done < text.length;) {
        size_t plain = plain_length(text.data + done, text.length - done);
        /* Room for this run, one escape, and the closing quote. */
        TRY(buffer_reserve(out, plain + 8, error));
        memcpy(out->data + out->length, text.data + done, plain);
        out->length += plain;
        done += plain;
        if (done == text.length)
            break;
        char *end = put_escape(out->data + out->length, (unsigned char)text.data[done++]);
        out->length = (size_t)(end - out->data);
    }
    out->data[out->length++] = '"';
    return true;
}

static char *put_unsigned(char *to, uint64_t value)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (count)
        *to++ = digits[--count];
    return to;
}

static char *put_number(char *to, int64_t value)
{
    if (value >= 0)
        return put_unsigned(to, (uint64_t)value);
    *to++ = '-';
    return put_unsigned(to, 0 - (uint64_t)value);
}

bool line_append_number(struct buffer *out, int64_t value, struct error *error)
{
    TRY(buffer_reserve(out, NUMBER_ROOM, error));
    out->length = (size_t)(put_number(out->data + out->length, value) - out->data);
    return true;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* One to three bytes as four characters. */
static char *put_base64_group(char *to, uint32_t bits, size_t bytes)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    to[0] = alphabet[bits >> 18 & 63];
    to[1] = alphabet[bits >> 12 & 63];
    to[2] = bytes > 1 ? alphabet[bits >> 6 & 63] : '=';
    to[3] = bytes > 2 ? alphabet[bits & 63] : '=';
    return to + 4;
}

bool line_append_hex_base64(struct buffer *out, struct slice digits, struct error *error)
{
    TRY(buffer_reserve(out, digits.length / 2 / 3 * 4 + 8, error));
    size_t start = out->length;
    char *to = out->data + out->length;
    *to++ = '"';
    uint32_t bits = 0;
    size_t bytes = 0;
    bool good = digits.length % 2 == 0;
    for (size_t i = 0; good && i < digits.length; i += 2) {
        int high = hex_value(digits.data[i]);
        int low = hex_value(digits.data[i + 1]);
        good = high >= 0 && low >= 0;
        bits = bits << 8 | (((uint32_t)high << 4 | (uint32_t)low) & 255);
        if (++bytes == 3) {
            to = put_base64_group(to, bits, 3);
            bits = 0;
            bytes = 0;
        }
    }
    if (!good) {
        out->length = start;
        struct slice start_of = slice_make(digits.data, digits.length < 40 ? digits.length : 40);
        return error_set(error, ERROR_INPUT, NULL, "bytes are not in hexadecimal form: %.*s",
                         SLICE_ARG(start_of));
    }
    if (bytes)
        to = put_base64_group(to, bits << 8 * (3 - bytes), bytes);
    *to++ = '"';
    out->length = (size_t)(to - out->data);
    return true;
}

/* ---- one table ---- */

bool line_table_init(struct line_table *table, const char *version, const char *name,
                     const char *database, const char *schema, const char *relation,
                     struct error *error)
{
    const struct {
        const char *member, *value;
    } parts[] = {
        {"\"source\":{\"version\":", version},
        {",\"connector\":", "postgresql"},
        {",\"name\":", name},
        {",\"db\":", database},
        {",\"schema\":", schema},
        {",\"table\":", relation},
    };
    *table = (struct line_table){0};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        TRY(buffer_append_text(&table->head, parts[i].member, error));
        TRY(line_append_text(&table->head, slice_of(parts[i].value), error));
    }
    return true;
}

void line_table_destroy(struct line_table *table)
{
    buffer_destroy(&table->head);
}

/* ---- one record ---- */

static char *put_slice(char *to, struct slice text)
{
    if (text.length)
        memcpy(to, text.data, text.length);
    return to + text.length;
}

#define PUT(to, literal) put_slice(to, SLICE_LITERAL(literal))

static char *put_json(char *to, struct slice json)
{
    return json.length ? put_slice(to, json) : PUT(to, "null");
}

/* "ts_ms", "ts_us" and "ts_ns" of one moment. */
static char *put_times(char *to, int64_t us)
{
    to = PUT(to, "\"ts_ms\":");
    to = put_number(to, us / 1000);
    to = PUT(to, ",\"ts_us\":");
    to = put_number(to, us);
    to = PUT(to, ",\"ts_ns\":");
    to = put_number(to, us);
    return us ? PUT(to, "000") : to;
}

static char *put_sequence(char *to, uint64_t last_commit, uint64_t lsn)
{
    to = PUT(to, ",\"sequence\":\"[");
    if (last_commit) {
        to = PUT(to, "\\\"");
        to = put_unsigned(to, last_commit);
        to = PUT(to, "\\\"");
    } else {
        to = PUT(to, "null");
    }
    to = PUT(to, ",\\\"");
    to = put_unsigned(to, lsn);
    return PUT(to, "\\\"]\"");
}

static char *put_source(char *to, const struct line_table *table, const struct line_event *event)
{
    to = put_slice(to, buffer_slice(&table->head));
    *to++ = ',';
    to = put_times(to, event->committed_us);
    to = PUT(to, ",\"snapshot\":");
    if (event->snapshot) {
        *to++ = '"';
        to = put_slice(to, slice_of(event->snapshot));
        *to++ = '"';
    } else {
        to = PUT(to, "null");
    }
    to = put_sequence(to, event->last_commit, event->lsn);
    to = PUT(to, ",\"txId\":");
    to = put_unsigned(to, event->tx_id);
    to = PUT(to, ",\"lsn\":");
    to = put_unsigned(to, event->lsn);
    return PUT(to, ",\"xmin\":null}");
}

static char *put_transaction(char *to, const struct line_event *event)
{
    if (event->transaction_id.length == 0)
        return PUT(to, ",\"transaction\":null");
    to = PUT(to, ",\"transaction\":{\"id\":\"");
    to = put_slice(to, event->transaction_id);
    to = PUT(to, "\",\"total_order\":");
    to = put_number(to, event->total_order);
    to = PUT(to, ",\"data_collection_order\":");
    to = put_number(to, event->table_order);
    *to++ = '}';
    return to;
}

static char *put_key_header(char *to, const char *name, struct slice key)
{
    if (key.length == 0)
        return to;
    to = PUT(to, "{\"key\":\"");
    to = put_slice(to, slice_of(name));
    to = PUT(to, "\",\"value\":");
    to = put_slice(to, key);
    return PUT(to, "},");
}

/* From `,"offset"` to the newline. */
static char *put_tail(char *to, int64_t offset, int64_t captured_us, struct slice old_key,
                      struct slice new_key, struct line_position position)
{
    to = PUT(to, ",\"offset\":");
    to = put_number(to, offset);
    to = PUT(to, ",\"timestamp\":");
    to = put_number(to, captured_us / 1000);
    to = PUT(to, ",\"headers\":[");
    to = put_key_header(to, "__debezium.oldkey", old_key);
    to = put_key_header(to, "__debezium.newkey", new_key);
    to = PUT(to, "{\"key\":\"__surfboard.position\",\"value\":[");
    to = put_unsigned(to, position.commit);
    *to++ = ',';
    to = put_number(to, position.order);
    return PUT(to, "]}]}\n");
}

bool line_append_event(struct buffer *out, const struct line_table *table,
                       const struct line_event *event, struct error *error)
{
    TRY(buffer_reserve(out,
                       LINE_FIXED + table->head.length + event->key.length + event->before.length +
                           event->after.length + event->old_key.length + event->new_key.length +
                           event->transaction_id.length,
                       error));
    char *to = out->data + out->length;
    to = PUT(to, "{\"key\":");
    to = put_json(to, event->key);
    to = PUT(to, ",\"value\":{\"before\":");
    to = put_json(to, event->before);
    to = PUT(to, ",\"after\":");
    to = put_json(to, event->after);
    *to++ = ',';
    to = put_source(to, table, event);
    to = put_transaction(to, event);
    to = PUT(to, ",\"op\":\"");
    *to++ = event->op;
    to = PUT(to, "\",");
    to = put_times(to, event->captured_us);
    *to++ = '}';
    to = put_tail(to, event->offset, event->captured_us, event->old_key, event->new_key,
                  event->position);
    out->length = (size_t)(to - out->data);
    return true;
}

bool line_append_tombstone(struct buffer *out, const struct line_event *deleted, int64_t offset,
                           struct error *error)
{
    TRY(buffer_reserve(
        out, LINE_FIXED + deleted->key.length + deleted->old_key.length + deleted->new_key.length,
        error));
    char *to = out->data + out->length;
    to = PUT(to, "{\"key\":");
    to = put_json(to, deleted->key);
    to = PUT(to, ",\"value\":null");
    to = put_tail(to, offset, deleted->captured_us, deleted->old_key, deleted->new_key,
                  deleted->position);
    out->length = (size_t)(to - out->data);
    return true;
}

static bool append_collections(struct buffer *out, const struct line_collection *collections,
                               size_t count, struct error *error)
{
    if (collections == NULL)
        return buffer_append_text(out, "null", error);
    for (size_t i = 0; i < count; i++) {
        TRY(buffer_append_text(out,
                               i ? ",{\"data_collection\":" : "[{\"data_collection\":", error));
        TRY(line_append_text(out, collections[i].name, error));
        TRY(buffer_append_text(out, ",\"event_count\":", error));
        TRY(line_append_number(out, collections[i].events, error));
        TRY(buffer_append_byte(out, '}', error));
    }
    return buffer_append_text(out, count ? "]" : "[]", error);
}

bool line_append_transaction(struct buffer *out, struct slice id,
                             const struct line_collection *collections, size_t collection_count,
                             int64_t event_count, int64_t committed_us, int64_t captured_us,
                             struct line_position position, int64_t offset, struct error *error)
{
    TRY(buffer_append_format(out, error,
                             "{\"key\":{\"id\":\"%.*s\"},\"value\":{\"status\":\"%s\",\"id\":"
                             "\"%.*s\",\"ts_ms\":%lld,\"event_count\":",
                             SLICE_ARG(id), collections ? "END" : "BEGIN", SLICE_ARG(id),
                             (long long)(committed_us / 1000)));
    if (collections)
        TRY(line_append_number(out, event_count, error));
    else
        TRY(buffer_append_text(out, "null", error));
    TRY(buffer_append_text(out, ",\"data_collections\":", error));
    TRY(append_collections(out, collections, collection_count, error));
    TRY(buffer_reserve(out, LINE_FIXED, error));
    char *to = out->data + out->length;
    *to++ = '}';
    to = put_tail(to, offset, captured_us, (struct slice){0}, (struct slice){0}, position);
    out->length = (size_t)(to - out->data);
    return true;
}
