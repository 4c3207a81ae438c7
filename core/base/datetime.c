#include "core/base/datetime.h"

#include <inttypes.h>
#include <stdio.h>

/* Howard Hinnant's algorithms, on 400-year eras that start in March. */
int64_t datetime_days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void datetime_civil_from_days(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

size_t datetime_format_date(int64_t days, char out[DATETIME_TEXT_SIZE])
{
    int64_t year;
    int month, day;
    datetime_civil_from_days(days, &year, &month, &day);
    const char *sign = year < 0 ? "-" : year > 9999 ? "+" : "";
    return (size_t)snprintf(out, DATETIME_TEXT_SIZE, "%s%04" PRId64 "-%02d-%02d", sign,
                            year < 0 ? -year : year, month, day);
}

size_t datetime_format_time(int64_t us, char out[DATETIME_TEXT_SIZE])
{
    int64_t seconds = us / 1000000;
    int fraction = (int)(us % 1000000);
    int length = snprintf(out, DATETIME_TEXT_SIZE, "%02d:%02d:%02d", (int)(seconds / 3600),
                          (int)(seconds / 60 % 60), (int)(seconds % 60));
    if (fraction)
        length += snprintf(out + length, DATETIME_TEXT_SIZE - (size_t)length, ".%06d", fraction);
    return (size_t)length;
}

size_t datetime_format_timestamp(int64_t us, bool zone, char out[DATETIME_TEXT_SIZE])
{
    int64_t days = us / DATETIME_US_PER_DAY;
    int64_t rest = us % DATETIME_US_PER_DAY;
    if (rest < 0) {
        rest += DATETIME_US_PER_DAY;
        days--;
    }
    size_t length = datetime_format_date(days, out);
    out[length++] = 'T';
    char time[DATETIME_TEXT_SIZE];
    size_t more = datetime_format_time(rest, time);
    memcpy(out + length, time, more + 1);
    length += more;
    if (zone) {
        out[length++] = 'Z';
        out[length] = '\0';
    }
    return length;
}

struct cursor {
    const char *at;
    const char *end;
};

/* Reads `least` to `most` digits. */
static bool read_digits(struct cursor *c, int least, int most, int64_t *out)
{
    int count = 0;
    int64_t value = 0;
    while (count < most && c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        value = value * 10 + (*c->at++ - '0');
        count++;
    }
    *out = value;
    return count >= least;
}

static bool read_literal(struct cursor *c, char wanted)
{
    if (c->at < c->end && *c->at == wanted) {
        c->at++;
        return true;
    }
    return false;
}

static bool read_date(struct cursor *c, int64_t *days)
{
    static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool negative = read_literal(c, '-');
    if (!negative)
        read_literal(c, '+');
    int64_t year, month, day;
    if (!read_digits(c, 4, 9, &year) || !read_literal(c, '-') || !read_digits(c, 2, 2, &month) ||
        !read_literal(c, '-') || !read_digits(c, 2, 2, &day))
        return false;
    if (negative)
        year = -year;
    if (month < 1 || month > 12 || day < 1 || day > month_days[month - 1])
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (month == 2 && day == 29 && !leap)
        return false;
    *days = datetime_days_from_civil(year, (int)month, (int)day);
    return true;
}

static bool read_time(struct cursor *c, int64_t *us)
{
    int64_t hour, minute, second = 0;
    int64_t fraction = 0;
    if (!read_digits(c, 2, 2, &hour) || !read_literal(c, ':') || !read_digits(c, 2, 2, &minute))
        return false;
    if (read_literal(c, ':')) {
        if (!read_digits(c, 2, 2, &second))
            return false;
        if (read_literal(c, '.') || read_literal(c, ',')) {
            const char *start = c->at;
            if (!read_digits(c, 1, 6, &fraction))
                return false;
            for (long digits = c->at - start; digits < 6; digits++)
                fraction *= 10;
            while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
                c->at++;
        }
    }
    if (minute > 59 || second > 60 || hour > 24)
        return false;
    *us = ((hour * 60 + minute) * 60 + second) * 1000000 + fraction;
    return *us <= DATETIME_US_PER_DAY;
}

static bool read_zone(struct cursor *c, int64_t *offset_us)
{
    *offset_us = 0;
    if (read_literal(c, 'Z') || read_literal(c, 'z'))
        return true;
    bool negative = read_literal(c, '-');
    if (!negative && !read_literal(c, '+'))
        return false;
    int64_t hour, minute = 0, second = 0;
    if (!read_digits(c, 2, 2, &hour))
        return false;
    if (read_literal(c, ':')) {
        if (!read_digits(c, 2, 2, &minute))
            return false;
        if (read_literal(c, ':') && !read_digits(c, 2, 2, &second))
            return false;
    } else if (c->at < c->end && !read_digits(c, 2, 2, &minute)) {
        return false;
    }
    int64_t us = ((hour * 60 + minute) * 60 + second) * 1000000;
    *offset_us = negative ? -us : us;
    return hour <= 18 && minute < 60 && second < 60;
}

bool datetime_parse_date(struct slice text, int64_t *days)
{
    struct cursor c = {text.data, text.data + text.length};
    return read_date(&c, days) && c.at == c.end;
}

bool datetime_parse_time(struct slice text, int64_t *us)
{
    struct cursor c = {text.data, text.data + text.length};
    return read_time(&c, us) && c.at == c.end;
}

static bool read_timestamp(struct cursor *c, int64_t *us)
{
    int64_t days, time;
    if (!read_date(c, &days) || (!read_literal(c, 'T') && !read_literal(c, ' ')) ||
        !read_time(c, &time))
        return false;
    int64_t total;
    if (__builtin_mul_overflow(days, DATETIME_US_PER_DAY, &total) ||
        __builtin_add_overflow(total, time, us))
        return false;
    return true;
}

bool datetime_parse_timestamp(struct slice text, int64_t *us)
{
    struct cursor c = {text.data, text.data + text.length};
    return read_timestamp(&c, us) && c.at == c.end;
}

bool datetime_parse_timestamptz(struct slice text, int64_t *us)
{
    struct cursor c = {text.data, text.data + text.length};
    int64_t offset;
    return read_timestamp(&c, us) && read_zone(&c, &offset) && c.at == c.end &&
           !__builtin_sub_overflow(*us, offset, us);
}
