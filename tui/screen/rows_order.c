/* Which rows are shown, and in which order: on a worker, for a hundred thousand rows take longer
 * than a key may wait. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "tui/screen/filter.h"
#include "tui/screen/rows.h"

enum { STOP_EVERY = 1024 };

static bool stopped(const atomic_bool *stop, size_t row, struct error *error)
{
    if (stop == NULL || row % STOP_EVERY || !atomic_load(stop))
        return false;
    error_set(error, ERROR_INTERRUPTED, NULL, "stopped");
    return true;
}

/* ---- numbers ---- */

/* "-12.50" in parts. */
struct number {
    bool plain; /* digits and a point; else it goes by its double */
    bool negative;
    struct slice whole, fraction; /* without zeros in front, without zeros at the end */
    double value;
};

static struct number number_read(struct slice text)
{
    struct number out = {.plain = true};
    size_t at = text.length && text.data[0] == '-', start = at;
    out.negative = at == 1;
    while (at < text.length && isdigit((unsigned char)text.data[at]))
        at++;
    size_t end = at;
    while (start < end && text.data[start] == '0')
        start++;
    out.whole = (struct slice){text.data + start, end - start};
    if (at < text.length && text.data[at] == '.') {
        start = ++at;
        while (at < text.length && isdigit((unsigned char)text.data[at]))
            at++;
        end = at;
        while (end > start && text.data[end - 1] == '0')
            end--;
        out.fraction = (struct slice){text.data + start, end - start};
    }
    if (at == text.length && text.length)
        return out;
    char copy[64];
    size_t length = text.length < sizeof copy - 1 ? text.length : sizeof copy - 1;
    memcpy(copy, text.data, length);
    copy[length] = '\0';
    out.plain = false;
    out.value = strtod(copy, NULL);
    return out;
}

static double number_value(struct slice text)
{
    char copy[400];
    size_t length = text.length < sizeof copy - 1 ? text.length : sizeof copy - 1;
    memcpy(copy, text.data, length);
    copy[length] = '\0';
    return strtod(copy, NULL);
}

static int compare_magnitude(const struct number *a, const struct number *b)
{
    if (a->whole.length != b->whole.length)
        return a->whole.length < b->whole.length ? -1 : 1;
    int order = slice_compare(a->whole, b->whole);
    return order ? order : slice_compare(a->fraction, b->fraction);
}

static bool number_is_zero(const struct number *number)
{
    return number->whole.length == 0 && number->fraction.length == 0;
}

int rows_compare_numbers(struct slice a, struct slice b)
{
    struct number left = number_read(a), right = number_read(b);
    if (!left.plain || !right.plain) {
        double x = left.plain ? number_value(a) : left.value;
        double y = right.plain ? number_value(b) : right.value;
        if (isnan(x) || isnan(y)) /* above everything, as Postgres has it */
            return (isnan(x) != 0) - (isnan(y) != 0);
        return (x > y) - (x < y);
    }
    if (number_is_zero(&left) && number_is_zero(&right))
        return 0;
    if (left.negative != right.negative)
        return left.negative ? -1 : 1;
    int order = compare_magnitude(&left, &right);
    return left.negative ? -order : order;
}

/* ---- sorting ---- */

struct sort_key {
    struct slice text;
    uint32_t row;
    bool null;
};

struct sort_rule {
    bool number, descending;
};

static int compare_keys(const void *left, const void *right, void *context)
{
    const struct sort_key *a = left, *b = right;
    const struct sort_rule *rule = context;
    int order = 0;
    if (a->null != b->null)
        return a->null ? 1 : -1;
    if (!a->null) {
        order =
            rule->number ? rows_compare_numbers(a->text, b->text) : slice_compare(a->text, b->text);
        order = rule->descending ? -order : order;
    }
    return order ? order : (a->row > b->row) - (a->row < b->row);
}

static bool sort_rows(const struct rows *rows, const struct rows_order *order, uint32_t *map,
                      size_t count, struct error *error)
{
    struct sort_rule rule = {rows->columns[order->column].number, order->descending};
    struct sort_key *keys = memory_zero(count, sizeof *keys, error);
    TRY(keys != NULL);
    for (size_t i = 0; i < count; i++) {
        keys[i].row = map[i];
        keys[i].text = rows_cell(rows, map[i], order->column, &keys[i].null);
    }
    qsort_r(keys, count, sizeof *keys, compare_keys, &rule);
    for (size_t i = 0; i < count; i++)
        map[i] = keys[i].row;
    free(keys);
    return true;
}

/* ---- filtering ---- */

/* A row as the text that a filter looks through. NUL would end it too early. */
static bool row_text(const struct rows *rows, size_t row, struct buffer *out, struct error *error)
{
    buffer_clear(out);
    for (size_t i = 0; i < rows->column_count; i++) {
        bool null;
        struct slice text = rows_cell(rows, row, i, &null);
        size_t start = out->length;
        TRY((i == 0 || buffer_append_byte(out, ' ', error)) &&
            (null ? buffer_append_text(out, "NULL", error)
                  : buffer_append_slice(out, text, error)));
        for (char *at = out->data + start;
             (at = memchr(at, 0, (size_t)(out->data + out->length - at)));)
            *at++ = ' ';
    }
    return buffer_text(out, error) != NULL;
}

/* The screen's own filter is its alone: this one is made anew from what was typed. */
static void filter_from(struct filter *filter, const char *text)
{
    bool changed;
    field_set(&filter->field, text);
    filter->editing = true;
    filter_key(filter, KEY_END, &changed);
    filter->editing = false;
}

static bool filter_rows(const struct rows *rows, const char *text, const atomic_bool *stop,
                        uint32_t *map, size_t *count, struct error *error)
{
    struct filter *filter = memory_zero(1, sizeof *filter, error);
    struct buffer line = {0};
    bool ok = filter != NULL;
    *count = 0;
    if (ok)
        filter_from(filter, text);
    for (size_t row = 0; ok && row < rows->count; row++) {
        ok = !stopped(stop, row, error) && row_text(rows, row, &line, error);
        if (ok && filter_match(filter, line.data))
            map[(*count)++] = (uint32_t)row;
    }
    buffer_destroy(&line);
    if (filter)
        filter_destroy(filter);
    free(filter);
    return ok;
}

bool rows_arrange(const struct rows *rows, const struct rows_order *order, const atomic_bool *stop,
                  uint32_t **out, size_t *count, struct error *error)
{
    uint32_t *map = memory_zero(rows->count, sizeof *map, error);
    TRY(map != NULL);
    bool ok = true;
    *count = rows->count;
    if (order->filter[0])
        ok = filter_rows(rows, order->filter, stop, map, count, error);
    else
        for (size_t i = 0; i < rows->count; i++)
            map[i] = (uint32_t)i;
    if (ok && order->sorted && order->column < rows->column_count)
        ok = !stopped(stop, 0, error) && sort_rows(rows, order, map, *count, error);
    if (!ok) {
        free(map);
        return false;
    }
    *out = map;
    return true;
}
