#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>

#include "serve/clients.h"

static struct sockaddr_storage peer_of(const char *text)
{
    struct sockaddr_storage peer = { .ss_family = AF_UNIX };
    struct sockaddr_in *in = (struct sockaddr_in *)&peer;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&peer;

    if (inet_pton(AF_INET, text, &in->sin_addr) == 1)
        peer.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1)
        peer.ss_family = AF_INET6;
    return peer;
}

static struct client *enter(struct clients *all, const char *text, uint32_t *total_out, uint32_t *same_out)
{
    struct sockaddr_storage peer = peer_of(text);

    return clients_enter(all, (const struct sockaddr *)&peer, total_out, same_out);
}

/* Rows are entered one after the other, and nobody leaves. */
static void test_who_counts_as_one_client(void **state)
{
    static const struct {
        const char *peer;
        uint32_t same;
    } cases[] = {
        { "192.0.2.1", 1 },       { "192.0.2.2", 1 },
        { "192.0.2.1", 2 },       { "::ffff:192.0.2.1", 3 },                 /* the same, seen through an IPv6 socket */
        { "2001:db8:0:1::1", 1 }, { "2001:db8:0:1:ffff:ffff:ffff:ffff", 2 }, /* one customer has 64 bits */
        { "2001:db8:0:2::1", 1 }, { "::", 1 },
        { "0.0.0.0", 1 },         { "unix:", 1 },
        { "unix:", 2 },
    };
    enum { ROWS = sizeof cases / sizeof cases[0] };
    struct clients *all = clients_new(1);
    struct client *entered[ROWS];
    uint32_t total, same;

    (void)state;
    for (uint32_t i = 0; i < ROWS; i++) {
        entered[i] = enter(all, cases[i].peer, &total, &same);
        assert_non_null(entered[i]);
        assert_int_equal(total, i + 1);
        if (same != cases[i].same)
            fail_msg("%s: %u, not %u", cases[i].peer, same, cases[i].same);
    }
    for (uint32_t i = 0; i < ROWS; i++)
        clients_leave(all, entered[i]);
    clients_release(&all);
    assert_null(all);
    clients_release(&all);
}

static void test_who_leaves_is_forgotten(void **state)
{
    struct clients *all = clients_new(1);
    uint32_t total, same;
    struct client *a = enter(all, "192.0.2.1", &total, &same);
    struct client *b = enter(all, "192.0.2.1", &total, &same);

    (void)state;
    assert_ptr_equal(a, b);
    clients_leave(all, a);
    b = enter(all, "192.0.2.1", &total, &same);
    assert_int_equal(total, 2);
    assert_int_equal(same, 2);
    clients_leave(all, b);
    clients_leave(all, b);
    enter(all, "192.0.2.1", &total, &same);
    assert_int_equal(total, 1);
    assert_int_equal(same, 1);
    clients_release(&all); /* with one still there: its memory goes, too */
}

/* Who could not be counted for itself is in the total all the same. */
static void test_a_client_without_memory_leaves_the_total(void **state)
{
    struct clients *all = clients_new(1);
    uint32_t total, same;
    struct client *a = enter(all, "192.0.2.1", &total, &same);

    (void)state;
    clients_leave(all, NULL);
    enter(all, "192.0.2.2", &total, &same);
    assert_int_equal(total, 1);
    assert_non_null(a);
    clients_release(&all);
}

/* More clients than buckets: lists get longer, and lose nobody. */
static void test_many_clients(void **state)
{
    enum { MANY = 10000 };
    static struct client *entered[MANY];
    struct clients *all = clients_new(1);
    uint32_t total, same;

    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000000 + i) };

        entered[i] = clients_enter(all, (const struct sockaddr *)&in, &total, &same);
        assert_int_equal(same, 1);
    }
    for (uint32_t i = 1; i < MANY; i += 2)
        clients_leave(all, entered[i]);
    for (uint32_t i = 0; i < MANY; i += 1000) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000000 + i) };

        assert_ptr_equal(clients_enter(all, (const struct sockaddr *)&in, &total, &same), entered[i]);
        assert_int_equal(same, 2);
    }
    assert_int_equal(total, MANY / 2 + MANY / 1000);
    clients_release(&all);
}

#define THREADS 4
#define ROUNDS  2000

/* Counts go up and down; nobody sees more than can be there. Assertions are left to the main thread. */
static void *come_and_go(void *arg)
{
    struct clients *all = arg;
    static char wrong;
    char address[32];

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t total = 0, same = 0;
        struct client *c;

        snprintf(address, sizeof address, "192.0.2.%u", i % 3);
        c = enter(all, address, &total, &same);
        if (c == NULL || total == 0 || total > THREADS || same == 0 || same > total)
            return &wrong;
        clients_leave(all, c);
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct clients *all = clients_new(1);
    pthread_t threads[THREADS];
    uint32_t total, same;
    void *wrong = NULL;

    (void)state;
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, all), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        void *one;

        pthread_join(threads[i], &one);
        wrong = one != NULL ? one : wrong;
    }
    assert_null(wrong);
    enter(all, "192.0.2.0", &total, &same);
    assert_int_equal(total, 1);
    assert_int_equal(same, 1);
    clients_release(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_counts_as_one_client),
        cmocka_unit_test(test_who_leaves_is_forgotten),
        cmocka_unit_test(test_a_client_without_memory_leaves_the_total),
        cmocka_unit_test(test_many_clients),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests_name("clients", tests, NULL, NULL);
}
