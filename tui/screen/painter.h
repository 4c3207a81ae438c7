/* painter.h: makes the terminal show a canvas with few bytes: compares it with what the terminal
 * shows already and writes the difference into a buffer, which terminal.h sends as one write.
 *
 * Not ncurses' own refresh: that writes once a row, takes widths from libc, can't do 24-bit colour
 * on xterm-256color, and moves relatively behind characters whose width terminals disagree about.
 * Here the cursor is addressed absolutely behind anything that is not plain ASCII (box drawing and
 * our own one-cell glyphs excepted), so that no disagreement can bend a border. Capabilities come
 * from ncurses' terminfo. */
#ifndef SURFBOARD_TUI_SCREEN_PAINTER_H
#define SURFBOARD_TUI_SCREEN_PAINTER_H

#include "core/base/buffer.h"
#include "tui/screen/canvas.h"

struct painter_abilities {
    enum color_depth depth;
    bool scrolls; /* DECSTBM and SU, SD as xterm does them (csr, indn, rin) */
    bool erases; /* bce: EL, ECH and ED fill with the present background; false: with the default */
    bool ansi;   /* CUP, SGR, EL, CHA, CUF as in ECMA-48; false: terminfo's cup, el, clear, sgr0,
                    bold, rev, smul only, and no colour */
    bool blanks; /* ECH */
};

enum { PAINTER_STYLES = STYLE_COUNT + 1, PAINTER_PLAIN = STYLE_COUNT };

struct painter {
    struct painter_abilities abilities;
    struct look looks[PAINTER_STYLES]; /* what the depth leaves; the last: the terminal's own */
    uint8_t same[PAINTER_STYLES];      /* the first style that looks the same */
    uint8_t blank[PAINTER_STYLES];     /* the first one whose blanks do */
    struct canvas shown;               /* what the terminal shows */
    struct painter_row {
        bool differs;
        uint64_t shown, wanted; /* hashes, of rows that differ */
        int cost;               /* bytes, about, to change the row in place */
    } * row_facts;
    int *votes;      /* for each way to scroll */
    bool known;      /* false: nothing is known, the next frame paints all */
    int row, column; /* of the terminal's cursor; -1: unknown */
    int style;       /* in force; -1: unknown */
    struct painter_plain {
        const char *cup, *el, *clear, *sgr0, *bold, *rev, *smul; /* terminfo's; NULL: none */
    } plain;                                                     /* only if not `ansi` */
    struct buffer *out;                                          /* during a frame */
    struct error *error;
    bool failed;
};

/* Without `ansi`: after setupterm(), whose strings it keeps; ERROR_REFUSED when there is no cup. */
bool painter_init(struct painter *painter, const struct painter_abilities *abilities,
                  const struct theme *theme, struct error *error);
void painter_destroy(struct painter *painter);
/* Another theme; the next frame paints all. */
void painter_use_theme(struct painter *painter, const struct theme *theme);
/* The terminal was cleared, resized or written to by others: paint everything next time. */
void painter_forget(struct painter *painter);
/* Appends what makes the terminal show `canvas`, the cursor included; nothing when it does already.
 * Takes the sizes from `canvas`. Leaves any style in force, no scroll region, and autowrap on. On
 * failure nothing is appended and the next frame paints all. */
bool painter_frame(struct painter *painter, const struct canvas *canvas, struct buffer *out,
                   struct error *error);

#endif
