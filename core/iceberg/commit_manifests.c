/* commit_manifests.c: the manifests of a commit's snapshot: new ones for added files, replaced ones
 * where files go or where many small ones are folded into one, and the list of all. */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/fault.h"
#include "core/base/json.h"
#include "core/base/memory.h"
#include "core/iceberg/commit_parts.h"
#include "core/iceberg/manifest.h"

enum { DEFAULT_MIN_COUNT = 100, DEFAULT_TARGET = 8 << 20 };

/* One manifest being written. */
struct manifest_output {
    struct store_writer *file;
    struct manifest_writer *writer;
    const char *key;
    struct buffer schema_json, spec_json;
};

static int64_t commit_number_property(const struct iceberg_commit *commit, const char *key,
                                      int64_t fallback)
{
    const char *text = iceberg_table_property(commit->base, key);
    char *end = NULL;
    long long value = text ? strtoll(text, &end, 10) : 0;
    return text && end != text && *end == '\0' && value > 0 ? value : fallback;
}

/* ---- writing one ---- */

static const json_t *commit_json_by_id(const json_t *list, const char *key, int64_t id)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (json_integer_value(json_object_get(item, key)) == id)
            return item;
    }
    return NULL;
}

/* The JSON texts that every manifest carries, from the base's metadata. */
static bool output_texts(struct iceberg_commit *commit, const struct iceberg_spec *spec,
                         struct manifest_output *output, struct error *error)
{
    const json_t *metadata = commit->base->metadata;
    const json_t *schema = commit_json_by_id(json_object_get(metadata, "schemas"), "schema-id",
                                             commit->base->schema->id);
    const json_t *json =
        commit_json_by_id(json_object_get(metadata, "partition-specs"), "spec-id", spec->id);
    TRY(json_print(schema, &output->schema_json, error));
    TRY(json_print(json_object_get(json, "fields"), &output->spec_json, error));
    return buffer_text(&output->schema_json, error) && buffer_text(&output->spec_json, error);
}

static bool output_open(struct iceberg_commit *commit, int32_t spec_id, bool deletes,
                        struct manifest_output *output, struct error *error)
{
    const struct iceberg_spec *spec = iceberg_table_spec(commit->base, spec_id);
    *output = (struct manifest_output){0};
    TRY(output_texts(commit, spec, output, error));
    output->key = commit_metadata_key(commit, error, "m%u.avro", commit->next++);
    TRY(output->key != NULL);
    output->file = store_writer_open(commit->base->store, output->key, error);
    TRY(output->file != NULL);
    const struct manifest_facts facts = {.schema_json = output->schema_json.data,
                                         .schema_id = commit->base->schema->id,
                                         .spec_json = output->spec_json.data,
                                         .spec = spec,
                                         .deletes = deletes,
                                         .snapshot_id = commit->snapshot_id};
    output->writer = manifest_writer_open(store_writer_sink(output->file), &facts, error);
    return output->writer != NULL;
}

static bool output_close(struct iceberg_commit *commit, struct manifest_output *output,
                         struct iceberg_manifest *out, struct error *error)
{
    TRY(manifest_writer_finish(output->writer, &commit->arena, out, error));
    out->length = (int64_t)store_writer_sink(output->file)->written;
    struct store_writer *file = output->file;
    output->file = NULL;
    TRY(store_writer_commit(file, STORE_FLUSH_LATER, error));
    out->path = iceberg_table_uri(commit->base, output->key, &commit->arena, error);
    return out->path != NULL;
}

static void output_destroy(struct manifest_output *output)
{
    manifest_writer_destroy(output->writer);
    if (output->file)
        store_writer_abort(output->file);
    buffer_destroy(&output->schema_json);
    buffer_destroy(&output->spec_json);
    *output = (struct manifest_output){0};
}

/* ---- added files ---- */

static bool added_write_one(struct iceberg_commit *commit, int32_t spec_id, bool deletes,
                            size_t *from, struct manifest_output *output, struct error *error)
{
    int64_t target =
        commit_number_property(commit, "commit.manifest.target-size-bytes", DEFAULT_TARGET);
    TRY(memory_grow(&commit->manifests, &commit->manifest_capacity, commit->manifest_count + 1,
                    sizeof *commit->manifests, error));
    TRY(output_open(commit, spec_id, deletes, output, error));
    for (; *from < commit->added.count; ++*from) {
        const struct iceberg_file *file = &commit->added.items[*from];
        if (file->spec_id != spec_id || (file->content != ICEBERG_DATA) != deletes)
            continue;
        if ((int64_t)store_writer_sink(output->file)->written >= target)
            break;
        TRY(manifest_writer_add(output->writer, file, error));
    }
    TRY(output_close(commit, output, &commit->manifests[commit->manifest_count], error));
    commit->manifest_count++;
    return true;
}

/* The manifests for one partition spec and one kind of content. */
static bool added_write_group(struct iceberg_commit *commit, int32_t spec_id, bool deletes,
                              struct error *error)
{
    size_t from = 0;
    while (from < commit->added.count &&
           (commit->added.items[from].spec_id != spec_id ||
            (commit->added.items[from].content != ICEBERG_DATA) != deletes))
        from++;
    while (from < commit->added.count) {
        struct manifest_output output = {0};
        bool ok = added_write_one(commit, spec_id, deletes, &from, &output, error);
        output_destroy(&output);
        TRY(ok);
    }
    return true;
}

static bool added_write(struct iceberg_commit *commit, struct error *error)
{
    if (commit->manifests_written)
        return true;
    for (size_t i = 0; i < commit->base->spec_count; i++) {
        TRY(added_write_group(commit, commit->base->specs[i].id, false, error));
        TRY(added_write_group(commit, commit->base->specs[i].id, true, error));
    }
    commit->manifests_written = true;
    return true;
}

/* ---- replaced manifests ---- */

static bool commit_removes(const struct map *removed, const char *path)
{
    return map_get_text(removed, path) != NULL;
}

/* Copies the live entries of one source: removed files as DELETED by us, the others EXISTING. */
static bool replacement_copy(struct iceberg_commit *commit, const struct iceberg_manifest *source,
                             const struct map *removed, struct manifest_output *output,
                             size_t *gone, struct error *error)
{
    struct iceberg_file_list files = {0};
    bool ok = iceberg_manifest_files(commit->base, source, true, &files, error);
    for (size_t i = 0; ok && i < files.count; i++) {
        struct iceberg_file *file = &files.items[i];
        bool removes = commit_removes(removed, file->path);
        file->status = removes ? ICEBERG_DELETED : ICEBERG_EXISTING;
        if (removes) {
            file->snapshot_id = commit->snapshot_id;
            ++*gone;
        }
        ok = manifest_writer_add(output->writer, file, error);
    }
    iceberg_file_list_destroy(&files);
    return ok;
}

static bool replacement_write(struct iceberg_commit *commit,
                              const struct iceberg_manifest *const *sources, size_t count,
                              const struct map *removed, struct error *error)
{
    struct manifest_output output = {0};
    TRY(memory_grow(&commit->replacements, &commit->replacement_capacity,
                    commit->replacement_count + 1, sizeof *commit->replacements, error));
    struct commit_replacement *made = &commit->replacements[commit->replacement_count];
    *made = (struct commit_replacement){.source_count = count};
    made->sources = memory_zero(count, sizeof *made->sources, error);
    bool ok = made->sources != NULL &&
              output_open(commit, sources[0]->spec_id, sources[0]->deletes, &output, error);
    for (size_t i = 0; ok && i < count; i++) {
        made->sources[i] = arena_copy_text(&commit->arena, sources[i]->path, error);
        ok = made->sources[i] != NULL &&
             replacement_copy(commit, sources[i], removed, &output, &made->files_removed, error);
    }
    ok = ok && output_close(commit, &output, &made->manifest, error);
    output_destroy(&output);
    if (!ok) {
        free(made->sources);
        return false;
    }
    commit->replacement_count++;
    return true;
}

/* Keeps what earlier attempts wrote if all of its sources are still there; drops the rest. */
static void replacements_check(struct iceberg_commit *commit, const struct map *base)
{
    size_t kept = 0;
    for (size_t i = 0; i < commit->replacement_count; i++) {
        struct commit_replacement *made = &commit->replacements[i];
        bool good = true;
        for (size_t s = 0; s < made->source_count; s++)
            good = good && map_get_text(base, made->sources[s]) != NULL;
        if (good) {
            commit->replacements[kept++] = *made;
            continue;
        }
        const char *key = commit_key_of(commit, made->manifest.path, NULL);
        if (key)
            commit_delete_own(commit, key);
        free(made->sources);
    }
    commit->replacement_count = kept;
}

/* ---- the plan for one base ---- */

struct manifest_plan {
    struct iceberg_manifest_list base;
    struct map by_path;   /* manifests of the base */
    struct map removed;   /* paths of removed files */
    struct map with_gone; /* paths of manifests that hold removed files */
    struct map replaced;  /* paths of manifests that a replacement covers */
};

static bool manifest_is_live(const struct iceberg_manifest *manifest)
{
    return manifest->added_files != 0 || manifest->existing_files != 0;
}

/* Lists of v1 tables may lack the counts that v2 lists must have. */
static bool plan_count(struct iceberg_commit *commit, struct iceberg_manifest *manifest,
                       struct error *error)
{
    if (manifest->added_files >= 0 && manifest->existing_files >= 0 &&
        manifest->deleted_files >= 0 && manifest->added_rows >= 0 && manifest->existing_rows >= 0 &&
        manifest->deleted_rows >= 0)
        return true;
    struct iceberg_file_list files = {0};
    bool ok = iceberg_manifest_files(commit->base, manifest, false, &files, error);
    int64_t counts[3] = {0}, rows[3] = {0};
    for (size_t i = 0; ok && i < files.count; i++) {
        counts[files.items[i].status]++;
        rows[files.items[i].status] += files.items[i].record_count;
    }
    iceberg_file_list_destroy(&files);
    manifest->existing_files = counts[ICEBERG_EXISTING];
    manifest->added_files = counts[ICEBERG_ADDED];
    manifest->deleted_files = counts[ICEBERG_DELETED];
    manifest->existing_rows = rows[ICEBERG_EXISTING];
    manifest->added_rows = rows[ICEBERG_ADDED];
    manifest->deleted_rows = rows[ICEBERG_DELETED];
    return ok;
}

static bool plan_make(struct iceberg_commit *commit, struct manifest_plan *plan,
                      struct error *error)
{
    TRY(iceberg_snapshot_manifests(commit->base, -1, &plan->base, error));
    for (size_t i = 0; i < plan->base.count; i++) {
        struct iceberg_manifest *manifest = &plan->base.items[i];
        TRY(plan_count(commit, manifest, error));
        TRY(map_put(&plan->by_path, slice_of(manifest->path), manifest, error));
    }
    for (size_t i = 0; i < commit->removed.count; i++) {
        struct iceberg_file *file = &commit->removed.items[i];
        TRY(map_put(&plan->removed, slice_of(file->path), file, error));
        TRY(map_put(&plan->with_gone, slice_of(file->manifest_path), file, error));
    }
    replacements_check(commit, &plan->by_path);
    for (size_t i = 0; i < commit->replacement_count; i++) {
        struct commit_replacement *made = &commit->replacements[i];
        for (size_t s = 0; s < made->source_count; s++)
            TRY(map_put(&plan->replaced, slice_of(made->sources[s]), made, error));
    }
    return true;
}

static void plan_destroy(struct manifest_plan *plan)
{
    iceberg_manifest_list_destroy(&plan->base);
    map_destroy(&plan->by_path);
    map_destroy(&plan->removed);
    map_destroy(&plan->with_gone);
    map_destroy(&plan->replaced);
}

static bool plan_replace(struct iceberg_commit *commit, struct manifest_plan *plan,
                         const struct iceberg_manifest *const *sources, size_t count,
                         struct error *error)
{
    TRY(replacement_write(commit, sources, count, &plan->removed, error));
    for (size_t i = 0; i < count; i++)
        TRY(map_put(&plan->replaced, slice_of(sources[i]->path), &commit->attempt, error));
    return true;
}

/* Whether a manifest of the base goes on as it is or is still to be replaced. */
static bool plan_is_open(const struct manifest_plan *plan, const struct iceberg_manifest *manifest)
{
    return manifest_is_live(manifest) && map_get_text(&plan->replaced, manifest->path) == NULL;
}

/* Folds the manifests of one spec and kind into ones of about the target size, when there are
 * enough of them that it pays. */
static bool plan_merge_group(struct iceberg_commit *commit, struct manifest_plan *plan,
                             int32_t spec_id, bool deletes, struct error *error)
{
    int64_t least =
        commit_number_property(commit, "commit.manifest.min-count-to-merge", DEFAULT_MIN_COUNT);
    int64_t target =
        commit_number_property(commit, "commit.manifest.target-size-bytes", DEFAULT_TARGET);
    const struct iceberg_manifest **bin = memory_zero(plan->base.count, sizeof *bin, error);
    TRY(bin != NULL);
    size_t members = 0, count = 0;
    int64_t bytes = 0;
    for (size_t i = 0; i < plan->base.count; i++)
        members += plan_is_open(plan, &plan->base.items[i]) &&
                   plan->base.items[i].spec_id == spec_id && plan->base.items[i].deletes == deletes;
    bool ok = true, enough = commit->merge_manifests || (int64_t)members >= least;
    /* Oldest first (lists begin with the newest), so that full ones stay as they are. */
    for (size_t i = plan->base.count; ok && enough && i-- > 0;) {
        const struct iceberg_manifest *manifest = &plan->base.items[i];
        if (!plan_is_open(plan, manifest) || manifest->spec_id != spec_id ||
            manifest->deletes != deletes)
            continue;
        if (bytes + manifest->length > target) {
            ok = count < 2 || plan_replace(commit, plan, bin, count, error);
            count = 0;
            bytes = 0;
        }
        bin[count++] = manifest;
        bytes += manifest->length;
    }
    if (ok && enough && count >= 2)
        ok = plan_replace(commit, plan, bin, count, error);
    free(bin);
    return ok;
}

static bool plan_replace_all(struct iceberg_commit *commit, struct manifest_plan *plan,
                             struct error *error)
{
    const char *enabled = iceberg_table_property(commit->base, "commit.manifest-merge.enabled");
    for (size_t i = 0; i < commit->base->spec_count; i++) {
        if (enabled && strcmp(enabled, "false") == 0 && !commit->merge_manifests)
            break;
        TRY(plan_merge_group(commit, plan, commit->base->specs[i].id, false, error));
        TRY(plan_merge_group(commit, plan, commit->base->specs[i].id, true, error));
    }
    for (size_t i = 0; i < plan->base.count; i++) {
        const struct iceberg_manifest *manifest = &plan->base.items[i];
        if (plan_is_open(plan, manifest) && map_get_text(&plan->with_gone, manifest->path))
            TRY(plan_replace(commit, plan, &manifest, 1, error));
    }
    size_t gone = 0;
    for (size_t i = 0; i < commit->replacement_count; i++)
        gone += commit->replacements[i].files_removed;
    if (gone != commit->removed.count)
        return error_set(error, ERROR_CONFLICT, "run the same command again",
                         "%s: %zu of the %zu files to be removed are in its current snapshot",
                         commit->base->location, gone, commit->removed.count);
    return true;
}

/* ---- the list ---- */

static bool list_write(struct iceberg_commit *commit, const struct iceberg_manifest *all,
                       size_t count, struct error *error)
{
    commit->list_key = commit_metadata_key(commit, error, "snap-%u.avro", commit->attempt);
    TRY(commit->list_key != NULL);
    struct store_writer *file = store_writer_open(commit->base->store, commit->list_key, error);
    TRY(file != NULL);
    if (!manifest_list_write(store_writer_sink(file), all, count, commit->snapshot_id,
                             commit->base->snapshot_id, commit->base->last_sequence_number + 1,
                             error)) {
        store_writer_abort(file);
        return false;
    }
    return store_writer_commit(file, STORE_FLUSH_LATER, error);
}

static bool list_collect(struct iceberg_commit *commit, const struct manifest_plan *plan,
                         struct error *error)
{
    size_t count = 0;
    struct iceberg_manifest *all = memory_zero(
        commit->manifest_count + commit->replacement_count + plan->base.count, sizeof *all, error);
    TRY(all != NULL);
    for (size_t i = 0; i < commit->manifest_count; i++)
        all[count++] = commit->manifests[i];
    for (size_t i = 0; i < commit->replacement_count; i++)
        all[count++] = commit->replacements[i].manifest;
    size_t own = count;
    for (size_t i = 0; i < plan->base.count; i++) {
        if (plan_is_open(plan, &plan->base.items[i]))
            all[count++] = plan->base.items[i];
    }
    commit->manifests_kept = count - own;
    commit->manifests_replaced = plan->replaced.count;
    bool ok = list_write(commit, all, count, error);
    free(all);
    return ok;
}

bool commit_write_manifests(struct iceberg_commit *commit, struct error *error)
{
    struct manifest_plan plan = {0};
    if (commit->list_key) /* of an attempt that lost: nothing refers to it */
        commit_delete_own(commit, commit->list_key);
    commit->list_key = NULL;
    bool ok = added_write(commit, error) && plan_make(commit, &plan, error) &&
              plan_replace_all(commit, &plan, error) &&
              FAULT("iceberg.commit.before-list", error) && list_collect(commit, &plan, error);
    plan_destroy(&plan);
    return ok;
}
