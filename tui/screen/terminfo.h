/* terminfo.h: what ncurses' database knows of a terminal type, by capability name. A wrapper,
 * because curses.h defines KEY_UP and its kin as macros, which would shadow ours. */
#ifndef SURFBOARD_TUI_SCREEN_TERMINFO_H
#define SURFBOARD_TUI_SCREEN_TERMINFO_H

#include <stdbool.h>
#include <stddef.h>

/* Makes `type` the terminal that the others ask about. False: the database lacks it. */
bool terminfo_open(const char *type, int fd);
void terminfo_close(void);

/* NULL when the terminal has no such string. The text lives until terminfo_close(). */
const char *terminfo_string(const char *name);
bool terminfo_flag(const char *name);
int terminfo_number(const char *name); /* -1: none */

/* The string with its numbers filled in and its padding left out, appended to `out`; false when
 * there is no such string or no room. Strings without parameters ignore the numbers. */
bool terminfo_append(const char *name, int first, int second, char *out, size_t size,
                     size_t *length);

#endif
