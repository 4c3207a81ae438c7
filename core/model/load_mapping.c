/* Which platform serves which group, and which reads a store from its source. */
#include "core/model/load.h"

static bool load_assignment(struct load *load, const char *workspace, const char *group,
                            struct error *error)
{
    struct reader *in = load->reader;
    struct model *model = load->model;
    struct model_assignment assignment = {.workspace = workspace, .group = group};
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "dataPlatform"))
            TRY(load_text_word(load, &assignment.platform, error));
        else if (slice_is(key, "status"))
            TRY(load_text_word(load, &assignment.status, error));
        else
            TRY(reader_skip(in, error));
    }
    TRY(reader_ended(in, error));
    if (assignment.platform == NULL)
        return true;
    TRY(load_grow(load, &model->assignments, model->assignment_count, &load->assignment_capacity,
                  sizeof assignment, error));
    model->assignments[model->assignment_count++] = assignment;
    return true;
}

/* The names may stand behind the assignments: these are then filled in. */
static bool load_mapping(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    struct model *model = load->model;
    size_t first = model->assignment_count;
    const char *workspace = "default_workspace", *group = NULL;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "workspace")) {
            TRY(load_text_word(load, &workspace, error));
        } else if (slice_is(key, "dsgName")) {
            TRY(load_text_word(load, &group, error));
        } else if (slice_is(key, "assignments") && reader_peek(in) == READER_ARRAY) {
            TRY(reader_array(in, error));
            while (reader_item(in, error))
                TRY(load_assignment(load, NULL, NULL, error));
            TRY(reader_ended(in, error));
        } else {
            TRY(reader_skip(in, error));
        }
    }
    for (size_t i = first; i < model->assignment_count; i++) {
        model->assignments[i].workspace = workspace ? workspace : "default_workspace";
        model->assignments[i].group = group ? group : "";
    }
    return reader_ended(in, error);
}

bool load_mappings(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_ARRAY)
        return reader_skip(in, error);
    load->model->assignment_count = 0;
    TRY(reader_array(in, error));
    while (reader_item(in, error))
        TRY(load_mapping(load, error));
    return reader_ended(in, error);
}

static bool load_primary(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    struct model *model = load->model;
    struct model_primary primary = {0};
    size_t capacity = 0;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "storeName")) {
            TRY(load_text_word(load, &primary.store, error));
        } else if (slice_is(key, "dataPlatforms") && reader_peek(in) == READER_ARRAY) {
            TRY(reader_array(in, error));
            while (reader_item(in, error)) {
                const char *name = NULL;
                TRY(load_text_word(load, &name, error));
                if (name == NULL)
                    continue;
                TRY(load_grow(load, &primary.platforms, primary.platform_count, &capacity,
                              sizeof *primary.platforms, error));
                primary.platforms[primary.platform_count++] = name;
            }
            TRY(reader_ended(in, error));
        } else {
            TRY(reader_skip(in, error));
        }
    }
    TRY(reader_ended(in, error));
    if (primary.store == NULL)
        return true;
    TRY(load_grow(load, &model->primaries, model->primary_count, &load->primary_capacity,
                  sizeof primary, error));
    model->primaries[model->primary_count++] = primary;
    return true;
}

bool load_primaries(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_ARRAY)
        return reader_skip(in, error);
    load->model->primary_count = 0;
    TRY(reader_array(in, error));
    while (reader_item(in, error))
        TRY(load_primary(load, error));
    return reader_ended(in, error);
}
