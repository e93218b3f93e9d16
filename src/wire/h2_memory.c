#include "wire/h2_memory.h"

#include <stddef.h>
#include <string.h>

/* A piece, and what is before it. */
struct owned {
    struct link link;
    size_t whole; /* bytes, with these */
    _Alignas(max_align_t) char bytes[];
};

static struct owned *owned_of(void *bytes)
{
    return (struct owned *)((char *)bytes - offsetof(struct owned, bytes));
}

static void *refused(struct h2_memory *m)
{
    m->refused = true;
    return NULL;
}

static void *piece_take(size_t bytes, void *user)
{
    struct h2_memory *m = user;
    size_t whole = sizeof(struct owned) + bytes;
    struct owned *o = whole > bytes ? h2_store_take(m->store, whole) : NULL;

    if (o == NULL)
        return refused(m);
    o->whole = whole;
    link_append(&m->pieces, &o->link);
    return o->bytes;
}

static void *piece_zero(size_t count, size_t bytes, void *user)
{
    size_t all;
    void *to = __builtin_mul_overflow(count, bytes, &all) ? refused(user) : piece_take(all, user);

    return to != NULL ? memset(to, 0, all) : NULL;
}

static void piece_give(void *bytes, void *user)
{
    struct h2_memory *m = user;
    struct owned *o;

    if (bytes == NULL)
        return;
    o = owned_of(bytes);
    link_remove(&o->link);
    h2_store_give(m->store, o, o->whole);
}

static void *piece_grow(void *bytes, size_t wanted, void *user)
{
    void *to = piece_take(wanted, user);
    size_t had;

    if (to == NULL || bytes == NULL)
        return to;
    had = owned_of(bytes)->whole - sizeof(struct owned);
    memcpy(to, bytes, had < wanted ? had : wanted);
    piece_give(bytes, user);
    return to;
}

void h2_memory_init(struct h2_memory *m, struct h2_store *store)
{
    *m = (struct h2_memory){ .store = store };
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
        struct owned *o = (struct owned *)((char *)l - offsetof(struct owned, link));

        next = l->next;
        h2_store_give(m->store, o, o->whole);
    }
    link_init(&m->pieces);
}
