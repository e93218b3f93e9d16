#include "http/cgi.h"

#include "http/token.h"

#define STATUS_DIGITS    3u
#define CLASS_FIRST      '2'
#define CLASS_LAST       '5'
#define LENGTH_LIMIT_TEN (INT64_MAX / 10)

/* What has come of the head, up to its limit. */
struct reader {
    struct span in;
    const struct h1_limits *limits;
    struct cgi_head *head;
    struct verdict *v;
};

void cgi_head_init(struct cgi_head *head, struct field *array)
{
    *head = (struct cgi_head){ 0 };
    head_init(&head->lines, array);
}

static enum reason invalid(const struct reader *r, const char *at, struct span operand)
{
    return verdict_about(r->v, R_cgi_head_invalid, at - r->in.p, operand);
}

static enum reason too_large(const struct reader *r, size_t at, struct span operand)
{
    return verdict_about(r->v, R_cgi_head_too_large, at, operand);
}

static enum reason out_of_bytes(const struct reader *r)
{
    return r->in.n < r->limits->head_bytes ? R_MORE : too_large(r, r->in.n, (struct span){ 0 });
}

/* --- Lines that say something to us --- */

static enum reason take_status(const struct reader *r, const struct field *line)
{
    struct span s = line->value;
    uint16_t status = 0;

    if (r->head->status != 0)
        return invalid(r, line->name.p, line->name);
    if (s.n < STATUS_DIGITS || (s.n > STATUS_DIGITS && s.p[STATUS_DIGITS] != ' ') || s.p[0] < CLASS_FIRST ||
        s.p[0] > CLASS_LAST)
        return invalid(r, s.p, line->name);
    for (size_t i = 0; i < STATUS_DIGITS; i++) {
        if (!token_is(s.p[i], TOKEN_DIGIT))
            return invalid(r, s.p + i, line->name);
        status = (uint16_t)(status * 10 + (s.p[i] - '0'));
    }
    r->head->status = status;
    return R_NONE;
}

static enum reason take_length(const struct reader *r, const struct field *line)
{
    uint64_t length = 0;

    if (line->value.n == 0 || r->head->length_known)
        return invalid(r, line->name.p, line->name);
    for (size_t i = 0; i < line->value.n; i++) {
        if (!token_is(line->value.p[i], TOKEN_DIGIT) || length >= LENGTH_LIMIT_TEN)
            return invalid(r, line->value.p + i, line->name);
        length = length * 10 + (uint64_t)(line->value.p[i] - '0');
    }
    r->head->length = length;
    r->head->length_known = true;
    return R_NONE;
}

static enum reason take_location(const struct reader *r, const struct field *line)
{
    if (line->value.n == 0 || r->head->location.n > 0)
        return invalid(r, line->name.p, line->name);
    r->head->location = line->value;
    return R_NONE;
}

static bool is_status(const struct field *line)
{
    return line->id == FIELD_OTHER && span_is_nocase(line->name, SPAN("status"));
}

static enum reason heed(const struct reader *r, const struct field *line)
{
    if (is_status(line))
        return take_status(r, line);
    switch (line->id) {
    case FIELD_LOCATION:
        return take_location(r, line);
    case FIELD_CONTENT_LENGTH:
        return take_length(r, line);
    case FIELD_CONTENT_TYPE:
        return head_repeated(&r->head->lines, FIELD_CONTENT_TYPE) ? invalid(r, line->name.p, line->name) : R_NONE;
    default:
        return R_NONE;
    }
}

/* --- Lines --- */

/* line: without what ends it, not empty. */
static enum reason take_field(const struct reader *r, struct span line)
{
    struct head *lines = &r->head->lines;
    struct span name = { line.p, token_span(line, TOKEN_NAME) }, value;
    size_t good;

    if (name.n == 0 || name.n == line.n || line.p[name.n] != ':')
        return invalid(r, line.p + name.n, name);
    value = span_trim(span_from(line, name.n + 1));
    good = token_span(value, TOKEN_VALUE);
    if (good < value.n)
        return invalid(r, value.p + good, name);
    if (lines->count == r->limits->fields)
        return too_large(r, lines->at, name);
    head_add(lines, name, value);
    return heed(r, &lines->fields[lines->count - 1]);
}

/* A document, a redirect or a status: one of them is said. RFC3875:6.2 */
static enum reason take_end(const struct reader *r)
{
    struct cgi_head *head = r->head;

    if (head->status == 0 && head->location.n == 0 && head_field(&head->lines, FIELD_CONTENT_TYPE) == NULL)
        return invalid(r, r->in.p + head->lines.at, (struct span){ 0 });
    head->lines.bytes = head->lines.at;
    return R_NONE;
}

/* A CR at the end of what has come may belong to the end of the line. */
static bool is_too_long(const struct reader *r, struct span line, bool goes_on)
{
    uint32_t most = r->limits->field_bytes;

    return line.n > most && !(goes_on && line.n == most + 1 && line.p[most] == '\r');
}

static struct span name_in(struct span line, size_t most)
{
    struct span seen = { line.p, line.n < most ? line.n : most };

    return (struct span){ seen.p, token_span(seen, TOKEN_NAME) };
}

/* The line at head->lines.at, which moves behind it. R_NONE with *more false: it was the last one. */
static enum reason take_line(const struct reader *r, bool *more)
{
    struct head *lines = &r->head->lines;
    struct span rest = span_from(r->in, lines->at);
    size_t n = span_find(rest, '\n');
    struct span line = { rest.p, n > 0 && n < rest.n && rest.p[n - 1] == '\r' ? n - 1 : n };

    if (is_too_long(r, line, n == rest.n))
        return too_large(r, lines->at + r->limits->field_bytes, name_in(line, r->limits->field_bytes));
    if (n == rest.n)
        return out_of_bytes(r);
    *more = line.n > 0;
    if (*more) {
        enum reason why = take_field(r, line);

        if (why != R_NONE)
            return why;
    }
    lines->at += (uint32_t)n + 1;
    return R_NONE;
}

enum reason cgi_parse_head(struct span in, const struct h1_limits *limits, struct cgi_head *head, struct verdict *v)
{
    struct reader r = { { in.p, in.n < limits->head_bytes ? in.n : limits->head_bytes }, limits, head, v };
    bool more = true;

    head->lines.base = in.p;
    while (more) {
        enum reason why = take_line(&r, &more);

        if (why != R_NONE)
            return why;
    }
    return take_end(&r);
}

bool cgi_line_is_told(const struct field *line)
{
    return !is_status(line) && line->id != FIELD_CONTENT_LENGTH && !field_info(line->id)->hop;
}
