/* The bucket that a store lies in. */
#include <stdlib.h>
#include <string.h>

#include "core/store/s3_store.h"

static bool code_is(const struct http_answer *answer, const char *code)
{
    struct s3_trouble trouble;
    s3_read_trouble(answer, &trouble);
    return strcmp(trouble.code, code) == 0;
}

bool s3_bucket_exists(struct store *base, bool *exists, struct error *error)
{
    const struct s3_store *store = (const struct s3_store *)base;
    struct s3_call call = {.method = "GET", .repeat = HTTP_REPEAT_ANY};
    struct http_answer answer = {0};
    s3_call_parameter(&call, "list-type", "2");
    s3_call_parameter(&call, "max-keys", "1");
    bool ok = s3_send(store, &call, &answer, error);
    *exists = ok && answer.status == 200;
    if (ok && !*exists && !code_is(&answer, "NoSuchBucket"))
        ok = s3_answer_error(store, &call, &answer, error);
    http_answer_destroy(&answer);
    return ok;
}

bool s3_bucket_make(struct store *base, struct error *error)
{
    const struct s3_store *store = (const struct s3_store *)base;
    struct s3_call call = {.method = "PUT", .repeat = HTTP_REPEAT_ANY};
    struct http_answer answer = {0};
    struct buffer body = {0};
    bool ok = true;
    /* The oldest region is the one that is not named. */
    if (strcmp(store->connection->region, "us-east-1") != 0)
        ok = buffer_append_format(&body, error,
                                  "<CreateBucketConfiguration><LocationConstraint>%s"
                                  "</LocationConstraint></CreateBucketConfiguration>",
                                  store->connection->region);
    call.body = buffer_slice(&body);
    ok = ok && s3_send(store, &call, &answer, error);
    if (ok && answer.status != 200 && !code_is(&answer, "BucketAlreadyOwnedByYou"))
        ok = s3_answer_error(store, &call, &answer, error);
    http_answer_destroy(&answer);
    buffer_destroy(&body);
    return ok;
}

bool s3_bucket_remove(struct store *base, bool *removed, struct error *error)
{
    const struct s3_store *store = (const struct s3_store *)base;
    struct s3_call call = {.method = "DELETE", .repeat = HTTP_REPEAT_ANY};
    struct http_answer answer = {0};
    bool ok = s3_send(store, &call, &answer, error);
    *removed =
        ok && (answer.status == 204 || answer.status == 200 || code_is(&answer, "NoSuchBucket"));
    if (ok && !*removed && !code_is(&answer, "BucketNotEmpty"))
        ok = s3_answer_error(store, &call, &answer, error);
    http_answer_destroy(&answer);
    return ok;
}
