#include "core/query/output.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "core/base/memory.h"
#include "core/base/neutral.h"
#include "core/base/utf8.h"
#include "core/query/value.h"

enum { FLUSH_BYTES = 1 << 16 };

struct output {
    const struct schema *schema;
    struct output_options options;
    struct sink *sink;
    struct buffer line, cell, shown;
    size_t *widths; /* of a table, once the first batch is known */
    int64_t rows;
    bool begun;
};

bool output_format_parse(const char *name, enum output_format *out)
{
    static const char *const names[] = {"table", "csv", "json", "record"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum output_format)i;
            return true;
        }
    }
    return false;
}

struct output *output_open(const struct schema *schema, const struct output_options *options,
                           struct sink *sink, struct error *error)
{
    struct output *output = memory_zero(1, sizeof *output, error);
    if (output == NULL)
        return NULL;
    output->schema = schema;
    output->options = *options;
    output->sink = sink;
    output->widths = memory_zero(schema->field_count, sizeof *output->widths, error);
    if (output->widths == NULL) {
        output_close(output);
        return NULL;
    }
    return output;
}

void output_close(struct output *output)
{
    if (output == NULL)
        return;
    buffer_destroy(&output->line);
    buffer_destroy(&output->cell);
    buffer_destroy(&output->shown);
    free(output->widths);
    free(output);
}

int64_t output_rows(const struct output *output)
{
    return output->rows;
}

static bool flush(struct output *output, size_t least, struct error *error)
{
    if (output->line.length < least || output->line.length == 0)
        return true;
    TRY(sink_write(output->sink, output->line.data, output->line.length, error));
    buffer_clear(&output->line);
    return true;
}

/* Appends text from data to the line, made safe where it goes to a terminal. */
static bool put_data(struct output *output, struct slice text, struct error *error)
{
    return output->options.mark ? neutral_append(&output->line, text, output->options.mark, error)
                                : buffer_append_slice(&output->line, text, error);
}

/* The cell's text in output->shown, made safe. */
static bool show_cell(struct output *output, const struct column *column, size_t row,
                      struct error *error)
{
    buffer_clear(&output->cell);
    buffer_clear(&output->shown);
    if (column_is_null(column, row))
        return buffer_append_text(&output->shown, "NULL", error);
    TRY(value_append_text(column, row, &output->cell, error));
    return output->options.mark
               ? neutral_append(&output->shown, buffer_slice(&output->cell), output->options.mark,
                                error)
               : buffer_append_slice(&output->shown, buffer_slice(&output->cell), error);
}

/* ---- width on a screen ---- */

static size_t next_width(struct slice text, size_t *at)
{
    size_t bytes = utf8_character_length(text.data + *at, text.length - *at);
    if (bytes == 0) {
        *at += 1;
        return 1;
    }
    int width = utf8proc_charwidth((utf8proc_int32_t)utf8_decode(text.data + *at, bytes));
    *at += bytes;
    return width > 0 ? (size_t)width : 0;
}

static size_t display_width(struct slice text)
{
    size_t width = 0;
    for (size_t at = 0; at < text.length;)
        width += next_width(text, &at);
    return width;
}

/* Cuts to `width` columns with a mark at the end. */
static struct slice cut(struct slice text, size_t width, bool *was_cut)
{
    size_t seen = 0, at = 0, kept = 0;
    *was_cut = display_width(text) > width;
    if (!*was_cut)
        return text;
    while (at < text.length) {
        seen += next_width(text, &at);
        if (seen + 1 > width)
            break;
        kept = at;
    }
    return slice_make(text.data, kept);
}

static bool put_padded(struct output *output, struct slice text, size_t width, bool right,
                       bool last, struct error *error)
{
    bool was_cut;
    struct slice kept = cut(text, width, &was_cut);
    size_t shown = display_width(kept) + was_cut;
    size_t blanks = shown < width ? width - shown : 0;
    for (size_t i = 0; right && i < blanks; i++)
        TRY(buffer_append_byte(&output->line, ' ', error));
    TRY(buffer_append_slice(&output->line, kept, error));
    if (was_cut)
        TRY(buffer_append_text(&output->line, output->options.ascii ? "~" : "\u2026", error));
    for (size_t i = 0; !right && !last && i < blanks; i++)
        TRY(buffer_append_byte(&output->line, ' ', error));
    return true;
}

/* ---- table ---- */

static bool is_number(const struct type *type)
{
    return type->kind == TYPE_INT || type->kind == TYPE_LONG || type->kind == TYPE_FLOAT ||
           type->kind == TYPE_DOUBLE || type->kind == TYPE_DECIMAL;
}

static bool measure(struct output *output, const struct batch *batch, struct error *error)
{
    for (size_t i = 0; i < output->schema->field_count; i++) {
        output->widths[i] = display_width(slice_of(output->schema->fields[i].name));
        for (size_t row = 0; batch && row < batch->length; row++) {
            TRY(show_cell(output, &batch->columns[i], row, error));
            size_t width = display_width(buffer_slice(&output->shown));
            if (width > output->widths[i])
                output->widths[i] = width;
        }
        if (output->options.width && output->widths[i] > output->options.width)
            output->widths[i] = output->options.width;
    }
    return true;
}

static bool put_table_head(struct output *output, const struct batch *batch, struct error *error)
{
    const char *bar = output->options.ascii ? " | " : " \u2502 ";
    const char *rule = output->options.ascii ? "-" : "\u2500";
    const char *cross = output->options.ascii ? "-+-" : "\u2500\u253C\u2500";
    size_t count = output->schema->field_count;
    TRY(measure(output, batch, error));
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &output->schema->fields[i];
        buffer_clear(&output->shown);
        TRY(neutral_append(&output->shown, slice_of(field->name),
                           output->options.mark ? output->options.mark : NEUTRAL_DOT, error));
        TRY((i == 0 || buffer_append_text(&output->line, bar, error)) &&
            put_padded(output, buffer_slice(&output->shown), output->widths[i],
                       is_number(&field->type), i + 1 == count, error));
    }
    TRY(buffer_append_byte(&output->line, '\n', error));
    for (size_t i = 0; i < count; i++) {
        TRY(i == 0 || buffer_append_text(&output->line, cross, error));
        for (size_t k = 0; k < output->widths[i]; k++)
            TRY(buffer_append_text(&output->line, rule, error));
    }
    return buffer_append_byte(&output->line, '\n', error);
}

static bool put_table_row(struct output *output, const struct batch *batch, size_t row,
                          struct error *error)
{
    const char *bar = output->options.ascii ? " | " : " \u2502 ";
    for (size_t i = 0; i < batch->column_count; i++) {
        bool last = i + 1 == batch->column_count;
        TRY(show_cell(output, &batch->columns[i], row, error));
        /* Only a terminal cuts; elsewhere a later, longer cell just sticks out. */
        size_t width = output->widths[i];
        size_t own = display_width(buffer_slice(&output->shown));
        if (output->options.width == 0 && own > width)
            width = own;
        TRY((i == 0 || buffer_append_text(&output->line, bar, error)) &&
            put_padded(output, buffer_slice(&output->shown), width,
                       is_number(batch->columns[i].type), last, error));
    }
    return buffer_append_byte(&output->line, '\n', error);
}

/* ---- CSV ---- */

static bool put_csv_text(struct output *output, struct slice text, struct error *error)
{
    bool quote = text.length == 0;
    for (size_t i = 0; i < text.length && !quote; i++)
        quote = strchr("\",\r\n", text.data[i]) != NULL; /* NUL too: strchr finds it */
    if (!quote)
        return put_data(output, text, error);
    TRY(buffer_append_byte(&output->line, '"', error));
    size_t from = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] != '"')
            continue;
        TRY(put_data(output, slice_make(text.data + from, i + 1 - from), error) &&
            buffer_append_byte(&output->line, '"', error));
        from = i + 1;
    }
    return put_data(output, slice_make(text.data + from, text.length - from), error) &&
           buffer_append_byte(&output->line, '"', error);
}

static bool put_csv_head(struct output *output, struct error *error)
{
    for (size_t i = 0; i < output->schema->field_count; i++)
        TRY((i == 0 || buffer_append_byte(&output->line, ',', error)) &&
            put_csv_text(output, slice_of(output->schema->fields[i].name), error));
    return buffer_append_byte(&output->line, '\n', error);
}

static bool put_csv_row(struct output *output, const struct batch *batch, size_t row,
                        struct error *error)
{
    for (size_t i = 0; i < batch->column_count; i++) {
        TRY(i == 0 || buffer_append_byte(&output->line, ',', error));
        if (column_is_null(&batch->columns[i], row))
            continue;
        buffer_clear(&output->cell);
        TRY(value_append_text(&batch->columns[i], row, &output->cell, error) &&
            put_csv_text(output, buffer_slice(&output->cell), error));
    }
    return buffer_append_byte(&output->line, '\n', error);
}

/* ---- JSON lines ---- */

static bool put_json_row(struct output *output, const struct batch *batch, size_t row,
                         struct error *error)
{
    struct buffer *out = output->options.mark ? &output->cell : &output->line;
    if (output->options.mark)
        buffer_clear(out);
    TRY(buffer_append_byte(out, '{', error));
    for (size_t i = 0; i < batch->column_count; i++)
        TRY((i == 0 || buffer_append_text(out, ", ", error)) &&
            buffer_append_json_text(out, slice_of(output->schema->fields[i].name), error) &&
            buffer_append_text(out, ": ", error) &&
            value_append_json(&batch->columns[i], row, out, error));
    TRY(buffer_append_byte(out, '}', error));
    if (output->options.mark)
        TRY(put_data(output, buffer_slice(out), error));
    return buffer_append_byte(&output->line, '\n', error);
}

/* ---- records ---- */

static bool put_record(struct output *output, const struct batch *batch, size_t row,
                       struct error *error)
{
    size_t widest = 0;
    for (size_t i = 0; i < batch->column_count; i++) {
        size_t width = display_width(slice_of(output->schema->fields[i].name));
        widest = width > widest ? width : widest;
    }
    const char *rule = output->options.ascii ? "--" : "\u2500\u2500";
    TRY(buffer_append_format(&output->line, error, "%s %lld %s\n", rule,
                             (long long)output->rows + 1, rule));
    for (size_t i = 0; i < batch->column_count; i++) {
        TRY(put_padded(output, slice_of(output->schema->fields[i].name), widest, false, false,
                       error) &&
            buffer_append_text(&output->line, output->options.ascii ? " | " : " \u2502 ", error) &&
            show_cell(output, &batch->columns[i], row, error) &&
            buffer_append_slice(&output->line, buffer_slice(&output->shown), error) &&
            buffer_append_byte(&output->line, '\n', error));
    }
    return true;
}

static bool begin(struct output *output, const struct batch *batch, struct error *error)
{
    output->begun = true;
    if (output->options.format == OUTPUT_TABLE)
        return put_table_head(output, batch, error);
    return output->options.format != OUTPUT_CSV || put_csv_head(output, error);
}

bool output_write(struct output *output, const struct batch *batch, struct error *error)
{
    static bool (*const put[])(struct output *, const struct batch *, size_t, struct error *) = {
        put_table_row, put_csv_row, put_json_row, put_record};
    if (!output->begun)
        TRY(begin(output, batch, error));
    for (size_t row = 0; row < batch->length; row++) {
        TRY(put[output->options.format](output, batch, row, error));
        output->rows++;
        TRY(flush(output, FLUSH_BYTES, error));
    }
    return flush(output, 0, error);
}

bool output_finish(struct output *output, struct error *error)
{
    return (output->begun || begin(output, NULL, error)) && flush(output, 0, error);
}
