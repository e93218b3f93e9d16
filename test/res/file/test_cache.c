#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "res/file/cache.h"

#define ENTRIES 64u
#define PATHS   1000u

static struct file_entry *entry_new(unsigned number)
{
    struct file_entry *e = calloc(1, sizeof *e);
    char path[16];
    int n = snprintf(path, sizeof path, "/%u", number);

    assert_non_null(e);
    e->path = strdup(path);
    e->path_bytes = (uint32_t)n;
    e->root = 1;
    e->bytes = 10;
    return e;
}

static struct file_entry *find(struct file_cache *c, unsigned number)
{
    char path[16];
    int n = snprintf(path, sizeof path, "/%u", number);

    return file_cache_find(c, 1, FILE_READ, (struct span){ path, (size_t)n });
}

static void test_keeps_the_latest(void **state)
{
    struct file_cache c;

    (void)state;
    assert_true(file_cache_init(&c, 1, ENTRIES * 10));
    for (unsigned i = 0; i < PATHS; i++) {
        file_cache_add(&c, entry_new(i));
        assert_non_null(find(&c, 0)); /* in use all the time */
    }
    assert_int_equal(c.entries, ENTRIES);
    assert_true(c.bytes == ENTRIES * 10);
    assert_null(find(&c, 1));
    assert_null(find(&c, PATHS - ENTRIES));
    for (unsigned i = PATHS - ENTRIES + 1; i < PATHS; i++)
        assert_non_null(find(&c, i));
    file_cache_fini(&c);
}

/* Descriptors are few: those that hold some push out one another, and nothing else. */
static void test_few_descriptors(void **state)
{
    struct file_cache c;

    (void)state;
    assert_true(file_cache_init(&c, ENTRIES, UINT64_MAX));
    for (unsigned i = 0; i < PATHS; i++) {
        struct file_entry *e = entry_new(i);

        e->from_disk = i % 2 == 1;
        file_cache_add(&c, e);
    }
    assert_int_equal(c.opened, ENTRIES);
    assert_int_equal(c.entries, PATHS / 2 + ENTRIES);
    for (unsigned i = 0; i < PATHS; i++)
        assert_true((find(&c, i) != NULL) == (i % 2 == 0 || i >= PATHS - 2 * ENTRIES));
    file_cache_clear(&c);
    assert_int_equal(c.entries + c.opened, 0);
    assert_true(c.bytes == 0);
    file_cache_fini(&c);
}

/* What was used last stays, with descriptors or without. */
static void test_bytes_go_in_the_order_of_use(void **state)
{
    struct file_cache c;

    (void)state;
    assert_true(file_cache_init(&c, ENTRIES, 40));
    for (unsigned i = 0; i < 4; i++) {
        struct file_entry *e = entry_new(i);

        e->from_disk = i % 2 == 1;
        file_cache_add(&c, e);
    }
    assert_non_null(find(&c, 1));
    file_cache_add(&c, entry_new(4));
    file_cache_add(&c, entry_new(5));
    for (unsigned i = 0; i < 6; i++)
        assert_true((find(&c, i) != NULL) == (i != 0 && i != 2));
    file_cache_grow(&c, find(&c, 3), 30);
    assert_int_equal(c.entries, 1);
    assert_non_null(find(&c, 3));
    file_cache_fini(&c);
}

/* The longest chain of the paths that fill the fullest bucket of a cache. */
static unsigned longest_chain(const struct file_cache *c)
{
    unsigned longest = 0;

    for (uint32_t b = 0; b <= c->mask; b++) {
        unsigned n = 0;

        for (const struct file_entry *e = c->buckets[b]; e != NULL; e = e->next)
            n++;
        longest = n > longest ? n : longest;
    }
    return longest;
}

/* Paths that meet in one bucket of one cache do not in another: nobody can have chosen them so. */
static void test_paths_cannot_be_chosen_to_meet(void **state)
{
    struct file_cache one, other;

    (void)state;
    assert_true(file_cache_init(&one, ENTRIES, 0));
    assert_true(file_cache_init(&other, ENTRIES, 0));
    one.bytes_max = other.bytes_max = UINT64_MAX;
    for (unsigned i = 0; other.entries < ENTRIES; i++) {
        struct file_entry *e = entry_new(i);

        file_cache_add(&one, e);
        if ((e->hash & one.mask) == 0)
            file_cache_add(&other, entry_new(i));
    }
    assert_in_range(longest_chain(&other), 1, ENTRIES / 4);
    file_cache_fini(&one);
    file_cache_fini(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_the_latest),
        cmocka_unit_test(test_few_descriptors),
        cmocka_unit_test(test_bytes_go_in_the_order_of_use),
        cmocka_unit_test(test_paths_cannot_be_chosen_to_meet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
