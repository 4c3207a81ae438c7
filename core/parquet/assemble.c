#include "core/parquet/assemble.h"

#include "core/base/memory.h"

/* Levels of one leaf, seen from a node above it (or from itself). */
struct view {
    const uint8_t *definition; /* NULL: all 0, and so is the highest */
    const uint8_t *repetition; /* NULL: all 0 */
    size_t count;
    uint8_t slot_definition;
    uint8_t slot_repetition;
};

static struct view view_of(const struct assembler *assembler, const struct assembly *node)
{
    const struct leaf_reader *reader = &assembler->readers[node->reader];
    return (struct view){
        .definition = reader->leaf->max_definition ? reader->definition : NULL,
        .repetition = reader->leaf->max_repetition ? reader->repetition : NULL,
        .count = reader->levels,
        .slot_definition = node->slot_definition,
        .slot_repetition = node->slot_repetition,
    };
}

static inline uint8_t definition_at(const struct view *view, size_t i)
{
    return view->definition ? view->definition[i] : 0;
}

static inline uint8_t repetition_at(const struct view *view, size_t i)
{
    return view->repetition ? view->repetition[i] : 0;
}

/* Whether level entry i begins a slot of the node: not inside of something deeper, and all lists
 * and maps around it have an entry there. */
static inline bool is_slot(const struct view *view, size_t i)
{
    return repetition_at(view, i) <= view->slot_repetition &&
           definition_at(view, i) >= view->slot_definition;
}

/* Most columns: not below a list or map, so that every level is a slot. */
static inline bool all_are_slots(const struct view *view)
{
    return view->repetition == NULL && view->slot_definition == 0;
}

static bool damaged(const struct assembler *assembler, const struct assembly *node,
                    const char *what, struct error *error)
{
    const struct leaf_reader *reader = &assembler->readers[node->reader];
    return metadata_damaged(assembler->source, (uint64_t)reader->page_at, error, "column %s: %s",
                            node->want->name, what);
}

static bool unequal(const struct assembler *assembler, const struct assembly *node,
                    struct error *error)
{
    return damaged(assembler, node, "its parts have different numbers of rows", error);
}

static bool null_in_required(const struct assembler *assembler, const struct assembly *node,
                             struct error *error)
{
    return error_set(error, ERROR_INPUT, "read it as an optional column",
                     "%s: column %s is required and null in a row",
                     assembler->source->name ? assembler->source->name : "input", node->want->name);
}

/* The plain case of set_validity(). */
static bool set_plain_validity(const struct assembler *assembler, const struct assembly *node,
                               const struct view *view, uint8_t present, uint8_t *valid,
                               size_t *nulls, struct error *error)
{
    size_t there = 0;
    bool lost = false; /* null although its parent is there */
    for (size_t i = 0; i < view->count; i++) {
        valid[i] = view->definition[i] >= present;
        there += valid[i];
        lost |= !valid[i] && view->definition[i] >= node->parent_definition;
    }
    *nulls = view->count - there;
    return !(lost && node->want->required) || null_in_required(assembler, node, error);
}

/* Sets the validity of the slots behind out->length; *nulls counts those that are null. */
static bool set_validity(const struct assembler *assembler, const struct assembly *node,
                         const struct view *view, uint8_t present, struct column *out,
                         size_t expected, size_t *nulls, struct error *error)
{
    TRY(column_reserve(out, expected ? expected : 1, error)); /* arrays, even for no row */
    uint8_t *valid = out->valid + out->length;
    size_t slots = 0;
    *nulls = 0;
    bool plain = all_are_slots(view);
    if (view->definition == NULL || present == 0) {
        /* Nothing above can be missing: a slot is never null. */
        for (size_t i = 0; !plain && i < view->count; i++)
            slots += is_slot(view, i);
        if ((plain ? view->count : slots) != expected)
            return unequal(assembler, node, error);
        memset(valid, 1, expected);
        return true;
    }
    if (plain)
        return view->count == expected
                   ? set_plain_validity(assembler, node, view, present, valid, nulls, error)
                   : unequal(assembler, node, error);
    for (size_t i = 0; i < view->count; i++) {
        if (!is_slot(view, i))
            continue;
        if (slots == expected)
            return unequal(assembler, node, error);
        uint8_t level = view->definition[i];
        valid[slots++] = level >= present;
        *nulls += level < present;
        if (level < present && node->want->required && level >= node->parent_definition)
            return null_in_required(assembler, node, error);
    }
    return slots == expected || unequal(assembler, node, error);
}

/* ---- primitive ---- */

/* Moves `present` values of the slots behind out->length, which lie without gaps, to their rows,
 * from the end so that nothing is overwritten. */
static void spread_fixed(struct column *out, size_t slots, size_t present, size_t width)
{
    char *values = (char *)out->values + out->length * width;
    const uint8_t *valid = out->valid + out->length;
    for (size_t slot = slots; slot-- > 0;) {
        if (!valid[slot])
            memset(values + slot * width, 0, width);
        else if (--present != slot)
            memcpy(values + slot * width, values + present * width, width);
    }
}

static void spread_texts(struct column *out, size_t slots, size_t present)
{
    uint64_t *ends = out->offsets + out->length + 1;
    const uint8_t *valid = out->valid + out->length;
    uint64_t begin = out->offsets[out->length];
    for (size_t slot = slots; slot-- > 0;) {
        ends[slot] = present ? ends[present - 1] : begin;
        present -= valid[slot];
    }
}

static bool assemble_leaf(const struct assembler *assembler, const struct assembly *node,
                          struct column *out, size_t slots, struct error *error)
{
    const struct leaf_reader *reader = &assembler->readers[node->reader];
    struct view view = view_of(assembler, node);
    size_t nulls = 0;
    TRY(set_validity(assembler, node, &view, reader->leaf->max_definition, out, slots, &nulls,
                     error));
    size_t present = slots - nulls;
    if (present != reader->filled)
        return damaged(assembler, node, "levels and values differ in number", error);
    size_t width = type_width(out->type);
    if (nulls && width)
        spread_fixed(out, slots, present, width);
    else if (nulls)
        spread_texts(out, slots, present);
    out->length += slots;
    out->null_count += nulls;
    return true;
}

/* ---- nested ---- */

static bool assemble_absent(struct column *out, size_t slots, struct error *error)
{
    for (size_t i = 0; i < slots; i++)
        TRY(column_append_null(out, error));
    return true;
}

static bool assemble_children(const struct assembler *assembler, const struct assembly *node,
                              struct column *out, size_t slots, struct error *error)
{
    for (size_t i = 0; i < node->child_count; i++)
        TRY(assemble_column(assembler, &node->children[i], &out->children[i], slots, error));
    return true;
}

static bool assemble_struct(const struct assembler *assembler, const struct assembly *node,
                            struct column *out, size_t slots, struct error *error)
{
    struct view view = view_of(assembler, node);
    size_t nulls = 0;
    TRY(set_validity(assembler, node, &view, node->have->definition, out, slots, &nulls, error));
    TRY(assemble_children(assembler, node, out, slots, error));
    out->length += slots;
    out->null_count += nulls;
    return true;
}

/* Lists and maps: offsets from the level entries that begin an element. */
static bool assemble_entries(const struct assembler *assembler, const struct assembly *node,
                             struct column *out, size_t slots, struct error *error)
{
    struct view view = view_of(assembler, node);
    size_t nulls = 0;
    TRY(set_validity(assembler, node, &view, node->have->definition, out, slots, &nulls, error));
    uint64_t begin = out->children[0].length;
    uint64_t end = begin;
    size_t slot = out->length;
    for (size_t i = 0; i < view.count; i++) {
        bool inside = repetition_at(&view, i) > node->have->repetition;
        bool entry = !inside && definition_at(&view, i) >= node->have->entry;
        if (is_slot(&view, i))
            out->offsets[slot++] = end;
        else if (entry && slot == out->length)
            return damaged(assembler, node, "an element in front of the first row", error);
        end += entry;
    }
    out->offsets[slot] = end;
    TRY(assemble_children(assembler, node, out, (size_t)(end - begin), error));
    out->length += slots;
    out->null_count += nulls;
    return true;
}

bool assemble_column(const struct assembler *assembler, const struct assembly *node,
                     struct column *out, size_t expected, struct error *error)
{
    if (node->have == NULL)
        return assemble_absent(out, expected, error);
    switch (node->want->type.kind) {
    case TYPE_STRUCT:
        return assemble_struct(assembler, node, out, expected, error);
    case TYPE_LIST:
    case TYPE_MAP:
        return assemble_entries(assembler, node, out, expected, error);
    default:
        return assemble_leaf(assembler, node, out, expected, error);
    }
}
