#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/resource.h>

#include "io/rlimit.h"

static void the_soft_limit_becomes_the_hard_one(void **state)
{
    struct rlimit limit;
    uint64_t files = 7;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_max = 512;
    limit.rlim_cur = 100;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(rlimit_raise_files(&files), 0);
    assert_int_equal(files, 512);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(limit.rlim_cur, 512);
    files = 7;
    assert_int_equal(rlimit_raise_files(&files), 0);
    assert_int_equal(files, 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_soft_limit_becomes_the_hard_one),
    };

    return cmocka_run_group_tests_name("rlimit", tests, NULL, NULL);
}
