/* What the loader's files share: warnings, lists, texts, and what every object says of itself. */
#include "core/model/load.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WARNINGS_MOST = 1000 };

/* The object where we are, as object.h writes it. */
static const char *load_path(struct load *load, struct error *error)
{
    const char *last = load->store ? load->store : load->workspace;
    struct arena *arena = &load->model->arena;
    if (last)
        return arena_format(arena, error, "%s/%s/%s", load->zone, load->team, last);
    return load->team ? arena_format(arena, error, "%s/%s", load->zone, load->team)
                      : arena_copy_text(arena, load->zone ? load->zone : "", error);
}

bool load_warn(struct load *load, struct error *error, const char *format, ...)
{
    struct model *model = load->model;
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < model->warning_count; i++)
        if (strcmp(model->warnings[i].text, text) == 0)
            return true; /* reported once */
    if (model->warning_count >= WARNINGS_MOST)
        return true;
    TRY(load_grow(load, &model->warnings, model->warning_count, &load->warning_capacity,
                  sizeof *model->warnings, error));
    struct model_warning warning = {.path = load_path(load, error),
                                    .text = arena_copy_text(&model->arena, text, error)};
    TRY(warning.path && warning.text);
    model->warnings[model->warning_count++] = warning;
    return true;
}

bool load_grow(struct load *load, void *pointer, size_t count, size_t *capacity, size_t size,
               struct error *error)
{
    if (count < *capacity)
        return true;
    /* A member that comes twice goes on with the list of the first, whose capacity is forgotten. */
    size_t wanted = count < 4 ? 4 : count * 2;
    void *fresh = arena_zero(&load->model->arena, wanted, size, error);
    TRY(fresh);
    if (count)
        memcpy(fresh, *(void **)pointer, count * size);
    *(void **)pointer = fresh;
    *capacity = wanted;
    return true;
}

bool load_text(struct load *load, const char **out, struct error *error)
{
    return reader_text(load->reader, &load->model->arena, out, error);
}

bool load_word(struct load *load, struct slice text, const char **out, struct error *error)
{
    struct load_word *word = map_get(&load->words, text);
    if (word == NULL) {
        word = arena_allocate(&load->model->arena, sizeof *word + text.length + 1, error);
        TRY(word);
        *word = (struct load_word){0};
        if (text.length)
            memcpy(word->text, text.data, text.length);
        word->text[text.length] = '\0';
        TRY(map_put(&load->words, slice_make(word->text, text.length), word, error));
    }
    *out = word->text;
    return true;
}

struct load_word *load_word_of(const char *text)
{
    return (struct load_word *)(uintptr_t)(text - offsetof(struct load_word, text));
}

bool load_text_word(struct load *load, const char **out, struct error *error)
{
    struct slice text;
    *out = NULL;
    TRY(reader_slice(load->reader, &text, error));
    return text.data == NULL || load_word(load, text, out, error);
}

bool load_check_name(struct load *load, const char *what, const char *key, const char *name,
                     struct error *error)
{
    return name == NULL || strcmp(key, name) == 0 ||
           load_warn(load, error, "%s %s calls itself %s; the key in the map counts", what, key,
                     name);
}

bool load_doc(struct load *load, const char **out, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return load_text(load, out, error);
    const char *plain = NULL, *markdown = NULL;
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "description"))
            TRY(load_text(load, &plain, error));
        else if (slice_is(key, "markdown"))
            TRY(load_text(load, &markdown, error));
        else
            TRY(reader_skip(in, error));
    }
    *out = markdown ? markdown : plain;
    return reader_ended(in, error);
}

static bool load_deprecation(struct load *load, const char **out, struct error *error)
{
    struct reader *in = load->reader;
    const char *status = NULL, *reason = NULL;
    if (reader_peek(in) != READER_OBJECT) {
        TRY(load_text_word(load, &status, error));
    } else {
        TRY(reader_object(in, error));
        for (struct slice key; reader_member(in, &key, error);) {
            if (slice_is(key, "status"))
                TRY(load_text_word(load, &status, error));
            else if (slice_is(key, "reason") || slice_is(key, "documentation") ||
                     slice_is(key, "doc"))
                TRY(load_doc(load, &reason, error));
            else
                TRY(reader_skip(in, error));
        }
        TRY(reader_ended(in, error));
    }
    if (status && strcmp(status, "DEPRECATED") == 0)
        *out = reason ? reason : "";
    return true;
}

bool load_about(struct load *load, struct slice key, struct model_about *out, bool *taken,
                struct error *error)
{
    *taken = true;
    if (slice_is(key, "documentation") || slice_is(key, "doc"))
        return load_doc(load, &out->doc, error);
    if (slice_is(key, "productionStatus"))
        return load_text_word(load, &out->production, error);
    if (slice_is(key, "deprecationStatus"))
        return load_deprecation(load, &out->deprecation, error);
    *taken = false;
    return true;
}

bool load_repository(struct load *load, struct model_repository *out, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return load_text_word(load, &out->name, error);
    const char *plain = NULL;
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "repositoryName"))
            TRY(load_text_word(load, &out->name, error));
        else if (slice_is(key, "branchName"))
            TRY(load_text_word(load, &out->branch, error));
        else if (slice_is(key, "name"))
            TRY(load_text_word(load, &plain, error));
        else
            TRY(reader_skip(in, error));
    }
    if (out->name == NULL)
        out->name = plain;
    return reader_ended(in, error);
}

bool load_named(struct load *load, const char **out, const char *member, const char **second,
                struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return load_text(load, out, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "name"))
            TRY(load_text(load, out, error));
        else if (second && slice_is(key, member))
            TRY(load_text(load, second, error));
        else
            TRY(reader_skip(in, error));
    }
    return reader_ended(in, error);
}

static bool load_host_port(struct load *load, struct model_container *out, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "hostName"))
            TRY(load_text_word(load, &out->host, error));
        else if (slice_is(key, "port"))
            TRY(reader_whole(in, 0, &out->port, error));
        else
            TRY(reader_skip(in, error));
    }
    return reader_ended(in, error);
}

bool load_container(struct load *load, struct model_container *out, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "_type"))
            TRY(load_text_word(load, &out->type, error));
        else if (slice_is(key, "name"))
            TRY(load_text_word(load, &out->name, error));
        else if (slice_is(key, "databaseName"))
            TRY(load_text_word(load, &out->database, error));
        else if (slice_is(key, "hostPort"))
            TRY(load_host_port(load, out, error));
        else
            TRY(reader_skip(in, error));
    }
    if (out->type == NULL)
        out->type = "?";
    return reader_ended(in, error);
}
