#include "tui/work.h"

#include <string.h>

size_t work_of_stream(const struct pipeline *pipeline, const struct stream *stream,
                      struct work out[WORK_MOST])
{
    size_t count = 0;
    if (pipeline->profile->capture.kind == CAPTURE_NATIVE && stream->capture)
        out[count++] = (struct work){"capture", stream->capture->streams[0]->name};
    out[count++] = (struct work){"merge", stream->name};
    return count;
}

static const struct capture *capture_of(const struct pipeline *pipeline, const char *object)
{
    for (size_t i = 0; pipeline && i < pipeline->stream_count; i++)
        if (strcmp(pipeline->streams[i].name, object) == 0)
            return pipeline->streams[i].capture;
    return NULL;
}

const struct run_summary *work_alive(const struct pipeline *pipeline, const struct run_list *runs,
                                     const char *verb, const char *object)
{
    const struct run_summary *alive = wanted_alive(runs, verb, object);
    const struct capture *capture =
        strcmp(verb, "capture") == 0 ? capture_of(pipeline, object) : NULL;
    for (size_t i = 0; capture && alive == NULL && i < capture->stream_count; i++)
        alive = wanted_alive(runs, verb, capture->streams[i]->name);
    return alive;
}

const struct run_summary *work_last(const struct run_list *runs, const char *verb,
                                    const char *object)
{
    for (size_t i = 0; i < runs->count; i++)
        if (strcmp(runs->runs[i].verb, verb) == 0 && strcmp(runs->runs[i].object, object) == 0)
            return &runs->runs[i];
    return NULL;
}

bool work_is_shared(const struct pipeline *pipeline, const struct wanted *wanted,
                    const struct stream *stream)
{
    for (size_t i = 0; i < pipeline->stream_count; i++) {
        const struct stream *other = &pipeline->streams[i];
        const struct wanted_work *merge = wanted_find(wanted, "merge", other->name);
        if (other != stream && other->capture == stream->capture && merge && !merge->paused)
            return true;
    }
    return false;
}
