#ifndef HTTP_TARGET_FRONT_H
#define HTTP_TARGET_FRONT_H

#include "http/block.h"
#include "http/head.h"

/*
 * Bit i: lane i is '?', or SP, or no URI character, or one of '!', '$' and '='. Those few are rare in paths, and with them
 * the set is four ranges.
 */
static inline unsigned target_front_ends(block b)
{
    return block_bits(block_in(b, 0, '%') | block_in(b, '<', '?') | block_is(b, '\\') | block_in(b, 0x7f, 0xff));
}

/* s: a target, with or without what stands behind it. Reads s.n bytes only. */
static inline struct target_front target_front_of(struct span s)
{
    unsigned slash_before = 0, pairs = 0, ends = 0;
    size_t i = 0;

    while (ends == 0 && i < s.n) {
        block b = block_load_some(s.p + i, s.n - i);
        unsigned slashes = block_bits(block_is(b, '/')), dots = block_bits(block_is(b, '.'));

        ends = target_front_ends(b);
        pairs |= (slashes << 1 | slash_before) & (slashes | dots) & block_before(ends);
        slash_before = slashes >> (BLOCK_BYTES - 1);
        i += ends == 0 ? BLOCK_BYTES : block_first(ends);
    }
    return (struct target_front){ (uint32_t)i, pairs == 0 };
}

#endif
