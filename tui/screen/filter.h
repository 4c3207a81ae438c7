/* filter.h: which lines of a list are shown: all words must stand in the line (without regard to
 * case); !word: must not; ~ at the start: an extended regular expression. */
#ifndef SURFBOARD_TUI_SCREEN_FILTER_H
#define SURFBOARD_TUI_SCREEN_FILTER_H

#include <regex.h>

#include "tui/screen/field.h"

struct filter {
    struct field field;
    bool editing;  /* keys go to the field */
    bool compiled; /* regex holds the field's expression */
    bool broken;   /* it is no regular expression: every line is shown */
    regex_t regex;
};

void filter_destroy(struct filter *filter);
/* A key while editing: true when taken. Enter keeps the filter, Esc drops it; both end editing.
 * *changed: the lines have to be chosen anew. */
bool filter_key(struct filter *filter, key_code key, bool *changed);
void filter_clear(struct filter *filter);
bool filter_active(const struct filter *filter);
bool filter_match(const struct filter *filter, const char *line);
/* " / text" on one line; nothing when there is no filter. Returns whether it took the line. */
bool filter_draw(const struct filter *filter, struct canvas *canvas, int row, int column,
                 int columns);

#endif
