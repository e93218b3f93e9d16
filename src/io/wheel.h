#ifndef IO_WHEEL_H
#define IO_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/link.h"

#define WHEEL_TICK_MS ((uint64_t)64)
#define WHEEL_SLOTS   ((uint64_t)1024) /* one turn: 65.5 s; a power of two */
#define TIMER_NEVER   UINT64_MAX

/*
 * Something that happens once, later; embedded in the caller's struct, which may not move between timer_init() and
 * timer_drop(). fire() runs on the wheel's thread with the timer out of the wheel: it may set it again, drop or set
 * any other, and free the struct around it.
 */
struct timer {
    struct link link;
    uint64_t due_ms;   /* TIMER_NEVER: stopped */
    uint64_t queue_ms; /* its slot holds all that is due later than this; TIMER_NEVER: in no slot */
    void (*fire)(struct timer *t);
};

/*
 * Timers of one worker: hundreds of thousands, set again for every request, and hardly ever fired.
 *
 * Precision  a timer never fires early, and is noticed at most one tick (64 ms) after it is due, plus the round.
 *            Those of one slot fire in the order in which they were queued, not in the order in which they are due.
 * Cost       setting to a later time, or stopping, writes one word: the timer stays in its slot and is put where it
 *            belongs when that slot comes up. A wake-up for a slot that turns out so is the price: at most one a tick.
 * Time       milliseconds of a clock that never goes back (loop->now_ms); any origin.
 * Threads    one. Memory: 16 KiB, in place; the wheel may not move.
 */
struct wheel {
    uint64_t tick;                     /* the last one worked off */
    uint64_t in_use[WHEEL_SLOTS / 64]; /* a set bit: the slot may have timers; clear: it has none */
    struct link slots[WHEEL_SLOTS];
    struct link firing; /* what is left of the slots that came up */
};

void wheel_init(struct wheel *w, uint64_t now_ms);

/* Fire what is due, each timer at most once a call: one that sets itself with delay 0 comes up in the next tick. */
void wheel_advance(struct wheel *w, uint64_t now_ms);

/* Milliseconds until the next slot comes up, at least 0; -1 when no timer is in the wheel: for loop_round(). */
int wheel_wait_ms(struct wheel *w, uint64_t now_ms);

/* The slow part of timer_set(): put t, whose due_ms is set, in its slot. */
void wheel_queue(struct wheel *w, struct timer *t);

static inline void timer_init(struct timer *t, void (*fire)(struct timer *t))
{
    *t = (struct timer){ .due_ms = TIMER_NEVER, .queue_ms = TIMER_NEVER, .fire = fire };
}

/* Due delay_ms from now, whether it was set before or not. */
static inline void timer_set(struct wheel *w, struct timer *t, uint64_t now_ms, uint64_t delay_ms)
{
    t->due_ms = now_ms + delay_ms;
    if (t->due_ms <= t->queue_ms)
        wheel_queue(w, t);
}

/* Does not fire unless set again. Still in the wheel: timer_drop() before its memory goes. */
static inline void timer_stop(struct timer *t)
{
    t->due_ms = TIMER_NEVER;
}

/* Out of the wheel. Harmless after timer_init(), after it fired, and when repeated. */
static inline void timer_drop(struct timer *t)
{
    if (link_is_in(&t->link))
        link_remove(&t->link);
    t->due_ms = t->queue_ms = TIMER_NEVER;
}

static inline bool timer_is_set(const struct timer *t)
{
    return t->due_ms != TIMER_NEVER;
}

#endif
