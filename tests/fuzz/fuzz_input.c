/* Any bytes from a terminal: cut anywhere they give the same keys, and once the decoder has given
 * up waiting, the next plain key is that key. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/utf8.h"
#include "tui/screen/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
    struct input *input;
    uint64_t hash;
    size_t count;
    key_code last;
};

static void mix(struct heard *heard, uint64_t value)
{
    heard->hash = (heard->hash ^ value) * 0x100000001b3u;
}

static void hear(void *context, key_code key)
{
    struct heard *heard = context;
    if (key == KEY_NONE || key == KEY_UNKNOWN || (key > KEY_MOUSE && !(key & KEY_CTRL)))
        __builtin_trap();
    if (key == KEY_PASTE) {
        struct slice text = input_paste(heard->input);
        if (text.length > INPUT_PASTE_MOST || !utf8_valid(text.data, text.length))
            __builtin_trap();
        for (size_t i = 0; i < text.length; i++)
            mix(heard, (uint8_t)text.data[i]);
    }
    if (key == KEY_MOUSE) {
        if (heard->input->mouse.row < 0 || heard->input->mouse.column < 0)
            __builtin_trap();
        mix(heard, (uint64_t)heard->input->mouse.row);
        mix(heard, (uint64_t)heard->input->mouse.column);
    }
    mix(heard, key);
    heard->count++;
    heard->last = key;
}

/* `piece` bytes at a time; then patience, then a key. */
static void decode(const char *bytes, size_t size, size_t piece, struct heard *heard)
{
    struct input input;
    input_init(&input, false);
    *heard = (struct heard){.input = &input};
    for (size_t at = 0; at < size; at += piece)
        input_feed(&input, bytes + at, size - at < piece ? size - at : piece, hear, heard);
    for (unsigned i = 0; i < INPUT_PASTE_PATIENCE + INPUT_SEQUENCE_PATIENCE; i++)
        input_flush(&input, hear, heard);
    if (input_waits(&input))
        __builtin_trap();
    size_t before = heard->count;
    input_feed(&input, "q", 1, hear, heard);
    if (heard->count != before + 1 || heard->last != 'q')
        __builtin_trap();
    input_destroy(&input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heard whole, pieces;
    if (size == 0)
        return 0;
    const char *bytes = (const char *)data + 1;
    decode(bytes, size - 1, size, &whole);
    decode(bytes, size - 1, 1 + data[0] % 16, &pieces);
    if (whole.hash != pieces.hash || whole.count != pieces.count)
        __builtin_trap();
    return 0;
}
