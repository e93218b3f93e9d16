#ifndef HTTP_HPACK_H
#define HTTP_HPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

#define HPACK_TABLE_BYTES 4096u /* what every decoder begins with, and the most that is used. RFC9113:6.5.2 */
#define HPACK_LARGE_BYTES 2048u /* name and value of a line that is remembered have less: as a long policy has */
#define HPACK_ENTRIES     (HPACK_TABLE_BYTES / 32)
#define HPACK_SLOTS       256u

/* Of a field block that is written: what hpack_begin() adds, and hpack_write() to name and value. */
#define HPACK_BEGIN_BYTES 12u
#define HPACK_LINE_BYTES  16u

struct hpack_entry {
    uint16_t at, name_bytes, value_bytes; /* where they are in hpack.text */
};

/*
 * Compression of the fields that are sent on one connection of HTTP/2 (RFC 7541): lines that were sent before go as their
 * number, others as they are, without the code of Huffman, which costs more time than the bytes that it saves here.
 *
 * Zeroed, it is ready but for hpack_init().
 * Memory   none but its own
 * Threads  none; each call changes what the peer's decoder must know, so blocks are sent whole and in this order
 */
struct hpack {
    uint32_t inserted;                         /* lines, ever */
    uint32_t count;                            /* of them, still in the table: the last ones */
    uint32_t bytes;                            /* of the table. RFC7541:4.1 */
    uint32_t most;                             /* of those */
    uint32_t least;                            /* ... at any time since the last block */
    bool resized;                              /* the decoder has to be told */
    uint32_t text_at;                          /* where the next line's text goes */
    struct hpack_entry entries[HPACK_ENTRIES]; /* line number n at n % HPACK_ENTRIES, the first has number 0 */
    uint8_t slots[HPACK_SLOTS];                /* by hash: 1 + place of an entry, perhaps one that has left since */
    char text[HPACK_TABLE_BYTES + HPACK_LARGE_BYTES];
};

void hpack_init(struct hpack *h);

/* The decoder's SETTINGS_HEADER_TABLE_SIZE. RFC7541:4.2 */
void hpack_limit(struct hpack *h, uint32_t bytes);

/* A field block begins at `at`. Returns where its lines go. */
char *hpack_begin(struct hpack *h, char *at);

/*
 * Write a line. Its name is in lower case and not empty; of those that begin with a colon there is only :status.
 * Returns where the next one goes.
 */
char *hpack_write(struct hpack *h, char *at, struct span name, struct span value);

#endif
