#include "tui/screen/input.h"

#include <string.h>

#include "core/base/utf8.h"
#include "tui/screen/terminfo.h"

enum { ESC = 0x1b, BEL = 0x07, DEL = 0x7f, STRING_MOST = 4096 };

static const char paste_end[] = "\x1b[201~";

struct sink {
    void (*key)(void *context, key_code key);
    void *context;
};

static void emit(const struct sink *sink, key_code key)
{
    if (key != KEY_NONE && key != KEY_UNKNOWN)
        sink->key(sink->context, key);
}

/* -- what terminfo says */

static void add_sequence(struct input *input, const char *bytes, key_code key)
{
    size_t length = bytes ? strlen(bytes) : 0;
    /* A single control character would take a Ctrl-letter away (^K is Up on an adm3a). */
    if (length < 2 || bytes[0] != ESC || input->sequence_count == INPUT_SEQUENCES_MOST)
        return;
    struct input_sequence *sequence = &input->sequences[input->sequence_count];
    if (length > sizeof sequence->bytes)
        return;
    memcpy(sequence->bytes, bytes, length);
    sequence->length = (unsigned char)length;
    sequence->key = key;
    input->sequence_count++;
}

void input_init(struct input *input, bool terminfo)
{
    static const struct {
        const char *name;
        key_code key;
    } names[] = {
        {"kcuu1", KEY_UP},     {"kcud1", KEY_DOWN},    {"kcub1", KEY_LEFT},
        {"kcuf1", KEY_RIGHT},  {"khome", KEY_HOME},    {"kend", KEY_END},
        {"kpp", KEY_PAGE_UP},  {"knp", KEY_PAGE_DOWN}, {"kich1", KEY_INSERT},
        {"kdch1", KEY_DELETE}, {"kcbt", KEY_BACK_TAB}, {"kbs", KEY_BACKSPACE},
        {"kent", KEY_ENTER},   {"kLFT", KEY_LEFT},     {"kRIT", KEY_RIGHT},
        {"kri", KEY_UP},       {"kind", KEY_DOWN},     {"kHOM", KEY_HOME},
        {"kEND", KEY_END},     {"kPRV", KEY_PAGE_UP},  {"kNXT", KEY_PAGE_DOWN},
        {"kDC", KEY_DELETE},   {"kIC", KEY_INSERT},    {"kf1", KEY_UNKNOWN},
        {"kf2", KEY_UNKNOWN},  {"kf3", KEY_UNKNOWN},   {"kf4", KEY_UNKNOWN},
        {"kf5", KEY_UNKNOWN},  {"kf6", KEY_UNKNOWN},   {"kf7", KEY_UNKNOWN},
        {"kf8", KEY_UNKNOWN},  {"kf9", KEY_UNKNOWN},   {"kf10", KEY_UNKNOWN},
        {"kf11", KEY_UNKNOWN}, {"kf12", KEY_UNKNOWN},
    };
    memset(input, 0, sizeof *input);
    if (!terminfo)
        return;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        add_sequence(input, terminfo_string(names[i].name), names[i].key);
}

void input_destroy(struct input *input)
{
    buffer_destroy(&input->paste);
    memset(input, 0, sizeof *input);
}

/* -- control sequences: ESC [ parameters intermediates final */

enum { CONTROL_NUMBERS_MOST = 4, NUMBER_MOST = 100000 };

struct control {
    char mark; /* '?', '<', '=', '>' before the parameters, or 0 */
    int numbers[CONTROL_NUMBERS_MOST];
    size_t count;
    char last; /* the final byte */
};

static void parse_control(struct control *control, const char *bytes, size_t length)
{
    memset(control, 0, sizeof *control);
    control->last = bytes[length - 1];
    for (size_t i = 0; i + 1 < length; i++) {
        char byte = bytes[i];
        if (byte >= '<' && byte <= '?')
            control->mark = byte;
        else if (byte >= '0' && byte <= '9' && control->count < CONTROL_NUMBERS_MOST) {
            int *number = &control->numbers[control->count];
            *number = *number < NUMBER_MOST ? *number * 10 + (byte - '0') : NUMBER_MOST;
        } else if (byte == ';')
            control->count++;
    }
    control->count++;
}

static key_code letter_key(char letter)
{
    switch (letter) {
    case 'A':
    case 'a': /* rxvt with Shift or Ctrl */
        return KEY_UP;
    case 'B':
    case 'b':
        return KEY_DOWN;
    case 'C':
    case 'c':
        return KEY_RIGHT;
    case 'D':
    case 'd':
        return KEY_LEFT;
    case 'H':
        return KEY_HOME;
    case 'F':
        return KEY_END;
    case 'Z':
        return KEY_BACK_TAB;
    default:
        return KEY_UNKNOWN;
    }
}

static key_code number_key(int number)
{
    switch (number) {
    case 1:
    case 7:
        return KEY_HOME;
    case 4:
    case 8:
        return KEY_END;
    case 2:
        return KEY_INSERT;
    case 3:
        return KEY_DELETE;
    case 5:
        return KEY_PAGE_UP;
    case 6:
        return KEY_PAGE_DOWN;
    default:
        return KEY_UNKNOWN;
    }
}

/* SGR mouse, ESC [ < button ; column ; row M: a press of the left button or a step of the wheel.
 * Bits 4, 8, 16 are Shift, Alt, Ctrl; 32 is movement. */
static key_code mouse_key(struct input *input, const struct control *control)
{
    int button = control->numbers[0] & ~(4 | 8 | 16);
    if (control->last != 'M' || control->count != 3)
        return KEY_UNKNOWN;
    if (button != 0 && button != 64 && button != 65)
        return KEY_UNKNOWN;
    input->mouse.what = button == 0    ? MOUSE_PRESS
                        : button == 64 ? MOUSE_WHEEL_UP
                                       : MOUSE_WHEEL_DOWN;
    input->mouse.column = control->numbers[1] > 0 ? control->numbers[1] - 1 : 0;
    input->mouse.row = control->numbers[2] > 0 ? control->numbers[2] - 1 : 0;
    return KEY_MOUSE;
}

static key_code control_key(struct input *input, const char *bytes, size_t length)
{
    struct control control;
    parse_control(&control, bytes, length);
    if (control.mark == '<')
        return mouse_key(input, &control);
    if (control.mark)
        return KEY_UNKNOWN;
    switch (control.last) {
    case '~':
        if (control.numbers[0] == 200 && control.count == 1)
            input->state = INPUT_PASTE;
        return number_key(control.numbers[0]);
    case '^': /* rxvt with Ctrl, Shift, both */
    case '$':
    case '@':
        return number_key(control.numbers[0]);
    case 'c': /* device attributes, not rxvt's Shift-Right */
        return length == 1 ? KEY_RIGHT : KEY_UNKNOWN;
    default:
        return letter_key(control.last);
    }
}

/* -- one key, or less, at the beginning of what is pending */

static void consume(struct input *input, size_t count)
{
    input->pending_length -= count;
    memmove(input->pending, input->pending + count, input->pending_length);
}

static key_code plain_key(unsigned char byte)
{
    switch (byte) {
    case 0:
        return KEY_CTRL | ' ';
    case '\b':
    case DEL:
        return KEY_BACKSPACE;
    case '\t':
        return KEY_TAB;
    case '\r':
    case '\n':
        return KEY_ENTER;
    case ESC:
        return KEY_ESCAPE;
    default:
        if (byte >= ' ')
            return byte;
        return KEY_CTRL | (byte <= 26 ? byte + 'a' - 1u : byte + 64u);
    }
}

/* How many bytes the character that begins with this one has; 0: none begins so. */
static size_t character_length(unsigned char lead)
{
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

static bool take_character(struct input *input, const struct sink *sink)
{
    size_t width = utf8_character_length(input->pending, input->pending_length);
    if (width) {
        key_code point = utf8_decode(input->pending, width);
        consume(input, width);
        emit(sink, point < 0xa0 ? KEY_NONE : point); /* a C1 control is no key */
        return true;
    }
    size_t wanted = character_length((unsigned char)input->pending[0]);
    bool whole = input->pending_length < wanted;
    for (size_t i = 1; whole && i < input->pending_length; i++)
        whole = ((unsigned char)input->pending[i] & 0xc0) == 0x80;
    if (whole)
        return false;
    consume(input, 1);
    return true;
}

/* Esc was typed by itself; what follows it is looked at anew. */
static bool take_escape(struct input *input, const struct sink *sink)
{
    consume(input, 1);
    emit(sink, KEY_ESCAPE);
    return true;
}

static bool take_sequence(struct input *input, const struct sink *sink, size_t length, key_code key)
{
    consume(input, length);
    emit(sink, key);
    return true;
}

/* Bytes behind ESC [ up to and with the final one; 0: it is not there yet; -1: another byte came
 * where none may stand. */
static int control_length(const char *bytes, size_t length)
{
    bool plain = true;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte >= 0x40 && byte < DEL)
            return (int)i + 1;
        if (byte == '$' && i > 0 && plain) /* rxvt ends so; elsewhere it is an intermediate */
            return (int)i + 1;
        if (byte < ' ' || byte >= DEL)
            return -1;
        plain = plain && byte >= '0' && byte <= '9';
    }
    return 0;
}

static bool take_control(struct input *input, const struct sink *sink)
{
    const char *bytes = input->pending + 2;
    size_t length = input->pending_length - 2;
    if (length > 0 && bytes[0] == '[') { /* the function keys of the Linux console: ESC [ [ A */
        if (length == 1)
            return false;
        if (bytes[1] >= 'A' && bytes[1] <= 'E')
            return take_sequence(input, sink, 4, KEY_UNKNOWN);
        return take_escape(input, sink);
    }
    int end = control_length(bytes, length);
    if (end > 0)
        return take_sequence(input, sink, (size_t)end + 2, control_key(input, bytes, (size_t)end));
    if (end < 0 && length == 1)
        return take_escape(input, sink);
    if (end < 0) { /* cut off: only the byte that cut it is left */
        consume(input, input->pending_length - 1);
        return true;
    }
    if (input->pending_length == INPUT_PENDING_MOST) {
        input->pending_length = 0;
        input->state = INPUT_CONTROL;
    }
    return false;
}

/* ESC O: cursor and function keys, and the keypad in its application mode. Old xterms put the
 * modifiers before the letter: ESC O 5 A. */
static bool take_keypad(struct input *input, const struct sink *sink)
{
    static const char keypad[] = "j*k+l,m-n.o/p0q1r2s3t4u5v6w7x8y9X=";
    size_t at = 2;
    while (at < input->pending_length && at < 5 && input->pending[at] >= '0' &&
           input->pending[at] <= '9')
        at++;
    if (at == input->pending_length)
        return false;
    char letter = input->pending[at];
    if (letter < '@' || letter >= DEL) {
        if (at == 2)
            return take_escape(input, sink);
        consume(input, at);
        return true;
    }
    key_code key = letter_key(letter);
    if (letter == 'M')
        key = KEY_ENTER;
    else if (letter == 'I')
        key = KEY_TAB;
    for (size_t i = 0; key == KEY_UNKNOWN && keypad[i]; i += 2)
        if (keypad[i] == letter)
            key = (key_code)keypad[i + 1];
    return take_sequence(input, sink, at + 1, key);
}

/* ESC and one of ] P _ ^ X begin a string that ends in ESC \ (or BEL). Esc, then `]` or `P`, are
 * also two keys that a slow line may deliver as one piece: answers go on in certain ways only. */
static bool begins_string(char kind, char next)
{
    switch (kind) {
    case ']':
        return (next >= '0' && next <= '9') || next == 'l' || next == 'L';
    case 'P':
        return (next >= '0' && next <= '9') || (next && strchr("!$+=>|", next));
    default:
        return next >= ' ' && next < DEL;
    }
}

static bool take_string(struct input *input, const struct sink *sink)
{
    if (input->pending_length == 2)
        return false;
    if (!begins_string(input->pending[1], input->pending[2]))
        return take_escape(input, sink);
    input->pending_length = 0;
    input->swallowed = 3;
    input->state = INPUT_STRING;
    return false;
}

/* The key of a terminfo string that stands here (its length in *length); *longer: one that begins
 * like this has more bytes. */
static key_code find_sequence(const struct input *input, size_t *length, bool *longer)
{
    key_code key = KEY_NONE;
    *longer = false;
    for (size_t i = 0; i < input->sequence_count; i++) {
        const struct input_sequence *one = &input->sequences[i];
        size_t common = one->length < input->pending_length ? one->length : input->pending_length;
        if (memcmp(one->bytes, input->pending, common) != 0)
            continue;
        if (one->length > input->pending_length) {
            *longer = true;
        } else if (key == KEY_NONE || one->length > *length) {
            key = one->key;
            *length = one->length;
        }
    }
    return key;
}

/* Takes one key from what is pending; false: more bytes are needed. */
static bool take_key(struct input *input, const struct sink *sink)
{
    unsigned char first = (unsigned char)input->pending[0];
    if (first >= 0x80)
        return take_character(input, sink);
    if (first != ESC) {
        consume(input, 1);
        emit(sink, plain_key(first));
        return true;
    }
    if (input->pending_length == 1)
        return false;
    size_t length = 0;
    bool longer;
    key_code key = find_sequence(input, &length, &longer);
    if (longer)
        return false;
    if (key != KEY_NONE)
        return take_sequence(input, sink, length, key);
    switch (input->pending[1]) {
    case '[':
        return take_control(input, sink);
    case 'O':
        return take_keypad(input, sink);
    case ']':
    case 'P':
    case '_':
    case '^':
    case 'X':
        return take_string(input, sink);
    default:
        return take_escape(input, sink);
    }
}

static void add_byte(struct input *input, char byte, const struct sink *sink)
{
    input->pending[input->pending_length++] = byte;
    while (input->state == INPUT_KEYS && input->pending_length > 0 && take_key(input, sink))
        continue;
}

/* -- what is swallowed, and pastes */

static void swallow_control(struct input *input, char byte, const struct sink *sink)
{
    unsigned char value = (unsigned char)byte;
    if (value >= ' ' && value < 0x40)
        return;
    input->state = INPUT_KEYS;
    if (value < ' ' || value >= DEL)
        add_byte(input, byte, sink);
}

/* No answer holds a control character: one that comes all the same was typed, and ends the string
 * for us, so that a string without an end can't eat Enter, Ctrl-C or an arrow key. */
static void swallow_string(struct input *input, char byte, const struct sink *sink)
{
    unsigned char value = (unsigned char)byte;
    if (input->pending_length > 0) { /* an ESC: the end, or the beginning of something else */
        input->state = INPUT_KEYS;
        if (byte == '\\')
            input->pending_length = 0;
        else
            add_byte(input, byte, sink);
        return;
    }
    if (value == ESC) {
        input->pending[input->pending_length++] = byte;
    } else if (value == BEL) {
        input->state = INPUT_KEYS;
    } else if (value < ' ' || value == DEL) {
        input->state = INPUT_KEYS;
        add_byte(input, byte, sink);
    } else if (++input->swallowed > STRING_MOST) {
        input->state = INPUT_KEYS;
    }
}

/* Makes the paste fit for a text field, in place. */
static void clean_paste(struct buffer *paste)
{
    size_t to = 0;
    for (size_t from = 0; from < paste->length;) {
        const char *bytes = paste->data + from;
        size_t width = utf8_character_length(bytes, paste->length - from);
        uint32_t point = width ? utf8_decode(bytes, width) : 0;
        if (point == '\r') {
            bool both = from + 1 < paste->length && bytes[1] == '\n';
            from += both ? 2 : 1;
            paste->data[to++] = '\n';
            continue;
        }
        bool control = point < ' ' || (point >= DEL && point < 0xa0);
        if (!control || point == '\n' || point == '\t') {
            memmove(paste->data + to, bytes, width);
            to += width;
        }
        from += width ? width : 1;
    }
    paste->length = to;
}

static void end_paste(struct input *input, const struct sink *sink)
{
    input->state = INPUT_KEYS;
    input->mark_length = 0;
    clean_paste(&input->paste);
    emit(sink, KEY_PASTE);
    buffer_destroy(&input->paste);
    buffer_init(&input->paste);
}

static void add_paste(struct input *input, const char *bytes, size_t length)
{
    size_t room = INPUT_PASTE_MOST - input->paste.length;
    buffer_append(&input->paste, bytes, length < room ? length : room, NULL);
}

static void paste_byte(struct input *input, char byte, const struct sink *sink)
{
    if (byte == paste_end[input->mark_length]) {
        if (++input->mark_length == sizeof paste_end - 1)
            end_paste(input, sink);
        return;
    }
    add_paste(input, paste_end, input->mark_length);
    input->mark_length = byte == ESC ? 1 : 0; /* the mark begins with its only ESC */
    if (byte != ESC)
        add_paste(input, &byte, 1);
}

/* -- the interface */

void input_feed(struct input *input, const char *bytes, size_t length,
                void (*key)(void *context, key_code key), void *context)
{
    struct sink sink = {key, context};
    input->patience = 0;
    for (size_t i = 0; i < length; i++) {
        switch (input->state) {
        case INPUT_KEYS:
            add_byte(input, bytes[i], &sink);
            break;
        case INPUT_CONTROL:
            swallow_control(input, bytes[i], &sink);
            break;
        case INPUT_STRING:
            swallow_string(input, bytes[i], &sink);
            break;
        case INPUT_PASTE:
            paste_byte(input, bytes[i], &sink);
            break;
        }
    }
}

bool input_waits(const struct input *input)
{
    return input->state != INPUT_KEYS || (input->pending_length > 0 && input->pending[0] == ESC);
}

void input_flush(struct input *input, void (*key)(void *context, key_code key), void *context)
{
    struct sink sink = {key, context};
    if (!input_waits(input))
        return;
    unsigned most = input->state == INPUT_PASTE ? INPUT_PASTE_PATIENCE : INPUT_SEQUENCE_PATIENCE;
    bool short_one =
        input->pending_length <= 2 || (input->pending_length == 3 && input->pending[2] == '[');
    bool typed = input->state == INPUT_KEYS || /* or Esc, to get out of a string without an end */
                 (input->state == INPUT_STRING && input->pending_length > 0);
    if (typed && short_one) {
        input->state = INPUT_KEYS;
        take_escape(input, &sink);
        while (input->pending_length > 0 && take_key(input, &sink))
            continue;
    } else if (++input->patience >= most) {
        if (input->state == INPUT_PASTE)
            end_paste(input, &sink);
        input->state = INPUT_KEYS;
        input->pending_length = 0;
    }
}

struct slice input_paste(const struct input *input)
{
    return buffer_slice(&input->paste);
}
