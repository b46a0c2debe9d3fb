/* SPDX-License-Identifier: Apache-2.0 */
/* Times as text: RFC 3339 in UTC
 *
 * Days are counted in the proleptic Gregorian calendar by arithmetic alone (a year that begins in
 * March puts the leap day last): gmtime_r() costs five times as much, takes a lock for the time
 * zone and knows years that RFC 3339 does not.
 */
#include "protocol/rfc3339.h"

#include <string.h>

#define US_PER_MS  INT64_C(1000)
#define US_PER_S   INT64_C(1000000)
#define S_PER_DAY  INT64_C(86400)
#define FIRST_TIME (INT64_C(-62135596800) * US_PER_S)          /* 0001-01-01T00:00:00Z */
#define LAST_TIME  (INT64_C(253402300799) * US_PER_S + 999999) /* 9999-12-31T23:59:59.999999Z */

struct date {
    int64_t year;
    int month, day; /* from 1 */
};

/* Division that rounds down, also below zero. */
static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* Days since 1970-01-01. The year is taken to begin on 1 March; 719468 days lie between
 * 0000-03-01 and 1970-01-01, 146097 in 400 years. */
static int64_t days_of_date(const struct date *date)
{
    int64_t year = date->year - (date->month <= 2);
    int64_t era = floor_divide(year, 400), year_of_era = year - era * 400;
    int64_t day_of_year = (153 * ((date->month + 9) % 12) + 2) / 5 + date->day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static struct date date_of_days(int64_t days)
{
    int64_t shifted = days + 719468, era = floor_divide(shifted, 146097);
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);

    return (struct date){
        .year = year_of_era + era * 400 + (month <= 2),
        .month = month,
        .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
    };
}

/* Writes `value` in `digits` decimal digits and what follows them. */
static char *put_number(char *out, int64_t value, int digits, char then)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        out[i] = (char)('0' + value % 10);
    out[digits] = then;
    return out + digits + 1;
}

void rfc3339_format(int64_t unix_us, char out[static RFC3339_TEXT_BYTES + 1])
{
    if (unix_us < FIRST_TIME)
        unix_us = FIRST_TIME;
    if (unix_us > LAST_TIME)
        unix_us = LAST_TIME;

    int64_t days = floor_divide(unix_us, S_PER_DAY * US_PER_S);
    int64_t rest_ms = (unix_us - days * S_PER_DAY * US_PER_S) / US_PER_MS;
    struct date date = date_of_days(days);

    out = put_number(out, date.year, 4, '-');
    out = put_number(out, date.month, 2, '-');
    out = put_number(out, date.day, 2, 'T');
    out = put_number(out, rest_ms / 3600000, 2, ':');
    out = put_number(out, rest_ms / 60000 % 60, 2, ':');
    out = put_number(out, rest_ms / 1000 % 60, 2, '.');
    out = put_number(out, rest_ms % 1000, 3, 'Z');
    *out = '\0';
}

/* Reads `digits` digits and the character behind them; -1 if they aren't there. */
static int take_number(const char **at, const char *end, int digits, char then)
{
    int value = 0;

    if (end - *at < digits + 1 || (*at)[digits] != then)
        return -1;
    for (int i = 0; i < digits; i++) {
        if ((*at)[i] < '0' || (*at)[i] > '9')
            return -1;
        value = value * 10 + (*at)[i] - '0';
    }
    *at += digits + 1;
    return value;
}

static bool take_date(const char **at, const char *end, int64_t *days)
{
    int year = take_number(at, end, 4, '-'), month = take_number(at, end, 2, '-');
    struct date date = {year, month, take_number(at, end, 2, 'T')};

    if (year < 1 || month < 1 || month > 12 || date.day < 1 || date.day > 31)
        return false;
    *days = days_of_date(&date);

    struct date real = date_of_days(*days);

    return real.month == date.month; /* 31 April would be in May */
}

/* Seconds and their fraction, ended by Z: "05Z", "05.678Z". */
static bool take_seconds(const char **at, const char *end, int64_t *us)
{
    const char *start = *at;
    int seconds = take_number(at, end, 2, 'Z'), fraction = 0, digits;

    if (seconds < 0) {
        *at = start;
        seconds = take_number(at, end, 2, '.');
        digits = (int)(end - *at) - 1;
        if (digits < 1 || digits > 6)
            return false;
        fraction = take_number(at, end, digits, 'Z');
        for (; digits < 6; digits++)
            fraction *= 10;
    }
    *us = seconds * US_PER_S + fraction;
    return seconds >= 0 && seconds <= 59 && fraction >= 0 && *at == end;
}

bool rfc3339_parse(const char *text, size_t bytes, int64_t *unix_us)
{
    const char *at = text, *end = text + bytes;
    int64_t days, us;

    if (!take_date(&at, end, &days))
        return false;

    int hours = take_number(&at, end, 2, ':'), minutes = take_number(&at, end, 2, ':');

    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || !take_seconds(&at, end, &us))
        return false;
    *unix_us = (days * S_PER_DAY + hours * 3600 + minutes * 60) * US_PER_S + us;
    return true;
}
