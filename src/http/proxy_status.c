#include "http/proxy_status.h"

#include "http/token.h"

/* RFC9651:3.3.4 */
static bool is_token(struct span s)
{
    if (s.n == 0 || s.n > PROXY_STATUS_TEXT_BYTES)
        return false;
    if (s.p[0] != '*' && ((s.p[0] | 0x20) < 'a' || (s.p[0] | 0x20) > 'z'))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!token_is(s.p[i], TOKEN_NAME) && s.p[i] != ':' && s.p[i] != '/')
            return false;
    return true;
}

/* RFC9651:3.3.3 */
static void put_string(struct bounded *b, struct span s)
{
    size_t said = 0;

    bounded_put(b, SPAN("\""));
    for (size_t i = 0; i < s.n && said < PROXY_STATUS_TEXT_BYTES; i++) {
        if (s.p[i] != ' ' && !token_is(s.p[i], TOKEN_VISIBLE))
            continue;
        if (s.p[i] == '"' || s.p[i] == '\\')
            bounded_put(b, SPAN("\\"));
        bounded_put(b, (struct span){ s.p + i, 1 });
        said++;
    }
    bounded_put(b, SPAN("\""));
}

static void put_token_or_string(struct bounded *b, struct span s)
{
    if (is_token(s))
        bounded_put(b, s);
    else
        put_string(b, s);
}

static void put_error(struct bounded *b, enum reason why)
{
    struct span error = why > R_MORE ? span_of(reason_info(why)->proxy_error) : SPAN("");

    if (error.n == 0)
        return;
    bounded_put(b, SPAN(";error="));
    bounded_put(b, error);
}

void proxy_status_put(struct bounded *b, const struct proxy_status *s)
{
    put_token_or_string(b, s->name);
    put_error(b, s->why);
    if (s->next_hop.n > 0) {
        bounded_put(b, SPAN(";next-hop="));
        put_token_or_string(b, s->next_hop);
    }
    if (is_token(s->next_protocol)) {
        bounded_put(b, SPAN(";next-protocol="));
        bounded_put(b, s->next_protocol);
    }
    if (s->received_status != 0) {
        bounded_put(b, SPAN(";received-status="));
        bounded_put_number(b, s->received_status);
    }
    if (s->details.n > 0) {
        bounded_put(b, SPAN(";details="));
        put_string(b, s->details);
    }
}
