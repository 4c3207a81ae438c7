#include "tui/screen/list.h"

#include <stdio.h>

void list_set_count(struct list *list, size_t count)
{
    list->count = count;
    if (list->selected >= count)
        list->selected = count ? count - 1 : 0;
}

enum answer list_can(const struct list *list, enum action_id action)
{
    switch (action) {
    case ACTION_UP:
    case ACTION_DOWN:
    case ACTION_PAGE_UP:
    case ACTION_PAGE_DOWN:
    case ACTION_HALF_UP:
    case ACTION_HALF_DOWN:
    case ACTION_FIRST:
    case ACTION_LAST:
        return list->count ? ANSWER_WORKS : ANSWER_ABSENT;
    default:
        return ANSWER_ABSENT;
    }
}

static void list_step(struct list *list, bool down, size_t lines)
{
    size_t last = list->count ? list->count - 1 : 0;
    if (down)
        list->selected = last - list->selected < lines ? last : list->selected + lines;
    else
        list->selected = list->selected < lines ? 0 : list->selected - lines;
}

bool list_act(struct list *list, enum action_id action)
{
    size_t page = list->page > 1 ? (size_t)list->page : 1;
    size_t half = page > 1 ? page / 2 : 1;
    switch (action) {
    case ACTION_UP:
    case ACTION_DOWN:
        list_step(list, action == ACTION_DOWN, 1);
        return true;
    case ACTION_PAGE_UP:
    case ACTION_PAGE_DOWN:
        list_step(list, action == ACTION_PAGE_DOWN, page);
        return true;
    case ACTION_HALF_UP:
    case ACTION_HALF_DOWN:
        list_step(list, action == ACTION_HALF_DOWN, half);
        return true;
    case ACTION_FIRST:
        list->selected = 0;
        return true;
    case ACTION_LAST:
        list->selected = list->count ? list->count - 1 : 0;
        return true;
    default:
        return false;
    }
}

/* Keeps the selected line in sight and fills the page. */
static void list_scroll(struct list *list, int rows)
{
    size_t page = rows > 0 ? (size_t)rows : 1;
    list->page = rows;
    if (list->selected < list->top)
        list->top = list->selected;
    if (list->selected >= list->top + page)
        list->top = list->selected - page + 1;
    if (list->top + page > list->count)
        list->top = list->count > page ? list->count - page : 0;
}

void list_draw(struct list *list, struct canvas *canvas, struct rect rect, bool focused,
               void (*row)(void *context, size_t index, struct canvas *canvas, struct rect rect,
                           bool selected),
               void *context)
{
    list_scroll(list, rect.rows);
    for (int i = 0; i < rect.rows && list->top + (size_t)i < list->count; i++) {
        size_t index = list->top + (size_t)i;
        bool selected = index == list->selected;
        struct rect line = {rect.row + i, rect.column + 1, 1, rect.columns - 1};
        if (selected)
            canvas_print(canvas, line.row, rect.column, 1, focused ? STYLE_STRONG : STYLE_DIM,
                         canvas_glyph(canvas, GLYPH_CURSOR));
        row(context, index, canvas, line, selected);
        if (selected && focused)
            canvas_cursor(canvas, line.row, rect.column);
    }
}

void list_note(const struct list *list, char *out, size_t size)
{
    if (list->count <= (size_t)(list->page > 0 ? list->page : 0) || list->count == 0)
        snprintf(out, size, "%s", "");
    else
        snprintf(out, size, "line %zu of %zu", list->selected + 1, list->count);
}
