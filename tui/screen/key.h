/* key.h: keys as the program sees them, and their names in help, key file and scripts.
 *
 * A key is a code point (what was typed: 'm', 0xE9) or one of KEY_*, with KEY_CTRL added for
 * Ctrl-letter ("Ctrl-L" is KEY_CTRL | 'l'). Shift is part of the letter; there is no Alt: an ESC
 * before a letter is Esc, then the letter. */
#ifndef SURFBOARD_TUI_SCREEN_KEY_H
#define SURFBOARD_TUI_SCREEN_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t key_code;

enum {
    KEY_NONE = 0,
    KEY_CTRL = 0x01000000, /* added to a lower case letter, or one of \ ] ^ _ and space */
    KEY_SPECIAL = 0x02000000,
    KEY_UP,
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_INSERT,
    KEY_DELETE,
    KEY_BACKSPACE,
    KEY_ENTER,
    KEY_TAB,
    KEY_BACK_TAB,
    KEY_ESCAPE,
    KEY_PASTE,  /* bracketed paste: the text is input_paste() */
    KEY_MOUSE,  /* a press or wheel step: input_mouse() */
    KEY_UNKNOWN /* a key without a name here (F5): input_feed() swallows it */
};

/* "m", "Ctrl-L", "PgDn", "Enter", "Space", "<": as help writes it. */
enum { KEY_NAME_SIZE = 16 };
void key_name(key_code key, char out[KEY_NAME_SIZE]);
/* The reverse, without regard to case for names longer than one character; also "C-l", "PageDown",
 * "Esc". KEY_NONE: no such key. */
key_code key_parse(const char *name);

#endif
