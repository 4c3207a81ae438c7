/* manifest.h: reading and writing the Avro files themselves, apart from a table (tests, fuzzing,
 * peek). Private to core/iceberg; others use file.h and commit.h. */
#ifndef SURFBOARD_ICEBERG_MANIFEST_H
#define SURFBOARD_ICEBERG_MANIFEST_H

#include "core/avro/reader.h"
#include "core/avro/writer.h"
#include "core/iceberg/file.h"

/* Appends the records of a manifest list. */
bool manifest_list_read(const struct source *source, struct iceberg_manifest_list *out,
                        size_t *capacity, struct error *error);

/* Appends the entries of a manifest, sequence numbers and snapshot ids inherited from `manifest`.
 * `spec` gives the order of partition values. */
bool manifest_read(const struct source *source, const struct iceberg_manifest *manifest,
                   const struct iceberg_spec *spec, bool live_only, struct iceberg_file_list *out,
                   struct error *error);

/* ---- writing (format version 2) ---- */

struct manifest_writer;

struct manifest_facts { /* the file-level metadata of a manifest */
    const char *schema_json;
    int32_t schema_id;
    const char *spec_json; /* the fields array */
    const struct iceberg_spec *spec;
    bool deletes;
    int64_t snapshot_id; /* of the commit that writes it */
};

struct manifest_writer *manifest_writer_open(struct sink *sink, const struct manifest_facts *facts,
                                             struct error *error);
/* ADDED entries with sequence_number -1 are written to inherit; others carry theirs. */
bool manifest_writer_add(struct manifest_writer *writer, const struct iceberg_file *file,
                         struct error *error);
/* Fills counts, sequence numbers (`sequence_number` counts for what inherits) and partition
 * summaries (memory from `arena`); path and length are the caller's. */
bool manifest_writer_finish(struct manifest_writer *writer, struct arena *arena,
                            struct iceberg_manifest *out, struct error *error);
void manifest_writer_destroy(struct manifest_writer *writer);

/* sequence_number and min_sequence_number of -1 stand for `sequence_number`: manifests written by
 * this commit. */
bool manifest_list_write(struct sink *sink, const struct iceberg_manifest *manifests, size_t count,
                         int64_t snapshot_id, int64_t parent_id, int64_t sequence_number,
                         struct error *error);

#endif
