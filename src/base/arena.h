#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

struct arena_block;

struct arena_defer {
    struct arena_defer *next;
    void (*fn)(void *);
    void *arg;
};

/*
 * Memory of one exchange: many small things that die together.
 *
 * Threads  none; an arena belongs to one worker.
 * Errors   when the limit is reached or the system has no memory, arena_take() returns NULL and `full` stays set
 *          until reset. Builders of a reply may ignore NULL (the copying helpers accept it); the codec checks `full`
 *          once, before the first byte leaves.
 */
struct arena {
    char *free, *end;             /* what is left of the current block */
    struct arena_block *blocks;   /* from the system, newest first */
    struct arena_defer *defers;   /* newest first; run by reset in that order */
    size_t left;                  /* bytes that may still be taken from the system */
    size_t limit;                 /* what `left` returns to on reset, bytes */
    char *first_free, *first_end; /* the first block, kept over resets */
    bool full;
};

/* Start with the caller's `first` block of `bytes` (may be NULL, 0), growing from the system by up to `limit` bytes. */
void arena_init(struct arena *a, void *first, size_t bytes, size_t limit);

/* bytes > 0; aligned for any type; not zeroed; NULL when full. */
void *arena_take(struct arena *a, size_t bytes);

/* As arena_take(), zeroed. */
void *arena_zero(struct arena *a, size_t bytes);

/* A copy in the arena; the empty span when full. A NUL follows the copy, outside its length. */
struct span arena_copy(struct arena *a, struct span s);

/* The parts one after the other, as arena_copy(). */
struct span arena_join(struct arena *a, const struct span parts[], size_t count);

/* printf into the arena, as arena_copy(). */
struct span arena_print(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* fn(arg) runs at reset, newest first. False (and nothing is registered) when full. */
bool arena_on_reset(struct arena *a, void (*fn)(void *), void *arg);

/* Forget `full` and let so many bytes more be taken until reset: enough to say that it was full. */
void arena_extend(struct arena *a, size_t bytes);

/* Runs the defers, returns the memory, forgets `full`; the first block stays. O(blocks + defers). */
void arena_reset(struct arena *a);

#endif
