/* Avro files come back as they were written, attributes included; damage is an error, not a crash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <stdlib.h>

#include "core/avro/reader.h"
#include "core/avro/writer.h"
#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/codec/codec.h"
#include "core/iceberg/describe.h"

static struct error failure;

static void must(bool ok)
{
    if (!ok)
        fail_msg("%s: %s", error_kind_name(failure.kind), failure.message);
}

static const char schema_text[] =
    "{\"type\":\"record\",\"name\":\"r\",\"fields\":["
    "{\"name\":\"n\",\"type\":\"long\",\"field-id\":1},"
    "{\"name\":\"t\",\"type\":[\"null\",\"string\"],\"default\":null,\"field-id\":2},"
    "{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":\"int\",\"element-id\":4},"
    "\"field-id\":3}]}";

static bool write_records(struct buffer *out, enum avro_codec codec, int64_t count,
                          struct error *error)
{
    struct sink sink = sink_to_buffer(out);
    const struct avro_metadata metadata[] = {{"format-version", SLICE_LITERAL("2")}};
    struct avro_writer *writer = avro_writer_open(&sink, schema_text, codec, metadata, 1, error);
    bool ok = writer != NULL;
    for (int64_t i = 0; ok && i < count; i++) {
        struct buffer *record = avro_writer_record(writer);
        ok = avro_put_long(record, i * i * (i % 2 ? 1 : -1), error) &&
             avro_put_long(record, i % 3 != 0, error) &&
             (i % 3 == 0 || avro_put_text(record, "text", error)) &&
             avro_put_long(record, 2, error) && avro_put_long(record, i, error) &&
             avro_put_long(record, -i, error) && avro_put_long(record, 0, error) &&
             avro_writer_end_record(writer, error);
    }
    ok = ok && avro_writer_finish(writer, error);
    avro_writer_destroy(writer);
    return ok;
}

static bool read_records(struct slice bytes, int64_t *count, struct error *error)
{
    struct source source = source_from_memory(&bytes, "test");
    struct avro_reader *reader = avro_reader_open(&source, error);
    struct avro_cursor *cursor = NULL;
    bool end = false, ok = reader != NULL;
    for (*count = 0; ok; ++*count) {
        int64_t number = 0, branch = 0, items = 0;
        struct slice text = {0};
        ok = avro_reader_next(reader, &cursor, &end, error);
        if (!ok || end)
            break;
        ok = avro_get_long(cursor, &number, error) && avro_get_long(cursor, &branch, error) &&
             (branch == 0 || avro_get_bytes(cursor, &text, error));
        if (ok && number != *count * *count * (*count % 2 ? 1 : -1))
            ok = error_set(error, ERROR_CHECK, NULL, "record %lld is %lld", (long long)*count,
                           (long long)number);
        do {
            ok = ok && avro_get_block(cursor, &items, error);
            for (int64_t i = 0; ok && i < items; i++)
                ok = avro_get_long(cursor, &number, error);
        } while (ok && items);
    }
    avro_reader_close(reader);
    return ok;
}

static void records_come_back_in_every_codec(void **state)
{
    (void)state;
    for (int codec = AVRO_CODEC_NULL; codec <= AVRO_CODEC_DEFLATE; codec++) {
        struct buffer bytes = {0};
        int64_t count = 0;
        must(write_records(&bytes, (enum avro_codec)codec, 30000, &failure));
        must(read_records(buffer_slice(&bytes), &count, &failure));
        assert_int_equal(count, 30000);
        buffer_destroy(&bytes);
    }
}

/* The same block, packed by other writers' codecs. */
static void blocks_of_other_codecs_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum codec codec;
        bool checksum;
    } codecs[] = {{"snappy", CODEC_SNAPPY, true}, {"zstandard", CODEC_ZSTD, false}};
    for (size_t c = 0; c < 2; c++) {
        struct buffer body = {0}, packed = {0}, file = {0};
        for (int64_t i = 0; i < 100; i++) {
            must(avro_put_long(&body, i * i * (i % 2 ? 1 : -1), &failure));
            must(avro_put_long(&body, 0, &failure));
            must(avro_put_long(&body, 0, &failure));
        }
        must(codec_compress(NULL, codecs[c].codec, 0, buffer_slice(&body), &packed, &failure));
        if (codecs[c].checksum) {
            uint32_t crc = codec_crc32(0, buffer_slice(&body));
            const uint8_t tail[] = {(uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8),
                                    (uint8_t)crc};
            must(buffer_append(&packed, tail, 4, &failure));
        }
        must(buffer_append(&file, "Obj\1", 4, &failure));
        must(avro_put_long(&file, 2, &failure));
        must(avro_put_text(&file, "avro.codec", &failure));
        must(avro_put_text(&file, codecs[c].name, &failure));
        must(avro_put_text(&file, "avro.schema", &failure));
        must(avro_put_text(&file, schema_text, &failure));
        must(avro_put_long(&file, 0, &failure));
        must(buffer_append(&file, "0123456789abcdef", 16, &failure));
        must(avro_put_long(&file, 100, &failure));
        must(avro_put_bytes(&file, buffer_slice(&packed), &failure));
        must(buffer_append(&file, "0123456789abcdef", 16, &failure));
        int64_t count = 0;
        must(read_records(buffer_slice(&file), &count, &failure));
        assert_int_equal(count, 100);
        if (codecs[c].checksum) {
            file.data[file.length - 20] ^= 1; /* in the checksum */
            assert_false(read_records(buffer_slice(&file), &count, &failure));
            assert_int_equal(failure.kind, ERROR_INPUT);
        }
        buffer_destroy(&body);
        buffer_destroy(&packed);
        buffer_destroy(&file);
    }
}

static void field_ids_reach_the_reader(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    must(write_records(&bytes, AVRO_CODEC_NULL, 1, &failure));
    struct slice whole = buffer_slice(&bytes);
    struct source source = source_from_memory(&whole, "test");
    struct avro_reader *reader = avro_reader_open(&source, &failure);
    assert_non_null(reader);
    const struct avro_type *root = avro_reader_schema(reader)->root;
    assert_string_equal(avro_field_by_id(root, 2)->name, "t");
    assert_int_equal(avro_field_by_id(root, 3)->type->element_id, 4);
    int null_branch = 9;
    assert_int_equal(avro_optional(root->fields[1].type, &null_branch)->kind, AVRO_STRING);
    assert_int_equal(null_branch, 0);
    assert_true(slice_is(avro_reader_metadata(reader, "format-version"), "2"));
    assert_true(slice_is(avro_reader_metadata(reader, "avro.schema"), schema_text));
    avro_reader_close(reader);
    buffer_destroy(&bytes);
}

static void every_cut_and_every_flip_is_an_error_or_harmless(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    int64_t count = 0;
    must(write_records(&bytes, AVRO_CODEC_DEFLATE, 40, &failure));
    for (size_t length = 0; length < bytes.length; length++) {
        bool ok = read_records(slice_make(bytes.data, length), &count, &failure);
        if (ok) /* only right behind the header is a file without records */
            assert_int_equal(count, 0);
        else
            assert_int_equal(failure.kind, ERROR_INPUT);
    }
    struct random random;
    random_seed(&random, 5);
    for (int i = 0; i < 3000; i++) {
        size_t at = random_below(&random, bytes.length);
        char before = bytes.data[at];
        bytes.data[at] = (char)random_next(&random);
        read_records(buffer_slice(&bytes), &count, &failure);
        bytes.data[at] = before;
    }
    buffer_destroy(&bytes);
}

static void hostile_schemas_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "5",
        "{}",
        "\"thing\"",
        "[]",
        "{\"type\":\"record\",\"name\":\"r\"}",
        "{\"type\":\"fixed\",\"name\":\"f\",\"size\":-1}",
        "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"x\"}]}",
        "{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[1]}",
    };
    struct avro_schema schema;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(avro_schema_parse(slice_of(bad[i]), &schema, &failure));
        assert_int_equal(failure.kind, ERROR_INPUT);
    }
    struct buffer deep = {0};
    for (int i = 0; i < 500; i++)
        must(buffer_append_text(&deep, "{\"type\":\"array\",\"items\":", &failure));
    must(buffer_append_text(&deep, "\"int\"", &failure));
    for (int i = 0; i < 500; i++)
        must(buffer_append_text(&deep, "}", &failure));
    assert_false(avro_schema_parse(buffer_slice(&deep), &schema, &failure));
    assert_int_equal(failure.kind, ERROR_INPUT);
    buffer_destroy(&deep);
    must(avro_schema_parse(
        SLICE_LITERAL("{\"type\":\"record\",\"name\":\"tree\",\"namespace\":\"a.b\",\"fields\":["
                      "{\"name\":\"next\",\"type\":[\"null\",\"a.b.tree\"]}]}"),
        &schema, &failure));
    assert_ptr_equal(schema.root->fields[0].type->branches[1], schema.root);
    avro_schema_destroy(&schema);
}

static void every_failed_allocation_is_an_error(void **state)
{
    (void)state;
    struct buffer good = {0};
    int64_t count = 0;
    must(write_records(&good, AVRO_CODEC_DEFLATE, 200, &failure));
    for (long n = 1;; n++) {
        struct buffer bytes = {0};
        memory_fail_after(n);
        bool ok = write_records(&bytes, AVRO_CODEC_DEFLATE, 200, &failure);
        memory_fail_after(0);
        buffer_destroy(&bytes);
        if (ok)
            break;
        assert_int_equal(failure.kind, ERROR_MEMORY);
    }
    for (long n = 1;; n++) {
        memory_fail_after(n);
        bool ok = read_records(buffer_slice(&good), &count, &failure);
        memory_fail_after(0);
        if (ok)
            break;
        assert_int_equal(failure.kind, ERROR_MEMORY);
    }
    buffer_destroy(&good);
}

static void manifests_are_described_for_people(void **state)
{
    (void)state;
    glob_t found;
    size_t manifests = 0, lists = 0;
    assert_int_equal(
        glob("tests/fixtures/iceberg/*/warehouse/fx/*/metadata/*.avro", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct buffer bytes = {0};
        json_t *json = NULL;
        must(file_read(found.gl_pathv[i], &bytes, &failure));
        struct slice whole = buffer_slice(&bytes);
        struct source source = source_from_memory(&whole, found.gl_pathv[i]);
        must(iceberg_describe_avro(&source, 1, &json, &failure));
        const char *kind = json_string_value(json_object_get(json, "kind"));
        manifests += strcmp(kind, "manifest") == 0;
        lists += strcmp(kind, "manifest-list") == 0;
        const json_t *file =
            json_object_get(json_array_get(json_object_get(json, "records"), 0), "data_file");
        const json_t *bounds = json_object_get(file, "lower_bounds");
        if (strcmp(kind, "manifest") == 0 && json_object_get(bounds, "id"))
            assert_true(json_is_string(json_object_get(bounds, "id")));
        json_decref(json);
        buffer_destroy(&bytes);
    }
    assert_true(manifests > 20 && lists > 20 && manifests + lists == found.gl_pathc);
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back_in_every_codec),
        cmocka_unit_test(blocks_of_other_codecs_are_read),
        cmocka_unit_test(field_ids_reach_the_reader),
        cmocka_unit_test(every_cut_and_every_flip_is_an_error_or_harmless),
        cmocka_unit_test(hostile_schemas_are_refused),
        cmocka_unit_test(every_failed_allocation_is_an_error),
        cmocka_unit_test(manifests_are_described_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
