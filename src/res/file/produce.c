#include "res/file/file_impl.h"

struct piece file_piece(const struct file_content *c, uint64_t offset, uint64_t length)
{
    if (c->fd < 0)
        return piece_of((struct span){ c->bytes + offset, length });
    return (struct piece){ .fd = c->fd, .offset = offset, .length = length };
}

enum flow file_produce(struct exchange *x)
{
    struct file_state *s = file_state(x);

    file_fields(x, R_request_ok);
    s->piece = file_piece(s->content, 0, s->content->length);
    pieces_body_init(&s->body, &s->piece, s->content->length > 0);
    x->reply.body = &s->body.body;
    return FLOW_GO;
}
