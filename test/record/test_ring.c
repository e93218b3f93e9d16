#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "record/ring.h"

#define ENTRY_BYTES_MOST 600u
#define THREADS_MS       400

/* Entry n: so long, and every byte of it follows from n. */
static uint32_t bytes_of(uint64_t n)
{
    return (uint32_t)(1 + n * 2654435761u % ENTRY_BYTES_MOST);
}

static char byte_of(uint64_t n, uint32_t at)
{
    return (char)((n + 1) * 31 + at * 7 + (n >> 8));
}

static bool write_entry(struct ring *r, uint32_t asked)
{
    uint64_t n = ring_next(r);
    char *to = ring_begin(r, asked);

    if (to == NULL)
        return false;
    for (uint32_t i = 0; i < bytes_of(n); i++)
        to[i] = byte_of(n, i);
    ring_end(r, bytes_of(n));
    return true;
}

static bool is_whole(uint64_t n, const char *entry, size_t bytes)
{
    if (bytes != bytes_of(n))
        return false;
    for (uint32_t i = 0; i < bytes; i++)
        if (entry[i] != byte_of(n, i))
            return false;
    return true;
}

static void sizes_are_rounded_up(void **state)
{
    static const struct {
        size_t bytes;
        uint32_t count;
        uint64_t size, places;
    } rows[] = { { 1, 1, 16, 1 }, { 16, 2, 16, 2 }, { 17, 3, 32, 4 }, { 4096, 1000, 4096, 1024 } };
    struct ring r;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(ring_init(&r, rows[i].bytes, rows[i].count));
        assert_int_equal(r.fixed.size, rows[i].size);
        assert_int_equal(r.fixed.count, rows[i].places);
        assert_int_equal(ring_first(&r), 0);
        assert_int_equal(ring_next(&r), 0);
        ring_fini(&r);
        assert_null(r.fixed.bytes);
        assert_null(r.fixed.places);
    }
    assert_false(ring_init(&r, (size_t)1 << 62, 1));
    assert_null(r.fixed.bytes);
}

static void what_is_not_there_is_not_read(void **state)
{
    struct ring r = { 0 };
    char to[8];

    (void)state;
    assert_int_equal(ring_read(&r, 0, to, sizeof to), 0);
    assert_true(ring_init(&r, 64, 4));
    assert_int_equal(ring_read(&r, 0, to, sizeof to), 0);
    assert_null(ring_begin(&r, 33));
    memcpy(ring_begin(&r, 32), "abcdefgh", 8);
    assert_int_equal(ring_read(&r, 0, to, sizeof to), 0);
    ring_end(&r, 8);
    assert_int_equal(ring_read(&r, 0, to, 7), 0);
    assert_int_equal(ring_read(&r, 0, to, 8), 8);
    assert_memory_equal(to, "abcdefgh", 8);
    assert_int_equal(ring_read(&r, 1, to, 8), 0);
    ring_fini(&r);
}

/* Four entries of 16 bytes fill a ring of 64; the fifth takes the place of the first. */
static void the_oldest_go_first(void **state)
{
    struct ring r;
    char to[16];

    (void)state;
    assert_true(ring_init(&r, 64, 16));
    for (char c = 'a'; c <= 'e'; c++) {
        memset(ring_begin(&r, 16), c, 16);
        ring_end(&r, 16);
    }
    assert_int_equal(ring_first(&r), 1);
    assert_int_equal(ring_next(&r), 5);
    assert_int_equal(ring_read(&r, 0, to, sizeof to), 0);
    for (uint64_t n = 1; n < 5; n++) {
        assert_int_equal(ring_read(&r, n, to, sizeof to), 16);
        assert_int_equal(to[0], "abcde"[n]);
        assert_int_equal(to[15], "abcde"[n]);
    }
    ring_fini(&r);
}

static void there_are_no_more_than_the_places(void **state)
{
    struct ring r;

    (void)state;
    assert_true(ring_init(&r, 1 << 20, 8));
    for (uint64_t n = 0; n < 20; n++) {
        assert_true(write_entry(&r, bytes_of(n)));
        assert_int_equal(ring_next(&r) - ring_first(&r), n < 8 ? n + 1 : 8);
    }
    ring_fini(&r);
}

/* Room that was asked for, and not used, is there again. */
static void entries_may_be_shorter_than_asked(void **state)
{
    struct ring r;
    char *first, *second;

    (void)state;
    assert_true(ring_init(&r, 4096, 16));
    first = ring_begin(&r, 1000);
    ring_end(&r, 1);
    second = ring_begin(&r, 1000);
    assert_ptr_equal(second, first + RING_ALIGN_BYTES);
    assert_ptr_equal(ring_begin(&r, 2000), second);
    ring_fini(&r);
}

static void entries_lie_in_one_piece(void **state)
{
    char to[ENTRY_BYTES_MOST];
    struct ring r;

    (void)state;
    assert_true(ring_init(&r, 4096, 64));
    for (uint64_t n = 0; n < 5000; n++) {
        uint64_t held = 0;
        char *at = ring_begin(&r, ENTRY_BYTES_MOST);

        assert_int_equal((uintptr_t)at % alignof(max_align_t), 0);
        assert_true(at >= r.fixed.bytes && at + ENTRY_BYTES_MOST <= r.fixed.bytes + r.fixed.size);
        assert_true(write_entry(&r, bytes_of(n)));
        assert_int_equal(ring_next(&r), n + 1);
        for (uint64_t i = ring_first(&r); i <= n; i++) {
            assert_true(is_whole(i, to, ring_read(&r, i, to, sizeof to)));
            held += bytes_of(i);
        }
        assert_true(n < 20 || held > 4096 / 2);
    }
    ring_fini(&r);
}

static void untouched_memory_costs_nothing(void **state)
{
    const size_t size = (size_t)64 << 20, page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char *resident = malloc(size / page);
    struct ring r;
    size_t count = 0;

    (void)state;
    assert_true(ring_init(&r, size, 1 << 20));
    assert_int_equal(mincore(r.fixed.bytes, size, resident), 0);
    for (size_t i = 0; i < size / page; i++)
        count += resident[i] & 1;
    assert_int_equal(count, 0);
    ring_fini(&r);
    free(resident);
}

struct reader {
    const struct ring *ring;
    const atomic_bool *over;
    bool oldest; /* reads where the writer is about to write */
    uint64_t whole, gone, broken;
};

static void *read_on(void *arg)
{
    struct reader *reader = arg;
    char to[ENTRY_BYTES_MOST];

    while (!atomic_load(reader->over)) {
        uint64_t first = ring_first(reader->ring), next = ring_next(reader->ring);
        uint64_t n = reader->oldest || next == 0 ? first : next - 1;
        size_t bytes = ring_read(reader->ring, n, to, sizeof to);

        if (bytes == 0)
            reader->gone++;
        else if (is_whole(n, to, bytes))
            reader->whole++;
        else
            reader->broken++;
    }
    return NULL;
}

static uint64_t clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void readers_see_whole_entries_or_none(void **state)
{
    struct ring r;
    atomic_bool over = false;
    struct reader readers[] = { { .ring = &r, .over = &over, .oldest = true }, { .ring = &r, .over = &over } };
    pthread_t threads[2];
    uint64_t until = clock_ms() + THREADS_MS;

    (void)state;
    assert_true(ring_init(&r, 2048, 16));
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
    while (clock_ms() < until)
        for (int i = 0; i < 100; i++)
            DIE_UNLESS(write_entry(&r, ENTRY_BYTES_MOST));
    atomic_store(&over, true);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].broken, 0);
        assert_true(readers[i].whole > 0);
    }
    ring_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_rounded_up),
        cmocka_unit_test(what_is_not_there_is_not_read),
        cmocka_unit_test(the_oldest_go_first),
        cmocka_unit_test(there_are_no_more_than_the_places),
        cmocka_unit_test(entries_may_be_shorter_than_asked),
        cmocka_unit_test(entries_lie_in_one_piece),
        cmocka_unit_test(untouched_memory_costs_nothing),
        cmocka_unit_test(readers_see_whole_entries_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
