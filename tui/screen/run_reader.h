/* run_reader.h: a run's event file for the screen, piece by piece on a worker: from near its end,
 * or from its start, never whole. One job at a time; who asked may be gone when it is done. */
#ifndef SURFBOARD_TUI_SCREEN_RUN_READER_H
#define SURFBOARD_TUI_SCREEN_RUN_READER_H

#include "core/pipeline/run_tail.h"
#include "tui/screen/app.h"

enum { RUN_READER_TAIL = 256 << 10, RUN_READER_PIECE = 512 << 10 };

struct run_reader;

/* What one job brought: lines with what they say, in the order of the file. */
struct run_piece {
    struct buffer raw, words; /* each line ended by a newline, as many in both */
    struct buffer styles;     /* a byte a line: enum style */
    bool more;                /* the file has more already */
    bool from_start;          /* nothing stands before the first line of this reader */
    enum run_tail_state state;
    int exit_code;
};

/* `heard` is called on the screen's thread for each piece, also an empty one; error NULL: well. */
typedef void run_reader_heard(void *context, const struct run_piece *piece,
                              const struct error *error);

/* `from_start`: begins with the first event; else about the last RUN_READER_TAIL bytes. Reads
 * nothing yet. NULL: no memory. */
struct run_reader *run_reader_open(struct app *app, const char *run, bool from_start,
                                   run_reader_heard *heard, void *context, struct error *error);
/* Reads the next piece, unless it does already. */
void run_reader_read(struct run_reader *reader);
bool run_reader_busy(const struct run_reader *reader);
/* `heard` is not called any more. NULL is fine. */
void run_reader_close(struct run_reader *reader);

/* An event in words: time, name, main figures. Appends one line without newline; returns its
 * style. */
enum style run_event_words(const json_t *event, struct slice line, struct buffer *out);

#endif
