/* Drawing the statement: lines, folded where they are too long, and readline's search prompt. */
#include "tui/screen/editor.h"
#include "tui/screen/readline_load.h"

/* Walks the text as it stands on the screen. */
struct walk {
    struct slice text;
    size_t at;
    int row, column, columns;
};

/* The next cluster and where it stands; false at the end, whose place is then walk's. A newline is
 * an empty cell. */
static bool walk_next(struct walk *walk, bool ascii, struct cell *cell, int *row, int *column)
{
    if (walk->at >= walk->text.length)
        return false;
    char byte = walk->text.data[walk->at];
    if (byte == '\n' || byte == '\t') {
        *cell = (struct cell){.text = " ", .length = 1, .width = byte == '\t'};
        walk->at++;
    } else {
        walk->at += text_next(walk->text, walk->at, ascii, cell);
    }
    if (walk->column + cell->width > walk->columns && walk->column > 0) {
        walk->row++;
        walk->column = 0;
    }
    *row = walk->row;
    *column = walk->column;
    walk->column += cell->width;
    if (byte == '\n') {
        walk->row++;
        walk->column = 0;
    }
    return true;
}

/* Where the cursor stands, and how many rows there are. */
static int walk_cursor(struct slice text, size_t point, int columns, int *row, int *column)
{
    struct walk walk = {.text = text, .columns = columns > 1 ? columns : 1};
    struct cell cell;
    int at_row = 0, at_column = 0;
    *row = *column = -1;
    for (size_t at = 0; walk_next(&walk, false, &cell, &at_row, &at_column); at = walk.at)
        if (*row < 0 && point < walk.at && point >= at) {
            *row = at_row;
            *column = at_column;
        }
    if (*row < 0) { /* behind the last one, on a new row when that is full */
        if (walk.column >= walk.columns) {
            walk.row++;
            walk.column = 0;
        }
        *row = walk.row;
        *column = walk.column;
    }
    return walk.row + 1;
}

int editor_rows(const struct editor *editor, int columns)
{
    int row, column;
    return walk_cursor(editor_text(editor), editor_point(editor), columns, &row, &column) +
           editor_searches(editor);
}

static void draw_text(const struct editor *editor, struct canvas *canvas, struct rect rect)
{
    struct walk walk = {.text = editor_text(editor), .columns = rect.columns};
    struct cell cell;
    int row, column;
    while (walk_next(&walk, canvas->ascii, &cell, &row, &column)) {
        if (row - editor->top >= rect.rows)
            break;
        cell.style = STYLE_TEXT;
        if (row >= editor->top && cell.width > 0)
            canvas_put(canvas, rect.row + row - editor->top, rect.column + column, &cell);
    }
}

static int draw_search(const struct editor *editor, struct canvas *canvas, struct rect rect)
{
    const char *prompt = editor->ready ? *readline_library.rl_display_prompt : NULL;
    if (!editor_searches(editor) || prompt == NULL)
        return 0;
    /* It ends with a blank and a colon that would lead to the line: ours is below. */
    canvas_print(canvas, rect.row, rect.column, rect.columns, STYLE_MESSAGE, prompt);
    return 1;
}

void editor_draw(struct editor *editor, struct canvas *canvas, struct rect rect, bool focused)
{
    int row, column;
    if (rect.rows < 1 || rect.columns < 1)
        return;
    if (editor->why.kind) {
        canvas_format(canvas, rect.row, rect.column, rect.columns, STYLE_FAIL, "%s; %s",
                      editor->why.message, editor->why.remedy);
        return;
    }
    struct rect before = canvas_clip(canvas, rect);
    int used = rect.rows > 1 ? draw_search(editor, canvas, rect) : 0;
    rect.row += used;
    rect.rows -= used;
    int rows = walk_cursor(editor_text(editor), editor_point(editor), rect.columns, &row, &column);
    if (row < editor->top)
        editor->top = row;
    if (row >= editor->top + rect.rows)
        editor->top = row - rect.rows + 1;
    if (editor->top + rect.rows > rows)
        editor->top = rows > rect.rows ? rows - rect.rows : 0;
    draw_text(editor, canvas, rect);
    canvas->clip = before;
    if (focused)
        canvas_cursor(canvas, rect.row + row - editor->top, rect.column + column);
}
