#ifndef UPSTREAM_DIAL_H
#define UPSTREAM_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "io/address.h"
#include "io/loop.h"
#include "io/resolve.h"
#include "io/wheel.h"
#include "reason/verdict.h"

#define DIAL_ADDRESSES_MAX RESOLVE_ADDRESSES_MAX

struct dial_settings {
    uint32_t limit_ms; /* for all addresses together */
    uint32_t next_ms;  /* until the next address is tried beside those that are silent so far; RFC8305:8 has 250 */

    /* May this address be connected to? Asked for each before any is dialled; NULL: all may. `with` is given to it. */
    bool (*allowed)(const void *with, const struct sockaddr *to);
    const void *with;
};

struct dial_target {
    const struct sockaddr *socket;
    socklen_t len;
};

/*
 * One connection to one of several addresses, embedded by who wants it; it may not move before it has ended. The caller
 * sets `done`; all else is set by dial_start(). A zeroed one may be cancelled.
 *
 * The families take turns, the first address's family first; the next address is dialled when the one before has failed,
 * or next_ms after it; who answers first wins, and all others are closed. RFC8305:4, RFC8305:5
 *
 * Memory   none. Descriptors: one for each address being tried.
 * Threads  that of the loop.
 */
struct dial {
    void (*done)(struct dial *d);

    /* The outcome. */
    int fd;                  /* -1: failed. The caller's: connected, non-blocking, close-on-exec, not watched */
    struct dial_target peer; /* the one that won, or that the verdict is about; borrowed from the list */

    /*
     * why    R_NONE, or what the failures amount to, the first of these that there was:
     *          upstream_connect_timeout     silent until limit_ms, or until the system gave up
     *          upstream_connection_refused  nobody listens there
     *          upstream_exchange_failed     our own trouble: descriptors, memory, ports, permission, a firewall of ours
     *          upstream_unroutable          no way there, or none for this family
     *          upstream_ip_prohibited       none of the addresses is allowed
     * at     errno; EAGAIN with a timeout: the queue of a unix socket was full all the time. 0 when prohibited
     */
    struct verdict verdict;

    /* The dial's own. */
    struct loop *loop;
    struct wheel *wheel;
    uint32_t limit_ms, next_ms;
    struct timer limit, next;
    uint8_t count, started, pending;
    bool queue_full; /* the unix socket's: asked again with each tick */
    struct dial_target targets[DIAL_ADDRESSES_MAX];
    struct dial_attempt {
        struct watch watch;
        struct dial *dial;
    } attempts[DIAL_ADDRESSES_MAX];
};

/*
 * Dial `list` (1 to DIAL_ADDRESSES_MAX addresses, with their ports), which is borrowed until the dial has ended. TCP_NODELAY
 * and SO_KEEPALIVE are set. A listener on this machine is connected to, or refuses, without a round of the loop.
 * Returns   true: it has ended, the outcome is there and done() is not called. False: done() is called from the loop or
 *           the wheel, once; it may start d again and free what is around it.
 */
__attribute__((warn_unused_result)) bool dial_start(struct dial *d, struct loop *loop, struct wheel *wheel,
                                                    const struct dial_settings *settings,
                                                    const union resolve_address *list, unsigned count);

/* As dial_start(), with one address, which may be that of a unix socket. */
__attribute__((warn_unused_result)) bool dial_start_address(struct dial *d, struct loop *loop, struct wheel *wheel,
                                                            const struct dial_settings *settings,
                                                            const struct address *address);

/* done() is not called any more. Harmless when it has ended; an outcome's fd stays open. */
void dial_cancel(struct dial *d);

/* What a failed connect() to an address of this family means for the request: one of the reasons above. */
enum reason dial_reason(int err, sa_family_t family);

#endif
