/* Producers: stores with their capture and datasets (bundle-format.md, section 4). */
#include <string.h>

#include "core/model/load.h"

struct load_pair {
    const char *dataset, *table;
};

struct load_pairs {
    struct load_pair *pairs;
    size_t count, capacity;
};

static bool load_tables(struct load *load, struct load_pairs *out, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        TRY(load_grow(load, &out->pairs, out->count, &out->capacity, sizeof *out->pairs, error));
        struct load_pair *pair = &out->pairs[out->count++];
        TRY(load_word(load, key, &pair->dataset, error) &&
            load_text_word(load, &pair->table, error));
    }
    return reader_ended(in, error);
}

static bool load_capture(struct load *load, struct model_store *out, struct load_pairs *tables,
                         struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    int64_t multi = 1; /* absent = all datasets together */
    out->kind = "?";
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "_type"))
            TRY(load_text_word(load, &out->kind, error));
        else if (slice_is(key, "workSpaceName"))
            TRY(load_text(load, &out->workspace, error));
        else if (slice_is(key, "singleOrMultiDatasetIngestion"))
            TRY(reader_whole(in, 1, &multi, error));
        else if (slice_is(key, "dataContainer"))
            TRY(load_container(load, &out->container, error));
        else if (slice_is(key, "credential"))
            TRY(load_named(load, &out->credential, NULL, NULL, error));
        else if (slice_is(key, "stepTrigger"))
            TRY(load_named(load, &out->trigger, "cron", &out->cron, error));
        else if (slice_is(key, "watermarkColumn"))
            TRY(load_text_word(load, &out->watermark, error));
        else if (slice_is(key, "tableForDataset") || slice_is(key, "topicForDataset"))
            TRY(load_tables(load, tables, error));
        else
            TRY(reader_skip(in, error));
    }
    TRY(reader_ended(in, error));
    if (out->kind == NULL)
        out->kind = "?";
    bool transformer = strcmp(out->kind, "DataTransformerOutput") == 0;
    out->single = multi == 0 && !transformer;
    return true;
}

static bool load_dataset(struct load *load, const char *name, struct model_dataset *out,
                         struct error *error)
{
    struct reader *in = load->reader;
    out->name = name;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    const char *inner = NULL;
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        bool taken;
        if (slice_is(key, "name"))
            TRY(load_text_word(load, &inner, error));
        else if (slice_is(key, "originalSchema"))
            TRY(load_schema(load, out, error));
        else if (slice_is(key, "dataClassificationOverride"))
            TRY(load_class(load, &out->class, error));
        else
            TRY(load_about(load, key, &out->about, &taken, error) &&
                (taken || reader_skip(in, error)));
    }
    TRY(reader_ended(in, error));
    return load_check_name(load, "dataset", name, inner, error);
}

static bool load_datasets(struct load *load, struct model_store *out, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    size_t capacity = 0;
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        const char *name;
        TRY(load_word(load, key, &name, error));
        bool again = false;
        for (size_t i = 0; i < out->dataset_count && !again; i++)
            again = out->datasets[i].name == name; /* the same word */
        struct model_dataset dataset = {0};
        TRY(load_dataset(load, name, &dataset, error));
        if (again) {
            TRY(load_warn(load, error, "store %s: dataset %s is there twice; the first counts",
                          out->name, name));
            continue;
        }
        TRY(load_grow(load, &out->datasets, out->dataset_count, &capacity, sizeof dataset, error));
        out->datasets[out->dataset_count++] = dataset;
    }
    return reader_ended(in, error);
}

/* Present, even empty: an approval is needed. */
static bool load_approvals(struct load *load, struct model_store *out, struct error *error)
{
    out->approval = reader_peek(load->reader) == READER_ARRAY;
    return reader_skip(load->reader, error);
}

static void load_name_tables(struct model_store *store, const struct load_pairs *tables)
{
    for (size_t i = 0; i < store->dataset_count; i++) {
        struct model_dataset *dataset = &store->datasets[i];
        dataset->table = dataset->name;
        for (size_t j = 0; j < tables->count; j++)
            if (tables->pairs[j].table && tables->pairs[j].dataset == dataset->name)
                dataset->table = tables->pairs[j].table;
    }
}

/* Reads a store object; `key` is its name in the map it stands in, NULL when it stands alone. */
bool load_store(struct load *load, const char *key_name, struct model_store *out,
                struct error *error)
{
    struct reader *in = load->reader;
    struct load_pairs tables = {0};
    const char *inner = NULL;
    *out = (struct model_store){
        .name = key_name ? key_name : "?", .zone = load->zone, .team = load->team, .loaded = true};
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        bool taken;
        if (slice_is(key, "name"))
            TRY(load_text(load, &inner, error));
        else if (slice_is(key, "cmd"))
            TRY(load_capture(load, out, &tables, error));
        else if (slice_is(key, "datasets"))
            TRY(load_datasets(load, out, error));
        else if (slice_is(key, "datasetDSGApprovals"))
            TRY(load_approvals(load, out, error));
        else
            TRY(load_about(load, key, &out->about, &taken, error) &&
                (taken || reader_skip(in, error)));
    }
    TRY(reader_ended(in, error));
    if (key_name == NULL && inner)
        out->name = inner;
    load_name_tables(out, &tables);
    return load_check_name(load, "store", out->name, inner, error);
}

bool load_add_store(struct load *load, const struct model_store *store, struct error *error)
{
    struct model *model = load->model;
    TRY(load_grow(load, &model->stores, model->store_count, &load->store_capacity, sizeof *store,
                  error));
    model->stores[model->store_count++] = *store;
    return true;
}
