#include "tui/screen/editor.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "tui/screen/readline_load.h"

/* Readline has names for a few more: NEWLINE, RETURN, RUBOUT. */
enum {
    CONTROL_B = 2,
    CONTROL_D = 4,
    CONTROL_F = 6,
    CONTROL_G = 7,
    CONTROL_N = 14,
    CONTROL_P = 16,
    CONTROL_R = 18,
    CONTROL_X = 24
};

#define RL (readline_library)

/* Readline asks for input through a function without a context. */
static const unsigned char *feed_at;
static size_t feed_left;
static char *feed_line; /* what it accepted meanwhile */

/* ---- readline's side ---- */

static int feed_getc(FILE *stream)
{
    (void)stream;
    if (feed_left == 0)
        return CONTROL_G; /* it wants more than we have: whatever it began is dropped */
    feed_left--;
    return *feed_at++;
}

static int feed_available(void)
{
    return feed_left > 0;
}

static void feed_redisplay(void)
{
}

static char *feed_no_completion(const char *text, int state)
{
    (void)text, (void)state;
    return NULL;
}

static void feed_accepted(char *line)
{
    free(feed_line);
    feed_line = line;
}

static void feed(const char *bytes, size_t length)
{
    feed_at = (const unsigned char *)bytes;
    feed_left = length;
    while (feed_left)
        RL.rl_callback_read_char();
    if (feed_line == NULL)
        return;
    /* One of its keys accepts (Ctrl-O): ours is Enter, so the text comes back. */
    char *line = feed_line;
    feed_line = NULL;
    RL.rl_insert_text(line);
    free(line);
}

static void feed_byte(char byte)
{
    feed(&byte, 1);
}

/* What a profile of readline may not say here: bells and blinking parentheses write and wait. */
static void set_variables(void)
{
    static const char *const settings[][2] = {
        {"editing-mode", "emacs"},
        {"bell-style", "none"},
        {"blink-matching-paren", "off"},
        {"revert-all-at-newline", "on"},
        {"input-meta", "on"},
        {"convert-meta", "off"},
        {"output-meta", "on"},
        {"isearch-terminators", "\\e\\C-j"},
        {"show-mode-in-prompt", "off"},
        {"enable-bracketed-paste", "off"},
        {"enable-active-region", "off"},
        {"completion-query-items", "-1"},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        RL.rl_variable_bind(settings[i][0], settings[i][1]);
    RL.rl_bind_key(RETURN, RL.rl_newline);
    RL.rl_bind_key(NEWLINE, RL.rl_newline);
}

bool editor_load(struct error *error)
{
    static bool prepared;
    if (prepared)
        return true;
    TRY(readline_ready(error));
    *RL.rl_instream = fopen("/dev/null", "re");
    *RL.rl_outstream = fopen("/dev/null", "we");
    if (*RL.rl_instream == NULL || *RL.rl_outstream == NULL)
        return error_set_system(error, errno, "/dev/null");
    *RL.rl_readline_name = "surfboard";
    *RL.rl_catch_signals = 0;
    *RL.rl_catch_sigwinch = 0;
    *RL.rl_change_environment = 0;
    *RL.rl_redisplay_function = feed_redisplay; /* of our own: readline then looks for no TERM */
    *RL.rl_prep_term_function = NULL;
    *RL.rl_deprep_term_function = NULL;
    *RL.rl_getc_function = feed_getc;
    *RL.rl_input_available_hook = feed_available;
    *RL.rl_completion_entry_function = feed_no_completion;
    *RL.rl_inhibit_completion = 1;
    RL.rl_initialize();
    set_variables();
    prepared = true;
    return true;
}

void editor_open(struct editor *editor)
{
    RL.rl_callback_handler_install("", feed_accepted);
    RL.clear_history();
    RL.using_history();
    editor->ready = true;
}

void editor_close(struct editor *editor)
{
    if (!editor->ready)
        return;
    editor_clear(editor);
    RL.rl_callback_handler_remove();
    RL.clear_history();
    editor->ready = false;
}

/* ---- the text ---- */

struct slice editor_text(const struct editor *editor)
{
    return editor->ready ? (struct slice){*RL.rl_line_buffer, (size_t)*RL.rl_end}
                         : (struct slice){"", 0};
}

size_t editor_point(const struct editor *editor)
{
    return editor->ready ? (size_t)*RL.rl_point : 0;
}

static void insert_slice(struct slice text)
{
    char *copy = memory_copy_slice(text, NULL);
    if (copy)
        RL.rl_insert_text(copy);
    free(copy);
}

void editor_set(struct editor *editor, struct slice text, size_t point)
{
    if (!editor->ready)
        return;
    RL.rl_begin_undo_group();
    *RL.rl_point = 0;
    RL.rl_delete_text(0, *RL.rl_end);
    insert_slice(text);
    RL.rl_end_undo_group();
    *RL.rl_point = (int)(point < (size_t)*RL.rl_end ? point : (size_t)*RL.rl_end);
}

void editor_move(struct editor *editor, size_t point)
{
    if (editor->ready && point <= (size_t)*RL.rl_end)
        *RL.rl_point = (int)point;
}

void editor_clear(struct editor *editor)
{
    if (!editor->ready)
        return;
    editor_set(editor, (struct slice){"", 0}, 0);
    feed_byte(RETURN); /* a line of its own begins, at the end of the history */
}

void editor_insert(struct editor *editor, struct slice text)
{
    editor_search_end(editor, true);
    size_t room = EDITOR_BYTES_MOST - editor_text(editor).length;
    if (text.length > room)
        text.length = room;
    insert_slice(text);
}

void editor_complete(struct editor *editor, size_t length, const char *text)
{
    (void)editor;
    int end = *RL.rl_point, start = end - (int)length;
    RL.rl_begin_undo_group();
    RL.rl_delete_text(start, end);
    *RL.rl_point = start;
    RL.rl_insert_text(text);
    RL.rl_end_undo_group();
}

/* ---- searching ---- */

bool editor_searches(const struct editor *editor)
{
    return editor->ready && *RL.rl_readline_state & (RL_STATE_ISEARCH | RL_STATE_NSEARCH);
}

void editor_search(struct editor *editor)
{
    (void)editor;
    feed_byte(CONTROL_R);
}

void editor_search_end(struct editor *editor, bool keep)
{
    if (editor_searches(editor))
        feed_byte(keep ? NEWLINE : CONTROL_G);
}

/* ---- moving between lines ---- */

static size_t line_start(struct slice text, size_t point)
{
    while (point && text.data[point - 1] != '\n')
        point--;
    return point;
}

static size_t line_end(struct slice text, size_t point)
{
    while (point < text.length && text.data[point] != '\n')
        point++;
    return point;
}

/* To the same cell of the line above or below; false when there is none. */
static bool move_line(struct editor *editor, bool down)
{
    struct slice text = editor_text(editor);
    size_t start = line_start(text, editor_point(editor)), target;
    int column = text_width((struct slice){text.data + start, editor_point(editor) - start},
                            EDITOR_BYTES_MOST);
    if (down) {
        target = line_end(text, start) + 1;
        if (target > text.length)
            return false;
    } else {
        if (start == 0)
            return false;
        target = line_start(text, start - 1);
    }
    struct slice line = {text.data + target, line_end(text, target) - target};
    *RL.rl_point = (int)(target + text_offset(line, column));
    return true;
}

/* ---- keys ---- */

static enum editor_taken key_special(struct editor *editor, key_code key)
{
    struct slice text = editor_text(editor);
    if (key == KEY_BACKSPACE && editor_searches(editor)) {
        feed_byte(RUBOUT); /* takes a letter off what is searched */
        return EDITOR_TOOK;
    }
    editor_search_end(editor, true);
    switch (key) {
    case KEY_UP:
    case KEY_DOWN:
        if (!move_line(editor, key == KEY_DOWN))
            feed_byte(key == KEY_DOWN ? CONTROL_N : CONTROL_P);
        return EDITOR_TOOK;
    case KEY_LEFT:
    case KEY_RIGHT:
        feed_byte(key == KEY_LEFT ? CONTROL_B : CONTROL_F);
        return EDITOR_TOOK;
    case KEY_HOME:
        *RL.rl_point = (int)line_start(text, editor_point(editor));
        return EDITOR_TOOK;
    case KEY_END:
        *RL.rl_point = (int)line_end(text, editor_point(editor));
        return EDITOR_TOOK;
    case KEY_BACKSPACE:
        feed_byte(RUBOUT);
        return EDITOR_TOOK;
    case KEY_DELETE:
        if (editor_point(editor) < text.length)
            feed_byte(CONTROL_D);
        return EDITOR_TOOK;
    default:
        return EDITOR_LEFT;
    }
}

static enum editor_taken key_control(struct editor *editor, char letter)
{
    bool second = editor->control_x;
    editor->control_x = false;
    /* The end of the input, for readline; for us nothing. */
    if (letter == 'd' && editor_text(editor).length == 0)
        return EDITOR_TOOK;
    if (second && letter == 'e') {
        editor_search_end(editor, true);
        return EDITOR_EXTERNAL;
    }
    if (second && letter == 'r')
        return EDITOR_TOOK; /* would read ~/.inputrc again, bells and all */
    if (!second && letter == 'x') {
        editor->control_x = true;
        return EDITOR_TOOK;
    }
    char bytes[2] = {CONTROL_X, (char)(letter & 0x1F)};
    editor->quotes = !second && (letter == 'v' || letter == 'q');
    feed(second ? bytes : bytes + 1, second ? 2 : 1);
    return EDITOR_TOOK;
}

enum editor_taken editor_key(struct editor *editor, key_code key)
{
    bool quotes = editor->quotes;
    editor->quotes = false;
    if (key >= KEY_SPECIAL)
        return key_special(editor, key);
    if (key & KEY_CTRL) {
        char letter = (char)(key & 0x7F);
        if (quotes)
            feed_byte((char)(letter & 0x1F));
        return quotes ? EDITOR_TOOK : key_control(editor, letter);
    }
    if (key < ' ' || (!quotes && editor_text(editor).length >= EDITOR_BYTES_MOST))
        return key < ' ' ? EDITOR_LEFT : EDITOR_TOOK;
    char bytes[5] = {CONTROL_X};
    size_t length = utf8_encode(key, bytes + 1);
    feed(editor->control_x ? bytes : bytes + 1, editor->control_x ? length + 1 : length);
    editor->control_x = false;
    return EDITOR_TOOK;
}

bool editor_enter(struct editor *editor)
{
    bool quotes = editor->quotes;
    editor->quotes = editor->control_x = false;
    if (quotes) {
        feed_byte(NEWLINE);
        return false;
    }
    editor_search_end(editor, true);
    struct slice text = editor_text(editor);
    size_t end = text.length;
    while (end && strchr(" \t\n", text.data[end - 1]))
        end--;
    bool lines = memchr(text.data, '\n', text.length) != NULL;
    if (lines && (end == 0 || text.data[end - 1] != ';')) {
        RL.rl_insert_text("\n");
        return false;
    }
    return end > 0;
}

void editor_accept(struct editor *editor)
{
    struct slice text = editor_text(editor);
    size_t point = editor_point(editor);
    char *copy = memory_copy_slice(text, NULL);
    if (copy == NULL)
        return;
    /* Accepted as readline does it, which takes back what was changed in the history; the text
     * comes again from feed(). */
    feed_byte(RETURN);
    *RL.rl_point = (int)(point < (size_t)*RL.rl_end ? point : (size_t)*RL.rl_end);
    RL.rl_free_undo_list();
    if (editor_history_may(slice_of(copy))) {
        /* What stands in the editor is now the last of the history: Up leads to the one before. */
        editor_remember(copy);
        RL.previous_history();
    }
    free(copy);
}

void editor_remember(const char *statement)
{
    RL.using_history();
    const HIST_ENTRY *last = RL.previous_history();
    RL.using_history();
    if (last && strcmp(last->line, statement) == 0)
        return;
    RL.add_history(statement);
    RL.using_history();
}
