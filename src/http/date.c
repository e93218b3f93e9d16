#include "http/date.h"

/*
 * Days are counted in years that begin on 1 March: the leap day is then the last day of a year, and the months before
 * it follow the pattern 31 30 31 30 31, which (153 * m + 2) / 5 sums up.
 */
enum {
    DAY_SECONDS = 86400,
    ERA_DAYS = 146097,    /* 400 years, after which the calendar repeats */
    DAYS_TO_1970 = 719468 /* from 0000-03-01 */
};

#define HALF_CENTURY_SECONDS (50 * (int64_t)31556952)
#define NOT_A_NUMBER         10000u /* above every upper bound it is compared with */

static const char weekdays[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
    unsigned shifted = month >= 3 ? month - 3 : month + 9;
    int64_t y = (int64_t)year - (month < 3);
    int64_t era = y / 400, of_era = y % 400;
    int64_t of_year = (153 * (int64_t)shifted + 2) / 5 + (int64_t)day - 1;

    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970;
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

static unsigned digits2(const char *p)
{
    unsigned tens = (unsigned char)p[0] - (unsigned)'0', ones = (unsigned char)p[1] - (unsigned)'0';

    return tens > 9 || ones > 9 ? NOT_A_NUMBER : tens * 10 + ones;
}

static unsigned digits4(const char *p)
{
    unsigned high = digits2(p), low = digits2(p + 2);

    return high > 99 || low > 99 ? NOT_A_NUMBER : high * 100 + low;
}

/* Position of the three letters at p among `names`, from 0; `count` when they are none of them. */
static unsigned name_find(const char *p, const char *names, unsigned count)
{
    unsigned i = 0;

    while (i < count && memcmp(p, names + (size_t)i * 3, 3) != 0)
        i++;
    return i;
}

static bool time_parse(const char *p, struct date *d)
{
    d->hour = digits2(p);
    d->minute = digits2(p + 3);
    d->second = digits2(p + 6);
    return p[2] == ':' && p[5] == ':' && d->hour <= 23 && d->minute <= 59 &&
           (d->second <= 59 || (d->second == 60 && d->minute == 59 && d->hour == 23));
}

static int64_t seconds_of(const struct date *d)
{
    return days_of(d->year, d->month, d->day) * DAY_SECONDS + (int64_t)(d->hour * 3600 + d->minute * 60 + d->second);
}

static bool date_join(const struct date *d, int64_t *seconds_out)
{
    int64_t seconds;

    if (d->year < 1 || d->year > 9999 || d->month > 12 || d->day < 1 || d->day > month_days(d->year, d->month))
        return false;
    seconds = seconds_of(d);
    if (seconds > DATE_LAST)
        return false;
    *seconds_out = seconds;
    return true;
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool imf_parse(const char *p, int64_t *seconds_out)
{
    struct date d;

    if (memcmp(p + 3, ", ", 2) != 0 || p[7] != ' ' || p[11] != ' ' || p[16] != ' ' || memcmp(p + 25, " GMT", 4) != 0)
        return false;
    if (name_find(p, weekdays, 7) == 7 || !time_parse(p + 17, &d))
        return false;
    d.day = digits2(p + 5);
    d.month = name_find(p + 8, months, 12) + 1;
    d.year = digits4(p + 12);
    return date_join(&d, seconds_out);
}

/* Sun Nov  6 08:49:37 1994 */
static bool asctime_parse(const char *p, int64_t *seconds_out)
{
    struct date d;

    if (p[3] != ' ' || p[7] != ' ' || p[10] != ' ' || p[19] != ' ')
        return false;
    if (name_find(p, weekdays, 7) == 7 || !time_parse(p + 11, &d))
        return false;
    d.day = p[8] == ' ' ? digits2((const char[]){ '0', p[9] }) : digits2(p + 8);
    d.month = name_find(p + 4, months, 12) + 1;
    d.year = digits4(p + 20);
    return date_join(&d, seconds_out);
}

/* Drops the day's full name and the comma from the start of *text. */
static bool long_weekday_drop(struct span *text)
{
    static const struct span names[] = { SPAN_INIT("Sunday, "),    SPAN_INIT("Monday, "),   SPAN_INIT("Tuesday, "),
                                         SPAN_INIT("Wednesday, "), SPAN_INIT("Thursday, "), SPAN_INIT("Friday, "),
                                         SPAN_INIT("Saturday, ") };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (span_starts(*text, names[i])) {
            *text = span_from(*text, names[i].n);
            return true;
        }
    }
    return false;
}

/* The latest year ending in these two digits that is at most half a century ahead. RFC9110:5.6.7 */
static bool century_join(struct date *d, int64_t now, int64_t *seconds_out)
{
    unsigned two_digits = d->year;
    unsigned century = date_split(now).year / 100 + 1;

    for (unsigned tries = 0; tries < 3 && tries <= century; tries++) {
        int64_t seconds;

        d->year = (century - tries) * 100 + two_digits;
        if (date_join(d, &seconds) && seconds - HALF_CENTURY_SECONDS <= now) {
            *seconds_out = seconds;
            return true;
        }
    }
    return false;
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool rfc850_parse(struct span text, int64_t now, int64_t *seconds_out)
{
    struct date d;
    const char *p;

    if (!long_weekday_drop(&text) || text.n != 22)
        return false;
    p = text.p;
    if (p[2] != '-' || p[6] != '-' || p[9] != ' ' || memcmp(p + 18, " GMT", 4) != 0 || !time_parse(p + 10, &d))
        return false;
    d.day = digits2(p);
    d.month = name_find(p + 3, months, 12) + 1;
    d.year = digits2(p + 7);
    return d.year <= 99 && century_join(&d, now, seconds_out);
}

bool date_parse(struct span text, int64_t now, int64_t *seconds_out)
{
    if (text.n == DATE_BYTES)
        return imf_parse(text.p, seconds_out);
    if (text.n == 24)
        return asctime_parse(text.p, seconds_out);
    return rfc850_parse(text, now, seconds_out);
}

struct date date_split(int64_t seconds)
{
    int64_t clamped = seconds < DATE_FIRST ? DATE_FIRST : seconds > DATE_LAST ? DATE_LAST : seconds;
    int64_t from_first = clamped - DATE_FIRST; /* never negative, so / and % round down */
    unsigned of_day = (unsigned)(from_first % DAY_SECONDS);
    int64_t days = from_first / DAY_SECONDS + DATE_FIRST / DAY_SECONDS + DAYS_TO_1970;
    unsigned era = (unsigned)(days / ERA_DAYS), rest = (unsigned)(days % ERA_DAYS);
    unsigned of_era = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
    unsigned of_year = rest - (365 * of_era + of_era / 4 - of_era / 100);
    unsigned shifted = (5 * of_year + 2) / 153;
    unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;

    return (struct date){
        .year = era * 400 + of_era + (month < 3),
        .month = month,
        .day = of_year - (153 * shifted + 2) / 5 + 1,
        .hour = of_day / 3600,
        .minute = of_day / 60 % 60,
        .second = of_day % 60,
        .weekday = (unsigned)((days + 3) % 7), /* 0000-03-01 was a Wednesday */
    };
}

const char *date_month_name(unsigned month)
{
    return months + (size_t)(month - 1) * 3;
}

static void write2(char *out, unsigned n)
{
    out[0] = (char)('0' + n / 10);
    out[1] = (char)('0' + n % 10);
}

void date_write(char out[DATE_BYTES], int64_t seconds)
{
    struct date d = date_split(seconds);

    memcpy(out, "Day, 00 Mon 0000 00:00:00 GMT", DATE_BYTES);
    memcpy(out, weekdays + (size_t)d.weekday * 3, 3);
    write2(out + 5, d.day);
    memcpy(out + 8, date_month_name(d.month), 3);
    write2(out + 12, d.year / 100);
    write2(out + 14, d.year % 100);
    write2(out + 17, d.hour);
    write2(out + 20, d.minute);
    write2(out + 23, d.second);
}
