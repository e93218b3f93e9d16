#include "http/h2_line.h"

#include "http/token.h"

static uint64_t load_8(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

/* No byte below SP (tab is among those) and no DEL: for each byte, 0x80 of a difference says whether it borrowed. */
static bool is_plain(uint64_t word)
{
    const uint64_t each = 0x0101010101010101u;
    uint64_t del = word ^ 0x7f * each;

    return ((((word - 0x20 * each) & ~word) | ((del - each) & ~del)) & 0x80 * each) == 0;
}

/* Nothing but plain bytes; eight a round, and at the end the last eight again. */
static bool is_all_plain(struct span s)
{
    size_t i = 0;

    if (s.n < 8)
        return false;
    while (s.n - i > 8 && is_plain(load_8(s.p + i)))
        i += 8;
    return s.n - i <= 8 && is_plain(load_8(s.p + s.n - 8));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

size_t h2_line_value_span(struct span value)
{
    size_t good;

    if (value.n == 0 || is_space(value.p[0]))
        return 0;
    good = is_all_plain(value) ? value.n : token_span(value, TOKEN_VALUE);
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
