#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "plugins/postgres/capture_run.h"

/* ---- relations ---- */

void capture_forget_relations(struct capture_run *capture)
{
    for (size_t i = 0; i < capture->relations.count; i++) {
        struct relation_slot *slot = capture->relations.entries[i].value;
        relation_destroy(slot->relation);
        free(slot);
    }
    map_destroy(&capture->relations);
    capture->relations = (struct map){0};
}

static struct relation_slot *capture_slot(struct capture_run *capture, uint32_t oid)
{
    return map_get(&capture->relations, slice_make(&oid, sizeof oid));
}

static bool capture_is_published(const struct capture_run *capture, uint32_t oid)
{
    for (size_t i = 0; i < capture->published.count; i++) {
        if (capture->published.tables[i].oid == oid)
            return true;
    }
    return false;
}

/* A table that has no snapshot yet: if it is in the publication now, the capture connects again and
 * takes one; if it left, its last changes are passed over. */
static bool capture_unknown_table(struct capture_run *capture, uint32_t oid, struct error *error)
{
    if (!capture_is_published(capture, oid))
        TRY(capture_read_publication(capture, error));
    capture->again = capture_is_published(capture, oid);
    return true;
}

static bool apply_relation(struct capture_run *capture, const struct pgoutput_message *message,
                           struct error *error)
{
    struct relation_slot *slot = capture_slot(capture, message->relation);
    if (slot == NULL) {
        slot = memory_zero(1, sizeof *slot, error);
        if (slot == NULL)
            return false;
        slot->oid = message->relation;
        if (!map_put(&capture->relations, slice_make(&slot->oid, sizeof slot->oid), slot, error)) {
            free(slot);
            return false;
        }
    }
    relation_destroy(slot->relation);
    slot->relation = relation_create(capture->catalog, message, capture->topics.prefix,
                                     capture->record.database, error);
    TRY(slot->relation != NULL);
    const struct relation *relation = slot->relation;
    const struct captured_table *known =
        capture_record_table(&capture->record, relation->schema, relation->name);
    if (known)
        slot->relation->since = known->snapshot;
    if (known == NULL) {
        uint32_t oid = relation->oid;
        relation_destroy(slot->relation);
        slot->relation = NULL;
        return capture_unknown_table(capture, oid, error);
    }
    slot->relation->topic =
        topics_open_topic(&capture->topics, relation->schema, relation->name, error);
    if (slot->relation->topic == NULL)
        return false;
    struct error why = {0};
    if (capture_write_schema(capture, slot->relation, &why))
        return true;
    if (why.kind == ERROR_NOT_FOUND)
        return true; /* dropped since; its last changes still flow */
    if (error)
        *error = why;
    return false;
}

/* NULL in *out: changes of this table are passed over. */
static bool capture_relation(struct capture_run *capture, uint32_t oid, struct relation **out,
                             struct error *error)
{
    const struct relation_slot *slot = capture_slot(capture, oid);
    if (slot == NULL)
        return error_set(error, ERROR_INPUT, "is there a proxy between this program and Postgres?",
                         "a change of relation %u came before its description", oid);
    *out = slot->relation;
    return true;
}

/* A tuple must have the columns that the relation was described with. */
static bool capture_tuple_fits(const struct relation *relation, const struct pgoutput_tuple *tuple,
                               struct error *error)
{
    if (tuple->count == relation->column_count)
        return true;
    return error_set(error, ERROR_INPUT, "is there a proxy between this program and Postgres?",
                     "table %s.%s: a row has %zu columns, its description %zu", relation->schema,
                     relation->name, tuple->count, relation->column_count);
}

/* ---- transactions ---- */

static bool apply_begin(struct capture_run *capture, const struct pgoutput_message *message)
{
    struct transaction *transaction = &capture->transaction;
    transaction->open = true;
    transaction->begun = false;
    transaction->number++;
    transaction->commit_lsn = message->lsn;
    transaction->commit_us = message->commit_us;
    transaction->xid = message->xid;
    transaction->events = 0;
    transaction->written = 0;
    transaction->touched_count = 0;
    snprintf(transaction->id, sizeof transaction->id, "%u:%llu", message->xid,
             (unsigned long long)message->lsn);
    return true;
}

static bool transaction_append(struct capture_run *capture, const char *id,
                               const struct line_collection *collections, size_t count,
                               struct line_position position, struct error *error)
{
    struct topic *topic = capture->topics.transactions;
    const struct transaction *transaction = &capture->transaction;
    if (topic_has(topic, position))
        return true;
    TRY(line_append_transaction(&topic->waiting, slice_of(id), collections, count,
                                transaction->written, transaction->commit_us, clock_now_us(),
                                position, topic->next, error));
    topics_appended(&capture->topics, topic, position);
    return true;
}

/* BEGIN goes out with the first event: transactions that touch no table of ours leave no trace. */
static bool transaction_begin(struct capture_run *capture, struct error *error)
{
    struct transaction *transaction = &capture->transaction;
    if (transaction->begun)
        return true;
    transaction->begun = true;
    return transaction_append(capture, transaction->id, NULL, 0,
                              (struct line_position){transaction->commit_lsn, 0}, error);
}

static bool transaction_touch(struct capture_run *capture, struct topic *topic, struct error *error)
{
    struct transaction *transaction = &capture->transaction;
    if (topic->in_transaction == transaction->number)
        return true;
    TRY(memory_grow(&transaction->touched, &transaction->touched_capacity,
                    transaction->touched_count + 1, sizeof *transaction->touched, error));
    transaction->touched[transaction->touched_count++] = topic;
    topic->in_transaction = transaction->number;
    topic->events = 0;
    return true;
}

static bool apply_commit(struct capture_run *capture, const struct pgoutput_message *message,
                         struct error *error)
{
    struct transaction *transaction = &capture->transaction;
    transaction->open = false;
    if (transaction->begun) {
        size_t count = transaction->touched_count;
        struct line_collection *collections = memory_zero(count, sizeof *collections, error);
        TRY(collections != NULL);
        for (size_t i = 0; i < count; i++)
            collections[i] = (struct line_collection){slice_of(transaction->touched[i]->collection),
                                                      transaction->touched[i]->events};
        char id[48];
        snprintf(id, sizeof id, "%u:%llu", transaction->xid, (unsigned long long)message->end_lsn);
        bool ok = transaction_append(
            capture, id, collections, count,
            (struct line_position){transaction->commit_lsn, transaction->events + 1}, error);
        free(collections);
        TRY(ok);
        capture->summary->transactions++;
    }
    capture->last_commit = message->end_lsn;
    if (message->end_lsn > capture->complete)
        capture->complete = message->end_lsn;
    return true;
}

/* ---- events ---- */

/* A table that joined later: what was committed before its snapshot is in it. */
static bool event_is_in_snapshot(const struct capture_run *capture, const struct relation *relation)
{
    return capture->transaction.commit_lsn < relation->since;
}

/* Fills in what all events of a message share and takes the next place in the transaction. */
static bool event_start(struct capture_run *capture, struct relation *relation, char op,
                        uint64_t lsn, struct line_event *event, struct error *error)
{
    struct transaction *transaction = &capture->transaction;
    if (!transaction->open)
        return error_set(error, ERROR_INPUT, "is there a proxy between this program and Postgres?",
                         "a change came outside of a transaction");
    bool counts = !event_is_in_snapshot(capture, relation);
    if (counts) {
        TRY(transaction_begin(capture, error));
        TRY(transaction_touch(capture, relation->topic, error));
        relation->topic->events++;
        transaction->written++;
    }
    *event = (struct line_event){.op = op,
                                 .lsn = lsn,
                                 .tx_id = transaction->xid,
                                 .last_commit = capture->last_commit,
                                 .committed_us = transaction->commit_us,
                                 .captured_us = clock_now_us(),
                                 .transaction_id = slice_of(transaction->id),
                                 .total_order = ++transaction->events,
                                 .table_order = relation->topic->events};
    event->position = (struct line_position){transaction->commit_lsn, event->total_order};
    return true;
}

static bool event_append(struct capture_run *capture, struct relation *relation,
                         struct line_event *event, bool *appended, struct error *error)
{
    struct topic *topic = relation->topic;
    *appended = !event_is_in_snapshot(capture, relation) && !topic_has(topic, event->position);
    if (!*appended) {
        capture->summary->repeats++;
        return true;
    }
    event->offset = topic->next;
    TRY(line_append_event(&topic->waiting, &relation->line, event, error));
    topics_appended(&capture->topics, topic, event->position);
    capture->summary->events++;
    return true;
}

static bool tombstone_append(struct capture_run *capture, struct relation *relation,
                             const struct line_event *event, struct error *error)
{
    struct topic *topic = relation->topic;
    TRY(line_append_tombstone(&topic->waiting, event, topic->next, error));
    topics_appended(&capture->topics, topic, event->position);
    return true;
}

static bool row_json(struct capture_run *capture, const struct relation *relation,
                     struct buffer *out, enum relation_part part,
                     const struct pgoutput_tuple *tuple, const struct pgoutput_tuple *other,
                     struct error *error)
{
    buffer_clear(out);
    return relation_append(relation, &capture->values, out, part, tuple->values,
                           other && other->count ? other->values : NULL, error);
}

static bool apply_insert(struct capture_run *capture, struct relation *relation, uint64_t lsn,
                         const struct pgoutput_message *message, struct error *error)
{
    struct line_event event = {0};
    bool appended;
    TRY(event_start(capture, relation, 'c', lsn, &event, error));
    TRY(row_json(capture, relation, &capture->key, RELATION_KEY, &message->after, NULL, error));
    TRY(row_json(capture, relation, &capture->after, RELATION_ROW, &message->after, NULL, error));
    event.key = buffer_slice(&capture->key);
    event.after = buffer_slice(&capture->after);
    capture->summary->inserts++;
    return event_append(capture, relation, &event, &appended, error);
}

static bool apply_delete(struct capture_run *capture, struct relation *relation, uint64_t lsn,
                         const struct pgoutput_message *message, struct slice new_key,
                         struct error *error)
{
    struct line_event event = {0};
    bool appended;
    enum relation_part part = message->before_kind == 'O' ? RELATION_ROW : RELATION_OLD;
    TRY(event_start(capture, relation, 'd', lsn, &event, error));
    TRY(row_json(capture, relation, &capture->key, RELATION_KEY, &message->before, NULL, error));
    TRY(row_json(capture, relation, &capture->before, part, &message->before, NULL, error));
    event.key = buffer_slice(&capture->key);
    event.before = buffer_slice(&capture->before);
    event.new_key = new_key;
    TRY(event_append(capture, relation, &event, &appended, error));
    return !appended || tombstone_append(capture, relation, &event, error);
}

/* A changed key is a delete of the old one and an insert of the new one, in one file: nothing is
 * published between two messages of the server. */
static bool apply_key_change(struct capture_run *capture, struct relation *relation, uint64_t lsn,
                             const struct pgoutput_message *message, struct error *error)
{
    struct line_event event = {0};
    bool appended;
    const struct pgoutput_tuple *old = message->before_kind == 'O' ? &message->before : NULL;
    TRY(row_json(capture, relation, &capture->other_key, RELATION_KEY, &message->after,
                 &message->before, error));
    TRY(apply_delete(capture, relation, lsn, message, buffer_slice(&capture->other_key), error));
    TRY(row_json(capture, relation, &capture->after, RELATION_ROW, &message->after, old, error));
    TRY(event_start(capture, relation, 'c', lsn, &event, error));
    event.key = buffer_slice(&capture->other_key);
    event.after = buffer_slice(&capture->after);
    event.old_key = buffer_slice(&capture->key); /* left there by apply_delete() */
    capture->summary->key_changes++;
    return event_append(capture, relation, &event, &appended, error);
}

static void count_unavailable(struct capture_run *capture, const struct pgoutput_message *message)
{
    if (message->before_kind == 'O')
        return;
    for (size_t i = 0; i < message->after.count; i++)
        capture->summary->unavailable += message->after.values[i].kind == 'u';
}

static bool apply_update(struct capture_run *capture, struct relation *relation, uint64_t lsn,
                         const struct pgoutput_message *message, struct error *error)
{
    struct line_event event = {0};
    bool appended;
    bool full = message->before_kind == 'O';
    count_unavailable(capture, message);
    if (message->before_kind) {
        TRY(capture_tuple_fits(relation, &message->before, error));
        if (relation_key_changed(relation, message->before.values, message->after.values))
            return apply_key_change(capture, relation, lsn, message, error);
    }
    TRY(event_start(capture, relation, 'u', lsn, &event, error));
    TRY(row_json(capture, relation, &capture->key, RELATION_KEY, &message->after, &message->before,
                 error));
    TRY(row_json(capture, relation, &capture->after, RELATION_ROW, &message->after,
                 full ? &message->before : NULL, error));
    if (full) {
        TRY(row_json(capture, relation, &capture->before, RELATION_ROW, &message->before, NULL,
                     error));
        event.before = buffer_slice(&capture->before);
    }
    event.key = buffer_slice(&capture->key);
    event.after = buffer_slice(&capture->after);
    capture->summary->updates++;
    return event_append(capture, relation, &event, &appended, error);
}

static bool apply_change(struct capture_run *capture, uint64_t lsn,
                         const struct pgoutput_message *message, struct error *error)
{
    struct relation *relation = NULL;
    TRY(capture_relation(capture, message->relation, &relation, error));
    if (relation == NULL)
        return true;
    if (message->kind == PGOUTPUT_DELETE) {
        TRY(capture_tuple_fits(relation, &message->before, error));
        capture->summary->deletes++;
        return apply_delete(capture, relation, lsn, message, (struct slice){0}, error);
    }
    TRY(capture_tuple_fits(relation, &message->after, error));
    return message->kind == PGOUTPUT_INSERT ? apply_insert(capture, relation, lsn, message, error)
                                            : apply_update(capture, relation, lsn, message, error);
}

static bool apply_truncate(struct capture_run *capture, uint64_t lsn,
                           const struct pgoutput_message *message, struct error *error)
{
    for (size_t i = 0; i < message->relation_count; i++) {
        struct relation *relation = NULL;
        struct line_event event = {0};
        bool appended;
        TRY(capture_relation(capture, message->relations[i], &relation, error));
        if (relation == NULL)
            continue;
        TRY(event_start(capture, relation, 't', lsn, &event, error));
        capture->summary->truncates++;
        TRY(event_append(capture, relation, &event, &appended, error));
    }
    return true;
}

bool capture_apply(struct capture_run *capture, uint64_t lsn,
                   const struct pgoutput_message *message, struct error *error)
{
    switch (message->kind) {
    case PGOUTPUT_BEGIN:
        return apply_begin(capture, message);
    case PGOUTPUT_COMMIT:
        return apply_commit(capture, message, error);
    case PGOUTPUT_RELATION:
        return apply_relation(capture, message, error);
    case PGOUTPUT_INSERT:
    case PGOUTPUT_UPDATE:
    case PGOUTPUT_DELETE:
        return apply_change(capture, lsn, message, error);
    case PGOUTPUT_TRUNCATE:
        return apply_truncate(capture, lsn, message, error);
    default:
        return true; /* origin, type, logical message: nothing for us */
    }
}
