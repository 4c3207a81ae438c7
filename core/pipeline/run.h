/* run.h: a run's event file, the record of every change to the world (design 2):
 * <state>/runs/<number>.jsonl, one JSON object a line, each with "at" (UTC) and "event". Its writer
 * holds an flock on it: without the lock a run that has no end event has died.
 *
 * Events that every reader knows; a verb adds its own beside them:
 *   start     format, run, verb, object, user, host, pid, boot, started (clock ticks since boot),
 *             binary, version, and when the run can be begun again: arguments, resumes
 *   progress  phase, done, unit; where known: total, rate (units a second), eta_s
 *   waiting   for, since_s; where there is one: limit_s
 *   end       exit; where it failed: error {kind, message, remedy}
 * Nothing is quiet for longer than RUN_PULSE_MS: a thread of the run says `waiting` for the phase
 * it is in when the verb itself had nothing to say. A reader that sees nothing for RUN_SILENT_MS
 * knows that the whole process stands still. */
#ifndef SURFBOARD_PIPELINE_RUN_H
#define SURFBOARD_PIPELINE_RUN_H

#include <jansson.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/config/profile.h"

enum { RUN_FORMAT = 1, RUN_PULSE_MS = 1500, RUN_SILENT_MS = 10000, RUN_ID_SIZE = 24 };

/* ---- writing ---- */

struct run;

struct run_intent {
    const char *verb;
    const char *object; /* stream; NULL: none */
    /* The verb's words, arguments and options, so that the same can be begun again; NULL-ended, and
     * never with a secret in them. NULL: it cannot. */
    const char *const *arguments;
    bool resumes; /* begun again after it died, it goes on where it was: `resume` does that */
};

/* The next free number, its file locked, its start event written and fsynced. ERROR_IO names the
 * state folder when it cannot be written. */
struct run *run_begin_intent(const struct profile *profile, const struct run_intent *intent,
                             struct error *error);
/* One that cannot be begun again. */
struct run *run_begin(const struct profile *profile, const char *verb, const char *object,
                      struct error *error);
const char *run_id(const struct run *run); /* "0412" */
/* Appends one event; takes over the reference. `milestone` events are fsynced. Thread-safe. */
bool run_event(struct run *run, json_t *event, bool milestone, struct error *error);
/* What the run is at from now on ("slot: apply"): what its pulse says. NULL run: nothing. */
void run_phase(struct run *run, const char *phase);
/* Figures of work under way, `total` -1 when nobody knows: an event with rate and eta_s, at most
 * one in half a second for each phase. Costs next to nothing, so call it often. A write that fails
 * is dropped: a later milestone will fail the same way. NULL run: nothing. */
void run_progress(struct run *run, const char *phase, const char *unit, int64_t done,
                  int64_t total);
/* {"event":"end","exit":code[,"error":{…}]}, fsynced; closes. NULL run: nothing. */
bool run_end(struct run *run, int exit_code, const struct error *failure, struct error *error);

/* ---- reading ---- */

struct run_progress_figures {
    bool known;          /* false: it never told any */
    int64_t done, total; /* total -1: not known */
    double rate, eta_s;  /* units a second, seconds to go; -1: not known */
    char unit[24], phase[64];
};

struct run_summary {
    char *id, *verb, *object, *by, *started, *ended;
    char *host;
    /* "running", "done", "failed", "died", "interrupted"; "newer" when its file has a format that
     * this program does not read (nothing else of it is then known). */
    const char *state;
    int exit_code;     /* -1 while it runs or when it died */
    int pid;           /* on `host`; 0 when not known */
    bool torn;         /* a crash cut the last line; `last` is the one before */
    json_t *last;      /* its last whole event; NULL when there is none */
    json_t *waiting;   /* the same, when the run is running and waits; else NULL */
    json_t *arguments; /* array of texts; NULL: cannot be begun again */
    struct run_progress_figures progress;
    int64_t silent_ms; /* since its last event, while it runs; else 0 */
    bool silent;       /* that is RUN_SILENT_MS or more */
    bool follows;      /* of the kind that goes on until it is stopped (--follow) */
    /* It died, is of a kind that goes on where it was, and no later run of the same verb and object
     * runs, was done or was stopped by hand. */
    bool resumable;
};

struct run_list {
    struct run_summary *runs; /* newest first */
    size_t count;
};

/* The newest `most` runs. Reads the first line and the tail of each file, never whole files: cheap
 * enough for each second. What is torn, empty or newer is listed as what it is. */
bool run_list_load(const struct profile *profile, size_t most, struct run_list *out,
                   struct error *error);
void run_list_destroy(struct run_list *list);
/* NULL when it is not in the list; "412" and "0412" name the same. */
const struct run_summary *run_list_find(const struct run_list *list, const char *id);

/* Sends SIGTERM or another signal to the very process that the run names: the run's lock must be
 * held, and boot id, pid and start time must be what they were. ERROR_NOT_FOUND: no such run.
 * ERROR_CONFLICT: it is over, or its process is not on this host. */
bool run_signal(const struct profile *profile, const char *id, int number, struct error *error);

#endif
