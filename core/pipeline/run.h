/* run.h: a run's event file, the record of every change to the world (design 2):
 * <state>/runs/<number>.jsonl, one JSON object a line, each with "at" (UTC) and "event". Its writer
 * holds an flock on it: without the lock a run that has no end event has died. */
#ifndef SURFBOARD_PIPELINE_RUN_H
#define SURFBOARD_PIPELINE_RUN_H

#include <jansson.h>

#include "core/base/error.h"
#include "core/config/profile.h"

enum { RUN_FORMAT = 1 };

struct run;

/* The next free number; writes {"event":"start","format":1,"run","verb","object","user","host",
 * "pid","boot","started","binary","version"}. */
struct run *run_begin(const struct profile *profile, const char *verb, const char *object,
                      struct error *error);
const char *run_id(const struct run *run); /* "0412" */
/* Appends one event; takes over the reference. `milestone` events are fsynced. Thread-safe. */
bool run_event(struct run *run, json_t *event, bool milestone, struct error *error);
/* {"event":"end","exit":code[,"error":{…}]}, fsynced; closes. NULL run: nothing. */
bool run_end(struct run *run, int exit_code, const struct error *failure, struct error *error);

struct run_summary {
    char *id, *verb, *object, *by, *started, *ended;
    const char *state; /* "running", "done", "failed", "died", "interrupted" */
    int exit_code;     /* -1 while it runs or when it died */
    json_t *last;      /* its last event */
};

struct run_list {
    struct run_summary *runs; /* newest first */
    size_t count;
};

bool run_list_load(const struct profile *profile, size_t most, struct run_list *out,
                   struct error *error);
void run_list_destroy(struct run_list *list);

#endif
