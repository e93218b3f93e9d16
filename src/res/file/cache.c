#include "res/file/cache.h"

#include <stdlib.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

bool file_cache_init(struct file_cache *c, uint32_t entries, uint64_t bytes)
{
    uint32_t buckets = 16;

    while (buckets < entries && buckets < UINT32_C(1) << 24)
        buckets *= 2;
    *c = (struct file_cache){ .mask = buckets - 1, .entries_max = entries, .bytes_max = bytes };
    link_init(&c->lru);
    if (getrandom(&c->seed, sizeof c->seed, 0) != sizeof c->seed)
        return false;
    c->buckets = calloc(buckets, sizeof(struct file_entry *));
    return c->buckets != NULL;
}

static struct file_entry *of_link(struct link *l)
{
    return (struct file_entry *)((char *)l - offsetof(struct file_entry, lru));
}

static uint64_t hash_of(const struct file_cache *c, uint32_t root, enum file_kind kind, struct span path)
{
    return XXH3_64bits_withSeed(path.p, path.n, c->seed ^ ((uint64_t)root << 1 | (uint64_t)kind));
}

bool file_cache_about(const struct file_entry *e, uint32_t root, enum file_kind kind, struct span path)
{
    return e->root == root && e->kind == kind && span_is((struct span){ e->path, e->path_bytes }, path);
}

static void use(struct file_cache *c, struct file_entry *e)
{
    if (c->lru.prev == &e->lru)
        return;
    link_remove(&e->lru);
    link_append(&c->lru, &e->lru);
}

struct file_entry *file_cache_find(struct file_cache *c, uint32_t root, enum file_kind kind, struct span path)
{
    uint64_t hash = hash_of(c, root, kind, path);

    for (struct file_entry *e = c->buckets[hash & c->mask]; e != NULL; e = e->next) {
        if (e->hash != hash || !file_cache_about(e, root, kind, path))
            continue;
        use(c, e);
        return e;
    }
    return NULL;
}

void file_cache_remove(struct file_cache *c, struct file_entry *e)
{
    struct file_entry **at = &c->buckets[e->hash & c->mask];

    if (!e->in_table)
        return;
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    link_remove(&e->lru);
    c->entries--;
    c->bytes -= e->bytes;
    e->in_table = false;
    if (e->users == 0)
        file_entry_free(e);
}

/* Never `keep`: it has just come, and may be larger than the limit. */
static void push_out(struct file_cache *c, const struct file_entry *keep)
{
    while ((c->entries > c->entries_max || c->bytes > c->bytes_max) && of_link(c->lru.next) != keep)
        file_cache_remove(c, of_link(c->lru.next));
}

void file_cache_add(struct file_cache *c, struct file_entry *e)
{
    struct span path = { e->path, e->path_bytes };
    struct file_entry *before = file_cache_find(c, e->root, e->kind, path);

    if (before != NULL)
        file_cache_remove(c, before);
    e->hash = hash_of(c, e->root, e->kind, path);
    e->next = c->buckets[e->hash & c->mask];
    c->buckets[e->hash & c->mask] = e;
    link_append(&c->lru, &e->lru);
    e->in_table = true;
    c->entries++;
    c->bytes += e->bytes;
    push_out(c, e);
}

void file_cache_grow(struct file_cache *c, struct file_entry *e, uint64_t bytes)
{
    e->bytes += bytes;
    if (!e->in_table)
        return;
    c->bytes += bytes;
    use(c, e);
    push_out(c, e);
}

void file_cache_clear(struct file_cache *c)
{
    while (!link_is_empty(&c->lru))
        file_cache_remove(c, of_link(c->lru.next));
}

void file_cache_fini(struct file_cache *c)
{
    if (c->buckets == NULL)
        return;
    file_cache_clear(c);
    free(c->buckets);
    c->buckets = NULL;
}
