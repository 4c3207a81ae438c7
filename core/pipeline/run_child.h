/* run_child.h: starting a run as a process of its own, which neither its starter's death nor a
 * dropped terminal ends (design 2): what the screen and `resume` do.
 *
 * The child is the same program, in its own session, with nothing on its standard input, every
 * signal at its default and none blocked, and no descriptor of the starter's. What it prints is
 * kept in memory for its last words (text: --json is not asked for, whose lines would only double
 * the event file); what it does is in its run's event file. Only the child's own
 * process id is ever waited for, so other children of the starter are left alone. A call of this
 * header reads small local files at most; one run_child belongs to one thread at a time. */
#ifndef SURFBOARD_PIPELINE_RUN_CHILD_H
#define SURFBOARD_PIPELINE_RUN_CHILD_H

#include <stdint.h>

#include "core/base/error.h"
#include "core/config/profile.h"
#include "core/pipeline/run.h"

/* The program as it was when the starter began. */
struct run_binary {
    char path[4096];
    char build[72]; /* the linker's build id; size and time of the file where there is none */
};

/* Of the running program: call it once, at the start. */
bool run_binary_fix(struct run_binary *out, struct error *error);
bool run_binary_of(const char *path, struct run_binary *out, struct error *error);
/* True with ERROR_CONFLICT ("restart surfboard") when another build, or none, lies at that path by
 * now: a new run would not be of the program that shows it. Running ones go on and stay readable.
 */
bool run_binary_changed(const struct run_binary *binary, struct error *error);

struct run_child;

/* Starts `<binary> --profile <profile's file> <arguments…>`; `arguments` begin with the verb and
 * are NULL-ended; never a secret in them. ERROR_CONFLICT after an upgrade. */
struct run_child *run_child_start(const struct profile *profile, const struct run_binary *binary,
                                  const char *const *arguments, struct error *error);

enum run_child_state {
    RUN_CHILD_STARTING, /* no run yet: it looks at model and locks, or is of a verb without one */
    RUN_CHILD_RUNNING,  /* `run` names its (first) run; run_tail.h follows it from here */
    RUN_CHILD_ENDED     /* `exit_code`, and `failure` unless that is 0 */
};

struct run_child_report {
    enum run_child_state state;
    int pid;
    char run[RUN_ID_SIZE]; /* "" when there is none (yet) */
    int exit_code;         /* -1 until it has ended; 128 + number when a signal ended it */
    /* Of its last words: kind by the exit code, message and remedy as it printed them. */
    struct error failure;
};

/* Never blocks. False only when the state folder cannot be read. */
bool run_child_poll(struct run_child *child, struct run_child_report *out, struct error *error);
/* Polls until the run is known or the child has ended, at most `wait_ms`. */
bool run_child_wait(struct run_child *child, int64_t wait_ms, struct run_child_report *out,
                    struct error *error);
/* What it printed so far, neutral neither in form nor in content; at most the last 4 KiB, in `out`
 * (NUL-terminated, cut). */
void run_child_words(const struct run_child *child, char *out, size_t size);
/* Lets go of it; a child that still runs goes on. What is closed before it ended stays a zombie
 * until its starter ends, so keep it until run_child_poll() says ENDED. NULL is fine. */
void run_child_close(struct run_child *child);

#endif
