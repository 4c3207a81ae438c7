#include "tui/screen/glyph.h"

#include <stddef.h>

#include "tui/screen/canvas.h"

static const struct glyph_entry {
    const char *text, *twin;
} glyphs[GLYPH_COUNT] = {
    [GLYPH_OK] = {"●", "*"},      [GLYPH_WARN] = {"▲", "!"},     [GLYPH_FAIL] = {"✗", "x"},
    [GLYPH_UNKNOWN] = {"?", "?"}, [GLYPH_ABSENT] = {"·", "-"},   [GLYPH_DONE] = {"✓", "+"},
    [GLYPH_CURSOR] = {"▸", ">"},  [GLYPH_OPEN] = {"▾", "v"},     [GLYPH_CLOSED] = {"▸", ">"},
    [GLYPH_MORE] = {"▾", "v"},    [GLYPH_ELLIPSIS] = {"…", "~"}, [GLYPH_VERTICAL] = {"│", "|"},
    [GLYPH_MARK] = {"◆", "#"},
};

/* Characters of our own texts outside the blocks of box drawing. */
static const struct glyph_pair {
    uint16_t point;
    char twin;
} glyph_pairs[] = {
    {0x00B7, '.'}, {0x2013, '-'}, {0x2014, '-'}, {0x2018, '\''}, {0x2019, '\''}, {0x201C, '"'},
    {0x201D, '"'}, {0x2026, '~'}, {0x2039, '<'}, {0x203A, '>'},  {0x2190, '<'},  {0x2191, '^'},
    {0x2192, '>'}, {0x2193, 'v'}, {0x2212, '-'}, {0x25B2, '!'},  {0x25B8, '>'},  {0x25BE, 'v'},
    {0x25C2, '<'}, {0x25C6, '#'}, {0x25CF, '*'}, {0x2713, '+'},  {0x2717, 'x'},
};

static const char spark_twins[] = "_.-~=+*#";

/* Pairs of first and last. Right-to-left scripts are not here: terminals may turn them around. */
static const struct glyph_range {
    uint32_t first, last;
} glyph_agreed[] = {
    {0x00A1, 0x00A8},   {0x00AA, 0x00AC}, {0x00AF, 0x02FF}, {0x0370, 0x0482}, {0x048A, 0x0556},
    {0x1E00, 0x1FFE},   {0x20A0, 0x20BF}, {0x3001, 0x3029}, {0x3041, 0x3096}, {0x309B, 0x30FF},
    {0x3131, 0x3163},   {0x3165, 0x318E}, {0x31F0, 0x321E}, {0x3220, 0x3247}, {0x3250, 0x4DBF},
    {0x4E00, 0x9FFC},   {0xAC00, 0xD7A3}, {0xF900, 0xFA6D}, {0xFF01, 0xFF60}, {0xFFE0, 0xFFE6},
    {0x20000, 0x2A6DD},
};

static const struct glyph_pair *glyph_pair_of(uint32_t point)
{
    for (size_t i = 0; i < sizeof glyph_pairs / sizeof *glyph_pairs; i++)
        if (glyph_pairs[i].point == point)
            return &glyph_pairs[i];
    return NULL;
}

enum glyph_trust glyph_trust(uint32_t point)
{
    if (point < 0x80)
        return GLYPH_ASCII;
    if ((point >= 0x2500 && point <= 0x259F) || glyph_pair_of(point))
        return GLYPH_OURS;
    for (size_t i = 0; i < sizeof glyph_agreed / sizeof *glyph_agreed; i++)
        if (point >= glyph_agreed[i].first && point <= glyph_agreed[i].last)
            return GLYPH_AGREED;
    return GLYPH_DOUBTFUL;
}

char glyph_twin(uint32_t point)
{
    const struct glyph_pair *pair = glyph_pair_of(point);
    if (pair)
        return pair->twin;
    if (point >= 0x2581 && point <= 0x2588)
        return spark_twins[point - 0x2581];
    if (point >= 0x2580 && point <= 0x259F)
        return '#';
    if (point < 0x2500 || point > 0x257F)
        return 0;
    switch (point) {
    case 0x2500: /* light and heavy lines, dashes */
    case 0x2501:
    case 0x2504:
    case 0x2505:
    case 0x2508:
    case 0x2509:
    case 0x254C:
    case 0x254D:
        return '-';
    case 0x2550:
        return '=';
    case 0x2502:
    case 0x2503:
    case 0x2506:
    case 0x2507:
    case 0x250A:
    case 0x250B:
    case 0x254E:
    case 0x254F:
    case 0x2551:
        return '|';
    default:
        return '+';
    }
}

const char *canvas_glyph(const struct canvas *canvas, enum glyph glyph)
{
    return canvas->ascii ? glyphs[glyph].twin : glyphs[glyph].text;
}

const char *canvas_spark(const struct canvas *canvas, int height)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const twins[] = {"_", ".", "-", "~", "=", "+", "*", "#"};
    int at = height < 0 ? 0 : height > 7 ? 7 : height;
    return canvas->ascii ? twins[at] : blocks[at];
}
