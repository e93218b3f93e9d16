#ifndef EXCHANGE_READY_H
#define EXCHANGE_READY_H

#include <stdint.h>

#include "base/span.h"

#define READY_FIELDS 16u

/* A field line of a reply. Name in its canonical case; both borrowed, from the arena or static. */
struct reply_field {
    struct span name, value;
};

/*
 * Field lines that were made once and go into many replies: as fields, and as the text that is sent. Immutable, so any
 * thread may read them. No field of a connection is among them (RFC9110:7.6.1): HTTP/2 sends them as they are.
 */
struct ready_fields {
    const struct reply_field *fields; /* in `text` */
    uint32_t count;
    struct span text;  /* "Name: value\r\n" of each (RFC9112:5) */
    const char *lower; /* `text` with the names in lower case, each byte at its place (RFC9113:8.2.1) */
};

/* Bytes of the fields as text. */
size_t reply_text_bytes(const struct reply_field *fields, uint32_t count);

/* Bytes that ready_fields_write() takes. */
size_t ready_fields_bytes(const struct reply_field *fields, uint32_t count);

/* Copy the fields, at most READY_FIELDS, to `room`, which is aligned for any type and must live as long as *out; nothing
 * else is borrowed. */
void ready_fields_write(struct ready_fields *out, const struct reply_field *fields, uint32_t count, void *room);

#endif
