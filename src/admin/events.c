#include "admin/events.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/feed.h"
#include "admin/member.h"
#include "admin/text.h"
#include "exchange/wait.h"

#define NOTE_BYTES 96u

/* One stream. In the exchange's arena. */
struct reader {
    struct body body;
    struct reader *next, *before;
    struct events *events;
    struct feed *feed;
    struct exchange *x;
    struct feed_text *sending;  /* held until the next piece is asked for */
    uint64_t number, rows_seen; /* of the feed, when it was looked at last */
    uint32_t ticket;
    bool begun, waits;
    char note[NOTE_BYTES];
};

struct events {
    const struct admin_source *source;
    struct feed *feeds;
    struct reader *readers;
    uint32_t reader_count;
    uint64_t pulse_due_ms;
    bool ended;
};

struct events *events_new(const struct admin_source *source)
{
    struct events *e = calloc(1, sizeof *e);

    if (e != NULL)
        e->source = source;
    return e;
}

/* Feeds that nobody reads any more: what they have not told would be old. */
static void feeds_sweep(struct events *e)
{
    for (struct feed **at = &e->feeds; *at != NULL;) {
        struct feed *f = *at;

        if (f->readers > 0) {
            at = &f->next;
            continue;
        }
        *at = f->next;
        feed_release(&f);
    }
}

void events_release(struct events **events)
{
    struct events *e = *events;

    *events = NULL;
    if (e == NULL)
        return;
    feeds_sweep(e);
    free(e);
}

bool events_wanted(const struct events *e)
{
    return e->reader_count > 0;
}

static void wait_cancel(void *with)
{
    struct reader *r = with;

    r->waits = false;
}

static enum flow reader_wait(struct reader *r)
{
    r->waits = true;
    r->ticket = r->x->wait.ticket;
    return exchange_wait(r->x, "events", wait_cancel, r);
}

/* Rows that were told to faster readers meanwhile. */
static struct span missed_note(struct reader *r, uint64_t missed)
{
    int n = snprintf(r->note, sizeof r->note, "event: exchanges\ndata: {\"rows\":[],\"skipped\":%llu}\n\n",
                     (unsigned long long)missed);

    return (struct span){ r->note, n > 0 ? (size_t)n : 0 };
}

static struct span news(struct reader *r)
{
    struct feed_text *t = r->feed->current;
    uint64_t missed = t->rows_after - t->rows - r->rows_seen;

    if (missed > 0) {
        r->rows_seen += missed;
        return missed_note(r, missed);
    }
    t->holders++;
    r->sending = t;
    r->number = t->number;
    r->rows_seen = t->rows_after;
    return (struct span){ t->text, t->bytes };
}

static enum flow reader_next(struct body *b, struct exchange *x, struct piece *out)
{
    struct reader *r = (struct reader *)b;

    (void)x;
    feed_text_release(r->sending);
    r->sending = NULL;
    *out = piece_of((struct span){ 0 });
    if (r->events->ended)
        return FLOW_GO;
    if (!r->begun)
        *out = piece_of(SPAN("retry: 2000\n\n"));
    else if (r->number < r->feed->texts)
        *out = piece_of(news(r));
    else
        return reader_wait(r);
    r->begun = true;
    return FLOW_GO;
}

static void reader_stop(struct body *b)
{
    struct reader *r = (struct reader *)b;

    feed_text_release(r->sending);
    r->feed->readers--;
    if (r->before != NULL)
        r->before->next = r->next;
    else
        r->events->readers = r->next;
    if (r->next != NULL)
        r->next->before = r->before;
    r->events->reader_count--;
}

static const struct body_ops reader_ops = { .next = reader_next, .stop = reader_stop };

static struct feed *feed_for(struct events *e, struct exchange *x, uint64_t unix_ms, struct span *bad_out)
{
    struct span query = x->req.target.query;
    struct feed *f;

    feeds_sweep(e);
    f = e->feeds;
    while (f != NULL && !span_is(f->text, query))
        f = f->next;
    if (f != NULL)
        return f;
    f = feed_new(e->source, query, unix_ms, &x->arena, bad_out);
    if (f == NULL)
        return NULL;
    f->next = e->feeds;
    e->feeds = f;
    return f;
}

static void reader_add(struct events *e, struct reader *r)
{
    r->next = e->readers;
    if (r->next != NULL)
        r->next->before = r;
    e->readers = r;
    e->reader_count++;
    r->feed->readers++;
}

enum flow events_join(struct events *e, struct exchange *x, uint64_t unix_ms, uint32_t readers_most)
{
    struct reader *r = arena_zero(&x->arena, sizeof *r);
    struct span bad = { 0 };

    if (e->reader_count >= readers_most)
        return STOP_ABOUT(x, R_event_streams_full, 0, arena_print(&x->arena, "%u readers", readers_most));
    if (r == NULL)
        return STOP(x, R_exchange_memory_exhausted, 0);
    *r = (struct reader){ .body = { .ops = &reader_ops, .length = -1 }, .events = e, .x = x };
    r->feed = feed_for(e, x, unix_ms, &bad);
    if (r->feed == NULL && bad.n > 0)
        return STOP_ABOUT(x, R_query_invalid, 0, bad);
    if (r->feed == NULL)
        return STOP(x, R_worker_memory_exhausted, 0);
    r->number = r->feed->texts;
    r->rows_seen = r->feed->rows_after;
    reader_add(e, r);
    x->reply.body = &r->body;
    return FLOW_GO;
}

/* {"now_ms":...,"total":{...}}; NULL without memory. */
static char *pulse_print(struct api *api)
{
    json_t *pulse = json_object(), *total = api_total(api);
    size_t bytes;
    char *text;

    member_number(&pulse, "now_ms", api->unix_ms);
    member(&pulse, "total", total);
    text = text_of_json(pulse, &bytes);
    json_decref(pulse);
    return text;
}

/* A reader that ends by being woken takes only itself out of the list. */
static void readers_wake(struct events *e)
{
    for (struct reader *r = e->readers, *next; r != NULL; r = next) {
        next = r->next;
        if (!r->waits || (!e->ended && r->number == r->feed->texts))
            continue;
        r->waits = false;
        exchange_wake(r->x, r->ticket);
    }
}

void events_tick(struct events *e, struct api *api)
{
    bool due = api->now_ms >= e->pulse_due_ms;
    char *pulse = due ? pulse_print(api) : NULL;

    if (due)
        e->pulse_due_ms = api->now_ms + EVENTS_PULSE;
    for (struct feed *f = e->feeds; f != NULL; f = f->next)
        feed_look(f, e->source, pulse != NULL ? span_of(pulse) : (struct span){ 0 });
    free(pulse);
    readers_wake(e);
    feeds_sweep(e);
}

void events_end(struct events *e)
{
    e->ended = true;
    readers_wake(e);
}
