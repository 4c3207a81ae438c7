/* datetime.h: the proleptic Gregorian calendar, days and microseconds since 1970-01-01, ISO 8601
 * text with astronomical years (1 BC = 0000, 44 BC = -0043; years above 9999 with a sign). */
#ifndef SURFBOARD_BASE_DATETIME_H
#define SURFBOARD_BASE_DATETIME_H

#include <stdint.h>

#include "core/base/slice.h"

enum { DATETIME_TEXT_SIZE = 48 };

#define DATETIME_US_PER_DAY INT64_C(86400000000)

int64_t datetime_days_from_civil(int64_t year, int month, int day);
void datetime_civil_from_days(int64_t days, int64_t *year, int *month, int *day);

/* "2024-02-29", "-0043-03-15", "+10000-01-01"; returns the length. */
size_t datetime_format_date(int64_t days, char out[DATETIME_TEXT_SIZE]);
/* "23:59:59.999999": always six digits behind the point unless all are zero. */
size_t datetime_format_time(int64_t us, char out[DATETIME_TEXT_SIZE]);
/* "2024-02-29T23:59:59.5"; zone: adds "Z". Fraction as datetime_format_time. */
size_t datetime_format_timestamp(int64_t us, bool zone, char out[DATETIME_TEXT_SIZE]);

/* Each accepts exactly the whole text; false when it is not of that form or out of range. Date and
 * time are parted by 'T' or a blank; zones: Z, +hh, +hh:mm, +hhmm, +hh:mm:ss. Fractions beyond
 * microseconds are cut. 24:00:00 is a legal time. */
bool datetime_parse_date(struct slice text, int64_t *days);
bool datetime_parse_time(struct slice text, int64_t *us);
bool datetime_parse_timestamp(struct slice text, int64_t *us);   /* no zone */
bool datetime_parse_timestamptz(struct slice text, int64_t *us); /* a zone is required */

#endif
