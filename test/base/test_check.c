#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

/* Runs fn in a process of its own; returns its wait status, and what it wrote to standard error. */
static int run_alone(void (*fn)(void), char *said, size_t room)
{
    int ends[2], status = 0;
    size_t n = 0;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]); /* so that writing more than is read ends in an error */
        fn();
        _exit(0);
    }
    close(ends[1]);
    for (ssize_t got; n < room - 1 && (got = read(ends[0], said + n, room - 1 - n)) > 0;)
        n += (size_t)got;
    said[n] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void hold(void)
{
    DIE_UNLESS(1 + 1 == 2);
}

static void break_it(void)
{
    DIE_UNLESS(1 + 1 == 3);
}

static void *count_many(void *unused)
{
    for (int i = 0; i < 1000; i++)
        check_count("somewhere:1");
    return unused;
}

static void be_surprised(void)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, count_many, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    if (check_counted() != 4000)
        _exit(1);
}

static void test_what_holds_says_nothing(void **state)
{
    char said[256];

    (void)state;
    assert_int_equal(run_alone(hold, said, sizeof said), 0);
    assert_string_equal(said, "");
}

static void test_what_does_not_hold_ends_the_process(void **state)
{
    char said[256];
    int status = run_alone(break_it, said, sizeof said);

    (void)state;
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(said, "verdict: internal check failed: "));
    assert_non_null(strstr(said, "test_check.c:"));
    assert_non_null(strstr(said, "1 + 1 == 3"));
}

static void test_surprises_are_counted_and_said_once(void **state)
{
    char said[256];

    (void)state;
    assert_int_equal(run_alone(be_surprised, said, sizeof said), 0);
    assert_string_equal(said, "verdict: internal surprise: somewhere:1: the server goes on\n");
    assert_int_equal(check_counted(), 0);
}

static void test_the_usual_passes_through(void **state)
{
    (void)state;
    assert_true(ALWAYS(2 > 1));
    assert_false(NEVER(1 > 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_holds_says_nothing),
        cmocka_unit_test(test_what_does_not_hold_ends_the_process),
        cmocka_unit_test(test_surprises_are_counted_and_said_once),
        cmocka_unit_test(test_the_usual_passes_through),
    };

    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
