#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/*
 * Times as HTTP writes them. A time is a count of seconds since 1970-01-01 00:00:00 UTC, leap seconds not counted.
 * The calendar is the Gregorian one carried backwards; no locale, no time zone, no state: any thread.
 */
#define DATE_BYTES 29               /* length of an IMF-fixdate */
#define DATE_FIRST (-62135596800LL) /* 0001-01-01 00:00:00 */
#define DATE_LAST  (253402300799LL) /* 9999-12-31 23:59:59 */

struct date {
    unsigned year, month, day;     /* 1..9999, 1..12, 1..31 */
    unsigned hour, minute, second; /* 0..23, 0..59, 0..59; date_parse() alone knows a second 60 */
    unsigned weekday;              /* 0 = Sunday */
};

/*
 * Read an HTTP-date in any of its three forms.
 *
 * text         the field value without white space around it; names are compared with regard to case. RFC9110:5.6.7
 * now          seconds; decides the century of the two-digit year (the latest one at most 50 years ahead of `now`),
 *              not looked at for the other forms
 *
 * Returns      false when it is no date; *seconds_out is then untouched. True gives DATE_FIRST..DATE_LAST.
 *              The day's name must be a name, but need not be the right one: senders get it wrong, and the rest
 *              decides. 23:59:60 is the second after it.
 */
bool date_parse(struct span text, int64_t now, int64_t *seconds_out);

/* Write an IMF-fixdate, no NUL. Seconds outside DATE_FIRST..DATE_LAST are written as the nearest of the two. */
void date_write(char out[DATE_BYTES], int64_t seconds);

/* The parts of a time, clamped as in date_write(). For formats other than HTTP's own. */
struct date date_split(int64_t seconds);

/* "Jan" for 1 up to "Dec" for 12; three letters, not NUL-terminated. */
const char *date_month_name(unsigned month);

#endif
