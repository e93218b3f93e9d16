#include "http/forwarded.h"

#include <arpa/inet.h>

#include "http/host.h"
#include "http/token.h"

static bool is_address(int family, struct span s)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (s.n == 0 || s.n >= sizeof text || memchr(s.p, '\0', s.n) != NULL)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return inet_pton(family, text, &address) == 1;
}

/* "_" 1*(ALPHA / DIGIT / "." / "_" / "-"). RFC7239:6.3 */
static bool is_hidden(struct span s)
{
    if (s.n < 2 || s.p[0] != '_')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], letter = (char)(c | 0x20);

        if (!token_is(c, TOKEN_DIGIT) && (letter < 'a' || letter > 'z') && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

/* port = 1*5DIGIT, obfport. Empty: none. RFC7239:6 */
static bool port_parse(struct span s, uint16_t *port)
{
    uint32_t number = 0;

    *port = 0;
    if (is_hidden(s))
        return true;
    if (s.n == 0 || s.n > 5 || token_span(s, TOKEN_DIGIT) != s.n)
        return false;
    for (size_t i = 0; i < s.n; i++)
        number = number * 10 + (uint32_t)(s.p[i] - '0');
    *port = (uint16_t)number;
    return number <= UINT16_MAX;
}

static enum forwarded_kind kind_of(struct span name)
{
    if (is_address(AF_INET, name))
        return FORWARDED_IPV4;
    if (span_is_nocase(name, SPAN("unknown")))
        return FORWARDED_UNKNOWN;
    return is_hidden(name) ? FORWARDED_HIDDEN : FORWARDED_ABSENT;
}

bool forwarded_node_parse(struct span s, struct forwarded_node *out)
{
    size_t name_end = span_find(s, ':'), behind = name_end;
    uint16_t port = 0;

    if (s.n > 0 && s.p[0] == '[') {
        name_end = span_find(s, ']');
        if (name_end == s.n || !is_address(AF_INET6, (struct span){ s.p + 1, name_end - 1 }))
            return false;
        behind = name_end + 1;
        *out = (struct forwarded_node){ FORWARDED_IPV6, { s.p + 1, name_end - 1 }, 0 };
    } else {
        struct span name = { s.p, name_end };

        *out = (struct forwarded_node){ kind_of(name), name, 0 };
    }
    if (out->kind == FORWARDED_ABSENT)
        return false;
    if (behind < s.n && (s.p[behind] != ':' || !port_parse(span_from(s, behind + 1), &port)))
        return false;
    out->port = port;
    return true;
}

static bool is_scheme(struct span s)
{
    char first = (char)(s.n > 0 ? s.p[0] | 0x20 : 0);

    if (first < 'a' || first > 'z')
        return false;
    for (size_t i = 1; i < s.n; i++) {
        char c = s.p[i], letter = (char)(c | 0x20);

        if (!token_is(c, TOKEN_DIGIT) && (letter < 'a' || letter > 'z') && c != '+' && c != '-' && c != '.')
            return false;
    }
    return true;
}

static bool is_host(struct span s)
{
    struct host host;
    size_t bad;

    return s.n > 0 && host_parse(s, &host, &bad);
}

/* The inside of a quoted string, without its escapes: in `text` when it has any. False when that is full. */
static bool unescape(struct forwarded *f, struct span *s)
{
    char *start = f->text + f->text_bytes;

    if (span_find(*s, '\\') == s->n)
        return true;
    for (size_t i = 0; i < s->n; i++) {
        if (s->p[i] == '\\')
            i++;
        if (f->text_bytes == sizeof f->text)
            return false;
        f->text[f->text_bytes++] = s->p[i];
    }
    *s = (struct span){ start, (size_t)(f->text + f->text_bytes - start) };
    return true;
}

/* Bytes of the quoted string that s begins with; 0 when it is never closed. */
static size_t quoted_length(struct span s)
{
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            return i + 1;
    }
    return 0;
}

/* Take a token or a quoted string off *rest. */
static bool take_value(struct forwarded *f, struct span *rest, struct span *value)
{
    size_t n;

    if (rest->n == 0 || rest->p[0] != '"') {
        n = token_span(*rest, TOKEN_NAME);
        *value = (struct span){ rest->p, n };
        *rest = span_from(*rest, n);
        return n > 0;
    }
    n = quoted_length(*rest);
    if (n == 0)
        return false;
    *value = (struct span){ rest->p + 1, n - 2 };
    *rest = span_from(*rest, n);
    return unescape(f, value);
}

static bool keep_node(struct forwarded_node *node, struct span value)
{
    return node->kind == FORWARDED_ABSENT && forwarded_node_parse(value, node);
}

static bool keep_span(struct span *kept, struct span value, bool valid)
{
    bool first = kept->n == 0;

    *kept = value;
    return first && valid;
}

static bool keep(struct forwarded *f, struct span name, struct span value)
{
    if (span_is_nocase(name, SPAN("for")))
        return keep_node(&f->client, value);
    if (span_is_nocase(name, SPAN("by")))
        return keep_node(&f->by, value);
    if (span_is_nocase(name, SPAN("host")))
        return keep_span(&f->host, value, is_host(value));
    if (span_is_nocase(name, SPAN("proto")))
        return keep_span(&f->proto, value, is_scheme(value));
    return true;
}

static bool take_pair(struct forwarded *f, struct span *rest)
{
    struct span name = { rest->p, token_span(*rest, TOKEN_NAME) }, value;

    *rest = span_from(*rest, name.n);
    if (name.n == 0 || rest->n == 0 || rest->p[0] != '=')
        return false;
    *rest = span_from(*rest, 1);
    return take_value(f, rest, &value) && keep(f, name, value);
}

bool forwarded_parse(struct span element, struct forwarded *out)
{
    struct span rest = span_trim(element);

    out->client = out->by = (struct forwarded_node){ 0 };
    out->host = out->proto = (struct span){ 0 };
    out->text_bytes = 0;
    while (rest.n > 0) {
        if (rest.p[0] != ';' && !take_pair(out, &rest))
            return false;
        rest = span_trim(rest);
        if (rest.n > 0 && rest.p[0] != ';')
            return false;
        if (rest.n > 0)
            rest = span_trim(span_from(rest, 1));
    }
    return true;
}

/* A quote behind an odd number of backslashes is part of a string. */
static bool is_escaped(struct span s, size_t at)
{
    size_t start = at;

    while (start > 0 && s.p[start - 1] == '\\')
        start--;
    return (at - start) % 2 == 1;
}

/*
 * Take the last element off *rest; it may be empty. From the right, because what stands there was written by those who
 * are trusted: whatever the client left open at the left, their elements are found.
 */
static struct span take_last(struct span *rest)
{
    size_t start = rest->n;
    bool quoted = false;
    struct span last;

    while (start > 0 && (quoted || rest->p[start - 1] != ',')) {
        start--;
        if (rest->p[start] == '"' && !is_escaped(*rest, start))
            quoted = !quoted;
    }
    last = span_from(*rest, start);
    rest->n = start > 0 ? start - 1 : 0;
    return span_trim(last);
}

/* An address as it stands in X-Forwarded-For: IPv6 with brackets or without. */
static bool x_for_parse(struct span s, struct forwarded *out)
{
    *out = (struct forwarded){ 0 };
    if (!is_address(AF_INET6, s))
        return forwarded_node_parse(s, &out->client);
    out->client = (struct forwarded_node){ FORWARDED_IPV6, s, 0 };
    return true;
}

static bool element_parse(enum field_id id, struct span element, struct forwarded *out)
{
    bool parsed = id == FIELD_FORWARDED ? forwarded_parse(element, out) : x_for_parse(element, out);

    return parsed && (out->client.kind == FORWARDED_IPV4 || out->client.kind == FORWARDED_IPV6);
}

/* What the walk knows so far. */
struct walk {
    enum field_id id;
    const struct forwarded_trust *trust;
    struct span best; /* the element of the leftmost address found; n == 0: none */
};

/* Walk one line. True when the walk ends here. */
static bool walk_line(struct walk *w, struct span value, struct forwarded *spare)
{
    while (value.n > 0) {
        struct span element = take_last(&value);

        if (element.n == 0)
            continue;
        if (!element_parse(w->id, element, spare))
            return true;
        w->best = element;
        if (!w->trust->trusts(w->trust->owner, &spare->client))
            return true;
    }
    return false;
}

bool forwarded_find_client(const struct head *head, enum field_id id, const struct forwarded_trust *trust,
                           struct forwarded *out)
{
    struct walk w = { .id = id, .trust = trust };

    for (size_t i = head->count; i > 0; i--)
        if (head->fields[i - 1].id == id && walk_line(&w, head->fields[i - 1].value, out))
            break;
    return w.best.n > 0 && element_parse(id, w.best, out);
}

static void put_value(struct bounded *b, struct span s)
{
    if (s.n > 0 && token_span(s, TOKEN_NAME) == s.n) {
        bounded_put(b, s);
        return;
    }
    bounded_put(b, SPAN("\""));
    for (size_t i = 0; i < s.n; i++) {
        if (!token_is(s.p[i], TOKEN_VALUE))
            continue;
        if (s.p[i] == '"' || s.p[i] == '\\')
            bounded_put(b, SPAN("\\"));
        bounded_put(b, (struct span){ s.p + i, 1 });
    }
    bounded_put(b, SPAN("\""));
}

/* Without a zone, which means nothing elsewhere; the empty span when it is no IP address. */
static struct span address_of(struct span text)
{
    struct span address = { text.p, span_find(text, '%') };

    return is_address(AF_INET, address) || is_address(AF_INET6, address) ? address : SPAN("");
}

static void put_node(struct bounded *b, struct span text, uint16_t port)
{
    char buffer[INET6_ADDRSTRLEN + 8];
    struct bounded node = { buffer, sizeof buffer, 0 };
    struct span address = address_of(text);
    bool wide = span_find(address, ':') < address.n;

    if (address.n == 0) {
        bounded_put(b, is_hidden(text) ? text : SPAN("unknown"));
        return;
    }
    bounded_put(&node, wide ? SPAN("[") : SPAN(""));
    bounded_put(&node, address);
    bounded_put(&node, wide ? SPAN("]") : SPAN(""));
    if (port != 0) {
        bounded_put(&node, SPAN(":"));
        bounded_put_number(&node, port);
    }
    put_value(b, (struct span){ buffer, node.bytes });
}

void forwarded_put(struct bounded *b, const struct forwarded_hop *hop)
{
    bounded_put(b, SPAN("for="));
    put_node(b, hop->address, hop->port);
    if (hop->by.n > 0) {
        bounded_put(b, SPAN(";by="));
        put_node(b, hop->by, 0);
    }
    if (hop->host.n > 0) {
        bounded_put(b, SPAN(";host="));
        put_value(b, hop->host);
    }
    if (hop->proto.n > 0) {
        bounded_put(b, SPAN(";proto="));
        put_value(b, hop->proto);
    }
}

void forwarded_put_received(struct bounded *b, const struct head *head, enum field_id id)
{
    for (const struct field *f = head_field(head, id); f != NULL; f = head_next(head, f)) {
        if (f->value.n == 0)
            continue;
        bounded_put(b, f->value);
        bounded_put(b, SPAN(", "));
    }
}

void forwarded_put_x_for(struct bounded *b, const struct head *head, struct span address)
{
    struct span text = address_of(address);

    forwarded_put_received(b, head, FIELD_X_FORWARDED_FOR);
    bounded_put(b, text.n > 0 ? text : SPAN("unknown"));
}
