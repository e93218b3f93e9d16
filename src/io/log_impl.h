#ifndef IO_LOG_IMPL_H
#define IO_LOG_IMPL_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "io/log.h"
#include "io/log_ring.h"

#define LOG_BATCH_BYTES ((size_t)256 * 1024)

struct log {
    /* Set before the writer starts, then read-only. */
    struct {
        char *path;
        struct log_ring *rings;
        unsigned count;
        size_t (*tell_lost)(void *context, uint64_t lines, char *to, size_t room);
        void *context;
        int bell;  /* eventfd: wakes the writer */
        int ended; /* eventfd: the writer is about to return */
        pthread_t thread;
    } fixed;

    /* Any thread. */
    struct {
        alignas(64) atomic_bool asleep;
        atomic_bool rung;
        atomic_bool reopen;
        _Atomic uint64_t stop_ms; /* monotonic time at which to give up; 0: not stopping */
        _Atomic uint64_t lost;    /* lines given up, those dropped by the rings apart */
    } shared;

    /* The writer only. */
    struct {
        alignas(64) int fd;
        bool regular;
        bool failing;        /* the last write failed, which has been said */
        uint64_t told;       /* lost lines of which the log has a record */
        uint64_t telling;    /* what `told` becomes when the record that begins the batch is out; 0: no record */
        size_t record_bytes; /* of that record */
        uint64_t dropped;    /* lines that found no room in a ring, when last looked at */
        uint64_t dropped_ms; /* when that number last grew; 0: never */
        unsigned first;      /* the ring to look at first: none can keep the others waiting */
        size_t from, until;  /* what is left of the batch */
        char batch[LOG_BATCH_BYTES];
    } writer;
};

/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t log_clock_ms(void);

/* Any thread: wake the writer, whatever it waits for. */
void log_bell_ring(struct log *l);

/* Opens `path` or duplicates standard output for the writer, before it starts. Returns 0 or -errno. */
int log_target_open(struct log *l, const char *path);

/* The writer thread; ends after shared.stop_ms was set. arg: the struct log. */
void *log_writer_main(void *arg);

#endif
