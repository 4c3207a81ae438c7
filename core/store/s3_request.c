/* A request to S3: its URL, its signature, and the tries that only S3's own codes allow. */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/net/sha256.h"
#include "core/store/s3_store.h"

enum { HEADERS_MOST = S3_HEADERS + 8 };

struct signing {
    const struct s3_store *store;
    const struct s3_call *call;
    struct buffer host, path, query, url;
    char payload[SHA256_HEX_SIZE];
};

void s3_call_parameter(struct s3_call *call, const char *name, const char *value)
{
    if (call->parameter_count < S3_PARAMETERS)
        call->parameters[call->parameter_count++] = (struct sigv4_pair){name, value};
}

void s3_call_header(struct s3_call *call, const char *name, const char *value)
{
    if (call->header_count < S3_HEADERS)
        call->headers[call->header_count++] = (struct sigv4_pair){name, value};
}

char *s3_place(const struct s3_store *store, const char *key)
{
    return memory_format(NULL, "s3://%s/%s%s", store->bucket, store->prefix, key ? key : "");
}

bool s3_check_key(const struct s3_store *store, const char *key, struct error *error)
{
    size_t length = strlen(store->prefix) + strlen(key);
    if (!store_key_is_good(key))
        return error_set(error, ERROR_INPUT,
                         "keys are relative paths without '.', '..' or empty parts",
                         "%s: not a key: \"%s\"", store->base.uri, key);
    return length <= 1024 ||
           error_set(error, ERROR_INPUT, "use shorter names",
                     "%s: a key of %zu bytes; S3 takes 1024", store->base.uri, length);
}

/* A bucket with dots in front of the host fits no certificate. */
static bool in_path(const struct s3_store *store)
{
    const struct s3_connection *connection = store->connection;
    return connection->path_style ||
           (strchr(store->bucket, '.') && strcmp(connection->scheme, "https") == 0);
}

static bool signing_make(struct signing *signing, struct error *error)
{
    const struct s3_store *store = signing->store;
    const struct s3_connection *connection = store->connection;
    const struct s3_call *call = signing->call;
    struct buffer *path = &signing->path;
    uint8_t hash[SHA256_SIZE];
    if (!in_path(store))
        TRY(buffer_append_format(&signing->host, error, "%s.", store->bucket));
    TRY(buffer_append_text(&signing->host, connection->host, error));
    TRY(uri_append_path(path, slice_of(connection->base), error));
    if (in_path(store))
        TRY(buffer_append_byte(path, '/', error) &&
            uri_append_path(path, slice_of(store->bucket), error));
    TRY(call->key || in_path(store) || buffer_append_byte(path, '/', error));
    if (call->key)
        TRY(buffer_append_byte(path, '/', error) &&
            uri_append_path(path, slice_of(store->prefix), error) &&
            uri_append_path(path, slice_of(call->key), error));
    TRY(uri_append_query(&signing->query, call->parameters, call->parameter_count, error));
    TRY(buffer_text(&signing->host, error) && buffer_text(path, error) &&
        buffer_text(&signing->query, error));
    TRY(buffer_append_format(&signing->url, error, "%s://%s%s%s%s", connection->scheme,
                             signing->host.data, path->data, signing->query.length ? "?" : "",
                             signing->query.data));
    TRY(buffer_text(&signing->url, error));
    sha256(call->body, hash);
    sha256_hex(hash, signing->payload);
    return true;
}

static void signing_destroy(struct signing *signing)
{
    buffer_destroy(&signing->host);
    buffer_destroy(&signing->path);
    buffer_destroy(&signing->query);
    buffer_destroy(&signing->url);
}

static bool signing_prepare(void *context, struct buffer *lines, struct error *error)
{
    const struct signing *signing = context;
    const struct s3_call *call = signing->call;
    const struct s3_connection *connection = signing->store->connection;
    struct sigv4_pair headers[HEADERS_MOST];
    char time[SIGV4_TIME_SIZE];
    size_t count = 0;
    sigv4_time(clock_now_us(), time);
    headers[count++] = (struct sigv4_pair){"Host", signing->host.data};
    headers[count++] = (struct sigv4_pair){"x-amz-date", time};
    headers[count++] = (struct sigv4_pair){"x-amz-content-sha256", signing->payload};
    if (connection->session_token)
        headers[count++] = (struct sigv4_pair){"x-amz-security-token", connection->session_token};
    for (size_t i = 0; i < call->header_count; i++)
        headers[count++] = call->headers[i];
    const struct sigv4_request request = {
        call->method, signing->path.data, signing->query.data, headers, count, signing->payload};
    const struct sigv4_key key = {connection->access_key, connection->secret, connection->region,
                                  "s3"};
    if (call->begin)
        call->begin(call->context);
    for (size_t i = 0; i < count; i++)
        TRY(buffer_append_format(lines, error, "%s: %s\n", headers[i].name, headers[i].value));
    return buffer_append_text(lines, "Authorization: ", error) &&
           sigv4_sign(&request, &key, time, lines, error) && buffer_append_byte(lines, '\n', error);
}

/* http.h knows one context; take() wants the call's. */
static bool signing_take(void *context, const void *data, size_t length, struct error *error)
{
    const struct s3_call *call = ((struct signing *)context)->call;
    return call->take(call->context, data, length, error);
}

/* Refused as a whole, for a reason that may be gone the next time: harm on the way, another request
 * to the same key under way. */
static bool answer_is_passing(const struct http_answer *answer)
{
    static const char *const codes[] = {"BadDigest",
                                        "XAmzContentSHA256Mismatch",
                                        "IncompleteBody",
                                        "RequestTimeout",
                                        "ConditionalRequestConflict",
                                        "OperationAborted",
                                        "XAmzContentChecksumMismatch"};
    struct s3_trouble trouble;
    if (answer->status != 400 && answer->status != 409)
        return false;
    s3_read_trouble(answer, &trouble);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(trouble.code, codes[i]) == 0)
            return true;
    return false;
}

bool s3_send(const struct s3_store *store, const struct s3_call *call, struct http_answer *answer,
             struct error *error)
{
    struct signing signing = {.store = store, .call = call};
    const struct http_options *options = &store->connection->options;
    bool ok = signing_make(&signing, error), perhaps_done = false;
    for (int tries = 1; ok; tries++) {
        const struct http_request request = {
            .method = call->method,
            .url = signing.url.data,
            .body = call->body,
            .repeat = call->repeat,
            .prepare = signing_prepare,
            .take = call->take ? signing_take : NULL,
            .context = &signing,
        };
        ok = http_send(store->connection->client, &request, answer, error);
        perhaps_done |= answer->perhaps_done;
        if (!ok || !answer_is_passing(answer) || tries >= options->tries)
            break;
        http_wait(tries, options->wait_ms, 0, NULL);
    }
    answer->perhaps_done = perhaps_done;
    signing_destroy(&signing);
    return ok;
}

/* Whoever answers 200 to an object's GET without these is somebody else: a console, a proxy. */
static bool is_s3(const struct http_answer *answer)
{
    return http_header(answer, "etag").length || http_header(answer, "x-amz-request-id").length ||
           http_header(answer, "x-amz-id-2").length;
}

bool s3_do(const struct s3_store *store, const struct s3_call *call, struct http_answer *answer,
           struct error *error)
{
    TRY(s3_send(store, call, answer, error));
    bool good = answer->status >= 200 && answer->status < 300;
    if (good && (call->key == NULL || is_s3(answer)))
        return true;
    return s3_answer_error(store, call, answer, error);
}
