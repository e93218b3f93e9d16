#include <errno.h>
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

/* --- Kept and new --- */

static void test_a_connection_is_kept(void **state)
{
    struct client *c = client_new();
    int fd;

    (void)state;
    scene_prepare(1);
    scene_open();
    fd = client_take_from(c, 0);
    assert_int_equal(c->up->exchanges, 0);
    assert_true(span_is(c->search.upstream, scene.members[0].text));
    for (unsigned i = 0; i < 3; i++) {
        client_write(c, "question");
        hear(fd, "question");
        say(fd, "answer");
        client_read(c, "answer");
        assert_int_equal(scene_status(0).exchanges, 1);
        client_release(c, UPSTREAM_KEEP);
        assert_int_equal(scene_status(0).exchanges, 0);
        assert_int_equal(scene_status(0).idle, 1);
        assert_int_equal(client_ask(c), FLOW_GO);
        assert_int_equal(c->up->exchanges, i + 1);
        assert_null(c->up->buffer);
    }
    assert_false(server_has_one(&scene.servers[0]));
    client_release(c, UPSTREAM_CLOSE);
    assert_true(is_hung_up(fd));
    assert_int_equal(scene_status(0).connections, 0);
    assert_int_equal(scene_status(0).requests, 4);
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
        fd = client_take_from(c, 0);
        client_release(c, UPSTREAM_KEEP);
        if (how == 0 || how == 3)
            hang_up(fd);
        else if (how == 1)
            reset(fd);
        else
            say(fd, "unasked");
        if (how < 3)
            rounds_until(scene_status(0).idle == 0); /* else it is found when it is taken */
        assert_int_equal(client_take(c), FLOW_GO);
        if (how < 3) {
            assert_int_equal(c->up->exchanges, 0);
            assert_int_equal(scene_status(0).connections, 1);
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
    fd = client_take_from(c, 0);
    say(fd, "answer");
    client_watch(c, 0);
    rounds_until(c->wakes == 1);
    assert_true(c->up->readable);
    client_release(c, UPSTREAM_KEEP);
    assert_int_equal(scene_status(0).connections, 0);
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
    fd = client_take_from(c, 0);
    say(fd, text);
    client_read(c, text);
    assert_true(c->up->readable);
    client_release(c, UPSTREAM_KEEP);
    assert_int_equal(scene_status(0).idle, 1);
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
    fd = client_take_from(c, 0);
    client_release(c, UPSTREAM_KEEP);
    c->search.fresh = true;
    other = client_take_from(c, 0);
    assert_int_equal(c->up->exchanges, 0);
    assert_true(is_hung_up(fd)); /* there was room for one only */
    assert_int_equal(scene_status(0).connections, 1);
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
        fds[i] = client_take_from(c[i], 0);
    }
    for (unsigned i = 0; i < 3; i++)
        client_release(c[i], UPSTREAM_KEEP);
    assert_true(is_hung_up(fds[0])); /* the one that was not used for longest */
    assert_int_equal(scene_status(0).idle, 2);
    rounds_for(50);
    assert_int_equal(scene_status(0).idle, 2);
    rounds_for(250);
    assert_int_equal(scene_status(0).connections, 0);
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
        client_release(c, UPSTREAM_KEEP);
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
    assert_int_equal(scene_status(0).waiting, 3);
    assert_string_equal(c[1]->x.wait.what, "queue");
    c[2]->search.fresh = true; /* too late to count */
    for (unsigned i = 0; i < 3; i++) {
        client_release(c[i], i == 1 ? UPSTREAM_CLOSE : UPSTREAM_KEEP);
        assert_null(c[i + 1]->up); /* in its own turn, not within ours */
        rounds_until(c[i + 1]->flow != FLOW_WAIT);
        assert_int_equal(c[i + 1]->order, i + 2);
        assert_int_equal(c[i + 1]->up->exchanges, i == 1 ? 0 : i == 2 ? 1 : 1);
        assert_int_equal(scene_status(0).connections, 1);
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
    client_expect(c[2], "upstream-connection-limit");
    rounds_until(c[1]->flow != FLOW_WAIT);
    assert_int_equal(c[1]->flow, FLOW_STOP);
    assert_int_equal(c[1]->search.failed.why, R_upstream_queue_timeout);
    assert_int_equal(scene_status(0).exchanges, 1);
    assert_int_equal(scene_status(0).waiting, 0);
    assert_int_equal(scene_status(0).failures, 0); /* nobody's fault */
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
        assert_int_equal(scene_status(0).waiting, 2);
        client_release(c[0], closed ? UPSTREAM_CLOSE : UPSTREAM_KEEP);
        assert_int_equal(scene_status(0).waiting, 1);
        client_free(c[2]);
        rounds_until(c[3]->flow != FLOW_WAIT);
        assert_int_equal(c[3]->flow, FLOW_GO);
        assert_int_equal(c[3]->up->exchanges, closed ? 0 : 1);
        client_free(c[0]);
        client_free(c[3]);
        assert_int_equal(scene_status(0).connections, 0);
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
    fd = client_take_from(c[0], 0);
    client_ask(c[1]);
    client_release(c[0], UPSTREAM_KEEP);
    hang_up(fd);
    rounds_until(c[1]->flow != FLOW_WAIT);
    assert_int_equal(c[1]->flow, FLOW_GO);
    assert_int_equal(c[1]->up->exchanges, 0);
    assert_int_equal(scene_status(0).connections, 1);
    client_free(c[0]);
    client_free(c[1]);
    scene_close();
}

/* Who wants none that was kept is not given one, and does not lose its turn. */
static void test_who_waits_for_a_fresh_one(void **state)
{
    struct client *c[3];

    (void)state;
    scene_prepare(1);
    scene.group.connections_limit = 1;
    scene_open();
    for (unsigned i = 0; i < 3; i++) {
        c[i] = client_new();
        c[i]->search.fresh = i == 1;
        client_ask(c[i]);
    }
    client_release(c[0], UPSTREAM_KEEP);
    rounds_until(c[1]->flow != FLOW_WAIT);
    assert_int_equal(c[1]->flow, FLOW_GO);
    assert_int_equal(c[1]->up->exchanges, 0);
    assert_int_equal(c[2]->flow, FLOW_WAIT);
    assert_int_equal(scene_status(0).connections, 1);
    for (unsigned i = 0; i < 3; i++)
        client_free(c[i]);
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
            client_release(c, UPSTREAM_KEEP);
        assert_string_equal(reason_info(c->search.failed.why)->name, "upstream-connection-refused");
        assert_int_equal(c->search.failed.at, ECONNREFUSED);
        assert_true(span_is(c->search.failed.operand, scene.members[0].text));
        assert_true(span_is(c->search.upstream, scene.members[0].text));
        assert_true(c->search.another_left);
        assert_int_equal(client_take(c), FLOW_GO); /* the other one, now */
        assert_true(span_is(c->search.upstream, scene.members[1].text));
        assert_int_equal(c->search.tried & 1, 1);
        client_release(c, UPSTREAM_KEEP);
    }
    assert_true(scene_status(0).resting);
    assert_int_equal(scene_status(0).failures, 2);
    server_stop(&scene.servers[1]);
    c->search = (struct upstream_search){ .fresh = true };
    client_expect(c, "upstream-connection-refused");
    assert_false(c->search.another_left);
    client_expect(c, "upstream-connection-refused"); /* tried, but there is nobody else */
    assert_true(span_is(c->search.upstream, scene.members[1].text));
    client_expect(c, "upstream-connection-refused"); /* both rest: as if none did */
    assert_true(span_is(c->search.upstream, scene.members[0].text));
    assert_false(c->search.another_left);
    client_free(c);
    scene_close();
}

/* The first rests soon; who is asked then is known. */
static void backup_prepare(void)
{
    scene_prepare(2);
    scene.members[1].backup = true;
    scene.group.fails = 2;
    scene.group.fail_ms = 10000;
    scene.group.rest_ms = 300;
}

static void take_and_fail(struct client *c, unsigned times)
{
    while (times-- > 0) {
        c->search = (struct upstream_search){ 0 };
        close(client_take_from(c, 0));
        client_release(c, UPSTREAM_FAILED);
    }
}

static void test_a_failing_member_rests(void **state)
{
    struct client *c = client_new(), *other = client_new();
    int fd;

    (void)state;
    backup_prepare();
    scene_open();
    take_and_fail(c, 2);
    assert_true(scene_status(0).resting);
    c->search = (struct upstream_search){ 0 };
    close(client_take_from(c, 1));
    client_release(c, UPSTREAM_CLOSE);
    rounds_for(350);
    c->search = (struct upstream_search){ 0 };
    fd = client_take_from(c, 0);
    close(client_take_from(other, 1)); /* one at a time */
    client_release(other, UPSTREAM_CLOSE);
    say(fd, "answer");
    client_read(c, "answer");
    client_release(c, UPSTREAM_KEEP);
    assert_true(scene_status(0).live);
    assert_int_equal(client_take(other), FLOW_GO);
    assert_true(span_is(other->search.upstream, scene.members[0].text));
    close(fd);
    client_free(c);
    client_free(other);
    scene_close();
}

/* The one by which a rest ends may be a download that takes for ever. */
static void test_who_answers_rests_no_more(void **state)
{
    struct client *c = client_new(), *other = client_new();
    int fd;

    (void)state;
    backup_prepare();
    scene_open();
    take_and_fail(c, 2);
    rounds_for(350);
    c->search = (struct upstream_search){ 0 };
    fd = client_take_from(c, 0);
    upstream_well(c->up);
    assert_true(scene_status(0).live);
    close(client_take_from(other, 0));
    client_release(other, UPSTREAM_CLOSE);
    client_release(c, UPSTREAM_FAILED); /* one of two, as of anybody who is well */
    assert_true(scene_status(0).live);
    close(fd);
    take_and_fail(c, 1);
    assert_true(scene_status(0).resting);
    client_free(c);
    client_free(other);
    scene_close();
}

/* Nobody could step in for it: it is asked, and comes back by the first that goes well. */
static void test_the_last_one_does_not_rest(void **state)
{
    struct client *c = client_new(), *other = client_new();

    (void)state;
    scene_prepare(2);
    scene.members[1].down = true;
    scene.group.fails = 1;
    scene.group.fail_ms = scene.group.rest_ms = 10000;
    scene_open();
    take_and_fail(c, 3);
    assert_true(scene_status(0).resting);
    assert_int_equal(scene_status(0).failures, 3);
    close(client_take_from(c, 0));
    close(client_take_from(other, 0)); /* not one at a time */
    upstream_well(c->up);
    assert_true(scene_status(0).live);
    client_free(c);
    client_free(other);
    scene_close();
}

static void test_the_operator_takes_all_out(void **state)
{
    struct client *c = client_new();

    (void)state;
    scene_prepare(2);
    scene.members[0].down = scene.members[1].down = true;
    scene_open();
    client_expect(c, "upstream-all-down");
    assert_int_equal(c->search.upstream.n, 0);
    assert_true(span_is(c->search.failed.operand, SPAN("group")));
    client_free(c);
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
        client_release(c, UPSTREAM_KEEP);
        c->search = (struct upstream_search){ 0 };
        assert_int_equal(client_take(c), FLOW_GO);
        assert_int_equal(c->up->exchanges, 1);
        assert_int_equal(c->search.tried, 0);
        assert_true(c->search.another_left);
        client_release(c, how == 0 ? UPSTREAM_CLOSE : UPSTREAM_FAILED);
        c->search.fresh = true;
        assert_int_equal(client_take(c), FLOW_GO);
        assert_int_equal(span_is(c->search.upstream, first), how == 0);
        client_release(c, UPSTREAM_CLOSE);
    }
    client_free(c);
    scene_close();
}

/* --- Who is asked --- */

static void test_the_last_one_used_is_used(void **state)
{
    struct client *c[2] = { client_new(), client_new() };
    struct upstream *last;

    (void)state;
    scene_prepare(1);
    scene_open();
    client_take(c[0]);
    client_take(c[1]);
    last = c[0]->up;
    client_release(c[1], UPSTREAM_KEEP);
    client_release(c[0], UPSTREAM_KEEP);
    client_take(c[1]);
    assert_ptr_equal(c[1]->up, last);
    client_free(c[0]);
    client_free(c[1]);
    scene_close();
}

static void test_who_is_full_is_passed_over(void **state)
{
    struct client *c[3];

    (void)state;
    scene_prepare(2);
    scene.members[0].weight = 10;
    scene.group.connections_limit = 1;
    scene_open();
    for (unsigned i = 0; i < 3; i++) {
        c[i] = client_new();
        assert_int_equal(client_ask(c[i]), i < 2 ? FLOW_GO : FLOW_WAIT);
    }
    assert_true(span_is(c[0]->search.upstream, scene.members[0].text));
    assert_true(span_is(c[1]->search.upstream, scene.members[1].text));
    for (unsigned i = 0; i < 3; i++)
        client_free(c[i]);
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
            assert_int_equal(scene_status(i).exchanges, 16);
        for (unsigned i = 0; i < 64; i++)
            client_release(c[i], UPSTREAM_KEEP);
    }
    for (unsigned i = 0; i < 64; i++)
        client_free(c[i]);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(scene_status(i).idle, 16);
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
        client_release(c, UPSTREAM_KEEP);
        c->search = (struct upstream_search){ 0 };
        assert_int_equal(client_take(c), FLOW_GO);
        assert_true(span_is(c->search.upstream, first));
        client_release(c, UPSTREAM_KEEP);
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
        cmocka_unit_test(test_who_waits_for_a_fresh_one),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_a_failing_member_rests),
        cmocka_unit_test(test_who_answers_rests_no_more),
        cmocka_unit_test(test_the_last_one_does_not_rest),
        cmocka_unit_test(test_the_operator_takes_all_out),
        cmocka_unit_test(test_connecting_takes_too_long),
        cmocka_unit_test(test_who_is_tried),
        cmocka_unit_test(test_the_last_one_used_is_used),
        cmocka_unit_test(test_who_is_full_is_passed_over),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_the_same_client_goes_to_the_same_member),
    };

    return cmocka_run_group_tests_name("take", tests, NULL, NULL);
}
