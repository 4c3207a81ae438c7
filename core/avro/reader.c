#include "core/avro/reader.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/avro/block.h"
#include "core/base/json.h"
#include "core/base/memory.h"

enum { SYNC_LENGTH = 16, HEADER_LIMIT = 64 << 20, WINDOW = 1 << 16 };

struct avro_entry {
    struct slice key, value;
};

struct avro_reader {
    struct source source;
    uint64_t position;    /* of the next byte that is not in `window` */
    struct buffer window; /* bytes read ahead */
    size_t window_at;
    struct avro_entry *metadata;
    size_t metadata_count, metadata_capacity;
    struct arena arena; /* metadata bytes */
    struct avro_schema schema;
    struct slice codec;
    uint8_t sync[SYNC_LENGTH];
    struct buffer block;
    int64_t records_left;
    struct avro_cursor cursor;
};

static bool reader_damaged(const struct avro_reader *reader, const char *what, struct error *error)
{
    return error_set(error, ERROR_INPUT, "the file is damaged: restore it, or roll the table back",
                     "%s: %s", reader->source.name ? reader->source.name : "Avro file", what);
}

/* ---- reading ahead ---- */

/* Makes `length` bytes stand in the window from window_at on. */
static bool reader_need(struct avro_reader *reader, size_t length, struct error *error)
{
    size_t have = reader->window.length - reader->window_at;
    if (have >= length)
        return true;
    uint64_t rest = reader->source.size - reader->position;
    if (length - have > rest)
        return reader_damaged(reader, "ends in the middle of a block", error);
    if (have)
        memmove(reader->window.data, reader->window.data + reader->window_at, have);
    reader->window.length = have;
    reader->window_at = 0;
    size_t more = length - have > WINDOW ? length - have : WINDOW;
    if (more > rest)
        more = (size_t)rest;
    TRY(buffer_reserve(&reader->window, more, error));
    TRY(source_read(&reader->source, reader->position, reader->window.data + have, more, error));
    reader->window.length += more;
    reader->position += more;
    return true;
}

static bool reader_at_end(const struct avro_reader *reader)
{
    return reader->window_at == reader->window.length && reader->position >= reader->source.size;
}

static bool reader_take(struct avro_reader *reader, size_t length, struct slice *out,
                        struct error *error)
{
    TRY(reader_need(reader, length, error));
    *out = slice_make(reader->window.data + reader->window_at, length);
    reader->window_at += length;
    return true;
}

static bool reader_long(struct avro_reader *reader, int64_t *out, struct error *error)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        struct slice byte;
        TRY(reader_take(reader, 1, &byte, error));
        uint8_t bits = (uint8_t)*byte.data;
        if (shift < 64)
            value |= (uint64_t)(bits & 0x7F) << shift;
        if (!(bits & 0x80)) {
            *out = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
            return true;
        }
    }
    return reader_damaged(reader, "a number is too long", error);
}

/* ---- header ---- */

static bool reader_header_bytes(struct avro_reader *reader, struct slice *out, struct error *error)
{
    int64_t length = 0;
    struct slice bytes;
    TRY(reader_long(reader, &length, error));
    if (length < 0 || length > HEADER_LIMIT)
        return reader_damaged(reader, "bad length in the header", error);
    TRY(reader_take(reader, (size_t)length, &bytes, error));
    char *copy = arena_copy_slice(&reader->arena, bytes, error);
    *out = slice_make(copy, bytes.length);
    return copy != NULL;
}

static bool reader_header(struct avro_reader *reader, struct error *error)
{
    struct slice magic;
    if (reader->source.size < 4 + 1 + SYNC_LENGTH)
        return reader_damaged(reader, "too short for an Avro file", error);
    TRY(reader_take(reader, 4, &magic, error));
    if (memcmp(magic.data, "Obj\x01", 4) != 0)
        return reader_damaged(reader, "no Avro file (its first bytes are not \"Obj\\1\")", error);
    for (;;) {
        int64_t count = 0, bytes = 0;
        TRY(reader_long(reader, &count, error));
        if (count == 0)
            break;
        if (count < 0) {
            TRY(reader_long(reader, &bytes, error));
            if (count == INT64_MIN)
                return reader_damaged(reader, "bad count in the header", error);
            count = -count;
        }
        for (int64_t i = 0; i < count; i++) {
            TRY(memory_grow(&reader->metadata, &reader->metadata_capacity,
                            reader->metadata_count + 1, sizeof *reader->metadata, error));
            struct avro_entry entry;
            TRY(reader_header_bytes(reader, &entry.key, error));
            TRY(reader_header_bytes(reader, &entry.value, error));
            reader->metadata[reader->metadata_count++] = entry;
        }
    }
    struct slice sync;
    TRY(reader_take(reader, SYNC_LENGTH, &sync, error));
    memcpy(reader->sync, sync.data, SYNC_LENGTH);
    reader->codec = avro_reader_metadata(reader, "avro.codec");
    return avro_schema_parse(avro_reader_metadata(reader, "avro.schema"), &reader->schema, error);
}

struct avro_reader *avro_reader_open(const struct source *source, struct error *error)
{
    struct avro_reader *reader = memory_zero(1, sizeof *reader, error);
    if (reader == NULL)
        return NULL;
    reader->source = *source;
    if (!reader_header(reader, error)) {
        avro_reader_close(reader);
        return NULL;
    }
    return reader;
}

void avro_reader_close(struct avro_reader *reader)
{
    if (reader == NULL)
        return;
    avro_schema_destroy(&reader->schema);
    buffer_destroy(&reader->window);
    buffer_destroy(&reader->block);
    arena_destroy(&reader->arena);
    free(reader->metadata);
    free(reader);
}

const struct avro_schema *avro_reader_schema(const struct avro_reader *reader)
{
    return &reader->schema;
}

struct slice avro_reader_metadata(const struct avro_reader *reader, const char *key)
{
    for (size_t i = 0; i < reader->metadata_count; i++) {
        if (slice_is(reader->metadata[i].key, key))
            return reader->metadata[i].value;
    }
    return (struct slice){0};
}

json_t *avro_reader_metadata_json(const struct avro_reader *reader, struct error *error)
{
    json_t *object = json_object();
    bool ok = object != NULL || error_set_memory(error, 64);
    for (size_t i = 0; ok && i < reader->metadata_count; i++) {
        const struct avro_entry *entry = &reader->metadata[i];
        if (slice_is(entry->key, "avro.schema"))
            continue;
        struct avro_cursor bytes = {(const uint8_t *)entry->value.data,
                                    (const uint8_t *)entry->value.data + entry->value.length,
                                    reader->source.name};
        json_t *value = json_stringn(entry->value.data, entry->value.length);
        const struct avro_type raw = {.kind = AVRO_FIXED, .size = entry->value.length};
        if (value == NULL)
            ok = avro_get_json(&bytes, &raw, &value, error);
        ok = ok && json_put(object, entry->key.data, value, error);
    }
    if (!ok) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* ---- blocks ---- */

static bool reader_next_block(struct avro_reader *reader, struct error *error)
{
    int64_t count = 0, length = 0;
    struct slice bytes, sync;
    TRY(reader_long(reader, &count, error));
    TRY(reader_long(reader, &length, error));
    if (count < 0 || length < 0 || (uint64_t)length > reader->source.size ||
        (uint64_t)length > AVRO_BLOCK_LIMIT)
        return reader_damaged(reader, "impossible block size", error);
    TRY(reader_take(reader, (size_t)length, &bytes, error));
    if (!avro_block_decode(reader->codec, bytes, &reader->block, error))
        return error_prefix(error, "%s", reader->source.name ? reader->source.name : "Avro file");
    TRY(reader_take(reader, SYNC_LENGTH, &sync, error));
    if (memcmp(sync.data, reader->sync, SYNC_LENGTH) != 0)
        return reader_damaged(reader, "a block does not end with the sync marker", error);
    /* Every record that is of use takes a byte at least: more of them is damage. */
    if ((uint64_t)count > reader->block.length)
        return reader_damaged(reader, "a block claims more records than it has bytes", error);
    reader->records_left = count;
    const uint8_t *data = (const uint8_t *)reader->block.data;
    reader->cursor = (struct avro_cursor){data, data ? data + reader->block.length : NULL,
                                          reader->source.name ? reader->source.name : "Avro file"};
    return true;
}

bool avro_reader_next(struct avro_reader *reader, struct avro_cursor **cursor, bool *end,
                      struct error *error)
{
    *end = false;
    while (reader->records_left == 0) {
        if (reader->cursor.at != reader->cursor.end)
            return reader_damaged(reader, "bytes are left behind the last record of a block",
                                  error);
        if (reader_at_end(reader)) {
            *end = true;
            return true;
        }
        TRY(reader_next_block(reader, error));
    }
    reader->records_left--;
    *cursor = &reader->cursor;
    return true;
}
