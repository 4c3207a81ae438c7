/* input.h: bytes from the terminal become keys. Knows the sequences of terminfo and those that
 * xterm and its kin send in either cursor-key mode; holds back a piece of a sequence or a UTF-8
 * character until the rest comes, and a lone Esc until `input_flush()` says that nothing more
 * will. What terminals answer to questions (of the program before us: we ask none) is swallowed
 * whole. Never blocks, never allocates beyond its paste buffer (limited to 1 MiB, the rest of a
 * longer paste is dropped). */
#ifndef SURFBOARD_TUI_SCREEN_INPUT_H
#define SURFBOARD_TUI_SCREEN_INPUT_H

#include "core/base/buffer.h"
#include "tui/screen/key.h"

enum {
    INPUT_PENDING_MOST = 64,
    INPUT_SEQUENCES_MOST = 64,
    INPUT_PASTE_MOST = 1 << 20,
    /* So many flushes without a byte between them end a sequence, or a paste, that was cut off:
     * 1 s and 5 s at 50 ms each. Until then its rest may still come over a slow line, and must not
     * be taken for keys. */
    INPUT_SEQUENCE_PATIENCE = 20,
    INPUT_PASTE_PATIENCE = 100
};

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
    enum {
        INPUT_KEYS,
        INPUT_CONTROL, /* swallows a control sequence that is longer than `pending` */
        INPUT_STRING,  /* swallows an OSC, DCS, APC, PM or SOS string */
        INPUT_PASTE
    } state;
    size_t swallowed;  /* bytes of the string so far */
    unsigned patience; /* flushes since the last byte */
    struct buffer paste;
    size_t mark_length; /* bytes of the paste's end mark seen so far */
    struct input_mouse mouse;
};

/* After setupterm(): takes what terminfo says; without it (`terminfo` false) only the common ones.
 */
void input_init(struct input *input, bool terminfo);
void input_destroy(struct input *input);
/* Takes bytes; calls key() for each whole key, in order. */
void input_feed(struct input *input, const char *bytes, size_t length,
                void (*key)(void *context, key_code key), void *context);
/* Whether something is held back that time decides; the caller then waits `escape_ms` (50) without
 * a byte and calls input_flush(), and again as long as this is true. */
bool input_waits(const struct input *input);
/* Nothing came for a while: a lone Esc is Esc; see INPUT_SEQUENCE_PATIENCE for the rest. */
void input_flush(struct input *input, void (*key)(void *context, key_code key), void *context);
/* Of the KEY_PASTE being handled: valid UTF-8, lines end in \n, no controls but that and tab. The
 * place of a KEY_MOUSE is `input->mouse`. */
struct slice input_paste(const struct input *input);

#endif
