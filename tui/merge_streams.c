#include "tui/merge_streams.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/change/table.h"
#include "core/merge/infer_key.h"
#include "core/pipeline/lock.h"
#include "core/pipeline/pipeline.h"
#include "tui/merge_run.h"

/* One stream's tables, ready for the engine. */
struct stream_merge {
    const struct stream *stream;
    struct change_table *tables;
    struct merge_table *targets;
    char **names; /* table part of each ident */
    size_t count;
    char *transactions, *records;
    char **deltas;
};

static void stream_merge_destroy(struct stream_merge *merge)
{
    for (size_t i = 0; i < merge->count; i++) {
        change_table_destroy(&merge->tables[i]);
        free(merge->deltas[i]);
    }
    free(merge->tables);
    free(merge->targets);
    free(merge->deltas);
    free(merge->transactions);
    free(merge->records);
}

static bool load_table(const struct pipeline *pipeline, struct store *deltas,
                       const struct stream_table *from, struct stream_merge *merge, size_t at,
                       struct error *error)
{
    struct buffer text = {0};
    struct error own = {0};
    bool ok = store_read(deltas, from->schema_key, &text, &own);
    if (!ok && own.kind == ERROR_NOT_FOUND) {
        own.kind = ERROR_CONFIG;
        error_remedy(&own, "surfboard up %s (the identity step writes it), or start the capture",
                     merge->stream->name);
    }
    ok = ok && change_table_parse(buffer_slice(&text), from->schema_key, &merge->tables[at], &own);
    buffer_destroy(&text);
    merge->count = at + 1;
    merge->deltas[at] =
        ok ? memory_format(&own, "%s/%s", pipeline->profile->lake.deltas, from->topic) : NULL;
    ok = merge->deltas[at] && infer_key(&merge->tables[at], merge->deltas[at], &own);
    if (!ok && error)
        *error = own;
    merge->targets[at] = (struct merge_table){
        .name = from->name,
        .table = &merge->tables[at],
        .deltas = merge->deltas[at],
        .deltas_optional = true,
        .ident = {pipeline->namespace, from->name},
    };
    return ok;
}

static bool load_stream(const struct pipeline *pipeline, const struct stream *stream,
                        struct stream_merge *out, struct error *error)
{
    *out = (struct stream_merge){.stream = stream};
    const struct profile *profile = pipeline->profile;
    if (stream->mode != MODE_LIVE)
        return error_set(error, ERROR_REFUSED, "set \"mode: live\" for the stream in the profile",
                         "stream %s: this build merges live tables only", stream->name);
    out->tables = memory_zero(stream->table_count, sizeof *out->tables, error);
    out->targets = memory_zero(stream->table_count, sizeof *out->targets, error);
    out->deltas = memory_zero(stream->table_count, sizeof *out->deltas, error);
    TRY(out->tables && out->targets && out->deltas);
    struct store *deltas = store_open(profile->lake.deltas, NULL, error);
    TRY(deltas != NULL);
    bool ok = true;
    for (size_t i = 0; ok && i < stream->table_count; i++)
        ok = load_table(pipeline, deltas, &stream->tables[i], out, i, error);
    store_close(deltas);
    TRY(ok);
    out->transactions =
        memory_format(error, "%s/%s", profile->lake.deltas, stream->capture->transaction_topic);
    out->records = memory_format(error, "%s/_surfboard/%s", profile->lake.warehouse, stream->name);
    return out->transactions && out->records;
}

struct catalog *merge_streams_catalog(const struct pipeline *pipeline, bool durable,
                                      struct error *error)
{
    const struct profile *profile = pipeline->profile;
    if (profile->lake.catalog.kind == CATALOG_STORAGE)
        return catalog_storage_open(profile->lake.warehouse, durable, error);
    struct buffer conninfo = {0};
    struct catalog *catalog = NULL;
    if (pipeline_catalog_conninfo(pipeline, &conninfo, error) && buffer_text(&conninfo, error))
        catalog = catalog_jdbc_open(conninfo.data, profile->lake.catalog.name,
                                    profile->lake.warehouse, durable, error);
    buffer_destroy(&conninfo);
    return catalog;
}

static void options_of(const struct profile *profile, const struct stream *stream,
                       struct merge_options *out)
{
    *out = (struct merge_options){
        .memory = profile->merge.memory,
        .threads = (unsigned)profile->merge.threads,
        .on_bad_input = stream->on_bad_input == BAD_INPUT_QUARANTINE ? MERGE_BAD_INPUT_QUARANTINE
                                                                     : MERGE_BAD_INPUT_STOP,
        .on_gap = profile->merge.on_gap == GAP_ACCEPT ? MERGE_GAP_ACCEPT : MERGE_GAP_STOP,
        .on_unknown =
            profile->merge.on_unknown == UNKNOWN_STOP ? MERGE_UNKNOWN_STOP : MERGE_UNKNOWN_IGNORE,
        .gap_wait_ms = profile->merge.gap_wait_ms,
        .rewrite_at = profile->merge.rewrite_at > 0 ? profile->merge.rewrite_at : 0,
        .durable = profile->merge.durability == DURABILITY_FULL,
    };
    if (stream->special_values == SPECIAL_QUARANTINE) {
        out->refuse_bent = true;
        out->on_bad_input = MERGE_BAD_INPUT_QUARANTINE;
    }
}

static bool check_format(const struct profile *profile, struct error *error)
{
    return profile->merge.format_version == 2 ||
           error_set(error, ERROR_REFUSED, "set merge.format_version: 2 in the profile",
                     "merge.format_version %lld: this build writes format 2",
                     (long long)profile->merge.format_version);
}

/* Everything about one stream; the exit code. */
static int merge_stream(struct command *command, const struct pipeline *pipeline,
                        const struct stream *stream)
{
    struct error error = {0};
    struct stream_merge parts = {0};
    struct merge_options options;
    char *lock_name = memory_format(&error, "merge.%s.%s", pipeline->namespace, stream->name);
    struct lock *lock = NULL;
    struct catalog *catalog = NULL;
    struct run *record = NULL;
    int code = -1;
    options_of(pipeline->profile, stream, &options);
    bool ok = lock_name && check_format(pipeline->profile, &error) &&
              merge_run_options(command, &options, &error) &&
              load_stream(pipeline, stream, &parts, &error);
    if (ok) {
        lock = lock_take(pipeline->profile, lock_name, "merge", &error);
        ok = lock != NULL;
        command_say_lock(command, lock);
    }
    if (ok) {
        catalog = merge_streams_catalog(pipeline, options.durable, &error);
        record = catalog ? command_begin_run(command, stream->name, &error) : NULL;
        ok = record != NULL;
    }
    if (ok) {
        struct merge_stream in = {
            .name = stream->name,
            .catalog = catalog,
            .tables = parts.targets,
            .table_count = parts.count,
            .transactions = parts.transactions,
            .records = parts.records,
        };
        struct merge_run run = {
            .command = command,
            .stream = &in,
            .options = options,
            .follow = command_flag(command, "follow"),
            .result_code = command_flag(command, "result-code"),
            .record = record,
        };
        code = merge_run(&run);
        run_end(record, code, NULL, NULL);
    }
    catalog_close(catalog);
    lock_release(lock);
    stream_merge_destroy(&parts);
    free(lock_name);
    return ok ? code : command_fail(command, &error);
}

static int merge_named(struct command *command, const struct pipeline *pipeline)
{
    int worst = 0;
    for (int i = 0; i < command->count; i++) {
        struct error error = {0};
        const struct stream *stream =
            pipeline_captured_stream(pipeline, command_argument(command, i), &error);
        int code = stream ? merge_stream(command, pipeline, stream) : command_fail(command, &error);
        worst = worst ? worst : code;
        if (command->stop && atomic_load(command->stop))
            break;
    }
    return worst;
}

static int merge_all(struct command *command, const struct pipeline *pipeline)
{
    int worst = 0;
    for (size_t i = 0; i < pipeline->stream_count; i++) {
        if (pipeline->streams[i].no_capture)
            continue;
        int code = merge_stream(command, pipeline, &pipeline->streams[i]);
        worst = worst ? worst : code;
        if (command->stop && atomic_load(command->stop))
            break;
    }
    return worst;
}

int merge_streams(struct command *command)
{
    struct error error = {0};
    bool all = command_flag(command, "all");
    if (all == (command->count > 0))
        return command_fail_usage(command, all ? "--all beside a stream"
                                               : "which stream? Name it, or give --all, or "
                                                 "--deltas, --schema and --table");
    if (command_flag(command, "follow") && (all || command->count > 1))
        return command_fail_usage(command, "--follow goes with one stream");
    const struct profile *profile = command_profile(command, &error);
    if (profile == NULL)
        return command_fail(command, &error);
    struct pipeline pipeline;
    if (!pipeline_open(profile, &pipeline, &error))
        return command_fail(command, &error);
    int code = all ? merge_all(command, &pipeline) : merge_named(command, &pipeline);
    pipeline_close(&pipeline);
    return code;
}
