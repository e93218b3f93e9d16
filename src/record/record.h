#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "exchange/exchange.h"
#include "record/ring.h"
#include "record/secret.h"

#define RECORD_PEER_BYTES    28u   /* sockaddr_in6; of a unix socket the family alone is kept */
#define RECORD_OPERAND_BYTES 1024u /* longer ones are cut */
#define RECORD_ROUTE_BYTES   256u  /* likewise */

#define RECORD_SERVER_BYTES  79u /* of an upstream's name, and of one of its servers; likewise */

/* One try at an upstream. Milliseconds: until there was a connection, then until the request was sent, then until a head
 * came; 0: at once, or not come to. */
struct record_try {
    uint32_t why, at; /* enum reason, R_NONE: it was answered; and errno, or byte offset */
    uint32_t connect_ms, send_ms, head_ms;
    bool kept, harmless;
    uint8_t server_bytes;
    char server[RECORD_SERVER_BYTES];
};

/* What became of an exchange that went on to an upstream. */
struct record_forwarding {
    uint16_t status; /* of the upstream's answer; 0: there was none */
    bool relayed;    /* that answer was passed on */
    uint8_t count;   /* of tries */
    uint8_t upstream_bytes;
    char upstream[RECORD_SERVER_BYTES];
    struct record_try tries[FORWARD_ATTEMPTS];
};

/* What the connection brought to an exchange. */
struct brought {
    uint16_t tls_version; /* TRANSPORT_TLS12, TRANSPORT_TLS13; 0: not over TLS */
    uint16_t certificate; /* enum reason: what is wrong with the client's, R_NONE: nothing; if one was asked for */
    bool certificate_asked;
    bool on_tls_port; /* in plain text, at a listener for TLS */
    bool early;       /* in early data */
};

/*
 * All that is kept of an exchange that has ended: what is said here, and behind it the texts. What points does so to
 * static data, or is NULL. Times are of the server's clock (CLOCK_MONOTONIC), in milliseconds.
 */
struct record {
    /* As in struct exchange, in the same order: one copy. */
    struct facts facts; /* without the tag's text */
    struct trace trace;
    uint32_t why, at;    /* enum reason, and byte offset or errno, of the verdict */
    const char *where;   /* in the source, where the reason was named */
    struct span nothing; /* the operand lies behind the struct */
    uint64_t number;     /* what the id is made of */
    struct moments moments;
    uint64_t bytes_in, bytes_out, content_out;
    uint64_t unix_ms;                    /* when it ended */
    const struct resource_ops *resource; /* what answered; NULL: none was chosen */
    uint16_t status_sent;                /* 0: nothing was sent */
    uint16_t site;                       /* number of the site's name (record/tally.h) */

    bool slow, failed; /* why it is among the failures, if it is */
    bool request_cut, reply_cut;
    struct waited waits[EXCHANGE_WAITS]; /* by name, up to one without; what is behind that says nothing */
    uint32_t broken, broken_at;          /* the second verdict; R_NONE: sending did not fail */
    uint32_t method;                     /* enum method */
    uint8_t major, minor;                /* of the protocol */
    uint8_t dialect;                     /* enum dialect: of the route */
    struct brought brought;
    bool forwarded;        /* a struct record_forwarding lies behind the texts */
    bool has_request_line; /* the request text begins with one that could be read */
    uint8_t peer_bytes;
    uint8_t peer[RECORD_PEER_BYTES]; /* the client's socket address; family alone for a unix socket */

    uint32_t reply_bytes, request_bytes, operand_bytes, route_bytes; /* the texts, in this order, behind the struct */
};

/*
 * The memory of one worker: the last exchanges, and, longer, those that were refused, failed or were slow.
 *
 * Threads  recorder_write() on the worker's own; reading on any, without a lock and without stopping the worker
 * Memory   fixed at the start; nothing is allocated later
 */
struct recorder {
    struct ring all;
    struct ring refused; /* besides: answered with a status of class 4, of which any scanner makes many */
    struct ring kept;    /* besides: failed in another way, broken or slow */
    struct record *next; /* of `all`, the place of the record to come; NULL: nothing is recorded */
    uint32_t next_bytes; /* that are free there */
    uint32_t head_bytes; /* longest text kept of a request's or a reply's head */
    uint32_t slow_ms;    /* from the first byte to the end; as long is slow */
    bool takes_replies;  /* recorder_reply_place() has one */
    char *room;          /* head_bytes, for a reply that is filtered */
};

struct recorder_settings {
    uint32_t count, kept_count; /* kept: of `refused` and of `kept`, each */
    size_t bytes, kept_bytes;
    uint32_t head_bytes, slow_ms;
    uint32_t reply_room_bytes; /* of the longest reply head that recorder_reply_place() must take */
};

/* False: no memory. count == 0: nothing is recorded. */
bool recorder_init(struct recorder *r, const struct recorder_settings *settings);
void recorder_fini(struct recorder *r);

/*
 * Where the head of the next reply is best written: recorder_write() finds it there and need not copy it. It stays the
 * writer's own until recorder_write(), which makes another one. NULL: this recorder has no room for that.
 */
char *recorder_reply_place(const struct recorder *r);

/* Keep x, which has ended and whose texts are still there: the head of the request (x->req.head_text), that of the
 * reply (x->reply.head_text), the operand. Whoever finds it in another ring finds it in `all` too, unless it has gone from there
 * since. On the path of every request. */
void recorder_write(struct recorder *r, const struct exchange *x, const struct secrets *secrets);

/* Room that any record of r needs: for `room` of record_read(). */
size_t record_room(const struct recorder *r);

/* Entry n of one of the rings into `to`, which is aligned for any type; NULL: it is gone. */
const struct record *record_read(const struct ring *ring, uint64_t n, void *to, size_t room);

/* The texts of a record; they lie behind it. */
struct span record_request(const struct record *r); /* first line and fields, as they came, without secrets */
struct span record_reply(const struct record *r);   /* likewise, as sent; empty when nothing was */
struct span record_operand(const struct record *r);
struct span record_route(const struct record *r);

/* Where the request went on to. False: nowhere. */
bool record_forwarding(const struct record *r, struct record_forwarding *out);

/* Of the record and all that lies behind it: what there is to copy. */
size_t record_bytes(const struct record *r);

/* Parts of the request line; empty when it could not be read. */
struct span record_method(const struct record *r);
struct span record_target(const struct record *r);

/* The value of a field of a head's text, the first line of that name; p == NULL: it has none. */
struct span record_field(struct span head, struct span name);

/* The lines of a head's text behind the first, up to an empty one: false when there is no more. *at begins as 0. A line
 * without a colon, or that begins with white space, has no name and is value as a whole. */
bool record_field_next(struct span head, size_t *at, struct span *name, struct span *value);

/* What is kept of a client's socket address: its bytes, or, of a unix socket or a longer one, the family alone. Returns
 * bytes written. */
uint8_t record_peer_copy(struct span peer, uint8_t out[RECORD_PEER_BYTES]);

/* Milliseconds between two moments; 0 when either did not happen. */
uint64_t record_between(uint64_t from_ms, uint64_t to_ms);

#endif
