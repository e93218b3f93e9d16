#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>

#include "io/log_ring.h"

#define LINES 20000u

static struct log_ring *ring;

static int setup(void **state)
{
    static struct log_ring storage;

    (void)state;
    ring = &storage;
    return !log_ring_init(ring, 100, NULL);
}

static int teardown(void **state)
{
    (void)state;
    log_ring_fini(ring);
    return 0;
}

static void put(const char *line)
{
    assert_true(log_ring_put(ring, span_of(line)));
}

static void size_is_the_next_power_of_two(void **state)
{
    (void)state;
    assert_int_equal(ring->fixed.size, 128);
}

static void only_whole_lines_are_taken(void **state)
{
    char to[64];

    (void)state;
    assert_true(log_ring_is_empty(ring));
    put("first\n");
    put("second\n");
    put("third\n");
    assert_false(log_ring_is_empty(ring));
    assert_int_equal(log_ring_take(ring, to, 5), 0);
    assert_int_equal(log_ring_take(ring, to, 18), 13);
    assert_memory_equal(to, "first\nsecond\n", 13);
    assert_int_equal(log_ring_take(ring, to, 6), 6);
    assert_memory_equal(to, "third\n", 6);
    assert_int_equal(log_ring_take(ring, to, sizeof to), 0);
}

static void a_line_that_does_not_fit_is_dropped_whole(void **state)
{
    char line[129], to[256];

    (void)state;
    memset(line, 'x', sizeof line);
    line[127] = '\n';
    assert_true(log_ring_put(ring, (struct span){ line, 64 }));
    assert_false(log_ring_is_half_full(ring));
    assert_true(log_ring_put(ring, (struct span){ line, 1 }));
    assert_true(log_ring_is_half_full(ring));
    assert_false(log_ring_put(ring, (struct span){ line, 64 }));
    assert_int_equal(log_ring_dropped(ring), 1);
    assert_true(log_ring_put(ring, (struct span){ line + 65, 63 }));
    assert_false(log_ring_put(ring, (struct span){ line, 1 }));
    assert_int_equal(log_ring_dropped(ring), 2);
    assert_int_equal(log_ring_take(ring, to, sizeof to), 128);
    assert_false(log_ring_is_half_full(ring));
    assert_true(log_ring_put(ring, (struct span){ line, 128 }));
    assert_false(log_ring_put(ring, (struct span){ line, 129 }));
}

static void lines_go_round_the_end(void **state)
{
    char line[64], to[64];

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        const int n = snprintf(line, sizeof line, "%u %.*s\n", i, (int)(i % 47),
                               "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");

        put(line);
        assert_int_equal(log_ring_take(ring, to, sizeof to), n);
        assert_memory_equal(to, line, (size_t)n);
    }
}

static void *produce(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < LINES;) {
        char line[32];
        const int n = snprintf(line, sizeof line, "%u\n", i);

        if (log_ring_put(ring, (struct span){ line, (size_t)n }))
            i++;
    }
    return NULL;
}

static void threads_see_each_line_once_and_whole(void **state)
{
    pthread_t producer;
    unsigned next = 0;

    (void)state;
    assert_int_equal(pthread_create(&producer, NULL, produce, NULL), 0);
    while (next < LINES) {
        char to[33];
        const size_t n = log_ring_take(ring, to, sizeof to - 1);

        to[n] = '\0';
        for (char *line = to; *line != '\0'; next++) {
            unsigned number;
            int bytes = 0;

            assert_int_equal(sscanf(line, "%u\n%n", &number, &bytes), 1);
            assert_int_equal(number, next);
            line += bytes;
        }
    }
    pthread_join(producer, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(size_is_the_next_power_of_two, setup, teardown),
        cmocka_unit_test_setup_teardown(only_whole_lines_are_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_that_does_not_fit_is_dropped_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_go_round_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(threads_see_each_line_once_and_whole, setup, teardown),
    };

    return cmocka_run_group_tests_name("log_ring", tests, NULL, NULL);
}
