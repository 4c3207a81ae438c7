/* files: the capture delivers; and what down takes away of the data: the delta files of the stream,
 * and the lake's tables that were made of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/memory.h"
#include "core/base/quantity.h"
#include "core/iceberg/catalog.h"
#include "core/iceberg/table.h"
#include "core/pipeline/lag.h"
#include "core/pipeline/receipt.h"
#include "core/pipeline/step.h"
#include "core/store/store.h"

static struct store *files_store(const struct step_target *target, struct error *error)
{
    const char *place = target->pipeline->profile->lake.deltas;
    if (place == NULL) {
        error_set(error, ERROR_CONFIG, "set lake: {deltas: FOLDER}", "%s: lake.deltas is missing",
                  target->pipeline->profile->path);
        return NULL;
    }
    return store_open(place, NULL, error);
}

static json_t *files_identity(const struct step_target *target)
{
    json_t *topics = json_array();
    for (size_t i = 0; i < target->stream->table_count; i++)
        json_array_append_new(topics, json_string(target->stream->tables[i].topic));
    return json_pack("{s:s, s:o}", "deltas", target->pipeline->profile->lake.deltas, "topics",
                     topics);
}

/* An absent folder holds nothing. */
static bool files_list(struct store *store, const char *topic, struct store_listing *out,
                       struct error *error)
{
    struct error why = {0};
    char *prefix = memory_format(error, "%s/", topic);
    TRY(prefix);
    *out = (struct store_listing){0};
    bool ok = store_list(store, prefix, out, &why);
    free(prefix);
    if (!ok && why.kind == ERROR_NOT_FOUND)
        return true;
    if (!ok && error)
        *error = why;
    return ok;
}

static bool files_applies(const struct step_target *target)
{
    return target->capture != NULL && target->stream != NULL;
}

static bool files_check(const struct step_target *target, struct step_report *report,
                        struct error *error)
{
    struct store *store = files_store(target, error);
    TRY(store);
    bool recorded = false;
    bool ok = store_exists(store, target->capture->record_key, &recorded, error);
    store_close(store);
    TRY(ok);
    report->state = recorded && target->receipt ? STEP_FITS : STEP_ABSENT;
    json_decref(report->identity);
    report->identity = files_identity(target);
    return step_report_finding(report, "capture", VERDICT_OK, NULL, NULL, error,
                               recorded ? "its record is %s/%s" : "no record yet at %s/%s",
                               target->pipeline->profile->lake.deltas, target->capture->record_key);
}

static bool files_plan(const struct step_target *target, struct step_report *report,
                       struct error *error)
{
    for (size_t i = 0; i < target->stream->table_count; i++)
        TRY(step_report_line(report, error, "look for %s/%s/",
                             target->pipeline->profile->lake.deltas,
                             target->stream->tables[i].topic));
    return true;
}

static bool files_apply(const struct step_target *target, struct step_report *report,
                        struct error *error)
{
    TRY(files_check(target, report, error));
    struct store *store = files_store(target, error);
    TRY(store);
    bool recorded = false;
    bool ok = store_exists(store, target->capture->record_key, &recorded, error);
    store_close(store);
    if (ok && !recorded) {
        ok = error_set(error, ERROR_CHECK, NULL, "nothing was captured yet");
        error_remedy(error, "surfboard capture %s --once", target->stream->name);
    }
    return ok;
}

static bool files_prove(const struct step_target *target, struct step_report *report,
                        struct error *error)
{
    struct store *store = files_store(target, error);
    TRY(store);
    size_t files = 0;
    int64_t newest = 0;
    uint64_t bytes = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < target->stream->table_count; i++) {
        struct store_listing listing;
        ok = files_list(store, target->stream->tables[i].topic, &listing, error);
        for (size_t j = 0; ok && j < listing.count; j++) {
            files++;
            bytes += listing.entries[j].size;
            if (listing.entries[j].modified_ms > newest)
                newest = listing.entries[j].modified_ms;
        }
        if (ok)
            store_listing_destroy(&listing);
    }
    store_close(store);
    TRY(ok);
    char size[QUANTITY_TEXT_SIZE], age[QUANTITY_TEXT_SIZE];
    quantity_format_bytes(bytes, size);
    quantity_format_age(clock_now_ms() - newest, age);
    if (files == 0)
        return step_report_finding(report, "delivered", VERDICT_OK, NULL, NULL, error,
                                   "no files: the tables are empty");
    return step_report_finding(report, "delivered", VERDICT_OK, NULL, NULL, error,
                               "%zu files, %s, the newest %s old", files, size, age);
}

/* ---- down ---- */

/* A table is ours when its state says that it was made of this very topic. */
static bool files_load_table(struct catalog *catalog, const struct step_target *target,
                             const struct stream_table *table, struct iceberg_table *out,
                             bool *ours, struct error *error)
{
    struct catalog_ident ident = {target->pipeline->namespace, table->name};
    struct error why = {0};
    *ours = false;
    if (!catalog_load(catalog, ident, out, &why)) {
        if (why.kind == ERROR_NOT_FOUND)
            return true;
        if (error)
            *error = why;
        return false;
    }
    const char *text = iceberg_table_property(out, "surfboard.state");
    json_t *state = text ? json_loads(text, 0, NULL) : NULL;
    *ours = json_object_get(json_object_get(state, "watermark"), table->topic) != NULL;
    json_decref(state);
    return true;
}

static const char *files_why_kept(const struct step_target *target)
{
    if (target->keep_data)
        return "--keep-data";
    return target->capture->stream_count > 1
               ? "other streams of the same capture need its transactions"
               : NULL;
}

static bool files_undo_plan(const struct step_target *target, struct step_report *report,
                            struct error *error)
{
    const char *deltas = target->pipeline->profile->lake.deltas;
    const char *kept = files_why_kept(target);
    if (kept)
        return step_report_line(report, error, "nothing: the files and tables stay (%s)", kept);
    bool made;
    TRY(pipeline_catalog_is_made(target->pipeline, &made, error));
    struct catalog *catalog = made ? pipeline_catalog_open(target->pipeline, true, error) : NULL;
    bool ok = catalog || !made;
    for (size_t i = 0; ok && i < target->stream->table_count; i++) {
        const struct stream_table *table = &target->stream->tables[i];
        struct iceberg_table loaded = {0};
        bool ours = false;
        ok = step_report_line(report, error, "delete %s/%s/   (can't come back)", deltas,
                              table->topic) &&
             (!made || files_load_table(catalog, target, table, &loaded, &ours, error));
        if (ok && ours)
            ok = step_report_line(report, error, "drop table %s and delete %s/   (can't come back)",
                                  table->ident, loaded.location);
        else if (ok && loaded.metadata)
            ok = step_report_line(report, error, "table %s stays: it was not made by this stream",
                                  table->ident);
        iceberg_table_destroy(&loaded);
    }
    catalog_close(catalog);
    return ok && step_report_line(report, error, "delete %s/%s/", deltas,
                                  target->capture->transaction_topic);
}

static bool files_delete_all(struct store *store, const char *topic, struct error *error)
{
    struct store_listing listing;
    TRY(files_list(store, topic, &listing, error));
    bool ok = true;
    for (size_t i = 0; ok && i < listing.count; i++)
        ok = store_delete(store, listing.entries[i].key, error);
    store_listing_destroy(&listing);
    return ok;
}

/* Whether the files below this folder of the warehouse are a table made of this topic. */
static bool files_folder_is_ours(struct store *warehouse, const char *folder,
                                 const struct stream_table *table, bool *ours, struct error *error)
{
    struct iceberg_table loaded = {0};
    struct error why = {0};
    *ours = false;
    char *uri = memory_format(error, "%s/%s", store_uri(warehouse), folder);
    TRY(uri);
    if (iceberg_table_open(uri, &loaded, &why)) {
        const char *text = iceberg_table_property(&loaded, "surfboard.state");
        json_t *state = text ? json_loads(text, 0, NULL) : NULL;
        *ours = json_object_get(json_object_get(state, "watermark"), table->topic) != NULL;
        json_decref(state);
    }
    iceberg_table_destroy(&loaded);
    free(uri);
    if (why.kind == ERROR_NONE || why.kind == ERROR_NOT_FOUND || why.kind == ERROR_INPUT)
        return true;
    if (error)
        *error = why;
    return false;
}

/* In which round a file goes: data, then manifests, then the metadata files, oldest first. Whenever
 * this is cut off, what is left still says whose it is. */
static int files_round(const char *key, const char *metadata)
{
    if (strncmp(key, metadata, strlen(metadata)) != 0)
        return 0;
    return slice_ends_with(slice_of(key), SLICE_LITERAL(".metadata.json")) ? 2 : 1;
}

static bool files_delete_folder(struct store *warehouse, const char *folder, struct error *error)
{
    struct store_listing listing;
    char *metadata = memory_format(error, "%s/metadata/", folder);
    TRY(metadata);
    bool ok = files_list(warehouse, folder, &listing, error);
    for (int round = 0; ok && round < 3; round++) {
        for (size_t i = 0; ok && i < listing.count; i++)
            if (files_round(listing.entries[i].key, metadata) == round)
                ok = store_delete(warehouse, listing.entries[i].key, error);
        if (ok && round == 1)
            ok = FAULT("pipeline.files.before-metadata", error);
    }
    store_listing_destroy(&listing);
    free(metadata);
    return ok;
}

/* Folders <namespace>/<name> and <namespace>/<name>-<uuid> that are ours, whether the catalog still
 * knows them or a down that was cut off had dropped them already. */
static bool files_sweep(const struct step_target *target, const struct stream_table *table,
                        struct error *error)
{
    struct store *warehouse = store_open(target->pipeline->profile->lake.warehouse, NULL, error);
    TRY(warehouse);
    struct store_listing listing = {0};
    char *prefix = memory_format(error, "%s/%s", target->pipeline->namespace, table->name);
    struct error why = {0};
    bool ok = prefix && store_list(warehouse, prefix, &listing, &why);
    bool nothing = prefix && !ok && why.kind == ERROR_NOT_FOUND;
    if (!ok && !nothing && why.kind && error)
        *error = why;
    size_t length = prefix ? strlen(prefix) : 0;
    char last[1024] = "";
    for (size_t i = 0; ok && i < listing.count; i++) {
        const char *key = listing.entries[i].key;
        size_t folder = length + strcspn(key + length, "/");
        bool named = folder == length || (key[length] == '-' && folder == length + 37);
        if (!named || key[folder] == '\0' || folder >= sizeof last ||
            (strlen(last) == folder && strncmp(last, key, folder) == 0))
            continue;
        bool ours;
        snprintf(last, sizeof last, "%.*s", (int)folder, key);
        ok = files_folder_is_ours(warehouse, last, table, &ours, error) &&
             (!ours || files_delete_folder(warehouse, last, error));
    }
    store_listing_destroy(&listing);
    store_close(warehouse);
    free(prefix);
    return ok || nothing;
}

/* The pointer first: nobody shall find a table whose files are going. */
static bool files_drop_table(struct catalog *catalog, const struct step_target *target,
                             const struct stream_table *table, struct error *error)
{
    struct iceberg_table loaded = {0};
    bool ours;
    bool ok = files_load_table(catalog, target, table, &loaded, &ours, error);
    iceberg_table_destroy(&loaded);
    if (ok && ours) {
        struct catalog_ident ident = {target->pipeline->namespace, table->name};
        struct error why = {0};
        ok = catalog_drop(catalog, ident, &why) || why.kind == ERROR_UNSUPPORTED;
        if (!ok && error)
            *error = why;
        ok = ok && FAULT("pipeline.files.after-drop", error);
    }
    return ok && files_sweep(target, table, error);
}

static bool files_undo(const struct step_target *target, struct step_report *report,
                       struct error *error)
{
    const char *kept = files_why_kept(target);
    if (kept)
        return step_report_finding(report, "left", VERDICT_OK, NULL, NULL, error,
                                   "delta files and tables stay: %s", kept);
    struct store *store = files_store(target, error);
    struct catalog *catalog = store ? pipeline_catalog_open(target->pipeline, true, error) : NULL;
    bool ok = catalog != NULL;
    /* Tables before the files they were made of: a table must never wait for offsets that a later
     * capture numbers anew. */
    for (size_t i = 0; ok && i < target->stream->table_count; i++)
        ok = files_drop_table(catalog, target, &target->stream->tables[i], error);
    for (size_t i = 0; ok && i < target->stream->table_count; i++)
        ok = files_delete_all(store, target->stream->tables[i].topic, error) &&
             store_delete(store, target->stream->tables[i].schema_key, error);
    ok = ok && files_delete_all(store, target->capture->transaction_topic, error);
    catalog_close(catalog);
    store_close(store);
    return ok;
}

const struct step step_files = {
    .service = "store",
    .id = "files",
    .title = "files: what the capture has delivered",
    .why = "Files of changes are the contract between capture and merge: whatever writes them, the "
           "merge reads them the same.",
    .scope = STEP_STREAM,
    .applies = files_applies,
    .check = files_check,
    .plan = files_plan,
    .apply = files_apply,
    .prove = files_prove,
    .undo_plan = files_undo_plan,
    .undo = files_undo,
};
