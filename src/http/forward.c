#include "http/forward.h"

#include "http/token.h"

/*
 * Fields that stay though Connection names them (RFC9110:7.6.1: never an option is what is meant for all recipients).
 * Content-* and X-Forwarded-* stay too, known or not. A name in lower case, and what its removal would do.
 */
static const struct span kept[] = {
    SPAN_INIT("host"),                /* the application would answer for its default site */
    SPAN_INIT("authorization"),       /* who asks, perhaps set by a gateway that checked it */
    SPAN_INIT("cookie"),              /* as above */
    SPAN_INIT("set-cookie"),          /* a log-out would not reach the client */
    SPAN_INIT("origin"),              /* what the application compares against forgery across sites */
    SPAN_INIT("sec-fetch-site"),      /* as above */
    SPAN_INIT("forwarded"),           /* where the client is; without it the gateway before us seems to be the client */
    SPAN_INIT("x-real-ip"),           /* as above */
    SPAN_INIT("via"),                 /* a loop would not be seen */
    SPAN_INIT("cdn-loop"),            /* as above. RFC8586:2 */
    SPAN_INIT("max-forwards"),        /* as above */
    SPAN_INIT("cache-control"),       /* private answers would be stored. The example of RFC9110:7.6.1 */
    SPAN_INIT("vary"),                /* answers would be given to the wrong client */
    SPAN_INIT("if-match"),            /* the condition that keeps a change from being lost */
    SPAN_INIT("if-unmodified-since"), /* as above */
    SPAN_INIT("strict-transport-security"), /* the client would forget to insist on TLS */
};

static bool starts_nocase(struct span s, struct span prefix)
{
    return s.n >= prefix.n && span_is_nocase((struct span){ s.p, prefix.n }, prefix);
}

static bool is_kept(struct span name)
{
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (span_is_nocase(name, kept[i]))
            return true;
    return starts_nocase(name, SPAN("content-")) || starts_nocase(name, SPAN("x-forwarded-"));
}

/* Leave all lines out that are chained from number `line` (from 1; 0: none). */
static void drop_chain(const struct head *head, uint8_t line, struct forward *out)
{
    for (; line != 0; line = head->fields[line - 1].next)
        forward_drop(out, line - 1u);
}

static void drop_unknown(const struct head *head, struct span name, struct forward *out)
{
    for (size_t i = 0; i < head->count; i++)
        if (head->fields[i].name.n == name.n && head->fields[i].id == FIELD_OTHER &&
            span_is_nocase(head->fields[i].name, name))
            forward_drop(out, i);
}

/* `close` names no field; as it is so common, it is worth not looking for one. */
static bool is_field_option(struct span option, enum field_id id)
{
    return !field_info(id)->hop && !span_is_nocase(option, SPAN("close"));
}

static bool drop_named(const struct head *head, struct forward *out)
{
    unsigned options = 0;

    for (const struct field *f = head_field(head, FIELD_CONNECTION); f != NULL; f = head_next(head, f)) {
        struct span rest = f->value, option;

        while (token_next(&rest, &option)) {
            enum field_id id = field_find(option);

            if (!is_field_option(option, id))
                continue;
            if (++options > FORWARD_OPTIONS_MAX)
                return false;
            if (is_kept(option))
                continue;
            if (id != FIELD_OTHER)
                drop_chain(head, head->first[id], out);
            else
                drop_unknown(head, option, out);
        }
    }
    return true;
}

bool forward_choose(const struct head *head, unsigned own, struct forward *out)
{
    size_t whole = head->count / 64;

    *out = (struct forward){ .fields = head->fields };
    for (size_t i = 0; i < whole; i++)
        out->left[i] = UINT64_MAX;
    out->left[whole] = ((uint64_t)1 << head->count % 64) - 1;
#define FIELD(id, name, shape, hop, ...) \
    if (hop)                             \
        drop_chain(head, head->first[FIELD_##id], out);
#include "http/fields.def"
#undef FIELD
    if ((own & FORWARD_OWN_HOST) != 0)
        drop_chain(head, head->first[FIELD_HOST], out);
    if ((own & FORWARD_OWN_LENGTH) != 0)
        drop_chain(head, head->first[FIELD_CONTENT_LENGTH], out);
    if ((own & FORWARD_OWN_EXPECT) != 0)
        drop_chain(head, head->first[FIELD_EXPECT], out);
    return head->first[FIELD_CONNECTION] == 0 || drop_named(head, out);
}
