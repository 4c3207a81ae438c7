/* work.h: the long-running work of a stream: what pause, resume and doctor call by the same names.
 * A capture serves all streams of its source, so its work goes by the first of them. */
#ifndef SURFBOARD_TUI_WORK_H
#define SURFBOARD_TUI_WORK_H

#include "core/pipeline/pipeline.h"
#include "core/pipeline/wanted.h"

enum { WORK_MOST = 2 };

struct work {
    const char *verb, *object; /* borrowed from the pipeline */
};

/* What keeps a stream going: its capture, where it is native, and its merge. Returns how many. */
size_t work_of_stream(const struct pipeline *pipeline, const struct stream *stream,
                      struct work out[WORK_MOST]);
/* The run that does it and is alive; NULL when there is none. A capture that was begun for another
 * stream of the same source counts. `pipeline` may be NULL: then only the very object does. */
const struct run_summary *work_alive(const struct pipeline *pipeline, const struct run_list *runs,
                                     const char *verb, const char *object);
/* The newest run of it, whatever became of that; NULL when there was none. */
const struct run_summary *work_last(const struct run_list *runs, const char *verb,
                                    const char *object);
/* Whether a wanted capture is needed by another stream than `stream`: one whose merge is wanted and
 * not paused. */
bool work_is_shared(const struct pipeline *pipeline, const struct wanted *wanted,
                    const struct stream *stream);

#endif
