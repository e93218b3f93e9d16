/*
 * A hashed wheel in which a slot never holds two turns: what is due later than a turn from now waits in the farthest
 * slot and is queued anew from there. So a slot that comes up is worked off whole, and nothing is compared by turn.
 *
 *   tick t covers due times in ((t - 1) * 64, t * 64] and comes up when now >= t * 64
 */
#include "io/wheel.h"

#include <limits.h>

#include "base/check.h"

_Static_assert((WHEEL_SLOTS & (WHEEL_SLOTS - 1)) == 0, "slots are found by a mask");
_Static_assert(offsetof(struct timer, link) == 0, "the ring's members are cast back");

void wheel_init(struct wheel *w, uint64_t now_ms)
{
    *w = (struct wheel){ .tick = now_ms / WHEEL_TICK_MS };
    link_init(&w->firing);
    for (uint64_t i = 0; i < WHEEL_SLOTS; i++)
        link_init(&w->slots[i]);
}

void wheel_queue(struct wheel *w, struct timer *t)
{
    uint64_t tick = t->due_ms / WHEEL_TICK_MS + (t->due_ms % WHEEL_TICK_MS != 0);
    uint64_t slot;

    DIE_UNLESS(t->fire != NULL);
    if (tick <= w->tick)
        tick = w->tick + 1;
    if (tick >= w->tick + WHEEL_SLOTS)
        tick = w->tick + WHEEL_SLOTS - 1;
    slot = tick & (WHEEL_SLOTS - 1);
    if (link_is_in(&t->link))
        link_remove(&t->link);
    link_append(&w->slots[slot], &t->link);
    w->in_use[slot / 64] |= UINT64_C(1) << slot % 64;
    t->queue_ms = (tick - 1) * WHEEL_TICK_MS;
}

/* Everything that comes up until tick `last` goes to w->firing, oldest slot first. */
static void collect(struct wheel *w, uint64_t last)
{
    uint64_t count = last - w->tick < WHEEL_SLOTS ? last - w->tick : WHEEL_SLOTS;

    for (uint64_t i = 1; i <= count; i++) {
        uint64_t slot = (w->tick + i) & (WHEEL_SLOTS - 1);

        link_move_all(&w->slots[slot], &w->firing);
        w->in_use[slot / 64] &= ~(UINT64_C(1) << slot % 64);
    }
    w->tick = last;
}

void wheel_advance(struct wheel *w, uint64_t now_ms)
{
    const uint64_t last = now_ms / WHEEL_TICK_MS;

    if (last <= w->tick)
        return;
    collect(w, last);
    while (!link_is_empty(&w->firing)) {
        struct timer *t = (struct timer *)w->firing.next;

        link_remove(&t->link);
        t->queue_ms = TIMER_NEVER;
        if (t->due_ms > now_ms) {
            if (timer_is_set(t))
                wheel_queue(w, t);
            continue;
        }
        t->due_ms = TIMER_NEVER;
        t->fire(t);
    }
}

/* Ticks from now to the first slot marked in use, 1 to WHEEL_SLOTS - 1; 0: none. */
static uint64_t next_in_use(const struct wheel *w)
{
    for (uint64_t i = 1; i < WHEEL_SLOTS;) {
        uint64_t slot = (w->tick + i) & (WHEEL_SLOTS - 1);
        uint64_t bits = w->in_use[slot / 64] >> slot % 64;

        if (bits != 0)
            return i + (uint64_t)__builtin_ctzll(bits);
        i += 64 - slot % 64;
    }
    return 0;
}

int wheel_wait_ms(struct wheel *w, uint64_t now_ms)
{
    uint64_t ahead, up_ms;

    while ((ahead = next_in_use(w)) != 0) {
        uint64_t slot = (w->tick + ahead) & (WHEEL_SLOTS - 1);

        if (!link_is_empty(&w->slots[slot]))
            break;
        w->in_use[slot / 64] &= ~(UINT64_C(1) << slot % 64);
    }
    if (ahead == 0)
        return -1;
    up_ms = (w->tick + ahead) * WHEEL_TICK_MS;
    return up_ms > now_ms ? (int)(up_ms - now_ms) : 0;
}
