#ifndef IO_PROXY_PROTOCOL_H
#define IO_PROXY_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/span.h"

/*
 * The header of the PROXY protocol, versions 1 and 2: what a load balancer sends ahead of everything else on a
 * connection to say whose connection it is. Works on bytes alone; sockets are the caller's.
 */
#define PROXY_PROTOCOL_V1_BYTES       107u  /* the longest line, CR LF included */
#define PROXY_PROTOCOL_V2_BODY_BYTES  1024u /* of addresses and extensions that are still taken */
#define PROXY_PROTOCOL_V2_WRITE_BYTES 52u   /* the longest that is written */

/* Who is at both ends. A value: copied freely. */
struct proxy_protocol {
    uint8_t version; /* 1 or 2 */
    bool is_known;   /* false (UNKNOWN, LOCAL): the ends are those of the connection itself, and the rest is zero */
    struct sockaddr_storage source, destination; /* of the family of source_len; IPv4 inside IPv6 as it came */
    socklen_t source_len, destination_len;
};

/*
 * Read the header, as far as it has come.
 *
 * in        from the first byte of the connection to the last one received; what is carried may follow. Calls for the
 *           same connection pass never fewer bytes. At most 16 + PROXY_PROTOCOL_V2_BODY_BYTES are looked at
 * header    set when 0
 * used_out  0: bytes of the header; what is carried begins there. -EINVAL: offset of the first offending byte
 * why_out   -EINVAL: a static sentence, without a full stop
 *
 * Returns   0; -EAGAIN: more bytes are needed; -EINVAL: this is no such header, or not one that can be believed, and the
 *           connection has to be closed
 * Memory    none
 * Threads   any
 * Spec      haproxy.org, "The PROXY protocol". Where it leaves a choice: extensions (TLV) are passed over, a checksum
 *           too; numbers of version 1 have no zeros in front; of version 2, only streams are taken
 */
__attribute__((warn_unused_result)) int proxy_protocol_read(struct span in, struct proxy_protocol *header,
                                                            size_t *used_out, const char **why_out);

/*
 * Write the header for a connection from source to destination: TCP4 or TCP6, with IPv4 written inside IPv6 when only
 * one end is IPv6. Ends of any other family, unix sockets too, or NULL: UNKNOWN in version 1, LOCAL in version 2.
 * Returns bytes written; no NUL. Threads: any.
 */
size_t proxy_protocol_write_v1(const struct sockaddr *source, const struct sockaddr *destination,
                               char out[PROXY_PROTOCOL_V1_BYTES]);
size_t proxy_protocol_write_v2(const struct sockaddr *source, const struct sockaddr *destination,
                               char out[PROXY_PROTOCOL_V2_WRITE_BYTES]);

#endif
