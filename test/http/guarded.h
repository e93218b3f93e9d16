#ifndef TEST_HTTP_GUARDED_H
#define TEST_HTTP_GUARDED_H

#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/span.h"

/*
 * A copy of s whose last byte lies beside an unreadable page: reading s.p[s.n] ends the test.
 * The copy stays until the next call.
 */
static inline struct span guarded(struct span s)
{
    static char *map;
    static size_t map_bytes;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (s.n / page + 1) * page;

    if (map != NULL)
        munmap(map, map_bytes);
    map_bytes = room + page;
    map = mmap(NULL, map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    DIE_UNLESS(map != MAP_FAILED && mprotect(map + room, page, PROT_NONE) == 0);
    if (s.n > 0)
        memcpy(map + room - s.n, s.p, s.n);
    return (struct span){ map + room - s.n, s.n };
}

#endif
