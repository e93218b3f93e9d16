#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "record/member_page.h"

static struct member_page page;
static struct member_row rows[MEMBER_ROWS + 1];

static int setup(void **state)
{
    (void)state;
    return member_page_init(&page) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    member_page_fini(&page);
    return 0;
}

static void tell(uint32_t count, uint64_t requests)
{
    struct member_row *to = member_page_begin(&page, count);

    for (uint32_t i = 0; i < count; i++) {
        member_row_name(to[i].server, SPAN("127.0.0.1:3000"));
        to[i].requests = requests + i;
    }
    member_page_end(&page, count);
}

static void the_newest_is_read(void **state)
{
    (void)state;
    assert_int_equal(member_page_read(&page, rows), 0);
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t count = i % 5 == 0 ? 0 : i % (MEMBER_ROWS + 1);

        tell(count, i);
        assert_int_equal(member_page_read(&page, rows), count);
        if (count > 0) {
            assert_string_equal(rows[count - 1].server, "127.0.0.1:3000");
            assert_int_equal(rows[count - 1].requests, i + count - 1);
            assert_string_equal(rows[0].upstream, "");
        }
    }
}

static void names_are_cut(void **state)
{
    char name[MEMBER_NAME_BYTES], longer[200];

    (void)state;
    memset(longer, 'x', sizeof longer);
    member_row_name(name, (struct span){ longer, sizeof longer });
    assert_int_equal(strlen(name), MEMBER_NAME_BYTES - 1);
    member_row_name(name, (struct span){ longer, MEMBER_NAME_BYTES - 1 });
    assert_int_equal(strlen(name), MEMBER_NAME_BYTES - 1);
    member_row_name(name, (struct span){ 0 });
    assert_string_equal(name, "");
}

#define TOLD 20000u

static void *write_pages(void *arg)
{
    (void)arg;
    for (uint32_t i = 1; i <= TOLD; i++)
        tell(i % 40 + 1, (uint64_t)i << 8);
    return NULL;
}

/* Whatever the writer does meanwhile, the rows of a page are of one moment, and no page is older than the one before. */
static void a_page_is_read_whole(void **state)
{
    pthread_t writer;
    uint64_t before = 0;

    (void)state;
    assert_int_equal(pthread_create(&writer, NULL, write_pages, NULL), 0);
    while (before >> 8 < TOLD) {
        uint32_t count = member_page_read(&page, rows);

        for (uint32_t i = 0; i < count; i++)
            assert_int_equal(rows[i].requests, rows[0].requests + i);
        if (count > 0) {
            assert_true(rows[0].requests >= before);
            assert_int_equal(count, (rows[0].requests >> 8) % 40 + 1);
            before = rows[0].requests;
        }
    }
    pthread_join(writer, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newest_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(names_are_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(a_page_is_read_whole, setup, teardown),
    };

    return cmocka_run_group_tests_name("member_page", tests, NULL, NULL);
}
