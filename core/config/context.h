/* context.h: which profile is meant (cli.md, "Global"), and the default context. */
#ifndef SURFBOARD_CONFIG_CONTEXT_H
#define SURFBOARD_CONFIG_CONTEXT_H

#include "core/base/error.h"

struct context_choice {
    char *path;    /* of the profile; NULL: none is named, set or lying about */
    char from[96]; /* "--profile", "$SURFBOARD_CONTEXT", "default context dell", … */
};

/* In this order: profile, context, $SURFBOARD_PROFILE, $SURFBOARD_CONTEXT, the default context,
 * ./surfboard.yaml. `profile`, `context`: the options, NULL when not given. A named context without
 * a file is ERROR_CONFIG naming the nearest one. */
bool context_choose(const char *profile, const char *context, struct context_choice *out,
                    struct error *error);
void context_choice_destroy(struct context_choice *choice);

/* $XDG_CONFIG_HOME/surfboard/contexts, $XDG_STATE_HOME/surfboard (with their home defaults); fresh
 * memory, not created. */
char *context_folder(struct error *error);
char *context_state_root(struct error *error);
char *context_config_root(struct error *error);

struct context_list {
    char **names; /* sorted */
    size_t count;
    char *standard; /* the default one; NULL when none is set */
};

bool context_list(struct context_list *out, struct error *error);
void context_list_destroy(struct context_list *list);
bool context_set_default(const char *name, struct error *error);

#endif
