/* Several tables in one Postgres transaction (reference: Iceberg's JdbcTableOperations): each
 * pointer moves by compare-and-swap, rows are locked in name order, and a lost reply is settled by
 * reading the rows again behind their locks. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/iceberg/catalog_jdbc.h"
#include "core/iceberg/storage.h"

enum { SETTLE_ATTEMPTS = 5, SETTLE_WAIT_MS = 500 };

/* One table of the transaction. */
struct pointer {
    struct iceberg_commit *commit;
    const struct iceberg_table *base;
    char key[STORAGE_NAME_SIZE]; /* of the new metadata file; "" until it is written */
    char *location;              /* its full URI */
};

struct transaction {
    struct catalog_jdbc *jdbc;
    struct pointer *pointers;
    size_t count;
    const struct catalog_commit_options *options;
};

static int compare_pointers(const void *a, const void *b)
{
    const struct iceberg_table *x = ((const struct pointer *)a)->base;
    const struct iceberg_table *y = ((const struct pointer *)b)->base;
    int order = strcmp(x->namespace_name, y->namespace_name);
    return order ? order : strcmp(x->name, y->name);
}

static struct catalog_ident ident_of(const struct pointer *pointer)
{
    return (struct catalog_ident){pointer->base->namespace_name, pointer->base->name};
}

/* "00007-<commit id>.metadata.json" behind "00006-...". The commit's id makes it findable when it
 * is orphaned; a second attempt at the same number takes a fresh uuid. */
static bool name_metadata(struct pointer *pointer, bool fresh, struct error *error)
{
    const char *slash = strrchr(pointer->base->metadata_location, '/');
    const char *name = slash ? slash + 1 : pointer->base->metadata_location;
    int64_t number = storage_name_number(name);
    if (number < 0)
        number = storage_name_version(name);
    char unique[UUID_TEXT_SIZE];
    if (fresh) {
        uint8_t uuid[16];
        TRY(uuid_make(uuid, error));
        uuid_format(uuid, unique);
    }
    snprintf(pointer->key, sizeof pointer->key, "metadata/%05lld-%s.metadata.json",
             (long long)number + 1, fresh ? unique : iceberg_commit_id(pointer->commit));
    return true;
}

static bool put_metadata(struct pointer *pointer, struct error *error)
{
    struct slice body = iceberg_commit_metadata(pointer->commit);
    struct store_writer *writer = store_writer_open(pointer->base->store, pointer->key, error);
    if (writer == NULL)
        return false;
    if (!sink_write(store_writer_sink(writer), body.data, body.length, error)) {
        store_writer_abort(writer);
        return false;
    }
    return store_writer_commit(writer, STORE_FLUSH_LATER, error);
}

static bool write_metadata(struct pointer *pointer, struct error *error)
{
    for (int attempt = 0;; attempt++) {
        struct error own = {0};
        TRY(name_metadata(pointer, attempt > 0, error));
        free(pointer->location);
        pointer->location = memory_format(error, "%s/%s", pointer->base->location, pointer->key);
        TRY(pointer->location &&
            iceberg_commit_set_published(pointer->commit, pointer->location, error));
        if (put_metadata(pointer, &own))
            return true;
        pointer->key[0] = '\0';
        if (own.kind != ERROR_EXISTS || attempt > 0) {
            if (error)
                *error = own;
            return false;
        }
    }
}

/* Moves the pointer; *moved = false when somebody else did. */
static bool swap_pointer(struct transaction *transaction, struct pointer *pointer, bool *moved,
                         struct error *error)
{
    struct catalog_jdbc *jdbc = transaction->jdbc;
    const char *values[] = {jdbc->name, pointer->base->namespace_name, pointer->base->name,
                            pointer->location, pointer->base->metadata_location};
    struct pg_rows rows = {0};
    bool ok = pg_query(jdbc->pg,
                       "UPDATE iceberg_tables SET metadata_location = $4, "
                       "previous_metadata_location = $5 WHERE catalog_name = $1 AND "
                       "table_namespace = $2 AND table_name = $3 AND metadata_location = $5 AND "
                       "(iceberg_type = 'TABLE' OR iceberg_type IS NULL)",
                       values, 5, &rows, error);
    int64_t changed = ok ? pg_rows_affected(&rows) : 0;
    pg_rows_destroy(&rows);
    if (ok && changed > 1)
        ok = error_set(error, ERROR_INTERNAL,
                       "the catalog's primary key is missing: make one over catalog_name, "
                       "table_namespace, table_name",
                       "catalog %s has %lld rows for table %s.%s", jdbc->name, (long long)changed,
                       pointer->base->namespace_name, pointer->base->name);
    *moved = changed == 1;
    return ok;
}

/* Everything up to COMMIT. Marks the tables whose pointer had moved as lost. */
static bool run_updates(struct transaction *transaction, struct error *error)
{
    const struct pointer *lost = NULL;
    TRY(catalog_jdbc_begin(transaction->jdbc, error) && FAULT("jdbc.commit.before-update", error));
    for (size_t i = 0; i < transaction->count; i++) {
        struct pointer *pointer = &transaction->pointers[i];
        bool moved = false;
        if (!swap_pointer(transaction, pointer, &moved, error))
            return error_prefix(error, "committing %s.%s", pointer->base->namespace_name,
                                pointer->base->name);
        if (!moved) {
            iceberg_commit_set_outcome(pointer->commit, ICEBERG_OUTCOME_LOST);
            lost = pointer;
        }
    }
    if (lost)
        return error_set(error, ERROR_CONFLICT, "another writer committed first: try again",
                         "committing %s.%s: the table has moved on, or is gone",
                         lost->base->namespace_name, lost->base->name);
    const struct catalog_commit_options *options = transaction->options;
    return options == NULL || options->in_transaction == NULL ||
           options->in_transaction(options->context, transaction->jdbc->pg, error);
}

/* Whether `location` is, or descends from, the metadata file we published. */
static bool pointer_is_ours(const struct pointer *pointer, const char *location, bool *ours,
                            struct error *error)
{
    *ours = strcmp(location, pointer->location) == 0;
    if (*ours || strcmp(location, pointer->base->metadata_location) == 0)
        return true;
    struct iceberg_table table = {0};
    TRY(iceberg_table_open(location, &table, error));
    *ours = iceberg_commit_is_in(pointer->commit, &table, pointer->location);
    iceberg_table_destroy(&table);
    return true;
}

/* Reads one row behind its lock, so that a COMMIT still under way at the server is waited for. All
 * tables moved together or not at all, so one that answers is enough; a dropped table can't. */
static bool settle_once(struct transaction *transaction, bool *won, struct error *error)
{
    struct buffer there = {0};
    bool found = false;
    bool ok = catalog_jdbc_begin(transaction->jdbc, error);
    const struct pointer *pointer = NULL;
    for (size_t i = 0; ok && !found && i < transaction->count; i++) {
        pointer = &transaction->pointers[i];
        ok =
            catalog_jdbc_pointer(transaction->jdbc, ident_of(pointer), true, &there, &found, error);
    }
    if (ok && !found) {
        error_set(error, ERROR_NOT_FOUND, NULL, "the table is gone from the catalog");
        ok = false;
    }
    ok = ok && pointer_is_ours(pointer, there.data, won, error);
    if (transaction->jdbc->pg)
        pg_rollback(transaction->jdbc->pg);
    buffer_destroy(&there);
    return ok;
}

/* Our COMMIT went out and no answer came. */
static bool settle(struct transaction *transaction, bool *won, struct error *error)
{
    struct error own = {0};
    for (int attempt = 0; attempt < SETTLE_ATTEMPTS; attempt++) {
        if (attempt > 0)
            (void)clock_sleep_ms(SETTLE_WAIT_MS << (attempt - 1));
        error_clear(&own);
        if (settle_once(transaction, won, &own))
            return true;
    }
    transaction->jdbc->unsettled = true;
    for (size_t i = 0; i < transaction->count; i++)
        iceberg_commit_set_outcome(transaction->pointers[i].commit, ICEBERG_OUTCOME_UNKNOWN);
    return error_set(error, ERROR_UNKNOWN,
                     "run again when the catalog answers: it will be seen "
                     "then whether the commit was made",
                     "committing to catalog %s: the connection broke at COMMIT and the outcome "
                     "can't be read: %s",
                     transaction->jdbc->name, own.message);
}

static bool run_transaction(struct transaction *transaction, struct error *error)
{
    struct catalog_jdbc *jdbc = transaction->jdbc;
    if (!run_updates(transaction, error) || !FAULT("jdbc.commit.before-commit", error)) {
        if (jdbc->pg)
            pg_rollback(jdbc->pg);
        return false;
    }
    struct error own = {0};
    bool ok = pg_commit(jdbc->pg, &own);
    if (ok && !FAULT("jdbc.commit.after-commit", &own)) {
        ok = false;
        own.kind = ERROR_UNKNOWN; /* as if the answer had been lost */
    }
    if (!ok && own.kind == ERROR_UNKNOWN) {
        bool won = false;
        TRY(settle(transaction, &won, error));
        ok = won;
    }
    for (size_t i = 0; ok && i < transaction->count; i++)
        iceberg_commit_set_outcome(transaction->pointers[i].commit, ICEBERG_OUTCOME_WON);
    if (!ok) {
        pg_rollback(jdbc->pg);
        if (own.kind == ERROR_UNKNOWN)
            return error_set(error, ERROR_CONFLICT, "try again",
                             "committing to catalog %s: the connection broke before the commit "
                             "was made: %s",
                             jdbc->name, own.message);
        if (error)
            *error = own;
    }
    return ok;
}

/* Metadata files that nothing refers to go at once; what can't be deleted is an orphan of ours. */
static void forget_metadata(struct transaction *transaction)
{
    for (size_t i = 0; i < transaction->count; i++) {
        struct pointer *pointer = &transaction->pointers[i];
        enum iceberg_outcome outcome = iceberg_commit_outcome(pointer->commit);
        if (pointer->key[0] && outcome != ICEBERG_OUTCOME_WON && outcome != ICEBERG_OUTCOME_UNKNOWN)
            (void)store_delete(pointer->base->store, pointer->key, NULL);
        free(pointer->location);
    }
    free(transaction->pointers);
}

static bool collect_pointers(struct transaction *transaction, struct iceberg_commit *const *commits,
                             size_t count, struct error *error)
{
    transaction->pointers = memory_zero(count, sizeof *transaction->pointers, error);
    if (transaction->pointers == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (iceberg_commit_is_empty(commits[i])) {
            iceberg_commit_set_outcome(commits[i], ICEBERG_OUTCOME_WON);
            continue;
        }
        const struct iceberg_table *base = iceberg_commit_base(commits[i]);
        if (base->namespace_name == NULL || base->name == NULL)
            return error_set(error, ERROR_INTERNAL, NULL, "%s: was not loaded from catalog %s",
                             base->location, transaction->jdbc->name);
        transaction->pointers[transaction->count++] =
            (struct pointer){.commit = commits[i], .base = base};
        iceberg_commit_set_outcome(commits[i], ICEBERG_OUTCOME_OPEN);
    }
    qsort(transaction->pointers, transaction->count, sizeof *transaction->pointers,
          compare_pointers);
    return true;
}

bool catalog_jdbc_publish(struct catalog *catalog, struct iceberg_commit *const *commits,
                          size_t count, const struct catalog_commit_options *options,
                          struct error *error)
{
    struct transaction transaction = {.jdbc = (struct catalog_jdbc *)catalog, .options = options};
    bool ok = collect_pointers(&transaction, commits, count, error);
    for (size_t i = 0; ok && i < transaction.count; i++) {
        struct pointer *pointer = &transaction.pointers[i];
        ok = write_metadata(pointer, error) &&
             iceberg_commit_flush(pointer->commit, pointer->key, options ? options->pool : NULL,
                                  error);
    }
    bool needed = transaction.count > 0 || (options && options->in_transaction);
    ok = ok && (!needed || run_transaction(&transaction, error));
    forget_metadata(&transaction);
    return ok;
}
