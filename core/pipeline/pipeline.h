/* pipeline.h: what the profile and the model together ask for: the streams of one platform, their
 * tables, and the captures that feed them. Steps, merge, capture, status and verify all start here.
 *
 * Names that all parts share (cli.md, "Tables"; design 1):
 *   topic of a table       <prefix>.<schema>.<table>; transactions: <prefix>.transaction
 *   delta files            <deltas>/<topic>/<partition>/<20 digits>.jsonl[.gz|.zst]
 *   schema file of a table <deltas>/_schema/<topic>.json (cli.md, "Schema file"): written by the
 *                          identity step from the database's catalog, and by native capture again
 *                          whenever a relation changes; merge reads its types there
 *   capture's own record   <deltas>/<prefix>/_capture.json
 *   lake table             <platform>.<store>_<dataset>, lower case; history: …_history
 *   key indexes            $XDG_CACHE_HOME/surfboard/<context>
 */
#ifndef SURFBOARD_PIPELINE_PIPELINE_H
#define SURFBOARD_PIPELINE_PIPELINE_H

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/config/profile.h"

struct model;
struct pipeline;

struct stream_table {
    const char *store, *dataset;
    const char *schema, *table; /* in the source, as stored there (not quoted) */
    const char *topic;
    const char *schema_key;    /* below deltas: "_schema/<topic>.json" */
    const char *name;          /* "<store>_<dataset>", lower case: the table in the lake */
    const char *ident;         /* "<platform>.<name>", lower case */
    const char *history_ident; /* "<platform>.<name>_history" */
};

struct stream {
    const char *name; /* "store" or "store#dataset" */
    const char *store;
    const char *dataset;     /* NULL: all datasets of the store move together */
    const char *kind;        /* the model's capture kind: "CDCCaptureIngestion", … */
    const char *no_capture;  /* why it cannot be captured from here; NULL when it can */
    struct capture *capture; /* NULL when no_capture is set */
    int mode;                /* enum profile_mode */
    int64_t freshness_ms;    /* the goal */
    bool freshness_from_model;
    int on_bad_input, special_values; /* enum profile_bad_input, profile_special */
    const char *priority;             /* of its ingestion node: "HIGH"; NULL when nobody needs it */
    struct stream_table *tables;
    size_t table_count;
};

/* One slot, publication and topic prefix for all streams of a source database. */
struct capture {
    const char *prefix; /* of its topics, and its name */
    const char *slot, *publication, *connector;
    const char *transaction_topic; /* "<prefix>.transaction" */
    const char *record_key;        /* below deltas: "<prefix>/_capture.json" */
    const struct profile_source *source;
    const struct stream **streams;
    size_t stream_count;
    const struct stream_table **tables; /* of all its streams */
    size_t table_count;
};

struct pipeline {
    const struct profile *profile; /* borrowed */
    struct model *model;
    const char *platform;   /* name in the model */
    const char *namespace;  /* the platform's name, lower case */
    struct stream *streams; /* sorted by name */
    size_t stream_count;
    struct capture *captures; /* in the order of the profile's sources */
    size_t capture_count;
    struct arena arena;
};

/* Loads the profile's model and finds platform, streams and captures. ERROR_CONFIG names what does
 * not fit: no model, a platform that is not there, settings for a stream that does not exist. */
bool pipeline_open(const struct profile *profile, struct pipeline *out, struct error *error);
void pipeline_close(struct pipeline *pipeline);

/* ERROR_NOT_FOUND names the nearest stream. */
const struct stream *pipeline_stream(const struct pipeline *pipeline, const char *name,
                                     struct error *error);
/* The same, and ERROR_CONFIG with the reason when it cannot be captured from here. */
const struct stream *pipeline_captured_stream(const struct pipeline *pipeline, const char *name,
                                              struct error *error);
const struct stream_table *stream_table_find(const struct stream *stream, const char *dataset);

/* libpq connection strings with the credential filled in: for memory only. Empty `out` first. */
bool pipeline_source_conninfo(const struct pipeline *pipeline, const struct capture *capture,
                              struct buffer *out, struct error *error);
bool pipeline_catalog_conninfo(const struct pipeline *pipeline, struct buffer *out,
                               struct error *error);

#endif
