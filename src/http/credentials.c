#include "http/credentials.h"

#include "base/bounded.h"
#include "http/base64.h"
#include "http/escape.h"
#include "http/token.h"

/* What is left of the value, and how much of the memory is used. */
struct reader {
    struct span rest;
    char *memory;
};

static void blank_skip(struct reader *r)
{
    while (r->rest.n > 0 && (r->rest.p[0] == ' ' || r->rest.p[0] == '\t'))
        r->rest = span_from(r->rest, 1);
}

static struct span token_take(struct reader *r)
{
    struct span token = { r->rest.p, token_span(r->rest, TOKEN_NAME) };

    r->rest = span_from(r->rest, token.n);
    return token;
}

static bool is_token68_byte(char c)
{
    return (token_is(c, TOKEN_NAME) && strchr("!#$%&'*^`|", c) == NULL) || c == '/';
}

/* The whole of s, or nothing. */
static bool is_token68(struct span s)
{
    size_t letters = 0, padded;

    while (letters < s.n && is_token68_byte(s.p[letters]))
        letters++;
    padded = letters;
    while (padded < s.n && s.p[padded] == '=')
        padded++;
    return letters > 0 && padded == s.n;
}

/* Bytes between the quotes; false: r stands at what is wrong. RFC9110:5.6.4 */
static bool quoted_length(struct reader *r, size_t *length)
{
    struct span s = r->rest;
    size_t i = 1;

    while (i < s.n && s.p[i] != '"') {
        i += s.p[i] == '\\';
        if (i == s.n || !token_is(s.p[i], TOKEN_VALUE))
            break;
        i++;
    }
    *length = i - 1;
    if (i < s.n && s.p[i] == '"')
        return true;
    r->rest = span_from(s, i);
    return false;
}

static bool quoted_take(struct reader *r, struct span *out)
{
    char *to = r->memory;
    struct span inside;
    size_t length;

    if (!quoted_length(r, &length))
        return false;
    inside = (struct span){ r->rest.p + 1, length };
    r->rest = span_from(r->rest, length + 2);
    *out = inside;
    if (span_find(inside, '\\') == inside.n)
        return true;
    for (size_t i = 0; i < inside.n; i++) {
        i += inside.p[i] == '\\';
        *to++ = inside.p[i];
    }
    *out = (struct span){ r->memory, (size_t)(to - r->memory) };
    r->memory = to;
    return true;
}

/* name BWS "=" BWS value. False: r stands at what is wrong. */
static bool parameter_take(struct reader *r, struct credentials *c)
{
    struct span name = token_take(r), value;

    blank_skip(r);
    if (name.n == 0 || r->rest.n == 0 || r->rest.p[0] != '=')
        return false;
    r->rest = span_from(r->rest, 1);
    blank_skip(r);
    if (r->rest.n > 0 && r->rest.p[0] == '"') {
        if (!quoted_take(r, &value))
            return false;
    } else if ((value = token_take(r)).n == 0) {
        return false;
    }
    if (c->count == CREDENTIALS_PARAMETERS_MAX || credentials_value(c, name).p != NULL) {
        r->rest.p = name.p;
        return false;
    }
    c->parameters[c->count++] = (struct credentials_parameter){ name, value };
    return true;
}

/* RFC9110:5.6.1: empty elements are passed over. */
static bool parameters_take(struct reader *r, struct credentials *c)
{
    for (;;) {
        while (r->rest.n > 0 && (r->rest.p[0] == ',' || r->rest.p[0] == ' ' || r->rest.p[0] == '\t'))
            r->rest = span_from(r->rest, 1);
        if (r->rest.n == 0)
            return true;
        if (!parameter_take(r, c))
            return false;
        blank_skip(r);
        if (r->rest.n > 0 && r->rest.p[0] != ',')
            return false;
    }
}

static bool rest_take(struct reader *r, struct credentials *c)
{
    if (c->scheme.n == 0 || (r->rest.n > 0 && r->rest.p[0] != ' '))
        return false;
    while (r->rest.n > 0 && r->rest.p[0] == ' ')
        r->rest = span_from(r->rest, 1);
    if (!is_token68(r->rest))
        return parameters_take(r, c);
    c->token68 = r->rest;
    return true;
}

bool credentials_parse(struct span value, char *memory, struct credentials *out, size_t *bad)
{
    struct reader r = { value, memory };

    out->scheme = token_take(&r);
    out->token68 = (struct span){ 0 };
    out->count = 0;
    if (rest_take(&r, out))
        return true;
    *bad = value.n > 0 ? (size_t)(r.rest.p - value.p) : 0;
    return false;
}

struct span credentials_value(const struct credentials *c, struct span name)
{
    for (size_t i = 0; i < c->count; i++)
        if (span_is_nocase(c->parameters[i].name, name))
            return c->parameters[i].value;
    return (struct span){ 0 };
}

static bool has_control(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

bool basic_decode(struct span token68, char *memory, struct span *user, struct span *password)
{
    struct span all = { memory, 0 };
    size_t colon;

    if (!base64_decode(token68, memory, &all.n))
        return false;
    colon = span_find(all, ':');
    if (colon == all.n || has_control(all) || escape_utf8(all, NULL, 0) != all.n)
        return false;
    *user = (struct span){ all.p, colon };
    *password = span_from(all, colon + 1);
    return true;
}

static void put_quoted(struct bounded *b, struct span text)
{
    bounded_put(b, SPAN("\""));
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            bounded_put(b, SPAN("\\"));
        if (token_is(text.p[i], TOKEN_VALUE))
            bounded_put(b, (struct span){ text.p + i, 1 });
    }
    bounded_put(b, SPAN("\""));
}

static void put_parameter(struct bounded *b, struct span name, struct span text)
{
    bounded_put(b, name);
    bounded_put(b, SPAN("="));
    put_quoted(b, text);
}

size_t basic_challenge_write(struct span realm, char *out, size_t room)
{
    struct bounded b = { out, room, 0 };

    put_parameter(&b, SPAN("Basic realm"), realm);
    bounded_put(&b, SPAN(", charset=\"UTF-8\""));
    return b.bytes;
}

size_t digest_challenge_write(const struct digest_challenge *c, char *out, size_t room)
{
    struct bounded b = { out, room, 0 };

    put_parameter(&b, SPAN("Digest realm"), c->realm);
    bounded_put(&b, SPAN(", qop=\"auth\", algorithm="));
    bounded_put(&b, c->algorithm);
    put_parameter(&b, SPAN(", nonce"), c->nonce);
    if (c->opaque.n > 0)
        put_parameter(&b, SPAN(", opaque"), c->opaque);
    bounded_put(&b, SPAN(", charset=UTF-8"));
    if (c->stale)
        bounded_put(&b, SPAN(", stale=true"));
    return b.bytes;
}
