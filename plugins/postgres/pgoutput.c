#include "plugins/postgres/pgoutput.h"

#include <stdlib.h>

#include "core/base/memory.h"

/* 2000-01-01, Postgres' epoch, in microseconds since 1970. */
static const int64_t postgres_epoch_us = INT64_C(946684800000000);

/* What is left of a message. Once `bad`, everything reads as zero. */
struct reader {
    const uint8_t *at, *end;
    bool bad;
};

static struct reader reader_of(struct slice bytes)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    return (struct reader){at, at + bytes.length, false};
}

static uint64_t read_unsigned(struct reader *reader, size_t bytes)
{
    if ((size_t)(reader->end - reader->at) < bytes)
        reader->bad = true;
    uint64_t value = 0;
    for (size_t i = 0; i < bytes && !reader->bad; i++)
        value = value << 8 | *reader->at++;
    return value;
}

static uint8_t read_byte(struct reader *reader)
{
    return (uint8_t)read_unsigned(reader, 1);
}

static int64_t read_time(struct reader *reader)
{
    int64_t time;
    uint64_t bits = read_unsigned(reader, 8);
    memcpy(&time, &bits, sizeof time);
    return time > INT64_MAX - postgres_epoch_us ? INT64_MAX : time + postgres_epoch_us;
}

static struct slice read_bytes(struct reader *reader, size_t length)
{
    if ((size_t)(reader->end - reader->at) < length)
        reader->bad = true;
    if (reader->bad)
        return (struct slice){0};
    struct slice bytes = slice_make(reader->at, length);
    reader->at += length;
    return bytes;
}

static struct slice read_string(struct reader *reader)
{
    const uint8_t *nul = reader->bad || reader->at == reader->end
                             ? NULL
                             : memchr(reader->at, 0, (size_t)(reader->end - reader->at));
    if (nul == NULL) {
        reader->bad = true;
        return (struct slice){0};
    }
    struct slice text = slice_make(reader->at, (size_t)(nul - reader->at));
    reader->at = nul + 1;
    return text;
}

static bool reader_finish(const struct reader *reader, char kind, struct error *error)
{
    if (!reader->bad && reader->at == reader->end)
        return true;
    return error_set(error, ERROR_INPUT, "is there a proxy between this program and Postgres?",
                     "replication message '%c' is %s", kind >= 32 && kind < 127 ? kind : '?',
                     reader->bad ? "cut short" : "too long");
}

bool replication_decode(struct slice data, struct replication_message *out, struct error *error)
{
    struct reader reader = reader_of(data);
    *out = (struct replication_message){0};
    char kind = (char)read_byte(&reader);
    if (kind == 'w') {
        out->start = read_unsigned(&reader, 8);
        out->end = read_unsigned(&reader, 8);
        read_time(&reader);
        out->body = read_bytes(&reader, (size_t)(reader.end - reader.at));
    } else if (kind == 'k') {
        out->keepalive = true;
        out->end = read_unsigned(&reader, 8);
        read_time(&reader);
        out->reply_requested = read_byte(&reader) != 0;
    } else {
        return error_set(error, ERROR_UNSUPPORTED, NULL, "unknown replication message %d", kind);
    }
    return reader_finish(&reader, kind, error);
}

static void put_u64(uint8_t *out, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (56 - 8 * i));
}

void replication_encode_status(uint64_t written, uint64_t flushed, int64_t now_us, bool ask,
                               uint8_t out[REPLICATION_STATUS_SIZE])
{
    out[0] = 'r';
    put_u64(out + 1, written);
    put_u64(out + 9, flushed);
    put_u64(out + 17, flushed);
    put_u64(out + 25, (uint64_t)(now_us - postgres_epoch_us));
    out[33] = ask;
}

static bool read_tuple(struct reader *reader, struct pgoutput_tuple *tuple, struct error *error)
{
    size_t count = (size_t)read_unsigned(reader, 2);
    if (reader->bad)
        return true;
    TRY(memory_grow(&tuple->values, &tuple->capacity, count, sizeof *tuple->values, error));
    for (size_t i = 0; i < count && !reader->bad; i++) {
        struct pgoutput_value *value = &tuple->values[i];
        *value = (struct pgoutput_value){.kind = (char)read_byte(reader)};
        if (value->kind == 't')
            value->text = read_bytes(reader, (size_t)read_unsigned(reader, 4));
        else if (value->kind != 'n' && value->kind != 'u')
            reader->bad = true; /* 'b', binary, was not asked for */
    }
    tuple->count = reader->bad ? 0 : count;
    return true;
}

static bool read_relation(struct reader *reader, struct pgoutput_message *out, struct error *error)
{
    out->relation = (uint32_t)read_unsigned(reader, 4);
    out->schema = read_string(reader);
    if (out->schema.length == 0)
        out->schema = SLICE_LITERAL("pg_catalog"); /* the protocol's way to say it */
    out->name = read_string(reader);
    out->identity = (char)read_byte(reader);
    size_t count = (size_t)read_unsigned(reader, 2);
    if (reader->bad)
        return true;
    TRY(memory_grow(&out->columns, &out->column_capacity, count, sizeof *out->columns, error));
    for (size_t i = 0; i < count && !reader->bad; i++) {
        struct pgoutput_column *column = &out->columns[i];
        column->in_key = (read_byte(reader) & 1) != 0;
        column->name = read_string(reader);
        column->type = (uint32_t)read_unsigned(reader, 4);
        column->modifier = (int32_t)(uint32_t)read_unsigned(reader, 4);
    }
    out->column_count = reader->bad ? 0 : count;
    return true;
}

/* UPDATE and DELETE: K or O and the old tuple; INSERT and UPDATE: N and the new one. */
static bool read_change(struct reader *reader, struct pgoutput_message *out, struct error *error)
{
    out->relation = (uint32_t)read_unsigned(reader, 4);
    char part = (char)read_byte(reader);
    if ((part == 'K' || part == 'O') && out->kind != PGOUTPUT_INSERT) {
        out->before_kind = part;
        TRY(read_tuple(reader, &out->before, error));
        if (out->kind == PGOUTPUT_DELETE)
            return true;
        part = (char)read_byte(reader);
    }
    if (part != 'N' || out->kind == PGOUTPUT_DELETE)
        reader->bad = true;
    return reader->bad || read_tuple(reader, &out->after, error);
}

static bool read_truncate(struct reader *reader, struct pgoutput_message *out, struct error *error)
{
    size_t count = (size_t)read_unsigned(reader, 4);
    read_byte(reader); /* options: CASCADE, RESTART IDENTITY */
    if (reader->bad || count > (size_t)(reader->end - reader->at) / 4) {
        reader->bad = true;
        return true;
    }
    TRY(memory_grow(&out->relations, &out->relation_capacity, count, sizeof *out->relations,
                    error));
    for (size_t i = 0; i < count; i++)
        out->relations[i] = (uint32_t)read_unsigned(reader, 4);
    out->relation_count = count;
    return true;
}

static void read_rest(struct reader *reader)
{
    read_bytes(reader, (size_t)(reader->end - reader->at));
}

static bool read_body(struct reader *reader, struct pgoutput_message *out, struct error *error)
{
    switch (out->kind) {
    case PGOUTPUT_BEGIN:
        out->lsn = read_unsigned(reader, 8);
        out->commit_us = read_time(reader);
        out->xid = (uint32_t)read_unsigned(reader, 4);
        return true;
    case PGOUTPUT_COMMIT:
        read_byte(reader); /* flags, none yet */
        out->lsn = read_unsigned(reader, 8);
        out->end_lsn = read_unsigned(reader, 8);
        out->commit_us = read_time(reader);
        return true;
    case PGOUTPUT_RELATION:
        return read_relation(reader, out, error);
    case PGOUTPUT_INSERT:
    case PGOUTPUT_UPDATE:
    case PGOUTPUT_DELETE:
        return read_change(reader, out, error);
    case PGOUTPUT_TRUNCATE:
        return read_truncate(reader, out, error);
    case PGOUTPUT_ORIGIN:
    case PGOUTPUT_TYPE:
    case PGOUTPUT_MESSAGE:
        read_rest(reader); /* types are looked up in the catalog; messages were not asked for */
        return true;
    default:
        return error_set(error, ERROR_UNSUPPORTED, NULL, "unknown pgoutput message %d", out->kind);
    }
}

bool pgoutput_decode(struct slice body, struct pgoutput_message *out, struct error *error)
{
    struct reader reader = reader_of(body);
    out->kind = (char)read_byte(&reader);
    out->before_kind = 0;
    out->before.count = out->after.count = 0;
    out->column_count = out->relation_count = 0;
    TRY(read_body(&reader, out, error));
    return reader_finish(&reader, out->kind, error);
}

void pgoutput_message_destroy(struct pgoutput_message *message)
{
    free(message->before.values);
    free(message->after.values);
    free(message->columns);
    free(message->relations);
    *message = (struct pgoutput_message){0};
}
