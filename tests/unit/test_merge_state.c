/* Positions recognise repeats and a source that went back; the state survives its JSON form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "core/merge/state.h"

static struct change record(char op, uint64_t seq1, int64_t order, int64_t ts_us)
{
    return (struct change){.op = op,
                           .position = {.seq0 = 10, .seq1 = seq1, .total_order = order},
                           .has_position = true,
                           .ts_us = ts_us};
}

struct step {
    char op;
    uint64_t seq1;
    int64_t order, ts_us;
    uint64_t run;
    enum position_verdict expected;
};

static void walk(const struct step *steps, size_t count)
{
    struct partition_state state = {0};
    for (size_t i = 0; i < count; i++) {
        struct change change = record(steps[i].op, steps[i].seq1, steps[i].order, steps[i].ts_us);
        enum position_verdict verdict = position_judge(&state, &change, steps[i].run);
        if (verdict != steps[i].expected)
            fail_msg("step %zu: %d, not %d", i, (int)verdict, (int)steps[i].expected);
    }
}

#define WALK(steps) walk(steps, sizeof steps / sizeof *steps)

static void a_crash_gives_repeats_and_then_news(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {'c', 100, 1, 1000, 1, POSITION_NEW},    {'u', 100, 2, 1000, 1, POSITION_NEW},
        {'u', 120, 1, 1100, 1, POSITION_NEW},    {'c', 100, 1, 1000, 2, POSITION_REPEAT},
        {'u', 100, 2, 1000, 2, POSITION_REPEAT}, {'u', 120, 1, 1100, 2, POSITION_REPEAT},
        {'u', 130, 1, 1200, 2, POSITION_NEW},
    };
    WALK(steps);
}

/* A COPY gives many rows one position: all new, until the source has gone back; then as many are
 * repeats as were applied there, and the rest of the COPY is new. */
static void a_copy_is_not_its_own_repeat(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {'c', 90, -1, 900, 0, POSITION_NEW},      {'c', 100, -1, 1000, 0, POSITION_NEW},
        {'c', 100, -1, 1000, 0, POSITION_NEW},    {'c', 100, -1, 1000, 0, POSITION_NEW},
        {'c', 90, -1, 900, 0, POSITION_REPEAT},   {'c', 100, -1, 1000, 0, POSITION_REPEAT},
        {'c', 100, -1, 1000, 0, POSITION_REPEAT}, {'c', 100, -1, 1000, 0, POSITION_REPEAT},
        {'c', 100, -1, 1000, 0, POSITION_NEW},    {'c', 110, -1, 1000, 0, POSITION_NEW},
    };
    WALK(steps);
}

/* Another run of the capture may begin in the middle of the COPY: no lower position tells. */
static void a_new_run_counts_repeats_too(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {'c', 100, -1, 1000, 5, POSITION_NEW},    {'c', 100, -1, 1000, 5, POSITION_NEW},
        {'c', 100, -1, 1000, 6, POSITION_REPEAT}, {'c', 100, -1, 1000, 6, POSITION_REPEAT},
        {'c', 100, -1, 1000, 6, POSITION_NEW},
    };
    WALK(steps);
}

static void both_halves_of_a_key_change_count(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {'d', 100, -1, 1000, 0, POSITION_NEW},    {'c', 100, -1, 1000, 0, POSITION_NEW},
        {'d', 110, 3, 1100, 0, POSITION_NEW},     {'c', 110, 3, 1100, 0, POSITION_NEW},
        {'d', 100, -1, 1000, 0, POSITION_REPEAT}, {'c', 100, -1, 1000, 0, POSITION_REPEAT},
        {'d', 110, 3, 1100, 0, POSITION_REPEAT},  {'c', 110, 3, 1100, 0, POSITION_REPEAT},
    };
    WALK(steps);
}

/* Commit times wobble: a repeat is one that is not later than anything applied. Later, and yet
 * before: another source. */
static void a_source_that_went_back_is_told_from_a_repeat(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {'u', 100, 1, 5000, 1, POSITION_NEW},
        {'u', 120, 1, 4000, 1, POSITION_NEW},
        {'u', 110, 1, 4500, 1, POSITION_REPEAT},
        {'u', 110, 1, 5001, 1, POSITION_WENT_BACK},
    };
    WALK(steps);
}

static void records_without_a_position_are_news(void **state)
{
    (void)state;
    struct partition_state partition = {0};
    struct change change = {.op = 'u', .ts_us = 5};
    assert_int_equal(position_judge(&partition, &change, 0), POSITION_NEW);
    assert_int_equal(position_judge(&partition, &change, 0), POSITION_NEW);
    assert_false(partition.placed);
}

static void state_survives_its_text(void **state)
{
    (void)state;
    struct table_state first = {.batch = 41,
                                .has_source = true,
                                .source_lsn = 77,
                                .source_tx = 5,
                                .reloading = true,
                                .cut = {.end_lsn = 99}};
    struct partition_state *two = table_state_partition(&first, 2, NULL);
    two->next = 700;
    struct partition_state *zero = table_state_partition(&first, 0, NULL);
    zero->next = 12;
    struct change change = record('d', 500, 4, 12345);
    assert_int_equal(position_judge(zero, &change, 0xABCDEF0123456789), POSITION_NEW);
    zero->back = true;
    zero->skipped = 1;
    first.transaction_topic = strdup("p.transaction");
    first.transaction_marks = calloc(1, sizeof *first.transaction_marks);
    first.transaction_marks[0] = (struct feed_mark){0, 33};
    first.transaction_count = 1;
    assert_true(state_name_add(&first.reload_files, &first.reload_count, &first.reload_capacity,
                               "reload/x.keys", NULL));
    assert_true(state_name_add(&first.dropped, &first.dropped_count, &first.dropped_capacity,
                               "old \"name\"", NULL));
    char *text = table_state_print(&first, "p.public.t", "123", NULL);
    assert_non_null(strstr(text, "\"snapshot\":123"));
    struct table_state second;
    assert_true(table_state_parse(slice_of(text), "p.public.t", &second, NULL));
    char *again = table_state_print(&second, "p.public.t", "123", NULL);
    assert_string_equal(text, again);
    assert_int_equal(second.partition_count, 2);
    assert_int_equal(second.partitions[0].next, 12);
    assert_true(second.partitions[0].run == UINT64_C(0xABCDEF0123456789));
    struct table_state third;
    assert_true(table_state_copy(&third, &second, NULL));
    char *copied = table_state_print(&third, "p.public.t", "123", NULL);
    assert_string_equal(text, copied);
    free(text);
    free(again);
    free(copied);
    table_state_destroy(&first);
    table_state_destroy(&second);
    table_state_destroy(&third);
}

static void a_state_that_is_not_ours_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum error_kind kind;
    } cases[] = {
        {"", ERROR_INPUT},
        {"[]", ERROR_INPUT},
        {"{\"batch\":1}", ERROR_INPUT},
        {"{\"format\":2,\"watermark\":{}}", ERROR_UNSUPPORTED},
        {"{\"format\":1}", ERROR_INPUT},
        {"{\"format\":1,\"watermark\":{\"t\":{\"0\":-1}}}", ERROR_INPUT},
        {"{\"format\":1,\"watermark\":{\"t\":{\"x\":1}}}", ERROR_INPUT},
        {"{\"format\":1,\"watermark\":{},\"positions\":{\"0\":{}}}", ERROR_INPUT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct table_state parsed;
        struct error error = {0};
        assert_false(table_state_parse(slice_of(cases[i].text), "t", &parsed, &error));
        assert_int_equal(error.kind, cases[i].kind);
        assert_true(error.remedy[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_gives_repeats_and_then_news),
        cmocka_unit_test(a_copy_is_not_its_own_repeat),
        cmocka_unit_test(a_new_run_counts_repeats_too),
        cmocka_unit_test(both_halves_of_a_key_change_count),
        cmocka_unit_test(a_source_that_went_back_is_told_from_a_repeat),
        cmocka_unit_test(records_without_a_position_are_news),
        cmocka_unit_test(state_survives_its_text),
        cmocka_unit_test(a_state_that_is_not_ours_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
