/* Cursors: a projection matched with the file, rows read step by step. */
#include "core/parquet/reader.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/parquet/assemble.h"
#include "core/parquet/reader_private.h"

/* Columns are read in turn, so many rows at a time; fewer where rows are wide. */
enum { STEP_ROWS = 256 };

struct parquet_cursor {
    struct parquet_reader *file;
    const struct schema *projection;
    struct codec_context *codec;
    struct arena arena;       /* of the assemblies */
    struct assembly *columns; /* one a field of the projection */
    struct assembler assembler;
    struct column **outputs; /* for each reader the column it fills; NULL: levels only */
    size_t *reader_of_leaf;  /* index + 1; 0: not read */
    size_t step;             /* rows, by the open group's average */
    size_t group;            /* the open one; group_count at the end */
    int64_t row;             /* next row of the file */
    int64_t end;             /* behind the last row wanted */
};

/* ---- matching ---- */

static const struct metadata_node *find_child(const struct metadata *metadata,
                                              const struct metadata_node *parent,
                                              const struct field *want)
{
    for (size_t i = 0; i < parent->child_count; i++) {
        const struct field *field = parent->children[i].field;
        if (metadata->has_ids ? field->id >= 0 && field->id == want->id
                              : strcmp(field->name, want->name) == 0)
            return &parent->children[i];
    }
    return NULL;
}

/* The reader of a leaf, each made once. `want` NULL: only the structure above it is wanted. */
static bool add_reader(struct parquet_cursor *cursor, size_t leaf, const struct type *want,
                       size_t *index, struct error *error)
{
    struct assembler *assembler = &cursor->assembler;
    const struct parquet_reader *file = cursor->file;
    size_t known = cursor->reader_of_leaf[leaf];
    if (known && want)
        return error_set(error, ERROR_UNSUPPORTED, "name each column once",
                         "%s: column %s is wanted twice",
                         file->source.name ? file->source.name : "input",
                         file->metadata.leaves[leaf].node->field->name);
    if (known) {
        *index = known - 1;
        return true;
    }
    *index = assembler->reader_count++;
    cursor->reader_of_leaf[leaf] = assembler->reader_count;
    struct leaf_reader *reader = &assembler->readers[*index];
    return leaf_reader_init(reader, &file->metadata, &file->source, &file->limits, cursor->codec,
                            leaf, want, error);
}

static bool refuse_kind(const struct parquet_cursor *cursor, const struct field *want,
                        struct error *error)
{
    return error_set(error, ERROR_UNSUPPORTED, "read the column as the type it was written with",
                     "%s: column %s is of another type in the file",
                     cursor->file->source.name ? cursor->file->source.name : "input", want->name);
}

/* Levels around a node, handed downwards. */
struct around {
    uint8_t parent_definition;
    uint8_t slot_definition;
    uint8_t slot_repetition;
};

static bool match(struct parquet_cursor *cursor, struct assembly *node, const struct field *want,
                  const struct metadata_node *have, struct around around, struct error *error);

static bool match_children(struct parquet_cursor *cursor, struct assembly *node,
                           struct error *error)
{
    const struct type *type = &node->want->type;
    const struct metadata_node *have = node->have;
    bool entries = type->kind != TYPE_STRUCT;
    struct around around = {.parent_definition = entries ? have->entry : have->definition,
                            .slot_definition = entries ? have->entry : node->slot_definition,
                            .slot_repetition = entries ? have->repetition : node->slot_repetition};
    node->children = arena_zero(&cursor->arena, type->field_count, sizeof *node->children, error);
    TRY(node->children != NULL);
    node->child_count = type->field_count;
    for (size_t i = 0; i < type->field_count; i++) {
        const struct metadata_node *child =
            entries ? &have->children[i]
                    : find_child(&cursor->file->metadata, have, &type->fields[i]);
        TRY(match(cursor, &node->children[i], &type->fields[i], child, around, error));
    }
    return true;
}

static bool match(struct parquet_cursor *cursor, struct assembly *node, const struct field *want,
                  const struct metadata_node *have, struct around around, struct error *error)
{
    *node = (struct assembly){.want = want,
                              .have = have,
                              .parent_definition = around.parent_definition,
                              .slot_definition = around.slot_definition,
                              .slot_repetition = around.slot_repetition};
    if (have == NULL) {
        return !want->required ||
               error_set(error, ERROR_INPUT, "read it as an optional column",
                         "%s: column %s is required and not in the file",
                         cursor->file->source.name ? cursor->file->source.name : "input",
                         want->name);
    }
    bool nested = type_is_nested(&want->type);
    if (nested != type_is_nested(&have->field->type) ||
        (nested && want->type.kind != have->field->type.kind))
        return refuse_kind(cursor, want, error);
    if (!nested)
        return add_reader(cursor, have->leaf, &want->type, &node->reader, error);
    TRY(match_children(cursor, node, error));
    /* Any leaf below tells the structure: one that is read anyway, else the first. */
    for (size_t i = 0; i < node->child_count; i++) {
        if (node->children[i].have) {
            node->reader = node->children[i].reader;
            return true;
        }
    }
    return add_reader(cursor, have->leaf, NULL, &node->reader, error);
}

static bool match_projection(struct parquet_cursor *cursor, struct error *error)
{
    const struct metadata *metadata = &cursor->file->metadata;
    const struct schema *projection = cursor->projection;
    size_t leaves = metadata->leaf_count;
    struct assembler *assembler = &cursor->assembler;
    cursor->reader_of_leaf = memory_zero(leaves, sizeof *cursor->reader_of_leaf, error);
    cursor->columns =
        arena_zero(&cursor->arena, projection->field_count, sizeof *cursor->columns, error);
    assembler->readers = memory_zero(leaves, sizeof *assembler->readers, error);
    TRY(cursor->reader_of_leaf && cursor->columns && assembler->readers);
    assembler->metadata = metadata;
    assembler->source = &cursor->file->source;
    for (size_t i = 0; i < projection->field_count; i++) {
        const struct field *want = &projection->fields[i];
        TRY(match(cursor, &cursor->columns[i], want, find_child(metadata, &metadata->root, want),
                  (struct around){0}, error));
    }
    cursor->outputs = memory_zero(assembler->reader_count, sizeof *cursor->outputs, error);
    return cursor->outputs != NULL;
}

/* ---- life ---- */

void parquet_cursor_close(struct parquet_cursor *cursor)
{
    if (cursor == NULL)
        return;
    for (size_t i = 0; i < cursor->assembler.reader_count; i++)
        leaf_reader_destroy(&cursor->assembler.readers[i]);
    free(cursor->assembler.readers);
    free(cursor->outputs);
    free(cursor->reader_of_leaf);
    arena_destroy(&cursor->arena);
    codec_context_destroy(cursor->codec);
    free(cursor);
}

struct parquet_cursor *parquet_cursor_open(struct parquet_reader *reader,
                                           const struct schema *projection, int64_t first_row,
                                           int64_t row_count, struct error *error)
{
    struct parquet_cursor *cursor = memory_zero(1, sizeof *cursor, error);
    if (cursor == NULL)
        return NULL;
    cursor->file = reader;
    cursor->projection = projection;
    cursor->codec = codec_context_create(error);
    if (cursor->codec && match_projection(cursor, error) &&
        parquet_cursor_seek(cursor, first_row, row_count, error))
        return cursor;
    parquet_cursor_close(cursor);
    return NULL;
}

/* An eighth of a batch's bytes at most, as far as averages tell. */
static size_t choose_step(const struct parquet_cursor *cursor, const struct metadata_group *group)
{
    uint64_t widest = 1;
    for (size_t i = 0; i < cursor->assembler.reader_count; i++) {
        int64_t bytes = group->chunks[cursor->assembler.readers[i].index].uncompressed;
        if (bytes > 0 && group->rows > 0 && (uint64_t)(bytes / group->rows) > widest)
            widest = (uint64_t)(bytes / group->rows);
    }
    uint64_t rows = cursor->file->limits.batch_bytes / 8 / widest;
    return rows > STEP_ROWS ? STEP_ROWS : rows ? (size_t)rows : 1;
}

/* Opens the group that holds cursor->row. */
static bool open_group(struct parquet_cursor *cursor, struct error *error)
{
    const struct metadata *metadata = &cursor->file->metadata;
    if (cursor->row >= cursor->end)
        return true;
    size_t low = 0;
    size_t high = metadata->group_count; /* the last group that begins at or before the row */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (metadata->groups[middle].first_row <= cursor->row)
            low = middle;
        else
            high = middle;
    }
    cursor->group = low;
    cursor->step = choose_step(cursor, &metadata->groups[low]);
    for (size_t i = 0; i < cursor->assembler.reader_count; i++)
        TRY(leaf_reader_seek(&cursor->assembler.readers[i], low,
                             cursor->row - metadata->groups[low].first_row, error));
    return true;
}

bool parquet_cursor_seek(struct parquet_cursor *cursor, int64_t first_row, int64_t row_count,
                         struct error *error)
{
    int64_t rows = cursor->file->metadata.rows;
    if (first_row < 0 || first_row > rows || row_count < -1)
        return error_set(error, ERROR_INTERNAL, NULL,
                         "%s: no rows %" PRId64 " and %" PRId64 " more; it has %" PRId64,
                         cursor->file->source.name ? cursor->file->source.name : "input", first_row,
                         row_count, rows);
    int64_t left = rows - first_row;
    cursor->row = first_row;
    cursor->end = first_row + (row_count < 0 || row_count > left ? left : row_count);
    return open_group(cursor, error);
}

int64_t parquet_cursor_row(const struct parquet_cursor *cursor)
{
    return cursor->row;
}

/* ---- reading ---- */

static void link_outputs(struct parquet_cursor *cursor, const struct assembly *node,
                         struct column *column)
{
    if (node->have == NULL)
        return;
    if (!type_is_nested(&node->want->type))
        cursor->outputs[node->reader] = column;
    for (size_t i = 0; i < node->child_count; i++)
        link_outputs(cursor, &node->children[i], &column->children[i]);
}

/* Takes back what the first `count` readers read of a step. */
static bool rewind_readers(struct parquet_cursor *cursor, size_t count, struct error *error)
{
    int64_t row = cursor->row - cursor->file->metadata.groups[cursor->group].first_row;
    for (size_t i = 0; i < count; i++) {
        struct leaf_reader *reader = &cursor->assembler.readers[i];
        if (reader->out)
            reader->out->bytes_length = reader->bytes_begin;
        TRY(leaf_reader_seek(reader, cursor->group, row, error));
    }
    return true;
}

/* Has the readers read *rows rows; fewer when so many are more than memory is meant to hold. */
static bool read_leaves(struct parquet_cursor *cursor, size_t *rows, struct error *error)
{
    struct assembler *assembler = &cursor->assembler;
    for (size_t i = 0; i < assembler->reader_count; i++) {
        struct leaf_reader *reader = &assembler->readers[i];
        struct error inner = {0};
        if (leaf_reader_read(reader, cursor->outputs[i], *rows, &inner))
            continue;
        if (!reader->too_large || *rows == 1) {
            if (error)
                *error = inner;
            return false;
        }
        TRY(rewind_readers(cursor, i + 1, error));
        cursor->step = *rows / 2;
        *rows = cursor->step;
        return read_leaves(cursor, rows, error);
    }
    return true;
}

/* Reads up to `rows` rows of the open group; *bytes grows by what they take. */
static bool read_step(struct parquet_cursor *cursor, struct batch *out, size_t rows,
                      uint64_t *bytes, struct error *error)
{
    struct assembler *assembler = &cursor->assembler;
    TRY(read_leaves(cursor, &rows, error));
    for (size_t i = 0; i < assembler->reader_count; i++) {
        const struct leaf_reader *reader = &assembler->readers[i];
        *bytes += reader->levels + reader->filled * (reader->column_width + 8);
        if (reader->out)
            *bytes += reader->out->bytes_length - reader->bytes_begin;
    }
    for (size_t i = 0; i < out->column_count; i++)
        TRY(assemble_column(assembler, &cursor->columns[i], &out->columns[i], rows, error));
    out->length += rows;
    cursor->row += (int64_t)rows;
    return true;
}

bool parquet_cursor_next(struct parquet_cursor *cursor, struct batch *out, size_t max_rows,
                         struct error *error)
{
    const struct metadata *metadata = &cursor->file->metadata;
    uint64_t bytes = 0;
    batch_clear(out);
    for (size_t i = 0; i < out->column_count; i++)
        link_outputs(cursor, &cursor->columns[i], &out->columns[i]);
    while (out->length < max_rows && cursor->row < cursor->end &&
           bytes < cursor->file->limits.batch_bytes) {
        const struct metadata_group *group = &metadata->groups[cursor->group];
        int64_t group_end = group->first_row + group->rows;
        if (cursor->row == group_end) {
            TRY(open_group(cursor, error));
            continue;
        }
        int64_t end = cursor->end < group_end ? cursor->end : group_end;
        size_t rows = max_rows - out->length;
        rows = rows < cursor->step ? rows : cursor->step;
        if ((int64_t)rows > end - cursor->row)
            rows = (size_t)(end - cursor->row);
        TRY(read_step(cursor, out, rows, &bytes, error));
    }
    return true;
}
