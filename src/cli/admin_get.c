#include "cli/admin_get.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "http/chunk.h"

#define REQUEST_BYTES 2048u
#define FIRST_BYTES   ((size_t)16 << 10)

static const char why_refused[] = "nothing listens there: start verdict serve, or name its console with --admin";
static const char why_no_socket[] = "there is no such socket: start verdict serve, or name its console with --admin";
static const char why_denied[] = "this user may not connect: ask as the user who may, or change the socket's mode";
static const char why_unreachable[] = "cannot be reached: check the address and the network, or use another --admin";
static const char why_late[] =
    "no whole answer in time: is that the console of verdict serve? try again, or use another "
    "--admin";
static const char why_reset[] = "it broke the connection off: is that the console of verdict serve? try again";
static const char why_cut_short[] = "its answer was cut short: try again";
static const char why_no_http[] = "what answers is no HTTP server: name the console of verdict serve with --admin";
static const char why_too_long[] = "its answer is too long: name the console of verdict serve with --admin";
static const char why_no_memory[] = "no memory is left for the answer: try again later";
static const char why_request[] = "path or token too long: use the token that the configuration has";

/* An answer as it comes in. */
struct incoming {
    int fd;
    uint64_t deadline_ms;
    char *data;
    size_t bytes, room;
    bool ended; /* the other side sends no more */
};

/* Head of an answer, and how its content ends. */
struct reply_head {
    unsigned status;
    enum reason why;
    size_t content_at;
    uint64_t length; /* UINT64_MAX: none is told */
    bool chunked;
};

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* NULL when the socket is ready. */
static const char *wait_for(const struct incoming *in, short events)
{
    struct pollfd p = { .fd = in->fd, .events = events };
    uint64_t now = now_ms();
    int ready;

    while (now < in->deadline_ms) {
        ready = poll(&p, 1, (int)(in->deadline_ms - now));
        if (ready > 0)
            return NULL;
        if (ready < 0 && errno != EINTR)
            return why_unreachable;
        now = now_ms();
    }
    return why_late;
}

static const char *why_of_connect(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return why_refused;
    case ENOENT:
    case ENOTSOCK:
        return why_no_socket;
    case EACCES:
    case EPERM:
        return why_denied;
    default:
        return why_unreachable;
    }
}

/* The backlog of a unix socket may be full: EAGAIN, and nothing to poll for. */
static const char *connect_to(const struct address *to, struct incoming *in)
{
    int error = 0;
    socklen_t bytes = sizeof error;
    const char *why;

    in->fd = socket(to->socket.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (in->fd < 0)
        return why_unreachable;
    if (connect(in->fd, (const struct sockaddr *)&to->socket, to->len) == 0)
        return NULL;
    if (errno == EAGAIN)
        return why_late;
    if (errno != EINPROGRESS)
        return why_of_connect(errno);
    why = wait_for(in, POLLOUT);
    if (why != NULL)
        return why;
    if (getsockopt(in->fd, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0 || error != 0)
        return why_of_connect(error);
    return NULL;
}

/* A socket of the file system has no name in HTTP: localhost stands for it. */
static const char *send_request(struct incoming *in, const struct address *to, const struct admin_question *q)
{
    char text[REQUEST_BYTES];
    const char *host = to->socket.ss_family == AF_UNIX ? "localhost" : to->text, *why = NULL;
    int n = snprintf(text, sizeof text,
                     "GET %.*s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\nConnection: close\r\n%s%.*s%s\r\n",
                     (int)q->path.n, q->path.p, host, q->token.n > 0 ? "Authorization: Bearer " : "", (int)q->token.n,
                     q->token.n > 0 ? q->token.p : "", q->token.n > 0 ? "\r\n" : "");
    struct span left = { text, (size_t)n };

    if (n < 0 || (size_t)n >= sizeof text)
        return why_request;
    while (left.n > 0 && why == NULL) {
        ssize_t sent = send(in->fd, left.p, left.n, MSG_NOSIGNAL);

        if (sent >= 0)
            left = span_from(left, (size_t)sent);
        else if (errno == EAGAIN)
            why = wait_for(in, POLLOUT);
        else if (errno != EINTR)
            return NULL; /* what was refused unread may still have been answered */
    }
    return why;
}

static const char *grow(struct incoming *in)
{
    size_t room = in->room == 0 ? FIRST_BYTES : in->room * 2;
    char *data;

    /* The coding of chunks may take as much again. */
    if (room > 2 * (ADMIN_GET_BYTES_MOST + ADMIN_GET_HEAD_BYTES))
        return why_too_long;
    data = realloc(in->data, room);
    if (data == NULL)
        return why_no_memory;
    in->data = data;
    in->room = room;
    return NULL;
}

/* Some more bytes, or in->ended. */
static const char *receive(struct incoming *in)
{
    const char *why = in->bytes == in->room ? grow(in) : NULL;

    while (why == NULL) {
        ssize_t n = recv(in->fd, in->data + in->bytes, in->room - in->bytes, 0);

        if (n >= 0) {
            in->bytes += (size_t)n;
            in->ended = n == 0;
            return NULL;
        }
        if (errno == EAGAIN)
            why = wait_for(in, POLLIN);
        else if (errno != EINTR)
            return in->bytes == 0 ? why_reset : why_cut_short;
    }
    return why;
}

/* "HTTP/1.1 200 OK"; 0: it is something else. */
static unsigned status_of(struct span line)
{
    unsigned status = 0;

    if (line.n < 12 || !span_starts(line, SPAN("HTTP/1.")) || line.p[8] != ' ' || (line.n > 12 && line.p[12] != ' '))
        return 0;
    for (size_t i = 9; i < 12; i++) {
        if (line.p[i] < '0' || line.p[i] > '9')
            return 0;
        status = status * 10 + (unsigned)(line.p[i] - '0');
    }
    return status;
}

static bool number_read(struct span digits, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9' || i == 15)
            return false;
        *out = *out * 10 + (uint64_t)(digits.p[i] - '0');
    }
    return digits.n > 0;
}

/* False: the line makes no sense. */
static bool field_read(struct span line, struct reply_head *head)
{
    struct span name = { line.p, span_find(line, ':') }, value;

    if (name.n == line.n)
        return false;
    value = span_trim(span_from(line, name.n + 1));
    if (span_is_nocase(name, SPAN("Content-Length")))
        return number_read(value, &head->length);
    if (span_is_nocase(name, SPAN("Transfer-Encoding")))
        return head->chunked = span_is_nocase(value, SPAN("chunked"));
    if (span_is_nocase(name, SPAN("Verdict")))
        head->why = reason_find((struct span){ value.p, span_find(value, ';') });
    return true;
}

/* The head at `at`, which the empty line ends. False: it is no HTTP. */
static bool head_read(struct span text, struct reply_head *head)
{
    *head = (struct reply_head){ .length = UINT64_MAX };
    for (bool first = true; text.n > 0; first = false) {
        struct span line = { text.p, span_find(text, '\n') };

        text = line.n < text.n ? span_from(text, line.n + 1) : (struct span){ 0 };
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (first)
            head->status = status_of(line);
        if (first ? head->status == 0 : line.n > 0 && !field_read(line, head))
            return false;
    }
    return head->status != 0;
}

/* Receives up to the end of the final head. */
static const char *receive_head(struct incoming *in, struct reply_head *head)
{
    size_t at = 0;

    for (;;) {
        const char *end = in->bytes > at ? memmem(in->data + at, in->bytes - at, "\r\n\r\n", 4) : NULL;
        const char *why = NULL;

        if (end != NULL) {
            if (!head_read((struct span){ in->data + at, (size_t)(end + 2 - (in->data + at)) }, head))
                return why_no_http;
            at = (size_t)(end + 4 - in->data);
            head->content_at = at;
            if (head->status / 100 != 1)
                return NULL;
            continue;
        }
        if (in->bytes >= ADMIN_GET_HEAD_BYTES || (in->bytes >= 7 && memcmp(in->data, "HTTP/1.", 7) != 0))
            return why_no_http;
        if (in->ended)
            return in->bytes == 0 ? why_reset : why_cut_short;
        why = receive(in);
        if (why != NULL)
            return why;
    }
}

/* Decodes in place: content never gets longer. */
static const char *receive_chunks(struct incoming *in, size_t at, size_t *bytes_out)
{
    struct chunk chunk;
    struct verdict verdict;
    size_t from = at, to = at;

    chunk_init(&chunk);
    while (!chunk_ended(&chunk)) {
        struct span data;
        size_t used;
        enum reason why =
            chunk_feed(&chunk, (struct span){ in->data + from, in->bytes - from }, &used, &data, &verdict);

        from += used;
        if (why == R_MORE) {
            const char *failed = in->ended ? why_cut_short : receive(in);

            if (failed != NULL)
                return failed;
            continue;
        }
        if (why != R_NONE)
            return why_no_http;
        if (to + data.n - at > ADMIN_GET_BYTES_MOST)
            return why_too_long;
        if (data.n > 0)
            memmove(in->data + to, data.p, data.n);
        to += data.n;
    }
    *bytes_out = to - at;
    return NULL;
}

static const char *receive_content(struct incoming *in, const struct reply_head *head, size_t *bytes_out)
{
    if (head->chunked)
        return receive_chunks(in, head->content_at, bytes_out);
    for (;;) {
        const char *why;

        *bytes_out = in->bytes - head->content_at;
        if (*bytes_out >= head->length)
            *bytes_out = head->length;
        if (*bytes_out > ADMIN_GET_BYTES_MOST || (head->length > ADMIN_GET_BYTES_MOST && head->length != UINT64_MAX))
            return why_too_long;
        if (*bytes_out == head->length)
            return NULL;
        if (in->ended)
            return head->length == UINT64_MAX ? NULL : why_cut_short;
        why = receive(in);
        if (why != NULL)
            return why;
    }
}

static const char *exchange(struct incoming *in, const struct address *to, const struct admin_question *q,
                            struct admin_answer *out)
{
    struct reply_head head;
    size_t bytes = 0;
    const char *why = connect_to(to, in);

    if (why == NULL)
        why = send_request(in, to, q);
    if (why == NULL)
        why = receive_head(in, &head);
    if (why == NULL)
        why = receive_content(in, &head, &bytes);
    if (why != NULL)
        return why;
    memmove(in->data, in->data + head.content_at, bytes);
    in->data[bytes] = '\0'; /* a head of some bytes stood there */
    *out = (struct admin_answer){ head.status, head.why, in->data, bytes };
    in->data = NULL;
    return NULL;
}

const char *admin_get(const struct address *to, const struct admin_question *question, struct admin_answer *out)
{
    struct incoming in = { .fd = -1, .deadline_ms = now_ms() + question->limit_ms };
    const char *why = exchange(&in, to, question, out);

    if (in.fd >= 0)
        close(in.fd);
    free(in.data);
    return why;
}
