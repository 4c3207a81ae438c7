/* steps.h: all steps of a bring-up, of core and of the plugins, in their order. */
#ifndef SURFBOARD_TUI_STEPS_H
#define SURFBOARD_TUI_STEPS_H

#include "core/pipeline/step.h"

/* NULL-ended. Ids as in screen.md: model server role identity publication slot buckets connector
 * files catalog trino schedule. */
extern const struct step *const all_steps[];

#endif
