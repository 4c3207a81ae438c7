#include <inttypes.h>
#include <stdio.h>

#include "core/base/datetime.h"
#include "core/change/value.h"

/* Postgres holds dates from 4713-11-24 BC to 5874897-12-31 and timestamps from the same day on;
 * what lies outside is Debezium's number for an infinity, or a timestamp that wrapped. */
#define EARLIEST_DAY INT64_C(-2440588)
#define LATEST_DAY INT64_C(2145042905)
#define EARLIEST_US (EARLIEST_DAY * DATETIME_US_PER_DAY)
/* Timestamp infinities as Debezium sends them. */
#define POSITIVE_INFINITY_US INT64_C(9223372036825200000)
#define POSITIVE_INFINITY_MS INT64_C(9223372036825200)

static bool is_infinity(struct slice text)
{
    return slice_is(text, "infinity") || slice_is(text, "-infinity");
}

/* A date or timestamp in a year that 64 bits of microseconds don't reach, otherwise well formed:
 * the same text in a year of the same kind must be readable. */
static bool is_beyond(struct slice text, bool (*parse)(struct slice, int64_t *))
{
    char near[64];
    size_t at = text.length && (*text.data == '-' || *text.data == '+'), digits = at;
    int64_t year = 0;
    while (digits < text.length && digits - at < 9 && text.data[digits] >= '0' &&
           text.data[digits] <= '9')
        year = year * 10 + (text.data[digits++] - '0');
    size_t rest = text.length - digits;
    if (digits - at < 5 || year < 290000 || rest >= sizeof near - 8)
        return false;
    int64_t same = *text.data == '-' ? (400 - year % 400) % 400 : year % 400;
    int length = snprintf(near, sizeof near, "%04" PRId64, 2000 + same);
    memcpy(near + length, text.data + digits, rest);
    int64_t ignored;
    return parse(slice_make(near, (size_t)length + rest), &ignored);
}

static enum value_status text_of(struct value_reader *reader, const struct token *token,
                                 struct slice *out)
{
    return value_text(reader, token, out) ? VALUE_FINE : VALUE_FAILED;
}

static struct slice without_zulu(struct slice text)
{
    return slice_ends_with(text, SLICE_LITERAL("Z")) ? slice_make(text.data, text.length - 1)
                                                     : text;
}

enum value_status value_date(struct value_reader *reader, const struct change_form *form,
                             const struct token *token, struct column *column)
{
    int64_t days;
    if (token->kind == TOKEN_INTEGER) {
        if (!token_integer(token->raw, &days))
            return value_bad(reader, "out of range for a date");
    } else if (value_is_text(token) && form->coding == CODING_ISO) {
        struct slice text;
        if (text_of(reader, token, &text) != VALUE_FINE)
            return VALUE_FAILED;
        if (is_infinity(text))
            return value_bent(reader, column);
        if (!datetime_parse_date(without_zulu(text), &days))
            return value_bad(reader, "not an ISO date");
    } else {
        return value_bad(reader, "not a date");
    }
    if (days != (int32_t)days)
        return value_bad(reader, "out of range for a date");
    if (days < EARLIEST_DAY || days > LATEST_DAY)
        return value_bent(reader, column);
    return value_put_int(reader, column, (int32_t)days);
}

/* A number of the form's unit as microseconds. False when there are nanoseconds left over, or it
 * does not fit; *beyond tells the latter. */
static bool scaled(const struct change_form *form, int64_t value, int64_t *us, bool *beyond)
{
    *beyond = false;
    *us = value;
    if (form->coding == CODING_MILLIS) {
        *beyond = __builtin_mul_overflow(value, INT64_C(1000), us);
        return !*beyond;
    }
    if (form->coding != CODING_NANOS)
        return true;
    *us = value / 1000;
    return value % 1000 == 0;
}

enum value_status value_time(struct value_reader *reader, const struct change_form *form,
                             const struct token *token, struct column *column)
{
    int64_t value, us;
    bool beyond;
    if (token->kind == TOKEN_INTEGER) {
        if (!token_integer(token->raw, &value) || !scaled(form, value, &us, &beyond))
            return value_bad(reader, "out of range for a time of day");
    } else if (value_is_text(token) && form->coding == CODING_ISO) {
        struct slice text;
        if (text_of(reader, token, &text) != VALUE_FINE)
            return VALUE_FAILED;
        if (!datetime_parse_time(without_zulu(text), &us))
            return value_bad(reader, "not an ISO time");
    } else {
        return value_bad(reader, "not a time of day");
    }
    if (us < 0 || us > DATETIME_US_PER_DAY) /* 24:00:00 is a time in Postgres */
        return value_bad(reader, "out of range for a time of day");
    return value_put_long(reader, column, us);
}

/* Microseconds beyond 64 bits that Postgres still has: up to its last one, at the end of 294276. */
static bool is_late(struct slice digits)
{
    static const char last[] = "9224318015999999999";
    return digits.length == sizeof last - 1 && slice_compare(digits, slice_of(last)) <= 0 &&
           digits.data[0] != '-';
}

/* A number that is a timestamp. */
static enum value_status numbered(struct value_reader *reader, const struct change_form *form,
                                  const struct token *token, struct column *column)
{
    int64_t value, us;
    bool beyond;
    if (!token_integer(token->raw, &value))
        return is_late(token->raw) ? value_bent(reader, column)
                                   : value_bad(reader, "out of range for a timestamp");
    if (form->coding == CODING_MILLIS && value == POSITIVE_INFINITY_MS)
        return value_bent(reader, column);
    if (!scaled(form, value, &us, &beyond))
        return beyond ? value_bent(reader, column)
                      : value_bad(reader, "a timestamp with nanoseconds");
    if (us < EARLIEST_US || us == POSITIVE_INFINITY_US)
        return value_bent(reader, column);
    return value_put_long(reader, column, us);
}

enum value_status value_timestamp(struct value_reader *reader, const struct change_form *form,
                                  const struct token *token, struct column *column)
{
    int64_t us;
    struct slice text;
    if (token->kind == TOKEN_INTEGER)
        return numbered(reader, form, token, column);
    if (!value_is_text(token) || form->coding != CODING_ISO)
        return value_bad(reader, "not a timestamp");
    if (text_of(reader, token, &text) != VALUE_FINE)
        return VALUE_FAILED;
    text = without_zulu(text);
    if (is_infinity(text) || is_beyond(text, datetime_parse_timestamp))
        return value_bent(reader, column);
    if (!datetime_parse_timestamp(text, &us))
        return value_bad(reader, "not an ISO timestamp");
    return value_put_long(reader, column, us);
}

/* "2016-11-04T11:51:30.123456Z": the usual form, without leap seconds and 24:00. */
static bool usual_timestamptz(struct slice text, int64_t *us)
{
    static const char mask[] = "0000-00-00T00:00:00";
    if (text.length < 20 || text.length > 27 || text.data[text.length - 1] != 'Z')
        return false;
    const char *t = text.data;
    for (size_t i = 0; i < 19; i++) {
        if (mask[i] == '0' ? t[i] < '0' || t[i] > '9' : t[i] != mask[i])
            return false;
    }
    int month = (t[5] - '0') * 10 + t[6] - '0', day = (t[8] - '0') * 10 + t[9] - '0';
    int hour = (t[11] - '0') * 10 + t[12] - '0', minute = (t[14] - '0') * 10 + t[15] - '0';
    int second = (t[17] - '0') * 10 + t[18] - '0';
    if (month < 1 || month > 12 || day < 1 || day > 28 || hour > 23 || minute > 59 || second > 59)
        return false;
    int64_t fraction = 0, unit = 100000;
    if (text.length > 20 && (t[19] != '.' || text.length == 21))
        return false;
    for (size_t i = 20; i + 1 < text.length; i++, unit /= 10) {
        if (t[i] < '0' || t[i] > '9')
            return false;
        fraction += (t[i] - '0') * unit;
    }
    int year = (t[0] - '0') * 1000 + (t[1] - '0') * 100 + (t[2] - '0') * 10 + t[3] - '0';
    *us = ((datetime_days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    *us = *us * 1000000 + fraction;
    return true;
}

enum value_status value_timestamptz(struct value_reader *reader, const struct change_form *form,
                                    const struct token *token, struct column *column)
{
    int64_t us;
    struct slice text;
    if (token->kind == TOKEN_INTEGER)
        return numbered(reader, form, token, column);
    if (!value_is_text(token))
        return value_bad(reader, "not a timestamp with a zone");
    if (text_of(reader, token, &text) != VALUE_FINE)
        return VALUE_FAILED;
    if (usual_timestamptz(text, &us))
        return value_put_long(reader, column, us);
    if (is_infinity(text))
        return value_bent(reader, column);
    if (datetime_parse_timestamptz(text, &us)) {
        if (us < EARLIEST_US)
            return value_bent(reader, column);
        return value_put_long(reader, column, us);
    }
    if (is_beyond(text, datetime_parse_timestamptz))
        return value_bent(reader, column);
    return value_bad(reader, "not an ISO timestamp with a zone");
}

/* "P0Y1M-1DT0H0M0.5S" -> "P1M-1DT0.5S": the parts that are not zero, as Postgres prints them.
 * False when the text is not of that form; it is then kept as it is. */
static bool shorten_interval(struct slice text, char *out, size_t room, size_t *length)
{
    const char *at = text.data, *end = text.data + text.length;
    bool time = false, any_time = false;
    if (text.length < 3 || text.length + 8 > room || *at++ != 'P')
        return false;
    size_t n = 0;
    out[n++] = 'P';
    while (at < end) {
        if (*at == 'T') {
            if (time)
                return false;
            time = true;
            at++;
            continue;
        }
        const char *start = at;
        bool zero = true;
        while (at < end && ((*at >= '0' && *at <= '9') || *at == '-' || *at == '.'))
            zero &= *at < '1' || *at > '9', at++;
        if (at == start || at == end || strchr(time ? "HMS" : "YMWD", *at) == NULL)
            return false;
        at++;
        if (zero)
            continue;
        if (time && !any_time)
            out[n++] = 'T';
        any_time |= time;
        memcpy(out + n, start, (size_t)(at - start));
        n += (size_t)(at - start);
    }
    if (n == 1) {
        memcpy(out + 1, "T0S", 3);
        n = 4;
    }
    *length = n;
    return true;
}

/* Microseconds as days of 24 hours and a time; months can't be told from days any more. */
static size_t interval_of_us(int64_t us, char *out, size_t room)
{
    uint64_t rest = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    const char *sign = us < 0 ? "-" : "";
    uint64_t days = rest / (uint64_t)DATETIME_US_PER_DAY;
    rest %= (uint64_t)DATETIME_US_PER_DAY;
    uint64_t hours = rest / 3600000000u, minutes = rest / 60000000u % 60;
    uint64_t seconds = rest / 1000000u % 60, fraction = rest % 1000000u;
    int n = snprintf(out, room, "P");
    if (days)
        n += snprintf(out + n, room - (size_t)n, "%s%" PRIu64 "D", sign, days);
    if (rest || days == 0)
        n += snprintf(out + n, room - (size_t)n, "T");
    if (hours)
        n += snprintf(out + n, room - (size_t)n, "%s%" PRIu64 "H", sign, hours);
    if (minutes)
        n += snprintf(out + n, room - (size_t)n, "%s%" PRIu64 "M", sign, minutes);
    if (seconds || fraction || (rest == 0 && days == 0)) {
        n += snprintf(out + n, room - (size_t)n, "%s%" PRIu64, sign, seconds);
        if (fraction) {
            n += snprintf(out + n, room - (size_t)n, ".%06" PRIu64, fraction);
            while (out[n - 1] == '0')
                n--;
        }
        out[n++] = 'S';
    }
    return (size_t)n;
}

enum value_status value_interval(struct value_reader *reader, const struct change_form *form,
                                 const struct token *token, struct column *column)
{
    char out[128];
    size_t length;
    if (token->kind == TOKEN_INTEGER) {
        int64_t value, us;
        bool beyond;
        if (!token_integer(token->raw, &value) || !scaled(form, value, &us, &beyond))
            return value_bad(reader, "out of range for an interval");
        if (value == INT64_MAX || value == INT64_MIN) /* where the connector stops counting */
            return value_bent(reader, column);
        length = interval_of_us(us, out, sizeof out);
        return value_put_bytes(reader, column, slice_make(out, length));
    }
    struct slice text;
    if (!value_is_text(token))
        return value_bad(reader, "not an interval");
    if (text_of(reader, token, &text) != VALUE_FINE)
        return VALUE_FAILED;
    if (shorten_interval(text, out, sizeof out, &length))
        return value_put_bytes(reader, column, slice_make(out, length));
    return value_put_bytes(reader, column, text);
}
