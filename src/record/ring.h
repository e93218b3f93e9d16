#ifndef RECORD_RING_H
#define RECORD_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The last entries of one writer, in a fixed number of bytes: a new entry takes the place of the oldest ones. Readers
 * copy an entry out and then look whether it was still there when they had it; the writer never waits for anybody.
 *
 *   first           next
 *     |  entries      |
 *     v               v        positions only grow; an entry lies in one piece
 *   [ a ][ b ][ c ][ d ]......
 */
struct ring_place {
    _Atomic uint64_t at; /* bytes ever given out before the entry */
    _Atomic uint32_t bytes;
};

struct ring {
    /* Set by ring_init(), then read-only. */
    struct {
        char *bytes;
        struct ring_place *places; /* of entry s at [s & (count - 1)] */
        uint64_t size;             /* of bytes; a power of two */
        uint64_t count;            /* most entries; a power of two */
    } fixed;

    /* The writer's thread; the atomics are read by others. */
    alignas(64) _Atomic uint64_t first; /* the oldest entry that is still whole */
    _Atomic uint64_t next;              /* of the entry to be written; the newest is the one before */
    uint64_t head;                      /* bytes ever given out */
    uint64_t tail;                      /* of them, where the oldest entry begins */
    uint64_t free_end;                  /* up to there, in one piece, nothing has to go first */
    uint64_t next_end;                  /* likewise, of places */
};

/* Room for `count` entries and `bytes` in all, each rounded up to a power of two; memory is touched only by use. False:
 * no memory. */
bool ring_init(struct ring *r, size_t bytes, uint32_t count);
void ring_fini(struct ring *r);

/* Entries begin at multiples of this. */
#define RING_ALIGN_BYTES 16u

/* Writer. Give up old entries until one of `bytes` has room: a few more than need be, so that this is seldom done.
 * False: longer than half of the ring. */
bool ring_make_room(struct ring *r, uint32_t bytes);

/* Writer. Room for an entry of at most `bytes`, at an address for any type; NULL: longer than half of the ring. */
static inline void *ring_begin(struct ring *r, uint32_t bytes)
{
    uint64_t next = atomic_load_explicit(&r->next, memory_order_relaxed);

    if ((r->head + bytes > r->free_end || next == r->next_end) && !ring_make_room(r, bytes))
        return NULL;
    return r->fixed.bytes + (r->head & (r->fixed.size - 1));
}

/* Writer. The entry is there, and is `bytes` long: no more than ring_begin() was asked for. */
static inline void ring_end(struct ring *r, uint32_t bytes)
{
    uint64_t next = atomic_load_explicit(&r->next, memory_order_relaxed);
    struct ring_place *place = &r->fixed.places[next & (r->fixed.count - 1)];

    atomic_store_explicit(&place->at, r->head, memory_order_relaxed);
    atomic_store_explicit(&place->bytes, bytes, memory_order_relaxed);
    r->head += (bytes + RING_ALIGN_BYTES - 1) & ~(uint64_t)(RING_ALIGN_BYTES - 1);
    atomic_store_explicit(&r->next, next + 1, memory_order_release);
}

/* Any thread. Numbers of the entries that are there: first <= n < next. */
uint64_t ring_first(const struct ring *r);
uint64_t ring_next(const struct ring *r);

/* Any thread. Copies entry n to `to`; returns its bytes, or 0: it is gone, not there yet, or longer than room. */
size_t ring_read(const struct ring *r, uint64_t n, void *to, size_t room);

#endif
