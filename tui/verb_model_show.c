/* model show: the tree of a model, or one object of it in detail. */
#include <stdio.h>
#include <string.h>

#include "core/base/buffer.h"
#include "core/model/detail.h"
#include "tui/model_file.h"
#include "tui/model_json.h"
#include "tui/verbs.h"

enum { LABEL_WIDTH = 11 };

static const struct option_spec show_options[] = {
    MODEL_FILE_OPTION,
    {0},
};

static bool put(struct command *command, const char *text, struct error *error)
{
    return command_print_data(command, slice_of(text), error);
}

static bool put_line(struct command *command, const char *text, struct error *error)
{
    return put(command, text, error) &&
           (fputc('\n', command->out) != EOF || error_set(error, ERROR_IO, NULL, "writing failed"));
}

static void put_spaces(struct command *command, size_t count)
{
    while (count-- > 0)
        fputc(' ', command->out);
}

static size_t count_characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

/* ---- the tree ---- */

static void show_platforms(const struct model_group *group, char *out, size_t size)
{
    size_t more = 0;
    for (const struct model_assignment *at = group->assigned->next; at; at = at->next)
        more++;
    snprintf(out, size, more ? "  %s and %zu more" : "  %s", group->assigned->platform, more);
}

/* What stands behind a name. */
static void show_note(const struct model_object *object, char *out, size_t size)
{
    *out = '\0';
    if (object->kind == OBJECT_STORE)
        snprintf(out, size, "  %s",
                 !object->store->loaded ? "not in the bundle"
                 : object->store->kind  ? object->store->kind
                                        : "no capture");
    else if (object->kind == OBJECT_DATASET)
        snprintf(out, size, "  %zu col", object->dataset->column_count);
    else if (object->kind == OBJECT_WORKSPACE && object->workspace->transformer.name)
        snprintf(out, size, "  fills %s",
                 object->workspace->output_store ? object->workspace->output_store : "nothing");
    else if (object->kind == OBJECT_GROUP && object->group->assigned == NULL)
        snprintf(out, size, "  no platform");
    else if (object->kind == OBJECT_GROUP)
        show_platforms(object->group, out, size);
    else if (object->kind == OBJECT_PLATFORM)
        snprintf(out, size, "  %s", object->platform->type);
}

/* A team's stores and workspaces, and the platforms, have headings of their own. */
static const char *show_heading(const struct model_object *child, const struct model_object *before)
{
    if (before && before->kind == child->kind)
        return NULL;
    switch (child->kind) {
    case OBJECT_STORE:
        return "stores";
    case OBJECT_WORKSPACE:
        return "workspaces";
    case OBJECT_PLATFORM:
        return "platforms";
    default:
        return NULL;
    }
}

static bool show_tree(struct command *command, const struct model *model,
                      const struct model_object *object, size_t indent, struct error *error)
{
    size_t count = object->kind == OBJECT_DATASET ? 0 : object_child_count(model, object);
    struct model_object before;
    for (size_t i = 0; i < count; i++) {
        struct model_object child = object_child(model, object, i);
        const char *heading = show_heading(&child, i ? &before : NULL);
        bool below = child.kind == OBJECT_STORE || child.kind == OBJECT_WORKSPACE ||
                     child.kind == OBJECT_PLATFORM;
        if (heading) {
            put_spaces(command, indent);
            TRY(put_line(command, heading, error));
        }
        char note[256];
        show_note(&child, note, sizeof note);
        put_spaces(command, indent + (below ? 2 : 0));
        TRY(put(command, object_name(model, &child), error) && put_line(command, note, error));
        TRY(show_tree(command, model, &child, indent + (below ? 4 : 2), error));
        before = child;
    }
    return true;
}

/* ---- one object ---- */

static bool show_detail(struct command *command, const struct detail *detail, struct error *error)
{
    static const char *const marks[2][3] = {{"", "▲ ", "✗ "}, {"", "! ", "x "}};
    for (size_t i = 0; i < detail->count; i++) {
        const struct detail_line *line = &detail->lines[i];
        fprintf(command->out, "  %-*s %s", LABEL_WIDTH, line->label,
                marks[command->ascii][line->mark]);
        TRY(put_line(command, line->text, error));
    }
    return true;
}

static bool show_columns(struct command *command, const struct model_dataset *dataset,
                         struct error *error)
{
    size_t name = strlen("COLUMN"), type = strlen("TYPE");
    for (size_t i = 0; i < dataset->column_count; i++) {
        size_t wide = count_characters(dataset->columns[i].name);
        size_t typed = count_characters(dataset->columns[i].type);
        name = wide > name ? wide : name;
        type = typed > type ? typed : type;
    }
    if (type > 40)
        type = 40;
    fprintf(command->out, "\n  %-*s  %-*s  NULL  KEY  CLASS\n", (int)name, "COLUMN", (int)type,
            "TYPE");
    for (size_t i = 0; i < dataset->column_count; i++) {
        const struct model_column *column = &dataset->columns[i];
        const char *class = column->class ? column->class : dataset->class;
        size_t wide = count_characters(column->name), typed = count_characters(column->type);
        char key[16] = "";
        if (column->key)
            snprintf(key, sizeof key, "%u", column->key);
        put_spaces(command, 2);
        TRY(put(command, column->name, error));
        put_spaces(command, name - wide + 2);
        TRY(put(command, column->type, error));
        put_spaces(command, typed < type ? type - typed + 2 : 2);
        fprintf(command->out, "%-4s  %3s  ", column->nullable ? "yes" : "no", key);
        TRY(put_line(command, class ? class : "-", error));
    }
    return true;
}

static bool show_object(struct command *command, const struct survey *survey,
                        const struct model_object *object, struct error *error)
{
    struct buffer path = {0};
    struct detail detail = {0};
    const struct model *model = survey->model;
    bool ok = object_path(object, &path, error) && buffer_text(&path, error) &&
              detail_build(survey, object, &detail, error);
    if (ok) {
        fprintf(command->out, "%s ", model_object_kind_name(object->kind));
        ok = put_line(command, object->kind == OBJECT_MODEL ? model->name : path.data, error) &&
             show_detail(command, &detail, error);
    }
    if (ok && object->kind == OBJECT_DATASET && object->dataset->column_count)
        ok = show_columns(command, object->dataset, error);
    else if (ok && object_child_count(model, object) > 0)
        ok = put_line(command, "", error) && show_tree(command, model, object, 2, error);
    detail_destroy(&detail);
    buffer_destroy(&path);
    return ok;
}

static int show_run(struct command *command)
{
    struct error error = {0};
    struct model model;
    struct survey survey;
    if (!model_file_load(command, &model, &error))
        return command_fail(command, &error);
    const char *path = command_argument(command, 0);
    struct model_object object;
    bool ok = object_find(&model, path ? path : "", &object, &error);
    if (ok && survey_build(&model, &survey, &error)) {
        ok = command->json
                 ? command_print_json(command, model_json_object(&survey, &object), &error)
                 : show_object(command, &survey, &object, &error);
        survey_destroy(&survey);
    } else {
        ok = false;
    }
    model_destroy(&model);
    return ok ? 0 : command_fail(command, &error);
}

const struct verb verb_model_show = {
    .name = "model show",
    .synopsis = "[PATH] [--model FILE]",
    .summary = "Shows the model as a tree, or one object of it: schema, streams, who depends on it",
    .details = "PATH is Zone/Team/Store/dataset, Zone/Team/Workspace/group, platforms/NAME, or as "
               "short as it is unique: Store, Store#dataset, Store#dataset.column, "
               "Workspace#group. Without PATH the whole tree.",
    .options = show_options,
    .most = 1,
    .run = show_run,
};
