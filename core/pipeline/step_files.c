/* files: the capture delivers; and what down takes away of the data: the delta files of the stream,
 * and the lake's tables that were made of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
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
    struct catalog *catalog = pipeline_catalog_open(target->pipeline, true, error);
    TRY(catalog);
    bool ok = true;
    for (size_t i = 0; ok && i < target->stream->table_count; i++) {
        const struct stream_table *table = &target->stream->tables[i];
        struct iceberg_table loaded = {0};
        bool ours;
        ok = step_report_line(report, error, "delete %s/%s/   (can't come back)", deltas,
                              table->topic) &&
             files_load_table(catalog, target, table, &loaded, &ours, error);
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

/* The pointer first: what nobody can find any more may then go, file by file. */
static bool files_drop_table(struct catalog *catalog, const struct step_target *target,
                             const struct stream_table *table, struct error *error)
{
    struct iceberg_table loaded = {0};
    struct store_listing listing = {0};
    bool ours;
    bool ok = files_load_table(catalog, target, table, &loaded, &ours, error);
    if (ok && ours) {
        struct catalog_ident ident = {target->pipeline->namespace, table->name};
        struct error why = {0};
        ok = catalog_drop(catalog, ident, &why) || why.kind == ERROR_UNSUPPORTED;
        if (!ok && error)
            *error = why;
        ok = ok && store_list(loaded.store, "", &listing, error);
        /* Data files first, metadata last: a crash leaves a table that can still be found. */
        for (int round = 0; ok && round < 2; round++)
            for (size_t i = 0; ok && i < listing.count; i++) {
                bool metadata = strncmp(listing.entries[i].key, "metadata/", 9) == 0;
                if (metadata == (round == 1))
                    ok = store_delete(loaded.store, listing.entries[i].key, error);
            }
        store_listing_destroy(&listing);
    }
    iceberg_table_destroy(&loaded);
    return ok;
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
