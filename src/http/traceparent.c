#include "http/traceparent.h"

/* "00-" trace "-" parent "-" flags */
enum { TRACE_AT = 3, PARENT_AT = 36, FLAGS_AT = 53, END_AT = 55 };

static bool is_hex(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] < '0' || s.p[i] > '9') && (s.p[i] < 'a' || s.p[i] > 'f'))
            return false;
    return true;
}

static bool is_id(struct span s)
{
    size_t zeros = 0;

    while (zeros < s.n && s.p[zeros] == '0')
        zeros++;
    return zeros < s.n && is_hex(s);
}

static struct span part(struct span s, size_t from, size_t to)
{
    return (struct span){ s.p + from, to - from };
}

bool traceparent_valid(struct span value)
{
    struct span version = { value.p, TRACE_AT - 1 };

    if (value.n < END_AT || value.p[TRACE_AT - 1] != '-' || value.p[PARENT_AT - 1] != '-' ||
        value.p[FLAGS_AT - 1] != '-')
        return false;
    if (!is_hex(version) || span_is(version, SPAN("ff")))
        return false;
    if (value.n > END_AT && (span_is(version, SPAN("00")) || value.p[END_AT] != '-'))
        return false;
    return is_id(part(value, TRACE_AT, PARENT_AT - 1)) && is_id(part(value, PARENT_AT, FLAGS_AT - 1)) &&
           is_hex(part(value, FLAGS_AT, END_AT));
}
