#include "tui/peek_delta.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/datetime.h"
#include "core/base/utf8.h"
#include "core/change/event.h"

enum { CHUNK = 1 << 18, LINE_MOST = 1 << 30, SHOWN_BYTES = 160, BAD_SHOWN = 20, OPS = 9 };

static const struct {
    char op;
    const char *letter, *name;
} ops[OPS] = {{'c', "c", "create"},
              {'u', "u", "update"},
              {'d', "d", "delete"},
              {'r', "r", "read"},
              {'t', "t", "truncate"},
              {'m', "m", "message"},
              {CHANGE_TOMBSTONE, "tombstone", "tombstone"},
              {CHANGE_HEARTBEAT, "heartbeat", "heartbeat"},
              {CHANGE_TRANSACTION, "transaction", "transaction"}};

struct peek {
    struct command *command;
    const struct source *source;
    struct change_scanner *scanner;
    int64_t limit, lines, shown, bad, first_offset, last_offset;
    int64_t counts[OPS];
    bool ordered, torn;
    struct buffer line;           /* the piece of a line that waits for its rest */
    struct buffer events, faults; /* JSON of both lists */
    struct buffer text;           /* one line of output */
};

static size_t op_index(char op)
{
    for (size_t i = 0; i < OPS; i++) {
        if (ops[i].op == op)
            return i;
    }
    return OPS - 1;
}

static const char *snapshot_name(enum change_snapshot snapshot)
{
    static const char *const names[] = {
        NULL,   "true",       "first", "first_in_data_collection", "last_in_data_collection",
        "last", "incremental"};
    return names[snapshot];
}

static size_t format_time(const struct change *change, char out[DATETIME_TEXT_SIZE])
{
    int64_t ms = 0;
    out[0] = '-';
    return change_timestamp_ms(change, &ms) ? datetime_format_timestamp(ms * 1000, true, out) : 1;
}

/* ---- JSON ---- */

static bool put_member(struct buffer *out, const char *name, struct slice raw, struct error *error)
{
    if (raw.data == NULL)
        return true;
    return buffer_append_format(out, error, ", \"%s\": ", name) &&
           buffer_append_slice(out, raw, error);
}

static bool put_text_member(struct buffer *out, const char *name, struct slice text,
                            struct error *error)
{
    if (text.data == NULL)
        return true;
    return buffer_append_format(out, error, ", \"%s\": ", name) &&
           buffer_append_json_text(out, text, error);
}

static bool put_number_member(struct buffer *out, const char *name, uint64_t value,
                              struct error *error)
{
    return value == 0 || buffer_append_format(out, error, ", \"%s\": %" PRIu64, name, value);
}

static bool event_json(struct peek *peek, const struct change *change, struct error *error)
{
    struct buffer *out = &peek->events;
    char time[DATETIME_TEXT_SIZE];
    size_t length = format_time(change, time);
    TRY(out->length == 0 || buffer_append_text(out, ", ", error));
    TRY(buffer_append_format(out, error, "{\"offset\": %" PRId64 ", \"op\": \"%s\"", change->offset,
                             ops[op_index(change->op)].letter));
    TRY(length == 1 || put_text_member(out, "time", slice_make(time, length), error));
    TRY(put_member(out, "key", change->key, error) &&
        put_member(out, "before", change->before, error) &&
        put_member(out, "after", change->after, error) &&
        put_text_member(out, "schema", change->source_schema, error) &&
        put_text_member(out, "table", change->source_table, error) &&
        put_text_member(out, "snapshot", slice_of(snapshot_name(change->snapshot)), error) &&
        put_text_member(out, "transaction", change->transaction_id, error) &&
        put_number_member(out, "lsn", change->lsn, error) &&
        put_number_member(out, "tx_id", change->tx_id, error) &&
        put_member(out, "old_key", change->old_key, error) &&
        put_member(out, "new_key", change->new_key, error) &&
        put_member(out, "run_id", change->run_id, error));
    if (change->op == CHANGE_TRANSACTION)
        TRY(put_text_member(out, "status", slice_of(change->transaction_end ? "END" : "BEGIN"),
                            error) &&
            put_member(out, "data_collections", change->data_collections, error));
    return buffer_append_byte(out, '}', error);
}

/* ---- text ---- */

static struct slice clip(struct slice text, size_t most)
{
    if (text.length <= most)
        return text;
    while (most > 0 && ((unsigned char)text.data[most] & 0xC0) == 0x80)
        most--;
    return slice_make(text.data, most);
}

static bool print_line(struct peek *peek, struct error *error)
{
    TRY(command_print_data(peek->command, buffer_slice(&peek->text), error));
    fputc('\n', peek->command->out);
    buffer_clear(&peek->text);
    return true;
}

static bool put_cell(struct peek *peek, struct slice text, struct error *error)
{
    size_t most = peek->command->out_is_terminal ? SHOWN_BYTES : text.length;
    struct slice shown = clip(text, most);
    return buffer_append_byte(&peek->text, ' ', error) &&
           buffer_append_slice(&peek->text, shown, error) &&
           (shown.length == text.length || buffer_append_text(&peek->text, "...", error));
}

static bool event_text(struct peek *peek, const struct change *change, struct error *error)
{
    char time[DATETIME_TEXT_SIZE];
    size_t length = format_time(change, time);
    TRY(buffer_append_format(&peek->text, error, "%12" PRId64 "  %-27.*s  %-11s", change->offset,
                             (int)length, time, ops[op_index(change->op)].name));
    if (change->op == CHANGE_TRANSACTION) {
        TRY(put_cell(peek, slice_of(change->transaction_end ? "END" : "BEGIN"), error) &&
            put_cell(peek, change->transaction_id, error) &&
            put_cell(peek, change->data_collections, error));
        return print_line(peek, error);
    }
    TRY(put_cell(peek, change->key, error));
    if (change->before.data)
        TRY(put_cell(peek, SLICE_LITERAL(" before"), error) &&
            put_cell(peek, change->before, error));
    if (change->after.data)
        TRY(put_cell(peek, SLICE_LITERAL(" after"), error) && put_cell(peek, change->after, error));
    return print_line(peek, error);
}

/* ---- lines ---- */

static bool note_bad(struct peek *peek, const struct error *why, struct error *error)
{
    if (peek->bad++ >= BAD_SHOWN)
        return true;
    if (!peek->command->json)
        return buffer_append_format(&peek->text, error, "line %" PRId64 ": %s", peek->lines,
                                    why->message) &&
               print_line(peek, error);
    return (peek->faults.length == 0 || buffer_append_text(&peek->faults, ", ", error)) &&
           buffer_append_format(&peek->faults, error,
                                "{\"line\": %" PRId64 ", \"message\": ", peek->lines) &&
           buffer_append_json_text(&peek->faults, slice_of(why->message), error) &&
           buffer_append_byte(&peek->faults, '}', error);
}

static bool take_line(struct peek *peek, struct slice line, bool last, struct error *error)
{
    struct change change;
    struct error why = {0};
    if (line.length == 0)
        return true;
    peek->lines++;
    if (!change_scan_line(peek->scanner, line, &change, &why)) {
        if (last && change_scan_torn(peek->scanner)) {
            peek->torn = true;
            peek->lines--;
            return true;
        }
        return note_bad(peek, &why, error);
    }
    peek->ordered = peek->ordered && (peek->first_offset < 0 || change.offset > peek->last_offset);
    if (peek->first_offset < 0)
        peek->first_offset = change.offset;
    peek->last_offset = change.offset;
    peek->counts[op_index(change.op)]++;
    if (peek->shown >= peek->limit)
        return true;
    peek->shown++;
    return peek->command->json ? event_json(peek, &change, error)
                               : event_text(peek, &change, error);
}

/* Cuts decoded bytes into lines. */
static bool take_bytes(struct peek *peek, struct slice bytes, struct error *error)
{
    while (bytes.length) {
        const char *end = memchr(bytes.data, '\n', bytes.length);
        size_t length = end ? (size_t)(end - bytes.data) : bytes.length;
        struct slice line = slice_make(bytes.data, length);
        if (end == NULL || peek->line.length) {
            if (peek->line.length + length > LINE_MOST)
                return error_set(error, ERROR_UNSUPPORTED, "is it a delta file at all?",
                                 "%s: line %" PRId64 " is longer than 1 GiB", peek->source->name,
                                 peek->lines + 1);
            TRY(buffer_append_slice(&peek->line, line, error));
            line = buffer_slice(&peek->line);
        }
        if (end == NULL)
            return true;
        if (peek->lines == 0 && slice_starts_with(line, SLICE_LITERAL("\xEF\xBB\xBF")))
            line = slice_make(line.data + 3, line.length - 3);
        TRY(take_line(peek, line, false, error));
        buffer_clear(&peek->line);
        bytes.data += length + 1;
        bytes.length -= length + 1;
    }
    return true;
}

static bool read_all(struct peek *peek, struct codec_stream *stream, char *in, char *out,
                     struct error *error)
{
    for (uint64_t at = 0; at < peek->source->size;) {
        size_t length = peek->source->size - at < CHUNK ? (size_t)(peek->source->size - at) : CHUNK;
        TRY(source_read(peek->source, at, in, length, error));
        at += length;
        struct slice left = slice_make(in, length);
        for (size_t produced = 1; left.length || produced;) {
            TRY(codec_stream_decode(stream, &left, out, CHUNK, &produced, error));
            TRY(take_bytes(peek, slice_make(out, produced), error));
        }
    }
    peek->torn = !codec_stream_ended(stream);
    return take_line(peek, buffer_slice(&peek->line), true, error);
}

/* ---- the summary ---- */

static bool print_json(struct peek *peek, struct error *error)
{
    struct buffer *out = &peek->text;
    TRY(buffer_append_format(out, error, "{\"kind\": \"delta-file\", \"lines\": %" PRId64,
                             peek->lines));
    if (peek->first_offset >= 0)
        TRY(buffer_append_format(out, error,
                                 ", \"first_offset\": %" PRId64 ", \"last_offset\": %" PRId64,
                                 peek->first_offset, peek->last_offset));
    TRY(buffer_append_format(out, error, ", \"ordered\": %s, \"torn\": %s, \"ops\": {",
                             peek->ordered ? "true" : "false", peek->torn ? "true" : "false"));
    bool any = false;
    for (size_t i = 0; i < OPS; i++) {
        if (peek->counts[i] == 0)
            continue;
        TRY(buffer_append_format(out, error, "%s\"%s\": %" PRId64, any ? ", " : "", ops[i].letter,
                                 peek->counts[i]));
        any = true;
    }
    TRY(buffer_append_format(out, error, "}, \"bad_lines\": %" PRId64 ", \"bad\": [", peek->bad) &&
        buffer_append_slice(out, buffer_slice(&peek->faults), error) &&
        buffer_append_text(out, "], \"events\": [", error) &&
        buffer_append_slice(out, buffer_slice(&peek->events), error) &&
        buffer_append_format(out, error, "], \"more\": %s}",
                             peek->lines - peek->bad > peek->shown ? "true" : "false"));
    return print_line(peek, error);
}

static bool print_summary(struct peek *peek, struct error *error)
{
    if (peek->command->json)
        return print_json(peek, error);
    TRY(buffer_append_format(&peek->text, error, "%" PRId64 " lines", peek->lines));
    if (peek->first_offset >= 0)
        TRY(buffer_append_format(&peek->text, error, ", offsets %" PRId64 " to %" PRId64 "%s",
                                 peek->first_offset, peek->last_offset,
                                 peek->ordered ? "" : ", not ascending"));
    for (size_t i = 0; i < OPS; i++) {
        if (peek->counts[i])
            TRY(buffer_append_format(&peek->text, error, ", %" PRId64 " %s", peek->counts[i],
                                     ops[i].name));
    }
    if (peek->bad)
        TRY(buffer_append_format(&peek->text, error, ", %" PRId64 " that can't be read",
                                 peek->bad));
    if (peek->torn)
        TRY(buffer_append_text(&peek->text, "; the end is torn: still being written, or cut off",
                               error));
    return print_line(peek, error);
}

bool peek_delta(struct command *command, const struct source *source, enum codec codec,
                int64_t limit, int64_t *bad, struct error *error)
{
    struct peek peek = {
        .command = command, .source = source, .limit = limit, .first_offset = -1, .ordered = true};
    struct buffer in = {0}, out = {0};
    struct codec_stream *stream = codec_stream_open(codec, error);
    bool ok = stream && buffer_reserve(&in, CHUNK, error) && buffer_reserve(&out, CHUNK, error);
    peek.scanner = ok ? change_scanner_create(error) : NULL;
    ok = peek.scanner && read_all(&peek, stream, in.data, out.data, error) &&
         print_summary(&peek, error);
    *bad = peek.bad;
    change_scanner_destroy(peek.scanner);
    codec_stream_close(stream);
    struct buffer *const buffers[] = {&in,          &out,         &peek.line,
                                      &peek.events, &peek.faults, &peek.text};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        buffer_destroy(buffers[i]);
    return ok;
}
