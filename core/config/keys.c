#include "core/config/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/nearest.h"
#include "core/base/quantity.h"

static bool key_fail(const struct key_reader *reader, const yaml_node_t *node, const char *prefix,
                     const char *name, struct error *error, const char *what)
{
    return error_set(error, ERROR_CONFIG, error ? error->remedy : NULL, "%s:%zu: %s%s%s: %s",
                     reader->path, node->start_mark.line + 1, prefix, *prefix ? "." : "", name,
                     what);
}

static bool key_unknown(const struct key_reader *reader, const yaml_node_t *node,
                        const struct key_spec *specs, const char *prefix, struct error *error)
{
    const char *known[64];
    size_t count = 0;
    for (; specs[count].name && count < 64; count++)
        known[count] = specs[count].name;
    char name[96];
    snprintf(name, sizeof name, "%s", (const char *)node->data.scalar.value);
    const char *near = nearest_word(name, known, count);
    if (near)
        error_remedy(error, "did you mean '%s'?", near);
    else {
        char list[512] = "";
        for (size_t i = 0; i < count; i++)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "",
                     known[i]);
        error_remedy(error, "known here: %s", list);
    }
    return key_fail(reader, node, prefix, name, error, "unknown key");
}

static bool key_is_null(const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (*text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static bool key_bool(const char *text, bool *out)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0) {
            *out = i % 2;
            return true;
        }
    return false;
}

static bool key_choice(const char *text, const char *choices, int *out)
{
    size_t length = strlen(text);
    int index = 0;
    for (const char *at = choices; length && *at; at += strcspn(at, "|"), at += *at == '|') {
        if (strncmp(at, text, length) == 0 && (at[length] == '|' || at[length] == '\0')) {
            *out = index;
            return true;
        }
        index++;
    }
    return false;
}

static bool key_whole(const char *text, int64_t *out)
{
    if (*text == '\0' || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    *out = strtoll(text, NULL, 10);
    return errno == 0;
}

static bool key_share(const char *text, double *out)
{
    char *end;
    if (strcmp(text, "off") == 0) {
        *out = -1;
        return true;
    }
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= 0 && *out <= 1;
}

/* "a" and "./a" below the folder, "file:" left off, s3:// and absolute paths as they are. */
static const char *key_place(struct key_reader *reader, const char *text, bool path,
                             struct error *error)
{
    if (!path && strncmp(text, "s3://", 5) == 0)
        return arena_copy_text(reader->arena, text, error);
    if (strncmp(text, "file:", 5) == 0)
        text += strncmp(text, "file:///", 8) == 0 ? 7 : 5;
    while (strncmp(text, "./", 2) == 0)
        text += 2;
    if (*text == '/')
        return arena_copy_text(reader->arena, text, error);
    if (strncmp(text, "~/", 2) == 0 && getenv("HOME"))
        return arena_format(reader->arena, error, "%s%s", getenv("HOME"), text + 1);
    return arena_format(reader->arena, error, "%s/%s", reader->folder, text);
}

static const char *const key_wants[] = {
    [KEY_TEXT] = "a text",
    [KEY_PATH] = "a path",
    [KEY_PLACE] = "a folder or s3://bucket",
    [KEY_BOOL] = "true or false",
    [KEY_WHOLE] = "a whole number",
    [KEY_BYTES] = "a size such as 512MiB",
    [KEY_DURATION] = "a duration such as 5m",
    [KEY_SHARE] = "a number from 0 to 1, or off",
    [KEY_CHOICE] = "one of ",
    [KEY_MAP] = "a mapping",
    [KEY_ENTRIES] = "a mapping of names",
    [KEY_PAIRS] = "a mapping of names",
};

static bool key_wrong(const struct key_reader *reader, const yaml_node_t *node,
                      const struct key_spec *spec, const char *prefix, struct error *error)
{
    char what[256], choices[128] = "";
    if (spec->choices) {
        snprintf(choices, sizeof choices, "%s", spec->choices);
        for (char *at = choices; (at = strchr(at, '|')); at++)
            *at = ',';
    }
    const char *found = node->type == YAML_SCALAR_NODE    ? (const char *)node->data.scalar.value
                        : node->type == YAML_MAPPING_NODE ? "a mapping"
                                                          : "a list";
    snprintf(what, sizeof what, "wants %s%s, not %.100s", key_wants[spec->kind], choices,
             *found ? found : "nothing");
    error_remedy(error, "change the value in line %zu", node->start_mark.line + 1);
    return key_fail(reader, node, prefix, spec->name, error, what);
}

static bool key_read_scalar(struct key_reader *reader, yaml_node_t *node,
                            const struct key_spec *spec, void *target, const char *prefix,
                            struct error *error)
{
    const char *text = (const char *)node->data.scalar.value;
    void *at = (char *)target + spec->offset;
    if (spec->kind == KEY_CHOICE && key_choice(text, spec->choices, at))
        return true; /* special_values: null, without quotes, means the word */
    if (key_is_null(node))
        return true;
    bool ok = strlen(text) == node->data.scalar.length;
    switch (ok ? spec->kind : KEY_MAP) {
    case KEY_TEXT:
        return (*(const char **)at = arena_copy_text(reader->arena, text, error)) != NULL;
    case KEY_PATH:
    case KEY_PLACE:
        return (*(const char **)at = key_place(reader, text, spec->kind == KEY_PATH, error)) !=
               NULL;
    case KEY_BOOL:
        ok = key_bool(text, at);
        break;
    case KEY_WHOLE:
        ok = key_whole(text, at);
        break;
    case KEY_BYTES:
        ok = quantity_parse_bytes(text, at);
        break;
    case KEY_DURATION:
        ok = quantity_parse_duration(text, at);
        break;
    case KEY_SHARE:
        ok = key_share(text, at);
        break;
    default:
        ok = false;
    }
    return ok || key_wrong(reader, node, spec, prefix, error);
}

static bool key_read_entries(struct key_reader *reader, yaml_node_t *node,
                             const struct key_spec *spec, void *target, const char *prefix,
                             struct error *error)
{
    size_t most = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    char *entries = arena_zero(reader->arena, most ? most : 1, spec->entry_size, error);
    if (entries == NULL)
        return false;
    size_t count = 0;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);
        yaml_node_t *value = yaml_document_get_node(reader->document, pair->value);
        if (key->type != YAML_SCALAR_NODE)
            return key_fail(reader, key, prefix, spec->name, error, "names must be plain texts");
        void *entry = entries + count * spec->entry_size;
        const char *name =
            arena_copy_text(reader->arena, (const char *)key->data.scalar.value, error);
        if (name == NULL)
            return false;
        for (size_t i = 0; i < count; i++)
            if (strcmp(*(const char **)(void *)(entries + i * spec->entry_size), name) == 0)
                return key_fail(reader, key, prefix, name, error, "is there twice");
        if (spec->entry_defaults)
            spec->entry_defaults(entry);
        *(const char **)entry = name;
        count++;
        char way[256];
        snprintf(way, sizeof way, "%s%s%s.%s", prefix, *prefix ? "." : "", spec->name, name);
        if (!key_is_null(value))
            TRY(key_read_mapping(reader, value, spec->inner, entry, way, error));
    }
    *(void **)(void *)((char *)target + spec->offset) = entries;
    *(size_t *)(void *)((char *)target + spec->count_offset) = count;
    return true;
}

static bool key_read_pairs(struct key_reader *reader, yaml_node_t *node,
                           const struct key_spec *spec, void *target, const char *prefix,
                           struct error *error)
{
    size_t most = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    struct profile_key *keys = arena_zero(reader->arena, most ? most : 1, sizeof *keys, error);
    if (keys == NULL)
        return false;
    for (size_t i = 0; i < most; i++) {
        yaml_node_pair_t *pair = node->data.mapping.pairs.start + i;
        yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);
        yaml_node_t *value = yaml_document_get_node(reader->document, pair->value);
        if (key->type != YAML_SCALAR_NODE || value->type != YAML_SCALAR_NODE)
            return key_fail(reader, key, prefix, spec->name, error, "wants texts");
        keys[i].name = arena_copy_text(reader->arena, (const char *)key->data.scalar.value, error);
        keys[i].value =
            arena_copy_text(reader->arena, (const char *)value->data.scalar.value, error);
        if (!keys[i].name || !keys[i].value)
            return false;
    }
    *(struct profile_key **)(void *)((char *)target + spec->offset) = keys;
    *(size_t *)(void *)((char *)target + spec->count_offset) = most;
    return true;
}

static bool key_read_value(struct key_reader *reader, yaml_node_t *value,
                           const struct key_spec *spec, void *target, const char *prefix,
                           struct error *error)
{
    if (spec->kind < KEY_MAP)
        return value->type == YAML_SCALAR_NODE
                   ? key_read_scalar(reader, value, spec, target, prefix, error)
                   : key_wrong(reader, value, spec, prefix, error);
    if (key_is_null(value))
        return true;
    if (value->type != YAML_MAPPING_NODE)
        return key_wrong(reader, value, spec, prefix, error);
    if (spec->kind == KEY_ENTRIES)
        return key_read_entries(reader, value, spec, target, prefix, error);
    if (spec->kind == KEY_PAIRS)
        return key_read_pairs(reader, value, spec, target, prefix, error);
    char way[256];
    snprintf(way, sizeof way, "%s%s%s", prefix, *prefix ? "." : "", spec->name);
    return key_read_mapping(reader, value, spec->inner, (char *)target + spec->offset, way, error);
}

bool key_read_mapping(struct key_reader *reader, yaml_node_t *node, const struct key_spec *specs,
                      void *target, const char *prefix, struct error *error)
{
    if (node->type != YAML_MAPPING_NODE)
        return error_set(error, ERROR_CONFIG, "write it as `key: value` lines",
                         "%s:%zu: %s%swants a mapping", reader->path, node->start_mark.line + 1,
                         prefix, *prefix ? ": " : "the profile ");
    uint64_t seen = 0; /* no table has more than 64 keys */
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);
        yaml_node_t *value = yaml_document_get_node(reader->document, pair->value);
        if (key->type != YAML_SCALAR_NODE)
            return key_fail(reader, key, prefix, "?", error, "keys must be plain texts");
        size_t index = 0;
        while (specs[index].name &&
               strcmp(specs[index].name, (const char *)key->data.scalar.value) != 0)
            index++;
        if (specs[index].name == NULL)
            return key_unknown(reader, key, specs, prefix, error);
        if (seen & (UINT64_C(1) << index)) {
            error_remedy(error, "keep one of the two");
            return key_fail(reader, key, prefix, specs[index].name, error, "is there twice");
        }
        seen |= UINT64_C(1) << index;
        TRY(key_read_value(reader, value, &specs[index], target, prefix, error));
    }
    return true;
}
