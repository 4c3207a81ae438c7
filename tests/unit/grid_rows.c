#include "tests/unit/grid_rows.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "tui/screen/rows_maker.h"

/* A batch of text columns, and rows that take it in. */
struct feed {
    struct schema schema;
    struct batch batch;
    struct rows *rows;
    struct rows_maker maker;
};

static void feed_open(struct feed *feed, const char *const *names, size_t columns)
{
    *feed = (struct feed){0};
    feed->schema.fields = calloc(columns + 1, sizeof *feed->schema.fields);
    feed->schema.field_count = columns;
    for (size_t i = 0; i < columns; i++)
        feed->schema.fields[i] = (struct field){.id = (int32_t)i + 1,
                                                .name = names[i],
                                                .doc = names[i][0] == 'n' ? "numeric" : "text",
                                                .type = {.kind = TYPE_STRING}};
    assert(batch_init(&feed->batch, &feed->schema, NULL));
    feed->rows = rows_create(&feed->schema, true, NULL);
    assert(feed->rows && rows_maker_init(&feed->maker, columns, NULL));
}

static void feed_flush(struct feed *feed)
{
    for (size_t row = 0; row < feed->batch.length; row++) {
        assert(rows_maker_add(&feed->maker, &feed->batch, row, NULL));
        if (rows_maker_full(&feed->maker))
            assert(rows_add(feed->rows, rows_maker_take(&feed->maker, NULL)));
    }
    batch_clear(&feed->batch);
}

static struct rows *feed_end(struct feed *feed)
{
    feed_flush(feed);
    if (feed->maker.count)
        assert(rows_add(feed->rows, rows_maker_take(&feed->maker, NULL)));
    feed->rows->complete = true;
    rows_maker_destroy(&feed->maker);
    batch_destroy(&feed->batch);
    free(feed->schema.fields);
    return feed->rows;
}

struct rows *grid_rows_of(const char *const *names, size_t columns, const char *const *values,
                          size_t count)
{
    struct feed feed;
    feed_open(&feed, names, columns);
    for (size_t i = 0; i < count * columns; i++) {
        struct column *column = &feed.batch.columns[i % columns];
        assert(values[i] ? column_append_bytes(column, slice_of(values[i]), NULL)
                         : column_append_null(column, NULL));
    }
    feed.batch.length = count;
    return feed_end(&feed);
}

struct rows *grid_rows_many(size_t count, size_t columns)
{
    struct feed feed;
    char text[64];
    char(*labels)[16] = calloc(columns, sizeof *labels);
    const char **names = calloc(columns, sizeof *names);
    assert(labels && names);
    for (size_t i = 0; i < columns; i++) {
        snprintf(labels[i], sizeof labels[i], i ? "c%zu" : "n%zu", i);
        names[i] = labels[i];
    }
    feed_open(&feed, names, columns);
    for (size_t row = 0; row < count; row++) {
        for (size_t i = 0; i < columns; i++) {
            snprintf(text, sizeof text, i ? "row %zu c %zu" : "%zu", row, i);
            assert(column_append_bytes(&feed.batch.columns[i], slice_of(text), NULL));
        }
        if (++feed.batch.length == 1000)
            feed_flush(&feed);
    }
    free(names);
    struct rows *rows = feed_end(&feed);
    free(labels);
    return rows;
}

struct rows *grid_rows_large(size_t bytes)
{
    static const char *const names[] = {"large"};
    struct feed feed;
    feed_open(&feed, names, 1);
    char *text = malloc(bytes);
    assert(text);
    /* Characters of two bytes, so that a cut in the middle would show. */
    for (size_t i = 0; i < bytes; i++)
        text[i] = i % 2 ? '\xA9' : '\xC3';
    assert(column_append_bytes(&feed.batch.columns[0], (struct slice){text, bytes}, NULL));
    feed.batch.length = 1;
    free(text);
    return feed_end(&feed);
}
