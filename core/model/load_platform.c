/* Platforms, beneath the providers of their services (bundle-format.md, section 3). */
#include "core/model/load.h"

static bool load_platform(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    struct model *model = load->model;
    struct model_platform platform = {.type = "?"};
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        bool taken;
        if (slice_is(key, "name"))
            TRY(load_text(load, &platform.name, error));
        else if (slice_is(key, "_type"))
            TRY(load_text_word(load, &platform.type, error));
        else if (slice_is(key, "milestoneStrategy"))
            TRY(load_text_word(load, &platform.strategy, error));
        else
            TRY(load_about(load, key, &platform.about, &taken, error) &&
                (taken || reader_skip(in, error)));
    }
    TRY(reader_ended(in, error));
    if (platform.name == NULL)
        return true;
    TRY(load_grow(load, &model->platforms, model->platform_count, &load->platform_capacity,
                  sizeof platform, error));
    model->platforms[model->platform_count++] = platform;
    return true;
}

static bool load_provider(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    size_t first = load->model->platform_count;
    const char *name = NULL;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "name")) {
            TRY(load_text(load, &name, error));
        } else if (slice_is(key, "dataPlatforms") && reader_peek(in) == READER_ARRAY) {
            TRY(reader_array(in, error));
            while (reader_item(in, error))
                TRY(load_platform(load, error));
            TRY(reader_ended(in, error));
        } else {
            TRY(reader_skip(in, error));
        }
    }
    for (size_t i = first; i < load->model->platform_count; i++)
        load->model->platforms[i].provider = name;
    return reader_ended(in, error);
}

bool load_platforms(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_ARRAY)
        return reader_skip(in, error);
    TRY(reader_array(in, error));
    while (reader_item(in, error))
        TRY(load_provider(load, error));
    return reader_ended(in, error);
}
