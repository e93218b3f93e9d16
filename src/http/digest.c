#include "http/digest.h"

#include "http/escape.h"
#include "http/token.h"

static const struct {
    struct span name;
    size_t hex_digits;
} algorithms[DIGEST_ALGORITHMS] = {
    [DIGEST_SHA256] = { SPAN_INIT("SHA-256"), 64 },
    [DIGEST_MD5] = { SPAN_INIT("MD5"), 32 },
};

struct span digest_algorithm_name(enum digest_algorithm a)
{
    return algorithms[a].name;
}

size_t digest_hex_digits(enum digest_algorithm a)
{
    return algorithms[a].hex_digits;
}

static bool algorithm_read(struct span name, enum digest_algorithm *out)
{
    *out = DIGEST_MD5;
    if (name.p == NULL)
        return true;
    for (unsigned a = 0; a < DIGEST_ALGORITHMS; a++)
        if (span_is_nocase(name, algorithms[a].name)) {
            *out = (enum digest_algorithm)a;
            return true;
        }
    return false;
}

/* UTF-8'language'value-chars. RFC8187:3.2 */
static bool extended_decode(struct span in, char *memory, struct span *out)
{
    size_t language = sizeof "UTF-8'" - 1, n = 0;
    struct span text;

    if (in.n < language || !span_is_nocase((struct span){ in.p, language }, SPAN("UTF-8'")))
        return false;
    text = span_from(in, language);
    if (span_find(text, '\'') == text.n)
        return false;
    text = span_from(text, span_find(text, '\'') + 1);
    for (size_t i = 0; i < text.n; i++, n++) {
        memory[n] = text.p[i];
        if (text.p[i] != '%')
            continue;
        if (text.n - i < 3 || !token_is(text.p[i + 1], TOKEN_HEX) || !token_is(text.p[i + 2], TOKEN_HEX))
            return false;
        memory[n] = (char)(token_hex(text.p[i + 1]) << 4 | token_hex(text.p[i + 2]));
        i += 2;
    }
    *out = (struct span){ memory, n };
    return true;
}

static bool user_read(const struct credentials *c, char *memory, struct span *user)
{
    struct span plain = credentials_value(c, SPAN("username")), extended = credentials_value(c, SPAN("username*"));

    if (extended.p == NULL ? plain.p == NULL : plain.p != NULL || !extended_decode(extended, memory, &plain))
        return false;
    for (size_t i = 0; i < plain.n; i++)
        if ((unsigned char)plain.p[i] < 0x20 || plain.p[i] == 0x7f)
            return false;
    *user = plain;
    return escape_utf8(plain, NULL, 0) == plain.n;
}

static bool is_hex(struct span s, size_t digits)
{
    return s.n == digits && token_span(s, TOKEN_HEX) == digits;
}

static bool count_read(struct span nc, uint32_t *out)
{
    uint32_t value = 0;

    if (!is_hex(nc, 8))
        return false;
    for (size_t i = 0; i < nc.n; i++)
        value = value << 4 | token_hex(nc.p[i]);
    *out = value;
    return value > 0;
}

static bool rest_read(const struct credentials *c, char *memory, struct digest *d)
{
    d->realm = credentials_value(c, SPAN("realm"));
    d->nonce = credentials_value(c, SPAN("nonce"));
    d->uri = credentials_value(c, SPAN("uri"));
    d->cnonce = credentials_value(c, SPAN("cnonce"));
    d->response = credentials_value(c, SPAN("response"));
    d->nc = credentials_value(c, SPAN("nc"));
    return d->realm.p != NULL && d->nonce.n > 0 && d->uri.n > 0 && d->cnonce.n > 0 &&
           is_hex(d->response, algorithms[d->algorithm].hex_digits) && count_read(d->nc, &d->nc_value) &&
           span_is(credentials_value(c, SPAN("qop")), SPAN("auth")) &&
           !span_is_nocase(credentials_value(c, SPAN("userhash")), SPAN("true")) && user_read(c, memory, &d->user);
}

enum digest_fault digest_read(const struct credentials *c, char *memory, struct digest *out)
{
    if (!algorithm_read(credentials_value(c, SPAN("algorithm")), &out->algorithm))
        return DIGEST_UNKNOWN_ALGORITHM;
    return rest_read(c, memory, out) ? DIGEST_GOOD : DIGEST_MALFORMED;
}
