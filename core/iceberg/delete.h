/* delete.h: writes file-scoped position delete files (Iceberg spec, "Position Delete Files"). */
#ifndef SURFBOARD_ICEBERG_DELETE_H
#define SURFBOARD_ICEBERG_DELETE_H

#include "core/iceberg/commit.h"

/* Writes one delete file for rows of `data` (0-based positions, ascending, no repeats) into the
 * commit's table and describes it in *out (memory from `arena`): file_path bounds whole and equal,
 * referenced_data_file set, spec and partition of the data file. It is not added to the commit yet:
 * call iceberg_commit_add_file(). Thread-safe for different arenas. ERROR_INTERNAL when positions
 * are out of order or beyond the file. */
bool iceberg_write_position_deletes(struct iceberg_commit *commit, const struct iceberg_file *data,
                                    const int64_t *positions, size_t count, struct arena *arena,
                                    struct iceberg_file *out, struct error *error);

#endif
