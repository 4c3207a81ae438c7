/* guide_init.h: runs `surfboard init` for the guide and takes what it prints. */
#ifndef SURFBOARD_TUI_SCREEN_GUIDE_INIT_H
#define SURFBOARD_TUI_SCREEN_GUIDE_INIT_H

#include <stdatomic.h>

#include "core/base/buffer.h"

/* On a worker thread. `program` is the file to run; `arguments` are NULL-ended, the program's name
 * left out. Ends it when `stop` is set (ERROR_INTERRUPTED). */
bool guide_init_run(const char *program, const char *const *arguments, struct buffer *out,
                    struct buffer *err, int *exit_code, const atomic_bool *stop,
                    struct error *error);

#endif
