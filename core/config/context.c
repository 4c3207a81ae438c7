#include "core/config/context.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/nearest.h"

static char *context_home(const char *variable, const char *below, const char *rest,
                          struct error *error)
{
    const char *set = getenv(variable);
    if (set && set[0] == '/')
        return memory_format(error, "%s/%s", set, rest);
    const char *home = getenv("HOME");
    if (home == NULL || home[0] != '/') {
        error_set(error, ERROR_CONFIG, "set HOME", "$HOME is not set, nor is $%s", variable);
        return NULL;
    }
    return memory_format(error, "%s/%s/%s", home, below, rest);
}

char *context_config_root(struct error *error)
{
    return context_home("XDG_CONFIG_HOME", ".config", "surfboard", error);
}

char *context_state_root(struct error *error)
{
    return context_home("XDG_STATE_HOME", ".local/state", "surfboard", error);
}

char *context_folder(struct error *error)
{
    return context_home("XDG_CONFIG_HOME", ".config", "surfboard/contexts", error);
}

static int context_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The default's name lies beside the contexts, in the file `default`. */
static char *context_read_default(const char *folder, struct error *error)
{
    char *path = file_join(folder, "default", error);
    if (path == NULL)
        return NULL;
    struct buffer text = {0};
    char *name = NULL;
    if (file_exists(path) && file_read(path, &text, error)) {
        while (text.length && (text.data[text.length - 1] == '\n'))
            text.length--;
        name = memory_copy_slice(buffer_slice(&text), error);
    }
    buffer_destroy(&text);
    free(path);
    return name;
}

static bool context_list_read(const char *folder, struct context_list *out, struct error *error)
{
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return errno == ENOENT || error_set_system(error, errno, "%s", folder);
    size_t capacity = 0;
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(directory));) {
        struct slice name = slice_of(entry->d_name);
        if (name.data[0] == '.' || !slice_ends_with(name, SLICE_LITERAL(".yaml")))
            continue;
        name.length -= 5;
        ok = memory_grow(&out->names, &capacity, out->count + 1, sizeof *out->names, error);
        if (ok)
            ok = (out->names[out->count] = memory_copy_slice(name, error)) != NULL;
        out->count += ok;
    }
    closedir(directory);
    if (ok && out->count)
        qsort(out->names, out->count, sizeof *out->names, context_compare);
    return ok;
}

bool context_list(struct context_list *out, struct error *error)
{
    *out = (struct context_list){0};
    char *folder = context_folder(error);
    if (folder == NULL)
        return false;
    struct error local = {0};
    bool ok = context_list_read(folder, out, error);
    if (ok)
        out->standard = context_read_default(folder, &local);
    if (local.kind) {
        ok = false;
        if (error)
            *error = local;
    }
    free(folder);
    if (!ok)
        context_list_destroy(out);
    return ok;
}

void context_list_destroy(struct context_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
    free(list->standard);
    *list = (struct context_list){0};
}

static bool context_find(const char *name, char **path, struct error *error)
{
    struct context_list list;
    TRY(context_list(&list, error));
    bool found = false;
    for (size_t i = 0; i < list.count; i++)
        found |= strcmp(list.names[i], name) == 0;
    if (found) {
        char *folder = context_folder(error);
        *path = folder ? memory_format(error, "%s/%s.yaml", folder, name) : NULL;
        free(folder);
        found = *path != NULL;
    } else {
        const char *near = nearest_word(name, (const char *const *)list.names, list.count);
        char *folder = context_folder(NULL);
        error_set(error, ERROR_CONFIG, NULL, "no context '%s' in %s", name, folder ? folder : "?");
        if (near)
            error_remedy(error, "did you mean %s?", near);
        else
            error_remedy(error, "surfboard context lists them; surfboard init writes one");
        free(folder);
    }
    context_list_destroy(&list);
    return found;
}

bool context_choose(const char *profile, const char *context, struct context_choice *out,
                    struct error *error)
{
    *out = (struct context_choice){0};
    const char *environment_profile = getenv("SURFBOARD_PROFILE");
    const char *environment_context = getenv("SURFBOARD_CONTEXT");
    if (profile && context)
        return error_set(error, ERROR_USAGE, "give one of the two",
                         "--profile and --context name two profiles");
    if (profile || (!context && environment_profile && *environment_profile)) {
        snprintf(out->from, sizeof out->from, "%s", profile ? "--profile" : "$SURFBOARD_PROFILE");
        out->path = memory_copy_text(profile ? profile : environment_profile, error);
        return out->path != NULL;
    }
    if (context || (environment_context && *environment_context)) {
        snprintf(out->from, sizeof out->from, "%s", context ? "--context" : "$SURFBOARD_CONTEXT");
        return context_find(context ? context : environment_context, &out->path, error);
    }
    struct context_list list = {0};
    if (getenv("HOME") || getenv("XDG_CONFIG_HOME"))
        TRY(context_list(&list, error));
    bool ok = true;
    if (list.standard) {
        snprintf(out->from, sizeof out->from, "default context");
        ok = context_find(list.standard, &out->path, error);
    } else if (file_exists("surfboard.yaml")) {
        snprintf(out->from, sizeof out->from, "./surfboard.yaml");
        ok = (out->path = memory_copy_text("surfboard.yaml", error)) != NULL;
    }
    context_list_destroy(&list);
    return ok;
}

void context_choice_destroy(struct context_choice *choice)
{
    free(choice->path);
    *choice = (struct context_choice){0};
}

bool context_set_default(const char *name, struct error *error)
{
    char *profile = NULL;
    TRY(context_find(name, &profile, error));
    free(profile);
    char *folder = context_folder(error);
    char *path = folder ? file_join(folder, "default", error) : NULL;
    char *text = path ? memory_format(error, "%s\n", name) : NULL;
    bool ok = text && file_write_atomic(path, slice_of(text), 0600, error);
    free(text);
    free(path);
    free(folder);
    return ok;
}
