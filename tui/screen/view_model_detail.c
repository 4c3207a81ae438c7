/* What a person wants to know of one object: state of its stream, the model's own words, columns.
 */
#include <stdio.h>
#include <string.h>

#include "core/model/detail.h"
#include "tui/screen/view_model.h"

enum { NAME_MOST = 30, TYPE_MOST = 24 };

const struct stream *model_stream(const struct model_view *view, const struct model_object *object)
{
    const char *why;
    const struct pipeline *pipeline = app_pipeline(view->view.app, &why);
    if (pipeline == NULL || object->store == NULL)
        return NULL;
    for (size_t i = 0; i < pipeline->stream_count; i++) {
        const struct stream *stream = &pipeline->streams[i];
        if (strcmp(stream->store, object->store->name) == 0 &&
            (stream->dataset == NULL || object->dataset == NULL ||
             strcmp(stream->dataset, object->dataset->name) == 0))
            return stream;
    }
    return NULL;
}

static void put(struct text *text, enum style style, const char *label, const char *words)
{
    text_print(text, style, "%-*s%s%s", MODEL_LABEL_WIDTH, label, *label || *words ? " " : "",
               words);
}

static void put_stream(struct model_view *view, const struct model_object *object)
{
    const struct stream *stream = model_stream(view, object);
    struct app *app = view->view.app;
    char line[512], age[32] = "";
    if (stream == NULL)
        return;
    const struct watch_stream *watched = watch_stream(app, stream->name);
    bool known = watched && watched->known;
    enum style style = STYLE_UNKNOWN;
    const char *state = known ? watched->lag.state : "not asked yet";
    enum glyph glyph = watch_glyph(state, &style);
    if (known && watched->lag.freshness_s >= 0)
        watch_age(watched->lag.freshness_s, age, sizeof age);
    snprintf(line, sizeof line, "%s  %s %s %s", stream->name, canvas_glyph(&app->canvas, glyph),
             state, age);
    put(&view->detail, style, "Now", line);
    if (known && watched->lag.reason[0])
        put(&view->detail, style, "", watched->lag.reason);
    if (stream->no_capture)
        put(&view->detail, STYLE_WARN, "Capture", stream->no_capture);
    const struct stream_table *table =
        object->dataset ? stream_table_find(stream, object->dataset->name) : NULL;
    if (table)
        put(&view->detail, STYLE_TEXT, "Lake", table->ident);
}

static bool put_detail(struct model_view *view, const struct model_object *object)
{
    static const enum style styles[] = {
        [DETAIL_PLAIN] = STYLE_TEXT, [DETAIL_WARN] = STYLE_WARN, [DETAIL_FAIL] = STYLE_FAIL};
    struct detail detail;
    struct error error = {0};
    if (!detail_build(&view->read->survey, object, &detail, &error))
        return false;
    for (size_t i = 0; i < detail.count; i++)
        put(&view->detail, styles[detail.lines[i].mark], detail.lines[i].label,
            detail.lines[i].text);
    detail_destroy(&detail);
    return true;
}

static void put_columns(struct model_view *view, const struct model_dataset *dataset)
{
    if (dataset->column_count == 0)
        return;
    int name = 6, type = 4;
    for (size_t i = 0; i < dataset->column_count; i++) {
        int names = text_width(slice_of(dataset->columns[i].name), NAME_MOST);
        int types = text_width(slice_of(dataset->columns[i].type), TYPE_MOST);
        name = names > name ? names : name;
        type = types > type ? types : type;
    }
    text_print(&view->detail, STYLE_TEXT, "%s", "");
    text_print(&view->detail, STYLE_LABEL, "%-*s  %-*s  KEY  NULL  CLASS", name, "COLUMN", type,
               "TYPE");
    for (size_t i = 0; i < dataset->column_count; i++) {
        const struct model_column *column = &dataset->columns[i];
        const char *class = column->class ? column->class : dataset->class;
        char key[12] = "";
        if (column->key)
            snprintf(key, sizeof key, "%u", column->key);
        /* Widths in cells, not bytes: a column's name may be of any letters. */
        int names = name - text_width(slice_of(column->name), NAME_MOST);
        int types = type - text_width(slice_of(column->type), TYPE_MOST);
        text_print(&view->detail, STYLE_TEXT, "%s%*s  %s%*s  %-3s  %-4s  %s", column->name, names,
                   "", column->type, types, "", key, column->nullable ? "yes" : "no",
                   class ? class : "-");
    }
}

void model_detail_fill(struct model_view *view)
{
    const struct tree_node *node = tree_selected(&view->tree);
    int64_t look_us = view->view.app->watch.checked_us;
    if (node == view->detailed && look_us == view->detailed_us && view->detail.line_count)
        return;
    size_t top = node == view->detailed ? view->detail.top : 0;
    text_clear(&view->detail);
    view->detailed = node;
    view->detailed_us = look_us;
    const struct model_node *own = node ? node->object : NULL;
    if (own == NULL) {
        put(&view->detail, STYLE_DIM, "", "open a line to see what is below it");
    } else {
        if (own->object.kind == OBJECT_STORE || own->object.kind == OBJECT_DATASET)
            put_stream(view, &own->object);
        if (!put_detail(view, &own->object))
            put(&view->detail, STYLE_FAIL, "", "no memory for the detail");
        if (own->object.kind == OBJECT_DATASET)
            put_columns(view, own->object.dataset);
    }
    view->detail.top = top;
}
