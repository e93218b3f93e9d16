#include "res/file/cache.h"

#include <stdlib.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define ENTRY_BYTES UINT64_C(1024) /* about, of a short file */
#define BUCKETS_MAX (UINT32_C(1) << 22)

/* As many as there will be entries, about. */
static uint32_t buckets_for(uint32_t opened, uint64_t bytes)
{
    uint32_t buckets = 16;

    while (buckets < opened + bytes / ENTRY_BYTES && buckets < BUCKETS_MAX)
        buckets *= 2;
    return buckets;
}

bool file_cache_init(struct file_cache *c, uint32_t opened, uint64_t bytes)
{
    uint32_t buckets = buckets_for(opened, bytes);

    *c = (struct file_cache){ .mask = buckets - 1, .opened_max = opened, .bytes_max = bytes };
    link_init(&c->lru[false]);
    link_init(&c->lru[true]);
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
    struct link *ring = &c->lru[e->from_disk];

    e->used = ++c->uses;
    if (ring->prev == &e->lru)
        return;
    link_remove(&e->lru);
    link_append(ring, &e->lru);
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
    c->opened -= e->from_disk;
    c->bytes -= e->bytes;
    e->in_table = false;
    if (e->users == 0)
        file_entry_free(e);
}

/* The least recently used of a ring, or NULL. */
static struct file_entry *oldest_of(const struct link *ring)
{
    return link_is_empty(ring) ? NULL : of_link(ring->next);
}

static struct file_entry *oldest(const struct file_cache *c)
{
    struct file_entry *kept = oldest_of(&c->lru[false]), *opened = oldest_of(&c->lru[true]);

    if (kept == NULL || opened == NULL)
        return kept != NULL ? kept : opened;
    return kept->used < opened->used ? kept : opened;
}

/* Never the last one: it has just come, and may be larger than the limit. */
static void push_out(struct file_cache *c)
{
    while (c->opened > c->opened_max && c->opened > 1)
        file_cache_remove(c, oldest_of(&c->lru[true]));
    while (c->bytes > c->bytes_max && c->entries > 1)
        file_cache_remove(c, oldest(c));
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
    link_append(&c->lru[e->from_disk], &e->lru);
    e->used = ++c->uses;
    e->in_table = true;
    c->entries++;
    c->opened += e->from_disk;
    c->bytes += e->bytes;
    push_out(c);
}

void file_cache_grow(struct file_cache *c, struct file_entry *e, uint64_t bytes)
{
    e->bytes += bytes;
    if (!e->in_table)
        return;
    c->bytes += bytes;
    use(c, e);
    push_out(c);
}

void file_cache_clear(struct file_cache *c)
{
    while (c->entries > 0)
        file_cache_remove(c, oldest(c));
}

void file_cache_close_files(struct file_cache *c)
{
    while (!link_is_empty(&c->lru[true]))
        file_cache_remove(c, oldest_of(&c->lru[true]));
}

void file_cache_fini(struct file_cache *c)
{
    if (c->buckets == NULL)
        return;
    file_cache_clear(c);
    free(c->buckets);
    c->buckets = NULL;
}
