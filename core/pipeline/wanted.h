/* wanted.h: which long-running work shall run, <state>/wanted.yaml (design 2): what `resume` starts
 * when it is not alive. Written atomically under the named lock "wanted".
 *
 *   format: 1
 *   work:
 *     - {verb: merge, object: shop, paused: false, by: anna@dell1, since: 2026-11-22T10:00:00.000Z,
 *        arguments: [merge, shop, --follow]}
 *
 * One entry for each verb and object. A capture's object is the first stream of its source: one
 * capture serves them all. */
#ifndef SURFBOARD_PIPELINE_WANTED_H
#define SURFBOARD_PIPELINE_WANTED_H

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/config/profile.h"
#include "core/pipeline/run.h"

enum { WANTED_FORMAT = 1, WANTED_ARGUMENTS_MOST = 32 };

struct wanted_work {
    const char *verb, *object;
    bool paused;
    const char *by, *since;       /* user@host, UTC: who wanted or paused it last */
    const char *const *arguments; /* NULL-ended; the verb first */
};

struct wanted {
    struct wanted_work *work; /* in the order of wanting */
    size_t count;
    struct arena arena;
};

/* No file: nothing is wanted. ERROR_CONFIG names file and line of what is wrong in it, or says that
 * its format is newer than ours. */
bool wanted_load(const struct profile *profile, struct wanted *out, struct error *error);
void wanted_destroy(struct wanted *wanted);
/* NULL when it is not wanted. */
const struct wanted_work *wanted_find(const struct wanted *wanted, const char *verb,
                                      const char *object);

/* Wants it from now on, or wants it otherwise (other arguments, paused or not). A NULL `arguments`
 * keeps those of the entry, or makes `VERB OBJECT --follow`. *changed (may be NULL): whether the
 * file did. ERROR_CONFLICT when somebody else kept the file locked for three seconds. */
bool wanted_set(const struct profile *profile, const char *verb, const char *object,
                const char *const *arguments, bool paused, bool *changed, struct error *error);
/* Not wanted any more; nothing when it was not. */
bool wanted_drop(const struct profile *profile, const char *verb, const char *object,
                 struct error *error);

/* The run of such work that is alive, in this state: NULL when there is none. */
const struct run_summary *wanted_alive(const struct run_list *runs, const char *verb,
                                       const char *object);

#endif
