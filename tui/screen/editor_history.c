/* The statements of earlier sessions: <state>/query_history. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "tui/screen/editor.h"

static bool put_line(struct buffer *out, struct slice statement, struct error *error)
{
    for (size_t i = 0; i < statement.length; i++) {
        char byte = statement.data[i];
        bool escaped = byte == '\n' || byte == '\\';
        TRY((!escaped || buffer_append_byte(out, '\\', error)) &&
            buffer_append_byte(out, (uint8_t)(byte == '\n' ? 'n' : byte), error));
    }
    return buffer_append_byte(out, '\n', error);
}

/* In place. */
static void undo_escapes(char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        if (*at == '\\' && (at[1] == 'n' || at[1] == '\\'))
            *to++ = *++at == 'n' ? '\n' : '\\';
        else
            *to++ = *at;
    }
    *to = '\0';
}

static bool add_line(struct editor_history *out, struct slice line, struct error *error)
{
    if (line.length == 0 || line.length > EDITOR_BYTES_MOST || memchr(line.data, 0, line.length))
        return true;
    TRY(memory_grow(&out->statements, &out->capacity, out->count + 1, sizeof(char *), error));
    char *copy = memory_copy_slice(line, error);
    TRY(copy != NULL);
    undo_escapes(copy);
    out->statements[out->count++] = copy;
    return true;
}

static void drop_first(struct editor_history *history, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(history->statements[i]);
    history->count -= count;
    memmove(history->statements, history->statements + count,
            history->count * sizeof *history->statements);
}

/* Rewritten when it has twice as many as are kept. */
static bool shorten(const char *path, struct editor_history *history, struct error *error)
{
    struct buffer text = {0};
    bool ok = true;
    drop_first(history, history->count - EDITOR_HISTORY_MOST);
    for (size_t i = 0; ok && i < history->count; i++)
        ok = put_line(&text, slice_of(history->statements[i]), error);
    ok = ok && file_write_atomic(path, buffer_slice(&text), 0600, error);
    buffer_destroy(&text);
    return ok;
}

bool editor_history_load(const char *path, struct editor_history *out, struct error *error)
{
    struct buffer text = {0};
    struct error own = {0};
    bool ok = file_read(path, &text, &own);
    if (!ok) {
        buffer_destroy(&text);
        if (own.kind == ERROR_NOT_FOUND)
            return true;
        *error = own;
        return false;
    }
    for (size_t at = 0; ok && at < text.length;) {
        const char *end = memchr(text.data + at, '\n', text.length - at);
        size_t length = (end ? (size_t)(end - text.data) : text.length) - at;
        /* A last line without its end was torn by a crash. */
        ok = end == NULL || add_line(out, (struct slice){text.data + at, length}, error);
        at += length + 1;
    }
    buffer_destroy(&text);
    if (ok && out->count > 2 * EDITOR_HISTORY_MOST)
        ok = shorten(path, out, error);
    else if (ok && out->count > EDITOR_HISTORY_MOST)
        drop_first(out, out->count - EDITOR_HISTORY_MOST);
    return ok;
}

void editor_history_destroy(struct editor_history *history)
{
    for (size_t i = 0; i < history->count; i++)
        free(history->statements[i]);
    free(history->statements);
    *history = (struct editor_history){0};
}

/* A line that a crash tore off is closed, so that the next one stands alone. */
static bool close_torn(int fd, struct buffer *line, struct error *error)
{
    char last = '\n';
    off_t size = lseek(fd, 0, SEEK_END);
    if (size > 0 && pread(fd, &last, 1, size - 1) != 1)
        last = '\n';
    return last == '\n' || buffer_append_byte(line, '\n', error);
}

bool editor_history_append(const char *path, struct slice statement, struct error *error)
{
    struct buffer line = {0};
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok = fd >= 0 || error_set_system(error, errno, "%s", path);
    ok = ok && close_torn(fd, &line, error) && put_line(&line, statement, error) &&
         file_write_all(fd, line.data, line.length, path, error);
    if (fd >= 0)
        close(fd);
    buffer_destroy(&line);
    return ok;
}

/* Any literal near a word for passwords: too careful rather than too late. */
bool editor_history_may(struct slice statement)
{
    static const char *const words[] = {"password", "passwd", "secret", "pgpass", "credential"};
    bool literal = statement.length && (memchr(statement.data, '\'', statement.length) ||
                                        memchr(statement.data, '$', statement.length));
    for (size_t at = 0; literal && at < statement.length; at++)
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            size_t length = strlen(words[i]);
            if (statement.length - at >= length &&
                strncasecmp(statement.data + at, words[i], length) == 0)
                return false;
        }
    return true;
}
