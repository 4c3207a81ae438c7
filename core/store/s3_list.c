/* Listing in pages, removing one by one and by the thousand, sweeping uploads that nobody ended. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/base/datetime.h"
#include "core/base/memory.h"
#include "core/net/sha256.h"
#include "core/store/s3_store.h"
#include "core/store/s3_xml.h"

enum { REMOVED_AT_ONCE = 1000, SWEEP_AGE_HOURS = 24 };

/* ---- listing ---- */

struct page {
    const struct s3_store *store;
    struct store_listing *out;
    size_t *capacity;
    size_t most;
    char *key; /* of the object being read, in the listing's arena */
    uint64_t size;
    int64_t modified_ms;
    struct buffer token;
    bool more;
};

/* Below the store; NULL for what is not, and for the markers of folders that some clients make. */
static const char *page_key(const struct page *page, struct slice text, bool folder,
                            struct error *error)
{
    size_t prefix = strlen(page->store->prefix);
    if (text.length <= prefix || memcmp(text.data, page->store->prefix, prefix) != 0 ||
        (text.data[text.length - 1] == '/') != folder)
        return NULL;
    return arena_copy_slice(&page->out->arena, slice_make(text.data + prefix, text.length - prefix),
                            error);
}

static bool page_add(struct page *page, const char *key, struct error *error)
{
    struct store_listing *out = page->out;
    if (page->most && out->count == page->most)
        return true;
    TRY(memory_grow(&out->entries, page->capacity, out->count + 1, sizeof *out->entries, error));
    out->entries[out->count++] = (struct store_entry){key, page->size, page->modified_ms};
    return true;
}

static bool page_element(void *context, const char *path, struct slice text, struct error *error)
{
    struct page *page = context;
    int64_t us;
    if (strcmp(path, "Contents/Key") == 0) {
        struct error own = {0};
        page->key = (char *)page_key(page, text, false, &own);
        page->size = 0;
        page->modified_ms = 0;
        if (own.kind && error)
            *error = own;
        return own.kind == ERROR_NONE;
    }
    if (strcmp(path, "Contents/Size") == 0) {
        for (size_t i = 0; i < text.length && i < 19; i++)
            page->size = page->size * 10 + (uint64_t)((unsigned char)(text.data[i] - '0') % 10);
    } else if (strcmp(path, "Contents/LastModified") == 0) {
        page->modified_ms = datetime_parse_timestamptz(text, &us) ? us / 1000 : 0;
    } else if (strcmp(path, "Contents") == 0) {
        const char *key = page->key;
        page->key = NULL;
        return key == NULL || page_add(page, key, error);
    } else if (strcmp(path, "CommonPrefixes/Prefix") == 0) {
        const char *key = page_key(page, text, true, error);
        page->size = 0;
        page->modified_ms = 0;
        return key == NULL || page_add(page, key, error);
    } else if (strcmp(path, "NextContinuationToken") == 0) {
        buffer_clear(&page->token);
        return buffer_append_slice(&page->token, text, error);
    } else if (strcmp(path, "IsTruncated") == 0) {
        page->more = slice_is(text, "true");
    }
    return true;
}

static bool list_error(const struct s3_store *store, struct error *error)
{
    char reason[ERROR_MESSAGE_SIZE];
    snprintf(reason, sizeof reason, "%.300s", error ? error->message : "");
    error_set(error, ERROR_CONFIG,
              "another service listens there: check host and port of the end point (MinIO's "
              "console has a port of its own)",
              "%s: the answer to a listing is none of S3: %s", store->base.uri, reason);
    return false;
}

/* One page; `token` is the one of the page before, NULL for the first. */
static bool list_page(struct page *page, const struct s3_list *list, const char *prefix,
                      const char *after, const char *token, struct error *error)
{
    struct s3_call call = {.method = "GET", .repeat = HTTP_REPEAT_ANY};
    struct http_answer answer = {0};
    char most[16];
    s3_call_parameter(&call, "list-type", "2");
    s3_call_parameter(&call, "prefix", prefix);
    if (list->delimiter)
        s3_call_parameter(&call, "delimiter", list->delimiter);
    if (list->page) {
        snprintf(most, sizeof most, "%d", list->page);
        s3_call_parameter(&call, "max-keys", most);
    }
    if (token)
        s3_call_parameter(&call, "continuation-token", token);
    else if (after)
        s3_call_parameter(&call, "start-after", after);
    bool ok = s3_do(page->store, &call, &answer, error);
    page->more = false;
    buffer_clear(&page->token);
    if (ok &&
        !s3_xml_walk(buffer_slice(&answer.body), "ListBucketResult", page_element, page, error))
        ok = error && error->kind == ERROR_MEMORY ? false : list_error(page->store, error);
    http_answer_destroy(&answer);
    return ok;
}

static bool list_pages(struct page *page, const struct s3_list *list, const char *prefix,
                       const char *after, struct error *error)
{
    char *token = NULL;
    bool ok = true;
    do {
        size_t before = page->out->count;
        ok = list_page(page, list, prefix, after, token, error);
        bool full = page->most && page->out->count >= page->most;
        if (!ok || !page->more || full)
            break;
        /* The same again would be for ever. */
        char *next = memory_copy_slice(buffer_slice(&page->token), error);
        ok = next != NULL;
        if (ok &&
            (*next == '\0' || (token && strcmp(next, token) == 0 && page->out->count == before)))
            ok =
                error_set(error, ERROR_UNREACHABLE, "is this S3?",
                          "%s: the listing goes on, but does not say where", page->store->base.uri);
        free(token);
        token = next;
    } while (ok);
    free(token);
    return ok;
}

bool s3_list_objects(const struct s3_store *store, const struct s3_list *list,
                     struct store_listing *out, struct error *error)
{
    size_t capacity = 0;
    *out = (struct store_listing){0};
    struct page page = {.store = store, .out = out, .capacity = &capacity, .most = list->most};
    char *prefix = memory_format(error, "%s%s", store->prefix, list->prefix);
    char *after =
        prefix && list->after ? memory_format(error, "%s%s", store->prefix, list->after) : NULL;
    bool ok =
        prefix && (after || list->after == NULL) && list_pages(&page, list, prefix, after, error);
    if (ok && out->count)
        qsort(out->entries, out->count, sizeof *out->entries, store_compare_entries);
    buffer_destroy(&page.token);
    free(prefix);
    free(after);
    if (!ok)
        store_listing_destroy(out);
    return ok;
}

bool s3_has_folder(struct store *base, const char *key, bool *there, struct error *error)
{
    const struct s3_store *store = (const struct s3_store *)base;
    struct store_listing listing;
    char *prefix = memory_format(error, "%s%s", key, *key ? "/" : "");
    TRY(prefix != NULL);
    const struct s3_list list = {.prefix = prefix, .most = 1, .page = 2};
    bool ok = s3_list_objects(store, &list, &listing, error);
    *there = ok && (listing.count || (*key == '\0' && *store->prefix == '\0'));
    if (ok)
        store_listing_destroy(&listing);
    free(prefix);
    return ok;
}

bool s3_list_all(struct store *base, const char *prefix, struct store_listing *out,
                 struct error *error)
{
    const struct s3_store *store = (const struct s3_store *)base;
    const struct s3_list list = {.prefix = prefix};
    bool there = true;
    TRY(s3_list_objects(store, &list, out, error));
    if (out->count == 0 && *store->prefix)
        TRY(s3_has_folder(base, "", &there, error));
    return there || error_set(error, ERROR_NOT_FOUND,
                              "check the path: a folder of S3 is there with its first object",
                              "listing %s: nothing is there", base->uri);
}

/* ---- removing ---- */

bool s3_remove(struct store *base, const char *key, struct error *error)
{
    const struct s3_store *store = (const struct s3_store *)base;
    struct s3_call call = {.method = "DELETE", .key = key, .repeat = HTTP_REPEAT_ANY};
    struct http_answer answer = {0};
    struct error own = {0};
    TRY(s3_check_key(store, key, error));
    bool ok = s3_do(store, &call, &answer, &own) || own.kind == ERROR_NOT_FOUND;
    http_answer_destroy(&answer);
    if (!ok && error)
        *error = own;
    return ok;
}

/* The first object that could not be removed. */
struct refusals {
    char code[S3_CODE_SIZE], now_code[S3_CODE_SIZE];
    struct buffer key, now_key;
};

static bool refusal_element(void *context, const char *path, struct slice text, struct error *error)
{
    struct refusals *refusals = context;
    if (strcmp(path, "Error/Key") == 0) {
        buffer_clear(&refusals->now_key);
        return buffer_append_slice(&refusals->now_key, text, error);
    }
    if (strcmp(path, "Error/Code") == 0)
        snprintf(refusals->now_code, sizeof refusals->now_code, "%.*s", SLICE_ARG(text));
    if (strcmp(path, "Error") == 0 && refusals->code[0] == '\0' &&
        strcmp(refusals->now_code, "NoSuchKey") != 0) {
        snprintf(refusals->code, sizeof refusals->code, "%s",
                 refusals->now_code[0] ? refusals->now_code : "Error");
        return buffer_append_slice(&refusals->key, buffer_slice(&refusals->now_key), error);
    }
    return true;
}

static bool read_refusals(const struct s3_store *store, const struct http_answer *answer,
                          struct error *error)
{
    struct refusals refusals = {0};
    bool ok =
        s3_xml_walk(buffer_slice(&answer->body), "DeleteResult", refusal_element, &refusals, error);
    if (ok && refusals.code[0])
        ok = error_set(
            error, strcmp(refusals.code, "AccessDenied") == 0 ? ERROR_REFUSED : ERROR_UNREACHABLE,
            "give this key the right to delete there, or try again", "deleting s3://%s/%.*s: %s",
            store->bucket, SLICE_ARG(buffer_slice(&refusals.key)), refusals.code);
    buffer_destroy(&refusals.key);
    buffer_destroy(&refusals.now_key);
    return ok;
}

static bool remove_some(const struct s3_store *store, const char *const *keys, size_t count,
                        struct error *error)
{
    struct buffer body = {0}, checksum = {0};
    struct s3_call call = {.method = "POST", .repeat = HTTP_REPEAT_ANY};
    struct http_answer answer = {0};
    uint8_t hash[SHA256_SIZE];
    bool ok = buffer_append_text(&body, "<Delete><Quiet>true</Quiet>", error);
    for (size_t i = 0; ok && i < count; i++)
        ok = s3_check_key(store, keys[i], error) &&
             buffer_append_text(&body, "<Object><Key>", error) &&
             s3_xml_append_text(&body, store->prefix, error) &&
             s3_xml_append_text(&body, keys[i], error) &&
             buffer_append_text(&body, "</Key></Object>", error);
    ok = ok && buffer_append_text(&body, "</Delete>", error);
    if (ok) {
        sha256(buffer_slice(&body), hash);
        ok = base64_encode(slice_make(hash, sizeof hash), &checksum, error) &&
             buffer_text(&checksum, error);
    }
    if (ok) {
        call.body = buffer_slice(&body);
        s3_call_parameter(&call, "delete", "");
        s3_call_header(&call, "x-amz-checksum-sha256", checksum.data);
        s3_call_header(&call, "content-type", "application/xml");
    }
    ok = ok && s3_do(store, &call, &answer, error) && read_refusals(store, &answer, error);
    http_answer_destroy(&answer);
    buffer_destroy(&body);
    buffer_destroy(&checksum);
    return ok;
}

bool s3_remove_many(struct store *base, const char *const *keys, size_t count, struct error *error)
{
    for (size_t from = 0; from < count; from += REMOVED_AT_ONCE) {
        size_t left = count - from;
        TRY(remove_some((const struct s3_store *)base, keys + from,
                        left < REMOVED_AT_ONCE ? left : REMOVED_AT_ONCE, error));
    }
    return true;
}

/* ---- uploads that nobody ended ---- */

struct uploads {
    const struct s3_store *store;
    struct buffer key, id;
    int64_t begun_ms, before_ms;
    size_t removed;
    struct error error;
};

static bool upload_remove(struct uploads *uploads, struct error *error)
{
    size_t prefix = strlen(uploads->store->prefix);
    TRY(buffer_text(&uploads->key, error) && buffer_text(&uploads->id, error));
    if (strncmp(uploads->key.data, uploads->store->prefix, prefix) != 0)
        return true;
    struct s3_call call = {
        .method = "DELETE", .key = uploads->key.data + prefix, .repeat = HTTP_REPEAT_ANY};
    struct http_answer answer = {0};
    s3_call_parameter(&call, "uploadId", uploads->id.data);
    bool ok = s3_send(uploads->store, &call, &answer, error);
    uploads->removed += ok && answer.status == 204;
    http_answer_destroy(&answer);
    return ok;
}

static bool upload_element(void *context, const char *path, struct slice text, struct error *error)
{
    struct uploads *uploads = context;
    int64_t us = 0;
    if (strcmp(path, "Upload/Key") == 0) {
        buffer_clear(&uploads->key);
        return buffer_append_slice(&uploads->key, text, error);
    }
    if (strcmp(path, "Upload/UploadId") == 0) {
        buffer_clear(&uploads->id);
        return buffer_append_slice(&uploads->id, text, error);
    }
    if (strcmp(path, "Upload/Initiated") == 0)
        uploads->begun_ms = datetime_parse_timestamptz(text, &us) ? us / 1000 : INT64_MAX;
    if (strcmp(path, "Upload") == 0 && uploads->begun_ms < uploads->before_ms)
        return upload_remove(uploads, error);
    return true;
}

/* The first thousand: the next sweep finds the next. */
bool s3_sweep(struct store *base, const char *prefix, size_t *removed, struct error *error)
{
    const struct s3_store *store = (const struct s3_store *)base;
    struct uploads uploads = {.store = store,
                              .begun_ms = INT64_MAX,
                              .before_ms =
                                  clock_now_ms() - (int64_t)SWEEP_AGE_HOURS * 60 * 60 * 1000};
    struct s3_call call = {.method = "GET", .repeat = HTTP_REPEAT_ANY};
    struct http_answer answer = {0};
    char *full = memory_format(error, "%s%s", store->prefix, prefix);
    TRY(full != NULL);
    s3_call_parameter(&call, "uploads", "");
    s3_call_parameter(&call, "prefix", full);
    bool ok = s3_do(store, &call, &answer, error) &&
              s3_xml_walk(buffer_slice(&answer.body), "ListMultipartUploadsResult", upload_element,
                          &uploads, error);
    http_answer_destroy(&answer);
    buffer_destroy(&uploads.key);
    buffer_destroy(&uploads.id);
    free(full);
    if (removed)
        *removed = uploads.removed;
    return ok;
}
