/* model graph: the intention graph of each platform, for people, Graphviz or programs. */
#include <string.h>

#include "core/base/buffer.h"
#include "core/model/graph.h"
#include "tui/model_file.h"
#include "tui/verbs.h"

static const struct option_spec graph_options[] = {
    {"format", OPTION_CHOICE, "text|dot|json", "how it is drawn (text; --json means json)"},
    MODEL_FILE_OPTION,
    {"platform", OPTION_TEXT, "NAME", "only this platform's graph"},
    {"decommissioned", OPTION_FLAG, NULL,
     "take mappings along whose status is DECOMMISSIONED, as DataSurface does"},
    {0},
};

static bool graph_json(const struct graph *graph, json_t *all, struct error *error)
{
    json_t *nodes = json_array(), *edges = json_array();
    bool ok = nodes && edges;
    for (size_t i = 0; ok && i < graph->node_count; i++) {
        const struct graph_node *node = &graph->nodes[i];
        const char *priority = model_priority_name(node->priority);
        json_t *object =
            json_pack("{s:s, s:s, s:o}", "key", node->key, "type", graph_kind_name(node->kind),
                      "priority", priority ? json_string(priority) : json_null());
        ok = json_array_append_new(nodes, object) == 0;
        for (size_t j = 0; ok && j < node->right_count; j++)
            ok = json_array_append_new(
                     edges, json_pack("[s, s]", node->key, graph->nodes[node->right[j]].key)) == 0;
    }
    json_t *object = ok ? json_pack("{s:O, s:O}", "nodes", nodes, "edges", edges) : NULL;
    json_decref(nodes);
    json_decref(edges);
    return (object && json_object_set_new(all, graph->platform, object) == 0) ||
           error_set_memory(error, 0);
}

static bool print_line(struct command *command, const char *text, struct error *error)
{
    return command_print_data(command, slice_of(text), error) &&
           (fputc('\n', command->out) != EOF || error_set(error, ERROR_IO, NULL, "writing failed"));
}

/* What each node is, without the class and platform that its key repeats. */
static void graph_label(const struct graph_node *node, char *out, size_t size)
{
    static const char *const words[] = {"ingest", "ingest", "export", "trigger", "transform"};
    if (node->kind == GRAPH_EXPORT)
        snprintf(out, size, "export %s#%s to %s", node->store, node->dataset, node->container);
    else if (node->workspace)
        snprintf(out, size, "%s %s", words[node->kind], node->workspace);
    else
        snprintf(out, size, "%s %s%s%s", words[node->kind], node->store, node->dataset ? "#" : "",
                 node->dataset ? node->dataset : "");
}

static bool graph_text(struct command *command, const struct graph *graph, struct error *error)
{
    char line[1200], label[512];
    snprintf(line, sizeof line, "%s: %zu nodes, %zu edges", graph->platform, graph->node_count,
             graph->edge_count);
    TRY(print_line(command, line, error));
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct graph_node *node = &graph->nodes[i];
        const char *priority = model_priority_name(node->priority);
        graph_label(node, label, sizeof label);
        snprintf(line, sizeof line, "  %s%s%s", label, priority ? "  " : "  (nobody needs it)",
                 priority ? priority : "");
        TRY(print_line(command, line, error));
        for (size_t j = 0; j < node->right_count; j++) {
            graph_label(&graph->nodes[node->right[j]], label, sizeof label);
            snprintf(line, sizeof line, "    %s %s", command->ascii ? "->" : "→", label);
            TRY(print_line(command, line, error));
        }
    }
    return true;
}

static bool dot_quoted(struct command *command, const char *text, struct error *error)
{
    struct buffer quoted = {0};
    bool ok = buffer_append_byte(&quoted, '"', error);
    for (; ok && *text; text++) {
        ok = *text == '"' || *text == '\\' ? buffer_append_byte(&quoted, '\\', error) : true;
        ok = ok && buffer_append_byte(&quoted, (uint8_t)*text, error);
    }
    ok = ok && buffer_append_byte(&quoted, '"', error) &&
         command_print_data(command, buffer_slice(&quoted), error);
    buffer_destroy(&quoted);
    return ok;
}

static bool graph_dot(struct command *command, const struct graph *graph, struct error *error)
{
    static const char *const shapes[] = {"box", "box", "ellipse", "diamond", "component"};
    char label[512];
    fputs("digraph ", command->out);
    TRY(dot_quoted(command, graph->platform, error));
    fputs(" {\n  rankdir=LR;\n", command->out);
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct graph_node *node = &graph->nodes[i];
        graph_label(node, label, sizeof label);
        fputs("  ", command->out);
        TRY(dot_quoted(command, node->key, error));
        fprintf(command->out, " [shape=%s, label=", shapes[node->kind]);
        TRY(dot_quoted(command, label, error));
        fputs("];\n", command->out);
        for (size_t j = 0; j < node->right_count; j++) {
            fputs("  ", command->out);
            TRY(dot_quoted(command, node->key, error));
            fputs(" -> ", command->out);
            TRY(dot_quoted(command, graph->nodes[node->right[j]].key, error));
            fputs(";\n", command->out);
        }
    }
    fputs("}\n", command->out);
    return true;
}

static bool graph_print_all(struct command *command, const struct model *model, struct error *error)
{
    const char *format = command_option(command, "format");
    const char *wanted = command_option(command, "platform");
    bool json = command->json || (format && strcmp(format, "json") == 0);
    bool decommissioned = command_flag(command, "decommissioned");
    struct arena arena = {0};
    const char **names;
    size_t count;
    bool ok = graph_platforms(model, decommissioned, &arena, &names, &count, error);
    if (ok && wanted && model_platform(model, wanted) == NULL)
        ok = error_set(error, ERROR_NOT_FOUND, "surfboard model graph without --platform shows all",
                       "the model has no platform %s", wanted);
    json_t *all = json_object();
    for (size_t i = 0; ok && i < count; i++) {
        struct graph graph;
        if (wanted && strcmp(wanted, names[i]) != 0)
            continue;
        ok = graph_build(model, names[i], decommissioned, &graph, error);
        if (!ok)
            break;
        ok = json                                   ? graph_json(&graph, all, error)
             : format && strcmp(format, "dot") == 0 ? graph_dot(command, &graph, error)
                                                    : graph_text(command, &graph, error);
        graph_destroy(&graph);
    }
    if (ok && json)
        ok = command_print_json(command, json_pack("{s:O}", "graph", all), error);
    json_decref(all);
    arena_destroy(&arena);
    return ok;
}

static int graph_run(struct command *command)
{
    struct error error = {0};
    struct model model;
    if (!model_file_load(command, &model, &error))
        return command_fail(command, &error);
    for (size_t i = 0; i < model.warning_count; i++)
        command_say(command, "warning: %s", model.warnings[i].text);
    bool ok = graph_print_all(command, &model, &error);
    model_destroy(&model);
    return ok ? 0 : command_fail(command, &error);
}

const struct verb verb_model_graph = {
    .name = "model graph",
    .synopsis = "[--format text|dot|json] [--model FILE] [--platform NAME]",
    .summary = "Draws the intention graph: which data has to flow where, by who asks for what",
    .options = graph_options,
    .run = graph_run,
};
