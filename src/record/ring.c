#include "record/ring.h"

#include "base/check.h"
#include "record/pages.h"

#define SPARE_PARTS 32u /* so much of the ring is given up at once */

_Static_assert(RING_ALIGN_BYTES % alignof(max_align_t) == 0, "an entry may hold anything");

/* The thread sanitizer does not know fences; gcc warns of each. Nothing depends on it: what they order is hidden from
 * it anyway (see copy_out()). */
#if defined __SANITIZE_THREAD__
#pragma GCC diagnostic ignored "-Wtsan"
#endif

/* n or more; `least` is a power of two itself. */
static uint64_t power_of_two(uint64_t n, uint64_t least)
{
    while (least < n)
        least *= 2;
    return least;
}

static size_t places_bytes(const struct ring *r)
{
    return r->fixed.count * sizeof *r->fixed.places;
}

bool ring_init(struct ring *r, size_t bytes, uint32_t count)
{
    *r = (struct ring){ .fixed = { .size = power_of_two(bytes, RING_ALIGN_BYTES), .count = power_of_two(count, 1) } };
    r->fixed.bytes = pages_map(r->fixed.size);
    r->fixed.places = pages_map(places_bytes(r));
    if (r->fixed.bytes != NULL && r->fixed.places != NULL)
        return true;
    ring_fini(r);
    return false;
}

void ring_fini(struct ring *r)
{
    pages_unmap(r->fixed.bytes, r->fixed.size);
    pages_unmap(r->fixed.places, places_bytes(r));
    *r = (struct ring){ 0 };
}

static struct ring_place *place_of(const struct ring *r, uint64_t n)
{
    return &r->fixed.places[n & (r->fixed.count - 1)];
}

/* Where an entry of so many bytes can begin: it lies in one piece. */
static uint64_t begin_at(const struct ring *r, uint32_t bytes)
{
    uint64_t until_wrap = r->fixed.size - (r->head & (r->fixed.size - 1));

    return bytes <= until_wrap ? r->head : r->head + until_wrap;
}

static uint64_t entry_at(const struct ring *r, uint64_t n)
{
    return atomic_load_explicit(&place_of(r, n)->at, memory_order_relaxed);
}

/* The first of the entries [n, next) that lies behind what must be free before `free_end`. */
static uint64_t first_behind(const struct ring *r, uint64_t n, uint64_t next, uint64_t free_end)
{
    while (n < next) {
        uint64_t middle = n + (next - n) / 2;

        if (entry_at(r, middle) + r->fixed.size < free_end)
            n = middle + 1;
        else
            next = middle;
    }
    return n;
}

/*
 * Readers must see that the old entries are gone before anything of the new one: the fence keeps the store of `first`
 * before all stores that follow.
 */
static void give_up(struct ring *r, uint64_t free_end, uint64_t next_end)
{
    uint64_t next = atomic_load_explicit(&r->next, memory_order_relaxed);
    uint64_t first = first_behind(r, atomic_load_explicit(&r->first, memory_order_relaxed), next, free_end);

    if (first + r->fixed.count < next_end)
        first = next_end - r->fixed.count;
    r->tail = first < next ? entry_at(r, first) : r->head;
    r->next_end = first + r->fixed.count;
    atomic_store_explicit(&r->first, first, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

bool ring_make_room(struct ring *r, uint32_t bytes)
{
    const uint64_t spare = r->fixed.size / SPARE_PARTS / RING_ALIGN_BYTES * RING_ALIGN_BYTES;
    uint64_t next = atomic_load_explicit(&r->next, memory_order_relaxed), wrap;

    if (bytes > r->fixed.size / 2)
        return false;
    r->head = begin_at(r, bytes);
    if (r->head + bytes > r->tail + r->fixed.size || next == r->next_end)
        give_up(r, r->head + bytes + spare, next + 1 + r->fixed.count / SPARE_PARTS);
    wrap = (r->head | (r->fixed.size - 1)) + 1;
    r->free_end = r->tail + r->fixed.size < wrap ? r->tail + r->fixed.size : wrap;
    return true;
}

uint64_t ring_first(const struct ring *r)
{
    return atomic_load_explicit(&r->first, memory_order_acquire);
}

uint64_t ring_next(const struct ring *r)
{
    return atomic_load_explicit(&r->next, memory_order_acquire);
}

/*
 * The bytes may be those of a newer entry by now, and change while they are read: ring_read() looks afterwards, and
 * throws such a copy away. The thread sanitizer cannot know that, so it must not look: neither at plain loads, hence the
 * attribute, nor at atomic ones or a memcpy() that the loops are made into, hence volatile, which loads each word once,
 * as a relaxed atomic would.
 */
__attribute__((no_sanitize("thread"))) static void copy_out(char *to, const char *from, size_t bytes)
{
    size_t i = 0;

    for (; bytes - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        uint64_t word = *(const volatile uint64_t *)(const void *)(from + i);

        __builtin_memcpy(to + i, &word, sizeof word);
    }
    for (; i < bytes; i++)
        to[i] = *(const volatile char *)(from + i);
}

/* Is entry n still there, after all that was loaded before? */
static bool is_there(const struct ring *r, uint64_t n)
{
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&r->first, memory_order_relaxed) <= n;
}

size_t ring_read(const struct ring *r, uint64_t n, void *to, size_t room)
{
    const struct ring_place *place;
    uint64_t at;
    size_t bytes;

    if (n >= ring_next(r))
        return 0;
    place = place_of(r, n);
    at = atomic_load_explicit(&place->at, memory_order_relaxed);
    bytes = atomic_load_explicit(&place->bytes, memory_order_relaxed);
    if (!is_there(r, n) || bytes > room)
        return 0;
    copy_out(to, r->fixed.bytes + (at & (r->fixed.size - 1)), bytes);
    return is_there(r, n) ? bytes : 0;
}
