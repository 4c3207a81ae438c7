#include "tui/screen/key.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/utf8.h"

static const struct key_word {
    key_code key;
    const char *name;
} words[] = {
    /* The first name of a key is the one that help writes. */
    {KEY_UP, "Up"},
    {KEY_DOWN, "Down"},
    {KEY_LEFT, "Left"},
    {KEY_RIGHT, "Right"},
    {KEY_HOME, "Home"},
    {KEY_END, "End"},
    {KEY_PAGE_UP, "PgUp"},
    {KEY_PAGE_DOWN, "PgDn"},
    {KEY_INSERT, "Ins"},
    {KEY_DELETE, "Del"},
    {KEY_BACKSPACE, "Backspace"},
    {KEY_ENTER, "Enter"},
    {KEY_TAB, "Tab"},
    {KEY_BACK_TAB, "Shift-Tab"},
    {KEY_ESCAPE, "Esc"},
    {KEY_PASTE, "Paste"},
    {KEY_MOUSE, "Mouse"},
    {' ', "Space"},
    {KEY_PAGE_UP, "PageUp"},
    {KEY_PAGE_DOWN, "PageDown"},
    {KEY_INSERT, "Insert"},
    {KEY_DELETE, "Delete"},
    {KEY_BACKSPACE, "BS"},
    {KEY_ENTER, "Return"},
    {KEY_BACK_TAB, "BackTab"},
    {KEY_BACK_TAB, "S-Tab"},
    {KEY_ESCAPE, "Escape"},
};
enum { WORD_COUNT = sizeof words / sizeof *words };

static const char *word_of(key_code key)
{
    for (size_t i = 0; i < WORD_COUNT; i++)
        if (words[i].key == key)
            return words[i].name;
    return NULL;
}

static bool is_printable(key_code key)
{
    return key > ' ' && key != 0x7f && !(key >= 0x80 && key < 0xa0) && key < 0x110000 &&
           !(key >= 0xd800 && key < 0xe000);
}

void key_name(key_code key, char out[KEY_NAME_SIZE])
{
    const char *control = key & KEY_CTRL ? "Ctrl-" : "";
    key_code plain = key & ~(key_code)KEY_CTRL;
    const char *word = word_of(plain);
    if (key & KEY_CTRL && plain >= 'a' && plain <= 'z')
        plain -= 'a' - 'A';
    if (word) {
        snprintf(out, KEY_NAME_SIZE, "%s%s", control, word);
    } else if (is_printable(plain)) {
        char text[5] = "";
        text[utf8_encode(plain, text)] = '\0';
        snprintf(out, KEY_NAME_SIZE, "%s%s", control, text);
    } else if (plain && plain < KEY_SPECIAL) {
        snprintf(out, KEY_NAME_SIZE, "%sU+%04X", control, (unsigned)(plain & 0xffffff));
    } else {
        snprintf(out, KEY_NAME_SIZE, "unknown");
    }
}

/* Several Ctrl combinations are other keys for every terminal: a key file that names one of them
 * means the key that arrives. */
static key_code control_key(const char *name)
{
    if (strcasecmp(name, "Space") == 0 || strcmp(name, "@") == 0)
        return KEY_CTRL | ' ';
    if (name[0] == '\0' || name[1] != '\0')
        return KEY_NONE;
    char letter = name[0];
    if (letter >= 'A' && letter <= 'Z')
        letter = (char)(letter + 'a' - 'A');
    switch (letter) {
    case 'h':
    case '?':
        return KEY_BACKSPACE;
    case 'i':
        return KEY_TAB;
    case 'j':
    case 'm':
        return KEY_ENTER;
    case '[':
        return KEY_ESCAPE;
    case '/':
        return KEY_CTRL | '_';
    case '\\':
    case ']':
    case '^':
    case '_':
        return KEY_CTRL | (key_code)letter;
    default:
        return letter >= 'a' && letter <= 'z' ? KEY_CTRL | (key_code)letter : KEY_NONE;
    }
}

key_code key_parse(const char *name)
{
    size_t length = strlen(name);
    size_t width = utf8_character_length(name, length);
    if (length > 0 && width == length) {
        key_code key = utf8_decode(name, width);
        return key == ' ' || is_printable(key) ? key : KEY_NONE;
    }
    for (size_t i = 0; i < WORD_COUNT; i++)
        if (strcasecmp(words[i].name, name) == 0)
            return words[i].key;
    if (strncasecmp(name, "Ctrl-", 5) == 0)
        return control_key(name + 5);
    if (strncasecmp(name, "C-", 2) == 0)
        return control_key(name + 2);
    return KEY_NONE;
}
