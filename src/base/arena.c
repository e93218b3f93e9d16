#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_BYTES ((size_t)8192)

struct arena_block {
    struct arena_block *next;
    size_t bytes;
    alignas(max_align_t) char data[];
};

void arena_init(struct arena *a, void *first, size_t bytes, size_t limit)
{
    *a = (struct arena){ .left = limit, .limit = limit };
    a->first_free = a->free = first;
    a->first_end = a->end = first != NULL ? a->free + bytes : a->free;
}

static bool block_add(struct arena *a, size_t need)
{
    size_t bytes = need > BLOCK_BYTES ? need : BLOCK_BYTES;
    struct arena_block *b;

#ifdef ARENA_EACH_ALONE
    bytes = need;
#endif
    if (need > a->left)
        return false;
    if (bytes > a->left)
        bytes = a->left;
    b = malloc(sizeof *b + bytes);
    if (b == NULL)
        return false;
    *b = (struct arena_block){ .next = a->blocks, .bytes = bytes };
    a->blocks = b;
    a->left -= bytes;
    a->free = b->data;
    a->end = b->data + bytes;
    return true;
}

void *arena_take(struct arena *a, size_t bytes)
{
    const size_t align = alignof(max_align_t);
    size_t need = (bytes + align - 1) & ~(align - 1);
    char *p;

#ifdef ARENA_EACH_ALONE /* set by the sanitizer builds: one block per take gives red zones for free */
    if (need < bytes || !block_add(a, need))
        goto full;
#else
    if (need < bytes || ((size_t)(a->end - a->free) < need && !block_add(a, need)))
        goto full;
#endif
    p = a->free;
    a->free += need;
    return p;
full:
    a->full = true;
    return NULL;
}

void *arena_zero(struct arena *a, size_t bytes)
{
    void *p = arena_take(a, bytes);

    return p != NULL ? memset(p, 0, bytes) : NULL;
}

struct span arena_copy(struct arena *a, struct span s)
{
    return arena_join(a, &s, 1);
}

struct span arena_join(struct arena *a, const struct span parts[], size_t count)
{
    size_t total = 0;
    char *p, *to;

    for (size_t i = 0; i < count; i++)
        total += parts[i].n;
    p = to = arena_take(a, total + 1);
    if (p == NULL)
        return (struct span){ 0 };
    for (size_t i = 0; i < count; i++) {
        if (parts[i].n > 0)
            memcpy(to, parts[i].p, parts[i].n);
        to += parts[i].n;
    }
    *to = '\0';
    return (struct span){ p, total };
}

struct span arena_print(struct arena *a, const char *format, ...)
{
    va_list args;
    int n;
    char *p;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || (p = arena_take(a, (size_t)n + 1)) == NULL)
        return (struct span){ 0 };
    va_start(args, format);
    n = vsnprintf(p, (size_t)n + 1, format, args);
    va_end(args);
    return (struct span){ p, n > 0 ? (size_t)n : 0 };
}

bool arena_on_reset(struct arena *a, void (*fn)(void *), void *arg)
{
    struct arena_defer *d = arena_take(a, sizeof *d);

    if (d == NULL)
        return false;
    *d = (struct arena_defer){ a->defers, fn, arg };
    a->defers = d;
    return true;
}

void arena_extend(struct arena *a, size_t bytes)
{
    a->left += bytes;
    a->full = false;
}

void arena_reset(struct arena *a)
{
    while (a->defers != NULL) {
        struct arena_defer *d = a->defers;

        a->defers = d->next;
        d->fn(d->arg);
    }
    while (a->blocks != NULL) {
        struct arena_block *b = a->blocks;

        a->blocks = b->next;
        free(b);
    }
    a->free = a->first_free;
    a->end = a->first_end;
    a->left = a->limit;
    a->full = false;
}
