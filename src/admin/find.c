#include "admin/find.h"

#include <stdlib.h>

#include "exchange/exchange.h"

#define ALIGN_BYTES 16u

/* Those of a worker lie side by side: first the one of all its exchanges, then those of what is kept longer. */
#define RINGS 3u

struct find_ring {
    const struct ring *ring;
    uint64_t at; /* the next one to read is the one before */
    struct record *room;
    size_t room_bytes;
    const struct record *head; /* the newest that was not told yet; in room; NULL: to be read */
    uint32_t worker;
};

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGN_BYTES - 1) & ~(size_t)(ALIGN_BYTES - 1);
}

static size_t room_of(const struct admin_view *view)
{
    return aligned(record_room(view->recorder));
}

static void ring_add(struct find *f, const struct ring *ring, uint64_t at, uint32_t worker, char **room)
{
    size_t bytes = room_of(&f->source->views[worker]);

    f->rings[f->ring_count++] = (struct find_ring){
        .ring = ring, .at = at, .room = (struct record *)*room, .room_bytes = bytes, .worker = worker
    };
    *room += bytes;
}

/* What is kept longer is looked at first, so that all of it is in the other ring too, as recorder_write() promises: else
 * one that ends meanwhile would hide the twins of those before it. */
static void worker_add(struct find *f, uint32_t worker, char **room)
{
    const struct recorder *r = f->source->views[worker].recorder;
    uint64_t refused_at = ring_next(&r->refused), kept_at = ring_next(&r->kept);

    ring_add(f, &r->all, ring_next(&r->all), worker, room);
    ring_add(f, &r->refused, refused_at, worker, room);
    ring_add(f, &r->kept, kept_at, worker, room);
}

bool find_begin(struct find *f, const struct admin_source *source, bool of_admin)
{
    size_t rings_bytes = aligned(RINGS * (size_t)source->view_count * sizeof *f->rings + 1);
    size_t bytes = rings_bytes;
    char *room;

    *f = (struct find){ .source = source };
    for (uint32_t i = 0; i < source->view_count; i++)
        if (source->views[i].is_admin == of_admin)
            bytes += RINGS * room_of(&source->views[i]);
    room = malloc(bytes);
    if (room == NULL)
        return false;
    f->rings = (struct find_ring *)room;
    room += rings_bytes;
    for (uint32_t i = 0; i < source->view_count; i++)
        if (source->views[i].is_admin == of_admin)
            worker_add(f, i, &room);
    return true;
}

void find_end(struct find *f)
{
    free(f->rings);
    f->rings = NULL;
}

/* What vanishes while it is walked over was the oldest. */
static void ring_load(struct find_ring *r)
{
    while (r->head == NULL && r->at > ring_first(r->ring))
        r->head = record_read(r->ring, --r->at, r->room, r->room_bytes);
}

/* Leave out those that ended later: a worker's exchanges are recorded in the order of their ends. */
static void ring_seek(struct find_ring *r, uint64_t ended_ms)
{
    uint64_t low = ring_first(r->ring), high = r->at;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        const struct record *record = record_read(r->ring, middle, r->room, r->room_bytes);

        if (record != NULL && record->moments.ended_ms > ended_ms)
            high = middle;
        else
            low = middle + 1;
    }
    r->at = high;
}

/* The newest of all that were not told yet. Of the same millisecond the first ring's comes first: an order that stays. */
static struct find_ring *newest(struct find *f)
{
    struct find_ring *best = NULL;

    for (uint32_t i = 0; i < f->ring_count; i++) {
        struct find_ring *r = &f->rings[i];

        ring_load(r);
        if (r->head != NULL && (best == NULL || r->head->moments.ended_ms > best->head->moments.ended_ms))
            best = r;
    }
    return best;
}

/* Take the newest; what is in two rings of its worker is taken from both. */
static const struct record *take(struct find *f)
{
    struct find_ring *from = newest(f), *first;
    const struct record *r;

    if (from == NULL)
        return NULL;
    first = &f->rings[(size_t)(from - f->rings) / RINGS * RINGS];
    r = from->head;
    from->head = NULL;
    for (struct find_ring *twin = first; twin < first + RINGS; twin++)
        if (twin->head != NULL && twin->head->number == r->number)
            twin->head = NULL;
    f->worker = from->worker;
    return r;
}

/* Behind the cursor. Of its own millisecond all are passed over up to it, and if it is gone, to the end of that one:
 * better a few too few than one twice. */
static const struct record *take_behind(struct find *f)
{
    const struct record *r;

    for (uint32_t i = 0; i < f->ring_count; i++)
        ring_seek(&f->rings[i], f->before.ended_ms);
    do {
        r = take(f);
        if (r == NULL || r->moments.ended_ms < f->before.ended_ms)
            return r;
    } while (r->number != f->before.number);
    return take(f);
}

const struct record *find_next(struct find *f)
{
    if (!f->before.set)
        return take(f);
    f->before.set = false;
    return take_behind(f);
}

static struct record *copy_of(const struct record *r)
{
    size_t bytes = record_bytes(r);
    struct record *copy = malloc(bytes);

    if (copy != NULL)
        memcpy(copy, r, bytes);
    return copy;
}

/* The newest of that number, or of any. */
static struct record *find_one(const struct admin_source *source, bool of_admin, const uint64_t *number,
                               uint32_t *worker_out)
{
    const struct record *r;
    struct record *copy = NULL;
    struct find f;

    if (!find_begin(&f, source, of_admin))
        return NULL;
    do
        r = find_next(&f);
    while (r != NULL && number != NULL && r->number != *number);
    if (r != NULL)
        copy = copy_of(r);
    *worker_out = f.worker;
    find_end(&f);
    return copy;
}

struct record *find_id(const struct admin_source *source, struct span id, uint32_t *worker_out)
{
    struct record *found;
    uint64_t number;

    if (span_is(id, SPAN("last")))
        return find_one(source, false, NULL, worker_out);
    if (!exchange_number(id, &number))
        return NULL;
    found = find_one(source, false, &number, worker_out);
    return found != NULL ? found : find_one(source, true, &number, worker_out);
}
