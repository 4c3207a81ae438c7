/* Any bytes as a model bundle: loaded with its graphs and everything that is asked of a model, or
 * refused; never a crash, leak or hang. */
#include <stddef.h>
#include <stdint.h>

#include "core/model/detail.h"
#include "core/model/graph.h"

enum { OBJECTS_MOST = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first objects of the tree: each is found by some path, and has a detail. */
static void look_at(const struct survey *survey, const struct model_object *object, size_t *left)
{
    struct buffer path = {0};
    struct detail detail;
    struct model_object found;
    size_t count = object_child_count(survey->model, object);
    if (!object_path(object, &path, NULL) || !buffer_text(&path, NULL) ||
        !detail_build(survey, object, &detail, NULL))
        __builtin_trap();
    object_find(survey->model, path.data, &found, NULL);
    detail_destroy(&detail);
    buffer_destroy(&path);
    for (size_t i = 0; i < count && *left; i++) {
        struct model_object child = object_child(survey->model, object, i);
        (*left)--;
        look_at(survey, &child, left);
    }
}

static void survey_model(const struct model *model)
{
    const struct model_object top = {.kind = OBJECT_MODEL};
    struct arena arena = {0};
    struct object_hit *hits;
    struct survey survey;
    size_t count, total, left = OBJECTS_MOST;
    if (!survey_build(model, &survey, NULL) ||
        !object_search(model, "a", 9, &arena, &hits, &count, &total, NULL))
        __builtin_trap();
    look_at(&survey, &top, &left);
    arena_destroy(&arena);
    survey_destroy(&survey);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model model;
    struct error error = {0};
    if (!model_parse(slice_make(data, size), "fuzz.json", &model, &error)) {
        if (error.kind == ERROR_NONE || error.message[0] == '\0')
            __builtin_trap();
        return 0;
    }
    for (size_t i = 0; i < model.platform_count && i < 8; i++) {
        struct graph graph;
        if (graph_build(&model, model.platforms[i].name, i % 2, &graph, NULL))
            graph_destroy(&graph);
    }
    survey_model(&model);
    model_destroy(&model);
    return 0;
}
