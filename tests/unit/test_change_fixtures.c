/* Every capture of a real pipeline reads to the source's own final state: a plain merge in memory
 * over the objects of tests/fixtures/debezium, compared cell by cell with expected.json. What can't
 * be reached is listed in exceptions.json, asserted exactly, and may not be listed in vain.
 *
 * SURFBOARD_PRINT_EXCEPTIONS=1 prints the cells that differ in the form of that file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/base/datetime.h"
#include "core/base/decimal.h"
#include "core/base/file.h"
#include "core/base/map.h"
#include "core/change/event.h"
#include "core/change/row.h"
#include "core/change/table.h"
#include "core/codec/codec.h"
#include "tests/unit/render.h"

#define ROOT "tests/fixtures/debezium"

static struct error error;
#define must(expression)                                                                           \
    do {                                                                                           \
        if (!(expression))                                                                         \
            fail_msg("%s: %s", #expression, error.message);                                        \
    } while (0)

/* ---- the source's values in the same form ---- */

/* "0044-03-15 12:00:00 BC" has the astronomical year -43. */
static void astronomical(const char *text, char out[64])
{
    size_t length = strlen(text);
    if (length > 3 && strcmp(text + length - 3, " BC") == 0) {
        char *rest;
        long year = strtol(text, &rest, 10);
        int width = snprintf(out, 64, "-%04ld", year - 1);
        snprintf(out + width, (size_t)(64 - width), "%.*s", (int)(strlen(rest) - 3), rest);
    } else {
        const char *dash = strchr(text, '-');
        snprintf(out, 64, "%s%s", dash && dash - text > 4 ? "+" : "", text);
    }
}

static json_t *expected_time(const struct type *type, const char *text)
{
    char plain[64], out[DATETIME_TEXT_SIZE];
    int64_t value;
    astronomical(text, plain);
    if (type->kind == TYPE_DATE && datetime_parse_date(slice_of(plain), &value))
        return render_text(slice_make(out, datetime_format_date(value, out)));
    if (type->kind == TYPE_TIME && datetime_parse_time(slice_of(plain), &value))
        return render_text(slice_make(out, datetime_format_time(value, out)));
    if (type->kind == TYPE_TIMESTAMP && datetime_parse_timestamp(slice_of(plain), &value))
        return render_text(slice_make(out, datetime_format_timestamp(value, false, out)));
    if (type->kind == TYPE_TIMESTAMPTZ && datetime_parse_timestamptz(slice_of(plain), &value))
        return render_text(slice_make(out, datetime_format_timestamp(value, true, out)));
    return json_string(text); /* an infinity, a year that 64 bits don't reach */
}

/* The truth as its type prints: from numbers kept as text by quoted_numbers(). */
static json_t *expected_value(const struct change_column *column, const struct type *type,
                              json_t *truth);

static json_t *expected_decimal(const struct type *type, const char *text)
{
    char plain[128], out[DECIMAL_TEXT_SIZE];
    size_t length = 0;
    int128 value;
    for (; *text && length + 1 < sizeof plain; text++) {
        if (*text != '$' && *text != ',')
            plain[length++] = *text;
    }
    if (decimal_parse(slice_make(plain, length), type->precision, type->scale, &value) !=
        DECIMAL_OK)
        return render_text(slice_make(plain, length));
    return render_text(slice_make(out, decimal_format(value, type->scale, out)));
}

static json_t *expected_list(const struct change_column *column, const struct type *type,
                             json_t *truth)
{
    json_t *list = json_array(), *element;
    size_t index;
    json_array_foreach(truth, index, element)
        json_array_append_new(list, expected_value(column, &type->fields[0].type, element));
    return list;
}

static json_t *expected_number(const struct type *type, const char *text)
{
    char *end;
    double value = type->kind == TYPE_FLOAT ? (double)strtof(text, &end) : strtod(text, &end);
    return *end == '\0' ? render_double(value, type->kind == TYPE_FLOAT) : json_string(text);
}

static json_t *expected_value(const struct change_column *column, const struct type *type,
                              json_t *truth)
{
    const char *text = json_string_value(truth);
    double x, y;
    if (json_is_null(truth) || json_is_boolean(truth))
        return json_incref(truth);
    if (strncmp(column->pg_type, "json", 4) == 0)
        return json_incref(truth);
    switch (type->kind) {
    case TYPE_INT:
    case TYPE_LONG:
        return json_integer(text ? strtoll(text, NULL, 10) : -1);
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        return expected_number(type, text);
    case TYPE_DECIMAL:
        return expected_decimal(type, text);
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return expected_time(type, text);
    case TYPE_LIST:
        return json_is_array(truth) ? expected_list(column, type, truth) : json_incref(truth);
    case TYPE_STRUCT:
        if (text && sscanf(text, "(%lf,%lf)", &x, &y) == 2)
            return json_pack("{s:f, s:f}", "x", x, "y", y);
        return json_incref(truth);
    case TYPE_UUID: {
        char plain[40] = "\\x";
        size_t length = 2;
        for (; text && *text && length < 34; text++) {
            if (*text != '-')
                plain[length++] = *text;
        }
        return json_stringn(plain, length);
    }
    default:
        return json_incref(truth);
    }
}

/* Rewrites a JSON text so that each number outside a string stands in quotes, blanks outside
 * strings go: 400-digit numbers and 1.10 stay what they are. */
static void quoted_numbers(struct slice text, struct buffer *out)
{
    bool in_string = false;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (in_string) {
            must(buffer_append_byte(out, (uint8_t)c, &error));
            if (c == '\\')
                must(buffer_append_byte(out, (uint8_t)text.data[++i], &error));
            in_string = c != '"';
        } else if ((c >= '0' && c <= '9') || c == '-') {
            must(buffer_append_byte(out, '"', &error));
            while (i < text.length && text.data[i] && strchr("0123456789+-.eE", text.data[i]))
                must(buffer_append_byte(out, (uint8_t)text.data[i++], &error));
            must(buffer_append_byte(out, '"', &error));
            i--;
        } else if (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
            must(buffer_append_byte(out, (uint8_t)c, &error));
            in_string = c == '"';
        }
    }
}

static json_t *load_quoted(struct slice text)
{
    struct buffer quoted = {0};
    json_error_t problem;
    quoted_numbers(text, &quoted);
    json_t *json = json_loadb(quoted.data, quoted.length, JSON_DECODE_ANY, &problem);
    if (json == NULL)
        fail_msg("%s", problem.text);
    buffer_destroy(&quoted);
    return json;
}

/* ---- the plain merge ---- */

struct row {
    size_t at; /* in the batch; SIZE_MAX: deleted */
};

struct merged {
    struct change_table table;
    struct schema schema;
    struct batch batch;
    struct map rows; /* key bytes -> struct row */
    struct arena arena;
    struct change_scanner *scanner;
    struct change_row_reader *reader;
    size_t events, bent;
};

static struct slice key_bytes(struct merged *m, const struct change_key *key)
{
    struct slice bytes =
        key->is_integer ? slice_make(&key->integer, sizeof key->integer) : key->bytes;
    return slice_make(arena_copy_slice(&m->arena, bytes, &error), bytes.length);
}

static struct row *find_row(struct merged *m, struct slice key, struct slice schema)
{
    struct change_key typed;
    must(change_key_read(m->reader, key, schema, &typed, &error));
    struct slice bytes = key_bytes(m, &typed);
    struct row *row = map_get(&m->rows, bytes);
    if (row == NULL) {
        row = arena_zero(&m->arena, 1, sizeof *row, &error);
        row->at = SIZE_MAX;
        must(map_put(&m->rows, bytes, row, &error));
    }
    return row;
}

/* The values that an event left out come from the row as it was, under its old key if that
 * changed (deleted rows are still in the batch). */
static void put_row(struct merged *m, const struct change *change, struct row *row, size_t old_row)
{
    uint8_t gone[64];
    size_t gone_count;
    assert_true(m->table.column_count <= sizeof gone);
    must(change_row_read(m->reader, change->after, change->value_schema,
                         change_has_marks(&m->table, change), &m->batch, gone, &gone_count,
                         &error));
    for (size_t i = 0; gone_count && i < m->table.column_count; i++) {
        if (!gone[i])
            continue;
        assert_true(old_row != SIZE_MAX);
        struct column *column = &m->batch.columns[i], old;
        must(column_init(&old, column->type, &error));
        must(column_append_row(&old, column, old_row, &error));
        column_truncate(column, m->batch.length - 1);
        must(column_append_row(column, &old, 0, &error));
        column_destroy(&old);
    }
    row->at = m->batch.length - 1;
}

static void apply(struct merged *m, const struct change *change, size_t *last_deleted)
{
    m->events++;
    if (change->op == 't') {
        for (size_t i = 0; i < m->rows.count; i++)
            ((struct row *)m->rows.entries[i].value)->at = SIZE_MAX;
        return;
    }
    if (m->table.key_count == 0)
        must(change_table_adopt_key(&m->table, change->key, &error));
    if (m->reader == NULL) {
        m->reader = change_row_reader_create(&m->table, NULL, &error);
        must(m->reader != NULL);
    }
    struct row *row = find_row(m, change->key, change->key_schema);
    if (change->op == CHANGE_TOMBSTONE)
        return;
    if (change->op == 'd') {
        *last_deleted = row->at;
        row->at = SIZE_MAX;
        return;
    }
    assert_non_null(strchr("cur", change->op));
    put_row(m, change, row, change->old_key.data ? *last_deleted : row->at);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void apply_object(struct merged *m, const char *path, size_t *last_deleted)
{
    struct buffer packed = {0}, text = {0};
    must(file_read(path, &packed, &error));
    must(codec_decompress_append(NULL, CODEC_GZIP, buffer_slice(&packed), 1 << 28, &text, &error));
    for (const char *at = text.data, *end = text.data + text.length; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct change change;
        must(change_scan_line(m->scanner, slice_make(at, (size_t)((newline ? newline : end) - at)),
                              &change, &error));
        apply(m, &change, last_deleted);
        at = newline ? newline + 1 : end;
    }
    buffer_destroy(&packed);
    buffer_destroy(&text);
}

static void apply_topic(struct merged *m, const char *folder)
{
    struct dirent **names;
    size_t last_deleted = SIZE_MAX;
    int count = scandir(folder, &names, not_hidden, by_name);
    if (count < 0)
        fail_msg("no objects in %s", folder);
    for (int i = 0; i < count; i++) {
        char path[900];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        apply_object(m, path, &last_deleted);
        free(names[i]);
    }
    free(names);
}

/* ---- comparison ---- */

struct comparison {
    const char *table;
    json_t *exceptions; /* list; each may be met once */
    size_t cells, differences, excepted;
};

static json_t *row_key(const struct merged *m, size_t at)
{
    json_t *key = json_object();
    for (size_t i = 0; i < m->table.key_count; i++) {
        size_t column = m->table.key_columns[i];
        json_object_set_new(key, m->table.columns[column].name,
                            render_value(&m->batch.columns[column], at));
    }
    return key;
}

static bool is_excepted(struct comparison *c, json_t *key, const char *column, json_t *lake)
{
    size_t index;
    json_t *e;
    json_array_foreach(c->exceptions, index, e)
    {
        if (strcmp(json_string_value(json_object_get(e, "table")), c->table) == 0 &&
            strcmp(json_string_value(json_object_get(e, "column")), column) == 0 &&
            json_equal(json_object_get(e, "key"), key) &&
            json_equal(json_object_get(e, "lake"), lake)) {
            assert_true(json_string_length(json_object_get(e, "reason")) > 10);
            json_array_remove(c->exceptions, index);
            c->excepted++;
            return true;
        }
    }
    return false;
}

static void report(const struct comparison *c, json_t *key, const char *column, json_t *lake,
                   json_t *truth)
{
    json_t *line = json_pack("{s:s, s:O, s:s, s:O, s:O}", "table", c->table, "key", key, "column",
                             column, "lake", lake, "truth", truth);
    char *text = json_dumps(line, JSON_COMPACT | JSON_ENCODE_ANY);
    fprintf(stderr, "%s\n", text);
    free(text);
    json_decref(line);
}

/* Numerics in strings are equal by value; json texts by what they say. */
static bool same(const struct change_column *column, json_t *lake, json_t *truth)
{
    if (json_equal(lake, truth))
        return true;
    if (strncmp(column->pg_type, "json", 4) == 0 && json_is_string(lake)) {
        json_t *document = load_quoted(slice_of(json_string_value(lake)));
        bool equal = json_equal(document, truth);
        json_decref(document);
        return equal;
    }
    if (strncmp(column->pg_type, "numeric", 7) == 0 && json_is_string(lake) &&
        json_is_string(truth)) {
        char a[4096], b[4096];
        const char *texts[2] = {json_string_value(lake), json_string_value(truth)};
        char *outs[2] = {a, b};
        for (int i = 0; i < 2; i++) {
            snprintf(outs[i], sizeof a, "%s", texts[i]);
            size_t length = strlen(outs[i]);
            while (strchr(outs[i], '.') && (outs[i][length - 1] == '0'))
                outs[i][--length] = '\0';
            if (length && outs[i][length - 1] == '.')
                outs[i][--length] = '\0';
        }
        return strcmp(a, b) == 0;
    }
    return false;
}

static void compare_row(struct merged *m, struct comparison *c, size_t at, json_t *truth_row)
{
    json_t *key = row_key(m, at);
    for (size_t i = 0; i < m->table.column_count; i++) {
        const struct change_column *column = &m->table.columns[i];
        json_t *truth =
            expected_value(column, &column->type, json_object_get(truth_row, column->name));
        json_t *lake = render_value(&m->batch.columns[i], at);
        c->cells++;
        if (!same(column, lake, truth) && !is_excepted(c, key, column->name, lake)) {
            c->differences++;
            report(c, key, column->name, lake, truth);
        }
        json_decref(truth);
        json_decref(lake);
    }
    json_decref(key);
}

/* The merged row of a row of expected.json, by its key. */
static size_t find_truth(struct merged *m, json_t *truth_row)
{
    json_t *wanted = json_object();
    for (size_t i = 0; i < m->table.key_count; i++) {
        const struct change_column *column = &m->table.columns[m->table.key_columns[i]];
        json_object_set_new(
            wanted, column->name,
            expected_value(column, &column->type, json_object_get(truth_row, column->name)));
    }
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < m->rows.count && found == SIZE_MAX; i++) {
        size_t at = ((struct row *)m->rows.entries[i].value)->at;
        if (at == SIZE_MAX)
            continue;
        json_t *key = row_key(m, at);
        if (json_equal(key, wanted))
            found = at;
        json_decref(key);
    }
    json_decref(wanted);
    return found;
}

static void compare_table(struct merged *m, struct comparison *c, json_t *truth_rows)
{
    size_t index, live = 0;
    json_t *truth_row;
    assert_true(json_is_array(truth_rows));
    for (size_t i = 0; i < m->rows.count; i++)
        live += ((struct row *)m->rows.entries[i].value)->at != SIZE_MAX;
    assert_int_equal(live, json_array_size(truth_rows));
    json_array_foreach(truth_rows, index, truth_row)
    {
        size_t at = find_truth(m, truth_row);
        if (at == SIZE_MAX)
            fail_msg("%s: a row of the source is missing", c->table);
        compare_row(m, c, at, truth_row);
    }
}

/* ---- one case ---- */

static void merged_open(struct merged *m, const char *path)
{
    struct buffer json = {0};
    *m = (struct merged){0};
    must(file_read(path, &json, &error));
    must(change_table_parse(buffer_slice(&json), path, &m->table, &error));
    must(change_table_lake_schema(&m->table, &m->schema, &error));
    must(batch_init(&m->batch, &m->schema, &error));
    m->scanner = change_scanner_create(&error);
    must(m->scanner != NULL);
    buffer_destroy(&json);
}

static void merged_close(struct merged *m)
{
    change_row_reader_destroy(m->reader);
    change_scanner_destroy(m->scanner);
    batch_destroy(&m->batch);
    schema_destroy(&m->schema);
    change_table_destroy(&m->table);
    map_destroy(&m->rows);
    arena_destroy(&m->arena);
}

static json_t *load_file(const char *path, bool quoted)
{
    struct buffer text = {0};
    json_error_t problem;
    must(file_read(path, &text, &error));
    json_t *json =
        quoted ? load_quoted(buffer_slice(&text)) : json_loadb(text.data, text.length, 0, &problem);
    if (json == NULL)
        fail_msg("%s: %s", path, problem.text);
    buffer_destroy(&text);
    return json;
}

static void read_table(const char *case_name, const char *prefix, const char *schema_file,
                       struct comparison *c, json_t *expected)
{
    char path[600], name[200], topic[300];
    struct merged m;
    snprintf(path, sizeof path, ROOT "/%s/schemas/%s", case_name, schema_file);
    merged_open(&m, path);
    snprintf(name, sizeof name, "%.*s", (int)(strlen(schema_file) - 5), schema_file);
    snprintf(topic, sizeof topic, "%s.%s", prefix, name);
    for (char *at = topic; *at; at++) {
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", *at))
            *at = '_';
    }
    c->table = name;
    if (strcmp(name, "public.audit_nopk") == 0) { /* no key anywhere: refused, with a remedy */
        assert_false(change_table_require_key(&m.table, &error));
        assert_int_equal(error.kind, ERROR_CONFIG);
        assert_non_null(strstr(error.remedy, "primary key"));
        error_clear(&error);
    } else {
        snprintf(path, sizeof path, ROOT "/%s/objects/%s/0", case_name, topic);
        apply_topic(&m, path);
        assert_true(m.events > 0);
        compare_table(&m, c, json_object_get(expected, name));
    }
    merged_close(&m);
}

/* Reads all tables of a case; returns how many cells differ without being excepted. */
static size_t compare_case(const char *case_name, const char *prefix)
{
    char path[600];
    struct dirent **names;
    snprintf(path, sizeof path, ROOT "/%s/expected.json", case_name);
    json_t *expected = load_file(path, true);
    snprintf(path, sizeof path, ROOT "/%s/exceptions.json", case_name);
    json_t *exceptions =
        file_exists(path) ? load_file(path, false) : json_pack("{s:[]}", "exceptions");
    struct comparison c = {.exceptions = json_object_get(exceptions, "exceptions")};
    snprintf(path, sizeof path, ROOT "/%s/schemas", case_name);
    int count = scandir(path, &names, not_hidden, by_name);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        read_table(case_name, prefix, names[i]->d_name, &c, expected);
        free(names[i]);
    }
    free(names);
    assert_true(c.cells > 0);
    if (json_array_size(c.exceptions))
        fail_msg("%s: %zu exceptions are listed in vain", case_name, json_array_size(c.exceptions));
    json_decref(expected);
    json_decref(exceptions);
    return c.differences;
}

static void check_case(const char *case_name, const char *prefix)
{
    assert_int_equal(compare_case(case_name, prefix), 0);
}

/* binary.handling.mode=base64 sends null for an unchanged bytea: nothing tells it from a null. One
 * row was updated beside its bytea and bytea[]. */
static void base64_mode_loses_unchanged_bytes(void **state)
{
    (void)state;
    assert_int_equal(compare_case("toast-base64-loss", "tbbase64"), 2);
}

static void shop_reads_to_the_source_s_state(void **state)
{
    (void)state;
    check_case("shop", "shop");
}

static void precise_reads_to_the_source_s_state(void **state)
{
    (void)state;
    check_case("precise", "precise");
}

static void replay_reads_to_the_source_s_state(void **state)
{
    (void)state;
    check_case("replay", "replay");
}

static void every_toast_marker_is_known(void **state)
{
    (void)state;
    check_case("toast-types", "tbbytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shop_reads_to_the_source_s_state),
        cmocka_unit_test(precise_reads_to_the_source_s_state),
        cmocka_unit_test(replay_reads_to_the_source_s_state),
        cmocka_unit_test(every_toast_marker_is_known),
        cmocka_unit_test(base64_mode_loses_unchanged_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
