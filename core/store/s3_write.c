/* Writing to S3. Every put carries an id of its own as metadata of the object, so that after a lost
 * answer, or a lost race, the object itself tells whose it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/store/s3_store.h"
#include "core/store/s3_xml.h"

enum {
    PART = 8 << 20,       /* S3 wants 5 MiB at least */
    PARTS_OF_A_SIZE = 500 /* then they double: 10,000 parts are the most */
};

#define PUT_ID_HEADER "x-amz-meta-surfboard-put"

static bool make_put_id(char out[S3_UUID_SIZE], struct error *error)
{
    uint8_t uuid[16];
    TRY(uuid_make(uuid, error));
    uuid_format(uuid, out);
    return true;
}

bool s3_settle(const struct s3_store *store, const char *key, const char *put_id,
               enum s3_owner *owner, struct error *error)
{
    struct s3_object object;
    struct error own = {0};
    if (s3_head(store, key, &object, &own))
        *owner = strcmp(object.put_id, put_id) == 0 ? S3_OURS : S3_THEIRS;
    else if (own.kind == ERROR_NOT_FOUND)
        *owner = S3_ABSENT;
    else if (error)
        *error = own;
    return own.kind == ERROR_NONE || own.kind == ERROR_NOT_FOUND;
}

static bool put_lost(const struct s3_store *store, const char *key, struct error *error)
{
    char *place = s3_place(store, key);
    error_set(error, ERROR_EXISTS, "another writer was first: read again and retry",
              "%s: exists already", place ? place : store->base.uri);
    free(place);
    return false;
}

static bool put_unknown(const struct s3_store *store, const char *key, const char *why,
                        struct error *error)
{
    char *place = s3_place(store, key);
    error_set(error, ERROR_UNKNOWN, "look at the store, then read the object again",
              "%s: whether it was written is not known: %s", place ? place : store->base.uri, why);
    free(place);
    return false;
}

static bool put_unsupported(const struct s3_store *store, struct error *error)
{
    const struct s3_connection *connection = store->connection;
    return error_set(error, ERROR_UNSUPPORTED,
                     "use a server that honours If-None-Match: AWS, MinIO, SeaweedFS 4.18 or newer",
                     "%s://%s ignores If-None-Match: two writers could both win there",
                     connection->scheme, connection->host);
}

/* ---- put if absent ---- */

/* What one try came to. */
enum put_end { PUT_WON, PUT_LOST, PUT_AGAIN, PUT_FAILED };

struct put {
    const struct s3_store *store;
    const char *key;
    char id[S3_UUID_SIZE];
    bool open; /* a try may still be under way at the server, its answer lost */
};

/* An answer that does not say who won: the object does. `why` is what stands against it. */
static enum put_end put_settle(struct put *put, long status, struct error *why, struct error *error)
{
    enum s3_owner owner = S3_ABSENT;
    struct error own = {0};
    if (!s3_settle(put->store, put->key, put->id, &owner, &own)) {
        if (status == 412) /* it is taken, and no try of ours is unaccounted for but by chance */
            put_lost(put->store, put->key, error);
        else
            put_unknown(put->store, put->key, own.message, error);
        return PUT_FAILED;
    }
    if (owner == S3_OURS)
        return PUT_WON;
    if (owner == S3_THEIRS) {
        put_lost(put->store, put->key, error);
        return PUT_LOST;
    }
    if (error)
        *error = *why;
    return PUT_AGAIN;
}

/* Judges the answer (`answered`: there was one) to a conditional request. */
static enum put_end put_judge(struct put *put, const struct s3_call *call,
                              const struct http_answer *answer, bool answered, struct error *why,
                              struct error *error)
{
    long status = answered ? answer->status : 0;
    put->open |= !answered && answer->perhaps_done;
    if (answered && status >= 200 && status < 300)
        return PUT_WON;
    if (answered)
        s3_answer_error(put->store, call, answer, why);
    bool doubtful = answered ? status == 412 || status == 409 || status >= 500 || status == 408
                             : answer->perhaps_done;
    if (doubtful)
        return put_settle(put, status, why, error);
    if (error)
        *error = *why;
    return PUT_FAILED;
}

static bool put_once(struct put *put, struct slice body, enum put_end *end, struct error *error)
{
    struct s3_call call = {
        .method = "PUT", .key = put->key, .body = body, .repeat = HTTP_REPEAT_UNSENT};
    struct http_answer answer = {0};
    struct error why = {0};
    s3_call_header(&call, "if-none-match", "*");
    s3_call_header(&call, PUT_ID_HEADER, put->id);
    s3_call_header(&call, "content-type", "application/octet-stream");
    bool answered = s3_send(put->store, &call, &answer, &why);
    if (answered && answer.status == 200 && !http_header(&answer, "etag").length)
        answered = s3_answer_error(put->store, &call, &answer, &why); /* not S3 at all */
    *end = put_judge(put, &call, &answer, answered, &why, error);
    http_answer_destroy(&answer);
    return *end == PUT_WON;
}

/* Once in a connection's life: the same object again must be refused. It is the same to the last
 * byte, so a server that takes it has changed nothing. */
static bool prove_conditions(struct put *put, struct slice body, struct error *error)
{
    struct s3_connection *connection = put->store->connection;
    if (atomic_load(&connection->conditions_proved))
        return true;
    struct s3_call call = {
        .method = "PUT", .key = put->key, .body = body, .repeat = HTTP_REPEAT_NEVER};
    struct http_answer answer = {0};
    s3_call_header(&call, "if-none-match", "*");
    s3_call_header(&call, PUT_ID_HEADER, put->id);
    s3_call_header(&call, "content-type", "application/octet-stream");
    bool answered = s3_send(put->store, &call, &answer, NULL);
    long status = answer.status;
    http_answer_destroy(&answer);
    if (answered && (status == 412 || status == 409))
        atomic_store(&connection->conditions_proved, true);
    return !answered || status != 200 || put_unsupported(put->store, error);
}

static bool put_if_absent(const struct s3_store *store, const char *key, struct slice body,
                          struct error *error)
{
    struct put put = {.store = store, .key = key};
    const struct http_options *options = &store->connection->options;
    enum put_end end = PUT_AGAIN;
    struct error why = {0};
    TRY(make_put_id(put.id, error));
    for (int tries = 1; end == PUT_AGAIN; tries++) {
        if (put_once(&put, body, &end, &why))
            break;
        if (end != PUT_AGAIN || tries >= options->tries)
            break;
        http_wait(tries, options->wait_ms, 0, NULL);
    }
    if (end == PUT_WON)
        return prove_conditions(&put, body, error);
    if (put.open && end != PUT_LOST && why.kind != ERROR_UNKNOWN)
        return put_unknown(store, key, why.message, error);
    if (error)
        *error = why;
    return false;
}

bool s3_put(struct store *base, const char *key, struct slice body, bool if_absent,
            struct error *error)
{
    const struct s3_store *store = (const struct s3_store *)base;
    TRY(s3_check_key(store, key, error));
    if (if_absent)
        return put_if_absent(store, key, body, error);
    struct s3_call call = {.method = "PUT", .key = key, .body = body, .repeat = HTTP_REPEAT_ANY};
    struct http_answer answer = {0};
    s3_call_header(&call, "content-type", "application/octet-stream");
    bool ok = s3_do(store, &call, &answer, error);
    http_answer_destroy(&answer);
    return ok;
}

/* ---- writers ---- */

struct s3_writer {
    struct store_writer base;
    char *key;
    struct buffer part;  /* what is not sent yet */
    char *upload;        /* id of the multipart upload; NULL: all is in `part` */
    struct buffer parts; /* "<Part>..." of those that were sent */
    size_t part_count;
    struct put put;
};

static const struct s3_store *writer_store(const struct s3_writer *writer)
{
    return (const struct s3_store *)writer->base.store;
}

static void writer_free(struct s3_writer *writer)
{
    free(writer->key);
    free(writer->upload);
    buffer_destroy(&writer->part);
    buffer_destroy(&writer->parts);
    free(writer);
}

static bool take_upload_id(void *context, const char *path, struct slice text, struct error *error)
{
    char **out = context;
    if (strcmp(path, "UploadId") != 0 || *out)
        return true;
    *out = memory_copy_slice(text, error);
    return *out != NULL;
}

static bool upload_begin(struct s3_writer *writer, struct error *error)
{
    /* Done twice it leaves an upload that nobody ends: better than a failed batch, and swept. */
    struct s3_call call = {.method = "POST", .key = writer->key, .repeat = HTTP_REPEAT_ANY};
    struct http_answer answer = {0};
    s3_call_parameter(&call, "uploads", "");
    s3_call_header(&call, PUT_ID_HEADER, writer->put.id);
    s3_call_header(&call, "content-type", "application/octet-stream");
    bool ok = s3_do(writer_store(writer), &call, &answer, error) &&
              s3_xml_walk(buffer_slice(&answer.body), "InitiateMultipartUploadResult",
                          take_upload_id, &writer->upload, error);
    if (ok && (writer->upload == NULL || *writer->upload == '\0'))
        ok = error_set(error, ERROR_UNREACHABLE, "is this S3?",
                       "%s: the answer to a new upload has no id", store_uri(writer->base.store));
    http_answer_destroy(&answer);
    return ok;
}

static void upload_abort(const struct s3_writer *writer)
{
    struct s3_call call = {.method = "DELETE", .key = writer->key, .repeat = HTTP_REPEAT_ANY};
    struct http_answer answer = {0};
    s3_call_parameter(&call, "uploadId", writer->upload);
    s3_send(writer_store(writer), &call, &answer, NULL);
    http_answer_destroy(&answer);
}

static bool upload_part(struct s3_writer *writer, struct error *error)
{
    char number[24];
    struct s3_call call = {.method = "PUT",
                           .key = writer->key,
                           .body = buffer_slice(&writer->part),
                           .repeat = HTTP_REPEAT_ANY};
    struct http_answer answer = {0};
    if (writer->upload == NULL)
        TRY(upload_begin(writer, error));
    snprintf(number, sizeof number, "%zu", ++writer->part_count);
    s3_call_parameter(&call, "partNumber", number);
    s3_call_parameter(&call, "uploadId", writer->upload);
    bool ok = s3_do(writer_store(writer), &call, &answer, error);
    struct slice etag = http_header(&answer, "etag");
    char *text = ok ? memory_copy_slice(etag, error) : NULL;
    ok = text &&
         buffer_append_format(&writer->parts, error, "<Part><PartNumber>%s</PartNumber><ETag>",
                              number) &&
         s3_xml_append_text(&writer->parts, text, error) &&
         buffer_append_text(&writer->parts, "</ETag></Part>", error);
    free(text);
    http_answer_destroy(&answer);
    buffer_clear(&writer->part);
    return ok;
}

static size_t writer_part_size(const struct s3_writer *writer)
{
    size_t doublings = writer->part_count / PARTS_OF_A_SIZE;
    return (size_t)PART << (doublings < 8 ? doublings : 8);
}

static bool writer_write(void *context, const void *data, size_t length, struct error *error)
{
    struct s3_writer *writer = context;
    const char *at = data;
    while (length) {
        size_t most = writer_part_size(writer);
        if (writer->part.length >= most)
            TRY(upload_part(writer, error));
        size_t room = most - writer->part.length, part = length < room ? length : room;
        TRY(buffer_append(&writer->part, at, part, error));
        at += part;
        length -= part;
    }
    return true;
}

struct store_writer *s3_writer_open(struct store *base, const char *key, struct error *error)
{
    struct s3_store *store = (struct s3_store *)base;
    if (!s3_check_key(store, key, error))
        return NULL;
    struct s3_writer *writer = memory_zero(1, sizeof *writer, error);
    if (writer == NULL)
        return NULL;
    writer->base.store = base;
    writer->base.sink = (struct sink){writer, 0, writer_write};
    writer->key = memory_copy_text(key, error);
    writer->put = (struct put){.store = store, .key = writer->key};
    if (writer->key == NULL || !make_put_id(writer->put.id, error)) {
        writer_free(writer);
        return NULL;
    }
    return &writer->base;
}

void s3_writer_abort(struct store_writer *base)
{
    struct s3_writer *writer = (struct s3_writer *)base;
    if (writer->upload)
        upload_abort(writer);
    writer_free(writer);
}

/* A completion may begin its answer with 200 and end it with an error. */
static bool completion_failed(const struct http_answer *answer)
{
    struct s3_trouble trouble;
    s3_read_trouble(answer, &trouble);
    return trouble.code[0] != '\0';
}

static bool upload_complete_once(struct s3_writer *writer, struct slice body, enum put_end *end,
                                 struct error *error)
{
    struct s3_call call = {
        .method = "POST", .key = writer->key, .body = body, .repeat = HTTP_REPEAT_UNSENT};
    struct http_answer answer = {0};
    struct error why = {0};
    s3_call_parameter(&call, "uploadId", writer->upload);
    s3_call_header(&call, "if-none-match", "*");
    s3_call_header(&call, "content-type", "application/xml");
    bool answered = s3_send(writer_store(writer), &call, &answer, &why);
    if (answered && answer.status == 200 && completion_failed(&answer))
        answer.status = 500;
    if (answered && answer.status == 404) /* ended: by our own lost try, perhaps */
        answer.status = 409;
    *end = put_judge(&writer->put, &call, &answer, answered, &why, error);
    http_answer_destroy(&answer);
    return *end == PUT_WON;
}

/* Servers older than conditions on uploads ignore them: whoever is there already has won. */
static bool upload_check_absent(struct s3_writer *writer, struct error *error)
{
    enum s3_owner owner = S3_THEIRS;
    TRY(s3_settle(writer_store(writer), writer->key, writer->put.id, &owner, error));
    return owner == S3_ABSENT || put_lost(writer_store(writer), writer->key, error);
}

static bool upload_complete(struct s3_writer *writer, struct error *error)
{
    const struct http_options *options = &writer_store(writer)->connection->options;
    struct buffer body = {0};
    enum put_end end = PUT_AGAIN;
    struct error why = {0};
    bool ok = upload_check_absent(writer, error) &&
              buffer_append_text(&body, "<CompleteMultipartUpload>", error) &&
              buffer_append_slice(&body, buffer_slice(&writer->parts), error) &&
              buffer_append_text(&body, "</CompleteMultipartUpload>", error);
    for (int tries = 1; ok; tries++) {
        if (upload_complete_once(writer, buffer_slice(&body), &end, &why))
            break;
        ok = end == PUT_AGAIN && tries < options->tries;
        if (ok)
            http_wait(tries, options->wait_ms, 0, NULL);
    }
    buffer_destroy(&body);
    if (ok)
        return true;
    if (why.kind && writer->put.open && end != PUT_LOST && why.kind != ERROR_UNKNOWN)
        return put_unknown(writer_store(writer), writer->key, why.message, error);
    if (why.kind && error)
        *error = why;
    return false;
}

bool s3_writer_commit(struct store_writer *base, enum store_flush flush, struct error *error)
{
    struct s3_writer *writer = (struct s3_writer *)base;
    struct error own = {0};
    (void)flush; /* what S3 has answered is durable */
    bool ok;
    if (writer->upload == NULL)
        ok = s3_put(base->store, writer->key, buffer_slice(&writer->part), true, &own);
    else
        ok = (writer->part.length == 0 || upload_part(writer, &own)) &&
             upload_complete(writer, &own);
    /* What may yet become an object is not taken away from under it. */
    if (!ok && writer->upload && own.kind != ERROR_UNKNOWN)
        upload_abort(writer);
    writer_free(writer);
    if (!ok && error)
        *error = own;
    return ok;
}
