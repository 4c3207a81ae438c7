/* Rows that moved up or down are moved by the terminal: a scroll region, SU or SD, no region. Only
 * over the whole width; other panes' rows would go along. Rows are recognised by hashes, and bytes
 * are estimated with and without, so that it happens only where it saves some. */
#include <xxhash.h>

#include "tui/screen/painter_private.h"

enum {
    SCROLL_BYTES = 24,  /* region, scroll, no region, the moves around them */
    SCROLL_GAP_MOST = 3 /* rows between two that moved and did not themselves: cursor, marks */
};

static uint64_t row_hash(const struct cell *cells, int columns)
{
    return XXH3_64bits(cells, sizeof *cells * (size_t)columns);
}

/* Where the blanks at the end of a row begin that erasing to the end of the line can make. */
static int row_tail(const struct painter *painter, const struct cell *wanted, int columns)
{
    int style = wanted[columns - 1].style;
    while (columns > 0 && cell_is_blank(&wanted[columns - 1]) &&
           painter->blank[wanted[columns - 1].style] == painter->blank[style])
        columns--;
    return painter_can_erase(painter, style) ? columns : INT32_MAX;
}

/* Bytes, about, that turn one row into the other. `shown` NULL: a row that was erased. */
static int row_cost(const struct painter *painter, const struct cell *shown,
                    const struct cell *wanted, int columns)
{
    struct cell erased = {.text = " ", .length = 1, .width = 1};
    erased.style = (uint8_t)painter_erased_style(painter);
    int cost = 0, style = -1, last = -8, tail = row_tail(painter, wanted, columns);
    for (int i = 0; i < columns; i++) {
        if (painter_same(painter, shown ? &shown[i] : &erased, &wanted[i]))
            continue;
        cost += i == last + 1 ? 0 : i - last < 5 ? i - last : 5;
        if (i >= tail)
            return cost + 3;
        cost += wanted[i].length;
        if (!cell_is_blank(&wanted[i]) && painter->same[wanted[i].style] != style) {
            cost += style < 0 ? 0 : 4;
            style = painter->same[wanted[i].style];
        }
        last = i;
    }
    return cost;
}

struct scroll {
    int by;          /* wanted row r is what row r + by shows */
    int top, bottom; /* rows of the terminal that move, both included */
};

/* Costs and hashes of rows that differ; returns the bytes of a frame without scrolling, 0 when a
 * scroll can't save any. */
static int scroll_survey(struct painter *painter, const struct canvas *canvas)
{
    int total = 0;
    for (int row = 0; row < canvas->rows; row++) {
        struct painter_row *facts = &painter->row_facts[row];
        facts->cost = facts->differs ? row_cost(painter, painter_row_of(&painter->shown, row),
                                                painter_row_of(canvas, row), canvas->columns)
                                     : 0;
        total += facts->cost;
    }
    if (total <= SCROLL_BYTES)
        return 0;
    for (int row = 0; row < canvas->rows; row++) {
        struct painter_row *facts = &painter->row_facts[row];
        bool differs = facts->cost > 0;
        facts->shown =
            differs ? row_hash(painter_row_of(&painter->shown, row), canvas->columns) : 0;
        facts->wanted = differs ? row_hash(painter_row_of(canvas, row), canvas->columns) : 0;
    }
    return total;
}

/* The distance by which most bytes moved. */
static int scroll_vote(struct painter *painter, int rows)
{
    memset(painter->votes, 0, sizeof *painter->votes * 2 * (size_t)rows);
    for (int row = 0; row < rows; row++)
        for (int from = 0; painter->row_facts[row].cost && from < rows; from++)
            if (painter->row_facts[from].shown == painter->row_facts[row].wanted)
                painter->votes[from - row + rows] += painter->row_facts[row].cost;
    int best = rows;
    for (int i = 1; i < 2 * rows; i++)
        if (painter->votes[i] > painter->votes[best])
            best = i;
    return painter->votes[best] > SCROLL_BYTES ? best - rows : 0;
}

/* The stretch of rows, with small gaps, where moving by that much wins most. */
static struct scroll scroll_region(const struct painter *painter, int by, int rows)
{
    struct scroll best = {.by = by, .top = 0, .bottom = -1};
    int most = 0, sum = 0, first = -1, last = -1;
    for (int row = 0; row < rows; row++) {
        const struct painter_row *facts = &painter->row_facts[row];
        int from = row + by;
        if (from < 0 || from >= rows || facts->cost == 0 ||
            painter->row_facts[from].shown != facts->wanted)
            continue;
        if (first < 0 || row - last > SCROLL_GAP_MOST + 1) {
            first = row;
            sum = 0;
        }
        last = row;
        sum += facts->cost;
        if (sum > most) {
            most = sum;
            best.top = first < first + by ? first : first + by;
            best.bottom = last > last + by ? last : last + by;
        }
    }
    return best;
}

static bool scroll_saves(const struct painter *painter, const struct canvas *canvas,
                         const struct scroll *scroll)
{
    int before = 0, after = SCROLL_BYTES;
    for (int row = scroll->top; row <= scroll->bottom; row++) {
        int from = row + scroll->by;
        bool moved = from >= scroll->top && from <= scroll->bottom;
        before += painter->row_facts[row].cost;
        const struct painter_row *facts = &painter->row_facts[row];
        if (moved && facts->cost && painter->row_facts[from].shown == facts->wanted)
            continue;
        after += row_cost(painter, moved ? painter_row_of(&painter->shown, from) : NULL,
                          painter_row_of(canvas, row), canvas->columns);
    }
    return after < before;
}

static void scroll_shown(struct painter *painter, const struct scroll *scroll)
{
    struct canvas *shown = &painter->shown;
    int count = scroll->bottom - scroll->top + 1, by = scroll->by > 0 ? scroll->by : -scroll->by;
    size_t bytes = sizeof(struct cell) * (size_t)shown->columns * (size_t)(count - by);
    struct cell *low = painter_row_of(shown, scroll->top),
                *high = painter_row_of(shown, scroll->top + by);
    bool up = scroll->by > 0;
    memmove(up ? low : high, up ? high : low, bytes);
    struct rect erased = {up ? scroll->bottom + 1 - by : scroll->top, 0, by, shown->columns};
    canvas_fill(shown, erased, (enum style)painter_erased_style(painter), ' ');
    for (int row = scroll->top; row <= scroll->bottom; row++)
        painter->row_facts[row].differs = true;
}

static void scroll_put(struct painter *painter, const struct scroll *scroll)
{
    bool region = scroll->top > 0 || scroll->bottom < painter->shown.rows - 1;
    struct buffer *out = painter->out;
    painter_set_blank_style(painter, painter_erased_style(painter), PAINTER_PLAIN);
    bool ok = !painter->failed;
    if (region)
        ok = ok && buffer_append_format(out, painter->error, "\033[%d;%dr", scroll->top + 1,
                                        scroll->bottom + 1);
    int by = scroll->by > 0 ? scroll->by : -scroll->by;
    if (by > 1)
        ok = ok && buffer_append_format(out, painter->error, "\033[%d", by);
    else
        ok = ok && buffer_append_text(out, "\033[", painter->error);
    ok = ok && buffer_append_byte(out, scroll->by > 0 ? 'S' : 'T', painter->error);
    if (region) {
        ok = ok && buffer_append_text(out, "\033[r", painter->error);
        painter->row = painter->column = -1; /* home on most, where it was on some */
    }
    painter->failed = !ok;
}

void painter_scroll(struct painter *painter, const struct canvas *canvas)
{
    if (scroll_survey(painter, canvas) == 0)
        return;
    int by = scroll_vote(painter, canvas->rows);
    if (by == 0)
        return;
    struct scroll scroll = scroll_region(painter, by, canvas->rows);
    int moved = scroll.bottom - scroll.top + 1;
    if (moved <= (by > 0 ? by : -by) || !scroll_saves(painter, canvas, &scroll))
        return;
    scroll_put(painter, &scroll);
    scroll_shown(painter, &scroll);
}
