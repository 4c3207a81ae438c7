#include "plugins/postgres/captured_time.h"

#include <stdio.h>

#include "core/base/column.h"
#include "core/base/datetime.h"
#include "core/change/line_writer.h"

/* Debezium's numbers for the infinities (seen with 3.6.1). */
#define TIMESTAMP_INFINITY "9223372036825200000"
#define TIMESTAMP_MINUS_INFINITY "-9223372036832400000"
#define DATE_INFINITY "-2147472692"
#define DATE_MINUS_INFINITY "-2147472691"

/* A text read from the front. */
struct cursor {
    const char *at, *end;
};

static struct cursor cursor_of(struct slice text)
{
    const char *start = text.data ? text.data : "";
    return (struct cursor){start, start + text.length};
}

/* One or more digits, at most nine. */
static bool take_number(struct cursor *cursor, int64_t *value)
{
    const char *start = cursor->at;
    *value = 0;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9' &&
           cursor->at - start < 9)
        *value = *value * 10 + (*cursor->at++ - '0');
    return cursor->at > start;
}

static bool take(struct cursor *cursor, char wanted)
{
    if (cursor->at == cursor->end || *cursor->at != wanted)
        return false;
    cursor->at++;
    return true;
}

/* ".5" as 500000; nothing as 0. */
static int64_t take_fraction(struct cursor *cursor)
{
    int64_t us = 0;
    if (!take(cursor, '.'))
        return 0;
    for (int64_t unit = 100000;
         cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++) {
        us += (*cursor->at - '0') * unit;
        unit /= 10;
    }
    return us;
}

struct civil {
    int64_t year, month, day;
};

static bool take_civil(struct cursor *cursor, struct civil *civil)
{
    return take_number(cursor, &civil->year) && take(cursor, '-') &&
           take_number(cursor, &civil->month) && take(cursor, '-') &&
           take_number(cursor, &civil->day) && civil->month >= 1 && civil->month <= 12 &&
           civil->day >= 1 && civil->day <= 31;
}

/* hh:mm[:ss[.ffffff]] in microseconds. */
static bool take_clock(struct cursor *cursor, int64_t *us)
{
    int64_t hour, minute, second = 0;
    if (!take_number(cursor, &hour) || !take(cursor, ':') || !take_number(cursor, &minute))
        return false;
    if (take(cursor, ':') && !take_number(cursor, &second))
        return false;
    *us = ((hour * 60 + minute) * 60 + second) * 1000000 + take_fraction(cursor);
    return true;
}

/* +hh[:mm[:ss]] in microseconds. */
static bool take_zone(struct cursor *cursor, int64_t *us)
{
    int64_t sign = take(cursor, '-') ? -1 : 1;
    int64_t hour, minute = 0, second = 0;
    if (sign == 1 && !take(cursor, '+'))
        return false;
    if (!take_number(cursor, &hour) || (take(cursor, ':') && !take_number(cursor, &minute)) ||
        (take(cursor, ':') && !take_number(cursor, &second)))
        return false;
    *us = sign * ((hour * 60 + minute) * 60 + second) * 1000000;
    return true;
}

/* What is left must be nothing or " BC", which makes 44 the astronomical year -43. */
static bool take_era(struct cursor *cursor, struct civil *civil)
{
    if (take(cursor, ' ')) {
        if (!take(cursor, 'B') || !take(cursor, 'C'))
            return false;
        civil->year = 1 - civil->year;
    }
    return cursor->at == cursor->end;
}

static int64_t civil_days(const struct civil *civil)
{
    return datetime_days_from_civil(civil->year, (int)civil->month, (int)civil->day);
}

static bool append_infinity(struct buffer *out, struct slice text, const char *plus,
                            const char *minus, bool *good, struct error *error)
{
    const char *json = slice_is(text, "infinity")    ? plus
                       : slice_is(text, "-infinity") ? minus
                                                     : NULL;
    *good = json != NULL;
    return json == NULL || buffer_append_text(out, json, error);
}

bool captured_append_date(struct buffer *out, struct slice text, int fraction, bool *good,
                          struct error *error)
{
    (void)fraction;
    TRY(append_infinity(out, text, DATE_INFINITY, DATE_MINUS_INFINITY, good, error));
    struct cursor cursor = cursor_of(text);
    struct civil civil;
    if (*good || !take_civil(&cursor, &civil) || !take_era(&cursor, &civil))
        return true;
    *good = true;
    return line_append_number(out, civil_days(&civil), error);
}

bool captured_append_time(struct buffer *out, struct slice text, int fraction, bool *good,
                          struct error *error)
{
    (void)fraction;
    struct cursor cursor = cursor_of(text);
    int64_t us;
    *good = take_clock(&cursor, &us) && cursor.at == cursor.end;
    return !*good || line_append_number(out, us, error);
}

/* "07:04:56.789": as many digits behind the point as are needed. */
static size_t format_clock(int64_t us, char *out, size_t size)
{
    int64_t seconds = us / 1000000;
    int length = snprintf(out, size, "%02d:%02d:%02d.%06d", (int)(seconds / 3600),
                          (int)(seconds / 60 % 60), (int)(seconds % 60), (int)(us % 1000000));
    while (out[length - 1] == '0')
        length--;
    return (size_t)(out[length - 1] == '.' ? length - 1 : length);
}

bool captured_append_timetz(struct buffer *out, struct slice text, int fraction, bool *good,
                            struct error *error)
{
    (void)fraction;
    struct cursor cursor = cursor_of(text);
    int64_t us, zone;
    *good = take_clock(&cursor, &us) && take_zone(&cursor, &zone) && cursor.at == cursor.end;
    if (!*good)
        return true;
    us = ((us - zone) % DATETIME_US_PER_DAY + DATETIME_US_PER_DAY) % DATETIME_US_PER_DAY;
    char clock[32];
    size_t length = format_clock(us, clock, sizeof clock);
    return buffer_append_format(out, error, "\"%.*sZ\"", (int)length, clock);
}

/* Years near 294277 need more than 64 bits when counted in microseconds from 1970. */
static bool append_wide_number(struct buffer *out, int128 value, struct error *error)
{
    if (value <= INT64_MAX && value >= INT64_MIN)
        return line_append_number(out, (int64_t)value, error);
    const int64_t million = 1000000;
    int64_t high = (int64_t)(value / million);
    int64_t low = (int64_t)(value % million);
    return buffer_append_format(out, error, "%lld%06lld", (long long)high,
                                (long long)(low < 0 ? -low : low));
}

bool captured_append_timestamp(struct buffer *out, struct slice text, int fraction, bool *good,
                               struct error *error)
{
    (void)fraction;
    TRY(append_infinity(out, text, TIMESTAMP_INFINITY, TIMESTAMP_MINUS_INFINITY, good, error));
    struct cursor cursor = cursor_of(text);
    struct civil civil;
    int64_t us;
    if (*good || !take_civil(&cursor, &civil) || !take(&cursor, ' ') || !take_clock(&cursor, &us) ||
        !take_era(&cursor, &civil))
        return true;
    *good = true;
    return append_wide_number(out, (int128)civil_days(&civil) * DATETIME_US_PER_DAY + us, error);
}

/* "0001-01-01", "-0043-03-15", "+10000-01-01" */
static int format_civil(const struct civil *civil, char *out, size_t size)
{
    const char *sign = civil->year < 0 ? "-" : civil->year > 9999 ? "+" : "";
    long long year = civil->year < 0 ? -civil->year : civil->year;
    return snprintf(out, size, "%s%04lld-%02d-%02d", sign, year, (int)civil->month,
                    (int)civil->day);
}

bool captured_append_timestamptz(struct buffer *out, struct slice text, int fraction, bool *good,
                                 struct error *error)
{
    TRY(append_infinity(out, text, "\"infinity\"", "\"-infinity\"", good, error));
    struct cursor cursor = cursor_of(text);
    struct civil civil;
    int64_t us, zone;
    /* The session's zone is UTC: nothing to shift, no date to carry. */
    if (*good || !take_civil(&cursor, &civil) || !take(&cursor, ' ') || !take_clock(&cursor, &us) ||
        !take_zone(&cursor, &zone) || zone != 0 || !take_era(&cursor, &civil))
        return true;
    *good = true;
    char date[32];
    int length = format_civil(&civil, date, sizeof date);
    char clock[32];
    snprintf(clock, sizeof clock, "%02d:%02d:%02d.%06d", (int)(us / 3600000000),
             (int)(us / 60000000 % 60), (int)(us / 1000000 % 60), (int)(us % 1000000));
    int digits = fraction > 0 ? 9 + fraction : 8;
    return buffer_append_format(out, error, "\"%.*sT%.*sZ\"", length, date, digits, clock);
}

/* Postgres' ISO form leaves parts out that are zero, each part has a sign of its own:
 * P1Y2M-3DT-4H5M-6.789S. Ours has all parts, as Debezium's. */
bool captured_append_interval(struct buffer *out, struct slice text, int fraction, bool *good,
                              struct error *error)
{
    static const char units[] = "YMDHMS";
    (void)fraction;
    struct slice parts[6];
    for (size_t i = 0; i < 6; i++)
        parts[i] = SLICE_LITERAL("0");
    struct cursor cursor = cursor_of(text);
    TRY(append_infinity(out, text, "\"infinity\"", "\"-infinity\"", good, error)); /* 17+ */
    if (*good || !take(&cursor, 'P'))
        return true;
    for (size_t next = 0; cursor.at < cursor.end;) {
        if (take(&cursor, 'T')) {
            next = next < 3 ? 3 : next;
            continue;
        }
        const char *start = cursor.at;
        while (cursor.at < cursor.end &&
               (*cursor.at == '-' || *cursor.at == '.' || (*cursor.at >= '0' && *cursor.at <= '9')))
            cursor.at++;
        size_t limit = next < 3 ? 3 : 6;
        while (cursor.at < cursor.end && next < limit && units[next] != *cursor.at)
            next++;
        if (cursor.at == cursor.end || cursor.at == start || next == limit)
            return true;
        parts[next++] = slice_make(start, (size_t)(cursor.at - start));
        cursor.at++;
    }
    *good = true;
    return buffer_append_format(out, error, "\"P%.*sY%.*sM%.*sDT%.*sH%.*sM%.*sS\"",
                                SLICE_ARG(parts[0]), SLICE_ARG(parts[1]), SLICE_ARG(parts[2]),
                                SLICE_ARG(parts[3]), SLICE_ARG(parts[4]), SLICE_ARG(parts[5]));
}
