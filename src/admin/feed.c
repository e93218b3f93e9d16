#include "admin/feed.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/events.h"
#include "admin/member.h"
#include "admin/row.h"
#include "admin/text.h"

#define QUERY_BYTES ((size_t)256 << 10) /* a decoded query; targets are far shorter */

/* A row found, to be put in order with those of other workers. */
struct found {
    uint64_t ended_ms;
    uint64_t age; /* place in the look */
    json_t *row;
};

struct look {
    struct found found[2 * EVENTS_ROWS]; /* what is told so far, and those of one more worker */
    uint32_t count;
    uint64_t skipped, looked_at;
};

void feed_text_release(struct feed_text *t)
{
    if (t != NULL && --t->holders == 0)
        free(t);
}

static bool view_wanted(const struct feed *f, const struct admin_view *view)
{
    return view->is_admin == f->filter.of_admin;
}

/* A stream begins now, and has no pages. */
static bool has_no_place(const struct query *q, struct span *bad_out)
{
    static const struct span names[] = { SPAN_INIT("since"), SPAN_INIT("before"), SPAN_INIT("limit") };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (query_value(q, names[i]).p != NULL) {
            *bad_out = names[i];
            return true;
        }
    return false;
}

static bool room_make(struct feed *f, const struct admin_source *source)
{
    f->positions = calloc(source->view_count, sizeof *f->positions);
    for (uint32_t i = 0; i < source->view_count; i++) {
        size_t bytes = record_room(source->views[i].recorder);

        f->room_bytes = bytes > f->room_bytes ? bytes : f->room_bytes;
    }
    f->room = malloc(f->room_bytes);
    return f->positions != NULL && f->room != NULL;
}

struct feed *feed_new(const struct admin_source *source, struct span query, uint64_t unix_ms, struct arena *a,
                      struct span *bad_out)
{
    struct feed *f = calloc(1, sizeof *f);

    *bad_out = (struct span){ 0 };
    if (f == NULL)
        return NULL;
    arena_init(&f->arena, NULL, 0, QUERY_BYTES);
    f->text = arena_copy(&f->arena, query);
    if (!query_parse(&f->arena, f->text, &f->query, bad_out) || has_no_place(&f->query, bad_out) ||
        !filter_read(&f->filter, &f->query, unix_ms, bad_out) || !room_make(f, source)) {
        *bad_out = arena_copy(a, *bad_out);
        feed_release(&f);
        return NULL;
    }
    for (uint32_t i = 0; i < source->view_count; i++)
        f->positions[i] = ring_next(&source->views[i].recorder->all);
    return f;
}

void feed_release(struct feed **feed)
{
    struct feed *f = *feed;

    *feed = NULL;
    if (f == NULL)
        return;
    feed_text_release(f->current);
    arena_reset(&f->arena);
    free(f->positions);
    free(f->room);
    free(f);
}

static void found_add(struct look *l, const struct admin_source *source, const struct record *r, uint32_t worker)
{
    json_t *row = row_json(source, r, worker);

    if (row != NULL)
        l->found[l->count++] = (struct found){ r->moments.ended_ms, l->looked_at++, row };
    else
        l->skipped++;
}

/* Those of the same millisecond in the order of the look, which is that of their worker. */
static int newest_first(const void *a_in, const void *b_in)
{
    const struct found *a = a_in, *b = b_in;

    if (a->ended_ms != b->ended_ms)
        return (a->ended_ms < b->ended_ms) - (a->ended_ms > b->ended_ms);
    return (a->age > b->age) - (a->age < b->age);
}

/* Only the newest are told. */
static void found_cut(struct look *l)
{
    qsort(l->found, l->count, sizeof *l->found, newest_first);
    while (l->count > EVENTS_ROWS) {
        json_decref(l->found[--l->count].row);
        l->skipped++;
    }
}

/* What one worker has recorded since the last look, from the newest back. */
static void worker_look(struct feed *f, struct look *l, const struct admin_source *source, uint32_t worker)
{
    const struct ring *ring = &source->views[worker].recorder->all;
    uint64_t from = f->positions[worker], next = ring_next(ring), first = ring_first(ring);
    bool open = filter_is_open(&f->filter);
    uint32_t told = 0;

    f->positions[worker] = next;
    for (uint64_t n = next; n > from && n > first; n--) {
        const struct record *r;

        if (told == EVENTS_ROWS && open) {
            l->skipped += n - from;
            break;
        }
        r = record_read(ring, n - 1, f->room, f->room_bytes);
        if (r == NULL || !filter_passes(&f->filter, source, r))
            continue;
        if (told < EVENTS_ROWS)
            found_add(l, source, r, worker);
        else
            l->skipped++;
        told += told < EVENTS_ROWS;
    }
    found_cut(l);
}

/* {"rows":[...],"skipped":N}, oldest first; the rows are given away. NULL without memory. */
static char *rows_print(struct look *l)
{
    json_t *data = json_object(), *rows = json_array();
    size_t bytes;
    char *text;

    for (uint32_t i = l->count; i > 0; i--)
        element(&rows, l->found[i - 1].row);
    member(&data, "rows", rows);
    member_number(&data, "skipped", l->skipped);
    text = text_of_json(data, &bytes);
    json_decref(data);
    return text;
}

/* Without memory there is no new text, never an empty one, which would end the stream: the next one tells what was
 * missed. */
static void text_replace(struct feed *f, const struct look *l, const char *rows, struct span pulse)
{
    size_t room = (rows != NULL ? strlen(rows) : 0) + pulse.n + 64;
    struct feed_text *t = rows != NULL || pulse.n > 0 ? malloc(sizeof *t + room) : NULL;
    int n = 0;

    f->rows_after += l->count + l->skipped;
    if (t == NULL)
        return;
    *t = (struct feed_text){ .holders = 1, .number = ++f->texts, .rows_after = f->rows_after };
    t->rows = rows != NULL ? l->count + l->skipped : 0;
    if (rows != NULL)
        n = snprintf(t->text, room, "event: exchanges\ndata: %s\n\n", rows);
    if (pulse.n > 0)
        n += snprintf(t->text + n, room - (size_t)n, "event: pulse\ndata: %.*s\n\n", (int)pulse.n, pulse.p);
    t->bytes = (size_t)n;
    feed_text_release(f->current);
    f->current = t;
}

void feed_look(struct feed *f, const struct admin_source *source, struct span pulse)
{
    struct look l = { .count = 0 };
    char *rows;

    for (uint32_t i = 0; i < source->view_count; i++)
        if (view_wanted(f, &source->views[i]))
            worker_look(f, &l, source, i);
    if (l.count == 0 && l.skipped == 0 && pulse.n == 0)
        return;
    rows = l.count > 0 || l.skipped > 0 ? rows_print(&l) : NULL;
    text_replace(f, &l, rows, pulse);
    free(rows);
}
