#include "tui/screen/terminfo.h"

#include <curses.h>
#include <string.h>
#include <term.h>

static bool opened;

bool terminfo_open(const char *type, int fd)
{
    terminfo_close();
    int status = 0;
    opened = setupterm(type, fd, &status) == OK && status == 1;
    return opened;
}

void terminfo_close(void)
{
    if (opened)
        del_curterm(cur_term);
    opened = false;
}

const char *terminfo_string(const char *name)
{
    const char *value = opened ? tigetstr(name) : NULL;
    return value == (char *)-1 ? NULL : value;
}

bool terminfo_flag(const char *name)
{
    return opened && tigetflag(name) > 0;
}

int terminfo_number(const char *name)
{
    int number = opened ? tigetnum(name) : -1;
    return number < 0 ? -1 : number;
}

/* "$<5>", "$<20/>": delays for terminals of 1980. */
static const char *skip_padding(const char *text)
{
    const char *end = text[0] == '$' && text[1] == '<' ? strchr(text, '>') : NULL;
    return end ? end + 1 : text;
}

bool terminfo_append(const char *name, int first, int second, char *out, size_t size,
                     size_t *length)
{
    const char *value = terminfo_string(name);
    value = value && strchr(value, '%') ? tiparm(value, first, second) : value;
    if (value == NULL)
        return false;
    size_t at = *length;
    for (const char *next = value; *next;) {
        const char *behind = skip_padding(next);
        if (behind != next) {
            next = behind;
            continue;
        }
        if (at + 1 >= size)
            return false;
        out[at++] = *next++;
    }
    *length = at;
    return true;
}
