/*
 * A load of a known number of requests over connections that are there before it begins, as fast as answers come or at a
 * fixed rate. wrk can do neither, so that with many connections it measures their begin as well.
 *
 *     load PORT CONNECTIONS REQUESTS RATE REQUEST_FILE ANSWER_BYTES
 *
 * Each connection makes one request first; then the program prints "ready" and waits for a line on its standard input.
 * RATE is requests a second, evenly spaced; 0: each connection asks again as soon as it has its answer. Every answer has
 * ANSWER_BYTES. At the end the median and the 99th percentile of the times are printed, in microseconds: from when the
 * request was due to the last byte of its answer. It uses all of its core.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS            256
#define REQUEST_BYTES_MAX (64U << 10)
#define STALL_MS          30000

struct connection {
    int fd;
    size_t left_bytes; /* of the answer */
    uint64_t due_ns;
};

struct load {
    int epoll_fd;
    uint16_t port;
    size_t answer_bytes;
    size_t request_bytes;
    char *request;
    struct connection *connections;
    size_t connections_count;
    struct connection **idle;
    size_t idle_count;
    uint32_t *times_us; /* of the requests that are done */
    size_t done;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void *need(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory)
        err(2, "memory");
    return memory;
}

static void read_request(struct load *l, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    l->request = need(1, REQUEST_BYTES_MAX);
    ssize_t got = fd < 0 ? -1 : read(fd, l->request, REQUEST_BYTES_MAX);
    if (got <= 0)
        err(2, "%s", path);
    l->request_bytes = (size_t)got;
    close(fd);
}

static void connect_one(struct load *l, struct connection *c)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(l->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0)
        err(1, "connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    struct epoll_event wanted = { .events = EPOLLIN, .data.ptr = c };
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, c->fd, &wanted) < 0)
        err(1, "epoll_ctl");
    l->idle[l->idle_count++] = c;
}

static void ask(struct load *l, uint64_t due_ns)
{
    struct connection *c = l->idle[--l->idle_count];
    c->due_ns = due_ns;
    c->left_bytes = l->answer_bytes;
    if (send(c->fd, l->request, l->request_bytes, MSG_NOSIGNAL) != (ssize_t)l->request_bytes)
        err(1, "send");
}

static void take_answer(struct load *l, struct connection *c)
{
    char bytes[64 << 10];
    ssize_t got = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0 || (size_t)got > c->left_bytes)
        errx(1, got <= 0 ? "a connection was closed" : "an answer was longer than the first");
    c->left_bytes -= (size_t)got;
    if (c->left_bytes == 0) {
        l->times_us[l->done++] = (uint32_t)((now_ns() - c->due_ns) / 1000);
        l->idle[l->idle_count++] = c;
    }
}

/* When request number `k` is due: at once, or at its place in the rate. */
static uint64_t due_of(size_t k, uint64_t start_ns, unsigned rate)
{
    return rate > 0 ? start_ns + k * 1000000000U / rate : now_ns();
}

static void run(struct load *l, size_t requests, unsigned rate)
{
    size_t asked = 0;
    uint64_t start_ns = now_ns();
    for (l->done = 0; l->done < requests;) {
        while (asked < requests && l->idle_count > 0 && due_of(asked, start_ns, rate) <= now_ns())
            ask(l, due_of(asked++, start_ns, rate));
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(l->epoll_fd, events, EVENTS, rate > 0 && asked < requests ? 0 : STALL_MS);
        if (ready == 0 && (rate == 0 || asked == requests))
            errx(1, "answers did not come");
        for (int i = 0; i < ready; i++)
            take_answer(l, events[i].data.ptr);
    }
}

static int compare_times(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    if (argc != 7)
        errx(2, "usage: load PORT CONNECTIONS REQUESTS RATE REQUEST_FILE ANSWER_BYTES");
    struct load l = { .epoll_fd = epoll_create1(EPOLL_CLOEXEC), .port = (uint16_t)atoi(argv[1]) };
    l.connections_count = strtoul(argv[2], NULL, 10);
    size_t requests = strtoul(argv[3], NULL, 10);
    l.answer_bytes = strtoul(argv[6], NULL, 10);
    l.connections = need(l.connections_count, sizeof *l.connections);
    l.idle = need(l.connections_count, sizeof(struct connection *));
    l.times_us = need(requests + l.connections_count, sizeof *l.times_us);
    read_request(&l, argv[5]);
    for (size_t i = 0; i < l.connections_count; i++) {
        connect_one(&l, &l.connections[i]);
        run(&l, 1, 0);
    }
    puts("ready");
    fflush(stdout);
    getchar();
    run(&l, requests, (unsigned)atoi(argv[4]));
    qsort(l.times_us, requests, sizeof *l.times_us, compare_times);
    printf("%u %u\n", l.times_us[requests / 2], l.times_us[requests * 99 / 100]);
}
