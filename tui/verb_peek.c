/* surfboard peek: what a file of the lake or of the deltas holds. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/memory.h"
#include "core/codec/codec.h"
#include "core/iceberg/describe.h"
#include "core/iceberg/table.h"
#include "core/parquet/describe.h"
#include "core/store/store.h"
#include "tui/peek_delta.h"
#include "tui/verbs.h"

enum { EVENTS_SHOWN = 20, RECORDS_SHOWN = 20, FILES_SHOWN = 1000, HEAD = 1 << 16 };

enum peek_kind { PEEK_DELTA, PEEK_PARQUET, PEEK_AVRO, PEEK_METADATA };

/* Line by line, as each may hold text from data. */
static bool print_lines(struct command *command, struct slice text, struct error *error)
{
    while (text.length) {
        const char *end = memchr(text.data, '\n', text.length);
        size_t length = end ? (size_t)(end - text.data) : text.length;
        TRY(command_print_data(command, slice_make(text.data, length), error));
        fputc('\n', command->out);
        length += end != NULL;
        text = slice_make(text.data + length, text.length - length);
    }
    return true;
}

static bool print_json(struct command *command, json_t *json, struct error *error)
{
    if (command->json)
        return command_print_json(command, json, error);
    char *text = json_dumps(json, JSON_INDENT(2));
    bool ok = text ? print_lines(command, slice_of(text), error) : error_set_memory(error, 0);
    free(text);
    json_decref(json);
    return ok;
}

/* ---- one file ---- */

/* The beginning of the text, decompressed. */
static bool read_head(const struct source *source, enum codec codec, struct buffer *out,
                      struct error *error)
{
    char in[4096];
    size_t length = source->size < sizeof in ? (size_t)source->size : sizeof in, produced = 0;
    struct codec_stream *stream = codec_stream_open(codec, error);
    struct slice left = slice_make(in, length);
    bool ok = stream && buffer_reserve(out, HEAD, error) &&
              source_read(source, 0, in, length, error) &&
              codec_stream_decode(stream, &left, out->data, HEAD, &produced, error);
    out->length = produced;
    codec_stream_close(stream);
    return ok;
}

/* A metadata file is one object whose first members name it so; a delta line is an object too. */
static bool looks_like_metadata(struct slice head, const char *name)
{
    return strstr(name, ".metadata.json") != NULL &&
           (head.length == 0 || memchr(head.data, '{', head.length) != NULL);
}

static bool recognise(const struct source *source, enum peek_kind *kind, enum codec *codec,
                      struct error *error)
{
    char magic[4] = "";
    size_t length = source->size < 4 ? (size_t)source->size : 4;
    struct buffer head = {0};
    *codec = CODEC_NONE;
    *kind = PEEK_DELTA;
    TRY(source_read(source, 0, magic, length, error));
    if (length == 4 && memcmp(magic, "PAR1", 4) == 0) {
        *kind = PEEK_PARQUET;
        return true;
    }
    if (length == 4 && memcmp(magic, "Obj\x01", 4) == 0) {
        *kind = PEEK_AVRO;
        return true;
    }
    if (length >= 2 && memcmp(magic, "\x1f\x8b", 2) == 0)
        *codec = CODEC_GZIP;
    else if (length == 4 && memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0)
        *codec = CODEC_ZSTD;
    bool ok = read_head(source, *codec, &head, error);
    if (ok && looks_like_metadata(buffer_slice(&head), source->name))
        *kind = PEEK_METADATA;
    const char *first = head.data;
    size_t blanks = 0;
    while (ok && blanks < head.length && strchr(" \t\r\n\xEF\xBB\xBF", first[blanks]))
        blanks++;
    if (ok && blanks < head.length && first[blanks] != '{')
        ok = error_set(error, ERROR_INPUT,
                       "peek knows delta files (JSON lines, .gz, .zst), Parquet, Avro and table "
                       "metadata",
                       "%s: none of the kinds of file that peek knows", source->name);
    buffer_destroy(&head);
    return ok;
}

static bool peek_parquet(struct command *command, const struct source *source, struct error *error)
{
    struct parquet_describe_options options = {.json = command->json,
                                               .pages = command_flag(command, "pages")};
    struct buffer text = {0};
    bool ok = parquet_describe(source, &options, &text, error) &&
              print_lines(command, buffer_slice(&text), error);
    buffer_destroy(&text);
    return ok;
}

static bool peek_metadata(struct command *command, const struct source *source, struct error *error)
{
    struct buffer text = {0};
    json_t *json = NULL;
    bool ok = buffer_reserve(&text, (size_t)source->size, error) &&
              source_read(source, 0, text.data, (size_t)source->size, error);
    text.length = (size_t)source->size;
    ok = ok && iceberg_describe_metadata(buffer_slice(&text), source->name, &json, error) &&
         print_json(command, json, error);
    buffer_destroy(&text);
    return ok;
}

static bool peek_source(struct command *command, const struct source *source, int64_t *bad,
                        struct error *error)
{
    enum peek_kind kind;
    enum codec codec;
    json_t *json = NULL;
    TRY(recognise(source, &kind, &codec, error));
    switch (kind) {
    case PEEK_PARQUET:
        return peek_parquet(command, source, error);
    case PEEK_AVRO:
        return iceberg_describe_avro(source, (size_t)command_count(command, "limit", RECORDS_SHOWN),
                                     &json, error) &&
               print_json(command, json, error);
    case PEEK_METADATA:
        return peek_metadata(command, source, error);
    default:
        return peek_delta(command, source, codec, command_count(command, "limit", EVENTS_SHOWN),
                          bad, error);
    }
}

/* ---- folders ---- */

/* A folder of delta files, or of anything: its files. */
static bool peek_folder(struct command *command, const struct store_listing *listing,
                        struct error *error)
{
    size_t most = (size_t)command_count(command, "limit", FILES_SHOWN), bytes = 0;
    json_t *files = command->json ? json_array() : NULL;
    bool ok = true;
    for (size_t i = 0; ok && i < listing->count; i++) {
        const struct store_entry *entry = &listing->entries[i];
        bytes += entry->size;
        if (i >= most)
            continue;
        if (command->json) {
            ok = json_push(
                files,
                json_pack("{s:s, s:I}", "file", entry->key, "bytes", (json_int_t)entry->size),
                error);
            continue;
        }
        fprintf(command->out, "%14" PRIu64 "  ", entry->size);
        ok = print_lines(command, slice_of(entry->key), error);
    }
    if (command->json)
        return ok ? command_print_json(command,
                                       json_pack("{s:s, s:I, s:I, s:o, s:b}", "kind", "folder",
                                                 "count", (json_int_t)listing->count, "bytes",
                                                 (json_int_t)bytes, "files", files, "more",
                                                 (int)(listing->count > most)),
                                       error)
                  : (json_decref(files), false);
    if (ok)
        fprintf(command->out, "%14zu  bytes in %zu files%s\n", bytes, listing->count,
                listing->count > most ? "; not all are shown (--limit)" : "");
    return ok;
}

static bool has_metadata(const struct store_listing *listing)
{
    for (size_t i = 0; i < listing->count; i++) {
        if (strncmp(listing->entries[i].key, "metadata/", 9) == 0 &&
            strstr(listing->entries[i].key, ".metadata.json"))
            return true;
    }
    return false;
}

static bool peek_table(struct command *command, const char *uri, struct error *error)
{
    struct iceberg_table table;
    struct buffer text = {0};
    json_t *json = NULL;
    TRY(iceberg_table_open(uri, &table, error));
    bool ok =
        json_print(table.metadata, &text, error) &&
        iceberg_describe_metadata(buffer_slice(&text), table.metadata_location, &json, error) &&
        json_put(json, "metadata_file", json_string(table.metadata_location), error) &&
        print_json(command, json, error);
    buffer_destroy(&text);
    iceberg_table_destroy(&table);
    return ok;
}

/* The file's own folder is the store, its name the key. */
static bool peek_file(struct command *command, const char *uri, int64_t *bad, struct error *error)
{
    const char *slash = strrchr(uri, '/');
    char *folder = slash == NULL ? memory_copy_text(".", error)
                   : slash == uri
                       ? memory_copy_text("/", error)
                       : memory_copy_slice(slice_make(uri, (size_t)(slash - uri)), error);
    struct store *store = folder ? store_open(folder, NULL, error) : NULL;
    struct source source = {0};
    bool ok = store && store_source_open(store, slash ? slash + 1 : uri, &source, error) &&
              peek_source(command, &source, bad, error);
    store_source_close(&source);
    store_close(store);
    free(folder);
    return ok;
}

static bool peek(struct command *command, const char *uri, int64_t *bad, struct error *error)
{
    struct store *store = store_open(uri, NULL, error);
    struct store_listing listing = {0};
    struct error no_folder = {0};
    TRY(store != NULL);
    bool folder = store_list(store, "", &listing, &no_folder), ok = true;
    if (folder)
        ok = has_metadata(&listing) ? peek_table(command, uri, error)
                                    : peek_folder(command, &listing, error);
    else if (no_folder.system == ENOTDIR || no_folder.kind == ERROR_NOT_FOUND)
        ok = peek_file(command, uri, bad, error);
    else
        ok = error_set(error, no_folder.kind, no_folder.remedy, "%s", no_folder.message);
    store_listing_destroy(&listing);
    store_close(store);
    return ok;
}

static int run(struct command *command)
{
    struct error error = {0};
    int64_t bad = 0;
    if (!peek(command, command_argument(command, 0), &bad, &error))
        return command_fail(command, &error);
    return bad ? error_exit_code(ERROR_INPUT) : 0;
}

static const struct option_spec options[] = {
    {"limit", OPTION_COUNT, "N", "so many events, records or files are shown (20; files 1000)"},
    {"pages", OPTION_FLAG, NULL, "Parquet: each page too"},
    {0}};

const struct verb verb_peek = {
    .name = "peek",
    .synopsis = "URI [--limit N] [--pages]",
    .summary = "Shows what a file of the lake or of the deltas holds",
    .details =
        "A delta file (JSON lines, plain, .gz or .zst): its events, offsets and kinds; lines "
        "that can't be read, with the reason (then exit 7). Parquet: columns, row groups, "
        "encodings, bounds. A manifest, a manifest list or any Avro file: its records. A "
        "metadata file or a table's folder: schema, snapshots, properties. Another folder: "
        "its files.",
    .options = options,
    .flags = 0,
    .least = 1,
    .most = 1,
    .run = run,
};
