/* Rows as the grid holds them, their orders, and what a move on the grid costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "tests/unit/grid_rows.h"
#include "tui/screen/grid.h"
#include "tui/screen/painter.h"

static const char *cell(const struct rows *rows, size_t row, size_t column)
{
    static char out[256];
    bool null;
    struct slice text = rows_cell(rows, row, column, &null);
    snprintf(out, sizeof out, "%s%.*s", null ? "<null>" : "", SLICE_ARG(text));
    return out;
}

static void rows_keep_every_cell(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "a", "b"};
    static const char *const values[] = {"1", NULL, "", "NULL", "x\ty", NULL};
    struct rows *rows = grid_rows_of(names, 3, values, 2);
    assert_int_equal(rows->count, 2);
    assert_string_equal(cell(rows, 0, 0), "1");
    assert_string_equal(cell(rows, 0, 1), "<null>");
    assert_string_equal(cell(rows, 0, 2), "");
    assert_string_equal(cell(rows, 1, 0), "NULL");
    assert_string_equal(cell(rows, 1, 1), "x\ty");
    assert_string_equal(cell(rows, 1, 2), "<null>");
    assert_string_equal(cell(rows, 2, 0), "<null>");
    assert_string_equal(cell(rows, 0, 3), "<null>");
    rows_release(rows);
}

static void rows_of_many_blocks(void **state)
{
    (void)state;
    struct rows *rows = grid_rows_many(100000, 20);
    assert_int_equal(rows->count, 100000);
    assert_string_equal(cell(rows, 0, 0), "0");
    assert_string_equal(cell(rows, 1023, 1), "row 1023 c 1");
    assert_string_equal(cell(rows, 1024, 19), "row 1024 c 19");
    assert_string_equal(cell(rows, 99999, 19), "row 99999 c 19");
    assert_true(rows->bytes < (48u << 20));
    assert_int_equal(rows_width(rows, 0), 5);
    rows_release(rows);
}

static void a_large_cell_is_cut_between_characters(void **state)
{
    (void)state;
    bool null;
    struct rows *rows = grid_rows_large(1 << 20);
    assert_int_equal(rows_cell(rows, 0, 0, &null).length, 1 << 20);
    assert_int_equal(rows->cut_cells, 0);
    rows_release(rows);
    rows = grid_rows_large(ROWS_CELL_MOST + 11);
    assert_int_equal(rows_cell(rows, 0, 0, &null).length, ROWS_CELL_MOST);
    assert_int_equal(rows->cut_cells, 1);
    rows_release(rows);
}

static void rows_without_columns_or_rows(void **state)
{
    (void)state;
    static const char *const names[] = {"a"};
    struct rows *none = grid_rows_of(names, 1, NULL, 0);
    struct rows *bare = grid_rows_of(names, 0, NULL, 3);
    struct grid grid = {0};
    struct canvas canvas;
    assert_true(canvas_init(&canvas, 5, 20, NULL));
    assert_int_equal(none->count, 0);
    assert_true(grid_begin(&grid, none, NULL));
    grid_draw(&grid, &canvas, (struct rect){0, 0, 5, 20}, true);
    assert_true(grid_begin(&grid, bare, NULL));
    grid_draw(&grid, &canvas, (struct rect){0, 0, 5, 20}, true);
    grid_destroy(&grid);
    canvas_destroy(&canvas);
}

static void order_is(const struct rows *rows, struct rows_order order, const char *expected)
{
    uint32_t *map = NULL;
    size_t count = 0;
    char out[256] = "";
    if (order.filter == NULL)
        order.filter = "";
    assert_true(rows_arrange(rows, &order, NULL, &map, &count, NULL));
    for (size_t i = 0; i < count; i++)
        snprintf(out + strlen(out), sizeof out - strlen(out), "%s%u", i ? " " : "", map[i]);
    assert_string_equal(out, expected);
    free(map);
}

static void numbers_sort_by_value(void **state)
{
    (void)state;
    static const char *const names[] = {"n"};
    static const char *const values[] = {"10",
                                         "9",
                                         NULL,
                                         "-1.50",
                                         "-10",
                                         "9.0",
                                         "0.05",
                                         "NaN",
                                         "123456789012345678901234567890.1",
                                         "123456789012345678901234567890.09",
                                         "-0",
                                         "1e3"};
    struct rows *rows = grid_rows_of(names, 1, values, 12);
    order_is(rows, (struct rows_order){.sorted = true}, "4 3 10 6 1 5 0 11 9 8 7 2");
    order_is(rows, (struct rows_order){.sorted = true, .descending = true},
             "7 8 9 11 0 1 5 6 10 3 4 2");
    rows_release(rows);
}

static void texts_sort_by_bytes_and_filters_apply(void **state)
{
    (void)state;
    static const char *const names[] = {"word", "other"};
    static const char *const values[] = {"b", "x y", "a", "X", NULL, "z\ny", "B", NULL};
    struct rows *rows = grid_rows_of(names, 2, values, 4);
    order_is(rows, (struct rows_order){.sorted = true}, "3 1 0 2");
    order_is(rows, (struct rows_order){.filter = "x"}, "0 1");
    order_is(rows, (struct rows_order){.filter = "!x"}, "2 3");
    order_is(rows, (struct rows_order){.filter = "null"}, "2 3");
    order_is(rows, (struct rows_order){.filter = "~^b", .sorted = true}, "3 0");
    order_is(rows, (struct rows_order){.filter = "nothing"}, "");
    order_is(rows, (struct rows_order){.sorted = true, .column = 9}, "0 1 2 3");
    rows_release(rows);
}

static void arranging_stops(void **state)
{
    (void)state;
    atomic_bool stop = true;
    uint32_t *map = NULL;
    size_t count;
    struct error error = {0};
    struct rows *rows = grid_rows_many(3000, 2);
    assert_false(
        rows_arrange(rows, &(struct rows_order){.filter = "7"}, &stop, &map, &count, &error));
    assert_int_equal(error.kind, ERROR_INTERRUPTED);
    rows_release(rows);
}

/* ---- the grid ---- */

struct picture {
    struct grid grid;
    struct canvas canvas;
    struct painter painter;
    struct theme theme;
    struct buffer out;
};

static size_t paint(struct picture *picture)
{
    struct canvas *canvas = &picture->canvas;
    char left[GRID_NOTE_SIZE], right[GRID_NOTE_SIZE];
    canvas_clear(canvas);
    struct rect rect = {0, 0, canvas->rows, canvas->columns};
    grid_note(&picture->grid, left, right);
    struct rect inside = canvas_box(canvas, rect, "rows", right, true);
    canvas_print(canvas, canvas->rows - 1, 2, 60, STYLE_DIM, left);
    grid_draw(&picture->grid, canvas, inside, true);
    buffer_clear(&picture->out);
    assert_true(painter_frame(&picture->painter, canvas, &picture->out, NULL));
    return picture->out.length;
}

static void picture_open(struct picture *picture, struct rows *rows, int height, int width)
{
    struct error error = {0};
    *picture = (struct picture){0};
    theme_load("dark", NULL, &picture->theme, &error);
    assert_true(canvas_init(&picture->canvas, height, width, NULL));
    assert_true(painter_init(&picture->painter,
                             &(struct painter_abilities){COLORS_256, true, true, true, true},
                             &picture->theme, NULL));
    assert_true(grid_begin(&picture->grid, rows, NULL));
    paint(picture);
}

static void picture_close(struct picture *picture)
{
    grid_destroy(&picture->grid);
    canvas_destroy(&picture->canvas);
    painter_destroy(&picture->painter);
    buffer_destroy(&picture->out);
}

static size_t step(struct picture *picture, enum action_id action)
{
    grid_act(&picture->grid, action);
    return paint(picture);
}

static void a_move_is_cheap(void **state)
{
    (void)state;
    struct picture picture;
    picture_open(&picture, grid_rows_many(100000, 20), 50, 160);
    for (int i = 0; i < 40; i++)
        assert_true(step(&picture, ACTION_DOWN) <= 200);
    for (int i = 0; i < 20; i++)
        step(&picture, ACTION_DOWN);
    for (int i = 0; i < 100; i++)
        assert_true(step(&picture, ACTION_DOWN) <= 500);
    for (int i = 0; i < 6; i++)
        assert_true(step(&picture, ACTION_RIGHT) <= 200);
    picture_close(&picture);
}

static void drawing_is_quick(void **state)
{
    (void)state;
    struct picture picture;
    struct timespec start, end;
    picture_open(&picture, grid_rows_many(20000, 20), 50, 160);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    for (int i = 0; i < 200; i++)
        grid_draw(&picture.grid, &picture.canvas, (struct rect){1, 1, 48, 158}, true);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    double us =
        ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) / 1e3 /
        200;
    print_message("one drawing of 160x50: %.0f us\n", us);
    assert_true(us < 20000); /* sanitizers, and machines that do other things too */
    picture_close(&picture);
}

static void columns_stay_in_sight(void **state)
{
    (void)state;
    struct picture picture;
    picture_open(&picture, grid_rows_many(10, 1000), 12, 80);
    struct grid *grid = &picture.grid;
    step(&picture, ACTION_RIGHT);
    step(&picture, ACTION_FREEZE);
    assert_int_equal(grid->frozen, 2);
    for (int i = 0; i < 998; i++)
        step(&picture, ACTION_RIGHT);
    assert_int_equal(grid->column, 999);
    assert_int_equal(grid->slots[0].column, 0);
    assert_int_equal(grid->slots[1].column, 1);
    assert_int_equal(grid->slots[grid->slot_count - 1].column, 999);
    step(&picture, ACTION_RIGHT);
    assert_int_equal(grid->column, 999);
    step(&picture, ACTION_HIDE);
    assert_int_equal(grid->column, 998);
    for (int i = 0; i < 1000; i++)
        step(&picture, ACTION_LEFT);
    assert_int_equal(grid->column, 0);
    step(&picture, ACTION_SHOW_ALL);
    assert_false(grid->columns[999].hidden);
    picture_close(&picture);
}

static void every_size_is_harmless(void **state)
{
    (void)state;
    for (int height = 1; height < 8; height++)
        for (int width = 1; width < 40; width += 3) {
            struct picture picture;
            picture_open(&picture, grid_rows_many(30, 5), height, width);
            step(&picture, ACTION_RIGHT);
            step(&picture, ACTION_FREEZE);
            step(&picture, ACTION_WIDTH);
            step(&picture, ACTION_LAST);
            picture_close(&picture);
        }
}

static void the_cursor_stays_on_its_row(void **state)
{
    (void)state;
    static const char *const names[] = {"n"};
    static const char *const values[] = {"3", "1", "2"};
    struct picture picture;
    size_t row, count;
    uint32_t *map;
    picture_open(&picture, grid_rows_of(names, 1, values, 3), 10, 40);
    struct rows_order order = {.sorted = true, .filter = ""};
    assert_true(rows_arrange(picture.grid.rows, &order, NULL, &map, &count, NULL));
    grid_arranged(&picture.grid, map, count);
    assert_int_equal(picture.grid.list.selected, 2);
    assert_true(grid_row(&picture.grid, &row) && row == 0);
    grid_arranged(&picture.grid, NULL, 0);
    assert_int_equal(picture.grid.list.selected, 0);
    picture_close(&picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_keep_every_cell),
        cmocka_unit_test(rows_of_many_blocks),
        cmocka_unit_test(a_large_cell_is_cut_between_characters),
        cmocka_unit_test(rows_without_columns_or_rows),
        cmocka_unit_test(numbers_sort_by_value),
        cmocka_unit_test(texts_sort_by_bytes_and_filters_apply),
        cmocka_unit_test(arranging_stops),
        cmocka_unit_test(a_move_is_cheap),
        cmocka_unit_test(drawing_is_quick),
        cmocka_unit_test(columns_stay_in_sight),
        cmocka_unit_test(every_size_is_harmless),
        cmocka_unit_test(the_cursor_stays_on_its_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
