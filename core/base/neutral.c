#include "core/base/neutral.h"

#include "core/base/utf8.h"

bool neutral_is_unsafe(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0xAD || point == 0x61C ||
           (point >= 0x200B && point <= 0x200F) || (point >= 0x2028 && point <= 0x202E) ||
           (point >= 0x2060 && point <= 0x206F) || point == 0xFEFF ||
           (point >= 0xFFF0 && point <= 0xFFFB) || (point >= 0xE0000 && point <= 0xE00FF) ||
           (point >= 0xE01F0 && point <= 0xE0FFF);
}

bool neutral_append(struct buffer *out, struct slice text, const char *mark, struct error *error)
{
    size_t clean = 0; /* bytes from here to i are fine and not yet appended */
    size_t i = 0;
    while (i < text.length) {
        size_t width = utf8_character_length(text.data + i, text.length - i);
        if (width && !neutral_is_unsafe(utf8_decode(text.data + i, width))) {
            i += width;
            continue;
        }
        TRY(buffer_append(out, text.data + clean, i - clean, error));
        TRY(buffer_append_text(out, mark, error));
        i += width ? width : 1;
        clean = i;
    }
    return clean >= i || buffer_append(out, text.data + clean, i - clean, error);
}
