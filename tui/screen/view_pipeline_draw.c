/* The two panes: the stream's steps, and the one under the cursor. */
#include <stdio.h>
#include <string.h>

#include "tui/screen/view_pipeline.h"

enum { STACKED_BELOW = 70, LEFT_LEAST = 27, LEFT_MOST = 40, MARK_COLUMNS = 2 };

struct row_context {
    const struct pipeline_view *view;
    const struct pipe_stream *stream;
};

static void draw_step(void *context, size_t index, struct canvas *canvas, struct rect rect,
                      bool selected)
{
    const struct row_context *rows = context;
    struct pipe_look_of look = pipe_step_look(rows->view, rows->stream, index);
    enum style style;
    const char *glyph = pipe_style(canvas, look.mark, &style);
    const char *id = rows->stream->steps[index].step->id;
    int word = text_width(slice_of(look.word), 24);
    int room = rect.columns - MARK_COLUMNS;
    canvas_print(canvas, rect.row, rect.column, 1, look.grey ? STYLE_DIM : style, glyph);
    /* The name counts more than the word, but an age must not be cut. */
    int used = canvas_print(canvas, rect.row, rect.column + MARK_COLUMNS, room,
                            selected    ? STYLE_STRONG
                            : look.grey ? STYLE_DIM
                                        : STYLE_TEXT,
                            id);
    if (word == 0 || room - used < 3)
        return;
    /* One cell stays free before the frame, where there is room. */
    enum style worded = look.grey ? STYLE_DIM : look.warns ? STYLE_WARN : style;
    int left = room - used - 1 - (used + 2 + word <= room);
    if (word <= left)
        canvas_print_right(canvas, rect.row, rect.column + MARK_COLUMNS + used + 1, left, worded,
                           look.word);
    else
        canvas_print(canvas, rect.row, rect.column + MARK_COLUMNS + used + 1, left, worded,
                     look.word);
}

static void draw_list(struct pipeline_view *view, struct canvas *canvas, struct rect rect,
                      bool focused)
{
    struct pipe_stream *stream = pipe_stream_now(view);
    char count[32], note[48] = "";
    list_note(&stream->list, note, sizeof note);
    if (note[0] == '\0' && view->count > 1)
        snprintf(note, sizeof note, "stream %zu of %zu", view->current + 1, view->count);
    struct rect inside = canvas_box(canvas, rect, stream->stream->name, note, focused);
    snprintf(count, sizeof count, " %zu of %zu ", pipe_done(view, stream), stream->count);
    int name = text_width(slice_of(stream->stream->name), rect.columns);
    if (stream->count && name + 4 + (int)strlen(count) <= rect.columns)
        canvas_print_right(canvas, rect.row, rect.column + 1, rect.columns - 2, STYLE_TITLE, count);
    if (stream->count == 0) {
        canvas_print(canvas, inside.row, inside.column + 1, 1, STYLE_ABSENT,
                     canvas_glyph(canvas, GLYPH_ABSENT));
        canvas_print(canvas, inside.row, inside.column + 3, inside.columns - 3, STYLE_TEXT,
                     "not captured here");
        if (focused)
            canvas_cursor(canvas, inside.row, inside.column);
        return;
    }
    struct row_context rows = {view, stream};
    list_draw(&stream->list, canvas, inside, focused, draw_step, &rows);
}

static int left_columns(int columns)
{
    int wanted = columns * 3 / 10;
    return wanted < LEFT_LEAST ? LEFT_LEAST : wanted > LEFT_MOST ? LEFT_MOST : wanted;
}

void pipe_draw(struct view *base, struct canvas *canvas, struct rect rect)
{
    struct pipeline_view *view = (struct pipeline_view *)base;
    bool list = pipe_stream_now(view) != NULL;
    view->narrow = rect.columns < STACKED_BELOW;
    if (!list || view->narrow || view->zoomed) {
        if (list && !view->on_detail)
            draw_list(view, canvas, rect, true);
        else
            pipe_detail_draw(view, canvas, rect, true);
        return;
    }
    int columns = left_columns(rect.columns);
    struct rect left = {rect.row, rect.column, rect.rows, columns};
    struct rect right = {rect.row, rect.column + columns, rect.rows, rect.columns - columns};
    draw_list(view, canvas, left, !view->on_detail);
    pipe_detail_draw(view, canvas, right, view->on_detail);
}
