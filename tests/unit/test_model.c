/* A bundle gives the same intention graph as DataSurface computes, and nothing in it crashes us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/model/graph.h"
#include "core/model/reader.h"

static json_t *graph_as_json(const struct graph *graph)
{
    json_t *nodes = json_array(), *edges = json_array();
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct graph_node *node = &graph->nodes[i];
        json_array_append_new(nodes, json_pack("{s:s, s:s, s:s?}", "key", node->key, "type",
                                               graph_kind_name(node->kind), "priority",
                                               model_priority_name(node->priority)));
        for (size_t j = 0; j < node->right_count; j++)
            json_array_append_new(edges,
                                  json_pack("[s, s]", node->key, graph->nodes[node->right[j]].key));
    }
    return json_pack("{s:o, s:o}", "nodes", nodes, "edges", edges);
}

/* The expected nodes with the three members that we give. */
static json_t *expected_as_json(const json_t *expected)
{
    json_t *nodes = json_array();
    size_t index;
    json_t *node;
    json_array_foreach(json_object_get(expected, "nodes"), index, node)
    {
        json_t *priority = json_object_get(node, "priority");
        json_array_append_new(nodes,
                              json_pack("{s:O, s:O, s:O?}", "key", json_object_get(node, "key"),
                                        "type", json_object_get(node, "type"), "priority",
                                        json_is_null(priority) ? NULL : priority));
    }
    return json_pack("{s:o, s:O}", "nodes", nodes, "edges", json_object_get(expected, "edges"));
}

static void check_graphs(const struct model *model, const json_t *expected, bool decommissioned,
                         const char *name)
{
    struct arena arena = {0};
    const char **platforms;
    size_t count;
    assert_true(graph_platforms(model, decommissioned, &arena, &platforms, &count, NULL));
    if (count != json_object_size(expected))
        fail_msg("%s: %zu graphs, wanted %zu", name, count, json_object_size(expected));
    for (size_t i = 0; i < count; i++) {
        struct graph graph;
        assert_true(graph_build(model, platforms[i], decommissioned, &graph, NULL));
        json_t *got = graph_as_json(&graph);
        json_t *wanted = expected_as_json(json_object_get(expected, platforms[i]));
        if (!json_equal(got, wanted)) {
            char *a = json_dumps(got, JSON_INDENT(0)), *b = json_dumps(wanted, JSON_INDENT(0));
            fprintf(stderr, "GOT %s\nWANTED %s\n", a, b);
            fail_msg("%s: graph of %s differs", name, platforms[i]);
        }
        json_decref(got);
        json_decref(wanted);
        graph_destroy(&graph);
    }
    arena_destroy(&arena);
}

static void check_model(const char *folder, const char *file)
{
    char path[4200], wanted_path[4200];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    snprintf(wanted_path, sizeof wanted_path, "%s/%.*s.expected.json", folder,
             (int)(strlen(file) - 5), file);
    json_t *expected = json_load_file(wanted_path, 0, NULL);
    if (expected == NULL)
        return; /* not a bundle */
    struct model model;
    struct error error = {0};
    if (!model_load(path, &model, &error))
        fail_msg("%s", error.message);
    json_t *graph = json_object_get(expected, "graph");
    json_t *honoured = json_object_get(expected, "graphHonouringStatus");
    if (graph)
        check_graphs(&model, graph, true, file);
    if (graph)
        check_graphs(&model, honoured ? honoured : graph, false, file);
    json_t *counts = json_object_get(expected, "counts");
    assert_int_equal(model.store_count, json_integer_value(json_object_get(counts, "dataStores")));
    assert_int_equal(model.workspace_count,
                     json_integer_value(json_object_get(counts, "workspaces")));
    size_t datasets = 0, columns = 0, groups = 0, sinks = 0;
    for (size_t i = 0; i < model.store_count; i++) {
        datasets += model.stores[i].dataset_count;
        for (size_t j = 0; j < model.stores[i].dataset_count; j++)
            if (model.stores[i].datasets[j].schema == NULL ||
                strcmp(model.stores[i].datasets[j].schema, "AvroSchema") != 0)
                columns += model.stores[i].datasets[j].column_count;
    }
    for (size_t i = 0; i < model.workspace_count; i++) {
        groups += model.workspaces[i].group_count;
        for (size_t j = 0; j < model.workspaces[i].group_count; j++)
            sinks += model.workspaces[i].groups[j].sink_count;
    }
    assert_int_equal(datasets, json_integer_value(json_object_get(counts, "datasets")));
    assert_int_equal(columns, json_integer_value(json_object_get(counts, "columns")));
    assert_int_equal(groups, json_integer_value(json_object_get(counts, "datasetGroups")));
    assert_int_equal(sinks, json_integer_value(json_object_get(counts, "sinks")));
    model_destroy(&model);
    json_decref(expected);
}

static size_t check_folder(const char *folder)
{
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return 0;
    size_t checked = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        struct slice name = slice_of(entry->d_name);
        if (!slice_ends_with(name, SLICE_LITERAL(".json")) ||
            memchr(name.data, '.', name.length - 5))
            continue;
        check_model(folder, entry->d_name);
        checked++;
    }
    closedir(directory);
    return checked;
}

static void graphs_are_those_that_datasurface_computes(void **state)
{
    (void)state;
    size_t checked = check_folder("tests/fixtures/models");
    assert_true(checked >= 5);
    const char *more = getenv("SURFBOARD_MODELS");
    if (more)
        assert_true(check_folder(more) > 0);
    else
        print_message("SURFBOARD_MODELS is not set: only the %zu self-made models were compared, "
                      "not those of the DataSurface repository\n",
                      checked);
}

static const char small[] =
    "\xEF\xBB\xBF{\"unknown\": [1, {\"a\": null}], \"formatVersion\": 1.0, \"ecosystem\": "
    "{\"zones\": {\"Z\": {\"teams\": {\"T\": {\"workspaces\": {\"W\": {\"name\": \"V\", \"dsgs\": "
    "{\"G\": {\"platformMD\": {\"retention\": {\"policy\": \"SCD4\", \"latency\": \"SECONDS\"}}, "
    "\"sinks\": [{\"storeName\": \"S\", \"datasetName\": \"d\"}, {\"storeName\": \"O\", "
    "\"datasetName\": \"x\"}]}}, \"dataContainer\": {\"_type\": \"Odd\", \"name\": \"c\"}, "
    "\"priority\": null, \"dataTransformer\": {\"outputDatastore\": {\"_type\": \"Datastore\", "
    "\"name\": \"O\", \"team\": \"t\", \"cmd\": {\"_type\": \"DataTransformerOutput\", "
    "\"workSpaceName\": \"W\", \"singleOrMultiDatasetIngestion\": 0}, \"datasets\": {\"x\": {}}}}}}"
    ", \"dataStores\": {\"S\": {\"cmd\": {\"_type\": \"New\\u004bind\", "
    "\"singleOrMultiDatasetIngestion\": 0e0}, \"datasets\": {\"d\": {}, \"d\": null, \"e\": {}}}, "
    "\"S\": {}, \"P\": \"P\"}}}}}, \"platformServicesProviders\": [{\"dataPlatforms\": [{\"name\": "
    "\"D\"}, null]}], \"dsgPlatformMappings\": [{\"assignments\": [{\"dataPlatform\": \"D\"}, "
    "{\"dataPlatform\": \"Nowhere\"}], \"workspace\": \"W\", \"dsgName\": \"G\"}]}, \"format\": "
    "\"surfboard-model\"} \n";

static void readers_tolerate_what_the_format_says(void **state)
{
    (void)state;
    struct model model;
    struct error error = {0};
    if (!model_parse(slice_of(small), "m.json", &model, &error))
        fail_msg("%s", error.message);
    const struct model_store *store = model_store(&model, "S");
    assert_string_equal(store->kind, "NewKind");
    assert_true(store->single);
    assert_int_equal(store->dataset_count, 2);
    assert_false(model_store(&model, "P")->loaded);
    assert_non_null(model_store(&model, "O"));
    assert_false(model_store(&model, "O")->single);
    const struct model_group *group = model_group(model_workspace(&model, "W"), "G");
    assert_string_equal(group->milestoning, "LIVE_WITH_FORENSIC_HISTORY");
    assert_int_equal(model_latency_ms(group->latency), 60000);
    assert_int_equal(model.warning_count, 4); /* W/V, d twice, P not loaded, S twice */
    struct graph graph;
    assert_true(graph_build(&model, "D", false, &graph, NULL));
    assert_non_null(map_get_text(&graph.index, "IngestionSingleNode/Ingest/D/S/e"));
    assert_non_null(map_get_text(&graph.index, "TriggerNode/Trigger/D/W"));
    graph_destroy(&graph);
    model_destroy(&model);
}

/* A fuzzer's find: the second list wrote behind the first one's end. */
static void a_member_that_comes_twice_goes_on_with_its_list(void **state)
{
    (void)state;
    static const char twice[] =
        "{\"format\": \"surfboard-model\", \"ecosystem\": {\"zones\": {\"Z\": {\"teams\": {\"T\": "
        "{\"dataStores\": {\"S\": {\"datasets\": {\"a\": {}, \"b\": {}, \"c\": {}, \"d\": {}, "
        "\"e\": "
        "{}, \"f\": {}, \"g\": {}, \"h\": {}, \"i\": {}}, \"datasets\": {\"j\": {}, \"a\": {}}}}, "
        "\"workspaces\": {\"W\": {\"dsgs\": {\"G\": {\"sinks\": {\"S:a\": {}, \"S:b\": {}, "
        "\"S:c\": {}, "
        "\"S:d\": {}, \"S:e\": {}}, \"sinks\": {\"S:f\": {}}}}}}}}}}}}";
    struct model model;
    assert_true(model_parse(slice_of(twice), "m.json", &model, NULL));
    const struct model_store *store = model_store(&model, "S");
    assert_int_equal(store->dataset_count, 10);
    assert_string_equal(store->datasets[0].name, "a");
    assert_string_equal(store->datasets[9].name, "j");
    const struct model_group *group = model_group(model_workspace(&model, "W"), "G");
    assert_int_equal(group->sink_count, 6);
    assert_string_equal(group->sinks[5].dataset, "f");
    model_destroy(&model);
}

static void what_is_no_bundle_is_refused_with_its_place(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"format\": \"surfboard-model\",\n \"ecosystem\": {]}", "m.json:2: byte"},
        {"{\"format\": \"other\", \"ecosystem\": {}}", "not a model bundle"},
        {"{\"format\": \"surfboard-model\", \"formatVersion\": 2, \"ecosystem\": {}}", "is newer"},
        {"{\"format\": \"surfboard-model\"}", "no ecosystem"},
        {"[]", "an object is wanted"},
        {"{\"a\": \"\xFF\"}", "not UTF-8"},
        {"{\"a\": \"b", "ends within a string"},
        {"{\"a\": 01}", "not a number"},
        {"{\"a\": nul}", "not a JSON value"},
        {"{\"a\": \"\\x\"}", "unknown escape"},
        {"{\"a\": 1} x", "something follows"},
        {"{\"a\": \"\n\"}", "a control character"},
        {"{\"a\" 1}", "':' is wanted"},
        {"{\"a\": 1 \"b\": 2}", "',' or '}'"},
        {"", "an object is wanted"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct model model;
        struct error error = {0};
        assert_false(model_parse(slice_of(cases[i][0]), "m.json", &model, &error));
        assert_int_equal(error.kind, ERROR_CONFIG);
        if (!strstr(error.message, cases[i][1]))
            fail_msg("%s: %s", cases[i][0], error.message);
    }
    char deep[1000];
    memset(deep, '[', sizeof deep);
    memcpy(deep, "{\"a\":", 5);
    struct model model;
    struct error error = {0};
    assert_false(model_parse(slice_make(deep, sizeof deep), "m.json", &model, &error));
    assert_non_null(strstr(error.message, "256 levels"));
}

static void every_allocation_failure_of_a_model_is_an_error(void **state)
{
    (void)state;
    for (long i = 1, all = 1; i <= all; i++) {
        struct model model;
        struct graph graph;
        struct error error = {0};
        memory_fail_after(i == 1 ? 0 : i - 1);
        bool ok = model_parse(slice_of(small), "m.json", &model, &error);
        bool built = ok && graph_build(&model, "D", false, &graph, &error);
        if (i == 1)
            all = memory_allocations() + 1;
        memory_fail_after(0);
        assert_true(built || error.kind == ERROR_MEMORY);
        if (built)
            graph_destroy(&graph);
        if (ok)
            model_destroy(&model);
    }
}

static void a_reader_walks_numbers_and_strings(void **state)
{
    (void)state;
    struct reader reader;
    struct arena arena = {0};
    const char *text;
    int64_t whole;
    reader_init(&reader, slice_of("[\"a\\u00e9\\ud83d\\ude00\\u0000\", 12, 1e3, 1.5, true, \"x\"]"),
                "t");
    assert_true(reader_array(&reader, NULL) && reader_item(&reader, NULL));
    assert_true(reader_text(&reader, &arena, &text, NULL));
    assert_string_equal(text, "a\xC3\xA9\xF0\x9F\x98\x80\xEF\xBF\xBD");
    static const int64_t wanted[] = {12, 1000, -1, 1, -1};
    for (size_t i = 0; i < 5; i++) {
        assert_true(reader_item(&reader, NULL) && reader_whole(&reader, -1, &whole, NULL));
        assert_int_equal(whole, wanted[i]);
    }
    assert_false(reader_item(&reader, NULL));
    assert_true(reader_ended(&reader, NULL) && reader_finish(&reader, NULL));
    reader_destroy(&reader);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(graphs_are_those_that_datasurface_computes),
        cmocka_unit_test(readers_tolerate_what_the_format_says),
        cmocka_unit_test(a_member_that_comes_twice_goes_on_with_its_list),
        cmocka_unit_test(what_is_no_bundle_is_refused_with_its_place),
        cmocka_unit_test(every_allocation_failure_of_a_model_is_an_error),
        cmocka_unit_test(a_reader_walks_numbers_and_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
