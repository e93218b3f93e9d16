#include "http/target.h"

#include "http/host.h"
#include "http/token.h"

/* Bytes of the scheme when s begins with scheme "://", else 0. RFC3986:3.1 */
static size_t scheme_length(struct span s)
{
    size_t n = 0;

    while (n < s.n && (token_is(s.p[n], TOKEN_DIGIT) || ((s.p[n] | 0x20) >= 'a' && (s.p[n] | 0x20) <= 'z') ||
                       s.p[n] == '+' || s.p[n] == '-' || s.p[n] == '.'))
        n++;
    if (n == 0 || (s.p[0] | 0x20) < 'a' || !span_starts(span_from(s, n), SPAN("://")))
        return 0;
    return n;
}

/* rest: path and query. */
static void split_path(struct span rest, struct target *target)
{
    size_t n = span_find(rest, '?');

    target->path = (struct span){ rest.p, n };
    target->has_query = n < rest.n;
    target->query = span_from(rest, target->has_query ? n + 1 : n);
}

static size_t authority_length(struct span s)
{
    size_t n = 0;

    while (n < s.n && s.p[n] != '/' && s.p[n] != '?')
        n++;
    return n;
}

static enum reason take_absolute(struct span s, size_t scheme, struct target *target, struct verdict *v)
{
    size_t start = scheme + sizeof "://" - 1, bad;
    struct span after = span_from(s, start);
    struct host host;

    target->form = TARGET_ABSOLUTE;
    target->scheme = (struct span){ s.p, scheme };
    target->authority = (struct span){ after.p, authority_length(after) };
    if (!host_parse(target->authority, &host, &bad))
        return verdict_set(v, R_target_malformed, start + bad);
    if (host.name.n == 0 && (span_is_nocase(target->scheme, SPAN("http")) ||
                             span_is_nocase(target->scheme, SPAN("https")))) /* RFC9110:4.2.1 */
        return verdict_set(v, R_target_malformed, start);
    split_path(span_from(after, target->authority.n), target);
    return R_NONE;
}

static enum reason take_authority(struct span s, struct target *target, struct verdict *v)
{
    struct host host;
    size_t bad;

    if (s.p[0] == '/' || span_is(s, SPAN("*")) || scheme_length(s) > 0)
        return verdict_set(v, R_target_form_invalid, 0);
    if (!host_parse(s, &host, &bad))
        return verdict_set(v, R_target_malformed, bad);
    if (!host.has_port) /* RFC9112:3.2.3: there is no default */
        return verdict_set(v, R_target_form_invalid, s.n);
    target->form = TARGET_AUTHORITY;
    target->authority = s;
    return R_NONE;
}

enum reason target_parse(struct span s, enum method method, struct target *target, struct verdict *v)
{
    size_t good, scheme;

    *target = (struct target){ .form = TARGET_ORIGIN };
    if (s.n == 0)
        return verdict_set(v, R_target_malformed, 0);
    good = token_span_escaped(s, TOKEN_URI);
    if (good < s.n)
        return verdict_set(v, R_target_malformed, good);
    if (method == M_CONNECT)
        return take_authority(s, target, v);
    if (s.p[0] == '/') {
        split_path(s, target);
        return R_NONE;
    }
    if (method == M_OPTIONS && span_is(s, SPAN("*"))) {
        target->form = TARGET_ASTERISK;
        return R_NONE;
    }
    scheme = scheme_length(s);
    if (scheme > 0)
        return take_absolute(s, scheme, target, v);
    return verdict_set(v, R_target_form_invalid, 0);
}
