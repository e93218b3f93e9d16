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

/* Without those that are mistaken for others. */
static const char id_letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

void exchange_id_write(uint64_t number, char out[EXCHANGE_ID_LETTERS])
{
    for (unsigned i = 0; i < EXCHANGE_ID_LETTERS; i++)
        out[i] = id_letters[number >> 5 * i & 31];
}

bool exchange_number(struct span id, uint64_t *out)
{
    uint64_t number = 0;

    if (id.n != EXCHANGE_ID_LETTERS)
        return false;
    for (unsigned i = 0; i < EXCHANGE_ID_LETTERS; i++) {
        char c = id.p[i] >= 'A' && id.p[i] <= 'Z' ? (char)(id.p[i] | 0x20) : id.p[i];
        const char *at = memchr(id_letters, c, sizeof id_letters - 1);

        if (at == NULL)
            return false;
        number |= (uint64_t)(at - id_letters) << 5 * i;
    }
    *out = number;
    return true;
}

struct span exchange_id(struct exchange *x)
{
    if (x->id[0] == '\0')
        exchange_id_write(x->number, x->id);
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

void reply_add_ready(struct exchange *x, const struct ready_fields *lines)
{
    if (x->reply.ready_count < REPLY_READY) {
        x->reply_ready[x->reply.ready_count++] = (struct reply_ready){ lines, x->reply.count };
        return;
    }
    for (uint32_t i = 0; i < lines->count; i++)
        reply_add(x, lines->fields[i].name, lines->fields[i].value);
}

const struct reply_field *reply_field_at(const struct exchange *x, uint32_t i)
{
    for (uint32_t r = 0; r < x->reply.ready_count; r++) {
        const struct reply_ready *ready = &x->reply_ready[r];

        if (i < ready->after)
            break;
        if (i - ready->after < ready->lines->count)
            return &ready->lines->fields[i - ready->after];
        i -= ready->lines->count;
    }
    return i < x->reply.count ? &x->reply_fields[i] : NULL;
}

bool reply_has(const struct exchange *x, struct span name)
{
    const struct reply_field *f;

    for (uint32_t i = 0; (f = reply_field_at(x, i)) != NULL; i++)
        if (span_is(f->name, name))
            return true;
    return false;
}

size_t reply_bytes(const struct exchange *x)
{
    size_t bytes = reply_text_bytes(x->reply.relayed.fields, x->reply.relayed.count) +
                   reply_text_bytes(x->reply_fields, x->reply.count);

    for (uint32_t i = 0; i < x->reply.ready_count; i++)
        bytes += x->reply_ready[i].lines->text.n;
    return bytes;
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
