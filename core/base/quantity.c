#include "core/base/quantity.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A plain decimal number ("12", "1.5"): no sign, no exponent, no hex. NULL when there is none. */
static const char *quantity_number(const char *text, double *value)
{
    const char *at = text;
    while (isdigit((unsigned char)*at))
        at++;
    if (at == text)
        return NULL;
    if (*at == '.' && isdigit((unsigned char)at[1])) {
        at++;
        while (isdigit((unsigned char)*at))
            at++;
    }
    double whole = 0, unit = 1;
    const char *digit = text;
    for (; isdigit((unsigned char)*digit); digit++)
        whole = whole * 10 + (*digit - '0');
    if (*digit == '.')
        for (digit++; digit < at; digit++) {
            unit /= 10;
            whole += unit * (*digit - '0');
        }
    *value = whole;
    return at;
}

bool quantity_parse_bytes(const char *text, uint64_t *bytes)
{
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"", 1},         {"B", 1},      {"K", 0x1p10},   {"KiB", 0x1p10}, {"M", 0x1p20},
                 {"MiB", 0x1p20}, {"G", 0x1p30}, {"GiB", 0x1p30}, {"T", 0x1p40},   {"TiB", 0x1p40},
                 {"kB", 1e3},     {"MB", 1e6},   {"GB", 1e9},     {"TB", 1e12}};
    double value;
    const char *rest = quantity_number(text, &value);
    if (rest == NULL)
        return false;
    while (*rest == ' ')
        rest++;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcasecmp(rest, units[i].unit) != 0)
            continue;
        value *= units[i].factor;
        if (value >= 0x1p63)
            return false;
        *bytes = (uint64_t)(value + 0.5);
        return true;
    }
    return false;
}

bool quantity_parse_duration(const char *text, int64_t *ms)
{
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"min", 60e3}, {"h", 3600e3}, {"d", 86400e3}};
    double total = 0, value;
    const char *at = quantity_number(text, &value);
    if (at == NULL)
        return false;
    if (*at == '\0')
        total = value * 1e3;
    while (*at) {
        size_t length = 0;
        while (isalpha((unsigned char)at[length]))
            length++;
        bool known = false;
        for (size_t i = 0; i < sizeof units / sizeof *units && !known; i++) {
            known = length == strlen(units[i].unit) && strncmp(at, units[i].unit, length) == 0;
            total += known ? value * units[i].factor : 0;
        }
        at += length;
        if (!known || (*at && (at = quantity_number(at, &value)) == NULL))
            return false;
        if (*at == '\0' && isdigit((unsigned char)at[-1]))
            return false; /* "1h30": of what? */
    }
    if (total >= 9e15)
        return false;
    *ms = (int64_t)(total + 0.5);
    return true;
}

void quantity_format_bytes(uint64_t bytes, char out[QUANTITY_TEXT_SIZE])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1000;
        unit++;
    }
    snprintf(out, QUANTITY_TEXT_SIZE, unit && value < 99.95 ? "%.1f %s" : "%.0f %s", value,
             units[unit]);
}

void quantity_format_age(int64_t ms, char out[QUANTITY_TEXT_SIZE])
{
    int64_t s = ms < 0 ? 0 : ms / 1000;
    if (s < 60)
        snprintf(out, QUANTITY_TEXT_SIZE, "%d s", (int)s);
    else if (s < 3600)
        snprintf(out, QUANTITY_TEXT_SIZE, "%d min", (int)(s / 60));
    else if (s < 2 * 86400)
        snprintf(out, QUANTITY_TEXT_SIZE, "%d h", (int)(s / 3600));
    else
        snprintf(out, QUANTITY_TEXT_SIZE, "%lld d", (long long)(s / 86400));
}

void quantity_format_count(uint64_t count, char out[QUANTITY_TEXT_SIZE])
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    int put = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            out[put++] = ' ';
        out[put++] = digits[i];
    }
    out[put] = '\0';
}
