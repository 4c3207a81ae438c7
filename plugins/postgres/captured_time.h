/* captured_time.h: dates, times and intervals for captured_captured_value.c. Each appends the JSON
 * of one value; *good = false, with nothing appended, when the text is not of the form. `fraction`
 * is the number of digits that a timestamptz is padded to; the others ignore it. */
#ifndef SURFBOARD_POSTGRES_CAPTURED_TIME_H
#define SURFBOARD_POSTGRES_CAPTURED_TIME_H

#include "core/base/buffer.h"

bool captured_append_date(struct buffer *out, struct slice text, int fraction, bool *good,
                          struct error *error);
bool captured_append_time(struct buffer *out, struct slice text, int fraction, bool *good,
                          struct error *error);
bool captured_append_timetz(struct buffer *out, struct slice text, int fraction, bool *good,
                            struct error *error);
bool captured_append_timestamp(struct buffer *out, struct slice text, int fraction, bool *good,
                               struct error *error);
bool captured_append_timestamptz(struct buffer *out, struct slice text, int fraction, bool *good,
                                 struct error *error);
bool captured_append_interval(struct buffer *out, struct slice text, int fraction, bool *good,
                              struct error *error);

#endif
