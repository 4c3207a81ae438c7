/* feed_file.h: the lines of one delta file, read in chunks; private to core/merge's feed. */
#ifndef SURFBOARD_MERGE_FEED_FILE_H
#define SURFBOARD_MERGE_FEED_FILE_H

#include "core/base/stream.h"
#include "core/codec/codec.h"

struct store;

enum feed_line {
    FEED_LINE,      /* a line that its newline ends */
    FEED_LINE_LAST, /* the last one, without a newline */
    FEED_LINE_END,  /* no more */
    FEED_LINE_TORN  /* the compressed stream ends early, or the file shrank: what could be had of
                       the last line is lost too */
};

/* Buffers are kept from file to file. Zero-initialise. */
struct feed_file {
    struct source source; /* zeroed: closed */
    struct codec_stream *stream;
    enum codec codec;
    char *packed; /* compressed bytes on their way in */
    size_t packed_room;
    struct slice packed_left;
    char *text;
    size_t text_room;
    size_t begin, end;   /* of what was not handed out yet, in text */
    uint64_t read_at;    /* bytes read of the source */
    uint64_t line, byte; /* of the line handed out last: from 1; its start in the text */
    uint64_t next_byte;
    uint64_t bytes_read; /* of all files so far */
    bool at_end, torn, shrunk;
};

/* `codec` as the file's name says. ERROR_NOT_FOUND when it is gone. */
bool feed_file_open(struct feed_file *file, struct store *store, const char *key, enum codec codec,
                    struct error *error);
/* The next line that is not blank, without its newline; good until the next call. A byte-order mark
 * at the start of the file is stepped over. ERROR_INPUT: damaged compression, a line beyond 1 GiB.
 */
bool feed_file_line(struct feed_file *file, struct slice *line, enum feed_line *kind,
                    struct error *error);
void feed_file_close(struct feed_file *file);
void feed_file_destroy(struct feed_file *file);

#endif
