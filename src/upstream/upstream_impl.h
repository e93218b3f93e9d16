#ifndef UPSTREAM_IMPL_H
#define UPSTREAM_IMPL_H

#include "io/link.h"
#include "io/tls_client.h"
#include "upstream/balance.h"
#include "upstream/health.h"
#include "upstream/upstream.h"

/*
 *   upstreams --> pool, one a group --> member --> idle connections, exchanges that wait for one
 *
 * A member has slots: one for each connection, from before it is dialled until it is closed. Whoever frees one, or a
 * connection, gives it to who waits first.
 */
struct check;

struct upstream_member {
    const struct upstream_origin *origin;
    struct upstream_pool *pool;
    struct health health;
    struct link idle;    /* connections, last used last */
    struct link waiting; /* searches, first come first */
    uint32_t index;
    uint32_t slots, idle_count, waiting_count;
    uint32_t exchanges; /* that it has, or that wait for it */
    uint64_t requests, failures;
    struct tls_session_slot session;
    struct check *check; /* NULL: it is not checked */
};

struct upstream_pool {
    struct upstreams *all;
    const struct upstream_group *group;
    struct upstream_member *members;
    struct balance_member *balance; /* by the same index */
};

struct upstreams {
    struct upstream_world world;
    struct upstream_pool *pools;
    uint32_t count;

    /* Whom all connections of upstream_take_place() belong to. */
    struct upstream_pool places;
    struct upstream_group place_group;
    struct upstream_member place;

    void *spare; /* buffers, each of which begins with the next */
    uint32_t spares;
};

struct connection {
    struct upstream up;
    struct link link; /* among the idle ones */
    struct watch watch;
    struct timer timer; /* how long it may be idle, or its user's deadline */
    struct deferred turn;
    struct upstreams *all;
    struct tls *tls;                        /* NULL: plain text */
    void (*happened)(struct connection *c); /* something did; may free c */
    void *with;                             /* of happened() */
    struct upstream_search *asked;          /* by which it was handed out */
    struct exchange *x;                     /* who is to be woken; NULL: nobody */
    uint32_t ticket;
    bool news;       /* something happened that nobody was woken for */
    bool late;       /* the deadline has passed */
    bool leaving;    /* the other side has closed, or it is broken: what is there can still be read */
    bool heard;      /* a byte came during this exchange */
    bool probes;     /* health_probed() is owed */
    bool unreadable; /* reading has failed */
    bool idle;
};

/* In upstream_search.tried. */
static inline uint32_t member_bit(const struct upstream_member *m)
{
    return UINT32_C(1) << (m->index < 32 ? m->index : 31);
}

static inline struct connection *connection_of(struct upstream *up)
{
    return (struct connection *)up;
}

/* --- upstream.c: one connection, which owns no slot --- */

/* fd is connected, and taken over also when this fails. NULL without memory, or when it cannot be watched. */
struct connection *connection_new(struct upstreams *u, struct upstream_member *m, int fd);
void connection_free(struct connection *c);
/* Nothing is there to be read, and nothing can be wrong as far as one knows: no system call unless there is doubt. */
bool connection_is_quiet(struct connection *c);
/* Events go to the exchange that uses it. */
void connection_lend(struct connection *c);

/* --- pool.c --- */

/* The last one used, or NULL. */
struct connection *pool_take(struct upstream_member *m);
/* The one that was not used for longest goes, its slot is the caller's. False: there is none. */
bool pool_make_room(struct upstream_member *m);
/* Whom is it for: who waits first, or nobody yet. Its slot goes with it. */
void pool_keep(struct connection *c);
/* c, which is nobody's, goes with its slot. */
void pool_close(struct connection *c);
/* A slot is free: to who waits first. */
void pool_free_slot(struct upstream_member *m);
/* The idle ones go. */
void pool_empty(struct upstream_member *m);
/* How exchanges went, or that connecting failed. */
void pool_blame(struct upstream_member *m);

/* --- take.c --- */

/* Of the first in m->waiting, which is out of the ring already: c with its slot, or NULL: a slot. */
void search_grant(struct link *waiting, struct connection *c);
/* Would it take a kept connection? */
bool search_wants_kept(const struct link *waiting);

/* --- check.c --- */

/* NULL without memory. */
struct check *check_new(struct upstream_member *m);
void check_free(struct check *c);

#endif
