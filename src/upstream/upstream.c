#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exchange/wait.h"
#include "io/transfer.h"
#include "upstream/upstream_impl.h"

#define WATCHED_EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)
#define SPARES_MOST    64u

_Static_assert(offsetof(struct connection, up) == 0, "what its user has is cast back");

/* --- What happens on it --- */

/* Is there something new? Room to write tells nobody anything who was never out of it: the system says it with every
 * event. */
static bool note_events(struct connection *c, uint32_t events)
{
    const bool comes = (events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0;
    const bool room = (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0 && !c->up.writable;

    c->leaving |= (events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0;
    c->up.readable |= comes;
    c->up.writable |= room;
    if (comes && c->tls != NULL)
        tls_socket_ready(c->tls);
    return comes || room;
}

static void ready(struct watch *w, uint32_t events)
{
    struct connection *c = (struct connection *)((char *)w - offsetof(struct connection, watch));

    if (note_events(c, events))
        c->happened(c);
}

/* Whoever was woken by something else since then waits for something else, too. */
static bool is_awaited(const struct connection *c)
{
    return c->x != NULL && c->x->wait.what != NULL && c->x->wait.ticket == c->ticket;
}

/* May free c. */
static void wake(struct connection *c)
{
    struct exchange *x = c->x;

    c->x = NULL;
    c->news = false;
    timer_stop(&c->timer);
    exchange_wake(x, c->ticket);
}

static void tell_user(struct connection *c)
{
    if (is_awaited(c))
        wake(c);
    else
        c->news = true;
}

static void take_turn(struct deferred *d)
{
    struct connection *c = (struct connection *)((char *)d - offsetof(struct connection, turn));

    if (is_awaited(c))
        wake(c);
}

static void fire(struct timer *t)
{
    struct connection *c = (struct connection *)((char *)t - offsetof(struct connection, timer));

    if (c->idle) {
        c->happened(c);
        return;
    }
    if (!is_awaited(c))
        return;
    c->late = true;
    wake(c);
}

void upstream_watch(struct upstream *up, struct exchange *x, uint32_t deadline_ms)
{
    struct connection *c = connection_of(up);

    c->x = x;
    c->ticket = x->wait.ticket;
    c->late = false;
    if (deadline_ms > 0)
        timer_set(c->all->world.wheel, &c->timer, c->all->world.loop->now_ms, deadline_ms);
    else
        timer_stop(&c->timer);
    if (c->news)
        loop_defer(c->all->world.loop, &c->turn);
}

void upstream_yield(struct upstream *up, struct exchange *x)
{
    struct connection *c = connection_of(up);

    upstream_watch(up, x, 0);
    loop_defer(c->all->world.loop, &c->turn);
}

bool upstream_is_late(const struct upstream *up)
{
    return ((const struct connection *)up)->late;
}

/* --- Its life --- */

struct connection *connection_new(struct upstreams *u, struct upstream_member *m, int fd)
{
    struct connection *c = calloc(1, sizeof *c);

    if (c == NULL) {
        close(fd);
        return NULL;
    }
    c->up.member = m;
    c->up.writable = true;
    c->all = u;
    c->watch = (struct watch){ .fd = fd, .ready = ready };
    c->turn.run = take_turn;
    c->happened = tell_user;
    timer_init(&c->timer, fire);
    if (loop_watch(u->world.loop, &c->watch, WATCHED_EVENTS) == 0)
        return c;
    close(fd);
    free(c);
    return NULL;
}

void connection_free(struct connection *c)
{
    c->up.at = c->up.have = 0;
    upstream_buffer_return(&c->up);
    timer_drop(&c->timer);
    loop_undefer(&c->turn);
    if (c->tls != NULL)
        tls_say_end(c->tls);
    tls_free(c->tls);
    loop_close(c->all->world.loop, &c->watch);
    free(c);
}

void connection_lend(struct connection *c)
{
    c->x = NULL;
    c->idle = c->late = c->news = c->heard = c->probes = false;
    c->happened = tell_user;
    timer_stop(&c->timer);
    loop_undefer(&c->turn);
}

/* Over TLS what came may be a ticket, which is no news to anybody. */
bool connection_is_quiet(struct connection *c)
{
    char byte;

    if (c->leaving || c->up.ended || c->up.error != 0)
        return false;
    if (!c->up.readable)
        return true;
    if (c->tls != NULL ? tls_read(c->tls, &byte, 1) != -EAGAIN
                       : recv(c->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN)
        return false;
    c->up.readable = false;
    return true;
}

/* --- Buffers --- */

static char *buffer_take(struct upstreams *u)
{
    void *buffer = u->spare;

    if (buffer == NULL)
        return malloc(u->world.buffer_bytes);
    memcpy(&u->spare, buffer, sizeof u->spare);
    u->spares--;
    return buffer;
}

void upstream_buffer_return(struct upstream *up)
{
    struct upstreams *u = connection_of(up)->all;

    DIE_UNLESS(up->at == up->have);
    up->at = up->have = 0;
    if (up->buffer == NULL)
        return;
    if (u->spares < SPARES_MOST) {
        memcpy(up->buffer, &u->spare, sizeof u->spare);
        u->spare = up->buffer;
        u->spares++;
    } else {
        free(up->buffer);
    }
    up->buffer = NULL;
}

/* Room behind `have`, or -ENOMEM, -ENOBUFS. */
static long buffer_room(struct upstream *up)
{
    struct upstreams *u = connection_of(up)->all;

    if (up->buffer == NULL && (up->buffer = buffer_take(u)) == NULL)
        return -ENOMEM;
    if (up->at == up->have)
        up->at = up->have = 0;
    if (up->have == u->world.buffer_bytes && up->at > 0) {
        memmove(up->buffer, up->buffer + up->at, up->have - up->at);
        up->have -= up->at;
        up->at = 0;
    }
    return up->have < u->world.buffer_bytes ? (long)(u->world.buffer_bytes - up->have) : -ENOBUFS;
}

/* --- Bytes --- */

static long receive(struct connection *c, char *to, size_t room)
{
    return c->tls != NULL ? tls_read(c->tls, to, room) : transfer_receive(c->watch.fd, to, room);
}

/* Does more wait? A socket that had less than there was room for is empty; when more comes, an event tells. But for the
 * end, which may have been told already. */
static bool has_more(const struct connection *c, size_t n, size_t room)
{
    return c->leaving || (c->tls != NULL ? tls_has_more(c->tls) : n == room);
}

/* The end, or no more for now, or ever. */
static long took_nothing(struct connection *c, long n)
{
    struct upstream *up = &c->up;

    up->readable = false;
    if (n == 0) {
        up->ended = true;
        up->cut = c->tls != NULL && !tls_was_end_said(c->tls);
    } else if (n == -EAGAIN) {
        c->news = false;
    } else {
        up->error = (int)-n;
        c->unreadable = true;
    }
    return n;
}

static long read_into(struct upstream *up, char *to, size_t room)
{
    struct connection *c = connection_of(up);
    long n;

    if (up->ended)
        return 0;
    if (c->unreadable)
        return -up->error;
    if (!up->readable) {
        c->news = false;
        return -EAGAIN;
    }
    n = receive(c, to, room);
    if (n <= 0)
        return took_nothing(c, n);
    c->heard = true;
    c->late = false;
    up->readable = has_more(c, (size_t)n, room);
    return n;
}

long upstream_read(struct upstream *up)
{
    long n, room;

    if (up->ended || !up->readable)
        return read_into(up, NULL, 0);
    room = buffer_room(up);
    if (room < 0)
        return room;
    n = read_into(up, up->buffer + up->have, (size_t)room);
    if (n > 0)
        up->have += (uint32_t)n;
    return n;
}

static long send_parts(struct connection *c, const struct iovec *parts, int count)
{
    return c->tls != NULL ? tls_write(c->tls, parts, count) : transfer_send(c->watch.fd, parts, count, false);
}

/* What broke writing does not keep what was sent before it from being read. */
long upstream_write(struct upstream *up, const struct iovec *parts, int count)
{
    struct connection *c = connection_of(up);
    long n;

    if (up->error != 0)
        return -up->error;
    if (!up->writable)
        return -EAGAIN;
    n = send_parts(c, parts, count);
    if (n > 0) {
        c->late = false;
    } else if (n == -EAGAIN) {
        up->writable = false;
    } else if (n < 0) {
        up->error = (int)-n;
        up->readable = true;
    }
    return n;
}

enum reason upstream_tls_alert(const struct upstream *up, struct span *about_out)
{
    const struct tls *tls = ((const struct connection *)up)->tls;

    if (tls == NULL || tls_connect_failure(tls) != R_upstream_tls_alert)
        return R_NONE;
    *about_out = tls_error(tls);
    return R_upstream_tls_alert;
}

void upstream_shut(struct upstream *up)
{
    struct connection *c = connection_of(up);

    if (c->tls != NULL)
        tls_say_end(c->tls);
    shutdown(c->watch.fd, SHUT_WR);
}

/* What comes in small parts fills a pipe long before its room: only the socket can say that it is empty. */
long upstream_read_pipe(struct upstream *up, int pipe, size_t room)
{
    struct connection *c = connection_of(up);
    ssize_t n;

    if (c->tls != NULL)
        return -EINVAL;
    if (up->ended || c->unreadable || !up->readable)
        return read_into(up, NULL, 0);
    do
        n = splice(c->watch.fd, NULL, pipe, NULL, room, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return took_nothing(c, n < 0 ? -errno : 0);
    c->heard = true;
    c->late = false;
    return n;
}
