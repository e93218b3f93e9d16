#include "wire/h2_memory.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A piece, and what is before it. */
struct owned {
    struct link link;
    _Alignas(max_align_t) char bytes[];
};

static struct owned *owned_of(void *bytes)
{
    return (struct owned *)((char *)bytes - offsetof(struct owned, bytes));
}

static void *kept(struct h2_memory *m, struct owned *o)
{
    if (o == NULL) {
        m->refused = true;
        return NULL;
    }
    link_append(&m->pieces, &o->link);
    return o->bytes;
}

static void *piece_take(size_t bytes, void *user)
{
    return kept(user, bytes <= SIZE_MAX - sizeof(struct owned) ? malloc(sizeof(struct owned) + bytes) : NULL);
}

static void *piece_zero(size_t count, size_t bytes, void *user)
{
    size_t all;
    void *to = __builtin_mul_overflow(count, bytes, &all) ? kept(user, NULL) : piece_take(all, user);

    return to != NULL ? memset(to, 0, all) : NULL;
}

static void piece_give(void *bytes, void *user)
{
    (void)user;
    if (bytes == NULL)
        return;
    link_remove(&owned_of(bytes)->link);
    free(owned_of(bytes));
}

static void *piece_grow(void *bytes, size_t wanted, void *user)
{
    struct h2_memory *m = user;
    struct owned *o;

    if (bytes == NULL)
        return piece_take(wanted, user);
    link_remove(&owned_of(bytes)->link);
    o = wanted <= SIZE_MAX - sizeof *o ? realloc(owned_of(bytes), sizeof *o + wanted) : NULL;
    if (o == NULL)
        link_append(&m->pieces, &owned_of(bytes)->link); /* it is where it was */
    return kept(m, o);
}

void h2_memory_init(struct h2_memory *m)
{
    *m = (struct h2_memory){ .refused = false };
    link_init(&m->pieces);
}

nghttp2_mem h2_memory_allocator(struct h2_memory *m)
{
    return (nghttp2_mem){
        .mem_user_data = m, .malloc = piece_take, .free = piece_give, .calloc = piece_zero, .realloc = piece_grow
    };
}

void h2_memory_release(struct h2_memory *m)
{
    for (struct link *l = m->pieces.next, *next; l != &m->pieces; l = next) {
        next = l->next;
        free((char *)l - offsetof(struct owned, link));
    }
    link_init(&m->pieces);
}
