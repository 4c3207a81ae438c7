/* watch.h: what the screen knows of streams, runs and services, looked at by one job at a time:
 * once a second while a view that ticks is in sight, each 30 s else, and not at all when the
 * profile names no service. Views read it; it is never waited for. */
#ifndef SURFBOARD_TUI_SCREEN_WATCH_H
#define SURFBOARD_TUI_SCREEN_WATCH_H

#include "core/pipeline/lag.h"
#include "tui/screen/canvas.h"

struct app;

enum { WATCH_SERVICES_MOST = 12, WATCH_SAMPLES = 30, WATCH_ORPHANS_MOST = 16 };

struct watch_service {
    const char *name; /* "pg", "lake", "trino", as the header shows it */
    enum lag_state state;
    char why[160]; /* "" when well */
};

/* Whether something falls, by looks that lie ten seconds apart. */
struct watch_trend {
    double value;
    int64_t at_us; /* 0: none yet */
    bool falls;
};
void watch_trend_feed(struct watch_trend *trend, double value, int64_t now_us);

/* How fast something grows; -1 until two looks lie ten seconds apart. */
struct watch_rate {
    uint64_t count;
    int64_t at_us;
    double per_s;
};
void watch_rate_feed(struct watch_rate *rate, uint64_t count, int64_t now_us);

struct watch_stream {
    struct lag lag; /* the last answer */
    bool known;     /* there was one */
    int64_t checked_us;
    int64_t answered_us[LAG_STAGES]; /* when each stage was known last; 0: never */
    /* "ok", "catching up", "late", "stopped", "FAILED", "unknown", "paused", "not built": the lag's
     * state and what only several looks, or wanted work, can tell. Of the last answer: see
     * watch_is_stale(). */
    const char *state;
    char note[128];            /* what is being done about it: "run 0412 merges it"; "" */
    char merging[RUN_ID_SIZE]; /* the run that merges it now; "" */
    bool paused;
    /* Rows merged in each of the last 30 minutes of the clock, the newest (so far) last; -1: not
     * known. From the snapshots' summaries. */
    int64_t samples[WATCH_SAMPLES];
    bool samples_exact; /* false: some snapshots only say what was written */
    double rows_s;      /* over the last minute; -1: not known */
    int64_t rows;       /* in its tables of the lake; -1: not known */
    size_t tables_there;
    struct watch_trend trend;
    struct watch_rate wal;
    const char *const *readers; /* workspaces that read it, by name; in the watch's memory */
    size_t reader_count;
};

/* A slot that no stream of the profile reads, with nobody connected: it keeps WAL for ever. */
struct watch_orphan {
    char slot[64], source[64];
    uint64_t held_bytes;
};

/* The last change of a stream's state that somebody saw (core/pipeline/events.h). */
struct watch_change {
    int64_t at_us;
    char object[96], from[24], to[24], why[160], by[96], run[RUN_ID_SIZE];
};

struct watch {
    struct watch_stream *streams; /* as in the pipeline */
    size_t stream_count;
    struct watch_service services[WATCH_SERVICES_MOST];
    size_t service_count;
    struct watch_orphan orphans[WATCH_ORPHANS_MOST];
    size_t orphan_count;
    struct watch_change change; /* the newest; object "": none */
    bool change_known;
    struct run_list runs;  /* newest first */
    struct error runs_why; /* they can't be read; kind 0: they can */
    int64_t runs_us;       /* when they were read last; 0: never */
    int64_t checked_us;    /* of the last whole answer about the streams; 0: none yet */
    bool first_set;        /* the first look is set for soon */
    int64_t looked_us;     /* when the last look ended, whatever came of it */
    int64_t whole_us;      /* the same of the last one at the streams too */
    bool fast;             /* it looks each second: at the runs at least */
    int64_t fast_us;       /* since when at the streams too; 0: it does not */
    struct job *job;       /* looking now */
    struct watch_work *work;
    struct watch_probe *probe; /* services by HTTP, at their own pace */
    int notice;                /* descriptor that tells of new runs; 0: none */
    bool again;                /* somebody asked while it looked */
    bool whole;                /* what `again` asks for: streams too */
    char told[160];            /* the last failure that was told: once is enough */
};

/* Also when the model could not be loaded (app_pipeline() is NULL): runs are known all the same. */
bool watch_open(struct app *app, struct error *error);
void watch_close(struct app *app);
/* Looks now at everything, unless it does already (then once more after it). */
void watch_look(struct app *app);
/* Sets the pace for what is in sight. */
void watch_pace(struct app *app);
/* NULL: no such stream. */
const struct watch_stream *watch_stream(const struct app *app, const char *name);
/* What the lake says of a table; NULL while a look is under way or when nobody knows: for tick()
 * and shown(), who copy it. */
const struct lag_table *watch_table(const struct app *app, const struct stream_table *table);
/* Whether any run is under way, as far as it is known. */
bool watch_runs_alive(const struct app *app);

/* Whether the last answer is older than three looks: what it says is greyed. */
bool watch_is_stale(const struct app *app, const struct watch_stream *stream);
/* The state to show: "unknown" when it is stale or was never known. */
const char *watch_state(const struct app *app, const struct watch_stream *stream);
/* ● ▲ ✗ ? · and its style for "ok", "late", "FAILED", "unknown", "not built", … and for the states
 * of runs. */
enum glyph watch_glyph(const char *state, enum style *style);
/* "2 s", "40 s", "6 min": coarse, so that a screen at rest stays at rest. "?" for what is
 * negative. */
void watch_age(double seconds, char *out, size_t size);
/* Local time of day, "14:31:05"; with `date` set "11-22 14:31" when it is not today. */
void watch_time(int64_t us, bool date, char *out, size_t size);

/* Rows that snapshots merged in the minutes before `now_ms`: adds to samples, whose -1 mean that
 * nobody knows yet. Returns the rows of the last 60 s. */
int64_t watch_sample(const struct lag_table *table, int64_t now_ms, int64_t samples[WATCH_SAMPLES]);

#endif
