#include "admin/guard.h"

#include "http/host.h"

/* As long for a wrong token as for a right one, so that its letters cannot be found one by one. */
static bool same_token(struct span a, struct span b)
{
    unsigned differ = a.n != b.n;

    for (size_t i = 0; i < a.n; i++)
        differ |= (unsigned)(a.p[i] ^ b.p[b.n > 0 ? i % b.n : 0]);
    return differ == 0;
}

/* Three letters of the alphabet of RFC4648:4 at a time; -1: not one of them. */
static int letter_value(char c)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(letters, c) : NULL;

    return at != NULL ? (int)(at - letters) : -1;
}

/* out has 3/4 of in.n. Returns bytes; 0 when it is no base64. */
static size_t base64_read(struct span in, char *out)
{
    unsigned bits = 0, held = 0;
    size_t n = 0;

    while (in.n > 0 && in.p[in.n - 1] == '=')
        in.n--;
    for (size_t i = 0; i < in.n; i++) {
        int value = letter_value(in.p[i]);

        if (value < 0)
            return 0;
        bits = bits << 6 | (unsigned)value;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        out[n++] = (char)(bits >> held & 0xff);
    }
    return n;
}

/* The password is the token, the user does not matter: browsers ask for both. RFC7617:2 */
static bool basic_holds(struct exchange *x, struct span encoded, struct span token)
{
    char *room = arena_take(&x->arena, encoded.n + 1);
    struct span pair = { room, room != NULL ? base64_read(encoded, room) : 0 };
    size_t colon = span_find(pair, ':');

    return colon < pair.n && same_token(span_from(pair, colon + 1), token);
}

static bool credentials_hold(struct exchange *x, struct span value, struct span token)
{
    size_t space = span_find(value, ' ');
    struct span scheme = { value.p, space };
    struct span rest = space < value.n ? span_trim(span_from(value, space + 1)) : (struct span){ 0 };

    if (span_is_nocase(scheme, SPAN("Bearer")))
        return same_token(rest, token);
    return span_is_nocase(scheme, SPAN("Basic")) && basic_holds(x, rest, token);
}

static enum flow token_check(struct exchange *x, struct span token)
{
    const struct field *f = head_field(&x->req.head, FIELD_AUTHORIZATION);

    if (token.n == 0 || (f != NULL && credentials_hold(x, f->value, token)))
        return FLOW_GO;
    reply_add(x, SPAN("WWW-Authenticate"), SPAN("Basic realm=\"Verdict console\", Bearer realm=\"Verdict console\""));
    if (f == NULL)
        return STOP_ABOUT(x, R_credentials_missing, 0, SPAN("Authorization"));
    return STOP_ABOUT(x, R_credentials_refused, 0, SPAN("Authorization"));
}

/* The listener as the client named it, or as the configuration says that others do. A proxy may have ended TLS before
 * us, so either scheme is its own; "null" and all else is not. RFC6454:7 */
static bool origin_is_own(const struct exchange *x, struct span origin, const struct admin_settings *settings)
{
    bool secure = span_starts(origin, SPAN("https://"));
    struct host host;
    size_t bad;

    if (settings->public_origin.n > 0 && span_is_nocase(origin, settings->public_origin))
        return true;
    if (!secure && !span_starts(origin, SPAN("http://")))
        return false;
    if (!host_parse(span_from(origin, secure ? 8 : 7), &host, &bad) || !span_is_nocase(host.name, x->req.host.name))
        return false;
    return host.has_port == x->req.host.has_port && (!host.has_port || host.port == x->req.host.port);
}

enum flow guard_check(struct exchange *x, const struct admin_settings *settings)
{
    const struct field *origin = head_field(&x->req.head, FIELD_ORIGIN);

    if (origin != NULL && !origin_is_own(x, origin->value, settings))
        return STOP_ABOUT(x, R_origin_foreign, 0, origin->value);
    return token_check(x, settings->token);
}
