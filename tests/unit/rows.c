#include "tests/unit/rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/decimal.h"

/* A test can't go on without memory. */
static void must(bool ok)
{
    if (!ok) {
        fputs("rows: out of memory\n", stderr);
        exit(99);
    }
}

/* ---- schemas ---- */

static void random_type(struct random *random, struct schema *schema, struct type *type,
                        enum type_kind kind, int depth, int32_t *id);

static void random_field(struct random *random, struct schema *schema, struct field *field,
                         const char *name, enum type_kind kind, int depth, int32_t *id)
{
    field->id = ++*id;
    field->name = arena_copy_text(&schema->arena, name, NULL);
    field->required = random_below(random, 3) == 0;
    must(field->name != NULL);
    random_type(random, schema, &field->type, kind, depth, id);
}

static enum type_kind random_kind(struct random *random, int depth)
{
    return (enum type_kind)random_below(random, depth > 0 ? TYPE_KINDS : TYPE_LIST);
}

static void random_type(struct random *random, struct schema *schema, struct type *type,
                        enum type_kind kind, int depth, int32_t *id)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    *type = (struct type){.kind = kind};
    if (kind == TYPE_DECIMAL) {
        type->precision = (int32_t)random_below(random, 38) + 1;
        type->scale = (int32_t)random_below(random, (uint64_t)type->precision + 1);
    }
    if (kind == TYPE_FIXED)
        type->length = (int32_t)random_below(random, 20) + 1;
    if (kind == TYPE_LIST)
        type->field_count = 1;
    else if (kind == TYPE_MAP)
        type->field_count = 2;
    else if (kind == TYPE_STRUCT)
        type->field_count = random_below(random, 3) + 1;
    type->fields = arena_zero(&schema->arena, type->field_count, sizeof *type->fields, NULL);
    must(type->fields != NULL);
    for (size_t i = 0; i < type->field_count; i++) {
        const char *name = kind == TYPE_LIST ? "element" : names[i];
        enum type_kind child = random_kind(random, depth - 1);
        if (kind == TYPE_MAP) {
            name = i ? "value" : "key";
            child = i ? child : TYPE_STRING;
        }
        random_field(random, schema, &type->fields[i], name, child, depth - 1, id);
        if (kind == TYPE_MAP && i == 0)
            type->fields[0].required = true;
    }
}

void rows_random_schema(struct random *random, size_t columns, int depth, struct schema *out)
{
    *out = (struct schema){.field_count = columns};
    out->fields = arena_zero(&out->arena, columns, sizeof *out->fields, NULL);
    must(out->fields != NULL);
    int32_t id = 0;
    for (size_t i = 0; i < columns; i++) {
        char name[32];
        snprintf(name, sizeof name, "c%zu", i);
        enum type_kind kind = i < TYPE_LIST ? (enum type_kind)i : random_kind(random, depth);
        random_field(random, out, &out->fields[i], name, kind, depth, &id);
    }
}

/* ---- rows ---- */

static uint64_t random_number(struct random *random, enum rows_shape shape)
{
    uint64_t number = random_next(random);
    if (shape == ROWS_FEW)
        return (number % 7) * 0x9e3779b97f4a7c15u;
    switch (number % 16) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX;
    case 2:
        return (uint64_t)INT64_MAX;
    case 3:
        return (uint64_t)INT64_MIN;
    case 4:
    case 5:
    case 6:
        return random_below(random, 1000);
    default:
        return random_next(random);
    }
}

static double random_real(struct random *random, enum rows_shape shape)
{
    static const double special[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, 1.5, -1e300, 1e-310};
    uint64_t number = random_next(random);
    if (shape == ROWS_FEW || number % 4 == 0)
        return special[number / 4 % 8];
    return ((double)random_below(random, 1u << 30) - (1 << 29)) / 1024;
}

static int128 random_decimal(struct random *random, const struct type *type, enum rows_shape shape)
{
    int128 limit = decimal_power(type->precision);
    unsigned __int128 number = random_number(random, shape);
    if (shape != ROWS_FEW && random_below(random, 2))
        number = number << 64 | random_next(random);
    int128 value = (int128)(number % (unsigned __int128)limit);
    return random_below(random, 2) ? value : -value;
}

static void append_text(struct random *random, struct column *column, enum rows_shape shape)
{
    static const char *const words[] = {
        "", "a", "surf", "\xC3\xA9t\xC3\xA9", "z", "\xF0\x9F\x8F\x84", "0"};
    char text[200];
    size_t length = 0;
    size_t most = shape == ROWS_FEW ? 1 : random_below(random, 6);
    if (shape != ROWS_FEW && random_below(random, 50) == 0)
        most += 30;
    for (size_t i = 0; i < most; i++) {
        const char *word = words[random_below(random, 7)];
        memcpy(text + length, word, strlen(word));
        length += strlen(word);
    }
    if (shape == ROWS_DISTINCT)
        length += (size_t)snprintf(text + length, 24, "%" PRIx64, random_next(random));
    must(column_append_bytes(column, slice_make(text, length), NULL));
}

static void append_value(struct random *random, struct column *column, enum rows_shape shape);

static void append_maybe(struct random *random, struct column *column, const struct field *field,
                         enum rows_shape shape)
{
    bool null = !field->required && (shape == ROWS_NULLS || random_below(random, 5) == 0);
    if (null)
        must(column_append_null(column, NULL));
    else
        append_value(random, column, shape);
}

static void append_nested(struct random *random, struct column *column, enum rows_shape shape)
{
    const struct type *type = column->type;
    size_t entries = type->kind == TYPE_STRUCT ? 1 : random_below(random, 4);
    for (size_t i = 0; i < entries; i++) {
        for (size_t child = 0; child < column->child_count; child++) {
            /* Keys of a map must differ. */
            if (type->kind == TYPE_MAP && child == 0) {
                char key[8];
                int length = snprintf(key, sizeof key, "k%zu", i);
                must(column_append_bytes(&column->children[0], slice_make(key, (size_t)length),
                                         NULL));
            } else {
                append_maybe(random, &column->children[child], &type->fields[child], shape);
            }
        }
    }
    must(type->kind == TYPE_STRUCT ? column_append_struct_end(column, NULL)
                                   : column_append_list_end(column, NULL));
}

static void append_value(struct random *random, struct column *column, enum rows_shape shape)
{
    const struct type *type = column->type;
    union {
        uint64_t number;
        float real4;
        double real8;
        int128 decimal;
        char bytes[32];
    } value = {.bytes = {0}};
    switch (type->kind) {
    case TYPE_BOOLEAN:
        value.number = random_below(random, 2);
        break;
    case TYPE_FLOAT:
        value.real4 = (float)random_real(random, shape);
        break;
    case TYPE_DOUBLE:
        value.real8 = random_real(random, shape);
        break;
    case TYPE_DECIMAL:
        value.decimal = random_decimal(random, type, shape);
        break;
    case TYPE_DATE: /* years 1 to 9999, which other readers can print */
        value.number = (uint64_t)((int64_t)(random_number(random, shape) % 3652059) - 719162);
        break;
    case TYPE_TIME:
        value.number = random_number(random, shape) % 86400000000u;
        break;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        value.number = (uint64_t)((int64_t)(random_number(random, shape) % 253402300800000000u) -
                                  62135596800000000);
        value.number = (uint64_t)((int64_t)value.number > 253402300799999999 ? 0 : value.number);
        break;
    case TYPE_STRING:
    case TYPE_BINARY:
        append_text(random, column, shape);
        return;
    case TYPE_LIST:
    case TYPE_MAP:
    case TYPE_STRUCT:
        append_nested(random, column, shape);
        return;
    case TYPE_UUID:
    case TYPE_FIXED:
        for (size_t i = 0; i < sizeof value.bytes; i++)
            value.bytes[i] = (char)(shape != ROWS_FEW || i == 0 ? random_below(random, 256) : 0);
        break;
    default:
        value.number = random_number(random, shape);
    }
    must(column_append_bytes(column, slice_make(&value, type_width(type)), NULL));
}

void rows_random_batch(struct random *random, struct batch *batch, size_t count,
                       enum rows_shape shape)
{
    for (size_t row = 0; row < count; row++) {
        for (size_t i = 0; i < batch->column_count; i++) {
            const struct field *field = &batch->schema->fields[i];
            enum rows_shape own = shape == ROWS_MIXED
                                      ? (enum rows_shape)(1 + (size_t)field->id % (ROWS_SHAPES - 1))
                                      : shape;
            if (shape == ROWS_MIXED && own == ROWS_NULLS && field->id % 4 != 0)
                own = ROWS_MIXED;
            append_maybe(random, &batch->columns[i], field, own);
        }
    }
    batch->length += count;
}

/* ---- text ---- */

static void print_hex(struct slice bytes, struct buffer *out)
{
    must(buffer_append_byte(out, '"', NULL));
    for (size_t i = 0; i < bytes.length; i++)
        must(buffer_append_format(out, NULL, "%02x", (unsigned char)bytes.data[i]));
    must(buffer_append_byte(out, '"', NULL));
}

static void print_real(const struct column *column, size_t row, struct buffer *out)
{
    bool wide = column->type->kind == TYPE_DOUBLE;
    double value = wide ? column_double(column, row) : (double)column_float(column, row);
    uint64_t bits = 0;
    memcpy(&bits, (const char *)column->values + row * (wide ? 8 : 4), wide ? 8 : 4);
    if (isnan(value))
        must(buffer_append_text(out, "\"nan\"", NULL));
    else
        must(buffer_append_format(out, NULL, "\"%0*" PRIx64 "\"", wide ? 16 : 8, bits));
}

static void print_value(const struct column *column, size_t row, struct buffer *out);

static void print_nested(const struct column *column, size_t row, struct buffer *out)
{
    bool structure = column->type->kind == TYPE_STRUCT;
    uint64_t from = structure ? row : column->offsets[row];
    uint64_t to = structure ? row + 1 : column->offsets[row + 1];
    must(structure || buffer_append_byte(out, '[', NULL));
    for (uint64_t i = from; i < to; i++) {
        if (i > from)
            must(buffer_append_text(out, ", ", NULL));
        bool brackets = column->type->kind != TYPE_LIST;
        must(!brackets || buffer_append_byte(out, '[', NULL));
        for (size_t child = 0; child < column->child_count; child++) {
            if (child)
                must(buffer_append_text(out, ", ", NULL));
            print_value(&column->children[child], (size_t)i, out);
        }
        must(!brackets || buffer_append_byte(out, ']', NULL));
    }
    must(structure || buffer_append_byte(out, ']', NULL));
}

static void print_value(const struct column *column, size_t row, struct buffer *out)
{
    char text[DECIMAL_TEXT_SIZE];
    if (column_is_null(column, row)) {
        must(buffer_append_text(out, "null", NULL));
        return;
    }
    switch (column->type->kind) {
    case TYPE_BOOLEAN:
        must(buffer_append_text(out, ((uint8_t *)column->values)[row] ? "true" : "false", NULL));
        break;
    case TYPE_INT:
    case TYPE_DATE:
        must(buffer_append_format(out, NULL, "%" PRId32, column_int(column, row)));
        break;
    case TYPE_LONG:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        must(buffer_append_format(out, NULL, "%" PRId64, column_long(column, row)));
        break;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        print_real(column, row, out);
        break;
    case TYPE_DECIMAL:
        decimal_format(column_decimal(column, row), column->type->scale, text);
        must(buffer_append_format(out, NULL, "\"%s\"", text));
        break;
    case TYPE_STRING:
        must(buffer_append_json_text(out, column_bytes(column, row), NULL));
        break;
    case TYPE_BINARY:
        print_hex(column_bytes(column, row), out);
        break;
    case TYPE_UUID:
    case TYPE_FIXED:
        print_hex(column_fixed(column, row), out);
        break;
    default:
        print_nested(column, row, out);
    }
}

void rows_print(const struct batch *batch, size_t row, struct buffer *out)
{
    must(buffer_append_byte(out, '[', NULL));
    for (size_t i = 0; i < batch->column_count; i++) {
        if (i)
            must(buffer_append_text(out, ", ", NULL));
        print_value(&batch->columns[i], row, out);
    }
    must(buffer_append_byte(out, ']', NULL));
}
