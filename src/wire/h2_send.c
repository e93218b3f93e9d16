#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "wire/h2_impl.h"

#define TURN_BYTES (UINT64_C(1) << 20) /* of one connection, before others get their turn */

static bool is_empty(const struct piece *p)
{
    return p->fd < 0 && p->bytes.n == 0;
}

static uint64_t left_of(const struct piece *p)
{
    return p->fd >= 0 ? p->length : p->bytes.n;
}

/* FLOW_GO: s->piece has something, or the body has ended. */
static enum flow next_piece(struct h2_stream *s)
{
    struct exchange *x = s->x;
    struct body *body = x->reply.body;
    enum flow f = body->ops->next(body, x, &s->piece);

    if (f == FLOW_GO) {
        s->body_ended = left_of(&s->piece) == 0;
        x->content_out += left_of(&s->piece);
    }
    return f;
}

/* A body of known length needs not be asked whether there is more. */
static bool is_last(const struct h2_stream *s)
{
    const struct body *body = s->x->reply.body;

    return s->body_ended || (body->length >= 0 && s->x->content_out == (uint64_t)body->length);
}

ssize_t h2_body_length(nghttp2_session *session, int32_t id, uint8_t *unused, size_t most, uint32_t *flags,
                       nghttp2_data_source *source, void *user)
{
    struct h2_stream *s = source->ptr;
    uint64_t n;

    (void)session, (void)id, (void)unused, (void)user;
    if (is_empty(&s->piece) && !s->body_ended) {
        enum flow f = next_piece(s);

        if (f == FLOW_WAIT)
            return NGHTTP2_ERR_DEFERRED;
        if (f == FLOW_STOP)
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    n = left_of(&s->piece) < most ? left_of(&s->piece) : most;
    if (n == left_of(&s->piece) && is_last(s))
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (n > 0)
        *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    return (ssize_t)n;
}

static bool file_copy(struct h2_stream *s, char *to, size_t bytes)
{
    size_t have = 0;

    while (have < bytes) {
        ssize_t n = pread(s->piece.fd, to + have, bytes - have, (off_t)(s->piece.offset + have));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            exchange_break(s->x, R_content_source_failed, n < 0 ? (uint32_t)errno : 0, HERE);
            return false;
        }
        have += (size_t)n;
    }
    s->piece.offset += bytes;
    s->piece.length -= bytes;
    if (s->piece.length == 0)
        s->piece = piece_of((struct span){ 0 });
    return true;
}

int h2_body_frame(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t bytes,
                  nghttp2_data_source *source, void *user)
{
    struct h2 *h2 = user;
    struct h2_stream *s = source->ptr;
    char *to = h2->out + h2->out_to;

    (void)session, (void)frame;
    if (h2->c->wire->buffer_bytes - h2->out_to < H2_FRAME_HEAD_BYTES + bytes)
        return NGHTTP2_ERR_WOULDBLOCK;
    memcpy(to, head, H2_FRAME_HEAD_BYTES);
    to += H2_FRAME_HEAD_BYTES;
    if (s->piece.fd >= 0) {
        if (!file_copy(s, to, bytes))
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    } else {
        memcpy(to, s->piece.bytes.p, bytes);
        s->piece.bytes = span_from(s->piece.bytes, bytes);
    }
    h2->out_to += (uint32_t)(H2_FRAME_HEAD_BYTES + bytes);
    h2->moved_ms = h2->c->wire->loop->now_ms;
    h2->recent = s;
    return 0;
}

/* Frames into the buffer, until it is full (h2_body_frame() takes no more) or there are no more. False: nghttp2 has no
 * memory. */
static bool fill(struct h2 *h2)
{
    uint32_t room = h2->c->wire->buffer_bytes;

    while (h2->frame_bytes == 0) {
        ssize_t n = nghttp2_session_mem_send(h2->session, &h2->frame);

        if (n <= 0)
            return n == 0;
        if (h2->frame[3] == NGHTTP2_HEADERS) {
            if (!h2_block_send(h2, h2->frame))
                return false;
        } else if ((size_t)n > room - h2->out_to) {
            h2->frame_bytes = (size_t)n;
        } else {
            memcpy(h2->out + h2->out_to, h2->frame, (size_t)n);
            h2->out_to += (uint32_t)n;
        }
    }
    return true;
}

static void took(struct h2 *h2, size_t n)
{
    size_t here = h2->out_to - h2->out_from < n ? h2->out_to - h2->out_from : n;

    h2->out_from += (uint32_t)here;
    n -= here;
    if (n > 0)
        h2->frame += n;
    h2->frame_bytes -= n;
    if (h2->frame_bytes == 0 && h2->large != NULL) {
        free(h2->large);
        h2->large = NULL;
    }
    if (h2->out_from == h2->out_to)
        h2->out_from = h2->out_to = 0;
}

/* Bytes that were sent; 0: the socket takes no more; -1: it is broken. */
static long flush(struct h2 *h2)
{
    struct conn *c = h2->c;
    long sent = 0;

    while (h2_output_waits(h2)) {
        struct iovec parts[] = { { h2->out + h2->out_from, h2->out_to - h2->out_from },
                                 { (void *)h2->frame, h2->frame_bytes } };
        long n = c->writable ? conn_send(c, parts, h2->frame_bytes > 0 ? 2 : 1, false) : -EAGAIN;

        if (n == -EAGAIN)
            return 0;
        if (n < 0)
            return -1;
        took(h2, (size_t)n);
        sent += n;
    }
    return sent;
}

static bool out_take(struct h2 *h2)
{
    if (h2->out == NULL)
        h2->out = wire_buffer_take(h2->c->wire);
    return h2->out != NULL;
}

static void out_return(struct h2 *h2)
{
    if (h2->out != NULL && !h2_output_waits(h2)) {
        wire_buffer_return(h2->c->wire, h2->out);
        h2->out = NULL;
    }
}

bool h2_send(struct h2 *h2)
{
    uint64_t turn = 0;

    if (!h2_output_waits(h2) && !nghttp2_session_want_write(h2->session))
        return true;
    if (!out_take(h2))
        return false;
    for (;;) {
        long n;

        if (!h2_output_waits(h2) && !fill(h2))
            return false;
        if (!h2_output_waits(h2))
            break;
        n = flush(h2);
        if (n < 0)
            return false;
        if (n == 0)
            break;
        turn += (uint64_t)n;
        if (turn >= TURN_BYTES) {
            h2_yield(h2);
            break;
        }
    }
    out_return(h2);
    return true;
}
