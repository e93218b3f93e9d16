/* Answers with parts of the selected representation. RFC9110:15.3.7, 14.6 */
#include <stdlib.h>
#include <sys/random.h>

#include "http/multipart.h"
#include "res/file/file_impl.h"

static enum flow send_pieces(struct exchange *x, const struct piece *pieces, uint32_t count)
{
    struct file_state *s = file_state(x);

    pieces_body_init(&s->body, pieces, count);
    x->reply.body = &s->body.body;
    return FLOW_GO;
}

static enum flow one_part(struct exchange *x)
{
    struct file_state *s = file_state(x);
    struct byte_range r = x->ranges[0];
    char *text = arena_take(&x->arena, CONTENT_RANGE_BYTES);

    if (text == NULL)
        return STOP(x, R_exchange_memory_exhausted, 0);
    file_fields(x, R_partial_content);
    reply_add(x, SPAN("Content-Range"), (struct span){ text, content_range_write(text, r, s->content->length) });
    s->piece = file_piece(s->content, r.first, range_bytes(r));
    return send_pieces(x, &s->piece, 1);
}

static struct span part_head(struct exchange *x, const struct multipart *m, uint32_t i)
{
    size_t n = multipart_head_write(m, x->ranges[i], i == 0, NULL, 0);
    char *text = arena_take(&x->arena, n);

    if (text != NULL)
        multipart_head_write(m, x->ranges[i], i == 0, text, n);
    return (struct span){ text, text != NULL ? n : 0 };
}

static struct span parts_end(struct exchange *x, const struct multipart *m)
{
    size_t n = multipart_end_write(m, NULL, 0);
    char *text = arena_take(&x->arena, n);

    if (text != NULL)
        multipart_end_write(m, text, n);
    return (struct span){ text, text != NULL ? n : 0 };
}

static void add_type(struct exchange *x, const struct multipart *m)
{
    size_t n = multipart_type_write(m, NULL, 0);
    char *text = arena_take(&x->arena, n);

    if (text == NULL)
        return;
    multipart_type_write(m, text, n);
    reply_add(x, SPAN("Content-Type"), (struct span){ text, n });
}

/* Nobody who stores a file may know the boundary of an answer to come. */
static struct span boundary_new(struct exchange *x)
{
    char *text = arena_take(&x->arena, MULTIPART_BOUNDARY_BYTES);
    uint64_t random;

    if (text == NULL)
        return (struct span){ 0 };
    DIE_UNLESS(getrandom(&random, sizeof random, 0) == sizeof random);
    multipart_boundary_write(text, random);
    return (struct span){ text, MULTIPART_BOUNDARY_BYTES };
}

static enum flow many_parts(struct exchange *x)
{
    struct file_state *s = file_state(x);
    struct multipart m = { .boundary = boundary_new(x),
                           .content_type = s->variant->type,
                           .length = s->content->length };
    uint32_t count = 2 * x->range_count + 1;
    struct piece *pieces = arena_take(&x->arena, count * sizeof *pieces);
    struct piece *next = pieces;

    if (pieces == NULL || m.boundary.p == NULL)
        return STOP(x, R_exchange_memory_exhausted, 0);
    for (uint32_t i = 0; i < x->range_count; i++) {
        struct byte_range r = x->ranges[i];

        *next++ = piece_of(part_head(x, &m, i));
        *next++ = file_piece(s->content, r.first, range_bytes(r));
    }
    *next = piece_of(parts_end(x, &m));
    if (x->arena.full)
        return STOP(x, R_exchange_memory_exhausted, 0);
    add_type(x, &m);
    file_fields(x, R_partial_content);
    return send_pieces(x, pieces, count);
}

enum flow file_part(struct exchange *x)
{
    return x->range_kind == RANGE_MANY ? many_parts(x) : one_part(x);
}
