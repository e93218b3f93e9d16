#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <stdint.h>
#include <sys/epoll.h>

#include "io/link.h"

#define LOOP_BATCH 256

/*
 * What a descriptor's events are delivered to; embedded in the caller's struct, which may not move while watched.
 * The caller sets `fd` and `ready`; `slot` starts as 0 and belongs to the loop. ready() runs on the loop's thread and
 * may unwatch, close and free anything, itself included.
 */
struct watch {
    int fd;
    uint32_t slot; /* 0: not watched */
    void (*ready)(struct watch *w, uint32_t events);
};

/* Work put off to the end of the round; embedded, zeroed but for `run`. It is out of the loop when run() is called. */
struct deferred {
    struct link link;
    void (*run)(struct deferred *d);
};

struct loop_slot {
    struct watch *watch;
    uint32_t generation; /* grows each time the slot is left */
    uint32_t next_free;
};

/*
 * One thread's event loop over epoll.
 *
 * Time     the clock is read once a round, after the wait; the fields below hold until the next round.
 * Threads  the thread that calls loop_round() only; other threads reach it by mail (io/mail.h).
 * Memory   16 bytes a watched descriptor, kept until loop_fini().
 */
struct loop {
    uint64_t now_ms; /* CLOCK_MONOTONIC */
    int64_t unix_ms; /* CLOCK_REALTIME */
    int64_t unix_s;  /* unix_ms in whole seconds */

    int epoll_fd;
    uint32_t slots_size;
    uint32_t first_free; /* 0: none */
    struct loop_slot *slots;
    struct link deferred; /* runs at the end of this round */
    struct link running;  /* what is left of the batch that runs now */
    struct epoll_event events[LOOP_BATCH];
};

/* Reads the clock as well. Returns 0 or -errno of epoll_create1 (-EMFILE, -ENFILE, -ENOMEM), nothing to undo. */
__attribute__((warn_unused_result)) int loop_init(struct loop *l);

/* Forgets watches and deferred work without calling them; what is deferred must exist. Closes its own descriptor only.
 */
void loop_fini(struct loop *l);

/*
 * Deliver `events` (EPOLL*, EPOLLET included when wanted) of w->fd to w until loop_unwatch() or loop_close(). Meant
 * to be called once in a descriptor's life.
 * Returns 0, -ENOMEM, -ENOSPC (fs.epoll.max_user_watches), or what epoll_ctl says; then w is not watched.
 */
__attribute__((warn_unused_result)) int loop_watch(struct loop *l, struct watch *w, uint32_t events);

/* No event reaches w after this, not even one already fetched. Leaves w->fd open. Harmless when not watched. */
void loop_unwatch(struct loop *l, struct watch *w);

/*
 * As loop_unwatch(), and closes w->fd (set to -1; accepts -1): one system call, because the close itself takes the
 * descriptor out of epoll. Not for a descriptor of which a duplicate stays open: use loop_unwatch() there.
 */
void loop_close(struct loop *l, struct watch *w);

/*
 * One round: wait at most wait_ms milliseconds (-1: for ever; not at all while work is deferred), read the clock,
 * deliver the events, run the deferred work. Returns the number of events delivered, 0 when a signal came, or -errno.
 */
int loop_round(struct loop *l, int wait_ms);

/* d->run(d) at the end of the round, first come first served; deferred while that runs: next round. Again: no-op. */
void loop_defer(struct loop *l, struct deferred *d);

/* Takes d back; harmless when it is not deferred. */
void loop_undefer(struct deferred *d);

#endif
