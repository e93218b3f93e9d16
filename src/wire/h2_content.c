#include "wire/h2_content.h"

#include <stdlib.h>

#include "exchange/wait.h"
#include "wire/h2_impl.h"

#define BLOCK_BYTES 16384u

struct h2_block {
    struct h2_block *next;
    uint32_t bytes;
    char data[BLOCK_BYTES];
};

static struct h2_block *block_take(struct wire *w)
{
    struct h2_block *b = w->free_blocks;

    if (b == NULL)
        b = malloc(sizeof *b);
    else
        w->free_blocks = b->next;
    if (b != NULL) {
        b->next = NULL;
        b->bytes = 0;
    }
    return b;
}

static void block_return(struct wire *w, struct h2_block *b)
{
    b->next = w->free_blocks;
    w->free_blocks = b;
}

void h2_blocks_free(struct wire *w)
{
    while (w->free_blocks != NULL) {
        struct h2_block *b = w->free_blocks;

        w->free_blocks = b->next;
        free(b);
    }
}

static bool block_add(struct wire *w, struct h2_content *content)
{
    struct h2_block *b = block_take(w);

    if (b == NULL)
        return false;
    if (content->last != NULL)
        content->last->next = b;
    else
        content->first = b;
    content->last = b;
    return true;
}

bool h2_content_add(struct wire *w, struct h2_content *content, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        struct h2_block *b = content->last;
        size_t here;

        if (b == NULL || b->bytes == BLOCK_BYTES) {
            if (!block_add(w, content))
                return false;
            b = content->last;
        }
        here = n < BLOCK_BYTES - b->bytes ? n : BLOCK_BYTES - b->bytes;
        memcpy(b->data + b->bytes, bytes, here);
        b->bytes += (uint32_t)here;
        content->come += here;
        bytes += here;
        n -= here;
    }
    return true;
}

static void first_drop(struct wire *w, struct h2_content *content)
{
    struct h2_block *b = content->first;

    content->first = b->next;
    content->from = 0;
    if (content->first == NULL)
        content->last = NULL;
    block_return(w, b);
}

uint32_t h2_content_drop(struct wire *w, struct h2_content *content)
{
    uint32_t bytes = (uint32_t)(content->come - content->taken) + content->given;

    while (content->first != NULL)
        first_drop(w, content);
    content->taken = content->come;
    content->given = 0;
    return bytes;
}

/* What was handed out is used up: the client may send as much again. */
static void credit(struct h2_stream *s)
{
    struct h2_content *content = &s->content;

    if (content->given == 0)
        return;
    content->from += content->given;
    if (content->from == content->first->bytes)
        first_drop(s->h2->c->wire, content);
    nghttp2_session_consume(s->h2->session, s->id, content->given);
    content->given = 0;
    h2_send_later(s->h2);
}

/* A client that announced content waits for this before it sends any. RFC9110:10.1.1 */
static void continue_send(struct h2_stream *s)
{
    if (s->content.continue_sent)
        return;
    s->content.continue_sent = true;
    if (s->x->req.expects_continue && s->content.come == 0 && !s->content.ended)
        h2_interim(s->x, R_interim_continue, NULL, 0);
}

static void content_cancel(void *with)
{
    (void)with;
}

/* Hand out what lies in the first block. */
static enum flow content_give(struct exchange *x, struct h2_content *content, struct span *piece)
{
    const struct h2_block *b = content->first;

    *piece = (struct span){ b->data + content->from, b->bytes - content->from };
    content->given = (uint32_t)piece->n;
    content->taken += piece->n;
    if (content->taken > x->content_limit && !x->reply.tunnel)
        return STOP(x, R_content_streamed_too_large, x->content_limit);
    return FLOW_GO;
}

/* Whoever speaks in a tunnel must not take a stream that is reset for a client that is idle. */
static enum flow content_stop(struct exchange *x, const struct verdict *v)
{
    if (x->reply.tunnel && v->why != R_request_content_timeout)
        exchange_break(x, v->why, v->at, v->where);
    return exchange_stop(x, v->why, v->at, v->operand, v->where);
}

enum flow h2_content(struct exchange *x, struct span *piece)
{
    struct h2_stream *s = x->conn;
    struct h2_content *content = &s->content;
    const struct verdict *v = &content->broken;

    *piece = (struct span){ 0 };
    credit(s);
    if (v->why != R_NONE)
        return content_stop(x, v);
    continue_send(s);
    if (content->first != NULL)
        return content_give(x, content, piece);
    if (content->ended) {
        if (x->moments.content_ms == 0)
            x->moments.content_ms = x->now_ms;
        return FLOW_GO;
    }
    s->moved_ms = s->h2->c->wire->loop->now_ms;
    return exchange_wait(x, "content", content_cancel, s);
}
