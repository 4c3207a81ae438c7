/* Colours: their names, what a depth leaves of them, and the SGR sequences. */
#include <stdlib.h>
#include <strings.h>

#include "core/base/nearest.h"
#include "tui/screen/style.h"

static const char *const color_names[] = {
    "black",        "red",           "green",       "yellow",         "blue",
    "magenta",      "cyan",          "white",       "bright-black",   "bright-red",
    "bright-green", "bright-yellow", "bright-blue", "bright-magenta", "bright-cyan",
    "bright-white", "default",
};
enum { COLOR_NAMES = sizeof color_names / sizeof *color_names };

/* The 16 as xterm shows them: only to find which is near. */
static const uint32_t color_sixteen[16] = {
    0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5,
    0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF,
};

bool color_parse(const char *text, color *out, struct error *error)
{
    if (text[0] == '#' && strlen(text) == 7 && strspn(text + 1, "0123456789abcdefABCDEF") == 6) {
        *out = (color)strtoul(text + 1, NULL, 16);
        return true;
    }
    for (size_t i = 0; i < COLOR_NAMES; i++)
        if (strcasecmp(text, color_names[i]) == 0) {
            *out = i < 16 ? COLOR_INDEX | (color)i : COLOR_DEFAULT;
            return true;
        }
    error_set(error, ERROR_CONFIG, NULL, "no such colour: %.60s", text);
    const char *near = nearest_word(text, color_names, COLOR_NAMES);
    if (near)
        return error_remedy(error, "did you mean '%s'?", near);
    return error_remedy(error, "use #rrggbb, default, black, red, green, yellow, blue, magenta, "
                               "cyan, white, or one of the eight with bright- before it");
}

static uint32_t color_distance(uint32_t a, uint32_t b)
{
    uint32_t sum = 0;
    for (int shift = 0; shift <= 16; shift += 8) {
        int32_t d = (int32_t)(a >> shift & 0xFF) - (int32_t)(b >> shift & 0xFF);
        sum += (uint32_t)(d * d);
    }
    return sum;
}

static uint32_t cube_level(uint32_t part)
{
    return part < 48 ? 0 : part < 115 ? 1 : (part - 35) / 40;
}

static uint32_t cube_part(uint32_t level)
{
    return level ? 55 + 40 * level : 0;
}

static color color_to_256(uint32_t rgb)
{
    uint32_t r = cube_level(rgb >> 16 & 0xFF), g = cube_level(rgb >> 8 & 0xFF),
             b = cube_level(rgb & 0xFF);
    uint32_t cube = cube_part(r) << 16 | cube_part(g) << 8 | cube_part(b);
    uint32_t mean = ((rgb >> 16 & 0xFF) + (rgb >> 8 & 0xFF) + (rgb & 0xFF)) / 3;
    uint32_t step = mean > 238 ? 23 : mean < 3 ? 0 : (mean - 3) / 10;
    uint32_t grey = (8 + 10 * step) * 0x010101;
    if (color_distance(rgb, grey) < color_distance(rgb, cube))
        return COLOR_INDEX | (232 + step);
    return COLOR_INDEX | (16 + 36 * r + 6 * g + b);
}

static color color_to_16(uint32_t rgb)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < 16; i++)
        if (color_distance(rgb, color_sixteen[i]) < color_distance(rgb, color_sixteen[best]))
            best = i;
    return COLOR_INDEX | best;
}

static color color_reduce(color given, enum color_depth depth)
{
    if (depth == COLORS_NONE || given & COLOR_DEFAULT)
        return COLOR_DEFAULT;
    if (given & COLOR_INDEX || depth == COLORS_TRUE)
        return given;
    return depth == COLORS_256 ? color_to_256(given) : color_to_16(given);
}

struct look look_reduce(const struct look *look, enum color_depth depth)
{
    return (struct look){color_reduce(look->front, depth), color_reduce(look->back, depth),
                         look->attributes};
}

/* A sequence in the making: "\033[" and numbers with ; between them. */
struct sgr {
    char *out;
    size_t length;
    bool begun;
};

static void sgr_byte(struct sgr *sgr, char byte)
{
    sgr->out[sgr->length++] = byte;
}

static void sgr_digits(struct sgr *sgr, unsigned number)
{
    if (number >= 10)
        sgr_digits(sgr, number / 10);
    sgr_byte(sgr, (char)('0' + number % 10));
}

static void sgr_number(struct sgr *sgr, unsigned number)
{
    if (sgr->begun)
        sgr_byte(sgr, ';');
    else {
        sgr_byte(sgr, '\033');
        sgr_byte(sgr, '[');
    }
    sgr->begun = true;
    sgr_digits(sgr, number);
}

/* `base` is 30 for the front, 40 for the back. */
static void sgr_color(struct sgr *sgr, color given, unsigned base)
{
    if (given & COLOR_DEFAULT) {
        sgr_number(sgr, base + 9);
    } else if (given & COLOR_INDEX) {
        unsigned index = given & 0xFF;
        if (index < 16) {
            sgr_number(sgr, index < 8 ? base + index : base + 60 + index - 8);
            return;
        }
        sgr_number(sgr, base + 8);
        sgr_number(sgr, 5);
        sgr_number(sgr, index);
    } else {
        sgr_number(sgr, base + 8);
        sgr_number(sgr, 2);
        for (int shift = 16; shift >= 0; shift -= 8)
            sgr_number(sgr, given >> shift & 0xFF);
    }
}

static const struct sgr_attribute {
    uint8_t attribute;
    unsigned on, off;
} sgr_attributes[] = {
    {ATTRIBUTE_BOLD, 1, 22},
    {ATTRIBUTE_DIM, 2, 22},
    {ATTRIBUTE_UNDERLINE, 4, 24},
    {ATTRIBUTE_REVERSE, 7, 27},
};
enum { SGR_ATTRIBUTES = sizeof sgr_attributes / sizeof *sgr_attributes };

static void sgr_turn_on(struct sgr *sgr, uint8_t attributes)
{
    for (size_t i = 0; i < SGR_ATTRIBUTES; i++)
        if (attributes & sgr_attributes[i].attribute)
            sgr_number(sgr, sgr_attributes[i].on);
}

static size_t sgr_end(struct sgr *sgr)
{
    if (sgr->begun)
        sgr_byte(sgr, 'm');
    return sgr->length;
}

/* From anything: everything off first. "\033[m" for the terminal's own look. */
static size_t look_whole(const struct look *look, char out[LOOK_BYTES_MOST])
{
    struct sgr sgr = {.out = out};
    if (look->attributes == 0 && look->front & look->back & COLOR_DEFAULT) {
        memcpy(out, "\033[m", 3);
        return 3;
    }
    sgr_number(&sgr, 0);
    sgr_turn_on(&sgr, look->attributes);
    if (!(look->front & COLOR_DEFAULT))
        sgr_color(&sgr, look->front, 30);
    if (!(look->back & COLOR_DEFAULT))
        sgr_color(&sgr, look->back, 40);
    return sgr_end(&sgr);
}

size_t look_sequence(const struct look *look, enum color_depth depth, char out[LOOK_BYTES_MOST])
{
    struct look reduced = look_reduce(look, depth);
    return look_whole(&reduced, out);
}

static size_t look_difference(const struct look *from, const struct look *to, char *out)
{
    struct sgr sgr = {.out = out};
    uint8_t lost = from->attributes & (uint8_t)~to->attributes;
    uint8_t won = to->attributes & (uint8_t)~from->attributes;
    unsigned last = 0;
    for (size_t i = 0; i < SGR_ATTRIBUTES; i++)
        if (lost & sgr_attributes[i].attribute && sgr_attributes[i].off != last)
            sgr_number(&sgr, last = sgr_attributes[i].off);
    if (lost & (ATTRIBUTE_BOLD | ATTRIBUTE_DIM)) /* 22 ends both */
        won |= to->attributes & (ATTRIBUTE_BOLD | ATTRIBUTE_DIM);
    sgr_turn_on(&sgr, won);
    if (from->front != to->front)
        sgr_color(&sgr, to->front, 30);
    if (from->back != to->back)
        sgr_color(&sgr, to->back, 40);
    return sgr_end(&sgr);
}

size_t look_change(const struct look *from, const struct look *to, char out[LOOK_BYTES_MOST])
{
    char difference[2 * LOOK_BYTES_MOST];
    size_t length = look_difference(from, to, difference), whole = look_whole(to, out);
    if (length >= whole)
        return whole;
    memcpy(out, difference, length);
    return length;
}
