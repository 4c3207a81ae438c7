/* profile.h: the profile of a context (cli.md, "Profile"): which hosts, folders and policies.
 *
 * YAML. Every key of the contract is known here and checked: an unknown key, a value of the wrong
 * kind or a newer `format` is ERROR_CONFIG naming file, line, key and the nearest known key. Keys
 * that are absent have the default written beside them; NULL where a text has none. Relative paths
 * are taken from the profile's own folder. All memory belongs to the profile.
 */
#ifndef SURFBOARD_CONFIG_PROFILE_H
#define SURFBOARD_CONFIG_PROFILE_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/error.h"

enum { PROFILE_FORMAT = 1 };

enum profile_capture_kind { CAPTURE_DEBEZIUM, CAPTURE_NATIVE };
enum profile_land { LAND_NATIVE, LAND_CONNECT };
enum profile_catalog_kind { CATALOG_JDBC, CATALOG_STORAGE };
enum profile_mode { MODE_LIVE, MODE_HISTORY, MODE_BOTH };
enum profile_bad_input { BAD_INPUT_STOP, BAD_INPUT_QUARANTINE };
enum profile_gap { GAP_STOP, GAP_ACCEPT };
enum profile_unknown { UNKNOWN_IGNORE, UNKNOWN_STOP };
enum profile_special { SPECIAL_NULL, SPECIAL_QUARANTINE };
enum profile_durability { DURABILITY_FULL, DURABILITY_NONE };
enum profile_group { GROUP_SOURCE, GROUP_STREAM };
enum profile_schedule_kind { SCHEDULE_NONE, SCHEDULE_UNIT, SCHEDULE_AIRFLOW };
enum profile_call { CALL_LOCAL, CALL_SSH, CALL_ENQUEUE };
enum profile_tristate { TRISTATE_AUTO, TRISTATE_TRUE, TRISTATE_FALSE };

struct profile_source {
    const char *name; /* the container's name in the model */
    const char *dsn;
    const char *schema;       /* "public" */
    const char *connect_host; /* how a Connect worker names the host; NULL: as in dsn */
    const char *credential;
    const char *query_user;
    bool generator; /* false; only then may simulate write */
};

struct profile_service {
    const char *url; /* NULL: not configured */
    const char *credential;
    struct {
        const char *container;
    } log;
};

struct profile_stream {
    const char *name;    /* "store" or "store#dataset" */
    const char *capture; /* "cdc": capture it, whatever the model's kind says; NULL: by the model */
    int mode;            /* enum profile_mode; -1: as the platform's milestone strategy says */
    int64_t freshness_ms;                       /* goal; -1: from the model */
    int on_bad_input;                           /* -1: merge.on_bad_input */
    int special_values;                         /* SPECIAL_NULL */
    const char *slot, *publication, *connector; /* NULL: made from the context's name */
};

struct profile {
    const char *path;   /* of the file; absolute */
    const char *folder; /* it lies in */
    int64_t format;
    const char *context; /* the file's stem when absent */
    bool read_only;
    const char *state;       /* $XDG_STATE_HOME/surfboard/<context> */
    const char *credentials; /* $XDG_CONFIG_HOME/surfboard/credentials */
    const char *model;       /* path of the bundle; NULL: no model yet */
    const char *platform;    /* NULL: the model's only one */
    struct profile_source *sources;
    size_t source_count;
    struct {
        int kind; /* enum profile_capture_kind; CAPTURE_NATIVE */
        const char *connect, *kafka;
        const char *topic_prefix; /* the context's name */
        int land;                 /* enum profile_land */
        const char *password;
    } capture;
    struct {
        const char *deltas, *warehouse; /* s3://…, or an absolute folder */
        struct {
            const char *endpoint, *region;
            bool path_style; /* true */
            const char *credential;
        } s3;
        struct {
            int kind;         /* enum profile_catalog_kind; CATALOG_JDBC */
            const char *name; /* "lake" */
            const char *dsn, *credential;
        } catalog;
    } lake;
    struct {
        const char *url, *user, *catalog, *credential;
    } trino;
    struct {
        struct profile_service airflow, spark, gitlab, portainer;
    } services;
    struct profile_stream *streams;
    size_t stream_count;
    struct {
        uint64_t memory;        /* 512 MiB */
        int64_t threads;        /* 0: as many as there are cores */
        int on_bad_input;       /* BAD_INPUT_STOP */
        int on_gap;             /* GAP_STOP */
        int64_t gap_wait_ms;    /* 30 s */
        int on_unknown;         /* UNKNOWN_IGNORE */
        int64_t format_version; /* 2 */
        double rewrite_at;      /* 0.25; negative: off */
        int durability;         /* DURABILITY_FULL */
    } merge;
    struct {
        int64_t snapshot_age_ms; /* 1 h */
        int64_t min_snapshots;   /* 20 */
        int64_t delete_grace_ms; /* 1 h */
    } maintain;
    struct {
        int group;       /* GROUP_SOURCE */
        uint64_t memory; /* 4 GiB */
        int64_t threads; /* 8 */
        int64_t max;     /* 4 */
    } jobs;
    struct {
        int kind; /* SCHEDULE_NONE */
        int call; /* CALL_ENQUEUE */
    } schedule;
    struct {
        const char *theme, *accent; /* "dark", "red" */
        int ascii;                  /* enum profile_tristate */
        bool mouse;
        struct profile_key {
            const char *name, *value;
        } * keys; /* key bindings of the user: action -> key */
        size_t key_count;
    } screen;
    struct arena arena;
};

/* Reads and checks a profile. On failure *out holds nothing to destroy. */
bool profile_load(const char *path, struct profile *out, struct error *error);
/* The same from memory; `path` names it in messages and is what relative paths start from. */
bool profile_parse(struct slice text, const char *path, struct profile *out, struct error *error);
void profile_destroy(struct profile *profile);

/* NULL when the profile does not name it. */
const struct profile_source *profile_source(const struct profile *profile, const char *name);
const struct profile_stream *profile_stream(const struct profile *profile, const char *name);

/* Path of a folder below the state ("runs", "receipts"), made when absent, with the modes of a
 * shared state (2770) when the state folder is one, else 0700. Fresh memory. "" = the state. */
char *profile_state_folder(const struct profile *profile, const char *name, struct error *error);
/* 0660 or 0600, by the same rule. */
unsigned profile_state_file_mode(const struct profile *profile);

#endif
