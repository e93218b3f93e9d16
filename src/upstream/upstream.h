#ifndef UPSTREAM_UPSTREAM_H
#define UPSTREAM_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "exchange/exchange.h"
#include "io/loop.h"
#include "io/wheel.h"
#include "upstream/group.h"

/*
 * Connections of one worker to those who answer for it.
 *
 *   upstream_take(x, group) --> a member is chosen --> a kept connection, or a new one: name, dial, TLS
 *                                  |                      `--> wait in the member's queue
 *                                  `--> all are down, or fail their checks: upstream_all_down
 *   upstream_read(), upstream_write() ... --> upstream_release(), kept or closed
 *
 * A connection belongs to one exchange at a time. When something happens on it that its exchange waits for, the
 * exchange is woken (exchange/wait.h). An idle one owns no buffer; that its other end has closed it is noticed at once.
 *
 * Threads  the worker's own
 */
struct upstreams;
struct upstream_member; /* what the worker knows of a member: live or resting, how many connections, who waits */

struct resolver;

/* What the worker lends; outlives the upstreams. */
struct upstream_world {
    struct loop *loop;
    struct wheel *wheel;
    struct resolver *resolver;
    uint32_t buffer_bytes; /* of one read buffer */
};

/* State for these groups; what upstream_take() names is the index here. NULL without memory. Begins active checks. */
struct upstreams *upstreams_new(const struct upstream_world *world, const struct upstream_group *const *groups,
                                uint32_t count);

/* Idle connections close, checks end. No connection is in use. */
void upstreams_release(struct upstreams **u);

/* A connection. Fields above the line are read by its user. */
struct upstream {
    char *buffer;            /* NULL: nothing is held; buffer_bytes of the world */
    uint32_t have, at;       /* bytes in the buffer; those before `at` are consumed */
    uint32_t exchanges;      /* that it has carried before this one: > 0, it was kept */
    bool readable, writable; /* what the last events and calls said */
    bool ended;              /* the other side has closed its direction: no more bytes come */
    bool cut;                /* ... over TLS, without saying so: somebody else may have cut it off. RFC9112:9.8 */
    int error;               /* errno of a broken connection; 0: none */
    struct upstream_member *member;
    struct upstream *next; /* the owner's */
};

/* How upstream_take() is going; zeroed before the first call, and kept between the calls of one attempt: of the one
 * before, the next one is told `tried`. It stays where it is until the connection is released. */
struct upstream_search {
    uint32_t tried;        /* a bit for each member that failed this exchange already: others are preferred. Members
                              behind the 32nd share the last bit. Who is asked over a new connection is set here, who
                              was asked over a kept one by upstream_release(UPSTREAM_FAILED) */
    bool fresh;            /* no kept connection is taken: the last one turned out to be stale */
    struct verdict failed; /* of FLOW_STOP */
    struct span upstream;  /* who was chosen, as configured; empty: nobody */
    bool another_left;     /* after FLOW_GO and FLOW_STOP: another live member, which was not tried, is left */
    uint64_t connected_ms; /* the loop's clock when there was a connection */
    void *state;           /* its own */
};

/*
 * A connection for x, to a member of the group with this index.
 *
 * hash        of what decides who answers, for BALANCE_CLIENT and BALANCE_FIELD; 0: by turns
 * Returns     FLOW_GO: *out is x's until upstream_release(); FLOW_WAIT: call again after the wake-up; FLOW_STOP:
 *             s->failed is one of upstream_all_down, upstream_connection_limit (the queue is full),
 *             upstream_queue_timeout, upstream_dns_error, upstream_dns_timeout, upstream_unroutable,
 *             upstream_connection_refused, upstream_connect_timeout, upstream_tls_handshake, upstream_tls_alert,
 *             upstream_tls_certificate, upstream_exchange_failed, worker_memory_exhausted; its operand says more, and
 *             lives as long as x. x's verdict is not touched
 */
enum flow upstream_take(struct exchange *x, struct upstreams *u, uint32_t group, uint64_t hash,
                        struct upstream_search *s, struct upstream **out);

/* The exchange ends while a search is under way: nobody will be woken any more. Harmless at any time. */
void upstream_abandon(struct upstream_search *s);

/* How the last exchange on it went, for the member's health. */
enum upstream_end {
    UPSTREAM_KEEP,  /* well, and it can carry another one; closed all the same when it has ended or holds bytes */
    UPSTREAM_CLOSE, /* well, and no more, or nobody's fault */
    UPSTREAM_FAILED /* the member's fault: counts against it */
};
void upstream_release(struct upstream *up, enum upstream_end how);

/* Its member answers: the final head of a response has come, or a tunnel is open. A rest ends here, and not when the
 * content has passed, which may take hours. Harmless when said again; what fails afterwards counts as always. */
void upstream_well(struct upstream *up);

/* Read once, behind `have`, moving what is not consumed to the front when there is no room behind it. Bytes read; 0:
 * the end; -EAGAIN; -ENOBUFS: the buffer is full; -ENOMEM; or -errno with up->error set. */
long upstream_read(struct upstream *up);

/* Bytes taken, -EAGAIN, or -errno with up->error set. What was not taken is offered again, beginning with the same
 * bytes. After an error, what the other side said before may still be there to be read. */
long upstream_write(struct upstream *up, const struct iovec *parts, int count);

/* After an error: the alert of a server that did not like what TLS showed it, our certificate say, which it may send when
 * the handshake is done for us. R_upstream_tls_alert, or R_NONE. *about_out: for people, until up is given back. */
enum reason upstream_tls_alert(const struct upstream *up, struct span *about_out);

/* Say that no more will be written, in tunnels. RFC9110:9.3.6 */
void upstream_shut(struct upstream *up);

/* The buffer goes back to the worker until more is read; it must be consumed. */
void upstream_buffer_return(struct upstream *up);

/* Wake x with its present ticket when up becomes readable or writable, ends or breaks: once for each call, to be made
 * after x was parked (exchange_wait()) by whoever. What happened since the last read that said -EAGAIN, and woke
 * nobody, wakes in this round. What has woken somebody does not do so again: read until -EAGAIN, or while up->readable.
 * deadline_ms from now the exchange is woken too, and upstream_is_late() is true until the next call; 0: none. */
void upstream_watch(struct upstream *up, struct exchange *x, uint32_t deadline_ms);
bool upstream_is_late(const struct upstream *up);

/* Wake x, parked as for upstream_watch(), when others have had their turn, whatever happens on up. */
void upstream_yield(struct upstream *up, struct exchange *x);

/* Read past us, into the empty pipe; the buffer must be consumed. Returns as upstream_read(); -EINVAL: not over TLS. */
long upstream_read_pipe(struct upstream *up, int pipe, size_t room);

/* A place that no group has, for forward proxies. What is pointed to lives until the search has ended, text as long as
 * the exchange. */
struct upstream_place {
    struct span host; /* name or IP address, NUL behind it */
    uint16_t port;
    struct span text; /* who it is, for logs */
    uint32_t connect_ms;
    /* Is asked about each address, after the name was resolved; NULL: all are. None is: upstream_ip_prohibited */
    bool (*allowed)(const void *with, const struct sockaddr *to);
    const void *with;
};

/* A connection to a place, which is not kept. Returns as upstream_take(), or FLOW_STOP with upstream_ip_prohibited. */
enum flow upstream_take_place(struct exchange *x, struct upstreams *u, const struct upstream_place *place,
                              struct upstream_search *s, struct upstream **out);

/* For the console and the metrics: what is known of a member now. */
struct upstream_status {
    struct span group, text;
    bool live, resting, checked_down, down;
    uint32_t connections, idle, exchanges, waiting;
    uint64_t requests, failures;
};
uint32_t upstreams_status(const struct upstreams *u, struct upstream_status *out, uint32_t room);

#endif
