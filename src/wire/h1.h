#ifndef WIRE_H1_H
#define WIRE_H1_H

#include "wire/conn.h"

/*
 * HTTP/1.x (RFC 9112) as a server: one exchange at a time on a connection, pipelined requests in their order.
 *
 * Special here: the head is parsed in place and its spans stay in the buffer until the exchange has ended; content is
 * read into the window behind it. Nothing here recurses: whoever has more to do when a callback returns defers a turn.
 */
extern const struct codec_ops h1_codec;

extern const struct wire_protocol h1_protocol;

/* The parts of the codec, each in a file of its own. */

/* The reply has left, or cannot: give the exchange back; the connection goes on, lingers or closes. */
void h1_over(struct conn *c);

/* codec_ops.content */
enum flow h1_content(struct exchange *x, struct span *piece);

/* Read away what is left of the request's content. FLOW_GO: all gone; FLOW_WAIT: more must arrive; FLOW_STOP: give up.
 */
enum flow h1_content_discard(struct conn *c);

/* Is all of the content here or known to be so short that reading it away is cheaper than a new connection? */
bool h1_content_drainable(const struct conn *c);

/* The next bytes are those of another protocol, up to the end of the connection. */
void h1_content_unframe(struct conn *c);

/* codec_ops.interim; with fields of more than WIRE_INTERIM_BYTES it is left away */
void h1_interim(struct exchange *x, enum reason why, const struct reply_field *fields, uint32_t count);
#define WIRE_INTERIM_BYTES 8192u

/* codec_ops.takes_pipes */
bool h1_takes_pipes(const struct exchange *x);

/* codec_ops.reply; called again after a body that had to wait was woken */
void h1_reply(struct exchange *x);

/* Send on. FLOW_GO: all sent; FLOW_WAIT: the socket or the body is not ready; FLOW_STOP: broken, x->broken set. */
enum flow h1_send(struct conn *c);

/* The socket has been full for a part of the time that it may be. False: the client has taken nothing for all of it;
 * else it is looked at again. */
bool h1_send_moves(struct conn *c);

#endif
