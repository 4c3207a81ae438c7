/* Data types as a person reads them (bundle-format.md, section 6). A type that we don't know is
 * shown by its name and reported once. */
#include <stdio.h>
#include <string.h>

#include "core/model/load.h"

enum type_shape {
    TYPE_PLAIN,   /* date */
    TYPE_WHOLE,   /* integer, or integer unsigned */
    TYPE_BITS,    /* int(24) */
    TYPE_SIZED,   /* varchar(20) */
    TYPE_DECIMAL, /* decimal(12,2): `precision` is the scale */
    TYPE_TIME,    /* timestamp UTC */
    TYPE_LIST,    /* array<date> */
    TYPE_VECTOR,  /* vector(384) */
    TYPE_MAP,
    TYPE_STRUCT,
    TYPE_PLACE /* geography(WGS84) */
};

/* Every other name is our own in lower case, and plain. */
static const struct type_fact {
    const char *type, *name;
    enum type_shape shape;
} type_facts[] = {
    {"TinyInt", "tinyint", TYPE_WHOLE},
    {"SmallInt", "smallint", TYPE_WHOLE},
    {"Integer", "integer", TYPE_WHOLE},
    {"BigInt", "bigint", TYPE_WHOLE},
    {"FixedIntegerDataType", "int", TYPE_BITS},
    {"CustomFloat", "float", TYPE_BITS},
    {"Decimal", "decimal", TYPE_DECIMAL},
    {"Timestamp", "timestamp", TYPE_TIME},
    {"VarChar", "varchar", TYPE_SIZED},
    {"NVarChar", "nvarchar", TYPE_SIZED},
    {"String", "string", TYPE_SIZED},
    {"Char", "char", TYPE_SIZED},
    {"NChar", "nchar", TYPE_SIZED},
    {"Variant", "variant", TYPE_SIZED},
    {"Binary", "binary", TYPE_SIZED},
    {"ArrayType", "array", TYPE_LIST},
    {"Vector", "vector", TYPE_VECTOR},
    {"MapType", "map", TYPE_MAP},
    {"StructType", "struct", TYPE_STRUCT},
    {"Geography", "geography", TYPE_PLACE},
};
static const char *const type_plain[] = {
    "Boolean",  "Date",     "Interval",   "IEEE16",     "IEEE32",     "IEEE64",     "IEEE128",
    "IEEE256",  "Float",    "Double",     "FP8_E4M3",   "FP8_E5M2",   "FP8_E8M0",   "FP6_E2M3",
    "FP6_E3M2", "FP4_E2M1", "MXFP8_E4M3", "MXFP8_E5M2", "MXFP6_E2M3", "MXFP6_E3M2", "MXFP4_E2M1",
};

struct type_parts {
    const char *name, *element, *key, *value, *fields, *zone, *place, *shape, *collation;
    int64_t size, precision, bits;
    bool has_unsigned;
};

static const struct type_fact *type_fact_of(const char *name)
{
    for (size_t i = 0; i < sizeof type_facts / sizeof *type_facts; i++)
        if (strcmp(type_facts[i].type, name) == 0)
            return &type_facts[i];
    return NULL;
}

static bool type_is_known(const char *name)
{
    bool known = type_fact_of(name) != NULL;
    for (size_t i = 0; !known && i < sizeof type_plain / sizeof *type_plain; i++)
        known = strcmp(type_plain[i], name) == 0;
    return known;
}

static void type_write_size(char *text, size_t size, const char *name, int64_t number)
{
    if (number > 0)
        snprintf(text, size, "%s(%lld)", name, (long long)number);
    else
        snprintf(text, size, "%s", name);
}

static void type_write(const struct type_parts *parts, char *text, size_t size)
{
    const struct type_fact *fact = type_fact_of(parts->name);
    const char *name = fact ? fact->name : parts->name;
    switch (fact ? fact->shape : TYPE_PLAIN) {
    case TYPE_PLAIN: {
        size_t i = 0;
        bool lower = type_is_known(parts->name);
        for (; name[i] && i + 1 < size; i++)
            text[i] = lower && name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
        text[i] = '\0';
        break;
    }
    case TYPE_WHOLE:
        snprintf(text, size, "%s%s", name, parts->has_unsigned ? " unsigned" : "");
        break;
    case TYPE_BITS:
        type_write_size(text, size, name, parts->bits);
        if (parts->has_unsigned)
            snprintf(text + strlen(text), size - strlen(text), " unsigned");
        break;
    case TYPE_SIZED:
        type_write_size(text, size, name, parts->size);
        if (parts->collation)
            snprintf(text + strlen(text), size - strlen(text), " %s", parts->collation);
        break;
    case TYPE_VECTOR:
        type_write_size(text, size, name, parts->size);
        break;
    case TYPE_DECIMAL:
        if (parts->size > 0)
            snprintf(text, size, "%s(%lld,%lld)", name, (long long)parts->size,
                     (long long)parts->precision);
        else
            snprintf(text, size, "%s", name);
        break;
    case TYPE_TIME:
        snprintf(text, size, "%s%s%s", name, parts->zone ? " " : "",
                 parts->zone ? parts->zone : "");
        break;
    case TYPE_LIST:
        snprintf(text, size, "%s<%s>", name, parts->element ? parts->element : "?");
        break;
    case TYPE_MAP:
        snprintf(text, size, "%s<%s, %s>", name, parts->key ? parts->key : "?",
                 parts->value ? parts->value : "?");
        break;
    case TYPE_STRUCT:
        snprintf(text, size, "%s<%s>", name, parts->fields ? parts->fields : "");
        break;
    case TYPE_PLACE:
        snprintf(text, size, "%s(%s%s%s)", name, parts->shape ? parts->shape : "",
                 parts->shape && parts->place ? ", " : "", parts->place ? parts->place : "");
        break;
    }
}

/* Cut at a character's border. */
bool load_type_text(struct load *load, char *text, const char **out, struct error *error)
{
    size_t length = strlen(text);
    if (length > LOAD_TYPE_MOST) {
        length = LOAD_TYPE_MOST;
        while (length && ((unsigned char)text[length] & 0xC0) == 0x80)
            length--;
        memcpy(text + length, "…", sizeof "…");
        length = strlen(text);
    }
    return load_word(load, slice_make(text, length), out, error);
}

/* [{"name": …, "type": …}]: "street varchar(40), zip char(5)". */
static bool load_fields(struct load *load, const char **out, struct error *error)
{
    struct reader *in = load->reader;
    char text[LOAD_TYPE_SIZE] = "";
    if (reader_peek(in) != READER_ARRAY)
        return reader_skip(in, error);
    TRY(reader_array(in, error));
    while (reader_item(in, error)) {
        const char *name = NULL, *type = NULL;
        if (reader_peek(in) != READER_OBJECT) {
            TRY(reader_skip(in, error));
            continue;
        }
        TRY(reader_object(in, error));
        for (struct slice key; reader_member(in, &key, error);) {
            if (slice_is(key, "name"))
                TRY(load_text_word(load, &name, error));
            else if (slice_is(key, "type"))
                TRY(load_type(load, &type, error));
            else
                TRY(reader_skip(in, error));
        }
        TRY(reader_ended(in, error));
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "%s%s %s", length ? ", " : "",
                 name ? name : "?", type ? type : "?");
    }
    return reader_ended(in, error) && load_type_text(load, text, out, error);
}

static bool load_type_member(struct load *load, struct slice key, struct type_parts *parts,
                             struct error *error)
{
    struct reader *in = load->reader;
    const char *sign = NULL;
    if (slice_is(key, "type"))
        return load_text_word(load, &parts->name, error);
    if (slice_is(key, "maxSize"))
        return reader_whole(in, -1, &parts->size, error);
    if (slice_is(key, "precision"))
        return reader_whole(in, 0, &parts->precision, error);
    if (slice_is(key, "sizeInBits"))
        return reader_whole(in, 0, &parts->bits, error);
    if (slice_is(key, "isSigned")) {
        TRY(load_text_word(load, &sign, error));
        parts->has_unsigned = sign && strcmp(sign, "UNSIGNED") == 0;
        return true;
    }
    if (slice_is(key, "timeZone")) {
        const char *name = NULL;
        TRY(load_named(load, &name, "timeZone", &parts->zone, error));
        if (parts->zone == NULL)
            parts->zone = name;
        return true;
    }
    if (slice_is(key, "elementType"))
        return load_type(load, &parts->element, error);
    if (slice_is(key, "keyType"))
        return load_type(load, &parts->key, error);
    if (slice_is(key, "valueType"))
        return load_type(load, &parts->value, error);
    if (slice_is(key, "fields"))
        return load_fields(load, &parts->fields, error);
    if (slice_is(key, "srs"))
        return load_named(load, &parts->place, NULL, NULL, error);
    if (slice_is(key, "geometryType"))
        return load_text_word(load, &parts->shape, error);
    if (slice_is(key, "collationString"))
        return load_text_word(load, &parts->collation, error);
    return reader_skip(in, error);
}

/* An object, or a name alone. */
bool load_type(struct load *load, const char **out, struct error *error)
{
    struct reader *in = load->reader;
    struct type_parts parts = {.size = -1};
    char text[LOAD_TYPE_SIZE];
    if (reader_peek(in) == READER_OBJECT) {
        TRY(reader_object(in, error));
        for (struct slice key; reader_member(in, &key, error);)
            TRY(load_type_member(load, key, &parts, error));
        TRY(reader_ended(in, error));
    } else {
        TRY(load_text_word(load, &parts.name, error));
    }
    if (parts.name == NULL)
        parts.name = "?";
    if (!type_is_known(parts.name))
        TRY(load_warn(load, error, "data type %s is not known; it is shown by its name",
                      parts.name));
    type_write(&parts, text, sizeof text);
    return load_type_text(load, text, out, error);
}
