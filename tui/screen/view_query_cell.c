/* One row, a line a column, in a box; one cell, whole. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/json.h"
#include "core/base/memory.h"
#include "tui/screen/view_query.h"

enum { JSON_MOST = 1 << 18, FOLD_LEAST = 20, LABEL_MOST = 32 };

/* ---- a cell as text ---- */

/* The same JSON with a line for each member: only blanks between its parts change, so that numbers
 * keep their digits. The text is known to be JSON. */
static bool indent_json(struct slice text, struct buffer *out)
{
    int depth = 0;
    bool quoted = false, ok = true;
    for (size_t i = 0; i < text.length && ok; i++) {
        char byte = text.data[i];
        if (quoted) {
            ok = buffer_append_byte(out, (uint8_t)byte, NULL);
            if (byte == '\\' && i + 1 < text.length)
                ok = ok && buffer_append_byte(out, (uint8_t)text.data[++i], NULL);
            quoted = byte != '"';
            continue;
        }
        if (strchr(" \t\r\n", byte))
            continue;
        bool opens = byte == '{' || byte == '[', closes = byte == '}' || byte == ']';
        char before = out->length ? out->data[out->length - 1] : ' ';
        depth += opens - closes;
        quoted = byte == '"';
        if (closes && before != '{' && before != '[')
            ok = buffer_append_format(out, NULL, "\n%*s", depth * 2, "");
        else if ((before == '{' || before == '[') && !closes)
            ok = buffer_append_format(out, NULL, "\n%*s", (depth - opens) * 2, "");
        ok = ok && buffer_append_byte(out, (uint8_t)byte, NULL);
        if (byte == ',')
            ok = ok && buffer_append_format(out, NULL, "\n%*s", depth * 2, "");
        else if (byte == ':')
            ok = ok && buffer_append_byte(out, ' ', NULL);
    }
    return ok;
}

static bool is_json(struct slice text)
{
    if (text.length < 2 || text.length > JSON_MOST || !strchr("{[", text.data[0]))
        return false;
    json_t *json = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, NULL);
    json_decref(json);
    return json != NULL;
}

/* A text is scrolled by lines: what is longer than one is cut into several. */
static bool fold_lines(struct slice text, int columns, struct buffer *out)
{
    bool ok = true;
    for (size_t at = 0; ok && at < text.length;) {
        const char *end = memchr(text.data + at, '\n', text.length - at);
        struct slice line = {text.data + at,
                             end ? (size_t)(end - text.data) - at : text.length - at};
        at += line.length + 1;
        do {
            size_t part = text_offset(line, columns);
            if (text_width((struct slice){line.data, part}, columns + 1) > columns && part > 1)
                part = text_offset(line, columns - 1);
            ok = buffer_append_slice(out, (struct slice){line.data, part}, NULL) &&
                 buffer_append_byte(out, '\n', NULL);
            line.data += part;
            line.length -= part;
        } while (ok && line.length);
    }
    if (out->length)
        out->length--;
    return ok;
}

void query_show_cell(struct app *app, const struct rows *rows, size_t row, size_t column)
{
    bool null;
    char title[160];
    struct buffer json = {0}, lines = {0};
    struct slice text = rows_cell(rows, row, column, &null);
    const struct rows_column *what = &rows->columns[column];
    int columns = app->canvas.columns - 4;
    snprintf(title, sizeof title, "%.60s %.40s, row %zu%s", what->name, what->type, row + 1,
             null               ? ": NULL, no value at all"
             : text.length == 0 ? ": empty"
                                : "");
    bool ok = true;
    if (is_json(text)) {
        ok = indent_json(text, &json);
        text = buffer_slice(&json);
    }
    ok = ok && fold_lines(text, columns > FOLD_LEAST ? columns : FOLD_LEAST, &lines);
    if (ok)
        app_text(app, title, buffer_slice(&lines));
    buffer_destroy(&json);
    buffer_destroy(&lines);
}

/* ---- a row as a record ---- */

struct record_box {
    struct view view;
    const struct grid *grid; /* of the tab, which stays as long as a box stands on it */
    struct rows *rows;       /* a share */
    size_t index;            /* of the row as the grid shows them */
    struct list list;        /* columns */
    int label;               /* width of the names */
};

static const struct view_kind record_kind;

static size_t record_row(const struct record_box *box)
{
    return grid_row_at(box->grid, box->index);
}

static struct view *record_open(struct app *app, void *argument, struct error *error)
{
    struct query_tab *tab = argument;
    struct record_box *box = memory_zero(1, sizeof *box, error);
    if (box == NULL)
        return NULL;
    box->view = (struct view){&record_kind, app};
    box->grid = &tab->grid;
    box->rows = rows_share(tab->grid.rows);
    box->index = tab->grid.list.selected;
    box->list.selected = tab->grid.column;
    list_set_count(&box->list, box->rows->column_count);
    for (size_t i = 0; i < box->rows->column_count; i++) {
        int width = text_width(slice_of(box->rows->columns[i].name), LABEL_MOST);
        box->label = width > box->label ? width : box->label;
    }
    return &box->view;
}

static void record_close(struct view *view)
{
    rows_release(((struct record_box *)view)->rows);
    free(view);
}

static void record_line(void *context, size_t index, struct canvas *canvas, struct rect rect,
                        bool selected)
{
    const struct record_box *box = context;
    bool null;
    struct slice text = rows_cell(box->rows, record_row(box), index, &null);
    int label = box->label < rect.columns / 2 ? box->label : rect.columns / 2;
    int at = rect.column + label + 2;
    canvas_print(canvas, rect.row, rect.column, label, selected ? STYLE_STRONG : STYLE_LABEL,
                 box->rows->columns[index].name);
    if (null)
        canvas_print(canvas, rect.row, at, rect.columns - label - 2, STYLE_NULL, "NULL");
    else
        canvas_text(canvas, rect.row, at, rect.columns - label - 2, STYLE_TEXT, text);
}

static void record_draw(struct view *view, struct canvas *canvas, struct rect rect)
{
    struct record_box *box = (struct record_box *)view;
    char title[96], note[64];
    snprintf(title, sizeof title, "Row %zu of %zu", box->index + 1, box->grid->list.count);
    struct rect inside = canvas_box(canvas, rect, title, NULL, true);
    list_draw(&box->list, canvas, inside, true, record_line, box);
    list_note(&box->list, note, sizeof note);
    if (note[0])
        canvas_box(canvas, rect, title, note, true);
}

static enum answer record_can(struct view *view, enum action_id action, const char **why)
{
    (void)why;
    struct record_box *box = (struct record_box *)view;
    switch (action) {
    case ACTION_RECORD: /* Enter goes on into the cell */
    case ACTION_CELL:
    case ACTION_COPY:
        return box->list.count ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_PREVIOUS:
        return box->index > 0 ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_NEXT:
        return box->index + 1 < box->grid->list.count ? ANSWER_WORKS : ANSWER_ABSENT;
    default:
        return list_can(&box->list, action);
    }
}

static void record_act(struct view *view, enum action_id action)
{
    struct record_box *box = (struct record_box *)view;
    bool null;
    switch (action) {
    case ACTION_RECORD:
    case ACTION_CELL:
        query_show_cell(view->app, box->rows, record_row(box), box->list.selected);
        break;
    case ACTION_COPY:
        app_copy(view->app, rows_cell(box->rows, record_row(box), box->list.selected, &null));
        break;
    case ACTION_PREVIOUS:
        box->index--;
        break;
    case ACTION_NEXT:
        box->index++;
        break;
    default:
        list_act(&box->list, action);
    }
}

static void record_size(struct view *view, int rows, int columns, int *wanted_rows,
                        int *wanted_columns)
{
    const struct record_box *box = (struct record_box *)view;
    *wanted_rows = box->list.count + 2 > (size_t)rows ? rows : (int)box->list.count + 2;
    *wanted_columns = columns > 124 ? 120 : columns - 2;
}

static const enum scope record_scopes[] = {SCOPE_GRID, SCOPE_LIST, SCOPE_MOVE, SCOPE_COUNT};

static const struct view_kind record_kind = {
    .name = "record",
    .title = "Record",
    .scopes = record_scopes,
    .open = record_open,
    .close = record_close,
    .draw = record_draw,
    .can = record_can,
    .act = record_act,
    .size = record_size,
};

void query_show_record(struct query_tab *tab)
{
    app_push(tab->view->view.app, &record_kind, tab);
}
