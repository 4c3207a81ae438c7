/* Reading from S3: whole objects, large ones in parallel ranges; sources that fetch what is asked
 * for. All parts of one reading are of one version of the object: the ETag says so. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/memory.h"
#include "core/store/s3_store.h"

enum {
    PART = 8 << 20, /* bytes of one request of a large reading */
    PARTS_AT_ONCE = 4,
    BLOCK = 1 << 20, /* what small readings of a large object fetch and keep */
    BLOCKS = 8
};

/* ---- what the headers tell ---- */

static uint64_t read_number(struct slice text)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.length && i < 19 && text.data[i] >= '0' && text.data[i] <= '9'; i++)
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    return value;
}

static void copy_text(char *out, size_t size, struct slice text)
{
    size_t length = text.length < size - 1 ? text.length : 0; /* whole or not at all */
    if (length)
        memcpy(out, text.data, length);
    out[length] = '\0';
}

static void read_object(const struct http_answer *answer, struct s3_object *out)
{
    struct tm parts = {0};
    char date[40];
    *out = (struct s3_object){0};
    out->size = read_number(http_header(answer, "content-length"));
    /* "bytes 0-99/1234": the whole is behind the slash. */
    struct slice range = http_header(answer, "content-range");
    const char *slash = range.length ? memchr(range.data, '/', range.length) : NULL;
    if (slash)
        out->size =
            read_number(slice_make(slash + 1, range.length - (size_t)(slash + 1 - range.data)));
    copy_text(out->etag, sizeof out->etag, http_header(answer, "etag"));
    copy_text(out->put_id, sizeof out->put_id, http_header(answer, "x-amz-meta-surfboard-put"));
    copy_text(date, sizeof date, http_header(answer, "last-modified"));
    if (strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &parts))
        out->modified_ms = (int64_t)timegm(&parts) * 1000;
}

/* A HEAD has no body to say what is wrong: asks again for the first byte. */
static bool head_error(const struct s3_store *store, const char *key, const struct s3_call *head,
                       const struct http_answer *head_answer, struct error *error)
{
    struct s3_call call = {.method = "GET", .key = key, .repeat = HTTP_REPEAT_ANY};
    struct http_answer answer = {0};
    struct error own = {0};
    s3_call_header(&call, "range", "bytes=0-0");
    if (s3_do(store, &call, &answer, &own) || answer.status == 416)
        s3_answer_error(store, head, head_answer, &own);
    http_answer_destroy(&answer);
    if (error)
        *error = own;
    return false;
}

bool s3_head(const struct s3_store *store, const char *key, struct s3_object *out,
             struct error *error)
{
    struct s3_call call = {.method = "HEAD", .key = key, .repeat = HTTP_REPEAT_ANY};
    struct http_answer answer = {0};
    bool ok = s3_send(store, &call, &answer, error);
    if (ok && answer.status == 200 && http_header(&answer, "etag").length)
        read_object(&answer, out);
    else if (ok && answer.status == 404)
        ok = s3_answer_error(store, &call, &answer, error);
    else if (ok)
        ok = head_error(store, key, &call, &answer, error);
    http_answer_destroy(&answer);
    return ok;
}

/* ---- a range ---- */

struct range {
    char *out;
    size_t length, got;
};

static void range_begin(void *context)
{
    ((struct range *)context)->got = 0;
}

static bool range_take(void *context, const void *data, size_t length, struct error *error)
{
    struct range *range = context;
    if (length > range->length - range->got)
        return error_set(error, ERROR_UNREACHABLE, "is this S3?",
                         "more bytes came than were asked for");
    memcpy(range->out + range->got, data, length);
    range->got += length;
    return true;
}

static void range_text(char out[64], uint64_t offset, size_t length)
{
    snprintf(out, 64, "bytes=%" PRIu64 "-%" PRIu64, offset, offset + length - 1);
}

static bool range_error(const struct s3_store *store, const struct s3_call *call,
                        const struct http_answer *answer, const struct range *range,
                        struct error *error)
{
    char *place = s3_place(store, call->key);
    const char *name = place ? place : store->base.uri;
    if (answer->status == 412)
        error_set(error, ERROR_INPUT, "it was replaced while being read: run the command again",
                  "%s: not the object that was there when it was opened", name);
    else if (answer->status == 416)
        error_set(error, ERROR_INPUT, "it was cut while being read: fetch it again",
                  "%s: shorter than when it was opened", name);
    else if (answer->status == 206 || answer->status == 200)
        error_set(error, ERROR_UNREACHABLE, "is there a proxy in between that cuts answers?",
                  "GET %s: %zu bytes came of the %zu asked for", name, range->got, range->length);
    else
        s3_answer_error(store, call, answer, error);
    free(place);
    return false;
}

bool s3_get_range(const struct s3_store *store, const char *key, const char *etag, uint64_t offset,
                  void *out, size_t length, struct error *error)
{
    struct range range = {out, length, 0};
    struct http_answer answer = {0};
    struct s3_call call = {.method = "GET",
                           .key = key,
                           .repeat = HTTP_REPEAT_ANY,
                           .take = range_take,
                           .begin = range_begin,
                           .context = &range};
    char text[64];
    if (length == 0)
        return true;
    range_text(text, offset, length);
    s3_call_header(&call, "range", text);
    if (etag && *etag)
        s3_call_header(&call, "if-match", etag);
    bool ok = s3_send(store, &call, &answer, error);
    /* 200 is the whole object: right only when that was asked for. */
    bool good = answer.status == 206 || (answer.status == 200 && offset == 0);
    if (ok && (!good || range.got != length))
        ok = range_error(store, &call, &answer, &range, error);
    http_answer_destroy(&answer);
    return ok;
}

/* ---- large readings ---- */

struct parts {
    const struct s3_store *store;
    const char *key, *etag;
    uint64_t offset;
    char *out;
    size_t length;
};

static bool parts_get(void *context, size_t index, struct error *error)
{
    const struct parts *parts = context;
    size_t from = index * PART, left = parts->length - from;
    return s3_get_range(parts->store, parts->key, parts->etag, parts->offset + from,
                        parts->out + from, left < PART ? left : PART, error);
}

static bool get_large(const struct s3_store *store, const char *key, const char *etag,
                      uint64_t offset, char *out, size_t length, struct error *error)
{
    struct parts parts = {store, key, etag, offset, out, length};
    size_t count = (length + PART - 1) / PART;
    if (count <= 1)
        return s3_get_range(store, key, etag, offset, out, length, error);
    struct pool *pool = pool_create(count < PARTS_AT_ONCE ? (unsigned)count : PARTS_AT_ONCE, error);
    bool ok = pool && pool_run(pool, count, parts_get, &parts, error);
    pool_destroy(pool);
    return ok;
}

/* The first `most` bytes, appended, and what the object is. */
static bool get_first(const struct s3_store *store, const char *key, size_t most,
                      struct buffer *out, struct s3_object *object, struct error *error)
{
    struct s3_call call = {.method = "GET", .key = key, .repeat = HTTP_REPEAT_ANY};
    struct http_answer answer = {0};
    char text[64];
    range_text(text, 0, most);
    s3_call_header(&call, "range", text);
    bool ok = s3_send(store, &call, &answer, error);
    *object = (struct s3_object){0};
    if (ok &&
        answer.status == 416) { /* no byte is in an empty object; its version does not matter */
        struct slice range = http_header(&answer, "content-range");
        bool empty = slice_is(range, "bytes */0");
        if (!empty) {
            ok = s3_head(store, key, object, error);
            empty = ok && object->size == 0;
        }
        ok = ok && (empty || range_error(store, &call, &answer, &(struct range){0}, error));
    } else {
        ok =
            ok &&
            ((answer.status >= 200 && answer.status < 300 && http_header(&answer, "etag").length) ||
             s3_answer_error(store, &call, &answer, error));
        if (ok)
            read_object(&answer, object);
        if (ok && answer.status == 200)
            object->size = answer.body.length;
        if (ok && answer.body.length != (object->size < most ? object->size : most) &&
            answer.status != 200)
            ok = range_error(store, &call, &answer, &(struct range){NULL, most, answer.body.length},
                             error);
        ok = ok && buffer_append_slice(out, buffer_slice(&answer.body), error);
    }
    http_answer_destroy(&answer);
    return ok;
}

bool s3_read(struct store *base, const char *key, struct buffer *out, struct error *error)
{
    const struct s3_store *store = (const struct s3_store *)base;
    struct s3_object object;
    size_t before = out->length;
    bool ok = s3_check_key(store, key, error) && get_first(store, key, PART, out, &object, error);
    size_t got = out->length - before;
    if (ok && object.size > got) {
        size_t rest = (size_t)object.size - got;
        ok = buffer_reserve(out, rest, error) &&
             get_large(store, key, object.etag, got, out->data + out->length, rest, error);
        if (ok)
            out->length += rest;
    }
    if (!ok)
        out->length = before;
    return ok;
}

/* ---- sources ---- */

struct block {
    uint64_t index;
    uint64_t used; /* when, by the source's count of readings */
    char *data;
};

struct s3_source {
    struct store_source_head head;
    struct s3_store *store;
    char *key, *name;
    struct s3_object object;
    struct buffer whole; /* of a small object: all of it */
    pthread_mutex_t lock;
    struct block blocks[BLOCKS];
    uint64_t readings;
};

/* Copies from the block if it is here. Under the lock. */
static bool block_copy(struct s3_source *source, uint64_t index, size_t from, char *out,
                       size_t length)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        struct block *block = &source->blocks[i];
        if (block->data && block->index == index) {
            block->used = ++source->readings;
            memcpy(out, block->data + from, length);
            return true;
        }
    }
    return false;
}

/* Takes the block over, in place of the one that was not used for longest. Under the lock. */
static void block_keep(struct s3_source *source, uint64_t index, char *data)
{
    struct block *oldest = &source->blocks[0];
    for (size_t i = 1; i < BLOCKS; i++)
        if (source->blocks[i].used < oldest->used)
            oldest = &source->blocks[i];
    free(oldest->data);
    *oldest = (struct block){index, ++source->readings, data};
}

static bool source_block(struct s3_source *source, uint64_t index, size_t from, char *out,
                         size_t length, struct error *error)
{
    pthread_mutex_lock(&source->lock);
    bool here = block_copy(source, index, from, out, length);
    pthread_mutex_unlock(&source->lock);
    if (here)
        return true;
    uint64_t offset = index * BLOCK, left = source->object.size - offset;
    size_t size = left < BLOCK ? (size_t)left : BLOCK;
    char *data = memory_zero(size, 1, error);
    TRY(data != NULL);
    if (!s3_get_range(source->store, source->key, source->object.etag, offset, data, size, error)) {
        free(data);
        return false;
    }
    memcpy(out, data + from, length);
    pthread_mutex_lock(&source->lock);
    block_keep(source, index, data);
    pthread_mutex_unlock(&source->lock);
    return true;
}

static bool source_read_at(void *context, uint64_t offset, void *out, size_t length,
                           struct error *error)
{
    struct s3_source *source = context;
    char *at = out;
    if (offset > source->object.size || length > source->object.size - offset)
        return error_set(error, ERROR_INPUT, NULL, "%s: bytes behind the end were asked for",
                         source->name);
    if (length && source->whole.length) {
        memcpy(out, source->whole.data + offset, length);
        return true;
    }
    if (length >= BLOCK)
        return get_large(source->store, source->key, source->object.etag, offset, out, length,
                         error);
    while (length) {
        size_t from = (size_t)(offset % BLOCK), part = BLOCK - from;
        part = part < length ? part : length;
        TRY(source_block(source, offset / BLOCK, from, at, part, error));
        at += part;
        offset += part;
        length -= part;
    }
    return true;
}

static const char *source_map(void *context)
{
    const struct s3_source *source = context;
    return source->whole.length ? source->whole.data : NULL;
}

static void source_free(struct s3_source *source)
{
    s3_store_free(source->store);
    free(source->key);
    free(source->name);
    buffer_destroy(&source->whole);
    for (size_t i = 0; i < BLOCKS; i++)
        free(source->blocks[i].data);
    pthread_mutex_destroy(&source->lock);
    free(source);
}

void s3_source_close(struct source *source)
{
    source_free(source->context);
}

bool s3_source_open(struct store *base, const char *key, struct source *out, struct error *error)
{
    const struct s3_store *store = (const struct s3_store *)base;
    TRY(s3_check_key(store, key, error));
    struct s3_source *source = memory_zero(1, sizeof *source, error);
    TRY(source != NULL);
    source->head.ops = &s3_ops;
    pthread_mutex_init(&source->lock, NULL);
    source->store = s3_store_again(store, error);
    source->key = memory_copy_text(key, error);
    source->name = memory_format(error, "s3://%s/%s%s", store->bucket, store->prefix, key);
    bool ok = source->store && source->key && source->name &&
              get_first(store, key, BLOCK, &source->whole, &source->object, error);
    if (ok && source->whole.length < source->object.size) { /* its beginning is the first block */
        block_keep(source, 0, source->whole.data);
        source->whole = (struct buffer){0};
    }
    if (!ok) {
        source_free(source);
        return false;
    }
    *out = (struct source){source, source->object.size, source->name, source_read_at, source_map};
    return true;
}
