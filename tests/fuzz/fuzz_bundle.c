/* Any bytes as a model bundle: loaded with its graphs or refused, never a crash, leak or hang. */
#include <stddef.h>
#include <stdint.h>

#include "core/model/graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    model_destroy(&model);
    return 0;
}
