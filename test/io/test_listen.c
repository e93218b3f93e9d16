#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/listen.h"

static char directory[] = "/tmp/verdict-listen-XXXXXX";

static struct address of(const char *text)
{
    struct address a;
    const char *why;

    assert_int_equal(address_parse(span_of(text), &a, &why), 0);
    return a;
}

static struct address in_directory(const char *name)
{
    char text[ADDRESS_TEXT_BYTES];

    snprintf(text, sizeof text, "unix:%s/%s", directory, name);
    return of(text);
}

static const char *path_of(const struct address *a)
{
    return a->text + strlen("unix:");
}

/* The first listener of a port the system chose; *a becomes its address. */
static int open_first(struct address *a)
{
    int fd = -1;

    *a = of("127.0.0.1:0");
    assert_int_equal(listen_open(a, 16, LISTEN_FIRST, &fd), 0);
    assert_int_equal(address_of_socket(fd, a), 0);
    return fd;
}

static int connected(const struct address *a)
{
    int fd = socket(a->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (const struct sockaddr *)&a->socket, a->len) == 0)
        return fd;
    close(fd);
    return -1;
}

static void connections_inherit_no_delay_and_the_listener_does_not_block(void **state)
{
    struct address a;
    int fd = open_first(&a), client, peer, on = 0;
    socklen_t len = sizeof on;

    (void)state;
    assert_int_equal(accept4(fd, NULL, NULL, 0), -1);
    assert_int_equal(errno, EAGAIN);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    client = connected(&a);
    peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(peer >= 0);
    assert_int_equal(getsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    assert_int_equal(on, 1);
    close(client);
    close(peer);
    listen_close(&a, fd);
    listen_close(&a, -1);
}

static void workers_share_a_port(void **state)
{
    struct address a;
    int fds[2], clients[16], got[2] = { 0, 0 };

    (void)state;
    fds[0] = open_first(&a);
    assert_int_equal(listen_open(&a, 16, LISTEN_JOIN, &fds[1]), 0);
    for (int i = 0; i < 16; i++)
        assert_true((clients[i] = connected(&a)) >= 0);
    for (int i = 0; i < 2; i++)
        for (int fd; (fd = accept4(fds[i], NULL, NULL, SOCK_CLOEXEC)) >= 0; close(fd))
            got[i]++;
    assert_int_equal(got[0] + got[1], 16);
    assert_true(got[0] > 0 && got[1] > 0);
    for (int i = 0; i < 16; i++)
        close(clients[i]);
    listen_close(&a, fds[0]);
    listen_close(&a, fds[1]);
}

/* A second server of the same user must not share the port in silence. */
static void a_port_in_use_is_refused_although_workers_share_it(void **state)
{
    static const char *const others[] = { "127.0.0.1", "0.0.0.0" };
    struct address a;
    int fds[2], second = -7;

    (void)state;
    fds[0] = open_first(&a);
    assert_int_equal(listen_open(&a, 16, LISTEN_JOIN, &fds[1]), 0);
    for (size_t i = 0; i < 2; i++) {
        char text[64];

        snprintf(text, sizeof text, "%s%s", others[i], strchr(a.text, ':'));
        assert_int_equal(listen_open(&(struct address){ 0 }, 1, LISTEN_FIRST, &second), -EAFNOSUPPORT);
        assert_int_equal(listen_open(&(struct address[]){ of(text) }[0], 16, LISTEN_FIRST, &second), -EADDRINUSE);
        assert_int_equal(second, -7);
    }
    assert_non_null(strstr(listen_advice(-EADDRINUSE), "already in use: "));
    listen_close(&a, fds[0]);
    assert_int_equal(listen_open(&a, 16, LISTEN_FIRST, &second), -EADDRINUSE);
    listen_close(&a, fds[1]);
    assert_int_equal(listen_open(&a, 16, LISTEN_FIRST, &second), 0);
    listen_close(&a, second);
}

static void a_port_is_free_again_at_once(void **state)
{
    struct address a;
    int fd = open_first(&a), client = connected(&a), peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

    (void)state;
    close(peer); /* the server's side closes first: TIME_WAIT */
    close(client);
    listen_close(&a, fd);
    assert_int_equal(listen_open(&a, 16, LISTEN_FIRST, &fd), 0);
    listen_close(&a, fd);
}

struct starter {
    const struct address *address;
    pthread_barrier_t *barrier;
    int err, fd;
};

static void *start(void *arg)
{
    struct starter *s = arg;

    pthread_barrier_wait(s->barrier);
    s->fd = -1;
    s->err = listen_open(s->address, 16, LISTEN_FIRST, &s->fd);
    return NULL;
}

/* Of two that start at the same moment exactly one wins. */
static void race(const struct address *a)
{
    struct starter starters[2];
    pthread_t threads[2];
    pthread_barrier_t barrier;

    pthread_barrier_init(&barrier, NULL, 2);
    for (int i = 0; i < 2; i++) {
        starters[i] = (struct starter){ .address = a, .barrier = &barrier };
        assert_int_equal(pthread_create(&threads[i], NULL, start, &starters[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
    assert_int_equal(starters[0].err + starters[1].err, -EADDRINUSE);
    listen_close(a, starters[0].fd);
    listen_close(a, starters[1].fd);
}

static void of_two_servers_starting_at_once_one_wins(void **state)
{
    struct address inet, local = in_directory("race");
    int fd = open_first(&inet);

    (void)state;
    listen_close(&inet, fd);
    for (int i = 0; i < 200; i++) {
        race(&inet);
        race(&local);
    }
}

/* Listen on a port of IPv6 and then on the same of IPv4. Returns what became of the first that failed. */
static int open_both(void)
{
    struct address six = of("[::]:0"), four;
    int six_fd, four_fd, err = listen_open(&six, 16, LISTEN_FIRST, &six_fd);
    char text[64];

    if (err != 0)
        return err;
    assert_int_equal(address_of_socket(six_fd, &six), 0);
    snprintf(text, sizeof text, "0.0.0.0%s", strrchr(six.text, ':'));
    four = of(text);
    err = listen_open(&four, 16, LISTEN_FIRST, &four_fd);
    if (err == 0)
        listen_close(&four, four_fd);
    listen_close(&six, six_fd);
    return err;
}

/* The system chose a port that is free for IPv6: somebody else may have it for IPv4, yet not each of several. */
static void ipv6_does_not_take_ipv4(void **state)
{
    int err = open_both();

    (void)state;
    if (err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL)
        skip();
    for (int i = 0; i < 20 && err == -EADDRINUSE; i++)
        err = open_both();
    assert_int_equal(err, 0);
}

/* A bound socket whose server went away without removing it. */
static void leave_stale(const struct address *a)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (const struct sockaddr *)&a->socket, a->len), 0);
    close(fd);
}

static void a_stale_unix_socket_is_taken_over(void **state)
{
    struct address a = in_directory("stale");
    int fd, client;

    (void)state;
    leave_stale(&a);
    assert_int_equal(listen_open(&a, 16, LISTEN_FIRST, &fd), 0);
    assert_true((client = connected(&a)) >= 0);
    close(client);
    listen_close(&a, fd);
    assert_int_equal(access(path_of(&a), F_OK), -1);
}

static void a_living_unix_socket_is_not(void **state)
{
    struct address a = in_directory("living");
    int fd, second = -7, queued[8], client;

    (void)state;
    assert_int_equal(listen_open(&a, 0, LISTEN_FIRST, &fd), 0);
    assert_int_equal(listen_open(&a, 16, LISTEN_FIRST, &second), -EADDRINUSE);
    assert_int_equal(listen_open(&a, 16, LISTEN_JOIN, &second), -EOPNOTSUPP);
    for (int i = 0; i < 8; i++) { /* nor one whose backlog is full */
        queued[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        client = connect(queued[i], (struct sockaddr *)&a.socket, a.len);
    }
    assert_int_equal(client, -1);
    assert_int_equal(listen_open(&a, 16, LISTEN_FIRST, &second), -EADDRINUSE);
    assert_int_equal(second, -7);
    for (int i = 0; i < 8; i++)
        close(queued[i]);
    listen_close(&a, fd);
}

static void a_file_of_another_kind_is_left_alone(void **state)
{
    struct address a = in_directory("file");
    int fd = open(path_of(&a), O_CREAT | O_WRONLY | O_CLOEXEC, 0600), second;

    (void)state;
    close(fd);
    assert_int_equal(listen_open(&a, 16, LISTEN_FIRST, &second), -ENOTSOCK);
    assert_int_equal(access(path_of(&a), F_OK), 0);
    unlink(path_of(&a));
}

static void the_last_duplicate_removes_the_file(void **state)
{
    struct address a = in_directory("shared");
    int fd, other;

    (void)state;
    assert_int_equal(listen_open(&a, 16, LISTEN_FIRST, &fd), 0);
    other = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    listen_close(&a, fd);
    assert_int_equal(access(path_of(&a), F_OK), 0);
    listen_close(&a, other);
    assert_int_equal(access(path_of(&a), F_OK), -1);
}

static void a_successor_keeps_its_file(void **state)
{
    struct address a = in_directory("successor");
    int fd, successor;

    (void)state;
    assert_int_equal(listen_open(&a, 16, LISTEN_FIRST, &fd), 0);
    unlink(path_of(&a));
    assert_int_equal(listen_open(&a, 16, LISTEN_FIRST, &successor), 0);
    listen_close(&a, fd);
    assert_int_equal(access(path_of(&a), F_OK), 0);
    listen_close(&a, successor);
}

static void failures_are_named_and_leak_nothing(void **state)
{
    struct address missing = in_directory("missing/socket"), foreign = of("192.0.2.1:80");
    const int next = dup(0);
    int fd = -7, lock = open(directory, O_RDONLY | O_CLOEXEC), after;

    (void)state;
    assert_int_equal(listen_open(&missing, 16, LISTEN_FIRST, &fd), -ENOENT);
    assert_int_equal(listen_open(&foreign, 16, LISTEN_FIRST, &fd), -EADDRNOTAVAIL);
    missing = in_directory("locked");
    assert_int_equal(flock(lock, LOCK_EX), 0);
    assert_int_equal(listen_open(&missing, 16, LISTEN_FIRST, &fd), -EBUSY);
    close(lock);
    assert_int_equal(fd, -7);
    close(next);
    after = dup(0);
    assert_int_equal(after, next);
    close(after);
}

static void every_advice_says_what_to_do(void **state)
{
    static const int errs[] = { EADDRINUSE, EACCES, EADDRNOTAVAIL, EAFNOSUPPORT, ENOTSOCK, ENOENT, EBUSY, EMFILE };

    (void)state;
    for (size_t i = 0; i < sizeof errs / sizeof errs[0]; i++)
        assert_non_null(strstr(listen_advice(-errs[i]), ": "));
    assert_string_equal(listen_advice(-EIO), "Input/output error");
    assert_string_equal(listen_advice(-99999), "unknown error");
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(directory) == NULL;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_inherit_no_delay_and_the_listener_does_not_block),
        cmocka_unit_test(workers_share_a_port),
        cmocka_unit_test(a_port_in_use_is_refused_although_workers_share_it),
        cmocka_unit_test(a_port_is_free_again_at_once),
        cmocka_unit_test(of_two_servers_starting_at_once_one_wins),
        cmocka_unit_test(ipv6_does_not_take_ipv4),
        cmocka_unit_test(a_stale_unix_socket_is_taken_over),
        cmocka_unit_test(a_living_unix_socket_is_not),
        cmocka_unit_test(a_file_of_another_kind_is_left_alone),
        cmocka_unit_test(the_last_duplicate_removes_the_file),
        cmocka_unit_test(a_successor_keeps_its_file),
        cmocka_unit_test(failures_are_named_and_leak_nothing),
        cmocka_unit_test(every_advice_says_what_to_do),
    };

    return cmocka_run_group_tests_name("listen", tests, setup, teardown);
}
