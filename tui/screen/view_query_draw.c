/* Drawing the Query view: the editor above, tabs, the answer, and a line about it. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/utf8.h"
#include "tui/screen/view_query.h"

enum { EDITOR_LEAST = 2, STACKED_ROWS = 12, NOTE_ROWS = 16, TITLE_SIZE = 240 };

/* ---- words ---- */

/* "0.84 s", "12 s", "3 min" */
static void took_text(int64_t ns, char *out, size_t size)
{
    double seconds = (double)ns / 1e9;
    if (seconds < 10)
        snprintf(out, size, "%.2f s", seconds);
    else
        watch_age(seconds, out, size);
}

/* "1.2 M", "38 k", "512" */
static void amount_text(int64_t amount, char *out, size_t size)
{
    static const char *const units[] = {"", " k", " M", " G", " T"};
    double value = (double)amount;
    size_t unit = 0;
    for (; value >= 1000 && unit < 4; unit++)
        value /= 1000;
    snprintf(out, size, unit == 0 || value >= 100 ? "%.0f%s" : "%.1f%s", value, units[unit]);
}

static void count_text(const struct query_tab *tab, char *out, size_t size)
{
    size_t rows = tab->grid.rows ? tab->grid.rows->count : 0;
    const char *s = rows == 1 ? "" : "s";
    if (tab->state == QUERY_ASKING)
        snprintf(out, size, "asking");
    else if (tab->state == QUERY_READING)
        snprintf(out, size, "%zu row%s so far", rows, s);
    else if (tab->state == QUERY_CANCELLED && tab->grid.rows == NULL)
        snprintf(out, size, "cancelled, nothing came");
    else if (tab->state == QUERY_CANCELLED)
        snprintf(out, size, "cancelled: first %zu row%s, more not fetched", rows, s);
    else if (tab->state == QUERY_FAILED && rows)
        snprintf(out, size, "failed: first %zu row%s, more not fetched", rows, s);
    else if (tab->state == QUERY_FAILED)
        snprintf(out, size, "failed");
    else if (tab->capped)
        snprintf(out, size, "first %zu row%s, more not fetched", rows, s);
    else if (tab->more)
        snprintf(out, size, "first %zu rows, there are more", rows);
    else
        snprintf(out, size, "%zu row%s, all", rows, s);
}

__attribute__((format(printf, 4, 5))) static size_t put(char *out, size_t size, size_t used,
                                                        const char *format, ...)
{
    va_list arguments;
    if (used >= size)
        return used;
    va_start(arguments, format);
    int length = vsnprintf(out + used, size - used, format, arguments);
    va_end(arguments);
    return length < 0 ? used : used + (size_t)length;
}

static void answer_title(const struct query_tab *tab, char *out, size_t size)
{
    char text[96], more[32];
    count_text(tab, text, sizeof text);
    size_t used = put(out, size, 0, "%s", text);
    if (tab->grid.map && filter_active(&tab->grid.filter))
        used = put(out, size, used, ", %zu match", tab->grid.map_count);
    if (tab->work)
        watch_age((double)(clock_monotonic_ns() - tab->started_ns) / 1e9, text, sizeof text);
    else
        took_text(tab->took_ns, text, sizeof text);
    used = put(out, size, used, " ─ %s", text);
    if (tab->facts.read_rows >= 0) {
        amount_text(tab->facts.read_rows, text, sizeof text);
        amount_text(tab->facts.read_bytes, more, sizeof more);
        used = put(out, size, used, " ─ read %s rows, %sB", text, more);
    }
    if (tab->facts.snapshot_us == 0)
        return;
    watch_time(tab->facts.snapshot_us, true, text, sizeof text);
    if (tab->facts.batch)
        put(out, size, used, " ─ batch %lld of %s", (long long)tab->facts.batch, text);
    else
        put(out, size, used, " ─ snapshot of %s", text);
}

/* ---- errors ---- */

bool query_error_place(const struct query_tab *tab, size_t *at)
{
    const char *message = tab->error.message, *byte = strstr(message, "byte "),
               *character = strstr(message, ", at character ");
    struct slice sql = slice_of(tab->sql ? tab->sql : "");
    if (byte && (byte == message || byte[-1] == ' ')) {
        long place = strtol(byte + 5, NULL, 10);
        *at = place > 0 ? (size_t)place - 1 : 0;
        return place > 0 && *at <= sql.length;
    }
    if (character == NULL)
        return false;
    long left = strtol(character + 15, NULL, 10) - 1;
    for (*at = 0; left > 0 && *at < sql.length; left--) {
        size_t length = utf8_character_length(sql.data + *at, sql.length - *at);
        *at += length ? length : 1;
    }
    return left == 0;
}

/* Folded between words where that is possible; returns the rows that it took. */
static int draw_folded(struct canvas *canvas, struct rect rect, enum style style, const char *text)
{
    struct slice rest = slice_of(text);
    int used = 0;
    while (rest.length && used < rect.rows && rect.columns > 0) {
        size_t fits = text_offset(rest, rect.columns), cut = fits;
        while (fits < rest.length && cut && rest.data[cut] != ' ' && rest.data[cut - 1] != ' ')
            cut--;
        if (cut == 0)
            cut = fits ? fits : rest.length;
        canvas_text(canvas, rect.row + used++, rect.column, rect.columns, style,
                    (struct slice){rest.data, cut});
        rest.data += cut;
        rest.length -= cut;
        for (; rest.length && *rest.data == ' '; rest.length--)
            rest.data++;
    }
    return used;
}

static struct rect below(struct rect rect, int rows)
{
    return (struct rect){rect.row + rows, rect.column, rect.rows - rows, rect.columns};
}

/* The line of the statement that it is about, and a mark below the place. */
static void draw_place(const struct query_tab *tab, struct canvas *canvas, struct rect rect)
{
    size_t at;
    if (!query_error_place(tab, &at) || rect.rows < 2)
        return;
    const char *start = tab->sql + at;
    while (start > tab->sql && start[-1] != '\n')
        start--;
    struct slice line = {start, strcspn(start, "\n")};
    size_t before = (size_t)(tab->sql + at - start);
    int column = text_width((struct slice){line.data, before}, (int)before + 1);
    int skip = column >= rect.columns - 8 ? column - rect.columns / 2 : 0;
    size_t offset = text_offset(line, skip);
    canvas_text(canvas, rect.row, rect.column, rect.columns, STYLE_DIM,
                (struct slice){line.data + offset, line.length - offset});
    canvas_print(canvas, rect.row + 1, rect.column + column - skip, 1, STYLE_FAIL, "^");
}

static void draw_error(const struct query_tab *tab, struct canvas *canvas, struct rect rect)
{
    rect.column++;
    rect.columns -= 2;
    rect = below(rect, draw_folded(canvas, rect, STYLE_FAIL, tab->error.message));
    rect = below(rect, draw_folded(canvas, rect, STYLE_TEXT, tab->error.remedy));
    draw_place(tab, canvas, below(rect, 1));
}

/* ---- the answer ---- */

static void draw_hints(const struct query_view *query, struct canvas *canvas, struct rect rect)
{
    static const char *const hints[] = {
        "Enter in the editor asks; several lines end with ;",
        "p on a stream, a table or a dataset shows its first rows here",
        "The scan knows SELECT columns, * or count(*) FROM t [WHERE …] [LIMIT n]",
        "@ asks another engine: the source's Postgres knows all of its SQL",
    };
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        canvas_print(canvas, rect.row + 1 + (int)i, rect.column + 2, rect.columns - 4, STYLE_DIM,
                     hints[i]);
    (void)query;
}

static void draw_answer(struct query_view *query, struct canvas *canvas, struct rect rect)
{
    struct query_tab *tab = query_tab_now(query);
    char title[TITLE_SIZE] = "no answer yet", left[GRID_NOTE_SIZE] = "", right[GRID_NOTE_SIZE] = "";
    bool grid = tab && tab->grid.rows && tab->grid.rows->column_count;
    bool failed = tab && tab->state == QUERY_FAILED && !(grid && tab->grid.list.count);
    if (tab)
        answer_title(tab, title, sizeof title);
    if (grid && !failed)
        grid_note(&tab->grid, left, right);
    struct rect inside = canvas_box(canvas, rect, title, right, query->in_grid);
    int room = rect.columns - 8 - text_width(slice_of(right), rect.columns);
    if (left[0] && room > 8 && rect.rows > 2) {
        int row = rect.row + rect.rows - 1;
        canvas_print(canvas, row, rect.column + 1, 1, STYLE_BORDER, " ");
        int took = canvas_print(canvas, row, rect.column + 2, room, STYLE_DIM, left);
        canvas_print(canvas, row, rect.column + 2 + took, 1, STYLE_BORDER, " ");
    }
    if (query->in_grid)
        canvas_cursor(canvas, inside.row, inside.column);
    if (tab == NULL)
        draw_hints(query, canvas, inside);
    else if (failed)
        draw_error(tab, canvas, inside);
    else if (grid)
        grid_draw(&tab->grid, canvas, inside, query->in_grid);
    else if (tab->grid.rows)
        canvas_print(canvas, inside.row, inside.column + 1, inside.columns - 2, STYLE_DIM,
                     "the answer has no columns");
}

static int tab_text(const struct query_view *query, size_t index, char *out, size_t size)
{
    const struct query_tab *tab = query->tabs[index];
    snprintf(out, size, index == query->tab ? "[%zu %s%s]" : "%zu %s%s", index + 1,
             tab->engine.scan ? "" : "source: ", tab->name);
    return text_width(slice_of(out), 64) + 2;
}

/* From the first one that leaves room for the tab in sight. */
static void draw_tabs(const struct query_view *query, struct canvas *canvas, struct rect line)
{
    char text[64];
    int column = line.column + 1, end = line.column + line.columns - 1, needed = 2;
    size_t first = query->tab;
    for (size_t i = query->tab + 1; i-- > 0;) {
        needed += tab_text(query, i, text, sizeof text);
        if (needed > line.columns && i < query->tab)
            break;
        first = i;
    }
    if (first)
        canvas_print(canvas, line.row, line.column, 1, STYLE_DIM,
                     canvas_glyph(canvas, GLYPH_ELLIPSIS));
    for (size_t i = first; i < query->tab_count && column < end - 4; i++) {
        tab_text(query, i, text, sizeof text);
        column += canvas_print(canvas, line.row, column, end - column,
                               i == query->tab ? STYLE_TAB_ON : STYLE_TAB, text) +
                  2;
    }
    if (query->tab_count > 1 && column < end - 16)
        canvas_print_right(canvas, line.row, line.column, line.columns - 1, STYLE_DIM,
                           "(  ) next tab");
}

/* What the tab in sight is: a preview, with its limit; what went wrong behind rows that are shown;
 * else the statement, for the editor may hold another one by now. */
static void draw_note(const struct query_view *query, struct canvas *canvas, struct rect line)
{
    const struct query_tab *tab = query_tab_now(query);
    int at = line.column + 1, columns = line.columns - 2;
    if (tab == NULL)
        return;
    if (tab->state == QUERY_FAILED && tab->grid.list.count)
        canvas_format(canvas, line.row, at, columns, STYLE_FAIL, "%s; %s", tab->error.message,
                      tab->error.remedy);
    else if (tab->sql == NULL)
        canvas_format(canvas, line.row, at, columns, STYLE_DIM,
                      "tab %zu is a preview of %s: the first %d rows (LIMIT %d)%s", query->tab + 1,
                      tab->table, QUERY_PREVIEW_ROWS, QUERY_PREVIEW_ROWS,
                      tab->more                  ? ", there are more"
                      : tab->state == QUERY_DONE ? ", there are no more"
                                                 : "");
    else
        canvas_print(canvas, line.row, at, columns, STYLE_DIM, tab->sql);
}

/* ---- all of it ---- */

static void draw_editor(struct query_view *query, struct canvas *canvas, struct rect rect)
{
    char title[TITLE_SIZE];
    snprintf(title, sizeof title, "SQL ─ %s ─ reads only", query_engine_name(query));
    struct rect inside = canvas_box(canvas, rect, title, NULL, !query->in_grid);
    inside.column++;
    inside.columns -= 2;
    editor_draw(&query->editor, canvas, inside, !query->in_grid);
}

void query_draw(struct view *view, struct canvas *canvas, struct rect rect)
{
    struct query_view *query = (struct query_view *)view;
    if (query->zoomed || rect.rows < STACKED_ROWS) {
        if (query->in_grid)
            draw_answer(query, canvas, rect);
        else
            draw_editor(query, canvas, rect);
        return;
    }
    int lines = editor_rows(&query->editor, rect.columns - 4), most = rect.rows / 3 - 2;
    lines = lines < EDITOR_LEAST ? EDITOR_LEAST : lines;
    lines = lines > most ? (most > EDITOR_LEAST ? most : EDITOR_LEAST) : lines;
    int note = rect.rows >= NOTE_ROWS;
    draw_editor(query, canvas, (struct rect){rect.row, rect.column, lines + 2, rect.columns});
    if (query->tab_count)
        draw_tabs(query, canvas, (struct rect){rect.row + lines + 2, rect.column, 1, rect.columns});
    draw_answer(query, canvas,
                (struct rect){rect.row + lines + 3, rect.column, rect.rows - lines - 3 - note,
                              rect.columns});
    if (note)
        draw_note(query, canvas,
                  (struct rect){rect.row + rect.rows - 1, rect.column, 1, rect.columns});
}
