#include "record/member_page.h"

#include <string.h>

#define PAGES      4u /* of the longest kind that the ring holds: readers copy one while the next is written */
#define ATTEMPTS   8u

#define PAGE_BYTES ((MEMBER_ROWS + 1) * sizeof(struct member_row))

bool member_page_init(struct member_page *p)
{
    return ring_init(&p->ring, PAGES * PAGE_BYTES, PAGES);
}

void member_page_fini(struct member_page *p)
{
    ring_fini(&p->ring);
}

/* A page without rows has an entry too: what was told before is no more. */
static uint32_t bytes_of(uint32_t count)
{
    return (count + 1) * (uint32_t)sizeof(struct member_row);
}

struct member_row *member_page_begin(struct member_page *p, uint32_t count)
{
    struct member_row *rows = ring_begin(&p->ring, bytes_of(count));

    memset(rows, 0, bytes_of(count));
    return rows;
}

void member_page_end(struct member_page *p, uint32_t count)
{
    ring_end(&p->ring, bytes_of(count));
}

void member_row_name(char to[MEMBER_NAME_BYTES], struct span name)
{
    size_t n = name.n < MEMBER_NAME_BYTES - 1 ? name.n : MEMBER_NAME_BYTES - 1;

    if (n > 0)
        memcpy(to, name.p, n);
    to[n] = '\0';
}

uint32_t member_page_read(const struct member_page *p, struct member_row out[MEMBER_ROWS + 1])
{
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        uint64_t next = ring_next(&p->ring);
        size_t bytes = next > 0 ? ring_read(&p->ring, next - 1, out, PAGE_BYTES) : 0;

        if (bytes > 0)
            return (uint32_t)(bytes / sizeof(struct member_row)) - 1;
        if (next == 0)
            break;
    }
    return 0;
}
