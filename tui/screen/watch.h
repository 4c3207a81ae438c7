/* watch.h: what the screen knows of streams and services, looked at by one job at a time: once a
 * second while a view that ticks is in sight, each 30 s else, and not at all when the profile names
 * no service. Views read it; it is never waited for. */
#ifndef SURFBOARD_TUI_SCREEN_WATCH_H
#define SURFBOARD_TUI_SCREEN_WATCH_H

#include "core/pipeline/lag.h"
#include "tui/screen/canvas.h"

struct app;

enum { WATCH_SERVICES_MOST = 8, WATCH_SAMPLES = 30 };

struct watch_service {
    const char *name; /* "pg", "catalog" */
    enum lag_state state;
    char why[160]; /* "" when well */
};

struct watch_stream {
    struct lag lag; /* the last answer */
    bool known;     /* there was one */
    int64_t checked_us;
    /* Rows merged in each of the last 30 minutes, the newest last; -1: not known. */
    int64_t samples[WATCH_SAMPLES];
};

struct watch {
    struct watch_stream *streams; /* as in the pipeline */
    size_t stream_count;
    struct watch_service services[WATCH_SERVICES_MOST];
    size_t service_count;
    struct run_list runs; /* newest first */
    int64_t checked_us;   /* of the last whole answer; 0: none yet */
    struct job *job;      /* looking now */
    struct watch_work *work;
    bool again; /* somebody asked while it looked */
};

bool watch_open(struct app *app, struct error *error);
void watch_close(struct app *app);
/* Looks now, unless it does already (then once more after it). */
void watch_look(struct app *app);
/* Sets the pace for what is in sight. */
void watch_pace(struct app *app);
/* NULL: no such stream. */
const struct watch_stream *watch_stream(const struct app *app, const char *name);

/* Whether the last answer is older than three looks: what it says is greyed. */
bool watch_is_stale(const struct app *app, const struct watch_stream *stream);
/* ● ▲ ✗ ? · and its style for "ok", "late", "FAILED", "unknown", "not built", … */
enum glyph watch_glyph(const char *state, enum style *style);
/* "2 s", "40 s", "6 min": coarse, so that a screen at rest stays at rest. */
void watch_age(double seconds, char *out, size_t size);

#endif
