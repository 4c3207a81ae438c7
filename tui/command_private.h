/* command_private.h: what the files of the command line share; verbs include command.h only. */
#ifndef SURFBOARD_TUI_COMMAND_PRIVATE_H
#define SURFBOARD_TUI_COMMAND_PRIVATE_H

#include "tui/command.h"

enum { COMMAND_OPTIONS_MOST = 48 };

struct command_value {
    const struct option_spec *spec;
    const char *text; /* as given */
    uint64_t whole;   /* count, bytes, milliseconds */
    double real;
};

struct command_private {
    struct command_value values[COMMAND_OPTIONS_MOST]; /* global ones and the verb's */
    size_t value_count;
    char *
        *words; /* what is neither option nor argument of one; NULL-ended; the first is the verb */
    int word_count;
    struct profile *profile;
    char from[96];        /* which option, variable or setting named the profile */
    bool changing;        /* the context was named and a run begun */
    struct run *run;      /* NULL: nothing is recorded */
    struct error failure; /* what command_fail() last reported, for the run's end */
    bool progress_shown;  /* a progress line stands on the terminal */
};

/* How many words the verb's name has: 1 or 2. */
int command_verb_words(const struct verb *verb);
/* The verb that `words` begin with, two-word names first; NULL when none. */
const struct verb *command_match(char *const *words, int count);
/* Options of a table up to its {0}; 0 for NULL. */
size_t command_table_length(const struct option_spec *table);

/* Sorts the arguments into values and words by the global table and `options` (which may be NULL).
 * Strict: unknown options are errors; else they are skipped, for command_find(). */
bool command_parse(struct command_private *hidden, int count, char **arguments,
                   const struct option_spec *options, const char *verb_name, bool strict,
                   struct error *error);
const struct command_value *command_value(const struct command *command, const char *name);

/* When a word of the command line is a place of S3: the profile's S3, if a profile is found; else
 * the environment's, as ever. */
bool command_context_find_s3(struct command *command, struct error *error);
/* Ends the run, if there is one, with the verb's exit code. */
bool command_context_finish(struct command *command, int exit_code, struct error *error);
void command_context_destroy(struct command *command);

#endif
