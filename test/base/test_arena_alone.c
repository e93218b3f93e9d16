/* The arena of the sanitizer builds: each piece is a block of its own. */
#undef ARENA_EACH_ALONE
#define ARENA_EACH_ALONE
#include "arena_cases.h"

int main(void)
{
    const struct CMUnitTest tests[] = { ARENA_TESTS };

    return cmocka_run_group_tests_name("arena_alone", tests, NULL, NULL);
}
