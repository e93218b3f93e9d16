#ifndef WIRE_H2_MEMORY_H
#define WIRE_H2_MEMORY_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>

#include "io/link.h"
#include "wire/h2_store.h"

/*
 * Memory of one session of nghttp2. Every piece is known here, because a session to which memory was refused cannot be
 * trusted to give back what it has: then all of it is freed at once, and the session itself left alone.
 *
 * Threads  the connection's
 */
struct h2_memory {
    struct h2_store *store; /* where pieces come from */
    struct link pieces;
    bool refused; /* there was none: the session must not be used any more, nor deleted */
};

void h2_memory_init(struct h2_memory *m, struct h2_store *store);

/* For nghttp2_session_server_new3(); m stays where it is. */
nghttp2_mem h2_memory_allocator(struct h2_memory *m);

/* Free what the session did not give back. */
void h2_memory_release(struct h2_memory *m);

#endif
