#include "http/etag.h"

/* etagc of RFC9110:8.8.3, obs-text included. */
static bool is_tag_byte(char c)
{
    unsigned char u = (unsigned char)c;

    return u > 0x20 && u != '"' && u != 0x7f;
}

/* The tag at the start of s; its length with prefix and quotes, 0 when there is none. */
static size_t tag_scan(struct span s, struct etag *out)
{
    size_t open = s.n >= 2 && s.p[0] == 'W' && s.p[1] == '/' ? 2 : 0;
    size_t close = open + 1;

    if (open >= s.n || s.p[open] != '"')
        return 0;
    while (close < s.n && is_tag_byte(s.p[close]))
        close++;
    if (close == s.n || s.p[close] != '"')
        return 0;
    *out = (struct etag){ { s.p + open + 1, close - open - 1 }, open != 0 };
    return close + 1;
}

bool etag_parse(struct span value, struct etag *out)
{
    struct etag tag;

    if (value.n == 0 || tag_scan(value, &tag) != value.n)
        return false;
    *out = tag;
    return true;
}

bool etag_equal(struct etag a, struct etag b, enum etag_comparison comparison)
{
    if (comparison == ETAG_STRONG && (a.weak || b.weak))
        return false;
    return span_is(a.opaque, b.opaque);
}

bool etag_list_is_any(struct span list)
{
    return span_is(span_trim(list), SPAN("*"));
}

static struct span blank_skip(struct span s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = span_from(s, 1);
    return s;
}

bool etag_in_list(struct span list, struct etag current, enum etag_comparison comparison)
{
    for (struct span rest = blank_skip(list); rest.n > 0; rest = blank_skip(rest)) {
        struct etag member;
        size_t bytes;

        if (rest.p[0] == ',') {
            rest = span_from(rest, 1);
            continue;
        }
        bytes = tag_scan(rest, &member);
        if (bytes == 0)
            return false;
        rest = blank_skip(span_from(rest, bytes));
        if (rest.n > 0 && rest.p[0] != ',')
            return false;
        if (etag_equal(member, current, comparison))
            return true;
    }
    return false;
}
