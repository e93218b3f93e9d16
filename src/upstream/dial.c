#include "upstream/dial.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "base/check.h"

enum step { STEP_CONNECTED, STEP_PENDING, STEP_FAILED };

/* --- Failures --- */

/* IPv6 says EADDRNOTAVAIL when it has no address to go from; IPv4 only when the ports to go from are used up. */
enum reason dial_reason(int err, sa_family_t family)
{
    switch (err) {
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case ENOENT:
        return R_upstream_connection_refused;
    case ETIMEDOUT:
        return R_upstream_connect_timeout;
    case ENETUNREACH:
    case ENETDOWN:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENONET:
    case EAFNOSUPPORT:
        return R_upstream_unroutable;
    case EADDRNOTAVAIL:
        return family == AF_INET6 ? R_upstream_unroutable : R_upstream_exchange_failed;
    default:
        return R_upstream_exchange_failed;
    }
}

/* Which failure of several is told: the one that got furthest, and our own trouble before what may only follow from it. */
static unsigned weight(enum reason why)
{
    switch (why) {
    case R_upstream_connect_timeout:
        return 5;
    case R_upstream_connection_refused:
        return 4;
    case R_upstream_exchange_failed:
        return 3;
    case R_upstream_unroutable:
        return 2;
    case R_upstream_ip_prohibited:
        return 1;
    default:
        return 0;
    }
}

static void note(struct dial *d, enum reason why, int err, struct dial_target about)
{
    if (weight(why) <= weight(d->verdict.why))
        return;
    verdict_set(&d->verdict, why, err);
    d->peer = about;
}

static void note_errno(struct dial *d, unsigned number, int err)
{
    const struct dial_target about = d->targets[number];

    note(d, dial_reason(err, about.socket->sa_family), err, about);
}

/* --- The end --- */

/* The winner's descriptor is -1 here already. */
static void stop(struct dial *d)
{
    timer_drop(&d->limit);
    timer_drop(&d->next);
    for (unsigned i = 0; i < d->started; i++)
        loop_close(d->loop, &d->attempts[i].watch);
    d->started = d->pending = d->count = 0;
}

static void win(struct dial *d, unsigned number)
{
    struct watch *w = &d->attempts[number].watch;

    loop_unwatch(d->loop, w);
    d->fd = w->fd;
    w->fd = -1;
    d->peer = d->targets[number];
    d->verdict = (struct verdict){ .why = R_NONE };
    stop(d);
}

void dial_cancel(struct dial *d)
{
    stop(d);
}

/* --- One address --- */

static bool is_loopback(const struct sockaddr *a)
{
    const struct sockaddr_in *ip4 = (const struct sockaddr_in *)a;
    const struct in6_addr *ip6 = &((const struct sockaddr_in6 *)a)->sin6_addr;

    if (a->sa_family == AF_INET)
        return ntohl(ip4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return a->sa_family == AF_INET6 &&
           (IN6_IS_ADDR_LOOPBACK(ip6) || (IN6_IS_ADDR_V4MAPPED(ip6) && ip6->s6_addr[12] == IN_LOOPBACKNET));
}

/* Where nobody listens on a port of this machine, the system may choose this very port to go from, and the socket
 * connects to itself (RFC9293:3.5). Only to be feared on loopback. */
static bool is_own_echo(int fd, const struct dial_target *to)
{
    union resolve_address from = { 0 };
    const struct sockaddr_in *ip4 = (const struct sockaddr_in *)to->socket;
    socklen_t len = sizeof from;

    if (getsockname(fd, &from.any, &len) != 0)
        return false;
    if (from.any.sa_family == AF_INET)
        return from.ip4.sin_port == ip4->sin_port && from.ip4.sin_addr.s_addr == ip4->sin_addr.s_addr;
    return from.ip6.sin6_port == ((const struct sockaddr_in6 *)to->socket)->sin6_port;
}

/* 0, EINPROGRESS, EAGAIN (unix) or another errno. On loopback all is over when connect() returns, though it says
 * EINPROGRESS; asked again it tells, and a round of the loop is saved. */
static int connect_once(int fd, const struct dial_target *to)
{
    const bool loopback = is_loopback(to->socket);
    int err = connect(fd, to->socket, to->len) == 0 ? 0 : errno;

    if (loopback && err == EINPROGRESS)
        err = connect(fd, to->socket, to->len) == 0 ? 0 : errno;
    if (err == EALREADY || err == EINTR)
        return EINPROGRESS;
    if (loopback && err == 0 && is_own_echo(fd, to))
        return ECONNREFUSED;
    return err;
}

/* Returns a descriptor or -errno. That an option cannot be set is no reason to fail. */
static int socket_open(sa_family_t family)
{
    const int on = 1, fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (family != AF_UNIX) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    }
    return fd;
}

static enum step attempt_fail(struct dial *d, unsigned number, int err)
{
    note_errno(d, number, err);
    loop_close(d->loop, &d->attempts[number].watch);
    return STEP_FAILED;
}

static enum step attempt_connect(struct dial *d, unsigned number)
{
    struct watch *w = &d->attempts[number].watch;
    const int err = connect_once(w->fd, &d->targets[number]);
    int watched;

    d->queue_full = err == EAGAIN && d->targets[number].socket->sa_family == AF_UNIX;
    if (err == 0)
        return win(d, number), STEP_CONNECTED;
    if (d->queue_full)
        return STEP_PENDING;
    if (err != EINPROGRESS)
        return attempt_fail(d, number, err);
    watched = loop_watch(d->loop, w, EPOLLOUT);
    return watched == 0 ? STEP_PENDING : attempt_fail(d, number, -watched);
}

static void attempt_ready(struct watch *w, uint32_t events);

static enum step attempt_start(struct dial *d, unsigned number)
{
    struct dial_attempt *a = &d->attempts[number];
    const int fd = socket_open(d->targets[number].socket->sa_family);

    d->started = (uint8_t)(number + 1);
    *a = (struct dial_attempt){ .watch = { .fd = fd < 0 ? -1 : fd, .ready = attempt_ready }, .dial = d };
    return fd < 0 ? attempt_fail(d, number, -fd) : attempt_connect(d, number);
}

/* --- All of them --- */

/* A queue that is full is looked at with each tick, as nothing tells of room in it. */
static void timers_set(struct dial *d)
{
    const uint64_t now_ms = d->loop->now_ms;

    if (d->queue_full)
        timer_set(d->wheel, &d->next, now_ms, WHEEL_TICK_MS);
    else if (d->started < d->count)
        timer_set(d->wheel, &d->next, now_ms, d->next_ms);
    if (!timer_is_set(&d->limit))
        timer_set(d->wheel, &d->limit, now_ms, d->limit_ms);
}

/* Start addresses until one is under way. True: the dial has ended. */
static bool go_on(struct dial *d)
{
    while (d->started < d->count) {
        const enum step step = attempt_start(d, d->started);

        if (step == STEP_CONNECTED)
            return true;
        if (step == STEP_PENDING) {
            d->pending++;
            break;
        }
    }
    if (d->pending > 0)
        return timers_set(d), false;
    stop(d);
    return true;
}

static void attempt_ready(struct watch *w, uint32_t events)
{
    struct dial_attempt *a = (struct dial_attempt *)w;
    struct dial *d = a->dial;
    const unsigned number = (unsigned)(a - d->attempts);
    int err = 0;
    socklen_t len = sizeof err;

    (void)events;
    if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
        err = errno;
    if (err == 0) {
        win(d, number);
        d->done(d);
        return;
    }
    attempt_fail(d, number, err);
    d->pending--;
    if (go_on(d))
        d->done(d);
}

_Static_assert(offsetof(struct dial_attempt, watch) == 0, "watches are cast back");

/* Ask a full queue again. True: the dial has ended. */
static bool queue_ask(struct dial *d)
{
    d->pending = 0;
    switch (attempt_connect(d, 0)) {
    case STEP_CONNECTED:
        return true;
    case STEP_PENDING:
        d->pending = 1;
        timers_set(d);
        return false;
    case STEP_FAILED:
        break;
    }
    stop(d);
    return true;
}

static void next_fire(struct timer *t)
{
    struct dial *d = (struct dial *)((char *)t - offsetof(struct dial, next));

    if (d->queue_full ? queue_ask(d) : go_on(d))
        d->done(d);
}

static void limit_fire(struct timer *t)
{
    struct dial *d = (struct dial *)((char *)t - offsetof(struct dial, limit));
    unsigned number = 0;

    while (ALWAYS(number < d->started) && d->attempts[number].watch.fd < 0)
        number++;
    note(d, R_upstream_connect_timeout, d->queue_full ? EAGAIN : ETIMEDOUT, d->targets[number]);
    stop(d);
    d->done(d);
}

static void dial_reset(struct dial *d, struct loop *loop, struct wheel *wheel, const struct dial_settings *settings)
{
    d->fd = -1;
    d->peer = (struct dial_target){ 0 };
    d->verdict = (struct verdict){ .why = R_NONE };
    d->loop = loop;
    d->wheel = wheel;
    d->limit_ms = settings->limit_ms;
    d->next_ms = settings->next_ms;
    timer_init(&d->limit, limit_fire);
    timer_init(&d->next, next_fire);
    d->count = d->started = d->pending = 0;
    d->queue_full = false;
}

static void target_add(struct dial *d, const struct dial_settings *settings, struct dial_target to)
{
    if (settings->allowed != NULL && !settings->allowed(settings->with, to.socket))
        note(d, R_upstream_ip_prohibited, 0, to);
    else
        d->targets[d->count++] = to;
}

/* The next of `list`, from *at on, whose family is (or is not) that of the first; NULL: there is no more. */
static const union resolve_address *take(const union resolve_address *list, unsigned count, unsigned *at,
                                         bool like_first)
{
    while (*at < count) {
        const union resolve_address *a = &list[(*at)++];

        if ((a->any.sa_family == list[0].any.sa_family) == like_first)
            return a;
    }
    return NULL;
}

bool dial_start(struct dial *d, struct loop *loop, struct wheel *wheel, const struct dial_settings *settings,
                const union resolve_address *list, unsigned count)
{
    unsigned at[2] = { 0, 0 };

    DIE_UNLESS(count > 0 && count <= DIAL_ADDRESSES_MAX);
    dial_reset(d, loop, wheel, settings);
    for (unsigned turn = 0; at[0] < count || at[1] < count; turn++) {
        const union resolve_address *a = take(list, count, &at[turn % 2], turn % 2 == 0);

        if (a != NULL)
            target_add(d, settings,
                       (struct dial_target){ &a->any, a->any.sa_family == AF_INET6 ? sizeof a->ip6 : sizeof a->ip4 });
    }
    return go_on(d);
}

bool dial_start_address(struct dial *d, struct loop *loop, struct wheel *wheel, const struct dial_settings *settings,
                        const struct address *address)
{
    dial_reset(d, loop, wheel, settings);
    target_add(d, settings, (struct dial_target){ (const struct sockaddr *)&address->socket, address->len });
    return go_on(d);
}
