/* What a person asks of a model is answered as DataSurface answers it: columns, who depends on
 * what, which groups nothing serves; and every object is found by its path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/model/detail.h"

static const char *const fixtures[] = {"allkinds",         "dagkinds",        "faulty",
                                       "synthetic_broken", "synthetic_small", "synthetic_next"};
enum { FIXTURES = sizeof fixtures / sizeof *fixtures };

static void load(const char *name, struct model *model, struct survey *survey)
{
    char path[200];
    struct error error = {0};
    snprintf(path, sizeof path, "tests/fixtures/models/%s.json", name);
    if (!model_load(path, model, &error) || !survey_build(model, survey, &error))
        fail_msg("%s: %s", name, error.message);
}

static void unload(struct model *model, struct survey *survey)
{
    survey_destroy(survey);
    model_destroy(model);
}

static json_t *expected(const char *name, const char *kind)
{
    char path[200];
    snprintf(path, sizeof path, "tests/fixtures/models/%s.%s.json", name, kind);
    json_t *json = json_load_file(path, 0, NULL);
    assert_non_null(json);
    return json;
}

static const struct model_column *column(const struct model *model, const char *path)
{
    struct model_object object;
    struct error error = {0};
    if (!object_find(model, path, &object, &error))
        fail_msg("%s", error.message);
    assert_int_equal(object.kind, OBJECT_COLUMN);
    return object.column;
}

static void types_read_as_a_person_writes_them(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"id", "bigint"},
        {"uint24_c", "int(24) unsigned"},
        {"ieee32_c", "ieee32"},
        {"custom_c", "float(28)"},
        {"decimal_c", "decimal(18,4)"},
        {"decimal38_c", "decimal(38,0)"},
        {"timestamp_rome_c", "timestamp Europe/Rome"},
        {"varchar_c", "varchar(100)"},
        {"varchar_max_c", "varchar"},
        {"varchar_coll_c", "varchar(10) latin1_general_ci"},
        {"binary_c", "binary(16)"},
        {"array_of_array_c", "array<array<double>>"},
        {"map_c", "map<varchar(20), decimal(10,2)>"},
        {"struct_c", "struct<street varchar(40), zip char(5), flags array<boolean>>"},
        {"vector_c", "vector(384)"},
        {"geography_point_c", "geography(POINT, web mercator)"},
    };
    struct model model;
    struct survey survey;
    load("allkinds", &model, &survey);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[100];
        snprintf(path, sizeof path, "TypeZoo#all_types.%s", cases[i][0]);
        assert_string_equal(column(&model, path)->type, cases[i][1]);
    }
    const struct model_column *id = column(&model, "Orders#customers.id");
    assert_int_equal(id->key, 1);
    assert_false(id->nullable);
    const struct model_column *name = column(&model, "Trade/Sales/Orders/customers/name");
    assert_string_equal(name->class, "PC1 name");
    assert_true(name->nullable);
    assert_int_equal(name->key, 0);
    const struct model_column *page = column(&model, "Clicks#clicks.page");
    assert_string_equal(page->type, "string");
    assert_true(page->nullable);
    assert_int_equal(column(&model, "Clicks#clicks.click_id")->key, 1);
    assert_string_equal(model_dataset(model_store(&model, "Clicks"), "clicks")->class, "PUB");
    assert_int_equal(model.warning_count, 0);
    unload(&model, &survey);
}

static const char odd[] =
    "{\"format\": \"surfboard-model\", \"ecosystem\": {\"zones\": {\"Z\": {\"teams\": {\"T\": "
    "{\"dataStores\": {\"S\": {\"documentation\": \"plain\", \"deprecationStatus\": {\"status\": "
    "\"DEPRECATED\", \"documentation\": {\"description\": \"old\"}}, \"datasets\": {\"d\": "
    "{\"originalSchema\": {\"primaryKeyColumns\": [\"b\", \"a\", \"ghost\"], \"columns\": {\"a\": "
    "{\"type\": {\"type\": \"Quaternion\"}, \"primaryKey\": 1}, \"b\": {\"type\": \"Date\", "
    "\"nullable\": 0}, \"c\": {\"primaryKey\": 1}, \"a\": {}}}}, \"e\": {\"originalSchema\": "
    "{\"_type\": \"AvroSchema\", \"avroSchema\": \"{\\\"fields\\\": [{\\\"name\\\": \\\"n\\\", "
    "\\\"type\\\": {\\\"type\\\": \\\"bytes\\\", \\\"logicalType\\\": \\\"decimal\\\", "
    "\\\"precision\\\": 9, \\\"scale\\\": 2}}, {\\\"name\\\": \\\"m\\\", \\\"type\\\": "
    "[\\\"null\\\", {\\\"type\\\": \\\"map\\\", \\\"values\\\": \\\"long\\\"}, "
    "\\\"int\\\"]}]}\"}}, \"f\": {\"originalSchema\": {\"avroSchema\": \"no JSON\"}}}}}, "
    "\"workspaces\": {\"S\": {\"datasetGroups\": {\"g\": {\"sinks\": {\"S:d\": {}, \"S:x\": {}, "
    "\"N:d\": {}}}}}}}}}, \"Y\": {\"teams\": {\"T\": {}}}}, \"dsgPlatformMappings\": "
    "[{\"workspace\": \"S\", \"dsgName\": \"g\", \"assignments\": [{\"dataPlatform\": \"P\"}]}, "
    "{\"workspace\": \"W\", \"dsgName\": \"g\", \"assignments\": [{\"dataPlatform\": \"P\"}]}]}}";

static void odd_schemas_are_read_as_far_as_they_go(void **state)
{
    (void)state;
    struct model model;
    struct survey survey;
    struct error error = {0};
    if (!model_parse(slice_of(odd), "odd.json", &model, &error))
        fail_msg("%s", error.message);
    const struct model_store *store = model_store(&model, "S");
    assert_string_equal(store->about.doc, "plain");
    assert_string_equal(store->about.deprecation, "old");
    const struct model_dataset *d = model_dataset(store, "d");
    assert_int_equal(d->column_count, 3);
    assert_string_equal(d->columns[0].type, "Quaternion");
    assert_int_equal(d->columns[0].key, 2); /* the list counts, not the flags */
    assert_string_equal(d->columns[1].type, "date");
    assert_int_equal(d->columns[1].key, 1);
    assert_string_equal(d->columns[2].type, "?");
    assert_int_equal(d->columns[2].key, 0);
    const struct model_dataset *e = model_dataset(store, "e");
    assert_string_equal(e->columns[0].type, "decimal(9,2)");
    assert_false(e->columns[0].nullable);
    assert_string_equal(e->columns[1].type, "map<string, long> | int");
    assert_true(e->columns[1].nullable);
    /* An unknown type, a column twice, an Avro schema that is none. */
    assert_int_equal(model.warning_count, 3);
    assert_string_equal(model.warnings[0].path, "Z/T/S");
    assert_true(survey_build(&model, &survey, NULL));
    size_t first;
    assert_int_equal(lint_below(&survey.lint, "Z/T/workspaces/S/g", &first), 4);
    assert_string_equal(survey.lint.problems[first].kind, "mapping-unknown-platform");
    assert_int_equal(lint_below(&survey.lint, "Z/T/S", &first), 3);
    assert_int_equal(lint_below(&survey.lint, "Z", &first), 7);
    assert_int_equal(lint_below(&survey.lint, "", &first), 9); /* workspace W, its platform P */
    struct model_object object;
    assert_true(object_find(&model, "Z/T/S", &object, NULL));
    assert_int_equal(object.kind, OBJECT_STORE);
    assert_true(object_find(&model, "S#g", &object, NULL));
    assert_int_equal(object.kind, OBJECT_GROUP);
    assert_true(object_find(&model, "Y/T", &object, NULL));
    assert_string_equal(object.zone->name, "Y");
    unload(&model, &survey);
}

/* ---- paths ---- */

static size_t check_paths(const struct model *model, const struct model_object *object)
{
    size_t count = object_child_count(model, object), checked = 1;
    struct buffer path = {0};
    struct model_object found;
    struct error error = {0};
    assert_true(object_path(object, &path, NULL) && buffer_text(&path, NULL));
    if (!object_find(model, path.data, &found, &error))
        fail_msg("%s", error.message);
    /* Of two stores of one name the first is found. */
    assert_int_equal(found.kind, object->kind);
    assert_string_equal(object_name(model, &found), object_name(model, object));
    buffer_destroy(&path);
    for (size_t i = 0; i < count; i++) {
        struct model_object child = object_child(model, object, i);
        checked += check_paths(model, &child);
    }
    return checked;
}

static void every_object_is_found_by_its_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIXTURES; i++) {
        struct model model;
        struct survey survey;
        load(fixtures[i], &model, &survey);
        const struct model_object top = {.kind = OBJECT_MODEL};
        assert_true(check_paths(&model, &top) > 20);
        unload(&model, &survey);
    }
}

static void a_wrong_path_names_the_nearest_object(void **state)
{
    (void)state;
    static const struct {
        const char *path, *message, *remedy;
    } cases[] = {
        {"Trade/Sales/Ordres", "team Sales has no Ordres", "Orders"},
        {"Orders#custmers", "store Orders has no custmers", "customers"},
        {"Reports#newest", "workspace Reports has no newest", ""},
        {"Traed", "model AllKinds has no Traed", "Trade"},
        {"platforms/Curent", "model AllKinds has no platforms", ""},
        {"Orders#customers.idd", "dataset customers has no idd", ""},
    };
    struct model model;
    struct survey survey;
    load("allkinds", &model, &survey);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct model_object object;
        struct error error = {0};
        assert_false(object_find(&model, cases[i].path, &object, &error));
        assert_int_equal(error.kind, ERROR_NOT_FOUND);
        if (!strstr(error.message, cases[i].message) || !strstr(error.remedy, cases[i].remedy))
            fail_msg("%s: %s; %s", cases[i].path, error.message, error.remedy);
    }
    unload(&model, &survey);
}

/* ---- who depends on it ---- */

static void dependents_are_those_that_datasurface_computes(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIXTURES; i++) {
        struct model model;
        struct survey survey;
        load(fixtures[i], &model, &survey);
        json_t *all = expected(fixtures[i], "expected"), *wanted;
        const char *store;
        json_object_foreach(json_object_get(all, "dependents"), store, wanted)
        {
            struct arena arena = {0};
            struct consumer *found;
            size_t count, workspaces, transformers;
            if (!json_is_array(wanted))
                continue; /* the reference stumbled over the fault itself */
            assert_true(
                consumer_find(&survey.consumers, store, NULL, &arena, &found, &count, NULL));
            consumer_count(found, count, &workspaces, &transformers);
            if (workspaces != json_array_size(wanted))
                fail_msg("%s: %s has %zu dependents, wanted %zu", fixtures[i], store, workspaces,
                         json_array_size(wanted));
            size_t index;
            json_t *name;
            json_array_foreach(wanted, index, name)
            {
                bool there = false;
                for (size_t j = 0; j < count; j++)
                    there |= strcmp(found[j].workspace->name, json_string_value(name)) == 0;
                if (!there)
                    fail_msg("%s: %s lacks %s", fixtures[i], store, json_string_value(name));
            }
            arena_destroy(&arena);
        }
        json_decref(all);
        unload(&model, &survey);
    }
}

static bool is_listed(const json_t *list, const char *workspace, const char *group)
{
    size_t index;
    json_t *pair;
    json_array_foreach(list, index, pair)
    {
        if (strcmp(json_string_value(json_array_get(pair, 0)), workspace) == 0 &&
            strcmp(json_string_value(json_array_get(pair, 1)), group) == 0)
            return true;
    }
    return false;
}

static void groups_without_platform_are_those_that_datasurface_names(void **state)
{
    (void)state;
    for (size_t f = 0; f < FIXTURES; f++) {
        struct model model;
        struct survey survey;
        struct arena arena = {0};
        bool *served;
        load(fixtures[f], &model, &survey);
        assert_true(lint_served(&model, &arena, &served, NULL));
        json_t *all = expected(fixtures[f], "expected");
        const json_t *unassigned = json_object_get(all, "unassignedDatasetGroups");
        const json_t *in_none = json_object_get(all, "datasetGroupsInNoGraph");
        size_t alone = 0;
        for (size_t i = 0, at = 0; i < model.workspace_count; i++) {
            const struct model_workspace *workspace = &model.workspaces[i];
            bool first = model_workspace(&model, workspace->name) == workspace;
            for (size_t j = 0; j < workspace->group_count; j++, at++) {
                const struct model_group *group = &workspace->groups[j];
                if (!first)
                    continue;
                alone += group->assigned == NULL;
                assert_int_equal(group->assigned == NULL,
                                 is_listed(unassigned, workspace->name, group->name));
                if (in_none && served[at] == is_listed(in_none, workspace->name, group->name) &&
                    !json_object_get(all, "graphHonouringStatus"))
                    fail_msg("%s: %s %s: served %d", fixtures[f], workspace->name, group->name,
                             served[at]);
            }
        }
        assert_true(alone <= json_array_size(unassigned));
        arena_destroy(&arena);
        json_decref(all);
        unload(&model, &survey);
    }
}

static void goals_and_streams_of_a_dataset(void **state)
{
    (void)state;
    struct model model;
    struct survey survey;
    struct arena arena = {0};
    struct carrier *carriers;
    struct consumer_goal goal;
    size_t count;
    load("allkinds", &model, &survey);
    consumer_find_goal(&survey.consumers, "Orders", NULL, NULL, &goal);
    assert_int_equal(goal.ms, 300000);
    assert_string_equal(goal.workspace->name, "Reports");
    assert_string_equal(goal.group->name, "latest");
    /* Read by a transformer's group alone, which says nothing of latency. */
    consumer_find_goal(&survey.consumers, "Orders", "customers", NULL, &goal);
    assert_int_equal(goal.ms, 0);
    consumer_find_goal(&survey.consumers, "Orders", "orders", "Mirror", &goal);
    assert_int_equal(goal.ms, 0);
    const struct model_store *clicks = model_store(&model, "Clicks");
    assert_true(carrier_find(&survey.carriers, clicks, "clicks", &arena, &carriers, &count, NULL));
    assert_int_equal(count, 2);
    assert_string_equal(carriers[0].stream, "Clicks#clicks");
    assert_string_equal(carriers[0].platform, "Mirror");
    assert_true(carrier_find(&survey.carriers, clicks, NULL, &arena, &carriers, &count, NULL));
    assert_int_equal(count, 4);
    const struct model_store *beats = model_store(&model, "Beats");
    assert_true(carrier_find(&survey.carriers, beats, "beats", &arena, &carriers, &count, NULL));
    assert_int_equal(count, 2); /* Mirror reads it from its source, Tape from Mirror */
    assert_true(carriers[0].primary);
    assert_false(carriers[1].primary);
    const struct model_store *archive = model_store(&model, "Archive");
    assert_true(carrier_find(&survey.carriers, archive, NULL, &arena, &carriers, &count, NULL));
    assert_int_equal(count, 0);
    arena_destroy(&arena);
    unload(&model, &survey);
}

/* ---- lint ---- */

/* "Class(name)" items of the known kinds become a path. */
static void path_of(const json_t *items, char *out, size_t size)
{
    static const char *const kinds[] = {"GovernanceZone(", "Team(", "Datastore(", "Workspace(",
                                        "DatasetGroup("};
    size_t index;
    json_t *item;
    *out = '\0';
    json_array_foreach(items, index, item)
    {
        const char *text = json_string_value(item);
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            size_t length = strlen(kinds[i]);
            if (strncmp(text, kinds[i], length) == 0)
                snprintf(out + strlen(out), size - strlen(out), "%s%.*s", *out ? "/" : "",
                         (int)(strlen(text) - length - 1), text + length);
        }
    }
}

static void dangling_names_are_found_where_they_are(void **state)
{
    (void)state;
    static const char *const kinds[] = {
        "mapping-unknown-group", "mapping-unknown-platform", "mapping-unknown-workspace",
        "output-no-transformer", "pip-unknown-platform",     "pip-unknown-store",
        "sink-unknown-dataset",  "sink-unknown-store",       "transformer-no-store"};
    struct model model;
    struct survey survey;
    load("synthetic_broken", &model, &survey);
    json_t *all = expected("synthetic_broken", "faults");
    const json_t *faults = json_object_get(all, "lint");
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        size_t wanted = 0, got = 0, index;
        json_t *fault;
        char path[300] = "";
        json_array_foreach(faults, index, fault)
        {
            if (strcmp(json_string_value(json_object_get(fault, "rule")), kinds[k]) == 0) {
                wanted++;
                path_of(json_object_get(fault, "path"), path, sizeof path);
            }
        }
        for (size_t i = 0; i < survey.lint.count; i++) {
            const struct lint_problem *problem = &survey.lint.problems[i];
            if (strcmp(problem->kind, kinds[k]) != 0)
                continue;
            got++;
            assert_int_equal(problem->severity, LINT_ERROR);
            if (*path && strcmp(problem->path, path) != 0)
                fail_msg("%s is at %s, wanted at %s", kinds[k], problem->path, path);
        }
        if (wanted == 0 || got != wanted)
            fail_msg("%s: %zu found, wanted %zu", kinds[k], got, wanted);
    }
    json_decref(all);
    unload(&model, &survey);
    load("synthetic_small", &model, &survey);
    assert_int_equal(survey.lint.errors, 0);
    unload(&model, &survey);
}

/* ---- search, detail ---- */

static void search_finds_names_first(void **state)
{
    (void)state;
    struct model model;
    struct survey survey;
    struct arena arena = {0};
    struct object_hit *hits;
    size_t count, total;
    load("allkinds", &model, &survey);
    assert_true(object_search(&model, "orders", 100, &arena, &hits, &count, &total, NULL));
    assert_true(count >= 4 && total == count);
    assert_int_equal(hits[0].object.kind, OBJECT_STORE); /* Orders: the whole name, and first */
    assert_int_equal(hits[1].object.kind, OBJECT_DATASET);
    assert_string_equal(hits[0].where, "name");
    assert_true(object_search(&model, "decimal", 2, &arena, &hits, &count, &total, NULL));
    assert_int_equal(count, 2);
    assert_true(total > 2);
    assert_true(object_search(&model, "PC1", 9, &arena, &hits, &count, &total, NULL));
    assert_string_equal(hits[0].where, "class");
    assert_true(object_search(&model, "nowhere at all", 9, &arena, &hits, &count, &total, NULL));
    assert_int_equal(total, 0);
    arena_destroy(&arena);
    unload(&model, &survey);
}

static const char *line_of(const struct detail *detail, const char *label)
{
    for (size_t i = 0; i < detail->count; i++)
        if (strcmp(detail->lines[i].label, label) == 0)
            return detail->lines[i].text;
    return "";
}

static void details_say_what_matters(void **state)
{
    (void)state;
    struct model model;
    struct survey survey;
    struct model_object object;
    struct detail detail;
    load("allkinds", &model, &survey);
    assert_true(object_find(&model, "Orders", &object, NULL));
    assert_true(detail_build(&survey, &object, &detail, NULL));
    assert_string_equal(line_of(&detail, "Used by"), "2 workspaces, 1 transformer");
    assert_string_equal(line_of(&detail, "Goal"), "minutes: 5 min, for Reports latest");
    assert_string_equal(line_of(&detail, "Stream"), "Orders, Current, priority HIGH");
    detail_destroy(&detail);
    assert_true(object_find(&model, "Unmapped#waiting", &object, NULL));
    assert_true(detail_build(&survey, &object, &detail, NULL));
    assert_string_equal(line_of(&detail, "Lint"), "no platform is mapped to it");
    detail_destroy(&detail);
    unload(&model, &survey);
}

static size_t build_details(const struct survey *survey, const struct model_object *object)
{
    size_t count = object_child_count(survey->model, object), built = 1;
    struct detail detail;
    assert_true(detail_build(survey, object, &detail, NULL));
    detail_destroy(&detail);
    for (size_t i = 0; i < count; i++) {
        struct model_object child = object_child(survey->model, object, i);
        built += build_details(survey, &child);
    }
    return built;
}

static void every_object_has_a_detail(void **state)
{
    (void)state;
    const struct model_object top = {.kind = OBJECT_MODEL};
    for (size_t i = 0; i < FIXTURES; i++) {
        struct model model;
        struct survey survey;
        load(fixtures[i], &model, &survey);
        assert_true(build_details(&survey, &top) > 20);
        unload(&model, &survey);
    }
}

/* One pass over everything; false when an allocation failed. */
static bool survey_all(struct error *error)
{
    struct model model;
    struct survey survey;
    struct detail detail;
    struct model_object object;
    struct arena arena = {0};
    struct object_hit *hits;
    size_t count, total;
    if (!model_parse(slice_of(odd), "odd.json", &model, error))
        return false;
    bool ok = survey_build(&model, &survey, error);
    if (ok) {
        static const char *const paths[] = {"", "Z/T/S", "S#d", "S#g", "S#d.a"};
        for (size_t i = 0; ok && i < sizeof paths / sizeof *paths; i++) {
            ok = object_find(&model, paths[i], &object, error) &&
                 detail_build(&survey, &object, &detail, error);
            if (ok)
                detail_destroy(&detail);
        }
        ok = ok && object_search(&model, "s", 3, &arena, &hits, &count, &total, error);
        survey_destroy(&survey);
    }
    arena_destroy(&arena);
    model_destroy(&model);
    return ok;
}

static void every_allocation_failure_is_an_error(void **state)
{
    (void)state;
    for (long i = 1, all = 1; i <= all; i++) {
        struct error error = {0};
        memory_fail_after(i == 1 ? 0 : i - 1);
        bool ok = survey_all(&error);
        if (i == 1)
            all = memory_allocations() + 1;
        memory_fail_after(0);
        assert_true(ok || error.kind == ERROR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_read_as_a_person_writes_them),
        cmocka_unit_test(odd_schemas_are_read_as_far_as_they_go),
        cmocka_unit_test(every_object_is_found_by_its_path),
        cmocka_unit_test(a_wrong_path_names_the_nearest_object),
        cmocka_unit_test(dependents_are_those_that_datasurface_computes),
        cmocka_unit_test(groups_without_platform_are_those_that_datasurface_names),
        cmocka_unit_test(goals_and_streams_of_a_dataset),
        cmocka_unit_test(dangling_names_are_found_where_they_are),
        cmocka_unit_test(search_finds_names_first),
        cmocka_unit_test(details_say_what_matters),
        cmocka_unit_test(every_object_has_a_detail),
        cmocka_unit_test(every_allocation_failure_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
