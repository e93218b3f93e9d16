#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "io/loop.h"

static struct loop loop;

static int setup(void **state)
{
    (void)state;
    return loop_init(&loop);
}

static int teardown(void **state)
{
    (void)state;
    loop_fini(&loop);
    return 0;
}

static int signalled(void)
{
    int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

struct counted {
    struct watch watch;
    int calls;
    uint32_t events;
};

static void count_ready(struct watch *w, uint32_t events)
{
    struct counted *c = (struct counted *)w;

    c->calls++;
    c->events |= events;
}

/* Whichever of the two is told first closes the other and puts a new watch on the same number. */
static struct counted pair[2], heir;

static void replace_other(struct watch *w, uint32_t events)
{
    struct counted *other = w == &pair[0].watch ? &pair[1] : &pair[0];
    const uint32_t slot = other->watch.slot;
    const int fd = other->watch.fd;
    int fresh;

    count_ready(w, events);
    if (heir.watch.slot != 0)
        return;
    loop_close(&loop, &other->watch);
    fresh = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_int_equal(fresh, fd);
    heir.watch = (struct watch){ .fd = fresh, .ready = count_ready };
    assert_int_equal(loop_watch(&loop, &heir.watch, EPOLLIN | EPOLLET), 0);
    assert_int_equal(heir.watch.slot, slot);
}

static void an_event_of_a_reused_descriptor_is_stale(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        pair[i] = (struct counted){ .watch = { .fd = signalled(), .ready = replace_other } };
        assert_int_equal(loop_watch(&loop, &pair[i].watch, EPOLLIN | EPOLLET), 0);
    }
    assert_int_equal(loop_round(&loop, 1000), 1);
    assert_int_equal(pair[0].calls + pair[1].calls, 1);
    assert_int_equal(heir.calls, 0);
    assert_int_equal(eventfd_write(heir.watch.fd, 1), 0);
    assert_int_equal(loop_round(&loop, 1000), 1);
    assert_int_equal(heir.calls, 1);
    loop_close(&loop, &heir.watch);
    loop_close(&loop, &pair[0].watch);
    loop_close(&loop, &pair[1].watch);
    loop_close(&loop, &pair[1].watch);
}

static void close_and_free(struct watch *w, uint32_t events)
{
    (void)events;
    loop_close(&loop, w);
    free(w);
}

static void ready_may_free_its_own_watch(void **state)
{
    struct watch *w = calloc(1, sizeof *w);

    (void)state;
    *w = (struct watch){ .fd = signalled(), .ready = close_and_free };
    assert_int_equal(loop_watch(&loop, w, EPOLLIN), 0);
    assert_int_equal(loop_round(&loop, 1000), 1);
    assert_int_equal(loop_round(&loop, 0), 0);
}

static void an_unwatched_descriptor_is_silent_and_open(void **state)
{
    struct counted c = { .watch = { .fd = signalled(), .ready = count_ready } };

    (void)state;
    assert_int_equal(loop_watch(&loop, &c.watch, EPOLLIN), 0);
    loop_unwatch(&loop, &c.watch);
    loop_unwatch(&loop, &c.watch);
    assert_int_equal(c.watch.slot, 0);
    assert_int_equal(loop_round(&loop, 0), 0);
    assert_int_equal(loop_watch(&loop, &c.watch, EPOLLIN), 0);
    assert_int_equal(loop_round(&loop, 0), 1);
    assert_int_equal(c.calls, 1);
    loop_close(&loop, &c.watch);
    assert_int_equal(c.watch.fd, -1);
}

static void an_edge_is_told_once_with_all_its_bits(void **state)
{
    struct counted c = { .watch = { .ready = count_ready } };
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    c.watch.fd = ends[0];
    assert_int_equal(loop_watch(&loop, &c.watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET), 0);
    assert_int_equal(loop_round(&loop, 1000), 1);
    assert_int_equal(c.events, EPOLLOUT);
    assert_int_equal(loop_round(&loop, 0), 0);
    close(ends[1]);
    assert_int_equal(loop_round(&loop, 1000), 1);
    assert_true((c.events & (EPOLLIN | EPOLLRDHUP)) == (EPOLLIN | EPOLLRDHUP));
    loop_close(&loop, &c.watch);
}

static void a_refused_watch_is_not_watched(void **state)
{
    struct watch file = { .fd = open("/dev/null", O_RDONLY | O_CLOEXEC), .ready = count_ready };
    struct watch bad = { .fd = 12345, .ready = count_ready };

    (void)state;
    assert_int_equal(loop_watch(&loop, &file, EPOLLIN), -EPERM);
    assert_int_equal(file.slot, 0);
    assert_int_equal(loop_watch(&loop, &bad, EPOLLIN), -EBADF);
    assert_int_equal(bad.slot, 0);
    close(file.fd);
}

static void slots_grow_and_are_used_again(void **state)
{
    struct counted many[300] = { 0 };

    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < 300; i++) {
            many[i] = (struct counted){ .watch = { .fd = signalled(), .ready = count_ready } };
            assert_int_equal(loop_watch(&loop, &many[i].watch, EPOLLIN | EPOLLET), 0);
        }
        assert_int_equal(loop.slots_size, 512);
        assert_int_equal(loop_round(&loop, 0), LOOP_BATCH);
        assert_int_equal(loop_round(&loop, 0), 300 - LOOP_BATCH);
        for (size_t i = 0; i < 300; i++) {
            assert_int_equal(many[i].calls, 1);
            loop_close(&loop, &many[i].watch);
        }
    }
}

struct noted {
    struct deferred deferred;
    char name;
    struct noted *then; /* deferred or taken back by it */
    bool take_back;
};

static char notes[16];
static size_t noted;

static void note(struct deferred *d)
{
    struct noted *n = (struct noted *)d;

    notes[noted++] = n->name;
    notes[noted] = '\0';
    if (n->then != NULL && n->take_back)
        loop_undefer(&n->then->deferred);
    else if (n->then != NULL)
        loop_defer(&loop, &n->then->deferred);
}

static int setup_notes(void **state)
{
    noted = 0;
    notes[0] = '\0';
    return setup(state);
}

static void deferred_work_runs_in_order_and_once(void **state)
{
    struct noted a = { .deferred.run = note, .name = 'a' }, b = { .deferred.run = note, .name = 'b' };

    (void)state;
    loop_defer(&loop, &b.deferred);
    loop_defer(&loop, &a.deferred);
    loop_defer(&loop, &b.deferred);
    assert_int_equal(loop_round(&loop, 10000), 0); /* and does not sleep */
    assert_string_equal(notes, "ba");
    assert_int_equal(loop_round(&loop, 0), 0);
    assert_string_equal(notes, "ba");
}

static void work_deferred_by_work_waits_for_the_next_round(void **state)
{
    struct noted a = { .deferred.run = note, .name = 'a' };

    (void)state;
    a.then = &a;
    loop_defer(&loop, &a.deferred);
    assert_int_equal(loop_round(&loop, 10000), 0);
    assert_string_equal(notes, "a");
    assert_int_equal(loop_round(&loop, 10000), 0);
    assert_string_equal(notes, "aa");
    loop_undefer(&a.deferred);
}

static void work_can_be_taken_back_even_by_work(void **state)
{
    struct noted c = { .deferred.run = note, .name = 'c' }, b = { .deferred.run = note, .name = 'b' };
    struct noted a = { .deferred.run = note, .name = 'a', .then = &b, .take_back = true };

    (void)state;
    loop_defer(&loop, &a.deferred);
    loop_defer(&loop, &b.deferred);
    loop_defer(&loop, &c.deferred);
    loop_undefer(&c.deferred);
    loop_undefer(&c.deferred);
    assert_int_equal(loop_round(&loop, 10000), 0);
    assert_string_equal(notes, "a");
}

static void the_clock_stands_between_rounds(void **state)
{
    const struct timespec pause = { .tv_nsec = 20000000 };
    const uint64_t before_ms = loop.now_ms;

    (void)state;
    nanosleep(&pause, NULL);
    assert_int_equal(loop.now_ms, before_ms);
    loop_round(&loop, 0);
    assert_true(loop.now_ms >= before_ms + 20);
    assert_true(llabs((long long)loop.unix_s - (long long)time(NULL)) <= 1);
    assert_int_equal(loop.unix_s, loop.unix_ms / 1000);
}

static void a_round_waits_as_told(void **state)
{
    const uint64_t before_ms = loop.now_ms;

    (void)state;
    assert_int_equal(loop_round(&loop, 30), 0);
    assert_true(loop.now_ms >= before_ms + 29);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_event_of_a_reused_descriptor_is_stale, setup, teardown),
        cmocka_unit_test_setup_teardown(ready_may_free_its_own_watch, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unwatched_descriptor_is_silent_and_open, setup, teardown),
        cmocka_unit_test_setup_teardown(an_edge_is_told_once_with_all_its_bits, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_watch_is_not_watched, setup, teardown),
        cmocka_unit_test_setup_teardown(slots_grow_and_are_used_again, setup, teardown),
        cmocka_unit_test_setup_teardown(deferred_work_runs_in_order_and_once, setup_notes, teardown),
        cmocka_unit_test_setup_teardown(work_deferred_by_work_waits_for_the_next_round, setup_notes, teardown),
        cmocka_unit_test_setup_teardown(work_can_be_taken_back_even_by_work, setup_notes, teardown),
        cmocka_unit_test_setup_teardown(the_clock_stands_between_rounds, setup, teardown),
        cmocka_unit_test_setup_teardown(a_round_waits_as_told, setup, teardown),
    };

    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
