#include "http/h2_line.h"

#include "http/token.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

size_t h2_line_value_span(struct span value)
{
    size_t good;

    if (value.n == 0 || is_space(value.p[0]))
        return 0;
    good = token_span(value, TOKEN_VALUE);
    return good == value.n && is_space(value.p[good - 1]) ? good - 1 : good;
}

/* The bytes of names: of a token, without upper case. RFC9113:8.2 */
static const bool name_bytes[256] = {
    ['!'] = true, ['#' ... '\''] = true, ['*'] = true,         ['+'] = true, ['-'] = true,
    ['.'] = true, ['0' ... '9'] = true,  ['^' ... 'z'] = true, ['|'] = true, ['~'] = true,
};

size_t h2_line_name_span(struct span name)
{
    size_t i = 0;

    while (i < name.n && name_bytes[(uint8_t)name.p[i]])
        i++;
    return i;
}

/* A name of the table needs no look at each of its bytes. */
bool h2_line_name_valid(struct span name, enum field_id id)
{
    if (id != FIELD_OTHER && memcmp(name.p, field_info(id)->name.p, name.n) == 0)
        return true;
    return name.n > 0 && h2_line_name_span(name) == name.n;
}

bool h2_line_forbidden(enum field_id id, struct span value)
{
    return field_info(id)->h2_forbids || (id == FIELD_TE && !span_is_nocase(value, SPAN("trailers")));
}
