#include "http/uri_rewrite.h"

#include "http/host.h"
#include "http/path.h"
#include "http/token.h"

enum segment { SEGMENT_PLAIN, SEGMENT_DOT, SEGMENT_DOTS, SEGMENT_UNSAFE };

/* Take one byte off *s, decoded. -1: not fit for a path. *escaped: it was written as an escape. */
static int take_byte(struct span *s, bool *escaped)
{
    unsigned char c = (unsigned char)s->p[0];

    *escaped = c == '%';
    if (!*escaped) {
        *s = span_from(*s, 1);
        return c <= ' ' || c == 0x7f || c == '\\' ? -1 : c;
    }
    if (s->n < 3 || !token_is(s->p[1], TOKEN_HEX) || !token_is(s->p[2], TOKEN_HEX))
        return -1;
    c = (unsigned char)(token_hex(s->p[1]) << 4 | token_hex(s->p[2]));
    *s = span_from(*s, 3);
    return c == '\0' ? -1 : c;
}

/* s: without slashes. What others may take for the end of a segment sets off parts of it; ";" begins parameters. */
static enum segment segment_of(struct span s)
{
    size_t dots = 0, others = 0;
    bool hides = false, divided = false, parameters = false, escaped;

    while (s.n > 0) {
        int c = take_byte(&s, &escaped);

        if (c < 0)
            return SEGMENT_UNSAFE;
        if (c == '/' || c == '\\' || (c == ';' && !parameters)) {
            hides |= dots == 2 && others == 0;
            divided = true;
            parameters = c == ';';
            dots = 0;
            others = parameters;
        } else if (c == '.') {
            dots++;
        } else {
            others++;
        }
    }
    if (hides || (divided && dots == 2 && others == 0))
        return SEGMENT_UNSAFE;
    if (divided || others > 0 || dots == 0 || dots > 2)
        return SEGMENT_PLAIN;
    return dots == 1 ? SEGMENT_DOT : SEGMENT_DOTS;
}

/* Is there nothing to be looked at more closely? So it is for nearly every path. */
static bool is_plain(struct span raw)
{
    for (size_t i = 0; i < raw.n; i++) {
        unsigned char c = (unsigned char)raw.p[i];

        if (c <= ' ' || c == 0x7f || c == '%' || c == '\\' || (c == '.' && i > 0 && raw.p[i - 1] == '/'))
            return false;
    }
    return true;
}

/* Take the last segment away, and the slashes around it but one. False at the root. */
static bool climb(const char *out, size_t *n)
{
    size_t to = *n;

    while (to > 0 && out[to - 1] == '/')
        to--;
    if (to == 0)
        return false;
    while (out[to - 1] != '/')
        to--;
    *n = to;
    return true;
}

/* raw, which begins with '/', without "." and "..", to `out`. False: it climbs above the root, or is unsafe. */
static bool write_resolved(struct span raw, char *out, size_t *n)
{
    struct span rest = span_from(raw, 1);

    out[0] = '/';
    *n = 1;
    for (;;) {
        size_t length = span_find(rest, '/');
        bool slash = length < rest.n;
        enum segment segment = segment_of((struct span){ rest.p, length });

        if (segment == SEGMENT_UNSAFE || (segment == SEGMENT_DOTS && !climb(out, n)))
            return false;
        if (segment == SEGMENT_PLAIN) {
            memcpy(out + *n, rest.p, length + slash);
            *n += length + slash;
        }
        if (!slash)
            return true;
        rest = span_from(rest, length + 1);
    }
}

enum fit { FIT, FIT_REFUSED, FIT_ELSEWHERE };

/* *raw, empty or beginning with '/', with its dot segments resolved. */
static enum fit resolve(struct arena *a, struct span *raw)
{
    size_t n = 0;
    char *out;

    if (raw->n == 0)
        *raw = SPAN("/");
    if (is_plain(*raw))
        return FIT;
    out = arena_take(a, raw->n + 1);
    if (out == NULL || !write_resolved(*raw, out, &n))
        return FIT_REFUSED;
    if (n != raw->n)
        *raw = (struct span){ out, n };
    return FIT;
}

/* Take from *raw what decodes to `prefix`, as path_decode() does it. False when it does not begin so. */
static bool take_prefix(struct span *raw, struct span prefix)
{
    bool escaped;

    while (prefix.n > 0) {
        int c = raw->n > 0 ? take_byte(raw, &escaped) : -1;
        char byte = (char)c;
        struct span decoded = { &byte, 1 };

        if (c == '/' && escaped)
            decoded = SPAN("%2F");
        while (c == '/' && !escaped && raw->n > 0 && raw->p[0] == '/')
            *raw = span_from(*raw, 1);
        if (c < 0 || !span_starts(prefix, decoded))
            return false;
        prefix = span_from(prefix, decoded.n);
    }
    return true;
}

/* What is behind the prefix `from`: empty, or begins with exactly one slash. *raw as in resolve(). */
static enum fit rest_of(struct arena *a, struct span raw, struct span from, struct span *rest)
{
    enum fit fit = resolve(a, &raw);

    if (fit != FIT)
        return fit;
    if (!take_prefix(&raw, from) || (raw.n > 0 && raw.p[0] != '/'))
        return FIT_ELSEWHERE;
    while (raw.n > 1 && raw.p[1] == '/')
        raw = span_from(raw, 1);
    *rest = raw;
    return FIT;
}

static struct span without_slashes(struct span s)
{
    while (s.n > 0 && s.p[s.n - 1] == '/')
        s.n--;
    return s;
}

bool uri_rewrite_mount(struct arena *a, struct span outside, struct span inside, struct uri_mount *out)
{
    size_t room = 3 * outside.n + 1, n = 0;
    char *decoded = arena_take(a, inside.n + 1), *encoded = arena_take(a, room);
    struct verdict v;

    if (decoded == NULL || encoded == NULL || path_decode(inside, decoded, inside.n + 1, &n, &v) != R_NONE)
        return false;
    out->outside = without_slashes(outside);
    out->outside_sent = (struct span){ encoded, path_encode(out->outside, encoded, room) };
    out->inside = without_slashes((struct span){ decoded, n });
    out->inside_sent = without_slashes(inside);
    return true;
}

/* `to` and the rest; when both are empty, the root. */
static struct span seam(struct span to, struct span rest)
{
    return to.n == 0 && rest.n == 0 ? SPAN("/") : rest;
}

struct span uri_rewrite_target(struct arena *a, const struct uri_mount *mount, const struct target *target)
{
    struct span parts[4] = { mount->inside_sent };
    struct span path = target->path, rest;

    if (target->form == TARGET_ASTERISK)
        return SPAN("*");
    if (rest_of(a, path, mount->outside, &rest) != FIT)
        return (struct span){ 0 };
    parts[1] = seam(parts[0], rest);
    if (target->has_query) {
        parts[2] = SPAN("?");
        parts[3] = target->query;
    }
    /* nothing moves: the client's own bytes will do, with the query behind them */
    if (rest.n > 0 && parts[0].n + rest.n == path.n && rest.p == path.p + parts[0].n && span_starts(path, parts[0]) &&
        (!target->has_query || target->query.p == path.p + path.n + 1))
        return (struct span){ path.p, path.n + parts[2].n + parts[3].n };
    return arena_join(a, parts, sizeof parts / sizeof parts[0]);
}

/* A reference taken apart. RFC3986:4.1 */
struct reference {
    struct span scheme, authority, path, tail; /* tail: '?' or '#' and what follows */
    bool has_authority;
};

/* Offset of the first byte of s that is one of the two or three given. */
static size_t find_first(struct span s, const char *stops)
{
    size_t i = 0;

    while (i < s.n && (s.p[i] == '\0' || strchr(stops, s.p[i]) == NULL))
        i++;
    return i;
}

/* False when it neither has an authority nor an absolute path. */
static bool reference_parse(struct span s, struct reference *out)
{
    size_t colon = find_first(s, ":/?#"), n;

    *out = (struct reference){ 0 };
    if (colon < s.n && s.p[colon] == ':') {
        out->scheme = (struct span){ s.p, colon };
        s = span_from(s, colon + 1);
    }
    out->has_authority = span_starts(s, SPAN("//"));
    if (out->has_authority) {
        s = span_from(s, 2);
        n = find_first(s, "/?#");
        out->authority = (struct span){ s.p, n };
        s = span_from(s, n);
    }
    n = find_first(s, "?#");
    out->path = (struct span){ s.p, n };
    out->tail = span_from(s, n);
    return out->has_authority ? true : out->scheme.n == 0 && n > 0 && out->path.p[0] == '/';
}

/* Port of an http or https URI; 0: another scheme. */
static unsigned port_of(struct span scheme, const struct host *host)
{
    bool plain = span_is_nocase(scheme, SPAN("http"));

    if (!plain && !span_is_nocase(scheme, SPAN("https")))
        return 0;
    if (host->has_port)
        return host->port;
    return plain ? 80 : 443;
}

/* Is it the same host and port? `lenient`: the scheme may differ where neither names a port. */
static bool same_origin(const struct reference *r, struct span scheme, struct span authority, bool lenient)
{
    struct span own_scheme = r->scheme.n > 0 ? r->scheme : scheme;
    struct host named, known;
    size_t bad;
    unsigned port;

    if (!host_parse(r->authority, &named, &bad) || !host_parse(authority, &known, &bad) || named.name.n == 0 ||
        !span_is_nocase(named.name, known.name))
        return false;
    port = port_of(own_scheme, &named);
    if (lenient)
        return port != 0 && ((!named.has_port && !known.has_port) || port == port_of(scheme, &known));
    return port != 0 && port == port_of(scheme, &known) && span_is_nocase(own_scheme, scheme);
}

struct span uri_rewrite_location(struct arena *a, const struct uri_mount *mount, const struct uri_site *site,
                                 struct span value)
{
    struct span parts[6] = { [3] = mount->outside_sent }, rest;
    struct reference r;

    if (!reference_parse(value, &r))
        return value;
    if (r.has_authority) {
        if (!same_origin(&r, site->upstream_scheme, site->upstream_authority, false))
            return value;
        parts[0] = site->scheme;
        parts[1] = SPAN("://");
        parts[2] = site->authority;
    }
    if (rest_of(a, r.path, mount->inside, &rest) != FIT)
        return value;
    parts[4] = seam(parts[3], rest);
    parts[5] = r.tail;
    return arena_join(a, parts, sizeof parts / sizeof parts[0]);
}

enum reason uri_rewrite_destination(struct arena *a, const struct uri_mount *mount, const struct uri_site *site,
                                    struct span value, struct span *out)
{
    struct span parts[6] = { [3] = mount->inside_sent }, rest;
    struct reference r;

    if (!reference_parse(value, &r) || span_find(r.tail, '#') < r.tail.n || (r.has_authority && r.scheme.n == 0))
        return R_dav_destination_invalid;
    if (r.has_authority) {
        if (!same_origin(&r, site->scheme, site->authority, true))
            return R_dav_destination_foreign;
        parts[0] = site->upstream_scheme;
        parts[1] = SPAN("://");
        parts[2] = site->upstream_authority;
    }
    switch (rest_of(a, r.path, mount->outside, &rest)) {
    case FIT:
        break;
    case FIT_REFUSED:
        return R_dav_destination_invalid;
    case FIT_ELSEWHERE:
        return R_dav_destination_foreign;
    }
    parts[4] = seam(parts[3], rest);
    parts[5] = r.tail;
    *out = arena_join(a, parts, sizeof parts / sizeof parts[0]);
    return R_NONE;
}

/* An attribute in place: `whole` begins with its ";". */
struct attribute {
    struct span whole, value;
};

/* The last attribute of that name, or none (whole.n == 0). RFC6265:5.2 */
static struct attribute attribute_find(struct span cookie, struct span name)
{
    struct attribute found = { 0 };
    size_t at = span_find(cookie, ';');

    while (at < cookie.n) {
        struct span inside = span_from(cookie, at + 1);
        size_t length = span_find(inside, ';');
        struct span whole = { cookie.p + at, length + 1 };
        size_t equals;

        inside.n = length;
        equals = span_find(inside, '=');
        if (equals < length && span_is_nocase(span_trim((struct span){ inside.p, equals }), name))
            found = (struct attribute){ whole, span_trim(span_from(inside, equals + 1)) };
        at += length + 1;
    }
    return found;
}

/* `cookie` with `value` in the place of the one found; p == NULL: without the attribute. */
static struct span attribute_replace(struct arena *a, struct span cookie, struct attribute found, struct span value)
{
    struct span old = value.p != NULL ? found.value : found.whole;
    size_t before = (size_t)(old.p - cookie.p);
    const struct span parts[] = { { cookie.p, before }, value, span_from(cookie, before + old.n) };

    return arena_join(a, parts, 3);
}

static struct span path_rewrite(struct arena *a, const struct uri_mount *mount, struct span cookie)
{
    struct attribute path = attribute_find(cookie, SPAN("path"));
    struct span parts[2] = { mount->outside_sent }, rest;

    if (path.value.n == 0 || path.value.p[0] != '/' || rest_of(a, path.value, mount->inside, &rest) != FIT)
        return cookie;
    /* "/app/" would not be sent to "/app" itself. RFC6265:5.1.4 */
    if (span_is(rest, SPAN("/")))
        rest.n = 0;
    parts[1] = seam(parts[0], rest);
    return attribute_replace(a, cookie, path, arena_join(a, parts, 2));
}

static struct span domain_rewrite(struct arena *a, const struct uri_domain *domain, struct span cookie)
{
    struct attribute found = attribute_find(cookie, SPAN("domain"));
    struct span named = found.value;

    if (named.n > 0 && named.p[0] == '.')
        named = span_from(named, 1);
    if (named.n == 0 || !span_is_nocase(named, domain->from))
        return cookie;
    return attribute_replace(a, cookie, found, domain->to.n > 0 ? domain->to : (struct span){ 0 });
}

struct span uri_rewrite_cookie(struct arena *a, const struct uri_mount *mount, const struct uri_domain *domain,
                               struct span value)
{
    static const struct span host_only = SPAN_INIT("__host-");
    struct span name = span_trim((struct span){ value.p, span_find(value, '=') });
    bool keeps_path = name.n >= host_only.n && span_is_nocase((struct span){ name.p, host_only.n }, host_only);

    if (!keeps_path)
        value = path_rewrite(a, mount, value);
    return domain != NULL ? domain_rewrite(a, domain, value) : value;
}
