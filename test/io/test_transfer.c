#include "io/transfer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int before(void **state)
{
    static int ends[2];

    *state = ends;
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

static int after(void **state)
{
    const int *ends = *state;

    close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
    return 0;
}

/* Three parts around the length up to which they are joined come as they are, in their order. */
static void test_parts_come_in_order(void **state)
{
    static const size_t lengths[][3] = {
        { 1, 0, 0 },       { 0, 0, 1 },       { 2, 3, 4 },    { 200, 0, 1024 },  { 0, 4096, 0 },
        { 1000, 3095, 1 }, { 1000, 3096, 1 }, { 1, 4095, 1 }, { 300, 5, 16384 },
    };
    static char text[32768], got[32768];
    const int *ends = *state;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7 + i / 256);
    for (size_t row = 0; row < sizeof lengths / sizeof lengths[0]; row++) {
        const size_t *n = lengths[row], all = n[0] + n[1] + n[2];
        const struct iovec parts[] = { { n[0] > 0 ? text : NULL, n[0] },
                                       { n[1] > 0 ? text + n[0] : NULL, n[1] },
                                       { n[2] > 0 ? text + n[0] + n[1] : NULL, n[2] } };

        assert_int_equal(transfer_send(ends[0], parts, 3, false), all);
        assert_int_equal(transfer_receive(ends[1], got, sizeof got), all);
        assert_memory_equal(got, text, all);
    }
}

static void test_nothing_is_there_yet(void **state)
{
    const int *ends = *state;
    char c;

    assert_int_equal(transfer_receive(ends[1], &c, 1), -EAGAIN);
}

static void test_a_full_socket_takes_nothing(void **state)
{
    static char text[65536];
    const int *ends = *state;
    const struct iovec parts[] = { { text, 100 }, { text, 100 } }, large = { text, sizeof text };

    while (transfer_send(ends[0], &large, 1, false) > 0)
        ;
    assert_int_equal(transfer_send(ends[0], &large, 1, false), -EAGAIN);
    while (transfer_send(ends[0], parts, 2, false) > 0)
        ;
    assert_int_equal(transfer_send(ends[0], parts, 2, true), -EAGAIN);
}

/* ... and no signal comes. */
static void test_a_peer_that_is_gone(void **state)
{
    int *ends = *state;
    char c = 'x';
    const struct iovec parts[] = { { &c, 1 }, { &c, 1 } };

    shutdown(ends[1], SHUT_WR);
    assert_int_equal(transfer_receive(ends[0], &c, 1), 0);
    close(ends[1]);
    ends[1] = -1;
    assert_int_equal(transfer_send(ends[0], parts, 2, false), -EPIPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_parts_come_in_order, before, after),
        cmocka_unit_test_setup_teardown(test_nothing_is_there_yet, before, after),
        cmocka_unit_test_setup_teardown(test_a_full_socket_takes_nothing, before, after),
        cmocka_unit_test_setup_teardown(test_a_peer_that_is_gone, before, after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
