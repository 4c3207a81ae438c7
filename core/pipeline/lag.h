/* lag.h: how far a stream is behind, and where: source -> captured -> files -> merged -> visible
 * (screen.md, "Streams"). Measured by looking, never remembered; what does not answer is unknown,
 * never well. */
#ifndef SURFBOARD_PIPELINE_LAG_H
#define SURFBOARD_PIPELINE_LAG_H

#include "core/pipeline/lag_table.h"
#include "core/pipeline/pipeline.h"
#include "core/pipeline/run.h"
#include "core/pipeline/wanted.h"

struct catalog;
struct pg;
struct store;

/* Opens the profile's catalog. `durable`: what is committed is flushed. */
struct catalog *pipeline_catalog_open(const struct pipeline *pipeline, bool durable,
                                      struct error *error);

/* Opening a JDBC catalog makes its tables where they are missing; who only looks must ask first. */
bool pipeline_catalog_is_made(const struct pipeline *pipeline, bool *made, struct error *error);

enum lag_state { LAG_OK, LAG_WARN, LAG_FAIL, LAG_UNKNOWN, LAG_NONE /* not built */ };

enum { LAG_STAGES = 5, LAG_TEXT_SIZE = 96, LAG_REASON_SIZE = ERROR_MESSAGE_SIZE };

struct lag_stage {
    const char *stage; /* "source", "captured", "files", "merged", "visible" */
    char position[LAG_TEXT_SIZE];
    double lag_s; /* -1: unknown */
    enum lag_state state;
};

struct lag {
    const struct stream *stream;
    const char *state; /* "ok", "late", "stopped", "paused", "FAILED", "unknown", "not built" */
    char reason[LAG_REASON_SIZE]; /* why it is not ok; "" */
    char remedy[LAG_REASON_SIZE];
    const char *stuck_at; /* the first stage that is not well; NULL */
    int64_t batch;        /* last merged; 0: none */
    double freshness_s;   /* -1: unknown */
    struct lag_stage chain[LAG_STAGES];
    int64_t events_waiting_ms; /* commit time of the oldest change that is not merged; 0: none */
    uint64_t captured_bytes;   /* of WAL that the capture has still to read */
    uint64_t held_bytes;       /* of WAL that the slot keeps */
    int64_t room_bytes;        /* of WAL that may be written until the slot is lost; -1: no limit */
    uint64_t written_bytes;    /* of WAL, ever: its growth between two looks is the rate */
};

/* What the server says of a capture's slot. */
struct lag_slot {
    bool there, active, lost;
    int64_t behind_bytes, room_bytes;
    uint64_t held_bytes, written_bytes;
    char written[32], confirmed[32]; /* positions */
};

/* Connections that measuring several streams, again and again, shares; who did not answer is not
 * asked again for five seconds. Zero-initialise. */
struct lag_session {
    struct catalog *catalog;
    int64_t catalog_failed_ns; /* monotonic; 0: it has not */
    struct error catalog_why;
    struct store *deltas;
    struct lag_source {
        const struct capture *capture;
        struct pg *pg;
        int64_t failed_ns;
        struct error why;
        struct lag_slot slot; /* shared by the streams of a capture for a moment */
        int64_t slot_ns;
    } sources[16];
    size_t source_count;
    struct run_list runs; /* the last ones */
    int64_t runs_ns;
    struct error runs_why; /* they can't be read; kind 0: they can */
    struct lag_tables tables;
    struct wanted wanted; /* read once a look */
    int64_t wanted_ns;
};

void lag_session_close(struct lag_session *session);

/* False only when memory says so: an outside system that does not answer makes its stage unknown. A
 * stream that is not captured from here is "not built", with the reason. */
bool lag_measure(const struct pipeline *pipeline, const struct stream *stream,
                 struct lag_session *session, struct lag *out, struct error *error);

const char *lag_state_name(enum lag_state state); /* "ok", "warn", "fail", "unknown", "not-built" */

#endif
