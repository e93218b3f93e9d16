#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#include "upstream/dial.h"

static struct loop loop;
static struct wheel wheel;
static unsigned open_before;
static char folder[] = "/tmp/verdict-dial-XXXXXX";

/* ---- Help ---- */

static unsigned open_count(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static int setup(void **state)
{
    (void)state;
    open_before = open_count();
    assert_int_equal(loop_init(&loop), 0);
    wheel_init(&wheel, loop.now_ms);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(wheel_wait_ms(&wheel, loop.now_ms), -1); /* no timer is left */
    loop_fini(&loop);
    assert_int_equal(open_count(), open_before);
    return 0;
}

static union resolve_address ip_address(const char *host, uint16_t port)
{
    union resolve_address a = { 0 };

    a.ip4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
    if (inet_pton(AF_INET, host, &a.ip4.sin_addr) == 1)
        return a;
    a.ip6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
    assert_int_equal(inet_pton(AF_INET6, host, &a.ip6.sin6_addr), 1);
    return a;
}

/* A listener, and where it listens: a port that was free. */
struct listener {
    int fd;
    union resolve_address at;
    int waiting; /* a connection that fills the queue; -1: none */
};

static struct listener listener_open(const char *host)
{
    struct listener l = { .at = ip_address(host, 0), .waiting = -1 };
    socklen_t len = sizeof l.at;

    l.fd = socket(l.at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(l.fd, &l.at.any, l.at.any.sa_family == AF_INET6 ? sizeof l.at.ip6 : sizeof l.at.ip4), 0);
    assert_int_equal(getsockname(l.fd, &l.at.any, &len), 0);
    assert_int_equal(listen(l.fd, 0), 0);
    return l;
}

/* A listener that answers no SYN, since its queue is full. */
static struct listener listener_silent(const char *host)
{
    struct listener l = listener_open(host);

    l.waiting = socket(l.at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(l.waiting, &l.at.any, sizeof l.at), 0);
    return l;
}

static void listener_close(struct listener *l)
{
    close(l->fd);
    if (l->waiting >= 0)
        close(l->waiting);
}

/* An address where nobody listens. */
static union resolve_address nobody(const char *host)
{
    struct listener l = listener_open(host);

    listener_close(&l);
    return l.at;
}

struct call {
    struct dial dial; /* first member */
    unsigned done;
    const union resolve_address *again; /* dialled from within done() */
    bool ended_again;
};

static const struct dial_settings quick = { .limit_ms = 3000, .next_ms = 100 };

static void call_done(struct dial *d)
{
    struct call *c = (struct call *)d;
    const union resolve_address *again = c->again;

    c->done++;
    c->again = NULL;
    if (again != NULL)
        c->ended_again = dial_start(d, &loop, &wheel, &quick, again, 1);
}

static void turn(void)
{
    assert_true(loop_round(&loop, wheel_wait_ms(&wheel, loop.now_ms)) >= 0);
    wheel_advance(&wheel, loop.now_ms);
}

static void await(const struct call *c)
{
    const uint64_t until = loop.now_ms + 5000;

    while (c->done == 0 && loop.now_ms < until)
        turn();
    assert_int_equal(c->done, 1);
}

static void expect_failed(const struct dial *d, enum reason why, int err, const void *peer)
{
    assert_string_equal(reason_info(d->verdict.why)->name, reason_info(why)->name);
    assert_int_equal(d->verdict.at, err);
    assert_int_equal(d->fd, -1);
    assert_ptr_equal(d->peer.socket, peer);
}

/* The connection reaches `fd`, a listening socket. */
static void expect_connected(struct dial *d, int fd, const void *peer)
{
    char byte = 0;
    int accepted;

    assert_int_equal(d->verdict.why, R_NONE);
    assert_ptr_equal(d->peer.socket, peer);
    assert_int_equal(write(d->fd, "x", 1), 1);
    accepted = accept(fd, NULL, NULL);
    assert_true(accepted >= 0);
    assert_int_equal(read(accepted, &byte, 1), 1);
    assert_int_equal(byte, 'x');
    close(accepted);
    close(d->fd);
}

static struct address unix_address(const char *name)
{
    char text[ADDRESS_TEXT_BYTES];
    const char *why = NULL;
    struct address a;

    snprintf(text, sizeof text, "unix:%s/%s", folder, name);
    assert_int_equal(address_parse(span_of(text), &a, &why), 0);
    return a;
}

static int unix_bind(const struct address *a)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (const struct sockaddr *)&a->socket, a->len), 0);
    return fd;
}

static void unix_close(const struct address *a, int fd)
{
    close(fd);
    assert_int_equal(unlink(((const struct sockaddr_un *)&a->socket)->sun_path), 0);
}

/* ---- One address ---- */

static int option_of(int fd, int level, int name)
{
    int value = 0;
    socklen_t len = sizeof value;

    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

static void test_connected_at_once(void **state)
{
    static const char *const hosts[] = { "127.0.0.1", "::1" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct listener l = listener_open(hosts[i]);
        struct call c = { .dial.done = call_done };

        assert_true(dial_start(&c.dial, &loop, &wheel, &quick, &l.at, 1));
        assert_int_equal(fcntl(c.dial.fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        assert_int_equal(fcntl(c.dial.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        assert_int_equal(option_of(c.dial.fd, IPPROTO_TCP, TCP_NODELAY), 1);
        assert_int_equal(option_of(c.dial.fd, SOL_SOCKET, SO_KEEPALIVE), 1);
        dial_cancel(&c.dial);
        expect_connected(&c.dial, l.fd, &l.at);
        assert_int_equal(c.done, 0);
        listener_close(&l);
    }
}

static void test_connected_to_unix_at_once(void **state)
{
    const struct address a = unix_address("here");
    const int fd = unix_bind(&a);
    struct call c = { .dial.done = call_done };

    (void)state;
    assert_int_equal(listen(fd, 1), 0);
    assert_true(dial_start_address(&c.dial, &loop, &wheel, &quick, &a));
    expect_connected(&c.dial, fd, &a.socket);
    unix_close(&a, fd);
}

static void test_refused(void **state)
{
    static const char *const hosts[] = { "127.0.0.1", "::1" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const union resolve_address at = nobody(hosts[i]);
        struct call c = { .dial.done = call_done };

        assert_true(dial_start(&c.dial, &loop, &wheel, &quick, &at, 1));
        expect_failed(&c.dial, R_upstream_connection_refused, ECONNREFUSED, &at);
    }
}

static void test_unix_refused(void **state)
{
    const struct address none = unix_address("none"), deaf = unix_address("deaf"), beneath = unix_address("deaf/x");
    const int fd = unix_bind(&deaf);
    struct call c = { .dial.done = call_done };

    (void)state;
    assert_true(dial_start_address(&c.dial, &loop, &wheel, &quick, &none));
    expect_failed(&c.dial, R_upstream_connection_refused, ENOENT, &none.socket);
    assert_true(dial_start_address(&c.dial, &loop, &wheel, &quick, &deaf));
    expect_failed(&c.dial, R_upstream_connection_refused, ECONNREFUSED, &deaf.socket);
    assert_true(dial_start_address(&c.dial, &loop, &wheel, &quick, &beneath));
    expect_failed(&c.dial, R_upstream_exchange_failed, ENOTDIR, &beneath.socket);
    unix_close(&deaf, fd);
}

/* No TCP goes to a group: Linux says so on every machine, whatever its routes. */
static void test_unroutable(void **state)
{
    const union resolve_address rows[] = { ip_address("224.0.0.1", 80), ip_address("ff02::1", 80),
                                           ip_address("255.255.255.255", 80) };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct call c = { .dial.done = call_done };

        assert_true(dial_start(&c.dial, &loop, &wheel, &quick, &rows[i], 1));
        expect_failed(&c.dial, R_upstream_unroutable, ENETUNREACH, &rows[i]);
    }
}

static void test_reasons(void **state)
{
    static const struct {
        int err;
        sa_family_t family;
        enum reason why;
    } rows[] = {
        { ECONNREFUSED, AF_INET, R_upstream_connection_refused },
        { ECONNRESET, AF_INET6, R_upstream_connection_refused },
        { ECONNABORTED, AF_INET, R_upstream_connection_refused },
        { ENOENT, AF_UNIX, R_upstream_connection_refused },
        { ETIMEDOUT, AF_INET, R_upstream_connect_timeout },
        { ENETUNREACH, AF_INET6, R_upstream_unroutable },
        { EHOSTUNREACH, AF_INET, R_upstream_unroutable },
        { ENETDOWN, AF_INET, R_upstream_unroutable },
        { EAFNOSUPPORT, AF_INET6, R_upstream_unroutable },
        { EADDRNOTAVAIL, AF_INET6, R_upstream_unroutable },
        { EADDRNOTAVAIL, AF_INET, R_upstream_exchange_failed },
        { EMFILE, AF_INET, R_upstream_exchange_failed },
        { ENOBUFS, AF_INET, R_upstream_exchange_failed },
        { EACCES, AF_UNIX, R_upstream_exchange_failed },
        { EPERM, AF_INET, R_upstream_exchange_failed },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(reason_info(dial_reason(rows[i].err, rows[i].family))->name,
                            reason_info(rows[i].why)->name);
}

static void test_no_descriptor(void **state)
{
    struct listener l = listener_open("127.0.0.1");
    struct call c = { .dial.done = call_done };
    struct rlimit before, none;
    bool ended;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    ended = dial_start(&c.dial, &loop, &wheel, &quick, &l.at, 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(ended);
    expect_failed(&c.dial, R_upstream_exchange_failed, EMFILE, &l.at);
    listener_close(&l);
}

/* ---- Waiting ---- */

static void test_timeout(void **state)
{
    const struct dial_settings settings = { .limit_ms = 150, .next_ms = 100 };
    struct listener l = listener_silent("127.0.0.1");
    struct call c = { .dial.done = call_done };
    const uint64_t from = loop.now_ms;

    (void)state;
    assert_false(dial_start(&c.dial, &loop, &wheel, &settings, &l.at, 1));
    await(&c);
    expect_failed(&c.dial, R_upstream_connect_timeout, ETIMEDOUT, &l.at);
    assert_in_range(loop.now_ms - from, 150, 600);
    listener_close(&l);
}

/* The SYN that found the queue full is sent again after a second. */
static void test_connected_later(void **state)
{
    struct listener l = listener_silent("127.0.0.1");
    struct watch own = { .slot = 0 };
    struct call c = { .dial.done = call_done };

    (void)state;
    assert_false(dial_start(&c.dial, &loop, &wheel, &quick, &l.at, 1));
    close(accept(l.fd, NULL, NULL));
    await(&c);
    own.fd = c.dial.fd;
    assert_int_equal(loop_watch(&loop, &own, EPOLLOUT), 0); /* the dial watches it no more */
    loop_unwatch(&loop, &own);
    expect_connected(&c.dial, l.fd, &l.at);
    listener_close(&l);
}

static void test_refused_later(void **state)
{
    struct listener l = listener_silent("::1");
    struct call c = { .dial.done = call_done };

    (void)state;
    assert_false(dial_start(&c.dial, &loop, &wheel, &quick, &l.at, 1));
    listener_close(&l);
    await(&c);
    expect_failed(&c.dial, R_upstream_connection_refused, ECONNREFUSED, &l.at);
}

/* Fills the queue of a unix socket; the descriptors to close go to `waiting`. */
static void unix_fill(const struct address *a, int waiting[2])
{
    for (int i = 0; i < 2; i++)
        waiting[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(waiting[0], (const struct sockaddr *)&a->socket, a->len), 0);
    assert_int_equal(connect(waiting[1], (const struct sockaddr *)&a->socket, a->len), -1);
    assert_int_equal(errno, EAGAIN);
}

static void test_unix_queue_full(void **state)
{
    const struct dial_settings settings = { .limit_ms = 200, .next_ms = 100 };
    const struct address a = unix_address("full");
    const int fd = unix_bind(&a);
    struct call c = { .dial.done = call_done }, later = c, gone = c;
    int waiting[2];

    (void)state;
    assert_int_equal(listen(fd, 0), 0);
    unix_fill(&a, waiting);
    assert_false(dial_start_address(&c.dial, &loop, &wheel, &settings, &a));
    await(&c);
    expect_failed(&c.dial, R_upstream_connect_timeout, EAGAIN, &a.socket);

    assert_false(dial_start_address(&later.dial, &loop, &wheel, &quick, &a));
    turn();
    close(accept(fd, NULL, NULL));
    await(&later);
    assert_int_equal(later.dial.verdict.why, R_NONE);
    close(later.dial.fd);

    assert_int_equal(connect(waiting[1], (const struct sockaddr *)&a.socket, a.len), -1);
    assert_false(dial_start_address(&gone.dial, &loop, &wheel, &quick, &a));
    unix_close(&a, fd);
    await(&gone);
    expect_failed(&gone.dial, R_upstream_connection_refused, ENOENT, &a.socket);
    close(waiting[0]);
    close(waiting[1]);
}

/* ---- Several addresses ---- */

static void test_next_at_once_after_a_failure(void **state)
{
    struct listener l = listener_open("127.0.0.1");
    const union resolve_address list[] = { nobody("::1"), ip_address("ff02::1", 80), l.at };
    struct call c = { .dial.done = call_done };

    (void)state;
    assert_true(dial_start(&c.dial, &loop, &wheel, &quick, list, 3));
    expect_connected(&c.dial, l.fd, &list[2]);
    listener_close(&l);
}

static void test_next_beside_a_silent_one(void **state)
{
    struct listener silent = listener_silent("::1"), l = listener_open("127.0.0.1");
    const union resolve_address list[] = { silent.at, l.at };
    struct call c = { .dial.done = call_done };
    const uint64_t from = loop.now_ms;
    const unsigned open = open_count();

    (void)state;
    assert_false(dial_start(&c.dial, &loop, &wheel, &quick, list, 2));
    await(&c);
    assert_in_range(loop.now_ms - from, 100, 600);
    assert_int_equal(open_count(), open + 1);
    expect_connected(&c.dial, l.fd, &list[1]);
    listener_close(&silent);
    listener_close(&l);
}

static void test_first_wins_after_all(void **state)
{
    struct listener first = listener_silent("::1"), second = listener_silent("127.0.0.1");
    const union resolve_address list[] = { first.at, second.at };
    struct call c = { .dial.done = call_done };
    const unsigned open = open_count();

    (void)state;
    assert_false(dial_start(&c.dial, &loop, &wheel, &quick, list, 2));
    close(accept(first.fd, NULL, NULL));
    await(&c);
    assert_int_equal(open_count(), open + 1);
    expect_connected(&c.dial, first.fd, &list[0]);
    listener_close(&first);
    listener_close(&second);
}

/* A failure that is told while another address is still tried brings the next one forward. */
static void test_next_when_the_first_fails_late(void **state)
{
    const struct dial_settings settings = { .limit_ms = 4000, .next_ms = 3500 };
    struct listener first = listener_silent("::1"), l = listener_open("127.0.0.1");
    const union resolve_address list[] = { first.at, l.at };
    struct call c = { .dial.done = call_done };
    const uint64_t from = loop.now_ms;

    (void)state;
    assert_false(dial_start(&c.dial, &loop, &wheel, &settings, list, 2));
    listener_close(&first);
    await(&c);
    assert_in_range(loop.now_ms - from, 500, 3000);
    expect_connected(&c.dial, l.fd, &list[1]);
    listener_close(&l);
}

static void test_reason_of_several_failures(void **state)
{
    const union resolve_address refused = nobody("127.0.0.1"), group = ip_address("ff02::1", 80);
    const union resolve_address rows[][2] = { { refused, group }, { group, refused } };
    struct listener silent = listener_silent("::1");
    const union resolve_address one_silent[] = { silent.at, refused };
    const struct dial_settings settings = { .limit_ms = 200, .next_ms = 50 };
    struct call c = { .dial.done = call_done };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        assert_true(dial_start(&c.dial, &loop, &wheel, &quick, rows[i], 2));
        expect_failed(&c.dial, R_upstream_connection_refused, ECONNREFUSED, &rows[i][i]);
    }
    assert_false(dial_start(&c.dial, &loop, &wheel, &settings, one_silent, 2));
    await(&c);
    expect_failed(&c.dial, R_upstream_connect_timeout, ETIMEDOUT, &one_silent[0]);
    listener_close(&silent);
}

struct allowing {
    char asked[DIAL_ADDRESSES_MAX + 1]; /* the families, in the order in which they were asked about */
    sa_family_t refuses;
};

static bool allows(const void *with, const struct sockaddr *to)
{
    struct allowing *a = *(struct allowing *const *)with;

    a->asked[strlen(a->asked)] = to->sa_family == AF_INET6 ? '6' : '4';
    return to->sa_family != a->refuses;
}

static void test_families_take_turns(void **state)
{
    static const struct {
        const char *list, *order;
    } rows[] = { { "6664", "6466" }, { "4466", "4646" }, { "4444", "4444" }, { "4666", "4666" }, { "6", "6" } };
    const union resolve_address ip4 = nobody("127.0.0.1"), ip6 = nobody("::1");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct allowing allowing = { .refuses = AF_UNSPEC }, *with = &allowing;
        const struct dial_settings settings = { .limit_ms = 100, .next_ms = 50, .allowed = allows, .with = &with };
        const unsigned count = (unsigned)strlen(rows[i].list);
        union resolve_address list[4];
        struct call c = { .dial.done = call_done };

        for (unsigned k = 0; k < count; k++)
            list[k] = rows[i].list[k] == '6' ? ip6 : ip4;
        assert_true(dial_start(&c.dial, &loop, &wheel, &settings, list, count));
        assert_string_equal(allowing.asked, rows[i].order);
        expect_failed(&c.dial, R_upstream_connection_refused, ECONNREFUSED, &list[0]);
    }
}

static void test_prohibited(void **state)
{
    struct listener l = listener_open("127.0.0.1");
    const union resolve_address list[] = { l.at, ip_address("ff02::1", 80) };
    struct allowing allowing = { .refuses = AF_INET }, *with = &allowing;
    const struct dial_settings settings = { .limit_ms = 100, .next_ms = 50, .allowed = allows, .with = &with };
    struct call c = { .dial.done = call_done };

    (void)state;
    assert_true(dial_start(&c.dial, &loop, &wheel, &settings, list, 1));
    expect_failed(&c.dial, R_upstream_ip_prohibited, 0, &list[0]);
    assert_true(dial_start(&c.dial, &loop, &wheel, &settings, list, 2));
    expect_failed(&c.dial, R_upstream_unroutable, ENETUNREACH, &list[1]);
    listener_close(&l);
}

static void test_prohibited_unix(void **state)
{
    const struct address a = unix_address("none");
    struct allowing allowing = { .refuses = AF_UNIX }, *with = &allowing;
    const struct dial_settings settings = { .limit_ms = 100, .next_ms = 50, .allowed = allows, .with = &with };
    struct call c = { .dial.done = call_done };

    (void)state;
    assert_true(dial_start_address(&c.dial, &loop, &wheel, &settings, &a));
    expect_failed(&c.dial, R_upstream_ip_prohibited, 0, &a.socket);
}

/* ---- Leaving ---- */

static void test_cancelled(void **state)
{
    struct listener first = listener_silent("::1"), second = listener_silent("127.0.0.1");
    const union resolve_address list[] = { first.at, second.at };
    const unsigned open = open_count();
    struct call c = { .dial.done = call_done };
    uint64_t from;

    (void)state;
    dial_cancel(&c.dial);
    assert_false(dial_start(&c.dial, &loop, &wheel, &quick, list, 2));
    assert_int_equal(open_count(), open + 1);
    dial_cancel(&c.dial);
    dial_cancel(&c.dial);
    assert_int_equal(open_count(), open);

    assert_false(dial_start(&c.dial, &loop, &wheel, &quick, list, 2));
    for (from = loop.now_ms; open_count() < open + 2 && loop.now_ms < from + 2000;)
        turn();
    assert_int_equal(open_count(), open + 2);
    dial_cancel(&c.dial);
    assert_int_equal(open_count(), open);
    assert_int_equal(c.done, 0);
    listener_close(&first);
    listener_close(&second);
}

static void test_cancelled_with_the_answer_in_hand(void **state)
{
    struct listener l = listener_silent("127.0.0.1");
    struct call c = { .dial.done = call_done };
    struct tcp_info info = { .tcpi_state = TCP_SYN_SENT };
    socklen_t len = sizeof info;

    (void)state;
    assert_false(dial_start(&c.dial, &loop, &wheel, &quick, &l.at, 1));
    close(accept(l.fd, NULL, NULL));
    for (unsigned i = 0; i < 300 && info.tcpi_state == TCP_SYN_SENT; i++) {
        usleep(10000);
        assert_int_equal(getsockopt(c.dial.attempts[0].watch.fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    }
    assert_int_equal(info.tcpi_state, TCP_ESTABLISHED);
    dial_cancel(&c.dial);
    assert_int_equal(loop_round(&loop, 0), 0);
    assert_int_equal(c.done, 0);
    listener_close(&l);
}

static void test_cancelled_on_a_full_queue(void **state)
{
    const struct address a = unix_address("full");
    const int fd = unix_bind(&a);
    struct call c = { .dial.done = call_done };
    int waiting[2];

    (void)state;
    assert_int_equal(listen(fd, 0), 0);
    unix_fill(&a, waiting);
    assert_false(dial_start_address(&c.dial, &loop, &wheel, &quick, &a));
    dial_cancel(&c.dial);
    assert_int_equal(c.done, 0);
    close(waiting[0]);
    close(waiting[1]);
    unix_close(&a, fd);
}

static void test_started_again_when_done(void **state)
{
    const struct dial_settings settings = { .limit_ms = 100, .next_ms = 50 };
    struct listener silent = listener_silent("127.0.0.1"), l = listener_open("127.0.0.1");
    struct call c = { .dial.done = call_done, .again = &l.at };

    (void)state;
    assert_false(dial_start(&c.dial, &loop, &wheel, &settings, &silent.at, 1));
    await(&c);
    assert_true(c.ended_again);
    expect_connected(&c.dial, l.fd, &l.at);
    listener_close(&silent);
    listener_close(&l);
}

static int group_setup(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int group_teardown(void **state)
{
    (void)state;
    return rmdir(folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_connected_at_once),
        TEST(test_connected_to_unix_at_once),
        TEST(test_refused),
        TEST(test_unix_refused),
        TEST(test_unroutable),
        TEST(test_reasons),
        TEST(test_no_descriptor),
        TEST(test_timeout),
        TEST(test_connected_later),
        TEST(test_refused_later),
        TEST(test_unix_queue_full),
        TEST(test_next_at_once_after_a_failure),
        TEST(test_next_beside_a_silent_one),
        TEST(test_first_wins_after_all),
        TEST(test_next_when_the_first_fails_late),
        TEST(test_reason_of_several_failures),
        TEST(test_families_take_turns),
        TEST(test_prohibited),
        TEST(test_prohibited_unix),
        TEST(test_cancelled),
        TEST(test_cancelled_with_the_answer_in_hand),
        TEST(test_cancelled_on_a_full_queue),
        TEST(test_started_again_when_done),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
