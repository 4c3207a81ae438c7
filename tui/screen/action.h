/* action.h: everything a key can do, in one table (action_table.h). From it come the help of `?`,
 * the foot line, the palette, the key file (screen.keys of the profile), the man page's section
 * KEYS, read-only mode and the command line's twin of each action. A key does something exactly
 * where its action stands among the view's scopes and the view says that it works. */
#ifndef SURFBOARD_TUI_SCREEN_ACTION_H
#define SURFBOARD_TUI_SCREEN_ACTION_H

#include <stdbool.h>
#include <stdio.h>

#include "core/base/error.h"
#include "tui/screen/key.h"

/* Where an action belongs. A view lists its scopes, innermost first; a key is looked up in that
 * order, so an inner meaning hides an outer one. */
enum scope {
    SCOPE_GLOBAL,
    SCOPE_MOVE,
    SCOPE_LIST,
    SCOPE_TEXT,
    SCOPE_OBJECT,
    SCOPE_MODEL,
    SCOPE_PIPELINE,
    SCOPE_STREAMS,
    SCOPE_EDITOR,
    SCOPE_GRID,
    SCOPE_RUNS,
    SCOPE_BOX,
    SCOPE_COUNT
};

enum danger {
    DANGER_NONE,    /* looks */
    DANGER_CHANGES, /* changes the world: a box asks first; refused in a read-only context */
    DANGER_DATA     /* data, a position or another's object would be lost: the box wants a name */
};

enum action_id {
    ACTION_NONE,
#define ACTION(id, name, title, keys, scope, danger, cli, help) ACTION_##id,
#include "tui/screen/action_table.h"
#undef ACTION
    ACTION_COUNT
};

struct action {
    const char *name;  /* "merge-now": in the key file and the palette */
    const char *title; /* "merge now": in the foot line */
    const char *keys;  /* the defaults, parted by blanks: "Down j" */
    enum scope scope;
    enum danger danger;
    const char *cli;  /* the twin: "merge {stream}"; NULL: only moves or shows something */
    const char *help; /* one line, no full stop */
};

extern const struct action actions[ACTION_COUNT]; /* by id; the first is empty */
const char *scope_name(enum scope scope);         /* "streams" */
enum action_id action_find(const char *name);     /* ACTION_NONE when there is none */

/* Which key does what: the defaults, changed by the profile. */
enum { KEYMAP_KEYS_MOST = 4 };
struct keymap {
    key_code keys[ACTION_COUNT][KEYMAP_KEYS_MOST]; /* KEY_NONE behind the last */
};

void keymap_init(struct keymap *keymap);
/* `keys`: "m", or several parted by blanks, or "" for none. ERROR_CONFIG: no such action (with the
 * nearest) or key, or the key means something else in the same scope already. */
bool keymap_set(struct keymap *keymap, const char *action, const char *keys, struct error *error);
/* The action of `scope` that `key` stands for; ACTION_NONE. */
enum action_id keymap_find(const struct keymap *keymap, enum scope scope, key_code key);
/* "m", "PgDn Space": all its keys; "" when it has none. */
enum { KEYMAP_TEXT_SIZE = KEYMAP_KEYS_MOST * KEY_NAME_SIZE };
void keymap_text(const struct keymap *keymap, enum action_id action, char out[KEYMAP_TEXT_SIZE]);

/* The section KEYS of surfboard(1), as troff. */
void action_write_man(FILE *out);

#endif
