/* What S3 says went wrong: a kind, and what to do about it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/datetime.h"
#include "core/store/s3_store.h"
#include "core/store/s3_xml.h"

struct code_rule {
    const char *code;
    enum error_kind kind;
    const char *remedy;
};

static const char later[] = "the service is busy or in trouble: look at it, then try again";
static const char secret[] =
    "the secret does not belong to the access key: set it anew (blanks and "
    "line ends count); a proxy that changes the host's name does this too";
static const char key[] = "the access key is not known there: check it, and the end point";
static const char denied[] =
    "give this key the right to do it (a policy on the bucket or the user), or use another key";

static const struct code_rule rules[] = {
    {"NoSuchKey", ERROR_NOT_FOUND, NULL},
    {"NoSuchUpload", ERROR_CONFLICT, "somebody ended the upload: run the same command again"},
    {"NoSuchBucket", ERROR_CONFIG, "create the bucket, or check its name and the end point"},
    {"InvalidBucketName", ERROR_CONFIG,
     "a bucket's name has 3 to 63 small letters, digits, dots and dashes"},
    {"AccessDenied", ERROR_REFUSED, denied},
    {"AllAccessDisabled", ERROR_REFUSED, denied},
    {"MethodNotAllowed", ERROR_REFUSED, denied},
    {"InvalidAccessKeyId", ERROR_REFUSED, key},
    {"SignatureDoesNotMatch", ERROR_REFUSED, secret},
    {"ExpiredToken", ERROR_REFUSED, "the session has ended: fetch new keys and a new token"},
    {"InvalidToken", ERROR_REFUSED, "the session token is wrong: fetch new keys and a new token"},
    {"XMinioInvalidObjectName", ERROR_INPUT, "use another name"},
    {"KeyTooLongError", ERROR_INPUT, "use shorter names"},
    {"EntityTooLarge", ERROR_INPUT, NULL},
    {"QuotaExceeded", ERROR_IO, "make room, or raise the bucket's quota"},
    {"XMinioStorageFull", ERROR_IO, "the server's disks are full: make room there"},
    {"XMinioAdminBucketQuotaExceeded", ERROR_IO, "make room, or raise the bucket's quota"},
    {"NotImplemented", ERROR_UNSUPPORTED, "use a server that can do it"},
    {"PreconditionFailed", ERROR_CONFLICT, "it was changed meanwhile: run the same command again"},
    {"ConditionalRequestConflict", ERROR_CONFLICT, "run the same command again"},
    {"OperationAborted", ERROR_CONFLICT, "run the same command again"},
    {"SlowDown", ERROR_UNREACHABLE, later},
    {"InternalError", ERROR_UNREACHABLE, later},
    {"ServiceUnavailable", ERROR_UNREACHABLE, later},
    {"XMinioServerNotInitialized", ERROR_UNREACHABLE, later},
    {"BadDigest", ERROR_UNREACHABLE, "the bytes were harmed on the way: try again"},
    {"XAmzContentSHA256Mismatch", ERROR_UNREACHABLE, "the bytes were harmed on the way: try again"},
    {"IncompleteBody", ERROR_UNREACHABLE, "the bytes were harmed on the way: try again"},
    {"RequestTimeout", ERROR_UNREACHABLE, later},
};

static void copy_plain(char *out, size_t size, struct slice text)
{
    size_t length = text.length < size - 1 ? text.length : size - 1;
    while (length < text.length && length && ((unsigned char)text.data[length] & 0xc0) == 0x80)
        length--; /* whole characters */
    for (size_t i = 0; i < length; i++)
        out[i] = (unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f ? ' ' : text.data[i];
    out[length] = '\0';
}

static bool trouble_element(void *context, const char *path, struct slice text, struct error *error)
{
    struct s3_trouble *out = context;
    (void)error;
    if (strcmp(path, "Code") == 0)
        copy_plain(out->code, sizeof out->code, text);
    else if (strcmp(path, "Message") == 0)
        copy_plain(out->message, sizeof out->message, text);
    else if (strcmp(path, "Region") == 0)
        copy_plain(out->region, sizeof out->region, text);
    else if (strcmp(path, "ServerTime") == 0)
        copy_plain(out->server_time, sizeof out->server_time, text);
    return true;
}

void s3_read_trouble(const struct http_answer *answer, struct s3_trouble *out)
{
    *out = (struct s3_trouble){0};
    if (answer->body.length &&
        !s3_xml_walk(buffer_slice(&answer->body), "Error", trouble_element, out, NULL))
        *out = (struct s3_trouble){0};
    struct slice region = http_header(answer, "x-amz-bucket-region");
    if (region.length && out->region[0] == '\0')
        copy_plain(out->region, sizeof out->region, region);
    struct slice date = http_header(answer, "date");
    struct tm parts = {0};
    char text[40];
    copy_plain(text, sizeof text, date);
    if (out->server_time[0] == '\0' && strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &parts))
        strftime(out->server_time, sizeof out->server_time, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

/* "GET s3://bucket/key", with the reason behind it: the code, or the status. */
static bool error_begin(const struct s3_store *store, const struct s3_call *call,
                        enum error_kind kind, const char *remedy, const char *reason,
                        struct error *error)
{
    char *place = s3_place(store, call->key);
    error_set(error, kind, remedy, "%s %s: %s", call->method, place ? place : store->base.uri,
              reason);
    free(place);
    return false;
}

static bool error_skew(const struct s3_store *store, const struct s3_call *call,
                       const struct s3_trouble *trouble, struct error *error)
{
    char ours[DATETIME_TEXT_SIZE], reason[256];
    int64_t now_us = clock_now_us() / 1000000 * 1000000, theirs_us = 0;
    datetime_format_timestamp(now_us, true, ours);
    if (datetime_parse_timestamptz(slice_of(trouble->server_time), &theirs_us)) {
        int64_t seconds = (now_us - theirs_us) / 1000000;
        bool ahead = seconds > 0;
        seconds = ahead ? seconds : -seconds;
        snprintf(reason, sizeof reason,
                 "RequestTimeTooSkewed: this machine's clock says %s, the server's %s: ours is "
                 "%lld min %lld s %s",
                 ours, trouble->server_time, (long long)(seconds / 60), (long long)(seconds % 60),
                 ahead ? "ahead" : "behind");
    } else {
        snprintf(reason, sizeof reason,
                 "RequestTimeTooSkewed: this machine's clock says %s, and the server's another "
                 "time",
                 ours);
    }
    return error_begin(store, call, ERROR_REFUSED,
                       "set the clock that is wrong (timedatectl set-ntp true); time zones do not "
                       "matter",
                       reason, error);
}

static bool error_region(const struct s3_store *store, const struct s3_call *call,
                         const struct s3_trouble *trouble, struct error *error)
{
    char reason[320];
    snprintf(reason, sizeof reason, "signed for region %s, but the bucket is in %s",
             store->connection->region, trouble->region);
    error_begin(store, call, ERROR_CONFIG, NULL, reason, error);
    return error_remedy(error, "set lake.s3.region: %s in the profile (AWS_REGION without one)",
                        trouble->region);
}

static bool error_foreign(const struct s3_store *store, const struct s3_call *call, long status,
                          struct error *error)
{
    char reason[320];
    snprintf(reason, sizeof reason, "%s://%s answers with status %ld, but not as S3 does",
             store->connection->scheme, store->connection->host, status);
    return error_begin(store, call, ERROR_CONFIG,
                       "another service listens there: check host and port of the end point "
                       "(MinIO's console has a port of its own)",
                       reason, error);
}

static const struct code_rule *find_rule(const char *code)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].code, code) == 0)
            return &rules[i];
    return NULL;
}

/* Where S3 sends no code: HEAD, and what stands before it. */
static bool error_status(const struct s3_store *store, const struct s3_call *call, long status,
                         struct error *error)
{
    bool head = strcmp(call->method, "HEAD") == 0;
    char reason[64];
    snprintf(reason, sizeof reason, "status %ld", status);
    if (status == 404 && head)
        return error_begin(store, call, ERROR_NOT_FOUND, NULL, "no such object", error);
    if (status == 403 && head)
        return error_begin(store, call, ERROR_REFUSED, denied, reason, error);
    if (status == 429 || status >= 500)
        return error_begin(store, call, ERROR_UNREACHABLE, later, reason, error);
    return error_foreign(store, call, status, error);
}

bool s3_answer_error(const struct s3_store *store, const struct s3_call *call,
                     const struct http_answer *answer, struct error *error)
{
    struct s3_trouble trouble;
    char reason[S3_CODE_SIZE + sizeof trouble.message + 4];
    s3_read_trouble(answer, &trouble);
    bool region = strcmp(trouble.code, "AuthorizationHeaderMalformed") == 0 ||
                  strcmp(trouble.code, "PermanentRedirect") == 0 ||
                  strcmp(trouble.code, "TemporaryRedirect") == 0 ||
                  (answer->status >= 300 && answer->status < 400) ||
                  (answer->status == 400 && trouble.code[0] == '\0');
    if (region && trouble.region[0] && strcmp(trouble.region, store->connection->region) != 0)
        return error_region(store, call, &trouble, error);
    if (strcmp(trouble.code, "RequestTimeTooSkewed") == 0)
        return error_skew(store, call, &trouble, error);
    if (trouble.code[0] == '\0')
        return error_status(store, call, answer->status, error);
    const struct code_rule *rule = find_rule(trouble.code);
    enum error_kind kind = rule                    ? rule->kind
                           : answer->status == 403 ? ERROR_REFUSED
                           : answer->status == 404 ? ERROR_NOT_FOUND
                           : answer->status >= 500 ? ERROR_UNREACHABLE
                                                   : ERROR_CONFIG;
    snprintf(reason, sizeof reason, "%s%s%s", trouble.code, trouble.message[0] ? ": " : "",
             trouble.message);
    return error_begin(store, call, kind,
                       rule                    ? rule->remedy
                       : kind == ERROR_REFUSED ? denied
                                               : NULL,
                       reason, error);
}
