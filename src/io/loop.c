/*
 * The tag epoll hands back is generation << 32 | slot, never a pointer. A slot that was left, and perhaps taken again
 * for a descriptor of the same number, has another generation: an event fetched before that is seen to be stale.
 *
 *   epoll --tag--> slots[slot] --generation equal?--> watch->ready()
 */
#include "io/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define FIRST_SLOTS 64u

static void read_clock(struct loop *l)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    l->now_ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
    clock_gettime(CLOCK_REALTIME, &t);
    l->unix_s = t.tv_sec;
    l->unix_ms = l->unix_s * 1000 + t.tv_nsec / 1000000;
}

int loop_init(struct loop *l)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);

    if (fd < 0)
        return -errno;
    *l = (struct loop){ .epoll_fd = fd };
    link_init(&l->deferred);
    link_init(&l->running);
    read_clock(l);
    return 0;
}

void loop_fini(struct loop *l)
{
    close(l->epoll_fd);
    l->epoll_fd = -1;
    free(l->slots);
    l->slots = NULL;
    l->slots_size = l->first_free = 0;
    while (!link_is_empty(&l->deferred))
        link_remove(l->deferred.next);
}

/* Slot 0 is never used, so that a zeroed watch is an unwatched one. */
static int slots_grow(struct loop *l)
{
    uint32_t size = l->slots_size == 0 ? FIRST_SLOTS : l->slots_size * 2;
    struct loop_slot *slots = size > l->slots_size ? reallocarray(l->slots, size, sizeof *slots) : NULL;

    if (slots == NULL)
        return -ENOMEM;
    for (uint32_t i = size; i-- > l->slots_size && i > 0;) {
        slots[i] = (struct loop_slot){ .next_free = l->first_free };
        l->first_free = i;
    }
    l->slots = slots;
    l->slots_size = size;
    return 0;
}

static void slot_leave(struct loop *l, struct watch *w)
{
    struct loop_slot *s = &l->slots[w->slot];

    s->watch = NULL;
    s->generation++;
    s->next_free = l->first_free;
    l->first_free = w->slot;
    w->slot = 0;
}

int loop_watch(struct loop *l, struct watch *w, uint32_t events)
{
    struct epoll_event event = { .events = events };
    struct loop_slot *s;
    int err;

    if (l->first_free == 0 && slots_grow(l) != 0)
        return -ENOMEM;
    w->slot = l->first_free;
    s = &l->slots[w->slot];
    l->first_free = s->next_free;
    s->watch = w;
    event.data.u64 = (uint64_t)s->generation << 32 | w->slot;
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, w->fd, &event) == 0)
        return 0;
    err = -errno;
    slot_leave(l, w);
    return err;
}

void loop_unwatch(struct loop *l, struct watch *w)
{
    if (w->slot == 0)
        return;
    epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    slot_leave(l, w);
}

void loop_close(struct loop *l, struct watch *w)
{
    if (w->slot != 0)
        slot_leave(l, w);
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
}

static int deliver(struct loop *l, int fetched)
{
    int delivered = 0;

    for (int i = 0; i < fetched; i++) {
        const uint64_t tag = l->events[i].data.u64;
        const struct loop_slot *s = &l->slots[(uint32_t)tag];

        if (s->watch == NULL || s->generation != (uint32_t)(tag >> 32))
            continue;
        s->watch->ready(s->watch, l->events[i].events);
        delivered++;
    }
    return delivered;
}

static void run_deferred(struct loop *l)
{
    link_move_all(&l->deferred, &l->running);
    while (!link_is_empty(&l->running)) {
        struct deferred *d = (struct deferred *)l->running.next;

        link_remove(&d->link);
        d->run(d);
    }
}

_Static_assert(offsetof(struct deferred, link) == 0, "the ring's members are cast back");

int loop_round(struct loop *l, int wait_ms)
{
    const int wait = link_is_empty(&l->deferred) ? wait_ms : 0;
    const int fetched = epoll_wait(l->epoll_fd, l->events, LOOP_BATCH, wait);
    const int err = fetched < 0 && errno != EINTR ? -errno : 0;
    int delivered;

    read_clock(l);
    delivered = deliver(l, fetched);
    run_deferred(l);
    return err != 0 ? err : delivered;
}

void loop_defer(struct loop *l, struct deferred *d)
{
    if (!link_is_in(&d->link))
        link_append(&l->deferred, &d->link);
}

void loop_undefer(struct deferred *d)
{
    if (link_is_in(&d->link))
        link_remove(&d->link);
}
