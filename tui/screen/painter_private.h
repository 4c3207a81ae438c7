/* painter_private.h: what the files of the painter share. */
#ifndef SURFBOARD_TUI_SCREEN_PAINTER_PRIVATE_H
#define SURFBOARD_TUI_SCREEN_PAINTER_PRIVATE_H

#include "tui/screen/painter.h"

/* painter_write.c: bytes, and the state of the terminal that they change. */
void painter_put(struct painter *painter, const char *bytes, size_t length);
/* The cheapest way there. */
void painter_move(struct painter *painter, int row, int column);
void painter_set_style(struct painter *painter, int style);
/* A style in which blanks look like those of `style`; `next` is what comes behind the blanks. */
void painter_set_blank_style(struct painter *painter, int style, int next);
/* Whether EL, ECH, ED and scrolling can make blanks of this style. */
bool painter_can_erase(const struct painter *painter, int style);
/* The style of what was erased where nothing else is wanted. */
int painter_erased_style(const struct painter *painter);
void painter_clear(struct painter *painter);
void painter_erase_line(struct painter *painter);
void painter_erase_cells(struct painter *painter, int count);

/* painter_plain.c: terminals that are not ANSI. */
bool painter_plain_init(struct painter *painter, struct error *error);
void painter_plain_put(struct painter *painter, const char *capability); /* without its padding */
void painter_plain_move(struct painter *painter, int row, int column);

/* painter_scroll.c: moves rows of the terminal, and of `shown`, where that saves bytes. */
void painter_scroll(struct painter *painter, const struct canvas *canvas);

static inline bool cell_is_blank(const struct cell *cell)
{
    return cell->length == 1 && cell->text[0] == ' ';
}

/* Whether two cells look the same. */
static inline bool painter_same(const struct painter *painter, const struct cell *a,
                                const struct cell *b)
{
    if (memcmp(a->text, b->text, CELL_BYTES) != 0 || a->length != b->length || a->width != b->width)
        return false;
    const uint8_t *looks = cell_is_blank(a) ? painter->blank : painter->same;
    return a->style == b->style || looks[a->style] == looks[b->style];
}

static inline struct cell *painter_row_of(const struct canvas *canvas, int row)
{
    return canvas->cells + (size_t)row * (size_t)canvas->columns;
}

#endif
