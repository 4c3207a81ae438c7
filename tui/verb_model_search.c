/* model search: the objects of a model whose name or text holds a word. */
#include <stdio.h>
#include <string.h>

#include "core/base/buffer.h"
#include "core/model/object.h"
#include "tui/model_file.h"
#include "tui/model_json.h"
#include "tui/verbs.h"

enum { HITS_USUALLY = 200 };

static const struct option_spec search_options[] = {
    MODEL_FILE_OPTION,
    {"limit", OPTION_COUNT, "N", "how many are shown at most (200)"},
    {0},
};

static bool print_hit(struct command *command, const struct object_hit *hit, struct error *error)
{
    struct buffer path = {0};
    fprintf(command->out, "%-13s  ", model_object_kind_name(hit->object.kind));
    bool ok = object_path(&hit->object, &path, error) &&
              command_print_data(command, buffer_slice(&path), error);
    buffer_destroy(&path);
    bool by_name = strcmp(hit->where, "name") == 0;
    fprintf(command->out, "%s%s%s\n", by_name ? "" : "  (", by_name ? "" : hit->where,
            by_name ? "" : ")");
    return ok;
}

static bool print_json(struct command *command, const struct model *model,
                       const struct object_hit *hits, size_t count, size_t total,
                       struct error *error)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *hit = model_json_name(model, &hits[i].object);
        if (hit)
            json_object_set_new(hit, "where", json_string(hits[i].where));
        json_array_append_new(list, hit);
    }
    return command_print_json(
        command, json_pack("{s:I, s:o}", "total", (json_int_t)total, "hits", list), error);
}

static int search_run(struct command *command)
{
    struct error error = {0};
    struct model model;
    struct arena arena = {0};
    struct object_hit *hits;
    size_t count = 0, total = 0;
    const char *word = command_argument(command, 0);
    size_t most = (size_t)command_count(command, "limit", HITS_USUALLY);
    if (*word == '\0')
        return command_fail_usage(command, "model search: an empty word");
    if (!model_file_load(command, &model, &error))
        return command_fail(command, &error);
    bool ok = object_search(&model, word, most, &arena, &hits, &count, &total, &error);
    if (ok && command->json)
        ok = print_json(command, &model, hits, count, total, &error);
    for (size_t i = 0; ok && !command->json && i < count; i++)
        ok = print_hit(command, &hits[i], &error);
    if (ok && total > count)
        command_say(command, "%zu of %zu shown; --limit N shows more", count, total);
    arena_destroy(&arena);
    model_destroy(&model);
    if (!ok)
        return command_fail(command, &error);
    if (total == 0 && !command->json)
        command_say(command, "nothing holds \"%s\"", word);
    return total == 0;
}

const struct verb verb_model_search = {
    .name = "model search",
    .synopsis = "WORD [--model FILE] [--limit N]",
    .summary = "Finds objects of the model whose name, type, class or documentation holds a word",
    .options = search_options,
    .least = 1,
    .most = 1,
    .run = search_run,
};
