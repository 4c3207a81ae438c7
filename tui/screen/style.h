/* style.h: what things look like. Drawing names a role ("a failed state"); the theme says which
 * colours and attributes that is on this terminal. Themes are YAML files in themes/ (see its
 * README): validated, an unknown role or colour is an error naming file, line and nearest name.
 * Without colour (NO_COLOR, --no-color, a terminal without any) only the attributes count: shape
 * and word always tell, colour never alone. */
#ifndef SURFBOARD_TUI_SCREEN_STYLE_H
#define SURFBOARD_TUI_SCREEN_STYLE_H

#include "core/base/error.h"
#include "core/base/slice.h"

#include <stdint.h>

enum style {
    STYLE_TEXT,
    STYLE_DIM,     /* secondary: hints, ages, what is greyed */
    STYLE_STRONG,  /* names, what is selected */
    STYLE_LABEL,   /* "Plan", "Undo", column heads */
    STYLE_HEADER,  /* first line */
    STYLE_CONTEXT, /* the context's name, in its accent */
    STYLE_TAB,
    STYLE_TAB_ON,
    STYLE_BORDER,
    STYLE_TITLE,
    STYLE_TITLE_ON, /* of the focused pane: reversed */
    STYLE_OK,
    STYLE_WARN,
    STYLE_FAIL,
    STYLE_UNKNOWN,
    STYLE_ABSENT, /* not built */
    STYLE_KEY,    /* a key in the foot line and in help */
    STYLE_NULL,   /* NULL in a grid */
    STYLE_MATCH,  /* what a search found */
    STYLE_MARKED, /* marked rows */
    STYLE_SPARK,
    STYLE_FIELD, /* text being edited */
    STYLE_BUTTON,
    STYLE_BUTTON_ON,
    STYLE_MESSAGE,
    STYLE_ADDED, /* + of a diff */
    STYLE_REMOVED,
    STYLE_COUNT
};

enum color_depth { COLORS_NONE, COLORS_16, COLORS_256, COLORS_TRUE };

enum { ATTRIBUTE_BOLD = 1, ATTRIBUTE_DIM = 2, ATTRIBUTE_UNDERLINE = 4, ATTRIBUTE_REVERSE = 8 };

/* 0xRRGGBB, or COLOR_DEFAULT, or COLOR_INDEX | 0..15. */
typedef uint32_t color;
enum { COLOR_DEFAULT = 0x80000000, COLOR_INDEX = 0x40000000 };

struct look {
    color front, back;
    uint8_t attributes;
};

struct theme {
    char name[32];
    struct look looks[STYLE_COUNT];
};

/* Finds NAME.yaml: in $XDG_CONFIG_HOME/surfboard/themes (else ~/.config), beside the program
 * (../share/surfboard/themes, or themes/ of a checkout); "dark" and "mono" are also built in, so
 * that a missing file never keeps the screen away. A name with a slash is a path. `accent` (a
 * colour name or #rrggbb) replaces the context's colour; NULL: the theme's. On failure `out` is the
 * built-in dark, so that a screen may go on with it and show the error. */
bool theme_load(const char *name, const char *accent, struct theme *out, struct error *error);
/* A mapping of role to words ("bold red on #202020"), themes/README.md; roles left out look as in
 * the built-in dark. `path` is for messages, and names the theme. */
bool theme_parse(struct slice text, const char *path, struct theme *out, struct error *error);
/* "red", "bright-blue", "#ff8800", "default"; ERROR_CONFIG names the nearest. */
bool color_parse(const char *text, color *out, struct error *error);
const char *style_name(enum style style); /* "title-on" */

/* What the depth leaves of a look: RGB falls to the nearest of the 6x6x6 cube and greys at 256
 * (COLOR_INDEX | 16..255), of the 16 at 16; no colour at none. */
struct look look_reduce(const struct look *look, enum color_depth depth);
/* The SGR sequence that sets this look from any other, for the depth; returns its length. */
enum { LOOK_BYTES_MOST = 56 };
size_t look_sequence(const struct look *look, enum color_depth depth, char out[LOOK_BYTES_MOST]);
/* The shortest that sets `to` where `from` is in force; both reduced. 0 bytes when they are equal.
 */
size_t look_change(const struct look *from, const struct look *to, char out[LOOK_BYTES_MOST]);

#endif
