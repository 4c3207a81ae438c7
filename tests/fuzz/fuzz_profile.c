/* Any bytes as a profile: read or refused, never a crash, a leak or a hang. */
#include <stddef.h>
#include <stdint.h>

#include "core/config/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct profile profile;
    struct error error = {0};
    if (profile_parse(slice_make(data, size), "/fuzz/profile.yaml", &profile, &error))
        profile_destroy(&profile);
    else if (error.kind == ERROR_NONE || error.message[0] == '\0')
        __builtin_trap();
    return 0;
}
