#include "io/log_ring.h"

#include <stdlib.h>

bool log_ring_init(struct log_ring *r, size_t bytes, struct log *log)
{
    uint64_t size = 64;

    while (size < bytes)
        size *= 2;
    *r = (struct log_ring){ .fixed = { .bytes = malloc(size), .size = size, .log = log } };
    return r->fixed.bytes != NULL;
}

void log_ring_fini(struct log_ring *r)
{
    free(r->fixed.bytes);
    r->fixed.bytes = NULL;
}

static uint64_t used(struct log_ring *r, uint64_t head)
{
    r->producer.tail_seen = atomic_load_explicit(&r->consumer.tail, memory_order_acquire);
    return head - r->producer.tail_seen;
}

bool log_ring_put(struct log_ring *r, struct span line)
{
    const uint64_t head = atomic_load_explicit(&r->producer.head, memory_order_relaxed);
    const uint64_t at = head & (r->fixed.size - 1);
    const uint64_t until_end = r->fixed.size - at;
    const size_t first = line.n < until_end ? line.n : until_end;

    if (r->fixed.size - (head - r->producer.tail_seen) < line.n && r->fixed.size - used(r, head) < line.n) {
        uint64_t dropped = atomic_load_explicit(&r->producer.dropped, memory_order_relaxed);

        atomic_store_explicit(&r->producer.dropped, dropped + 1, memory_order_relaxed);
        return false;
    }
    memcpy(r->fixed.bytes + at, line.p, first);
    memcpy(r->fixed.bytes, line.p + first, line.n - first);
    /* Sequentially consistent, and so is the look at the sleeper that follows it: see log_line(). */
    atomic_store(&r->producer.head, head + line.n);
    return true;
}

bool log_ring_is_half_full(struct log_ring *r)
{
    const uint64_t head = atomic_load_explicit(&r->producer.head, memory_order_relaxed);

    return head - r->producer.tail_seen > r->fixed.size / 2 && used(r, head) > r->fixed.size / 2;
}

size_t log_ring_take(struct log_ring *r, char *to, size_t room)
{
    const uint64_t tail = atomic_load_explicit(&r->consumer.tail, memory_order_relaxed);
    const uint64_t there = atomic_load(&r->producer.head) - tail;
    const uint64_t at = tail & (r->fixed.size - 1);
    const uint64_t until_end = r->fixed.size - at;
    size_t n = there < room ? there : room;
    const size_t first = n < until_end ? n : until_end;
    const char *end;

    if (n == 0)
        return 0;
    memcpy(to, r->fixed.bytes + at, first);
    memcpy(to + first, r->fixed.bytes, n - first);
    if (n < there) {
        end = memrchr(to, '\n', n);
        n = end != NULL ? (size_t)(end + 1 - to) : 0;
    }
    atomic_store_explicit(&r->consumer.tail, tail + n, memory_order_release);
    return n;
}

bool log_ring_is_empty(const struct log_ring *r)
{
    return atomic_load(&r->producer.head) == atomic_load_explicit(&r->consumer.tail, memory_order_relaxed);
}

uint64_t log_ring_dropped(const struct log_ring *r)
{
    return atomic_load_explicit(&r->producer.dropped, memory_order_relaxed);
}
