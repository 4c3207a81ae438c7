/* canvas.h: a grid of cells that views draw on, clipped to rectangles. Text from data is made safe
 * here, always: nothing that a terminal acts on can come into a cell. Nothing is allocated but by
 * canvas_init().
 *
 * A cluster (a base and what is attached to it) is one cell, or two when it is wide: the sum of
 * utf8proc's widths, at most 2. What a cell shows of a text:
 *  - as "·": what neutral.h calls unsafe, each byte that is not UTF-8, and whatever takes no room
 *    by itself without being a mark attached to a base. The joiner is among them, so a joined emoji
 *    shows as its parts;
 *  - not at all: variation selectors behind a base, which only make terminals disagree about
 *    widths, and marks beyond the room of a cell;
 *  - in ASCII: boxes, blocks, arrows, dashes, quotes and our glyphs as their twins; the mark as
 *    "."; any other cluster that is not ASCII as "?", "??" when it is wide. Widths stay the same.
 */
#ifndef SURFBOARD_TUI_SCREEN_CANVAS_H
#define SURFBOARD_TUI_SCREEN_CANVAS_H

#include "core/base/error.h"
#include "core/base/slice.h"
#include "tui/screen/style.h"

enum { CELL_BYTES = 12 };

struct cell {
    char text[CELL_BYTES]; /* UTF-8, not ended, zeros behind it; " " when blank */
    uint8_t length;        /* 0: the right half of a wide character */
    uint8_t width;         /* 1 or 2; 0 for a right half */
    uint8_t style;         /* enum style */
    uint8_t unused;
};

struct rect {
    int row, column, rows, columns;
};

struct canvas {
    int rows, columns;
    struct cell *cells;
    bool ascii;                    /* boxes and glyphs from ASCII */
    struct rect clip;              /* nothing is drawn outside; canvas_init() sets all */
    int cursor_row, cursor_column; /* where the hardware cursor shall stand; -1: bottom left */
};

bool canvas_init(struct canvas *canvas, int rows, int columns, struct error *error);
void canvas_destroy(struct canvas *canvas);
/* All blank, clip wide open, no cursor. */
void canvas_clear(struct canvas *canvas);
/* Draws only inside `rect` (and the clip before) from now on; returns the clip before. */
struct rect canvas_clip(struct canvas *canvas, struct rect rect);

/* Draws at most `columns` cells of `text` from (row, column); returns how many it took, drawn or
 * clipped. A text that does not fit ends in "…" ("~" in ASCII). */
int canvas_text(struct canvas *canvas, int row, int column, int columns, enum style style,
                struct slice text);
int canvas_print(struct canvas *canvas, int row, int column, int columns, enum style style,
                 const char *text);
int canvas_format(struct canvas *canvas, int row, int column, int columns, enum style style,
                  const char *format, ...) __attribute__((format(printf, 6, 7)));
/* The same, ending at `column + columns`. */
int canvas_print_right(struct canvas *canvas, int row, int column, int columns, enum style style,
                       const char *text);
/* `byte`: printable ASCII, anything else is a space. */
void canvas_fill(struct canvas *canvas, struct rect rect, enum style style, char byte);
/* One cluster, as text_next() gives it. Half of a wide one at the clip's edge is blank, and so is
 * the other half of a wide one that is drawn over. */
void canvas_put(struct canvas *canvas, int row, int column, const struct cell *cell);
/* Printable ASCII, one cell a byte: what canvas_text() does with most of a text. */
void canvas_put_ascii(struct canvas *canvas, int row, int column, enum style style,
                      struct slice text);
/* Changes the style of cells that are drawn. */
void canvas_restyle(struct canvas *canvas, struct rect rect, enum style style);
/* A frame of one cell with a title in its upper and a note in its lower border (either may be
 * NULL); returns the inside. `focused`: the title stands out. */
struct rect canvas_box(struct canvas *canvas, struct rect rect, const char *title, const char *note,
                       bool focused);
void canvas_rule(struct canvas *canvas, int row, int column, int columns); /* ── inside a box */
void canvas_cursor(struct canvas *canvas, int row, int column);

/* The cluster of `text` at byte `at` (below its length) as a cell without style; returns how many
 * bytes it took. Walks a text the way canvas_text() draws it. */
size_t text_next(struct slice text, size_t at, bool ascii, struct cell *out);
/* Cells that a text takes when drawn; stops at `most`. */
int text_width(struct slice text, int most);
/* Byte offset of the first character of `text` that begins at or behind cell `column`. */
size_t text_offset(struct slice text, int column);

/* Glyphs by meaning, with their ASCII twins. */
enum glyph {
    GLYPH_OK,       /* ● * */
    GLYPH_WARN,     /* ▲ ! */
    GLYPH_FAIL,     /* ✗ x */
    GLYPH_UNKNOWN,  /* ? ? */
    GLYPH_ABSENT,   /* · - */
    GLYPH_DONE,     /* ✓ + */
    GLYPH_CURSOR,   /* ▸ > */
    GLYPH_OPEN,     /* ▾ v */
    GLYPH_CLOSED,   /* ▸ > */
    GLYPH_MORE,     /* ▾ v */
    GLYPH_ELLIPSIS, /* … ~ */
    GLYPH_VERTICAL, /* │ | */
    GLYPH_MARK,     /* ◆ # */
    GLYPH_COUNT
};
const char *canvas_glyph(const struct canvas *canvas, enum glyph glyph);
/* One of eight heights (0..7) for spark lines. */
const char *canvas_spark(const struct canvas *canvas, int height);

#endif
