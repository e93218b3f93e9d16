#ifndef UPSTREAM_MAKING_H
#define UPSTREAM_MAKING_H

#include "io/resolve.h"
#include "upstream/dial.h"
#include "upstream/upstream_impl.h"

/* Where to, and how long it may take. What is pointed to lives until the making has ended. */
struct making_settings {
    struct upstream_member *member;
    struct span host; /* NUL behind it */
    uint16_t port;
    const struct address *address; /* NULL: host is a name, or an address in text */
    uint32_t limit_ms;             /* for names, connecting and TLS together */
    struct span client;            /* its socket address, for the PROXY protocol; empty: nobody's connection */
    bool (*allowed)(const void *with, const struct sockaddr *to); /* NULL: all are */
    const void *with;
};

/*
 * A connection being made: name --> dial --> PROXY protocol --> TLS. It may not move until it has ended. The caller
 * sets done(); a zeroed one may be cancelled.
 *
 * Memory   what a name server, TLS and the connection need. It owns no slot of the member's
 */
struct making {
    void (*done)(struct making *m);

    /* The outcome: `up`, the caller's; or why there is none. The verdict's operand lies in `about`. */
    struct connection *up;
    struct verdict failed;
    char about[ADDRESS_TEXT_BYTES];

    /* Its own. */
    bool ended;
    struct making_settings settings;
    uint64_t due_ms;
    struct timer timer;
    struct resolve_question question;
    struct dial dial;
};

/* True: it has ended, and done() is not called. False: done() is called from the loop, once; it may free m. */
__attribute__((warn_unused_result)) bool making_start(struct making *m, const struct making_settings *settings);

/* done() is not called any more. Harmless when it has ended; an outcome stays the caller's. */
void making_cancel(struct making *m);

#endif
