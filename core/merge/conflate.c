#include "core/merge/conflate.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/map.h"
#include "core/base/memory.h"

/* Marks in arrays and in binary values are ordinary values of their type (base64 text, numbers);
 * only in text columns do they stand as the words themselves. */
static bool table_marks_anywhere(const struct change_table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        enum type_kind kind = table->columns[i].type.kind;
        if (type_is_nested(&table->columns[i].type) || kind == TYPE_BINARY || kind == TYPE_UUID)
            return true;
    }
    return false;
}

bool conflate_init(struct conflate *conflate, const struct change_table *table, const char *topic,
                   struct change_row_reader *reader, uint64_t seed, struct error *error)
{
    *conflate = (struct conflate){
        .table = table,
        .topic = topic,
        .reader = reader,
        .full = table->identity == CHANGE_IDENTITY_FULL,
        .marks_anywhere = table_marks_anywhere(table),
    };
    key_table_init(&conflate->keys, change_key_is_integer(table), seed);
    return change_table_lake_schema(table, &conflate->scratch_schema, error) &&
           batch_init(&conflate->scratch, &conflate->scratch_schema, error);
}

void conflate_destroy(struct conflate *conflate)
{
    key_table_destroy(&conflate->keys);
    free(conflate->olders);
    free(conflate->schemas);
    free(conflate->deletes);
    table_state_destroy(&conflate->state);
    buffer_destroy(&conflate->quarantine);
    batch_destroy(&conflate->scratch);
    schema_destroy(&conflate->scratch_schema);
    *conflate = (struct conflate){0};
}

bool conflate_begin(struct conflate *conflate, const struct table_state *state, bool table_empty,
                    bool careful, struct error *error)
{
    key_table_clear(&conflate->keys);
    conflate->older_count = conflate->delete_count = 0;
    conflate->schema_count = 0;
    conflate->truncated = conflate->reload_began = conflate->reload_ended = false;
    conflate->table_empty = table_empty;
    conflate->careful = careful;
    conflate->counters = (struct conflate_counters){0};
    buffer_clear(&conflate->quarantine);
    table_state_destroy(&conflate->state);
    return table_state_copy(&conflate->state, state, error);
}

size_t conflate_bytes(const struct conflate *conflate)
{
    return key_table_bytes(&conflate->keys) + conflate->older_count * sizeof *conflate->olders +
           conflate->quarantine.length;
}

/* -- images ------------------------------------------------------------------------------------ */

/* Connect schemas come with every event and change hardly ever: the last one is compared first. */
static bool intern_schema(struct conflate *conflate, struct slice schema, uint16_t *out,
                          struct error *error)
{
    *out = 0;
    if (schema.length == 0)
        return true;
    if (conflate->schema_count == 0) {
        TRY(memory_grow(&conflate->schemas, &conflate->schema_capacity, 1,
                        sizeof *conflate->schemas, error));
        conflate->schemas[conflate->schema_count++] = (struct image){0};
    }
    for (size_t i = conflate->schema_count; i-- > 1;) {
        if (slice_equal(image_slice(&conflate->schemas[i]), schema)) {
            *out = (uint16_t)i;
            return true;
        }
    }
    if (conflate->schema_count > UINT16_MAX)
        return error_set(error, ERROR_UNSUPPORTED, "merge with a smaller --max-events",
                         "more than %d different schemas in one batch", UINT16_MAX);
    TRY(memory_grow(&conflate->schemas, &conflate->schema_capacity, conflate->schema_count + 1,
                    sizeof *conflate->schemas, error));
    struct image copy = {0};
    TRY(image_store(&conflate->keys.pool, &copy, schema, error));
    *out = (uint16_t)conflate->schema_count;
    conflate->schemas[conflate->schema_count++] = copy;
    return true;
}

/* Whether a value of this image may be a mark; never wrong when it says no. */
static bool may_have_marks(const struct conflate *conflate, struct slice image)
{
    static const char words[] = "debezium_unavailable";
    return conflate->marks_anywhere ||
           memmem(image.data, image.length, words, sizeof words - 1) != NULL;
}

static bool older_add(struct conflate *conflate, struct older older, uint32_t *out,
                      struct error *error)
{
    TRY(memory_grow(&conflate->olders, &conflate->older_capacity, conflate->older_count + 1,
                    sizeof *conflate->olders, error));
    conflate->olders[conflate->older_count] = older;
    *out = (uint32_t)conflate->older_count++;
    return true;
}

/* The chain that begins with what the batch knows of `from` before this event: its last image, else
 * its stored row, else that of `otherwise`. */
static bool older_of(struct conflate *conflate, uint32_t from, uint32_t otherwise, uint32_t *out,
                     struct error *error)
{
    struct key_entry *entry = &conflate->keys.entries[from];
    struct older older = {.next = KEY_NONE, .row_of = from, .or_row_of = otherwise};
    if (entry->after.data) {
        entry->flags |= KEY_SHARED;
        older.image = entry->after;
        older.schema = entry->schema;
        older.next = entry->flags & KEY_FOLDED ? entry->older : KEY_NONE;
    }
    return older_add(conflate, older, out, error);
}

static bool store_after(struct conflate *conflate, struct key_entry *entry,
                        const struct change *change, bool folded, uint32_t older,
                        struct error *error)
{
    struct image image = entry->flags & KEY_SHARED ? (struct image){0} : entry->after;
    uint16_t schema;
    TRY(intern_schema(conflate, change->value_schema, &schema, error));
    TRY(image_store(&conflate->keys.pool, &image, change->after, error));
    entry->after = image;
    entry->schema = schema;
    entry->older = older;
    entry->flags = (uint16_t)(entry->flags & ~(KEY_GONE | KEY_SHARED | KEY_FOLDED | KEY_READ));
    if (folded)
        entry->flags |= KEY_FOLDED;
    if (change->op == 'r')
        entry->flags |= KEY_READ;
    return true;
}

/* -- the kinds of records ---------------------------------------------------------------------- */

static bool bad_record(const struct change *change, const char *what, const char *remedy,
                       struct error *error)
{
    return error_set(error, ERROR_INPUT, remedy, "%s (op %c)", what, change->op);
}

/* The first event of a key in this batch tells what was there before, where `before` is whole. */
static bool note_first(struct conflate *conflate, struct key_entry *entry,
                       const struct change *change, struct error *error)
{
    if (entry->flags & KEY_DECIDED)
        return true;
    if (change->op == 'c' || change->op == 'r' || change->before.data == NULL) {
        entry->flags |= KEY_BORN;
        return true;
    }
    if (!conflate->full)
        return true;
    TRY(intern_schema(conflate, change->value_schema, &entry->before_schema, error));
    return image_store(&conflate->keys.pool, &entry->before, change->before, error);
}

static struct last_delete *delete_slot(struct conflate *conflate, int32_t partition,
                                       struct error *error)
{
    for (size_t i = 0; i < conflate->delete_count; i++) {
        if (conflate->deletes[i].partition == partition)
            return &conflate->deletes[i];
    }
    if (!memory_grow(&conflate->deletes, &conflate->delete_capacity, conflate->delete_count + 1,
                     sizeof *conflate->deletes, error))
        return NULL;
    struct last_delete *slot = &conflate->deletes[conflate->delete_count++];
    *slot = (struct last_delete){.partition = partition};
    return slot;
}

/* The entry of the old key, when this create is the second half of a key change. */
static bool find_old_key(struct conflate *conflate, const struct change *change, int32_t partition,
                         uint32_t *out, struct error *error)
{
    *out = KEY_NONE;
    if (change->op != 'c')
        return true;
    if (change->old_key.data) {
        struct change_key key;
        TRY(change_key_read(conflate->reader, change->old_key, (struct slice){0}, &key, error) ||
            error_prefix(error, "header __debezium.oldkey"));
        struct key_entry *entry = key_table_put(&conflate->keys, &key, error);
        TRY(entry != NULL);
        *out = (uint32_t)(entry - conflate->keys.entries);
        return true;
    }
    struct last_delete *slot = delete_slot(conflate, partition, error);
    TRY(slot != NULL);
    if (slot->set && change->has_position && slot->position.seq0 == change->position.seq0 &&
        slot->position.seq1 == change->position.seq1)
        *out = slot->entry;
    return true;
}

/* Reads the image into a row that nobody keeps: bad values show while the line is at hand. */
static bool check_image(struct conflate *conflate, const struct change *change, struct slice image,
                        bool marks, struct error *error)
{
    uint8_t *unavailable = memory_zero(conflate->table->column_count, 1, error);
    TRY(unavailable != NULL);
    size_t count;
    batch_clear(&conflate->scratch);
    bool ok = change_row_read(conflate->reader, image, change->value_schema, marks,
                              &conflate->scratch, unavailable, &count, error);
    free(unavailable);
    return ok;
}

static bool take_upsert(struct conflate *conflate, const struct change *change, int32_t partition,
                        struct error *error)
{
    uint32_t old_key;
    struct change_key key;
    TRY(find_old_key(conflate, change, partition, &old_key, error));
    bool marks =
        change_has_marks(conflate->table, change) || (old_key != KEY_NONE && !conflate->full);
    if (conflate->careful)
        TRY(check_image(conflate, change, change->after, marks, error));
    /* Last, as a key is borrowed from the reader until its next call. */
    TRY(change_key_read(conflate->reader, change->key, change->key_schema, &key, error));
    struct key_entry *entry = key_table_put(&conflate->keys, &key, error);
    TRY(entry != NULL);
    uint32_t at = (uint32_t)(entry - conflate->keys.entries);
    uint32_t older = KEY_NONE;
    bool folded = marks && may_have_marks(conflate, change->after);
    if (folded && old_key != KEY_NONE)
        TRY(older_of(conflate, old_key, at, &older, error));
    else if (folded && (entry->flags & KEY_GONE) == 0)
        TRY(older_of(conflate, at, at, &older, error));
    entry = &conflate->keys.entries[at];
    TRY(note_first(conflate, entry, change, error));
    TRY(store_after(conflate, entry, change, folded, older, error));
    if (conflate->state.reloading)
        entry->flags |= KEY_SEEN;
    entry->flags |= KEY_DECIDED;
    entry->offset = change->offset;
    entry->partition = (uint32_t)partition;
    return true;
}

static bool take_delete(struct conflate *conflate, const struct change *change, int32_t partition,
                        struct error *error)
{
    struct change_key key;
    TRY(change_key_read(conflate->reader, change->key, change->key_schema, &key, error));
    struct key_entry *entry = key_table_put(&conflate->keys, &key, error);
    TRY(entry != NULL);
    TRY(note_first(conflate, entry, change, error));
    entry->flags = (uint16_t)((entry->flags & ~(KEY_READ | KEY_SEEN)) | KEY_DECIDED | KEY_GONE);
    entry->offset = change->offset;
    entry->partition = (uint32_t)partition;
    struct last_delete *slot = delete_slot(conflate, partition, error);
    TRY(slot != NULL);
    slot->set = change->has_position;
    slot->position = change->position;
    slot->entry = (uint32_t)(entry - conflate->keys.entries);
    return true;
}

static bool take_truncate(struct conflate *conflate, struct error *error)
{
    conflate->fatal = conflate->state.partition_count > 1;
    if (conflate->fatal)
        return error_set(error, ERROR_INPUT,
                         "give the topic one partition, or take truncate out of the publication",
                         "a truncate in a topic of %zu partitions: what came before it in the "
                         "others can't be told",
                         conflate->state.partition_count);
    key_table_clear(&conflate->keys);
    conflate->older_count = conflate->delete_count = conflate->schema_count = 0;
    conflate->truncated = true;
    return true;
}

/* A snapshot row of another (lsn, txId) than the last begins a reload; the first into an empty
 * table needs no book-keeping, as nothing can be left over. */
static void note_snapshot(struct conflate *conflate, const struct change *change)
{
    struct table_state *state = &conflate->state;
    if (!state->has_source || state->source_lsn != change->lsn ||
        state->source_tx != change->tx_id) {
        state->has_source = true;
        state->source_lsn = change->lsn;
        state->source_tx = change->tx_id;
        conflate->reload_began = true;
        conflate->reload_ended = false;
        for (size_t i = 0; i < state->reload_count; i++)
            free(state->reload_files[i]);
        state->reload_count = 0;
        bool nothing = (conflate->table_empty || conflate->truncated) && conflate->keys.count == 0;
        state->reloading = !nothing;
        for (size_t i = 0; i < state->partition_count; i++) {
            struct partition_state *partition = &state->partitions[i];
            *partition = (struct partition_state){
                .partition = partition->partition, .next = partition->next, .run = partition->run};
        }
        for (size_t i = 0; i < conflate->keys.count; i++)
            conflate->keys.entries[i].flags &= (uint16_t)~KEY_SEEN;
    }
    if (change->snapshot == CHANGE_SNAPSHOT_LAST_IN_TABLE ||
        change->snapshot == CHANGE_SNAPSHOT_LAST)
        conflate->reload_ended = true;
}

/* -- one record -------------------------------------------------------------------------------- */

static bool is_repeat(struct conflate *conflate, const struct change *change, int32_t partition,
                      bool *repeat, struct error *error)
{
    struct partition_state *state = table_state_partition(&conflate->state, partition, error);
    TRY(state != NULL);
    conflate->half = change->op == 'c' && state->placed && state->op == 'd' &&
                     change->has_position && state->highest.seq0 == change->position.seq0 &&
                     state->highest.seq1 == change->position.seq1;
    uint64_t run =
        change->run_id.length ? hash_bytes(change->run_id.data, change->run_id.length, 0) | 1 : 0;
    enum position_verdict verdict = position_judge(state, change, run);
    conflate->fatal = verdict == POSITION_WENT_BACK;
    if (conflate->fatal)
        return error_set(error, ERROR_INPUT,
                         "the source was restored or replaced: reload the table (a new snapshot), "
                         "then merge again",
                         "the source went back: position %" PRIu64 "/%" PRIu64
                         " lies before what was applied, but its commit is later",
                         change->position.seq0, change->position.seq1);
    *repeat = verdict == POSITION_REPEAT;
    return true;
}

static bool take_row(struct conflate *conflate, const struct change *change, int32_t partition,
                     struct error *error)
{
    if (change->key.data == NULL)
        return bad_record(change, "a record without a key",
                          "the table needs a primary key, or message.key.columns in the connector",
                          error);
    if (change->op == 'd')
        return take_delete(conflate, change, partition, error);
    if (change->after.data == NULL)
        return bad_record(change, "a record without \"after\"", "see the capture's log", error);
    return take_upsert(conflate, change, partition, error);
}

bool conflate_take(struct conflate *conflate, const struct change *change, int32_t partition,
                   struct error *error)
{
    conflate->counters.events++;
    conflate->fatal = conflate->half = false;
    bool repeat = false;
    switch (change->op) {
    case 'c':
    case 'u':
    case 'd':
    case 't':
        TRY(is_repeat(conflate, change, partition, &repeat, error));
        if (repeat) {
            conflate->counters.repeats++;
            conflate->counters.skipped++;
            return true;
        }
        return change->op == 't' ? take_truncate(conflate, error)
                                 : take_row(conflate, change, partition, error);
    case 'r':
        if (change->snapshot != CHANGE_SNAPSHOT_INCREMENTAL)
            note_snapshot(conflate, change);
        return take_row(conflate, change, partition, error);
    case CHANGE_TOMBSTONE:
    case CHANGE_HEARTBEAT:
    case CHANGE_TRANSACTION:
    case 'm':
        conflate->counters.skipped++;
        return true;
    default:
        return bad_record(change, "an unknown operation", "see the capture's log", error);
    }
}

bool conflate_set_aside(struct conflate *conflate, struct slice line,
                        const struct feed_place *place, const struct error *reason,
                        struct error *error)
{
    struct buffer *out = &conflate->quarantine;
    conflate->counters.quarantined++;
    TRY(buffer_append_text(out, "{\"topic\":", error));
    TRY(buffer_append_json_text(out, slice_of(conflate->topic), error));
    TRY(buffer_append_format(out, error, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64,
                             place->partition, place->offset));
    TRY(buffer_append_text(out, ",\"file\":", error));
    TRY(buffer_append_json_text(out, slice_of(place->file), error));
    TRY(buffer_append_format(out, error, ",\"line_number\":%" PRIu64 ",\"reason\":", place->line));
    TRY(buffer_append_json_text(out, slice_of(reason->message), error));
    TRY(buffer_append_text(out, ",\"line\":", error));
    TRY(buffer_append_json_text(out, line, error));
    return buffer_append_text(out, "}\n", error);
}
