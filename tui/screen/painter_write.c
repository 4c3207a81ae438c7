/* Bytes of a frame: moves, styles, erasing; and what they make of the terminal's state. */
#include "core/base/utf8.h"
#include "tui/screen/glyph.h"
#include "tui/screen/painter_private.h"

void painter_put(struct painter *painter, const char *bytes, size_t length)
{
    if (!painter->failed && !buffer_append(painter->out, bytes, length, painter->error))
        painter->failed = true;
}

/* A control sequence: "\033[", at most two numbers, the final byte. Numbers of -1 are left out. */
struct sequence {
    char bytes[32];
    size_t length;
};

static void sequence_number(struct sequence *sequence, int number)
{
    if (number >= 10)
        sequence_number(sequence, number / 10);
    sequence->bytes[sequence->length++] = (char)('0' + number % 10);
}

static struct sequence sequence_make(int first, int second, char final)
{
    struct sequence sequence = {.bytes = "\033[", .length = 2};
    if (first >= 0)
        sequence_number(&sequence, first);
    if (second >= 0) {
        sequence.bytes[sequence.length++] = ';';
        sequence_number(&sequence, second);
    }
    sequence.bytes[sequence.length++] = final;
    return sequence;
}

static void sequence_shorter(struct sequence *best, struct sequence other)
{
    if (other.length < best->length)
        *best = other;
}

/* A count of 1 goes without saying. */
static struct sequence sequence_count(int count, char final)
{
    return sequence_make(count == 1 ? -1 : count, -1, final);
}

static struct sequence sequence_repeat(char byte, int count)
{
    struct sequence sequence = {.length = (size_t)count};
    memset(sequence.bytes, byte, (size_t)count);
    return sequence;
}

static struct sequence move_absolute(int row, int column)
{
    return sequence_make(row ? row + 1 : -1, column ? column + 1 : -1, 'H');
}

static void move_in_row(const struct painter *painter, int column, struct sequence *best)
{
    sequence_shorter(best, sequence_make(column ? column + 1 : -1, -1, 'G'));
    if (column == 0)
        sequence_shorter(best, sequence_repeat('\r', 1));
    if (painter->column < 0)
        return;
    int right = column - painter->column;
    if (right > 0) {
        sequence_shorter(best, sequence_count(right, 'C'));
    } else {
        sequence_shorter(best, sequence_count(-right, 'D'));
        if (-right < 5)
            sequence_shorter(best, sequence_repeat('\b', -right));
    }
}

static void move_between_rows(const struct painter *painter, int row, int column,
                              struct sequence *best)
{
    int down = row - painter->row;
    if (column == 0 && down > 0 && down < 4) {
        struct sequence lines = sequence_repeat('\n', down + 1);
        lines.bytes[0] = '\r';
        sequence_shorter(best, lines);
    }
    if (column != painter->column)
        return;
    sequence_shorter(best, down > 0 ? sequence_count(down, 'B') : sequence_count(-down, 'A'));
}

/* Bytes of the cells from the cursor to `column`, if writing them again is a way to get there: all
 * of the style in force, and of a width that nobody disputes. 0: it is none. */
static size_t move_by_writing(const struct painter *painter, int column, size_t most)
{
    const struct cell *cells = painter_row_of(&painter->shown, painter->row);
    size_t bytes = 0;
    if (painter->style < 0)
        return 0;
    for (int i = painter->column; i < column; i++) {
        const uint8_t *looks = cell_is_blank(&cells[i]) ? painter->blank : painter->same;
        bytes += cells[i].length;
        if (bytes > most || cells[i].width != 1 || looks[cells[i].style] != looks[painter->style] ||
            (cells[i].length > 1 &&
             glyph_trust(utf8_decode(cells[i].text, cells[i].length)) != GLYPH_OURS))
            return 0;
    }
    return bytes;
}

static bool painter_write_again(struct painter *painter, int row, int column, size_t most)
{
    if (row != painter->row || painter->column < 0 || column <= painter->column ||
        move_by_writing(painter, column, most) == 0)
        return false;
    const struct cell *cells = painter_row_of(&painter->shown, row);
    for (int i = painter->column; i < column; i++)
        painter_put(painter, cells[i].text, cells[i].length);
    return true;
}

void painter_move(struct painter *painter, int row, int column)
{
    if (painter->row == row && painter->column == column)
        return;
    if (!painter->abilities.ansi) {
        if (!painter_write_again(painter, row, column, 4))
            painter_plain_move(painter, row, column);
    } else {
        struct sequence best = move_absolute(row, column);
        if (painter->row == row)
            move_in_row(painter, column, &best);
        else if (painter->row >= 0)
            move_between_rows(painter, row, column, &best);
        /* Behind the last column some terminals go on to wait for a wrap when they are sent to
         * where they stand: away, then back. */
        if (painter->column < 0 && row == painter->row && column == painter->shown.columns - 1)
            painter_put(painter, "\r", 1);
        if (!painter_write_again(painter, row, column, best.length))
            painter_put(painter, best.bytes, best.length);
    }
    painter->row = row;
    painter->column = column;
}

static void style_put_plain(struct painter *painter, const struct look *look)
{
    const struct painter_plain *plain = &painter->plain;
    painter_plain_put(painter, plain->sgr0);
    if (look->attributes & ATTRIBUTE_BOLD)
        painter_plain_put(painter, plain->bold);
    if (look->attributes & ATTRIBUTE_UNDERLINE)
        painter_plain_put(painter, plain->smul);
    if (look->attributes & ATTRIBUTE_REVERSE)
        painter_plain_put(painter, plain->rev);
}

void painter_set_style(struct painter *painter, int style)
{
    if (painter->style >= 0 && painter->same[painter->style] == painter->same[style])
        return;
    const struct look *look = &painter->looks[style];
    if (!painter->abilities.ansi) {
        style_put_plain(painter, look);
    } else {
        char bytes[LOOK_BYTES_MOST];
        size_t length = painter->style < 0
                            ? look_sequence(look, painter->abilities.depth, bytes)
                            : look_change(&painter->looks[painter->style], look, bytes);
        painter_put(painter, bytes, length);
    }
    painter->style = style;
}

void painter_set_blank_style(struct painter *painter, int style, int next)
{
    const uint8_t *blank = painter->blank;
    if (painter->style >= 0 && blank[painter->style] == blank[style])
        return;
    painter_set_style(painter, blank[next] == blank[style] ? next : style);
}

bool painter_can_erase(const struct painter *painter, int style)
{
    const struct look *look = &painter->looks[style];
    return !(look->attributes & (ATTRIBUTE_UNDERLINE | ATTRIBUTE_REVERSE)) &&
           (look->back & COLOR_DEFAULT || painter->abilities.erases);
}

int painter_erased_style(const struct painter *painter)
{
    return painter_can_erase(painter, STYLE_TEXT) ? STYLE_TEXT : PAINTER_PLAIN;
}

void painter_clear(struct painter *painter)
{
    painter->style = painter->row = painter->column = -1;
    painter_set_style(painter, painter_erased_style(painter));
    if (painter->abilities.ansi)
        painter_put(painter, "\033[H\033[2J", 7);
    else if (painter->plain.clear)
        painter_plain_put(painter, painter->plain.clear);
    painter->row = painter->column = painter->abilities.ansi || painter->plain.clear ? 0 : -1;
}

void painter_erase_line(struct painter *painter)
{
    if (painter->abilities.ansi)
        painter_put(painter, "\033[K", 3);
    else
        painter_plain_put(painter, painter->plain.el);
}

void painter_erase_cells(struct painter *painter, int count)
{
    struct sequence sequence = sequence_count(count, 'X');
    painter_put(painter, sequence.bytes, sequence.length);
}
