/* Any bytes as an answer of S3: read or refused, never a crash, a leak or a hang. */
#include <stddef.h>
#include <stdint.h>

#include "core/store/s3_store.h"
#include "core/store/s3_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    size_t bytes, most;
};

/* What comes out is never more than went in. */
static bool count(void *context, const char *path, struct slice text, struct error *error)
{
    struct seen *seen = context;
    seen->bytes += text.length;
    if (strlen(path) >= S3_XML_PATH_SIZE || text.length > seen->most)
        __builtin_trap();
    return seen->bytes < 1 << 20 || error_set(error, ERROR_INPUT, NULL, "enough");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = {0};
    struct seen seen = {0, size};
    if (!s3_xml_walk(slice_make(data, size), NULL, count, &seen, &error) &&
        (error.kind == ERROR_NONE || error.message[0] == '\0'))
        __builtin_trap();
    struct http_answer answer = {.status = 400};
    struct s3_trouble trouble;
    if (buffer_append(&answer.body, data, size, NULL)) {
        s3_read_trouble(&answer, &trouble);
        for (const char *at = trouble.message; *at; at++)
            if ((unsigned char)*at < 0x20)
                __builtin_trap();
    }
    http_answer_destroy(&answer);
    return 0;
}
