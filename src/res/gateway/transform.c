#include "res/gateway/transform.h"

#include <errno.h>
#include <stdlib.h>

#include "exchange/wait.h"
#include "http/media_type.h"
#include "http/token.h"
#include "res/gateway/encoder.h"
#include "res/gateway/insert.h"

#define ROOM_BYTES 16384u /* of one piece that is coded */

struct transform {
    struct body body; /* first: the body of the reply */
    struct body *source;
    struct insert insert;
    struct encoder *encoder; /* NULL: content is not coded */
    char *room;              /* ROOM_BYTES, for what is coded */
    struct span in;          /* not coded yet */
    enum encoder_order order;
    bool inserts;
    bool source_ended;
    bool ordered; /* the encoder is about an order */
    bool unread;  /* it has content that nobody could read yet */
    bool ended;   /* the coding has come to its end */
};

/* --- What is done --- */

static bool is_charset_of_units(struct span value)
{
    return (value.n >= 6 && (span_is_nocase((struct span){ value.p, 6 }, SPAN("utf-16")) ||
                             span_is_nocase((struct span){ value.p, 6 }, SPAN("utf-32"))));
}

/* Text of two or four bytes a character has no tag of single bytes, and can take no text of such. */
static bool is_ascii_like(struct span parameters)
{
    static const char name[] = "charset=";
    size_t n = sizeof name - 1;

    while (parameters.n > 0) {
        size_t end = span_find(parameters, ';');
        struct span one = span_trim((struct span){ parameters.p, end });

        if (one.n > n && span_is_nocase((struct span){ one.p, n }, SPAN("charset="))) {
            one = span_from(one, n);
            return !is_charset_of_units(one.p[0] == '"' ? span_from(one, 1) : one);
        }
        parameters = span_from(parameters, end < parameters.n ? end + 1 : end);
    }
    return true;
}

static struct span value_of(const struct head *head, enum field_id id)
{
    const struct field *f = head_field(head, id);

    return f != NULL ? f->value : (struct span){ 0 };
}

static bool is_type(struct span content_type, struct span name)
{
    return span_is_nocase(span_trim((struct span){ content_type.p, span_find(content_type, ';') }), name);
}

static bool is_insertable(struct span content_type)
{
    return is_type(content_type, SPAN("text/html")) &&
           is_ascii_like(span_from(content_type, span_find(content_type, ';')));
}

/* An event stream is many small things that want to be there at once. */
static bool is_worth_coding(struct span content_type, int64_t length)
{
    return (length < 0 || length >= TRANSFORM_BYTES_LEAST) && media_type_is_compressible(content_type) &&
           !is_type(content_type, SPAN("text/event-stream"));
}

/* RFC9110:7.7, RFC9111:5.2.1.6, RFC9111:5.2.2.6 */
static bool is_forbidden(const struct exchange *x, const struct head *response)
{
    return head_list_has(&x->req.head, FIELD_CACHE_CONTROL, SPAN("no-transform")) ||
           head_list_has(response, FIELD_CACHE_CONTROL, SPAN("no-transform"));
}

static bool is_changeable(const struct exchange *x, const struct response_head *response, int64_t length)
{
    const struct head *head = &response->head;

    return response->status == reason_code(R_request_ok, DIALECT_RFC).wire && length != 0 &&
           head_field(head, FIELD_CONTENT_ENCODING) == NULL && head_field(head, FIELD_CONTENT_RANGE) == NULL &&
           !is_forbidden(x, head);
}

/* Without the field any coding would do by the letter; who does not ask for one may know none. RFC9110:12.5.3 */
static enum coding coding_of(struct exchange *x)
{
    struct span accepted = request_field(x, FIELD_ACCEPT_ENCODING);
    enum coding coding = CODINGS;

    if (accepted.n > 0)
        coding = coding_choose(accepted, CODING_BIT(CODINGS) - 1u);
    return coding < CODINGS ? coding : CODING_IDENTITY;
}

struct transform_plan transform_plan(struct exchange *x, const struct gateway_settings *settings,
                                     const struct response_head *response, int64_t length)
{
    struct transform_plan plan = { .coding = CODING_IDENTITY };
    struct span type;

    if ((!settings->compresses && settings->insertion.text.n == 0) || !is_changeable(x, response, length))
        return plan;
    type = value_of(&response->head, FIELD_CONTENT_TYPE);
    plan.inserts = settings->insertion.text.n > 0 && is_insertable(type);
    plan.varies = settings->compresses && is_worth_coding(type, length);
    if (plan.varies)
        plan.coding = coding_of(x);
    return plan;
}

/* --- Content --- */

/* The next run of what the source gives, with the insertion. FLOW_GO with an empty run: the end. */
static enum flow supply(struct transform *t, struct exchange *x, struct span *out)
{
    while (!(t->inserts && insert_take(&t->insert, out))) {
        struct piece piece;
        enum flow f;

        *out = (struct span){ 0 };
        if (t->source_ended)
            return FLOW_GO;
        f = t->source->ops->next(t->source, x, &piece);
        if (f != FLOW_GO)
            return f;
        t->source_ended = piece.bytes.n == 0;
        *out = piece.bytes;
        if (!t->inserts)
            return FLOW_GO;
        if (t->source_ended)
            insert_end(&t->insert);
        else
            insert_feed(&t->insert, piece.bytes);
    }
    return FLOW_GO;
}

static void order(struct transform *t, enum encoder_order what)
{
    t->order = what;
    t->ordered = true;
}

/* What the encoder does next. FLOW_WAIT: nothing, before more content comes. */
static enum flow order_next(struct transform *t, struct exchange *x)
{
    enum flow f = supply(t, x, &t->in);

    if (f == FLOW_GO) {
        order(t, t->in.n > 0 ? ENCODER_TAKE : ENCODER_END);
    } else if (f == FLOW_WAIT && t->unread) {
        exchange_cancel(x); /* the upstream pauses: who reads shall have all that it said */
        order(t, ENCODER_FLUSH);
        f = FLOW_GO;
    }
    return f;
}

/* Carry the order out. True: the piece in the room shall go. */
static bool order_done(struct transform *t, size_t used, bool done)
{
    if (done) {
        t->ordered = false;
        t->unread = t->order == ENCODER_TAKE;
        t->ended = t->order == ENCODER_END;
    }
    return used == ROOM_BYTES || t->ended || (done && t->order == ENCODER_FLUSH && used > 0);
}

static enum flow coded_next(struct body *body, struct exchange *x, struct piece *out)
{
    struct transform *t = (struct transform *)body;
    size_t used = 0;
    bool full = t->ended;

    while (!full) {
        size_t bytes = ROOM_BYTES - used;
        enum flow f = t->ordered ? FLOW_GO : order_next(t, x);
        bool done;

        if (f == FLOW_WAIT && used > 0) {
            exchange_cancel(x);
            break;
        }
        if (f != FLOW_GO)
            return f;
        if (encoder_run(t->encoder, t->order, &t->in, t->room + used, &bytes, &done) != 0)
            return exchange_break(x, R_worker_memory_exhausted, 0, HERE);
        used += bytes;
        full = order_done(t, used, done);
    }
    *out = piece_of((struct span){ t->room, used });
    return FLOW_GO;
}

static enum flow plain_next(struct body *body, struct exchange *x, struct piece *out)
{
    struct span run = { 0 };
    enum flow f = supply((struct transform *)body, x, &run);

    *out = piece_of(run);
    return f;
}

static void transform_stop(struct body *body)
{
    struct transform *t = (struct transform *)body;

    encoder_release(&t->encoder);
    free(t->room);
    t->room = NULL;
    if (t->source->ops->stop != NULL)
        t->source->ops->stop(t->source);
}

static const struct body_ops plain_ops = { .next = plain_next, .stop = transform_stop };
static const struct body_ops coded_ops = { .next = coded_next, .stop = transform_stop };

static bool encoder_make(struct transform *t, enum coding coding)
{
    t->room = malloc(ROOM_BYTES);
    t->encoder = t->room != NULL ? encoder_new(coding) : NULL;
    if (t->encoder != NULL)
        return true;
    free(t->room);
    return false;
}

struct body *transform_make(struct exchange *x, const struct transform_plan *plan,
                            const struct gateway_insertion *insertion, struct body *source)
{
    struct transform *t = arena_zero(&x->arena, sizeof *t);
    bool codes = plan->coding != CODING_IDENTITY;

    if (t == NULL)
        return NULL;
    t->body = (struct body){ .ops = codes ? &coded_ops : &plain_ops, .length = -1 };
    t->source = source;
    t->inserts = plan->inserts;
    if (t->inserts && !insert_init(&t->insert, &x->arena, insertion->before, insertion->text))
        return NULL;
    /* HEAD has no content to be coded. */
    if (codes && x->req.head.method != M_HEAD && !encoder_make(t, plan->coding))
        return NULL;
    return &t->body;
}

/* --- Fields --- */

/* Of the bytes as they came: their sums, and the offer of parts of them. RFC9530:2, RFC9110:14.3 */
static bool is_of_bytes(struct span name)
{
    enum field_id id = field_find(name);

    return id == FIELD_CONTENT_MD5 || id == FIELD_CONTENT_DIGEST || id == FIELD_REPR_DIGEST ||
           id == FIELD_ACCEPT_RANGES || span_is_nocase(name, SPAN("Digest"));
}

/* Equivalent in meaning, not in bytes. RFC9110:8.8.1 */
static void weaken(struct exchange *x, struct reply_field *tag)
{
    struct span parts[] = { SPAN("W/"), tag->value };

    if (tag->value.n > 0 && tag->value.p[0] == '"')
        tag->value = arena_join(&x->arena, parts, 2);
}

static bool varies_already(struct span list)
{
    struct span one;

    while (token_next(&list, &one))
        if (span_is(one, SPAN("*")) || span_is_nocase(one, SPAN("Accept-Encoding")))
            return true;
    return false;
}

static uint32_t fields_keep(struct exchange *x, struct reply_field *fields, uint32_t count)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (is_of_bytes(fields[i].name))
            continue;
        fields[kept] = fields[i];
        if (field_find(fields[i].name) == FIELD_ETAG)
            weaken(x, &fields[kept]);
        kept++;
    }
    return kept;
}

uint32_t transform_fields(struct exchange *x, const struct transform_plan *plan, struct reply_field *fields,
                          uint32_t count)
{
    bool varies = plan->varies;

    for (uint32_t i = 0; i < count; i++)
        if (field_find(fields[i].name) == FIELD_VARY && varies_already(fields[i].value))
            varies = false;
    if (varies)
        reply_add(x, SPAN("Vary"), SPAN("Accept-Encoding"));
    if (plan->coding != CODING_IDENTITY)
        reply_add(x, SPAN("Content-Encoding"), coding_info(plan->coding)->token);
    return transform_changes(plan) ? fields_keep(x, fields, count) : count;
}

static bool has_tag(struct exchange *x, struct etag tag, enum etag_comparison comparison)
{
    const struct head *head = &x->req.head;

    for (const struct field *f = head_field(head, FIELD_IF_NONE_MATCH); f != NULL; f = head_next(head, f))
        if (etag_in_list(f->value, tag, comparison))
            return true;
    return false;
}

void transform_tag(struct exchange *x, struct reply_field *fields, uint32_t count)
{
    struct etag tag;

    for (uint32_t i = 0; i < count; i++)
        if (field_find(fields[i].name) == FIELD_ETAG && etag_parse(fields[i].value, &tag) &&
            !has_tag(x, tag, ETAG_STRONG) && has_tag(x, tag, ETAG_WEAK))
            weaken(x, &fields[i]);
}
