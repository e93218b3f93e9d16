#ifndef IO_RESOLVE_CACHE_H
#define IO_RESOLVE_CACHE_H

#include "io/resolve.h"

/* What is known of one name. */
struct resolve_entry {
    struct link used;           /* first member; from the least to the most recently used */
    struct resolve_entry *next; /* of the same bucket */
    struct link waiters;        /* questions; only while asking */
    struct resolver *resolver;
    bool asking;
    enum resolve_outcome failure; /* until failed_until_ms */
    const char *text;
    uint64_t failed_until_ms, fresh_until_ms, stale_until_ms;
    uint8_t count; /* 0: no addresses */
    union resolve_address addresses[RESOLVE_ADDRESSES_MAX];
    size_t name_bytes;
    char name[]; /* in lower case, NUL-terminated */
};

/* Names of a resolver: a table of chains, and a ring by use. Threads: one. */
struct resolve_cache {
    struct resolve_entry **buckets;
    uint32_t mask, count, limit;
    struct link used;
};

/* False: no memory. The cache may not move. */
bool resolve_cache_init(struct resolve_cache *c, uint32_t limit);
/* Entries that are still being asked for go too. */
void resolve_cache_fini(struct resolve_cache *c);

/*
 * The entry of a name in lower case, made when there is none, and now the most recently used. Good until the next call.
 * NULL: no memory, or as many as the limit are being asked for.
 */
struct resolve_entry *resolve_cache_take(struct resolve_cache *c, struct span name);

/* Fill the answer, without port, from what is known; false: the servers have to be asked. */
bool resolve_entry_answer(const struct resolve_entry *e, uint64_t now_ms, struct resolve_answer *answer);

#endif
