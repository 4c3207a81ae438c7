#include "tui/screen/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"

enum { SIDE_STEP = 8 };

void text_destroy(struct text *text)
{
    buffer_destroy(&text->bytes);
    free(text->lines);
    text->lines = NULL;
    text->line_count = text->line_capacity = 0;
}

void text_clear(struct text *text)
{
    buffer_clear(&text->bytes);
    text->line_count = 0;
    text->top = 0;
}

bool text_append(struct text *text, enum style style, struct slice bytes)
{
    size_t start = text->bytes.length;
    if (!buffer_append_slice(&text->bytes, bytes, NULL))
        return false;
    for (size_t at = 0; at <= bytes.length; at++) {
        if (at < bytes.length ? bytes.data[at] != '\n' : at && bytes.data[at - 1] == '\n')
            continue;
        if (!memory_grow(&text->lines, &text->line_capacity, text->line_count + 1,
                         sizeof *text->lines, NULL))
            return false;
        size_t end = text->bytes.length - bytes.length + at;
        text->lines[text->line_count++] = (struct text_line){start, end - start, style};
        start = end + 1;
    }
    return true;
}

bool text_print(struct text *text, enum style style, const char *format, ...)
{
    struct buffer line = {0};
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    bool ok = length >= 0 && buffer_reserve(&line, (size_t)length + 1, NULL);
    if (ok) {
        va_start(arguments, format);
        line.length = (size_t)vsnprintf(line.data, (size_t)length + 1, format, arguments);
        va_end(arguments);
        ok = text_append(text, style, buffer_slice(&line));
    }
    buffer_destroy(&line);
    return ok;
}

static struct slice text_line(const struct text *text, size_t index)
{
    const struct text_line *line = &text->lines[index];
    return (struct slice){text->bytes.data ? text->bytes.data + line->start : "", line->length};
}

/* The rows that a line takes when it is folded; at most `most`. */
static size_t text_line_rows(const struct text *text, size_t index, size_t most)
{
    struct slice line = text_line(text, index);
    size_t rows = 0, offset = 0;
    while (rows < most) {
        struct slice rest = {line.data + offset, line.length - offset};
        size_t fits = text_offset(rest, text->columns);
        rows++;
        offset += fits ? fits : rest.length;
        if (offset >= line.length)
            break;
    }
    return rows;
}

/* The first line of the last page. */
static size_t text_last_top(const struct text *text)
{
    size_t page = text->page > 0 ? (size_t)text->page : 1;
    if (!text->wrap || text->columns <= 0)
        return text->line_count > page ? text->line_count - page : 0;
    size_t top = text->line_count, rows = 0;
    while (top > 0) {
        rows += text_line_rows(text, top - 1, page);
        if (rows > page)
            break;
        top--;
    }
    return top == text->line_count && top > 0 ? top - 1 : top;
}

/* ---- moving and finding ---- */

enum answer text_can(const struct text *text, enum action_id action)
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
    case ACTION_SEARCH:
    case ACTION_WRAP:
        return ANSWER_WORKS;
    case ACTION_LEFT:
    case ACTION_RIGHT:
        return text->wrap ? ANSWER_ABSENT : ANSWER_WORKS;
    case ACTION_SEARCH_NEXT:
    case ACTION_SEARCH_BEFORE:
        return text->search.length ? ANSWER_WORKS : ANSWER_ABSENT;
    default:
        return ANSWER_ABSENT;
    }
}

static void text_find(struct text *text, bool forward)
{
    for (size_t i = 1; i <= text->line_count; i++) {
        size_t index = (text->top + (forward ? i : text->line_count - i)) % text->line_count;
        struct slice line = text_line(text, index);
        if (memmem(line.data, line.length, text->search.text, text->search.length)) {
            text->top = index;
            return;
        }
    }
}

static void text_move(struct text *text, bool down, size_t lines)
{
    size_t last = text_last_top(text);
    if (down)
        text->top = text->top + lines > last ? last : text->top + lines;
    else
        text->top = text->top < lines ? 0 : text->top - lines;
}

bool text_act(struct text *text, enum action_id action)
{
    size_t page = text->page > 1 ? (size_t)text->page : 1;
    text->tail = text->tail && action != ACTION_UP && action != ACTION_PAGE_UP &&
                 action != ACTION_HALF_UP && action != ACTION_FIRST;
    switch (action) {
    case ACTION_UP:
    case ACTION_DOWN:
        text_move(text, action == ACTION_DOWN, 1);
        return true;
    case ACTION_PAGE_UP:
    case ACTION_PAGE_DOWN:
        text_move(text, action == ACTION_PAGE_DOWN, page);
        return true;
    case ACTION_HALF_UP:
    case ACTION_HALF_DOWN:
        text_move(text, action == ACTION_HALF_DOWN, page > 1 ? page / 2 : 1);
        return true;
    case ACTION_FIRST:
        text->top = 0;
        return true;
    case ACTION_LAST:
        text->top = text_last_top(text);
        return true;
    case ACTION_LEFT:
        text->left = text->left > SIDE_STEP ? text->left - SIDE_STEP : 0;
        return true;
    case ACTION_RIGHT:
        text->left += SIDE_STEP;
        return true;
    case ACTION_SEARCH:
        text->searching = true;
        field_set(&text->search, "");
        return true;
    case ACTION_SEARCH_NEXT:
    case ACTION_SEARCH_BEFORE:
        if (text->line_count)
            text_find(text, action == ACTION_SEARCH_NEXT);
        return true;
    case ACTION_WRAP:
        text->wrap = !text->wrap;
        text->left = 0;
        return true;
    case ACTION_TAIL:
        text->tail = !text->tail;
        return true;
    default:
        return false;
    }
}

bool text_key(struct text *text, key_code key)
{
    if (!text->searching)
        return false;
    if (key == KEY_ENTER || key == KEY_ESCAPE) {
        text->searching = false;
        if (key == KEY_ESCAPE)
            field_set(&text->search, "");
        else if (text->search.length && text->line_count)
            text_find(text, true);
        return true;
    }
    return field_key(&text->search, key);
}

/* ---- drawing ---- */

static void text_mark(const struct text *text, struct canvas *canvas, int row, struct rect rect,
                      struct slice piece)
{
    if (text->search.length == 0)
        return;
    const char *at = piece.data;
    size_t left = piece.length;
    for (;;) {
        const char *found = memmem(at, left, text->search.text, text->search.length);
        if (found == NULL)
            return;
        int column = text_width((struct slice){piece.data, (size_t)(found - piece.data)}, 4096);
        int columns = text_width((struct slice){found, text->search.length}, 4096);
        canvas_restyle(canvas, (struct rect){row, rect.column + column, 1, columns}, STYLE_MATCH);
        left -= (size_t)(found - at) + text->search.length;
        at = found + text->search.length;
    }
}

/* Bytes of `rest` that go into `columns` cells: up to a blank, where that is not far. */
static size_t text_fold(struct slice rest, int columns)
{
    size_t fits = text_offset(rest, columns);
    if (fits == 0 || fits >= rest.length)
        return rest.length;
    size_t blank = fits;
    while (blank > fits / 2 && rest.data[blank] != ' ')
        blank--;
    return rest.data[blank] == ' ' && blank > fits / 2 ? blank + 1 : fits;
}

/* Draws one line from `row`, folded when asked; returns the rows that it took. */
static int text_draw_line(struct text *text, struct canvas *canvas, struct rect rect, int row,
                          size_t index)
{
    struct slice line = text_line(text, index);
    int used = 0;
    size_t offset = text->wrap ? 0 : text_offset(line, text->left);
    do {
        struct slice rest = {line.data + offset, line.length - offset};
        struct rect at = rect;
        if (used && text->indent < rect.columns / 2) {
            at.column += text->indent;
            at.columns -= text->indent;
        }
        size_t fits = text->wrap ? text_fold(rest, at.columns) : rest.length;
        struct slice piece = {rest.data, fits};
        canvas_text(canvas, row + used, at.column, at.columns, text->lines[index].style, piece);
        text_mark(text, canvas, row + used, at, piece);
        used++;
        offset += fits;
    } while (text->wrap && offset < line.length && row + used < rect.row + rect.rows);
    return used;
}

void text_draw(struct text *text, struct canvas *canvas, struct rect rect, bool focused)
{
    if (text->searching || text->search.length) {
        rect.rows--;
        int row = rect.row + rect.rows;
        canvas_print(canvas, row, rect.column, 2, STYLE_KEY, "/");
        field_draw(&text->search, canvas, row, rect.column + 2, rect.columns - 2, text->searching);
    }
    text->page = rect.rows;
    text->columns = rect.columns;
    size_t last = text_last_top(text);
    if (text->tail || text->top > last)
        text->top = last;
    struct rect before = canvas_clip(canvas, rect);
    int row = rect.row;
    for (size_t i = text->top; i < text->line_count && row < rect.row + rect.rows; i++)
        row += text_draw_line(text, canvas, rect, row, i);
    canvas->clip = before;
    if (focused && !text->searching)
        canvas_cursor(canvas, rect.row, rect.column);
}

bool text_at_end(const struct text *text)
{
    return text->top >= text_last_top(text);
}

void text_note(const struct text *text, char *out, size_t size)
{
    if (text->top == 0 && text_at_end(text))
        snprintf(out, size, "%s", "");
    else
        snprintf(out, size, "line %zu of %zu%s", text->top + 1, text->line_count,
                 text->tail ? ", follows" : "");
}
