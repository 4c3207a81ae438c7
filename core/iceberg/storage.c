#include "core/iceberg/storage.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/iceberg/table.h"

static const char hint_key[] = "metadata/version-hint.text";
static const char *const suffixes[] = {".metadata.json", ".gz.metadata.json", ".metadata.json.gz"};
enum { SUFFIXES = sizeof suffixes / sizeof *suffixes, DIGITS = 18 };

static bool storage_is_suffix(const char *text)
{
    for (size_t i = 0; i < SUFFIXES; i++) {
        if (strcmp(text, suffixes[i]) == 0)
            return true;
    }
    return false;
}

/* Reads digits; NULL when there are none or too many. */
static const char *storage_digits(const char *text, int64_t *out)
{
    const char *at = text;
    *out = 0;
    for (; *at >= '0' && *at <= '9' && at - text < DIGITS; at++)
        *out = *out * 10 + (*at - '0');
    return at == text ? NULL : at;
}

int64_t storage_name_version(const char *name)
{
    int64_t version = -1;
    const char *rest = *name == 'v' ? storage_digits(name + 1, &version) : NULL;
    return rest && storage_is_suffix(rest) ? version : -1;
}

int64_t storage_name_number(const char *name)
{
    int64_t number = -1;
    const char *rest = storage_digits(name, &number);
    if (rest == NULL || *rest != '-')
        return -1;
    const char *dot = strchr(rest, '.');
    return dot && storage_is_suffix(dot) ? number : -1;
}

void storage_version_key(int64_t version, char out[STORAGE_NAME_SIZE])
{
    snprintf(out, STORAGE_NAME_SIZE, "metadata/v%" PRId64 ".metadata.json", version);
}

int64_t storage_read_hint(struct store *store)
{
    struct buffer text = {0};
    int64_t version = -1;
    if (store_read(store, hint_key, &text, NULL) && text.length && text.length <= DIGITS + 2 &&
        buffer_text(&text, NULL)) {
        const char *at = text.data + strspn(text.data, " \t\r\n");
        const char *rest = storage_digits(at, &version);
        if (rest == NULL || rest[strspn(rest, " \t\r\n")] != '\0')
            version = -1;
    }
    buffer_destroy(&text);
    return version;
}

/* Fills `key` with the form of that version that exists. */
static bool storage_version_exists(struct store *store, int64_t version, char *key, bool *exists,
                                   struct error *error)
{
    *exists = false;
    for (size_t i = 0; i < SUFFIXES && !*exists; i++) {
        snprintf(key, STORAGE_NAME_SIZE, "metadata/v%" PRId64 "%s", version, suffixes[i]);
        TRY(store_exists(store, key, exists, error));
    }
    return true;
}

bool storage_list_head(struct store *store, struct storage_head *out, struct error *error)
{
    struct store_listing listing;
    struct error problem = {0};
    *out = (struct storage_head){.version = -1};
    if (!store_list(store, "metadata/", &listing, &problem)) {
        if (problem.kind == ERROR_NOT_FOUND)
            return true;
        if (error)
            *error = problem;
        return false;
    }
    char twin[STORAGE_NAME_SIZE] = "";
    for (size_t i = 0; i < listing.count; i++) {
        const char *name = listing.entries[i].key + strlen("metadata/");
        int64_t version = storage_name_version(name), number = storage_name_number(name);
        bool versioned = version >= 0;
        if (!versioned && (number < 0 || out->versioned))
            continue;
        int64_t value = versioned ? version : number;
        if (!versioned && value == out->version)
            snprintf(twin, sizeof twin, "%s", name);
        if (value > out->version || (versioned && !out->versioned)) {
            *out = (struct storage_head){.version = value, .versioned = versioned};
            snprintf(out->key, sizeof out->key, "%s", listing.entries[i].key);
            twin[0] = '\0';
        }
    }
    store_listing_destroy(&listing);
    if (twin[0])
        return error_set(error, ERROR_CONFLICT,
                         "name the metadata file that the catalog points to, or load the table "
                         "through its catalog",
                         "%s: two metadata files have the highest number: %s and %s",
                         store_root(store), out->key, twin);
    return true;
}

bool storage_find_head(struct store *store, struct storage_head *out, struct error *error)
{
    int64_t hint = storage_read_hint(store);
    bool exists = false;
    *out = (struct storage_head){.version = -1};
    if (hint >= 0)
        TRY(storage_version_exists(store, hint, out->key, &exists, error));
    if (!exists)
        return storage_list_head(store, out, error);
    out->versioned = true;
    out->version = hint;
    for (;;) {
        char next[STORAGE_NAME_SIZE];
        TRY(storage_version_exists(store, out->version + 1, next, &exists, error));
        if (!exists)
            return true;
        out->version++;
        memcpy(out->key, next, sizeof next);
    }
}

/* ---- opening by URI ---- */

static bool storage_is_metadata_name(const char *uri)
{
    const char *name = strrchr(uri, '/');
    name = name ? name + 1 : uri;
    return slice_ends_with(slice_of(name), SLICE_LITERAL(".json")) ||
           slice_ends_with(slice_of(name), SLICE_LITERAL(".json.gz"));
}

static bool storage_open_file(const char *uri, struct iceberg_table *out, struct error *error)
{
    const char *slash = strrchr(uri, '/');
    struct buffer text = {0}, folder = {0};
    bool ok = buffer_append(&folder, slash ? uri : ".", slash ? (size_t)(slash - uri) : 1, error) &&
              (slash != uri || buffer_append_byte(&folder, '/', error)) &&
              buffer_text(&folder, error) != NULL;
    struct store *store = ok ? store_open(folder.data, NULL, error) : NULL;
    ok = store && store_read(store, slash ? slash + 1 : uri, &text, error) &&
         iceberg_table_parse(buffer_slice(&text), uri, out, error);
    store_close(store);
    buffer_destroy(&text);
    buffer_destroy(&folder);
    return ok;
}

bool iceberg_table_open(const char *uri, struct iceberg_table *out, struct error *error)
{
    *out = (struct iceberg_table){0};
    if (storage_is_metadata_name(uri))
        return storage_open_file(uri, out, error);
    struct storage_head head;
    struct store *store = store_open(uri, NULL, error);
    TRY(store != NULL);
    bool ok = storage_find_head(store, &head, error);
    if (ok && head.version < 0)
        ok = error_set(error, ERROR_NOT_FOUND,
                       "name the folder that holds \"metadata\", or a metadata file",
                       "%s: no Iceberg table there (no metadata files)", uri);
    struct buffer file = {0};
    ok = ok && buffer_append_format(&file, error, "%s/%s", store_root(store), head.key) &&
         buffer_text(&file, error) != NULL && storage_open_file(file.data, out, error);
    buffer_destroy(&file);
    store_close(store);
    return ok;
}
