#include "tui/screen/run_reader.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"

struct run_reader {
    struct app *app;
    char run[RUN_ID_SIZE];
    bool from_start, first; /* first: no line was given out yet */
    bool closed;            /* its owner is gone: the job frees it */
    struct run_tail *tail;
    struct job *job;
    struct run_piece piece;
    run_reader_heard *heard;
    void *context;
};

struct run_reader *run_reader_open(struct app *app, const char *run, bool from_start,
                                   run_reader_heard *heard, void *context, struct error *error)
{
    struct run_reader *reader = memory_zero(1, sizeof *reader, error);
    if (reader == NULL)
        return NULL;
    *reader = (struct run_reader){
        .app = app, .from_start = from_start, .first = true, .heard = heard, .context = context};
    snprintf(reader->run, sizeof reader->run, "%s", run);
    return reader;
}

static void reader_destroy(struct run_reader *reader)
{
    run_tail_close(reader->tail);
    buffer_destroy(&reader->piece.raw);
    buffer_destroy(&reader->piece.words);
    buffer_destroy(&reader->piece.styles);
    free(reader);
}

bool run_reader_busy(const struct run_reader *reader)
{
    return reader->job != NULL;
}

/* ---- on a worker ---- */

static bool reader_take(struct run_reader *reader, struct slice line, const json_t *event,
                        struct error *error)
{
    struct run_piece *piece = &reader->piece;
    if (reader->first) {
        piece->from_start = run_tail_offset(reader->tail) == (int64_t)line.length + 1;
        reader->first = false;
    }
    TRY(buffer_append_slice(&piece->raw, line, error) &&
        buffer_append_byte(&piece->raw, '\n', error));
    enum style style = run_event_words(event, line, &piece->words);
    return buffer_append_byte(&piece->words, '\n', error) &&
           buffer_append_byte(&piece->styles, (uint8_t)style, error);
}

static bool reader_run(struct job *job, void *context, struct error *error)
{
    struct run_reader *reader = context;
    struct run_piece *piece = &reader->piece;
    struct slice line = {"", 0};
    if (reader->tail == NULL)
        reader->tail = run_tail_open(&reader->app->profile, reader->run,
                                     reader->from_start ? 0 : -RUN_READER_TAIL, error);
    TRY(reader->tail);
    bool ok = true;
    while (ok && line.data && piece->raw.length < RUN_READER_PIECE &&
           !atomic_load(job_stop_flag(job))) {
        json_t *event = NULL;
        ok = run_tail_next(reader->tail, &line, &event, error);
        if (ok && line.data)
            ok = reader_take(reader, line, event, error);
        json_decref(event);
    }
    piece->more = line.data != NULL;
    piece->state = run_tail_state(reader->tail);
    piece->exit_code = run_tail_exit_code(reader->tail);
    return ok;
}

static void reader_done(void *context, bool ok, const struct error *error)
{
    struct run_reader *reader = context;
    reader->job = NULL;
    if (reader->closed) {
        reader_destroy(reader);
        return;
    }
    reader->app->dirty = true;
    struct run_piece piece = reader->piece;
    reader->piece = (struct run_piece){.from_start = piece.from_start};
    /* May close the reader. */
    reader->heard(reader->context, &piece, ok ? NULL : error);
    buffer_destroy(&piece.raw);
    buffer_destroy(&piece.words);
    buffer_destroy(&piece.styles);
}

static const struct job_kind reader_job = {"events", 0, reader_run, reader_done};

/* ---- on the screen's thread ---- */

void run_reader_read(struct run_reader *reader)
{
    if (reader->job)
        return;
    reader->job = app_job(reader->app, &reader_job, reader);
}

void run_reader_close(struct run_reader *reader)
{
    if (reader == NULL)
        return;
    reader->closed = true;
    if (reader->job)
        job_stop(reader->job);
    else
        reader_destroy(reader);
}
