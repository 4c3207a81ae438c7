/* command.h: what a verb of the command line sees, and the table that describes it.
 *
 * Each verb lives in tui/verb_NAME.c, exports `const struct verb verb_NAME` (declared in verbs.h,
 * listed in verbs.c) and is found, parsed, documented and completed from that one table: --help,
 * the man page surfboard(1) and the bash completion cannot drift from what is accepted. Options
 * and positionals are checked against the table before run() is called, so a verb only reads them.
 *
 * A verb returns its exit code (cli.md): 0, 1 for "checked and not well", or what command_fail()
 * gives for an error. Results go to command->out, messages and progress to stderr.
 */
#ifndef SURFBOARD_TUI_COMMAND_H
#define SURFBOARD_TUI_COMMAND_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/error.h"
#include "core/base/slice.h"

enum option_kind {
    OPTION_FLAG,     /* no argument */
    OPTION_TEXT,     /* any text */
    OPTION_COUNT,    /* whole number >= 0 */
    OPTION_BYTES,    /* 1048576, 512MiB, 2GB */
    OPTION_DURATION, /* 500ms, 30s, 5m, 1h, 2d; a bare number is seconds */
    OPTION_REAL,     /* number >= 0 */
    OPTION_CHOICE    /* one of `argument`, which reads "a|b|c" */
};

struct option_spec {
    const char *name; /* without the dashes */
    enum option_kind kind;
    const char *argument; /* as shown in help: "FILE"; the choices for OPTION_CHOICE */
    const char *help;     /* one line, no full stop */
};

enum verb_flag {
    VERB_CHANGES = 1,    /* changes the world: refused (5) when read-only, names its context first;
                            with a --dry-run flag given it counts as reading */
    VERB_JSON_LINES = 2, /* --json prints lines, not one document */
    VERB_GRACEFUL = 4,   /* watches command->stop; otherwise SIGINT ends the program at once */
    VERB_HIDDEN = 8,     /* not in help, man page and completion */
    VERB_OWN_RUNS = 16,  /* begins the runs that record it by itself (one for each stream) */
    VERB_RECORDED = 64,  /* only looks, but so long that a run records it (verify) */
    VERB_RESUMES = 32    /* killed in its middle, the same command goes on from there: `resume`
                            begins it again */
};

struct command;

struct verb {
    const char *name;     /* "merge"; two words ("model graph") make a sub-verb */
    const char *synopsis; /* its positionals and main options, as in cli.md: "[STREAM] [--watch]" */
    const char *summary;  /* one line */
    const char *details;  /* paragraphs for --help and the man page; NULL for none */
    const struct option_spec *options; /* ended by {0}; NULL for none */
    int flags;                         /* enum verb_flag */
    int least, most;                   /* positionals; most -1: any number */
    int (*run)(struct command *command);
};

struct profile;
struct run;
struct command_private;

struct command {
    const struct verb *verb;
    bool json, read_only, ascii, color; /* color: allowed and stdout is a terminal */
    bool out_is_terminal, err_is_terminal;
    FILE *out;               /* results; the caller's, stdout in main.c */
    FILE *err;               /* messages */
    int count;               /* positionals */
    char **arguments;        /* positionals, NULL-ended */
    const atomic_bool *stop; /* set by SIGINT, SIGTERM, SIGHUP (VERB_GRACEFUL); poll it, and stop
                                cleanly: then return command_interrupted() */
    bool reported; /* set it when a --json document that carries the error went out already:
                      command_fail() then prints only its text on stderr */
    struct command_private *hidden;
};

/* Options of the verb. NULL, false or `otherwise` when not given; asking for one that is not in the
 * verb's table is a programming error and reads as not given. The last one given counts. */
const char *command_option(const struct command *command, const char *name);
bool command_flag(const struct command *command, const char *name);
int64_t command_count(const struct command *command, const char *name, int64_t otherwise);
uint64_t command_bytes(const struct command *command, const char *name, uint64_t otherwise);
int64_t command_duration_ms(const struct command *command, const char *name, int64_t otherwise);
double command_real(const struct command *command, const char *name, double otherwise);
/* Positional `index`, NULL when there are fewer. */
const char *command_argument(const struct command *command, int index);

/* The profile that --profile, --context, the environment or the default context names, loaded at
 * the first call and owned by the command. In a changing verb the first call also prints "context
 * NAME (from FILE)" to stderr, fails with ERROR_REFUSED when the context is read-only, and begins
 * the run that records this change (core/pipeline/run.h); the run ends with the verb. */
const struct profile *command_profile(struct command *command, struct error *error);
/* Whether any profile is named or found at all (merge, scan, maintain work without one too). */
bool command_has_profile(struct command *command);
/* For a verb that changes the world only with some option (query --write): the same as what
 * command_profile() does for a changing verb. */
bool command_begin_change(struct command *command, struct error *error);

/* The run that records this change; NULL when there is none. */
struct run *command_run_record(struct command *command);
/* Begins a run of this verb on `object` (NULL: none) with the words and options that begin it
 * again; VERB_OWN_RUNS verbs call it, one for each stream, which then stands in place of the
 * streams that were given. An option that may hold a secret (a DSN) makes it one that cannot be
 * begun again. The caller ends it by run_end(). */
struct run *command_begin_run(struct command *command, const char *object, struct error *error);
/* For a verb that only looks but takes long (verify): its run is the command's, as if it changed
 * something; without a state that can be written there is none, and that is no error. */
void command_record_reading(struct command *command, const char *object);
/* Says so when a lock (NULL: none) excludes this host only: the catalog's database did not answer.
 */
struct lock;
void command_say_lock(struct command *command, const struct lock *lock);

/* Prints "surfboard: message" and the remedy on stderr; with --json also {"error": {"kind",
 * "message", "remedy"}} on `out`. Returns the exit code of its kind. */
int command_fail(struct command *command, const struct error *error);
/* A usage error: message by printf, remedy "surfboard VERB --help". Returns 2. */
int command_fail_usage(struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* After *stop was seen and work has ended cleanly: says so, returns 130. */
int command_interrupted(struct command *command);

/* One compact JSON text and a newline to `out`, flushed (a line is seen when it is written). Takes
 * over the reference. A NULL value is ERROR_MEMORY. */
bool command_print_json(struct command *command, json_t *value, struct error *error);
/* One event of a verb that prints JSON lines: to the run's file when there is a run (a changing
 * verb that asked for the profile has one), and to `out` with --json. Takes over the reference. */
bool command_event(struct command *command, json_t *event, struct error *error);
/* Text that comes from data: on a terminal, control characters, escapes, bidirectional overrides
 * and bytes that are not UTF-8 show as a middle dot; elsewhere the bytes go out untouched. */
bool command_print_data(struct command *command, struct slice text, struct error *error);
/* A message for people, on stderr, with a newline added. */
void command_say(struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A progress line: repainted in place when stderr is a terminal, else nothing. An empty text clears
 * it; say() and fail() clear it first. */
void command_progress(struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The table, in the order of --help; NULL-ended (verbs.c). */
extern const struct verb *const verbs[];
extern const struct option_spec command_global_options[];

/* Parses the arguments, runs the verb, returns the exit code. `stop` as in struct command. */
int command_main(int count, char **arguments, FILE *out, FILE *err, const atomic_bool *stop);
/* Which verb the arguments name, for main.c to choose its signal handlers; NULL when none. */
const struct verb *command_find(int count, char **arguments);

/* Written from the table: the man page (troff) and the bash completion. */
bool command_write_man(FILE *out);
bool command_write_completion(FILE *out);
void command_write_help(FILE *out);
void command_write_verb_help(const struct verb *verb, FILE *out);

#endif
