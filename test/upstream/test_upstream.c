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

/* --- Helpers --- */

/* A connection that is given, and its other end. */
static int take_from(struct client *c, unsigned server)
{
    assert_int_equal(client_take(c), FLOW_GO);
    return server_accept(&scene.servers[server]);
}

static void write_text(struct client *c, const char *text)
{
    const struct iovec part = { (void *)(uintptr_t)text, strlen(text) };

    assert_int_equal(upstream_write(c->up, &part, 1), (int)strlen(text));
}

/* What comes, as soon as it is there. */
static void read_text(struct client *c, const char *text)
{
    long n = upstream_read(c->up);

    if (n == -EAGAIN) {
        unsigned wakes = c->wakes;

        client_watch(c, 0);
        rounds_until(c->wakes > wakes);
        n = upstream_read(c->up);
    }
    assert_int_equal(n, (int)strlen(text));
    assert_memory_equal(c->up->buffer + c->up->at, text, strlen(text));
    c->up->at = c->up->have;
}

static void release(struct client *c, enum upstream_end how)
{
    upstream_release(c->up, how);
    c->up = NULL;
}

static struct upstream_status status_of(unsigned member)
{
    struct upstream_status all[SCENE_MEMBERS];

    assert_int_equal(upstreams_status(scene.u, all, SCENE_MEMBERS), scene.group.count);
    return all[member];
}

static void expect_stop(struct client *c, enum reason why)
{
    assert_int_equal(client_take(c), FLOW_STOP);
    assert_string_equal(reason_info(c->search.failed.why)->name, reason_info(why)->name);
    assert_null(c->search.state);
}

/* --- Kept and new --- */

static void test_a_connection_is_kept(void **state)
{
    struct client *c = client_new();
    int fd;

    (void)state;
    scene_prepare(1);
    scene_open();
    fd = take_from(c, 0);
    assert_int_equal(c->up->exchanges, 0);
    assert_true(span_is(c->search.upstream, scene.members[0].text));
    for (unsigned i = 0; i < 3; i++) {
        write_text(c, "question");
        hear(fd, "question");
        say(fd, "answer");
        read_text(c, "answer");
        assert_int_equal(status_of(0).exchanges, 1);
        release(c, UPSTREAM_KEEP);
        assert_int_equal(status_of(0).exchanges, 0);
        assert_int_equal(status_of(0).idle, 1);
        assert_int_equal(client_ask(c), FLOW_GO);
        assert_int_equal(c->up->exchanges, i + 1);
        assert_null(c->up->buffer);
    }
    assert_false(server_has_one(&scene.servers[0]));
    release(c, UPSTREAM_CLOSE);
    assert_true(is_hung_up(fd));
    assert_int_equal(status_of(0).connections, 0);
    assert_int_equal(status_of(0).requests, 4);
    close(fd);
    client_free(c);
    scene_close();
}

/* Closed in order, reset, or with bytes that nobody asked for: gone at once, and nobody sees it. */
static void test_a_stale_connection_is_dropped(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 4; how++) {
        struct client *c = client_new();
        int fd;

        scene_prepare(1);
        scene_open();
        fd = take_from(c, 0);
        release(c, UPSTREAM_KEEP);
        if (how == 0 || how == 3)
            hang_up(fd);
        else if (how == 1)
            reset(fd);
        else
            say(fd, "unasked");
        if (how < 3)
            rounds_until(status_of(0).idle == 0); /* else it is found when it is taken */
        assert_int_equal(client_take(c), FLOW_GO);
        if (how < 3) {
            assert_int_equal(c->up->exchanges, 0);
            assert_int_equal(status_of(0).connections, 1);
        }
        if (how == 2)
            hang_up(fd);
        client_free(c);
        scene_close();
    }
}

static void test_what_was_not_read_is_not_kept(void **state)
{
    struct client *c = client_new();
    int fd;

    (void)state;
    scene_prepare(1);
    scene_open();
    fd = take_from(c, 0);
    say(fd, "answer");
    client_watch(c, 0);
    rounds_until(c->wakes == 1);
    assert_true(c->up->readable);
    release(c, UPSTREAM_KEEP);
    assert_int_equal(status_of(0).connections, 0);
    close(fd);
    client_free(c);
    scene_close();
}

/* Exactly as many bytes as there was room for: whether more is there is not known, and is found out. */
static void test_a_full_buffer_is_no_reason_to_close(void **state)
{
    struct client *c = client_new();
    char text[65] = { 0 };
    int fd;

    (void)state;
    memset(text, 'a', 64);
    scene_prepare(1);
    scene_open();
    fd = take_from(c, 0);
    say(fd, text);
    read_text(c, text);
    assert_true(c->up->readable);
    release(c, UPSTREAM_KEEP);
    assert_int_equal(status_of(0).idle, 1);
    close(fd);
    client_free(c);
    scene_close();
}

static void test_fresh(void **state)
{
    struct client *c = client_new();
    int fd, other;

    (void)state;
    scene_prepare(1);
    scene.group.connections_limit = 1;
    scene_open();
    fd = take_from(c, 0);
    release(c, UPSTREAM_KEEP);
    c->search.fresh = true;
    other = take_from(c, 0);
    assert_int_equal(c->up->exchanges, 0);
    assert_true(is_hung_up(fd)); /* there was room for one only */
    assert_int_equal(status_of(0).connections, 1);
    close(fd);
    close(other);
    client_free(c);
    scene_close();
}

static void test_idle_ones_end(void **state)
{
    struct client *c[3];
    int fds[3];

    (void)state;
    scene_prepare(1);
    scene.group.idle_limit = 2;
    scene.group.idle_ms = 100;
    scene_open();
    for (unsigned i = 0; i < 3; i++) {
        c[i] = client_new();
        fds[i] = take_from(c[i], 0);
    }
    for (unsigned i = 0; i < 3; i++)
        release(c[i], UPSTREAM_KEEP);
    assert_true(is_hung_up(fds[0])); /* the one that was not used for longest */
    assert_int_equal(status_of(0).idle, 2);
    rounds_for(50);
    assert_int_equal(status_of(0).idle, 2);
    rounds_for(250);
    assert_int_equal(status_of(0).connections, 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(is_hung_up(fds[i]));
        close(fds[i]);
        client_free(c[i]);
    }
    scene_close();
}

static void test_a_connection_carries_so_many(void **state)
{
    struct client *c = client_new();

    (void)state;
    scene_prepare(1);
    scene.group.exchanges_limit = 2;
    scene_open();
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(client_take(c), FLOW_GO);
        assert_int_equal(c->up->exchanges, i % 2);
        release(c, UPSTREAM_KEEP);
    }
    client_free(c);
    scene_close();
}

/* --- The queue --- */

static void test_the_queue_is_fair(void **state)
{
    struct client *c[4];

    (void)state;
    scene_prepare(1);
    scene.group.connections_limit = 1;
    scene_open();
    for (unsigned i = 0; i < 4; i++) {
        c[i] = client_new();
        assert_int_equal(client_ask(c[i]), i == 0 ? FLOW_GO : FLOW_WAIT);
    }
    assert_int_equal(status_of(0).waiting, 3);
    assert_string_equal(c[1]->x.wait.what, "queue");
    c[2]->search.fresh = true; /* too late to count */
    for (unsigned i = 0; i < 3; i++) {
        release(c[i], i == 1 ? UPSTREAM_CLOSE : UPSTREAM_KEEP);
        assert_null(c[i + 1]->up); /* in its own turn, not within ours */
        rounds_until(c[i + 1]->flow != FLOW_WAIT);
        assert_int_equal(c[i + 1]->order, i + 2);
        assert_int_equal(c[i + 1]->up->exchanges, i == 1 ? 0 : i == 2 ? 1 : 1);
        assert_int_equal(status_of(0).connections, 1);
    }
    for (unsigned i = 0; i < 4; i++)
        client_free(c[i]);
    scene_close();
}

static void test_the_queue_is_bounded(void **state)
{
    struct client *c[3];

    (void)state;
    scene_prepare(1);
    scene.group.connections_limit = 1;
    scene.group.queue_limit = 1;
    scene.group.queue_ms = 100;
    scene.group.fails = 1;
    scene.group.fail_ms = scene.group.rest_ms = 10000;
    scene_open();
    for (unsigned i = 0; i < 3; i++)
        c[i] = client_new();
    assert_int_equal(client_ask(c[0]), FLOW_GO);
    assert_int_equal(client_ask(c[1]), FLOW_WAIT);
    expect_stop(c[2], R_upstream_connection_limit);
    rounds_until(c[1]->flow != FLOW_WAIT);
    assert_int_equal(c[1]->flow, FLOW_STOP);
    assert_int_equal(c[1]->search.failed.why, R_upstream_queue_timeout);
    assert_int_equal(status_of(0).exchanges, 1);
    assert_int_equal(status_of(0).waiting, 0);
    assert_int_equal(status_of(0).failures, 0); /* nobody's fault */
    for (unsigned i = 0; i < 3; i++)
        client_free(c[i]);
    scene_close();
}

/* What one was given and did not come to use goes to the next. */
static void test_who_leaves_the_queue_gives_back(void **state)
{
    (void)state;
    for (unsigned closed = 0; closed < 2; closed++) {
        struct client *c[4];

        scene_prepare(1);
        scene.group.connections_limit = 1;
        scene_open();
        for (unsigned i = 0; i < 4; i++) {
            c[i] = client_new();
            client_ask(c[i]);
        }
        client_free(c[1]);
        assert_int_equal(status_of(0).waiting, 2);
        release(c[0], closed ? UPSTREAM_CLOSE : UPSTREAM_KEEP);
        assert_int_equal(status_of(0).waiting, 1);
        client_free(c[2]);
        rounds_until(c[3]->flow != FLOW_WAIT);
        assert_int_equal(c[3]->flow, FLOW_GO);
        assert_int_equal(c[3]->up->exchanges, closed ? 0 : 1);
        client_free(c[0]);
        client_free(c[3]);
        assert_int_equal(status_of(0).connections, 0);
        scene_close();
    }
}

/* A connection that dies between being given and being used is replaced. */
static void test_what_is_given_may_be_stale(void **state)
{
    struct client *c[2] = { client_new(), client_new() };
    int fd;

    (void)state;
    scene_prepare(1);
    scene.group.connections_limit = 1;
    scene_open();
    fd = take_from(c[0], 0);
    client_ask(c[1]);
    release(c[0], UPSTREAM_KEEP);
    hang_up(fd);
    rounds_until(c[1]->flow != FLOW_WAIT);
    assert_int_equal(c[1]->flow, FLOW_GO);
    assert_int_equal(c[1]->up->exchanges, 0);
    assert_int_equal(status_of(0).connections, 1);
    client_free(c[0]);
    client_free(c[1]);
    scene_close();
}

/* --- Failures --- */

static void test_refused(void **state)
{
    struct client *c = client_new();

    (void)state;
    scene_prepare(2);
    server_stop(&scene.servers[0]);
    scene.group.fails = 2;
    scene.group.fail_ms = scene.group.rest_ms = 10000;
    scene_open();
    for (unsigned i = 0; i < 2; i++) {
        for (c->search = (struct upstream_search){ 0 }; client_take(c) == FLOW_GO; /* by turns */
             c->search = (struct upstream_search){ 0 })
            release(c, UPSTREAM_KEEP);
        assert_string_equal(reason_info(c->search.failed.why)->name, "upstream-connection-refused");
        assert_int_equal(c->search.failed.at, ECONNREFUSED);
        assert_true(span_is(c->search.failed.operand, scene.members[0].text));
        assert_true(span_is(c->search.upstream, scene.members[0].text));
        assert_true(c->search.another_left);
        assert_int_equal(client_take(c), FLOW_GO); /* the other one, now */
        assert_true(span_is(c->search.upstream, scene.members[1].text));
        assert_int_equal(c->search.tried & 1, 1);
        release(c, UPSTREAM_KEEP);
    }
    assert_true(status_of(0).resting);
    assert_int_equal(status_of(0).failures, 2);
    server_stop(&scene.servers[1]);
    c->search = (struct upstream_search){ .fresh = true };
    expect_stop(c, R_upstream_connection_refused);
    assert_false(c->search.another_left);
    expect_stop(c, R_upstream_connection_refused); /* tried, but there is nobody else */
    expect_stop(c, R_upstream_all_down);
    assert_int_equal(c->search.upstream.n, 0);
    client_free(c);
    scene_close();
}

static void test_a_failing_member_rests(void **state)
{
    struct client *c = client_new(), *other = client_new();

    (void)state;
    scene_prepare(1);
    scene.group.fails = 2;
    scene.group.fail_ms = 10000;
    scene.group.rest_ms = 100;
    scene_open();
    for (unsigned i = 0; i < 2; i++) {
        int fd = take_from(c, 0);

        release(c, UPSTREAM_FAILED);
        close(fd);
    }
    expect_stop(c, R_upstream_all_down);
    rounds_for(150);
    int fd = take_from(c, 0);
    expect_stop(other, R_upstream_all_down); /* one at a time */
    say(fd, "answer");
    read_text(c, "answer");
    release(c, UPSTREAM_KEEP);
    assert_true(status_of(0).live);
    assert_int_equal(client_take(other), FLOW_GO);
    close(fd);
    client_free(c);
    client_free(other);
    scene_close();
}

static void test_connecting_takes_too_long(void **state)
{
    struct client *c[4];

    (void)state;
    scene_prepare(1);
    assert_int_equal(listen(scene.servers[0].listener, 0), 0);
    scene.group.connect_ms = 200;
    scene_open();
    for (unsigned i = 0; i < 4; i++) {
        c[i] = client_new();
        client_take(c[i]);
    }
    assert_int_equal(c[3]->flow, FLOW_STOP);
    assert_string_equal(reason_info(c[3]->search.failed.why)->name, "upstream-connect-timeout");
    for (unsigned i = 0; i < 4; i++)
        client_free(c[i]);
    scene_close();
}

/* A kept connection that was stale says nothing of the member; one on which it failed does. */
static void test_who_is_tried(void **state)
{
    struct client *c = client_new();

    (void)state;
    scene_prepare(2);
    scene.group.balance = BALANCE_CLIENT;
    scene_open();
    for (unsigned how = 0; how < 2; how++) {
        struct span first;

        c->hash = 5;
        c->search = (struct upstream_search){ 0 };
        assert_int_equal(client_take(c), FLOW_GO);
        first = c->search.upstream;
        assert_int_not_equal(c->search.tried, 0);
        release(c, UPSTREAM_KEEP);
        c->search = (struct upstream_search){ 0 };
        assert_int_equal(client_take(c), FLOW_GO);
        assert_int_equal(c->up->exchanges, 1);
        assert_int_equal(c->search.tried, 0);
        assert_true(c->search.another_left);
        release(c, how == 0 ? UPSTREAM_CLOSE : UPSTREAM_FAILED);
        c->search.fresh = true;
        assert_int_equal(client_take(c), FLOW_GO);
        assert_int_equal(span_is(c->search.upstream, first), how == 0);
        release(c, UPSTREAM_CLOSE);
    }
    client_free(c);
    scene_close();
}

/* --- Bytes and events --- */

static void test_deadline(void **state)
{
    struct client *c = client_new();
    int fd;

    (void)state;
    scene_prepare(1);
    scene_open();
    fd = take_from(c, 0);
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
    fd = take_from(c, 0);
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
    fd = take_from(c, 0);
    write_text(c, "question");
    hear(fd, "question");
    upstream_shut(c->up);
    assert_true(is_hung_up(fd)); /* nothing more comes */
    say(fd, "answer");
    shutdown(fd, SHUT_WR);
    read_text(c, "answer");
    assert_true(c->up->readable);
    assert_int_equal(upstream_read(c->up), 0);
    assert_true(c->up->ended);
    assert_int_equal(c->up->error, 0);
    release(c, UPSTREAM_KEEP); /* not kept */
    assert_int_equal(status_of(0).connections, 0);
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
    fd = take_from(c, 0);
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
    char text[101] = { 0 }, rest[64];
    int fd;

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        text[i] = (char)('0' + i % 10);
    scene_prepare(1);
    scene_open();
    fd = take_from(c, 0);
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
    assert_int_equal(upstream_read_into(c->up, rest, sizeof rest), 16);
    assert_memory_equal(rest, text + 84, 16);
    assert_int_equal(upstream_read_into(c->up, rest, sizeof rest), -EAGAIN);
    assert_null(c->up->buffer);
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
    fd = take_from(c, 0);
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
    fd = take_from(c, 0);
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
    release(c, UPSTREAM_KEEP);
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
    fd = take_from(c, 0);
    write_text(c, "question");
    hear(fd, "question");
    say(fd, "answer");
    read_text(c, "answer");
    release(c, UPSTREAM_KEEP);
    assert_int_equal(status_of(0).idle, 1);
    unlink(path);
    c->search.fresh = true;
    expect_stop(c, R_upstream_connection_refused);
    close(fd);
    client_free(c);
    scene_close();
}

static void test_many(void **state)
{
    struct client *c[64];

    (void)state;
    scene_prepare(4);
    scene.group.balance = BALANCE_LEAST;
    scene.group.idle_limit = 64;
    scene_open();
    for (unsigned turn = 0; turn < 3; turn++) {
        for (unsigned i = 0; i < 64; i++) {
            c[i] = turn == 0 ? client_new() : c[i];
            assert_int_equal(client_ask(c[i]), FLOW_GO);
            assert_int_equal(c[i]->up->exchanges, turn);
        }
        for (unsigned i = 0; i < 4; i++)
            assert_int_equal(status_of(i).exchanges, 16);
        for (unsigned i = 0; i < 64; i++)
            release(c[i], UPSTREAM_KEEP);
    }
    for (unsigned i = 0; i < 64; i++)
        client_free(c[i]);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(status_of(i).idle, 16);
    scene_close();
}

static void test_the_same_client_goes_to_the_same_member(void **state)
{
    struct client *c = client_new();

    (void)state;
    scene_prepare(4);
    scene.group.balance = BALANCE_CLIENT;
    scene_open();
    for (c->hash = 1; c->hash < 20; c->hash++) {
        struct span first;

        assert_int_equal(client_take(c), FLOW_GO);
        first = c->search.upstream;
        release(c, UPSTREAM_KEEP);
        c->search = (struct upstream_search){ 0 };
        assert_int_equal(client_take(c), FLOW_GO);
        assert_true(span_is(c->search.upstream, first));
        release(c, UPSTREAM_KEEP);
        c->search = (struct upstream_search){ 0 };
    }
    client_free(c);
    scene_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_connection_is_kept),
        cmocka_unit_test(test_a_stale_connection_is_dropped),
        cmocka_unit_test(test_what_was_not_read_is_not_kept),
        cmocka_unit_test(test_a_full_buffer_is_no_reason_to_close),
        cmocka_unit_test(test_fresh),
        cmocka_unit_test(test_idle_ones_end),
        cmocka_unit_test(test_a_connection_carries_so_many),
        cmocka_unit_test(test_the_queue_is_fair),
        cmocka_unit_test(test_the_queue_is_bounded),
        cmocka_unit_test(test_who_leaves_the_queue_gives_back),
        cmocka_unit_test(test_what_is_given_may_be_stale),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_a_failing_member_rests),
        cmocka_unit_test(test_connecting_takes_too_long),
        cmocka_unit_test(test_who_is_tried),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_events_before_the_watch),
        cmocka_unit_test(test_half_closed),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_the_buffer),
        cmocka_unit_test(test_writing_waits_for_room),
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_unix_socket),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_the_same_client_goes_to_the_same_member),
    };

    return cmocka_run_group_tests_name("upstream", tests, NULL, NULL);
}
