#include "io/resolve_cache.h"

#include <stdlib.h>

_Static_assert(offsetof(struct resolve_entry, used) == 0, "the ring's members are cast back");

bool resolve_cache_init(struct resolve_cache *c, uint32_t limit)
{
    uint32_t size = 16;

    while (size < limit && size < UINT32_C(1) << 20)
        size *= 2;
    *c = (struct resolve_cache){ .mask = size - 1, .limit = limit > 0 ? limit : 1 };
    link_init(&c->used);
    c->buckets = calloc(size, sizeof(void *));
    return c->buckets != NULL;
}

void resolve_cache_fini(struct resolve_cache *c)
{
    if (c->buckets == NULL)
        return;
    for (struct link *l = c->used.next, *next; l != &c->used; l = next) {
        next = l->next;
        free((struct resolve_entry *)l);
    }
    free(c->buckets);
    *c = (struct resolve_cache){ 0 };
}

/* FNV-1a: names are short, and a chain is never longer than the limit. */
static struct resolve_entry **bucket_of(struct resolve_cache *c, struct span name)
{
    uint32_t hash = UINT32_C(2166136261);

    for (size_t i = 0; i < name.n; i++)
        hash = (hash ^ (unsigned char)name.p[i]) * UINT32_C(16777619);
    return &c->buckets[(hash ^ hash >> 16) & c->mask];
}

static void entry_free(struct resolve_cache *c, struct resolve_entry *e)
{
    struct resolve_entry **at = bucket_of(c, (struct span){ e->name, e->name_bytes });

    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    link_remove(&e->used);
    c->count--;
    free(e);
}

/* What is being asked for belongs to the question until it is answered. */
static bool make_room(struct resolve_cache *c)
{
    for (struct link *l = c->used.next; c->count >= c->limit && l != &c->used;) {
        struct resolve_entry *e = (struct resolve_entry *)l;

        l = l->next;
        if (!e->asking)
            entry_free(c, e);
    }
    return c->count < c->limit;
}

static struct resolve_entry *entry_new(struct resolve_cache *c, struct span name)
{
    struct resolve_entry *e = make_room(c) ? calloc(1, sizeof *e + name.n + 1) : NULL;
    struct resolve_entry **bucket = bucket_of(c, name);

    if (e == NULL)
        return NULL;
    memcpy(e->name, name.p, name.n);
    e->name_bytes = name.n;
    link_init(&e->waiters);
    link_append(&c->used, &e->used);
    e->next = *bucket;
    *bucket = e;
    c->count++;
    return e;
}

struct resolve_entry *resolve_cache_take(struct resolve_cache *c, struct span name)
{
    for (struct resolve_entry *e = *bucket_of(c, name); e != NULL; e = e->next) {
        if (!span_is((struct span){ e->name, e->name_bytes }, name))
            continue;
        link_remove(&e->used);
        link_append(&c->used, &e->used);
        return e;
    }
    return entry_new(c, name);
}

static void answer_found(const struct resolve_entry *e, bool stale, struct resolve_answer *answer)
{
    answer->outcome = RESOLVE_FOUND;
    answer->text = NULL;
    answer->stale = stale;
    answer->expires_ms = stale ? e->failed_until_ms : e->fresh_until_ms;
    answer->count = e->count;
    memcpy(answer->addresses, e->addresses, e->count * sizeof *e->addresses);
}

bool resolve_entry_answer(const struct resolve_entry *e, uint64_t now_ms, struct resolve_answer *answer)
{
    const bool failed = now_ms < e->failed_until_ms;

    if (e->count > 0 && now_ms < e->fresh_until_ms)
        return answer_found(e, false, answer), true;
    if (failed && e->count > 0 && now_ms < e->stale_until_ms)
        return answer_found(e, true, answer), true;
    if (!failed)
        return false;
    answer->outcome = e->failure;
    answer->text = e->text;
    answer->stale = false;
    answer->expires_ms = e->failed_until_ms;
    answer->count = 0;
    return true;
}
