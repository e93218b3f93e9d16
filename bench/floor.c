/*
 * The floor under every server of small answers: epoll, one thread, nothing parsed, the same answer for whatever is
 * asked. It counts requests by their empty lines, so that several may come at once.
 *
 *     floor PORT ANSWER_FILE
 *
 * It listens on 127.0.0.1 and runs until a signal ends it. Only for measuring: a client that does not read what it
 * asked for costs nothing but its own descriptor.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENTS            256
#define BACKLOG           16384
#define ANSWERS_BYTES_MIN (64U << 10)
#define ANSWER_BYTES_MAX  (1L << 20)

/* By descriptor. */
struct client {
    uint64_t owed_bytes;   /* of answers */
    uint8_t matched_bytes; /* of the end of a head */
};

struct floor {
    int epoll_fd;
    int listener_fd;
    size_t answer_bytes;
    size_t answers_bytes; /* of whole answers, one after the other */
    char *answers;
    struct client *clients;
    size_t clients_size;
};

static int read_answer(const char *path, char *answer)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        err(2, "%s", path);
    ssize_t got = read(fd, answer, ANSWER_BYTES_MAX);
    close(fd);
    if (got <= 0)
        errx(2, "%s: no answer in it", path);
    return (int)got;
}

/* Many answers in a row, so that what is owed for several requests leaves in one call. */
static void load_answers(struct floor *f, const char *path)
{
    char *answer = malloc(ANSWER_BYTES_MAX);
    if (!answer)
        err(2, "answer");
    f->answer_bytes = (size_t)read_answer(path, answer);
    size_t count = ANSWERS_BYTES_MIN / f->answer_bytes + 1;
    f->answers_bytes = count * f->answer_bytes;
    f->answers = malloc(f->answers_bytes);
    if (!f->answers)
        err(2, "answers");
    for (size_t i = 0; i < count; i++)
        memcpy(f->answers + i * f->answer_bytes, answer, f->answer_bytes);
    free(answer);
}

static void make_clients(struct floor *f)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        err(2, "descriptors");
    f->clients_size = (size_t)limit.rlim_cur;
    f->clients = calloc(f->clients_size, sizeof *f->clients);
    if (!f->clients)
        err(2, "clients");
}

static void watch_fd(const struct floor *f, int fd, uint32_t events)
{
    struct epoll_event wanted = { .events = events, .data.fd = fd };
    if (epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, fd, &wanted) < 0)
        err(1, "epoll_ctl");
}

static void listen_on(struct floor *f, const char *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)atoi(port)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    f->listener_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(f->listener_fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    if (bind(f->listener_fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(f->listener_fd, BACKLOG) < 0)
        err(2, "port %s", port);
    watch_fd(f, f->listener_fd, EPOLLIN);
}

static void accept_all(struct floor *f)
{
    int fd;
    while ((fd = accept4(f->listener_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if ((size_t)fd >= f->clients_size)
            errx(1, "descriptor %d is beyond the limit", fd);
        f->clients[fd] = (struct client){ 0 };
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        watch_fd(f, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    }
}

/* How many heads end in these bytes; an end may have begun in bytes before them. */
static unsigned count_heads(struct client *c, const char *bytes, size_t size)
{
    static const char head_end[] = "\r\n\r\n";
    unsigned heads = 0;
    const char *end = bytes + size;
    for (const char *at = bytes; at < end; at++) {
        if (c->matched_bytes == 0 && !(at = memchr(at, '\r', (size_t)(end - at))))
            break;
        c->matched_bytes = *at == head_end[c->matched_bytes] ? (uint8_t)(c->matched_bytes + 1) : *at == '\r';
        if (c->matched_bytes == sizeof head_end - 1) {
            c->matched_bytes = 0;
            heads++;
        }
    }
    return heads;
}

/* False: the client has left. */
static bool read_requests(const struct floor *f, int fd)
{
    char bytes[16 << 10];
    ssize_t got;
    do {
        got = recv(fd, bytes, sizeof bytes, 0);
        if (got <= 0)
            return got < 0 && errno == EAGAIN;
        struct client *c = &f->clients[fd];
        c->owed_bytes += (uint64_t)count_heads(c, bytes, (size_t)got) * f->answer_bytes;
    } while ((size_t)got == sizeof bytes); /* less than was wanted: there was no more */
    return true;
}

/* What is owed ends where an answer ends: so does the buffer, and what is sent of it is its end. */
static bool send_owed(const struct floor *f, int fd)
{
    struct client *c = &f->clients[fd];
    while (c->owed_bytes > 0) {
        size_t part = (size_t)(c->owed_bytes % f->answers_bytes);
        size_t size = part > 0 ? part : f->answers_bytes;
        ssize_t sent = send(fd, f->answers + f->answers_bytes - size, size, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN;
        c->owed_bytes -= (uint64_t)sent;
    }
    return true;
}

static void serve_client(const struct floor *f, const struct epoll_event *event)
{
    int fd = event->data.fd;
    bool stays = !(event->events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP));
    if (stays && event->events & EPOLLIN)
        stays = read_requests(f, fd);
    if (!stays || !send_owed(f, fd))
        close(fd);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        errx(2, "usage: floor PORT ANSWER_FILE");
    struct floor f = { .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
    load_answers(&f, argv[2]);
    make_clients(&f);
    listen_on(&f, argv[1]);
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(f.epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == f.listener_fd)
                accept_all(&f);
            else
                serve_client(&f, &events[i]);
        }
    }
}
