/* Any bytes from a server: a replication message around a pgoutput message, a row of COPY, a value
 * of each type. Read or refused; what a value becomes is JSON. */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/base/utf8.h"
#include "plugins/postgres/captured_value.h"
#include "plugins/postgres/pgoutput.h"
#include "plugins/postgres/table_copy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void trap_unless(bool good)
{
    if (!good)
        __builtin_trap();
}

static void read_message(struct slice bytes)
{
    static struct pgoutput_message message; /* its arrays are used again, as a capture does */
    struct replication_message outer;
    struct error error = {0};
    if (!replication_decode(bytes, &outer, &error)) {
        trap_unless(error.kind != ERROR_NONE);
        return;
    }
    if (!outer.keepalive && !pgoutput_decode(outer.body, &message, &error))
        trap_unless(error.kind == ERROR_INPUT || error.kind == ERROR_UNSUPPORTED);
}

static void read_row(const uint8_t *data, size_t size)
{
    struct pgoutput_value values[8];
    char *line = malloc(size ? size : 1);
    if (line == NULL)
        return;
    memcpy(line, data, size);
    for (size_t count = 0; count <= 8; count++) {
        if (!table_copy_split(line, size, values, count))
            continue;
        for (size_t i = 0; i < count; i++)
            trap_unless(values[i].text.data >= line &&
                        values[i].text.data + values[i].text.length <= line + size);
        break;
    }
    free(line);
}

static void read_value(uint8_t choice, struct slice text)
{
    struct captured_type type = {.form = choice % (CAPTURED_VECTOR + 1),
                                 .array = choice & 64,
                                 .delimiter = ',',
                                 .fraction = choice % 7};
    struct captured_writer writer = {0};
    struct buffer out = {0};
    struct error error = {0};
    bool ok = captured_append(&writer, &out, &type, text, &error);
    trap_unless(ok || error.kind == ERROR_INPUT);
    trap_unless(ok || out.length == 0);
    /* The server sends UTF-8 without NUL; numbers beyond 64 bits are not jansson's to judge. */
    bool judged = ok && utf8_valid(text.data, text.length) &&
                  memchr(text.data ? text.data : "", 0, text.length) == NULL &&
                  type.form != CAPTURED_NUMBER && type.form != CAPTURED_TIMESTAMP &&
                  type.form != CAPTURED_FLOAT && type.form != CAPTURED_VECTOR &&
                  type.form != CAPTURED_POINT;
    if (judged && !type.array) {
        json_t *json = json_loadb(out.data, out.length, JSON_DECODE_ANY, NULL);
        trap_unless(json != NULL);
        json_decref(json);
    }
    buffer_destroy(&out);
    captured_writer_destroy(&writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    switch (data[0] % 3) {
    case 0:
        read_message(slice_make(data + 1, size - 1));
        break;
    case 1:
        read_row(data + 1, size - 1);
        break;
    default:
        read_value(data[1], slice_make(data + 2, size - 2));
        break;
    }
    return 0;
}
