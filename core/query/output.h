/* output.h: rows as a table, CSV, JSON lines or records, written as they come. */
#ifndef SURFBOARD_QUERY_OUTPUT_H
#define SURFBOARD_QUERY_OUTPUT_H

#include "core/base/column.h"
#include "core/base/stream.h"

enum output_format {
    OUTPUT_TABLE, /* columns as wide as the first batch needs; nulls as NULL */
    OUTPUT_CSV,   /* RFC 4180 with a header, lines end in \n; null is empty, empty text is "" */
    OUTPUT_JSON,  /* one object a line, members in the order of the columns; see value.h */
    OUTPUT_RECORD /* one line a column, a rule between rows */
};

struct output_options {
    enum output_format format;
    const char *mark; /* on a terminal: replaces characters of the data that a terminal acts on
                         (base/neutral.h); NULL: untouched */
    bool ascii;       /* rules of - | + */
    size_t width;     /* cells of a table are cut to this many columns; 0: never */
};

struct output;

/* "table", "csv", "json", "record". */
bool output_format_parse(const char *name, enum output_format *out);

/* Schema and sink must outlive it. */
struct output *output_open(const struct schema *schema, const struct output_options *options,
                           struct sink *sink, struct error *error);
bool output_write(struct output *output, const struct batch *batch, struct error *error);
/* Writes what is left: the header of an empty table. */
bool output_finish(struct output *output, struct error *error);
void output_close(struct output *output); /* NULL is fine */
int64_t output_rows(const struct output *output);

#endif
