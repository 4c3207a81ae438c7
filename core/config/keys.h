/* keys.h: the profile's keys as a table, and how a YAML mapping is read into a struct by it.
 * Private to core/config. */
#ifndef SURFBOARD_CONFIG_KEYS_H
#define SURFBOARD_CONFIG_KEYS_H

#include <yaml.h>

#include "core/config/profile.h"

enum key_kind {
    KEY_TEXT,
    KEY_PATH,  /* a local path; relative ones start at the profile's folder */
    KEY_PLACE, /* s3://… or a folder */
    KEY_BOOL,
    KEY_WHOLE,    /* int64_t >= 0 */
    KEY_BYTES,    /* uint64_t */
    KEY_DURATION, /* int64_t, milliseconds */
    KEY_SHARE,    /* double in 0..1, or "off" = -1 */
    KEY_CHOICE,   /* int: index in `choices` */
    KEY_MAP,      /* a nested mapping into the same struct */
    KEY_ENTRIES,  /* a mapping of names to mappings: an array of structs */
    KEY_PAIRS     /* a mapping of texts to texts: an array of struct profile_key */
};

struct key_spec {
    const char *name;
    enum key_kind kind;
    size_t offset;                /* in the struct that is filled */
    const char *choices;          /* "stop|quarantine" */
    const struct key_spec *inner; /* KEY_MAP, KEY_ENTRIES; ended by {0} */
    size_t count_offset;          /* KEY_ENTRIES, KEY_PAIRS: where the size_t count is */
    size_t entry_size;            /* KEY_ENTRIES; the entry's first member is its name */
    void (*entry_defaults)(void *entry);
};

struct key_reader {
    const char *path;   /* for messages */
    const char *folder; /* relative paths start here */
    yaml_document_t *document;
    struct arena *arena;
};

extern const struct key_spec profile_keys[];

/* Reads mapping `node` into `target`. `prefix` is the dotted way to it ("lake.s3"), "" at the top.
 */
bool key_read_mapping(struct key_reader *reader, yaml_node_t *node, const struct key_spec *specs,
                      void *target, const char *prefix, struct error *error);

#endif
