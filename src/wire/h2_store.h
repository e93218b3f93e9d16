#ifndef WIRE_H2_STORE_H
#define WIRE_H2_STORE_H

#include <stddef.h>

#define H2_STORE_SIZES 16u
#define H2_STORE_BYTES (1u << 20) /* kept at most */

struct h2_piece;

/*
 * Memory of a worker's streams: a dozen small pieces for each, kept by size for the next stream of any connection. Larger
 * ones come from the system and go back to it, and so does what is more than H2_STORE_BYTES. Zeroed, it is empty.
 *
 * Threads  the worker's
 */
struct h2_store {
    struct h2_piece *free[H2_STORE_SIZES];
    size_t kept_bytes;
};

/* Aligned for any type, not zeroed; NULL without memory. */
void *h2_store_take(struct h2_store *store, size_t bytes);

/* What was taken with so many bytes. */
void h2_store_give(struct h2_store *store, void *piece, size_t bytes);

/* Give all that is kept back to the system. */
void h2_store_free(struct h2_store *store);

#endif
