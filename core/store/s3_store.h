/* s3_store.h: what the files of store/ share about S3. Not for others, but for tests of them. */
#ifndef SURFBOARD_STORE_S3_STORE_H
#define SURFBOARD_STORE_S3_STORE_H

#include "core/net/sigv4.h"
#include "core/store/s3.h"
#include "core/store/store_ops.h"

/* One end point with its keys, shared by all stores there: they use one another's connections. */
struct s3_connection {
    atomic_int holders;
    struct http_client *client;
    struct http_options options; /* tries and wait of its own, for what HTTP may not repeat */
    char *scheme, *host, *base;  /* "https", "h:9000", "" or "/path" */
    char *region, *access_key, *secret, *session_token, *authorities;
    bool path_style;
    atomic_bool conditions_proved; /* the server was seen to honour If-None-Match */
};

/* NULL on failure. Held until s3_connection_release(). */
struct s3_connection *s3_connection_take(struct error *error);
void s3_connection_release(struct s3_connection *connection);

struct s3_store {
    struct store base;
    struct s3_connection *connection;
    char *bucket;
    char *prefix; /* "" or "a/b/" */
};

extern const struct store_ops s3_ops;

struct store *s3_open(const char *uri, const struct store_options *options, struct error *error);
/* Another store of the same place. */
struct s3_store *s3_store_again(const struct s3_store *store, struct error *error);
void s3_store_free(struct s3_store *store);

/* ---- requests (s3_request.c) ---- */

enum { S3_PARAMETERS = 8, S3_HEADERS = 8 };

struct s3_call {
    const char *method;
    const char *key; /* below the store; NULL: the bucket itself */
    struct sigv4_pair parameters[S3_PARAMETERS];
    size_t parameter_count;
    struct sigv4_pair headers[S3_HEADERS];
    size_t header_count;
    struct slice body;
    enum http_repeat repeat;
    bool (*take)(void *context, const void *data, size_t length, struct error *error);
    void (*begin)(void *context); /* before each try, for take() */
    void *context;
};

void s3_call_parameter(struct s3_call *call, const char *name, const char *value);
void s3_call_header(struct s3_call *call, const char *name, const char *value);
/* As http_send(): any status is an answer. What S3 itself says was not carried out and may be
 * tried again is tried again. */
bool s3_send(const struct s3_store *store, const struct s3_call *call, struct http_answer *answer,
             struct error *error);
/* The same; a status that is no success is the error that s3_answer_error() makes of it. */
bool s3_do(const struct s3_store *store, const struct s3_call *call, struct http_answer *answer,
           struct error *error);
/* "s3://bucket/prefix/key" for messages, in fresh memory; NULL without memory. */
char *s3_place(const struct s3_store *store, const char *key);
/* Refuses keys that are none. */
bool s3_check_key(const struct s3_store *store, const char *key, struct error *error);

/* ---- errors (s3_error.c) ---- */

enum { S3_CODE_SIZE = 64 };

struct s3_trouble {
    char code[S3_CODE_SIZE]; /* "NoSuchKey"; "" when the body is no error of S3 */
    char message[300];       /* without control characters */
    char region[64];         /* the right one, when S3 names it */
    char server_time[40];    /* "2026-11-28T15:33:03Z", when S3 names it */
};

void s3_read_trouble(const struct http_answer *answer, struct s3_trouble *out);
/* False. */
bool s3_answer_error(const struct s3_store *store, const struct s3_call *call,
                     const struct http_answer *answer, struct error *error);

/* ---- objects ---- */

enum { S3_UUID_SIZE = 40 };

struct s3_object {
    uint64_t size;
    int64_t modified_ms;
    char etag[128];
    char put_id[S3_UUID_SIZE]; /* whose put it was; "" when not ours */
};

/* ERROR_NOT_FOUND when absent. */
bool s3_head(const struct s3_store *store, const char *key, struct s3_object *out,
             struct error *error);
/* Fills `out` with exactly `length` bytes from `offset` of the object that had this etag. */
bool s3_get_range(const struct s3_store *store, const char *key, const char *etag, uint64_t offset,
                  void *out, size_t length, struct error *error);
bool s3_put(struct store *store, const char *key, struct slice body, bool if_absent,
            struct error *error);
struct store_writer *s3_writer_open(struct store *store, const char *key, struct error *error);
bool s3_writer_commit(struct store_writer *writer, enum store_flush flush, struct error *error);
void s3_writer_abort(struct store_writer *writer);
bool s3_read(struct store *store, const char *key, struct buffer *out, struct error *error);
bool s3_source_open(struct store *store, const char *key, struct source *out, struct error *error);
void s3_source_close(struct source *source);

/* After a put whose answer was lost, or that was lost: whose object is there? */
enum s3_owner { S3_ABSENT, S3_OURS, S3_THEIRS };
bool s3_settle(const struct s3_store *store, const char *key, const char *put_id,
               enum s3_owner *owner, struct error *error);

/* ---- the bucket (s3_bucket.c) ---- */

bool s3_bucket_exists(struct store *store, bool *exists, struct error *error);
bool s3_bucket_make(struct store *store, struct error *error);
bool s3_bucket_remove(struct store *store, bool *removed, struct error *error);

/* ---- listing and removing (s3_list.c) ---- */

struct s3_list {
    const char *prefix;    /* below the store */
    const char *after;     /* only keys behind this one, below the store; NULL */
    const char *delimiter; /* "/": keys up to it only, as entries that end in it; NULL */
    size_t most;           /* 0: all */
    int page;              /* keys a page; 0: the server's own, a thousand */
};

bool s3_list_objects(const struct s3_store *store, const struct s3_list *list,
                     struct store_listing *out, struct error *error);
bool s3_list_all(struct store *store, const char *prefix, struct store_listing *out,
                 struct error *error);
bool s3_has_folder(struct store *store, const char *key, bool *there, struct error *error);
bool s3_remove(struct store *store, const char *key, struct error *error);
bool s3_remove_many(struct store *store, const char *const *keys, size_t count,
                    struct error *error);
bool s3_sweep(struct store *store, const char *prefix, size_t *removed, struct error *error);

#endif
