#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/date.h"

#define NO    INT64_MIN
#define Y2026 1767225600LL /* 2026-01-01 00:00:00 */
#define DAY   86400LL

struct parse_case {
    const char *text;
    int64_t want; /* NO: refused */
};

static const struct parse_case parse_cases[] = {
    /* RFC9110:5.6.7, one moment in the three forms */
    { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
    { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
    { "Sun Nov  6 08:49:37 1994", 784111777 },
    { "Sun Nov 16 08:49:37 1994", 784111777 + 10 * DAY },
    { "Sun Nov 06 08:49:37 1994", 784111777 },
    { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
    { "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
    { "Mon, 01 Jan 0001 00:00:00 GMT", DATE_FIRST },
    { "Fri, 31 Dec 9999 23:59:59 GMT", DATE_LAST },
    { "Tue, 29 Feb 2000 00:00:00 GMT", 951782400 },
    { "Thu, 29 Feb 2024 12:00:00 GMT", 1709208000 },
    { "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
    { "Mon, 06 Nov 1994 08:49:37 GMT", 784111777 }, /* a wrong day's name is still a name */
    { "Wednesday, 06-Nov-94 08:49:37 GMT", 784111777 },
    /* ranges */
    { "Fri, 31 Dec 9999 23:59:60 GMT", NO },
    { "Sun, 06 Nov 0000 08:49:37 GMT", NO },
    { "Sun, 00 Nov 1994 08:49:37 GMT", NO },
    { "Sun, 31 Nov 1994 08:49:37 GMT", NO },
    { "Sun, 32 Dec 1994 08:49:37 GMT", NO },
    { "Thu, 29 Feb 1900 00:00:00 GMT", NO },
    { "Thu, 29 Feb 2023 00:00:00 GMT", NO },
    { "Thu, 30 Feb 2024 00:00:00 GMT", NO },
    { "Sun, 06 Nov 1994 24:00:00 GMT", NO },
    { "Sun, 06 Nov 1994 08:60:00 GMT", NO },
    { "Sun, 06 Nov 1994 08:49:61 GMT", NO },
    { "Sun, 06 Nov 1994 08:49:60 GMT", NO },
    { "Sat, 31 Dec 2016 22:59:60 GMT", NO },
    /* syntax */
    { "", NO },
    { "0", NO },
    { "784111777", NO },
    { "Sun, 06 Nov 1994 08:49:37 UTC", NO },
    { "Sun, 06 Nov 1994 08:49:37 gmt", NO },
    { "sun, 06 Nov 1994 08:49:37 GMT", NO },
    { "Sun, 06 NOV 1994 08:49:37 GMT", NO },
    { "Sun, 06 Now 1994 08:49:37 GMT", NO },
    { "Son, 06 Nov 1994 08:49:37 GMT", NO },
    { "Sun. 06 Nov 1994 08:49:37 GMT", NO },
    { "Sun, 6 Nov 1994 08:49:37 GMT", NO },
    { "Sun,  6 Nov 1994 08:49:37 GMT", NO },
    { "Sun, 06-Nov-1994 08:49:37 GMT", NO },
    { "Sun, 06 Nov 1994 08.49.37 GMT", NO },
    { "Sun, 06 Nov 1994 08:49:37 GMT ", NO },
    { " Sun, 06 Nov 1994 08:49:37 GMT", NO },
    { "Sun, 06 Nov 1994 08:49:37 GM", NO },
    { "Sun, 06 Nov 1994 08:49:37 +0000", NO },
    { "Sun, -6 Nov 1994 08:49:37 GMT", NO },
    { "Sun, 06 Nov +994 08:49:37 GMT", NO },
    { "Sun, 06 Nov 1994 08:49:3/ GMT", NO },
    { "Sun, 06 Nov 1994 08:49::7 GMT", NO },
    { "Sun, 06-Nov-94 08:49:37 GMT", NO },
    { "Sunday, 06-Nov-1994 08:49:37 GMT", NO },
    { "Sunday, 06-Nov-xx 08:49:37 GMT", NO },
    { "Sunday, 06 Nov 94 08:49:37 GMT", NO },
    { "Sunday, 29-Feb-99 08:49:37 GMT", NO },
    { "Sun Nov  0 08:49:37 1994", NO },
    { "Sun Nov 6  08:49:37 1994", NO },
    { "Sun Nov   6 08:49:37 1994", NO },
    { "Sun Nov  6 08:49:37 199x", NO },
};

static void parse_gives_the_seconds_or_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof parse_cases / sizeof parse_cases[0]; i++) {
        const struct parse_case *c = &parse_cases[i];
        int64_t got = NO;
        bool parsed = date_parse(guarded(span_of(c->text)), Y2026, &got);

        if (parsed != (c->want != NO) || got != c->want)
            fail_msg("\"%s\": %lld", c->text, (long long)got);
    }
}

static void parse_refuses_every_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct span whole = span_of(parse_cases[i].text);

        for (size_t n = 0; n < whole.n; n++) {
            int64_t got = NO;

            assert_false(date_parse(guarded((struct span){ whole.p, n }), Y2026, &got));
            assert_int_equal(got, NO);
        }
    }
}

struct century_case {
    const char *text, *now, *want;
};

static const struct century_case century_cases[] = {
    { "Friday, 01-Jan-76 00:00:00 GMT", "Thu, 01 Jan 2026 12:00:00 GMT", "Wed, 01 Jan 2076 00:00:00 GMT" },
    { "Friday, 03-Jan-76 00:00:00 GMT", "Thu, 01 Jan 2026 12:00:00 GMT", "Sat, 03 Jan 1976 00:00:00 GMT" },
    { "Friday, 01-Jan-77 00:00:00 GMT", "Thu, 01 Jan 2026 12:00:00 GMT", "Sat, 01 Jan 1977 00:00:00 GMT" },
    { "Friday, 01-Jan-99 00:00:00 GMT", "Thu, 01 Jan 2026 12:00:00 GMT", "Fri, 01 Jan 1999 00:00:00 GMT" },
    { "Friday, 01-Jan-05 00:00:00 GMT", "Fri, 01 Jan 1999 00:00:00 GMT", "Sat, 01 Jan 2005 00:00:00 GMT" },
    { "Friday, 29-Feb-00 00:00:00 GMT", "Thu, 01 Jan 2026 12:00:00 GMT", "Tue, 29 Feb 2000 00:00:00 GMT" },
    { "Friday, 29-Feb-00 00:00:00 GMT", "Thu, 01 Jan 2099 12:00:00 GMT", "Tue, 29 Feb 2000 00:00:00 GMT" },
    { "Friday, 01-Jan-01 00:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 GMT" },
    { "Friday, 01-Jan-98 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 9998 00:00:00 GMT" },
};

static void two_digit_years_lie_at_most_50_years_ahead(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof century_cases / sizeof century_cases[0]; i++) {
        const struct century_case *c = &century_cases[i];
        int64_t now = NO, got = NO;
        char text[DATE_BYTES + 1] = "";

        assert_true(date_parse(span_of(c->now), 0, &now));
        assert_true(date_parse(guarded(span_of(c->text)), now, &got));
        date_write(text, got);
        assert_string_equal(text, c->want);
    }
}

static void extreme_clocks_are_harmless(void **state)
{
    int64_t got = NO;

    (void)state;
    assert_true(date_parse(SPAN("Sunday, 06-Nov-94 08:49:37 GMT"), INT64_MAX, &got));
    assert_false(date_parse(SPAN("Sunday, 06-Nov-94 08:49:37 GMT"), INT64_MIN, &got));
}

static void write_clamps_to_four_digit_years(void **state)
{
    char text[DATE_BYTES + 1] = "";

    (void)state;
    date_write(text, DATE_FIRST - 1);
    assert_string_equal(text, "Mon, 01 Jan 0001 00:00:00 GMT");
    date_write(text, INT64_MIN);
    assert_string_equal(text, "Mon, 01 Jan 0001 00:00:00 GMT");
    date_write(text, INT64_MAX);
    assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
    date_write(text, 784111777);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
}

static void system_text(char *out, size_t room, const char *format, int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;

    assert_non_null(gmtime_r(&t, &tm));
    assert_true(strftime(out, room, format, &tm) > 0);
}

/* Every 11 hours and some over 400 years: each day at least once, each second of a minute. */
static void the_system_agrees_for_400_years(void **state)
{
    (void)state;
    for (int64_t t = -200 * 31556952LL; t < 200 * 31556952LL; t += 39607) {
        char ours[DATE_BYTES + 1] = "", system[64], ansi[64];
        int64_t back = NO, back_ansi = NO;

        date_write(ours, t);
        system_text(system, sizeof system, "%a, %d %b %Y %H:%M:%S GMT", t);
        system_text(ansi, sizeof ansi, "%a %b %e %H:%M:%S %Y", t);
        if (strcmp(ours, system) != 0)
            fail_msg("%lld: %s, not %s", (long long)t, ours, system);
        if (!date_parse(span_of(ours), 0, &back) || !date_parse(span_of(ansi), 0, &back_ansi) || back != t ||
            back_ansi != t)
            fail_msg("%s: %lld %lld", ours, (long long)back, (long long)back_ansi);
    }
}

static void the_system_agrees_near_the_ends(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 1000; day++) {
        int64_t ends[] = { DATE_FIRST + day * DAY, DATE_LAST - day * DAY };

        for (size_t i = 0; i < 2; i++) {
            time_t t = (time_t)ends[i];
            struct date d = date_split(ends[i]);
            struct tm tm;

            assert_non_null(gmtime_r(&t, &tm));
            assert_int_equal(d.year, tm.tm_year + 1900);
            assert_int_equal(d.month, tm.tm_mon + 1);
            assert_int_equal(d.day, tm.tm_mday);
            assert_int_equal(d.weekday, tm.tm_wday);
            assert_int_equal(timegm(&tm), ends[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_gives_the_seconds_or_refuses),
        cmocka_unit_test(parse_refuses_every_prefix),
        cmocka_unit_test(two_digit_years_lie_at_most_50_years_ahead),
        cmocka_unit_test(extreme_clocks_are_harmless),
        cmocka_unit_test(write_clamps_to_four_digit_years),
        cmocka_unit_test(the_system_agrees_for_400_years),
        cmocka_unit_test(the_system_agrees_near_the_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
