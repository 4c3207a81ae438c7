/* Views on their way; each goes when its file comes. */
#include <stdlib.h>

#include "core/base/memory.h"
#include "tui/screen/app.h"

static struct view *missing_open(const struct view_kind *kind, struct app *app, struct error *error)
{
    struct view *view = memory_zero(1, sizeof *view, error);
    if (view)
        *view = (struct view){kind, app};
    return view;
}

static void missing_close(struct view *view)
{
    free(view);
}

static void missing_draw(struct view *view, struct canvas *canvas, struct rect rect)
{
    canvas_box(canvas, rect, view->kind->title, NULL, true);
}

static const enum scope missing_scopes[] = {SCOPE_COUNT};

#define MISSING(name_, title_, action_)                                                            \
    static struct view *missing_##name_(struct app *app, void *argument, struct error *error)      \
    {                                                                                              \
        (void)argument;                                                                            \
        return missing_open(&view_##name_, app, error);                                            \
    }                                                                                              \
    const struct view_kind view_##name_ = {.name = #name_,                                         \
                                           .title = title_,                                        \
                                           .action = action_,                                      \
                                           .scopes = missing_scopes,                               \
                                           .open = missing_##name_,                                \
                                           .close = missing_close,                                 \
                                           .draw = missing_draw};

#if !__has_include("tui/screen/view_model.c")
MISSING(model, "Model", ACTION_VIEW_MODEL)
#endif
#if !__has_include("tui/screen/view_pipeline.c")
MISSING(pipeline, "Pipeline", ACTION_VIEW_PIPELINE)
#endif
#if !__has_include("tui/screen/view_streams.c")
MISSING(streams, "Streams", ACTION_VIEW_STREAMS)
#endif
#if !__has_include("tui/screen/view_query.c")
MISSING(query, "Query", ACTION_VIEW_QUERY)
#endif
#if !__has_include("tui/screen/view_runs.c")
MISSING(runs, "Runs", ACTION_VIEW_RUNS)
#endif
#if !__has_include("tui/screen/view_guide.c")
MISSING(guide, "First start", ACTION_NONE)
#endif
