/* run_tail.h: a run's events one by one as they are written, from the first or from an offset: what
 * `attach` and the screen read. Never blocks but for the local file; one tail is for one thread. */
#ifndef SURFBOARD_PIPELINE_RUN_TAIL_H
#define SURFBOARD_PIPELINE_RUN_TAIL_H

#include <jansson.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/config/profile.h"

struct run_tail;

enum run_tail_state {
    RUN_TAIL_ALIVE, /* more may come */
    RUN_TAIL_ENDED, /* its end event was given out */
    RUN_TAIL_DIED   /* nobody holds its lock, and there is no end event: nothing comes any more */
};

/* ERROR_NOT_FOUND: no such run. ERROR_CONFIG: a newer format than ours, with the remedy. `offset` 0
 * begins at the first event; one that run_tail_offset() gave goes on there; a negative one begins
 * with about the last -offset bytes, at a whole line. */
struct run_tail *run_tail_open(const struct profile *profile, const char *id, int64_t offset,
                               struct error *error);
/* The next whole line, without its newline, borrowed until the next call; line->data NULL when
 * there is none for now. `event`, when not NULL, gets the line as JSON: a new reference, NULL where
 * there is no line or the line is no JSON (torn by a crash). */
bool run_tail_next(struct run_tail *tail, struct slice *line, json_t **event, struct error *error);
/* As of the last run_tail_next() that found no line. */
enum run_tail_state run_tail_state(const struct run_tail *tail);
int run_tail_exit_code(const struct run_tail *tail);  /* ENDED: of the run; else -1 */
int64_t run_tail_offset(const struct run_tail *tail); /* behind the last line that was given out */
void run_tail_close(struct run_tail *tail);           /* NULL is fine */

#endif
