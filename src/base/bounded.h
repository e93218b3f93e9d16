#ifndef BASE_BOUNDED_H
#define BASE_BOUNDED_H

#include <stddef.h>
#include <stdint.h>

#include "base/decimal.h"
#include "base/span.h"

/*
 * Text written into a buffer that may prove too small: writing never passes `room`, counting goes on, so that one
 * dry run (room 0, out NULL) tells the size. After the last put, bytes > room means: cut off. No NUL is written.
 */
struct bounded {
    char *out;
    size_t room, bytes;
};

static inline void bounded_put(struct bounded *b, struct span s)
{
    if (b->bytes < b->room && s.n > 0) {
        size_t fits = b->room - b->bytes;

        memcpy(b->out + b->bytes, s.p, s.n < fits ? s.n : fits);
    }
    b->bytes += s.n;
}

/* In decimal, without leading zeros. */
static inline void bounded_put_number(struct bounded *b, uint64_t number)
{
    char digits[DECIMAL_BYTES];

    bounded_put(b, (struct span){ digits, (size_t)(decimal_write(digits, number) - digits) });
}

#endif
