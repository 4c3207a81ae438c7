/* editor.h: a statement of several lines being typed, by GNU readline: its keys, undo, kill ring,
 * history and ~/.inputrc, without its hands on the terminal. It is fed bytes through its callback
 * interface and draws nothing; its line is drawn here.
 *
 * Our own beside it, since readline knows one line: Up and Down between lines, Home and End within
 * one, a pasted text as one change, and vi mode is off, since Esc leaves the editor. Readline's
 * state is the process's: there is one editor. */
#ifndef SURFBOARD_TUI_SCREEN_EDITOR_H
#define SURFBOARD_TUI_SCREEN_EDITOR_H

#include "core/base/buffer.h"
#include "tui/screen/canvas.h"
#include "tui/screen/key.h"

enum { EDITOR_EARLY_MOST = 256, EDITOR_BYTES_MOST = 1 << 16, EDITOR_HISTORY_MOST = 1000 };

struct editor {
    bool ready;
    struct error why;                  /* it can't be had: no readline */
    key_code early[EDITOR_EARLY_MOST]; /* typed before it was ready */
    size_t early_count;
    bool control_x; /* the first half of Ctrl-X Ctrl-E, or of one of readline's */
    bool quotes;    /* Ctrl-V: the next key is text */
    int top;        /* first line in sight */
};

/* Loads and prepares readline; on a worker, before editor_open(). */
bool editor_load(struct error *error);
void editor_open(struct editor *editor);
void editor_close(struct editor *editor);

struct slice editor_text(const struct editor *editor); /* borrowed until the next key */
size_t editor_point(const struct editor *editor);
/* Replaces the text, as one change that can be undone. */
void editor_set(struct editor *editor, struct slice text, size_t point);
void editor_move(struct editor *editor, size_t point);
void editor_clear(struct editor *editor);
void editor_insert(struct editor *editor, struct slice text);
/* Replaces the `length` bytes before the cursor. */
void editor_complete(struct editor *editor, size_t length, const char *text);

enum editor_taken {
    EDITOR_LEFT,    /* not a key of it */
    EDITOR_TOOK,    /* */
    EDITOR_EXTERNAL /* Ctrl-X Ctrl-E: the text shall be edited by $EDITOR */
};
enum editor_taken editor_key(struct editor *editor, key_code key);
/* Enter: true when the statement shall run, else a line was begun or a search ended. */
bool editor_enter(struct editor *editor);
void editor_search(struct editor *editor); /* Ctrl-R */
bool editor_searches(const struct editor *editor);
void editor_search_end(struct editor *editor, bool keep);
/* The statement goes into the history, and stays in the editor. */
void editor_accept(struct editor *editor);
void editor_remember(const char *statement); /* a statement of an earlier session, oldest first */

/* editor_draw.c */
int editor_rows(const struct editor *editor, int columns);
void editor_draw(struct editor *editor, struct canvas *canvas, struct rect rect, bool focused);

/* editor_history.c: one statement a line, \n and \\ escaped; 0600. Both on a worker. */
struct editor_history {
    char **statements;
    size_t count, capacity;
};
/* No file is no error. Longer ones are cut to EDITOR_HISTORY_MOST, in the file too. */
bool editor_history_load(const char *path, struct editor_history *out, struct error *error);
void editor_history_destroy(struct editor_history *history);
bool editor_history_append(const char *path, struct slice statement, struct error *error);
/* Whether it may be kept: nothing that holds a password. */
bool editor_history_may(struct slice statement);

#endif
