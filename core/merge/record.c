/* batch-<id>.json: the cut of a batch whose tables can't be committed at once (design.md section 5,
 * step 6). Put if absent before the first table commits; whoever comes later takes its cut; gone
 * when all tables carry the batch. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/json.h"
#include "core/base/fault.h"
#include "core/base/memory.h"
#include "core/merge/batch.h"

enum { RECORD_FORMAT = 1, RECORD_NAME_SIZE = 40 };

static void record_name(int64_t batch, char out[RECORD_NAME_SIZE])
{
    snprintf(out, RECORD_NAME_SIZE, "batch-%" PRId64 ".json", batch);
}

static bool record_number(const char *key, int64_t *batch)
{
    int end = 0;
    return sscanf(key, "batch-%" SCNd64 ".json%n", batch, &end) == 1 && end > 0 && key[end] == '\0';
}

static bool record_damaged(const char *key, struct error *error)
{
    return error_set(error, ERROR_INPUT,
                     "if no other merge of the stream runs, remove it and merge again",
                     "the batch record %s is damaged or of a newer surfboard", key);
}

bool batch_record_load(struct store *store, struct batch_record *out, struct error *error)
{
    *out = (struct batch_record){0};
    struct store_listing listing;
    struct error own = {0};
    if (!store_list(store, "", &listing, &own)) {
        if (own.kind == ERROR_NOT_FOUND)
            return true;
        if (error)
            *error = own;
        return false;
    }
    const char *key = NULL;
    for (size_t i = 0; i < listing.count; i++) {
        int64_t batch;
        if (record_number(listing.entries[i].key, &batch) && (key == NULL || batch < out->batch)) {
            key = listing.entries[i].key;
            out->batch = batch;
        }
    }
    bool ok = true;
    if (key) {
        struct buffer text = {0};
        ok = store_read(store, key, &text, error);
        if (ok) {
            out->root = json_loadb(text.data, text.length, 0, NULL);
            if (json_integer_value(json_object_get(out->root, "format")) != RECORD_FORMAT)
                ok = record_damaged(key, error);
        }
        buffer_destroy(&text);
    }
    store_listing_destroy(&listing);
    if (!ok)
        batch_record_destroy(out);
    return ok;
}

void batch_record_destroy(struct batch_record *record)
{
    json_decref(record->root);
    *record = (struct batch_record){0};
}

static json_t *print_marks(const struct feed_mark *marks, size_t count)
{
    json_t *json = json_object();
    for (size_t i = 0; json && i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "%" PRId32, marks[i].partition);
        if (json_object_set_new(json, name, json_integer(marks[i].next)) != 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

static json_t *print_ends(const struct table_state *state)
{
    json_t *json = json_object();
    for (size_t i = 0; json && i < state->partition_count; i++) {
        char name[16];
        snprintf(name, sizeof name, "%" PRId32, state->partitions[i].partition);
        if (json_object_set_new(json, name, json_integer(state->partitions[i].next)) != 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

bool batch_record_put(struct merge *merge, const struct batch_input *input, int64_t batch,
                      struct error *error)
{
    json_t *cut = json_object();
    int failed = cut == NULL;
    for (size_t i = 0; i < merge->target_count; i++)
        failed |= json_object_set_new(cut, merge->topics[i],
                                      print_ends(&merge->targets[i].conflate.state));
    json_t *root = json_pack("{s:i,s:s,s:I,s:b,s:b,s:o}", "format", RECORD_FORMAT, "stream",
                             merge->stream.name, "batch", (json_int_t)batch, "by_transaction",
                             input->by_transaction, "more", input->more, "cut", cut);
    if (input->by_transaction)
        failed |= json_object_set_new(
            root, "transactions",
            json_pack("{s:I,s:o}", "end_lsn", (json_int_t)input->cut.end_lsn, "marks",
                      print_marks(input->transaction_marks, input->transaction_count)));
    char *text = failed ? NULL : json_text(root, JSON_COMPACT, error);
    json_decref(root);
    if (text == NULL)
        return error_set_memory(error, 0);
    char name[RECORD_NAME_SIZE];
    record_name(batch, name);
    bool ok = FAULT("merge.record.before-put", error) &&
              store_put_if_absent(merge->record_store, name, slice_of(text), error) &&
              FAULT("merge.record.after-put", error);
    free(text);
    return ok;
}

bool batch_record_remove(struct merge *merge, int64_t batch, struct error *error)
{
    char name[RECORD_NAME_SIZE];
    record_name(batch, name);
    return FAULT("merge.record.before-remove", error) &&
           store_delete(merge->record_store, name, error);
}

int64_t batch_record_end(const struct batch_record *record, const char *topic, int32_t partition,
                         int64_t otherwise)
{
    char name[16];
    snprintf(name, sizeof name, "%" PRId32, partition);
    const json_t *end =
        json_object_get(json_object_get(json_object_get(record->root, "cut"), topic), name);
    return json_is_integer(end) ? json_integer_value(end) : otherwise;
}

bool batch_record_transactions(const struct batch_record *record, struct batch_input *input,
                               struct error *error)
{
    input->by_transaction = json_is_true(json_object_get(record->root, "by_transaction"));
    input->more = true; /* what waits behind a recorded cut shows with the next batch */
    const json_t *transactions = json_object_get(record->root, "transactions");
    json_t *marks = json_object_get(transactions, "marks");
    input->cut.end_lsn = (uint64_t)json_integer_value(json_object_get(transactions, "end_lsn"));
    input->transaction_marks =
        memory_zero(json_object_size(marks), sizeof *input->transaction_marks, error);
    TRY(input->transaction_marks != NULL);
    const char *name;
    json_t *next;
    json_object_foreach(marks, name, next)
    {
        input->transaction_marks[input->transaction_count++] = (struct feed_mark){
            .partition = (int32_t)strtol(name, NULL, 10), .next = json_integer_value(next)};
    }
    return true;
}
