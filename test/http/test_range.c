#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/range.h"

#define ROOM 8
#define MAX  UINT64_MAX

struct choose_case {
    const char *value;
    uint64_t length;
    enum range_kind want;
    const char *ranges; /* "first-last ..." */
};

static const struct choose_case choose_cases[] = {
    /* RFC9110:14.1.2, of 10000 bytes */
    { "bytes=0-499", 10000, RANGE_ONE, "0-499" },
    { "bytes=500-999", 10000, RANGE_ONE, "500-999" },
    { "bytes=-500", 10000, RANGE_ONE, "9500-9999" },
    { "bytes=9500-", 10000, RANGE_ONE, "9500-9999" },
    { "bytes=0-0,-1", 10000, RANGE_MANY, "0-0 9999-9999" },
    { "bytes=0-0, -2", 10000, RANGE_MANY, "0-0 9998-9999" },
    { "bytes= 0-999, 4500-5499, -1000", 10000, RANGE_MANY, "0-999 4500-5499 9000-9999" },
    { "bytes=500-600,601-999", 10000, RANGE_ONE, "500-999" },
    { "bytes=500-700,601-999", 10000, RANGE_ONE, "500-999" },
    /* clamping */
    { "bytes=0-", 10, RANGE_ONE, "0-9" },
    { "bytes=0-10", 10, RANGE_ONE, "0-9" },
    { "bytes=9-9", 10, RANGE_ONE, "9-9" },
    { "bytes=-10", 10, RANGE_ONE, "0-9" },
    { "bytes=-11", 10, RANGE_ONE, "0-9" },
    { "bytes=0-99999999999999999999999", 10, RANGE_ONE, "0-9" },
    { "bytes=-99999999999999999999999", 10, RANGE_ONE, "0-9" },
    { "bytes=18446744073709551614-", MAX, RANGE_ONE, "18446744073709551614-18446744073709551614" },
    { "bytes=0-18446744073709551615", MAX, RANGE_ONE, "0-18446744073709551614" },
    { "bytes=000000000000000000000000000000001-2", 10, RANGE_ONE, "1-2" },
    /* R171: nothing of it exists */
    { "bytes=10-", 10, RANGE_UNSATISFIABLE, "" },
    { "bytes=10-20", 10, RANGE_UNSATISFIABLE, "" },
    { "bytes=-0", 10, RANGE_UNSATISFIABLE, "" },
    { "bytes=10-,20-,-0", 10, RANGE_UNSATISFIABLE, "" },
    { "bytes=18446744073709551615-", MAX, RANGE_UNSATISFIABLE, "" },
    { "bytes=18446744073709551616-18446744073709551617", MAX, RANGE_UNSATISFIABLE, "" },
    { "bytes=0-", 0, RANGE_UNSATISFIABLE, "" },
    { "bytes=0-0", 0, RANGE_UNSATISFIABLE, "" },
    { "bytes=-0", 0, RANGE_UNSATISFIABLE, "" },
    { "bytes=-1", 0, RANGE_IGNORED, "" },
    /* the unsatisfiable members of a mixed list fall away */
    { "bytes=10-,0-0", 10, RANGE_ONE, "0-0" },
    { "bytes=10-,0-0,-0,5-5", 10, RANGE_MANY, "0-0 5-5" },
    /* order, overlap, touch */
    { "bytes=8-9,0-1", 10, RANGE_MANY, "8-9 0-1" },
    { "bytes=6-7,0-1,3-4", 10, RANGE_MANY, "6-7 0-1 3-4" },
    { "bytes=6-7,0-1,2-2", 10, RANGE_MANY, "6-7 0-2" },
    { "bytes=6-7,0-1,2-5", 10, RANGE_ONE, "0-7" },
    { "bytes=8-8,4-4,0-0,5-7", 10, RANGE_MANY, "4-8 0-0" },
    { "bytes=0-0,4-4,8-8,1-3", 10, RANGE_MANY, "0-4 8-8" },
    { "bytes=0-0,2-2,4-4,6-6,1-1,3-3,5-5", 10, RANGE_ONE, "0-6" },
    { "bytes=2-3,2-3", 10, RANGE_ONE, "2-3" },
    { "bytes=0-5,2-3", 10, RANGE_ONE, "0-5" },
    { "bytes=2-3,0-5", 10, RANGE_ONE, "0-5" },
    { "bytes=0-1,3-4", 10, RANGE_MANY, "0-1 3-4" },
    /* too much asked */
    { "bytes=0-,0-", 10, RANGE_IGNORED, "" },
    { "bytes=0-9,0-0", 10, RANGE_IGNORED, "" },
    { "bytes=0-,0-", MAX, RANGE_IGNORED, "" },
    { "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14", 99, RANGE_MANY, "0-0 2-2 4-4 6-6 8-8 10-10 12-12 14-14" },
    { "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16", 99, RANGE_IGNORED, "" },
    { "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8", 99, RANGE_IGNORED, "" },
    { "bytes=99-,99-,99-,99-,99-,99-,99-,99-,99-", 99, RANGE_IGNORED, "" },
    /* lists with empty members: RFC9110:5.6.1.2 */
    { "bytes=,0-1,, ,4-5,\t", 10, RANGE_MANY, "0-1 4-5" },
    { "bytes= 0-1 ,\t4-5 ", 10, RANGE_MANY, "0-1 4-5" },
    { "BYTES=0-1", 10, RANGE_ONE, "0-1" },
    /* syntax and units */
    { "", 10, RANGE_IGNORED, "" },
    { "bytes", 10, RANGE_IGNORED, "" },
    { "bytes=", 10, RANGE_IGNORED, "" },
    { "bytes=,", 10, RANGE_IGNORED, "" },
    { "bytes= , ,", 10, RANGE_IGNORED, "" },
    { "bytes=-", 10, RANGE_IGNORED, "" },
    { "bytes=5", 10, RANGE_IGNORED, "" },
    { "bytes=--5", 10, RANGE_IGNORED, "" },
    { "bytes=5--", 10, RANGE_IGNORED, "" },
    { "bytes=5-4", 10, RANGE_IGNORED, "" },
    { "bytes=50-40", 10, RANGE_IGNORED, "" },
    { "bytes=0-1,5-4", 10, RANGE_IGNORED, "" },
    { "bytes=0-1;2-3", 10, RANGE_IGNORED, "" },
    { "bytes=0 -1", 10, RANGE_IGNORED, "" },
    { "bytes=0- 1", 10, RANGE_IGNORED, "" },
    { "bytes=+0-1", 10, RANGE_IGNORED, "" },
    { "bytes=0x0-1", 10, RANGE_IGNORED, "" },
    { "bytes=0-1,x", 10, RANGE_IGNORED, "" },
    { "bytes =0-1", 10, RANGE_IGNORED, "" },
    { " bytes=0-1", 10, RANGE_IGNORED, "" },
    { "bytes:0-1", 10, RANGE_IGNORED, "" },
    { "items=0-1", 10, RANGE_IGNORED, "" },
    { "byte=0-1", 10, RANGE_IGNORED, "" },
    { "bytes=bytes=0-1", 10, RANGE_IGNORED, "" },
};

static void describe(char *text, size_t bytes, const struct byte_range ranges[], size_t count)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, bytes - used, "%s%llu-%llu", i > 0 ? " " : "",
                                 (unsigned long long)ranges[i].first, (unsigned long long)ranges[i].last);
}

static void choose_gives_kind_and_ranges(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof choose_cases / sizeof choose_cases[0]; i++) {
        const struct choose_case *c = &choose_cases[i];
        struct byte_range ranges[ROOM];
        size_t count = 99;
        enum range_kind kind = range_choose(guarded(span_of(c->value)), c->length, ranges, ROOM, &count);
        char text[512];

        if (count > ROOM)
            fail_msg("%s: %zu ranges", c->value, count);
        describe(text, sizeof text, ranges, count);
        if (kind != c->want || strcmp(text, c->ranges) != 0)
            fail_msg("\"%s\" of %llu: kind %d, %s", c->value, (unsigned long long)c->length, (int)kind, text);
    }
}

/* Against the plain definition: the bytes asked for by a random field are the bytes of the result. */
static void coalescing_keeps_exactly_the_bytes(void **state)
{
    unsigned seed = 1;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        bool asked[32] = { false }, got[32] = { false };
        char value[128] = "bytes=";
        struct byte_range ranges[ROOM];
        size_t count, used = 6, total = 0;

        for (int member = 0; member < 5; member++) {
            unsigned first = (unsigned)rand_r(&seed) % 32, last = first + (unsigned)rand_r(&seed) % 6;

            used += (size_t)snprintf(value + used, sizeof value - used, "%u-%u,", first, last);
            for (unsigned at = first; at <= last && at < 32; at++, total++)
                asked[at] = true;
        }
        if (range_choose(span_of(value), 32, ranges, ROOM, &count) == RANGE_IGNORED) {
            assert_true(total > 32);
            continue;
        }
        for (size_t i = 0; i < count; i++)
            for (uint64_t at = ranges[i].first; at <= ranges[i].last; at++) {
                assert_false(got[at]);
                got[at] = true;
            }
        assert_memory_equal(asked, got, sizeof got);
    }
}

static void long_fields_end(void **state)
{
    size_t bytes = 65536, count;
    char *value = malloc(bytes);
    struct byte_range ranges[ROOM];

    (void)state;
    assert_non_null(value);
    memset(value, ',', bytes);
    memcpy(value, "bytes=", 6);
    assert_int_equal(range_choose((struct span){ value, bytes }, 9, ranges, ROOM, &count), RANGE_IGNORED);
    memset(value + 6, '9', bytes - 6);
    value[bytes - 1] = '-';
    assert_int_equal(range_choose((struct span){ value, bytes }, 9, ranges, ROOM, &count), RANGE_UNSATISFIABLE);
    free(value);
}

static void content_range_fits_its_room(void **state)
{
    char out[CONTENT_RANGE_BYTES + 1] = "";

    (void)state;
    out[content_range_write(out, (struct byte_range){ 42, 1233 }, 1234)] = '\0';
    assert_string_equal(out, "bytes 42-1233/1234");
    assert_int_equal(content_range_write(out, (struct byte_range){ MAX, MAX }, MAX), CONTENT_RANGE_BYTES);
    assert_string_equal(out, "bytes 18446744073709551615-18446744073709551615/18446744073709551615");
    out[content_range_write_unsatisfied(out, 0)] = '\0'; /* R172 */
    assert_string_equal(out, "bytes */0");
    out[content_range_write_unsatisfied(out, 1234)] = '\0';
    assert_string_equal(out, "bytes */1234");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choose_gives_kind_and_ranges),
        cmocka_unit_test(coalescing_keeps_exactly_the_bytes),
        cmocka_unit_test(long_fields_end),
        cmocka_unit_test(content_range_fits_its_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
