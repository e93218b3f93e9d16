#include "upstream/making.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "io/proxy_protocol.h"

/* Until the next address is tried beside one that is silent. RFC8305:5 */
#define NEXT_ADDRESS_MS 250u

_Static_assert(PROXY_PROTOCOL_V1_BYTES >= PROXY_PROTOCOL_V2_WRITE_BYTES, "one buffer holds either header");

static const struct upstream_world *world_of(const struct making *m)
{
    return &m->settings.member->pool->all->world;
}

static const struct upstream_group *group_of(const struct making *m)
{
    return m->settings.member->pool->group;
}

/* --- The end. All steps return: it has ended. --- */

static bool fail_at(struct making *m, enum reason why, uint32_t at, struct span about, const char *where)
{
    size_t n = about.n < sizeof m->about ? about.n : sizeof m->about;

    if (n > 0)
        memmove(m->about, about.p, n);
    verdict_set_at(&m->failed, why, at, (struct span){ m->about, n }, where);
    timer_drop(&m->timer);
    m->ended = true;
    if (m->up != NULL)
        connection_free(m->up);
    m->up = NULL;
    return true;
}
#define FAIL(m, why, at, about) fail_at((m), (why), (uint32_t)(at), (about), HERE)

static bool succeed(struct making *m)
{
    timer_drop(&m->timer);
    m->ended = true;
    connection_lend(m->up);
    return true;
}

/* A step that was begun by the loop has taken it to the end, or not. */
static void go_on(struct making *m, bool ended)
{
    if (ended)
        m->done(m);
}

static uint32_t left_ms(const struct making *m)
{
    const uint64_t now_ms = world_of(m)->loop->now_ms;

    return m->due_ms > now_ms ? (uint32_t)(m->due_ms - now_ms) : 1;
}

/* --- TLS --- */

static bool shake(struct making *m)
{
    struct connection *c = m->up;

    switch (tls_handshake(c->tls)) {
    case TLS_READY:
        c->up.readable = c->up.writable = true; /* the end of it may have brought more than itself */
        return succeed(m);
    case TLS_WANTS_READ:
        c->up.readable = false;
        return false;
    case TLS_WANTS_WRITE:
        c->up.writable = false;
        return false;
    case TLS_FAILED:
        break;
    }
    return FAIL(m, tls_connect_failure(c->tls), 0, tls_error(c->tls));
}

static void shake_on(struct connection *c)
{
    struct making *m = c->with;

    go_on(m, shake(m));
}

static bool secure(struct making *m)
{
    const struct upstream_group *group = group_of(m);
    struct connection *c = m->up;

    c->tls = tls_connect(group->tls, c->watch.fd, group->tls_name.n > 0 ? group->tls_name : m->settings.host,
                         &m->settings.member->session);
    if (c->tls == NULL)
        return FAIL(m, R_worker_memory_exhausted, ENOMEM, SPAN("TLS"));
    c->happened = shake_on;
    c->with = m;
    timer_set(world_of(m)->wheel, &m->timer, world_of(m)->loop->now_ms, left_ms(m));
    return shake(m);
}

/* --- The PROXY protocol --- */

/* As far as we know, the client wanted to go where we go; over a unix socket, nowhere in particular. */
static void destination_of(int fd, const struct sockaddr *client, struct sockaddr_storage *out)
{
    socklen_t len = sizeof *out;

    if (getpeername(fd, (struct sockaddr *)out, &len) == 0 && out->ss_family != AF_UNIX)
        return;
    *out = (struct sockaddr_storage){ .ss_family = client->sa_family };
}

/* The socket is new: there is room in it. */
static bool introduce(struct making *m)
{
    const struct sockaddr *client = (const struct sockaddr *)m->settings.client.p, *destination = NULL;
    const int fd = m->up->watch.fd;
    struct sockaddr_storage room = { .ss_family = AF_UNSPEC };
    char header[PROXY_PROTOCOL_V1_BYTES];
    size_t n;
    ssize_t sent;

    if (client != NULL) {
        destination_of(fd, client, &room);
        destination = (const struct sockaddr *)&room;
    }
    n = group_of(m)->proxy_protocol == 1 ? proxy_protocol_write_v1(client, destination, header)
                                         : proxy_protocol_write_v2(client, destination, header);
    sent = send(fd, header, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent == (ssize_t)n)
        return true;
    FAIL(m, R_upstream_connection_refused, sent < 0 ? errno : EAGAIN, SPAN("PROXY protocol"));
    return false;
}

/* --- Connecting --- */

static bool dialled(struct making *m)
{
    const struct dial *d = &m->dial;
    char text[ADDRESS_TEXT_BYTES];

    if (d->fd < 0)
        return FAIL(m, d->verdict.why, d->verdict.at,
                    d->peer.socket != NULL ? address_print(d->peer.socket, d->peer.len, ADDRESS_WHOLE, text)
                                           : (struct span){ 0 });
    m->up = connection_new(m->settings.member->pool->all, m->settings.member, d->fd);
    if (m->up == NULL)
        return FAIL(m, R_worker_memory_exhausted, ENOMEM, SPAN("connection"));
    if (group_of(m)->proxy_protocol != 0 && !introduce(m))
        return true;
    return group_of(m)->tls != NULL ? secure(m) : succeed(m);
}

static void dial_done(struct dial *d)
{
    struct making *m = (struct making *)((char *)d - offsetof(struct making, dial));

    go_on(m, dialled(m));
}

static struct dial_settings dial_settings_of(const struct making *m)
{
    return (struct dial_settings){
        .limit_ms = left_ms(m), .next_ms = NEXT_ADDRESS_MS, .allowed = m->settings.allowed, .with = m->settings.with
    };
}

static bool dial_address(struct making *m)
{
    const struct dial_settings settings = dial_settings_of(m);

    if (!dial_start_address(&m->dial, world_of(m)->loop, world_of(m)->wheel, &settings, m->settings.address))
        return false;
    return dialled(m);
}

/* --- Names --- */

static bool resolved(struct making *m)
{
    const struct resolve_answer *answer = &m->question.answer;
    const struct dial_settings settings = dial_settings_of(m);

    timer_stop(&m->timer);
    if (answer->outcome != RESOLVE_FOUND)
        return FAIL(m, resolve_reason(answer), 0, answer->text != NULL ? span_of(answer->text) : m->settings.host);
    if (!dial_start(&m->dial, world_of(m)->loop, world_of(m)->wheel, &settings, answer->addresses, answer->count))
        return false;
    return dialled(m);
}

static void answered(struct resolve_question *q)
{
    struct making *m = (struct making *)((char *)q - offsetof(struct making, question));

    go_on(m, resolved(m));
}

static bool resolve(struct making *m)
{
    if (resolver_ask(world_of(m)->resolver, &m->question, m->settings.host, m->settings.port))
        return resolved(m);
    timer_set(world_of(m)->wheel, &m->timer, world_of(m)->loop->now_ms, m->settings.limit_ms);
    return false;
}

/* --- From outside --- */

/* A dial has a limit of its own: what is late here is the name, or TLS. */
static void expire(struct timer *t)
{
    struct making *m = (struct making *)((char *)t - offsetof(struct making, timer));

    if (m->up != NULL) {
        FAIL(m, R_upstream_connect_timeout, 0, SPAN("TLS"));
    } else {
        resolver_forget(&m->question);
        FAIL(m, R_upstream_dns_timeout, 0, m->settings.host);
    }
    m->done(m);
}

bool making_start(struct making *m, const struct making_settings *settings)
{
    m->settings = *settings;
    m->up = NULL;
    m->ended = false;
    m->due_ms = world_of(m)->loop->now_ms + settings->limit_ms;
    m->question.answered = answered;
    m->dial.done = dial_done;
    timer_init(&m->timer, expire);
    return settings->address != NULL ? dial_address(m) : resolve(m);
}

void making_cancel(struct making *m)
{
    if (m->done == NULL || m->ended)
        return;
    m->ended = true;
    timer_drop(&m->timer);
    resolver_forget(&m->question);
    dial_cancel(&m->dial);
    if (m->up != NULL)
        connection_free(m->up);
    m->up = NULL;
}
