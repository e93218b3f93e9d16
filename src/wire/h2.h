#ifndef WIRE_H2_H
#define WIRE_H2_H

#include "wire/conn.h"

/*
 * HTTP/2 (RFC 9113) as a server, on top of nghttp2: that library owns frames, the decoding of fields, windows and the order
 * of sending (RFC 9218); messages and exchanges are ours, one exchange for each stream, and so are field blocks that are
 * sent.
 *
 *   socket --> conn_read() --> nghttp2_session_mem_recv() --callbacks--> streams --> exchanges
 *   socket <-- conn_send() <-- output buffer <-- nghttp2_session_mem_send() <-- body->next()
 *
 * Special here: nghttp2 calls back while it is fed. A callback notes what happened to a stream; graphs run when the feed
 * has returned, and what they have to send goes out once for all of them, at the end of the round.
 */
extern const struct codec_ops h2_codec;

extern const struct wire_protocol h2_protocol;

/* What a client of HTTP/2 begins with. RFC9113:3.4 */
#define H2_PREFACE_BYTES 24u
extern const char h2_preface[H2_PREFACE_BYTES + 1];

/* c speaks HTTP/2 from now on; what is in its buffer is the beginning. c may be closed on return. */
void h2_begin(struct conn *c);

/* Free what HTTP/2 has of c; it has no exchanges any more, and is being closed. */
void h2_release(struct conn *c);

#endif
