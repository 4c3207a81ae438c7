#include "plugins/postgres/relation.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/memory.h"

/* ---- types ---- */

/* Types whose oid never changes (pg_type.dat), with their arrays'. */
static const struct {
    uint32_t oid, array;
    enum captured_form form;
} builtin_types[] = {
    {16, 1000, CAPTURED_BOOLEAN},     {17, 1001, CAPTURED_BYTES},
    {20, 1016, CAPTURED_NUMBER},      {21, 1005, CAPTURED_NUMBER},
    {23, 1007, CAPTURED_NUMBER},      {25, 1009, CAPTURED_TEXT},
    {26, 1028, CAPTURED_NUMBER},      {114, 199, CAPTURED_TEXT},
    {600, 1017, CAPTURED_POINT},      {700, 1021, CAPTURED_FLOAT},
    {701, 1022, CAPTURED_FLOAT},      {790, 791, CAPTURED_MONEY},
    {1042, 1014, CAPTURED_TEXT},      {1043, 1015, CAPTURED_TEXT},
    {1082, 1182, CAPTURED_DATE},      {1083, 1183, CAPTURED_TIME},
    {1114, 1115, CAPTURED_TIMESTAMP}, {1184, 1185, CAPTURED_TIMESTAMPTZ},
    {1186, 1187, CAPTURED_INTERVAL},  {1266, 1270, CAPTURED_TIMETZ},
    {1560, 1561, CAPTURED_BITS},      {1562, 1563, CAPTURED_BITS},
    {1700, 1231, CAPTURED_DECIMAL},   {2950, 2951, CAPTURED_UUID},
    {3802, 3807, CAPTURED_TEXT},
};

/* Types of extensions, by name. */
static const struct {
    const char *name;
    enum captured_form form;
} named_types[] = {
    {"hstore", CAPTURED_HSTORE}, {"geometry", CAPTURED_GEOMETRY}, {"geography", CAPTURED_GEOMETRY},
    {"vector", CAPTURED_VECTOR}, {"halfvec", CAPTURED_VECTOR},
};

static void type_finish(struct captured_type *type, uint32_t oid, int32_t modifier)
{
    type->narrow = oid == 21;
    type->fraction = modifier >= 0 && modifier <= 6 ? modifier : 6;
    if (type->form == CAPTURED_BITS && modifier == 1)
        type->form = CAPTURED_BIT;
}

static bool type_builtin(uint32_t oid, int32_t modifier, struct captured_type *out)
{
    for (size_t i = 0; i < sizeof builtin_types / sizeof *builtin_types; i++) {
        if (oid != builtin_types[i].oid && oid != builtin_types[i].array)
            continue;
        *out = (struct captured_type){.form = builtin_types[i].form,
                                      .array = oid == builtin_types[i].array,
                                      .delimiter = ','};
        type_finish(out, builtin_types[i].oid, modifier);
        return true;
    }
    return false;
}

static bool type_by_name(struct pg *pg, uint32_t oid, int32_t modifier, int depth,
                         struct captured_type *out, struct error *error);

static bool type_of(struct pg *pg, uint32_t oid, int32_t modifier, int depth,
                    struct captured_type *out, struct error *error)
{
    if (type_builtin(oid, modifier, out))
        return true;
    if (depth > 32)
        return error_set(error, ERROR_UNSUPPORTED, NULL, "type %u is a domain over itself", oid);
    return type_by_name(pg, oid, modifier, depth, out, error);
}

static bool type_by_name(struct pg *pg, uint32_t oid, int32_t modifier, int depth,
                         struct captured_type *out, struct error *error)
{
    char number[16];
    const char *parameters[] = {number};
    struct pg_rows rows = {0};
    snprintf(number, sizeof number, "%u", oid);
    TRY(pg_query(pg,
                 "SELECT t.typtype, t.typbasetype, t.typtypmod, t.typname, t.typcategory,"
                 " t.typelem, e.typdelim FROM pg_catalog.pg_type t"
                 " LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem WHERE t.oid = $1::oid",
                 parameters, 1, &rows, error));
    *out = (struct captured_type){.form = CAPTURED_TEXT, .delimiter = ',', .fraction = 6};
    bool ok = true;
    if (pg_rows_count(&rows) > 0) { /* a type that was dropped meanwhile stays text */
        const char *name = pg_rows_value(&rows, 0, 3);
        uint32_t element = (uint32_t)strtoul(pg_rows_value(&rows, 0, 5), NULL, 10);
        if (pg_rows_value(&rows, 0, 0)[0] == 'd') {
            int32_t base_modifier = (int32_t)strtol(pg_rows_value(&rows, 0, 2), NULL, 10);
            ok = type_of(pg, (uint32_t)strtoul(pg_rows_value(&rows, 0, 1), NULL, 10), base_modifier,
                         depth + 1, out, error);
        } else if (pg_rows_value(&rows, 0, 4)[0] == 'A' && element != 0) {
            const char *delimiter = pg_rows_value(&rows, 0, 6);
            ok = type_of(pg, element, modifier, depth + 1, out, error);
            out->array = true;
            out->delimiter = delimiter ? delimiter[0] : ',';
        }
        for (size_t i = 0; i < sizeof named_types / sizeof *named_types; i++) {
            if (strcmp(name, named_types[i].name) == 0)
                out->form = named_types[i].form;
        }
    }
    pg_rows_destroy(&rows);
    return ok;
}

bool relation_type(struct pg *pg, uint32_t oid, int32_t modifier, struct captured_type *out,
                   struct error *error)
{
    return type_of(pg, oid, modifier, 0, out, error);
}

/* ---- the key ---- */

bool relation_key_columns(struct pg *pg, uint32_t oid, struct pg_rows *out, struct error *error)
{
    static const char sql[] =
        "SELECT a.attname FROM (SELECT i.indkey::int2[] AS keys, i.indnkeyatts AS n"
        " FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid"
        " WHERE i.indrelid = $1::oid AND i.indisvalid AND i.indisunique AND i.indimmediate"
        " AND i.indpred IS NULL AND i.indexprs IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)"
        "  JOIN pg_catalog.pg_attribute n ON n.attrelid = i.indrelid AND n.attnum = k.attnum"
        "  WHERE k.place <= i.indnkeyatts AND NOT n.attnotnull)"
        " AND (i.indisprimary OR i.indisreplident OR c.relreplident = 'f')"
        " ORDER BY i.indisprimary DESC, i.indisreplident DESC, i.indexrelid LIMIT 1) chosen,"
        " unnest(chosen.keys) WITH ORDINALITY u(attnum, place)"
        " JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::oid AND a.attnum = u.attnum"
        " WHERE u.place <= chosen.n ORDER BY u.place";
    char number[16];
    const char *parameters[] = {number};
    snprintf(number, sizeof number, "%u", oid);
    return pg_query(pg, sql, parameters, 1, out, error);
}

/* Marks the columns that are called so. A name that the message does not have (renamed since) is
 * left out, and told by *missing. */
static bool relation_mark_key(struct relation *relation, const struct pg_rows *names, bool *missing,
                              struct error *error)
{
    size_t count = pg_rows_count(names);
    relation->key = arena_zero(&relation->arena, count, sizeof *relation->key, error);
    TRY(relation->key != NULL);
    for (size_t i = 0; i < count; i++) {
        size_t column = 0;
        while (column < relation->column_count &&
               strcmp(relation->columns[column].name, pg_rows_value(names, i, 0)) != 0)
            column++;
        if (column == relation->column_count) {
            *missing = true;
            return true;
        }
        relation->columns[column].in_key = true;
        relation->key[relation->key_count++] = column;
    }
    return true;
}

/* The key by the message's own flags: the replica identity's columns, in table order. */
static bool relation_flag_key(struct relation *relation, const struct pgoutput_message *message,
                              struct error *error)
{
    relation->key =
        arena_zero(&relation->arena, relation->column_count, sizeof *relation->key, error);
    TRY(relation->key != NULL);
    relation->key_count = 0;
    for (size_t i = 0; i < relation->column_count; i++) {
        relation->columns[i].in_key = message->columns[i].in_key;
        if (message->columns[i].in_key)
            relation->key[relation->key_count++] = i;
    }
    return true;
}

static bool relation_find_key(struct relation *relation, struct pg *pg,
                              const struct pgoutput_message *message, struct error *error)
{
    struct pg_rows names = {0};
    TRY(relation_key_columns(pg, relation->oid, &names, error));
    bool missing = false;
    bool ok = relation_mark_key(relation, &names, &missing, error);
    pg_rows_destroy(&names);
    TRY(ok);
    bool by_identity = relation->identity == 'd' || relation->identity == 'i';
    if (missing && !by_identity)
        return error_set(error, ERROR_CONFIG, "take a new snapshot: capture --reload",
                         "table %s.%s: its key's columns were renamed since this change was made",
                         relation->schema, relation->name);
    if (missing)
        return relation_flag_key(relation, message, error);
    for (size_t i = 0; by_identity && i < relation->key_count; i++) {
        if (!message->columns[relation->key[i]].in_key)
            return error_set(
                error, ERROR_CONFIG,
                "ALTER TABLE ... REPLICA IDENTITY DEFAULT or FULL, then capture --reload",
                "table %s.%s: its replica identity does not hold column %s of its primary key",
                relation->schema, relation->name, relation->columns[relation->key[i]].name);
    }
    return true;
}

/* ---- creating ---- */

static bool relation_add_columns(struct relation *relation, struct pg *pg,
                                 const struct pgoutput_message *message, struct error *error)
{
    relation->columns =
        arena_zero(&relation->arena, message->column_count, sizeof *relation->columns, error);
    TRY(relation->columns != NULL);
    for (size_t i = 0; i < message->column_count; i++) {
        struct relation_column *column = &relation->columns[i];
        relation->column_count++; /* from here on destroy() frees its label */
        column->name = arena_copy_slice(&relation->arena, message->columns[i].name, error);
        TRY(column->name != NULL);
        TRY(line_append_text(&column->label, message->columns[i].name, error));
        TRY(buffer_append_byte(&column->label, ':', error));
        TRY(relation_type(pg, message->columns[i].type, message->columns[i].modifier, &column->type,
                          error));
    }
    return true;
}

struct relation *relation_create(struct pg *pg, const struct pgoutput_message *message,
                                 const char *name, const char *database, struct error *error)
{
    struct relation *relation = memory_zero(1, sizeof *relation, error);
    if (relation == NULL)
        return NULL;
    relation->oid = message->relation;
    relation->identity = message->identity;
    relation->schema = arena_copy_slice(&relation->arena, message->schema, error);
    relation->name = arena_copy_slice(&relation->arena, message->name, error);
    if (relation->schema && relation->name && relation_add_columns(relation, pg, message, error) &&
        relation_find_key(relation, pg, message, error) &&
        line_table_init(&relation->line, RELATION_VERSION, name, database, relation->schema,
                        relation->name, error))
        return relation;
    relation_destroy(relation);
    return NULL;
}

void relation_destroy(struct relation *relation)
{
    if (relation == NULL)
        return;
    for (size_t i = 0; i < relation->column_count; i++)
        buffer_destroy(&relation->columns[i].label);
    line_table_destroy(&relation->line);
    arena_destroy(&relation->arena);
    free(relation);
}

/* ---- rows ---- */

static bool relation_append_value(const struct relation *relation, struct captured_writer *writer,
                                  struct buffer *out, const struct relation_column *column,
                                  const struct pgoutput_value *value,
                                  const struct pgoutput_value *other, struct error *error)
{
    if (value->kind == 'u' && other && other->kind != 'u')
        value = other;
    if (value->kind == 'n')
        return buffer_append(out, "null", 4, error);
    if (value->kind == 'u')
        return captured_append_unavailable(out, &column->type, error);
    return captured_append(writer, out, &column->type, value->text, error) ||
           error_prefix(error, "table %s.%s, column %s", relation->schema, relation->name,
                        column->name);
}

static bool relation_append_key(const struct relation *relation, struct captured_writer *writer,
                                struct buffer *out, const struct pgoutput_value *values,
                                const struct pgoutput_value *other, struct error *error)
{
    for (size_t i = 0; i < relation->key_count; i++) {
        size_t at = relation->key[i];
        const struct relation_column *column = &relation->columns[at];
        if (values[at].kind == 'u' && (other == NULL || other[at].kind == 'u'))
            return error_set(error, ERROR_UNSUPPORTED,
                             "ALTER TABLE ... REPLICA IDENTITY FULL: its key is stored out of line",
                             "table %s.%s: the value of key column %s was not sent",
                             relation->schema, relation->name, column->name);
        TRY(buffer_append_byte(out, i ? ',' : '{', error));
        TRY(buffer_append_slice(out, buffer_slice(&column->label), error));
        TRY(relation_append_value(relation, writer, out, column, &values[at],
                                  other ? &other[at] : NULL, error));
    }
    return relation->key_count == 0 || buffer_append_byte(out, '}', error);
}

bool relation_append(const struct relation *relation, struct captured_writer *writer,
                     struct buffer *out, enum relation_part part,
                     const struct pgoutput_value *values, const struct pgoutput_value *other,
                     struct error *error)
{
    static const struct pgoutput_value nothing = {.kind = 'n'};
    if (part == RELATION_KEY)
        return relation_append_key(relation, writer, out, values, other, error);
    for (size_t i = 0; i < relation->column_count; i++) {
        const struct relation_column *column = &relation->columns[i];
        bool blank = part == RELATION_OLD && !column->in_key;
        TRY(buffer_append_byte(out, i ? ',' : '{', error));
        TRY(buffer_append_slice(out, buffer_slice(&column->label), error));
        TRY(relation_append_value(relation, writer, out, column, blank ? &nothing : &values[i],
                                  other ? &other[i] : NULL, error));
    }
    return buffer_append_text(out, relation->column_count ? "}" : "{}", error);
}

bool relation_key_changed(const struct relation *relation, const struct pgoutput_value *before,
                          const struct pgoutput_value *after)
{
    for (size_t i = 0; i < relation->key_count; i++) {
        size_t at = relation->key[i];
        if (after[at].kind != 'u' && before[at].kind != 'u' &&
            !slice_equal(before[at].text, after[at].text))
            return true;
    }
    return false;
}
