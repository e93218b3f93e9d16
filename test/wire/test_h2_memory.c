#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/h2_memory.h"

#define LARGE_BYTES (64u << 10)

static bool are_all(const char *bytes, size_t count, char c)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != c)
            return false;
    return true;
}

/* What one session gave back, the next one gets. */
static void test_kept(void **state)
{
    struct h2_store store = { .kept_bytes = 0 };
    void *small = h2_store_take(&store, 100), *large = h2_store_take(&store, LARGE_BYTES);

    (void)state;
    memset(small, 1, 100);
    memset(large, 1, LARGE_BYTES);
    h2_store_give(&store, large, LARGE_BYTES);
    assert_int_equal(store.kept_bytes, 0);
    h2_store_give(&store, small, 100);
#ifndef ARENA_EACH_ALONE
    assert_int_equal(store.kept_bytes, 128);
    assert_ptr_equal(h2_store_take(&store, 65), small);
    assert_int_equal(store.kept_bytes, 0);
    h2_store_give(&store, small, 128);
#endif
    h2_store_free(&store);
    assert_int_equal(store.kept_bytes, 0);
}

/* Of each size, its first and its last byte. */
static void test_sizes(void **state)
{
    struct h2_store store = { .kept_bytes = 0 };

    (void)state;
    for (size_t bytes = 1; bytes <= 1100; bytes++) {
        char *piece = h2_store_take(&store, bytes);

        memset(piece, (int)bytes, bytes);
        h2_store_give(&store, piece, bytes);
    }
    h2_store_free(&store);
}

/* More than that is the system's. */
static void test_bounded(void **state)
{
    static void *pieces[H2_STORE_BYTES / 1024 + 8];
    const size_t count = sizeof pieces / sizeof pieces[0];
    struct h2_store store = { .kept_bytes = 0 };

    (void)state;
    for (size_t i = 0; i < count; i++)
        pieces[i] = h2_store_take(&store, 1024);
    for (size_t i = 0; i < count; i++)
        h2_store_give(&store, pieces[i], 1024);
    assert_true(store.kept_bytes <= H2_STORE_BYTES);
    h2_store_free(&store);
}

static nghttp2_mem allocator_of(struct h2_memory *memory, struct h2_store *store)
{
    h2_memory_init(memory, store);
    return h2_memory_allocator(memory);
}

static void test_session(void **state)
{
    struct h2_store store = { .kept_bytes = 0 };
    struct h2_memory memory;
    nghttp2_mem mem = allocator_of(&memory, &store);
    char *p;

    (void)state;
    p = mem.realloc(NULL, 10, mem.mem_user_data);
    memset(p, 'a', 10);
    p = mem.realloc(p, 2000, mem.mem_user_data);
    assert_true(are_all(p, 10, 'a'));
    memset(p, 'b', 2000);
    p = mem.realloc(p, 20, mem.mem_user_data);
    assert_true(are_all(p, 20, 'b'));
    mem.free(p, mem.mem_user_data);
    mem.free(NULL, mem.mem_user_data);
    p = mem.calloc(5, 4, mem.mem_user_data);
    assert_true(are_all(p, 20, 0));
    assert_non_null(mem.malloc(3000, mem.mem_user_data));
    assert_false(memory.refused);
    h2_memory_release(&memory); /* what was not given back */
    assert_true(link_is_empty(&memory.pieces));
    h2_store_free(&store);
}

static void test_refused(void **state)
{
    struct h2_store store = { .kept_bytes = 0 };
    struct h2_memory memory;
    nghttp2_mem mem = allocator_of(&memory, &store);
    char *p;

    (void)state;
    assert_null(mem.calloc(SIZE_MAX, 2, mem.mem_user_data));
    assert_true(memory.refused);
    memory.refused = false;
    p = mem.malloc(10, mem.mem_user_data);
    memset(p, 'a', 10);
    assert_null(mem.realloc(p, SIZE_MAX, mem.mem_user_data));
    assert_true(memory.refused);
    assert_true(are_all(p, 10, 'a')); /* it is where it was */
    h2_memory_release(&memory);
    h2_store_free(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept),    cmocka_unit_test(test_sizes),   cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_session), cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
