/* glyph.h: what the screen knows of single characters: its own glyphs, their ASCII twins, and how
 * far terminals agree about a character's width. Private to tui/screen; glyphs by meaning are in
 * canvas.h. */
#ifndef SURFBOARD_TUI_SCREEN_GLYPH_H
#define SURFBOARD_TUI_SCREEN_GLYPH_H

#include <stdbool.h>
#include <stdint.h>

enum glyph_trust {
    GLYPH_ASCII,
    GLYPH_OURS,    /* box drawing, blocks and our glyphs: one cell everywhere */
    GLYPH_AGREED,  /* old scripts, kana, ideographs, hangul: a width nobody disputes */
    GLYPH_DOUBTFUL /* emoji, symbols, scripts with spacing marks: terminals differ */
};

enum glyph_trust glyph_trust(uint32_t point);
/* The ASCII character that stands for it; 0: none. */
char glyph_twin(uint32_t point);

#endif
