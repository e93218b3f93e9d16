#ifndef WIRE_H2_IMPL_H
#define WIRE_H2_IMPL_H

#include <nghttp2/nghttp2.h>

#include "http/h2_head.h"
#include "http/hpack.h"
#include "wire/h2.h"
#include "wire/h2_content.h"
#include "wire/h2_linger.h"
#include "wire/h2_memory.h"
#include "wire/h2_pace.h"

/* RFC9113:4.1 */
#define H2_FRAME_HEAD_BYTES 9u

/* Longer than any head that is made here, or that an upstream may send. */
#define H2_HEAD_BYTES (2u << 20)

/* One field line of a head to send. */
struct h2_line {
    struct span name, value; /* in the stream's arena; the name in lower case */
};

/* A head that nghttp2 was told of without its lines: they are compressed when its turn has come. */
struct h2_block_out {
    struct h2_block_out *next; /* of the stream */
    struct h2_line *lines;
    size_t count;
    size_t most_bytes; /* of the field block */
};

/* One request and its response. */
struct h2_stream {
    struct h2 *h2;
    struct h2_stream *next, *before; /* the connection's */
    struct h2_stream *next_due;      /* behind it in h2->due */
    struct exchange *x;              /* never NULL */
    int32_t id;
    bool on_spare;
    bool is_due;    /* it is in h2->due */
    bool head_done; /* the exchange runs */
    bool arrived;   /* something of the content came, or its end */
    bool lingers;   /* the response has left, and the client still sends */
    bool hears;     /* ... in a tunnel, where it is still listened to */
    bool closed;    /* nghttp2 knows it no more */
    bool by_client; /* ... because the client reset it */
    bool reply_begun, reply_done, body_ended;
    uint32_t error;    /* closed with: RFC9113:7 */
    uint64_t moved_ms; /* when something last came or went */
    struct h2_head head;
    struct h2_content content;
    struct h2_block_out *blocks; /* to be sent, the next one first */
    struct piece piece;          /* of the reply's content, not yet in a frame */
};

/* One connection. */
struct h2 {
    struct conn *c;
    nghttp2_session *session;
    struct h2_memory memory; /* of the session */
    struct h2_stream *streams;
    struct h2_stream *heads_of; /* nghttp2 has told that a head of it goes, and gives the frame next */
    struct h2_stream *recent;   /* what nghttp2 told of last, if it knows it still */
    uint32_t stream_count;
    struct h2_stream *due, **due_end; /* to be seen to when the feed has returned */
    char *out;                        /* to be sent; NULL: nothing */
    uint32_t out_from, out_to;
    const uint8_t *frame; /* behind `out`: nghttp2's, valid until it is asked for the next, or `large` */
    size_t frame_bytes;
    char *large;       /* a head for which `out` had no room; NULL: none */
    struct hpack pack; /* of the fields that are sent */
    uint64_t moved_ms; /* when content of any stream last went */
    struct h2_pace pace;
    struct h2_linger linger;
    struct verdict ends;         /* why we end the connection; R_NONE: we do not */
    char ends_text[64];          /* the operand of it */
    bool look_is_set, look_idle; /* the timer is set; for an idle connection, which has no stream and nothing to send */
    bool running;                /* inside of h2_protocol.run(), which sends in its end */
    bool goes;                   /* GOAWAY was told: it closes when its last stream has ended */
    bool last_told;              /* ... with the last stream that will be answered */
    bool over_streams;           /* the client opened one more than it may, and the connection ends */
    int32_t last_id;             /* the highest number of a stream that the client has named */
    int32_t passed_from, passed_to; /* the numbers that it passed over, the last time that it did */
    uint32_t refused;               /* streams beyond the limit before the client knew it: to be recorded */
};

/* h2.c */

/* The client has seen that we close: what it sends from now on is not answered. RFC9113:6.8 */
void h2_drained(struct h2 *h2);

/* h2_stream.c */

/* A stream for a request that begins; NULL without memory. */
struct h2_stream *h2_stream_open(struct h2 *h2, int32_t id);

/* See to s when the feed has returned. */
void h2_stream_due(struct h2_stream *s);

/* Run what is due: exchanges that begin, go on, or are over. */
void h2_streams_run(struct h2 *h2);

/* All exchanges end with a reason. */
void h2_streams_stop(struct h2 *h2, enum reason why);

/* Reset it; its exchange ends when that has left. */
void h2_stream_reset(struct h2_stream *s, uint32_t error);

/* h2_receive.c: callbacks for what comes, and for what was done with it */
void h2_callbacks_set(nghttp2_session_callbacks *callbacks);

/* What the client did wrong, by the error code that a stream or a connection ended with; R_NONE: the code says nothing. */
enum reason h2_reason_of(uint32_t error);

/* Is more of the content here than was announced, or less and no more to come? Then s is reset. RFC9113:8.1.1 */
void h2_length_check(struct h2_stream *s);

/* We end the connection: GOAWAY with this error, and the reason recorded. The first reason stays. */
void h2_end(struct h2 *h2, enum reason why, uint32_t error);

/* h2_send.c */

/* Send what there is, as far as the socket allows. False: the connection is broken. */
bool h2_send(struct h2 *h2);

/* Is anything waiting for the socket? */
static inline bool h2_output_waits(const struct h2 *h2)
{
    return h2->out_to > h2->out_from || h2->frame_bytes > 0;
}

/* A part of s's content into a frame: nghttp2's callbacks. */
ssize_t h2_body_length(nghttp2_session *session, int32_t id, uint8_t *unused, size_t most, uint32_t *flags,
                       nghttp2_data_source *source, void *user);
int h2_body_frame(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t bytes,
                  nghttp2_data_source *source, void *user);

/* h2_block.c: field blocks that are sent. nghttp2 keeps the order of frames and the state of streams, and makes heads
 * without a line; the lines are put in when such a frame is about to be sent, because compressing them here takes a
 * third of the time. */

/* s has one more to send: frames of nghttp2 ask for it, in the order of these calls. */
void h2_block_add(struct h2_stream *s, struct h2_block_out *block);

/* Take nghttp2's HEADERS `frame` as the sign to send the next one of h2->heads_of: into h2->out or, without room there,
 * h2->large. False without memory. */
bool h2_block_send(struct h2 *h2, const uint8_t *frame);

/* h2_reply.c */
void h2_reply(struct exchange *x);
void h2_interim(struct exchange *x, enum reason why, const struct reply_field *fields, uint32_t count);

/* Send soon: at the end of the round, with what others have to send. */
void h2_send_later(struct h2 *h2);

/* Others get their turn; then this connection goes on. */
void h2_yield(struct h2 *h2);

#endif
