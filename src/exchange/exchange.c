#include "exchange/exchange.h"

enum flow exchange_stop(struct exchange *x, enum reason why, uint32_t at, struct span operand, const char *where)
{
    if (x->verdict.why == R_NONE)
        verdict_set_at(&x->verdict, why, at, operand, where);
    return FLOW_STOP;
}

enum flow exchange_break(struct exchange *x, enum reason why, uint32_t at, const char *where)
{
    if (x->broken.why == R_NONE)
        verdict_set_at(&x->broken, why, at, (struct span){ 0 }, where);
    return FLOW_STOP;
}

struct span exchange_id(struct exchange *x)
{
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* without those that are mistaken for others */

    if (x->id[0] == '\0')
        for (unsigned i = 0; i < EXCHANGE_ID_LETTERS; i++)
            x->id[i] = letters[x->number >> 5 * i & 31];
    return (struct span){ x->id, EXCHANGE_ID_LETTERS };
}

void reply_add(struct exchange *x, struct span name, struct span value)
{
    if (x->reply.count == REPLY_FIELDS) {
        x->arena.full = true;
        return;
    }
    x->reply_fields[x->reply.count++] = (struct reply_field){ name, value };
}

void reply_memory(struct exchange *x, struct span content)
{
    struct pieces_body *b = arena_take(&x->arena, sizeof *b);
    struct piece *piece = arena_take(&x->arena, sizeof *piece);

    if (b == NULL || piece == NULL)
        return;
    *piece = piece_of(content);
    pieces_body_init(b, piece, 1);
    x->reply.body = &b->body;
}

static struct span join_lines(struct exchange *x, const struct field *f)
{
    struct span all = f->value;

    while ((f = head_next(&x->req.head, f)) != NULL) {
        struct span parts[] = { all, SPAN(", "), f->value };

        all = arena_join(&x->arena, parts, 3);
    }
    return all;
}

struct span request_field(struct exchange *x, enum field_id id)
{
    const struct field *f = head_field(&x->req.head, id);

    if (f == NULL)
        return (struct span){ 0 };
    return head_repeated(&x->req.head, id) ? join_lines(x, f) : f->value;
}
