#ifndef RECORD_PAGES_H
#define RECORD_PAGES_H

#include <stddef.h>
#include <sys/mman.h>

/* Zeroed memory straight from the system, so that what is never touched costs no memory. bytes > 0; NULL: there is
 * none. */
static inline void *pages_map(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p != MAP_FAILED ? p : NULL;
}

/* As many bytes as were mapped. NULL is ignored. */
static inline void pages_unmap(void *p, size_t bytes)
{
    if (p != NULL)
        munmap(p, bytes);
}

#endif
