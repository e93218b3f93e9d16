#include "io/jump_memory.h"

#include <stdint.h>
#include <stdlib.h>

struct block {
    _Alignas(max_align_t) struct link link;
    char bytes[];
};

void jump_memory_init(struct jump_memory *m)
{
    link_init(&m->blocks);
}

void *jump_memory_take(void *opaque, size_t bytes)
{
    struct jump_memory *m = opaque;
    struct block *b = bytes <= SIZE_MAX - sizeof *b ? malloc(sizeof *b + bytes) : NULL;

    if (b == NULL)
        longjmp(m->out, 1);
    b->link = (struct link){ 0 };
    link_append(&m->blocks, &b->link);
    return b->bytes;
}

void jump_memory_give(void *opaque, void *bytes)
{
    struct block *b;

    (void)opaque;
    if (bytes == NULL)
        return;
    b = (struct block *)((char *)bytes - offsetof(struct block, bytes));
    link_remove(&b->link);
    free(b);
}

void jump_memory_give_all(struct jump_memory *m)
{
    for (struct link *l = m->blocks.next, *next; l != &m->blocks; l = next) {
        next = l->next;
        free(l);
    }
    link_init(&m->blocks);
}
