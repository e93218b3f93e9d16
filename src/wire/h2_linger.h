#ifndef WIRE_H2_LINGER_H
#define WIRE_H2_LINGER_H

#include <stdbool.h>
#include <stdint.h>

struct h2;

#define H2_LINGERS 32u

/*
 * Streams of one connection whose responses have left while the client still sends. There are clients that lose the
 * response when the stream is reset at once, so their content is read away for a while, as HTTP/1.1 does before it closes
 * (linger_ms, linger_bytes); then the stream is reset with NO_ERROR. RFC9113:8.1
 */
struct h2_linger {
    struct {
        int32_t id;
        uint64_t until_ms;
    } all[H2_LINGERS]; /* the oldest first */
    uint32_t count;
    uint64_t bytes; /* read away since there were none */
};

/* One more; the oldest gives way where there are too many. */
void h2_linger_add(struct h2 *h2, int32_t id);

/* n bytes of content came that nobody wants. */
void h2_linger_read(struct h2 *h2, uint64_t n);

/* Does the stream linger? */
bool h2_linger_has(const struct h2 *h2, int32_t id);

/* Reset those whose time is over. */
void h2_linger_look(struct h2 *h2);

#endif
