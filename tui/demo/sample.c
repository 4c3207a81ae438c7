/* A few rows of what the last batch merged, read back by `scan` like anybody would. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/neutral.h"
#include "tui/demo/demo.h"

#define SAMPLE_TABLE "orders"

static void sample_value(char *out, size_t size, const json_t *value, int width)
{
    char text[64] = "NULL";
    if (json_is_string(value))
        snprintf(text, sizeof text, "%s", json_string_value(value));
    else if (json_is_integer(value))
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    struct buffer safe = {0};
    if (neutral_append(&safe, slice_of(text), ".", NULL) && buffer_text(&safe, NULL))
        snprintf(out, size, "%*s  ", width, safe.data);
    buffer_destroy(&safe);
}

static void sample_take(void *context, const json_t *row)
{
    static const struct {
        const char *name;
        int width;
    } columns[] = {{"id", 8}, {"state", -9}, {"total", 12}, {"placed_at", -26}};
    struct demo *demo = context;
    struct demo_sample *sample = &demo->next_sample;
    if (sample->count == DEMO_SAMPLE_ROWS)
        return;
    char *out = sample->rows[sample->count++];
    out[0] = '\0';
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        sample_value(out + strlen(out), DEMO_SAMPLE_SIZE - strlen(out),
                     json_object_get(row, columns[i].name), columns[i].width);
}

static const char *sample_location(const struct demo *demo)
{
    for (size_t i = 0; i < demo->table_count; i++)
        if (strcmp(demo->tables[i].name, SAMPLE_TABLE) == 0)
            return demo->tables[i].location;
    return "";
}

bool demo_sample(struct demo *demo, struct error *error)
{
    struct demo_child *scan = &demo->scan;
    if (scan->pid)
        return true;
    if (demo->next_sample.count && scan->exit_code == 0)
        demo->sample = demo->next_sample;
    const char *location = sample_location(demo);
    if (*location == '\0' || demo->next_sample.batch == demo->counts.batch)
        return true;
    char where[64], log[DEMO_PATH_SIZE + 64];
    demo->next_sample = (struct demo_sample){.batch = demo->counts.batch};
    snprintf(where, sizeof where, "ds_surf_batch_id = %" PRId64, demo->counts.batch);
    snprintf(log, sizeof log, "%s/scan.log", demo->logs);
    const char *const arguments[] = {"scan",     location, "--columns", "id,state,total,placed_at",
                                     "--where",  where,    "--limit",   "4",
                                     "--format", "json",   NULL};
    scan->name = "scan";
    scan->line = sample_take;
    scan->context = demo;
    return demo_child_start(scan, arguments, log, error);
}
