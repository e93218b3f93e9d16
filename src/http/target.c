#include "http/target.h"

#include "http/host.h"
#include "http/target_front.h"
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

/* rest: path and query, of which the first `looked` bytes have no '?'. */
static void split_path(struct span rest, size_t looked, struct target *target)
{
    size_t n = looked + span_find(span_from(rest, looked), '?');

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
    split_path(span_from(after, target->authority.n), 0, target);
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

/* front: what is known of s already. */
static enum reason take(struct span s, struct target_front front, enum method method, struct target *target,
                        struct verdict *v)
{
    size_t good = front.bytes, scheme;

    if (s.n == 0)
        return verdict_set(v, R_target_malformed, 0);
    good += token_span_escaped(span_from(s, good), TOKEN_URI);
    if (good < s.n)
        return verdict_set(v, R_target_malformed, good);
    if (method == M_CONNECT)
        return take_authority(s, target, v);
    if (s.p[0] == '/') {
        split_path(s, front.bytes, target);
        target->path_plain = front.is_plain && target->path.n == front.bytes;
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

enum reason target_parse(struct span s, enum method method, struct target *target, struct verdict *v)
{
    *target = (struct target){ .form = TARGET_ORIGIN };
    return take(s, target_front_of(s), method, target, v);
}

enum reason target_of_head(const struct head *head, enum method method, struct target *target, struct verdict *v)
{
    struct span s = head->target;
    struct target_front front = head->front;

    if (front.bytes == 0)
        return target_parse(s, method, target, v);
    if (front.bytes == s.n && front.is_plain && s.p[0] == '/' && method != M_CONNECT) {
        *target = (struct target){ .form = TARGET_ORIGIN, .path = s, .path_plain = true };
        return R_NONE;
    }
    *target = (struct target){ .form = TARGET_ORIGIN };
    return take(s, front, method, target, v);
}
