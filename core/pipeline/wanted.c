#include "core/pipeline/wanted.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/host.h"
#include "core/base/memory.h"
#include "core/pipeline/lock.h"

enum { WANTED_WAIT_MS = 3000, WANTED_POLL_MS = 50 };

/* ---- reading ---- */

struct wanted_reader {
    const char *path;
    yaml_document_t *document;
    struct wanted *out;
    size_t capacity;
};

static bool wanted_wrong(const struct wanted_reader *reader, const yaml_node_t *node,
                         const char *what, struct error *error)
{
    return error_set(error, ERROR_CONFIG,
                     "mend the line, or remove the file: then nothing is wanted any more",
                     "%s:%zu: %s", reader->path, node ? node->start_mark.line + 1 : 1, what);
}

static const char *wanted_scalar(const yaml_node_t *node)
{
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static yaml_node_t *wanted_member(struct wanted_reader *reader, yaml_node_t *node, const char *key)
{
    if (node == NULL || node->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const char *name = wanted_scalar(yaml_document_get_node(reader->document, pair->key));
        if (name && strcmp(name, key) == 0)
            return yaml_document_get_node(reader->document, pair->value);
    }
    return NULL;
}

static bool wanted_text(struct wanted_reader *reader, yaml_node_t *entry, const char *key,
                        const char *otherwise, const char **out, struct error *error)
{
    yaml_node_t *node = wanted_member(reader, entry, key);
    const char *text = node ? wanted_scalar(node) : otherwise;
    if (text == NULL)
        return wanted_wrong(reader, node ? node : entry, key, error) ||
               error_prefix(error, "not a text, or not there");
    *out = arena_copy_text(&reader->out->arena, text, error);
    return *out != NULL;
}

static bool wanted_read_arguments(struct wanted_reader *reader, yaml_node_t *entry,
                                  struct wanted_work *work, struct error *error)
{
    yaml_node_t *node = wanted_member(reader, entry, "arguments");
    if (node == NULL || node->type != YAML_SEQUENCE_NODE)
        return wanted_wrong(reader, node ? node : entry, "arguments: a list is needed", error);
    size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if (count == 0 || count > WANTED_ARGUMENTS_MOST)
        return wanted_wrong(reader, node, "arguments: too few, or too many", error);
    const char **arguments = arena_zero(&reader->out->arena, count + 1, sizeof *arguments, error);
    TRY(arguments != NULL);
    for (size_t i = 0; i < count; i++) {
        const char *text = wanted_scalar(
            yaml_document_get_node(reader->document, node->data.sequence.items.start[i]));
        if (text == NULL)
            return wanted_wrong(reader, node, "arguments: texts are needed", error);
        arguments[i] = arena_copy_text(&reader->out->arena, text, error);
        TRY(arguments[i] != NULL);
    }
    if (strcmp(arguments[0], work->verb) != 0)
        return wanted_wrong(reader, node, "arguments: the first is not the verb", error);
    work->arguments = arguments;
    return true;
}

static bool wanted_read_entry(struct wanted_reader *reader, yaml_node_t *entry, struct error *error)
{
    struct wanted *out = reader->out;
    if (entry == NULL || entry->type != YAML_MAPPING_NODE)
        return wanted_wrong(reader, entry, "work: each entry is a mapping", error);
    TRY(memory_grow(&out->work, &reader->capacity, out->count + 1, sizeof *out->work, error));
    struct wanted_work *work = &out->work[out->count];
    *work = (struct wanted_work){0};
    const char *paused;
    TRY(wanted_text(reader, entry, "verb", NULL, &work->verb, error) &&
        wanted_text(reader, entry, "object", NULL, &work->object, error) &&
        wanted_text(reader, entry, "paused", "false", &paused, error) &&
        wanted_text(reader, entry, "by", "", &work->by, error) &&
        wanted_text(reader, entry, "since", "", &work->since, error) &&
        wanted_read_arguments(reader, entry, work, error));
    work->paused = strcmp(paused, "true") == 0;
    if (!work->paused && strcmp(paused, "false") != 0)
        return wanted_wrong(reader, entry, "paused: true or false", error);
    out->count++;
    return true;
}

static bool wanted_check_format(struct wanted_reader *reader, yaml_node_t *root,
                                struct error *error)
{
    yaml_node_t *node = wanted_member(reader, root, "format");
    const char *text = wanted_scalar(node);
    char *end = NULL;
    long format = text ? strtol(text, &end, 10) : 0;
    if (text == NULL || *end || format < 1)
        return wanted_wrong(reader, node, "format: a number is needed", error);
    return format <= WANTED_FORMAT ||
           error_set(error, ERROR_CONFIG, "use the surfboard that wrote it, or a newer one",
                     "%s: format %ld is newer than this surfboard reads (%d)", reader->path, format,
                     WANTED_FORMAT);
}

static bool wanted_read_root(struct wanted_reader *reader, struct error *error)
{
    yaml_node_t *root = yaml_document_get_root_node(reader->document);
    if (root == NULL)
        return wanted_wrong(reader, NULL, "the file is empty", error);
    TRY(wanted_check_format(reader, root, error));
    yaml_node_t *work = wanted_member(reader, root, "work");
    if (work == NULL || work->type != YAML_SEQUENCE_NODE)
        return wanted_wrong(reader, work ? work : root, "work: a list is needed", error);
    for (yaml_node_item_t *item = work->data.sequence.items.start;
         item < work->data.sequence.items.top; item++)
        TRY(wanted_read_entry(reader, yaml_document_get_node(reader->document, *item), error));
    return true;
}

static bool wanted_parse(const char *path, struct slice text, struct wanted *out,
                         struct error *error)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        return error_set_memory(error, 0);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, text.length);
    struct wanted_reader reader = {.path = path, .document = &document, .out = out};
    bool ok = yaml_parser_load(&parser, &document);
    if (ok) {
        ok = wanted_read_root(&reader, error);
        yaml_document_delete(&document);
    } else {
        error_set(error, ERROR_CONFIG,
                  "mend the line, or remove the file: then nothing is wanted any more",
                  "%s:%zu: %s", path, parser.problem_mark.line + 1,
                  parser.problem ? parser.problem : "no YAML");
    }
    yaml_parser_delete(&parser);
    return ok;
}

bool wanted_load(const struct profile *profile, struct wanted *out, struct error *error)
{
    *out = (struct wanted){0};
    struct buffer text = {0};
    char *path = file_join(profile->state, "wanted.yaml", error);
    bool ok = path != NULL;
    if (ok && access(path, F_OK) == 0)
        ok = file_read(path, &text, error) && wanted_parse(path, buffer_slice(&text), out, error);
    buffer_destroy(&text);
    free(path);
    if (!ok)
        wanted_destroy(out);
    return ok;
}

void wanted_destroy(struct wanted *wanted)
{
    free(wanted->work);
    arena_destroy(&wanted->arena);
    *wanted = (struct wanted){0};
}

const struct wanted_work *wanted_find(const struct wanted *wanted, const char *verb,
                                      const char *object)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (strcmp(wanted->work[i].verb, verb) == 0 && strcmp(wanted->work[i].object, object) == 0)
            return &wanted->work[i];
    return NULL;
}

/* ---- writing ---- */

/* Double quotes as JSON has them are YAML's too. */
static bool wanted_quote(struct buffer *out, const char *text, struct error *error)
{
    return buffer_append_json_text(out, slice_of(text), error);
}

static bool wanted_print(const struct wanted *wanted, struct buffer *out, struct error *error)
{
    TRY(buffer_append_format(out, error,
                             "# What surfboard resume starts when it is not alive.\n"
                             "format: %d\nwork:%s\n",
                             WANTED_FORMAT, wanted->count ? "" : " []"));
    for (size_t i = 0; i < wanted->count; i++) {
        const struct wanted_work *work = &wanted->work[i];
        TRY(buffer_append_text(out, "  - {verb: ", error) && wanted_quote(out, work->verb, error) &&
            buffer_append_text(out, ", object: ", error) &&
            wanted_quote(out, work->object, error) &&
            buffer_append_format(out, error,
                                 ", paused: %s, by: ", work->paused ? "true" : "false") &&
            wanted_quote(out, work->by, error) && buffer_append_text(out, ", since: ", error) &&
            wanted_quote(out, work->since, error) &&
            buffer_append_text(out, ", arguments: [", error));
        for (size_t k = 0; work->arguments[k]; k++)
            TRY((k == 0 || buffer_append_text(out, ", ", error)) &&
                wanted_quote(out, work->arguments[k], error));
        TRY(buffer_append_text(out, "]}\n", error));
    }
    return true;
}

static bool wanted_save(const struct profile *profile, const struct wanted *wanted,
                        struct error *error)
{
    struct buffer text = {0};
    char *path = file_join(profile->state, "wanted.yaml", error);
    bool ok = path && wanted_print(wanted, &text, error) &&
              file_write_atomic(path, buffer_slice(&text), profile_state_file_mode(profile), error);
    buffer_destroy(&text);
    free(path);
    return ok;
}

/* It is held for the moment of a rewrite only: worth waiting for. */
static struct lock *wanted_lock(const struct profile *profile, struct error *error)
{
    int64_t deadline = clock_monotonic_ns() + (int64_t)WANTED_WAIT_MS * 1000000;
    for (;;) {
        struct error own = {0};
        struct lock *lock = lock_take_here(profile, "wanted", "wanted work", &own);
        if (lock || own.kind != ERROR_CONFLICT || clock_monotonic_ns() > deadline) {
            if (lock == NULL && error)
                *error = own;
            return lock;
        }
        clock_sleep_ms(WANTED_POLL_MS);
    }
}

static bool wanted_sign(struct wanted *wanted, struct wanted_work *work, struct error *error)
{
    char user[64], host[128], at[40];
    host_user(user, sizeof user);
    host_name(host, sizeof host);
    host_time_text(clock_now_us(), at, sizeof at);
    work->by = arena_format(&wanted->arena, error, "%s@%s", user, host);
    work->since = arena_copy_text(&wanted->arena, at, error);
    return work->by && work->since;
}

static bool wanted_same_arguments(const char *const *a, const char *const *b)
{
    size_t i = 0;
    while (a[i] && b[i] && strcmp(a[i], b[i]) == 0)
        i++;
    return a[i] == NULL && b[i] == NULL;
}

/* NULL with ERROR_MEMORY. */
static struct wanted_work *wanted_add(struct wanted *wanted, const char *verb, const char *object,
                                      struct error *error)
{
    struct wanted_work *grown =
        memory_realloc(wanted->work, (wanted->count + 1) * sizeof *wanted->work);
    if (grown == NULL) {
        error_set_memory(error, sizeof *grown);
        return NULL;
    }
    wanted->work = grown;
    const char **arguments = arena_zero(&wanted->arena, 4, sizeof *arguments, error);
    if (arguments == NULL)
        return NULL;
    arguments[0] = verb;
    arguments[1] = object;
    arguments[2] = "--follow";
    struct wanted_work *work = &wanted->work[wanted->count++];
    *work = (struct wanted_work){.verb = verb, .object = object, .arguments = arguments};
    return work;
}

static bool wanted_put(const struct profile *profile, struct wanted *wanted, const char *verb,
                       const char *object, const char *const *arguments, bool paused, bool *changed,
                       struct error *error)
{
    const struct wanted_work *found = wanted_find(wanted, verb, object);
    struct wanted_work *work =
        found ? &wanted->work[found - wanted->work] : wanted_add(wanted, verb, object, error);
    if (work == NULL)
        return false;
    *changed = found == NULL || work->paused != paused ||
               (arguments && !wanted_same_arguments(arguments, work->arguments));
    if (!*changed)
        return true;
    work->paused = paused;
    if (arguments)
        work->arguments = arguments;
    return wanted_sign(wanted, work, error) && wanted_save(profile, wanted, error);
}

bool wanted_set(const struct profile *profile, const char *verb, const char *object,
                const char *const *arguments, bool paused, bool *changed, struct error *error)
{
    struct wanted wanted;
    bool differs = false;
    struct lock *lock = wanted_lock(profile, error);
    TRY(lock != NULL);
    bool ok = wanted_load(profile, &wanted, error);
    if (ok) {
        ok = wanted_put(profile, &wanted, verb, object, arguments, paused, &differs, error);
        wanted_destroy(&wanted);
    }
    lock_release(lock);
    if (changed)
        *changed = differs;
    return ok;
}

bool wanted_drop(const struct profile *profile, const char *verb, const char *object,
                 struct error *error)
{
    struct wanted wanted;
    struct lock *lock = wanted_lock(profile, error);
    TRY(lock != NULL);
    bool loaded = wanted_load(profile, &wanted, error), ok = loaded;
    const struct wanted_work *found = loaded ? wanted_find(&wanted, verb, object) : NULL;
    if (found) {
        for (size_t at = (size_t)(found - wanted.work); at + 1 < wanted.count; at++)
            wanted.work[at] = wanted.work[at + 1];
        wanted.count--;
        ok = wanted_save(profile, &wanted, error);
    }
    if (loaded)
        wanted_destroy(&wanted);
    lock_release(lock);
    return ok;
}

const struct run_summary *wanted_alive(const struct run_list *runs, const char *verb,
                                       const char *object)
{
    for (size_t i = 0; i < runs->count; i++)
        if (strcmp(runs->runs[i].state, "running") == 0 && strcmp(runs->runs[i].verb, verb) == 0 &&
            strcmp(runs->runs[i].object, object) == 0)
            return &runs->runs[i];
    return NULL;
}
