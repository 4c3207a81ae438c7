/* fault.h: named places where a test may kill, fail or delay the program.
 *
 *     TRY(FAULT("merge.commit.before-pointer", error));
 *
 * In a release build FAULT() is the constant true. With -DSURFBOARD_FAULTS (the test build) the
 * environment variable SURFBOARD_FAULT names what happens where, as a comma-separated list of
 *     NAME=kill | eio | enospc | delay:MS     optionally followed by @N (the N-th time; default 1)
 * A point that fires appends its name to the file named by SURFBOARD_FAULT_LOG, so that a test can
 * tell that it did. Names are string literals `module.step.moment`; the crash matrix extracts them
 * from the source and fails when one is missing from it.
 */
#ifndef SURFBOARD_BASE_FAULT_H
#define SURFBOARD_BASE_FAULT_H

#include "core/base/error.h"

#ifdef SURFBOARD_FAULTS
bool fault_point(const char *name, struct error *error);
#define FAULT(name, error) fault_point(name, error)
#else
#define FAULT(name, error) ((void)(error), true)
#endif

#endif
