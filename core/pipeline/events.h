/* events.h: changes of state, <state>/events.jsonl: one JSON object a line,
 *   {"format":1,"at","object","from","to","why","by","run"}
 * written by whoever saw it (a verb, the screen), shared by all operators of a state. Appended
 * under a lock, one write a line; a line that a crash tore is closed by the next writer and passed
 * over by readers. */
#ifndef SURFBOARD_PIPELINE_EVENTS_H
#define SURFBOARD_PIPELINE_EVENTS_H

#include <stdint.h>

#include "core/base/error.h"
#include "core/config/profile.h"

enum { EVENTS_FORMAT = 1 };

struct state_event {
    int64_t at_us;         /* UTC; writing: 0 is now */
    const char *object;    /* "shop" (a stream), "connector shop", … */
    const char *from, *to; /* states; from "" or NULL: not known */
    const char *why;       /* NULL: nothing to say */
    const char *by;        /* user@host; writing: NULL is us */
    const char *run;       /* id; NULL: none */
};

/* Appends one, and makes the state folder when it is not there. */
bool events_append(const struct profile *profile, const struct state_event *event,
                   struct error *error);
/* Appends only when the last known state of the object is another one than `to` (or none), and
 * fills in `from`. What only looks calls this: nothing is made and nothing fails when there is no
 * state folder, or none that this user may write. *written may be NULL. */
bool events_note(const struct profile *profile, const char *object, const char *to, const char *why,
                 bool *written, struct error *error);

struct event_list {
    struct state_event *events; /* oldest first */
    size_t count;
    struct arena *arena;
};

/* The newest `most` events since `since_us` (0: ever) of `object` (NULL: all). No file is an empty
 * list. ERROR_CONFIG with the remedy where a line has a newer format. Looks at the last 8 MiB. */
bool events_load(const struct profile *profile, const char *object, int64_t since_us, size_t most,
                 struct event_list *out, struct error *error);
void event_list_destroy(struct event_list *list);

#endif
