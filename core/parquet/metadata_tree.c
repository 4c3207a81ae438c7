/* From the flat list of schema elements to fields, nodes and leaves (parquet-format's
 * LogicalTypes.md, with its rules for lists and maps of older writers). */
#include "core/parquet/metadata.h"

#include <inttypes.h>

struct builder {
    struct metadata *metadata;
    const struct source *source;
    struct error *error;
    size_t next; /* element */
    int depth;
};

struct levels {
    uint8_t definition;
    uint8_t repetition;
};

static bool broken(struct builder *builder, const char *what)
{
    return metadata_damaged(builder->source, builder->source->size, builder->error,
                            "the footer's schema: element %zu %s", builder->next, what);
}

/* ---- primitive types ---- */

static bool is_decimal(const struct metadata_element *element)
{
    return element->logical == PARQUET_LOGICAL_DECIMAL ||
           (element->logical == PARQUET_LOGICAL_NONE && element->converted == PARQUET_DECIMAL);
}

static void set_kind(struct type *type, enum type_kind kind)
{
    *type = (struct type){.kind = kind, .length = type->length};
}

static bool set_decimal(const struct metadata_element *element, struct type *type)
{
    if (!is_decimal(element) || element->precision < 1 || element->precision > 38 ||
        element->scale < 0 || element->scale > element->precision)
        return false;
    *type = (struct type){
        .kind = TYPE_DECIMAL, .precision = element->precision, .scale = element->scale};
    return true;
}

static void int32_type(const struct metadata_element *element, struct type *type)
{
    bool unsigned32 =
        element->converted == PARQUET_UINT_32 || (element->logical == PARQUET_LOGICAL_INTEGER &&
                                                  !element->int_signed && element->int_width == 32);
    if (set_decimal(element, type))
        return;
    if (element->logical == PARQUET_LOGICAL_DATE || element->converted == PARQUET_DATE)
        set_kind(type, TYPE_DATE);
    else if (element->logical == PARQUET_LOGICAL_TIME || element->converted == PARQUET_TIME_MILLIS)
        set_kind(type, TYPE_TIME);
    else
        set_kind(type, unsigned32 ? TYPE_LONG : TYPE_INT);
}

static void int64_type(const struct metadata_element *element, struct type *type)
{
    bool unsigned64 =
        element->converted == PARQUET_UINT_64 || (element->logical == PARQUET_LOGICAL_INTEGER &&
                                                  !element->int_signed && element->int_width == 64);
    if (set_decimal(element, type))
        return;
    if (element->logical == PARQUET_LOGICAL_TIME || element->converted == PARQUET_TIME_MICROS)
        set_kind(type, TYPE_TIME);
    else if (element->logical == PARQUET_LOGICAL_TIMESTAMP)
        set_kind(type, element->utc ? TYPE_TIMESTAMPTZ : TYPE_TIMESTAMP);
    else if (element->converted == PARQUET_TIMESTAMP_MILLIS ||
             element->converted == PARQUET_TIMESTAMP_MICROS)
        set_kind(type, TYPE_TIMESTAMPTZ); /* the old annotation means UTC */
    else if (unsigned64)
        *type = (struct type){.kind = TYPE_DECIMAL, .precision = 20};
    else
        set_kind(type, TYPE_LONG);
}

static void bytes_type(const struct metadata_element *element, struct type *type)
{
    bool text = element->logical == PARQUET_LOGICAL_STRING ||
                element->logical == PARQUET_LOGICAL_ENUM ||
                element->logical == PARQUET_LOGICAL_JSON || element->converted == PARQUET_UTF8 ||
                element->converted == PARQUET_ENUM || element->converted == PARQUET_JSON;
    if (!set_decimal(element, type))
        set_kind(type, text ? TYPE_STRING : TYPE_BINARY);
}

static void fixed_type(const struct metadata_element *element, struct type *type)
{
    if (set_decimal(element, type))
        return;
    type->length = element->type_length;
    if (element->logical == PARQUET_LOGICAL_UUID && element->type_length == 16)
        *type = (struct type){.kind = TYPE_UUID};
    else if (element->logical == PARQUET_LOGICAL_FLOAT16 && element->type_length == 2)
        *type = (struct type){.kind = TYPE_FLOAT};
    else
        set_kind(type, TYPE_FIXED);
}

/* Every leaf has some type: the nearest that the lake knows. */
static bool leaf_type(struct builder *builder, const struct metadata_element *element,
                      struct type *type)
{
    *type = (struct type){0};
    switch (element->physical) {
    case PARQUET_BOOLEAN:
        set_kind(type, TYPE_BOOLEAN);
        return true;
    case PARQUET_INT32:
        int32_type(element, type);
        return true;
    case PARQUET_INT64:
        int64_type(element, type);
        return true;
    case PARQUET_INT96:
        set_kind(type, TYPE_TIMESTAMP);
        return true;
    case PARQUET_FLOAT:
        set_kind(type, TYPE_FLOAT);
        return true;
    case PARQUET_DOUBLE:
        set_kind(type, TYPE_DOUBLE);
        return true;
    case PARQUET_BYTE_ARRAY:
        bytes_type(element, type);
        return true;
    case PARQUET_FIXED:
        fixed_type(element, type);
        return element->type_length > 0 || broken(builder, "is a fixed type of no length");
    default:
        return broken(builder, "has an unknown type");
    }
}

/* ---- nodes ---- */

static bool build_field(struct builder *builder, struct levels levels, struct field *field,
                        struct metadata_node *node);

/* Sets `count` child nodes and fields aside. */
static bool add_children(struct builder *builder, struct metadata_node *node, size_t count)
{
    struct arena *arena = &builder->metadata->arena;
    node->children = arena_zero(arena, count, sizeof *node->children, builder->error);
    node->field->type.fields = arena_zero(arena, count, sizeof(struct field), builder->error);
    TRY(node->children && node->field->type.fields);
    node->child_count = count;
    node->field->type.field_count = count;
    for (size_t i = 0; i < count; i++)
        node->children[i].field = &node->field->type.fields[i];
    return true;
}

static bool build_leaf(struct builder *builder, const struct metadata_element *element,
                       struct levels levels, struct metadata_node *node)
{
    struct metadata *metadata = builder->metadata;
    TRY(leaf_type(builder, element, &node->field->type));
    node->leaf = metadata->leaf_count++;
    metadata->leaves[node->leaf] = (struct metadata_leaf){.element = element,
                                                          .node = node,
                                                          .max_definition = levels.definition,
                                                          .max_repetition = levels.repetition};
    return true;
}

static const struct metadata_element *peek(const struct builder *builder)
{
    const struct metadata *metadata = builder->metadata;
    return builder->next < metadata->element_count ? &metadata->elements[builder->next] : NULL;
}

static bool is_group(const struct metadata_element *element)
{
    return element->physical < 0 || element->children > 0;
}

/* Whether the repeated child of a LIST is the element itself, and not a wrapper around it. */
static bool repeated_is_element(const struct builder *builder, const struct metadata_element *list,
                                const struct metadata_element *repeated)
{
    static const char suffix[] = "_tuple";
    size_t tuple = list->name.length + sizeof suffix - 1;
    if (!is_group(repeated) || repeated->children != 1)
        return true;
    if (slice_is(repeated->name, "array") ||
        (repeated->name.length == tuple && slice_starts_with(repeated->name, list->name) &&
         slice_ends_with(repeated->name, slice_of(suffix))))
        return true;
    const struct metadata *metadata = builder->metadata;
    size_t below = builder->next + 1;
    return below < metadata->element_count &&
           metadata->elements[below].repetition == PARQUET_REPEATED;
}

static bool build_value(struct builder *builder, const struct metadata_element *element,
                        struct levels levels, struct metadata_node *node);

static void name_field(struct field *field, const char *name, bool required)
{
    field->name = name;
    field->required = required;
    field->id = -1;
}

/* The one child of a list node, stored as the repeated element itself. */
static bool build_repeated_element(struct builder *builder, const struct metadata_element *element,
                                   struct levels levels, struct metadata_node *node)
{
    struct field *child = node->children[0].field;
    name_field(child, "element", true);
    TRY(build_value(builder, element, levels, &node->children[0]));
    node->leaf = node->children[0].leaf;
    return true;
}

static bool begin_entries(struct builder *builder, enum type_kind kind, struct levels *levels,
                          struct metadata_node *node)
{
    node->field->type = (struct type){.kind = kind};
    TRY(add_children(builder, node, kind == TYPE_MAP ? 2 : 1));
    node->definition = levels->definition;
    node->entry = ++levels->definition;
    node->repetition = ++levels->repetition;
    return true;
}

static bool build_list(struct builder *builder, const struct metadata_element *element,
                       struct levels levels, struct metadata_node *node)
{
    const struct metadata_element *repeated = peek(builder);
    TRY(begin_entries(builder, TYPE_LIST, &levels, node));
    bool itself = repeated_is_element(builder, element, repeated);
    builder->next++;
    if (itself)
        return build_repeated_element(builder, repeated, levels, node);
    TRY(build_field(builder, levels, node->children[0].field, &node->children[0]));
    node->leaf = node->children[0].leaf;
    return true;
}

static bool build_map(struct builder *builder, struct levels levels, struct metadata_node *node)
{
    TRY(begin_entries(builder, TYPE_MAP, &levels, node));
    builder->next++;
    for (size_t i = 0; i < 2; i++)
        TRY(build_field(builder, levels, node->children[i].field, &node->children[i]));
    node->leaf = node->children[0].leaf;
    return true;
}

static bool build_struct(struct builder *builder, const struct metadata_element *element,
                         struct levels levels, struct metadata_node *node)
{
    size_t left = builder->metadata->element_count - builder->next;
    if (element->children <= 0 || (size_t)element->children > left)
        return broken(builder, "has an impossible number of children");
    node->field->type = (struct type){.kind = TYPE_STRUCT};
    TRY(add_children(builder, node, (size_t)element->children));
    for (size_t i = 0; i < node->child_count; i++)
        TRY(build_field(builder, levels, node->children[i].field, &node->children[i]));
    node->leaf = node->children[0].leaf;
    return true;
}

/* The node of an element whose own repetition is already in `levels`. */
static bool build_value(struct builder *builder, const struct metadata_element *element,
                        struct levels levels, struct metadata_node *node)
{
    node->definition = levels.definition;
    if (++builder->depth > PARQUET_MAX_DEPTH)
        return broken(builder, "is nested too deeply");
    const struct metadata_element *child = peek(builder);
    bool list = element->converted == PARQUET_LIST || element->logical == PARQUET_LOGICAL_LIST;
    bool map = element->converted == PARQUET_MAP || element->converted == PARQUET_MAP_KEY_VALUE ||
               element->logical == PARQUET_LOGICAL_MAP;
    bool wraps = child && element->children == 1 && child->repetition == PARQUET_REPEATED;
    bool ok;
    if (!is_group(element))
        ok = build_leaf(builder, element, levels, node);
    else if (list && wraps)
        ok = build_list(builder, element, levels, node);
    else if (map && wraps && is_group(child) && child->children == 2)
        ok = build_map(builder, levels, node);
    else
        ok = build_struct(builder, element, levels, node);
    builder->depth--;
    return ok;
}

static bool build_field(struct builder *builder, struct levels levels, struct field *field,
                        struct metadata_node *node)
{
    const struct metadata_element *element = peek(builder);
    if (element == NULL || element->repetition < 0 || element->repetition > PARQUET_REPEATED)
        return broken(builder, "is missing or has no repetition");
    builder->next++;
    const char *name = arena_copy_slice(&builder->metadata->arena, element->name, builder->error);
    TRY(name != NULL);
    name_field(field, name, element->repetition != PARQUET_OPTIONAL);
    field->id = element->field_id >= 0 ? element->field_id : -1;
    builder->metadata->has_ids = builder->metadata->has_ids || field->id >= 0;
    node->field = field;
    if (element->repetition == PARQUET_REPEATED) { /* a list without the group around it */
        TRY(begin_entries(builder, TYPE_LIST, &levels, node));
        return build_repeated_element(builder, element, levels, node);
    }
    levels.definition = (uint8_t)(levels.definition + (element->repetition == PARQUET_OPTIONAL));
    return build_value(builder, element, levels, node);
}

bool metadata_build_tree(struct metadata *metadata, const struct source *source,
                         struct error *error)
{
    struct builder builder = {.metadata = metadata, .source = source, .error = error, .next = 1};
    size_t leaves = 0;
    for (size_t i = 1; i < metadata->element_count; i++)
        leaves += !is_group(&metadata->elements[i]);
    metadata->leaves = arena_zero(&metadata->arena, leaves, sizeof *metadata->leaves, error);
    TRY(metadata->leaves != NULL);
    if (metadata->element_count < 2)
        return broken(&builder, "is missing: a schema without columns");
    struct field *whole = arena_zero(&metadata->arena, 1, sizeof *whole, error);
    TRY(whole != NULL);
    name_field(whole, "table", true);
    metadata->root.field = whole;
    TRY(build_struct(&builder, &metadata->elements[0], (struct levels){0}, &metadata->root));
    if (builder.next != metadata->element_count)
        return broken(&builder, "belongs to no group");
    metadata->schema =
        (struct schema){.fields = whole->type.fields, .field_count = whole->type.field_count};
    return true;
}
