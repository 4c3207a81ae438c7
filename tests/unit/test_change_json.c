/* The scanner and jansson agree on what is JSON and on what it says: texts of tests/fixtures/json,
 * and 100 000 texts and lines with random damage, with every set of instructions. */
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

#include "core/base/file.h"
#include "core/base/random.h"
#include "core/change/event.h"
#include "core/change/scan.h"
#include "core/change/token.h"

#define ROOT "tests/fixtures/json"

static struct error error;
#define must(expression)                                                                           \
    do {                                                                                           \
        if (!(expression))                                                                         \
            fail_msg("%s: %s", #expression, error.message);                                        \
    } while (0)

/* ---- all lanes ---- */

struct lanes {
    const char *name;
    enum change_lanes lanes;
    bool (*check)(struct slice text, size_t *at);
};

static const struct lanes all_lanes[] = {
    {"portable", CHANGE_LANES_PORTABLE, scan_check_portable},
#ifdef __x86_64__
    {"sse2", CHANGE_LANES_SSE2, scan_check_sse2},
    {"avx2", CHANGE_LANES_AVX2, scan_check_avx2},
#endif
};
enum { LANES = sizeof all_lanes / sizeof *all_lanes };

static bool have_lanes(size_t i)
{
    struct error no = {0};
    struct change_scanner *scanner = change_scanner_create_with(all_lanes[i].lanes, &no);
    change_scanner_destroy(scanner);
    return scanner != NULL;
}

/* The text stands at the end of its memory, so that a byte read too far is seen by ASan. */
static bool lanes_accept(struct slice text)
{
    char *copy = malloc(text.length ? text.length : 1);
    memcpy(copy, text.data, text.length);
    size_t first_at = 0;
    bool first = false;
    for (size_t i = 0; i < LANES; i++) {
        size_t at;
        if (!have_lanes(i))
            continue;
        bool good = all_lanes[i].check(slice_make(copy, text.length), &at);
        if (i == 0) {
            first = good;
            first_at = at;
        }
        if (good != first || at != first_at)
            fail_msg("%s lanes: %d at %zu, portable: %d at %zu: %.*s", all_lanes[i].name, good, at,
                     first, first_at, SLICE_ARG(text));
    }
    free(copy);
    return first;
}

/* ---- values ---- */

static void same_value(const struct token *token, const json_t *json);

static void same_text(const struct token *token, const json_t *json)
{
    struct buffer text = {0};
    assert_true(json_is_string(json));
    if (token->kind == TOKEN_ESCAPED)
        must(token_unescape(token->raw, &text, &error));
    else
        must(buffer_append_slice(&text, token->raw, &error));
    assert_int_equal(text.length, json_string_length(json));
    if (text.length)
        assert_memory_equal(text.data, json_string_value(json), text.length);
    buffer_destroy(&text);
}

static void same_array(const struct token *token, const json_t *json)
{
    struct cursor j = {.at = token->raw.data, .end = token->raw.data + token->raw.length};
    bool more;
    size_t count = 0;
    assert_true(json_is_array(json));
    assert_true(token_enter(&j, ']', &more));
    for (more = !more; more; count++) {
        struct token element;
        assert_true(token_value(&j, &element) && token_more(&j, ']', &more));
        same_value(&element, json_array_get(json, count));
    }
    assert_int_equal(count, json_array_size(json));
}

/* Of members of one name the last counts: walked from the front, each overwrites the one before. */
static void same_object(const struct token *token, const json_t *json)
{
    struct cursor j = {.at = token->raw.data, .end = token->raw.data + token->raw.length};
    json_t *seen = json_object();
    struct buffer name = {0};
    bool more;
    assert_true(json_is_object(json));
    assert_true(token_enter(&j, '}', &more));
    for (more = !more; more;) {
        struct slice raw;
        struct token value;
        bool escaped;
        assert_true(token_name(&j, &raw, &escaped) && token_value(&j, &value) &&
                    token_more(&j, '}', &more));
        buffer_clear(&name);
        must(escaped ? token_unescape(raw, &name, &error)
                     : buffer_append_slice(&name, raw, &error));
        must(buffer_text(&name, &error) != NULL);
        json_object_set_new(
            seen, name.data,
            json_pack("[I, I]", (json_int_t)(intptr_t)value.raw.data,
                      (json_int_t)((uint64_t)value.raw.length << 8 | (uint64_t)value.kind)));
    }
    assert_int_equal(json_object_size(seen), json_object_size(json));
    const char *key;
    json_t *place;
    json_object_foreach(seen, key, place)
    {
        json_int_t packed = json_integer_value(json_array_get(place, 1));
        struct token value = {
            (enum token_kind)(packed & 0xFF),
            slice_make((const char *)(intptr_t)json_integer_value(json_array_get(place, 0)),
                       (size_t)(packed >> 8))};
        same_value(&value, json_object_get(json, key));
    }
    json_decref(seen);
    buffer_destroy(&name);
}

static void same_value(const struct token *token, const json_t *json)
{
    char number[512];
    int64_t integer = 0;
    assert_non_null(json);
    switch (token->kind) {
    case TOKEN_NULL:
        assert_true(json_is_null(json));
        break;
    case TOKEN_TRUE:
        assert_true(json_is_true(json));
        break;
    case TOKEN_FALSE:
        assert_true(json_is_false(json));
        break;
    case TOKEN_INTEGER:
        assert_true(json_is_integer(json) && token_integer(token->raw, &integer));
        assert_int_equal(integer, json_integer_value(json));
        break;
    case TOKEN_NUMBER:
        assert_true(json_is_real(json));
        snprintf(number, sizeof number, "%.*s", SLICE_ARG(token->raw));
        assert_true(strtod(number, NULL) == json_real_value(json));
        break;
    case TOKEN_STRING:
    case TOKEN_ESCAPED:
        same_text(token, json);
        break;
    case TOKEN_ARRAY:
        same_array(token, json);
        break;
    case TOKEN_OBJECT:
        same_object(token, json);
        break;
    case TOKEN_ABSENT:
        fail_msg("a value without a kind");
    }
}

static void same_document(struct slice text, const json_t *json)
{
    struct cursor j = {.at = text.data, .end = text.data + text.length};
    struct token token;
    assert_true(token_value(&j, &token) && token_end(&j));
    same_value(&token, json);
}

/* ---- the files ---- */

static json_t *load(struct slice text, json_error_t *problem)
{
    return json_loadb(text.data ? text.data : "", text.length, JSON_DECODE_ANY | JSON_ALLOW_NUL,
                      problem);
}

static void check_file(const char *name, struct slice text, int counts[3])
{
    json_error_t problem;
    bool accepted = lanes_accept(text);
    json_t *json = load(text, &problem);
    if (strncmp(name, "accept_", 7) == 0) {
        counts[0]++;
        if (!accepted || json == NULL)
            fail_msg("%s: %s by the scanner, %s by jansson", name, accepted ? "taken" : "refused",
                     json ? "taken" : problem.text);
        same_document(text, json);
    } else if (strncmp(name, "reject_", 7) == 0) {
        counts[1]++;
        if (accepted || json)
            fail_msg("%s: %s by the scanner, %s by jansson", name, accepted ? "taken" : "refused",
                     json ? "taken" : "refused");
    } else {
        counts[2]++;
        assert_true(strncmp(name, "free_", 5) == 0);
    }
    json_decref(json);
}

static void the_written_texts_are_judged_rightly(void **state)
{
    (void)state;
    int counts[3] = {0};
    DIR *folder = opendir(ROOT);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[600];
        struct buffer text = {0};
        if (strstr(entry->d_name, ".json") == NULL)
            continue;
        snprintf(path, sizeof path, ROOT "/%s", entry->d_name);
        must(file_read(path, &text, &error));
        check_file(entry->d_name, buffer_slice(&text), counts);
        buffer_destroy(&text);
    }
    closedir(folder);
    assert_true(counts[0] >= 80 && counts[1] >= 120 && counts[2] >= 10);
}

/* ---- damage ---- */

static const char *const documents[] = {
    "{\"a\":[1,2.5e-3,{\"b\":\"c\\u00e9\\uD83D\\uDE00\"},null,true,false],\"d\":\"long enough to "
    "fill a lane of thirty-two\",\"e\":-0}",
    "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\",123456789012345678]",
    " { \"k\" : [ { } , [ ] , \"\" , 0 , -1.5E+10 ] , \"k\" : { \"x\" : null } } ",
    "{\"key\":{\"id\":318},\"value\":{\"before\":null,\"after\":{\"id\":318,\"status\":\"new\","
    "\"amount\":\"1798.31\",\"note\":\"a \\\"b\\\" \xE6\x97\xA5\"},\"source\":{\"ts_ms\":"
    "1767225600062,\"snapshot\":\"false\",\"sequence\":\"[\\\"24179272\\\",\\\"24179456\\\"]\","
    "\"schema\":\"public\",\"table\":\"orders\",\"txId\":1037,\"lsn\":24179456},\"transaction\":"
    "{\"id\":\"1037:24179456\",\"total_order\":2},\"op\":\"u\",\"ts_ms\":1767225600074},"
    "\"offset\":1001,\"timestamp\":\"2026-01-01T00:00:00.082Z\",\"headers\":[{\"key\":"
    "\"__debezium.oldkey\",\"value\":{\"id\":3}}]}",
    "{\"key\":\"{\\\"schema\\\":null,\\\"payload\\\":{\\\"id\\\":1}}\",\"value\":\"{\\\"schema\\\":"
    "{},\\\"payload\\\":{\\\"op\\\":\\\"c\\\",\\\"after\\\":{\\\"id\\\":1}}}\",\"offset\":7}",
    "{\"offset\":3,\"headers\":{\"__debezium.newkey\":{\"id\":2}},\"value\":null,\"key\":{\"id\":1}"
    "}",
};
enum { DOCUMENTS = sizeof documents / sizeof *documents };

/* One to four bytes changed, taken out, put in, or a piece doubled. */
static void damage(struct random *random, struct buffer *text)
{
    static const char liked[] = "\"\\{}[],:0123456789-+.eEtfnu \t\n\r\x01\x1F\x80\xC3\xED\xF4/";
    for (uint64_t times = 1 + random_below(random, 4); times > 0 && text->length; times--) {
        size_t at = (size_t)random_below(random, text->length);
        char byte = random_below(random, 4) ? liked[random_below(random, sizeof liked - 1)]
                                            : (char)random_below(random, 256);
        switch (random_below(random, 5)) {
        case 0:
            text->data[at] = byte;
            break;
        case 1:
            memmove(text->data + at, text->data + at + 1, text->length - at - 1);
            text->length--;
            break;
        case 2:
            must(buffer_reserve(text, 1, &error));
            memmove(text->data + at + 1, text->data + at, text->length - at);
            text->data[at] = byte;
            text->length++;
            break;
        case 3:
            text->length = at;
            break;
        default: {
            size_t length = (size_t)random_below(random, text->length - at) + 1;
            must(buffer_reserve(text, length, &error));
            memmove(text->data + at + length, text->data + at, text->length - at);
            text->length += length;
            break;
        }
        }
    }
}

/* What jansson refuses though it is JSON, or can't hold. */
static bool is_jansson_s_limit(const json_error_t *problem)
{
    enum json_error_code code = json_error_code(problem);
    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
           code == json_error_stack_overflow || code == json_error_null_character;
}

static void damaged_texts_are_judged_as_by_jansson(void **state)
{
    (void)state;
    struct random random;
    struct buffer text = {0};
    int accepted = 0, refused = 0;
    random_seed(&random, 20261122);
    for (int round = 0; round < 100000; round++) {
        json_error_t problem;
        buffer_clear(&text);
        must(buffer_append_text(&text, documents[round % DOCUMENTS], &error));
        damage(&random, &text);
        bool good = lanes_accept(buffer_slice(&text));
        json_t *json = load(buffer_slice(&text), &problem);
        if (json == NULL && is_jansson_s_limit(&problem))
            continue;
        if (memchr(text.data, 0, text.length)) { /* jansson overlooks one behind a number */
            json_decref(json);
            continue;
        }
        if (good != (json != NULL))
            fail_msg("%s by the scanner, %s by jansson: %.*s", good ? "taken" : "refused",
                     json ? "taken" : problem.text, SLICE_ARG(buffer_slice(&text)));
        if (json && round % 4 == 0)
            same_document(buffer_slice(&text), json);
        accepted += good;
        refused += !good;
        json_decref(json);
    }
    buffer_destroy(&text);
    assert_true(accepted > 5000 && refused > 50000);
}

/* ---- lines ---- */

static bool same_slices(const struct change *a, const struct change *b)
{
    const struct slice *as[] = {&a->key,
                                &a->before,
                                &a->after,
                                &a->key_schema,
                                &a->value_schema,
                                &a->transaction_id,
                                &a->source_schema,
                                &a->source_table,
                                &a->old_key,
                                &a->new_key,
                                &a->run_id,
                                &a->capture_position,
                                &a->data_collections,
                                &a->timestamp};
    const struct slice *bs[] = {&b->key,
                                &b->before,
                                &b->after,
                                &b->key_schema,
                                &b->value_schema,
                                &b->transaction_id,
                                &b->source_schema,
                                &b->source_table,
                                &b->old_key,
                                &b->new_key,
                                &b->run_id,
                                &b->capture_position,
                                &b->data_collections,
                                &b->timestamp};
    for (size_t i = 0; i < sizeof as / sizeof *as; i++) {
        if (!slice_equal(*as[i], *bs[i]) || (as[i]->data == NULL) != (bs[i]->data == NULL))
            return false;
    }
    return true;
}

static bool same_change(const struct change *a, const struct change *b)
{
    return a->offset == b->offset && a->op == b->op && a->snapshot == b->snapshot &&
           a->position.seq0 == b->position.seq0 && a->position.seq1 == b->position.seq1 &&
           a->position.total_order == b->position.total_order &&
           a->has_position == b->has_position && a->ts_us == b->ts_us && a->lsn == b->lsn &&
           a->tx_id == b->tx_id && a->transaction_end == b->transaction_end &&
           a->event_count == b->event_count && same_slices(a, b);
}

/* The members that a merge lives on, as jansson finds them; JSON texts in strings aside. */
static void same_line(const struct change *change, const json_t *line)
{
    const json_t *value = json_object_get(line, "value"), *key = json_object_get(line, "key");
    assert_int_equal(change->offset, json_integer_value(json_object_get(line, "offset")));
    if (json_is_object(key) && json_object_get(key, "payload") == NULL)
        same_document(change->key, key);
    if (!json_is_object(value) || json_object_get(value, "payload"))
        return;
    const json_t *after = json_object_get(value, "after"), *op = json_object_get(value, "op");
    assert_int_equal(change->after.data != NULL, json_is_object(after));
    if (json_is_object(after))
        same_document(change->after, after);
    if (json_is_string(op))
        assert_int_equal(change->op, json_string_value(op)[0]);
}

static void damaged_lines_read_alike_with_all_lanes(void **state)
{
    (void)state;
    struct change_scanner *scanners[LANES] = {0};
    struct random random;
    struct buffer text = {0};
    int read = 0;
    random_seed(&random, 42);
    for (size_t i = 0; i < LANES; i++)
        scanners[i] = change_scanner_create_with(all_lanes[i].lanes, &error);
    for (int round = 0; round < 50000; round++) {
        buffer_clear(&text);
        must(buffer_append_text(&text, documents[3 + round % 3], &error));
        if (round % 8)
            damage(&random, &text);
        struct change first = {0};
        bool good = false, torn = false;
        for (size_t i = 0; i < LANES; i++) {
            struct change change;
            struct error why = {0};
            if (scanners[i] == NULL)
                continue;
            bool this = change_scan_line(scanners[i], buffer_slice(&text), &change, &why);
            bool this_torn = !this && change_scan_torn(scanners[i]);
            if (i == 0) {
                first = change;
                good = this;
                torn = this_torn;
            }
            assert_int_equal(this, good);
            assert_int_equal(this_torn, torn);
            if (good && !same_change(&change, &first))
                fail_msg("%s lanes read otherwise: %.*s", all_lanes[i].name,
                         SLICE_ARG(buffer_slice(&text)));
        }
        if (!good)
            continue;
        json_error_t problem;
        json_t *json = load(buffer_slice(&text), &problem);
        if (json == NULL && is_jansson_s_limit(&problem))
            continue;
        if (json == NULL)
            fail_msg("%s: %.*s", problem.text, SLICE_ARG(buffer_slice(&text)));
        same_line(&first, json);
        json_decref(json);
        read++;
    }
    for (size_t i = 0; i < LANES; i++)
        change_scanner_destroy(scanners[i]);
    buffer_destroy(&text);
    assert_true(read > 6000);
}

/* Every way to cut a line short is torn; every line that ends in the middle of nothing is not. */
static void a_cut_line_is_told_from_a_wrong_one(void **state)
{
    (void)state;
    struct change change;
    for (size_t i = 0; i < LANES; i++) {
        struct change_scanner *scanner = change_scanner_create_with(all_lanes[i].lanes, &error);
        if (scanner == NULL)
            continue;
        for (size_t d = 3; d < DOCUMENTS; d++) {
            struct slice whole = slice_of(documents[d]);
            must(change_scan_line(scanner, whole, &change, &error));
            for (size_t length = 0; length < whole.length; length++) {
                struct error why = {0};
                assert_false(
                    change_scan_line(scanner, slice_make(whole.data, length), &change, &why));
                if (!change_scan_torn(scanner))
                    fail_msg("not torn: %.*s: %s", (int)length, whole.data, why.message);
            }
        }
        struct error why = {0};
        assert_false(change_scan_line(scanner, SLICE_LITERAL("{\"offset\":1,}"), &change, &why));
        assert_false(change_scan_torn(scanner));
        assert_false(change_scan_line(scanner, SLICE_LITERAL("{\"offset\":1}"), &change, &why));
        assert_false(change_scan_torn(scanner));
        change_scanner_destroy(scanner);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_written_texts_are_judged_rightly),
        cmocka_unit_test(damaged_texts_are_judged_as_by_jansson),
        cmocka_unit_test(damaged_lines_read_alike_with_all_lanes),
        cmocka_unit_test(a_cut_line_is_told_from_a_wrong_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
