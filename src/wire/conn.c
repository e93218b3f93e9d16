#include "wire/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/transfer.h"
#include "wire/h1.h"
#include "wire/h2.h"
#include "wire/h2_content.h"
#include "wire/proxied.h"
#include "wire/secure.h"
#include "wire/slot.h"

#define LINGER_CHUNKS    16u    /* read away before others get their turn */
#define HEAD_SLACK_BYTES 1024u  /* so that the parser, not the buffer, finds a head too long */
#define CONTENT_BYTES    49152u /* read at once of an upload */

int wire_init(struct wire *w)
{
    w->head_room_bytes = w->settings->head.head_bytes + HEAD_SLACK_BYTES;
    w->buffer_bytes = w->head_room_bytes + CONTENT_BYTES;
    w->scratch = w->own_scratch = malloc(WIRE_HEAD_BYTES);
    slot_return(&w->spare_slots, slot_take(&w->spare_slots, w->settings->head.fields, w->settings->arena_bytes));
    return w->scratch != NULL && w->spare_slots != NULL ? 0 : -ENOMEM;
}

void wire_fini(struct wire *w)
{
    while (w->free_conns != NULL) {
        struct conn *c = w->free_conns;

        w->free_conns = c->next;
        free(c);
    }
    while (w->free_buffers != NULL) {
        char *b = w->free_buffers;

        memcpy(&w->free_buffers, b, sizeof w->free_buffers);
        free(b);
    }
    h2_blocks_free(w);
    h2_store_free(&w->store);
    slots_free(&w->free_slots);
    slots_free(&w->spare_slots);
    free(w->own_scratch);
    w->scratch = w->own_scratch = NULL;
}

char *wire_head_take(struct exchange *x, size_t bytes)
{
    char *room = arena_take(&x->arena, bytes);

    if (room != NULL)
        return room;
    arena_extend(&x->arena, bytes + HEAD_SLACK_BYTES);
    return arena_take(&x->arena, bytes);
}

char *wire_buffer_take(struct wire *w)
{
    char *buffer = w->free_buffers;

    if (buffer == NULL)
        return malloc(w->buffer_bytes);
    memcpy(&w->free_buffers, buffer, sizeof w->free_buffers);
    return buffer;
}

void wire_buffer_return(struct wire *w, char *buffer)
{
    memcpy(buffer, &w->free_buffers, sizeof w->free_buffers);
    w->free_buffers = buffer;
}

struct span wire_date(struct wire *w)
{
    if (w->date_second != w->loop->unix_s) {
        w->date_second = w->loop->unix_s;
        date_write(w->date, w->date_second);
    }
    return (struct span){ w->date, sizeof w->date };
}

bool conn_buffer(struct conn *c)
{
    if (c->buffer != NULL)
        return true;
    c->buffer = wire_buffer_take(c->wire);
    c->have = c->at = c->window = 0;
    return c->buffer != NULL;
}

void conn_buffer_return(struct conn *c)
{
    if (c->buffer == NULL)
        return;
    wire_buffer_return(c->wire, c->buffer);
    c->buffer = NULL;
    c->have = c->at = c->window = 0;
}

static __attribute__((noinline)) struct exchange *spare_exchange(struct wire *w)
{
    if (w->spare_slots == NULL)
        return NULL;
    return slot_take(&w->spare_slots, w->settings->head.fields, w->settings->arena_bytes);
}

struct exchange *conn_exchange(struct conn *c, bool *on_spare)
{
    struct wire *w = c->wire;
    struct exchange *x = slot_take(&w->free_slots, w->settings->head.fields, w->settings->arena_bytes);

    *on_spare = x == NULL;
    if (x == NULL && (x = spare_exchange(w)) == NULL)
        return NULL;
    x->transport = c->transport;
    x->worker = w->worker;
    x->host = w->exchange_host;
    x->server_full = c->over_server;
    x->client_full = c->over_client;
    x->descriptors_full = c->over_descriptors;
    x->now_ms = w->loop->now_ms;
    x->unix_seconds = w->loop->unix_s;
    x->unix_ms = (uint64_t)w->loop->unix_ms;
    x->peer = (struct span){ (const char *)conn_peer(c), c->peer_len };
    if (c->is_new)
        x->moments.accepted_ms = c->accepted_ms;
    x->moments.first_byte_ms = w->loop->now_ms;
    c->is_new = false;
    return x;
}

void conn_exchange_return(struct conn *c, struct exchange *x, bool on_spare)
{
    slot_return(on_spare ? &c->wire->spare_slots : &c->wire->free_slots, x);
}

/* Nobody takes or sends anything: the exchange ends where it begins. */
static void nothing_to_reply(struct exchange *x)
{
    x->host->ended(x);
}

void conn_refuse(struct conn *c, enum reason why, struct span operand)
{
    static const struct codec_ops bare = { .name = "none", .reply = nothing_to_reply };
    bool on_spare;
    struct exchange *x = conn_exchange(c, &on_spare);

    if (x == NULL)
        return;
    x->codec = &bare;
    x->moments.head_ms = x->now_ms;
    verdict_about(&x->head_verdict, why, 0, operand);
    x->host->begin(x);
    conn_exchange_return(c, x, on_spare);
}

void conn_peer_set(struct conn *c, const struct sockaddr *peer, socklen_t peer_len)
{
    bool is_far = peer_len > sizeof c->near_peer;

    free(c->far_peer);
    c->far_peer = is_far ? malloc(peer_len) : NULL;
    c->peer_len = is_far && c->far_peer == NULL ? sizeof peer->sa_family : peer_len;
    memcpy(c->far_peer != NULL ? c->far_peer : &c->near_peer.any, peer, c->peer_len);
}

void conn_timer(struct conn *c, uint32_t delay_ms)
{
    timer_set(c->wire->wheel, &c->timer, c->wire->loop->now_ms, delay_ms);
}

/* Bytes, 0 or -errno; *more: there may be others. */
static long receive_plain(struct conn *c, char *to, size_t room, bool *more)
{
    long n = transfer_receive(c->watch.fd, to, room);

    *more = n > 0 && (size_t)n == room;
    return n;
}

static long receive_secured(struct conn *c, char *to, size_t room, bool *more)
{
    struct tls *tls = c->secured->tls;
    long n = tls_read(tls, to, room);

    *more = n > 0 && tls_has_more(tls);
    c->early = tls_was_early(tls);
    return n;
}

long conn_read(struct conn *c, uint32_t room_bytes)
{
    size_t room = room_bytes > c->have ? room_bytes - c->have : 0;
    char *to = c->buffer + c->have;
    bool more;
    long n;

    if (room == 0)
        return -ENOBUFS;
    n = c->secured != NULL ? receive_secured(c, to, room, &more) : receive_plain(c, to, room, &more);
    c->readable = n > 0 && (more || c->peer_closed);
    if (n > 0)
        c->have += (uint32_t)n;
    else if (n == 0)
        c->peer_closed = true;
    else if (n != -EAGAIN)
        c->broken = true;
    return n;
}

/* Does the kernel take plain bytes of c? */
static bool sends_plain(const struct conn *c)
{
    return c->secured == NULL || tls_kernel_sends(c->secured->tls);
}

/* Bytes that the socket took and the client did not. */
static int queued(const struct conn *c)
{
    int bytes = 0;

    return ioctl(c->watch.fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

static void queue_note(struct conn *c, int bytes)
{
    c->queued_bytes = bytes;
    c->queued_ms = c->wire->loop->now_ms;
}

/* -EAGAIN must be remembered: the socket tells of room only once. */
static long taken(struct conn *c, long n)
{
    if (n == -EAGAIN) {
        c->writable = false;
        queue_note(c, queued(c));
    }
    return n;
}

long conn_send(struct conn *c, struct iovec *parts, int count, bool more)
{
    return taken(c, sends_plain(c) ? transfer_send(c->watch.fd, parts, count, more)
                                   : tls_write(c->secured->tls, parts, count));
}

/* What is encrypted here must come through memory. */
static long send_file_read(struct conn *c, int fd, uint64_t offset, uint64_t length)
{
    struct wire *w = c->wire;
    size_t takes = tls_takes(c->secured->tls), most = w->buffer_bytes < takes ? w->buffer_bytes : takes;
    long n = tls_write(c->secured->tls, NULL, 0);
    char *room;

    if (n != 0)
        return taken(c, n);
    room = wire_buffer_take(w);
    if (room == NULL)
        return -ENOMEM;
    do
        n = pread(fd, room, length < most ? (size_t)length : most, (off_t)offset);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        n = -errno;
    else if (n > 0)
        n = taken(c, tls_write(c->secured->tls, &(struct iovec){ room, (size_t)n }, 1));
    wire_buffer_return(w, room);
    return n;
}

long conn_send_file(struct conn *c, int fd, uint64_t offset, uint64_t length)
{
    off_t at = (off_t)offset;
    ssize_t n;

    if (!sends_plain(c))
        return send_file_read(c, fd, offset, length);
    do
        n = sendfile(c->watch.fd, fd, &at, (size_t)length);
    while (n < 0 && errno == EINTR);
    return taken(c, n >= 0 ? n : -errno);
}

long conn_send_pipe(struct conn *c, int pipe, uint64_t length)
{
    ssize_t n;

    do
        n = splice(pipe, NULL, c->watch.fd, NULL, (size_t)length, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    while (n < 0 && errno == EINTR);
    return taken(c, n >= 0 ? n : -errno);
}

bool conn_is_stuck(struct conn *c)
{
    uint32_t wait_ms = c->wire->settings->send_wait_ms;
    int bytes = queued(c);

    if (bytes < c->queued_bytes)
        queue_note(c, bytes);
    return c->wire->loop->now_ms - c->queued_ms >= wait_ms - wait_ms % CONN_LOOKS;
}

void conn_close(struct conn *c)
{
    struct wire *w = c->wire;

    if (c->state == CONN_CLOSED)
        return;
    c->state = CONN_CLOSED;
    h2_release(c);
    secured_release(c);
    w->host->closed(c); /* ... and lets go of the clients that TLS has asked for */
    timer_drop(&c->timer);
    loop_undefer(&c->turn);
    loop_close(w->loop, &c->watch);
    conn_buffer_return(c);
    if (c->before != NULL)
        c->before->next = c->next;
    else
        w->conns = c->next;
    if (c->next != NULL)
        c->next->before = c->before;
    w->conn_count--;
    free(c->far_peer);
    c->next = w->free_conns;
    w->free_conns = c;
}

static bool has_room(const struct conn *c)
{
    struct pollfd room = { .fd = c->watch.fd, .events = POLLOUT };

    return poll(&room, 1, 0) != 0;
}

/*
 * Where the kernel encrypts, it forgets at the end what the socket had no room for: up to a record. Once there is room,
 * the word of the end takes all of it along.
 */
static bool has_unsent(const struct conn *c)
{
    return c->secured != NULL && !c->broken && tls_kernel_sends(c->secured->tls) && !has_room(c);
}

void conn_end(struct conn *c)
{
    if (has_unsent(c)) {
        conn_linger(c);
        return;
    }
    if (c->secured != NULL && !c->broken)
        tls_say_end(c->secured->tls);
    conn_close(c);
}

bool conn_has_unread(const struct conn *c)
{
    char first;

    if (c->secured != NULL && tls_has_more(c->secured->tls))
        return true;
    return recv(c->watch.fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Into the room that is lent. */
static void linger_read_into(struct conn *c, char *away, size_t bytes)
{
    unsigned turn = 0;

    while (c->readable) {
        ssize_t n = recv(c->watch.fd, away, bytes, 0);

        if (n > 0 && (c->lingered_bytes += (uint64_t)n) <= c->wire->settings->linger_bytes) {
            if (++turn < LINGER_CHUNKS)
                continue;
            loop_defer(c->wire->loop, &c->turn);
            return;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            c->readable = false;
            return;
        }
        if (n == 0 && c->shuts_later) {
            c->readable = false; /* the client may still read */
            return;
        }
        conn_close(c);
        return;
    }
}

/* Read away what still comes, within bounds, so that no RST overtakes the reply. */
static void linger_read(struct conn *c)
{
    struct wire *w = c->wire;
    char *away = wire_buffer_take(w);

    if (away == NULL) {
        conn_close(c);
        return;
    }
    linger_read_into(c, away, w->buffer_bytes);
    wire_buffer_return(w, away);
}

/* False: the connection is gone. */
static bool shut_side(struct conn *c)
{
    if (c->said_end)
        return true;
    c->said_end = true;
    if (c->secured != NULL)
        tls_say_end(c->secured->tls);
    return shutdown(c->watch.fd, SHUT_WR) == 0;
}

bool conn_say_end(struct conn *c)
{
    if (!c->said_end && c->secured != NULL && !has_room(c)) {
        c->writable = false;
        queue_note(c, queued(c));
        return false;
    }
    (void)shut_side(c); /* that it is gone will be told */
    return true;
}

static void shut(struct conn *c)
{
    if (!shut_side(c) || c->wire->settings->linger_ms == 0)
        conn_close(c);
    else
        conn_timer(c, c->wire->settings->linger_ms);
}

static void shut_later(struct conn *c)
{
    c->writable = false;
    queue_note(c, queued(c));
    conn_timer(c, c->wire->settings->send_wait_ms / CONN_LOOKS);
}

static void linger_on(struct conn *c)
{
    if (c->shuts_later && c->writable) {
        c->shuts_later = has_unsent(c);
        if (c->shuts_later)
            shut_later(c);
        else
            shut(c);
    }
    if (c->state == CONN_LINGER)
        linger_read(c);
}

void conn_linger(struct conn *c)
{
    conn_buffer_return(c);
    h2_release(c);
    c->state = CONN_LINGER;
    c->lingered_bytes = 0;
    c->readable = c->writable = c->shuts_later = true;
    linger_on(c);
}

static void linger_timeout(struct conn *c)
{
    if (c->shuts_later && !conn_is_stuck(c))
        conn_timer(c, c->wire->settings->send_wait_ms / CONN_LOOKS);
    else
        conn_close(c);
}

static void conn_go(struct conn *c)
{
    if (c->state != CONN_LINGER)
        c->protocol->run(c);
    else if (c->broken)
        conn_close(c);
    else
        linger_on(c);
    if (c->held_back && c->state != CONN_CLOSED && !link_is_in(&c->turn.link)) {
        c->held_back = false;
        transfer_push(c->watch.fd);
    }
}

static void conn_ready(struct watch *watch, uint32_t events)
{
    struct conn *c = (struct conn *)watch;

    if (events & (EPOLLIN | EPOLLRDHUP)) {
        c->readable = true;
        if (c->secured != NULL)
            tls_socket_ready(c->secured->tls);
    }
    if (events & EPOLLRDHUP)
        c->peer_closed = true;
    if (events & EPOLLOUT)
        c->writable = true;
    if ((events & EPOLLERR) || ((events & EPOLLHUP) && !c->said_end)) /* else both sides have ended */
        c->broken = true;
    conn_go(c);
}

static void conn_turn(struct deferred *d)
{
    conn_go((struct conn *)((char *)d - offsetof(struct conn, turn)));
}

static void conn_fire(struct timer *t)
{
    struct conn *c = (struct conn *)((char *)t - offsetof(struct conn, timer));

    if (c->state == CONN_LINGER)
        linger_timeout(c);
    else
        c->protocol->timeout(c);
}

static struct conn *conn_take(struct wire *w)
{
    struct conn *c = w->free_conns;

    if (c == NULL)
        return malloc(sizeof *c);
    w->free_conns = c->next;
    return c;
}

static void conn_add(struct wire *w, struct conn *c)
{
    c->next = w->conns;
    if (c->next != NULL)
        c->next->before = c;
    w->conns = c;
    w->conn_count++;
}

const struct wire_protocol *conn_first_protocol(const struct conn *c)
{
    return c->port == WIRE_TLS ? &secure_protocol : &h1_protocol;
}

static const struct transport *transport_at(const struct wire *w, enum wire_port port)
{
    if (port == WIRE_PROXY)
        return &w->proxy;
    return port == WIRE_TLS ? &w->plain_on_tls_port : &w->plain;
}

struct conn *conn_open(struct wire *w, int fd, enum wire_port port, const struct sockaddr_storage *peer,
                       socklen_t peer_len)
{
    struct conn *c = conn_take(w);

    if (c == NULL) {
        close(fd);
        return NULL;
    }
    *c = (struct conn){ .wire = w,
                        .watch = { .fd = fd, .ready = conn_ready },
                        .turn = { .run = conn_turn },
                        .port = port,
                        .transport = transport_at(w, port),
                        .announced = w->host->announces(w, port, (const struct sockaddr *)peer),
                        .writable = true,
                        .is_new = true,
                        .keep = true,
                        .accepted_ms = w->loop->now_ms };
    c->protocol = c->announced ? &proxied_protocol : conn_first_protocol(c);
    conn_peer_set(c, (const struct sockaddr *)peer, peer_len);
    timer_init(&c->timer, conn_fire);
    conn_add(w, c);
    if (!w->host->accepted(c) || loop_watch(w->loop, &c->watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) != 0) {
        conn_close(c);
        return NULL;
    }
    conn_timer(c, w->settings->head_wait_ms);
    return c;
}

void wire_drain(struct wire *w)
{
    w->draining = true;
    for (struct conn *c = w->conns, *next; c != NULL; c = next) {
        next = c->next;
        c->keep = false;
        if (c->state != CONN_LINGER)
            c->protocol->drain(c);
    }
}

void wire_stop(struct wire *w)
{
    while (w->conns != NULL) {
        struct conn *c = w->conns;

        if (c->state == CONN_LINGER)
            conn_close(c);
        else
            c->protocol->stop(c, R_draining_stopped);
    }
}
