/* maintain: expires snapshots, removes what crashed commits left. */
#include <string.h>

#include "core/iceberg/maintain.h"
#include "core/merge/leftovers.h"
#include "core/pipeline/run.h"
#include "tui/merge_streams.h"
#include "tui/table_form.h"
#include "tui/verbs.h"

struct maintain_options {
    struct iceberg_expiry expiry;
    bool dry_run;
};

static bool print_result(struct command *command, const char *table, bool dry_run,
                         const struct iceberg_maintained *done, struct error *error)
{
    if (!command_event(command,
                       json_pack("{s:s,s:s,s:b,s:I,s:I,s:I,s:I,s:I}", "event", "maintained",
                                 "table", table, "dry_run", dry_run, "snapshots_expired",
                                 (json_int_t)done->snapshots_expired, "files_deleted",
                                 (json_int_t)done->files_deleted, "metadata_deleted",
                                 (json_int_t)done->metadata_deleted, "bytes_deleted",
                                 (json_int_t)done->bytes_deleted, "left", (json_int_t)done->left),
                       error))
        return false;
    if (command->json)
        return true;
    fprintf(command->out,
            "%s: %s%zu snapshots expired, %zu data and %zu metadata files deleted, %lld bytes\n",
            table, dry_run ? "would be: " : "", done->snapshots_expired, done->files_deleted,
            done->metadata_deleted, (long long)done->bytes_deleted);
    return true;
}

static bool maintain_table(struct command *command, struct catalog *catalog,
                           struct catalog_ident ident, const struct maintain_options *options,
                           struct error *error)
{
    struct iceberg_maintained done = {0};
    if (atomic_load(command->stop))
        return error_set(error, ERROR_INTERRUPTED, NULL, "interrupted before table %s", ident.name);
    run_phase(command_run_record(command), ident.name);
    return iceberg_expire(catalog, ident, &options->expiry, &done, error) &&
           iceberg_orphans(catalog, ident, options->expiry.delete_grace_ms, 0, options->dry_run,
                           &done, error) &&
           leftovers_remove(catalog, ident, options->expiry.delete_grace_ms, options->dry_run,
                            &done, error) &&
           print_result(command, ident.name, options->dry_run, &done, error);
}

static bool maintain_stream(struct command *command, struct maintain_options *options,
                            struct error *error)
{
    const struct profile *profile = command_profile(command, error);
    TRY(profile != NULL);
    struct pipeline pipeline;
    TRY(pipeline_open(profile, &pipeline, error));
    struct iceberg_expiry *expiry = &options->expiry;
    expiry->snapshot_age_ms =
        command_duration_ms(command, "snapshot-age", profile->maintain.snapshot_age_ms);
    expiry->min_snapshots =
        (size_t)command_count(command, "min-snapshots", profile->maintain.min_snapshots);
    expiry->delete_grace_ms =
        command_duration_ms(command, "delete-grace", profile->maintain.delete_grace_ms);
    const struct stream *stream = pipeline_stream(&pipeline, command_argument(command, 0), error);
    struct catalog *catalog =
        stream
            ? merge_streams_catalog(&pipeline, profile->merge.durability == DURABILITY_FULL, error)
            : NULL;
    bool ok = catalog != NULL;
    for (size_t i = 0; ok && i < stream->table_count; i++)
        ok = maintain_table(command, catalog,
                            (struct catalog_ident){pipeline.namespace, stream->tables[i].name},
                            options, error);
    catalog_close(catalog);
    pipeline_close(&pipeline);
    return ok;
}

static int run(struct command *command)
{
    struct error error = {0};
    struct table_form form = {0};
    struct maintain_options options = {
        .expiry =
            {
                .snapshot_age_ms = command_duration_ms(command, "snapshot-age", 3600000),
                .min_snapshots = (size_t)command_count(command, "min-snapshots", 20),
                .delete_grace_ms = command_duration_ms(command, "delete-grace", 3600000),
            },
        .dry_run = command_flag(command, "dry-run"),
    };
    options.expiry.dry_run = options.dry_run;
    if (command->count && command_option(command, "table"))
        return command_fail_usage(command, "a stream (%s) beside --table",
                                  command_argument(command, 0));
    bool ok = command->count
                  ? maintain_stream(command, &options, &error)
                  : table_form_open(command, true, &form, &error) &&
                        maintain_table(command, form.catalog, form.ident, &options, &error);
    table_form_close(&form);
    return ok ? 0 : command_fail(command, &error);
}

static const struct option_spec options[] = {
    TABLE_FORM_OPTIONS,
    {"dry-run", OPTION_FLAG, NULL, "say what would go"},
    {"snapshot-age", OPTION_DURATION, "TIME", "younger snapshots stay (1h)"},
    {"min-snapshots", OPTION_COUNT, "N", "the newest N stay (20)"},
    {"delete-grace", OPTION_DURATION, "TIME", "younger files stay, whoever left them (1h)"},
    {0},
};

const struct verb verb_maintain = {
    .name = "maintain",
    .synopsis = "[STREAM] | --table URI [--dry-run]",
    .summary = "Expires snapshots and removes own orphans of a table",
    .details = "Drops snapshots that are older than --snapshot-age (never the newest "
               "--min-snapshots, nor any that a branch or tag names) and then the files that only "
               "they reached. Removes files that a merge left when it was killed. Files of other "
               "writers are never touched.",
    .options = options,
    .flags = VERB_CHANGES | VERB_JSON_LINES | VERB_GRACEFUL | VERB_RESUMES,
    .least = 0,
    .most = 1,
    .run = run,
};
