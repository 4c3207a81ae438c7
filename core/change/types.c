#include <ctype.h>
#include <stdlib.h>

#include "core/change/form.h"

/* A type's name without its modifiers. What events hold for each: tests/unit/test_change_value.c.
 */
struct pg_type {
    const char *name;
    enum change_kind kind;
    enum type_kind lake;
    enum {
        ARRAY_FINE,
        ARRAY_LEFT_OUT, /* Debezium leaves columns of arrays of it out of its events */
        LEFT_OUT        /* ... and of the type itself */
    } events;
};

static const struct pg_type pg_types[] = {
    {"boolean", KIND_BOOLEAN, TYPE_BOOLEAN, ARRAY_FINE},
    {"smallint", KIND_INTEGER, TYPE_INT, ARRAY_FINE},
    {"integer", KIND_INTEGER, TYPE_INT, ARRAY_FINE},
    {"bigint", KIND_INTEGER, TYPE_LONG, ARRAY_FINE},
    {"oid", KIND_INTEGER, TYPE_LONG, ARRAY_FINE},
    {"real", KIND_FLOAT, TYPE_FLOAT, ARRAY_FINE},
    {"double precision", KIND_DOUBLE, TYPE_DOUBLE, ARRAY_FINE},
    {"numeric", KIND_DECIMAL, TYPE_DECIMAL, ARRAY_FINE},
    {"money", KIND_DECIMAL, TYPE_DECIMAL, ARRAY_LEFT_OUT},
    {"text", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"character varying", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"character", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"\"char\"", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"citext", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"enum", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"json", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"jsonb", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"xml", KIND_TEXT, TYPE_STRING, ARRAY_LEFT_OUT},
    {"inet", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"cidr", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"macaddr", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"macaddr8", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"int4range", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"int8range", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"numrange", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"daterange", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"tsrange", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"tstzrange", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"ltree", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"tsvector", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"isbn", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"time with time zone", KIND_TEXT, TYPE_STRING, ARRAY_FINE},
    {"name", KIND_TEXT, TYPE_STRING, ARRAY_LEFT_OUT}, /* arrives as null: onboarding warns */
    {"interval", KIND_INTERVAL, TYPE_STRING, ARRAY_LEFT_OUT},
    {"bytea", KIND_BYTES, TYPE_BINARY, ARRAY_FINE},
    {"uuid", KIND_UUID, TYPE_UUID, ARRAY_FINE},
    {"date", KIND_DATE, TYPE_DATE, ARRAY_FINE},
    {"time without time zone", KIND_TIME, TYPE_TIME, ARRAY_FINE},
    {"timestamp without time zone", KIND_TIMESTAMP, TYPE_TIMESTAMP, ARRAY_FINE},
    {"timestamp with time zone", KIND_TIMESTAMPTZ, TYPE_TIMESTAMPTZ, ARRAY_FINE},
    {"bit", KIND_BITS, TYPE_STRING, ARRAY_FINE},
    {"bit varying", KIND_BITS, TYPE_STRING, ARRAY_LEFT_OUT},
    {"hstore", KIND_HSTORE, TYPE_MAP, ARRAY_FINE},
    {"point", KIND_POINT, TYPE_STRUCT, ARRAY_LEFT_OUT},
    {"geometry", KIND_GEOMETRY, TYPE_STRUCT, ARRAY_FINE},
    {"geography", KIND_GEOMETRY, TYPE_STRUCT, ARRAY_FINE},
    {"vector", KIND_LIST, TYPE_DOUBLE, ARRAY_LEFT_OUT},
    {"halfvec", KIND_LIST, TYPE_FLOAT, ARRAY_LEFT_OUT},
    {"sparsevec", KIND_SPARSE_VECTOR, TYPE_STRING, ARRAY_LEFT_OUT},
    {"box", KIND_TEXT, TYPE_STRING, LEFT_OUT},
    {"circle", KIND_TEXT, TYPE_STRING, LEFT_OUT},
    {"line", KIND_TEXT, TYPE_STRING, LEFT_OUT},
    {"lseg", KIND_TEXT, TYPE_STRING, LEFT_OUT},
    {"path", KIND_TEXT, TYPE_STRING, LEFT_OUT},
    {"polygon", KIND_TEXT, TYPE_STRING, LEFT_OUT},
    {"tsquery", KIND_TEXT, TYPE_STRING, LEFT_OUT},
    {"refcursor", KIND_TEXT, TYPE_STRING, LEFT_OUT},
    {"pg_lsn", KIND_TEXT, TYPE_STRING, LEFT_OUT},
};

static const struct {
    const char *alias, *name;
} aliases[] = {
    {"bool", "boolean"},
    {"int2", "smallint"},
    {"smallserial", "smallint"},
    {"serial2", "smallint"},
    {"int", "integer"},
    {"int4", "integer"},
    {"serial", "integer"},
    {"serial4", "integer"},
    {"int8", "bigint"},
    {"bigserial", "bigint"},
    {"serial8", "bigint"},
    {"float4", "real"},
    {"float8", "double precision"},
    {"float", "double precision"},
    {"decimal", "numeric"},
    {"dec", "numeric"},
    {"string", "text"},
    {"varchar", "character varying"},
    {"char varying", "character varying"},
    {"char", "character"},
    {"bpchar", "character"},
    {"time", "time without time zone"},
    {"timetz", "time with time zone"},
    {"timestamp", "timestamp without time zone"},
    {"timestamptz", "timestamp with time zone"},
    {"varbit", "bit varying"},
};

/* A type name taken apart: "timestamp(3) without time zone[]". */
struct spelled {
    char name[64];    /* lower case, one blank between words, no modifiers, no schema */
    int modifiers[2]; /* -1: not given */
    int modifier_count;
    int dimensions;
};

/* The modifiers in parentheses at `at`; NULL when they are not closed. Words among them (a
 * geometry's kind) are passed over. */
static const char *read_modifiers(const char *at, struct spelled *out)
{
    for (at++; *at && *at != ')';) {
        char *end;
        long value = strtol(at, &end, 10);
        if (end == at) {
            at++;
            continue;
        }
        if (out->modifier_count < 2 && value > -100000 && value < 100000)
            out->modifiers[out->modifier_count++] = (int)value;
        at = end;
    }
    return *at ? at + 1 : NULL;
}

static bool spell(const char *text, struct spelled *out)
{
    size_t length = 0;
    *out = (struct spelled){.modifiers = {-1, -1}};
    for (const char *at = text; *at;) {
        if (*at == '(') {
            at = read_modifiers(at, out);
            if (at == NULL)
                return false;
        } else if (*at == '[') {
            at++;
            while (isdigit((unsigned char)*at))
                at++;
            if (*at++ != ']')
                return false;
            out->dimensions++;
        } else if (*at == '.') { /* public.hstore */
            length = 0;
            at++;
        } else if (isspace((unsigned char)*at)) {
            if (length && out->name[length - 1] != ' ')
                out->name[length++] = ' ';
            at++;
        } else {
            out->name[length++] = (char)tolower((unsigned char)*at++);
        }
        if (length + 1 >= sizeof out->name)
            return false;
    }
    while (length && out->name[length - 1] == ' ')
        length--;
    out->name[length] = '\0';
    return length > 0;
}

static const struct pg_type *find_type(const char *name)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (strcmp(name, aliases[i].alias) == 0)
            name = aliases[i].name;
    }
    if (strncmp(name, "interval ", 9) == 0) /* interval day to second */
        name = "interval";
    for (size_t i = 0; i < sizeof pg_types / sizeof *pg_types; i++) {
        if (strcmp(name, pg_types[i].name) == 0)
            return &pg_types[i];
    }
    return NULL;
}

static struct field *nested_fields(struct arena *arena, size_t count, struct error *error)
{
    return arena_zero(arena, count, sizeof(struct field), error);
}

static bool list_of(struct type *out, const struct type *element, struct arena *arena,
                    struct error *error)
{
    struct field *fields = nested_fields(arena, 1, error);
    TRY(fields != NULL);
    fields[0] = (struct field){.name = "element", .type = *element};
    *out = (struct type){.kind = TYPE_LIST, .fields = fields, .field_count = 1};
    return true;
}

static bool pair_of(struct type *out, enum type_kind kind, struct field first, struct field second,
                    struct arena *arena, struct error *error)
{
    struct field *fields = nested_fields(arena, 2, error);
    TRY(fields != NULL);
    fields[0] = first;
    fields[1] = second;
    *out = (struct type){.kind = kind, .fields = fields, .field_count = 2};
    return true;
}

static void decimal_form(const struct pg_type *pg, const struct spelled *spelled,
                         const struct change_encoding *encoding, struct type *type,
                         struct change_form *form)
{
    bool money = strcmp(pg->name, "money") == 0;
    int precision = money ? 19 : spelled->modifiers[0];
    int scale = money ? 2 : spelled->modifier_count > 1 ? spelled->modifiers[1] : 0;
    bool sized = precision > 0;
    bool precise = encoding->decimal == CHANGE_DECIMAL_PRECISE;
    if (sized && precision <= 38 && scale >= 0 && scale <= precision) {
        *type = (struct type){.kind = TYPE_DECIMAL, .precision = precision, .scale = scale};
    } else {
        *type = (struct type){.kind = TYPE_STRING};
        form->kind = KIND_NUMERIC;
        form->drop_fraction = sized && scale < 0;
    }
    form->coding = !precise ? CODING_PLAIN : sized ? CODING_PRECISE : CODING_VARIABLE;
    /* Debezium writes a negative scale modulo 2048 (fixtures/debezium/README.md). */
    form->scale = scale < 0 ? scale + 2048 : scale;
}

static enum change_coding time_coding(enum change_kind kind, int precision,
                                      const struct change_encoding *encoding)
{
    bool coarse = precision >= 0 && precision <= 3;
    switch (encoding->time) {
    case CHANGE_TIME_ADAPTIVE:
        return kind != KIND_DATE && coarse ? CODING_MILLIS : CODING_PLAIN;
    case CHANGE_TIME_ADAPTIVE_MICROSECONDS:
        return kind == KIND_TIMESTAMP && coarse ? CODING_MILLIS : CODING_PLAIN;
    case CHANGE_TIME_CONNECT:
        return kind == KIND_DATE ? CODING_PLAIN : CODING_MILLIS;
    case CHANGE_TIME_ISOSTRING:
        return CODING_ISO;
    case CHANGE_TIME_NANOSECONDS:
        return kind == KIND_DATE ? CODING_PLAIN : CODING_NANOS;
    default:
        return CODING_PLAIN;
    }
}

static bool element_form(const struct pg_type *pg, const struct spelled *spelled,
                         const struct change_encoding *encoding, struct type *type,
                         struct change_form *form, struct arena *arena, struct error *error)
{
    const struct type text = {.kind = TYPE_STRING}, number = {.kind = TYPE_DOUBLE};
    *type = (struct type){.kind = pg->lake};
    *form = (struct change_form){.kind = pg->kind};
    switch (pg->kind) {
    case KIND_DECIMAL:
        decimal_form(pg, spelled, encoding, type, form);
        return true;
    case KIND_DATE:
    case KIND_TIME:
    case KIND_TIMESTAMP:
        form->coding = time_coding(pg->kind, spelled->modifiers[0], encoding);
        return true;
    case KIND_BYTES:
        form->coding = encoding->binary == CHANGE_BINARY_HEX          ? CODING_HEX
                       : encoding->binary == CHANGE_BINARY_BASE64_URL ? CODING_BASE64_URL
                                                                      : CODING_PLAIN;
        return true;
    case KIND_BITS:
        form->varying = strcmp(pg->name, "bit varying") == 0;
        form->bits = spelled->modifiers[0] > 0 ? spelled->modifiers[0] : form->varying ? 0 : 1;
        return true;
    case KIND_HSTORE:
        return pair_of(type, TYPE_MAP,
                       (struct field){.name = "key", .required = true, .type = text},
                       (struct field){.name = "value", .type = text}, arena, error);
    case KIND_POINT:
        return pair_of(type, TYPE_STRUCT, (struct field){.name = "x", .type = number},
                       (struct field){.name = "y", .type = number}, arena, error);
    case KIND_GEOMETRY:
        return pair_of(type, TYPE_STRUCT,
                       (struct field){.name = "wkb", .type = {.kind = TYPE_BINARY}},
                       (struct field){.name = "srid", .type = {.kind = TYPE_INT}}, arena, error);
    case KIND_LIST: /* vectors */
        form->element = arena_zero(arena, 1, sizeof *form->element, error);
        TRY(form->element != NULL);
        form->element->kind = pg->lake == TYPE_FLOAT ? KIND_FLOAT : KIND_DOUBLE;
        return list_of(type, &(struct type){.kind = pg->lake}, arena, error);
    default:
        return true;
    }
}

static bool refuse_left_out(const char *pg_type, struct error *error)
{
    return error_set(error, ERROR_CONFIG, "take the column out of the schema file",
                     "type %s: Debezium leaves columns of this type out of its events", pg_type);
}

bool change_form_of(const char *pg_type, const struct change_encoding *encoding, struct type *type,
                    struct change_form *form, struct arena *arena, struct error *error)
{
    struct spelled spelled;
    const struct pg_type *pg = spell(pg_type, &spelled) ? find_type(spelled.name) : NULL;
    if (pg == NULL)
        return error_set(error, ERROR_CONFIG,
                         "use Postgres' name of a built-in type; \"enum\" for any enum, the base "
                         "type for a domain",
                         "type %s is not known", pg_type);
    if (pg->events == LEFT_OUT || (spelled.dimensions && pg->events == ARRAY_LEFT_OUT))
        return refuse_left_out(pg_type, error);
    if (spelled.dimensions > 1)
        return error_set(error, ERROR_CONFIG, "take the column out of the schema file",
                         "type %s: Debezium mangles arrays of more than one dimension", pg_type);
    TRY(element_form(pg, &spelled, encoding, type, form, arena, error));
    if (spelled.dimensions == 0)
        return true;
    struct change_form *element = arena_zero(arena, 1, sizeof *element, error);
    TRY(element != NULL);
    *element = *form;
    *form = (struct change_form){.kind = KIND_LIST, .element = element};
    struct type of = *type;
    return list_of(type, &of, arena, error);
}

bool change_type_of(const char *pg_type, struct type *out, struct arena *arena, struct error *error)
{
    struct change_form form;
    return change_form_of(pg_type, &(struct change_encoding){0}, out, &form, arena, error);
}
