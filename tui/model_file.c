#include "tui/model_file.h"

#include "core/config/profile.h"

bool model_file_load(struct command *command, struct model *out, struct error *error)
{
    const char *path = command_option(command, "model");
    if (path == NULL) {
        const struct profile *profile = command_profile(command, error);
        TRY(profile);
        path = profile->model;
        if (path == NULL)
            return error_set(error, ERROR_CONFIG, "add `model: FILE`, or give --model FILE",
                             "%s names no model", profile->path);
    }
    return model_load(path, out, error);
}
