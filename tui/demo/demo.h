/* demo.h: the embedded pipeline in one command: a private Postgres, a shop that is written to,
 * native capture, merge, and a check that source and lake are equal row by row.
 *
 * The demo drives the same verbs that everybody uses, as child processes of this binary with a
 * profile of its own: nothing in it has a path of its own to the data. */
#ifndef SURFBOARD_TUI_DEMO_DEMO_H
#define SURFBOARD_TUI_DEMO_DEMO_H

#include "core/pipeline/lag.h"
#include "plugins/postgres/cluster.h"
#include "tui/command.h"

extern const char demo_model[];

#define DEMO_STREAM "shop"
enum { DEMO_PATH_SIZE = 1100, DEMO_TABLES_MOST = 16, DEMO_ARGUMENTS_MOST = 24 };

/* ---- children ---- */

struct demo_child {
    const char *name; /* "capture": also its log's name */
    pid_t pid;        /* 0: not running */
    int fd;           /* its stdout */
    int exit_code;    /* of the last one that ended; -1: none has */
    struct buffer partial;
    /* One JSON line; borrowed. */
    void (*line)(void *context, const json_t *line);
    void *context;
};

/* Starts this binary with the arguments (NULL-ended, argv[0] left out) in a process group of its
 * own, its stderr into `log`; it gets SIGTERM when we die. */
bool demo_child_start(struct demo_child *child, const char *const *arguments, const char *log,
                      struct error *error);
/* Reads what the children wrote, for at most `wait_ms`; hands out whole lines; notices ends. */
bool demo_children_poll(struct demo_child *const *children, size_t count, int64_t wait_ms,
                        struct error *error);
/* SIGTERM, then waits up to `wait_ms` for it, reading on; SIGKILL after that. */
bool demo_child_stop(struct demo_child *child, int64_t wait_ms, struct error *error);
/* Waits for its own end; false with ERROR_INTERRUPTED when `stop` came first. */
bool demo_child_wait(struct demo_child *child, const atomic_bool *stop, struct error *error);
void demo_child_destroy(struct demo_child *child); /* kills what runs */

/* A process that waits for our end, however it comes, and then stops the cluster. */
struct demo;
bool demo_guard_start(struct demo *demo, struct error *error);
/* Waits until the guard of a demo that died here has stopped its server. */
bool demo_guard_await(const struct demo *demo, struct error *error);
void demo_guard_dismiss(struct demo *demo);

/* ---- the demo ---- */

struct demo_table {
    const char *name; /* "orders" */
    int64_t rows;     /* in the lake, by its metadata; -1: no table yet */
    char location[DEMO_PATH_SIZE + 128];
};

struct demo_counts {
    int64_t simulated;               /* rows written by the generator */
    int64_t snapshot_rows, captured; /* change records */
    int64_t key_changes, unavailable, multi_table;
    int64_t events, inserted, updated, deleted, batches, batch; /* merged */
};

struct demo {
    struct command *command;
    char folder[DEMO_PATH_SIZE], profile_path[DEMO_PATH_SIZE + 32], logs[DEMO_PATH_SIZE + 32];
    int lock;
    int64_t rows, run_ms, rate;
    bool resumed;
    struct cluster cluster;
    bool cluster_open;
    struct profile profile;
    bool profile_open;
    struct pipeline pipeline;
    bool pipeline_open;
    pid_t guard;  /* stops the cluster when we die without having done so; 0: none */
    int guard_fd; /* a byte on it tells the guard that all is well */
    struct demo_child up, simulate, capture, merge, verify;
    struct demo_counts counts, shown; /* now, and at the report before */
    struct demo_table tables[DEMO_TABLES_MOST];
    size_t table_count;
    struct lag_session session;
    struct lag lag;
    bool lag_known;
    int64_t started_ns, shown_ns, measured_ns;
    bool draining; /* merge makes one last pass */
    bool equal;
    struct buffer differences; /* verify's words when it is not equal */
};

/* Folder, private cluster, databases, shop, model, profile. */
bool demo_build(struct demo *demo, struct error *error);
/* Stops the cluster, closes everything. */
bool demo_close(struct demo *demo, struct error *error);
/* Brings the stream up, runs generator, capture and merge for the time asked, drains, verifies. */
bool demo_run(struct demo *demo, struct error *error);

/* Measures rows and lag; a second apart at least. */
bool demo_measure(struct demo *demo, struct error *error);
/* Whether the screen is opened on it: on a terminal, without --no-screen and --json. */
bool demo_has_screen(const struct demo *demo);
/* Opens it, until somebody leaves it or --seconds are over. */
bool demo_screen(struct demo *demo, struct error *error);
/* One line every two seconds; JSON lines with --json. */
void demo_report(struct demo *demo, const char *phase);
/* A line of what is being done. */
void demo_say(struct demo *demo, const char *text);
/* The last words: what happened, where it lies, how to look further. */
bool demo_finish(struct demo *demo, struct error *error);

#endif
