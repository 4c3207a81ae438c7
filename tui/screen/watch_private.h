/* watch_private.h: between the parts of the watch only. */
#ifndef SURFBOARD_TUI_SCREEN_WATCH_PRIVATE_H
#define SURFBOARD_TUI_SCREEN_WATCH_PRIVATE_H

#include "core/base/arena.h"
#include "tui/screen/app.h"

/* What the job reads into, off the screen's thread; kept from look to look, with its connections.
 */
struct watch_work {
    struct app *app;
    const struct pipeline *pipeline; /* NULL: the model could not be loaded */
    const struct profile *profile;
    bool whole;  /* streams too, not only runs */
    bool rested; /* after the first look, which logged in */
    struct lag_session session;
    struct watch_reading {
        struct lag lag;
        int64_t samples[WATCH_SAMPLES];
        bool samples_exact;
        double rows_s;
        int64_t rows;
        size_t tables_there;
        char noted[24]; /* the state that events.jsonl has, as far as we know */
        const char *const *readers;
        size_t reader_count;
    } * readings;
    size_t count;
    size_t measured; /* so far in this look: those before it hold its answers */
    struct watch_orphan orphans[WATCH_ORPHANS_MOST];
    size_t orphan_count;
    int64_t orphans_ns;
    struct run_list runs;
    struct error runs_why;
    struct watch_change change;
    bool change_known;
    int64_t events_size, events_ns; /* of events.jsonl when it was read */
    bool read_only;
    bool readers_known;
    struct arena arena; /* readers */
};

/* One look, on a worker. */
bool watch_read(struct watch_work *work, const atomic_bool *stop, struct error *error);
/* Which workspaces read what: once. */
bool watch_read_readers(struct watch_work *work, struct error *error);

/* Notes changes of state for everybody, and finds the newest. */
void watch_read_events(struct watch_work *work);

/* Watches the folder of runs, once it is there. */
void watch_notice_open(struct app *app);
void watch_notice_close(struct app *app);
/* Somebody began a run. */
void watch_runs_came(struct app *app);

/* Services that are asked by HTTP; see watch_services.c. */
void watch_services_start(struct app *app);
void watch_services_stop(struct app *app);
/* The header's line anew, from the streams' sessions and the probes. */
void watch_services_take(struct app *app);
/* Those that a look asks are taken for silent until it tells more. */
void watch_services_silent(struct app *app);
/* Whether the profile names anything that can be asked. */
bool watch_services_any(const struct profile *profile);

#endif
