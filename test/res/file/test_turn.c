#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "feed.h"

static struct site site;

static int set_up(void **state)
{
    (void)state;
    site_open(&site);
    site.settings.write = true;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

static bool let_others(const struct exchange *x)
{
    for (unsigned i = 0; i < EXCHANGE_WAITS; i++)
        if (x->waits[i].what != NULL && strcmp(x->waits[i].what, "turn") == 0)
            return true;
    return false;
}

static char bytes[3 * 1024 * 1024];

/* Content that is always there: a client that sends faster than we take it. */
static const struct {
    size_t bytes, piece_bytes;
    bool turns;
} contents[] = {
    { 100, 1, false },
    { 1000, 1, true },
    { 500 * 1024, 40 * 1024, false },
    { sizeof bytes, 40 * 1024, true },
};

static void test_store(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        struct feed feed = { .content = { bytes, contents[i].bytes }, .piece_bytes = contents[i].piece_bytes };
        struct exchange *x = feed_put(&site, "PUT /f", &feed);

        assert_int_equal(x->verdict.why, R_NONE);
        assert_int_equal(let_others(x), contents[i].turns);
        assert_true(feed.at == contents[i].bytes);
        site_done(&x);
    }
}

static void test_compare(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        struct feed feed = { .content = { bytes, contents[i].bytes }, .piece_bytes = contents[i].piece_bytes };
        struct exchange *x;

        site_write(&site, "f", feed.content);
        x = feed_open(&site, "PUT /f", &feed);
        assert_int_equal(feed_run(&site, x, file_resource.compare), FLOW_GO);
        assert_true(x->facts.content_same);
        assert_int_equal(let_others(x), contents[i].turns);
        site_done(&x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_compare, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
