#ifndef IO_RESOLVE_H
#define IO_RESOLVE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "io/link.h"
#include "io/loop.h"
#include "io/wheel.h"
#include "reason/reason.h"

#define RESOLVE_ADDRESSES_MAX 16
#define RESOLVE_NAME_BYTES    254 /* the longest name in text, its last dot included */

/*
 * Names to addresses, asked of name servers on a worker's own loop; nothing waits but for reading /etc/hosts.
 *
 * Cache    an answer is used until its TTL ends, within the limits of the settings, and then asked for again. When no
 *          server gives one, the old one is used for a while longer (RFC8767:5); "no such name" ends it at once. That a
 *          question failed is remembered too. Questions for one name at one time are one question to the server.
 * Both     A and AAAA are asked for together, and the answer waits for both; addresses come in the order of
 *          RFC6724:6. /etc/hosts goes first.
 * Memory   at most entries_max names of about 800 bytes each, those being asked for included; the least recently used
 *          is forgotten first.
 * Threads  one: that of the loop.
 */
struct resolver;

struct resolver_settings {
    const char *servers; /* "127.0.0.1:5353,[::1]:53"; NULL: those of /etc/resolv.conf, as it is now */
    uint32_t timeout_ms,
        tries;            /* until a server is silent, doubled each time; and how often each is asked; at least 1 */
    uint32_t entries_max; /* at least 1 */
    uint32_t ttl_min_ms, ttl_max_ms; /* a TTL outside is taken for the nearer one; names of /etc/hosts have the least */
    uint32_t negative_ms;            /* how long a failure is remembered */
    uint32_t stale_ms;               /* how long after its TTL an answer may stand in for a failure */
    bool search;                     /* also try names below the domains that the system searches */
};

/* What suits most, as a start. */
#define RESOLVER_SETTINGS_USUAL                             \
    ((struct resolver_settings){ .timeout_ms = 2000,        \
                                 .tries = 2,                \
                                 .entries_max = 1024,       \
                                 .ttl_min_ms = 1000,        \
                                 .ttl_max_ms = 3600 * 1000, \
                                 .negative_ms = 1000,       \
                                 .stale_ms = 300 * 1000 })

/* Starts with the members of sockaddr: one of the two families. */
union resolve_address {
    struct sockaddr any;
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;
};

enum resolve_outcome {
    RESOLVE_FOUND,
    RESOLVE_NO_NAME,  /* no such name, no address, or no server that gives an answer */
    RESOLVE_TIMEOUT,  /* the servers are silent */
    RESOLVE_EXHAUSTED /* of our own: no memory, or entries_max names are being asked for */
};

struct resolve_answer {
    enum resolve_outcome outcome;
    bool stale;          /* its TTL is over, yet no server gives a newer one */
    uint8_t count;       /* of addresses; the rest of a longer list is dropped */
    uint64_t expires_ms; /* of loop->now_ms; UINT64_MAX for a literal; when a failure is asked about again */
    const char *text;    /* why not found, for the operator: static. NULL: found */
    union resolve_address addresses[RESOLVE_ADDRESSES_MAX]; /* with the port */
};

/* Embedded by who asks; may not move, or be asked again, while it waits. Zeroed, but for answered(). */
struct resolve_question {
    struct link link; /* the resolver's; in a ring: it waits */
    void (*answered)(struct resolve_question *q);
    in_port_t port; /* network byte order */
    struct resolve_answer answer;
};

/*
 * settings  read before it returns
 * Returns   0; -ENOMEM; -EINVAL: servers is no list of addresses; *out is untouched then
 */
__attribute__((warn_unused_result)) int resolver_new(struct loop *loop, struct wheel *wheel,
                                                     const struct resolver_settings *settings, struct resolver **out);

/* Questions that wait are forgotten, and answered() is not called. Not from within answered(). */
void resolver_release(struct resolver **r);

/*
 * Ask for the addresses of `host`: an IPv4 or IPv6 literal, without brackets, a zone may follow ("fe80::1%eth0"), or a
 * name, whose case does not matter. host is not kept.
 * Returns   true: q->answer is there now, be it a failure, and answered() is not called. False: answered() is called
 *           from the loop, once, out of any ring; it may ask again, forget others and free what is around q.
 */
__attribute__((warn_unused_result)) bool resolver_ask(struct resolver *r, struct resolve_question *q, struct span host,
                                                      uint16_t port);

/* answered() is not called any more. Harmless when q does not wait. What the server answers is still kept for others. */
void resolver_forget(struct resolve_question *q);

/* R_NONE, upstream_dns_error, upstream_dns_timeout or upstream_exchange_failed. */
enum reason resolve_reason(const struct resolve_answer *answer);

#endif
