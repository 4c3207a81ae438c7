/* The profile a command works with. */
#include <stdlib.h>

#include "tui/command_private.h"

void command_context_destroy(struct command *command)
{
    (void)command;
}
