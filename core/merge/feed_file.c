#include "core/merge/feed_file.h"

#include <stdlib.h>

#include "core/base/fault.h"
#include "core/base/memory.h"
#include "core/store/store.h"

enum { TEXT_CHUNK = 1 << 20, PACKED_CHUNK = 1 << 18 };
static const size_t longest_line = (size_t)1 << 30;

bool feed_file_open(struct feed_file *file, struct store *store, const char *key, enum codec codec,
                    struct error *error)
{
    feed_file_close(file);
    TRY(FAULT("feed.file.before-open", error));
    TRY(memory_grow(&file->text, &file->text_room, TEXT_CHUNK, 1, error));
    TRY(store_source_open(store, key, &file->source, error));
    file->begin = file->end = 0;
    file->read_at = file->line = file->byte = file->next_byte = 0;
    file->at_end = file->torn = file->shrunk = false;
    file->packed_left = (struct slice){0};
    if (file->stream && file->codec != codec) {
        codec_stream_close(file->stream);
        file->stream = NULL;
    }
    file->codec = codec;
    if (codec == CODEC_NONE)
        return true;
    if (file->stream)
        return codec_stream_reset(file->stream, error);
    file->stream = codec_stream_open(codec, error);
    return file->stream != NULL &&
           memory_grow(&file->packed, &file->packed_room, PACKED_CHUNK, 1, error);
}

void feed_file_close(struct feed_file *file)
{
    store_source_close(&file->source);
    file->source = (struct source){0};
}

void feed_file_destroy(struct feed_file *file)
{
    feed_file_close(file);
    codec_stream_close(file->stream);
    free(file->packed);
    free(file->text);
    *file = (struct feed_file){0};
}

/* Reads at most `room` bytes of the file as it lies there; 0 at its end. A file that shrank since
 * it was opened reads as torn. */
static bool read_some(struct feed_file *file, char *out, size_t room, size_t *got,
                      struct error *error)
{
    uint64_t left = file->source.size - file->read_at;
    *got = left < room ? (size_t)left : room;
    if (*got == 0)
        return true;
    struct error problem = {0};
    TRY(FAULT("feed.file.read", error));
    if (!source_read(&file->source, file->read_at, out, *got, &problem)) {
        if (problem.kind != ERROR_INPUT) {
            if (error)
                *error = problem;
            return false;
        }
        file->torn = file->shrunk = true;
        *got = 0;
        return true;
    }
    file->read_at += *got;
    file->bytes_read += *got;
    return true;
}

/* Decodes into the room behind file->end. */
static bool decode_some(struct feed_file *file, size_t *got, struct error *error)
{
    for (;;) {
        size_t before = file->packed_left.length;
        TRY(codec_stream_decode(file->stream, &file->packed_left, file->text + file->end,
                                file->text_room - file->end, got, error));
        if (*got)
            return true;
        if (file->packed_left.length) {
            if (file->packed_left.length < before)
                continue;
            return error_set(error, ERROR_INPUT, "write the file again",
                             "the compressed text is damaged");
        }
        size_t packed = 0;
        TRY(read_some(file, file->packed, file->packed_room, &packed, error));
        file->packed_left = slice_make(file->packed, packed);
        if (packed == 0) {
            file->torn |= file->source.size > 0 && !codec_stream_ended(file->stream);
            return true;
        }
    }
}

/* Brings more text behind what is left, which moves to the front; *got 0 at the end. */
static bool fill(struct feed_file *file, size_t *got, struct error *error)
{
    size_t left = file->end - file->begin;
    if (file->begin && left)
        memmove(file->text, file->text + file->begin, left);
    file->begin = 0;
    file->end = left;
    if (left > longest_line)
        return error_set(error, ERROR_INPUT, "find out what wrote this file",
                         "a line of more than 1 GiB");
    TRY(memory_grow(&file->text, &file->text_room, left + TEXT_CHUNK, 1, error));
    if (file->codec == CODEC_NONE)
        TRY(read_some(file, file->text + file->end, file->text_room - file->end, got, error));
    else
        TRY(decode_some(file, got, error));
    bool first = file->next_byte == 0 && left == 0;
    file->end += *got;
    if (first && file->end >= 3 && memcmp(file->text, "\xEF\xBB\xBF", 3) == 0) {
        file->begin = 3;
        file->next_byte = 3;
    }
    return true;
}

static bool is_blank(struct slice line)
{
    for (size_t i = 0; i < line.length; i++) {
        if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r')
            return false;
    }
    return true;
}

/* The next line, blank or not; what was searched once is not searched again. */
static bool any_line(struct feed_file *file, struct slice *line, enum feed_line *kind,
                     struct error *error)
{
    size_t searched = 0;
    for (;;) {
        const char *start = file->text + file->begin;
        size_t length = file->end - file->begin;
        const char *newline =
            length > searched ? memchr(start + searched, '\n', length - searched) : NULL;
        if (newline || file->at_end) {
            size_t size = newline ? (size_t)(newline - start) : length;
            *kind = newline      ? FEED_LINE
                    : file->torn ? FEED_LINE_TORN
                    : size == 0  ? FEED_LINE_END
                                 : FEED_LINE_LAST;
            *line = slice_make(start, size);
            file->byte = file->next_byte;
            file->line += newline || size;
            file->begin += size + (newline != NULL);
            file->next_byte += size + (newline != NULL);
            return true;
        }
        searched = length;
        size_t got = 0;
        TRY(fill(file, &got, error));
        file->at_end = got == 0;
    }
}

bool feed_file_line(struct feed_file *file, struct slice *line, enum feed_line *kind,
                    struct error *error)
{
    do {
        TRY(any_line(file, line, kind, error));
    } while ((*kind == FEED_LINE || *kind == FEED_LINE_LAST) && is_blank(*line));
    return true;
}
