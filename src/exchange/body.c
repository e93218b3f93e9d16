#include "exchange/body.h"

static enum flow pieces_next(struct body *body, struct exchange *x, struct piece *out)
{
    struct pieces_body *b = (struct pieces_body *)body;

    (void)x;
    *out = b->at < b->count ? b->pieces[b->at++] : piece_of((struct span){ 0 });
    return FLOW_GO;
}

static const struct body_ops pieces_ops = { .next = pieces_next };

void pieces_body_init(struct pieces_body *b, const struct piece *pieces, uint32_t count)
{
    *b = (struct pieces_body){ .body = { .ops = &pieces_ops }, .pieces = pieces, .count = count };
    for (uint32_t i = 0; i < count; i++)
        b->body.length += (int64_t)pieces[i].length;
}
