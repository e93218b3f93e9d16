/*
 * c-ares tells which descriptors it waits for (watch_change) and until when (arm); the loop and the wheel tell it when
 * that has come. Its callbacks run deep inside of it, so that answers are kept until the end of the round.
 *
 *   ask --> entry --> c-ares --> entry, waiters --> answered ring --deferred--> q->answered()
 */
#include "io/resolve.h"

#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>

#include "io/resolve_cache.h"

struct resolver {
    struct loop *loop;
    struct wheel *wheel;
    struct resolver_settings settings; /* without servers */
    ares_channel channel;
    struct timer timer;
    struct deferred deliver;
    struct link answered; /* questions whose answer is there */
    struct link sockets;
    bool releasing;
    struct resolve_cache cache;
};

struct resolve_socket {
    struct link link; /* first member */
    struct watch watch;
    struct resolver *resolver;
};

_Static_assert(offsetof(struct resolve_question, link) == 0, "the rings' members are cast back");

/* --- What c-ares waits for --- */

static void arm(struct resolver *r)
{
    struct timeval left;

    if (r->releasing)
        return;
    if (ares_timeout(r->channel, NULL, &left) == NULL)
        timer_stop(&r->timer);
    else
        timer_set(r->wheel, &r->timer, r->loop->now_ms,
                  (uint64_t)left.tv_sec * 1000 + (uint64_t)left.tv_usec / 1000 + 1);
}

static void timer_fire(struct timer *t)
{
    struct resolver *r = (struct resolver *)((char *)t - offsetof(struct resolver, timer));

    ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm(r);
}

static void socket_ready(struct watch *w, uint32_t events)
{
    const struct resolve_socket *s = (struct resolve_socket *)((char *)w - offsetof(struct resolve_socket, watch));
    struct resolver *r = s->resolver;
    const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
    const ares_socket_t fd = w->fd;

    ares_process_fd(r->channel, (events & EPOLLIN) != 0 || broken ? fd : ARES_SOCKET_BAD,
                    (events & EPOLLOUT) != 0 || broken ? fd : ARES_SOCKET_BAD);
    arm(r);
}

static struct resolve_socket *socket_find(struct resolver *r, ares_socket_t fd)
{
    for (struct link *l = r->sockets.next; l != &r->sockets; l = l->next) {
        struct resolve_socket *s = (struct resolve_socket *)l;

        if (s->watch.fd == fd)
            return s;
    }
    return NULL;
}

static struct resolve_socket *socket_new(struct resolver *r, ares_socket_t fd)
{
    struct resolve_socket *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->resolver = r;
    s->watch = (struct watch){ .fd = fd, .ready = socket_ready };
    link_append(&r->sockets, &s->link);
    return s;
}

static void socket_free(struct resolve_socket *s)
{
    link_remove(&s->link);
    free(s);
}

/* Called when c-ares wants other events of a descriptor; none before it closes it. A server whose descriptor cannot be
 * watched is a silent one: the time limit of the question ends it. */
static void watch_change(void *context, ares_socket_t fd, int readable, int writable)
{
    struct resolver *r = context;
    struct resolve_socket *s = socket_find(r, fd);
    const uint32_t events = (readable != 0 ? EPOLLIN : 0u) | (writable != 0 ? EPOLLOUT : 0u);

    if (s != NULL)
        loop_unwatch(r->loop, &s->watch);
    else if (events != 0)
        s = socket_new(r, fd);
    if (s != NULL && (events == 0 || loop_watch(r->loop, &s->watch, events) != 0))
        socket_free(s);
}

/* --- What it answers --- */

static void deliver_run(struct deferred *d)
{
    struct resolver *r = (struct resolver *)((char *)d - offsetof(struct resolver, deliver));

    while (!link_is_empty(&r->answered)) {
        struct resolve_question *q = (struct resolve_question *)r->answered.next;

        link_remove(&q->link);
        q->answered(q);
    }
}

static void port_set(struct resolve_question *q)
{
    for (unsigned i = 0; i < q->answer.count; i++) {
        union resolve_address *a = &q->answer.addresses[i];

        if (a->any.sa_family == AF_INET6)
            a->ip6.sin6_port = q->port;
        else
            a->ip4.sin_port = q->port;
    }
}

/* From what is known now. False: nothing, which is never so when the servers have just answered. */
static bool question_fill(struct resolver *r, struct resolve_question *q, const struct resolve_entry *e)
{
    if (!resolve_entry_answer(e, r->loop->now_ms, &q->answer))
        return false;
    port_set(q);
    return true;
}

static bool question_fail(struct resolve_question *q, enum resolve_outcome outcome, const char *text)
{
    q->answer.outcome = outcome;
    q->answer.text = text;
    q->answer.stale = false;
    q->answer.count = 0;
    q->answer.expires_ms = 0;
    return true;
}

static void addresses_take(struct resolve_entry *e, const struct ares_addrinfo_node *node)
{
    for (e->count = 0; node != NULL && e->count < RESOLVE_ADDRESSES_MAX; node = node->ai_next)
        if (node->ai_family == AF_INET || node->ai_family == AF_INET6)
            memcpy(&e->addresses[e->count++], node->ai_addr,
                   node->ai_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
}

/* The least of all records that led here, aliases included. */
static uint64_t ttl_ms(const struct resolver *r, const struct ares_addrinfo *found)
{
    int least_s = INT32_MAX;
    uint64_t ms;

    for (const struct ares_addrinfo_node *n = found->nodes; n != NULL; n = n->ai_next)
        least_s = n->ai_ttl < least_s ? n->ai_ttl : least_s;
    for (const struct ares_addrinfo_cname *c = found->cnames; c != NULL; c = c->next)
        least_s = c->ttl < least_s ? c->ttl : least_s;
    ms = least_s > 0 ? (uint64_t)least_s * 1000 : 0;
    if (ms > r->settings.ttl_max_ms)
        ms = r->settings.ttl_max_ms;
    return ms < r->settings.ttl_min_ms ? r->settings.ttl_min_ms : ms;
}

/* What is remembered for no time at all still is the answer of those who wait for it. */
static uint64_t until_ms(const struct resolver *r, uint64_t ms)
{
    return r->loop->now_ms + (ms > 0 ? ms : 1);
}

static void entry_found(struct resolver *r, struct resolve_entry *e, const struct ares_addrinfo *found)
{
    addresses_take(e, found->nodes);
    e->fresh_until_ms = until_ms(r, ttl_ms(r, found));
    e->stale_until_ms = e->fresh_until_ms + r->settings.stale_ms;
    e->failed_until_ms = 0;
}

/* That there is no such name is an answer, and ends what was known. */
static void entry_failed(struct resolver *r, struct resolve_entry *e, int status)
{
    if (status == ARES_ENOTFOUND || status == ARES_ENODATA)
        e->count = 0;
    e->failure = status == ARES_ETIMEOUT ? RESOLVE_TIMEOUT
                 : status == ARES_ENOMEM ? RESOLVE_EXHAUSTED
                                         : RESOLVE_NO_NAME;
    e->text = ares_strerror(status);
    e->failed_until_ms = until_ms(r, r->settings.negative_ms);
}

static void waiters_settle(struct resolver *r, struct resolve_entry *e)
{
    for (struct link *l = e->waiters.next; l != &e->waiters; l = l->next)
        (void)question_fill(r, (struct resolve_question *)l, e);
    link_move_all(&e->waiters, &r->answered);
    if (!link_is_empty(&r->answered))
        loop_defer(r->loop, &r->deliver);
}

static void lookup_ended(void *context, int status, int timeouts, struct ares_addrinfo *found)
{
    struct resolve_entry *e = context;
    struct resolver *r = e->resolver;

    (void)timeouts;
    if (status != ARES_EDESTRUCTION) {
        e->asking = false;
        if (status == ARES_SUCCESS && found != NULL && found->nodes != NULL)
            entry_found(r, e, found);
        else
            entry_failed(r, e, status == ARES_SUCCESS ? ARES_ENODATA : status);
        waiters_settle(r, e);
    }
    if (found != NULL)
        ares_freeaddrinfo(found);
}

/* --- Asking --- */

static bool zone_read(struct span zone, uint32_t *out)
{
    char name[IF_NAMESIZE];

    if (zone.n == 0 || zone.n >= sizeof name)
        return false;
    memcpy(name, zone.p, zone.n);
    name[zone.n] = '\0';
    *out = if_nametoindex(name);
    return *out != 0;
}

/* No short forms ("127.1"): inet_pton() takes none, and no name server knows them. */
static bool literal_read(struct span host, union resolve_address *out)
{
    const size_t zone = span_find(host, '%');
    char text[INET6_ADDRSTRLEN];

    if (zone >= sizeof text || memchr(host.p, '\0', host.n) != NULL)
        return false;
    memcpy(text, host.p, zone);
    text[zone] = '\0';
    *out = (union resolve_address){ .ip6 = { .sin6_family = AF_INET6 } };
    if (inet_pton(AF_INET6, text, &out->ip6.sin6_addr) == 1)
        return zone == host.n || zone_read(span_from(host, zone + 1), &out->ip6.sin6_scope_id);
    *out = (union resolve_address){ .ip4 = { .sin_family = AF_INET } };
    return zone == host.n && inet_pton(AF_INET, text, &out->ip4.sin_addr) == 1;
}

/* Letters, digits, "-", "_" and dots: all that a host has, and nothing that c-ares reads as an escape. RFC1123:2.1 */
static bool name_read(struct span host, char lower_out[RESOLVE_NAME_BYTES])
{
    if (host.n == 0 || host.n > RESOLVE_NAME_BYTES || host.p[0] == '.')
        return false;
    for (size_t i = 0; i < host.n; i++) {
        const char c = host.p[i], lower = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;

        if (!((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
            return false;
        if (c == '.' && i > 0 && host.p[i - 1] == '.')
            return false;
        lower_out[i] = lower;
    }
    return true;
}

/* /etc/hosts and errors answer before this returns. */
static void lookup_begin(struct resolver *r, struct resolve_entry *e)
{
    const struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };

    e->resolver = r;
    e->asking = true;
    ares_getaddrinfo(r->channel, e->name, NULL, &hints, lookup_ended, e);
    arm(r);
}

static bool ask_name(struct resolver *r, struct resolve_question *q, struct span name)
{
    struct resolve_entry *e = resolve_cache_take(&r->cache, name);

    if (e == NULL)
        return question_fail(q, RESOLVE_EXHAUSTED, "too many names are being asked for");
    if (!e->asking) {
        if (question_fill(r, q, e))
            return true;
        lookup_begin(r, e);
        if (!e->asking)
            return question_fill(r, q, e);
    }
    link_append(&e->waiters, &q->link);
    return false;
}

bool resolver_ask(struct resolver *r, struct resolve_question *q, struct span host, uint16_t port)
{
    char name[RESOLVE_NAME_BYTES];

    q->port = htons(port);
    if (host.n > 0 && literal_read(host, &q->answer.addresses[0])) {
        q->answer.outcome = RESOLVE_FOUND;
        q->answer.text = NULL;
        q->answer.stale = false;
        q->answer.count = 1;
        q->answer.expires_ms = UINT64_MAX;
        port_set(q);
        return true;
    }
    if (!name_read(host, name))
        return question_fail(q, RESOLVE_NO_NAME, "this is no name that can be asked for");
    return ask_name(r, q, (struct span){ name, host.n });
}

void resolver_forget(struct resolve_question *q)
{
    if (link_is_in(&q->link))
        link_remove(&q->link);
}

enum reason resolve_reason(const struct resolve_answer *answer)
{
    switch (answer->outcome) {
    case RESOLVE_FOUND:
        return R_NONE;
    case RESOLVE_NO_NAME:
        return R_upstream_dns_error;
    case RESOLVE_TIMEOUT:
        return R_upstream_dns_timeout;
    case RESOLVE_EXHAUSTED:
        break;
    }
    return R_upstream_exchange_failed;
}

/* --- Beginning and end --- */

static int channel_open(struct resolver *r, const char *servers, int flags)
{
    char lookups[] = "fb"; /* files, then the name servers */
    struct ares_options options = { .flags = flags | (r->settings.search ? 0 : ARES_FLAG_NOSEARCH),
                                    .timeout = (int)r->settings.timeout_ms,
                                    .tries = (int)r->settings.tries,
                                    .lookups = lookups,
                                    .sock_state_cb = watch_change,
                                    .sock_state_cb_data = r };
    const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
    int status = ares_init_options(&r->channel, &options, mask);

    if (status != ARES_SUCCESS)
        return -ENOMEM;
    if (servers != NULL)
        status = servers[0] != '\0' ? ares_set_servers_ports_csv(r->channel, servers) : ARES_EBADSTR;
    if (status == ARES_SUCCESS)
        return 0;
    ares_destroy(r->channel);
    return status == ARES_ENOMEM ? -ENOMEM : -EINVAL;
}

static bool has_one_server(ares_channel channel)
{
    struct ares_addr_port_node *servers = NULL;
    bool one;

    if (ares_get_servers_ports(channel, &servers) != ARES_SUCCESS)
        return false;
    one = servers != NULL && servers->next == NULL;
    ares_free_data(servers);
    return one;
}

/* From SERVFAIL or REFUSED c-ares goes on to the next server, and tells in the end that it could reach none. Where there
 * is no next server, the answer is taken as it is. */
static int channel_open_best(struct resolver *r, const char *servers)
{
    const int err = channel_open(r, servers, 0);

    if (err != 0 || !has_one_server(r->channel))
        return err;
    ares_destroy(r->channel);
    return channel_open(r, servers, ARES_FLAG_NOCHECKRESP);
}

int resolver_new(struct loop *loop, struct wheel *wheel, const struct resolver_settings *settings,
                 struct resolver **out)
{
    struct resolver *r = calloc(1, sizeof *r);
    int err;

    if (r == NULL)
        return -ENOMEM;
    r->loop = loop;
    r->wheel = wheel;
    r->settings = *settings;
    r->settings.servers = NULL;
    r->deliver.run = deliver_run;
    timer_init(&r->timer, timer_fire);
    link_init(&r->answered);
    link_init(&r->sockets);
    err = resolve_cache_init(&r->cache, settings->entries_max) ? channel_open_best(r, settings->servers) : -ENOMEM;
    if (err == 0) {
        *out = r;
        return 0;
    }
    resolve_cache_fini(&r->cache);
    free(r);
    return err;
}

static void questions_forget(struct link *ring)
{
    while (!link_is_empty(ring))
        link_remove(ring->next);
}

void resolver_release(struct resolver **r_in)
{
    struct resolver *r = *r_in;

    if (r == NULL)
        return;
    *r_in = NULL;
    r->releasing = true;
    ares_destroy(r->channel);
    timer_drop(&r->timer);
    loop_undefer(&r->deliver);
    questions_forget(&r->answered);
    for (struct link *l = r->cache.used.next; l != &r->cache.used; l = l->next)
        questions_forget(&((struct resolve_entry *)l)->waiters);
    for (struct link *l = r->sockets.next, *next; l != &r->sockets; l = next) {
        next = l->next;
        socket_free((struct resolve_socket *)l);
    }
    resolve_cache_fini(&r->cache);
    free(r);
}
