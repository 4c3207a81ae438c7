/* Any bytes as a theme: read or refused, never a crash, a leak or a hang. */
#include <stddef.h>
#include <stdint.h>

#include "tui/screen/style.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct theme theme;
    struct error error = {0};
    if (!theme_parse(slice_make(data, size), "fuzz.yaml", &theme, &error) &&
        (error.kind == ERROR_NONE || error.message[0] == '\0'))
        __builtin_trap();
    for (size_t i = 0; i < STYLE_COUNT; i++) {
        char bytes[LOOK_BYTES_MOST];
        if (look_sequence(&theme.looks[i], COLORS_TRUE, bytes) > sizeof bytes)
            __builtin_trap();
    }
    return 0;
}
