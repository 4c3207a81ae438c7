/* load.h: what the loader's files share. Private to core/model. */
#ifndef SURFBOARD_MODEL_LOAD_H
#define SURFBOARD_MODEL_LOAD_H

#include "core/model/model.h"
#include "core/model/reader.h"

enum { LOAD_TYPE_SIZE = 512, LOAD_TYPE_MOST = 400 };

/* A text that occurs again and again (names of columns, types, classes) is held once. */
struct load_word {
    size_t stamp, place; /* the schema that met it last, and the column's index there */
    char text[];
};

struct load {
    struct reader *reader;
    struct model *model;
    const char *zone, *team;       /* where we are */
    const char *store, *workspace; /* the same; NULL: in none */
    struct model_store *outputs;   /* written out within transformers: the team's own ones count */
    size_t output_count, output_capacity;
    struct map words;             /* text -> load_word */
    size_t stamp;                 /* of the schema that is read */
    struct model_column *columns; /* of the dataset that is read; ordinary memory, used again */
    size_t column_count, column_capacity;
    const char **keys; /* its primary key; the same */
    size_t key_count, key_capacity;
    struct buffer text; /* for texts that are put together */
    /* Lists grow within the arena. */
    size_t zone_capacity, team_capacity, platform_capacity, store_capacity, workspace_capacity,
        assignment_capacity, primary_capacity, warning_capacity;
};

/* A warning about the object where we are. */
bool load_warn(struct load *load, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Room for one more, doubled within the arena; keeps what is there. */
bool load_grow(struct load *load, void *pointer, size_t count, size_t *capacity, size_t size,
               struct error *error);
/* A string; NULL in *out for anything else. */
bool load_text(struct load *load, const char **out, struct error *error);
/* The same, held once. */
bool load_text_word(struct load *load, const char **out, struct error *error);
bool load_word(struct load *load, struct slice text, const char **out, struct error *error);
struct load_word *load_word_of(const char *text); /* what load_word() gave */
/* For a map entry: its name is the key, and a differing `name` inside is a warning. */
bool load_check_name(struct load *load, const char *what, const char *key, const char *name,
                     struct error *error);

/* *taken: the member was one of documentation, productionStatus, deprecationStatus, and is read. */
bool load_about(struct load *load, struct slice key, struct model_about *out, bool *taken,
                struct error *error);
/* Documentation: an object with its text, or the text. */
bool load_doc(struct load *load, const char **out, struct error *error);
bool load_repository(struct load *load, struct model_repository *out, struct error *error);
/* {"name": …} or plain text: the name; *second takes the text of `member`. */
bool load_named(struct load *load, const char **out, const char *member, const char **second,
                struct error *error);
bool load_container(struct load *load, struct model_container *out, struct error *error);

bool load_zones(struct load *load, struct error *error);
bool load_platforms(struct load *load, struct error *error);
bool load_store(struct load *load, const char *key, struct model_store *out, struct error *error);
bool load_add_store(struct load *load, const struct model_store *store, struct error *error);
bool load_schema(struct load *load, struct model_dataset *out, struct error *error);
/* A type's text, shortened to what fits a screen. Overwrites `text`, which has LOAD_TYPE_SIZE. */
bool load_type_text(struct load *load, char *text, const char **out, struct error *error);
/* A data type as text (bundle-format.md, section 6). */
bool load_type(struct load *load, const char **out, struct error *error);
/* Adds the fields of an Avro schema, itself a JSON text, as columns. */
bool load_avro(struct load *load, struct slice text, struct error *error);
/* One more column of the dataset that is read; the first of a name counts. */
bool load_add_column(struct load *load, const struct model_column *column, struct error *error);
bool load_class(struct load *load, const char **out, struct error *error);
bool load_workspace(struct load *load, const char *key, struct error *error);
bool load_mappings(struct load *load, struct error *error);
bool load_primaries(struct load *load, struct error *error);
/* When all is read: lookups, teams' lists, groups' assignments. */
bool load_index(struct load *load, struct error *error);

#endif
