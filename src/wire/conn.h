#ifndef WIRE_CONN_H
#define WIRE_CONN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "exchange/exchange.h"
#include "http/chunk.h"
#include "http/date.h"
#include "http/framing.h"
#include "http/h1_parse.h"
#include "io/address.h"
#include "io/loop.h"
#include "io/tls.h"
#include "io/wheel.h"
#include "wire/h2_store.h"

/*
 * Connections of one worker.
 *
 *   socket --> conn_read() --> buffer --> codec --> exchange --> host->begin()
 *   socket <-- conn_send(), conn_send_file() <-- codec <-- exchange <-- host
 *
 * A connection speaks one protocol at a time: it begins with the PROXY protocol where a proxy in front says whose it is,
 * then, or else, with TLS where its listener does, else with HTTP/1.1, and goes on with what the client asks for. An idle one owns nothing but its struct, and what TLS and HTTP/2 must remember: the read
 * buffer and the exchange are taken from the worker's free lists with the first byte and given back with the last.
 */

/* Limits and times, one set per worker; immutable while it runs. */
struct wire_settings {
    struct h1_limits head;
    uint32_t head_wait_ms, content_wait_ms, send_wait_ms, keep_alive_ms, linger_ms, tunnel_idle_ms;
    uint64_t linger_bytes, drain_bytes;
    uint32_t arena_bytes;
    uint32_t h2_streams;                   /* at once, on one connection */
    uint32_t h2_window_bytes;              /* content that may come ahead on one stream */
    uint32_t h2_connection_window_bytes;   /* ... and on all of a connection */
    uint32_t h2_resets, h2_control_frames; /* in H2_PACE_MS */
    uint32_t h2_continuations;             /* of one field block */
};

/* What a listener speaks. */
enum wire_port { WIRE_PLAIN, WIRE_TLS, WIRE_PROXY /* plain text, of the forward proxy */ };

enum conn_state {
    CONN_HEAD,   /* reading a head, or idle between two */
    CONN_BUSY,   /* an exchange runs, or waits for somebody */
    CONN_REPLY,  /* a reply is being sent */
    CONN_DRAIN,  /* content that nobody wanted is read away, the connection will be kept */
    CONN_LINGER, /* our side is shut; reading away so that the client gets what we sent. RFC9112:9.6 */
    CONN_CLOSED
};

struct wire;
struct secured;
struct h2;

/* In the order of use: what every request touches lies together at the beginning, so that with thousands of connections
 * few lines of cache are fetched for one. */
struct conn {
    struct watch watch;
    const struct wire_protocol *protocol;
    struct wire *wire;
    struct exchange *x;    /* of HTTP/1; NULL: none in progress */
    char *buffer;          /* NULL: nothing read yet */
    uint32_t have, at;     /* bytes in the buffer; those before `at` are consumed */
    uint32_t window;       /* where content may be read to: behind the head while an exchange needs it */
    enum conn_state state; /* of HTTP/1, as long as it is not LINGER or CLOSED */
    bool readable, writable, peer_closed, broken; /* what the last events said */
    bool keep;                                    /* another exchange may follow this one */
    bool over_server, over_client;                /* found at accept: more connections than the limit */
    bool over_descriptors;                        /* found at accept: it took the last descriptor */
    bool on_spare;                                /* x is the worker's last resort: there is memory to say so only */
    bool is_new;                                  /* no exchange has begun yet */
    bool early;                                   /* the last bytes read were early data. RFC8470:3 */
    bool announced;                               /* the PROXY protocol comes first */
    bool content_done, continue_sent;
    bool chunked_out, body_ended, tunnel; /* tunnel: another protocol than HTTP is spoken now */
    bool held_back;                       /* the kernel may keep a part of a reply, since another was to follow */
    bool shuts_later;                     /* lingering, but our side is not shut yet */
    bool said_end;                        /* our side is shut */
    struct secured *secured;              /* NULL: plain text */
    struct timer timer;

    struct framing framing;               /* of the request in progress */
    uint64_t content_left, content_taken; /* bytes; left counts for FRAMING_LENGTH */
    struct span head_out, line_out;       /* head and chunk line of the reply, not yet sent */
    struct piece piece;                   /* of the reply's content, not yet sent */
    const struct transport *transport;
    uint64_t accepted_ms;
    socklen_t peer_len;
    union {
        struct sockaddr any;
        struct sockaddr_in6 room;
    } near_peer;
    struct sockaddr *far_peer;     /* the address that `near_peer` has no room for; else NULL */
    struct verdict content_broken; /* the timer's word while x waits for content */

    /* What few requests need. */
    struct deferred turn; /* to go on with bytes that are here already */
    struct chunk chunk;
    char chunk_line[24];
    int queued_bytes;    /* sent and not taken by the client, when this was last looked at */
    enum wire_port port; /* where it came in */
    uint64_t queued_ms;  /* when the socket was full, and they were more at the look before */
    uint64_t lingered_bytes;
    struct h2 *h2;              /* NULL: not HTTP/2 */
    struct conn *next, *before; /* the worker's connections; `next` alone in the free list */
    void *client;               /* the host's entry for the peer's address */
    void *held;                 /* likewise the host's; NULL at first */
};

/* What is spoken on a connection. */
struct wire_protocol {
    /* Go on with whatever c is doing, as far as its socket allows. c may be closed on return. */
    void (*run)(struct conn *c);
    /* The time that c's state allows is over. */
    void (*timeout)(struct conn *c);
    /* No new exchanges: close when those in progress have ended. */
    void (*drain)(struct conn *c);
    /* End all exchanges in progress with a reason, without an answer if none has begun, and close. */
    void (*stop)(struct conn *c, enum reason why);
    /* The exchange after x of those in progress, the first for NULL; NULL: no more. */
    struct exchange *(*next)(const struct conn *c, const struct exchange *x);
};

/* What the host wants to know about connections. */
struct wire_host {
    /* Does such a peer begin with the PROXY protocol at such a listener? */
    bool (*announces)(const struct wire *w, enum wire_port port, const struct sockaddr *peer);
    bool (*accepted)(struct conn *c); /* sets over_server, over_client, client; false: close it at once */
    bool (*renamed)(struct conn *c);  /* a proxy has said who c's peer is: as accepted() */
    void (*closed)(struct conn *c);
    struct tls *(*secure)(struct conn *c); /* c's socket is to speak TLS; NULL without memory */
    enum client_auth (*client_auth)(struct conn *c, struct span server_name); /* as tls_new()'s choose() has it */
};

struct slot;

struct wire {
    struct loop *loop;
    struct wheel *wheel;
    const struct wire_settings *settings;
    const struct wire_host *host;
    const struct exchange_host *exchange_host;
    struct transport plain, plain_on_tls_port, proxy; /* of connections without TLS, at each kind of listener */
    bool h2c;                                         /* HTTP/2 is taken without TLS. RFC9113:3.3 */
    void *worker;
    struct conn *conns, *free_conns; /* in use: a ring of two ways through `next` and `before` */
    char *free_buffers;
    struct slot *free_slots;
    struct slot *spare_slots; /* one, to answer with when there is no memory for another */
    uint32_t conn_count, slot_count;
    uint32_t buffer_bytes;    /* of one read buffer */
    uint32_t head_room_bytes; /* of it, where heads may lie: behind them there is always room for content */
    struct h2_block *free_blocks;
    struct h2_store store;
    uint64_t accept_failures;
    bool draining;
    char *scratch; /* where reply heads are written: own_scratch, or WIRE_HEAD_BYTES that the host has set */
    char *own_scratch;
    char first_lines[192]; /* of a reply: kept for the next one with the same status in the same second */
    uint32_t first_bytes;
    unsigned first_status;
    int64_t first_second;
    char date[DATE_BYTES]; /* of Date, in date_second */
    int64_t date_second;
};

/* Bytes of scratch, for reply heads; longer ones lie in the arena. */
#define WIRE_HEAD_BYTES 32768u

/* Room for the head of x's reply in its arena, beyond the arena's limit if need be: the configuration bounds what heads
 * are made of, and who has been promised an answer gets one. NULL: the system has no memory. */
char *wire_head_take(struct exchange *x, size_t bytes);

/* 0, or -ENOMEM. Set loop, wheel, settings, host, exchange_host, transports and worker first; the rest zeroed. */
int wire_init(struct wire *w);
void wire_fini(struct wire *w);

/* Take over a connected, non-blocking socket. NULL: it is closed, for want of memory or by the host's word. */
struct conn *conn_open(struct wire *w, int fd, enum wire_port port, const struct sockaddr_storage *peer,
                       socklen_t peer_len);

/* No new exchanges: idle connections close now, busy ones after their reply. */
void wire_drain(struct wire *w);

/* Close all connections; exchanges in progress end with draining-stopped. */
void wire_stop(struct wire *w);

/* The client, or the proxy that has not said yet whose connection it is; peer_len bytes. */
static inline const struct sockaddr *conn_peer(const struct conn *c)
{
    return c->far_peer != NULL ? c->far_peer : &c->near_peer.any;
}

/* That is who it is. Of the address of a Unix socket, which may be long, the family alone is kept without memory. */
void conn_peer_set(struct conn *c, const struct sockaddr *peer, socklen_t peer_len);

/* For the codec. */

/* Read once into the first room_bytes of the buffer, behind `have`. Bytes read; 0 at the end of the stream; -EAGAIN;
 * -ENOBUFS without room; or -errno with c->broken set. */
long conn_read(struct conn *c, uint32_t room_bytes);

/* Send of the parts what the socket takes; more: others follow at once. Bytes taken, -EAGAIN with c->writable false, or
 * -errno. What was not taken is offered again before anything else, beginning with the same bytes. */
long conn_send(struct conn *c, struct iovec *parts, int count, bool more);

/* Likewise, at most length bytes of fd from offset on. 0: the file has no more. An -errno of the file is not told from
 * one of the socket, except that -EPIPE, -ECONNRESET and -ETIMEDOUT are the socket's. */
long conn_send_file(struct conn *c, int fd, uint64_t offset, uint64_t length);

/* Likewise, what is in a pipe; in plain text only. */
long conn_send_pipe(struct conn *c, int pipe, uint64_t length);

/* Give c a buffer if it has none. False without memory. */
bool conn_buffer(struct conn *c);
void conn_buffer_return(struct conn *c);

/* Room of wire->buffer_bytes; NULL without memory. */
char *wire_buffer_take(struct wire *w);
void wire_buffer_return(struct wire *w, char *buffer);

/* The value of Date, now; valid in this round. RFC9110:6.6.1 */
struct span wire_date(struct wire *w);

/* An exchange for c, initialised; NULL without memory. on_spare: it is the worker's last resort. */
struct exchange *conn_exchange(struct conn *c, bool *on_spare);
void conn_exchange_return(struct conn *c, struct exchange *x, bool on_spare); /* NULL is ignored */

/* Record that c ends for a reason which is no request's: an exchange without a head. operand: what it is about. */
void conn_refuse(struct conn *c, enum reason why, struct span operand);

void conn_timer(struct conn *c, uint32_t delay_ms);

/* What is spoken at c's listener, behind the PROXY protocol if that comes first. */
const struct wire_protocol *conn_first_protocol(const struct conn *c);

/* Is c more than there is room for? It is told so, and not kept. */
static inline bool conn_is_extra(const struct conn *c)
{
    return c->over_server || c->over_client || c->over_descriptors;
}

/* The socket is full. Has the client taken nothing of it for send_wait_ms, as far as earlier looks can tell? A socket
 * reports room again only when a large part of its queue is gone, which a slow client may need minutes for; so the queue
 * itself is looked at, CONN_LOOKS times in send_wait_ms. */
bool conn_is_stuck(struct conn *c);
#define CONN_LOOKS 4u

/* Close now, returning everything. c must not be used after. */
void conn_close(struct conn *c);

/* Close, after an orderly end: a client of TLS is told of it, and so can tell it from a cut. RFC8446:6.1 */
void conn_end(struct conn *c);

/* Has anything come that was not read? Closing would then reset the connection, and with it what we sent last. */
bool conn_has_unread(const struct conn *c);

/* Shut our side: what has been sent is all. False: there is no room for the word of it yet, and c->writable is false. */
bool conn_say_end(struct conn *c);

/* Shut our side once all has left, and read away for a while, then close. */
void conn_linger(struct conn *c);

#endif
