#include "tui/screen/painter.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "core/base/memory.h"
#include "core/base/neutral.h"
#include "core/base/utf8.h"
#include "tui/screen/glyph.h"
#include "tui/screen/painter_private.h"

enum { ERASE_LINE_FROM = 4, ERASE_CELLS_FROM = 10 }; /* blanks that pay for EL, ECH and a move */

static bool look_equal(const struct look *a, const struct look *b)
{
    return a->front == b->front && a->back == b->back && a->attributes == b->attributes;
}

/* Of a blank only the background is seen, and the front where it is reversed or underlined. */
static struct look look_of_blank(struct look look)
{
    look.attributes &= ATTRIBUTE_UNDERLINE | ATTRIBUTE_REVERSE;
    if (look.attributes == 0)
        look.front = COLOR_DEFAULT;
    return look;
}

void painter_use_theme(struct painter *painter, const struct theme *theme)
{
    static const struct look plain = {COLOR_DEFAULT, COLOR_DEFAULT, 0};
    for (int i = 0; i < PAINTER_STYLES; i++) {
        painter->looks[i] =
            look_reduce(i == PAINTER_PLAIN ? &plain : &theme->looks[i], painter->abilities.depth);
        struct look blank = look_of_blank(painter->looks[i]);
        int same = 0, same_blank = 0;
        while (!look_equal(&painter->looks[same], &painter->looks[i]))
            same++;
        painter->same[i] = (uint8_t)same;
        for (;; same_blank++) {
            struct look other = look_of_blank(painter->looks[same_blank]);
            if (look_equal(&other, &blank))
                break;
        }
        painter->blank[i] = (uint8_t)same_blank;
    }
    painter_forget(painter);
}

bool painter_init(struct painter *painter, const struct painter_abilities *abilities,
                  const struct theme *theme, struct error *error)
{
    *painter = (struct painter){.abilities = *abilities};
    if (!abilities->ansi) {
        painter->abilities.depth = COLORS_NONE;
        painter->abilities.scrolls = painter->abilities.blanks = false;
        TRY(painter_plain_init(painter, error));
    }
    painter_use_theme(painter, theme);
    return true;
}

void painter_destroy(struct painter *painter)
{
    canvas_destroy(&painter->shown);
    free(painter->row_facts);
    free(painter->votes);
    *painter = (struct painter){0};
}

void painter_forget(struct painter *painter)
{
    painter->known = false;
}

static bool painter_resize(struct painter *painter, const struct canvas *canvas,
                           struct error *error)
{
    if (painter->shown.rows == canvas->rows && painter->shown.columns == canvas->columns)
        return true;
    painter_forget(painter);
    canvas_destroy(&painter->shown);
    free(painter->row_facts);
    free(painter->votes);
    painter->row_facts = memory_zero((size_t)canvas->rows, sizeof *painter->row_facts, error);
    painter->votes = memory_zero(2 * (size_t)canvas->rows, sizeof *painter->votes, error);
    if (painter->row_facts && painter->votes &&
        canvas_init(&painter->shown, canvas->rows, canvas->columns, error))
        return true;
    painter->shown = (struct canvas){0};
    return false;
}

static void painter_begin(struct painter *painter)
{
    struct canvas *shown = &painter->shown;
    painter_clear(painter);
    canvas_clear(shown);
    for (int i = 0; i < shown->rows * shown->columns; i++)
        shown->cells[i].style = (uint8_t)painter_erased_style(painter);
    painter->known = true;
}

/* How far terminals agree about a whole cell, and the most cells that one may take for it. */
static enum glyph_trust cell_trust(const struct cell *cell, int *most)
{
    enum glyph_trust trust = GLYPH_ASCII;
    int points = 0;
    *most = cell->length == 1;
    if (*most)
        return trust;
    for (size_t at = 0; at < cell->length; points++) {
        size_t length = utf8_character_length(cell->text + at, cell->length - at);
        uint32_t point = utf8_decode(cell->text + at, length);
        enum glyph_trust here = glyph_trust(point);
        at += length ? length : cell->length;
        trust = here > trust ? here : trust;
        if (here <= GLYPH_OURS)
            *most += 1;
        else if (here == GLYPH_AGREED)
            *most += utf8proc_charwidth((utf8proc_int32_t)point);
        else
            *most += utf8proc_charwidth((utf8proc_int32_t)point) ? 2 : 1;
    }
    return points > 1 && trust > GLYPH_ASCII ? GLYPH_DOUBTFUL : trust;
}

/* The cursor of a terminal that filled its last column stands there or behind it. */
static void painter_advance(struct painter *painter, int width, bool sure)
{
    painter->column += width;
    if (!sure || painter->column >= painter->shown.columns)
        painter->column = -1;
    if (painter->column < 0 && !painter->abilities.ansi)
        painter->row = -1; /* it may be in the next row */
}

/* A cell about whose width terminals differ. If this one takes fewer cells, blanks stand in the
 * rest; if it takes more, those behind are painted anew (the caller does: *most). At the right edge
 * only as much is written as can't reach beyond it, else a terminal wraps, and bends the rows. */
static void paint_doubtful(struct painter *painter, int row, int column, const struct cell *cell,
                           bool clean, int *most)
{
    int columns = painter->shown.columns;
    size_t length = cell->length;
    if (column + *most > columns) {
        length = utf8_character_length(cell->text, cell->length);
        *most = 2;
    }
    if (column + *most > columns) {
        painter_put(painter, NEUTRAL_DOT, 2);
        return;
    }
    if (!clean) {
        for (int i = 0; i < cell->width; i++)
            painter_put(painter, " ", 1);
        painter_advance(painter, cell->width, true);
        painter_move(painter, row, column);
    }
    painter_put(painter, cell->text, length);
}

/* Around the last cell of the screen, where a terminal that wraps would scroll. */
static void painter_wrap(struct painter *painter, bool last, bool wrap)
{
    if (last && painter->abilities.ansi)
        painter_put(painter, wrap ? "\033[?7h" : "\033[?7l", 5);
}

static bool painter_is_last(const struct painter *painter, int row, int column, int width)
{
    return row == painter->shown.rows - 1 && column + width >= painter->shown.columns;
}

/* Returns the column up to which the terminal may now show something else than is known. */
static int paint_cell(struct painter *painter, int row, int column, const struct cell *cell,
                      bool clean)
{
    int most;
    enum glyph_trust trust = cell_trust(cell, &most);
    bool last = painter_is_last(painter, row, column, cell->width);
    if (last && !painter->abilities.ansi)
        return 0; /* left as it is: no way to write there that is known to be safe */
    painter_move(painter, row, column);
    painter_set_style(painter, cell->style);
    painter_wrap(painter, last, false);
    if (trust == GLYPH_DOUBTFUL)
        paint_doubtful(painter, row, column, cell, clean, &most);
    else
        painter_put(painter, cell->text, cell->length);
    painter_wrap(painter, last, true);
    painter_advance(painter, cell->width, trust <= GLYPH_OURS);
    return trust == GLYPH_DOUBTFUL ? column + most : 0;
}

struct row_work {
    const struct cell *wanted;
    struct cell *shown;
    int columns;
    int tail;   /* from here on all wanted are blanks that look the same */
    int end;    /* behind the last cell that differs */
    int damage; /* cells before this one are painted whether they differ or not */
};

static bool row_differs(const struct painter *painter, const struct row_work *work, int column)
{
    if (column < work->damage)
        return true;
    int width = work->wanted[column].width;
    for (int i = column; i < column + width; i++)
        if (!painter_same(painter, &work->wanted[i], &work->shown[i]))
            return true;
    return false;
}

static bool row_blanks_alike(const struct painter *painter, const struct row_work *work, int a,
                             int b)
{
    return cell_is_blank(&work->wanted[a]) &&
           painter->blank[work->wanted[a].style] == painter->blank[work->wanted[b].style];
}

/* Blanks from `column` on that look the same, up to the last that differs. */
static int row_blank_run(const struct painter *painter, const struct row_work *work, int column)
{
    int last = column, i = column;
    for (; i < work->columns && row_blanks_alike(painter, work, i, column); i++)
        if (row_differs(painter, work, i))
            last = i;
    return last + 1 - column;
}

static int row_next_style(const struct row_work *work, int column)
{
    while (column < work->columns && cell_is_blank(&work->wanted[column]))
        column++;
    return work->wanted[column < work->columns ? column : work->columns - 1].style;
}

/* Blanks, by erasing if that is shorter; returns the column behind them. */
static int paint_blanks(struct painter *painter, struct row_work *work, int row, int column)
{
    int run = row_blank_run(painter, work, column), style = work->wanted[column].style;
    bool erase = painter_can_erase(painter, style);
    bool el = painter->abilities.ansi || painter->plain.el;
    painter_move(painter, row, column);
    painter_set_blank_style(painter, style, row_next_style(work, column));
    if (erase && el && column >= work->tail && run >= ERASE_LINE_FROM) {
        painter_erase_line(painter);
        return work->columns;
    }
    if (erase && painter->abilities.blanks && run >= ERASE_CELLS_FROM) {
        painter_erase_cells(painter, run);
        return column + run;
    }
    bool last = painter_is_last(painter, row, column, 1);
    if (last && !painter->abilities.ansi)
        return column + 1;
    painter_wrap(painter, last, false);
    painter_put(painter, " ", 1);
    painter_wrap(painter, last, true);
    painter_advance(painter, 1, true);
    return column + 1;
}

static void row_survey(const struct painter *painter, struct row_work *work)
{
    work->end = work->columns;
    while (work->end > 0 &&
           painter_same(painter, &work->wanted[work->end - 1], &work->shown[work->end - 1]))
        work->end--;
    work->tail = work->columns;
    while (work->tail > 0 && row_blanks_alike(painter, work, work->tail - 1, work->columns - 1))
        work->tail--;
}

static bool row_is_clean(const struct painter *painter, const struct row_work *work, int column)
{
    const struct cell *cell = &work->wanted[column];
    for (int i = column; i < column + cell->width; i++)
        if (i < work->damage || !cell_is_blank(&work->shown[i]) ||
            painter->blank[work->shown[i].style] != painter->blank[cell->style])
            return false;
    return true;
}

static void paint_row(struct painter *painter, const struct canvas *canvas, int row)
{
    struct row_work work = {.wanted = painter_row_of(canvas, row),
                            .shown = painter_row_of(&painter->shown, row),
                            .columns = canvas->columns};
    row_survey(painter, &work);
    for (int column = 0; column < work.columns && (column < work.end || column < work.damage);) {
        const struct cell *cell = &work.wanted[column];
        int next = column + (cell->width ? cell->width : 1);
        if (row_differs(painter, &work, column)) {
            if (cell_is_blank(cell)) {
                next = paint_blanks(painter, &work, row, column);
            } else {
                int damage =
                    paint_cell(painter, row, column, cell, row_is_clean(painter, &work, column));
                work.damage = damage > work.damage ? damage : work.damage;
            }
        }
        /* At once, for moves that write again what stands there. */
        memcpy(work.shown + column, cell, sizeof *cell * (size_t)(next - column));
        column = next;
    }
    memcpy(work.shown, work.wanted, sizeof *work.shown * (size_t)work.columns);
}

static void painter_survey(struct painter *painter, const struct canvas *canvas)
{
    size_t bytes = sizeof(struct cell) * (size_t)canvas->columns;
    for (int row = 0; row < canvas->rows; row++)
        painter->row_facts[row].differs =
            memcmp(painter_row_of(&painter->shown, row), painter_row_of(canvas, row), bytes) != 0;
}

static void painter_place_cursor(struct painter *painter, const struct canvas *canvas)
{
    if (canvas->cursor_row >= 0 && canvas->cursor_row < canvas->rows &&
        canvas->cursor_column >= 0 && canvas->cursor_column < canvas->columns)
        painter_move(painter, canvas->cursor_row, canvas->cursor_column);
    else
        painter_move(painter, canvas->rows - 1, 0);
}

bool painter_frame(struct painter *painter, const struct canvas *canvas, struct buffer *out,
                   struct error *error)
{
    TRY(painter_resize(painter, canvas, error));
    size_t before = out->length;
    painter->out = out;
    painter->error = error;
    painter->failed = false;
    bool whole = !painter->known;
    if (whole)
        painter_begin(painter);
    painter_survey(painter, canvas);
    if (!whole && painter->abilities.scrolls)
        painter_scroll(painter, canvas);
    for (int row = 0; row < canvas->rows; row++)
        if (painter->row_facts[row].differs)
            paint_row(painter, canvas, row);
    painter_place_cursor(painter, canvas);
    painter->out = NULL;
    painter->error = NULL;
    if (painter->failed) {
        out->length = before;
        painter_forget(painter);
    }
    return !painter->failed;
}
