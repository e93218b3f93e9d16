#ifndef IO_JUMP_MEMORY_H
#define IO_JUMP_MEMORY_H

#include <setjmp.h>
#include <stddef.h>

#include "io/link.h"

/*
 * Memory for a library that ends the whole process when it gets none, whatever its allocator: this one does not return
 * to it then, but jumps out of it. All that the library had taken hangs in one ring.
 *
 *   if (setjmp(m->out) != 0)             before each call of the library
 *       jump_memory_give_all(m) ...      what it had made is gone
 *
 * It may not move while it is in use. Threads: none of its own.
 */
struct jump_memory {
    struct link blocks;
    jmp_buf out; /* where to, when the system has no memory */
};

void jump_memory_init(struct jump_memory *m);

/* As malloc() and free(), of the struct jump_memory at `opaque`; never NULL. */
void *jump_memory_take(void *opaque, size_t bytes);
void jump_memory_give(void *opaque, void *bytes);

/* Free what is still taken. */
void jump_memory_give_all(struct jump_memory *m);

#endif
