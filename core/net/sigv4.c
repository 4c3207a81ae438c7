#include "core/net/sigv4.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/net/sha256.h"

enum { HEADERS_MOST = 32, PARAMETERS_MOST = 16, DAY_LENGTH = 8 };

static bool append_encoded(struct buffer *out, struct slice text, const char *also,
                           struct error *error)
{
    static const char digits[] = "0123456789ABCDEF";
    TRY(buffer_reserve(out, text.length * 3, error));
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                     (c && strchr("-._~", c)) || (c && strchr(also, c));
        if (plain) {
            out->data[out->length++] = (char)c;
        } else {
            out->data[out->length++] = '%';
            out->data[out->length++] = digits[c >> 4];
            out->data[out->length++] = digits[c & 15];
        }
    }
    return true;
}

bool uri_append_encoded(struct buffer *out, struct slice text, struct error *error)
{
    return append_encoded(out, text, "", error);
}

bool uri_append_path(struct buffer *out, struct slice path, struct error *error)
{
    return append_encoded(out, path, "/", error);
}

static int compare_pairs(const void *a, const void *b)
{
    const struct sigv4_pair *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    if (order)
        return order;
    return strcmp(left->value ? left->value : "", right->value ? right->value : "");
}

/* Sorted by the raw bytes: the encoded order is the same but for bytes that S3's parameter names
 * never have, and the values of one name, which it never repeats. */
bool uri_append_query(struct buffer *out, const struct sigv4_pair *parameters, size_t count,
                      struct error *error)
{
    struct sigv4_pair sorted[PARAMETERS_MOST];
    if (count > PARAMETERS_MOST)
        return error_set(error, ERROR_INTERNAL, NULL, "a query of %zu parameters", count);
    if (count == 0)
        return true;
    memcpy(sorted, parameters, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_pairs);
    for (size_t i = 0; i < count; i++) {
        TRY(i == 0 || buffer_append_byte(out, '&', error));
        TRY(uri_append_encoded(out, slice_of(sorted[i].name), error));
        TRY(buffer_append_byte(out, '=', error));
        TRY(uri_append_encoded(out, slice_of(sorted[i].value), error));
    }
    return true;
}

void sigv4_time(int64_t time_us, char out[SIGV4_TIME_SIZE])
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(out, SIGV4_TIME_SIZE, "%Y%m%dT%H%M%SZ", &parts) == 0)
        memcpy(out, "19700101T000000Z", SIGV4_TIME_SIZE);
}

static int compare_headers(const void *a, const void *b)
{
    const struct sigv4_pair *left = *(const struct sigv4_pair *const *)a;
    const struct sigv4_pair *right = *(const struct sigv4_pair *const *)b;
    int order = strcasecmp(left->name, right->name);
    /* Of one name: in the order they are sent, which is that of the caller's array. */
    return order ? order : (left > right) - (left < right);
}

static bool append_lower(struct buffer *out, const char *text, struct error *error)
{
    size_t from = out->length;
    TRY(buffer_append_text(out, text, error));
    for (size_t i = from; i < out->length; i++)
        if (out->data[i] >= 'A' && out->data[i] <= 'Z')
            out->data[i] = (char)(out->data[i] + ('a' - 'A'));
    return true;
}

/* Without blanks around it, runs of blanks inside as one. */
static bool append_trimmed(struct buffer *out, const char *text, struct error *error)
{
    bool gap = false, begun = false;
    for (; *text; text++) {
        if (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r') {
            gap = begun;
            continue;
        }
        TRY(!gap || buffer_append_byte(out, ' ', error));
        TRY(buffer_append_byte(out, (uint8_t)*text, error));
        gap = false;
        begun = true;
    }
    return true;
}

/* Appends the canonical headers to `out` and their names to `names`. */
static bool append_headers(struct buffer *out, struct buffer *names,
                           const struct sigv4_request *request, struct error *error)
{
    const struct sigv4_pair *sorted[HEADERS_MOST];
    size_t count = request->header_count;
    if (count > HEADERS_MOST)
        return error_set(error, ERROR_INTERNAL, NULL, "a request of %zu headers", count);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &request->headers[i];
    if (count)
        qsort(sorted, count, sizeof *sorted, compare_headers);
    for (size_t i = 0; i < count; i++) {
        bool again = i && strcasecmp(sorted[i]->name, sorted[i - 1]->name) == 0;
        if (again) {
            out->length--; /* the line's end: a second value of the same header */
            TRY(buffer_append_byte(out, ',', error));
        } else {
            TRY(append_lower(out, sorted[i]->name, error) && buffer_append_byte(out, ':', error));
            TRY(i == 0 || buffer_append_byte(names, ';', error));
            TRY(append_lower(names, sorted[i]->name, error));
        }
        TRY(append_trimmed(out, sorted[i]->value, error) && buffer_append_byte(out, '\n', error));
    }
    return true;
}

static void signing_key(const struct sigv4_key *key, struct slice prefixed, struct slice day,
                        uint8_t out[SHA256_SIZE])
{
    uint8_t a[SHA256_SIZE], b[SHA256_SIZE];
    sha256_hmac(prefixed, day, a);
    sha256_hmac(slice_make(a, sizeof a), slice_of(key->region), b);
    sha256_hmac(slice_make(b, sizeof b), slice_of(key->service), a);
    sha256_hmac(slice_make(a, sizeof a), SLICE_LITERAL("aws4_request"), out);
    explicit_bzero(a, sizeof a);
    explicit_bzero(b, sizeof b);
}

bool sigv4_sign(const struct sigv4_request *request, const struct sigv4_key *key, const char *time,
                struct buffer *out, struct error *error)
{
    struct buffer canonical = {0}, names = {0}, text = {0}, secret = {0};
    uint8_t hash[SHA256_SIZE], derived[SHA256_SIZE];
    char hex[SHA256_HEX_SIZE];
    struct slice day = slice_make(time, DAY_LENGTH);
    bool ok =
        buffer_append_format(&canonical, error, "%s\n%s\n%s\n", request->method, request->path,
                             request->query) &&
        append_headers(&canonical, &names, request, error) && buffer_text(&names, error) &&
        buffer_append_format(&canonical, error, "\n%s\n%s", names.data, request->payload_hash);
    if (ok) {
        sha256(buffer_slice(&canonical), hash);
        sha256_hex(hash, hex);
    }
    ok = ok &&
         buffer_append_format(&text, error, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s",
                              time, time, key->region, key->service, hex);
    ok = ok && buffer_append_format(&secret, error, "AWS4%s", key->secret);
    if (ok) {
        signing_key(key, buffer_slice(&secret), day, derived);
        sha256_hmac(slice_make(derived, sizeof derived), buffer_slice(&text), hash);
        sha256_hex(hash, hex);
        explicit_bzero(derived, sizeof derived);
    }
    ok = ok &&
         buffer_append_format(out, error,
                              "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, "
                              "SignedHeaders=%s, Signature=%s",
                              key->access_key, time, key->region, key->service, names.data, hex);
    if (secret.data)
        explicit_bzero(secret.data, secret.capacity);
    buffer_destroy(&secret);
    buffer_destroy(&canonical);
    buffer_destroy(&names);
    buffer_destroy(&text);
    return ok;
}
