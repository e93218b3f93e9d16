#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "scene.h"

/* --- Bytes and events --- */

static void test_deadline(void **state)
{
    struct client *c = client_new();
    int fd;

    (void)state;
    scene_prepare(1);
    scene_open();
    fd = client_take_from(c, 0);
    client_watch(c, 100);
    rounds_until(c->wakes == 1);
    assert_true(upstream_is_late(c->up));
    client_watch(c, 10000);
    assert_false(upstream_is_late(c->up));
    say(fd, "x");
    rounds_until(c->wakes == 2);
    assert_false(upstream_is_late(c->up));
    close(fd);
    client_free(c);
    scene_close();
}

/* What happens while nobody waits is not lost, and wakes once. */
static void test_events_before_the_watch(void **state)
{
    struct client *c = client_new();
    int fd;

    (void)state;
    scene_prepare(1);
    scene_open();
    fd = client_take_from(c, 0);
    say(fd, "x");
    rounds_for(20);
    client_watch(c, 0);
    assert_int_equal(c->wakes, 0);
    round_once(0);
    assert_int_equal(c->wakes, 1);
    client_watch(c, 0);
    rounds_for(20);
    assert_int_equal(c->wakes, 1);
    close(fd); /* ... and it is woken again by what is new */
    rounds_until(c->wakes == 2);
    assert_int_equal(upstream_read(c->up), 1);
    c->up->at = c->up->have;
    assert_int_equal(upstream_read(c->up), 0);
    assert_true(c->up->ended);
    assert_int_equal(upstream_read(c->up), 0);
    client_free(c);
    scene_close();
}

/* The end comes behind what was sent before it, and in one event with it. */
static void test_half_closed(void **state)
{
    struct client *c = client_new();
    int fd;

    (void)state;
    scene_prepare(1);
    scene_open();
    fd = client_take_from(c, 0);
    client_write(c, "question");
    hear(fd, "question");
    upstream_shut(c->up);
    assert_true(is_hung_up(fd)); /* nothing more comes */
    say(fd, "answer");
    shutdown(fd, SHUT_WR);
    client_read(c, "answer");
    assert_true(c->up->readable);
    assert_int_equal(upstream_read(c->up), 0);
    assert_true(c->up->ended);
    assert_int_equal(c->up->error, 0);
    client_release(c, UPSTREAM_KEEP); /* not kept */
    assert_int_equal(scene_status(0).connections, 0);
    close(fd);
    client_free(c);
    scene_close();
}

static void test_reset(void **state)
{
    struct client *c = client_new();
    int fd;

    (void)state;
    scene_prepare(1);
    scene_open();
    fd = client_take_from(c, 0);
    client_watch(c, 0);
    reset(fd);
    rounds_until(c->wakes == 1);
    assert_int_equal(upstream_read(c->up), -ECONNRESET);
    assert_int_equal(c->up->error, ECONNRESET);
    assert_int_equal(upstream_read(c->up), -ECONNRESET);
    assert_int_equal(upstream_write(c->up, &(struct iovec){ "x", 1 }, 1), -ECONNRESET);
    client_free(c);
    scene_close();
}

static void test_the_buffer(void **state)
{
    struct client *c = client_new();
    char text[101] = { 0 };
    int fd;

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        text[i] = (char)('0' + i % 10);
    scene_prepare(1);
    scene_open();
    fd = client_take_from(c, 0);
    say(fd, text);
    client_watch(c, 0);
    rounds_until(c->wakes == 1);
    assert_int_equal(upstream_read(c->up), 64);
    assert_int_equal(upstream_read(c->up), -ENOBUFS);
    c->up->at = 20;
    assert_int_equal(upstream_read(c->up), 20);
    assert_int_equal(c->up->at, 0);
    assert_int_equal(c->up->have, 64);
    assert_memory_equal(c->up->buffer, text + 20, 64);
    c->up->at = c->up->have;
    upstream_buffer_return(c->up);
    assert_null(c->up->buffer);
    assert_int_equal(upstream_read(c->up), 16);
    assert_memory_equal(c->up->buffer, text + 84, 16);
    assert_int_equal(upstream_read(c->up), -EAGAIN);
    close(fd);
    client_free(c);
    scene_close();
}

static void test_writing_waits_for_room(void **state)
{
    struct client *c = client_new();
    static char much[1 << 20];
    const struct iovec part = { much, sizeof much };
    size_t sent = 0, got = 0;
    int fd;

    (void)state;
    scene_prepare(1);
    scene_open();
    fd = client_take_from(c, 0);
    for (;;) {
        long n = upstream_write(c->up, &part, 1);

        if (n == -EAGAIN)
            break;
        assert_true(n > 0);
        sent += (size_t)n;
    }
    assert_false(c->up->writable);
    client_watch(c, 0);
    rounds_for(20);
    assert_int_equal(c->wakes, 0);
    while (got < sent) {
        ssize_t n = read(fd, much, sizeof much);

        if (n > 0)
            got += (size_t)n;
        else
            rounds_for(5);
    }
    rounds_until(c->wakes == 1);
    assert_true(c->up->writable);
    close(fd);
    client_free(c);
    scene_close();
}

/* Bytes go past us into a pipe, until the socket is empty, and at its end. */
static void test_pipe(void **state)
{
    struct client *c = client_new();
    char got[8];
    int fd, ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    scene_prepare(1);
    scene_open();
    fd = client_take_from(c, 0);
    assert_int_equal(upstream_read_pipe(c->up, ends[1], 100), -EAGAIN);
    for (unsigned i = 0; i < 2; i++) {
        say(fd, "abcd");
        client_watch(c, 0);
        rounds_until(c->wakes == i + 1);
        assert_int_equal(upstream_read_pipe(c->up, ends[1], 3), 3);
        assert_int_equal(upstream_read_pipe(c->up, ends[1], 3), 1);
        assert_int_equal(read(ends[0], got, sizeof got), 4);
        assert_int_equal(upstream_read_pipe(c->up, ends[1], 3), -EAGAIN);
        assert_false(c->up->readable);
    }
    client_release(c, UPSTREAM_KEEP);
    assert_int_equal(client_ask(c), FLOW_GO);
    assert_int_equal(c->up->exchanges, 1);
    hang_up(fd);
    client_watch(c, 0);
    rounds_until(c->wakes == 3);
    assert_int_equal(upstream_read_pipe(c->up, ends[1], 3), 0);
    assert_true(c->up->ended);
    close(ends[0]);
    close(ends[1]);
    client_free(c);
    scene_close();
}

/* What was said before the connection broke is read all the same. RFC9112:9.6 */
static void test_an_answer_before_the_end(void **state)
{
    struct client *c = client_new();
    const struct iovec part = { (void *)(uintptr_t) "more", 4 };
    long n;
    int fd;

    (void)state;
    scene_prepare(1);
    scene_open();
    fd = client_take_from(c, 0);
    client_write(c, "question");
    say(fd, "answer");
    reset(fd);
    n = upstream_write(c->up, &part, 1);
    assert_true(n == -ECONNRESET || n == -EPIPE);
    assert_int_equal(c->up->error, -n);
    assert_int_equal(upstream_write(c->up, &part, 1), n);
    assert_int_equal(upstream_read(c->up), 6);
    c->up->at = c->up->have;
    client_release(c, UPSTREAM_KEEP);
    assert_int_equal(scene_status(0).connections, 0);
    client_free(c);
    scene_close();
}

/* Whoever was to be woken has given it back. */
static void test_a_release_before_the_wake(void **state)
{
    struct client *c = client_new();
    int fd;

    (void)state;
    for (unsigned how = 0; how < 2; how++) {
        scene_prepare(1);
        scene_open();
        fd = client_take_from(c, 0);
        say(fd, "x");
        rounds_for(20);
        if (how == 0)
            assert_int_equal(upstream_read(c->up), 1);
        client_watch(c, 0);
        if (how == 0)
            c->up->at = c->up->have;
        exchange_cancel(&c->x);
        client_release(c, UPSTREAM_KEEP);
        assert_int_equal(scene_status(0).idle, how == 0);
        rounds_for(20);
        assert_int_equal(c->wakes, 0);
        close(fd);
        scene_close();
    }
    client_free(c);
}

/* --- Others --- */

static void test_unix_socket(void **state)
{
    struct client *c = client_new();
    char path[] = "/tmp/verdict-upstream-XXXXXX";
    int fd;

    (void)state;
    assert_int_equal(close(mkstemp(path)), 0);
    unlink(path);
    scene_prepare(0);
    scene_add(path);
    scene_open();
    fd = client_take_from(c, 0);
    client_write(c, "question");
    hear(fd, "question");
    say(fd, "answer");
    client_read(c, "answer");
    client_release(c, UPSTREAM_KEEP);
    assert_int_equal(scene_status(0).idle, 1);
    unlink(path);
    c->search.fresh = true;
    client_expect(c, "upstream-connection-refused");
    close(fd);
    client_free(c);
    scene_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_events_before_the_watch),
        cmocka_unit_test(test_half_closed),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_the_buffer),
        cmocka_unit_test(test_writing_waits_for_room),
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_an_answer_before_the_end),
        cmocka_unit_test(test_a_release_before_the_wake),
        cmocka_unit_test(test_unix_socket),
    };

    return cmocka_run_group_tests_name("upstream", tests, NULL, NULL);
}
