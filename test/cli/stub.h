#ifndef TEST_CLI_STUB_H
#define TEST_CLI_STUB_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/span.h"

/* What the other side does once it has answered. */
enum stub_end { STUB_CLOSE, STUB_HOLD, STUB_RESET };

/* A server for one connection: it reads one head, answers with given bytes, and ends. Include behind cmocka.h. */
struct stub {
    struct span answer;
    enum stub_end end;
    bool bytewise; /* each byte of the answer comes alone */
    bool deaf;     /* it answers before it has read */

    char address[128]; /* as for --admin */
    char request[4096];
    int fd;
    pthread_t thread;
};

static inline void stub_read(struct stub *s, int fd)
{
    size_t n = 0;
    ssize_t got = 1;

    while (got > 0 && n + 1 < sizeof s->request && strstr(s->request, "\r\n\r\n") == NULL) {
        got = recv(fd, s->request + n, sizeof s->request - 1 - n, 0);
        n += got > 0 ? (size_t)got : 0;
    }
}

static inline void stub_write(const struct stub *s, int fd)
{
    size_t step = s->bytewise ? 1 : s->answer.n, at = 0;

    while (at < s->answer.n) {
        ssize_t sent = send(fd, s->answer.p + at, step < s->answer.n - at ? step : s->answer.n - at, MSG_NOSIGNAL);

        if (sent < 0)
            return;
        at += (size_t)sent;
    }
}

static inline void *stub_run(void *arg)
{
    struct stub *s = arg;
    struct linger now = { .l_onoff = 1 };
    int fd = accept(s->fd, NULL, NULL), on = 1;
    char rest[256];

    if (s->bytewise)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!s->deaf)
        stub_read(s, fd);
    stub_write(s, fd);
    if (s->end == STUB_HOLD)
        while (recv(fd, rest, sizeof rest, 0) > 0)
            ;
    if (s->end == STUB_RESET)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
    return NULL;
}

static inline void stub_listen(struct stub *s, const struct sockaddr *address, socklen_t len)
{
    s->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->fd >= 0);
    assert_int_equal(bind(s->fd, address, len), 0);
    assert_int_equal(listen(s->fd, 4), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, stub_run, s), 0);
}

static inline void stub_start(struct stub *s)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof in;

    stub_listen(s, (const struct sockaddr *)&in, len);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&in, &len), 0);
    snprintf(s->address, sizeof s->address, "127.0.0.1:%u", ntohs(in.sin_port));
}

/* `path` is no longer there when the stub has been stopped. */
static inline void stub_start_unix(struct stub *s, const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };

    snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
    stub_listen(s, (const struct sockaddr *)&un, sizeof un);
    snprintf(s->address, sizeof s->address, "unix:%s", path);
}

static inline void stub_stop(struct stub *s)
{
    pthread_join(s->thread, NULL);
    close(s->fd);
    if (strncmp(s->address, "unix:", 5) == 0)
        unlink(s->address + 5);
}

#endif
