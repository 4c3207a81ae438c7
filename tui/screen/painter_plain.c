/* Terminals that are not ANSI, by terminfo's strings. */
#include "tui/screen/painter_private.h"

/* Last: it makes macros of common words. */
#include <curses.h>
#include <term.h>

static const char *plain_string(const char *name)
{
    char *text = tigetstr((char *)name);
    return text == (char *)-1 || text == NULL || *text == '\0' ? NULL : text;
}

bool painter_plain_init(struct painter *painter, struct error *error)
{
    painter->plain = (struct painter_plain){
        .cup = plain_string("cup"),
        .el = plain_string("el"),
        .clear = plain_string("clear"),
        .sgr0 = plain_string("sgr0"),
        .bold = plain_string("bold"),
        .rev = plain_string("rev"),
        .smul = plain_string("smul"),
    };
    if (painter->plain.sgr0 == NULL) /* what can't be ended must not begin */
        painter->plain.bold = painter->plain.rev = painter->plain.smul = NULL;
    if (painter->plain.cup)
        return true;
    return error_set(error, ERROR_REFUSED,
                     "the command line does all of it: surfboard help; or set TERM to what this "
                     "terminal is",
                     "this terminal can't place its cursor");
}

/* Padding is "$<5>", "$<5/>", "$<5*>": no terminal has needed it for decades. */
void painter_plain_put(struct painter *painter, const char *capability)
{
    if (capability == NULL)
        return;
    const char *from = capability;
    for (const char *at = capability; *at;) {
        size_t pad = at[0] == '$' && at[1] == '<' ? strcspn(at, ">") : 0;
        if (pad == 0 || at[pad] != '>') {
            at++;
            continue;
        }
        painter_put(painter, from, (size_t)(at - from));
        at += pad + 1;
        from = at;
    }
    painter_put(painter, from, strlen(from));
}

void painter_plain_move(struct painter *painter, int row, int column)
{
    painter_plain_put(painter, tparm((char *)painter->plain.cup, row, column, 0, 0, 0, 0, 0, 0, 0));
}
