#ifndef EXCHANGE_TRACE_H
#define EXCHANGE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#define TRACE_WORDS 4

/* Bit 2 * node + answer is set when that branch is taken. Edges only point down, so the set of bits is the path. */
struct trace {
    uint64_t w[TRACE_WORDS];
};

static inline void trace_add(struct trace *t, unsigned bit)
{
    t->w[bit / 64] |= UINT64_C(1) << (bit % 64);
}

static inline bool trace_has(const struct trace *t, unsigned bit)
{
    return (t->w[bit / 64] >> (bit % 64)) & 1;
}

#endif
