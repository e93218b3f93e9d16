#include "admin/query.h"

#include "http/token.h"

static bool needs_decoding(struct span s)
{
    return span_find(s, '%') < s.n || span_find(s, '+') < s.n;
}

/* out has s.n bytes. Returns those written; more than s.n: there is a bad escape. */
static size_t decode_into(struct span s, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%') {
            if (s.n - i < 3 || !token_is(s.p[i + 1], TOKEN_HEX) || !token_is(s.p[i + 2], TOKEN_HEX))
                return s.n + 1;
            out[n++] = (char)(token_hex(s.p[i + 1]) << 4 | token_hex(s.p[i + 2]));
            i += 2;
        } else {
            out[n++] = s.p[i] == '+' ? ' ' : s.p[i];
        }
    }
    return n;
}

/* In place of *s its decoded text. False: *bad_out is *s when its escapes are bad, and empty without memory. */
static bool decode(struct arena *a, struct span *s, struct span *bad_out)
{
    char *out;
    size_t n;

    if (!needs_decoding(*s))
        return true;
    *bad_out = (struct span){ 0 };
    out = arena_take(a, s->n);
    if (out == NULL)
        return false;
    n = decode_into(*s, out);
    if (n > s->n) {
        *bad_out = *s;
        return false;
    }
    *s = (struct span){ out, n };
    return true;
}

static bool parameter_read(struct arena *a, struct span part, struct query_parameter *out, struct span *bad_out)
{
    size_t equals = span_find(part, '=');

    if (equals == 0) {
        *bad_out = part;
        return false;
    }
    out->name = (struct span){ part.p, equals };
    out->value = span_from(part, equals < part.n ? equals + 1 : equals);
    if (!decode(a, &out->name, bad_out))
        return false;
    if (decode(a, &out->value, bad_out))
        return true;
    if (bad_out->n > 0)
        *bad_out = out->name;
    return false;
}

bool query_parse(struct arena *a, struct span text, struct query *out, struct span *bad_out)
{
    out->count = 0;
    while (text.n > 0) {
        struct span part = { text.p, span_find(text, '&') };

        text = span_from(text, part.n < text.n ? part.n + 1 : part.n);
        if (part.n == 0)
            continue;
        if (out->count == QUERY_MOST) {
            *bad_out = part;
            return false;
        }
        if (!parameter_read(a, part, &out->all[out->count], bad_out))
            return false;
        out->count++;
    }
    return true;
}

struct span query_value(const struct query *q, struct span name)
{
    for (uint32_t i = 0; i < q->count; i++)
        if (span_is(q->all[i].name, name))
            return q->all[i].value;
    return (struct span){ 0 };
}

bool query_number(const struct query *q, struct span name, uint64_t standard, uint64_t max, uint64_t *out)
{
    struct span value = query_value(q, name);
    uint64_t number = 0;

    *out = standard;
    if (value.p == NULL)
        return true;
    if (value.n == 0)
        return false;
    for (size_t i = 0; i < value.n; i++) {
        unsigned digit = (unsigned)(unsigned char)value.p[i] - '0';

        if (digit > 9 || digit > max || number > (max - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *out = number;
    return true;
}

struct span query_unknown(const struct query *q, const struct span *known, size_t count)
{
    for (uint32_t i = 0; i < q->count; i++) {
        size_t k = 0;

        while (k < count && !span_is(q->all[i].name, known[k]))
            k++;
        if (k == count)
            return q->all[i].name;
    }
    return (struct span){ 0 };
}
