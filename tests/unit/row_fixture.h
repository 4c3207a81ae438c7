/* row_fixture.h: a table with its batch and row reader, for tests of core/change. Needs cmocka's
 * headers before it; a failure fails the test. */
#ifndef SURFBOARD_TESTS_ROW_FIXTURE_H
#define SURFBOARD_TESTS_ROW_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/change/row.h"
#include "tests/unit/render.h"

static struct error error;
#define must(expression)                                                                           \
    do {                                                                                           \
        if (!(expression))                                                                         \
            fail_msg("%s: %s", #expression, error.message);                                        \
    } while (0)

/* A table and all that reads it. */
struct fixture {
    struct change_table table;
    struct schema schema;
    struct batch batch;
    struct change_row_reader *reader;
};

static inline void open_with(struct fixture *f, const char *json,
                             const struct change_row_options *options)
{
    error = (struct error){0};
    must(change_table_parse(slice_of(json), "t.json", &f->table, &error));
    must(change_table_lake_schema(&f->table, &f->schema, &error));
    must(batch_init(&f->batch, &f->schema, &error));
    f->reader = change_row_reader_create(&f->table, options, &error);
    must(f->reader != NULL);
}

static inline void close_fixture(struct fixture *f)
{
    change_row_reader_destroy(f->reader);
    batch_destroy(&f->batch);
    schema_destroy(&f->schema);
    change_table_destroy(&f->table);
}

static inline bool read_row(struct fixture *f, const char *row)
{
    return change_row_read(f->reader, slice_of(row), (struct slice){0}, false, &f->batch, NULL,
                           NULL, &error);
}

/* Column 1 of the last row must print as `wanted`. */
static inline void expect_lake(struct fixture *f, const char *wanted, const char *what)
{
    json_t *json = render_value(&f->batch.columns[1], f->batch.length - 1);
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    if (strcmp(text, wanted) != 0)
        fail_msg("%s: %s instead of %s", what, text, wanted);
    free(text);
    json_decref(json);
}

#endif
