/* input.h: bytes from the terminal become keys. Knows the sequences of terminfo and those that
 * xterm and its kin send in either cursor-key mode; holds back a piece of a sequence or a UTF-8
 * character until the rest comes, and a lone Esc until `input_flush()` says that nothing more
 * will. Never blocks, never allocates beyond its paste buffer (limited to 1 MiB, the rest of a
 * longer paste is dropped). */
#ifndef SURFBOARD_TUI_SCREEN_INPUT_H
#define SURFBOARD_TUI_SCREEN_INPUT_H

#include "core/base/buffer.h"
#include "tui/screen/key.h"

enum { INPUT_PENDING_MOST = 64, INPUT_SEQUENCES_MOST = 64 };

struct input_mouse {
    int row, column; /* from 0 */
    enum { MOUSE_PRESS, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN } what;
};

struct input {
    struct input_sequence {
        char bytes[12];
        unsigned char length;
        key_code key;
    } sequences[INPUT_SEQUENCES_MOST];
    size_t sequence_count;
    char pending[INPUT_PENDING_MOST];
    size_t pending_length;
    bool pasting;
    struct buffer paste;
    struct input_mouse mouse;
};

/* After setupterm(): takes what terminfo says; without it (`terminfo` false) only the common ones.
 */
void input_init(struct input *input, bool terminfo);
void input_destroy(struct input *input);
/* Takes bytes; calls key() for each whole key, in order. */
void input_feed(struct input *input, const char *bytes, size_t length,
                void (*key)(void *context, key_code key), void *context);
/* Whether something is held back; the caller then waits `escape_ms` and calls input_flush(). */
bool input_waits(const struct input *input);
/* Gives out what is held back as it stands: a lone Esc is Esc. */
void input_flush(struct input *input, void (*key)(void *context, key_code key), void *context);
/* Of the KEY_PASTE or KEY_MOUSE being handled. */
struct slice input_paste(const struct input *input);

#endif
