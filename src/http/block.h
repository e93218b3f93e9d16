#ifndef HTTP_BLOCK_H
#define HTTP_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Sixteen bytes looked at together. The compiler makes vector instructions of what is written with blocks where the
 * machine has them, and plain ones elsewhere; block_bits() alone is written for a machine.
 *
 * A set is a block with all bits of a lane on, or none. Sets come from comparisons and are joined with & and |.
 */
typedef uint8_t block __attribute__((vector_size(16)));

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte is the lowest");

#define BLOCK_BYTES 16u
#define BLOCK_ALL   0xffffu /* block_bits() of the set of all lanes */

static inline block block_load(const char *p)
{
    block b;

    memcpy(&b, p, sizeof b);
    return b;
}

/* The n < BLOCK_BYTES bytes at p, then NULs. Reads n bytes only. */
static inline block block_load_part(const char *p, size_t n)
{
    typedef uint64_t halves __attribute__((vector_size(16)));
    uint64_t low = 0, high = 0;
    uint32_t first, last;

    if (n >= 8) {
        memcpy(&low, p, 8);
        memcpy(&high, p + n - 8, 8);
        high = high >> 8 >> 8 * (15 - n); /* without the bytes that both have */
    } else if (n >= 4) {
        memcpy(&first, p, 4);
        memcpy(&last, p + n - 4, 4);
        low = first | (uint64_t)last << 8 * (n - 4);
    } else if (n > 0) {
        low = (uint64_t)(uint8_t)p[0] | (uint64_t)(uint8_t)p[n / 2] << 8 * (n / 2) |
              (uint64_t)(uint8_t)p[n - 1] << 8 * (n - 1);
    }
    return (block)(halves){ low, high };
}

/* The first n bytes at p, n > 0, as many as a block holds; NULs behind them. */
static inline block block_load_some(const char *p, size_t n)
{
    return n >= BLOCK_BYTES ? block_load(p) : block_load_part(p, n);
}

/* The lanes that hold c. */
static inline block block_is(block b, char c)
{
    return (block)(b == (uint8_t)c);
}

/* The lanes that hold a byte from `first` to `last`. */
static inline block block_in(block b, uint8_t first, uint8_t last)
{
    return (block)(b - first <= (uint8_t)(last - first));
}

/* Bit i: lane i is in the set. */
static inline unsigned block_bits(block set)
{
#if defined __SSE2__
    typedef char lanes __attribute__((vector_size(16)));

    return (unsigned)__builtin_ia32_pmovmskb128((lanes)set);
#else
    unsigned bits = 0;

    for (unsigned i = 0; i < BLOCK_BYTES; i++)
        bits |= (set[i] & 1u) << i;
    return bits;
#endif
}

/* Lanes before the first that is on; bits != 0. */
static inline unsigned block_first(unsigned bits)
{
    return (unsigned)__builtin_ctz(bits);
}

/* The bits before the first of `bits`; all, and beyond, when there is none. */
static inline unsigned block_before(unsigned bits)
{
    return (bits & -bits) - 1;
}

#endif
