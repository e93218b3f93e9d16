#ifndef IO_LOG_RING_H
#define IO_LOG_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

struct log;

/*
 * Whole lines from one thread to another, without a lock: positions only grow, and each is written by one side. What
 * either side writes has a cache line of its own.
 */
struct log_ring {
    /* Set before the first line, then read-only. */
    struct {
        char *bytes;
        uint64_t size; /* a power of two */
        struct log *log;
    } fixed;

    /* The producer's thread; the atomics are read by others. */
    struct {
        alignas(64) _Atomic uint64_t head; /* bytes ever put */
        _Atomic uint64_t dropped;          /* lines that found no room */
        uint64_t tail_seen;                /* tail when last looked at: never ahead of it */
    } producer;

    /* The consumer's thread; the atomic is read by the producer. */
    struct {
        alignas(64) _Atomic uint64_t tail; /* bytes ever taken */
    } consumer;
};

/* Room for `bytes`, rounded up to a power of two. False: no memory. */
bool log_ring_init(struct log_ring *r, size_t bytes, struct log *log);
void log_ring_fini(struct log_ring *r);

/* Producer. All of the line, or nothing: then it is counted as dropped, and false. */
bool log_ring_put(struct log_ring *r, struct span line);

/* Producer. Is more than half of the room in use? */
bool log_ring_is_half_full(struct log_ring *r);

/* Consumer. Moves as many whole lines as fit to `to`; returns their bytes, 0 when the ring is empty or none fits. */
size_t log_ring_take(struct log_ring *r, char *to, size_t room);

/* Consumer. */
bool log_ring_is_empty(const struct log_ring *r);

/* Any thread. Lines dropped so far. */
uint64_t log_ring_dropped(const struct log_ring *r);

#endif
