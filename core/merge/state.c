#include "core/merge/state.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/json.h"
#include "core/base/memory.h"

void table_state_destroy(struct table_state *state)
{
    for (size_t i = 0; i < state->reload_count; i++)
        free(state->reload_files[i]);
    for (size_t i = 0; i < state->dropped_count; i++)
        free(state->dropped[i]);
    free(state->reload_files);
    free(state->dropped);
    free(state->partitions);
    free(state->transaction_marks);
    free(state->transaction_topic);
    *state = (struct table_state){0};
}

bool state_name_add(char ***names, size_t *count, size_t *capacity, const char *name,
                    struct error *error)
{
    for (size_t i = 0; i < *count; i++) {
        if (strcmp((*names)[i], name) == 0)
            return true;
    }
    TRY(memory_grow(names, capacity, *count + 1, sizeof **names, error));
    (*names)[*count] = memory_copy_text(name, error);
    TRY((*names)[*count] != NULL);
    (*count)++;
    return true;
}

bool state_name_remove(char **names, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        free(names[i]);
        memmove(names + i, names + i + 1, (*count - i - 1) * sizeof *names);
        (*count)--;
        return true;
    }
    return false;
}

static bool copy_names(char **from, size_t from_count, char ***names, size_t *count,
                       size_t *capacity, struct error *error)
{
    for (size_t i = 0; i < from_count; i++)
        TRY(state_name_add(names, count, capacity, from[i], error));
    return true;
}

static bool copy_parts(struct table_state *out, const struct table_state *state,
                       struct error *error)
{
    if (state->partition_count) {
        TRY(memory_grow(&out->partitions, &out->partition_capacity, state->partition_count,
                        sizeof *out->partitions, error));
        memcpy(out->partitions, state->partitions,
               state->partition_count * sizeof *out->partitions);
        out->partition_count = state->partition_count;
    }
    if (state->transaction_topic) {
        out->transaction_topic = memory_copy_text(state->transaction_topic, error);
        TRY(out->transaction_topic != NULL);
    }
    if (state->transaction_count) {
        out->transaction_marks =
            memory_zero(state->transaction_count, sizeof *out->transaction_marks, error);
        TRY(out->transaction_marks != NULL);
        memcpy(out->transaction_marks, state->transaction_marks,
               state->transaction_count * sizeof *out->transaction_marks);
        out->transaction_count = state->transaction_count;
    }
    TRY(copy_names(state->reload_files, state->reload_count, &out->reload_files, &out->reload_count,
                   &out->reload_capacity, error));
    return copy_names(state->dropped, state->dropped_count, &out->dropped, &out->dropped_count,
                      &out->dropped_capacity, error);
}

bool table_state_copy(struct table_state *out, const struct table_state *state, struct error *error)
{
    *out = (struct table_state){
        .batch = state->batch,
        .cut = state->cut,
        .has_source = state->has_source,
        .source_lsn = state->source_lsn,
        .source_tx = state->source_tx,
        .reloading = state->reloading,
    };
    if (copy_parts(out, state, error))
        return true;
    table_state_destroy(out);
    return false;
}

struct partition_state *table_state_partition(struct table_state *state, int32_t partition,
                                              struct error *error)
{
    size_t at = 0;
    while (at < state->partition_count && state->partitions[at].partition < partition)
        at++;
    if (at < state->partition_count && state->partitions[at].partition == partition)
        return &state->partitions[at];
    if (!memory_grow(&state->partitions, &state->partition_capacity, state->partition_count + 1,
                     sizeof *state->partitions, error))
        return NULL;
    memmove(state->partitions + at + 1, state->partitions + at,
            (state->partition_count - at) * sizeof *state->partitions);
    state->partitions[at] = (struct partition_state){.partition = partition};
    state->partition_count++;
    return &state->partitions[at];
}

/* -- reading ----------------------------------------------------------------------------------- */

static bool state_damaged(const char *what, struct error *error)
{
    return error_set(error, ERROR_INPUT,
                     "set the property back from an older metadata file, or merge into a new table",
                     "the table property " STATE_PROPERTY " is damaged: %s", what);
}

static bool parse_partition_number(const char *text, int32_t *out)
{
    char *end;
    long value = strtol(text, &end, 10);
    *out = (int32_t)value;
    return *text && *end == '\0' && value >= 0 && value <= INT32_MAX;
}

static bool parse_watermark(const json_t *marks, struct table_state *out, struct error *error)
{
    const char *name;
    json_t *next;
    json_object_foreach((json_t *)(uintptr_t)marks, name, next)
    {
        int32_t partition;
        if (!parse_partition_number(name, &partition) || !json_is_integer(next) ||
            json_integer_value(next) < 0)
            return state_damaged("watermark", error);
        struct partition_state *state = table_state_partition(out, partition, error);
        TRY(state != NULL);
        state->next = json_integer_value(next);
    }
    return true;
}

static bool parse_position(const json_t *json, struct partition_state *state, struct error *error)
{
    const json_t *seq = json_object_get(json, "seq");
    const json_t *order = json_object_get(json, "order");
    const char *run = json_string_value(json_object_get(json, "run"));
    const char *op = json_string_value(json_object_get(json, "op"));
    if (!json_is_array(seq) || json_array_size(seq) != 2)
        return state_damaged("positions", error);
    state->placed = true;
    state->highest.seq0 = (uint64_t)json_integer_value(json_array_get(seq, 0));
    state->highest.seq1 = (uint64_t)json_integer_value(json_array_get(seq, 1));
    state->highest.total_order = json_is_integer(order) ? json_integer_value(order) : -1;
    state->count = json_integer_value(json_object_get(json, "count"));
    state->skipped = json_integer_value(json_object_get(json, "skipped"));
    state->back = json_is_true(json_object_get(json, "back"));
    state->op = op ? *op : '\0';
    state->latest_us = json_integer_value(json_object_get(json, "ts_us"));
    state->run = run ? strtoull(run, NULL, 16) : 0;
    return true;
}

static bool parse_transactions(const json_t *root, struct table_state *out, struct error *error)
{
    const json_t *transactions = json_object_get(root, "transactions");
    const char *topic = json_string_value(json_object_get(transactions, "topic"));
    if (topic == NULL)
        return true;
    out->transaction_topic = memory_copy_text(topic, error);
    TRY(out->transaction_topic != NULL);
    out->cut.end_lsn = (uint64_t)json_integer_value(json_object_get(transactions, "end_lsn"));
    json_t *marks = json_object_get(json_object_get(root, "watermark"), topic);
    out->transaction_marks =
        memory_zero(json_object_size(marks), sizeof *out->transaction_marks, error);
    TRY(out->transaction_marks != NULL);
    const char *name;
    json_t *next;
    json_object_foreach(marks, name, next)
    {
        struct feed_mark *mark = &out->transaction_marks[out->transaction_count++];
        if (!parse_partition_number(name, &mark->partition))
            return state_damaged("watermark", error);
        mark->next = json_integer_value(next);
    }
    return true;
}

static bool parse_names(const json_t *list, char ***names, size_t *count, size_t *capacity,
                        struct error *error)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (name == NULL)
            return state_damaged("a list of names", error);
        TRY(state_name_add(names, count, capacity, name, error));
    }
    return true;
}

static bool parse_root(const json_t *root, const char *topic, struct table_state *out,
                       struct error *error)
{
    const json_t *format = json_object_get(root, "format");
    if (!json_is_integer(format))
        return state_damaged("no format number", error);
    if (json_integer_value(format) > STATE_FORMAT)
        return error_set(
            error, ERROR_UNSUPPORTED, "merge it with the newer surfboard",
            "the table was merged by a newer surfboard (state format %lld, mine is %d)",
            (long long)json_integer_value(format), STATE_FORMAT);
    out->batch = json_integer_value(json_object_get(root, "batch"));
    const json_t *watermark = json_object_get(root, "watermark");
    if (!json_is_object(watermark))
        return state_damaged("no watermark", error);
    TRY(parse_watermark(json_object_get(watermark, topic), out, error));
    TRY(parse_transactions(root, out, error));
    const char *name;
    json_t *position;
    json_t *positions = json_object_get(root, "positions");
    json_object_foreach(positions, name, position)
    {
        int32_t partition;
        if (!parse_partition_number(name, &partition))
            return state_damaged("positions", error);
        struct partition_state *state = table_state_partition(out, partition, error);
        TRY(state != NULL && parse_position(position, state, error));
    }
    const json_t *source = json_object_get(root, "source");
    out->has_source = source != NULL;
    out->source_lsn = (uint64_t)json_integer_value(json_object_get(source, "lsn"));
    out->source_tx = (uint64_t)json_integer_value(json_object_get(source, "tx"));
    const json_t *reload = json_object_get(root, "reload");
    out->reloading = reload != NULL;
    TRY(parse_names(json_object_get(reload, "files"), &out->reload_files, &out->reload_count,
                    &out->reload_capacity, error));
    return parse_names(json_object_get(root, "dropped"), &out->dropped, &out->dropped_count,
                       &out->dropped_capacity, error);
}

bool table_state_parse(struct slice json, const char *topic, struct table_state *out,
                       struct error *error)
{
    *out = (struct table_state){0};
    json_t *root = json_loadb(json.data, json.length, JSON_REJECT_DUPLICATES, NULL);
    bool ok = json_is_object(root) ? parse_root(root, topic, out, error)
                                   : state_damaged("not a JSON object", error);
    json_decref(root);
    if (!ok)
        table_state_destroy(out);
    return ok;
}

/* Whether the property belongs to the table as it stands: it was not rolled back behind it. */
static bool property_counts(const struct iceberg_table *table, const char *text)
{
    json_t *root = json_loads(text, 0, NULL);
    const json_t *snapshot = json_object_get(root, "snapshot");
    int64_t id = json_is_integer(snapshot) ? json_integer_value(snapshot) : -1;
    bool counts = id == -1 || id == table->snapshot_id ||
                  iceberg_snapshot_descends(table, table->snapshot_id, id);
    json_decref(root);
    return counts;
}

bool table_state_load(const struct iceberg_table *table, const char *topic, struct table_state *out,
                      struct error *error)
{
    const char *text = iceberg_table_property(table, STATE_PROPERTY);
    if (text == NULL || !property_counts(table, text)) {
        struct iceberg_snapshot snapshot;
        text = iceberg_snapshot_nearest(table, -1, STATE_PROPERTY, &snapshot)
                   ? iceberg_snapshot_summary(&snapshot, STATE_PROPERTY)
                   : NULL;
    }
    if (text == NULL)
        return error_set(error, ERROR_REFUSED,
                         "merge into a new table beside it, then compare them; a table that others "
                         "filled is never taken over",
                         "%s has no watermark of ours: neither the property " STATE_PROPERTY
                         " nor a snapshot's summary tells how far it was merged",
                         table->location);
    return table_state_parse(slice_of(text), topic, out, error) ||
           error_prefix(error, "%s", table->location);
}

/* -- writing ----------------------------------------------------------------------------------- */

static json_t *print_watermark(const struct table_state *state, const char *topic)
{
    json_t *root = json_object();
    json_t *own = json_object();
    int failed = json_object_set_new(root, topic, own);
    for (size_t i = 0; i < state->partition_count; i++) {
        char name[16];
        snprintf(name, sizeof name, "%" PRId32, state->partitions[i].partition);
        failed |= json_object_set_new(own, name, json_integer(state->partitions[i].next));
    }
    if (state->transaction_topic && strcmp(state->transaction_topic, topic) != 0) {
        json_t *marks = json_object();
        failed |= json_object_set_new(root, state->transaction_topic, marks);
        for (size_t i = 0; i < state->transaction_count; i++) {
            char name[16];
            snprintf(name, sizeof name, "%" PRId32, state->transaction_marks[i].partition);
            failed |=
                json_object_set_new(marks, name, json_integer(state->transaction_marks[i].next));
        }
    }
    if (failed) {
        json_decref(root);
        return NULL;
    }
    return root;
}

static json_t *print_position(const struct partition_state *state)
{
    char run[24], op[2] = {state->op, '\0'};
    snprintf(run, sizeof run, "%016" PRIx64, state->run);
    json_t *json = json_pack(
        "{s:[I,I],s:I,s:I,s:s,s:I}", "seq", (json_int_t)state->highest.seq0,
        (json_int_t)state->highest.seq1, "order", (json_int_t)state->highest.total_order, "count",
        (json_int_t)state->count, "op", op, "ts_us", (json_int_t)state->latest_us);
    int failed = json == NULL;
    if (state->run)
        failed |= json_object_set_new(json, "run", json_string(run));
    if (state->back) {
        failed |= json_object_set_new(json, "back", json_true());
        failed |= json_object_set_new(json, "skipped", json_integer(state->skipped));
    }
    if (failed) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *print_names(char *const *names, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < count; i++) {
        if (json_array_append_new(list, json_string(names[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static int print_members(json_t *root, const struct table_state *state, const char *topic)
{
    int failed = json_object_set_new(root, "batch", json_integer(state->batch));
    failed |= json_object_set_new(root, "watermark", print_watermark(state, topic));
    if (state->transaction_topic)
        failed |= json_object_set_new(root, "transactions",
                                      json_pack("{s:s,s:I}", "topic", state->transaction_topic,
                                                "end_lsn", (json_int_t)state->cut.end_lsn));
    json_t *positions = json_object();
    failed |= json_object_set_new(root, "positions", positions);
    for (size_t i = 0; i < state->partition_count; i++) {
        char name[16];
        snprintf(name, sizeof name, "%" PRId32, state->partitions[i].partition);
        if (state->partitions[i].placed)
            failed |= json_object_set_new(positions, name, print_position(&state->partitions[i]));
    }
    if (state->has_source)
        failed |= json_object_set_new(root, "source",
                                      json_pack("{s:I,s:I}", "lsn", (json_int_t)state->source_lsn,
                                                "tx", (json_int_t)state->source_tx));
    if (state->reloading)
        failed |= json_object_set_new(
            root, "reload",
            json_pack("{s:o}", "files", print_names(state->reload_files, state->reload_count)));
    if (state->dropped_count)
        failed |=
            json_object_set_new(root, "dropped", print_names(state->dropped, state->dropped_count));
    return failed;
}

char *table_state_print(const struct table_state *state, const char *topic, const char *snapshot,
                        struct error *error)
{
    json_t *root = json_object();
    char *members = NULL, *text = NULL;
    if (root && print_members(root, state, topic) == 0)
        members = json_text(root, JSON_COMPACT, error);
    if (members) /* the snapshot's id is put in by the commit: it is no JSON string there */
        text = memory_format(error, "{\"format\":%d,\"snapshot\":%s,%s", STATE_FORMAT, snapshot,
                             members + 1);
    else
        error_set_memory(error, 0);
    free(members);
    json_decref(root);
    return text;
}

char *table_state_watermark(const struct table_state *state, const char *topic, struct error *error)
{
    json_t *root = print_watermark(state, topic);
    char *text = root ? json_text(root, JSON_COMPACT, error) : NULL;
    if (text == NULL)
        error_set_memory(error, 0);
    json_decref(root);
    return text;
}
