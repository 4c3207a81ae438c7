/* model_file.h: the model that a verb is about: --model FILE, else the profile's. */
#ifndef SURFBOARD_TUI_MODEL_FILE_H
#define SURFBOARD_TUI_MODEL_FILE_H

#include "core/model/model.h"
#include "tui/command.h"

#define MODEL_FILE_OPTION                                                                          \
    {                                                                                              \
        "model", OPTION_TEXT, "FILE", "a bundle, in place of the profile's model"                  \
    }

bool model_file_load(struct command *command, struct model *out, struct error *error);

#endif
