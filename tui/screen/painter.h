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
    bool scrolls; /* csr, indn/rin or ind/ri, as xterm does them */
    bool erases;  /* el clears with the present background (bce) or we clear only with default */
    bool ansi;    /* CUP, SGR, EL, ECH, HPA as in ECMA-48; false: terminfo's cup, sgr0, el only */
    bool blanks;  /* ECH */
};

struct painter {
    struct painter_abilities abilities;
    const struct theme *theme;
    struct canvas shown; /* what the terminal shows */
    bool known;          /* false: nothing is known, the next frame paints all */
    int row, column;     /* of the terminal's cursor; -1: unknown */
    int style;           /* in force; -1: unknown */
    char sequences[STYLE_COUNT][LOOK_BYTES_MOST];
    uint8_t sequence_lengths[STYLE_COUNT];
};

bool painter_init(struct painter *painter, const struct painter_abilities *abilities,
                  const struct theme *theme, struct error *error);
void painter_destroy(struct painter *painter);
/* The terminal was cleared, resized or written to by others: paint everything next time. */
void painter_forget(struct painter *painter);
/* Appends what makes the terminal show `canvas`, the cursor included; nothing when it does already.
 * Takes the sizes from `canvas`. */
bool painter_frame(struct painter *painter, const struct canvas *canvas, struct buffer *out,
                   struct error *error);

#endif
