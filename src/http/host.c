#include "http/host.h"

#include <arpa/inet.h>

#include "http/token.h"

/* 1*DIGIT up to 65535, or nothing. */
static bool port_parse(struct span s, struct host *out, size_t *bad)
{
    uint32_t port = 0;

    for (size_t i = 0; i < s.n; i++) {
        *bad = i;
        if (!token_is(s.p[i], TOKEN_DIGIT))
            return false;
        port = port * 10 + (uint32_t)(s.p[i] - '0');
        if (port > UINT16_MAX)
            return false;
    }
    out->has_port = s.n > 0;
    out->port = (uint16_t)port;
    return true;
}

/* Bytes of "[" IPv6 address "]" at the start of s; 0 and *bad when there is no such thing. */
static size_t bracket_length(struct span s, size_t *bad)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    size_t i = 1;

    while (i < s.n && (token_is(s.p[i], TOKEN_HEX) || s.p[i] == ':' || s.p[i] == '.'))
        i++;
    *bad = i;
    if (i == s.n || s.p[i] != ']')
        return 0;
    *bad = 0;
    if (i - 1 >= sizeof text)
        return 0;
    memcpy(text, s.p + 1, i - 1);
    text[i - 1] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1 ? i + 1 : 0;
}

/* Bytes of a name with brackets or escapes; 0 when there is none. *bad: the place behind it, or where it is broken. */
static __attribute__((noinline)) size_t odd_name_length(struct span s, size_t *bad)
{
    if (s.p[0] == '[') {
        size_t n = bracket_length(s, bad);

        *bad = n > 0 ? n : *bad;
        return n;
    }
    return *bad = token_span_escaped(s, TOKEN_HOST);
}

bool host_parse(struct span s, struct host *out, size_t *bad)
{
    size_t n = token_span(s, TOKEN_HOST);

    *out = (struct host){ .name = { s.p, 0 } };
    *bad = n;
    if (n < s.n && s.p[n] != ':')
        n = odd_name_length(s, bad);
    if (n < s.n && (n == 0 || s.p[n] != ':'))
        return false;
    out->name.n = n;
    if (n == s.n)
        return true;
    if (port_parse(span_from(s, n + 1), out, bad))
        return true;
    *bad += n + 1;
    return false;
}

/* The blank line is where a field that is not there could have stood. */
static uint32_t blank_line(const struct head *head)
{
    return head->bytes >= 2 ? head->bytes - 2 : 0;
}

enum reason host_check(const struct head *head, const struct target *target, struct host *host, struct verdict *v)
{
    const struct field *f = head_field(head, FIELD_HOST);
    const struct field *second = f != NULL ? head_next(head, f) : NULL;
    size_t bad;

    *host = (struct host){ 0 };
    if (f == NULL && (head->major > 1 || (head->major == 1 && head->minor > 0)))
        return verdict_about(v, R_host_missing, blank_line(head), field_info(FIELD_HOST)->name);
    if (second != NULL)
        return verdict_about(v, R_host_repeated, head_offset(head, second->name.p), second->name);
    if (f != NULL && !host_parse(f->value, host, &bad))
        return verdict_about(v, R_host_missing_or_invalid, head_offset(head, f->value.p + bad), f->name);
    if ((target->form == TARGET_ABSOLUTE || target->form == TARGET_AUTHORITY) &&
        NEVER(!host_parse(target->authority, host, &bad)))
        return verdict_set(v, R_target_malformed, head_offset(head, target->authority.p));
    return R_NONE;
}
